//! The reverse match: which of many stored conditions does one document meet.
//!
//! Negations are pushed to the leaves, and every leaf that a value at one path decides becomes a *token* (`region` is
//! `'eu'`, `serial` begins with `'AB'`, `floor` is there) or a numeric range. A document taken in ([`Held`]) is the
//! tokens that it answers with yes, and its numbers. A condition that must have a rare token is *filed* under it, and
//! run, as a few words of code, for the documents that have the token. All others are *swept*: each has one bit, each field
//! crosses out the bits whose demand it does not meet, as many at a time as a vector of the processor has. ORs stay ORs:
//! each has a bit of its own. What no token can say (suffixes, wildcards, functions, path against path) is evaluated by the reference
//! evaluator on what is left, and counted ([`Stats`]). Nothing is approximated: the answer equals evaluating every condition.
//!
//! ```
//! use fleet_query::matching::ConditionIndex;
//! use fleet_query::{Condition, FieldPath, Predicate, profile, value::{CompareOp, Scalar}};
//! use serde_json::json;
//!
//! let hot = Condition::new(&profile::IOT_HUB, Predicate::Compare {
//!     path: FieldPath::of(["properties", "reported", "temperature"]),
//!     op: CompareOp::Gt,
//!     value: Scalar::Number(80.0),
//! });
//! let mut index = ConditionIndex::new();
//! index.insert("hot", &hot);
//!
//! let cool = index.hold(json!({"deviceId": "d1", "properties": {"reported": {"temperature": 20}}}).into());
//! let warm = index.hold(json!({"deviceId": "d1", "properties": {"reported": {"temperature": 90}}}).into());
//! assert_eq!(index.matches(&warm).sorted(), ["hot"]);
//! assert_eq!(index.delta(&cool, &warm).entered.sorted(), ["hot"]);
//! ```

mod answers;
mod bits;
mod clause;
mod code;
mod demand;
mod interval;
mod normal;
mod sheet;
mod sweep;
#[cfg(test)]
mod tests;
mod vocabulary;

use crate::predicate::Condition;
use answers::Answers;
use clause::Clauses;
use code::{Asked, Code, Names, Op};
use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use serde_json::Value;
use sheet::Sheet;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use sweep::Change;
use vocabulary::put;

/// Tokens of one condition that it may be filed under; a longer choice is swept.
const MOST_FILED: usize = 16;

/// Conditions that any token may have filed under it. Judging one takes the time in which some hundred are swept.
const SHORT_SHELF: usize = if cfg!(test) { 2 } else { 8 };
/// Of a thousand tests of a field, how many may be one that is rare: documents are taken to hold the values that
/// conditions name about as often as conditions name them.
const RARE_PERMILLE: u64 = 20;
/// Conditions filed under a token that looks rare, should that be wrong.
const LONG_SHELF: usize = if cfg!(test) { 3 } else { 64 };

/// Stored conditions, found by the documents that meet them.
///
/// Adding and removing are incremental. Ids are the caller's; a condition whose id is taken is replaced.
#[derive(Clone, Debug, Default)]
pub struct ConditionIndex {
    names: Names,
    conditions: Vec<Option<Stored>>,
    /// By condition; read for every answer, so apart from the rest.
    ids: Vec<Box<str>>,
    /// By condition: the fields that it speaks of, as [`field_bit`]s.
    touches: Vec<u64>,
    free: Vec<u32>,
    by_id: HashTable<u32>,
    /// By token: the conditions filed under it.
    shelves: Vec<Shelf>,
    sheet: Sheet,
}

#[derive(Clone, Debug)]
struct Stored {
    code: Box<[u32]>,
    place: Place,
}

impl Stored {
    fn op(&self) -> Op<'_> {
        Code(&self.code).next().unwrap_or(Op::Any(Code(&[])))
    }
}

/// Where a condition is found.
#[derive(Clone, Debug)]
enum Place {
    /// No document meets it.
    Nowhere,
    /// On the shelf of this token.
    Filed(u32),
    /// On the shelves of these.
    FiledTwice(Box<[u32]>),
    /// In this slot of the sheet.
    Swept(u32),
}

