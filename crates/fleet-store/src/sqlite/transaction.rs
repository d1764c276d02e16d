//! The writer's transactions: batches of work, and index runs.

use super::fault::{Fault, classify, damaged, nothing_stored};
use super::index::{FRESH, NewRun, block_id};
use super::layout::{self, Sql, crc_of};
use super::merger::Merger;
use super::plan::{Log, Row};
use super::states::{encode_checkpoint, encode_snapshot};
use super::writer::{Job, Outcome, Work, Writer};
use crate::port::StoreError;
use fleet_model::kernel::{StreamName, StreamVersion, Timestamp};
use rusqlite::{Connection, params};
use std::ops::ControlFlow;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// At a clean end, fewer index entries than these are left to be read back at the next open.
const FRESH_AT_CLOSE: usize = 512;

/// A transaction that failed.
pub(super) enum Failed {
    /// Nothing of it is stored.
    Nothing(StoreError),
    /// It failed at its commit: whether it is stored cannot be told.
    Commit(String),
}

impl Failed {
    fn before_commit(error: &rusqlite::Error) -> Self {
        Self::Nothing(nothing_stored(error))
    }
}

impl Writer {
    /// Stores a batch in one transaction; refused work has its refusal as outcome.
    pub(super) fn transact(&mut self, batch: &[Job]) -> Result<Vec<Outcome>, Failed> {
        let done = self.try_transact(batch);
        if done.is_err() {
            self.roll_back();
        }
        done
    }

    fn try_transact(&mut self, batch: &[Job]) -> Result<Vec<Outcome>, Failed> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(batch.len());
        let mut open = Transaction {
            connection: &self.connection,
            begun: false,
            bytes: 0,
        };
        for job in batch {
            let Some(log) = self
                .logs
                .iter_mut()
                .find(|log| log.shared.number == job.tenant)
            else {
                outcomes.push(Err(StoreError::unavailable("the tenant is not open")));
                continue;
            };
            let outcome = perform(&mut open, log, &job.work, &outcomes, || self.clock.now())?;
            outcomes.push(outcome);
        }
        for log in &mut self.logs {
            let last = log.staged.open.take();
            open.put(&log.shared.sql, last.as_slice())?;
        }
        if !open.begun {
            return Ok(outcomes);
        }
        let bytes = open.bytes;
        let commit = self
            .connection
            .prepare_cached("COMMIT")
            .and_then(|mut commit| commit.execute([]));
        if let Err(error) = commit {
            return Err(match classify(&error) {
                Fault::Full => Failed::Nothing(StoreError::Full { reopen: false }),
                Fault::Damaged(reason) | Fault::Failed(reason) => Failed::Commit(reason),
            });
        }
        self.merger.note(bytes);
        for log in &mut self.logs {
            if !log.staged.is_empty() {
                publish(log);
                self.witness.note(log.seen);
            }
        }
        Ok(outcomes)
    }

    /// After a failed transaction: forgets what was staged and takes over what is stored after all.
    pub(super) fn resync(&mut self) -> Result<(), StoreError> {
        self.roll_back();
        for log in &mut self.logs {
            log.forget();
            let shared = std::sync::Arc::clone(&log.shared);
            let head = shared.head().0;
            // Back to the last event that is known to be stored.
            log.last = head;
            log.chain = shared.chained.then_some([0; 32]);
            log.seen = log.committed;
            shared.walk(&self.connection, head.max(1), u64::MAX, |raw, place| {
                if raw.position.0 <= head {
                    if shared.chained {
                        log.chain = raw.chain;
                    }
                } else {
                    log.adopt(raw, place.part())?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if let Some(row) = layout::tenants(&self.connection)?
                .into_iter()
                .find(|row| row.number == shared.number)
            {
                log.row = row;
            }
            if log.last > head {
                log.committed = log.seen;
                shared.head.store(log.last, Ordering::Release);
                self.witness.note(log.seen);
            }
        }
        Ok(())
    }

    /// Writes index runs when enough has gathered, merges runs and the write-ahead log when they are due.
    pub(super) fn keep_house(&mut self) {
        for n in 0..self.logs.len() {
            let Some(log) = self.logs.get_mut(n) else {
                continue;
            };
            if log.shared.ids.fresh_len() < log.flush_at {
                continue;
            }
            match write_runs(&self.connection, log, &mut self.merger) {
                Ok(()) => log.flush_at = FRESH,
                Err(_) => {
                    // The entries stay in memory; the next attempt comes later.
                    log.flush_at += FRESH;
                    self.roll_back();
                }
            }
        }
        self.merger.keep(&self.connection);
    }

    /// Writes what a clean end leaves in memory.
    pub(super) fn settle(&mut self) {
        for n in 0..self.logs.len() {
            let Some(log) = self.logs.get_mut(n) else {
                continue;
            };
            if log.shared.ids.fresh_len() >= FRESH_AT_CLOSE
                && write_runs(&self.connection, log, &mut self.merger).is_err()
            {
                self.roll_back();
            }
        }
    }
}

struct Transaction<'a> {
    connection: &'a Connection,
    begun: bool,
    bytes: u64,
}

impl Transaction<'_> {
    /// Adds rows to a log.
    fn put(&mut self, sql: &Sql, rows: &[Row]) -> Result<(), Failed> {
        rows.iter().try_for_each(|row| {
            let position = i64::try_from(row.position).unwrap_or(i64::MAX);
            self.execute(&sql.insert, position, Some(&row.bytes))
        })
    }

    fn execute(
        &mut self,
        sql: &str,
        key: impl rusqlite::ToSql,
        bytes: Option<&[u8]>,
    ) -> Result<(), Failed> {
        let failed = |error: rusqlite::Error| Failed::before_commit(&error);
        if !self.begun {
            let begin = self.connection.prepare_cached("BEGIN IMMEDIATE");
            begin
                .and_then(|mut begin| begin.execute([]))
                .map_err(failed)?;
            self.begun = true;
            self.bytes += layout::PAGE;
        }
        let mut statement = self.connection.prepare_cached(sql).map_err(failed)?;
        let done = match bytes {
            Some(bytes) => statement.execute(params![key, bytes]),
            None => statement.execute(params![key]),
        };
        self.bytes += bytes.map_or(64, <[u8]>::len) as u64 + 64;
        done.map(|_| ()).map_err(failed)
    }
}

