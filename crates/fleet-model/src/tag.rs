//! Tags on resources: keys and values that an operator attaches.
//!
//! Not the tags of a twin. Things have none; thing types, groups, billing groups and CA certificates
//! carry them in their own streams.

use crate::id::{IdError, text_id};
use crate::kernel::{ErrorCode, Problems, Refused};
use crate::limits::Limits;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

fn is_tag_text(text: &str) -> bool {
    text.chars().all(|c| {
        c.is_alphanumeric()
            || c == ' '
            || (c.is_whitespace() && !c.is_control())
            || "_.:/=+-@".contains(c)
    })
}

text_id! {
    /// The key of a tag: 1 to 128 letters, digits, spaces and `_.:/=+-@`; those that begin with `aws:` are the service's.
    TagKey, "tag key",
    "1 to 128 letters, digits, spaces and `_.:/=+-@`, not beginning with `aws:`",
    |text| {
        let chars = text.chars().count();
        (1..=128).contains(&chars) && is_tag_text(text)
            && !text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("aws:"))
    }
}

text_id! {
    /// The value of a tag: at most 256 letters, digits, spaces and `_.:/=+-@`.
    TagValue, "tag value", "at most 256 letters, digits, spaces and `_.:/=+-@`",
    |text| text.chars().count() <= 256 && is_tag_text(text)
}

/// The tags of one resource.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(BTreeMap<TagKey, TagValue>);

impl Tags {
    /// The tags of raw keys and values.
    ///
    /// # Errors
    /// `tag.invalid` for every key and value that breaks its rule, `tag.duplicate_key` for a key given twice.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, Refused<TagError>> {
        let mut problems = Problems::new();
        let mut tags = BTreeMap::new();
        for (key, value) in pairs {
            let key = problems.ok(key.parse::<TagKey>().map_err(TagError::from));
            let value = problems.ok(value.parse::<TagValue>().map_err(TagError::from));
            if let (Some(key), Some(value)) = (key, value) {
                problems.check(!tags.contains_key(&key), || TagError::DuplicateKey {
                    key: key.clone(),
                });
                tags.insert(key, value);
            }
        }
        problems.finish()?;
        Ok(Self(tags))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&TagValue> {
        self.0.get(key)
    }

    /// Keys and values, ascending by key.
    pub fn iter(&self) -> impl Iterator<Item = (&TagKey, &TagValue)> {
        self.0.iter()
    }

    /// These tags with `added` over them.
    #[must_use]
    pub fn with(&self, added: &Self) -> Self {
        let mut tags = self.0.clone();
        tags.extend(added.0.clone());
        Self(tags)
    }

    /// These tags without `removed`.
    #[must_use]
    pub fn without(&self, removed: &BTreeSet<TagKey>) -> Self {
        let mut tags = self.0.clone();
        tags.retain(|key, _| !removed.contains(key));
        Self(tags)
    }

    /// Decides TagResource: what `record` makes of the tags, nothing when every one is there already.
    ///
    /// # Errors
    /// `tag.limit_exceeded`.
    pub fn decide_tag<V>(
        &self,
        added: Self,
        limits: &Limits,
        record: impl FnOnce(Self) -> V,
    ) -> Result<Vec<V>, TagError> {
        let after = self.with(&added);
        after.check(limits)?;
        let changed = after != *self;
        Ok(changed.then(|| record(added)).into_iter().collect())
    }

    /// Decides UntagResource: what `record` makes of the keys that are there, nothing when none is.
    #[must_use]
    pub fn decide_untag<V>(
        &self,
        mut keys: BTreeSet<TagKey>,
        record: impl FnOnce(BTreeSet<TagKey>) -> V,
    ) -> Vec<V> {
        keys.retain(|key| self.0.contains_key(key));
        let changed = !keys.is_empty();
        changed.then(|| record(keys)).into_iter().collect()
    }

    /// Checks the quota.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), TagError> {
        let (found, limit) = (self.len(), limits.tags_per_resource);
        if found > limit {
            return Err(TagError::TooMany { found, limit });
        }
        Ok(())
    }
}

/// Why tags were refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TagError {
    /// A key or value breaks its rule. AWS: `InvalidRequestException`.
    #[error(transparent)]
    Invalid(#[from] IdError),
    /// A key is given twice. AWS: `InvalidRequestException`.
    #[error("tag key `{key}` is given more than once: give each key once")]
    DuplicateKey {
        /// The key.
        key: TagKey,
    },
    /// The resource would have too many. AWS: `LimitExceededException`.
    #[error("{found} tags are more than the {limit} that a resource may have: remove some")]
    TooMany {
        /// How many there would be.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    (
        "tag.invalid",
        "a tag's key or value breaks its alphabet or length",
    ),
    ("tag.duplicate_key", "one request gives a tag key twice"),
    (
        "tag.limit_exceeded",
        "a resource would have more tags than allowed",
    ),
];

impl ErrorCode for TagError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "tag.invalid",
            Self::DuplicateKey { .. } => "tag.duplicate_key",
            Self::TooMany { .. } => "tag.limit_exceeded",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(pairs: &[(&str, &str)]) -> Vec<&'static str> {
        match Tags::parse(pairs.iter().copied()) {
            Ok(_) => vec![],
            Err(refused) => refused.reasons().map(TagError::code).collect(),
        }
    }

    #[test]
    fn keys_and_values_obey_their_rules() {
        assert!(codes(&[("cost centre", "R&D".trim_end_matches("&D")), ("größe", "")]).is_empty());
        assert_eq!(
            codes(&[
                ("", "x"),
                ("AWS:x", "x"),
                ("a", "b&c"),
                ("b", "1"),
                ("b", "2")
            ]),
            [
                "tag.invalid",
                "tag.invalid",
                "tag.invalid",
                "tag.duplicate_key"
            ]
        );
        assert_eq!(codes(&[(&"k".repeat(129), "x")]), ["tag.invalid"]);
        assert_eq!(codes(&[("k", &"v".repeat(257))]), ["tag.invalid"]);
        for (code, _) in CODES {
            assert!(code.starts_with("tag."));
        }
    }

    #[test]
    fn the_quota_counts_the_result() {
        let limits = Limits {
            tags_per_resource: 2,
            ..Limits::default()
        };
        let two = Tags::parse([("a", "1"), ("b", "2")]).unwrap();
        let again = Tags::parse([("a", "9")]).unwrap();
        let third = Tags::parse([("c", "3")]).unwrap();
        let tag = |tags: &Tags| two.decide_tag(tags.clone(), &limits, |tags| tags);
        assert_eq!(tag(&again), Ok(vec![again.clone()]));
        assert_eq!(tag(&two), Ok(vec![]));
        assert!(tag(&third).is_err());
        let keys: BTreeSet<TagKey> = ["a".parse().unwrap(), "z".parse().unwrap()].into();
        let gone = two.decide_untag(keys.clone(), |keys| keys).remove(0);
        assert_eq!(gone.len(), 1);
        assert_eq!(two.without(&gone).len(), 1);
        assert!(
            two.without(&gone)
                .decide_untag(keys, |keys| keys)
                .is_empty()
        );
    }
}
