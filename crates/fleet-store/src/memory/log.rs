//! One tenant's log as plain values.

use crate::backup::Hidden;
use crate::group::{self, Place};
use crate::port::{
    Append, Appended, Checkpoint, CheckpointState, Corruption, Direction, LogPage, LogRead,
    ScrubPage, Snapshot, StoreError, StreamPage, StreamRead, StreamState, event_hash,
};
use crate::record;
use fleet_model::kernel::{
    EventId, Position, Recorded, StreamName, StreamVersion, TenantId, Timestamp,
};
use std::collections::HashMap;

/// The events of a tenant, dense from position 1, and what hangs on them.
#[derive(Clone, Default)]
pub(crate) struct Log {
    events: Vec<Recorded>,
    streams: HashMap<StreamName, Entry>,
    ids: HashMap<EventId, Position>,
    snapshots: HashMap<StreamName, Snapshot>,
    checkpoints: HashMap<String, Checkpoint>,
    chain: Option<[u8; 32]>,
    ignored: u64,
    /// Groups are stored without a look at their ids: a planted bug.
    #[cfg(feature = "simulation")]
    blind: bool,
}

/// A stream: where its versions are.
#[derive(Clone, Default)]
struct Entry {
    positions: Vec<Position>,
    first: StreamVersion,
    tombstoned: bool,
}

impl Entry {
    fn version(&self) -> StreamVersion {
        StreamVersion(self.positions.len() as u64)
    }
}

impl Log {
    pub(crate) fn chained() -> Self {
        Self {
            chain: Some([0; 32]),
            ..Self::default()
        }
    }

    pub(crate) fn empty_like(&self) -> Self {
        Self {
            chain: self.chain.map(|_| [0; 32]),
            ..Self::default()
        }
    }

    /// Plants the bug that simulations must find.
    #[cfg(feature = "simulation")]
    pub(crate) fn forget_ids(&mut self) {
        self.blind = true;
    }

    pub(crate) fn is_chained(&self) -> bool {
        self.chain.is_some()
    }

    pub(crate) fn snapshots_ignored(&self) -> u64 {
        self.ignored
    }

    pub(crate) fn head(&self) -> Position {
        Position(self.events.len() as u64)
    }

    fn at(&self, position: Position) -> Result<&Recorded, StoreError> {
        let index = usize::try_from(position.0)
            .ok()
            .and_then(|n| n.checked_sub(1));
        index.and_then(|n| self.events.get(n)).ok_or_else(|| {
            Corruption::Missing {
                place: "log".to_owned(),
                expected: position.0,
                found: self.head().0,
            }
            .into()
        })
    }

    pub(crate) fn append(
        &mut self,
        tenant: &TenantId,
        append: Append,
        recorded_at: Timestamp,
    ) -> Result<Appended, StoreError> {
        let actual = match self.live(&append.stream)? {
            Some(entry) => entry.version(),
            None => StreamVersion::ZERO,
        };
        let found = |id: EventId| {
            let position = self.ids.get(&id);
            position.map(|at| self.at(*at).cloned()).transpose()
        };
        #[cfg(feature = "simulation")]
        let known = if self.blind {
            None
        } else {
            group::stored_before(&append, found)?
        };
        #[cfg(not(feature = "simulation"))]
        let known = group::stored_before(&append, found)?;
        if let Some(events) = known {
            return Ok(Appended {
                events,
                deduplicated: true,
            });
        }
        group::check_expected(&append, actual)?;
        let place = Place {
            tenant,
            stream: append.stream,
            after_version: actual,
            after_position: self.head(),
            recorded_at,
        };
        let mut events = group::place(place, append.events);
        for event in &mut events {
            record::seal(event, self.chain.as_ref());
            self.push(event.clone());
        }
        Ok(Appended {
            events,
            deduplicated: false,
        })
    }

    /// Takes an event that is sealed and in its place.
    fn push(&mut self, event: Recorded) {
        self.chain = event.chain;
        self.ids.insert(event.event.id, event.position);
        let entry = self.streams.entry(event.stream.clone()).or_default();
        if entry.positions.is_empty() {
            entry.first = StreamVersion(1);
        }
        entry.positions.push(event.position);
        self.events.push(event);
    }

