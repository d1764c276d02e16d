//! Twins through both protocols.

use fleet_model::id::{DeviceId, ModuleId, RecordName, ShadowName, ThingName};
use fleet_model::identity;
use fleet_model::kernel::Decider as _;
use fleet_model::thing::{self, Things};
use fleet_model::twin::{
    Condition, Ended, Incarnation, Payload, ShadowLife, Twin, TwinCommand, TwinEvent, TwinKey,
    TwinState, TwinView, Writer, hub, shadow,
};
use serde_json::{Map, Value};

use super::Handle;
use super::convert::Checks;
use crate::fleet::Call;
use crate::log::Loaded;
use crate::operation::{
    DeleteThingShadow, GetThingShadow, GetTwin, GetTwinProperties, ListNamedShadowsForThing,
    ListNamedShadowsForThingResponse, ReplaceTwin, ShadowDocument, UpdateReportedProperties,
    UpdateReportedPropertiesResponse, UpdateThingShadow, UpdateTwin,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// A twin, with the life that its owner is in.
pub(super) struct Held {
    pub(super) key: TwinKey,
    pub(super) loaded: Loaded<Twin>,
    pub(super) owner: Option<Incarnation>,
    /// Whether it ended with its record, and a deletion that was cut short has not told it.
    left: bool,
    identity: hub::IdentityFacts,
}

impl Held {
    /// The twin as it is in its owner's present life.
    pub(super) fn now(&self, call: &Call<'_>) -> TwinState {
        // Whatever an owner that is gone left behind ended with it.
        if self.left {
            let ended = TwinEvent::Ended(Ended { at: call.now });
            return Twin::evolve(self.loaded.state.clone(), &ended);
        }
        let nobody = self
            .loaded
            .state
            .incarnation()
            .map(|_| Incarnation(uuid::Uuid::nil()));
        let life = self.owner.or(nobody);
        self.loaded.state.in_life(life, call.now).into_owned()
    }
}

/// The life that the owner of a twin is in, and what its twin mirrors of its identity.
async fn owner(
    call: &Call<'_>,
    key: &TwinKey,
) -> Result<(Option<Incarnation>, hub::IdentityFacts), Refusal> {
    let name = key.record();
    let loaded = call.load::<Things>(&name.stream()?).await?;
    let Some(thing) = loaded.state.thing() else {
        return Ok((None, hub::IdentityFacts::default()));
    };
    let seen = super::identity::connectivity(call, name).await?;
    match key {
        TwinKey::Module(_, module) => {
            let module = super::identity::find_module(call, thing, module).await?;
            Ok(match module {
                Some(module) => (
                    Some(module.incarnation()),
                    identity::module_facts(&module, &thing.identity, None),
                ),
                None => (None, hub::IdentityFacts::default()),
            })
        }
        _ => Ok((
            Some(Incarnation(thing.id.as_uuid())),
            identity::device_facts(&thing.identity, seen.as_ref()),
        )),
    }
}

pub(super) async fn hold(call: &Call<'_>, key: TwinKey) -> Result<Held, Refusal> {
    let (owner, identity) = owner(call, &key).await?;
    let loaded = call.load::<Twin>(&key.stream()?).await?;
    let left = owner.is_none() && is_left(call, &key).await?;
    Ok(Held {
        key,
        loaded,
        owner,
        left,
        identity,
    })
}

/// Whether the record of a twin, which is gone, ended after the twin's last write: what came later is a shadow without a thing.
async fn is_left(call: &Call<'_>, key: &TwinKey) -> Result<bool, Refusal> {
    let log = &call.fleet.log;
    let written = log.last(&key.stream()?).await?;
    let ended = log.last(&key.record().stream()?).await?;
    Ok(written.is_some() && written < ended)
}

/// Decides a command to a twin and records what follows; the event, if there is one, and the state after it.
pub(super) async fn decide(
    call: &mut Call<'_>,
    held: Held,
    command: TwinCommand,
) -> Result<Held, Refusal> {
    let Held {
        key,
        mut loaded,
        owner,
        left,
        identity,
    } = held;
    let stream = key.stream()?;
    let view = TwinView {
        key: key.clone(),
        incarnation: owner,
    };
    if left || (owner.is_none() && loaded.state.incarnation().is_some()) {
        let end = TwinCommand::End {
            incarnation: loaded.state.incarnation(),
        };
        let ended = Twin::decide(&loaded.state, end, &call.context(&view))?;
        loaded = call.record::<Twin>(&stream, loaded, ended).await?;
    }
    let decision = Twin::decide(&loaded.state, command, &call.context(&view))?;
    let loaded = call.record::<Twin>(&stream, loaded, decision).await?;
    Ok(Held {
        key,
        loaded,
        owner,
        left: false,
        identity,
    })
}

/// Ends the twins of a record that was deleted: its device twin, module twins and named shadows.
pub(super) async fn end_all(call: &mut Call<'_>, thing: &thing::Thing) -> Result<(), Refusal> {
    for key in call.fleet.twins_of(&thing.name).await? {
        end(call, key).await?;
    }
    Ok(())
}

/// Ends what a deletion that was cut short left of a record that is gone, before anything new is recorded of it.
pub(crate) async fn end_left(call: &mut Call<'_>, name: &RecordName) -> Result<(), Refusal> {
    for key in call.fleet.twins_of(name).await? {
        if is_left(call, &key).await? {
            end(call, key).await?;
        }
    }
    Ok(())
}

/// As [`end_left`], where `events` begin a life of a record that had one before.
pub(super) async fn end_earlier(
    call: &mut Call<'_>,
    name: &RecordName,
    before: &Loaded<Things>,
    events: &[thing::Event],
) -> Result<(), Refusal> {
    if before.state.thing().is_none() && before.version.0 > 0 && !events.is_empty() {
        end_left(call, name).await?;
    }
    Ok(())
}

/// Ends the twin of a module that was deleted.
pub(super) async fn end_module(
    call: &mut Call<'_>,
    device: &RecordName,
    module: &ModuleId,
) -> Result<(), Refusal> {
    end(call, TwinKey::Module(device.clone(), module.clone())).await
}

async fn end(call: &mut Call<'_>, key: TwinKey) -> Result<(), Refusal> {
    let stream = key.stream()?;
    let loaded = call.load::<Twin>(&stream).await?;
    let command = TwinCommand::End {
        incarnation: loaded.state.incarnation(),
    };
    let view = TwinView {
        key,
        incarnation: None,
    };
    let ended = Twin::decide(&loaded.state, command, &call.context(&view))?;
    call.record::<Twin>(&stream, loaded, ended).await?;
    Ok(())
}

fn shadow_key(thing: &str, shadow: Option<&str>) -> Result<TwinKey, Refusal> {
    let mut checks = Checks::default();
    let thing = checks.parse::<ThingName>(thing);
    let shadow = checks.parse_option::<ShadowName>(shadow);
    checks.finish()?;
    let record = thing.ok_or_else(Refusal::incomplete)?.record();
    Ok(match shadow {
        Some(shadow) => TwinKey::Shadow(record, shadow),
        None => TwinKey::Device(record),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

impl Handle for GetThingShadow {
    type Answer = ShadowDocument;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let key = shadow_key(&self.thing_name, self.shadow_name.as_deref())?;
        let held = hold(call, key).await?;
        let payload = shadow::document(&held.key, &held.now(call), None)?;
        Ok(ShadowDocument {
            payload: object(payload),
        })
    }
}

impl Handle for UpdateThingShadow {
    type Answer = ShadowDocument;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let key = shadow_key(&self.thing_name, self.shadow_name.as_deref())?;
        let held = hold(call, key).await?;
        let command = TwinCommand::UpdateShadow {
            payload: Payload::Json(self.payload),
        };
        let held = decide(call, held, command).await?;
        let payload = match held.loaded.events.last() {
            Some(TwinEvent::Patched(patched)) => shadow::updated_document(patched),
            _ => shadow::document(&held.key, &held.now(call), None)?,
        };
        Ok(ShadowDocument {
            payload: object(payload),
        })
    }
}

impl Handle for DeleteThingShadow {
    type Answer = ShadowDocument;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let key = shadow_key(&self.thing_name, self.shadow_name.as_deref())?;
        let held = hold(call, key).await?;
        let command = TwinCommand::DeleteShadow { client_token: None };
        let held = decide(call, held, command).await?;
        let payload = match held.loaded.events.last() {
            Some(TwinEvent::ShadowDeleted(deleted)) => shadow::deleted_document(deleted),
            _ => Value::Null,
        };
        Ok(ShadowDocument {
            payload: object(payload),
        })
    }
}

/// The twin of a device or module that exists.
pub(super) async fn hub_twin(
    call: &Call<'_>,
    device: &str,
    module: Option<&str>,
) -> Result<Held, Refusal> {
    let mut checks = Checks::default();
    let device = checks.parse::<DeviceId>(device);
    let module = checks.parse_option::<ModuleId>(module);
    checks.finish()?;
    let record = RecordName::from(device.ok_or_else(Refusal::incomplete)?);
    let key = match module {
        Some(module) => TwinKey::Module(record, module),
        None => TwinKey::Device(record),
    };
    let held = hold(call, key).await?;
    if held.owner.is_none() {
        // A missing module twin is reported as `DeviceNotFound` too (Azure 1.7).
        return Err(super::identity::no_device(held.key.record()));
    }
    Ok(held)
}

fn hub_document(call: &Call<'_>, held: &Held) -> Map<String, Value> {
    object(hub::document(&held.key, &held.now(call), &held.identity))
}

fn condition(if_match: Option<&str>, desired_version: Option<u64>) -> Condition {
    Condition {
        if_match: if_match.and_then(|text| text.parse().ok()),
        desired_version,
        ..Condition::default()
    }
}

impl Handle for GetTwin {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let held = hub_twin(call, &self.device_id, self.module_id.as_deref()).await?;
        Ok(hub_document(call, &held))
    }
}

