//! The reference evaluator: the documented meaning of every condition, by direct recursion.
//!
//! No caches and no tricks: it judges every faster executor. It is total: any bound condition on
//! any canonical document has a truth value. Depth is bounded by the parser's limits, cost by the
//! size of the condition times the size of the document.

mod expression;
mod function;
mod geo;

pub(crate) use expression::is_property_path;
pub use expression::value;

use crate::document::Document;
use crate::expression::Membership;
use crate::path::FieldPath;
use crate::pattern::Pattern;
use crate::predicate::{Bound, Condition, Edge, KindTest, Predicate};
use crate::profile::{DefinedRule, Logic, Profile, TextRule};
use crate::value::{CompareOp, Datum, Kind, Truth, compare, fold, number_of, number_text};
use serde_json::Value;

/// Whether the condition holds of the document.
///
/// ```
/// use fleet_query::{Condition, Document, FieldPath, Predicate, Truth, eval, profile, value::*};
/// let condition = Condition::new(&profile::IOT_HUB, Predicate::Compare {
///     path: FieldPath::of(["tags", "region"]),
///     op: CompareOp::Ne,
///     value: Scalar::Text("US".into()),
/// });
/// let untagged = serde_json::json!({"deviceId": "d3", "tags": {}});
/// assert_eq!(eval::eval(&condition, Document::new(&untagged)), Truth::Undefined);
/// ```
#[must_use]
pub fn eval(condition: &Condition, document: Document<'_>) -> Truth {
    if is_unreadable(condition, document) {
        return Truth::Undefined;
    }
    eval_predicate(&condition.predicate, condition.profile, document)
}

/// Whether the condition names the body of a message whose body cannot be read.
pub(crate) fn is_unreadable(condition: &Condition, document: Document<'_>) -> bool {
    condition.needs_body && document.root().get("bodyUsable") == Some(&Value::Bool(false))
}

/// Whether one predicate holds of the document under a profile.
#[must_use]
pub fn eval_predicate(predicate: &Predicate, profile: &Profile, document: Document<'_>) -> Truth {
    match predicate {
        Predicate::Constant(truth) => *truth,
        Predicate::Not(inner) => !eval_predicate(inner, profile, document),
        Predicate::And(items) => items.iter().fold(Truth::True, |so_far, item| {
            so_far.and(eval_predicate(item, profile, document))
        }),
        Predicate::Or(items) => items.iter().fold(Truth::False, |so_far, item| {
            so_far.or(eval_predicate(item, profile, document))
        }),
        Predicate::Defined { path } => defined(path, profile, document).into(),
        Predicate::Kind { path, kind } => {
            let values = document.values(path, profile);
            values.iter().any(|value| is_kind(*kind, value)).into()
        }
        Predicate::General(expression) => value(expression, profile, document).truth(),
        Predicate::AnyField { pattern } => document
            .searchable_values()
            .iter()
            .any(|value| fits(pattern, profile, value) == Truth::True)
            .into(),
        Predicate::Compare { path, .. }
        | Predicate::In { path, .. }
        | Predicate::Range { path, .. }
        | Predicate::Match { path, .. }
        | Predicate::Holds { path }
        | Predicate::ArrayContains { path, .. } => match profile.logic {
            // One value, perhaps undefined.
            Logic::ThreeValued => match document.show(path, profile) {
                // A property of a message that is null (Azure spec 3.9).
                Datum::Null if is_property_path(path) => Truth::Undefined,
                value => leaf(predicate, profile, &value),
            },
            // Any of the values.
            Logic::TwoValued => document
                .values(path, profile)
                .iter()
                .any(|value| leaf(predicate, profile, value) == Truth::True)
                .into(),
        },
        Predicate::Near { path, area } => geo::near(&document.get(path), *area).into(),
    }
}

/// What a leaf is on one value that its path shows.
#[must_use]
pub fn leaf(predicate: &Predicate, profile: &Profile, value: &Datum<'_>) -> Truth {
    match predicate {
        Predicate::Compare {
            op,
            value: constant,
            ..
        } => compare(profile, value, *op, &constant.datum()),
        Predicate::In {
            values, membership, ..
        } => {
            let found = values
                .iter()
                .map(|constant| compare(profile, value, CompareOp::Eq, &constant.datum()))
                .fold(Truth::False, Truth::or);
            match membership {
                Membership::In => found,
                Membership::NotIn if value.kind() == Kind::Undefined => Truth::Undefined,
                Membership::NotIn => !found,
            }
        }
        Predicate::Range { low, high, .. } => range(profile, value, low.as_ref(), high.as_ref()),
        Predicate::Match { pattern, .. } => fits(pattern, profile, value),
        Predicate::Holds { .. } => value.truth(),
        Predicate::ArrayContains {
            value: constant, ..
        } => match value {
            Datum::Array(items) => items
                .iter()
                .any(|item| {
                    compare(profile, &Datum::of(item), CompareOp::Eq, &constant.datum()).is_true()
                })
                .into(),
            _ => Truth::Undefined,
        },
        _ => Truth::Undefined,
    }
}

