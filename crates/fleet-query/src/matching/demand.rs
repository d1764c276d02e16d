//! What a literal demands of the value at its path, as tests that a value answers to by name.

use super::interval::NumberRange;
use super::normal::{Literal, Want};
use crate::eval;
use crate::expression::Membership;
use crate::path::FieldPath;
use crate::pattern::Pattern;
use crate::predicate::{Bound, Edge, KindTest, Predicate};
use crate::profile::{ArrayRule, DefinedRule, Logic, MixedKinds, Profile, TextRule};
use crate::value::{CompareOp, Kind, Scalar, fold};
use hashbrown::Equivalent;

/// A set of kinds, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Kinds(u8);

impl Kinds {
    pub(super) const ALL: Self = Self(0x7f);
    /// Those that `=` and `!=` can compare with anything.
    const COMPARABLE: Self = Self::of(&[Kind::Null, Kind::Bool, Kind::Number, Kind::Text]);

    pub(super) const fn of(kinds: &[Kind]) -> Self {
        let mut bits = 0;
        let mut rest = kinds;
        while let [first, more @ ..] = rest {
            bits |= 1 << (*first as u8);
            rest = more;
        }
        Self(bits)
    }

    const fn without(self, kind: Kind) -> Self {
        Self(self.0 & !(1 << (kind as u8)))
    }

    pub(super) const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << (kind as u8)) != 0
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// A test with a yes or no for every value. `T` is how text is held: owned where stored, borrowed to look up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key<T> {
    Null,
    Bool(bool),
    /// Equal to the number of these bits; negative zero is zero.
    Number(u64),
    /// Equal to this text; folded in profiles that fold.
    Text(T),
    /// Text that begins so; in profiles that fold, the folded text form of the value.
    Prefix(T),
    /// One of the terms of the value's text form.
    Term(T),
    /// A term that begins so.
    TermPrefix(T),
    /// Of one of these kinds.
    OfKind(Kinds),
}

pub(super) type OwnKey = Key<Box<str>>;

impl Equivalent<OwnKey> for Key<&str> {
    fn equivalent(&self, own: &OwnKey) -> bool {
        match (self, own) {
            (Key::Null, Key::Null) => true,
            (Key::Bool(a), Key::Bool(b)) => a == b,
            (Key::Number(a), Key::Number(b)) => a == b,
            (Key::Text(a), Key::Text(b))
            | (Key::Prefix(a), Key::Prefix(b))
            | (Key::Term(a), Key::Term(b))
            | (Key::TermPrefix(a), Key::TermPrefix(b)) => **a == **b,
            (Key::OfKind(a), Key::OfKind(b)) => a == b,
            _ => false,
        }
    }
}

impl<T> Key<T> {
    pub(super) fn number(value: f64) -> Self {
        Self::Number(if value == 0.0 { 0 } else { value.to_bits() })
    }
}

impl OwnKey {
    fn of_scalar(value: &Scalar) -> Self {
        match value {
            Scalar::Null => Self::Null,
            Scalar::Bool(value) => Self::Bool(*value),
            Scalar::Number(number) => Self::number(*number),
            Scalar::Text(text) => Self::Text(text.clone()),
        }
    }

    /// Bytes beside the key itself.
    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Text(text) | Self::Prefix(text) | Self::Term(text) | Self::TermPrefix(text) => {
                text.len()
            }
            _ => 0,
        }
    }
}

/// What a value must answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Demand {
    /// Yes to one of these.
    AnyOf(Vec<OwnKey>),
    /// No to all of these; no value at all is a no.
    NoneOf(Vec<OwnKey>),
    /// One of its numbers lies in the range.
    Within(NumberRange),
}

impl Demand {
    /// The lower, the fewer values meet it as a rule; a kind comes before what else is not to be.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::AnyOf(keys) if matches!(keys.as_slice(), [Key::OfKind(_)]) => 2,
            Self::AnyOf(_) => 0,
            Self::Within(_) => 1,
            Self::NoneOf(_) => 3,
        }
    }
}

/// A literal as an index sees it.
#[derive(Clone, Debug)]
pub(super) enum Seen<'a> {
    /// No value meets it.
    Never,
    /// The same as all of these demands on one field.
    Exact(&'a FieldPath, Vec<Demand>),
    /// These demands are met whenever it is, but it must be evaluated too.
    Coarse(&'a FieldPath, Vec<Demand>),
    /// It must be evaluated.
    Evaluated,
}

/// How a profile's leaves read the values at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// One value, perhaps undefined, by the rules of IoT Hub conditions.
    One,
    /// Any of several values, text folded.
    Several,
    /// In another way: nothing is indexed.
    Other,
}

