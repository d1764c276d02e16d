//! The value domain: what a path can show, constants, truth, and the comparison rules.

use crate::profile::{MixedKinds, NumberRule, Profile, TextRule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

/// The three truth values. `Undefined` is what a condition is where it cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Truth {
    /// The condition does not hold.
    False,
    /// The condition cannot be judged: a field is missing, or kinds do not fit.
    Undefined,
    /// The condition holds.
    True,
}

impl Truth {
    /// Three-valued AND: the smallest of false < undefined < true.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Three-valued OR: the largest of false < undefined < true.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether the document is selected.
    #[must_use]
    pub fn is_true(self) -> bool {
        self == Self::True
    }

    /// The name that `fleet match` prints.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Undefined => "undefined",
            Self::True => "true",
        }
    }
}

impl std::ops::Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::False => Self::True,
            Self::Undefined => Self::Undefined,
            Self::True => Self::False,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

impl fmt::Display for Truth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The kinds of values (Azure spec 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// No value.
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool,
    /// A number: IEEE 754 double, infinities included, never NaN.
    Number,
    /// Text.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl Kind {
    /// The kind in words, for messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool => "boolean",
            Self::Number => "number",
            Self::Text => "text",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// A constant of a condition. A number is never NaN (NaN is undefined), but may be infinite.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// Text.
    Text(Box<str>),
}

impl Scalar {
    /// The constant's kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
        }
    }

    /// The constant as a value.
    #[must_use]
    pub fn datum(&self) -> Datum<'_> {
        match self {
            Self::Null => Datum::Null,
            Self::Bool(value) => Datum::Bool(*value),
            Self::Number(value) => Datum::Number(*value),
            Self::Text(value) => Datum::Text(Cow::Borrowed(value)),
        }
    }

    /// The constant as JSON; an infinite number has none and gives null.
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.datum().to_json().unwrap_or(Value::Null)
    }
}

/// A value seen at a path, or computed by an expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum<'a> {
    /// Nothing is there.
    Undefined,
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, never NaN.
    Number(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// An array.
    Array(&'a [Value]),
    /// An object.
    Object(&'a Map<String, Value>),
}

impl<'a> Datum<'a> {
    /// The value of a JSON value.
    #[must_use]
    pub fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(*value),
            Value::Number(number) => Self::number(number.as_f64().unwrap_or(f64::NAN)),
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(items) => Self::Array(items),
            Value::Object(members) => Self::Object(members),
        }
    }

    /// A number; NaN is undefined.
    #[must_use]
    pub fn number(value: f64) -> Self {
        if value.is_nan() {
            Self::Undefined
        } else {
            Self::Number(value)
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Undefined => Kind::Undefined,
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Array(_) => Kind::Array,
            Self::Object(_) => Kind::Object,
        }
    }

    /// Whether it is true, false or neither, as a condition: null counts as false, anything that
    /// is not a boolean as undefined.
    #[must_use]
    pub const fn truth(&self) -> Truth {
        match self {
            Self::Bool(true) => Truth::True,
            Self::Bool(false) | Self::Null => Truth::False,
            _ => Truth::Undefined,
        }
    }

    /// The value as JSON; none for undefined and for an infinite number.
    #[must_use]
    pub fn to_json(&self) -> Option<Value> {
        match self {
            Self::Undefined => None,
            Self::Null => Some(Value::Null),
            Self::Bool(value) => Some(Value::Bool(*value)),
            Self::Number(value) => number_json(*value),
            Self::Text(text) => Some(Value::String(text.clone().into_owned())),
            Self::Array(items) => Some(Value::Array(items.to_vec())),
            Self::Object(members) => Some(Value::Object((*members).clone())),
        }
    }
}

/// A number as JSON, an integer where it is one exactly (up to 2^53); none if it is not finite.
#[must_use]
pub fn number_json(value: f64) -> Option<Value> {
    if value.fract() == 0.0 && value.abs() <= LARGEST_INTEGER {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked: an integer of at most 53 bits"
        )]
        let integer = value as i64;
        return Some(Value::from(integer));
    }
    serde_json::Number::from_f64(value).map(Value::Number)
}

/// 2^53: above it not every integer is a double.
const LARGEST_INTEGER: f64 = 9_007_199_254_740_992.0;

