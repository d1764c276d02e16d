//! What users of SQL, Lucene and other RSQL are told when a text runs, but not as they mean it.

use super::tests::{assert_noted, assert_silent};
use crate::dialect::{Dialect, Mode};
use crate::schema::Schema;
use serde_json::json;

const ALL: &str = "SELECT * FROM devices WHERE";

/// Rows of one dialect with what stands before each text.
fn noted(dialect: Dialect, before: &str, rows: &[(&str, &str, &str, &str)]) {
    for (text, part, message, help) in rows {
        let text = format!("{before}{text}");
        let row = (text.as_str(), *part, *message, *help);
        assert_noted(dialect, Mode::Lenient, &Schema::new(), &[row]);
    }
}

#[test]
fn functions_of_sql_have_another_name_here() {
    let twins = |call: &str, help: &str| {
        let name = call.split('(').next().unwrap_or_default();
        let name = name.split(' ').next_back().unwrap_or_default();
        let message = format!("there is no function `{name}`");
        noted(Dialect::Target, "", &[(call, name, &message, help)]);
    };
    twins("deviceId > now()", "times are texts: write the instant");
    twins("COUNT() > 1", "aggregates stand in the list of SELECT only");
    twins(
        "Coalesce(tags.a, 'x') = 'x'",
        "ask with `IS_DEFINED(field)`",
    );
    twins("EXISTS(tags.a)", "write `IS_DEFINED(field)`");
    twins("LEN(tags.a) = 1", "write `LENGTH(text)`");
    twins("CAST(tags.a) = 1", "write `AS_NUMBER(text)`");
    twins("REGEXP(tags.a, 'x')", "there are no regular expressions");
    twins("LENGHT(tags.a) = 1", "did you mean `LENGTH`?");
    twins(
        "frobnicate(tags.a) = 1",
        "the functions are IS_DEFINED, IS_NULL, IS_BOOL, IS_NUMBER, IS_STRING, IS_OBJECT, IS_ARRAY, IS_PRIMITIVE, AS_NUMBER, ABS, \
         EXP, POWER, SQUARE, CEILING, FLOOR, SIGN, SQRT, CONCAT, LENGTH, LOWER, UPPER, SUBSTRING, INDEX_OF, STARTSWITH, ENDSWITH, \
         CONTAINS, ARRAY_CONTAINS",
    );
    let message = "there is no function `frobnicate`";
    for (dialect, text, help) in [
        (
            Dialect::Target,
            "frobnicate(tags.a)",
            "this dialect has no functions",
        ),
        (
            Dialect::IotHub,
            "SELECT * FROM devices WHERE frobnicate(tags.a)",
            "the functions are IS_DEFINED, STARTSWITH, ARRAY_CONTAINS",
        ),
    ] {
        let row = (text, "frobnicate", message, help);
        assert_noted(dialect, Mode::Strict, &Schema::new(), &[row]);
    }
}

#[test]
fn a_part_that_names_no_field_is_doubtful() {
    let field = "a field stands without quotes";
    let full = "write each comparison in full: `a = 'x' OR a = 'y'`";
    let text = "a text is no condition: it is never true";
    let number = "a number is no condition: it is never true";
    noted(
        Dialect::Target,
        "",
        &[
            ("deviceId = 'a' OR 'b'", "'b'", text, full),
            ("tags.floor = 1 OR 2", "2", number, full),
            (
                "IS_DEFINED('tags.region')",
                "IS_DEFINED('tags.region')",
                "this names no field: it is true whatever the document holds",
                field,
            ),
            (
                "'tags.region' = 'EU' AND tags.on",
                "'tags.region' = 'EU'",
                "this names no field: it is false whatever the document holds",
                field,
            ),
            (
                "'a' + 'b' = 'ab'",
                "'a' + 'b' = 'ab'",
                "this names no field: it is undefined whatever the document holds",
                field,
            ),
        ],
    );
    noted(
        Dialect::IotHub,
        ALL,
        &[(
            " 'tags.region' IN ['EU']",
            "'tags.region' IN ['EU']",
            "this names no field: it is false whatever the document holds",
            field,
        )],
    );
    for (dialect, texts) in [
        (
            Dialect::Target,
            [
                "true",
                "NOT IS_DEFINED(tags.a)",
                "LENGTH(LOWER(tags.a)) + 1 = 2",
                "deviceId = 'a' OR false",
            ],
        ),
        (
            Dialect::Routing,
            [
                "true",
                "$body.a = 1",
                "IS_DEFINED(level)",
                "CONCAT('a', level) = 'ab'",
            ],
        ),
    ] {
        assert_silent(dialect, Mode::Lenient, &Schema::new(), &texts);
    }
    // The existence of an id is how RSQL writes everything.
    assert_silent(Dialect::Rsql, Mode::Lenient, &Schema::new(), &["id==*"]);
    assert_silent(
        Dialect::Aws,
        Mode::Lenient,
        &Schema::new(),
        &["thingName:*"],
    );
    noted(
        Dialect::Rsql,
        "",
        &[(
            "id=is=null",
            "id=is=null",
            "this can never hold: no document is selected by it",
            "the comparison is never true",
        )],
    );
}

