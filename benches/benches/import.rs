//! Importing generated twins into the embedded store, against a bare insert of the same bytes.
//!
//! `FLEET_BENCH_DEVICES` (default 1,000,000) sets the size. Both read the same file of lines, each in a process of its own, so
//! that the peak of its memory is its own too: `bare` puts each line into a table of the same SQLite, write-ahead mode,
//! a sync for each transaction of 1,000 rows; `import` is the facade's. Prints one table, and the same as one line of JSON.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use fleet_sdk::import::ImportOptions;
use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::port::SystemClock;
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use serde_json::{Value, json};
use std::error::Error;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

/// As the `fleet` command has it; the bare insert too.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn Error + Send + Sync>;

fn devices() -> u64 {
    std::env::var("FLEET_BENCH_DEVICES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000)
}

/// What the process has computed so far, all threads together, in seconds. Linux; 0 elsewhere.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Fields 14 and 15, in ticks of 10 ms, counted behind the name in parentheses.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = |field: usize| {
        fields
            .split_whitespace()
            .nth(field)
            .and_then(|text| text.parse::<f64>().ok())
    };
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / 100.0
}

/// The most memory that the process ever held, in bytes. Linux; 0 elsewhere.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

fn bare(lines: &Path, folder: &Path) -> Result<(), Failure> {
    let mut connection = rusqlite::Connection::open(folder.join("bare.db"))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute(
        "CREATE TABLE twin (number INTEGER PRIMARY KEY, body BLOB NOT NULL)",
        [],
    )?;
    let mut lines = BufReader::new(File::open(lines)?).lines();
    loop {
        let transaction = connection.transaction()?;
        let mut rows = 0;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO twin (body) VALUES (?1)")?;
            for line in lines.by_ref().take(1000) {
                insert.execute([line?.as_bytes()])?;
                rows += 1;
            }
        }
        transaction.commit()?;
        if rows == 0 {
            return Ok(());
        }
    }
}

fn import(lines: &Path, folder: &Path) -> Result<(), Failure> {
    let clock = Arc::new(SystemClock);
    let store = SqliteStore::open(
        folder.join("fleet.db"),
        "default".parse()?,
        clock,
        &SqliteOptions::default(),
    )?;
    let fleet = pollster::block_on(Fleet::open(Arc::new(store), Options::seeded(1)))?;
    let caller = Caller::new("system:bench".parse()?);
    let lines = BufReader::new(File::open(lines)?).lines();
    let report =
        pollster::block_on(fleet.import(lines, &caller, ImportOptions::default(), &mut ()))?;
    if report.created != devices() {
        return Err(format!(
            "{} of {} devices were made: {report:?}",
            report.created,
            devices()
        )
        .into());
    }
    Ok(())
}

/// Runs one side in this process and prints its figures.
fn side(which: &str, lines: &Path, folder: &Path) -> Result<(), Failure> {
    let began = Instant::now();
    match which {
        "bare" => bare(lines, folder)?,
        _ => import(lines, folder)?,
    }
    let bytes = std::fs::read_dir(folder)?
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .map(|meta| meta.len())
        .sum::<u64>();
    let report = json!({
        "seconds": began.elapsed().as_secs_f64(), "cpuSeconds": cpu_seconds(), "peakBytes": peak_memory(), "diskBytes": bytes,
    });
    println!("{report}");
    Ok(())
}

/// One side in a process of its own.
fn child(which: &str, lines: &Path) -> Result<Value, Failure> {
    let folder = tempfile::tempdir()?;
    let output = Command::new(std::env::current_exe()?)
        .args([which.as_ref(), lines.as_os_str(), folder.path().as_os_str()])
        .output()?;
    if !output.status.success() {
        return Err(format!("{which}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|text| text != "--bench")
        .collect();
    if let [which, lines, folder] = arguments.as_slice() {
        return side(which, Path::new(lines), Path::new(folder));
    }
    let folder = tempfile::tempdir()?;
    let lines = folder.path().join("twins.ndjson");
    let mut sink = BufWriter::new(File::create(&lines)?);
    let mut text = String::new();
    for number in 0..devices() {
        text.clear();
        fleet_generate::write_twin(7, number, &mut text);
        writeln!(sink, "{text}")?;
    }
    sink.flush()?;
    drop(sink);
    let bytes = std::fs::metadata(&lines)?.len();
    let (bare, import) = (child("bare", &lines)?, child("import", &lines)?);
    let of = |side: &Value, name: &str| side.get(name).and_then(Value::as_f64).unwrap_or(0.0);
    println!(
        "{} twins, {:.0} bytes each",
        devices(),
        bytes as f64 / devices() as f64
    );
    println!(
        "{:<34} {:>9} {:>9} {:>14} {:>12} {:>12}",
        "what", "seconds", "cpu s", "devices/s", "peak B/dev", "disk B/dev"
    );
    for (what, side) in [
        ("bare insert", &bare),
        ("import: events of 2 streams", &import),
    ] {
        println!(
            "{what:<34} {:>9.2} {:>9.2} {:>14.0} {:>12.0} {:>12.0}",
            of(side, "seconds"),
            of(side, "cpuSeconds"),
            devices() as f64 / of(side, "seconds"),
            of(side, "peakBytes") / devices() as f64,
            of(side, "diskBytes") / devices() as f64,
        );
    }
    let ratio = |name: &str| of(&import, name) / of(&bare, name);
    println!(
        "import takes {:.2} times the time and {:.2} times the cpu (reach: 3)",
        ratio("seconds"),
        ratio("cpuSeconds")
    );
    let report = json!({
        "bench": "import", "devices": devices(), "bare": bare, "import": import,
        "ratio": ratio("seconds"), "cpuRatio": ratio("cpuSeconds"), "reach": 3.0,
    });
    println!("{report}");
    Ok(())
}
