//! Documents as queries see them: one canonical JSON object per device, module, job, group or message.
//!
//! The canonical layout is documented in `docs/query-language.md`. [`normalise`] brings a document
//! of either service's shape into it; [`Document`] looks fields up in it.

mod delta;
mod face;
mod normalise;

pub use face::{iot_hub_face, thing_document, thing_group_document};
pub use normalise::{DocumentError, normalise};

use crate::path::{FieldPath, Segment};
use crate::profile::{ArrayRule, KeyRule, MissingBody, NullRule, Profile};
use crate::value::Datum;
use serde_json::{Map, Value};

/// A canonical document, looked at by field paths.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    root: &'a Value,
}

impl<'a> Document<'a> {
    /// A view of a canonical document (see [`normalise`]).
    #[must_use]
    pub const fn new(root: &'a Value) -> Self {
        Self { root }
    }

    /// The JSON that is looked at.
    #[must_use]
    pub const fn root(self) -> &'a Value {
        self.root
    }

    /// The document's id: `deviceId`, with modules `deviceId/moduleId`, with jobs
    /// `deviceId/jobId`, with groups `thingGroupName`. None if it has no such member.
    #[must_use]
    pub fn id(self) -> Option<String> {
        let text = |key: &str| self.root.get(key).and_then(Value::as_str);
        if let Some(group) = text("thingGroupName") {
            return Some(group.to_owned());
        }
        let device = text("deviceId")?;
        match text("moduleId").or_else(|| text("jobId")) {
            Some(second) => Some(format!("{device}/{second}")),
            None => Some(device.to_owned()),
        }
    }

    /// The key that results are ordered by: device (or group), then module (or job), bytewise.
    #[must_use]
    pub fn sort_key(self) -> (&'a str, &'a str) {
        let text = |key: &str| self.root.get(key).and_then(Value::as_str);
        (
            text("thingGroupName")
                .or_else(|| text("deviceId"))
                .unwrap_or_default(),
            text("moduleId")
                .or_else(|| text("jobId"))
                .unwrap_or_default(),
        )
    }

    /// The value at a path where keys are matched exactly. A missing member, a parent of another
    /// kind or an index out of range is undefined.
    #[must_use]
    pub fn get(self, path: &FieldPath) -> Datum<'a> {
        self.find(path, KeyRule::Exact)
    }

    /// The value at a path by a key rule; under [`KeyRule::Joined`] the first of several.
    #[must_use]
    pub fn find(self, path: &FieldPath, keys: KeyRule) -> Datum<'a> {
        if path.is_derived() {
            return delta::derived(self.root, path);
        }
        match keys {
            KeyRule::Joined => {
                let mut found = Vec::new();
                collect_joined(self.root, &path.joined(), &mut found);
                found
                    .first()
                    .map_or(Datum::Undefined, |value| Datum::of(value))
            }
            KeyRule::Exact | KeyRule::AnyCase => {
                walk(self.root, path, keys).map_or(Datum::Undefined, Datum::of)
            }
        }
    }

    /// The value at a path as conditions under a profile see it: [`Document::find`], but that a member which a
    /// readable message body does not have may be null.
    #[must_use]
    pub fn show(self, path: &FieldPath, profile: &Profile) -> Datum<'a> {
        match self.find(path, profile.keys) {
            Datum::Undefined
                if profile.missing_body == MissingBody::Null
                    && path.root() == "body"
                    && self.root.get("body").is_some() =>
            {
                Datum::Null
            }
            found => found,
        }
    }

    /// The values that a leaf of a multi-valued profile tests: none where nothing is indexed,
    /// several for an array. Under an opaque profile the one value of [`Document::show`].
    #[must_use]
    pub fn values(self, path: &FieldPath, profile: &Profile) -> Vec<Datum<'a>> {
        if profile.arrays == ArrayRule::Opaque {
            return vec![self.show(path, profile)];
        }
        if path.is_derived() || profile.keys != KeyRule::Joined {
            return indexed(self.find(path, profile.keys), profile.nulls);
        }
        if is_system_field(path) {
            return Vec::new();
        }
        let mut found = Vec::new();
        collect_joined(self.root, &path.joined(), &mut found);
        found
            .into_iter()
            .flat_map(|value| indexed(Datum::of(value), profile.nulls))
            .collect()
    }

    /// Every value that a bare value of the AWS dialect is tried against: registry fields,
    /// desired and reported of the classic and the named shadows, violations; not connectivity.
    #[must_use]
    pub fn searchable_values(self) -> Vec<Datum<'a>> {
        let mut out = Vec::new();
        for key in [
            "deviceId",
            "thingId",
            "thingTypeName",
            "thingGroupNames",
            "attributes",
            "deviceDefender",
        ]
        .into_iter()
        .chain([
            "thingGroupName",
            "thingGroupId",
            "description",
            "parentGroupNames",
        ]) {
            if let Some(value) = self.root.get(key) {
                collect_leaves(value, &mut out);
            }
        }
        let classic = self.root.get("properties").into_iter();
        let named = self
            .root
            .get("namedShadows")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(Map::values);
        for shadow in classic.chain(named) {
            for section in ["desired", "reported"] {
                let members = shadow
                    .get(section)
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                members
                    .filter(|(key, _)| !is_system_key(key))
                    .for_each(|(_, value)| collect_leaves(value, &mut out));
            }
        }
        out
    }

    /// The value at a path as a result row shows it; none where it is undefined.
    #[must_use]
    pub fn project(self, path: &FieldPath) -> Option<Value> {
        if path.is_derived() {
            return delta::derived_json(self.root, path);
        }
        walk(self.root, path, KeyRule::Exact).cloned()
    }
}

