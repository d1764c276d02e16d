//! A log that another process may be writing, read from beside it.
//!
//! A follower takes no lock that a writer waits for and writes nothing. Each read looks first how far the log
//! has come: new events, index runs and hidden streams are taken over in the view of the database that
//! the read uses. Subscriptions look again at each tick of a timer.

use super::SqliteOptions;
use super::catalogue::{read_closed, read_runs, run_numbers};
use super::fault::damaged;
use super::keys::{row_value, stream_hash, stream_key};
use super::layout::{self, Access, Place};
use super::readers::{Readers, in_view};
use super::room;
use super::tenant::{Opened, Tenant, parsed};
use super::witness::Witness;
use crate::backup;
use crate::live::{self, Source};
use crate::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Corruption,
    Durability, EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage,
    StreamRead, Subscribe, Subscription,
};
use async_trait::async_trait;
use fleet_model::kernel::{Position, StreamName, StreamVersion, TenantId};
use rusqlite::Connection;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// The longest wait for a position that a read asks for.
const DEADLINE: Duration = Duration::from_secs(5);

/// What a follower knows of the tables besides the log.
pub(crate) struct Followed {
    runs: Vec<i64>,
    closed: (u64, u32),
}

impl Tenant {
    /// Takes over what was stored since the last look.
    pub(super) fn catch_up(
        &self,
        connection: &Connection,
        followed: &mut Followed,
    ) -> Result<(), StoreError> {
        let rows = layout::tenants(connection)?;
        let row = rows.iter().find(|row| row.number == self.number);
        let row = row.ok_or_else(|| damaged("table `tenant`", "the tenant is gone"))?;
        if row.closed != followed.closed {
            let closed = read_closed(connection, &self.sql, row.closed)?;
            *self.closed.write().unwrap_or_else(PoisonError::into_inner) = closed;
            followed.closed = row.closed;
        }
        let known = self.head().0;
        let runs = run_numbers(connection, &self.sql)?;
        let mut covered = known;
        if runs != followed.runs {
            // What was fresh stands in runs now; what is above them is read again.
            let (ids, streams, end, _) = read_runs(connection, &self.sql)?;
            self.ids.reset(ids);
            self.streams.reset(streams);
            covered = end.min(known);
        }
        let mut last = 0;
        self.walk(connection, covered.max(1), u64::MAX, |raw, place| {
            last = raw.position.0;
            if last > covered {
                self.ids.extend([(*raw.id().as_uuid().as_bytes(), last)]);
                if let Some(count) = place.part() {
                    let stream = parsed(raw.stream, last)?;
                    let key = stream_key(&stream_hash(&stream), raw.version.0);
                    self.streams.extend([(key, row_value(last, count))]);
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if last < known {
            return Err(Corruption::LogShorterThanWitness {
                witness: Position(known),
                head: Position(last),
            }
            .into());
        }
        followed.runs = runs;
        self.head.store(last, Ordering::Release);
        Ok(())
    }
}

/// A tenant's log in a SQLite file that this process only reads, and another one may be writing.
///
/// Whatever would write is `store.unsupported`. Subscriptions and reads that ask for a position look
/// at the file once in each poll interval; no read waits for the writer, and no append waits for a reader.
///
/// ```
/// use fleet_store::port::{EventStore, SystemClock};
/// use fleet_store::sqlite::{SqliteFollower, SqliteOptions, SqliteStore};
/// use std::sync::Arc;
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("fleet.db");
/// let options = SqliteOptions::default();
/// let store = SqliteStore::open(&path, "default".parse()?, Arc::new(SystemClock), &options)?;
/// let follower = SqliteFollower::open(&path, "default".parse()?, &options)?;
/// assert_eq!(pollster::block_on(follower.head())?.0, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct SqliteFollower {
    tenant: Arc<Tenant>,
    durability: Durability,
    poll: Duration,
    _timer: Arc<Timer>,
}

/// Wakes what waits at each tick, until it is dropped.
struct Timer {
    end: Option<Sender<()>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Timer {
    fn start(tenant: Arc<Tenant>, poll: Duration) -> Result<Self, StoreError> {
        let (end, ended) = mpsc::channel::<()>();
        let tick = move || {
            while ended.recv_timeout(poll) == Err(RecvTimeoutError::Timeout) {
                tenant.signals.wake();
            }
            tenant.signals.close();
        };
        let thread = std::thread::Builder::new()
            .name("fleet-follower".to_owned())
            .spawn(tick)
            .map_err(|error| StoreError::unavailable(format!("starting the timer: {error}")))?;
        Ok(Self {
            end: Some(end),
            thread: Mutex::new(Some(thread)),
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.end = None;
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            let _ = thread.join();
        }
    }
}

impl SqliteFollower {
    /// Opens the log of `tenant` in the file at `path`, which must exist. Blocks for the time of a few file
    /// operations, and of reading what the file's indexes do not cover.
    ///
    /// # Errors
    /// `store.unavailable` when there is no such file or tenant, or it cannot be opened; `store.full` for a disk
    /// without room for the engine's shared memory; `store.misconfigured`
    /// for an engine that damages data; `store.unknown_schema` for a newer format; `store.corrupt` for a
    /// damaged or foreign file, or a log that has lost its tail.
    pub fn open(
        path: impl AsRef<Path>,
        tenant: TenantId,
        options: &SqliteOptions,
    ) -> Result<Self, StoreError> {
        layout::check_engine(rusqlite::version_number())?;
        let place = Place {
            path: path.as_ref().to_owned(),
            vfs: options.vfs.clone(),
            durability: options.durability,
            access: Access::Follow,
        };
        let missing = |what: &str| {
            let path = place.path.display();
            StoreError::unavailable(format!("`{path}` holds no {what}"))
        };
        if !place.is_there()? {
            return Err(missing("store"));
        }
        room::check_beside_writer(&place.path)?;
        // Before the log: what the witness has seen is in it.
        let witness = Witness::peek(&place.path);
        let readers = Arc::new(Readers::new(place.clone()));
        let opened = readers.with(|connection| {
            in_view(connection, || {
                let rows = layout::tenants(connection)?;
                let row = rows.into_iter().find(|row| row.name == tenant);
                let row = row.ok_or_else(|| missing(&format!("tenant `{tenant}`")))?;
                let followed = Followed {
                    runs: run_numbers(connection, &layout::Sql::new(row.number))?,
                    closed: row.closed,
                };
                let seen = witness.iter().find(|seen| seen.tenant == row.number);
                let shared = Arc::clone(&readers);
                let Opened { mut tenant, .. } =
                    Tenant::open(connection, row, shared, seen.copied())?;
                tenant.followed = Some(Mutex::new(followed));
                Ok(tenant)
            })
        })?;
        let tenant = Arc::new(opened);
        Ok(Self {
            _timer: Arc::new(Timer::start(Arc::clone(&tenant), options.poll)?),
            tenant,
            durability: options.durability,
            poll: options.poll,
        })
    }

    /// Waits until the log has come as far as is asked, or the deadline has passed.
    async fn reach(&self, position: Option<Position>) -> Result<(), StoreError> {
        let Some(position) = position else {
            return Ok(());
        };
        let mut left = DEADLINE;
        while self.tenant.look(|_, head| Ok(head))? < position && !left.is_zero() {
            self.tenant.signals.woken().await;
            left = left.saturating_sub(self.poll);
        }
        Ok(())
    }
}

impl std::fmt::Debug for SqliteFollower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteFollower")
            .field("path", &self.tenant.readers.place.path)
            .field("tenant", &self.tenant.name)
            .finish_non_exhaustive()
    }
}

const READS_ONLY: StoreError = StoreError::Unsupported {
    what: "writing: it follows what another process writes",
};

#[async_trait]
impl EventStore for SqliteFollower {
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

    async fn append(&self, _append: Append) -> Result<Appended, StoreError> {
        Err(READS_ONLY)
    }

    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        appends.iter().map(|_| Err(READS_ONLY)).collect()
    }

    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        self.reach(read.at_least).await?;
        self.tenant.read_stream(&read)
    }

    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        self.reach(read.at_least).await?;
        self.tenant.read_all(&read)
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.tenant.look(|_, head| Ok(head))
    }

    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription {
        let source: Arc<dyn Source> = Arc::clone(&self.tenant) as Arc<dyn Source>;
        live::subscribe(source, subscribe)
    }

    async fn save_snapshot(&self, _snapshot: Snapshot) -> Result<(), StoreError> {
        Err(READS_ONLY)
    }

    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.tenant.load_snapshot(stream, schema)
    }

    async fn save_checkpoint(&self, _checkpoint: Checkpoint) -> Result<(), StoreError> {
        Err(READS_ONLY)
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
        _stream: &StreamName,
        _version: StreamVersion,
    ) -> Result<(), StoreError> {
        Err(READS_ONLY)
    }

    async fn tombstone(&self, _stream: &StreamName) -> Result<(), StoreError> {
        Err(READS_ONLY)
    }

    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        backup::write(self.tenant.as_ref(), to)
    }

    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        self.tenant.scrub(after, limit)
    }
}
