//! Unsigned offsets in the narrowest width that holds them; the largest value of a width means "nothing here".
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: widths are chosen so that every offset fits, and rows are compared with the length first"
)]
use super::ints::ROWS;

/// Values of one width, one slot per row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Packed {
    B1(Vec<u8>),
    B2(Vec<u16>),
    B4(Vec<u32>),
    B8(Vec<u64>),
}

/// Runs one expression for whichever width a [`Packed`] has.
macro_rules! each_width {
    ($packed:expr, $values:ident => $body:expr) => {
        match $packed {
            $crate::index::packed::Packed::B1($values) => $body,
            $crate::index::packed::Packed::B2($values) => $body,
            $crate::index::packed::Packed::B4($values) => $body,
            $crate::index::packed::Packed::B8($values) => $body,
        }
    };
}
pub(crate) use each_width;

/// A width of stored offset.
pub(crate) trait Offset: Copy + Ord + Eq {
    /// The value that means "nothing here".
    const NONE: Self;
    /// The offset as 64 bits.
    fn wide(self) -> u64;
    /// The low bits of an offset that is known to fit.
    fn narrow(wide: u64) -> Self;
}

macro_rules! offsets {
    ($($t:ty)*) => {$(impl Offset for $t {
        const NONE: Self = <$t>::MAX;
        fn wide(self) -> u64 { u64::from(self) }
        fn narrow(wide: u64) -> Self { wide as $t }
    })*};
}
offsets!(u8 u16 u32 u64);

/// From this row on a growing chunk is given room for all its rows.
pub(crate) const FILLING: usize = 512;

impl Packed {
    /// `rows` empty slots of the narrowest width that holds offsets up to `largest`.
    pub(crate) fn empty(largest: u64, rows: usize) -> Self {
        if largest < u64::from(u8::MAX) {
            Self::B1(vec![u8::MAX; rows])
        } else if largest < u64::from(u16::MAX) {
            Self::B2(vec![u16::MAX; rows])
        } else if largest < u64::from(u32::MAX) {
            Self::B4(vec![u32::MAX; rows])
        } else {
            Self::B8(vec![u64::MAX; rows])
        }
    }

    /// The largest offset that fits.
    pub(crate) fn largest(&self) -> u64 {
        fn of<T: Offset>(_: &[T]) -> u64 {
            T::NONE.wide() - 1
        }
        each_width!(self, values => of(values))
    }

    pub(crate) fn get(&self, row: usize) -> Option<u64> {
        fn at<T: Offset>(values: &[T], row: usize) -> Option<u64> {
            values.get(row).filter(|v| **v != T::NONE).map(|v| v.wide())
        }
        each_width!(self, values => at(values, row))
    }

    /// Writes an offset that fits; true if the slot was empty before.
    pub(crate) fn set(&mut self, row: usize, offset: u64) -> bool {
        fn put<T: Offset>(values: &mut Vec<T>, row: usize, offset: u64) -> bool {
            if values.len() <= row {
                // A chunk that fills fills to its end.
                if row >= FILLING {
                    values.reserve_exact(ROWS.saturating_sub(values.len()));
                }
                values.resize(row + 1, T::NONE);
            }
            std::mem::replace(&mut values[row], T::narrow(offset)) == T::NONE
        }
        each_width!(self, values => put(values, row, offset))
    }

    /// Empties a slot; true if it held something.
    pub(crate) fn clear(&mut self, row: usize) -> bool {
        fn none<T: Offset>(values: &mut [T], row: usize) -> bool {
            values
                .get_mut(row)
                .is_some_and(|v| std::mem::replace(v, T::NONE) != T::NONE)
        }
        each_width!(self, values => none(values, row))
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::B1(v) => v.capacity(),
            Self::B2(v) => v.capacity() * 2,
            Self::B4(v) => v.capacity() * 4,
            Self::B8(v) => v.capacity() * 8,
        }
    }

    /// Gives back what growing reserved.
    pub(crate) fn shrink(&mut self) {
        each_width!(self, values => values.shrink_to_fit());
    }
}
