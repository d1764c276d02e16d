//! The tables of `docs/registry.md` are those of the code; `FLEET_BLESS=1` rewrites them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use fleet_model::kernel::WireEvent;
use fleet_model::{billing_group, ca_certificate, certificate, group, thing, thing_type};
use std::fmt::Write as _;
use std::path::Path;

fn words(name: impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn events() -> String {
    let mut out = "| stream | type | schema |\n| --- | --- | --- |\n".to_owned();
    let families = [
        ("thing-<name>", thing::Event::TYPES),
        ("thingtype-<name>", thing_type::Event::TYPES),
        ("group-<name>", group::Event::TYPES),
        ("billinggroup-<name>", billing_group::Event::TYPES),
        ("cert-<id>", certificate::Event::TYPES),
        ("cacert-<id>", ca_certificate::Event::TYPES),
    ];
    for (stream, types) in families {
        for (event_type, schema) in types {
            writeln!(out, "| `{stream}` | `{event_type}` | {schema} |").unwrap();
        }
    }
    out
}

fn dynamic_status() -> String {
    let mut out = "| from | by | to |\n| --- | --- | --- |\n".to_owned();
    for (from, by, to) in group::TRANSITIONS {
        let (from, by, to) = (from.as_str(), words(by), to.as_str());
        writeln!(out, "| `{from}` | {by} | `{to}` |").unwrap();
    }
    out
}

fn certificate_status() -> String {
    let mut out = "| from | by | to |\n| --- | --- | --- |\n".to_owned();
    for (from, by, to) in certificate::TRANSITIONS {
        writeln!(out, "| `{from}` | {} | `{to}` |", words(by)).unwrap();
    }
    out
}

fn certificate_start() -> String {
    let mut out = "| how it comes | status |\n| --- | --- |\n".to_owned();
    for (arrival, status) in certificate::INITIAL {
        writeln!(out, "| {} | `{status}` |", words(arrival)).unwrap();
    }
    out
}

#[test]
fn the_tables_are_those_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/registry.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut fresh = text.clone();
    for (name, table) in [
        ("dynamic group status", dynamic_status()),
        ("certificate status", certificate_status()),
        ("certificate start", certificate_start()),
        ("events", events()),
    ] {
        let start = format!("<!-- generated: {name} -->\n");
        let (before, rest) = fresh.split_once(&start).unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        fresh = format!("{before}{start}\n{table}\n<!-- end -->{after}");
    }
    if std::env::var_os("FLEET_BLESS").is_some() {
        std::fs::write(&path, &fresh).unwrap();
        return;
    }
    assert_eq!(text, fresh, "run the test with FLEET_BLESS=1");
}
