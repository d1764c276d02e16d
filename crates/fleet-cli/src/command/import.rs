//! `fleet import`: devices from files.

use clap::{Args, ValueEnum};
use fleet_sdk::import::{Existing, Fate, ImportOptions, ImportReport, ImportWatch};
use fleet_sdk::{CallError, Caller};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::args::Global;
use crate::documents::BadLines;
use crate::failure::{Failure, Problem, problem_of};
use crate::input::{Line, Lines, not_utf8};
use crate::output::Out;
use crate::progress;
use crate::session::Session;
use crate::table::Table;

const AFTER: &str = "\
Taken are each document's name, status, type, groups, attributes, tags, desired and reported sections, and their versions, ETag
and connection as the document has them, in either service's shape: queries answer over the store as over the file. An import
that was cut off is run again: what is there already is counted as present. A line that is refused is shown with its
number, and the rest goes on.
With `--csv` the first row names the columns: `thingName`, `thingTypeName`, `thingGroupNames` (separated by blanks), and
all others are attributes.

Examples:
  fleet import twins.ndjson
  fleet generate --devices 100000 | fleet import -
  fleet import --csv things.csv --dry-run          says line by line what would happen
  fleet import twins.ndjson --existing replace";

/// Import devices with their twins
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Import {
    /// One JSON document a line; `-` is standard input
    file: String,
    /// The file is CSV, a thing a row
    #[arg(long)]
    csv: bool,
    /// Change nothing; say line by line what would happen
    #[arg(long)]
    dry_run: bool,
    /// What becomes of a device that exists with other content
    #[arg(long, value_enum, default_value = "keep")]
    existing: Choice,
    /// Devices that become durable together, 1 to 10,000
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    batch: u16,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Choice {
    /// It stays as it is, and the line is refused
    Keep,
    /// Its twin becomes that of the line
    Replace,
}

impl Import {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let notes = Notes::default();
        let (lines, size) = if self.csv {
            let rows = Rows::open(&self.file, notes.clone())?;
            let size = rows.size;
            (Box::new(rows) as Texts, size)
        } else {
            let lines = Lines::open(&self.file)?;
            let size = lines.size();
            let texts = Documents {
                lines,
                notes: notes.clone(),
            };
            (Box::new(texts) as Texts, size)
        };
        if self.dry_run {
            global.store.must_exist()?;
        }
        let session = Session::open(global)?;
        let mut options = ImportOptions::default();
        options.dry_run = self.dry_run;
        options.batch = usize::from(self.batch);
        options.existing = match self.existing {
            Choice::Keep => Existing::Keep,
            Choice::Replace => Existing::Replace,
        };
        let mut watch = Watch {
            file: &self.file,
            json: global.json,
            dry: self.dry_run,
            bar: progress::bytes("importing", size),
            notes: notes.clone(),
            out: Out::new(),
            refused: BadLines::default(),
            unreadable: BadLines::default(),
            failed: None,
        };
        let caller = Caller::new(session.actor());
        let import = session.fleet().import(lines, &caller, options, &mut watch);
        let report = pollster::block_on(import);
        watch.bar.finish_and_clear();
        let report =
            report.map_err(|error| notes.unreadable(&self.file).unwrap_or_else(|| error.into()))?;
        watch.end(&report)
    }
}

