//! Texts of every class that leaves can tell apart, however many orders and notions of equality meet on one field.
//!
//! A leaf sees a text by the order of its UTF-16 units, by the order of the folded text, by its words, or as a number. All but
//! the last are decided by reading the text from the left until it has left every constant; so the search reads along the
//! constants, character by character, keeps one text of every state, and at each place where a text has left them all,
//! asks what it can still become. Of constants that a text only is or is not, as the items of a list are, a text that
//! has left them keeps nothing: a list costs its length, and no more.

use super::numerals::{Interval, completion, is_viable};
use crate::value::{fold, numeral, ordinal};
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::ops::Bound;

/// The constants that leaves compare texts with.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Compared by UTF-16 units.
    pub(super) ordinal: Texts,
    /// Compared as whole folded texts.
    pub(super) folded: Texts,
    /// Words that a text may hold, folded.
    pub(super) words: BTreeSet<Word>,
    /// Numbers that texts are compared with, where texts count as numbers.
    pub(super) numbers: Option<Vec<f64>>,
}

/// Constants of one order of texts.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// A text stands before or after them, or begins with them.
    pub(super) edges: BTreeSet<String>,
    /// A text is one of them, or is not.
    pub(super) items: BTreeSet<String>,
}

impl Texts {
    fn is_empty(&self) -> bool {
        self.edges.is_empty() && self.items.is_empty()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &str> {
        self.edges.iter().chain(&self.items).map(String::as_str)
    }

    /// The items that begin so.
    fn items_after(&self, beginning: &str) -> impl Iterator<Item = &str> {
        let from = (Bound::Included(beginning), Bound::Unbounded);
        let items = self.items.range::<str, _>(from).map(String::as_str);
        items.take_while(move |item| item.starts_with(beginning))
    }
}

/// A word, or the beginning of one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) prefix: bool,
}

/// A text of one class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) text: String,
    /// Whether further words after it change nothing but the words that it holds.
    pub(super) open: bool,
}

/// What asking for a number costs, in marks looked at.
const COMPLETION: usize = 200;

/// One text of each class; none if more than `budget` marks had to be looked at.
pub(super) fn samples(marks: &Marks, budget: usize) -> Option<Vec<Sample>> {
    if marks.words.is_empty() && marks.numbers.is_none() {
        if marks.ordinal.is_empty() {
            return Some(between(&marks.folded, true));
        }
        if marks.folded.is_empty() {
            return Some(between(&marks.ordinal, false));
        }
    }
    let reader = Reader::new(marks)?;
    reader.read(budget)
}

/// Each mark, what follows all that begin with it, and a text in each gap: enough for one order.
fn between(marks: &Texts, folded: bool) -> Vec<Sample> {
    let order = |a: &String, b: &String| if folded { a.cmp(b) } else { ordinal(a, b) };
    let mut sorted: Vec<String> = marks.all().map(str::to_owned).collect();
    let edges = marks.edges.iter();
    sorted.extend(edges.filter_map(|edge| after_prefix(edge, folded)));
    sorted.push(String::new());
    sorted.sort_by(order);
    sorted.dedup();
    let mut out = Vec::new();
    for (at, edge) in sorted.iter().enumerate() {
        out.push(edge.clone());
        let next = sorted.get(at + 1);
        // The nicest of the texts between this edge and the next; the last is the immediate successor.
        let inside = ["x", "a", "0", "!", "\0"]
            .into_iter()
            .map(|tail| format!("{edge}{tail}"))
            .find(|text| next.is_none_or(|next| order(text, next) == Ordering::Less));
        out.extend(inside);
    }
    out.into_iter()
        .map(|text| Sample { text, open: false })
        .collect()
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
        return (c..=char::MAX).skip(1).find(|c| is_folded(*c));
    }
    match c {
        '\u{d7ff}' => Some('\u{10000}'),
        '\u{10ffff}' => Some('\u{e000}'),
        '\u{ffff}' => None,
        c => (c..=char::MAX).nth(1),
    }
}

