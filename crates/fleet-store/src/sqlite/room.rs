//! Room for the engine's shared memory.
//!
//! SQLite keeps the index of its write-ahead log in a file mapped into memory. On a full disk it cannot make that file;
//! where blocks are smaller than a memory page it can, and the process ends by SIGBUS when it writes to a page of which
//! only one block was reserved. So a store is opened only where there is room for all of it.

use super::merger::WAL_BYTES;
use super::witness::beside;
use crate::port::StoreError;
use std::fs;
use std::path::Path;

/// Bytes that the engine maps at a time…
const REGION: u64 = 32 << 10;
/// …and the bytes of write-ahead log that they are good for, at least.
const COVERED: u64 = 16 << 20;

/// Refuses a disk without room for the shared memory of the database at `path` while its log grows to its
/// usual length, one region to spare.
pub(super) fn check(path: &Path) -> Result<(), StoreError> {
    let ahead = length(&beside(path, "-wal")).max(WAL_BYTES);
    let needed = (ahead / COVERED + 2) * REGION;
    match free(path) {
        Some(free) if free < needed => Err(StoreError::Full { reopen: true }),
        _ => Ok(()),
    }
}

/// As [`check`], unless the shared memory is there already, made by the process that writes.
pub(super) fn check_beside_writer(path: &Path) -> Result<(), StoreError> {
    if length(&beside(path, "-shm")) >= REGION {
        return Ok(());
    }
    check(path)
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |found| found.len())
}

/// Bytes that this user may still take of the file system of `path`; `None` where it does not say.
#[cfg(unix)]
fn free(path: &Path) -> Option<u64> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let found = rustix::fs::statvfs(folder.unwrap_or_else(|| Path::new("."))).ok()?;
    (found.f_blocks > 0).then(|| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}
