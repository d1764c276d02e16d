//! Values of a field that its leaves can tell apart: one of each class.

use super::numerals::Interval;
use super::texts::{Marks, Sample, Word, samples};
use crate::expression::Expression;
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece, Wildcard};
use crate::predicate::Predicate;
use crate::profile::{ArrayRule, NumberRule, Profile, TextRule};
use crate::value::{CompareOp, Scalar, fold, number_json, number_text};
use serde_json::{Value, json};
use std::collections::HashSet;

/// The constants that leaves compare one field with.
#[derive(Debug, Default)]
pub(super) struct Constants {
    numbers: Vec<f64>,
    marks: Marks,
    /// Texts that fit patterns of other shapes.
    samples: Vec<String>,
    /// Constants looked for in arrays.
    elements: Vec<Value>,
    /// A leaf whose classes are not all known.
    opaque: bool,
    /// Texts may count as numbers.
    numerals: bool,
    /// The field is several values to some leaf, and one to some leaf.
    several: bool,
    single: bool,
}

/// How a leaf looks at a text that it compares whole texts with.
#[derive(Clone, Copy)]
enum Sight {
    /// By order, or as a beginning.
    Edge,
    /// As one that a text is or is not.
    Item,
}

/// Values of one field, one of each class at least.
pub(super) struct Candidates {
    /// Texts, numbers, booleans. A text may be open to further words.
    pub(super) simple: Vec<(Value, bool)>,
    /// Null, objects and arrays as single values.
    pub(super) others: Vec<Value>,
    /// Words that an open text may take on.
    pub(super) words: Vec<String>,
    /// Whether every class has one.
    pub(super) complete: bool,
}

