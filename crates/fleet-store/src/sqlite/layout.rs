//! The database file: creation, format, tenants and the rows of a tenant's tables.
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | `tenant` | number | name, whether chained, what is closed, checksum |
//! | `log_N` | position of the first event | stored envelopes: of groups of one transaction up to about a page, or of a part of a large group |
//! | `run_N` | number | header of an index run |
//! | `block_N` | run << 20 + block | a block of an index run |
//! | `closed_N` | stream | first visible version, whether closed, checksum |
//! | `snapshot_N` | stream | snapshot, checksum |
//! | `checkpoint_N` | projection | checkpoint, checksum |

use super::fault::{damaged, nothing_stored};
use super::index::{Blocks, checked, guarded};
use super::witness::beside;
use crate::port::{Durability, StoreError};
use crate::record::Cursor;
use fleet_model::kernel::{StreamName, StreamVersion, TenantId};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params};
use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The format that this code writes and the newest that it reads. In format 1 each group had rows of its own, and
/// runs had another filter; such a file is read as it is, and what is added to it is of this format.
pub(crate) const FORMAT: u32 = 2;
const APPLICATION: u32 = 0x464c_5431;

/// Versions of SQLite from this one on are used; 3.52.0 was withdrawn.
const OLDEST_ENGINE: i32 = 3_051_003;
const WITHDRAWN: i32 = 3_052_000;

/// Refuses engines that are known to damage databases (the WAL-reset bug, 3.7.0 to 3.51.2).
pub(crate) fn check_engine(version: i32) -> Result<(), StoreError> {
    if version < OLDEST_ENGINE || version == WITHDRAWN {
        return Err(StoreError::Misconfigured {
            reason: format!(
                "SQLite {}.{}.{} can damage databases (WAL-reset bug, or withdrawn): use 3.51.3, 3.53.0 or newer",
                version / 1_000_000,
                version / 1_000 % 1_000,
                version % 1_000
            ),
        });
    }
    Ok(())
}

/// Bytes of a page of the database, SQLite's usual size: larger ones make imports faster and single appends slower.
pub(super) const PAGE: u64 = 4 << 10;
/// KiB of pages that the writer holds: a large transaction goes into the write-ahead log once, at its commit.
const WRITER_CACHE: i64 = 16 << 10;

/// How connections are made.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) vfs: Option<String>,
    pub(crate) durability: Durability,
    pub(crate) access: Access,
}

/// Whether this process writes the file, or follows one that another process may be writing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Access {
    Write,
    Follow,
}

impl Place {
    pub(crate) fn connect(&self) -> Result<Connection, StoreError> {
        let writing = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let opened = match self.access {
            Access::Write => self.open(&self.path, writing),
            Access::Follow => self.open(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY),
        };
        opened.map_err(|error| nothing_stored(&error))
    }

