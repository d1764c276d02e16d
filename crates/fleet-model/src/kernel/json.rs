//! The canonical JSON of event data.

use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::fmt;
use std::ops::Range;

/// The canonical JSON bytes of a value: members sorted bytewise by name, no white space.
///
/// Two equal values have equal bytes, so that content hashes can be compared, whatever map
/// type `serde_json` was built with. A value whose serialisation fails (a map with keys that are not
/// text) is written as `null`; the payload types of this workspace have none. A payload whose fields stand in the
/// order of their names takes the least work.
#[must_use]
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    if let Ok(text) = serde_json::to_vec(value) {
        if is_canonical(&text) {
            return text;
        }
        let (mut scratch, mut judge) = (Scratch::default(), Anything);
        let seed = Canon::new(&mut out, &mut scratch, &mut judge);
        let mut read = serde_json::Deserializer::from_slice(&text);
        if seed.deserialize(&mut read).is_ok() {
            return out;
        }
    }
    // A name with escapes, or more levels than a parser reads.
    out.clear();
    write(
        &serde_json::to_value(value).unwrap_or(Value::Null),
        &mut out,
    );
    out
}

/// Levels of nesting that [`is_canonical`] looks into.
const LEVELS: usize = 16;

/// Whether JSON without white space has its members in order. Says no to what it does not look into: names with
/// escapes, and deep nesting.
fn is_canonical(text: &[u8]) -> bool {
    // The last name of each object on the way; `None` in an array.
    let mut last: [Option<&[u8]>; LEVELS] = [None; LEVELS];
    let (mut level, mut at_name) = (0, false);
    let mut rest = text;
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'{' | b'[' => {
                level += 1;
                let Some(place) = last.get_mut(level) else {
                    return false;
                };
                at_name = *byte == b'{';
                *place = at_name.then_some(&[]);
            }
            b'}' | b']' => level = level.saturating_sub(1),
            b',' => at_name = last.get(level).is_some_and(Option::is_some),
            b'"' => {
                let Some(end) = end_of_text(tail) else {
                    return false;
                };
                let (text, tail) = tail.split_at(end);
                rest = tail.get(1..).unwrap_or_default();
                if std::mem::take(&mut at_name) {
                    let place = last.get_mut(level).and_then(Option::as_mut);
                    // The empty name would be the first, and is rare.
                    let in_order = place.is_some_and(|last| std::mem::replace(last, text) < text);
                    if !in_order || text.contains(&b'\\') {
                        return false;
                    }
                }
            }
            _ => {}
        }
    }
    true
}

/// Where the quote stands that ends a text.
fn end_of_text(text: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let found = text.get(from..)?.iter();
        let at = from
            + found
                .take_while(|byte| !matches!(byte, b'"' | b'\\'))
                .count();
        match text.get(at)? {
            b'"' => return Some(at),
            _ => from = at + 2,
        }
    }
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (n, (name, member)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                scalar(name, out);
                out.push(b':');
                write(member, out);
            }
            out.push(b'}');
        }
        Value::Array(elements) => {
            out.push(b'[');
            for (n, element) in elements.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(element, out);
            }
            out.push(b']');
        }
        _ => scalar(value, out),
    }
}

fn scalar<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // A scalar written to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

/// What is heard of a value on its way into canonical form. What it refuses has to go another way.
pub(crate) trait Judge {
    /// A member's name; those of the outermost object are at level 1.
    fn name(&mut self, level: usize, name: &str) -> Fit;
    /// What stands there, at its level.
    fn leaf(&mut self, level: usize, leaf: Leaf<'_>) -> Fit;
    /// An object or array begins at a level; the outermost is at 0.
    fn open(&mut self, level: usize) -> Fit;
}

/// A value without members or elements.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Leaf<'a> {
    Null,
    Bool,
    Unsigned(u64),
    Signed(i64),
    Float,
    Text(&'a str),
}

/// Whether a value can go the short way.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fit {
    Good,
    Unfit,
}

struct Anything;

impl Judge for Anything {
    fn name(&mut self, _level: usize, _name: &str) -> Fit {
        Fit::Good
    }

    fn leaf(&mut self, _level: usize, _leaf: Leaf<'_>) -> Fit {
        Fit::Good
    }

    fn open(&mut self, _level: usize) -> Fit {
        Fit::Good
    }
}

/// Memory that is used again for every value.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    members: Vec<Member>,
    sorted: Vec<u8>,
}

/// A member that was written: its name without quotes, and all of it.
#[derive(Clone, Debug)]
struct Member {
    name: Range<usize>,
    whole: Range<usize>,
}

/// Writes whatever a deserializer gives in canonical form to the end of a buffer, without a tree.
///
/// Fails on what the judge refuses, and on names that are escaped or stand twice; then the buffer holds a part.
pub(crate) struct Canon<'c, J> {
    out: &'c mut Vec<u8>,
    scratch: &'c mut Scratch,
    judge: &'c mut J,
    level: usize,
}

impl<'c, J: Judge> Canon<'c, J> {
    pub(crate) fn new(out: &'c mut Vec<u8>, scratch: &'c mut Scratch, judge: &'c mut J) -> Self {
        scratch.members.clear();
        Self {
            out,
            scratch,
            judge,
            level: 0,
        }
    }

