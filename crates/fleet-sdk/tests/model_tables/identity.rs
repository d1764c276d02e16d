//! The rules of Azure 1.

use super::{Door, table};
use fleet_sdk::{Options, Outcome};
use serde_json::{Value, json};

const START: i64 = 1_767_225_600;

/// The ETag that the table's first identity has there.
const FIRST_ETAG: &str = "\"MQ==\"";

/// `first`: the ETag that the first identity was shown with here.
fn run(door: &mut Door, step: &Value, first: &Value) -> Option<Outcome> {
    let header = |mut params: Value| {
        if let Some(header) = step.get("ifMatch") {
            let is_first = *header == FIRST_ETAG;
            params["ifMatch"] = if is_first { first } else { header }.clone();
        }
        params
    };
    if let Some(changed) = step.get("limit") {
        let mut options = Options::seeded(2);
        let mut limits = serde_json::to_value(&options.limits.identity).unwrap();
        for (name, value) in changed.as_object().unwrap() {
            limits[name] = value.clone();
        }
        options.limits.identity = serde_json::from_value(limits).unwrap();
        door.reopen(options);
        return None;
    }
    let (op, params) = if let Some(ids) = step.get("putModule") {
        let params = json!({"deviceId": ids[0], "moduleId": ids[1], "body": step["body"]});
        ("CreateOrReplaceModule", params)
    } else if let Some(ids) = step.get("deleteModule") {
        (
            "DeleteModule",
            json!({"deviceId": ids[0], "moduleId": ids[1]}),
        )
    } else if let Some(id) = step.get("put") {
        (
            "CreateOrReplaceDevice",
            json!({"deviceId": id, "body": step["body"]}),
        )
    } else if let Some(id) = step.get("delete") {
        ("DeleteDevice", json!({"deviceId": id}))
    } else {
        ("CreateThing", json!({"thingName": step["createThing"]}))
    };
    Some(door.call(op, header(params)))
}

#[test]
fn hub_identity_rules() {
    for case in table("hub_identity_1.json").as_array().unwrap() {
        let row = &case["row"];
        let mut door = Door::new(START);
        let mut first = Value::Null;
        for step in case["steps"].as_array().unwrap() {
            let Some(outcome) = run(&mut door, step, &first) else {
                continue;
            };
            let then = step.get("then").cloned().unwrap_or(json!({}));
            if then.get("id").is_some() {
                assert!(outcome.result.is_err(), "row {row}");
                continue;
            }
            if let Some(expected) = then.get("error") {
                let error = outcome.result.unwrap_err();
                let found = json!([error.status, error.name, error.code]);
                assert_eq!(&found, expected, "row {row}: {step}");
                assert!(outcome.events.is_empty(), "row {row}");
                continue;
            }
            let shown = outcome
                .result
                .unwrap_or_else(|error| panic!("row {row}: {step}: {error:?}"));
            if first.is_null() {
                first = shown["etag"].clone();
            }
            let shows = then.get("shows").and_then(Value::as_object);
            for (name, expected) in shows.into_iter().flatten() {
                let found = shown.get(name).cloned().unwrap_or(json!("absent"));
                if name == "generationId" {
                    // The table counts ids; the facade draws them.
                    assert_eq!(found.as_str().unwrap().len(), 36, "row {row}");
                    continue;
                }
                assert_eq!(&found, expected, "row {row}: {name}");
            }
        }
    }
}
