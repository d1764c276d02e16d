//! Events for this crate's own tests.

use fleet_model::kernel::{NewEvent, Position, Recorded, StreamVersion, Timestamp};
use uuid::Uuid;

pub(crate) fn event(id: u128) -> NewEvent {
    NewEvent {
        id: Uuid::from_u128(id).into(),
        event_type: "thing.created".parse().unwrap(),
        schema: 1,
        occurred_at: Timestamp::from_secs(1),
        correlation: Uuid::from_u128(1),
        causation: None,
        actor: "user:ops".parse().unwrap(),
        meta: Default::default(),
        data: format!(r#"{{"n":{id}}}"#).into_bytes().into(),
        subject: None,
    }
}

pub(crate) fn recorded(event: NewEvent, stream: &str, version: u64, position: u64) -> Recorded {
    Recorded {
        tenant: "default".parse().unwrap(),
        stream: stream.parse().unwrap(),
        version: StreamVersion(version),
        position: Position(position),
        recorded_at: Timestamp::from_secs(2),
        event,
        check: 0,
        chain: None,
    }
}
