//! Messages of presence and subscriptions, which are always published. Spec: AWS 8.4.

use super::LifecycleMessage;
use crate::id::RecordName;
use crate::kernel::Timestamp;
use crate::presence::{ClientId, DisconnectReason, PresenceEvent, SubscriptionChange};
use serde_json::{Map, Value, json};

/// The message of a presence event; none for client ids with `#` or `+`.
#[must_use]
pub fn presence_messages(event: &PresenceEvent) -> Vec<LifecycleMessage> {
    let (client, topic, payload) = match event {
        PresenceEvent::Connected(event) => {
            let mut out = common(
                &event.client_id,
                event.thing_name.as_ref(),
                event.at,
                "connected",
            );
            extend(
                &mut out,
                json!({
                    "sessionIdentifier": event.session_identifier,
                    "principalIdentifier": event.principal_identifier,
                    "ipAddress": event.ip_address,
                    "versionNumber": event.version_number,
                }),
            );
            (&event.client_id, "presence/connected", out)
        }
        PresenceEvent::Disconnected(event) => {
            let mut out = common(
                &event.client_id,
                event.thing_name.as_ref(),
                event.at,
                "disconnected",
            );
            extend(
                &mut out,
                json!({
                    "sessionIdentifier": event.session_identifier,
                    "principalIdentifier": event.principal_identifier,
                    "versionNumber": event.version_number,
                    "clientInitiatedDisconnect":
                        event.reason == DisconnectReason::ClientInitiatedDisconnect,
                    "disconnectReason": event.reason.as_str(),
                }),
            );
            (&event.client_id, "presence/disconnected", out)
        }
        PresenceEvent::ConnectFailed(event) => {
            let mut out = common(
                &event.client_id,
                event.thing_name.as_ref(),
                event.at,
                "connect_failed",
            );
            extend(
                &mut out,
                json!({
                    "connectFailureReason": "AUTHORIZATION_FAILED",
                    "principalIdentifier": event.principal_identifier,
                    "sessionIdentifier": event.session_identifier,
                    "ipAddress": event.ip_address,
                }),
            );
            (&event.client_id, "presence/connect_failed", out)
        }
        PresenceEvent::SubscriptionsChanged(event) => {
            let (topic, name) = match event.change {
                SubscriptionChange::Subscribed => ("subscriptions/subscribed", "subscribed"),
                SubscriptionChange::Unsubscribed => ("subscriptions/unsubscribed", "unsubscribed"),
            };
            let mut out = common(&event.client_id, event.thing_name.as_ref(), event.at, name);
            extend(
                &mut out,
                json!({
                    "sessionIdentifier": event.session_identifier,
                    "principalIdentifier": event.principal_identifier,
                    "topics": event.topics,
                }),
            );
            (&event.client_id, topic, out)
        }
    };
    if !client.is_published() {
        return Vec::new();
    }
    vec![LifecycleMessage {
        kind: None,
        topic: format!("$aws/events/{topic}/{client}"),
        payload: Value::Object(payload),
    }]
}

fn common(
    client: &ClientId,
    thing: Option<&RecordName>,
    at: Timestamp,
    event_type: &str,
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("clientId".to_owned(), client.as_str().into());
    if let Some(thing) = thing {
        out.insert("thingName".to_owned(), thing.as_str().into());
    }
    out.insert("timestamp".to_owned(), at.as_millis().into());
    out.insert("eventType".to_owned(), event_type.into());
    out
}

fn extend(out: &mut Map<String, Value>, more: Value) {
    if let Value::Object(more) = more {
        // What the embedder did not say is left out.
        out.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
}
