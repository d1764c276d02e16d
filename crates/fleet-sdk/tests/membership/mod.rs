//! Things in groups as plain values: the rules of membership again, sharing no code with the fleet.
#![allow(clippy::indexing_slicing, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Create(usize),
    Delete(usize),
    Move {
        thing: usize,
        add: Vec<usize>,
        remove: Vec<usize>,
    },
    DropGroup(usize),
    MakeGroup(usize),
    Attribute {
        group: usize,
        value: u8,
    },
}

pub(crate) const THINGS: usize = 3;
/// Parent of each group; a group is its own number. Two trees and two single roots.
pub(crate) const PARENTS: [Option<usize>; 7] =
    [None, Some(0), Some(0), Some(1), None, Some(4), None];
pub(crate) const LIMIT: usize = 2;

/// The rules again, over plain values.
#[derive(Default)]
pub(crate) struct Plain {
    /// Attributes of the groups that live.
    pub(crate) groups: BTreeMap<usize, Option<u8>>,
    /// The groups that each thing is in.
    pub(crate) things: BTreeMap<usize, BTreeSet<usize>>,
}

pub(crate) fn root(mut group: usize) -> usize {
    while let Some(parent) = PARENTS[group] {
        group = parent;
    }
    group
}

impl Plain {
    pub(crate) fn apply(&mut self, step: &Step) -> bool {
        match step {
            Step::Create(thing) => {
                self.things.entry(*thing).or_default();
                true
            }
            Step::Delete(thing) => {
                self.things.remove(thing);
                true
            }
            Step::MakeGroup(group) => match PARENTS[*group] {
                Some(parent) if !self.groups.contains_key(&parent) => {
                    self.groups.contains_key(group)
                }
                _ => {
                    self.groups.get(group).is_none_or(Option::is_none) && {
                        self.groups.entry(*group).or_default();
                        true
                    }
                }
            },
            Step::DropGroup(group) => {
                let parent = self
                    .groups
                    .keys()
                    .any(|child| PARENTS[*child] == Some(*group));
                if parent {
                    return false;
                }
                self.groups.remove(group);
                for held in self.things.values_mut() {
                    held.remove(group);
                }
                true
            }
            Step::Attribute { group, value } => match self.groups.get_mut(group) {
                Some(held) => {
                    *held = Some(*value);
                    true
                }
                None => false,
            },
            Step::Move { thing, add, remove } => {
                let Some(held) = self.things.get(thing) else {
                    return false;
                };
                if add
                    .iter()
                    .chain(remove)
                    .any(|group| !self.groups.contains_key(group))
                    || add.iter().any(|group| remove.contains(group))
                {
                    return false;
                }
                let mut after = held.clone();
                after.retain(|group| !remove.contains(group));
                after.extend(add);
                let roots: BTreeSet<_> = after.iter().map(|group| root(*group)).collect();
                if roots.len() != after.len() || after.len() > LIMIT {
                    return false;
                }
                self.things.insert(*thing, after);
                true
            }
        }
    }

    /// Deeper wins, then the smaller name, which here is the smaller number.
    pub(crate) fn effective(&self, thing: usize) -> Option<u8> {
        let mut chain = BTreeMap::new();
        for group in self.things.get(&thing)? {
            let mut next = Some(*group);
            while let Some(group) = next {
                let mut depth = 1;
                let mut above = PARENTS[group];
                while let Some(parent) = above {
                    depth += 1;
                    above = PARENTS[parent];
                }
                if let Some(value) = self.groups[&group] {
                    chain.insert((std::cmp::Reverse(depth), group), value);
                }
                next = PARENTS[group];
            }
        }
        chain.into_values().next()
    }
}

impl Step {
    /// The operation and its parameters.
    pub(crate) fn request(&self) -> (&'static str, Value) {
        let group = |n: &usize| format!("g{n}");
        let thing = |n: &usize| format!("t{n}");
        match self {
            Self::Create(n) => ("CreateThing", json!({"thingName": thing(n)})),
            Self::Delete(n) => ("DeleteThing", json!({"thingName": thing(n)})),
            Self::MakeGroup(n) => {
                let parent = PARENTS[*n].map(|parent| group(&parent));
                let params = json!({"thingGroupName": group(n), "parentGroupName": parent});
                ("CreateThingGroup", params)
            }
            Self::DropGroup(n) => ("DeleteThingGroup", json!({"thingGroupName": group(n)})),
            Self::Attribute { group: n, value } => (
                "UpdateThingGroup",
                json!({"thingGroupName": group(n), "thingGroupProperties": {"attributePayload": {"attributes": {"a": value.to_string()}}}}),
            ),
            Self::Move {
                thing: n,
                add,
                remove,
            } => (
                "UpdateThingGroupsForThing",
                json!({
                    "thingName": thing(n),
                    "thingGroupsToAdd": add.iter().map(group).collect::<Vec<_>>(),
                    "thingGroupsToRemove": remove.iter().map(group).collect::<Vec<_>>(),
                }),
            ),
        }
    }
}
