//! Cases 17 to 27: order, reading, subscriptions.

use super::rig::{
    Problem, Random, Store, append, ensure, everything, group, head, page, sound, stream, tenant,
    wait,
};
use super::{Case, How, Outcome, Rig, Verdict};
use crate::port::{Expected, Filter, LogRead, StoreError, StreamRead, Subscribe, Subscription};
use fleet_model::kernel::{Position, Recorded, StreamVersion};
use std::future::Future as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Waker};

pub(super) const CASES: &[Case] = &[
    (17, "log order is commit order", commit_order),
    (18, "no late arrival", no_late_arrival),
    (19, "pages of 1, 7 and 1000", pages),
    (20, "filtered reads", filtered),
    (21, "backward reads, limit 0, beyond the end", backward),
    (22, "read your writes, and at least a position", own_writes),
    (23, "catch-up to live without seam", seam),
    (24, "all wake-up signals suppressed", no_signals),
    (25, "a stopped subscriber", stopped),
    (26, "a subscription is cut", cut),
    (27, "append futures are dropped", dropped),
];

fn commit_order(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    let mut told = Vec::new();
    for _ in 0..200 {
        let name = format!("thing-{}", random.below(9));
        let count = usize::try_from(random.below(5) + 1).unwrap_or(1);
        told.extend(append(&store, &name, Expected::Any, count)?.events);
    }
    ensure!(sound(&store)? == told, "the log differs from what was told");
    Ok(Verdict::Passed)
}

/// Waits some time that depends on the random number, without sleeping.
fn delay(random: &mut Random) {
    for _ in 0..random.below(40) {
        std::thread::yield_now();
    }
}

fn no_late_arrival(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let each = rig.scaled(3_000) / 8 + 1;
    let done = AtomicBool::new(false);
    let (seen, told) = std::thread::scope(|scope| {
        let reader = scope.spawn(|| -> Result<Vec<Recorded>, Problem> {
            let (mut read, mut seen) = (LogRead::after(Position::ZERO).limit(64), Vec::new());
            loop {
                let last = done.load(Ordering::Acquire);
                let page = wait(store.read_all(read.clone()))?;
                read.after = page.scanned_to;
                let end = page.scanned_to == page.head;
                seen.extend(page.events);
                if last && end {
                    return Ok(seen);
                }
            }
        });
        let writers: Vec<_> = (0..8)
            .map(|n| {
                let store = &store;
                let mut random = Random(rig.seed + n);
                scope.spawn(move || -> Result<usize, Problem> {
                    let mut told = 0;
                    for _ in 0..each {
                        delay(&mut random);
                        let count = usize::try_from(random.below(3) + 1).unwrap_or(1);
                        let name = format!("thing-{}", random.below(20));
                        told += append(store, &name, Expected::Any, count)?.events.len();
                    }
                    Ok(told)
                })
            })
            .collect();
        let mut told = 0;
        let mut problem = None;
        for writer in writers {
            match writer.join() {
                Ok(Ok(count)) => told += count,
                Ok(Err(error)) => problem = Some(error),
                Err(_) => problem = Some("a writer panicked".into()),
            }
        }
        done.store(true, Ordering::Release);
        let seen = reader.join().map_err(|_| "the reader panicked")??;
        match problem {
            Some(problem) => Err(problem),
            None => Ok((seen, told)),
        }
    })?;
    ensure!(
        seen.len() == told,
        "the reader saw {} of {told} events",
        seen.len()
    );
    ensure!(seen == sound(&store)?, "the reader saw another order");
    rig.acknowledged(told);
    Ok(Verdict::Passed)
}

fn pages(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    for n in 0..40 {
        let count = usize::try_from(random.below(30) + 1).unwrap_or(1);
        append(&store, &format!("thing-{}", n % 5), Expected::Any, count)?;
    }
    append(&store, "thing-large", Expected::Any, 1_000)?;
    let all = everything(&store, 1_000)?;
    for limit in [1, 7] {
        ensure!(everything(&store, limit)? == all, "pages of {limit} differ");
    }
    Ok(Verdict::Passed)
}

