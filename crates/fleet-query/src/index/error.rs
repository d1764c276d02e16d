//! Why the index refuses a change, a query or a file.

/// A refusal of the fleet index.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// The text is not a JSON object.
    #[error("the document is not a JSON object: expected {expected} at byte {at}")]
    Malformed {
        /// Offset into the text, in bytes.
        at: usize,
        /// What should stand there.
        expected: String,
    },
    /// The document does not say which device, module, job or group it is of.
    #[error("the document has no `{member}`, which names it")]
    NoId {
        /// The member that is missing.
        member: &'static str,
    },
    /// A patch would give the document another id, or the change names another document than it carries.
    #[error("a change of `{id}` may not rename it")]
    Renamed {
        /// The document.
        id: String,
    },
    /// A change of something that the index does not hold.
    #[error("there is no `{id}` in the index")]
    NotFound {
        /// The document or group.
        id: String,
    },
    /// A version of a stream is missing before this event.
    #[error(
        "the stream of `{id}` is at version {expected_after} and the event has version {found}: feed the events in between first, or rebuild"
    )]
    Gap {
        /// The document.
        id: String,
        /// The last version that was applied.
        expected_after: u64,
        /// The version of the event.
        found: u64,
    },
    /// The documents show more paths than the index keeps.
    #[error("the documents have more than {limit} different paths")]
    TooManyPaths {
        /// The limit.
        limit: usize,
    },
    /// The query would visit more than its budget allows.
    #[error(
        "the query visits more than {budget} index entries; narrow the condition or raise the budget"
    )]
    CostExceeded {
        /// The budget that was given.
        budget: u64,
    },
    /// The query names per-leaf metadata, which this index was opened without.
    #[error("the query reads `{path}`, and this index was opened without per-leaf metadata")]
    MetadataNotKept {
        /// The field.
        path: String,
    },
    /// The aggregation cannot be computed over this field.
    #[error("{message}")]
    InvalidAggregation {
        /// What is wrong.
        message: String,
    },
    /// The saved index is cut, damaged, foreign or of another version: rebuild it from the log.
    #[error("the saved index cannot be used: {reason}; rebuild it from the log")]
    Damaged {
        /// What does not fit.
        reason: String,
    },
    /// Reading or writing the saved index failed.
    #[error("the saved index could not be read or written: {reason}")]
    Io {
        /// What the operating system said.
        reason: String,
    },
}

impl IndexError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::NoId { .. } => "query.invalid_document",
            Self::Renamed { .. } => "query.renamed_document",
            Self::NotFound { .. } => "query.not_found",
            Self::Gap { .. } => "query.version_gap",
            Self::TooManyPaths { .. } => "query.too_many_paths",
            Self::CostExceeded { .. } => "query.cost_exceeded",
            Self::MetadataNotKept { .. } => "query.metadata_not_kept",
            Self::InvalidAggregation { .. } => "query.invalid_aggregation",
            Self::Damaged { .. } => "query.index_damaged",
            Self::Io { .. } => "query.index_io",
        }
    }
}

/// The codes that only the index uses, with their one-line meaning.
pub const CODES: &[(&str, &str)] = &[
    (
        "query.renamed_document",
        "a change would give a document another id",
    ),
    (
        "query.not_found",
        "a change of something that the index does not hold",
    ),
    (
        "query.version_gap",
        "an event's stream version does not follow the last one that the index saw",
    ),
    (
        "query.too_many_paths",
        "the documents show more paths than the index keeps",
    ),
    (
        "query.cost_exceeded",
        "the query visits more index entries than its budget allows",
    ),
    (
        "query.metadata_not_kept",
        "the query reads per-leaf metadata, which the index was opened without",
    ),
    (
        "query.crossings_forgotten",
        "a reader of a live set resumes at a position whose crossings are gone",
    ),
    (
        "query.index_damaged",
        "the saved index is cut, damaged, foreign or of another version",
    ),
    (
        "query.index_io",
        "the saved index could not be read or written",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed() {
        let text = String::new;
        let all = [
            IndexError::Malformed {
                at: 0,
                expected: text(),
            },
            IndexError::NoId { member: "deviceId" },
            IndexError::Renamed { id: text() },
            IndexError::NotFound { id: text() },
            IndexError::Gap {
                id: text(),
                expected_after: 1,
                found: 3,
            },
            IndexError::TooManyPaths { limit: 1 },
            IndexError::CostExceeded { budget: 1 },
            IndexError::MetadataNotKept { path: text() },
            IndexError::InvalidAggregation { message: text() },
            IndexError::Damaged { reason: text() },
            IndexError::Io { reason: text() },
        ];
        let listed = |code: &str| {
            CODES
                .iter()
                .chain(crate::diagnostic::CODES)
                .any(|(known, _)| *known == code)
        };
        for error in all {
            assert!(listed(error.code()), "{}", error.code());
            assert!(!error.to_string().contains('\n'));
        }
        assert!(listed("query.crossings_forgotten"));
    }
}
