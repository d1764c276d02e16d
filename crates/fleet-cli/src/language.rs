//! Texts of the query languages on the command line: dialect names, parsing, diagnostics for a person or a program.

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, ValueEnum};
use fleet_query::diagnostic::{Severity, render};
use fleet_query::profile::MissingBody;
use fleet_query::value::Scalar;
use fleet_query::{Diagnostic, Dialect, Mode, Prepared, Query, Span};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::failure::{Failure, Problem};
use crate::noun::pairs::Pair;

/// The parser of `--dialect`.
pub(crate) fn dialects() -> impl clap::builder::TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::name))
        .try_map(|name| name.parse::<Dialect>())
}

/// In which language a text is written.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Language {
    /// The language of the text
    #[arg(long, value_name = "DIALECT", default_value = "iothub", value_parser = dialects())]
    pub(crate) dialect: Dialect,
    #[command(flatten)]
    pub(crate) mode: ModeArgs,
}

/// How much beyond the published language is taken.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct ModeArgs {
    /// Take only what the services document
    #[arg(long, conflicts_with = "lenient")]
    strict: bool,
    /// Take the documented extensions too (the default)
    #[arg(long)]
    lenient: bool,
}

impl ModeArgs {
    pub(crate) fn mode(self) -> Mode {
        if self.strict {
            Mode::Strict
        } else {
            Mode::Lenient
        }
    }
}

impl Language {
    pub(crate) fn mode(self) -> Mode {
        self.mode.mode()
    }
}

/// How a routing condition sees a member that the message's body does not have.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, ValueEnum)]
pub(crate) enum Missing {
    /// Undefined, as the hosted service documents it
    #[default]
    Undefined,
    /// Null, as the edge hub does it
    Null,
}

/// What only routing conditions have.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Routing {
    /// What `$body.x` is in a routing condition where the body has no `x`
    #[arg(long, value_name = "VALUE", default_value = "undefined")]
    missing_body: Missing,
}

impl Routing {
    /// The condition under this reading.
    pub(crate) fn read(self, query: Query) -> Query {
        query.with_missing_body(match self.missing_body {
            Missing::Undefined => MissingBody::Undefined,
            Missing::Null => MissingBody::Null,
        })
    }
}

/// The text of an argument; `-` is standard input.
pub(crate) fn text(argument: &str) -> Result<String, Failure> {
    if argument == "-" {
        return Ok(crate::input::read_text("-")?
            .trim_end_matches(['\n', '\r'])
            .to_owned());
    }
    Ok(argument.to_owned())
}

/// The failure of a text that does not parse or check: its diagnostics, pointing into it.
pub(crate) fn refused(found: &[Diagnostic], source: &str) -> Failure {
    let first = found
        .iter()
        .find(|one| one.severity == Severity::Error)
        .or_else(|| found.first());
    let mut problem = match first {
        Some(first) => Problem {
            help: first.help.clone(),
            ..Problem::new(first.code(), first.message.clone())
        },
        None => Problem::new("query.syntax", "the text is refused"),
    };
    problem.more.insert("diagnostics".into(), json!(found));
    problem.rendered = Some(crate::output::printable(&render(found, source)));
    Failure::Usage(problem)
}

/// A query, its parameters bound.
pub(crate) fn query(text: &str, language: Language, parameters: &[Pair]) -> Result<Query, Failure> {
    let parsed = if parameters.is_empty() {
        Query::parse(text, language.dialect, language.mode())
    } else {
        let values: BTreeMap<String, Scalar> = parameters
            .iter()
            .map(|pair| {
                (
                    pair.name.trim_start_matches('@').to_owned(),
                    scalar(&pair.value),
                )
            })
            .collect();
        Prepared::parse(text, language.dialect, language.mode())
            .and_then(|prepared| prepared.bind(&values))
    };
    parsed.map_err(|found| refused(&found, text))
}

/// A parameter's value: JSON scalars keep their kind, everything else is text.
fn scalar(text: &str) -> Scalar {
    match serde_json::from_str(text) {
        Ok(Value::Null) => Scalar::Null,
        Ok(Value::Bool(value)) => Scalar::Bool(value),
        Ok(Value::Number(number)) => number
            .as_f64()
            .map_or_else(|| Scalar::Text(text.into()), Scalar::Number),
        Ok(Value::String(text)) => Scalar::Text(text.into()),
        _ => Scalar::Text(text.into()),
    }
}

/// What comes before a bare condition to make it a statement of a dialect that has statements.
fn statement(dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::IotHub => Some("SELECT * FROM devices WHERE "),
        Dialect::IotHubModules => Some("SELECT * FROM devices.modules WHERE "),
        Dialect::IotHubJobs => Some("SELECT * FROM devices.jobs WHERE "),
        _ => None,
    }
}

/// A condition: in the dialects that have statements, a whole statement or what stands after its WHERE.
///
/// # Errors
/// The diagnostics, with spans of `text`.
pub(crate) fn condition(
    text: &str,
    dialect: Dialect,
    mode: Mode,
) -> Result<Query, Vec<Diagnostic>> {
    let is_statement = text
        .trim_start()
        .get(..6)
        .is_some_and(|head| head.eq_ignore_ascii_case("select"));
    let Some(head) = statement(dialect).filter(|_| !is_statement) else {
        return Query::parse(text, dialect, mode);
    };
    Query::parse(&format!("{head}{text}"), dialect, mode).map_err(|mut found| {
        for one in &mut found {
            one.span = Span::new(
                one.span.start.saturating_sub(head.len()),
                one.span.end.saturating_sub(head.len()),
            );
        }
        found
    })
}

/// Prints what is doubtful about a text that runs.
pub(crate) fn warn(found: &[Diagnostic], source: &str) {
    if !found.is_empty() {
        // Warnings go beside the answer; nobody is left to tell when standard error is closed.
        let text = crate::output::printable(&render(found, source));
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }
}
