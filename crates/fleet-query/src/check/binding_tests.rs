//! What texts are bound to, leaf by leaf, and where the limits lie.

use crate::dialect::{Dialect, Mode};
use crate::document::{Document, normalise};
use crate::pattern::Pattern;
use crate::predicate::{KindTest, Predicate};
use crate::query::Query;
use crate::value::Truth;
use serde_json::{Value, json};

fn bound(text: &str, dialect: Dialect) -> Predicate {
    Query::parse(text, dialect, Mode::Lenient)
        .unwrap_or_else(|found| panic!("{text}: {found:?}"))
        .condition()
        .predicate
        .clone()
}

/// The codes of what is wrong, or nothing.
fn codes(text: &str, dialect: Dialect) -> Vec<&'static str> {
    match Query::parse(text, dialect, Mode::Lenient) {
        Ok(_) => Vec::new(),
        Err(found) => found.iter().map(|one| one.code()).collect(),
    }
}

fn on(text: &str, dialect: Dialect, document: Value) -> Truth {
    let query = Query::parse(text, dialect, Mode::Lenient)
        .unwrap_or_else(|found| panic!("{text}: {found:?}"));
    let document = normalise(query.collection(), document).unwrap();
    query.matches(Document::new(&document))
}

#[test]
fn calls_on_fields_are_leaves() {
    for (name, kind) in [
        ("IS_NULL", KindTest::Null),
        ("IS_BOOL", KindTest::Bool),
        ("IS_NUMBER", KindTest::Number),
        ("IS_STRING", KindTest::Text),
        ("IS_OBJECT", KindTest::Object),
        ("IS_ARRAY", KindTest::Array),
        ("IS_PRIMITIVE", KindTest::Primitive),
    ] {
        let found = bound(&format!("{name}(tags.a)"), Dialect::Target);
        assert!(
            matches!(&found, Predicate::Kind { kind: it, .. } if *it == kind),
            "{name} {found:?}"
        );
    }
    for (name, wanted) in [
        ("STARTSWITH", Pattern::Prefix("x".into())),
        ("ENDSWITH", Pattern::Suffix("x".into())),
        ("CONTAINS", Pattern::Contains("x".into())),
    ] {
        let found = bound(&format!("{name}(tags.a, 'x')"), Dialect::Target);
        assert!(
            matches!(&found, Predicate::Match { pattern, .. } if *pattern == wanted),
            "{name} {found:?}"
        );
    }
    let found = bound("ARRAY_CONTAINS(tags.a, 'x')", Dialect::Target);
    assert!(
        matches!(found, Predicate::ArrayContains { .. }),
        "{found:?}"
    );
    let list = "SELECT * FROM devices WHERE tags.a IN ['x', 1, null]";
    let found = bound(list, Dialect::IotHub);
    assert!(
        matches!(&found, Predicate::In { values, .. } if values.len() == 3),
        "{found:?}"
    );
    let found = bound("LENGTH(tags.a)", Dialect::Target);
    assert!(matches!(found, Predicate::General(_)), "{found:?}");
}

#[test]
fn the_end_of_a_text_is_not_its_middle() {
    let twin = || json!({"deviceId": "d", "tags": {"a": "abc"}});
    for (text, expected) in [
        ("ENDSWITH(tags.a, 'bc')", Truth::True),
        ("ENDSWITH(tags.a, 'b')", Truth::False),
        ("CONTAINS(tags.a, 'b')", Truth::True),
        ("STARTSWITH(tags.a, 'b')", Truth::False),
    ] {
        assert_eq!(on(text, Dialect::Target, twin()), expected, "{text}");
    }
}

