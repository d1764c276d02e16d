//! From parse trees to texts of the AWS fleet index language.

use super::ast::{
    At, Expr, FieldBody, Group, Node, Operand, Path, Range, RangeBound, Step, Term, TermValue, Text,
};
use super::text::unescape;
use super::tree::{Tag, Tree};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::pattern::{Piece, Wildcard};
use crate::predicate::Edge;
use crate::value::CompareOp;

/// Characters that the service refuses anywhere in a query (AWS spec 3.4), with `^` and `~` (note 17).
const REFUSED: &str = "`@#%/';,^~";

pub(super) fn build(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Text {
    match tree.child(Tag::or_list) {
        Some(list) => Text::Condition(expr(list, found)),
        None => Text::Empty,
    }
}

fn undefined(span: Span) -> Expr {
    Expr::new(Node::Everything, span)
}

fn expr(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Expr {
    let node = match tree.tag {
        Tag::or_list | Tag::and_list => {
            let mut items: Vec<Expr> = tree
                .children
                .iter()
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
        Tag::not_term => match tree.children.as_slice() {
            [only] => return expr(only, found),
            [_, inner] => Node::Not(Box::new(expr(inner, found))),
            _ => return undefined(tree.span),
        },
        Tag::everything => Node::Everything,
        Tag::bare => match tree.children.first() {
            Some(value) => Node::Bare(term(value, found)),
            None => return undefined(tree.span),
        },
        Tag::fielded => match tree.children.as_slice() {
            [name, op, operand] if op.tag == Tag::compare_op => Node::Field {
                field: field(name, found),
                body: FieldBody::Compare {
                    op: compare_op(op.text),
                    operand: operand_of(operand, found),
                },
            },
            [name, body] => Node::Field {
                field: field(name, found),
                body: field_body(body, found),
            },
            _ => return undefined(tree.span),
        },
        _ => return undefined(tree.span),
    };
    Expr::new(node, tree.span)
}

fn operand_of(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Operand {
    if tree.tag == Tag::parameter {
        Operand::Parameter(parameter(tree))
    } else {
        Operand::Number(number(tree, found))
    }
}

fn parameter(tree: &Tree<'_>) -> String {
    tree.text.trim_start_matches('@').to_owned()
}

fn number(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> f64 {
    match tree.text.parse::<f64>() {
        Ok(value) if value.is_finite() => {
            if value == 0.0 {
                0.0
            } else {
                value
            }
        }
        _ => {
            found.push(Diagnostic::error(
                Code::Type,
                tree.span,
                format!("`{}` is too large for a number", tree.text),
            ));
            0.0
        }
    }
}

fn compare_op(text: &str) -> CompareOp {
    match text {
        "<" => CompareOp::Lt,
        "<=" => CompareOp::Le,
        ">" => CompareOp::Gt,
        _ => CompareOp::Ge,
    }
}

fn field(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Path {
    refuse(tree, found);
    Path {
        steps: tree
            .children
            .iter()
            .map(|part| Step::Key(unescape(part.text)))
            .collect(),
        at: At(tree.span),
    }
}

fn field_body(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> FieldBody {
    match tree.tag {
        Tag::range => FieldBody::Range(range(tree, found)),
        Tag::geo => geo(tree, found),
        Tag::group => match tree.children.first() {
            Some(inner) => FieldBody::Group(group(inner, found)),
            None => FieldBody::Group(Group::And(Vec::new())),
        },
        _ => FieldBody::Term(value(tree, found)),
    }
}

fn value(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Term {
    tree.children.first().map_or(
        Term {
            value: TermValue::Quoted(String::new()),
            at: At(tree.span),
        },
        |inner| term(inner, found),
    )
}

fn group(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Group {
    match tree.tag {
        Tag::value_or | Tag::value_and => {
            let mut items: Vec<Group> = tree
                .children
                .iter()
                .map(|child| group(child, found))
                .collect();
            if items.len() == 1
                && let Some(only) = items.pop()
            {
                return only;
            }
            if tree.tag == Tag::value_or {
                Group::Or(items)
            } else {
                Group::And(items)
            }
        }
        Tag::value_not => match tree.children.as_slice() {
            [_, inner] => Group::Not(Box::new(group(inner, found))),
            [inner, ..] => group(inner, found),
            [] => Group::And(Vec::new()),
        },
        Tag::range => Group::Range(range(tree, found)),
        _ => Group::Term(value(tree, found)),
    }
}

fn term(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Term {
    let value = match tree.tag {
        Tag::parameter => TermValue::Parameter(parameter(tree)),
        Tag::quoted => {
            refuse(tree, found);
            TermValue::Quoted(unescape(inside(tree.text)))
        }
        _ => {
            refuse(tree, found);
            TermValue::Pattern(Wildcard::new(tree.children.iter().map(
                |piece| match piece.tag {
                    Tag::any_run => Piece::AnyRun,
                    Tag::any_one => Piece::AnyOne,
                    _ => Piece::Literal(unescape(piece.text).into()),
                },
            )))
        }
    };
    Term {
        value,
        at: At(tree.span),
    }
}

fn inside(quoted: &str) -> &str {
    quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or_default()
}

/// The service refuses some characters wherever they stand.
fn refuse(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) {
    if let Some((at, message, help)) = refused(tree.text) {
        let start = tree.span.start + at;
        let span = Span::new(start, start + 1);
        found.push(Diagnostic::error(Code::Syntax, span, message).with_help(help));
    }
}

/// The first character that the service refuses, each of one byte: where it stands, and what is said of it.
pub(super) fn refused(text: &str) -> Option<(usize, String, &'static str)> {
    let (at, bad) = text.char_indices().find(|(_, c)| REFUSED.contains(*c))?;
    let help = match bad {
        '^' | '~' => "boosting and fuzzy search do not exist in this dialect",
        '\'' => "texts with spaces stand in double quotes",
        ',' if text.starts_with("geo_distance") => {
            "write `geo_distance,LATITUDE,LONGITUDE,DISTANCE` with a unit: `geo_distance,47.6,-122.3,15km`"
        }
        ',' | ';' => {
            "one of several values is `field:(a OR b)`; to search for the character itself write `?`"
        }
        _ => "write `?` in its place: it stands for any one character",
    };
    let message = format!("the character `{bad}` cannot stand in a query of this dialect");
    Some((at, message, help))
}

fn range(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> Range {
    let mut bounds = tree.children.iter().filter(|child| child.tag == Tag::bound);
    let mut next = |found: &mut Vec<Diagnostic>| match bounds
        .next()
        .and_then(|bound| bound.children.first())
    {
        Some(inner) => match inner.tag {
            Tag::number => RangeBound::Number(number(inner, found)),
            Tag::parameter => RangeBound::Parameter(parameter(inner)),
            Tag::quoted => {
                refuse(inner, found);
                RangeBound::Text(unescape(inside(inner.text)))
            }
            Tag::bound_word => {
                refuse(inner, found);
                RangeBound::Text(unescape(inner.text))
            }
            _ => RangeBound::Open,
        },
        None => RangeBound::Open,
    };
    let (low, high) = (next(found), next(found));
    let edge = |tag: Tag, inclusive: &str| match tree.child(tag) {
        Some(bracket) if bracket.text == inclusive => Edge::Inclusive,
        _ => Edge::Exclusive,
    };
    Range {
        low,
        low_edge: edge(Tag::range_open, "["),
        high,
        high_edge: edge(Tag::range_close, "]"),
        at: At(tree.span),
    }
}

fn geo(tree: &Tree<'_>, found: &mut Vec<Diagnostic>) -> FieldBody {
    let numbers: Vec<f64> = tree
        .children
        .iter()
        .filter(|child| child.tag == Tag::number_part)
        .map(|child| number(child, found))
        .collect();
    let unit = tree
        .child(Tag::unit)
        .map(|unit| unit.text.to_owned())
        .unwrap_or_default();
    match numbers.as_slice() {
        [latitude, longitude, distance] => FieldBody::Geo {
            latitude: *latitude,
            longitude: *longitude,
            distance: *distance,
            unit,
        },
        _ => FieldBody::Geo {
            latitude: 0.0,
            longitude: 0.0,
            distance: 0.0,
            unit,
        },
    }
}
