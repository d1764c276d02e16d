//! `fleet type`: thing types.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{Action, Request};
use crate::failure::Failure;
use crate::show::Show;

const AFTER: &str = "\
A type lets a thing carry 50 attributes instead of 3. It is deleted 5 minutes after it was deprecated.

Examples:
  fleet type create press --description 'Hydraulic press' --searchable site
  fleet thing update press-7 --type press
  fleet type deprecate press
  fleet type delete press";

/// Make, deprecate and list thing types
#[derive(Args, Debug)]
#[command(after_help = AFTER, arg_required_else_help = true)]
pub(crate) struct ThingType {
    #[command(subcommand)]
    pub(crate) action: TypeAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TypeAction {
    /// Make a type
    Create {
        /// 1 to 128 of `a-z A-Z 0-9 : _ -`
        name: String,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        /// An attribute that things of this type are found by; at most 3
        #[arg(long, value_name = "ATTRIBUTE")]
        searchable: Vec<String>,
    },
    /// Show a type
    Show { name: String },
    /// List types
    List {
        /// Whose name starts so
        #[arg(long, value_name = "TEXT")]
        prefix: Option<String>,
    },
    /// Change a type's description
    Update {
        name: String,
        #[arg(long, value_name = "TEXT")]
        description: String,
    },
    /// Let no further thing take this type
    Deprecate { name: String },
    /// Take the deprecation back
    Undeprecate { name: String },
    /// Delete a type that was deprecated 5 minutes ago and that no thing has
    Delete { name: String },
}

fn properties(description: Option<String>, searchable: Vec<String>) -> Option<Value> {
    let mut properties = Map::new();
    if let Some(description) = description {
        properties.insert("thingTypeDescription".into(), description.into());
    }
    if !searchable.is_empty() {
        properties.insert("searchableAttributes".into(), json!(searchable));
    }
    (!properties.is_empty()).then_some(Value::Object(properties))
}

impl Action for TypeAction {
    fn requests(self) -> Result<Vec<Request>, Failure> {
        Ok(vec![match self {
            Self::Create {
                name,
                description,
                searchable,
            } => Request::write(
                "CreateThingType",
                Show::Said(format!("type `{name}` is made")),
            )
            .with("thingTypeName", name)
            .maybe("thingTypeProperties", properties(description, searchable)),
            Self::Show { name } => {
                Request::read("DescribeThingType", Show::Record).with("thingTypeName", name)
            }
            Self::List { prefix } => Request::read(
                "ListThingTypes",
                Show::Rows {
                    member: "thingTypes",
                    columns: &[
                        ("TYPE", "thingTypeName"),
                        ("DEPRECATED", "thingTypeMetadata.deprecated"),
                        ("SEARCHABLE", "thingTypeProperties.searchableAttributes"),
                        ("DESCRIPTION", "thingTypeProperties.thingTypeDescription"),
                    ],
                    what: "types",
                },
            )
            .maybe("thingTypeName", prefix)
            .with("maxResults", 250)
            .paged(),
            Self::Update { name, description } => Request::write(
                "UpdateThingType",
                Show::Said(format!("type `{name}` is updated")),
            )
            .with("thingTypeName", name)
            .maybe(
                "thingTypeProperties",
                properties(Some(description), Vec::new()),
            ),
            Self::Deprecate { name } => Request::write(
                "DeprecateThingType",
                Show::Said(format!("type `{name}` is deprecated")),
            )
            .with("thingTypeName", name),
            Self::Undeprecate { name } => Request::write(
                "DeprecateThingType",
                Show::Said(format!("type `{name}` is not deprecated")),
            )
            .with("thingTypeName", name)
            .with("undoDeprecate", true),
            Self::Delete { name } => Request::write(
                "DeleteThingType",
                Show::Said(format!("type `{name}` is deleted")),
            )
            .with("thingTypeName", name),
        }])
    }
}
