use super::*;
use crate::expression::Expression;
use crate::profile::{AWS, IOT_HUB, RSQL};
use crate::value::Scalar;
use serde_json::json;

fn path() -> FieldPath {
    FieldPath::of(["tags", "x"])
}

/// What a predicate is on a document that holds this value at its path.
fn on(value: Value, predicate: &Predicate, profile: &Profile) -> Truth {
    let document = json!({"deviceId": "d", "tags": {"x": value}});
    eval_predicate(predicate, profile, Document::new(&document))
}

fn matching(pattern: Pattern) -> Predicate {
    Predicate::Match {
        path: path(),
        pattern,
    }
}

#[test]
fn nothing_is_in_no_list_and_out_of_it_only_where_it_is_there() {
    let list = |membership| Predicate::In {
        path: path(),
        values: Vec::new(),
        membership,
    };
    let missing = json!({"deviceId": "d"});
    let judge = |membership| eval_predicate(&list(membership), &IOT_HUB, Document::new(&missing));
    assert_eq!(judge(Membership::NotIn), Truth::Undefined);
    assert_eq!(judge(Membership::In), Truth::False);
    assert_eq!(
        on(json!(1), &list(Membership::NotIn), &IOT_HUB),
        Truth::True
    );
    assert_eq!(on(json!(1), &list(Membership::In), &IOT_HUB), Truth::False);
    let computed = |field: Expression| {
        Predicate::General(Expression::In {
            value: Box::new(field),
            items: Vec::new(),
            membership: Membership::NotIn,
        })
    };
    for (field, expected) in [
        (Expression::Undefined, Truth::Undefined),
        (Expression::Field(path()), Truth::True),
    ] {
        assert_eq!(on(json!(1), &computed(field), &IOT_HUB), expected);
    }
}

#[test]
fn a_range_open_at_both_ends_holds_numbers_and_texts() {
    let open = Predicate::Range {
        path: path(),
        low: None,
        high: None,
    };
    for (value, expected) in [
        (json!(5), Truth::True),
        (json!("5"), Truth::True),
        (json!("five"), Truth::True),
        (json!(true), Truth::False),
        (json!(null), Truth::False),
        (json!(1e300), Truth::False),
    ] {
        assert_eq!(on(value.clone(), &open, &AWS), expected, "{value}");
    }
}

#[test]
fn patterns_are_tried_on_the_text_of_numbers_and_booleans() {
    let term = |text: &str| {
        matching(Pattern::Term {
            text: text.into(),
            number: None,
        })
    };
    for (value, text, expected) in [
        (json!(25.5), "25.5", Truth::True),
        (json!(25.5), "25", Truth::False),
        (json!(true), "true", Truth::True),
        (json!(["a", 7]), "7", Truth::True),
        (json!({"y": 1}), "1", Truth::False),
    ] {
        assert_eq!(
            on(value.clone(), &term(text), &AWS),
            expected,
            "{value} {text}"
        );
        assert_eq!(
            on(value.clone(), &term(text), &RSQL),
            expected,
            "{value} {text}"
        );
    }
}

#[test]
fn under_ordinal_text_a_term_is_the_whole_text_and_a_phrase_is_nothing() {
    let term = matching(Pattern::Term {
        text: "a b".into(),
        number: Some(5.0),
    });
    assert_eq!(on(json!("a b"), &term, &IOT_HUB), Truth::True);
    assert_eq!(on(json!("A b"), &term, &IOT_HUB), Truth::False);
    assert_eq!(on(json!("a"), &term, &IOT_HUB), Truth::False);
    assert_eq!(on(json!(5), &term, &IOT_HUB), Truth::Undefined);
    let phrase = matching(Pattern::Phrase(vec!["a".into()]));
    assert_eq!(on(json!("a"), &phrase, &IOT_HUB), Truth::False);
}

#[test]
fn an_array_of_nulls_has_no_value_in_the_index() {
    let there = Predicate::Defined { path: path() };
    assert_eq!(on(json!([null]), &there, &AWS), Truth::False);
    assert_eq!(on(json!([null, 1]), &there, &AWS), Truth::True);
    assert_eq!(on(json!([null]), &there, &IOT_HUB), Truth::True);
}

#[test]
fn a_constant_is_compared_from_either_side() {
    let compare = |op, value| Predicate::Compare {
        path: path(),
        op,
        value,
    };
    let text = |text: &str| Scalar::Text(text.into());
    assert_eq!(
        on(json!(["a", "b"]), &compare(CompareOp::Eq, text("B")), &RSQL),
        Truth::True
    );
    assert_eq!(
        on(
            json!(true),
            &compare(CompareOp::Eq, Scalar::Bool(true)),
            &RSQL
        ),
        Truth::True
    );
    assert_eq!(
        on(
            json!("true"),
            &compare(CompareOp::Eq, Scalar::Bool(true)),
            &RSQL
        ),
        Truth::False
    );
    assert_eq!(
        on(
            json!(true),
            &compare(CompareOp::Gt, Scalar::Bool(false)),
            &AWS
        ),
        Truth::True
    );
}