/// Does one piece of work inside the transaction. The inner error is a refusal.
fn perform(
    open: &mut Transaction<'_>,
    log: &mut Log,
    work: &Work,
    before: &[Outcome],
    now: impl Fn() -> Timestamp,
) -> Result<Outcome, Failed> {
    let shared = std::sync::Arc::clone(&log.shared);
    let sql = &shared.sql;
    match work {
        Work::Append(append) => match log.append(open.connection, append, before, now()) {
            Ok((rows, appended)) => {
                open.put(sql, &rows)?;
                Ok(Ok(Some(appended)))
            }
            Err(refusal) => Ok(Err(refusal)),
        },
        Work::Snapshot(snapshot) => {
            if let Err(refusal) = shared.first_visible(&snapshot.stream) {
                return Ok(Err(refusal));
            }
            let bytes = encode_snapshot(snapshot);
            open.execute(&sql.put_snapshot, snapshot.stream.as_str(), Some(&bytes))?;
            Ok(Ok(None))
        }
        Work::Checkpoint(checkpoint) => {
            let bytes = encode_checkpoint(checkpoint);
            open.execute(&sql.put_checkpoint, checkpoint.name.as_str(), Some(&bytes))?;
            Ok(Ok(None))
        }
        Work::Import(events) => {
            let rows = log
                .import(open.connection, events)
                .map_err(Failed::Nothing)?;
            open.put(sql, &rows)?;
            Ok(Ok(None))
        }
        Work::Truncate(stream, version) => close(open, log, sql, stream, Some(*version)),
        Work::Tombstone(stream) => close(open, log, sql, stream, None),
    }
}

