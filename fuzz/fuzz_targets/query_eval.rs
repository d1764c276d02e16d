//! The evaluator: any condition on any document; two conditions, of one dialect or of two, and what the algebra says of them.
//! The input is one dialect letter or two, then two conditions and a document, one a line.
#![no_main]
use fleet_query::document::{Document, normalise};
use fleet_query::{Dialect, Mode, Query, Truth, algebra, eval};
use libfuzzer_sys::fuzz_target;

fn dialect(letter: char) -> Dialect {
    match letter {
        'a' => Dialect::Aws,
        'g' => Dialect::AwsGroups,
        'r' => Dialect::Rsql,
        'm' => Dialect::Routing,
        't' => Dialect::Target,
        'o' => Dialect::TargetModules,
        _ => Dialect::IotHub,
    }
}

fn parse(text: &str, dialect: Dialect) -> Option<Query> {
    let text = match dialect {
        Dialect::IotHub => format!("SELECT * FROM devices WHERE {text}"),
        Dialect::TargetModules => format!("from devices.modules where {text}"),
        _ => text.to_owned(),
    };
    Query::parse(&text, dialect, Mode::Lenient).ok()
}

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(4, '\n');
    let letters = lines.next().unwrap_or_default();
    let first = dialect(letters.chars().next().unwrap_or('i'));
    let second = letters.chars().nth(1).map_or(first, dialect);
    let mut next = |dialect| lines.next().and_then(|text| parse(text, dialect));
    let (Some(a), Some(b)) = (next(first), next(second)) else {
        return;
    };
    let Some(Ok(document)) = lines.next().map(serde_json::from_str) else {
        return;
    };
    let Ok(document) = normalise(first.collection(), document) else {
        return;
    };
    let view = Document::new(&document);
    let (on_a, on_b) = (a.matches(view), b.matches(view));
    let implied = algebra::implies(a.condition(), b.condition());
    if implied.is_yes() {
        assert!(on_a != Truth::True || on_b == Truth::True);
    }
    if let Some(witness) = implied.witness() {
        let view = Document::new(witness);
        assert!(a.matches(view) == Truth::True && b.matches(view) != Truth::True);
    }
    let apart = algebra::disjoint(a.condition(), b.condition());
    if apart.is_yes() {
        assert!(on_a != Truth::True || on_b != Truth::True);
    }
    if let Some(witness) = apart.witness() {
        let view = Document::new(witness);
        assert!(a.matches(view) == Truth::True && b.matches(view) == Truth::True);
    }
    let normal = algebra::normalise(a.condition());
    assert_eq!(eval::eval(&normal, view), on_a);
});
