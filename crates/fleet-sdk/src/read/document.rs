//! The canonical document of a device, from its streams as they were at one position.
//!
//! What it inherits from groups is not in it: the index resolves that through memberships.

use fleet_model::document::{self, DeviceParts, ThingFacts};
use fleet_model::id::{RecordName, ShadowName};
use fleet_model::identity::{self, ModuleIdentity, Modules};
use fleet_model::kernel::{Position, Timestamp};
use fleet_model::presence::{ClientId, Connectivity, Presences};
use fleet_model::thing::{Thing, Things};
use fleet_model::twin::{Incarnation, Twin, TwinKey, TwinState};
use serde_json::Value;

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

    async fn twin(
        &mut self,
        log: &Log,
        key: &TwinKey,
        life: Option<Incarnation>,
        until: Position,
    ) -> Result<TwinState, Refusal> {
        let state = self.twins.at(log, &key.stream()?, until).await?;
        // The instant only dates what is gone, which no document shows.
        Ok(state.in_life(life, Timestamp::default()).into_owned())
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
        let record = self.things.at(log, &name.stream()?, until).await?;
        let Some(thing) = record.thing().cloned() else {
            return Ok(None);
        };
        let life = Some(Incarnation(thing.id.as_uuid()));
        let device = TwinKey::Device(name.clone());
        let device = self.twin(log, &device, life, until).await?;
        let mut shadows: Vec<(ShadowName, TwinState)> = Vec::new();
        let keys: Vec<TwinKey> = self.streams.twins(name.as_str()).cloned().collect();
        for key in keys {
            if let TwinKey::Shadow(_, shadow) = &key {
                let state = self.twin(log, &key, life, until).await?;
                shadows.push((shadow.clone(), state));
            }
        }
        let connectivity = self.connectivity(log, &name, until).await?;
        let identity = identity::device_facts(&thing.identity, connectivity.as_ref());
        let mut modules = Vec::new();
        for module in self.modules_of(log, &thing, until).await? {
            let key = TwinKey::Module(name.clone(), module.module.clone());
            let life = Some(module.incarnation());
            let state = self.twin(log, &key, life, until).await?;
            let facts = identity::module_facts(&module, &thing.identity, None);
            let document = document::module(&key, &state, &facts);
            modules.push((module.module.to_string(), document));
        }
        modules.sort_by(|(a, _), (b, _)| a.cmp(b));
        let device = document::device(&DeviceParts {
            name: &name,
            thing: name.has_aws_face().then_some(ThingFacts {
                id: thing.id,
                version: thing.version,
                thing_type: thing.thing_type.as_ref(),
            }),
            groups: group_names(&self.catalog, &thing),
            attributes: thing.attributes.iter().collect(),
            identity: &identity,
            twin: &device,
            named_shadows: shadows.iter().map(|(name, state)| (name, state)).collect(),
            connectivity: connectivity.as_ref(),
        });
        Ok(Some(Built { device, modules }))
    }

    /// What is known of a device's connection.
    async fn connectivity(
        &mut self,
        log: &Log,
        name: &RecordName,
        until: Position,
    ) -> Result<Option<Connectivity>, Refusal> {
        let Ok(client) = name.as_str().parse::<ClientId>() else {
            return Ok(None);
        };
        if !self.streams.knows(name.as_str()) {
            return Ok(None);
        }
        let state = self.presences.at(log, &client.stream()?, until).await?;
        Ok(Some(state.connectivity.clone()))
    }

    /// The modules of a device that live, system modules among them.
    async fn modules_of(
        &mut self,
        log: &Log,
        thing: &Thing,
        until: Position,
    ) -> Result<Vec<ModuleIdentity>, Refusal> {
        let mut found = if thing.identity.iot_edge {
            identity::system_modules(&thing.name, thing.id)
        } else {
            Vec::new()
        };
        let known = self.streams.modules(thing.name.as_str());
        let known: Vec<_> = known.cloned().collect();
        for module in known {
            let stream = identity::module_stream(&thing.name, &module)?;
            let record = self.modules.at(log, &stream, until).await?;
            found.extend(record.live(Some(thing.id)).cloned());
        }
        Ok(found)
    }
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