pub(super) fn reading(profile: &Profile) -> Reading {
    let one = profile.logic == Logic::ThreeValued
        && profile.arrays == ArrayRule::Opaque
        && profile.mixed == MixedKinds::Matrix
        && profile.text == TextRule::Ordinal;
    let several = profile.logic == Logic::TwoValued
        && profile.arrays == ArrayRule::AnyElement
        && profile.mixed == MixedKinds::NoMatch
        && profile.text != TextRule::Ordinal;
    match (one, several) {
        (true, _) => Reading::One,
        (_, true) => Reading::Several,
        _ => Reading::Other,
    }
}

pub(super) fn see<'a>(literal: &Literal<'a>, profile: &Profile) -> Seen<'a> {
    match reading(profile) {
        Reading::One => see_one(literal, profile),
        Reading::Several => see_several(literal, profile),
        Reading::Other => Seen::Evaluated,
    }
}

fn of_kind(kinds: Kinds) -> Demand {
    Demand::AnyOf(vec![Key::OfKind(kinds)])
}

const fn opposite(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Eq => CompareOp::Ne,
        CompareOp::Ne => CompareOp::Eq,
        CompareOp::Lt => CompareOp::Ge,
        CompareOp::Le => CompareOp::Gt,
        CompareOp::Gt => CompareOp::Le,
        CompareOp::Ge => CompareOp::Lt,
    }
}

/// The numbers that an order accepts; `None` where no number is.
fn compared(op: CompareOp, number: f64) -> Option<NumberRange> {
    match op {
        CompareOp::Lt => NumberRange::new(None, Some((number, Edge::Exclusive))),
        CompareOp::Le => NumberRange::new(None, Some((number, Edge::Inclusive))),
        CompareOp::Gt => NumberRange::new(Some((number, Edge::Exclusive)), None),
        CompareOp::Ge => NumberRange::new(Some((number, Edge::Inclusive)), None),
        CompareOp::Eq | CompareOp::Ne => None,
    }
}

/// The range of two bounds that are numbers; the outer `None` when a bound is something else or both are open.
fn numbers(low: Option<&Bound>, high: Option<&Bound>) -> Option<Option<NumberRange>> {
    let side = |bound: Option<&Bound>| match bound {
        None => Some(None),
        Some(Bound {
            value: Scalar::Number(number),
            edge,
        }) => Some(Some((*number, *edge))),
        Some(_) => None,
    };
    if low.is_none() && high.is_none() {
        return None;
    }
    Some(NumberRange::new(side(low)?, side(high)?))
}

fn see_one<'a>(literal: &Literal<'a>, profile: &Profile) -> Seen<'a> {
    let wanted = literal.want == Want::True;
    // A null property of a message counts as no value in a comparison (Azure spec 3.9).
    let comparable = |path: &FieldPath| {
        if eval::is_property_path(path) {
            Kinds::COMPARABLE.without(Kind::Null)
        } else {
            Kinds::COMPARABLE
        }
    };
    let any_of = |path: &'a FieldPath, mut keys: Vec<OwnKey>| {
        if !comparable(path).has(Kind::Null) {
            keys.retain(|key| *key != Key::Null);
        }
        if keys.is_empty() {
            Seen::Never
        } else {
            Seen::Exact(path, vec![Demand::AnyOf(keys)])
        }
    };
    let none_of = |path: &'a FieldPath, keys: Vec<OwnKey>| {
        Seen::Exact(path, vec![of_kind(comparable(path)), Demand::NoneOf(keys)])
    };
    let within = |path: &'a FieldPath, range: Option<NumberRange>| {
        range.map_or(Seen::Never, |range| {
            Seen::Exact(path, vec![Demand::Within(range)])
        })
    };
    match literal.leaf {
        Predicate::Compare { path, op, value } => {
            let op = if wanted { *op } else { opposite(*op) };
            match (op, value) {
                (_, Scalar::Number(number)) if number.is_nan() => Seen::Evaluated,
                (CompareOp::Eq, value) => any_of(path, vec![Key::of_scalar(value)]),
                (CompareOp::Ne, value) => none_of(path, vec![Key::of_scalar(value)]),
                (op, Scalar::Number(number)) => within(path, compared(op, *number)),
                (_, value) => Seen::Coarse(path, vec![of_kind(Kinds::of(&[value.kind()]))]),
            }
        }
        Predicate::In {
            path,
            values,
            membership,
        } if !values.is_empty() => {
            let keys = values.iter().map(Key::of_scalar).collect();
            if wanted == (*membership == Membership::In) {
                any_of(path, keys)
            } else {
                none_of(path, keys)
            }
        }
        Predicate::Range { path, low, high } => match numbers(low.as_ref(), high.as_ref()) {
            Some(range) if wanted => within(path, range),
            Some(_) => Seen::Coarse(path, vec![of_kind(Kinds::of(&[Kind::Number]))]),
            None => Seen::Evaluated,
        },
        Predicate::Match {
            path,
            pattern: Pattern::Prefix(prefix),
        } => {
            let key = Key::Prefix(prefix.clone());
            if wanted {
                any_of(path, vec![key])
            } else {
                let text = of_kind(Kinds::of(&[Kind::Text]));
                Seen::Exact(path, vec![text, Demand::NoneOf(vec![key])])
            }
        }
        Predicate::Match { path, .. } => {
            Seen::Coarse(path, vec![of_kind(Kinds::of(&[Kind::Text]))])
        }
        Predicate::Defined { path } => {
            let defined = match profile.defined {
                DefinedRule::AnyValue => Kinds::ALL.without(Kind::Undefined),
                DefinedRule::Primitive => Kinds::COMPARABLE,
                DefinedRule::Indexed => return Seen::Evaluated,
            };
            Seen::Exact(path, vec![of_kind(picked(defined, wanted))])
        }
        Predicate::Kind { path, kind } => {
            let kinds = Kinds::of(match kind {
                KindTest::Null => &[Kind::Null],
                KindTest::Bool => &[Kind::Bool],
                KindTest::Text => &[Kind::Text],
                KindTest::Object => &[Kind::Object],
                KindTest::Array => &[Kind::Array],
                KindTest::Primitive => &[Kind::Text, Kind::Bool, Kind::Number, Kind::Null],
                // An infinite number is a number by kind, and no number by this test.
                KindTest::Number if wanted => {
                    let finite = (f64::MIN, Edge::Inclusive);
                    let last = (f64::MAX, Edge::Inclusive);
                    return within(path, NumberRange::new(Some(finite), Some(last)));
                }
                KindTest::Number => return Seen::Evaluated,
            });
            Seen::Exact(path, vec![of_kind(picked(kinds, wanted))])
        }
        Predicate::Holds { path } if wanted => any_of(path, vec![Key::Bool(true)]),
        Predicate::Holds { path } => any_of(path, vec![Key::Bool(false), Key::Null]),
        Predicate::ArrayContains { path, .. } => {
            Seen::Coarse(path, vec![of_kind(Kinds::of(&[Kind::Array]))])
        }
        _ => Seen::Evaluated,
    }
}

