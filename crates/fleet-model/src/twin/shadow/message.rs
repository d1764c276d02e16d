//! What the shadow service publishes. Spec: AWS 4.5 and 4.7.

use super::delta::delta;
use super::document::{add_token, deleted_document, metadata_of, state_of, updated_document};
use crate::kernel::Timestamp;
use crate::twin::event::{ShadowDeleted, TwinEvent};
use crate::twin::{Message, ShadowLife, TwinError, TwinKey, TwinState};
use serde_json::{Map, Value, json};

/// A request of the shadow protocol, as its topics name it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Request {
    /// `<prefix>/get`.
    Get,
    /// `<prefix>/update`.
    Update,
    /// `<prefix>/delete`.
    Delete,
}

impl Request {
    /// The last segment of the request's topic.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The messages that follow an accepted write of desired or reported, in order: `update/accepted`
/// (for a shadow request over MQTT; a caller over HTTP leaves it out), `update/delta` when there is
/// one, `update/documents`.
///
/// `before` and `after`: the twin around `event`. A write through the IoT Hub face has no accepted
/// message but the others. Empty for events that do not move the AWS version.
#[must_use]
pub fn update_messages(
    key: &TwinKey,
    before: &TwinState,
    event: &TwinEvent,
    after: &TwinState,
) -> Vec<Message> {
    let (token, version) = match event {
        TwinEvent::Patched(event) => (event.client_token.as_deref(), event.shadow_version),
        TwinEvent::Replaced(event) => (None, event.shadow_version),
        _ => return Vec::new(),
    };
    let Some(version) = version else {
        return Vec::new();
    };
    if key.module().is_some() {
        return Vec::new();
    }
    let prefix = key.topic_prefix();
    let seconds = event.at().as_secs();
    let mut out = Vec::new();
    if let TwinEvent::Patched(patched) = event
        && patched.via == crate::twin::Writer::Shadow
    {
        out.push(Message {
            topic: format!("{prefix}/update/accepted"),
            payload: updated_document(patched),
        });
    }
    let delta = delta(after.desired().members(), after.reported().members());
    if !delta.is_empty() {
        let mut payload = json!({
            "state": delta.state,
            "metadata": delta.metadata,
            "version": version,
            "timestamp": seconds,
        });
        add_token(&mut payload, token);
        out.push(Message {
            topic: format!("{prefix}/update/delta"),
            payload,
        });
    }
    let mut payload = Map::new();
    if let Some(previous) = snapshot(before) {
        payload.insert("previous".to_owned(), previous);
    }
    if let Some(current) = snapshot(after) {
        payload.insert("current".to_owned(), current);
    }
    payload.insert("timestamp".to_owned(), seconds.into());
    let mut payload = Value::Object(payload);
    add_token(&mut payload, token);
    out.push(Message {
        topic: format!("{prefix}/update/documents"),
        payload,
    });
    out
}

/// `{state, metadata, version}` of a live shadow.
fn snapshot(twin: &TwinState) -> Option<Value> {
    let ShadowLife::Live { version, .. } = twin.shadow() else {
        return None;
    };
    Some(json!({
        "state": state_of(twin),
        "metadata": metadata_of(twin),
        "version": version,
    }))
}

/// The `get/accepted` message.
///
/// # Errors
/// `shadow.not_found`, which [`rejected`] turns into `get/rejected`.
pub fn get_accepted(
    key: &TwinKey,
    twin: &TwinState,
    client_token: Option<&str>,
) -> Result<Message, TwinError> {
    Ok(Message {
        topic: format!("{}/get/accepted", key.topic_prefix()),
        payload: super::document(key, twin, client_token)?,
    })
}

/// The `delete/accepted` message.
#[must_use]
pub fn deleted_message(key: &TwinKey, event: &ShadowDeleted) -> Message {
    Message {
        topic: format!("{}/delete/accepted", key.topic_prefix()),
        payload: deleted_document(event),
    }
}

/// The `…/rejected` message of a refused request.
#[must_use]
pub fn rejected(
    key: &TwinKey,
    request: Request,
    error: &TwinError,
    now: Timestamp,
    client_token: Option<&str>,
) -> Message {
    Message {
        topic: format!("{}/{}/rejected", key.topic_prefix(), request.as_str()),
        payload: rejected_document(error, now, client_token),
    }
}

/// The error document: `{code, message, timestamp, clientToken?}`; the timestamp in seconds.
#[must_use]
pub fn rejected_document(error: &TwinError, now: Timestamp, client_token: Option<&str>) -> Value {
    let error = error.aws();
    let mut payload = json!({
        "code": error.status,
        "message": error.message,
        "timestamp": now.as_secs(),
    });
    add_token(&mut payload, client_token);
    payload
}
