//! Snapshots: caches of a stream's state.

use fleet_model::kernel::{Recorded, StreamName, StreamVersion};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// The state of a stream at a version. A cache: loading with, without or with a wrong one gives the same state.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Snapshot {
    /// The stream.
    pub stream: StreamName,
    /// The last version folded into `bytes`.
    pub version: StreamVersion,
    /// Shape of `bytes`.
    pub schema: u16,
    /// The state, in the aggregate's own encoding.
    pub bytes: Arc<[u8]>,
    /// Hash of the event at `version`, see [`event_hash`].
    pub event_hash: [u8; 32],
}

impl Snapshot {
    /// A snapshot of the state after `last`.
    #[must_use]
    pub fn after(last: &Recorded, schema: u16, bytes: Arc<[u8]>) -> Self {
        Self {
            stream: last.stream.clone(),
            version: last.version,
            schema,
            bytes,
            event_hash: event_hash(last),
        }
    }
}

/// SHA-256 over every field of an event as stored (without `check` and `chain`).
#[must_use]
pub fn event_hash(event: &Recorded) -> [u8; 32] {
    let mut hash = Sha256::new();
    event.feed(&mut |bytes| hash.update(bytes));
    hash.finalize().into()
}
