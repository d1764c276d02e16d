//! The canonical document of a device, from its streams as they were at one position.
//!
//! What it inherits from groups is not in it: the index resolves that through memberships.

use fleet_model::document::{self, DeviceParts, ThingFacts};
use fleet_model::id::{RecordName, ShadowName};
use fleet_model::identity::{self, ModuleIdentity, Modules};
use fleet_model::kernel::{NameError, Position, Timestamp};
use fleet_model::presence::{ClientId, Presences};
use fleet_model::thing::{self, Thing, Things};
use fleet_model::twin::{Incarnation, Twin, TwinKey, TwinState};
use serde_json::Value;
use std::borrow::Cow;

use super::Catalog;
use super::recent::Recent;
use super::streams::Streams;
use crate::log::Log;
use crate::refusal::Refusal;

/// What documents are made of: small models of everything, and the states of the streams at hand.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    pub(crate) catalog: Catalog,
    pub(crate) streams: Streams,
    pub(crate) things: Recent<Things>,
    pub(crate) twins: Recent<Twin>,
    pub(crate) modules: Recent<Modules>,
    pub(crate) presences: Recent<Presences>,
}

/// The documents of a record.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) device: Value,
    /// By module id, ascending.
    pub(crate) modules: Vec<(String, Value)>,
}

impl Sources {
    pub(crate) fn trim(&mut self) {
        self.things.trim();
        self.twins.trim();
        self.modules.trim();
        self.presences.trim();
    }

    /// The documents of a record as the log had them at `until`; none where nothing lives under its name.
    pub(crate) async fn build(
        &mut self,
        log: &Log,
        name: &str,
        until: Position,
    ) -> Result<Option<Built>, Refusal> {
        let Ok(name) = name.parse::<RecordName>() else {
            return Ok(None);
        };
        let Self {
            catalog,
            streams,
            things,
            twins,
            modules,
            presences,
        } = self;
        let stream = name.stream()?;
        things.have(log, &stream, until).await?;
        let Some(thing) = things.get(&stream).and_then(thing::Record::thing) else {
            return Ok(None);
        };
        let device = TwinKey::Device(name.clone());
        twins.have(log, &device.stream()?, until).await?;
        for key in streams.twins(name.as_str()) {
            twins.have(log, &key.stream()?, until).await?;
        }
        let client = client(streams, &name);
        if let Some(client) = &client {
            presences.have(log, &client.stream()?, until).await?;
        }
        for module in streams.modules(name.as_str()) {
            let stream = identity::module_stream(&thing.name, module)?;
            modules.have(log, &stream, until).await?;
        }

        let life = Some(Incarnation(thing.id.as_uuid()));
        let fresh = TwinState::default();
        // The instant only dates what is gone, which no document shows.
        let state = |key: &TwinKey, life| {
            let state = twins.get(&key.stream()?).unwrap_or(&fresh);
            Ok::<_, NameError>(state.in_life(life, Timestamp::default()))
        };
        let mut shadows: Vec<(ShadowName, Cow<'_, TwinState>)> = Vec::new();
        for key in streams.twins(name.as_str()) {
            if let TwinKey::Shadow(_, shadow) = key {
                shadows.push((shadow.clone(), state(key, life)?));
            }
        }
        let presence = match &client {
            Some(client) => presences.get(&client.stream()?),
            None => None,
        };
        let connectivity = presence.map(|presence| &presence.connectivity);
        let identity = identity::device_facts(&thing.identity, connectivity);
        let mut built = Vec::new();
        for module in live_modules(streams, modules, thing)? {
            let key = TwinKey::Module(name.clone(), module.module.clone());
            let state = state(&key, Some(module.incarnation()))?;
            let facts = identity::module_facts(&module, &thing.identity, None);
            let document = document::module(&key, &state, &facts);
            built.push((module.module.to_string(), document));
        }
        built.sort_by(|(a, _), (b, _)| a.cmp(b));
        let device = document::device(&DeviceParts {
            name: &name,
            thing: name.has_aws_face().then_some(ThingFacts {
                id: thing.id,
                version: thing.version,
                thing_type: thing.thing_type.as_ref(),
            }),
            groups: group_names(catalog, thing),
            attributes: thing.attributes.iter().collect(),
            identity: &identity,
            twin: &*state(&device, life)?,
            named_shadows: shadows
                .iter()
                .map(|(name, state)| (name, &**state))
                .collect(),
            connectivity,
        });
        Ok(Some(Built {
            device,
            modules: built,
        }))
    }
}

/// Whose presence is the device's, where anything was ever told of it.
fn client(streams: &Streams, name: &RecordName) -> Option<ClientId> {
    let client = name.as_str().parse().ok()?;
    streams.knows(name.as_str()).then_some(client)
}

/// The modules of a device that live, system modules among them.
fn live_modules(
    streams: &Streams,
    modules: &Recent<Modules>,
    thing: &Thing,
) -> Result<Vec<ModuleIdentity>, NameError> {
    let mut found = if thing.identity.iot_edge {
        identity::system_modules(&thing.name, thing.id)
    } else {
        Vec::new()
    };
    for module in streams.modules(thing.name.as_str()) {
        let record = modules.get(&identity::module_stream(&thing.name, module)?);
        found.extend(
            record
                .and_then(|record| record.live(Some(thing.id)))
                .cloned(),
        );
    }
    Ok(found)
}

/// The names of a thing's groups that live: static and dynamic, in the order of joining, then its billing group.
fn group_names<'c>(catalog: &'c Catalog, thing: &Thing) -> Vec<&'c str> {
    let mut names = Vec::new();
    for held in &thing.groups {
        let live = catalog.group(held.group.group_name.as_str());
        if let Some(group) = live.filter(|group| group.id == held.group.group_id) {
            names.push(group.name.as_str());
        }
    }
    if let Some(held) = &thing.billing_group {
        let live = catalog.billing.get(held.billing_group_name.as_str());
        let live = live.and_then(|record| record.billing_group());
        if let Some(group) = live.filter(|group| group.id == held.billing_group_id) {
            names.push(group.name.as_str());
        }
    }
    names
}
