use super::*;
use crate::value::Kind;
use serde_json::Value;

#[test]
fn the_table_of_translations() {
    let table: Value =
        serde_json::from_str(include_str!("../../tests/tables/translations.json")).unwrap();
    for case in table["cases"].as_array().unwrap() {
        let dialect = |key: &str| case[key].as_str().unwrap().parse::<Dialect>().unwrap();
        let mut schema = Schema::new();
        for (path, kind) in case
            .get("schema")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            let kind = match kind.as_str().unwrap() {
                "number" => Kind::Number,
                "boolean" => Kind::Bool,
                other => panic!("{other}"),
            };
            schema = schema.with(FieldPath::of(path.split('.')), kind);
        }
        let query = Query::parse(
            case["text"].as_str().unwrap(),
            dialect("from"),
            Mode::Lenient,
        )
        .unwrap_or_else(|found| panic!("{case}: {found:?}"));
        match (
            translate(&query, dialect("to"), &schema),
            case.get("expected"),
        ) {
            (Ok(text), Some(expected)) => assert_eq!(text, expected.as_str().unwrap(), "{case}"),
            (Err(found), None) => {
                assert!(!found.is_empty());
                assert!(
                    found.iter().all(|one| one.code() == case["refused"]),
                    "{case} {found:?}"
                );
            }
            (other, _) => panic!("{case}: {other:?}"),
        }
    }
}
