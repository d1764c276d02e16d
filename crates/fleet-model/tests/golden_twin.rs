//! One golden file per event type and schema of twins, identities and presence: old bytes load for ever, the newest are written back.
#![allow(clippy::unwrap_used, clippy::panic)]

use fleet_model::id::ThingId;
use fleet_model::identity::{
    Authentication, DeviceIdentity, IdentityEtag, IdentityWritten, KeyHandles, ModuleDeleted,
    ModuleEvent, ModuleIdentity, ModuleWritten, Parent, SecretHandle, Status,
};
use fleet_model::kernel::{Timestamp, WireEvent};
use fleet_model::presence::{
    ConnectFailed, Connected, DisconnectReason, Disconnected, PresenceEvent, SubscriptionChange,
    Subscriptions,
};
use fleet_model::thing;
use fleet_model::twin::hub::ConfigurationStatus;
use fleet_model::twin::{
    ConfigurationsChanged, Ended, Imported, Incarnation, Patched, Replaced, SectionChange,
    ShadowDeleted, TwinEvent, Writer,
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
            imported: Imported::default(),
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
        check_one(&event);
    }
}

fn check_one<E: WireEvent + std::fmt::Debug + PartialEq>(event: &E) {
    let bless = std::env::var("FLEET_BLESS").is_ok_and(|value| value == "1");
    let path = golden(event.event_type(), event.schema());
    if bless && !path.exists() {
        std::fs::write(&path, [event.to_data().as_slice(), b"\n"].concat()).unwrap();
    }
    let bytes = std::fs::read(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    let read = E::from_data(event.event_type(), &bytes).unwrap();
    assert_eq!(read, *event);
    let written = String::from_utf8(read.to_data()).unwrap() + "\n";
    assert_eq!(written, String::from_utf8(bytes).unwrap());
}

fn identity_samples() -> (IdentityWritten, Vec<ModuleEvent>) {
    let at: Timestamp = "2026-01-02T03:04:05.000006Z".parse().unwrap();
    let uuid = |n| uuid::Uuid::from_u128(n);
    let keys = Some(KeyHandles {
        primary: SecretHandle(uuid(7)),
        secondary: SecretHandle(uuid(8)),
    });
    let device = IdentityWritten {
        name: "press-7".parse().unwrap(),
        thing_id: ThingId::new(uuid(1)),
        at,
        identity: DeviceIdentity {
            etag: IdentityEtag::first(uuid(1)),
            status: Status::Disabled,
            status_reason: Some("stolen".to_owned()),
            status_updated_at: Some(at),
            authentication: Authentication::Sas { keys },
            iot_edge: true,
            own_scope: Some("ms-azure-iot-edge://press-7-639028224000000000".to_owned()),
            parent: Some(Parent {
                device: "edge".parse().unwrap(),
                scope: "ms-azure-iot-edge://edge-1".to_owned(),
            }),
        },
    };
    let module = |authentication, managed_by: Option<&str>| ModuleWritten {
        at,
        identity: ModuleIdentity {
            device: "press-7".parse().unwrap(),
            device_life: ThingId::new(uuid(1)),
            module: "camera".parse().unwrap(),
            generation: uuid(2),
            etag: IdentityEtag::first(uuid(2)),
            managed_by: managed_by.map(str::to_owned),
            authentication,
        },
    };
    let self_signed = Authentication::SelfSigned {
        primary: Some("0123456789abcdef0123456789ABCDEF01234567".parse().unwrap()),
        secondary: None,
    };
    let modules = vec![
        ModuleEvent::Created(module(self_signed, None)),
        ModuleEvent::Updated(module(Authentication::CertificateAuthority, Some("ops"))),
        ModuleEvent::Deleted(ModuleDeleted {
            at,
            device: "press-7".parse().unwrap(),
            module: "camera".parse().unwrap(),
            generation: uuid(2),
        }),
    ];
    (device, modules)
}

#[test]
fn every_identity_event_has_its_golden_file() {
    let (device, modules) = identity_samples();
    check_one(&thing::Event::IdentityWritten(device));
    check(modules);
}

#[test]
fn every_twin_event_has_its_golden_file() {
    check(samples());
}

#[test]
fn every_presence_event_has_its_golden_file() {
    check(presence_samples());
}
