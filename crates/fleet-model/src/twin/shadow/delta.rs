//! What the device has still to do.

use super::document::{leaf_metadata, node_metadata};
use crate::twin::node::{Members, NodeValue};
use serde_json::{Map, Number, Value};

/// Desired values that reported does not have, with the metadata of desired.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delta {
    /// The values.
    pub state: Map<String, Value>,
    /// Their timestamps, in the shape of `state`.
    pub metadata: Map<String, Value>,
}

impl Delta {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.state.is_empty()
    }
}

/// The delta of two sections (AWS 4.4): keys of desired that reported lacks or has otherwise.
///
/// Objects are compared member by member, arrays whole, numbers by their value (`1` = `1.0`).
#[must_use]
pub fn delta(desired: &Members, reported: &Members) -> Delta {
    let mut out = Delta::default();
    for (name, wanted) in desired.iter() {
        let inner = match (wanted.value(), reported.get(name).map(|node| node.value())) {
            (NodeValue::Object(wanted), Some(NodeValue::Object(is))) => {
                let inner = delta(wanted, is);
                if inner.is_empty() {
                    continue;
                }
                (Value::Object(inner.state), Value::Object(inner.metadata))
            }
            (wanted, Some(is)) if same(wanted, is) => continue,
            (NodeValue::Object(members), _) => (
                Value::Object(members.to_json()),
                Value::Object(node_metadata(members)),
            ),
            _ => (wanted.to_json(), leaf_metadata(wanted)),
        };
        out.state.insert(name.to_owned(), inner.0);
        out.metadata.insert(name.to_owned(), inner.1);
    }
    out
}

/// Whether two values are the same for the delta; objects are compared by the caller.
fn same(a: &NodeValue, b: &NodeValue) -> bool {
    match (a, b) {
        (NodeValue::Bool(a), NodeValue::Bool(b)) => a == b,
        (NodeValue::Text(a), NodeValue::Text(b)) => a == b,
        (NodeValue::Number(a), NodeValue::Number(b)) => same_number(a, b),
        (NodeValue::List(a), NodeValue::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_json(a, b))
        }
        _ => false,
    }
}

fn same_json(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => same_number(a, b),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_json(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(name, a)| b.get(name).is_some_and(|b| same_json(a, b)))
        }
        _ => a == b,
    }
}

fn integer(number: &Number) -> Option<i128> {
    number
        .as_i64()
        .map(i128::from)
        .or_else(|| number.as_u64().map(i128::from))
}

/// Whether two numbers have the same value, however they are written.
#[expect(
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "exact equality is what is asked; the casts are checked to be exact"
)]
fn same_number(a: &Number, b: &Number) -> bool {
    match (integer(a), integer(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => a.as_f64() == b.as_f64(),
        (Some(whole), None) | (None, Some(whole)) => {
            let float = if integer(a).is_none() { a } else { b };
            float.as_f64().is_some_and(|float| {
                float.abs() < 1e20 && float as i128 as f64 == float && float as i128 == whole
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_value() {
        let number = |text: &str| serde_json::from_str::<Number>(text).unwrap();
        for (a, b, same) in [
            ("1", "1.0", true),
            ("1", "1.5", false),
            ("-0.0", "0", true),
            ("9007199254740993", "9007199254740992.0", false),
            ("18446744073709551615", "-1", false),
            ("1e300", "1e300", true),
            ("1e300", "5", false),
        ] {
            assert_eq!(same_number(&number(a), &number(b)), same, "{a} {b}");
            assert_eq!(same_number(&number(b), &number(a)), same, "{b} {a}");
        }
    }
}
