//! What a leaf accepts of each kind of value: worked out once per query, then applied to lanes.
use crate::eval;
use crate::expression::Membership;
use crate::pattern::Pattern;
use crate::predicate::{Bound, Edge, Predicate};
use crate::profile::{Logic, NumberRule, Profile, TextRule};
use crate::value::{CompareOp, Datum, Scalar, Truth};
use std::borrow::Cow;

/// 2^53: under [`NumberRule::Numerals`] integers beyond it are no numbers.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_992.0;

/// Which numbers a leaf accepts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Numbers {
    /// Those in these closed ranges, ascending.
    Ranges(Vec<(f64, f64)>),
    /// To be asked of the evaluator for each.
    Each,
}

/// Which texts a leaf accepts.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Strings {
    None,
    All,
    OneOf(Vec<Box<str>>),
    NoneOf(Vec<Box<str>>),
    Prefix(Box<str>),
    /// To be asked of the evaluator for each distinct text.
    Each,
}

/// A leaf with the truth value that is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Test<'q> {
    pub(crate) leaf: &'q Predicate,
    pub(crate) profile: &'static Profile,
    pub(crate) want: Truth,
    pub(crate) undefined: bool,
    pub(crate) null: bool,
    pub(crate) no: bool,
    pub(crate) yes: bool,
    pub(crate) object: bool,
    pub(crate) array: bool,
    pub(crate) numbers: Numbers,
    pub(crate) strings: Strings,
}

impl<'q> Test<'q> {
    /// What both tests accept; none where that has no such form. The leaf is the one that is asked about texts.
    pub(crate) fn both(&self, other: &Self) -> Option<Self> {
        let (Numbers::Ranges(mine), Numbers::Ranges(theirs)) = (&self.numbers, &other.numbers)
        else {
            return None;
        };
        let asked = match (&self.strings, &other.strings) {
            (Strings::None, _) | (_, Strings::All) => self,
            (_, Strings::None) | (Strings::All, _) => other,
            _ => return None,
        };
        let mut ranges = Vec::new();
        for (low, high) in mine {
            for (from, to) in theirs {
                let (low, high) = (low.max(*from), high.min(*to));
                if low <= high {
                    ranges.push((low, high));
                }
            }
        }
        Some(Self {
            undefined: self.undefined && other.undefined,
            null: self.null && other.null,
            no: self.no && other.no,
            yes: self.yes && other.yes,
            object: self.object && other.object,
            array: self.array && other.array,
            numbers: Numbers::Ranges(ranges),
            ..asked.clone()
        })
    }

    /// The texts, if nothing but some texts is accepted.
    pub(crate) fn only_texts(&self) -> Option<&[Box<str>]> {
        let others = self.undefined
            || self.null
            || self.no
            || self.yes
            || self.object
            || self.array
            || self.numbers != Numbers::Ranges(Vec::new());
        match &self.strings {
            Strings::OneOf(texts) if !others => Some(texts),
            _ => None,
        }
    }

    /// Whether every value of every kind is accepted.
    pub(crate) fn accepts_any_value(&self) -> bool {
        self.null
            && self.no
            && self.yes
            && self.object
            && self.array
            && self.strings == Strings::All
            && self.numbers == Numbers::Ranges(vec![EVERYTHING])
    }

    /// The test of a value leaf (`Compare`, `In`, `Range`, `Match`, `Holds`) for one truth value.
    pub(crate) fn of_value(leaf: &'q Predicate, profile: &'static Profile, want: Truth) -> Self {
        let empty = serde_json::Map::new();
        let is = |value: &Datum<'_>| eval::leaf(leaf, profile, value) == want;
        let two_valued = profile.logic == Logic::TwoValued;
        Self {
            leaf,
            profile,
            want,
            // Under a profile with several values per field nothing, null, objects and arrays are no values.
            undefined: !two_valued && is(&Datum::Undefined),
            null: !two_valued && is(&Datum::Null),
            no: is(&Datum::Bool(false)),
            yes: is(&Datum::Bool(true)),
            object: !two_valued && is(&Datum::Object(&empty)),
            array: !two_valued && is(&Datum::Array(&[])),
            numbers: numbers(leaf, profile, want),
            strings: strings(leaf, profile, want),
        }
    }