    fn open<E: serde::de::Error>(&mut self, bracket: u8) -> Result<(), E> {
        self.out.push(bracket);
        match self.judge.open(self.level) {
            Fit::Good => Ok(()),
            Fit::Unfit => Err(unfit()),
        }
    }

    fn inner(&mut self) -> Canon<'_, J> {
        Canon {
            out: self.out,
            scratch: self.scratch,
            judge: self.judge,
            level: self.level + 1,
        }
    }

    fn leaf<T: Serialize + ?Sized, E: serde::de::Error>(
        self,
        leaf: Leaf<'_>,
        value: &T,
    ) -> Result<(), E> {
        match self.judge.leaf(self.level, leaf) {
            Fit::Good => {
                scalar(value, self.out);
                Ok(())
            }
            Fit::Unfit => Err(unfit()),
        }
    }

    /// Puts the members from `first` on, which begin at `start`, in the order of their names.
    fn sort(&mut self, first: usize, start: usize) -> Option<()> {
        let Scratch { members, sorted } = &mut *self.scratch;
        let written: &[u8] = self.out;
        let name = |member: &Member| written.get(member.name.clone()).unwrap_or_default();
        let all = members.get_mut(first..)?;
        if all.is_sorted_by(|a, b| name(a) < name(b)) {
            return Some(());
        }
        all.sort_unstable_by(|a, b| name(a).cmp(name(b)));
        if !all.is_sorted_by(|a, b| name(a) < name(b)) {
            return None;
        }
        sorted.clear();
        for (n, member) in all.iter().enumerate() {
            if n > 0 {
                sorted.push(b',');
            }
            sorted.extend_from_slice(written.get(member.whole.clone())?);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(sorted);
        Some(())
    }
}

fn unfit<E: serde::de::Error>() -> E {
    E::custom("unfit")
}

impl<'de, J: Judge> DeserializeSeed<'de> for Canon<'_, J> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, J: Judge> Visitor<'de> for Canon<'_, J> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        self.leaf(Leaf::Null, &())
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<(), E> {
        self.leaf(Leaf::Bool, &value)
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<(), E> {
        self.leaf(Leaf::Unsigned(value), &value)
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<(), E> {
        self.leaf(Leaf::Signed(value), &value)
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<(), E> {
        self.leaf(Leaf::Float, &value)
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<(), E> {
        self.leaf(Leaf::Text(value), value)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut elements: A) -> Result<(), A::Error> {
        self.open(b'[')?;
        let start = self.out.len();
        loop {
            let before = self.out.len();
            if before > start {
                self.out.push(b',');
            }
            if elements.next_element_seed(self.inner())?.is_none() {
                self.out.truncate(before);
                break;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.open(b'{')?;
        let (first, start) = (self.scratch.members.len(), self.out.len());
        loop {
            let before = self.out.len();
            if before > start {
                self.out.push(b',');
            }
            let whole = self.out.len();
            if members.next_key_seed(Name(self.inner()))?.is_none() {
                self.out.truncate(before);
                break;
            }
            let name = whole + 1..self.out.len() - 1;
            self.out.push(b':');
            members.next_value_seed(self.inner())?;
            let whole = whole..self.out.len();
            self.scratch.members.push(Member { name, whole });
        }
        self.sort(first, start)
            .ok_or_else(|| A::Error::custom("unfit"))?;
        self.scratch.members.truncate(first);
        self.out.push(b'}');
        Ok(())
    }
}

struct Name<'c, J>(Canon<'c, J>);

impl<'de, J: Judge> DeserializeSeed<'de> for Name<'_, J> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<J: Judge> Visitor<'_> for Name<'_, J> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<(), E> {
        let Canon {
            out, judge, level, ..
        } = self.0;
        let start = out.len();
        scalar(name, out);
        let plain = out.len() == start + name.len() + 2;
        if plain && judge.name(level, name) == Fit::Good {
            Ok(())
        } else {
            Err(unfit())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let bytes = canonical(&json!({"b": {"z": 1, "a": [ {"y": 1, "x": 2} ]}, "a": 1.50}));
        assert_eq!(bytes, br#"{"a":1.5,"b":{"a":[{"x":2,"y":1}],"z":1}}"#);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}|[\"\\\\\n]{0,3}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 6, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::btree_map("[a-d\"\u{e9}]{0,2}", inner, 0..6)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// A value whose members are serialised in the reverse order.
    struct Reversed<'a>(&'a Value);

    impl Serialize for Reversed<'_> {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                Value::Object(members) => {
                    serializer.collect_map(members.iter().rev().map(|(k, v)| (k, Reversed(v))))
                }
                Value::Array(elements) => serializer.collect_seq(elements.iter().map(Reversed)),
                other => other.serialize(serializer),
            }
        }
    }

    proptest! {
        /// The oracle sorts a tree.
        #[test]
        fn the_short_way_writes_what_the_tree_writes(value in any_json()) {
            let mut oracle = Vec::new();
            write(&value, &mut oracle);
            prop_assert_eq!(&canonical(&value), &oracle);
            prop_assert_eq!(&canonical(&Reversed(&value)), &oracle);
        }
    }
}
