//! The one writer: a thread that gathers what callers ask, stores it in one transaction and answers.
//!
//! A refused append is refused before anything of it is written, so the appends of a transaction do not
//! need savepoints among each other. When a transaction fails, each of its appends is tried once more alone.

use super::Signalling;
use super::fault::nothing_stored;
use super::layout::{self, Place, TenantRow};
use super::merger::Merger;
use super::plan::Log;
use super::readers::Readers;
use super::tenant::{Opened, Tenant};
use super::transaction::Failed;
use super::witness::Witness;
use crate::live::Source as _;
use crate::port::{Append, Appended, Checkpoint, Clock, Snapshot, StoreError};
use fleet_model::kernel::{Recorded, StreamName, StreamVersion, TenantId};
use futures_channel::oneshot;
use rusqlite::Connection;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Appends, and bytes of data, that go into one transaction.
const BATCH: usize = 8_192;
const BATCH_BYTES: usize = 4 << 20;
/// The longest wait for callers that were just answered to ask again; half of what the last transaction took,
/// where that is less.
const GATHER: Duration = Duration::from_millis(2);
/// What a caller asks for besides reading.
pub(crate) enum Work {
    Append(Append),
    Snapshot(Snapshot),
    Checkpoint(Checkpoint),
    Truncate(StreamName, StreamVersion),
    Tombstone(StreamName),
    /// Events of a backup, at their places.
    Import(Vec<Recorded>),
}

/// What came of it: the group, for an append.
pub(crate) type Outcome = Result<Option<Appended>, StoreError>;

pub(crate) struct Job {
    pub(crate) tenant: u32,
    pub(crate) work: Work,
    pub(crate) reply: Reply,
}

/// How a caller hears.
pub(crate) enum Reply {
    Polled(oneshot::Sender<Outcome>),
    Waiting(SyncSender<Outcome>),
    /// As one of several, at this place among them.
    Among(Arc<Answers>, usize),
}

/// Outcomes that are told together, when the last of them is there or will not come any more.
pub(crate) struct Answers {
    /// `None` for one that is not there.
    outcomes: Mutex<Vec<Option<Outcome>>>,
    all: Option<oneshot::Sender<Vec<Option<Outcome>>>>,
}

impl Answers {
    /// Room for `count` outcomes, and where they are told.
    pub(crate) fn new(count: usize) -> (Arc<Self>, oneshot::Receiver<Vec<Option<Outcome>>>) {
        let (all, told) = oneshot::channel();
        let outcomes = Mutex::new(std::iter::repeat_with(|| None).take(count).collect());
        let all = Some(all);
        (Arc::new(Self { outcomes, all }), told)
    }

    fn put(&self, at: usize, outcome: Outcome) {
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = outcomes.get_mut(at) {
            *place = Some(outcome);
        }
    }
}

impl Drop for Answers {
    fn drop(&mut self) {
        let outcomes = self.outcomes.get_mut();
        let outcomes = std::mem::take(outcomes.unwrap_or_else(PoisonError::into_inner));
        if let Some(all) = self.all.take() {
            // A caller that went away does not hear.
            drop(all.send(outcomes));
        }
    }
}

impl Reply {
    pub(crate) fn send(self, outcome: Outcome) {
        // A caller that went away does not hear.
        match self {
            Self::Polled(sender) => drop(sender.send(outcome)),
            Self::Waiting(sender) => drop(sender.send(outcome)),
            Self::Among(answers, at) => answers.put(at, outcome),
        }
    }
}

pub(crate) enum Message {
    One(Job),
    Many(Vec<Job>),
    Wait(u32, Work, SyncSender<Outcome>),
    Tenant(TenantId, bool, SyncSender<Result<Arc<Tenant>, StoreError>>),
    Close,
}

pub(crate) struct Writer {
    pub(super) connection: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) witness: Witness,
    readers: Arc<Readers>,
    pub(super) logs: Vec<Log>,
    open: bool,
    pub(super) merger: Merger,
    poll: Duration,
    signalling: Signalling,
}

