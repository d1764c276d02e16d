//! What a document answers to the tests of one vocabulary, in one block of words.

use super::interval::{number_of_words, number_words};
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// A document's answers. The words are three a field, ascending: the field, where its tokens begin, where its numbers begin; three
/// that end the last field; all tokens; all numbers, two words each.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    words: Box<[u32]>,
    fields: usize,
    stamp: Arc<()>,
}

/// Fields on which two documents answer differently, ascending.
pub(super) type Changed = SmallVec<[u32; 8]>;

/// What a document answers on one field; nothing for a field that says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Answer<'a> {
    pub(super) tokens: &'a [u32],
    pub(super) numbers: Numbers<'a>,
}

/// Numbers as pairs of words.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Numbers<'a>(&'a [[u32; 2]]);

impl Numbers<'_> {
    pub(super) const fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = f64> {
        self.0.iter().map(|words| number_of_words(*words))
    }
}

impl PartialEq for Numbers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

type Cell = [u32; 3];

impl Answers {
    /// Every field's cell, and the one that ends the last.
    fn cells(&self) -> &[Cell] {
        self.words.as_chunks().0
    }

    fn at(&self, [_, tokens, numbers]: Cell, [_, tokens_end, numbers_end]: Cell) -> Answer<'_> {
        let part = |from: u32, to: u32| self.words.get(from as usize..to as usize);
        let numbers = part(numbers, numbers_end).unwrap_or_default();
        Answer {
            tokens: part(tokens, tokens_end).unwrap_or_default(),
            numbers: Numbers(numbers.as_chunks().0),
        }
    }

    /// The answer on one field.
    pub(super) fn of(&self, field: u32) -> Answer<'_> {
        let cells = self.cells();
        let fields = cells.get(..self.fields).unwrap_or_default();
        let Ok(at) = fields.binary_search_by_key(&field, |[field, ..]| *field) else {
            return Answer::default();
        };
        match cells.get(at..) {
            Some([cell, end, ..]) => self.at(*cell, *end),
            _ => Answer::default(),
        }
    }

    /// The answers on these fields, which ascend.
    pub(super) fn along(&self, fields: &[u32]) -> impl Iterator<Item = (u32, Answer<'_>)> {
        let mut own = self.iter().peekable();
        fields.iter().map(move |field| {
            while own.next_if(|(first, _)| first < field).is_some() {}
            let found = own.next_if(|(first, _)| first == field);
            (*field, found.map(|(_, answer)| answer).unwrap_or_default())
        })
    }

    /// The fields that say something, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Answer<'_>)> {
        let cells = self.cells().array_windows().take(self.fields);
        cells.map(|[cell, end]| (cell[0], self.at(*cell, *end)))
    }

    /// The fields on which two documents answer differently, ascending.
    pub(super) fn differing(&self, other: &Self) -> Changed {
        let mut out = Changed::new();
        let (mut left, mut right) = (self.iter().peekable(), other.iter().peekable());
        loop {
            match (left.peek(), right.peek()) {
                (None, None) => return out,
                (Some((a, one)), Some((b, two))) if a == b => {
                    // Item by item: a call to compare memory takes longer than the one or two that there are.
                    if !one.tokens.iter().eq(two.tokens) || one.numbers != two.numbers {
                        out.push(*a);
                    }
                    left.next();
                    right.next();
                }
                (Some((a, _)), b) if b.is_none_or(|(b, _)| a < b) => {
                    out.push(*a);
                    left.next();
                }
                (_, Some((b, _))) => {
                    out.push(*b);
                    right.next();
                }
                (Some(_), None) => return out,
            }
        }
    }

    /// Whether they are of the vocabulary with this stamp.
    pub(super) fn are_of(&self, stamp: &Arc<()>) -> bool {
        Arc::ptr_eq(&self.stamp, stamp)
    }
}

/// Answers while a document is read, field by field.
#[derive(Debug)]
pub(super) struct Gathering {
    fields: Vec<Share>,
    pub(super) tokens: Vec<u32>,
    pub(super) numbers: Vec<f64>,
}

/// One field, and where its tokens and its numbers are.
#[derive(Debug)]
struct Share {
    field: u32,
    tokens: Range<usize>,
    numbers: Range<usize>,
}

impl Gathering {
    pub(super) fn new() -> Self {
        Self {
            fields: Vec::with_capacity(32),
            tokens: Vec::with_capacity(32),
            numbers: Vec::with_capacity(8),
        }
    }

    pub(super) fn has(&self, field: u32) -> bool {
        self.fields.iter().any(|share| share.field == field)
    }

    /// Where the next field's tokens and numbers begin.
    pub(super) const fn ends(&self) -> (usize, usize) {
        (self.tokens.len(), self.numbers.len())
    }

    /// Ends a field's share, which began at these places.
    pub(super) fn close(&mut self, field: u32, (tokens, numbers): (usize, usize)) {
        self.fields.push(Share {
            field,
            tokens: tokens..self.tokens.len(),
            numbers: numbers..self.numbers.len(),
        });
    }

    pub(super) fn finish(mut self, stamp: Arc<()>) -> Answers {
        self.fields.sort_unstable_by_key(|share| share.field);
        let wide = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (cells, tokens) = (3 * (self.fields.len() + 1), self.tokens.len());
        let mut words = Vec::with_capacity(cells + tokens + 2 * self.numbers.len());
        let mut starts = (cells, cells + tokens);
        for Share {
            field,
            tokens,
            numbers,
        } in &self.fields
        {
            words.extend([*field, wide(starts.0), wide(starts.1)]);
            starts.0 += tokens.len();
            starts.1 += 2 * numbers.len();
        }
        words.extend([u32::MAX, wide(starts.0), wide(starts.1)]);
        for share in &self.fields {
            words.extend(self.tokens.get(share.tokens.clone()).unwrap_or_default());
        }
        for share in &self.fields {
            for number in self.numbers.get(share.numbers.clone()).unwrap_or_default() {
                words.extend(number_words(*number));
            }
        }
        Answers {
            words: words.into(),
            fields: self.fields.len(),
            stamp,
        }
    }
}
