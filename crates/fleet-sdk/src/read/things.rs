//! All things, compactly: a million of them in a few hundred bytes each.

use fleet_model::attribute::Attributes;
use fleet_model::group;
use fleet_model::id::{BillingGroupId, ThingGroupId, ThingTypeName};
use fleet_model::kernel::{DecodeError, Recorded, decode};
use fleet_model::thing::Event;
use roaring::RoaringBitmap;
use rustc_hash::FxHashMap;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::Model;
use crate::log::decode_family;

/// What listings need of a thing.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    name: Arc<str>,
    thing_type: u32,
    pub(crate) version: u64,
    billing: Option<u32>,
    pub(crate) attributes: Attributes,
}

/// Every thing with its type, attributes and groups; names sorted, everything else by number.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Things {
    by_name: BTreeMap<Arc<str>, u32>,
    rows: Vec<Option<Row>>,
    free: Vec<u32>,
    types: Numbers<ThingTypeName>,
    type_users: Vec<u32>,
    billing: Numbers<BillingGroupId>,
    billed: Vec<RoaringBitmap>,
    members: FxHashMap<ThingGroupId, RoaringBitmap>,
    /// Who was in a group when it was deleted: their lifecycle messages follow from that one event.
    ended: FxHashMap<ThingGroupId, RoaringBitmap>,
    /// The numbers in `ended`; a thing that is deleted leaves its name behind there.
    remembered: RoaringBitmap,
    gone: BTreeMap<u32, Arc<str>>,
}

/// Values that many rows share, by number.
#[derive(Debug, PartialEq)]
struct Numbers<T> {
    values: Vec<T>,
    numbers: BTreeMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            numbers: BTreeMap::new(),
        }
    }
}

impl<T: Clone + Ord> Numbers<T> {
    fn number(&mut self, value: &T) -> u32 {
        if let Some(number) = self.numbers.get(value) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        self.values.push(value.clone());
        self.numbers.insert(value.clone(), number);
        number
    }
}

const UNTYPED: u32 = u32::MAX;

fn slot<T>(values: &mut [T], number: u32) -> Option<&mut T> {
    values.get_mut(usize::try_from(number).ok()?)
}

