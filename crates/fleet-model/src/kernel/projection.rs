//! Read models that fold the log.

use super::{DecodeError, ErrorCode, Position, Recorded, StreamVersion};

/// What folding an event did.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Applied {
    /// It changed the read model, or could have.
    Folded,
    /// Its position was reached before: ignored.
    Redelivered,
}

/// A read model: a fold of recorded events that remembers how far it came.
///
/// Laws: an event at or below [`Projection::position`] changes nothing; a model rebuilt from
/// the start equals the one kept incrementally.
pub trait Projection {
    /// The position of the last event folded; zero before the first.
    fn position(&self) -> Position;

    /// Folds one event, in position order.
    ///
    /// # Errors
    /// An event that this code cannot read stops the projection where it is.
    fn apply(&mut self, recorded: &Recorded) -> Result<Applied, ProjectionError>;
}

/// Why a projection stopped.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProjectionError {
    /// The event cannot be read.
    #[error("at position {position}: {source}")]
    Undecodable {
        /// Where the projection stopped.
        position: Position,
        /// Why.
        source: DecodeError,
    },
    /// The event skips a version of its stream.
    #[error("stream `{stream}` jumps from version {seen} to {found} at position {position}")]
    Gap {
        /// The stream.
        stream: String,
        /// The version folded last.
        seen: StreamVersion,
        /// The version found.
        found: StreamVersion,
        /// Where the projection stopped.
        position: Position,
    },
}

impl ErrorCode for ProjectionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Undecodable { source, .. } => source.code(),
            Self::Gap { .. } => "kernel.version_gap",
        }
    }
}
