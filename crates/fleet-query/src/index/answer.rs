//! Answers from columns, as partial results that are merged: one fleet or many parts of it give the same.
//!
//! A part's result carries what the order of ids decides (the first row of a group, the values of an inexact sum), so
//! that merging adds in the same order as one index, or the reference evaluator, would.
use super::error::IndexError;
use super::execute::Run;
use super::schema::{Node, ROOT};
use super::snapshot::Snapshot;
use crate::document::Document;
use crate::query::{GroupColumn, Grouping, Query, Row, Rows, Select};
use crate::syntax::ast::Aggregate;
use crate::value::number_json;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The largest sum of integers in which no addition rounds.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// What one partition of a fleet contributes to the answer of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Partial {
    /// The position of the partition's last event.
    pub position: u64,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    /// Rows with the key that orders them.
    Rows(Vec<(String, Row)>),
    Groups(BTreeMap<Option<String>, Group>),
}

/// One group of one partition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    pub(crate) key: Option<Value>,
    /// The id of its first row; empty if it has none.
    pub(crate) first: String,
    pub(crate) sums: Vec<Sum>,
}

impl Group {
    /// A row of the group: the first one gives its id.
    pub(super) fn meet(&mut self, id: impl FnOnce() -> String) {
        if self.first.is_empty() {
            self.first = id();
        }
    }
}

/// A running aggregate. The values themselves are kept only where their order changes the sum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    pub(super) total: f64,
    pub(super) least: f64,
    pub(super) greatest: f64,
    /// Whether every addition was exact, so that order does not matter.
    exact: bool,
    /// Whether the values are kept for merging.
    pub(super) keeps: bool,
    pub(super) values: Vec<(String, f64)>,
}

impl Sum {
    pub(super) const fn new(keeps: bool) -> Self {
        Self {
            count: 0,
            total: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
            exact: true,
            keeps,
            values: Vec::new(),
        }
    }

    /// Adds the value of a row, whose id is asked for only where it is kept.
    pub(super) fn add(&mut self, value: f64, id: impl FnOnce() -> String) {
        self.count += 1;
        self.total += value;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        if self.keeps && self.exact {
            self.exact = value.fract() == 0.0 && self.total.abs() <= EXACT && value.abs() <= EXACT;
        }
        if self.keeps {
            self.values.push((id(), value));
        }
    }

    fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.least = self.least.min(other.least);
        self.greatest = self.greatest.max(other.greatest);
        self.total += other.total;
        self.exact = self.exact && other.exact && self.total.abs() <= EXACT;
        self.values.extend(other.values);
    }

    /// After merging: an inexact sum is added up again in the order of ids.
    fn settle(&mut self) {
        if !self.exact && self.keeps {
            self.values.sort_by(|a, b| a.0.cmp(&b.0));
            self.total = self.values.iter().map(|(_, value)| value).sum();
        }
    }

    fn finish(&self, function: Aggregate) -> Option<Value> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "counts of documents in memory are below 2^53"
        )]
        let count = self.count as f64;
        match function {
            Aggregate::Count => Some(Value::from(self.count)),
            Aggregate::Sum => number_json(self.total),
            _ if self.count == 0 => None,
            Aggregate::Avg => number_json(self.total / count),
            Aggregate::Min => number_json(self.least),
            Aggregate::Max => number_json(self.greatest),
        }
    }
}

/// The answer of a fleet that is split into partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// The rows.
    pub rows: Rows,
    /// The position of each partition that answered; none for one that is away.
    pub positions: Vec<Option<u64>>,
    /// The partitions, by number, that did not answer: without them the rows are a part of the truth.
    pub missing: Vec<usize>,
}

/// Merges what the partitions answered, in any order of partitions; `None` stands for one that is away.
#[must_use]
pub fn merge(query: &Query, parts: Vec<Option<Partial>>) -> Merged {
    let positions: Vec<Option<u64>> = parts
        .iter()
        .map(|part| part.as_ref().map(|part| part.position))
        .collect();
    let missing = positions
        .iter()
        .enumerate()
        .filter(|(_, position)| position.is_none())
        .map(|(at, _)| at)
        .collect();
    let most = query
        .top()
        .map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
    let mut all: Vec<(String, Row)> = Vec::new();
    let mut groups: BTreeMap<Option<String>, Group> = BTreeMap::new();
    let several = parts.iter().flatten().count() > 1;
    for part in parts.into_iter().flatten() {
        match part.body {
            Body::Rows(rows) => all.extend(rows),
            Body::Groups(found) => {
                for (key, group) in found {
                    match groups.get_mut(&key) {
                        None => {
                            groups.insert(key, group);
                        }
                        Some(held) => {
                            if held.first.is_empty()
                                || (!group.first.is_empty() && group.first < held.first)
                            {
                                held.first.clone_from(&group.first);
                                held.key = group.key;
                            }
                            held.sums
                                .iter_mut()
                                .zip(group.sums)
                                .for_each(|(sum, other)| sum.merge(other));
                        }
                    }
                }
            }
        }
    }
    let rows = match query.select() {
        Select::Groups(grouping) => {
            if grouping.by.is_none() && groups.is_empty() {
                groups.insert(
                    None,
                    Group {
                        key: None,
                        first: String::new(),
                        sums: sums(grouping, false),
                    },
                );
            }
            let mut ordered: Vec<Group> = groups.into_values().collect();
            ordered.sort_by(|a, b| a.first.cmp(&b.first));
            ordered
                .into_iter()
                .take(most)
                .map(|mut group| {
                    if several {
                        group.sums.iter_mut().for_each(Sum::settle);
                    }
                    Row {
                        id: None,
                        value: group_row(grouping, &group),
                    }
                })
                .collect()
        }
        _ => {
            all.sort_by(|a, b| a.0.cmp(&b.0));
            all.into_iter().take(most).map(|(_, row)| row).collect()
        }
    };
    Merged {
        rows: Rows {
            item_type: query.item_type(),
            rows,
        },
        positions,
        missing,
    }
}

