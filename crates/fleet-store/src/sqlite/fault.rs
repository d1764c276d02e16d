//! Engine errors by their code, each as one of ours.

use crate::port::{Corruption, StoreError};
use rusqlite::ErrorCode;
use rusqlite::ffi;

/// What an engine error means to a store.
pub(crate) enum Fault {
    /// No room.
    Full,
    /// Stored bytes are not what they should be.
    Damaged(String),
    /// The disk or system failed: of a commit, the outcome is unknown.
    Failed(String),
}

pub(crate) fn classify(error: &rusqlite::Error) -> Fault {
    let text = error.to_string().replace('\n', " ");
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // A row without the shape that this code wrote.
        return Fault::Damaged(text);
    };
    match (failure.code, failure.extended_code) {
        (ErrorCode::DiskFull, _) => Fault::Full,
        (_, ffi::SQLITE_IOERR_CORRUPTFS | ffi::SQLITE_IOERR_SHORT_READ) => Fault::Damaged(text),
        (
            ErrorCode::DatabaseCorrupt
            | ErrorCode::NotADatabase
            | ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::SchemaChanged
            | ErrorCode::Unknown,
            _,
        ) => Fault::Damaged(text),
        _ => Fault::Failed(text),
    }
}

/// The error of a read, or of anything that is known to have stored nothing.
pub(crate) fn nothing_stored(error: &rusqlite::Error) -> StoreError {
    match classify(error) {
        Fault::Full => StoreError::Full { reopen: false },
        Fault::Damaged(reason) => damaged("database file", reason),
        Fault::Failed(reason) => StoreError::unavailable(reason),
    }
}

pub(crate) fn damaged(place: impl Into<String>, reason: impl Into<String>) -> StoreError {
    Corruption::Malformed {
        place: place.into(),
        reason: reason.into(),
    }
    .into()
}
