//! `fleet tag`: tags on resources by their ARN.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::pairs::{self, Pair};
use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
These are tags on resources (groups, types, billing groups) by ARN; tags of a twin are `fleet twin update --tag`.

Examples:
  fleet tag add arn:aws:iot:us-east-1:123456789012:thinggroup/plant owner=ops
  fleet tag list arn:aws:iot:us-east-1:123456789012:thinggroup/plant
  fleet tag remove arn:aws:iot:us-east-1:123456789012:thinggroup/plant owner";

/// Tag resources
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Tag {
    #[command(subcommand)]
    pub(crate) action: TagAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TagAction {
    /// Set tags on a resource
    Add {
        arn: String,
        #[arg(required = true, value_name = "KEY=VALUE")]
        tags: Vec<Pair>,
    },
    /// Take tags off a resource
    Remove {
        arn: String,
        #[arg(required = true, value_name = "KEY")]
        keys: Vec<String>,
    },
    /// List the tags of a resource
    List { arn: String },
}

impl Action for TagAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        Ok(vec![match self {
            Self::Add { arn, tags } => {
                let list: Vec<Value> = pairs::texts(&tags)?
                    .into_iter()
                    .map(|(key, value)| json!({ "Key": key, "Value": value }))
                    .collect();
                Request::write("TagResource", Show::Said(format!("`{arn}` is tagged")))
                    .with("resourceArn", arn)
                    .with("tags", list)
            }
            Self::Remove { arn, keys } => {
                Request::write("UntagResource", Show::Said(format!("`{arn}` is untagged")))
                    .with("resourceArn", arn)
                    .with("tagKeys", keys)
            }
            Self::List { arn } => Request::read(
                "ListTagsForResource",
                Show::Rows {
                    member: "tags",
                    columns: &[("KEY", "Key"), ("VALUE", "Value")],
                    what: "tags",
                },
            )
            .with("resourceArn", arn)
            .paged(),
        }])
    }
}
