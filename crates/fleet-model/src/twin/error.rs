//! Why a twin command or read was refused, and what each service calls it.

use super::section::SectionName;
use crate::kernel::ErrorCode;

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("shadow.encoding", "the shadow request is not UTF-8"),
    (
        "shadow.too_large",
        "the shadow request or the shadow after it is too large",
    ),
    (
        "shadow.invalid_json",
        "the shadow request is not a JSON object",
    ),
    ("shadow.missing_state", "the shadow request has no `state`"),
    (
        "shadow.state_not_object",
        "`state` is neither an object nor null",
    ),
    (
        "shadow.section_not_object",
        "`desired` or `reported` is neither an object nor null",
    ),
    (
        "shadow.invalid_node",
        "`state` holds a member or an array element that it must not",
    ),
    ("shadow.too_deep", "the shadow request is nested too deeply"),
    (
        "shadow.invalid_version",
        "`version` of the shadow request is not an integer",
    ),
    (
        "shadow.invalid_client_token",
        "`clientToken` is not a text of at most 64 bytes",
    ),
    (
        "shadow.version_conflict",
        "the shadow is not at the version that the request expects",
    ),
    (
        "shadow.not_found",
        "the shadow was never written, or was deleted",
    ),
    (
        "twin.no_such_face",
        "the twin cannot be written through this protocol",
    ),
    (
        "twin.precondition_failed",
        "the twin's ETag is not the one that the request expects",
    ),
    (
        "twin.version_conflict",
        "a section is not at the `$version` that the request expects",
    ),
    (
        "twin.invalid_document",
        "the twin document does not have the shape that it must have",
    ),
    (
        "twin.invalid_key",
        "a key holds a character that it must not, or is reserved",
    ),
    ("twin.key_too_long", "a key is too long"),
    ("twin.string_too_long", "a string value is too long"),
    (
        "twin.integer_out_of_range",
        "an integer is too large or too small",
    ),
    ("twin.null_in_array", "an array holds null"),
    ("twin.too_deep", "a section is nested too deeply"),
    ("twin.too_large", "a section would be too large"),
];

