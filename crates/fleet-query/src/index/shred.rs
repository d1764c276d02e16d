//! JSON text to cells, in one pass, without a tree in between.
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a parser: every position is checked against the length"
)]
use super::column::Cell;
use super::schema::{ELEMENTS, Node, ROOT, Schema, Step};
use std::sync::Arc;

/// The deepest nesting of a document, as `serde_json` has it.
const DEEPEST: usize = 127;
const NOBODY: Node = Node::MAX;

/// Why a text gave no cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is not JSON, or no object.
    Malformed { at: usize, expected: &'static str },
    /// An object names a member twice: read it as a tree first.
    Repeated,
    /// More paths than an index keeps.
    TooManyPaths,
}

/// A text of a cell: from the document, or unescaped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shred<'a> {
    Cell(Cell<'a>),
    /// A text with escapes, by its number in [`Shredder::texts`].
    Unescaped(usize),
}

/// The reader and what it has learned of the documents' order of members.
#[derive(Debug, Default)]
pub(crate) struct Shredder {
    /// Texts that had escapes.
    pub(crate) texts: Vec<String>,
    /// By node: the document in which it was last seen.
    seen: Vec<u32>,
    document: u32,
    /// Whether per-leaf metadata is left out.
    pub(crate) drops_metadata: bool,
    /// By node: the first member, and the member after it, in the document before.
    first: Vec<Node>,
    next: Vec<Node>,
}

struct Reader<'s, 'a> {
    shredder: &'s mut Shredder,
    schema: &'s mut Arc<Schema>,
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    cells: &'s mut Vec<(Node, Shred<'a>)>,
}

impl Shredder {
    /// Forgets the texts that had escapes: their cells are written.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
    }

    /// Appends the cells of a document, an object, to `cells`; paths not seen before enter the schema.
    pub(crate) fn shred<'a>(
        &mut self,
        text: &'a str,
        schema: &mut Arc<Schema>,
        cells: &mut Vec<(Node, Shred<'a>)>,
    ) -> Result<(), Refusal> {
        self.document = self.document.wrapping_add(1);
        if self.document == 0 {
            self.seen.fill(0);
            self.document = 1;
        }
        self.grow(schema.len());
        let mut reader = Reader {
            shredder: self,
            schema,
            text,
            bytes: text.as_bytes(),
            at: 0,
            cells,
        };
        reader.blank();
        if reader.peek() != Some(b'{') {
            return Err(reader.wrong("an object"));
        }
        reader.value(ROOT, 0)?;
        reader.blank();
        if reader.at < reader.bytes.len() {
            return Err(reader.wrong("the end of the document"));
        }
        Ok(())
    }

    fn grow(&mut self, nodes: usize) {
        if self.seen.len() < nodes {
            self.seen.resize(nodes, 0);
            self.first.resize(nodes, NOBODY);
            self.next.resize(nodes, NOBODY);
        }
    }
}

