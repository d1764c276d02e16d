//! `fleet exec`: operations as lines of JSON.

use clap::Args;
use fleet_model::kernel::{Actor, Envelope, Recorded, Timestamp};
use fleet_sdk::{CallError, Caller, Fleet, Service};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::args::Global;
use crate::failure::{Failure, Problem, is_store_failure};
use crate::input::{Line, Lines};
use crate::output::Out;
use crate::session::Session;

const AFTER: &str = "\
One line in, one line out, in order, flushed:
  in   {\"op\":\"CreateThing\",\"params\":{\"thingName\":\"press-7\"},\"id\":1}
  out  {\"id\":1,\"ok\":{…},\"events\":[…]}
  out  {\"id\":1,\"error\":{\"code\":\"thing.not_found\",\"name\":…,\"status\":404,\"message\":…,\"retryable\":false}}
Optional members: `service` (iot, iot-data, iot-jobs-data, iothub, dps; only where two services share a name),
`at` (the instant), `actor`, `id` (any JSON, given back). A bad line is an error line and the run goes on; the
exit status is 0 unless the input (2) or the store (3) fails.

Examples:
  fleet exec script.ndjson
  fleet exec --store memory: --seed 1 script.ndjson     the same output every time
  echo '{\"op\":\"ListThings\"}' | fleet exec
  fleet exec --list | head -1                           an operation, its request and response schema";

/// Run operations from lines of JSON
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Exec {
    /// The script; `-` is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    file: String,
    /// Print every operation with the JSON Schema of its request and response, one a line
    #[arg(long)]
    list: bool,
}

/// A line of input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    op: String,
    #[serde(default)]
    params: Map<String, Value>,
    #[serde(default)]
    service: Option<Service>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    actor: Option<Actor>,
    #[serde(default)]
    id: Value,
}

/// A line of output.
#[derive(Serialize)]
struct Answer {
    id: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<CallError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    events: Option<Vec<Envelope>>,
}

impl Answer {
    fn refused(id: Value, error: CallError) -> Self {
        Self {
            id,
            ok: None,
            error: Some(error),
            events: None,
        }
    }
}

impl Exec {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let mut out = Out::new();
        if self.list {
            return list(&mut out);
        }
        let mut lines = Lines::open(&self.file)?;
        let session = Session::open(global)?;
        let mut failed_store = None;
        let mut first = true;
        while let Some((line, _)) = lines.next_line()? {
            if !std::mem::replace(&mut first, false) {
                session.clock().tick();
            }
            let answer = match read(line) {
                Ok(command) => answer(&session, command, &mut failed_store),
                Err(bad) => Answer::refused(bad.id, bad.error),
            };
            out.json(&answer)?;
            out.flush()?;
        }
        match failed_store {
            Some(problem) => Err(Failure::Store(problem)),
            None => Ok(()),
        }
    }
}

/// A line that is no command: the id to answer to, and what is wrong.
struct Bad {
    id: Value,
    error: CallError,
}

impl Bad {
    fn new(id: Value, error: CallError) -> Box<Self> {
        Box::new(Self { id, error })
    }
}

/// The command of a line, or the id to answer to and what is wrong.
fn read(line: Line) -> Result<Command, Box<Bad>> {
    let refuse = |code: &'static str, message: String| CallError {
        code: code.into(),
        name: "InvalidRequestException".into(),
        status: 400,
        message,
        retryable: false,
        details: None,
    };
    let text = match line {
        Line::Text(text) => text,
        Line::NotUtf8(at) => {
            let message =
                format!("the line is not UTF-8: wrong byte at offset {at}: write it in UTF-8");
            return Err(Bad::new(Value::Null, refuse("exec.not_utf8", message)));
        }
        Line::TooLong => {
            let message = "the line is longer than 16 MiB: split the request".to_owned();
            return Err(Bad::new(Value::Null, refuse("exec.line_too_long", message)));
        }
    };
    let malformed = |error: serde_json::Error| {
        let example = r#"{"op":"ListThings","params":{}}"#;
        refuse(
            "exec.malformed_line",
            format!("not a command: {error}: write `{example}`"),
        )
    };
    serde_json::from_str(&text).map_err(|error| {
        let id = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|mut value| value.get_mut("id").map(Value::take))
            .unwrap_or_default();
        Bad::new(id, malformed(error))
    })
}

fn answer(session: &Session, command: Command, failed_store: &mut Option<Problem>) -> Answer {
    let caller = Caller {
        actor: command.actor.unwrap_or_else(|| session.actor()),
        at: command.at,
        service: command.service,
    };
    let outcome = session.outcome(&command.op, command.params.into(), &caller);
    match outcome.result {
        Ok(response) => {
            let events: Vec<_> = outcome.events.iter().map(Recorded::to_envelope).collect();
            Answer {
                id: command.id,
                ok: Some(response),
                error: None,
                events: Some(events),
            }
        }
        Err(error) => {
            if is_store_failure(&error.code) {
                *failed_store = Some(crate::failure::problem_of(&error));
            }
            Answer::refused(command.id, error)
        }
    }
}

fn list(out: &mut Out) -> Result<(), Failure> {
    for info in Fleet::operations() {
        out.json(&json!({
            "op": info.name,
            "service": info.service.as_str(),
            "summary": info.summary,
            "request": info.request_schema(),
            "response": info.response_schema(),
        }))?;
    }
    out.flush()
}
