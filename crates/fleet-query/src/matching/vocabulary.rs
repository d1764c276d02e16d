//! The tests that stored conditions make of field values, each under a number, and the documents that answer them.
//!
//! A [`Key`] on a field is a *token*. A document taken in ([`Held`]) is the list of tokens that its values say yes
//! to, and the numbers of its fields; nothing of a condition looks at its JSON any more, but for what no token can say.

use super::answers::{Answers, Gathering};
use super::demand::{Key, Kinds, OwnKey, Reading, reading};
use crate::document::Document;
use crate::path::{FieldPath, Segment};
use crate::profile::{KeyRule, Profile, TextRule};
use crate::value::{Datum, Kind, fold, number_of, number_text};
use hashbrown::{Equivalent, HashMap, HashTable};
use rustc_hash::FxBuildHasher;
use serde_json::Value;
use std::hash::{BuildHasher, Hash};
use std::sync::Arc;

/// A field as one profile reads it.
#[derive(Clone, Debug)]
struct Field {
    path: FieldPath,
    profile: &'static Profile,
    /// The lengths of prefixes and of term prefixes, ascending, each with how many there are.
    prefixes: Vec<(usize, u32)>,
    term_prefixes: Vec<(usize, u32)>,
    kinds: Vec<(Kinds, u32)>,
    /// How often conditions name the field.
    uses: u32,
}

impl Field {
    fn says_something_missing(&self) -> bool {
        self.kinds
            .iter()
            .any(|(kinds, _)| kinds.has(Kind::Undefined))
    }
}

#[derive(Clone, Debug)]
struct Token {
    field: u32,
    uses: u32,
    key: OwnKey,
}

/// Fields and tokens by number; a number is used anew once no condition uses it.
#[derive(Clone, Debug, Default)]
pub(super) struct Vocabulary {
    fields: Vec<Option<Box<Field>>>,
    free_fields: Vec<u32>,
    /// The fields in use, by profile and path.
    by_path: HashTable<u32>,
    tokens: Vec<Token>,
    free_tokens: Vec<u32>,
    /// The tokens in use, by field and key.
    by_key: HashTable<u32>,
    tree: Tree,
    /// Fields that the tree cannot find.
    sought: Vec<u32>,
    /// Fields with a token that a missing value has.
    even_missing: Vec<u32>,
    /// The same as long as every token means the same.
    stamp: Arc<()>,
}

impl Vocabulary {
    /// How many fields conditions name.
    pub(super) fn fields(&self) -> usize {
        self.by_path.len()
    }

    /// How many token numbers there are, free ones included.
    pub(super) fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// The field's number, taken once more.
    pub(super) fn use_field(&mut self, path: &FieldPath, profile: &'static Profile) -> u32 {
        let fields = &self.fields;
        let same = |number: &u32| {
            let held = fields.get(*number as usize).and_then(Option::as_ref);
            held.is_some_and(|held| std::ptr::eq(held.profile, profile) && held.path == *path)
        };
        if let Some(number) = self.by_path.find(hash_of_path(path, profile), same) {
            let number = *number;
            if let Some(Some(field)) = self.fields.get_mut(number as usize) {
                field.uses += 1;
            }
            return number;
        }
        let field = Some(Box::new(Field {
            path: path.clone(),
            profile,
            prefixes: Vec::new(),
            term_prefixes: Vec::new(),
            kinds: Vec::new(),
            uses: 1,
        }));
        let number = put(&mut self.fields, &mut self.free_fields, field);
        let fields = &self.fields;
        let hash = |number: &u32| {
            let held = fields.get(*number as usize).and_then(Option::as_ref);
            held.map_or(0, |held| hash_of_path(&held.path, held.profile))
        };
        self.by_path
            .insert_unique(hash_of_path(path, profile), number, hash);
        if profile.keys == KeyRule::Exact && !path.is_derived() {
            self.tree.add(path, number);
        } else {
            self.sought.push(number);
        }
        self.stamp = Arc::default();
        number
    }

