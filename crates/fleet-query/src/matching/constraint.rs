//! What a literal demands of the value at its path, where an index can be asked for it.

use super::interval::Place;
use super::normal::{Literal, Want};
use crate::eval;
use crate::expression::Membership;
use crate::path::FieldPath;
use crate::pattern::Pattern;
use crate::predicate::{Bound, Edge, KindTest, Predicate};
use crate::profile::{ArrayRule, DefinedRule, Logic, MixedKinds, Profile, TextRule};
use crate::value::{CompareOp, Datum, Kind, Scalar, fold, number_of};

/// A value that equality is asked about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Null,
    Bool(bool),
    /// The bits of a double whose negative zero is zero.
    Number(u64),
    Text(Box<str>),
}

impl Key {
    pub(super) fn number(value: f64) -> Self {
        Self::Number(if value == 0.0 { 0 } else { value.to_bits() })
    }

    pub(super) fn of_datum(value: &Datum<'_>) -> Option<Self> {
        match value {
            Datum::Null => Some(Self::Null),
            Datum::Bool(value) => Some(Self::Bool(*value)),
            Datum::Number(number) => Some(Self::number(*number)),
            Datum::Text(text) => Some(Self::Text(text.as_ref().into())),
            Datum::Undefined | Datum::Array(_) | Datum::Object(_) => None,
        }
    }

    fn of_scalar(value: &Scalar) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Number(number) => Self::number(*number),
            Scalar::Text(text) => Self::Text(text.clone()),
        }
    }
}

/// A set of kinds, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kinds(u8);

/// Every kind, in the order of its bit.
pub(super) const KINDS: [Kind; 7] = [
    Kind::Undefined,
    Kind::Null,
    Kind::Bool,
    Kind::Number,
    Kind::Text,
    Kind::Array,
    Kind::Object,
];

impl Kinds {
    pub(super) fn of(kinds: &[Kind]) -> Self {
        Self(kinds.iter().fold(0, |bits, kind| bits | 1 << (*kind as u8)))
    }

    /// Those that `=` and `!=` can compare with anything.
    fn comparable() -> Self {
        Self::of(&[Kind::Null, Kind::Bool, Kind::Number, Kind::Text])
    }

    fn all_but(self) -> Self {
        Self(!self.0 & 0x7f)
    }

    pub(super) const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << (kind as u8)) != 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A range of numbers that holds at least one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberRange {
    low: f64,
    high: f64,
    low_open: bool,
    high_open: bool,
}

impl NumberRange {
    /// The range of these sides, each with whether it is open; none if it would hold nothing.
    pub(super) fn new(low: Option<(f64, bool)>, high: Option<(f64, bool)>) -> Option<Self> {
        let (low, low_open) = low.unwrap_or((f64::NEG_INFINITY, false));
        let (high, high_open) = high.unwrap_or((f64::INFINITY, false));
        let range = Self {
            low,
            high,
            low_open,
            high_open,
        };
        (range.enter() < range.leave()).then_some(range)
    }

    pub(super) fn holds(&self, number: f64) -> bool {
        let low = if self.low_open {
            number > self.low
        } else {
            number >= self.low
        };
        let high = if self.high_open {
            number < self.high
        } else {
            number <= self.high
        };
        low && high
    }

    pub(super) const fn enter(&self) -> Place {
        if self.low_open {
            Place::after(self.low)
        } else {
            Place::before(self.low)
        }
    }

    pub(super) const fn leave(&self) -> Place {
        if self.high_open {
            Place::before(self.high)
        } else {
            Place::after(self.high)
        }
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let (low, low_open) = if (self.low, self.low_open) >= (other.low, other.low_open) {
            (self.low, self.low_open)
        } else {
            (other.low, other.low_open)
        };
        let (high, high_open) = if (self.high, !self.high_open) <= (other.high, !other.high_open) {
            (self.high, self.high_open)
        } else {
            (other.high, other.high_open)
        };
        Self::new(Some((low, low_open)), Some((high, high_open)))
    }
}

/// What the value must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Demand {
    /// Equal to one of these.
    AnyOf(Vec<Key>),
    /// Comparable, and equal to none of these.
    NoneOf(Vec<Key>),
    /// A number in this range.
    Within(NumberRange),
    /// Text that begins so.
    Prefix(Box<str>),
    /// Of one of these kinds.
    OfKind(Kinds),
}

