//! Two processes on one file: one writes, the other is refused as a writer and follows as a reader.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the helpers of tests")]

use fleet_model::kernel::Position;
use fleet_store::conformance::event;
use fleet_store::port::{
    Append, EventStore, Expected, LogRead, StreamRead, StreamState, Subscribe, SystemClock,
};
use fleet_store::sqlite::{SqliteFollower, SqliteOptions, SqliteStore};
use pollster::block_on;
use std::io::{BufRead as _, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

const PATH: &str = "FLEET_WRITER_PATH";
/// Events of one append: enough of them pass through several index runs.
const GROUP: u128 = 1_000;

fn options() -> SqliteOptions {
    SqliteOptions::default().poll_interval(Duration::from_millis(5))
}

fn write(path: &Path) -> Result<SqliteStore, fleet_store::port::StoreError> {
    let clock = Arc::new(SystemClock);
    SqliteStore::open(path, "default".parse().unwrap(), clock, &options())
}

fn follow(path: &Path) -> Result<SqliteFollower, fleet_store::port::StoreError> {
    SqliteFollower::open(path, "default".parse().unwrap(), &options())
}

/// Group `n`, with ids of its own, to one of seven streams.
fn group(n: u128, size: u128) -> Append {
    let ids = (0..size).map(|at| event((n << 64) | (at + 1), "told"));
    let stream = format!("probe-{}", n % 7).parse().unwrap();
    Append::new(stream, Expected::Any, ids.collect())
}

/// Does something only as the child of the other tests: appends and tells each position, until it is killed.
#[test]
fn a_child_that_writes() {
    let Ok(path) = std::env::var(PATH) else {
        return;
    };
    let store = write(Path::new(&path)).unwrap();
    for n in 0.. {
        let done = block_on(store.append(group(n, GROUP))).unwrap();
        println!("ack {}", done.last_position());
    }
}

struct Writer {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(path: &Path) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "a_child_that_writes", "--nocapture"])
            .env(PATH, path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The next position that it acknowledged.
    fn acknowledged(&mut self) -> Position {
        loop {
            let line = self.lines.next().unwrap().unwrap();
            if let Some((_, position)) = line.split_once("ack ") {
                return Position(position.parse().unwrap());
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_second_writer_is_refused_and_a_follower_sees_what_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let mut writer = Writer::start(&path);
    let first = writer.acknowledged();
    let refused = write(&path).unwrap_err();
    assert_eq!(refused.code(), "store.unavailable", "{refused}");
    let follower = follow(&path).unwrap();
    let mut live = follower.subscribe_all(Subscribe::after(Position::ZERO));
    let (mut last, mut seen) = (first, Position::ZERO);
    // Index runs are written every 65,536 events.
    while last.0 < 140_000 {
        last = writer.acknowledged();
        assert!(block_on(follower.head()).unwrap() >= last);
        while seen < last {
            let event = block_on(live.next()).unwrap().unwrap();
            assert_eq!(event.position, seen.next());
            seen = event.position;
        }
    }
    let mut ahead = LogRead::after(last).limit(1);
    ahead.at_least = Some(Position(last.0 + 2_000));
    let page = block_on(follower.read_all(ahead)).unwrap();
    assert!(page.head.0 >= last.0 + 2_000);
    drop(writer);
    // The writer is dead. What it acknowledged stays readable, by version too.
    let head = block_on(follower.head()).unwrap();
    let mut versions = 0;
    for n in 0..7 {
        let read = StreamRead::of(format!("probe-{n}").parse().unwrap());
        let page = block_on(follower.read_stream(read)).unwrap();
        let StreamState::Live { version, .. } = page.state else {
            panic!("it has events");
        };
        assert_eq!(page.events.len() as u64, version.0);
        versions += version.0;
    }
    assert_eq!(versions, head.0);
    let scrubbed = block_on(follower.scrub(Position::ZERO, u64::MAX)).unwrap();
    assert_eq!((scrubbed.damage, scrubbed.events), (vec![], head.0));
    // Another writer goes on; the follower follows it as well.
    let store = write(&path).unwrap();
    let done = block_on(store.append(group(u128::from(u32::MAX), 3))).unwrap();
    assert!(!done.deduplicated);
    assert_eq!(block_on(follower.head()).unwrap(), done.last_position());
    block_on(store.tombstone(&"probe-0".parse().unwrap())).unwrap();
    let closed = StreamRead::of("probe-0".parse().unwrap());
    let closed = block_on(follower.read_stream(closed)).unwrap_err();
    assert_eq!(closed.code(), "store.tombstoned");
    let refused = block_on(follower.append(group(5, 1))).unwrap_err();
    assert_eq!(refused.code(), "store.unsupported");
    let mut late = LogRead::after(Position::ZERO);
    late.at_least = Some(Position(u64::MAX));
    let late = block_on(follower.read_all(late)).unwrap_err();
    assert_eq!(late.code(), "store.unavailable");
    let mut backup = Vec::new();
    let taken = block_on(follower.backup(&mut backup)).unwrap();
    assert_eq!(taken.head, done.last_position());
}

#[test]
fn a_follower_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let missing = follow(&path).unwrap_err();
    assert_eq!(missing.code(), "store.unavailable", "{missing}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    drop(write(&path).unwrap());
    let other = SqliteFollower::open(&path, "other".parse().unwrap(), &options()).unwrap_err();
    assert!(other.to_string().contains("tenant `other`"), "{other}");
    let follower = follow(&path).unwrap();
    assert_eq!(block_on(follower.head()).unwrap(), Position::ZERO);
}
