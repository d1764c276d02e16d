//! GROUP BY and aggregates over columns: groups by dictionary code, numbers from the lanes, in the order of rows.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "a kernel: buffers have the chunk's size, groups are numbered densely"
)]
use super::answer::{Group, sums};
use super::column::{Cell, Column, Lane, Piece};
use super::error::IndexError;
use super::execute::Run;
use super::ints::{Form, Ints, Mask, ROWS};
use super::kernel;
use super::packed::{Offset, each_width};
use super::plan::Plan;
use super::schema::Node;
use super::snapshot::Snapshot;
use crate::document::Document;
use crate::path::FieldPath;
use crate::query::{GroupColumn, Grouping, Query, key_text};
use crate::syntax::ast::Aggregate;
use crate::value::Datum;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// No group.
const NOBODY: u32 = u32::MAX;
/// Dictionaries up to this size are counted code by code; larger ones row by row.
const COUNTED: usize = 1024;

/// The groups found so far.
struct Table<'q> {
    grouping: &'q Grouping,
    keeps: bool,
    groups: Vec<Group>,
    by_key: HashMap<Option<String>, usize>,
    /// The group of each code of the grouped column.
    of_code: Vec<u32>,
    /// By row of the chunk: its group.
    members: Box<[u32; ROWS]>,
    /// By row of the chunk: its number at the path that is being added up.
    numbers: Box<[f64; ROWS]>,
    /// By code: rows of the chunk.
    counts: Vec<u32>,
}

/// An aggregate of a query: where its numbers are, and whether their extremes are asked for.
struct Added<'q> {
    path: Option<&'q FieldPath>,
    extremes: bool,
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

    /// The running sums and counts of one aggregate, and a last one that nobody asks for.
    fn sums(&self, at: usize) -> Vec<(f64, u64)> {
        let sums = self.groups.iter().map(|group| &group.sums[at]);
        let nobody = [(0.0, 0)];
        sums.map(|sum| (sum.total, sum.count))
            .chain(nobody)
            .collect()
    }

    fn set_sums(&mut self, at: usize, sums: &[(f64, u64)]) {
        for (group, (total, count)) in self.groups.iter_mut().zip(sums) {
            let sum = &mut group.sums[at];
            (sum.total, sum.count) = (*total, *count);
        }
    }

    fn group_of_code(&mut self, column: &Column, code: usize) -> usize {
        if self.of_code[code] == NOBODY {
            let key = Value::String(column.dictionary.get(code).to_owned());
            self.of_code[code] = self.group_of(Some(key)) as u32;
        }
        self.of_code[code] as usize
    }

    fn group_of(&mut self, key: Option<Value>) -> usize {
        self.group(key.as_ref().map(key_text), key)
    }
}

