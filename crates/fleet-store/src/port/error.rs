//! Why a store refused or failed.

use super::Expected;
use fleet_model::kernel::{ErrorCode, EventId, Position, StreamName, StreamVersion};
use std::time::Duration;

/// The codes of [`StoreError`], each with what it means.
pub const CODES: &[(&str, &str)] = &[
    (
        "store.conflict",
        "the stream is not at the expected version: reload and decide again",
    ),
    (
        "store.corrupt",
        "the store is damaged or has lost its tail: stop, restore from a backup",
    ),
    (
        "store.full",
        "there is no room: nothing was stored; make space and retry",
    ),
    (
        "store.id_reused",
        "an event id is stored with other content or in another place",
    ),
    ("store.invalid_input", "the call itself is not valid"),
    (
        "store.misconfigured",
        "the engine promises less than was asked for, or is known to damage data",
    ),
    (
        "store.subscription_ended",
        "the store was closed under a subscription: resume after its last position",
    ),
    ("store.tombstoned", "the stream is closed for ever"),
    ("store.too_large", "a limit of the store is exceeded"),
    (
        "store.unavailable",
        "the store does not answer now: nothing was stored; retry later",
    ),
    (
        "store.unknown",
        "the outcome is not known: repeat the same call with the same ids",
    ),
    (
        "store.unknown_schema",
        "the store or event was written by a newer version",
    ),
    ("store.unsupported", "this adapter cannot do that"),
];

/// Why a store refused or failed. Spec: event store, section 8.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The stream is not what the caller holds it to be. Retry after reload and a new decision.
    #[error(
        "stream `{stream}` is at version {actual}, expected {expected}: reload and decide again"
    )]
    Conflict {
        /// The stream.
        stream: StreamName,
        /// What was expected.
        expected: Expected,
        /// The version that it really has; 0 when absent.
        actual: StreamVersion,
    },
    /// An event id is taken by other content, another stream or another grouping.
    #[error(
        "event id `{id}` is already stored in stream `{stream}` at version {version}: give a new event a new id"
    )]
    IdReused {
        /// The id.
        id: EventId,
        /// Where it is stored.
        stream: StreamName,
        /// Where it is stored.
        version: StreamVersion,
        /// Where it is stored.
        position: Position,
    },
    /// The adapter cannot tell whether the group was stored. Repeat the same call.
    #[error("the outcome of storing {} events is not known ({reason}): repeat the same call", ids.len())]
    Unknown {
        /// The ids of the group; empty for what carries none.
        ids: Vec<EventId>,
        /// What happened.
        reason: String,
    },
    /// Nothing was stored; a retry can help.
    #[error("the store is unavailable: {reason}; retry later")]
    Unavailable {
        /// What happened.
        reason: String,
        /// When a retry makes sense.
        retry_after: Option<Duration>,
    },
    /// No room. Nothing was stored; what is stored stays readable.
    #[error("the store is full: nothing was stored; make space and {}", if *.reopen { "reopen the store" } else { "retry" })]
    Full {
        /// Whether the store must be reopened after space was made.
        reopen: bool,
    },
    /// The store is damaged. Stop and page somebody.
    #[error("the store is corrupt: {0}; stop and restore from a backup")]
    Corrupt(Corruption),
    /// The stream is closed for ever.
    #[error("stream `{stream}` is tombstoned: it takes and gives no events any more")]
    Tombstoned {
        /// The stream.
        stream: StreamName,
    },
    /// A limit is exceeded. Nothing was stored.
    #[error("too many {what}: {found}, at most {limit}")]
    TooLarge {
        /// What is counted.
        what: &'static str,
        /// The count given.
        found: usize,
        /// The highest count taken.
        limit: usize,
    },
    /// The call itself is not valid.
    #[error("invalid input: {reason}")]
    InvalidInput {
        /// Why.
        reason: String,
    },
    /// Written by a newer version than this code.
    #[error("{what} has schema {found}, this version knows up to {known}: use a newer version")]
    UnknownSchema {
        /// The event type, or the part of the store.
        what: String,
        /// The schema or format found.
        found: u32,
        /// The newest one known.
        known: u32,
    },
    /// The engine promises less than was asked for.
    #[error("the store is misconfigured: {reason}")]
    Misconfigured {
        /// What was asked for and what was found.
        reason: String,
    },
    /// This adapter cannot do that.
    #[error("this store does not support {what}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
    },
    /// The store was closed under a subscription.
    #[error(
        "the subscription ended after position {last}: the store was closed; subscribe again from there"
    )]
    SubscriptionEnded {
        /// The last position that was delivered or scanned.
        last: Position,
    },
}

