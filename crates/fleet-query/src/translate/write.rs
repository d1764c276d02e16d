//! A meaning in the words of a dialect.

use super::facts::{Facts, Shape};
use super::read::spellings;
use super::{Ask, Fold, Meaning};
use crate::diagnostic::Span;
use crate::dialect::Dialect;
use crate::path::{FieldPath, Segment};
use crate::pattern::{Piece, Wildcard};
use crate::syntax::ast::{
    At, Expr, FieldBody, Literal, Name, Node, Operand, Path, RsqlArgument, RsqlOp, RsqlValue, Step,
    Term, TermValue,
};
use crate::value::{CompareOp, Truth, fold, number_text, numeral};

fn expr_of(node: Node) -> Expr {
    Expr::new(node, Span::default())
}

/// A constant of the IoT Hub dialects.
pub(super) fn truth(truth: Truth) -> Node {
    Node::Literal(match truth {
        Truth::True => Literal::Bool(true),
        Truth::False => Literal::Bool(false),
        Truth::Undefined => Literal::Undefined,
    })
}

/// A function call of the IoT Hub dialects.
pub(super) fn call(name: &str, arguments: Vec<Expr>) -> Node {
    Node::Call {
        name: Name {
            text: name.to_owned(),
            at: At::default(),
        },
        arguments,
    }
}

/// What selects every document.
pub(super) fn everything(to: Dialect) -> Node {
    match to {
        Dialect::Rsql => Node::Selector {
            selector: Path {
                steps: vec![Step::Key("deviceId".to_owned())],
                at: At::default(),
            },
            op: RsqlOp::Eq,
            arguments: vec![word([Piece::AnyRun])],
        },
        _ => Node::Everything,
    }
}

/// The expression of a meaning, or why the dialect has none.
pub(super) fn expr(
    meaning: &Meaning,
    to: Dialect,
    facts: &impl Fn(&FieldPath) -> Facts,
) -> Result<Expr, String> {
    let all = |items: &[Meaning]| {
        items
            .iter()
            .map(|item| expr(item, to, facts))
            .collect::<Result<Vec<_>, _>>()
    };
    let sql = !matches!(to, Dialect::Aws | Dialect::AwsGroups | Dialect::Rsql);
    let node = match meaning {
        Meaning::Constant(constant) if sql => truth(*constant),
        Meaning::Constant(Truth::True) => everything(to),
        Meaning::Constant(_) if to == Dialect::Rsql => Node::And(vec![
            expr_of(everything(to)),
            expr_of(negate(everything(to))),
        ]),
        Meaning::Constant(_) => Node::Not(Box::new(expr_of(Node::Everything))),
        Meaning::And(items) => list(all(items)?, Node::And, || truth_in(to, Truth::True)),
        Meaning::Or(items) => list(all(items)?, Node::Or, || truth_in(to, Truth::False)),
        Meaning::Is { path, ask } => ask_of(path, ask, to, facts(path))?,
        Meaning::IsNot { path, ask } if sql => {
            let inner = ask_of(path, ask, to, facts(path))?;
            let not = Node::Not(Box::new(expr_of(inner)));
            let known = *ask == Ask::Present || facts(path).always;
            if facts(path).shape == Shape::Words {
                return Err(format!("`{path}` may be missing or an array"));
            }
            if known {
                not
            } else {
                let field = expr_of(Node::Path(sql_path(path, to)?));
                let missing = Node::Not(Box::new(expr_of(call("IS_DEFINED", vec![field]))));
                Node::Or(vec![expr_of(missing), expr_of(not)])
            }
        }
        // RSQL has no NOT: what is not in an order is missing or in the opposite one.
        Meaning::IsNot {
            path,
            ask: Ask::Number { op, number },
        } if to == Dialect::Rsql && *op != CompareOp::Eq => {
            let opposite = match op {
                CompareOp::Lt => CompareOp::Ge,
                CompareOp::Le => CompareOp::Gt,
                CompareOp::Gt => CompareOp::Le,
                _ => CompareOp::Lt,
            };
            let missing = negate(in_rsql(path, &Ask::Present)?);
            let rest = in_rsql(
                path,
                &Ask::Number {
                    op: opposite,
                    number: *number,
                },
            )?;
            Node::Or(vec![expr_of(missing), expr_of(rest)])
        }
        Meaning::IsNot {
            path,
            ask: Ask::Numeral { op, .. },
        } if to == Dialect::Rsql && *op != CompareOp::Eq => {
            return Err(format!(
                "NOT of an order in `{path}`, which may hold other texts"
            ));
        }
        Meaning::IsNot { path, ask } => negate(ask_of(path, ask, to, facts(path))?),
    };
    Ok(expr_of(node))
}

fn truth_in(to: Dialect, constant: Truth) -> Node {
    match (to, constant) {
        (Dialect::Aws | Dialect::AwsGroups | Dialect::Rsql, Truth::True) => everything(to),
        (Dialect::Aws | Dialect::AwsGroups | Dialect::Rsql, _) => negate(everything(to)),
        _ => truth(constant),
    }
}

