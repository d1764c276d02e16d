use crate::diagnostic::render;
use crate::dialect::{Dialect, Mode};
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
