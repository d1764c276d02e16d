//! What an import keeps: a query answers over the store as over the lines, and operations would have made the same.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

use fleet_query::document::normalise;
use fleet_query::{Collection, Dialect, Document, Mode, Query};
use fleet_sdk::import::ImportOptions;
use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::LogRead;
use pollster::block_on;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

fn fleet() -> Fleet {
    let start = Options::seeded(1).clock.now();
    let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || start));
    block_on(Fleet::open(Arc::new(store), Options::seeded(1))).unwrap()
}

fn ops() -> Caller {
    Caller::new("user:ops".parse().unwrap())
}

fn import(fleet: &Fleet, lines: &[String]) {
    let texts: Vec<_> = lines.iter().cloned().map(Ok).collect();
    let (caller, mut watch) = (ops(), ());
    let import = fleet.import(texts, &caller, ImportOptions::default(), &mut watch);
    let report = block_on(import).unwrap();
    assert_eq!(
        report.created,
        u64::try_from(lines.len()).unwrap(),
        "{report:?}"
    );
}

fn generated(count: u64) -> Vec<String> {
    (0..count).map(|n| fleet_generate::twin(7, n)).collect()
}

/// Every path of a document with the values that stand there, as texts of queries.
fn fields(at: &Value, path: &str, out: &mut BTreeMap<String, BTreeSet<String>>) {
    let values = out.entry(path.to_owned()).or_default();
    match at {
        Value::Object(members) => {
            for (name, member) in members {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                fields(member, &path, out);
            }
        }
        Value::Array(elements) => {
            for (n, element) in elements.iter().enumerate() {
                fields(element, &format!("{path}[{n}]"), out);
            }
        }
        Value::String(text) => {
            values.insert(format!("'{text}'"));
        }
        other => {
            values.insert(other.to_string());
        }
    }
}

/// For every field that generated twins have: whether it is there, how it compares, what it holds.
#[test]
fn every_field_of_a_line_is_queried_as_in_the_file() {
    let lines = generated(200);
    let fleet = fleet();
    import(&fleet, &lines);
    let mut documents: Vec<Value> = lines
        .iter()
        .map(|line| normalise(Collection::Devices, serde_json::from_str(line).unwrap()).unwrap())
        .collect();
    documents.sort_by_key(|document| document["deviceId"].as_str().unwrap().to_owned());
    let mut found = BTreeMap::new();
    documents
        .iter()
        .for_each(|document| fields(document, "", &mut found));
    found.remove("");
    for path in [
        "connectionState",
        "lastActivityTime",
        "etag",
        "version",
        "status",
        "tags.region",
        "properties.desired.$version",
        "properties.reported.$version",
        "properties.reported.load[0]",
    ] {
        assert!(found.contains_key(path), "{path}");
    }
    let mut asked = 0;
    for (path, values) in &found {
        let mut texts = vec![
            format!("SELECT deviceId FROM devices WHERE IS_DEFINED({path})"),
            format!("SELECT deviceId, {path} AS held FROM devices"),
            format!("SELECT {path} AS held, COUNT() AS many FROM devices GROUP BY {path}"),
        ];
        for value in values.iter().step_by(values.len() / 2 + 1) {
            for operator in ["=", "!=", "<", ">="] {
                texts.push(format!(
                    "SELECT deviceId FROM devices WHERE {path} {operator} {value}"
                ));
            }
        }
        for text in texts {
            // A whole section can be shown, but not grouped by.
            let Ok(query) = Query::parse(&text, Dialect::IotHub, Mode::Lenient) else {
                continue;
            };
            // The fleet's own metadata stands in whole sections too.
            if matches!(
                path.as_str(),
                "properties" | "properties.desired" | "properties.reported"
            ) && text.contains("held")
            {
                continue;
            }
            let file: Vec<Document<'_>> = documents
                .iter()
                .map(Document::new)
                .filter(|document| query.matches(*document).is_true())
                .collect();
            let file = query.rows(file).rows;
            let store = block_on(fleet.query(&query)).unwrap().rows;
            assert_eq!(format!("{store:?}"), format!("{file:?}"), "{text}");
            asked += 1;
        }
    }
    assert!(asked > 300, "{asked}");
}

/// What the import recorded, without what derives from the bytes of a line.
fn recorded(fleet: &Fleet) -> Vec<(String, String, Value)> {
    let page = block_on(fleet.store().read_all(LogRead::after(Default::default()))).unwrap();
    page.events
        .iter()
        .map(|event| {
            let mut data: Value = serde_json::from_slice(&event.event.data).unwrap();
            for name in ["thingId", "incarnation", "etag"] {
                data.as_object_mut().unwrap().remove(name);
            }
            if let Some(Value::Object(identity)) = data.get_mut("identity") {
                identity.remove("etag");
            }
            let canonical = fleet_model::kernel::canonical(&data);
            assert_eq!(serde_json::from_slice::<Value>(&canonical).unwrap(), data);
            (
                event.stream.to_string(),
                event.event.event_type.to_string(),
                data,
            )
        })
        .collect()
}

/// A member that changes nothing sends a line the long way.
#[test]
fn the_short_way_records_what_the_long_way_does() {
    let lines = generated(200);
    let odd = |line: &String| line.replacen('{', "{\"thingTypeName\":null,", 1);
    let (short, long) = (fleet(), fleet());
    import(&short, &lines);
    import(&long, &lines.iter().map(odd).collect::<Vec<_>>());
    assert_eq!(recorded(&short), recorded(&long));
}

fn any_section() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[ -~]{0,9}".prop_map(Value::from),
        Just(1.25).prop_map(Value::from),
    ];
    let value = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map("[a-f]{1,2}", inner, 1..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    proptest::collection::btree_map("[a-f]{1,2}", value, 0..5)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

fn call(fleet: &Fleet, op: &str, params: Value) -> Value {
    block_on(fleet.call_json(op, params, &ops()))
        .result
        .unwrap()
}

/// The sections and status of a twin, without what counts writes.
fn essence(fleet: &Fleet, device: &str) -> Value {
    let twin = call(fleet, "GetTwin", json!({ "deviceId": device }));
    let user = |section: &Value| -> Map<String, Value> {
        let members = section.as_object().unwrap().iter();
        let user = members.filter(|(name, _)| !name.starts_with('$'));
        user.map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    json!({
        "tags": twin["tags"], "status": twin["status"],
        "desired": user(&twin["properties"]["desired"]), "reported": user(&twin["properties"]["reported"]),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(std::env::var("FLEET_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(64)))]

    #[test]
    fn an_import_and_operations_make_the_same_twin(tags in any_section(), desired in any_section(), reported in any_section()) {
        let line = json!({"deviceId": "a", "tags": tags, "properties": {"desired": desired, "reported": reported}});
        let (imported, operated) = (fleet(), fleet());
        import(&imported, &[line.to_string()]);
        call(&operated, "CreateThing", json!({"thingName": "a"}));
        call(&operated, "UpdateTwin", json!({"deviceId": "a", "body": {"tags": tags, "properties": {"desired": desired}}}));
        let payload = json!({"state": {"reported": reported}});
        call(&operated, "UpdateThingShadow", json!({"thingName": "a", "payload": payload}));
        prop_assert_eq!(essence(&imported, "a"), essence(&operated, "a"));
    }
}
