//! The saved indexes: opening a fleet without reading its log again.
//!
//! Four files: the three indexes, each with its own checksums, and the names of the streams that documents depend on
//! beside those of things and device twins. The store's checkpoint holds their position, lengths and checksums, so
//! that files of another store, of another moment, or cut or flipped ones are never taken: then the log is read again.

use fleet_model::kernel::{Position, StreamName};
use fleet_query::index::{IndexError, WriterIndex};
use fleet_store::port::{Checkpoint, CheckpointState, StreamRead};
use sha2::{Digest as _, Sha256};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use super::Model as _;
use super::indexes::Indexes;
use crate::log::Log;
use crate::refusal::Refusal;

/// The name of the checkpoint.
const NAME: &str = "fleet-index";
/// Moves with the shape of the files and with what documents are made of.
const FORMAT: &str = concat!("fleet index 1, ", env!("CARGO_PKG_VERSION"));
/// The files of a tenant that hold indexes.
const INDEXES: [&str; 3] = ["devices", "modules", "groups"];

fn schema_hash() -> [u8; 32] {
    Sha256::digest(FORMAT.as_bytes()).into()
}

/// Counts and sums what goes through it.
struct Summed<T> {
    inner: T,
    length: u64,
    sum: u32,
}

impl<T> Summed<T> {
    const fn new(inner: T) -> Self {
        Self {
            inner,
            length: 0,
            sum: 0,
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        self.length += u64::try_from(bytes.len()).unwrap_or(0);
        self.sum = crc32c::crc32c_append(self.sum, bytes);
    }

    fn finish(&self) -> [u8; 12] {
        let mut out = [0; 12];
        let bytes = self.length.to_le_bytes().into_iter();
        let bytes = bytes.chain(self.sum.to_le_bytes());
        out.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        out
    }
}

impl<T: Write> Write for Summed<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.add(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl<T: Read> Read for Summed<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.add(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Where the indexes of one tenant are saved.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    tenant: String,
}

fn io_error(error: &io::Error) -> IndexError {
    IndexError::Io {
        reason: error.to_string(),
    }
}

fn damaged(reason: &str) -> IndexError {
    IndexError::Damaged {
        reason: reason.to_owned(),
    }
}

/// What was found at a place.
pub(crate) enum Found {
    /// The indexes as they were saved.
    Indexes(Box<Indexes>),
    /// Nothing that can be used, and why.
    Nothing(String),
}

impl Place {
    pub(crate) fn new(folder: &Path, log: &Log) -> Self {
        Self {
            folder: folder.to_owned(),
            tenant: log.store.tenant().as_str().to_owned(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{}.{name}", self.tenant))
    }

    /// Writes one file beside the one that is there, then puts it in its place.
    fn write(
        &self,
        name: &str,
        fill: impl FnOnce(&mut dyn Write) -> Result<(), IndexError>,
    ) -> Result<[u8; 12], IndexError> {
        let (path, fresh) = (self.file(name), self.file(&format!("{name}.new")));
        let file = File::create(&fresh).map_err(|error| io_error(&error))?;
        let mut out = Summed::new(BufWriter::new(file));
        fill(&mut out)?;
        let sum = out.finish();
        out.inner
            .into_inner()
            .map_err(|error| io_error(error.error()))?;
        std::fs::rename(&fresh, &path).map_err(|error| io_error(&error))?;
        Ok(sum)
    }

    /// Saves the indexes, then binds them to the store.
    pub(crate) async fn save(&self, log: &Log, indexes: &Indexes) -> Result<(), Refusal> {
        std::fs::create_dir_all(&self.folder).map_err(|error| io_error(&error))?;
        let mut state = Vec::new();
        for (name, index) in INDEXES.into_iter().zip(indexes.each()) {
            state.extend(self.write(name, |out| index.save(&self.tenant, out))?);
        }
        state.extend(self.write("streams", |out| {
            let names = indexes.sources.streams.names().iter();
            for name in names {
                writeln!(out, "{name}").map_err(|error| io_error(&error))?;
            }
            Ok(())
        })?);
        let checkpoint = Checkpoint {
            name: NAME.to_owned(),
            schema_hash: schema_hash(),
            position: indexes.position,
            state: state.into(),
        };
        Ok(log.store.save_checkpoint(checkpoint).await?)
    }

    /// What was saved, if it is this store's and whole.
    ///
    /// # Errors
    /// The store's own; files that cannot be used are no error.
    pub(crate) async fn load(&self, log: &Log) -> Result<Found, Refusal> {
        let found = log.store.load_checkpoint(NAME, &schema_hash()).await?;
        let checkpoint = match found {
            CheckpointState::Found(checkpoint) => checkpoint,
            CheckpointState::Absent => return Ok(Found::Nothing("none was saved".to_owned())),
            CheckpointState::OtherSchema => {
                return Ok(Found::Nothing("another version saved it".to_owned()));
            }
        };
        let (mut indexes, streams) = match self.read(&checkpoint) {
            Ok(read) => read,
            Err(error) => return Ok(Found::Nothing(error.to_string())),
        };
        for stream in streams {
            indexes.sources.streams.insert(&stream);
            if matches!(stream.category(), "group" | "billinggroup") {
                let page = log.store.read_stream(StreamRead::of(stream)).await?;
                let mut events = page.events.iter();
                while let Some(recorded) =
                    events.next().filter(|e| e.position <= checkpoint.position)
                {
                    indexes.sources.catalog.fold(recorded)?;
                }
            }
        }
        Ok(Found::Indexes(Box::new(indexes)))
    }

    fn read(&self, checkpoint: &Checkpoint) -> Result<(Indexes, Vec<StreamName>), IndexError> {
        let open = |name: &str| {
            let file = File::open(self.file(name)).map_err(|error| io_error(&error))?;
            Ok::<_, IndexError>(Summed::new(BufReader::with_capacity(1 << 18, file)))
        };
        let mut state = Vec::new();
        let mut index = |name: &str| {
            let mut from = open(name)?;
            let index = WriterIndex::load(&self.tenant, &mut from)?;
            state.extend(from.finish());
            if Position(index.position()) != checkpoint.position {
                return Err(damaged("it is of another position"));
            }
            Ok(index)
        };
        let (devices, modules, groups) = (index("devices")?, index("modules")?, index("groups")?);
        let mut text = String::new();
        let mut from = open("streams")?;
        let read = from.read_to_string(&mut text);
        read.map_err(|_| damaged("the list of streams cannot be read"))?;
        state.extend(from.finish());
        if *state != *checkpoint.state {
            return Err(damaged("it is not what this store saved"));
        }
        let streams = text.lines().map(str::parse).collect::<Result<_, _>>();
        let streams = streams.map_err(|_| damaged("a stream has no such name"))?;
        let indexes = Indexes::of(checkpoint.position, devices, modules, groups);
        Ok((indexes, streams))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_do_not_depend_on_how_bytes_come() {
        let mut whole = Summed::new(io::sink());
        whole.write_all(b"abcdef").unwrap();
        let mut parts = Summed::new(io::sink());
        parts.write_all(b"abc").unwrap();
        parts.write_all(b"def").unwrap();
        assert_eq!(whole.finish(), parts.finish());
        let mut read = Summed::new(&b"abcdef"[..]);
        io::copy(&mut read, &mut io::sink()).unwrap();
        assert_eq!(read.finish(), whole.finish());
    }
}
