//! Bytes per thing of the registry's read models, besides documents.
//!
//! A log is invented: what the facade records of one thing (its creation with a type, three attributes and a
//! billing group, its joining of two groups, its twin) is given again for each of a million names. A fleet over it is
//! asked for listings, which fills one read model after the other, and the growth of resident memory is the figure:
//! with all that the allocator adds, and nothing of a store.
//!
//! `FLEET_BENCH_THINGS` sets the size.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark stops at the first surprise and prints what it found"
)]

use async_trait::async_trait;
use fleet_benches::{resident_memory, setting};
use fleet_model::kernel::{NewEvent, Position, Recorded, StreamName, StreamVersion, TenantId};
use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Durability,
    EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage, StreamRead,
    StreamState, Subscribe, Subscription,
};
use pollster::block_on;
use serde_json::{Value, json};
use std::io::Write;
use std::sync::Arc;

/// Groups by which the things are spread: lines in two plants, and shifts.
const LINES: u64 = 1_000;
const SHIFTS: u64 = 50;

/// The thing whose events are given again, and the groups that it is in.
const SAMPLE: &str = "press-0000000";

fn press(n: u64) -> String {
    format!("press-{n:07}")
}

fn line(n: u64) -> String {
    format!("line-{:04}", n % LINES)
}

fn shift(n: u64) -> String {
    format!("shift-{:04}", n % SHIFTS)
}

/// The log of a fleet of `things` things: a head that was recorded, and one pattern given again and again.
struct Invented {
    head: Vec<Recorded>,
    pattern: Vec<Recorded>,
    sample_id: String,
    /// Names and ids of the groups, as the pattern has them first.
    lines: Vec<String>,
    shifts: Vec<String>,
    things: u64,
}

fn id_of(answer: &Value, member: &str) -> String {
    answer[member].as_str().unwrap().to_owned()
}

impl Invented {
    fn new(things: u64) -> Self {
        let options = Options::seeded(7);
        let clock = options.clock.clone();
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || clock.now()));
        let store = Arc::new(store);
        let fleet = block_on(Fleet::open(store.clone(), options)).unwrap();
        let ops = Caller::new("user:ops".parse().unwrap());
        let run =
            |op: &str, params: Value| block_on(fleet.call_json(op, params, &ops)).result.unwrap();
        run("CreateThingType", json!({"thingTypeName": "press"}));
        run("CreateBillingGroup", json!({"billingGroupName": "plant-1"}));
        run("CreateThingGroup", json!({"thingGroupName": "plant"}));
        let lines = (0..LINES).map(|n| {
            let group = json!({"thingGroupName": line(n), "parentGroupName": "plant"});
            let group = if n < 100 {
                group
            } else {
                json!({"thingGroupName": line(n)})
            };
            id_of(&run("CreateThingGroup", group), "thingGroupId")
        });
        let lines: Vec<String> = lines.collect();
        let shifts = (0..SHIFTS).map(|n| {
            let group = json!({"thingGroupName": shift(n)});
            id_of(&run("CreateThingGroup", group), "thingGroupId")
        });
        let shifts: Vec<String> = shifts.collect();
        let begun = block_on(store.head()).unwrap();
        let attributes = json!({"site": "plant-07", "line": "line-0000", "firmware": "4.11.2"});
        let thing = json!({
            "thingName": SAMPLE,
            "thingTypeName": "press",
            "attributePayload": {"attributes": attributes},
            "billingGroupName": "plant-1",
        });
        let sample_id = id_of(&run("CreateThing", thing), "thingId");
        for group in [line(0), shift(0)] {
            let join = json!({"thingName": SAMPLE, "thingGroupName": group});
            run("AddThingToThingGroup", join);
        }
        let body =
            json!({"tags": {"site": "plant-07"}, "properties": {"desired": {"fan": {"speed": 3}}}});
        run("UpdateTwin", json!({"deviceId": SAMPLE, "body": body}));
        let whole = LogRead::after(Position::ZERO).limit(10_000);
        let (head, pattern) = block_on(store.read_all(whole))
            .unwrap()
            .events
            .into_iter()
            .partition(|event| event.position <= begun);
        Self {
            head,
            pattern,
            sample_id,
            lines,
            shifts,
            things,
        }
    }

    fn end(&self) -> u64 {
        self.head.len() as u64 + self.things * self.pattern.len() as u64
    }

    /// Which thing, and which event of the pattern, a position has; none in the head.
    fn place(&self, position: u64) -> Option<(u64, &Recorded)> {
        let after = (position - 1).checked_sub(self.head.len() as u64)?;
        let pattern = self.pattern.len() as u64;
        let sample = self
            .pattern
            .get(usize::try_from(after % pattern).unwrap())?;
        Some((after / pattern, sample))
    }

    /// The event of the pattern as thing `n` has it.
    fn of_thing(&self, n: u64, sample: &Recorded, position: u64) -> Recorded {
        let pick = |ids: &[String], n: u64| ids[usize::try_from(n).unwrap()].clone();
        let life = format!("00000000-0000-4000-8000-{n:012x}");
        let data = std::str::from_utf8(&sample.event.data)
            .unwrap()
            .replace(SAMPLE, &press(n))
            .replace(&self.sample_id, &life)
            .replace(&line(0), &line(n))
            .replace(&pick(&self.lines, 0), &pick(&self.lines, n % LINES))
            .replace(&shift(0), &shift(n))
            .replace(&pick(&self.shifts, 0), &pick(&self.shifts, n % SHIFTS));
        Recorded {
            stream: sample
                .stream
                .as_str()
                .replace(SAMPLE, &press(n))
                .parse()
                .unwrap(),
            position: Position(position),
            event: NewEvent {
                data: data.into_bytes().into(),
                ..sample.event.clone()
            },
            ..sample.clone()
        }
    }

    fn event(&self, position: u64) -> Option<Recorded> {
        match self.place(position) {
            Some((n, sample)) => Some(self.of_thing(n, sample, position)),
            None => self.head.get(usize::try_from(position - 1).ok()?).cloned(),
        }
    }

    fn category(&self, position: u64) -> &str {
        match self.place(position) {
            Some((_, sample)) => sample.stream.category(),
            None => self.head[usize::try_from(position - 1).unwrap()]
                .stream
                .category(),
        }
    }
}

