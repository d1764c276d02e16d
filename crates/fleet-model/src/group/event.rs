//! What happens to a group, in its stored form.

use super::{DynamicStatus, GroupRef, QueryText};
use crate::attribute::Attributes;
use crate::id::{Description, IndexName, PolicyName, Revision, ThingGroupId, ThingGroupName};
use crate::kernel::Timestamp;
use crate::tag::{TagKey, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What happened to a group (stream `group-<name>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A static group came to be.
    Created(Created),
    /// A dynamic group came to be, in status `BUILDING`.
    DynamicCreated(DynamicCreated),
    /// Its properties changed.
    Updated(Updated),
    /// The members of a dynamic group are all found: it is `ACTIVE`.
    Built(Built),
    /// It ended, and with it every membership that names its id.
    Deleted(Deleted),
    /// A policy was attached.
    PolicyAttached(PolicyChange),
    /// A policy was detached.
    PolicyDetached(PolicyChange),
    /// Tags were set.
    Tagged(Tagged),
    /// Tags were removed.
    Untagged(Untagged),
}

crate::wire_events!(Event {
    Created(Created) = "group.created" @ 1,
    DynamicCreated(DynamicCreated) = "group.dynamic_created" @ 1,
    Updated(Updated) = "group.updated" @ 1,
    Built(Built) = "group.built" @ 1,
    Deleted(Deleted) = "group.deleted" @ 1,
    PolicyAttached(PolicyChange) = "group.policy_attached" @ 1,
    PolicyDetached(PolicyChange) = "group.policy_detached" @ 1,
    Tagged(Tagged) = "group.tagged" @ 1,
    Untagged(Untagged) = "group.untagged" @ 1,
});

/// `group.created`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// Its name.
    pub thing_group_name: ThingGroupName,
    /// Its id, new on every creation.
    pub thing_group_id: ThingGroupId,
    /// Root first, direct parent last; empty for a root.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<GroupRef>,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Its own attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Tags given on creation.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When.
    pub created_at: Timestamp,
}

/// `group.dynamic_created`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicCreated {
    /// Its name.
    pub thing_group_name: ThingGroupName,
    /// Its id, new on every creation.
    pub thing_group_id: ThingGroupId,
    /// Who its members are.
    pub query: DynamicQuery,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Its own attributes; they are not inherited.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Tags given on creation.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When; the older of two groups wins the last place in a thing.
    pub created_at: Timestamp,
}

/// The condition of a dynamic group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DynamicQuery {
    /// The text of the condition.
    pub query_string: QueryText,
    /// The version of its language, `2017-09-30`.
    pub query_version: String,
    /// The index that it asks, `AWS_Things`.
    pub index_name: IndexName,
}

/// `group.updated`, schema 1: the properties after the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// Its name.
    pub thing_group_name: ThingGroupName,
    /// Its id.
    pub thing_group_id: ThingGroupId,
    /// The new version.
    pub version: Revision,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Its own attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The new condition and status of a dynamic group, when the condition changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requery: Option<Requery>,
}

/// A changed condition.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requery {
    /// The new condition.
    pub query: DynamicQuery,
    /// The status that follows.
    pub status: DynamicStatus,
}

/// `group.built`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Built {
    /// Its name.
    pub thing_group_name: ThingGroupName,
    /// Its id.
    pub thing_group_id: ThingGroupId,
    /// The version of the group whose condition was evaluated.
    pub query_revision: Revision,
}

/// `group.deleted`, schema 1: the record as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// Its name.
    pub thing_group_name: ThingGroupName,
    /// Its id: memberships of this id end here.
    pub thing_group_id: ThingGroupId,
    /// Its last version.
    pub version: Revision,
    /// Root first, direct parent last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ancestors: Vec<GroupRef>,
    /// What people said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Its own attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// The condition, of a dynamic group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<DynamicQuery>,
}

/// `group.policy_attached` and `group.policy_detached`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyChange {
    /// The group's name.
    pub thing_group_name: ThingGroupName,
    /// The group's id.
    pub thing_group_id: ThingGroupId,
    /// The policy.
    pub policy_name: PolicyName,
}

/// `group.tagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    /// The group's name.
    pub thing_group_name: ThingGroupName,
    /// The tags set, over those that were there.
    pub tags: Tags,
}

/// `group.untagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untagged {
    /// The group's name.
    pub thing_group_name: ThingGroupName,
    /// The keys removed.
    pub tag_keys: BTreeSet<TagKey>,
}
