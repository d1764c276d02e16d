//! The oracle is the reference evaluator on every condition.

use super::*;
use crate::document::Document;
use crate::eval;
use crate::expression::{Expression, Membership};
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece, Wildcard};
use crate::predicate::{Bound, Edge, KindTest, Predicate};
use crate::profile;
use crate::value::{CompareOp, Scalar, Truth};
use proptest::prelude::*;
use serde_json::json;
use std::collections::BTreeMap;

const PATHS: [&[&str]; 6] = [
    &["tags", "a"],
    &["tags", "b"],
    &["properties", "reported", "n"],
    &["properties", "reported", "m", "x"],
    &["attributes", "a"],
    &["appProperties", "p"],
];

fn value() -> impl Strategy<Value = Value> {
    let simple = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-3..4i32).prop_map(|n| json!(f64::from(n) / 2.0)),
        (-2..3i32).prop_map(|n| json!(n)),
        prop::sample::select(vec![
            "", "a", "A", "ab", "Ab c", "b", "1", "-0.5", "true", "c ab"
        ])
        .prop_map(|t| json!(t)),
    ];
    prop_oneof![
        8 => simple.clone(),
        1 => prop::collection::vec(simple.clone(), 0..3).prop_map(Value::Array),
        1 => simple.prop_map(|value| json!({ "x": value })),
    ]
}

fn document() -> impl Strategy<Value = Value> {
    prop::collection::vec(prop::option::weighted(0.7, value()), PATHS.len()).prop_map(|values| {
        let mut root = json!({"deviceId": "d"});
        for (path, value) in PATHS.iter().zip(values) {
            let Some(value) = value else { continue };
            let mut at = &mut root;
            for key in *path {
                if !at.is_object() {
                    *at = json!({});
                }
                at = at
                    .as_object_mut()
                    .unwrap()
                    .entry((*key).to_owned())
                    .or_insert(json!({}));
            }
            *at = value;
        }
        root
    })
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        1 => Just(Scalar::Null),
        1 => any::<bool>().prop_map(Scalar::Bool),
        3 => (-3..4i32).prop_map(|n| Scalar::Number(f64::from(n) / 2.0)),
        3 => prop::sample::select(vec!["", "a", "A", "ab", "Ab c", "b", "1", "true"]).prop_map(|t| Scalar::Text(t.into())),
    ]
}

fn path() -> impl Strategy<Value = FieldPath> {
    prop::sample::select(PATHS.to_vec()).prop_map(|keys| FieldPath::of(keys.iter().copied()))
}

fn bound() -> impl Strategy<Value = Option<Bound>> {
    prop::option::of((scalar(), any::<bool>()).prop_map(|(value, open)| Bound {
        value,
        edge: if open {
            Edge::Exclusive
        } else {
            Edge::Inclusive
        },
    }))
}

fn leaf() -> impl Strategy<Value = Predicate> {
    use CompareOp::{Eq, Ge, Gt, Le, Lt, Ne};
    let op = prop::sample::select(vec![Eq, Eq, Eq, Ne, Lt, Le, Gt, Ge]);
    let kinds = [
        KindTest::Null,
        KindTest::Bool,
        KindTest::Number,
        KindTest::Text,
        KindTest::Object,
        KindTest::Array,
        KindTest::Primitive,
    ];
    let text = prop::sample::select(vec!["", "a", "A", "b", "ab"]);
    prop_oneof![
        6 => (path(), op, scalar()).prop_map(|(path, op, value)| Predicate::Compare { path, op, value }),
        2 => (path(), prop::collection::vec(scalar(), 0..4), any::<bool>()).prop_map(|(path, values, not)| Predicate::In {
            path,
            values,
            membership: if not { Membership::NotIn } else { Membership::In },
        }),
        2 => (path(), bound(), bound()).prop_map(|(path, low, high)| Predicate::Range { path, low, high }),
        1 => (path(), text.clone()).prop_map(|(path, t)| Predicate::Match { path, pattern: Pattern::Prefix(t.into()) }),
        1 => (path(), text.clone()).prop_map(|(path, t)| Predicate::Match { path, pattern: Pattern::Contains(t.into()) }),
        1 => (path(), text.clone()).prop_map(|(path, t)| Predicate::Match {
            path,
            pattern: Pattern::Term { text: crate::value::fold(t).into(), number: crate::value::numeral(t) },
        }),
        1 => (path(), text, any::<bool>()).prop_map(|(path, t, run)| {
            let text = Piece::Literal(crate::value::fold(t).into());
            let last = if run { Piece::AnyRun } else { Piece::AnyOne };
            Predicate::Match { path, pattern: Pattern::Wildcard(Wildcard::new([text, last])) }
        }),
        1 => path().prop_map(|path| Predicate::Defined { path }),
        1 => (path(), prop::sample::select(kinds.to_vec())).prop_map(|(path, kind)| Predicate::Kind { path, kind }),
        1 => path().prop_map(|path| Predicate::Holds { path }),
        1 => (path(), scalar()).prop_map(|(path, value)| Predicate::ArrayContains { path, value }),
        1 => path().prop_map(|path| Predicate::General(Expression::Field(path))),
        1 => prop::sample::select(vec![Truth::True, Truth::False, Truth::Undefined]).prop_map(Predicate::Constant),
    ]
}