/// Members of desired and reported that belong to the system and not to the user.
pub(crate) fn is_system_key(key: &str) -> bool {
    matches!(
        key,
        "$version" | "$metadata" | "$lastUpdated" | "$lastUpdatedVersion" | "$etag"
    )
}

/// Whether keys from the root lead to the metadata of a section or shadow: when each value was last written.
pub(crate) fn is_metadata(keys: &[&str]) -> bool {
    matches!(
        keys,
        ["properties", "desired" | "reported", "$metadata"]
            | ["shadow", "metadata"]
            | ["namedShadows", _, "metadata"]
            | ["namedShadows", _, "desired" | "reported", "$metadata"]
    )
}

fn is_system_field(path: &FieldPath) -> bool {
    path.root() == "properties"
        && matches!(path.segments().get(2), Some(Segment::Key(key)) if is_system_key(key))
}

fn walk<'a>(root: &'a Value, path: &FieldPath, keys: KeyRule) -> Option<&'a Value> {
    let mut at = root;
    for segment in path.segments() {
        at = match (segment, at) {
            (Segment::Key(key), Value::Object(members)) => member(members, key, keys)?,
            (Segment::Index(index), Value::Array(items)) => {
                items.get(usize::try_from(*index).ok()?)?
            }
            _ => return None,
        };
    }
    Some(at)
}

pub(crate) fn member<'a>(
    members: &'a Map<String, Value>,
    key: &str,
    keys: KeyRule,
) -> Option<&'a Value> {
    members.get(key).or_else(|| {
        if keys == KeyRule::AnyCase {
            let folded = crate::value::fold(key);
            members
                .iter()
                .find(|(name, _)| crate::value::fold(name) == folded)
                .map(|(_, value)| value)
        } else {
            None
        }
    })
}

fn collect_joined<'a>(at: &'a Value, rest: &str, out: &mut Vec<&'a Value>) {
    let Value::Object(members) = at else { return };
    for (key, value) in members {
        match rest.strip_prefix(key.as_str()) {
            Some("") => out.push(value),
            Some(more) => {
                if let Some(more) = more.strip_prefix('.') {
                    collect_joined(value, more, out);
                }
            }
            None => {}
        }
    }
}

fn collect_leaves<'a>(value: &'a Value, out: &mut Vec<Datum<'a>>) {
    match value {
        Value::Object(members) => members
            .values()
            .for_each(|member| collect_leaves(member, out)),
        other => out.extend(indexed(Datum::of(other), NullRule::Absent)),
    }
}

/// What of a value is indexed: simple values, and the elements of an array of only simple values.
pub(crate) fn indexed(value: Datum<'_>, nulls: NullRule) -> Vec<Datum<'_>> {
    match value {
        Datum::Undefined | Datum::Object(_) => Vec::new(),
        Datum::Null if nulls == NullRule::Absent => Vec::new(),
        Datum::Array(items) => {
            if items.iter().any(|item| item.is_object() || item.is_array()) {
                return Vec::new();
            }
            items
                .iter()
                .filter(|item| !item.is_null() || nulls == NullRule::Value)
                .map(Datum::of)
                .collect()
        }
        simple => vec![simple],
    }
}

#[cfg(test)]
mod tests;
