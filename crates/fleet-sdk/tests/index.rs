//! The columnar index behind the facade: any operations in any order, any queries, against the reference evaluator
//! over documents that were made from the operations' own answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod fleet;

use fleet::{call, memory};
use fleet_model::kernel::{Position, StreamVersion};
use fleet_query::aggregate::{self, AggregationField, IndexFields};
use fleet_query::index::Side;
use fleet_query::{Collection, Dialect, Document, Mode, Query};
use fleet_sdk::{Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::{Append, EventStore as _, Expected, LogRead};
use pollster::block_on;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Groups of one thing, at most: few, so that dynamic groups often find no room.
const ROOM: usize = 3;

fn open(store: Arc<MemoryStore>, seed: u64) -> Fleet {
    fleet::open(store, seed, ROOM)
}

fn documents(fleet: &Fleet, collection: Collection) -> Vec<Value> {
    let snapshot = block_on(fleet.snapshot(collection)).unwrap();
    let found = snapshot.documents().collect::<Vec<_>>();
    assert_eq!(found.len(), snapshot.len());
    found
}

const GROUPS: [&str; 5] = ["a", "a1", "a11", "b", "c"];

/// One operation; many are refused, which is a part of the story.
fn operation() -> impl Strategy<Value = (&'static str, Value)> {
    let device = (0..6_u8).prop_map(|n| format!("d{n}"));
    let group = prop::sample::select(GROUPS.as_slice());
    let value = prop_oneof![
        Just(json!("x")),
        Just(json!("y")),
        Just(json!("7")),
        Just(json!(null)),
        Just(json!(true)),
        Just(json!([1, "x"])),
        (0..9_i64).prop_map(|n| json!(n)),
        Just(json!(2.5)),
        (0..3_i64).prop_map(|n| json!({"n": n, "m": null})),
    ];
    let text = prop::sample::select(vec!["1", "2", "eu", "us"]);
    (0..24_u8, device, group, value, text).prop_map(|(kind, d, group, v, text)| {
        let attributes = json!({"attributePayload": {"attributes": {"site": text, "n": "3"}}});
        let merge = json!({"attributePayload": {"attributes": {"site": text}, "merge": true}});
        match kind {
            0 | 1 => ("CreateThing", json!({"thingName": d, "attributePayload": {"attributes": if text == "eu" { json!({"site": "own"}) } else { json!({}) }}})),
            2 => ("CreateOrReplaceDevice", json!({"deviceId": d, "body": {"status": if text == "1" { "disabled" } else { "enabled" }, "capabilities": {"iotEdge": text == "eu"}}})),
            3 => ("CreateOrReplaceDevice", json!({"deviceId": d, "ifMatch": "*", "body": {"status": "enabled", "capabilities": {"iotEdge": text == "us"}}})),
            4 => ("DeleteThing", json!({"thingName": d})),
            5 | 6 => {
                let parent = match group { "a1" => Some("a"), "a11" => Some("a1"), _ => None };
                ("CreateThingGroup", json!({"thingGroupName": group, "parentGroupName": parent, "thingGroupProperties": attributes}))
            }
            7 => ("UpdateThingGroup", json!({"thingGroupName": group, "thingGroupProperties": merge})),
            8 => ("DeleteThingGroup", json!({"thingGroupName": group})),
            9..=11 => ("AddThingToThingGroup", json!({"thingName": d, "thingGroupName": group})),
            12 => ("RemoveThingFromThingGroup", json!({"thingName": d, "thingGroupName": group})),
            13 => ("UpdateThing", json!({"thingName": d, "attributePayload": {"attributes": {"site": text}, "merge": true}})),
            14..=16 => ("UpdateTwin", json!({"deviceId": d, "body": {"tags": {"t": v}, "properties": {"desired": {"p": v}}}})),
            17 => ("UpdateThingShadow", json!({"thingName": d, "payload": {"state": {"reported": {"p": v, "q": text}}}})),
            18 => ("UpdateThingShadow", json!({"thingName": d, "shadowName": "cfg", "payload": {"state": {"reported": {"p": v}, "desired": {"p": 1}}}})),
            19 => ("DeleteThingShadow", json!({"thingName": d, "shadowName": if text == "1" { Some("cfg") } else { None }})),
            20 => ("CreateOrReplaceModule", json!({"deviceId": d, "moduleId": format!("m{text}"), "body": {}})),
            21 => if text == "eu" {
                ("DeleteModule", json!({"deviceId": d, "moduleId": "meu", "ifMatch": "*"}))
            } else {
                ("UpdateTwin", json!({"deviceId": d, "moduleId": format!("m{text}"), "body": {"tags": {"t": v}}}))
            },
            22 => ("RecordPresence", json!({"clientId": d, "eventType": if text == "1" { "disconnected" } else { "connected" }, "principalIdentifier": "p", "sessionIdentifier": "s", "versionNumber": 1})),
            _ => match text {
                "1" => ("CreateBillingGroup", json!({"billingGroupName": "bill"})),
                "2" => ("DeleteBillingGroup", json!({"billingGroupName": "bill"})),
                _ => ("AddThingToBillingGroup", json!({"thingName": d, "billingGroupName": "bill"})),
            },
        }
    })
}

fn hub_query() -> impl Strategy<Value = String> {
    let shape = prop::sample::select(vec![
        "SELECT * FROM devices",
        "SELECT TOP 2 * FROM devices",
        "SELECT deviceId, tags.t AS t, properties.reported.p FROM devices",
        "SELECT COUNT() AS n FROM devices",
        "SELECT tags.t AS t, COUNT() AS n, AVG(properties.desired.p) AS a FROM devices",
        "SELECT * FROM devices.modules",
    ]);
    let condition = prop::sample::select(vec![
        "",
        "tags.t = 'x'",
        "tags.t != 'x'",
        "properties.desired.p > 3",
        "NOT properties.reported.p = 7",
        "IS_DEFINED(tags.t.n) OR status = 'disabled'",
        "deviceId IN ['d1', 'd3', 'nobody']",
        "STARTSWITH(deviceId, 'd')",
        "connectionState = 'Connected'",
        "capabilities.iotEdge = true",
        "properties.reported.$version > 1 AND tags.t != 'y'",
        "properties.desired.$metadata.p.$lastUpdatedVersion >= 2",
        "ARRAY_CONTAINS(tags.t, 'x')",
    ]);
    (shape, condition).prop_map(|(shape, condition)| {
        let grouped = shape.contains("tags.t AS t, COUNT");
        let mut text = shape.to_owned();
        if !condition.is_empty() {
            text = format!("{text} WHERE {condition}");
        }
        if grouped {
            text.push_str(" GROUP BY tags.t");
        }
        text
    })
}

fn aws_query() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "*",
        "thingName:d*",
        "attributes.site:eu",
        "attributes.site:us AND NOT thingGroupNames:a1",
        "thingGroupNames:a*",
        "shadow.reported.p > 2",
        "shadow.hasDelta:true",
        "shadow.name.cfg.reported.p:x",
        "connectivity.connected:true",
        "x",
        "NOT eu",
        "attributes.n > 2",
    ])
}

