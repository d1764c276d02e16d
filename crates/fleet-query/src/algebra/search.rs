//! The search for a document that gives conditions wanted truth values.

use super::Want;
use super::candidates::{Constants, is_id};
use super::witness::document;
use crate::document::Document;
use crate::eval::{eval, eval_predicate};
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::{ArrayRule, Logic, Profile};
use crate::value::Truth;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The most steps of a search, and the most classes of values of one field.
pub(super) const STEPS: usize = 400_000;
const CLASSES: usize = 1024;
/// The most full assignments that are made into documents and judged.
const TRIALS: usize = 3000;

/// What is searched for.
pub(super) struct Goal<'a> {
    wanted: Vec<(&'a Condition, Formula, Want)>,
    fields: Vec<Field>,
    atoms: usize,
    complete: bool,
}

/// A condition over numbered leaves.
enum Formula {
    Constant(Truth),
    Leaf(usize),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// One field path with a value of each class, and what the leaves are on it.
struct Field {
    path: FieldPath,
    classes: Vec<Class>,
    /// The leaves that only this field decides.
    leaves: Vec<usize>,
}

struct Class {
    value: Option<Value>,
    truths: Vec<Truth>,
}

pub(super) enum Outcome {
    Found(Value),
    Impossible,
    Undecided,
}

/// Leaves by number, with their profile.
type Leaves<'a> = Vec<(&'a Predicate, &'static Profile)>;

impl<'a> Goal<'a> {
    pub(super) fn new(goals: &[(&'a Condition, Want)]) -> Self {
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
        let mut profiles: Vec<&'static Profile> = Vec::new();
        for (condition, _) in goals {
            if !profiles.contains(&condition.profile) {
                profiles.push(condition.profile);
            }
        }
        let mut paths: Vec<&FieldPath> = leaves.iter().flat_map(|(leaf, _)| leaf.paths()).collect();
        paths.sort_unstable();
        paths.dedup();
        // A body that cannot be read makes the conditions that need it undefined, and only those.
        let one_body = goals.windows(2).all(|pair| match pair {
            [(a, _), (b, _)] => a.needs_body == b.needs_body,
            _ => true,
        });
        let mut complete = profiles.len() <= 1 && one_body;
        let mut fields: Vec<Field> = paths
            .iter()
            .map(|path| {
                let (field, whole) = field(path, &leaves, &profiles);
                complete &= whole;
                field
            })
            .collect();
        // The fields that most leaves hang on are decided first.
        fields.sort_by_key(|field| (std::cmp::Reverse(field.leaves.len()), field.classes.len()));
        // Leaves that no single field decides may be anything, but the same wherever they stand.
        for (number, (_, profile)) in leaves.iter().enumerate() {
            if fields.iter().any(|field| field.leaves.contains(&number)) {
                continue;
            }
            let truths: &[Truth] = match profile.logic {
                Logic::ThreeValued => &[Truth::True, Truth::False, Truth::Undefined],
                Logic::TwoValued => &[Truth::True, Truth::False],
            };
            let classes = truths
                .iter()
                .map(|truth| Class {
                    value: None,
                    truths: vec![*truth],
                })
                .collect();
            fields.push(Field {
                path: FieldPath::default(),
                classes,
                leaves: vec![number],
            });
        }
        Self {
            wanted,
            fields,
            atoms: leaves.len(),
            complete,
        }
    }
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
        Predicate::Or(items) => Formula::Or(
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

/// The classes of one field's values, and whether they are all.
fn field(path: &FieldPath, leaves: &Leaves<'_>, profiles: &[&'static Profile]) -> (Field, bool) {
    let mut constants = Constants::default();
    let mut own: Vec<usize> = Vec::new();
    for (number, (leaf, profile)) in leaves.iter().enumerate() {
        if !leaf.paths().contains(&path) {
            continue;
        }
        constants.leaf(leaf, profile);
        if !matches!(leaf, Predicate::General(_)) {
            own.push(number);
        }
    }
    let mut complete = !path.is_derived();
    let mut values: Vec<Option<Value>> = if is_id(path) { Vec::new() } else { vec![None] };
    for profile in profiles {
        let (some, whole) = constants.values(path, profile);
        complete &= whole;
        for value in some {
            if !values.contains(&Some(value.clone())) {
                values.push(Some(value));
            }
        }
    }
    let mut classes: Vec<Class> = Vec::new();
    let multi = profiles
        .iter()
        .any(|profile| profile.arrays == ArrayRule::AnyElement)
        && !is_id(path);
    for value in values {
        let mini = document(&[(path, value.as_ref())]).unwrap_or(Value::Null);
        let truths: Vec<Truth> = own
            .iter()
            .filter_map(|number| leaves.get(*number))
            .map(|(leaf, profile)| eval_predicate(leaf, profile, Document::new(&mini)))
            .collect();
        // Values that only opaque leaves see are kept apart: they may differ there.
        let seen = classes.iter().any(|class| class.truths == truths);
        if !seen
            || own.len()
                < leaves
                    .iter()
                    .filter(|(leaf, _)| leaf.paths().contains(&path))
                    .count()
        {
            classes.push(Class { value, truths });
        }
    }
    if multi {
        complete &= unions(&mut classes);
    }
    (
        Field {
            path: path.clone(),
            classes,
            leaves: own,
        },
        complete,
    )
}

/// Under a multi-valued profile a leaf holds of an array if it holds of an element: every union of
/// classes is a class. Whether all of them could be added.
fn unions(classes: &mut Vec<Class>) -> bool {
    let mut known: HashSet<Vec<Truth>> = classes.iter().map(|class| class.truths.clone()).collect();
    let mut from = 0;
    while from < classes.len() {
        for at in 0..from {
            let (Some(a), Some(b)) = (classes.get(at), classes.get(from)) else {
                continue;
            };
            let truths: Vec<Truth> = a
                .truths
                .iter()
                .zip(&b.truths)
                .map(|(x, y)| x.or(*y))
                .collect();
            if known.contains(&truths) {
                continue;
            }
            let mut elements: Vec<Value> = Vec::new();
            for value in [&a.value, &b.value].into_iter().flatten() {
                match value {
                    Value::Array(items) => elements.extend(items.iter().cloned()),
                    simple => elements.push(simple.clone()),
                }
            }
            elements.dedup();
            if elements.iter().any(Value::is_object) {
                continue;
            }
            known.insert(truths.clone());
            classes.push(Class {
                value: Some(json!(elements)),
                truths,
            });
            if classes.len() > CLASSES {
                return false;
            }
        }
        from += 1;
    }
    true
}

struct Search<'a> {
    goal: &'a Goal<'a>,
    truths: Vec<Option<Truth>>,
    chosen: Vec<usize>,
    most: usize,
    steps: usize,
    trials: usize,
    /// Some assignment satisfied the goal, but no document showed it.
    unshown: bool,
}

/// Searches for at most so many steps.
pub(super) fn search(goal: &Goal<'_>, most: usize) -> Outcome {
    let mut search = Search {
        goal,
        truths: vec![None; goal.atoms],
        chosen: Vec::new(),
        most,
        steps: 0,
        trials: 0,
        unshown: false,
    };
    if let Some(found) = search.descend() {
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
    fn descend(&mut self) -> Option<Value> {
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
        let Some(field) = self.goal.fields.get(self.chosen.len()) else {
            return self.judge();
        };
        for (at, class) in field.classes.iter().enumerate() {
            for (leaf, truth) in field.leaves.iter().zip(&class.truths) {
                if let Some(place) = self.truths.get_mut(*leaf) {
                    *place = Some(*truth);
                }
            }
            self.chosen.push(at);
            let found = self.descend();
            self.chosen.pop();
            if found.is_some() {
                return found;
            }
        }
        for leaf in &field.leaves {
            if let Some(place) = self.truths.get_mut(*leaf) {
                *place = None;
            }
        }
        None
    }

    /// Makes a document of the chosen values and asks the evaluator.
    fn judge(&mut self) -> Option<Value> {
        self.trials += 1;
        let values: Vec<(&FieldPath, Option<&Value>)> = self
            .goal
            .fields
            .iter()
            .zip(&self.chosen)
            .map(|(field, at)| {
                (
                    &field.path,
                    field
                        .classes
                        .get(*at)
                        .and_then(|class| class.value.as_ref()),
                )
            })
            .collect();
        if let Some(made) = document(&values) {
            let fits = self
                .goal
                .wanted
                .iter()
                .all(|(condition, _, want)| want.allows(eval(condition, Document::new(&made))));
            if fits {
                return Some(made);
            }
        }
        self.unshown = true;
        None
    }
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
