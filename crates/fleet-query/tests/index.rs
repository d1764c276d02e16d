//! The index against the reference evaluator: random fleets, changes and conditions.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::panic,
    reason = "test code"
)]
mod fleet;

use fleet::model::Model;
use fleet::{cases, condition};
use fleet_generate::Random;
use fleet_query::aggregate::{
    AggregationField, FieldType, IndexFields, buckets, cardinality, percentiles, statistics,
};
use fleet_query::index::{self, Applied, Change, LiveSets, Partial, Side, Snapshot, WriterIndex};
use fleet_query::{Collection, Condition, Dialect, Document, Mode, Query, eval};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn devices() -> Model {
    Model::new(Collection::Devices, true)
}

fn step(r: &mut Random, model: &mut Model, index: &mut WriterIndex) {
    model.step(r, 40, |change| index.change(change));
}

/// The same index, saved and opened again.
fn reopened(index: &WriterIndex) -> WriterIndex {
    let mut file = Vec::new();
    index.save("fleet-1", &mut file).unwrap();
    WriterIndex::load("fleet-1", file.as_slice()).unwrap()
}

fn agree(snapshot: &Snapshot, model: &Model, condition: &Condition, seed: u64) {
    let expected = model.select(condition);
    let ids: Vec<String> = snapshot
        .ids(condition)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, expected, "seed {seed}: {condition:?}");
    assert_eq!(
        snapshot.count(condition).unwrap(),
        expected.len() as u64,
        "seed {seed}: {condition:?}"
    );
}

#[test]
fn the_index_answers_as_the_reference_at_every_step() {
    for seed in 0..cases(150) {
        let mut r = Random::new(seed, 1);
        let (mut model, mut index) = (devices(), WriterIndex::new(Collection::Devices));
        let mut held: Vec<(Snapshot, Model)> = Vec::new();
        for _ in 0..r.below(60) + 5 {
            step(&mut r, &mut model, &mut index);
            if r.chance(100) {
                held.push((index.snapshot(), model.clone()));
            }
            if r.chance(60) {
                index = reopened(&index);
            }
            if r.chance(300) {
                agree(&index.snapshot(), &model, &condition(&mut r), seed);
            }
        }
        held.push((index.snapshot(), model));
        // Snapshots taken on the way still show what they showed.
        for (snapshot, model) in &held {
            assert_eq!(snapshot.len(), model.documents.len(), "seed {seed}");
            for (id, document) in &model.documents {
                assert_eq!(
                    snapshot.own_document(id).as_ref(),
                    Some(document),
                    "seed {seed}"
                );
                assert_eq!(
                    snapshot.document(id),
                    Some(model.effective(id)),
                    "seed {seed}"
                );
            }
            for _ in 0..4 {
                agree(snapshot, model, &condition(&mut r), seed);
            }
        }
    }
}

