//! A condition as a row of clauses that single fields decide, as far as clauses can say it.

use super::code::{Code, Op};
use super::interval::{NumberRange, apart};

/// ORs of one condition that become clauses; others are left to its code.
pub(super) const MOST_ORS: usize = 6;

/// What a condition demands of a field.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Clause<'c> {
    /// Met by one of these tokens.
    Some(u32, &'c [u32]),
    /// Spoilt by one of these tokens.
    None(u32, &'c [u32]),
    /// Met by a number in the range.
    Within(u32, NumberRange),
}

/// What meets an OR.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Branch<'c> {
    /// One of these tokens of a field.
    Some(u32, &'c [u32]),
    /// One of the first tokens, unless one of the second is there.
    Except(u32, &'c [u32], &'c [u32]),
    /// A number in one of these ranges.
    Within(u32, Vec<NumberRange>),
}

/// One condition as clauses.
#[derive(Clone, Debug, Default)]
pub(super) struct Clauses<'c> {
    /// All of them must be met.
    pub(super) demands: Vec<Clause<'c>>,
    /// One of each must be met.
    pub(super) ors: Vec<Vec<Branch<'c>>>,
    /// Whether they say less than the condition.
    pub(super) partial: bool,
}

impl<'c> Clauses<'c> {
    pub(super) fn of(op: Op<'c>) -> Self {
        let mut out = Self::default();
        out.add(op);
        out
    }

    /// Whether no clause says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.demands.is_empty() && self.ors.is_empty()
    }

    fn add(&mut self, op: Op<'c>) {
        match op {
            Op::Some(field, tokens) => {
                let taken = |clause: &Clause<'_>| matches!(clause, Clause::Some(other, _) if *other == field);
                if self.demands.iter().any(taken) {
                    self.partial = true;
                } else {
                    self.demands.push(Clause::Some(field, tokens));
                }
            }
            Op::None(field, tokens) => self.demands.push(Clause::None(field, tokens)),
            Op::Within(field, range) => {
                let taken = |clause: &Clause<'_>| matches!(clause, Clause::Within(other, _) if *other == field);
                if self.demands.iter().any(taken) {
                    self.partial = true;
                } else {
                    self.demands.push(Clause::Within(field, range));
                }
            }
            Op::Any(branches) => match cover(branches) {
                Some((clauses, exact)) if self.ors.len() < MOST_ORS => {
                    self.partial |= !exact;
                    self.ors.push(clauses);
                }
                _ => self.partial = true,
            },
            Op::All(code) => code.for_each(|op| self.add(op)),
            Op::Evaluated(_) => self.partial = true,
        }
    }
}

/// Branches of which one is met whenever a branch is, and whether they say the same as the branches.
fn cover<'c>(branches: Code<'c>) -> Option<(Vec<Branch<'c>>, bool)> {
    let (mut out, mut exact) = (Vec::new(), true);
    for op in branches {
        exact &= cover_one(op, &mut out)?;
    }
    let mut merged: Vec<Branch<'c>> = Vec::with_capacity(out.len());
    for branch in out {
        let same = |held: &&mut Branch<'c>| match (&**held, &branch) {
            (Branch::Within(a, _), Branch::Within(b, _)) => a == b,
            (Branch::Except(a, ..), Branch::Except(b, ..)) => a == b,
            _ => false,
        };
        match (merged.iter_mut().find(same), branch) {
            (Some(Branch::Within(_, held)), Branch::Within(_, more)) => held.extend(more),
            // Two exceptions on one field would spoil each other.
            (Some(_), _) => return None,
            (None, branch) => merged.push(branch),
        }
    }
    for branch in &mut merged {
        if let Branch::Within(_, ranges) = branch {
            *ranges = apart(std::mem::take(ranges));
        }
    }
    Some((merged, exact))
}

fn cover_one<'c>(op: Op<'c>, out: &mut Vec<Branch<'c>>) -> Option<bool> {
    match op {
        Op::Some(field, tokens) => out.push(Branch::Some(field, tokens)),
        Op::Within(field, range) => out.push(Branch::Within(field, vec![range])),
        Op::None(..) | Op::Evaluated(_) => return None,
        Op::Any(branches) => {
            let mut exact = true;
            for op in branches {
                exact &= cover_one(op, out)?;
            }
            return Some(exact);
        }
        Op::All(mut code) => {
            let mut except = code;
            if let (Some(Op::Some(field, met)), Some(Op::None(other, spoilt)), None) =
                (except.next(), except.next(), except.next())
                && field == other
            {
                out.push(Branch::Except(field, met, spoilt));
                return Some(true);
            }
            // Any one of them will do: the first test, else the first OR that can be covered.
            let first = { code }.find(|op| matches!(op, Op::Some(..) | Op::Within(..)));
            if let Some(op) = first {
                cover_one(op, out)?;
                return Some(false);
            }
            let at = out.len();
            code.find_map(|op| {
                out.truncate(at);
                cover_one(op, out)
            })?;
            return Some(false);
        }
    }
    Some(true)
}
