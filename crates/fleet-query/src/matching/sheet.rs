//! The conditions that no rare token leads to, swept over together: a bit each, 64 in one step.
//!
//! A condition is a row of clauses, as far as clauses can say it. The demands that it makes of single fields lie in lane
//! 0: each field crosses out the slots whose demand its value does not meet. Every OR has a lane of its own
//! (the first OR of each condition the first lane, and so on): each field adds the slots one of whose
//! branches it meets, and what was not added is crossed out. What clauses say only in part is marked, and its
//! code is run on what is left.

use super::bits::{self, Bits, Postings, Row};
use super::code::{Code, Op};
use super::interval::{Intervals, NumberRange, apart};
use super::vocabulary::{Answer, Answers};

/// ORs of one condition that have a lane; others are left to its code.
const MOST_LANES: usize = 6;

/// What a token does to the slots of a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    /// The demand is met.
    Meets,
    /// Lane 0: crossed out. Other lanes: not met through [`Role::Except`].
    Spoils,
    /// Met, unless a token of the same field spoils it.
    Except,
}

#[derive(Clone, Debug)]
struct Entry {
    role: Role,
    lane: u8,
    slots: Postings,
}

/// What a slot makes of a field or a token in one lane.
#[derive(Clone, Debug, PartialEq)]
enum Clause<'c> {
    /// Met by one of these tokens.
    Some(u32, &'c [u32]),
    /// Lane 0: spoilt by one of these tokens.
    None(u32, &'c [u32]),
    /// Met by one of the first tokens, unless one of the second is there.
    Except(u32, &'c [u32], &'c [u32]),
    /// Met by a number in one of these ranges.
    Within(u32, Vec<NumberRange>),
}

/// One condition as clauses, by lane.
#[derive(Clone, Debug, Default)]
pub(super) struct Clauses<'c> {
    lanes: Vec<Vec<Clause<'c>>>,
    /// Whether they say less than the condition.
    pub(super) partial: bool,
}

impl<'c> Clauses<'c> {
    pub(super) fn of(op: Op<'c>) -> Self {
        let mut out = Self {
            lanes: vec![Vec::new()],
            partial: false,
        };
        match op {
            Op::All(code) => code.for_each(|op| out.add(op)),
            op => out.add(op),
        }
        out
    }

    /// Whether no clause says anything.
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(Vec::is_empty)
    }

    fn add(&mut self, op: Op<'c>) {
        let Some(single) = self.lanes.first_mut() else {
            return;
        };
        match op {
            Op::Some(field, tokens) => {
                let taken = |clause: &Clause<'_>| matches!(clause, Clause::Some(other, _) if *other == field);
                if single.iter().any(taken) {
                    self.partial = true;
                } else {
                    single.push(Clause::Some(field, tokens));
                }
            }
            Op::None(field, tokens) => single.push(Clause::None(field, tokens)),
            Op::Within(field, range) => {
                let taken = |clause: &Clause<'_>| matches!(clause, Clause::Within(other, _) if *other == field);
                if single.iter().any(taken) {
                    self.partial = true;
                } else {
                    single.push(Clause::Within(field, vec![range]));
                }
            }
            Op::Any(branches) => match cover(branches) {
                Some((clauses, exact)) if self.lanes.len() <= MOST_LANES => {
                    self.partial |= !exact;
                    self.lanes.push(clauses);
                }
                _ => self.partial = true,
            },
            Op::All(code) => code.for_each(|op| self.add(op)),
            Op::Evaluated(_) => self.partial = true,
        }
    }
}

