//! Why a condition holds of a document or does not: the tree with the truth value of each node.

use crate::document::Document;
use crate::eval::eval_predicate;
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::Profile;
use crate::value::{Kind, Truth};
use indexmap::IndexSet;
use serde::Serialize;
use serde_json::Value;
use std::fmt::{self, Write as _};

/// The most sets of leaves that are looked at for the smallest change.
const SETS: usize = 100_000;

/// A condition judged on a document, node by node.
///
/// ```
/// use fleet_query::{Dialect, Document, Mode, Query, explain::explain};
/// let query = Query::parse("tags.region = 'EU' AND tags.floor > 3", Dialect::Target, Mode::Lenient)?;
/// let document = serde_json::json!({"deviceId": "d", "tags": {"region": "US", "floor": 5}});
/// let found = explain(query.condition(), Document::new(&document));
/// assert_eq!(found.to_string(), "\
/// false      AND
/// false        tags.region = 'EU'   saw \"US\"
/// true         tags.floor > 3   saw 5
/// to match, 1 leaf must change: tags.region = 'EU'
/// ");
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The tree.
    pub root: Explained,
    /// For a condition that does not hold: the smallest set of leaves, as places in a walk of the tree
    /// from the top (0 is the first leaf), that make it hold if they change their truth value.
    /// Absent if it holds, if no change helps, or if there are too many leaves to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Vec<usize>>,
}

/// A node of an explanation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// The node in words: an operator or a leaf.
    pub text: String,
    /// What it is on the document.
    pub truth: Truth,
    /// For a leaf: each field with the value that it saw; absent where nothing was there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub saw: Vec<Seen>,
    /// The parts of an operator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
    #[serde(skip)]
    shape: Shape,
}

/// What a leaf saw in a field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// The field's canonical path.
    pub path: String,
    /// Its value, or nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Leaf,
    Not,
    And,
    Or,
}

/// Judges every node of the condition on a canonical document.
#[must_use]
pub fn explain(condition: &Condition, document: Document<'_>) -> Explanation {
    let root = node(&condition.predicate, condition.profile, document);
    let change = if root.truth == Truth::True {
        None
    } else {
        smallest_change(&root)
    };
    Explanation { root, change }
}

fn node(predicate: &Predicate, profile: &Profile, document: Document<'_>) -> Explained {
    let truth = eval_predicate(predicate, profile, document);
    let branch = |text: &str, shape: Shape, items: &[Predicate]| Explained {
        text: text.to_owned(),
        truth,
        saw: Vec::new(),
        parts: items
            .iter()
            .map(|item| node(item, profile, document))
            .collect(),
        shape,
    };
    match predicate {
        Predicate::And(items) => branch("AND", Shape::And, items),
        Predicate::Or(items) => branch("OR", Shape::Or, items),
        Predicate::Not(inner) => branch("NOT", Shape::Not, std::slice::from_ref(inner)),
        leaf => {
            let paths: IndexSet<&FieldPath> = leaf.paths().into_iter().collect();
            let saw = paths
                .into_iter()
                .map(|path| Seen {
                    path: path.to_string(),
                    value: seen(path, profile, document),
                })
                .collect();
            Explained {
                text: leaf.to_string(),
                truth,
                saw,
                parts: Vec::new(),
                shape: Shape::Leaf,
            }
        }
    }
}

fn seen(path: &FieldPath, profile: &Profile, document: Document<'_>) -> Option<Value> {
    let found = document.show(path, profile);
    if found.kind() == Kind::Undefined {
        None
    } else {
        found.to_json()
    }
}

/// The fewest leaves whose change makes the root true, by size, then by place.
fn smallest_change(root: &Explained) -> Option<Vec<usize>> {
    let mut leaves = Vec::new();
    collect(root, &mut leaves);
    let mut tried = 0;
    for size in 1..=leaves.len() {
        let mut chosen: Vec<usize> = (0..size).collect();
        loop {
            tried += 1;
            if tried > SETS {
                return None;
            }
            if holds_with(root, &chosen) {
                return Some(chosen);
            }
            if !advance(&mut chosen, leaves.len()) {
                break;
            }
        }
    }
    None
}