impl Handle for UpdateTwin {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let held = hub_twin(call, &self.device_id, self.module_id.as_deref()).await?;
        let command = TwinCommand::Patch {
            body: self.body,
            condition: condition(self.if_match.as_deref(), self.expected_desired_version),
            writer: Writer::Service,
        };
        let held = decide(call, held, command).await?;
        Ok(hub_document(call, &held))
    }
}

impl Handle for ReplaceTwin {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let held = hub_twin(call, &self.device_id, self.module_id.as_deref()).await?;
        let command = TwinCommand::Replace {
            body: self.body,
            condition: condition(self.if_match.as_deref(), self.expected_desired_version),
        };
        let held = decide(call, held, command).await?;
        Ok(hub_document(call, &held))
    }
}

impl Handle for UpdateReportedProperties {
    type Answer = UpdateReportedPropertiesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let held = hub_twin(call, &self.device_id, self.module_id.as_deref()).await?;
        let command = TwinCommand::PatchReported {
            body: self.body,
            expected_version: self.expected_version,
        };
        let held = decide(call, held, command).await?;
        Ok(UpdateReportedPropertiesResponse {
            version: held.now(call).reported().version(),
        })
    }
}

impl Handle for GetTwinProperties {
    type Answer = Map<String, Value>;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let held = hub_twin(call, &self.device_id, self.module_id.as_deref()).await?;
        Ok(object(hub::device_document(&held.now(call))))
    }
}

impl Handle for ListNamedShadowsForThing {
    type Answer = ListNamedShadowsForThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let token = self.next_token.as_deref();
        let page = Page::of("named-shadows", token, self.page_size, 100)?;
        let name: ThingName = self.thing_name.parse()?;
        let mut names = Vec::new();
        for key in call.fleet.branches_of(&name.record()).await? {
            let TwinKey::Shadow(_, shadow) = &key else {
                continue;
            };
            let shadow = shadow.to_string();
            let held = hold(call, key).await?;
            if matches!(held.now(call).shadow(), ShadowLife::Live { .. }) {
                names.push((shadow.clone(), shadow));
            }
        }
        names.sort();
        let (results, next_token) = page.cut_all(names);
        Ok(ListNamedShadowsForThingResponse {
            results,
            next_token,
            timestamp: call.now.as_secs(),
        })
    }
}
