//! The event store against bare files, in one run: `cargo bench -p fleet-benches --bench store [-- --events N] [--json]`.
//!
//! Events of 300 bytes of data go to streams chosen at random among 1,000,000. Every figure is a ratio to a
//! baseline measured in the same run on the same disk, or a time. What is compared takes turns, round by round, so that a
//! disk or a machine that is slower for a while is so for both. Rates "of one core" are by the processor's time.

use fleet_model::kernel::{EventId, NewEvent, Position, Timestamp};
use fleet_store::port::{
    Append, EventStore, Expected, LogRead, StreamRead, Subscribe, SystemClock,
};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rusqlite::{Connection, params};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

type Outcome<T> = Result<T, Box<dyn Error>>;

const STREAMS: u64 = 1_000_000;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

struct Source {
    random: Random,
    model: NewEvent,
    /// Ids in random order, as those of reactors are; otherwise in the order of time.
    scattered: bool,
    count: u64,
}

impl Source {
    fn new(scattered: bool) -> Outcome<Self> {
        let text = format!("\"{}\"", "x".repeat(298));
        Ok(Self {
            random: Random(7),
            model: NewEvent {
                id: EventId::v7(1, [0; 10]),
                event_type: "twin.reported_patched".parse()?,
                schema: 1,
                occurred_at: Timestamp::from_secs(1_700_000_000),
                correlation: Default::default(),
                causation: None,
                actor: "device:press-7".parse()?,
                meta: Default::default(),
                data: text.into_bytes().into(),
                subject: None,
            },
            scattered,
            count: 0,
        })
    }

    fn group(&mut self, size: usize) -> Outcome<Append> {
        let stream = format!("twin-device-{}", self.random.next() % STREAMS).parse()?;
        let mut events = Vec::with_capacity(size);
        for _ in 0..size {
            let mut event = self.model.clone();
            self.count += 1;
            let noise = self.random.next().to_be_bytes();
            let mut bytes = [0; 10];
            for (to, from) in bytes.iter_mut().zip(noise) {
                *to = from;
            }
            event.id = if self.scattered {
                EventId::derived(uuid::Uuid::from_u128(u128::from(self.count)), "bench", 0)
            } else {
                EventId::v7(1_700_000_000_000 + self.count / 10, bytes)
            };
            events.push(event);
        }
        Ok(Append::new(stream, Expected::Any, events))
    }
}

fn open(path: &Path) -> Outcome<SqliteStore> {
    let clock = Arc::new(SystemClock);
    Ok(SqliteStore::open(
        path,
        "default".parse()?,
        clock,
        &SqliteOptions::default(),
    )?)
}

fn rate(count: u64, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64()
}

/// Seconds that this thread had a processor (Linux).
fn processor_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = text.split(' ').next().ok_or("no figure")?.parse()?;
    Ok(nanoseconds / 1e9)
}

/// Seconds that an append-only file takes with one fdatasync for each group.
fn file_time(folder: &Path, groups: u64, size: usize) -> Outcome<f64> {
    let path = folder.join("plain");
    let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
    let bytes = vec![b'x'; 300 * size];
    let since = Instant::now();
    for _ in 0..groups {
        file.write_all(&bytes)?;
        file.sync_data()?;
    }
    Ok(since.elapsed().as_secs_f64())
}

fn store_time(store: &SqliteStore, source: &mut Source, groups: u64, size: usize) -> Outcome<f64> {
    let mut calls = Vec::new();
    for _ in 0..groups {
        calls.push(source.group(size)?);
    }
    let since = Instant::now();
    for call in calls {
        pollster::block_on(store.append(call))?;
    }
    Ok(since.elapsed().as_secs_f64())
}

/// 64 writers, each with one event under way.
fn concurrent_time(store: &SqliteStore, source: &mut Source, count: u64) -> Outcome<f64> {
    let mut calls = Vec::new();
    for _ in 0..count {
        calls.push(source.group(1)?);
    }
    let since = Instant::now();
    pollster::block_on(async {
        let mut under_way = FuturesUnordered::new();
        for call in calls {
            if under_way.len() == 64 {
                under_way.next().await;
            }
            under_way.push(store.append(call));
        }
        while under_way.next().await.is_some() {}
    });
    Ok(since.elapsed().as_secs_f64())
}

