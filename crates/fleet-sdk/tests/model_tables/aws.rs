//! AWS 1.5, 2.6 and 6.6.

use super::{Door, codes, is_part, table};
use serde_json::{Value, json};

/// The facade's request for a step: the evaluation of a dynamic group is handed in by an operation of its own.
fn request(step: &Value, real: fn(&str, Value) -> Value) -> (&str, Value) {
    let op = step["op"].as_str().unwrap();
    let mut params = step["params"].clone();
    match op {
        "(match)" | "(unmatch)" => {
            params["eligible"] = json!(op == "(match)");
            ("ApplyDynamicMembership", params)
        }
        _ => (op, real(op, params)),
    }
}

/// Runs every case of a table.
fn run(name: &str, start: i64, real: fn(&str, Value) -> Value) {
    for case in table(name)["cases"].as_array().unwrap() {
        let mut door = Door::new(start);
        // The tables presume that things are indexed.
        door.ok(
            "UpdateIndexingConfiguration",
            json!({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY"}}),
        );
        for step in case["given"].as_array().unwrap() {
            door.at = step["at"].as_i64().map_or(start, |at| start + at);
            let (op, params) = request(step, real);
            door.ok(op, params);
        }
        door.at = start;
        for step in case["steps"].as_array().unwrap() {
            let place = || format!("{name}, {}: {step}", case["name"]);
            door.at = step["at"].as_i64().map_or(door.at, |at| start + at);
            let (op, params) = request(step, real);
            let outcome = door.call(op, params.clone());
            match (&outcome.result, step["error"].as_str()) {
                (Ok(found), None) => {
                    if let Some(expected) = step.get("events") {
                        let types = outcome.events.iter();
                        let types: Vec<_> = types.map(|e| e.event.event_type.as_str()).collect();
                        assert_eq!(json!(types), *expected, "{}", place());
                    }
                    if let Some(expected) = step.get("ok") {
                        let found = found.get("certificateDescription").unwrap_or(found);
                        assert!(is_part(expected, found), "{}: {found}", place());
                    }
                }
                (Err(error), Some(exception)) => {
                    assert_eq!(error.name, exception, "{}: {error:?}", place());
                    assert!(outcome.events.is_empty(), "{}", place());
                    if let Some(expected) = step.get("code") {
                        assert_eq!(json!(error.code), *expected, "{}: {error:?}", place());
                    }
                    if let Some(expected) = step.get("others") {
                        assert_eq!(json!(codes(error)[1..]), *expected, "{}", place());
                    }
                }
                (found, _) => panic!("{}: {found:?}", place()),
            }
            if let Some(expected) = step.get("thing") {
                let found = door.ok("DescribeThing", json!({"thingName": expected["thingName"]}));
                assert!(is_part(expected, &found), "{}: {found}", place());
            }
            if let Some(expected) = step.get("status") {
                let id = match &params["certificateId"] {
                    Value::Null => certificate(&step["params"]["certificateId"])["id"].clone(),
                    id => id.clone(),
                };
                let found = door.ok("DescribeCertificate", json!({"certificateId": id}));
                let found = &found["certificateDescription"]["status"];
                assert_eq!(found, expected, "{}", place());
            }
            if let Some(expected) = step.get("groups") {
                let found = door.ok("ListThingGroupsForThing", json!({"thingName": "t"}));
                let names = found["thingGroups"].as_array().unwrap().iter();
                let names: Vec<_> = names.map(|group| &group["groupName"]).collect();
                let mut expected: Vec<_> = expected.as_array().unwrap().iter().collect();
                expected.sort_by_key(|name| name.as_str());
                assert_eq!(names, expected, "{}", place());
            }
        }
    }
}

/// A certificate that stands for an id of the tables: `{id, pem}`.
fn certificate(id: &Value) -> Value {
    let all: Value = serde_json::from_str(include_str!("certificates.json")).unwrap();
    all[id.as_str().unwrap()].clone()
}

/// The parameters of a step, with real certificates in place of the table's ids and texts.
fn certified(op: &str, mut params: Value) -> Value {
    let members = params.as_object_mut().unwrap();
    if op.starts_with("Register") {
        let id = members.remove("certificateId").unwrap();
        let pem = if op == "RegisterCACertificate" {
            "caCertificate"
        } else {
            "certificatePem"
        };
        members.insert(pem.to_owned(), certificate(&id)["pem"].clone());
        if let Some(ca) = members.remove("caCertificateId") {
            members.insert(
                "caCertificatePem".to_owned(),
                certificate(&ca)["pem"].clone(),
            );
        }
        if let Some(proof) = members.get_mut("verificationCertificate") {
            *proof = certificate(&json!("proof"))["pem"].clone();
        }
        return params;
    }
    let all: Value = serde_json::from_str(include_str!("certificates.json")).unwrap();
    let mut text = params.to_string();
    for (id, real) in all.as_object().unwrap() {
        text = text.replace(id, real["id"].as_str().unwrap());
    }
    serde_json::from_str(&text).unwrap()
}

fn plain(_: &str, params: Value) -> Value {
    params
}

#[test]
fn aws_1_5_things() {
    run("aws-1.5-things.json", 0, plain);
}

#[test]
fn aws_2_6_groups() {
    run("aws-2.6-groups.json", 0, plain);
}

#[test]
fn aws_6_6_certificates() {
    // The certificates are valid from 2025 on.
    run("aws-6.6-certificates.json", 1_767_225_600, certified);
}
