//! Presence: what a broker tells of connections, and what is known of a thing's (AWS spec 3.3, 8.4).

operation! {
    "Takes a broker's word on a connection: `connected`, `disconnected` or `connect_failed`. An extension for embedders."
    RecordPresence @ Iot {
        client_id: String,
        thing_name: Option<String>,
        event_type: String,
        session_identifier: String,
        principal_identifier: String,
        ip_address: Option<String>,
        version_number: Option<u64>,
        disconnect_reason: Option<String>,
        connect_failure_reason: Option<String>,
        keep_alive_duration: Option<u32>,
        clean_session: Option<bool>,
        session_expiry: Option<u32>,
    } -> RecordPresenceResponse {
        recorded: bool,
    }
}

operation! {
    "Tells what is known of a thing's connection."
    GetThingConnectivityData @ Iot {
        thing_name: String,
    } -> GetThingConnectivityDataResponse {
        thing_name: String,
        connected: bool,
        timestamp: Option<super::Seconds>,
        disconnect_reason: Option<String>,
        version_number: Option<u64>,
        client_id: Option<String>,
        keep_alive_duration: Option<u32>,
        clean_session: Option<bool>,
        session_expiry: Option<u32>,
    }
}
