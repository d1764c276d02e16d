//! Sets of slots: rows of words, bit vectors, and lists that become bit vectors when they grow.
//!
//! What goes over a whole row is inlined, so that it is compiled for the vectors that the caller is compiled for.

/// A bit per slot, 64 slots a word, always whole blocks of words. Slots beyond the last word are not in it.
pub(super) type Row = [u64];

/// The words of a block: as many as the widest vector has.
pub(super) const BLOCK: usize = 8;

/// Words that a sweep over a few thousand slots needs: it takes no memory from the heap.
pub(super) const NEAR: usize = 512;

/// Rows of so many words in all with no slot in them, near or else far; a block lies where one vector reads and writes it.
pub(super) fn rows<'r>(
    words: usize,
    near: &'r mut [u64; NEAR],
    far: &'r mut Vec<u64>,
) -> &'r mut Row {
    let room = if words + BLOCK <= near.len() {
        near.as_mut_slice()
    } else {
        far.resize(words + BLOCK, 0);
        far
    };
    let skipped = room.as_ptr().align_offset(BLOCK * size_of::<u64>());
    let rows = room.get_mut(skipped..).unwrap_or_default();
    rows.get_mut(..words).unwrap_or_default()
}

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

/// Joins every word with its like, as far as both go. A block is read before it is written: so it is one vector.
#[inline(always)]
fn join(row: &mut Row, other: &Row, join: impl Fn(u64, u64) -> u64) {
    let (row, _) = row.as_chunks_mut::<BLOCK>();
    let (other, _) = other.as_chunks::<BLOCK>();
    for (block, other) in row.iter_mut().zip(other) {
        let mut joined = *block;
        for (word, other) in joined.iter_mut().zip(other) {
            *word = join(*word, *other);
        }
        *block = joined;
    }
}

/// Joins every word with its likes in two rows.
#[inline(always)]
fn join_two(row: &mut Row, (one, other): (&Row, &Row), join: impl Fn(u64, u64, u64) -> u64) {
    let (row, _) = row.as_chunks_mut::<BLOCK>();
    let (one, _) = one.as_chunks::<BLOCK>();
    let (other, _) = other.as_chunks::<BLOCK>();
    for (block, (one, other)) in row.iter_mut().zip(one.iter().zip(other)) {
        let mut joined = *block;
        for (word, (one, other)) in joined.iter_mut().zip(one.iter().zip(other)) {
            *word = join(*word, *one, *other);
        }
        *block = joined;
    }
}

#[inline(always)]
pub(super) fn add_all(row: &mut Row, more: &Row) {
    join(row, more, |word, more| word | more);
}

#[inline(always)]
pub(super) fn remove_all(row: &mut Row, less: &Row) {
    join(row, less, |word, less| word & !less);
}

/// Keeps what is in the other, which is as long.
#[inline(always)]
pub(super) fn keep_all(row: &mut Row, kept: &Row) {
    join(row, kept, |word, kept| word & kept);
}

/// Adds what is in one of two rows only.
#[inline(always)]
pub(super) fn add_differing(row: &mut Row, one: &Row, other: &Row) {
    join_two(row, (one, other), |word, one, other| word | (one ^ other));
}

/// Keeps what is in one of two others.
#[inline(always)]
pub(super) fn keep_either(row: &mut Row, one: &Row, other: &Row) {
    join_two(row, (one, other), |word, one, other| word & (one | other));
}

/// Keeps what is not among `asked` or is among `met`.
#[inline(always)]
pub(super) fn keep_met(row: &mut Row, asked: &Row, met: &Row) {
    let both = row.len().min(asked.len()).min(met.len());
    let (near, far) = row.split_at_mut(both);
    join_two(near, (asked, met), |word, asked, met| word & (!asked | met));
    remove_all(far, asked.get(both..).unwrap_or_default());
}

/// Writes a row over another, which is empty where the first is shorter.
#[inline(always)]
pub(super) fn copy(row: &mut Row, from: &Row) {
    join(row, from, |_, from| from);
    if let Some(rest) = row.get_mut(from.len()..) {
        rest.fill(0);
    }
}

#[inline(always)]
pub(super) fn is_empty(row: &Row) -> bool {
    let (blocks, _) = row.as_chunks::<BLOCK>();
    let mut all = [0; BLOCK];
    for block in blocks {
        for (all, word) in all.iter_mut().zip(block) {
            *all |= word;
        }
    }
    all.iter().all(|word| *word == 0)
}

pub(super) fn count(row: &Row) -> usize {
    row.iter().map(|word| word.count_ones() as usize).sum()
}

/// Every slot in it, ascending.
#[cfg(test)]
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
            self.0.resize((word + 1).next_multiple_of(BLOCK), 0);
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

/// Above it a bit vector is faster to apply; it takes eight times the memory of so long a list, and less of a longer one.
const fn dense_from(slots: u32) -> usize {
    8 + (slots / 512) as usize
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
    #[inline(always)]
    pub(super) fn add_to(&self, row: &mut Row) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| set(row, *slot)),
            Self::Many { bits, .. } => add_all(row, bits.row()),
        }
    }

    /// Clears its slots.
    #[inline(always)]
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
            let mut seen = [0; 8];
            postings.add_to(&mut seen);
            prop_assert_eq!(postings.len(), model.len());
            prop_assert_eq!(slots(&seen).collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
            postings.take_from(&mut seen);
            prop_assert!(is_empty(&seen));
        }
    }
}