/// Every page of an operation's answer.
fn pages(fleet: &Fleet, op: &str, mut params: Value, names: [&str; 3]) -> Vec<Value> {
    let [member, given, taken] = names;
    let mut rows = Vec::new();
    loop {
        let page = call(fleet, op, params.clone()).unwrap();
        rows.extend(page[member].as_array().into_iter().flatten().cloned());
        match page.get(given).and_then(Value::as_str) {
            Some(token) => params[taken] = token.into(),
            None => return rows,
        }
    }
}

/// What the indexing configuration leaves of a document.
fn masked(mut document: Value, things: &Value) -> Option<Value> {
    let members = document.as_object_mut()?;
    members.get("thingId")?;
    if things["thingIndexingMode"] != "REGISTRY_AND_SHADOW" {
        members.remove("properties");
        members.remove("shadow");
    }
    if things["thingConnectivityIndexingMode"] != "STATUS" {
        members.remove("connectivity");
    }
    if things["namedShadowIndexingMode"] != "ON"
        && let Some(Value::Object(shadows)) = members.get_mut("namedShadows")
    {
        shadows.clear();
    }
    Some(document)
}

fn configurations() -> Vec<Value> {
    vec![
        json!({"thingIndexingMode": "REGISTRY", "customFields": [{"name": "attributes.n", "type": "Number"}]}),
        json!({"thingIndexingMode": "REGISTRY_AND_SHADOW", "thingConnectivityIndexingMode": "STATUS",
               "namedShadowIndexingMode": "ON", "filter": {"namedShadowNames": ["cfg"]},
               "customFields": [{"name": "attributes.n", "type": "Number"}, {"name": "shadow.reported.p", "type": "Number"}]}),
    ]
}

