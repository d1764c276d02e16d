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

/// The most changes of leaves that are looked at for the smallest one.
const CHANGES: usize = 100_000;

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
    /// from the top (0 is the first leaf), that make it hold if they change their truth value. A leaf that
    /// stands at several places changes at all of them and is named at the first; a constant never changes.
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
    /// Equal leaves have one number.
    Leaf(usize),
    Constant,
    Not,
    And,
    Or,
}

/// Judges every node of the condition on a canonical document.
#[must_use]
pub fn explain(condition: &Condition, document: Document<'_>) -> Explanation {
    let root = node(
        &condition.predicate,
        condition.profile,
        document,
        &mut Vec::new(),
    );
    let change = if root.truth == Truth::True {
        None
    } else {
        smallest_change(&root)
    };
    Explanation { root, change }
}

fn node<'p>(
    predicate: &'p Predicate,
    profile: &Profile,
    document: Document<'_>,
    leaves: &mut Vec<&'p Predicate>,
) -> Explained {
    let truth = eval_predicate(predicate, profile, document);
    let mut branch = |text: &str, shape: Shape, items: &'p [Predicate]| Explained {
        text: text.to_owned(),
        truth,
        saw: Vec::new(),
        parts: items
            .iter()
            .map(|item| node(item, profile, document, leaves))
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
                shape: match leaf {
                    Predicate::Constant(_) => Shape::Constant,
                    _ => Shape::Leaf(number(leaf, leaves)),
                },
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

/// The number of a leaf among those met so far.
fn number<'p>(leaf: &'p Predicate, leaves: &mut Vec<&'p Predicate>) -> usize {
    let known = leaves.iter().position(|other| *other == leaf);
    known.unwrap_or_else(|| {
        leaves.push(leaf);
        leaves.len() - 1
    })
}

