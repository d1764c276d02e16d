//! Every lifecycle payload in its published form, derived from the golden events (`tests/golden/lifecycle`).
#![allow(clippy::unwrap_used, clippy::panic)]

use fleet_model::id::Owner;
use fleet_model::identity::ModuleEvent;
use fleet_model::kernel::{Context, Decider, EventId, Timestamp, WireEvent};
use fleet_model::lifecycle::{
    Cause, EventKind, LifecycleMessage, SwitchCommand, SwitchEvent, SwitchesDecider,
    SwitchesUpdated, certificate_messages, device_lifecycle, group_messages, memberships_ended,
    module_lifecycle, presence_messages, thing_messages, thing_type_messages,
};
use fleet_model::limits::Limits;
use fleet_model::presence::PresenceEvent;
use fleet_model::twin::{Twin, TwinState};
use fleet_model::{certificate, group, thing, thing_type};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn event<E: WireEvent>(name: &str) -> E {
    let bytes = std::fs::read(folder().join(format!("{name}.v1.json"))).unwrap();
    E::from_data(name, &bytes).unwrap()
}

/// Compares with `lifecycle/<name>.json`; `FLEET_BLESS=1` writes the file when it is missing.
fn golden(name: &str, found: &Value) {
    let path = folder().join(format!("lifecycle/{name}.json"));
    let text = serde_json::to_string_pretty(found).unwrap() + "\n";
    if std::env::var("FLEET_BLESS").is_ok_and(|value| value == "1") && !path.exists() {
        std::fs::write(&path, &text).unwrap();
    }
    let held = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name}: {text}"));
    // Compared as values: the order of members is no part of a published form.
    let held: Value = serde_json::from_str(&held).unwrap();
    assert_eq!(*found, held, "{name}");
}

fn shown(messages: &[LifecycleMessage]) -> Value {
    let one = |message: &LifecycleMessage| {
        json!({
            "switch": message.kind.map(EventKind::as_str),
            "topic": message.topic,
            "payload": message.payload,
        })
    };
    messages.iter().map(one).collect()
}

fn owner() -> Owner {
    Owner {
        region: "eu-west-1".parse().unwrap(),
        account: "123456789012".parse().unwrap(),
    }
}

fn cause(owner: &Owner) -> Cause<'_> {
    Cause {
        event: EventId::v7(1_767_225_600_000, [7; 10]),
        at: Timestamp::from_secs(1_767_225_600),
        owner,
    }
}

#[test]
fn things() {
    let owner = owner();
    let mut record = thing::Record::Absent;
    for name in [
        "thing.created",
        "thing.updated",
        "thing.joined_group",
        "thing.left_group",
        "thing.deleted",
    ] {
        let event: thing::Event = event(name);
        // `hot` had ended before the thing was deleted.
        let lives = |group: &group::GroupRef| group.group_name.as_str() != "hot";
        let messages = thing_messages(&event, &record, &cause(&owner), lives);
        golden(name, &shown(&messages));
        record = thing::evolve(record, &event);
    }
}

#[test]
fn a_record_without_an_aws_face_has_no_messages() {
    let owner = owner();
    let thing::Event::Created(mut created) = event::<thing::Event>("thing.created") else {
        panic!("not a creation");
    };
    created.name = "press#7".parse().unwrap();
    let event = thing::Event::Created(created);
    let messages = thing_messages(&event, &thing::Record::Absent, &cause(&owner), |_| true);
    assert_eq!(messages, []);
}

#[test]
fn groups() {
    let owner = owner();
    for (created, others) in [
        ("group.created", &["group.deleted"][..]),
        ("group.dynamic_created", &["group.updated"]),
    ] {
        let mut record = <group::Groups as Decider>::initial();
        for name in std::iter::once(&created).chain(others) {
            let event: group::Event = event(name);
            record = group::Groups::evolve(record, &event);
            let messages = group_messages(&event, &record, &cause(&owner));
            golden(name, &shown(&messages));
        }
    }
    let thing::Event::Deleted(deleted) = event::<thing::Event>("thing.deleted") else {
        panic!("not a deletion");
    };
    let members = deleted.groups.iter().map(|held| {
        let thing = deleted.name.thing_name().unwrap();
        (thing, deleted.thing_id, held.membership_id)
    });
    let group = &deleted.groups.first().unwrap().group;
    let messages = memberships_ended(group, members.take(1), &cause(&owner));
    golden("group.deleted.memberships", &shown(&messages));
}

#[test]
fn thing_types() {
    let owner = owner();
    let mut record = <thing_type::ThingTypes as Decider>::initial();
    for name in [
        "thing_type.created",
        "thing_type.updated",
        "thing_type.deprecated",
        "thing_type.undeprecated",
        "thing_type.deleted",
    ] {
        let event: thing_type::Event = event(name);
        record = thing_type::ThingTypes::evolve(record, &event);
        let messages = thing_type_messages(&event, &record, &cause(&owner));
        golden(name, &shown(&messages));
    }
}