/// Clauses of which one is met whenever a branch is, and whether they say the same as the branches.
fn cover<'c>(branches: Code<'c>) -> Option<(Vec<Clause<'c>>, bool)> {
    let (mut out, mut exact) = (Vec::new(), true);
    for op in branches {
        exact &= cover_one(op, &mut out)?;
    }
    let mut merged: Vec<Clause<'c>> = Vec::with_capacity(out.len());
    for clause in out {
        let same = |held: &&mut Clause<'c>| match (&**held, &clause) {
            (Clause::Within(a, _), Clause::Within(b, _)) => a == b,
            (Clause::Except(a, ..), Clause::Except(b, ..)) => a == b,
            _ => false,
        };
        match (merged.iter_mut().find(same), clause) {
            (Some(Clause::Within(_, held)), Clause::Within(_, more)) => held.extend(more),
            // Two exceptions on one field would spoil each other.
            (Some(_), _) => return None,
            (None, clause) => merged.push(clause),
        }
    }
    for clause in &mut merged {
        if let Clause::Within(_, ranges) = clause {
            *ranges = apart(std::mem::take(ranges));
        }
    }
    Some((merged, exact))
}

fn cover_one<'c>(op: Op<'c>, out: &mut Vec<Clause<'c>>) -> Option<bool> {
    match op {
        Op::Some(field, tokens) => out.push(Clause::Some(field, tokens)),
        Op::Within(field, range) => out.push(Clause::Within(field, vec![range])),
        Op::None(..) | Op::Evaluated(_) => return None,
        Op::Any(branches) => {
            let mut exact = true;
            for op in branches {
                exact &= cover_one(op, out)?;
            }
            return Some(exact);
        }
        Op::All(mut code) => {
            let mut except = code;
            if let (Some(Op::Some(field, met)), Some(Op::None(other, spoilt)), None) =
                (except.next(), except.next(), except.next())
                && field == other
            {
                out.push(Clause::Except(field, met, spoilt));
                return Some(true);
            }
            // Any one of them will do: the first test, else the first OR that can be covered.
            let first = { code }.find(|op| matches!(op, Op::Some(..) | Op::Within(..)));
            if let Some(op) = first {
                cover_one(op, out)?;
                return Some(false);
            }
            let at = out.len();
            code.find_map(|op| {
                out.truncate(at);
                cover_one(op, out)
            })?;
            return Some(false);
        }
    }
    Some(true)
}

/// What the swept conditions ask of one field.
#[derive(Clone, Debug, Default)]
struct Column {
    /// Slots of lane 0 that ask for a token.
    tokens: Asked,
    /// Slots of lane 0 that ask for a number.
    numbers: Asked,
    /// How many slots of lane 0 name tokens that spoil them.
    spoilt: usize,
    /// The ranges, by lane.
    ranges: Vec<Intervals>,
}

#[derive(Clone, Debug, Default)]
struct Asked {
    slots: Bits,
    count: usize,
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
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    /// The condition of each slot.
    conditions: Vec<u32>,
    free: Vec<u32>,
    live: Bits,
    /// Slots whose clauses say less than their condition.
    partial: Bits,
    /// By lane but the first: the slots that have a clause there.
    lanes: Vec<Asked>,
    columns: Vec<Option<Box<Column>>>,
    /// The fields that lane 0 asks about.
    asked: Vec<u32>,
    /// By token.
    entries: Vec<Vec<Entry>>,
}

impl Sheet {
    /// How many conditions are swept.
    pub(super) fn len(&self) -> usize {
        self.conditions.len() - self.free.len()
    }