#[test]
fn old_names_are_aliases_on_job_types_only() {
    let job = |key: &str, value: &str| json!({"deviceId": "d", "jobId": "j", key: value});
    let text =
        |key: &str, value: &str| format!("SELECT * FROM devices.jobs WHERE {key} = '{value}'");
    for (old, new) in [
        ("scheduleTwinUpdate", "scheduleUpdateTwin"),
        ("scheduleDirectRequest", "scheduleDeviceMethod"),
    ] {
        assert_eq!(
            on(
                &text("jobType", old),
                Dialect::IotHubJobs,
                job("jobType", new)
            ),
            Truth::True
        );
        assert_eq!(
            on(
                &text("jobType", new),
                Dialect::IotHubJobs,
                job("jobType", new)
            ),
            Truth::True
        );
        assert_eq!(
            on(
                &text("status", old),
                Dialect::IotHubJobs,
                job("status", old)
            ),
            Truth::True
        );
    }
}

#[test]
fn paths_into_messages() {
    for text in [
        "$body = 1",
        "$twin = 'x'",
        "$BODY = 1",
        "$body[0] = 1",
        "$BODY[0] = 1",
        "{$body} = 'x'",
        "$body.a..b = 1",
        "$body.a] = 1",
        "$body.a[x] = 1",
        "$body.a[] = 1",
        "$body.a[+1] = 1",
        "$body.a[1 = 1",
        "$twin. = 1",
        "$sys] = 'x'",
        "$sys[0] = 'x'",
        "$body.a[99999999999] = 1",
    ] {
        assert!(
            codes(text, Dialect::Routing).contains(&"query.syntax"),
            "{text}"
        );
    }
    for text in [
        "$body.a[0].b = 1",
        "$twin.tags.a = 1",
        "$bodyguard = 'x'",
        "$bo = 'x'",
        "{$sys} = 'x'",
    ] {
        assert!(
            codes(text, Dialect::Routing).is_empty(),
            "{text} {:?}",
            codes(text, Dialect::Routing)
        );
    }
    // Only what names the body needs one that can be read.
    let unread =
        || json!({"properties": {"p": "x"}, "body": "{\"a\": 1}", "twin": {"tags": {"a": 1}}});
    for (text, expected) in [
        ("$twin.tags.a = 1", Truth::True),
        ("p = 'x'", Truth::True),
        ("p = 'x' OR $body.a = 1", Truth::Undefined),
        ("NOT IS_DEFINED($body.a)", Truth::Undefined),
    ] {
        assert_eq!(on(text, Dialect::Routing, unread()), expected, "{text}");
    }
}

#[test]
fn every_kind_of_term_counts() {
    for leaf in [
        "*",
        "word",
        "thingName:a",
        "attributes.a:*",
        "attributes.a > 1",
        "attributes.a:[1 TO 2]",
        "shadow.reported.p:geo_distance,1,2,3km",
    ] {
        let joined = |count: usize| vec![leaf; count].join(" OR ");
        assert!(codes(&joined(12), Dialect::Aws).is_empty(), "{leaf}");
        assert_eq!(
            codes(&joined(13), Dialect::Aws),
            ["query.too_many_terms"],
            "{leaf}"
        );
    }
    let group = |count: usize| format!("thingName:({})", vec!["a"; count].join(" OR "));
    assert!(codes(&group(12), Dialect::Aws).is_empty());
    assert_eq!(codes(&group(13), Dialect::Aws), ["query.too_many_terms"]);
}

#[test]
fn wildcards_are_counted_by_term() {
    for (text, fine) in [
        ("thingName:a*b*", true),
        ("thingName:a*b*c*", false),
        ("thingName:a?????", true),
        ("thingName:a??????", false),
        ("thingName:a*b* thingName:c*d*", true),
    ] {
        let expected: &[&str] = if fine {
            &[]
        } else {
            &["query.too_many_wildcards"]
        };
        assert_eq!(codes(text, Dialect::Aws), expected, "{text}");
    }
}

#[test]
fn a_quoted_text_without_a_word_is_found_nowhere() {
    let thing = || json!({"thingName": "a"});
    assert_eq!(on("thingName:\"  \"", Dialect::Aws, thing()), Truth::False);
    assert_eq!(on("NOT thingName:\"\"", Dialect::Aws, thing()), Truth::True);
}

