//! One chunk of texts that are too many to share: short ones in slots of one width, others apart.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: slots are cut by the stride, rows are below the chunk size"
)]
use super::ints::ROWS;
use std::sync::Arc;

/// Texts up to this many bytes live in slots.
const LONGEST: usize = 60;
/// The length of an empty slot: no text is as long, and it is ASCII.
const EMPTY: u8 = 0x7F;
const DENSE_FROM: usize = 128;

/// Optional texts of the rows of one chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Texts {
    /// Bytes per slot: a length, then the text.
    pub(crate) stride: usize,
    pub(crate) slots: Vec<u8>,
    /// One byte of each slot's hash, 0 for an empty slot: equality looks at these first.
    prints: Vec<u8>,
    /// Longer texts, and all texts while they are few: ascending by row.
    pub(crate) apart: Vec<(u16, Arc<str>)>,
    pub(crate) in_slots: u32,
}

/// A byte of a text's hash, never 0.
fn print(text: &str) -> u8 {
    // The high bits are the well-mixed ones.
    ((super::dictionary::hash(text) >> 56) as u8).max(1)
}

/// Writes a slot: length, text, zeroes, so that all slots of a chunk together are UTF-8.
fn fill(slot: &mut [u8], text: &str) {
    let (head, rest) = slot.split_at_mut(text.len() + 1);
    head[0] = text.len() as u8;
    head[1..].copy_from_slice(text.as_bytes());
    rest.fill(0);
}

impl Texts {
    pub(crate) fn count(&self) -> usize {
        self.in_slots as usize + self.apart.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        if self.in_slots > 0
            && let Some(slot) = self.slots.get(row * self.stride..(row + 1) * self.stride)
            && slot[0] != EMPTY
        {
            return std::str::from_utf8(&slot[1..=usize::from(slot[0])]).ok();
        }
        let at = self
            .apart
            .binary_search_by_key(&(row as u16), |(row, _)| *row)
            .ok()?;
        self.apart.get(at).map(|(_, text)| &**text)
    }

    /// Reads a little of a row; see [`super::column::Column::touch`].
    pub(crate) fn touch(&self, row: usize) -> usize {
        let slot = self.slots.get(row * self.stride).copied();
        usize::from(slot.unwrap_or(0)) + usize::from(self.prints.get(row).copied().unwrap_or(0))
    }

    /// Writes a cell; true if the row was empty before.
    pub(crate) fn set(&mut self, row: usize, text: &str) -> bool {
        if self.stride > text.len()
            && let Some(slot) = self
                .slots
                .get_mut(row * self.stride..(row + 1) * self.stride)
            && slot[0] != EMPTY
        {
            fill(slot, text);
            self.prints[row] = print(text);
            return false;
        }
        let fresh = !self.clear(row);
        if text.len() <= LONGEST && (self.stride > 0 || self.apart.len() >= DENSE_FROM) {
            self.put_slot(row, text);
        } else {
            let at = self.apart.partition_point(|(r, _)| *r < row as u16);
            self.apart.insert(at, (row as u16, Arc::from(text)));
        }
        fresh
    }

    /// Empties a row; true if it held something.
    pub(crate) fn clear(&mut self, row: usize) -> bool {
        if self.in_slots > 0
            && let Some(slot) = self
                .slots
                .get_mut(row * self.stride..(row + 1) * self.stride)
            && slot[0] != EMPTY
        {
            slot[0] = EMPTY;
            slot[1..].fill(0);
            self.prints[row] = 0;
            self.in_slots -= 1;
            if self.in_slots == 0 {
                self.stride = 0;
                self.slots = Vec::new();
                self.prints = Vec::new();
            }
            return true;
        }
        match self
            .apart
            .binary_search_by_key(&(row as u16), |(row, _)| *row)
        {
            Ok(at) => {
                self.apart.remove(at);
                true
            }
            Err(_) => false,
        }
    }

