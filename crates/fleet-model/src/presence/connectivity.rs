//! What is known of a client's connection.

use super::ClientId;
use super::event::DisconnectReason;
use crate::kernel::Timestamp;
use serde_json::{Map, Value};

/// The connectivity record of a client (AWS 3.2, 3.3; `GetThingConnectivityData`).
///
/// The default is that of a client that never connected: not connected, nothing else.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connectivity {
    /// Whether it is connected.
    pub connected: bool,
    /// When it last connected or disconnected.
    pub timestamp: Option<Timestamp>,
    /// Why it last disconnected; none while it is connected.
    pub disconnect_reason: Option<DisconnectReason>,
    /// The `versionNumber` of the last presence event.
    pub version: Option<u64>,
    /// The client id of the last session.
    pub client_id: Option<ClientId>,
    /// Seconds of the last session's keep-alive.
    pub keep_alive_secs: Option<u32>,
    /// Whether the last session was clean.
    pub clean_session: Option<bool>,
    /// Seconds for which the last session outlives its connection.
    pub session_expiry_secs: Option<u32>,
}

impl Connectivity {
    /// The `connectivity` member of a canonical document; the timestamp in milliseconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                out.insert(name.to_owned(), value);
            }
        };
        put("connected", Some(self.connected.into()));
        put("timestamp", self.timestamp.map(|at| at.as_millis().into()));
        let reason = self.disconnect_reason.map(|reason| reason.as_str().into());
        put("disconnectReason", reason);
        put("version", self.version.map(Into::into));
        let client = self.client_id.as_ref().map(|id| id.as_str().into());
        put("clientId", client);
        put("keepAliveDuration", self.keep_alive_secs.map(Into::into));
        put("cleanSession", self.clean_session.map(Into::into));
        put("sessionExpiry", self.session_expiry_secs.map(Into::into));
        Value::Object(out)
    }
}
