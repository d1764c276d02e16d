//! Connections and disconnections, in their stored form.

use super::ClientId;
use crate::id::RecordName;
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($variant:ident = $name:literal: $doc:literal,)+) => {
        /// Why a client was disconnected. Spec: AWS 3.3 and 8.4.
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum DisconnectReason {
            $(#[doc = $doc] #[serde(rename = $name)] $variant,)+
        }

        impl DisconnectReason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The service's name of the reason.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

reasons! {
    AuthError = "AUTH_ERROR": "Authentication or authorisation failed.",
    ClientInitiatedDisconnect = "CLIENT_INITIATED_DISCONNECT": "The client said goodbye.",
    ClientError = "CLIENT_ERROR": "A protocol violation, such as an oversized payload.",
    ConnectionLost = "CONNECTION_LOST": "The connection broke.",
    DuplicateClientid = "DUPLICATE_CLIENTID": "A newer connection took the id over.",
    ForbiddenAccess = "FORBIDDEN_ACCESS": "For example a refused address.",
    MqttKeepAliveTimeout = "MQTT_KEEP_ALIVE_TIMEOUT": "No traffic for one and a half keep-alives.",
    ServerError = "SERVER_ERROR": "The server failed.",
    ServerInitiatedDisconnect = "SERVER_INITIATED_DISCONNECT": "The server ended the session.",
    ApiInitiatedDisconnect = "API_INITIATED_DISCONNECT": "An operator ended the session.",
    Throttled = "THROTTLED": "Too many requests.",
    WebsocketTtlExpiration = "WEBSOCKET_TTL_EXPIRATION": "The WebSocket lived too long.",
    CustomauthTtlExpiration = "CUSTOMAUTH_TTL_EXPIRATION": "The custom authorisation lapsed.",
    Unknown = "UNKNOWN": "Not known.",
    None = "NONE": "There is none.",
}

/// A session began (`presence.connected`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Connected {
    /// When.
    pub at: Timestamp,
    /// The client.
    pub client_id: ClientId,
    /// The thing, for a connection with an exclusive principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<RecordName>,
    /// The session.
    pub session_identifier: String,
    /// Who authenticated.
    pub principal_identifier: String,
    /// From where; an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
    /// Grows per client; equal on the connection and disconnection of one session.
    pub version_number: u64,
    /// Seconds of the keep-alive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep_alive_secs: Option<u32>,
    /// Whether the session is clean.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clean_session: Option<bool>,
    /// Seconds for which the session outlives its connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_expiry_secs: Option<u32>,
}

/// A session ended (`presence.disconnected`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disconnected {
    /// When.
    pub at: Timestamp,
    /// The client.
    pub client_id: ClientId,
    /// The thing, for a connection with an exclusive principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<RecordName>,
    /// The session.
    pub session_identifier: String,
    /// Who was authenticated.
    pub principal_identifier: String,
    /// That of the session's connection.
    pub version_number: u64,
    /// Why.
    pub reason: DisconnectReason,
}

/// A connection was refused (`presence.connect_failed`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConnectFailed {
    /// When.
    pub at: Timestamp,
    /// The client.
    pub client_id: ClientId,
    /// The thing, for a connection with an exclusive principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<RecordName>,
    /// The session.
    pub session_identifier: String,
    /// Who tried.
    pub principal_identifier: String,
    /// From where; an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<String>,
}

/// Whether topics came or went.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SubscriptionChange {
    /// They were subscribed.
    Subscribed,
    /// They were unsubscribed.
    Unsubscribed,
}

/// Topics were subscribed or unsubscribed (`presence.subscriptions_changed`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subscriptions {
    /// When.
    pub at: Timestamp,
    /// The client.
    pub client_id: ClientId,
    /// The thing, for a connection with an exclusive principal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thing_name: Option<RecordName>,
    /// The session.
    pub session_identifier: String,
    /// Who is authenticated.
    pub principal_identifier: String,
    /// Came or went.
    pub change: SubscriptionChange,
    /// The topic filters.
    pub topics: Vec<String>,
}

/// An event of a client's presence stream.
#[derive(Clone, Debug, PartialEq)]
pub enum PresenceEvent {
    /// A session began.
    Connected(Connected),
    /// A session ended.
    Disconnected(Disconnected),
    /// A connection was refused.
    ConnectFailed(ConnectFailed),
    /// Topics were subscribed or unsubscribed.
    SubscriptionsChanged(Subscriptions),
}

crate::wire_events!(PresenceEvent {
    Connected(Connected) = "presence.connected" @ 1,
    Disconnected(Disconnected) = "presence.disconnected" @ 1,
    ConnectFailed(ConnectFailed) = "presence.connect_failed" @ 1,
    SubscriptionsChanged(Subscriptions) = "presence.subscriptions_changed" @ 1,
});
