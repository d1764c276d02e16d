//! Why a command to a thing was refused.

use crate::attribute::QuotaExceeded;
use crate::id::{
    BillingGroupName, RecordName, Revision, ThingGroupName, ThingId, ThingName, ThingTypeName,
};
use crate::kernel::ErrorCode;

use super::Principal;

/// Why a command to a thing was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThingError {
    /// No thing of this name. AWS: `ResourceNotFoundException`.
    #[error("thing `{thing}` does not exist")]
    NotFound {
        /// The name.
        thing: RecordName,
    },
    /// The name is no legal thing name, the record has no AWS face. AWS: `InvalidRequestException`.
    #[error("`{device}` is no legal thing name: use the device operations for it")]
    NoThingFace {
        /// The name.
        device: RecordName,
    },
    /// One with other content has the name. AWS: `ResourceAlreadyExistsException`.
    #[error("thing `{thing}` exists with other content: update it or take another name")]
    AlreadyExists {
        /// The name.
        thing: RecordName,
        /// The id of the one that exists.
        id: ThingId,
    },
    /// It has another version. AWS: `VersionConflictException`.
    #[error("thing `{thing}` has version {actual}, not {expected}: read it again")]
    VersionConflict {
        /// The name.
        thing: RecordName,
        /// The version that the caller expected.
        expected: Revision,
        /// The version that it has.
        actual: Revision,
    },
    /// The attributes break a quota. AWS: `InvalidRequestException`.
    #[error(transparent)]
    Attributes(#[from] QuotaExceeded),
    /// A new type and the removal of the type in one request. AWS: `InvalidRequestException`.
    #[error("thing type `{thing_type}` is set and removed at once: do one of the two")]
    TypeSetAndRemoved {
        /// The type to set.
        thing_type: ThingTypeName,
    },
    /// No thing type of this name. AWS: `ResourceNotFoundException`.
    #[error("thing type `{thing_type}` does not exist: create it first")]
    TypeNotFound {
        /// The type.
        thing_type: ThingTypeName,
    },
    /// The thing type is deprecated. AWS: `InvalidRequestException`.
    #[error(
        "thing type `{thing_type}` is deprecated: it takes no new things, nor updates that name it"
    )]
    TypeDeprecated {
        /// The type.
        thing_type: ThingTypeName,
    },
    /// No billing group of this name. AWS: `ResourceNotFoundException`.
    #[error("billing group `{billing_group}` does not exist: create it first")]
    BillingGroupNotFound {
        /// The billing group.
        billing_group: BillingGroupName,
    },
    /// No thing group of this name. AWS: `ResourceNotFoundException`.
    #[error("thing group `{group}` does not exist: create it first")]
    GroupNotFound {
        /// The group.
        group: ThingGroupName,
    },
    /// One request adds the thing to a group and removes it from it. AWS: `InvalidRequestException`.
    #[error("thing group `{group}` is to be added and removed at once: do one of the two")]
    GroupAddedAndRemoved {
        /// The group.
        group: ThingGroupName,
    },
    /// Members of a dynamic group are not put in by hand. AWS: `InvalidRequestException`.
    #[error("thing group `{group}` is dynamic: change its query to change its members")]
    GroupDynamic {
        /// The group.
        group: ThingGroupName,
    },
    /// A static group selects nobody. No AWS operation leads here.
    #[error("thing group `{group}` is static: add the thing to it")]
    GroupStatic {
        /// The group.
        group: ThingGroupName,
    },
    /// The thing is in another group of the same hierarchy. AWS: `InvalidRequestException`.
    #[error(
        "thing `{thing}` is in group `{member_of}` of the same hierarchy as `{group}` (root `{root}`): leave it first"
    )]
    SameHierarchy {
        /// The thing.
        thing: RecordName,
        /// The group to join.
        group: ThingGroupName,
        /// The group that it is in.
        member_of: ThingGroupName,
        /// The root of both.
        root: ThingGroupName,
    },
    /// The thing is in as many groups as it may. AWS: `InvalidRequestException`.
    #[error("thing `{thing}` is in {limit} groups already: leave one before joining `{group}`")]
    TooManyGroups {
        /// The thing.
        thing: RecordName,
        /// The group to join.
        group: ThingGroupName,
        /// How many it may be in.
        limit: usize,
    },
    /// Principals are attached. AWS: `InvalidRequestException`.
    #[error("thing `{thing}` is still attached to {count} principals: detach them first")]
    PrincipalsAttached {
        /// The thing.
        thing: RecordName,
        /// How many.
        count: usize,
    },
    /// No principal of this id. AWS: `ResourceNotFoundException`.
    #[error("principal `{principal}` does not exist: register the certificate first")]
    PrincipalNotFound {
        /// The principal.
        principal: Principal,
    },
    /// The principal belongs to one thing alone. AWS: `InvalidRequestException`.
    #[error("principal `{principal}` belongs to thing `{holder}` alone: detach it there first")]
    PrincipalExclusive {
        /// The principal.
        principal: Principal,
        /// The thing that has it.
        holder: ThingName,
    },
    /// An exclusive attachment of a principal that has other things. AWS: `InvalidRequestException`.
    #[error("principal `{principal}` is attached to thing `{holder}` too: it cannot be exclusive")]
    PrincipalShared {
        /// The principal.
        principal: Principal,
        /// A thing that has it.
        holder: ThingName,
    },
}

