//! `fleet billing-group`: who pays.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
A thing is in at most one billing group; it counts towards no limit and inherits nothing from it.

Examples:
  fleet billing-group create north --description 'Cost centre 17'
  fleet billing-group add north press-7
  fleet billing-group things north";

/// Make billing groups and put things into them
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct BillingGroup {
    #[command(subcommand)]
    pub(crate) action: BillingAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BillingAction {
    /// Make a billing group
    Create {
        /// 1 to 128 of `a-z A-Z 0-9 : _ -`
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Show a billing group
    Show { name: String },
    /// List billing groups
    List {
        /// Whose name starts so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
    },
    /// Change the description; the version rises
    Update {
        name: String,
        #[arg(long, value_name = "TEXT")]
        description: String,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Delete a billing group; its members lose it
    Delete {
        name: String,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Put things into it, out of the one they are in
    Add {
        group: String,
        #[arg(required = true)]
        things: Vec<String>,
    },
    /// Take things out of it
    Remove {
        group: String,
        #[arg(required = true)]
        things: Vec<String>,
    },
    /// List its members
    Things { name: String },
}

fn properties(description: String) -> Value {
    json!({ "billingGroupDescription": description })
}

fn each(op: &'static str, group: &str, things: Vec<String>, said: &str) -> Vec<Request> {
    things
        .into_iter()
        .map(|thing| {
            Request::write(
                op,
                Show::Said(format!("thing `{thing}` is {said} billing group `{group}`")),
            )
            .with("billingGroupName", group)
            .with("thingName", thing)
        })
        .collect()
}

impl Action for BillingAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        Ok(vec![match self {
            Self::Create { name, description } => Request::write(
                "CreateBillingGroup",
                Show::Said(format!("billing group `{name}` is made")),
            )
            .with("billingGroupName", name)
            .maybe("billingGroupProperties", description.map(properties)),
            Self::Show { name } => {
                Request::read("DescribeBillingGroup", Show::Record).with("billingGroupName", name)
            }
            Self::List { prefix } => Request::read(
                "ListBillingGroups",
                Show::Rows {
                    member: "billingGroups",
                    columns: &[("BILLING GROUP", "groupName"), ("ARN", "groupArn")],
                    what: "billing groups",
                },
            )
            .maybe("namePrefixFilter", prefix)
            .with("maxResults", 250)
            .paged(),
            Self::Update {
                name,
                description,
                expect,
            } => Request::write(
                "UpdateBillingGroup",
                Show::Said(format!("billing group `{name}` is updated")),
            )
            .with("billingGroupName", name)
            .with("billingGroupProperties", properties(description))
            .maybe("expectedVersion", expect),
            Self::Delete { name, expect } => Request::write(
                "DeleteBillingGroup",
                Show::Said(format!("billing group `{name}` is deleted")),
            )
            .with("billingGroupName", name)
            .maybe("expectedVersion", expect),
            Self::Add { group, things } => {
                return Ok(each("AddThingToBillingGroup", &group, things, "in"));
            }
            Self::Remove { group, things } => {
                return Ok(each(
                    "RemoveThingFromBillingGroup",
                    &group,
                    things,
                    "not in",
                ));
            }
            Self::Things { name } => Request::read(
                "ListThingsInBillingGroup",
                Show::Rows {
                    member: "things",
                    columns: &[("THING", "")],
                    what: "members",
                },
            )
            .with("billingGroupName", name)
            .with("maxResults", 250)
            .paged(),
        }])
    }
}
