//! Every event type has a golden file of its stored data; each is read, and the newest written back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use fleet_model::kernel::{
    DecodeError, EventId, NewEvent, Position, Recorded, StreamVersion, Timestamp, WireEvent, decode,
};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// `type.v<schema>.json` as type and schema; files of other forms are of other tests.
fn parts(name: &str) -> Option<(&str, u16)> {
    let (event_type, schema) = name.strip_suffix(".json")?.rsplit_once(".v")?;
    Some((event_type, schema.parse().ok()?))
}

/// Reads and writes back the family's golden files; gives the names of those read.
fn check<E: WireEvent + std::fmt::Debug + PartialEq>() -> BTreeSet<String> {
    let mut seen = BTreeSet::new();
    for (event_type, schema) in E::TYPES {
        let name = format!("{event_type}.v{schema}.json");
        let text = std::fs::read_to_string(folder().join(&name))
            .unwrap_or_else(|error| panic!("golden file {name}: {error}"));
        let event = E::from_data(event_type, text.as_bytes())
            .unwrap_or_else(|error| panic!("golden file {name}: {error}"));
        let written = String::from_utf8(event.to_data()).unwrap() + "\n";
        assert_eq!(written, text, "{name} is not written back byte for byte");
        assert_eq!((event.event_type(), event.schema()), (*event_type, *schema));
        seen.insert(name);
    }
    seen
}

/// Every family of events, once.
fn families() -> Vec<BTreeSet<String>> {
    vec![
        check::<fleet_model::thing::Event>(),
        check::<fleet_model::group::Event>(),
        check::<fleet_model::thing_type::Event>(),
        check::<fleet_model::billing_group::Event>(),
        check::<fleet_model::ca_certificate::Event>(),
        check::<fleet_model::certificate::Event>(),
    ]
}

#[test]
fn every_event_type_has_a_golden_file_that_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for name in families().into_iter().flatten() {
        assert!(seen.insert(name.clone()), "{name} belongs to two families");
    }
    let area = |name: &str| name.split('.').next().map(str::to_owned);
    let areas: BTreeSet<_> = seen.iter().filter_map(|name| area(name)).collect();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some((event_type, _)) = parts(&name) else {
            continue;
        };
        let ours = area(event_type).is_some_and(|area| areas.contains(&area));
        assert!(!ours || seen.contains(&name), "nothing reads {name}");
    }
}

fn recorded(event_type: &str, schema: u16, data: &str) -> Recorded {
    Recorded {
        tenant: "default".parse().unwrap(),
        stream: "golden-file".parse().unwrap(),
        version: StreamVersion(1),
        position: Position(1),
        recorded_at: Timestamp::from_secs(1),
        event: NewEvent {
            id: EventId::v7(1, [0; 10]),
            event_type: event_type.parse().unwrap(),
            schema,
            occurred_at: Timestamp::from_secs(1),
            correlation: Default::default(),
            causation: None,
            actor: "user:ops".parse().unwrap(),
            meta: Default::default(),
            data: data.as_bytes().into(),
            subject: None,
        },
        check: 0,
        chain: None,
    }
}

/// Loads every schema ever released of a family's types as a store gives it; what is newer is refused.
fn load<E: WireEvent + std::fmt::Debug>() -> Vec<String> {
    let mut names = Vec::new();
    for (event_type, newest) in E::TYPES {
        for schema in 1..=*newest {
            let name = format!("{event_type}.v{schema}.json");
            let text = std::fs::read_to_string(folder().join(&name))
                .unwrap_or_else(|error| panic!("golden file {name}: {error}"));
            let loaded = decode::<E>(&recorded(event_type, schema, &text));
            assert!(loaded.is_ok_and(|events| !events.is_empty()), "{name}");
            names.push(name);
        }
        let newer = decode::<E>(&recorded(event_type, newest + 1, "{}"));
        let refused = matches!(
            newer,
            Err(DecodeError::UnknownSchema { found, known, .. }) if found == newest + 1 && known == *newest
        );
        assert!(refused, "{event_type}: {newer:?}");
    }
    let unknown = decode::<E>(&recorded("golden.unheard", 1, "{}"));
    assert!(matches!(unknown, Err(DecodeError::UnknownType { .. })));
    names
}

#[test]
fn every_golden_file_loads_as_it_is_stored_and_newer_schemas_are_refused() {
    let mut loaded = [
        load::<fleet_model::thing::Event>(),
        load::<fleet_model::group::Event>(),
        load::<fleet_model::thing_type::Event>(),
        load::<fleet_model::billing_group::Event>(),
        load::<fleet_model::ca_certificate::Event>(),
        load::<fleet_model::certificate::Event>(),
        load::<fleet_model::twin::TwinEvent>(),
        load::<fleet_model::presence::PresenceEvent>(),
        load::<fleet_model::identity::ModuleEvent>(),
        load::<fleet_model::lifecycle::SwitchEvent>(),
    ]
    .concat();
    loaded.sort();
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| parts(name).is_some())
        .collect();
    files.sort();
    assert_eq!(loaded, files);
}