fn unsupported() -> StoreError {
    StoreError::Unsupported {
        what: "the log is invented",
    }
}

#[async_trait]
impl EventStore for Invented {
    fn tenant(&self) -> &TenantId {
        &self.head[0].tenant
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new("invented", "1".to_owned(), Durability::Volatile)
    }

    async fn append(&self, _: Append) -> Result<Appended, StoreError> {
        Err(unsupported())
    }

    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        appends.iter().map(|_| Err(unsupported())).collect()
    }

    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        let name = read.stream.as_str();
        let recorded = self.head.iter().filter(|event| event.stream == read.stream);
        let mut events: Vec<Recorded> = recorded.cloned().collect();
        if let Some(n) = name
            .split_once("press-")
            .and_then(|(_, n)| n.parse::<u64>().ok())
        {
            let begun = self.head.len() as u64 + n * self.pattern.len() as u64;
            let own = (1..=self.pattern.len() as u64).filter_map(|k| self.event(begun + k));
            events.extend(own.filter(|event| event.stream == read.stream));
        }
        let version = StreamVersion(events.len() as u64);
        Ok(StreamPage {
            state: match events.len() {
                0 => StreamState::Absent,
                _ => StreamState::Live {
                    version,
                    first_version: StreamVersion(1),
                },
            },
            events,
        })
    }

    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        let end = self.end();
        let mut events = Vec::new();
        let mut at = read.after.0;
        while at < end && events.len() < read.limit {
            at += 1;
            let wanted = read.filter.categories.iter();
            let category = self.category(at);
            if read.filter.categories.is_empty() || { wanted }.any(|one| one.as_str() == category) {
                events.extend(self.event(at));
            }
        }
        Ok(LogPage {
            events,
            scanned_to: Position(at),
            head: Position(end),
        })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        Ok(Position(self.end()))
    }

    fn subscribe_all(&self, _: Subscribe) -> Subscription {
        Subscription::new(futures_util::stream::empty())
    }

    async fn save_snapshot(&self, _: Snapshot) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn load_snapshot(&self, _: &StreamName, _: u16) -> Result<Option<Snapshot>, StoreError> {
        Ok(None)
    }

    async fn save_checkpoint(&self, _: Checkpoint) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn load_checkpoint(&self, _: &str, _: &[u8; 32]) -> Result<CheckpointState, StoreError> {
        Ok(CheckpointState::Absent)
    }

    async fn truncate_before(&self, _: &StreamName, _: StreamVersion) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn tombstone(&self, _: &StreamName) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn backup(&self, _: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        Err(unsupported())
    }

    async fn scrub(&self, _: Position, _: u64) -> Result<ScrubPage, StoreError> {
        Err(unsupported())
    }
}

fn main() {
    let things = setting("FLEET_BENCH_THINGS", 1_000_000);
    let store = Arc::new(Invented::new(things));
    println!("{things} things, {} events", store.end());
    let fleet = block_on(Fleet::open(store, Options::seeded(1))).unwrap();
    let ops = Caller::new("user:ops".parse().unwrap());
    let ask = |op: &str, params: Value| block_on(fleet.call_json(op, params, &ops)).result.unwrap();
    let begun = resident_memory().unwrap_or_default();
    let mut before = begun;
    let last = press(things - 1);
    // Each question fills the read models that no earlier one has.
    let questions = [
        (
            "groups, types, billing groups",
            "ListThingGroups",
            json!({"recursive": true, "maxResults": 1}),
        ),
        (
            "things",
            "ListThings",
            json!({"attributeName": "firmware", "maxResults": 1}),
        ),
        ("identities", "GetDeviceStatistics", json!({})),
        ("presence", "GetServiceStatistics", json!({})),
        (
            "named shadows, modules",
            "ListNamedShadowsForThing",
            json!({"thingName": last}),
        ),
        ("certificates", "ListCertificates", json!({})),
        (
            "principals",
            "ListPrincipalThings",
            json!({"principal": "us-east-1:nobody"}),
        ),
    ];
    println!("| read model | bytes a thing |\n| --- | ---: |");
    #[allow(clippy::cast_precision_loss, reason = "figures for people")]
    let each = |bytes: u64| bytes as f64 / things as f64;
    for (model, op, params) in questions {
        ask(op, params);
        let now = resident_memory().unwrap_or_default();
        println!("| {model} | {:.1} |", each(now.saturating_sub(before)));
        before = now;
    }
    println!("| all | {:.1} |", each(before.saturating_sub(begun)));
    let members = ask(
        "ListThingsInThingGroup",
        json!({"thingGroupName": line(things - 1), "recursive": false}),
    );
    assert!(members["things"].as_array().unwrap().len() as u64 >= (things / LINES).min(100));
    assert_eq!(
        ask("DescribeThing", json!({"thingName": last}))["version"],
        1
    );
}
