//! The canonical documents that queries read, as compact JSON.
//!
//! A document is a function of the present streams of its device and groups, so that what is built
//! little by little equals what is built anew. Events only say which documents to build again.

use fleet_model::document::{self, DeviceParts, ThingFacts};
use fleet_model::group;
use fleet_model::id::{RecordName, ShadowName};
use fleet_model::identity::{self, ModuleIdentity, Modules};
use fleet_model::kernel::{Position, Recorded};
use fleet_model::presence::{ClientId, Connectivity, Presences};
use fleet_model::thing::{self, Thing, Things};
use fleet_model::twin::{Incarnation, Twin, TwinKey, TwinState};
use futures_util::lock::Mutex;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock};
use uuid::Uuid;

use crate::fleet::Fleet;
use crate::log::{Loaded, decode_family};
use crate::refusal::Refusal;

/// The documents of one record, and what they depend on besides its own streams.
#[derive(Clone, Debug, PartialEq)]
struct Entry {
    device: Box<[u8]>,
    modules: Vec<(String, Box<[u8]>)>,
    groups: Vec<Uuid>,
}

/// Every document, in the order of ids.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Documents {
    entries: BTreeMap<String, Entry>,
    members: BTreeMap<Uuid, BTreeSet<String>>,
}

impl Documents {
    fn put(&mut self, name: &str, entry: Option<Entry>) {
        let old = match entry {
            Some(entry) => {
                for group in &entry.groups {
                    let members = self.members.entry(*group).or_default();
                    members.insert(name.to_owned());
                }
                let kept = entry.groups.clone();
                let old = self.entries.insert(name.to_owned(), entry);
                old.map(|old| (old, kept))
            }
            None => self.entries.remove(name).map(|old| (old, Vec::new())),
        };
        let Some((old, kept)) = old else { return };
        for group in old.groups.iter().filter(|group| !kept.contains(group)) {
            if let Some(members) = self.members.get_mut(group) {
                members.remove(name);
                if members.is_empty() {
                    self.members.remove(group);
                }
            }
        }
    }

    /// Device documents in the order of their ids, after `id` where one is given.
    pub(crate) fn devices(&self, after: Option<&str>) -> impl Iterator<Item = Value> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.entries
            .range::<str, _>((from, Bound::Unbounded))
            .filter_map(|(_, entry)| serde_json::from_slice(&entry.device).ok())
    }

    /// Module documents in the order of their devices and ids, after a device and module where given.
    pub(crate) fn modules(&self, after: Option<(&str, &str)>) -> impl Iterator<Item = Value> {
        let from = after.map_or(Bound::Unbounded, |(device, _)| Bound::Included(device));
        self.entries
            .range::<str, _>((from, Bound::Unbounded))
            .flat_map(|(device, entry)| entry.modules.iter().map(move |row| (device, row)))
            .filter(move |(device, (module, _))| {
                after.is_none_or(|after| (device.as_str(), module.as_str()) > after)
            })
            .filter_map(|(_, (_, bytes))| serde_json::from_slice(bytes).ok())
    }
}

/// The documents with the position that they have reached.
#[derive(Debug, Default)]
pub(crate) struct DocumentsFollower {
    gate: Mutex<()>,
    held: RwLock<(Documents, Position)>,
}

const PAGE: usize = 4_000;
const CATEGORIES: &[&str] = &[
    "thing",
    "twin",
    "module",
    "group",
    "billinggroup",
    "presence",
];

/// States folded from the events of one page, so that a long catch-up loads few streams.
#[derive(Default)]
struct Scratch {
    things: HashMap<String, thing::Record>,
    twins: HashMap<TwinKey, TwinState>,
}

impl DocumentsFollower {
    /// Catches up, then reads the documents.
    pub(crate) async fn read<T>(
        &self,
        fleet: &Fleet,
        read: impl FnOnce(&Documents) -> T + Send,
    ) -> Result<T, Refusal> {
        let head = fleet.log.head().await?;
        if self.position() < head {
            let _one = self.gate.lock().await;
            while self.position() < head {
                let from = self.position();
                self.advance(fleet).await?;
                if self.position() == from {
                    break;
                }
            }
        }
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        Ok(read(&held.0))
    }

    fn position(&self) -> Position {
        self.held.read().unwrap_or_else(PoisonError::into_inner).1
    }