/// The text form of a number: no exponent and no fraction where it is an integer up to 2^53.
#[must_use]
pub fn number_text(value: f64) -> String {
    number_json(value).map_or_else(|| value.to_string(), |json| json.to_string())
}

/// The comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CompareOp {
    /// `=`
    Eq,
    /// `!=`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl CompareOp {
    /// Whether the operator accepts this order of its operands.
    #[must_use]
    pub fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Le => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Ge => order.is_ge(),
        }
    }

    /// The operator that holds with the operands exchanged.
    #[must_use]
    pub const fn mirrored(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Ne => Self::Ne,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
        }
    }

    /// The IoT Hub spelling.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// Compares two values by the profile's rules (the matrix of Azure spec 3.5; AWS spec 3.4, notes 6, 7, 10).
///
/// Two-valued profiles give `False` where three-valued ones give `Undefined`.
#[must_use]
pub fn compare(profile: &Profile, left: &Datum<'_>, op: CompareOp, right: &Datum<'_>) -> Truth {
    match profile.mixed {
        MixedKinds::Matrix => compare_matrix(profile.text, left, op, right),
        MixedKinds::NoMatch => compare_any(profile, left, op, right).into(),
    }
}

fn compare_matrix(text: TextRule, left: &Datum<'_>, op: CompareOp, right: &Datum<'_>) -> Truth {
    let order = match (left, right) {
        (Datum::Undefined | Datum::Array(_) | Datum::Object(_), _)
        | (_, Datum::Undefined | Datum::Array(_) | Datum::Object(_)) => return Truth::Undefined,
        (Datum::Null, Datum::Null) => Ordering::Equal,
        (Datum::Bool(a), Datum::Bool(b)) => a.cmp(b),
        (Datum::Number(a), Datum::Number(b)) => match a.partial_cmp(b) {
            Some(order) => order,
            None => return Truth::Undefined,
        },
        (Datum::Text(a), Datum::Text(b)) => text_order(text, a, b),
        _ => {
            return match op {
                CompareOp::Eq => Truth::False,
                CompareOp::Ne => Truth::True,
                _ => Truth::Undefined,
            };
        }
    };
    op.accepts(order).into()
}

fn compare_any(profile: &Profile, left: &Datum<'_>, op: CompareOp, right: &Datum<'_>) -> bool {
    if op == CompareOp::Ne {
        return !compare_any(profile, left, CompareOp::Eq, right);
    }
    match (left, right) {
        (Datum::Bool(a), Datum::Bool(b)) => op.accepts(a.cmp(b)),
        (_, Datum::Number(b)) => number_of(profile.numbers, left)
            .and_then(|a| a.partial_cmp(b))
            .is_some_and(|order| op.accepts(order)),
        (Datum::Text(a), Datum::Text(b)) => op.accepts(text_order(profile.text, a, b)),
        _ => false,
    }
}

/// The number that a value counts as, if it counts as one.
#[must_use]
pub fn number_of(rule: NumberRule, value: &Datum<'_>) -> Option<f64> {
    match (rule, value) {
        (NumberRule::Numbers, Datum::Number(number)) => Some(*number),
        (NumberRule::Numerals, Datum::Number(number)) => {
            (number.fract() != 0.0 || number.abs() <= LARGEST_INTEGER).then_some(*number)
        }
        (NumberRule::Numerals, Datum::Text(text)) => numeral(text),
        _ => None,
    }
}

/// The order of two texts by a text rule.
#[must_use]
pub fn text_order(rule: TextRule, left: &str, right: &str) -> Ordering {
    match rule {
        TextRule::Ordinal => ordinal(left, right),
        TextRule::FoldedTokens | TextRule::FoldedWhole => fold(left).cmp(&fold(right)),
    }
}

/// The order of two texts by UTF-16 code units. Differs from the order of their bytes only where a
/// character above U+FFFF meets one of U+E000 to U+FFFF.
#[must_use]
pub fn ordinal(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// A text with its letter case folded (Unicode lower case).
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if text
        .bytes()
        .all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
    {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.chars().flat_map(char::to_lowercase).collect())
    }
}

