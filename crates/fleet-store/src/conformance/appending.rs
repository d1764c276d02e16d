//! Cases 1 to 16: append, concurrency, idempotence.

use super::rig::{
    Problem, Store, append, ensure, event, everything, exact, fresh, group, head, open, page,
    refused, sound, stream, wait,
};
use super::{Case, Outcome, Rig, Verdict};
use crate::port::{Append, Expected, LogRead, StoreError, StreamRead};
use fleet_model::kernel::{Position, StreamVersion};
use std::collections::BTreeSet;
use std::future::Future as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

pub(super) const CASES: &[Case] = &[
    (1, "no stream on a fresh stream", fresh_stream),
    (2, "no stream on an existing stream", existing_stream),
    (3, "exact version", exact_version),
    (4, "any and exists", any_and_exists),
    (5, "64 tasks race for one version", race),
    (6, "16 writers count to 3200", counter),
    (
        7,
        "a group of 1000 is seen whole or not at all",
        whole_groups,
    ),
    (8, "a refused group leaves no trace", no_trace),
    (9, "limits", limits),
    (10, "stream names", names),
    (11, "the same call twice", twice),
    (12, "the same call much later", much_later),
    (13, "the same ids with a stale version", stale),
    (14, "overlap and reuse of ids", reuse),
    (15, "the acknowledgement is lost", lost_acknowledgement),
];

fn fresh_stream(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let done = append(&store, "thing-a", Expected::NoStream, 5)?;
    let versions: Vec<_> = done.events.iter().map(|event| event.version.0).collect();
    ensure!(versions == [1, 2, 3, 4, 5], "versions {versions:?}");
    let rising = done.events.is_sorted_by(|a, b| a.position < b.position);
    ensure!(
        rising && done.first_position() > Position::ZERO,
        "positions do not rise"
    );
    ensure!(
        everything(&store, 100)? == done.events,
        "the log holds something else"
    );
    Ok(Verdict::Passed)
}

fn existing_stream(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    append(&store, "thing-a", Expected::NoStream, 3)?;
    let error = refused(
        &store,
        group("thing-a", Expected::NoStream, 1)?,
        "store.conflict",
    )?;
    let actual = matches!(
        error,
        StoreError::Conflict {
            actual: StreamVersion(3),
            ..
        }
    );
    ensure!(actual, "{error}");
    Ok(Verdict::Passed)
}

fn exact_version(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    append(&store, "thing-a", exact(0), 2)?;
    for wrong in [1, 3] {
        refused(&store, group("thing-a", exact(wrong), 1)?, "store.conflict")?;
    }
    ensure!(head(&store)? == Position(2), "a conflict stored something");
    let done = append(&store, "thing-a", exact(2), 1)?;
    ensure!(
        done.last_version().0 == 3,
        "version {}",
        done.last_version()
    );
    Ok(Verdict::Passed)
}

fn any_and_exists(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    refused(
        &store,
        group("thing-a", Expected::Exists, 1)?,
        "store.conflict",
    )?;
    append(&store, "thing-a", Expected::Any, 1)?;
    append(&store, "thing-a", Expected::Exists, 1)?;
    append(&store, "thing-a", Expected::Any, 1)?;
    ensure!(
        page(&store, "thing-a")?.state.version().0 == 3,
        "not three events"
    );
    Ok(Verdict::Passed)
}

fn race(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    for round in 0..rig.scaled(100) {
        let name = format!("race-{round}");
        let tasks: Result<Vec<_>, _> = (0..64).map(|_| group(&name, exact(0), 1)).collect();
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let tasks: Vec<_> = tasks?
                .into_iter()
                .map(|task| scope.spawn(|| wait(store.append(task))))
                .collect();
            Ok::<_, Problem>(tasks.into_iter().map(|task| task.join()).collect())
        })?;
        let mut won = 0;
        for outcome in outcomes {
            match outcome.map_err(|_| "a task panicked")? {
                Ok(_) => won += 1,
                Err(StoreError::Conflict { actual, .. }) => {
                    ensure!(actual.0 == 1, "a loser saw version {actual}");
                }
                Err(error) => return Err(error.into()),
            }
        }
        ensure!(won == 1, "round {round} has {won} winners");
    }
    Ok(Verdict::Passed)
}