    async fn advance(&self, fleet: &Fleet) -> Result<(), Refusal> {
        let page = fleet.log.page(self.position(), PAGE, CATEGORIES).await?;
        let mut dirty = BTreeSet::new();
        let mut scratch = Scratch::default();
        for recorded in &page.events {
            match recorded.stream.category() {
                "thing" => {
                    scratch.thing(fleet, recorded).await?;
                    dirty.insert(recorded.stream.raw_key());
                }
                "twin" => {
                    if let Some(key) = TwinKey::of_stream(&recorded.stream) {
                        dirty.insert(key.record().as_str().to_owned());
                        scratch.twin(fleet, recorded, key).await?;
                    }
                }
                "presence" => {
                    dirty.insert(recorded.stream.raw_key());
                }
                "module" => {
                    let key = recorded.stream.raw_key();
                    let device = key.split_once('/').map_or("", |(device, _)| device);
                    dirty.insert(device.to_owned());
                }
                _ => self.of_group(fleet, recorded, &mut dirty).await?,
            }
        }
        let mut built = Vec::with_capacity(dirty.len());
        for name in dirty {
            let entry = build(fleet, &scratch, &name).await?;
            built.push((name, entry));
        }
        let mut held = self.held.write().unwrap_or_else(PoisonError::into_inner);
        for (name, entry) in built {
            held.0.put(&name, entry);
        }
        held.1 = held.1.max(page.scanned_to);
        Ok(())
    }

    /// Members of a group that changed, and of those below it, which inherit from it.
    async fn of_group(
        &self,
        fleet: &Fleet,
        recorded: &Recorded,
        dirty: &mut BTreeSet<String>,
    ) -> Result<(), Refusal> {
        let data: Value = serde_json::from_slice(&recorded.event.data).unwrap_or_default();
        let ids: Vec<Uuid> = match recorded.event.event_type.as_str() {
            "group.updated" => {
                let name = recorded.stream.raw_key();
                fleet
                    .catalog(|catalog| {
                        let groups = catalog.subtree(&name);
                        groups.iter().map(|group| group.id.as_uuid()).collect()
                    })
                    .await?
            }
            "group.deleted" => id_of(&data, "thingGroupId").into_iter().collect(),
            "billing_group.deleted" => id_of(&data, "billingGroupId").into_iter().collect(),
            _ => Vec::new(),
        };
        let held = self.held.read().unwrap_or_else(PoisonError::into_inner);
        for id in ids {
            dirty.extend(held.0.members.get(&id).into_iter().flatten().cloned());
        }
        Ok(())
    }
}

fn id_of(data: &Value, member: &str) -> Option<Uuid> {
    data.get(member)?.as_str()?.parse().ok()
}

impl Scratch {
    async fn thing(&mut self, fleet: &Fleet, recorded: &Recorded) -> Result<(), Refusal> {
        use fleet_model::kernel::Decider as _;
        let name = recorded.stream.raw_key();
        if recorded.version.0 == 1 {
            self.things.insert(name.clone(), thing::Record::Absent);
        }
        let Some(mut state) = self.things.remove(&name) else {
            return Ok(());
        };
        let _ = fleet;
        for event in decode_family::<thing::Event>(recorded)? {
            state = Things::evolve(state, &event);
        }
        self.things.insert(name, state);
        Ok(())
    }

    async fn twin(
        &mut self,
        fleet: &Fleet,
        recorded: &Recorded,
        key: TwinKey,
    ) -> Result<(), Refusal> {
        use fleet_model::kernel::Decider as _;
        if recorded.version.0 == 1 {
            self.twins.insert(key.clone(), TwinState::default());
        }
        let Some(mut state) = self.twins.remove(&key) else {
            return Ok(());
        };
        let _ = fleet;
        for event in decode_family(recorded)? {
            state = Twin::evolve(state, &event);
        }
        self.twins.insert(key, state);
        Ok(())
    }
}

async fn twin_state(fleet: &Fleet, scratch: &Scratch, key: &TwinKey) -> Result<TwinState, Refusal> {
    if let Some(state) = scratch.twins.get(key) {
        return Ok(state.clone());
    }
    let loaded: Loaded<Twin> = fleet.log.load(&key.stream()?).await?;
    Ok(loaded.state)
}

