//! What a snapshot shares with the writer: the schema, the columns, the ids, the groups.
use super::column::{Cell, Column};
use super::groups::Groups;
use super::ids::Ids;
use super::ints::ROWS;
use super::schema::{Node, ROOT, Schema, Step};
use crate::dialect::Collection;
use serde_json::{Map, Number, Value};
use std::sync::Arc;

/// Everything that answers depend on; cloning it copies pointers only.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) collection: Collection,
    pub(crate) schema: Arc<Schema>,
    /// By node.
    pub(crate) columns: Vec<Arc<Column>>,
    pub(crate) ids: Arc<Ids>,
    /// The column that holds the ids.
    pub(crate) id_node: Node,
    /// Rows in use or given back, 0 to this.
    pub(crate) rows: usize,
    pub(crate) live: usize,
    /// Whether rows ascend by id.
    pub(crate) sorted: bool,
    pub(crate) position: u64,
    pub(crate) groups: Arc<Groups>,
    /// Whether per-leaf metadata is kept.
    pub(crate) metadata: bool,
    /// The node of `attributes`, once a document or a group has shown one.
    pub(crate) attributes: Option<Node>,
}

/// The member, which no document can have, under which composed ids are kept.
pub(crate) const HIDDEN: &str = "\u{0}id";

impl State {
    pub(crate) fn new(collection: Collection) -> Self {
        let mut schema = Schema::default();
        let key = match collection {
            Collection::Groups => "thingGroupName",
            Collection::Modules | Collection::Jobs => HIDDEN,
            Collection::Devices | Collection::Messages => "deviceId",
        };
        let id_node = schema.add(ROOT, Step::Key(key.into())).unwrap_or(ROOT);
        let ids = Column {
            sharing: super::column::Sharing::Never,
            ..Column::default()
        };
        Self {
            collection,
            schema: Arc::new(schema),
            columns: vec![Arc::default(), Arc::new(ids)],
            ids: Arc::default(),
            id_node,
            rows: 0,
            live: 0,
            sorted: true,
            position: 0,
            groups: Arc::default(),
            metadata: true,
            attributes: None,
        }
    }

    pub(crate) fn column(&self, node: Node) -> Option<&Column> {
        self.columns.get(node as usize).map(|column| &**column)
    }

    pub(crate) fn chunks(&self) -> usize {
        self.rows.div_ceil(ROWS)
    }

    pub(crate) fn cell(&self, node: Node, row: usize) -> Option<Cell<'_>> {
        self.column(node)?.get(row)
    }

    /// The stored id of a row: `device`, or device and second name with a zero between.
    pub(crate) fn id(&self, row: usize) -> Option<&str> {
        id_in(&self.columns, self.id_node, row)
    }

    pub(crate) fn row_of(&self, id: &str) -> Option<usize> {
        self.ids
            .find(id, |row| self.id(row as usize))
            .map(|row| row as usize)
    }

    /// The document of a row as it was written, without what groups give it.
    pub(crate) fn own_document(&self, row: usize) -> Option<Value> {
        self.value(ROOT, row)
    }

    /// The document as queries see it: with inherited attributes.
    pub(crate) fn document(&self, row: usize) -> Option<Value> {
        let mut document = self.own_document(row)?;
        self.inherit(row, &mut document);
        Some(document)
    }

    /// The named members of the document as queries see it.
    pub(crate) fn part(&self, roots: &[&str], row: usize) -> Option<Value> {
        let mut members = Map::new();
        for root in roots {
            if let Some(node) = self.schema.child(ROOT, root)
                && let Some(value) = self.value(node, row)
            {
                members.insert((*root).to_owned(), value);
            }
        }
        let mut document = Value::Object(members);
        if roots.contains(&"attributes") {
            self.inherit(row, &mut document);
        }
        Some(document)
    }

    /// Adds the attributes that the row inherits to its document.
    pub(crate) fn inherit(&self, row: usize, document: &mut Value) {
        let Ok(row) = u32::try_from(row) else { return };
        let inherited = self.groups.inherited_by(row);
        let Value::Object(members) = document else {
            return;
        };
        if inherited.is_empty() {
            return;
        }
        let own = members
            .entry("attributes")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(own) = own {
            for (attribute, value) in inherited {
                own.entry(attribute).or_insert_with(|| value.clone());
            }
        }
    }

    /// The value at a node.
    pub(crate) fn value(&self, node: Node, row: usize) -> Option<Value> {
        Some(match self.cell(node, row)? {
            Cell::Null => Value::Null,
            Cell::Bool(value) => Value::Bool(value),
            Cell::Int(value) => Value::from(value),
            Cell::Float(value) => Number::from_f64(value).map_or(Value::Null, Value::Number),
            Cell::Text(text) => Value::String(text.to_owned()),
            Cell::Json(text) => serde_json::from_str(text).ok()?,
            Cell::Array(count) => {
                let count = usize::from(count);
                self.schema
                    .elements(node)
                    .into_iter()
                    .take(count)
                    .filter_map(|element| self.value(element, row))
                    .collect::<Vec<_>>()
                    .into()
            }
            Cell::Object => {
                let mut members = Map::new();
                for child in self.schema.children(node) {
                    if let Some(key) = self.schema.key(*child)
                        && key != HIDDEN
                        && let Some(value) = self.value(*child, row)
                    {
                        members.insert(key.to_owned(), value);
                    }
                }
                Value::Object(members)
            }
        })
    }

    /// The part of [`Self::bytes`] that per-leaf metadata takes.
    pub(crate) fn metadata_bytes(&self) -> usize {
        (0..)
            .zip(&self.columns)
            .filter(|(node, _)| self.schema.is_metadata(*node))
            .map(|(_, column)| column.bytes() + 8)
            .sum()
    }

    pub(crate) fn bytes(&self) -> usize {
        self.schema.bytes()
            + self.ids.bytes()
            + self.groups.bytes()
            + self
                .columns
                .iter()
                .map(|column| column.bytes() + 8)
                .sum::<usize>()
    }
}

/// The stored id of a row, from the columns alone.
pub(crate) fn id_in(columns: &[Arc<Column>], id_node: Node, row: usize) -> Option<&str> {
    match columns.get(id_node as usize)?.get(row)? {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}