/// The number that a text is the JSON literal of: an integer in ±2^53, or a finite number with a
/// fraction or an exponent (AWS spec 3.3). `075`, `0x4B` and `75V` are none.
///
/// ```
/// use fleet_query::value::numeral;
/// assert_eq!(numeral("75.0"), Some(75.0));
/// assert_eq!(numeral("075"), None);
/// ```
#[must_use]
pub fn numeral(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let whole = digits.bytes().take_while(u8::is_ascii_digit).count();
    if whole == 0 || (whole > 1 && digits.starts_with('0')) {
        return None;
    }
    let mut rest = digits.get(whole..)?;
    let integer = rest.is_empty();
    if let Some(fraction) = rest.strip_prefix('.') {
        let count = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return None;
        }
        rest = fraction.get(count..)?;
    }
    if !rest.is_empty() && !rest.starts_with(['e', 'E']) {
        return None;
    }
    // Exponents are what they are in JSON.
    let value: f64 = text.parse().ok()?;
    (value.is_finite() && !(integer && value.abs() > LARGEST_INTEGER)).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_are_json_numbers() {
        for (text, number) in [
            ("75", Some(75.0)),
            ("75.0", Some(75.0)),
            ("-1e3", Some(-1000.0)),
            ("1E+2", Some(100.0)),
            ("9007199254740992", Some(9_007_199_254_740_992.0)),
            ("9007199254740994", None),
            ("075", None),
            ("0x4B", None),
            ("75V", None),
            ("1.", None),
            (".5", None),
            ("1e", None),
            ("1e+", None),
            ("1e+-1", None),
            ("1e 1", None),
            ("1e1_0", None),
            ("1E-2", Some(0.01)),
            ("1e999", None),
            ("-", None),
            ("", None),
            ("+1", None),
            ("0", Some(0.0)),
            ("0.5", Some(0.5)),
            ("00.5", None),
            ("1ex", None),
            ("1e5x", None),
            ("1.5x", None),
            ("9007199254740994.0", Some(9_007_199_254_740_994.0)),
        ] {
            assert_eq!(numeral(text), number, "{text}");
        }
    }

    #[test]
    fn what_counts_as_a_number() {
        use NumberRule::{Numbers, Numerals};
        for (rule, value, number) in [
            (Numbers, Datum::Number(1e300), Some(1e300)),
            (Numbers, Datum::Text("5".into()), None),
            (Numerals, Datum::Number(0.5), Some(0.5)),
            (
                Numerals,
                Datum::Number(LARGEST_INTEGER),
                Some(LARGEST_INTEGER),
            ),
            (Numerals, Datum::Number(LARGEST_INTEGER + 2.0), None),
            (Numerals, Datum::Text("5".into()), Some(5.0)),
            (Numerals, Datum::Bool(true), None),
        ] {
            assert_eq!(number_of(rule, &value), number, "{value:?}");
        }
    }

    /// The binder writes `!=` of a two-valued dialect as NOT `=`; compared directly it means the same.
    #[test]
    fn unequal_is_not_equal() {
        let unequal = |left: &Datum<'_>, right: &Datum<'_>| {
            compare(&crate::profile::AWS, left, CompareOp::Ne, right)
        };
        assert_eq!(
            unequal(&Datum::Number(5.0), &Datum::Text("5".into())),
            Truth::True
        );
        assert_eq!(
            unequal(&Datum::Text("5".into()), &Datum::Number(5.0)),
            Truth::False
        );
        assert_eq!(unequal(&Datum::Undefined, &Datum::Number(5.0)), Truth::True);
        assert_eq!(
            unequal(&Datum::Bool(true), &Datum::Bool(true)),
            Truth::False
        );
        assert_eq!(
            unequal(&Datum::Bool(true), &Datum::Bool(false)),
            Truth::True
        );
    }

    #[test]
    fn values_print_and_become_json() {
        assert_eq!(
            [Truth::True, Truth::Undefined, Truth::False].map(|truth| truth.to_string()),
            ["true", "undefined", "false"]
        );
        assert_eq!(Scalar::Number(5.0).to_json(), Value::from(5));
        assert_eq!(Scalar::Number(f64::INFINITY).to_json(), Value::Null);
        assert_eq!(Scalar::Text("a".into()).to_json(), Value::from("a"));
        assert_eq!(Scalar::Bool(true).to_json(), Value::from(true));
    }

    #[test]
    fn ordinal_is_by_utf16_units() {
        assert_eq!(ordinal("\u{10000}", "\u{ffff}"), Ordering::Less);
        assert_eq!(ordinal("B", "a"), Ordering::Less);
    }
}