/// Why a twin command or read was refused.
///
/// [`TwinError::aws`] and [`TwinError::hub`] say what each service calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TwinError {
    /// The payload is not UTF-8.
    #[error("the shadow request is not UTF-8: send UTF-8")]
    ShadowEncoding,
    /// The request, or the state after it, is larger than allowed and than it was.
    #[error("the shadow would take {size} bytes, {limit} are allowed: write less")]
    ShadowTooLarge {
        /// Bytes of compact JSON.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// The payload is no JSON, or no object.
    #[error("the shadow request is not a JSON object: {reason}")]
    ShadowInvalidJson {
        /// What the parser said.
        reason: String,
    },
    /// `state` is missing.
    #[error("the shadow request has no `state`: send one, an object or null")]
    ShadowMissingState,
    /// `state` is a scalar or an array.
    #[error("`state` is neither an object nor null")]
    ShadowStateNotObject,
    /// `desired` or `reported` is a scalar or an array.
    #[error("`{section}` is neither an object nor null")]
    ShadowSectionNotObject {
        /// Which.
        section: SectionName,
    },
    /// `state` has a member other than desired and reported, or one with a reserved name.
    #[error(
        "`state` holds `{name}`: only `desired` and `reported`, without members that IoT Hub reserves"
    )]
    ShadowInvalidNode {
        /// The member's name.
        name: String,
    },
    /// An array holds null.
    #[error("the array at `{path}` holds null: remove the element")]
    ShadowNullInArray {
        /// Where.
        path: String,
    },
    /// The request nests more deeply than allowed, and than the shadow does.
    #[error("`{section}` is nested {depth} levels deep, {limit} are allowed")]
    ShadowTooDeep {
        /// Which section.
        section: SectionName,
        /// Levels found.
        depth: usize,
        /// Levels allowed.
        limit: usize,
    },
    /// `version` is no integer.
    #[error("`version` is not an integer")]
    ShadowInvalidVersion,
    /// `clientToken` is no text, or too long.
    #[error("`clientToken` is not a text of at most {limit} bytes")]
    ShadowInvalidClientToken {
        /// Bytes allowed.
        limit: usize,
    },
    /// `version` is not the shadow's.
    #[error("the shadow is at version {actual}, the request expects {expected}: read it again")]
    ShadowVersionConflict {
        /// As the request says (any integer).
        expected: String,
        /// The shadow's.
        actual: u64,
    },
    /// There is no such shadow.
    #[error("no shadow exists with name `{name}`: it was never written, or was deleted")]
    ShadowNotFound {
        /// The shadow's name; the thing's for the classic shadow.
        name: String,
    },
    /// A module twin has no shadow, a named shadow no IoT Hub twin.
    #[error("`{twin}` cannot be written through this protocol")]
    NoSuchFace {
        /// Which twin.
        twin: String,
    },
    /// The ETag is not the twin's.
    #[error("the twin has ETag `{actual}`, the request expects `{expected}`: read it again")]
    PreconditionFailed {
        /// As the request says.
        expected: String,
        /// The twin's.
        actual: String,
    },
    /// A section's `$version` is not the expected one.
    #[error("`{section}` is at version {actual}, the request expects {expected}: read it again")]
    VersionConflict {
        /// Which section.
        section: SectionName,
        /// As the request says.
        expected: u64,
        /// The section's.
        actual: u64,
    },
    /// The body, `properties` or a section has the wrong JSON type.
    #[error("`{path}` is not an object")]
    InvalidDocument {
        /// Where; `body` for the whole.
        path: String,
    },
    /// A key holds a forbidden character, is empty, or starts with `$`.
    #[error("key `{path}` is not allowed: {reason}")]
    InvalidKey {
        /// Where.
        path: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A key is too long.
    #[error("a key below `{path}` has {bytes} bytes, {limit} are allowed")]
    KeyTooLong {
        /// Where the object is that holds it.
        path: String,
        /// Its length.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A string is too long.
    #[error("the string at `{path}` has {bytes} bytes, {limit} are allowed")]
    StringTooLong {
        /// Where.
        path: String,
        /// Its length.
        bytes: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// An integer is out of range.
    #[error("the integer at `{path}` is not between {min} and {max}")]
    IntegerOutOfRange {
        /// Where.
        path: String,
        /// The smallest allowed.
        min: i64,
        /// The largest allowed.
        max: i64,
    },
    /// An array holds null.
    #[error("the array at `{path}` holds null: remove the element")]
    NullInArray {
        /// Where.
        path: String,
    },
    /// A section nests more deeply than allowed, and than it did.
    #[error("`{section}` nests {depth} objects, {limit} are allowed")]
    TooDeep {
        /// Which section.
        section: SectionName,
        /// Objects found.
        depth: usize,
        /// Objects allowed.
        limit: usize,
    },
    /// A section would be larger than allowed, and than it was.
    #[error("`{section}` would have size {size}, {limit} is allowed: write less")]
    TooLarge {
        /// Which section.
        section: SectionName,
        /// Its size after the write, as Azure 2.3 counts.
        size: usize,
        /// Size allowed.
        limit: usize,
    },
}

/// What a service answers: its error name, HTTP status and literal message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceError {
    /// `ConflictException`, `PreconditionFailed`.
    pub name: &'static str,
    /// The HTTP status, which is also the MQTT `code` of the shadow service.
    pub status: u16,
    /// The message, in the service's words where they are known.
    pub message: String,
}

impl ErrorCode for TwinError {
    fn code(&self) -> &'static str {
        match self {
            Self::ShadowEncoding => "shadow.encoding",
            Self::ShadowTooLarge { .. } => "shadow.too_large",
            Self::ShadowInvalidJson { .. } => "shadow.invalid_json",
            Self::ShadowMissingState => "shadow.missing_state",
            Self::ShadowStateNotObject => "shadow.state_not_object",
            Self::ShadowSectionNotObject { .. } => "shadow.section_not_object",
            Self::ShadowInvalidNode { .. } | Self::ShadowNullInArray { .. } => {
                "shadow.invalid_node"
            }
            Self::ShadowTooDeep { .. } => "shadow.too_deep",
            Self::ShadowInvalidVersion => "shadow.invalid_version",
            Self::ShadowInvalidClientToken { .. } => "shadow.invalid_client_token",
            Self::ShadowVersionConflict { .. } => "shadow.version_conflict",
            Self::ShadowNotFound { .. } => "shadow.not_found",
            Self::NoSuchFace { .. } => "twin.no_such_face",
            Self::PreconditionFailed { .. } => "twin.precondition_failed",
            Self::VersionConflict { .. } => "twin.version_conflict",
            Self::InvalidDocument { .. } => "twin.invalid_document",
            Self::InvalidKey { .. } => "twin.invalid_key",
            Self::KeyTooLong { .. } => "twin.key_too_long",
            Self::StringTooLong { .. } => "twin.string_too_long",
            Self::IntegerOutOfRange { .. } => "twin.integer_out_of_range",
            Self::NullInArray { .. } => "twin.null_in_array",
            Self::TooDeep { .. } => "twin.too_deep",
            Self::TooLarge { .. } => "twin.too_large",
        }
    }

    fn aws_text(&self) -> Option<String> {
        Some(match self {
            Self::ShadowEncoding => {
                "Unsupported documented encoding; supported encoding is UTF-8".to_owned()
            }
            Self::ShadowTooLarge { .. } => {
                "The payload exceeds the maximum size allowed".to_owned()
            }
            Self::ShadowInvalidJson { .. } => "Invalid JSON".to_owned(),
            Self::ShadowMissingState => "Missing required node: state".to_owned(),
            Self::ShadowStateNotObject => "State node must be an object".to_owned(),
            Self::ShadowSectionNotObject { section } => {
                format!("{} node must be an object", section.title())
            }
            Self::ShadowInvalidNode { name } => format!("State contains an invalid node: '{name}'"),
            Self::ShadowNullInArray { .. } => "State contains an invalid node".to_owned(),
            Self::ShadowTooDeep { limit, .. } => {
                format!("JSON contains too many levels of nesting; maximum is {limit}")
            }
            Self::ShadowInvalidVersion => "Invalid version".to_owned(),
            Self::ShadowInvalidClientToken { .. } => "Invalid clientToken".to_owned(),
            Self::ShadowVersionConflict { .. } => "Version conflict".to_owned(),
            Self::ShadowNotFound { name } => format!("No shadow exists with name: '{name}'"),
            _ => return None,
        })
    }
}

