//! What a store takes on disk: its write-ahead log is bounded, and a restored backup is as small as it gets.
#![allow(clippy::unwrap_used, reason = "the helpers of tests")]

use fleet_model::kernel::Position;
use fleet_store::conformance::event;
use fleet_store::port::{Append, Durability, EventStore, Expected, Subscribe, SystemClock};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use pollster::block_on;
use std::io::Cursor;
use std::sync::Arc;

const MIB: u64 = 1 << 20;

#[test]
fn the_write_ahead_log_is_bounded_and_nothing_is_wasted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    // Without syncs: this is about sizes.
    let options = SqliteOptions::default().durability(Durability::Process);
    let open = |path| {
        SqliteStore::open(
            path,
            "default".parse().unwrap(),
            Arc::new(SystemClock),
            &options,
        )
    };
    let store = open(path.clone()).unwrap();
    // A reader that stops in the middle of the log holds nothing back.
    let mut stalled = store.subscribe_all(Subscribe::after(Position::ZERO));
    let text = "x".repeat(1_000);
    let ahead = folder.path().join("fleet.db-wal");
    let mut longest = 0;
    for n in 0..1_200u128 {
        let events = (0..100).map(|at| event((n << 64) | (at + 1), &text));
        let stream = format!("probe-{}", n % 50).parse().unwrap();
        let append = Append::new(stream, Expected::Any, events.collect());
        block_on(store.append(append)).unwrap();
        if n == 0 {
            block_on(stalled.next()).unwrap().unwrap();
        }
        longest = longest.max(std::fs::metadata(&ahead).unwrap().len());
    }
    // 138 MiB were written, the bound is 32 MiB and one transaction, which may be an index run.
    assert!((MIB..48 * MIB).contains(&longest), "{longest} bytes");
    let mut backup = Vec::new();
    let summary = block_on(store.backup(&mut backup)).unwrap();
    assert_eq!(summary.events, 120_000);
    drop((stalled, store));
    let size = std::fs::metadata(&path).unwrap().len();
    let again = folder.path().join("again.db");
    let tenant = "default".parse().unwrap();
    let clock = Arc::new(SystemClock);
    SqliteStore::restore(&again, tenant, clock, &options, Cursor::new(&backup)).unwrap();
    let restored = std::fs::metadata(&again).unwrap().len();
    let content = u64::try_from(backup.len()).unwrap();
    assert!(
        size.max(restored) < content * 11 / 10,
        "{size} bytes, {restored} after a restore, {content} in the backup"
    );
}