    fn open(&self, path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match &self.vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(path, flags, vfs.as_str())?,
            None => Connection::open_with_flags(path, flags)?,
        };
        connection.set_prepared_statement_cache_capacity(64);
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(connection)
    }

    /// The writer's connection, in the mode that the class needs, or refused.
    pub(crate) fn connect_writer(&self) -> Result<Connection, StoreError> {
        super::room::check(&self.path)?;
        let connection = self.connect()?;
        let level = match self.durability {
            Durability::Machine => "FULL",
            _ => "OFF",
        };
        let settings = || -> rusqlite::Result<(String, i64)> {
            let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| {
                row.get::<_, String>(0)
            })?;
            connection.pragma_update(None, "synchronous", level)?;
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            let format = connection.pragma_query_value(None, "user_version", |row| row.get(0));
            if format.is_ok_and(|format: u32| format < FORMAT) {
                connection.pragma_update(None, "user_version", FORMAT)?;
            }
            connection.pragma_update(None, "cache_size", -WRITER_CACHE)?;
            connection.pragma_update_and_check(
                None,
                "journal_size_limit",
                i64::try_from(super::merger::WAL_BYTES).unwrap_or(i64::MAX),
                |_| Ok(()),
            )?;
            let sync = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
            Ok((mode, sync))
        };
        let (mode, sync) = settings().map_err(|error| nothing_stored(&error))?;
        let synced = sync >= 2 || self.durability != Durability::Machine;
        if !mode.eq_ignore_ascii_case("wal") || !synced {
            return Err(StoreError::Misconfigured {
                reason: format!(
                    "class `{}` was asked for, the engine runs with journal mode `{mode}` and synchronous level {sync}",
                    self.durability
                ),
            });
        }
        Ok(connection)
    }

    /// A reader's connection.
    pub(crate) fn connect_reader(&self) -> Result<Connection, StoreError> {
        let connection = self.connect()?;
        connection
            .pragma_update(None, "query_only", true)
            .map_err(|error| nothing_stored(&error))?;
        Ok(connection)
    }

    /// Makes the database file if there is none, whole or not at all.
    ///
    /// `witnessed`: the highest position that the head witness has seen.
    pub(crate) fn create_or_check(&self, witnessed: u64) -> Result<(), StoreError> {
        if !self.is_there()? {
            if witnessed > 0 {
                return Err(damaged(
                    self.path.display().to_string(),
                    format!(
                        "the database is missing, its head witness has seen position {witnessed}"
                    ),
                ));
            }
            return self.create();
        }
        Ok(())
    }

    /// Whether there is a file; refused unless it is a store that this code knows.
    pub(crate) fn is_there(&self) -> Result<bool, StoreError> {
        let header = self.header()?;
        if header.is_empty() {
            return Ok(false);
        }
        let number = |at: usize| {
            let bytes = header.get(at..at + 4).and_then(|b| b.try_into().ok());
            bytes.map_or(0, u32::from_be_bytes)
        };
        if !header.starts_with(b"SQLite format 3\0") || number(68) != APPLICATION {
            return Err(damaged(
                self.path.display().to_string(),
                "this is not a fleet store, or its header is damaged",
            ));
        }
        match number(60) {
            1..=FORMAT => Ok(true),
            found if found > FORMAT => Err(StoreError::UnknownSchema {
                what: format!("`{}`", self.path.display()),
                found,
                known: FORMAT,
            }),
            found => Err(damaged(
                self.path.display().to_string(),
                format!("format {found} does not exist"),
            )),
        }
    }

    /// The first 100 bytes; fewer when there are not so many.
    fn header(&self) -> Result<Vec<u8>, StoreError> {
        let mut header = Vec::new();
        match File::open(&self.path) {
            Ok(file) => {
                let read = file.take(100).read_to_end(&mut header);
                read.map_err(|error| self.failed(&error))?;
                Ok(header)
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(header),
            Err(error) => Err(self.failed(&error)),
        }
    }

    fn failed(&self, error: &std::io::Error) -> StoreError {
        StoreError::unavailable(format!("`{}`: {error}", self.path.display()))
    }

    /// Builds the file under another name and renames it: a kill leaves no half-made store.
    fn create(&self) -> Result<(), StoreError> {
        let new = beside(&self.path, "-new");
        for stale in [
            new.clone(),
            beside(&new, "-journal"),
            beside(&self.path, "-wal"),
            beside(&self.path, "-shm"),
        ] {
            match fs::remove_file(&stale) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(self.failed(&error));
                }
                _ => {}
            }
        }
        let build = || -> rusqlite::Result<()> {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
            let connection = self.open(&new, flags)?;
            connection.execute_batch(&format!(
                "PRAGMA page_size={PAGE}; PRAGMA synchronous=FULL; BEGIN;
                 PRAGMA application_id={APPLICATION}; PRAGMA user_version={FORMAT};
                 CREATE TABLE tenant(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT; COMMIT;"
            ))?;
            connection.close().map_err(|(_, error)| error)
        };
        build().map_err(|error| nothing_stored(&error))?;
        let publish = || -> std::io::Result<()> {
            File::open(&new)?.sync_all()?;
            fs::rename(&new, &self.path)?;
            let folder = match self.path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            if cfg!(unix) {
                File::open(folder)?.sync_all()?;
            }
            Ok(())
        };
        publish().map_err(|error| self.failed(&error))
    }
}

/// A tenant of the file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct TenantRow {
    pub(crate) number: u32,
    pub(crate) name: TenantId,
    pub(crate) chained: bool,
    /// Number of rows in `closed_N`, and the wrapping sum of their checksums.
    pub(crate) closed: (u64, u32),
}

impl TenantRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![u8::from(self.chained)];
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.closed.0.to_be_bytes());
        out.extend_from_slice(&self.closed.1.to_be_bytes());
        out.extend_from_slice(self.name.as_str().as_bytes());
        guarded(out)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = Cursor(checked(bytes)?);
        let [chained] = rest.array()?;
        let number = rest.u32()?;
        let closed = (rest.u64()?, rest.u32()?);
        let name = std::str::from_utf8(rest.0).ok()?.parse().ok()?;
        Some(Self {
            number,
            name,
            chained: chained == 1,
            closed,
        })
    }
}

/// All tenants of the file.
pub(crate) fn tenants(connection: &Connection) -> Result<Vec<TenantRow>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let mut query = connection.prepare("SELECT number, bytes FROM tenant ORDER BY number")?;
        query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let rows = rows().map_err(|error| nothing_stored(&error))?;
    // Numbers are dense: a row that went missing is noticed.
    (1i64..)
        .zip(rows)
        .map(|(expected, (number, bytes))| {
            TenantRow::decode(&bytes)
                .filter(|row| i64::from(row.number) == number && number == expected)
                .ok_or_else(|| damaged("table `tenant`", format!("row {number} is damaged")))
        })
        .collect()
}