#[test]
fn violations_are_searched_for_true_only() {
    let field = "deviceDefender.profile.behavior";
    assert!(codes(&format!("{field}.inViolation:true"), Dialect::Aws).is_empty());
    assert_eq!(
        codes(&format!("{field}.inViolation:false"), Dialect::Aws),
        ["query.type"]
    );
    assert!(codes(&format!("{field}.metricName:false"), Dialect::Aws).is_empty());
    assert!(codes("attributes.inViolation:false", Dialect::Aws).is_empty());
}

#[test]
fn distances_have_units_and_places_bounds() {
    for (unit, metres) in [
        ("m", 2.0),
        ("km", 2000.0),
        ("mi", 3218.688),
        ("ft", 0.6096),
        ("yd", 1.8288),
        ("nmi", 3704.0),
    ] {
        let text = format!("shadow.reported.p:geo_distance,1.5,-2.5,2{unit}");
        let Predicate::Near { area, .. } = bound(&text, Dialect::Aws) else {
            panic!("{text}")
        };
        assert_eq!((area.latitude, area.longitude), (1.5, -2.5));
        assert!(
            (area.metres - metres).abs() < 1e-9,
            "{unit} {}",
            area.metres
        );
    }
    for (place, fine) in [
        ("90,180,0km", true),
        ("-90,-180,1km", true),
        ("90.1,0,1km", false),
        ("-90.1,0,1km", false),
        ("0,180.1,1km", false),
        ("0,-180.1,1km", false),
        ("0,0,-1km", false),
        ("0,0,1parsec", false),
    ] {
        let expected: &[&str] = if fine { &[] } else { &["query.type"] };
        assert_eq!(
            codes(
                &format!("shadow.reported.p:geo_distance,{place}"),
                Dialect::Aws
            ),
            expected,
            "{place}"
        );
    }
}

