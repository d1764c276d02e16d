//! What a caller asks of a thing.

use super::{AttachmentKind, Principal};
use crate::attribute::AttributePayload;
use crate::id::{BillingGroupName, RecordName, Revision, ThingGroupName, ThingId, ThingTypeName};
use uuid::Uuid;

/// A command to the record of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The record.
    pub name: RecordName,
    /// What to do.
    pub action: Action,
}

/// What to do with a thing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// CreateThing. Repeating it with the same content changes nothing.
    Create(Create),
    /// UpdateThing; every success raises the version.
    Update(Update),
    /// DeleteThing; an unknown one is no error.
    Delete {
        /// The version that it must have.
        expected_version: Option<Revision>,
    },
    /// UpdateThingGroupsForThing; AddThingToThingGroup and RemoveThingFromThingGroup are its cases with one group.
    UpdateGroups(UpdateGroups),
    /// The condition of a dynamic group selects the thing: it joins where there is room (AWS 2.4).
    BeginMatch {
        /// The dynamic group.
        group: ThingGroupName,
        /// From which the id of the new membership is derived; the id of the command.
        cause: Uuid,
    },
    /// The condition of a dynamic group no longer selects the thing.
    EndMatch {
        /// The dynamic group.
        group: ThingGroupName,
    },
    /// AddThingToBillingGroup; one that it is in already changes nothing, another is replaced.
    AddToBillingGroup {
        /// The billing group.
        billing_group: BillingGroupName,
    },
    /// RemoveThingFromBillingGroup; one that it is not in is no error.
    RemoveFromBillingGroup {
        /// The billing group.
        billing_group: BillingGroupName,
    },
    /// AttachThingPrincipal; attaching in the same way twice changes nothing.
    AttachPrincipal {
        /// The principal.
        principal: Principal,
        /// Exclusive or not.
        kind: AttachmentKind,
    },
    /// DetachThingPrincipal; one that is not attached is no error.
    DetachPrincipal {
        /// The principal.
        principal: Principal,
    },
}

/// CreateThing.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The id that a new thing gets.
    pub id: ThingId,
    /// Its type.
    pub thing_type: Option<ThingTypeName>,
    /// Its attributes; the payload's mode is ignored.
    pub attributes: AttributePayload,
    /// Its billing group.
    pub billing_group: Option<BillingGroupName>,
}

/// UpdateThing: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The new type.
    pub thing_type: Option<ThingTypeName>,
    /// Whether the type goes; not together with a new one.
    pub remove_thing_type: bool,
    /// The change of attributes.
    pub attributes: Option<AttributePayload>,
    /// The version that it must have.
    pub expected_version: Option<Revision>,
}

/// UpdateThingGroupsForThing: removals first, then additions in the given order, all or nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateGroups {
    /// Static groups to join.
    pub add: Vec<ThingGroupName>,
    /// Static groups to leave; one that it is not in is no error.
    pub remove: Vec<ThingGroupName>,
    /// What a full thing does with its dynamic groups.
    pub dynamic_groups: DynamicGroups,
    /// From which the ids of new memberships are derived; the id of the command.
    pub cause: Uuid,
}

/// What becomes of dynamic groups when a thing is in as many groups as it may (`overrideDynamicGroups`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DynamicGroups {
    /// They keep their places; a static group is refused.
    #[default]
    Keep,
    /// The one created last gives way to a static group.
    GiveWay,
}
