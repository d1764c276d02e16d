//! Hostile texts are refused by documented limits, or run; none of them panics or takes long.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use fleet_query::{Dialect, Document, Mode, Query};
use serde_json::json;

fn code(text: &str, dialect: Dialect) -> &'static str {
    match Query::parse(text, dialect, Mode::Lenient) {
        Ok(_) => "fine",
        Err(found) => found[0].code(),
    }
}

fn twin(condition: &str) -> String {
    format!("SELECT * FROM devices WHERE {condition}")
}

/// The text of a condition in a dialect.
fn in_dialect(condition: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::IotHub => twin(condition),
        Dialect::IotHubModules => format!("SELECT * FROM devices.modules WHERE {condition}"),
        Dialect::IotHubJobs => format!("SELECT * FROM devices.jobs WHERE {condition}"),
        Dialect::TargetModules => format!("from devices.modules where {condition}"),
        _ => condition.to_owned(),
    }
}

#[test]
fn nesting_is_accepted_up_to_64_and_refused_beyond() {
    for dialect in Dialect::ALL {
        let leaf = match dialect {
            Dialect::Aws => "thingName:a",
            Dialect::AwsGroups => "thingGroupName:a",
            Dialect::Rsql => "deviceId==a",
            Dialect::Routing => "a = 'x'",
            _ => "deviceId = 'a'",
        };
        let nested = |n: usize| {
            in_dialect(
                &format!("{}{leaf}{}", "(".repeat(n), ")".repeat(n)),
                dialect,
            )
        };
        assert_eq!(code(&nested(64), dialect), "fine", "{dialect}");
        assert_eq!(code(&nested(65), dialect), "query.too_deep", "{dialect}");
        let refused = code(&nested(100_000), dialect);
        assert!(
            matches!(refused, "query.too_long" | "query.too_deep"),
            "{dialect} {refused}"
        );
    }
    assert_eq!(
        code(&twin(&format!("{}a", "NOT ".repeat(64))), Dialect::IotHub),
        "fine"
    );
    assert_eq!(
        code(&twin(&format!("{}a", "- ".repeat(65))), Dialect::IotHub),
        "query.too_deep"
    );
    assert_eq!(
        code(&format!("{}a = 'x'", "f(".repeat(70)), Dialect::Routing),
        "query.too_deep"
    );
}

#[test]
fn length_lists_and_chains_are_bounded() {
    let long = "tags.a = 1 OR ".repeat(100_000);
    assert_eq!(code(&twin(&long), Dialect::IotHub), "query.too_long");
    let list = |n: usize| twin(&format!("tags.a IN [{}]", vec!["1"; n].join(",")));
    assert_eq!(code(&list(1000), Dialect::IotHub), "fine");
    assert_eq!(code(&list(1001), Dialect::IotHub), "query.too_many_items");
    let chain = |n: usize| twin(&format!("tags.a{} = 1", " + 1".repeat(n)));
    assert_eq!(code(&chain(256), Dialect::IotHub), "fine");
    assert_eq!(code(&chain(257), Dialect::IotHub), "query.too_deep");
    assert_eq!(
        code(
            &format!("a = 'x'{}", " = true".repeat(300)),
            Dialect::Routing
        ),
        "query.too_deep"
    );
    assert_eq!(
        code(
            &twin(&format!("tags{} = 1", ".a".repeat(3000))),
            Dialect::IotHub
        ),
        "fine"
    );
    assert_eq!(code(&twin(&"x".repeat(8000)), Dialect::IotHub), "fine");
    // With a leading wildcard a query has at most 100 bytes.
    let leading = |n: usize| format!("thingName:*{}", "a".repeat(n - 11));
    assert_eq!(code(&leading(100), Dialect::Aws), "fine");
    assert_eq!(code(&leading(101), Dialect::Aws), "query.too_long");
    assert_eq!(
        code(&format!("thingName:{}*", "a".repeat(900)), Dialect::Aws),
        "fine"
    );
    assert_eq!(code("a:\u{10ffff}", Dialect::Aws), "query.unknown_field");
}