#[test]
fn a_fleet_of_several_chunks_answers_as_the_reference() {
    for seed in 0..cases(2).div_ceil(50) {
        let mut index = WriterIndex::new(Collection::Devices);
        let twins: Vec<Value> = (0..9_000)
            .map(|n| {
                let text = fleet_generate::twin(seed, n);
                index.change(&Change::Put { document: &text }).unwrap();
                serde_json::from_str(&text).unwrap()
            })
            .collect();
        let snapshot = index.snapshot();
        for twin in twins.iter().step_by(97) {
            assert_eq!(
                snapshot
                    .document(twin["deviceId"].as_str().unwrap())
                    .as_ref(),
                Some(twin)
            );
        }
        for text in [
            "SELECT tags.region, COUNT() AS n, AVG(properties.reported.temp) AS t, SUM(properties.reported.battery) AS b FROM devices GROUP BY tags.region",
            "SELECT tags.ring, COUNT() AS n, MIN(properties.reported.rssi) AS r, AVG(properties.reported.temp) AS t FROM devices WHERE status = 'enabled' GROUP BY tags.ring",
            "SELECT tags.customer, COUNT() AS n, AVG(properties.reported.temp) AS t FROM devices GROUP BY tags.customer",
            "SELECT COUNT() AS n, AVG(properties.reported.temp) AS t FROM devices WHERE tags.region != 'us-east'",
            "SELECT properties.reported.battery, COUNT() AS n FROM devices GROUP BY properties.reported.battery",
            "SELECT TOP 100 deviceId, tags.region FROM devices WHERE tags.region = 'us-east'",
        ] {
            let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
            assert_eq!(snapshot.rows(&query).unwrap(), query.run(&twins), "{text}");
        }
        for condition in conditions() {
            let expected: Vec<&str> = twins
                .iter()
                .filter(|twin| eval::eval(&condition, Document::new(twin)).is_true())
                .map(|twin| twin["deviceId"].as_str().unwrap())
                .collect();
            let ids: Vec<String> = snapshot
                .ids(&condition)
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(ids, expected, "{condition:?}");
            assert_eq!(
                snapshot.count(&condition).unwrap(),
                expected.len() as u64,
                "{condition:?}"
            );
        }
    }
}

fn conditions() -> Vec<Condition> {
    use fleet_query::predicate::Predicate as P;
    use fleet_query::profile::IOT_HUB;
    use fleet_query::value::{CompareOp as Op, Scalar as S};
    let path = |text: &str| fleet_query::FieldPath::of(text.split('.'));
    let is = |at: &str, op, value| P::Compare {
        path: path(at),
        op,
        value,
    };
    let text = |t: &str| S::Text(t.into());
    [
        is("deviceId", Op::Eq, text("dev-0004711")),
        is("tags.region", Op::Eq, text("eu-west")),
        is("tags.customer", Op::Eq, text("c-00042")),
        is("properties.reported.serial", Op::Eq, text("00000000776YA0")),
        is("properties.reported.battery", Op::Lt, S::Number(20.0)),
        P::Not(Box::new(is(
            "properties.reported.battery",
            Op::Lt,
            S::Number(20.0),
        ))),
        is("properties.reported.temp", Op::Ge, S::Number(61.5)),
        is("tags.ring", Op::Ne, text("stable")),
        P::Defined {
            path: path("properties.reported.x017"),
        },
        P::Not(Box::new(P::Defined {
            path: path("tags.floor"),
        })),
        P::And(vec![
            is("tags.region", Op::Eq, text("us-east")),
            is("status", Op::Eq, text("enabled")),
            is("properties.reported.rssi", Op::Gt, S::Number(-60.0)),
        ]),
        P::And(vec![
            is("properties.reported.temp", Op::Ge, S::Number(20.0)),
            is("tags.ring", Op::Ne, text("beta")),
            is("properties.reported.temp", Op::Lt, S::Number(35.25)),
        ]),
        P::Or(vec![
            is("tags.region", Op::Eq, text("us-east")),
            is("properties.reported.load.0", Op::Gt, S::Number(3.0)),
            is("properties.reported.network.type", Op::Eq, text("lte")),
        ]),
        P::In {
            path: path("tags.site"),
            values: (0..60)
                .map(|n| text(&format!("site-{:04}", n * 3)))
                .collect(),
            membership: fleet_query::expression::Membership::In,
        },
        is("properties.reported.battery", Op::Eq, text("unknown")),
        is("lastActivityTime", Op::Lt, text("2026-01-15")),
    ]
    .into_iter()
    .map(|predicate| Condition::new(&IOT_HUB, predicate))
    .collect()
}

