//! What a person types and reads: every file of `tests/transcripts/` is run in a fresh folder, one process per command.
//!
//! A line `$ fleet …` is a command, what follows is what it prints (standard output, then standard error), and `[exit N]` its
//! exit code when it is not 0. `$ write FILE` puts the lines that follow, up to `.`, into a file.
//! `FLEET_BLESS=1` rewrites the files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    reason = "tests stop at the first surprise"
)]

mod common;

use common::{Place, pinned, testdata};
use std::fmt::Write as _;

/// Splits a command line: blanks separate, single quotes hold together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut any) = (false, false);
    for c in line.chars() {
        match c {
            '\'' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => {
                word.push(c);
                any = true;
            }
        }
    }
    assert!(!quoted, "unbalanced quote: {line}");
    if any {
        words.push(word);
    }
    words
}

fn replay(script: &str) -> String {
    let place = Place::new();
    let mut out = String::new();
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') || (line.is_empty() && out.is_empty()) {
            writeln!(out, "{line}").unwrap();
            continue;
        }
        let Some(command) = line.strip_prefix("$ ") else {
            continue;
        };
        writeln!(out, "{line}").unwrap();
        if let Some(name) = command.strip_prefix("write ") {
            let mut text = String::new();
            for line in lines.by_ref().take_while(|line| *line != ".") {
                writeln!(text, "{line}").unwrap();
            }
            writeln!(out, "{text}.").unwrap();
            place.write(name, text);
            continue;
        }
        let words = words(command);
        assert_eq!(words[0], "fleet", "{line}");
        let output = place
            .command()
            .env("FLEET_SEED", "1")
            .args(&words[1..])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let run = common::Run::from(output);
        for text in [&run.stdout, &run.stderr] {
            out.push_str(text);
            if !text.is_empty() && !text.ends_with('\n') {
                out.push('\n');
            }
        }
        if run.code != 0 {
            writeln!(out, "[exit {}]", run.code).unwrap();
        }
    }
    out
}

#[test]
fn transcripts() {
    let mut files: Vec<_> = std::fs::read_dir(testdata("transcripts"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let script = std::fs::read_to_string(&file).unwrap();
        pinned(&file, &replay(&script));
    }
}