impl TwinError {
    /// What the AWS shadow service answers (AWS 0.5 and 4.2).
    #[must_use]
    pub fn aws(&self) -> ServiceError {
        let (status, name) = match self {
            Self::ShadowEncoding => (415, "UnsupportedDocumentEncodingException"),
            Self::ShadowTooLarge { .. } | Self::TooLarge { .. } => {
                (413, "RequestEntityTooLargeException")
            }
            Self::ShadowVersionConflict { .. }
            | Self::PreconditionFailed { .. }
            | Self::VersionConflict { .. } => (409, "ConflictException"),
            Self::ShadowNotFound { .. } | Self::NoSuchFace { .. } => {
                (404, "ResourceNotFoundException")
            }
            _ => (400, "InvalidRequestException"),
        };
        ServiceError {
            name,
            status,
            message: self.aws_text().unwrap_or_else(|| self.to_string()),
        }
    }

    /// What IoT Hub answers (Azure 1.7). A missing module twin is `DeviceNotFound` there.
    #[must_use]
    pub fn hub(&self) -> ServiceError {
        let (status, name) = match self {
            Self::PreconditionFailed { .. }
            | Self::VersionConflict { .. }
            | Self::ShadowVersionConflict { .. } => (412, "PreconditionFailed"),
            Self::ShadowNotFound { .. } | Self::NoSuchFace { .. } => (404, "DeviceNotFound"),
            Self::ShadowInvalidJson { .. } | Self::ShadowEncoding => (400, "IotHubFormatError"),
            _ => (400, "ArgumentInvalid"),
        };
        ServiceError {
            name,
            status,
            message: self.to_string(),
        }
    }

    /// Whether the same request may succeed after a fresh read.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(
            self,
            Self::ShadowVersionConflict { .. }
                | Self::PreconditionFailed { .. }
                | Self::VersionConflict { .. }
        )
    }
}