/// The kinds, or all the others.
const fn picked(kinds: Kinds, wanted: bool) -> Kinds {
    if wanted {
        kinds
    } else {
        Kinds(!kinds.0 & Kinds::ALL.0)
    }
}

/// Two truth values: a leaf is false exactly where no value meets it.
fn see_several<'a>(literal: &Literal<'a>, profile: &Profile) -> Seen<'a> {
    let Some((path, demand)) = meant_by_several(literal.leaf, profile) else {
        return Seen::Evaluated;
    };
    match (literal.want, demand) {
        (Want::True, None) => Seen::Never,
        (Want::True, Some(demand)) => Seen::Exact(path, vec![demand]),
        (Want::False, None) => Seen::Exact(path, Vec::new()),
        (Want::False, Some(Demand::AnyOf(keys))) => Seen::Exact(path, vec![Demand::NoneOf(keys)]),
        (Want::False, Some(_)) => Seen::Evaluated,
    }
}

/// What some value must answer for the leaf to hold; the inner `None` where no value can.
fn meant_by_several<'a>(
    leaf: &'a Predicate,
    profile: &Profile,
) -> Option<(&'a FieldPath, Option<Demand>)> {
    let key = |value: &Scalar| match value {
        Scalar::Null => None,
        Scalar::Text(text) => Some(Key::Text(fold(text).into())),
        value => Some(Key::of_scalar(value)),
    };
    let any_of = |keys: Vec<OwnKey>| (!keys.is_empty()).then_some(Demand::AnyOf(keys));
    match leaf {
        Predicate::Compare { path, op, value } => match (op, value) {
            (_, Scalar::Number(number)) if number.is_nan() => None,
            (CompareOp::Eq, value) => Some((path, any_of(key(value).into_iter().collect()))),
            (CompareOp::Ne, _) => None,
            (op, Scalar::Number(number)) => {
                Some((path, compared(*op, *number).map(Demand::Within)))
            }
            _ => None,
        },
        Predicate::In {
            path,
            values,
            membership: Membership::In,
        } => Some((path, any_of(values.iter().filter_map(key).collect()))),
        Predicate::Range { path, low, high } => {
            let range = numbers(low.as_ref(), high.as_ref())?;
            Some((path, range.map(Demand::Within)))
        }
        Predicate::Match { path, pattern } => {
            let keys = match pattern {
                Pattern::Term { text, number } => std::iter::once(Key::Term(text.clone()))
                    .chain(number.map(Key::number))
                    .collect(),
                Pattern::Prefix(prefix) => vec![Key::Prefix(prefix.clone())],
                Pattern::Wildcard(wildcard) => vec![Key::TermPrefix(wildcard.as_prefix()?.into())],
                _ => return None,
            };
            Some((path, any_of(keys)))
        }
        Predicate::Defined { path } if profile.defined == DefinedRule::Indexed => {
            let some = Kinds::ALL.without(Kind::Undefined);
            Some((path, Some(of_kind(some))))
        }
        Predicate::Holds { path } => Some((path, any_of(vec![Key::Bool(true)]))),
        _ => None,
    }
}

