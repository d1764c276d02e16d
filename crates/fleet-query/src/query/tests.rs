use super::*;
use serde_json::json;

fn parsed(text: &str, dialect: Dialect) -> Query {
    Query::parse(text, dialect, Mode::Lenient).unwrap_or_else(|found| panic!("{text}: {found:?}"))
}

#[test]
fn an_empty_condition_selects_nothing() {
    let document = json!({"deviceId": "d", "body": {}, "bodyUsable": true});
    for (dialect, expected) in [
        (Dialect::Target, Truth::False),
        (Dialect::Routing, Truth::Undefined),
    ] {
        assert_eq!(
            parsed("", dialect).matches(Document::new(&document)),
            expected,
            "{dialect}"
        );
    }
}

#[test]
fn a_doubtful_query_keeps_its_warnings() {
    let doubtful = parsed("thingName:a and thingName:b", Dialect::Aws);
    let codes: Vec<&str> = doubtful.warnings().iter().map(Diagnostic::code).collect();
    assert_eq!(codes, ["query.syntax"]);
    assert!(parsed("thingName:a", Dialect::Aws).warnings().is_empty());
}

#[test]
fn only_rows_with_ids_have_ids() {
    for (text, dialect, ids) in [
        ("SELECT * FROM devices", Dialect::IotHub, true),
        (
            "SELECT deviceId, tags.a FROM devices",
            Dialect::IotHub,
            true,
        ),
        ("SELECT tags.a FROM devices", Dialect::IotHub, false),
        (
            "SELECT deviceId FROM devices.modules",
            Dialect::IotHub,
            false,
        ),
        (
            "SELECT moduleId, deviceId FROM devices.modules",
            Dialect::IotHub,
            true,
        ),
        ("SELECT COUNT() AS n FROM devices", Dialect::IotHub, false),
        ("thingName:a", Dialect::Aws, true),
    ] {
        let found = parsed(text, dialect).require_ids();
        assert_eq!(found.is_ok(), ids, "{text}");
        if let Err(refused) = found {
            assert_eq!(refused.code(), "query.unsupported_in_dialect");
        }
    }
}
