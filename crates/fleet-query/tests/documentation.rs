//! The examples of `docs/query-language.md`: every one reads in its dialect, or is refused where the page says so.
//!
//! The page names the dialect of the examples that follow in comments that nobody sees: `<!-- examples: aws -->`, or
//! `<!-- examples: target refused -->`; `none` where what follows is no text of a dialect.
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test")]

use fleet_query::{Dialect, Mode, Query};
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../docs/query-language.md");

/// What the page says of the examples that follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Note {
    Unsaid,
    None,
    Reads(Dialect),
    Refused(Dialect),
}

impl Note {
    /// The note of a comment, if it is one about examples.
    fn of(comment: &str) -> Option<Self> {
        let mut words = comment.trim().strip_prefix("examples:")?.split_whitespace();
        let note = match (words.next()?, words.next()) {
            ("none", None) => Self::None,
            (dialect, None) => Self::Reads(dialect.parse().unwrap()),
            (dialect, Some("refused")) => Self::Refused(dialect.parse().unwrap()),
            _ => panic!("{comment}"),
        };
        assert_eq!(words.next(), None, "{comment}");
        Some(note)
    }
}

/// The texts in backticks outside code blocks, each with the note above it.
fn spans() -> Vec<(&'static str, Note)> {
    let (mut out, mut note, mut block) = (Vec::new(), Note::Unsaid, false);
    for line in PAGE.lines() {
        block ^= line.starts_with("```");
        for (at, part) in line.split('`').enumerate().filter(|_| !block) {
            if at % 2 == 1 {
                out.push((part, note));
                continue;
            }
            for comment in part.split("<!--").skip(1) {
                note = Note::of(comment.split("-->").next().unwrap()).unwrap_or(note);
            }
        }
    }
    out
}

/// Whether a text in backticks is a whole condition or statement, and not a name, an operator or a part of one.
fn is_example(text: &str) -> bool {
    if text.contains('…') || text.contains("::") || text.contains("[, ") {
        return false;
    }
    if text.contains("[[") || (text.to_lowercase().contains("from devices")) {
        return true;
    }
    let text = text.strip_prefix("NOT ").unwrap_or(text);
    let of_path = |c: char| c.is_alphanumeric() || "_$.[]{}@-".contains(c);
    let end = text.find(|c| !of_path(c)).unwrap_or(text.len());
    let (path, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let operators = [
        "=", "!", "<", ">", ":", "(", "/ ", "IN ", "NIN ", "AND ", "OR ", "NOT ",
    ];
    path.contains(char::is_alphanumeric)
        && rest != "("
        && operators.iter().any(|operator| rest.starts_with(operator))
}

fn parse(text: &str, dialect: Dialect) -> Result<Query, Vec<fleet_query::Diagnostic>> {
    let aggregate = ["COUNT(", "AVG(", "SUM(", "MIN(", "MAX("].iter();
    let text = match dialect {
        Dialect::IotHub if aggregate.into_iter().any(|name| text.starts_with(name)) => {
            format!("SELECT {text} FROM devices")
        }
        Dialect::IotHub if !text.starts_with("SELECT") => {
            format!("SELECT * FROM devices WHERE {text}")
        }
        _ => text.to_owned(),
    };
    Query::parse(&text, dialect, Mode::Lenient)
}

fn reads(text: &str, dialect: Dialect) {
    let found = parse(text, dialect);
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

/// The first table has an example of each dialect in its last column.
#[test]
fn each_dialect_has_an_example() {
    let rows = rows("| dialect | what it is");
    for row in &rows {
        let texts: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        reads(
            texts.last().unwrap(),
            texts.first().unwrap().parse().unwrap(),
        );
    }
    assert_eq!(rows.len(), Dialect::ALL.len());
}

#[test]
fn every_example_reads_or_is_refused_as_the_page_says() {
    let (mut counts, mut wrong) = (BTreeMap::<Note, usize>::new(), Vec::new());
    for (text, note) in spans() {
        if !is_example(text) {
            continue;
        }
        *counts.entry(note).or_default() += 1;
        let right = match note {
            // Only the table above stands before the first note.
            Note::Unsaid | Note::None => true,
            Note::Reads(dialect) => parse(text, dialect).is_ok(),
            Note::Refused(dialect) => parse(text, dialect).is_err(),
        };
        if !right {
            wrong.push((text, note));
        }
    }
    assert_eq!(wrong, []);
    for (note, least) in [
        (Note::Reads(Dialect::IotHub), 30),
        (Note::Reads(Dialect::Target), 2),
        (Note::Reads(Dialect::Routing), 5),
        (Note::Reads(Dialect::Aws), 18),
        (Note::Reads(Dialect::Rsql), 2),
        (Note::Refused(Dialect::Target), 2),
        (Note::Refused(Dialect::Routing), 1),
    ] {
        let found = counts.get(&note).copied().unwrap_or_default();
        assert!(found >= least, "{note:?}: {counts:?}");
    }
    // What is no text of a dialect is little: a note that is forgotten shows here.
    assert!(
        counts.get(&Note::None).copied().unwrap_or_default() <= 5,
        "{counts:?}"
    );
    assert_eq!(
        counts.get(&Note::Unsaid).copied(),
        Some(Dialect::ALL.len()),
        "{counts:?}"
    );
}

#[test]
fn what_is_an_example() {
    for (text, expected) in [
        ("tags.a = 1", true),
        ("a-b != 'x'", true),
        ("NOT attributes.a:1", true),
        ("thingName:pump-?", true),
        ("attribute.a=not=null", true),
        ("IS_DEFINED(p)", true),
        ("tags.[[group]]", true),
        ("SELECT a FROM devices", true),
        ("=in=(a,b)", false),
        ("fleet check", false),
        ("Query::check(&Schema)", false),
        ("NOT(", false),
        ("NOT IN", false),
        ("SELECT * FROM devices …", false),
    ] {
        assert_eq!(is_example(text), expected, "{text}");
    }
}
