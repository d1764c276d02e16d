//! The search for a document that gives conditions wanted truth values.

use super::Want;
use super::field::{Field, Leaf, Shown, is_list};
use super::witness::document;
use crate::document::Document;
use crate::eval::eval;
use crate::path::{FieldPath, Segment};
use crate::predicate::{Condition, Predicate};
use crate::profile::{KeyRule, Profile};
use crate::value::{Truth, fold};
use serde_json::Value;
use std::cell::RefCell;

/// The most steps of a search.
pub(super) const STEPS: usize = 400_000;
/// The most documents that are made and judged.
const TRIALS: usize = 3000;
/// How many marks may be looked at for each step.
const MARKS_A_STEP: usize = 20;

/// What is searched for.
pub(super) struct Goal<'a> {
    wanted: Vec<(&'a Condition, Formula, Want)>,
    fields: Vec<RefCell<Field>>,
    /// Fields of which the second lies inside the first.
    inside: Vec<(usize, usize)>,
    /// Fields that differ in the letter case of the last key only, where case does not matter: both are there or neither.
    same: Vec<(usize, usize)>,
    /// The leaves in the order in which they are decided: field, place in it, number.
    order: Vec<(usize, usize, usize)>,
    atoms: usize,
    /// Every class of values is known, so that finding nothing is a proof.
    complete: bool,
    /// Some leaf hangs on more than one field: values are tried beyond the first that fits.
    opaque: bool,
}