impl Writer {
    pub(crate) fn start(
        place: &Place,
        clock: Arc<dyn Clock>,
        witness: Witness,
        poll: Duration,
        signalling: Signalling,
    ) -> Result<Self, StoreError> {
        place.create_or_check(witness.highest())?;
        Ok(Self {
            connection: place.connect_writer()?,
            clock,
            witness,
            readers: Arc::new(Readers::new(place.clone())),
            logs: Vec::new(),
            open: false,
            merger: Merger::new(place.clone()),
            poll,
            signalling,
        })
    }

    /// The log of a tenant, made when it is new.
    pub(crate) fn tenant(
        &mut self,
        name: &TenantId,
        chained: bool,
    ) -> Result<Arc<Tenant>, StoreError> {
        if let Some(log) = self.logs.iter().find(|log| log.shared.name == *name) {
            return Ok(Arc::clone(&log.shared));
        }
        let rows = layout::tenants(&self.connection)?;
        let row = match rows.iter().find(|row| row.name == *name) {
            Some(row) => row.clone(),
            None => {
                let number = u32::try_from(rows.len()).unwrap_or(u32::MAX - 1) + 1;
                let row = TenantRow {
                    number,
                    name: name.clone(),
                    chained,
                    closed: (0, 0),
                };
                if let Err(error) = layout::add_tenant(&self.connection, &row) {
                    self.roll_back();
                    return Err(nothing_stored(&error));
                }
                row
            }
        };
        let seen = self.witness.of(row.number);
        let Opened {
            tenant,
            row,
            chain,
            seen,
            next_run,
        } = Tenant::open(&self.connection, row, Arc::clone(&self.readers), seen)?;
        let shared = Arc::new(tenant);
        self.logs
            .push(Log::new(Arc::clone(&shared), row, chain, seen, next_run));
        Ok(shared)
    }

