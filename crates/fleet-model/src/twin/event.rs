//! What happened to a twin. One patch is one event, whichever protocol it came through.

use super::hub::ConfigurationStatus;
use super::import::Imported;
use super::key::Incarnation;
use super::section::SectionChange;
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Through which door a write came.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Writer {
    /// The AWS shadow protocol.
    Shadow,
    /// The IoT Hub back end.
    Service,
    /// The device, through IoT Hub's device protocol.
    Device,
    /// An automatic configuration or deployment.
    Configuration,
    /// Provisioning or an import.
    Import,
}

/// A patch was merged (`twin.patched`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Patched {
    /// When.
    pub at: Timestamp,
    /// Through which door.
    pub via: Writer,
    /// What was written to the tags.
    #[serde(default, skip_serializing_if = "SectionChange::is_keep")]
    pub tags: SectionChange,
    /// What was written to desired.
    #[serde(default, skip_serializing_if = "SectionChange::is_keep")]
    pub desired: SectionChange,
    /// What was written to reported.
    #[serde(default, skip_serializing_if = "SectionChange::is_keep")]
    pub reported: SectionChange,
    /// The AWS `version` after the write; absent when the write touched tags only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_version: Option<u64>,
    /// The life of the twin's owner, when it is not the one that the stream knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
    /// What the shadow client sent to recognise the answer by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
    /// Whether the shadow request said `"state": null` (then desired and reported are cleared).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub state_cleared: bool,
}

/// Sections were replaced whole (`twin.replaced`); one that is absent was not touched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaced {
    /// When.
    pub at: Timestamp,
    /// Through which door.
    pub via: Writer,
    /// The new tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<Map<String, Value>>,
    /// The new desired section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<Map<String, Value>>,
    /// The new reported section.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported: Option<Map<String, Value>>,
    /// The AWS `version` after the write; absent when the write touched tags only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow_version: Option<u64>,
    /// What the imported document said besides; only with [`Writer::Import`].
    #[serde(default, skip_serializing_if = "Imported::is_empty")]
    pub imported: Imported,
    /// The life of the twin's owner, when it is not the one that the stream knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
}

/// The shadow was deleted: desired and reported were cleared, the tags stay (`twin.shadow_deleted`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShadowDeleted {
    /// When.
    pub at: Timestamp,
    /// The AWS `version` that the deletion answers with, and from which it goes on for 48 hours.
    pub last_version: u64,
    /// What the shadow client sent to recognise the answer by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_token: Option<String>,
}

/// Entries of the `configurations` section changed (`twin.configurations_changed`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationsChanged {
    /// When.
    pub at: Timestamp,
    /// The new status by configuration; null removes the entry.
    pub changes: BTreeMap<String, Option<ConfigurationStatus>>,
    /// The life of the twin's owner, when it is not the one that the stream knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<Incarnation>,
}

/// The twin's owner was deleted, and its twin with it (`twin.ended`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// When.
    pub at: Timestamp,
}

/// An event of a twin's stream.
#[derive(Clone, Debug, PartialEq)]
pub enum TwinEvent {
    /// A patch was merged.
    Patched(Patched),
    /// Sections were replaced whole.
    Replaced(Replaced),
    /// The shadow was deleted.
    ShadowDeleted(ShadowDeleted),
    /// Entries of the `configurations` section changed.
    ConfigurationsChanged(ConfigurationsChanged),
    /// The owner was deleted.
    Ended(Ended),
}

crate::wire_events!(TwinEvent {
    Patched(Patched) = "twin.patched" @ 1,
    Replaced(Replaced) = "twin.replaced" @ 1,
    ShadowDeleted(ShadowDeleted) = "twin.shadow_deleted" @ 1,
    ConfigurationsChanged(ConfigurationsChanged) = "twin.configurations_changed" @ 1,
    Ended(Ended) = "twin.ended" @ 1,
});

impl TwinEvent {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        match self {
            Self::Patched(event) => event.at,
            Self::Replaced(event) => event.at,
            Self::ShadowDeleted(event) => event.at,
            Self::ConfigurationsChanged(event) => event.at,
            Self::Ended(event) => event.at,
        }
    }
}
