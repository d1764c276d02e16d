//! The saved index: opening a fleet without reading its log again.
//!
//! Little-endian; a header with the fleet's name and the position, then sections, each with its length and CRC-32C. A file
//! that is cut, flipped, foreign or of another version is refused as damaged, never half read. The layout is described in `docs/index.md`.
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a format: lengths are written with the width that they are read with, and checked"
)]
use super::column::{Column, Lane, Piece, Sharing};
use super::dictionary::Dictionary;
use super::error::IndexError;
use super::finder::Finder;
use super::floats::Floats;
use super::groups::{Group, Groups};
use super::ids::Ids;
use super::ints::{Form, Ints, ROWS};
use super::packed::Packed;
use super::schema::{Node, PATHS, ROOT, Schema, Step};
use super::state::State;
use super::texts::Texts;
use super::writer::WriterIndex;
use crate::dialect::Collection;
use roaring::RoaringBitmap;
use serde_json::{Map, Value};
use std::io::{Read, Write};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"FLEETIX2";
/// The largest section that is believed before its checksum is known.
const LARGEST: u64 = 1 << 40;

fn damaged(reason: impl Into<String>) -> IndexError {
    IndexError::Damaged {
        reason: reason.into(),
    }
}

fn io(error: &std::io::Error) -> IndexError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return damaged("it ends too early");
    }
    IndexError::Io {
        reason: error.to_string(),
    }
}

#[derive(Default)]
struct Out(Vec<u8>);

impl Out {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u32(&mut self, value: usize) {
        self.0.extend_from_slice(&(value as u32).to_le_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }
    fn bytes(&mut self, bytes: &[u8]) {
        self.u64(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }
}

struct In<'a>(&'a [u8]);

impl<'a> In<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], IndexError> {
        let (head, tail) = self
            .0
            .split_at_checked(count)
            .ok_or_else(|| damaged("a section ends too early"))?;
        self.0 = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], IndexError> {
        self.take(N)?
            .try_into()
            .map_err(|_| damaged("a section ends too early"))
    }
    fn u8(&mut self) -> Result<u8, IndexError> {
        Ok(u8::from_le_bytes(self.array()?))
    }
    fn u32(&mut self) -> Result<usize, IndexError> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }
    fn u64(&mut self) -> Result<u64, IndexError> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    fn bytes(&mut self) -> Result<&'a [u8], IndexError> {
        let count = self.u64()?;
        self.take(usize::try_from(count).map_err(|_| damaged("a length is too large"))?)
    }
    fn text(&mut self) -> Result<&'a str, IndexError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| damaged("a text is not UTF-8"))
    }
    /// A count of things of at least `size` bytes each, which therefore cannot exceed what is left.
    fn count(&mut self, size: usize) -> Result<usize, IndexError> {
        let count = self.u32()?;
        if count.saturating_mul(size) > self.0.len() {
            return Err(damaged("a count is too large"));
        }
        Ok(count)
    }
}

impl WriterIndex {
    /// Writes the index with the position that it reflects. `fleet` names the fleet that it belongs to.
    ///
    /// # Errors
    /// `query.index_io`.
    pub fn save(&self, fleet: &str, mut to: impl Write) -> Result<(), IndexError> {
        let mut head = Out::default();
        head.bytes(fleet.as_bytes());
        head.u64(self.state.position);
        head.u8(match self.state.collection {
            Collection::Devices => 0,
            Collection::Modules => 1,
            Collection::Jobs => 2,
            Collection::Groups => 3,
            Collection::Messages => 4,
        });
        head.u64(self.state.rows as u64);
        head.u64(self.state.live as u64);
        head.u8(u8::from(self.state.sorted));
        head.u8(u8::from(self.state.metadata));
        head.u32(self.state.id_node as usize);
        head.bytes(self.last_id.as_bytes());
        head.u64(self.ignored());
        head.u32(self.state.columns.len());
        to.write_all(MAGIC).map_err(|error| io(&error))?;
        section(&mut to, &head)?;
        let mut tables = Out::default();
        write_schema(&self.state.schema, &mut tables);
        write_groups(&self.state.groups, &mut tables)?;
        for table in [&self.free, &self.versions] {
            tables.u32(table.len());
            table.iter().for_each(|value| tables.u32(*value as usize));
        }
        tables.u32(self.cells.len());
        self.cells
            .iter()
            .for_each(|count| tables.0.extend_from_slice(&count.to_le_bytes()));
        section(&mut to, &tables)?;
        for column in &self.state.columns {
            let mut out = Out::default();
            write_column(column, &mut out);
            section(&mut to, &out)?;
        }
        to.flush().map_err(|error| io(&error))
    }

