//! Attributes of things and groups: a small compact map, and the payload that changes it.
//!
//! Spec: AWS 1.2.

use crate::id::{AttributeName, AttributeValue, IdError};
use crate::kernel::{ErrorCode, Problems, Refused};
use crate::limits::Limits;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;

/// Attribute names with their values, sorted bytewise by name; no value is empty.
///
/// The whole map is one allocation of its names and values with two bytes for each pair (none at all
/// when it is empty), and lookups walk it: attributes are few, things are many.
///
/// ```
/// use fleet_model::attribute::{AttributePayload, Attributes, Mode};
/// let payload = AttributePayload::parse([("site", "b2"), ("rev", "3")], Mode::Replace)?;
/// let attributes = Attributes::default().apply(&payload);
/// assert_eq!(attributes.get("site"), Some("b2"));
/// assert_eq!(attributes.iter().collect::<Vec<_>>(), [("rev", "3"), ("site", "b2")]);
/// # Ok::<(), fleet_model::kernel::Refused<fleet_model::id::IdError>>(())
/// ```
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Attributes {
    /// `name=value` lines; a name holds no `=`, and neither holds a line feed.
    lines: Box<str>,
}

impl Attributes {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.bytes().filter(|b| *b == b'\n').count()
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Names and values, ascending bytewise by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.lines
            .split_terminator('\n')
            .filter_map(|line| line.split_once('='))
    }

    /// Bytes of all names and values together.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.lines.len() - 2 * self.len()
    }

    /// The attributes after `payload`: an empty value deletes its name.
    #[must_use]
    pub fn apply(&self, payload: &AttributePayload) -> Self {
        let mut map: BTreeMap<&str, &str> = match payload.mode {
            Mode::Merge => self.iter().collect(),
            Mode::Replace => BTreeMap::new(),
        };
        for (name, value) in &payload.attributes {
            if value.as_str().is_empty() {
                map.remove(name.as_str());
            } else {
                map.insert(name.as_str(), value.as_str());
            }
        }
        Self::of_sorted(map)
    }

    /// Checks the quotas of an owner that may have `count` attributes.
    pub(crate) fn check(
        &self,
        count: usize,
        limits: &Limits,
        problems: &mut Problems<QuotaExceeded>,
    ) {
        let found = self.len();
        problems.check(found <= count, || QuotaExceeded::Count {
            found,
            limit: count,
        });
        let (bytes, limit) = (self.bytes(), limits.attribute_bytes);
        problems.check(bytes <= limit, || QuotaExceeded::Bytes {
            found: bytes,
            limit,
        });
    }

    fn of_sorted<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut lines = String::new();
        for (name, value) in pairs {
            lines.push_str(name);
            lines.push('=');
            lines.push_str(value);
            lines.push('\n');
        }
        Self {
            lines: lines.into_boxed_str(),
        }
    }
}

impl FromIterator<(AttributeName, AttributeValue)> for Attributes {
    /// Later values of a name replace earlier ones; empty values are left out.
    fn from_iter<I: IntoIterator<Item = (AttributeName, AttributeValue)>>(pairs: I) -> Self {
        Self::default().apply(&AttributePayload {
            attributes: pairs.into_iter().collect(),
            mode: Mode::Replace,
        })
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (name, value) in self.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Attributes;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map from attribute names to values")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Attributes, M::Error> {
                let mut pairs = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, String>()? {
                    AttributeName::check(&name).map_err(M::Error::custom)?;
                    AttributeValue::check(&value).map_err(M::Error::custom)?;
                    if !value.is_empty() {
                        pairs.insert(name, value);
                    }
                }
                Ok(Attributes::of_sorted(
                    pairs.iter().map(|(k, v)| (k.as_str(), v.as_str())),
                ))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Whether a payload's attributes replace all that are there or only those that it names.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// What the payload does not name goes (`merge: false`, the default).
    #[default]
    Replace,
    /// What the payload does not name stays (`merge: true`).
    Merge,
}

/// A change of attributes: AWS `attributePayload`.
///
/// A payload without attributes in [`Mode::Replace`] clears all.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct AttributePayload {
    /// The new values; an empty one deletes its attribute.
    pub attributes: BTreeMap<AttributeName, AttributeValue>,
    /// What happens to the others.
    pub mode: Mode,
}

