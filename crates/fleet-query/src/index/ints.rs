//! One chunk of integers: constant, sparse or dense, as offsets from a base.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a kernel: rows are below the chunk size, offsets are wrapping differences within one span"
)]
use super::kernel;
use super::packed::{Offset, Packed, each_width};

/// Rows in a chunk: every column is cut into pieces of this many rows, which snapshots share.
pub(crate) const ROWS: usize = 4096;
/// A sparse chunk with more cells than this becomes dense.
const DENSE_FROM: usize = 384;
/// A dense chunk with fewer cells than this becomes sparse.
const SPARSE_BELOW: usize = 96;

/// A selection of a chunk's rows: one byte a row, 1 where selected.
pub(crate) type Mask = [u8; ROWS];

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Form {
    /// Rows `0..rows` all hold `value`.
    Same { value: i64, rows: u32 },
    /// A few rows, ascending.
    Few { rows: Vec<u16>, values: Vec<i64> },
    /// One slot per row: `base + offset`.
    Many {
        base: i64,
        offsets: Packed,
        count: u32,
    },
}

/// Optional integers of the rows of one chunk. Values span less than 2^64 - 1.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Ints {
    pub(crate) form: Form,
}

impl Default for Ints {
    fn default() -> Self {
        Self {
            form: Form::Same { value: 0, rows: 0 },
        }
    }
}

