//! The contract between the domain and every adapter that keeps its events (`spec/event-store.md`).

mod append;
mod backup;
mod capability;
mod checkpoint;
mod clock;
mod error;
mod read;
mod scrub;
mod snapshot;
mod subscription;

pub use append::{Append, Appended, Expected};
pub use backup::BackupSummary;
pub use capability::{Attestation, Capabilities, Durability};
pub use checkpoint::{Checkpoint, CheckpointState};
pub use clock::{Clock, SystemClock};
pub use error::{CODES, Corruption, StoreError};
pub use read::{Direction, Filter, LogPage, LogRead, StreamPage, StreamRead, StreamState};
pub use scrub::ScrubPage;
pub use snapshot::{Snapshot, event_hash};
pub use subscription::{Subscribe, Subscription};

use async_trait::async_trait;
use fleet_model::kernel::{Position, StreamName, StreamVersion, TenantId};
use std::io::Write;

/// A tenant's log: streams of events with versions, all in one order of positions.
///
/// The trait is object-safe, free of any async runtime, and complete: an adapter that cannot do something
/// says so with [`StoreError::Unsupported`]. Every method takes `&self`; a handle is shared behind an `Arc`.
///
/// Spec: event store, sections 2 to 6.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// The tenant that this handle is bound to.
    fn tenant(&self) -> &TenantId;

    /// What the engine was found to promise.
    fn capabilities(&self) -> Capabilities;

    /// Stores the events of one group, all or none, after the ones their stream has.
    ///
    /// Repeating a call whose group is stored gives the original places, with `deduplicated` set, whatever
    /// `expected` says. `Ok` comes after the durable point of the declared class. Dropping the future
    /// leaves nothing or the complete group.
    ///
    /// # Errors
    /// `store.conflict`, `store.id_reused`, `store.tombstoned`, `store.too_large`, `store.invalid_input`:
    /// nothing was stored. `store.full`, `store.unavailable`: nothing was stored, retry later.
    /// `store.unknown`: perhaps stored, repeat the same call. `store.corrupt`: stop.
    async fn append(&self, append: Append) -> Result<Appended, StoreError>;

    /// Stores several groups, in their order, with as few durable points as the engine allows.
    ///
    /// Each group stands alone: one that is refused does not hinder the others, and groups may become
    /// visible one after the other. The outcomes are in the order of `appends`. This is the bulk form: its
    /// cost per event is that of group commit.
    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>>;

    /// The events of one stream, with consecutive versions.
    ///
    /// # Errors
    /// `store.tombstoned` for a closed stream; `store.corrupt`, `store.unavailable`.
    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError>;

    /// The events of the whole log after a position, in position order.
    ///
    /// A page may hold fewer events than `limit` before the end: go on from `scanned_to` until it
    /// reaches `head`.
    ///
    /// # Errors
    /// `store.unavailable` when `at_least` is not reached in time; `store.corrupt`.
    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError>;

    /// The highest position that can be read; never goes back.
    ///
    /// # Errors
    /// `store.unavailable`, `store.corrupt`.
    async fn head(&self) -> Result<Position, StoreError>;

    /// Every event after a position: those stored, then those to come, without seam.
    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription;

    /// Keeps a snapshot of a stream's state, replacing the one it has. A cache: it may be lost.
    ///
    /// # Errors
    /// `store.full`, `store.unavailable`, `store.tombstoned`.
    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError>;

    /// The snapshot of a stream in this snapshot schema, if one is kept and fits the stored event at its version.
    ///
    /// One that does not fit is ignored and counted in [`Capabilities::snapshots_ignored`].
    ///
    /// # Errors
    /// `store.unavailable`, `store.tombstoned`.
    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError>;

    /// Commits a projection's position and state in one transaction, replacing the earlier ones.
    ///
    /// # Errors
    /// `store.full`, `store.unavailable`, `store.unknown`.
    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError>;

    /// What a projection last committed.
    ///
    /// # Errors
    /// `store.corrupt` when its position is above [`EventStore::head`]: the log has lost its tail.
    async fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError>;

    /// Hides the versions of a stream below `version`; nothing is renumbered.
    ///
    /// The log keeps them (a projection rebuilt from 0 sees them); the stream's readers do not. What is
    /// hidden stays hidden: asking for less changes nothing. Beyond the stream's end is `store.invalid_input`.
    ///
    /// # Errors
    /// `store.invalid_input`, `store.tombstoned`, `store.full`, `store.unavailable`, `store.unknown`.
    async fn truncate_before(
        &self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError>;

    /// Closes a stream for ever. Closing a closed one changes nothing.
    ///
    /// # Errors
    /// `store.invalid_input` for a stream that never existed; `store.full`, `store.unavailable`, `store.unknown`.
    async fn tombstone(&self, stream: &StreamName) -> Result<(), StoreError>;

    /// Writes a consistent prefix of the log: every event up to some position, none above.
    ///
    /// Holds everything acknowledged before the call; appends go on meanwhile. Snapshots and checkpoints
    /// are not part of it: they are rebuilt.
    ///
    /// # Errors
    /// `store.unavailable` when `to` fails; `store.corrupt` when the log is damaged.
    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError>;

    /// Checks what is stored between `after` and the next `limit` positions: checksums, order, chain, and the
    /// store's own indexes. Damage is reported in the page, not as an error, so that a scrub goes on.
    ///
    /// # Errors
    /// `store.unavailable`.
    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError>;
}
