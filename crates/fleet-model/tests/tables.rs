//! The worked examples of the spec, one table each, in `tests/tables`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

#[path = "tables/reader.rs"]
mod reader;
mod world;

use fleet_model::kernel::Timestamp;
use reader::{is_part, table};
use serde_json::{Value, json};
use world::World;

fn id_of(world: &mut World, step: &Value) -> Value {
    let (op, member) = match step["op"].as_str().unwrap() {
        "CreateThing" => ("DescribeThing", "thingId"),
        "CreateThingGroup" => ("DescribeThingGroup", "thingGroupId"),
        "CreateBillingGroup" => ("DescribeBillingGroup", "billingGroupId"),
        other => panic!("{other} creates nothing with an id"),
    };
    match world.call(op, &step["params"]) {
        Ok((found, _)) => found[member].clone(),
        Err(_) => Value::Null,
    }
}

fn run(name: &str) {
    let table = table(name);
    let exceptions = &self::table("aws-errors.json")["exceptions"];
    for case in table["cases"].as_array().unwrap() {
        let mut world = World::new();
        for step in case["given"].as_array().unwrap() {
            let at = step["at"].as_i64().unwrap_or(0);
            world.now = Timestamp::from_secs(at);
            let outcome = world.call(step["op"].as_str().unwrap(), &step["params"]);
            assert!(outcome.is_ok(), "{}: {step}: {outcome:?}", case["name"]);
        }
        for step in case["steps"].as_array().unwrap() {
            let at = || format!("{name}, {}: {step}", case["name"]);
            if let Some(seconds) = step["at"].as_i64() {
                world.now = Timestamp::from_secs(seconds);
            }
            let compares_ids = !step["same"].is_null() || !step["differs"].is_null();
            let id = compares_ids.then(|| id_of(&mut world, step));
            let outcome = world.call(step["op"].as_str().unwrap(), &step["params"]);
            match (&outcome, step["error"].as_str()) {
                (Ok((found, events)), None) => {
                    if let Some(expected) = step.get("events") {
                        assert_eq!(json!(events), *expected, "{}", at());
                    }
                    if let Some(expected) = step.get("ok") {
                        assert!(is_part(expected, found), "{}: {found}", at());
                    }
                }
                (Err(failure), Some(exception)) => {
                    let code = failure.codes[0];
                    assert_eq!(exceptions[code], exception, "{}: {failure:?}", at());
                    assert_eq!(step["code"], code, "{}", at());
                    if let Some(others) = step.get("others") {
                        assert_eq!(json!(failure.codes[1..]), *others, "{}", at());
                    }
                }
                _ => panic!("{}: {outcome:?}", at()),
            }
            if let Some(id) = id {
                let same = id_of(&mut world, step) == id;
                assert_eq!(same, step["differs"].is_null(), "{}", at());
            }
            if let Some(expected) = step.get("thing") {
                let (found, _) = world.call("DescribeThing", expected).unwrap();
                assert!(is_part(expected, &found), "{}: {found}", at());
            }
            if let Some(expected) = step.get("status") {
                let (found, _) = world.call("DescribeCertificate", &step["params"]).unwrap();
                assert_eq!(found["status"], *expected, "{}", at());
            }
            if let Some(expected) = step.get("groups") {
                let params = json!({"thingName": "t"});
                let (found, _) = world.call("ListThingGroupsForThing", &params).unwrap();
                let names = found["thingGroups"].as_array().unwrap().iter();
                let names: Vec<_> = names.map(|group| &group["groupName"]).collect();
                assert_eq!(json!(names), *expected, "{}", at());
            }
        }
        world.assert_replays();
    }
}

#[test]
fn aws_1_5_things() {
    run("aws-1.5-things.json");
}

#[test]
fn aws_2_6_groups() {
    run("aws-2.6-groups.json");
}

#[test]
fn aws_6_6_certificates() {
    run("aws-6.6-certificates.json");
}

#[test]
fn every_code_has_its_aws_exception() {
    let exceptions = table("aws-errors.json")["exceptions"].clone();
    let codes = [
        fleet_model::id::CODES,
        fleet_model::attribute::CODES,
        fleet_model::tag::CODES,
        fleet_model::thing::CODES,
        fleet_model::thing_type::CODES,
        fleet_model::group::CODES,
        fleet_model::billing_group::CODES,
        fleet_model::certificate::CODES,
        fleet_model::ca_certificate::CODES,
    ];
    let mut known = std::collections::BTreeSet::new();
    for (code, _) in codes.into_iter().flatten() {
        assert!(exceptions[*code].is_string(), "{code}");
        assert!(known.insert(*code), "{code} is listed twice");
    }
    for code in exceptions.as_object().unwrap().keys() {
        assert!(known.contains(code.as_str()), "{code} is of no module");
    }
}
