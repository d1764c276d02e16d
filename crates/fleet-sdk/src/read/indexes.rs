//! The columnar indexes of devices, modules and groups, folded from the log.
//!
//! A document is a function of the present streams of its device, so that what is built little by little
//! equals what is built anew: events say which documents to build again. What members inherit is kept once
//! per group and resolved through memberships, so that a change of a group's attributes is one change here.

use fleet_model::group::Group;
use fleet_model::kernel::{Position, Recorded};
use fleet_model::thing::Event;
use fleet_model::twin::TwinKey;
use fleet_query::index::{Change, Crossing, IndexError, LiveError, Snapshot, WriterIndex};
use fleet_query::predicate::{Condition, Predicate};
use fleet_query::value::Scalar;
use fleet_query::{Collection, FieldPath, Query, profile};
use futures_util::lock::Mutex;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

use super::Model as _;
use super::document::Sources;
use super::live::Live;
use super::saved::{Found, Place};
use crate::log::Log;
use crate::refusal::Refusal;

/// Events that are read at a time.
const PAGE: usize = 4_000;
/// Events, and bytes of them, that one step of a catch-up folds before it builds documents: a device whose events lie near each
/// other in the log is built once, from states that are at hand. An import writes some thousand things, then their twins.
const STEP: usize = 32_768;
const STEP_BYTES: usize = 24 << 20;
/// The categories that documents depend on.
const CATEGORIES: &[&str] = &[
    "thing",
    "twin",
    "module",
    "group",
    "billinggroup",
    "presence",
];

/// The indexes with the position that they have reached.
#[derive(Debug)]
pub(crate) struct Indexes {
    pub(crate) position: Position,
    pub(crate) devices: WriterIndex,
    pub(crate) modules: WriterIndex,
    pub(crate) groups: WriterIndex,
    pub(crate) sources: Sources,
    /// The modules that the index shows, by device.
    shown: BTreeMap<String, BTreeSet<String>>,
}

impl Default for Indexes {
    fn default() -> Self {
        Self {
            position: Position::ZERO,
            devices: WriterIndex::new(Collection::Devices),
            modules: WriterIndex::new(Collection::Modules),
            groups: WriterIndex::new(Collection::Groups),
            sources: Sources::default(),
            shown: BTreeMap::new(),
        }
    }
}

/// What every collection looks like at one position.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) devices: Snapshot,
    pub(crate) modules: Snapshot,
    pub(crate) groups: Snapshot,
}

impl View {
    /// The snapshot of a collection; none for one that the fleet does not keep.
    pub(crate) const fn of(&self, collection: Collection) -> Option<&Snapshot> {
        match collection {
            Collection::Devices => Some(&self.devices),
            Collection::Modules => Some(&self.modules),
            Collection::Groups => Some(&self.groups),
            Collection::Jobs | Collection::Messages => None,
        }
    }
}

/// A change of a direct membership in a static group.
struct Move {
    device: String,
    group: String,
    id: Uuid,
    joined: bool,
}

/// What a run of events asks for.
#[derive(Default)]
struct Pending {
    /// Records whose documents are built again.
    dirty: BTreeSet<String>,
    moves: Vec<Move>,
    events: usize,
    bytes: usize,
}

impl Pending {
    /// Whether it is enough for one step.
    const fn is_step(&self) -> bool {
        self.events >= STEP || self.bytes >= STEP_BYTES
    }
}

/// Devices whose documents are put together.
const TOGETHER: usize = 64;

/// Documents that were built and wait to be put, as JSON texts.
#[derive(Default)]
struct Documents {
    devices: Vec<String>,
    modules: Vec<String>,
}

