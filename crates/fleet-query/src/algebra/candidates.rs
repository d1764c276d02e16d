//! Values of a field that its leaves can tell apart: one of each class.

use crate::expression::Expression;
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece, Wildcard};
use crate::predicate::{KindTest, Predicate};
use crate::profile::{ArrayRule, Profile, TextRule};
use crate::value::{Scalar, fold, number_json, number_text, ordinal};
use serde_json::{Value, json};
use std::cmp::Ordering;

/// The constants that leaves compare one field with.
#[derive(Debug, Default)]
pub(super) struct Constants {
    numbers: Vec<f64>,
    texts: Vec<String>,
    prefixes: Vec<String>,
    /// Texts that fit patterns of other shapes.
    samples: Vec<String>,
    /// Constants looked for in arrays.
    elements: Vec<Value>,
    numeric: bool,
    ordered_text: bool,
    wildcards: bool,
    terms: bool,
    opaque: bool,
    kinds: bool,
}

impl Constants {
    /// Takes in the constants of a leaf.
    pub(super) fn leaf(&mut self, leaf: &Predicate, profile: &Profile) {
        match leaf {
            Predicate::Compare { value, op, .. } => {
                self.scalar(value, profile);
                self.ordered_text |= matches!(value, Scalar::Text(_))
                    && op.accepts(Ordering::Less) != op.accepts(Ordering::Greater);
            }
            Predicate::In { values, .. } => {
                values.iter().for_each(|value| self.scalar(value, profile))
            }
            Predicate::Range { low, high, .. } => {
                for bound in [low, high].into_iter().flatten() {
                    self.scalar(&bound.value, profile);
                    self.ordered_text |= matches!(bound.value, Scalar::Text(_));
                }
                self.numeric |= low.is_none() && high.is_none();
            }
            Predicate::Match { pattern, .. } => self.pattern(pattern, profile),
            Predicate::ArrayContains { value, .. } => self.elements.push(value.to_json()),
            Predicate::Kind { kind, .. } => {
                self.kinds |= matches!(kind, KindTest::Array | KindTest::Object)
            }
            Predicate::Near { area, .. } => {
                self.opaque = true;
                self.elements.push(json!(area.latitude));
                self.samples
                    .push(format!("{}, {}", area.latitude, area.longitude));
            }
            // Such a leaf may be anything in the search; its constants make likely values.
            Predicate::General(expression) => self.expression(expression, profile),
            _ => {}
        }
    }

    fn scalar(&mut self, value: &Scalar, profile: &Profile) {
        match value {
            Scalar::Number(number) => {
                self.numeric = true;
                self.numbers.push(*number);
            }
            Scalar::Text(text) if profile.text == TextRule::Ordinal => {
                self.texts.push(text.to_string())
            }
            Scalar::Text(text) => self.texts.push(fold(text).into_owned()),
            Scalar::Null | Scalar::Bool(_) => {}
        }
    }

    fn pattern(&mut self, pattern: &Pattern, profile: &Profile) {
        match pattern {
            Pattern::Prefix(prefix) => self.prefixes.push(prefix.to_string()),
            Pattern::Suffix(text) | Pattern::Contains(text) => {
                self.opaque = true;
                self.samples
                    .extend([text.to_string(), format!("x{text}"), format!("{text}x")]);
            }
            Pattern::Wildcard(wildcard) => {
                self.wildcards = true;
                if wildcard.as_prefix().is_none() {
                    self.opaque = true;
                }
                self.prefixes.push(wildcard.literal_prefix().to_owned());
                self.samples
                    .extend([fill(wildcard, ""), fill(wildcard, "x")]);
            }
            Pattern::Term { text, number } => {
                self.terms = true;
                self.texts.push(text.to_string());
                if let Some(number) = number {
                    self.numeric = true;
                    self.numbers.push(*number);
                }
            }
            Pattern::Phrase(words) => {
                self.opaque = true;
                self.samples.push(words.join(" "));
                let mut other: Vec<&str> = words.iter().map(|word| &**word).collect();
                other.reverse();
                self.samples.push(other.join(" "));
            }
        }
        if profile.text == TextRule::Ordinal && matches!(pattern, Pattern::Wildcard(_)) {
            self.opaque = true;
        }
    }

    fn expression(&mut self, expression: &Expression, profile: &Profile) {
        match expression {
            Expression::Constant(value) => {
                self.scalar(value, profile);
                if let Scalar::Number(number) = value {
                    self.numbers.extend([number + 1.0, -number, number * 2.0]);
                }
                if let Scalar::Text(text) = value {
                    self.samples.extend([
                        text.to_lowercase(),
                        text.to_uppercase(),
                        format!("{text}{text}"),
                    ]);
                }
            }
            Expression::Undefined | Expression::Field(_) | Expression::SystemProperty(_) => {}
            Expression::Not(inner) | Expression::Negate(inner) => self.expression(inner, profile),
            Expression::And(items)
            | Expression::Or(items)
            | Expression::Call {
                arguments: items, ..
            } => {
                items.iter().for_each(|item| self.expression(item, profile));
            }
            Expression::Compare { left, right, .. }
            | Expression::Arithmetic { left, right, .. }
            | Expression::Concat(left, right)
            | Expression::Coalesce(left, right) => {
                self.expression(left, profile);
                self.expression(right, profile);
            }
            Expression::In { value, items, .. } => {
                self.expression(value, profile);
                items.iter().for_each(|item| self.expression(item, profile));
            }
        }
    }

