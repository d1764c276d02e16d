//! One chunk of texts that are too many to share: short ones in slots of one width, others apart.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: slots are cut by the stride, rows are below the chunk size"
)]
use std::sync::Arc;

/// Texts up to this many bytes live in slots.
const LONGEST: usize = 60;
const EMPTY: u8 = u8::MAX;
const DENSE_FROM: usize = 128;

/// Optional texts of the rows of one chunk.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Texts {
    /// Bytes per slot: a length, then the text.
    pub(crate) stride: usize,
    pub(crate) slots: Vec<u8>,
    /// Longer texts, and all texts while they are few: ascending by row.
    pub(crate) apart: Vec<(u16, Arc<str>)>,
    pub(crate) in_slots: u32,
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

    /// Writes a cell; true if the row was empty before.
    pub(crate) fn set(&mut self, row: usize, text: &str) -> bool {
        if self.stride > text.len()
            && let Some(slot) = self
                .slots
                .get_mut(row * self.stride..(row + 1) * self.stride)
            && slot[0] != EMPTY
        {
            slot[0] = text.len() as u8;
            slot[1..=text.len()].copy_from_slice(text.as_bytes());
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
            self.in_slots -= 1;
            if self.in_slots == 0 {
                self.stride = 0;
                self.slots = Vec::new();
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

    /// The cells whose bytes begin with `prefix`, and, if `whole`, end there.
    pub(crate) fn select(&self, prefix: &str, whole: bool, mask: &mut super::ints::Mask) {
        let length = prefix.len();
        if self.stride > length {
            let mut key = Vec::with_capacity(length + 1);
            key.push(length as u8);
            key.extend_from_slice(prefix.as_bytes());
            let slots = self.slots.chunks_exact(self.stride);
            if whole && length >= 7 {
                // Eight bytes decide nearly always: the length and the text's first seven.
                let head = key
                    .first_chunk::<8>()
                    .map_or(0, |head| u64::from_le_bytes(*head));
                for (m, slot) in mask.iter_mut().zip(slots) {
                    let same = slot
                        .first_chunk::<8>()
                        .map_or(1, |head| u64::from_le_bytes(*head))
                        == head;
                    if same && slot[..=length] == key[..] {
                        *m = 1;
                    }
                }
            } else {
                for (m, slot) in mask.iter_mut().zip(slots) {
                    let hit = if whole {
                        slot[..=length] == key[..]
                    } else {
                        slot[0] != EMPTY
                            && usize::from(slot[0]) >= length
                            && slot[1..=length] == key[1..]
                    };
                    *m |= u8::from(hit);
                }
            }
        }
        for (row, text) in &self.apart {
            let hit = if whole {
                **text == *prefix
            } else {
                text.starts_with(prefix)
            };
            mask[usize::from(*row)] |= u8::from(hit);
        }
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
        if stride > 0 {
            if !slots.len().is_multiple_of(stride)
                || slots.len() / stride > super::ints::ROWS
                || stride > LONGEST + 1
            {
                return None;
            }
            for slot in slots.chunks_exact(stride) {
                if slot[0] != EMPTY {
                    std::str::from_utf8(slot.get(1..=usize::from(slot[0]))?).ok()?;
                    held += 1;
                }
            }
        }
        (held == in_slots).then_some(Self {
            stride,
            slots,
            apart,
            in_slots,
        })
    }

    pub(crate) fn bytes(&self) -> usize {
        self.slots.capacity()
            + self.apart.capacity() * 24
            + self
                .apart
                .iter()
                .map(|(_, text)| text.len() + 16)
                .sum::<usize>()
    }

    pub(crate) fn shrink(&mut self) {
        self.slots.shrink_to_fit();
        self.apart.shrink_to_fit();
    }

    fn put_slot(&mut self, row: usize, text: &str) {
        if self.stride <= text.len() {
            self.restride(text.len() + 1);
        }
        let end = (row + 1) * self.stride;
        if self.slots.len() < end {
            let from = self.slots.len() / self.stride;
            self.slots.resize(end, 0);
            for slot in self.slots.chunks_exact_mut(self.stride).skip(from) {
                slot[0] = EMPTY;
            }
        }
        let slot = &mut self.slots[end - self.stride..end];
        slot[0] = text.len() as u8;
        slot[1..=text.len()].copy_from_slice(text.as_bytes());
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
            for whole in [true, false] {
                let mut mask = [0; super::super::ints::ROWS];
                texts.select(&prefix, whole, &mut mask);
                for (row, picked) in mask.iter().enumerate() {
                    let hit = map.get(&row).is_some_and(|t| if whole { *t == prefix } else { t.starts_with(&prefix) });
                    prop_assert_eq!(*picked == 1, hit);
                }
            }
        }
    }
}
