//! How an operation's answer is shown to a person.

use serde_json::Value;

use crate::failure::Failure;
use crate::output::{self, Out};
use crate::table::{Table, at};

/// The shape of an answer for a person; with `--json` the answer itself is printed instead.
#[derive(Clone, Debug)]
pub(crate) enum Show {
    /// A sentence that says what has happened.
    Said(String),
    /// One value a line, by its dotted path.
    Record,
    /// An indented JSON document at a path of the answer.
    Document(&'static str),
    /// A table of the elements of a list.
    Rows {
        /// Where the list stands in the answer; elements that are not objects are the value of the empty path.
        member: &'static str,
        /// Title and dotted path of each column.
        columns: &'static [(&'static str, &'static str)],
        /// What the list holds, for "no …".
        what: &'static str,
    },
    /// The record of a thing or group, then its effective attributes.
    WithAttributes,
}

impl Show {
    pub(crate) fn print(&self, answer: &Value, out: &mut Out) -> Result<(), Failure> {
        match self {
            Self::Said(text) => out.line(&output::printable(text)),
            Self::Record => out.table(&flat(answer)),
            Self::Document(path) => {
                let document = at(answer, path).unwrap_or(answer);
                out.line(&pretty(document))
            }
            Self::Rows {
                member,
                columns,
                what,
            } => {
                let none = Vec::new();
                let items = at(answer, member)
                    .and_then(Value::as_array)
                    .unwrap_or(&none);
                if items.is_empty() {
                    return out.line(&format!("no {what}"));
                }
                out.table(&Table::of(items, columns))
            }
            Self::WithAttributes => with_attributes(answer, out),
        }
    }
}

/// The value as indented JSON whose texts cannot drive a terminal (JSON escapes control characters up to U+001F itself).
pub(crate) fn pretty(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Two columns: the dotted path of each leaf, and its value.
fn flat(value: &Value) -> Table {
    let mut table = Table::new(["FIELD", "VALUE"]);
    let mut path = Vec::new();
    leaves(value, &mut path, &mut table);
    table
}

/// Depth is bounded: the value came out of an operation, whose documents have bounded depth.
fn leaves<'v>(value: &'v Value, path: &mut Vec<&'v str>, table: &mut Table) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                path.push(name);
                leaves(member, path, table);
                path.pop();
            }
        }
        Value::Array(items)
            if items
                .iter()
                .all(|item| !item.is_object() && !item.is_array()) =>
        {
            let text: Vec<String> = items.iter().map(output::cell).collect();
            table.row([path.join("."), text.join(", ")]);
        }
        leaf => table.row([path.join("."), output::cell(leaf)]),
    }
}

/// A thing or group: its record, then its effective attributes with where each value comes from.
fn with_attributes(answer: &Value, out: &mut Out) -> Result<(), Failure> {
    let mut record = answer.clone();
    let mut effective = None;
    if let Some(members) = record.as_object_mut() {
        effective = members.remove("effectiveAttributes");
        members.remove("attributes");
    }
    out.table(&flat(&record))?;
    let mut table = Table::new(["ATTRIBUTE", "VALUE", "FROM", "HIDES"]);
    for (name, entry) in effective.iter().filter_map(Value::as_object).flatten() {
        let hidden: Vec<String> = entry
            .get("overrides")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|other| format!("{} of {}", value(other), source(other)))
            .collect();
        table.row([name.clone(), value(entry), source(entry), hidden.join(", ")]);
    }
    if table.is_empty() {
        return Ok(());
    }
    out.line("")?;
    out.table(&table)
}

fn value(entry: &Value) -> String {
    entry.get("value").map(output::cell).unwrap_or_default()
}

/// Where an effective value comes from, in words.
fn source(entry: &Value) -> String {
    let text = |path| at(entry, path).and_then(Value::as_str).unwrap_or_default();
    match text("source.thingGroupName") {
        "" => text("source.kind").to_owned(),
        group => format!("{} {group}", text("source.kind")),
    }
}
