//! Known fields of a fleet and the kinds of their values, for checking and translating.

use crate::diagnostic::Code;
use crate::document::is_system_key;
use crate::path::{FieldPath, InvalidPath, Segment};
use crate::profile::KeyRule;
use crate::value::{Kind, fold};
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

    /// The schema that a JSON object of field names with a kind, or several kinds, describes:
    /// `{"tags.floor": "number", "attributes.site": ["text", "null"]}`.
    ///
    /// Names are canonical paths; `shadow.desired`, `shadow.reported`, `shadow.name.NAME` and `thingName` of the AWS
    /// index are taken for them. Kinds are `text`, `number`, `boolean`, `null`, `array` and `object`, in any letter
    /// case, `string` is text.
    ///
    /// # Errors
    /// `query.invalid_schema` where it is none.
    pub fn from_json(value: &Value) -> Result<Self, InvalidSchema> {
        let members = value.as_object().ok_or(InvalidSchema::NotAnObject)?;
        let mut schema = Self::default();
        for (name, kinds) in members {
            let path = canonical(&name.parse()?);
            let kinds = match kinds {
                Value::Array(several) => several.as_slice(),
                one => std::slice::from_ref(one),
            };
            for kind in kinds {
                let known = kind.as_str().and_then(kind_named);
                let known = known.ok_or_else(|| InvalidSchema::Kind {
                    field: name.clone(),
                    kind: kind.to_string(),
                })?;
                schema.add(path.clone(), known);
            }
        }
        Ok(schema)
    }

    /// The same fields below a root, as a message shows the twin of its sender below `twin`.
    #[must_use]
    pub fn below(self, root: &str) -> Self {
        let under = |path: FieldPath| {
            let mut segments = vec![Segment::Key(root.into())];
            segments.extend(path.segments().iter().cloned());
            FieldPath::new(segments)
        };
        let fields = self.fields.into_iter();
        Self {
            fields: fields.map(|(path, kinds)| (under(path), kinds)).collect(),
        }
    }

    /// The fields and kinds found in canonical documents, objects and array elements excluded.
    pub fn of_documents<'a>(documents: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut schema = Self::default();
        for document in documents {
            schema.absorb(document);
        }
        schema
    }

    /// Adds the fields and kinds of one more canonical document.
    pub fn absorb(&mut self, document: &Value) {
        self.collect(&mut Vec::new(), document);
    }

    /// Adds a field, or a kind to it.
    #[must_use]
    pub fn with(mut self, path: FieldPath, kind: Kind) -> Self {
        self.add(path, kind);
        self
    }

    fn add(&mut self, path: FieldPath, kind: Kind) {
        for (length, segment) in path.segments().iter().enumerate().skip(1) {
            let above = FieldPath::new(path.segments().iter().take(length).cloned().collect());
            let kind = match segment {
                Segment::Key(_) => Kind::Object,
                Segment::Index(_) => Kind::Array,
            };
            self.fields.entry(above).or_default().insert(kind);
        }
        self.fields.entry(path).or_default().insert(kind);
    }

    /// The kinds of a known field, an object for an inner node of known paths.
    #[must_use]
    pub fn kinds(&self, path: &FieldPath) -> Option<&BTreeSet<Kind>> {
        self.fields.get(path)
    }

    /// The kinds of a field whose keys are found by a rule.
    #[must_use]
    pub fn find(&self, path: &FieldPath, keys: KeyRule) -> Option<&BTreeSet<Kind>> {
        let same = |known: &FieldPath| match keys {
            KeyRule::Exact => false,
            KeyRule::Joined => known.joined() == path.joined(),
            KeyRule::AnyCase => fold(&known.to_string()) == fold(&path.to_string()),
        };
        self.kinds(path).or_else(|| {
            let mut others = self.fields.iter();
            others
                .find(|(known, _)| same(known))
                .map(|(_, kinds)| kinds)
        })
    }

    /// Whether the field can be there as far as the schema knows: it is known, the services' own (`$version`), or
    /// an element of a known array.
    pub(crate) fn allows(&self, path: &FieldPath, keys: KeyRule) -> bool {
        let mut above = Vec::new();
        for segment in path.segments() {
            match segment {
                Segment::Key(key) if is_system_key(key) => return true,
                Segment::Index(_) => {
                    let array = self.find(&FieldPath::new(above), keys);
                    return array.is_some_and(|kinds| kinds.contains(&Kind::Array));
                }
                Segment::Key(_) => above.push(segment.clone()),
            }
        }
        self.find(path, keys).is_some()
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

/// Why a JSON value is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSchema {
    /// It is no object.
    #[error(
        "a schema is a JSON object of field names and kinds, such as {{\"tags.floor\": \"number\"}}"
    )]
    NotAnObject,
    /// A name is no path.
    #[error(transparent)]
    Field(#[from] InvalidPath),
    /// A kind does not exist.
    #[error("`{field}` cannot be {kind}; the kinds are text, number, boolean, null, array, object")]
    Kind {
        /// The field's name.
        field: String,
        /// What stands for its kind, as JSON.
        kind: String,
    },
}

