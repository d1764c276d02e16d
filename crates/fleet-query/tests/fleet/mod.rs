//! Random fleets, conditions and changes with all the noise of real ones, from one seed.
#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::print_stderr,
    reason = "test code, of which each test uses a part"
)]
pub(crate) mod model;
pub(crate) mod texts;

use fleet_generate::Random;
use fleet_query::expression::{ArithmeticOp, Expression, Function, Membership};
use fleet_query::pattern::{Pattern, Piece, Wildcard};
use fleet_query::predicate::{AxisOrder, Bound, Edge, GeoArea, KindTest};
use fleet_query::profile::{self, Logic, Profile, TextRule};
use fleet_query::value::{CompareOp, Scalar, numeral};
use fleet_query::{Condition, FieldPath, Predicate, path::Segment};
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The number of random cases: `FLEET_CASES`, else a modest default.
pub(crate) fn cases(default: u64) -> u64 {
    setting("FLEET_CASES").unwrap_or(default)
}

/// Runs a case for each seed from 0, on every core; how many. `FLEET_SEED` runs the one.
pub(crate) fn run_cases(default: u64, run: fn(u64)) -> u64 {
    let run = |seed| {
        let _name = Name(seed);
        run(seed);
    };
    if let Some(seed) = setting("FLEET_SEED") {
        run(seed);
        return 1;
    }
    let (cases, next) = (cases(default), AtomicU64::new(0));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let seeds = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < cases);
                for seed in std::iter::from_fn(seeds) {
                    if seed % 10_000 == 0 {
                        eprintln!("cases from seed {seed}");
                    }
                    run(seed);
                }
            });
        }
    });
    cases
}

/// Says which case it was if it ends in a panic.
pub(crate) struct Name(pub(crate) u64);

impl Drop for Name {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed with FLEET_SEED={}", self.0);
        }
    }
}

pub(crate) fn pick<'a, T>(r: &mut Random, choices: &'a [T]) -> &'a T {
    &choices[r.below(choices.len() as u64) as usize]
}

const TEXTS: [&str; 16] = [
    "",
    "a",
    "A",
    "b",
    "ab",
    "aB c",
    "a b",
    "75",
    "75.0",
    "1e3",
    "true",
    "é",
    "\u{10000}",
    "\u{ffff}",
    "long text that fits no slot because it is longer than sixty bytes",
    "q\"uo\\te\n",
];

pub(crate) fn text(r: &mut Random) -> String {
    (*pick(r, &TEXTS)).to_owned()
}

pub(crate) fn number(r: &mut Random) -> Value {
    match r.below(9) {
        0 => json!(r.below(4)),
        1 => json!(-(r.below(300) as i64)),
        2 => json!(75),
        3 => json!(75.0),
        4 => json!(r.below(10_000) as f64 / 100.0),
        5 => json!(u64::MAX - r.below(2)),
        6 => json!(9_007_199_254_740_992i64 + r.below(4) as i64 - 1),
        7 => json!(1e300),
        _ => json!(-0.0),
    }
}

pub(crate) fn value(r: &mut Random, depth: u64) -> Value {
    match r.below(if depth == 0 { 7 } else { 10 }) {
        0 => Value::Null,
        1 => json!(r.chance(500)),
        2 | 3 => number(r),
        4..=6 => json!(text(r)),
        7 => {
            let count = if r.chance(80) { 18 } else { r.below(4) };
            let nested = if r.chance(150) { depth - 1 } else { 0 };
            Value::Array((0..count).map(|_| value(r, nested)).collect())
        }
        _ => {
            let mut members = Map::new();
            for _ in 0..r.below(4) {
                members.insert(
                    (*pick(r, &["a", "b", "a.b", "$version", "c"])).to_owned(),
                    value(r, depth - 1),
                );
            }
            Value::Object(members)
        }
    }
}

pub(crate) fn id(n: u64) -> String {
    format!("dev-{n:04}")
}

