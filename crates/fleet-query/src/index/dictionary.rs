//! The texts that many rows of one column share, each with a small number.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: bounds are offsets of the text, codes stay below the limit"
)]
use hashbrown::HashTable;
use std::hash::Hasher;

/// A column never shares more texts than this, so that a code fits two bytes.
pub(crate) const MOST: usize = 65_000;

/// Texts by code and codes by text.
#[derive(Clone, Debug)]
pub(crate) struct Dictionary {
    text: String,
    /// Where each text begins, and at last where the last one ends.
    bounds: Vec<u32>,
    table: HashTable<u32>,
}

/// The hash of a text, the same on every machine.
pub(crate) fn hash(text: &str) -> u64 {
    hash_of(text.as_bytes())
}

fn hash_of(bytes: &[u8]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

fn bytes<'a>(all: &'a [u8], bounds: &[u32], code: u32) -> &'a [u8] {
    match bounds.get(code as usize..) {
        Some([start, end, ..]) => all.get(*start as usize..*end as usize).unwrap_or_default(),
        _ => &[],
    }
}

impl Default for Dictionary {
    fn default() -> Self {
        Self {
            text: String::new(),
            bounds: vec![0],
            table: HashTable::new(),
        }
    }
}

impl Dictionary {
    pub(crate) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    pub(crate) fn get(&self, code: usize) -> &str {
        let (Some(start), Some(end)) = (self.bounds.get(code), self.bounds.get(code + 1)) else {
            return "";
        };
        self.text
            .get(*start as usize..*end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        let (all, bounds) = (self.text.as_bytes(), &self.bounds[..]);
        self.table
            .find(hash(text), |code| {
                bytes(all, bounds, *code) == text.as_bytes()
            })
            .copied()
    }

    /// The text's code, a new one if it has none and there is room.
    pub(crate) fn add(&mut self, text: &str) -> Option<u32> {
        if self.len() >= MOST || self.text.len() + text.len() > u32::MAX as usize {
            return None;
        }
        let code = self.len() as u32;
        self.text.push_str(text);
        self.bounds.push(self.text.len() as u32);
        let (all, bounds) = (self.text.as_bytes(), &self.bounds[..]);
        self.table
            .insert_unique(hash(text), code, |code| hash_of(bytes(all, bounds, *code)));
        Some(code)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|code| self.get(code))
    }

    pub(crate) fn bytes(&self) -> usize {
        self.text.capacity() + self.bounds.capacity() * 4 + self.table.capacity() * 8 / 7 * 5
    }
}
