//! `fleet check`: is this text a query, and does it mean what it says?

use clap::Args;
use fleet_query::Query;
use serde_json::json;

use crate::args::Global;
use crate::documents::BadLines;
use crate::failure::Failure;
use crate::language::{self, Language};
use crate::output::Out;
use crate::schema::Known;

const AFTER: &str = "\
Exit code 0: it is, and its canonical form is printed, with warnings where it says something doubtful: a part that can
never or always hold and, where the fields are known, an unknown field or a kind that never meets.
Exit code 2: it is not, and why, with a pointer into the text.

Examples:
  fleet check \"SELECT * FROM devices WHERE tags.region == 'eu'\"
  fleet check --dialect target \"tags.region = 'eu' AND tags.region = 'us'\"
  fleet check --dialect aws 'thingName:press-* and shadow.reported.temp > 80' --json
  fleet check --strict --dialect routing 'level = \"critical\"'
  fleet check --store sqlite:fleet.db --dialect target \"tags.regoin = 'eu'\"";

/// Parse and check a query or condition, and run nothing
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Check {
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    known: Known,
    /// The text; `-` is standard input
    query: String,
}

impl Check {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.query)?;
        let query = Query::parse(&text, self.language.dialect, self.language.mode())
            .map_err(|found| language::refused(&found, &text))?;
        let mut bad = BadLines::default();
        let schema = self.known.schema(global, query.collection(), &mut bad)?;
        let found = query.check(&schema);
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "canonical": query.print(), "diagnostics": found }))?;
        } else {
            language::warn(&found, &text);
            out.line(&crate::output::printable(&query.print()))?;
        }
        out.flush()?;
        bad.end("the schema")
    }
}
