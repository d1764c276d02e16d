//! `fleet device`: identities as IoT Hub shows them.

use clap::{Args, Subcommand, ValueEnum};
use fleet_sdk::Service;
use serde_json::{Map, Value, json};

use super::pairs;
use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
A device and a thing of one name are one record with two faces; a device id may hold more characters.
Keys are kept as handles; no key is ever printed.

Examples:
  fleet device create press-7
  fleet device create gate-1 --edge
  fleet device update press-7 --status disabled --reason 'in repair'
  fleet device list
  fleet device delete press-7";

/// Manage device identities
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Device {
    #[command(subcommand)]
    pub(crate) action: DeviceAction,
}

/// Whether a device may talk.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Status {
    /// It may connect
    Enabled,
    /// Every device-facing door is closed
    Disabled,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// What an identity holds.
#[derive(Args, Debug)]
pub(crate) struct Identity {
    /// Whether it may talk
    #[arg(long, value_enum)]
    status: Option<Status>,
    /// Why it has this status
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// It is an edge device and may have children
    #[arg(long)]
    edge: bool,
    /// The scope of its parent
    #[arg(long, value_name = "SCOPE")]
    parent_scope: Option<String>,
    /// The whole identity: JSON, `@FILE`, or `-`
    #[arg(long, value_name = "JSON", conflicts_with_all = ["status", "reason", "edge", "parent_scope"])]
    body: Option<String>,
}

impl Identity {
    fn body(&self, device: &str) -> Result<Value, Failure> {
        if let Some(body) = &self.body {
            return pairs::json_argument(body);
        }
        let mut body = Map::new();
        body.insert("deviceId".into(), device.into());
        if let Some(status) = self.status {
            body.insert("status".into(), status.as_str().into());
        }
        if let Some(reason) = &self.reason {
            body.insert("statusReason".into(), reason.as_str().into());
        }
        if self.edge {
            body.insert("capabilities".into(), json!({ "iotEdge": true }));
        }
        if let Some(scope) = &self.parent_scope {
            if self.edge {
                body.insert("parentScopes".into(), json!([scope]));
            } else {
                body.insert("deviceScope".into(), scope.as_str().into());
            }
        }
        Ok(body.into())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeviceAction {
    /// Register a device
    Create {
        device: String,
        #[command(flatten)]
        identity: Identity,
    },
    /// Show an identity
    Show { device: String },
    /// List identities
    List,
    /// Replace an identity
    Update {
        device: String,
        #[command(flatten)]
        identity: Identity,
        /// Only if the etag is still this; `*` is any
        #[arg(long, value_name = "ETAG", default_value = "*")]
        if_match: String,
    },
    /// Delete a device, its twin and its modules
    Delete {
        device: String,
        /// Only if the etag is still this; `*` is any
        #[arg(long, value_name = "ETAG", default_value = "*")]
        if_match: String,
    },
}

impl Action for DeviceAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        let request = match self {
            Self::Create { device, identity } => {
                let body = identity.body(&device)?;
                Request::write(
                    "CreateOrReplaceDevice",
                    Show::Said(format!("device `{device}` is registered")),
                )
                .with("deviceId", device)
                .with("body", body)
            }
            Self::Show { device } => {
                Request::read("GetDevice", Show::Record).with("deviceId", device)
            }
            Self::List => Request::read(
                "GetDevices",
                Show::Rows {
                    member: "items",
                    columns: &[
                        ("DEVICE", "deviceId"),
                        ("STATUS", "status"),
                        ("CONNECTION", "connectionState"),
                        ("AUTHENTICATION", "authentication.type"),
                        ("ETAG", "etag"),
                    ],
                    what: "devices",
                },
            ),
            Self::Update {
                device,
                identity,
                if_match,
            } => {
                let body = identity.body(&device)?;
                Request::write(
                    "CreateOrReplaceDevice",
                    Show::Said(format!("device `{device}` is updated")),
                )
                .with("deviceId", device)
                .with("ifMatch", if_match)
                .with("body", body)
            }
            Self::Delete { device, if_match } => Request::write(
                "DeleteDevice",
                Show::Said(format!("device `{device}` is deleted")),
            )
            .with("deviceId", device)
            .with("ifMatch", if_match),
        };
        Ok(vec![request.service(Service::IotHub)])
    }
}
