//! Presence.

use fleet_model::id::{RecordName, ThingName};
use fleet_model::kernel::Decider as _;
use fleet_model::presence::{
    ClientId, ConnectFailed, Connected, DisconnectReason, Disconnected, PresenceCommand, Presences,
};

use super::Handle;
use crate::fleet::Call;
use crate::operation::{
    GetThingConnectivityData, GetThingConnectivityDataResponse, RecordPresence,
    RecordPresenceResponse, Seconds,
};
use crate::refusal::Refusal;

impl RecordPresence {
    fn command(self, call: &Call<'_>, client_id: ClientId) -> Result<PresenceCommand, Refusal> {
        let thing_name = self.thing_name.as_deref();
        let thing_name: Option<RecordName> = thing_name.map(str::parse).transpose()?;
        let version = || {
            self.version_number.ok_or_else(|| {
                Refusal::new(
                    "request.invalid",
                    "`versionNumber` is missing: give that of the session",
                )
            })
        };
        match self.event_type.as_str() {
            "connected" => Ok(PresenceCommand::Connect(Connected {
                at: call.now,
                client_id,
                thing_name,
                version_number: version()?,
                session_identifier: self.session_identifier,
                principal_identifier: self.principal_identifier,
                ip_address: self.ip_address,
                keep_alive_secs: self.keep_alive_duration,
                clean_session: self.clean_session,
                session_expiry_secs: self.session_expiry,
            })),
            "disconnected" => {
                let wanted = self.disconnect_reason.as_deref().unwrap_or("UNKNOWN");
                let mut reasons = DisconnectReason::ALL.iter();
                let reason = reasons.find(|reason| reason.as_str() == wanted);
                let reason = *reason.ok_or_else(|| {
                    Refusal::new(
                        "request.invalid",
                        format!("`{wanted}` is no reason of a disconnection"),
                    )
                })?;
                Ok(PresenceCommand::Disconnect(Disconnected {
                    at: call.now,
                    client_id,
                    thing_name,
                    version_number: version()?,
                    session_identifier: self.session_identifier,
                    principal_identifier: self.principal_identifier,
                    reason,
                }))
            }
            "connect_failed" => Ok(PresenceCommand::FailConnect(ConnectFailed {
                at: call.now,
                client_id,
                thing_name,
                session_identifier: self.session_identifier,
                principal_identifier: self.principal_identifier,
                ip_address: self.ip_address,
            })),
            other => Err(Refusal::new(
                "request.invalid",
                format!("`{other}` is none of `connected`, `disconnected` and `connect_failed`"),
            )),
        }
    }
}

impl Handle for RecordPresence {
    type Answer = RecordPresenceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let client: ClientId = self.client_id.parse()?;
        let stream = client.stream()?;
        let command = self.command(call, client)?;
        let loaded = call.load::<Presences>(&stream).await?;
        let events = Presences::decide(&loaded.state, command, &call.context(&()))?;
        let loaded = call.record::<Presences>(&stream, loaded, events).await?;
        Ok(RecordPresenceResponse {
            recorded: !loaded.events.is_empty(),
        })
    }
}

impl Handle for GetThingConnectivityData {
    type Answer = GetThingConnectivityDataResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingName = self.thing_name.parse()?;
        if !super::index::configuration(call).await?.connectivity() {
            return Err(Refusal::new(
                "index.not_ready",
                "connectivity is not indexed: set thingConnectivityIndexingMode to STATUS",
            ));
        }
        super::thing::find(call, &name).await?;
        let seen = super::identity::connectivity(call, &name.record()).await?;
        let seen = seen.unwrap_or_default();
        Ok(GetThingConnectivityDataResponse {
            thing_name: name.to_string(),
            connected: seen.connected,
            timestamp: seen.timestamp.map(Seconds),
            disconnect_reason: seen.disconnect_reason.map(|r| r.as_str().to_owned()),
            version_number: seen.version,
            client_id: seen.client_id.map(|client| client.as_str().to_owned()),
            keep_alive_duration: seen.keep_alive_secs,
            clean_session: seen.clean_session,
            session_expiry: seen.session_expiry_secs,
        })
    }
}
