//! Cases 16, 28 to 34, 37 and 38 to 42: faults of process, disk and power.

use super::rig::{
    Problem, Random, Store, append, ensure, everything, exact, group, open, page, refused, sound,
    stream, tenant, wait,
};
use super::{Case, How, Outcome, Place, Rig, Verdict, child};
use crate::port::{Durability, Expected, Snapshot, StoreError, StreamRead};
use fleet_model::kernel::Recorded;
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::Ordering;

pub(super) const CASES: &[Case] = &[
    (
        16,
        "a commit reports failure after the log was written",
        failed_commit,
    ),
    (28, "kill -9 at random moments", kills),
    (29, "power loss", power_loss),
    (30, "disk full", disk_full),
    (31, "every write, truncate and sync fails", every_fault),
    (32, "flipped bits in a closed store", flips),
    (33, "flipped bits in the write-ahead part", flips_ahead),
    (34, "two writers", two_writers),
    (37, "a newer format", newer_format),
    (38, "any node is killed", distributed),
    (39, "all nodes are killed", distributed),
    (40, "a partition", distributed),
    (41, "fail-over to a standby", distributed),
    (42, "a class that the engine does not give", misconfigured),
];

fn distributed(_: &Rig<'_>) -> Outcome {
    Ok(Verdict::skipped("not a distributed adapter"))
}

fn misconfigured(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let how = How {
        durability: Some(Durability::Replicated { faults: 1 }),
        ..How::default()
    };
    match place.open(&tenant()?, how) {
        Err(StoreError::Misconfigured { .. }) => Ok(Verdict::Passed),
        Err(StoreError::Unsupported { .. }) => Ok(Verdict::skipped(
            "it has one class only, and is not asked for another",
        )),
        Err(error) => Err(error.into()),
        Ok(_) => Err("a class was promised that it does not have".into()),
    }
}

fn two_writers(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 3)?;
    match place.open(&tenant()?, How::default()) {
        Err(error) => ensure!(error.code() == "store.unavailable", "{error}"),
        Ok(second) => {
            append(&second, "thing-a", exact(3), 1)?;
            refused(&store, group("thing-a", exact(3), 1)?, "store.conflict")?;
        }
    }
    append(&store, "thing-b", Expected::Any, 3)?;
    sound(&store)?;
    Ok(Verdict::Passed)
}

fn newer_format(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 3)?;
    drop(store);
    let Some(file) = place.make_newer() else {
        return Ok(Verdict::skipped("no file with a format to change"));
    };
    let before = fs::read(&file)?;
    match place.open(&tenant()?, How::default()) {
        Err(StoreError::UnknownSchema { .. }) => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a newer format was opened".into()),
    }
    ensure!(fs::read(&file)? == before, "the file was touched");
    Ok(Verdict::Passed)
}