/// Imports lines that are known to be good, as the demo does; the first one that is refused ends it.
pub(crate) fn twins(
    session: &Session,
    lines: impl Iterator<Item = String> + Send,
    bar: &ProgressBar,
) -> Result<(), Failure> {
    struct First<'a>(&'a ProgressBar, Option<CallError>);
    impl ImportWatch for First<'_> {
        fn progress(&mut self, so_far: &ImportReport) {
            self.0.set_position(so_far.lines);
        }
        fn refused(&mut self, _line: u64, error: &CallError) {
            self.1.get_or_insert_with(|| error.clone());
        }
    }
    let mut watch = First(bar, None);
    let caller = Caller::new(session.actor());
    let import =
        session
            .fleet()
            .import(lines.map(Ok), &caller, ImportOptions::default(), &mut watch);
    pollster::block_on(import)?;
    match watch.1 {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

type Texts = Box<dyn Iterator<Item = io::Result<String>> + Send>;

/// What the source of the lines knows and the import does not: shared between the two.
#[derive(Clone, Debug, Default)]
struct Notes(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    /// Lines that could not be read at all, by their number in the import.
    unreadable: BTreeMap<u64, Problem>,
    /// Where a record stands in the file, where that is not its number.
    places: BTreeMap<u64, u64>,
    /// Bytes read so far.
    bytes: u64,
    /// The error that ended the reading.
    ended: Option<String>,
}

impl Notes {
    fn with<T>(&self, act: impl FnOnce(&mut Shared) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn unreadable(&self, file: &str) -> Option<Failure> {
        let ended = self.with(|shared| shared.ended.clone())?;
        Some(Failure::Usage(Problem::new(
            "cli.file",
            format!("`{file}`: {ended}"),
        )))
    }
}

/// A text that no import takes, in the place of a line that is no text.
const NO_TEXT: &str = "\u{fffd}";

/// The lines of a file of documents.
struct Documents {
    lines: Lines,
    notes: Notes,
}

impl Iterator for Documents {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let (line, bytes) = match self.lines.next_line() {
            Ok(next) => next?,
            Err(failure) => {
                let said = failure.message();
                self.notes.with(|shared| shared.ended = Some(said.clone()));
                return Some(Err(io::Error::other(said)));
            }
        };
        let problem = match &line {
            Line::Text(_) => None,
            Line::NotUtf8(at) => Some(not_utf8("", *at)),
            Line::TooLong => Some(Problem::new("cli.line_too_long", "longer than 16 MiB")),
        };
        let number = self.lines.number();
        self.notes.with(|shared| {
            shared.bytes += bytes;
            if let Some(problem) = problem {
                shared.unreadable.insert(number, problem);
            }
        });
        Some(Ok(match line {
            Line::Text(text) => text,
            _ => NO_TEXT.to_owned(),
        }))
    }
}

/// The rows of a CSV file, as documents.
struct Rows {
    names: Vec<String>,
    size: Option<u64>,
    records: csv::StringRecordsIntoIter<Box<dyn io::Read + Send>>,
    number: u64,
    notes: Notes,
}

impl Rows {
    fn open(file: &str, notes: Notes) -> Result<Self, Failure> {
        let (reader, size): (Box<dyn io::Read + Send>, _) = if file == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let opened = std::fs::File::open(file).map_err(|error| Failure::file(file, &error))?;
            let size = opened.metadata().ok().map(|meta| meta.len());
            (Box::new(opened), size)
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(reader);
        let header = reader
            .headers()
            .map_err(|error| Failure::usage("cli.not_csv", format!("`{file}`: {error}")))?;
        let names: Vec<String> = header.iter().map(str::to_owned).collect();
        if !names.iter().any(|name| name == "thingName") {
            return Err(Failure::Usage(
                Problem::new("cli.not_csv", format!("`{file}` has no column `thingName`"))
                    .help("the first row names the columns: `thingName`, `thingTypeName`, `thingGroupNames`, and attributes"),
            ));
        }
        Ok(Self {
            names,
            size,
            records: reader.into_records(),
            number: 0,
            notes,
        })
    }

    fn document(&self, record: &csv::StringRecord) -> Value {
        let (mut document, mut attributes) = (Map::new(), Map::new());
        for (name, cell) in self.names.iter().zip(record) {
            if cell.is_empty() {
                continue;
            }
            match name.as_str() {
                "thingName" | "thingTypeName" => document.insert(name.clone(), cell.into()),
                "thingGroupNames" => {
                    let groups: Vec<&str> = cell.split_whitespace().collect();
                    document.insert(name.clone(), groups.into())
                }
                _ => attributes.insert(name.clone(), cell.into()),
            };
        }
        document.insert("attributes".to_owned(), attributes.into());
        document.into()
    }
}

impl Iterator for Rows {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let record = self.records.next()?;
        self.number += 1;
        let here = self.records.reader().position();
        let (line, bytes) = (here.line(), here.byte());
        let (text, place, problem) = match record {
            Ok(record) => {
                let place = record.position().map_or(line, csv::Position::line);
                (self.document(&record).to_string(), place, None)
            }
            Err(error) if error.is_io_error() => {
                let said = error.to_string();
                self.notes.with(|shared| shared.ended = Some(said.clone()));
                return Some(Err(io::Error::other(said)));
            }
            Err(error) => {
                let place = error.position().map_or(line, csv::Position::line);
                (
                    NO_TEXT.to_owned(),
                    place,
                    Some(Problem::new("cli.not_csv", error.to_string())),
                )
            }
        };
        let number = self.number;
        self.notes.with(|shared| {
            shared.bytes = bytes;
            shared.places.insert(number, place);
            if let Some(problem) = problem {
                shared.unreadable.insert(number, problem);
            }
        });
        Some(Ok(text))
    }
}

