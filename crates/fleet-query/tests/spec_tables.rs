//! The worked examples of the specifications, each row of `tests/tables/*.json` a case.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use fleet_query::aggregate::{self, AggregationField, DEFAULT_BUCKETS, IndexFields};
use fleet_query::document::normalise;
use fleet_query::profile::MissingBody;
use fleet_query::{Dialect, Document, Mode, Query};
use serde_json::{Value, json};

fn table(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn dialect(case: &Value, table: &Value) -> Dialect {
    case.get("dialect")
        .or(table.get("dialect"))
        .and_then(Value::as_str)
        .unwrap()
        .parse()
        .unwrap()
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key]
        .as_str()
        .unwrap_or_else(|| panic!("no {key} in {case}"))
}

fn documents(table: &Value, dialect: Dialect) -> Vec<Value> {
    let raw = table["documents"].as_array().unwrap().clone();
    raw.into_iter()
        .map(|document| normalise(dialect.collection(), document).unwrap())
        .collect()
}

fn parse(source: &str, dialect: Dialect) -> Result<Query, Vec<&'static str>> {
    Query::parse(source, dialect, Mode::Lenient)
        .map_err(|found| found.iter().map(|one| one.code()).collect())
}

fn ids(query: &Query, documents: &[Value]) -> Vec<String> {
    query
        .run(documents)
        .rows
        .into_iter()
        .map(|row| row.id.unwrap())
        .collect()
}

#[test]
fn azure_3_10_queries() {
    let table = table(include_str!("tables/iothub.json"));
    for case in table["cases"].as_array().unwrap() {
        let dialect = dialect(case, &table);
        let documents = documents(&table, dialect);
        let query = parse(text(case, "query"), dialect);
        if let Some(code) = case.get("error") {
            assert_eq!(query.unwrap_err(), [code.as_str().unwrap()], "{case}");
        } else if let Some(rows) = case.get("rows") {
            assert_eq!(
                json!(query.unwrap().run(&documents).values()),
                *rows,
                "{case}"
            );
        } else {
            assert_eq!(
                json!(ids(&query.unwrap(), &documents)),
                case["ids"],
                "{case}"
            );
        }
    }
}

#[test]
fn azure_3_10_routing() {
    let table = table(include_str!("tables/routing.json"));
    let message = normalise(Dialect::Routing.collection(), table["document"].clone()).unwrap();
    for case in table["cases"].as_array().unwrap() {
        let query = parse(text(case, "condition"), Dialect::Routing)
            .unwrap_or_else(|found| panic!("{case}: {found:?}"));
        assert_eq!(
            query.matches(Document::new(&message)).name(),
            text(case, "truth"),
            "{case}"
        );
    }
    for case in table["errors"].as_array().unwrap() {
        assert!(
            parse(text(case, "condition"), Dialect::Routing).is_err(),
            "{case}"
        );
    }
}

/// Azure spec 3.9: the edge hub takes a missing member of the body for null.
#[test]
fn azure_3_9_missing_body_members() {
    let table = table(include_str!("tables/routing.json"));
    let message = normalise(Dialect::Routing.collection(), table["document"].clone()).unwrap();
    for case in table["missingBodyNull"].as_array().unwrap() {
        let query = parse(text(case, "condition"), Dialect::Routing).unwrap();
        let truth = |query: &Query| query.matches(Document::new(&message)).name();
        assert_eq!(truth(&query), text(case, "otherwise"), "{case}");
        let null = query.with_missing_body(MissingBody::Null);
        assert_eq!(truth(&null), text(case, "truth"), "{case}");
        let back = null.with_missing_body(MissingBody::Undefined);
        assert_eq!(truth(&back), text(case, "otherwise"), "{case}");
    }
}

#[test]
fn azure_3_6_functions_and_operators() {
    let table = table(include_str!("tables/functions.json"));
    let message = normalise(Dialect::Routing.collection(), table["document"].clone()).unwrap();
    for case in table["cases"].as_array().unwrap() {
        let source = case[0].as_str().unwrap();
        let query =
            parse(source, Dialect::Routing).unwrap_or_else(|found| panic!("{source}: {found:?}"));
        assert_eq!(
            query.matches(Document::new(&message)).name(),
            case[1],
            "{source}"
        );
    }
}

/// Azure spec 5.3: records, qualifiers, the alias of a time and of job types.
#[test]
fn azure_5_3_job_records() {
    let record = |device: &str, status: &str| {
        json!({"deviceId": device, "jobId": "j1", "jobType": "scheduleUpdateTwin", "status": status,
               "createdDateTimeUtc": "2026-01-02T00:00:00Z"})
    };
    let fleet = [record("d2", "failed"), record("d1", "completed")];
    for (condition, expected) in [
        ("devices.jobs.jobId = 'j1'", vec!["d1/j1", "d2/j1"]),
        (
            "devices.jobs.jobId = 'j1' AND devices.jobs.status = 'failed'",
            vec!["d2/j1"],
        ),
        (
            "devices.jobs.createdTimeUtc > '2026-01-02'",
            vec!["d1/j1", "d2/j1"],
        ),
        ("createdDateTimeUtc > '2026-01-03'", vec![]),
        ("JobType IN ['scheduleTwinUpdate']", vec!["d1/j1", "d2/j1"]),
        ("jobType = 'scheduleDirectRequest'", vec![]),
    ] {
        let query = parse(
            &format!("SELECT * FROM devices.jobs WHERE {condition}"),
            Dialect::IotHub,
        )
        .unwrap();
        assert_eq!(query.item_type().name(), "DeviceJob");
        assert_eq!(ids(&query, &fleet), expected, "{condition}");
    }
}

