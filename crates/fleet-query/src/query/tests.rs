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

#[test]
fn the_last_page_leads_nowhere() {
    let fleet = ["a", "b", "c"].map(|id| json!({"deviceId": id}));
    for (text, size, pages) in [
        ("SELECT * FROM devices", 3, &[3][..]),
        ("SELECT * FROM devices", 2, &[2, 1]),
        ("SELECT TOP 2 * FROM devices", 1, &[1, 1]),
        ("SELECT TOP 2 * FROM devices", 2, &[2]),
        ("SELECT TOP 9 * FROM devices", 3, &[3]),
    ] {
        let query = parsed(text, Dialect::IotHub);
        let (mut token, mut found) = (None, Vec::new());
        while found.len() < 9 {
            let request = PageRequest {
                size: Some(size),
                token: token.take(),
            };
            let page = query.page(&fleet, &request).unwrap();
            found.push(page.rows.rows.len());
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        assert_eq!(found, pages, "{text} {size}");
    }
}

#[test]
fn a_page_begins_after_the_last_document_of_the_page_before() {
    let fleet = ["a", "b", "c"].map(|id| json!({"deviceId": id}));
    let query = parsed("SELECT * FROM devices", Dialect::IotHub);
    let first = PageRequest {
        size: Some(2),
        token: None,
    };
    assert_eq!(query.page_start(&first).unwrap(), None);
    let second = PageRequest {
        token: query.page(&fleet, &first).unwrap().next,
        ..first
    };
    let after = Some(("b".to_owned(), String::new()));
    assert_eq!(query.page_start(&second).unwrap(), after);
}

#[test]
fn a_token_continues_its_own_query_only() {
    let fleet = ["a", "b"].map(|id| json!({"deviceId": id}));
    let all = parsed("SELECT * FROM devices", Dialect::IotHub);
    let first = PageRequest {
        size: Some(1),
        token: None,
    };
    let second = PageRequest {
        token: all.page(&fleet, &first).unwrap().next,
        ..first
    };
    for (text, own) in [
        ("SELECT * FROM devices", true),
        ("select * from devices", true),
        ("SELECT * FROM devices WHERE tags.site = 'b2'", false),
        ("SELECT TOP 2 * FROM devices", false),
    ] {
        let found = parsed(text, Dialect::IotHub).page(&fleet, &second);
        assert_eq!(found.is_ok(), own, "{text}");
        if let Err(refused) = found {
            assert_eq!(refused.code(), "query.invalid_token");
        }
    }
}

#[test]
fn only_missing_values_are_forgiven_a_text_with_parameters() {
    let prepare = |text: &str, dialect| Prepared::parse(text, dialect, Mode::Lenient);
    let doubtful = prepare("thingName:@name and thingName:b", Dialect::Aws);
    assert!(doubtful.is_ok(), "{doubtful:?}");
    let wrong = prepare(
        "SELECT * FROM devices WHERE LENGHT(tags.site) = @length",
        Dialect::IotHub,
    );
    let codes: Vec<&str> = wrong.unwrap_err().iter().map(Diagnostic::code).collect();
    assert_eq!(codes, ["query.unknown_function"]);
}

#[test]
fn documents_are_shown_as_their_service_shows_them() {
    let device = json!({"deviceId": "a", "attributes": {"site": "b2"}, "etag": "1"});
    let group = json!({"thingGroupName": "g", "description": "plant", "etag": "1"});
    for (text, dialect, document, item_type, shown) in [
        (
            "thingName:a",
            Dialect::Aws,
            &device,
            ItemType::ThingDocument,
            json!({"thingName": "a", "attributes": {"site": "b2"}}),
        ),
        (
            "thingGroupName:g",
            Dialect::AwsGroups,
            &group,
            ItemType::ThingGroupDocument,
            json!({"thingGroupName": "g", "thingGroupDescription": "plant"}),
        ),
        (
            "deviceId = 'a'",
            Dialect::Target,
            &device,
            ItemType::Twin,
            json!({"deviceId": "a", "etag": "1"}),
        ),
    ] {
        let rows = parsed(text, dialect).run([document]);
        assert_eq!(rows.item_type, item_type, "{dialect}");
        assert_eq!(rows.values(), [shown], "{dialect}");
    }
}
