//! The evaluator: any condition on any document; two conditions and what the algebra says of them.
//! The input is a dialect letter, then up to two conditions and a document, one a line.
#![no_main]
use fleet_query::document::{Document, normalise};
use fleet_query::{Dialect, Mode, Query, Truth, algebra};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(4, '\n');
    let dialect = match lines.next() {
        Some("a") => Dialect::Aws,
        Some("r") => Dialect::Rsql,
        Some("m") => Dialect::Routing,
        _ => Dialect::IotHub,
    };
    let mut next = || {
        let text = lines.next()?;
        let text = if dialect == Dialect::IotHub {
            format!("SELECT * FROM devices WHERE {text}")
        } else {
            text.to_owned()
        };
        Query::parse(&text, dialect, Mode::Lenient).ok()
    };
    let (Some(a), Some(b)) = (next(), next()) else {
        return;
    };
    let Some(Ok(document)) = lines.next().map(serde_json::from_str) else {
        return;
    };
    let Ok(document) = normalise(dialect.collection(), document) else {
        return;
    };
    let view = Document::new(&document);
    let (on_a, on_b) = (a.matches(view), b.matches(view));
    if algebra::implies(a.condition(), b.condition()).is_yes() {
        assert!(on_a != Truth::True || on_b == Truth::True);
    }
    if algebra::disjoint(a.condition(), b.condition()).is_yes() {
        assert!(on_a != Truth::True || on_b != Truth::True);
    }
    let normal = algebra::normalise(a.condition());
    assert_eq!(fleet_query::eval::eval(&normal, view), on_a);
});