    /// Every cell; in slots first, then those apart.
    pub(crate) fn for_each<'a>(&'a self, mut f: impl FnMut(usize, &'a str)) {
        if self.stride > 0 {
            for (row, slot) in self.slots.chunks_exact(self.stride).enumerate() {
                if slot[0] != EMPTY
                    && let Ok(text) = std::str::from_utf8(&slot[1..=usize::from(slot[0])])
                {
                    f(row, text);
                }
            }
        }
        for (row, text) in &self.apart {
            f(usize::from(*row), text);
        }
    }

    /// Marks the rows that hold a text.
    pub(crate) fn select_all(&self, mask: &mut super::ints::Mask) {
        for (m, print) in mask.iter_mut().zip(&self.prints) {
            *m |= u8::from(*print != 0);
        }
        for (row, _) in &self.apart {
            mask[usize::from(*row)] = 1;
        }
    }

    /// Calls `f` for the rows that hold exactly this text.
    pub(crate) fn for_each_equal(&self, text: &str, mut f: impl FnMut(usize)) {
        if self.stride > text.len() {
            for row in memchr::memchr_iter(print(text), &self.prints) {
                let slot = &self.slots[row * self.stride..(row + 1) * self.stride];
                if usize::from(slot[0]) == text.len() && slot[1..=text.len()] == *text.as_bytes() {
                    f(row);
                }
            }
        }
        for (row, other) in &self.apart {
            if **other == *text {
                f(usize::from(*row));
            }
        }
    }

    /// Marks the rows whose text begins with `prefix`.
    pub(crate) fn select_prefix(&self, prefix: &str, mask: &mut super::ints::Mask) {
        let length = prefix.len();
        if self.stride > length {
            for (m, slot) in mask.iter_mut().zip(self.slots.chunks_exact(self.stride)) {
                // An empty slot is zeroes, which only the empty prefix begins.
                let hit = slot[0] != EMPTY
                    && usize::from(slot[0]) >= length
                    && slot[1..=length] == *prefix.as_bytes();
                *m |= u8::from(hit);
            }
        }
        for (row, text) in &self.apart {
            mask[usize::from(*row)] |= u8::from(text.starts_with(prefix));
        }
    }

    /// Calls `f` with the texts of the marked rows, ascending; each has one, or is left out.
    pub(crate) fn for_each_marked<'a>(
        &'a self,
        mask: &super::ints::Mask,
        mut f: impl FnMut(&'a str),
    ) {
        // Validating a chunk at once costs less than each text, unless they are few. Lengths are ASCII, padding is 0.
        if self.apart.is_empty()
            && super::kernel::total(mask) > ROWS / 32
            && let Ok(all) = std::str::from_utf8(&self.slots)
        {
            super::kernel::for_each_row(mask, |row| {
                let start = row * self.stride;
                let length = self.slots.get(start).copied().unwrap_or(EMPTY);
                if length != EMPTY
                    && let Some(text) = all.get(start + 1..start + 1 + usize::from(length))
                {
                    f(text);
                }
            });
            return;
        }
        super::kernel::for_each_row(mask, |row| {
            if let Some(text) = self.get(row) {
                f(text);
            }
        });
    }

