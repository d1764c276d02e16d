//! `fleet check`: is this text a query?

use clap::Args;
use fleet_query::Query;
use serde_json::json;

use crate::args::Global;
use crate::failure::Failure;
use crate::language::{self, Language};
use crate::output::Out;

const AFTER: &str = "\
Exit code 0: it is, and its canonical form is printed. Exit code 2: it is not, and why, with a pointer into the text.

Examples:
  fleet check \"SELECT * FROM devices WHERE tags.region == 'eu'\"
  fleet check --dialect target \"tags.region = 'eu' AND tags.region = 'us'\"
  fleet check --dialect aws 'thingName:press-* and shadow.reported.temp > 80' --json
  fleet check --strict --dialect routing 'level = \"critical\"'";

/// Parse and check a query or condition, and run nothing
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Check {
    #[command(flatten)]
    language: Language,
    /// The text; `-` is standard input
    query: String,
}

impl Check {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.query)?;
        let query = Query::parse(&text, self.language.dialect, self.language.mode())
            .map_err(|found| language::refused(&found, &text))?;
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "canonical": query.print(), "diagnostics": query.warnings() }))?;
        } else {
            language::warn(query.warnings(), &text);
            out.line(&crate::output::printable(&query.print()))?;
        }
        out.flush()
    }
}
