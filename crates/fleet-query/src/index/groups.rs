//! Group attributes that members inherit: kept once per group, resolved through the members' bitmaps.
use roaring::RoaringBitmap;
use serde_json::{Map, Value};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The deepest hierarchy that is followed.
const DEEPEST: usize = 64;

/// One static group as the index sees it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Group {
    pub(crate) parent: Option<Arc<str>>,
    pub(crate) attributes: Map<String, Value>,
    /// Rows of the direct members.
    pub(crate) members: RoaringBitmap,
}

/// Every group by name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Groups {
    pub(crate) by_name: BTreeMap<Arc<str>, Arc<Group>>,
}

/// Rows that inherit one value of an attribute.
#[derive(Clone, Debug)]
pub(crate) struct Inherited {
    pub(crate) value: Value,
    /// The rows below the group; those of an earlier entry have their value from there.
    pub(crate) rows: RoaringBitmap,
    pub(crate) group: Arc<str>,
}

impl Groups {
    pub(crate) fn group_mut(&mut self, name: &str) -> &mut Group {
        Arc::make_mut(self.by_name.entry(Arc::from(name)).or_default())
    }

    /// A root is 1. A parent that is not known, or a circle, ends the count.
    fn depth(&self, name: &str) -> usize {
        let (mut depth, mut at) = (1, self.by_name.get(name));
        while depth < DEEPEST
            && let Some(group) = at
            && let Some(parent) = &group.parent
        {
            depth += 1;
            at = self.by_name.get(parent);
        }
        depth
    }

    fn is_below(&self, name: &str, above: &str) -> bool {
        self.upwards(name).any(|(at, _)| at == above)
    }

    /// The inherited values of one attribute, strongest first: the deeper group, then the smaller name.
    pub(crate) fn inherited(&self, attribute: &str) -> Vec<Inherited> {
        let mut found: Vec<(usize, Inherited)> = self
            .by_name
            .iter()
            .filter_map(|(name, group)| {
                let value = group.attributes.get(attribute)?;
                let rows = self
                    .by_name
                    .iter()
                    .filter(|(other, member)| {
                        !member.members.is_empty() && self.is_below(other, name)
                    })
                    .fold(RoaringBitmap::new(), |all, (_, member)| {
                        all | &member.members
                    });
                Some((
                    self.depth(name),
                    Inherited {
                        value: value.clone(),
                        rows,
                        group: name.clone(),
                    },
                ))
            })
            .collect();
        found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.group.cmp(&y.group)));
        found.into_iter().map(|(_, inherited)| inherited).collect()
    }

    /// What one row inherits, by attribute: as [`Groups::inherited`] resolves it.
    pub(crate) fn inherited_by(&self, row: u32) -> BTreeMap<&str, &Value> {
        let mut found: BTreeMap<&str, (Reverse<usize>, &str, &Value)> = BTreeMap::new();
        let direct = self.by_name.iter();
        for (name, _) in direct.filter(|(_, group)| group.members.contains(row)) {
            for (above, group) in self.upwards(name) {
                let depth = Reverse(self.depth(above));
                for (attribute, value) in &group.attributes {
                    let held = found.entry(attribute).or_insert((depth, above, value));
                    if (depth, above) < (held.0, held.1) {
                        *held = (depth, above, value);
                    }
                }
            }
        }
        let values = found.into_iter();
        values.map(|(name, (_, _, value))| (name, value)).collect()
    }

    /// A group and those above it.
    fn upwards<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a Group)> {
        let entry = |name: &str| self.by_name.get_key_value(name);
        let above = move |(_, group): &(&Arc<str>, &Arc<Group>)| entry(group.parent.as_deref()?);
        std::iter::successors(entry(name), above)
            .take(DEEPEST)
            .map(|(name, group)| (&**name, &**group))
    }

    /// The rows that may inherit from a group: its members and those of the groups below it.
    pub(crate) fn rows_below(&self, name: &str) -> RoaringBitmap {
        self.by_name
            .iter()
            .filter(|(other, _)| self.is_below(other, name))
            .fold(RoaringBitmap::new(), |all, (_, group)| all | &group.members)
    }

    /// Every attribute that some group defines.
    pub(crate) fn attributes(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .by_name
            .values()
            .flat_map(|group| group.attributes.keys().cloned())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_name
            .values()
            .all(|group| group.attributes.is_empty())
    }

    pub(crate) fn bytes(&self) -> usize {
        self.by_name
            .iter()
            .map(|(name, group)| {
                name.len()
                    + 160
                    + group.members.serialized_size()
                    + Value::Object(group.attributes.clone()).to_string().len() * 2
            })
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "gone"];

    proptest! {
        /// Row by row as attribute by attribute, whatever the hierarchy: circles and parents that are not there too.
        #[test]
        fn a_row_inherits_what_attributes_say(
            groups in prop::collection::vec(
                (prop::option::of(0..6usize), prop::collection::vec(0..4usize, 0..3), prop::collection::vec(0..5u32, 0..4)),
                0..6,
            ),
        ) {
            let mut all = Groups::default();
            for (n, (parent, attributes, members)) in groups.iter().enumerate() {
                let group = all.group_mut(NAMES[n]);
                group.parent = parent.map(|parent| NAMES[parent].into());
                group.attributes = attributes.iter().map(|k| (format!("k{k}"), json!(n))).collect();
                group.members = members.iter().collect();
            }
            for row in 0..5 {
                let attributes = all.attributes();
                let expected: BTreeMap<&str, Value> = attributes.iter().filter_map(|name| {
                    let inherited = all.inherited(name);
                    let strongest = inherited.into_iter().find(|inherited| inherited.rows.contains(row));
                    Some((name.as_str(), strongest?.value))
                }).collect();
                let found = all.inherited_by(row);
                prop_assert_eq!(found.into_iter().map(|(name, value)| (name, value.clone())).collect::<BTreeMap<_, _>>(), expected);
            }
        }
    }
}