    /// Opens a saved index of this fleet.
    ///
    /// # Errors
    /// `query.index_damaged` if the file is cut, flipped, of another version, or of another fleet than `fleet`: rebuild it
    /// from the log. `query.index_io` if it cannot be read.
    pub fn load(fleet: &str, mut from: impl Read) -> Result<Self, IndexError> {
        let mut magic = [0; 8];
        from.read_exact(&mut magic).map_err(|error| io(&error))?;
        if &magic != MAGIC {
            return Err(damaged("it is no index of this version"));
        }
        let head = read_section(&mut from)?;
        let mut head = In(&head);
        let name = head.text()?;
        if name != fleet {
            return Err(damaged(format!(
                "it belongs to the fleet `{name}`, not to `{fleet}`"
            )));
        }
        let position = head.u64()?;
        let collection = match head.u8()? {
            0 => Collection::Devices,
            1 => Collection::Modules,
            2 => Collection::Jobs,
            3 => Collection::Groups,
            4 => Collection::Messages,
            _ => return Err(damaged("it names an unknown collection")),
        };
        let (rows, live) = (head.u64()? as usize, head.u64()? as usize);
        if rows > u32::MAX as usize {
            return Err(damaged("it has too many rows"));
        }
        let sorted = head.u8()? == 1;
        let metadata = head.u8()? == 1;
        let id_node = Node::try_from(head.u32()?).map_err(|_| damaged("it names no id"))?;
        let last_id = head.text()?.to_owned();
        let ignored = head.u64()?;
        let columns = head.u32()?;
        let tables = read_section(&mut from)?;
        let mut tables = In(&tables);
        let schema = read_schema(&mut tables)?;
        let groups = read_groups(&mut tables)?;
        let mut table = || -> Result<Vec<u32>, IndexError> {
            let count = tables.count(4)?;
            (0..count).map(|_| Ok(tables.u32()? as u32)).collect()
        };
        let (free, versions) = (table()?, table()?);
        let count = tables.count(2)?;
        let cells = (0..count)
            .map(|_| Ok(u16::from_le_bytes(tables.array()?)))
            .collect::<Result<Vec<u16>, IndexError>>()?;
        if columns > PATHS || columns > schema.len() {
            return Err(damaged("it has more columns than paths"));
        }
        let columns = (0..columns)
            .map(|_| {
                let bytes = read_section(&mut from)?;
                Ok(Arc::new(read_column(&mut In(&bytes))?))
            })
            .collect::<Result<Vec<_>, IndexError>>()?;
        if from.read(&mut [0]).map_err(|error| io(&error))? != 0 {
            return Err(damaged("something follows its end"));
        }
        let mut state = State::new(collection);
        if state.id_node != id_node || schema.key(id_node) != state.schema.key(id_node) {
            return Err(damaged("it keeps ids elsewhere"));
        }
        state.metadata = metadata;
        state.attributes = schema.child(ROOT, "attributes");
        state.schema = Arc::new(schema);
        state.columns = columns;
        (state.rows, state.live, state.sorted, state.position) = (rows, live, sorted, position);
        state.groups = Arc::new(groups);
        let mut ids = Ids::with_room(live);
        let mut found = 0;
        for row in 0..rows {
            if let Some(id) = state.id(row) {
                ids.add(id, row as u32, |row| state.id(row as usize));
                found += 1;
            }
        }
        if found != live {
            return Err(damaged("its ids do not fit its rows"));
        }
        state.ids = Arc::new(ids);
        let mut index = Self::of(state);
        (index.free, index.versions, index.cells, index.last_id) = (free, versions, cells, last_id);
        index.set_ignored(ignored);
        Ok(index)
    }
}

