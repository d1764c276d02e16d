//! Conditions as alternatives of literals: what is left when AND, OR and NOT are multiplied out.
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

/// Literals that must all hold; no literal: always met.
pub(super) type Conjunct<'a> = Vec<Literal<'a>>;

/// How many alternatives one condition may be multiplied out into.
pub(super) const MOST_CONJUNCTS: usize = 64;

/// The alternatives of a condition; none: never met. `None` when there would be too many.
pub(super) fn alternatives(predicate: &Predicate) -> Option<Vec<Conjunct<'_>>> {
    expand(predicate, Want::True)
}

/// The literals that hold whenever the condition is met, found without multiplying out.
pub(super) fn necessary(predicate: &Predicate) -> Conjunct<'_> {
    let mut out = Vec::new();
    let mut open = vec![(predicate, Want::True)];
    while let Some((at, want)) = open.pop() {
        match (at, want) {
            (Predicate::Not(inner), want) => open.push((inner, want.flipped())),
            (Predicate::And(items), Want::True) | (Predicate::Or(items), Want::False) => {
                open.extend(items.iter().map(|item| (item, want)));
            }
            (Predicate::And(_) | Predicate::Or(_) | Predicate::Constant(_), _) => {}
            (leaf, want) => out.push(Literal { leaf, want }),
        }
    }
    out
}

fn expand(predicate: &Predicate, want: Want) -> Option<Vec<Conjunct<'_>>> {
    match (predicate, want) {
        (Predicate::Constant(truth), want) => Some(if want.accepts(*truth) {
            vec![Vec::new()]
        } else {
            Vec::new()
        }),
        (Predicate::Not(inner), want) => expand(inner, want.flipped()),
        (Predicate::And(items), Want::True) | (Predicate::Or(items), Want::False) => {
            let mut product: Vec<Conjunct<'_>> = vec![Vec::new()];
            for item in items {
                let factor = expand(item, want)?;
                if product.len().saturating_mul(factor.len()) > MOST_CONJUNCTS {
                    return None;
                }
                product = product
                    .iter()
                    .flat_map(|left| {
                        factor
                            .iter()
                            .map(move |right| [left.as_slice(), right.as_slice()].concat())
                    })
                    .collect();
            }
            Some(product)
        }
        (Predicate::Or(items), Want::True) | (Predicate::And(items), Want::False) => {
            let mut sum = Vec::new();
            for item in items {
                sum.extend(expand(item, want)?);
                if sum.len() > MOST_CONJUNCTS {
                    return None;
                }
            }
            Some(sum)
        }
        (leaf, want) => Some(vec![vec![Literal { leaf, want }]]),
    }
}