/// The conditions filed under one token.
#[derive(Clone, Debug, Default)]
enum Shelf {
    #[default]
    Empty,
    One(u32),
    Several(Vec<u32>),
    /// The token is not rare.
    Closed,
}

impl Shelf {
    fn conditions(&self) -> &[u32] {
        match self {
            Self::Empty | Self::Closed => &[],
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(list) => list,
        }
    }

    fn add(&mut self, condition: u32) {
        match self {
            Self::Empty | Self::Closed => *self = Self::One(condition),
            Self::One(one) => *self = Self::Several(vec![*one, condition]),
            Self::Several(list) => list.push(condition),
        }
    }

    fn remove(&mut self, condition: u32) {
        match self {
            Self::One(one) if *one == condition => *self = Self::Empty,
            Self::Several(list) => {
                list.retain(|other| *other != condition);
                if list.is_empty() {
                    *self = Self::Empty;
                }
            }
            _ => {}
        }
    }
}

/// A canonical document as one index reads it: what it answers to the tests of the stored conditions.
///
/// It belongs to the index that took it in. Conditions added or removed later may change the tests;
/// [`ConditionIndex::refresh`] brings it up to date, and an answer for a document that is not reads it again each time.
#[derive(Clone, Debug)]
pub struct Held {
    document: Arc<Value>,
    answers: Answers,
}

impl Held {
    /// The document.
    #[must_use]
    pub const fn document(&self) -> &Arc<Value> {
        &self.document
    }
}

/// Ids of stored conditions, each once. Their order is that of the places that they were stored in; the same
/// history of insertions and removals gives the same order.
#[derive(Clone)]
pub struct Ids<'a> {
    index: &'a ConditionIndex,
    numbers: Vec<u32>,
}

impl<'a> Ids<'a> {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Each id.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> {
        let index = self.index;
        self.numbers
            .iter()
            .filter_map(|number| Some(&**index.ids.get(*number as usize)?))
    }

    /// The ids in bytewise order.
    #[must_use]
    pub fn sorted(&self) -> Vec<&'a str> {
        let mut ids: Vec<&str> = self.iter().collect();
        ids.sort_unstable();
        ids
    }
}

impl fmt::Debug for Ids<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The conditions that a change made a document meet, and those that it stopped meeting.
#[derive(Clone, Debug)]
pub struct Delta<'a> {
    /// Met now and not before.
    pub entered: Ids<'a>,
    /// Met before and not now.
    pub left: Ids<'a>,
}

/// What the index holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Conditions stored.
    pub conditions: usize,
    /// Conditions found by a rare token that they must have.
    pub filed: usize,
    /// Conditions judged together for every document. What is neither filed nor swept is met by no document.
    pub swept: usize,
    /// Fields that conditions speak of.
    pub fields: usize,
    /// Distinct tests of values, ranges apart.
    pub tokens: usize,
    /// Conditions with a part that is evaluated where the rest leaves them standing.
    pub partly_evaluated: usize,
    /// Conditions that nothing leads to or crosses out: evaluated for every document.
    pub always_evaluated: usize,
    /// Memory, in bytes, ids included.
    pub bytes: usize,
}

impl ConditionIndex {
    /// No condition.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many conditions are stored.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Stores a condition, in place of one with the same id.
    pub fn insert(&mut self, id: &str, condition: &Condition) {
        self.remove(id);
        let code = self.names.compile(condition);
        let touches = Code(&code).map(fields).fold(0, |all, bits| all | bits);
        let stored = Stored {
            code,
            place: Place::Nowhere,
        };
        let number = put(&mut self.conditions, &mut self.free, Some(stored));
        let at = number as usize;
        if self.touches.len() <= at {
            self.touches.resize(at + 1, 0);
            self.ids.resize_with(at + 1, Box::default);
        }
        if let (Some(own), Some(name)) = (self.touches.get_mut(at), self.ids.get_mut(at)) {
            (*own, *name) = (touches, id.into());
        }
        let ids = &self.ids;
        self.by_id.insert_unique(hash(id), number, |number| {
            ids.get(*number as usize).map_or(0, |id| hash(id))
        });
        self.place(number);
    }

