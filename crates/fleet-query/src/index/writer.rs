//! The writing side: changes in, one at a time and in order; snapshots out.
use super::column::Cell;
use super::error::IndexError;
use super::ints::ROWS;
use super::schema::{Node, PATHS, ROOT};
use super::shred::{Refusal, Shred, Shredder};
use super::snapshot::Snapshot;
use super::state::{HIDDEN, State, id_in};
use crate::dialect::Collection;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// One change of the fleet, as an event records it.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change<'a> {
    /// The whole canonical document, as JSON text: created or replaced.
    Put {
        /// The document.
        document: &'a str,
    },
    /// A JSON merge patch of a document that is there; `null` removes a member.
    Patch {
        /// The document's id (`device`, `device/module`, `device/job` or the group's name).
        id: &'a str,
        /// The patch, from the root of the document.
        patch: &'a str,
    },
    /// The document is gone, and with it its memberships.
    Delete {
        /// The document's id.
        id: &'a str,
    },
    /// The device became a direct member of a static group.
    Join {
        /// The device.
        id: &'a str,
        /// The group.
        group: &'a str,
    },
    /// The device left a static group.
    Leave {
        /// The device.
        id: &'a str,
        /// The group.
        group: &'a str,
    },
    /// A static group: its parent and its own attributes, created or replaced. Members stay.
    Group {
        /// The group.
        name: &'a str,
        /// Its parent, if it is not a root.
        parent: Option<&'a str>,
        /// Its own attributes; members inherit those that they do not have themselves.
        attributes: &'a Map<String, Value>,
    },
    /// The group is gone, and with it every membership in it.
    DropGroup {
        /// The group.
        name: &'a str,
    },
    /// An event that changes nothing here; only the position moves.
    Nothing,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The index shows it now.
    Changed,
    /// It was at or below the position reached.
    Ignored,
}

/// The fleet index, as its one writer holds it.
///
/// ```
/// use fleet_query::{Collection, index::{Change, WriterIndex}};
/// let mut index = WriterIndex::new(Collection::Devices);
/// index.change(&Change::Put { document: r#"{"deviceId":"a","tags":{"n":1}}"# })?;
/// let before = index.snapshot();
/// index.change(&Change::Patch { id: "a", patch: r#"{"tags":{"n":2}}"# })?;
/// assert_eq!(before.document("a").unwrap()["tags"]["n"], 1);
/// assert_eq!(index.snapshot().document("a").unwrap()["tags"]["n"], 2);
/// # Ok::<(), fleet_query::index::IndexError>(())
/// ```
#[derive(Debug)]
pub struct WriterIndex {
    pub(crate) state: State,
    pub(crate) shredder: Shredder,
    /// Cells per row, so that a replaced document knows whether it left any behind.
    pub(crate) cells: Vec<u16>,
    pub(crate) free: Vec<u32>,
    /// The last stream version applied, by row; 0 for none.
    pub(crate) versions: Vec<u32>,
    ignored: u64,
    pub(crate) last_id: String,
    path: Vec<Node>,
    /// The columns, those with many cells first, and when they were put in this order.
    by_size: Vec<Node>,
    sweeps: u32,
    /// Room for a mark on every column.
    keep: Vec<bool>,
}

impl WriterIndex {
    /// An empty index of a collection.
    #[must_use]
    pub fn new(collection: Collection) -> Self {
        Self::of(State::new(collection))
    }

    /// An empty index that leaves per-leaf metadata out: when each value of a twin was last written
    /// (`properties.desired.$metadata`, `properties.reported.$metadata`, `shadow.metadata`, the same of named shadows). It
    /// answers as over documents that have none, and refuses what names it.
    ///
    /// ```
    /// use fleet_query::{Collection, Dialect, Mode, Query, index::{Change, WriterIndex}};
    /// let mut index = WriterIndex::without_metadata(Collection::Devices);
    /// let document = r#"{"deviceId":"a","properties":{"reported":{"n":1,"$metadata":{"n":{"$lastUpdated":"2026-01-01T00:00:00Z"}}}}}"#;
    /// index.change(&Change::Put { document })?;
    /// let text = "SELECT * FROM devices WHERE properties.reported.$metadata.n.$lastUpdated > '2026'";
    /// let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
    /// assert_eq!(index.snapshot().count(query.condition()).unwrap_err().code(), "query.metadata_not_kept");
    /// # Ok::<(), fleet_query::index::IndexError>(())
    /// ```
    #[must_use]
    pub fn without_metadata(collection: Collection) -> Self {
        let mut state = State::new(collection);
        state.metadata = false;
        Self::of(state)
    }