fn check_hub(fleet: &Fleet, text: &str) {
    let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
    let all = documents(fleet, query.collection());
    let expected = query.run(&all);
    assert_eq!(block_on(fleet.query(&query)).unwrap(), expected, "{text}");
    let params = json!({"query": text, "maxItemCount": 2});
    let names = ["items", "continuationToken", "continuationToken"];
    let rows = pages(fleet, "QueryTwins", params, names);
    assert_eq!(rows, expected.values(), "{text}");
}

fn check_aws(fleet: &Fleet, text: &str, things: &Value) {
    let query = Query::parse(text, Dialect::Aws, Mode::Lenient).unwrap();
    let all = documents(fleet, Collection::Devices);
    let all: Vec<Value> = all.into_iter().filter_map(|d| masked(d, things)).collect();
    let names = ["things", "nextToken", "nextToken"];
    let params = json!({"queryString": text, "maxResults": 2});
    let found = pages(fleet, "SearchIndex", params, names);
    assert_eq!(found, query.run(&all).values(), "{text} in {things}");
    let met: Vec<&Value> = all
        .iter()
        .filter(|document| query.matches(Document::new(document)).is_true())
        .collect();
    let fields: IndexFields = [
        ("attributes.n".to_owned(), aggregate::FieldType::Number),
        ("shadow.reported.p".to_owned(), aggregate::FieldType::Number),
    ]
    .into();
    for name in ["attributes.n", "registry.version", "shadow.reported.p"] {
        let params = json!({"queryString": text, "aggregationField": name});
        let Ok(answer) = call(fleet, "GetStatistics", params.clone()) else {
            continue;
        };
        let field = AggregationField::resolve(name, &fields, Collection::Devices).unwrap();
        let expected = aggregate::statistics(&query, &field, met.iter().copied());
        let expected = serde_json::to_value(expected).unwrap();
        assert_eq!(answer["statistics"], expected, "{text} {name}");
        let answer = call(fleet, "GetCardinality", params).unwrap();
        let expected = aggregate::cardinality(&query, &field, met.iter().copied());
        assert_eq!(answer["cardinality"], expected, "{text} {name}");
    }
}