#[test]
fn words_that_look_like_operators_are_doubted() {
    for (text, doubted) in [
        ("thingName:a and thingName:b", true),
        ("thingName:a Or b", true),
        ("attributes.a LIKE x", true),
        ("attributes.a == x", true),
        ("a=b", true),
        ("a || b", true),
        ("a && b", true),
        ("attributes.a:LIKE", false),
        ("hello", false),
    ] {
        let query = Query::parse(text, Dialect::Aws, Mode::Lenient);
        let doubts = query.map_or_else(|found| found, |query| query.warnings().to_vec());
        assert_eq!(
            doubts
                .iter()
                .any(|one| one.message.contains("is searched as")),
            doubted,
            "{text} {doubts:?}"
        );
    }
    let message = |text: &str| {
        let found = Query::parse(text, Dialect::Aws, Mode::Lenient).unwrap();
        found
            .warnings()
            .iter()
            .map(|one| one.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(message("like x"), ["`like` is searched as a word"]);
    assert_eq!(
        message("a=b"),
        ["`a=b` is searched as one word in every field"]
    );
    for (text, operator) in [("a || b", "OR"), ("a && b", "AND"), ("a or b", "OR")] {
        let found = Query::parse(text, Dialect::Aws, Mode::Lenient).unwrap();
        let help = format!("write `{operator}` for the operator");
        assert_eq!(found.warnings()[0].help.as_ref(), Some(&help), "{text}");
    }
}

#[test]
fn names_of_one_dialect_are_known_in_the_others() {
    for (dialect, before, after, fields) in [
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE ",
            " = 'x'",
            &[
                ("tags.status", "tags.status"),
                ("devices.tags.status", "tags.status"),
                ("devices.modules.tags.a", "tags.a"),
                ("thingName", "deviceId"),
                ("shadow.desired.a", "properties.desired.a"),
                ("shadow.reported.a", "properties.reported.a"),
                ("shadow.hasDelta", "shadow.hasDelta"),
                (
                    "shadow.name.pump.reported.a",
                    "namedShadows.pump.reported.a",
                ),
                ("PROPERTIES.Reported.a", "properties.reported.a"),
                ("capabilities.IOTEDGE", "capabilities.iotEdge"),
                ("tags.Reported", "tags.Reported"),
            ][..],
        ),
        (
            Dialect::Aws,
            "",
            ":x",
            &[
                ("thingName", "deviceId"),
                ("attributes.site", "attributes.site"),
                ("shadow.desired.a", "properties.desired.a"),
                ("shadow.name.pump.hasDelta", "namedShadows.pump.hasDelta"),
                (
                    "shadow.name.pump.reported.a",
                    "namedShadows.pump.reported.a",
                ),
                (
                    "shadow.name.pump.desired.a.b",
                    "namedShadows.pump.desired.a.b",
                ),
                (
                    "deviceDefender.profile.door.metricName",
                    "deviceDefender.profile.door.metricName",
                ),
            ],
        ),
        (
            Dialect::AwsGroups,
            "",
            ":x",
            &[
                ("thingGroupNames", "thingGroupName"),
                ("attributes.site", "attributes.site"),
            ],
        ),
        (
            Dialect::Rsql,
            "",
            "==x",
            &[
                ("controllerId", "deviceId"),
                ("attribute.site", "attributes.site"),
                ("tag.status", "tags.status"),
                ("reported.a", "properties.reported.a"),
                ("desired.a", "properties.desired.a"),
                ("group", "thingGroupNames"),
                ("type", "thingTypeName"),
                ("shadow.desired.a", "properties.desired.a"),
                ("shadow.reported.a", "properties.reported.a"),
                ("shadow.hasDelta", "shadow.hasDelta"),
                ("PROPERTIES.Reported.a", "properties.reported.a"),
                ("capabilities.IOTEDGE", "capabilities.iotEdge"),
                ("etag", "etag"),
            ],
        ),
    ] {
        for (field, canonical) in fields {
            let found = bound(&format!("{before}{field}{after}"), dialect);
            let paths: Vec<String> = found.paths().iter().map(ToString::to_string).collect();
            assert_eq!(paths, [*canonical], "{dialect} {field} {found:?}");
        }
    }
}

#[test]
fn rsql_asks_for_null_and_for_the_empty_text() {
    let thing = |site: Value| json!({"deviceId": "d", "attributes": site});
    for (text, attributes, expected) in [
        ("attribute.site=is=b2", json!({"site": "b2"}), Truth::True),
        ("attribute.site=is=b2", json!({}), Truth::False),
        ("attribute.site=not=b2", json!({"site": "b2"}), Truth::False),
        ("attribute.site=not=b2", json!({"site": "c"}), Truth::True),
        ("attribute.site=is=null", json!({}), Truth::True),
        (
            "attribute.site=is=NULL",
            json!({"site": "b2"}),
            Truth::False,
        ),
        (
            "attribute.site=not=null",
            json!({"site": "b2"}),
            Truth::True,
        ),
        ("attribute.site=not=null", json!({}), Truth::False),
        ("attribute.site==''", json!({"site": ""}), Truth::True),
        ("attribute.site==''", json!({"site": "b2"}), Truth::False),
        ("attribute.site=gt=''", json!({"site": "b2"}), Truth::True),
        ("attribute.site=gt=''", json!({"site": ""}), Truth::False),
    ] {
        let document = thing(attributes);
        assert_eq!(
            on(text, Dialect::Rsql, document.clone()),
            expected,
            "{text} {document}"
        );
    }
    assert_eq!(codes("attribute.site=gt=b*", Dialect::Rsql), ["query.type"]);
}

#[test]
fn a_twin_change_is_the_patch_in_the_body() {
    let change = json!({"body": {"properties": {"reported": {"battery": null, "fan": 3}}}});
    for (path, expected) in [
        ("properties.reported.fan", Truth::True),
        ("properties.reported.battery", Truth::True),
        ("properties.reported.door", Truth::False),
        ("properties.desired.fan", Truth::False),
    ] {
        let text = format!("TWIN_CHANGE_INCLUDES({path})");
        assert_eq!(
            on(&text, Dialect::Routing, change.clone()),
            expected,
            "{path}"
        );
    }
}