fn close(
    open: &mut Transaction<'_>,
    log: &mut Log,
    sql: &Sql,
    stream: &StreamName,
    truncate: Option<StreamVersion>,
) -> Result<Outcome, Failed> {
    let (old, new) = match log.close(open.connection, stream, truncate) {
        Ok(Some(change)) => change,
        Ok(None) => return Ok(Ok(None)),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let bytes = new.encode(stream);
    open.execute(&sql.put_closed, stream.as_str(), Some(&bytes))?;
    let mut row = log.staged.row.clone().unwrap_or_else(|| log.row.clone());
    if old.first.0 == 0 {
        row.closed.0 += 1;
    } else {
        row.closed.1 = row.closed.1.wrapping_sub(crc_of(&old.encode(stream)));
    }
    row.closed.1 = row.closed.1.wrapping_add(crc_of(&bytes));
    layout::put_tenant(open.connection, &row).map_err(|error| Failed::before_commit(&error))?;
    if new.tombstoned {
        open.execute(&sql.drop_snapshot, stream.as_str(), None)?;
    }
    log.staged.row = Some(row);
    log.staged.closed.push((stream.clone(), new));
    Ok(Ok(None))
}

/// Shows readers what was committed.
fn publish(log: &mut Log) {
    let staged = std::mem::take(&mut log.staged);
    log.shared.ids.extend(staged.new_ids);
    log.shared.streams.extend(staged.entries);
    if let Some(row) = staged.row {
        log.row = row;
    }
    if !staged.closed.is_empty() {
        let mut closed = log
            .shared
            .closed
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        closed.extend(staged.closed);
    }
    log.committed = log.seen;
    log.shared.head.store(log.last, Ordering::Release);
}

/// Writes the fresh index entries as runs, and merges what is due.
fn write_runs(
    connection: &Connection,
    log: &mut Log,
    merger: &mut Merger,
) -> Result<(), StoreError> {
    let shared = std::sync::Arc::clone(&log.shared);
    let runs = shared.ids.runs();
    let from = runs.last().map_or(0, |run| run.to) + 1;
    let ids = shared.ids.to_run(log.next_run, from, log.last);
    let streams = shared.streams.to_run(log.next_run + 1, from, log.last);
    in_transaction(connection, || {
        put_run(connection, &shared.sql, &ids)?;
        put_run(connection, &shared.sql, &streams)
    })?;
    log.next_run += 2;
    merger.note((ids.blocks.len() + streams.blocks.len()) as u64 * 4_200);
    shared.ids.flushed(ids.run);
    shared.streams.flushed(streams.run);
    merge(connection, &shared.sql, &shared.ids, log, merger)?;
    merge(connection, &shared.sql, &shared.streams, log, merger)
}

fn merge<const K: usize>(
    connection: &Connection,
    sql: &Sql,
    index: &super::index::Index<K>,
    log: &mut Log,
    merger: &mut Merger,
) -> Result<(), StoreError> {
    let count = index.to_merge();
    if count == 0 {
        return Ok(());
    }
    let blocks = log.shared.stored(connection);
    let (new, old) = index.merged(&blocks, count, log.next_run)?;
    in_transaction(connection, || {
        for run in &old {
            let (low, high) = (block_id(run.number, 0), block_id(run.number + 1, 0));
            connection
                .prepare_cached(&sql.drop_blocks)?
                .execute([low, high])?;
            connection
                .prepare_cached(&sql.drop_run)?
                .execute([run.number])?;
        }
        put_run(connection, sql, &new)
    })?;
    log.next_run += 1;
    merger.note(new.blocks.len() as u64 * 4_200);
    index.replaced(count, new.run);
    Ok(())
}

fn in_transaction(
    connection: &Connection,
    work: impl FnOnce() -> rusqlite::Result<()>,
) -> Result<(), StoreError> {
    let done = || -> rusqlite::Result<()> {
        connection.execute_batch("BEGIN IMMEDIATE")?;
        work()?;
        connection.execute_batch("COMMIT")
    };
    done().map_err(|error| damaged("index run", error.to_string()))
}

fn put_run<const K: usize>(
    connection: &Connection,
    sql: &Sql,
    new: &NewRun<K>,
) -> rusqlite::Result<()> {
    for (n, block) in new.blocks.iter().enumerate() {
        let id = block_id(new.run.number, n);
        connection
            .prepare_cached(&sql.put_block)?
            .execute(params![id, block])?;
    }
    connection
        .prepare_cached(&sql.put_run)?
        .execute(params![new.run.number, new.run.header()])
        .map(|_| ())
}