/// The members of a document that other operations show too.
fn shown(fleet: &Fleet, document: &Value) -> (Value, Value) {
    let id = document["deviceId"].as_str().unwrap();
    let twin = call(fleet, "GetTwin", json!({"deviceId": id})).unwrap();
    let mut expected: Map<String, Value> = twin.as_object().unwrap().clone();
    let thing = call(fleet, "DescribeThing", json!({"thingName": id})).unwrap();
    let mut attributes = Map::new();
    for (name, effective) in thing["effectiveAttributes"].as_object().unwrap() {
        attributes.insert(name.clone(), effective["value"].clone());
    }
    if !attributes.is_empty() {
        expected.insert("attributes".to_owned(), attributes.into());
    }
    expected.insert("thingId".to_owned(), thing["thingId"].clone());
    expected.insert("registryVersion".to_owned(), thing["version"].clone());
    let groups = call(fleet, "ListThingGroupsForThing", json!({"thingName": id})).unwrap();
    let mut names: Vec<Value> = groups["thingGroups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|g| g["groupName"].clone())
        .collect();
    names.extend(
        thing
            .get("billingGroupName")
            .filter(|n| !n.is_null())
            .cloned(),
    );
    let sorted = |names: Vec<Value>| {
        let mut names: Vec<String> = names
            .iter()
            .map(|n| n.as_str().unwrap().to_owned())
            .collect();
        names.sort();
        json!(names)
    };
    expected.insert("thingGroupNames".to_owned(), sorted(names));
    let mut seen = document.as_object().unwrap().clone();
    for absent in ["shadow", "namedShadows", "connectivity", "thingTypeName"] {
        seen.remove(absent);
    }
    let names = seen.remove("thingGroupNames");
    let names = names.and_then(|names| names.as_array().cloned());
    seen.insert(
        "thingGroupNames".to_owned(),
        sorted(names.unwrap_or_default()),
    );
    (seen.into(), expected.into())
}

fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("FLEET_CASES");
    let cases = cases.ok().and_then(|text| text.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(default),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(cases(20))]

    #[test]
    fn any_operations_any_queries(
        steps in prop::collection::vec((operation(), hub_query(), aws_query()), 1..60),
    ) {
        let store = memory();
        let fleet = open(store.clone(), 5);
        let mut things = json!({"thingIndexingMode": "OFF"});
        for (number, ((op, params), hub, aws)) in steps.iter().enumerate() {
            if number % 20 == 0 {
                things = configurations()[number / 20 % 2].clone();
                call(&fleet, "UpdateIndexingConfiguration", json!({"thingIndexingConfiguration": things, "thingGroupIndexingConfiguration": {"thingGroupIndexingMode": "ON"}})).unwrap();
            }
            // A refusal changes nothing, and the index says so.
            let _ = call(&fleet, op, params.clone());
            // Some answers come after several events at once.
            if number % 3 == 0 {
                check_hub(&fleet, hub);
                check_aws(&fleet, aws, &things);
            }
        }
        for document in documents(&fleet, Collection::Devices) {
            let (seen, expected) = shown(&fleet, &document);
            prop_assert_eq!(seen, expected);
        }
        for document in documents(&fleet, Collection::Modules) {
            let id = json!({"deviceId": document["deviceId"], "moduleId": document["moduleId"]});
            prop_assert_eq!(&document, &call(&fleet, "GetTwin", id).unwrap());
        }
        let again = open(store, 6);
        for collection in [Collection::Devices, Collection::Modules, Collection::Groups] {
            prop_assert_eq!(documents(&again, collection), documents(&fleet, collection));
        }
        for (_, hub, aws) in &steps {
            check_hub(&again, hub);
            check_aws(&again, aws, &things);
        }
    }
}

/// The first events of a store, as a store of their own.
fn prefix(store: &MemoryStore, to: u64) -> Arc<MemoryStore> {
    let copy = memory();
    let all = block_on(store.read_all(LogRead::after(Position(0)).limit(100_000))).unwrap();
    for recorded in all.events.iter().filter(|event| event.position.0 <= to) {
        let expected = Expected::Exact(StreamVersion(recorded.version.0 - 1));
        let event = recorded.event.clone();
        let append = Append::new(recorded.stream.clone(), expected, vec![event]);
        block_on(copy.append(append)).unwrap();
    }
    copy
}

fn ids(fleet: &Fleet, query: &Query) -> BTreeSet<String> {
    let all = documents(fleet, query.collection());
    let met = all.iter().map(Document::new);
    let met = met.filter(|document| query.matches(*document).is_true());
    met.map(|document| {
        let (first, second) = document.sort_key();
        if second.is_empty() {
            first.to_owned()
        } else {
            format!("{first}/{second}")
        }
    })
    .collect()
}

fn watched() -> Vec<Query> {
    let hub = |text| Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
    let aws = |text| Query::parse(text, Dialect::Aws, Mode::Lenient).unwrap();
    vec![
        hub("SELECT * FROM devices"),
        hub("SELECT * FROM devices WHERE tags.t = 'x' OR properties.desired.p > 3"),
        aws("attributes.site:eu"),
        aws("NOT attributes.site:us"),
        aws("thingGroupNames:a*"),
        hub("SELECT * FROM devices.modules WHERE tags.t != 'x'"),
    ]
}

