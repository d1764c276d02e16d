//! Going over the sheet for one document, or for the difference of two.
//!
//! What goes over rows is inlined into [`wide`], which compiles it for the vectors of the processor; in few places, because it is
//! compiled for each kind of them.

use super::answers::{Answer, Answers, Changed};
use super::bits::{self, NEAR, Postings, Row};
use super::sheet::{Column, Entry, Role, Sheet};

use crate::wide::wide;
use smallvec::SmallVec;

/// Two documents, and where their answers differ.
#[derive(Debug)]
pub(super) struct Change<'a> {
    pub(super) before: &'a Answers,
    pub(super) after: &'a Answers,
    pub(super) fields: Changed,
    /// The bits of the conditions that look at one of them.
    pub(super) touched: u64,
}

/// Some of the fields.
#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    All,
    Only(&'a [u32]),
    But(&'a [u32]),
}

impl Fields<'_> {
    #[inline(always)]
    fn has(self, field: u32) -> bool {
        match self {
            Self::All => true,
            Self::Only(fields) => fields.contains(&field),
            Self::But(fields) => !fields.contains(&field),
        }
    }
}

impl Sheet {
    /// Gives out the condition of every slot that is met, its clauses being all or `holds` being true of it.
    pub(super) fn met(&self, answers: &Answers, holds: impl Fn(u32) -> bool, out: &mut Vec<u32>) {
        if self.len() == 0 {
            return;
        }
        let (width, joints) = (self.live.row().len(), self.joint_width());
        let (mut near, mut far) = ([0; NEAR], Vec::new());
        let rows = bits::rows(width + joints + width.max(joints), &mut near, &mut far);
        let (alive, rows) = rows.split_at_mut(width);
        let (added, scratch) = rows.split_at_mut(joints);
        alive.copy_from_slice(self.live.row());
        self.cross_out(answers, Fields::All, alive, scratch);
        self.add_met(answers, Fields::All, added, scratch);
        self.each_joint(added, alive, |slots, added| *slots &= added);
        for ((word, partial), conditions) in self.by_word(alive) {
            for_each(word & !partial, conditions, |condition, _| {
                out.push(condition)
            });
            for_each(word & partial, conditions, |condition, _| {
                if holds(condition) {
                    out.push(condition);
                }
            });
        }
    }

    /// Calls `found` with the conditions that were met before a change and are not after, or the other way round, and
    /// with which of the two; `holds` says it of a condition whose clauses do not.
    pub(super) fn moved(
        &self,
        change: &Change<'_>,
        holds: impl Fn(u32) -> (bool, bool),
        mut found: impl FnMut(u32, (bool, bool)),
    ) {
        if self.len() == 0 {
            return;
        }
        let (width, joints) = (self.live.row().len(), self.joint_width());
        let (mut near, mut far) = ([0; NEAR], Vec::new());
        let words = 3 * width + 3 * joints + width.max(joints);
        let rows = bits::rows(words, &mut near, &mut far);
        let (old, rows) = rows.split_at_mut(width);
        let (new, rows) = rows.split_at_mut(width);
        let (open, rows) = rows.split_at_mut(width);
        self.open(change, (old, new), open, rows);
        if bits::count(open) <= self.few() {
            for (word, conditions) in open.iter().zip(self.conditions.chunks(64)) {
                for_each(*word, conditions, |condition, _| {
                    found(condition, holds(condition));
                });
            }
            return;
        }
        self.close(change, (old, new), open, rows);
        for (old, ((new, partial), conditions)) in old.iter().zip(self.by_word(new)) {
            for_each((old ^ new) & !partial, conditions, |condition, bit| {
                found(condition, (old & bit != 0, new & bit != 0));
            });
            for_each((old | new) & partial, conditions, |condition, _| {
                found(condition, holds(condition));
            });
        }
    }

    /// As many slots as are judged by their code in the time that all joints of a document take.
    fn few(&self) -> usize {
        self.conditions.len() / 256
    }

    /// What changed fields make of all slots, for both documents; and the slots that may have moved by that, their demands on
    /// other fields being met.
    fn open(
        &self,
        change: &Change<'_>,
        (old, new): (&mut Row, &mut Row),
        open: &mut Row,
        rows: &mut Row,
    ) {
        let [added_old, added_new, differing, scratch] = self.joint_rows(rows);
        for (answers, alive, added) in [
            (change.before, &mut *old, &mut *added_old),
            (change.after, &mut *new, &mut *added_new),
        ] {
            alive.copy_from_slice(self.live.row());
            self.cross_out(answers, Fields::Only(&change.fields), alive, scratch);
            self.add_met(answers, Fields::Only(&change.fields), added, scratch);
        }
        // What the changed fields decide differently, and what code looks at them for; not what they rule out twice.
        for (bit, partial) in self.partial_on.iter().enumerate() {
            if change.touched >> bit & 1 == 1 {
                bits::add_all(open, partial.row());
            }
        }
        bits::add_differing(open, old, new);
        bits::add_differing(differing, added_old, added_new);
        self.each_joint(differing, open, |slots, differing| *slots |= differing);
        bits::keep_either(open, old, new);
        if !bits::is_empty(open) {
            self.cross_out(change.before, Fields::But(&change.fields), open, scratch);
        }
    }