/// Appends `times` events, each at the version that the stream really has.
fn count_up(store: &Store, name: &str, times: u64) -> Result<(), Problem> {
    let mut version = 0;
    for _ in 0..times {
        loop {
            match wait(store.append(group(name, exact(version), 1)?)) {
                Ok(done) => {
                    version = done.last_version().0;
                    break;
                }
                Err(StoreError::Conflict { actual, .. }) => version = actual.0,
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn counter(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let each = rig.scaled(200);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| count_up(&store, "counter-a", each)))
            .collect();
        for writer in writers {
            writer.join().map_err(|_| "a writer panicked")??;
        }
        Ok::<_, Problem>(())
    })?;
    let events = page(&store, "counter-a")?.events;
    ensure!(events.len() as u64 == 16 * each, "{} events", events.len());
    sound(&store)?;
    rig.acknowledged(events.len());
    Ok(Verdict::Passed)
}

fn whole_groups(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let rounds = rig.scaled(20);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| -> Result<(), Problem> {
            while !done.load(Ordering::Acquire) {
                let version = page(&store, "batch-a")?.state.version().0;
                ensure!(version % 1_000 == 0, "a reader saw version {version}");
                let head = head(&store)?.0;
                ensure!(head % 1_000 == 0, "a reader saw head {head}");
            }
            Ok(())
        });
        let mut outcome = Ok(());
        for _ in 0..rounds {
            if let Err(problem) = append(&store, "batch-a", Expected::Any, 1_000) {
                outcome = Err(problem);
                break;
            }
        }
        done.store(true, Ordering::Release);
        reader.join().map_err(|_| "the reader panicked")??;
        outcome
    })?;
    Ok(Verdict::Passed)
}

fn no_trace(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let first = append(&store, "thing-a", Expected::Any, 2)?;
    let taken = first
        .events
        .first()
        .ok_or("nothing was stored")?
        .event
        .clone();
    let conflict = group("thing-b", Expected::Exists, 3)?;
    let mut large = group("thing-b", Expected::Any, 3)?;
    if let Some(event) = large.events.last_mut() {
        event.data = vec![b' '; store.capabilities().max_event_bytes + 1].into();
    }
    let mut middle = group("thing-b", Expected::Any, 3)?;
    if let Some(event) = middle.events.get_mut(1) {
        *event = taken;
    }
    for (call, code) in [
        (conflict, "store.conflict"),
        (large, "store.too_large"),
        (middle, "store.id_reused"),
    ] {
        let ids: Vec<_> = call.events.first().cloned().into_iter().collect();
        let before = head(&store)?;
        refused(&store, call, code)?;
        ensure!(head(&store)? == before, "{code}: the log grew");
        let version = page(&store, "thing-b")?.state.version();
        ensure!(version == StreamVersion::ZERO, "{code}: the stream exists");
        // The refused id is free: it goes to another stream.
        let free = Append::new(stream("free-a")?, Expected::Any, ids);
        ensure!(
            !wait(store.append(free))?.deduplicated,
            "{code}: the id was taken"
        );
    }
    sound(&store)?;
    Ok(Verdict::Passed)
}

fn limits(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let capabilities = store.capabilities();
    refused(
        &store,
        group("thing-a", Expected::Any, 0)?,
        "store.invalid_input",
    )?;
    let beyond = group("thing-a", Expected::Any, capabilities.max_events + 1)?;
    refused(&store, beyond, "store.too_large")?;
    let sized = |bytes: usize| -> Result<Append, Problem> {
        let mut call = group("thing-a", Expected::Any, 1)?;
        for event in &mut call.events {
            event.data = vec![b' '; bytes].into();
        }
        Ok(call)
    };
    refused(
        &store,
        sized(capabilities.max_event_bytes + 1)?,
        "store.too_large",
    )?;
    ensure!(
        head(&store)? == Position::ZERO,
        "a refusal stored something"
    );
    let large = wait(store.append(sized(capabilities.max_event_bytes)?))?;
    append(&store, "thing-a", Expected::Any, capabilities.max_events)?;
    let events = page(&store, "thing-a")?.events;
    ensure!(
        events.len() == capabilities.max_events + 1,
        "{} events",
        events.len()
    );
    ensure!(
        events.first() == large.events.first(),
        "the large event came back different"
    );
    Ok(Verdict::Passed)
}

