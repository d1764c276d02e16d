//! Sizes and depths, by each protocol's rule.

use super::node::{Members, Node, NodeValue};
use serde::Serialize;
use serde_json::Value;

/// Whether an array counts as a level of nesting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ArrayNesting {
    /// Each array is a level.
    Level,
    /// Only objects are levels, also those inside arrays.
    Free,
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Bytes of the compact JSON of a value.
pub(super) fn json_bytes<T: Serialize + ?Sized>(value: &T) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and the trees of this crate have text keys only.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

/// How deep arrays and objects lie in each other: 0 for a scalar. Not recursive.
pub(super) fn levels(value: &Value) -> usize {
    let mut deepest = 0;
    let mut open = vec![(value, 0_usize)];
    while let Some((value, above)) = open.pop() {
        let here = above.saturating_add(1);
        match value {
            Value::Array(elements) => open.extend(elements.iter().map(|element| (element, here))),
            Value::Object(members) => open.extend(members.values().map(|member| (member, here))),
            _ => {
                deepest = deepest.max(above);
                continue;
            }
        }
        deepest = deepest.max(here);
    }
    deepest
}

/// Objects nested in the elements of an array, the array itself counted where `arrays` says so.
pub(super) fn list_nesting(elements: &[Value], arrays: ArrayNesting) -> usize {
    let own = usize::from(arrays == ArrayNesting::Level);
    let inner = elements.iter().map(|element| nesting(element, arrays));
    own.saturating_add(inner.max().unwrap_or(0))
}

/// Objects nested in a value, itself counted. Bounded by [`levels`], which callers check first.
pub(super) fn nesting(value: &Value, arrays: ArrayNesting) -> usize {
    match value {
        Value::Array(elements) => list_nesting(elements, arrays),
        Value::Object(members) => {
            let inner = members.values().map(|member| nesting(member, arrays));
            inner.max().unwrap_or(0).saturating_add(1)
        }
        _ => 0,
    }
}

const NUMBER: usize = 8;
const BOOL: usize = 4;

fn text(text: &str) -> usize {
    text.chars().filter(|c| !c.is_control()).count()
}

/// The size of a plain value as IoT Hub counts it (Azure 2.3): keys and texts by their characters
/// without control characters, a number 8, a boolean 4, arrays by their elements, null nothing.
pub(super) fn hub_size(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Bool(_) => BOOL,
        Value::Number(_) => NUMBER,
        Value::String(value) => text(value),
        Value::Array(elements) => elements.iter().map(hub_size).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| text(name).saturating_add(hub_size(value)))
            .sum(),
    }
}

/// The size of a section's members as IoT Hub counts it.
pub(super) fn hub_size_of(members: &Members) -> usize {
    members
        .iter()
        .map(|(name, node)| text(name).saturating_add(node_size(node)))
        .sum()
}

fn node_size(node: &Node) -> usize {
    match node.value() {
        NodeValue::Bool(_) => BOOL,
        NodeValue::Number(_) => NUMBER,
        NodeValue::Text(value) => text(value.as_str()),
        NodeValue::List(elements) => elements.iter().map(hub_size).sum(),
        NodeValue::Object(members) => hub_size_of(members),
    }
}