fn list(mut items: Vec<Expr>, join: fn(Vec<Expr>) -> Node, empty: impl Fn() -> Node) -> Node {
    match (items.len(), items.pop()) {
        (_, None) => empty(),
        (1, Some(only)) => only.node,
        (_, Some(last)) => {
            items.push(last);
            join(items)
        }
    }
}

/// NOT, or in RSQL the opposite operator.
fn negate(node: Node) -> Node {
    match node {
        Node::Selector {
            selector,
            op,
            arguments,
        } => {
            let op = match op {
                RsqlOp::Eq => RsqlOp::Ne,
                RsqlOp::Not => RsqlOp::Is,
                other => other,
            };
            Node::Selector {
                selector,
                op,
                arguments,
            }
        }
        other => Node::Not(Box::new(expr_of(other))),
    }
}

fn ask_of(path: &FieldPath, ask: &Ask, to: Dialect, facts: Facts) -> Result<Node, String> {
    match to {
        Dialect::Aws | Dialect::AwsGroups => in_index(path, ask),
        Dialect::Rsql => in_rsql(path, ask),
        _ => in_sql(path, ask, to, facts),
    }
}

/// A text that no other text folds to: ASCII without letters, letters of scripts without case.
fn caseless(text: &str) -> bool {
    text.chars().all(|c| {
        (c.is_ascii() || c.is_alphanumeric())
            && c.to_lowercase().eq([c])
            && c.to_uppercase().eq([c])
    })
}

/// The text to look for in any letter case, where a dialect that folds can say the same.
fn foldable(text: &str, how: Fold) -> Result<String, String> {
    if how == Fold::No && !caseless(text) {
        return Err(format!("`{text}` is compared with its letter case"));
    }
    Ok(fold(text).into_owned())
}

fn sql_path(path: &FieldPath, to: Dialect) -> Result<Path, String> {
    if path.is_derived() {
        return Err(format!("`{path}` is computed by the AWS index"));
    }
    let target = matches!(to, Dialect::Target | Dialect::TargetModules);
    if target
        && !(path.root() == "deviceId"
            || path.root() == "tags"
            || path.starts_with(&["properties", "reported"]))
    {
        return Err(format!("target conditions cannot name `{path}`"));
    }
    Ok(Path {
        steps: path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => Step::Key(key.to_string()),
                Segment::Index(index) => Step::Index(*index),
            })
            .collect(),
        at: At::default(),
    })
}

fn in_sql(path: &FieldPath, ask: &Ask, to: Dialect, facts: Facts) -> Result<Node, String> {
    let field = expr_of(Node::Path(sql_path(path, to)?));
    let literal = |literal: Literal| Box::new(expr_of(Node::Literal(literal)));
    let constant = |text: &str, how: Fold| {
        let text = if how == Fold::Yes {
            fold(text).into_owned()
        } else {
            text.to_owned()
        };
        literal(Literal::Text(text))
    };
    let lowered = |how: Fold, text: &str| {
        let field = expr_of(Node::Path(sql_path(path, to)?));
        Ok::<Expr, String>(if how == Fold::Yes && !caseless(text) {
            expr_of(call("LOWER", vec![field]))
        } else {
            field
        })
    };
    let compare = |op: CompareOp, left: Expr, right: Box<Expr>| Node::Compare {
        op,
        left: Box::new(left),
        right,
    };
    Ok(match ask {
        Ask::Present => call("IS_DEFINED", vec![field]),
        Ask::Text { text, fold: how } if facts.shape == Shape::Words => {
            if *how == Fold::Yes && !caseless(text) {
                return Err(format!(
                    "`{text}` is compared without its letter case in an array"
                ));
            }
            call("ARRAY_CONTAINS", vec![field, *constant(text, *how)])
        }
        _ if facts.shape == Shape::Words => {
            return Err(format!("a pattern over the elements of `{path}`"));
        }
        Ask::Text { text, fold: how } => {
            compare(CompareOp::Eq, lowered(*how, text)?, constant(text, *how))
        }
        Ask::Prefix { text, fold: how } => call(
            "STARTSWITH",
            vec![lowered(*how, text)?, *constant(text, *how)],
        ),
        Ask::Suffix { text, fold: how } => call(
            "ENDSWITH",
            vec![lowered(*how, text)?, *constant(text, *how)],
        ),
        Ask::Number { op, number } => compare(*op, field, literal(Literal::Number(*number))),
        Ask::Numeral { number, .. } => return Err(spellings(path, *number)),
        Ask::Bool(value) => compare(CompareOp::Eq, field, literal(Literal::Bool(*value))),
    })
}

