//! What a piece of work would write, decided before anything of it is written.

use super::fault::damaged;
use super::index::FRESH;
use super::keys::{StreamHash, StreamKey, positions_of, row_value, stream_hash, stream_key};
use super::layout::{Closed, TenantRow};
use super::tenant::Tenant;
use super::witness::Seen;
use super::writer::Outcome;
use crate::group::{self, Place};
use crate::port::{Append, Appended, StoreError};
use crate::record;
use fleet_model::kernel::{EventId, Position, Recorded, StreamName, StreamVersion, Timestamp};
use hashbrown::HashMap;
use rusqlite::Connection;
use std::sync::{Arc, PoisonError};

/// Stored bytes of one row, about: a larger group takes several rows.
const ROW_BYTES: usize = 64 << 10;
/// Stored bytes up to which groups of one transaction share a row, which then fills a page.
const SHARED_BYTES: usize = 4_000;
/// Stored bytes of an event besides its data, about.
const ENVELOPE_BYTES: usize = 256;
/// Streams whose last version is remembered.
const HEADS: usize = 200_000;

/// A tenant's log as its writer sees it.
pub(crate) struct Log {
    pub(super) shared: Arc<Tenant>,
    pub(super) row: TenantRow,
    /// The last position, staged ones included.
    pub(super) last: u64,
    pub(super) chain: Option<[u8; 32]>,
    pub(super) seen: Seen,
    /// What `seen` was at the last event that is known to be stored.
    pub(super) committed: Seen,
    heads: HashMap<StreamHash, u64>,
    pub(super) staged: Staged,
    pub(super) next_run: i64,
    /// Fresh index entries from which a run is written.
    pub(super) flush_at: usize,
}

/// What the open transaction holds of a tenant.
#[derive(Default)]
pub(super) struct Staged {
    /// Where in the transaction's outcomes an id stands: which outcome, which event.
    ids: HashMap<EventId, (usize, usize)>,
    pub(super) new_ids: Vec<([u8; 16], u64)>,
    pub(super) entries: Vec<(StreamKey, u64)>,
    pub(super) closed: Vec<(StreamName, Closed)>,
    pub(super) row: Option<TenantRow>,
    /// The last row of the log, which the next group may share.
    pub(super) open: Option<Row>,
}

impl Staged {
    pub(super) fn is_empty(&self) -> bool {
        self.new_ids.is_empty() && self.closed.is_empty()
    }
}

/// A row of the log.
pub(super) struct Row {
    pub(super) position: u64,
    pub(super) bytes: Vec<u8>,
}

impl Log {
    pub(super) fn new(
        shared: Arc<Tenant>,
        row: TenantRow,
        chain: Option<[u8; 32]>,
        seen: Seen,
        next_run: i64,
    ) -> Self {
        Self {
            last: shared.head().0,
            shared,
            row,
            chain,
            seen,
            committed: seen,
            heads: HashMap::new(),
            staged: Staged::default(),
            next_run,
            flush_at: FRESH,
        }
    }

    /// Forgets what was staged: the transaction is rolled back.
    pub(super) fn forget(&mut self) {
        self.staged = Staged::default();
        self.heads.clear();
    }

    fn closed(&self, stream: &StreamName) -> Closed {
        let staged = self.staged.closed.iter().rev();
        if let Some((_, closed)) = staged.into_iter().find(|(name, _)| name == stream) {
            return *closed;
        }
        let closed = self.shared.closed.read();
        let closed = closed.unwrap_or_else(PoisonError::into_inner);
        closed.get(stream).copied().unwrap_or_default()
    }

    fn version(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
    ) -> Result<(StreamHash, u64), StoreError> {
        let hash = stream_hash(stream);
        if let Some(version) = self.heads.get(&hash) {
            return Ok((hash, *version));
        }
        let version = self.shared.version_of(connection, &hash, u64::MAX >> 12)?;
        // What is staged is known here only.
        if self.heads.len() >= HEADS && self.staged.is_empty() {
            self.heads.clear();
        }
        self.heads.insert(hash, version);
        Ok((hash, version))
    }