    /// Gives a field back; its tokens must have been.
    pub(super) fn drop_field(&mut self, number: u32) {
        let Some(place) = self.fields.get_mut(number as usize) else {
            return;
        };
        let Some(field) = place else { return };
        field.uses -= 1;
        if field.uses > 0 {
            return;
        }
        if let Some(field) = place.take() {
            self.tree.remove(&field.path, number);
            let hash = hash_of_path(&field.path, field.profile);
            if let Ok(entry) = self.by_path.find_entry(hash, |held| *held == number) {
                entry.remove();
            }
        }
        self.free_fields.push(number);
        self.sought.retain(|other| *other != number);
        self.stamp = Arc::default();
        if self.tree.is_sparse(self.by_path.len()) {
            self.tree = Tree::default();
            for (number, field) in (0..).zip(&self.fields) {
                if let Some(field) = field
                    && !self.sought.contains(&number)
                {
                    self.tree.add(&field.path, number);
                }
            }
        }
    }

    /// The token's number, taken once more.
    pub(super) fn use_token(&mut self, field: u32, key: OwnKey) -> u32 {
        if let Some(token) = self.token(field, &key) {
            if let Some(token) = self.tokens.get_mut(token as usize) {
                token.uses += 1;
            }
            return token;
        }
        if let Some(Some(own)) = self.fields.get_mut(field as usize) {
            match &key {
                Key::Prefix(prefix) => count(&mut own.prefixes, prefix.len()),
                Key::TermPrefix(prefix) => count(&mut own.term_prefixes, prefix.len()),
                Key::OfKind(kinds)
                    if kinds.has(Kind::Undefined) && !self.even_missing.contains(&field) =>
                {
                    self.even_missing.push(field);
                }
                _ => {}
            }
        }
        let (hash, kinds) = (hash_of(field, &key), of_kinds(&key));
        let token = Token {
            field,
            uses: 1,
            key,
        };
        let token = put(&mut self.tokens, &mut self.free_tokens, token);
        if let (Some(kinds), Some(Some(own))) = (kinds, self.fields.get_mut(field as usize)) {
            own.kinds.push((kinds, token));
        }
        let tokens = &self.tokens;
        self.by_key.insert_unique(hash, token, |token| {
            tokens
                .get(*token as usize)
                .map_or(0, |token| hash_of(token.field, &token.key))
        });
        self.stamp = Arc::default();
        token
    }

    fn token<K: Hash + Equivalent<OwnKey>>(&self, field: u32, key: &K) -> Option<u32> {
        let same = |token: &u32| {
            let held = self.tokens.get(*token as usize);
            held.is_some_and(|held| held.field == field && key.equivalent(&held.key))
        };
        self.by_key.find(hash_of(field, key), same).copied()
    }

    /// Gives a token back; whether it was the last use.
    pub(super) fn drop_token(&mut self, number: u32) -> bool {
        let Some(token) = self.tokens.get_mut(number as usize) else {
            return false;
        };
        token.uses -= 1;
        if token.uses > 0 {
            return false;
        }
        let (at, key) = (token.field, std::mem::replace(&mut token.key, Key::Null));
        if let Ok(entry) = self
            .by_key
            .find_entry(hash_of(at, &key), |token| *token == number)
        {
            entry.remove();
        }
        self.free_tokens.push(number);
        self.stamp = Arc::default();
        let Some(Some(field)) = self.fields.get_mut(at as usize) else {
            return true;
        };
        match key {
            Key::Prefix(prefix) => discount(&mut field.prefixes, prefix.len()),
            Key::TermPrefix(prefix) => discount(&mut field.term_prefixes, prefix.len()),
            Key::OfKind(_) => {
                field.kinds.retain(|(_, token)| *token != number);
                if !field.says_something_missing() {
                    self.even_missing.retain(|field| *field != at);
                }
            }
            _ => {}
        }
        true
    }

