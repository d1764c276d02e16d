//! `fleet events`: the log itself.

use clap::{Args, ValueEnum};
use fleet_model::kernel::{Category, EventType, Position, Recorded, StreamName};
use fleet_store::port::{EventStore, Filter, LogRead, Subscribe};

use crate::args::Global;
use crate::failure::Failure;
use crate::output::{self, Out};

const AFTER: &str = "\
The store is only read, also while another process writes it.
Without `--format` a terminal gets a line per event for the eye, everything else one JSON envelope a line.

Examples:
  fleet events                                    everything that ever happened
  fleet events --from 1000 --limit 20
  fleet events --stream thing-press-7
  fleet events --category twin --type twin.updated --format json
  fleet events --follow                           and what happens next";

/// Read the log
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Events {
    /// From this position on
    #[arg(long, value_name = "POSITION", default_value_t = 1)]
    from: u64,
    /// Only this stream
    #[arg(long, value_name = "STREAM")]
    stream: Option<String>,
    /// Only streams of this category; may be repeated
    #[arg(long, value_name = "CATEGORY")]
    category: Vec<String>,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Vec<String>,
    /// At most so many
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Wait for what happens next
    #[arg(long)]
    follow: bool,
    /// A line per event, or its envelope
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How an event is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
enum Format {
    /// One line for the eye
    Table,
    /// The envelope as JSON
    Json,
}

impl Events {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let filter = self.filter()?;
        let store = crate::store::follow(global)?;
        let mut out = Out::new();
        let format = match self.format {
            _ if global.json => Format::Json,
            Some(format) => format,
            None if out.is_terminal() => Format::Table,
            None => Format::Json,
        };
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut after = Position(self.from.saturating_sub(1));
        while left > 0 {
            let limit = usize::try_from(left.min(1000)).unwrap_or(1000);
            let read = LogRead::after(after).limit(limit).filter(filter.clone());
            let page = pollster::block_on(store.read_all(read)).map_err(crate::store::failed)?;
            for event in &page.events {
                if !self.of_stream(event) {
                    continue;
                }
                show(event, format, &mut out)?;
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            let before = after;
            after = after.max(page.scanned_to);
            if after >= page.head || after == before {
                break;
            }
        }
        out.flush()?;
        if self.follow && left > 0 {
            return self.follow(&*store, after, filter, left, format, &mut out);
        }
        Ok(())
    }

    fn follow(
        &self,
        store: &dyn EventStore,
        after: Position,
        filter: Filter,
        mut left: u64,
        format: Format,
        out: &mut Out,
    ) -> Result<(), Failure> {
        let mut subscription = store.subscribe_all(Subscribe::after(after).filter(filter));
        while left > 0 {
            let Some(next) = pollster::block_on(subscription.next()) else {
                return Ok(());
            };
            let event = next.map_err(crate::store::failed)?;
            if self.of_stream(&event) {
                show(&event, format, out)?;
                out.flush()?;
                left -= 1;
            }
        }
        Ok(())
    }

    /// A prefix is what the store filters by; the whole name is compared here.
    fn of_stream(&self, event: &Recorded) -> bool {
        self.stream
            .as_deref()
            .is_none_or(|stream| event.stream.as_str() == stream)
    }

    fn filter(&self) -> Result<Filter, Failure> {
        let wrong = |error: &dyn std::fmt::Display| Failure::usage("cli.filter", error.to_string());
        let mut filter = Filter::default();
        if let Some(stream) = &self.stream {
            let name: StreamName = stream.parse().map_err(|error| wrong(&error))?;
            filter.stream_prefix = Some(name.as_str().to_owned());
        }
        for category in &self.category {
            let category: Category = category.parse().map_err(|error| wrong(&error))?;
            filter.categories.push(category);
        }
        for event_type in &self.event_type {
            let event_type: EventType = event_type.parse().map_err(|error| wrong(&error))?;
            filter.event_types.push(event_type);
        }
        Ok(filter)
    }
}

fn show(event: &Recorded, format: Format, out: &mut Out) -> Result<(), Failure> {
    let envelope = event.to_envelope();
    if format == Format::Json {
        return out.json(&envelope);
    }
    let head = format!(
        "{:>8}  {}  {:<28} {}@{}  {}  ",
        event.position,
        event.event.occurred_at,
        event.event.event_type,
        event.stream,
        event.version,
        event.event.actor
    );
    let room = out.width().saturating_sub(head.chars().count()).max(20);
    let data = output::printable(&envelope.data.to_string());
    let mut shown: String = data.chars().take(room).collect();
    if shown.len() < data.len() {
        shown.pop();
        shown.push('…');
    }
    out.line(&format!("{head}{shown}"))
}