#[test]
fn numbers_of_any_size_are_numbers() {
    let twin_of =
        |condition: &str| Query::parse(&twin(condition), Dialect::IotHub, Mode::Lenient).unwrap();
    let document = json!({"deviceId": "d", "tags": {"n": 1e308}});
    let truth = |condition: &str| twin_of(condition).matches(Document::new(&document)).name();
    assert_eq!(truth(&format!("tags.n < {}", "9".repeat(400))), "true");
    assert_eq!(truth("tags.n < 10e1000"), "true");
    assert_eq!(truth("tags.n < 0xffffffffffffffffffffffffffff"), "false");
    assert_eq!(truth("tags.n * 10 = 1e999"), "true");
    assert_eq!(truth("tags.n * 10 - tags.n * 10 = 0"), "undefined");
    assert_eq!(
        code(&twin("tags.l[99999999999] = 1"), Dialect::IotHub),
        "query.syntax"
    );
    assert_eq!(code("attributes.a > 1e999", Dialect::Aws), "query.type");
}

#[test]
fn wildcards_do_not_blow_up() {
    let query = Query::parse(
        &format!("id=='{}b'", "*a".repeat(1000)),
        Dialect::Rsql,
        Mode::Lenient,
    )
    .unwrap();
    let document = json!({"deviceId": "a".repeat(100_000)});
    assert_eq!(query.matches(Document::new(&document)).name(), "false");
}

#[test]
fn deep_documents_are_walked_only_along_paths() {
    let mut value = json!(1);
    for _ in 0..100 {
        value = json!({"a": value});
    }
    let document = json!({"deviceId": "d", "properties": {"reported": value}});
    let path = format!("properties.reported{} = 1", ".a".repeat(100));
    let query = Query::parse(&twin(&path), Dialect::IotHub, Mode::Lenient).unwrap();
    assert_eq!(query.matches(Document::new(&document)).name(), "true");
}

/// Every character that means something, by the megabyte and as much as fits: refused or read, in every dialect.
#[test]
fn operators_without_end_are_refused() {
    let pieces = [
        "(",
        ")",
        "[",
        "[[",
        "]]",
        "{",
        "=",
        "!=",
        "<",
        ">=",
        "=lt=",
        "=in=(",
        ",",
        ";",
        " AND ",
        " OR ",
        "NOT ",
        "-",
        "- ",
        "+",
        "*",
        "/",
        "%",
        "||",
        " ?? ",
        "'",
        "\"",
        "\\",
        "@",
        "@a ",
        "$",
        "{$",
        "$body.",
        "a.",
        ":",
        "a:",
        "a:(",
        "a:[* TO ",
        "?",
        "/*",
        "*/",
        "f(",
        "1e",
        "0x",
        "IN [",
        "\u{0}",
        "\u{10ffff}",
        "é",
        "tags.a = 1 AND ",
        "thingName:a OR ",
        "id==a;",
        "a = 'x' OR ",
    ];
    for dialect in Dialect::ALL {
        for piece in pieces {
            for length in [990, 8_000, 2_000_000] {
                let text = piece.repeat(length / piece.len());
                for text in [in_dialect(&text, dialect), text] {
                    let found = code(&text, dialect);
                    if length > 10_000 {
                        assert!(
                            matches!(found, "query.too_long" | "query.too_deep"),
                            "{dialect} {piece} {found}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn long_lists_and_many_texts_are_checked_within_a_budget() {
    let list =
        |item: fn(usize) -> String, with: &str| (0..300).map(item).collect::<Vec<_>>().join(with);
    let texts: fn(usize) -> String = |n| format!("'{n}x'");
    for (text, dialect) in [
        (
            twin(&format!("tags.a IN [{}]", list(texts, ","))),
            Dialect::IotHub,
        ),
        (
            format!("tags.a=in=({});tags.a=gt=5", list(texts, ",")),
            Dialect::Rsql,
        ),
        (format!("thingName:({})", "é1e5x ".repeat(11)), Dialect::Aws),
        (
            format!("id=='{}*';id=='{}'", "1".repeat(3000), "é".repeat(2000)),
            Dialect::Rsql,
        ),
    ] {
        let query =
            Query::parse(&text, dialect, Mode::Lenient).unwrap_or_else(|found| panic!("{found:?}"));
        let verdict = fleet_query::algebra::implies(query.condition(), query.condition());
        assert!(verdict.witness().is_none(), "{dialect}");
    }
}

/// The algebra recurses over leaves, of which it takes 128; a list is one.
#[test]
fn conditions_of_hundreds_of_parts_are_left_undecided() {
    let parts: Vec<String> = (0..500).map(|n| format!("tag.a{n}==x")).collect();
    let text = parts.join(",");
    let query = Query::parse(&text, Dialect::Rsql, Mode::Lenient).unwrap();
    let verdict = fleet_query::algebra::implies(query.condition(), query.condition());
    assert_eq!(verdict, fleet_query::algebra::Verdict::Unknown);
}