    /// Of the open slots, those that each document meets by their clauses.
    fn close(
        &self,
        change: &Change<'_>,
        (old, new): (&mut Row, &mut Row),
        open: &Row,
        rows: &mut Row,
    ) {
        let [added_old, added_new, added, scratch] = self.joint_rows(rows);
        added.fill(0);
        self.add_met(change.before, Fields::But(&change.fields), added, scratch);
        for (alive, own) in [(old, added_old), (new, added_new)] {
            bits::keep_all(alive, open);
            bits::add_all(own, added);
            self.each_joint(own, alive, |slots, added| *slots &= added);
        }
    }

    /// Three rows of joints, and the rest.
    fn joint_rows<'r>(&self, rows: &'r mut Row) -> [&'r mut Row; 4] {
        let (first, rows) = rows.split_at_mut(self.joint_width());
        let (second, rows) = rows.split_at_mut(self.joint_width());
        let (third, rest) = rows.split_at_mut(self.joint_width());
        [first, second, third, rest]
    }

    /// Crosses out the slots whose demand on one of the picked fields is not met.
    fn cross_out(&self, answers: &Answers, pick: Fields<'_>, alive: &mut Row, scratch: &mut Row) {
        wide(
            #[inline(always)]
            || {
                for (field, answer) in answers.along(&self.asked) {
                    if pick.has(field)
                        && let Some(column) = self.column(field)
                    {
                        self.cross_out_of(column, answer, alive, scratch);
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn cross_out_of(
        &self,
        column: &Column,
        answer: Answer<'_>,
        alive: &mut Row,
        scratch: &mut Row,
    ) {
        let scratch = scratch.get_mut(..alive.len()).unwrap_or_default();
        let mut met = SmallVec::<[&Postings; 8]>::new();
        for entry in self.entries_of(answer) {
            match entry.role {
                Role::Meets => met.push(&entry.places),
                Role::Spoils => entry.places.take_from(alive),
                _ => {}
            }
        }
        if column.tokens.count > 0 {
            let met = match met.as_slice() {
                [Postings::Many { bits, .. }] => bits.row(),
                several => {
                    scratch.fill(0);
                    several.iter().for_each(|places| places.add_to(scratch));
                    &*scratch
                }
            };
            bits::keep_met(alive, column.tokens.slots.row(), met);
        }
        if column.numbers.count > 0 {
            column.ranges.holding(answer.numbers.iter(), scratch);
            bits::keep_met(alive, column.numbers.slots.row(), scratch);
        }
    }

    /// Adds the joints one of whose branches a picked field meets.
    fn add_met(&self, answers: &Answers, pick: Fields<'_>, added: &mut Row, scratch: &mut Row) {
        wide(
            #[inline(always)]
            || {
                for (field, answer) in answers.iter() {
                    if pick.has(field) {
                        self.add_met_of(field, answer, added, scratch);
                    }
                }
            },
        );
    }

    #[inline(always)]
    fn add_met_of(&self, field: u32, answer: Answer<'_>, added: &mut Row, scratch: &mut Row) {
        let scratch = scratch.get_mut(..added.len()).unwrap_or_default();
        let mut unless = false;
        for entry in self.entries_of(answer) {
            match entry.role {
                Role::Adds => entry.places.add_to(added),
                Role::AddsUnless => unless = true,
                _ => {}
            }
        }
        if unless {
            self.met_unless(answer, scratch);
            bits::add_all(added, scratch);
        }
        if let Some(column) = self.column(field)
            && !column.joint_ranges.is_empty()
            && !answer.numbers.is_empty()
        {
            column.joint_ranges.holding(answer.numbers.iter(), scratch);
            bits::add_all(added, scratch);
        }
    }

    /// The joints that tokens of one field add unless others take them, written over a row.
    #[inline(always)]
    fn met_unless(&self, answer: Answer<'_>, out: &mut Row) {
        out.fill(0);
        for entry in self.entries_of(answer) {
            if entry.role == Role::AddsUnless {
                entry.places.add_to(out);
            }
        }
        for entry in self.entries_of(answer) {
            if entry.role == Role::Takes {
                entry.places.take_from(out);
            }
        }
    }

    fn entries_of<'a>(&'a self, answer: Answer<'a>) -> impl Iterator<Item = &'a Entry> {
        let tokens = answer.tokens.iter();
        tokens.flat_map(|token| self.entries(*token))
    }

    /// Calls `found` with each word of joints and with the word of slots that it is of.
    #[inline(always)]
    fn each_joint(&self, joints: &Row, slots: &mut Row, found: impl Fn(&mut u64, u64)) {
        for (joints, word) in joints.iter().zip(&self.joined) {
            if let Some(slots) = slots.get_mut(*word as usize) {
                found(slots, *joints);
            }
        }
    }

    /// The words of a row as long as any, each with the word of the slots that clauses do not decide, and with the
    /// conditions of its slots.
    fn by_word<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = ((u64, u64), &'a [u32])> {
        let partial = self.partial.row().iter().chain(std::iter::repeat(&0));
        let words = row.iter().copied().zip(partial.copied());
        words.zip(self.conditions.chunks(64))
    }
}

/// Calls `found` with the condition of every slot in the word, and its bit.
fn for_each(mut word: u64, conditions: &[u32], mut found: impl FnMut(u32, u64)) {
    while word != 0 {
        let rest = word & (word - 1);
        if let Some(condition) = conditions.get(word.trailing_zeros() as usize) {
            found(*condition, word ^ rest);
        }
        word = rest;
    }
}