fn predicate() -> impl Strategy<Value = Predicate> {
    leaf().prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Predicate::And),
            prop::collection::vec(inner.clone(), 0..4).prop_map(Predicate::Or),
            inner.prop_map(|inner| Predicate::Not(Box::new(inner))),
        ]
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    (
        prop::sample::select(vec![0usize, 0, 0, 1, 2, 3]),
        predicate(),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(profile, predicate, needs_body)| {
            let profile = profile::ALL[profile];
            Condition {
                profile,
                predicate,
                needs_body: needs_body && profile == &profile::ROUTING,
            }
        })
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u8, Condition),
    Remove(u8),
    Change(Value),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..40u8, condition()).prop_map(|(id, condition)| Step::Insert(id, condition)),
        2 => (0..40u8).prop_map(Step::Remove),
        3 => document().prop_map(Step::Change),
    ]
}

/// More cases with `FLEET_CASES`.
fn cases() -> u32 {
    std::env::var("FLEET_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(256)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn agrees_with_evaluating_every_condition(steps in prop::collection::vec(step(), 1..60)) {
        let mut index = ConditionIndex::new();
        let mut stored: BTreeMap<String, Condition> = BTreeMap::new();
        let mut held = index.hold(Arc::new(json!({"deviceId": "d"})));
        for step in steps {
            match step {
                Step::Insert(id, condition) => {
                    let id = format!("c{id:02}");
                    index.insert(&id, &condition);
                    stored.insert(id, condition);
                }
                Step::Remove(id) => {
                    let id = format!("c{id:02}");
                    prop_assert_eq!(index.remove(&id), stored.remove(&id).is_some());
                }
                Step::Change(document) => {
                    let meets = |document: &Value| -> Vec<&str> {
                        let document = Document::new(document);
                        stored.iter().filter(|(_, c)| eval::eval(c, document).is_true()).map(|(id, _)| &**id).collect()
                    };
                    let next = index.hold(Arc::new(document));
                    let (old, new) = (meets(held.document()), meets(next.document()));
                    let only = |one: &[&str], other: &[&str]| -> Vec<String> {
                        one.iter().filter(|id| !other.contains(id)).map(|id| (*id).to_owned()).collect()
                    };
                    prop_assert_eq!(index.matches(&held).sorted(), old.clone());
                    prop_assert_eq!(index.matches(&next).sorted(), new.clone());
                    let stale = index.delta(&held, &next);
                    prop_assert_eq!(stale.entered.sorted(), only(&new, &old));
                    index.refresh(&mut held);
                    prop_assert_eq!(index.matches(&held).sorted(), old.clone());
                    let delta = index.delta(&held, &next);
                    prop_assert_eq!(delta.entered.sorted(), only(&new, &old));
                    prop_assert_eq!(delta.left.sorted(), only(&old, &new));
                    held = next;
                }
            }
            prop_assert_eq!(index.len(), stored.len());
            let stats = index.stats();
            prop_assert_eq!(stats.conditions, stored.len());
        }
    }
}

