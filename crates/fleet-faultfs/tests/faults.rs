//! The short form of every fault.
#![allow(clippy::unwrap_used, reason = "the helpers of tests")]

use fleet_faultfs::{FaultHarness, unavailable};
use fleet_store::conformance::{Options, run, serve};
use fleet_store::port::{Durability, EventStore, SystemClock};
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
    let folder = tempfile::tempdir().unwrap();
    let child = |path: &Path| command(path, "machine");
    let lazy = |path: &Path| command(path, "process");
    let report = run(
        &FaultHarness::new(folder.path(), child, lazy),
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
    }
}

#[test]
fn a_power_cut_loses_nothing() {
    if !skipped("power_loss") {
        passes(&[29]);
    }
}
