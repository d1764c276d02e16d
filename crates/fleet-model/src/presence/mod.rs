//! Presence: what an embedder's broker says about connections, and what follows for `connectivity`.
//!
//! One stream per client id (`presence-<clientId>`), apart from the thing's own, since connections
//! come and go much oftener than the registry changes. The embedder feeds every connection and
//! disconnection in; what is older than the session known is ignored. Spec: AWS 3.3 and 8.4.

mod connectivity;
mod event;

pub use connectivity::Connectivity;
pub use event::{
    ConnectFailed, Connected, DisconnectReason, Disconnected, PresenceEvent, SubscriptionChange,
    Subscriptions,
};

use crate::id::IdError;
use crate::kernel::{Context, Decider, ErrorCode, NameError, StreamName};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[(
    "presence.no_session",
    "a disconnection names no session that is known to be connected",
)];

/// An MQTT client id: 1 to 128 bytes that do not start with `$`. Spec: AWS 0.3.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Arc<str>);

impl ClientId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its comings and goings are published: an id with `#` or `+` produces no events.
    #[must_use]
    pub fn is_published(&self) -> bool {
        !self.0.contains(['#', '+'])
    }

    /// The stream of the client's presence.
    ///
    /// # Errors
    /// `kernel.invalid_name` when the escaped name is longer than 1024 bytes.
    pub fn stream(&self) -> Result<StreamName, NameError> {
        StreamName::of("presence", &self.0)
    }
}

impl std::str::FromStr for ClientId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let valid = (1..=128).contains(&text.len())
            && !text.starts_with('$')
            && !text.chars().any(char::is_control);
        if valid {
            Ok(Self(text.into()))
        } else {
            Err(IdError::new(
                "client id",
                text,
                "1 to 128 bytes without control characters that do not start with `$`",
            ))
        }
    }
}

impl TryFrom<String> for ClientId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a client's stream says: its last session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Presence {
    /// What is shown of it.
    pub connectivity: Connectivity,
    /// The last session heard of.
    pub session: Option<String>,
}

/// What the embedder's broker reports.
#[derive(Clone, Debug, PartialEq)]
pub enum PresenceCommand {
    /// A session began. One with a version at or below the known one is ignored.
    Connect(Connected),
    /// A session ended. One of an older session is ignored.
    Disconnect(Disconnected),
    /// A connection was refused.
    FailConnect(ConnectFailed),
    /// Topics were subscribed or unsubscribed.
    ChangeSubscriptions(Subscriptions),
}

/// Why a presence report was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PresenceError {
    /// A disconnection without a connection: the embedder lost one, or sent them out of order.
    #[error("client `{client}` has no session: report its connection first")]
    NoSession {
        /// The client.
        client: ClientId,
    },
}

impl ErrorCode for PresenceError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoSession { .. } => "presence.no_session",
        }
    }
}

/// The decider of presence.
#[derive(Clone, Copy, Debug)]
pub struct Presences;

impl Decider for Presences {
    type State = Presence;
    type Command = PresenceCommand;
    type Event = PresenceEvent;
    type Error = PresenceError;
    type View = ();

    fn initial() -> Presence {
        Presence::default()
    }

    fn decide(
        state: &Presence,
        command: PresenceCommand,
        _: &Context<'_>,
    ) -> Result<Vec<PresenceEvent>, PresenceError> {
        let known = state.connectivity.version;
        Ok(match command {
            PresenceCommand::Connect(event) => {
                // The number starts again after a client was offline for long: then nothing newer is known.
                let stale = state.connectivity.connected
                    && known.is_some_and(|known| event.version_number <= known);
                if stale {
                    Vec::new()
                } else {
                    vec![PresenceEvent::Connected(event)]
                }
            }
            PresenceCommand::Disconnect(event) => {
                let Some(known) = known else {
                    return Err(PresenceError::NoSession {
                        client: event.client_id,
                    });
                };
                if state.connectivity.connected && event.version_number >= known {
                    vec![PresenceEvent::Disconnected(event)]
                } else {
                    Vec::new()
                }
            }
            PresenceCommand::FailConnect(event) => vec![PresenceEvent::ConnectFailed(event)],
            PresenceCommand::ChangeSubscriptions(event) => {
                vec![PresenceEvent::SubscriptionsChanged(event)]
            }
        })
    }

    fn evolve(mut state: Presence, event: &PresenceEvent) -> Presence {
        match event {
            PresenceEvent::Connected(event) => {
                state.session = Some(event.session_identifier.clone());
                state.connectivity = Connectivity {
                    connected: true,
                    timestamp: Some(event.at),
                    disconnect_reason: None,
                    version: Some(event.version_number),
                    client_id: Some(event.client_id.clone()),
                    keep_alive_secs: event.keep_alive_secs,
                    clean_session: event.clean_session,
                    session_expiry_secs: event.session_expiry_secs,
                };
            }
            PresenceEvent::Disconnected(event) => {
                let seen = &mut state.connectivity;
                seen.connected = false;
                seen.timestamp = Some(event.at);
                seen.disconnect_reason = Some(event.reason);
                seen.version = Some(event.version_number);
            }
            PresenceEvent::ConnectFailed(_) | PresenceEvent::SubscriptionsChanged(_) => {}
        }
        state
    }
}

#[cfg(test)]
mod tests;
