//! Answers from columns, as partial results that are merged: one fleet or many parts of it give the same.
//!
//! A part's result carries what the order of ids decides (the first row of a group, the values of an inexact sum), so
//! that merging adds in the same order as one index, or the reference evaluator, would.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: buffers have the chunk's size, groups are numbered densely"
)]
use super::column::Lane;
use super::error::IndexError;
use super::execute::Run;
use super::ints::{Mask, ROWS};
use super::kernel;
use super::snapshot::Snapshot;
use crate::document::Document;
use crate::path::FieldPath;
use crate::query::{GroupColumn, Grouping, Query, Row, Rows, Select};
use crate::syntax::ast::Aggregate;
use crate::value::{number_json, number_text};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

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

/// A running aggregate. The values themselves are kept only where their order changes the sum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sum {
    pub(crate) count: u64,
    total: f64,
    least: f64,
    greatest: f64,
    /// Whether every addition was exact, so that order does not matter.
    exact: bool,
    /// Whether the values are kept for merging.
    keeps: bool,
    values: Vec<(String, f64)>,
}

impl Sum {
    const fn new(keeps: bool) -> Self {
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

    fn add(&mut self, value: f64) {
        self.count += 1;
        self.total += value;
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        if self.keeps && self.exact {
            self.exact = value.fract() == 0.0 && self.total.abs() <= EXACT && value.abs() <= EXACT;
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

fn sums(grouping: &Grouping, keeps: bool) -> Vec<Sum> {
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
        Ok(merge(query, vec![Some(self.partial_of(query, false)?)]).rows)
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
            Select::Documents => {
                Body::Rows(self.selected(query, |row| self.state.document(row as usize))?)
            }
            Select::Fields(columns) => {
                let mut roots = vec!["deviceId", "moduleId", "jobId", "thingGroupName"];
                let whole = columns.iter().any(|column| column.path.is_derived());
                roots.extend(columns.iter().map(|column| column.path.root()));
                Body::Rows(self.selected(query, |row| match whole {
                    true => self.state.document(row as usize),
                    false => self.state.part(&roots, row as usize),
                })?)
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
        document: impl Fn(u32) -> Option<Value>,
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
                    rows.push(row as u32);
                }
                rows.len() < most
            })?;
        } else {
            rows = self.rows_of(&plan, &run)?;
            rows.truncate(most);
        }
        Ok(rows
            .into_iter()
            .filter_map(|row| {
                let document = document(row)?;
                let key = self.state.id(row as usize)?.to_owned();
                Some((key, query.row(Document::new(&document))?))
            })
            .collect())
    }

    fn groups(
        &self,
        query: &Query,
        grouping: &Grouping,
        keeps: bool,
    ) -> Result<BTreeMap<Option<String>, Group>, IndexError> {
        let run = Run::new(&self.state, self.budget());
        let plan = self.planned(query.condition())?;
        let mut table = Table {
            grouping,
            keeps,
            groups: Vec::new(),
            by_key: HashMap::new(),
            codes: Vec::new(),
        };
        if grouping.by.is_none() {
            table.group(None, None);
        }
        let plain = |path: &FieldPath| self.is_plain(path);
        let paths: Vec<Option<&FieldPath>> = grouping
            .columns
            .iter()
            .filter_map(|column| match column {
                GroupColumn::Aggregate(aggregate) => Some(aggregate.path.as_ref()),
                GroupColumn::Key { .. } => None,
            })
            .collect();
        if self.state.sorted
            && grouping.by.as_ref().is_none_or(plain)
            && paths.iter().flatten().all(|path| plain(path))
        {
            let mut mask = Box::new([0; ROWS]);
            for chunk in run
                .chunks(&plan)
                .unwrap_or_else(|| (0..self.state.chunks()).collect())
            {
                mask.fill(0);
                run.select(&plan, chunk, None, &mut mask)?;
                self.group_chunk(&mut table, &paths, chunk, &mask);
            }
        } else {
            for row in self.rows_of(&plan, &run)? {
                let row = row as usize;
                let Some(document) = self.state.document(row) else {
                    continue;
                };
                let document = Document::new(&document);
                let key = grouping.by.as_ref().and_then(|path| document.project(path));
                let group = table.group(key.as_ref().map(key_text), key);
                let numbers: Vec<Option<f64>> = paths
                    .iter()
                    .map(|path| match path.map(|path| document.get(path)) {
                        None => Some(0.0),
                        Some(crate::value::Datum::Number(number)) => Some(number),
                        Some(_) => None,
                    })
                    .collect();
                self.add(&mut table, group, row, &numbers);
            }
        }
        Ok(table
            .by_key
            .into_iter()
            .filter_map(|(key, at)| Some((key, table.groups.get(at)?.clone())))
            .collect())
    }

    fn add(&self, table: &mut Table<'_>, group: usize, row: usize, numbers: &[Option<f64>]) {
        let Some(group) = table.groups.get_mut(group) else {
            return;
        };
        let id = || self.state.id(row).unwrap_or_default().to_owned();
        if group.first.is_empty() {
            group.first = id();
        }
        for (sum, number) in group.sums.iter_mut().zip(numbers) {
            if let Some(number) = number {
                sum.add(*number);
                if sum.keeps {
                    sum.values.push((id(), *number));
                }
            }
        }
    }

    /// Whether a path's values are the cells of one column, and nothing else.
    fn is_plain(&self, path: &FieldPath) -> bool {
        let keys_only = !path
            .segments()
            .iter()
            .any(|segment| matches!(segment, crate::path::Segment::Index(_)));
        keys_only
            && !path.is_derived()
            && (path.root() != "attributes" || self.state.groups.is_empty())
    }

