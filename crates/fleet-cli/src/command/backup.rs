//! `fleet backup` and `fleet restore`.

use clap::Args;
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, ErrorKind, Write as _};
use std::path::PathBuf;

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::output::Out;
use crate::store::StoreUrl;

const AFTER_BACKUP: &str = "\
The backup is a consistent prefix of the log: every event up to some position and none above, with all that was
acknowledged before the command began. Another process may be writing meanwhile.

Examples:
  fleet backup monday.fleet
  fleet backup --store sqlite:plant.db monday.fleet";

const AFTER_RESTORE: &str = "\
A store that holds events already is never overwritten.

Examples:
  fleet restore --store sqlite:restored.db monday.fleet
  fleet verify --store sqlite:restored.db";

/// Write a backup of the log
#[derive(Args, Debug)]
#[command(after_help = AFTER_BACKUP)]
pub(crate) struct Backup {
    /// The file to write; it must not exist
    file: PathBuf,
}

impl Backup {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let store = crate::store::follow(global)?;
        let name = self.file.display().to_string();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.file)
            .map_err(|error| Failure::file(&name, &error))?;
        let mut sink = BufWriter::new(file);
        let written = pollster::block_on(store.backup(&mut sink)).map_err(crate::store::failed);
        let flushed = written.and_then(|summary| {
            sink.flush()
                .and_then(|()| sink.get_ref().sync_all())
                .map_err(|error| Failure::file(&name, &error))?;
            Ok(summary)
        });
        let summary = flushed.inspect_err(|_| {
            // Half a backup must not be mistaken for one.
            let _ = std::fs::remove_file(&self.file);
        })?;
        report(global, &name, &summary, "written")
    }
}

/// Make a store from a backup
#[derive(Args, Debug)]
#[command(after_help = AFTER_RESTORE)]
pub(crate) struct Restore {
    /// The backup to read
    file: PathBuf,
}

impl Restore {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let name = self.file.display().to_string();
        if self.file.is_dir() {
            return Err(Failure::file(&name, &ErrorKind::IsADirectory.into()));
        }
        let file = File::open(&self.file).map_err(|error| Failure::file(&name, &error))?;
        let StoreUrl::Sqlite(path) = &global.store else {
            return Err(Failure::Usage(
                Problem::new(
                    "cli.restore_target",
                    format!("cannot restore into `{}`", global.store),
                )
                .help("a backup is restored into a file: `--store sqlite:PATH`"),
            ));
        };
        let mut source = BufReader::with_capacity(1024 * 1024, file);
        let summary = crate::store::restore(path, global, &mut source)?;
        report(global, &global.store.to_string(), &summary, "restored")
    }
}

fn report(
    global: &Global,
    name: &str,
    summary: &fleet_store::port::BackupSummary,
    done: &str,
) -> Result<(), Failure> {
    let mut out = Out::new();
    if global.json {
        let report = serde_json::json!({
            "head": summary.head.0, "events": summary.events, "bytes": summary.bytes,
        });
        out.json(&report)?;
    } else {
        out.line(&format!(
            "`{name}` is {done}: {} events up to position {}, {} bytes",
            summary.events, summary.head, summary.bytes
        ))?;
    }
    out.flush()
}
