//! Which of many numeric ranges hold a number: sorted cuts, with the state of all slots at every block.
//!
//! A range enters at one cut and leaves at another. Walking the line from the left, a cut flips its slot;
//! each block of cuts begins with the bit vector of the slots that are inside there, so a look-up
//! copies one vector and flips the cuts of one block only.

use super::bits::{Bits, Row, flip, flip_all};
use crate::predicate::Edge;

/// A range of numbers that holds at least one: from `low` up to and without `end`, or without end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NumberRange {
    low: f64,
    end: Option<f64>,
}

impl NumberRange {
    /// The range of these sides; none if it would hold nothing.
    pub(super) fn new(low: Option<(f64, Edge)>, high: Option<(f64, Edge)>) -> Option<Self> {
        let low = match low {
            None => f64::NEG_INFINITY,
            Some((low, Edge::Inclusive)) => low,
            Some((f64::INFINITY, Edge::Exclusive)) => return None,
            Some((low, Edge::Exclusive)) => low.next_up(),
        };
        let end = match high {
            None | Some((f64::INFINITY, Edge::Inclusive)) => None,
            Some((high, Edge::Inclusive)) => Some(high.next_up()),
            Some((high, Edge::Exclusive)) => Some(high),
        };
        Self::between(low, end)
    }

    fn between(low: f64, end: Option<f64>) -> Option<Self> {
        let holds_some = !low.is_nan() && end.is_none_or(|end| low < end);
        holds_some.then_some(Self { low, end })
    }

    pub(super) fn holds(&self, number: f64) -> bool {
        number >= self.low && self.end.is_none_or(|end| number < end)
    }

    pub(super) fn and(&self, other: &Self) -> Option<Self> {
        let end = match (self.end, other.end) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self::between(self.low.max(other.low), end)
    }

    /// As four words; [`NumberRange::from_words`] reads them back.
    pub(super) fn words(&self) -> [u32; 4] {
        let end = self.end.unwrap_or(f64::NAN).to_bits();
        let low = self.low.to_bits();
        #[expect(clippy::cast_possible_truncation, reason = "a double in two halves")]
        [
            low as u32,
            (low >> 32) as u32,
            end as u32,
            (end >> 32) as u32,
        ]
    }

    pub(super) fn from_words(words: [u32; 4]) -> Self {
        let [a, b, c, d] = words.map(u64::from);
        let end = f64::from_bits(c | d << 32);
        Self {
            low: f64::from_bits(a | b << 32),
            end: (!end.is_nan()).then_some(end),
        }
    }
}

/// The same numbers as ranges that neither overlap nor touch, ascending.
pub(super) fn apart(mut ranges: Vec<NumberRange>) -> Vec<NumberRange> {
    ranges.sort_by(|a, b| a.low.total_cmp(&b.low));
    let mut out: Vec<NumberRange> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match out.last_mut() {
            Some(last) if last.end.is_none_or(|end| range.low <= end) => {
                last.end = match (last.end, range.end) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => out.push(range),
        }
    }
    out
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: f64,
    slot: u32,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// Slots inside their range just before the block's first cut.
    inside: Bits,
    cuts: Vec<Cut>,
}

/// The ranges of many slots on one field.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    /// Never empty once a range was added: the first block also holds what is left of every cut.
    blocks: Vec<Block>,
    cuts: usize,
    slots: usize,
}

impl Intervals {
    pub(super) const fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// Adds the ranges of a slot that has none here; they lie [`apart`].
    pub(super) fn add(&mut self, ranges: &[NumberRange], slot: u32) {
        self.slots += 1;
        if self.blocks.is_empty() {
            self.blocks.push(Block::default());
        }
        for range in ranges {
            let first = if range.low == f64::NEG_INFINITY {
                if let Some(block) = self.blocks.first_mut() {
                    block.inside.set(slot);
                }
                0
            } else {
                self.insert(Cut {
                    at: range.low,
                    slot,
                })
            };
            let last = match range.end {
                Some(at) => self.insert(Cut { at, slot }),
                None => self.blocks.len() - 1,
            };
            for block in self.blocks.iter_mut().take(last + 1).skip(first + 1) {
                block.inside.set(slot);
            }
            // From the right, so that a split moves nothing that is still to be looked at.
            self.split(last);
            self.split(first);
        }
    }

    /// The block that took the cut.
    fn insert(&mut self, cut: Cut) -> usize {
        let at = self.block_of(cut.at);
        if let Some(block) = self.blocks.get_mut(at) {
            let place = block.cuts.partition_point(|other| other.at <= cut.at);
            block.cuts.insert(place, cut);
            self.cuts += 1;
        }
        at
    }

