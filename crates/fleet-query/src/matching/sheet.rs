//! The conditions that no rare token leads to, swept over together: a bit each, 64 in one step.
//!
//! A condition has a *slot*. The demands that it makes of single fields lie there: each field crosses out the slots whose
//! demand its value does not meet. Every OR that it has lies in a *joint*: each field adds the joints one of whose
//! branches it meets, and a slot whose joints were not all added is crossed out. A word of slots is for conditions with equally
//! many ORs, and each of these has a word of joints, in the same order; so 64 slots are joined with their joints in one
//! step. What clauses say only in part is marked, and its code is run on what is left.

use super::bits::{BLOCK, Bits, Postings};
use super::clause::{Branch, Clause, Clauses, MOST_ORS};
use super::interval::Intervals;
use std::array;

/// What a token does to slots or joints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The demand of these slots is met.
    Meets,
    /// These slots are crossed out.
    Spoils,
    /// These joints are added.
    Adds,
    /// These joints are added, unless a token of the same field takes them.
    AddsUnless,
    /// These joints are not added through [`Role::AddsUnless`].
    Takes,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) role: Role,
    pub(super) places: Postings,
}

/// What the swept conditions ask of one field.
#[derive(Clone, Debug, Default)]
pub(super) struct Column {
    /// Slots that ask for a token.
    pub(super) tokens: Asked,
    /// Slots that ask for a number.
    pub(super) numbers: Asked,
    /// The numbers that they ask for.
    pub(super) ranges: Intervals,
    /// How many slots name tokens that spoil them.
    spoilt: usize,
    /// The numbers that add a joint.
    pub(super) joint_ranges: Intervals,
}

impl Column {
    const fn is_asked(&self) -> bool {
        self.tokens.count + self.numbers.count + self.spoilt > 0
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) slots: Bits,
    pub(super) count: usize,
}

impl Asked {
    fn set(&mut self, slot: u32) {
        self.slots.set(slot);
        self.count += 1;
    }

    fn clear(&mut self, slot: u32) {
        self.slots.clear(slot);
        self.count -= 1;
    }
}

/// The swept conditions.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    /// The condition of each slot.
    pub(super) conditions: Vec<u32>,
    /// By number of ORs: the free slots in words for conditions with so many.
    free: [Vec<u32>; MOST_ORS + 1],
    /// By word of slots: the first of its words of joints.
    first_joints: Vec<u32>,
    /// By word of joints: its word of slots.
    pub(super) joined: Vec<u32>,
    pub(super) live: Bits,
    /// Slots whose clauses say less than their condition.
    pub(super) partial: Bits,
    /// The same by what their code looks at, one for each bit of [`super::fields`].
    pub(super) partial_on: [Bits; 64],
    columns: Vec<Option<Box<Column>>>,
    /// The fields that demands are made of, ascending.
    pub(super) asked: Vec<u32>,
    /// By token.
    entries: Vec<Vec<Entry>>,
}

impl Default for Sheet {
    fn default() -> Self {
        Self {
            conditions: Vec::new(),
            free: array::from_fn(|_| Vec::new()),
            first_joints: Vec::new(),
            joined: Vec::new(),
            live: Bits::default(),
            partial: Bits::default(),
            partial_on: array::from_fn(|_| Bits::default()),
            columns: Vec::new(),
            asked: Vec::new(),
            entries: Vec::new(),
        }
    }
}

impl Sheet {
    /// How many conditions are swept.
    pub(super) fn len(&self) -> usize {
        self.conditions.len() - self.free.iter().map(Vec::len).sum::<usize>()
    }

    /// Words of a row of joints.
    pub(super) const fn joint_width(&self) -> usize {
        self.joined.len().next_multiple_of(BLOCK)
    }

    pub(super) fn column(&self, field: u32) -> Option<&Column> {
        self.columns.get(field as usize)?.as_deref()
    }