    pub(crate) fn of(state: State) -> Self {
        let mut shredder = Shredder::default();
        shredder.drops_metadata = !state.metadata;
        Self {
            state,
            shredder,
            cells: Vec::new(),
            free: Vec::new(),
            versions: Vec::new(),
            ignored: 0,
            last_id: String::new(),
            path: Vec::new(),
            by_size: Vec::new(),
            sweeps: 0,
            keep: Vec::new(),
        }
    }

    /// An immutable view of the fleet as it is now. It costs a few pointers per path and nothing per device; what it
    /// shares with the writer is copied piece by piece as it changes, and given back when the snapshot drops.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::new(self.state.clone())
    }

    /// The position of the last event applied.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.state.position
    }

    /// How many events came again and were ignored.
    #[must_use]
    pub const fn ignored(&self) -> u64 {
        self.ignored
    }

    pub(crate) const fn set_ignored(&mut self, ignored: u64) {
        self.ignored = ignored;
    }

    /// Bytes of everything that the index holds: columns, dictionaries, ids, groups, and the writer's own tables.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.state.bytes()
            + self.cells.capacity() * 2
            + self.versions.capacity() * 4
            + self.free.capacity() * 4
    }

    /// Whether per-leaf metadata is kept: as it was opened.
    #[must_use]
    pub const fn keeps_metadata(&self) -> bool {
        self.state.metadata
    }

    /// Bytes of the columns of per-leaf metadata, a part of [`Self::bytes`].
    #[must_use]
    pub fn metadata_bytes(&self) -> usize {
        self.state.metadata_bytes()
    }

    /// Gives back memory that growing has reserved.
    pub fn shrink(&mut self) {
        for column in &mut self.state.columns {
            if let Some(column) = Arc::get_mut(column) {
                column.shrink();
            }
        }
        self.cells.shrink_to_fit();
        self.versions.shrink_to_fit();
    }

    /// Applies a recorded event. `version` is the event's version in the document's stream, from 1, where the feed
    /// carries one stream per document; without it only positions are checked.
    ///
    /// # Errors
    /// `query.version_gap` when versions of the stream are missing before this one; otherwise as [`Self::change`].
    pub fn apply(
        &mut self,
        position: u64,
        version: Option<u64>,
        change: &Change<'_>,
    ) -> Result<Applied, IndexError> {
        if position <= self.state.position {
            self.ignored += 1;
            return Ok(Applied::Ignored);
        }
        let mut stamp = None;
        if let Some(found) = version {
            let id = match change {
                Change::Patch { id, .. }
                | Change::Delete { id }
                | Change::Join { id, .. }
                | Change::Leave { id, .. } => Some(self.stored_id(id)),
                Change::Put { document } => Some(self.id_of(document)?.into()),
                Change::Group { .. } | Change::DropGroup { .. } | Change::Nothing => None,
            };
            if let Some(id) = id {
                let row = self.state.row_of(&id);
                let last = row
                    .and_then(|row| self.versions.get(row))
                    .copied()
                    .map_or(0, u64::from);
                if row.is_some() && last > 0 && found <= last {
                    self.ignored += 1;
                    self.state.position = position;
                    return Ok(Applied::Ignored);
                }
                // A document that the index has never seen may begin anywhere: its stream may have had a life before.
                if last > 0 && found != last + 1 {
                    return Err(IndexError::Gap {
                        id: id.replace('\0', "/"),
                        expected_after: last,
                        found,
                    });
                }
                stamp = Some((id, found));
            }
        }
        self.change(change)?;
        if let Some((id, version)) = stamp
            && let Some(row) = self.state.row_of(&id)
        {
            if self.versions.len() <= row {
                self.versions.resize(row + 1, 0);
            }
            if let Some(slot) = self.versions.get_mut(row) {
                *slot = u32::try_from(version).unwrap_or(u32::MAX);
            }
        }
        self.state.position = position;
        Ok(Applied::Changed)
    }

    /// Applies a change without a position: for documents that come from a file and not from a log.
    ///
    /// # Errors
    /// `query.invalid_document`, `query.not_found`, `query.renamed_document`, `query.too_many_paths`. A refused change
    /// leaves the index as it was.
    pub fn change(&mut self, change: &Change<'_>) -> Result<(), IndexError> {
        match *change {
            Change::Put { document } => self.put(document),
            Change::Patch { id, patch } => self.patch(id, patch),
            Change::Delete { id } => self.delete(id),
            Change::Join { id, group } => {
                let row = self.row(id)?;
                Arc::make_mut(&mut self.state.groups)
                    .group_mut(group)
                    .members
                    .insert(row);
                Ok(())
            }
            Change::Leave { id, group } => {
                let row = self.row(id)?;
                Arc::make_mut(&mut self.state.groups)
                    .group_mut(group)
                    .members
                    .remove(row);
                Ok(())
            }
            Change::Group {
                name,
                parent,
                attributes,
            } => {
                let group = Arc::make_mut(&mut self.state.groups).group_mut(name);
                group.parent = parent.map(Arc::from);
                group.attributes.clone_from(attributes);
                Ok(())
            }
            Change::DropGroup { name } => {
                Arc::make_mut(&mut self.state.groups).by_name.remove(name);
                Ok(())
            }
            Change::Nothing => Ok(()),
        }
    }

    /// Puts a canonical document that is a tree already.
    ///
    /// # Errors
    /// As [`Self::change`].
    pub fn put_value(&mut self, document: &Value) -> Result<(), IndexError> {
        self.put(&document.to_string())
    }

    pub(crate) fn row(&self, id: &str) -> Result<u32, IndexError> {
        self.state
            .row_of(&self.stored_id(id))
            .and_then(|row| u32::try_from(row).ok())
            .ok_or_else(|| IndexError::NotFound { id: id.to_owned() })
    }

    pub(crate) fn stored_id<'i>(&self, id: &'i str) -> Cow<'i, str> {
        stored_id(self.state.collection, id)
    }

    pub(crate) fn id_of(&self, document: &str) -> Result<String, IndexError> {
        let value: Value =
            serde_json::from_str(document).map_err(|_| malformed(0, "a JSON object"))?;
        let text = |key: &'static str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .ok_or(IndexError::NoId { member: key })
        };
        Ok(match self.state.collection {
            Collection::Devices | Collection::Messages => text("deviceId")?.to_owned(),
            Collection::Groups => text("thingGroupName")?.to_owned(),
            Collection::Modules => format!("{}\0{}", text("deviceId")?, text("moduleId")?),
            Collection::Jobs => format!("{}\0{}", text("deviceId")?, text("jobId")?),
        })
    }

    fn put(&mut self, document: &str) -> Result<(), IndexError> {
        let mut cells = Vec::with_capacity(64);
        self.shredder.clear();
        match self
            .shredder
            .shred(document, &mut self.state.schema, &mut cells)
        {
            Ok(()) => self.write(&cells),
            Err(Refusal::Repeated) => {
                let value: Value =
                    serde_json::from_str(document).map_err(|_| malformed(0, "a JSON object"))?;
                self.put(&value.to_string())
            }
            Err(refusal) => Err(refused(refusal)),
        }
    }

    fn write(&mut self, cells: &[(Node, Shred<'_>)]) -> Result<(), IndexError> {
        let texts = std::mem::take(&mut self.shredder.texts);
        let result = self.write_cells(cells, &texts);
        self.shredder.texts = texts;
        result
    }

    fn write_cells(
        &mut self,
        cells: &[(Node, Shred<'_>)],
        texts: &[String],
    ) -> Result<(), IndexError> {
        self.grow_columns();
        let id = self.id_among(cells, texts)?;
        let id = &*id;
        let (row, fresh) = match self.state.row_of(id) {
            Some(row) => (row, false),
            None => (self.new_row(id), true),
        };
        let mut replaced = 0usize;
        let hidden = matches!(
            self.state.collection,
            Collection::Modules | Collection::Jobs
        );
        if fresh && hidden {
            self.set(self.state.id_node, row, Cell::Text(id));
        }
        if !fresh {
            self.touch(row, cells);
        }
        for (node, shred) in cells {
            let cell = resolve(*shred, texts);
            let same = !fresh
                && self
                    .state
                    .column(*node)
                    .is_some_and(|column| column.holds(row, cell));
            replaced += usize::from(same || !self.set(*node, row, cell));
        }
        if !fresh {
            self.sweep_replaced(row, cells, replaced);
        }
        self.count_cells(row, cells.len());
        if fresh {
            self.add_id(id, row);
        }
        Ok(())
    }

    /// Reads a little of all that is about to be written, so that the cells' way through memory is waited for once, while
    /// the row's id is still being looked at.
    pub(crate) fn touch(&self, row: usize, cells: &[(Node, Shred<'_>)]) {
        let touched = cells.iter().fold(0, |sum: usize, (node, _)| {
            let column = self.state.column(*node);
            sum.wrapping_add(column.map_or(0, |column| column.touch(row)))
        });
        std::hint::black_box(touched);
    }

    /// Reads a little of the pieces that cells belong to.
    pub(crate) fn touch_pieces(&self, row: usize, cells: &[(Node, Shred<'_>)]) {
        let touched = cells.iter().fold(0, |sum: usize, (node, _)| {
            let column = self.state.column(*node);
            let piece = column.and_then(|column| column.piece(row / ROWS));
            sum.wrapping_add(piece.map_or(0, |piece| piece.lanes.len()))
        });
        std::hint::black_box(touched);
    }

    /// The id that a document's cells say, as it is stored.
    pub(crate) fn id_among<'c>(
        &self,
        cells: &[(Node, Shred<'c>)],
        texts: &'c [String],
    ) -> Result<Cow<'c, str>, IndexError> {
        let find = |key: &'static str, node: Option<Node>| {
            cells
                .iter()
                .find(|(at, _)| Some(*at) == node)
                .and_then(|(_, shred)| match resolve(*shred, texts) {
                    Cell::Text(text) => Some(text),
                    _ => None,
                })
                .ok_or(IndexError::NoId { member: key })
        };
        let member = |key: &'static str| find(key, self.state.schema.child(ROOT, key));
        Ok(match self.state.collection {
            Collection::Devices | Collection::Messages => {
                find("deviceId", Some(self.state.id_node))?.into()
            }
            Collection::Groups => find("thingGroupName", Some(self.state.id_node))?.into(),
            Collection::Modules => {
                format!("{}\0{}", member("deviceId")?, member("moduleId")?).into()
            }
            Collection::Jobs => format!("{}\0{}", member("deviceId")?, member("jobId")?).into(),
        })
    }

    /// Whether there can be a document of this id. Ids that ascend need no looking up.
    pub(crate) fn may_hold(&self, id: &str) -> bool {
        let last = self.state.rows > 0 && id <= self.last_id.as_str();
        last || !self.state.sorted || !self.free.is_empty()
    }

    pub(crate) fn add_id(&mut self, id: &str, row: usize) {
        let State {
            ids,
            columns,
            id_node,
            ..
        } = &mut self.state;
        if let Ok(row) = u32::try_from(row) {
            Arc::make_mut(ids).add(id, row, |row| id_in(columns, *id_node, row as usize));
        }
    }

    pub(crate) fn set(&mut self, node: Node, row: usize, cell: Cell<'_>) -> bool {
        match self.state.columns.get_mut(node as usize) {
            Some(column) => Arc::make_mut(column).set(row, cell),
            None => true,
        }
    }

    fn clear(&mut self, node: Node, row: usize) -> bool {
        match self.state.columns.get_mut(node as usize) {
            Some(column)
                if column
                    .piece(row / ROWS)
                    .is_some_and(|piece| piece.holds(row % ROWS)) =>
            {
                Arc::make_mut(column).clear(row)
            }
            _ => false,
        }
    }

    /// Notes how many cells a row holds.
    pub(crate) fn count_cells(&mut self, row: usize, held: usize) {
        if let Some(slot) = self.cells.get_mut(row) {
            *slot = u16::try_from(held).unwrap_or(u16::MAX);
        }
    }

    /// Empties what a row held before a new document replaced so many of its cells, and the document does not have.
    pub(crate) fn sweep_replaced(
        &mut self,
        row: usize,
        cells: &[(Node, Shred<'_>)],
        replaced: usize,
    ) {
        let before = self.cells.get(row).copied().map_or(0, usize::from);
        if before == usize::from(u16::MAX) {
            self.sweep(row, cells, None);
        } else if replaced < before {
            self.sweep(row, cells, Some(before - replaced));
        }
    }

    /// Empties every cell of a row that the new document has not written; `left` of them, where that is known. What most
    /// documents have is looked at first, so that hundreds of rare paths are seldom looked at.
    fn sweep(&mut self, row: usize, cells: &[(Node, Shred<'_>)], left: Option<usize>) {
        let mut keep = std::mem::take(&mut self.keep);
        keep.clear();
        keep.resize(self.state.columns.len(), false);
        for node in cells
            .iter()
            .map(|(node, _)| *node)
            .chain([self.state.id_node])
        {
            if let Some(slot) = keep.get_mut(node as usize) {
                *slot = true;
            }
        }
        let mut left = left.unwrap_or(usize::MAX);
        let order = self.columns_by_size();
        for node in &order {
            if left == 0 {
                break;
            }
            if keep.get(*node as usize) == Some(&false) {
                left -= usize::from(self.clear(*node, row));
            }
        }
        self.by_size = order;
        self.keep = keep;
    }

    /// Takes the order of columns, made anew now and then.
    fn columns_by_size(&mut self) -> Vec<Node> {
        let mut order = std::mem::take(&mut self.by_size);
        let columns = &self.state.columns;
        if order.len() != columns.len() || self.sweeps.is_multiple_of(1024) {
            order = (0..).zip(columns).map(|(node, _)| node).collect();
            order.sort_by_key(|node| {
                std::cmp::Reverse(columns.get(*node as usize).map_or(0, |column| column.cells))
            });
        }
        self.sweeps = self.sweeps.wrapping_add(1);
        order
    }

    pub(crate) fn new_row(&mut self, id: &str) -> usize {
        let row = match self.free.pop() {
            Some(row) => {
                self.state.sorted = false;
                row as usize
            }
            None => {
                let row = self.state.rows;
                self.state.rows += 1;
                if row > 0 && id <= self.last_id.as_str() {
                    self.state.sorted = false;
                }
                self.last_id.clear();
                self.last_id.push_str(id);
                row
            }
        };
        if self.cells.len() <= row {
            self.cells.resize(row + 1, 0);
        }
        self.state.live += 1;
        row
    }

    pub(crate) fn grow_columns(&mut self) {
        let nodes = self.state.schema.len();
        if self.state.columns.len() < nodes {
            self.state.columns.resize_with(nodes, Arc::default);
        }
        if self.state.attributes.is_none() {
            self.state.attributes = self.state.schema.child(ROOT, "attributes");
        }
    }

    fn patch(&mut self, id: &str, patch: &str) -> Result<(), IndexError> {
        let mut cells = Vec::with_capacity(8);
        self.shredder.clear();
        match self
            .shredder
            .shred(patch, &mut self.state.schema, &mut cells)
        {
            Ok(()) => {
                let row = self.row(id)? as usize;
                self.touch(row, &cells);
                let texts = std::mem::take(&mut self.shredder.texts);
                let result = self.merge(row, id, &cells, &texts);
                self.shredder.texts = texts;
                result
            }
            Err(Refusal::Repeated) => {
                let value: Value =
                    serde_json::from_str(patch).map_err(|_| malformed(0, "a JSON object"))?;
                self.patch(id, &value.to_string())
            }
            Err(refusal) => Err(refused(refusal)),
        }
    }

    pub(crate) fn merge(
        &mut self,
        row: usize,
        id: &str,
        cells: &[(Node, Shred<'_>)],
        texts: &[String],
    ) -> Result<(), IndexError> {
        self.grow_columns();
        self.refuse_renaming(row, id, cells, texts)?;
        let mut count = self.cells.get(row).copied().map_or(0, usize::from);
        let overflowed = count == usize::from(u16::MAX);
        for (node, shred) in cells {
            let cell = resolve(*shred, texts);
            let element = self.state.schema.key(*node).is_none();
            match cell {
                // Elements of an array come after their array, which has emptied their columns.
                _ if element => {
                    count += usize::from(self.set(*node, row, cell));
                }
                Cell::Null if *node != ROOT => count -= self.remove(*node, row),
                Cell::Object => {
                    let is_object = self
                        .state
                        .column(*node)
                        .and_then(|column| column.piece(row / ROWS))
                        .is_some_and(|piece| piece.is_object(row % ROWS));
                    if !is_object {
                        count -= self.remove(*node, row);
                        count += usize::from(self.set(*node, row, cell));
                    }
                }
                _ => {
                    let composite = matches!(
                        self.state.cell(*node, row),
                        Some(Cell::Object | Cell::Array(_))
                    );
                    if composite {
                        count -= self.remove(*node, row);
                    }
                    count += usize::from(self.set(*node, row, cell));
                }
            }
        }
        if let Some(slot) = self.cells.get_mut(row) {
            *slot = if overflowed {
                u16::MAX
            } else {
                u16::try_from(count).unwrap_or(u16::MAX)
            };
        }
        Ok(())
    }

    /// A patch may name the members that make the id only with the values that they have.
    fn refuse_renaming(
        &self,
        row: usize,
        id: &str,
        cells: &[(Node, Shred<'_>)],
        texts: &[String],
    ) -> Result<(), IndexError> {
        let names: &[&str] = match self.state.collection {
            Collection::Devices | Collection::Messages => &["deviceId"],
            Collection::Groups => &["thingGroupName"],
            Collection::Modules => &["deviceId", "moduleId"],
            Collection::Jobs => &["deviceId", "jobId"],
        };
        for name in names {
            let Some(node) = self.state.schema.child(ROOT, name) else {
                continue;
            };
            if let Some((_, shred)) = cells.iter().find(|(at, _)| *at == node)
                && self.state.cell(node, row) != Some(resolve(*shred, texts))
            {
                return Err(IndexError::Renamed { id: id.to_owned() });
            }
        }
        Ok(())
    }

    /// Empties a node and everything below it; returns how many cells that were.
    fn remove(&mut self, node: Node, row: usize) -> usize {
        let mut removed = 0;
        self.path.clear();
        self.path.push(node);
        while let Some(at) = self.path.pop() {
            let below = match self.state.cell(at, row) {
                None => continue,
                Some(Cell::Object | Cell::Array(_)) => self.state.schema.children(at),
                Some(_) => &[],
            };
            self.path.extend_from_slice(below);
            removed += usize::from(self.clear(at, row));
        }
        removed
    }

    fn delete(&mut self, id: &str) -> Result<(), IndexError> {
        let row = self.row(id)?;
        let stored = self.stored_id(id);
        let State {
            ids,
            columns,
            id_node,
            ..
        } = &mut self.state;
        Arc::make_mut(ids).remove(&stored, |row| id_in(columns, *id_node, row as usize));
        let at = row as usize;
        let count = self
            .cells
            .get(at)
            .copied()
            .filter(|count| *count < u16::MAX);
        let composed = self.state.schema.key(self.state.id_node) == Some(HIDDEN);
        self.sweep(
            at,
            &[],
            count.map(|count| usize::from(count).saturating_sub(usize::from(!composed))),
        );
        self.clear(self.state.id_node, at);
        if self
            .state
            .groups
            .by_name
            .values()
            .any(|group| group.members.contains(row))
        {
            for group in Arc::make_mut(&mut self.state.groups).by_name.values_mut() {
                if group.members.contains(row) {
                    Arc::make_mut(group).members.remove(row);
                }
            }
        }
        if let Some(slot) = self.cells.get_mut(at) {
            *slot = 0;
        }
        if let Some(slot) = self.versions.get_mut(at) {
            *slot = 0;
        }
        self.free.push(row);
        self.state.live -= 1;
        Ok(())
    }
}

/// The id as it is stored: with a zero between the two names, so that texts order as pairs do.
pub(crate) fn stored_id(collection: Collection, id: &str) -> Cow<'_, str> {
    match collection {
        Collection::Modules | Collection::Jobs => id.replacen('/', "\0", 1).into(),
        _ => id.into(),
    }
}

pub(crate) fn resolve<'a>(shred: Shred<'a>, texts: &'a [String]) -> Cell<'a> {
    match shred {
        Shred::Cell(cell) => cell,
        Shred::Unescaped(at) => Cell::Text(texts.get(at).map_or("", String::as_str)),
    }
}

fn malformed(at: usize, expected: &str) -> IndexError {
    IndexError::Malformed {
        at,
        expected: expected.to_owned(),
    }
}

fn refused(refusal: Refusal) -> IndexError {
    match refusal {
        Refusal::Malformed { at, expected } => malformed(at, expected),
        Refusal::Repeated => malformed(0, "each member once"),
        Refusal::TooManyPaths => IndexError::TooManyPaths { limit: PATHS },
    }
}
