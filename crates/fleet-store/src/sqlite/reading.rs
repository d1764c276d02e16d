//! Pages of streams and of the log.

use super::fault::damaged;
use super::keys::{StreamHash, positions_of, stream_hash, stream_key};
use super::readers::in_view;
use super::tenant::{InRow, Tenant};
use crate::port::{
    Corruption, Direction, LogPage, LogRead, StoreError, StreamPage, StreamRead, StreamState,
};
use crate::record::{Names, Raw};
use fleet_model::kernel::{Position, Recorded, StreamName, StreamVersion};
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::sync::PoisonError;

/// Events that one page looks at, at most.
const SCAN: u64 = 100_000;
/// Events for which a page has room from the start, at most.
const ROOM: usize = 8_192;

impl Tenant {
    pub(crate) fn read_stream(&self, read: &StreamRead) -> Result<StreamPage, StoreError> {
        let hash = stream_hash(&read.stream);
        self.look(|connection, head| {
            reached(read.at_least, head)?;
            let first = self.first_visible(&read.stream)?;
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
    pub(super) fn versions(
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
        let mut look = |raw: &Raw<'_>, _: &InRow<'_>| {
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
        };
        in_view(connection, || {
            let mut rows = self.rows(connection)?;
            for (_, value) in entries {
                let (first, last) = positions_of(value);
                rows.walk(first, last, &mut look)?;
            }
            Ok(())
        })?;
        if next != high + 1 {
            return Err(missing(next, high));
        }
        Ok(events)
    }

    pub(crate) fn read_all(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        self.look(|connection, head| {
            reached(read.at_least, head)?;
            self.log_page(connection, read, head)
        })
    }

    fn log_page(
        &self,
        connection: &Connection,
        read: &LogRead,
        head: Position,
    ) -> Result<LogPage, StoreError> {
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
        if everything {
            let most = usize::try_from(to - read.after.0).unwrap_or(usize::MAX);
            page.events.reserve(most.min(read.limit).min(ROOM));
        }
        let mut names = Names::default();
        self.walk(connection, read.after.0 + 1, to, |raw, _| {
            page.scanned_to = raw.position;
            if everything || read.filter.accepts(raw.stream, raw.event_type) {
                let event = raw.to_recorded(&mut names)?;
                let closed = any_closed && self.closed(&event.stream).is_some_and(|c| c.tombstoned);
                if !closed {
                    page.events.push(event);
                }
            }
            Ok(if page.events.len() >= read.limit {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
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
}

fn reached(at_least: Option<Position>, head: Position) -> Result<(), StoreError> {
    match at_least {
        Some(position) if position > head => Err(StoreError::unavailable(format!(
            "position {position} was asked for, the log ends at {head}"
        ))),
        _ => Ok(()),
    }
}
