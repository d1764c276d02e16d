//! The model's tables of worked examples, through the facade: the same rows, by the operations' names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use fleet_model::kernel::Timestamp;

use fleet_sdk::{Caller, Fleet, Options, Outcome};
use fleet_store::memory::MemoryStore;
use pollster::block_on;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

/// What the tables use and the facade does not have by that name: the evaluation of a dynamic group.
fn is_inner(op: &str) -> bool {
    op.starts_with('(')
}

struct Door {
    fleet: Fleet,
    caller: Caller,
}

impl Door {
    fn new() -> Self {
        let options = Options::seeded(1);
        let clock = options.clock.clone();
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || clock.now()));
        Self {
            fleet: block_on(Fleet::open(Arc::new(store), options)).unwrap(),
            caller: Caller::new("user:ops".parse().unwrap()),
        }
    }

    fn call(&self, step: &Value, at: i64) -> Outcome {
        let caller = self.caller.clone().at(Timestamp::from_secs(at));
        let op = step["op"].as_str().unwrap();
        block_on(self.fleet.call_json(op, step["params"].clone(), &caller))
    }
}

fn table(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fleet-model/tests/tables")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Whether every member of `expected` is in `found`; null stands for a missing member.
fn is_part(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => expected
            .iter()
            .all(|(name, value)| is_part(value, found.get(name).unwrap_or(&Value::Null))),
        (Value::Array(expected), Value::Array(found)) => {
            expected.len() == found.len() && expected.iter().zip(found).all(|(e, f)| is_part(e, f))
        }
        _ => expected == found,
    }
}

/// Runs the cases whose operations the facade has; gives the names of the others.
fn run(name: &str) -> Vec<String> {
    let mut left_out = Vec::new();
    for case in table(name)["cases"].as_array().unwrap() {
        let given = case["given"].as_array().unwrap();
        let steps = case["steps"].as_array().unwrap();
        let known = |step: &Value| {
            let op = step["op"].as_str().unwrap();
            !is_inner(op) && Fleet::operations().iter().any(|known| known.name == op)
        };
        if !given.iter().chain(steps).all(known) {
            left_out.push(case["name"].as_str().unwrap().to_owned());
            continue;
        }
        let door = Door::new();
        // The tables presume that things are indexed.
        let indexed = json!({"op": "UpdateIndexingConfiguration", "params": {
            "thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY"}
        }});
        assert!(door.call(&indexed, 0).result.is_ok());
        for step in given {
            let outcome = door.call(step, step["at"].as_i64().unwrap_or(0));
            assert!(outcome.result.is_ok(), "{step}: {:?}", outcome.result);
        }
        let mut at = 0;
        for step in steps {
            let place = || format!("{name}, {}: {step}", case["name"]);
            at = step["at"].as_i64().unwrap_or(at);
            let outcome = door.call(step, at);
            match (&outcome.result, step["error"].as_str()) {
                (Ok(found), None) => {
                    if let Some(expected) = step.get("events") {
                        let types = outcome.events.iter();
                        let types: Vec<_> = types.map(|e| e.event.event_type.as_str()).collect();
                        assert_eq!(json!(types), *expected, "{}", place());
                    }
                    if let Some(expected) = step.get("ok") {
                        assert!(is_part(expected, found), "{}: {found}", place());
                    }
                }
                (Err(error), Some(exception)) => {
                    assert_eq!(error.name, exception, "{}: {error:?}", place());
                    assert!(outcome.events.is_empty(), "{}", place());
                }
                (found, _) => panic!("{}: {found:?}", place()),
            }
            if let Some(expected) = step.get("thing") {
                let describe =
                    json!({"op": "DescribeThing", "params": {"thingName": expected["thingName"]}});
                let found = door.call(&describe, at).result.unwrap();
                assert!(is_part(expected, &found), "{}: {found}", place());
            }
            if let Some(expected) = step.get("groups") {
                let list = json!({"op": "ListThingGroupsForThing", "params": {"thingName": "t"}});
                let found = door.call(&list, at).result.unwrap();
                let names = found["thingGroups"].as_array().unwrap().iter();
                let names: Vec<_> = names.map(|group| &group["groupName"]).collect();
                let mut expected: Vec<_> = expected.as_array().unwrap().iter().collect();
                expected.sort_by_key(|name| name.as_str());
                assert_eq!(names, expected, "{}", place());
            }
        }
    }
    left_out
}

#[test]
fn aws_1_5_things() {
    assert!(run("aws-1.5-things.json").is_empty());
}

/// Cases that need dynamic groups, and their evaluation handed in.
const DYNAMIC: &[&str] = &[
    "the older dynamic group wins",
    "the newer dynamic group loses",
    "static groups do not give way",
    "overrideDynamicGroups",
    "what dynamic groups cannot do",
];

#[test]
fn aws_2_6_groups() {
    for name in run("aws-2.6-groups.json") {
        assert!(DYNAMIC.contains(&name.as_str()), "{name} is left out");
    }
}