#[test]
fn a_field_elsewhere_with_the_same_last_name_is_offered() {
    let schema = Schema::of_documents(&[json!({
        "deviceId": "a",
        "tags": {"level": 1, "temperature": 1},
        "properties": {"reported": {"battery": {"level": 5}}, "desired": {"fan": {"speed": 5}}},
    })]);
    let rows = [
        // Of several the closest.
        (
            "properties.reported.batery.level = 1",
            "did you mean `properties.reported.battery.level`?",
        ),
        (
            "tags.fan.speed = 1",
            "did you mean `properties.desired.fan.speed`?",
        ),
        ("tags.temprature = 1", "did you mean `tags.temperature`?"),
        ("tags.colour = 1", ""),
    ];
    for (text, help) in rows {
        let field = text.strip_suffix(" = 1").unwrap_or_default();
        let text = format!("{ALL} {text}");
        let message = format!("no document has a field `{field}`");
        let row = (text.as_str(), field, message.as_str(), help);
        assert_noted(Dialect::IotHub, Mode::Lenient, &schema, &[row]);
    }
}

#[test]
fn properties_hold_what_is_desired_and_what_is_reported() {
    let message = "there is no `properties.temp`: it is undefined everywhere";
    let help = "write `properties.reported.temp` or `properties.desired.temp`";
    noted(
        Dialect::IotHub,
        ALL,
        &[(
            " properties.temp.a > 20",
            "properties.temp.a",
            message,
            help,
        )],
    );
    let both = format!("{ALL} Properties.Reported.a = 1 OR properties.DESIRED.a = 1");
    assert_silent(Dialect::IotHub, Mode::Lenient, &Schema::new(), &[&both]);
    // Said once, by what refuses it.
    noted(
        Dialect::Target,
        "",
        &[(
            "properties.temp = 1",
            "properties.temp",
            "`properties.temp` cannot stand in a target condition",
            "a target condition may only name deviceId, tags and properties.reported",
        )],
    );
}

#[test]
fn null_is_a_word_of_two_operators_of_rsql() {
    let message = "`null` is compared as text";
    let help = "write `=is=null` or `=not=null`; if the text is meant, quote it";
    let rows = [
        "tag.a==null",
        "tag.a!=null",
        "tag.a=in=(b,null)",
        "tag.a=out=(null)",
    ];
    for text in rows {
        noted(Dialect::Rsql, "", &[(text, "null", message, help)]);
    }
    let quiet = [
        "tag.a=is=null",
        "tag.a=not=null",
        "tag.a=='null'",
        "tag.a==nul*",
        "tag.a==other",
    ];
    assert_silent(Dialect::Rsql, Mode::Lenient, &Schema::new(), &quiet);
}

#[test]
fn words_that_look_like_another_language_are_searched_with_a_warning() {
    let word = |word: &str| format!("`{word}` is searched as a word");
    let value = "write `field:value`, `field:[low TO high]`, `field > number` or `field:*`";
    for (text, part, help) in [
        (
            "SELECT",
            "SELECT",
            "a query of this dialect is a condition only",
        ),
        (
            "thingName:a | attributes.b:c",
            "|",
            "write `OR` for the operator",
        ),
        (
            "thingName:a || attributes.b:c",
            "||",
            "write `OR` for the operator",
        ),
        (
            "thingName:a & attributes.b:c",
            "&",
            "write `AND` for the operator",
        ),
        ("thingName:a BETWEEN 1", "BETWEEN", value),
        ("exists thingTypeNam", "exists", value),
    ] {
        noted(Dialect::Aws, "", &[(text, part, &word(part), help)]);
    }
    let part = "`!` is searched as part of the word";
    let not = "write NOT before the field: `NOT field:value`";
    noted(
        Dialect::Aws,
        "",
        &[
            ("attributes.site:!b2", "!b2", part, not),
            ("attributes.site:!b*", "!b*", part, not),
            (
                "connectivity.connected",
                "connectivity.connected",
                "`connectivity.connected` is searched as a word in every field",
                "write `connectivity.connected:value`, or `connectivity.connected:*` for whether there is a value",
            ),
        ],
    );
    let quiet = [
        "attributes.site:b!",
        "pump connectivity.unknown",
        "connectivity",
    ];
    assert_silent(Dialect::Aws, Mode::Lenient, &Schema::new(), &quiet);
    assert_silent(
        Dialect::AwsGroups,
        Mode::Lenient,
        &Schema::new(),
        &["thingName"],
    );
}

