//! Which rows hold a text: made for a column of many texts once it is asked for single ones again and again, then kept
//! up with every change.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the shard number is masked to the number of shards"
)]
use super::dictionary::hash;
use hashbrown::HashTable;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

const SHARDS: usize = 2048;
/// A text that so many rows share is better looked for in the columns: then there is no table.
const CROWDED: usize = 1024;
/// The question, counted from 1, that makes the table.
const MADE_AT: u32 = 3;

/// Rows by the hash of their text, in many small shared tables.
#[derive(Clone, Debug)]
struct Table(Vec<Arc<HashTable<u32>>>);

/// A column's table, if it has been worth one.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    asked: AtomicU32,
    /// Made at most once; none within if the column is crowded.
    table: OnceLock<Option<Table>>,
}

impl Clone for Finder {
    fn clone(&self) -> Self {
        Self {
            asked: AtomicU32::new(self.asked.load(Ordering::Relaxed)),
            table: self.table.clone(),
        }
    }
}

fn shard(hash: u64) -> usize {
    (hash >> 32) as usize & (SHARDS - 1)
}

impl Table {
    fn add<'a>(&mut self, text: &str, row: u32, text_of: impl Fn(u32) -> Option<&'a str>) -> bool {
        let key = hash(text);
        let table = Arc::make_mut(&mut self.0[shard(key)]);
        if table.iter_hash(key).nth(CROWDED).is_some() {
            return false;
        }
        table.insert_unique(key, row, |row| text_of(*row).map_or(0, hash));
        true
    }
}

impl Finder {
    /// Whether there is a table to keep up.
    pub(crate) fn is_made(&self) -> bool {
        matches!(self.table.get(), Some(Some(_)))
    }

    /// The rows that hold one of some texts, ascending; none where there is no table. `all` gives every text with its
    /// row, should the table have to be made.
    pub(crate) fn find<'a, I: Iterator<Item = (u32, &'a str)>>(
        &self,
        texts: &[Box<str>],
        all: impl Fn() -> I,
        text_of: impl Fn(u32) -> Option<&'a str> + Copy,
    ) -> Option<Vec<u32>> {
        if self.table.get().is_none()
            && self.asked.fetch_add(1, Ordering::Relaxed).saturating_add(1) < MADE_AT
        {
            return None;
        }
        let table = self.table.get_or_init(|| {
            let mut table = Table(vec![Arc::default(); SHARDS]);
            for (row, text) in all() {
                if !table.add(text, row, text_of) {
                    return None;
                }
            }
            Some(table)
        });
        let table = table.as_ref()?;
        let mut rows = Vec::new();
        for text in texts {
            let key = hash(text);
            rows.extend(
                table.0[shard(key)]
                    .iter_hash(key)
                    .filter(|row| text_of(**row) == Some(text)),
            );
        }
        rows.sort_unstable();
        Some(rows)
    }

    /// A row holds another text now, which `text_of` tells already.
    pub(crate) fn change<'a>(
        &mut self,
        row: u32,
        before: Option<&str>,
        now: Option<&str>,
        text_of: impl Fn(u32) -> Option<&'a str>,
    ) {
        let Some(Some(table)) = self.table.get_mut() else {
            return;
        };
        if before == now {
            return;
        }
        if let Some(text) = before {
            let key = hash(text);
            let table = Arc::make_mut(&mut table.0[shard(key)]);
            if let Ok(entry) = table.find_entry(key, |held| *held == row) {
                entry.remove();
            }
        }
        if let Some(text) = now
            && !table.add(text, row, text_of)
        {
            self.table = OnceLock::from(None);
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        match self.table.get() {
            Some(Some(table)) => table
                .0
                .iter()
                .map(|shard| shard.allocation_size() + 40)
                .sum(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is written when, the rows found are those that hold the text.
        #[test]
        fn a_table_finds_what_rows_hold(
            steps in prop::collection::vec((0..40usize, prop::option::weighted(0.8, "[ab]{0,2}")), 0..60),
            crowd in prop::bool::weighted(0.1),
        ) {
            let mut texts: Vec<Option<String>> = vec![None; 1_200];
            let mut finder = Finder::default();
            let find = |finder: &Finder, texts: &[Option<String>], wanted: &str| {
                let text_of = |row: u32| texts[row as usize].as_deref();
                let all = || (0..).zip(texts).filter_map(|(row, text)| Some((row, text.as_deref()?)));
                finder.find(&[wanted.into()], all, text_of)
            };
            for asked in 1..MADE_AT {
                prop_assert_eq!(find(&finder, &texts, "a"), None, "question {}", asked);
            }
            for (row, text) in steps {
                let before = std::mem::replace(&mut texts[row], text);
                let text_of = |row: u32| texts[row as usize].as_deref();
                finder.change(row as u32, before.as_deref(), text_of(row as u32), text_of);
                for wanted in ["", "a", "ba"] {
                    let expected = (0..).zip(&texts).filter(|(_, text)| text.as_deref() == Some(wanted));
                    let expected: Vec<u32> = expected.map(|(row, _)| row).collect();
                    prop_assert_eq!(find(&finder, &texts, wanted), Some(expected));
                }
            }
            if crowd {
                find(&finder, &texts, "a");
                for row in 0..1_200 {
                    let before = texts[row].replace("a".to_owned());
                    let text_of = |row: u32| texts[row as usize].as_deref();
                    finder.change(row as u32, before.as_deref(), Some("a"), text_of);
                }
                prop_assert!(!finder.is_made());
                prop_assert_eq!(find(&finder, &texts, "a"), None);
            }
        }
    }
}
