//! The rules of an append that do not depend on how events are kept.

use crate::port::{Append, StoreError};
use fleet_model::kernel::{
    EventId, NewEvent, Position, Recorded, StreamName, StreamVersion, TenantId, Timestamp,
};

/// The group as it is stored already, if it is.
///
/// `find` gives the stored event of an id. All ids known, in this stream, contiguous, in order and with the
/// same content is a repeat; any other overlap is refused. Spec: event store, section 2, rule 3.
pub(crate) fn stored_before(
    append: &Append,
    mut find: impl FnMut(EventId) -> Result<Option<Recorded>, StoreError>,
) -> Result<Option<Vec<Recorded>>, StoreError> {
    let mut stored: Vec<Recorded> = Vec::new();
    let mut fresh = false;
    let mut offender = None;
    for event in &append.events {
        match find(event.id)? {
            None => fresh = true,
            Some(found) => {
                let follows = stored
                    .last()
                    .is_none_or(|last| last.version.next() == found.version);
                let same = found.stream == append.stream && found.event == *event && follows;
                if !same || fresh {
                    offender.get_or_insert_with(|| found.clone());
                }
                stored.push(found);
            }
        }
    }
    if fresh && offender.is_none() {
        offender = stored.first().cloned();
    }
    match offender {
        Some(found) => Err(StoreError::IdReused {
            id: found.event.id,
            stream: found.stream,
            version: found.version,
            position: found.position,
        }),
        None if fresh => Ok(None),
        None => Ok(Some(stored)),
    }
}

/// Where a group goes.
pub(crate) struct Place<'a> {
    pub(crate) tenant: &'a TenantId,
    pub(crate) stream: StreamName,
    pub(crate) after_version: StreamVersion,
    pub(crate) after_position: Position,
    pub(crate) recorded_at: Timestamp,
}

/// The events of a group at their places, not yet sealed.
pub(crate) fn place(place: Place<'_>, events: Vec<NewEvent>) -> Vec<Recorded> {
    let mut version = place.after_version;
    let mut position = place.after_position;
    events
        .into_iter()
        .map(|event| {
            version = version.next();
            position = position.next();
            Recorded {
                tenant: place.tenant.clone(),
                stream: place.stream.clone(),
                version,
                position,
                recorded_at: place.recorded_at,
                event,
                check: 0,
                chain: None,
            }
        })
        .collect()
}

/// Refuses an append whose stream is not as expected.
pub(crate) fn check_expected(append: &Append, actual: StreamVersion) -> Result<(), StoreError> {
    if append.expected.holds(actual) {
        return Ok(());
    }
    Err(StoreError::Conflict {
        stream: append.stream.clone(),
        expected: append.expected,
        actual,
    })
}

/// The first version that a truncation leaves visible.
pub(crate) fn truncation(
    stream: &StreamName,
    asked: StreamVersion,
    first: StreamVersion,
    last: StreamVersion,
) -> Result<StreamVersion, StoreError> {
    if asked > last.next() {
        return Err(StoreError::invalid(format!(
            "stream `{stream}` ends at version {last}: it cannot be truncated before {asked}"
        )));
    }
    Ok(asked.max(first))
}