const QUERIES: [&str; 14] = [
    "SELECT * FROM devices",
    "SELECT * FROM devices WHERE tags.a = 'a' OR NOT is_defined(tags.b)",
    "SELECT TOP 3 deviceId, tags.a AS x, properties.reported.n FROM devices WHERE tags.n != 75",
    "SELECT deviceId, attributes.load, tags FROM devices WHERE attributes.load > 10",
    "SELECT COUNT() AS n FROM devices WHERE properties.reported.n IN [75, 'a', 1]",
    "SELECT COUNT() AS n, SUM(properties.reported.n) AS s, AVG(tags.n) AS a, MIN(tags.n) AS l, MAX(tags.n) AS g FROM devices",
    "SELECT tags.a, COUNT() AS n, AVG(properties.reported.n) AS avg, SUM(tags.b) FROM devices GROUP BY tags.a",
    "SELECT TOP 2 attributes.load, COUNT() AS n, MAX(tags.n) FROM devices GROUP BY attributes.load",
    "SELECT tags.n, SUM(tags.n) AS s FROM devices WHERE tags.a != 'b' GROUP BY tags.n",
    "SELECT properties.reported, COUNT() AS n FROM devices GROUP BY properties.reported",
    "SELECT tags.a[0], COUNT() AS n FROM devices GROUP BY tags.a[0]",
    "SELECT deviceId FROM devices WHERE STARTSWITH(tags.a, 'a') AND tags.b[1] = 'a'",
    "SELECT * FROM devices WHERE ARRAY_CONTAINS(tags.a, 'a')",
    "SELECT nothing, COUNT() AS n FROM devices GROUP BY nothing",
];

#[test]
fn rows_and_aggregations_are_the_references_for_every_split() {
    for seed in 0..cases(60) {
        let mut r = Random::new(seed, 2);
        let (mut model, mut index) = (devices(), WriterIndex::new(Collection::Devices));
        for _ in 0..r.below(80) + 5 {
            step(&mut r, &mut model, &mut index);
        }
        let snapshot = index.snapshot();
        let documents: Vec<Value> = model
            .documents
            .keys()
            .map(|id| model.effective(id))
            .collect();
        // A split in partitions: documents are whole, what they inherit included.
        let count = 1 + r.below(4) as usize;
        let mut partitions: Vec<WriterIndex> = (0..count)
            .map(|_| WriterIndex::new(Collection::Devices))
            .collect();
        let mut shuffled: Vec<&Value> = documents.iter().collect();
        shuffled.sort_by_cached_key(|_| r.next_u64());
        for document in shuffled {
            let at = r.below(count as u64) as usize;
            partitions[at].put_value(document).unwrap();
        }
        for text in QUERIES {
            let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
            let expected = query.run(&documents);
            assert_eq!(
                snapshot.rows(&query).unwrap(),
                expected,
                "seed {seed}: {text}"
            );
            let parts: Vec<Option<Partial>> = partitions
                .iter()
                .map(|part| Some(part.snapshot().partial(&query).unwrap()))
                .collect();
            let merged = index::merge(&query, parts);
            assert_eq!(
                merged.rows, expected,
                "seed {seed}, {count} partitions: {text}"
            );
            assert!(merged.missing.is_empty());
        }
        let custom: IndexFields = [
            ("attributes.load", FieldType::Number),
            ("attributes.site", FieldType::String),
            ("shadow.reported.n", FieldType::Number),
            ("shadow.reported.t", FieldType::Boolean),
        ]
        .into_iter()
        .map(|(name, kind)| (name.to_owned(), kind))
        .collect();
        for text in [
            "*",
            "attributes.load:*",
            "NOT attributes.site:a",
            "shadow.reported.n>10",
            "attributes.a:a*",
            "75",
        ] {
            let query = Query::parse(text, Dialect::Aws, Mode::Lenient).unwrap();
            assert_eq!(
                snapshot.rows(&query).unwrap(),
                query.run(&documents),
                "seed {seed}: {text}"
            );
            for name in custom.keys() {
                let field = AggregationField::resolve(name, &custom, Collection::Devices).unwrap();
                let context = format!("seed {seed}: {text} over {name}");
                assert_eq!(
                    snapshot.statistics(&query, &field).unwrap(),
                    statistics(&query, &field, &documents),
                    "{context}"
                );
                assert_eq!(
                    snapshot.cardinality(&query, &field).unwrap(),
                    cardinality(&query, &field, &documents),
                    "{context}"
                );
                assert_eq!(
                    snapshot.buckets(&query, &field, 5).unwrap(),
                    buckets(&query, &field, 5, &documents).unwrap(),
                    "{context}"
                );
                let percents = [0.0, 33.0, 50.0, 100.0];
                assert_eq!(
                    snapshot.percentiles(&query, &field, &percents).ok(),
                    percentiles(&query, &field, &percents, &documents).ok(),
                    "{context}"
                );
            }
        }
    }
}

