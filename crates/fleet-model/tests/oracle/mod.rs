//! The registry's rules again, over plain values: shares no code with the deciders.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A name and which life of it.
pub type Life = (String, u32);
pub type Attributes = BTreeMap<String, String>;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thing {
    pub thing_type: Option<String>,
    pub attributes: Attributes,
    pub version: u64,
    pub billing: Option<Life>,
    pub groups: Vec<Life>,
    pub waiting: BTreeSet<Life>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    pub life: u32,
    pub parent: Option<String>,
    pub dynamic: Option<String>,
    pub created: i64,
    pub description: Option<String>,
    pub attributes: Attributes,
    pub version: u64,
    pub policies: BTreeSet<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Quotas {
    pub untyped: usize,
    pub typed: usize,
    pub of_group: usize,
    pub groups: usize,
    pub depth: usize,
    pub children: usize,
    pub dynamic: usize,
    pub policies: usize,
    pub wait: i64,
}

#[derive(Clone, Debug, Default)]
pub struct Oracle {
    pub now: i64,
    pub quotas: Quotas,
    pub things: BTreeMap<String, Thing>,
    pub groups: BTreeMap<String, Group>,
    /// Description, and since when it is deprecated.
    pub types: BTreeMap<String, (Option<String>, Option<i64>)>,
    /// Life, description and version.
    pub billing: BTreeMap<String, (u32, Option<String>, u64)>,
    lives: u32,
}

/// How many events, or the code of the refusal.
pub type Verdict = Result<usize, &'static str>;

fn text(params: &Value, name: &str) -> Option<String> {
    params[name].as_str().map(str::to_owned)
}

fn names(params: &Value, name: &str) -> Vec<String> {
    let list = params[name].as_array().into_iter().flatten();
    list.map(|v| v.as_str().unwrap().to_owned()).collect()
}

/// The attributes after a request's payload.
fn applied(before: &Attributes, holder: &Value, creating: bool) -> Attributes {
    let Some(payload) = holder.get("attributePayload") else {
        return before.clone();
    };
    let merge = !creating && payload["merge"] == true;
    let mut after = if merge {
        before.clone()
    } else {
        Attributes::new()
    };
    for (name, value) in payload["attributes"].as_object().into_iter().flatten() {
        after.insert(name.clone(), value.as_str().unwrap().to_owned());
    }
    after.retain(|_, value| !value.is_empty());
    after
}

fn conflict(params: &Value, version: u64) -> bool {
    params["expectedVersion"]
        .as_u64()
        .is_some_and(|v| v != version)
}

impl Oracle {
    pub fn call(&mut self, op: &str, params: &Value) -> Verdict {
        let before = self.clone();
        let verdict = match op {
            "CreateThing" => self.create_thing(params),
            "UpdateThing" => self.update_thing(params),
            "DeleteThing" => self.delete_thing(params),
            "AddThingToThingGroup" => self.regroup(
                params,
                vec![text(params, "thingGroupName").unwrap()],
                vec![],
            ),
            "RemoveThingFromThingGroup" => self.regroup(
                params,
                vec![],
                vec![text(params, "thingGroupName").unwrap()],
            ),
            "UpdateThingGroupsForThing" => self.regroup(
                params,
                names(params, "thingGroupsToAdd"),
                names(params, "thingGroupsToRemove"),
            ),
            "(match)" => self.begin_match(params),
            "(unmatch)" => self.end_match(params),
            "AddThingToBillingGroup" | "RemoveThingFromBillingGroup" => self.rebill(op, params),
            "AttachPolicy" | "DetachPolicy" => self.policy(op, params),
            _ if op.ends_with("BillingGroup") => self.billing_group(op, params),
            _ if op.ends_with("ThingType") => self.thing_type(op, params),
            _ => self.group(op, params),
        };
        if verdict.is_err() {
            self.clone_from(&before);
        }
        verdict
    }

    fn live(&self, group: &Life) -> bool {
        self.groups.get(&group.0).is_some_and(|g| g.life == group.1)
    }

    /// Memberships whose groups live on.
    pub fn memberships(&self, thing: &str) -> Vec<Life> {
        let thing = &self.things[thing];
        thing
            .groups
            .iter()
            .filter(|g| self.live(g))
            .cloned()
            .collect()
    }

    /// From the group up to its root.
    pub fn chain(&self, group: &str) -> Vec<String> {
        let mut chain = vec![group.to_owned()];
        while let Some(parent) = &self.groups[chain.last().unwrap()].parent {
            chain.push(parent.clone());
        }
        chain
    }

    fn root(&self, group: &str) -> String {
        self.chain(group).last().unwrap().clone()
    }

    fn check_type(&self, name: Option<&String>) -> Result<(), &'static str> {
        match name.map(|name| self.types.get(name)) {
            None | Some(Some((_, None))) => Ok(()),
            Some(None) => Err("thing_type.not_found"),
            Some(Some((_, Some(_)))) => Err("thing_type.deprecated"),
        }
    }

    fn within(&self, attributes: &Attributes, typed: bool) -> Result<(), &'static str> {
        let limit = if typed {
            self.quotas.typed
        } else {
            self.quotas.untyped
        };
        if attributes.len() > limit {
            return Err("attribute.too_many");
        }
        Ok(())
    }

    fn create_thing(&mut self, params: &Value) -> Verdict {
        let name = text(params, "thingName").unwrap();
        let wanted = Thing {
            thing_type: text(params, "thingTypeName"),
            attributes: applied(&Attributes::new(), params, true),
            version: 1,
            ..Thing::default()
        };
        let billing = text(params, "billingGroupName");
        if let Some(thing) = self.things.get(&name) {
            let held = thing.billing.as_ref();
            let held = held.filter(|b| self.billing.get(&b.0).is_some_and(|g| g.0 == b.1));
            if thing.thing_type == wanted.thing_type
                && thing.attributes == wanted.attributes
                && held.map(|b| &b.0) == billing.as_ref()
            {
                return Ok(0);
            }
            self.within(&wanted.attributes, wanted.thing_type.is_some())?;
            return Err("thing.already_exists");
        }
        self.within(&wanted.attributes, wanted.thing_type.is_some())?;
        self.check_type(wanted.thing_type.as_ref())?;
        let billing = match billing {
            None => None,
            Some(name) => match self.billing.get(&name) {
                None => return Err("billing_group.not_found"),
                Some(group) => Some((name, group.0)),
            },
        };
        self.things.insert(name, Thing { billing, ..wanted });
        Ok(1)
    }

    fn update_thing(&mut self, params: &Value) -> Verdict {
        let name = text(params, "thingName").unwrap();
        let thing = self.things.get(&name).ok_or("thing.not_found")?.clone();
        let new_type = text(params, "thingTypeName");
        let remove = params["removeThingType"] == true;
        if remove && new_type.is_some() {
            return Err("thing.type_set_and_removed");
        }
        if conflict(params, thing.version) {
            return Err("thing.version_conflict");
        }
        self.check_type(new_type.as_ref())?;
        let thing_type = if remove {
            None
        } else {
            new_type.or(thing.thing_type)
        };
        let attributes = applied(&thing.attributes, params, false);
        self.within(&attributes, thing_type.is_some())?;
        let held = self.things.get_mut(&name).unwrap();
        held.thing_type = thing_type;
        held.attributes = attributes;
        held.version += 1;
        Ok(1)
    }

    fn delete_thing(&mut self, params: &Value) -> Verdict {
        let name = text(params, "thingName").unwrap();
        let Some(thing) = self.things.get(&name) else {
            return Ok(0);
        };
        if conflict(params, thing.version) {
            return Err("thing.version_conflict");
        }
        self.things.remove(&name);
        Ok(1)
    }

    /// The dynamic group of a thing that was created last.
    fn newest(&self, groups: &[Life]) -> Option<Life> {
        let dynamic = groups
            .iter()
            .filter(|g| self.groups[&g.0].dynamic.is_some());
        dynamic
            .max_by_key(|g| (self.groups[&g.0].created, g.0.clone()))
            .cloned()
    }

    fn regroup(&mut self, params: &Value, add: Vec<String>, remove: Vec<String>) -> Verdict {
        let name = text(params, "thingName").unwrap();
        if !self.things.contains_key(&name) {
            return Err("thing.not_found");
        }
        if add.iter().any(|group| remove.contains(group)) {
            return Err("thing.group_added_and_removed");
        }
        let all: Vec<_> = remove.iter().chain(&add).collect();
        if all.iter().any(|group| !self.groups.contains_key(*group)) {
            return Err("group.not_found");
        }
        if all
            .iter()
            .any(|group| self.groups[*group].dynamic.is_some())
        {
            return Err("group.dynamic");
        }
        let mut groups = self.memberships(&name);
        let mut events = 0;
        let before = groups.len();
        groups.retain(|g| !remove.contains(&g.0));
        events += before - groups.len();
        for group in add {
            if groups.iter().any(|g| g.0 == group) {
                continue;
            }
            let of_static = |g: &&Life| self.groups[&g.0].dynamic.is_none();
            if groups
                .iter()
                .filter(of_static)
                .any(|g| self.root(&g.0) == self.root(&group))
            {
                return Err("thing.same_hierarchy");
            }
            while groups.len() >= self.quotas.groups {
                match self.newest(&groups) {
                    Some(evicted) if params["overrideDynamicGroups"] == true => {
                        groups.retain(|g| *g != evicted);
                        self.things.get_mut(&name).unwrap().waiting.insert(evicted);
                        events += 1;
                    }
                    _ => return Err("group.limit_exceeded"),
                }
            }
            let life = self.groups[&group].life;
            groups.push((group, life));
            events += 1;
        }
        self.things.get_mut(&name).unwrap().groups = groups;
        Ok(events)
    }

    fn dynamic(&self, params: &Value) -> Result<(String, Life), &'static str> {
        let thing = text(params, "thingName").unwrap();
        let group = text(params, "thingGroupName").unwrap();
        if !self.things.contains_key(&thing) {
            return Err("thing.not_found");
        }
        let found = self.groups.get(&group).ok_or("group.not_found")?;
        if found.dynamic.is_none() {
            return Err("group.static");
        }
        let life = found.life;
        Ok((thing, (group, life)))
    }

    fn begin_match(&mut self, params: &Value) -> Verdict {
        let (name, group) = self.dynamic(params)?;
        let mut groups = self.memberships(&name);
        let mut events = 1;
        if groups.contains(&group) {
            return Ok(0);
        }
        let age = |g: &Life| (self.groups[&g.0].created, g.0.clone());
        let newest = self.newest(&groups);
        let full = groups.len() >= self.quotas.groups;
        let gives_way = newest.filter(|newest| full && age(&group) < age(newest));
        let thing = self.things.get_mut(&name).unwrap();
        if full && gives_way.is_none() {
            return Ok(usize::from(thing.waiting.insert(group)));
        }
        if let Some(evicted) = gives_way {
            groups.retain(|g| *g != evicted);
            thing.waiting.insert(evicted);
            events += 1;
        }
        thing.waiting.remove(&group);
        groups.push(group);
        thing.groups = groups;
        Ok(events)
    }

    fn end_match(&mut self, params: &Value) -> Verdict {
        let (name, group) = self.dynamic(params)?;
        let thing = self.things.get_mut(&name).unwrap();
        let before = thing.groups.len();
        thing.groups.retain(|g| *g != group);
        let waited = thing.waiting.remove(&group);
        Ok(usize::from(before > thing.groups.len() || waited))
    }

    fn rebill(&mut self, op: &str, params: &Value) -> Verdict {
        let name = text(params, "thingName").unwrap();
        let billing = text(params, "billingGroupName").unwrap();
        let Some(thing) = self.things.get_mut(&name) else {
            return Err("thing.not_found");
        };
        let life = self
            .billing
            .get(&billing)
            .ok_or("billing_group.not_found")?
            .0;
        let wanted = Some((billing, life));
        let held = thing.billing == wanted;
        if op.starts_with("Add") {
            thing.billing = wanted;
            Ok(usize::from(!held))
        } else {
            if held {
                thing.billing = None;
            }
            Ok(usize::from(held))
        }
    }

    fn policy(&mut self, op: &str, params: &Value) -> Verdict {
        let name = text(params, "target").unwrap();
        let policy = text(params, "policyName").unwrap();
        let limit = self.quotas.policies;
        let group = self.groups.get_mut(&name).ok_or("group.not_found")?;
        if op == "DetachPolicy" {
            return Ok(usize::from(group.policies.remove(&policy)));
        }
        if group.dynamic.is_some() {
            return Err("group.dynamic");
        }
        if !group.policies.contains(&policy) && group.policies.len() >= limit {
            return Err("group.too_many_policies");
        }
        Ok(usize::from(group.policies.insert(policy)))
    }

    fn billing_group(&mut self, op: &str, params: &Value) -> Verdict {
        let name = text(params, "billingGroupName").unwrap();
        let description = text(&params["billingGroupProperties"], "billingGroupDescription");
        let found = self.billing.get_mut(&name);
        match (op, found) {
            ("CreateBillingGroup", Some(group)) if group.1 == description => Ok(0),
            ("CreateBillingGroup", Some(_)) => Err("billing_group.already_exists"),
            ("CreateBillingGroup", None) => {
                self.lives += 1;
                self.billing.insert(name, (self.lives, description, 1));
                Ok(1)
            }
            ("DeleteBillingGroup", None) => Ok(0),
            (_, None) => Err("billing_group.not_found"),
            (_, Some(group)) if conflict(params, group.2) => Err("billing_group.version_conflict"),
            ("DeleteBillingGroup", Some(_)) => {
                self.billing.remove(&name);
                Ok(1)
            }
            (_, Some(group)) => {
                group.1 = description.or_else(|| group.1.take());
                group.2 += 1;
                Ok(1)
            }
        }
    }

    fn thing_type(&mut self, op: &str, params: &Value) -> Verdict {
        let name = text(params, "thingTypeName").unwrap();
        let used = self
            .things
            .values()
            .any(|thing| thing.thing_type.as_ref() == Some(&name));
        let (now, wait) = (self.now, self.quotas.wait);
        let description = text(&params["thingTypeProperties"], "thingTypeDescription");
        let found = self.types.get_mut(&name);
        match (op, found) {
            ("CreateThingType", Some(held)) if held.0 == description => Ok(0),
            ("CreateThingType", Some(_)) => Err("thing_type.already_exists"),
            ("CreateThingType", None) => {
                self.types.insert(name, (description, None));
                Ok(1)
            }
            (_, None) => Err("thing_type.not_found"),
            ("UpdateThingType", Some(held)) => {
                held.0 = description.or_else(|| held.0.take());
                Ok(1)
            }
            ("DeprecateThingType", Some((_, since))) => {
                let undo = params["undoDeprecate"] == true;
                let changes = since.is_some() == undo;
                if changes {
                    *since = if undo { None } else { Some(now) };
                }
                Ok(usize::from(changes))
            }
            (_, Some((_, None))) => Err("thing_type.not_deprecated"),
            (_, Some((_, Some(since)))) if now < *since + wait => {
                Err("thing_type.deprecated_too_recently")
            }
            _ if used => Err("thing_type.in_use"),
            _ => {
                self.types.remove(&name);
                Ok(1)
            }
        }
    }

    fn group(&mut self, op: &str, params: &Value) -> Verdict {
        let name = text(params, "thingGroupName").unwrap();
        let properties = &params["thingGroupProperties"];
        if op.starts_with("Create") {
            return self.create_group(name, params);
        }
        let of_dynamic = op.contains("Dynamic");
        let children = self
            .groups
            .values()
            .filter(|g| g.parent.as_ref() == Some(&name))
            .count();
        let Some(group) = self.groups.get_mut(&name) else {
            return if op.starts_with("Delete") {
                Ok(0)
            } else {
                Err("group.not_found")
            };
        };
        match (group.dynamic.is_some(), of_dynamic) {
            (true, false) => return Err("group.dynamic"),
            (false, true) => return Err("group.static"),
            _ => {}
        }
        if conflict(params, group.version) {
            return Err("group.version_conflict");
        }
        if op.starts_with("Delete") {
            if children > 0 {
                return Err("group.has_children");
            }
            self.groups.remove(&name);
            return Ok(1);
        }
        let attributes = applied(&group.attributes, properties, false);
        if attributes.len() > self.quotas.of_group {
            return Err("attribute.too_many");
        }
        group.attributes = attributes;
        if let Some(description) = text(properties, "thingGroupDescription") {
            group.description = Some(description);
        }
        if let Some(query) = text(params, "queryString") {
            group.dynamic = Some(query);
        }
        group.version += 1;
        Ok(1)
    }

    fn create_group(&mut self, name: String, params: &Value) -> Verdict {
        let properties = &params["thingGroupProperties"];
        let wanted = Group {
            parent: text(params, "parentGroupName"),
            dynamic: text(params, "queryString"),
            created: self.now,
            description: text(properties, "thingGroupDescription"),
            attributes: applied(&Attributes::new(), properties, true),
            version: 1,
            life: self.lives + 1,
            policies: BTreeSet::new(),
        };
        if wanted.attributes.len() > self.quotas.of_group {
            return Err("attribute.too_many");
        }
        if let Some(group) = self.groups.get(&name) {
            let same = group.parent == wanted.parent
                && group.dynamic == wanted.dynamic
                && group.description == wanted.description
                && group.attributes == wanted.attributes;
            return if same {
                Ok(0)
            } else {
                Err("group.already_exists")
            };
        }
        if let Some(parent) = &wanted.parent {
            let found = self.groups.get(parent).ok_or("group.parent_not_found")?;
            if found.dynamic.is_some() {
                return Err("group.parent_dynamic");
            }
            if self.chain(parent).len() >= self.quotas.depth {
                return Err("group.too_deep");
            }
            let siblings = self
                .groups
                .values()
                .filter(|g| g.parent.as_ref() == Some(parent));
            if siblings.count() >= self.quotas.children {
                return Err("group.too_many_children");
            }
        }
        let dynamic = self.groups.values().filter(|g| g.dynamic.is_some()).count();
        if wanted.dynamic.is_some() && dynamic >= self.quotas.dynamic {
            return Err("group.too_many_dynamic");
        }
        self.lives += 1;
        self.groups.insert(name, wanted);
        Ok(1)
    }

    /// The effective attributes of a group, recomputed from the root down: value, level and definer.
    fn group_effective(&self, group: &str) -> BTreeMap<String, (String, usize, String)> {
        let found = &self.groups[group];
        let mut map = match &found.parent {
            Some(parent) => self.group_effective(parent),
            None => BTreeMap::new(),
        };
        let depth = self.chain(group).len();
        for (name, value) in &found.attributes {
            map.insert(name.clone(), (value.clone(), depth, group.to_owned()));
        }
        map
    }

    /// The effective attributes of a thing: value and the group that defines it (none: itself).
    pub fn effective(&self, thing: &str) -> BTreeMap<String, (String, Option<String>)> {
        let mut best: BTreeMap<String, (String, usize, String)> = BTreeMap::new();
        for (group, _) in self.memberships(thing) {
            if self.groups[&group].dynamic.is_some() {
                continue;
            }
            for (name, candidate) in self.group_effective(&group) {
                let wins = best.get(&name).is_none_or(|held| {
                    candidate.1 > held.1 || (candidate.1 == held.1 && candidate.2 < held.2)
                });
                if wins {
                    best.insert(name, candidate);
                }
            }
        }
        let inherited = best
            .into_iter()
            .map(|(name, (value, _, group))| (name, (value, Some(group))));
        let mut map: BTreeMap<_, _> = inherited.collect();
        for (name, value) in &self.things[thing].attributes {
            map.insert(name.clone(), (value.clone(), None));
        }
        map
    }
}
