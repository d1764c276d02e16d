//! An import on its way: batches in flight while the next lines are read.

use fleet_model::id::RecordName;
use fleet_model::identity::{DeviceAction, DeviceCommand, DeviceView, Devices, Status};
use fleet_model::kernel::{Decider as _, EventId, EventType, StreamVersion};
use fleet_model::thing::{self, DynamicGroups, ThingError, Things, UpdateGroups};
use fleet_model::twin::{Draft, Incarnation, Section, Twin, TwinKey, TwinView, hub};
use fleet_store::port::{Append, Appended, Expected, StoreError};
use futures_util::future::{BoxFuture, FutureExt as _, ready};
use futures_util::lock::MutexGuard;
use serde_json::{Map, Value};
use std::collections::{HashSet, VecDeque};
use std::future::poll_fn;
use std::task::Poll;
use uuid::Uuid;

use super::line::{Device, Document, Quick};
use super::{Existing, Fate, ImportOptions, ImportReport, ImportWatch};
use crate::Service;
use crate::facts::Facts;
use crate::fleet::Call;
use crate::handler::twin::end_left;
use crate::refusal::Refusal;

/// Batches after which other decisions get their turn, when what they decide of was looked at.
const ROUNDS: usize = 16;
/// Batches in flight: the store always has the next one, and its longer pauses (merging an index) do not stop the judging.
const FLIGHTS: usize = 6;

/// A line that was judged, on its way into the store.
struct Held {
    line: u64,
    text: String,
    name: RecordName,
    /// The id of the thing that the line makes.
    made: Uuid,
    twin: Option<Append>,
}

type Answers = Vec<Result<Appended, StoreError>>;

/// What the store was asked: the things of one batch, and the twins of an earlier one whose things are there.
struct Flight {
    answers: BoxFuture<'static, Answers>,
    twins: Vec<(Held, Fate)>,
    things: Vec<Held>,
}

pub(super) struct Run<'f, 'w> {
    call: Call<'f>,
    facts: Facts,
    options: ImportOptions,
    report: ImportReport,
    watch: &'w mut dyn ImportWatch,
    quick: Quick,
    batch: Vec<(Held, Append)>,
    flights: VecDeque<Flight>,
    /// Lines whose devices are there already: they are settled one by one.
    left: Vec<(u64, String)>,
    /// Devices that are in the batch, in flight or left.
    names: HashSet<RecordName>,
    /// Held from the first line that joins groups or has a type until that is recorded: `facts` hold as long.
    lock: Option<MutexGuard<'f, ()>>,
    rounds: usize,
    replaced: EventType,
}

fn decide_device(
    call: &Call<'_>,
    record: &thing::Record,
    name: &RecordName,
    action: DeviceAction,
) -> Result<Vec<thing::Event>, Refusal> {
    let command = DeviceCommand {
        name: name.clone(),
        action,
    };
    let view = DeviceView::default();
    Ok(Devices::decide(record, command, &call.context(&view))?)
}

/// The id of the thing that a line makes.
fn thing_id(device: &Device) -> Uuid {
    EventId::derived(device.cause, "import.thing", 0).as_uuid()
}

impl<'f, 'w> Run<'f, 'w> {
    pub(super) fn new(
        mut call: Call<'f>,
        options: ImportOptions,
        watch: &'w mut dyn ImportWatch,
    ) -> Result<Self, Refusal> {
        if options.dry_run {
            call.rehearse();
        }
        Ok(Self {
            call,
            facts: Facts::default(),
            options,
            report: ImportReport::default(),
            watch,
            quick: Quick::default(),
            batch: Vec::new(),
            flights: VecDeque::new(),
            left: Vec::new(),
            names: HashSet::new(),
            lock: None,
            rounds: 0,
            replaced: Draft::EVENT_TYPE.parse()?,
        })
    }

    pub(super) const fn report(&self) -> ImportReport {
        self.report
    }