/// A canonical document of device `n`.
pub(crate) fn document(r: &mut Random, n: u64) -> Value {
    let mut document = json!({ "deviceId": id(n) });
    let mut put = |r: &mut Random, key: &str, keys: &[&str]| {
        if r.chance(850) {
            let mut members = Map::new();
            for _ in 0..r.below(6) {
                members.insert((*pick(r, keys)).to_owned(), value(r, 2));
            }
            document[key] = Value::Object(members);
        }
    };
    put(r, "tags", &["a", "b", "c", "a.b", "n"]);
    put(r, "attributes", &["a", "b", "load", "site"]);
    if r.chance(900) {
        let section = |r: &mut Random| {
            let mut members = Map::new();
            for _ in 0..r.below(6) {
                members.insert(
                    (*pick(r, &["a", "b", "n", "t", "$version"])).to_owned(),
                    value(r, 2),
                );
            }
            Value::Object(members)
        };
        document["properties"] = json!({"desired": section(r), "reported": section(r)});
    }
    if r.chance(40) {
        document["attributes"] = value(r, 1);
    }
    if r.chance(30) {
        document[format!("rare{}", r.below(20))] = value(r, 1);
    }
    document
}

/// A merge patch.
pub(crate) fn patch(r: &mut Random) -> Value {
    let top = (*pick(r, &["tags", "attributes", "properties", "extra"])).to_owned();
    let mut inner = match r.below(8) {
        0 => Value::Null,
        1 => value(r, 2),
        _ => {
            let key = (*pick(r, &["a", "b", "n", "a.b", "reported", "load"])).to_owned();
            let leaf = if r.chance(200) {
                Value::Null
            } else {
                value(r, 2)
            };
            let leaf = if r.chance(300) {
                json!({ "n": leaf })
            } else {
                leaf
            };
            json!({ key: leaf })
        }
    };
    if top == "properties" && inner.is_string() {
        inner = json!({});
    }
    json!({ top: inner })
}

/// RFC 7396, as its text has it.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (key, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().remove(key);
        } else {
            merge(
                target
                    .as_object_mut()
                    .unwrap()
                    .entry(key.clone())
                    .or_insert(Value::Null),
                value,
            );
        }
    }
}

pub(crate) fn path(r: &mut Random, profile: &Profile) -> FieldPath {
    let keys: &[&str] = pick::<&[&str]>(
        r,
        &[
            &["deviceId"],
            &["tags"],
            &["tags", "a"],
            &["tags", "b"],
            &["tags", "a", "b"],
            &["tags", "n"],
            &["tags", "a.b"],
            &["attributes", "a"],
            &["attributes", "load"],
            &["attributes", "site"],
            &["attributes"],
            &["attributes", "b", "a"],
            &["properties", "reported", "n"],
            &["properties", "reported", "t"],
            &["properties", "reported", "a", "b"],
            &["properties", "desired", "a"],
            &["properties", "reported", "$version"],
            &["properties", "reported", "$metadata", "n", "$lastUpdated"],
            &["rare3"],
            &["status"],
            &["outcome", "n"],
            &["nothing"],
            &["shadow", "hasDelta"],
            &["shadow", "delta", "n"],
        ],
    );
    let mut segments: Vec<Segment> = keys.iter().map(|key| Segment::Key((*key).into())).collect();
    if profile.logic == Logic::ThreeValued && r.chance(100) {
        segments.push(Segment::Index(r.below(20) as u32));
        if r.chance(300) {
            segments.push(Segment::Key("a".into()));
        }
    }
    FieldPath::new(segments)
}

pub(crate) fn scalar(r: &mut Random) -> Scalar {
    match r.below(8) {
        0 => Scalar::Null,
        1 => Scalar::Bool(r.chance(500)),
        2..=4 => Scalar::Number(number(r).as_f64().unwrap()),
        _ => Scalar::Text(text(r).into()),
    }
}

fn pattern(r: &mut Random, profile: &Profile) -> Pattern {
    let folds = profile.text != TextRule::Ordinal;
    let mut word = || {
        let found = text(r);
        if folds { found.to_lowercase() } else { found }
    };
    let (one, two) = (word(), word());
    match r.below(if folds { 6 } else { 4 }) {
        0 => Pattern::Prefix(one.into()),
        1 => Pattern::Suffix(one.into()),
        2 => Pattern::Contains(one.into()),
        3 => Pattern::Wildcard(Wildcard::new([
            Piece::Literal(one.into()),
            Piece::AnyRun,
            Piece::Literal(two.into()),
        ])),
        4 => Pattern::Term {
            number: numeral(&one),
            text: one.into(),
        },
        _ => Pattern::Phrase(one.split_whitespace().map(Into::into).collect()),
    }
}

