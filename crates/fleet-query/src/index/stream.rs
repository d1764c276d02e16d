//! Many changes at once: read before their turn, so that memory is waited for once for all of them, and written column
//! by column.
use super::column::Cell;
use super::error::IndexError;
use super::schema::Node;
use super::shred::Shred;
use super::state::{State, id_in};
use super::writer::{Change, WriterIndex, resolve};
use std::ops::Range;
use std::sync::Arc;

/// Changes that are read before the first of them is applied, and documents whose cells are written together.
const AHEAD: usize = 16;

/// A change, and where its cells are among those of all that were read with it.
struct Read<'a> {
    change: Change<'a>,
    /// None if it says no cells, or cannot be read: then that is told at its turn.
    cells: Option<Range<usize>>,
}

/// Changes that were read, in order.
#[derive(Default)]
struct Ahead<'a> {
    changes: Vec<Read<'a>>,
    cells: Vec<(Node, Shred<'a>)>,
    /// Texts that had escapes.
    texts: Vec<String>,
}

/// A document that has its row, and whose cells wait to be written.
struct Waiting {
    row: usize,
    cells: Range<usize>,
    /// Cells that take the place of another.
    replaced: usize,
}

/// Documents whose cells are written together: all of them new, or none.
#[derive(Default)]
struct Batch<'a> {
    fresh: bool,
    documents: Vec<Waiting>,
    /// By column: the cells, with the number of their document.
    columns: Vec<Vec<(u32, Shred<'a>)>>,
    /// The columns that have any.
    nodes: Vec<Node>,
}