fn is_folded(c: char) -> bool {
    c.to_lowercase().eq([c])
}

/// White space of every kind that lies apart from others.
const WHITE: [char; 8] = [
    ' ', '\t', '\n', '\u{85}', '\u{a0}', '\u{1680}', '\u{2003}', '\u{3000}',
];
/// Characters that look well in a witness.
const NICE: [char; 9] = ['x', 'm', 'a', '0', '~', '!', '-', 'é', '中'];
/// One of the characters that folding changes for each way to stand among these, itself and folded.
fn cased_among(marks: &BTreeSet<char>) -> Vec<char> {
    let place = |c: char| {
        let below = marks.range(..c).count();
        (below, marks.contains(&c), c >= '\u{e000}', c > '\u{ffff}')
    };
    let mut seen = HashSet::new();
    let kind = |c: char| (place(c), c.to_lowercase().map(place).collect::<Vec<_>>());
    ('\0'..='\u{1ffff}')
        .filter(|c| !is_folded(*c) && seen.insert(kind(*c)))
        .collect()
}

const NUMERAL: &str = "0123456789-+.eE";
/// Where the order of UTF-16 units and that of code points part.
const RANGES: [(char, char); 3] = [
    ('\0', '\u{d7ff}'),
    ('\u{e000}', '\u{ffff}'),
    ('\u{10000}', char::MAX),
];

struct Reader<'a> {
    marks: &'a Marks,
    /// The edges of the folded order, and the words that are beginnings of numbers: those are read along too.
    folded: BTreeSet<&'a str>,
    words: Vec<&'a Word>,
    /// A character of no item, no word and no number.
    other: char,
    /// Characters that folding changes.
    cased: Vec<char>,
}

/// What is known of a text that was read so far: texts of one state have the same future.
#[derive(PartialEq, Eq, Hash)]
struct State {
    /// The text itself while it is the beginning of an edge, else how many edges stand before it and begin it.
    ordinal: Result<String, (usize, usize)>,
    folded: Result<String, (usize, usize)>,
    /// The text itself and the folded one while they are beginnings of items.
    items: (Option<String>, Option<String>),
    /// The words found, and the word that is being read.
    words: (u64, String),
    /// The text itself while it may become a number and its numbers have not been asked for.
    number: Option<String>,
}

impl State {
    /// Whether the text has left every edge.
    fn is_placed(&self) -> bool {
        self.ordinal.is_err() && self.folded.is_err()
    }

    fn is_item(&self) -> bool {
        self.items.0.is_some() || self.items.1.is_some()
    }
}

impl<'a> Reader<'a> {
    fn new(marks: &'a Marks) -> Option<Self> {
        let mut folded: BTreeSet<&str> = marks.folded.edges.iter().map(String::as_str).collect();
        let words: Vec<&Word> = marks.words.iter().collect();
        if words.len() > 64 {
            return None;
        }
        if marks.numbers.is_some() {
            let numeric = words.iter().filter(|word| is_viable(&word.text));
            folded.extend(numeric.map(|word| word.text.as_str()));
        }
        let read = words.iter().map(|word| word.text.as_str());
        let items = marks.ordinal.items.iter().chain(&marks.folded.items);
        let read = read.chain(items.map(String::as_str));
        let used: HashSet<char> = read.flat_map(str::chars).collect();
        let other = ('!'..=char::MAX)
            .filter(|c| is_folded(*c) && !c.is_whitespace() && !NUMERAL.contains(*c))
            .find(|c| !used.contains(c))?;
        let folds = !marks.folded.is_empty() || !words.is_empty();
        let both = !marks.ordinal.is_empty() && folds;
        let all = marks.ordinal.all().chain(marks.folded.all());
        let all = all.chain(words.iter().map(|word| word.text.as_str()));
        let plain_chars: BTreeSet<char> = all.flat_map(str::chars).collect();
        let cased = match (both, plain_chars.iter().all(char::is_ascii)) {
            (false, _) => Vec::new(),
            // The Kelvin sign and the dotted I fold to ASCII letters.
            (true, true) => ('A'..='Z').chain(['\u{212a}', '\u{130}']).collect(),
            (true, false) => cased_among(&plain_chars),
        };
        Some(Self {
            marks,
            folded,
            words,
            other,
            cased,
        })
    }

