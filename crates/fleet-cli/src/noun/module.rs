//! `fleet module`: modules of a device.

use clap::{Args, Subcommand};
use fleet_sdk::Service;
use serde_json::json;

use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
A module has an identity and a twin of its own; its tags are not those of the device.

Examples:
  fleet module create gate-1 camera
  fleet module list gate-1
  fleet twin update gate-1 --module camera --desired fps=5
  fleet module delete gate-1 camera";

/// Manage module identities
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Module {
    #[command(subcommand)]
    pub(crate) action: ModuleAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ModuleAction {
    /// Register a module
    Create { device: String, module: String },
    /// Show an identity
    Show { device: String, module: String },
    /// List the modules of a device
    List { device: String },
    /// Delete a module and its twin
    Delete {
        device: String,
        module: String,
        /// Only if the etag is still this; `*` is any
        #[arg(long, value_name = "ETAG", default_value = "*")]
        if_match: String,
    },
}

impl Action for ModuleAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        let request = match self {
            Self::Create { device, module } => {
                let said = Show::Said(format!("module `{device}/{module}` is registered"));
                let body = json!({ "deviceId": device, "moduleId": module });
                Request::write("CreateOrReplaceModule", said)
                    .with("deviceId", device)
                    .with("moduleId", module)
                    .with("body", body)
            }
            Self::Show { device, module } => Request::read("GetModule", Show::Record)
                .with("deviceId", device)
                .with("moduleId", module),
            Self::List { device } => Request::read(
                "GetModulesOnDevice",
                Show::Rows {
                    member: "items",
                    columns: &[
                        ("MODULE", "moduleId"),
                        ("DEVICE", "deviceId"),
                        ("MANAGED BY", "managedBy"),
                        ("CONNECTION", "connectionState"),
                    ],
                    what: "modules",
                },
            )
            .with("deviceId", device),
            Self::Delete {
                device,
                module,
                if_match,
            } => Request::write(
                "DeleteModule",
                Show::Said(format!("module `{device}/{module}` is deleted")),
            )
            .with("deviceId", device)
            .with("moduleId", module)
            .with("ifMatch", if_match),
        };
        Ok(vec![request.service(Service::IotHub)])
    }
}
