//! `fleet group`: static and dynamic thing groups.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::pairs::{self, Pair};
use super::thing::attribute_payload;
use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
Groups form trees of at most 7 levels. A thing is in at most 10 groups, and in at most one of each tree.
It inherits the attributes of its groups and of their ancestors; its own win, then the deeper group's.

Examples:
  fleet group create plant --attr country=DE
  fleet group create line-1 --parent plant --attr shift=early
  fleet group add line-1 press-7 press-8
  fleet group things plant --recursive
  fleet group create hot --query 'shadow.reported.temperature > 80'    a dynamic group";

/// Make groups, put things into them, list them
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Group {
    #[command(subcommand)]
    pub(crate) action: GroupAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GroupAction {
    /// Make a group; repeating it with the same content changes nothing
    Create {
        /// 1 to 128 of `a-z A-Z 0-9 : _ -`
        name: String,
        /// The group above it, for ever
        #[arg(long, value_name = "GROUP", conflicts_with = "query")]
        parent: Option<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// An attribute that members inherit; may be repeated
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attributes: Vec<Pair>,
        /// Make it dynamic: its members are what this query (AWS index language) finds
        #[arg(long, value_name = "QUERY")]
        query: Option<String>,
    },
    /// Show a group
    Show { name: String },
    /// List groups
    List {
        /// Below this group
        #[arg(long, value_name = "GROUP")]
        parent: Option<String>,
        /// Whose name starts so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
        /// Only the next level: root groups, or direct children
        #[arg(long)]
        direct: bool,
    },
    /// Change description, attributes or query; the version rises
    Update {
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// An attribute to set, or to remove with an empty value; may be repeated
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attributes: Vec<Pair>,
        /// Replace all attributes by those given, instead of merging
        #[arg(long)]
        replace: bool,
        /// The new query of a dynamic group
        #[arg(long, value_name = "QUERY")]
        query: Option<String>,
        /// The group is dynamic (implied by `--query`)
        #[arg(long)]
        dynamic: bool,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Delete a group without children; its memberships end
    Delete {
        name: String,
        /// The group is dynamic
        #[arg(long)]
        dynamic: bool,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Put things into a group
    Add {
        group: String,
        #[arg(required = true)]
        things: Vec<String>,
        /// Where a thing has 10 groups: push it out of its newest dynamic one
        #[arg(long)]
        override_dynamic: bool,
    },
    /// Take things out of a group
    Remove {
        group: String,
        #[arg(required = true)]
        things: Vec<String>,
    },
    /// List the members of a group
    Things {
        name: String,
        /// Also those of the groups below it
        #[arg(long)]
        recursive: bool,
    },
}

fn properties(description: Option<String>, attributes: Option<Value>) -> Option<Value> {
    let mut properties = Map::new();
    if let Some(description) = description {
        properties.insert("thingGroupDescription".into(), description.into());
    }
    if let Some(attributes) = attributes {
        properties.insert("attributePayload".into(), attributes);
    }
    (!properties.is_empty()).then_some(Value::Object(properties))
}

impl Action for GroupAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        let one = match self {
            Self::Create {
                name,
                parent,
                description,
                attributes,
                query,
            } => {
                let attributes = pairs::texts(&attributes)?;
                let payload = (!attributes.is_empty()).then(|| json!({ "attributes": attributes }));
                let op = if query.is_some() {
                    "CreateDynamicThingGroup"
                } else {
                    "CreateThingGroup"
                };
                Request::write(op, Show::Said(format!("group `{name}` is made")))
                    .with("thingGroupName", name)
                    .maybe("parentGroupName", parent)
                    .maybe("thingGroupProperties", properties(description, payload))
                    .maybe("queryString", query)
            }
            Self::Show { name } => Request::read("DescribeThingGroup", Show::WithAttributes)
                .with("thingGroupName", name),
            Self::List {
                parent,
                prefix,
                direct,
            } => Request::read(
                "ListThingGroups",
                Show::Rows {
                    member: "thingGroups",
                    columns: &[("GROUP", "groupName"), ("ARN", "groupArn")],
                    what: "groups",
                },
            )
            .maybe("parentGroup", parent)
            .maybe("namePrefixFilter", prefix)
            .with("recursive", !direct)
            .with("maxResults", 250)
            .paged(),
            Self::Update {
                name,
                description,
                attributes,
                replace,
                query,
                dynamic,
                expect,
            } => {
                let payload = (replace || !attributes.is_empty())
                    .then(|| attribute_payload(&attributes, replace))
                    .transpose()?;
                let op = if dynamic || query.is_some() {
                    "UpdateDynamicThingGroup"
                } else {
                    "UpdateThingGroup"
                };
                Request::write(op, Show::Said(format!("group `{name}` is updated")))
                    .with("thingGroupName", name)
                    .with(
                        "thingGroupProperties",
                        properties(description, payload).unwrap_or_else(|| json!({})),
                    )
                    .maybe("queryString", query)
                    .maybe("expectedVersion", expect)
            }
            Self::Delete {
                name,
                dynamic,
                expect,
            } => {
                let op = if dynamic {
                    "DeleteDynamicThingGroup"
                } else {
                    "DeleteThingGroup"
                };
                Request::write(op, Show::Said(format!("group `{name}` is deleted")))
                    .with("thingGroupName", name)
                    .maybe("expectedVersion", expect)
            }
            Self::Add {
                group,
                things,
                override_dynamic,
            } => {
                return Ok(things
                    .into_iter()
                    .map(|thing| {
                        let said = Show::Said(format!("thing `{thing}` is in group `{group}`"));
                        Request::write("AddThingToThingGroup", said)
                            .with("thingGroupName", group.clone())
                            .with("thingName", thing)
                            .flag("overrideDynamicGroups", override_dynamic)
                    })
                    .collect());
            }
            Self::Remove { group, things } => {
                return Ok(things
                    .into_iter()
                    .map(|thing| {
                        let said = Show::Said(format!("thing `{thing}` is not in group `{group}`"));
                        Request::write("RemoveThingFromThingGroup", said)
                            .with("thingGroupName", group.clone())
                            .with("thingName", thing)
                    })
                    .collect());
            }
            Self::Things { name, recursive } => Request::read(
                "ListThingsInThingGroup",
                Show::Rows {
                    member: "things",
                    columns: &[("THING", "")],
                    what: "members",
                },
            )
            .with("thingGroupName", name)
            .with("recursive", recursive)
            .with("maxResults", 250)
            .paged(),
        };
        Ok(vec![one])
    }
}
