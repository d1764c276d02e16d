use super::*;
use crate::memory::MemoryStore;
use crate::port::{Expected, SystemClock};
use crate::testing::event;
use proptest::prelude::*;
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

/// What a crash leaves: the files as they are.
fn left_behind(path: &Path, name: &str) -> PathBuf {
    let copy = path.with_file_name(name);
    for end in ["", "-wal", "-witness"] {
        let from = format!("{}{end}", path.display());
        if std::fs::exists(&from).unwrap() {
            std::fs::copy(from, format!("{}{end}", copy.display())).unwrap();
        }
    }
    copy
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Groups of one transaction share rows, whatever their sizes and streams. The oracle is the store in memory.
    #[test]
    fn groups_share_rows_and_every_stream_is_found(
        batches in proptest::collection::vec(proptest::collection::vec((0u8..4, 1u128..5, 0usize..3), 1..40), 1..4)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fleet.db");
        let store = open(&path);
        let memory = MemoryStore::chained("default".parse().unwrap(), Arc::new(SystemClock));
        let mut id = 0;
        for batch in batches {
            let batch: Vec<Append> = batch.into_iter().map(|(stream, count, size)| {
                let mut append = append(&format!("thing-{stream}"), Expected::Any, id..id + count);
                id += count;
                for event in &mut append.events {
                    event.data = vec![b'7'; [1, 700, 5_000][size]].into();
                }
                append
            }).collect();
            for outcome in pollster::block_on(store.append_batch(batch.clone())) {
                outcome.unwrap();
            }
            for append in batch {
                pollster::block_on(memory.append(append)).unwrap();
            }
        }
        let plain = |page: StreamPage| -> Vec<_> {
            page.events.into_iter().map(|event| (event.version, event.position, event.event)).collect()
        };
        let agree = |store: &SqliteStore| {
            for stream in 0..4 {
                let read = StreamRead::of(format!("thing-{stream}").parse().unwrap());
                for read in [read.clone(), read.clone().limit(2), read.backward().limit(3)] {
                    let [ours, theirs] = [store as &dyn EventStore, &memory]
                        .map(|store| plain(pollster::block_on(store.read_stream(read.clone())).unwrap()));
                    prop_assert_eq!(ours, theirs);
                }
            }
            let page = pollster::block_on(store.scrub(Position::ZERO, u64::MAX)).unwrap();
            prop_assert_eq!((page.damage, u128::from(page.events)), (vec![], id));
            Ok(())
        };
        agree(&store)?;
        agree(&open(&left_behind(&path, "killed.db")))?;
        drop(store);
        agree(&open(&path))?;
    }
}

#[test]
fn small_groups_cost_a_row_among_many() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let store = open(&path);
    let calls = (0u128..200).map(|n| append(&format!("thing-{n}"), Expected::NoStream, n..n + 1));
    for outcome in pollster::block_on(store.append_batch(calls.collect())) {
        outcome.unwrap();
    }
    let file = rusqlite::Connection::open(&path).unwrap();
    let count = "SELECT count(*), max(length(bytes)) FROM log_1";
    let (rows, longest): (i64, i64) = file
        .query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert!(
        (5..20).contains(&rows) && longest <= 4_096,
        "{rows} rows up to {longest} bytes"
    );
}

#[test]
fn a_file_of_the_first_format_becomes_one_of_this() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    drop(open(&path));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[63] = 1;
    std::fs::write(&path, &bytes).unwrap();
    drop(open(&path));
    assert_eq!(u32::from(std::fs::read(&path).unwrap()[63]), layout::FORMAT);
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
    bytes[63] = u8::try_from(layout::FORMAT + 1).unwrap();
    std::fs::write(&other, &bytes).unwrap();
    assert_eq!(refused(&other), "store.unknown_schema");
    assert_eq!(std::fs::read(&other).unwrap(), bytes);
    std::fs::write(&path, &bytes[..50]).unwrap();
    assert_eq!(refused(&path), "store.corrupt");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(refused(&path), "store.corrupt");
}

#[test]
fn a_backup_restores_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("fleet.db"));
    for n in 0u128..40 {
        let call = append(
            &format!("thing-{}", n % 3),
            Expected::Any,
            n * 9..n * 9 + 1 + n % 9,
        );
        pollster::block_on(store.append(call)).unwrap();
    }
    let stream = |name: &str| name.parse::<StreamName>().unwrap();
    pollster::block_on(store.truncate_before(&stream("thing-0"), StreamVersion(5))).unwrap();
    pollster::block_on(store.tombstone(&stream("thing-1"))).unwrap();
    let mut bytes = Vec::new();
    let summary = pollster::block_on(store.backup(&mut bytes)).unwrap();
    assert_eq!(summary.bytes, bytes.len() as u64);
    let restore = |name: &str, bytes: &[u8]| {
        SqliteStore::restore(
            folder.path().join(name),
            "default".parse().unwrap(),
            Arc::new(SystemClock),
            &SqliteOptions::default(),
            std::io::Cursor::new(bytes),
        )
    };
    let (copy, restored) = restore("copy.db", &bytes).unwrap();
    assert_eq!(restored, summary);
    assert_eq!(everything(&copy), everything(&store));
    let mut again = Vec::new();
    pollster::block_on(copy.backup(&mut again)).unwrap();
    assert_eq!(again, bytes);
    drop(copy);
    assert_eq!(restore("copy.db", &bytes).unwrap().1, summary);
    let more = append("thing-2", Expected::Any, 9_000..9_002);
    pollster::block_on(store.append(more)).unwrap();
    let mut later = Vec::new();
    pollster::block_on(store.backup(&mut later)).unwrap();
    let (copy, _) = restore("copy.db", &later).unwrap();
    assert_eq!(everything(&copy), everything(&store));
    drop(copy);
    let code = |result: Result<_, StoreError>| result.map(|_| ()).unwrap_err().code();
    assert_eq!(code(restore("copy.db", &bytes)), "store.invalid_input");
    let mut damaged = bytes.clone();
    damaged[200] ^= 1;
    assert_eq!(code(restore("new.db", &damaged)), "store.corrupt");
    assert_eq!(
        code(restore("new.db", &bytes[..bytes.len() - 9])),
        "store.corrupt"
    );
    let (memory, _) = crate::memory::MemoryStore::restore(
        "default".parse().unwrap(),
        Arc::new(SystemClock),
        std::io::Cursor::new(&bytes),
    )
    .unwrap();
    let mut third = Vec::new();
    pollster::block_on(memory.backup(&mut third)).unwrap();
    assert_eq!(third, bytes);
}
