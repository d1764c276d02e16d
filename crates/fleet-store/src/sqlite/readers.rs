//! Connections for readers, beside the writer's.

use super::fault::nothing_stored;
use super::layout::Place;
use crate::port::StoreError;
use rusqlite::Connection;
use std::sync::{Mutex, PoisonError};

/// Idle connections that are kept.
const IDLE: usize = 8;

/// Connections for readers, beside the writer's.
pub(crate) struct Readers {
    pub(crate) place: Place,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(place: Place) -> Self {
        Self {
            place,
            idle: Mutex::default(),
        }
    }

    /// Lets go of the idle connections.
    pub(crate) fn close(&self) {
        self.idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn with<T>(
        &self,
        then: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = |then: &mut dyn FnMut(&mut Vec<Connection>)| {
            then(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        };
        let mut connection = None;
        idle(&mut |idle| connection = idle.pop());
        let connection = match connection {
            Some(connection) => connection,
            None => self.place.connect_reader()?,
        };
        let outcome = then(&connection);
        let mut back = Some(connection);
        idle(&mut |idle| {
            if idle.len() < IDLE
                && let Some(connection) = back.take()
            {
                idle.push(connection);
            }
        });
        outcome
    }
}

/// Reads through one view of the database, which costs one lock instead of one for each statement. Nothing
/// is written.
pub(crate) fn in_view<T>(
    connection: &Connection,
    then: impl FnOnce() -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    if !connection.is_autocommit() {
        return then();
    }
    let run = |sql| {
        let statement = connection.prepare_cached(sql);
        let done = statement.and_then(|mut statement| statement.execute([]));
        done.map(|_| ()).map_err(|error| nothing_stored(&error))
    };
    run("BEGIN")?;
    let outcome = then();
    run("COMMIT").or_else(|_| run("ROLLBACK"))?;
    outcome
}
