//! Sets of slots: rows of words, bit vectors, and lists that become bit vectors when they grow.

/// A bit per slot, 64 slots a word. Slots beyond the last word are not in it.
pub(super) type Row = [u64];

const fn place(slot: u32) -> (usize, u64) {
    ((slot / 64) as usize, 1 << (slot % 64))
}

pub(super) fn has(row: &Row, slot: u32) -> bool {
    let (word, bit) = place(slot);
    row.get(word).is_some_and(|word| word & bit != 0)
}

pub(super) fn set(row: &mut Row, slot: u32) {
    let (word, bit) = place(slot);
    if let Some(word) = row.get_mut(word) {
        *word |= bit;
    }
}

pub(super) fn clear(row: &mut Row, slot: u32) {
    let (word, bit) = place(slot);
    if let Some(word) = row.get_mut(word) {
        *word &= !bit;
    }
}

pub(super) fn flip(row: &mut Row, slot: u32) {
    let (word, bit) = place(slot);
    if let Some(word) = row.get_mut(word) {
        *word ^= bit;
    }
}

pub(super) fn add_all(row: &mut Row, more: &Row) {
    for (word, more) in row.iter_mut().zip(more) {
        *word |= more;
    }
}

pub(super) fn remove_all(row: &mut Row, less: &Row) {
    for (word, less) in row.iter_mut().zip(less) {
        *word &= !less;
    }
}

pub(super) fn flip_all(row: &mut Row, flipped: &Row) {
    for (word, flipped) in row.iter_mut().zip(flipped) {
        *word ^= flipped;
    }
}

/// Keeps what is not among `asked` or is among `met`.
pub(super) fn keep_met(row: &mut Row, asked: &Row, met: &Row) {
    let both = row.len().min(asked.len()).min(met.len());
    let (near, far) = row.split_at_mut(both);
    for ((word, asked), met) in near.iter_mut().zip(asked).zip(met) {
        *word &= !asked | met;
    }
    remove_all(far, asked.get(both..).unwrap_or_default());
}

pub(super) fn is_empty(row: &Row) -> bool {
    row.iter().all(|word| *word == 0)
}

pub(super) fn count(row: &Row) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

/// Whether some slot is in both.
pub(super) fn meet(one: &Row, other: &Row) -> bool {
    one.iter().zip(other).any(|(a, b)| a & b != 0)
}

/// Every slot in it, ascending.
pub(super) fn slots(row: &Row) -> impl Iterator<Item = u32> {
    (0u32..).step_by(64).zip(row).flat_map(|(base, word)| {
        let mut left = *word;
        std::iter::from_fn(move || {
            if left == 0 {
                return None;
            }
            let slot = base + left.trailing_zeros();
            left &= left - 1;
            Some(slot)
        })
    })
}

/// A row that grows with what is set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn row(&self) -> &Row {
        &self.0
    }

    pub(super) fn set(&mut self, slot: u32) {
        let (word, _) = place(slot);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        set(&mut self.0, slot);
    }

    pub(super) fn clear(&mut self, slot: u32) {
        clear(&mut self.0, slot);
    }

    pub(super) fn flip(&mut self, slot: u32) {
        if has(&self.0, slot) {
            self.clear(slot);
        } else {
            self.set(slot);
        }
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        has(&self.0, slot)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.0.capacity() * 8
    }
}

/// The slots of one constraint: a sorted list while there are few, a bit vector when there are many.
#[derive(Clone, Debug)]
pub(super) enum Postings {
    Few(Vec<u32>),
    Many { bits: Bits, count: u32 },
}

impl Default for Postings {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

/// Slots per half word of the whole set: above it a bit vector is both faster to apply and not much larger.
const fn dense_from(slots: u32) -> usize {
    64 + (slots / 128) as usize
}

impl Postings {
    /// Adds a slot; `slots` is how many there are in all.
    pub(super) fn add(&mut self, slot: u32, slots: u32) {
        match self {
            Self::Few(list) => {
                if let Err(at) = list.binary_search(&slot) {
                    list.insert(at, slot);
                }
                if list.len() > dense_from(slots) {
                    let mut bits = Bits::default();
                    list.iter().for_each(|slot| bits.set(*slot));
                    let count = u32::try_from(list.len()).unwrap_or(u32::MAX);
                    *self = Self::Many { bits, count };
                }
            }
            Self::Many { bits, count } => {
                if !bits.has(slot) {
                    bits.set(slot);
                    *count += 1;
                }
            }
        }
    }

    pub(super) fn remove(&mut self, slot: u32) {
        match self {
            Self::Few(list) => {
                if let Ok(at) = list.binary_search(&slot) {
                    list.remove(at);
                }
            }
            Self::Many { bits, count } => {
                if bits.has(slot) {
                    bits.clear(slot);
                    *count -= 1;
                }
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Few(list) => list.len(),
            Self::Many { count, .. } => *count as usize,
        }
    }

    /// Sets its slots.
    pub(super) fn add_to(&self, row: &mut Row) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| set(row, *slot)),
            Self::Many { bits, .. } => add_all(row, bits.row()),
        }
    }

    /// Clears its slots.
    pub(super) fn take_from(&self, row: &mut Row) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| clear(row, *slot)),
            Self::Many { bits, .. } => remove_all(row, bits.row()),
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        match self {
            Self::Few(list) => list.capacity() * 4,
            Self::Many { bits, .. } => bits.heap_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn postings_are_a_set(script in prop::collection::vec((any::<bool>(), 0u32..300), 0..400)) {
            let (mut postings, mut model) = (Postings::default(), BTreeSet::new());
            for (add, slot) in script {
                if add {
                    postings.add(slot, 300);
                    model.insert(slot);
                } else {
                    postings.remove(slot);
                    model.remove(&slot);
                }
            }
            let mut seen = [0; 5];
            postings.add_to(&mut seen);
            prop_assert_eq!(postings.len(), model.len());
            prop_assert_eq!(slots(&seen).collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
            postings.take_from(&mut seen);
            prop_assert!(is_empty(&seen));
        }
    }
}