    pub(super) async fn lines(
        &mut self,
        lines: impl Iterator<Item = std::io::Result<String>> + Send,
    ) -> Result<(), Refusal> {
        let batch = self.options.batch.clamp(1, 10_000);
        let mut number = 0;
        for line in lines {
            number += 1;
            let line = line.map_err(|error| {
                Refusal::new("import.unreadable", format!("line {number}: {error}"))
            });
            let line = match line {
                Ok(line) => line,
                Err(unreadable) => {
                    self.drain().await?;
                    return Err(unreadable);
                }
            };
            let text = line.trim();
            if text.is_empty() {
                continue;
            }
            self.report.lines += 1;
            self.report.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
            if self.options.dry_run {
                self.slowly(number, text).await?;
            } else if let Err(refusal) = self.take(number, line).await {
                self.refuse(number, refusal)?;
            }
            if self.batch.len() >= batch {
                self.round().await?;
            }
        }
        self.drain().await?;
        self.watch.progress(&self.report);
        Ok(())
    }

    /// Tells of a refused line; only a failing store ends the import.
    fn refuse(&mut self, line: u64, refusal: Refusal) -> Result<(), Refusal> {
        if refusal.code.starts_with("store.") {
            return Err(refusal);
        }
        self.report.refused += 1;
        self.watch
            .refused(line, &refusal.into_error(Service::IotHub));
        Ok(())
    }

    fn done(&mut self, line: u64, name: &RecordName, fate: Fate) {
        match fate {
            Fate::Created => self.report.created += 1,
            Fate::Replaced => self.report.replaced += 1,
            Fate::Present => self.report.present += 1,
        }
        self.watch.done(line, name.as_str(), fate);
    }

    /// Judges a line as that of a new device, and puts it into the batch.
    async fn take(&mut self, line: u64, text: String) -> Result<(), Refusal> {
        let trimmed = text.trim();
        let quick = self.quick.read(trimmed, &self.call.fleet.options.limits);
        let (device, trees) = match quick {
            Some(device) => (device, None),
            None => {
                let document = Document::read(trimmed)?;
                (document.device, Some(document.twin))
            }
        };
        if self.lock.is_none() && (device.thing_type.is_some() || !device.groups.is_empty()) {
            self.lock = Some(self.call.lock().await);
            self.facts = Facts::default();
        }
        let made = thing_id(&device);
        let mut index = 0;
        let mut derived = || {
            index += 1;
            EventId::derived(device.cause, "import", index)
        };
        let events = self.new_thing(&device, thing::Record::Absent, made).await?;
        let stamp = &self.call.stamp;
        let events = events
            .iter()
            .map(|event| stamp.new_event(event, derived()))
            .collect::<Result<_, _>>()?;
        let thing = Append::new(device.name.stream()?, Expected::NoStream, events);
        let view = TwinView {
            key: TwinKey::Device(device.name.clone()),
            incarnation: Some(Incarnation(made)),
        };
        let twin = match trees {
            None => {
                let data = self.quick.twin.to_data(self.call.now, Incarnation(made));
                data.map(|data| stamp.new_data(&self.replaced, Draft::SCHEMA, data, derived()))
            }
            Some(trees) => {
                let events = match trees.command() {
                    Some(command) => {
                        Twin::decide(&Twin::initial(), command, &self.call.context(&view))?
                    }
                    None => Vec::new(),
                };
                let event = events.first();
                event
                    .map(|event| stamp.new_event(event, derived()))
                    .transpose()?
            }
        };
        let twin = match twin {
            Some(event) => Some(Append::new(
                view.key.stream()?,
                Expected::NoStream,
                vec![event],
            )),
            None => None,
        };
        // A second line for a device waits for the first.
        if self.names.contains(&device.name) {
            self.drain().await?;
        }
        self.names.insert(device.name.clone());
        let held = Held {
            line,
            text,
            name: device.name,
            made,
            twin,
        };
        self.batch.push((held, thing));
        Ok(())
    }

