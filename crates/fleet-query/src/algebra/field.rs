//! One field: which truth values its leaves can have together, and a value that shows it.

use super::candidates::{Candidates, Constants, is_id};
use super::witness::document;
use crate::document::Document;
use crate::eval::eval_predicate;
use crate::path::{FieldPath, Segment};
use crate::pattern::Pattern;
use crate::predicate::Predicate;
use crate::profile::{ArrayRule, KeyRule, Logic, Profile, TextRule};
use crate::value::Truth;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};

/// A leaf with the rules that it is judged by.
pub(super) type Leaf<'a> = (&'a Predicate, &'static Profile);

/// What a leaf makes of its field.
#[derive(Clone, Copy)]
struct Nature {
    /// Several values: it holds if it holds of one.
    several: bool,
    /// It looks for words.
    wordy: bool,
    /// It finds the value at the dotted key too.
    joined: bool,
}

/// A value, or no value, and what the leaves are on it.
struct Class {
    value: Option<Value>,
    /// A text that may take on words.
    open: bool,
    truths: Vec<Truth>,
}

/// One field path with a value of each class, and what the leaves are on it.
pub(super) struct Field {
    pub(super) path: FieldPath,
    /// The numbers of the leaves that only this field decides.
    pub(super) leaves: Vec<usize>,
    natures: Vec<Nature>,
    /// What can stand at the path alone.
    single: Vec<Class>,
    /// What can be an element of an array there.
    elements: Vec<Class>,
    /// What leaves that see one value are on an array.
    on_array: Vec<Truth>,
    /// Words, and the leaves that find them.
    words: Vec<(String, Vec<Truth>)>,
    /// All leaves find dotted keys: the field may stand there, out of the way of fields above and below it.
    pub(super) dotted: bool,
    pub(super) complete: bool,
    known: HashMap<Vec<Option<Truth>>, bool>,
}

/// Where a field's values stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shown {
    /// At the path itself.
    pub(super) nested: Option<Value>,
    /// At the path with its last two keys joined by a dot.
    pub(super) joined: Option<Value>,
}