impl InvalidSchema {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        Code::InvalidSchema.as_str()
    }
}

fn kind_named(name: &str) -> Option<Kind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "text" | "string" => Kind::Text,
        "number" => Kind::Number,
        "boolean" | "bool" => Kind::Bool,
        "null" => Kind::Null,
        "array" => Kind::Array,
        "object" => Kind::Object,
        _ => return None,
    })
}

/// The path under the names of canonical documents, where the AWS index has others.
pub(crate) fn canonical(path: &FieldPath) -> FieldPath {
    let keys: Vec<&str> = path
        .segments()
        .iter()
        .take(2)
        .map(Segment::as_key)
        .collect();
    let (root, length): (&[&str], usize) = match keys.as_slice() {
        ["thingName"] => (&["deviceId"], 1),
        ["shadow", "desired"] => (&["properties", "desired"], 2),
        ["shadow", "reported"] => (&["properties", "reported"], 2),
        ["shadow", "name"] => (&["namedShadows"], 2),
        _ => return path.clone(),
    };
    let mut segments = FieldPath::of(root.iter().copied()).segments().to_vec();
    segments.extend(path.segments().iter().skip(length).cloned());
    FieldPath::new(segments)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn path(text: &str) -> FieldPath {
        text.parse().unwrap()
    }

    #[test]
    fn a_schema_reads_names_of_both_services() {
        let schema = Schema::from_json(&json!({
            "tags.floor": "number", "shadow.reported.temp": ["Number", "String"], "thingName": "text",
            "shadow.name.cfg.desired.x": "boolean", "tags.list": "array", "properties.reported.gps[0]": "number"
        }))
        .unwrap();
        let kinds = |text| {
            schema
                .kinds(&path(text))
                .map(|kinds| kinds.iter().copied().collect::<Vec<_>>())
        };
        assert_eq!(kinds("tags.floor"), Some(vec![Kind::Number]));
        assert_eq!(
            kinds("properties.reported.temp"),
            Some(vec![Kind::Number, Kind::Text])
        );
        assert_eq!(kinds("deviceId"), Some(vec![Kind::Text]));
        assert_eq!(kinds("namedShadows.cfg.desired.x"), Some(vec![Kind::Bool]));
        assert_eq!(kinds("tags"), Some(vec![Kind::Object]));
        assert_eq!(kinds("properties.reported.gps"), Some(vec![Kind::Array]));
        assert_eq!(kinds("shadow.reported.temp"), None);
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for (value, message) in [
            (
                json!([]),
                "a schema is a JSON object of field names and kinds, such as {\"tags.floor\": \"number\"}",
            ),
            (
                json!({"tags.": "text"}),
                "`tags.` is no field path; write `tags.floor`, `tags.list[0]` or `tags.[[a key]]`",
            ),
            (
                json!({"tags.a": "date"}),
                "`tags.a` cannot be \"date\"; the kinds are text, number, boolean, null, array, object",
            ),
            (
                json!({"tags.a": ["text", 5]}),
                "`tags.a` cannot be 5; the kinds are text, number, boolean, null, array, object",
            ),
        ] {
            let refused = Schema::from_json(&value).unwrap_err();
            assert_eq!(
                (refused.code(), refused.to_string().as_str()),
                ("query.invalid_schema", message)
            );
        }
    }

    #[test]
    fn fields_are_found_as_the_dialect_finds_them() {
        let schema = Schema::of_documents(&[
            json!({"tags": {"a.b": 1, "List": [1]}, "properties": {"reported": {}}}),
        ]);
        assert!(schema.find(&path("tags.a.b"), KeyRule::Exact).is_none());
        assert!(schema.find(&path("tags.a.b"), KeyRule::Joined).is_some());
        assert!(schema.find(&path("TAGS.list"), KeyRule::AnyCase).is_some());
        assert!(schema.allows(&path("tags.List[7].x"), KeyRule::Exact));
        assert!(!schema.allows(&path("tags.[[a.b]][0]"), KeyRule::Exact));
        assert!(schema.allows(&path("properties.reported.$metadata.x"), KeyRule::Exact));
        assert!(!schema.allows(&path("properties.reported.x"), KeyRule::Exact));
        assert!(
            schema
                .below("twin")
                .allows(&path("twin.tags.List"), KeyRule::Exact)
        );
    }
}
