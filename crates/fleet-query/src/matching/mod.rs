//! The reverse match: which of many stored conditions does one document meet.
//!
//! A condition is multiplied out into alternatives; each alternative takes a *slot* (one bit). Each
//! field that any alternative speaks of has a column that knows, for a value, which slots it leaves standing:
//! equality by key, ranges by sorted cuts, prefixes by length, kinds by kind. A match starts with every slot
//! and lets each column cross out; what stands at the end is met. What no column can judge (suffixes, patterns,
//! functions, path against path) is evaluated by the reference evaluator on what is left, and counted
//! ([`Stats`]). Nothing is approximated: the answer equals evaluating every condition.
//!
//! ```
//! use fleet_query::matching::ConditionIndex;
//! use fleet_query::{Condition, FieldPath, Predicate, profile, value::{CompareOp, Scalar}};
//! use serde_json::json;
//!
//! let hot = Condition::new(&profile::IOT_HUB, Predicate::Compare {
//!     path: FieldPath::of(["properties", "reported", "temperature"]),
//!     op: CompareOp::Gt,
//!     value: Scalar::Number(80.0),
//! });
//! let mut index = ConditionIndex::new();
//! index.insert("hot", &hot);
//!
//! let cool = index.hold(json!({"deviceId": "d1", "properties": {"reported": {"temperature": 20}}}).into());
//! let warm = index.hold(json!({"deviceId": "d1", "properties": {"reported": {"temperature": 90}}}).into());
//! assert_eq!(index.matches(&warm), ["hot"]);
//! assert_eq!(index.delta(&cool, &warm).entered, ["hot"]);
//! ```

mod bits;
mod column;
mod constraint;
mod interval;
mod normal;
#[cfg(test)]
mod tests;

use crate::document::Document;
use crate::eval;
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::Profile;
use bits::Bits;
use column::{Column, Scratch};
use constraint::{Demand, Indexed, Merged, Probe, Seen, is_single_valued, merge, see};
use hashbrown::HashMap;
use normal::{Literal, Want, alternatives, necessary};
use rustc_hash::FxBuildHasher;
use serde_json::Value;
use std::sync::Arc;

/// Stored conditions, found by the documents that meet them.
///
/// Adding and removing are incremental. Ids are the caller's; a condition whose id is taken is replaced.
#[derive(Clone, Debug, Default)]
pub struct ConditionIndex {
    columns: Vec<Column>,
    by_field: HashMap<(usize, FieldPath), u32, FxBuildHasher>,
    slots: Vec<Slot>,
    /// The slots in use.
    live: Bits,
    /// The slots with a remainder to evaluate.
    evaluated: Bits,
    free: Vec<u32>,
    conditions: Vec<Option<Stored>>,
    free_conditions: Vec<u32>,
    by_id: HashMap<Arc<str>, u32, FxBuildHasher>,
}

#[derive(Clone, Debug)]
struct Stored {
    id: Arc<str>,
    slots: Box<[u32]>,
}

/// One alternative of a condition.
#[derive(Clone, Debug, Default)]
struct Slot {
    condition: u32,
    demands: Box<[(u32, Demand)]>,
    remainder: Option<Box<Remainder>>,
}

/// What the columns cannot judge of an alternative.
#[derive(Clone, Debug)]
enum Remainder {
    /// These leaves, each with what is asked of it.
    Literals(&'static Profile, Vec<(Predicate, Want)>),
    /// The whole condition.
    Whole(Condition),
}

impl Remainder {
    fn holds(&self, document: Document<'_>) -> bool {
        match self {
            Self::Literals(profile, literals) => literals
                .iter()
                .all(|(leaf, want)| want.accepts(eval::eval_predicate(leaf, profile, document))),
            Self::Whole(condition) => eval::eval(condition, document).is_true(),
        }
    }
}

/// A canonical document with what the columns of one index look up of it.
///
/// Conditions added later may add columns; [`ConditionIndex::refresh`] brings it up to date, and an answer
/// for a document that is not looks the missing fields up again each time.
#[derive(Clone, Debug)]
pub struct Held {
    document: Arc<Value>,
    probes: Vec<Probe>,
}

impl Held {
    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Arc<Value> {
        &self.document
    }
}

/// The conditions that a change made a document meet, and those that it stopped meeting; ids in bytewise order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta<'a> {
    /// Met now and not before.
    pub entered: Vec<&'a str>,
    /// Met before and not now.
    pub left: Vec<&'a str>,
}

