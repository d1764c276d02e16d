//! Known fields of a fleet and the kinds of their values, for checking and translating.

use crate::path::{FieldPath, Segment};
use crate::value::Kind;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Known fields with the kinds of values that they hold. A field that it does not name is unknown.
///
/// ```
/// use fleet_query::{FieldPath, schema::Schema, value::Kind};
/// let schema = Schema::of_documents(&[serde_json::json!({"deviceId": "d", "tags": {"floor": 5}})]);
/// assert!(schema.kinds(&FieldPath::of(["tags", "floor"])).unwrap().contains(&Kind::Number));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    fields: BTreeMap<FieldPath, BTreeSet<Kind>>,
}

impl Schema {
    /// A schema that knows no field.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The fields and kinds found in canonical documents, objects and array elements excluded.
    pub fn of_documents<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut schema = Self::default();
        for document in documents {
            schema.collect(&mut Vec::new(), document);
        }
        schema
    }

    /// Adds a field, or a kind to it.
    #[must_use]
    pub fn with(mut self, path: FieldPath, kind: Kind) -> Self {
        self.fields.entry(path).or_default().insert(kind);
        self
    }

    /// The kinds of a known field, an object for an inner node of known paths.
    #[must_use]
    pub fn kinds(&self, path: &FieldPath) -> Option<&BTreeSet<Kind>> {
        self.fields.get(path)
    }

    /// Whether the schema knows nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The known paths in order.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.fields.keys()
    }

    fn collect(&mut self, at: &mut Vec<Segment>, value: &Value) {
        let kind = match value {
            Value::Null => Kind::Null,
            Value::Bool(_) => Kind::Bool,
            Value::Number(_) => Kind::Number,
            Value::String(_) => Kind::Text,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        };
        if !at.is_empty() {
            let path = FieldPath::new(at.clone());
            // Cloning a path for each leaf of each document is paid once per schema, not per query.
            self.fields.entry(path).or_default().insert(kind);
        }
        if let Value::Object(members) = value {
            for (key, member) in members {
                at.push(Segment::Key(key.as_str().into()));
                self.collect(at, member);
                at.pop();
            }
        }
    }
}
