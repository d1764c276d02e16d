//! `fleet shadow`: classic and named shadows, as AWS IoT shows them.

use clap::{Args, Subcommand};
use fleet_sdk::Service;
use serde_json::{Map, Value, json};

use super::pairs::{self, Pair};
use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
The classic shadow (without `--name`) is the device twin through the other protocol.

Examples:
  fleet shadow update press-7 --desired valve=60
  fleet shadow update press-7 --reported valve=0
  fleet shadow show press-7                    state, delta and metadata
  fleet shadow update press-7 --name config --desired mode=eco
  fleet shadow list press-7";

/// Read and change shadows
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Shadow {
    #[command(subcommand)]
    pub(crate) action: ShadowAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ShadowAction {
    /// Show a shadow
    Show {
        thing: String,
        /// The shadow of this name
        #[arg(long)]
        name: Option<String>,
    },
    /// Change desired or reported state (null removes)
    Update {
        thing: String,
        #[command(flatten)]
        change: Change,
        /// The shadow of this name
        #[arg(long)]
        name: Option<String>,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Clear a shadow
    Delete {
        thing: String,
        /// The shadow of this name
        #[arg(long)]
        name: Option<String>,
    },
    /// List the named shadows of a thing
    List { thing: String },
}

/// What an update changes.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Change {
    /// A desired value by its path; JSON is taken as JSON, the rest as text
    #[arg(long, value_name = "PATH=VALUE")]
    desired: Vec<Pair>,
    /// A reported value by its path
    #[arg(long, value_name = "PATH=VALUE")]
    reported: Vec<Pair>,
    /// The whole request document: JSON, `@FILE`, or `-`
    #[arg(long, value_name = "JSON", conflicts_with_all = ["desired", "reported"])]
    payload: Option<String>,
}

impl Change {
    fn payload(&self, expect: Option<u64>) -> Result<Value, Failure> {
        let mut payload = match &self.payload {
            Some(text) => pairs::json_argument(text)?,
            None => {
                let mut state = Map::new();
                for (section, pairs) in [("desired", &self.desired), ("reported", &self.reported)] {
                    if !pairs.is_empty() {
                        state.insert(section.into(), pairs::document(pairs)?);
                    }
                }
                json!({ "state": state })
            }
        };
        if let (Some(version), Some(members)) = (expect, payload.as_object_mut()) {
            members.insert("version".into(), version.into());
        }
        Ok(payload)
    }
}

impl Action for ShadowAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        let request = match self {
            Self::Show { thing, name } => {
                Request::read("GetThingShadow", Show::Document("payload"))
                    .with("thingName", thing)
                    .maybe("shadowName", name)
            }
            Self::Update {
                thing,
                change,
                name,
                expect,
            } => Request::write(
                "UpdateThingShadow",
                Show::Said(format!("shadow of `{thing}` is updated")),
            )
            .with("thingName", thing)
            .maybe("shadowName", name)
            .with("payload", change.payload(expect)?),
            Self::Delete { thing, name } => Request::write(
                "DeleteThingShadow",
                Show::Said(format!("shadow of `{thing}` is cleared")),
            )
            .with("thingName", thing)
            .maybe("shadowName", name),
            Self::List { thing } => Request::read(
                "ListNamedShadowsForThing",
                Show::Rows {
                    member: "results",
                    columns: &[("SHADOW", "")],
                    what: "named shadows",
                },
            )
            .with("thingName", thing)
            .with("pageSize", 100)
            .paged(),
        };
        Ok(vec![request.service(Service::IotData)])
    }
}
