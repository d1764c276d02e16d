//! Static kinds of routing conditions (Azure spec 3.11).

use super::functions::Wants;
use crate::diagnostic::{Code, Diagnostic};
use crate::expression::Function;
use crate::syntax::ast::{Expr, Literal, Node};

/// What a routing expression is known to be before it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Static {
    Bool,
    Number,
    Text,
    Null,
    Undefined,
    Dynamic,
}

impl Static {
    const fn name(self) -> &'static str {
        match self {
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Null => "null",
            Self::Undefined => "undefined",
            Self::Dynamic => "any value",
        }
    }
}

/// The static kind of an expression; what does not fit is reported.
pub(crate) fn infer(expr: &Expr, found: &mut Vec<Diagnostic>) -> Static {
    match &expr.node {
        Node::Literal(literal) => match literal {
            Literal::Text(_) => Static::Text,
            Literal::Number(_) => Static::Number,
            Literal::Bool(_) => Static::Bool,
            Literal::Null => Static::Null,
            Literal::Undefined => Static::Undefined,
        },
        Node::Path(_) => Static::Text,
        Node::System { name, .. } => {
            let document = |prefix: &str| {
                name.get(..prefix.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
            };
            // What names no member is refused elsewhere.
            if ["body.", "body[", "twin."].into_iter().any(document) {
                Static::Dynamic
            } else {
                Static::Text
            }
        }
        Node::Not(inner) => {
            accept(
                inner,
                "NOT",
                &[Static::Bool, Static::Null, Static::Dynamic],
                found,
            );
            Static::Bool
        }
        Node::And(items) | Node::Or(items) => {
            let word = if matches!(expr.node, Node::And(_)) {
                "AND"
            } else {
                "OR"
            };
            let accepted = [
                Static::Bool,
                Static::Null,
                Static::Undefined,
                Static::Dynamic,
            ];
            let kinds: Vec<Static> = items
                .iter()
                .map(|item| accept(item, word, &accepted, found))
                .collect();
            if kinds.iter().all(|kind| *kind == Static::Null) {
                Static::Null
            } else {
                Static::Bool
            }
        }
        Node::Compare { left, right, .. } => {
            let (a, b) = (infer(left, found), infer(right, found));
            let dynamic =
                |kind: Static, other: Static| kind == Static::Dynamic && other != Static::Undefined;
            if a != b && !dynamic(a, b) && !dynamic(b, a) {
                let message = format!("{} is never compared with {}", a.name(), b.name());
                let mut diagnostic = Diagnostic::error(Code::Type, expr.span(), message);
                diagnostic.help = never_meet(left, (a, b)).map(str::to_owned);
                found.push(diagnostic);
            }
            Static::Bool
        }
        Node::Arithmetic { op, left, right } => {
            for side in [left, right] {
                accept(side, op.symbol(), &[Static::Number, Static::Dynamic], found);
            }
            Static::Number
        }
        Node::Negate(inner) => {
            accept(inner, "-", &[Static::Number, Static::Dynamic], found);
            Static::Number
        }
        Node::Concat(left, right) => {
            for side in [left, right] {
                accept(side, "||", &[Static::Text, Static::Dynamic], found);
            }
            Static::Text
        }
        Node::Coalesce(left, right) => {
            let (a, b) = (infer(left, found), infer(right, found));
            if a == b {
                return a;
            }
            if a != Static::Dynamic && b != Static::Dynamic {
                let message = format!(
                    "both sides of `??` are of one kind, not {} and {}",
                    a.name(),
                    b.name()
                );
                let diagnostic = Diagnostic::error(Code::Type, expr.span(), message);
                let looser = matches!(right.node, Node::Compare { .. });
                found.push(if looser {
                    diagnostic.with_help("`??` is the loosest operator: write `(a ?? 'x') = 'y'`")
                } else {
                    diagnostic
                });
            }
            Static::Dynamic
        }
        Node::Call { name, arguments } => {
            let Some(function) = Function::named(&name.text) else {
                arguments.iter().for_each(|argument| {
                    infer(argument, found);
                });
                return Static::Dynamic;
            };
            call(function, arguments, found)
        }
        _ => Static::Dynamic,
    }
}

/// What to write instead of a comparison of kinds that never meet.
fn never_meet(left: &Expr, kinds: (Static, Static)) -> Option<&'static str> {
    let written = |node: &Node| matches!(node, Node::Literal(Literal::Text(_)));
    match (&left.node, kinds) {
        (Node::Compare { right, .. }, _) if matches!(right.node, Node::Concat(..)) => {
            Some("`||` joins texts: write OR between conditions")
        }
        (Node::Compare { .. }, _) => {
            Some("a comparison does not chain: join two with AND, `1 < $body.a AND $body.a < 5`")
        }
        (node, (Static::Text, Static::Number)) if written(node) => {
            Some("a name stands without quotes: `$body.temperature > 50`")
        }
        (_, (Static::Text, Static::Number) | (Static::Number, Static::Text)) => {
            Some("properties of a message are text: quote the number, or use AS_NUMBER(property)")
        }
        (_, (Static::Text, Static::Null) | (Static::Null, Static::Text)) => {
            Some("write `IS_NULL(name)`, or `NOT IS_DEFINED(name)` where there is none")
        }
        _ => None,
    }
}

fn accept(expr: &Expr, operator: &str, accepted: &[Static], found: &mut Vec<Diagnostic>) -> Static {
    let kind = infer(expr, found);
    if !accepted.contains(&kind) {
        let diagnostic = Diagnostic::error(
            Code::Type,
            expr.span(),
            format!("`{operator}` does not accept {}", kind.name()),
        );
        found.push(match (&expr.node, kind) {
            (Node::Path(_), _) if accepted.contains(&Static::Bool) => diagnostic
                .with_help("properties of a message are text: compare it, as in `name = 'true'`"),
            (Node::Path(_), _) if accepted.contains(&Static::Number) => {
                diagnostic.with_help("properties of a message are text: use AS_NUMBER(property)")
            }
            _ => diagnostic,
        });
    }
    kind
}

fn call(function: Function, arguments: &[Expr], found: &mut Vec<Diagnostic>) -> Static {
    let (wants, result) = super::functions::signature(function);
    for (at, argument) in arguments.iter().enumerate() {
        let accepted: &[Static] = match wants(at) {
            Wants::Anything => {
                infer(argument, found);
                continue;
            }
            Wants::Number => &[Static::Number, Static::Dynamic],
            Wants::Text => &[Static::Text, Static::Dynamic],
            Wants::Numeric => &[
                Static::Number,
                Static::Text,
                Static::Dynamic,
                Static::Null,
                Static::Undefined,
            ],
            Wants::Array => &[Static::Dynamic],
        };
        accept(argument, function.name(), accepted, found);
    }
    result
}
