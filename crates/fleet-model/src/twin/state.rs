//! The state of a twin, and how events fold into it.

use super::event::TwinEvent;
use super::hub::{ConfigurationStatus, Etag};
use super::import::Imported;
use super::key::Incarnation;
use super::section::{Section, SectionName};
use crate::kernel::Timestamp;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The AWS side of a twin's life.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ShadowLife {
    /// Desired and reported were never written: reading is a 404.
    #[default]
    Unwritten,
    /// The shadow can be read.
    Live {
        /// The AWS `version`.
        version: u64,
        /// When desired or reported were last written.
        updated: Timestamp,
    },
    /// The shadow was deleted: reading is a 404, the version goes on for a while.
    Deleted {
        /// The version that it had.
        last_version: u64,
        /// When it was deleted.
        at: Timestamp,
    },
}

/// A twin: three sections, the `configurations` section, and the counters of both protocols.
///
/// The initial state is the twin of a new identity: everything empty, both `$version`s 1, root
/// `version` 2, no AWS face (Azure 2.1; design, section 10).
#[derive(Clone, Debug, PartialEq)]
pub struct TwinState {
    incarnation: Option<Incarnation>,
    version: u64,
    etag: Etag,
    tags: Section,
    desired: Section,
    reported: Section,
    /// Most twins have none: a pointer takes a third of an empty map, and a million twins are folded.
    #[expect(clippy::box_collection, reason = "a twin is smaller with the pointer")]
    configurations: Option<Box<BTreeMap<String, ConfigurationStatus>>>,
    shadow: ShadowLife,
    /// What an import told and nothing has changed since, the versions left out: those stand above.
    imported: Option<Box<Imported>>,
}

impl Default for TwinState {
    fn default() -> Self {
        Self {
            incarnation: None,
            version: 2,
            etag: Etag::FIRST,
            tags: Section::default(),
            desired: Section::default(),
            reported: Section::default(),
            configurations: None,
            shadow: ShadowLife::Unwritten,
            imported: None,
        }
    }
}