impl Ints {
    pub(crate) fn count(&self) -> usize {
        match &self.form {
            Form::Same { rows, .. } => *rows as usize,
            Form::Few { rows, .. } => rows.len(),
            Form::Many { count, .. } => *count as usize,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        match &self.form {
            Form::Same { value, rows } => (row < *rows as usize).then_some(*value),
            Form::Few { rows, values } => rows
                .binary_search(&(row as u16))
                .ok()
                .and_then(|at| values.get(at).copied()),
            Form::Many { base, offsets, .. } => {
                offsets.get(row).map(|o| base.wrapping_add(o as i64))
            }
        }
    }

    /// Writes a cell; true if the row was empty before.
    pub(crate) fn set(&mut self, row: usize, value: i64) -> bool {
        match &mut self.form {
            Form::Same { value: same, rows } => {
                let held = row < *rows as usize;
                if held && *same == value {
                    return false;
                }
                if row == *rows as usize && (*rows == 0 || *same == value) {
                    *same = value;
                    *rows += 1;
                    return true;
                }
                self.unsame();
                self.set(row, value)
            }
            Form::Few { rows, values } => match rows.binary_search(&(row as u16)) {
                Ok(at) => {
                    values[at] = value;
                    false
                }
                Err(at) => {
                    rows.insert(at, row as u16);
                    values.insert(at, value);
                    if rows.len() > DENSE_FROM {
                        self.densify();
                    }
                    true
                }
            },
            Form::Many {
                base,
                offsets,
                count,
            } => {
                let offset = value.wrapping_sub(*base) as u64;
                if value < *base || offset > offsets.largest() {
                    self.widen(value);
                    return self.set(row, value);
                }
                let fresh = offsets.set(row, offset);
                *count += u32::from(fresh);
                fresh
            }
        }
    }

    /// Empties a row; true if it held something.
    pub(crate) fn clear(&mut self, row: usize) -> bool {
        if self.get(row).is_none() {
            return false;
        }
        match &mut self.form {
            Form::Same { rows, .. } => {
                if row + 1 == *rows as usize {
                    *rows -= 1;
                } else {
                    self.unsame();
                    return self.clear(row);
                }
            }
            Form::Few { rows, values } => {
                if let Ok(at) = rows.binary_search(&(row as u16)) {
                    rows.remove(at);
                    values.remove(at);
                }
            }
            Form::Many { offsets, count, .. } => {
                offsets.clear(row);
                *count -= 1;
                if (*count as usize) < SPARSE_BELOW {
                    self.sparsify();
                }
            }
        }
        if self.is_empty() {
            *self = Self::default();
        }
        true
    }

    /// Every cell in row order.
    pub(crate) fn for_each(&self, mut f: impl FnMut(usize, i64)) {
        match &self.form {
            Form::Same { value, rows } => (0..*rows as usize).for_each(|row| f(row, *value)),
            Form::Few { rows, values } => rows
                .iter()
                .zip(values)
                .for_each(|(row, v)| f(*row as usize, *v)),
            Form::Many { base, offsets, .. } => {
                fn run<T: Offset>(values: &[T], base: i64, f: &mut impl FnMut(usize, i64)) {
                    for (row, v) in values.iter().enumerate() {
                        if *v != T::NONE {
                            f(row, base.wrapping_add(v.wide() as i64));
                        }
                    }
                }
                each_width!(offsets, values => run(values, *base, &mut f));
            }
        }
    }

    /// Selects (ORs into the mask) the rows whose value lies in `low..=high`.
    pub(crate) fn select(&self, low: i64, high: i64, mask: &mut Mask) {
        if low > high {
            return;
        }
        match &self.form {
            Form::Same { value, rows } => {
                if (low..=high).contains(value) {
                    mask[..*rows as usize].fill(1);
                }
            }
            Form::Few { rows, values } => {
                for (row, value) in rows.iter().zip(values) {
                    mask[*row as usize] |= u8::from((low..=high).contains(value));
                }
            }
            Form::Many { base, offsets, .. } => {
                let Some((low, high)) = span(*base, offsets.largest(), low, high) else {
                    return;
                };
                each_width!(offsets, values => kernel::select(values, low, high, mask));
            }
        }
    }

    /// Keeps only the mask's rows whose value lies in `low..=high`.
    pub(crate) fn narrow(&self, low: i64, high: i64, mask: &mut Mask) {
        match &self.form {
            Form::Same { value, rows } if (low..=high).contains(value) => {
                mask[*rows as usize..].fill(0);
            }
            Form::Same { .. } => mask.fill(0),
            Form::Few { rows, values } => {
                let mut kept = [0u16; DENSE_FROM + 1];
                let mut count = 0;
                for (row, value) in rows.iter().zip(values) {
                    if mask[usize::from(*row)] == 1 && (low..=high).contains(value) {
                        kept[count] = *row;
                        count += 1;
                    }
                }
                mask.fill(0);
                for row in &kept[..count] {
                    mask[usize::from(*row)] = 1;
                }
            }
            Form::Many { base, offsets, .. } => match span(*base, offsets.largest(), low, high) {
                Some((low, high)) if low <= high => {
                    each_width!(offsets, values => kernel::narrow(values, low, high, mask));
                }
                _ => mask.fill(0),
            },
        }
    }

    /// How many rows hold a value in `low..=high`.
    pub(crate) fn count_in(&self, low: i64, high: i64) -> usize {
        if low > high {
            return 0;
        }
        match &self.form {
            Form::Same { value, rows } => {
                usize::from((low..=high).contains(value)) * *rows as usize
            }
            Form::Few { values, .. } => values.iter().filter(|v| (low..=high).contains(*v)).count(),
            Form::Many { base, offsets, .. } => {
                let Some((low, high)) = span(*base, offsets.largest(), low, high) else {
                    return 0;
                };
                each_width!(offsets, values => kernel::count(values, low, high))
            }
        }
    }

    /// How many rows with this mark in the mask hold a value in `low..=high`.
    pub(crate) fn count_within(&self, low: i64, high: i64, mask: &Mask, mark: u8) -> usize {
        if low > high {
            return 0;
        }
        match &self.form {
            Form::Same { value, rows } if (low..=high).contains(value) => {
                let mask = &mask[..*rows as usize];
                mask.iter().filter(|m| **m == mark).count()
            }
            Form::Same { .. } => 0,
            Form::Few { rows, values } => rows
                .iter()
                .zip(values)
                .filter(|(row, v)| (low..=high).contains(*v) && mask[usize::from(**row)] == mark)
                .count(),
            Form::Many { base, offsets, .. } => {
                let Some((low, high)) = span(*base, offsets.largest(), low, high) else {
                    return 0;
                };
                each_width!(offsets, values => kernel::count_beside(values, low, high, mask, mark))
            }
        }
    }

    /// Adds to `counts`, by value, how many of the mask's rows hold it. Values past its end are not counted.
    pub(crate) fn tally(&self, mask: &Mask, counts: &mut [u32]) {
        if let Form::Many {
            base: 0,
            offsets: Packed::B1(values),
            ..
        } = &self.form
        {
            return kernel::tally(values, mask, counts);
        }
        self.for_each(|row, value| {
            if let Some(count) = usize::try_from(value)
                .ok()
                .and_then(|at| counts.get_mut(at))
            {
                *count += u32::from(mask[row]);
            }
        });
    }

    /// Gives every row what `table` has at its value, an index into it, or `none`.
    pub(crate) fn look_up(&self, table: &[u32], none: u32, out: &mut [u32; ROWS]) {
        if let Form::Many {
            base: 0,
            offsets: Packed::B1(values),
            ..
        } = &self.form
        {
            // A table of every byte: neither absence nor a length is asked for each row.
            let mut of_byte = [none; 256];
            for (slot, entry) in of_byte.iter_mut().zip(table).take(usize::from(u8::MAX)) {
                *slot = *entry;
            }
            let (near, far) = out.split_at_mut(values.len().min(ROWS));
            for (out, value) in near.iter_mut().zip(values) {
                *out = of_byte[usize::from(*value)];
            }
            far.fill(none);
            return;
        }
        out.fill(none);
        self.for_each(|row, value| {
            if let Some(entry) = usize::try_from(value).ok().and_then(|at| table.get(at)) {
                out[row] = *entry;
            }
        });
    }

    /// How many rows hold a value, an index into `table`, that is marked there.
    pub(crate) fn count_marked(&self, table: &[u8]) -> usize {
        let marked = |value: i64| {
            usize::try_from(value)
                .ok()
                .and_then(|at| table.get(at))
                .map_or(0, |mark| usize::from(*mark))
        };
        match &self.form {
            Form::Same { value, rows } => marked(*value) * *rows as usize,
            Form::Few { values, .. } => values.iter().map(|value| marked(*value)).sum(),
            Form::Many { base, offsets, .. } => {
                let from = usize::try_from(*base).unwrap_or(0).min(table.len());
                each_width!(offsets, values => kernel::count_marked(values, &table[from..]))
            }
        }
    }

    /// Selects the rows whose value, an index into `table`, is marked there.
    pub(crate) fn select_marked(&self, table: &[u8], mask: &mut Mask) {
        let marked = |value: i64| {
            usize::try_from(value)
                .ok()
                .and_then(|at| table.get(at))
                .copied()
                .unwrap_or(0)
        };
        match &self.form {
            Form::Same { value, rows } => {
                if marked(*value) == 1 {
                    mask[..*rows as usize].fill(1);
                }
            }
            Form::Few { rows, values } => {
                for (row, value) in rows.iter().zip(values) {
                    mask[*row as usize] |= marked(*value);
                }
            }
            Form::Many { base, offsets, .. } => {
                let from = usize::try_from(*base).unwrap_or(0).min(table.len());
                each_width!(offsets, values => kernel::select_marked(values, &table[from..], mask));
            }
        }
    }

    /// Heap bytes.
    pub(crate) fn bytes(&self) -> usize {
        match &self.form {
            Form::Same { .. } => 0,
            Form::Few { rows, values } => rows.capacity() * 2 + values.capacity() * 8,
            Form::Many { offsets, .. } => offsets.bytes(),
        }
    }

    pub(crate) fn shrink(&mut self) {
        match &mut self.form {
            Form::Same { .. } => {}
            Form::Few { rows, values } => {
                rows.shrink_to_fit();
                values.shrink_to_fit();
            }
            Form::Many { offsets, .. } => offsets.shrink(),
        }
    }

    fn unsame(&mut self) {
        let Form::Same { value, rows } = self.form else {
            return;
        };
        if rows as usize <= DENSE_FROM {
            let values = vec![value; rows as usize];
            self.form = Form::Few {
                rows: (0..rows as u16).collect(),
                values,
            };
        } else {
            let (base, largest) = frame(value, value);
            let mut offsets = Packed::empty(largest, rows as usize);
            for row in 0..rows as usize {
                offsets.set(row, value.wrapping_sub(base) as u64);
            }
            self.form = Form::Many {
                base,
                offsets,
                count: rows,
            };
        }
    }

    fn densify(&mut self) {
        self.rebuild(None);
    }

    fn widen(&mut self, value: i64) {
        self.rebuild(Some(value));
    }

    fn rebuild(&mut self, also: Option<i64>) {
        let (mut low, mut high, mut last) = (also.unwrap_or(i64::MAX), also.unwrap_or(i64::MIN), 0);
        self.for_each(|row, value| {
            low = low.min(value);
            high = high.max(value);
            last = row;
        });
        let (base, largest) = frame(low, high);
        let mut offsets = Packed::empty(largest, last + 1);
        let mut count = 0;
        self.for_each(|row, value| {
            offsets.set(row, value.wrapping_sub(base) as u64);
            count += 1;
        });
        self.form = Form::Many {
            base,
            offsets,
            count,
        };
    }

    fn sparsify(&mut self) {
        let (mut rows, mut values) = (Vec::new(), Vec::new());
        self.for_each(|row, value| {
            rows.push(row as u16);
            values.push(value);
        });
        self.form = Form::Few { rows, values };
    }
}

/// The base and the largest offset that hold `low..=high`: from 0 where that is no wider, because the next values
/// are more likely to fit.
fn frame(low: i64, high: i64) -> (i64, u64) {
    let width = |largest: u64| match largest {
        0..=0xFE => 1,
        0xFF..=0xFFFE => 2,
        0xFFFF..=0xFFFF_FFFE => 4,
        _ => 8,
    };
    let tight = high.wrapping_sub(low) as u64;
    if low >= 0 && width(high as u64) == width(tight) {
        return (0, high as u64);
    }
    // Room below as well as above: half of what the width leaves.
    let room = match width(tight) {
        1 => 0xFE - tight,
        2 => 0xFFFE - tight,
        4 => 0xFFFF_FFFE - tight,
        _ => 0,
    } / 2;
    (low.saturating_sub(room as i64), tight + room)
}

/// `low..=high` as offsets, cut to what is stored; none if nothing stored can lie in it.
fn span(base: i64, largest: u64, low: i64, high: i64) -> Option<(u64, u64)> {
    if high < base {
        return None;
    }
    let from = if low <= base {
        0
    } else {
        low.wrapping_sub(base) as u64
    };
    let to = (high.wrapping_sub(base) as u64).min(largest);
    (from <= to).then_some((from, to))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_table_is_looked_up_row_by_row(
            cells in prop::collection::btree_map(0..ROWS, 0..400i64, 0..1500),
            below in 1..400i64,
            length in 0..400u32,
        ) {
            let cells: BTreeMap<usize, i64> = cells.into_iter().map(|(row, value)| (row, value % below)).collect();
            let mut ints = Ints::default();
            for (row, value) in &cells {
                ints.set(*row, *value);
            }
            let table: Vec<u32> = (0..length).map(|value| value * 7).collect();
            let mut found = [9; ROWS];
            ints.look_up(&table, 1, &mut found);
            for (row, found) in found.iter().enumerate() {
                let entry = cells.get(&row).and_then(|value| table.get(*value as usize));
                prop_assert_eq!(found, entry.unwrap_or(&1));
            }
        }

        /// Whatever form a chunk takes, it holds what a map holds.
        #[test]
        fn a_chunk_is_a_map(
            steps in prop::collection::vec((0..700usize, prop::option::weighted(0.8, prop_oneof![
                0..5i64, -300..300i64, -100_000..100_000i64, -(1i64 << 62)..(1i64 << 62)
            ])), 0..900),
            fill in prop::option::of((0..4096usize, -3..300i64)),
            low in -400..400i64, width in 0..100_000i64,
        ) {
            let (mut ints, mut map) = (Ints::default(), BTreeMap::new());
            if let Some((rows, value)) = fill {
                for row in 0..rows {
                    ints.set(row, value);
                    map.insert(row, value);
                }
            }
            for (row, step) in steps {
                match step {
                    Some(value) => prop_assert_eq!(ints.set(row, value), map.insert(row, value).is_none()),
                    None => prop_assert_eq!(ints.clear(row), map.remove(&row).is_some()),
                }
            }
            let mut seen = BTreeMap::new();
            ints.for_each(|row, value| { seen.insert(row, value); });
            prop_assert_eq!(&seen, &map);
            prop_assert_eq!(ints.count(), map.len());
            for row in 0..ROWS {
                prop_assert_eq!(ints.get(row), map.get(&row).copied());
            }
            let high = low + width;
            let mut mask = [0; ROWS];
            ints.select(low, high, &mut mask);
            for (row, picked) in mask.iter().enumerate() {
                prop_assert_eq!(*picked == 1, map.get(&row).is_some_and(|v| (low..=high).contains(v)));
            }
            let mut narrowed = [1; ROWS];
            ints.narrow(low, high, &mut narrowed);
            prop_assert_eq!(narrowed, mask);
            let odd: Mask = std::array::from_fn(|row| u8::from(row % 3 == 1));
            for mark in 0..2 {
                let expected = (0..ROWS).filter(|row| odd[*row] == mark && mask[*row] == 1).count();
                prop_assert_eq!(ints.count_within(low, high, &odd, mark), expected);
            }
            // Codes are what tables are made for: they are not negative.
            if map.values().all(|value| (0..65_000).contains(value)) {
                let mut table = vec![0; 65_000 + (1 << 16)];
                (0..65_000).step_by(2).for_each(|code| table[code] = 1);
                let mut marked = [0; ROWS];
                ints.select_marked(&table, &mut marked);
                let expected = map.values().filter(|value| **value % 2 == 0).count();
                prop_assert_eq!(marked.iter().map(|m| usize::from(*m)).sum::<usize>(), expected);
                prop_assert_eq!(ints.count_marked(&table), expected);
                let mut counts = vec![0; 700];
                ints.tally(&odd, &mut counts);
                for (value, count) in (0..).zip(&counts) {
                    let held = map.iter().filter(|(row, v)| odd[**row] == 1 && **v == value).count();
                    prop_assert_eq!(*count as usize, held);
                }
            }
            prop_assert_eq!(ints.count_in(low, high), mask.iter().map(|m| usize::from(*m)).sum::<usize>());
        }
    }
}