/// Events a second of plain tables with these extra indexes, groups of 100, synced for each group.
fn table_rate(folder: &Path, groups: u64, table: &str, extra: &[&str]) -> Outcome<f64> {
    let path = folder.join("table.db");
    let connection = Connection::open(&path)?;
    connection.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL")?;
    connection.execute_batch(table)?;
    for index in extra {
        connection.execute_batch(index)?;
    }
    let mut source = Source::new(true)?;
    let since = Instant::now();
    let mut position = 0i64;
    for _ in 0..groups {
        connection.execute_batch("BEGIN")?;
        let mut insert = connection.prepare_cached("INSERT INTO log VALUES(?1, ?2, ?3, ?4, ?5)")?;
        for version in 0..100i64 {
            // Streams at random for each event, as single appends of a fleet are.
            let call = source.group(1)?;
            let event = call.events.first().ok_or("no event")?;
            position += 1;
            insert.execute(params![
                position,
                event.id.as_uuid().as_bytes(),
                call.stream.as_str(),
                version + position,
                &event.data[..]
            ])?;
        }
        connection.execute_batch("COMMIT")?;
    }
    let rate = rate(groups * 100, since);
    drop(connection);
    for suffix in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(folder.join(format!("table.db{suffix}")));
    }
    Ok(rate)
}