/// Runs the child at `place` until it has acknowledged about `acks` groups, then kills it.
fn run_child(
    rig: &Rig<'_>,
    place: &dyn Place,
    seed: u64,
    acks: u64,
) -> Result<Option<Vec<String>>, Problem> {
    let Some(mut command) = place.child() else {
        return Ok(None);
    };
    let mut child = command
        .arg(seed.to_string())
        .env("FLEET_CONFORMANCE_SEED", seed.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take().ok_or("the child has no output")?;
    let mut lines = BufReader::new(out).lines();
    let mut told = Vec::new();
    while (told.len() as u64) < acks
        && let Some(line) = lines.next()
    {
        let line = line?;
        if line.starts_with("ack ") {
            told.push(line);
        }
    }
    let running = child.try_wait()?.is_none();
    child.kill()?;
    // What it wrote before it died counts as acknowledged; its last line may be cut short.
    let mut rest: Vec<String> = lines.map_while(Result::ok).collect();
    rest.pop();
    told.extend(rest);
    child.wait()?;
    rig.tally.kills.fetch_add(1, Ordering::Relaxed);
    ensure!(running, "the child ended before it was killed");
    Ok(Some(told))
}

/// Kills of one store, before another takes its place: the whole log is read after each.
const KILLS_OF_A_STORE: u64 = 20;

fn kills(rig: &Rig<'_>) -> Outcome {
    let mut place = rig.place()?;
    let mut random = rig.random();
    for round in 0..rig.scaled(500).min(if rig.long { 500 } else { 12 }) {
        if round % KILLS_OF_A_STORE == 0 {
            place = rig.place()?;
        }
        let seed = rig.seed * 10_000 + round;
        let acks = random.below(150) + 1;
        let Some(told) = run_child(rig, place.as_ref(), seed, acks)? else {
            return Ok(Verdict::skipped("no process that keeps what it stores"));
        };
        let store = open(place.as_ref())?;
        let found = child::after(&store, seed, &told)?;
        count(rig, &found)?;
    }
    Ok(Verdict::Passed)
}

fn count(rig: &Rig<'_>, found: &child::Found) -> Result<(), Problem> {
    let acknowledged = &rig.tally.acknowledged;
    acknowledged.fetch_add(found.acknowledged, Ordering::Relaxed);
    rig.lost(found.lost);
    ensure!(
        found.lost == 0,
        "{} acknowledged events are gone",
        found.lost
    );
    Ok(())
}

fn power_loss(rig: &Rig<'_>) -> Outcome {
    let rounds = rig.scaled(50).min(if rig.long { 50 } else { 2 });
    for round in 0..rounds {
        let mut power = match rig.harness.power() {
            Ok(power) => power,
            Err(reason) => return Ok(Verdict::Skipped(reason)),
        };
        let mut random = Random(rig.seed + round);
        let lost = cut_once(
            rig,
            power.as_mut(),
            rig.seed + round,
            random.below(200) + 20,
        )?;
        count(rig, &lost)?;
    }
    // The control: without syncs, the same cut must lose something.
    let mut lost = 0;
    for round in 0..5 {
        let mut power = rig.harness.power_without_syncs().map_err(Problem)?;
        match cut_once(rig, power.as_mut(), rig.seed + round, 100) {
            Ok(found) => lost += found.lost,
            // A log that is noticed to be shorter, or gone, has lost as well.
            Err(_) => lost += 1,
        }
        if lost > 0 {
            break;
        }
    }
    ensure!(
        lost > 0,
        "the control without syncs lost nothing: the rig cuts no power"
    );
    Ok(Verdict::Passed)
}

fn cut_once(
    rig: &Rig<'_>,
    power: &mut dyn super::Power,
    seed: u64,
    acks: u64,
) -> Result<child::Found, Problem> {
    let mut command = power.place().child().ok_or("the rig gives no child")?;
    let mut child = command
        .arg(seed.to_string())
        .env("FLEET_CONFORMANCE_SEED", seed.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let out = child.stdout.take().ok_or("the child has no output")?;
    let mut told = Vec::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        if line.starts_with("ack ") {
            told.push(line);
        }
        if told.len() as u64 >= acks {
            break;
        }
    }
    let running = child.try_wait()?.is_none();
    // Acknowledgements after this moment are not counted.
    let cut = power.cut();
    child.kill()?;
    child.wait()?;
    cut.map_err(Problem)?;
    rig.tally.faults.fetch_add(1, Ordering::Relaxed);
    ensure!(running, "the child ended before the cut");
    power.come_back().map_err(Problem)?;
    let store = open(power.place())?;
    child::after(&store, seed, &told)
}

fn disk_full(rig: &Rig<'_>) -> Outcome {
    let small = match rig.harness.small_disk() {
        Ok(small) => small,
        Err(reason) => return Ok(Verdict::Skipped(reason)),
    };
    let store = open(small.place())?;
    let mut told: Vec<Recorded> = Vec::new();
    let mut waiting = None;
    for n in 0..100_000 {
        let mut call = group(&format!("thing-{}", n % 5), Expected::Any, 10)?;
        for event in &mut call.events {
            event.data = vec![b' '; 2_000].into();
        }
        match wait(store.append(call.clone())) {
            Ok(done) => told.extend(done.events),
            Err(StoreError::Full { .. }) => {
                waiting = Some(call);
                break;
            }
            Err(error) => return Err(error.into()),
        }
    }
    let call = waiting.ok_or("the disk never became full")?;
    rig.tally.faults.fetch_add(1, Ordering::Relaxed);
    ensure!(
        everything(&store, 1_000)? == told,
        "a full store is not readable as it was"
    );
    small.free().map_err(Problem)?;
    told.extend(wait(store.append(call))?.events);
    ensure!(
        sound(&store)? == told,
        "not one copy of each after space was made"
    );
    rig.acknowledged(told.len());
    drop(store);
    // What a store does when it closes may fill the disk again.
    let reopened = match small.place().open(&tenant()?, How::default()) {
        Err(StoreError::Full { .. }) => {
            small.free().map_err(Problem)?;
            open(small.place())?
        }
        reopened => reopened?,
    };
    ensure!(
        sound(&reopened)? == told,
        "something is lost after a reopen"
    );
    Ok(Verdict::Passed)
}

/// Appends to five streams; gives what was acknowledged and what was not.
fn script(
    store: &Store,
    appends: usize,
    retry: bool,
) -> Result<(Vec<Recorded>, Vec<StoreError>), Problem> {
    let (mut told, mut errors) = (Vec::new(), Vec::new());
    for n in 0..appends {
        let call = group(&format!("thing-{}", n % 5), Expected::Any, n % 4 + 1)?;
        let tries = if retry { 3 } else { 1 };
        for _ in 0..tries {
            match wait(store.append(call.clone())) {
                Ok(done) => {
                    told.extend(done.events);
                    break;
                }
                Err(error) => {
                    let named = matches!(
                        error,
                        StoreError::Unknown { .. }
                            | StoreError::Unavailable { .. }
                            | StoreError::Full { .. }
                    );
                    ensure!(
                        named,
                        "a failing disk is told as `{}`: {error}",
                        error.code()
                    );
                    errors.push(error);
                }
            }
        }
    }
    Ok((told, errors))
}

fn every_fault(rig: &Rig<'_>) -> Outcome {
    // The 24 of the spec; the long form lets every operation of a longer script fail.
    let appends = if rig.long { 60 } else { 24 };
    let total = {
        let (place, injector) = match rig.harness.injector() {
            Ok(rigged) => rigged,
            Err(reason) => return Ok(Verdict::Skipped(reason)),
        };
        let store = open(place.as_ref())?;
        injector.arm(u64::MAX, false);
        script(&store, appends, false)?;
        drop(store);
        injector.operations()
    };
    ensure!(total > 24, "only {total} operations were counted");
    for forever in [false, true] {
        let step = if rig.long { 1 } else { 5 };
        for nth in (0..total).step_by(step) {
            let (place, injector) = rig.harness.injector().map_err(Problem)?;
            let store = open(place.as_ref())?;
            injector.arm(nth, forever);
            let (told, errors) = script(&store, appends, !forever)?;
            drop(store);
            injector.heal();
            rig.tally.faults.fetch_add(1, Ordering::Relaxed);
            let store = open(place.as_ref())?;
            let all = sound(&store)?;
            let text = |what| format!("operation {nth} of {total}, forever {forever}: {what}");
            let there: BTreeSet<_> = all.iter().map(|event| event.event.id).collect();
            let missing = told.iter().filter(|event| !there.contains(&event.event.id));
            let missing = missing.count() as u64;
            rig.acknowledged(told.len());
            rig.lost(missing);
            ensure!(missing == 0, "{}", text("acknowledged events are gone"));
            for event in &told {
                let known = all.iter().find(|found| found.event.id == event.event.id);
                ensure!(
                    known == Some(event),
                    "{}",
                    text("an event changed its place")
                );
            }
            let only_unknown = errors
                .iter()
                .any(|e| matches!(e, StoreError::Unknown { .. }));
            let extra = all.len() - told.len();
            ensure!(
                extra == 0 || only_unknown,
                "{}",
                text("stored, but told to be not stored")
            );
            append(&store, "thing-after", Expected::Any, 1)?;
        }
    }
    Ok(Verdict::Passed)
}

fn failed_commit(rig: &Rig<'_>) -> Outcome {
    let (place, injector) = match rig.harness.injector() {
        Ok(rigged) => rigged,
        Err(reason) => return Ok(Verdict::Skipped(reason)),
    };
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 2)?;
    let call = group("thing-a", exact(2), 3)?;
    injector.arm_syncs();
    let error = refused(&store, call.clone(), "store.unknown")?;
    rig.tally.faults.fetch_add(1, Ordering::Relaxed);
    let named = matches!(&error, StoreError::Unknown { ids, .. } if ids.len() == 3);
    ensure!(named, "the ids are not named: {error}");
    injector.heal();
    let done = wait(store.append(call))?;
    ensure!(
        done.last_version().0 == 5,
        "version {}",
        done.last_version()
    );
    ensure!(sound(&store)?.len() == 5, "not one copy");
    Ok(Verdict::Passed)
}

