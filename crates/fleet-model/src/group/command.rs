//! What a caller asks of a group.

use super::QueryText;
use crate::attribute::AttributePayload;
use crate::id::{Description, IndexName, PolicyName, Revision, ThingGroupId, ThingGroupName};
use crate::tag::{TagKey, Tags};
use std::collections::BTreeSet;

/// A command to the group of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The group.
    pub name: ThingGroupName,
    /// What to do.
    pub action: Action,
}

/// What to do with a group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// CreateThingGroup: a static group. Repeating it with the same content changes nothing.
    Create(Create),
    /// CreateDynamicThingGroup. Repeating it with the same content changes nothing.
    CreateDynamic(CreateDynamic),
    /// UpdateThingGroup, of a static group.
    Update(Update),
    /// UpdateDynamicThingGroup.
    UpdateDynamic(UpdateDynamic),
    /// DeleteThingGroup, of a static group; an unknown one is no error.
    Delete {
        /// The version that it must have.
        expected_version: Option<Revision>,
    },
    /// DeleteDynamicThingGroup; an unknown one is no error.
    DeleteDynamic {
        /// The version that it must have.
        expected_version: Option<Revision>,
    },
    /// Every member that the condition of `query_revision` selects is in: a later condition is not built by it.
    FinishBuild {
        /// The version of the group whose condition was evaluated.
        query_revision: Revision,
    },
    /// AttachPolicy; attaching twice changes nothing.
    AttachPolicy {
        /// The policy.
        policy: PolicyName,
    },
    /// DetachPolicy; one that is not attached is no error.
    DetachPolicy {
        /// The policy.
        policy: PolicyName,
    },
    /// TagResource.
    Tag {
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource.
    Untag {
        /// Keys to remove.
        keys: BTreeSet<TagKey>,
    },
}

/// CreateThingGroup.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The id that a new group gets.
    pub id: ThingGroupId,
    /// Its direct parent; none for a root.
    pub parent: Option<ThingGroupName>,
    /// What people say of it.
    pub description: Option<Description>,
    /// Its attributes; the payload's mode is ignored.
    pub attributes: AttributePayload,
    /// Tags; they take no part in the comparison of content.
    pub tags: Tags,
}

/// CreateDynamicThingGroup.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDynamic {
    /// The id that a new group gets.
    pub id: ThingGroupId,
    /// Its condition, parsed and checked by the caller.
    pub query: QueryText,
    /// The version of its language; `2017-09-30` when none.
    pub query_version: Option<String>,
    /// The index that it asks; `AWS_Things` when none.
    pub index_name: Option<IndexName>,
    /// What people say of it.
    pub description: Option<Description>,
    /// Its attributes; the payload's mode is ignored.
    pub attributes: AttributePayload,
    /// Tags; they take no part in the comparison of content.
    pub tags: Tags,
}

/// UpdateThingGroup: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The new description.
    pub description: Option<Description>,
    /// The change of attributes.
    pub attributes: Option<AttributePayload>,
    /// The version that it must have.
    pub expected_version: Option<Revision>,
}

/// UpdateDynamicThingGroup: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UpdateDynamic {
    /// The properties.
    pub properties: Update,
    /// The new condition, parsed and checked by the caller.
    pub query: Option<QueryText>,
    /// The version of its language.
    pub query_version: Option<String>,
    /// The index that it asks.
    pub index_name: Option<IndexName>,
}
