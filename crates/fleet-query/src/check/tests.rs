use super::names::written;
use crate::diagnostic::render;
use crate::dialect::{Dialect, Mode};
use crate::path::FieldPath;
use crate::query::{Prepared, Query};
use crate::schema::Schema;
use crate::value::Scalar;
use serde_json::json;

fn fleet() -> Schema {
    Schema::of_documents(&[
        json!({"deviceId": "a", "tags": {"region": "EU", "floor": 5}, "attributes": {"site": "b2"},
               "properties": {"reported": {"battery": 55, "conn": "wifi"}}}),
    ])
}

/// Everything that is said of a text, errors or warnings.
fn said(text: &str, dialect: Dialect, mode: Mode) -> String {
    match Query::parse(text, dialect, mode) {
        Ok(query) => render(&query.check(&fleet()), text),
        Err(found) => render(&found, text),
    }
}

#[test]
fn doubtful_and_wrong_texts_are_explained() {
    let all = "SELECT * FROM devices WHERE ";
    let shown: Vec<String> = [
        (
            Dialect::IotHub,
            Mode::Lenient,
            format!("{all}tags.a = 1 AND tags.a = 2"),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            "SELECT DISTINCT region FROM devices".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.floor > 5 AND tags.floor < 3".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.region = 'EU' OR tags.region != 'EU'".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.region = 'EU' AND (tags.floor = 1 AND tags.floor = 2)".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.regoin = 'EU'".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.battery > 5".to_owned(),
        ),
        (
            Dialect::Target,
            Mode::Lenient,
            "tags.floor = '5' AND tags.region = 7".to_owned(),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            format!("{all}region = 'EU' AND devicId = 'a'"),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            format!("{all}has_interface(tags.region)"),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            format!("{all}STARTWITH(deviceId, 'a') AND is_defined(tags.floor, 1)"),
        ),
        (
            Dialect::IotHub,
            Mode::Strict,
            format!("{all}STARTS_WITH(deviceId, 'a')"),
        ),
        (
            Dialect::IotHub,
            Mode::Strict,
            format!("{all}tags.select = 'a'"),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            "SELECT tags.a, tags.b AS x FROM devices GROUP BY tags.a".to_owned(),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            "SELECT COUNT(tags.a), AVG(), MEDIAN(tags.b) FROM devices".to_owned(),
        ),
        (
            Dialect::IotHub,
            Mode::Lenient,
            "SELECT TOP 0 * FROM device.modules".to_owned(),
        ),
        (
            Dialect::IotHubModules,
            Mode::Lenient,
            "SELECT * FROM devices".to_owned(),
        ),
        (
            Dialect::Routing,
            Mode::Lenient,
            "key1 = 3 and $body.a[] = 1".to_owned(),
        ),
        (
            Dialect::Aws,
            Mode::Lenient,
            "thingname:a and tags.x:1".to_owned(),
        ),
        (
            Dialect::Aws,
            Mode::Lenient,
            "thingName:*a AND thingName:?b AND thingId:a*b*c*".to_owned(),
        ),
        (
            Dialect::Aws,
            Mode::Lenient,
            "attributes.a:[1 TO z] shadow.version:3".to_owned(),
        ),
        (
            Dialect::Aws,
            Mode::Lenient,
            "deviceDefender.p.b.inViolation:false".to_owned(),
        ),
        (
            Dialect::Aws,
            Mode::Lenient,
            "attributes.site:@site".to_owned(),
        ),
        (
            Dialect::AwsGroups,
            Mode::Lenient,
            "parentGroupNames:a thingName:b".to_owned(),
        ),
        (
            Dialect::Rsql,
            Mode::Lenient,
            "tag.floor=gt=a*;colour==red".to_owned(),
        ),
    ]
    .into_iter()
    .map(|(dialect, mode, text)| said(&text, dialect, mode))
    .collect();
    insta::assert_snapshot!(shown.join("\n=====\n"));
}

