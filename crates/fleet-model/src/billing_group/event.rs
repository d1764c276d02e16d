//! What happens to a billing group, in its stored form.

use crate::id::{BillingGroupId, BillingGroupName, Description, Revision};
use crate::kernel::Timestamp;
use crate::tag::{TagKey, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What happened to a billing group (stream `billinggroup-<name>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It came to be.
    Created(Created),
    /// Its description changed.
    Updated(Updated),
    /// It ended; things that name its id are in none from then on.
    Deleted(Deleted),
    /// Tags were set.
    Tagged(Tagged),
    /// Tags were removed.
    Untagged(Untagged),
}

crate::wire_events!(Event {
    Created(Created) = "billing_group.created" @ 1,
    Updated(Updated) = "billing_group.updated" @ 1,
    Deleted(Deleted) = "billing_group.deleted" @ 1,
    Tagged(Tagged) = "billing_group.tagged" @ 1,
    Untagged(Untagged) = "billing_group.untagged" @ 1,
});

/// `billing_group.created`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// Its id, new on every creation.
    pub billing_group_id: BillingGroupId,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
    /// Tags given on creation.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When.
    pub created_at: Timestamp,
}

/// `billing_group.updated`, schema 1: the properties after the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// Its id.
    pub billing_group_id: BillingGroupId,
    /// The new version.
    pub version: Revision,
    /// What people say of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Description>,
}

/// `billing_group.deleted`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// Its id.
    pub billing_group_id: BillingGroupId,
    /// Its last version.
    pub version: Revision,
}

/// `billing_group.tagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// The tags set, over those that were there.
    pub tags: Tags,
}

/// `billing_group.untagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untagged {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// The keys removed.
    pub tag_keys: BTreeSet<TagKey>,
}