/// What the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Conditions stored.
    pub conditions: usize,
    /// Alternatives they were multiplied out into.
    pub alternatives: usize,
    /// Fields with a column.
    pub columns: usize,
    /// Alternatives with a part that is evaluated once the columns left it standing.
    pub partly_evaluated: usize,
    /// Alternatives that no column can cross out: evaluated for every document.
    pub always_evaluated: usize,
    /// Memory, in bytes, ids included.
    pub bytes: usize,
}

impl ConditionIndex {
    /// No condition.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many conditions are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Stores a condition, in place of one with the same id.
    pub fn insert(&mut self, id: &str, condition: &Condition) {
        self.remove(id);
        let id: Arc<str> = id.into();
        let number = self.free_conditions.pop().unwrap_or_else(|| {
            self.conditions.push(None);
            u32::try_from(self.conditions.len() - 1).unwrap_or(u32::MAX)
        });
        let slots = plan(condition)
            .into_iter()
            .map(|plan| self.place(number, plan, condition.profile))
            .collect();
        if let Some(place) = self.conditions.get_mut(number as usize) {
            *place = Some(Stored {
                id: id.clone(),
                slots,
            });
        }
        self.by_id.insert(id, number);
    }

    /// Forgets a condition; whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let Some(number) = self.by_id.remove(id) else {
            return false;
        };
        let stored = self
            .conditions
            .get_mut(number as usize)
            .and_then(Option::take);
        self.free_conditions.push(number);
        for slot in stored.iter().flat_map(|stored| &stored.slots) {
            let Some(place) = self.slots.get_mut(*slot as usize) else {
                continue;
            };
            for (column, demand) in &std::mem::take(place).demands {
                if let Some(column) = self.columns.get_mut(*column as usize) {
                    column.remove(demand, *slot);
                }
            }
            self.live.clear(*slot);
            self.evaluated.clear(*slot);
            self.free.push(*slot);
        }
        true
    }

    /// Takes a canonical document in, looking up every field that a condition speaks of.
    #[must_use]
    pub fn hold(&self, document: Arc<Value>) -> Held {
        let probes = self
            .columns
            .iter()
            .map(|column| column.probe(Document::new(&document)))
            .collect();
        Held { document, probes }
    }

    /// Looks up the fields of conditions that were added since.
    pub fn refresh(&self, held: &mut Held) {
        let known = held.probes.len();
        let document = held.document.clone();
        held.probes.extend(
            self.columns
                .iter()
                .skip(known)
                .map(|column| column.probe(Document::new(&document))),
        );
    }

    /// The ids of the conditions that the document meets, in bytewise order.
    #[must_use]
    pub fn matches(&self, held: &Held) -> Vec<&str> {
        self.ids(self.met(held))
    }

    /// The exact conditions entered and left by the change from one document to another.
    #[must_use]
    pub fn delta(&self, before: &Held, after: &Held) -> Delta<'_> {
        let (entered, left) = match self.candidates(before, after) {
            Some(candidates) => self.judge(candidates, before, after),
            None => {
                let (old, new) = (self.met(before), self.met(after));
                (difference(&new, &old), difference(&old, &new))
            }
        };
        Delta {
            entered: self.ids(entered),
            left: self.ids(left),
        }
    }

    /// What the index holds; walks all of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let slots = || {
            self.live
                .iter()
                .filter_map(|slot| self.slots.get(slot as usize))
        };
        let demands: usize = slots()
            .map(|slot| {
                size_of_val(&*slot.demands)
                    + slot
                        .demands
                        .iter()
                        .map(|(_, demand)| demand_bytes(demand))
                        .sum::<usize>()
            })
            .sum();
        let remainders =
            slots().filter(|slot| slot.remainder.is_some()).count() * size_of::<Remainder>();
        let stored: usize = self
            .conditions
            .iter()
            .flatten()
            .map(|stored| stored.id.len() + 2 * size_of::<usize>() + size_of_val(&*stored.slots))
            .sum();
        Stats {
            conditions: self.len(),
            alternatives: self.live.iter().count(),
            columns: self
                .columns
                .iter()
                .filter(|column| !column.is_empty())
                .count(),
            partly_evaluated: slots()
                .filter(|slot| slot.remainder.is_some() && !slot.demands.is_empty())
                .count(),
            always_evaluated: slots()
                .filter(|slot| slot.remainder.is_some() && slot.demands.is_empty())
                .count(),
            bytes: demands
                + remainders
                + stored
                + self
                    .columns
                    .iter()
                    .map(|column| column.heap_bytes() + size_of::<Column>())
                    .sum::<usize>()
                + self.slots.capacity() * size_of::<Slot>()
                + self.conditions.capacity() * size_of::<Option<Stored>>()
                + self.by_id.allocation_size()
                + self.by_field.allocation_size()
                + self.live.heap_bytes()
                + self.evaluated.heap_bytes(),
        }
    }

    fn ids(&self, conditions: Vec<u32>) -> Vec<&str> {
        let stored = |number: u32| self.conditions.get(number as usize)?.as_ref();
        let mut ids: Vec<&str> = conditions
            .into_iter()
            .filter_map(|number| Some(&*stored(number)?.id))
            .collect();
        ids.sort_unstable();
        ids
    }

    /// The numbers of the conditions met, ascending.
    fn met(&self, held: &Held) -> Vec<u32> {
        let mut alive = self.live.clone();
        let mut scratch = Scratch::default();
        for (at, column) in self.columns.iter().enumerate() {
            if column.is_empty() {
                continue;
            }
            match held.probes.get(at) {
                Some(probe) => column.filter(probe, &mut alive, &mut scratch),
                None => column.filter(
                    &column.probe(Document::new(&held.document)),
                    &mut alive,
                    &mut scratch,
                ),
            }
        }
        let document = Document::new(&held.document);
        let mut met: Vec<u32> = alive
            .iter()
            .filter_map(|slot| self.slots.get(slot as usize))
            .filter(|slot| {
                slot.remainder
                    .as_ref()
                    .is_none_or(|remainder| remainder.holds(document))
            })
            .map(|slot| slot.condition)
            .collect();
        met.sort_unstable();
        met.dedup();
        met
    }

    /// The conditions that a change may have moved; `None` when matching twice is cheaper.
    fn candidates(&self, before: &Held, after: &Held) -> Option<Vec<u32>> {
        let current = self.columns.len();
        if before.probes.len() != current || after.probes.len() != current {
            return None;
        }
        // Matching costs a word per 64 slots and column; judging a candidate about as much as 16 words.
        let limit = self.slots.len() / 64 * current / 16 + 16;
        let evaluated = self.evaluated.iter().take(limit + 1).count();
        let mut cost = evaluated;
        let mut changed = Vec::new();
        for ((column, one), other) in self.columns.iter().zip(&before.probes).zip(&after.probes) {
            if !column.is_empty() && one != other {
                cost += column.flip_cost(one, other);
                changed.push((column, one, other));
            }
        }
        if cost > limit {
            return None;
        }
        let mut conditions = Vec::new();
        let mut add =
            |slot: u32| conditions.extend(self.slots.get(slot as usize).map(|slot| slot.condition));
        for (column, one, other) in changed {
            column.flips(one, other, &mut add);
        }
        self.evaluated.iter().for_each(&mut add);
        if conditions.len() > limit * 4 {
            return None;
        }
        conditions.sort_unstable();
        conditions.dedup();
        Some(conditions)
    }

    fn judge(&self, candidates: Vec<u32>, before: &Held, after: &Held) -> (Vec<u32>, Vec<u32>) {
        let (mut entered, mut left) = (Vec::new(), Vec::new());
        for number in candidates {
            let Some(Some(stored)) = self.conditions.get(number as usize) else {
                continue;
            };
            let meets = |held: &Held| stored.slots.iter().any(|slot| self.slot_holds(*slot, held));
            match (meets(before), meets(after)) {
                (false, true) => entered.push(number),
                (true, false) => left.push(number),
                _ => {}
            }
        }
        (entered, left)
    }

    fn slot_holds(&self, slot: u32, held: &Held) -> bool {
        let Some(slot) = self.slots.get(slot as usize) else {
            return false;
        };
        slot.demands.iter().all(|(column, demand)| {
            held.probes
                .get(*column as usize)
                .is_some_and(|probe| probe.meets(demand))
        }) && slot
            .remainder
            .as_ref()
            .is_none_or(|remainder| remainder.holds(Document::new(&held.document)))
    }

    fn place(&mut self, condition: u32, plan: Plan<'_>, profile: &'static Profile) -> u32 {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(u32::MAX)
        });
        let slots = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let mut demands = Vec::with_capacity(plan.demands.len());
        for (path, demand) in plan.demands {
            let at = self.column(path, profile);
            if let Some(column) = self.columns.get_mut(at as usize) {
                column.add(&demand, slot, slots);
            }
            demands.push((at, demand));
        }
        // The most telling demand first: judging a candidate ends at the first that is not met.
        self.live.set(slot);
        if plan.remainder.is_some() {
            self.evaluated.set(slot);
        }
        if let Some(place) = self.slots.get_mut(slot as usize) {
            *place = Slot {
                condition,
                demands: demands.into(),
                remainder: plan.remainder.map(Box::new),
            };
        }
        slot
    }

    fn column(&mut self, path: &FieldPath, profile: &'static Profile) -> u32 {
        let key = (std::ptr::from_ref(profile).addr(), path.clone());
        *self.by_field.entry(key).or_insert_with(|| {
            self.columns.push(Column::new(path.clone(), profile));
            u32::try_from(self.columns.len() - 1).unwrap_or(u32::MAX)
        })
    }
}

