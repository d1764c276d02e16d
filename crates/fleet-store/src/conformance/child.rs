//! The writer that is killed, and the look at what it left.

use super::rig::{Problem, Store, ensure, event, sound, wait};
use crate::port::{Append, EventStore, Expected, StoreError};
use fleet_model::kernel::EventId;
use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;

const WRITERS: u64 = 4;

/// The group number `n` of a writer: 1 to 7 events, from the seed alone.
fn group_of(seed: u64, writer: u64, n: u64) -> Result<Append, Problem> {
    let count = n % 7 + 1;
    let events = (0..count)
        .map(|i| {
            let id = (u128::from(seed) << 64) | u128::from((writer << 56) | (n << 8) | i);
            event(id, &format!("{seed} {writer} {n} {i} {count}"))
        })
        .collect();
    let stream = format!("kill-{}", (writer * 31 + n) % 11).parse()?;
    Ok(Append::new(stream, Expected::Any, events))
}

/// Appends groups from four threads until the process is killed or an append fails, and writes a line
/// `ack WRITER NUMBER POSITION VERSION` after each acknowledgement. Runs in the child of
/// [`Place::child`](super::Place::child), with the number that the suite gives as the last argument.
pub fn serve(store: &Arc<dyn EventStore>, seed: u64, out: impl Write + Send) {
    let out = Mutex::new(out);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let out = &out;
            scope.spawn(move || {
                for n in 0.. {
                    let Ok(call) = group_of(seed, writer, n) else {
                        return;
                    };
                    let Ok(done) = wait(store.append(call)) else {
                        return;
                    };
                    let line = format!(
                        "ack {writer} {n} {} {}\n",
                        done.first_position(),
                        done.last_version()
                    );
                    let Ok(mut out) = out.lock() else { return };
                    if out
                        .write_all(line.as_bytes())
                        .and_then(|()| out.flush())
                        .is_err()
                    {
                        return;
                    }
                }
            });
        }
    });
}

/// What was found after a fault.
pub(crate) struct Found {
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
}

/// Looks for everything that `acks` acknowledged; other lines are passed over.
///
/// # Errors
/// A torn group, a wrong order, or damage. Gives acknowledged and lost events otherwise.
pub fn verify_after(
    store: &Arc<dyn EventStore>,
    seed: u64,
    acks: &[String],
) -> Result<(u64, u64), String> {
    let found = after(store, seed, acks).map_err(|problem| problem.0)?;
    Ok((found.acknowledged, found.lost))
}

pub(crate) fn after(store: &Store, seed: u64, acks: &[String]) -> Result<Found, Problem> {
    let all = sound(store)?;
    let ids: HashMap<EventId, usize> = (0..).zip(&all).map(|(n, e)| (e.event.id, n)).collect();
    ensure!(ids.len() == all.len(), "an id stands twice");
    whole(&all)?;
    let mut found = Found {
        acknowledged: 0,
        lost: 0,
    };
    let mut last = None;
    for line in acks {
        let mut words = line.split(' ');
        if words.next() != Some("ack") {
            continue;
        }
        let numbers: Vec<u64> = words.filter_map(|word| word.trim().parse().ok()).collect();
        let [writer, n, position, version] = numbers.as_slice() else {
            continue;
        };
        let call = group_of(seed, *writer, *n)?;
        let count = call.events.len() as u64;
        found.acknowledged += count;
        for (i, wanted) in (0..).zip(&call.events) {
            let stored = ids.get(&wanted.id).and_then(|at| all.get(*at));
            let Some(stored) = stored else {
                found.lost += 1;
                continue;
            };
            let placed = stored.position.0 == position + i
                && stored.version.0 == version + 1 + i - count
                && stored.stream == call.stream;
            ensure!(
                placed && stored.event == *wanted,
                "`{line}` stands elsewhere or changed"
            );
        }
        last = Some(call);
    }
    if let (Some(call), 0) = (last, found.lost) {
        match wait(store.append(call)) {
            Ok(done) => ensure!(done.deduplicated, "an acknowledged group was stored again"),
            Err(StoreError::Unavailable { .. } | StoreError::Full { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(found)
}

/// Each group that the log holds is complete.
fn whole(all: &[fleet_model::kernel::Recorded]) -> Result<(), Problem> {
    let mut groups: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for event in all {
        let text = String::from_utf8_lossy(&event.event.data).replace('"', "");
        let words: Vec<&str> = text.split(' ').collect();
        if let [seed, writer, n, _, count] = words.as_slice()
            && let Ok(count) = count.parse()
        {
            let group = groups.entry(format!("{seed} {writer} {n}")).or_default();
            group.0 += 1;
            group.1 = count;
        }
    }
    for (name, (found, count)) in groups {
        ensure!(
            found == count,
            "group `{name}` has {found} of {count} events"
        );
    }
    Ok(())
}
