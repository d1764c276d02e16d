//! Prints the conformance report of both adapters: `cargo run --release -p fleet-store --example conformance
//! --features conformance [-- --long] [--seed N] [--case N]`. Exits 1 when a case fails.

use fleet_store::conformance::{MemoryHarness, Options, SqliteHarness, run, serve};
use fleet_store::port::{EventStore, SystemClock};
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use std::error::Error;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;

fn child(path: &Path) -> Command {
    let program = std::env::current_exe().unwrap_or_default();
    let mut command = Command::new(program);
    command.arg("child").arg(path);
    command
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, path, seed] = arguments.as_slice()
        && word == "child"
    {
        let (tenant, clock) = ("conformance".parse()?, Arc::new(SystemClock));
        let store = SqliteStore::open(path, tenant, clock, &SqliteOptions::default())?;
        let store: Arc<dyn EventStore> = Arc::new(store);
        serve(&store, seed.parse()?, std::io::stdout());
        return Ok(ExitCode::SUCCESS);
    }
    let mut options = Options::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
        options = match word.as_str() {
            "--long" => options.long(),
            "--seed" => options.seed(number().ok_or("--seed takes a number")?),
            "--case" => options.only(&[u32::try_from(number().ok_or("--case takes a number")?)?]),
            other => return Err(format!("unknown option `{other}`").into()),
        };
    }
    let folder = std::env::temp_dir().join(format!("fleet-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let memory = run(&MemoryHarness, &options);
    println!("{memory}");
    let sqlite = run(&SqliteHarness::new(&folder, Some(child)), &options);
    println!("{sqlite}");
    std::fs::remove_dir_all(&folder)?;
    Ok(if memory.passed() && sqlite.passed() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