#[test]
fn certificates() {
    let owner = owner();
    let certificate::Event::Registered(mut registered) =
        event::<certificate::Event>("certificate.registered")
    else {
        panic!("not a registration");
    };
    let by_hand = certificate::Event::Registered(registered.clone());
    assert_eq!(certificate_messages(&by_hand, &cause(&owner)), []);
    registered.arrival = certificate::Arrival::AutoRegistered;
    registered.status = certificate::CertificateStatus::PendingActivation;
    let event = certificate::Event::Registered(registered);
    let messages = certificate_messages(&event, &cause(&owner));
    golden("certificate.registered", &shown(&messages));
}

#[test]
fn presence() {
    for name in [
        "presence.connected",
        "presence.disconnected",
        "presence.connect_failed",
        "presence.subscriptions_changed",
    ] {
        let event: PresenceEvent = event(name);
        golden(name, &shown(&presence_messages(&event)));
    }
    let PresenceEvent::Connected(mut connected) = event("presence.connected") else {
        panic!("not a connection");
    };
    connected.client_id = "a#b".parse().unwrap();
    assert_eq!(presence_messages(&PresenceEvent::Connected(connected)), []);
}

#[test]
fn hub_notifications() {
    let twin = Twin::initial();
    let written = Twin::evolve(TwinState::default(), &event("twin.replaced"));
    let shown = |found: Option<fleet_model::lifecycle::HubLifecycle>| {
        let found = found.unwrap();
        json!({
            "opType": found.op_type,
            "deviceId": found.device_id,
            "moduleId": found.module_id,
            "body": found.body,
        })
    };
    golden(
        "hub.device_created",
        &shown(device_lifecycle(&event("thing.created"), &twin)),
    );
    golden(
        "hub.device_deleted",
        &shown(device_lifecycle(&event("thing.deleted"), &written)),
    );
    let module = module_lifecycle(&event::<ModuleEvent>("module.created"), &twin);
    golden("hub.module_created", &shown(module));
    let module = module_lifecycle(&event::<ModuleEvent>("module.deleted"), &written);
    golden("hub.module_deleted", &shown(module));
    assert_eq!(device_lifecycle(&event("thing.updated"), &twin), None);
}

#[test]
fn switches() {
    let limits = Limits::default();
    let context = Context {
        now: Timestamp::from_secs(1_767_225_600),
        limits: &limits,
        view: &(),
    };
    let off = SwitchesDecider::initial();
    assert!(!off.publishes(Some(EventKind::Thing)) && off.publishes(None));
    let set = |names: &[(&str, bool)]| SwitchCommand {
        changes: names
            .iter()
            .map(|(name, on)| ((*name).to_owned(), *on))
            .collect(),
    };
    let mut state = off;
    for command in [
        set(&[("THING", true), ("THING_GROUP", true)]),
        set(&[("THING_GROUP", false)]),
    ] {
        for event in SwitchesDecider::decide(&state, command, &context).unwrap() {
            state = SwitchesDecider::evolve(state, &event);
        }
    }
    assert!(state.publishes(Some(EventKind::Thing)));
    assert!(!state.publishes(Some(EventKind::ThingGroup)));
    golden("event_configurations", &state.to_json());
    let refused = SwitchesDecider::decide(&state, set(&[("THINGS", true)]), &context).unwrap_err();
    assert_eq!(
        fleet_model::kernel::ErrorCode::code(&refused),
        "lifecycle.unknown_event_type"
    );
    let sample = SwitchEvent::Updated(SwitchesUpdated {
        at: context.now,
        changes: [(EventKind::Thing, true), (EventKind::Job, false)].into(),
    });
    let path = folder().join("event_configurations.updated.v1.json");
    if std::env::var("FLEET_BLESS").is_ok_and(|value| value == "1") && !path.exists() {
        std::fs::write(&path, [sample.to_data().as_slice(), b"\n"].concat()).unwrap();
    }
    let read: SwitchEvent = event("event_configurations.updated");
    assert_eq!(read, sample);
}

#[test]
fn message_ids_are_unique_and_stable() {
    let owner = owner();
    let deleted: thing::Event = event("thing.deleted");
    let once = thing_messages(&deleted, &thing::Record::Absent, &cause(&owner), |_| true);
    let again = thing_messages(&deleted, &thing::Record::Absent, &cause(&owner), |_| true);
    assert_eq!(once, again);
    let ids: BTreeSet<_> = once
        .iter()
        .map(|m| m.payload.get("eventId").unwrap().to_string())
        .collect();
    assert_eq!(ids.len(), once.len());
}
