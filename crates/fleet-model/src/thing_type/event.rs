//! What happens to a thing type, in its stored form.

use super::Mqtt5Configuration;
use crate::id::{AttributeName, Description, ThingTypeId, ThingTypeName};
use crate::kernel::Timestamp;
use crate::tag::{TagKey, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What happened to a thing type (stream `thingtype-<name>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It came to be.
    Created(Created),
    /// Its description or MQTT 5 configuration changed.
    Updated(Updated),
    /// It takes no new things.
    Deprecated(Deprecated),
    /// It takes new things again.
    Undeprecated(Undeprecated),
    /// It ended.
    Deleted(Deleted),
    /// Tags were set.
    Tagged(Tagged),
    /// Tags were removed.
    Untagged(Untagged),
}

crate::wire_events!(Event {
    Created(Created) = "thing_type.created" @ 1,
    Updated(Updated) = "thing_type.updated" @ 1,
    Deprecated(Deprecated) = "thing_type.deprecated" @ 1,
    Undeprecated(Undeprecated) = "thing_type.undeprecated" @ 1,
    Deleted(Deleted) = "thing_type.deleted" @ 1,
    Tagged(Tagged) = "thing_type.tagged" @ 1,
    Untagged(Untagged) = "thing_type.untagged" @ 1,
});

/// `thing_type.created`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// Its id, new on every creation.
    pub thing_type_id: ThingTypeId,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Attributes by which its things are listed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub searchable_attributes: BTreeSet<AttributeName>,
    /// What its things' messages carry along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt5_configuration: Option<Mqtt5Configuration>,
    /// Tags given on creation.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When.
    pub created_at: Timestamp,
}

/// `thing_type.updated`, schema 1: what can change, after the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// Its id.
    pub thing_type_id: ThingTypeId,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// What its things' messages carry along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mqtt5_configuration: Option<Mqtt5Configuration>,
}

/// `thing_type.deprecated`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deprecated {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// Its id.
    pub thing_type_id: ThingTypeId,
    /// When; the wait before a deletion starts here.
    pub deprecated_at: Timestamp,
}

/// `thing_type.undeprecated`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undeprecated {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// Its id.
    pub thing_type_id: ThingTypeId,
}

/// `thing_type.deleted`, schema 1: the record as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// Its id.
    pub thing_type_id: ThingTypeId,
    /// What people said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Attributes by which its things were listed.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub searchable_attributes: BTreeSet<AttributeName>,
    /// When it was deprecated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated_at: Option<Timestamp>,
}

/// `thing_type.tagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// The tags set, over those that were there.
    pub tags: Tags,
}

/// `thing_type.untagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untagged {
    /// Its name.
    pub thing_type_name: ThingTypeName,
    /// The keys removed.
    pub tag_keys: BTreeSet<TagKey>,
}