/// The codes of this module; those of groups, types and billing groups stand with them.
pub const CODES: &[(&str, &str)] = &[
    ("thing.not_found", "no thing has this name"),
    (
        "thing.no_thing_face",
        "the device's id is no legal thing name, so AWS operations do not reach it",
    ),
    (
        "thing.already_exists",
        "a thing of this name exists with other content",
    ),
    (
        "thing.version_conflict",
        "the thing does not have the version that the caller expected",
    ),
    (
        "thing.type_set_and_removed",
        "one update sets a thing type and removes it",
    ),
    (
        "thing.group_added_and_removed",
        "one request adds a thing to a group and removes it from it",
    ),
    (
        "thing.same_hierarchy",
        "a thing may be in one group of a hierarchy only",
    ),
    (
        "group.limit_exceeded",
        "the thing is in as many groups as it may",
    ),
    (
        "thing.principals_attached",
        "a thing with attached principals cannot be deleted",
    ),
    ("principal.not_found", "the principal does not exist"),
    (
        "principal.exclusive",
        "the principal is attached to another thing exclusively",
    ),
    (
        "principal.shared",
        "the principal is attached to other things, so it cannot be exclusive",
    ),
];

impl ErrorCode for ThingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "thing.not_found",
            Self::NoThingFace { .. } => "thing.no_thing_face",
            Self::AlreadyExists { .. } => "thing.already_exists",
            Self::VersionConflict { .. } => "thing.version_conflict",
            Self::Attributes(error) => error.code(),
            Self::TypeSetAndRemoved { .. } => "thing.type_set_and_removed",
            Self::TypeNotFound { .. } => "thing_type.not_found",
            Self::TypeDeprecated { .. } => "thing_type.deprecated",
            Self::BillingGroupNotFound { .. } => "billing_group.not_found",
            Self::GroupNotFound { .. } => "group.not_found",
            Self::GroupAddedAndRemoved { .. } => "thing.group_added_and_removed",
            Self::GroupDynamic { .. } => "group.dynamic",
            Self::GroupStatic { .. } => "group.static",
            Self::SameHierarchy { .. } => "thing.same_hierarchy",
            Self::TooManyGroups { .. } => "group.limit_exceeded",
            Self::PrincipalsAttached { .. } => "thing.principals_attached",
            Self::PrincipalNotFound { .. } => "principal.not_found",
            Self::PrincipalExclusive { .. } => "principal.exclusive",
            Self::PrincipalShared { .. } => "principal.shared",
        }
    }
}
