//! One column: every value that one path shows, in pieces of [`ROWS`] rows with one dense lane per kind.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a kernel: codes are below 65,000, tags below 32"
)]
use super::dictionary::{Dictionary, MOST};
use super::finder::Finder;
use super::floats::Floats;
use super::ints::{Ints, Mask, ROWS};
use super::texts::Texts;
use smallvec::SmallVec;
use std::sync::Arc;

/// What a row holds at a path.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Null,
    Bool(bool),
    /// An integer of at most 62 bits.
    Int(i64),
    Float(f64),
    Text(&'a str),
    /// An array of this many plain values, which are cells of the elements' columns.
    Array(u8),
    Object,
    /// Any other value as JSON text: longer or nested arrays, integers beyond 62 bits.
    Json(&'a str),
}

pub(crate) const TAG_NULL: i64 = 0;
pub(crate) const TAG_FALSE: i64 = 1;
pub(crate) const TAG_TRUE: i64 = 2;
pub(crate) const TAG_OBJECT: i64 = 3;
/// An array of `n` elements has the tag `TAG_ARRAY + n`.
pub(crate) const TAG_ARRAY: i64 = 8;

/// The values of one kind in one piece.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Lane {
    /// Null, booleans, objects and arrays.
    Tags(Ints),
    Ints(Ints),
    Floats(Floats),
    /// Codes of the column's dictionary.
    Codes(Ints),
    Texts(Texts),
    Json(Texts),
}

impl Lane {
    fn is_empty(&self) -> bool {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.is_empty(),
            Self::Floats(floats) => floats.ints.is_empty(),
            Self::Texts(texts) | Self::Json(texts) => texts.is_empty(),
        }
    }

    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.count(),
            Self::Floats(floats) => floats.ints.count(),
            Self::Texts(texts) | Self::Json(texts) => texts.count(),
        }
    }

    fn clear(&mut self, row: usize) -> bool {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.clear(row),
            Self::Floats(floats) => floats.ints.clear(row),
            Self::Texts(texts) | Self::Json(texts) => texts.clear(row),
        }
    }

    fn holds(&self, row: usize) -> bool {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.get(row).is_some(),
            Self::Floats(floats) => floats.ints.get(row).is_some(),
            Self::Texts(texts) | Self::Json(texts) => texts.get(row).is_some(),
        }
    }

    /// Selects every row that holds something in this lane.
    pub(crate) fn select_all(&self, mask: &mut Mask) {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => {
                ints.select(i64::MIN, i64::MAX, mask)
            }
            Self::Floats(floats) => floats.ints.select(i64::MIN, i64::MAX, mask),
            Self::Texts(texts) | Self::Json(texts) => texts.select_all(mask),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>()
            + match self {
                Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.bytes(),
                Self::Floats(floats) => floats.ints.bytes(),
                Self::Texts(texts) | Self::Json(texts) => texts.bytes(),
            }
    }

    fn shrink(&mut self) {
        match self {
            Self::Tags(ints) | Self::Ints(ints) | Self::Codes(ints) => ints.shrink(),
            Self::Floats(floats) => floats.ints.shrink(),
            Self::Texts(texts) | Self::Json(texts) => texts.shrink(),
        }
    }
}

/// The cells of one column in one chunk of rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Piece {
    /// The first lies in the piece itself: most pieces have one, and it is one way through memory less.
    pub(crate) lanes: SmallVec<[Lane; 1]>,
}

/// What is written: a cell with its text already resolved.
#[derive(Clone, Copy, Debug)]
enum Stored<'a> {
    Tag(i64),
    Int(i64),
    Float(f64),
    Code(i64),
    Text(&'a str),
    Json(&'a str),
}

impl<'a> Cell<'a> {
    /// As it is written, a text unshared.
    fn stored(self) -> Stored<'a> {
        match self {
            Cell::Null => Stored::Tag(TAG_NULL),
            Cell::Bool(false) => Stored::Tag(TAG_FALSE),
            Cell::Bool(true) => Stored::Tag(TAG_TRUE),
            Cell::Object => Stored::Tag(TAG_OBJECT),
            Cell::Array(count) => Stored::Tag(TAG_ARRAY + i64::from(count)),
            Cell::Int(value) => Stored::Int(value),
            Cell::Float(value) => Stored::Float(value),
            Cell::Json(text) => Stored::Json(text),
            Cell::Text(text) => Stored::Text(text),
        }
    }
}