/// A condition over numbered leaves.
enum Formula {
    Constant(Truth),
    Leaf(usize),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

pub(super) enum Outcome {
    Found(Value),
    Impossible,
    Undecided,
}

/// Leaves by number.
type Leaves<'a> = Vec<Leaf<'a>>;

impl<'a> Goal<'a> {
    pub(super) fn new(goals: &[(&'a Condition, Want)], most: usize) -> Self {
        let mut leaves: Leaves<'a> = Vec::new();
        let wanted: Vec<(&Condition, Formula, Want)> = goals
            .iter()
            .map(|(condition, want)| {
                (
                    *condition,
                    formula(&condition.predicate, condition.profile, &mut leaves),
                    *want,
                )
            })
            .collect();
        let mut paths: Vec<&FieldPath> = leaves.iter().flat_map(|(leaf, _)| leaf.paths()).collect();
        paths.sort_unstable();
        paths.dedup();
        let opaque = |path: &FieldPath| {
            let mut all = leaves
                .iter()
                .filter(|(leaf, _)| leaf.paths().contains(&path));
            all.any(|(leaf, _)| matches!(leaf, Predicate::General(_)))
        };
        let any_opaque = leaves
            .iter()
            .any(|(leaf, _)| matches!(leaf, Predicate::General(_) | Predicate::AnyField { .. }));
        let mut fields: Vec<Field> = paths
            .iter()
            .map(|path| {
                Field::new(
                    path,
                    &leaves,
                    opaque(path),
                    most.saturating_mul(MARKS_A_STEP),
                )
            })
            .collect();
        // The fields that most leaves hang on are decided first.
        fields.sort_by_key(|field| (std::cmp::Reverse(field.leaves.len()), field.size()));
        for (number, (_, profile)) in leaves.iter().enumerate() {
            if !fields.iter().any(|field| field.leaves.contains(&number)) {
                fields.push(Field::free(number, profile));
            }
        }
        let any_case = |path: &FieldPath| {
            let mut its = leaves
                .iter()
                .filter(|(leaf, _)| leaf.paths().contains(&path));
            its.all(|(_, profile)| profile.keys == KeyRule::AnyCase)
        };
        let (mut inside, mut same) = (Vec::new(), Vec::new());
        let mut complete = true;
        for (outer, above) in fields.iter().enumerate() {
            complete &= above.complete;
            for (inner, below) in fields.iter().enumerate() {
                if lies_inside(&below.path, &above.path) {
                    complete &= !has_index(&below.path, above.path.segments().len());
                    inside.push((outer, inner));
                }
                let (one, other) = (&above.path, &below.path);
                if inner > outer && are_same(one, other) && any_case(one) && any_case(other) {
                    same.push((outer, inner));
                }
                complete &= outer == inner || !collide(above, below);
            }
        }
        let order = fields.iter().enumerate().flat_map(|(field, own)| {
            let numbers = own.leaves.iter().enumerate();
            numbers.map(move |(place, number)| (field, place, *number))
        });
        Self {
            order: order.collect(),
            wanted,
            fields: fields.into_iter().map(RefCell::new).collect(),
            inside,
            same,
            atoms: leaves.len(),
            complete,
            opaque: any_opaque,
        }
    }
}

fn lies_inside(below: &FieldPath, above: &FieldPath) -> bool {
    let (below, above) = (below.segments(), above.segments());
    !above.is_empty() && below.len() > above.len() && below.starts_with(above)
}

/// Whether two paths differ in the letter case of the last key only.
fn are_same(a: &FieldPath, b: &FieldPath) -> bool {
    match (a.segments().split_last(), b.segments().split_last()) {
        (Some((a, above)), Some((b, beyond))) => {
            above == beyond && a != b && fold(a.as_key()) == fold(b.as_key())
        }
        _ => false,
    }
}

fn has_index(path: &FieldPath, from: usize) -> bool {
    let rest = path.segments().iter().skip(from);
    rest.into_iter()
        .any(|segment| matches!(segment, Segment::Index(_)))
}

/// Whether a leaf that joins keys finds one field at the place of the other.
fn collide(a: &Field, b: &Field) -> bool {
    a.path != b.path && !a.path.segments().is_empty() && a.path.joined() == b.path.joined()
}

fn formula<'a>(
    predicate: &'a Predicate,
    profile: &'static Profile,
    leaves: &mut Leaves<'a>,
) -> Formula {
    match predicate {
        Predicate::Constant(truth) => Formula::Constant(*truth),
        Predicate::Not(inner) => Formula::Not(Box::new(formula(inner, profile, leaves))),
        Predicate::And(items) => Formula::And(
            items
                .iter()
                .map(|item| formula(item, profile, leaves))
                .collect(),
        ),
        Predicate::Or(items) if !is_list(items, profile) => Formula::Or(
            items
                .iter()
                .map(|item| formula(item, profile, leaves))
                .collect(),
        ),
        leaf => {
            let known = leaves
                .iter()
                .position(|(other, its)| *other == leaf && *its == profile);
            Formula::Leaf(known.unwrap_or_else(|| {
                leaves.push((leaf, profile));
                leaves.len() - 1
            }))
        }
    }
}

struct Search<'a> {
    goal: &'a Goal<'a>,
    truths: Vec<Option<Truth>>,
    /// What is wanted of each field's leaves so far.
    wanted: Vec<Vec<Option<Truth>>>,
    most: usize,
    steps: usize,
    trials: usize,
    /// Some assignment satisfied the goal, but no document showed it.
    unshown: bool,
}

/// Searches for at most so many steps.
pub(super) fn search(goal: &Goal<'_>, most: usize) -> Outcome {
    let lengths = goal.fields.iter().map(|field| field.borrow().leaves.len());
    let mut search = Search {
        goal,
        truths: vec![None; goal.atoms],
        wanted: lengths.map(|length| vec![None; length]).collect(),
        most,
        steps: 0,
        trials: 0,
        unshown: false,
    };
    if let Some(found) = search.descend(0) {
        return Outcome::Found(found);
    }
    let exhausted = search.steps < most && search.trials < TRIALS;
    // Opaque leaves may take any value in the search, so exhausting it is a proof only if the
    // classes are complete, or if no assignment fits even so.
    if exhausted && !search.unshown && goal.complete {
        Outcome::Impossible
    } else {
        Outcome::Undecided
    }
}

impl Search<'_> {
    /// Decides the leaves from one on.
    fn descend(&mut self, depth: usize) -> Option<Value> {
        self.steps += 1;
        if self.steps >= self.most || self.trials >= TRIALS {
            return None;
        }
        let possible = self.goal.wanted.iter().all(|(_, formula, want)| {
            let (low, high) = bounds(formula, &self.truths);
            match want {
                Want::True => high == Truth::True,
                Want::NotTrue => low < Truth::True,
                Want::False => low == Truth::False,
            }
        });
        if !possible {
            return None;
        }
        let Some((at, place, number)) = self.goal.order.get(depth).copied() else {
            return self.judge();
        };
        let field = self.goal.fields.get(at)?;
        let options = field.borrow().options(place);
        let mut found = None;
        for truth in options {
            self.decide(at, place, number, Some(truth));
            let possible = self
                .wanted
                .get(at)
                .is_some_and(|wanted| field.borrow_mut().allows(wanted));
            if possible {
                found = self.descend(depth + 1);
            }
            if found.is_some() {
                break;
            }
        }
        self.decide(at, place, number, None);
        found
    }

    fn decide(&mut self, field: usize, place: usize, number: usize, truth: Option<Truth>) {
        if let Some(known) = self.truths.get_mut(number) {
            *known = truth;
        }
        if let Some(known) = self
            .wanted
            .get_mut(field)
            .and_then(|wanted| wanted.get_mut(place))
        {
            *known = truth;
        }
    }

