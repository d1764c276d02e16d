//! Lifecycle messages: what the registry publishes when it changes, in its published JSON forms.
//!
//! Messages are derived from recorded events, by whoever consumes them; nothing is stored twice. A
//! redelivered event gives the same messages with the same ids. [`Switches`] say which kinds are
//! published; presence and subscriptions always are. Spec: AWS 8.1, 8.2, 8.4; Azure 1.6.

mod certificate;
mod group;
mod hub;
mod presence;
mod switches;
mod thing;
mod thing_type;

pub use certificate::certificate_messages;
pub use group::{group_messages, memberships_ended};
pub use hub::{HubLifecycle, device_lifecycle, module_lifecycle};
pub use presence::presence_messages;
pub use switches::{
    EventKind, SWITCHES_STREAM, SwitchCommand, SwitchError, SwitchEvent, Switches, SwitchesDecider,
    SwitchesUpdated,
};
pub use thing::thing_messages;
pub use thing_type::thing_type_messages;

use crate::id::Owner;
use crate::kernel::{EventId, Recorded, Timestamp};
use serde_json::{Map, Value};

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[(
    "lifecycle.unknown_event_type",
    "an event type of an event configuration is not known",
)];

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct LifecycleMessage {
    /// The switch that governs it; `None` for what is always published.
    pub kind: Option<EventKind>,
    /// The MQTT topic.
    pub topic: String,
    /// The payload; times in it are milliseconds since the epoch.
    pub payload: Value,
}

/// What every message says of its cause.
#[derive(Clone, Copy, Debug)]
pub struct Cause<'a> {
    /// The recorded event.
    pub event: EventId,
    /// When it happened.
    pub at: Timestamp,
    /// Region and account.
    pub owner: &'a Owner,
}

impl<'a> Cause<'a> {
    /// The cause that a recorded event is, in the account of `owner`.
    #[must_use]
    pub const fn of(recorded: &Recorded, owner: &'a Owner) -> Self {
        Self {
            event: recorded.event.id,
            at: recorded.event.occurred_at,
            owner,
        }
    }

    /// The `eventId` of the n-th message: the event's own id, then ids derived from it.
    fn message_id(&self, n: u32) -> String {
        match n {
            0 => self.event.to_string(),
            n => EventId::derived(self.event.as_uuid(), "lifecycle", n).to_string(),
        }
    }
}

/// Whether an account is named in a payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Account {
    Named,
    Left,
}

/// Collects the messages of one event.
struct Outbox<'a> {
    cause: &'a Cause<'a>,
    messages: Vec<LifecycleMessage>,
}

impl<'a> Outbox<'a> {
    const fn new(cause: &'a Cause<'a>) -> Self {
        Self {
            cause,
            messages: Vec::new(),
        }
    }

    /// Adds a message: the common members, then those of `payload`.
    fn push(
        &mut self,
        kind: EventKind,
        operation: &str,
        account: Account,
        topic: String,
        payload: Value,
    ) {
        let n = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        let mut out = Map::new();
        out.insert("eventType".to_owned(), kind.payload_type().into());
        out.insert("eventId".to_owned(), self.cause.message_id(n).into());
        out.insert("timestamp".to_owned(), self.cause.at.as_millis().into());
        out.insert("operation".to_owned(), operation.into());
        if account == Account::Named {
            let account = self.cause.owner.account.as_str();
            out.insert("accountId".to_owned(), account.into());
        }
        if let Value::Object(members) = payload {
            out.extend(members);
        }
        self.messages.push(LifecycleMessage {
            kind: Some(kind),
            topic,
            payload: Value::Object(out),
        });
    }
}