#[test]
fn a_partition_that_is_away_is_named() {
    let mut index = WriterIndex::new(Collection::Devices);
    index
        .apply(
            7,
            None,
            &Change::Put {
                document: r#"{"deviceId":"a"}"#,
            },
        )
        .unwrap();
    let query = Query::parse("SELECT * FROM devices", Dialect::IotHub, Mode::Lenient).unwrap();
    let merged = index::merge(
        &query,
        vec![None, Some(index.snapshot().partial(&query).unwrap())],
    );
    assert_eq!(
        (merged.missing, merged.positions, merged.rows.rows.len()),
        (vec![0], vec![None, Some(7)], 1)
    );
}

#[test]
fn live_sets_are_what_recomputing_gives() {
    for seed in 0..cases(60) {
        let mut r = Random::new(seed, 3);
        let (mut model, mut index, mut live) = (
            devices(),
            WriterIndex::new(Collection::Devices),
            LiveSets::new(1_000_000),
        );
        let mut sets: Vec<(String, Condition, BTreeSet<String>)> = Vec::new();
        let mut position = 0;
        for _ in 0..r.below(60) + 10 {
            if r.chance(150) {
                let (name, condition) = (format!("set-{}", sets.len()), condition(&mut r));
                let now = live.watch(&name, &condition, &index).unwrap();
                assert_eq!(now, model.select(&condition), "seed {seed}");
                sets.push((name, condition, now.into_iter().collect()));
            }
            let seen = position;
            position += 1 + r.below(3);
            model.step(&mut r, 40, |change| {
                live.apply(&mut index, position, None, change).map(|_| ())
            });
            for crossing in live.since(seen).unwrap() {
                let Some((_, _, members)) =
                    sets.iter_mut().find(|(name, ..)| **name == *crossing.set)
                else {
                    continue;
                };
                for id in &crossing.ids {
                    let changed = match crossing.side {
                        Side::Entered => members.insert(id.clone()),
                        Side::Left => members.remove(id),
                    };
                    assert!(changed, "seed {seed}: {crossing:?} says nothing new");
                }
            }
            for (name, condition, members) in &sets {
                let expected: BTreeSet<String> = model.select(condition).into_iter().collect();
                assert_eq!(*members, expected, "seed {seed}: {name} {condition:?}");
            }
        }
    }
}

#[test]
fn a_reader_of_a_live_set_learns_that_it_came_too_late() {
    let (mut index, mut live) = (WriterIndex::new(Collection::Devices), LiveSets::new(1));
    let all = Query::parse("SELECT * FROM devices", Dialect::IotHub, Mode::Lenient).unwrap();
    live.watch("all", all.condition(), &index).unwrap();
    for (at, id) in ["a", "b"].iter().enumerate() {
        let document = json!({ "deviceId": id }).to_string();
        live.apply(
            &mut index,
            at as u64 + 1,
            None,
            &Change::Put {
                document: &document,
            },
        )
        .unwrap();
    }
    assert_eq!(
        live.since(0).unwrap_err().code(),
        "query.crossings_forgotten"
    );
    assert_eq!(live.since(1).unwrap().len(), 1);
}