    /// The events that make the thing of a line, where `record` has none.
    async fn new_thing(
        &mut self,
        device: &Device,
        record: thing::Record,
        id: Uuid,
    ) -> Result<Vec<thing::Event>, Refusal> {
        if let Some(name) = &device.thing_type {
            self.facts.thing_type(&self.call, name).await?;
        }
        if !device.groups.is_empty() {
            self.facts.groups(&self.call, &device.groups).await?;
        }
        let (call, facts) = (&self.call, &self.facts);
        if !device.name.has_aws_face() {
            let plain = device.thing_type.is_none()
                && device.attributes.attributes.is_empty()
                && device.groups.is_empty();
            if !plain {
                return Err(ThingError::NoThingFace {
                    device: device.name.clone(),
                }
                .into());
            }
            let action = DeviceAction::Create {
                id: id.into(),
                write: device.identity(),
            };
            return decide_device(call, &record, &device.name, action);
        }
        let create = thing::Command {
            name: device.name.clone(),
            action: thing::Action::Create(thing::Create {
                id: id.into(),
                thing_type: device.thing_type.clone(),
                attributes: device.attributes.clone(),
                billing_group: None,
            }),
        };
        let context = call.context::<dyn thing::View>(facts);
        let mut events = Things::decide(&record, create, &context)?;
        if device.status == Status::Disabled || device.status_reason.is_some() {
            let record = events.iter().fold(record.clone(), Things::evolve);
            let action = DeviceAction::Replace {
                if_match: hub::IfMatch::Any,
                write: device.identity(),
            };
            events.extend(decide_device(call, &record, &device.name, action)?);
        }
        if !device.groups.is_empty() {
            let record = events.iter().fold(record, Things::evolve);
            let join = thing::Command {
                name: device.name.clone(),
                action: thing::Action::UpdateGroups(UpdateGroups {
                    add: device.groups.clone(),
                    remove: Vec::new(),
                    dynamic_groups: DynamicGroups::Keep,
                    cause: device.cause,
                }),
            };
            events.extend(Things::decide(&record, join, &context)?);
        }
        Ok(events)
    }

    /// Asks the store for the things of the batch, and for the twins of one that has landed.
    async fn round(&mut self) -> Result<(), Refusal> {
        let twins = if self.flights.len() < FLIGHTS {
            Vec::new()
        } else {
            self.land().await?
        };
        self.send(twins).await;
        self.rounds += usize::from(self.lock.is_some());
        if self.rounds >= ROUNDS || !self.left.is_empty() {
            return self.drain().await;
        }
        Ok(())
    }

    /// Sends the batch, and the twins of things that are there now.
    async fn send(&mut self, twins: Vec<(Held, Fate)>) {
        let batch = std::mem::take(&mut self.batch);
        let mut appends = Vec::with_capacity(twins.len() + batch.len());
        let mut written = Vec::with_capacity(twins.len());
        for (mut held, fate) in twins {
            appends.extend(held.twin.take());
            written.push((held, fate));
        }
        let mut things = Vec::with_capacity(batch.len());
        for (held, thing) in batch {
            appends.push(thing);
            things.push(held);
        }
        let store = self.call.fleet.log.store.clone();
        let mut asked = async move { store.append_batch(appends).await }.boxed();
        // The first poll sends; the answer is waited for when the next batches are judged.
        let answers = match poll_fn(|cx| Poll::Ready(asked.as_mut().poll(cx))).await {
            Poll::Ready(answers) => ready(answers).boxed(),
            Poll::Pending => asked,
        };
        self.flights.push_back(Flight {
            answers,
            twins: written,
            things,
        });
    }

    /// Waits for the flight that began first; gives the things that are there and have a twin to write.
    async fn land(&mut self) -> Result<Vec<(Held, Fate)>, Refusal> {
        match self.flights.pop_front() {
            Some(flight) => self.landed(flight).await,
            None => Ok(Vec::new()),
        }
    }

    /// Settles what has landed.
    async fn landed(&mut self, flight: Flight) -> Result<Vec<(Held, Fate)>, Refusal> {
        let mut answers = flight.answers.await.into_iter();
        let mut settled = Vec::new();
        for (held, fate) in flight.twins {
            match answers.next() {
                Some(Ok(_) | Err(StoreError::IdReused { .. })) => settled.push((held, fate)),
                Some(Err(StoreError::Conflict { .. })) => self.left.push((held.line, held.text)),
                Some(Err(error)) => return Err(error.into()),
                None => return Err(lost()),
            }
        }
        let mut twins = Vec::new();
        for held in flight.things {
            let fate = match answers.next() {
                Some(Ok(appended)) if appended.deduplicated => Fate::Present,
                Some(Ok(_)) => Fate::Created,
                // The line was imported before, at another instant.
                Some(Err(StoreError::IdReused { .. })) => Fate::Present,
                Some(Err(StoreError::Conflict { .. })) => {
                    self.left.push((held.line, held.text));
                    continue;
                }
                Some(Err(error)) => return Err(error.into()),
                None => return Err(lost()),
            };
            if held.twin.is_some() {
                twins.push((held, fate));
            } else {
                settled.push((held, fate));
            }
        }
        for (held, fate) in settled {
            if fate == Fate::Present && !self.lives(&held).await? {
                self.left.push((held.line, held.text));
            } else {
                self.names.remove(&held.name);
                self.done(held.line, &held.name, fate);
            }
        }
        self.watch.progress(&self.report);
        Ok(twins)
    }

