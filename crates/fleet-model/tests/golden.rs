//! Every event type has a golden file of its stored data; each is read, and the newest written back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use fleet_model::kernel::WireEvent;
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
