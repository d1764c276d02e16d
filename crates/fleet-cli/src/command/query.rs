//! `fleet query`: which devices meet a condition.

use clap::{Args, ValueEnum};
use fleet_query::index::{IndexError, Snapshot};
use fleet_query::query::Select;
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
        let (answer, explained) = match &self.twins {
            Some(file) => from_file(&query, file, format, &mut bad)?,
            None => from_store(&query, global, format, self.explain)?,
        };
        if self.explain {
            eprintln!("{}", output::printable(&explained));
        }
        print(&query, answer, format)?;
        bad.end("the query")
    }
}

/// What a query found: no more of it than its format prints.
enum Answer {
    Rows(Vec<Row>),
    Ids(Vec<String>),
    Count(usize),
}

impl Answer {
    fn of_rows(rows: Vec<Row>, format: Format) -> Self {
        match format {
            Format::Ids => Self::Ids(rows.into_iter().filter_map(|row| row.id).collect()),
            Format::Count => Self::Count(rows.len()),
            Format::Table | Format::Json => Self::Rows(rows),
        }
    }

    /// Ids and counts come from columns: no document is built for them.
    fn of_index(snapshot: &Snapshot, query: &Parsed, format: Format) -> Result<Self, IndexError> {
        let grouped = matches!(query.select(), Select::Groups(_));
        let most = query.top().and_then(|top| usize::try_from(top).ok());
        let most = most.unwrap_or(usize::MAX);
        Ok(match format {
            Format::Ids if !grouped => {
                let ids = snapshot.first_ids(query.condition(), most)?;
                Self::Ids(ids.iter().map(ToString::to_string).collect())
            }
            Format::Count if !grouped => {
                let count = snapshot.count(query.condition())?;
                Self::Count(usize::try_from(count).map_or(most, |count| count.min(most)))
            }
            _ => Self::of_rows(snapshot.rows(query)?.rows, format),
        })
    }

    const fn len(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.len(),
            Self::Ids(ids) => ids.len(),
            Self::Count(count) => *count,
        }
    }
}

/// The answer, and how it was found.
type Found = (Answer, String);

fn from_store(
    query: &Parsed,
    global: &Global,
    format: Format,
    explain: bool,
) -> Result<Found, Failure> {
    global.store.must_exist()?;
    let session = Session::open(global)?;
    session.index()?;
    let snapshot = pollster::block_on(session.fleet().snapshot(query.collection()))?;
    let answer = Answer::of_index(&snapshot, query, format).map_err(refused)?;
    let mut explained = String::new();
    if explain {
        let plan = snapshot.explain(query.condition()).map_err(refused)?;
        explained = format!(
            "plan: the store `{}` at position {}, from its columnar index ({})\n{plan}\n  rows: {}",
            global.store,
            snapshot.position(),
            origin(&session),
            answer.len()
        );
    }
    session.save_index(snapshot.position());
    Ok((answer, explained))
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

fn refused(error: IndexError) -> Failure {
    Failure::Refused(Problem::new(error.code(), error.to_string()))
}

fn from_file(
    query: &Parsed,
    file: &str,
    format: Format,
    bad: &mut BadLines,
) -> Result<Found, Failure> {
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
    Ok((Answer::of_rows(rows, format), explained))
}

fn print(query: &Parsed, answer: Answer, format: Format) -> Result<(), Failure> {
    let mut out = Out::new();
    match answer {
        Answer::Count(count) => out.line(&count.to_string())?,
        Answer::Ids(mut ids) => {
            ids.sort_unstable();
            for id in ids {
                out.line(&output::printable(&id))?;
            }
        }
        Answer::Rows(rows) if format == Format::Json => {
            for row in &rows {
                out.json(&row.value)?;
            }
        }
        Answer::Rows(rows) if rows.is_empty() => out.line("no rows")?,
        Answer::Rows(rows) => {
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
