//! What a bound condition asks, in no dialect's words.

use super::facts::{Facts, Shape};
use super::{Ask, Fold, Meaning};
use crate::expression::Membership;
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece};
use crate::predicate::{Bound, Condition, Edge, Predicate};
use crate::profile::{Logic, NumberRule, Profile};
use crate::value::{CompareOp, Scalar, number_text};

/// The meaning of a condition in normal form: it selects exactly the same documents.
pub(super) fn meaning(
    condition: &Condition,
    facts: &impl Fn(&FieldPath) -> Facts,
) -> Result<Meaning, String> {
    Reader {
        profile: condition.profile,
        facts,
    }
    .predicate(&condition.predicate)
}

struct Reader<'a, F> {
    profile: &'static Profile,
    facts: &'a F,
}

fn is(path: &FieldPath, ask: Ask) -> Meaning {
    Meaning::Is {
        path: path.clone(),
        ask,
    }
}

fn is_not(path: &FieldPath, ask: Ask) -> Meaning {
    Meaning::IsNot {
        path: path.clone(),
        ask,
    }
}

/// Three-valued negation: the field must be there.
fn present_but_not(path: &FieldPath, ask: Ask) -> Meaning {
    Meaning::And(vec![is(path, Ask::Present), is_not(path, ask)])
}

