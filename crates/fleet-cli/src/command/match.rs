//! `fleet match`: does this document meet this condition, and which of many conditions does it meet?

use clap::Args;
use fleet_query::document::normalise;
use fleet_query::matching::ConditionIndex;
use fleet_query::{Collection, Dialect, Document, Mode, Query, Truth};
use fleet_sdk::operation::{DescribeThingGroup, ListThingGroups};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::args::Global;
use crate::documents::{self, BadLines};
use crate::failure::{Failure, Problem};
use crate::input::{Line, Lines};
use crate::language::{self, Language, Routing};
use crate::output::Out;
use crate::session::Session;

const AFTER: &str = "\
One condition and one document print `true`, `false` or `undefined`; all three are exit code 0. With `--dialect routing`
the document is a message: {\"properties\":{…},\"systemProperties\":{…},\"body\":…,\"twin\":…}.
Many conditions ({\"id\":…,\"condition\":…,\"dialect\":…} a line) and many twins print a line per twin, those that it meets; one
document prints their ids. `--groups` takes the conditions of the store's dynamic groups; `--device` takes a document
of the store. Many conditions are not tried one by one: the reverse match finds those that are met.

Examples:
  fleet match --dialect target --condition \"tags.region = 'eu'\" --document twin.json
  fleet match --dialect routing --condition '$body.level = \"critical\"' --document message.json
  fleet match --conditions conditions.ndjson --twins twins.ndjson
  fleet match --conditions conditions.ndjson --document twin.json
  fleet match --groups --device press-7";

/// Match conditions against documents
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Match {
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    routing: Routing,
    /// The condition
    #[arg(long, value_name = "TEXT", group = "what")]
    condition: Option<String>,
    /// The document: a JSON file, or `-`
    #[arg(long, value_name = "FILE", group = "whose")]
    document: Option<String>,
    /// Conditions, one a line; `--dialect` is the dialect of lines that name none
    #[arg(long, value_name = "FILE", group = "what")]
    conditions: Option<String>,
    /// The conditions of the store's dynamic groups, by the groups' names
    #[arg(long, group = "what")]
    groups: bool,
    /// Twins, one a line
    #[arg(
        long,
        value_name = "FILE",
        group = "whose",
        conflicts_with = "condition"
    )]
    twins: Option<String>,
    /// A device of the store, as it is there
    #[arg(long, value_name = "DEVICE", group = "whose")]
    device: Option<String>,
}

/// A line of `--conditions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: String,
    condition: String,
    dialect: Option<Dialect>,
}

/// Conditions by the collection that they are about, ready for the reverse match.
type Conditions = BTreeMap<Collection, ConditionIndex>;