    /// Takes a condition in; its slot.
    pub(super) fn insert(&mut self, condition: u32, clauses: &Clauses<'_>) -> u32 {
        let slot = super::vocabulary::put(&mut self.conditions, &mut self.free, condition);
        self.live.set(slot);
        if clauses.partial {
            self.partial.set(slot);
        }
        let slots = u32::try_from(self.conditions.len()).unwrap_or(u32::MAX);
        for (lane, clauses) in (0u8..).zip(&clauses.lanes) {
            if lane > 0 {
                let at = usize::from(lane) - 1;
                if self.lanes.len() <= at {
                    self.lanes.resize_with(at + 1, Asked::default);
                }
                if let Some(asked) = self.lanes.get_mut(at) {
                    asked.set(slot);
                }
            }
            for clause in clauses {
                let mut add = |role: Role, tokens: &[u32]| {
                    for token in tokens {
                        self.entry(*token, role, lane).add(slot, slots);
                    }
                };
                match clause {
                    Clause::Some(field, tokens) => {
                        add(Role::Meets, tokens);
                        if lane == 0 {
                            self.column(*field).tokens.set(slot);
                        }
                    }
                    Clause::None(field, tokens) => {
                        add(Role::Spoils, tokens);
                        self.column(*field).spoilt += 1;
                    }
                    Clause::Except(_, met, spoilt) => {
                        add(Role::Except, met);
                        add(Role::Spoils, spoilt);
                    }
                    Clause::Within(field, ranges) => {
                        let column = self.column(*field);
                        if lane == 0 {
                            column.numbers.set(slot);
                        }
                        let lane = usize::from(lane);
                        if column.ranges.len() <= lane {
                            column.ranges.resize_with(lane + 1, Intervals::default);
                        }
                        if let Some(intervals) = column.ranges.get_mut(lane) {
                            intervals.add(ranges, slot);
                        }
                    }
                }
            }
        }
        slot
    }

    /// Forgets a slot, with the clauses that it came with.
    pub(super) fn remove(&mut self, slot: u32, clauses: &Clauses<'_>) {
        self.live.clear(slot);
        self.partial.clear(slot);
        self.free.push(slot);
        for (lane, clauses) in (0u8..).zip(&clauses.lanes) {
            if lane > 0
                && let Some(asked) = self.lanes.get_mut(usize::from(lane) - 1)
            {
                asked.clear(slot);
            }
            for clause in clauses {
                let mut take = |role: Role, tokens: &[u32]| {
                    for token in tokens {
                        self.take(*token, role, lane, slot);
                    }
                };
                let field = match clause {
                    Clause::Some(field, tokens) => {
                        take(Role::Meets, tokens);
                        *field
                    }
                    Clause::None(field, tokens) => {
                        take(Role::Spoils, tokens);
                        *field
                    }
                    Clause::Except(_, met, spoilt) => {
                        take(Role::Except, met);
                        take(Role::Spoils, spoilt);
                        continue;
                    }
                    Clause::Within(field, _) => *field,
                };
                let Some(Some(column)) = self.columns.get_mut(field as usize) else {
                    continue;
                };
                match clause {
                    Clause::Within(_, ranges) => {
                        if lane == 0 {
                            column.numbers.clear(slot);
                        }
                        if let Some(intervals) = column.ranges.get_mut(usize::from(lane)) {
                            intervals.remove(ranges, slot);
                        }
                    }
                    Clause::None(..) => column.spoilt -= 1,
                    _ if lane == 0 => column.tokens.clear(slot),
                    _ => {}
                }
                if column.tokens.count + column.numbers.count + column.spoilt == 0 {
                    self.asked.retain(|other| *other != field);
                    if column.ranges.iter().all(Intervals::is_empty)
                        && let Some(place) = self.columns.get_mut(field as usize)
                    {
                        *place = None;
                    }
                }
            }
        }
    }

    /// The column of a field that lane 0 or a range asks about.
    fn column(&mut self, field: u32) -> &mut Column {
        let at = field as usize;
        if self.columns.len() <= at {
            self.columns.resize_with(at + 1, || None);
        }
        if let Err(place) = self.asked.binary_search(&field) {
            self.asked.insert(place, field);
        }
        // The place is there: the list was made long enough.
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        self.columns[at].get_or_insert_default()
    }

