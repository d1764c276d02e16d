//! What a tenant's tables hold besides its log: index runs, and what is hidden of streams.

use super::fault::{damaged, nothing_stored};
use super::index::Run;
use super::layout::{Closed, Sql, crc_of};
use crate::port::StoreError;
use fleet_model::kernel::StreamName;
use rusqlite::Connection;
use std::collections::HashMap;
use std::sync::Arc;

/// Runs of both indexes, oldest first, the position that they cover, and the next number of a run.
pub(crate) type Runs = (Vec<Arc<Run<16>>>, Vec<Arc<Run<24>>>, u64, i64);

/// The index runs as they are stored.
pub(crate) fn read_runs(connection: &Connection, sql: &Sql) -> Result<Runs, StoreError> {
    let rows = || -> rusqlite::Result<Vec<(i64, Vec<u8>)>> {
        let mut query = connection.prepare(&sql.runs)?;
        query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
    };
    let (mut ids, mut streams, mut last) = (Vec::new(), Vec::new(), 0);
    for (number, header) in rows().map_err(|error| nothing_stored(&error))? {
        last = number;
        if let Some(run) = Run::<16>::read(number, &header) {
            ids.push(Arc::new(run));
        } else if let Some(run) = Run::<24>::read(number, &header) {
            streams.push(Arc::new(run));
        } else {
            return Err(damaged(
                format!("header of index run {number}"),
                "does not match its checksum",
            ));
        }
    }
    ids.sort_by_key(|run| run.from);
    streams.sort_by_key(|run| run.from);
    let covered = tiled(ids.iter().map(|run| (run.from, run.to)))?;
    if covered != tiled(streams.iter().map(|run| (run.from, run.to)))? {
        return Err(damaged("index runs", "a run is missing"));
    }
    Ok((ids, streams, covered, last + 1))
}

/// The end of ranges that follow each other from 1 on without a gap.
fn tiled(ranges: impl Iterator<Item = (u64, u64)>) -> Result<u64, StoreError> {
    let mut end = 0;
    for (from, to) in ranges {
        if from != end + 1 {
            return Err(damaged(
                "index runs",
                format!("none covers position {}", end + 1),
            ));
        }
        end = to;
    }
    Ok(end)
}

/// The numbers of the stored runs, ascending.
pub(crate) fn run_numbers(connection: &Connection, sql: &Sql) -> Result<Vec<i64>, StoreError> {
    let numbers = || -> rusqlite::Result<Vec<i64>> {
        let mut query = connection.prepare_cached(&sql.run_numbers)?;
        query.query_map([], |row| row.get(0))?.collect()
    };
    numbers().map_err(|error| nothing_stored(&error))
}

/// What is hidden of streams; `expected` is how many rows there are, and the sum of their checksums.
pub(crate) fn read_closed(
    connection: &Connection,
    sql: &Sql,
    expected: (u64, u32),
) -> Result<HashMap<StreamName, Closed>, StoreError> {
    let rows = || -> rusqlite::Result<Vec<Vec<u8>>> {
        let mut query = connection.prepare(&sql.closed)?;
        query.query_map([], |row| row.get(0))?.collect()
    };
    let rows = rows().map_err(|error| nothing_stored(&error))?;
    let sum = rows
        .iter()
        .fold(0u32, |sum, row| sum.wrapping_add(crc_of(row)));
    let closed: Option<HashMap<_, _>> = rows.iter().map(|row| Closed::decode(row)).collect();
    match closed {
        Some(closed) if (closed.len() as u64, sum) == expected => Ok(closed),
        _ => Err(damaged(
            "table of closed streams",
            "a row is damaged or missing",
        )),
    }
}
