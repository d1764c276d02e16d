//! The normal form: negation only at leaves, no nested AND in AND, no constants inside.

use crate::expression::Membership;
use crate::predicate::{Condition, Predicate};
use crate::profile::Logic;
use crate::value::{CompareOp, Truth};

/// The condition in normal form, with the same truth value on every document.
///
/// Negations are moved to the leaves and into comparisons where those have an opposite; nested AND
/// and OR are flattened, repeated parts and constants dropped.
#[must_use]
pub fn normalise(condition: &Condition) -> Condition {
    let logic = condition.profile.logic;
    Condition {
        predicate: positive(&condition.predicate, logic),
        ..condition.clone()
    }
}

fn positive(predicate: &Predicate, logic: Logic) -> Predicate {
    match predicate {
        Predicate::Not(inner) => negative(inner, logic),
        Predicate::And(items) => join(items.iter().map(|item| positive(item, logic)), Truth::True),
        Predicate::Or(items) => join(items.iter().map(|item| positive(item, logic)), Truth::False),
        leaf => leaf.clone(),
    }
}

fn negative(predicate: &Predicate, logic: Logic) -> Predicate {
    match predicate {
        Predicate::Constant(truth) => Predicate::Constant(!*truth),
        Predicate::Not(inner) => positive(inner, logic),
        Predicate::And(items) => join(items.iter().map(|item| negative(item, logic)), Truth::False),
        Predicate::Or(items) => join(items.iter().map(|item| negative(item, logic)), Truth::True),
        Predicate::Compare { path, op, value } if logic == Logic::ThreeValued => {
            let op = match op {
                CompareOp::Eq => CompareOp::Ne,
                CompareOp::Ne => CompareOp::Eq,
                CompareOp::Lt => CompareOp::Ge,
                CompareOp::Le => CompareOp::Gt,
                CompareOp::Gt => CompareOp::Le,
                CompareOp::Ge => CompareOp::Lt,
            };
            Predicate::Compare {
                path: path.clone(),
                op,
                value: value.clone(),
            }
        }
        Predicate::In {
            path,
            values,
            membership,
        } if logic == Logic::ThreeValued && !values.is_empty() => {
            let membership = match membership {
                Membership::In => Membership::NotIn,
                Membership::NotIn => Membership::In,
            };
            Predicate::In {
                path: path.clone(),
                values: values.clone(),
                membership,
            }
        }
        leaf => Predicate::Not(Box::new(leaf.clone())),
    }
}

/// AND (whose neutral constant is true) or OR (false) of parts in normal form.
fn join(parts: impl Iterator<Item = Predicate>, neutral: Truth) -> Predicate {
    let mut out: Vec<Predicate> = Vec::new();
    for part in parts {
        let flat = match part {
            Predicate::And(items) if neutral == Truth::True => items,
            Predicate::Or(items) if neutral == Truth::False => items,
            other => vec![other],
        };
        for item in flat {
            match item {
                Predicate::Constant(truth) if truth == neutral => {}
                Predicate::Constant(truth) if truth == !neutral => {
                    return Predicate::Constant(truth);
                }
                item if out.contains(&item) => {}
                item => out.push(item),
            }
        }
    }
    match (out.len(), out.pop()) {
        (_, None) => Predicate::Constant(neutral),
        (1, Some(only)) => only,
        (_, Some(last)) => {
            out.push(last);
            if neutral == Truth::True {
                Predicate::And(out)
            } else {
                Predicate::Or(out)
            }
        }
    }
}