    fn entry(&mut self, token: u32, role: Role, lane: u8) -> &mut Postings {
        let at = token as usize;
        if self.entries.len() <= at {
            self.entries.resize_with(at + 1, Vec::new);
        }
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        let entries = &mut self.entries[at];
        let found = entries
            .iter()
            .position(|entry| entry.role == role && entry.lane == lane);
        let at = found.unwrap_or_else(|| {
            entries.reserve_exact(1);
            entries.push(Entry {
                role,
                lane,
                slots: Postings::default(),
            });
            entries.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "found or pushed above")]
        &mut entries[at].slots
    }

    fn take(&mut self, token: u32, role: Role, lane: u8, slot: u32) {
        let Some(entries) = self.entries.get_mut(token as usize) else {
            return;
        };
        for entry in entries.iter_mut() {
            if entry.role == role && entry.lane == lane {
                entry.slots.remove(slot);
            }
        }
        entries.retain(|entry| entry.slots.len() > 0);
        if entries.is_empty() {
            *entries = Vec::new();
        }
    }

    fn entries(&self, answer: Answer<'_>) -> impl Iterator<Item = &Entry> {
        let of = |token: &u32| self.entries.get(*token as usize).into_iter().flatten();
        answer.tokens.iter().flat_map(of)
    }

    /// Calls `met` with the condition of every slot that is met, its clauses being all or `holds` being true of it.
    pub(super) fn sweep(
        &self,
        answers: &Answers,
        holds: impl Fn(u32) -> bool,
        mut met: impl FnMut(u32),
    ) {
        let width = self.live.row().len();
        if self.len() == 0 {
            return;
        }
        let mut rows = vec![0; width * (2 + self.lanes.len())];
        let (alive, rows) = rows.split_at_mut(width);
        let (scratch, added) = rows.split_at_mut(width);
        alive.copy_from_slice(self.live.row());
        let mut kept = Vec::new();
        for (field, answer) in answers.along(&self.asked) {
            self.cross_out(field, answer, alive, scratch, &mut kept);
        }
        for (field, answer) in answers.iter() {
            self.add_met(field, answer, u8::MAX, added, scratch);
        }
        for (asked, added) in self.lanes.iter().zip(added.chunks_exact(width)) {
            bits::keep_met(alive, asked.slots.row(), added);
        }
        for slot in bits::slots(alive) {
            if let Some(condition) = self.conditions.get(slot as usize)
                && (!self.partial.has(slot) || holds(*condition))
            {
                met(*condition);
            }
        }
    }

    /// Calls `moved` with the condition of every slot that the change may have moved, and whether its clauses met
    /// it before and after; `None` where they cannot say.
    pub(super) fn moved(
        &self,
        before: &Answers,
        after: &Answers,
        changed: &[u32],
        mut moved: impl FnMut(u32, Option<(bool, bool)>),
    ) {
        let width = self.live.row().len();
        let lanes = self.lanes.len();
        if self.len() == 0 {
            return;
        }
        let mut rows = vec![0; width * (3 + 2 * lanes)];
        let (alive, rows) = rows.split_at_mut(width);
        let (scratch, rows) = rows.split_at_mut(width);
        for field in changed {
            self.touched(*field, before.of(*field), after.of(*field), alive, scratch);
        }
        bits::add_all(alive, self.partial.row());
        if bits::is_empty(alive) {
            return;
        }
        let mut kept = Vec::new();
        for (field, answer) in before.along(&self.asked) {
            if !changed.contains(&field) {
                self.cross_out(field, answer, alive, scratch, &mut kept);
            }
        }
        // Few slots are cheaper to judge by their code than in their lanes.
        if bits::count(alive) <= 8 {
            for slot in bits::slots(alive) {
                if let Some(condition) = self.conditions.get(slot as usize) {
                    moved(*condition, None);
                }
            }
            return;
        }
        let (new, rows) = rows.split_at_mut(width);
        let (added_old, added_new) = rows.split_at_mut(width * lanes);
        new.copy_from_slice(alive);
        let old = alive;
        for field in changed {
            self.cross_out(*field, before.of(*field), old, scratch, &mut kept);
            self.cross_out(*field, after.of(*field), new, scratch, &mut kept);
        }
        // A lane that none of them has a clause in crosses nothing out.
        let lanes = self.lanes.iter().enumerate();
        let wanted = lanes.fold(0, |all, (lane, asked)| {
            let met = bits::meet(asked.slots.row(), old) || bits::meet(asked.slots.row(), new);
            all | u8::from(met) << lane
        });
        for (field, answer) in before.iter() {
            if !changed.contains(&field) {
                self.add_met(field, answer, wanted, added_old, scratch);
            }
        }
        added_new.copy_from_slice(added_old);
        for field in changed {
            self.add_met(*field, before.of(*field), wanted, added_old, scratch);
            self.add_met(*field, after.of(*field), wanted, added_new, scratch);
        }
        let added = added_old
            .chunks_exact(width)
            .zip(added_new.chunks_exact(width));
        for (asked, (before, after)) in self.lanes.iter().zip(added) {
            bits::keep_met(old, asked.slots.row(), before);
            bits::keep_met(new, asked.slots.row(), after);
        }
        scratch.copy_from_slice(old);
        bits::add_all(scratch, new);
        for slot in bits::slots(scratch) {
            let (was, is) = (bits::has(old, slot), bits::has(new, slot));
            let partial = self.partial.has(slot);
            if let Some(condition) = self.conditions.get(slot as usize)
                && (partial || was != is)
            {
                moved(*condition, (!partial).then_some((was, is)));
            }
        }
    }

