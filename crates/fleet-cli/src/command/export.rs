//! `fleet export`: devices as lines that an import takes back.

use clap::Args;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::Out;
use crate::progress;
use crate::session::Session;

const AFTER: &str = "\
One JSON document a device, in the order of their ids: own attributes and static groups, tags, desired and reported.
`fleet import` takes it back. What an export leaves out (history, certificates) is in `fleet backup`.

Examples:
  fleet export > fleet.ndjson
  fleet export fleet.ndjson
  fleet export | fleet query --twins - --format count 'SELECT * FROM devices'";

/// Export devices with their twins, one a line
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Export {
    /// The file to write, which must not exist; `-` is standard output
    #[arg(default_value = "-")]
    file: String,
}

impl Export {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        global.store.must_exist()?;
        let session = Session::open(global)?;
        let bar = progress::bar("exporting", None);
        if self.file == "-" {
            let mut out = Out::new();
            // The first failure of our own output ends the export.
            let mut failed = None;
            let mut write = |line: &str| {
                bar.inc(1);
                out.line(line).map_err(|failure| {
                    failed = Some(failure);
                    std::io::Error::other("output")
                })
            };
            let done = pollster::block_on(session.fleet().export(&mut write));
            bar.finish_and_clear();
            if let Some(failure) = failed {
                return Err(failure);
            }
            done?;
            return out.flush();
        }
        let refused = |error: &std::io::Error| Failure::file(&self.file, error);
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.file)
            .map_err(|error| refused(&error))?;
        let mut sink = BufWriter::new(file);
        let mut write = |line: &str| {
            bar.inc(1);
            sink.write_all(line.as_bytes())?;
            sink.write_all(b"\n")
        };
        let count = pollster::block_on(session.fleet().export(&mut write))?;
        sink.flush().map_err(|error| refused(&error))?;
        bar.finish_and_clear();
        let mut out = Out::new();
        if global.json {
            out.json(&serde_json::json!({ "devices": count }))?;
        } else {
            out.line(&format!("`{}` holds {count} devices", self.file))?;
        }
        out.flush()
    }
}
