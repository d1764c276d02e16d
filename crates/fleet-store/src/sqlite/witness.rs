//! The head witness: a lower bound of the log's end, kept beside the database (design, section 10).
//!
//! After each commit the head, the checksum of its event and a running checksum go to one of two slots, without
//! a sync of its own. A log shorter than its witness has lost its tail, whatever the engine says. The file
//! also carries the lock that keeps a second writer out.

use crate::port::StoreError;
use crate::record::Cursor;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::index::{checked, guarded};

const SLOT: usize = 64;

/// What was seen of a tenant's log.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Seen {
    pub(crate) tenant: u32,
    pub(crate) turn: u64,
    /// The running checksum covers the events above this position…
    pub(crate) since: u64,
    /// …up to this one.
    pub(crate) head: u64,
    /// Checksum of the event at `head`.
    pub(crate) check: u32,
    /// CRC32C over the checksums of the events covered.
    pub(crate) running: u32,
}

impl Seen {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SLOT);
        out.extend_from_slice(b"FLTW");
        out.extend_from_slice(&self.tenant.to_be_bytes());
        for number in [self.turn, self.since, self.head] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.check.to_be_bytes());
        out.extend_from_slice(&self.running.to_be_bytes());
        out.resize(SLOT - 4, 0);
        guarded(out)
    }

    fn decode(slot: &[u8]) -> Option<Self> {
        let mut rest = Cursor(checked(slot)?);
        if rest.array()? != *b"FLTW" {
            return None;
        }
        Some(Self {
            tenant: rest.u32()?,
            turn: rest.u64()?,
            since: rest.u64()?,
            head: rest.u64()?,
            check: rest.u32()?,
            running: rest.u32()?,
        })
    }
}

/// What was seen last of each tenant.
fn newest(slots: &[u8]) -> Vec<Seen> {
    let mut seen: Vec<Seen> = Vec::new();
    for found in slots.chunks_exact(SLOT).filter_map(Seen::decode) {
        match seen.iter_mut().find(|seen| seen.tenant == found.tenant) {
            Some(seen) if seen.turn < found.turn => *seen = found,
            Some(_) => {}
            None => seen.push(found),
        }
    }
    seen
}

/// The open witness file; holds the writer's lock while it lives.
pub(crate) struct Witness {
    file: File,
    seen: Vec<Seen>,
}

pub(crate) fn path_of(database: &Path) -> PathBuf {
    beside(database, "-witness")
}

/// A file beside the database.
pub(crate) fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl Witness {
    /// Opens the witness of a database and takes the writer's lock.
    pub(crate) fn open(database: &Path) -> Result<Self, StoreError> {
        let path = path_of(database);
        let failed = |error: &std::io::Error| {
            StoreError::unavailable(format!("opening `{}`: {error}", path.display()))
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(&path).map_err(|error| failed(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::unavailable(format!(
                    "`{}` is open in another process",
                    database.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed(&error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|error| failed(&error))?;
        let seen = newest(&bytes);
        Ok(Self { file, seen })
    }

    /// What the witness of a database has seen, without its lock; nothing when there is none.
    pub(crate) fn peek(database: &Path) -> Vec<Seen> {
        std::fs::read(path_of(database)).map_or_else(|_| Vec::new(), |bytes| newest(&bytes))
    }

    /// The highest head seen of any tenant: above 0, the database must exist.
    pub(crate) fn highest(&self) -> u64 {
        self.seen.iter().map(|seen| seen.head).max().unwrap_or(0)
    }

    pub(crate) fn of(&self, tenant: u32) -> Option<Seen> {
        self.seen.iter().find(|seen| seen.tenant == tenant).copied()
    }

    /// Notes what was seen. A failure is no failure of the store: the bound stays lower.
    pub(crate) fn note(&mut self, next: Seen) {
        let turn = self.of(next.tenant).map_or(0, |seen| seen.turn) + 1;
        let next = Seen { turn, ..next };
        let slot = u64::from(next.tenant) * 2 + turn % 2;
        let at = SeekFrom::Start(slot * SLOT as u64);
        let written = self
            .file
            .seek(at)
            .and_then(|_| self.file.write_all(&next.encode()));
        if written.is_ok() {
            self.seen.retain(|seen| seen.tenant != next.tenant);
            self.seen.push(next);
        }
    }
}