    fn read(&self, budget: usize) -> Option<Vec<Sample>> {
        let marks = 8 + self.marks.ordinal.edges.len() + self.folded.len() + self.words.len();
        let numbers = self.marks.numbers.as_ref().map_or(0, Vec::len);
        let mut spent = 0;
        let mut out = Vec::new();
        let mut seen = HashSet::from([self.state("", false)]);
        // Texts, and whether what they can become beyond the edges has been asked for.
        let mut queue = VecDeque::from([(String::new(), false)]);
        while let Some((text, asked)) = queue.pop_front() {
            out.push(Sample {
                text: text.clone(),
                open: false,
            });
            let state = self.state(&text, asked);
            if state.is_placed() && !asked {
                let number = self.marks.numbers.is_some() && is_viable(&text);
                let classes = if number { 2 * numbers + 1 } else { 0 };
                spent += (marks + COMPLETION * classes) * (1 + text.len() / 16);
                if spent > budget {
                    return None;
                }
                self.beyond(&text, &mut out);
            }
            let next = match (state.is_placed(), state.is_item()) {
                (false, _) => self.next_characters(&text),
                (true, true) => self.next_of_items(&text),
                (true, false) => Vec::new(),
            };
            for c in next {
                let longer = format!("{text}{c}");
                spent += marks * (1 + text.len() / 16);
                if seen.insert(self.state(&longer, state.is_placed())) {
                    queue.push_back((longer, state.is_placed()));
                }
            }
            if spent > budget {
                return None;
            }
        }
        Some(out)
    }

    fn state(&self, text: &str, asked: bool) -> State {
        let folded = fold(text);
        let marks = &self.marks.ordinal.edges;
        let ordinal = if marks.iter().any(|mark| mark.starts_with(text)) {
            Ok(text.to_owned())
        } else {
            let below = marks.iter().filter(|mark| ordinal(mark, text).is_lt());
            let within = marks.iter().filter(|mark| text.starts_with(&***mark));
            Err((below.count(), within.count()))
        };
        let by_folded = if self.folded.iter().any(|mark| mark.starts_with(&*folded)) {
            Ok(folded.to_string())
        } else {
            let below = self.folded.iter().filter(|mark| **mark < &*folded);
            let within = self.folded.iter().filter(|mark| folded.starts_with(**mark));
            Err((below.count(), within.count()))
        };
        let begins = |items: &Texts, text: &str| {
            let first = items.items_after(text).next();
            first.is_some().then(|| text.to_owned())
        };
        let number =
            (self.marks.numbers.is_some() && !asked && is_viable(text)).then(|| text.to_owned());
        State {
            ordinal,
            folded: by_folded,
            items: (
                begins(&self.marks.ordinal, text),
                begins(&self.marks.folded, &folded),
            ),
            words: self.words_of(&folded),
            number,
        }
    }

    /// Whether a text is an item of a list.
    fn is_taken(&self, text: &str) -> bool {
        self.marks.ordinal.items.contains(text) || self.marks.folded.items.contains(&*fold(text))
    }

    /// The words that a folded text holds for certain, and the one that goes on.
    fn words_of(&self, folded: &str) -> (u64, String) {
        let mut found = 0;
        let last = last_word(folded);
        let complete = folded.get(..folded.len() - last.len()).unwrap_or_default();
        for (at, word) in self.words.iter().enumerate() {
            let held = |token: &str| {
                if word.prefix {
                    token.starts_with(&*word.text)
                } else {
                    token == word.text
                }
            };
            if complete.split_whitespace().any(held)
                || (word.prefix && last.starts_with(&*word.text))
            {
                found |= 1 << at;
            }
        }
        let goes_on = self.words.iter().any(|word| word.text.starts_with(last));
        (
            found,
            if goes_on {
                last.to_owned()
            } else {
                "\n".to_owned()
            },
        )
    }

