//! `fleet twin`: the device twin as IoT Hub shows it.

use clap::{Args, Subcommand};
use fleet_sdk::Service;
use serde_json::{Map, Value, json};

use super::pairs::{self, Pair};
use super::{Action, Request};
use crate::failure::{Failure, Problem};
use crate::show::Show;

const AFTER: &str = "\
A device has one twin. The shadow (`fleet shadow`) is the same document through the other protocol.

Examples:
  fleet twin show press-7
  fleet twin update press-7 --tag site=b2 --desired interval=60 --desired wifi.ssid=hall
  fleet twin update press-7 --desired interval=null               null removes
  fleet twin update press-7 --body '{\"tags\":{\"site\":\"b3\"}}' --if-match AAAAAAAAAAE=
  fleet twin replace press-7 --body @twin.json";

/// Read and change device twins
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Twin {
    #[command(subcommand)]
    pub(crate) action: TwinAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TwinAction {
    /// Show a twin
    Show {
        device: String,
        /// The twin of this module
        #[arg(long, value_name = "MODULE")]
        module: Option<String>,
    },
    /// Merge a patch into a twin (RFC 7396: null removes)
    Update {
        device: String,
        #[command(flatten)]
        patch: Patch,
        /// The twin of this module
        #[arg(long, value_name = "MODULE")]
        module: Option<String>,
        /// Only if the twin's etag is still this
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
    /// Replace a twin's tags and desired properties
    Replace {
        device: String,
        /// The new twin: JSON, `@FILE`, or `-`
        #[arg(long, value_name = "JSON")]
        body: String,
        /// The twin of this module
        #[arg(long, value_name = "MODULE")]
        module: Option<String>,
        /// Only if the twin's etag is still this
        #[arg(long, value_name = "ETAG")]
        if_match: Option<String>,
    },
}

/// What an update changes.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(crate) struct Patch {
    /// A tag by its path; JSON is taken as JSON, the rest as text
    #[arg(long = "tag", value_name = "PATH=VALUE")]
    tags: Vec<Pair>,
    /// A desired property by its path
    #[arg(long, value_name = "PATH=VALUE")]
    desired: Vec<Pair>,
    /// A reported property by its path, as the device would report it
    #[arg(long, value_name = "PATH=VALUE")]
    reported: Vec<Pair>,
    /// The whole patch: JSON, `@FILE`, or `-`
    #[arg(long, value_name = "JSON", conflicts_with_all = ["tags", "desired", "reported"])]
    body: Option<String>,
}

impl Patch {
    /// What the back end changes: tags and desired properties.
    fn body(&self) -> Result<Option<Value>, Failure> {
        if let Some(body) = &self.body {
            return object(pairs::json_argument(body)?).map(Some);
        }
        if self.tags.is_empty() && self.desired.is_empty() {
            return Ok(None);
        }
        let mut patch = Map::new();
        let mut properties = Map::new();
        if !self.tags.is_empty() {
            patch.insert("tags".into(), pairs::document(&self.tags)?);
        }
        if !self.desired.is_empty() {
            properties.insert("desired".into(), pairs::document(&self.desired)?);
        }
        if !properties.is_empty() {
            patch.insert("properties".into(), properties.into());
        }
        Ok(Some(patch.into()))
    }

    /// What the device reports.
    fn reported(&self) -> Result<Option<Value>, Failure> {
        if self.reported.is_empty() {
            return Ok(None);
        }
        pairs::document(&self.reported).map(Some)
    }
}

fn object(value: Value) -> Result<Value, Failure> {
    if value.is_object() {
        return Ok(value);
    }
    Err(Failure::Usage(
        Problem::new("cli.not_an_object", "the body is not a JSON object")
            .help(format!("for example {}", json!({"tags": {"site": "b2"}}))),
    ))
}

impl Action for TwinAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        let one = match self {
            Self::Show { device, module } => Request::read("GetTwin", Show::Document(""))
                .with("deviceId", device)
                .maybe("moduleId", module),
            Self::Update {
                device,
                patch,
                module,
                if_match,
            } => {
                let (body, reported) = (patch.body()?, patch.reported()?);
                let request = |op, said: &str, body: Value| {
                    Request::write(op, Show::Said(format!("{said} of `{device}`")))
                        .service(Service::IotHub)
                        .with("deviceId", device.clone())
                        .maybe("moduleId", module.clone())
                        .with("body", body)
                };
                let update = body.map(|body| {
                    request("UpdateTwin", "updated the twin", body).maybe("ifMatch", if_match)
                });
                let report = reported
                    .map(|body| request("UpdateReportedProperties", "took the report", body));
                return Ok(update.into_iter().chain(report).collect());
            }
            Self::Replace {
                device,
                body,
                module,
                if_match,
            } => Request::write(
                "ReplaceTwin",
                Show::Said(format!("twin of `{device}` is replaced")),
            )
            .with("deviceId", device)
            .maybe("moduleId", module)
            .maybe("ifMatch", if_match)
            .with("body", object(pairs::json_argument(&body)?)?),
        };
        Ok(vec![one.service(Service::IotHub)])
    }
}