    /// Single values, one of each class, and whether every class has one.
    pub(super) fn values(&self, path: &FieldPath, profile: &Profile) -> (Vec<Value>, bool) {
        let mut out: Vec<Value> = Vec::new();
        let mut add = |value: Value| {
            if !out.contains(&value) {
                out.push(value);
            }
        };
        let id = is_id(path);
        let property = path.root() == "appProperties" || path.root() == "systemProperties";
        if !id && !property {
            [json!(true), json!(false)].into_iter().for_each(&mut add);
            numbers(&self.numbers)
                .into_iter()
                .filter_map(number_json)
                .for_each(&mut add);
        }
        if !id {
            add(Value::Null);
        }
        texts(self, profile)
            .into_iter()
            .filter(|text| !id || !text.is_empty())
            .map(Value::from)
            .for_each(&mut add);
        if profile.arrays == ArrayRule::AnyElement && !id {
            for number in numbers(&self.numbers) {
                // The same number in other spellings, which wildcards tell apart.
                add(json!(number_text(number)));
                if self.wildcards {
                    add(json!(format!("{}.0", number_text(number))));
                }
            }
        }
        if profile.arrays == ArrayRule::Opaque && !id && !property {
            add(json!({}));
            let elements = &self.elements;
            for subset in 0_usize..(1 << elements.len().min(6)) {
                let chosen = elements
                    .iter()
                    .enumerate()
                    .filter(|(at, _)| subset >> at & 1 == 1)
                    .map(|(_, value)| value.clone());
                add(Value::Array(chosen.collect()));
            }
        }
        let folded = profile.text != TextRule::Ordinal;
        let crossed = folded
            && ((self.ordered_text && (self.numeric || self.wildcards))
                || (self.wildcards && self.numeric)
                || (self.ordered_text && profile.text == TextRule::FoldedTokens && self.terms)
                || (id && self.numeric));
        let complete = !self.opaque && !crossed && self.elements.len() <= 6;
        (out, complete)
    }
}

/// Fields that every document has, as text that is not empty.
pub(super) fn is_id(path: &FieldPath) -> bool {
    path.segments().len() == 1
        && matches!(
            path.root(),
            "deviceId" | "moduleId" | "jobId" | "thingGroupName"
        )
}

fn fill(wildcard: &Wildcard, run: &str) -> String {
    wildcard
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Literal(text) => text,
            Piece::AnyRun => run,
            Piece::AnyOne => "x",
        })
        .collect()
}

/// Each number, one between each two, one below and one above all.
fn numbers(constants: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = constants
        .iter()
        .copied()
        .filter(|number| number.is_finite())
        .collect();
    sorted.sort_by(f64::total_cmp);
    sorted.dedup();
    let mut out = sorted.clone();
    for (low, high) in sorted.iter().zip(sorted.iter().skip(1)) {
        let simple = (low + 1.0).floor();
        out.push(if simple > *low && simple < *high {
            simple
        } else {
            low / 2.0 + high / 2.0
        });
    }
    match (sorted.first(), sorted.last()) {
        (Some(first), Some(last)) => {
            let below = (first - 1.0).floor();
            let above = (last + 1.0).ceil();
            out.push(if below < *first {
                below
            } else {
                first * 2.0 - 1.0
            });
            out.push(if above > *last {
                above
            } else {
                last * 2.0 + 1.0
            });
            out.push(if *first < 0.0 { *first * 4.0 } else { -1.0 });
        }
        _ => out.push(0.0),
    }
    out.retain(|number| number.is_finite());
    out
}

/// Each text, the bounds of each prefix, one text in each gap, the empty text.
fn texts(constants: &Constants, profile: &Profile) -> Vec<String> {
    let folded = profile.text != TextRule::Ordinal;
    let order = |a: &String, b: &String| if folded { a.cmp(b) } else { ordinal(a, b) };
    let mut edges: Vec<String> = constants.texts.clone();
    for prefix in &constants.prefixes {
        edges.push(prefix.clone());
        edges.extend(after_prefix(prefix, folded));
    }
    edges.push(String::new());
    edges.sort_by(order);
    edges.dedup();
    let mut out = Vec::new();
    for (at, edge) in edges.iter().enumerate() {
        out.push(edge.clone());
        let next = edges.get(at + 1);
        // The nicest of the texts between this edge and the next; the last is the immediate successor.
        let inside = ["x", "a", "0", "!", "\0"]
            .into_iter()
            .map(|tail| format!("{edge}{tail}"))
            .find(|text| next.is_none_or(|next| order(text, next) == Ordering::Less));
        out.extend(inside);
    }
    out.extend(constants.samples.iter().cloned());
    out
}

/// The least text above every text with the prefix; none if there is none.
fn after_prefix(prefix: &str, folded: bool) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        if let Some(next) = next_char(last, folded) {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

/// The next character, by code point (folded, skipping what folding changes) or by UTF-16 code unit.
fn next_char(c: char, folded: bool) -> Option<char> {
    if folded {
        return (c..=char::MAX).skip(1).find(|c| c.to_lowercase().eq([*c]));
    }
    match c {
        '\u{d7ff}' => Some('\u{10000}'),
        '\u{10ffff}' => Some('\u{e000}'),
        '\u{ffff}' => None,
        c => (c..=char::MAX).nth(1),
    }
}