/// The fewest leaves whose change makes the root true, by size, then by place.
fn smallest_change(root: &Explained) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    walk(root, &mut places);
    let total = places.iter().flatten().max().map_or(0, |last| last + 1);
    let count = |number: usize| {
        places
            .iter()
            .filter(|place| **place == Some(number))
            .count()
    };
    let repeated: Vec<bool> = (0..total).map(|number| count(number) > 1).collect();
    let mut tried = 0;
    for size in 1..=total {
        let mut chosen: Vec<usize> = (0..size).collect();
        loop {
            if holds_with(root, &chosen, &repeated, &mut tried) {
                let first =
                    |number: &usize| places.iter().position(|place| *place == Some(*number));
                return chosen.iter().map(first).collect();
            }
            if tried > CHANGES {
                return None;
            }
            if !advance(&mut chosen, total) {
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

/// The leaves by place; constants have no number.
fn walk(node: &Explained, places: &mut Vec<Option<usize>>) {
    match node.shape {
        Shape::Leaf(number) => places.push(Some(number)),
        Shape::Constant => places.push(None),
        _ => {}
    }
    node.parts.iter().for_each(|part| walk(part, places));
}

/// Whether the root can hold if the chosen leaves change. What stands at several places is tried with
/// either value; of what stands at one, bounds are exact.
fn holds_with(root: &Explained, chosen: &[usize], repeated: &[bool], tried: &mut usize) -> bool {
    *tried += 1;
    let free = |number: usize| chosen.contains(&number);
    let range = |number| free(number).then_some((Truth::False, Truth::True));
    if bounds(root, &range).1 != Truth::True {
        return false;
    }
    let several: Vec<usize> = chosen
        .iter()
        .copied()
        .filter(|number| repeated.get(*number).copied().unwrap_or_default())
        .collect();
    let mut values = vec![Truth::False; several.len()];
    loop {
        let fixed = |number: usize| {
            let place = several.iter().position(|one| *one == number);
            let value = place.and_then(|place| values.get(place).copied());
            value.map(|value| (value, value)).or_else(|| range(number))
        };
        if bounds(root, &fixed).1 == Truth::True {
            return true;
        }
        *tried += 1;
        // The next values, as a number in binary counts up.
        let Some(low) = values.iter().position(|value| *value == Truth::False) else {
            return false;
        };
        values
            .iter_mut()
            .take(low)
            .for_each(|value| *value = Truth::False);
        values
            .iter_mut()
            .skip(low)
            .take(1)
            .for_each(|value| *value = Truth::True);
        if *tried > CHANGES {
            return false;
        }
    }
}

/// The least and the greatest truth of a node, where some leaves have other bounds than their own truth.
fn bounds(node: &Explained, changed: &dyn Fn(usize) -> Option<(Truth, Truth)>) -> (Truth, Truth) {
    let mut parts = node.parts.iter().map(|part| bounds(part, changed));
    match node.shape {
        Shape::Leaf(number) => changed(number).unwrap_or((node.truth, node.truth)),
        Shape::Constant => (node.truth, node.truth),
        Shape::Not => parts
            .next()
            .map_or((Truth::Undefined, Truth::Undefined), |(low, high)| {
                (!high, !low)
            }),
        Shape::And => parts.fold((Truth::True, Truth::True), |(l, h), (a, b)| {
            (l.and(a), h.and(b))
        }),
        Shape::Or => parts.fold((Truth::False, Truth::False), |(l, h), (a, b)| {
            (l.or(a), h.or(b))
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
    if matches!(node.shape, Shape::Leaf(_) | Shape::Constant) {
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
        // A constant never changes.
        assert_eq!(change("false"), None);
        assert_eq!(change("tags.a = 1 AND false"), None);
    }

    #[test]
    fn a_leaf_changes_wherever_it_stands() {
        assert_eq!(change("tags.a = 1 AND NOT tags.a = 1"), None);
        assert_eq!(
            change("tags.c = 1 AND tags.d = 1 OR tags.a = 2 AND (tags.b = 2 OR tags.a = 2)"),
            Some(vec![2])
        );
        assert_eq!(
            change("(tags.a = 2 OR tags.c = 3) AND (NOT tags.a = 2 AND tags.b = 3)"),
            Some(vec![1, 3])
        );
        assert_eq!(
            change("false OR tags.a = 2 AND tags.b = 3 AND (tags.a = 2 OR tags.b = 3)"),
            Some(vec![1, 2])
        );
    }

    #[test]
    fn too_many_changes_are_not_tried() {
        let leaf = |n: usize| {
            format!("(tags.c{n} = 1 OR tags.a = 1 AND NOT tags.c{n} = 1 AND tags.c{n} = 1)")
        };
        let many: Vec<String> = (0..60).map(leaf).collect();
        assert_eq!(change(&many.join(" AND ")), None);
    }

    #[test]
    fn the_smallest_change_is_right_and_the_smallest() {
        // Every condition of three leaves, some of them equal, against all changes tried one by one.
        let leaves = [
            "tags.a = 1",
            "tags.a = 2",
            "tags.c = 3",
            "NOT tags.b = 2",
            "false",
        ];
        let truths = |on: &[(&str, bool)], leaf: &str| {
            let bare = leaf.strip_prefix("NOT ").unwrap_or(leaf);
            let own = match bare {
                "tags.a = 1" | "tags.b = 2" => Truth::True,
                "tags.c = 3" => Truth::Undefined,
                _ => Truth::False,
            };
            let changed = on.iter().find(|(name, _)| *name == bare);
            let truth = changed.map_or(
                own,
                |(_, value)| if *value { Truth::True } else { Truth::False },
            );
            if bare == leaf { truth } else { !truth }
        };
        for x in leaves {
            for y in leaves {
                for z in leaves {
                    let holds = |on: &[(&str, bool)]| {
                        let (x, y, z) = (truths(on, x), truths(on, y), truths(on, z));
                        x.and(y).or(z).and(!y.and(!z)) == Truth::True
                    };
                    let names = ["tags.a = 1", "tags.a = 2", "tags.c = 3", "tags.b = 2"];
                    let smallest = (0..81_usize)
                        .map(|code| {
                            let on: Vec<(&str, bool)> = names
                                .iter()
                                .enumerate()
                                .filter_map(|(at, name)| {
                                    let digit = code / 3_usize.pow(u32::try_from(at).ok()?) % 3;
                                    (digit > 0).then_some((*name, digit == 1))
                                })
                                .collect();
                            on
                        })
                        .filter(|on| holds(on))
                        .map(|on| on.len())
                        .min();
                    let text = format!("(({x} AND {y}) OR {z}) AND NOT ({y} AND NOT {z})");
                    let found = change(&text).map(|change| change.len());
                    assert_eq!(found, smallest.filter(|size| *size > 0), "{text}");
                }
            }
        }
    }
}
