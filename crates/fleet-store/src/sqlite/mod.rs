//! The embedded adapter: one file, one writer, readers beside it.
//!
//! The log is a table in position order, several commit groups to a row, in SQLite's write-ahead mode. Ids and
//! streams are found through the store's own checksummed runs (see `index`), because a key in random
//! order costs a page of writing for each event. Appends of concurrent callers share a transaction.
//! A head witness beside the file notices a log that has lost its tail.
//!
//! | file | what |
//! | --- | --- |
//! | `PATH` | the database |
//! | `PATH-wal`, `PATH-shm` | SQLite's write-ahead log and its index |
//! | `PATH-witness` | the head witness, and the lock of the one writer |
//!
//! Appends go to a thread of the store, beside which another merges the write-ahead log; reads run on the caller's thread through connections of their own.

mod catalogue;
mod fault;
mod follower;
mod index;
mod keys;
mod layout;
mod merger;
mod plan;
mod readers;
mod reading;
mod room;
mod scrub;
mod states;
mod tenant;
mod transaction;
mod witness;
mod writer;

pub use follower::SqliteFollower;

use crate::backup::{self, Item};
use crate::live::{self, Source};
use crate::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Clock, Durability,
    EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage, StreamRead,
    Subscribe, Subscription,
};
use async_trait::async_trait;
use fleet_model::kernel::{Position, Recorded, StreamName, StreamVersion, TenantId};
use futures_channel::oneshot;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tenant::Tenant;
use writer::{Answers, Job, Message, Reply, Work, Writer};

/// Whether appends wake subscriptions at once.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Signalling {
    /// Each append wakes them.
    #[default]
    OnAppend,
    /// Only the poll timer does: shows that a signal is a hint.
    PollOnly,
}

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    durability: Durability,
    chained: bool,
    poll: Duration,
    signalling: Signalling,
    vfs: Option<String>,
}

impl Default for SqliteOptions {
    /// Class [`Durability::Machine`], no chain, subscriptions polled every 200 ms besides being woken.
    fn default() -> Self {
        Self {
            durability: Durability::Machine,
            chained: false,
            poll: Duration::from_millis(200),
            signalling: Signalling::OnAppend,
            vfs: None,
        }
    }
}

impl SqliteOptions {
    /// The class that is needed: `Machine` (a sync for each transaction) or `Process` (none). Any other class
    /// is refused at open.
    #[must_use]
    pub fn durability(mut self, class: Durability) -> Self {
        self.durability = class;
        self
    }

    /// Gives each event of a tenant that is made by this open the SHA-256 chain. A tenant that exists keeps
    /// what it was made with.
    #[must_use]
    pub fn chained(mut self) -> Self {
        self.chained = true;
        self
    }

    /// The longest time that a lost wake-up signal can cost a subscription.
    #[must_use]
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.poll = interval.max(Duration::from_millis(1));
        self
    }

    /// Whether appends wake subscriptions.
    #[must_use]
    pub fn signalling(mut self, signalling: Signalling) -> Self {
        self.signalling = signalling;
        self
    }

    /// The registered SQLite file layer to use instead of the system's.
    #[must_use]
    pub fn vfs(mut self, name: impl Into<String>) -> Self {
        self.vfs = Some(name.into());
        self
    }
}

/// A tenant's log in a SQLite file, of class [`Durability::Machine`].
///
/// Clones share the log. The last handle's end stores what is in memory only, merges the write-ahead log
/// and waits for both.
///
/// ```
/// use fleet_store::port::{EventStore, SystemClock};
/// use fleet_store::sqlite::{SqliteOptions, SqliteStore};
/// use std::sync::Arc;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("fleet.db");
/// let clock = Arc::new(SystemClock);
/// let store = SqliteStore::open(&path, "default".parse()?, clock, &SqliteOptions::default())?;
/// assert_eq!(store.capabilities().durability.to_string(), "machine");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteStore {
    engine: Arc<Engine>,
    tenant: Arc<Tenant>,
    durability: Durability,
}

