//! One section of a twin: tags, desired or reported.

use super::node::{Members, Written};
use crate::kernel::Timestamp;
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value};
use std::fmt;

/// Names a section.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SectionName {
    /// Written and read by the back end only.
    Tags,
    /// What the back end wants.
    Desired,
    /// What the device says.
    Reported,
}

impl SectionName {
    /// `tags`, `desired`, `reported`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Desired => "desired",
            Self::Reported => "reported",
        }
    }

    /// `Tags`, `Desired`, `Reported`, as messages of the shadow service begin.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Tags => "Tags",
            Self::Desired => "Desired",
            Self::Reported => "Reported",
        }
    }
}

impl fmt::Display for SectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a write does to a section.
///
/// In an event's data: absent, `null`, or the patch with its nulls.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SectionChange {
    /// The section is not touched.
    #[default]
    Keep,
    /// Every member goes.
    Clear,
    /// The members merge (RFC 7396).
    Merge(Map<String, Value>),
}

impl SectionChange {
    /// Whether the section is not touched.
    #[must_use]
    pub const fn is_keep(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// The change as the JSON of a patch; `None` when the section is not touched.
    #[must_use]
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Self::Keep => None,
            Self::Clear => Some(Value::Null),
            Self::Merge(patch) => Some(Value::Object(patch.clone())),
        }
    }
}

impl Serialize for SectionChange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Keep | Self::Clear => serializer.serialize_none(),
            Self::Merge(patch) => patch.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for SectionChange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let patch = Option::<Map<String, Value>>::deserialize(deserializer)?;
        Ok(patch.map_or(Self::Clear, Self::Merge))
    }
}

/// A section: its members, its `$version`, and when it was last written.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    version: u64,
    /// The epoch before the first write.
    updated: Timestamp,
    members: Members,
}

impl Default for Section {
    /// Empty, at `$version` 1, never written.
    fn default() -> Self {
        Self {
            version: 1,
            updated: Timestamp::default(),
            members: Members::default(),
        }
    }
}

impl Section {
    /// The section's `$version`: 1 on creation, +1 with every write that names the section.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// When the section was last written; `None` before the first write.
    #[must_use]
    pub const fn updated(&self) -> Option<Timestamp> {
        if self.version > 1 || self.updated.as_micros() != 0 {
            Some(self.updated)
        } else {
            None
        }
    }

    /// The members.
    #[must_use]
    pub const fn members(&self) -> &Members {
        &self.members
    }

    fn write(&mut self, at: Timestamp) -> Written {
        self.version = self.version.saturating_add(1);
        self.updated = at;
        Written {
            at,
            version: self.version,
        }
    }

    /// Goes on from the version that an imported document had.
    pub(super) fn set_version(&mut self, version: Option<u64>) {
        self.version = version.unwrap_or(self.version);
    }

    pub(super) fn apply(&mut self, change: &SectionChange, at: Timestamp) {
        match change {
            SectionChange::Keep => {}
            SectionChange::Clear => self.clear(at),
            SectionChange::Merge(patch) => {
                let written = self.write(at);
                self.members.merge(patch, written);
            }
        }
    }

    pub(super) fn clear(&mut self, at: Timestamp) {
        self.write(at);
        self.members = Members::default();
    }

    pub(super) fn replace(&mut self, members: &Map<String, Value>, at: Timestamp) {
        let written = self.write(at);
        self.members = Members::of(members, written);
    }
}
