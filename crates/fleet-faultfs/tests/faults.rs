//! The short form of every fault.
#![allow(clippy::unwrap_used, reason = "the helpers of tests")]

use fleet_faultfs::{FaultHarness, Image, unavailable};
use fleet_store::conformance::{Options, event, run, serve};
use fleet_store::port::{Append, Durability, EventStore, Expected, SystemClock};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

fn command(path: &Path, class: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_child_of_the_suite", "--nocapture"])
        .env("FLEET_CONFORMANCE_PATH", path)
        .env("FLEET_CONFORMANCE_CLASS", class);
    command
}

fn passes(cases: &[u32]) {
    passes_on(4_096, cases);
}

fn passes_on(block: u32, cases: &[u32]) {
    let folder = tempfile::tempdir().unwrap();
    let child = |path: &Path| command(path, "machine");
    let lazy = |path: &Path| command(path, "process");
    let report = run(
        &FaultHarness::new(folder.path(), child, lazy).block(block),
        &Options::default().only(cases),
    );
    assert!(report.passed(), "{report}");
}

/// Whether the test is to be left out; says so by name.
fn skipped(name: &str) -> bool {
    let Some(reason) = unavailable() else {
        return false;
    };
    // Straight to the stream: what `eprintln!` writes is kept back by the test harness.
    let mut out = std::io::stderr();
    out.write_all(format!("skipped {name}: {reason}\n").as_bytes())
        .unwrap();
    if let Ok(path) = std::env::var("FLEET_SKIP_LOG") {
        let mut options = std::fs::OpenOptions::new();
        let mut log = options.create(true).append(true).open(path).unwrap();
        writeln!(log, "{name}: {reason}").unwrap();
    }
    true
}

/// Does something only as the child of a case: the suite starts this program again.
#[test]
fn a_child_of_the_suite() {
    let Ok(path) = std::env::var("FLEET_CONFORMANCE_PATH") else {
        return;
    };
    let class = match std::env::var("FLEET_CONFORMANCE_CLASS").as_deref() {
        Ok("process") => Durability::Process,
        _ => Durability::Machine,
    };
    let options = SqliteOptions::default().durability(class);
    let tenant = "conformance".parse().unwrap();
    let store = SqliteStore::open(path, tenant, Arc::new(SystemClock), &options).unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let seed = std::env::var("FLEET_CONFORMANCE_SEED").unwrap();
    serve(&store, seed.parse().unwrap(), std::io::stdout());
}

#[test]
fn failing_writes_and_syncs_lose_nothing() {
    passes(&[16, 31]);
}

#[test]
fn a_full_disk_loses_nothing() {
    if !skipped("disk_full") {
        passes(&[30]);
        passes_on(1_024, &[30]);
    }
}

/// With small blocks the engine could make its shared memory in the last kilobytes, and would die of writing to it.
#[test]
fn a_store_without_room_is_full_and_not_killed() {
    if skipped("disk_full") {
        return;
    }
    for block in [1_024, 4_096] {
        let folder = tempfile::tempdir().unwrap();
        let image = Image::make(folder.path(), 16, block).unwrap();
        let path = image.folder().join("fleet.db");
        let open = || {
            let tenant = "conformance".parse().unwrap();
            let options = SqliteOptions::default();
            SqliteStore::open(&path, tenant, Arc::new(SystemClock), &options)
        };
        let append = |store: SqliteStore, id| {
            let stream = "probe-1".parse().unwrap();
            let one = Append::new(stream, Expected::Any, vec![event(id, "told")]);
            pollster::block_on(store.append(one))
        };
        append(open().unwrap(), 1).unwrap();

        let ballast = image.folder().join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        while file.write_all(&[b'x'; 1_024]).is_ok() {}
        file.set_len(file.metadata().unwrap().len() - (16 << 10))
            .unwrap();
        file.sync_all().unwrap();
        drop(file);
        let refused = open().and_then(|store| append(store, 2)).unwrap_err();
        assert_eq!(refused.code(), "store.full", "blocks of {block}");

        std::fs::remove_file(ballast).unwrap();
        let store = open().unwrap();
        assert_eq!(pollster::block_on(store.head()).unwrap().0, 1);
    }
}

#[test]
fn a_power_cut_loses_nothing() {
    if !skipped("power_loss") {
        passes(&[29]);
    }
}
