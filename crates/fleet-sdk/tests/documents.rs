//! The generated documents equal the code. `FLEET_BLESS=1` rewrites them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use fleet_sdk::error::{MAPPED, status_of};
use fleet_sdk::{Fleet, Service};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

fn check(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("FLEET_BLESS").is_some() {
        std::fs::write(&path, text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/{name} is not what the code says: run the test with FLEET_BLESS=1"
    );
}

#[test]
fn every_code_is_documented_and_mapped() {
    let mut codes = BTreeMap::new();
    for (code, meaning) in fleet_sdk::error::all_codes() {
        if let Some(other) = codes.insert(code, meaning) {
            assert_eq!(other, meaning, "`{code}` has two meanings");
        }
    }
    let mut text = String::from(
        "# Error codes\n\nEvery code that this project answers with, what it means, and what each service calls it.\nGenerated from the code; a test keeps it equal.\n\n| code | meaning | AWS | IoT Hub | retry helps |\n| --- | --- | --- | --- | --- |\n",
    );
    for (code, meaning) in &codes {
        let row = MAPPED.iter().find(|row| row.code == *code);
        let names = match row {
            Some(row) => {
                let aws = row.name(Service::Iot);
                let data = row.name(Service::IotData);
                let hub = row.name(Service::IotHub);
                let plane = if aws == data {
                    String::new()
                } else {
                    format!(
                        "; data plane `{data}` {}",
                        status_of(Service::IotData, data)
                    )
                };
                format!(
                    "`{aws}` {}{plane} | `{hub}` {} | {}",
                    status_of(Service::Iot, aws),
                    status_of(Service::IotHub, hub),
                    if row.retryable { "yes" } else { "no" }
                )
            }
            None => "- | - | no".to_owned(),
        };
        writeln!(text, "| `{code}` | {meaning} | {names} |").unwrap();
    }
    check("errors.md", &text);
    let unmapped: Vec<_> = codes
        .keys()
        .filter(|code| !code.starts_with("crypto.") && !MAPPED.iter().any(|row| row.code == **code))
        .collect();
    assert!(unmapped.is_empty(), "no service names for {unmapped:?}");
    for row in MAPPED {
        assert!(
            codes.contains_key(row.code),
            "`{}` is mapped but in no list of codes",
            row.code
        );
        for service in Service::ALL {
            if *service != Service::IotJobsData {
                assert!(
                    status_of(*service, row.name(*service)) != 500
                        || row.name(*service).contains("InternalFailure")
                        || row.name(*service) == "ServerError",
                    "{row:?} at {service}"
                );
            }
        }
    }
    let sorted = MAPPED.windows(2).all(|pair| pair[0].code < pair[1].code);
    assert!(sorted, "rows stand in the order of their codes");
}

#[test]
fn every_operation_is_documented() {
    let mut text = String::from(
        "# Operations\n\nWhat `Fleet::call_json` and `fleet exec` run, by service and name. Generated from the code; a test keeps it\nequal. `?` marks members that may be left out; `fleet exec --list` prints the full JSON Schemas.\n",
    );
    for service in Service::ALL {
        let mut infos: Vec<_> = Fleet::operations()
            .iter()
            .filter(|info| info.service == *service)
            .collect();
        infos.sort_by_key(|info| info.name);
        if infos.is_empty() {
            continue;
        }
        writeln!(text, "\n## {service}\n\n| operation | request | response | what it does |\n| --- | --- | --- | --- |").unwrap();
        for info in infos {
            let request = members(&info.request_schema());
            let response = members(&info.response_schema());
            writeln!(
                text,
                "| `{}` | {request} | {response} | {} |",
                info.name, info.summary
            )
            .unwrap();
        }
    }
    text.push_str("\n## Other names\n\n| name | operation |\n| --- | --- |\n");
    for (alias, name) in fleet_sdk::operation::ALIASES {
        assert!(Fleet::operation(alias, None).is_ok(), "{alias}");
        writeln!(text, "| `{alias}` | `{name}` |").unwrap();
    }
    check("operations.md", &text);
    let mut names: Vec<_> = Fleet::operations()
        .iter()
        .map(|info| (info.service, info.name))
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Fleet::operations().len());
}

fn members(schema: &schemars::Schema) -> String {
    let value = schema.as_value();
    let Some(properties) = value.get("properties").and_then(|p| p.as_object()) else {
        return if value.get("type").is_some_and(|t| t == "object")
            && value.get("additionalProperties").is_none_or(|a| a != false)
        {
            "the document".to_owned()
        } else {
            "-".to_owned()
        };
    };
    let required: Vec<_> = value
        .get("required")
        .and_then(|r| r.as_array())
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    let names: Vec<_> = properties
        .keys()
        .map(|name| {
            let mark = if required.contains(&name.as_str()) {
                ""
            } else {
                "?"
            };
            format!("`{name}{mark}`")
        })
        .collect();
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}
