//! What is known of a field's values.

use crate::path::{FieldPath, Segment};
use crate::schema::Schema;
use crate::value::Kind;

/// The kind that all values of a field have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One text without white space, never empty.
    Word,
    /// An array of such texts.
    Words,
    /// One number.
    Number,
    /// One boolean.
    Bool,
    /// Anything.
    Any,
}

/// What is known of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) shape: Shape,
    /// Every document has it.
    pub(super) always: bool,
}

impl Facts {
    /// What the services say of their own fields, and the schema of the others.
    pub(super) fn of(path: &FieldPath, schema: &Schema) -> Self {
        let keys: Vec<&str> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => &**key,
                Segment::Index(_) => "[]",
            })
            .collect();
        let shape = match keys.as_slice() {
            [
                "deviceId" | "moduleId" | "thingId" | "thingTypeName" | "status"
                | "connectionState",
            ]
            | ["attributes", _]
            | ["connectivity", "disconnectReason"] => Shape::Word,
            ["thingGroupNames"] => Shape::Words,
            ["version"]
            | ["connectivity", "timestamp"]
            | ["properties", "desired" | "reported", "$version"] => Shape::Number,
            ["connectivity", "connected"]
            | ["shadow", "hasDelta"]
            | ["capabilities", "iotEdge"] => Shape::Bool,
            _ => match schema
                .kinds(path)
                .map(|kinds| kinds.iter().copied().collect::<Vec<_>>())
                .as_deref()
            {
                Some([Kind::Number]) => Shape::Number,
                Some([Kind::Bool]) => Shape::Bool,
                // Text may hold white space, so a schema never makes a field a word.
                _ => Shape::Any,
            },
        };
        Self {
            shape,
            always: keys == ["deviceId"],
        }
    }
}