    /// A test of kinds only.
    pub(crate) fn of_kinds(
        leaf: &'q Predicate,
        profile: &'static Profile,
        accepts: impl Fn(&Datum<'_>) -> bool,
    ) -> Self {
        let empty = serde_json::Map::new();
        let number = accepts(&Datum::Number(0.0));
        let text = accepts(&Datum::Text(Cow::Borrowed("")));
        Self {
            leaf,
            profile,
            want: Truth::True,
            undefined: accepts(&Datum::Undefined),
            null: accepts(&Datum::Null),
            no: accepts(&Datum::Bool(false)),
            yes: accepts(&Datum::Bool(true)),
            object: accepts(&Datum::Object(&empty)),
            array: accepts(&Datum::Array(&[])),
            numbers: Numbers::Ranges(if number { vec![EVERYTHING] } else { Vec::new() }),
            strings: if text { Strings::All } else { Strings::None },
        }
    }

    /// Asks the evaluator about one text.
    pub(crate) fn accepts_text(&self, text: &str) -> bool {
        match &self.strings {
            Strings::None => false,
            Strings::All => true,
            Strings::OneOf(texts) => texts.iter().any(|one| **one == *text),
            Strings::NoneOf(texts) => !texts.iter().any(|one| **one == *text),
            Strings::Prefix(prefix) => text.starts_with(&**prefix),
            Strings::Each => {
                eval::leaf(self.leaf, self.profile, &Datum::Text(Cow::Borrowed(text))) == self.want
            }
        }
    }

    /// Asks the evaluator about one number.
    pub(crate) fn accepts_number(&self, number: f64) -> bool {
        match &self.numbers {
            Numbers::Ranges(ranges) => ranges
                .iter()
                .any(|(low, high)| number >= *low && number <= *high),
            Numbers::Each => {
                eval::leaf(self.leaf, self.profile, &Datum::Number(number)) == self.want
            }
        }
    }
}

const EVERYTHING: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

fn numbers(leaf: &Predicate, profile: &Profile, want: Truth) -> Numbers {
    let constant = || {
        let all = eval::leaf(leaf, profile, &Datum::Number(0.0)) == want;
        Numbers::Ranges(if all { vec![EVERYTHING] } else { Vec::new() })
    };
    let hold = match leaf {
        Predicate::Compare {
            op,
            value: Scalar::Number(number),
            ..
        } => compared(*op, *number),
        Predicate::Compare { .. } | Predicate::Holds { .. } => return constant(),
        Predicate::In {
            values, membership, ..
        } => {
            let mut points: Vec<(f64, f64)> = values
                .iter()
                .filter_map(|value| match value {
                    Scalar::Number(number) => Some((*number, *number)),
                    _ => None,
                })
                .collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            points.dedup_by(|a, b| a.0 == b.0);
            match membership {
                Membership::In => points,
                Membership::NotIn if profile.logic == Logic::TwoValued => return Numbers::Each,
                Membership::NotIn => complement(&points),
            }
        }
        Predicate::Range { low, high, .. } => match (low, high) {
            (None, None) => return Numbers::Each,
            _ => {
                let side = |bound: &Option<Bound>| match bound {
                    None => Some(None),
                    Some(Bound {
                        value: Scalar::Number(number),
                        edge,
                    }) => Some(Some((*number, *edge))),
                    Some(_) => None,
                };
                let (Some(low), Some(high)) = (side(low), side(high)) else {
                    return Numbers::Each;
                };
                let from = low.map_or(f64::NEG_INFINITY, |(number, edge)| match edge {
                    Edge::Inclusive => number,
                    Edge::Exclusive => above(number),
                });
                let to = high.map_or(f64::INFINITY, |(number, edge)| match edge {
                    Edge::Inclusive => number,
                    Edge::Exclusive => below(number),
                });
                if from <= to {
                    vec![(from, to)]
                } else {
                    Vec::new()
                }
            }
        },
        Predicate::Match { .. } if profile.text == TextRule::Ordinal => {
            return Numbers::Ranges(Vec::new());
        }
        _ => return Numbers::Each,
    };
    let accepted = match want {
        Truth::True => hold,
        Truth::False => complement(&hold),
        Truth::Undefined => return Numbers::Each,
    };
    if profile.numbers == NumberRule::Numbers {
        return Numbers::Ranges(accepted);
    }
    Numbers::Ranges(
        accepted
            .into_iter()
            .map(|(low, high)| (low.max(-LARGEST_INTEGER), high.min(LARGEST_INTEGER)))
            .filter(|(low, high)| low <= high)
            .collect(),
    )
}

fn compared(op: CompareOp, number: f64) -> Vec<(f64, f64)> {
    let ranges = match op {
        CompareOp::Eq => vec![(number, number)],
        CompareOp::Ne => return complement(&[(number, number)]),
        CompareOp::Lt => vec![(f64::NEG_INFINITY, below(number))],
        CompareOp::Le => vec![(f64::NEG_INFINITY, number)],
        CompareOp::Gt => vec![(above(number), f64::INFINITY)],
        CompareOp::Ge => vec![(number, f64::INFINITY)],
    };
    ranges
        .into_iter()
        .filter(|(low, high)| low <= high)
        .collect()
}

/// The next number, NaN (which no range holds) after the last; both zeros are one number.
fn above(number: f64) -> f64 {
    if number == f64::INFINITY {
        f64::NAN
    } else {
        number.next_up()
    }
}

fn below(number: f64) -> f64 {
    if number == f64::NEG_INFINITY {
        f64::NAN
    } else {
        number.next_down()
    }
}

/// The numbers outside of ascending ranges.
fn complement(ranges: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let (mut out, mut from) = (Vec::new(), f64::NEG_INFINITY);
    for (low, high) in ranges {
        let to = below(*low);
        if from <= to {
            out.push((from, to));
        }
        from = above(*high);
    }
    if from <= f64::INFINITY {
        out.push((from, f64::INFINITY));
    }
    out
}

fn strings(leaf: &Predicate, profile: &Profile, want: Truth) -> Strings {
    if profile.text != TextRule::Ordinal || profile.numbers != NumberRule::Numbers {
        return Strings::Each;
    }
    let constant = || {
        if eval::leaf(leaf, profile, &Datum::Text(Cow::Borrowed(""))) == want {
            Strings::All
        } else {
            Strings::None
        }
    };
    let choice = |texts: Vec<Box<str>>, inside: bool| match (inside, texts.is_empty()) {
        (true, true) => Strings::None,
        (false, true) => Strings::All,
        (true, false) => Strings::OneOf(texts),
        (false, false) => Strings::NoneOf(texts),
    };
    match (leaf, want) {
        (
            Predicate::Compare {
                op: CompareOp::Eq,
                value: Scalar::Text(text),
                ..
            },
            Truth::True | Truth::False,
        ) => choice(vec![text.clone()], want == Truth::True),
        (
            Predicate::Compare {
                op: CompareOp::Ne,
                value: Scalar::Text(text),
                ..
            },
            Truth::True | Truth::False,
        ) => choice(vec![text.clone()], want == Truth::False),
        (
            Predicate::Compare {
                value: Scalar::Text(_),
                ..
            },
            _,
        ) => Strings::Each,
        (Predicate::Compare { .. } | Predicate::Holds { .. }, _) => constant(),
        (
            Predicate::In {
                values, membership, ..
            },
            Truth::True | Truth::False,
        ) => {
            let mut texts: Vec<Box<str>> = values
                .iter()
                .filter_map(|value| match value {
                    Scalar::Text(text) => Some(text.clone()),
                    _ => None,
                })
                .collect();
            texts.sort_unstable();
            texts.dedup();
            choice(
                texts,
                (*membership == Membership::In) == (want == Truth::True),
            )
        }
        (
            Predicate::Match {
                pattern: Pattern::Prefix(prefix),
                ..
            },
            Truth::True,
        ) => Strings::Prefix(prefix.clone()),
        _ => Strings::Each,
    }
}