#[test]
fn names_of_messages_swallow_what_is_meant_otherwise() {
    let read = |name: &str| format!("`{name}` is read as the name of a property");
    for (text, name, help) in [
        (
            "Body.mode = 'x'",
            "Body.mode",
            "a member of it is written `$Body.mode`",
        ),
        (
            "twin.tags.a = 'x'",
            "twin.tags.a",
            "a member of it is written `$twin.tags.a`",
        ),
        (
            "tags.a = 'x'",
            "tags.a",
            "a member of the twin is written `$twin.tags.a`",
        ),
        (
            "properties.reported.a = 'x'",
            "properties.reported.a",
            "a member of the twin is written `$twin.properties.reported.a`",
        ),
        ("level = True", "True", "write `true`"),
        ("level = NULL", "NULL", "write `null`"),
    ] {
        noted(Dialect::Routing, "", &[(text, name, &read(name), help)]);
    }
    let part = |sign: char, name: &str| format!("`{sign}` is read as part of the name `{name}`");
    let help = "operators need spaces around them";
    for (text, name, sign) in [
        ("level!='hot'", "level!", '!'),
        ("a+b = 'x'", "a+b", '+'),
        ("$body.a*2 > 2", "$body.a*2", '*'),
    ] {
        noted(
            Dialect::Routing,
            "",
            &[(text, name, &part(sign, name), help)],
        );
    }
    let quiet = [
        "trailer = 'x'",
        "bodywork = 'x'",
        "$iothub-connection-device-id = 'd'",
        "my-key.a = 'x'",
        "body = 'x'",
    ];
    assert_silent(Dialect::Routing, Mode::Lenient, &Schema::new(), &quiet);
    // All that is said of `*`: how everything is written, and that this is not it.
    let all = super::tests::notes("*", Dialect::Routing, Mode::Lenient, &Schema::new());
    assert_eq!(all[0][2], "every message is `true`");
}

#[test]
fn kinds_that_never_meet_in_messages_have_a_remedy() {
    let text_number = "text is never compared with a number";
    let text_null = "text is never compared with null";
    noted(
        Dialect::Routing,
        "",
        &[
            (
                "'temperature' > 50",
                "'temperature' > 50",
                text_number,
                "a name stands without quotes",
            ),
            (
                "level = null",
                "level = null",
                text_null,
                "write `IS_NULL(name)`",
            ),
            (
                "null = level",
                "null = level",
                "null is never compared with text",
                "write `IS_NULL(name)`",
            ),
            (
                "level = 'hot' || level = 'warm'",
                "level = 'hot' || level = 'warm'",
                "a boolean is never compared with text",
                "`||` joins texts: write OR between conditions",
            ),
            (
                "1 < $body.a < 5",
                "1 < $body.a < 5",
                "a boolean is never compared with a number",
                "a comparison does not chain: join two with AND",
            ),
            (
                "level ?? 'x' = 'hot'",
                "level ?? 'x' = 'hot'",
                "both sides of `??` are of one kind, not text and a boolean",
                "`??` is the loosest operator",
            ),
            // Only the path is wrong, not what it is compared with.
            (
                "$body[0].a = 1",
                "$body[0].a",
                "`$body[0].a` names no member",
                "write the path of a member",
            ),
        ],
    );
}

#[test]
fn a_part_in_brackets_is_shown_with_them() {
    noted(
        Dialect::Routing,
        "",
        &[
            (
                "(p ?? 'x') = 3 AND true",
                "(p ?? 'x') = 3",
                "text is never compared with a number",
                "properties of a message are text",
            ),
            (
                "3 = (p ?? 'x')",
                "3 = (p ?? 'x')",
                "a number is never compared with text",
                "properties of a message are text",
            ),
        ],
    );
    noted(
        Dialect::Target,
        "",
        &[(
            "tags.a = 1 AND (NOT (tags.a = 1))",
            "tags.a = 1 AND (NOT (tags.a = 1))",
            "this can never hold: no document is selected by it",
            "its parts exclude each other",
        )],
    );
    noted(
        Dialect::Target,
        "",
        &[(
            "tags.b = 2 AND NOT (tags.a = 1 OR tags.a != 1 OR NOT IS_DEFINED(tags.a))",
            "tags.a = 1 OR tags.a != 1 OR NOT IS_DEFINED(tags.a)",
            "this holds wherever it is defined",
            "its parts cover every value",
        )],
    );
}

#[test]
fn a_remedy_fits_what_it_is_said_of() {
    let said = |text: &str, dialect, schema: &Schema| {
        let found = super::tests::notes(text, dialect, Mode::Lenient, schema);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        found[0].clone()
    };
    // Only under `properties` is the section a part of what cannot stand there.
    let [_, message, _] = said("status.a = 1", Dialect::Target, &Schema::new());
    assert_eq!(message, "`status` cannot stand in a target condition");
    // A name of several steps is no text whose quotes were forgotten.
    let path = format!("{ALL} frob.nicate = 1");
    let [_, _, help] = said(&path, Dialect::IotHub, &Schema::new());
    assert!(help.ends_with("or `properties.desired.nicate`"), "{help}");
    let name = format!("{ALL} frobnicate = 1");
    let [_, _, help] = said(&name, Dialect::IotHub, &Schema::new());
    assert!(
        help.ends_with("a text stands in quotes: 'frobnicate'"),
        "{help}"
    );
    // Quotes are no matter where neither texts nor numbers are held.
    let nulls = Schema::of_documents(&[json!({"deviceId": "a", "tags": {"a": null}})]);
    let text = format!("{ALL} tags.a = 'x'");
    let [_, _, help] = said(&text, Dialect::IotHub, &nulls);
    assert_eq!(help, "compare it with null");
}