/// Hears of the import and tells of it.
struct Watch<'a> {
    file: &'a str,
    json: bool,
    dry: bool,
    bar: ProgressBar,
    notes: Notes,
    out: Out,
    refused: BadLines,
    unreadable: BadLines,
    failed: Option<Failure>,
}

impl Watch<'_> {
    /// Where a record stands in the file.
    fn place(&self, number: u64) -> u64 {
        self.notes
            .with(|shared| shared.places.remove(&number))
            .unwrap_or(number)
    }

    /// Says what would become of a line.
    fn would(&mut self, line: u64, fate: &str, device: Option<&str>, problem: Option<&Problem>) {
        if !self.dry {
            return;
        }
        let said = if self.json {
            let error = problem.map(Problem::to_json);
            self.out
                .json(&json!({ "line": line, "device": device, "would": fate, "error": error }))
        } else {
            let what = device.map_or_else(String::new, |device| format!(" {device}"));
            let why = problem.map_or_else(String::new, |problem| {
                format!(": {} [{}]", problem.message, problem.code)
            });
            let text = format!("{}:{line}:{what} would be {fate}{why}", self.file);
            self.out.line(&crate::output::printable(&text))
        };
        if let Err(failure) = said {
            self.failed.get_or_insert(failure);
        }
    }

    fn end(mut self, report: &ImportReport) -> Result<(), Failure> {
        if let Some(failure) = self.failed {
            return Err(failure);
        }
        if self.json {
            self.out
                .json(&json!({ "dryRun": self.dry, "report": report }))?;
        } else {
            let mut table = Table::new([if self.dry { "WOULD BE" } else { "LINES" }, "COUNT"]);
            for (fate, count) in [
                ("created", report.created),
                ("replaced", report.replaced),
                ("present", report.present),
                ("refused", report.refused),
            ] {
                if count > 0 {
                    table.row([fate.to_owned(), count.to_string()]);
                }
            }
            if table.is_empty() {
                self.out.line("nothing to import")?;
            } else {
                self.out.table(&table)?;
            }
        }
        self.out.flush()?;
        self.unreadable.end("the import")?;
        self.refused
            .end("the import")
            .map_err(|failure| match failure {
                Failure::Usage(problem) => Failure::Refused(problem),
                other => other,
            })
    }
}

impl ImportWatch for Watch<'_> {
    fn progress(&mut self, _: &ImportReport) {
        self.bar
            .set_position(self.notes.with(|shared| shared.bytes));
    }

    fn refused(&mut self, number: u64, error: &CallError) {
        let unreadable = self.notes.with(|shared| shared.unreadable.remove(&number));
        let readable = unreadable.is_none() && error.code != "import.malformed";
        let problem = unreadable.unwrap_or_else(|| problem_of(error));
        let line = self.place(number);
        self.would(line, "refused", None, Some(&problem));
        let bad = if readable {
            &mut self.refused
        } else {
            &mut self.unreadable
        };
        if self.dry {
            bad.count();
        } else {
            let bar = self.bar.clone();
            bar.suspend(|| bad.note(self.file, line, problem));
        }
    }

    fn done(&mut self, number: u64, device: &str, fate: Fate) {
        let line = self.place(number);
        let fate = match fate {
            Fate::Created => "created",
            Fate::Replaced => "replaced",
            Fate::Present => "present already",
            _ => "taken",
        };
        self.would(line, fate, Some(device), None);
    }
}
