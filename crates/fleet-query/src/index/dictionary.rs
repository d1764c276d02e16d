//! The texts that many rows of one column share, each with a small number.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::string_slice,
    reason = "a kernel: ends are offsets that were pushed with the text, codes stay below the limit"
)]
use hashbrown::HashTable;
use std::hash::Hasher;

/// A column never shares more texts than this, so that a code fits two bytes.
pub(crate) const MOST: usize = 65_000;

/// Texts by code and codes by text.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dictionary {
    text: String,
    ends: Vec<u32>,
    table: HashTable<u32>,
}

/// The hash of a text, the same on every machine.
pub(crate) fn hash(text: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

impl Dictionary {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(crate) fn get(&self, code: usize) -> &str {
        let Some(end) = self.ends.get(code) else {
            return "";
        };
        let start = if code == 0 { 0 } else { self.ends[code - 1] };
        &self.text[start as usize..*end as usize]
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.table
            .find(hash(text), |code| self.get(*code as usize) == text)
            .copied()
    }

    /// The text's code, a new one if it has none and there is room.
    pub(crate) fn add(&mut self, text: &str) -> Option<u32> {
        if self.len() >= MOST || self.text.len() + text.len() > u32::MAX as usize {
            return None;
        }
        let code = self.len() as u32;
        self.text.push_str(text);
        self.ends.push(self.text.len() as u32);
        let (all, ends) = (&self.text, &self.ends);
        let of = |code: u32| {
            let start = if code == 0 {
                0
            } else {
                ends[code as usize - 1]
            };
            &all[start as usize..ends[code as usize] as usize]
        };
        self.table
            .insert_unique(hash(text), code, |code| hash(of(*code)));
        Some(code)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|code| self.get(code))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * 4 + self.table.capacity() * 8 / 7 * 5
    }
}