    /// Forgets a condition; whether there was one.
    pub fn remove(&mut self, id: &str) -> bool {
        let ids = &self.ids;
        let same = |number: &u32| ids.get(*number as usize).is_some_and(|held| **held == *id);
        let Ok(entry) = self.by_id.find_entry(hash(id), same) else {
            return false;
        };
        let (number, _) = entry.remove();
        let taken = self.conditions.get_mut(number as usize);
        if let Some(stored) = taken.and_then(Option::take) {
            match &stored.place {
                Place::Nowhere => {}
                Place::Filed(token) => self.unfile(&[*token], number),
                Place::FiledTwice(tokens) => self.unfile(tokens, number),
                Place::Swept(slot) => self.sheet.remove(*slot, &Clauses::of(stored.op())),
            }
            let shelves = &mut self.shelves;
            self.names.forget(stored.op(), &mut |token| {
                if let Some(shelf) = shelves.get_mut(token as usize) {
                    *shelf = Shelf::Empty;
                }
            });
        }
        if let Some(id) = self.ids.get_mut(number as usize) {
            *id = Box::default();
        }
        self.free.push(number);
        true
    }

    /// Takes a canonical document in, reading every field that a condition speaks of.
    #[must_use]
    pub fn hold(&self, document: Arc<Value>) -> Held {
        let answers = self.names.vocabulary.ask(&document);
        Held { document, answers }
    }

    /// Reads the document again if conditions were added or removed since.
    pub fn refresh(&self, held: &mut Held) {
        if !self.names.vocabulary.knows(&held.answers) {
            held.answers = self.names.vocabulary.ask(&held.document);
        }
    }

