//! What is asked of a read and what it gives.

use fleet_model::kernel::{Category, EventType, Position, Recorded, StreamName, StreamVersion};

/// Which way a stream is read.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Direction {
    /// From old to new.
    #[default]
    Forward,
    /// From new to old.
    Backward,
}

/// Reads one stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamRead {
    /// The stream.
    pub stream: StreamName,
    /// The first version to give. Forward, 0 and versions that are hidden stand for the first one; backward,
    /// anything above the end stands for the last one.
    pub from: StreamVersion,
    /// Which way.
    pub direction: Direction,
    /// The most events to give; 0 gives the state only.
    pub limit: usize,
    /// Do not answer from an older state of the log than this.
    pub at_least: Option<Position>,
}

impl StreamRead {
    /// The whole stream, from its first version on.
    #[must_use]
    pub fn of(stream: StreamName) -> Self {
        Self {
            stream,
            from: StreamVersion::ZERO,
            direction: Direction::Forward,
            limit: usize::MAX,
            at_least: None,
        }
    }

    /// From this version on.
    #[must_use]
    pub fn from(mut self, version: StreamVersion) -> Self {
        self.from = version;
        self
    }

    /// At most so many events.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// From the end, or from [`StreamRead::from`] when that was given, towards the beginning.
    #[must_use]
    pub fn backward(mut self) -> Self {
        self.direction = Direction::Backward;
        if self.from == StreamVersion::ZERO {
            self.from = StreamVersion(u64::MAX);
        }
        self
    }
}

/// What a stream is. The caller handles every case; a closed stream is `store.tombstoned`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StreamState {
    /// No event was ever written to it.
    Absent,
    /// It has events.
    Live {
        /// The version of its last event.
        version: StreamVersion,
        /// The first version that is not hidden; above `version` when all are.
        first_version: StreamVersion,
    },
}

impl StreamState {
    /// The last version, 0 when absent.
    #[must_use]
    pub const fn version(self) -> StreamVersion {
        match self {
            Self::Absent => StreamVersion::ZERO,
            Self::Live { version, .. } => version,
        }
    }
}

/// Events of one stream.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StreamPage {
    /// What the stream was at the time of reading.
    pub state: StreamState,
    /// Its events, in the direction asked for.
    pub events: Vec<Recorded>,
}

/// Which events of the log are wanted: those that meet every condition given.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Filter {
    /// Streams of one of these categories; empty is any.
    pub categories: Vec<Category>,
    /// Events of one of these types; empty is any.
    pub event_types: Vec<EventType>,
    /// Streams whose name begins so, bytewise.
    pub stream_prefix: Option<String>,
}

impl Filter {
    /// Whether every event is wanted.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.categories.is_empty() && self.event_types.is_empty() && self.stream_prefix.is_none()
    }

    /// Whether an event of this stream and type is wanted.
    #[must_use]
    pub fn accepts(&self, stream: &str, event_type: &str) -> bool {
        let category = stream.split_once('-').map_or(stream, |(name, _)| name);
        (self.categories.is_empty() || self.categories.iter().any(|c| c.as_str() == category))
            && (self.event_types.is_empty()
                || self.event_types.iter().any(|t| t.as_str() == event_type))
            && self
                .stream_prefix
                .as_deref()
                .is_none_or(|prefix| stream.starts_with(prefix))
    }
}

/// Reads the whole log.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogRead {
    /// Events above this position.
    pub after: Position,
    /// The most events to give.
    pub limit: usize,
    /// Which events.
    pub filter: Filter,
    /// Do not answer from an older state of the log than this.
    pub at_least: Option<Position>,
}

impl LogRead {
    /// The next 1000 events after a position.
    #[must_use]
    pub fn after(position: Position) -> Self {
        Self {
            after: position,
            limit: 1_000,
            filter: Filter::default(),
            at_least: None,
        }
    }

    /// At most so many events.
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }

    /// Only these events.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }
}

/// Events of the log, in position order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LogPage {
    /// Those that met the filter.
    pub events: Vec<Recorded>,
    /// Every event up to here was looked at: go on from here.
    pub scanned_to: Position,
    /// The log's end at the time of reading; `scanned_to == head` means that nothing is left.
    pub head: Position,
}
