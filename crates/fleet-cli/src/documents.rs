//! Documents from files of one JSON object a line, in either service's shape.

use fleet_query::Collection;
use fleet_query::document::normalise;
use serde_json::Value;

use crate::failure::{Failure, Problem};
use crate::input::{Line, Lines, not_utf8};
use crate::progress;

/// What is wrong with lines of a file: shown as they are met, counted for the end.
#[derive(Debug, Default)]
pub(crate) struct BadLines {
    count: u64,
    last: Option<Problem>,
}

/// How many bad lines are shown one by one.
const SHOWN: u64 = 20;

impl BadLines {
    /// Takes note of a bad line and shows it on standard error.
    pub(crate) fn note(&mut self, file: &str, number: u64, mut problem: Problem) {
        problem.message = format!("{file}:{number}: {}", problem.message);
        self.count += 1;
        if self.count <= SHOWN {
            Failure::Usage(problem.clone()).print(false);
        }
        self.last = Some(problem);
    }

    /// Takes note of a bad line that was shown elsewhere.
    pub(crate) fn count(&mut self) {
        self.count += 1;
        self.last = Some(Problem::new("cli.refused_lines", "refused"));
    }

    /// The failure of the whole, where there was a bad line.
    pub(crate) fn end(self, what: &str) -> Result<(), Failure> {
        let Some(last) = self.last else {
            return Ok(());
        };
        let lines = if self.count == 1 {
            "line was"
        } else {
            "lines were"
        };
        Err(Failure::Usage(
            Problem::new(&last.code, format!("{} {lines} left out of {what}", self.count))
                .help("each was shown above with its line number, the first 20 at least; the other lines were taken"),
        ))
    }
}

/// The JSON value of a line, or why there is none.
pub(crate) fn value(line: Line) -> Result<Value, Problem> {
    match line {
        Line::Text(text) => serde_json::from_str(&text)
            .map_err(|error| Problem::new("cli.not_json", format!("not a JSON document: {error}"))),
        Line::NotUtf8(at) => Err(not_utf8("", at)),
        Line::TooLong => Err(Problem::new("cli.line_too_long", "longer than 16 MiB")),
    }
}

/// Calls `each` with every document of a file in its canonical form; empty lines are passed over.
pub(crate) fn each(
    file: &str,
    bad: &mut BadLines,
    collection: impl Fn(&Value) -> Collection,
    mut each: impl FnMut(Value) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut lines = Lines::open(file)?;
    let bar = progress::bytes("reading", lines.size());
    let mut number = 0;
    while let Some((line, bytes)) = lines.next_line()? {
        number += 1;
        bar.inc(bytes);
        if matches!(&line, Line::Text(text) if text.trim().is_empty()) {
            continue;
        }
        let document = value(line).and_then(|value| {
            let collection = collection(&value);
            normalise(collection, value)
                .map_err(|error| Problem::new(error.code(), error.to_string()))
        });
        match document {
            Ok(document) => each(document)?,
            Err(problem) => bad.note(file, number, problem),
        }
    }
    bar.finish_and_clear();
    Ok(())
}
