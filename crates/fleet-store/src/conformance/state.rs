//! Cases 35 to 37 and 43 to 50: checkpoints, backups, deletion, evolution, tenancy.

use super::rig::{
    Problem, Random, Store, append, ensure, event, everything, fresh, group, head, open, page,
    refused, sound, stream, tenant, wait,
};
use super::{Case, How, Outcome, Rig, Verdict};
use crate::port::{
    Append, Checkpoint, CheckpointState, Expected, LogRead, Snapshot, StoreError, StreamRead,
    StreamState, Subscribe,
};
use fleet_model::kernel::{
    DecodeError, Position, Recorded, StreamVersion, TenantId, Upcasters, WireEvent as _,
    decode_with,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

pub(super) const CASES: &[Case] = &[
    (35, "a checkpoint above the head", checkpoint_above),
    (36, "backup during appends", backup),
    (43, "truncation", truncation),
    (44, "tombstone", tombstone),
    (46, "old schemas are upcast, unknown ones stop", upcasting),
    (47, "wrong, stale, damaged and missing snapshots", snapshots),
    (
        48,
        "a projection is stopped between its writes",
        projection_stopped,
    ),
    (49, "two tenants", tenants),
    (50, "a rebuilt projection", rebuilt),
];

const SHAPE: [u8; 32] = [7; 32];

fn checkpoint(position: Position, state: &[u8]) -> Checkpoint {
    Checkpoint {
        name: "sum".to_owned(),
        schema_hash: SHAPE,
        position,
        state: state.into(),
    }
}

fn checkpoint_above(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 3)?;
    wait(store.save_checkpoint(checkpoint(Position(3), b"ok")))?;
    let found = wait(store.load_checkpoint("sum", &SHAPE))?;
    ensure!(
        found == CheckpointState::Found(checkpoint(Position(3), b"ok")),
        "{found:?}"
    );
    let other = wait(store.load_checkpoint("sum", &[8; 32]))?;
    ensure!(other == CheckpointState::OtherSchema, "{other:?}");
    let absent = wait(store.load_checkpoint("none", &SHAPE))?;
    ensure!(absent == CheckpointState::Absent, "{absent:?}");
    wait(store.save_checkpoint(checkpoint(Position(9), b"ahead")))?;
    let code = wait(store.load_checkpoint("sum", &SHAPE))
        .err()
        .map(|e| e.code());
    ensure!(code == Some("store.corrupt"), "{code:?}");
    drop(store);
    if place.keeps() {
        match place.open(&tenant()?, How::default()) {
            Err(error) => ensure!(error.code() == "store.corrupt", "{error}"),
            Ok(_) => return Err("it was opened over a lost tail".into()),
        }
    }
    Ok(Verdict::Passed)
}

fn backup(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    append(&store, "thing-before", Expected::Any, 50)?;
    let (before, bytes) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| -> Result<(), Problem> {
            for n in 0..rig.scaled(1_000) {
                append(&store, &format!("thing-{}", n % 9), Expected::Any, 3)?;
            }
            Ok(())
        });
        let before = head(&store)?;
        let mut bytes = Vec::new();
        wait(store.backup(&mut bytes))?;
        writer.join().map_err(|_| "the writer panicked")??;
        Ok::<_, Problem>((before, bytes))
    })?;
    let target = rig.place()?;
    let Some(restored) = target.restore(&tenant()?, &bytes) else {
        return Ok(Verdict::skipped("the harness does not restore"));
    };
    let restored = restored?;
    let (all, copy) = (sound(&store)?, sound(&restored)?);
    ensure!(all.starts_with(&copy), "the backup is not a prefix");
    let end = copy.last().map_or(Position::ZERO, |event| event.position);
    ensure!(
        end >= before,
        "the backup ends at {end}, acknowledged was {before}"
    );
    append(&restored, "thing-more", Expected::Any, 2)?;
    append(&restored, "thing-more", Expected::Any, 2_000 / 2)?;
    drop(restored);
    if target.keeps() {
        match target.restore(&tenant()?, &bytes) {
            Some(Err(error)) => ensure!(error.code() == "store.invalid_input", "{error}"),
            _ => return Err("a higher head was overwritten".into()),
        }
    }
    Ok(Verdict::Passed)
}