/// Adds a tenant with its tables, in one transaction.
pub(crate) fn add_tenant(connection: &Connection, row: &TenantRow) -> rusqlite::Result<()> {
    let n = row.number;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE log_{n}(position INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE run_{n}(number INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE block_{n}(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE closed_{n}(stream TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE snapshot_{n}(stream TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         CREATE TABLE checkpoint_{n}(name TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT;"
    ))?;
    put_tenant(connection, row)?;
    connection.execute_batch("COMMIT")
}

pub(crate) fn put_tenant(connection: &Connection, row: &TenantRow) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO tenant(number, bytes) VALUES(?1, ?2)";
    connection
        .prepare_cached(sql)?
        .execute(params![row.number, row.encode()])
        .map(|_| ())
}

/// What is hidden of a stream.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Closed {
    pub(crate) first: StreamVersion,
    pub(crate) tombstoned: bool,
}

impl Closed {
    pub(crate) fn encode(self, stream: &StreamName) -> Vec<u8> {
        let mut out = vec![u8::from(self.tombstoned)];
        out.extend_from_slice(&self.first.0.to_be_bytes());
        out.extend_from_slice(stream.as_str().as_bytes());
        guarded(out)
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<(StreamName, Self)> {
        let mut rest = Cursor(checked(bytes)?);
        let [tombstoned] = rest.array()?;
        let first = StreamVersion(rest.u64()?);
        let stream = std::str::from_utf8(rest.0).ok()?.parse().ok()?;
        Some((
            stream,
            Self {
                first,
                tombstoned: tombstoned == 1,
            },
        ))
    }
}

/// The checksum at the end of a guarded row.
pub(crate) fn crc_of(guarded: &[u8]) -> u32 {
    guarded
        .split_last_chunk::<4>()
        .map_or(0, |(_, crc)| u32::from_be_bytes(*crc))
}

/// The statements of a tenant, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Sql {
    pub(crate) insert: String,
    pub(crate) rows_from: String,
    pub(crate) block: String,
    pub(crate) put_block: String,
    pub(crate) drop_blocks: String,
    pub(crate) runs: String,
    pub(crate) run_numbers: String,
    pub(crate) put_run: String,
    pub(crate) drop_run: String,
    pub(crate) closed: String,
    pub(crate) put_closed: String,
    pub(crate) snapshot: String,
    pub(crate) put_snapshot: String,
    pub(crate) drop_snapshot: String,
    pub(crate) checkpoint: String,
    pub(crate) checkpoints: String,
    pub(crate) put_checkpoint: String,
}

impl Sql {
    pub(crate) fn new(n: u32) -> Self {
        Self {
            insert: format!("INSERT INTO log_{n}(position, bytes) VALUES(?1, ?2)"),
            // From the row that holds the position on.
            rows_from: format!(
                "SELECT position, bytes FROM log_{n} WHERE position >= \
                 coalesce((SELECT max(position) FROM log_{n} WHERE position <= ?1), ?1) ORDER BY position"
            ),
            block: format!("SELECT bytes FROM block_{n} WHERE id = ?1"),
            put_block: format!("INSERT OR REPLACE INTO block_{n}(id, bytes) VALUES(?1, ?2)"),
            drop_blocks: format!("DELETE FROM block_{n} WHERE id >= ?1 AND id < ?2"),
            runs: format!("SELECT number, bytes FROM run_{n} ORDER BY number"),
            run_numbers: format!("SELECT number FROM run_{n} ORDER BY number"),
            put_run: format!("INSERT OR REPLACE INTO run_{n}(number, bytes) VALUES(?1, ?2)"),
            drop_run: format!("DELETE FROM run_{n} WHERE number = ?1"),
            closed: format!("SELECT bytes FROM closed_{n}"),
            put_closed: format!("INSERT OR REPLACE INTO closed_{n}(stream, bytes) VALUES(?1, ?2)"),
            snapshot: format!("SELECT bytes FROM snapshot_{n} WHERE stream = ?1"),
            put_snapshot: format!(
                "INSERT OR REPLACE INTO snapshot_{n}(stream, bytes) VALUES(?1, ?2)"
            ),
            drop_snapshot: format!("DELETE FROM snapshot_{n} WHERE stream = ?1"),
            checkpoint: format!("SELECT bytes FROM checkpoint_{n} WHERE name = ?1"),
            checkpoints: format!("SELECT bytes FROM checkpoint_{n}"),
            put_checkpoint: format!(
                "INSERT OR REPLACE INTO checkpoint_{n}(name, bytes) VALUES(?1, ?2)"
            ),
        }
    }
}

/// The blocks of a tenant, through one connection.
pub(crate) struct Stored<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) sql: &'a Sql,
}

impl Blocks for Stored<'_> {
    fn block(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let query = self.connection.prepare_cached(&self.sql.block);
        query
            .and_then(|mut query| query.query_row([id], |row| row.get(0)).optional())
            .map_err(|error| nothing_stored(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::check_engine;

    #[test]
    fn engines_that_damage_databases_are_refused() {
        for (version, good) in [
            (3_051_002, false),
            (3_051_003, true),
            (3_052_000, false),
            (3_053_000, true),
            (3_007_000, false),
        ] {
            assert_eq!(check_engine(version).is_ok(), good, "{version}");
        }
        assert!(check_engine(rusqlite::version_number()).is_ok());
    }
}
