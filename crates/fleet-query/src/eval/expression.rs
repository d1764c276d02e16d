//! Values of expressions.

use super::function::call;
use crate::document::{Document, member};
use crate::expression::{ArithmeticOp, Expression, Membership};
use crate::path::FieldPath;
use crate::profile::{KeyRule, Profile};
use crate::value::{CompareOp, Datum, Kind, Truth, compare};
use serde_json::Value;
use std::borrow::Cow;

/// The value of an expression on a document.
#[must_use]
pub fn value<'a>(
    expression: &'a Expression,
    profile: &Profile,
    document: Document<'a>,
) -> Datum<'a> {
    let of = |inner: &'a Expression| value(inner, profile, document);
    match expression {
        Expression::Constant(constant) => constant.datum(),
        Expression::Undefined => Datum::Undefined,
        Expression::Field(path) => document.show(path, profile),
        Expression::SystemProperty(name) => system_property(name, document),
        Expression::Not(inner) => truth_value(!of(inner).truth()),
        Expression::And(items) => connect(items.iter().map(of), Truth::True, Truth::and),
        Expression::Or(items) => connect(items.iter().map(of), Truth::False, Truth::or),
        Expression::Compare { op, left, right } => {
            let (left, right) = (operand(left, &of), operand(right, &of));
            truth_value(compare(profile, &left, *op, &right))
        }
        Expression::In {
            value,
            items,
            membership,
        } => {
            let looked_for = operand(value, &of);
            let found = items
                .iter()
                .map(|item| compare(profile, &looked_for, CompareOp::Eq, &operand(item, &of)))
                .fold(Truth::False, Truth::or);
            truth_value(match membership {
                Membership::In => found,
                Membership::NotIn if looked_for.kind() == Kind::Undefined => Truth::Undefined,
                Membership::NotIn => !found,
            })
        }
        Expression::Arithmetic { op, left, right } => match (of(left), of(right)) {
            (Datum::Number(a), Datum::Number(b)) => Datum::number(match op {
                ArithmeticOp::Add => a + b,
                ArithmeticOp::Subtract => a - b,
                ArithmeticOp::Multiply => a * b,
                ArithmeticOp::Divide => a / b,
                ArithmeticOp::Remainder => a % b,
            }),
            _ => Datum::Undefined,
        },
        Expression::Negate(inner) => match of(inner) {
            Datum::Number(number) => Datum::Number(-number),
            _ => Datum::Undefined,
        },
        Expression::Concat(left, right) => {
            let part = |inner: &'a Expression| match of(inner) {
                Datum::Null if is_property(inner) => Some(Cow::Borrowed("")),
                Datum::Text(text) => Some(text),
                _ => None,
            };
            match (part(left), part(right)) {
                (Some(left), Some(right)) => Datum::Text(Cow::Owned(format!("{left}{right}"))),
                _ => Datum::Undefined,
            }
        }
        Expression::Coalesce(left, right) => match of(left) {
            Datum::Undefined => of(right),
            defined => defined,
        },
        Expression::Call {
            function,
            arguments,
        } => call(*function, arguments, profile, document),
    }
}

/// An operand of a comparison: an application property that is null is undefined there (Azure spec 3.9).
fn operand<'a>(expression: &'a Expression, of: &impl Fn(&'a Expression) -> Datum<'a>) -> Datum<'a> {
    match of(expression) {
        Datum::Null if is_property(expression) => Datum::Undefined,
        value => value,
    }
}

/// Whether the expression is an application or system property of a message, or falls back to one.
pub(super) fn is_property(expression: &Expression) -> bool {
    match expression {
        Expression::SystemProperty(_) => true,
        Expression::Field(path) => is_property_path(path),
        Expression::Coalesce(left, right) => is_property(left) || is_property(right),
        _ => false,
    }
}

pub(crate) fn is_property_path(path: &FieldPath) -> bool {
    matches!(path.root(), "appProperties" | "systemProperties")
}

fn system_property<'a>(name: &str, document: Document<'a>) -> Datum<'a> {
    let find = |bag: &str, name: &str| {
        let Some(Value::Object(members)) = document.root().get(bag) else {
            return None;
        };
        member(members, name, KeyRule::AnyCase)
    };
    find("systemProperties", name)
        .or_else(|| find("appProperties", &format!("${name}")))
        .map_or(Datum::Undefined, Datum::of)
}

/// AND and OR as values: null among nulls stays null, otherwise it counts as false.
fn connect<'a>(
    items: impl Iterator<Item = Datum<'a>>,
    start: Truth,
    join: impl Fn(Truth, Truth) -> Truth,
) -> Datum<'a> {
    let (mut truth, mut all_null) = (start, true);
    for item in items {
        all_null &= item.kind() == Kind::Null;
        truth = join(truth, item.truth());
    }
    if all_null {
        Datum::Null
    } else {
        truth_value(truth)
    }
}

pub(super) fn truth_value<'a>(truth: Truth) -> Datum<'a> {
    match truth {
        Truth::True => Datum::Bool(true),
        Truth::False => Datum::Bool(false),
        Truth::Undefined => Datum::Undefined,
    }
}