    /// Whether a value that is not there answers the token with yes.
    pub(super) fn holds_of_nothing(&self, token: u32) -> bool {
        let token = self.tokens.get(token as usize);
        token
            .and_then(|token| of_kinds(&token.key))
            .is_some_and(|kinds| kinds.has(Kind::Undefined))
    }

    /// Whether the token only asks for a kind.
    pub(super) fn is_of_kind(&self, token: u32) -> bool {
        let token = self.tokens.get(token as usize);
        token.is_some_and(|token| of_kinds(&token.key).is_some())
    }

    /// Of a thousand tests that conditions make of the token's field, how many are this one.
    pub(super) fn permille(&self, token: u32) -> u64 {
        let Some(token) = self.tokens.get(token as usize) else {
            return 0;
        };
        let field = self
            .fields
            .get(token.field as usize)
            .and_then(Option::as_ref);
        let all = field.map_or(1, |field| field.uses.max(1));
        u64::from(token.uses) * 1000 / u64::from(all)
    }

    /// Whether these answers are of this vocabulary as it is now.
    pub(super) fn knows(&self, answers: &Answers) -> bool {
        answers.are_of(&self.stamp)
    }

    /// What a document answers.
    pub(super) fn ask(&self, root: &Value) -> Answers {
        let mut answers = Gathering::new();
        self.tree.walk(root, &mut |number, value| {
            self.answer(number, &Datum::of(value), &mut answers);
        });
        let document = Document::new(root);
        for number in &self.sought {
            let Some(Some(field)) = self.fields.get(*number as usize) else {
                continue;
            };
            match reading(field.profile) {
                Reading::One => {
                    let value = document.find(&field.path, field.profile.keys);
                    self.answer(*number, &value, &mut answers);
                }
                _ => {
                    let values = document.values(&field.path, field.profile);
                    self.answer_several(*number, field, &values, &mut answers);
                }
            }
        }
        for number in &self.even_missing {
            if !answers.has(*number) {
                self.answer(*number, &Datum::Undefined, &mut answers);
            }
        }
        answers.finish(Arc::clone(&self.stamp))
    }

    fn answer(&self, number: u32, value: &Datum<'_>, out: &mut Gathering) {
        let Some(Some(field)) = self.fields.get(number as usize) else {
            return;
        };
        if reading(field.profile) != Reading::One {
            let values = crate::document::indexed(value.clone(), field.profile.nulls);
            return self.answer_several(number, field, &values, out);
        }
        let start = out.ends();
        let kind = value.kind();
        let of_kind = field.kinds.iter().filter(|(kinds, _)| kinds.has(kind));
        out.tokens.extend(of_kind.map(|(_, token)| *token));
        let mut found = |key: &Key<&str>| out.tokens.extend(self.token(number, key));
        match value {
            Datum::Null => found(&Key::Null),
            Datum::Bool(value) => found(&Key::Bool(*value)),
            Datum::Number(number) => {
                found(&Key::number(*number));
                out.numbers.push(*number);
            }
            Datum::Text(text) => {
                found(&Key::Text(text));
                for (length, _) in &field.prefixes {
                    if let Some(start) = text.get(..*length) {
                        found(&Key::Prefix(start));
                    }
                }
            }
            Datum::Undefined | Datum::Array(_) | Datum::Object(_) => {}
        }
        close(number, field, start, out);
    }