pub(crate) fn leaf(r: &mut Random, profile: &'static Profile) -> Predicate {
    let path = path(r, profile);
    let op = *pick(
        r,
        &[
            CompareOp::Eq,
            CompareOp::Ne,
            CompareOp::Lt,
            CompareOp::Le,
            CompareOp::Gt,
            CompareOp::Ge,
        ],
    );
    let op = if profile.logic == Logic::TwoValued && op == CompareOp::Ne {
        CompareOp::Eq
    } else {
        op
    };
    let three = profile.logic == Logic::ThreeValued;
    match r.below(15) {
        0..=4 => Predicate::Compare {
            path,
            op,
            value: scalar(r),
        },
        5 => Predicate::Compare {
            path: FieldPath::of(["deviceId"]),
            op,
            value: Scalar::Text(id(r.below(40)).into()),
        },
        6 => Predicate::In {
            path,
            values: (0..r.below(4)).map(|_| scalar(r)).collect(),
            membership: if three && r.chance(400) {
                Membership::NotIn
            } else {
                Membership::In
            },
        },
        7 => {
            let numbers = r.chance(600);
            let bound = |r: &mut Random| {
                r.chance(800).then(|| Bound {
                    value: if numbers {
                        Scalar::Number(number(r).as_f64().unwrap())
                    } else {
                        Scalar::Text(text(r).into())
                    },
                    edge: if r.chance(500) {
                        Edge::Inclusive
                    } else {
                        Edge::Exclusive
                    },
                })
            };
            Predicate::Range {
                path,
                low: bound(r),
                high: bound(r),
            }
        }
        8 | 9 => Predicate::Match {
            path,
            pattern: pattern(r, profile),
        },
        10 => Predicate::Defined { path },
        11 => Predicate::Kind {
            path,
            kind: *pick(
                r,
                &[
                    KindTest::Null,
                    KindTest::Bool,
                    KindTest::Number,
                    KindTest::Text,
                    KindTest::Object,
                    KindTest::Array,
                    KindTest::Primitive,
                ],
            ),
        },
        12 if three => Predicate::Holds { path },
        13 if three => Predicate::ArrayContains {
            path,
            value: scalar(r),
        },
        _ if three => Predicate::General(match r.below(3) {
            0 => Expression::Compare {
                op,
                left: Box::new(Expression::Field(path)),
                right: Box::new(Expression::Field(FieldPath::of([
                    "properties",
                    "reported",
                    "n",
                ]))),
            },
            1 => Expression::Compare {
                op,
                left: Box::new(Expression::Arithmetic {
                    op: ArithmeticOp::Remainder,
                    left: Box::new(Expression::Field(path)),
                    right: Box::new(Expression::Constant(Scalar::Number(10.0))),
                }),
                right: Box::new(Expression::Constant(Scalar::Number(5.0))),
            },
            _ => Expression::Call {
                function: Function::IsDefined,
                arguments: vec![Expression::Field(path)],
            },
        }),
        12 => Predicate::AnyField {
            pattern: pattern(r, profile),
        },
        _ => Predicate::Near {
            path,
            area: GeoArea {
                latitude: 1.0,
                longitude: 1.0,
                metres: 1e7,
                order: AxisOrder::default(),
            },
        },
    }
}

pub(crate) fn predicate(r: &mut Random, profile: &'static Profile, depth: u64) -> Predicate {
    if depth == 0 || r.chance(300) {
        return leaf(r, profile);
    }
    match r.below(3) {
        0 => Predicate::Not(Box::new(predicate(r, profile, depth - 1))),
        1 => Predicate::And(
            (0..r.below(4))
                .map(|_| predicate(r, profile, depth - 1))
                .collect(),
        ),
        _ => Predicate::Or(
            (0..r.below(4))
                .map(|_| predicate(r, profile, depth - 1))
                .collect(),
        ),
    }
}

pub(crate) fn condition(r: &mut Random) -> Condition {
    let profile = *pick(
        r,
        &[
            &profile::IOT_HUB,
            &profile::IOT_HUB,
            &profile::AWS,
            &profile::RSQL,
        ],
    );
    Condition::new(profile, predicate(r, profile, 3))
}
