//! Bound predicates in words, for explanations and plans. Not a language: nothing reads it back.

use crate::expression::{Expression, Membership};
use crate::pattern::{Pattern, Piece};
use crate::predicate::{Bound, Edge, KindTest, Predicate};
use crate::syntax::{number_literal, quote};
use crate::value::Scalar;
use std::fmt;

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => f.write_str(&number_literal(*number)),
            Self::Text(text) => f.write_str(&quote(text)),
        }
    }
}

fn list<T: fmt::Display>(items: &[T], with: &str) -> String {
    items
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(with)
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(truth) => write!(f, "{truth}"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::And(items) => write!(f, "({})", list(items, " AND ")),
            Self::Or(items) => write!(f, "({})", list(items, " OR ")),
            Self::Compare { path, op, value } => write!(f, "{path} {} {value}", op.symbol()),
            Self::In {
                path,
                values,
                membership,
            } => {
                let word = if *membership == Membership::In {
                    "IN"
                } else {
                    "NIN"
                };
                write!(f, "{path} {word} [{}]", list(values, ", "))
            }
            Self::Range { path, low, high } => {
                let open = if is_inclusive(low.as_ref()) { '[' } else { '{' };
                let close = if is_inclusive(high.as_ref()) {
                    ']'
                } else {
                    '}'
                };
                let bound = |bound: &Option<Bound>| {
                    bound
                        .as_ref()
                        .map_or("*".to_owned(), |b| b.value.to_string())
                };
                write!(
                    f,
                    "{path} in {open}{} TO {}{close}",
                    bound(low),
                    bound(high)
                )
            }
            Self::Match { path, pattern } => write!(f, "{path} {pattern}"),
            Self::Defined { path } => write!(f, "IS_DEFINED({path})"),
            Self::Kind { path, kind } => {
                let name = match kind {
                    KindTest::Null => "IS_NULL",
                    KindTest::Bool => "IS_BOOL",
                    KindTest::Number => "IS_NUMBER",
                    KindTest::Text => "IS_STRING",
                    KindTest::Object => "IS_OBJECT",
                    KindTest::Array => "IS_ARRAY",
                    KindTest::Primitive => "IS_PRIMITIVE",
                };
                write!(f, "{name}({path})")
            }
            Self::Holds { path } => write!(f, "{path}"),
            Self::ArrayContains { path, value } => write!(f, "ARRAY_CONTAINS({path}, {value})"),
            Self::Near { path, area } => {
                write!(
                    f,
                    "{path} within {} m of {}, {}",
                    area.metres, area.latitude, area.longitude
                )
            }
            Self::AnyField { pattern } => write!(f, "any field {pattern}"),
            Self::General(expression) => write!(f, "{expression}"),
        }
    }
}

fn is_inclusive(bound: Option<&Bound>) -> bool {
    bound.is_none_or(|bound| bound.edge == Edge::Inclusive)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prefix(text) => write!(f, "begins with {}", quote(text)),
            Self::Suffix(text) => write!(f, "ends with {}", quote(text)),
            Self::Contains(text) => write!(f, "contains {}", quote(text)),
            Self::Term { text, .. } => write!(f, "is {}", quote(text)),
            Self::Phrase(words) => write!(f, "holds the phrase {}", quote(&words.join(" "))),
            Self::Wildcard(wildcard) => {
                f.write_str("is like ")?;
                let text: String = wildcard
                    .pieces()
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => text,
                        Piece::AnyRun => "*",
                        Piece::AnyOne => "?",
                    })
                    .collect();
                f.write_str(&quote(&text))
            }
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => write!(f, "{value}"),
            Self::Undefined => f.write_str("undefined"),
            Self::Field(path) => write!(f, "{path}"),
            Self::SystemProperty(name) => write!(f, "${name}"),
            Self::Not(inner) => write!(f, "NOT ({inner})"),
            Self::And(items) => write!(f, "({})", list(items, " AND ")),
            Self::Or(items) => write!(f, "({})", list(items, " OR ")),
            Self::Compare { op, left, right } => write!(f, "{left} {} {right}", op.symbol()),
            Self::In {
                value,
                items,
                membership,
            } => {
                let word = if *membership == Membership::In {
                    "IN"
                } else {
                    "NIN"
                };
                write!(f, "{value} {word} [{}]", list(items, ", "))
            }
            Self::Arithmetic { op, left, right } => write!(f, "({left} {} {right})", op.symbol()),
            Self::Negate(inner) => write!(f, "- {inner}"),
            Self::Concat(left, right) => write!(f, "({left} || {right})"),
            Self::Coalesce(left, right) => write!(f, "({left} ?? {right})"),
            Self::Call {
                function,
                arguments,
            } => write!(f, "{}({})", function.name(), list(arguments, ", ")),
        }
    }
}
