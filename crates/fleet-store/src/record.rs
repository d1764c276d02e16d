//! The stored form of an envelope: the bytes that its checksum covers, then the checksum and the chain.
//!
//! `len: u32 | fields as `Recorded::feed` gives them | check: u32 | 0, or 1 and 32 bytes of chain`, numbers
//! big-endian; `len` counts what follows it. The same bytes are stored, backed up and exported, so a
//! checksum is one pass over them.

use crate::port::{Corruption, StoreError};
use fleet_model::kernel::{
    Actor, EventId, EventType, NewEvent, Position, Recorded, StreamName, StreamVersion, TenantId,
    Timestamp,
};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use uuid::Uuid;

/// Sets the checksum of an event whose other fields are final, and its chain when `previous` is given.
pub(crate) fn seal(event: &mut Recorded, previous: Option<&[u8; 32]>) {
    let mut bytes = Vec::with_capacity(512);
    event.feed(&mut |part| bytes.extend_from_slice(part));
    event.check = crc32c::crc32c(&bytes);
    event.chain = previous.map(|previous| link(previous, &bytes));
}

/// The chain value after an event whose fields are `body`.
pub(crate) fn link(previous: &[u8; 32], body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(previous);
    hash.update(body);
    hash.finalize().into()
}

#[cfg(feature = "sqlite")]
/// Seals `event` as [`seal`] and appends its stored form to `out`.
pub(crate) fn encode(event: &mut Recorded, previous: Option<&[u8; 32]>, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    event.feed(&mut |part| out.extend_from_slice(part));
    let body = out.get(start + 4..).unwrap_or_default();
    event.check = crc32c::crc32c(body);
    event.chain = previous.map(|previous| link(previous, body));
    finish(event.check, event.chain.as_ref(), start, out);
}

/// Appends the stored form of an event that is sealed already.
pub(crate) fn encode_sealed(event: &Recorded, out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    event.feed(&mut |part| out.extend_from_slice(part));
    finish(event.check, event.chain.as_ref(), start, out);
}

fn finish(check: u32, chain: Option<&[u8; 32]>, start: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&check.to_be_bytes());
    match chain {
        None => out.push(0),
        Some(chain) => {
            out.push(1);
            out.extend_from_slice(chain);
        }
    }
    let length = u32::try_from(out.len() - start - 4).unwrap_or(u32::MAX);
    if let Some(place) = out.get_mut(start..start + 4) {
        place.copy_from_slice(&length.to_be_bytes());
    }
}

/// Passes over a stored envelope without checking it; gives its stream.
#[cfg(feature = "sqlite")]
pub(crate) fn next_stream<'a>(bytes: &mut Cursor<'a>) -> Option<&'a str> {
    let length = usize::try_from(bytes.u32()?).ok()?;
    let mut fields = Cursor(bytes.take(length)?);
    let (_id, _tenant) = (fields.field()?, fields.field()?);
    fields.text()
}

/// Reads fields off the front of stored bytes.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(head)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn field(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.field()?.try_into().ok()
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.field()?).ok()
    }

    fn optional(&mut self) -> Option<Option<&'a [u8]>> {
        let length = self.u32()?;
        if length == u32::MAX {
            return Some(None);
        }
        self.take(usize::try_from(length).ok()?).map(Some)
    }
}

/// A stored envelope whose checksum holds, not yet copied.
#[derive(Clone, Copy)]
pub(crate) struct Raw<'a> {
    id: [u8; 16],
    tenant: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) version: StreamVersion,
    pub(crate) position: Position,
    pub(crate) event_type: &'a str,
    schema: u16,
    occurred_at: i64,
    recorded_at: i64,
    correlation: [u8; 16],
    causation: Option<[u8; 16]>,
    actor: &'a str,
    meta: &'a [u8],
    data: &'a [u8],
    subject: Option<&'a str>,
    /// The bytes that checksum and chain cover.
    pub(crate) body: &'a [u8],
    check: u32,
    pub(crate) chain: Option<[u8; 32]>,
}

impl<'a> Raw<'a> {
    /// The next envelope of `bytes`, which is expected at `position`.
    pub(crate) fn next(bytes: &mut Cursor<'a>, position: Position) -> Result<Self, Corruption> {
        let raw = Self::parse(bytes).ok_or_else(|| Corruption::Malformed {
            place: format!("position {position}"),
            reason: "the stored envelope cannot be read".to_owned(),
        })??;
        if raw.position != position {
            return Err(Corruption::Missing {
                place: "log".to_owned(),
                expected: position.0,
                found: raw.position.0,
            });
        }
        Ok(raw)
    }

