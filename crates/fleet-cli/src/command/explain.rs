//! `fleet explain`: why a document meets a condition, or does not.

use clap::Args;
use fleet_query::explain::{Explanation, explain};
use fleet_query::{Collection, Dialect, Document, Mode};
use fleet_sdk::Service;
use serde_json::{Value, json};

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::language::{self, Language, Routing};
use crate::output::Out;
use crate::session::Session;

const AFTER: &str = "\
Prints the condition as a tree: the truth value of each node, what each leaf saw, and, where it does not hold, the fewest
leaves that would have to change.

Examples:
  fleet explain --dialect target --device press-7 \"tags.region = 'eu' AND tags.floor > 3\"
  fleet explain --dialect aws --document thing.json 'attributes.site:b2 OR NOT connectivity.connected:true'";

/// Explain why a condition holds of a document, or does not
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Explain {
    #[command(flatten)]
    language: Language,
    #[command(flatten)]
    routing: Routing,
    /// The document: a JSON file, or `-`
    #[arg(
        long,
        value_name = "FILE",
        required_unless_present = "device",
        conflicts_with = "device"
    )]
    document: Option<String>,
    /// The device of the store whose document is meant
    #[arg(long, value_name = "DEVICE")]
    device: Option<String>,
    /// The condition
    condition: String,
}

impl Explain {
    pub(crate) fn run(&self, global: &Global) -> Result<(), Failure> {
        let text = language::text(&self.condition)?;
        let query = language::condition(&text, self.language.dialect, self.language.mode())
            .map_err(|found| language::refused(&found, &text))?;
        let query = self.routing.read(query);
        let document = match (&self.document, &self.device) {
            (Some(file), _) => super::r#match::read(file, query.collection())?,
            (None, Some(device)) if query.collection() == Collection::Devices => {
                of_store(global, device)?
            }
            _ => {
                return Err(Failure::Usage(
                    Problem::new("cli.explain", "a device is no document of this dialect")
                        .help("name the document with `--document FILE`"),
                ));
            }
        };
        let told = explain(query.condition(), Document::new(&document));
        let mut out = Out::new();
        if global.json {
            out.json(&told)?;
        } else {
            out.line(crate::output::printable(&told.to_string()).trim_end())?;
        }
        out.flush()
    }
}

/// The canonical document of a device of the store.
fn of_store(global: &Global, device: &str) -> Result<Value, Failure> {
    global.store.must_exist()?;
    let session = Session::open(global)?;
    document(&session, device)
}

/// The document of a device as queries see it.
pub(crate) fn document(session: &Session, device: &str) -> Result<Value, Failure> {
    // Names the device where it is not there.
    session.call_json(
        "GetTwin",
        json!({ "deviceId": device }),
        Some(Service::IotHub),
    )?;
    pollster::block_on(session.fleet().document(device))?
        .ok_or_else(|| Failure::usage("cli.explain", format!("`{device}` has no document")))
}

/// Why a condition of a dialect holds of a document.
pub(crate) fn tell(
    condition: &str,
    dialect: Dialect,
    document: &Value,
) -> Result<Explanation, Failure> {
    let query = language::condition(condition, dialect, Mode::Lenient)
        .map_err(|found| language::refused(&found, condition))?;
    Ok(explain(query.condition(), Document::new(document)))
}
