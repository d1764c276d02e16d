//! The rules of Azure 1, run from a table over a small hub of records and modules.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fleet_model::id::{RecordName, ThingId};
use fleet_model::identity::{
    DeviceAction, DeviceCommand, DeviceRequest, DeviceView, Devices, EdgeFacts, IdentityError,
    InMemorySecrets, KeyHandles, KeyRequest, ModuleAction, ModuleCommand, ModuleEvent,
    ModuleRecord, ModuleRequest, ModuleView, Modules, Secret, SecretHandle, SecretStore,
    device_document, module_document,
};
use fleet_model::kernel::{Context, Decider, ErrorCode, Refused, Timestamp, WireEvent, replay};
use fleet_model::limits::Limits;
use fleet_model::thing::{self, Record, Thing};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const SECRETS: [&[u8]; 2] = [b"0123456789abcdef", b"fedcba9876543210"];

#[derive(Default)]
struct Hub {
    records: BTreeMap<String, Vec<thing::Event>>,
    modules: BTreeMap<(String, String), Vec<ModuleEvent>>,
    limits: Limits,
    vault: InMemorySecrets,
    ids: u128,
}

impl Hub {
    fn record(&self, name: &str) -> Record {
        let events = self.records.get(name).map_or(&[][..], Vec::as_slice);
        replay::<Devices>(events)
    }

    fn things(&self) -> impl Iterator<Item = Box<Thing>> {
        self.records
            .values()
            .filter_map(|events| match replay::<Devices>(events) {
                Record::Present(thing) => Some(thing),
                Record::Absent => None,
            })
    }

    fn module(&self, device: &str, module: &str) -> ModuleRecord {
        let key = (device.to_owned(), module.to_owned());
        replay::<Modules>(self.modules.get(&key).map_or(&[][..], Vec::as_slice))
    }

    fn id(&mut self) -> uuid::Uuid {
        self.ids += 1;
        uuid::Uuid::from_u128(self.ids)
    }

    fn keep(&mut self, keys: Option<&KeyRequest>) -> Option<KeyHandles> {
        let (primary, secondary) = match keys? {
            KeyRequest::Mint => (Secret::new(vec![1; 32]), Secret::new(vec![2; 32])),
            KeyRequest::Given { primary, secondary } => (primary.clone(), secondary.clone()),
        };
        let handles = KeyHandles {
            primary: SecretHandle(uuid::Uuid::from_u128(1_000)),
            secondary: SecretHandle(uuid::Uuid::from_u128(1_001)),
        };
        self.vault.put(handles.primary, primary).unwrap();
        self.vault.put(handles.secondary, secondary).unwrap();
        Some(handles)
    }

    fn now() -> Timestamp {
        "2026-01-01T00:00:00Z".parse().unwrap()
    }

    fn device(
        &mut self,
        name: &RecordName,
        action: DeviceAction,
    ) -> Result<(), Refused<IdentityError>> {
        let scope = match &action {
            DeviceAction::Create { write, .. } | DeviceAction::Replace { write, .. } => {
                write.parent_scope()
            }
            DeviceAction::Delete { .. } => None,
        };
        let view = DeviceView {
            identities: self.things().count(),
            edge: scope.and_then(|scope| self.edge(scope)),
            edge_generations_below: self.generations_below(name),
        };
        let context = Context {
            now: Self::now(),
            limits: &self.limits,
            view: &view,
        };
        let command = DeviceCommand {
            name: name.clone(),
            action,
        };
        let events = Devices::decide(&self.record(name.as_str()), command, &context)?;
        self.records
            .entry(name.to_string())
            .or_default()
            .extend(events);
        Ok(())
    }

    fn put(&mut self, name: &RecordName, step: &Value) -> Result<(), Refused<IdentityError>> {
        let request = DeviceRequest::parse(name.as_str(), &step["body"], &self.limits.identity)?;
        let handles = self.keep(request.keys());
        let write = request.into_write(handles);
        let action = match if_match(step) {
            Some(if_match) => DeviceAction::Replace { if_match, write },
            None => DeviceAction::Create {
                id: ThingId::new(self.id()),
                write,
            },
        };
        self.device(name, action)
    }