fn flip(file: &Path, random: &mut Random, from: u64) -> Result<u64, Problem> {
    let mut bytes = fs::read(file)?;
    let length = bytes.len() as u64;
    ensure!(length > from, "`{}` is too short", file.display());
    let at = from + random.below(length - from);
    let byte = usize::try_from(at).ok().and_then(|at| bytes.get_mut(at));
    if let Some(byte) = byte {
        *byte ^= 1u8 << random.below(8);
    }
    fs::write(file, bytes)?;
    Ok(at)
}

/// Whether damage was told. What is answered without an error must be right.
fn damage_told(
    place: &dyn Place,
    all: &[Recorded],
    calls: &[crate::port::Append],
) -> Result<bool, Problem> {
    let told = |error: StoreError| match error.code() {
        "store.corrupt" | "store.unknown_schema" => Ok(true),
        _ => Err(Problem(format!(
            "damage is told as `{}`: {error}",
            error.code()
        ))),
    };
    let store = match place.open(&tenant()?, How::default()) {
        Ok(store) => store,
        Err(error) => return told(error),
    };
    let mut read = crate::port::LogRead::after(fleet_model::kernel::Position::ZERO).limit(64);
    let mut seen: Vec<Recorded> = Vec::new();
    loop {
        match wait(store.read_all(read.clone())) {
            Ok(page) => {
                seen.extend(page.events);
                if page.scanned_to >= page.head {
                    break;
                }
                read.after = page.scanned_to;
            }
            Err(error) => return told(error),
        }
    }
    ensure!(seen == all, "other data was served without a word");
    let streams: BTreeSet<_> = all.iter().map(|event| &event.stream).collect();
    for name in streams {
        match wait(store.read_stream(StreamRead::of(name.clone()))) {
            Ok(page) => {
                let own = all.iter().filter(|event| event.stream == *name);
                ensure!(
                    page.events.iter().eq(own),
                    "stream `{name}` reads differently"
                );
            }
            Err(error) => return told(error),
        }
        match wait(store.load_snapshot(name, 1)) {
            Ok(None) => {}
            Ok(Some(found)) => ensure!(*found.bytes == *b"state", "a damaged snapshot is served"),
            Err(error) => return told(error),
        }
    }
    for call in calls {
        match wait(store.append(call.clone())) {
            Ok(done) => ensure!(done.deduplicated, "an event was stored a second time"),
            Err(error) => return told(error),
        }
    }
    Ok(false)
}