#[test]
fn a_saved_index_that_is_cut_flipped_or_foreign_is_refused() {
    let mut index = WriterIndex::new(Collection::Devices);
    for n in 0..300 {
        index
            .change(&Change::Put {
                document: &fleet_generate::twin(5, n),
            })
            .unwrap();
    }
    let mut file = Vec::new();
    index.save("fleet-1", &mut file).unwrap();
    let code = |fleet: &str, bytes: &[u8]| {
        WriterIndex::load(fleet, bytes)
            .map(|_| ())
            .unwrap_err()
            .code()
    };
    assert_eq!(code("fleet-2", &file), "query.index_damaged");
    let mut r = Random::new(1, 1);
    for _ in 0..cases(200) {
        let at = r.below(file.len() as u64) as usize;
        assert_eq!(
            code("fleet-1", &file[..at]),
            "query.index_damaged",
            "cut at {at}"
        );
        let mut flipped = file.clone();
        flipped[at] ^= 1 << r.below(8);
        assert_eq!(
            code("fleet-1", &flipped),
            "query.index_damaged",
            "flipped at {at}"
        );
    }
    file.push(0);
    assert_eq!(code("fleet-1", &file), "query.index_damaged");
}

#[test]
fn events_come_in_order_or_are_refused() {
    let mut index = WriterIndex::new(Collection::Devices);
    let put = Change::Put {
        document: r#"{"deviceId":"a","tags":{"n":1}}"#,
    };
    let patch = Change::Patch {
        id: "a",
        patch: r#"{"tags":{"n":2}}"#,
    };
    assert_eq!(index.apply(3, Some(1), &put).unwrap(), Applied::Changed);
    assert_eq!(index.apply(3, Some(2), &patch).unwrap(), Applied::Ignored);
    assert_eq!(index.apply(2, Some(2), &patch).unwrap(), Applied::Ignored);
    assert_eq!(
        index.apply(5, Some(3), &patch).unwrap_err().code(),
        "query.version_gap"
    );
    assert_eq!(index.position(), 3);
    assert_eq!(index.apply(5, Some(2), &patch).unwrap(), Applied::Changed);
    assert_eq!((index.position(), index.ignored()), (5, 2));
    assert_eq!(index.snapshot().document("a").unwrap()["tags"]["n"], 2);
}

