//! The recorded envelope (event-store spec, section 7).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use uuid::Uuid;

use super::{Actor, EventId, EventType, StreamName, TenantId, Timestamp};

macro_rules! counter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Before the first event.
            pub const ZERO: Self = Self(0);

            /// The next one.
            #[must_use]
            pub const fn next(self) -> Self {
                Self(self.0.saturating_add(1))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

counter! {
    /// A place in the tenant's log: strictly increasing in commit order, not necessarily dense; 0 is before the first event.
    Position
}
counter! {
    /// A place in one stream: 1 for the first event, then +1 each; 0 is an empty stream.
    StreamVersion
}

/// What the caller sets of an event.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NewEvent {
    /// Idempotence key, unique in the tenant.
    pub id: EventId,
    /// Stable dotted name, e.g. `twin.reported_patched`.
    pub event_type: EventType,
    /// Version of the shape of `data` for this type, 1 and up.
    pub schema: u16,
    /// Domain time; may be wrong or early.
    pub occurred_at: Timestamp,
    /// The same for all that follows from one request.
    pub correlation: Uuid,
    /// The command or event that caused this one.
    pub causation: Option<Uuid>,
    /// The principal.
    pub actor: Actor,
    /// Trace context and the like, at most 4 KiB together; never personal data.
    pub meta: BTreeMap<String, String>,
    /// Canonical JSON, unless `meta["content_type"]` says otherwise.
    pub data: Arc<[u8]>,
    /// Whose key seals the personal fields.
    pub subject: Option<Arc<str>>,
}

/// An event as it stands in the log: what the caller set, and what the store added.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recorded {
    /// The tenant whose log holds it.
    pub tenant: TenantId,
    /// The stream that holds it.
    pub stream: StreamName,
    /// Its place in the stream.
    pub version: StreamVersion,
    /// Its place in the tenant's log.
    pub position: Position,
    /// When the store took it; for people only.
    pub recorded_at: Timestamp,
    /// What the caller set.
    pub event: NewEvent,
    /// CRC32C over every field above, as [`Recorded::feed`] gives them.
    pub check: u32,
    /// SHA-256 of the previous event's chain and every field above, where the store keeps one.
    pub chain: Option<[u8; 32]>,
}

/// The envelope's members in their JSON form (camelCase, RFC 3339 times with six digits).
///
/// `data` is a JSON value; data that is not JSON stands as base64 text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(
    missing_docs,
    reason = "the members are those of `Recorded` and `NewEvent`"
)]
pub struct Envelope {
    pub id: EventId,
    pub tenant: TenantId,
    pub stream: StreamName,
    pub version: StreamVersion,
    pub position: Position,
    #[serde(rename = "type")]
    pub event_type: EventType,
    pub schema: u16,
    pub occurred_at: Timestamp,
    pub recorded_at: Timestamp,
    pub correlation: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub causation: Option<Uuid>,
    pub actor: Actor,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub meta: BTreeMap<String, String>,
    pub data: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
    /// Members that this version does not know: kept and passed on.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

const ABSENT: [u8; 4] = u32::MAX.to_be_bytes();

fn field(sink: &mut impl FnMut(&[u8]), bytes: &[u8]) {
    // A field is at most 1 MiB, or what an adapter declares; 4 GiB is out of reach.
    sink(
        &u32::try_from(bytes.len())
            .unwrap_or(u32::MAX - 1)
            .to_be_bytes(),
    );
    sink(bytes);
}

fn optional(sink: &mut impl FnMut(&[u8]), bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => field(sink, bytes),
        None => sink(&ABSENT),
    }
}

/// `meta` as one field: each name and text length-prefixed, in the order of the names.
fn feed_meta(meta: &BTreeMap<String, String>, sink: &mut impl FnMut(&[u8])) {
    let mut bytes = Vec::new();
    for (name, text) in meta {
        field(&mut |part| bytes.extend_from_slice(part), name.as_bytes());
        field(&mut |part| bytes.extend_from_slice(part), text.as_bytes());
    }
    field(sink, &bytes);
}

impl NewEvent {
    /// Feeds the caller-set fields to a hash: the content that idempotence compares (design, section 10).
    ///
    /// Each field is its length (u32, big-endian) and its bytes; an absent one is the length `0xFFFFFFFF`.
    pub fn feed(&self, sink: &mut impl FnMut(&[u8])) {
        field(sink, self.id.as_uuid().as_bytes());
        field(sink, self.event_type.as_str().as_bytes());
        field(sink, &self.schema.to_be_bytes());
        field(sink, &self.occurred_at.as_micros().to_be_bytes());
        field(sink, self.correlation.as_bytes());
        optional(
            sink,
            self.causation.as_ref().map(|id| id.as_bytes().as_slice()),
        );
        field(sink, self.actor.as_str().as_bytes());
        feed_meta(&self.meta, sink);
        field(sink, &self.data);
        optional(sink, self.subject.as_deref().map(str::as_bytes));
    }
}

impl Recorded {
    /// Feeds every field but `check` and `chain` to a hash, in the order of the envelope's table.
    ///
    /// Each field is its length (u32, big-endian) and its bytes (numbers big-endian); an absent one is the
    /// length `0xFFFFFFFF`. Spec: event store, section 7.
    pub fn feed(&self, sink: &mut impl FnMut(&[u8])) {
        let event = &self.event;
        field(sink, event.id.as_uuid().as_bytes());
        field(sink, self.tenant.as_str().as_bytes());
        field(sink, self.stream.as_str().as_bytes());
        field(sink, &self.version.0.to_be_bytes());
        field(sink, &self.position.0.to_be_bytes());
        field(sink, event.event_type.as_str().as_bytes());
        field(sink, &event.schema.to_be_bytes());
        field(sink, &event.occurred_at.as_micros().to_be_bytes());
        field(sink, &self.recorded_at.as_micros().to_be_bytes());
        field(sink, event.correlation.as_bytes());
        optional(
            sink,
            event.causation.as_ref().map(|id| id.as_bytes().as_slice()),
        );
        field(sink, event.actor.as_str().as_bytes());
        feed_meta(&event.meta, sink);
        field(sink, &event.data);
        optional(sink, event.subject.as_deref().map(str::as_bytes));
    }

    /// The envelope in its JSON form.
    #[must_use]
    pub fn to_envelope(&self) -> Envelope {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let event = &self.event;
        let json = !event.meta.contains_key("content_type");
        let data = json
            .then(|| serde_json::from_slice(&event.data).ok())
            .flatten()
            .unwrap_or_else(|| Value::String(engine.encode(&event.data)));
        Envelope {
            id: event.id,
            tenant: self.tenant.clone(),
            stream: self.stream.clone(),
            version: self.version,
            position: self.position,
            event_type: event.event_type.clone(),
            schema: event.schema,
            occurred_at: event.occurred_at,
            recorded_at: self.recorded_at,
            correlation: event.correlation,
            causation: event.causation,
            actor: event.actor.clone(),
            meta: event.meta.clone(),
            data,
            subject: event.subject.as_deref().map(str::to_owned),
            check: Some(self.check),
            chain: self.chain.map(|chain| engine.encode(chain)),
            unknown: Map::new(),
        }
    }
}
