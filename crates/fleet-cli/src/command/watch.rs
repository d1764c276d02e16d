//! `fleet watch`: who meets a condition, and who enters and leaves from then on.

use clap::Args;
use fleet_model::kernel::Position;
use fleet_query::index::{Crossing, Side};
use fleet_query::{Dialect, Query};
use fleet_store::port::Subscribe;
use serde_json::json;

use crate::args::Global;
use crate::failure::Failure;
use crate::language::{self, Language};
use crate::output::{self, Out};
use crate::session::Session;

const AFTER: &str = "\
Prints the set with its position, then a line per event that moves somebody into or out of it. `--from` goes on where an
earlier watch ended: give the last position that it printed, and nothing is missed.

Examples:
  fleet watch \"tags.region = 'eu-west' AND properties.reported.battery < 20\" --dialect target
  fleet watch --dialect aws 'shadow.hasDelta:true' --json
  fleet watch --dialect aws 'thingName:press-*' --from 1200 --until-end";

/// Watch who meets a condition
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Watch {
    #[command(flatten)]
    language: Language,
    /// The set as it was at this position of the log, and what happened since
    #[arg(long, value_name = "POSITION")]
    from: Option<u64>,
    /// Stop at the present end of the log instead of waiting for more
    #[arg(long)]
    until_end: bool,
    /// The condition, or a query whose condition counts; `-` is standard input
    condition: String,
}

impl Watch {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.condition)?;
        if self.language.dialect == Dialect::Routing {
            return Err(Failure::usage(
                "cli.dialect",
                "`routing` conditions judge one message: use `fleet match`",
            ));
        }
        let query = self.query(&text)?;
        global.store.must_exist()?;
        let session = Session::open(global)?;
        let fleet = session.fleet();
        let watched = pollster::block_on(fleet.watch("watched", &query, self.from));
        let (mut position, now) = watched?;
        let mut out = Out::new();
        if global.json {
            out.json(&json!({ "position": position, "set": now }))?;
        } else {
            out.line(&format!("position {position}: {} in the set", now.len()))?;
            for id in &now {
                out.line(&format!("  {}", output::printable(id)))?;
            }
        }
        out.flush()?;
        let mut news = fleet
            .store()
            .subscribe_all(Subscribe::after(Position(position)));
        loop {
            let (reached, crossings) = pollster::block_on(fleet.crossings(position))?;
            for crossing in &crossings {
                show(crossing, global.json, &mut out)?;
            }
            out.flush()?;
            position = reached;
            if self.until_end {
                return Ok(());
            }
            // Events that were seen with the last catch-up come again here: they only wake.
            while let Some(event) = pollster::block_on(news.next()) {
                if event.map_err(crate::store::failed)?.position.0 > position {
                    break;
                }
            }
        }
    }

    /// A bare condition where the dialect has conditions, else a whole query.
    fn query(&self, text: &str) -> Result<Query, Failure> {
        let (dialect, mode) = (self.language.dialect, self.language.mode());
        let is_statement = text
            .split_whitespace()
            .next()
            .is_some_and(|word| word.eq_ignore_ascii_case("select"));
        let parsed = if is_statement {
            Query::parse(text, dialect, mode)
        } else {
            language::condition(text, dialect, mode)
        };
        parsed.map_err(|found| language::refused(&found, text))
    }
}

fn show(crossing: &Crossing, as_json: bool, out: &mut Out) -> Result<(), Failure> {
    let side = match crossing.side {
        Side::Entered => "entered",
        Side::Left => "left",
    };
    if as_json {
        return out.json(&json!({ "position": crossing.position, side: crossing.ids }));
    }
    let ids: Vec<String> = crossing
        .ids
        .iter()
        .map(|id| output::printable(id))
        .collect();
    let position = crossing.position;
    out.line(&format!("position {position}: {side} {}", ids.join(" ")))
}
