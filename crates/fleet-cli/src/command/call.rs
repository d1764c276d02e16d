//! `fleet call`: one operation by its name.

use clap::Args;
use fleet_sdk::operation::OperationInfo;
use fleet_sdk::{Fleet, Service};
use serde_json::{Map, Value};

use crate::args::Global;
use crate::failure::{Failure, Problem};
use crate::noun::pairs::{self, Pair};
use crate::output::Out;
use crate::session::Session;
use crate::show::Show;
use crate::table::{Table, at};

const AFTER: &str = "\
A value is text where the operation's schema wants text; elsewhere JSON is taken as JSON and everything else as text.
`a.b=1` sets a member of a member. `--params` gives the whole request as JSON, and pairs are added to it.

Examples:
  fleet call                                        every operation, a line each
  fleet call CreateDynamicThingGroup --describe     what it takes
  fleet call CreateDynamicThingGroup thingGroupName=low queryString='attributes.rev<3'
  fleet call UpdateTwin deviceId=press-7 body.tags.site=b2
  fleet call BulkRegistry --params @devices.json --json";

/// Run any operation by its name
#[derive(Args, Debug)]
#[command(after_help = AFTER)]
pub(crate) struct Call {
    /// The operation; without it all are listed
    operation: Option<String>,
    /// Members of the request
    #[arg(value_name = "MEMBER=VALUE")]
    members: Vec<Pair>,
    /// The request as JSON: the text itself, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// The service, where two have an operation of this name: iot, iot-data, iothub, dps
    #[arg(long, value_parser = service)]
    service: Option<Service>,
    /// Say what the operation takes instead of running it
    #[arg(long)]
    describe: bool,
}

fn service(text: &str) -> Result<Service, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

impl Call {
    pub(crate) fn run(self, global: &Global) -> Result<(), Failure> {
        let mut out = Out::new();
        let Some(name) = &self.operation else {
            list(global, &mut out)?;
            return out.flush();
        };
        let info = Fleet::operations()
            .iter()
            .find(|info| info.name == name && self.service.is_none_or(|of| of == info.service));
        if self.describe {
            let Some(info) = info else {
                return Err(Failure::Usage(
                    Problem::new(
                        "request.unknown_operation",
                        format!("there is no operation `{name}`"),
                    )
                    .help("`fleet call` lists them"),
                ));
            };
            describe(info, global, &mut out)?;
            return out.flush();
        }
        let session = Session::open(global)?;
        let answer = session.call_json(name, self.request(info)?, self.service)?;
        if global.json {
            out.json(&answer)?;
        } else if answer.as_object().is_some_and(Map::is_empty) {
            out.line("done")?;
        } else {
            let nested = |value: &Value| value.is_array() || value.is_object();
            let deep = answer
                .as_object()
                .is_none_or(|all| all.values().any(nested));
            let show = if deep {
                Show::Document("")
            } else {
                Show::Record
            };
            show.print(&answer, &mut out)?;
        }
        out.flush()
    }

    /// The request: `--params`, with the pairs in it.
    fn request(&self, info: Option<&OperationInfo>) -> Result<Value, Failure> {
        let schema = info.map(|info| info.request_schema().to_value());
        let is_text = |path: &str| {
            schema
                .as_ref()
                .is_some_and(|schema| takes_text(schema, path))
        };
        let given = pairs::document_of(&self.members, is_text)?;
        let Some(params) = &self.params else {
            return Ok(given);
        };
        let mut params = pairs::json_argument(params)?;
        match (params.as_object_mut(), given) {
            (Some(members), Value::Object(given)) => members.extend(given),
            _ => {
                return Err(Failure::usage(
                    "cli.not_an_object",
                    "a request is a JSON object",
                ));
            }
        }
        Ok(params)
    }
}

/// What a part of a schema refers to, and of several choices the one that is not null.
fn resolved<'s>(root: &'s Value, mut schema: &'s Value) -> &'s Value {
    // A reference to a reference is as deep as schemas of members go.
    for _ in 0..4 {
        let choice = schema.get("anyOf").and_then(Value::as_array);
        let choice = choice.and_then(|all| all.iter().find(|one| one.get("$ref").is_some()));
        let target = choice.unwrap_or(schema).get("$ref").and_then(Value::as_str);
        match target.and_then(|target| root.pointer(target.trim_start_matches('#'))) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}

/// Whether the member at a dotted path of a request is text.
fn takes_text(root: &Value, path: &str) -> bool {
    let mut schema = root;
    for name in path.split('.') {
        let here = resolved(root, schema);
        let member = here.get("properties").and_then(|all| all.get(name));
        match member.or_else(|| here.get("additionalProperties")) {
            Some(next) => schema = next,
            None => return false,
        }
    }
    match resolved(root, schema).get("type") {
        Some(Value::String(one)) => one == "string",
        Some(Value::Array(several)) => several.iter().any(|one| one == "string"),
        _ => false,
    }
}

/// Every operation, a line each.
fn list(global: &Global, out: &mut Out) -> Result<(), Failure> {
    let mut table = Table::new(["OPERATION", "SERVICE", "WHAT IT DOES"]);
    for info in Fleet::operations() {
        if global.json {
            out.json(&serde_json::json!({
                "op": info.name, "service": info.service.as_str(), "summary": info.summary,
            }))?;
        } else {
            table.row([info.name, info.service.as_str(), info.summary]);
        }
    }
    if global.json {
        return Ok(());
    }
    out.table(&table)
}

/// The members of a request, a line each.
fn describe(info: &OperationInfo, global: &Global, out: &mut Out) -> Result<(), Failure> {
    let schema = info.request_schema().to_value();
    if global.json {
        return out.json(&schema);
    }
    out.line(info.summary)?;
    let none = Map::new();
    let members = at(&schema, "properties").and_then(Value::as_object);
    let required = at(&schema, "required").and_then(Value::as_array);
    let mut table = Table::new(["MEMBER", "", "KIND", "WHAT IT IS"]);
    for (name, member) in members.unwrap_or(&none) {
        let target = resolved(&schema, member);
        let kind = match target.get("type") {
            Some(Value::String(one)) => one.clone(),
            Some(Value::Array(several)) => {
                let names = several.iter().filter_map(Value::as_str);
                names
                    .filter(|one| *one != "null")
                    .collect::<Vec<_>>()
                    .join(" or ")
            }
            _ => "any".to_owned(),
        };
        let must = required.is_some_and(|all| all.iter().any(|one| one == name));
        let said = [member, target]
            .into_iter()
            .find_map(|part| part.get("description")?.as_str());
        table.row([
            name.as_str(),
            if must { "required" } else { "" },
            &kind,
            said.unwrap_or_default(),
        ]);
    }
    if table.is_empty() {
        out.line("it takes no members")
    } else {
        out.table(&table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(operation: &str, path: &str) -> bool {
        let info = Fleet::operations()
            .iter()
            .find(|info| info.name == operation);
        takes_text(&info.unwrap().request_schema().to_value(), path)
    }

    #[test]
    fn the_schema_says_what_is_text() {
        assert!(text("CreateThing", "thingName"));
        assert!(text("CreateThing", "attributePayload.attributes.rev"));
        assert!(text(
            "CreateThingGroup",
            "thingGroupProperties.attributePayload.attributes.rev"
        ));
        assert!(!text("CreateThing", "attributePayload.merge"));
        assert!(!text("UpdateTwin", "body.tags.rev"));
        assert!(!text("CreateThing", "no.such.member"));
    }
}