fn filtered(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    for n in 0..300u64 {
        let category = ["thing", "twin", "job"]
            .get((n % 3) as usize)
            .unwrap_or(&"x");
        let mut call = group(
            &format!("{category}-{}", random.below(12)),
            Expected::Any,
            2,
        )?;
        for event in &mut call.events {
            let name = format!("probe.kind_{}", random.below(3));
            event.event_type = name.parse()?;
        }
        wait(store.append(call))?;
    }
    let all = everything(&store, 1_000)?;
    for (categories, types, prefix) in [
        (vec!["thing"], vec![], None),
        (vec!["thing", "job"], vec!["probe.kind_1"], None),
        (vec![], vec!["probe.kind_0", "probe.kind_2"], Some("twin-1")),
        (vec![], vec![], Some("twin-")),
        (vec!["nothing"], vec![], None),
    ] {
        let parsed = categories.iter().map(|name| name.parse());
        let filter = Filter {
            categories: parsed.collect::<Result<_, _>>()?,
            event_types: types
                .iter()
                .map(|name| name.parse())
                .collect::<Result<_, _>>()?,
            stream_prefix: prefix.map(str::to_owned),
        };
        let by_hand: Vec<_> = all
            .iter()
            .filter(|event| {
                let stream = event.stream.as_str();
                (categories.is_empty() || categories.contains(&event.stream.category()))
                    && (types.is_empty() || types.contains(&event.event.event_type.as_str()))
                    && prefix.is_none_or(|prefix| stream.starts_with(prefix))
            })
            .cloned()
            .collect();
        let mut read = LogRead::after(Position::ZERO).limit(5).filter(filter);
        let mut found = Vec::new();
        loop {
            let page = wait(store.read_all(read.clone()))?;
            found.extend(page.events);
            if page.scanned_to >= page.head {
                break;
            }
            ensure!(page.scanned_to > read.after, "no progress without a match");
            read.after = page.scanned_to;
        }
        ensure!(
            found == by_hand,
            "the filter of {categories:?} {types:?} {prefix:?} differs"
        );
    }
    Ok(Verdict::Passed)
}

fn backward(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    for _ in 0..30 {
        append(&store, "thing-a", Expected::Any, 3)?;
    }
    let name = stream("thing-a")?;
    let forward = page(&store, "thing-a")?.events;
    let all = wait(store.read_stream(StreamRead::of(name.clone()).backward()))?.events;
    ensure!(
        all.iter().eq(forward.iter().rev()),
        "backward is not the reverse"
    );
    let part = StreamRead::of(name.clone())
        .from(StreamVersion(40))
        .backward()
        .limit(7);
    let part: Vec<_> = wait(store.read_stream(part))?.events;
    ensure!(
        part.iter().map(|e| e.version.0).eq((34..=40).rev()),
        "a part is wrong"
    );
    let part = StreamRead::of(name.clone())
        .from(StreamVersion(40))
        .limit(7);
    let part: Vec<_> = wait(store.read_stream(part))?.events;
    ensure!(
        part.iter().map(|e| e.version.0).eq(40..=46),
        "a forward part is wrong"
    );
    for read in [
        StreamRead::of(name.clone()).limit(0),
        StreamRead::of(name.clone()).backward().limit(0),
        StreamRead::of(name).from(StreamVersion(91)),
    ] {
        let page = wait(store.read_stream(read))?;
        ensure!(
            page.events.is_empty() && page.state.version().0 == 90,
            "not nothing"
        );
    }
    let beyond = wait(store.read_all(LogRead::after(Position(500))))?;
    ensure!(beyond.events.is_empty(), "events beyond the end");
    let nothing = wait(store.read_all(LogRead::after(Position::ZERO).limit(0)))?;
    ensure!(
        nothing.events.is_empty() && nothing.head.0 == 90,
        "limit 0 gives events"
    );
    Ok(Verdict::Passed)
}

fn own_writes(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    for n in 0..100 {
        let done = append(&store, &format!("thing-{}", n % 3), Expected::Any, 2)?;
        let at = done.last_position();
        ensure!(head(&store)? >= at, "the head is behind");
        let mut read = LogRead::after(Position(at.0 - 2));
        read.at_least = Some(at);
        ensure!(
            wait(store.read_all(read))?.events == done.events,
            "the log is behind"
        );
        let stored = page(&store, &format!("thing-{}", n % 3))?.events;
        ensure!(stored.ends_with(&done.events), "the stream is behind");
    }
    let mut never = LogRead::after(Position::ZERO);
    never.at_least = Some(Position(1_000_000));
    let code = wait(store.read_all(never)).err().map(|error| error.code());
    ensure!(
        code == Some("store.unavailable"),
        "{code:?} for a position that never comes"
    );
    Ok(Verdict::Passed)
}

fn take(live: &mut Subscription, count: usize) -> Result<Vec<Recorded>, Problem> {
    let mut events = Vec::with_capacity(count);
    while events.len() < count {
        events.push(wait(live.next()).ok_or("the subscription ended")??);
    }
    Ok(events)
}

