//! The fleet as plain values: what the index is compared with. It shares no code with it.
use super::{document, id, merge, patch, pick, value};
use fleet_generate::Random;
use fleet_query::index::{Change, IndexError, WriterIndex};
use fleet_query::{Collection, Condition, Document, eval};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Documents by their stored id: the name, or two names with a zero between.
#[derive(Clone)]
pub(crate) struct Model {
    pub(crate) collection: Collection,
    pub(crate) metadata: bool,
    pub(crate) documents: BTreeMap<String, Value>,
    groups: BTreeMap<String, (Option<String>, Map<String, Value>)>,
    members: BTreeSet<(String, String)>,
}

impl Model {
    pub(crate) fn new(collection: Collection, metadata: bool) -> Self {
        Self {
            collection,
            metadata,
            documents: BTreeMap::new(),
            groups: BTreeMap::new(),
            members: BTreeSet::new(),
        }
    }

    fn chain(&self, group: &str) -> Vec<String> {
        let mut chain = vec![group.to_owned()];
        while let Some((Some(parent), _)) = self.groups.get(chain.last().unwrap()) {
            chain.push(parent.clone());
        }
        chain
    }

    /// Own beats group; the deeper definer wins, then the smaller name.
    pub(crate) fn effective(&self, id: &str) -> Value {
        let mut document = self.documents[id].clone();
        let mut definers: Vec<(usize, String)> = Vec::new();
        for (_, group) in self.members.iter().filter(|(device, _)| device == id) {
            for name in self.chain(group) {
                definers.push((usize::MAX - self.chain(&name).len(), name));
            }
        }
        definers.sort();
        for (_, name) in definers {
            let Some((_, attributes)) = self.groups.get(&name) else {
                continue;
            };
            if attributes.is_empty() {
                continue;
            }
            let own = document
                .as_object_mut()
                .unwrap()
                .entry("attributes")
                .or_insert_with(|| json!({}));
            if let Value::Object(own) = own {
                for (key, value) in attributes {
                    own.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        document
    }

    /// Every document as queries see it.
    pub(crate) fn all(&self) -> Vec<Value> {
        self.documents.keys().map(|id| self.effective(id)).collect()
    }

    /// The ids that a condition selects, as they are shown, in their order.
    pub(crate) fn select(&self, condition: &Condition) -> Vec<String> {
        self.documents
            .keys()
            .filter(|id| eval::eval(condition, Document::new(&self.effective(id))).is_true())
            .map(|id| id.replace('\0', "/"))
            .collect()
    }

    /// The stored id of document `n` and the document's members that make it.
    fn names(&self, n: u64) -> (String, Vec<(&'static str, String)>) {
        let device = id(n / 2);
        let second = ["a", "b"][(n % 2) as usize].to_owned();
        match self.collection {
            Collection::Groups => (id(n), vec![("thingGroupName", id(n))]),
            Collection::Modules => (
                format!("{device}\0{second}"),
                vec![("deviceId", device), ("moduleId", second)],
            ),
            Collection::Jobs => (
                format!("{device}\0{second}"),
                vec![("deviceId", device), ("jobId", second)],
            ),
            Collection::Devices | Collection::Messages => (id(n), vec![("deviceId", id(n))]),
        }
    }

    fn new_document(&self, r: &mut Random, n: u64) -> (String, Value) {
        let mut made = document(r, n);
        made.as_object_mut().unwrap().remove("deviceId");
        let (stored, names) = self.names(n);
        for (key, name) in names {
            made[key] = json!(name);
        }
        if self.collection == Collection::Jobs {
            for key in ["jobType", "status", "outcome"] {
                if r.chance(700) {
                    made[key] = value(r, 2);
                }
            }
        }
        if r.chance(150) && made["properties"]["reported"].is_object() {
            made["properties"]["reported"]["$metadata"] = metadata(r);
        }
        (stored, made)
    }

    /// Documents put all at once: new ones, and some twice.
    pub(crate) fn load(
        &mut self,
        r: &mut Random,
        numbers: impl Iterator<Item = u64>,
        index: &mut WriterIndex,
    ) {
        let mut lines = Vec::new();
        for n in numbers {
            let (stored, mut document) = self.new_document(r, n);
            lines.push(document.to_string());
            self.strip(&mut document);
            self.documents.insert(stored, document);
        }
        let count = index.put_all(lines.iter().map(String::as_str));
        assert_eq!(count, Ok(lines.len()));
    }

    /// One random change of one of `population` documents, or of a group: made here, and given to `apply`.
    pub(crate) fn step(
        &mut self,
        r: &mut Random,
        population: u64,
        mut apply: impl FnMut(&Change<'_>) -> Result<(), IndexError>,
    ) {
        let n = r.below(population);
        let stored = self.names(n).0;
        let shown = stored.replace('\0', "/");
        let group = (*pick(r, &["g1", "g2", "g3", "g4"])).to_owned();
        let has_groups = self.collection == Collection::Devices;
        match r.below(if has_groups { 12 } else { 9 }) {
            0..=4 => {
                let (stored, mut document) = self.new_document(r, n);
                let text = document.to_string();
                apply(&Change::Put { document: &text }).unwrap();
                self.strip(&mut document);
                self.documents.insert(stored, document);
            }
            5..=7 => {
                let mut patch = patch(r);
                if r.chance(50) {
                    let metadata = metadata(r);
                    patch = json!({"properties": {"reported": {"$metadata": metadata}}});
                }
                let result = apply(&Change::Patch {
                    id: &shown,
                    patch: &patch.to_string(),
                });
                self.strip(&mut patch);
                match self.documents.get_mut(&stored) {
                    Some(document) => {
                        result.unwrap();
                        merge(document, &patch);
                    }
                    None => assert_eq!(result.unwrap_err().code(), "query.not_found"),
                }
            }
            8 => {
                let known = self.documents.remove(&stored).is_some();
                self.members.retain(|(member, _)| *member != stored);
                assert_eq!(apply(&Change::Delete { id: &shown }).is_ok(), known);
            }
            9 | 10 => {
                let known = self.documents.contains_key(&stored);
                let leave = r.chance(300);
                let (id, name) = (&*shown, &*group);
                let change = match leave {
                    true => Change::Leave { id, group: name },
                    false => Change::Join { id, group: name },
                };
                assert_eq!(apply(&change).is_ok(), known);
                if leave {
                    self.members.remove(&(stored, group));
                } else if known {
                    self.members.insert((stored, group));
                }
            }
            _ => {
                if r.chance(150) {
                    apply(&Change::DropGroup { name: &group }).unwrap();
                    self.groups.remove(&group);
                    self.members.retain(|(_, of)| *of != group);
                    return;
                }
                // Parents have smaller numbers, so there is no circle.
                let parent = (group != "g1" && r.chance(500)).then(|| "g1".to_owned());
                let mut attributes = Map::new();
                for _ in 0..r.below(3) {
                    let key = *pick(r, &["a", "load", "site", "b"]);
                    attributes.insert(key.to_owned(), value(r, 1));
                }
                apply(&Change::Group {
                    name: &group,
                    parent: parent.as_deref(),
                    attributes: &attributes,
                })
                .unwrap();
                self.groups.insert(group, (parent, attributes));
            }
        }
    }

    /// Removes per-leaf metadata where the index keeps none.
    fn strip(&self, document: &mut Value) {
        if self.metadata {
            return;
        }
        for section in ["desired", "reported"] {
            if let Some(Value::Object(members)) =
                document.pointer_mut(&format!("/properties/{section}"))
            {
                members.remove("$metadata");
            }
        }
    }
}

fn metadata(r: &mut Random) -> Value {
    let when = format!("2026-01-{:02}T00:00:00Z", 1 + r.below(28));
    json!({"$lastUpdated": when, "n": {"$lastUpdated": when}})
}
