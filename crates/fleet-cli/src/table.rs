//! Tables that fit the terminal.

use comfy_table::{ContentArrangement, presets};
use serde_json::Value;

use crate::output;

/// Rows under a header; cells are text that is safe to show.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<H: Into<String>>(header: impl IntoIterator<Item = H>) -> Self {
        Self {
            header: header.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row<C: AsRef<str>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(
            cells
                .into_iter()
                .map(|cell| output::printable(cell.as_ref()))
                .collect(),
        );
    }

    /// One row per element of `items`: the values at `paths` (dotted).
    pub(crate) fn of(items: &[Value], columns: &[(&str, &str)]) -> Self {
        let mut table = Self::new(columns.iter().map(|(title, _)| *title));
        for item in items {
            table.row(
                columns
                    .iter()
                    .map(|(_, path)| output::cell(at(item, path).unwrap_or(&Value::Null))),
            );
        }
        table
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table's text: as wide as the terminal at most, or one row a line when nobody looks.
    pub(crate) fn render(&self, terminal: bool) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING);
        if terminal {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        } else {
            table.force_no_tty();
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table.set_header(self.header.clone());
        for row in &self.rows {
            let one_line = |cell: &String| {
                if terminal {
                    cell.clone()
                } else {
                    cell.replace('\n', "\\n")
                }
            };
            table.add_row(row.iter().map(one_line).collect::<Vec<_>>());
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        table.trim_fmt()
    }
}

/// The value at a dotted path; the empty path is the value itself.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('.')
        .try_fold(value, |value, name| value.get(name))
}