    /// The characters with which the items that begin so go on, in each letter case where that matters.
    fn next_of_items(&self, text: &str) -> Vec<char> {
        let folded = fold(text);
        let exact = self.marks.ordinal.items_after(text);
        let mut out: BTreeSet<char> = exact.filter_map(|item| after(item, text)).collect();
        let of_folded: BTreeSet<char> = self
            .marks
            .folded
            .items_after(&folded)
            .filter_map(|item| after(item, &folded))
            .collect();
        let starts = |c: &&char| {
            c.to_lowercase()
                .next()
                .is_some_and(|c| of_folded.contains(&c))
        };
        out.extend(self.cased.iter().filter(starts));
        out.extend(&of_folded);
        out.into_iter().collect()
    }

    /// One character of each kind that may follow.
    fn next_characters(&self, text: &str) -> Vec<char> {
        let folded = fold(text);
        let last = last_word(&folded);
        let edges = self.marks.ordinal.edges.iter();
        let mut special: BTreeSet<char> = edges.filter_map(|edge| after(edge, text)).collect();
        special.extend(self.folded.iter().filter_map(|edge| after(edge, &folded)));
        special.extend(self.words.iter().filter_map(|word| after(&word.text, last)));
        special.extend(self.next_of_items(text));
        if self.marks.numbers.is_some() && is_viable(text) {
            special.extend(NUMERAL.chars());
        }
        let mut out: Vec<char> = special.iter().copied().collect();
        for (first, final_one) in RANGES {
            let inside = special
                .iter()
                .copied()
                .filter(|c| (first..=final_one).contains(c));
            let mut low = None;
            for high in inside.map(Some).chain([None]) {
                let within = |c: &char| {
                    (first..=final_one).contains(c)
                        && low.is_none_or(|low| *c > low)
                        && high.is_none_or(|high| *c < high)
                };
                let plain = |c: &char| within(c) && is_folded(*c) && !c.is_whitespace();
                let scanned = || {
                    let from = low.unwrap_or(first);
                    (from..=final_one).take(4000).find(plain)
                };
                out.extend(NICE.into_iter().find(plain).or_else(scanned));
                if !self.words.is_empty() {
                    out.extend(WHITE.into_iter().find(within));
                }
                low = high;
            }
        }
        out.extend(&self.cased);
        out
    }

    /// What a text that has left every mark can still become.
    fn beyond(&self, text: &str, out: &mut Vec<Sample>) {
        if let Some(numbers) = self.marks.numbers.as_ref().filter(|_| is_viable(text)) {
            let classes = Interval::classes(numbers).into_iter();
            let taken = |text: &str| self.is_taken(text);
            let completed = classes.filter_map(|class| completion(text, class, taken));
            out.extend(completed.map(|text| Sample { text, open: false }));
        }
        let (open, other) = (!self.words.is_empty(), self.other);
        let items = !self.marks.ordinal.items.is_empty() || !self.marks.folded.items.is_empty();
        let mut add = |text: String| {
            // With words after it a number is none, and with the other character in it a text is no item.
            let shut = numeral(&text).is_some() || (items && !text.contains(other));
            if open && shut {
                out.push(Sample {
                    text: format!("{text} {other}"),
                    open,
                });
            }
            out.push(Sample {
                text,
                open: open && !shut,
            });
        };
        add(format!("{text}{other}"));
        if !open {
            return;
        }
        add(text.to_owned());
        let folded = fold(text);
        let last = last_word(&folded);
        for word in &self.words {
            if let Some(rest) = word.text.strip_prefix(last) {
                add(format!("{text}{rest}"));
                add(format!("{text}{rest}{other}"));
            }
        }
    }
}