    fn answer_several(
        &self,
        number: u32,
        field: &Field,
        values: &[Datum<'_>],
        out: &mut Gathering,
    ) {
        let start = out.ends();
        let kind = if values.is_empty() {
            Kind::Undefined
        } else {
            Kind::Array
        };
        let of_kind = field.kinds.iter().filter(|(kinds, _)| kinds.has(kind));
        out.tokens.extend(of_kind.map(|(_, token)| *token));
        for value in values {
            let mut found = |key: &Key<&str>| out.tokens.extend(self.token(number, key));
            let form = match value {
                Datum::Text(text) => {
                    let text = fold(text);
                    found(&Key::Text(&text));
                    text.into_owned()
                }
                Datum::Number(number) => number_text(*number),
                Datum::Bool(value) => {
                    found(&Key::Bool(*value));
                    value.to_string()
                }
                _ => continue,
            };
            let form = fold(&form);
            for (length, _) in &field.prefixes {
                if let Some(start) = form.get(..*length) {
                    found(&Key::Prefix(start));
                }
            }
            let mut term = |term: &str| {
                found(&Key::Term(term));
                for (length, _) in &field.term_prefixes {
                    if let Some(start) = term.get(..*length) {
                        found(&Key::TermPrefix(start));
                    }
                }
            };
            if field.profile.text == TextRule::FoldedTokens {
                form.split_whitespace().for_each(term);
            } else {
                term(&form);
            }
            if let Some(count) = number_of(field.profile.numbers, value) {
                found(&Key::number(count));
                out.numbers.push(count);
            }
        }
        let (tokens, _) = start;
        if let Some(own) = out.tokens.get_mut(tokens..) {
            own.sort_unstable();
        }
        // One field's own tokens are distinct.
        let mut last = None;
        let mut at = 0;
        out.tokens.retain(|token| {
            at += 1;
            let repeated = at > tokens && last == Some(*token);
            last = (at > tokens).then_some(*token);
            !repeated
        });
        close(number, field, start, out);
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let fields: usize = self
            .fields
            .iter()
            .flatten()
            .map(|field| {
                size_of::<Field>()
                    + path_bytes(&field.path)
                    + (field.prefixes.capacity() + field.term_prefixes.capacity()) * 16
                    + field.kinds.capacity() * 8
            })
            .sum();
        fields
            + self.fields.capacity() * size_of::<usize>()
            + self.by_path.allocation_size()
            + self.tokens.capacity() * size_of::<Token>()
            + self
                .tokens
                .iter()
                .map(|token| token.key.heap_bytes())
                .sum::<usize>()
            + self.free_tokens.capacity() * 4
            + self.by_key.allocation_size()
            + self.tree.heap_bytes()
    }
}

/// Ends a field's share. One that says nothing is left out, unless a missing value would say something.
fn close(number: u32, field: &Field, start: (usize, usize), out: &mut Gathering) {
    if out.ends() != start || field.says_something_missing() {
        out.close(number, start);
    }
}

fn hash_of_path(path: &FieldPath, profile: &'static Profile) -> u64 {
    FxBuildHasher.hash_one((std::ptr::from_ref(profile).addr(), path))
}

fn hash_of<K: Hash>(field: u32, key: &K) -> u64 {
    FxBuildHasher.hash_one((field, key))
}

const fn of_kinds(key: &OwnKey) -> Option<Kinds> {
    match key {
        Key::OfKind(kinds) => Some(*kinds),
        _ => None,
    }
}

/// Heap bytes of a path.
pub(super) fn path_bytes(path: &FieldPath) -> usize {
    let key = |segment: &Segment| match segment {
        Segment::Key(key) => key.len(),
        Segment::Index(_) => 0,
    };
    size_of_val(path.segments()) + path.segments().iter().map(key).sum::<usize>()
}

/// Puts an item in a free place or in a new one; its number.
pub(super) fn put<T>(items: &mut Vec<T>, free: &mut Vec<u32>, item: T) -> u32 {
    if let Some(number) = free.pop()
        && let Some(place) = items.get_mut(number as usize)
    {
        *place = item;
        return number;
    }
    items.push(item);
    u32::try_from(items.len() - 1).unwrap_or(u32::MAX)
}

fn count(lengths: &mut Vec<(usize, u32)>, length: usize) {
    match lengths.binary_search_by_key(&length, |(length, _)| *length) {
        Ok(at) => {
            if let Some((_, count)) = lengths.get_mut(at) {
                *count += 1;
            }
        }
        Err(at) => lengths.insert(at, (length, 1)),
    }
}

fn discount(lengths: &mut Vec<(usize, u32)>, length: usize) {
    for (held, count) in lengths.iter_mut() {
        if *held == length {
            *count -= 1;
        }
    }
    lengths.retain(|(_, count)| *count > 0);
}

/// Paths by their steps, so that one walk over a document finds every field that is there.
#[derive(Clone, Debug, Default)]
struct Tree {
    root: Branch,
    branches: usize,
}

#[derive(Clone, Debug, Default)]
struct Branch {
    members: HashMap<Box<str>, Branch, FxBuildHasher>,
    elements: Vec<(u32, Branch)>,
    fields: Vec<u32>,
}

impl Tree {
    fn add(&mut self, path: &FieldPath, field: u32) {
        let mut at = &mut self.root;
        for segment in path.segments() {
            at = match segment {
                Segment::Key(key) => at.members.entry_ref(key).or_insert_with(|| {
                    self.branches += 1;
                    Branch::default()
                }),
                Segment::Index(index) => {
                    let found = at.elements.iter().position(|(other, _)| other == index);
                    let place = found.unwrap_or_else(|| {
                        self.branches += 1;
                        at.elements.push((*index, Branch::default()));
                        at.elements.len() - 1
                    });
                    match at.elements.get_mut(place) {
                        Some((_, branch)) => branch,
                        None => return,
                    }
                }
            };
        }
        at.fields.push(field);
    }