/// How well an index serves a demand: the lower the better.
const fn rank(demand: &Demand) -> u8 {
    match demand {
        Demand::AnyOf(_) => 0,
        Demand::Within(_) => 1,
        Demand::Prefix(_) => 2,
        Demand::NoneOf(_) => 3,
        Demand::OfKind(_) => 4,
    }
}

/// A literal as an index sees it.
#[derive(Clone, Debug)]
pub(super) struct Indexed<'a> {
    pub(super) path: &'a FieldPath,
    pub(super) demand: Demand,
    /// Whether the demand says all that the literal says; otherwise it says less, and the literal is
    /// still to be evaluated.
    pub(super) exact: bool,
}

/// The outcome of looking at a literal.
#[derive(Clone, Debug)]
pub(super) enum Seen<'a> {
    /// No value meets it.
    Never,
    /// An index can be asked.
    Indexed(Indexed<'a>),
    /// It must be evaluated.
    Evaluated,
}

/// Whether one value decides a leaf of this profile, by the rules of IoT Hub conditions.
pub(super) fn is_single_valued(profile: &Profile) -> bool {
    profile.logic == Logic::ThreeValued
        && profile.arrays == ArrayRule::Opaque
        && profile.mixed == MixedKinds::Matrix
        && profile.text == TextRule::Ordinal
        && profile.defined == DefinedRule::AnyValue
}

pub(super) fn see<'a>(literal: &Literal<'a>, profile: &Profile) -> Seen<'a> {
    if is_single_valued(profile) {
        match see_single(literal) {
            // A null property of a message counts as no value in some leaves only (Azure spec 3.9).
            Seen::Indexed(indexed) if eval::is_property_path(indexed.path) => Seen::Evaluated,
            seen => seen,
        }
    } else if literal.want == Want::True {
        see_several(literal.leaf, profile)
    } else {
        Seen::Evaluated
    }
}

fn exact(path: &FieldPath, demand: Demand) -> Seen<'_> {
    Seen::Indexed(Indexed {
        path,
        demand,
        exact: true,
    })
}

fn coarse(path: &FieldPath, demand: Demand) -> Seen<'_> {
    Seen::Indexed(Indexed {
        path,
        demand,
        exact: false,
    })
}

fn within(path: &FieldPath, range: Option<NumberRange>) -> Seen<'_> {
    range.map_or(Seen::Never, |range| exact(path, Demand::Within(range)))
}

fn compared(op: CompareOp, number: f64) -> Option<NumberRange> {
    let (low, high) = match op {
        CompareOp::Lt => (None, Some((number, true))),
        CompareOp::Le => (None, Some((number, false))),
        CompareOp::Gt => (Some((number, true)), None),
        CompareOp::Ge => (Some((number, false)), None),
        CompareOp::Eq | CompareOp::Ne => (Some((number, false)), Some((number, false))),
    };
    NumberRange::new(low, high)
}

const fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Ge => CompareOp::Lt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Le => CompareOp::Gt,
    }
}

/// The range of two bounds that are numbers; `None` when a bound is something else.
fn numbers(low: Option<&Bound>, high: Option<&Bound>) -> Option<Option<NumberRange>> {
    let side = |bound: Option<&Bound>| match bound {
        None => Some(None),
        Some(Bound {
            value: Scalar::Number(number),
            edge,
        }) => Some(Some((*number, *edge == Edge::Exclusive))),
        Some(_) => None,
    };
    if low.is_none() && high.is_none() {
        return None;
    }
    Some(NumberRange::new(side(low)?, side(high)?))
}