    /// Lane 0: crosses out the slots whose demand on the field is not met.
    fn cross_out(
        &self,
        field: u32,
        answer: Answer<'_>,
        alive: &mut Row,
        scratch: &mut Row,
        kept: &mut Vec<u32>,
    ) {
        let Some(Some(column)) = self.columns.get(field as usize) else {
            return;
        };
        if column.tokens.count > 0 {
            let mut dense: Option<&Row> = None;
            let mut several = false;
            kept.clear();
            for entry in self.entries(answer) {
                if entry.lane != 0 || entry.role != Role::Meets {
                    continue;
                }
                match (&entry.slots, dense) {
                    (Postings::Few(list), _) => {
                        kept.extend(list.iter().copied().filter(|slot| bits::has(alive, *slot)));
                    }
                    (Postings::Many { bits, .. }, None) => dense = Some(bits.row()),
                    (Postings::Many { bits, .. }, Some(first)) => {
                        if !several {
                            scratch.fill(0);
                            bits::add_all(scratch, first);
                            several = true;
                        }
                        bits::add_all(scratch, bits.row());
                    }
                }
            }
            let asked = column.tokens.slots.row();
            match dense {
                _ if several => bits::keep_met(alive, asked, scratch),
                Some(dense) => bits::keep_met(alive, asked, dense),
                None => bits::remove_all(alive, asked),
            }
            kept.iter().for_each(|slot| bits::set(alive, *slot));
        }
        if column.spoilt > 0 {
            for entry in self.entries(answer) {
                if entry.lane == 0 && entry.role == Role::Spoils {
                    entry.slots.take_from(alive);
                }
            }
        }
        if column.numbers.count > 0
            && let Some(intervals) = column.ranges.first()
        {
            inside(intervals, answer.numbers, scratch);
            bits::keep_met(alive, column.numbers.slots.row(), scratch);
        }
    }