struct Engine {
    path: PathBuf,
    chained: bool,
    messages: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Fails when the writer has ended, which is what is wanted.
        let _ = self.messages.send(Message::Close);
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

impl SqliteStore {
    /// Opens the log of `tenant` in the file at `path`, making what does not exist. Blocks for the time of a few
    /// file operations, and of reading back what a kill left behind.
    ///
    /// # Errors
    /// `store.unavailable` when another process has it open or the file cannot be opened; `store.full` for a disk
    /// without room for the engine's shared memory;
    /// `store.misconfigured` for an engine that damages data or a class it cannot give;
    /// `store.unknown_schema` for a newer format, which is left untouched; `store.corrupt` for a damaged or
    /// foreign file, or a log that has lost its tail.
    pub fn open(
        path: impl AsRef<Path>,
        tenant: TenantId,
        clock: Arc<dyn Clock>,
        options: &SqliteOptions,
    ) -> Result<Self, StoreError> {
        layout::check_engine(rusqlite::version_number())?;
        if !matches!(
            options.durability,
            Durability::Machine | Durability::Process
        ) {
            return Err(StoreError::Misconfigured {
                reason: format!(
                    "an embedded store is `machine` or `process`, `{}` was asked for",
                    options.durability
                ),
            });
        }
        let place = layout::Place {
            path: path.as_ref().to_owned(),
            vfs: options.vfs.clone(),
            durability: options.durability,
            access: layout::Access::Write,
        };
        let witness = witness::Witness::open(&place.path)?;
        let mut writer = Writer::start(&place, clock, witness, options.poll, options.signalling)?;
        let shared = writer.tenant(&tenant, options.chained)?;
        let (messages, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new()
            .name("fleet-store".to_owned())
            .spawn(move || writer.run(&inbox))
            .map_err(|error| StoreError::unavailable(format!("starting the writer: {error}")))?;
        Ok(Self {
            engine: Arc::new(Engine {
                path: place.path,
                chained: options.chained,
                messages,
                thread: Mutex::new(Some(thread)),
            }),
            tenant: shared,
            durability: options.durability,
        })
    }

    /// The log of another tenant in the same file.
    ///
    /// # Errors
    /// As [`SqliteStore::open`].
    pub fn for_tenant(&self, tenant: TenantId) -> Result<Self, StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let chained = self.engine.chained;
        let message = Message::Tenant(tenant, chained, reply);
        let gone = || StoreError::unavailable("the store is closed");
        self.engine.messages.send(message).map_err(|_| gone())?;
        Ok(Self {
            engine: Arc::clone(&self.engine),
            tenant: answer.recv().map_err(|_| gone())??,
            durability: self.durability,
        })
    }

