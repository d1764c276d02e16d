//! Lines of a file or of standard input, bounded in length, with their numbers.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};

use crate::failure::{Failure, Problem};

/// The longest line or text that is taken, in bytes: more than any operation's request.
pub(crate) const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// One line of input.
#[derive(Debug)]
pub(crate) enum Line {
    /// Its text without the line ending.
    Text(String),
    /// It is not UTF-8; the byte offset of the first wrong byte.
    NotUtf8(usize),
    /// It is longer than [`LONGEST_LINE`]; the rest of it was skipped.
    TooLong,
}

/// A file (or standard input for `-`) read line by line.
pub(crate) struct Lines {
    name: String,
    size: Option<u64>,
    number: u64,
    reader: Box<dyn BufRead + Send>,
}

impl Lines {
    /// Opens `path`; `-` is standard input.
    pub(crate) fn open(path: &str) -> Result<Self, Failure> {
        if path == "-" {
            return Ok(Self {
                name: path.to_owned(),
                size: None,
                number: 0,
                reader: Box::new(BufReader::new(io::stdin())),
            });
        }
        let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
        let meta = file
            .metadata()
            .map_err(|error| Failure::file(path, &error))?;
        if meta.is_dir() {
            let error = io::Error::from(io::ErrorKind::IsADirectory);
            return Err(Failure::file(path, &error));
        }
        Ok(Self {
            name: path.to_owned(),
            size: meta.is_file().then_some(meta.len()),
            number: 0,
            reader: Box::new(BufReader::with_capacity(256 * 1024, file)),
        })
    }

    /// The size of the file in bytes, where it has one.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The number of the last line, from 1.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The next line and the number of bytes it took; nothing at the end.
    pub(crate) fn next_line(&mut self) -> Result<Option<(Line, u64)>, Failure> {
        let mut bytes = Vec::new();
        let limit = LONGEST_LINE as u64 + 2;
        let mut taken = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| Failure::file(&self.name, &error))? as u64;
        if taken == 0 {
            return Ok(None);
        }
        self.number += 1;
        let ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.len() > LONGEST_LINE {
            if !ended {
                taken += self.skip_line()?;
            }
            return Ok(Some((Line::TooLong, taken)));
        }
        let line = match String::from_utf8(bytes) {
            Ok(text) => Line::Text(text),
            Err(error) => Line::NotUtf8(error.utf8_error().valid_up_to()),
        };
        Ok(Some((line, taken)))
    }

    fn skip_line(&mut self) -> Result<u64, Failure> {
        let mut skipped = 0;
        loop {
            let buffer = self
                .reader
                .fill_buf()
                .map_err(|error| Failure::file(&self.name, &error))?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |end| end + 1);
            if used == 0 {
                return Ok(skipped);
            }
            self.reader.consume(used);
            skipped += used as u64;
            if end.is_some() {
                return Ok(skipped);
            }
        }
    }
}

/// The whole content of a file, or of standard input for `-`.
pub(crate) fn read_bytes(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = if path == "-" {
        io::stdin().lock().read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::file(path, &error))?;
    Ok(bytes)
}

/// The whole text of a file, or of standard input for `-`: at most [`LONGEST_LINE`] bytes.
pub(crate) fn read_text(path: &str) -> Result<String, Failure> {
    let most = LONGEST_LINE as u64;
    let mut bytes = Vec::new();
    let read = if path == "-" {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
    };
    read.map_err(|error| Failure::file(path, &error))?;
    if bytes.len() > LONGEST_LINE {
        let message = format!("`{path}` is longer than 16 MiB");
        return Err(Failure::usage("cli.text_too_long", message));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::Usage(not_utf8(&format!("`{path}` is "), at))
    })
}

/// The problem of bytes that are no text: what they are, and the offset of the first wrong one.
pub(crate) fn not_utf8(what: &str, at: usize) -> Problem {
    Problem::new(
        "cli.not_utf8",
        format!("{what}not UTF-8: wrong byte at offset {at}"),
    )
    .help("texts are UTF-8; `iconv -f LATIN1 -t UTF-8` turns a file of another encoding into it")
}