    fn on_module(
        &mut self,
        device: &str,
        module: &str,
        action: ModuleAction,
    ) -> Result<(), Refused<IdentityError>> {
        let life = self.record(device).thing().map(|thing| thing.id);
        let of_device = self.modules.keys().filter(|(owner, _)| owner == device);
        let view = ModuleView {
            device_life: life,
            modules: of_device
                .filter(|(d, m)| self.module(d, m).live(life).is_some())
                .count(),
            identities: self.things().count(),
        };
        let context = Context {
            now: Self::now(),
            limits: &self.limits,
            view: &view,
        };
        let command = ModuleCommand {
            device: device.parse().unwrap(),
            module: module.parse().unwrap(),
            action,
        };
        let events = Modules::decide(&self.module(device, module), command, &context)?;
        let key = (device.to_owned(), module.to_owned());
        self.modules.entry(key).or_default().extend(events);
        Ok(())
    }

    fn put_module(
        &mut self,
        device: &str,
        module: &str,
        step: &Value,
    ) -> Result<(), Refused<IdentityError>> {
        let request = ModuleRequest::parse(device, module, &step["body"])?;
        let handles = self.keep(request.keys());
        let write = request.into_write(handles);
        let action = match if_match(step) {
            Some(if_match) => ModuleAction::Replace { if_match, write },
            None => ModuleAction::Create {
                generation: self.id(),
                write,
            },
        };
        self.on_module(device, module, action)
    }
}

impl Hub {
    fn edge(&self, scope: &str) -> Option<EdgeFacts> {
        let edge = self.things().find(|thing| {
            thing.identity.iot_edge && thing.identity.own_scope.as_deref() == Some(scope)
        })?;
        let mut ancestors = Vec::new();
        let mut at = edge.identity.parent.clone();
        while let Some(parent) = at {
            let record = self.record(parent.device.as_str());
            at = record
                .thing()
                .and_then(|thing| thing.identity.parent.clone());
            ancestors.push(parent.device);
        }
        Some(EdgeFacts {
            children: self.children(&edge.name).count(),
            device: edge.name,
            ancestors,
        })
    }

    fn children(&self, device: &RecordName) -> impl Iterator<Item = Box<Thing>> {
        self.things().filter(move |thing| {
            let parent = thing.identity.parent.as_ref();
            parent.is_some_and(|parent| parent.device == *device)
        })
    }

    fn generations_below(&self, device: &RecordName) -> usize {
        let edges = self
            .children(device)
            .filter(|child| child.identity.iot_edge);
        edges
            .map(|child| 1 + self.generations_below(&child.name))
            .max()
            .unwrap_or(0)
    }
}

fn if_match(step: &Value) -> Option<fleet_model::twin::hub::IfMatch> {
    Some(step.get("ifMatch")?.as_str()?.parse().unwrap())
}

/// Runs a step; what it shows then.
fn run(hub: &mut Hub, step: &Value, row: &Value) -> Result<Value, Refused<IdentityError>> {
    if let Some(limit) = step.get("limit") {
        let mut limits = serde_json::to_value(&hub.limits.identity).unwrap();
        for (name, value) in limit.as_object().unwrap() {
            limits[name] = value.clone();
        }
        hub.limits.identity = serde_json::from_value(limits).unwrap();
        return Ok(Value::Null);
    }
    if let Some([device, module]) = ["putModule", "deleteModule"]
        .iter()
        .find_map(|name| step.get(name))
        .map(|ids| [ids[0].as_str().unwrap(), ids[1].as_str().unwrap()])
    {
        if step.get("putModule").is_none() {
            let if_match = if_match(step);
            hub.on_module(device, module, ModuleAction::Delete { if_match })?;
            return Ok(Value::Null);
        }
        hub.put_module(device, module, step)?;
        let life = hub.record(device).thing().map(|thing| thing.id);
        let record = hub.module(device, module);
        return Ok(module_document(record.live(life).unwrap(), None));
    }
    let id = ["put", "delete", "createThing"]
        .iter()
        .find_map(|name| step.get(name))
        .unwrap_or_else(|| panic!("row {row}: unknown step {step}"))
        .as_str()
        .unwrap();
    let Ok(name) = id.parse::<RecordName>() else {
        return Ok(json!("refused"));
    };
    if step.get("createThing").is_some() {
        let created = thing::Event::Created(thing::Created {
            name: name.clone(),
            thing_id: ThingId::new(hub.id()),
            thing_type_name: None,
            attributes: fleet_model::attribute::Attributes::default(),
            billing_group: None,
            created_at: Hub::now(),
        });
        hub.records.entry(id.to_owned()).or_default().push(created);
    } else if step.get("delete").is_some() {
        let if_match = if_match(step);
        hub.device(&name, DeviceAction::Delete { if_match })?;
        return Ok(Value::Null);
    } else {
        hub.put(&name, step)?;
    }
    Ok(device_document(hub.record(id).thing().unwrap(), None))
}

