//! Which of many numeric ranges hold a number: sorted cuts, with the state of all slots at every block.
//!
//! A range enters at one cut and leaves at another. Walking the line from the left, a cut flips its slot;
//! each block of cuts begins with the bit vector of the slots that are inside there, so a look-up
//! copies one vector and flips at most half of the cuts of one block: the next block knows what is inside after all of them.

use super::bits::{self, Bits, Row};
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
        let [a, b] = number_words(self.low);
        let [c, d] = number_words(self.end.unwrap_or(f64::NAN));
        [a, b, c, d]
    }

    pub(super) fn from_words([a, b, c, d]: [u32; 4]) -> Self {
        let end = number_of_words([c, d]);
        Self {
            low: number_of_words([a, b]),
            end: (!end.is_nan()).then_some(end),
        }
    }
}

/// A number as two words; [`number_of_words`] reads it back.
#[expect(clippy::cast_possible_truncation, reason = "a double in two halves")]
pub(super) const fn number_words(number: f64) -> [u32; 2] {
    let bits = number.to_bits();
    [bits as u32, (bits >> 32) as u32]
}

pub(super) const fn number_of_words([low, high]: [u32; 2]) -> f64 {
    f64::from_bits(low as u64 | (high as u64) << 32)
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

/// The cuts from a number up to the next block's, ascending.
#[derive(Clone, Debug, Default)]
struct Block {
    /// Slots inside a range just before the block's first cut.
    inside: Bits,
    /// Where a range begins or ends.
    cuts: Vec<f64>,
    /// By cut: the slot whose range it is.
    slots: Vec<u32>,
}

/// The ranges of many slots on one field.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    /// By block: the number that no cut of it is before, and no cut of the block before it is after.
    from: Vec<f64>,
    /// Never empty once a range was added: the first block lies left of every number.
    blocks: Vec<Block>,
    slots: usize,
}

/// Cuts of a block: flipping the half of them that is nearer costs about what copying the row costs.
fn longest(slots: u32) -> usize {
    (slots as usize / 128).max(32)
}

impl Intervals {
    pub(super) const fn is_empty(&self) -> bool {
        self.slots == 0
    }

    /// Adds the ranges of a slot that has none here; they lie [`apart`]. `slots` is how many slots there are in all.
    pub(super) fn add(&mut self, ranges: &[NumberRange], slot: u32, slots: u32) {
        self.slots += 1;
        if self.blocks.is_empty() {
            self.from.push(f64::NEG_INFINITY);
            self.blocks.push(Block::default());
        }
        let longest = longest(slots);
        for range in ranges {
            let mut insert = |at| self.insert(at, slot);
            let low = (range.low != f64::NEG_INFINITY).then_some(range.low);
            let (first, last) = (low.map(&mut insert), range.end.map(insert));
            let from = first.map_or(0, |first| first + 1);
            let to = last.unwrap_or(self.blocks.len().saturating_sub(1));
            for block in self.blocks.iter_mut().take(to + 1).skip(from) {
                block.inside.set(slot);
            }
            // From the right, so that a split moves nothing that is still to be looked at.
            for at in last.into_iter().chain(first) {
                self.split(at, longest);
            }
        }
    }

    /// The block that took the cut.
    fn insert(&mut self, cut: f64, slot: u32) -> usize {
        let at = self.block_of(cut);
        if let Some(block) = self.blocks.get_mut(at) {
            let place = passed(&block.cuts, cut);
            block.cuts.insert(place, cut);
            block.slots.insert(place, slot);
        }
        at
    }

    /// Halves a block that has grown too long.
    fn split(&mut self, at: usize, longest: usize) {
        let long = |block: &&mut Block| block.cuts.len() > longest;
        let Some(block) = self.blocks.get_mut(at).filter(long) else {
            return;
        };
        let half = block.cuts.len() / 2;
        let (cuts, slots) = (block.cuts.split_off(half), block.slots.split_off(half));
        let mut inside = block.inside.clone();
        block.slots.iter().for_each(|slot| inside.flip(*slot));
        let from = cuts.first().copied().unwrap_or(f64::INFINITY);
        self.from.insert(at + 1, from);
        let right = Block {
            inside,
            cuts,
            slots,
        };
        self.blocks.insert(at + 1, right);
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
        if self.slots == 0 {
            *self = Self::default();
        }
    }