#[test]
fn refused_changes_leave_the_fleet_as_it_was() {
    let mut index = WriterIndex::new(Collection::Devices);
    index
        .change(&Change::Put {
            document: r#"{"deviceId":"a","tags":{"n":1,"n":2}}"#,
        })
        .unwrap();
    let before = index.snapshot().document("a").unwrap();
    assert_eq!(before["tags"]["n"], 2);
    let deep = format!(
        r#"{{"deviceId":"a","x":{}1{}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    for (document, expected) in [
        ("{", "query.invalid_document"),
        ("[]", "query.invalid_document"),
        (r#"{"deviceId":5}"#, "query.invalid_document"),
        (r#"{"tags":{}}"#, "query.invalid_document"),
        (r#"{"deviceId":"a","x":01}"#, "query.invalid_document"),
        (r#"{"deviceId":"a","x":1e999}"#, "query.invalid_document"),
        (r#"{"deviceId":"a","x":"\ud800"}"#, "query.invalid_document"),
        (r#"{"deviceId":"a"} x"#, "query.invalid_document"),
        (&deep, "query.invalid_document"),
    ] {
        assert_eq!(
            index.change(&Change::Put { document }).unwrap_err().code(),
            expected,
            "{document}"
        );
    }
    for (patch, expected) in [
        (r#"{"deviceId":"b"}"#, "query.renamed_document"),
        (r#"{"deviceId":null}"#, "query.renamed_document"),
        ("1", "query.invalid_document"),
    ] {
        assert_eq!(
            index
                .change(&Change::Patch { id: "a", patch })
                .unwrap_err()
                .code(),
            expected
        );
    }
    assert_eq!(index.snapshot().document("a").unwrap(), before);
}

#[test]
fn modules_are_ordered_by_device_then_module() {
    let mut index = WriterIndex::new(Collection::Modules);
    for (device, module) in [("a-b", "m"), ("a", "z"), ("a", "b")] {
        let document = json!({"deviceId": device, "moduleId": module, "tags": {"x": module}});
        index.put_value(&document).unwrap();
        assert_eq!(
            index.snapshot().document(&format!("{device}/{module}")),
            Some(document)
        );
    }
    let query = Query::parse(
        "SELECT * FROM devices.modules WHERE deviceId != 'q'",
        Dialect::IotHubModules,
        Mode::Lenient,
    )
    .unwrap();
    let snapshot = index.snapshot();
    let ids: Vec<String> = snapshot
        .ids(query.condition())
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, ["a/b", "a/z", "a-b/m"]);
}

#[test]
fn a_query_stops_at_its_budget() {
    let mut index = WriterIndex::new(Collection::Devices);
    for n in 0..500 {
        index
            .change(&Change::Put {
                document: &fleet_generate::twin(5, n),
            })
            .unwrap();
    }
    let query = Query::parse(
        "SELECT * FROM devices WHERE tags.region = 'eu-west'",
        Dialect::IotHub,
        Mode::Lenient,
    )
    .unwrap();
    let snapshot = index.snapshot();
    assert!(snapshot.count(query.condition()).unwrap() > 0);
    let poor = snapshot.with_budget(100);
    assert_eq!(
        poor.count(query.condition()).unwrap_err().code(),
        "query.cost_exceeded"
    );
}

#[test]
fn a_plan_reads_well() {
    let mut index = WriterIndex::new(Collection::Devices);
    for n in 0..200 {
        index
            .change(&Change::Put {
                document: &fleet_generate::twin(5, n),
            })
            .unwrap();
    }
    let text = "SELECT * FROM devices WHERE tags.region = 'eu-west' AND NOT properties.reported.battery < 50 AND is_defined(tags.floor)";
    let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
    insta::assert_snapshot!(index.snapshot().explain(query.condition()).unwrap());
}

#[test]
fn texts_of_few_rows_are_found_by_a_table_that_is_kept_up() {
    let mut r = Random::new(1, 4);
    let mut index = WriterIndex::new(Collection::Devices);
    let line = |n: u64, of: u64, serial: u64| {
        format!(r#"{{"deviceId":"dev-{n:05}","tags":{{"of":"c-{of}","serial":"s-{serial:09}"}}}}"#)
    };
    let mut held: Vec<(u64, u64)> = (0..70_000).map(|n| (n % 3_000, n)).collect();
    let lines: Vec<String> = (0..)
        .zip(&held)
        .map(|(n, (of, serial))| line(n, *of, *serial))
        .collect();
    index.put_all(lines.iter().map(String::as_str)).unwrap();
    for round in 0..60 {
        let n = r.below(70_000);
        held[n as usize] = (r.below(3_000), r.below(70_000));
        let (of, serial) = held[n as usize];
        let document = line(n, of, serial);
        index
            .change(&Change::Put {
                document: &document,
            })
            .unwrap();
        if round % 10 == 9 {
            index
                .change(&Change::Delete {
                    id: &format!("dev-{n:05}"),
                })
                .unwrap();
            held[n as usize] = (u64::MAX, u64::MAX);
        }
        let ids = |is: &dyn Fn(&(u64, u64)) -> bool| -> Vec<String> {
            (0..70_000)
                .filter(|n: &usize| is(&held[*n]))
                .map(|n| format!("dev-{n:05}"))
                .collect()
        };
        let (wanted, other) = (r.below(3_000), serial);
        let snapshot = index.snapshot();
        for (filter, expected) in [
            (
                format!("tags.of = 'c-{wanted}'"),
                ids(&|(of, _)| *of == wanted),
            ),
            (
                format!("tags.serial = 's-{other:09}'"),
                ids(&|(_, s)| *s == other),
            ),
            (
                format!("tags.of IN ['c-{wanted}', 'c-7'] AND tags.serial != 's-{other:09}'"),
                ids(&|(of, s)| (*of == wanted || *of == 7) && *s != other),
            ),
        ] {
            let text = format!("SELECT * FROM devices WHERE {filter}");
            let query = Query::parse(&text, Dialect::IotHub, Mode::Lenient).unwrap();
            let found = snapshot.ids(query.condition()).unwrap();
            let found: Vec<String> = found.iter().map(ToString::to_string).collect();
            assert_eq!(found, expected, "round {round}: {filter}");
            assert_eq!(
                snapshot.count(query.condition()).unwrap(),
                expected.len() as u64
            );
            let plan = snapshot.explain(query.condition()).unwrap();
            let by_table = plan.contains("table of the texts");
            assert!(by_table || round == 0, "{plan}");
        }
    }
}

#[test]
fn rare_paths_and_metadata_take_memory_where_they_are() {
    let fleet = |rare: bool| {
        let mut index = WriterIndex::new(Collection::Devices);
        let lines: Vec<String> = (0..20_000)
            .map(|n| {
                let rare = match rare && n % 20 == 0 {
                    true => format!(r#","r{}":{n}"#, n / 20 % 300),
                    false => String::new(),
                };
                format!(r#"{{"deviceId":"dev-{n:05}","properties":{{"reported":{{"n":{},"$metadata":{{"n":{{"$lastUpdated":"2026-01-01T00:00:{:02}Z"}}}}{rare}}}}}}}"#, n % 9, n % 60)
            })
            .collect();
        index.put_all(lines.iter().map(String::as_str)).unwrap();
        index.shrink();
        index
    };
    let (plain, rare) = (fleet(false), fleet(true));
    // A thousand cells on three hundred paths, each on three or four devices.
    let each = (rare.bytes() - plain.bytes()) / 1_000;
    assert!(each < 700, "{each} bytes per rare cell");
    let metadata = plain.metadata_bytes();
    assert!(metadata > 20_000 && metadata < plain.bytes(), "{metadata}");
}

/// Many changes at once end at the first that is refused, with all before it and none after it applied.
#[test]
fn a_stream_of_changes_ends_at_the_first_that_is_refused() {
    let put = |document| Change::Put { document };
    let patch = |id, patch| Change::Patch { id, patch };
    for (bad, code) in [
        (patch("nobody", r#"{"n":1}"#), "query.not_found"),
        (patch("a", r#"{"deviceId":"z"}"#), "query.renamed_document"),
        (patch("a", "{"), "query.invalid_document"),
        (put(r#"{"n":1}"#), "query.invalid_document"),
        (put("[]"), "query.invalid_document"),
        (Change::Delete { id: "nobody" }, "query.not_found"),
    ] {
        let changes = [
            put(r#"{"deviceId":"a","n":0,"t":"\u0061","gone":true}"#),
            put(r#"{"deviceId":"b","n":0}"#),
            put(r#"{"deviceId":"a","n":1,"t":"\u0062"}"#),
            // Named twice: the last one counts.
            patch("b", r#"{"n":1,"n":2}"#),
            put(r#"{"deviceId":"c","n":5}"#),
            Change::Delete { id: "b" },
            put(r#"{"deviceId":"b","n":3}"#),
            bad,
            put(r#"{"deviceId":"d","n":4}"#),
        ];
        let mut index = WriterIndex::new(Collection::Devices);
        for _ in 0..2 {
            assert_eq!(index.change_all(changes).unwrap_err().code(), code);
            let documents: Vec<Value> = index.snapshot().documents().collect();
            let expected = [
                json!({"deviceId": "a", "n": 1, "t": "b"}),
                json!({"deviceId": "b", "n": 3}),
                json!({"deviceId": "c", "n": 5}),
            ];
            assert_eq!(documents, expected, "{code}");
        }
    }
    let mut index = WriterIndex::new(Collection::Devices);
    assert_eq!(index.change_all([]), Ok(0));
}