#[test]
fn hub_identity_rules() {
    let table: Vec<Value> =
        serde_json::from_str(include_str!("tables/hub_identity_1.json")).unwrap();
    for case in table {
        let row = &case["row"];
        let mut hub = Hub::default();
        for step in case["steps"].as_array().unwrap() {
            let outcome = run(&mut hub, step, row);
            let then = step.get("then").cloned().unwrap_or(json!({}));
            if let Some(expected) = then.get("error") {
                let refused = outcome.expect_err(&format!("row {row}: {step}"));
                let error = refused.first().hub();
                assert_eq!(
                    &json!([error.status, error.name, refused.code()]),
                    expected,
                    "row {row}: {step}"
                );
                continue;
            }
            let shown = outcome.unwrap_or_else(|error| panic!("row {row}: {step}: {error}"));
            if let Some(id) = then.get("id") {
                assert_eq!(&shown, id, "row {row}");
            }
            for (name, expected) in then
                .get("shows")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                let found = shown.get(name).cloned().unwrap_or(json!("absent"));
                assert_eq!(&found, expected, "row {row}: {name}");
            }
            if let Some(code) = then.get("admits") {
                let record = hub.record(step["put"].as_str().unwrap());
                let thing = record.thing().unwrap();
                let refused = thing.identity.admits(&thing.name).unwrap_err();
                assert_eq!(refused.code(), code.as_str().unwrap(), "row {row}");
            }
        }
        check_no_secret(&hub, row);
    }
}

/// No key, in any spelling, stands in an event or a document.
fn check_no_secret(hub: &Hub, row: &Value) {
    use base64::Engine as _;
    let mut texts = Vec::new();
    for event in hub.records.values().flatten() {
        texts.push(format!(
            "{event:?} {}",
            String::from_utf8(event.to_data()).unwrap()
        ));
    }
    for event in hub.modules.values().flatten() {
        texts.push(format!(
            "{event:?} {}",
            String::from_utf8(event.to_data()).unwrap()
        ));
    }
    texts.extend(
        hub.things()
            .map(|thing| device_document(&thing, None).to_string()),
    );
    texts.push(format!("{:?}", hub.vault));
    for text in texts {
        for secret in SECRETS {
            let plain = std::str::from_utf8(secret).unwrap();
            let base64 = base64::engine::general_purpose::STANDARD.encode(secret);
            assert!(
                !text.contains(plain) && !text.contains(&base64),
                "row {row}: {text}"
            );
        }
    }
}

/// What a random hub does, over plain values: name to etag counter, and its modules likewise.
#[derive(Default)]
struct Model {
    devices: BTreeMap<u8, (u64, BTreeMap<u8, u64>)>,
    births: u64,
}

#[derive(Clone, Debug)]
enum Act {
    Put(u8, Option<bool>),
    Delete(u8, Option<bool>),
    PutModule(u8, u8, Option<bool>),
    DeleteModule(u8, u8, Option<bool>),
}

fn act() -> impl Strategy<Value = Act> {
    // None: no header; true: the current ETag; false: a stale one.
    let header = prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    prop_oneof![
        (0..3u8, header.clone()).prop_map(|(d, h)| Act::Put(d, h)),
        (0..3u8, header.clone()).prop_map(|(d, h)| Act::Delete(d, h)),
        (0..3u8, 0..2u8, header.clone()).prop_map(|(d, m, h)| Act::PutModule(d, m, h)),
        (0..3u8, 0..2u8, header).prop_map(|(d, m, h)| Act::DeleteModule(d, m, h)),
    ]
}

