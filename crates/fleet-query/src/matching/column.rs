//! One column per field and profile: for a value there, which slots' demands it meets.

use super::bits::{Bits, Postings};
use super::constraint::{Demand, KINDS, Key, Probe, is_single_valued};
use super::interval::Intervals;
use crate::document::Document;
use crate::path::FieldPath;
use crate::profile::Profile;
use crate::value::Kind;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

/// What a key means to the slots of a column.
#[derive(Clone, Debug, Default)]
struct KeyPostings {
    /// Demands that the key meets.
    meets: Postings,
    /// Demands that the value's kind meets, were it not this key.
    spoils: Postings,
}

/// The demands that all slots make of one field.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) path: FieldPath,
    pub(super) profile: &'static Profile,
    /// The slots with a demand here.
    demanding: Postings,
    /// Demands that a kind alone meets, by kind.
    kinds: [Postings; 7],
    keys: HashMap<Key, KeyPostings, FxBuildHasher>,
    ranges: Intervals,
    prefixes: HashMap<Box<str>, Postings, FxBuildHasher>,
    /// The lengths of the prefixes, ascending, each with how many there are.
    prefix_lengths: Vec<(usize, u32)>,
}

impl Column {
    pub(super) fn new(path: FieldPath, profile: &'static Profile) -> Self {
        Self {
            path,
            profile,
            demanding: Postings::default(),
            kinds: Default::default(),
            keys: HashMap::default(),
            ranges: Intervals::default(),
            prefixes: HashMap::default(),
            prefix_lengths: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.demanding.len() == 0
    }

    /// What this column looks up of a document.
    pub(super) fn probe(&self, document: Document<'_>) -> Probe {
        if is_single_valued(self.profile) {
            Probe::single(&document.find(&self.path, self.profile.keys))
        } else {
            Probe::several(&document.values(&self.path, self.profile), self.profile)
        }
    }

    pub(super) fn add(&mut self, demand: &Demand, slot: u32, slots: u32) {
        self.demanding.add(slot, slots);
        for (kind, postings) in KINDS.iter().zip(&mut self.kinds) {
            if demand.kinds().has(*kind) {
                postings.add(slot, slots);
            }
        }
        match demand {
            Demand::OfKind(_) => {}
            Demand::AnyOf(keys) => {
                for key in keys {
                    self.keys.entry_ref(key).or_default().meets.add(slot, slots);
                }
            }
            Demand::NoneOf(keys) => {
                for key in keys {
                    self.keys
                        .entry_ref(key)
                        .or_default()
                        .spoils
                        .add(slot, slots);
                }
            }
            Demand::Within(range) => self.ranges.add(range, slot),
            Demand::Prefix(prefix) => {
                if !self.prefixes.contains_key(&**prefix) {
                    self.count_length(prefix.len());
                }
                self.prefixes
                    .entry(prefix.clone())
                    .or_default()
                    .add(slot, slots);
            }
        }
    }

    fn count_length(&mut self, length: usize) {
        match self
            .prefix_lengths
            .binary_search_by_key(&length, |(length, _)| *length)
        {
            Ok(at) => {
                if let Some((_, count)) = self.prefix_lengths.get_mut(at) {
                    *count += 1;
                }
            }
            Err(at) => self.prefix_lengths.insert(at, (length, 1)),
        }
    }

    pub(super) fn remove(&mut self, demand: &Demand, slot: u32) {
        self.demanding.remove(slot);
        self.kinds
            .iter_mut()
            .for_each(|postings| postings.remove(slot));
        match demand {
            Demand::OfKind(_) => {}
            Demand::AnyOf(keys) | Demand::NoneOf(keys) => {
                for key in keys {
                    if let Some(postings) = self.keys.get_mut(key) {
                        postings.meets.remove(slot);
                        postings.spoils.remove(slot);
                        if postings.meets.len() == 0 && postings.spoils.len() == 0 {
                            self.keys.remove(key);
                        }
                    }
                }
            }
            Demand::Within(range) => self.ranges.remove(range, slot),
            Demand::Prefix(prefix) => {
                let Some(postings) = self.prefixes.get_mut(&**prefix) else {
                    return;
                };
                postings.remove(slot);
                if postings.len() > 0 {
                    return;
                }
                self.prefixes.remove(&**prefix);
                for (length, count) in &mut self.prefix_lengths {
                    if *length == prefix.len() {
                        *count -= 1;
                    }
                }
                self.prefix_lengths.retain(|(_, count)| *count > 0);
            }
        }
    }

    /// Leaves alive only the slots whose demand here, if they make one, the value meets.
    pub(super) fn filter(&self, probe: &Probe, alive: &mut Bits, scratch: &mut Scratch) {
        scratch.clear();
        let mut dense: Option<&Bits> = None;
        for (kind, postings) in KINDS.iter().zip(&self.kinds) {
            if *kind == probe.kind {
                dense = scratch.gather(postings, dense, alive);
            }
        }
        for key in &probe.keys {
            let Some(postings) = self.keys.get(key) else {
                continue;
            };
            dense = scratch.gather(&postings.meets, dense, alive);
            scratch.note_spoiled(&postings.spoils);
        }
        if !self.ranges.is_empty() {
            for number in &probe.numbers {
                self.ranges.holding(*number, &mut scratch.inside);
                scratch.merge_inside();
            }
        }
        self.each_prefix(probe, |postings| {
            // Many slots with one prefix are rare: they are visited one by one.
            postings.for_each(|slot| scratch.keep_if_alive(slot, alive));
        });
        match &self.demanding {
            Postings::Few(list) => {
                for slot in list {
                    let met = dense.is_some_and(|bits| bits.has(*slot)) || scratch.extra.has(*slot);
                    if !met {
                        alive.clear(*slot);
                    }
                }
            }
            Postings::Many { bits, .. } => sweep(alive, bits, dense, &scratch.extra),
        }
        for slot in &scratch.keep {
            alive.set(*slot);
        }
        for slot in &scratch.spoiled {
            alive.clear(*slot);
        }
    }

    /// Every slot whose demand here one value meets and the other does not is visited; others may be, too.
    pub(super) fn flips(&self, one: &Probe, other: &Probe, mut visit: impl FnMut(u32)) {
        if one.kind != other.kind {
            for (kind, postings) in KINDS.iter().zip(&self.kinds) {
                if *kind == one.kind || *kind == other.kind {
                    postings.for_each(&mut visit);
                }
            }
        }
        for key in one.keys.iter().chain(&other.keys) {
            if let Some(postings) = self.keys.get(key) {
                postings.meets.for_each(&mut visit);
                postings.spoils.for_each(&mut visit);
            }
        }
        match (one.numbers.as_slice(), other.numbers.as_slice()) {
            ([a], [b]) => self.ranges.between(*a, *b, &mut visit),
            (a, b) => {
                for number in a.iter().chain(b) {
                    let mut inside = Bits::default();
                    self.ranges.holding(*number, &mut inside);
                    inside.iter().for_each(&mut visit);
                }
            }
        }
        for probe in [one, other] {
            self.each_prefix(probe, |postings| postings.for_each(&mut visit));
        }
    }

    /// How many slots [`Column::flips`] would visit, at most, without looking at ranges.
    pub(super) fn flip_cost(&self, one: &Probe, other: &Probe) -> usize {
        let kinds = if one.kind == other.kind {
            0
        } else {
            let of = |wanted: Kind| {
                KINDS
                    .iter()
                    .zip(&self.kinds)
                    .filter(|(kind, _)| **kind == wanted)
                    .map(|(_, p)| p.len())
                    .sum::<usize>()
            };
            of(one.kind) + of(other.kind)
        };
        let keys = one
            .keys
            .iter()
            .chain(&other.keys)
            .filter_map(|key| self.keys.get(key));
        kinds
            + keys
                .map(|postings| postings.meets.len() + postings.spoils.len())
                .sum::<usize>()
    }

    fn each_prefix(&self, probe: &Probe, mut visit: impl FnMut(&Postings)) {
        if self.prefix_lengths.is_empty() {
            return;
        }
        for key in &probe.keys {
            let Key::Text(text) = key else { continue };
            for (length, _) in &self.prefix_lengths {
                if let Some(postings) = text
                    .get(..*length)
                    .and_then(|start| self.prefixes.get(start))
                {
                    visit(postings);
                }
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let text = |key: &Key| match key {
            Key::Text(text) => text.len(),
            _ => 0,
        };
        let keys: usize = self
            .keys
            .iter()
            .map(|(key, postings)| {
                text(key) + postings.meets.heap_bytes() + postings.spoils.heap_bytes()
            })
            .sum();
        let prefixes: usize = self
            .prefixes
            .iter()
            .map(|(prefix, postings)| prefix.len() + postings.heap_bytes())
            .sum();
        let tables = self.keys.allocation_size() + self.prefixes.allocation_size();
        let kinds: usize = self.kinds.iter().map(Postings::heap_bytes).sum();
        keys + prefixes + tables + kinds + self.demanding.heap_bytes() + self.ranges.heap_bytes()
    }
}

/// `alive AND (NOT demanding OR dense OR extra)`, word by word.
fn sweep(alive: &mut Bits, demanding: &Bits, dense: Option<&Bits>, extra: &Bits) {
    let dense = dense.map_or(&[] as &[u64], Bits::words);
    let extra = extra.words();
    let words = alive.words_mut();
    match (dense.len(), extra.len()) {
        (0, 0) => {
            for (word, demanded) in words.iter_mut().zip(demanding.words()) {
                *word &= !demanded;
            }
        }
        (_, 0) => sweep_one(words, demanding.words(), dense),
        (0, _) => sweep_one(words, demanding.words(), extra),
        _ => {
            let met = dense
                .iter()
                .chain(std::iter::repeat(&0))
                .zip(extra.iter().chain(std::iter::repeat(&0)));
            for ((word, demanded), (a, b)) in words.iter_mut().zip(demanding.words()).zip(met) {
                *word &= !demanded | a | b;
            }
        }
    }
}

fn sweep_one(words: &mut [u64], demanding: &[u64], met: &[u64]) {
    let common = met.len().min(words.len()).min(demanding.len());
    let (near, far) = words.split_at_mut(common);
    for ((word, demanded), met) in near.iter_mut().zip(demanding).zip(met) {
        *word &= !demanded | met;
    }
    for (word, demanded) in far.iter_mut().zip(demanding.iter().skip(common)) {
        *word &= !demanded;
    }
}

/// Working space of one match, kept between columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    /// Slots met beyond the one bit vector that is used in place.
    extra: Bits,
    inside: Bits,
    /// Slots that are met and were alive: put back after the sweep.
    keep: Vec<u32>,
    /// Slots whose kind was right and whose key was not.
    spoiled: Vec<u32>,
}

impl Scratch {
    fn clear(&mut self) {
        self.extra.words_mut().fill(0);
        self.keep.clear();
        self.spoiled.clear();
    }

    fn keep_if_alive(&mut self, slot: u32, alive: &Bits) {
        if alive.has(slot) {
            self.keep.push(slot);
        }
    }

    fn note_spoiled(&mut self, postings: &Postings) {
        postings.for_each(|slot| self.spoiled.push(slot));
    }

    /// Takes postings in: the first bit vector by reference, further ones merged, lists slot by slot.
    fn gather<'a>(
        &mut self,
        postings: &'a Postings,
        dense: Option<&'a Bits>,
        alive: &Bits,
    ) -> Option<&'a Bits> {
        match (postings, dense) {
            (Postings::Few(list), dense) => {
                list.iter()
                    .for_each(|slot| self.keep_if_alive(*slot, alive));
                dense
            }
            (Postings::Many { bits, .. }, None) => Some(bits),
            (Postings::Many { bits, .. }, dense) => {
                or_into(&mut self.extra, bits);
                dense
            }
        }
    }

    fn merge_inside(&mut self) {
        or_into(&mut self.extra, &self.inside);
        self.inside.words_mut().fill(0);
    }
}

fn or_into(into: &mut Bits, from: &Bits) {
    if let Some(last) = from.words().len().checked_sub(1)
        && into.words().len() <= last
        && let Ok(slot) = u32::try_from(last * 64)
    {
        into.set(slot);
        into.clear(slot);
    }
    for (to, from) in into.words_mut().iter_mut().zip(from.words()) {
        *to |= from;
    }
}
