//! Fields computed from others: the shadow delta, `hasDelta`, and metadata in the AWS form.

use super::is_system_key;
use crate::path::{FieldPath, Segment};
use crate::value::Datum;
use serde_json::{Map, Value};

/// The value of a derived field (see [`FieldPath::is_derived`]).
pub(super) fn derived<'a>(root: &'a Value, path: &FieldPath) -> Datum<'a> {
    let Some((shadow, own, kind, rest)) = split(root, path) else {
        return Datum::Undefined;
    };
    match kind {
        "hasDelta" if rest.is_empty() => match has_delta(shadow, own) {
            Some(differs) => Datum::Bool(differs),
            None => Datum::Undefined,
        },
        "delta" => {
            let Some(desired) = follow(shadow.get("desired"), rest) else {
                return Datum::Undefined;
            };
            let reported = follow(shadow.get("reported"), rest);
            if differs(desired, reported, rest.is_empty()) {
                Datum::of(desired)
            } else {
                Datum::Undefined
            }
        }
        "metadata" => metadata(shadow, own, rest),
        _ => Datum::Undefined,
    }
}

/// The value of a derived field as JSON: a delta holds only what differs.
pub(super) fn derived_json(root: &Value, path: &FieldPath) -> Option<Value> {
    let (shadow, _, kind, rest) = split(root, path)?;
    if kind == "delta" {
        let desired = follow(shadow.get("desired"), rest)?;
        return delta(
            desired,
            follow(shadow.get("reported"), rest),
            rest.is_empty(),
        );
    }
    derived(root, path).to_json()
}

/// The sections (`desired`, `reported`), the shadow's own members, the derived root and what follows it.
fn split<'a, 'p>(
    root: &'a Value,
    path: &'p FieldPath,
) -> Option<(&'a Value, Option<&'a Value>, &'p str, &'p [Segment])> {
    match path.segments() {
        [Segment::Key(first), Segment::Key(kind), rest @ ..] if &**first == "shadow" => {
            Some((root.get("properties")?, root.get("shadow"), kind, rest))
        }
        [
            Segment::Key(first),
            Segment::Key(name),
            Segment::Key(kind),
            rest @ ..,
        ] if &**first == "namedShadows" => {
            let shadow = root.get("namedShadows")?.get(&**name)?;
            Some((shadow, Some(shadow), kind, rest))
        }
        _ => None,
    }
}

/// None where there is no shadow at all: no version of its own and nothing desired or reported.
fn has_delta(shadow: &Value, own: Option<&Value>) -> Option<bool> {
    let holds = |section: &str| {
        shadow
            .get(section)
            .and_then(Value::as_object)
            .is_some_and(|m| m.keys().any(|key| !is_system_key(key)))
    };
    let exists = own.is_some_and(|own| own.get("version").is_some())
        || holds("desired")
        || holds("reported");
    exists.then(|| {
        shadow
            .get("desired")
            .is_some_and(|desired| differs(desired, shadow.get("reported"), true))
    })
}

fn follow<'a>(from: Option<&'a Value>, rest: &[Segment]) -> Option<&'a Value> {
    rest.iter().try_fold(from?, |at, segment| match segment {
        Segment::Key(key) => at.get(&**key),
        Segment::Index(index) => at.get(usize::try_from(*index).ok()?),
    })
}

fn members(value: &Map<String, Value>, top: bool) -> impl Iterator<Item = (&String, &Value)> {
    value
        .iter()
        .filter(move |(key, _)| !(top && is_system_key(key)))
}

fn differs(desired: &Value, reported: Option<&Value>, top: bool) -> bool {
    match (desired, reported) {
        (Value::Object(desired), None) if top => members(desired, top).next().is_some(),
        (Value::Object(desired), Some(Value::Object(reported))) => {
            members(desired, top).any(|(key, value)| differs(value, reported.get(key), false))
        }
        (desired, Some(reported)) => !same(desired, reported),
        (_, None) => true,
    }
}

/// The part of `desired` that `reported` lacks or holds differently (AWS spec 4.4).
fn delta(desired: &Value, reported: Option<&Value>, top: bool) -> Option<Value> {
    match (desired, reported) {
        (Value::Object(desired), Some(Value::Object(reported))) => {
            let out: Map<String, Value> = members(desired, top)
                .filter_map(|(key, value)| {
                    Some((key.clone(), delta(value, reported.get(key), false)?))
                })
                .collect();
            (!out.is_empty()).then_some(Value::Object(out))
        }
        (Value::Object(desired), None) if top => {
            let out: Map<String, Value> = members(desired, top)
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect();
            (!out.is_empty()).then_some(Value::Object(out))
        }
        (desired, Some(reported)) if same(desired, reported) => None,
        (desired, _) => Some(desired.clone()),
    }
}

/// Equality with numbers by value: `1` is `1.0`.
fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, x)| b.get(key).is_some_and(|y| same(x, y)))
        }
        _ => left == right,
    }
}

/// `shadow.metadata.<section>.<path>.timestamp`: as stored in the AWS form, else seconds since
/// 1970 of `$lastUpdated` in the section's `$metadata`.
fn metadata<'a>(shadow: &'a Value, own: Option<&'a Value>, rest: &[Segment]) -> Datum<'a> {
    if let Some(stored) = own.and_then(|own| own.get("metadata")) {
        return follow(Some(stored), rest).map_or(Datum::Undefined, Datum::of);
    }
    let [Segment::Key(section), inner @ .., Segment::Key(last)] = rest else {
        return Datum::Undefined;
    };
    if &**last != "timestamp" {
        return Datum::Undefined;
    }
    let node = follow(
        shadow
            .get(&**section)
            .and_then(|section| section.get("$metadata")),
        inner,
    );
    let text = node
        .and_then(|node| node.get("$lastUpdated"))
        .and_then(Value::as_str);
    match text.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok()) {
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds of the years 0 to 9999 are far below 2^53"
        )]
        Some(instant) => Datum::Number(instant.timestamp() as f64),
        None => Datum::Undefined,
    }
}