#[test]
fn azure_3_11_static_kinds() {
    let table = table(include_str!("tables/typing.json"));
    for case in table["cases"].as_array().unwrap() {
        match parse(text(case, "condition"), Dialect::Routing) {
            Ok(_) => assert_eq!(case["compiles"], true, "{case}"),
            Err(codes) => {
                assert_eq!(case["compiles"], false, "{case} {codes:?}");
                assert!(codes.contains(&"query.type"), "{case} {codes:?}");
            }
        }
    }
}

#[test]
fn azure_3_12_errors() {
    let table = table(include_str!("tables/errors.json"));
    for case in table["cases"].as_array().unwrap() {
        let codes = parse(text(case, "text"), dialect(case, &table)).expect_err(text(case, "text"));
        assert!(codes.contains(&text(case, "code")), "{case} {codes:?}");
    }
}

#[test]
fn azure_4_3_target_conditions() {
    let table = table(include_str!("tables/target.json"));
    for case in table["cases"].as_array().unwrap() {
        let dialect = dialect(case, &table);
        let documents = documents(&table, Dialect::Target);
        let query = parse(text(case, "text"), dialect);
        match case.get("error") {
            Some(code) => assert_eq!(query.unwrap_err(), [code.as_str().unwrap()], "{case}"),
            None => {
                let query = query.unwrap_or_else(|found| panic!("{case}: {found:?}"));
                assert_eq!(json!(ids(&query, &documents)), case["targets"], "{case}");
            }
        }
    }
}

#[test]
fn aws_3_5_search() {
    let table = table(include_str!("tables/aws.json"));
    let documents = documents(&table, Dialect::Aws);
    for case in table["cases"].as_array().unwrap() {
        let query = parse(text(case, "query"), Dialect::Aws);
        if case.get("error").is_some() {
            assert!(query.is_err(), "{case}");
            continue;
        }
        let query = query.unwrap_or_else(|found| panic!("{case}: {found:?}"));
        let found: Vec<String> = documents
            .iter()
            .enumerate()
            .filter(|(_, document)| query.matches(Document::new(document)).is_true())
            .map(|(at, _)| format!("T{}", at + 1))
            .collect();
        assert_eq!(json!(found), case["things"], "{case}");
    }
}

#[test]
fn aws_3_6_aggregations() {
    let table = table(include_str!("tables/aws.json"));
    let custom: IndexFields = serde_json::from_value(table["customFields"].clone()).unwrap();
    for case in table["aggregations"].as_array().unwrap() {
        let documents = match case.get("values") {
            None => documents(&table, Dialect::Aws),
            Some(values) => values
                .as_array()
                .unwrap()
                .iter()
                .enumerate()
                .map(|(at, load)| json!({"deviceId": format!("d{at}"), "attributes": {"load": load.to_string()}}))
                .collect(),
        };
        let query = parse(text(case, "query"), Dialect::Aws).unwrap();
        let name = case["field"].as_str().unwrap_or(AggregationField::DEFAULT);
        let result =
            AggregationField::resolve(name, &custom, query.collection()).and_then(|field| {
                Ok(match text(case, "call") {
                    "GetStatistics" => json!(aggregate::statistics(&query, &field, &documents)),
                    "GetCardinality" => json!(aggregate::cardinality(&query, &field, &documents)),
                    "GetPercentiles" => {
                        let percents: Vec<f64> =
                            serde_json::from_value(case["percents"].clone()).unwrap();
                        let found = aggregate::percentiles(&query, &field, &percents, &documents)?;
                        assert_eq!(
                            found.iter().map(|one| one.percent).collect::<Vec<_>>(),
                            percents
                        );
                        json!(found.iter().map(|one| one.value).collect::<Vec<_>>())
                    }
                    _ => {
                        let most = case["maxBuckets"]
                            .as_u64()
                            .map_or(DEFAULT_BUCKETS, |most| most as usize);
                        json!(aggregate::buckets(&query, &field, most, &documents)?)
                    }
                })
            });
        match (result, case.get("error")) {
            (Err(found), Some(code)) => assert_eq!(found.code(), code.as_str().unwrap(), "{case}"),
            (Ok(found), None) => assert!(close(&found, &case["result"]), "{case}\n{found}"),
            (other, _) => panic!("{case}: {other:?}"),
        }
    }
}

/// One field, four ways to ask for it: each dialect's meaning of the same-looking condition.
#[test]
fn the_table_of_differences() {
    let table = table(include_str!("tables/differences.json"));
    for case in table["cases"].as_array().unwrap() {
        for (name, field) in [
            ("iothub", "properties.reported.x"),
            ("routing", "$body.x"),
            ("aws", "shadow.reported.x"),
            ("rsql", "reported.x"),
        ] {
            let Some(row) = case.get(name) else { continue };
            let dialect: Dialect = name.parse().unwrap();
            let condition = row[0].as_str().unwrap().replace('X', field);
            let source = if name == "iothub" {
                format!("SELECT * FROM devices WHERE {condition}")
            } else {
                condition
            };
            let document = match dialect {
                Dialect::Routing => json!({"body": case["fields"]}),
                _ => json!({"deviceId": "d", "properties": {"reported": case["fields"]}}),
            };
            let document = normalise(dialect.collection(), document).unwrap();
            let query =
                parse(&source, dialect).unwrap_or_else(|found| panic!("{source}: {found:?}"));
            assert_eq!(
                query.matches(Document::new(&document)).name(),
                row[1],
                "{} {source}",
                case["rule"]
            );
        }
    }
}

/// Equality with numbers to four digits, as the specification prints them.
fn close(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Number(a), Value::Number(b)) => {
            (a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-4
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| close(x, y))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, x)| b.get(key).is_some_and(|y| close(x, y)))
        }
        _ => found == expected,
    }
}
