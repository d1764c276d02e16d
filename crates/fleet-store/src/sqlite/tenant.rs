//! One tenant's log as its readers see it.

use super::catalogue::{read_closed, read_runs};
use super::fault::{damaged, nothing_stored};
use super::follower::Followed;
use super::index::Index;
use super::keys::{StreamHash, positions_of, row_value, stream_hash, stream_key, version_of};
use super::layout::{Closed, Sql, Stored, TenantRow};
use super::readers::{Readers, in_view};
use super::scrub::Audit;
use super::witness::Seen;
use crate::backup::{BackedUp, Hidden};
use crate::live::{Signals, Source};
use crate::port::{Corruption, LogPage, LogRead, StoreError};
use crate::record::{self, Cursor, Names, Raw};
use fleet_model::kernel::{EventId, Position, Recorded, StreamName, StreamVersion, TenantId};
use rusqlite::{CachedStatement, Connection};
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

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
    pub(super) signals: Signals,
    /// Where the scrub is.
    pub(super) audit: Mutex<Option<Audit>>,
    /// What is known of a log that another process writes; `None` where this one does.
    pub(super) followed: Option<Mutex<Followed>>,
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
            audit: Mutex::default(),
            followed: None,
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
        tenant.walk(connection, start, u64::MAX, |raw, place| {
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
                if let Some(count) = place.part() {
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

    /// Reads: `then` gets a connection, and the log's end as it is seen through it.
    pub(crate) fn look<T>(
        &self,
        then: impl FnOnce(&Connection, Position) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.readers.with(|connection| match &self.followed {
            None => then(connection, self.head()),
            Some(followed) => {
                let mut followed = followed.lock().unwrap_or_else(PoisonError::into_inner);
                in_view(connection, || {
                    self.catch_up(connection, &mut followed)?;
                    then(connection, self.head())
                })
            }
        })
    }

    /// Looks at every stored envelope from position `from` to `to`, in order; the log must be dense.
    pub(crate) fn walk(
        &self,
        connection: &Connection,
        from: u64,
        to: u64,
        look: impl FnMut(&Raw<'_>, &InRow<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        self.rows(connection)?.walk(from, to, look)
    }

    /// The rows of the log, through one connection.
    pub(crate) fn rows<'a>(&'a self, connection: &'a Connection) -> Result<Rows<'a>, StoreError> {
        let statement = connection.prepare_cached(&self.sql.rows_from);
        Ok(Rows {
            tenant: self.name.as_str(),
            statement: statement.map_err(|error| nothing_stored(&error))?,
        })
    }

    /// The stored event at a position that must exist.
    pub(crate) fn event_at(
        &self,
        connection: &Connection,
        position: u64,
    ) -> Result<Recorded, StoreError> {
        let mut found = None;
        self.walk(connection, position, position, |raw, _| {
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
            let fit = entries
                .iter()
                .find(|(_, value)| positions_of(*value).0 <= head);
            if let Some((key, value)) = fit {
                let (first, last) = positions_of(*value);
                return Ok(version_of(key) + (last - first));
            }
            if entries.len() < limit {
                return Ok(0);
            }
            limit *= 8;
        }
    }

    pub(super) fn closed(&self, stream: &StreamName) -> Option<Closed> {
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
        let hash = stream_hash(stream);
        let last = self.look(|connection, head| self.version_of(connection, &hash, head.0))?;
        Ok(StreamVersion(last + 1))
    }
}

/// The rows of a log, through one prepared statement.
pub(crate) struct Rows<'a> {
    tenant: &'a str,
    statement: CachedStatement<'a>,
}

/// Where an envelope stands in its row.
pub(crate) struct InRow<'a> {
    stream: &'a str,
    /// The envelope before it is of the same stream.
    goes_on: bool,
    /// What follows.
    rest: Cursor<'a>,
}

impl InRow<'_> {
    /// Of the first of several envelopes of one stream that stand together: how many they are.
    ///
    /// The stream index has one entry for them.
    pub(crate) fn part(&self) -> Option<usize> {
        if self.goes_on {
            return None;
        }
        let mut rest = self.rest;
        let others = std::iter::from_fn(|| record::next_stream(&mut rest));
        Some(1 + others.take_while(|stream| *stream == self.stream).count())
    }
}

impl Rows<'_> {
    /// As [`Tenant::walk`].
    pub(crate) fn walk(
        &mut self,
        from: u64,
        to: u64,
        mut look: impl FnMut(&Raw<'_>, &InRow<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let from = from.max(1);
        let failed = |error: rusqlite::Error| nothing_stored(&error);
        let begin = i64::try_from(from).unwrap_or(i64::MAX);
        let mut rows = self.statement.query([begin]).map_err(failed)?;
        let mut next = None;
        while next.is_none_or(|next| next <= to)
            && let Some(row) = rows.next().map_err(failed)?
        {
            let start = row.get::<_, i64>(0).map_err(failed)?.unsigned_abs();
            let bytes = row.get_ref(1).map_err(failed)?;
            let bytes = bytes
                .as_blob()
                .map_err(|error| damaged(format!("log row {start}"), error.to_string()))?;
            let expected = next.unwrap_or(start.min(from));
            if start != expected {
                return Err(Corruption::Missing {
                    place: "log".to_owned(),
                    expected,
                    found: start,
                }
                .into());
            }
            let mut position = start;
            let mut rest = Cursor(bytes);
            // What stands before the envelopes that are wanted is not theirs to be checked by.
            let mut before = None;
            while position < from
                && let Some(stream) = record::next_stream(&mut rest)
            {
                before = Some(stream);
                position += 1;
            }
            while !rest.0.is_empty() {
                let raw = Raw::next(&mut rest, Position(position))?;
                if !raw.is_of(self.tenant) {
                    return Err(damaged(
                        format!("position {position}"),
                        "another tenant's event",
                    ));
                }
                let place = InRow {
                    stream: raw.stream,
                    goes_on: before == Some(raw.stream),
                    rest,
                };
                before = Some(raw.stream);
                if (from..=to).contains(&position) && look(&raw, &place)?.is_break() {
                    return Ok(());
                }
                position += 1;
            }
            next = Some(position);
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
        self.look(|connection, _| {
            self.walk(connection, read.after.0 + 1, to, |raw, _| {
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

pub(super) fn parsed(stream: &str, position: u64) -> Result<StreamName, StoreError> {
    stream.parse().map_err(|_| {
        damaged(
            format!("position {position}"),
            "the stream's name is not valid",
        )
    })
}
