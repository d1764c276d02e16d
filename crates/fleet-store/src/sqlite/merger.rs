//! Merging the write-ahead log while the writer goes on.
//!
//! A thread with a connection of its own copies what is committed into the database, and syncs both. The log begins
//! anew when nothing was written meanwhile; a writer that never pauses has to end a merge itself now and then, for
//! which little is left.

use super::layout::Place;
use super::witness::beside;
use rusqlite::Connection;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;

/// Bytes of the write-ahead log from which it is merged into the database.
const MERGE_BYTES: u64 = 8 << 20;
/// Bytes from which the writer waits for that. The file is not kept longer than this.
pub(super) const WAL_BYTES: u64 = 32 << 20;

/// How far the log was merged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Merged {
    /// All that was in it.
    All,
    /// Not all: a reader in the middle of a page, or a failing disk. The log itself is not in danger.
    Part,
}

/// Copies the write-ahead log into the database, in SQLite's checkpoint mode `mode`.
fn merge(connection: &Connection, mode: &str) -> Merged {
    let sql = format!("PRAGMA wal_checkpoint({mode})");
    let merged = connection.query_row(&sql, [], |row| {
        let (busy, log, done): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(busy == 0 && log == done)
    });
    match merged {
        Ok(true) => Merged::All,
        _ => Merged::Part,
    }
}

struct Thread {
    ask: SyncSender<()>,
    answer: Receiver<Merged>,
    handle: JoinHandle<()>,
    /// What was written when the merge in progress was asked for.
    asked: Option<u64>,
}

/// Keeps the write-ahead log short.
pub(super) struct Merger {
    place: Place,
    /// Begun when there is enough to merge; short lives need none.
    thread: Option<Thread>,
    /// Bytes written since the log was last merged as a whole, about.
    written: u64,
    /// What was written when a merge was last asked for.
    asked: u64,
}

impl Merger {
    /// `place` is where the writer's connection was made, which may hold a log that another process left behind.
    pub(super) fn new(place: Place) -> Self {
        let left = std::fs::metadata(beside(&place.path, "-wal"));
        Self {
            place,
            thread: None,
            written: left.map_or(0, |file| file.len()),
            asked: 0,
        }
    }

    /// Bytes that went into the log.
    pub(super) fn note(&mut self, bytes: u64) {
        self.written += bytes;
    }

    /// Begins a merge when one is due; `connection` is the writer's.
    pub(super) fn keep(&mut self, connection: &Connection) {
        self.hear(false);
        if self.written >= WAL_BYTES {
            self.hear(true);
            self.end(connection, "PASSIVE");
        } else if self.written - self.asked >= MERGE_BYTES {
            self.begin();
        }
    }

    /// Merges on the writer's connection.
    fn end(&mut self, connection: &Connection, mode: &str) {
        self.written = match merge(connection, mode) {
            Merged::All => 0,
            // Soon again.
            Merged::Part => WAL_BYTES - MERGE_BYTES,
        };
        self.asked = self.written;
    }

    fn begin(&mut self) {
        self.asked = self.written;
        if self.thread.is_none() {
            self.thread = Thread::start(self.place.clone());
        }
        if let Some(thread) = &mut self.thread
            && thread.asked.is_none()
            && thread.ask.try_send(()).is_ok()
        {
            thread.asked = Some(self.written);
        }
    }

    /// Takes note of a merge that has ended, or waits for one.
    fn hear(&mut self, wait: bool) {
        let Some(thread) = &mut self.thread else {
            return;
        };
        let Some(asked) = thread.asked else { return };
        let merged = match wait {
            true => thread.answer.recv().ok(),
            false => match thread.answer.try_recv() {
                Ok(merged) => Some(merged),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => None,
            },
        };
        thread.asked = None;
        match merged {
            Some(Merged::All) if asked == self.written => (self.written, self.asked) = (0, 0),
            Some(_) => {}
            None => self.thread = None,
        }
    }

    /// Ends the thread, and merges all.
    pub(super) fn close(mut self, connection: &Connection) {
        if let Some(Thread { ask, handle, .. }) = self.thread.take() {
            drop(ask);
            // A merge that failed has ended too.
            let _ = handle.join();
        }
        self.end(connection, "TRUNCATE");
    }
}

impl Thread {
    /// `None` where no thread or connection can be had: the writer merges at the limit.
    fn start(place: Place) -> Option<Self> {
        let connection = place.connect_writer().ok()?;
        let (ask, asked) = sync_channel(1);
        let (tell, answer) = sync_channel(1);
        let handle = std::thread::Builder::new()
            .name("fleet-store-merge".to_owned())
            .spawn(move || {
                while asked.recv().is_ok() {
                    if tell.send(merge(&connection, "PASSIVE")).is_err() {
                        return;
                    }
                }
            });
        Some(Self {
            ask,
            answer,
            handle: handle.ok()?,
            asked: None,
        })
    }
}
