//! Snapshots and checkpoints: their stored form, and what makes one fit.

use super::fault::{damaged, nothing_stored};
use super::index::{checked, guarded};
use super::keys::stream_hash;
use super::tenant::Tenant;
use crate::port::{Checkpoint, CheckpointState, Corruption, Snapshot, StoreError, event_hash};
use crate::record::Cursor;
use fleet_model::kernel::{Position, StreamName, StreamVersion};
use rusqlite::{Connection, OptionalExtension as _};
use std::sync::atomic::Ordering;

impl Tenant {
    pub(crate) fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.look(|connection, _| {
            self.first_visible(stream)?;
            let query = connection.prepare_cached(&self.sql.snapshot);
            let bytes: Option<Vec<u8>> = query
                .and_then(|mut query| {
                    query
                        .query_row([stream.as_str()], |row| row.get(0))
                        .optional()
                })
                .map_err(|error| nothing_stored(&error))?;
            let Some(bytes) = bytes else { return Ok(None) };
            let fits = decode_snapshot(&bytes, stream)
                .filter(|snapshot| snapshot.schema == schema)
                .filter(|snapshot| self.fits(connection, snapshot));
            if fits.is_none() {
                self.ignored.fetch_add(1, Ordering::Relaxed);
            }
            Ok(fits)
        })
    }

    fn fits(&self, connection: &Connection, snapshot: &Snapshot) -> bool {
        let (hash, at) = (stream_hash(&snapshot.stream), snapshot.version.0);
        at > 0
            && self
                .versions(connection, &snapshot.stream, &hash, at, at)
                .is_ok_and(|found| found.first().map(event_hash) == Some(snapshot.event_hash))
    }

    pub(crate) fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        let bytes: Option<Vec<u8>> = self.look(|connection, _| {
            let query = connection.prepare_cached(&self.sql.checkpoint);
            query
                .and_then(|mut query| query.query_row([name], |row| row.get(0)).optional())
                .map_err(|error| nothing_stored(&error))
        })?;
        let Some(bytes) = bytes else {
            return Ok(CheckpointState::Absent);
        };
        let checkpoint = self.checked_checkpoint(&bytes)?;
        if checkpoint.name != name {
            return Err(damaged(
                format!("checkpoint `{name}`"),
                "stored under another name",
            ));
        }
        if checkpoint.schema_hash != *schema_hash {
            return Ok(CheckpointState::OtherSchema);
        }
        Ok(CheckpointState::Found(checkpoint))
    }

    fn checked_checkpoint(&self, bytes: &[u8]) -> Result<Checkpoint, StoreError> {
        let checkpoint = decode_checkpoint(bytes)
            .ok_or_else(|| damaged("checkpoint", "does not match its checksum"))?;
        if checkpoint.position > self.head() {
            return Err(Corruption::LogShorterThanCheckpoint {
                name: checkpoint.name,
                checkpoint: checkpoint.position,
                head: self.head(),
            }
            .into());
        }
        Ok(checkpoint)
    }

    /// Refuses a log that ends before a checkpoint.
    pub(super) fn check_checkpoints(&self, connection: &Connection) -> Result<(), StoreError> {
        let all = || -> rusqlite::Result<Vec<Vec<u8>>> {
            let mut query = connection.prepare(&self.sql.checkpoints)?;
            query.query_map([], |row| row.get(0))?.collect()
        };
        for bytes in all().map_err(|error| nothing_stored(&error))? {
            self.checked_checkpoint(&bytes)?;
        }
        Ok(())
    }
}

pub(crate) fn encode_snapshot(snapshot: &Snapshot) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + snapshot.bytes.len());
    out.extend_from_slice(&snapshot.version.0.to_be_bytes());
    out.extend_from_slice(&snapshot.schema.to_be_bytes());
    out.extend_from_slice(&snapshot.event_hash);
    out.extend_from_slice(&snapshot.bytes);
    guarded(out)
}

fn decode_snapshot(bytes: &[u8], stream: &StreamName) -> Option<Snapshot> {
    let mut rest = Cursor(checked(bytes)?);
    Some(Snapshot {
        stream: stream.clone(),
        version: StreamVersion(rest.u64()?),
        schema: u16::from_be_bytes(rest.array()?),
        event_hash: rest.array()?,
        bytes: rest.0.into(),
    })
}

pub(crate) fn encode_checkpoint(checkpoint: &Checkpoint) -> Vec<u8> {
    let mut out = Vec::with_capacity(64 + checkpoint.name.len() + checkpoint.state.len());
    out.extend_from_slice(&checkpoint.position.0.to_be_bytes());
    out.extend_from_slice(&checkpoint.schema_hash);
    let name = checkpoint.name.as_bytes();
    out.extend_from_slice(&u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
    out.extend_from_slice(name);
    out.extend_from_slice(&checkpoint.state);
    guarded(out)
}

fn decode_checkpoint(bytes: &[u8]) -> Option<Checkpoint> {
    let mut rest = Cursor(checked(bytes)?);
    let position = Position(rest.u64()?);
    let schema_hash = rest.array()?;
    let length = usize::try_from(rest.u32()?).ok()?;
    let name = std::str::from_utf8(rest.take(length)?).ok()?.to_owned();
    Some(Checkpoint {
        name,
        schema_hash,
        position,
        state: rest.0.into(),
    })
}