impl Constants {
    /// Takes in the constants of a leaf.
    pub(super) fn leaf(&mut self, leaf: &Predicate, profile: &Profile) {
        self.numerals |= profile.numbers == NumberRule::Numerals;
        match profile.arrays {
            ArrayRule::AnyElement => self.several = true,
            ArrayRule::Opaque => self.single = true,
        }
        match leaf {
            Predicate::Compare { op, value, .. } => {
                let sight = match op {
                    CompareOp::Eq | CompareOp::Ne => Sight::Item,
                    _ => Sight::Edge,
                };
                self.scalar(value, sight, profile);
            }
            Predicate::In { values, .. } => {
                for value in values {
                    self.scalar(value, Sight::Item, profile);
                }
            }
            // A list that its dialect spells as alternatives.
            Predicate::Or(items) => items.iter().for_each(|item| self.leaf(item, profile)),
            Predicate::Range { low, high, .. } => {
                for bound in [low, high].into_iter().flatten() {
                    self.scalar(&bound.value, Sight::Edge, profile);
                }
            }
            Predicate::Match { pattern, .. } => self.pattern(pattern, profile),
            Predicate::ArrayContains { value, .. } => self.elements.push(value.to_json()),
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

    fn scalar(&mut self, value: &Scalar, sight: Sight, profile: &Profile) {
        match value {
            Scalar::Number(number) => self.numbers.push(*number),
            Scalar::Text(text) => self.whole(text, sight, profile),
            Scalar::Null | Scalar::Bool(_) => {}
        }
    }

    /// A text that whole texts are compared with.
    fn whole(&mut self, text: &str, sight: Sight, profile: &Profile) {
        let (texts, text) = if profile.text == TextRule::Ordinal {
            (&mut self.marks.ordinal, text.to_owned())
        } else {
            (&mut self.marks.folded, fold(text).into_owned())
        };
        match sight {
            Sight::Edge => texts.edges.insert(text),
            Sight::Item => texts.items.insert(text),
        };
    }

    /// A text that words are, or begin with, where the profile has words.
    fn word(&mut self, text: &str, prefix: bool, profile: &Profile) {
        if profile.text == TextRule::FoldedTokens {
            let text = text.to_owned();
            self.marks.words.insert(Word { text, prefix });
        } else {
            let sight = if prefix { Sight::Edge } else { Sight::Item };
            self.whole(text, sight, profile);
        }
    }

    fn pattern(&mut self, pattern: &Pattern, profile: &Profile) {
        match pattern {
            Pattern::Prefix(prefix) => self.whole(prefix, Sight::Edge, profile),
            Pattern::Suffix(text) | Pattern::Contains(text) => {
                self.opaque = true;
                self.samples
                    .extend([text.to_string(), format!("x{text}"), format!("{text}x")]);
            }
            Pattern::Wildcard(wildcard) => {
                match wildcard.as_prefix() {
                    Some(prefix) => self.word(prefix, true, profile),
                    None => self.opaque = true,
                }
                self.samples
                    .extend([fill(wildcard, ""), fill(wildcard, "x")]);
            }
            Pattern::Term { text, number } => {
                self.word(text, false, profile);
                self.numbers.extend(*number);
            }
            Pattern::Phrase(words) => match &**words {
                [only] => self.word(only, false, profile),
                _ => {
                    self.opaque = true;
                    self.samples.push(words.join(" "));
                    let mut other: Vec<&str> = words.iter().map(|word| &**word).collect();
                    other.reverse();
                    self.samples.push(other.join(" "));
                }
            },
        }
    }

    fn expression(&mut self, expression: &Expression, profile: &Profile) {
        match expression {
            Expression::Constant(value) => {
                self.scalar(value, Sight::Edge, profile);
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

    /// Values of each class; not all of them where that would cost more than the budget.
    pub(super) fn candidates(mut self, path: &FieldPath, budget: usize) -> Candidates {
        let id = is_id(path);
        let property = path.root() == "appProperties" || path.root() == "systemProperties";
        let mut complete = !self.opaque && self.elements.len() <= 6;
        complete &= !(self.several && self.single && !self.elements.is_empty());
        let mut simple: Vec<(Value, bool)> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |value: Value, open: bool| {
            if seen.insert((value.to_string(), open)) {
                simple.push((value, open));
            }
        };
        if self.numerals {
            self.numbers.extend(self.spelled_items());
            // Integers of more than 53 bits count as none.
            self.marks.numbers = (!self.numbers.is_empty()).then(|| self.numbers.clone());
            if self.single || !self.marks.words.is_empty() {
                self.numbers
                    .extend([EXACT, EXACT + 2.0, -EXACT, -EXACT - 2.0]);
            }
        }
        if !id && !property {
            add(json!(true), false);
            add(json!(false), false);
            let numbers = numbers(&self.numbers).into_iter().chain(self.spelled());
            numbers
                .filter_map(number_json)
                .for_each(|number| add(number, false));
        }
        // An id is one word: beside a text of several it is below them all or above.
        if id {
            for texts in [&mut self.marks.ordinal, &mut self.marks.folded] {
                let above: Vec<String> = texts.all().filter_map(above_its_words).collect();
                texts.edges.extend(above);
            }
        }
        let fits = |text: &str| !id || !(text.is_empty() || text.contains(char::is_whitespace));
        match samples(&self.marks, budget) {
            Some(found) => found
                .into_iter()
                .filter(|sample| fits(&sample.text))
                .for_each(|Sample { text, open }| add(Value::from(text), open && !id)),
            None => complete = false,
        }
        let samples = self.samples.iter().filter(|text| fits(text));
        samples.for_each(|text| add(Value::from(text.as_str()), false));
        let mut others = Vec::new();
        if !id {
            others.push(Value::Null);
            if !property {
                others.push(json!({}));
                let elements = &self.elements;
                for subset in 0_usize..(1 << elements.len().min(6)) {
                    let chosen = elements
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| subset >> at & 1 == 1)
                        .map(|(_, value)| value.clone());
                    others.push(Value::Array(chosen.collect()));
                }
            }
        }
        let words = self.marks.words.iter().flat_map(|word| {
            let longer = word.prefix.then(|| format!("{}\u{2fff}", word.text));
            [Some(word.text.clone()), longer].into_iter().flatten()
        });
        Candidates {
            simple,
            others,
            words: words.collect(),
            complete,
        }
    }

    /// Numbers whose own spelling is an item: patterns see numbers by it.
    fn spelled_items(&self) -> Vec<f64> {
        let items = self.marks.folded.items.iter();
        let numbers = items.filter_map(|item| {
            let number: f64 = item.parse().ok()?;
            (number.is_finite() && number_text(number) == **item).then_some(number)
        });
        numbers.collect()
    }

    /// Numbers whose own spelling begins as a word or a folded text does: patterns see numbers by it.
    fn spelled(&self) -> Vec<f64> {
        let mut out = Vec::new();
        if !self.numerals {
            return out;
        }
        let classes = Interval::classes(&self.numbers);
        let beginnings = self.marks.words.iter().map(|word| word.text.as_str());
        for beginning in beginnings.chain(self.marks.folded.edges.iter().map(String::as_str)) {
            for class in &classes {
                let found = super::numerals::spellings(beginning, *class);
                out.extend(
                    found
                        .filter(|number| number_text(*number).starts_with(beginning))
                        .take(4),
                );
            }
        }
        out
    }
}

/// 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Fields that every document has, as text that is not empty.
pub(super) fn is_id(path: &FieldPath) -> bool {
    path.segments().len() == 1
        && matches!(
            path.root(),
            "deviceId" | "moduleId" | "jobId" | "thingGroupName"
        )
}

/// The least text of one word above a text of several; none for a text of one.
fn above_its_words(text: &str) -> Option<String> {
    let (at, white) = text.char_indices().find(|(_, c)| c.is_whitespace())?;
    let next = (white..=char::MAX).find(|c| !c.is_whitespace())?;
    Some(format!("{}{next}", text.get(..at).unwrap_or_default()))
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