/// The documents of a record; none where nothing lives under its name.
async fn build(fleet: &Fleet, scratch: &Scratch, name: &str) -> Result<Option<Entry>, Refusal> {
    let Ok(name) = name.parse::<RecordName>() else {
        return Ok(None);
    };
    let record = match scratch.things.get(name.as_str()) {
        Some(record) => record.clone(),
        None => fleet.log.load::<Things>(&name.stream()?).await?.state,
    };
    let Some(thing) = record.thing() else {
        return Ok(None);
    };
    let life = Some(Incarnation(thing.id.as_uuid()));
    let now = fleet.options.clock.now();
    let device = twin_state(fleet, scratch, &TwinKey::Device(name.clone())).await?;
    let device = device.in_life(life, now).into_owned();
    let mut shadows: Vec<(ShadowName, TwinState)> = Vec::new();
    let mut modules = Vec::new();
    for key in fleet.branches_of(&name).await? {
        let state = twin_state(fleet, scratch, &key).await?;
        match &key {
            TwinKey::Shadow(_, shadow) => {
                shadows.push((shadow.clone(), state.in_life(life, now).into_owned()));
            }
            TwinKey::Module(..) => {}
            TwinKey::Device(_) => {}
        }
    }
    let connectivity = connectivity(fleet, &name).await?;
    let identity = identity::device_facts(&thing.identity, connectivity.as_ref());
    for module in modules_of(fleet, thing).await? {
        let key = TwinKey::Module(name.clone(), module.module.clone());
        let state = twin_state(fleet, scratch, &key).await?;
        let state = state.in_life(Some(module.incarnation()), now).into_owned();
        let facts = identity::module_facts(&module, &thing.identity, None);
        let document = document::module(&key, &state, &facts);
        modules.push((module.module.to_string(), compact(&document)));
    }
    modules.sort();
    let (groups, document) = fleet
        .catalog(|catalog| {
            let inherited = Inherited::of(catalog, thing);
            let references: Vec<_> = inherited
                .layers
                .iter()
                .map(|group| (group.reference(), *group))
                .collect();
            let layers = references.iter().map(|(reference, group)| group::Layer {
                group: reference,
                depth: group.depth(),
                attributes: &group.attributes,
            });
            let effective = group::effective(&thing.attributes, layers);
            let document = document::device(&DeviceParts {
                name: &name,
                thing: name.has_aws_face().then_some(ThingFacts {
                    id: thing.id,
                    version: thing.version,
                    thing_type: thing.thing_type.as_ref(),
                }),
                groups: inherited.names,
                attributes: effective.iter().map(|(name, e)| (*name, e.value)).collect(),
                identity: &identity,
                twin: &device,
                named_shadows: shadows.iter().map(|(name, state)| (name, state)).collect(),
                connectivity: connectivity.as_ref(),
            });
            (inherited.ids, compact(&document))
        })
        .await?;
    Ok(Some(Entry {
        device: document,
        modules,
        groups,
    }))
}

/// What is known of a device's connection.
async fn connectivity(fleet: &Fleet, name: &RecordName) -> Result<Option<Connectivity>, Refusal> {
    let Ok(client) = name.as_str().parse::<ClientId>() else {
        return Ok(None);
    };
    if !fleet.presence(|all| all.knows(name.as_str())).await? {
        return Ok(None);
    }
    let loaded: Loaded<Presences> = fleet.log.load(&client.stream()?).await?;
    Ok(Some(loaded.state.connectivity))
}

/// The modules of a device that live, system modules among them.
async fn modules_of(fleet: &Fleet, thing: &Thing) -> Result<Vec<ModuleIdentity>, Refusal> {
    let mut found = if thing.identity.iot_edge {
        identity::system_modules(&thing.name, thing.id)
    } else {
        Vec::new()
    };
    let ids: Vec<_> = fleet
        .identities(|all| all.modules(thing.name.as_str()).cloned().collect())
        .await?;
    for module in ids {
        let stream = identity::module_stream(&thing.name, &module)?;
        let loaded: Loaded<Modules> = fleet.log.load(&stream).await?;
        found.extend(loaded.state.live(Some(thing.id)).cloned());
    }
    Ok(found)
}

fn compact(document: &Value) -> Box<[u8]> {
    serde_json::to_vec(document).unwrap_or_default().into()
}

/// What a thing has of its groups.
struct Inherited<'c> {
    names: Vec<&'c str>,
    ids: Vec<Uuid>,
    layers: Vec<&'c group::Group>,
}

impl<'c> Inherited<'c> {
    fn of(catalog: &'c super::Catalog, thing: &Thing) -> Self {
        let mut found = Self {
            names: Vec::new(),
            ids: Vec::new(),
            layers: Vec::new(),
        };
        let mut layers: BTreeMap<_, &group::Group> = BTreeMap::new();
        for held in &thing.groups {
            let live = catalog.group(held.group.group_name.as_str());
            let Some(group) = live.filter(|group| group.id == held.group.group_id) else {
                continue;
            };
            found.names.push(group.name.as_str());
            found.ids.push(group.id.as_uuid());
            if group.is_dynamic() {
                continue;
            }
            layers.insert(group.id, group);
            for above in group.ancestors() {
                if let Some(above) = catalog.group(above.group_name.as_str()) {
                    layers.insert(above.id, above);
                }
            }
        }
        if let Some(held) = &thing.billing_group {
            let live = catalog.billing.get(held.billing_group_name.as_str());
            let live = live.and_then(|record| record.billing_group());
            if let Some(group) = live.filter(|group| group.id == held.billing_group_id) {
                found.names.push(group.name.as_str());
                found.ids.push(group.id.as_uuid());
            }
        }
        found.layers = layers.into_values().collect();
        found
    }
}
