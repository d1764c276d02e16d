//! Both adapters pass the suite in its short form.
#![allow(clippy::unwrap_used, reason = "the helpers of tests")]

use fleet_store::conformance::{MemoryHarness, Options, SqliteHarness, run, serve};
use fleet_store::port::{EventStore, SystemClock};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const PATH: &str = "FLEET_CONFORMANCE_PATH";

fn child(path: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "a_child_of_the_suite", "--nocapture"])
        .env(PATH, path);
    command
}

/// Does something only as the child of the kill cases: the suite starts this program again.
#[test]
fn a_child_of_the_suite() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let tenant = "conformance".parse().unwrap();
    let options = SqliteOptions::default();
    let store = SqliteStore::open(path, tenant, Arc::new(SystemClock), &options).unwrap();
    let store: Arc<dyn EventStore> = Arc::new(store);
    let seed = std::env::var("FLEET_CONFORMANCE_SEED").unwrap();
    serve(&store, seed.parse().unwrap(), std::io::stdout());
}

#[test]
fn memory_passes() {
    let report = run(&MemoryHarness, &Options::default());
    assert!(report.passed(), "{report}");
}

#[test]
fn sqlite_passes() {
    let folder = tempfile::tempdir().unwrap();
    let harness = SqliteHarness::new(folder.path(), Some(child));
    let report = run(&harness, &Options::default());
    assert!(report.passed(), "{report}");
}