    fn group_chunk(
        &self,
        table: &mut Table<'_>,
        paths: &[Option<&FieldPath>],
        chunk: usize,
        mask: &Mask,
    ) {
        // The group of each row, by number.
        let mut groups = Box::new([u32::MAX; ROWS]);
        match &table.grouping.by {
            None => groups.fill(0),
            Some(path) => {
                let node = self.state.schema.walk(path).1;
                let column = node.and_then(|node| self.state.column(node));
                let mut coded = false;
                if let Some(column) = column
                    && let Some(piece) = column.piece(chunk)
                {
                    for lane in &piece.lanes {
                        if let Lane::Codes(codes) = lane {
                            coded = true;
                            table.codes.resize(column.dictionary.len(), u32::MAX);
                            codes.for_each(|row, code| {
                                let at = code as usize;
                                if mask[row] == 1 && table.codes[at] == u32::MAX {
                                    let key = Value::String(column.dictionary.get(at).to_owned());
                                    let number = table.group(Some(key_text(&key)), Some(key));
                                    table.codes[at] = number as u32;
                                }
                                groups[row] = table.codes[at];
                            });
                        }
                    }
                }
                let rest = !coded
                    || column
                        .and_then(|c| c.piece(chunk))
                        .is_none_or(|piece| piece.lanes.len() > 1 || piece.lanes[0].count() < ROWS);
                if rest {
                    kernel::for_each_row(mask, |row| {
                        if groups[row] == u32::MAX {
                            let key =
                                node.and_then(|node| self.state.value(node, chunk * ROWS + row));
                            groups[row] = table.group(key.as_ref().map(key_text), key) as u32;
                        }
                    });
                }
            }
        }
        let mut first = vec![true; table.groups.len()];
        let mut counts = vec![0u64; table.groups.len()];
        for (row, (picked, group)) in mask.iter().zip(groups.iter()).enumerate() {
            if *picked == 1 {
                let at = *group as usize;
                counts[at] += 1;
                if first[at] {
                    first[at] = false;
                    if table.groups[at].first.is_empty() {
                        table.groups[at].first = self
                            .state
                            .id(chunk * ROWS + row)
                            .unwrap_or_default()
                            .to_owned();
                    }
                }
            }
        }
        for (at, path) in paths.iter().enumerate() {
            let Some(path) = path else {
                for (group, count) in table.groups.iter_mut().zip(&counts) {
                    group.sums[at].count += count;
                }
                continue;
            };
            let Some(piece) = self
                .state
                .schema
                .walk(path)
                .1
                .and_then(|node| self.state.column(node))
                .and_then(|column| column.piece(chunk))
            else {
                continue;
            };
            // Numbers of all lanes in row order, because sums depend on it.
            let mut numbers = Box::new([f64::NAN; ROWS]);
            for lane in &piece.lanes {
                match lane {
                    #[allow(clippy::cast_precision_loss, reason = "the reference adds doubles")]
                    Lane::Ints(ints) => ints.for_each(|row, value| numbers[row] = value as f64),
                    Lane::Floats(floats) => floats.for_each(|row, value| numbers[row] = value),
                    Lane::Json(texts) => texts.for_each(|row, text| {
                        if let Ok(Value::Number(number)) = serde_json::from_str(text) {
                            numbers[row] = number.as_f64().unwrap_or(f64::NAN);
                        }
                    }),
                    Lane::Tags(_) | Lane::Codes(_) | Lane::Texts(_) => {}
                }
            }
            if !table.groups.iter().any(|group| group.sums[at].keeps) {
                let mut sums: Vec<Sum> = table
                    .groups
                    .iter_mut()
                    .map(|group| std::mem::replace(&mut group.sums[at], Sum::new(false)))
                    .collect();
                for ((picked, group), number) in mask.iter().zip(groups.iter()).zip(numbers.iter())
                {
                    if *picked == 1 && !number.is_nan() {
                        sums[*group as usize].add(*number);
                    }
                }
                for (group, sum) in table.groups.iter_mut().zip(sums) {
                    group.sums[at] = sum;
                }
                continue;
            }
            for (row, ((picked, group), number)) in mask
                .iter()
                .zip(groups.iter())
                .zip(numbers.iter())
                .enumerate()
            {
                if *picked == 1 && !number.is_nan() {
                    let sum = &mut table.groups[*group as usize].sums[at];
                    sum.add(*number);
                    if sum.keeps {
                        sum.values.push((
                            self.state
                                .id(chunk * ROWS + row)
                                .unwrap_or_default()
                                .to_owned(),
                            *number,
                        ));
                    }
                }
            }
        }
    }
}

struct Table<'q> {
    grouping: &'q Grouping,
    keeps: bool,
    groups: Vec<Group>,
    by_key: HashMap<Option<String>, usize>,
    /// Group numbers of the codes of the grouped column.
    codes: Vec<u32>,
}

impl Table<'_> {
    fn group(&mut self, text: Option<String>, key: Option<Value>) -> usize {
        let (groups, grouping, keeps) = (&mut self.groups, self.grouping, self.keeps);
        *self.by_key.entry(text).or_insert_with(|| {
            groups.push(Group {
                key,
                first: String::new(),
                sums: sums(grouping, keeps),
            });
            groups.len() - 1
        })
    }
}

/// A text that is the same for equal keys: numbers by value, members in order.
fn key_text(key: &Value) -> String {
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
