//! What happens to the record of a thing, in its stored form.

use super::{BillingRef, Membership, PrincipalAttachment};
use crate::attribute::Attributes;
use crate::group::GroupRef;
use crate::id::{RecordName, Revision, ThingGroupId, ThingId, ThingTypeName};
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened to the record of a name (stream `thing-<name>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The record came to be, by either face.
    Created(Created),
    /// UpdateThing.
    Updated(Updated),
    /// The record ended, by either face, and with it its memberships and attachments.
    Deleted(Deleted),
    /// It became a member of a group.
    JoinedGroup(JoinedGroup),
    /// It stopped being a member of a group that lives on.
    LeftGroup(LeftGroup),
    /// A dynamic group selects it, but there is no room.
    JoinRefused(JoinRefused),
    /// A dynamic group for which there was no room no longer selects it.
    MatchEnded(MatchEnded),
    /// Its billing group is another, or none.
    BillingGroupChanged(BillingGroupChanged),
    /// A principal was attached.
    PrincipalAttached(PrincipalAttached),
    /// A principal was detached.
    PrincipalDetached(PrincipalDetached),
    /// Its IoT Hub identity was written.
    IdentityWritten(crate::identity::IdentityWritten),
}

crate::wire_events!(Event {
    Created(Created) = "thing.created" @ 1,
    Updated(Updated) = "thing.updated" @ 1,
    Deleted(Deleted) = "thing.deleted" @ 1,
    JoinedGroup(JoinedGroup) = "thing.joined_group" @ 1,
    LeftGroup(LeftGroup) = "thing.left_group" @ 1,
    JoinRefused(JoinRefused) = "thing.join_refused" @ 1,
    MatchEnded(MatchEnded) = "thing.match_ended" @ 1,
    BillingGroupChanged(BillingGroupChanged) = "thing.billing_group_changed" @ 1,
    PrincipalAttached(PrincipalAttached) = "thing.principal_attached" @ 1,
    PrincipalDetached(PrincipalDetached) = "thing.principal_detached" @ 1,
    IdentityWritten(crate::identity::IdentityWritten) = "device.identity_written" @ 1,
});

/// `thing.created`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    // In the order of the names, as the wire form has them.
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Its billing group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_group: Option<BillingRef>,
    /// When.
    pub created_at: Timestamp,
    /// The name of both faces.
    pub name: RecordName,
    /// The id of this life.
    pub thing_id: ThingId,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_type_name: Option<ThingTypeName>,
}

/// `thing.updated`, schema 1: the record after the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// Its name.
    pub name: RecordName,
    /// Its id.
    pub thing_id: ThingId,
    /// The new version.
    pub version: Revision,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_type_name: Option<ThingTypeName>,
    /// The type that it had before, when the update changed or removed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_thing_type_name: Option<ThingTypeName>,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
}

/// `thing.deleted`, schema 1: the record as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// Its name.
    pub name: RecordName,
    /// Its id.
    pub thing_id: ThingId,
    /// Its last version.
    pub version: Revision,
    /// Its type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_type_name: Option<ThingTypeName>,
    /// Its attributes.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attributes: Attributes,
    /// Its memberships; some may name groups that ended before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Membership>,
    /// Its billing group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_group: Option<BillingRef>,
}

/// `thing.joined_group`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinedGroup {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The new membership, with what was seen of the group.
    pub membership: Membership,
    /// Memberships dropped because their groups had ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<ThingGroupId>,
}

/// `thing.left_group`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftGroup {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The membership that ended, with what was seen on joining.
    pub membership: Membership,
    /// Why.
    pub reason: LeaveReason,
}

/// Why a thing left a group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
#[non_exhaustive]
pub enum LeaveReason {
    /// Somebody asked for it.
    Requested,
    /// The dynamic group's condition no longer selects it.
    NoLongerMatches,
    /// It lost its place in a dynamic group to another group.
    Evicted {
        /// The group that took the place.
        by: GroupRef,
    },
}

/// `thing.join_refused`, schema 1: the thing is in as many groups as it may, and none of them gives way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JoinRefused {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The dynamic group.
    pub group: GroupRef,
    /// How many groups the thing may be in.
    pub limit: usize,
}

/// `thing.match_ended`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MatchEnded {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The dynamic group.
    pub group: GroupRef,
}

/// `thing.billing_group_changed`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingGroupChanged {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The billing group from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_group: Option<BillingRef>,
    /// The billing group until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<BillingRef>,
}

/// `thing.principal_attached`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalAttached {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The principal and how it is attached.
    pub attachment: PrincipalAttachment,
}

/// `thing.principal_detached`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalDetached {
    /// The thing's name.
    pub name: RecordName,
    /// The thing's id.
    pub thing_id: ThingId,
    /// The principal and how it was attached.
    pub attachment: PrincipalAttachment,
}
