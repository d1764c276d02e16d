//! The bulk door: documents in, devices with their twins out.

use fleet_model::attribute::{AttributePayload, Mode};
use fleet_model::id::{DeviceId, RecordName, ThingGroupName, ThingTypeName};
use fleet_model::identity::{
    Authentication, DeviceAction, DeviceCommand, DeviceView, DeviceWrite, Devices, Status,
};
use fleet_model::kernel::{Decider as _, EventId, StreamVersion};
use fleet_model::thing::{self, DynamicGroups, ThingError, Things, UpdateGroups};
use fleet_model::twin::{Incarnation, Section, Twin, TwinCommand, TwinKey, TwinView, hub};
use fleet_query::Collection;
use fleet_store::port::{Append, Expected, StoreError};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::collections::HashSet;
use uuid::Uuid;

use crate::facts::Facts;
use crate::fleet::Call;
use crate::refusal::Refusal;
use crate::{CallError, Caller, Fleet, Service};

/// What an import does with a device that exists.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Existing {
    /// One that the same line made is counted as present; any other is refused.
    #[default]
    Keep,
    /// Its tags, desired and reported sections become those of the line.
    Replace,
}

/// How an import is run.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ImportOptions {
    /// What happens to devices that exist.
    pub existing: Existing,
    /// Only say what would happen: every line is judged as if those before it had been recorded, which are held in memory for that.
    pub dry_run: bool,
    /// Lines that share a durable point, 1 to 10000.
    pub batch: usize,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            existing: Existing::Keep,
            dry_run: false,
            batch: 1_000,
        }
    }
}

/// How far an import came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ImportReport {
    /// Lines read, blank ones not counted.
    pub lines: u64,
    /// Bytes of those lines.
    pub bytes: u64,
    /// Devices made.
    pub created: u64,
    /// Devices whose twin was replaced.
    pub replaced: u64,
    /// Devices that were there already, as the line says.
    pub present: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// Hears of an import while it runs. Every method has a default that ignores it.
pub trait ImportWatch: Send {
    /// A batch is durable (or, in a dry run, judged).
    fn progress(&mut self, _so_far: &ImportReport) {}
    /// A line, counted from 1 with blank ones, was refused.
    fn refused(&mut self, _line: u64, _error: &CallError) {}
    /// What becomes of the device of a line; in a dry run, what would.
    fn done(&mut self, _line: u64, _device: &str, _fate: Fate) {}
}

/// Nobody listens.
impl ImportWatch for () {}

/// What became of a line's device.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Fate {
    /// It was made.
    Created,
    /// Its twin was replaced.
    Replaced,
    /// It was there already, as the line says.
    Present,
}

/// A line that was read.
struct Document {
    line: u64,
    name: RecordName,
    cause: Uuid,
    thing_type: Option<ThingTypeName>,
    attributes: AttributePayload,
    groups: Vec<ThingGroupName>,
    status: Status,
    status_reason: Option<String>,
    tags: Option<Map<String, Value>>,
    desired: Option<Map<String, Value>>,
    reported: Option<Map<String, Value>>,
}

fn malformed(reason: impl std::fmt::Display) -> Refusal {
    Refusal::new("import.malformed", format!("{reason}"))
}

fn section(value: Option<Value>, path: &str) -> Result<Option<Map<String, Value>>, Refusal> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(mut members)) => {
            members.remove("$version");
            members.remove("$metadata");
            Ok((!members.is_empty()).then_some(members))
        }
        Some(_) => Err(malformed(format_args!("`{path}` is not an object"))),
    }
}