/// Ignores that something is not there: events of what never came to be seen change nothing.
fn lenient(done: Result<(), IndexError>) -> Result<(), Refusal> {
    match done {
        Err(IndexError::NotFound { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn attributes(group: &Group) -> Map<String, Value> {
    let pairs = group.attributes.iter();
    pairs
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect()
}

impl Indexes {
    /// The indexes as they were saved, without their sources.
    pub(crate) fn of(
        position: Position,
        devices: WriterIndex,
        modules: WriterIndex,
        groups: WriterIndex,
    ) -> Self {
        let mut shown: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let all = modules.snapshot();
        for document in all.documents() {
            let text = |member| document.get(member).and_then(Value::as_str);
            if let (Some(device), Some(module)) = (text("deviceId"), text("moduleId")) {
                let modules = shown.entry(device.to_owned()).or_default();
                modules.insert(module.to_owned());
            }
        }
        Self {
            position,
            devices,
            modules,
            groups,
            sources: Sources::default(),
            shown,
        }
    }

    /// Devices, modules, groups.
    pub(crate) const fn each(&self) -> [&WriterIndex; 3] {
        [&self.devices, &self.modules, &self.groups]
    }

    pub(crate) fn view(&self) -> View {
        View {
            devices: self.devices.snapshot(),
            modules: self.modules.snapshot(),
            groups: self.groups.snapshot(),
        }
    }

    /// Folds the next events of the log, of what lies up to `to`; false when there was nothing to fold.
    ///
    /// Where conditions are watched, every event is a step of its own.
    async fn advance(
        &mut self,
        log: &Log,
        to: Position,
        mut live: Option<&mut Live>,
    ) -> Result<bool, Refusal> {
        let from = self.position;
        let mut pending = Pending::default();
        let mut reached = from;
        while reached < to && !pending.is_step() {
            let page = log.page(reached, PAGE, CATEGORIES).await?;
            let until = page.scanned_to.min(to);
            if until <= reached {
                break;
            }
            reached = until;
            for recorded in page.events.iter().filter(|held| held.position <= until) {
                match &mut live {
                    Some(live) => live.step(self, log, recorded).await?,
                    None => self.note(recorded, &mut pending)?,
                }
            }
            if live.is_some() {
                break;
            }
        }
        if reached > from {
            self.settle(log, &pending, reached).await?;
        }
        Ok(reached > from)
    }

    /// Folds the log up to `to`.
    pub(crate) async fn advance_to(
        &mut self,
        log: &Log,
        to: Position,
        mut live: Option<&mut Live>,
    ) -> Result<(), Refusal> {
        while self.position < to && self.advance(log, to, live.as_deref_mut()).await? {}
        Ok(())
    }

    /// Folds events that end at `until`, as one step: what lies between them is not seen. Gives the records whose
    /// documents it built.
    pub(crate) async fn fold(
        &mut self,
        log: &Log,
        events: &[Recorded],
        until: Position,
    ) -> Result<BTreeSet<String>, Refusal> {
        let mut pending = Pending::default();
        for recorded in events {
            self.note(recorded, &mut pending)?;
        }
        self.settle(log, &pending, until).await?;
        Ok(pending.dirty)
    }

    /// Builds the documents that were asked for, as they are at `until`.
    async fn settle(
        &mut self,
        log: &Log,
        pending: &Pending,
        until: Position,
    ) -> Result<(), Refusal> {
        let mut built = Documents::default();
        for name in &pending.dirty {
            self.renew(log, name, until, &mut built).await?;
            if built.devices.len() >= TOGETHER {
                self.put(&mut built)?;
            }
        }
        self.put(&mut built)?;
        for step in &pending.moves {
            self.step(step)?;
        }
        self.sources.trim();
        self.position = until;
        for index in [&mut self.devices, &mut self.modules, &mut self.groups] {
            index.apply(until.0, None, &Change::Nothing)?;
        }
        Ok(())
    }

    /// The modules that are shown of a device.
    pub(crate) fn modules_of(&self, device: &str) -> impl Iterator<Item = &String> {
        self.shown.get(device).into_iter().flatten()
    }

    fn note(&mut self, recorded: &Recorded, pending: &mut Pending) -> Result<(), Refusal> {
        let key = recorded.stream.raw_key();
        pending.events += 1;
        pending.bytes += recorded.event.data.len();
        self.sources.streams.note(recorded);
        match recorded.stream.category() {
            "thing" => {
                for event in self.sources.things.fold(recorded)? {
                    self.note_thing(event, &key, pending)?;
                }
            }
            "twin" => {
                self.sources.twins.fold(recorded)?;
                if let Some(key) = TwinKey::of_stream(&recorded.stream) {
                    pending.dirty.insert(key.record().as_str().to_owned());
                }
            }
            "presence" => {
                self.sources.presences.fold(recorded)?;
                pending.dirty.insert(key);
            }
            "module" => {
                self.sources.modules.fold(recorded)?;
                let device = key.split_once('/').map_or("", |(device, _)| device);
                pending.dirty.insert(device.to_owned());
            }
            "group" => self.note_group(recorded, &key, pending)?,
            _ => {
                let catalog = &mut self.sources.catalog;
                let lives = |catalog: &super::Catalog| {
                    let found = catalog.billing.get(&key);
                    found.is_some_and(|record| record.billing_group().is_some())
                };
                let before = lives(catalog);
                catalog.fold(recorded)?;
                if before && !lives(catalog) {
                    self.members(&key, pending)?;
                }
            }
        }
        Ok(())
    }

    fn note_thing(
        &mut self,
        event: Event,
        name: &str,
        pending: &mut Pending,
    ) -> Result<(), Refusal> {
        match event {
            Event::PrincipalAttached(_) | Event::PrincipalDetached(_) => return Ok(()),
            Event::Deleted(_) => {
                pending.moves.retain(|step| step.device != name);
                self.remove(name)?;
            }
            Event::JoinedGroup(joined) => pending.moves.push(Move {
                device: name.to_owned(),
                group: joined.membership.group.group_name.to_string(),
                id: joined.membership.group.group_id.as_uuid(),
                joined: true,
            }),
            Event::LeftGroup(left) => pending.moves.push(Move {
                device: name.to_owned(),
                group: left.membership.group.group_name.to_string(),
                id: left.membership.group.group_id.as_uuid(),
                joined: false,
            }),
            _ => {}
        }
        pending.dirty.insert(name.to_owned());
        Ok(())
    }

    fn note_group(
        &mut self,
        recorded: &Recorded,
        name: &str,
        pending: &mut Pending,
    ) -> Result<(), Refusal> {
        let catalog = &mut self.sources.catalog;
        let before = catalog.group(name).map(|group| group.id);
        catalog.fold(recorded)?;
        let group = catalog.group(name);
        let after = group.map(|group| group.id);
        if let Some(group) = group {
            let parent = group.parent().map(|parent| parent.group_name.to_string());
            let (is_static, attributes) = (!group.is_dynamic(), attributes(group));
            let document = super::catalog::document(group).to_string();
            let put = Change::Put {
                document: &document,
            };
            self.groups.change(&put)?;
            if is_static {
                let group = Change::Group {
                    name,
                    parent: parent.as_deref(),
                    attributes: &attributes,
                };
                self.devices.change(&group)?;
            }
        }
        if before.is_some() && before != after {
            pending.moves.retain(|step| step.group != name);
            self.members(name, pending)?;
            lenient(self.devices.change(&Change::DropGroup { name }))?;
            lenient(self.groups.change(&Change::Delete { id: name }))?;
        }
        Ok(())
    }

    /// Every device that names a group has its document built again.
    fn members(&self, group: &str, pending: &mut Pending) -> Result<(), Refusal> {
        let named = Predicate::ArrayContains {
            path: FieldPath::of(["thingGroupNames"]),
            value: Scalar::Text(group.into()),
        };
        let condition = Condition::new(&profile::IOT_HUB, named);
        let snapshot = self.devices.snapshot().with_budget(u64::MAX);
        let ids = snapshot.ids(&condition)?;
        pending.dirty.extend(ids.iter().map(ToString::to_string));
        Ok(())
    }

    fn put(&mut self, documents: &mut Documents) -> Result<(), Refusal> {
        let Documents { devices, modules } = std::mem::take(documents);
        self.devices.put_all(devices.iter().map(String::as_str))?;
        self.modules.put_all(modules.iter().map(String::as_str))?;
        Ok(())
    }

    /// Builds a record's documents again, to be put with those of the others; or removes them.
    async fn renew(
        &mut self,
        log: &Log,
        name: &str,
        until: Position,
        documents: &mut Documents,
    ) -> Result<(), Refusal> {
        let Some(built) = self.sources.build(log, name, until).await? else {
            return self.remove(name);
        };
        documents.devices.push(built.device.to_string());
        if built.modules.is_empty() && !self.shown.contains_key(name) {
            return Ok(());
        }
        let mut now = BTreeSet::new();
        for (module, document) in built.modules {
            documents.modules.push(document.to_string());
            now.insert(module);
        }
        let before = self.shown.remove(name).unwrap_or_default();
        for module in before.difference(&now) {
            self.remove_module(name, module)?;
        }
        if !now.is_empty() {
            self.shown.insert(name.to_owned(), now);
        }
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), Refusal> {
        lenient(self.devices.change(&Change::Delete { id: name }))?;
        for module in self.shown.remove(name).unwrap_or_default() {
            self.remove_module(name, &module)?;
        }
        Ok(())
    }

    fn remove_module(&mut self, device: &str, module: &str) -> Result<(), Refusal> {
        let id = format!("{device}/{module}");
        lenient(self.modules.change(&Change::Delete { id: &id }))
    }

    fn step(&mut self, step: &Move) -> Result<(), Refusal> {
        let live = self.sources.catalog.group(&step.group);
        if !live.is_some_and(|group| group.id.as_uuid() == step.id && !group.is_dynamic()) {
            return Ok(());
        }
        let (id, group) = (step.device.as_str(), step.group.as_str());
        lenient(self.devices.change(&if step.joined {
            Change::Join { id, group }
        } else {
            Change::Leave { id, group }
        }))
    }
}

/// Where the indexes that answer came from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IndexOrigin {
    /// The position of the saved index that was opened; none when the log was read from its beginning.
    pub opened_at: Option<u64>,
    /// Why no saved index was opened, where one was looked for.
    pub not_opened: Option<String>,
    /// The position that the saved index has now, or 0.
    pub saved_at: u64,
}

/// The indexes behind one door: caught up whenever somebody asks.
#[derive(Debug, Default)]
pub(crate) struct IndexFollower {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    indexes: Indexes,
    /// The watched conditions, where there are any.
    live: Option<Live>,
    origin: IndexOrigin,
    /// Whether a saved index was looked for.
    looked: bool,
}

/// Hears of the position reached and of the log's end.
type Told<'a> = &'a mut (dyn FnMut(u64, u64) + Send);

/// A saved index is renewed once the log has grown by this part of it since.
const RENEWED_AT: u64 = 16;

impl IndexFollower {
    /// Catches up, then gives what there is.
    ///
    /// While it catches up the indexes are taken out: a catch-up that fails or is dropped half-way leaves
    /// none behind, and the next one begins anew.
    pub(crate) async fn view(&self, log: &Log, place: Option<&Place>) -> Result<View, Refusal> {
        let mut held = self.held.lock().await;
        held.catch_up(log, place, &mut |_, _| {}).await?;
        Ok(held.indexes.view())
    }

    /// Catches up, telling of the position reached and of the log's end.
    pub(crate) async fn catch_up(
        &self,
        log: &Log,
        place: Option<&Place>,
        told: Told<'_>,
    ) -> Result<(), Refusal> {
        self.held.lock().await.catch_up(log, place, told).await
    }

    /// Watches a condition from `from` on, or from the log's end: the set there. It is read again from the log's
    /// beginning where the indexes have gone beyond.
    pub(crate) async fn watch(
        &self,
        log: &Log,
        place: Option<&Place>,
        watch: (&str, &Query),
        from: Option<Position>,
    ) -> Result<(Position, Vec<String>), Refusal> {
        let mut held = self.held.lock().await;
        let head = log.head().await?;
        let from = from.unwrap_or(head);
        if from > head {
            let message = format!("the log ends at position {head}, before {from}");
            return Err(Refusal::new("request.invalid", message));
        }
        let mut live = held.live.take();
        let mut indexes = held.begin(log, place).await?;
        if indexes.position > from {
            if live.is_some() {
                let position = indexes.position.0;
                (held.indexes, held.live) = (indexes, live);
                return Err(LiveError::Forgotten {
                    asked: from.0,
                    forgotten: position,
                }
                .into());
            }
            held.origin = IndexOrigin::default();
            indexes = Indexes::default();
        }
        indexes.advance_to(log, from, live.as_mut()).await?;
        let mut live = live.unwrap_or_default();
        let (name, query) = watch;
        let found = live.watch(name, query, &indexes);
        let position = indexes.position;
        held.indexes = indexes;
        held.live = (!live.is_empty()).then_some(live);
        Ok((position, found?))
    }

    /// Catches up, then gives what crossed after a position, in order.
    pub(crate) async fn crossings(
        &self,
        log: &Log,
        place: Option<&Place>,
        after: Position,
    ) -> Result<(Position, Vec<Crossing>), Refusal> {
        let mut held = self.held.lock().await;
        held.catch_up(log, place, &mut |_, _| {}).await?;
        let position = held.indexes.position;
        let found = match &held.live {
            Some(live) => live.since(after)?,
            None => Vec::new(),
        };
        Ok((position, found))
    }

    /// Ends a watch; whether there was one.
    pub(crate) async fn unwatch(&self, name: &str) -> bool {
        let mut held = self.held.lock().await;
        let Some(live) = &mut held.live else {
            return false;
        };
        let was = live.unwatch(name);
        if live.is_empty() {
            held.live = None;
        }
        was
    }

    pub(crate) async fn origin(&self) -> IndexOrigin {
        self.held.lock().await.origin.clone()
    }

    /// Catches up and saves what was folded, where it is worth it; whether it was.
    pub(crate) async fn save(&self, log: &Log, place: &Place) -> Result<bool, Refusal> {
        let mut held = self.held.lock().await;
        held.catch_up(log, Some(place), &mut |_, _| {}).await?;
        let (position, saved) = (held.indexes.position.0, held.origin.saved_at);
        if position.saturating_sub(saved) <= saved / RENEWED_AT {
            return Ok(false);
        }
        place.save(log, &held.indexes).await?;
        held.origin.saved_at = position;
        Ok(true)
    }
}

impl Held {
    async fn catch_up(
        &mut self,
        log: &Log,
        place: Option<&Place>,
        told: Told<'_>,
    ) -> Result<(), Refusal> {
        let head = log.head().await?;
        if self.indexes.position >= head {
            return Ok(());
        }
        let mut live = self.live.take();
        let mut indexes = self.begin(log, place).await?;
        let mut anew = live.is_none() && indexes.position > Position::ZERO;
        while indexes.position < head {
            match indexes.advance(log, head, live.as_mut()).await {
                Ok(true) => told(indexes.position.0, head.0),
                Ok(false) => break,
                // Paths that documents once had are forgotten when the present ones are read anew.
                Err(error) if anew && error.code == "query.too_many_paths" => {
                    (indexes, anew) = (Indexes::default(), false);
                    self.origin = IndexOrigin::default();
                }
                Err(error) => return Err(error),
            }
        }
        (self.indexes, self.live) = (indexes, live);
        Ok(())
    }

    /// The indexes as they are, or as they were saved where they are at the log's beginning.
    async fn begin(&mut self, log: &Log, place: Option<&Place>) -> Result<Indexes, Refusal> {
        let indexes = std::mem::take(&mut self.indexes);
        if indexes.position > Position::ZERO {
            return Ok(indexes);
        }
        let looked = std::mem::replace(&mut self.looked, true);
        let Some(place) = place.filter(|_| !looked) else {
            return Ok(indexes);
        };
        match place.load(log).await? {
            Found::Indexes(found) => {
                self.origin.opened_at = Some(found.position.0);
                self.origin.saved_at = found.position.0;
                Ok(*found)
            }
            Found::Nothing(reason) => {
                self.origin.not_opened = Some(reason);
                Ok(indexes)
            }
        }
    }
}