fn see_single<'a>(literal: &Literal<'a>) -> Seen<'a> {
    let wanted = literal.want == Want::True;
    match literal.leaf {
        Predicate::Compare { path, op, value } => {
            let op = if wanted { *op } else { opposite(*op) };
            match (op, value) {
                (CompareOp::Eq, value) => exact(path, Demand::AnyOf(vec![Key::of_scalar(value)])),
                (CompareOp::Ne, value) => exact(path, Demand::NoneOf(vec![Key::of_scalar(value)])),
                (op, Scalar::Number(number)) => within(path, compared(op, *number)),
                (_, value) => coarse(path, Demand::OfKind(Kinds::of(&[value.kind()]))),
            }
        }
        Predicate::In {
            path,
            values,
            membership,
        } if !values.is_empty() => {
            let keys = values.iter().map(Key::of_scalar).collect();
            if wanted == (*membership == Membership::In) {
                exact(path, Demand::AnyOf(keys))
            } else {
                exact(path, Demand::NoneOf(keys))
            }
        }
        Predicate::Range { path, low, high } => match numbers(low.as_ref(), high.as_ref()) {
            Some(range) if wanted => within(path, range),
            Some(_) => coarse(path, Demand::OfKind(Kinds::of(&[Kind::Number]))),
            None => Seen::Evaluated,
        },
        Predicate::Match {
            path,
            pattern: Pattern::Prefix(prefix),
        } if wanted => exact(path, Demand::Prefix(prefix.clone())),
        Predicate::Match { path, .. } => coarse(path, Demand::OfKind(Kinds::of(&[Kind::Text]))),
        Predicate::Defined { path } => {
            let undefined = Kinds::of(&[Kind::Undefined]);
            exact(
                path,
                Demand::OfKind(if wanted {
                    undefined.all_but()
                } else {
                    undefined
                }),
            )
        }
        Predicate::Kind { path, kind } => {
            let kinds = Kinds::of(match kind {
                KindTest::Null => &[Kind::Null],
                KindTest::Bool => &[Kind::Bool],
                KindTest::Number => &[Kind::Number],
                KindTest::Text => &[Kind::Text],
                KindTest::Object => &[Kind::Object],
                KindTest::Array => &[Kind::Array],
                KindTest::Primitive => &[Kind::Text, Kind::Bool, Kind::Number, Kind::Null],
            });
            // An infinite number is a number by kind, and no number by this test.
            let demand = Demand::OfKind(if wanted { kinds } else { kinds.all_but() });
            match kind {
                KindTest::Number if wanted => coarse(path, demand),
                KindTest::Number => Seen::Evaluated,
                _ => exact(path, demand),
            }
        }
        Predicate::Holds { path } => {
            let keys = if wanted {
                vec![Key::Bool(true)]
            } else {
                vec![Key::Bool(false), Key::Null]
            };
            exact(path, Demand::AnyOf(keys))
        }
        Predicate::ArrayContains { path, .. } => {
            coarse(path, Demand::OfKind(Kinds::of(&[Kind::Array])))
        }
        _ => Seen::Evaluated,
    }
}

/// Profiles in which a path shows several values: the demand is one that some value meets whenever
/// the leaf holds, and the leaf is evaluated all the same.
fn see_several<'a>(leaf: &'a Predicate, profile: &Profile) -> Seen<'a> {
    let key = |value: &Scalar| match value {
        Scalar::Text(text) => Key::Text(fold(text).into()),
        value => Key::of_scalar(value),
    };
    match leaf {
        Predicate::Compare {
            path,
            op: CompareOp::Eq,
            value,
        } => coarse(path, Demand::AnyOf(vec![key(value)])),
        Predicate::Compare {
            path,
            op,
            value: Scalar::Number(number),
        } if *op != CompareOp::Ne => {
            compared(*op, *number).map_or(Seen::Never, |range| coarse(path, Demand::Within(range)))
        }
        Predicate::In {
            path,
            values,
            membership: Membership::In,
        } if !values.is_empty() => coarse(path, Demand::AnyOf(values.iter().map(key).collect())),
        Predicate::Range { path, low, high } => match numbers(low.as_ref(), high.as_ref()) {
            Some(Some(range)) => coarse(path, Demand::Within(range)),
            Some(None) => Seen::Never,
            None => Seen::Evaluated,
        },
        Predicate::Match { path, pattern } => match pattern {
            Pattern::Term { text, number } => {
                let mut keys = vec![Key::Text(fold(text).into())];
                keys.extend(number.map(Key::number));
                coarse(path, Demand::AnyOf(keys))
            }
            Pattern::Prefix(prefix) => coarse(path, Demand::Prefix(fold(prefix).into())),
            Pattern::Wildcard(wildcard) => match wildcard.as_prefix() {
                Some(prefix) if profile.text != TextRule::Ordinal => {
                    coarse(path, Demand::Prefix(prefix.into()))
                }
                _ => Seen::Evaluated,
            },
            _ => Seen::Evaluated,
        },
        _ => Seen::Evaluated,
    }
}

/// Both demands as one, where one can say both; otherwise the better one, and the other is left over.
pub(super) enum Merged {
    Never,
    One(Demand),
    First,
    Second,
}