fn section(to: &mut impl Write, out: &Out) -> Result<(), IndexError> {
    let mut frame = Vec::with_capacity(12);
    frame.extend_from_slice(&(out.0.len() as u64).to_le_bytes());
    // The checksum covers the length too.
    let sum = crc32c::crc32c_append(crc32c::crc32c(&frame), &out.0);
    frame.extend_from_slice(&sum.to_le_bytes());
    to.write_all(&frame)
        .and_then(|()| to.write_all(&out.0))
        .map_err(|error| io(&error))
}

fn read_section(from: &mut impl Read) -> Result<Vec<u8>, IndexError> {
    let (mut length, mut sum) = ([0; 8], [0; 4]);
    from.read_exact(&mut length)
        .and_then(|()| from.read_exact(&mut sum))
        .map_err(|error| io(&error))?;
    let wanted = u64::from_le_bytes(length);
    if wanted > LARGEST {
        return Err(damaged("a section's length is impossible"));
    }
    // Reads what is there, so that a false length cannot reserve memory.
    let mut bytes = Vec::new();
    from.by_ref()
        .take(wanted)
        .read_to_end(&mut bytes)
        .map_err(|error| io(&error))?;
    if bytes.len() as u64 != wanted {
        return Err(damaged("it ends too early"));
    }
    if crc32c::crc32c_append(crc32c::crc32c(&length), &bytes) != u32::from_le_bytes(sum) {
        return Err(damaged("a checksum does not fit"));
    }
    Ok(bytes)
}

fn write_schema(schema: &Schema, out: &mut Out) {
    out.u32(schema.len());
    for node in 1..schema.len() {
        let Some(entry) = schema.entry(node as Node) else {
            continue;
        };
        out.u32(entry.parent as usize);
        match &entry.step {
            Step::Key(key) => {
                out.u8(0);
                out.bytes(key.as_bytes());
            }
            Step::Element(index) => {
                out.u8(1);
                out.u8(*index);
            }
        }
    }
}

fn read_schema(from: &mut In<'_>) -> Result<Schema, IndexError> {
    let count = from.count(1)?;
    let mut schema = Schema::default();
    for node in 1..count {
        let parent = from.u32()?;
        if parent >= node {
            return Err(damaged("a path hangs in the air"));
        }
        let step = match from.u8()? {
            0 => Step::Key(from.text()?.into()),
            _ => Step::Element(from.u8()?),
        };
        schema
            .add(parent as Node, step)
            .ok_or_else(|| damaged("it has too many paths"))?;
    }
    Ok(schema)
}

fn write_groups(groups: &Groups, out: &mut Out) -> Result<(), IndexError> {
    out.u32(groups.by_name.len());
    for (name, group) in &groups.by_name {
        out.bytes(name.as_bytes());
        out.u8(u8::from(group.parent.is_some()));
        out.bytes(group.parent.as_deref().unwrap_or_default().as_bytes());
        out.bytes(
            Value::Object(group.attributes.clone())
                .to_string()
                .as_bytes(),
        );
        let mut rows = Vec::new();
        group
            .members
            .serialize_into(&mut rows)
            .map_err(|error| io(&error))?;
        out.bytes(&rows);
    }
    Ok(())
}

fn read_groups(from: &mut In<'_>) -> Result<Groups, IndexError> {
    let mut groups = Groups::default();
    for _ in 0..from.count(20)? {
        let name: Arc<str> = from.text()?.into();
        let has_parent = from.u8()? == 1;
        let parent = from.text()?;
        let attributes: Map<String, Value> = serde_json::from_str(from.text()?)
            .map_err(|_| damaged("a group's attributes are not JSON"))?;
        let members = RoaringBitmap::deserialize_from(from.bytes()?)
            .map_err(|_| damaged("a group's members cannot be read"))?;
        groups.by_name.insert(
            name,
            Arc::new(Group {
                parent: has_parent.then(|| parent.into()),
                attributes,
                members,
            }),
        );
    }
    Ok(groups)
}

