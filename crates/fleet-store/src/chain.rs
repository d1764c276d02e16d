//! The hash chain: a part of a log that anybody can check without the store.
//!
//! Each event of a chained log carries SHA-256 over its predecessor's value and its own fields; the one before the
//! first is 32 zero bytes. A [`proof`](crate::sqlite::SqliteStore::prove) holds the events of a range in their
//! stored form and the value before them. Who kept the value at its end (or any later proof that begins there) knows
//! that no event of the range was changed, added or removed.
//!
//! `FLEETPRF | after: u64 | value after it: 32 bytes`, then `position: u64` and the stored form for each event.

use crate::backup::BackedUp;
use crate::port::{Corruption, LogRead, StoreError};
use crate::record::{Cursor, Names, Raw, encode_sealed, link};
use fleet_model::kernel::{Position, Recorded};

const MAGIC: &[u8; 8] = b"FLEETPRF";

/// A proof that holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Proven {
    /// The position before the range.
    pub after: Position,
    /// The chain's value there: what ties the range to what came before.
    pub anchor: [u8; 32],
    /// The chain's value at the end of the range: what is to be compared with a value kept elsewhere.
    pub value: [u8; 32],
    /// The events of the range.
    pub events: Vec<Recorded>,
}

/// The proof of the events above `after` up to `to` or the log's end.
pub(crate) fn prove(
    source: &dyn BackedUp,
    after: Position,
    to: Position,
) -> Result<Vec<u8>, StoreError> {
    if !source.is_chained() {
        return Err(StoreError::Unsupported {
            what: "a proof: the log has no hash chain",
        });
    }
    let mut anchor = [0; 32];
    if after > Position::ZERO {
        let before = LogRead::after(Position(after.0 - 1)).limit(1);
        let (events, _) = source.raw_page(&before)?;
        let chain = events.first().and_then(|event| event.chain);
        anchor = chain.ok_or_else(|| {
            StoreError::invalid(format!("the log has no event at position {after}"))
        })?;
    }
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&after.0.to_be_bytes());
    out.extend_from_slice(&anchor);
    let mut read = LogRead::after(after).limit(1_000);
    while read.after < to {
        let (events, scanned_to) = source.raw_page(&read)?;
        for event in events.iter().filter(|event| event.position <= to) {
            out.extend_from_slice(&event.position.0.to_be_bytes());
            encode_sealed(event, &mut out);
        }
        if scanned_to <= read.after {
            break;
        }
        read.after = scanned_to;
    }
    Ok(out)
}

/// Checks a proof by itself: every checksum, and that each event's chain value follows from the one before.
///
/// # Errors
/// `store.corrupt` where it breaks, or for bytes that are no proof.
pub fn verify(proof: &[u8]) -> Result<Proven, StoreError> {
    let mut rest = Cursor(proof);
    let head = (rest.array(), rest.u64(), rest.array());
    let (Some(magic), Some(after), Some(anchor)) = head else {
        return Err(not_a_proof());
    };
    if magic != *MAGIC {
        return Err(not_a_proof());
    }
    let (mut events, mut names, mut value, mut last) =
        (Vec::new(), Names::default(), anchor, Position(after));
    while !rest.0.is_empty() {
        let position = Position(rest.u64().ok_or_else(not_a_proof)?);
        let raw = Raw::next(&mut rest, position)?;
        let next = link(&value, raw.body);
        if position <= last || raw.chain != Some(next) {
            return Err(Corruption::Chain { position }.into());
        }
        (value, last) = (next, position);
        events.push(raw.to_recorded(&mut names)?);
    }
    Ok(Proven {
        after: Position(after),
        anchor,
        value,
        events,
    })
}

fn not_a_proof() -> StoreError {
    Corruption::Malformed {
        place: "proof".to_owned(),
        reason: "these bytes are no proof of a hash chain".to_owned(),
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryStore;
    use crate::port::{Append, EventStore as _, Expected, SystemClock};
    use crate::testing::event;
    use std::sync::Arc;

    fn store() -> MemoryStore {
        let store = MemoryStore::chained("default".parse().unwrap(), Arc::new(SystemClock));
        for n in 0u128..9 {
            let stream = format!("thing-{}", n % 2).parse().unwrap();
            let call = Append::new(stream, Expected::Any, vec![event(n + 1)]);
            pollster::block_on(store.append(call)).unwrap();
        }
        store
    }

    #[test]
    fn a_proof_holds_without_the_store_and_ties_ranges_together() {
        let store = store();
        let first = verify(&store.prove(Position::ZERO, Position(4)).unwrap()).unwrap();
        let second = verify(&store.prove(Position(4), Position(99)).unwrap()).unwrap();
        assert_eq!((first.events.len(), second.events.len()), (4, 5));
        assert_eq!((first.anchor, first.value), ([0; 32], second.anchor));
    }

    #[test]
    fn a_removed_or_changed_event_breaks_it() {
        let proof = store().prove(Position(2), Position(6)).unwrap();
        let whole = verify(&proof).unwrap();
        for at in 16..proof.len() {
            let mut changed = proof.clone();
            changed[at] ^= 4;
            assert!(verify(&changed).is_err(), "byte {at}");
        }
        let length = 8 + 4 + u32::from_be_bytes(proof[56..60].try_into().unwrap()) as usize;
        let mut removed = proof[..48].to_vec();
        removed.extend_from_slice(&proof[48 + length..]);
        assert!(verify(&removed).is_err());
        let cut = verify(&proof[..48 + length]).unwrap();
        assert_ne!(cut.value, whole.value);
    }

    #[test]
    fn a_log_without_chain_has_no_proof() {
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(SystemClock));
        let refused = store.prove(Position::ZERO, Position(1)).unwrap_err();
        assert_eq!(refused.code(), "store.unsupported");
    }
}
