//! The worked examples and rules of the service specs, run from tables.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fleet_model::kernel::{Context, Decider, ErrorCode, Refused, Timestamp};
use fleet_model::limits::Limits;
use fleet_model::twin::{
    Condition, Payload, ShadowLife, Twin, TwinCommand, TwinError, TwinEvent, TwinKey, TwinState,
    TwinView, Writer, hub, shadow,
};
use serde_json::{Value, json};

const START: i64 = 1_700_000_000;

struct Desk {
    view: TwinView,
    limits: Limits,
    now: Timestamp,
    before: TwinState,
    twin: TwinState,
    last: Option<TwinEvent>,
}

impl Desk {
    fn new(case: &Value) -> Self {
        let record = "press-7".parse().unwrap();
        let key = match case.get("shadow").and_then(Value::as_str) {
            Some(name) => TwinKey::Shadow(record, name.parse().unwrap()),
            None => TwinKey::Device(record),
        };
        Self {
            view: TwinView {
                key,
                incarnation: None,
            },
            limits: Limits::default(),
            now: Timestamp::from_secs(START),
            before: Twin::initial(),
            twin: Twin::initial(),
            last: None,
        }
    }

    fn run(&mut self, command: TwinCommand) -> Result<(), Refused<TwinError>> {
        let context = Context {
            now: self.now,
            limits: &self.limits,
            view: &self.view,
        };
        for event in Twin::decide(&self.twin, command, &context)? {
            self.before = self.twin.clone();
            self.twin = Twin::evolve(self.twin.clone(), &event);
            self.last = Some(event);
        }
        Ok(())
    }

    fn step(&mut self, step: &Value) -> Result<(), Refused<TwinError>> {
        let condition = Condition {
            if_match: step
                .get("ifMatch")
                .map(|header| header.as_str().unwrap().parse().unwrap()),
            desired_version: step.get("desiredVersion").and_then(Value::as_u64),
            reported_version: step.get("reportedVersion").and_then(Value::as_u64),
        };
        let (name, value) = step
            .as_object()
            .unwrap()
            .iter()
            .find(|(name, _)| {
                !name.ends_with("Version") && *name != "ifMatch" || *name == "setVersion"
            })
            .unwrap();
        let value = value.clone();
        let command = match name.as_str() {
            "update" => TwinCommand::UpdateShadow {
                payload: Payload::Json(value),
            },
            "bytes" => TwinCommand::UpdateShadow {
                payload: Payload::Bytes(value.as_str().unwrap().as_bytes().to_vec()),
            },
            "delete" => TwinCommand::DeleteShadow { client_token: None },
            "patch" => TwinCommand::Patch {
                body: value,
                condition,
                writer: Writer::Service,
            },
            "replace" => TwinCommand::Replace {
                body: value,
                condition,
            },
            "reported" => TwinCommand::PatchReported {
                body: value,
                expected_version: condition.reported_version,
            },
            "waitSeconds" => {
                self.now = self.now.plus_secs(value.as_i64().unwrap());
                return Ok(());
            }
            "setVersion" => {
                while self.version() != value.as_u64() {
                    self.step(&json!({"update": {"state": {}}}))?;
                }
                return Ok(());
            }
            "get" => {
                shadow::document(&self.view.key, &self.twin, None)?;
                return Ok(());
            }
            other => panic!("unknown step `{other}`"),
        };
        self.run(command)
    }

    fn version(&self) -> Option<u64> {
        match self.twin.shadow() {
            ShadowLife::Live { version, .. } => Some(version),
            _ => None,
        }
    }

    fn shown(&self, name: &str) -> Value {
        let classic = shadow::document(&self.view.key, &self.twin, None).unwrap_or_default();
        let twin = hub::document(&self.view.key, &self.twin, &hub::IdentityFacts::default());
        let bare = |section: &Value| {
            let mut section = section.clone();
            let members = section.as_object_mut().unwrap();
            members.remove("$metadata");
            members.remove("$version");
            section
        };
        let messages = self.last.as_ref().map_or_else(Vec::new, |event| {
            shadow::update_messages(&self.view.key, &self.before, event, &self.twin)
        });
        let message = |suffix: &str| {
            let found = messages
                .iter()
                .find(|message| message.topic.ends_with(suffix));
            found.map_or(Value::Null, |message| message.payload.clone())
        };
        match name {
            "state" => classic["state"].clone(),
            "delta" => classic["state"]["delta"].clone(),
            "metadata" => classic["metadata"].clone(),
            "accepted" => message("/update/accepted"),
            "deltaMessage" => message("/update/delta"),
            "tags" => twin["tags"].clone(),
            "desired" => bare(&twin["properties"]["desired"]),
            "reported" => bare(&twin["properties"]["reported"]),
            "desiredMetadata" => twin["properties"]["desired"]["$metadata"].clone(),
            "reportedMetadata" => twin["properties"]["reported"]["$metadata"].clone(),
            "desiredVersion" => twin["properties"]["desired"]["$version"].clone(),
            "reportedVersion" => twin["properties"]["reported"]["$version"].clone(),
            "etag" => twin["etag"].clone(),
            "shadow" => json!(self.version()),
            "notification" => {
                let event = self.last.as_ref().unwrap();
                hub::desired_notification(&self.before, event, &self.twin).map_or(
                    Value::Null,
                    |message| json!({"topic": message.topic, "payload": message.payload}),
                )
            }
            "changeEvent" => {
                let event = self.last.as_ref().unwrap();
                let change = hub::change_event(&self.view.key, event, &self.twin).unwrap();
                json!({"opType": change.op_type, "body": change.body})
            }
            other => panic!("unknown expectation `{other}`"),
        }
    }
}

fn run(table: &str, face: fn(&TwinError) -> fleet_model::twin::ServiceError, version: &str) {
    let cases: Vec<Value> = serde_json::from_str(table).unwrap();
    for case in cases {
        let row = &case["row"];
        let mut desk = Desk::new(&case);
        for step in case["given"].as_array().unwrap() {
            desk.step(step).unwrap();
        }
        desk.last = None;
        let hub_get = version == "hub" && case["when"].get("get").is_some();
        let outcome = if hub_get {
            Ok(())
        } else {
            desk.step(&case["when"])
        };
        for (name, expected) in case["then"].as_object().unwrap() {
            let found = match name.as_str() {
                "error" => {
                    let Err(refused) = &outcome else {
                        panic!("row {row}: accepted, expected {expected}");
                    };
                    let service = face(refused.first());
                    let all = json!({
                        "status": service.status,
                        "name": service.name,
                        "message": service.message,
                        "code": refused.code(),
                        "codes": refused.reasons().map(ErrorCode::code).collect::<Vec<_>>(),
                    });
                    expected
                        .as_object()
                        .unwrap()
                        .keys()
                        .map(|name| (name.clone(), all[name].clone()))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }
                "version" if version == "hub" => json!(desk.twin.version()),
                "version" => json!(desk.version()),
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
    run(
        include_str!("tables/aws_shadow_4_8.json"),
        TwinError::aws,
        "aws",
    );
}

#[test]
fn hub_twin_rules() {
    run(
        include_str!("tables/hub_twin_2.json"),
        TwinError::hub,
        "hub",
    );
}