    /// The conditions that the document meets.
    #[must_use]
    pub fn matches(&self, held: &Held) -> Ids<'_> {
        let answers = &*self.current(held);
        let asked = Asked {
            answers,
            document: &held.document,
        };
        let holds = |number: u32| {
            let stored = self.stored(number);
            stored.is_some_and(|stored| self.names.holds(stored.op(), &asked))
        };
        // As many as are met as a rule: growing little by little would take as long as finding them.
        let mut numbers = Vec::with_capacity(64 + self.len() / 16);
        let mut repeated = false;
        for (_, answer) in answers.iter() {
            for number in answer.tokens.iter().flat_map(|token| self.filed(*token)) {
                if holds(*number) {
                    numbers.push(*number);
                    repeated |= self.is_filed_twice(*number);
                }
            }
        }
        if repeated {
            numbers.sort_unstable();
            numbers.dedup();
        }
        self.sheet.met(answers, holds, &mut numbers);
        Ids {
            index: self,
            numbers,
        }
    }

    /// The exact conditions entered and left by the change from one document to another.
    #[must_use]
    pub fn delta(&self, before: &Held, after: &Held) -> Delta<'_> {
        let (old, new) = (&*self.current(before), &*self.current(after));
        let fields = old.differing(new);
        let bits = fields.iter().map(|field| field_bit(*field));
        let change = Change {
            touched: bits.fold(EVALUATED, |all, bit| all | bit),
            before: old,
            after: new,
            fields,
        };
        let was = Asked {
            answers: old,
            document: &before.document,
        };
        let is = Asked {
            answers: new,
            document: &after.document,
        };
        let touched = |number: u32| {
            let touches = self.touches.get(number as usize);
            touches.is_some_and(|touches| touches & change.touched != 0)
        };
        let holds = |number: u32| match self.stored(number) {
            Some(stored) if touched(number) => {
                self.names.held(stored.op(), (&was, &is), &change.fields)
            }
            _ => (false, false),
        };
        let (mut entered, mut left) = (Vec::new(), Vec::new());
        let mut note = |number: u32, held: (bool, bool)| match held {
            (false, true) => entered.push(number),
            (true, false) => left.push(number),
            _ => {}
        };

        let mut filed = SmallVec::<[u32; 32]>::new();
        for (_, answer) in old.iter() {
            for token in answer.tokens {
                let shelf = self.filed(*token).iter().copied();
                filed.extend(shelf.filter(|number| touched(*number)));
            }
        }
        for field in &change.fields {
            for token in new.of(*field).tokens {
                filed.extend_from_slice(self.filed(*token));
            }
        }
        filed.sort_unstable();
        filed.dedup();
        for number in filed {
            note(number, holds(number));
        }
        self.sheet.moved(&change, holds, note);
        let ids = |numbers| Ids {
            index: self,
            numbers,
        };
        Delta {
            entered: ids(entered),
            left: ids(left),
        }
    }

    /// What the index holds; walks all of it.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let stored = || self.conditions.iter().flatten();
        let filed = stored()
            .filter(|stored| matches!(stored.place, Place::Filed(_) | Place::FiledTwice(_)));
        let evaluated = |stored: &&Stored| {
            Code(&stored.code)
                .map(fields)
                .any(|bits| bits & EVALUATED != 0)
        };
        let always = |stored: &&Stored| {
            matches!(stored.place, Place::Swept(_)) && Clauses::of(stored.op()).is_empty()
        };
        let always_evaluated = stored().filter(evaluated).filter(always).count();
        let places: usize = stored()
            .map(|stored| match &stored.place {
                Place::FiledTwice(tokens) => size_of_val(&**tokens),
                _ => 0,
            })
            .sum();
        let shelves: usize = self
            .shelves
            .iter()
            .map(|shelf| match shelf {
                Shelf::Several(list) => list.capacity() * 4,
                _ => 0,
            })
            .sum();
        Stats {
            conditions: self.len(),
            filed: filed.count(),
            swept: self.sheet.len(),
            fields: self.names.vocabulary.fields(),
            tokens: self.names.vocabulary.tokens(),
            partly_evaluated: stored().filter(evaluated).count() - always_evaluated,
            always_evaluated,
            bytes: self.names.heap_bytes()
                + self.conditions.capacity() * size_of::<Option<Stored>>()
                + stored()
                    .map(|stored| size_of_val(&*stored.code))
                    .sum::<usize>()
                + self.ids.capacity() * size_of::<Box<str>>()
                + self.ids.iter().map(|id| id.len()).sum::<usize>()
                + places
                + self.touches.capacity() * size_of::<u64>()
                + self.free.capacity() * 4
                + self.by_id.allocation_size()
                + self.shelves.capacity() * size_of::<Shelf>()
                + shelves
                + self.sheet.heap_bytes(),
        }
    }

    fn current<'h>(&self, held: &'h Held) -> Cow<'h, Answers> {
        if self.names.vocabulary.knows(&held.answers) {
            Cow::Borrowed(&held.answers)
        } else {
            Cow::Owned(self.names.vocabulary.ask(&held.document))
        }
    }

    fn stored(&self, number: u32) -> Option<&Stored> {
        self.conditions.get(number as usize)?.as_ref()
    }

    fn filed(&self, token: u32) -> &[u32] {
        self.shelves
            .get(token as usize)
            .map(Shelf::conditions)
            .unwrap_or_default()
    }

    fn is_filed_twice(&self, number: u32) -> bool {
        let stored = self.stored(number);
        stored.is_some_and(|stored| matches!(stored.place, Place::FiledTwice(_)))
    }

    /// Finds a place for a condition, and for those that must make room for it.
    fn place(&mut self, number: u32) {
        let longest = (self.len() / 512).max(LONG_SHELF);
        let mut open = vec![number];
        while let Some(number) = open.pop() {
            let Some(Some(stored)) = self.conditions.get(number as usize) else {
                continue;
            };
            let op = stored.op();
            let touches = self.touches.get(number as usize).copied().unwrap_or(0);
            let mut tokens = Vec::new();
            let place = if matches!(op, Op::Any(Code([]))) {
                Place::Nowhere
            } else if self.cost(op).is_some() {
                self.collect(op, &mut tokens);
                tokens.sort_unstable();
                tokens.dedup();
                match tokens.as_slice() {
                    [token] => Place::Filed(*token),
                    _ => Place::FiledTwice(tokens.as_slice().into()),
                }
            } else {
                Place::Swept(self.sheet.insert(number, &Clauses::of(op), touches))
            };
            if let Some(Some(stored)) = self.conditions.get_mut(number as usize) {
                stored.place = place;
            }
            for token in tokens {
                let at = token as usize;
                if self.shelves.len() <= at {
                    self.shelves.resize_with(at + 1, Shelf::default);
                }
                let Some(shelf) = self.shelves.get_mut(at) else {
                    continue;
                };
                shelf.add(number);
                let length = shelf.conditions().len();
                let vocabulary = &self.names.vocabulary;
                let is_rare = match vocabulary.is_of_kind(token) {
                    true => length <= longest / 2,
                    false => length <= longest && vocabulary.permille(token) <= RARE_PERMILLE,
                };
                if length > SHORT_SHELF && !is_rare {
                    // The token is not rare after all: everything on its shelf finds another place.
                    let moved = std::mem::replace(shelf, Shelf::Closed);
                    for number in moved.conditions() {
                        let place = self.conditions.get_mut(*number as usize);
                        if let Some(Some(stored)) = place
                            && let Place::FiledTwice(tokens) =
                                std::mem::replace(&mut stored.place, Place::Nowhere)
                        {
                            self.unfile(&tokens, *number);
                        }
                    }
                    open.extend(moved.conditions());
                    break;
                }
            }
        }
    }

    fn unfile(&mut self, tokens: &[u32], number: u32) {
        for token in tokens {
            if let Some(shelf) = self.shelves.get_mut(*token as usize) {
                shelf.remove(number);
            }
        }
    }

    /// How many conditions share the tokens that a document must have one of to meet the operation; `None` where it
    /// need not have a rare one.
    fn cost(&self, op: Op<'_>) -> Option<usize> {
        match op {
            Op::Some(_, tokens) if tokens.len() <= MOST_FILED => tokens
                .iter()
                .map(|token| {
                    let vocabulary = &self.names.vocabulary;
                    let shelf = match self.shelves.get(*token as usize) {
                        Some(Shelf::Closed) => return None,
                        Some(shelf) => shelf.conditions().len(),
                        None => 0,
                    };
                    // That a field is there says less than what it holds.
                    let kind = if vocabulary.is_of_kind(*token) { 32 } else { 1 };
                    (!vocabulary.holds_of_nothing(*token)).then_some(shelf + kind)
                })
                .sum(),
            Op::Any(branches) => {
                let few = branches.count() <= MOST_FILED;
                few.then(|| branches.map(|op| self.cost(op)).sum())
                    .flatten()
            }
            Op::All(code) => code.filter_map(|op| self.cost(op)).min(),
            _ => None,
        }
    }

    /// The tokens whose cost that is.
    fn collect(&self, op: Op<'_>, out: &mut Vec<u32>) {
        match op {
            Op::Some(_, tokens) => out.extend(tokens),
            Op::Any(branches) => branches.for_each(|op| self.collect(op, out)),
            Op::All(code) => {
                let costs = code.filter_map(|op| Some((self.cost(op)?, op)));
                if let Some((_, op)) = costs.min_by_key(|(cost, _)| *cost) {
                    self.collect(op, out);
                }
            }
            _ => {}
        }
    }
}

fn hash(id: &str) -> u64 {
    FxBuildHasher.hash_one(id)
}

/// The bit of what is evaluated: it may look at any field.
const EVALUATED: u64 = 1 << 63;

const fn field_bit(field: u32) -> u64 {
    1 << (field % 63)
}

/// The fields that an operation looks at, a bit for every 63rd.
fn fields(op: Op<'_>) -> u64 {
    match op {
        Op::All(code) | Op::Any(code) => code.map(fields).fold(0, |all, bits| all | bits),
        Op::Some(field, _) | Op::None(field, _) | Op::Within(field, _) => field_bit(field),
        Op::Evaluated(_) => EVALUATED,
    }
}
