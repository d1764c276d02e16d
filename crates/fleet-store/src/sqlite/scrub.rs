//! The scrub: every envelope, the order, both indexes, the chain and the head witness, page by page.

use super::keys::{row_value, stream_hash, stream_key};
use super::tenant::{Tenant, parsed};
use super::witness::{Seen, Witness};
use crate::port::{Corruption, ScrubPage, StoreError};
use crate::record::{Raw, link};
use fleet_model::kernel::Position;
use rusqlite::Connection;
use std::ops::ControlFlow;
use std::sync::PoisonError;

/// The checksum of all events up to a position, to be compared with the witness's.
pub(crate) struct Audit {
    at: u64,
    running: u32,
    seen: Seen,
}

impl Audit {
    fn of(seen: Seen) -> Self {
        Self {
            at: 0,
            running: 0,
            seen,
        }
    }

    /// Whether the events up to this one are others than the witness saw.
    fn differs(&mut self, raw: &Raw<'_>) -> bool {
        let position = raw.position.0;
        if position <= self.seen.since || position > self.seen.head {
            return false;
        }
        self.running = crc32c::crc32c_append(self.running, &raw.check().to_be_bytes());
        position == self.seen.head
            && (self.running, raw.check()) != (self.seen.running, self.seen.check)
    }
}

impl Tenant {
    /// Checks a part of the log: envelopes, order, versions and chain, that both indexes know each event, and, for
    /// a scrub that goes on from the log's beginning, that the events are those which the head witness has seen.
    pub(crate) fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        if after == Position::ZERO {
            // Read before the log: what it has seen is there.
            *audit = Witness::peek(&self.readers.place.path)
                .into_iter()
                .find(|seen| seen.tenant == self.number)
                .map(Audit::of);
        } else if audit.as_ref().is_some_and(|audit| audit.at != after.0) {
            *audit = None;
        }
        let outcome = self.look(|connection, head| {
            let mut page = ScrubPage {
                scanned_to: after,
                head,
                ..ScrubPage::default()
            };
            let to = head.0.min(after.0.saturating_add(limit));
            let mut from = after.0 + 1;
            while from <= to {
                match self.scrub_from(connection, from, to, &mut page, &mut audit) {
                    Ok(()) => break,
                    Err(StoreError::Corrupt(damage)) => {
                        // Go on behind the damaged event, about which the witness can say no more.
                        *audit = None;
                        page.damage.push(damage);
                        from = page.scanned_to.0.max(from) + 1;
                        page.scanned_to = Position(from - 1);
                    }
                    Err(error) => return Err(error),
                }
            }
            page.scanned_to = Position(to.max(after.0));
            if let Some(audit) = audit.as_mut() {
                audit.at = page.scanned_to.0;
            }
            Ok(page)
        });
        if outcome.is_err() {
            *audit = None;
        }
        outcome
    }

    fn scrub_from(
        &self,
        connection: &Connection,
        from: u64,
        to: u64,
        page: &mut ScrubPage,
        audit: &mut Option<Audit>,
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
            |raw, place| {
                let position = raw.position;
                if position.0 >= from {
                    page.scanned_to = position;
                    page.events += 1;
                    next = position.0 + 1;
                    if audit.as_mut().is_some_and(|audit| audit.differs(raw)) {
                        page.damage.push(Corruption::OtherThanWitness { position });
                    }
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
                    if let Some(count) = place.part() {
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