fn bytes_of(folder: &Path) -> Outcome<u64> {
    let mut all = 0;
    for entry in fs::read_dir(folder)? {
        all += entry?.metadata()?.len();
    }
    Ok(all)
}

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let mut words = arguments.iter().skip_while(|word| *word != name);
        words.nth(1).and_then(|word| word.parse::<u64>().ok())
    };
    let events = after("--events").unwrap_or(1_000_000).max(100_000);
    let folder = std::env::temp_dir().join(format!("fleet-bench-{}", std::process::id()));
    let place = folder.join("store");
    fs::create_dir_all(&place)?;
    let mut out = Map::new();
    let mut note = |name: &str, value: f64| {
        eprintln!("{name:<44} {value:>14.2}");
        out.insert(name.to_owned(), json!((value * 100.0).round() / 100.0));
    };
    let path = place.join("fleet.db");
    let store = open(&path)?;
    let mut source = Source::new(false)?;
    // The store is brought to size first; rates are measured on it as it is then.
    let since = Instant::now();
    let bulk = (events - 60_000) / 4;
    let ahead = place.join("fleet.db-wal");
    let mut longest = 0;
    for _ in 0..bulk / 1_000 {
        let calls: Outcome<Vec<_>> = (0..1_000).map(|_| source.group(4)).collect();
        for outcome in pollster::block_on(store.append_batch(calls?)) {
            outcome?;
        }
        longest = longest.max(fs::metadata(&ahead)?.len());
    }
    note("bulk import, groups of 4, events/s", rate(bulk * 4, since));
    note(
        "longest write-ahead log in the import, MiB",
        longest as f64 / f64::from(1 << 20),
    );
    for half in 0..2 {
        let label = if source.scattered {
            "ids at random"
        } else {
            "ids by time"
        };
        let (mut file, mut groups, mut single_file, mut single) = (0.0, 0.0, 0.0, 0.0);
        let mut concurrent = 0.0;
        for _ in 0..10 {
            file += file_time(&folder, 20, 100)?;
            groups += store_time(&store, &mut source, 20, 100)?;
            concurrent += concurrent_time(&store, &mut source, 1_280)?;
            single_file += file_time(&folder, 100, 1)?;
            single += store_time(&store, &mut source, 100, 1)?;
        }
        let (groups_rate, writers_rate) = (20_000.0 / groups, 12_800.0 / concurrent);
        for (name, value) in [
            ("groups of 100, {}: time / a file's", groups / file),
            ("single events, {}: time / a file's", single / single_file),
            (
                "64 writers, {}: rate / groups of 100",
                writers_rate / groups_rate,
            ),
            ("groups of 100, {}, events/s", groups_rate),
            ("64 writers, {}, events/s", writers_rate),
            ("single events, {}, events/s", 1_000.0 / single),
            ("single syncs of a file, {}, 1/s", 1_000.0 / single_file),
        ] {
            note(&name.replace("{}", label), value);
        }
        source.scattered = half == 0;
    }
    let (mut quiet, mut watched) = (0.0, 0.0);
    for _ in 0..5 {
        quiet += store_time(&store, &mut source, 100, 1)?;
        let mut stalled = Vec::new();
        for _ in 0..8 {
            let mut live = store.subscribe_all(Subscribe::after(Position::ZERO));
            pollster::block_on(live.next());
            stalled.push(live);
        }
        drop(store.subscribe_all(Subscribe::after(Position::ZERO)));
        watched += store_time(&store, &mut source, 100, 1)?;
    }
    note(
        "stalled readers: time of appends with / without",
        watched / quiet,
    );
    let call = Append::new(
        "twin-hundred".parse()?,
        Expected::Any,
        source.group(1)?.events,
    );
    pollster::block_on(store.append(call))?;
    for _ in 0..99 {
        let mut call = source.group(1)?;
        call.stream = "twin-hundred".parse()?;
        pollster::block_on(store.append(call))?;
    }
    let head = pollster::block_on(store.head())?;
    let crashed = folder.join("crashed");
    fs::create_dir_all(&crashed)?;
    for name in ["fleet.db", "fleet.db-wal", "fleet.db-witness"] {
        fs::copy(place.join(name), crashed.join(name))?;
    }
    drop(store);
    note(
        "bytes on disk for each event",
        bytes_of(&place)? as f64 / head.0 as f64,
    );
    File::open(&path)?.sync_all()?;
    let since = Instant::now();
    let store = open(&path)?;
    note("opening, ms", since.elapsed().as_secs_f64() * 1e3);
    let since = Instant::now();
    let after_kill = open(&crashed.join("fleet.db"))?;
    note(
        "opening after a kill, ms",
        since.elapsed().as_secs_f64() * 1e3,
    );
    drop(after_kill);
    let hundred = || {
        StreamRead::of(
            "twin-hundred"
                .parse()
                .unwrap_or_else(|_| std::process::exit(2)),
        )
    };
    let mut best = f64::MAX;
    for _ in 0..20 {
        let since = Instant::now();
        let page = pollster::block_on(store.read_stream(hundred()))?;
        assert_eq!(page.events.len(), 100);
        best = best.min(since.elapsed().as_secs_f64() * 1e3);
    }
    note("loading a stream of 100 single events, ms", best);
    let (since, before) = (Instant::now(), processor_seconds()?);
    let (mut read, mut seen) = (LogRead::after(Position::ZERO).limit(4_096), 0u64);
    while read.after < head {
        let page = pollster::block_on(store.read_all(read.clone()))?;
        seen += page.events.len() as u64;
        read.after = page.scanned_to;
    }
    note("replay with checks, events/s", rate(seen, since));
    let spent = processor_seconds()? - before;
    note(
        "replay with checks, events/s of one core",
        seen as f64 / spent,
    );
    let mut backup = Vec::new();
    pollster::block_on(store.backup(&mut backup))?;
    drop(store);
    let compact = folder.join("compact");
    fs::create_dir_all(&compact)?;
    let restored = SqliteStore::restore(
        compact.join("fleet.db"),
        "default".parse()?,
        Arc::new(SystemClock),
        &SqliteOptions::default(),
        std::io::Cursor::new(&backup),
    )?;
    drop(restored);
    note(
        "bytes for each event after backup and restore",
        bytes_of(&compact)? as f64 / head.0 as f64,
    );
    note(
        "bytes of the backup for each event",
        backup.len() as f64 / head.0 as f64,
    );
    drop(backup);
    let log = "CREATE TABLE log(position INTEGER PRIMARY KEY, id BLOB, stream TEXT, version INTEGER, data BLOB)";
    let clustered = "CREATE TABLE log(position INTEGER, id BLOB, stream TEXT, version INTEGER, data BLOB, \
                     PRIMARY KEY(stream, version)) WITHOUT ROWID";
    let by_id = "CREATE UNIQUE INDEX by_id ON log(id)";
    let by_stream = "CREATE UNIQUE INDEX by_stream ON log(stream, version)";
    let groups = events / 2_000;
    let base = table_rate(&folder, groups, log, &[])?;
    note("plain table in position order, events/s", base);
    for (name, table, extra) in [
        ("unique index on ids", log, vec![by_id]),
        ("unique index on (stream, version)", log, vec![by_stream]),
        ("both unique indexes", log, vec![by_id, by_stream]),
        ("key clustered by (stream, version)", clustered, vec![]),
    ] {
        let with = table_rate(&folder, groups, table, &extra)?;
        note(&format!("cost of a {name}"), base / with);
    }
    fs::remove_dir_all(&folder)?;
    println!("{}", serde_json::to_string_pretty(&Value::Object(out))?);
    Ok(())
}
