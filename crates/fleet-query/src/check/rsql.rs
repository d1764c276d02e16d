//! Binding of RSQL.

use super::fleet_index::is_existence;
use super::names::rsql_path;
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Mode;
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece, Wildcard};
use crate::predicate::Predicate;
use crate::syntax::ast::{Expr, Node, RsqlArgument, RsqlOp, RsqlValue};
use crate::value::{CompareOp, Scalar, Truth, fold, numeral};

/// The predicate of a condition.
pub(super) fn bind(expr: &Expr, mode: Mode, found: &mut Vec<Diagnostic>) -> Predicate {
    match &expr.node {
        Node::And(items) => {
            Predicate::And(items.iter().map(|item| bind(item, mode, found)).collect())
        }
        Node::Or(items) => {
            Predicate::Or(items.iter().map(|item| bind(item, mode, found)).collect())
        }
        Node::Selector {
            selector,
            op,
            arguments,
        } => {
            let path = rsql_path(selector, mode, found);
            comparison(&path, *op, arguments, found)
        }
        _ => Predicate::Constant(Truth::False),
    }
}

fn comparison(
    path: &FieldPath,
    op: RsqlOp,
    arguments: &[RsqlArgument],
    found: &mut Vec<Diagnostic>,
) -> Predicate {
    let not = |inner: Predicate| Predicate::Not(Box::new(inner));
    let any = |found: &mut Vec<Diagnostic>| {
        let mut items: Vec<Predicate> = arguments
            .iter()
            .map(|argument| equal(path, argument, found))
            .collect();
        match (items.len(), items.pop()) {
            (1, Some(only)) => only,
            (_, Some(last)) => {
                items.push(last);
                Predicate::Or(items)
            }
            (_, None) => Predicate::Constant(Truth::False),
        }
    };
    if matches!(op, RsqlOp::Eq | RsqlOp::Ne | RsqlOp::In | RsqlOp::Out) {
        null_as_text(arguments, found);
    }
    let defined = Predicate::Defined { path: path.clone() };
    let is_null = arguments
        .first()
        .is_some_and(|argument| match &argument.value {
            RsqlValue::Word(word) => {
                matches!(word.pieces(), [Piece::Literal(text)] if text.eq_ignore_ascii_case("null"))
            }
            _ => false,
        });
    match op {
        RsqlOp::Is if is_null => not(defined),
        RsqlOp::Not if is_null => defined,
        RsqlOp::Eq | RsqlOp::In | RsqlOp::Is => any(found),
        RsqlOp::Ne | RsqlOp::Out | RsqlOp::Not => not(any(found)),
        RsqlOp::Lt => order(path, CompareOp::Lt, arguments, found),
        RsqlOp::Le => order(path, CompareOp::Le, arguments, found),
        RsqlOp::Gt => order(path, CompareOp::Gt, arguments, found),
        RsqlOp::Ge => order(path, CompareOp::Ge, arguments, found),
    }
}

/// `null` is a word of `=is=` and `=not=` only.
fn null_as_text(arguments: &[RsqlArgument], found: &mut Vec<Diagnostic>) {
    for argument in arguments {
        if let RsqlValue::Word(word) = &argument.value
            && literal(word).as_deref() == Some("null")
        {
            found.push(
                Diagnostic::warning(Code::Syntax, argument.at.0, "`null` is compared as text")
                    .with_help("write `=is=null` or `=not=null`; if the text is meant, quote it"),
            );
        }
    }
}

fn unbound(name: &str, argument: &RsqlArgument, found: &mut Vec<Diagnostic>) -> Predicate {
    let message = format!("the parameter `@{name}` has no value");
    found.push(
        Diagnostic::error(Code::UnboundParameter, argument.at.0, message)
            .with_help("bind a value to it before running the query"),
    );
    Predicate::Constant(Truth::False)
}

fn equal(path: &FieldPath, argument: &RsqlArgument, found: &mut Vec<Diagnostic>) -> Predicate {
    let pattern = match &argument.value {
        RsqlValue::Parameter(name) => return unbound(name, argument, found),
        RsqlValue::Word(pattern) | RsqlValue::Quoted(pattern) => pattern,
    };
    if is_existence(pattern) {
        return Predicate::Defined { path: path.clone() };
    }
    let pattern = match literal(pattern) {
        Some(text) => {
            let number = if matches!(argument.value, RsqlValue::Word(_)) {
                numeral(&text)
            } else {
                None
            };
            Pattern::Term {
                text: fold(&text).into(),
                number,
            }
        }
        None => Pattern::Wildcard(pattern.folded()),
    };
    Predicate::Match {
        path: path.clone(),
        pattern,
    }
}

fn order(
    path: &FieldPath,
    op: CompareOp,
    arguments: &[RsqlArgument],
    found: &mut Vec<Diagnostic>,
) -> Predicate {
    let Some(argument) = arguments.first() else {
        return Predicate::Constant(Truth::False);
    };
    let pattern = match &argument.value {
        RsqlValue::Parameter(name) => return unbound(name, argument, found),
        RsqlValue::Word(pattern) | RsqlValue::Quoted(pattern) => pattern,
    };
    let Some(text) = literal(pattern) else {
        found.push(
            Diagnostic::error(Code::Type, argument.at.0, "a wildcard cannot be ordered")
                .with_help("wildcards go with == != =in= =out="),
        );
        return Predicate::Constant(Truth::False);
    };
    let value = match (&argument.value, numeral(&text)) {
        (RsqlValue::Word(_), Some(number)) => Scalar::Number(number),
        _ => Scalar::Text(text.into()),
    };
    Predicate::Compare {
        path: path.clone(),
        op,
        value,
    }
}

/// The text of a pattern without wildcards.
fn literal(pattern: &Wildcard) -> Option<String> {
    match pattern.pieces() {
        [] => Some(String::new()),
        [Piece::Literal(text)] => Some(text.to_string()),
        _ => None,
    }
}