impl Model {
    fn run(&mut self, act: &Act) -> &'static str {
        let births = &mut self.births;
        let mut born = || {
            *births += 1;
            *births
        };
        match *act {
            Act::Put(device, None) => {
                let id = born();
                if self.devices.contains_key(&device) {
                    return "device.already_exists";
                }
                self.devices.insert(device, (id, BTreeMap::new()));
            }
            Act::Put(device, Some(fits)) => match self.devices.get_mut(&device) {
                None => return "device.not_found",
                Some(_) if !fits => return "identity.precondition_failed",
                Some((etag, _)) => *etag += 1,
            },
            Act::Delete(_, None) => return "identity.precondition_missing",
            Act::Delete(device, Some(fits)) => match self.devices.contains_key(&device) {
                false => return "device.not_found",
                true if !fits => return "identity.precondition_failed",
                true => {
                    self.devices.remove(&device);
                }
            },
            Act::PutModule(device, module, header) => {
                let id = header.is_none().then(&mut born);
                let Some((_, modules)) = self.devices.get_mut(&device) else {
                    return "device.not_found";
                };
                match (modules.get_mut(&module), header) {
                    (Some(_), None) => return "module.already_exists",
                    (None, None) => {
                        modules.insert(module, id.unwrap());
                    }
                    (None, Some(_)) => return "module.not_found",
                    (Some(_), Some(false)) => return "identity.precondition_failed",
                    (Some(etag), Some(true)) => *etag += 1,
                }
            }
            Act::DeleteModule(_, _, None) => return "identity.precondition_missing",
            Act::DeleteModule(device, module, Some(fits)) => {
                let Some((_, modules)) = self.devices.get_mut(&device) else {
                    return "device.not_found";
                };
                match modules.contains_key(&module) {
                    false => return "module.not_found",
                    true if !fits => return "identity.precondition_failed",
                    true => {
                        modules.remove(&module);
                    }
                }
            }
        }
        ""
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn identities_are_those_of_the_model(acts in prop::collection::vec(act(), 0..30)) {
        let (mut hub, mut model) = (Hub::default(), Model::default());
        for act in acts {
            let etag = |counter: Option<u64>| {
                use base64::Engine as _;
                base64::engine::general_purpose::STANDARD.encode(counter.unwrap_or_default().to_string())
            };
            let (device, module, header) = match act {
                Act::Put(d, h) | Act::Delete(d, h) => (d, None, h),
                Act::PutModule(d, m, h) | Act::DeleteModule(d, m, h) => (d, Some(m), h),
            };
            let held = model.devices.get(&device);
            let counter = match module {
                None => held.map(|(etag, _)| *etag),
                Some(module) => held.and_then(|(_, modules)| modules.get(&module).copied()),
            };
            let mut step = json!({"body": {}});
            if let Some(fits) = header {
                step["ifMatch"] = json!(if fits { etag(counter) } else { "stale".to_owned() });
            }
            let (d, m) = (format!("d{device}"), format!("m{}", module.unwrap_or_default()));
            match act {
                Act::Put(..) => step["put"] = json!(d),
                Act::Delete(..) => step["delete"] = json!(d),
                Act::PutModule(..) => step["putModule"] = json!([d, m]),
                Act::DeleteModule(..) => step["deleteModule"] = json!([d, m]),
            }
            let outcome = run(&mut hub, &step, &json!("random"));
            let code = outcome.as_ref().err().map_or("", |refused| refused.code());
            prop_assert_eq!(code, model.run(&act), "{:?}", act);
            for device in 0..3u8 {
                let record = hub.record(&format!("d{device}"));
                let shown = record.thing().map(|thing| thing.identity.etag.to_string());
                let held = model.devices.get(&device);
                prop_assert_eq!(shown, held.map(|(counter, _)| etag(Some(*counter))));
                for module in 0..2u8 {
                    let life = record.thing().map(|thing| thing.id);
                    let record = hub.module(&format!("d{device}"), &format!("m{module}"));
                    let shown = record.live(life).map(|module| module.etag.to_string());
                    let held = held.and_then(|(_, modules)| modules.get(&module));
                    prop_assert_eq!(shown, held.map(|counter| etag(Some(*counter))));
                }
            }
        }
        // Replay through the stored form equals the live state.
        for events in hub.records.values() {
            let stored: Vec<_> = events.iter()
                .map(|event| thing::Event::from_data(event.event_type(), &event.to_data()).unwrap())
                .collect();
            prop_assert_eq!(replay::<Devices>(&stored), replay::<Devices>(events));
        }
    }
}
