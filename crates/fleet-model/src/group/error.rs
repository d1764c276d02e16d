//! Why a command to a group was refused.

use crate::attribute::QuotaExceeded;
use crate::id::{Revision, ThingGroupId, ThingGroupName};
use crate::kernel::ErrorCode;
use crate::tag::TagError;

/// Why a command to a group was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GroupError {
    /// No group of this name. AWS: `ResourceNotFoundException`.
    #[error("thing group `{group}` does not exist")]
    NotFound {
        /// The name.
        group: ThingGroupName,
    },
    /// One with other content has the name. AWS: `ResourceAlreadyExistsException`.
    #[error(
        "thing group `{group}` exists with different properties: update it or take another name"
    )]
    AlreadyExists {
        /// The name.
        group: ThingGroupName,
        /// The id of the one that exists.
        id: ThingGroupId,
    },
    /// It has another version. AWS: `VersionConflictException`.
    #[error("thing group `{group}` has version {actual}, not {expected}: read it again")]
    VersionConflict {
        /// The name.
        group: ThingGroupName,
        /// The version that the caller expected.
        expected: Revision,
        /// The version that it has.
        actual: Revision,
    },
    /// The attributes break a quota. AWS: `InvalidRequestException`.
    #[error(transparent)]
    Attributes(#[from] QuotaExceeded),
    /// The tags break a rule. AWS: `LimitExceededException` for too many, else `InvalidRequestException`.
    #[error(transparent)]
    Tags(#[from] TagError),
    /// The parent does not exist. AWS: `InvalidRequestException`.
    #[error("parent group `{parent}` does not exist: create it first")]
    ParentNotFound {
        /// The parent.
        parent: ThingGroupName,
    },
    /// The parent is dynamic. AWS: `InvalidRequestException`.
    #[error("parent group `{parent}` is dynamic: only static groups have children")]
    ParentDynamic {
        /// The parent.
        parent: ThingGroupName,
    },
    /// The hierarchy would be too deep. AWS: `InvalidRequestException`.
    #[error("a child of `{parent}` would be at level {depth}, a hierarchy has at most {limit}")]
    TooDeep {
        /// The parent.
        parent: ThingGroupName,
        /// The level that the group would have, a root being 1.
        depth: usize,
        /// The levels allowed.
        limit: usize,
    },
    /// The parent has no room for another child. AWS: `InvalidRequestException`.
    #[error("group `{parent}` has {limit} children already: that is all it may have")]
    TooManyChildren {
        /// The parent.
        parent: ThingGroupName,
        /// The children allowed.
        limit: usize,
    },
    /// It has children. AWS: `InvalidRequestException`.
    #[error("thing group `{group}` still has {children} child groups: delete them first")]
    HasChildren {
        /// The name.
        group: ThingGroupName,
        /// How many.
        children: usize,
    },
    /// It is dynamic, the operation is for static groups. AWS: `InvalidRequestException`.
    #[error(
        "thing group `{group}` is dynamic: use the operation for dynamic groups where there is one"
    )]
    Dynamic {
        /// The name.
        group: ThingGroupName,
    },
    /// It is static, the operation is for dynamic groups. AWS: `InvalidRequestException`.
    #[error("thing group `{group}` is static: use the operation for static groups")]
    Static {
        /// The name.
        group: ThingGroupName,
    },
    /// Thing indexing is off or being built for the first time. AWS: `InvalidRequestException`.
    #[error(
        "the index of things is not ready: switch thing indexing on and wait for its first build"
    )]
    IndexNotReady,
    /// The query language version is not known. AWS: `InvalidRequestException`.
    #[error("query version `{version}` is not known: use `2017-09-30`")]
    UnknownQueryVersion {
        /// What was asked for.
        version: String,
    },
    /// The index is not one that dynamic groups ask. AWS: `InvalidRequestException`.
    #[error("index `{index}` cannot feed a dynamic group: use `AWS_Things`")]
    UnknownIndex {
        /// What was asked for.
        index: String,
    },
    /// The tenant has no room for another dynamic group. AWS: `LimitExceededException`.
    #[error("there are {limit} dynamic groups already: delete one first")]
    TooManyDynamicGroups {
        /// The dynamic groups allowed.
        limit: usize,
    },
    /// The group has no room for another policy. AWS: `LimitExceededException`.
    #[error("thing group `{group}` has {limit} policies already: detach one first")]
    TooManyPolicies {
        /// The name.
        group: ThingGroupName,
        /// The policies allowed.
        limit: usize,
    },
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("group.not_found", "no thing group has this name"),
    (
        "group.already_exists",
        "a thing group of this name exists with other content",
    ),
    (
        "group.version_conflict",
        "the thing group does not have the version that the caller expected",
    ),
    ("group.parent_not_found", "the parent group does not exist"),
    ("group.parent_dynamic", "a dynamic group cannot be a parent"),
    ("group.too_deep", "the hierarchy would have too many levels"),
    (
        "group.too_many_children",
        "the parent group has no room for another child",
    ),
    (
        "group.has_children",
        "a thing group with child groups cannot be deleted",
    ),
    (
        "group.dynamic",
        "the operation is for static groups, this one is dynamic",
    ),
    (
        "group.static",
        "the operation is for dynamic groups, this one is static",
    ),
    (
        "group.index_not_ready",
        "dynamic groups need thing indexing, built once",
    ),
    (
        "group.unknown_query_version",
        "the version of the query language is not known",
    ),
    (
        "group.unknown_index",
        "dynamic groups ask the index of things only",
    ),
    (
        "group.too_many_dynamic",
        "the tenant has no room for another dynamic group",
    ),
    (
        "group.too_many_policies",
        "the thing group has no room for another policy",
    ),
];

impl ErrorCode for GroupError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "group.not_found",
            Self::AlreadyExists { .. } => "group.already_exists",
            Self::VersionConflict { .. } => "group.version_conflict",
            Self::Attributes(error) => error.code(),
            Self::Tags(error) => error.code(),
            Self::ParentNotFound { .. } => "group.parent_not_found",
            Self::ParentDynamic { .. } => "group.parent_dynamic",
            Self::TooDeep { .. } => "group.too_deep",
            Self::TooManyChildren { .. } => "group.too_many_children",
            Self::HasChildren { .. } => "group.has_children",
            Self::Dynamic { .. } => "group.dynamic",
            Self::Static { .. } => "group.static",
            Self::IndexNotReady => "group.index_not_ready",
            Self::UnknownQueryVersion { .. } => "group.unknown_query_version",
            Self::UnknownIndex { .. } => "group.unknown_index",
            Self::TooManyDynamicGroups { .. } => "group.too_many_dynamic",
            Self::TooManyPolicies { .. } => "group.too_many_policies",
        }
    }
}