    /// Other lanes, one row each: adds the slots one of whose branches the field meets, where the lane's bit is `wanted`.
    fn add_met(
        &self,
        field: u32,
        answer: Answer<'_>,
        wanted: u8,
        added: &mut Row,
        scratch: &mut Row,
    ) {
        let width = scratch.len();
        let is_wanted = |lane: u8| lane > 0 && wanted >> (lane - 1) & 1 == 1;
        for entry in self.entries(answer) {
            if !is_wanted(entry.lane) {
                continue;
            }
            let Some(added) = usize::from(entry.lane)
                .checked_sub(1)
                .and_then(|lane| added.get_mut(lane * width..(lane + 1) * width))
            else {
                continue;
            };
            match entry.role {
                Role::Meets => entry.slots.add_to(added),
                Role::Spoils => {}
                Role::Except => {
                    let spoilt = || {
                        self.entries(answer)
                            .filter(|other| other.role == Role::Spoils && other.lane == entry.lane)
                    };
                    if spoilt().next().is_none() {
                        entry.slots.add_to(added);
                        continue;
                    }
                    scratch.fill(0);
                    entry.slots.add_to(scratch);
                    spoilt().for_each(|other| other.slots.take_from(scratch));
                    bits::add_all(added, scratch);
                }
            }
        }
        if let Some(Some(column)) = self.columns.get(field as usize) {
            let lanes = (1u8..).zip(added.chunks_exact_mut(width));
            for (intervals, (lane, added)) in column.ranges.iter().skip(1).zip(lanes) {
                if is_wanted(lane) && !intervals.is_empty() && !answer.numbers.is_empty() {
                    inside(intervals, answer.numbers, scratch);
                    bits::add_all(added, scratch);
                }
            }
        }
    }

    /// Adds every slot with a demand on the field that the two answers may decide differently.
    fn touched(
        &self,
        field: u32,
        before: Answer<'_>,
        after: Answer<'_>,
        out: &mut Row,
        scratch: &mut Row,
    ) {
        for (one, other) in [(before, after), (after, before)] {
            for token in one
                .tokens
                .iter()
                .filter(|token| !other.tokens.contains(token))
            {
                for entry in self.entries.get(*token as usize).into_iter().flatten() {
                    entry.slots.add_to(out);
                }
            }
        }
        if before.numbers == after.numbers {
            return;
        }
        let Some(Some(column)) = self.columns.get(field as usize) else {
            return;
        };
        for intervals in &column.ranges {
            let single = |numbers: &[f64]| numbers.len() <= 1;
            if single(before.numbers) && single(after.numbers) {
                scratch.fill(0);
                for number in before.numbers.iter().chain(after.numbers) {
                    intervals.flip_holding(*number, scratch);
                }
                bits::add_all(out, scratch);
            } else {
                for numbers in [before.numbers, after.numbers] {
                    inside(intervals, numbers, scratch);
                    bits::add_all(out, scratch);
                }
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
                    + column.ranges.capacity() * size_of::<Intervals>()
                    + column
                        .ranges
                        .iter()
                        .map(Intervals::heap_bytes)
                        .sum::<usize>()
            })
            .sum();
        let entries: usize = self
            .entries
            .iter()
            .map(|entries| {
                entries.capacity() * size_of::<Entry>()
                    + entries
                        .iter()
                        .map(|entry| entry.slots.heap_bytes())
                        .sum::<usize>()
            })
            .sum();
        (self.conditions.capacity() + self.free.capacity() + self.asked.capacity()) * 4
            + self.live.heap_bytes()
            + self.partial.heap_bytes()
            + self
                .lanes
                .iter()
                .map(|lane| asked(lane) + size_of::<Asked>())
                .sum::<usize>()
            + self.columns.capacity() * size_of::<usize>()
            + columns
            + self.entries.capacity() * size_of::<Vec<Entry>>()
            + entries
    }
}

/// The slots one of whose ranges holds one of the numbers.
fn inside(intervals: &Intervals, numbers: &[f64], out: &mut Row) {
    out.fill(0);
    let Some((first, more)) = numbers.split_first() else {
        return;
    };
    intervals.flip_holding(*first, out);
    for number in more {
        let mut also = vec![0; out.len()];
        intervals.flip_holding(*number, &mut also);
        bits::add_all(out, &also);
    }
}