    /// The rows that an append completes and what it gives, or the group as stored before, without rows.
    ///
    /// `before` are the outcomes of the transaction so far.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        append: &Append,
        before: &[Outcome],
        now: Timestamp,
    ) -> Result<(Vec<Row>, Appended), StoreError> {
        if self.closed(&append.stream).tombstoned {
            return Err(StoreError::Tombstoned {
                stream: append.stream.clone(),
            });
        }
        let find = |id: EventId| match self.staged.ids.get(&id) {
            Some((outcome, event)) => match before.get(*outcome) {
                Some(Ok(Some(appended))) => Ok(appended.events.get(*event).cloned()),
                _ => Ok(None),
            },
            None => self.shared.event_of(connection, id),
        };
        if let Some(events) = group::stored_before(append, find)? {
            let deduplicated = true;
            return Ok((
                Vec::new(),
                Appended {
                    events,
                    deduplicated,
                },
            ));
        }
        let (hash, version) = self.version(connection, &append.stream)?;
        group::check_expected(append, StreamVersion(version))?;
        let place = Place {
            tenant: &self.shared.name,
            stream: append.stream.clone(),
            after_version: StreamVersion(version),
            after_position: Position(self.last),
            recorded_at: now,
        };
        let mut events = group::place(place, append.events.clone());
        let rows = self.encode(&hash, &mut events, before.len());
        if let Some(version) = self.heads.get_mut(&hash) {
            *version += events.len() as u64;
        }
        self.last += events.len() as u64;
        let deduplicated = false;
        Ok((
            rows,
            Appended {
                events,
                deduplicated,
            },
        ))
    }

    /// Seals and stores `events` at the log's end, and stages their index entries. Gives the rows that are complete.
    fn encode(&mut self, hash: &StreamHash, events: &mut [Recorded], outcome: usize) -> Vec<Row> {
        let size = |event: &Recorded| event.event.data.len() + ENVELOPE_BYTES;
        let size: usize = events.iter().map(size).sum();
        let mut complete = Vec::new();
        let full = |row: &mut Row| row.bytes.len() + size > SHARED_BYTES;
        complete.extend(self.staged.open.take_if(full));
        let mut shared = self.staged.open.is_some();
        let mut part = None;
        for (n, event) in events.iter_mut().enumerate() {
            let position = event.position.0;
            if let Some(row) = self.staged.open.take_if(|row| row.bytes.len() >= ROW_BYTES) {
                complete.push(row);
                self.stage(hash, part.take(), shared);
                shared = false;
            }
            let row = self.staged.open.get_or_insert_with(|| Row {
                position,
                bytes: Vec::with_capacity(size.clamp(SHARED_BYTES, ROW_BYTES)),
            });
            record::encode(event, self.chain.as_ref(), &mut row.bytes);
            self.chain = event.chain;
            self.seen.head = position;
            self.seen.check = event.check;
            self.seen.running =
                crc32c::crc32c_append(self.seen.running, &event.check.to_be_bytes());
            part.get_or_insert((event.version.0, position, 0)).2 += 1;
            self.staged.ids.insert(event.event.id, (outcome, n));
            let id = *event.event.id.as_uuid().as_bytes();
            self.staged.new_ids.push((id, position));
        }
        self.stage(hash, part, shared);
        complete
    }

    /// Stages the entry of events that stand together in a row: version and position of the first, and how many.
    /// In a row that is `shared`, they may go on what the group before them began.
    fn stage(&mut self, hash: &StreamHash, part: Option<(u64, u64, usize)>, shared: bool) {
        let Some((version, position, count)) = part else {
            return;
        };
        let entries = &mut self.staged.entries;
        if let Some((key, value)) = entries.last_mut()
            && let (first, last) = positions_of(*value)
            && shared
            && key.starts_with(hash)
            && last + 1 == position
        {
            let before = usize::try_from(last + 1 - first).unwrap_or(usize::MAX);
            *value = row_value(first, before.saturating_add(count));
        } else {
            entries.push((stream_key(hash, version), row_value(position, count)));
        }
    }

    /// The rows of events that a backup holds after the log's end. What does not follow fails the transaction.
    pub(super) fn import(
        &mut self,
        connection: &Connection,
        events: &[Recorded],
    ) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for group in events.chunk_by(|a, b| a.stream == b.stream) {
            for group in group.chunks(1_000) {
                rows.extend(self.import_group(connection, group)?);
            }
        }
        Ok(rows)
    }

    fn import_group(
        &mut self,
        connection: &Connection,
        group: &[Recorded],
    ) -> Result<Vec<Row>, StoreError> {
        let refused = |position: Position| {
            damaged(
                format!("backup, position {position}"),
                "the event does not follow the ones before it",
            )
        };
        let Some(first) = group.first() else {
            return Ok(Vec::new());
        };
        let (hash, version) = self.version(connection, &first.stream)?;
        for (n, event) in (1u64..).zip(group) {
            let follows = event.position.0 == self.last + n && event.version.0 == version + n;
            let known = self.shared.event_of(connection, event.event.id)?.is_some();
            if !follows || known || event.tenant != self.shared.name {
                return Err(refused(event.position));
            }
        }
        let mut sealed = group.to_vec();
        let rows = self.encode(&hash, &mut sealed, usize::MAX);
        if sealed != group {
            return Err(refused(first.position));
        }
        if let Some(version) = self.heads.get_mut(&hash) {
            *version += group.len() as u64;
        }
        self.last += group.len() as u64;
        Ok(rows)
    }

    /// What is to be stored of a stream that is truncated or closed; `None` when nothing changes.
    pub(super) fn close(
        &mut self,
        connection: &Connection,
        stream: &StreamName,
        truncate: Option<StreamVersion>,
    ) -> Result<Option<(Closed, Closed)>, StoreError> {
        let old = self.closed(stream);
        if old.tombstoned {
            return match truncate {
                None => Ok(None),
                Some(_) => Err(StoreError::Tombstoned {
                    stream: stream.clone(),
                }),
            };
        }
        let (_, last) = self.version(connection, stream)?;
        if last == 0 {
            return Err(StoreError::invalid(format!(
                "stream `{stream}` has no events"
            )));
        }
        let first = StreamVersion(old.first.0.max(1));
        let new = match truncate {
            Some(asked) => Closed {
                first: group::truncation(stream, asked, first, StreamVersion(last))?,
                tombstoned: false,
            },
            None => Closed {
                first,
                tombstoned: true,
            },
        };
        Ok((new != old).then_some((old, new)))
    }

    /// Takes over an event that turned out to be stored after all; `part` as the log's walk gives it.
    pub(super) fn adopt(
        &mut self,
        raw: &record::Raw<'_>,
        part: Option<usize>,
    ) -> Result<(), StoreError> {
        let position = raw.position.0;
        let id = *raw.id().as_uuid().as_bytes();
        self.shared.ids.extend([(id, position)]);
        if let Some(count) = part {
            let stream: StreamName = raw.stream.parse().map_err(|_| {
                damaged(
                    format!("position {position}"),
                    "the stream's name is not valid",
                )
            })?;
            let key = stream_key(&stream_hash(&stream), raw.version.0);
            self.shared
                .streams
                .extend([(key, row_value(position, count))]);
        }
        if self.shared.chained {
            self.chain = raw.chain;
        }
        self.last = position;
        self.seen.head = position;
        self.seen.check = raw.check();
        self.seen.running = crc32c::crc32c_append(self.seen.running, &raw.check().to_be_bytes());
        Ok(())
    }
}