#[test]
fn parameters_are_typed_and_never_read_as_text() {
    let prepared = Prepared::parse(
        "SELECT * FROM devices WHERE tags.a = @a AND tags.b IN [@b, 1]",
        Dialect::IotHub,
        Mode::Lenient,
    )
    .unwrap();
    assert_eq!(
        prepared
            .parameters()
            .iter()
            .map(String::as_str)
            .collect::<Vec<_>>(),
        ["a", "b"]
    );
    let bind = |values: &[(&str, Scalar)]| {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        prepared
            .bind(&values)
            .map(|query| query.print())
            .map_err(|found| found[0].code())
    };
    let text = Scalar::Text("' OR 1 = 1".into());
    assert_eq!(
        bind(&[("a", text.clone()), ("b", Scalar::Bool(true))]).unwrap(),
        "SELECT * FROM devices WHERE tags.a = ''' OR 1 = 1' AND tags.b IN [true, 1]",
    );
    assert_eq!(bind(&[("a", text.clone())]), Err("query.unbound_parameter"));
    assert_eq!(
        bind(&[("a", text), ("b", Scalar::Null), ("c", Scalar::Null)]),
        Err("query.unknown_parameter"),
    );
    let index = Prepared::parse(
        "attributes.site:@s AND attributes.n > @n AND thingName:[@s TO *]",
        Dialect::Aws,
        Mode::Lenient,
    )
    .unwrap();
    let query = index.bind(
        &[
            ("s".into(), Scalar::Text("b2 OR x".into())),
            ("n".into(), Scalar::Number(5.0)),
        ]
        .into(),
    );
    assert_eq!(
        query.unwrap().print(),
        r#"attributes.site:"b2 OR x" AND attributes.n > 5 AND thingName:["b2 OR x" TO *]"#
    );
    let wrong = index.bind(&[("s".into(), Scalar::Null), ("n".into(), Scalar::Bool(true))].into());
    assert!(
        wrong
            .unwrap_err()
            .iter()
            .all(|one| one.code() == "query.type")
    );
}

/// What is said of a text against a schema: the part it is said of, the message and the help.
pub(super) fn notes(text: &str, dialect: Dialect, mode: Mode, schema: &Schema) -> Vec<[String; 3]> {
    let found = match Query::parse(text, dialect, mode) {
        Ok(query) => query.check(schema),
        Err(found) => found,
    };
    found
        .into_iter()
        .map(|one| {
            [
                text.get(one.span.start..one.span.end).unwrap().to_owned(),
                one.message,
                one.help.unwrap_or_default(),
            ]
        })
        .collect()
}

/// One note, part by part. Of the help only the beginning counts.
pub(super) fn assert_noted(
    dialect: Dialect,
    mode: Mode,
    schema: &Schema,
    rows: &[(&str, &str, &str, &str)],
) {
    for (text, part, message, help) in rows {
        let found = notes(text, dialect, mode, schema);
        let [one] = found.as_slice() else {
            panic!("{text}: {found:?}")
        };
        assert_eq!([&one[0], &one[1]], [part, message], "{text}");
        assert!(one[2].starts_with(help), "{text}: {}", one[2]);
        assert_eq!(one[2].is_empty(), help.is_empty(), "{text}");
    }
}