fn names(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let long = |last: char| format!("thing-{}{last}", "x".repeat(1_017));
    let every = "abcdefghijklmnopqrstuvwxyz0123456789_-ABCDEFGHIJKLMNOPQRSTUVWXYZ.:~";
    let names: BTreeSet<String> = [
        every.to_owned(),
        long('a'),
        long('b'),
        long('A'),
        "thing-a".into(),
        "thing-A".into(),
        "thing-_".into(),
        "thing-x".into(),
        "thing-~25".into(),
        "thing-~2A".into(),
        "thing-a.b".into(),
        "thing-a-b".into(),
        "thin-g-a".into(),
    ]
    .into();
    for name in &names {
        append(&store, name, Expected::NoStream, 1)?;
    }
    for name in &names {
        let events = page(&store, name)?.events;
        let own = events.len() == 1 && events.iter().all(|e| e.stream.as_str() == name);
        ensure!(own, "stream `{name:.40}` has {} events", events.len());
    }
    Ok(Verdict::Passed)
}

fn twice(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let call = group("thing-a", Expected::NoStream, 7)?;
    let first = wait(store.append(call.clone()))?;
    let second = wait(store.append(call))?;
    ensure!(!first.deduplicated && second.deduplicated, "not told apart");
    ensure!(first.events == second.events, "other places");
    ensure!(
        everything(&store, 100)? == first.events,
        "more than one copy"
    );
    Ok(Verdict::Passed)
}

fn much_later(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let store = open(place.as_ref())?;
    let call = group("thing-a", Expected::NoStream, 3)?;
    let first = wait(store.append(call.clone()))?;
    let others = rig.scaled(100_000);
    for n in (0..others).step_by(1_000) {
        append(&store, &format!("other-{}", n % 17), Expected::Any, 1_000)?;
    }
    let again = wait(store.append(call.clone()))?;
    ensure!(
        again.deduplicated && again.events == first.events,
        "forgotten after {others} events"
    );
    drop(store);
    if place.keeps() {
        let store = open(place.as_ref())?;
        let again = wait(store.append(call))?;
        ensure!(
            again.deduplicated && again.events == first.events,
            "forgotten after a reopen"
        );
    }
    Ok(Verdict::Passed)
}

fn stale(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut call = group("thing-a", exact(0), 2)?;
    wait(store.append(call.clone()))?;
    append(&store, "thing-a", exact(2), 1)?;
    for expected in [exact(0), exact(9), Expected::NoStream] {
        call.expected = expected;
        ensure!(
            wait(store.append(call.clone()))?.deduplicated,
            "not deduplicated"
        );
    }
    Ok(Verdict::Passed)
}

fn reuse(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let call = group("thing-a", Expected::Any, 3)?;
    let done = wait(store.append(call.clone()))?;
    let mut half = call.clone();
    half.events.push(fresh("new"));
    let mut before = call.clone();
    before.events.insert(0, fresh("new"));
    let mut turned = call.clone();
    turned.events.reverse();
    let mut elsewhere = call.clone();
    elsewhere.stream = stream("thing-b")?;
    let mut other = call.clone();
    for event in &mut other.events {
        event.data = b"\"other\"".as_slice().into();
    }
    let mut holed = call;
    holed.events.remove(1);
    for call in [half, before, turned, elsewhere, other, holed] {
        refused(&store, call, "store.id_reused")?;
        ensure!(
            head(&store)? == done.last_position(),
            "something was stored"
        );
    }
    let read = StreamRead::of(stream("thing-b")?);
    ensure!(
        wait(store.read_stream(read))?.events.is_empty(),
        "the other stream exists"
    );
    Ok(Verdict::Passed)
}

/// The nearest to a cut wire inside one process: the caller goes away after the request is sent.
fn lost_acknowledgement(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    for n in 0..rig.scaled(200) {
        let id = u128::from(n) + (1 << 100);
        let call = Append::new(
            stream(&format!("thing-{n}"))?,
            Expected::NoStream,
            vec![event(id, "a"), event(id + (1 << 90), "b")],
        );
        {
            let mut sent = std::pin::pin!(store.append(call.clone()));
            let mut context = Context::from_waker(Waker::noop());
            // Ready or not: nobody listens.
            let _ = sent.as_mut().poll(&mut context);
        }
        let again = wait(store.append(call))?;
        ensure!(
            again.last_version().0 == 2,
            "version {}",
            again.last_version()
        );
    }
    let all = sound(&store)?;
    let page = wait(store.read_all(LogRead::after(Position::ZERO).limit(0)))?;
    ensure!(page.head.0 == all.len() as u64, "the log has holes");
    Ok(Verdict::Passed)
}
