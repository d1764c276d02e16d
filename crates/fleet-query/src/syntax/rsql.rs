//! From parse trees to texts of the RSQL dialect.

use super::ast::{At, Expr, Node, Path, RsqlArgument, RsqlOp, RsqlValue, Step, Text};
use super::tree::{Tag, Tree};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::{Piece, Wildcard};

pub(super) fn build(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Text {
    match tree.child(Tag::or_list) {
        Some(list) => Text::Condition(expr(list, found)),
        None => Text::Empty,
    }
}

fn expr(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Expr {
    let node = match tree.tag {
        Tag::or_list | Tag::and_list => {
            let mut items: Vec<Expr> = tree
                .children
                .iter()
                .filter(|child| !matches!(child.tag, Tag::and_op | Tag::or_op))
                .map(|child| expr(child, found))
                .collect();
            if items.len() == 1
                && let Some(only) = items.pop()
            {
                return only;
            }
            if tree.tag == Tag::or_list {
                Node::Or(items)
            } else {
                Node::And(items)
            }
        }
        _ => comparison(tree, found),
    };
    Expr::new(node, tree.span)
}

fn comparison(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Node {
    let [selector, operator, arguments] = tree.children.as_slice() else {
        return Node::Everything;
    };
    let op = match operator.text.to_ascii_lowercase().as_str() {
        "==" => RsqlOp::Eq,
        "!=" => RsqlOp::Ne,
        "=lt=" | "<" => RsqlOp::Lt,
        "=le=" | "<=" => RsqlOp::Le,
        "=gt=" | ">" => RsqlOp::Gt,
        "=ge=" | ">=" => RsqlOp::Ge,
        "=in=" => RsqlOp::In,
        "=out=" => RsqlOp::Out,
        "=is=" => RsqlOp::Is,
        "=not=" => RsqlOp::Not,
        _ => {
            found.push(
                Diagnostic::error(
                    Code::Syntax,
                    operator.span,
                    format!("there is no operator `{}`", operator.text),
                )
                .with_help(instead(operator.text)),
            );
            RsqlOp::In
        }
    };
    let arguments: Vec<RsqlArgument> = arguments.children.iter().map(argument).collect();
    let list = matches!(op, RsqlOp::In | RsqlOp::Out);
    if arguments.len() > super::limits::MOST_ITEMS {
        let message = format!(
            "the list has {} items; at most {} are allowed",
            arguments.len(),
            super::limits::MOST_ITEMS
        );
        found.push(Diagnostic::error(Code::TooManyItems, tree.span, message));
    } else if !list && arguments.len() != 1 {
        found.push(
            Diagnostic::error(
                Code::Arity,
                tree.span,
                format!("`{}` takes one value", op.symbol()),
            )
            .with_help("a list of values goes with =in= and =out="),
        );
    }
    let steps = selector
        .text
        .split('.')
        .map(|key| Step::Key(key.to_owned()))
        .collect();
    Node::Selector {
        selector: Path {
            steps,
            at: At(selector.span),
        },
        op,
        arguments,
    }
}

/// What to write instead of an operator that other users of RSQL have.
fn instead(operator: &str) -> &'static str {
    match operator.to_ascii_lowercase().as_str() {
        "=like=" | "=ilike=" => "`*` in a value of `==` stands for any characters: `name==pump*`",
        "=bt=" | "=between=" => "write `a=ge=1;a=le=5`",
        "=ex=" | "=exists=" | "=null=" | "=isnull=" | "=notnull=" => {
            "write `=is=null` or `=not=null`"
        }
        "=eq=" | "=ne=" | "=neq=" => "equality is `==` and `!=`",
        _ => "the operators are == != =lt= =le= =gt= =ge= =in= =out= =is= =not=",
    }
}

fn argument(tree: &Tree<'_>) -> RsqlArgument {
    let value = match tree.tag {
        Tag::parameter => RsqlValue::Parameter(tree.text.trim_start_matches('@').to_owned()),
        Tag::quoted => {
            let mut inner = tree.text.chars();
            inner.next();
            inner.next_back();
            RsqlValue::Quoted(pieces(inner.as_str(), Escapes::Backslash))
        }
        _ => RsqlValue::Word(pieces(tree.text, Escapes::None)),
    };
    RsqlArgument {
        value,
        at: At(tree.span),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Escapes {
    /// `\x` is a literal `x`, `*` included.
    Backslash,
    /// A backslash is itself.
    None,
}

fn pieces(text: &str, escapes: Escapes) -> Wildcard {
    let mut chars = text.chars();
    let mut out = Vec::new();
    while let Some(c) = chars.next() {
        out.push(match c {
            '*' => Piece::AnyRun,
            '\\' if escapes == Escapes::Backslash => {
                Piece::Literal(chars.next().map(String::from).unwrap_or_default().into())
            }
            c => Piece::Literal(c.to_string().into()),
        });
    }
    Wildcard::new(out)
}