impl Snapshot {
    pub(super) fn groups(
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
            of_code: Vec::new(),
            members: Box::new([NOBODY; ROWS]),
            numbers: Box::new([f64::NAN; ROWS]),
            counts: Vec::new(),
        };
        if grouping.by.is_none() {
            table.group(None, None);
        }
        let added: Vec<Added<'_>> = grouping
            .columns
            .iter()
            .filter_map(|column| match column {
                GroupColumn::Aggregate(aggregate) => Some(Added {
                    path: aggregate.path.as_ref(),
                    extremes: matches!(aggregate.function, Aggregate::Min | Aggregate::Max),
                }),
                GroupColumn::Key { .. } => None,
            })
            .collect();
        let plain = grouping
            .by
            .iter()
            .chain(added.iter().filter_map(|added| added.path))
            .all(|path| self.is_plain(path));
        match (plain, self.state.sorted) {
            (true, true) => self.by_chunks(&mut table, &added, &plan, &run)?,
            (true, false) => self.by_rows(&mut table, &added, &plan, &run)?,
            (false, _) => self.by_documents(&mut table, &added, &plan, &run)?,
        }
        Ok(table
            .by_key
            .into_iter()
            .filter_map(|(key, at)| Some((key, table.groups.get(at)?.clone())))
            .collect())
    }

    /// Groups rebuilt documents: for fields that are not the cells of one column.
    fn by_documents(
        &self,
        table: &mut Table<'_>,
        added: &[Added<'_>],
        plan: &Plan<'_>,
        run: &Run<'_>,
    ) -> Result<(), IndexError> {
        for row in self.rows_of(plan, run)? {
            let row = row as usize;
            let Some(document) = self.state.document(row) else {
                continue;
            };
            let document = Document::new(&document);
            let by = table.grouping.by.as_ref();
            let group = table.group_of(by.and_then(|path| document.project(path)));
            let group = &mut table.groups[group];
            let id = || self.state.id(row).unwrap_or_default().to_owned();
            group.meet(id);
            for (sum, added) in group.sums.iter_mut().zip(added) {
                let number = match added.path.map(|path| document.get(path)) {
                    None => 0.0,
                    Some(Datum::Number(number)) => number,
                    Some(_) => continue,
                };
                sum.add(number, id);
            }
        }
        Ok(())
    }

    /// Groups cell by cell in the order of ids, where rows have another.
    fn by_rows(
        &self,
        table: &mut Table<'_>,
        added: &[Added<'_>],
        plan: &Plan<'_>,
        run: &Run<'_>,
    ) -> Result<(), IndexError> {
        let state = &self.state;
        let node = |path: &FieldPath| state.schema.walk(path).1;
        let by = table.grouping.by.as_ref().and_then(node);
        let nodes: Vec<Option<Node>> = added
            .iter()
            .map(|added| added.path.and_then(node))
            .collect();
        for row in self.rows_of(plan, run)? {
            let row = row as usize;
            let group = match by.and_then(|node| Some((node, state.cell(node, row)?))) {
                Some((node, Cell::Text(text))) => {
                    let column = state.column(node);
                    match column.and_then(|column| Some((column, column.dictionary.find(text)?))) {
                        Some((column, code)) => {
                            table.of_code.resize(column.dictionary.len(), NOBODY);
                            table.group_of_code(column, code as usize)
                        }
                        None => table.group_of(Some(Value::String(text.to_owned()))),
                    }
                }
                Some((node, _)) => table.group_of(state.value(node, row)),
                None => table.group(None, None),
            };
            let group = &mut table.groups[group];
            let id = || state.id(row).unwrap_or_default().to_owned();
            group.meet(id);
            for ((sum, added), node) in group.sums.iter_mut().zip(added).zip(&nodes) {
                let number = match node.and_then(|node| state.cell(node, row)) {
                    _ if added.path.is_none() => 0.0,
                    #[allow(clippy::cast_precision_loss, reason = "the reference adds doubles")]
                    Some(Cell::Int(value)) => value as f64,
                    Some(Cell::Float(value)) => value,
                    Some(Cell::Json(text)) => match serde_json::from_str(text) {
                        Ok(Value::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
                        _ => continue,
                    },
                    _ => continue,
                };
                sum.add(number, id);
            }
        }
        Ok(())
    }

    /// Whether a path's values are the cells of one column, and nothing else.
    pub(super) fn is_plain(&self, path: &FieldPath) -> bool {
        let keys_only = !path
            .segments()
            .iter()
            .any(|segment| matches!(segment, crate::path::Segment::Index(_)));
        keys_only
            && !path.is_derived()
            && (path.root() != "attributes" || self.state.groups.is_empty())
    }

    fn by_chunks(
        &self,
        table: &mut Table<'_>,
        added: &[Added<'_>],
        plan: &Plan<'_>,
        run: &Run<'_>,
    ) -> Result<(), IndexError> {
        let column = |path: &FieldPath| -> Option<(Node, &Column)> {
            let node = self.state.schema.walk(path).1?;
            Some((node, self.state.column(node)?))
        };
        let grouped = table.grouping.by.as_ref().map(column);
        let columns: Vec<Option<&Column>> = added
            .iter()
            .map(|added| added.path.and_then(column).map(|(_, column)| column))
            .collect();
        if let Some(Some((_, column))) = grouped {
            table.of_code.resize(column.dictionary.len(), NOBODY);
        }
        let mut mask = Box::new([0; ROWS]);
        for chunk in run
            .chunks(plan)
            .unwrap_or_else(|| (0..self.state.chunks()).collect())
        {
            mask.fill(0);
            run.select(plan, chunk, None, &mut mask)?;
            if !kernel::any(&mask) {
                continue;
            }
            let found = Chunk {
                snapshot: self,
                chunk,
                mask: &mask,
                added,
            };
            let piece = grouped
                .flatten()
                .and_then(|(_, column)| column.piece(chunk));
            match (grouped, piece.map(|piece| &piece.lanes[..])) {
                (None, _) => found.one_group(table, 0),
                (Some(None), _) | (_, None | Some([])) => {
                    let group = table.group(None, None);
                    found.one_group(table, group);
                }
                (Some(Some((_, column))), Some([Lane::Codes(codes)]))
                    if column.dictionary.len() <= COUNTED =>
                {
                    found.by_codes(table, column, codes);
                }
                (Some(Some((node, column))), Some(lanes)) => {
                    found.by_cells(table, node, column, lanes);
                }
            }
            for (at, column) in columns.iter().enumerate() {
                if let Some(piece) = column.and_then(|column| column.piece(chunk)) {
                    found.add_up(table, at, piece);
                }
            }
        }
        Ok(())
    }
}

/// The selected rows of one chunk, with what is asked of them.
struct Chunk<'a> {
    snapshot: &'a Snapshot,
    chunk: usize,
    mask: &'a Mask,
    added: &'a [Added<'a>],
}

impl Chunk<'_> {
    fn needs_members(&self) -> bool {
        self.added.iter().any(|added| added.path.is_some())
    }

    fn id(&self, row: usize) -> String {
        let id = self.snapshot.state.id(self.chunk * ROWS + row);
        id.unwrap_or_default().to_owned()
    }

    /// Adds so many rows to a group; `is` tells them, to find the group's first.
    fn count_rows(&self, group: &mut Group, count: usize, is: impl Fn(usize) -> bool) {
        if count == 0 {
            return;
        }
        if group.first.is_empty()
            && let Some(row) = (0..ROWS).find(|row| self.mask[*row] == 1 && is(*row))
        {
            group.first = self.id(row);
        }
        for (sum, added) in group.sums.iter_mut().zip(self.added) {
            if added.path.is_none() {
                sum.count += count as u64;
            }
        }
    }

    /// All selected rows are of one group.
    fn one_group(&self, table: &mut Table<'_>, group: usize) {
        table.members.fill(group as u32);
        let count = kernel::total(self.mask);
        self.count_rows(&mut table.groups[group], count, |_| true);
    }

    /// Every value of the chunk is a code of a small dictionary: rows are counted code by code.
    fn by_codes(&self, table: &mut Table<'_>, column: &Column, codes: &Ints) {
        let mut counts = std::mem::take(&mut table.counts);
        counts.clear();
        counts.resize(column.dictionary.len(), 0);
        codes.tally(self.mask, &mut counts);
        let mut others = kernel::total(self.mask);
        for (code, count) in counts.iter().enumerate() {
            if *count > 0 {
                let count = *count as usize;
                others -= count;
                let group = table.group_of_code(column, code);
                self.count_rows(&mut table.groups[group], count, |row| {
                    codes.get(row) == i64::try_from(code).ok()
                });
            }
        }
        table.counts = counts;
        let mut nobody = NOBODY;
        if others > 0 {
            let group = table.group(None, None);
            nobody = group as u32;
            self.count_rows(&mut table.groups[group], others, |row| {
                codes.get(row).is_none()
            });
        }
        if self.needs_members() {
            codes.look_up(&table.of_code, nobody, &mut table.members);
        }
    }

    /// Values of any kind: codes by code, all others rebuilt.
    fn by_cells(&self, table: &mut Table<'_>, node: Node, column: &Column, lanes: &[Lane]) {
        table.members.fill(NOBODY);
        for lane in lanes {
            if let Lane::Codes(codes) = lane {
                codes.for_each(|row, code| {
                    if self.mask[row] == 1 {
                        table.members[row] = table.group_of_code(column, code as usize) as u32;
                    }
                });
            }
        }
        kernel::for_each_row(self.mask, |row| {
            if table.members[row] == NOBODY {
                let key = self.snapshot.state.value(node, self.chunk * ROWS + row);
                table.members[row] = table.group_of(key) as u32;
            }
            let group = &mut table.groups[table.members[row] as usize];
            group.meet(|| self.id(row));
            for (sum, added) in group.sums.iter_mut().zip(self.added) {
                sum.count += u64::from(added.path.is_none());
            }
        });
    }

    /// The numbers of all lanes by row.
    fn spread(&self, table: &mut Table<'_>, piece: &Piece) {
        let numbers = &mut table.numbers;
        numbers.fill(f64::NAN);
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
    }

    /// As [`Self::add_up`], straight from the stored offsets, where one dense lane holds everything; else false.
    fn add_up_stored(&self, table: &mut Table<'_>, at: usize, piece: &Piece) -> bool {
        let (ints, divisor) = match &piece.lanes[..] {
            [Lane::Ints(ints)] => (ints, 1.0),
            [Lane::Floats(floats)] => match floats.divisor() {
                Some(divisor) => (&floats.ints, divisor),
                None => return false,
            },
            _ => return false,
        };
        let Form::Many { base, offsets, .. } = &ints.form else {
            return false;
        };
        // Both parts and their sum are exact as doubles.
        const REACH: i64 = 1 << 52;
        if base.abs() >= REACH || offsets.largest() >= REACH.unsigned_abs() {
            return false;
        }
        let mut sums = table.sums(at);
        #[allow(clippy::cast_precision_loss, reason = "below 2^52")]
        let base = *base as f64;
        each_width!(offsets, values => {
            add_offsets(values, self.mask, &table.members, (base, divisor), &mut sums);
        });
        table.set_sums(at, &sums);
        true
    }

    /// Adds the numbers of a piece to the sums of their groups, in the order of rows, on which sums depend.
    fn add_up(&self, table: &mut Table<'_>, at: usize, piece: &Piece) {
        let extremes = self.added[at].extremes;
        let groups = table.groups.len();
        let simple = !(table.keeps || extremes || groups > COUNTED);
        if simple && self.add_up_stored(table, at, piece) {
            return;
        }
        self.spread(table, piece);
        if !simple {
            kernel::for_each_row(self.mask, |row| {
                let number = table.numbers[row];
                if !number.is_nan() {
                    let sum = &mut table.groups[table.members[row] as usize].sums[at];
                    sum.add(number, || self.id(row));
                }
            });
            return;
        }
        // Rows without a number go to a group of their own behind the others: no branch that is hard to foresee.
        let mut sums = table.sums(at);
        let rows = self.mask.iter().zip(table.members.iter());
        for ((picked, group), number) in rows.zip(table.numbers.iter()) {
            let counts = (*picked == 1) & !number.is_nan();
            let group = if counts { *group as usize } else { groups };
            let (total, count) = &mut sums[group];
            *total += number;
            *count += 1;
        }
        table.set_sums(at, &sums);
    }
}

/// Adds `(base + offset) / divisor` of each row to the sum of its group; rows that are not selected or hold nothing, to the
/// last one.
fn add_offsets<T: Offset>(
    values: &[T],
    mask: &Mask,
    members: &[u32; ROWS],
    (base, divisor): (f64, f64),
    sums: &mut [(f64, u64)],
) {
    /// Numbers that are made at once, so that the divisions are done side by side.
    const BLOCK: usize = 64;
    let nobody = sums.len().saturating_sub(1);
    let mut numbers = [0.0; BLOCK];
    let rows = mask.chunks(BLOCK).zip(members.chunks(BLOCK));
    for (values, (mask, members)) in values.chunks(BLOCK).zip(rows) {
        #[allow(clippy::cast_precision_loss, reason = "below 2^52")]
        for (number, value) in numbers.iter_mut().zip(values) {
            *number = (base + value.wide() as f64) / divisor;
        }
        let rows = values.iter().zip(mask).zip(members);
        for (((value, picked), group), number) in rows.zip(&numbers) {
            let counts = (*picked == 1) & (*value != T::NONE);
            let group = if counts { *group as usize } else { nobody };
            if let Some((total, count)) = sums.get_mut(group) {
                *total += number;
                *count += 1;
            }
        }
    }
}
