//! The tree of paths that documents have shown: one node, and one column, per path.
use crate::path::{FieldPath, Segment};
use hashbrown::HashTable;
use std::hash::Hasher;
use std::sync::Arc;

/// The number of a path: its node in the schema and its column.
pub(crate) type Node = u32;
/// The root of every document.
pub(crate) const ROOT: Node = 0;
/// Arrays of up to this many plain values are cut into one column per position.
pub(crate) const ELEMENTS: usize = 16;
/// The most paths of one index.
pub(crate) const PATHS: usize = 1 << 20;

/// One step below a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(Arc<str>),
    Element(u8),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) parent: Node,
    pub(crate) step: Step,
    pub(crate) children: Vec<Node>,
    /// Whether it is per-leaf metadata, or below it.
    pub(crate) metadata: bool,
    /// Whether its key is written in JSON as it is.
    pub(crate) plain: bool,
}

/// Every path seen so far.
#[derive(Clone, Debug)]
pub(crate) struct Schema {
    entries: Vec<Entry>,
    keys: HashTable<Node>,
}

impl Default for Schema {
    fn default() -> Self {
        let root = Entry {
            parent: ROOT,
            step: Step::Key("".into()),
            children: Vec::new(),
            metadata: false,
            plain: true,
        };
        Self {
            entries: vec![root],
            keys: HashTable::new(),
        }
    }
}

fn hash(parent: Node, key: &str) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write_u32(parent);
    hasher.write(key.as_bytes());
    hasher.finish()
}

impl Schema {
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn entry(&self, node: Node) -> Option<&Entry> {
        self.entries.get(node as usize)
    }

    /// The key of a node; none for an element of an array.
    pub(crate) fn key(&self, node: Node) -> Option<&str> {
        match &self.entry(node)?.step {
            Step::Key(key) => Some(key),
            Step::Element(_) => None,
        }
    }

    /// The key of a node, if it is written in JSON as it is.
    pub(crate) fn plain_key(&self, node: Node) -> Option<&str> {
        match self.entry(node)? {
            Entry {
                step: Step::Key(key),
                plain: true,
                ..
            } => Some(key),
            _ => None,
        }
    }

    pub(crate) fn children(&self, node: Node) -> &[Node] {
        self.entry(node).map_or(&[], |entry| &entry.children)
    }

    pub(crate) fn child(&self, parent: Node, key: &str) -> Option<Node> {
        self.keys
            .find(hash(parent, key), |node| {
                self.entry(*node)
                    .is_some_and(|entry| entry.parent == parent)
                    && self.key(*node) == Some(key)
            })
            .copied()
    }

    pub(crate) fn element(&self, parent: Node, index: usize) -> Option<Node> {
        self.children(parent).iter().copied().find(
            |node| matches!(self.entry(*node), Some(Entry { step: Step::Element(at), .. }) if usize::from(*at) == index),
        )
    }

    /// The elements of an array node in order of their position.
    pub(crate) fn elements(&self, parent: Node) -> Vec<Node> {
        (0..ELEMENTS)
            .filter_map(|index| self.element(parent, index))
            .collect()
    }

    /// Whether a node holds per-leaf metadata.
    pub(crate) fn is_metadata(&self, node: Node) -> bool {
        self.entry(node).is_some_and(|entry| entry.metadata)
    }

    fn names_metadata(&self, parent: Node, key: &str) -> bool {
        if !matches!(key, "$metadata" | "metadata") {
            return false;
        }
        let mut keys = vec![key];
        let mut at = parent;
        while at != ROOT && keys.len() < 5 {
            keys.push(self.key(at).unwrap_or_default());
            at = self.entry(at).map_or(ROOT, |entry| entry.parent);
        }
        keys.reverse();
        crate::document::is_metadata(&keys)
    }

    /// A new node; none when there are too many paths.
    pub(crate) fn add(&mut self, parent: Node, step: Step) -> Option<Node> {
        if self.entries.len() >= PATHS {
            return None;
        }
        let node = Node::try_from(self.entries.len()).ok()?;
        if let Step::Key(key) = &step {
            let entries = &self.entries;
            self.keys.insert_unique(hash(parent, key), node, |other| {
                entries
                    .get(*other as usize)
                    .map_or(0, |entry| match &entry.step {
                        Step::Key(key) => hash(entry.parent, key),
                        Step::Element(_) => 0,
                    })
            });
        }
        let metadata = self.is_metadata(parent)
            || matches!(&step, Step::Key(key) if self.names_metadata(parent, key));
        let escaped = |byte: u8| byte < 0x20 || byte == b'"' || byte == b'\\';
        let plain = !matches!(&step, Step::Key(key) if key.bytes().any(escaped));
        self.entries.push(Entry {
            parent,
            step,
            children: Vec::new(),
            metadata,
            plain,
        });
        if let Some(entry) = self.entries.get_mut(parent as usize) {
            entry.children.push(node);
        }
        Some(node)
    }

    /// The node of a path and all nodes above it, from the root; a shorter list where the schema has no such path.
    pub(crate) fn walk(&self, path: &FieldPath) -> (Vec<Node>, Option<Node>) {
        let (mut at, mut above) = (ROOT, vec![ROOT]);
        for segment in path.segments() {
            let next = match segment {
                Segment::Key(key) => self.child(at, key),
                Segment::Index(index) => usize::try_from(*index)
                    .ok()
                    .and_then(|index| self.element(at, index)),
            };
            let Some(next) = next else {
                return (above, None);
            };
            above.push(next);
            at = next;
        }
        above.pop();
        (above, Some(at))
    }

    /// Every node whose keys, joined with `.`, read `name`.
    pub(crate) fn joined(&self, name: &str) -> Vec<Node> {
        let mut out = Vec::new();
        let mut open = vec![(ROOT, name)];
        while let Some((at, rest)) = open.pop() {
            for child in self.children(at) {
                let Some(key) = self.key(*child) else {
                    continue;
                };
                match rest.strip_prefix(key) {
                    Some("") => out.push(*child),
                    Some(more) => {
                        if let Some(more) = more.strip_prefix('.') {
                            open.push((*child, more));
                        }
                    }
                    None => {}
                }
            }
        }
        out
    }

    pub(crate) fn bytes(&self) -> usize {
        self.keys.capacity() * 5
            + self
                .entries
                .iter()
                .map(|entry| {
                    let key = match &entry.step {
                        Step::Key(key) => key.len() + 16,
                        Step::Element(_) => 0,
                    };
                    std::mem::size_of::<Entry>() + entry.children.capacity() * 4 + key
                })
                .sum::<usize>()
    }
}