fn compare(path: &str, op: CompareOp, value: Scalar) -> Predicate {
    Predicate::Compare {
        path: FieldPath::of(path.split('.')),
        op,
        value,
    }
}

#[test]
fn many_conditions_share_columns_and_are_forgotten_without_trace() {
    let mut index = ConditionIndex::new();
    let condition = |n: u32| {
        let site = compare(
            "tags.site",
            CompareOp::Eq,
            Scalar::Text(format!("s{}", n % 50).into()),
        );
        let low = compare(
            "properties.reported.t",
            CompareOp::Ge,
            Scalar::Number(f64::from(n)),
        );
        let high = compare(
            "properties.reported.t",
            CompareOp::Lt,
            Scalar::Number(f64::from(n + 10)),
        );
        Condition::new(&profile::IOT_HUB, Predicate::And(vec![site, low, high]))
    };
    for n in 0..5_000 {
        index.insert(&format!("c{n:04}"), &condition(n));
    }
    let held = index.hold(Arc::new(
        json!({"tags": {"site": "s7"}, "properties": {"reported": {"t": 1010}}}),
    ));
    assert_eq!(index.matches(&held).sorted(), ["c1007"]);
    let moved = |to: Value| {
        let next = index.hold(Arc::new(to));
        let delta = index.delta(&held, &next);
        let sorted = |ids: &Ids<'_>| ids.sorted().join(" ");
        (sorted(&delta.entered), sorted(&delta.left))
    };
    let at =
        |site: &str, t: u32| json!({"tags": {"site": site}, "properties": {"reported": {"t": t}}});
    assert_eq!(moved(at("s7", 1060)), ("c1057".into(), "c1007".into()));
    assert_eq!(moved(at("s8", 1010)), ("c1008".into(), "c1007".into()));
    assert_eq!(moved(at("s7", 1011)), (String::new(), String::new()));
    assert_eq!(moved(at("s9", 2060)), ("c2059".into(), "c1007".into()));
    let stats = index.stats();
    assert_eq!(
        (stats.conditions, stats.fields, stats.partly_evaluated),
        (5_000, 2, 0)
    );
    for n in 0..5_000 {
        assert!(index.remove(&format!("c{n:04}")));
    }
    assert!(index.matches(&held).is_empty());
    let stats = index.stats();
    assert_eq!((stats.fields, stats.filed, stats.swept), (0, 0, 0));
}

#[test]
fn a_condition_is_filed_swept_or_evaluated_and_counted() {
    let number = |path: &str, n: u32| compare(path, CompareOp::Eq, Scalar::Number(f64::from(n)));
    let either = |n: u32| Predicate::Or(vec![number("tags.a", n), number("tags.b", n)]);
    let hot = compare("properties.reported.n", CompareOp::Gt, Scalar::Number(9.0));
    let general = Predicate::General(Expression::Field(FieldPath::of(["tags", "c"])));
    let mut index = ConditionIndex::new();
    let mut insert = |id: &str, predicate: Predicate| {
        index.insert(id, &Condition::new(&profile::IOT_HUB, predicate));
        let stats = index.stats();
        [
            stats.filed,
            stats.swept,
            stats.partly_evaluated,
            stats.always_evaluated,
        ]
    };
    assert_eq!(
        insert("filed", Predicate::And((0..8).map(either).collect())),
        [1, 0, 0, 0]
    );
    assert_eq!(insert("swept", hot.clone()), [1, 1, 0, 0]);
    assert_eq!(
        insert("partly", Predicate::And(vec![general.clone(), hot])),
        [1, 2, 1, 0]
    );
    assert_eq!(insert("always", general), [1, 3, 1, 1]);
    assert_eq!(insert("never", Predicate::Or(Vec::new())), [1, 3, 1, 1]);
    let held = index.hold(Arc::new(json!({"tags": {"a": 1, "c": true}})));
    assert_eq!(index.matches(&held).sorted(), ["always"]);
}