fn write_column(column: &Column, out: &mut Out) {
    out.u8(match column.sharing {
        Sharing::Open => 0,
        Sharing::Full => 1,
        Sharing::Never => 2,
    });
    out.u64(column.written);
    out.u32(column.dictionary.len());
    column
        .dictionary
        .iter()
        .for_each(|text| out.bytes(text.as_bytes()));
    out.u32(column.pieces.len());
    for (chunk, piece) in &column.pieces {
        out.u32(*chunk as usize);
        out.u8(piece.lanes.len() as u8);
        for lane in &piece.lanes {
            match lane {
                Lane::Tags(ints) => write_ints(0, ints, out),
                Lane::Ints(ints) => write_ints(1, ints, out),
                Lane::Codes(ints) => write_ints(2, ints, out),
                Lane::Floats(floats) => {
                    write_ints(3, &floats.ints, out);
                    out.u8(floats.scale.unwrap_or(7));
                }
                Lane::Texts(texts) => write_texts(4, texts, out),
                Lane::Json(texts) => write_texts(5, texts, out),
            }
        }
    }
}

fn read_column(from: &mut In<'_>) -> Result<Column, IndexError> {
    let sharing = match from.u8()? {
        0 => Sharing::Open,
        1 => Sharing::Full,
        _ => Sharing::Never,
    };
    let written = from.u64()?;
    let mut dictionary = Dictionary::default();
    for _ in 0..from.count(8)? {
        dictionary
            .add(from.text()?)
            .ok_or_else(|| damaged("a dictionary is too large"))?;
    }
    let shared = dictionary.len() as i64;
    let mut pieces: Vec<(u32, Arc<Piece>)> = Vec::new();
    for _ in 0..from.count(5)? {
        let chunk = from.u32()? as u32;
        if pieces.last().is_some_and(|(last, _)| *last >= chunk) {
            return Err(damaged("its pieces are not in order"));
        }
        let mut piece = Piece::default();
        for _ in 0..from.u8()? {
            piece.lanes.push(match from.u8()? {
                0 => Lane::Tags(read_ints(from)?),
                1 => Lane::Ints(read_ints(from)?),
                2 => {
                    let codes = read_ints(from)?;
                    if codes.count_in(i64::MIN, -1) + codes.count_in(shared, i64::MAX) > 0 {
                        return Err(damaged("a code has no text"));
                    }
                    Lane::Codes(codes)
                }
                3 => {
                    let ints = read_ints(from)?;
                    let scale = from.u8()?;
                    Lane::Floats(Floats {
                        scale: (scale < 7).then_some(scale),
                        ints,
                    })
                }
                4 => Lane::Texts(read_texts(from)?),
                5 => Lane::Json(read_texts(from)?),
                _ => return Err(damaged("a lane is of no known kind")),
            });
        }
        pieces.push((chunk, Arc::new(piece)));
    }
    let cells = pieces
        .iter()
        .flat_map(|(_, piece)| &piece.lanes)
        .map(|lane| lane.count() as u64)
        .sum();
    Ok(Column {
        finder: Finder::default(),
        cells,
        pieces,
        dictionary: Arc::new(dictionary),
        sharing,
        written,
    })
}

fn write_ints(kind: u8, ints: &Ints, out: &mut Out) {
    out.u8(kind);
    match &ints.form {
        Form::Same { value, rows } => {
            out.u8(0);
            out.u64(*value as u64);
            out.u32(*rows as usize);
        }
        Form::Few { rows, values } => {
            out.u8(1);
            out.u32(rows.len());
            rows.iter()
                .for_each(|row| out.0.extend_from_slice(&row.to_le_bytes()));
            values.iter().for_each(|value| out.u64(*value as u64));
        }
        Form::Many {
            base,
            offsets,
            count,
        } => {
            let width = match offsets {
                Packed::B1(_) => 2,
                Packed::B2(_) => 3,
                Packed::B4(_) => 4,
                Packed::B8(_) => 5,
            };
            out.u8(width);
            out.u64(*base as u64);
            out.u32(*count as usize);
            match offsets {
                Packed::B1(values) => out.bytes(values),
                Packed::B2(values) => flat(out, values, |v| v.to_le_bytes()),
                Packed::B4(values) => flat(out, values, |v| v.to_le_bytes()),
                Packed::B8(values) => flat(out, values, |v| v.to_le_bytes()),
            }
        }
    }
}