    /// Ends everything that was begun, and lets other decisions through.
    async fn drain(&mut self) -> Result<(), Refusal> {
        while !self.flights.is_empty() || !self.batch.is_empty() {
            let twins = self.land().await?;
            if !twins.is_empty() || !self.batch.is_empty() {
                self.send(twins).await;
            }
        }
        self.lock = None;
        self.rounds = 0;
        for (line, text) in std::mem::take(&mut self.left) {
            self.slowly(line, text.trim()).await?;
        }
        self.names.clear();
        self.watch.progress(&self.report);
        Ok(())
    }

    /// Whether the device that an earlier run made of the line is still there, and to be kept.
    async fn lives(&self, held: &Held) -> Result<bool, Refusal> {
        if self.options.existing == Existing::Replace {
            return Ok(false);
        }
        let loaded = self.call.load::<Things>(&held.name.stream()?).await?;
        let thing = loaded.state.thing();
        Ok(thing.is_some_and(|thing| thing.id.as_uuid() == held.made))
    }

    /// One line at a time, whatever there is of its device already.
    async fn slowly(&mut self, line: u64, text: &str) -> Result<(), Refusal> {
        let settled = match Document::read(text) {
            Ok(document) => {
                let fate = self.settle(&document).await;
                fate.map(|fate| (document.device.name, fate))
            }
            Err(refusal) => Err(refusal),
        };
        match settled {
            Ok((name, fate)) => {
                self.done(line, &name, fate);
                Ok(())
            }
            Err(refusal) => self.refuse(line, refusal),
        }
    }

    async fn settle(&mut self, document: &Document) -> Result<Fate, Refusal> {
        let (device, trees) = (&document.device, &document.twin);
        let _lock = self.call.lock().await;
        self.facts = Facts::default();
        let stream = device.name.stream()?;
        let key = TwinKey::Device(device.name.clone());
        let loaded = self.call.load::<Things>(&stream).await?;
        let existing = loaded.state.thing().cloned();
        if existing.is_none() {
            end_left(&mut self.call, &device.name).await?;
        }
        let twin = self.call.load::<Twin>(&key.stream()?).await?;
        if let Some(thing) = &existing {
            let life = Incarnation(thing.id.as_uuid());
            let now = twin.state.in_life(Some(life), self.call.now);
            let same = |wanted: &Option<Map<String, Value>>, held: &Section| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| *wanted == held.members().to_json())
            };
            if same(&trees.tags, now.tags())
                && same(&trees.desired, now.desired())
                && same(&trees.reported, now.reported())
            {
                return Ok(Fate::Present);
            }
            let made = thing_id(device);
            if thing.id.as_uuid() == made && self.options.existing == Existing::Keep {
                // The line made it, and it has lived since.
                let begun = twin.version > StreamVersion::ZERO;
                if begun {
                    return Ok(Fate::Present);
                }
            } else if self.options.existing == Existing::Keep {
                return Err(ThingError::AlreadyExists {
                    thing: device.name.clone(),
                    id: thing.id,
                }
                .into());
            }
        }
        let (id, fate, created) = match existing {
            Some(thing) => (thing.id.as_uuid(), Fate::Replaced, Vec::new()),
            None => {
                let id = self.call.fresh_id();
                let record = loaded.state.clone();
                let events = self.new_thing(device, record, id).await?;
                (id, Fate::Created, events)
            }
        };
        let view = TwinView {
            key,
            incarnation: Some(Incarnation(id)),
        };
        let command = trees.clone().command();
        let written = match command {
            Some(command) => Twin::decide(&twin.state, command, &self.call.context(&view))?,
            None => Vec::new(),
        };
        self.call.record::<Things>(&stream, loaded, created).await?;
        let stream = view.key.stream()?;
        self.call.record::<Twin>(&stream, twin, written).await?;
        self.call.events.clear();
        Ok(fate)
    }
}

fn lost() -> Refusal {
    StoreError::Unavailable {
        reason: "the store lost an outcome".to_owned(),
        retry_after: None,
    }
    .into()
}