impl<'a> Reader<'_, 'a> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn wrong(&self, expected: &'static str) -> Refusal {
        Refusal::Malformed {
            at: self.at,
            expected,
        }
    }

    fn push(&mut self, node: Node, cell: Cell<'a>) {
        self.cells.push((node, Shred::Cell(cell)));
    }

    fn value(&mut self, node: Node, depth: usize) -> Result<(), Refusal> {
        match self.peek() {
            Some(b'"') => {
                self.at += 1;
                let (text, escaped) = self.string()?;
                if escaped {
                    let text = unescape(text).ok_or_else(|| self.wrong("valid escapes"))?;
                    self.shredder.texts.push(text);
                    self.cells
                        .push((node, Shred::Unescaped(self.shredder.texts.len() - 1)));
                } else {
                    self.push(node, Cell::Text(text));
                }
                Ok(())
            }
            Some(b'-' | b'0'..=b'9') => self.number(node),
            Some(b'{') => self.object(node, depth),
            Some(b'[') => self.array(node, depth),
            Some(b't') => self.word("true", node, Cell::Bool(true)),
            Some(b'f') => self.word("false", node, Cell::Bool(false)),
            Some(b'n') => self.word("null", node, Cell::Null),
            _ => Err(self.wrong("a value")),
        }
    }

    fn word(&mut self, word: &'static str, node: Node, cell: Cell<'a>) -> Result<(), Refusal> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(self.wrong("a value"));
        }
        self.at += word.len();
        self.push(node, cell);
        Ok(())
    }

    /// After the opening quote: the text between the quotes, and whether it has escapes.
    fn string(&mut self) -> Result<(&'a str, bool), Refusal> {
        let (start, mut escaped) = (self.at, false);
        loop {
            // Eight bytes at a time as long as none of them ends or escapes anything.
            while let Some(word) = self.bytes.get(self.at..).and_then(<[u8]>::first_chunk) {
                let special = special(u64::from_le_bytes(*word));
                self.at += (special.trailing_zeros() / 8) as usize;
                if special != 0 {
                    break;
                }
            }
            match self.peek() {
                Some(b'"') => {
                    let text = &self.text[start..self.at];
                    self.at += 1;
                    return Ok((text, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(0..=0x1F) => return Err(self.wrong("no control character in a string")),
                Some(_) => self.at += 1,
                None => return Err(self.wrong("the end of a string")),
            }
        }
    }

    fn object(&mut self, node: Node, depth: usize) -> Result<(), Refusal> {
        if depth >= DEEPEST {
            return Err(self.wrong("less nesting"));
        }
        self.push(node, Cell::Object);
        self.at += 1;
        self.blank();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut before = NOBODY;
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a member's name"));
            }
            self.at += 1;
            let child = self.member(node, before)?;
            before = child;
            self.blank();
            if self.peek() != Some(b':') {
                return Err(self.wrong("`:`"));
            }
            self.at += 1;
            self.blank();
            if self.shredder.drops_metadata && self.schema.is_metadata(child) {
                self.skip()?;
            } else {
                self.value(child, depth + 1)?;
            }
            self.blank();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                }
                Some(b'}') => {
                    self.at += 1;
                    return Ok(());
                }
                _ => return Err(self.wrong("`,` or `}`")),
            }
        }
    }

    /// The node of a member's name, which is guessed from the document before.
    fn member(&mut self, node: Node, before: Node) -> Result<Node, Refusal> {
        let guess = if before == NOBODY {
            self.shredder.first[node as usize]
        } else {
            self.shredder.next[before as usize]
        };
        let rest = &self.bytes[self.at..];
        let child = match self.schema.plain_key(guess) {
            Some(key) if rest.get(key.len()) == Some(&b'"') && rest.starts_with(key.as_bytes()) => {
                self.at += key.len() + 1;
                guess
            }
            _ => {
                let (name, escaped) = self.string()?;
                let child = if escaped {
                    let name = unescape(name).ok_or_else(|| self.wrong("valid escapes"))?;
                    self.child(node, &name)?
                } else {
                    self.child(node, name)?
                };
                if before == NOBODY {
                    self.shredder.first[node as usize] = child;
                } else {
                    self.shredder.next[before as usize] = child;
                }
                child
            }
        };
        let seen = &mut self.shredder.seen[child as usize];
        if *seen == self.shredder.document {
            return Err(Refusal::Repeated);
        }
        *seen = self.shredder.document;
        Ok(child)
    }

    fn child(&mut self, node: Node, name: &str) -> Result<Node, Refusal> {
        if node == ROOT && name == super::state::HIDDEN {
            return Err(self.wrong("another member's name"));
        }
        if let Some(child) = self.schema.child(node, name) {
            return Ok(child);
        }
        let child = Arc::make_mut(self.schema)
            .add(node, Step::Key(name.into()))
            .ok_or(Refusal::TooManyPaths)?;
        self.shredder.grow(self.schema.len());
        Ok(child)
    }

    /// An array of a few plain values becomes cells of its elements; any other is kept as text.
    fn array(&mut self, node: Node, depth: usize) -> Result<(), Refusal> {
        if depth >= DEEPEST {
            return Err(self.wrong("less nesting"));
        }
        let (start, cells, texts) = (self.at, self.cells.len(), self.shredder.texts.len());
        self.push(node, Cell::Array(0));
        self.at += 1;
        self.blank();
        let mut count = 0;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            if count == ELEMENTS || matches!(self.peek(), Some(b'[' | b'{')) {
                self.cells.truncate(cells);
                self.shredder.texts.truncate(texts);
                return self.opaque(node, start, depth);
            }
            let element = match self.schema.element(node, count) {
                Some(element) => element,
                None => {
                    let step = Step::Element(u8::try_from(count).unwrap_or(u8::MAX));
                    let element = Arc::make_mut(self.schema)
                        .add(node, step)
                        .ok_or(Refusal::TooManyPaths)?;
                    self.shredder.grow(self.schema.len());
                    element
                }
            };
            let before = self.cells.len();
            self.value(element, depth + 1)?;
            if matches!(
                self.cells.get(before),
                Some((_, Shred::Cell(Cell::Json(_))))
            ) {
                // An integer that no lane holds.
                self.cells.truncate(cells);
                self.shredder.texts.truncate(texts);
                return self.opaque(node, start, depth);
            }
            count += 1;
            self.blank();
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    self.blank();
                }
                Some(b']') => {
                    self.at += 1;
                    break;
                }
                _ => return Err(self.wrong("`,` or `]`")),
            }
        }
        if let Some((_, cell)) = self.cells.get_mut(cells) {
            *cell = Shred::Cell(Cell::Array(u8::try_from(count).unwrap_or(0)));
        }
        Ok(())
    }

    /// Reads over a value.
    fn skip(&mut self) -> Result<(), Refusal> {
        let mut values = serde_json::Deserializer::from_str(&self.text[self.at..])
            .into_iter::<serde::de::IgnoredAny>();
        if !matches!(values.next(), Some(Ok(_))) {
            return Err(self.wrong("a value"));
        }
        self.at += values.byte_offset();
        Ok(())
    }

    /// The value that starts at `start`, as text.
    fn opaque(&mut self, node: Node, start: usize, depth: usize) -> Result<(), Refusal> {
        self.at = start;
        let mut values = serde_json::Deserializer::from_str(&self.text[start..])
            .into_iter::<serde_json::Value>();
        let Some(Ok(value)) = values.next() else {
            return Err(self.wrong("a value"));
        };
        if depth + nesting(&value) > DEEPEST {
            return Err(self.wrong("less nesting"));
        }
        self.at = start + values.byte_offset();
        self.push(node, Cell::Json(&self.text[start..self.at]));
        Ok(())
    }

    fn number(&mut self, node: Node) -> Result<(), Refusal> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let (mut mantissa, mut digits) = (0u64, 0usize);
        let first = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            mantissa = mantissa
                .wrapping_mul(10)
                .wrapping_add(u64::from(digit - b'0'));
            digits += 1;
            self.at += 1;
        }
        if digits == 0 || (digits > 1 && self.bytes[first] == b'0') {
            return Err(self.wrong("a number"));
        }
        let mut decimals = 0;
        let mut float = false;
        if self.peek() == Some(b'.') {
            float = true;
            self.at += 1;
            while let Some(digit @ b'0'..=b'9') = self.peek() {
                mantissa = mantissa
                    .wrapping_mul(10)
                    .wrapping_add(u64::from(digit - b'0'));
                decimals += 1;
                self.at += 1;
            }
            if decimals == 0 {
                return Err(self.wrong("a digit"));
            }
        }
        let mut exponent = false;
        if let Some(b'e' | b'E') = self.peek() {
            (float, exponent) = (true, true);
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            let from = self.at;
            while let Some(b'0'..=b'9') = self.peek() {
                self.at += 1;
            }
            if self.at == from {
                return Err(self.wrong("a digit"));
            }
        }
        let text = &self.text[start..self.at];
        if !float {
            if digits <= 18 && (mantissa > 0 || !negative) {
                let value = i64::try_from(mantissa).unwrap_or(0);
                self.push(node, Cell::Int(if negative { -value } else { value }));
                return Ok(());
            }
            if let Ok(value) = text.parse::<i64>()
                && mantissa > 0
            {
                if value.unsigned_abs() <= 1 << 62 {
                    self.push(node, Cell::Int(value));
                } else {
                    self.push(node, Cell::Json(text));
                }
                return Ok(());
            }
            if text.parse::<u64>().is_ok() && !negative {
                self.push(node, Cell::Json(text));
                return Ok(());
            }
        } else if !exponent && digits + decimals <= 15 && decimals <= 22 {
            // Both are exact, so the quotient is the nearest double.
            #[allow(clippy::cast_precision_loss, reason = "at most 15 digits")]
            let value = mantissa as f64 / POWERS[decimals];
            self.push(node, Cell::Float(if negative { -value } else { value }));
            return Ok(());
        }
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => {
                self.push(node, Cell::Float(value));
                Ok(())
            }
            _ => Err(self.wrong("a number within range")),
        }
    }
}

const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The high bit of each byte that a string does not hold as it is: a quote, a backslash, a control character. Bytes
/// above the first one that is marked may be marked wrongly.
fn special(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zero = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes;
    let quote = zero(word ^ (ONES * 0x22));
    let escape = zero(word ^ (ONES * 0x5C));
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    (quote | escape | control) & (ONES * 0x80)
}

fn unescape(inner: &str) -> Option<String> {
    serde_json::from_str(&format!("\"{inner}\"")).ok()
}

fn nesting(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(items) => 1 + items.iter().map(nesting).max().unwrap_or(0),
        serde_json::Value::Object(members) => 1 + members.values().map(nesting).max().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::special;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_first_special_byte_is_found(bytes in prop::array::uniform8(prop_oneof![any::<u8>(), 0x18..0x60_u8])) {
            let expected = bytes.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
            let found = special(u64::from_le_bytes(bytes));
            prop_assert_eq!((found != 0).then(|| (found.trailing_zeros() / 8) as usize), expected);
        }
    }
}
