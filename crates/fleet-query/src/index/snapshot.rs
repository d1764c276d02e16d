//! The reading side: an immutable view of the fleet, and what can be asked of it.
use super::error::IndexError;
use super::execute::Run;
use super::ints::ROWS;
use super::kernel;
use super::plan::{Plan, plan};
use super::state::State;
use super::writer::stored_id;
use crate::dialect::Collection;
use crate::document::is_metadata;
use crate::path::{FieldPath, Segment};
use crate::predicate::Condition;
use serde_json::Value;
use std::fmt;

/// The most index entries that a query visits unless it is told otherwise.
pub const DEFAULT_BUDGET: u64 = 10_000_000_000;

/// Chunks that are touched together before they are read, so that their way through memory is waited for once.
const TOUCHED: usize = 8;

/// The id of a document, borrowed from the index. Prints as `device`, `device/module` or `device/job`; orders as
/// the reference does, by device and then by the second name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id<'a>(pub(crate) &'a str);

impl<'a> Id<'a> {
    /// The device (or the group).
    #[must_use]
    pub fn device(self) -> &'a str {
        self.0.split_once('\0').map_or(self.0, |(device, _)| device)
    }

    /// The module or the job.
    #[must_use]
    pub fn second(self) -> Option<&'a str> {
        self.0.split_once('\0').map(|(_, second)| second)
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.split_once('\0') {
            Some((device, second)) => write!(f, "{device}/{second}"),
            None => f.write_str(self.0),
        }
    }
}

/// The fleet as it was at one position. Cheap to take, free to keep, never changes, never blocks the writer.
#[derive(Clone, Debug)]
pub struct Snapshot {
    pub(crate) state: State,
    budget: u64,
}

impl Snapshot {
    pub(crate) const fn new(state: State) -> Self {
        Self {
            state,
            budget: DEFAULT_BUDGET,
        }
    }

    /// The same view with another cost limit: index entries that one query may visit.
    #[must_use]
    pub const fn with_budget(mut self, entries: u64) -> Self {
        self.budget = entries;
        self
    }

