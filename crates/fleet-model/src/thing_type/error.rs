//! Why a command to a thing type was refused.

use crate::id::{ThingTypeId, ThingTypeName};
use crate::kernel::{ErrorCode, Timestamp};
use crate::tag::TagError;

/// Why a command to a thing type was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ThingTypeError {
    /// No thing type of this name. AWS: `ResourceNotFoundException`.
    #[error("thing type `{thing_type}` does not exist")]
    NotFound {
        /// The name.
        thing_type: ThingTypeName,
    },
    /// One with other content has the name. AWS: `ResourceAlreadyExistsException`.
    #[error("thing type `{thing_type}` exists with other properties: take another name")]
    AlreadyExists {
        /// The name.
        thing_type: ThingTypeName,
        /// The id of the one that exists.
        id: ThingTypeId,
    },
    /// Too many searchable attributes. AWS: `InvalidRequestException`.
    #[error("{found} searchable attributes are more than the {limit} allowed: remove some")]
    TooManySearchable {
        /// How many there would be.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// Searchable attributes never change. AWS: `InvalidRequestException`.
    #[error(
        "the searchable attributes of thing type `{thing_type}` cannot change: create another type"
    )]
    SearchableFixed {
        /// The name.
        thing_type: ThingTypeName,
    },
    /// It is not deprecated. AWS: `InvalidRequestException`.
    #[error("thing type `{thing_type}` is not deprecated: deprecate it before deleting it")]
    NotDeprecated {
        /// The name.
        thing_type: ThingTypeName,
    },
    /// It was deprecated a moment ago. AWS: `InvalidRequestException`.
    #[error("thing type `{thing_type}` can be deleted from {from} on: wait until then")]
    DeprecatedTooRecently {
        /// The name.
        thing_type: ThingTypeName,
        /// The first instant at which it may be deleted.
        from: Timestamp,
    },
    /// Things have it. AWS: `InvalidRequestException`.
    #[error(
        "thing type `{thing_type}` is the type of {things} things: give them another one first"
    )]
    InUse {
        /// The name.
        thing_type: ThingTypeName,
        /// How many.
        things: usize,
    },
    /// The tags break a rule. AWS: `LimitExceededException` for too many, else `InvalidRequestException`.
    #[error(transparent)]
    Tags(#[from] TagError),
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("thing_type.not_found", "no thing type has this name"),
    (
        "thing_type.already_exists",
        "a thing type of this name exists with other content",
    ),
    (
        "thing_type.too_many_searchable",
        "a thing type would have more searchable attributes than allowed",
    ),
    (
        "thing_type.searchable_fixed",
        "the searchable attributes of a thing type never change",
    ),
    (
        "thing_type.deprecated",
        "a deprecated thing type takes no new things",
    ),
    (
        "thing_type.not_deprecated",
        "a thing type must be deprecated before it is deleted",
    ),
    (
        "thing_type.deprecated_too_recently",
        "a thing type may be deleted some minutes after its deprecation",
    ),
    (
        "thing_type.in_use",
        "a thing type that things have cannot be deleted",
    ),
];

impl ErrorCode for ThingTypeError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "thing_type.not_found",
            Self::AlreadyExists { .. } => "thing_type.already_exists",
            Self::TooManySearchable { .. } => "thing_type.too_many_searchable",
            Self::SearchableFixed { .. } => "thing_type.searchable_fixed",
            Self::NotDeprecated { .. } => "thing_type.not_deprecated",
            Self::DeprecatedTooRecently { .. } => "thing_type.deprecated_too_recently",
            Self::InUse { .. } => "thing_type.in_use",
            Self::Tags(error) => error.code(),
        }
    }
}