    pub(super) fn entries(&self, token: u32) -> &[Entry] {
        self.entries
            .get(token as usize)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// Takes a condition in, which looks at the fields of these bits; its slot.
    pub(super) fn insert(&mut self, condition: u32, clauses: &Clauses<'_>, touches: u64) -> u32 {
        let slot = self.take_slot(clauses.ors.len());
        if let Some(place) = self.conditions.get_mut(slot as usize) {
            *place = condition;
        }
        self.live.set(slot);
        if clauses.partial {
            self.partial.set(slot);
            for (bit, partial) in self.partial_on.iter_mut().enumerate() {
                if touches >> bit & 1 == 1 {
                    partial.set(slot);
                }
            }
        }
        let (slots, joints) = (wide(self.conditions.len()), wide(self.joined.len() * 64));
        for clause in &clauses.demands {
            match clause {
                Clause::Some(field, tokens) => {
                    self.add(tokens, Role::Meets, slot, slots);
                    self.ask(*field).tokens.set(slot);
                }
                Clause::None(field, tokens) => {
                    self.add(tokens, Role::Spoils, slot, slots);
                    self.ask(*field).spoilt += 1;
                }
                Clause::Within(field, range) => {
                    let column = self.ask(*field);
                    column.numbers.set(slot);
                    column.ranges.add(&[*range], slot, slots);
                }
            }
        }
        for (joint, branches) in self.joints(slot).zip(&clauses.ors) {
            for branch in branches {
                match branch {
                    Branch::Some(_, tokens) => self.add(tokens, Role::Adds, joint, joints),
                    Branch::Except(_, met, spoilt) => {
                        self.add(met, Role::AddsUnless, joint, joints);
                        self.add(spoilt, Role::Takes, joint, joints);
                    }
                    Branch::Within(field, ranges) => {
                        let column = self.column_mut(*field);
                        column.joint_ranges.add(ranges, joint, joints);
                    }
                }
            }
        }
        slot
    }

    /// Forgets a slot, with the clauses that it came with.
    pub(super) fn remove(&mut self, slot: u32, clauses: &Clauses<'_>) {
        self.live.clear(slot);
        if clauses.partial {
            self.partial.clear(slot);
            for partial in &mut self.partial_on {
                partial.clear(slot);
            }
        }
        for clause in &clauses.demands {
            let field = match clause {
                Clause::Some(field, tokens) => {
                    self.take(tokens, Role::Meets, slot);
                    self.column_mut(*field).tokens.clear(slot);
                    field
                }
                Clause::None(field, tokens) => {
                    self.take(tokens, Role::Spoils, slot);
                    self.column_mut(*field).spoilt -= 1;
                    field
                }
                Clause::Within(field, range) => {
                    let column = self.column_mut(*field);
                    column.numbers.clear(slot);
                    column.ranges.remove(&[*range], slot);
                    field
                }
            };
            self.tidy(*field);
        }
        for (joint, branches) in self.joints(slot).zip(&clauses.ors) {
            for branch in branches {
                match branch {
                    Branch::Some(_, tokens) => self.take(tokens, Role::Adds, joint),
                    Branch::Except(_, met, spoilt) => {
                        self.take(met, Role::AddsUnless, joint);
                        self.take(spoilt, Role::Takes, joint);
                    }
                    Branch::Within(field, ranges) => {
                        self.column_mut(*field).joint_ranges.remove(ranges, joint);
                        self.tidy(*field);
                    }
                }
            }
        }
        if let Some(free) = self.free.get_mut(clauses.ors.len()) {
            free.push(slot);
        }
    }

    /// A free slot of a word for conditions with so many ORs, which is begun when there is none.
    fn take_slot(&mut self, ors: usize) -> u32 {
        let Some(free) = self.free.get_mut(ors) else {
            return u32::MAX;
        };
        if let Some(slot) = free.pop() {
            return slot;
        }
        let first = wide(self.conditions.len());
        free.extend((first + 1..first + 64).rev());
        self.first_joints.push(wide(self.joined.len()));
        self.joined.extend(std::iter::repeat_n(first / 64, ors));
        self.conditions.resize(self.conditions.len() + 64, u32::MAX);
        first
    }

    /// The joints of a slot, in the order of its ORs.
    fn joints(&self, slot: u32) -> impl Iterator<Item = u32> + use<> {
        let word = self.first_joints.get((slot / 64) as usize).copied();
        let first = word.unwrap_or(0) * 64 + slot % 64;
        (first..).step_by(64)
    }

    fn column_mut(&mut self, field: u32) -> &mut Column {
        let at = field as usize;
        if self.columns.len() <= at {
            self.columns.resize_with(at + 1, || None);
        }
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        self.columns[at].get_or_insert_default()
    }

    /// The column of a field that a demand is made of.
    fn ask(&mut self, field: u32) -> &mut Column {
        if let Err(place) = self.asked.binary_search(&field) {
            self.asked.insert(place, field);
        }
        self.column_mut(field)
    }

    /// Forgets a field that nothing is asked of any more.
    fn tidy(&mut self, field: u32) {
        let Some(place) = self.columns.get_mut(field as usize) else {
            return;
        };
        if place.as_ref().is_some_and(|column| column.is_asked()) {
            return;
        }
        self.asked.retain(|other| *other != field);
        if place
            .as_ref()
            .is_some_and(|column| column.joint_ranges.is_empty())
        {
            *place = None;
        }
    }

    /// Adds a slot or joint to what tokens do; `places` is how many there are in all.
    fn add(&mut self, tokens: &[u32], role: Role, place: u32, places: u32) {
        for token in tokens {
            let at = *token as usize;
            if self.entries.len() <= at {
                self.entries.resize_with(at + 1, Vec::new);
            }
            let Some(entries) = self.entries.get_mut(at) else {
                continue;
            };
            if let Some(entry) = entries.iter_mut().find(|entry| entry.role == role) {
                entry.places.add(place, places);
            } else {
                let mut own = Postings::default();
                own.add(place, places);
                entries.reserve_exact(1);
                entries.push(Entry { role, places: own });
            }
        }
    }

    fn take(&mut self, tokens: &[u32], role: Role, place: u32) {
        for token in tokens {
            let Some(entries) = self.entries.get_mut(*token as usize) else {
                continue;
            };
            for entry in entries.iter_mut().filter(|entry| entry.role == role) {
                entry.places.remove(place);
            }
            entries.retain(|entry| entry.places.len() > 0);
            if entries.is_empty() {
                *entries = Vec::new();
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let asked = |asked: &Asked| asked.slots.heap_bytes();
        let columns: usize = self
            .columns
            .iter()
            .flatten()
            .map(|column| {
                size_of::<Column>()
                    + asked(&column.tokens)
                    + asked(&column.numbers)
                    + column.ranges.heap_bytes()
                    + column.joint_ranges.heap_bytes()
            })
            .sum();
        let entries: usize = self
            .entries
            .iter()
            .map(|entries| {
                entries.capacity() * size_of::<Entry>()
                    + entries
                        .iter()
                        .map(|entry| entry.places.heap_bytes())
                        .sum::<usize>()
            })
            .sum();
        let words = self.first_joints.capacity() + self.joined.capacity();
        let free: usize = self.free.iter().map(Vec::capacity).sum();
        (self.conditions.capacity() + words + free + self.asked.capacity()) * 4
            + self.live.heap_bytes()
            + self.partial.heap_bytes()
            + self.partial_on.iter().map(Bits::heap_bytes).sum::<usize>()
            + self.columns.capacity() * size_of::<usize>()
            + columns
            + self.entries.capacity() * size_of::<Vec<Entry>>()
            + entries
    }
}

fn wide(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
