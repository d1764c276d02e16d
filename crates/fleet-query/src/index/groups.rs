//! Group attributes that members inherit: kept once per group, resolved through the members' bitmaps.
use roaring::RoaringBitmap;
use serde_json::{Map, Value};
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
        let mut at = name;
        for _ in 0..DEEPEST {
            if at == above {
                return true;
            }
            match self
                .by_name
                .get(at)
                .and_then(|group| group.parent.as_deref())
            {
                Some(parent) => at = parent,
                None => return false,
            }
        }
        false
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
