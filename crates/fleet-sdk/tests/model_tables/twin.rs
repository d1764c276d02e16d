//! AWS 4.8 and the rules of Azure 2: one twin through both protocols.

use super::{Door, codes, table};
use fleet_sdk::CallError;
use serde_json::{Value, json};

const NAME: &str = "press-7";

struct Desk {
    door: Door,
    shadow: Option<String>,
    /// The log's end before the last step.
    before: u64,
    answer: Value,
}

impl Desk {
    fn new(case: &Value) -> Self {
        let door = Door::new(1_700_000_000);
        door.ok("CreateThing", json!({"thingName": NAME}));
        Self {
            door,
            shadow: case["shadow"].as_str().map(str::to_owned),
            before: 0,
            answer: Value::Null,
        }
    }

    fn head(&self) -> u64 {
        let page = self
            .door
            .ok("ListHubEvents", json!({"afterPosition": 1_000_000}));
        page["head"].as_u64().unwrap()
    }

    fn shadow_params(&self) -> Value {
        match &self.shadow {
            Some(name) => json!({"thingName": NAME, "shadowName": name}),
            None => json!({"thingName": NAME}),
        }
    }

    fn step(&mut self, step: &Value) -> Result<(), CallError> {
        self.before = self.head();
        let device = |body: &Value| {
            let mut params = json!({"deviceId": NAME, "body": body});
            if let Some(header) = step.get("ifMatch") {
                params["ifMatch"] = header.clone();
            }
            if let Some(version) = step.get("desiredVersion") {
                params["expectedDesiredVersion"] = version.clone();
            }
            if let Some(version) = step.get("reportedVersion") {
                params["expectedVersion"] = version.clone();
            }
            params
        };
        let (op, params) = if let Some(payload) = step.get("update") {
            let mut params = self.shadow_params();
            params["payload"] = payload.clone();
            ("UpdateThingShadow", params)
        } else if step.get("delete").is_some() {
            ("DeleteThingShadow", self.shadow_params())
        } else if let Some(body) = step.get("patch") {
            ("UpdateTwin", device(body))
        } else if let Some(body) = step.get("replace") {
            ("ReplaceTwin", device(body))
        } else if let Some(body) = step.get("reported") {
            ("UpdateReportedProperties", device(body))
        } else if let Some(seconds) = step.get("waitSeconds") {
            self.door.at += seconds.as_i64().unwrap();
            return Ok(());
        } else if let Some(version) = step.get("setVersion") {
            while self.version() != *version {
                self.step(&json!({"update": {"state": {}}}))?;
            }
            return Ok(());
        } else {
            ("GetThingShadow", self.shadow_params())
        };
        self.answer = self.door.call(op, params).result?;
        Ok(())
    }

    fn classic(&self) -> Value {
        let found = self.door.call("GetThingShadow", self.shadow_params());
        found
            .result
            .map_or(Value::Null, |found| found["payload"].clone())
    }

    fn version(&self) -> Value {
        self.classic()["version"].clone()
    }

    /// The payload and topic of the message that the last step gave rise to.
    fn message(&self, wanted: &str) -> Value {
        let params = json!({"afterPosition": self.before, "all": true});
        let page = self.door.ok("ListLifecycleMessages", params);
        let mut messages = page["messages"].as_array().unwrap().iter();
        let found = messages.find(|one| one["topic"].as_str().unwrap().contains(wanted));
        found.cloned().unwrap_or_default()
    }

    fn shown(&self, name: &str) -> Value {
        let twin = self.door.ok("GetTwin", json!({"deviceId": NAME}));
        let properties = &twin["properties"];
        let bare = |section: &Value| {
            let mut section = section.clone();
            section
                .as_object_mut()
                .unwrap()
                .retain(|name, _| !name.starts_with('$'));
            section
        };
        match name {
            "state" => self.classic()["state"].clone(),
            "delta" => self.classic()["state"]["delta"].clone(),
            "metadata" => self.classic()["metadata"].clone(),
            "accepted" => self.answer["payload"].clone(),
            "deltaMessage" => self.message("/update/delta")["payload"].clone(),
            "tags" => twin["tags"].clone(),
            "desired" => bare(&properties["desired"]),
            "reported" => bare(&properties["reported"]),
            "desiredMetadata" => properties["desired"]["$metadata"].clone(),
            "reportedMetadata" => properties["reported"]["$metadata"].clone(),
            "desiredVersion" => properties["desired"]["$version"].clone(),
            "reportedVersion" => properties["reported"]["$version"].clone(),
            "etag" => twin["etag"].clone(),
            "shadow" => self.version(),
            "rootVersion" => twin["version"].clone(),
            "notification" => {
                let found = self.message("$iothub/twin/PATCH/properties/desired");
                match found {
                    Value::Null => Value::Null,
                    found => json!({"topic": found["topic"], "payload": found["payload"]}),
                }
            }
            "changeEvent" => {
                let params = json!({"afterPosition": self.before, "sources": ["twinChangeEvents"]});
                let event = self.door.ok("ListHubEvents", params)["events"][0].clone();
                json!({"opType": event["opType"], "body": event["body"]})
            }
            other => panic!("unknown expectation `{other}`"),
        }
    }
}

/// `root`: what `version` means, the shadow's or the twin's.
fn run(name: &str, root: &str) {
    for case in table(name).as_array().unwrap() {
        let row = &case["row"];
        // Bytes that are no JSON do not come as far as an operation.
        if case["when"].get("bytes").is_some() {
            continue;
        }
        let mut desk = Desk::new(case);
        for step in case["given"].as_array().unwrap() {
            desk.step(step).unwrap();
        }
        let reads = root == "rootVersion" && case["when"].get("get").is_some();
        let outcome = if reads {
            Ok(())
        } else {
            desk.step(&case["when"])
        };
        for (name, expected) in case["then"].as_object().unwrap() {
            let found = match name.as_str() {
                "error" => {
                    let Err(error) = &outcome else {
                        panic!("row {row}: accepted, expected {expected}");
                    };
                    let all = json!({
                        "status": error.status,
                        "name": error.name,
                        "message": error.message,
                        "code": error.code,
                        "codes": codes(error),
                    });
                    let wanted = expected.as_object().unwrap().keys();
                    let shown = wanted.map(|name| (name.clone(), all[name].clone()));
                    shown.collect::<serde_json::Map<_, _>>().into()
                }
                "version" => desk.shown(root),
                other => desk.shown(other),
            };
            assert_eq!(&found, expected, "row {row}: {name}");
        }
        if case["then"].get("error").is_none() {
            assert!(outcome.is_ok(), "row {row}: {outcome:?}");
        }
    }
}

#[test]
fn aws_shadow_examples() {
    run("aws_shadow_4_8.json", "shadow");
}

#[test]
fn hub_twin_rules() {
    run("hub_twin_2.json", "rootVersion");
}