impl Piece {
    pub(crate) fn get<'a>(&'a self, row: usize, dictionary: &'a Dictionary) -> Option<Cell<'a>> {
        self.lanes.iter().find_map(|lane| match lane {
            Lane::Tags(tags) => tags.get(row).map(|tag| match tag {
                TAG_NULL => Cell::Null,
                TAG_FALSE => Cell::Bool(false),
                TAG_TRUE => Cell::Bool(true),
                TAG_OBJECT => Cell::Object,
                array => Cell::Array((array - TAG_ARRAY) as u8),
            }),
            Lane::Ints(ints) => ints.get(row).map(Cell::Int),
            Lane::Floats(floats) => floats.get(row).map(Cell::Float),
            Lane::Codes(codes) => codes
                .get(row)
                .map(|code| Cell::Text(dictionary.get(code as usize))),
            Lane::Texts(texts) => texts.get(row).map(Cell::Text),
            Lane::Json(texts) => texts.get(row).map(Cell::Json),
        })
    }

    pub(crate) fn holds(&self, row: usize) -> bool {
        self.lanes.iter().any(|lane| lane.holds(row))
    }

    /// Whether the row holds an object.
    pub(crate) fn is_object(&self, row: usize) -> bool {
        self.lanes
            .iter()
            .any(|lane| matches!(lane, Lane::Tags(tags) if tags.get(row) == Some(TAG_OBJECT)))
    }

    fn equals(&self, row: usize, stored: Stored<'_>) -> bool {
        self.lanes.iter().any(|lane| match (lane, stored) {
            (Lane::Tags(ints), Stored::Tag(value))
            | (Lane::Ints(ints), Stored::Int(value))
            | (Lane::Codes(ints), Stored::Code(value)) => ints.get(row) == Some(value),
            (Lane::Floats(floats), Stored::Float(value)) => floats
                .get(row)
                .is_some_and(|held| held.to_bits() == value.to_bits()),
            (Lane::Texts(texts), Stored::Text(value))
            | (Lane::Json(texts), Stored::Json(value)) => texts.get(row) == Some(value),
            _ => false,
        })
    }

    fn set(&mut self, row: usize, stored: Stored<'_>) -> bool {
        // Fresh in its lane, and (where there are other lanes) in those too.
        let mut fresh = None;
        let mut others = false;
        for lane in &mut self.lanes {
            match (lane, stored) {
                (Lane::Tags(ints), Stored::Tag(value))
                | (Lane::Ints(ints), Stored::Int(value))
                | (Lane::Codes(ints), Stored::Code(value)) => fresh = Some(ints.set(row, value)),
                (Lane::Floats(floats), Stored::Float(value)) => {
                    fresh = Some(floats.set(row, value))
                }
                (Lane::Texts(texts), Stored::Text(value))
                | (Lane::Json(texts), Stored::Json(value)) => {
                    fresh = Some(texts.set(row, value));
                }
                _ => others = true,
            }
        }
        if fresh == Some(false) {
            return false;
        }
        let replaced = others && self.clear_others(row, stored);
        if fresh.is_none() {
            self.lanes.push(match stored {
                Stored::Tag(value) => Lane::Tags(one(row, value)),
                Stored::Int(value) => Lane::Ints(one(row, value)),
                Stored::Code(value) => Lane::Codes(one(row, value)),
                Stored::Float(value) => {
                    let mut floats = Floats::default();
                    floats.set(row, value);
                    Lane::Floats(floats)
                }
                Stored::Text(value) => Lane::Texts(one_text(row, value)),
                Stored::Json(value) => Lane::Json(one_text(row, value)),
            });
        }
        !replaced
    }