fn demand_bytes(demand: &Demand) -> usize {
    match demand {
        Demand::AnyOf(keys) | Demand::NoneOf(keys) => {
            let text = |key: &constraint::Key| match key {
                constraint::Key::Text(text) => text.len(),
                _ => 0,
            };
            keys.capacity() * size_of::<constraint::Key>() + keys.iter().map(text).sum::<usize>()
        }
        Demand::Prefix(prefix) => prefix.len(),
        Demand::Within(_) | Demand::OfKind(_) => 0,
    }
}

/// What is in the first list and not in the second; both ascending.
fn difference(one: &[u32], other: &[u32]) -> Vec<u32> {
    one.iter()
        .copied()
        .filter(|item| other.binary_search(item).is_err())
        .collect()
}

/// One alternative on its way into the index.
struct Plan<'a> {
    demands: Vec<(&'a FieldPath, Demand)>,
    remainder: Option<Remainder>,
}

fn plan(condition: &Condition) -> Vec<Plan<'_>> {
    let whole = || Some(Remainder::Whole(condition.clone()));
    match alternatives(&condition.predicate) {
        Some(conjuncts) if !condition.needs_body => conjuncts
            .iter()
            .filter_map(|conjunct| plan_literals(conjunct, condition.profile))
            .map(|(demands, rest)| Plan {
                demands,
                remainder: (!rest.is_empty())
                    .then_some(Remainder::Literals(condition.profile, rest)),
            })
            .collect(),
        _ => plan_literals(&necessary(&condition.predicate), condition.profile)
            .map(|(demands, _)| Plan {
                demands,
                remainder: whole(),
            })
            .into_iter()
            .collect(),
    }
}