    fn take(&mut self, cut: f64, slot: u32) {
        // Equal cuts may lie in several blocks, the last of which is found first.
        for at in (0..=self.block_of(cut)).rev() {
            let Some(block) = self.blocks.get_mut(at) else {
                continue;
            };
            let mut own = block.cuts.iter().zip(&block.slots);
            let Some(found) = own.position(|(at, of)| *at == cut && *of == slot) else {
                continue;
            };
            block.cuts.remove(found);
            block.slots.remove(found);
            // The first block stays: it lies left of every number.
            if at > 0 && block.cuts.is_empty() {
                self.blocks.remove(at);
                self.from.remove(at);
            }
            return;
        }
    }

    /// The slots one of whose ranges holds one of the numbers, written over a row.
    #[inline(always)]
    pub(super) fn holding(&self, numbers: impl ExactSizeIterator<Item = f64>, out: &mut Row) {
        let mut numbers = numbers;
        match (numbers.len(), numbers.next()) {
            (_, None) => out.fill(0),
            (1, Some(number)) => self.holding_one(number, out),
            (_, Some(number)) => self.holding_some(std::iter::once(number).chain(numbers), out),
        }
    }

    #[inline(always)]
    fn holding_one(&self, number: f64, out: &mut Row) {
        let at = self.block_of(number);
        let Some(block) = self.blocks.get(at) else {
            return out.fill(0);
        };
        let passed = passed(&block.cuts, number);
        let (before, after) = block.slots.split_at_checked(passed).unwrap_or_default();
        // From the side that is nearer.
        let (inside, flipped) = match self.blocks.get(at + 1) {
            Some(next) if after.len() < before.len() => (&next.inside, after),
            _ => (&block.inside, before),
        };
        bits::copy(out, inside.row());
        for slot in flipped {
            bits::flip(out, *slot);
        }
    }

    /// Apart from the rest, so that what is rare is compiled once.
    fn holding_some(&self, numbers: impl Iterator<Item = f64>, out: &mut Row) {
        out.fill(0);
        let mut held = vec![0; out.len()];
        for number in numbers {
            self.holding_one(number, &mut held);
            bits::add_all(out, &held);
        }
    }

    /// The last block that does not begin after the number.
    #[inline(always)]
    fn block_of(&self, number: f64) -> usize {
        passed(self.from.get(1..).unwrap_or_default(), number)
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let block = |block: &Block| {
            block.inside.heap_bytes() + block.cuts.capacity() * 8 + block.slots.capacity() * 4
        };
        self.blocks.iter().map(block).sum::<usize>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.from.capacity() * 8
    }
}

/// How many of the cuts, which ascend, are not after the number. Some dozens: comparing all takes less than searching.
#[inline(always)]
fn passed(cuts: &[f64], number: f64) -> usize {
    let (blocks, rest) = cuts.as_chunks::<8>();
    let passed = |cuts: &[f64]| cuts.iter().filter(|cut| **cut <= number).count();
    blocks.iter().map(|block| passed(block)).sum::<usize>() + passed(rest)
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
            numbers in prop::collection::vec(prop::collection::vec(-8..8i32, 0..3), 1..20),
        ) {
            let mut index = Intervals::default();
            for (slot, (ranges, _)) in (0..).zip(&all) {
                index.add(ranges, slot, 400);
            }
            for (slot, (ranges, gone)) in (0..).zip(&all) {
                if *gone {
                    index.remove(ranges, slot);
                }
            }
            for numbers in numbers {
                let numbers: Vec<f64> = numbers.into_iter().map(|number| f64::from(number) / 2.0).collect();
                let mut found = [u64::MAX; 8];
                index.holding(numbers.iter().copied(), &mut found);
                let holds = |range: &NumberRange| numbers.iter().any(|number| range.holds(*number));
                let expected: Vec<u32> = (0..).zip(&all)
                    .filter(|(_, (ranges, gone))| !gone && ranges.iter().any(holds))
                    .map(|(slot, _)| slot)
                    .collect();
                prop_assert_eq!(bits::slots(&found).collect::<Vec<_>>(), expected);
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