fn range(profile: &Profile, value: &Datum<'_>, low: Option<&Bound>, high: Option<&Bound>) -> Truth {
    let side = |bound: Option<&Bound>, inclusive: CompareOp, exclusive: CompareOp| match bound {
        None => Truth::True,
        Some(bound) => {
            let op = if bound.edge == Edge::Inclusive {
                inclusive
            } else {
                exclusive
            };
            compare(profile, value, op, &bound.value.datum())
        }
    };
    if low.is_none() && high.is_none() {
        return (number_of(profile.numbers, value).is_some() || value.kind() == Kind::Text).into();
    }
    side(low, CompareOp::Ge, CompareOp::Gt).and(side(high, CompareOp::Le, CompareOp::Lt))
}

/// Whether a value fits a pattern.
pub(crate) fn fits(pattern: &Pattern, profile: &Profile, value: &Datum<'_>) -> Truth {
    if profile.text == TextRule::Ordinal {
        let Datum::Text(text) = value else {
            return Truth::Undefined;
        };
        return match pattern {
            Pattern::Prefix(prefix) => text.starts_with(&**prefix),
            Pattern::Suffix(suffix) => text.ends_with(&**suffix),
            Pattern::Contains(part) => text.contains(&**part),
            Pattern::Wildcard(wildcard) => wildcard.matches(text),
            Pattern::Term { text: term, .. } => **text == **term,
            Pattern::Phrase(_) => false,
        }
        .into();
    }
    if let Pattern::Term {
        number: Some(number),
        ..
    } = pattern
        && number_of(profile.numbers, value) == Some(*number)
    {
        return Truth::True;
    }
    let Some(text) = text_form(value) else {
        return Truth::False;
    };
    let text = fold(&text).into_owned();
    let tokens: Vec<&str> = match profile.text {
        TextRule::FoldedTokens => text.split_whitespace().collect(),
        TextRule::FoldedWhole | TextRule::Ordinal => vec![&text],
    };
    match pattern {
        Pattern::Prefix(prefix) => text.starts_with(&**prefix),
        Pattern::Suffix(suffix) => text.ends_with(&**suffix),
        Pattern::Contains(part) => text.contains(&**part),
        Pattern::Wildcard(wildcard) => tokens.iter().any(|token| wildcard.matches(token)),
        Pattern::Term { text: term, .. } => tokens.iter().any(|token| **token == **term),
        Pattern::Phrase(words) => tokens
            .windows(words.len().max(1))
            .any(|found| found.iter().zip(words).all(|(a, b)| **a == **b)),
    }
    .into()
}

/// The text that terms and wildcards are tried on.
fn text_form(value: &Datum<'_>) -> Option<String> {
    match value {
        Datum::Text(text) => Some(text.clone().into_owned()),
        Datum::Number(number) => Some(number_text(*number)),
        Datum::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}

fn defined(path: &FieldPath, profile: &Profile, document: Document<'_>) -> bool {
    match profile.defined {
        DefinedRule::Indexed => !document.values(path, profile).is_empty(),
        DefinedRule::AnyValue => document.show(path, profile).kind() != Kind::Undefined,
        DefinedRule::Primitive => is_kind(KindTest::Primitive, &document.show(path, profile)),
    }
}

/// Whether a value is of a kind (Azure spec 3.6). An infinite number is no number here.
#[must_use]
pub fn is_kind(kind: KindTest, value: &Datum<'_>) -> bool {
    match kind {
        KindTest::Null => value.kind() == Kind::Null,
        KindTest::Bool => value.kind() == Kind::Bool,
        KindTest::Number => matches!(value, Datum::Number(number) if number.is_finite()),
        KindTest::Text => value.kind() == Kind::Text,
        KindTest::Object => value.kind() == Kind::Object,
        KindTest::Array => value.kind() == Kind::Array,
        KindTest::Primitive => matches!(
            value.kind(),
            Kind::Null | Kind::Bool | Kind::Number | Kind::Text
        ),
    }
}

#[cfg(test)]
mod tests;
