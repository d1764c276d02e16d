use super::*;
use crate::port::{Expected, SystemClock};
use crate::testing::event;
use std::collections::BTreeMap;

fn open(path: &Path) -> SqliteStore {
    let options = SqliteOptions::default().chained();
    SqliteStore::open(
        path,
        "default".parse().unwrap(),
        Arc::new(SystemClock),
        &options,
    )
    .unwrap()
}

fn append(stream: &str, expected: Expected, ids: std::ops::Range<u128>) -> Append {
    let events = ids.map(event).collect();
    Append::new(stream.parse().unwrap(), expected, events)
}

fn everything(store: &SqliteStore) -> Vec<fleet_model::kernel::Recorded> {
    let (mut read, mut all) = (LogRead::after(Position::ZERO), Vec::new());
    loop {
        let page = pollster::block_on(store.read_all(read.clone())).unwrap();
        all.extend(page.events);
        if page.scanned_to == page.head {
            return all;
        }
        read.after = page.scanned_to;
    }
}

#[test]
fn what_was_stored_is_there_after_a_reopen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let mut all = Vec::new();
    for round in 0u128..3 {
        let store = open(&path);
        assert_eq!(everything(&store), all);
        for n in 0u128..20 {
            let base = round * 100_000 + n * 1_000;
            let call = append(
                &format!("thing-{}", n % 7),
                Expected::Any,
                base..base + 1 + n * 5,
            );
            let done = pollster::block_on(store.append(call.clone())).unwrap();
            assert!(!done.deduplicated);
            all.extend(done.events.clone());
            let again = pollster::block_on(store.append(call)).unwrap();
            assert_eq!((again.deduplicated, again.events), (true, done.events));
        }
        assert_eq!(everything(&store), all);
        let mut streams: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for event in &all {
            streams
                .entry(event.stream.clone())
                .or_default()
                .push(event.clone());
        }
        for (stream, events) in streams {
            let page =
                pollster::block_on(store.read_stream(StreamRead::of(stream.clone()))).unwrap();
            assert_eq!(page.events, events);
            let back = StreamRead::of(stream).backward().limit(7);
            let page = pollster::block_on(store.read_stream(back)).unwrap();
            assert!(page.events.iter().eq(events.iter().rev().take(7)));
        }
        let page = pollster::block_on(store.scrub(Position::ZERO, u64::MAX)).unwrap();
        assert_eq!((page.damage, page.events), (vec![], all.len() as u64));
    }
}

#[test]
fn a_bulk_of_groups_passes_through_index_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let store = open(&path);
    let calls: Vec<_> = (0u128..70_000)
        .map(|n| {
            append(
                &format!("thing-{}", n * 7919 % 3_001),
                Expected::Any,
                n..n + 1,
            )
        })
        .collect();
    for outcome in pollster::block_on(store.append_batch(calls.clone())) {
        assert!(!outcome.unwrap().deduplicated);
    }
    drop(store);
    let store = open(&path);
    let page = pollster::block_on(store.scrub(Position::ZERO, u64::MAX)).unwrap();
    assert_eq!((page.damage, page.events), (vec![], 70_000));
    for call in calls.into_iter().step_by(997) {
        assert!(pollster::block_on(store.append(call)).unwrap().deduplicated);
    }
}

#[test]
fn a_second_writer_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let refused = |path: &Path| {
        let options = SqliteOptions::default();
        let tenant = "default".parse().unwrap();
        SqliteStore::open(path, tenant, Arc::new(SystemClock), &options)
            .unwrap_err()
            .code()
    };
    let store = open(&path);
    assert_eq!(refused(&path), "store.unavailable");
    pollster::block_on(store.append(append("thing-a", Expected::Any, 0..3))).unwrap();
    drop(store);
    drop(open(&path));
    let other = folder.path().join("other.db");
    std::fs::write(
        &other,
        b"not a database, but longer than a header".repeat(9),
    )
    .unwrap();
    assert_eq!(refused(&other), "store.corrupt");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[63] = 2;
    std::fs::write(&other, &bytes).unwrap();
    assert_eq!(refused(&other), "store.unknown_schema");
    assert_eq!(std::fs::read(&other).unwrap(), bytes);
    std::fs::write(&path, &bytes[..50]).unwrap();
    assert_eq!(refused(&path), "store.corrupt");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(refused(&path), "store.corrupt");
}
