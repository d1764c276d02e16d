//! `fleet match`: does this document meet this condition, and which of many conditions does it meet?

use clap::Args;
use fleet_query::document::normalise;
use fleet_query::matching::ConditionIndex;
use fleet_query::{Collection, Dialect, Document, Query, Truth};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::args::Global;
use crate::documents::{self, BadLines};
use crate::failure::{Failure, Problem};
use crate::input::{Line, Lines};
use crate::language::{self, Language, Routing};
use crate::output::Out;

const AFTER: &str = "\
One condition and one document print `true`, `false` or `undefined`; all three are exit code 0. With `--dialect routing`
the document is a message: {\"properties\":{…},\"systemProperties\":{…},\"body\":…,\"twin\":…}.
Many conditions ({\"id\":…,\"condition\":…,\"dialect\":…} a line) and many twins print a line per twin.

Examples:
  fleet match --dialect target --condition \"tags.region = 'eu'\" --document twin.json
  fleet match --dialect routing --condition '$body.level = \"critical\"' --document message.json
  fleet match --conditions conditions.ndjson --twins twins.ndjson";

/// Match conditions against documents
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Match {
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    routing: Routing,
    /// The condition
    #[arg(
        long,
        value_name = "TEXT",
        requires = "document",
        required_unless_present = "conditions"
    )]
    condition: Option<String>,
    /// The document: a JSON file, or `-`
    #[arg(long, value_name = "FILE", requires = "condition")]
    document: Option<String>,
    /// Conditions, one a line; `--dialect` is the dialect of lines that name none
    #[arg(
        long,
        value_name = "FILE",
        requires = "twins",
        conflicts_with = "condition"
    )]
    conditions: Option<String>,
    /// Twins, one a line
    #[arg(long, value_name = "FILE", requires = "conditions")]
    twins: Option<String>,
}

/// A line of `--conditions`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    id: String,
    condition: String,
    dialect: Option<Dialect>,
}

impl Match {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        match (
            &self.condition,
            &self.document,
            &self.conditions,
            &self.twins,
        ) {
            (Some(condition), Some(document), ..) => self.one(global, condition, document),
            (_, _, Some(conditions), Some(twins)) => self.many(conditions, twins),
            _ => Err(Failure::usage(
                "cli.match",
                "name `--condition` and `--document`, or `--conditions` and `--twins`",
            )),
        }
    }

    fn one(&self, global: &Global, condition: &str, document: &str) -> Result<(), Failure> {
        let query = language::condition(condition, self.language.dialect, self.language.mode())
            .map_err(|found| language::refused(&found, condition))?;
        let query = self.routing.read(query);
        let truth = query.matches(Document::new(&read(document, query.collection())?));
        let word = word(truth);
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "truth": word }))?;
        } else {
            out.line(word)?;
        }
        out.flush()
    }

    fn many(&self, conditions: &str, twins: &str) -> Result<(), Failure> {
        let mut bad = BadLines::default();
        let stored = self.stored(conditions, &mut bad)?;
        let mut out = Out::new();
        documents::each(twins, &mut bad, collection_of, |document| {
            let index = stored.get(&collection_of(&document));
            let id = Document::new(&document).id();
            let held = index.map(|index| (index, index.hold(document.into())));
            let met = held
                .as_ref()
                .map_or_else(Vec::new, |(index, held)| index.matches(held).sorted());
            out.json(&json!({ "twin": id, "conditions": met }))
        })?;
        out.flush()?;
        bad.end("the match")
    }

    /// The conditions by the collection that they are about, ready for the reverse match.
    fn stored(
        &self,
        file: &str,
        bad: &mut BadLines,
    ) -> Result<BTreeMap<Collection, ConditionIndex>, Failure> {
        let mut lines = Lines::open(file)?;
        let mut stored: BTreeMap<Collection, ConditionIndex> = BTreeMap::new();
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
