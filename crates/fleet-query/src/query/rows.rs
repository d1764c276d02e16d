//! Rows: what a query returns.

use super::Query;
use super::select::{GroupColumn, Grouping, Select};
use crate::aggregate::Accumulator;
use crate::dialect::{Collection, Dialect};
use crate::document::{Document, iot_hub_face, thing_document, thing_group_document};
use crate::value::number_text;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What kind of objects the rows are, as the service names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemType {
    /// Whole twins.
    Twin,
    /// Whole job records.
    DeviceJob,
    /// Objects made of the select list.
    Raw,
    /// Documents of the AWS thing index.
    ThingDocument,
    /// Documents of the AWS thing-group index.
    ThingGroupDocument,
}

impl ItemType {
    /// The value of `x-ms-item-type`, or the AWS shape's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twin => "Twin",
            Self::DeviceJob => "DeviceJob",
            Self::Raw => "Raw",
            Self::ThingDocument => "ThingDocument",
            Self::ThingGroupDocument => "ThingGroupDocument",
        }
    }
}

/// The rows of a query, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Rows {
    /// What the rows are.
    pub item_type: ItemType,
    /// The rows.
    pub rows: Vec<Row>,
}

impl Rows {
    /// The rows' values.
    #[must_use]
    pub fn values(self) -> Vec<Value> {
        self.rows.into_iter().map(|row| row.value).collect()
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// The id of the document that it was made of (see [`Document::id`]); none for a group.
    pub id: Option<String>,
    /// The row itself.
    pub value: Value,
}

impl Query {
    /// What kind of rows the query returns.
    #[must_use]
    pub fn item_type(&self) -> ItemType {
        match (self.select(), self.dialect(), self.collection()) {
            (Select::Fields(_) | Select::Groups(_), ..) => ItemType::Raw,
            (Select::Documents, Dialect::Aws, _) => ItemType::ThingDocument,
            (Select::Documents, Dialect::AwsGroups, _) => ItemType::ThingGroupDocument,
            (Select::Documents, _, Collection::Jobs) => ItemType::DeviceJob,
            (Select::Documents, ..) => ItemType::Twin,
        }
    }

    /// The row of one selected document; none for grouped queries.
    #[must_use]
    pub fn row(&self, document: Document<'_>) -> Option<Row> {
        let value = match self.select() {
            Select::Groups(_) => return None,
            Select::Documents => match self.item_type() {
                ItemType::ThingDocument => thing_document(document.root()),
                ItemType::ThingGroupDocument => thing_group_document(document.root()),
                _ => iot_hub_face(document.root()),
            },
            Select::Fields(columns) => Value::Object(
                columns
                    .iter()
                    .filter_map(|column| {
                        Some((column.name.clone(), document.project(&column.path)?))
                    })
                    .collect(),
            ),
        };
        Some(Row {
            id: document.id(),
            value,
        })
    }
}

/// The rows of documents that are selected and in order.
pub(super) fn rows(query: &Query, selected: &[Document<'_>]) -> Rows {
    let most = query
        .top()
        .map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
    let rows = match query.select() {
        Select::Groups(grouping) => groups(grouping, selected).into_iter().take(most).collect(),
        _ => selected
            .iter()
            .take(most)
            .filter_map(|document| query.row(*document))
            .collect(),
    };
    Rows {
        item_type: query.item_type(),
        rows,
    }
}

struct Group {
    key: Option<Value>,
    accumulators: Vec<Accumulator>,
}

fn groups(grouping: &Grouping, selected: &[Document<'_>]) -> Vec<Row> {
    let empty = |key: Option<Value>| Group {
        key,
        accumulators: grouping
            .columns
            .iter()
            .filter_map(|column| match column {
                GroupColumn::Aggregate(aggregate) => Some(Accumulator::new(aggregate.function)),
                GroupColumn::Key { .. } => None,
            })
            .collect(),
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut places: HashMap<Option<String>, usize> = HashMap::new();
    if grouping.by.is_none() {
        groups.push(empty(None));
        places.insert(None, 0);
    }
    for document in selected {
        let key = grouping.by.as_ref().and_then(|path| document.project(path));
        let place = *places.entry(key.as_ref().map(key_text)).or_insert_with(|| {
            groups.push(empty(key));
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(place) else {
            continue;
        };
        let aggregates = grouping.columns.iter().filter_map(|column| match column {
            GroupColumn::Aggregate(aggregate) => Some(aggregate),
            GroupColumn::Key { .. } => None,
        });
        for (aggregate, accumulator) in aggregates.zip(&mut group.accumulators) {
            match &aggregate.path {
                None => accumulator.count_row(),
                Some(path) => accumulator.add(&document.get(path)),
            }
        }
    }
    groups
        .into_iter()
        .map(|group| Row {
            id: None,
            value: group_row(grouping, group),
        })
        .collect()
}

fn group_row(grouping: &Grouping, group: Group) -> Value {
    let mut row = Map::new();
    let mut accumulators = group.accumulators.into_iter();
    for column in &grouping.columns {
        let (name, value) = match column {
            GroupColumn::Key { name } => (name, group.key.clone()),
            GroupColumn::Aggregate(aggregate) => (
                &aggregate.name,
                accumulators
                    .next()
                    .and_then(|accumulator| accumulator.finish()),
            ),
        };
        if let Some(value) = value {
            row.insert(name.clone(), value);
        }
    }
    Value::Object(row)
}

/// A text that is the same for equal keys: numbers by value, members in order.
#[must_use]
pub(crate) fn key_text(key: &Value) -> String {
    match key {
        Value::Number(number) => number
            .as_f64()
            .map_or_else(|| number.to_string(), number_text),
        Value::Array(items) => format!(
            "[{}]",
            items.iter().map(key_text).collect::<Vec<_>>().join(",")
        ),
        Value::Object(members) => {
            let mut members: Vec<String> = members
                .iter()
                .map(|(name, value)| format!("{name:?}:{}", key_text(value)))
                .collect();
            members.sort_unstable();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}
