//! One tenant's log as its readers see it.

use super::fault::{damaged, nothing_stored};
use super::index::{Index, Run, checked, guarded};
use super::layout::{Closed, Place, Sql, Stored, TenantRow, crc_of};
use super::witness::Seen;
use crate::backup::{BackedUp, Hidden};
use crate::live::{Signals, Source};
use crate::port::{
    Checkpoint, CheckpointState, Corruption, Direction, LogPage, LogRead, ScrubPage, Snapshot,
    StoreError, StreamPage, StreamRead, StreamState, event_hash,
};
use crate::record::{Cursor, Names, Raw, link};
use fleet_model::kernel::{EventId, Position, Recorded, StreamName, StreamVersion, TenantId};
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Events that one page looks at, at most.
const SCAN: u64 = 100_000;
/// Idle connections that are kept.
const IDLE: usize = 8;

/// Connections for readers, beside the writer's.
pub(crate) struct Readers {
    place: Place,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::default(),
        }
    }

    /// Lets go of the idle connections.
    pub(crate) fn close(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn with<T>(
        &self,
        then: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = |then: &mut dyn FnMut(&mut Vec<Connection>)| {
            then(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut connection = None;
        idle(&mut |idle| connection = idle.pop());
        let connection = match connection {
            Some(connection) => connection,
            None => self.place.connect_reader()?,
        };
        let outcome = then(&connection);
        let mut back = Some(connection);
        idle(&mut |idle| {
            if idle.len() < IDLE
                && let Some(connection) = back.take()
            {
                idle.push(connection);
            }
        });
        outcome
    }
}

/// A stream's key in the index: a hash of its name, then the version.
pub(crate) type StreamKey = [u8; 24];
/// The hash of a stream's name.
pub(crate) type StreamHash = [u8; 16];

pub(crate) fn stream_hash(stream: &StreamName) -> StreamHash {
    let digest: [u8; 32] = Sha256::digest(stream.as_str().as_bytes()).into();
    digest.first_chunk().copied().unwrap_or_default()
}

pub(crate) fn stream_key(hash: &StreamHash, version: u64) -> StreamKey {
    let mut key = [0; 24];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(hash);
    tail.copy_from_slice(&version.to_be_bytes());
    key
}

/// A row of the log in the stream index: where it is and how many versions it holds.
pub(crate) fn row_value(position: u64, count: usize) -> u64 {
    (position << 12) | (count.saturating_sub(1) as u64 & 0xfff)
}

fn version_of(key: &StreamKey) -> u64 {
    key.split_last_chunk::<8>()
        .map_or(0, |(_, version)| u64::from_be_bytes(*version))
}

/// What readers and the writer share of a tenant.
pub(crate) struct Tenant {
    pub(crate) name: TenantId,
    pub(crate) number: u32,
    pub(crate) chained: bool,
    pub(crate) sql: Sql,
    pub(crate) readers: Arc<Readers>,
    pub(crate) ids: Index<16>,
    pub(crate) streams: Index<24>,
    pub(crate) closed: RwLock<HashMap<StreamName, Closed>>,
    pub(crate) head: AtomicU64,
    pub(crate) ignored: AtomicU64,
    signals: Signals,
}

/// What was read of the log at open.
pub(crate) struct Opened {
    pub(crate) tenant: Tenant,
    pub(crate) row: TenantRow,
    pub(crate) chain: Option<[u8; 32]>,
    pub(crate) seen: Seen,
    pub(crate) next_run: i64,
}

impl Tenant {
    /// Reads a tenant's indexes and the part of its log that they do not cover yet, and checks its end.
    pub(crate) fn open(
        connection: &Connection,
        row: TenantRow,
        readers: Arc<Readers>,
        witness: Option<Seen>,
    ) -> Result<Opened, StoreError> {
        let sql = Sql::new(row.number);
        let (ids, streams, covered, next_run) = read_runs(connection, &sql)?;
        let closed = read_closed(connection, &sql, row.closed)?;
        let tenant = Self {
            name: row.name.clone(),
            number: row.number,
            chained: row.chained,
            readers,
            ids: Index::new(ids),
            streams: Index::new(streams),
            closed: RwLock::new(closed),
            head: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            signals: Signals::default(),
            sql,
        };
        let seen = witness.unwrap_or(Seen {
            tenant: row.number,
            ..Seen::default()
        });
        let seen = if witness.is_none() && covered > 0 {
            Seen {
                since: covered,
                head: covered,
                ..seen
            }
        } else {
            seen
        };
        // The last covered event is looked at too: it must be there.
        let start = covered.min(seen.head).max(1);
        let mut end = seen;
        let mut chain = row.chained.then_some([0; 32]);
        let mut last = 0;
        let mut found = Ok(());
        tenant.walk(connection, start, u64::MAX, |raw, first_of_row, count| {
            let position = raw.position.0;
            last = position;
            if row.chained {
                chain = raw.chain;
            }
            if position == seen.head && witness.is_some() && raw.check() != seen.check {
                found = Err(Corruption::OtherThanWitness {
                    position: raw.position,
                });
                return Ok(ControlFlow::Break(()));
            }
            if position > seen.head {
                end.head = position;
                end.check = raw.check();
                end.running = crc32c::crc32c_append(end.running, &raw.check().to_be_bytes());
            }
            if position > covered {
                tenant
                    .ids
                    .extend([(*raw.id().as_uuid().as_bytes(), position)]);
                if first_of_row {
                    let stream = parsed(raw.stream, position)?;
                    let key = stream_key(&stream_hash(&stream), raw.version.0);
                    tenant.streams.extend([(key, row_value(position, count))]);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        found?;
        if last < seen.head || last < covered {
            return Err(Corruption::LogShorterThanWitness {
                witness: Position(seen.head.max(covered)),
                head: Position(last),
            }
            .into());
        }
        tenant.head.store(last, Ordering::Release);
        tenant.check_checkpoints(connection)?;
        Ok(Opened {
            tenant,
            row,
            chain,
            seen: end,
            next_run,
        })
    }

    pub(crate) fn head(&self) -> Position {
        Position(self.head.load(Ordering::Acquire))
    }

    pub(crate) fn stored<'a>(&'a self, connection: &'a Connection) -> Stored<'a> {
        Stored {
            connection,
            sql: &self.sql,
        }
    }

    /// Looks at every stored envelope from position `from` to `to`, in order; the log must be dense.
    ///
    /// `look` gets whether the envelope begins its row, and how many the row holds.
    pub(crate) fn walk(
        &self,
        connection: &Connection,
        from: u64,
        to: u64,
        mut look: impl FnMut(&Raw<'_>, bool, usize) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let failed = |error: rusqlite::Error| nothing_stored(&error);
        let from = from.max(1);
        let first = self.row_start(connection, from)?;
        let mut query = connection
            .prepare_cached(&self.sql.rows_from)
            .map_err(failed)?;
        let mut rows = query
            .query([i64::try_from(first.unwrap_or(from)).unwrap_or(i64::MAX)])
            .map_err(failed)?;
        let mut expected = first.unwrap_or(if from == 1 { 1 } else { 0 });
        while let Some(row) = rows.next().map_err(failed)? {
            let start = row.get::<_, i64>(0).map_err(failed)?.unsigned_abs();
            let bytes = row.get_ref(1).map_err(failed)?;
            let bytes = bytes
                .as_blob()
                .map_err(|error| damaged(format!("log row {start}"), error.to_string()))?;
            if start != expected {
                return Err(Corruption::Missing {
                    place: "log".to_owned(),
                    expected,
                    found: start,
                }
                .into());
            }
            if start > to {
                return Ok(());
            }
            let count = count_of(bytes);
            let mut rest = Cursor(bytes);
            while !rest.0.is_empty() {
                let raw = Raw::next(&mut rest, Position(expected))?;
                if !raw.is_of(self.name.as_str()) {
                    return Err(damaged(
                        format!("position {expected}"),
                        "another tenant's event",
                    ));
                }
                if expected >= from
                    && expected <= to
                    && look(&raw, expected == start, count)?.is_break()
                {
                    return Ok(());
                }
                expected += 1;
            }
        }
        Ok(())
    }

    /// The first position of the row that holds `position`; `None` when the log begins later or is empty.
    fn row_start(&self, connection: &Connection, position: u64) -> Result<Option<u64>, StoreError> {
        let query = connection.prepare_cached(&self.sql.row_of);
        let found: Option<i64> = query
            .and_then(|mut query| {
                let position = i64::try_from(position).unwrap_or(i64::MAX);
                query.query_row([position], |row| row.get(0)).optional()
            })
            .map_err(|error| nothing_stored(&error))?;
        Ok(found.map(i64::unsigned_abs))
    }

    /// The stored event at a position that must exist.
    pub(crate) fn event_at(
        &self,
        connection: &Connection,
        position: u64,
    ) -> Result<Recorded, StoreError> {
        let mut found = None;
        self.walk(connection, position, position, |raw, _, _| {
            found = Some(raw.to_recorded(&mut Names::default())?);
            Ok(ControlFlow::Break(()))
        })?;
        found.ok_or_else(|| {
            Corruption::Missing {
                place: "log".to_owned(),
                expected: position,
                found: self.head().0,
            }
            .into()
        })
    }

    /// The stored event of an id.
    pub(crate) fn event_of(
        &self,
        connection: &Connection,
        id: EventId,
    ) -> Result<Option<Recorded>, StoreError> {
        let blocks = self.stored(connection);
        let Some(position) = self.ids.get(&blocks, id.as_uuid().as_bytes())? else {
            return Ok(None);
        };
        let event = self.event_at(connection, position)?;
        if event.event.id != id {
            return Err(damaged(
                format!("position {position}"),
                "the id index names another event",
            ));
        }
        Ok(Some(event))
    }

    /// The last version of a stream, 0 when it does not exist.
    pub(crate) fn version_of(
        &self,
        connection: &Connection,
        hash: &StreamHash,
        head: u64,
    ) -> Result<u64, StoreError> {
        let (low, high) = (stream_key(hash, 0), stream_key(hash, u64::MAX));
        let blocks = self.stored(connection);
        let mut limit = 1;
        loop {
            // Entries above `head` were committed after it was read.
            let entries = self.streams.downwards(&blocks, &low, &high, limit)?;
            let fit = entries.iter().find(|(_, value)| value >> 12 <= head);
            if let Some((key, value)) = fit {
                return Ok(version_of(key) + (value & 0xfff));
            }
            if entries.len() < limit {
                return Ok(0);
            }
            limit *= 8;
        }
    }

    fn closed(&self, stream: &StreamName) -> Option<Closed> {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        closed.get(stream).copied()
    }

    /// The first visible version; refused when the stream is closed.
    pub(crate) fn first_visible(&self, stream: &StreamName) -> Result<u64, StoreError> {
        match self.closed(stream) {
            Some(Closed {
                tombstoned: true, ..
            }) => Err(StoreError::Tombstoned {
                stream: stream.clone(),
            }),
            Some(closed) => Ok(closed.first.0.max(1)),
            None => Ok(1),
        }
    }

    /// Whether a stream has events.
    pub(crate) fn holds(&self, stream: &StreamName) -> Result<bool, StoreError> {
        Ok(self.end_of(stream)? > StreamVersion(1))
    }

    /// The version after the last one of a stream.
    pub(crate) fn end_of(&self, stream: &StreamName) -> Result<StreamVersion, StoreError> {
        let (hash, head) = (stream_hash(stream), self.head().0);
        let last = self
            .readers
            .with(|connection| self.version_of(connection, &hash, head))?;
        Ok(StreamVersion(last + 1))
    }

    pub(crate) fn read_stream(&self, read: &StreamRead) -> Result<StreamPage, StoreError> {
        let head = self.reached(read.at_least)?;
        let first = self.first_visible(&read.stream)?;
        let hash = stream_hash(&read.stream);
        self.readers.with(|connection| {
            let last = self.version_of(connection, &hash, head.0)?;
            if last == 0 {
                return Ok(StreamPage {
                    state: StreamState::Absent,
                    events: Vec::new(),
                });
            }
            let limit = u64::try_from(read.limit).unwrap_or(u64::MAX);
            let (low, high) = match read.direction {
                Direction::Forward => {
                    let low = read.from.0.max(first);
                    (low, last.min(low.saturating_add(limit.saturating_sub(1))))
                }
                Direction::Backward => {
                    let high = read.from.0.min(last);
                    (
                        first.max(high.saturating_sub(limit.saturating_sub(1))),
                        high,
                    )
                }
            };
            let mut events = Vec::new();
            if limit > 0 && low <= high {
                events = self.versions(connection, &read.stream, &hash, low, high)?;
            }
            if read.direction == Direction::Backward {
                events.reverse();
            }
            Ok(StreamPage {
                state: StreamState::Live {
                    version: StreamVersion(last),
                    first_version: StreamVersion(first),
                },
                events,
            })
        })
    }

    /// The versions `low` to `high` of a stream, all of which must be there.
    fn versions(
        &self,
        connection: &Connection,
        stream: &StreamName,
        hash: &StreamHash,
        low: u64,
        high: u64,
    ) -> Result<Vec<Recorded>, StoreError> {
        let blocks = self.stored(connection);
        let begin = stream_key(hash, 0);
        let mut entries = self
            .streams
            .downwards(&blocks, &begin, &stream_key(hash, low), 1)?;
        let (above, to) = (stream_key(hash, low), stream_key(hash, high));
        let most = usize::try_from(high - low + 1).unwrap_or(usize::MAX);
        entries.extend(self.streams.upwards(&blocks, &above, &to, most)?);
        let missing = |expected: u64, found: u64| {
            StoreError::from(Corruption::Missing {
                place: format!("stream `{stream}`"),
                expected,
                found,
            })
        };
        let mut events = Vec::with_capacity(most.min(1_024));
        let mut names = Names::default();
        let mut next = low;
        for (_, value) in entries {
            let (position, count) = (value >> 12, (value & 0xfff) + 1);
            self.walk(connection, position, position + count - 1, |raw, _, _| {
                if raw.stream != stream.as_str() {
                    return Err(damaged(
                        format!("position {}", raw.position),
                        "the stream index names another stream's event",
                    ));
                }
                if raw.version.0 < next || raw.version.0 > high {
                    return Ok(ControlFlow::Continue(()));
                }
                if raw.version.0 != next {
                    return Err(missing(next, raw.version.0));
                }
                next += 1;
                events.push(raw.to_recorded(&mut names)?);
                Ok(ControlFlow::Continue(()))
            })?;
        }
        if next != high + 1 {
            return Err(missing(next, high));
        }
        Ok(events)
    }

    fn reached(&self, at_least: Option<Position>) -> Result<Position, StoreError> {
        let head = self.head();
        match at_least {
            Some(position) if position > head => Err(StoreError::unavailable(format!(
                "position {position} was asked for, the log ends at {head}"
            ))),
            _ => Ok(head),
        }
    }

    pub(crate) fn read_all(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        let head = self.reached(read.at_least)?;
        let mut page = LogPage {
            events: Vec::new(),
            scanned_to: read.after,
            head,
        };
        if read.after >= head || read.limit == 0 {
            return Ok(page);
        }
        let any_closed = !self
            .closed
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty();
        let everything = read.filter.is_all() && !any_closed;
        let to = head.0.min(read.after.0.saturating_add(SCAN));
        let mut names = Names::default();
        self.readers.with(|connection| {
            self.walk(connection, read.after.0 + 1, to, |raw, _, _| {
                page.scanned_to = raw.position;
                if everything || read.filter.accepts(raw.stream, raw.event_type) {
                    let event = raw.to_recorded(&mut names)?;
                    let closed =
                        any_closed && self.closed(&event.stream).is_some_and(|c| c.tombstoned);
                    if !closed {
                        page.events.push(event);
                    }
                }
                Ok(if page.events.len() >= read.limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })
        })?;
        if page.events.len() < read.limit && page.scanned_to.0 != to {
            return Err(Corruption::Missing {
                place: "log".to_owned(),
                expected: page.scanned_to.0 + 1,
                found: to,
            }
            .into());
        }
        Ok(page)
    }

    pub(crate) fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.first_visible(stream)?;
        self.readers.with(|connection| {
            let query = connection.prepare_cached(&self.sql.snapshot);
            let bytes: Option<Vec<u8>> = query
                .and_then(|mut query| {
                    query
                        .query_row([stream.as_str()], |row| row.get(0))
                        .optional()
                })
                .map_err(|error| nothing_stored(&error))?;
            let Some(bytes) = bytes else { return Ok(None) };
            let fits = decode_snapshot(&bytes, stream)
                .filter(|snapshot| snapshot.schema == schema)
                .filter(|snapshot| self.fits(connection, snapshot));
            if fits.is_none() {
                self.ignored.fetch_add(1, Ordering::Relaxed);
            }
            Ok(fits)
        })
    }

    fn fits(&self, connection: &Connection, snapshot: &Snapshot) -> bool {
        let (hash, at) = (stream_hash(&snapshot.stream), snapshot.version.0);
        at > 0
            && self
                .versions(connection, &snapshot.stream, &hash, at, at)
                .is_ok_and(|found| found.first().map(event_hash) == Some(snapshot.event_hash))
    }

    pub(crate) fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        let bytes: Option<Vec<u8>> = self.readers.with(|connection| {
            let query = connection.prepare_cached(&self.sql.checkpoint);
            query
                .and_then(|mut query| query.query_row([name], |row| row.get(0)).optional())
                .map_err(|error| nothing_stored(&error))
        })?;
        let Some(bytes) = bytes else {
            return Ok(CheckpointState::Absent);
        };
        let checkpoint = self.checked_checkpoint(&bytes)?;
        if checkpoint.name != name {
            return Err(damaged(
                format!("checkpoint `{name}`"),
                "stored under another name",
            ));
        }
        if checkpoint.schema_hash != *schema_hash {
            return Ok(CheckpointState::OtherSchema);
        }
        Ok(CheckpointState::Found(checkpoint))
    }

    fn checked_checkpoint(&self, bytes: &[u8]) -> Result<Checkpoint, StoreError> {
        let checkpoint = decode_checkpoint(bytes)
            .ok_or_else(|| damaged("checkpoint", "does not match its checksum"))?;
        if checkpoint.position > self.head() {
            return Err(Corruption::LogShorterThanCheckpoint {
                name: checkpoint.name,
                checkpoint: checkpoint.position,
                head: self.head(),
            }
            .into());
        }
        Ok(checkpoint)
    }

    fn check_checkpoints(&self, connection: &Connection) -> Result<(), StoreError> {
        let all = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut query = connection.prepare(&self.sql.checkpoints)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        for bytes in all().map_err(|error| nothing_stored(&error))? {
            self.checked_checkpoint(&bytes)?;
        }
        Ok(())
    }

    /// Checks a part of the log: envelopes, order, versions and chain, and that both indexes know each event.
    pub(crate) fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        let head = self.head();
        let mut page = ScrubPage {
            scanned_to: after,
            head,
            ..ScrubPage::default()
        };
        let to = head.0.min(after.0.saturating_add(limit));
        let mut from = after.0 + 1;
        let outcome = self.readers.with(|connection| {
            while from <= to {
                let walked = self.scrub_from(connection, from, to, &mut page);
                match walked {
                    Ok(()) => break,
                    Err(StoreError::Corrupt(damage)) => {
                        // Go on behind the damaged event.
                        page.damage.push(damage);
                        from = page.scanned_to.0.max(from) + 1;
                        page.scanned_to = Position(from - 1);
                    }
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        outcome?;
        page.scanned_to = Position(to.max(after.0));
        Ok(page)
    }

    fn scrub_from(
        &self,
        connection: &Connection,
        from: u64,
        to: u64,
        page: &mut ScrubPage,
    ) -> Result<(), StoreError> {
        let blocks = self.stored(connection);
        let mut previous: Option<[u8; 32]> = None;
        let mut known = from == 1;
        if known {
            previous = Some([0; 32]);
        }
        let mut next = from;
        self.walk(
            connection,
            from.saturating_sub(1).max(1),
            to,
            |raw, first, count| {
                let position = raw.position;
                if position.0 >= from {
                    page.scanned_to = position;
                    page.events += 1;
                    next = position.0 + 1;
                    if self.chained && known {
                        let expected = previous.map(|previous| link(&previous, raw.body));
                        if raw.chain != expected {
                            page.damage.push(Corruption::Chain { position });
                        }
                    }
                    if self.ids.get(&blocks, raw.id().as_uuid().as_bytes())? != Some(position.0) {
                        page.damage.push(Corruption::Malformed {
                            place: format!("position {position}"),
                            reason: "the id index does not know the event".to_owned(),
                        });
                    }
                    if first {
                        let stream = parsed(raw.stream, position.0)?;
                        let key = stream_key(&stream_hash(&stream), raw.version.0);
                        if self.streams.get(&blocks, &key)? != Some(row_value(position.0, count)) {
                            page.damage.push(Corruption::Malformed {
                                place: format!("position {position}"),
                                reason: "the stream index does not know the event".to_owned(),
                            });
                        }
                    }
                }
                previous = raw.chain;
                known = true;
                Ok(ControlFlow::Continue(()))
            },
        )?;
        if next <= to {
            return Err(Corruption::Missing {
                place: "log".to_owned(),
                expected: next,
                found: to,
            }
            .into());
        }
        Ok(())
    }
}

impl BackedUp for Tenant {
    fn tenant(&self) -> &TenantId {
        &self.name
    }

    fn is_chained(&self) -> bool {
        self.chained
    }

    fn hidden(&self) -> Vec<Hidden> {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        let mut all: Vec<_> = closed
            .iter()
            .map(|(stream, closed)| Hidden {
                stream: stream.clone(),
                first: closed.first,
                tombstoned: closed.tombstoned,
            })
            .collect();
        all.sort_by(|a, b| a.stream.cmp(&b.stream));
        all
    }

    fn raw_page(&self, read: &LogRead) -> Result<(Vec<Recorded>, Position), StoreError> {
        let to = read.after.0.saturating_add(read.limit as u64);
        let (mut events, mut names) = (Vec::new(), Names::default());
        self.readers.with(|connection| {
            self.walk(connection, read.after.0 + 1, to, |raw, _, _| {
                events.push(raw.to_recorded(&mut names)?);
                Ok(ControlFlow::Continue(()))
            })
        })?;
        let scanned_to = events.last().map_or(read.after, |event| event.position);
        Ok((events, scanned_to))
    }
}

impl Source for Tenant {
    fn page(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        self.read_all(read)
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}

fn parsed(stream: &str, position: u64) -> Result<StreamName, StoreError> {
    stream.parse().map_err(|_| {
        damaged(
            format!("position {position}"),
            "the stream's name is not valid",
        )
    })
}

/// How many stored envelopes a row holds, by their lengths.
fn count_of(bytes: &[u8]) -> usize {
    let mut rest = Cursor(bytes);
    let mut count = 0;
    while let Some(length) = rest.u32() {
        count += 1;
        if rest
            .take(usize::try_from(length).unwrap_or(usize::MAX))
            .is_none()
        {
            break;
        }
    }
    count
}

type Runs = (Vec<Arc<Run<16>>>, Vec<Arc<Run<24>>>, u64, i64);

/// The index runs, oldest first, and the position up to which they cover the log.
fn read_runs(connection: &Connection, sql: &Sql) -> Result<Runs, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let mut query = connection.prepare(&sql.runs)?;
        query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let (mut ids, mut streams, mut last) = (Vec::new(), Vec::new(), 0);
    for (number, header) in rows().map_err(|error| nothing_stored(&error))? {
        last = number;
        if let Some(run) = Run::<16>::read(number, &header) {
            ids.push(Arc::new(run));
        } else if let Some(run) = Run::<24>::read(number, &header) {
            streams.push(Arc::new(run));
        } else {
            return Err(damaged(
                format!("header of index run {number}"),
                "does not match its checksum",
            ));
        }
    }
    ids.sort_by_key(|run| run.from);
    streams.sort_by_key(|run| run.from);
    let covered = tiled(ids.iter().map(|run| (run.from, run.to)))?;
    if covered != tiled(streams.iter().map(|run| (run.from, run.to)))? {
        return Err(damaged("index runs", "a run is missing"));
    }
    Ok((ids, streams, covered, last + 1))
}

/// The end of ranges that follow each other from 1 on without a gap.
fn tiled(ranges: impl Iterator<Item = (u64, u64)>) -> Result<u64, StoreError> {
    let mut end = 0;
    for (from, to) in ranges {
        if from != end + 1 {
            return Err(damaged(
                "index runs",
                format!("none covers position {}", end + 1),
            ));
        }
        end = to;
    }
    Ok(end)
}

fn read_closed(
    connection: &Connection,
    sql: &Sql,
    expected: (u64, u32),
) -> Result<HashMap<StreamName, Closed>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let mut query = connection.prepare(&sql.closed)?;
        query.query_map([], |row| row.get(0))?.collect()
    };
    let rows = rows().map_err(|error| nothing_stored(&error))?;
    let sum = rows
        .iter()
        .fold(0u32, |sum, row| sum.wrapping_add(crc_of(row)));
    let closed: Option<HashMap<_, _>> = rows.iter().map(|row| Closed::decode(row)).collect();
    match closed {
        Some(closed) if (closed.len() as u64, sum) == expected => Ok(closed),
        _ => Err(damaged(
            "table of closed streams",
            "a row is damaged or missing",
        )),
    }
}

pub(crate) fn encode_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + snapshot.bytes.len());
    out.extend_from_slice(&snapshot.version.0.to_be_bytes());
    out.extend_from_slice(&snapshot.schema.to_be_bytes());
    out.extend_from_slice(&snapshot.event_hash);
    out.extend_from_slice(&snapshot.bytes);
    guarded(out)
}

fn decode_snapshot(bytes: &[u8], stream: &StreamName) -> Option<Snapshot> {
    let mut rest = Cursor(checked(bytes)?);
    Some(Snapshot {
        stream: stream.clone(),
        version: StreamVersion(rest.u64()?),
        schema: u16::from_be_bytes(rest.array()?),
        event_hash: rest.array()?,
        bytes: rest.0.into(),
    })
}

pub(crate) fn encode_checkpoint(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + checkpoint.name.len() + checkpoint.state.len());
    out.extend_from_slice(&checkpoint.position.0.to_be_bytes());
    out.extend_from_slice(&checkpoint.schema_hash);
    let name = checkpoint.name.as_bytes();
    out.extend_from_slice(&u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&checkpoint.state);
    guarded(out)
}

fn decode_checkpoint(bytes: &[u8]) -> Option<Checkpoint> {
    let mut rest = Cursor(checked(bytes)?);
    let position = Position(rest.u64()?);
    let schema_hash = rest.array()?;
    let length = usize::try_from(rest.u32()?).ok()?;
    let name = std::str::from_utf8(rest.take(length)?).ok()?.to_owned();
    Some(Checkpoint {
        name,
        schema_hash,
        position,
        state: rest.0.into(),
    })
}