    fn clear_others(&mut self, row: usize, stored: Stored<'_>) -> bool {
        let mut cleared = false;
        self.lanes.retain_mut(|lane| {
            let own = matches!(
                (&*lane, stored),
                (Lane::Tags(_), Stored::Tag(_))
                    | (Lane::Ints(_), Stored::Int(_))
                    | (Lane::Codes(_), Stored::Code(_))
                    | (Lane::Floats(_), Stored::Float(_))
                    | (Lane::Texts(_), Stored::Text(_))
                    | (Lane::Json(_), Stored::Json(_))
            );
            if own {
                return true;
            }
            cleared |= lane.clear(row);
            !lane.is_empty()
        });
        cleared
    }

    fn clear(&mut self, row: usize) -> bool {
        let mut cleared = false;
        self.lanes.retain_mut(|lane| {
            cleared |= lane.clear(row);
            !lane.is_empty()
        });
        cleared
    }

    /// Calls `f` for the rows that hold something, ascending.
    pub(crate) fn for_each_held(&self, mut f: impl FnMut(usize)) {
        let ints = match self.lanes.as_slice() {
            [Lane::Tags(ints) | Lane::Ints(ints) | Lane::Codes(ints)] => ints,
            [Lane::Floats(floats)] => &floats.ints,
            _ => {
                let mut mask = [0; ROWS];
                self.lanes
                    .iter()
                    .for_each(|lane| lane.select_all(&mut mask));
                return super::kernel::for_each_row(&mask, f);
            }
        };
        ints.for_each(|row, _| f(row));
    }

    pub(crate) fn bytes(&self) -> usize {
        let inside = if self.lanes.spilled() {
            0
        } else {
            self.lanes.len()
        };
        let lanes = self.lanes.iter().map(Lane::bytes).sum::<usize>();
        std::mem::size_of::<Self>() + 16 + lanes - inside * std::mem::size_of::<Lane>()
    }
}

fn one(row: usize, value: i64) -> Ints {
    let mut ints = Ints::default();
    if row > 0 {
        ints.form = super::ints::Form::Few {
            rows: Vec::with_capacity(1),
            values: Vec::with_capacity(1),
        };
    }
    ints.set(row, value);
    ints
}

fn one_text(row: usize, value: &str) -> Texts {
    let mut texts = Texts::default();
    texts.set(row, value);
    texts
}

/// How a column keeps its texts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// By code, new texts are added.
    #[default]
    Open,
    /// By code; the dictionary is full, and new texts are kept as they are.
    Full,
    /// As they are: nearly every row has its own.
    Never,
}

/// Columns of at most this many shared texts, or this many pieces less one, are looked through.
const MANY: usize = 1024;
const PIECES: usize = 4;

/// The cells of one path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// Pieces that hold something, ascending by chunk.
    pub(crate) pieces: Vec<(u32, Arc<Piece>)>,
    pub(crate) dictionary: Arc<Dictionary>,
    pub(crate) sharing: Sharing,
    /// Texts written so far, to judge whether sharing pays.
    pub(crate) written: u64,
    /// Rows that hold something.
    pub(crate) cells: u64,
    pub(crate) finder: Finder,
}

impl Column {
    pub(crate) fn piece(&self, chunk: usize) -> Option<&Piece> {
        match self.pieces.get(chunk) {
            Some((at, piece)) if *at as usize == chunk => Some(piece),
            _ => {
                let at = self
                    .pieces
                    .binary_search_by_key(&(chunk as u32), |(at, _)| *at)
                    .ok()?;
                self.pieces.get(at).map(|(_, piece)| &**piece)
            }
        }
    }