fn flat<T: Copy, const N: usize>(out: &mut Out, values: &[T], bytes: impl Fn(T) -> [u8; N]) {
    out.u64((values.len() * N) as u64);
    values
        .iter()
        .for_each(|value| out.0.extend_from_slice(&bytes(*value)));
}

fn unflat<T, const N: usize>(
    bytes: &[u8],
    value: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, IndexError> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    if !rest.is_empty() || chunks.len() > ROWS {
        return Err(damaged("a lane has no whole number of values"));
    }
    Ok(chunks.iter().map(|chunk| value(*chunk)).collect())
}

fn read_ints(from: &mut In<'_>) -> Result<Ints, IndexError> {
    let form = match from.u8()? {
        0 => {
            let (value, rows) = (from.u64()? as i64, from.u32()? as u32);
            if rows as usize > ROWS {
                return Err(damaged("a lane is too long"));
            }
            Form::Same { value, rows }
        }
        1 => {
            let count = from.count(10)?;
            let rows = (0..count)
                .map(|_| Ok(u16::from_le_bytes(from.array()?)))
                .collect::<Result<Vec<u16>, IndexError>>()?;
            let ascending = rows.windows(2).all(|pair| matches!(pair, [a, b] if a < b));
            if !ascending || rows.last().is_some_and(|row| usize::from(*row) >= ROWS) {
                return Err(damaged("a lane's rows are not in order"));
            }
            let values = (0..count)
                .map(|_| Ok(from.u64()? as i64))
                .collect::<Result<Vec<i64>, IndexError>>()?;
            Form::Few { rows, values }
        }
        width => {
            let (base, count) = (from.u64()? as i64, from.u32()? as u32);
            let bytes = from.bytes()?;
            let offsets = match width {
                2 => Packed::B1(unflat(bytes, u8::from_le_bytes)?),
                3 => Packed::B2(unflat(bytes, u16::from_le_bytes)?),
                4 => Packed::B4(unflat(bytes, u32::from_le_bytes)?),
                5 => Packed::B8(unflat(bytes, u64::from_le_bytes)?),
                _ => return Err(damaged("a lane has no known form")),
            };
            Form::Many {
                base,
                offsets,
                count,
            }
        }
    };
    Ok(Ints { form })
}

fn write_texts(kind: u8, texts: &Texts, out: &mut Out) {
    out.u8(kind);
    out.u32(texts.stride);
    out.u32(texts.in_slots as usize);
    out.bytes(&texts.slots);
    out.u32(texts.apart.len());
    for (row, text) in &texts.apart {
        out.u32(usize::from(*row));
        out.bytes(text.as_bytes());
    }
}

fn read_texts(from: &mut In<'_>) -> Result<Texts, IndexError> {
    let (stride, in_slots) = (from.u32()?, from.u32()? as u32);
    let slots = from.bytes()?.to_vec();
    let mut apart: Vec<(u16, Arc<str>)> = Vec::new();
    for _ in 0..from.count(12)? {
        let row = u16::try_from(from.u32()?).map_err(|_| damaged("a row is out of range"))?;
        if usize::from(row) >= ROWS || apart.last().is_some_and(|(last, _)| *last >= row) {
            return Err(damaged("a lane's rows are not in order"));
        }
        apart.push((row, from.text()?.into()));
    }
    Texts::restore(stride, slots, apart, in_slots)
        .ok_or_else(|| damaged("a lane of texts does not fit its slots"))
}