impl Field {
    /// The field of these leaves; `kept` keeps values apart that only other conditions tell apart.
    pub(super) fn new(path: &FieldPath, leaves: &[Leaf<'_>], kept: bool, budget: usize) -> Self {
        let mut constants = Constants::default();
        let mut own: Vec<usize> = Vec::new();
        for (number, (leaf, profile)) in leaves.iter().enumerate() {
            if !leaf.paths().contains(&path) {
                continue;
            }
            constants.leaf(leaf, profile);
            if !matches!(leaf, Predicate::General(_)) {
                own.push(number);
            }
        }
        let judged: Vec<Leaf<'_>> = own
            .iter()
            .filter_map(|number| leaves.get(*number).copied())
            .collect();
        let on = |value: Option<&Value>| {
            let mini = document(&[(path, value)]).unwrap_or(Value::Null);
            let judge =
                |(leaf, profile): &Leaf<'_>| eval_predicate(leaf, profile, Document::new(&mini));
            judged.iter().map(judge).collect::<Vec<Truth>>()
        };
        let Candidates {
            mut simple,
            others,
            words,
            mut complete,
        } = constants.candidates(path, budget);
        // Each value is judged by each item of each leaf.
        let items: usize = judged.iter().map(|(leaf, _)| items(leaf)).sum();
        let most = budget / items.max(1);
        complete &= simple.len() <= most;
        simple.truncate(most);
        let mut single: Vec<Class> = Vec::new();
        let mut seen = HashSet::new();
        let mut add = |value: Option<Value>, open: bool| {
            let truths = on(value.as_ref());
            let place = (is_object(value.as_ref()), value.is_none());
            let new = seen.insert((truths.clone(), open, place));
            if kept || new {
                single.push(Class {
                    value,
                    open,
                    truths,
                });
            }
        };
        if !is_id(path) {
            add(None, false);
        }
        let lone = others.into_iter().map(|value| (value, false));
        for (value, open) in simple.iter().cloned().chain(lone) {
            add(Some(value), open);
        }
        let mut elements: Vec<Class> = Vec::new();
        let several = judged
            .iter()
            .any(|(_, profile)| profile.arrays == ArrayRule::AnyElement);
        if several && !is_id(path) {
            let mut seen = HashSet::new();
            for (value, open) in simple {
                let truths = on(Some(&value));
                if seen.insert((truths.clone(), open)) {
                    let value = Some(value);
                    elements.push(Class {
                        value,
                        open,
                        truths,
                    });
                }
            }
        }
        let natures = judged.iter().map(|(leaf, profile)| Nature {
            several: profile.arrays == ArrayRule::AnyElement,
            wordy: is_wordy(leaf, profile),
            joined: profile.keys == KeyRule::Joined,
        });
        let natures: Vec<Nature> = natures.collect();
        // Of several words none is a number: a word is judged as it is found beside another.
        let words = words.into_iter().map(|word| {
            let truths = on(Some(&json!(format!("{word} {word}"))));
            (word, truths)
        });
        Self {
            path: path.clone(),
            leaves: own,
            dotted: !natures.is_empty()
                && natures.iter().all(|nature| nature.joined)
                && path.segments().len() > 1,
            natures,
            single,
            elements,
            on_array: on(Some(&json!([]))),
            words: words.collect(),
            complete: complete
                && !path.is_derived()
                && !path
                    .segments()
                    .iter()
                    .any(|segment| matches!(segment, Segment::Index(_)) && several),
            known: HashMap::new(),
        }
    }

    /// A leaf that no single field decides: it may be anything, but the same wherever it stands.
    pub(super) fn free(number: usize, profile: &Profile) -> Self {
        let truths: &[Truth] = match profile.logic {
            Logic::ThreeValued => &[Truth::True, Truth::False, Truth::Undefined],
            Logic::TwoValued => &[Truth::True, Truth::False],
        };
        let class = |truth: &Truth| Class {
            value: None,
            open: false,
            truths: vec![*truth],
        };
        Self {
            path: FieldPath::default(),
            leaves: vec![number],
            natures: vec![Nature {
                several: false,
                wordy: false,
                joined: false,
            }],
            single: truths.iter().map(class).collect(),
            elements: Vec::new(),
            on_array: vec![Truth::Undefined],
            words: Vec::new(),
            dotted: false,
            complete: true,
            known: HashMap::new(),
        }
    }

    /// How many classes of values it has.
    pub(super) fn size(&self) -> usize {
        self.single.len() + self.elements.len()
    }

    /// The truth values that the leaf at a place can have at all.
    pub(super) fn options(&self, at: usize) -> Vec<Truth> {
        let mut out: Vec<Truth> = Vec::new();
        let classes = self.single.iter().chain(&self.elements);
        let arrays = if self.elements.is_empty() {
            None
        } else {
            self.on_array.get(at)
        };
        for truth in classes
            .filter_map(|class| class.truths.get(at))
            .chain(arrays)
        {
            if !out.contains(truth) {
                out.push(*truth);
            }
        }
        out
    }

    /// Whether some value gives the leaves these truth values, where they are wanted.
    pub(super) fn allows(&mut self, wanted: &[Option<Truth>]) -> bool {
        if let Some(known) = self.known.get(wanted) {
            return *known;
        }
        let found = self.shows(wanted).next().is_some();
        self.known.insert(wanted.to_vec(), found);
        found
    }

    /// Values that give the leaves these truth values.
    pub(super) fn shows(&self, wanted: &[Option<Truth>]) -> impl Iterator<Item = Shown> {
        let alone = self
            .single
            .iter()
            .filter_map(move |class| self.alone(class, wanted));
        let array = (!self.elements.is_empty())
            .then(|| self.array(wanted))
            .flatten();
        alone.chain(array)
    }

    /// The words that make no unwanted leaf hold.
    fn harmless(&self, wanted: &[Option<Truth>]) -> Vec<&(String, Vec<Truth>)> {
        let harms = |truths: &[Truth]| {
            let leaves = truths.iter().zip(wanted).zip(&self.natures);
            leaves.into_iter().any(|((truth, want), nature)| {
                nature.wordy && *truth == Truth::True && *want == Some(Truth::False)
            })
        };
        self.words
            .iter()
            .filter(|(_, truths)| !harms(truths))
            .collect()
    }

    /// The elements that make no unwanted leaf hold, of the leaves that see them.
    fn spare(&self, wanted: &[Option<Truth>], sees: impl Fn(&Nature) -> bool) -> Vec<&Class> {
        let harms = |class: &Class| {
            let leaves = class.truths.iter().zip(wanted).zip(&self.natures);
            leaves.into_iter().any(|((truth, want), nature)| {
                sees(nature) && *truth == Truth::True && *want == Some(Truth::False)
            })
        };
        self.elements.iter().filter(|class| !harms(class)).collect()
    }

    /// One value, with words and a dotted array beside it where those are needed.
    fn alone(&self, class: &Class, wanted: &[Option<Truth>]) -> Option<Shown> {
        let mut missing = Vec::new();
        for (at, ((truth, want), nature)) in class
            .truths
            .iter()
            .zip(wanted)
            .zip(&self.natures)
            .enumerate()
        {
            match want {
                None => {}
                Some(want) if want == truth => {}
                Some(Truth::True) if nature.several => missing.push(at),
                _ => return None,
            }
        }
        let mut shown = Shown {
            nested: class.value.clone(),
            joined: None,
        };
        if missing.is_empty() {
            return Some(shown);
        }
        if class.open {
            shown.nested = self.with_words(class, &mut missing, wanted);
        }
        if missing.is_empty() {
            return Some(shown);
        }
        let beside = self.path.segments().len() > 1 && !self.dotted;
        let joined = |at: &usize| self.natures.get(*at).is_some_and(|nature| nature.joined);
        if !beside || !missing.iter().all(joined) {
            return None;
        }
        shown.joined = Some(self.cover(&missing, wanted, |nature| nature.joined)?);
        Some(shown)
    }

    /// The text with words for the missing leaves, which are then missing no more.
    fn with_words(
        &self,
        class: &Class,
        missing: &mut Vec<usize>,
        wanted: &[Option<Truth>],
    ) -> Option<Value> {
        let mut text = class.value.as_ref()?.as_str()?.to_owned();
        let words = self.harmless(wanted);
        missing.retain(|at| {
            let wordy = self.natures.get(*at).is_some_and(|nature| nature.wordy);
            let found = words
                .iter()
                .find(|(_, truths)| wordy && truths.get(*at) == Some(&Truth::True));
            if let Some((word, _)) = found {
                text.push(' ');
                text.push_str(word);
            }
            found.is_none()
        });
        Some(Value::String(text))
    }

    /// An array whose elements make the missing leaves hold, and none that must not.
    fn cover(
        &self,
        missing: &[usize],
        wanted: &[Option<Truth>],
        sees: impl Fn(&Nature) -> bool,
    ) -> Option<Value> {
        let spare = self.spare(wanted, sees);
        let mut out: Vec<Value> = Vec::new();
        for at in missing {
            let plain = spare
                .iter()
                .find(|class| class.truths.get(*at) == Some(&Truth::True));
            let value = match plain {
                Some(class) => class.value.clone()?,
                None => spare.iter().filter(|class| class.open).find_map(|class| {
                    let mut left = vec![*at];
                    let value = self.with_words(class, &mut left, wanted)?;
                    left.is_empty().then_some(value)
                })?,
            };
            if !out.contains(&value) {
                out.push(value);
            }
        }
        Some(Value::Array(out))
    }

    /// An array of simple values.
    fn array(&self, wanted: &[Option<Truth>]) -> Option<Shown> {
        let mut missing = Vec::new();
        for (at, ((truth, want), nature)) in self
            .on_array
            .iter()
            .zip(wanted)
            .zip(&self.natures)
            .enumerate()
        {
            match want {
                Some(Truth::True) if nature.several => missing.push(at),
                Some(want) if want != truth => return None,
                _ => {}
            }
        }
        let elements = self.cover(&missing, wanted, |nature| nature.several)?;
        Some(Shown {
            nested: Some(elements),
            joined: None,
        })
    }
}

/// Whether an OR is one leaf: alternatives that see the values of one field in one way, as a list does.
pub(super) fn is_list(items: &[Predicate], profile: &Profile) -> bool {
    let Some(first) = items.first() else {
        return false;
    };
    let alike = |item: &Predicate| {
        field_of(item) == field_of(first) && is_wordy(item, profile) == is_wordy(first, profile)
    };
    field_of(first).is_some() && items.iter().all(alike)
}

/// The field of a leaf that holds of several values if it holds of one.
fn field_of(leaf: &Predicate) -> Option<&FieldPath> {
    match leaf {
        Predicate::Compare { path, .. }
        | Predicate::In { path, .. }
        | Predicate::Range { path, .. }
        | Predicate::Match { path, .. }
        | Predicate::Defined { path } => Some(path),
        _ => None,
    }
}

/// How many constants a leaf compares with.
fn items(leaf: &Predicate) -> usize {
    match leaf {
        Predicate::In { values, .. } => values.len(),
        Predicate::Or(items) => items.len(),
        _ => 1,
    }
}

/// Whether a leaf looks for words.
fn is_wordy(leaf: &Predicate, profile: &Profile) -> bool {
    let words = |pattern: &Pattern| {
        matches!(
            pattern,
            Pattern::Term { .. } | Pattern::Wildcard(_) | Pattern::Phrase(_)
        )
    };
    profile.text == TextRule::FoldedTokens
        && match leaf {
            Predicate::Match { pattern, .. } => words(pattern),
            Predicate::Or(items) => items.iter().all(|item| is_wordy(item, profile)),
            _ => false,
        }
}

fn is_object(value: Option<&Value>) -> bool {
    value.is_some_and(Value::is_object)
}