type Planned<'a> = (Vec<(&'a FieldPath, Demand)>, Vec<(Predicate, Want)>);

/// At most one demand per field, and the literals that are still to be evaluated; `None` when no document meets them all.
fn plan_literals<'a>(literals: &[Literal<'a>], profile: &'static Profile) -> Option<Planned<'a>> {
    let mut chosen: Vec<(Indexed<'a>, Literal<'a>)> = Vec::new();
    let mut rest = Vec::new();
    let keep = |literal: &Literal<'_>| (literal.leaf.clone(), literal.want);
    for literal in literals {
        let indexed = match see(literal, profile) {
            Seen::Never => return None,
            Seen::Evaluated => {
                rest.push(keep(literal));
                continue;
            }
            Seen::Indexed(indexed) => indexed,
        };
        if !indexed.exact {
            rest.push(keep(literal));
        }
        let Some((held, first)) = chosen
            .iter_mut()
            .find(|(held, _)| held.path == indexed.path)
        else {
            chosen.push((indexed, *literal));
            continue;
        };
        let merged = if is_single_valued(profile) {
            merge(&held.demand, &indexed.demand)
        } else {
            Merged::First
        };
        match merged {
            Merged::Never => return None,
            Merged::One(demand) => held.demand = demand,
            Merged::First if indexed.exact => rest.push(keep(literal)),
            Merged::First => {}
            Merged::Second => {
                if held.exact {
                    rest.push(keep(first));
                }
                (*held, *first) = (indexed, *literal);
            }
        }
    }
    Some((
        chosen
            .into_iter()
            .map(|(indexed, _)| (indexed.path, indexed.demand))
            .collect(),
        rest,
    ))
}