    /// Opens as [`SqliteStore::open`] and brings in what a backup of the tenant holds beyond the store.
    ///
    /// The store may be new, empty, or hold a beginning of the same history; the backup is checked as a whole
    /// before anything is written. Nothing that is stored is ever overwritten.
    ///
    /// # Errors
    /// `store.invalid_input` when the store has a higher head, another history, or another tenant;
    /// `store.corrupt` for a damaged backup; and as [`SqliteStore::open`].
    pub fn restore(
        path: impl AsRef<Path>,
        tenant: TenantId,
        clock: Arc<dyn Clock>,
        options: &SqliteOptions,
        from: impl Read + Seek,
    ) -> Result<(Self, BackupSummary), StoreError> {
        let mut reader = backup::Reader::open(from)?;
        let header = reader.header.clone();
        let mut options = options.clone();
        options.chained = header.chained;
        backup::check_target(&header, &tenant, header.chained, Position::ZERO)?;
        let store = Self::open(path, tenant, clock, &options)?;
        let shared = &store.tenant;
        backup::check_target(&header, &shared.name, shared.chained, shared.head())?;
        let present = shared.head();
        let mut page: Vec<Recorded> = Vec::new();
        let mut held = std::collections::VecDeque::new();
        let mut events = 0;
        loop {
            let item = reader.next()?;
            if let Some(Item::Event(event)) = item {
                events += 1;
                if event.position > present {
                    page.push(*event);
                    if page.len() >= 4_096 {
                        store.wait(Work::Import(std::mem::take(&mut page)))?;
                    }
                    continue;
                }
                if held.is_empty() {
                    let read = LogRead::after(Position(event.position.0 - 1));
                    held.extend(backup::BackedUp::raw_page(shared.as_ref(), &read)?.0);
                }
                if held.pop_front().as_ref() != Some(&event) {
                    return Err(backup::other_history(event.position));
                }
                continue;
            }
            if !page.is_empty() {
                store.wait(Work::Import(std::mem::take(&mut page)))?;
            }
            let Some(Item::Hidden(hidden)) = item else {
                break;
            };
            if !shared.holds(&hidden.stream)? {
                continue;
            }
            if hidden.first > StreamVersion(1) {
                let first = hidden.first.min(shared.end_of(&hidden.stream)?);
                match store.wait(Work::Truncate(hidden.stream.clone(), first)) {
                    Ok(()) | Err(StoreError::Tombstoned { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
            if hidden.tombstoned {
                store.wait(Work::Tombstone(hidden.stream))?;
            }
        }
        let summary = BackupSummary {
            head: shared.head(),
            events,
            bytes: reader.bytes,
        };
        Ok((store, summary))
    }

    /// Asks the writer and waits on this thread.
    fn wait(&self, work: Work) -> Result<(), StoreError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let message = Message::Wait(self.tenant.number, work, reply);
        let gone = || StoreError::unavailable("the store is closed");
        self.engine.messages.send(message).map_err(|_| gone())?;
        answer.recv().map_err(|_| gone())?.map(|_| ())
    }

    /// The events above `after` up to `to` (or the log's end), with what proves that none was changed, added or
    /// removed; for [`chain::verify`](crate::chain::verify).
    ///
    /// # Errors
    /// `store.unsupported` for a log without the chain; `store.invalid_input` when `after` is beyond its end.
    pub fn prove(&self, after: Position, to: Position) -> Result<Vec<u8>, StoreError> {
        crate::chain::prove(self.tenant.as_ref(), after, to)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.engine.path
    }

    fn job(&self, work: Work) -> (Job, oneshot::Receiver<writer::Outcome>) {
        let (reply, answer) = oneshot::channel();
        let tenant = self.tenant.number;
        let job = Job {
            tenant,
            work,
            reply: Reply::Polled(reply),
        };
        (job, answer)
    }

    async fn ask(&self, work: Work) -> writer::Outcome {
        let (job, answer) = self.job(work);
        match self.engine.messages.send(Message::One(job)) {
            Ok(()) => answer.await.unwrap_or_else(|_| Err(lost())),
            Err(_) => Err(StoreError::unavailable("the store is closed")),
        }
    }
}

fn lost() -> StoreError {
    StoreError::Unknown {
        ids: Vec::new(),
        reason: "the writer ended".to_owned(),
    }
}

fn appended(outcome: writer::Outcome) -> Result<Appended, StoreError> {
    outcome?.ok_or_else(lost)
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteStore")
            .field("path", &self.engine.path)
            .field("tenant", &self.tenant.name)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    fn tenant(&self) -> &TenantId {
        &self.tenant.name
    }

    fn capabilities(&self) -> Capabilities {
        let engine = rusqlite::version().to_owned();
        let mut capabilities = Capabilities::new("sqlite", engine, self.durability);
        capabilities.chained = self.tenant.chained;
        capabilities.snapshots_ignored = self.tenant.ignored.load(Ordering::Relaxed);
        capabilities
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        appended(self.ask(Work::Append(append)).await)
    }

    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        let capabilities = self.capabilities();
        let (answers, told) = Answers::new(appends.len());
        let mut jobs = Vec::with_capacity(appends.len());
        for (n, append) in appends.into_iter().enumerate() {
            let reply = Reply::Among(Arc::clone(&answers), n);
            match append.check(&capabilities) {
                Ok(()) => jobs.push(Job {
                    tenant: self.tenant.number,
                    work: Work::Append(append),
                    reply,
                }),
                Err(refusal) => reply.send(Err(refusal)),
            }
        }
        drop(answers);
        if let Err(closed) = self.engine.messages.send(Message::Many(jobs))
            && let Message::Many(jobs) = closed.0
        {
            for job in jobs {
                let closed = StoreError::unavailable("the store is closed");
                job.reply.send(Err(closed));
            }
        }
        let outcomes = told.await.unwrap_or_default();
        let outcome = |outcome: Option<_>| appended(outcome.unwrap_or_else(|| Err(lost())));
        outcomes.into_iter().map(outcome).collect()
    }

    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        self.tenant.read_stream(&read)
    }

    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        self.tenant.read_all(&read)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.tenant.head())
    }

    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription {
        let source: Arc<dyn Source> = Arc::clone(&self.tenant) as Arc<dyn Source>;
        live::subscribe(source, subscribe)
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.ask(Work::Snapshot(snapshot)).await.map(|_| ())
    }

    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.tenant.load_snapshot(stream, schema)
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        checkpoint.check()?;
        self.ask(Work::Checkpoint(checkpoint)).await.map(|_| ())
    }

    async fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        self.tenant.load_checkpoint(name, schema_hash)
    }

    async fn truncate_before(
        &self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError> {
        let work = Work::Truncate(stream.clone(), version);
        self.ask(work).await.map(|_| ())
    }

    async fn tombstone(&self, stream: &StreamName) -> Result<(), StoreError> {
        self.ask(Work::Tombstone(stream.clone())).await.map(|_| ())
    }

    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        backup::write(self.tenant.as_ref(), to)
    }

    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        self.tenant.scrub(after, limit)
    }
}

#[cfg(test)]
mod tests;