    pub(crate) fn get(&self, row: usize) -> Option<Cell<'_>> {
        self.piece(row / ROWS)?.get(row % ROWS, &self.dictionary)
    }

    /// Writes a cell; true if the row held nothing at this path before.
    pub(crate) fn set(&mut self, row: usize, cell: Cell<'_>) -> bool {
        let stored = match cell {
            Cell::Text(text) => self.share(text),
            cell => cell.stored(),
        };
        let before = self.tracked(row);
        let slot = self.slot(row / ROWS);
        // Shared with a snapshot: copied only if something changes.
        if Arc::strong_count(slot) > 1 && slot.equals(row % ROWS, stored) {
            return false;
        }
        let fresh = Arc::make_mut(slot).set(row % ROWS, stored);
        self.cells += u64::from(fresh);
        self.track(row, before);
        fresh
    }

    /// The text of a row, where a table of texts has to be kept up.
    fn tracked(&self, row: usize) -> Option<String> {
        if !self.finder.is_made() {
            return None;
        }
        self.text(row).map(str::to_owned)
    }

    fn track(&mut self, row: usize, before: Option<String>) {
        if self.finder.is_made() {
            let mut finder = std::mem::take(&mut self.finder);
            let text_of = |row: u32| self.text(row as usize);
            finder.change(row as u32, before.as_deref(), self.text(row), text_of);
            self.finder = finder;
        }
    }

    fn text(&self, row: usize) -> Option<&str> {
        match self.get(row) {
            Some(Cell::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The rows that hold one of some texts, ascending; none where looking through the lanes is the way.
    pub(crate) fn rows_of(&self, texts: &[Box<str>]) -> Option<Vec<u32>> {
        let many = self.sharing == Sharing::Never || self.dictionary.len() > MANY;
        if !many || self.pieces.len() < PIECES {
            return None;
        }
        let all = || {
            self.pieces.iter().flat_map(|(chunk, piece)| {
                let from = *chunk as usize * ROWS;
                let mut rows = Vec::new();
                piece.for_each_held(|row| rows.push(from + row));
                rows.into_iter()
                    .filter_map(|row| Some((row as u32, self.text(row)?)))
            })
        };
        self.finder.find(texts, all, |row| self.text(row as usize))
    }

    /// Whether the row holds exactly this.
    pub(crate) fn holds(&self, row: usize, cell: Cell<'_>) -> bool {
        match (self.get(row), cell) {
            (Some(Cell::Float(held)), Cell::Float(value)) => held.to_bits() == value.to_bits(),
            (held, _) => held == Some(cell),
        }
    }

    /// Writes a cell unless the row holds it already; true if the row held nothing before.
    pub(crate) fn put(&mut self, row: usize, cell: Cell<'_>) -> bool {
        !self.holds(row, cell) && self.set(row, cell)
    }

    /// Reads a little of what a row holds, so that it is in the processor's cache when it is needed.
    pub(crate) fn touch(&self, row: usize) -> usize {
        let lane = self.piece(row / ROWS).and_then(|piece| piece.lanes.first());
        lane.map_or(0, |lane| match lane {
            Lane::Tags(ints) | Lane::Ints(ints) | Lane::Codes(ints) => {
                usize::from(ints.get(row % ROWS).is_some())
            }
            Lane::Floats(floats) => usize::from(floats.ints.get(row % ROWS).is_some()),
            Lane::Texts(texts) | Lane::Json(texts) => texts.touch(row % ROWS),
        })
    }

    /// Writes cells of rows that hold nothing here, in the order of rows.
    pub(crate) fn set_fresh<'a>(
        &mut self,
        cells: impl ExactSizeIterator<Item = (usize, Cell<'a>)>,
    ) {
        if self.finder.is_made()
            || self.sharing == Sharing::Open && self.dictionary.len() + cells.len() > MOST
        {
            // Texts are looked up by a table, or sharing may end on the way.
            cells.for_each(|(row, cell)| {
                self.set(row, cell);
            });
            return;
        }
        self.cells += cells.len() as u64;
        let mut cells = cells.peekable();
        while let Some((row, _)) = cells.peek() {
            let chunk = row / ROWS;
            self.slot(chunk);
            let Ok(at) = self.find(chunk) else { return };
            let Some((_, piece)) = self.pieces.get_mut(at) else {
                return;
            };
            let piece = Arc::make_mut(piece);
            while let Some((row, cell)) = cells.next_if(|(row, _)| row / ROWS == chunk) {
                let stored = match cell {
                    Cell::Text(text) if self.sharing != Sharing::Never => {
                        self.written += 1;
                        let code = match self.dictionary.find(text) {
                            None if self.sharing == Sharing::Open => {
                                Arc::make_mut(&mut self.dictionary).add(text)
                            }
                            found => found,
                        };
                        code.map_or(Stored::Text(text), |code| Stored::Code(i64::from(code)))
                    }
                    cell => cell.stored(),
                };
                piece.set(row % ROWS, stored);
            }
        }
    }

    /// Empties a row; true if it held something.
    pub(crate) fn clear(&mut self, row: usize) -> bool {
        let Ok(at) = self.find(row / ROWS) else {
            return false;
        };
        let Some((_, piece)) = self.pieces.get_mut(at) else {
            return false;
        };
        if !piece.holds(row % ROWS) {
            return false;
        }
        let before = match self.finder.is_made() {
            true => piece
                .get(row % ROWS, &self.dictionary)
                .and_then(|cell| match cell {
                    Cell::Text(text) => Some(text.to_owned()),
                    _ => None,
                }),
            false => None,
        };
        let piece = Arc::make_mut(piece);
        let cleared = piece.clear(row % ROWS);
        self.cells -= u64::from(cleared);
        if piece.lanes.is_empty() {
            self.pieces.remove(at);
        }
        self.track(row, before);
        cleared
    }

    pub(crate) fn bytes(&self) -> usize {
        std::mem::size_of::<Self>()
            + self.pieces.capacity() * 16
            + self.dictionary.bytes()
            + self.finder.bytes()
            + self
                .pieces
                .iter()
                .map(|(_, piece)| piece.bytes())
                .sum::<usize>()
    }

    pub(crate) fn shrink(&mut self) {
        self.pieces.shrink_to_fit();
        for (_, piece) in &mut self.pieces {
            if let Some(piece) = Arc::get_mut(piece) {
                piece.lanes.iter_mut().for_each(Lane::shrink);
                piece.lanes.shrink_to_fit();
            }
        }
    }

    fn find(&self, chunk: usize) -> Result<usize, usize> {
        match self.pieces.get(chunk) {
            Some((at, _)) if *at as usize == chunk => Ok(chunk),
            _ => self
                .pieces
                .binary_search_by_key(&(chunk as u32), |(at, _)| *at),
        }
    }

    fn slot(&mut self, chunk: usize) -> &mut Arc<Piece> {
        let at = match self.find(chunk) {
            Ok(at) => at,
            Err(at) => {
                self.pieces.insert(at, (chunk as u32, Arc::default()));
                at
            }
        };
        #[allow(clippy::indexing_slicing, reason = "found or inserted above")]
        &mut self.pieces[at].1
    }

    fn share<'a>(&mut self, text: &'a str) -> Stored<'a> {
        if self.sharing == Sharing::Never {
            return Stored::Text(text);
        }
        self.written += 1;
        if let Some(code) = self.dictionary.find(text) {
            return Stored::Code(i64::from(code));
        }
        if self.sharing == Sharing::Open {
            if self.dictionary.len() < MOST {
                return match Arc::make_mut(&mut self.dictionary).add(text) {
                    Some(code) => Stored::Code(i64::from(code)),
                    None => Stored::Text(text),
                };
            }
            if self.written < 4 * MOST as u64 {
                self.unshare();
            } else {
                self.sharing = Sharing::Full;
            }
        }
        Stored::Text(text)
    }

    /// Turns every code back into its text: sharing does not pay here.
    pub(crate) fn unshare(&mut self) {
        self.sharing = Sharing::Never;
        let dictionary = std::mem::take(&mut self.dictionary);
        for (_, piece) in &mut self.pieces {
            let piece = Arc::make_mut(piece);
            let Some(at) = piece
                .lanes
                .iter()
                .position(|lane| matches!(lane, Lane::Codes(_)))
            else {
                continue;
            };
            if let Lane::Codes(codes) = piece.lanes.swap_remove(at) {
                codes.for_each(|row, code| {
                    piece.set(row, Stored::Text(dictionary.get(code as usize)));
                });
            }
        }
    }
}
