//! One golden file per event type and schema of twins and presence: old bytes load for ever, the newest are written back.
#![allow(clippy::unwrap_used, clippy::panic)]

use fleet_model::kernel::{Timestamp, WireEvent};
use fleet_model::presence::{
    ConnectFailed, Connected, DisconnectReason, Disconnected, PresenceEvent, SubscriptionChange,
    Subscriptions,
};
use fleet_model::twin::hub::ConfigurationStatus;
use fleet_model::twin::{
    ConfigurationsChanged, Ended, Incarnation, Patched, Replaced, SectionChange, ShadowDeleted,
    TwinEvent, Writer,
};
use serde_json::{Value, json};
use std::path::PathBuf;

fn golden(name: &str, schema: u16) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{name}.v{schema}.json"))
}

fn samples() -> Vec<TwinEvent> {
    let at: Timestamp = "2026-01-02T03:04:05.000006Z".parse().unwrap();
    let object = |value: Value| value.as_object().unwrap().clone();
    let incarnation = Some(Incarnation(
        "6f9619ff-8b86-4d01-b42d-00cf4fc964ff".parse().unwrap(),
    ));
    vec![
        TwinEvent::Patched(Patched {
            at,
            via: Writer::Shadow,
            tags: SectionChange::Keep,
            desired: SectionChange::Merge(object(
                json!({"valve": 60, "old": null, "net": {"ssid": "plant"}}),
            )),
            reported: SectionChange::Clear,
            shadow_version: Some(7),
            incarnation,
            client_token: Some("c-1".to_owned()),
            state_cleared: false,
        }),
        TwinEvent::Replaced(Replaced {
            at,
            via: Writer::Service,
            tags: Some(object(json!({"building": "43", "floor": 1}))),
            desired: Some(object(
                json!({"telemetry": {"every": "5m"}, "list": [1, "a", {"b": true}]}),
            )),
            reported: None,
            shadow_version: Some(8),
            incarnation: None,
        }),
        TwinEvent::ShadowDeleted(ShadowDeleted {
            at,
            last_version: 8,
            client_token: None,
        }),
        TwinEvent::ConfigurationsChanged(ConfigurationsChanged {
            at,
            changes: [
                ("firmware-2".to_owned(), Some(ConfigurationStatus::Applied)),
                ("firmware-1".to_owned(), None),
            ]
            .into(),
            incarnation: None,
        }),
        TwinEvent::Ended(Ended { at }),
    ]
}

fn presence_samples() -> Vec<PresenceEvent> {
    let at: Timestamp = "2026-01-02T03:04:05.000006Z".parse().unwrap();
    vec![
        PresenceEvent::Connected(Connected {
            at,
            client_id: "press-7".parse().unwrap(),
            thing_name: Some("press-7".parse().unwrap()),
            session_identifier: "s-1".to_owned(),
            principal_identifier: "p-1".to_owned(),
            ip_address: Some("192.0.2.7".to_owned()),
            version_number: 3,
            keep_alive_secs: Some(30),
            clean_session: Some(true),
            session_expiry_secs: Some(0),
        }),
        PresenceEvent::Disconnected(Disconnected {
            at,
            client_id: "press-7".parse().unwrap(),
            thing_name: None,
            session_identifier: "s-1".to_owned(),
            principal_identifier: "p-1".to_owned(),
            version_number: 3,
            reason: DisconnectReason::ConnectionLost,
        }),
        PresenceEvent::ConnectFailed(ConnectFailed {
            at,
            client_id: "press-7".parse().unwrap(),
            thing_name: None,
            session_identifier: "s-2".to_owned(),
            principal_identifier: "p-1".to_owned(),
            ip_address: Some("192.0.2.7".to_owned()),
        }),
        PresenceEvent::SubscriptionsChanged(Subscriptions {
            at,
            client_id: "press-7".parse().unwrap(),
            thing_name: None,
            session_identifier: "s-1".to_owned(),
            principal_identifier: "p-1".to_owned(),
            change: SubscriptionChange::Subscribed,
            topics: vec!["plant/+/alarms".to_owned()],
        }),
    ]
}

/// Every sample is its golden file; `FLEET_BLESS=1` writes files that are missing, never others.
fn check<E: WireEvent + std::fmt::Debug + PartialEq>(samples: Vec<E>) {
    let bless = std::env::var("FLEET_BLESS").is_ok_and(|value| value == "1");
    for (name, schema) in E::TYPES {
        assert!(
            samples.iter().any(|event| event.event_type() == *name),
            "{name} has no sample"
        );
        for old in 1..*schema {
            assert!(golden(name, old).exists(), "{name}.v{old}.json is missing");
        }
    }
    for event in samples {
        let path = golden(event.event_type(), event.schema());
        if bless && !path.exists() {
            std::fs::write(&path, [event.to_data().as_slice(), b"\n"].concat()).unwrap();
        }
        let bytes =
            std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
        let read = E::from_data(event.event_type(), &bytes).unwrap();
        assert_eq!(read, event);
        let written = String::from_utf8(read.to_data()).unwrap() + "\n";
        assert_eq!(written, String::from_utf8(bytes).unwrap());
    }
}

#[test]
fn every_twin_event_has_its_golden_file() {
    check(samples());
}

#[test]
fn every_presence_event_has_its_golden_file() {
    check(presence_samples());
}