impl Things {
    /// How many things there are.
    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Things in the order of their names, after `name`.
    pub(crate) fn after<'a>(
        &'a self,
        name: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'a Row)> {
        let from = name.map_or(Bound::Unbounded, Bound::Excluded);
        self.by_name
            .range::<str, _>((from, Bound::Unbounded))
            .filter_map(|(name, number)| Some((name.as_ref(), self.row(*number)?)))
    }

    fn row(&self, number: u32) -> Option<&Row> {
        self.rows.get(usize::try_from(number).ok()?)?.as_ref()
    }

    /// The number of a thing.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// The type of a thing.
    pub(crate) fn type_of(&self, row: &Row) -> Option<&ThingTypeName> {
        self.types.values.get(usize::try_from(row.thing_type).ok()?)
    }

    /// How many things have the type.
    pub(crate) fn of_type(&self, name: &ThingTypeName) -> usize {
        self.types
            .numbers
            .get(name)
            .and_then(|number| self.type_users.get(usize::try_from(*number).ok()?))
            .map_or(0, |users| usize::try_from(*users).unwrap_or(usize::MAX))
    }

    /// The numbers of a group's direct members.
    pub(crate) fn members(&self, group: ThingGroupId) -> Option<&RoaringBitmap> {
        self.members.get(&group)
    }

    /// The names of the things that were in a group when it was deleted, ascending.
    pub(crate) fn ended(&self, group: ThingGroupId) -> Vec<String> {
        let numbers = self.ended.get(&group).into_iter().flatten();
        let mut names: Vec<&str> = numbers
            .filter_map(|number| match self.gone.get(&number) {
                Some(name) => Some(name.as_ref()),
                None => self.row(number).map(|row| row.name.as_ref()),
            })
            .collect();
        names.sort_unstable();
        names.into_iter().map(str::to_owned).collect()
    }

    /// The numbers of a billing group's members.
    pub(crate) fn billed(&self, group: BillingGroupId) -> Option<&RoaringBitmap> {
        let number = self.billing.numbers.get(&group)?;
        self.billed.get(usize::try_from(*number).ok()?)
    }

    /// The names of the things in `numbers`, ascending, after `name`, `limit` of them at most.
    ///
    /// A small set is sorted, a large one is walked in the order of all names.
    pub(crate) fn names(
        &self,
        numbers: &RoaringBitmap,
        after: Option<&str>,
        limit: usize,
    ) -> Vec<String> {
        let total = u64::try_from(self.len()).unwrap_or(u64::MAX);
        if numbers.len().saturating_mul(20) > total {
            let from = after.map_or(Bound::Unbounded, Bound::Excluded);
            return self
                .by_name
                .range::<str, _>((from, Bound::Unbounded))
                .filter(|(_, number)| numbers.contains(**number))
                .take(limit)
                .map(|(name, _)| name.as_ref().to_owned())
                .collect();
        }
        let mut names: Vec<&str> = numbers
            .iter()
            .filter_map(|number| Some(self.row(number)?.name.as_ref()))
            .filter(|name| after.is_none_or(|after| *name > after))
            .collect();
        names.sort_unstable();
        names.truncate(limit);
        names.into_iter().map(str::to_owned).collect()
    }

    fn count_type(&mut self, number: u32, by: i32) {
        if number == UNTYPED {
            return;
        }
        let needed = usize::try_from(number).unwrap_or(0) + 1;
        if self.type_users.len() < needed {
            self.type_users.resize(needed, 0);
        }
        if let Some(users) = slot(&mut self.type_users, number) {
            *users = users.saturating_add_signed(by);
        }
    }

    fn type_number(&mut self, name: Option<&ThingTypeName>) -> u32 {
        name.map_or(UNTYPED, |name| self.types.number(name))
    }

    fn bill(&mut self, thing: u32, group: Option<BillingGroupId>) {
        let new = group.map(|group| self.billing.number(&group));
        let needed = self.billing.values.len();
        if self.billed.len() < needed {
            self.billed.resize_with(needed, RoaringBitmap::new);
        }
        let Some(row) = slot(&mut self.rows, thing).and_then(Option::as_mut) else {
            return;
        };
        let old = std::mem::replace(&mut row.billing, new);
        if let Some(old) = old.and_then(|number| slot(&mut self.billed, number)) {
            old.remove(thing);
        }
        if let Some(new) = new.and_then(|number| slot(&mut self.billed, number)) {
            new.insert(thing);
        }
    }

    fn leave(&mut self, thing: u32, group: ThingGroupId) {
        if let Some(members) = self.members.get_mut(&group) {
            members.remove(thing);
            if members.is_empty() {
                self.members.remove(&group);
            }
        }
    }

    fn insert(&mut self, name: &str, row: Row) -> u32 {
        let key = row.name.clone();
        if let Some(number) = self.by_name.get(name).copied() {
            if let Some(slot) = slot(&mut self.rows, number) {
                *slot = Some(row);
            }
            return number;
        }
        let number = if let Some(number) = self.free.pop() {
            if let Some(slot) = slot(&mut self.rows, number) {
                *slot = Some(row);
            }
            number
        } else {
            self.rows.push(Some(row));
            u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
        };
        self.by_name.insert(key, number);
        number
    }

    fn fold(&mut self, event: &Event) {
        match event {
            Event::Created(event) => {
                let thing_type = self.type_number(event.thing_type_name.as_ref());
                let row = Row {
                    name: event.name.as_str().into(),
                    thing_type,
                    version: 1,
                    billing: None,
                    attributes: event.attributes.clone(),
                };
                let number = self.insert(event.name.as_str(), row);
                self.count_type(thing_type, 1);
                if let Some(group) = &event.billing_group {
                    self.bill(number, Some(group.billing_group_id));
                }
            }
            Event::Updated(event) => {
                let thing_type = self.type_number(event.thing_type_name.as_ref());
                let Some(number) = self.number(event.name.as_str()) else {
                    return;
                };
                let Some(row) = slot(&mut self.rows, number).and_then(Option::as_mut) else {
                    return;
                };
                row.version = event.version.0;
                row.attributes = event.attributes.clone();
                let old = std::mem::replace(&mut row.thing_type, thing_type);
                self.count_type(old, -1);
                self.count_type(thing_type, 1);
            }
            Event::Deleted(event) => {
                let Some(number) = self.number(event.name.as_str()) else {
                    return;
                };
                self.bill(number, None);
                for membership in &event.groups {
                    self.leave(number, membership.group.group_id);
                }
                self.by_name.remove(event.name.as_str());
                if let Some(row) = slot(&mut self.rows, number).and_then(Option::take) {
                    self.count_type(row.thing_type, -1);
                    if self.remembered.contains(number) {
                        self.gone.insert(number, row.name);
                    } else {
                        self.free.push(number);
                    }
                }
            }
            Event::JoinedGroup(event) => {
                if let Some(number) = self.number(event.name.as_str()) {
                    for group in &event.forgotten {
                        self.leave(number, *group);
                    }
                    self.members
                        .entry(event.membership.group.group_id)
                        .or_default()
                        .insert(number);
                }
            }
            Event::LeftGroup(event) => {
                if let Some(number) = self.number(event.name.as_str()) {
                    self.leave(number, event.membership.group.group_id);
                }
            }
            Event::BillingGroupChanged(event) => {
                if let Some(number) = self.number(event.name.as_str()) {
                    let group = event.billing_group.as_ref();
                    self.bill(number, group.map(|group| group.billing_group_id));
                }
            }
            _ => {}
        }
    }
}

impl Model for Things {
    const CATEGORIES: &'static [&'static str] = &["thing", "group"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        if recorded.stream.category() == "group" {
            if recorded.event.event_type.as_str() == "group.deleted" {
                for event in decode::<group::Event>(recorded)? {
                    if let group::Event::Deleted(event) = event
                        && let Some(members) = self.members.remove(&event.thing_group_id)
                    {
                        self.remembered |= &members;
                        self.ended.insert(event.thing_group_id, members);
                    }
                }
            }
            return Ok(());
        }
        for event in decode_family::<Event>(recorded)? {
            Self::fold(self, &event);
        }
        Ok(())
    }
}