    /// Serves until it is told to close or nobody is left to ask.
    pub(crate) fn run(mut self, messages: &Receiver<Message>) {
        let mut queue = VecDeque::new();
        let mut answered = 0;
        let mut took = Duration::ZERO;
        let mut ticked = Instant::now();
        self.open = true;
        while self.open {
            self.take_all(messages, &mut queue);
            let mut wanted = queue.len() + answered;
            if queue.is_empty() {
                match messages.recv_timeout(self.poll) {
                    Ok(message) => self.take(message, &mut queue),
                    Err(RecvTimeoutError::Timeout) => wanted = 0,
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if ticked.elapsed() >= self.poll {
                // The poll timer: whatever signal was lost costs no more than this.
                self.logs.iter().for_each(|log| log.shared.signals().wake());
                ticked = Instant::now();
            }
            self.gather(messages, &mut queue, wanted.min(BATCH), took / 2);
            let batch = next_batch(&mut queue);
            answered = batch.len();
            if !batch.is_empty() {
                let begun = Instant::now();
                self.store(batch);
                took = begun.elapsed();
                self.keep_house();
            }
        }
        while let Ok(message) = messages.try_recv() {
            self.take(message, &mut queue);
        }
        while !queue.is_empty() {
            let batch = next_batch(&mut queue);
            self.store(batch);
        }
        self.close();
    }

    fn take(&mut self, message: Message, queue: &mut VecDeque<Job>) {
        match message {
            Message::One(job) => queue.push_back(job),
            Message::Many(jobs) => queue.extend(jobs),
            Message::Wait(tenant, work, reply) => queue.push_back(Job {
                tenant,
                work,
                reply: Reply::Waiting(reply),
            }),
            Message::Tenant(name, chained, reply) => {
                // Nobody waits any more when this fails.
                let _ = reply.send(self.tenant(&name, chained));
            }
            Message::Close => self.open = false,
        }
    }

    fn take_all(&mut self, messages: &Receiver<Message>, queue: &mut VecDeque<Job>) {
        while queue.len() < BATCH
            && let Ok(message) = messages.try_recv()
        {
            self.take(message, queue);
        }
    }

    /// Takes what waits, and gives callers a moment until there are as many as `wanted`: those who came during
    /// the last transaction, and those whom it answered.
    ///
    /// A transaction costs a sync however much is in it, so both should meet in the next, not take turns.
    fn gather(
        &mut self,
        messages: &Receiver<Message>,
        queue: &mut VecDeque<Job>,
        wanted: usize,
        patience: Duration,
    ) {
        let until = Instant::now() + patience.min(GATHER);
        loop {
            self.take_all(messages, queue);
            if queue.is_empty() || queue.len() >= wanted || !self.open {
                return;
            }
            let left = until.saturating_duration_since(Instant::now());
            match messages.recv_timeout(left) {
                Ok(message) => self.take(message, queue),
                Err(_) => return,
            }
        }
    }

    /// Stores a batch and answers; tries each alone when the transaction failed.
    fn store(&mut self, batch: Vec<Job>) {
        match self.transact(&batch) {
            Ok(outcomes) => {
                for (job, outcome) in batch.into_iter().zip(outcomes) {
                    job.reply.send(outcome);
                }
            }
            Err(failed) => {
                for job in batch {
                    let outcome = self.alone(&job, &failed);
                    job.reply.send(outcome);
                }
            }
        }
        if self.signalling == Signalling::OnAppend {
            self.logs.iter().for_each(|log| log.shared.signals().wake());
        }
    }

    /// Tries one again after a failed transaction. Once a commit failed, only a success or a refusal in view
    /// of what is stored now is certain.
    fn alone(&mut self, job: &Job, failed: &Failed) -> Outcome {
        let mut doubt = match failed {
            Failed::Commit(reason) => Some(reason.clone()),
            Failed::Nothing(_) => None,
        };
        let mut last = None;
        for _attempt in 0..2 {
            let outcome = match self.resync() {
                Ok(()) => self.transact(std::slice::from_ref(job)),
                Err(error) => Err(Failed::Nothing(error)),
            };
            match outcome {
                Ok(mut outcomes) => {
                    if let Some(outcome) = outcomes.pop() {
                        return outcome;
                    }
                }
                Err(Failed::Commit(reason)) => doubt = Some(reason),
                Err(Failed::Nothing(error)) => last = Some(error),
            }
        }
        // Leave no half-open transaction behind.
        let _ = self.resync();
        match (doubt, last) {
            (Some(reason), _) => Err(StoreError::Unknown {
                ids: match &job.work {
                    Work::Append(append) => append.events.iter().map(|event| event.id).collect(),
                    _ => Vec::new(),
                },
                reason,
            }),
            (None, Some(error)) => Err(error),
            (None, None) => Err(StoreError::unavailable("the writer lost an outcome")),
        }
    }

    pub(super) fn roll_back(&mut self) {
        if !self.connection.is_autocommit() {
            // Fails only when the engine has rolled back already.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Writes what is only in memory, merges the write-ahead log, and ends subscriptions.
    fn close(mut self) {
        self.settle();
        for log in &self.logs {
            log.shared.signals().close();
        }
        self.readers.close();
        self.merger.close(&self.connection);
    }
}

/// The next jobs that go into one transaction.
fn next_batch(queue: &mut VecDeque<Job>) -> Vec<Job> {
    let mut bytes = 0;
    let mut count = 0;
    for job in queue.iter().take(BATCH) {
        bytes += match &job.work {
            Work::Append(append) => append.events.iter().map(|event| event.data.len()).sum(),
            Work::Checkpoint(checkpoint) => checkpoint.state.len(),
            Work::Snapshot(snapshot) => snapshot.bytes.len(),
            _ => 0,
        };
        count += 1;
        if bytes > BATCH_BYTES {
            break;
        }
    }
    queue.drain(..count).collect()
}
