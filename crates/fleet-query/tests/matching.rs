//! The reverse match against evaluating every stored condition, case after case: conditions of every dialect and profile
//! come and go, a document changes, and after every step what it meets, entered and left is what the reference
//! evaluator says. Some cases hold so many conditions alike that tokens are no longer rare.
//!
//! `FLEET_CASES=100000 cargo test --profile checked -p fleet-query --test matching -- --nocapture` runs that many cases,
//! on every core. Each is named by its seed; `FLEET_SEED=n` runs the one.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code"
)]
mod fleet;

use fleet::{condition, pick, run_cases, texts};
use fleet_generate::Random;
use fleet_query::matching::{ConditionIndex, Held};
use fleet_query::value::{CompareOp, Scalar};
use fleet_query::{
    Collection, Condition, Dialect, Document, FieldPath, Mode, Predicate, Query, eval, profile,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Conditions that were judged for a document.
static JUDGED: AtomicU64 = AtomicU64::new(0);

#[test]
fn reverse_match_and_reference_agree() {
    let cases = run_cases(400, Case::run);
    eprintln!(
        "{cases} cases, {} times a condition and a document",
        JUDGED.load(Ordering::Relaxed)
    );
}

struct Case {
    r: Random,
    index: ConditionIndex,
    stored: BTreeMap<String, Condition>,
    /// Whether many conditions begin alike.
    crowded: bool,
}

impl Case {
    fn run(seed: u64) {
        let mut case = Self {
            r: Random::new(seed, 21),
            index: ConditionIndex::new(),
            stored: BTreeMap::new(),
            crowded: seed % 50 == 7,
        };
        case.history();
    }

    fn history(&mut self) {
        let first = if self.crowded { 450 } else { self.r.below(30) };
        (0..first).for_each(|_| self.insert());
        let mut document = document(&mut self.r);
        let mut held = self.index.hold(Arc::new(document.clone()));
        for _ in 0..4 + self.r.below(10) {
            match self.r.below(6) {
                0 => self.insert(),
                1 => self.remove(),
                2 => document = self::document(&mut self.r),
                _ => fleet::merge(&mut document, &fleet::patch(&mut self.r)),
            }
            let next = self.index.hold(Arc::new(document.clone()));
            self.agree(&mut held, &next);
            held = next;
        }
        if self.r.chance(100) {
            let ids: Vec<String> = self.stored.keys().cloned().collect();
            for id in ids {
                assert!(self.index.remove(&id));
            }
            let stats = self.index.stats();
            assert_eq!((stats.conditions, stats.fields), (0, 0));
            assert!(self.index.matches(&held).is_empty());
        }
    }

    fn insert(&mut self) {
        let id = format!("c{}", self.r.below(if self.crowded { 1_000 } else { 40 }));
        let condition = self.draw();
        self.index.insert(&id, &condition);
        self.stored.insert(id, condition);
        assert_eq!(self.index.len(), self.stored.len());
    }

    fn remove(&mut self) {
        let id = format!("c{}", self.r.below(40));
        assert_eq!(self.index.remove(&id), self.stored.remove(&id).is_some());
    }

    fn draw(&mut self) -> Condition {
        let r = &mut self.r;
        if self.crowded && r.chance(900) {
            let rare = Predicate::Compare {
                path: FieldPath::of(["tags", "a"]),
                op: CompareOp::Eq,
                value: Scalar::Text((*pick(r, &["a", "b", "ab"])).into()),
            };
            let rest = fleet::predicate(r, &profile::IOT_HUB, 2);
            return Condition::new(&profile::IOT_HUB, Predicate::And(vec![rare, rest]));
        }
        let collections = [
            Collection::Devices,
            Collection::Devices,
            Collection::Modules,
            Collection::Jobs,
            Collection::Groups,
        ];
        let parsed = match r.below(8) {
            0..=2 => None,
            3 => Some(Query::parse(&routing(r), Dialect::Routing, Mode::Lenient).unwrap()),
            _ => {
                let collection = *pick(r, &collections);
                let dialect = *pick(r, texts::dialects(collection));
                Query::parse(&texts::query(r, dialect), dialect, Mode::Lenient).ok()
            }
        };
        parsed.map_or_else(|| condition(r), |query| query.condition().clone())
    }

    fn meets(&self, document: &Value) -> Vec<&str> {
        JUDGED.fetch_add(self.stored.len() as u64, Ordering::Relaxed);
        let document = Document::new(document);
        let met = self
            .stored
            .iter()
            .filter(|(_, condition)| eval::eval(condition, document).is_true());
        met.map(|(id, _)| id.as_str()).collect()
    }

    /// Also for a document that was taken in before the last conditions came and went.
    fn agree(&self, held: &mut Held, next: &Held) {
        let (old, new) = (self.meets(held.document()), self.meets(next.document()));
        let only = |one: &[&str], other: &[&str]| -> Vec<String> {
            let only = one.iter().filter(|id| !other.contains(id));
            only.map(|id| (*id).to_owned()).collect()
        };
        for _ in 0..2 {
            assert_eq!(self.index.matches(held).sorted(), old);
            assert_eq!(self.index.matches(next).sorted(), new);
            let delta = self.index.delta(held, next);
            assert_eq!(delta.entered.sorted(), only(&new, &old));
            assert_eq!(delta.left.sorted(), only(&old, &new));
            self.index.refresh(held);
        }
    }
}

/// A document that every collection's conditions and routing conditions find something in.
fn document(r: &mut Random) -> Value {
    let n = r.below(40);
    let mut document = fleet::document(r, n);
    if r.chance(300) {
        document["appProperties"] = json!({ "level": fleet::value(r, 0), "Mode": fleet::text(r) });
        document["systemProperties"] = json!({ "contentType": fleet::value(r, 0) });
        document["body"] = json!({ "n": fleet::value(r, 1), "t": { "a": fleet::value(r, 1) } });
    }
    if r.chance(100) {
        document["bodyUsable"] = json!(r.chance(500));
    }
    if r.chance(200) {
        document["moduleId"] = json!("a");
        document["outcome"] = json!({ "n": fleet::number(r) });
    }
    document
}

fn routing(r: &mut Random) -> String {
    let test = |r: &mut Random| {
        let text = *pick(r, &["level", "mode", "$contentType"]);
        let body = *pick(r, &["$body.n", "$body.t.a", "$BODY.N"]);
        match r.below(6) {
            0 => format!("{text} = '{}'", *pick(r, &["a", "A", "ab"])),
            1 => format!("{text} != '{}'", *pick(r, &["a", "b"])),
            2 => format!(
                "{body} {} {}",
                *pick(r, &["=", "!=", "<", ">="]),
                r.below(4)
            ),
            3 => format!("IS_DEFINED({text})"),
            4 => format!("{body} != null"),
            _ => format!("STARTS_WITH({text}, 'a')"),
        }
    };
    let (one, two) = (test(r), test(r));
    match r.below(4) {
        0 => one,
        1 => format!("{one} AND {two}"),
        2 => format!("NOT ({one} OR {two})"),
        _ => format!("{one} OR NOT {two}"),
    }
}
