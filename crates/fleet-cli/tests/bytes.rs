//! Bytes that are no text, wherever a text comes in: a code and what to do, never a guess at what was meant.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "tests stop at the first surprise"
)]
#![cfg(unix)]

mod common;

use common::{Place, Run};
use serde_json::Value;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

/// `tags.a = 'é'` as an old file holds it.
const LATIN: &[u8] = b"tags.a = '\xe9'";

fn refused(run: &Run) {
    assert_eq!(run.code, 2, "{run:#?}");
    assert_eq!(run.stdout, "", "{run:#?}");
    let last = run.stderr.lines().last().unwrap();
    let said: Value = serde_json::from_str(last).unwrap();
    let error = said.get("error").unwrap();
    assert_eq!(error.get("code").unwrap(), "cli.not_utf8", "{said}");
    assert!(error.get("help").is_some(), "{said}");
}

#[test]
fn an_argument_that_is_no_text_is_refused_by_every_query_command() {
    let place = Place::new();
    place.write("twins.ndjson", r#"{"deviceId":"d","tags":{"a":"x"}}"#);
    let twins = ["--twins", "twins.ndjson"].as_slice();
    let document = ["--document", "twins.ndjson"].as_slice();
    for (command, options) in [
        ("query", twins),
        ("check", &[]),
        ("explain", document),
        ("translate", ["--to", "iothub"].as_slice()),
    ] {
        let mut args: Vec<OsString> = [command, "--json", "--dialect", "target"]
            .map(OsString::from)
            .into();
        args.extend(options.iter().map(OsString::from));
        args.push(OsStr::from_bytes(LATIN).to_owned());
        refused(&place.run(args));
    }
    let condition = OsStr::from_bytes(LATIN);
    let head = ["match", "--json", "--dialect", "target", "--condition"].map(OsStr::new);
    let tail = document.iter().map(OsStr::new);
    refused(&place.run(head.into_iter().chain([condition]).chain(tail)));

    let plain = place.run([OsStr::new("check"), condition]);
    assert_eq!(plain.code, 2);
    assert!(
        plain.stderr.starts_with(
            "error[cli.not_utf8]: argument 2 is not UTF-8: wrong byte at offset 10\n  help: "
        ),
        "{}",
        plain.stderr
    );
}

#[test]
fn a_text_without_end_is_refused() {
    let place = Place::new();
    let run = place.feed(["check", "--json", "-"], vec![b'('; 16 * 1024 * 1024 + 1]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("\"cli.text_too_long\""), "{run:#?}");
}

#[test]
fn standard_input_and_files_that_are_no_text_are_refused() {
    let place = Place::new();
    for command in [
        ["check", "--json", "-"].as_slice(),
        &["query", "--json", "--twins", "twins.ndjson", "-"],
        &["translate", "--json", "--to", "target", "-"],
    ] {
        place.write("twins.ndjson", "");
        refused(&place.feed(command, LATIN));
    }
    place.write("latin.json", b"{\"deviceId\":\"\xe9\"}");
    let all = "SELECT * FROM devices";
    refused(&place.run([
        "match",
        "--json",
        "--condition",
        "tags.a = 1",
        "--document",
        "latin.json",
    ]));
    refused(&place.run([
        "explain",
        "--json",
        "--document",
        "latin.json",
        "tags.a = 1",
    ]));
    refused(&place.run(["query", "--json", "--twins", "latin.json", all]));
    refused(&place.run(["check", "--json", "--schema", "latin.json", all]));
    refused(&place.run([
        "match",
        "--json",
        "--conditions",
        "latin.json",
        "--twins",
        "latin.json",
    ]));
    // An import counts the lines that it leaves out.
    let import = place.run(["import", "--json", "--store", "memory:", "latin.json"]);
    assert_eq!(import.code, 2, "{import:#?}");
    assert!(import.stderr.contains("cli.not_utf8"), "{import:#?}");
    let report = &import.json_lines()[0]["report"];
    assert_eq!(
        (&report["refused"], &report["created"]),
        (&1.into(), &0.into())
    );
}
