//! `fleet translate`: the same condition in another dialect.

use clap::Args;
use fleet_query::translate::translate;
use fleet_query::{Diagnostic, Dialect, Query};
use serde_json::json;

use crate::args::Global;
use crate::documents::BadLines;
use crate::failure::Failure;
use crate::language::{self, Language};
use crate::output::Out;
use crate::schema::Known;

const AFTER: &str = "\
A translation selects the same devices, or there is none: what has no exact counterpart is named, and the exit code is 2.
What a field holds decides often; `--schema FILE`, `--twins FILE` or the `--store` that is given say what yours hold.

Examples:
  fleet translate --dialect aws --to iothub 'connectivity.connected:true AND attributes.zone:*'
  fleet translate --dialect iothub --to target \"SELECT * FROM devices WHERE tags.region = 'eu'\"
  fleet translate --dialect rsql --to aws --twins twins.ndjson 'attribute.region==eu'";

/// Translate a query into another dialect
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Translate {
    #[command(flatten)]
    language: Language,
    /// The language to translate into
    #[arg(long, value_name = "DIALECT", value_parser = language::dialects())]
    to: Dialect,
    #[command(flatten)]
    known: Known,
    /// The text; `-` is standard input
    query: String,
}

impl Translate {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.query)?;
        let refused = |found: Vec<Diagnostic>| language::refused(&found, &text);
        let query =
            Query::parse(&text, self.language.dialect, self.language.mode()).map_err(refused)?;
        let mut bad = BadLines::default();
        let schema = self.known.schema(global, query.collection(), &mut bad)?;
        let canonical = query.print();
        let translated = translate(&query, self.to, &schema)
            .map_err(|found| language::refused(&found, &canonical))?;
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "dialect": self.to.name(), "query": translated }))?;
        } else {
            out.line(&crate::output::printable(&translated))?;
        }
        out.flush()?;
        bad.end("the schema")
    }
}
