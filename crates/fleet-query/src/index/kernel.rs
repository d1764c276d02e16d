//! The inner loops: plain slices in, byte masks out, written so that they vectorise, and compiled once more for the
//! vector instructions that not every processor has.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: slices are cut to the mask's length first"
)]
use super::ints::Mask;
use super::packed::Offset;
use crate::wide::wide;

/// ORs 1 into the mask where `low <= value <= high` (offsets of the slice's width).
pub(crate) fn select<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64, mask: &mut Mask) {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    wide(|| {
        for (m, v) in mask.iter_mut().zip(values) {
            *m |= u8::from(v.minus(from) <= width);
        }
    });
}

/// Keeps only the mask's rows where `low <= value <= high`; rows past the values go too.
pub(crate) fn narrow<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64, mask: &mut Mask) {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    let length = values.len().min(mask.len());
    let (held, past) = mask.split_at_mut(length);
    wide(|| {
        for (m, v) in held.iter_mut().zip(values) {
            *m &= u8::from(v.minus(from) <= width);
        }
    });
    past.fill(0);
}

/// Rows that are counted in the width of the values themselves: a byte counts to 255.
const BLOCK: usize = 192;

/// How many values lie in `low..=high`.
pub(crate) fn count<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64) -> usize {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    wide(|| {
        let mut total = 0;
        for block in values.chunks(BLOCK) {
            let mut sum = T::one_if(false);
            for v in block {
                sum = sum.plus(T::one_if(v.minus(from) <= width));
            }
            total += sum.wide() as usize;
        }
        total
    })
}

/// How many rows with this mark in the mask have a value in `low..=high`.
pub(crate) fn count_beside<T: Offset + WrappingSub>(
    values: &[T],
    low: u64,
    high: u64,
    mask: &Mask,
    mark: u8,
) -> usize {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    wide(|| {
        let mut total = 0;
        for (block, mask) in values.chunks(BLOCK).zip(mask.chunks(BLOCK)) {
            let mut sum = 0u8;
            for (v, m) in block.iter().zip(mask) {
                sum = sum.wrapping_add(u8::from(v.minus(from) <= width) & u8::from(*m == mark));
            }
            total += usize::from(sum);
        }
        total
    })
}

/// Adds to `counts`, by value, how many of the mask's rows have it; several running counts, because equal values in a
/// row would wait for each other.
pub(crate) fn tally(values: &[u8], mask: &Mask, counts: &mut [u32]) {
    let mut sums = [[0u32; 256]; 4];
    let (blocks, rest) = values.as_chunks::<4>();
    let (masks, _) = mask.as_chunks::<4>();
    for (block, mask) in blocks.iter().zip(masks) {
        for ((sum, v), m) in sums.iter_mut().zip(block).zip(mask) {
            sum[usize::from(*v)] += u32::from(*m);
        }
    }
    let past = blocks.len() * 4;
    for (v, m) in rest.iter().zip(mask.iter().skip(past)) {
        sums[0][usize::from(*v)] += u32::from(*m);
    }
    // The last value means "nothing here".
    for (value, count) in counts.iter_mut().enumerate().take(255) {
        *count += sums.iter().map(|sum| sum[value]).sum::<u32>();
    }
}

/// How many values are marked in the table; see [`select_marked`].
pub(crate) fn count_marked<T: Offset>(values: &[T], table: &[u8]) -> usize {
    if let Some(near) = table.first_chunk::<0x1_0000>()
        && T::NONE.wide() == 0xFFFF
    {
        let mut sums = [0usize; 4];
        let (blocks, rest) = values.as_chunks::<4>();
        // The empty slot's own place in the table is never marked: there are fewer codes.
        for block in blocks {
            for (sum, v) in sums.iter_mut().zip(block) {
                *sum += usize::from(near[(v.wide() & 0xFFFF) as usize]);
            }
        }
        let rest: usize = rest
            .iter()
            .map(|v| usize::from(near[(v.wide() & 0xFFFF) as usize]))
            .sum();
        return rest + sums.iter().sum::<usize>();
    }
    values
        .iter()
        .filter(|v| **v != T::NONE)
        .map(|v| usize::from(table.get(v.wide() as usize).copied().unwrap_or(0)))
        .sum()
}

/// ORs the table's mark of each value into the mask. The table is longer than its last mark by 2^16, so a byte or two
/// need no check; a wider value past the end is unmarked.
pub(crate) fn select_marked<T: Offset>(values: &[T], table: &[u8], mask: &mut Mask) {
    if let Some(near) = table.first_chunk::<0x1_0000>()
        && T::NONE.wide() <= 0xFFFF
    {
        for (m, v) in mask.iter_mut().zip(values) {
            *m |= near[(v.wide() & 0xFFFF) as usize] & u8::from(*v != T::NONE);
        }
        return;
    }
    for (m, v) in mask.iter_mut().zip(values) {
        *m |= table.get(v.wide() as usize).copied().unwrap_or(0);
    }
}

/// How many rows are selected.
pub(crate) fn total(mask: &Mask) -> usize {
    let (words, _) = mask.as_chunks::<8>();
    let ones = |word: &[u8; 8]| u64::from_le_bytes(*word).count_ones() as usize;
    wide(|| words.iter().map(ones).sum())
}

/// `mask &= other`.
pub(crate) fn and(mask: &mut Mask, other: &Mask) {
    for (m, o) in mask.iter_mut().zip(other) {
        *m &= *o;
    }
}

/// `mask |= other`.
pub(crate) fn or(mask: &mut Mask, other: &Mask) {
    for (m, o) in mask.iter_mut().zip(other) {
        *m |= *o;
    }
}

/// `mask = !mask & within`.
pub(crate) fn complement(mask: &mut Mask, within: &Mask) {
    for (m, w) in mask.iter_mut().zip(within) {
        *m = (*m ^ 1) & *w;
    }
}

/// Whether any row is selected.
pub(crate) fn any(mask: &Mask) -> bool {
    mask.chunks(512)
        .any(|block| block.iter().fold(0, |all, m| all | m) != 0)
}

/// The selected rows, ascending.
pub(crate) fn for_each_row(mask: &Mask, mut f: impl FnMut(usize)) {
    let (words, _) = mask.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let mut bits = u64::from_le_bytes(*word);
        while bits != 0 {
            f(at * 8 + (bits.trailing_zeros() / 8) as usize);
            bits &= bits - 1;
        }
    }
}

/// Arithmetic that wraps around.
pub(crate) trait WrappingSub {
    fn minus(self, other: Self) -> Self;
    fn plus(self, other: Self) -> Self;
    /// 1 or 0.
    fn one_if(is: bool) -> Self;
}

macro_rules! wrapping {
    ($($t:ty)*) => {$(impl WrappingSub for $t {
        fn minus(self, other: Self) -> Self { self.wrapping_sub(other) }
        fn plus(self, other: Self) -> Self { self.wrapping_add(other) }
        fn one_if(is: bool) -> Self { <$t>::from(is) }
    })*};
}
wrapping!(u8 u16 u32 u64);
