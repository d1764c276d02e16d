//! What is asked of an append and what it gives.

use fleet_model::kernel::{EventId, NewEvent, Position, Recorded, StreamName, StreamVersion};
use std::fmt;

use super::{Capabilities, StoreError};

/// What the caller holds a stream to be. Check and write are one atomic step.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    /// No event was ever written to it.
    NoStream,
    /// This is its last version; 0 is the same as [`Expected::NoStream`].
    Exact(StreamVersion),
    /// It has at least one event.
    Exists,
    /// Whatever it is.
    Any,
}

impl Expected {
    /// Whether a stream whose last version is `actual` (0 when absent) meets this.
    #[must_use]
    pub fn holds(self, actual: StreamVersion) -> bool {
        match self {
            Self::NoStream => actual == StreamVersion::ZERO,
            Self::Exact(version) => actual == version,
            Self::Exists => actual > StreamVersion::ZERO,
            Self::Any => true,
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStream => f.write_str("no stream"),
            Self::Exact(version) => write!(f, "version {version}"),
            Self::Exists => f.write_str("an existing stream"),
            Self::Any => f.write_str("any version"),
        }
    }
}

/// One commit group: events that are stored together, contiguous in one stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Append {
    /// The stream that takes them.
    pub stream: StreamName,
    /// What the caller holds the stream to be.
    pub expected: Expected,
    /// 1 to 1000 events of at most 1 MiB each, unless the adapter declares more.
    pub events: Vec<NewEvent>,
}

impl Append {
    /// An append of `events` to `stream`.
    #[must_use]
    pub fn new(stream: StreamName, expected: Expected, events: Vec<NewEvent>) -> Self {
        Self {
            stream,
            expected,
            events,
        }
    }
}

/// Where a group stands in the log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Appended {
    /// The group as recorded, in order; never empty.
    pub events: Vec<Recorded>,
    /// The group was stored by an earlier call.
    pub deduplicated: bool,
}

impl Appended {
    /// Version of the group's first event.
    #[must_use]
    pub fn first_version(&self) -> StreamVersion {
        self.events
            .first()
            .map_or(StreamVersion::ZERO, |event| event.version)
    }

    /// Version of the group's last event: the stream's version after the append.
    #[must_use]
    pub fn last_version(&self) -> StreamVersion {
        self.events
            .last()
            .map_or(StreamVersion::ZERO, |event| event.version)
    }

    /// Position of the group's first event.
    #[must_use]
    pub fn first_position(&self) -> Position {
        self.events
            .first()
            .map_or(Position::ZERO, |event| event.position)
    }

    /// Position of the group's last event.
    #[must_use]
    pub fn last_position(&self) -> Position {
        self.events
            .last()
            .map_or(Position::ZERO, |event| event.position)
    }
}

/// Events of one append.
pub(crate) const MAX_EVENTS: usize = 1_000;
/// Bytes of `data` of one event.
pub(crate) const MAX_EVENT_BYTES: usize = 1 << 20;
/// Bytes of names and texts of `meta` together.
const MAX_META_BYTES: usize = 4 << 10;

impl Append {
    /// Checks sizes and the ids among themselves, as every adapter must before it stores anything.
    ///
    /// # Errors
    /// `store.invalid_input` for an empty group, a schema of 0 or an id that stands twice in the group;
    /// `store.too_large` beyond a limit.
    pub fn check(&self, capabilities: &Capabilities) -> Result<(), StoreError> {
        if self.events.is_empty() {
            return Err(StoreError::invalid("an append holds at least one event"));
        }
        too_large(
            "events of an append",
            self.events.len(),
            capabilities.max_events,
        )?;
        if let Some(id) = self.id_that_stands_twice() {
            return Err(StoreError::invalid(format!(
                "event id `{id}` stands twice in one append"
            )));
        }
        for event in &self.events {
            too_large(
                "bytes of an event",
                event.data.len(),
                capabilities.max_event_bytes,
            )?;
            let meta = event.meta.iter().map(|(k, v)| k.len() + v.len()).sum();
            too_large("bytes of an event's meta", meta, MAX_META_BYTES)?;
            if event.schema == 0 {
                return Err(StoreError::invalid("schemas count from 1"));
            }
        }
        Ok(())
    }

    fn id_that_stands_twice(&self) -> Option<EventId> {
        if self.events.len() < 2 {
            return None;
        }
        let mut ids: Vec<_> = self.events.iter().map(|event| event.id).collect();
        ids.sort_unstable();
        ids.windows(2).find_map(|pair| match pair {
            [a, b] if a == b => Some(*a),
            _ => None,
        })
    }
}

fn too_large(what: &'static str, found: usize, limit: usize) -> Result<(), StoreError> {
    if found > limit {
        return Err(StoreError::TooLarge { what, found, limit });
    }
    Ok(())
}