    /// Makes documents of values that fit and asks the evaluator.
    fn judge(&mut self) -> Option<Value> {
        let nested = |at: usize| {
            let pairs = self.goal.inside.iter().chain(&self.goal.same);
            pairs
                .into_iter()
                .any(|(one, other)| *one == at || *other == at)
        };
        let all = |at: usize| self.goal.opaque || nested(at);
        let choices: Vec<Vec<Shown>> = self
            .goal
            .fields
            .iter()
            .zip(&self.wanted)
            .enumerate()
            .map(|(at, (field, wanted))| {
                let most = if all(at) { usize::MAX } else { 1 };
                field.borrow().shows(wanted).take(most).collect()
            })
            .collect();
        let mut chosen = vec![0; choices.len()];
        loop {
            let shown: Vec<&Shown> = choices
                .iter()
                .zip(&chosen)
                .filter_map(|(choices, at)| choices.get(*at))
                .collect();
            if shown.len() == choices.len() && self.stand_together(&shown) {
                self.trials += 1;
                if let Some(found) = self.show(&shown) {
                    return Some(found);
                }
                self.unshown = true;
            }
            if self.trials >= TRIALS || !advance(&mut chosen, &choices) {
                return None;
            }
            self.steps += 1;
            if self.steps >= self.most {
                return None;
            }
        }
    }

    /// Whether what lies inside a field has an object to lie in.
    fn stand_together(&self, shown: &[&Shown]) -> bool {
        let dotted = |at: &usize| {
            self.goal
                .fields
                .get(*at)
                .is_some_and(|field| field.borrow().dotted)
        };
        let alike = self.goal.same.iter().all(|(one, other)| {
            let there = |at: &usize| shown.get(*at).is_some_and(|shown| shown.nested.is_some());
            there(one) == there(other)
        });
        alike
            && self.goal.inside.iter().all(|(outer, inner)| {
                let (Some(above), Some(below)) = (shown.get(*outer), shown.get(*inner)) else {
                    return true;
                };
                dotted(inner)
                    || dotted(outer)
                    || below.nested.is_none()
                    || above.nested.as_ref().is_some_and(Value::is_object)
            })
    }

    fn show(&self, shown: &[&Shown]) -> Option<Value> {
        let mut places: Vec<(FieldPath, &Value)> = Vec::new();
        for (at, (field, shown)) in self.goal.fields.iter().zip(shown).enumerate() {
            let field = field.borrow();
            let apart = field.dotted
                && self
                    .goal
                    .inside
                    .iter()
                    .any(|(outer, inner)| *outer == at || *inner == at);
            if let Some(value) = &shown.nested {
                let path = if apart {
                    dotted(&field.path)
                } else {
                    field.path.clone()
                };
                places.push((path, value));
            }
            if let Some(value) = &shown.joined {
                places.push((dotted(&field.path), value));
            }
        }
        let values: Vec<(&FieldPath, Option<&Value>)> = places
            .iter()
            .map(|(path, value)| (path, Some(*value)))
            .collect();
        let made = document(&values)?;
        let fits = |(condition, _, want): &(&Condition, Formula, Want)| {
            want.allows(eval(condition, Document::new(&made)))
        };
        self.goal.wanted.iter().all(fits).then_some(made)
    }
}

/// The next choice; false after the last.
fn advance(chosen: &mut [usize], choices: &[Vec<Shown>]) -> bool {
    for (at, all) in chosen.iter_mut().zip(choices) {
        *at += 1;
        if *at < all.len() {
            return true;
        }
        *at = 0;
    }
    false
}

/// The path with its last two keys joined by a dot.
fn dotted(path: &FieldPath) -> FieldPath {
    let mut segments = path.segments().to_vec();
    if let (Some(Segment::Key(last)), Some(Segment::Key(before))) = (segments.pop(), segments.pop())
    {
        segments.push(Segment::Key(format!("{before}.{last}").into()));
    }
    FieldPath::new(segments)
}

/// The least and the greatest truth value that a formula can still take.
fn bounds(formula: &Formula, truths: &[Option<Truth>]) -> (Truth, Truth) {
    match formula {
        Formula::Constant(truth) => (*truth, *truth),
        Formula::Leaf(number) => match truths.get(*number) {
            Some(Some(truth)) => (*truth, *truth),
            _ => (Truth::False, Truth::True),
        },
        Formula::Not(inner) => {
            let (low, high) = bounds(inner, truths);
            (!high, !low)
        }
        Formula::And(items) => {
            items
                .iter()
                .fold((Truth::True, Truth::True), |(low, high), item| {
                    let (l, h) = bounds(item, truths);
                    (low.and(l), high.and(h))
                })
        }
        Formula::Or(items) => {
            items
                .iter()
                .fold((Truth::False, Truth::False), |(low, high), item| {
                    let (l, h) = bounds(item, truths);
                    (low.or(l), high.or(h))
                })
        }
    }
}
