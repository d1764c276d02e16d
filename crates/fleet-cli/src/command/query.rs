//! `fleet query`: which devices meet a condition.

use clap::{Args, ValueEnum};
use fleet_query::{Collection, Dialect, Document, Query as Parsed, Row};
use serde_json::Value;

use crate::args::Global;
use crate::documents::{self, BadLines};
use crate::failure::{Failure, Problem};
use crate::language::{self, Language};
use crate::noun::pairs::Pair;
use crate::output::{self, Out};
use crate::session::Session;
use crate::table::Table;

const AFTER: &str = "\
Against the store, or with `--twins` against a file of documents in either service's shape, one a line.
`ids` prints `device` or `device/module`, sorted bytewise. A query that does not parse or check is exit code 2.

Examples:
  fleet query \"SELECT * FROM devices WHERE tags.region = 'eu-west'\"
  fleet query \"SELECT tags.region AS region, COUNT() AS n FROM devices GROUP BY tags.region\"
  fleet query --dialect aws --format ids 'shadow.reported.battery < 20 AND NOT attributes.site:b2'
  fleet query --dialect rsql --format count 'name==dev-*;attribute.region==eu-west'
  fleet query --twins twins.ndjson --format json \"SELECT deviceId FROM devices WHERE status = 'disabled'\"
  fleet query --param region=eu-west 'SELECT * FROM devices WHERE tags.region = @region'";

/// Query the fleet, in any dialect
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Query {
    #[command(flatten)]
    language: Language,
    /// Query this file of documents, one a line, instead of the store; `-` is standard input
    #[arg(long, value_name = "FILE")]
    twins: Option<String>,
    /// How rows are printed (default: a table on a terminal, JSON elsewhere is `--json`)
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Say on standard error how the answer was found
    #[arg(long)]
    explain: bool,
    /// A parameter (`@name` in the text); JSON is taken as JSON, the rest as text
    #[arg(long = "param", value_name = "NAME=VALUE")]
    parameters: Vec<Pair>,
    /// The text; `-` is standard input
    query: String,
}

/// How rows are printed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// A table
    Table,
    /// A row a line, as JSON
    Json,
    /// An id a line
    Ids,
    /// How many rows
    Count,
}

impl Query {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.query)?;
        if self.language.dialect == Dialect::Routing {
            return Err(Failure::usage(
                "cli.dialect",
                "`routing` conditions judge one message: use `fleet match`",
            ));
        }
        let query = language::query(&text, self.language, &self.parameters)?;
        let format = match self.format {
            Some(format) => format,
            None if global.json => Format::Json,
            None => Format::Table,
        };
        if format == Format::Ids {
            query
                .require_ids()
                .map_err(|found| language::refused(&[found], &text))?;
        }
        language::warn(query.warnings(), &text);
        let mut bad = BadLines::default();
        let (rows, explained) = match &self.twins {
            Some(file) => from_file(&query, file, &mut bad)?,
            None => from_store(&query, global, self.explain)?,
        };
        if self.explain {
            eprintln!("{}", output::printable(&explained));
        }
        print(&query, rows, format)?;
        bad.end("the query")
    }
}

/// The rows, and how they were found.
type Found = (Vec<Row>, String);

fn from_store(query: &Parsed, global: &Global, explain: bool) -> Result<Found, Failure> {
    global.store.must_exist()?;
    let session = Session::open(global)?;
    session.index()?;
    let snapshot = pollster::block_on(session.fleet().snapshot(query.collection()))?;
    let rows = snapshot.rows(query).map_err(refused)?.rows;
    let mut explained = String::new();
    if explain {
        let plan = snapshot.explain(query.condition()).map_err(refused)?;
        explained = format!(
            "plan: the store `{}` at position {}, from its columnar index ({})\n{plan}\n  rows: {}",
            global.store,
            snapshot.position(),
            origin(&session),
            rows.len()
        );
    }
    session.save_index(snapshot.position());
    Ok((rows, explained))
}