pub(super) fn sums(grouping: &Grouping, keeps: bool) -> Vec<Sum> {
    grouping
        .columns
        .iter()
        .filter_map(|column| match column {
            GroupColumn::Aggregate(aggregate) => {
                let ordered = matches!(aggregate.function, Aggregate::Sum | Aggregate::Avg);
                Some(Sum::new(keeps && ordered))
            }
            GroupColumn::Key { .. } => None,
        })
        .collect()
}

fn group_row(grouping: &Grouping, group: &Group) -> Value {
    let mut row = Map::new();
    let mut sums = group.sums.iter();
    for column in &grouping.columns {
        let (name, value) = match column {
            GroupColumn::Key { name } => (name, group.key.clone()),
            GroupColumn::Aggregate(aggregate) => (
                &aggregate.name,
                sums.next().and_then(|sum| sum.finish(aggregate.function)),
            ),
        };
        if let Some(value) = value {
            row.insert(name.clone(), value);
        }
    }
    Value::Object(row)
}

impl Snapshot {
    /// The rows of a query, as [`Query::run`] over the documents gives them.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn rows(&self, query: &Query) -> Result<Rows, IndexError> {
        let part = self.partial_of(query, false)?;
        match part.body {
            // In order, and no more than asked for.
            Body::Rows(rows) => Ok(Rows {
                item_type: query.item_type(),
                rows: rows.into_iter().map(|(_, row)| row).collect(),
            }),
            Body::Groups(_) => Ok(merge(query, vec![Some(part)]).rows),
        }
    }

    /// What this index, as one partition of a fleet, contributes to a query's answer; see [`merge`].
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn partial(&self, query: &Query) -> Result<Partial, IndexError> {
        self.partial_of(query, true)
    }

    fn partial_of(&self, query: &Query, keeps: bool) -> Result<Partial, IndexError> {
        match query.select() {
            Select::Documents => {}
            Select::Fields(columns) => columns
                .iter()
                .try_for_each(|column| self.must_keep(&column.path))?,
            Select::Groups(grouping) => {
                let aggregated = grouping.columns.iter().filter_map(|column| match column {
                    GroupColumn::Aggregate(aggregate) => aggregate.path.as_ref(),
                    GroupColumn::Key { .. } => None,
                });
                grouping
                    .by
                    .iter()
                    .chain(aggregated)
                    .try_for_each(|path| self.must_keep(path))?;
            }
        }
        let body = match query.select() {
            Select::Groups(grouping) => Body::Groups(self.groups(query, grouping, keeps)?),
            Select::Documents => Body::Rows(self.selected(query, keeps, |row| {
                query.row(Document::new(&self.state.document(row)?))
            })?),
            Select::Fields(columns) => {
                let names = ["deviceId", "moduleId", "jobId", "thingGroupName"];
                let one_name = names
                    .iter()
                    .filter(|name| self.state.schema.child(ROOT, name).is_some())
                    .count()
                    == 1;
                if one_name && columns.iter().all(|column| self.is_plain(&column.path)) {
                    let nodes: Vec<(&str, Node)> = columns
                        .iter()
                        .filter_map(|column| {
                            Some((&*column.name, self.state.schema.walk(&column.path).1?))
                        })
                        .collect();
                    Body::Rows(self.selected(query, keeps, |row| {
                        let mut members = Map::new();
                        for (name, node) in &nodes {
                            if let Some(value) = self.state.value(*node, row) {
                                members.insert((*name).to_owned(), value);
                            }
                        }
                        Some(Row {
                            id: self.state.id(row).map(str::to_owned),
                            value: Value::Object(members),
                        })
                    })?)
                } else {
                    let mut roots = names.to_vec();
                    let whole = columns.iter().any(|column| column.path.is_derived());
                    roots.extend(columns.iter().map(|column| column.path.root()));
                    Body::Rows(self.selected(query, keeps, |row| {
                        let document = match whole {
                            true => self.state.document(row),
                            false => self.state.part(&roots, row),
                        };
                        query.row(Document::new(&document?))
                    })?)
                }
            }
        };
        Ok(Partial {
            position: self.state.position,
            body,
        })
    }

    fn selected(
        &self,
        query: &Query,
        keeps: bool,
        row: impl Fn(usize) -> Option<Row>,
    ) -> Result<Vec<(String, Row)>, IndexError> {
        let most = query
            .top()
            .map_or(usize::MAX, |top| usize::try_from(top).unwrap_or(usize::MAX));
        let run = Run::new(&self.state, self.budget());
        let plan = self.planned(query.condition())?;
        let mut rows = Vec::new();
        if self.state.sorted {
            self.for_each_row(&plan, &run, |row| {
                if rows.len() < most {
                    rows.extend(u32::try_from(row).ok());
                }
                rows.len() < most
            })?;
        } else {
            rows = self.rows_of(&plan, &run)?;
            rows.truncate(most);
        }
        Ok(rows
            .into_iter()
            .filter_map(|at| {
                let at = at as usize;
                // Rows are in order: only merging with others needs the key.
                let key = if keeps { self.state.id(at)? } else { "" };
                Some((key.to_owned(), row(at)?))
            })
            .collect())
    }
}