pub(super) fn assert_silent(dialect: Dialect, mode: Mode, schema: &Schema, texts: &[&str]) {
    for text in texts {
        let found = notes(text, dialect, mode, schema);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn a_wrong_number_of_arguments_names_the_right_one() {
    let part = |text: &'static str| text.split('(').next().unwrap();
    for (text, message) in [
        ("POWER(tags.n) = 1", "POWER takes 2 arguments, not 1"),
        (
            "CONCAT('a') = 'a'",
            "CONCAT takes 2 or more arguments, not 1",
        ),
        (
            "SUBSTRING('a') = 'a'",
            "SUBSTRING takes 2 to 3 arguments, not 1",
        ),
        ("IS_NULL() = true", "IS_NULL takes 1 argument, not 0"),
    ] {
        let row = (text, part(text), message, "");
        assert_noted(Dialect::Target, Mode::Lenient, &Schema::new(), &[row]);
    }
}

#[test]
fn strictly_a_dialect_has_the_functions_it_documents() {
    let nothing = Schema::new();
    assert_silent(
        Dialect::Routing,
        Mode::Strict,
        &nothing,
        &["IS_STRING(level)", "STARTS_WITH(level, 'a')"],
    );
    let missing = "`ARRAY_CONTAINS` does not exist in routing conditions as documented";
    assert_noted(
        Dialect::Routing,
        Mode::Strict,
        &nothing,
        &[("ARRAY_CONTAINS($body.a, 1)", "ARRAY_CONTAINS", missing, "")],
    );
    let all = "SELECT * FROM devices WHERE";
    assert_silent(
        Dialect::IotHub,
        Mode::Strict,
        &nothing,
        &[
            &format!("{all} IS_DEFINED(tags.a)"),
            &format!("{all} ARRAY_CONTAINS(tags.a, 1)"),
            &format!("{all} STARTSWITH(tags.a, 'a')"),
        ],
    );
}

#[test]
fn a_twin_change_names_a_path_of_the_twin() {
    let nothing = Schema::new();
    assert_silent(
        Dialect::Routing,
        Mode::Lenient,
        &nothing,
        &[
            "TWIN_CHANGE_INCLUDES(properties.reported.battery)",
            "TWIN_CHANGE_INCLUDES(properties.desired.battery)",
            "TWIN_CHANGE_INCLUDES(tags.region)",
        ],
    );
    let message = "TWIN_CHANGE_INCLUDES takes a path of the twin";
    for path in ["deviceId", "properties.battery", "tags"] {
        let text = format!("TWIN_CHANGE_INCLUDES({path})");
        let row = (text.as_str(), path, message, "write `TWIN_CHANGE_INCLUDES(");
        assert_noted(Dialect::Routing, Mode::Lenient, &nothing, &[row]);
    }
}

#[test]
fn the_smallest_dead_part_is_named() {
    let never = "this can never hold: no document is selected by it";
    let none = Schema::new();
    assert_noted(
        Dialect::Target,
        Mode::Lenient,
        &none,
        &[(
            "NOT (tags.a = 1 AND tags.a = 2)",
            "tags.a = 1 AND tags.a = 2",
            never,
            "its parts exclude each other",
        )],
    );
    assert_noted(
        Dialect::Aws,
        Mode::Lenient,
        &none,
        &[(
            "thingName:\"\" OR thingName:b",
            "thingName:\"\"",
            never,
            "the comparison",
        )],
    );
    assert_silent(Dialect::Aws, Mode::Lenient, &none, &["*"]);
    assert_silent(Dialect::Target, Mode::Lenient, &none, &["true", "false"]);
}

#[test]
fn a_condition_of_many_parts_is_not_searched_for_dead_ones() {
    // A comparison is three parts, two that exclude each other are seven.
    let with = |leaves: usize| {
        let many: Vec<String> = (0..leaves)
            .map(|n| format!("IS_DEFINED(tags.n{n})"))
            .collect();
        format!("(tags.a = 1 AND tags.a = 2) OR {}", many.join(" OR "))
    };
    let found = |leaves| {
        notes(
            &with(leaves),
            Dialect::Target,
            Mode::Lenient,
            &Schema::new(),
        )
        .len()
    };
    assert_eq!([found(28), found(29)], [1, 0]);
}

#[test]
fn the_field_alone_is_what_is_unknown() {
    assert_noted(
        Dialect::Aws,
        Mode::Lenient,
        &fleet(),
        &[
            (
                "attributes.siet:b2",
                "attributes.siet",
                "no document has a field `attributes.siet`",
                "did you mean `attributes.site`?",
            ),
            (
                "shadow.reported.batery > 5",
                "shadow.reported.batery",
                "no document has a field `shadow.reported.batery`",
                "did you mean `shadow.reported.battery`?",
            ),
        ],
    );
    assert_noted(
        Dialect::Rsql,
        Mode::Lenient,
        &fleet(),
        &[(
            "attribute.siet==b2",
            "attribute.siet",
            "no document has a field `attributes.siet`",
            "did you mean `attributes.site`?",
        )],
    );
}

#[test]
fn of_messages_is_judged_what_the_schema_tells() {
    let text = "lvel = 'x'";
    assert_silent(
        Dialect::Routing,
        Mode::Lenient,
        &fleet(),
        &[text, "$body.a = 1"],
    );
    let messages = Schema::of_documents(&[json!({"appProperties": {"level": "x"}})]);
    assert_silent(
        Dialect::Routing,
        Mode::Lenient,
        &messages,
        &["level = 'x'", "$body.a = 1"],
    );
    assert_noted(
        Dialect::Routing,
        Mode::Lenient,
        &messages,
        &[(
            text,
            "lvel",
            "no document has a field `lvel`",
            "did you mean `level`?",
        )],
    );
}

#[test]
fn kinds_that_never_meet_are_told() {
    let schema = Schema::of_documents(&[json!({
        "deviceId": "a",
        "tags": {"floor": 5, "on": true, "list": [1], "place": {"lat": 5}},
        "attributes": {"site": "b2"},
        "properties": {"reported": {"battery": 55, "on": true}},
    })]);
    let number = "`tags.floor` holds number only, never text";
    let bare = "leave the quotes away to compare it as a number";
    let twins = [
        ("tags.floor = 'a'", number, bare),
        ("STARTSWITH(tags.floor, 'a')", number, bare),
        ("NOT (tags.floor = 'a')", number, bare),
        (
            "tags.on = 'a'",
            "`tags.on` holds boolean only, never text",
            "compare it with true or false",
        ),
        (
            "tags.on > 1",
            "`tags.on` holds boolean only, never number",
            "compare it with true or false",
        ),
        (
            "tags.list = 'a'",
            "`tags.list` holds array only, never text",
            "write `ARRAY_CONTAINS(tags.list, value)`, or name an element: `tags.list[0]`",
        ),
        (
            "tags.place = 5",
            "`tags.place` holds object only, never number",
            "name a member: `tags.place.…`",
        ),
    ];
    for (text, message, help) in twins {
        let found = notes(text, Dialect::Target, Mode::Lenient, &schema);
        assert!(
            found.iter().any(|one| one[1] == message && one[2] == help),
            "{text}: {found:?}"
        );
    }
    let all = "SELECT * FROM devices WHERE";
    for list in ["tags.floor IN ['a', 'b']", "tags.floor NIN ['a', 'b']"] {
        let found = notes(
            &format!("{all} {list}"),
            Dialect::IotHub,
            Mode::Lenient,
            &schema,
        );
        assert!(
            found.iter().any(|one| one[1] == number && one[2] == bare),
            "{list}: {found:?}"
        );
    }
    let battery = "`shadow.reported.battery` holds number only, never text";
    let on = "`shadow.reported.on` holds boolean only, never number";
    for (text, message) in [
        ("shadow.reported.battery:[a TO z]", battery),
        ("shadow.reported.on > 5", on),
        ("shadow.reported.on:[1 TO 2]", on),
        ("shadow.reported.battery:([a TO c] OR [x TO z])", battery),
        ("shadow.reported.battery:(NOT [a TO c])", battery),
    ] {
        let found = notes(text, Dialect::Aws, Mode::Lenient, &schema);
        assert!(
            found.iter().any(|one| one[1] == message),
            "{text}: {found:?}"
        );
    }
    // A text may be a numeral there, and a word is searched in the text form of a number.
    assert_silent(
        Dialect::Aws,
        Mode::Lenient,
        &schema,
        &["attributes.site > 5", "shadow.reported.battery:5*"],
    );
}

#[test]
fn paths_are_written_as_the_dialect_writes_them() {
    let path = |keys: &[&str]| FieldPath::of(keys.iter().copied());
    for (dialect, keys, expected) in [
        (Dialect::Aws, &["deviceId"][..], "thingName"),
        (
            Dialect::Aws,
            &["properties", "reported", "a b"],
            "shadow.reported.a b",
        ),
        (Dialect::Aws, &["properties", "desired"], "shadow.desired"),
        (
            Dialect::Aws,
            &["namedShadows", "pump", "reported", "a"],
            "shadow.name.pump.reported.a",
        ),
        (Dialect::Aws, &["attributes", "a b"], "attributes.a b"),
        (Dialect::AwsGroups, &["attributes", "a b"], "attributes.a b"),
        (Dialect::Routing, &["appProperties", "level"], "level"),
        (Dialect::Routing, &["body", "a", "b"], "$body.a.b"),
        (Dialect::Routing, &["twin", "tags", "a"], "$twin.tags.a"),
        (Dialect::Target, &["tags", "a b"], "tags.[[a b]]"),
    ] {
        assert_eq!(
            written(&path(keys), dialect),
            expected,
            "{dialect} {keys:?}"
        );
    }
}

#[test]
fn unknown_roots_are_told_with_what_may_stand_there() {
    let none = Schema::new();
    let unknown =
        |name: &str| format!("there is no field `{name}` at the root: it is undefined everywhere");
    let devices = "SELECT * FROM devices WHERE";
    for (text, part, name, help) in [
        ("statu = 'x'", "statu", "statu", "did you mean `status`?"),
        (
            "devices.colour = 1",
            "devices.colour",
            "colour",
            "paths begin at the root of the twin: `tags.colour`, `properties.reported.colour` or `properties.desired.colour`; a text stands in quotes: 'colour'",
        ),
        (
            "Devices.Modules.statu = 1",
            "Devices.Modules.statu",
            "statu",
            "did you mean `status`?",
        ),
        (
            "devices.jobs.a.b = 1",
            "devices.jobs.a.b",
            "a",
            "paths begin at the root of the twin: `tags.b`, `properties.reported.b` or `properties.desired.b`",
        ),
        // A collection alone is a name.
        ("devices.jobs = 1", "devices.jobs", "jobs", "paths begin at"),
        (
            "devices = 1",
            "devices",
            "devices",
            "did you mean `deviceId`?",
        ),
        (
            "Reported.temp.a > 20",
            "Reported.temp.a",
            "Reported",
            "write `properties.Reported.temp.a`",
        ),
        (
            "desired.temp > 20",
            "desired.temp",
            "desired",
            "write `properties.desired.temp`",
        ),
    ] {
        let text = format!("{devices} {text}");
        let row = (text.as_str(), part, &*unknown(name), help);
        assert_noted(Dialect::IotHub, Mode::Lenient, &none, &[row]);
    }
    assert_noted(
        Dialect::IotHubJobs,
        Mode::Lenient,
        &none,
        &[
            (
                "SELECT * FROM devices.jobs WHERE colour = 1",
                "colour",
                &unknown("colour"),
                "the fields are deviceId, jobId",
            ),
            (
                "SELECT * FROM devices.jobs WHERE tags.a = 1",
                "tags.a",
                "job queries cannot name the twin's `tags`",
                "the fields of a job record are deviceId, jobId",
            ),
        ],
    );
    for (text, help) in [
        ("status = 'x'", "a target condition may only name"),
        ("colour.a = 'x'", "a target condition may only name"),
        (
            "tags.a = colour",
            "write `tags.colour` or `properties.reported.colour`; a text stands in quotes: 'colour'",
        ),
        ("reported.a.b = 1", "write `properties.reported.a.b`"),
        ("reported = 1", "write `tags.reported` or"),
    ] {
        let found = notes(text, Dialect::Target, Mode::Lenient, &none);
        assert!(
            found.iter().any(|one| one[2].starts_with(help)),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn fields_that_an_index_has_not_are_told_with_those_it_has() {
    let none = Schema::new();
    let unknown = |name: &str| format!("there is no field `{name}` in this index");
    let things = "the fields are thingName, ";
    let groups = "the fields are thingGroupName, ";
    for (dialect, field, help) in [
        (Dialect::Aws, "version", things),
        (Dialect::Aws, "colour.of.door", things),
        (Dialect::Aws, "shadow.colour.of.door", things),
        (
            Dialect::Aws,
            "tags.a",
            "tags are not in this index: it holds `attributes.x`",
        ),
        (
            Dialect::Aws,
            "Attributes.colour.of.door",
            "did you mean `attributes.colour.of.door`? field names are case-sensitive",
        ),
        (Dialect::Aws, "shadow.desired", things),
        (Dialect::Aws, "shadow.reported", things),
        (
            Dialect::Aws,
            "attributes",
            "did you mean `attributes.NAME`?",
        ),
        (
            Dialect::Aws,
            "shadow",
            "did you mean `shadow.reported.NAME`?",
        ),
        (
            Dialect::Aws,
            "connectivity",
            "did you mean `connectivity.connected`?",
        ),
        (Dialect::Aws, "deviceId", "did you mean `thingName`?"),
        (Dialect::Aws, "thingname", "did you mean `thingName`?"),
        (
            Dialect::Aws,
            "connected",
            "did you mean `connectivity.connected`?",
        ),
        (Dialect::Aws, "hasDelta", "did you mean `shadow.hasDelta`?"),
        (
            Dialect::Aws,
            "shadow.hasdelta",
            "did you mean `shadow.hasDelta`?",
        ),
        (
            Dialect::Aws,
            "shadow.temperature",
            "did you mean `shadow.reported.temperature`?",
        ),
        (
            Dialect::Aws,
            "reported.a.b",
            "did you mean `shadow.reported.a.b`?",
        ),
        (
            Dialect::Aws,
            "desired.a",
            "did you mean `shadow.desired.a`?",
        ),
        (Dialect::Aws, "reported", things),
        (
            Dialect::Aws,
            "properties.reported.a",
            "did you mean `shadow.reported.a`?",
        ),
        (Dialect::Aws, "properties.reported", things),
        (
            Dialect::Aws,
            "conectivity.of.door",
            "did you mean `connectivity.of.door`?",
        ),
        (Dialect::AwsGroups, "tags.a", groups),
        (Dialect::AwsGroups, "colour.of.door", groups),
        (
            Dialect::AwsGroups,
            "attributes",
            "did you mean `attributes.NAME`?",
        ),
        (
            Dialect::AwsGroups,
            "attribute.owner",
            "did you mean `attributes.owner`?",
        ),
        (Dialect::AwsGroups, "description.colour", groups),
        // What only things have is no help here.
        (Dialect::AwsGroups, "shado.reported.a", groups),
        (Dialect::AwsGroups, "shadow", groups),
        (Dialect::AwsGroups, "shadow.a", groups),
        (Dialect::AwsGroups, "reported.a", groups),
        (Dialect::AwsGroups, "properties.reported.a", groups),
        (Dialect::AwsGroups, "deviceId", groups),
        (Dialect::AwsGroups, "conectivity", groups),
        (
            Dialect::AwsGroups,
            "parentGroupName",
            "did you mean `parentGroupNames`?",
        ),
    ] {
        let text = format!("{field}:1");
        let row = (text.as_str(), field, &*unknown(field), help);
        assert_noted(dialect, Mode::Lenient, &none, &[row]);
    }
    assert_noted(
        Dialect::AwsGroups,
        Mode::Lenient,
        &none,
        &[(
            "version:1",
            "version",
            "`version` cannot be searched",
            "it is only returned",
        )],
    );
}

#[test]
fn kinds_of_messages_that_do_not_fit_are_told() {
    let none = Schema::new();
    let never = "text is never compared with a number";
    let quote = "properties of a message are text: quote the number";
    let compare = "properties of a message are text: compare it";
    let number = "properties of a message are text: use AS_NUMBER(property)";
    assert_noted(
        Dialect::Routing,
        Mode::Lenient,
        &none,
        &[
            ("p = 3", "p = 3", never, quote),
            ("$sys = 3", "$sys = 3", never, quote),
            (
                "3 = p",
                "3 = p",
                "a number is never compared with text",
                quote,
            ),
            (
                "p = true",
                "p = true",
                "text is never compared with a boolean",
                "",
            ),
            ("NOT p", "p", "`NOT` does not accept text", compare),
            ("p AND true", "p", "`AND` does not accept text", compare),
            ("true OR p", "p", "`OR` does not accept text", compare),
            ("'a' OR true", "'a'", "`OR` does not accept text", ""),
            ("p + 1 = 2", "p", "`+` does not accept text", number),
            ("- p = 2", "p", "`-` does not accept text", number),
            ("'a' + 1 = 2", "'a'", "`+` does not accept text", ""),
            ("p || 1 = 'a'", "1", "`||` does not accept a number", ""),
            ("ABS(p) = 1", "p", "`ABS` does not accept text", number),
            (
                "LOWER(3) = 'a'",
                "3",
                "`LOWER` does not accept a number",
                "",
            ),
            (
                "SUBSTRING(p, 'a') = 'a'",
                "'a'",
                "`SUBSTRING` does not accept text",
                "",
            ),
            (
                "SUBSTRING(1, 1) = 'a'",
                "1",
                "`SUBSTRING` does not accept a number",
                "",
            ),
            (
                "ARRAY_CONTAINS('a', 1)",
                "'a'",
                "`ARRAY_CONTAINS` does not accept text",
                "",
            ),
            (
                "ARRAY_CONTAINS(p, 1)",
                "p",
                "`ARRAY_CONTAINS` does not accept text",
                "",
            ),
            ("IS_NULL(NOT 3)", "3", "`NOT` does not accept a number", ""),
            (
                "(p ?? 3) = 'a'",
                "p ?? 3",
                "both sides of `??` are of one kind, not text and a number",
                "",
            ),
        ],
    );
    // Nulls among themselves stay null, and a boolean makes them one.
    let mixed = notes(
        "(null AND true) = null",
        Dialect::Routing,
        Mode::Lenient,
        &none,
    );
    assert_eq!(mixed[0][1], "a boolean is never compared with null");
    let nulls = "(null AND null) = null";
    let same = "this names no field: it is true whatever the document holds";
    let field = "a field stands without quotes";
    assert_noted(
        Dialect::Routing,
        Mode::Lenient,
        &none,
        &[(nulls, nulls, same, field)],
    );
    assert_silent(
        Dialect::Routing,
        Mode::Lenient,
        &none,
        &[
            "$BODY.a = 3",
            "$Twin.tags.a = 3",
            "AS_NUMBER(p) = 3",
            "SUBSTRING(p, 1, 2) = 'a'",
            "ARRAY_CONTAINS($body.a, 1)",
            "($body.a ?? 3) = 3",
            "(3 ?? $body.a) = 3",
        ],
    );
}
