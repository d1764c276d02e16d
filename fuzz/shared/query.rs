//! What holds of every text in every dialect.
use fleet_query::schema::Schema;
use fleet_query::{
    Diagnostic, Dialect, Document, Mode, Query, algebra, diagnostic, explain, syntax, translate,
};

fn sound(found: &[Diagnostic], text: &str) {
    assert!(!found.is_empty());
    for one in found {
        assert!(
            one.span.start <= one.span.end && one.span.end <= text.len(),
            "{one:?}"
        );
    }
    let _ = diagnostic::render(found, text);
}

/// Refused with diagnostics that point into the text, or it prints and reads back, and runs.
pub fn check(text: &str, dialect: Dialect) {
    for mode in [Mode::Lenient, Mode::Strict] {
        match syntax::parse(text, dialect, mode) {
            Err(found) => sound(&found, text),
            Ok(ast) => {
                let printed = syntax::print(&ast, dialect);
                match syntax::parse(&printed, dialect, Mode::Lenient) {
                    Ok(again) => assert_eq!(again, ast, "{printed}"),
                    // Canonical spacing and quoting may be longer than the text.
                    Err(found) => assert!(
                        found.iter().all(|one| one.code() == "query.too_long"),
                        "{printed} {found:?}"
                    ),
                }
            }
        }
        match Query::parse(text, dialect, mode) {
            Err(found) => sound(&found, text),
            Ok(query) => {
                let fleet = serde_json::json!([
                    {"deviceId": "a", "tags": {"a": 1, "b": ["x"]}, "properties": {"reported": {"x": null}, "desired": {"x": {"y": 2}}}},
                    {"deviceId": "b", "appProperties": {"a": "x"}, "body": {"a": [1]}, "attributes": {"a": "75"}}
                ]);
                let fleet: Vec<_> = fleet.as_array().into_iter().flatten().collect();
                let _ = query.run(fleet.iter().copied());
                let _ = query.check(&Schema::of_documents(fleet.iter().copied()));
                for document in fleet {
                    let found = explain::explain(query.condition(), Document::new(document));
                    assert_eq!(found.root.truth, query.matches(Document::new(document)));
                }
                for to in Dialect::ALL {
                    let _ = translate::translate(&query, to, &Schema::new());
                }
                assert!(!matches!(
                    algebra::implies(query.condition(), query.condition()),
                    algebra::Verdict::No { .. }
                ));
            }
        }
    }
}