    fn parse(bytes: &mut Cursor<'a>) -> Option<Result<Self, Corruption>> {
        let length = usize::try_from(bytes.u32()?).ok()?;
        let all = bytes.take(length)?;
        let mut rest = Cursor(all);
        let id = rest.fixed()?;
        let tenant = rest.text()?;
        let stream = rest.text()?;
        let version = StreamVersion(u64::from_be_bytes(rest.fixed()?));
        let position = Position(u64::from_be_bytes(rest.fixed()?));
        let event_type = rest.text()?;
        let schema = u16::from_be_bytes(rest.fixed()?);
        let occurred_at = i64::from_be_bytes(rest.fixed()?);
        let recorded_at = i64::from_be_bytes(rest.fixed()?);
        let correlation = rest.fixed()?;
        let causation = match rest.optional()? {
            None => None,
            Some(bytes) => Some(bytes.try_into().ok()?),
        };
        let actor = rest.text()?;
        let meta = rest.field()?;
        let data = rest.field()?;
        let subject = match rest.optional()? {
            None => None,
            Some(bytes) => Some(std::str::from_utf8(bytes).ok()?),
        };
        let body = all.get(..all.len() - rest.0.len())?;
        let check = rest.u32()?;
        let chain = match rest.array()? {
            [0] => None,
            [1] => Some(rest.array()?),
            _ => return None,
        };
        if !rest.0.is_empty() {
            return None;
        }
        let found = crc32c::crc32c(body);
        if found != check {
            return Some(Err(Corruption::Checksum {
                position,
                expected: check,
                found,
            }));
        }
        Some(Ok(Self {
            id,
            tenant,
            stream,
            version,
            position,
            event_type,
            schema,
            occurred_at,
            recorded_at,
            correlation,
            causation,
            actor,
            meta,
            data,
            subject,
            body,
            check,
            chain,
        }))
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn check(&self) -> u32 {
        self.check
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn is_of(&self, tenant: &str) -> bool {
        self.tenant == tenant
    }

    pub(crate) fn id(&self) -> EventId {
        Uuid::from_bytes(self.id).into()
    }

    /// The envelope as a value of its own.
    pub(crate) fn to_recorded(self, names: &mut Names) -> Result<Recorded, StoreError> {
        let copied = self.copy(names);
        copied.ok_or_else(|| {
            Corruption::Malformed {
                place: format!("position {}", self.position),
                reason: "a name in the stored envelope is not valid".to_owned(),
            }
            .into()
        })
    }

    fn copy(self, names: &mut Names) -> Option<Recorded> {
        let mut meta = BTreeMap::new();
        let mut rest = Cursor(self.meta);
        while !rest.0.is_empty() {
            let name = rest.text()?;
            meta.insert(name.to_owned(), rest.text()?.to_owned());
        }
        Some(Recorded {
            tenant: reuse(&mut names.tenant, self.tenant, TenantId::as_str)?,
            stream: reuse(&mut names.stream, self.stream, StreamName::as_str)?,
            version: self.version,
            position: self.position,
            recorded_at: Timestamp::from_micros(self.recorded_at),
            event: NewEvent {
                id: self.id(),
                event_type: reuse(&mut names.event_type, self.event_type, EventType::as_str)?,
                schema: self.schema,
                occurred_at: Timestamp::from_micros(self.occurred_at),
                correlation: Uuid::from_bytes(self.correlation),
                causation: self.causation.map(Uuid::from_bytes),
                actor: reuse(&mut names.actor, self.actor, Actor::as_str)?,
                meta,
                data: Arc::from(self.data),
                subject: self.subject.map(Arc::from),
            },
            check: self.check,
            chain: self.chain,
        })
    }
}

/// The names last read: neighbours in a log mostly share them.
#[derive(Default)]
pub(crate) struct Names {
    tenant: Option<TenantId>,
    stream: Option<StreamName>,
    event_type: Option<EventType>,
    actor: Option<Actor>,
}

fn reuse<T: Clone + FromStr>(
    last: &mut Option<T>,
    text: &str,
    as_str: fn(&T) -> &str,
) -> Option<T> {
    match last {
        Some(last) if as_str(last) == text => Some(last.clone()),
        _ => {
            let name: T = text.parse().ok()?;
            *last = Some(name.clone());
            Some(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{event, recorded};
    use proptest::prelude::*;

    fn decode(bytes: &[u8], position: u64) -> Result<Recorded, StoreError> {
        let mut cursor = Cursor(bytes);
        let raw = Raw::next(&mut cursor, Position(position))?;
        raw.to_recorded(&mut Names::default())
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_back(id: u128, data: Vec<u8>, position in 1u64.., version in 1u64..,
            causation: Option<u128>, subject in proptest::option::of("\\PC{0,9}"),
            meta in proptest::collection::btree_map("\\PC{0,9}", "\\PC{0,9}", 0..4), chained: bool) {
            let mut event = recorded(event(id), "thing-a", version, position);
            event.event.data = data.into();
            event.event.causation = causation.map(Uuid::from_u128);
            event.event.subject = subject.map(Arc::from);
            event.event.meta = meta;
            let mut bytes = Vec::new();
            encode(&mut event, chained.then_some(&[7; 32]), &mut bytes);
            let mut twin = event.clone();
            seal(&mut twin, chained.then_some(&[7; 32]));
            prop_assert_eq!(&twin, &event);
            prop_assert_eq!(decode(&bytes, position).unwrap(), event.clone());
            let mut again = Vec::new();
            encode_sealed(&event, &mut again);
            prop_assert_eq!(again, bytes);
        }

        #[test]
        fn any_flipped_bit_of_body_or_check_is_found(bit in 0usize..8 * 300) {
            let mut event = recorded(event(1), "thing-a", 1, 1);
            let mut bytes = Vec::new();
            encode(&mut event, None, &mut bytes);
            let bit = bit % (8 * (bytes.len() - 1));
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(decode(&bytes, 1).is_err());
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = decode(&bytes, 1);
        }
    }
}
