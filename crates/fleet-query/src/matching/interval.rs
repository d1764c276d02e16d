//! Which of many numeric ranges hold a number: sorted cuts, with the state of all slots at every block.
//!
//! A range enters at one cut and leaves at another. Walking the line from the left, a cut flips its slot;
//! each block of cuts begins with the bit vector of the slots that are inside there, so a look-up
//! copies one vector and flips the cuts of one block only.

use super::bits::Bits;
use super::constraint::NumberRange;

/// A place between numbers: just before a value, or just after it.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(super) struct Place {
    value: f64,
    after: bool,
}

impl Place {
    pub(super) const fn before(value: f64) -> Self {
        Self {
            value,
            after: false,
        }
    }

    pub(super) const fn after(value: f64) -> Self {
        Self { value, after: true }
    }
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Place,
    slot: u32,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// Slots inside their range just before the block's first cut.
    inside: Bits,
    cuts: Vec<Cut>,
}

/// The ranges of one column.
#[derive(Clone, Debug, Default)]
pub(super) struct Intervals {
    blocks: Vec<Block>,
    cuts: usize,
}

impl Intervals {
    pub(super) fn is_empty(&self) -> bool {
        self.cuts == 0
    }

    /// Adds a range that holds at least one number.
    pub(super) fn add(&mut self, range: &NumberRange, slot: u32) {
        let (enter, leave) = (range.enter(), range.leave());
        self.insert(Cut { at: leave, slot });
        self.insert(Cut { at: enter, slot });
        self.mark(enter, leave, slot, Bits::set);
    }

    /// Removes a range that was added.
    pub(super) fn remove(&mut self, range: &NumberRange, slot: u32) {
        let (enter, leave) = (range.enter(), range.leave());
        for at in [enter, leave] {
            // Equal cuts may straddle blocks: look from the first block that can hold it.
            let from = self.block_of(at).saturating_sub(1);
            for block in self.blocks.iter_mut().skip(from) {
                if let Some(found) = block
                    .cuts
                    .iter()
                    .position(|cut| cut.slot == slot && cut.at == at)
                {
                    block.cuts.remove(found);
                    self.cuts -= 1;
                    break;
                }
            }
        }
        for block in &mut self.blocks {
            block.inside.clear(slot);
        }
        self.blocks.retain(|block| !block.cuts.is_empty());
    }

    /// The slots whose range holds the number.
    pub(super) fn holding(&self, number: f64, out: &mut Bits) {
        let at = Place::before(number);
        let Some(block) = self.blocks.get(self.block_of(at)) else {
            return;
        };
        out.clone_from(&block.inside);
        for cut in &block.cuts {
            if cut.at > at {
                break;
            }
            out.flip(cut.slot);
        }
    }

    /// The slots that have a cut between two numbers: every range that holds one and not the other is among them.
    pub(super) fn between(&self, one: f64, other: f64, mut visit: impl FnMut(u32)) {
        let (low, high) = if one < other {
            (one, other)
        } else {
            (other, one)
        };
        let (low, high) = (Place::before(low), Place::before(high));
        for block in self.blocks.iter().skip(self.block_of(low)) {
            let start = block.cuts.partition_point(|cut| cut.at <= low);
            for cut in block.cuts.get(start..).unwrap_or_default() {
                if cut.at > high {
                    return;
                }
                visit(cut.slot);
            }
        }
    }

    /// The last block whose first cut is not after `at`.
    fn block_of(&self, at: Place) -> usize {
        let after = self
            .blocks
            .partition_point(|block| block.cuts.first().is_some_and(|cut| cut.at <= at));
        after.saturating_sub(1)
    }

    fn insert(&mut self, cut: Cut) {
        self.cuts += 1;
        let index = self.block_of(cut.at);
        // A block holds the more cuts the more there are: about as many blocks as cuts in one.
        let most = self.cuts.isqrt().max(64) * 2;
        let Some(block) = self.blocks.get_mut(index) else {
            self.blocks.push(Block {
                inside: Bits::default(),
                cuts: vec![cut],
            });
            return;
        };
        let place = block.cuts.partition_point(|other| other.at <= cut.at);
        block.cuts.insert(place, cut);
        if block.cuts.len() > most {
            let right = block.cuts.split_off(block.cuts.len() / 2);
            let mut inside = block.inside.clone();
            block.cuts.iter().for_each(|cut| inside.flip(cut.slot));
            self.blocks.insert(
                index + 1,
                Block {
                    inside,
                    cuts: right,
                },
            );
        }
    }

    /// Sets the slot in every block that begins inside the range, once both of its cuts are in place.
    fn mark(&mut self, enter: Place, leave: Place, slot: u32, change: fn(&mut Bits, u32)) {
        let mut inside = false;
        for block in &mut self.blocks {
            if inside {
                change(&mut block.inside, slot);
            } else {
                block.inside.clear(slot);
            }
            let reaches = block.cuts.last().is_some_and(|cut| cut.at >= enter);
            if !reaches {
                continue;
            }
            for cut in &block.cuts {
                if cut.slot == slot && (cut.at == enter || cut.at == leave) {
                    inside = !inside;
                }
            }
            if block.cuts.first().is_some_and(|cut| cut.at > leave) {
                break;
            }
        }
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

    fn range() -> impl Strategy<Value = NumberRange> {
        (
            prop::option::of(-6..6i32),
            prop::option::of(-6..6i32),
            any::<bool>(),
            any::<bool>(),
        )
            .prop_filter_map("holds nothing", |(low, high, low_open, high_open)| {
                let side = |at: Option<i32>, open| at.map(|at| (f64::from(at), open));
                NumberRange::new(side(low, low_open), side(high, high_open))
            })
    }

    proptest! {
        #[test]
        fn agrees_with_asking_each_range(
            ranges in prop::collection::vec(range(), 1..400),
            gone in prop::collection::vec(any::<bool>(), 400),
            numbers in prop::collection::vec(-8..8i32, 1..20),
        ) {
            let mut index = Intervals::default();
            for (slot, range) in (0..).zip(&ranges) {
                index.add(range, slot);
            }
            let kept: Vec<(u32, &NumberRange)> = (0..).zip(&ranges).zip(&gone).filter(|(_, gone)| !**gone).map(|(kept, _)| kept).collect();
            for ((slot, range), gone) in (0..).zip(&ranges).zip(&gone) {
                if *gone {
                    index.remove(range, slot);
                }
            }
            let mut last = 0.0;
            for number in numbers {
                let number = f64::from(number) / 2.0;
                let mut found = Bits::default();
                index.holding(number, &mut found);
                let expected: Vec<u32> = kept.iter().filter(|(_, range)| range.holds(number)).map(|(slot, _)| *slot).collect();
                prop_assert_eq!(found.iter().collect::<Vec<_>>(), expected);
                let mut between = Vec::new();
                index.between(last, number, |slot| between.push(slot));
                for (slot, range) in &kept {
                    prop_assert!(range.holds(last) == range.holds(number) || between.contains(slot));
                }
                last = number;
            }
        }
    }
}