    /// Forgets a field; its branch stays until the tree is [sparse](Self::is_sparse).
    fn remove(&mut self, path: &FieldPath, field: u32) {
        let mut at = &mut self.root;
        for segment in path.segments() {
            let next = match segment {
                Segment::Key(key) => at.members.get_mut(&**key),
                Segment::Index(index) => at
                    .elements
                    .iter_mut()
                    .find(|(other, _)| other == index)
                    .map(|(_, branch)| branch),
            };
            match next {
                Some(next) => at = next,
                None => return,
            }
        }
        at.fields.retain(|other| *other != field);
    }

    /// Whether most branches may lead nowhere.
    const fn is_sparse(&self, fields: usize) -> bool {
        self.branches > 64 + 8 * fields
    }

    /// Calls `found` with every value that a field names; those of missing fields are left out.
    fn walk<'a>(&self, root: &'a Value, found: &mut impl FnMut(u32, &'a Value)) {
        let mut open = vec![(&self.root, root)];
        while let Some((branch, value)) = open.pop() {
            for field in &branch.fields {
                found(*field, value);
            }
            match value {
                Value::Object(members) if branch.members.len() < members.len() => {
                    for (key, branch) in &branch.members {
                        if let Some(member) = members.get(&**key) {
                            open.push((branch, member));
                        }
                    }
                }
                Value::Object(members) if !branch.members.is_empty() => {
                    for (key, member) in members {
                        if let Some(branch) = branch.members.get(key.as_str()) {
                            open.push((branch, member));
                        }
                    }
                }
                Value::Array(items) => {
                    for (index, branch) in &branch.elements {
                        if let Some(item) = items.get(*index as usize) {
                            open.push((branch, item));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn heap_bytes(&self) -> usize {
        let mut bytes = 0;
        let mut open = vec![&self.root];
        while let Some(branch) = open.pop() {
            bytes += branch.members.allocation_size()
                + branch.members.keys().map(|key| key.len()).sum::<usize>()
                + branch.elements.capacity() * size_of::<(u32, Branch)>()
                + branch.fields.capacity() * 4;
            open.extend(branch.members.values());
            open.extend(branch.elements.iter().map(|(_, branch)| branch));
        }
        bytes
    }
}
