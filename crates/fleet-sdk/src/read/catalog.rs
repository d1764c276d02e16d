//! What there is little of, in full: groups, thing types, billing groups.

use fleet_model::billing_group::BillingGroups;
use fleet_model::group::{self, Group, Groups};
use fleet_model::id::ThingGroupId;
use fleet_model::kernel::{DecodeError, Recorded};
use fleet_model::thing_type::ThingTypes;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use super::Model;
use super::states::States;

/// Groups, thing types and billing groups by name.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Catalog {
    pub(crate) groups: States<Groups>,
    pub(crate) types: States<ThingTypes>,
    pub(crate) billing: States<BillingGroups>,
    children: BTreeMap<ThingGroupId, BTreeSet<String>>,
    dynamic: BTreeSet<String>,
}

impl Catalog {
    /// The group called `name`.
    pub(crate) fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name).and_then(group::Record::group)
    }

    /// The names of a group's direct children.
    pub(crate) fn children(&self, group: ThingGroupId) -> impl Iterator<Item = &str> {
        self.children
            .get(&group)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    /// The names of the dynamic groups.
    pub(crate) fn dynamic(&self) -> &BTreeSet<String> {
        &self.dynamic
    }

    /// The group called `name` and all below it.
    pub(crate) fn subtree(&self, name: &str) -> Vec<&Group> {
        let mut found: Vec<&Group> = self.group(name).into_iter().collect();
        let mut next = 0;
        while let Some(group) = found.get(next).copied() {
            next += 1;
            found.extend(
                self.children(group.id)
                    .filter_map(|child| self.group(child)),
            );
        }
        found
    }

    /// The names of the types whose things can be found through `attribute`.
    pub(crate) fn types_searchable_by(&self, attribute: &str) -> BTreeSet<String> {
        self.types
            .after(None)
            .filter_map(|(_, record)| record.thing_type())
            .filter(|found| found.searchable_attributes.contains(attribute))
            .map(|found| found.name.to_string())
            .collect()
    }

    fn link(&mut self, key: &str, add: bool) {
        let Some(group) = self.groups.get(key).and_then(group::Record::group) else {
            return;
        };
        if group.is_dynamic() {
            if add {
                self.dynamic.insert(key.to_owned());
            } else {
                self.dynamic.remove(key);
            }
        }
        if let Some(parent) = group.parent().map(|parent| parent.group_id) {
            let children = self.children.entry(parent).or_default();
            if add {
                children.insert(key.to_owned());
            } else {
                children.remove(key);
            }
            if children.is_empty() {
                self.children.remove(&parent);
            }
        }
    }
}

/// The canonical document of a group, for queries of the group dialect.
pub(crate) fn document(group: &Group) -> Value {
    let above = group.ancestors().iter();
    let parents: Vec<_> = above.map(|above| above.group_name.as_str()).collect();
    let mut document = json!({
        "thingGroupName": group.name.as_str(),
        "thingGroupId": group.id.to_string(),
        "attributes": group.attributes,
        "parentGroupNames": parents,
    });
    if let (Some(members), Some(text)) = (document.as_object_mut(), &group.description) {
        members.insert("description".to_owned(), text.as_str().into());
    }
    document
}

impl Model for Catalog {
    const CATEGORIES: &'static [&'static str] = &["group", "thingtype", "billinggroup"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        match recorded.stream.category() {
            "group" => {
                let key = recorded.stream.raw_key();
                self.link(&key, false);
                self.groups.apply(recorded)?;
                self.link(&key, true);
                Ok(())
            }
            "thingtype" => self.types.apply(recorded),
            _ => self.billing.apply(recorded),
        }
    }
}
