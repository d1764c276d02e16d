//! `fleet verify`: is the log whole, and is everything that we show what it says?

use clap::Args;
use fleet_model::kernel::Position;

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::output::Out;
use crate::progress;
use crate::session::Session;
use crate::table::Table;

const AFTER: &str = "\
Walks the whole log: checksums and order, every event decoded, versions without gaps, the rules that every decision
keeps, and each read model against a fresh replay. Exit code 3 when something is wrong.
`--scrub` looks at the store alone: fast, and it goes on behind damage that stops a replay.

Examples:
  fleet verify
  fleet verify --scrub --json";

/// Check the log and everything that follows from it
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Verify {
    /// Check what is stored, and replay nothing
    #[arg(long)]
    scrub: bool,
}

/// A finding: code, position, message.
type Finding = (String, Option<u64>, String);

impl Verify {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        global.store.must_exist()?;
        let session = Session::open(global)?;
        let mut out = Out::new();
        let (figures, found) = if self.scrub {
            scrub(&session)?
        } else {
            let bar = progress::bar("verifying", Some(0));
            let report = pollster::block_on(session.fleet().verify(&mut |report| {
                bar.set_length(report.head);
                bar.set_position(report.position);
            }))?;
            bar.finish_and_clear();
            let figures = vec![
                ("head", report.head),
                ("events", report.events),
                ("streams", report.streams),
            ];
            let found = report
                .problems
                .into_iter()
                .map(|problem| (problem.code, problem.position, problem.message))
                .collect();
            (figures, found)
        };
        print(global, &figures, &found, &mut out)?;
        out.flush()?;
        match found.first() {
            None => Ok(()),
            Some((code, ..)) => {
                let problems = if found.len() == 1 {
                    "problem"
                } else {
                    "problems"
                };
                Err(Failure::Store(
                    Problem::new(code, format!("{} {problems} in `{}`", found.len(), global.store))
                        .help("keep a copy of the store, stop writing to it, and restore a backup elsewhere"),
                ))
            }
        }
    }
}

type Outcome = (Vec<(&'static str, u64)>, Vec<Finding>);

fn scrub(session: &Session) -> Result<Outcome, Failure> {
    let store = session.fleet().store();
    let head = pollster::block_on(store.head()).map_err(crate::store::failed)?;
    let bar = progress::bar("scrubbing", Some(head.0));
    let (mut after, mut events, mut found) = (Position::ZERO, 0, Vec::new());
    while after < head {
        let page = pollster::block_on(store.scrub(after, 10_000)).map_err(crate::store::failed)?;
        events += page.events;
        found.extend(
            page.damage
                .iter()
                .map(|damage| ("store.corrupt".to_owned(), None, damage.to_string())),
        );
        if page.scanned_to <= after {
            break;
        }
        after = page.scanned_to;
        bar.set_position(after.0);
    }
    bar.finish_and_clear();
    Ok((vec![("head", head.0), ("events", events)], found))
}

fn print(
    global: &Global,
    figures: &[(&str, u64)],
    found: &[Finding],
    out: &mut Out,
) -> Result<(), Failure> {
    if global.json {
        let mut report = serde_json::Map::new();
        for (name, value) in figures {
            report.insert((*name).to_owned(), (*value).into());
        }
        let problems: Vec<_> = found
            .iter()
            .map(|(code, position, message)| serde_json::json!({ "code": code, "position": position, "message": message }))
            .collect();
        report.insert("problems".to_owned(), problems.into());
        return out.json(&report);
    }
    let mut table = Table::new(["CHECKED", "COUNT"]);
    for (name, value) in figures {
        table.row([(*name).to_owned(), value.to_string()]);
    }
    table.row(["problems".to_owned(), found.len().to_string()]);
    out.table(&table)?;
    if found.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(["CODE", "POSITION", "PROBLEM"]);
    for (code, position, message) in found {
        table.row([
            code.clone(),
            position.map_or_else(String::new, |position| position.to_string()),
            message.clone(),
        ]);
    }
    out.line("")?;
    out.table(&table)
}