/// The state of a stream: how many events, and a hash of them in order.
fn fold(state: (u64, u64), event: &Recorded) -> (u64, u64) {
    let mut hash = state.1 ^ 0x9e37_79b9_7f4a_7c15;
    for byte in event.event.data.iter() {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    }
    (state.0 + 1, hash)
}

fn encode(state: (u64, u64)) -> Vec<u8> {
    [state.0.to_be_bytes(), state.1.to_be_bytes()].concat()
}

fn decode(bytes: &[u8]) -> Option<(u64, u64)> {
    let (count, rest) = bytes.split_first_chunk::<8>()?;
    let hash = rest.first_chunk::<8>()?;
    Some((u64::from_be_bytes(*count), u64::from_be_bytes(*hash)))
}

/// The state of a stream as an aggregate loads it: a fitting snapshot, and what came after it.
fn load(store: &Store, name: &str) -> Result<(u64, u64), Problem> {
    let name = stream(name)?;
    let snapshot = wait(store.load_snapshot(&name, 1))?;
    let base = snapshot.and_then(|found| Some((found.version, decode(&found.bytes)?)));
    let (version, state) = base.unwrap_or((StreamVersion::ZERO, (0, 0)));
    let read = StreamRead::of(name).from(version.next());
    let events = wait(store.read_stream(read))?.events;
    Ok(events.iter().fold(state, fold))
}

fn truncation(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 20)?;
    append(&store, "thing-b", Expected::Any, 2)?;
    let events = page(&store, "thing-a")?.events;
    let full = events.iter().fold((0, 0), fold);
    let at = events.get(11).ok_or("an event is missing")?;
    let state = events.iter().take(12).fold((0, 0), fold);
    let snapshot = Snapshot::after(at, 1, encode(state).into());
    wait(store.save_snapshot(snapshot))?;
    let name = stream("thing-a")?;
    wait(store.truncate_before(&name, StreamVersion(13)))?;
    wait(store.truncate_before(&name, StreamVersion(4)))?;
    let check = |store: &Store| -> Result<(), Problem> {
        let page = page(store, "thing-a")?;
        let expected = StreamState::Live {
            version: StreamVersion(20),
            first_version: StreamVersion(13),
        };
        ensure!(page.state == expected, "{:?}", page.state);
        ensure!(
            events.get(12..) == Some(&page.events),
            "other events are visible"
        );
        ensure!(
            load(store, "thing-a")? == full,
            "another state with the snapshot"
        );
        ensure!(everything(store, 100)?.len() == 22, "the log changed");
        Ok(())
    };
    check(&store)?;
    let beyond = wait(store.truncate_before(&name, StreamVersion(22)));
    ensure!(
        beyond.err().map(|e| e.code()) == Some("store.invalid_input"),
        "beyond the end"
    );
    drop(store);
    if place.keeps() {
        check(&open(place.as_ref())?)?;
    }
    Ok(Verdict::Passed)
}

