//! Import, query, export and verification over a fleet.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use fleet_model::kernel::{EventType, StreamName};
use fleet_query::{Dialect, Mode, Query};
use fleet_sdk::import::{Existing, Fate, ImportOptions, ImportReport, ImportWatch};
use fleet_sdk::{CallError, Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::EventStore;
use pollster::block_on;
use serde_json::{Value, json};
use std::sync::Arc;

fn memory() -> Arc<MemoryStore> {
    let start = Options::seeded(1).clock.now();
    Arc::new(MemoryStore::new(
        "default".parse().unwrap(),
        Arc::new(move || start),
    ))
}

fn open(store: Arc<dyn EventStore>, seed: u64) -> Fleet {
    block_on(Fleet::open(store, Options::seeded(seed))).unwrap()
}

fn ops() -> Caller {
    Caller::new("user:ops".parse().unwrap())
}

#[derive(Default)]
struct Heard {
    refused: Vec<(u64, String)>,
    done: Vec<(u64, Fate)>,
}

impl ImportWatch for Heard {
    fn refused(&mut self, line: u64, error: &CallError) {
        self.refused.push((line, error.code.to_string()));
    }
    fn done(&mut self, line: u64, _: &str, fate: Fate) {
        self.done.push((line, fate));
    }
}

fn import(fleet: &Fleet, lines: &[String], options: ImportOptions) -> (ImportReport, Heard) {
    let mut heard = Heard::default();
    let lines = lines.iter().cloned().map(Ok).collect::<Vec<_>>();
    let report = block_on(fleet.import(lines, &ops(), options, &mut heard)).unwrap();
    (report, heard)
}

fn generated(count: u64) -> Vec<String> {
    (0..count).map(|n| fleet_generate::twin(7, n)).collect()
}

#[test]
fn imports_resume_without_duplicates() {
    let store = memory();
    let lines = generated(120);
    let (first, _) = import(
        &open(store.clone(), 1),
        &lines[..70],
        ImportOptions::default(),
    );
    assert_eq!((first.created, first.present), (70, 0));
    let head = block_on(store.head()).unwrap();
    let (again, _) = import(
        &open(store.clone(), 2),
        &lines[..70],
        ImportOptions::default(),
    );
    assert_eq!((again.created, again.present, again.refused), (0, 70, 0));
    assert_eq!(block_on(store.head()).unwrap(), head);
    let (rest, _) = import(&open(store.clone(), 3), &lines, ImportOptions::default());
    assert_eq!((rest.created, rest.present, rest.refused), (50, 70, 0));
}

#[test]
fn bad_lines_are_told_and_passed_over() {
    let fleet = open(memory(), 1);
    let lines = [
        r#"{"deviceId":"a","tags":{"x":1}}"#,
        "",
        "{",
        "[]",
        r#"{"tags":{}}"#,
        r#"{"deviceId":"b","tags":{"a.b":1}}"#,
        r#"{"deviceId":"c d"}"#,
        r#"{"deviceId":"a","tags":{"x":2}}"#,
        r#"{"thingName":"e","attributes":{"site":"b2"},"shadow":{"reported":{"t":1}}}"#,
    ]
    .map(str::to_owned);
    let (report, heard) = import(&fleet, &lines, ImportOptions::default());
    assert_eq!((report.lines, report.created, report.refused), (8, 2, 6));
    let codes: Vec<_> = heard
        .refused
        .iter()
        .map(|(line, code)| (*line, code.as_str()))
        .collect();
    assert_eq!(
        codes,
        [
            (3, "import.malformed"),
            (4, "import.malformed"),
            (5, "import.malformed"),
            (6, "twin.invalid_key"),
            (7, "id.invalid"),
            (8, "thing.already_exists"),
        ]
    );
    let mut replace = ImportOptions::default();
    replace.existing = Existing::Replace;
    let (report, _) = import(&fleet, &lines[7..8], replace);
    assert_eq!(report.replaced, 1);
    let twin = block_on(fleet.call_json("GetTwin", json!({"deviceId": "a"}), &ops()));
    assert_eq!(twin.result.unwrap()["tags"], json!({"x": 2}));
}

#[test]
fn a_dry_run_judges_each_line_after_those_before_it() {
    let store = memory();
    let fleet = open(store.clone(), 1);
    let lines = [
        r#"{"thingName":"a","attributes":{"site":"b2"}}"#,
        r#"{"deviceId":"a","tags":{"x":1}}"#,
        r#"{"deviceId":"b","tags":{"x":1}}"#,
        r#"{"deviceId":"b","tags":{"x":1}}"#,
        r#"{"thingName":"c","thingGroupNames":["nowhere"]}"#,
    ]
    .map(str::to_owned);
    let run = |dry_run: bool| {
        let mut options = ImportOptions::default();
        options.dry_run = dry_run;
        let (report, heard) = import(&fleet, &lines, options);
        let counts = (report.created, report.present, report.refused);
        (counts, heard.done, heard.refused)
    };
    let head = block_on(store.head()).unwrap();
    let said = run(true);
    assert_eq!(block_on(store.head()).unwrap(), head);
    assert_eq!(said.0, (2, 1, 2), "{said:?}");
    assert_eq!(said, run(false), "what was said is what happens");
}

#[test]
fn a_dry_run_records_nothing() {
    let store = memory();
    let fleet = open(store.clone(), 1);
    let mut dry = ImportOptions::default();
    dry.dry_run = true;
    let (report, heard) = import(&fleet, &generated(5), dry);
    assert_eq!((report.created, heard.done.len()), (5, 5));
    assert_eq!(block_on(store.head()).unwrap().0, 0);
}

#[test]
fn the_store_answers_queries_as_the_file_does() {
    let fleet = open(memory(), 1);
    let lines = generated(400);
    import(&fleet, &lines, ImportOptions::default());
    let documents: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for text in [
        "SELECT deviceId FROM devices WHERE tags.region = 'eu-west'",
        "SELECT deviceId FROM devices WHERE properties.reported.battery < 20 AND tags.ring = 'beta'",
        "SELECT deviceId FROM devices WHERE NOT is_defined(properties.reported.battery)",
        "SELECT deviceId FROM devices WHERE is_string(properties.reported.battery)",
        "SELECT COUNT() AS n, tags.region FROM devices GROUP BY tags.region",
        "SELECT TOP 5 deviceId FROM devices WHERE properties.desired.interval >= 60",
    ] {
        let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
        let expected = query.run(&documents).values();
        assert_eq!(
            block_on(fleet.query(&query)).unwrap().values(),
            expected,
            "{text}"
        );
        let mut paged = Vec::new();
        let mut token = Value::Null;
        loop {
            let outcome = block_on(fleet.call_json(
                "QueryTwins",
                json!({"query": text, "maxItemCount": 7, "continuationToken": token}),
                &ops(),
            ));
            let page = outcome.result.unwrap();
            paged.extend(page["items"].as_array().unwrap().clone());
            match page.get("continuationToken") {
                Some(next) => token = next.clone(),
                None => break,
            }
        }
        assert_eq!(paged, expected, "{text}");
    }
}

#[test]
fn an_export_imports_to_the_same_export() {
    let fleet = open(memory(), 1);
    for (op, params) in [
        (
            "CreateThingGroup",
            json!({"thingGroupName": "plant", "thingGroupProperties": {"attributePayload": {"attributes": {"site": "b2"}}}}),
        ),
        (
            "CreateThing",
            json!({"thingName": "press-7", "attributePayload": {"attributes": {"rev": "3"}}}),
        ),
        (
            "AddThingToThingGroup",
            json!({"thingName": "press-7", "thingGroupName": "plant"}),
        ),
        (
            "UpdateTwin",
            json!({"deviceId": "press-7", "body": {"tags": {"a": 1}}}),
        ),
    ] {
        block_on(fleet.call_json(op, params, &ops()))
            .result
            .unwrap();
    }
    let export = |fleet: &Fleet| {
        let mut lines = Vec::new();
        block_on(fleet.export(&mut |line| {
            lines.push(line.to_owned());
            Ok(())
        }))
        .unwrap();
        lines
    };
    let lines = export(&fleet);
    let document: Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(document["attributes"], json!({"rev": "3"}));
    let copy = open(memory(), 2);
    block_on(copy.call_json(
        "CreateThingGroup",
        json!({"thingGroupName": "plant"}),
        &ops(),
    ))
    .result
    .unwrap();
    let (report, _) = import(&copy, &lines, ImportOptions::default());
    assert_eq!(report.created, 1);
    let copied: Value = serde_json::from_str(&export(&copy)[0]).unwrap();
    for member in ["deviceId", "attributes", "thingGroupNames", "tags"] {
        assert_eq!(copied[member], document[member], "{member}");
    }
}

/// What a newer program wrote is neither guessed nor passed over: loads and read models stop at it.
#[test]
fn events_of_a_newer_program_stop_loads_and_read_models() {
    for (event_type, schema, code) in [
        ("thing.created", 2, "kernel.unknown_schema"),
        ("thing.repainted", 1, "kernel.unknown_type"),
    ] {
        let store = memory();
        let fleet = open(store.clone(), 1);
        import(&fleet, &generated(3), ImportOptions::default());
        let read = fleet_store::port::LogRead::after(fleet_model::kernel::Position::ZERO);
        let page = block_on(store.read_all(read)).unwrap();
        let first = &page.events[0];
        let mut newer = first.event.clone();
        newer.id = uuid::Uuid::from_u128(9).into();
        newer.event_type = event_type.parse::<EventType>().unwrap();
        newer.schema = schema;
        let append = fleet_store::port::Append::new(
            first.stream.clone(),
            fleet_store::port::Expected::Any,
            vec![newer],
        );
        block_on(store.append(append)).unwrap();
        let name = first.stream.as_str().strip_prefix("thing-").unwrap();
        for (op, params) in [
            ("UpdateThing", json!({"thingName": name})),
            ("ListThings", json!({})),
            ("QueryTwins", json!({"query": "SELECT * FROM devices"})),
        ] {
            let outcome = block_on(fleet.call_json(op, params, &ops()));
            assert_eq!(outcome.result.unwrap_err().code, code, "{op}");
        }
    }
}

#[test]
fn verification_finds_foreign_events() {
    let store = memory();
    let fleet = open(store.clone(), 1);
    import(&fleet, &generated(20), ImportOptions::default());
    let mut pages = 0;
    let report = block_on(fleet.verify(&mut |_| pages += 1)).unwrap();
    assert_eq!(
        (report.problems.len(), report.events, report.streams),
        (0, 40, 40)
    );
    assert!(pages > 0);
    let page = block_on(store.read_all(fleet_store::port::LogRead::after(
        fleet_model::kernel::Position::ZERO,
    )))
    .unwrap();
    let mut foreign = page.events[0].event.clone();
    foreign.id = uuid::Uuid::from_u128(9).into();
    foreign.event_type = "spoon.bent".parse::<EventType>().unwrap();
    let stream = "spoon-1".parse::<StreamName>().unwrap();
    block_on(store.append(fleet_store::port::Append::new(
        stream,
        fleet_store::port::Expected::NoStream,
        vec![foreign],
    )))
    .unwrap();
    let report = block_on(fleet.verify(&mut |_| ())).unwrap();
    assert_eq!(report.problems[0].code, "kernel.unknown_type");
    assert_eq!(report.problems[0].position, Some(41));
}
