//! Why a condition holds of a document or does not: the tree with the truth value of each node.

use crate::document::Document;
use crate::eval::{eval, eval_predicate, is_unreadable};
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::Profile;
use crate::value::{Kind, Truth};
use indexmap::IndexSet;
use serde::Serialize;
use serde_json::Value;
use std::cmp::Ordering;
use std::fmt::{self, Write as _};

/// The most nodes that are looked at for the smallest change.
const MOST_STEPS: usize = 2_000_000;

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
    /// The condition names the body of a message, and the body cannot be read: the whole is undefined, whatever its parts are.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
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
    let mut root = node(
        &condition.predicate,
        condition.profile,
        document,
        &mut Vec::new(),
    );
    let truth = eval(condition, document);
    let unreadable = is_unreadable(condition, document);
    root.truth = truth;
    let change = if unreadable || truth == Truth::True {
        None
    } else {
        smallest_change(&root)
    };
    Explanation {
        root,
        change,
        unreadable,
    }
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

/// The fewest leaves whose change makes the root true, by size, then by place. Leaves that stand at several places are
/// tried with every value; the rest is then a tree in which no leaf stands twice.
fn smallest_change(root: &Explained) -> Option<Vec<usize>> {
    let mut places = Vec::new();
    walk(root, &mut places);
    let first = |number: usize| places.iter().position(|(one, _)| *one == Some(number));
    let mut several: Vec<(usize, Truth)> = Vec::new();
    for (at, (number, truth)) in places.iter().enumerate() {
        let Some(number) = *number else { continue };
        if first(number) != Some(at) && !several.iter().any(|(one, _)| *one == number) {
            several.push((number, *truth));
        }
    }
    let trials = u32::try_from(several.len())
        .ok()
        .and_then(|count| 3_usize.checked_pow(count))
        .filter(|trials| trials.saturating_mul(places.len()) <= MOST_STEPS)?;
    let changes = (0..trials).filter_map(|mut trial| {
        let mut change = Vec::new();
        let mut fixed = several.clone();
        for (number, truth) in &mut fixed {
            let value = [*truth, Truth::True, Truth::False]
                .into_iter()
                .nth(trial % 3)?;
            trial /= 3;
            if value != *truth {
                *truth = value;
                change.push(*number);
            }
        }
        change.extend(cheapest(root, Truth::True, &fixed)?);
        let mut change: Vec<usize> = change.into_iter().filter_map(first).collect();
        change.sort_unstable();
        Some(change)
    });
    changes.min_by(by_size)
}

fn by_size(one: &Vec<usize>, other: &Vec<usize>) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// The leaves by place with their truth; constants have no number.
fn walk(node: &Explained, places: &mut Vec<(Option<usize>, Truth)>) {
    match node.shape {
        Shape::Leaf(number) => places.push((Some(number), node.truth)),
        Shape::Constant => places.push((None, node.truth)),
        _ => {}
    }
    node.parts.iter().for_each(|part| walk(part, places));
}

/// The fewest leaves that must change for a node to be as wanted, true or false, if those that are fixed cannot.
fn cheapest(node: &Explained, wanted: Truth, fixed: &[(usize, Truth)]) -> Option<Vec<usize>> {
    let parts = |wanted: Truth| {
        let parts = node.parts.iter();
        parts.map(move |part| cheapest(part, wanted, fixed))
    };
    let all = |wanted| Some(parts(wanted).collect::<Option<Vec<_>>>()?.concat());
    let one = |wanted| parts(wanted).flatten().min_by(by_size);
    match (node.shape, wanted) {
        (Shape::Leaf(number), _) => match fixed.iter().find(|(one, _)| *one == number) {
            Some((_, truth)) => (*truth == wanted).then(Vec::new),
            None if node.truth == wanted => Some(Vec::new()),
            None => Some(vec![number]),
        },
        (Shape::Constant, _) => (node.truth == wanted).then(Vec::new),
        (Shape::Not, _) => all(!wanted),
        (Shape::And, Truth::True) | (Shape::Or, Truth::False) => all(wanted),
        (Shape::And | Shape::Or, _) => one(wanted),
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut leaves = Vec::new();
        write_node(&self.root, 0, &mut leaves, f)?;
        if self.unreadable {
            let told =
                "the body of the message cannot be read, so a condition that names it is undefined";
            writeln!(f, "{told}")?;
        }
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
    fn a_body_that_cannot_be_read_makes_the_whole_undefined() {
        let text = "NOT IS_DEFINED($body.a) AND level = 'x'";
        let query = Query::parse(text, Dialect::Routing, Mode::Lenient).unwrap();
        let told = |usable: bool| {
            let document = json!({"appProperties": {"level": "x"}, "bodyUsable": usable});
            explain(query.condition(), Document::new(&document))
        };
        let (read, unread) = (told(true), told(false));
        // What needs no body is not touched by it.
        let query = Query::parse("level = 'y'", Dialect::Routing, Mode::Lenient).unwrap();
        let document = json!({"appProperties": {"level": "x"}, "bodyUsable": false});
        let plain = explain(query.condition(), Document::new(&document));
        assert_eq!((plain.unreadable, plain.change), (false, Some(vec![0])));
        assert_eq!((read.root.truth, read.unreadable), (Truth::True, false));
        assert_eq!(unread.root.truth, Truth::Undefined);
        assert_eq!((unread.unreadable, &unread.change), (true, &None));
        let last =
            "the body of the message cannot be read, so a condition that names it is undefined\n";
        assert!(unread.to_string().ends_with(last), "{unread}");
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
    fn many_leaves_are_no_more_work_unless_many_stand_twice() {
        let leaf = |n: usize| format!("(tags.c{n} = 1 AND tags.d{n} = 1 OR tags.e{n} = 1)");
        let all = |n: usize| (0..n).map(leaf).collect::<Vec<_>>().join(" AND ");
        let each: Vec<usize> = (0..60).map(|n| 3 * n + 2).collect();
        assert_eq!(change(&all(60)), Some(each));
        let twice = |n: usize| format!("({}) AND ({})", all(n), all(n));
        assert_eq!(change(&twice(2)), Some(vec![2, 5]));
        assert_eq!(change(&twice(9)), None);
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