/// The demands that all literals of an AND make of one field that shows one value, brought together.
#[derive(Clone, Debug)]
pub(super) struct Gathered {
    kinds: Kinds,
    keys: Option<Vec<OwnKey>>,
    prefix: Option<Box<str>>,
    range: Option<NumberRange>,
    none: Vec<OwnKey>,
    /// Whether no value meets all of them.
    never: bool,
}

impl Default for Gathered {
    fn default() -> Self {
        Self {
            kinds: Kinds::ALL,
            keys: None,
            prefix: None,
            range: None,
            none: Vec::new(),
            never: false,
        }
    }
}

impl Gathered {
    pub(super) fn add(&mut self, demand: Demand) {
        match demand {
            Demand::NoneOf(keys) => self.none.extend(keys),
            Demand::Within(range) => {
                let both = self.range.map_or(Some(range), |held| held.and(&range));
                self.never |= both.is_none();
                self.range = both;
            }
            Demand::AnyOf(keys) => match keys.as_slice() {
                [Key::OfKind(kinds)] => self.kinds = self.kinds.and(*kinds),
                [Key::Prefix(prefix)] => match &self.prefix {
                    Some(held) if held.starts_with(&**prefix) => {}
                    Some(held) if !prefix.starts_with(&**held) => self.never = true,
                    _ => self.prefix = Some(prefix.clone()),
                },
                _ => {
                    let held = self.keys.take();
                    self.keys = Some(match held {
                        Some(mut held) => {
                            held.retain(|key| keys.contains(key));
                            held
                        }
                        None => keys,
                    });
                }
            },
        }
    }

    /// At most one positive demand, and what no value may be; none when no value meets all.
    pub(super) fn resolve(self) -> Option<Vec<Demand>> {
        if self.never {
            return None;
        }
        let kind = |key: &OwnKey| match key {
            Key::Null => Kind::Null,
            Key::Bool(_) => Kind::Bool,
            Key::Number(_) => Kind::Number,
            _ => Kind::Text,
        };
        let begins = |key: &OwnKey, prefix: &str| match key {
            Key::Text(text) | Key::Prefix(text) => text.starts_with(prefix),
            _ => false,
        };
        let inside = |key: &OwnKey, range: &NumberRange| match key {
            Key::Number(bits) => range.holds(f64::from_bits(*bits)),
            _ => false,
        };
        let Self {
            kinds,
            keys,
            prefix,
            range,
            mut none,
            ..
        } = self;
        let mut demands = Vec::with_capacity(2);
        match (keys, range, prefix) {
            (Some(mut keys), range, prefix) => {
                keys.retain(|key| {
                    kinds.has(kind(key))
                        && prefix.as_ref().is_none_or(|prefix| begins(key, prefix))
                        && range.as_ref().is_none_or(|range| inside(key, range))
                        && !none.iter().any(|not| match not {
                            Key::Prefix(prefix) => begins(key, prefix),
                            not => not == key,
                        })
                });
                keys.dedup();
                if keys.is_empty() {
                    return None;
                }
                demands.push(Demand::AnyOf(keys));
                none.clear();
            }
            (None, Some(_), Some(_)) => return None,
            (None, Some(range), None) => {
                if !kinds.has(Kind::Number) {
                    return None;
                }
                none.retain(|key| inside(key, &range));
                demands.push(Demand::Within(range));
            }
            (None, None, Some(prefix)) => {
                let excluded = none
                    .iter()
                    .any(|key| matches!(key, Key::Prefix(not) if prefix.starts_with(&**not)));
                if excluded || !kinds.has(Kind::Text) {
                    return None;
                }
                none.retain(|key| begins(key, &prefix));
                demands.push(Demand::AnyOf(vec![Key::Prefix(prefix)]));
            }
            (None, None, None) => {
                if kinds.is_empty() {
                    return None;
                }
                none.retain(|key| kinds.has(kind(key)));
                if kinds != Kinds::ALL {
                    demands.push(of_kind(kinds));
                }
            }
        }
        if !none.is_empty() {
            demands.push(Demand::NoneOf(none));
        }
        Some(demands)
    }
}