    /// A chunk from its parts; none if they do not fit together.
    pub(crate) fn restore(
        stride: usize,
        slots: Vec<u8>,
        apart: Vec<(u16, Arc<str>)>,
        in_slots: u32,
    ) -> Option<Self> {
        if stride == 0 && (in_slots > 0 || !slots.is_empty()) {
            return None;
        }
        let mut held = 0;
        let mut prints = Vec::new();
        if stride > 0 {
            if !slots.len().is_multiple_of(stride)
                || slots.len() / stride > ROWS
                || stride > LONGEST + 1
            {
                return None;
            }
            for slot in slots.chunks_exact(stride) {
                if slot[0] == EMPTY {
                    prints.push(0);
                } else {
                    let text = slot.get(1..=usize::from(slot[0]))?;
                    prints.push(print(std::str::from_utf8(text).ok()?));
                    held += 1;
                }
            }
        }
        (held == in_slots).then_some(Self {
            stride,
            slots,
            prints,
            apart,
            in_slots,
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity()
            + self.prints.capacity()
            + self.apart.capacity() * 24
            + self
                .apart
                .iter()
                .map(|(_, text)| text.len() + 16)
                .sum::<usize>()
    }

    pub(crate) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.prints.shrink_to_fit();
        self.apart.shrink_to_fit();
    }

    fn put_slot(&mut self, row: usize, text: &str) {
        if self.stride <= text.len() {
            self.restride(text.len() + 1);
        }
        let end = (row + 1) * self.stride;
        if self.slots.len() < end {
            let from = self.slots.len() / self.stride;
            // A chunk that fills fills to its end.
            if row >= super::packed::FILLING {
                let room = (ROWS * self.stride).saturating_sub(self.slots.len());
                self.slots.reserve_exact(room);
                self.prints
                    .reserve_exact(ROWS.saturating_sub(self.prints.len()));
            }
            self.slots.resize(end, 0);
            for slot in self.slots.chunks_exact_mut(self.stride).skip(from) {
                slot[0] = EMPTY;
            }
            self.prints.resize(row + 1, 0);
        }
        fill(&mut self.slots[end - self.stride..end], text);
        self.prints[row] = print(text);
        self.in_slots += 1;
    }

    fn restride(&mut self, stride: usize) {
        let old = std::mem::take(self);
        let mut stride = stride;
        old.for_each(|_, text| {
            if text.len() <= LONGEST {
                stride = stride.max(text.len() + 1);
            }
        });
        self.stride = stride;
        old.for_each(|row, text| {
            if text.len() <= LONGEST {
                self.put_slot(row, text);
            } else {
                self.apart.push((row as u16, Arc::from(text)));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn a_chunk_is_a_map(
            steps in prop::collection::vec((0..400usize, prop::option::weighted(0.85, "[ab]{0,3}|[xyz]{50,70}|é{1,9}")), 0..600),
            prefix in "[ab]{0,2}",
        ) {
            let (mut texts, mut map) = (Texts::default(), BTreeMap::new());
            for (row, step) in steps {
                match step {
                    Some(text) => prop_assert_eq!(texts.set(row, &text), map.insert(row, text).is_none()),
                    None => prop_assert_eq!(texts.clear(row), map.remove(&row).is_some()),
                }
            }
            let mut seen = BTreeMap::new();
            texts.for_each(|row, text| { seen.insert(row, text.to_owned()); });
            prop_assert_eq!(&seen, &map);
            prop_assert_eq!(texts.count(), map.len());
            for row in 0..400 {
                prop_assert_eq!(texts.get(row), map.get(&row).map(String::as_str));
            }
            let rows = |is: &dyn Fn(&String) -> bool| -> Vec<usize> {
                map.iter().filter(|(_, text)| is(text)).map(|(row, _)| *row).collect()
            };
            let of = |mask: &super::super::ints::Mask| -> Vec<usize> {
                (0..ROWS).filter(|row| mask[*row] == 1).collect()
            };
            let (mut begun, mut held) = ([0; ROWS], [0; ROWS]);
            texts.select_prefix(&prefix, &mut begun);
            prop_assert_eq!(of(&begun), rows(&|text| text.starts_with(&prefix)));
            texts.select_all(&mut held);
            prop_assert_eq!(of(&held), rows(&|_| true));
            let mut equal = Vec::new();
            texts.for_each_equal(&prefix, |row| equal.push(row));
            equal.sort_unstable();
            prop_assert_eq!(equal, rows(&|text| *text == prefix));
            let mut listed = Vec::new();
            texts.for_each_marked(&[1; ROWS], |text| listed.push(text.to_owned()));
            prop_assert_eq!(&listed, &map.values().cloned().collect::<Vec<_>>());
            let again = Texts::restore(texts.stride, texts.slots.clone(), texts.apart.clone(), texts.in_slots);
            prop_assert_eq!(again, Some(texts));
        }
    }
}
