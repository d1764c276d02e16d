//! Prints the fault report of the embedded store: `cargo run -p fleet-faultfs --example faults [-- --long] [--seed N]`.
//! Exits 1 when something acknowledged was lost or a control survived.

use fleet_faultfs::FaultHarness;
use fleet_store::conformance::{Options, SqliteHarness, run, serve};
use fleet_store::port::{Append, Durability, EventStore, Expected, SystemClock};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use rusqlite::{Connection, OpenFlags};
use std::error::Error;
use std::future::Future as _;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

const CASES: &[u32] = &[16, 27, 28, 29, 30, 31, 32, 33, 34, 36, 48];

fn command(path: &Path, class: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap_or_default());
    command.arg(class).arg(path);
    command
}

fn child(path: &Path) -> Command {
    command(path, "machine")
}

fn lazy_child(path: &Path) -> Command {
    command(path, "process")
}

fn rows(path: &Path) -> rusqlite::Result<Vec<Vec<u8>>> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut query = connection.prepare("SELECT bytes FROM log_1 ORDER BY position")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// The control of flipped bits: a reader without checks, which must serve damage without a word.
fn served_without_checks(folder: &Path, flips: u64) -> Result<u64, Box<dyn Error>> {
    let place = SqliteHarness::new(folder, None).new_place()?;
    let clock = Arc::new(SystemClock);
    let options = SqliteOptions::default();
    let store = SqliteStore::open(place.path(), "control".parse()?, clock, &options)?;
    for n in 0..200u128 {
        let event = fleet_store::conformance::event(n + 1, &"x".repeat(400));
        let append = Append::new("thing-a".parse()?, Expected::Any, vec![event]);
        let mut pending = std::pin::pin!(store.append(append));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        while pending.as_mut().poll(&mut context).is_pending() {
            std::thread::yield_now();
        }
    }
    drop(store);
    let file = place.path();
    let (good, bytes) = (rows(&file)?, std::fs::read(&file)?);
    let damaged = folder.join("damaged.db");
    let mut served = 0;
    for n in 0..flips {
        let mut copy = bytes.clone();
        let at = usize::try_from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % bytes.len() as u64)?;
        if let Some(byte) = copy.get_mut(at) {
            *byte ^= 1 << (n % 8);
        }
        std::fs::write(&damaged, copy)?;
        if rows(&damaged).is_ok_and(|found| found != good) {
            served += 1;
        }
    }
    Ok(served)
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [class, path, seed] = arguments.as_slice()
        && matches!(class.as_str(), "machine" | "process")
    {
        let durability = if class == "machine" {
            Durability::Machine
        } else {
            Durability::Process
        };
        let options = SqliteOptions::default().durability(durability);
        let (tenant, clock) = ("conformance".parse()?, Arc::new(SystemClock));
        let store = SqliteStore::open(path, tenant, clock, &options)?;
        let store: Arc<dyn EventStore> = Arc::new(store);
        serve(&store, seed.parse()?, std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    let mut options = Options::default().only(CASES);
    let mut long = false;
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--long" => {
                long = true;
                options = options.long();
            }
            "--seed" => {
                let seed = words.next().ok_or("--seed takes a number")?;
                options = options.seed(seed.parse()?);
            }
            other => return Err(format!("unknown option `{other}`").into()),
        }
    }
    let folder = std::env::temp_dir().join(format!("fleet-faults-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let report = run(&FaultHarness::new(&folder, child, lazy_child), &options);
    println!("{report}");
    let served = served_without_checks(&folder.join("control"), if long { 500 } else { 100 })?;
    println!(
        "control without checks: {served} damaged logs were served without a word (must not be 0)"
    );
    std::fs::remove_dir_all(&folder)?;
    Ok(if report.passed() && served > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