impl<F: Fn(&FieldPath) -> Facts> Reader<'_, F> {
    fn predicate(&self, predicate: &Predicate) -> Result<Meaning, String> {
        let all = |items: &[Predicate]| {
            items
                .iter()
                .map(|item| self.predicate(item))
                .collect::<Result<Vec<_>, _>>()
        };
        match predicate {
            Predicate::Constant(truth) => Ok(Meaning::Constant(*truth)),
            Predicate::And(items) => all(items).map(Meaning::And),
            Predicate::Or(items) => all(items).map(Meaning::Or),
            Predicate::Not(inner) => self.negated(inner),
            Predicate::Compare { path, op, value } => self.compare(path, *op, value),
            Predicate::In {
                path,
                values,
                membership,
            } => {
                let op = if *membership == Membership::In {
                    CompareOp::Eq
                } else {
                    CompareOp::Ne
                };
                let parts: Vec<Meaning> = values
                    .iter()
                    .map(|value| self.compare(path, op, value))
                    .collect::<Result<_, _>>()?;
                Ok(match membership {
                    Membership::In => Meaning::Or(parts),
                    Membership::NotIn if parts.is_empty() => self.defined(path)?,
                    Membership::NotIn => Meaning::And(parts),
                })
            }
            Predicate::Range { path, low, high } => self.range(path, low.as_ref(), high.as_ref()),
            Predicate::Match { path, pattern } => Ok(is(path, self.pattern(path, pattern)?)),
            Predicate::Defined { path } => self.defined(path),
            Predicate::Holds { path } if self.shape(path) == Shape::Bool => {
                Ok(is(path, Ask::Bool(true)))
            }
            Predicate::Holds { path } => Err(format!(
                "`{path}` as a condition may meet values that are no booleans"
            )),
            Predicate::ArrayContains {
                path,
                value: Scalar::Text(text),
            } if self.shape(path) == Shape::Words => Ok(is(
                path,
                Ask::Text {
                    text: text.to_string(),
                    fold: Fold::No,
                },
            )),
            Predicate::ArrayContains { path, .. } => Err(format!("ARRAY_CONTAINS of `{path}`")),
            Predicate::Kind { path, .. } => Err(format!("the test of the kind of `{path}`")),
            Predicate::Near { .. } => Err("geo_distance exists in the AWS dialect only".to_owned()),
            Predicate::AnyField { .. } => {
                Err("a value without a field searches every field".to_owned())
            }
            Predicate::General(_) => {
                Err("an expression of functions, arithmetic or two fields".to_owned())
            }
        }
    }

    fn shape(&self, path: &FieldPath) -> Shape {
        (self.facts)(path).shape
    }

    fn negated(&self, inner: &Predicate) -> Result<Meaning, String> {
        let meaning = self.predicate(inner)?;
        match (self.profile.logic, inner, meaning) {
            (_, Predicate::Defined { .. }, Meaning::Is { path, ask }) => {
                Ok(Meaning::IsNot { path, ask })
            }
            (Logic::TwoValued, _, meaning) => Ok(opposite(meaning)),
            (Logic::ThreeValued, _, Meaning::Is { path, .. })
                if self.shape(&path) == Shape::Words =>
            {
                Err(format!(
                    "`{path}` may be an empty array, which counts differently as existing"
                ))
            }
            (Logic::ThreeValued, _, Meaning::Is { path, ask }) => Ok(present_but_not(&path, ask)),
            (Logic::ThreeValued, ..) => Err("the negation".to_owned()),
        }
    }

    fn defined(&self, path: &FieldPath) -> Result<Meaning, String> {
        match self.shape(path) {
            Shape::Any => Err(format!(
                "`{path}` may hold null, objects or arrays, which count differently as existing"
            )),
            Shape::Words => Err(format!(
                "`{path}` may be an empty array, which counts differently as existing"
            )),
            _ => Ok(is(path, Ask::Present)),
        }
    }

    fn compare(&self, path: &FieldPath, op: CompareOp, value: &Scalar) -> Result<Meaning, String> {
        let ask = match (value, self.shape(path)) {
            (Scalar::Number(number), _) if number.is_infinite() => {
                return Err("an infinite number".to_owned());
            }
            (Scalar::Number(number), Shape::Number) if op != CompareOp::Ne => Ask::Number {
                op,
                number: *number,
            },
            (Scalar::Number(number), Shape::Number) => Ask::Number {
                op: CompareOp::Eq,
                number: *number,
            },
            (Scalar::Text(text), Shape::Word) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ask::Text {
                    text: text.to_string(),
                    fold: self.fold(),
                }
            }
            (Scalar::Bool(value), Shape::Bool) if matches!(op, CompareOp::Eq | CompareOp::Ne) => {
                Ask::Bool(*value)
            }
            (Scalar::Text(_), Shape::Word) => {
                return Err(format!("the order of texts in `{path}`"));
            }
            (Scalar::Number(number), Shape::Word)
                if self.profile.numbers == NumberRule::Numerals && op != CompareOp::Ne =>
            {
                Ask::Numeral {
                    op,
                    number: *number,
                }
            }
            (Scalar::Number(_), _) => {
                return Err(format!(
                    "`{path}` may hold other values than numbers, which count differently"
                ));
            }
            (Scalar::Text(_), _) => {
                return Err(format!(
                    "`{path}` may hold several words or other values than text, which count differently"
                ));
            }
            (Scalar::Bool(_), _) => {
                return Err(format!(
                    "`{path}` may hold other values than booleans, which count differently"
                ));
            }
            (Scalar::Null, _) => return Err("the comparison with null".to_owned()),
        };
        Ok(if op == CompareOp::Ne {
            present_but_not(path, ask)
        } else {
            is(path, ask)
        })
    }

    fn range(
        &self,
        path: &FieldPath,
        low: Option<&Bound>,
        high: Option<&Bound>,
    ) -> Result<Meaning, String> {
        let side = |bound: &Bound, inclusive: CompareOp, exclusive: CompareOp| {
            let op = if bound.edge == Edge::Inclusive {
                inclusive
            } else {
                exclusive
            };
            self.compare(path, op, &bound.value)
        };
        let mut parts = Vec::new();
        if let Some(bound) = low {
            parts.push(side(bound, CompareOp::Ge, CompareOp::Gt)?);
        }
        if let Some(bound) = high {
            parts.push(side(bound, CompareOp::Le, CompareOp::Lt)?);
        }
        if parts.is_empty() {
            return self.defined(path);
        }
        Ok(Meaning::And(parts))
    }

    fn fold(&self) -> Fold {
        match self.profile.logic {
            Logic::ThreeValued => Fold::No,
            Logic::TwoValued => Fold::Yes,
        }
    }

    fn pattern(&self, path: &FieldPath, pattern: &Pattern) -> Result<Ask, String> {
        let fold = self.fold();
        let shape = self.shape(path);
        if let (Pattern::Term { number, text }, Shape::Number) = (pattern, shape) {
            return match number {
                Some(number) => Ok(Ask::Number {
                    op: CompareOp::Eq,
                    number: *number,
                }),
                None => Err(format!("`{text}` is no number, but `{path}` is")),
            };
        }
        if let (Pattern::Term { text, .. }, Shape::Bool) = (pattern, shape) {
            return match &**text {
                "true" => Ok(Ask::Bool(true)),
                "false" => Ok(Ask::Bool(false)),
                _ => Err(format!("`{text}` is no boolean, but `{path}` is")),
            };
        }
        if shape == Shape::Words && self.profile.logic == Logic::ThreeValued {
            return Err(format!("a pattern over the array `{path}`"));
        }
        if !matches!(shape, Shape::Word | Shape::Words) {
            return Err(format!(
                "`{path}` may hold several words or other values than text, which count differently"
            ));
        }
        match pattern {
            Pattern::Term {
                number: Some(number),
                ..
            } if shape == Shape::Word && self.profile.numbers == NumberRule::Numerals => {
                Ok(Ask::Numeral {
                    op: CompareOp::Eq,
                    number: *number,
                })
            }
            Pattern::Term {
                number: Some(number),
                ..
            } => Err(spellings(path, *number)),
            Pattern::Term { text, number: None } => Ok(Ask::Text {
                text: text.to_string(),
                fold,
            }),
            Pattern::Prefix(text) => Ok(Ask::Prefix {
                text: text.to_string(),
                fold,
            }),
            Pattern::Suffix(text) => Ok(Ask::Suffix {
                text: text.to_string(),
                fold,
            }),
            Pattern::Wildcard(wildcard) => match wildcard.pieces() {
                [Piece::Literal(text), Piece::AnyRun] => Ok(Ask::Prefix {
                    text: text.to_string(),
                    fold,
                }),
                [Piece::AnyRun, Piece::Literal(text)] => Ok(Ask::Suffix {
                    text: text.to_string(),
                    fold,
                }),
                _ => Err("a wildcard that is neither a prefix nor a suffix".to_owned()),
            },
            Pattern::Contains(_) => Err("CONTAINS".to_owned()),
            Pattern::Phrase(_) => Err("a phrase of several words".to_owned()),
        }
    }
}

/// Why a dialect that knows numbers only by their kind has no counterpart.
pub(super) fn spellings(path: &FieldPath, number: f64) -> String {
    format!(
        "`{path}` may hold {} in other spellings of the same number",
        number_text(number)
    )
}

/// Two-valued negation.
fn opposite(meaning: Meaning) -> Meaning {
    match meaning {
        Meaning::Constant(truth) => Meaning::Constant(!truth),
        Meaning::Is { path, ask } => Meaning::IsNot { path, ask },
        Meaning::IsNot { path, ask } => Meaning::Is { path, ask },
        Meaning::And(items) => Meaning::Or(items.into_iter().map(opposite).collect()),
        Meaning::Or(items) => Meaning::And(items.into_iter().map(opposite).collect()),
    }
}
