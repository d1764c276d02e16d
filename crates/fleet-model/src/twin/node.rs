//! The value tree of a section, with what is known of each write kept beside the value.

use super::text::Text;
use crate::kernel::Timestamp;
use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Number, Value};

/// When, and by which version of its section, a value was written.
///
/// The finer of the two protocols' metadata; each face derives its own from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Written {
    /// The instant of the write.
    pub at: Timestamp,
    /// The section's `$version` after the write.
    pub version: u64,
}

impl Written {
    /// A stamp for trees that are only measured.
    pub(super) const NEVER: Self = Self {
        at: Timestamp::from_micros(0),
        version: 0,
    };
}

/// A value of a twin with its last write.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub(super) written: Written,
    pub(super) value: NodeValue,
}

/// What stands at a path. Null never does: it is the deletion marker.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// `true` or `false`.
    Bool(bool),
    /// A number, as it was written.
    Number(Number),
    /// A text.
    Text(ShortText),
    /// An array: atomic, replaced whole.
    List(Box<[Value]>),
    /// An object.
    Object(Members),
}

/// The members of an object, in ascending byte order of their names.
///
/// Exactly as long as it is full: patches mostly write members that are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Members(Box<[(Text, Node)]>);

/// A text value.
#[derive(Clone, Debug, PartialEq)]
pub struct ShortText(Text);

impl ShortText {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl Node {
    /// When the value was last written. Every object that a patch names counts as written.
    #[must_use]
    pub const fn written(&self) -> Written {
        self.written
    }

    /// The value.
    #[must_use]
    pub const fn value(&self) -> &NodeValue {
        &self.value
    }

    /// The value as plain JSON.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Bool(value) => Value::Bool(*value),
            NodeValue::Number(value) => Value::Number(value.clone()),
            NodeValue::Text(value) => Value::String(value.as_str().to_owned()),
            NodeValue::List(value) => Value::Array(value.to_vec()),
            NodeValue::Object(members) => Value::Object(members.to_json()),
        }
    }

    /// The node of a plain value that is not null; nulls inside objects are dropped.
    fn of(value: &Value, written: Written) -> Self {
        let value = match value {
            // Callers remove at null; an empty object keeps the function total.
            Value::Null => NodeValue::Object(Members::default()),
            Value::Bool(value) => NodeValue::Bool(*value),
            Value::Number(value) => NodeValue::Number(value.clone()),
            Value::String(value) => NodeValue::Text(ShortText(value.as_str().into())),
            Value::Array(value) => NodeValue::List(value.as_slice().into()),
            Value::Object(members) => NodeValue::Object(Members::of(members, written)),
        };
        Self { written, value }
    }
}

impl Members {
    /// The members of a plain object, all written at once; nulls are dropped.
    ///
    /// Recursive: a stored event is at most 128 levels deep, since its bytes went through `serde_json`.
    #[must_use]
    pub fn of(members: &Map<String, Value>, written: Written) -> Self {
        let mut all: Vec<(Text, Node)> = members
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.as_str().into(), Node::of(value, written)))
            .collect();
        if !all.is_sorted_by(|(a, _), (b, _)| a.as_bytes() < b.as_bytes()) {
            all.sort_unstable_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
        }
        Self(all.into_boxed_slice())
    }

    /// Applies a merge patch (RFC 7396), stamping every value and object that it names.
    pub(super) fn merge(&mut self, patch: &Map<String, Value>, written: Written) {
        for (name, value) in patch {
            match (self.find(name), value) {
                (Ok(at), Value::Null) => self.edit(|all| {
                    all.remove(at);
                }),
                (Err(_), Value::Null) => {}
                (Ok(at), _) => {
                    if let Some((_, node)) = self.0.get_mut(at) {
                        node.merge(value, written);
                    }
                }
                (Err(at), _) => {
                    self.edit(|all| {
                        all.insert(at, (name.as_str().into(), Node::of(value, written)))
                    });
                }
            }
        }
    }

    fn edit(&mut self, change: impl FnOnce(&mut Vec<(Text, Node)>)) {
        let mut all = std::mem::take(&mut self.0).into_vec();
        change(&mut all);
        self.0 = all.into_boxed_slice();
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_bytes().cmp(name.as_bytes()))
    }

    /// The member of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Node> {
        let at = self.find(name).ok()?;
        self.0.get(at).map(|(_, node)| node)
    }

    /// The members in ascending byte order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Node)> {
        self.0.iter().map(|(name, node)| (name.as_str(), node))
    }

    /// How many members there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The members as plain JSON.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        self.iter()
            .map(|(name, node)| (name.to_owned(), node.to_json()))
            .collect()
    }

    /// Objects nested below this one: 0 when no member is an object.
    ///
    /// `arrays`: whether an array counts as a level.
    #[must_use]
    pub(super) fn nesting(&self, arrays: super::ArrayNesting) -> usize {
        self.iter()
            .map(|(_, node)| match &node.value {
                NodeValue::Object(members) => members.nesting(arrays).saturating_add(1),
                NodeValue::List(elements) => super::measure::list_nesting(elements, arrays),
                _ => 0,
            })
            .max()
            .unwrap_or(0)
    }
}

impl Node {
    fn merge(&mut self, value: &Value, written: Written) {
        self.written = written;
        match (&mut self.value, value) {
            (NodeValue::Object(members), Value::Object(patch)) => members.merge(patch, written),
            // Reported values repeat: what is the same needs no new memory.
            (NodeValue::Text(held), Value::String(text))
                if held.0.as_bytes() == text.as_bytes() => {}
            _ => *self = Self::of(value, written),
        }
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, node) in self.iter() {
            map.serialize_entry(name, node)?;
        }
        map.end()
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.value {
            NodeValue::Bool(value) => serializer.serialize_bool(*value),
            NodeValue::Number(value) => value.serialize(serializer),
            NodeValue::Text(value) => serializer.serialize_str(value.as_str()),
            NodeValue::List(value) => value.serialize(serializer),
            NodeValue::Object(members) => members.serialize(serializer),
        }
    }
}
