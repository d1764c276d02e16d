//! Standard output: buffered, flushed where a reader waits, and quiet when the reader has gone.

use serde::Serialize;
use serde_json::Value;
use serde_json::ser::Formatter;
use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write as _};

use crate::failure::Failure;
use crate::table::Table;

/// Standard output for one command.
pub(crate) struct Out {
    sink: BufWriter<Stdout>,
    terminal: bool,
}

impl Out {
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self {
            sink: BufWriter::with_capacity(64 * 1024, stdout),
            terminal,
        }
    }

    /// Whether a person looks at the output.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// How many characters fit on a line of the terminal; without one, as many as one likes.
    pub(crate) fn width(&self) -> usize {
        if !self.terminal {
            return usize::MAX;
        }
        usize::from(comfy_table::Table::new().width().unwrap_or(100))
    }

    /// One line of text.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.sink.write_all(text.as_bytes())?;
        Ok(self.sink.write_all(b"\n")?)
    }

    /// One line of compact JSON.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Failure> {
        serde_json::to_writer(&mut self.sink, value)
            .map_err(|error| Failure::from(io::Error::from(error)))?;
        Ok(self.sink.write_all(b"\n")?)
    }

    /// A table that fits the terminal.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Failure> {
        let text = table.render(self.terminal);
        self.line(text.trim_end())
    }

    /// Hands everything to the reader now.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.sink.flush()?)
    }
}

/// Text that cannot drive a terminal: control characters (colours, cursor, title) are shown, not obeyed.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push('\n'),
            c if c.is_control() => {
                // Writing to a `String` cannot fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A JSON value as a person reads it in a cell: text without its quotes, everything else as JSON, nothing for null.
pub(crate) fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => printable(text),
        other => {
            let mut bytes = Vec::new();
            let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
            // Writing to memory cannot fail.
            let _ = other.serialize(&mut serializer);
            printable(&String::from_utf8_lossy(&bytes))
        }
    }
}

/// JSON on one line that can be broken between its members.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// A table breaks lines at spaces: between members, not within words.
    #[test]
    fn json_in_a_cell_has_spaces_between_its_members() {
        let value = json!({"tags": {"floor": 5, "on": [true, null, "a\u{7}"]}, "x": {}, "y": []});
        let shown = r#"{"tags": {"floor": 5, "on": [true, null, "a\u0007"]}, "x": {}, "y": []}"#;
        assert_eq!(cell(&value), shown);
        assert_eq!(cell(&json!("a,b")), "a,b");
        assert_eq!(cell(&Value::Null), "");
    }
}
