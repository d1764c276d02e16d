//! Pages of documents in the order of ids, without looking at what comes before.
use super::error::IndexError;
use super::execute::Run;
use super::ints::ROWS;
use super::kernel;
use super::snapshot::Snapshot;
use crate::predicate::Condition;
use serde_json::Value;
use std::collections::BinaryHeap;

impl Snapshot {
    /// The first `most` documents that a condition selects after `start`, in the order of ids.
    ///
    /// `start` is the sort key of the last document that was seen: its device (or group), and its module (or job,
    /// else empty). Documents are as queries see them: own attributes over inherited ones.
    ///
    /// ```
    /// use fleet_query::{Collection, Dialect, Mode, Query, index::{Change, WriterIndex}};
    /// let mut index = WriterIndex::new(Collection::Devices);
    /// for id in ["a", "b", "c"] {
    ///     index.change(&Change::Put { document: &format!(r#"{{"deviceId":"{id}"}}"#) })?;
    /// }
    /// let all = Query::parse("SELECT * FROM devices", Dialect::IotHub, Mode::Lenient).unwrap();
    /// let page = index.snapshot().page(all.condition(), Some(("a", "")), 1)?;
    /// assert_eq!(page[0]["deviceId"], "b");
    /// # Ok::<(), fleet_query::index::IndexError>(())
    /// ```
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn page(
        &self,
        condition: &Condition,
        start: Option<(&str, &str)>,
        most: usize,
    ) -> Result<Vec<Value>, IndexError> {
        let rows = self.page_rows(condition, start, most)?;
        let documents = rows.into_iter().filter_map(|row| self.state.document(row));
        Ok(documents.collect())
    }

    /// [`Self::page`] of the documents as they were written, without what their groups give them.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn own_page(
        &self,
        condition: &Condition,
        start: Option<(&str, &str)>,
        most: usize,
    ) -> Result<Vec<Value>, IndexError> {
        let rows = self.page_rows(condition, start, most)?;
        let documents = rows
            .into_iter()
            .filter_map(|row| self.state.own_document(row));
        Ok(documents.collect())
    }

    fn page_rows(
        &self,
        condition: &Condition,
        start: Option<(&str, &str)>,
        most: usize,
    ) -> Result<Vec<usize>, IndexError> {
        let after = start.map(|(first, second)| match second {
            "" => first.to_owned(),
            _ => format!("{first}\0{second}"),
        });
        let after = after.as_deref();
        let run = Run::new(&self.state, self.budget());
        let plan = self.planned(condition)?;
        let chunks = run
            .chunks(&plan)
            .unwrap_or_else(|| (0..self.state.chunks()).collect());
        let mut mask = Box::new([0; ROWS]);
        // The smallest ids so far, the largest of them on top.
        let mut found: BinaryHeap<(&str, usize)> = BinaryHeap::new();
        for chunk in chunks {
            if self.state.sorted && (found.len() >= most || self.ends_before(chunk, after)) {
                continue;
            }
            mask.fill(0);
            run.select(&plan, chunk, None, &mut mask)?;
            kernel::for_each_row(&mask, |row| {
                let row = chunk * ROWS + row;
                let Some(id) = self.state.id(row) else { return };
                if after.is_some_and(|after| id <= after) {
                    return;
                }
                if found.len() < most {
                    found.push((id, row));
                } else if found.peek().is_some_and(|(largest, _)| id < *largest) {
                    found.pop();
                    found.push((id, row));
                }
            });
        }
        let sorted = found.into_sorted_vec();
        Ok(sorted.into_iter().map(|(_, row)| row).collect())
    }

    /// Whether every id of a chunk, whose rows ascend by id, lies at or before `after`.
    fn ends_before(&self, chunk: usize, after: Option<&str>) -> bool {
        let Some(after) = after else { return false };
        let mut rows = (chunk * ROWS..(chunk + 1) * ROWS).rev();
        rows.find_map(|row| self.state.id(row))
            .is_none_or(|last| last <= after)
    }
}