    /// The position of the last event that the view shows.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.state.position
    }

    /// The collection.
    #[must_use]
    pub const fn collection(&self) -> Collection {
        self.state.collection
    }

    /// How many documents there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.state.live
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.state.live == 0
    }

    /// Bytes of everything in the view, shared or not.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.bytes()
    }

    /// The document of an id as queries see it: own attributes over inherited ones.
    #[must_use]
    pub fn document(&self, id: &str) -> Option<Value> {
        self.state
            .document(self.state.row_of(&stored_id(self.state.collection, id))?)
    }

    /// The document as it was written, without what its groups give it.
    #[must_use]
    pub fn own_document(&self, id: &str) -> Option<Value> {
        self.state
            .own_document(self.state.row_of(&stored_id(self.state.collection, id))?)
    }

    /// Every document as queries see it, in the order of ids.
    pub fn documents(&self) -> impl Iterator<Item = Value> + '_ {
        let everything = Plan::Everything(true);
        self.rows_of(&everything, &Run::new(&self.state, u64::MAX))
            .unwrap_or_default()
            .into_iter()
            .filter_map(|row| self.state.document(row as usize))
    }

    /// How many documents a condition selects.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn count(&self, condition: &Condition) -> Result<u64, IndexError> {
        let run = Run::new(&self.state, self.budget);
        let plan = self.planned(condition)?;
        if let Plan::Everything(all) = plan {
            return Ok(if all { self.state.live as u64 } else { 0 });
        }
        self.count_plan(&plan, &run)
    }

    pub(crate) fn count_plan(&self, plan: &Plan<'_>, run: &Run<'_>) -> Result<u64, IndexError> {
        if let Plan::Row(row) = plan {
            return Ok(u64::from(row.is_some()));
        }
        if let Plan::Found { rows, .. } = plan {
            return Ok(rows.len() as u64);
        }
        if let Plan::Leaf(leaf) = plan
            && let Some(node) = leaf.any_value()
        {
            return Ok(self.state.column(node).map_or(0, |column| column.cells));
        }
        let chunks = run.chunks(plan);
        let chunks = chunks.unwrap_or_else(|| (0..self.state.chunks()).collect());
        let mut mask = Box::new([0; ROWS]);
        let mut total = 0;
        for some in chunks.chunks(TOUCHED) {
            some.iter().for_each(|chunk| run.touch(plan, *chunk));
            for chunk in some {
                total += run.count(plan, *chunk, &mut mask)? as u64;
            }
        }
        Ok(total)
    }

    /// The ids of the documents that a condition selects, ascending.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn ids(&self, condition: &Condition) -> Result<Vec<Id<'_>>, IndexError> {
        self.first_ids(condition, usize::MAX)
    }

    /// The first `most` of [`Self::ids`].
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn first_ids(&self, condition: &Condition, most: usize) -> Result<Vec<Id<'_>>, IndexError> {
        let run = Run::new(&self.state, self.budget);
        let plan = self.planned(condition)?;
        let mut ids = Vec::new();
        match &plan {
            Plan::Row(row) => {
                ids.extend(row.and_then(|row| self.state.id(row)).map(Id));
                ids.truncate(most);
                return Ok(ids);
            }
            Plan::Found { rows, .. } => {
                let of_row = |row: &u32| self.state.id(*row as usize).map(Id);
                ids.extend(rows.iter().filter_map(of_row));
                return Ok(self.first_of(ids, most));
            }
            Plan::Leaf(leaf) => {
                if let Some(node) = leaf.any_value()
                    && let Some(column) = self.state.column(node)
                    && column.cells * 64 < self.state.live as u64
                {
                    for (chunk, piece) in &column.pieces {
                        let from = *chunk as usize * ROWS;
                        piece.for_each_held(|row| ids.extend(self.state.id(from + row).map(Id)));
                    }
                    return Ok(self.first_of(ids, most));
                }
            }
            _ => {}
        }
        let chunks = run.chunks(&plan);
        let chunks = chunks.unwrap_or_else(|| (0..self.state.chunks()).collect());
        let mut mask = Box::new([0; ROWS]);
        for chunk in chunks {
            mask.fill(0);
            run.select(&plan, chunk, None, &mut mask)?;
            let piece = self
                .state
                .column(self.state.id_node)
                .and_then(|column| column.piece(chunk));
            let lane = piece.and_then(|piece| match piece.lanes.as_slice() {
                [super::column::Lane::Texts(texts)] => Some(texts),
                _ => None,
            });
            if let Some(texts) = lane {
                ids.reserve(kernel::total(&mask));
                texts.for_each_marked(&mask, |id| ids.push(Id(id)));
            }
            if self.state.sorted && ids.len() >= most {
                break;
            }
        }
        Ok(self.first_of(ids, most))
    }

    /// The first ids, of all that are selected in the order of rows.
    fn first_of<'a>(&self, mut ids: Vec<Id<'a>>, most: usize) -> Vec<Id<'a>> {
        if !self.state.sorted {
            ids.sort_unstable();
        }
        ids.truncate(most);
        ids
    }

    /// Rows that a plan selects, in the order of ids.
    pub(crate) fn rows_of(&self, plan: &Plan<'_>, run: &Run<'_>) -> Result<Vec<u32>, IndexError> {
        let mut rows = Vec::new();
        self.for_each_row(plan, run, |row| {
            rows.extend(u32::try_from(row).ok());
            true
        })?;
        if !self.state.sorted {
            rows.sort_by_cached_key(|row| self.state.id(*row as usize).unwrap_or_default());
        }
        Ok(rows)
    }

    /// Calls `f` for each selected row, ascending, until it says false.
    pub(crate) fn for_each_row(
        &self,
        plan: &Plan<'_>,
        run: &Run<'_>,
        mut f: impl FnMut(usize) -> bool,
    ) -> Result<(), IndexError> {
        let chunks = run
            .chunks(plan)
            .unwrap_or_else(|| (0..self.state.chunks()).collect());
        let mut mask = Box::new([0; ROWS]);
        for chunk in chunks {
            mask.fill(0);
            run.select(plan, chunk, None, &mut mask)?;
            let mut more = true;
            kernel::for_each_row(&mask, |row| {
                if more {
                    more = f(chunk * ROWS + row);
                }
            });
            if !more {
                break;
            }
        }
        Ok(())
    }

    /// The plan of a condition that this index can answer.
    pub(crate) fn planned<'q>(&self, condition: &'q Condition) -> Result<Plan<'q>, IndexError> {
        if !self.state.metadata {
            condition
                .predicate
                .paths()
                .into_iter()
                .try_for_each(|path| self.must_keep(path))?;
        }
        Ok(self.ordered(plan(&self.state, condition)))
    }

    /// Refuses a path of per-leaf metadata that the index does not keep.
    pub(crate) fn must_keep(&self, path: &FieldPath) -> Result<(), IndexError> {
        let keys: Vec<&str> = path
            .segments()
            .iter()
            .map(|segment| match segment {
                Segment::Key(key) => &**key,
                Segment::Index(_) => "",
            })
            .collect();
        if self.state.metadata
            || !(1..=keys.len()).any(|to| keys.get(..to).is_some_and(is_metadata))
        {
            return Ok(());
        }
        Err(IndexError::MetadataNotKept {
            path: path.to_string(),
        })
    }

    /// Whether per-leaf metadata is kept.
    #[must_use]
    pub const fn keeps_metadata(&self) -> bool {
        self.state.metadata
    }

    /// Bytes of the columns of per-leaf metadata, a part of [`Self::bytes`].
    #[must_use]
    pub fn metadata_bytes(&self) -> usize {
        self.state.metadata_bytes()
    }

    /// Puts what selects few rows first, judged by two chunks; what rebuilds documents comes last.
    pub(crate) fn ordered<'q>(&self, plan: Plan<'q>) -> Plan<'q> {
        let Plan::All(mut children) = plan else {
            return plan;
        };
        let run = Run::new(&self.state, u64::MAX);
        let chunks = self.state.chunks();
        children.sort_by_cached_key(|child| match child {
            Plan::Row(_) | Plan::Found { .. } | Plan::Everything(_) => 0,
            Plan::Judge(_) => usize::MAX,
            Plan::Leaf(_) if chunks > 4 => {
                let mut mask = Box::new([0; ROWS]);
                let sampled = run
                    .select(child, chunks / 2, None, &mut mask)
                    .map_or(ROWS, |()| kernel::total(&mask));
                1 + sampled
            }
            Plan::Leaf(_) => 1 + ROWS,
            Plan::Any(_) | Plan::All(_) => 2 + ROWS,
            Plan::Outside(_) => 3 + ROWS,
        });
        Plan::All(children)
    }

    /// How the index would answer a condition, with estimated and actual numbers of rows. Counting runs every step on
    /// its own, so this costs more than the query.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn explain(&self, condition: &Condition) -> Result<String, IndexError> {
        let run = Run::new(&self.state, self.budget);
        let plan = self.planned(condition)?;
        let mut out = format!(
            "index over {} documents in {} chunks\n",
            self.state.live,
            self.state.chunks()
        );
        self.describe(&plan, &run, 1, &mut out)?;
        out.push_str(&format!("visited {} entries", run.spent()));
        Ok(out)
    }

    pub(crate) const fn budget(&self) -> u64 {
        self.budget
    }

    fn describe(
        &self,
        plan: &Plan<'_>,
        run: &Run<'_>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), IndexError> {
        let (label, children) = super::explain::label(&self.state, plan);
        let actual = self.count_plan(plan, run)?;
        let mut mask = Box::new([0; ROWS]);
        let chunks = self.state.chunks();
        let sampled = run.count(plan, chunks / 2, &mut mask)? * chunks;
        let visited = run.chunks(plan).map_or(chunks, |chunks| chunks.len());
        out.push_str(&format!(
            "{:indent$}{label} (estimated {}, actual {actual}, chunks {visited}/{chunks})\n",
            "",
            sampled.min(self.state.live),
            indent = depth * 2
        ));
        for child in children {
            self.describe(child, run, depth + 1, out)?;
        }
        Ok(())
    }
}