impl Document {
    fn read(line: u64, text: &str) -> Result<Self, Refusal> {
        let digest = Sha256::digest(text.as_bytes());
        let mut cause = [0; 16];
        for (to, from) in cause.iter_mut().zip(digest.iter()) {
            *to = *from;
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| malformed(format_args!("the line is not JSON: {error}")))?;
        let value =
            fleet_query::document::normalise(Collection::Devices, value).map_err(malformed)?;
        let Value::Object(mut members) = value else {
            return Err(malformed("the line is not a JSON object"));
        };
        let Some(Value::String(device)) = members.remove("deviceId") else {
            return Err(malformed("`deviceId` is missing"));
        };
        let mut properties = match members.remove("properties") {
            Some(Value::Object(properties)) => properties,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(malformed("`properties` is not an object")),
        };
        let attributes = match members.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(malformed("`attributes` is not an object")),
        };
        let pairs = attributes
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => Ok((name.as_str(), text.as_str())),
                _ => Err(malformed(format_args!("attribute `{name}` is not text"))),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let thing_type = match members.remove("thingTypeName") {
            Some(Value::String(name)) => Some(name.parse()?),
            _ => None,
        };
        let groups = match members.remove("thingGroupNames") {
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let status = match members.get("status").and_then(Value::as_str) {
            None | Some("enabled") => Status::Enabled,
            Some("disabled") => Status::Disabled,
            Some(other) => {
                return Err(malformed(format_args!(
                    "status `{other}` is neither `enabled` nor `disabled`"
                )));
            }
        };
        let reason = members.get("statusReason").and_then(Value::as_str);
        Ok(Self {
            line,
            status,
            status_reason: reason.map(str::to_owned),
            name: device.parse::<DeviceId>()?.into(),
            cause: uuid::Builder::from_custom_bytes(cause).into_uuid(),
            thing_type,
            attributes: AttributePayload::parse(pairs, Mode::Replace)?,
            groups,
            tags: section(members.remove("tags"), "tags")?,
            desired: section(properties.remove("desired"), "properties.desired")?,
            reported: section(properties.remove("reported"), "properties.reported")?,
        })
    }

    fn identity(&self) -> DeviceWrite {
        DeviceWrite {
            status: self.status,
            status_reason: self.status_reason.clone(),
            authentication: Authentication::Sas { keys: None },
            iot_edge: false,
            device_scope: None,
            parent_scopes: Vec::new(),
        }
    }

