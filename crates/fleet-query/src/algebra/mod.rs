//! Reasoning about conditions: whether one implies another, whether two can hold together.
//!
//! A question is answered by a search for a document that decides it. For every field path the
//! search tries one value of each class that the conditions' leaves can tell apart, so that where
//! the classes are complete, finding nothing is a proof. A document that is found is checked by the
//! reference evaluator before it is returned.

mod candidates;
mod field;
mod normal;
mod numerals;
mod search;
mod system;
mod texts;
mod witness;

pub use normal::normalise;

use crate::document::Document;
use crate::eval::eval;
use crate::predicate::{Condition, Predicate};
use crate::profile::Profile;
use crate::value::Truth;
use field::is_list;
use search::{Goal, Outcome};
use serde_json::Value;

/// The answer to a question about conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It holds on every document.
    Yes,
    /// It does not: this document shows it.
    No {
        /// A canonical document, checked by the reference evaluator.
        witness: Value,
    },
    /// Not decided. Never for boolean combinations of up to 8 comparisons, IN, ranges, prefixes and
    /// IS_DEFINED on scalar paths, of any dialect or of two.
    Unknown,
}

impl Verdict {
    /// Whether the answer is a proven yes.
    #[must_use]
    pub const fn is_yes(&self) -> bool {
        matches!(self, Self::Yes)
    }

    /// The document that shows a no.
    #[must_use]
    pub const fn witness(&self) -> Option<&Value> {
        match self {
            Self::No { witness } => Some(witness),
            _ => None,
        }
    }
}

/// What a truth value must be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    True,
    NotTrue,
    False,
}

impl Want {
    pub(crate) fn allows(self, truth: Truth) -> bool {
        match self {
            Self::True => truth == Truth::True,
            Self::NotTrue => truth != Truth::True,
            Self::False => truth == Truth::False,
        }
    }
}

/// Whether every document that `a` selects is selected by `b`.
///
/// ```
/// use fleet_query::{Dialect, Mode, Query, algebra::{Verdict, implies}};
/// let condition = |text| Query::parse(text, Dialect::Target, Mode::Lenient).map(|q| q.condition().clone());
/// let a = condition("tags.floor > 5 AND tags.region = 'EU'")?;
/// let b = condition("tags.floor >= 5")?;
/// assert!(implies(&a, &b).is_yes());
/// assert!(matches!(implies(&b, &a), Verdict::No { .. }));
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
#[must_use]
pub fn implies(a: &Condition, b: &Condition) -> Verdict {
    none_with(&[(a, Want::True), (b, Want::NotTrue)], search::STEPS)
}

/// Whether no document is selected by both; the witness of a no is one that is.
#[must_use]
pub fn disjoint(a: &Condition, b: &Condition) -> Verdict {
    none_with(&[(a, Want::True), (b, Want::True)], search::STEPS)
}

/// Whether both select the same documents.
#[must_use]
pub fn equivalent(a: &Condition, b: &Condition) -> Verdict {
    match (implies(a, b), implies(b, a)) {
        (Verdict::No { witness }, _) | (_, Verdict::No { witness }) => Verdict::No { witness },
        (Verdict::Yes, Verdict::Yes) => Verdict::Yes,
        _ => Verdict::Unknown,
    }
}

/// Whether the condition selects no document at all.
#[must_use]
pub fn never_holds(condition: &Condition) -> Verdict {
    none_with(&[(condition, Want::True)], search::STEPS)
}

/// Whether the condition is false of no document; it may still be undefined where fields are missing.
#[must_use]
pub fn never_fails(condition: &Condition) -> Verdict {
    none_with(&[(condition, Want::False)], search::STEPS)
}

/// Whether the condition is proven to be never true, or never false, with little effort: for linting
/// every part of a text.
pub(crate) fn surely_never(condition: &Condition, want: Want) -> bool {
    none_with(&[(condition, want)], 4000).is_yes()
}

/// Conditions with more leaves than this together are not searched. A list is one leaf, however long it is.
const MOST_LEAVES: usize = 128;

fn leaves(predicate: &Predicate, profile: &Profile) -> usize {
    match predicate {
        Predicate::Not(inner) => leaves(inner, profile),
        Predicate::Or(items) if is_list(items, profile) => 1,
        Predicate::And(items) | Predicate::Or(items) => {
            items.iter().map(|item| leaves(item, profile)).sum()
        }
        _ => 1,
    }
}

/// Whether no document gives all of the wanted truth values.
fn none_with(goals: &[(&Condition, Want)], most: usize) -> Verdict {
    let conditions: Vec<&Condition> = goals.iter().map(|(condition, _)| *condition).collect();
    let mut all = Verdict::Yes;
    for fields in system::readings(&conditions) {
        match none_read_as(goals, &fields, most) {
            Verdict::Yes => {}
            Verdict::Unknown => all = Verdict::Unknown,
            found => return found,
        }
    }
    all
}

/// The same with the conditions read so; what is read beside them is to be true.
fn none_read_as(goals: &[(&Condition, Want)], fields: &[Condition], most: usize) -> Verdict {
    let wants = goals.iter().map(|(_, want)| *want);
    let searched: Vec<(&Condition, Want)> = fields
        .iter()
        .zip(wants.chain(std::iter::repeat(Want::True)))
        .collect();
    let count: usize = fields
        .iter()
        .map(|condition| leaves(&condition.predicate, condition.profile))
        .sum();
    if count > MOST_LEAVES {
        return Verdict::Unknown;
    }
    match readable(goals, &searched, most) {
        Verdict::Yes => unreadable(goals, &searched, most),
        decided => decided,
    }
}

/// The same of the documents whose message body, if they have one, can be read. What is searched for is what is asked,
/// with system properties as fields.
fn readable(goals: &[(&Condition, Want)], searched: &[(&Condition, Want)], most: usize) -> Verdict {
    match search::search(&Goal::new(searched, most), most) {
        Outcome::Impossible => Verdict::Yes,
        Outcome::Undecided => Verdict::Unknown,
        Outcome::Found(witness) => shown(goals, witness),
    }
}

/// The same of messages whose body cannot be read: a condition that needs it is undefined there.
fn unreadable(
    goals: &[(&Condition, Want)],
    searched: &[(&Condition, Want)],
    most: usize,
) -> Verdict {
    let (blind, others): (Vec<_>, Vec<_>) = searched
        .iter()
        .partition(|(condition, _)| condition.needs_body);
    let possible = blind.iter().all(|(_, want)| *want == Want::NotTrue);
    if blind.is_empty() || others.is_empty() || !possible {
        return Verdict::Yes;
    }
    match search::search(&Goal::new(&others, most), most) {
        Outcome::Impossible => Verdict::Yes,
        Outcome::Undecided => Verdict::Unknown,
        Outcome::Found(mut witness) => {
            if let Value::Object(members) = &mut witness {
                members.insert("bodyUsable".to_owned(), Value::Bool(false));
            }
            shown(goals, witness)
        }
    }
}

/// A no, once the reference evaluator has seen the witness.
fn shown(goals: &[(&Condition, Want)], witness: Value) -> Verdict {
    let holds = |(condition, want): &(&Condition, Want)| {
        want.allows(eval(condition, Document::new(&witness)))
    };
    if goals.iter().all(holds) {
        Verdict::No { witness }
    } else {
        Verdict::Unknown
    }
}

#[cfg(test)]
mod tests;
