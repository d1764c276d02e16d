//! Conditions with their negations pushed down to the leaves.
//!
//! Under three truth values a condition is met when it is true, and a negation is true when what it
//! negates is false. So every leaf is asked for one of two things, [`Want::True`] or [`Want::False`],
//! and the rest is ordinary two-valued logic.

use crate::predicate::Predicate;
use crate::value::Truth;

/// What is asked of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Want {
    True,
    False,
}

impl Want {
    const fn flipped(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
        }
    }

    pub(super) fn accepts(self, truth: Truth) -> bool {
        match self {
            Self::True => truth == Truth::True,
            Self::False => truth == Truth::False,
        }
    }
}

/// A leaf and what is asked of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literal<'a> {
    pub(super) leaf: &'a Predicate,
    pub(super) want: Want,
}

/// Literals joined by AND and OR.
#[derive(Clone, Debug)]
pub(super) enum Shape<'a> {
    Literal(Literal<'a>),
    /// All of them; none: always met.
    All(Vec<Self>),
    /// Any of them; none: never met.
    Any(Vec<Self>),
}

/// Levels of AND and OR that are taken apart; what lies deeper is one literal, and evaluated.
const DEEPEST: usize = 64;

/// The condition as literals; no AND directly in an AND, no OR directly in an OR.
pub(super) fn shape(predicate: &Predicate) -> Shape<'_> {
    at_depth(predicate, Want::True, 0)
}

fn at_depth(predicate: &Predicate, want: Want, depth: usize) -> Shape<'_> {
    let literal = Shape::Literal(Literal {
        leaf: predicate,
        want,
    });
    if depth > DEEPEST {
        return literal;
    }
    let shapes = |items: &'_ [Predicate]| -> Vec<Shape<'_>> { Vec::with_capacity(items.len()) };
    match (predicate, want) {
        (Predicate::Constant(truth), want) if want.accepts(*truth) => Shape::All(Vec::new()),
        (Predicate::Constant(_), _) => Shape::Any(Vec::new()),
        (Predicate::Not(inner), want) => at_depth(inner, want.flipped(), depth + 1),
        (Predicate::And(items), Want::True) | (Predicate::Or(items), Want::False) => {
            let mut all = shapes(items);
            for item in items {
                match at_depth(item, want, depth + 1) {
                    Shape::All(inner) => all.extend(inner),
                    Shape::Any(inner) if inner.is_empty() => return Shape::Any(Vec::new()),
                    other => all.push(other),
                }
            }
            one_of(all, Shape::All)
        }
        (Predicate::Or(items), Want::True) | (Predicate::And(items), Want::False) => {
            let mut any = shapes(items);
            for item in items {
                match at_depth(item, want, depth + 1) {
                    Shape::Any(inner) => any.extend(inner),
                    Shape::All(inner) if inner.is_empty() => return Shape::All(Vec::new()),
                    other => any.push(other),
                }
            }
            one_of(any, Shape::Any)
        }
        _ => literal,
    }
}

/// A list of one is that one.
fn one_of<'a>(mut items: Vec<Shape<'a>>, join: fn(Vec<Shape<'a>>) -> Shape<'a>) -> Shape<'a> {
    match (items.len(), items.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            items.extend(last);
            join(items)
        }
    }
}
