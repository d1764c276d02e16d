//! `fleet thing`: what is registered.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::pairs::{self, Pair};
use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
A thing has at most 3 attributes, or 50 when it has a type; it inherits those of its groups.

Examples:
  fleet thing create press-7 --attr site=b2 --attr rev=3
  fleet thing show press-7                      its record, and where each attribute comes from
  fleet thing update press-7 --attr rev=4 --attr site=    an empty value removes
  fleet thing list --attr site=b2 --json
  fleet thing delete press-7";

/// Register, change and list things
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct Thing {
    #[command(subcommand)]
    pub(crate) action: ThingAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ThingAction {
    /// Register a thing; repeating it with the same content changes nothing
    Create {
        /// 1 to 128 of `a-z A-Z 0-9 : _ -`
        name: String,
        /// Its type
        #[arg(long = "type", value_name = "TYPE")]
        thing_type: Option<String>,
        /// An attribute; may be repeated
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attributes: Vec<Pair>,
        /// Its billing group
        #[arg(long, value_name = "GROUP")]
        billing_group: Option<String>,
    },
    /// Show a thing with its effective attributes and where each comes from
    Show { name: String },
    /// List things, by name
    List {
        /// Only those with this attribute value
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attribute: Option<Pair>,
        /// Take the attribute's value as a prefix
        #[arg(long, requires = "attribute")]
        prefix: bool,
        /// Only those of this type
        #[arg(long = "type", value_name = "TYPE")]
        thing_type: Option<String>,
    },
    /// Change attributes or type; the version rises
    Update {
        name: String,
        /// An attribute to set, or to remove with an empty value; may be repeated
        #[arg(long = "attr", value_name = "NAME=VALUE")]
        attributes: Vec<Pair>,
        /// Replace all attributes by those given, instead of merging
        #[arg(long)]
        replace: bool,
        /// Its new type
        #[arg(long = "type", value_name = "TYPE", conflicts_with = "remove_type")]
        thing_type: Option<String>,
        /// Take its type away
        #[arg(long)]
        remove_type: bool,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// Delete a thing, its memberships and its twin; one that is not there is no error
    Delete {
        name: String,
        /// Only if the version is still this
        #[arg(long, value_name = "VERSION")]
        expect: Option<u64>,
    },
    /// List the groups it is a direct member of
    Groups { name: String },
    /// List the certificates attached to it
    Principals { name: String },
}

impl Action for ThingAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        Ok(vec![match self {
            Self::Create {
                name,
                thing_type,
                attributes,
                billing_group,
            } => {
                let attributes = pairs::texts(&attributes)?;
                let payload = (!attributes.is_empty()).then(|| json!({ "attributes": attributes }));
                Request::write(
                    "CreateThing",
                    Show::Said(format!("thing `{name}` is registered")),
                )
                .with("thingName", name)
                .maybe("thingTypeName", thing_type)
                .maybe("attributePayload", payload)
                .maybe("billingGroupName", billing_group)
            }
            Self::Show { name } => {
                Request::read("DescribeThing", Show::WithAttributes).with("thingName", name)
            }
            Self::List {
                attribute,
                prefix,
                thing_type,
            } => {
                let (attribute, value) =
                    attribute.map_or((None, None), |pair| (Some(pair.name), Some(pair.value)));
                Request::read(
                    "ListThings",
                    Show::Rows {
                        member: "things",
                        columns: &[
                            ("THING", "thingName"),
                            ("TYPE", "thingTypeName"),
                            ("VERSION", "version"),
                            ("ATTRIBUTES", "attributes"),
                        ],
                        what: "things",
                    },
                )
                .maybe("attributeName", attribute)
                .maybe("attributeValue", value)
                .flag("usePrefixAttributeValue", prefix)
                .maybe("thingTypeName", thing_type)
                .with("maxResults", 250)
                .paged()
            }
            Self::Update {
                name,
                attributes,
                replace,
                thing_type,
                remove_type,
                expect,
            } => {
                let payload = (replace || !attributes.is_empty())
                    .then(|| attribute_payload(&attributes, replace))
                    .transpose()?;
                Request::write(
                    "UpdateThing",
                    Show::Said(format!("thing `{name}` is updated")),
                )
                .with("thingName", name)
                .maybe("attributePayload", payload)
                .maybe("thingTypeName", thing_type)
                .flag("removeThingType", remove_type)
                .maybe("expectedVersion", expect)
            }
            Self::Delete { name, expect } => Request::write(
                "DeleteThing",
                Show::Said(format!("thing `{name}` is deleted")),
            )
            .with("thingName", name)
            .maybe("expectedVersion", expect),
            Self::Groups { name } => Request::read(
                "ListThingGroupsForThing",
                Show::Rows {
                    member: "thingGroups",
                    columns: &[("GROUP", "groupName"), ("ARN", "groupArn")],
                    what: "groups",
                },
            )
            .with("thingName", name)
            .with("maxResults", 250)
            .paged(),
            Self::Principals { name } => Request::read(
                "ListThingPrincipals",
                Show::Rows {
                    member: "principals",
                    columns: &[("PRINCIPAL", "")],
                    what: "principals",
                },
            )
            .with("thingName", name)
            .with("maxResults", 250)
            .paged(),
        }])
    }
}

/// The `attributePayload` of an update.
pub(crate) fn attribute_payload(attributes: &[Pair], replace: bool) -> Result<Value, Failure> {
    Ok(json!({ "attributes": pairs::texts(attributes)?, "merge": !replace }))
}
