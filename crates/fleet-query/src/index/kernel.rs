//! The inner loops: plain slices in, byte masks out, written so that they vectorise.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: slices are cut to the mask's length first"
)]
use super::ints::Mask;
use super::packed::Offset;

/// ORs 1 into the mask where `low <= value <= high` (offsets of the slice's width).
pub(crate) fn select<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64, mask: &mut Mask) {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    for (m, v) in mask.iter_mut().zip(values) {
        *m |= u8::from(v.minus(from) <= width);
    }
}

/// Keeps only the mask's rows where `low <= value <= high`; rows past the values go too.
pub(crate) fn narrow<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64, mask: &mut Mask) {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    let length = values.len().min(mask.len());
    let (held, past) = mask.split_at_mut(length);
    for (m, v) in held.iter_mut().zip(values) {
        *m &= u8::from(v.minus(from) <= width);
    }
    past.fill(0);
}

/// How many values lie in `low..=high`.
pub(crate) fn count<T: Offset + WrappingSub>(values: &[T], low: u64, high: u64) -> usize {
    let (from, width) = (T::narrow(low), T::narrow(high - low));
    let mut total = 0;
    // Blocks of at most 255 a lane, so that the inner sum stays in bytes.
    for block in values.chunks(255) {
        let mut sum = 0u32;
        for v in block {
            sum += u32::from(v.minus(from) <= width);
        }
        total += sum as usize;
    }
    total
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
    let mut total = 0usize;
    for block in mask.chunks(128) {
        let mut sum = 0u8;
        for m in block {
            sum = sum.wrapping_add(*m);
        }
        total += usize::from(sum);
    }
    total
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

/// Subtraction that wraps around.
pub(crate) trait WrappingSub {
    fn minus(self, other: Self) -> Self;
}

macro_rules! wrapping {
    ($($t:ty)*) => {$(impl WrappingSub for $t {
        fn minus(self, other: Self) -> Self { self.wrapping_sub(other) }
    })*};
}
wrapping!(u8 u16 u32 u64);