proptest! {
    #![proptest_config(cases(8))]

    #[test]
    fn watched_sets_are_exact_after_every_event(
        steps in prop::collection::vec(operation(), 1..25),
        resume in 0..20_u64,
    ) {
        let store = memory();
        let fleet = open(store.clone(), 5);
        let queries = watched();
        for (number, query) in queries.iter().enumerate() {
            block_on(fleet.watch(&number.to_string(), query, None)).unwrap();
        }
        let mut crossings = Vec::new();
        let mut position = 0;
        for (number, (op, params)) in steps.iter().enumerate() {
            let _ = call(&fleet, op, params.clone());
            if number % 2 == 0 {
                let (reached, found) = block_on(fleet.crossings(position)).unwrap();
                position = reached;
                crossings.extend(found);
            }
        }
        let (head, found) = block_on(fleet.crossings(position)).unwrap();
        crossings.extend(found);
        prop_assert_eq!(&block_on(fleet.crossings(0)).unwrap().1, &crossings);
        let mut sets = vec![BTreeSet::<String>::new(); queries.len()];
        let resume = resume.min(head);
        let later = open(store.clone(), 6);
        for at in 0..=head {
            for crossing in crossings.iter().filter(|crossing| crossing.position == at) {
                let set = &mut sets[crossing.set.parse::<usize>().unwrap()];
                for id in &crossing.ids {
                    let moved = match crossing.side {
                        Side::Entered => set.insert(id.clone()),
                        Side::Left => set.remove(id),
                    };
                    prop_assert!(moved, "{crossing:?}");
                }
            }
            let oracle = open(prefix(&store, at), 6);
            for (query, set) in queries.iter().zip(&sets) {
                prop_assert_eq!(&ids(&oracle, query), set, "at {}", at);
            }
            if at == resume {
                for (number, query) in queries.iter().enumerate() {
                    let name = number.to_string();
                    let (from, now) = block_on(later.watch(&name, query, Some(at))).unwrap();
                    prop_assert_eq!(from, at);
                    prop_assert_eq!(&now.into_iter().collect::<BTreeSet<_>>(), &sets[number]);
                }
            }
        }
        crossings.retain(|crossing| crossing.position > resume);
        prop_assert_eq!(block_on(later.crossings(resume)).unwrap().1, crossings);
    }
}

#[test]
fn watches_end_and_say_what_they_cannot_do() {
    let fleet = open(memory(), 1);
    let query = &watched()[0];
    block_on(fleet.watch("all", query, None)).unwrap();
    call(&fleet, "CreateThing", json!({"thingName": "d"})).unwrap();
    assert_eq!(block_on(fleet.crossings(0)).unwrap().1.len(), 1);
    let late = block_on(fleet.watch("more", query, Some(0))).unwrap_err();
    assert_eq!(late.code, "query.crossings_forgotten");
    assert_eq!(block_on(fleet.crossings(0)).unwrap().1.len(), 1);
    let beyond = block_on(fleet.watch("more", query, Some(9))).unwrap_err();
    assert_eq!(beyond.code, "request.invalid");
    assert!(block_on(fleet.unwatch("all")));
    assert!(!block_on(fleet.unwatch("all")));
    let jobs = Query::parse("SELECT * FROM devices.jobs", Dialect::IotHub, Mode::Lenient).unwrap();
    let none = block_on(fleet.watch("jobs", &jobs, None)).unwrap_err();
    assert_eq!(none.code, "request.unsupported");
}

fn opened(store: &Arc<MemoryStore>, folder: &Path) -> Fleet {
    let mut options = Options::seeded(9);
    options.index_folder = Some(folder.to_owned());
    block_on(Fleet::open(store.clone(), options)).unwrap()
}

fn everything(fleet: &Fleet) -> Vec<Vec<Value>> {
    let all = [Collection::Devices, Collection::Modules, Collection::Groups];
    all.map(|collection| documents(fleet, collection)).into()
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn a_saved_index_is_opened_and_goes_on(
        before in prop::collection::vec(operation(), 1..60),
        after in prop::collection::vec(operation(), 0..30),
    ) {
        let (store, folder) = (memory(), tempfile::tempdir().unwrap());
        call(&open(store.clone(), 4), "CreateThing", json!({"thingName": "d0"})).unwrap();
        let first = opened(&store, folder.path());
        for (op, params) in before {
            let _ = call(&first, op, params);
        }
        prop_assert!(block_on(first.save_index()).unwrap());
        prop_assert!(!block_on(first.save_index()).unwrap());
        let saved = block_on(store.head()).unwrap().0;
        let writer = open(store.clone(), 7);
        for (op, params) in after {
            let _ = call(&writer, op, params);
        }
        let second = opened(&store, folder.path());
        prop_assert_eq!(everything(&second), everything(&open(store.clone(), 8)));
        prop_assert_eq!(block_on(second.index_origin()).opened_at, Some(saved));
    }
}