    /// Takes an event of a backup at its place.
    pub(crate) fn import(&mut self, event: Recorded) -> Result<(), StoreError> {
        let mut sealed = event.clone();
        record::seal(&mut sealed, self.chain.as_ref());
        let version = self
            .streams
            .get(&event.stream)
            .map_or(0, |entry| entry.version().0);
        let follows = event.position == self.head().next() && event.version.0 == version + 1;
        if sealed != event || !follows || self.ids.contains_key(&event.event.id) {
            return Err(Corruption::Malformed {
                place: format!("backup, position {}", event.position),
                reason: "the event does not follow the ones before it".to_owned(),
            }
            .into());
        }
        self.push(event);
        Ok(())
    }

    /// Takes what a backup says of a stream.
    pub(crate) fn hide(&mut self, hidden: &Hidden) -> Result<(), StoreError> {
        // A truncation may have come after the backup's last event of the stream.
        if let Some(entry) = self.streams.get_mut(&hidden.stream) {
            entry.first = hidden.first.min(entry.version().next());
            entry.tombstoned = hidden.tombstoned;
        }
        Ok(())
    }

    pub(crate) fn hidden(&self) -> Vec<Hidden> {
        let mut all: Vec<_> = self
            .streams
            .iter()
            .filter(|(_, entry)| entry.tombstoned || entry.first > StreamVersion(1))
            .map(|(stream, entry)| Hidden {
                stream: stream.clone(),
                first: entry.first,
                tombstoned: entry.tombstoned,
            })
            .collect();
        all.sort_by(|a, b| a.stream.cmp(&b.stream));
        all
    }

    /// A page with the events of closed streams, and how far it looked.
    pub(crate) fn raw_page(&self, read: &LogRead) -> (Vec<Recorded>, Position) {
        let skip = usize::try_from(read.after.0).unwrap_or(usize::MAX);
        let events: Vec<_> = self
            .events
            .iter()
            .skip(skip)
            .take(read.limit)
            .cloned()
            .collect();
        let scanned_to = events.last().map_or(read.after, |event| event.position);
        (events, scanned_to)
    }

    /// The stream, refused when it is closed.
    fn live(&self, stream: &StreamName) -> Result<Option<&Entry>, StoreError> {
        match self.streams.get(stream) {
            Some(entry) if entry.tombstoned => Err(StoreError::Tombstoned {
                stream: stream.clone(),
            }),
            entry => Ok(entry),
        }
    }

    pub(crate) fn read_stream(&self, read: &StreamRead) -> Result<StreamPage, StoreError> {
        self.reached(read.at_least)?;
        let Some(entry) = self.live(&read.stream)? else {
            return Ok(StreamPage {
                state: StreamState::Absent,
                events: Vec::new(),
            });
        };
        let (first, last) = (entry.first.0, entry.version().0);
        let versions: Box<dyn Iterator<Item = u64>> = match read.direction {
            Direction::Forward => Box::new(read.from.0.max(first)..=last),
            Direction::Backward => Box::new((first..=read.from.0.min(last)).rev()),
        };
        let mut events = Vec::new();
        for version in versions.take(read.limit) {
            let index = usize::try_from(version - 1).unwrap_or(usize::MAX);
            if let Some(position) = entry.positions.get(index) {
                events.push(self.at(*position)?.clone());
            }
        }
        Ok(StreamPage {
            state: StreamState::Live {
                version: StreamVersion(last),
                first_version: entry.first,
            },
            events,
        })
    }

    pub(crate) fn read_all(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        self.reached(read.at_least)?;
        let head = self.head();
        let mut scanned_to = read.after;
        let mut events = Vec::new();
        let skip = usize::try_from(read.after.0).unwrap_or(usize::MAX);
        for event in self.events.iter().skip(skip) {
            if events.len() >= read.limit {
                break;
            }
            scanned_to = event.position;
            let wanted = read
                .filter
                .accepts(event.stream.as_str(), event.event.event_type.as_str());
            let closed = self
                .streams
                .get(&event.stream)
                .is_some_and(|s| s.tombstoned);
            if wanted && !closed {
                events.push(event.clone());
            }
        }
        Ok(LogPage {
            events,
            scanned_to,
            head,
        })
    }