pub(super) fn merge(one: &Demand, other: &Demand) -> Merged {
    match (one, other) {
        (Demand::Within(a), Demand::Within(b)) => a
            .and(b)
            .map_or(Merged::Never, |range| Merged::One(Demand::Within(range))),
        (Demand::NoneOf(a), Demand::NoneOf(b)) => {
            Merged::One(Demand::NoneOf([a.as_slice(), b.as_slice()].concat()))
        }
        (Demand::AnyOf(a), Demand::AnyOf(b)) => {
            let both: Vec<Key> = a.iter().filter(|key| b.contains(key)).cloned().collect();
            if both.is_empty() {
                Merged::Never
            } else {
                Merged::One(Demand::AnyOf(both))
            }
        }
        (Demand::AnyOf(keys), Demand::NoneOf(not)) | (Demand::NoneOf(not), Demand::AnyOf(keys)) => {
            let left: Vec<Key> = keys
                .iter()
                .filter(|key| !not.contains(key))
                .cloned()
                .collect();
            if left.is_empty() {
                Merged::Never
            } else {
                Merged::One(Demand::AnyOf(left))
            }
        }
        (Demand::OfKind(a), Demand::OfKind(b)) => Merged::One(Demand::OfKind(a.and(*b))),
        (one, other) if rank(one) <= rank(other) => Merged::First,
        _ => Merged::Second,
    }
}

impl Demand {
    /// Every kind on which the demand can be met by kind alone.
    pub(super) fn kinds(&self) -> Kinds {
        match self {
            Self::OfKind(kinds) => *kinds,
            Self::NoneOf(_) => Kinds::comparable(),
            Self::AnyOf(_) | Self::Within(_) | Self::Prefix(_) => Kinds(0),
        }
    }
}

/// What the columns look up of a value: its kind, and the keys and numbers that it answers to.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Probe {
    pub(super) kind: Kind,
    pub(super) keys: Vec<Key>,
    pub(super) numbers: Vec<f64>,
}

impl Probe {
    /// The one value of a path.
    pub(super) fn single(value: &Datum<'_>) -> Self {
        let numbers = match value {
            Datum::Number(number) => vec![*number],
            _ => Vec::new(),
        };
        Self {
            kind: value.kind(),
            keys: Key::of_datum(value).into_iter().collect(),
            numbers,
        }
    }

    /// All that the values of a path answer to under a profile that folds text.
    pub(super) fn several(values: &[Datum<'_>], profile: &Profile) -> Self {
        let mut keys = Vec::new();
        let mut numbers = Vec::new();
        for value in values {
            numbers.extend(number_of(profile.numbers, value));
            let text = match value {
                Datum::Text(text) => fold(text).into_owned(),
                Datum::Number(number) => crate::value::number_text(*number),
                Datum::Bool(value) => value.to_string(),
                _ => String::new(),
            };
            if profile.text == TextRule::FoldedTokens {
                keys.extend(text.split_whitespace().map(|token| Key::Text(token.into())));
            }
            keys.push(Key::Text(text.into()));
            keys.extend(Key::of_datum(value).filter(|key| !matches!(key, Key::Text(_))));
        }
        keys.extend(numbers.iter().map(|number| Key::number(*number)));
        keys.sort_unstable_by(Self::key_order);
        keys.dedup();
        let kind = if values.is_empty() {
            Kind::Undefined
        } else {
            Kind::Array
        };
        Self {
            kind,
            keys,
            numbers,
        }
    }

    fn key_order(one: &Key, other: &Key) -> std::cmp::Ordering {
        let class = |key: &Key| match key {
            Key::Null => (0, 0),
            Key::Bool(value) => (1, u64::from(*value)),
            Key::Number(bits) => (2, *bits),
            Key::Text(_) => (3, 0),
        };
        let text = |key: &Key| match key {
            Key::Text(text) => text.clone(),
            _ => "".into(),
        };
        class(one)
            .cmp(&class(other))
            .then_with(|| text(one).cmp(&text(other)))
    }
}

impl Probe {
    /// Whether the value meets a demand.
    pub(super) fn meets(&self, demand: &Demand) -> bool {
        match demand {
            Demand::AnyOf(keys) => keys.iter().any(|key| self.keys.contains(key)),
            Demand::NoneOf(keys) => {
                demand.kinds().has(self.kind) && !keys.iter().any(|key| self.keys.contains(key))
            }
            Demand::Within(range) => self.numbers.iter().any(|number| range.holds(*number)),
            Demand::Prefix(prefix) => self
                .keys
                .iter()
                .any(|key| matches!(key, Key::Text(text) if text.starts_with(&**prefix))),
            Demand::OfKind(kinds) => kinds.has(self.kind),
        }
    }
}