    /// Halves a block that has grown too long: about as many blocks as cuts in one.
    fn split(&mut self, at: usize) {
        let most = self.cuts.isqrt().max(32);
        let Some(block) = self
            .blocks
            .get_mut(at)
            .filter(|block| block.cuts.len() > most)
        else {
            return;
        };
        let cuts = block.cuts.split_off(block.cuts.len() / 2);
        let mut inside = block.inside.clone();
        block.cuts.iter().for_each(|cut| inside.flip(cut.slot));
        self.blocks.insert(at + 1, Block { inside, cuts });
    }

    /// Removes a slot's ranges, as they were added.
    pub(super) fn remove(&mut self, ranges: &[NumberRange], slot: u32) {
        self.slots = self.slots.saturating_sub(1);
        for range in ranges {
            let low = (range.low != f64::NEG_INFINITY).then_some(range.low);
            for at in low.into_iter().chain(range.end) {
                self.take(at, slot);
            }
        }
        for block in &mut self.blocks {
            block.inside.clear(slot);
        }
        // What lies left of every cut stays with the first block.
        let mut at = 0;
        self.blocks.retain(|block| {
            at += 1;
            at == 1 || !block.cuts.is_empty()
        });
        if self.slots == 0 {
            *self = Self::default();
        }
    }

    fn take(&mut self, at: f64, slot: u32) {
        // Equal cuts may lie in several blocks, the last of which is found first.
        let last = self.block_of(at);
        for block in self.blocks.iter_mut().take(last + 1).rev() {
            let from = block.cuts.partition_point(|cut| cut.at < at);
            let found = block
                .cuts
                .iter()
                .skip(from)
                .take_while(|cut| cut.at == at)
                .position(|cut| cut.slot == slot);
            if let Some(found) = found {
                block.cuts.remove(from + found);
                self.cuts -= 1;
                return;
            }
        }
    }

    /// Flips the bit of every slot one of whose ranges holds the number.
    pub(super) fn flip_holding(&self, number: f64, out: &mut Row) {
        let Some(block) = self.blocks.get(self.block_of(number)) else {
            return;
        };
        flip_all(out, block.inside.row());
        for cut in &block.cuts {
            if cut.at > number {
                break;
            }
            flip(out, cut.slot);
        }
    }

    /// The last block whose first cut is not after the number; the first block if none is.
    fn block_of(&self, number: f64) -> usize {
        let later = self.blocks.get(1..).unwrap_or_default();
        later.partition_point(|block| block.cuts.first().is_some_and(|cut| cut.at <= number))
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let blocks: usize = self
            .blocks
            .iter()
            .map(|block| block.inside.heap_bytes() + block.cuts.capacity() * size_of::<Cut>())
            .sum();
        blocks + self.blocks.capacity() * size_of::<Block>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges() -> impl Strategy<Value = Vec<NumberRange>> {
        let edge = || prop::sample::select(vec![Edge::Inclusive, Edge::Exclusive]);
        let side = move || prop::option::of((-6..6i32, edge()));
        let range = (side(), side()).prop_filter_map("holds nothing", |(low, high)| {
            let wide = |side: Option<(i32, Edge)>| side.map(|(at, edge)| (f64::from(at), edge));
            NumberRange::new(wide(low), wide(high))
        });
        prop::collection::vec(range, 1..3).prop_map(apart)
    }

    proptest! {
        #[test]
        fn agrees_with_asking_each_range(
            all in prop::collection::vec((ranges(), any::<bool>()), 1..400),
            numbers in prop::collection::vec(-8..8i32, 1..20),
        ) {
            let mut index = Intervals::default();
            for (slot, (ranges, _)) in (0..).zip(&all) {
                index.add(ranges, slot);
            }
            for (slot, (ranges, gone)) in (0..).zip(&all) {
                if *gone {
                    index.remove(ranges, slot);
                }
            }
            for number in numbers {
                let number = f64::from(number) / 2.0;
                let mut found = [0; 7];
                index.flip_holding(number, &mut found);
                let expected: Vec<u32> = (0..).zip(&all)
                    .filter(|(_, (ranges, gone))| !gone && ranges.iter().any(|range| range.holds(number)))
                    .map(|(slot, _)| slot)
                    .collect();
                prop_assert_eq!(super::super::bits::slots(&found).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn a_range_survives_being_words(ranges in ranges(), number in -8..8i32) {
            for range in ranges {
                let back = NumberRange::from_words(range.words());
                prop_assert_eq!(back, range);
                prop_assert_eq!(back.holds(f64::from(number)), range.holds(f64::from(number)));
            }
        }
    }
}