    fn reached(&self, at_least: Option<Position>) -> Result<(), StoreError> {
        match at_least {
            Some(position) if position > self.head() => Err(StoreError::unavailable(format!(
                "position {position} was asked for, the log ends at {}",
                self.head()
            ))),
            _ => Ok(()),
        }
    }

    pub(crate) fn save_snapshot(&mut self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.live(&snapshot.stream)?;
        self.snapshots.insert(snapshot.stream.clone(), snapshot);
        Ok(())
    }

    pub(crate) fn load_snapshot(
        &mut self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        let entry = self.live(stream)?;
        let Some(snapshot) = self.snapshots.get(stream) else {
            return Ok(None);
        };
        let index = usize::try_from(snapshot.version.0).unwrap_or(usize::MAX);
        let position = index
            .checked_sub(1)
            .and_then(|n| entry.and_then(|entry| entry.positions.get(n)));
        let fits = match position {
            Some(position) => event_hash(self.at(*position)?) == snapshot.event_hash,
            None => false,
        };
        if fits && snapshot.schema == schema {
            return Ok(Some(snapshot.clone()));
        }
        self.ignored += 1;
        Ok(None)
    }

    pub(crate) fn save_checkpoint(&mut self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.checkpoints.insert(checkpoint.name.clone(), checkpoint);
        Ok(())
    }

    pub(crate) fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        let Some(checkpoint) = self.checkpoints.get(name) else {
            return Ok(CheckpointState::Absent);
        };
        if checkpoint.position > self.head() {
            return Err(Corruption::LogShorterThanCheckpoint {
                name: name.to_owned(),
                checkpoint: checkpoint.position,
                head: self.head(),
            }
            .into());
        }
        if checkpoint.schema_hash != *schema_hash {
            return Ok(CheckpointState::OtherSchema);
        }
        Ok(CheckpointState::Found(checkpoint.clone()))
    }

    pub(crate) fn truncate_before(
        &mut self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError> {
        self.live(stream)?;
        let entry = self.streams.get_mut(stream);
        let Some(entry) = entry else {
            return Err(StoreError::invalid(format!(
                "stream `{stream}` has no events"
            )));
        };
        entry.first = group::truncation(stream, version, entry.first, entry.version())?;
        Ok(())
    }

    pub(crate) fn tombstone(&mut self, stream: &StreamName) -> Result<(), StoreError> {
        let Some(entry) = self.streams.get_mut(stream) else {
            return Err(StoreError::invalid(format!(
                "stream `{stream}` has no events"
            )));
        };
        entry.tombstoned = true;
        self.snapshots.remove(stream);
        Ok(())
    }

    pub(crate) fn scrub(&self, after: Position, limit: u64) -> ScrubPage {
        let skip = usize::try_from(after.0).unwrap_or(usize::MAX);
        let mut previous = skip
            .checked_sub(1)
            .and_then(|n| self.events.get(n))
            .map_or(self.chain.map(|_| [0; 32]), |event| event.chain);
        let mut page = ScrubPage {
            scanned_to: after,
            head: self.head(),
            ..ScrubPage::default()
        };
        let take = usize::try_from(limit).unwrap_or(usize::MAX);
        for event in self.events.iter().skip(skip).take(take) {
            let mut fresh = event.clone();
            record::seal(&mut fresh, previous.as_ref());
            if fresh.check != event.check {
                page.damage.push(Corruption::Checksum {
                    position: event.position,
                    expected: event.check,
                    found: fresh.check,
                });
            } else if fresh.chain != event.chain {
                page.damage.push(Corruption::Chain {
                    position: event.position,
                });
            }
            previous = event.chain;
            page.events += 1;
            page.scanned_to = event.position;
        }
        page
    }
}