impl StoreError {
    pub(crate) fn invalid(reason: impl Into<String>) -> Self {
        Self::InvalidInput {
            reason: reason.into(),
        }
    }

    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable {
            reason: reason.into(),
            retry_after: None,
        }
    }

    /// Whether the same call may be made again: see each variant for what has to happen before.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Conflict { .. }
                | Self::Unknown { .. }
                | Self::Unavailable { .. }
                | Self::Full { .. }
                | Self::SubscriptionEnded { .. }
        )
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "store.conflict",
            Self::IdReused { .. } => "store.id_reused",
            Self::Unknown { .. } => "store.unknown",
            Self::Unavailable { .. } => "store.unavailable",
            Self::Full { .. } => "store.full",
            Self::Corrupt(_) => "store.corrupt",
            Self::Tombstoned { .. } => "store.tombstoned",
            Self::TooLarge { .. } => "store.too_large",
            Self::InvalidInput { .. } => "store.invalid_input",
            Self::UnknownSchema { .. } => "store.unknown_schema",
            Self::Misconfigured { .. } => "store.misconfigured",
            Self::Unsupported { .. } => "store.unsupported",
            Self::SubscriptionEnded { .. } => "store.subscription_ended",
        }
    }
}

impl ErrorCode for StoreError {
    fn code(&self) -> &'static str {
        StoreError::code(self)
    }
}

impl From<Corruption> for StoreError {
    fn from(corruption: Corruption) -> Self {
        Self::Corrupt(corruption)
    }
}

/// What is wrong with a damaged store: where, what was expected, what was found.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Corruption {
    /// A projection has folded events that the log does not hold any more.
    #[error(
        "projection `{name}` is at position {checkpoint}, the log ends at {head}: the log has lost its tail"
    )]
    LogShorterThanCheckpoint {
        /// The projection.
        name: String,
        /// Its position.
        checkpoint: Position,
        /// The log's end.
        head: Position,
    },
    /// The head witness has seen events that the log does not hold any more.
    #[error(
        "the head witness saw position {witness}, the log ends at {head}: the log has lost its tail"
    )]
    LogShorterThanWitness {
        /// The position witnessed.
        witness: Position,
        /// The log's end.
        head: Position,
    },
    /// The log holds other events than the head witness saw.
    #[error("the event at position {position} is not the one that the head witness saw")]
    OtherThanWitness {
        /// The position witnessed.
        position: Position,
    },
    /// An envelope does not match its checksum.
    #[error("the event at position {position} has checksum {found:08x}, expected {expected:08x}")]
    Checksum {
        /// Where.
        position: Position,
        /// The checksum stored with it.
        expected: u32,
        /// The checksum of what was read.
        found: u32,
    },
    /// The chain of hashes breaks.
    #[error("the hash chain breaks at position {position}")]
    Chain {
        /// Where.
        position: Position,
    },
    /// An event is missing from the log or from its stream.
    #[error("{place}: expected {expected}, found {found}")]
    Missing {
        /// Where.
        place: String,
        /// What was expected there.
        expected: u64,
        /// What was found instead.
        found: u64,
    },
    /// Stored bytes cannot be read.
    #[error("{place}: {reason}")]
    Malformed {
        /// Where.
        place: String,
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_listed_once_and_in_order() {
        assert!(CODES.is_sorted_by(|a, b| a.0 < b.0));
        let stream: StreamName = "thing-a".parse().unwrap();
        let every = [
            StoreError::Conflict {
                stream: stream.clone(),
                expected: Expected::Any,
                actual: StreamVersion(1),
            },
            StoreError::IdReused {
                id: EventId::v7(1, [0; 10]),
                stream: stream.clone(),
                version: StreamVersion(1),
                position: Position(1),
            },
            StoreError::Unknown {
                ids: vec![],
                reason: String::new(),
            },
            StoreError::unavailable("x"),
            StoreError::Full { reopen: false },
            Corruption::Chain {
                position: Position(1),
            }
            .into(),
            StoreError::Tombstoned { stream },
            StoreError::TooLarge {
                what: "events",
                found: 2,
                limit: 1,
            },
            StoreError::invalid("x"),
            StoreError::UnknownSchema {
                what: String::new(),
                found: 2,
                known: 1,
            },
            StoreError::Misconfigured {
                reason: String::new(),
            },
            StoreError::Unsupported { what: "x" },
            StoreError::SubscriptionEnded { last: Position(1) },
        ];
        assert_eq!(every.len(), CODES.len());
        for error in every {
            assert!(CODES.iter().any(|(code, _)| *code == error.code()));
            assert!(!error.to_string().contains('\n'));
        }
    }
}