/// Where the index came from, in words.
fn origin(session: &Session) -> String {
    let origin = pollster::block_on(session.fleet().index_origin());
    match (origin.opened_at, origin.not_opened) {
        (Some(position), _) => format!("opened as saved at position {position}"),
        (None, Some(reason)) => format!("made from the log: {reason}"),
        (None, None) => "made from the log".to_owned(),
    }
}

fn refused(error: fleet_query::index::IndexError) -> Failure {
    Failure::Refused(Problem::new(error.code(), error.to_string()))
}

fn from_file(query: &Parsed, file: &str, bad: &mut BadLines) -> Result<Found, Failure> {
    let mut selected = Vec::new();
    let mut read = 0_u64;
    documents::each(
        file,
        bad,
        |_| query.collection(),
        |document| {
            read += 1;
            if query.matches(Document::new(&document)).is_true() {
                selected.push(document);
            }
            Ok(())
        },
    )?;
    let explained = format!(
        "plan: read `{file}`, the reference evaluator on each document\n  documents: {read}\n  matched:   {}",
        selected.len()
    );
    let rows = query
        .rows(selected.iter().map(Document::new).collect())
        .rows;
    Ok((rows, explained))
}

fn print(query: &Parsed, rows: Vec<Row>, format: Format) -> Result<(), Failure> {
    let mut out = Out::new();
    match format {
        Format::Count => out.line(&rows.len().to_string())?,
        Format::Json => {
            for row in &rows {
                out.json(&row.value)?;
            }
        }
        Format::Ids => {
            let mut ids: Vec<&str> = rows.iter().filter_map(|row| row.id.as_deref()).collect();
            ids.sort_unstable();
            for id in ids {
                out.line(&output::printable(id))?;
            }
        }
        Format::Table if rows.is_empty() => out.line("no rows")?,
        Format::Table => {
            let values: Vec<Value> = rows.into_iter().map(|row| row.value).collect();
            out.table(&table(query, &values))?;
        }
    }
    out.flush()
}

/// Whole documents by their most telling members, made rows by the members that they have.
fn table(query: &Parsed, rows: &[Value]) -> Table {
    use fleet_query::query::ItemType;
    let whole: &[(&str, &str)] = match (query.item_type(), query.collection()) {
        (ItemType::Raw, _) => return made(rows),
        (ItemType::ThingDocument, _) => &[
            ("THING", "thingName"),
            ("TYPE", "thingTypeName"),
            ("GROUPS", "thingGroupNames"),
            ("ATTRIBUTES", "attributes"),
            ("CONNECTED", "connectivity.connected"),
        ],
        (ItemType::ThingGroupDocument, _) => &[
            ("GROUP", "thingGroupName"),
            ("PARENTS", "parentGroupNames"),
            ("ATTRIBUTES", "attributes"),
        ],
        (_, Collection::Jobs) => &[
            ("JOB", "jobId"),
            ("DEVICE", "deviceId"),
            ("TYPE", "jobType"),
            ("STATUS", "status"),
        ],
        (_, Collection::Modules) => &[
            ("DEVICE", "deviceId"),
            ("MODULE", "moduleId"),
            ("CONNECTION", "connectionState"),
            ("TAGS", "tags"),
        ],
        _ => &[
            ("DEVICE", "deviceId"),
            ("STATUS", "status"),
            ("CONNECTION", "connectionState"),
            ("TAGS", "tags"),
        ],
    };
    Table::of(rows, whole)
}

fn made(rows: &[Value]) -> Table {
    let mut names: Vec<&String> = Vec::new();
    for name in rows
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|row| row.keys())
    {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut table = Table::new(names.iter().map(|name| output::printable(name)));
    for row in rows {
        table.row(
            names
                .iter()
                .map(|name| row.get(*name).map(output::cell).unwrap_or_default()),
        );
    }
    table
}
