//! The functions of Azure spec 3.6.

use super::expression::{is_property, truth_value, value};
use super::is_kind;
use crate::document::Document;
use crate::expression::{Expression, Function};
use crate::predicate::KindTest;
use crate::profile::{DefinedRule, Profile};
use crate::value::{CompareOp, Datum, Kind, compare, fold};
use std::borrow::Cow;

/// The value of a call. A wrong kind of argument gives undefined.
pub(super) fn call<'a>(
    function: Function,
    arguments: &'a [Expression],
    profile: &Profile,
    document: Document<'a>,
) -> Datum<'a> {
    let raw = |at: usize| {
        arguments
            .get(at)
            .map_or(Datum::Undefined, |inner| value(inner, profile, document))
    };
    // Everywhere but in the kind tests and CONCAT a null property of a message is undefined.
    let argument = |at: usize| match (raw(at), arguments.get(at)) {
        (Datum::Null, Some(inner)) if is_property(inner) => Datum::Undefined,
        (found, _) => found,
    };
    let test = |kind: KindTest| Datum::Bool(is_kind(kind, &raw(0)));
    let number = |at: usize| match argument(at) {
        Datum::Number(number) => Some(number),
        _ => None,
    };
    let text = |at: usize| match argument(at) {
        Datum::Text(text) => Some(text),
        _ => None,
    };
    let math =
        |apply: fn(f64) -> f64| number(0).map_or(Datum::Undefined, |n| Datum::number(apply(n)));
    let test_text = |apply: fn(&str, &str) -> bool| match (text(0), text(1)) {
        (Some(whole), Some(part)) => Datum::Bool(apply(&whole, &part)),
        _ => Datum::Undefined,
    };
    match function {
        Function::IsDefined => Datum::Bool(is_defined(&raw(0), profile)),
        Function::IsNull => test(KindTest::Null),
        Function::IsBool => test(KindTest::Bool),
        Function::IsNumber => test(KindTest::Number),
        Function::IsString => test(KindTest::Text),
        Function::IsObject => test(KindTest::Object),
        Function::IsArray => test(KindTest::Array),
        Function::IsPrimitive => test(KindTest::Primitive),
        Function::AsNumber => match argument(0) {
            Datum::Number(number) => Datum::Number(number),
            Datum::Text(text) => parse_number(&text),
            _ => Datum::Undefined,
        },
        Function::Abs => math(f64::abs),
        Function::Exp => math(f64::exp),
        Function::Power => match (number(0), number(1)) {
            (Some(base), Some(exponent)) => Datum::number(base.powf(exponent)),
            _ => Datum::Undefined,
        },
        Function::Square => math(|n| n * n),
        Function::Ceiling => math(f64::ceil),
        Function::Floor => math(f64::floor),
        Function::Sign => math(|n| if n == 0.0 { 0.0 } else { n.signum() }),
        Function::Sqrt => math(f64::sqrt),
        Function::Concat => concat(arguments, &raw),
        Function::Length => {
            text(0).map_or(Datum::Undefined, |text| count(text.encode_utf16().count()))
        }
        Function::Lower => text(0).map_or(Datum::Undefined, |text| owned(fold(&text).into_owned())),
        Function::Upper => text(0).map_or(Datum::Undefined, |text| {
            owned(text.chars().flat_map(char::to_uppercase).collect())
        }),
        Function::Substring => match (text(0), number(1)) {
            (Some(text), Some(start)) => {
                let length = (arguments.len() > 2).then(|| number(2).unwrap_or(f64::NAN));
                substring(&text, start, length).map_or(Datum::Undefined, owned)
            }
            _ => Datum::Undefined,
        },
        Function::IndexOf => match (text(0), text(1)) {
            (Some(whole), Some(part)) => match whole.find(&*part) {
                Some(at) => count(whole.get(..at).unwrap_or_default().encode_utf16().count()),
                None => Datum::Number(-1.0),
            },
            _ => Datum::Undefined,
        },
        Function::StartsWith => test_text(|whole, part| whole.starts_with(part)),
        Function::EndsWith => test_text(|whole, part| whole.ends_with(part)),
        Function::Contains => test_text(|whole, part| whole.contains(part)),
        Function::TwinChangeIncludes => Datum::Bool(raw(0).kind() != Kind::Undefined),
        Function::ArrayContains => match raw(0) {
            Datum::Array(items) => {
                let looked_for = argument(1);
                if looked_for.kind() == Kind::Undefined {
                    return Datum::Undefined;
                }
                let found = items.iter().any(|item| {
                    compare(profile, &Datum::of(item), CompareOp::Eq, &looked_for).is_true()
                });
                truth_value(found.into())
            }
            _ => Datum::Undefined,
        },
    }
}

fn is_defined(found: &Datum<'_>, profile: &Profile) -> bool {
    match profile.defined {
        DefinedRule::Primitive => is_kind(KindTest::Primitive, found),
        DefinedRule::AnyValue | DefinedRule::Indexed => found.kind() != Kind::Undefined,
    }
}

fn owned<'a>(text: String) -> Datum<'a> {
    Datum::Text(Cow::Owned(text))
}

fn count<'a>(units: usize) -> Datum<'a> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "lengths of texts in memory are below 2^53"
    )]
    let units = units as f64;
    Datum::Number(units)
}

/// At least two texts; a null property counts as empty, anything else makes it undefined.
fn concat<'a>(arguments: &[Expression], raw: &impl Fn(usize) -> Datum<'a>) -> Datum<'a> {
    let mut out = String::new();
    for (at, argument) in arguments.iter().enumerate() {
        match raw(at) {
            Datum::Text(text) => out.push_str(&text),
            Datum::Null if is_property(argument) => {}
            _ => return Datum::Undefined,
        }
    }
    owned(out)
}

/// Invariant-culture float syntax: sign, digits, fraction, exponent, spaces around.
fn parse_number<'a>(text: &str) -> Datum<'a> {
    let text = text.trim();
    let numeric = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b'+' | b'-' | b'.' | b'e' | b'E'));
    if !numeric {
        return Datum::Undefined;
    }
    text.parse().map_or(Datum::Undefined, Datum::number)
}

/// By UTF-16 code units. Without a length `0 ≤ start ≤ length of the text`; with one
/// `0 ≤ start < length of the text` and the part must fit. Half a surrogate pair becomes U+FFFD.
fn substring(text: &str, start: f64, length: Option<f64>) -> Option<String> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let whole = |number: f64| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked: within the text's length"
        )]
        let index = number as usize;
        (number >= 0.0 && number.fract() == 0.0 && number <= 4_294_967_295.0).then_some(index)
    };
    let start = whole(start)?;
    let end = match length {
        None => units.len(),
        Some(length) => {
            if start >= units.len() {
                return None;
            }
            start.checked_add(whole(length)?)?
        }
    };
    units.get(start..end).map(String::from_utf16_lossy)
}
