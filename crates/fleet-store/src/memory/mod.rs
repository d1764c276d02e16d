//! The in-memory adapter: the whole contract, nothing survives the process.

mod log;

pub(crate) use log::Log;

use crate::backup::{self, BackedUp, Hidden, Item};
use crate::live::{self, Signals, Source};
use crate::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Clock, Durability,
    EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage, StreamRead,
    Subscribe, Subscription,
};
use async_trait::async_trait;
use fleet_model::kernel::{Position, Recorded, StreamName, StreamVersion, TenantId};
use std::collections::BTreeMap;
use std::io::{Read, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A log in memory, of class [`Durability::Volatile`]. For tests, tools and short-lived fleets.
///
/// Clones share the log. The log lives as long as a handle or subscription does.
#[derive(Clone)]
pub struct MemoryStore {
    database: Arc<Database>,
    shared: Arc<Shared>,
}

struct Database {
    clock: Arc<dyn Clock>,
    tenants: Mutex<BTreeMap<TenantId, Arc<Shared>>>,
}

struct Shared {
    tenant: TenantId,
    log: RwLock<Log>,
    signals: Signals,
}

impl MemoryStore {
    /// An empty store. `clock` gives `recorded_at`.
    #[must_use]
    pub fn new(tenant: TenantId, clock: Arc<dyn Clock>) -> Self {
        Self::of(tenant, clock, Log::default())
    }

    /// An empty store whose events carry the SHA-256 chain.
    #[must_use]
    pub fn chained(tenant: TenantId, clock: Arc<dyn Clock>) -> Self {
        Self::of(tenant, clock, Log::chained())
    }

    fn of(tenant: TenantId, clock: Arc<dyn Clock>, log: Log) -> Self {
        let database = Arc::new(Database {
            clock,
            tenants: Mutex::default(),
        });
        Self::handle(database, tenant, log)
    }

    /// The log of another tenant in the same store.
    #[must_use]
    pub fn for_tenant(&self, tenant: TenantId) -> Self {
        let log = self.read(Log::empty_like);
        Self::handle(Arc::clone(&self.database), tenant, log)
    }

    /// A store that holds what a backup of `tenant` holds.
    ///
    /// # Errors
    /// `store.corrupt` for a damaged backup, `store.invalid_input` for one of another tenant,
    /// `store.unknown_schema` for a newer format.
    pub fn restore(
        tenant: TenantId,
        clock: Arc<dyn Clock>,
        from: impl Read + Seek,
    ) -> Result<(Self, BackupSummary), StoreError> {
        let mut reader = backup::Reader::open(from)?;
        let header = reader.header.clone();
        backup::check_target(&header, &tenant, header.chained, Position::ZERO)?;
        let mut log = if header.chained {
            Log::chained()
        } else {
            Log::default()
        };
        while let Some(item) = reader.next()? {
            match item {
                Item::Event(event) => log.import(*event)?,
                Item::Hidden(hidden) => log.hide(&hidden)?,
            }
        }
        let summary = BackupSummary {
            head: log.head(),
            events: log.head().0,
            bytes: reader.bytes,
        };
        Ok((Self::of(tenant, clock, log), summary))
    }

    /// The events above `after` up to `to` (or the log's end), with what proves that none was changed, added or
    /// removed; for [`chain::verify`](crate::chain::verify).
    ///
    /// # Errors
    /// `store.unsupported` for a log without the chain; `store.invalid_input` when `after` is beyond its end.
    pub fn prove(&self, after: Position, to: Position) -> Result<Vec<u8>, StoreError> {
        crate::chain::prove(self.shared.as_ref(), after, to)
    }

    fn handle(database: Arc<Database>, tenant: TenantId, log: Log) -> Self {
        let mut tenants = database
            .tenants
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let shared = tenants.entry(tenant.clone()).or_insert_with(|| {
            Arc::new(Shared {
                tenant,
                log: RwLock::new(log),
                signals: Signals::default(),
            })
        });
        let shared = Arc::clone(shared);
        drop(tenants);
        Self { database, shared }
    }

    fn read<T>(&self, then: impl FnOnce(&Log) -> T) -> T {
        then(
            &self
                .shared
                .log
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    fn write<T>(&self, then: impl FnOnce(&mut Log) -> T) -> T {
        then(
            &mut self
                .shared
                .log
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemoryStore")
            .field("tenant", &self.shared.tenant)
            .finish_non_exhaustive()
    }
}

impl Source for Shared {
    fn page(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        self.log
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read_all(read)
    }

    fn signals(&self) -> &Signals {
        &self.signals
    }
}

impl BackedUp for Shared {
    fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    fn is_chained(&self) -> bool {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        log.is_chained()
    }

    fn hidden(&self) -> Vec<Hidden> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        log.hidden()
    }

    fn raw_page(&self, read: &LogRead) -> Result<(Vec<Recorded>, Position), StoreError> {
        let log = self.log.read().unwrap_or_else(PoisonError::into_inner);
        Ok(log.raw_page(read))
    }
}

#[async_trait]
impl EventStore for MemoryStore {
    fn tenant(&self) -> &TenantId {
        &self.shared.tenant
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities =
            Capabilities::new("memory", String::from("heap"), Durability::Volatile);
        self.read(|log| {
            capabilities.chained = log.is_chained();
            capabilities.snapshots_ignored = log.snapshots_ignored();
        });
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        let now = self.database.clock.now();
        let appended = self.write(|log| log.append(&self.shared.tenant, append, now))?;
        self.shared.signals.wake();
        Ok(appended)
    }

    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        let mut outcomes = Vec::with_capacity(appends.len());
        for append in appends {
            outcomes.push(self.append(append).await);
        }
        outcomes
    }

    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        self.read(|log| log.read_stream(&read))
    }

    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        self.read(|log| log.read_all(&read))
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.read(Log::head))
    }

    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription {
        let source: Arc<dyn Source> = Arc::clone(&self.shared) as Arc<dyn Source>;
        live::subscribe(source, subscribe)
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.write(|log| log.save_snapshot(snapshot))
    }

    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.write(|log| log.load_snapshot(stream, schema))
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        checkpoint.check()?;
        self.write(|log| log.save_checkpoint(checkpoint))
    }

    async fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        self.read(|log| log.load_checkpoint(name, schema_hash))
    }

    async fn truncate_before(
        &self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError> {
        self.write(|log| log.truncate_before(stream, version))
    }

    async fn tombstone(&self, stream: &StreamName) -> Result<(), StoreError> {
        self.write(|log| log.tombstone(stream))
    }

    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        backup::write(self.shared.as_ref(), to)
    }

    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        Ok(self.read(|log| log.scrub(after, limit)))
    }
}

#[cfg(test)]
mod tests;