/// The character after a beginning.
fn after(mark: &str, read: &str) -> Option<char> {
    mark.strip_prefix(read)?.chars().next()
}

/// What stands after the last white space.
fn last_word(text: &str) -> &str {
    text.rsplit(char::is_whitespace).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the marks see of a text.
    fn seen(marks: &Marks, text: &str) -> Vec<i8> {
        let folded = fold(text).into_owned();
        let sign = |order: Ordering| order as i8;
        let mut out = Vec::new();
        for mark in &marks.ordinal.edges {
            out.extend([
                sign(ordinal(text, mark)),
                i8::from(text.starts_with(&**mark)),
            ]);
        }
        for mark in &marks.folded.edges {
            out.extend([
                sign(folded.cmp(mark)),
                i8::from(folded.starts_with(&**mark)),
            ]);
        }
        let items = marks.ordinal.items.iter().map(|item| *item == text);
        let items = items.chain(marks.folded.items.iter().map(|item| *item == folded));
        out.extend(items.map(i8::from));
        for word in &marks.words {
            let held = |token: &str| {
                if word.prefix {
                    token.starts_with(&*word.text)
                } else {
                    token == word.text
                }
            };
            out.push(i8::from(folded.split_whitespace().any(held)));
        }
        for number in marks.numbers.iter().flatten() {
            out.push(numeral(text).map_or(5, |value| value.partial_cmp(number).map_or(6, sign)));
        }
        out
    }

    /// Whether a sample is, or with further words can be, of the class of the text.
    fn covers(marks: &Marks, sample: &Sample, wanted: &[i8], text: &str) -> bool {
        let mut longer = sample.text.clone();
        if sample.open {
            for word in text.split_whitespace() {
                let more = format!("{longer} {word}");
                let ahead = seen(marks, &more);
                let words =
                    ahead.len() - marks.words.len() - marks.numbers.iter().flatten().count();
                let fits = (0..marks.words.len()).all(|at| ahead[words + at] <= wanted[words + at]);
                if fits {
                    longer = more;
                }
            }
        }
        seen(marks, &longer) == wanted
    }

    fn mark() -> impl Strategy<Value = String> {
        "[abAB15.e]{0,3}|é?k|-?[1-9][0-9]?(\\.5)?"
    }

    fn texts(mark: BoxedStrategy<String>) -> impl Strategy<Value = Texts> {
        let some = |mark: &BoxedStrategy<String>| prop::collection::btree_set(mark.clone(), 0..4);
        (some(&mark), some(&mark)).prop_map(|(edges, items)| Texts { edges, items })
    }

    proptest! {
        #![proptest_config(crate::properties::cases(24))]

        /// No text is of a class without a sample.
        #[test]
        fn every_class_has_a_sample(
            ordinal in texts(mark().boxed()),
            folded in texts(mark().prop_map(|text| fold(&text).into_owned()).boxed()),
            words in prop::collection::btree_set(("[ab15]{1,2}", any::<bool>()).prop_map(|(text, prefix)| Word { text, prefix }), 0..3),
            numbers in prop::option::of(prop::collection::vec(-3_i32..40, 1..3)),
            texts in prop::collection::vec("[abAB15.eE \u{212a}é-]{0,4}|-?[1-9][0-9]?(\\.[05])?([eE]-?[0-9])?", 1..12),
        ) {
            let numbers = numbers.map(|numbers| numbers.into_iter().map(f64::from).collect());
            let marks = Marks { ordinal, folded, words, numbers };
            let samples = samples(&marks, usize::MAX).unwrap();
            for text in texts {
                let wanted = seen(&marks, &text);
                prop_assert!(samples.iter().any(|sample| covers(&marks, sample, &wanted, &text)), "{:?} {:?}", text, marks);
            }
        }
    }
}