/// Subscribes at `moments` while `total` events are appended; each must see all of them.
fn follow(rig: &Rig<'_>, store: &Store, total: usize, moments: u64) -> Result<(), Problem> {
    std::thread::scope(|scope| {
        let mut subscribers = Vec::new();
        for n in 0..moments {
            let mut random = Random(rig.seed + n);
            let mut subscribe = Subscribe::after(Position::ZERO);
            subscribe.window = usize::try_from(random.below(300) + 1).unwrap_or(1);
            subscribers.push(scope.spawn(move || {
                for _ in 0..random.below(2_000) {
                    std::thread::yield_now();
                }
                take(&mut store.subscribe_all(subscribe), total)
            }));
        }
        let mut stored = 0;
        while stored < total {
            let count = (total - stored).min(stored % 7 + 1);
            stored += append(
                store,
                &format!("thing-{}", stored % 11),
                Expected::Any,
                count,
            )?
            .events
            .len();
        }
        let all = everything(store, 1_000)?;
        for subscriber in subscribers {
            let seen = subscriber.join().map_err(|_| "a subscriber panicked")??;
            ensure!(seen == all, "a subscriber saw something else");
        }
        Ok(())
    })
}

fn seam(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let total = usize::try_from(rig.scaled(10_000)).unwrap_or(1_000);
    follow(rig, &store, total, 20)?;
    Ok(Verdict::Passed)
}

fn no_signals(rig: &Rig<'_>) -> Outcome {
    let place = rig.place()?;
    let how = How {
        without_signals: true,
        ..How::default()
    };
    match place.open(&tenant()?, how) {
        Ok(store) => follow(rig, &store, 200, 2)?,
        Err(StoreError::Unsupported { .. }) => {
            return Ok(Verdict::skipped(
                "its signals cannot be suppressed: they are given under the lock of the log",
            ));
        }
        Err(error) => return Err(error.into()),
    }
    Ok(Verdict::Passed)
}

fn stopped(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    append(&store, "thing-a", Expected::Any, 500)?;
    let mut subscribe = Subscribe::after(Position::ZERO);
    subscribe.window = 16;
    let mut live = store.subscribe_all(subscribe);
    let mut seen = take(&mut live, 3)?;
    for _ in 0..rig.scaled(10_000) / 100 + 1 {
        append(&store, "thing-b", Expected::Any, 100)?;
    }
    // What was not read ahead is read now: the subscriber goes on where it stopped.
    let all = everything(&store, 1_000)?;
    seen.extend(take(&mut live, all.len() - 3)?);
    ensure!(seen == all, "the subscriber lost its place");
    ensure!(live.try_next().is_none(), "something is left");
    Ok(Verdict::Passed)
}

fn cut(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    let mut seen: Vec<Recorded> = Vec::new();
    for _ in 0..40 {
        append(&store, "thing-a", Expected::Any, 25)?;
        let last = seen.last().map_or(Position::ZERO, |event| event.position);
        let mut live = store.subscribe_all(Subscribe::after(last));
        let count = usize::try_from(random.below(25)).unwrap_or(0);
        seen.extend(take(&mut live, count)?);
        drop(live);
    }
    let last = seen.last().map_or(Position::ZERO, |event| event.position);
    let rest = 1_000 - seen.len();
    seen.extend(take(
        &mut store.subscribe_all(Subscribe::after(last)),
        rest,
    )?);
    ensure!(seen == everything(&store, 1_000)?, "a gap or a double");
    Ok(Verdict::Passed)
}

fn dropped(rig: &Rig<'_>) -> Outcome {
    let (_place, store) = rig.store()?;
    let mut random = rig.random();
    let rounds = rig.scaled(1_000);
    let mut calls = Vec::new();
    for n in 0..rounds {
        let call = group(&format!("thing-{n}"), Expected::NoStream, 3)?;
        {
            let mut sent = std::pin::pin!(store.append(call.clone()));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..random.below(3) {
                if sent.as_mut().poll(&mut context).is_ready() {
                    break;
                }
                delay(&mut random);
            }
        }
        calls.push(call);
    }
    // A last append stands behind everything that was sent.
    append(&store, "thing-last", Expected::Any, 1)?;
    for call in &calls {
        let found = page(&store, call.stream.as_str())?.events.len();
        ensure!(
            found == 0 || found == 3,
            "stream `{}` has {found} of 3",
            call.stream
        );
    }
    sound(&store)?;
    for call in calls {
        wait(store.append(call))?;
    }
    ensure!(
        sound(&store)?.len() as u64 == rounds * 3 + 1,
        "not one copy of each"
    );
    Ok(Verdict::Passed)
}
