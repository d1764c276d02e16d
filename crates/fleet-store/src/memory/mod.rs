//! The in-memory adapter: the whole contract, nothing survives the process.

mod log;

pub(crate) use log::Log;

use crate::live::{self, Signals, Source};
use crate::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Clock, Durability,
    EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage, StreamRead,
    Subscribe, Subscription,
};
use async_trait::async_trait;
use fleet_model::kernel::{Position, StreamName, StreamVersion, TenantId};
use std::collections::BTreeMap;
use std::io::Write;
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
        crate::backup::write(self.shared.as_ref(), &self.shared.tenant, to)
    }

    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        Ok(self.read(|log| log.scrub(after, limit)))
    }
}

#[cfg(test)]
mod tests;