impl TwinState {
    /// The IoT Hub root `version`: 2 at first, +1 with every write of tags, desired or reported.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The IoT Hub twin ETag: moves with every write of tags or desired.
    #[must_use]
    pub fn etag(&self) -> Cow<'_, str> {
        match self.imported().and_then(|told| told.etag.as_deref()) {
            Some(etag) => Cow::Borrowed(etag),
            None => Cow::Owned(self.etag.to_string()),
        }
    }

    /// What an import told of the twin and nothing has changed since.
    #[must_use]
    pub fn imported(&self) -> Option<&Imported> {
        self.imported.as_deref()
    }

    /// A section.
    #[must_use]
    pub const fn section(&self, name: SectionName) -> &Section {
        match name {
            SectionName::Tags => &self.tags,
            SectionName::Desired => &self.desired,
            SectionName::Reported => &self.reported,
        }
    }

    /// What the back end notes about the twin.
    #[must_use]
    pub const fn tags(&self) -> &Section {
        &self.tags
    }

    /// What the back end wants.
    #[must_use]
    pub const fn desired(&self) -> &Section {
        &self.desired
    }

    /// What the device says.
    #[must_use]
    pub const fn reported(&self) -> &Section {
        &self.reported
    }

    /// The status of each configuration that targets the twin.
    #[must_use]
    pub fn configurations(&self) -> &BTreeMap<String, ConfigurationStatus> {
        static NONE: BTreeMap<String, ConfigurationStatus> = BTreeMap::new();
        match &self.configurations {
            Some(configurations) => configurations,
            None => &NONE,
        }
    }

    /// The AWS side: whether the shadow can be read, and its version.
    #[must_use]
    pub const fn shadow(&self) -> ShadowLife {
        self.shadow
    }

    /// The life that the last write belongs to.
    #[must_use]
    pub const fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation
    }

    /// The twin as it is in the life `incarnation` of its owner: what an earlier life left is not
    /// seen, except that a shadow's version goes on (AWS 4.6).
    ///
    /// `at`: the instant of the read. Every read of a twin whose owner has an identity goes through
    /// this, so that a deletion holds before the twin's stream has heard of it.
    #[must_use]
    pub fn in_life(&self, incarnation: Option<Incarnation>, at: Timestamp) -> Cow<'_, Self> {
        match (self.incarnation, incarnation) {
            (Some(seen), Some(now)) if seen != now => Cow::Owned(self.ended(at)),
            _ => Cow::Borrowed(self),
        }
    }

    /// The AWS version that a write at `now` goes on from: the live one, a fresh tombstone's, or 0.
    ///
    /// `tombstone_secs`: how long a deleted shadow's version is remembered.
    #[must_use]
    pub const fn shadow_base(&self, now: Timestamp, tombstone_secs: u32) -> u64 {
        match self.shadow {
            ShadowLife::Unwritten => 0,
            ShadowLife::Live { version, .. } => version,
            ShadowLife::Deleted { last_version, at } => {
                if now.micros_since(at) <= tombstone_secs as i64 * 1_000_000 {
                    last_version
                } else {
                    0
                }
            }
        }
    }

    fn ended(&self, at: Timestamp) -> Self {
        let shadow = match self.shadow {
            ShadowLife::Live { version, .. } => ShadowLife::Deleted {
                last_version: version,
                at,
            },
            other => other,
        };
        Self {
            shadow,
            ..Self::default()
        }
    }

    fn enter(&mut self, incarnation: Option<Incarnation>, at: Timestamp) {
        if incarnation.is_some() && incarnation != self.incarnation {
            if self.incarnation.is_some() {
                *self = self.ended(at);
            }
            self.incarnation = incarnation;
        }
    }

    fn wrote(&mut self, moves_etag: bool, shadow_version: Option<u64>, at: Timestamp) {
        self.version = self.version.saturating_add(1);
        if moves_etag {
            self.etag = self.etag.next();
            if let Some(imported) = &mut self.imported {
                imported.etag = None;
            }
        }
        if let Some(version) = shadow_version {
            self.shadow = ShadowLife::Live {
                version,
                updated: at,
            };
        }
    }

    fn import(&mut self, told: &Imported) {
        self.version = told.version.unwrap_or(self.version);
        self.desired.set_version(told.desired_version);
        self.reported.set_version(told.reported_version);
        let shown = Imported {
            version: None,
            desired_version: None,
            reported_version: None,
            ..told.clone()
        };
        self.imported = (!shown.is_empty()).then(|| Box::new(shown));
    }

    /// The state after `event`. Total.
    pub(super) fn apply(&mut self, event: &TwinEvent) {
        match event {
            TwinEvent::Patched(event) => {
                self.enter(event.incarnation, event.at);
                self.tags.apply(&event.tags, event.at);
                self.desired.apply(&event.desired, event.at);
                self.reported.apply(&event.reported, event.at);
                let moves_etag = !event.tags.is_keep() || !event.desired.is_keep();
                self.wrote(moves_etag, event.shadow_version, event.at);
            }
            TwinEvent::Replaced(event) => {
                self.enter(event.incarnation, event.at);
                for (section, members) in [
                    (&mut self.tags, &event.tags),
                    (&mut self.desired, &event.desired),
                    (&mut self.reported, &event.reported),
                ] {
                    if let Some(members) = members {
                        section.replace(members, event.at);
                    }
                }
                let moves_etag = event.tags.is_some() || event.desired.is_some();
                self.wrote(moves_etag, event.shadow_version, event.at);
                if !event.imported.is_empty() {
                    self.import(&event.imported);
                }
            }
            TwinEvent::ShadowDeleted(event) => {
                self.desired.clear(event.at);
                self.reported.clear(event.at);
                self.wrote(true, None, event.at);
                self.shadow = ShadowLife::Deleted {
                    last_version: event.last_version,
                    at: event.at,
                };
            }
            TwinEvent::ConfigurationsChanged(event) => {
                self.enter(event.incarnation, event.at);
                let mut configurations = self.configurations.take().unwrap_or_default();
                for (id, status) in &event.changes {
                    match status {
                        Some(status) => configurations.insert(id.clone(), *status),
                        None => configurations.remove(id),
                    };
                }
                // None stands for no entries, so that equal twins are equal.
                self.configurations = (!configurations.is_empty()).then_some(configurations);
            }
            TwinEvent::Ended(event) => *self = self.ended(event.at),
        }
    }
}