fn in_index(path: &FieldPath, ask: &Ask) -> Result<Node, String> {
    let field = index_field(path)?;
    let body = match ask {
        Ask::Present => term([Piece::AnyRun]),
        Ask::Text { text, fold: how } => {
            let text = foldable(text, *how)?;
            if numeral(&text).is_some() {
                return Err(format!(
                    "`{text}` is a number to the AWS index, in any spelling"
                ));
            }
            if text.is_empty() {
                return Err("an empty text cannot be searched".to_owned());
            }
            term([Piece::Literal(text.into())])
        }
        Ask::Prefix { text, fold: how } => {
            term([Piece::Literal(foldable(text, *how)?.into()), Piece::AnyRun])
        }
        Ask::Suffix { text, fold: how } => {
            term([Piece::AnyRun, Piece::Literal(foldable(text, *how)?.into())])
        }
        Ask::Number {
            op: CompareOp::Eq,
            number,
        }
        | Ask::Numeral {
            op: CompareOp::Eq,
            number,
        } => term([Piece::Literal(number_text(*number).into())]),
        Ask::Number { op, number } | Ask::Numeral { op, number } => FieldBody::Compare {
            op: *op,
            operand: Operand::Number(*number),
        },
        Ask::Bool(value) => term([Piece::Literal(value.to_string().into())]),
    };
    Ok(Node::Field { field, body })
}

fn term<const N: usize>(pieces: [Piece; N]) -> FieldBody {
    FieldBody::Term(Term {
        value: TermValue::Pattern(Wildcard::new(pieces)),
        at: At::default(),
    })
}

/// The spelling of a canonical path in the AWS index.
fn index_field(path: &FieldPath) -> Result<Path, String> {
    let keys: Vec<&str> = path
        .segments()
        .iter()
        .filter_map(|segment| match segment {
            Segment::Key(key) => Some(&**key),
            Segment::Index(_) => None,
        })
        .collect();
    let spelled: Vec<&str> = match keys.as_slice() {
        _ if keys.len() != path.segments().len() => {
            return Err(format!("the element of an array in `{path}`"));
        }
        ["deviceId"] => vec!["thingName"],
        ["thingId" | "thingTypeName" | "thingGroupNames"]
        | ["attributes", _]
        | [
            "connectivity",
            "connected" | "timestamp" | "disconnectReason",
        ]
        | ["shadow", "hasDelta"] => keys,
        ["properties", section @ ("desired" | "reported"), key]
            if !key.starts_with('$') && !key.contains('.') =>
        {
            vec!["shadow", section, key]
        }
        ["properties", "desired" | "reported", key, ..] if !key.starts_with('$') => {
            return Err(format!(
                "`{path}` may also be spelt with dots inside a key in the AWS index"
            ));
        }
        _ => return Err(format!("`{path}` is not in the AWS index")),
    };
    Ok(Path {
        steps: spelled
            .into_iter()
            .map(|key| Step::Key(key.to_owned()))
            .collect(),
        at: At::default(),
    })
}

fn in_rsql(path: &FieldPath, ask: &Ask) -> Result<Node, String> {
    let quoted = |text: &str, how: Fold, before: Option<Piece>, after: Option<Piece>| {
        let text = foldable(text, how)?;
        let pieces = before
            .into_iter()
            .chain([Piece::Literal(text.into())])
            .chain(after);
        Ok::<_, String>(RsqlArgument {
            value: RsqlValue::Quoted(Wildcard::new(pieces)),
            at: At::default(),
        })
    };
    let (op, argument) = match ask {
        Ask::Present => (RsqlOp::Not, word([Piece::Literal("null".into())])),
        Ask::Text { text, fold: how } => (RsqlOp::Eq, quoted(text, *how, None, None)?),
        Ask::Prefix { text, fold: how } => {
            (RsqlOp::Eq, quoted(text, *how, None, Some(Piece::AnyRun))?)
        }
        Ask::Suffix { text, fold: how } => {
            (RsqlOp::Eq, quoted(text, *how, Some(Piece::AnyRun), None)?)
        }
        Ask::Number { op, number } | Ask::Numeral { op, number } => {
            let op = match op {
                CompareOp::Lt => RsqlOp::Lt,
                CompareOp::Le => RsqlOp::Le,
                CompareOp::Gt => RsqlOp::Gt,
                CompareOp::Ge => RsqlOp::Ge,
                CompareOp::Eq | CompareOp::Ne => RsqlOp::Eq,
            };
            (op, word([Piece::Literal(number_text(*number).into())]))
        }
        Ask::Bool(value) => (RsqlOp::Eq, word([Piece::Literal(value.to_string().into())])),
    };
    let keys: Option<Vec<Step>> = path
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::Key(key)
                if !key.is_empty() && key.chars().all(|c| !"\"'();,=!~<>. \t\r\n".contains(c)) =>
            {
                Some(Step::Key(key.to_string()))
            }
            _ => None,
        })
        .collect();
    let Some(steps) = keys else {
        return Err(format!("`{path}` cannot be written as a selector"));
    };
    Ok(Node::Selector {
        selector: Path {
            steps,
            at: At::default(),
        },
        op,
        arguments: vec![argument],
    })
}

fn word<const N: usize>(pieces: [Piece; N]) -> RsqlArgument {
    RsqlArgument {
        value: RsqlValue::Word(Wildcard::new(pieces)),
        at: At::default(),
    }
}