fn flips(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    if place.files().is_empty() {
        return Ok(Verdict::skipped("nothing is kept in files"));
    }
    let store = open(place.as_ref())?;
    let mut calls = Vec::new();
    for n in 0..300 {
        let call = group(&format!("thing-{}", n % 23), Expected::Any, n % 6 + 1)?;
        wait(store.append(call.clone()))?;
        calls.push(call);
    }
    let events = page(&store, "thing-3")?.events;
    let last = events.last().ok_or("an event is missing")?;
    wait(store.save_snapshot(Snapshot::after(last, 1, b"state".as_slice().into())))?;
    wait(store.truncate_before(&stream("thing-22")?, fleet_model::kernel::StreamVersion(1)))?;
    let all = everything(&store, 1_000)?;
    drop(store);
    let mut random = rig.random();
    for round in 0..rig.scaled(2_000) {
        let copy = place.copy().ok_or("the place cannot be copied")?;
        let files = copy.files();
        let file = usize::try_from(random.below(files.len() as u64)).unwrap_or(0);
        let file = files.get(file).ok_or("a file is missing")?;
        let at = flip(file, &mut random, 0)?;
        rig.tally.flips.fetch_add(1, Ordering::Relaxed);
        let told = damage_told(copy.as_ref(), &all, &calls);
        told.map_err(|problem| {
            Problem(format!(
                "round {round}, byte {at} of `{}`: {}",
                file.display(),
                problem.0
            ))
        })?;
    }
    Ok(Verdict::Passed)
}

fn flips_ahead(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    append(&store, "thing-a", Expected::Any, 1)?;
    if place.ahead().is_none() {
        return Ok(Verdict::skipped("nothing is written ahead"));
    }
    let mut calls = Vec::new();
    for n in 0..60 {
        let call = group(&format!("thing-{}", n % 7), Expected::Any, n % 3 + 1)?;
        wait(store.append(call.clone()))?;
        calls.push(call);
    }
    let all = everything(&store, 1_000)?;
    let mut random = rig.random();
    let mut noticed = 0;
    for round in 0..rig.scaled(100) {
        let copy = place.copy().ok_or("the place cannot be copied")?;
        let file = copy.ahead().ok_or("nothing is written ahead")?;
        let at = flip(&file, &mut random, 0)?;
        rig.tally.flips.fetch_add(1, Ordering::Relaxed);
        let told = damage_told(copy.as_ref(), &all, &calls)
            .map_err(|problem| Problem(format!("round {round}, byte {at}: {}", problem.0)))?;
        noticed += u64::from(told);
    }
    ensure!(noticed > 0, "no flip was noticed");
    Ok(Verdict::Passed)
}