impl WriterIndex {
    /// Applies many changes, in order: as one [`Self::change`] after the other, in less time. Returns how many.
    ///
    /// ```
    /// use fleet_query::{Collection, index::{Change, WriterIndex}};
    /// let mut index = WriterIndex::new(Collection::Devices);
    /// let count = index.change_all([
    ///     Change::Put { document: r#"{"deviceId":"a","tags":{"n":1}}"# },
    ///     Change::Patch { id: "a", patch: r#"{"tags":{"n":2}}"# },
    /// ])?;
    /// assert_eq!(count, 2);
    /// assert_eq!(index.snapshot().document("a").unwrap()["tags"]["n"], 2);
    /// # Ok::<(), fleet_query::index::IndexError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::change`], at the first change that is refused; those before it are applied.
    pub fn change_all<'a>(
        &mut self,
        changes: impl IntoIterator<Item = Change<'a>>,
    ) -> Result<usize, IndexError> {
        let mut changes = changes.into_iter();
        let (mut ahead, mut batch) = (Ahead::default(), Batch::default());
        let mut count = 0;
        while self.read(&mut changes, &mut ahead) {
            self.touch_all(&ahead);
            let mut done = Ok(());
            for read in &ahead.changes {
                done = self.turn(read, &ahead, &mut batch);
                if done.is_err() {
                    break;
                }
                count += 1;
            }
            self.write_batch(&mut batch, &ahead);
            done?;
        }
        Ok(count)
    }

    /// Puts many canonical documents, in order, as JSON texts: as one [`Change::Put`] after the other, in less time.
    /// Returns how many.
    ///
    /// ```
    /// use fleet_query::{Collection, index::WriterIndex};
    /// let mut index = WriterIndex::new(Collection::Devices);
    /// let lines = "{\"deviceId\":\"a\"}\n{\"deviceId\":\"b\",\"tags\":{\"n\":1}}\n";
    /// assert_eq!(index.put_all(lines.lines())?, 2);
    /// assert_eq!(index.snapshot().len(), 2);
    /// # Ok::<(), fleet_query::index::IndexError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Self::change`], at the first document that is refused; those before it are put.
    pub fn put_all<'a>(
        &mut self,
        documents: impl IntoIterator<Item = &'a str>,
    ) -> Result<usize, IndexError> {
        let documents = documents.into_iter();
        let State {
            ids,
            columns,
            id_node,
            ..
        } = &mut self.state;
        if documents.size_hint().0 > 0 {
            Arc::make_mut(ids).reserve(documents.size_hint().0, |row| {
                id_in(columns, *id_node, row as usize)
            });
        }
        self.change_all(documents.map(|document| Change::Put { document }))
    }

    /// Reads the next changes; false if there are no more.
    fn read<'a>(
        &mut self,
        changes: &mut impl Iterator<Item = Change<'a>>,
        ahead: &mut Ahead<'a>,
    ) -> bool {
        ahead.changes.clear();
        ahead.cells.clear();
        ahead.texts.clear();
        std::mem::swap(&mut self.shredder.texts, &mut ahead.texts);
        self.shredder.clear();
        for change in changes.take(AHEAD) {
            let from = ahead.cells.len();
            let text = match change {
                Change::Put { document } => Some(document),
                Change::Patch { patch, .. } => Some(patch),
                _ => None,
            };
            let read = text.map(|text| {
                let schema = &mut self.state.schema;
                self.shredder.shred(text, schema, &mut ahead.cells)
            });
            let refused = matches!(read, Some(Err(_)));
            let cells = matches!(read, Some(Ok(()))).then_some(from..ahead.cells.len());
            ahead.changes.push(Read { change, cells });
            if refused {
                break;
            }
        }
        std::mem::swap(&mut self.shredder.texts, &mut ahead.texts);
        self.grow_columns();
        !ahead.changes.is_empty()
    }

    /// Reads a little of all that the changes will look at: first the tables of ids, then the ids of the rows found there,
    /// then the pieces and the cells, so that each way through memory is waited for once for all.
    fn touch_all(&self, ahead: &Ahead<'_>) {
        let hashes: Vec<Option<u64>> = ahead
            .changes
            .iter()
            .map(|read| {
                let id = match (read.change, &read.cells) {
                    (Change::Patch { id, .. }, _) => self.stored_id(id),
                    (Change::Put { .. }, Some(cells)) => {
                        let id = self.id_among(ahead.of(cells), &ahead.texts).ok()?;
                        self.may_hold(&id).then_some(id)?
                    }
                    _ => return None,
                };
                Some(self.state.ids.touch(&id))
            })
            .collect();
        let rows: Vec<Option<usize>> = hashes
            .iter()
            .map(|hash| {
                let row = self.state.ids.likely((*hash)?)? as usize;
                let ids = self.state.column(self.state.id_node)?;
                std::hint::black_box(ids.touch(row));
                Some(row)
            })
            .collect();
        let found = || {
            let changes = ahead.changes.iter().zip(&rows);
            changes.filter_map(|(read, row)| Some(((*row)?, ahead.of(read.cells.as_ref()?))))
        };
        for (row, cells) in found() {
            self.touch_pieces(row, cells);
        }
        for (row, cells) in found() {
            self.touch(row, cells);
        }
    }

    /// Applies a change, or leaves its cells in the batch.
    fn turn<'a>(
        &mut self,
        read: &Read<'a>,
        ahead: &Ahead<'a>,
        batch: &mut Batch<'a>,
    ) -> Result<(), IndexError> {
        match (read.change, &read.cells) {
            (Change::Put { .. }, Some(cells)) => self.put_later(cells.clone(), ahead, batch),
            (Change::Patch { id, .. }, Some(cells)) => {
                let row = self.row(id)? as usize;
                if batch.has(row) {
                    self.write_batch(batch, ahead);
                }
                self.merge(row, id, ahead.of(cells), &ahead.texts)
            }
            (change, _) => {
                self.write_batch(batch, ahead);
                self.change(&change)
            }
        }
    }

    /// Gives a document its row, and leaves its cells in the batch.
    fn put_later<'a>(
        &mut self,
        cells: Range<usize>,
        ahead: &Ahead<'a>,
        batch: &mut Batch<'a>,
    ) -> Result<(), IndexError> {
        let id = self.id_among(ahead.of(&cells), &ahead.texts)?;
        let held = match self.may_hold(&id) {
            true => self.state.row_of(&id),
            false => None,
        };
        if batch.fresh != held.is_none() || held.is_some_and(|row| batch.has(row)) {
            self.write_batch(batch, ahead);
            batch.fresh = held.is_none();
        }
        let row = match held {
            Some(row) => row,
            None => {
                let row = self.new_row(&id);
                self.set(self.state.id_node, row, Cell::Text(&id));
                self.add_id(&id, row);
                row
            }
        };
        let number = u32::try_from(batch.documents.len()).unwrap_or(u32::MAX);
        if batch.columns.len() < self.state.columns.len() {
            let columns = self.state.columns.len();
            batch.columns.resize_with(columns, Vec::new);
        }
        for (node, shred) in ahead.of(&cells) {
            if let Some(column) = batch.columns.get_mut(*node as usize)
                && (!batch.fresh || *node != self.state.id_node)
            {
                if column.is_empty() {
                    batch.nodes.push(*node);
                }
                column.push((number, *shred));
            }
        }
        batch.documents.push(Waiting {
            row,
            cells,
            replaced: 0,
        });
        Ok(())
    }

    /// Writes the cells that wait, column by column.
    fn write_batch(&mut self, batch: &mut Batch<'_>, ahead: &Ahead<'_>) {
        for node in batch.nodes.drain(..) {
            let column = self.state.columns.get_mut(node as usize);
            let (Some(column), Some(cells)) = (column, batch.columns.get_mut(node as usize)) else {
                continue;
            };
            let documents = &mut batch.documents;
            if batch.fresh {
                let row = |number: u32| documents.get(number as usize).map_or(0, |d| d.row);
                let cells = cells.iter();
                Arc::make_mut(column).set_fresh(
                    cells.map(|(number, shred)| (row(*number), resolve(*shred, &ahead.texts))),
                );
            } else {
                let texts = &ahead.texts;
                let mut cells = cells.iter().peekable();
                let same = |documents: &[Waiting], (number, shred): &(u32, Shred<'_>)| {
                    let row = documents.get(*number as usize).map_or(0, |d| d.row);
                    column.holds(row, resolve(*shred, texts))
                };
                // A column that a snapshot holds is not copied for values that it has.
                while let Some((number, _)) = cells.next_if(|cell| same(documents, cell)) {
                    if let Some(document) = documents.get_mut(*number as usize) {
                        document.replaced += 1;
                    }
                }
                if cells.peek().is_some() {
                    let column = Arc::make_mut(column);
                    for (number, shred) in cells {
                        if let Some(document) = documents.get_mut(*number as usize) {
                            let fresh = column.put(document.row, resolve(*shred, texts));
                            document.replaced += usize::from(!fresh);
                        }
                    }
                }
            }
            cells.clear();
        }
        for Waiting {
            row,
            cells,
            replaced,
        } in batch.documents.drain(..)
        {
            let cells = ahead.of(&cells);
            if !batch.fresh {
                self.sweep_replaced(row, cells, replaced);
            }
            self.count_cells(row, cells.len());
        }
    }
}

impl<'a> Ahead<'a> {
    fn of(&self, cells: &Range<usize>) -> &[(Node, Shred<'a>)] {
        self.cells.get(cells.clone()).unwrap_or_default()
    }
}

impl Batch<'_> {
    fn has(&self, row: usize) -> bool {
        self.documents.iter().any(|document| document.row == row)
    }
}