#[test]
fn damaged_and_foreign_files_are_never_taken() {
    let (store, folder) = (memory(), tempfile::tempdir().unwrap());
    let story = |name: &str| {
        vec![
            (
                "CreateThing",
                json!({"thingName": name, "attributePayload": {"attributes": {"a": "1"}}}),
            ),
            ("CreateThingGroup", json!({"thingGroupName": "g"})),
            (
                "AddThingToThingGroup",
                json!({"thingName": name, "thingGroupName": "g"}),
            ),
            (
                "CreateOrReplaceModule",
                json!({"deviceId": name, "moduleId": "m", "body": {}}),
            ),
        ]
    };
    let fleet = opened(&store, folder.path());
    for (op, params) in story("d") {
        call(&fleet, op, params).unwrap();
    }
    assert!(block_on(fleet.save_index()).unwrap());
    let expected = everything(&fleet);
    assert_eq!(everything(&opened(&store, folder.path())), expected);
    // The same seed and the same number of events, but another fleet.
    let (foreign, elsewhere) = (memory(), tempfile::tempdir().unwrap());
    let other = opened(&foreign, elsewhere.path());
    for (op, params) in story("e") {
        call(&other, op, params).unwrap();
    }
    assert!(block_on(other.save_index()).unwrap());

    let mut tried = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let whole = std::fs::read(&path).unwrap();
        let mut wrong = vec![
            whole[..whole.len() / 2].to_vec(),
            Vec::new(),
            [&whole[..], b"x"].concat(),
            std::fs::read(elsewhere.path().join(path.file_name().unwrap())).unwrap(),
        ];
        for at in (0..whole.len()).step_by(whole.len() / 12 + 1) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            wrong.push(flipped);
        }
        wrong.retain(|bytes| *bytes != whole);
        for bytes in wrong {
            std::fs::write(&path, &bytes).unwrap();
            let again = opened(&store, folder.path());
            assert_eq!(everything(&again), expected);
            let origin = block_on(again.index_origin());
            assert_eq!(origin.opened_at, None, "{}", path.display());
            assert!(origin.not_opened.is_some());
            tried += 1;
        }
        std::fs::write(&path, &whole).unwrap();
        let again = opened(&store, folder.path());
        assert_eq!(everything(&again), expected);
        assert!(block_on(again.index_origin()).opened_at.is_some());
    }
    assert!(tried > 40, "{tried}");
    // All files of the other fleet together, and none.
    for entry in std::fs::read_dir(elsewhere.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    assert_eq!(everything(&opened(&store, folder.path())), expected);
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert_eq!(everything(&opened(&store, folder.path())), expected);
}

#[test]
fn groups_are_queried_too() {
    let fleet = open(memory(), 1);
    let on = json!({"thingGroupIndexingConfiguration": {"thingGroupIndexingMode": "ON"}});
    call(&fleet, "UpdateIndexingConfiguration", on).unwrap();
    for (name, parent) in [("b", None), ("a", None), ("b1", Some("b"))] {
        let params = json!({"thingGroupName": name, "parentGroupName": parent});
        call(&fleet, "CreateThingGroup", params).unwrap();
    }
    let search = json!({"indexName": "AWS_ThingGroups", "queryString": "parentGroupNames:b"});
    let found = call(&fleet, "SearchIndex", search.clone()).unwrap();
    assert_eq!(found["thingGroups"][0]["thingGroupName"], "b1");
    call(&fleet, "DeleteThingGroup", json!({"thingGroupName": "b1"})).unwrap();
    let found = call(&fleet, "SearchIndex", search).unwrap();
    assert_eq!(found["thingGroups"], json!([]));
}