fn tombstone(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    let call = group("thing-a", Expected::Any, 3)?;
    wait(store.append(call.clone()))?;
    append(&store, "thing-b", Expected::Any, 3)?;
    let name = stream("thing-a")?;
    wait(store.tombstone(&name))?;
    wait(store.tombstone(&name))?;
    let check = |store: &Store| -> Result<(), Problem> {
        for expected in [
            Expected::Any,
            Expected::NoStream,
            Expected::Exists,
            super::rig::exact(3),
            super::rig::exact(0),
        ] {
            refused(store, group("thing-a", expected, 1)?, "store.tombstoned")?;
        }
        refused(store, call.clone(), "store.tombstoned")?;
        let read = wait(store.read_stream(StreamRead::of(name.clone())));
        ensure!(
            read.err().map(|e| e.code()) == Some("store.tombstoned"),
            "it can be read"
        );
        let gone = !everything(store, 100)?.iter().any(|e| e.stream == name);
        ensure!(gone, "the log shows its events");
        ensure!(
            page(store, "thing-b")?.events.len() >= 3,
            "another stream is affected"
        );
        append(store, "thing-b", Expected::Exists, 1)?;
        Ok(())
    };
    check(&store)?;
    drop(store);
    if place.keeps() {
        check(&open(place.as_ref())?)?;
    }
    Ok(Verdict::Passed)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    words: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
enum Probe {
    Told(Told),
}

fleet_model::wire_events!(Probe { Told(Told) = "probe.told" @ 2 });

fn upcasting(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let upcasters = Upcasters::builder()
        .step("probe.told", 1, "probe.told", |old| {
            let text = old.as_str().ok_or("not a text")?;
            Ok(vec![json!({"words": text.split(' ').collect::<Vec<_>>()})])
        })
        .build(&[("probe.told", 2)])
        .map_err(|error| error.to_string())?;
    append(&store, "probe-a", Expected::Any, 1)?;
    let mut now = fresh("");
    now.schema = 2;
    let told = Probe::Told(Told {
        words: vec!["x".into()],
    });
    now.data = told.to_data().into();
    let mut newer = fresh("");
    newer.schema = 3;
    let mut unknown = fresh("");
    unknown.event_type = "probe.unheard".parse()?;
    let call = Append::new(stream("probe-a")?, Expected::Any, vec![now, newer, unknown]);
    wait(store.append(call))?;
    let shapes: Vec<_> = page(&store, "probe-a")?
        .events
        .iter()
        .map(|event| decode_with::<Probe>(event, &upcasters))
        .collect();
    let old = Probe::Told(Told {
        words: vec!["probe-a".into(), "0".into()],
    });
    let fits = matches!(
        shapes.as_slice(),
        [
            Ok(first),
            Ok(second),
            Err(DecodeError::UnknownSchema { found: 3, known: 2, .. }),
            Err(DecodeError::UnknownType { .. }),
        ] if *first == [old] && *second == [told]
    );
    ensure!(fits, "{shapes:?}");
    Ok(Verdict::Passed)
}

fn snapshots(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    let before = store.capabilities().snapshots_ignored;
    let mut wrong = 0;
    for history in 0..rig.scaled(1_000) {
        let name = format!("history-{history}");
        let count = usize::try_from(random.below(12) + 2).unwrap_or(2);
        let events = append(&store, &name, Expected::Any, count)?.events;
        let full = events.iter().fold((0, 0), fold);
        let at = usize::try_from(random.below(count as u64)).unwrap_or(0);
        let event = events.get(at).ok_or("an event is missing")?;
        let state = events.iter().take(at + 1).fold((0, 0), fold);
        let mut snapshot = Snapshot::after(event, 1, encode(state).into());
        match random.below(5) {
            0 => continue,
            1 => {
                snapshot.event_hash = [0; 32];
                snapshot.bytes = encode((99, 99)).into();
                wrong += 1;
            }
            2 => {
                snapshot.version = StreamVersion(count as u64 + 5);
                wrong += 1;
            }
            3 => {
                snapshot.schema = 9;
                wrong += 1;
            }
            _ => {}
        }
        wait(store.save_snapshot(snapshot))?;
        ensure!(
            load(&store, &name)? == full,
            "history {history} loads another state"
        );
    }
    let counted = store.capabilities().snapshots_ignored - before;
    ensure!(
        counted == wrong,
        "{counted} ignored snapshots counted, {wrong} were wrong"
    );
    Ok(Verdict::Passed)
}

/// Folds the log from the stored checkpoint on; stops before the commit number `stop`.
fn project(store: &Store, stop: u64) -> Result<Option<(u64, u64)>, Problem> {
    let (mut position, mut state) = match wait(store.load_checkpoint("sum", &SHAPE))? {
        CheckpointState::Found(found) => (
            found.position,
            decode(&found.state).ok_or("the state is damaged")?,
        ),
        _ => (Position::ZERO, (0, 0)),
    };
    for commit in 0.. {
        let page = wait(store.read_all(LogRead::after(position).limit(10)))?;
        if page.scanned_to == position {
            break;
        }
        position = page.scanned_to;
        state = page.events.iter().fold(state, fold);
        if commit == stop {
            // Stopped: what was folded since the last commit is lost.
            return Ok(None);
        }
        wait(store.save_checkpoint(checkpoint(position, &encode(state))))?;
    }
    Ok(Some(state))
}

fn projection_stopped(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let mut store = open(place.as_ref())?;
    let mut random = rig.random();
    for n in 0..60 {
        append(&store, &format!("thing-{}", n % 7), Expected::Any, 9)?;
    }
    for _ in 0..50 {
        project(&store, random.below(3))?;
        if place.keeps() && random.below(8) == 0 {
            drop(store);
            store = open(place.as_ref())?;
        }
    }
    let state = project(&store, u64::MAX)?;
    let clean = everything(&store, 1_000)?.iter().fold((0, 0), fold);
    ensure!(state == Some(clean), "{state:?} is not {clean:?}");
    Ok(Verdict::Passed)
}

fn tenants(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let names: [TenantId; 2] = ["left".parse()?, "right".parse()?];
    let mut stores = Vec::new();
    for name in &names {
        match place.open(name, How::default()) {
            Ok(store) => stores.push(store),
            Err(StoreError::Unsupported { .. }) => {
                return Ok(Verdict::skipped("one tenant for each place"));
            }
            Err(error) => return Err(error.into()),
        }
    }
    let [left, right] = stores.as_slice() else {
        return Err("two stores were opened".into());
    };
    let mut live = right.subscribe_all(Subscribe::after(Position::ZERO));
    let call = |id: u128, text: &str| -> Result<Append, Problem> {
        let events = vec![event(id << 64, text)];
        Ok(Append::new(stream("thing-a")?, Expected::NoStream, events))
    };
    wait(left.append(call(9_001, "left")?))?;
    ensure!(live.try_next().is_none(), "a subscription crosses");
    ensure!(page(right, "thing-a")?.events.is_empty(), "a read crosses");
    let done = wait(right.append(call(9_001, "right")?))?;
    ensure!(
        !done.deduplicated && done.first_position().0 == 1,
        "dedupe or positions cross"
    );
    for (store, name) in [(left, "left"), (right, "right")] {
        let all = sound(store)?;
        let own = all.iter().all(|event| event.tenant.as_str() == name);
        ensure!(
            own && all.len() == 1,
            "tenant `{name}` has {} events",
            all.len()
        );
    }
    wait(left.tombstone(&stream("thing-a")?))?;
    ensure!(
        page(right, "thing-a")?.events.len() == 1,
        "a tombstone crosses"
    );
    wait(left.save_checkpoint(checkpoint(Position(1), b"left")))?;
    let other = wait(right.load_checkpoint("sum", &SHAPE))?;
    ensure!(other == CheckpointState::Absent, "a checkpoint crosses");
    Ok(Verdict::Passed)
}

fn rebuilt(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = Random(rig.seed);
    let mut kept: BTreeMap<String, u64> = BTreeMap::new();
    for _ in 0..rig.scaled(2_000) {
        let name = format!("thing-{}", random.below(40));
        let count = usize::try_from(random.below(4) + 1).unwrap_or(1);
        for event in append(&store, &name, Expected::Any, count)?.events {
            *kept.entry(event.stream.to_string()).or_default() += event.position.0;
        }
    }
    let mut fresh: BTreeMap<String, u64> = BTreeMap::new();
    for event in everything(&store, 333)? {
        *fresh.entry(event.stream.to_string()).or_default() += event.position.0;
    }
    ensure!(kept == fresh, "the rebuilt one differs");
    Ok(Verdict::Passed)
}