    fn twin_command(&self) -> Option<TwinCommand> {
        let any = self.tags.is_some() || self.desired.is_some() || self.reported.is_some();
        any.then(|| TwinCommand::Import {
            tags: self.tags.clone(),
            desired: self.desired.clone(),
            reported: self.reported.clone(),
        })
    }
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

/// A line that was judged, ready to be appended.
struct Judged {
    document: Document,
    thing: Append,
    twin: Option<Append>,
}

struct Run<'f, 'w> {
    call: Call<'f>,
    facts: Facts,
    options: ImportOptions,
    report: ImportReport,
    watch: &'w mut dyn ImportWatch,
    batch: Vec<Judged>,
    names: HashSet<RecordName>,
}

impl Fleet {
    /// Makes devices from newline-delimited documents, each in either service's shape.
    ///
    /// Lines share durable points; what is acknowledged survives, and running the same lines again
    /// goes on where the first run ended, without duplicates: event ids derive from the lines. A line
    /// that is refused is told to `watch`, and the import goes on.
    ///
    /// # Errors
    /// The store's errors and those of reading `lines` (`import.unreadable`); what was acknowledged stays.
    pub async fn import(
        &self,
        lines: impl IntoIterator<Item = std::io::Result<String>, IntoIter: Send> + Send,
        caller: &Caller,
        options: ImportOptions,
        watch: &mut dyn ImportWatch,
    ) -> Result<ImportReport, CallError> {
        let mut run = Run {
            call: self.begin(caller),
            facts: Facts::default(),
            options,
            report: ImportReport::default(),
            watch,
            batch: Vec::new(),
            names: HashSet::new(),
        };
        if run.options.dry_run {
            run.call.rehearse();
        }
        let done = run.lines(lines.into_iter()).await;
        done.map_err(|refusal| refusal.into_error(Service::IotHub))?;
        Ok(run.report)
    }
}

impl Run<'_, '_> {
    async fn lines(
        &mut self,
        lines: impl Iterator<Item = std::io::Result<String>> + Send,
    ) -> Result<(), Refusal> {
        let batch = self.options.batch.clamp(1, 10_000);
        let mut number = 0;
        for line in lines {
            number += 1;
            let line = line.map_err(|error| {
                Refusal::new("import.unreadable", format!("line {number}: {error}"))
            })?;
            let text = line.trim();
            if text.is_empty() {
                continue;
            }
            self.report.lines += 1;
            self.report.bytes += u64::try_from(text.len()).unwrap_or(u64::MAX);
            match Document::read(number, text) {
                Err(refusal) => self.refuse(number, refusal)?,
                Ok(document) => self.take(document).await?,
            }
            if self.batch.len() >= batch {
                self.flush().await?;
            }
        }
        self.flush().await?;
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

    async fn take(&mut self, document: Document) -> Result<(), Refusal> {
        if self.options.dry_run {
            return self.slowly(document).await;
        }
        // Lines of one batch are appended at once: a second one for a device waits for the first.
        if self.names.contains(&document.name) {
            self.flush().await?;
        }
        match self.judge(&document).await {
            Ok((thing, twin)) => {
                self.names.insert(document.name.clone());
                self.batch.push(Judged {
                    document,
                    thing,
                    twin,
                });
                Ok(())
            }
            Err(refusal) => self.refuse(document.line, refusal),
        }
    }

    /// The appends of a device that does not exist, with ids that derive from its line.
    async fn judge(&mut self, document: &Document) -> Result<(Append, Option<Append>), Refusal> {
        let id = EventId::derived(document.cause, "import.thing", 0).as_uuid();
        let events = self.new_thing(document, thing::Record::Absent, id).await?;
        let mut index = 0;
        let mut derived = || {
            index += 1;
            EventId::derived(document.cause, "import", index)
        };
        let stamp = &self.call.stamp;
        let new_events = events
            .iter()
            .map(|event| stamp.new_event(event, derived()))
            .collect::<Result<Vec<_>, _>>()?;
        let thing = Append::new(document.name.stream()?, Expected::NoStream, new_events);
        let Some(command) = document.twin_command() else {
            return Ok((thing, None));
        };
        let view = TwinView {
            key: TwinKey::Device(document.name.clone()),
            incarnation: Some(Incarnation(id)),
        };
        let events = Twin::decide(&Twin::initial(), command, &self.call.context(&view))?;
        let new_events = events
            .iter()
            .map(|event| stamp.new_event(event, derived()))
            .collect::<Result<Vec<_>, _>>()?;
        let twin = Append::new(view.key.stream()?, Expected::NoStream, new_events);
        Ok((thing, Some(twin)))
    }

    /// The events that make the thing of a line, where `record` has none.
    async fn new_thing(
        &mut self,
        document: &Document,
        record: thing::Record,
        id: Uuid,
    ) -> Result<Vec<thing::Event>, Refusal> {
        if let Some(name) = &document.thing_type {
            self.facts.thing_type(&self.call, name).await?;
        }
        self.facts.groups(&self.call, &document.groups).await?;
        let (call, facts) = (&self.call, &self.facts);
        if !document.name.has_aws_face() {
            let plain = document.thing_type.is_none()
                && document.attributes.attributes.is_empty()
                && document.groups.is_empty();
            if !plain {
                return Err(ThingError::NoThingFace {
                    device: document.name.clone(),
                }
                .into());
            }
            let action = DeviceAction::Create {
                id: id.into(),
                write: document.identity(),
            };
            return decide_device(call, &record, &document.name, action);
        }
        let create = thing::Command {
            name: document.name.clone(),
            action: thing::Action::Create(thing::Create {
                id: id.into(),
                thing_type: document.thing_type.clone(),
                attributes: document.attributes.clone(),
                billing_group: None,
            }),
        };
        let context = call.context::<dyn thing::View>(facts);
        let mut events = Things::decide(&record, create, &context)?;
        if document.status == Status::Disabled || document.status_reason.is_some() {
            let record = events.iter().fold(record.clone(), Things::evolve);
            let action = DeviceAction::Replace {
                if_match: hub::IfMatch::Any,
                write: document.identity(),
            };
            events.extend(decide_device(call, &record, &document.name, action)?);
        }
        if !document.groups.is_empty() {
            let record = events.iter().fold(record, Things::evolve);
            let join = thing::Command {
                name: document.name.clone(),
                action: thing::Action::UpdateGroups(UpdateGroups {
                    add: document.groups.clone(),
                    remove: Vec::new(),
                    dynamic_groups: DynamicGroups::Keep,
                    cause: document.cause,
                }),
            };
            events.extend(Things::decide(&record, join, &context)?);
        }
        Ok(events)
    }

    /// Appends the batch: things first, then the twins of those that are there.
    async fn flush(&mut self) -> Result<(), Refusal> {
        let batch = std::mem::take(&mut self.batch);
        self.names.clear();
        if batch.is_empty() {
            return Ok(());
        }
        let lock = self.call.lock().await;
        let store = self.call.fleet.log.store.clone();
        let things = batch.iter().map(|held| held.thing.clone()).collect();
        let things = store.append_batch(things).await;
        let mut twins = Vec::new();
        let mut left = Vec::new();
        let mut waiting = Vec::new();
        for (held, outcome) in batch.into_iter().zip(things) {
            let fate = match outcome {
                Ok(appended) if appended.deduplicated => Fate::Present,
                Ok(_) => Fate::Created,
                // The line was imported before, at another instant.
                Err(StoreError::IdReused { .. }) => Fate::Present,
                Err(StoreError::Conflict { .. }) => {
                    left.push(held.document);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            twins.extend(held.twin.clone());
            waiting.push((held, fate));
        }
        let mut outcomes = store.append_batch(twins).await.into_iter();
        let mut settled = Vec::new();
        for (held, fate) in waiting {
            let outcome = held.twin.as_ref().and_then(|_| outcomes.next());
            match outcome {
                None | Some(Ok(_) | Err(StoreError::IdReused { .. })) => {
                    settled.push((held.document, fate));
                }
                Some(Err(StoreError::Conflict { .. })) => left.push(held.document),
                Some(Err(error)) => return Err(error.into()),
            }
        }
        for (document, fate) in settled {
            if fate == Fate::Present && !self.lives(&document).await? {
                left.push(document);
            } else {
                self.done(document.line, &document.name, fate);
            }
        }
        drop(lock);
        for document in left {
            self.slowly(document).await?;
        }
        self.watch.progress(&self.report);
        Ok(())
    }

    /// Whether the device that an earlier run made of the line is still there, and to be kept.
    async fn lives(&self, document: &Document) -> Result<bool, Refusal> {
        if self.options.existing == Existing::Replace {
            return Ok(false);
        }
        let made = EventId::derived(document.cause, "import.thing", 0).as_uuid();
        let loaded = self.call.load::<Things>(&document.name.stream()?).await?;
        let thing = loaded.state.thing();
        Ok(thing.is_some_and(|thing| thing.id.as_uuid() == made))
    }

    /// One line at a time, whatever there is of its device already.
    async fn slowly(&mut self, document: Document) -> Result<(), Refusal> {
        match self.settle(&document).await {
            Ok(fate) => {
                self.done(document.line, &document.name, fate);
                Ok(())
            }
            Err(refusal) => self.refuse(document.line, refusal),
        }
    }

    async fn settle(&mut self, document: &Document) -> Result<Fate, Refusal> {
        let _lock = self.call.lock().await;
        let stream = document.name.stream()?;
        let key = TwinKey::Device(document.name.clone());
        let loaded = self.call.load::<Things>(&stream).await?;
        let twin = self.call.load::<Twin>(&key.stream()?).await?;
        let existing = loaded.state.thing().cloned();
        if let Some(thing) = &existing {
            let life = Incarnation(thing.id.as_uuid());
            let now = twin.state.in_life(Some(life), self.call.now);
            let same = |wanted: &Option<Map<String, Value>>, held: &Section| {
                wanted
                    .as_ref()
                    .is_none_or(|wanted| *wanted == held.members().to_json())
            };
            if same(&document.tags, now.tags())
                && same(&document.desired, now.desired())
                && same(&document.reported, now.reported())
            {
                return Ok(Fate::Present);
            }
            let made = EventId::derived(document.cause, "import.thing", 0).as_uuid();
            if thing.id.as_uuid() == made && self.options.existing == Existing::Keep {
                // The line made it, and it has lived since.
                let begun = twin.version > StreamVersion::ZERO;
                if begun {
                    return Ok(Fate::Present);
                }
            } else if self.options.existing == Existing::Keep {
                return Err(ThingError::AlreadyExists {
                    thing: document.name.clone(),
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
                let events = self.new_thing(document, record, id).await?;
                (id, Fate::Created, events)
            }
        };
        let view = TwinView {
            key,
            incarnation: Some(Incarnation(id)),
        };
        let command = document.twin_command();
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

/// The codes of imports.
pub const CODES: &[(&str, &str)] = &[
    (
        "import.malformed",
        "a line is no document of a device in either service's shape",
    ),
    ("import.unreadable", "the input cannot be read to its end"),
];
