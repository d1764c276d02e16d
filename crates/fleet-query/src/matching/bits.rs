//! Sets of slots: bit vectors, and lists that become bit vectors when they grow.

/// A bit per slot. Bits beyond the last word are zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

const fn place(slot: u32) -> (usize, u64) {
    ((slot / 64) as usize, 1 << (slot % 64))
}

impl Bits {
    /// Room for so many words, all clear.
    pub(super) fn cleared(words: usize) -> Self {
        Self(vec![0; words])
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.0
    }

    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.0
    }

    pub(super) fn set(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(super) fn clear(&mut self, slot: u32) {
        let (word, bit) = place(slot);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(super) fn flip(&mut self, slot: u32) {
        if self.has(slot) {
            self.clear(slot)
        } else {
            self.set(slot)
        }
    }

    pub(super) fn has(&self, slot: u32) -> bool {
        let (word, bit) = place(slot);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn reach(&mut self, words: usize) {
        if self.0.len() < words {
            self.0.resize(words, 0);
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.reach(other.0.len());
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(super) fn remove_all(&mut self, other: &Self) {
        for (word, less) in self.0.iter_mut().zip(&other.0) {
            *word &= !less;
        }
    }

    pub(super) fn flip_all(&mut self, other: &Self) {
        self.reach(other.0.len());
        for (word, flipped) in self.0.iter_mut().zip(&other.0) {
            *word ^= flipped;
        }
    }

    /// Keeps what is not among `asked` or is among `met`.
    pub(super) fn keep_met(&mut self, asked: &Self, met: &Self) {
        let both = self.0.len().min(asked.0.len()).min(met.0.len());
        let (near, far) = self.0.split_at_mut(both);
        for ((word, asked), met) in near.iter_mut().zip(&asked.0).zip(&met.0) {
            *word &= !asked | met;
        }
        for (word, asked) in far.iter_mut().zip(asked.0.get(both..).unwrap_or_default()) {
            *word &= !asked;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Every slot in it, in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).step_by(64).zip(&self.0).flat_map(|(base, word)| {
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
    pub(super) fn add_to(&self, bits: &mut Bits) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| bits.set(*slot)),
            Self::Many { bits: own, .. } => bits.add_all(own),
        }
    }

    /// Clears its slots.
    pub(super) fn take_from(&self, bits: &mut Bits) {
        match self {
            Self::Few(list) => list.iter().for_each(|slot| bits.clear(*slot)),
            Self::Many { bits: own, .. } => bits.remove_all(own),
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
            let mut seen = Bits::default();
            postings.add_to(&mut seen);
            prop_assert_eq!(postings.len(), model.len());
            prop_assert_eq!(seen.iter().collect::<Vec<_>>(), model.into_iter().collect::<Vec<_>>());
            postings.take_from(&mut seen);
            prop_assert!(seen.is_empty());
        }
    }
}
