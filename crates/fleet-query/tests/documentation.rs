//! The examples of `docs/query-language.md`: every one reads in the dialect that its section is about.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use fleet_query::{Dialect, Mode, Query};

const PAGE: &str = include_str!("../../../docs/query-language.md");

/// The texts in backticks of a line.
fn code(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn reads(text: &str, dialect: Dialect) {
    let text = match dialect {
        Dialect::IotHub if !text.starts_with("SELECT") => {
            format!("SELECT * FROM devices WHERE {text}")
        }
        _ => text.to_owned(),
    };
    let found = Query::parse(&text, dialect, Mode::Lenient);
    assert!(found.is_ok(), "{dialect} {text}: {found:?}");
}

/// The rows of the table that begins with this head.
fn rows(head: &str) -> Vec<&'static str> {
    let mut lines = PAGE.lines().skip_while(|line| !line.starts_with(head));
    assert!(lines.next().is_some(), "there is no table {head}");
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .collect()
}

#[test]
fn what_to_write_reads() {
    let mut count = 0;
    for (head, dialect) in [
        ("| to find devices", Dialect::IotHub),
        ("| to find things", Dialect::Aws),
    ] {
        for row in rows(head) {
            for text in code(row) {
                reads(text, dialect);
                count += 1;
            }
        }
    }
    assert!(count >= 18, "{count}");
    for row in rows("| dialect | what it is") {
        let texts: Vec<&str> = code(row).collect();
        reads(
            texts.last().unwrap(),
            texts.first().unwrap().parse().unwrap(),
        );
    }
}
