//! What other streams may know of a group.

use crate::id::{ThingGroupId, ThingGroupName, text_id};
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

text_id! {
    /// The text of a dynamic group's condition: not empty, at most 1 MiB.
    QueryText, "query", "a query of at least one character",
    |text| (1..=1 << 20).contains(&text.len())
}

/// One life of a group: a later group of the same name has another id.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GroupRef {
    /// Its name.
    pub group_name: ThingGroupName,
    /// Its id.
    pub group_id: ThingGroupId,
}

/// What never changes of a group, for decisions in other streams.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GroupFacts {
    /// Which group.
    pub group: GroupRef,
    /// Static with its place in a hierarchy, or dynamic.
    pub kind: GroupKind,
    /// When it was created.
    pub created_at: Timestamp,
}

/// Static or dynamic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum GroupKind {
    /// Members are put in by hand.
    Static {
        /// Root first, direct parent last; empty for a root.
        ancestors: Arc<[GroupRef]>,
    },
    /// Members are those whom a condition selects.
    Dynamic,
}

impl GroupFacts {
    /// The root of a static group's hierarchy (itself for a root), none of a dynamic one.
    #[must_use]
    pub fn root(&self) -> Option<&GroupRef> {
        match &self.kind {
            GroupKind::Static { ancestors } => Some(ancestors.first().unwrap_or(&self.group)),
            GroupKind::Dynamic => None,
        }
    }

    /// The level in its hierarchy, a root (or a dynamic group) being 1.
    #[must_use]
    pub fn depth(&self) -> usize {
        match &self.kind {
            GroupKind::Static { ancestors } => ancestors.len() + 1,
            GroupKind::Dynamic => 1,
        }
    }
}

/// What a decision about a group sees of other streams.
pub trait View {
    /// The group of a name.
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts>;

    /// How many direct children a group has.
    fn children(&self, group: ThingGroupId) -> usize;

    /// How many dynamic groups the tenant has.
    fn dynamic_groups(&self) -> usize;

    /// Whether thing indexing is on and was built once.
    fn thing_index_ready(&self) -> bool;
}