impl AttributePayload {
    /// The payload of raw names and values.
    ///
    /// # Errors
    /// `id.invalid`, one reason for every name and value that breaks its alphabet or length.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
        mode: Mode,
    ) -> Result<Self, Refused<IdError>> {
        let mut problems = Problems::new();
        let mut attributes = BTreeMap::new();
        for (name, value) in pairs {
            let name = problems.ok(name.parse());
            let value = problems.ok(value.parse());
            if let (Some(name), Some(value)) = (name, value) {
                attributes.insert(name, value);
            }
        }
        problems.finish()?;
        Ok(Self { attributes, mode })
    }
}

/// Attributes beyond a quota. AWS: `InvalidRequestException`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QuotaExceeded {
    /// Too many.
    #[error("{found} attributes are more than the {limit} allowed here: remove some")]
    Count {
        /// How many there would be.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Too large together.
    #[error("attributes of {found} bytes are larger than the {limit} allowed: shorten some")]
    Bytes {
        /// Bytes of all names and values.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    (
        "attribute.too_many",
        "a thing or group would have more attributes than allowed",
    ),
    (
        "attribute.too_large",
        "the attributes of a thing or group are larger than allowed together",
    ),
];

impl ErrorCode for QuotaExceeded {
    fn code(&self) -> &'static str {
        match self {
            Self::Count { .. } => "attribute.too_many",
            Self::Bytes { .. } => "attribute.too_large",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
        prop::collection::btree_map("[a-c.:#@-]{1,3}", "[a-b=\\[\\]/]{0,3}", 0..6)
    }

    fn payload(map: &BTreeMap<String, String>, mode: Mode) -> AttributePayload {
        let pairs = map.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        AttributePayload::parse(pairs, mode).unwrap()
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_map(first in pairs(), second in pairs(), merge: bool) {
            let mode = if merge { Mode::Merge } else { Mode::Replace };
            let mut plain = first.clone();
            plain.retain(|_, v| !v.is_empty());
            let compact = Attributes::default().apply(&payload(&first, Mode::Merge));
            if !merge {
                plain.clear();
            }
            plain.extend(second.clone());
            plain.retain(|_, v| !v.is_empty());
            let compact = compact.apply(&payload(&second, mode));
            prop_assert_eq!(compact.len(), plain.len());
            prop_assert_eq!(compact.bytes(), plain.iter().map(|(k, v)| k.len() + v.len()).sum::<usize>());
            for (name, value) in &plain {
                prop_assert_eq!(compact.get(name), Some(value.as_str()));
            }
            let json = serde_json::to_value(&compact).unwrap();
            prop_assert_eq!(&json, &serde_json::to_value(&plain).unwrap());
            prop_assert_eq!(serde_json::from_value::<Attributes>(json).unwrap(), compact);
        }
    }

    #[test]
    fn every_bad_name_and_value_is_reported() {
        let refused =
            AttributePayload::parse([("a b", "x y"), ("ok", "ok"), ("", "ö")], Mode::Merge)
                .unwrap_err();
        let kinds: Vec<_> = refused.reasons().map(IdError::kind).collect();
        assert_eq!(
            kinds,
            [
                "attribute name",
                "attribute value",
                "attribute name",
                "attribute value"
            ]
        );
    }

    #[test]
    fn stored_attributes_are_checked() {
        for bad in [r#"{"a b":"c"}"#, r#"{"a":"b\nc"}"#, r#"{"a=":"b"}"#, "[]"] {
            assert!(serde_json::from_str::<Attributes>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_empty_map_needs_no_memory_of_its_own() {
        assert_eq!(size_of::<Attributes>(), 16);
        assert!(Attributes::default().lines.is_empty());
    }
}