/// The next set of that size in order.
fn advance(chosen: &mut [usize], total: usize) -> bool {
    let size = chosen.len();
    for place in (0..size).rev() {
        let Some(current) = chosen.get(place).copied() else {
            return false;
        };
        if current + (size - place) < total {
            for (offset, slot) in chosen.iter_mut().skip(place).enumerate() {
                *slot = current + 1 + offset;
            }
            return true;
        }
    }
    false
}

fn collect(node: &Explained, leaves: &mut Vec<Truth>) {
    if node.shape == Shape::Leaf {
        leaves.push(node.truth);
    }
    node.parts.iter().for_each(|part| collect(part, leaves));
}

/// Whether the root can hold if the chosen leaves may take any truth value.
fn holds_with(root: &Explained, chosen: &[usize]) -> bool {
    bounds(root, chosen, &mut 0).1 == Truth::True
}

fn bounds(node: &Explained, chosen: &[usize], next: &mut usize) -> (Truth, Truth) {
    let parts: Vec<(Truth, Truth)> = node
        .parts
        .iter()
        .map(|part| bounds(part, chosen, next))
        .collect();
    match node.shape {
        Shape::Leaf => {
            let place = *next;
            *next += 1;
            if chosen.contains(&place) {
                (Truth::False, Truth::True)
            } else {
                (node.truth, node.truth)
            }
        }
        Shape::Not => parts
            .first()
            .map_or((Truth::Undefined, Truth::Undefined), |(low, high)| {
                (!*high, !*low)
            }),
        Shape::And => parts
            .iter()
            .fold((Truth::True, Truth::True), |(l, h), (a, b)| {
                (l.and(*a), h.and(*b))
            }),
        Shape::Or => parts
            .iter()
            .fold((Truth::False, Truth::False), |(l, h), (a, b)| {
                (l.or(*a), h.or(*b))
            }),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut leaves = Vec::new();
        write_node(&self.root, 0, &mut leaves, f)?;
        if let Some(change) = &self.change {
            let names: Vec<&str> = change
                .iter()
                .filter_map(|place| leaves.get(*place).map(String::as_str))
                .collect();
            let noun = if change.len() == 1 { "leaf" } else { "leaves" };
            writeln!(
                f,
                "to match, {} {noun} must change: {}",
                change.len(),
                names.join("; ")
            )?;
        }
        Ok(())
    }
}

fn write_node(
    node: &Explained,
    depth: usize,
    leaves: &mut Vec<String>,
    f: &mut fmt::Formatter<'_>,
) -> fmt::Result {
    let mut line = format!(
        "{:<11}{}{}",
        node.truth.name(),
        "  ".repeat(depth),
        node.text
    );
    let several = node.saw.len() > 1;
    for (at, seen) in node.saw.iter().enumerate() {
        let lead = if at == 0 { "   saw " } else { ", " };
        let name = if several {
            format!("{} = ", seen.path)
        } else {
            String::new()
        };
        let value = seen
            .value
            .as_ref()
            .map_or_else(|| "nothing".to_owned(), shorten);
        let _ = write!(line, "{lead}{name}{value}");
    }
    writeln!(f, "{line}")?;
    if node.shape == Shape::Leaf {
        leaves.push(node.text.clone());
    }
    node.parts
        .iter()
        .try_for_each(|part| write_node(part, depth + 1, leaves, f))
}

fn shorten(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Mode};
    use crate::query::Query;
    use serde_json::json;

    fn change(condition: &str) -> Option<Vec<usize>> {
        let query = Query::parse(condition, Dialect::Target, Mode::Lenient).unwrap();
        let document = json!({"deviceId": "d", "tags": {"a": 1, "b": 2}});
        explain(query.condition(), Document::new(&document)).change
    }

    #[test]
    fn the_smallest_change_comes_first() {
        assert_eq!(change("tags.a = 1"), None);
        assert_eq!(change("tags.a = 2"), Some(vec![0]));
        assert_eq!(
            change("tags.a = 2 AND tags.b = 2 AND tags.c = 3"),
            Some(vec![0, 2])
        );
        assert_eq!(
            change("tags.a = 1 AND (tags.b = 3 AND tags.c = 3 OR tags.b = 4)"),
            Some(vec![3])
        );
        assert_eq!(change("NOT (tags.a = 1 OR tags.b = 2)"), Some(vec![0, 1]));
        assert_eq!(
            change("tags.a = 2 AND tags.a = 3 AND tags.a = 4"),
            Some(vec![0, 1, 2])
        );
        assert_eq!(change("false"), Some(vec![0]));
    }
}