impl Match {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        if self.condition.is_none() && self.conditions.is_none() && !self.groups {
            return Err(Failure::usage(
                "cli.match",
                "name the conditions: `--condition`, `--conditions` or `--groups`",
            ));
        }
        if self.document.is_none() && self.twins.is_none() && self.device.is_none() {
            return Err(Failure::usage(
                "cli.match",
                "name what to match: `--document`, `--twins` or `--device`",
            ));
        }
        if let Some(condition) = &self.condition {
            return self.one(global, condition);
        }
        let session = match self.groups || self.device.is_some() {
            true => {
                global.store.must_exist()?;
                Some(Session::open(global)?)
            }
            false => None,
        };
        let mut bad = BadLines::default();
        let stored = match (&self.conditions, &session) {
            (Some(file), _) => self.stored(file, &mut bad)?,
            (None, Some(session)) => of_groups(session)?,
            (None, None) => Conditions::new(),
        };
        let mut out = Out::new();
        if let Some(twins) = &self.twins {
            documents::each(twins, &mut bad, collection_of, |document| {
                let id = Document::new(&document).id();
                let met = met(&stored, document);
                out.json(&json!({ "twin": id, "conditions": met }))
            })?;
        } else {
            let document = match (&self.document, &self.device, &session) {
                (Some(file), ..) => read_any(file)?,
                (None, Some(device), Some(session)) => super::explain::document(session, device)?,
                _ => Value::Null,
            };
            let found = met(&stored, document);
            if global.json {
                out.json(&json!({ "conditions": found }))?;
            } else {
                for id in found {
                    out.line(&crate::output::printable(&id))?;
                }
            }
        }
        out.flush()?;
        bad.end("the match")
    }

    fn one(&self, global: &Global, condition: &str) -> Result<(), Failure> {
        let query = language::condition(condition, self.language.dialect, self.language.mode())
            .map_err(|found| language::refused(&found, condition))?;
        let query = self.routing.read(query);
        let document = match (&self.document, &self.device) {
            (Some(file), _) => read(file, query.collection())?,
            (None, device) => {
                global.store.must_exist()?;
                let session = Session::open(global)?;
                super::explain::document(&session, device.as_deref().unwrap_or_default())?
            }
        };
        let word = word(query.matches(Document::new(&document)));
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "truth": word }))?;
        } else {
            out.line(word)?;
        }
        out.flush()
    }

    /// The conditions of a file.
    fn stored(&self, file: &str, bad: &mut BadLines) -> Result<Conditions, Failure> {
        let mut lines = Lines::open(file)?;
        let mut stored = Conditions::new();
        let mut ids = BTreeSet::new();
        while let Some((line, _)) = lines.next_line()? {
            if matches!(&line, Line::Text(text) if text.trim().is_empty()) {
                continue;
            }
            match documents::value(line).and_then(|value| self.parse(value)) {
                Ok((id, query)) if ids.insert(id.clone()) => {
                    let index = stored.entry(query.collection()).or_default();
                    index.insert(&id, query.condition());
                }
                Ok((id, _)) => {
                    let problem =
                        Problem::new("cli.given_twice", format!("the id `{id}` is given twice"));
                    bad.note(file, lines.number(), problem);
                }
                Err(problem) => bad.note(file, lines.number(), problem),
            }
        }
        Ok(stored)
    }

    fn parse(&self, line: Value) -> Result<(String, Query), Problem> {
        let stored: Stored = serde_json::from_value(line).map_err(|error| {
            Problem::new("cli.not_a_condition", format!("not a condition: {error}"))
        })?;
        let dialect = stored.dialect.unwrap_or(self.language.dialect);
        let query = language::condition(&stored.condition, dialect, self.language.mode()).map_err(
            |found| {
                let first = found.into_iter().next();
                first.map_or_else(
                    || Problem::new("query.syntax", "the condition is refused"),
                    |first| Problem {
                        help: first.help.clone(),
                        ..Problem::new(
                            first.code(),
                            format!("condition `{}`: {}", stored.id, first.message),
                        )
                    },
                )
            },
        )?;
        Ok((stored.id, query))
    }
}

/// The ids of the conditions that a document meets.
fn met(stored: &Conditions, document: Value) -> Vec<String> {
    let Some(index) = stored.get(&collection_of(&document)) else {
        return Vec::new();
    };
    let held = index.hold(document.into());
    let met = index.matches(&held).sorted();
    met.into_iter().map(str::to_owned).collect()
}

/// The conditions of the store's dynamic groups, by the groups' names.
fn of_groups(session: &Session) -> Result<Conditions, Failure> {
    let mut stored = Conditions::new();
    let mut token = None;
    loop {
        let page = session.call(ListThingGroups {
            next_token: token.take(),
            ..ListThingGroups::default()
        })?;
        for group in page.thing_groups {
            let described = session.call(DescribeThingGroup {
                thing_group_name: group.group_name,
            })?;
            let Some(text) = described.query_string else {
                continue;
            };
            let query = Query::parse(&text, Dialect::Aws, Mode::Lenient)
                .map_err(|found| language::refused(&found, &text))?;
            let index = stored.entry(query.collection()).or_default();
            index.insert(&described.thing_group_name, query.condition());
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(stored);
        }
    }
}

/// A JSON file as a canonical document of the collection that it looks like.
fn read_any(file: &str) -> Result<Value, Failure> {
    let text = crate::input::read_text(file)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        let message = format!("`{file}` is not a JSON document: {error}");
        Failure::usage("cli.not_json", message)
    })?;
    normalise(collection_of(&value), value)
        .map_err(|error| Failure::usage(error.code(), format!("`{file}`: {error}")))
}

/// A JSON file as a canonical document.
pub(crate) fn read(file: &str, collection: Collection) -> Result<Value, Failure> {
    let text = crate::input::read_text(file)?;
    let value: Value = serde_json::from_str(&text).map_err(|error| {
        Failure::usage(
            "cli.not_json",
            format!("`{file}` is not a JSON document: {error}"),
        )
    })?;
    normalise(collection, value)
        .map_err(|error| Failure::usage(error.code(), format!("`{file}`: {error}")))
}

fn word(truth: Truth) -> &'static str {
    match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Undefined => "undefined",
    }
}

/// Which collection a document without a label belongs to.
pub(crate) fn collection_of(document: &Value) -> Collection {
    if document.get("thingGroupName").is_some() {
        Collection::Groups
    } else if document.get("jobId").is_some() {
        Collection::Jobs
    } else if document.get("moduleId").is_some() {
        Collection::Modules
    } else {
        Collection::Devices
    }
}
