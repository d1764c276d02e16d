//! Backups: a consistent prefix of a log as one stream of bytes.
//!
//! `FLEETBAK | format: u32 | chained: u8 | tenant: u8 length and text | head: u64`, then `1 | position: u64` and the
//! stored form for each event, then `2 | tombstoned: u8 | first: u64 | stream: u32 length and text` for each stream that is
//! truncated or closed, then `0` and SHA-256 over all before. Numbers are big-endian.

use crate::live::Source;
use crate::port::{BackupSummary, Corruption, LogRead, StoreError};
use crate::record::{self, Cursor, Names, Raw};
use fleet_model::kernel::{Position, Recorded, StreamName, StreamVersion, TenantId};
use sha2::{Digest as _, Sha256};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

const MAGIC: &[u8; 8] = b"FLEETBAK";
const FORMAT: u32 = 1;
/// No stored envelope is longer: what claims to be is damage.
const LONGEST: usize = 64 << 20;

/// A stream of which something is hidden.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Hidden {
    pub(crate) stream: StreamName,
    pub(crate) first: StreamVersion,
    pub(crate) tombstoned: bool,
}

/// A log that a backup is taken of.
pub(crate) trait BackedUp: Source {
    fn tenant(&self) -> &TenantId;
    fn is_chained(&self) -> bool;
    fn hidden(&self) -> Vec<Hidden>;
    /// As `page`, with the events of closed streams.
    fn raw_page(&self, read: &LogRead) -> Result<(Vec<Recorded>, Position), StoreError>;
}

struct Hashing<'a> {
    to: &'a mut (dyn Write + Send),
    hash: Sha256,
    bytes: u64,
}

impl Hashing<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        let written = self.to.write_all(bytes);
        written.map_err(|error| StoreError::unavailable(format!("writing the backup: {error}")))
    }
}

/// Writes the log of `source` up to its present head.
pub(crate) fn write(
    source: &dyn BackedUp,
    to: &mut (dyn Write + Send),
) -> Result<BackupSummary, StoreError> {
    let hidden = source.hidden();
    let head = source.page(&LogRead::after(Position::ZERO).limit(0))?.head;
    let tenant = source.tenant().as_str();
    let mut out = Hashing {
        to,
        hash: Sha256::new(),
        bytes: 0,
    };
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT.to_be_bytes());
    bytes.push(u8::from(source.is_chained()));
    bytes.push(u8::try_from(tenant.len()).unwrap_or(u8::MAX));
    bytes.extend_from_slice(tenant.as_bytes());
    bytes.extend_from_slice(&head.0.to_be_bytes());
    out.put(&bytes)?;
    let mut read = LogRead::after(Position::ZERO).limit(1_000);
    let mut events = 0;
    while read.after < head {
        let (page, scanned_to) = source.raw_page(&read)?;
        bytes.clear();
        for event in page.iter().filter(|event| event.position <= head) {
            bytes.push(1);
            bytes.extend_from_slice(&event.position.0.to_be_bytes());
            record::encode_sealed(event, &mut bytes);
            events += 1;
        }
        out.put(&bytes)?;
        if scanned_to <= read.after {
            return Err(Corruption::Missing {
                place: "log".to_owned(),
                expected: read.after.0 + 1,
                found: head.0,
            }
            .into());
        }
        read.after = scanned_to;
    }
    for hidden in hidden {
        let name = hidden.stream.as_str();
        bytes.clear();
        bytes.extend_from_slice(&[2, u8::from(hidden.tombstoned)]);
        bytes.extend_from_slice(&hidden.first.0.to_be_bytes());
        bytes.extend_from_slice(&u32::try_from(name.len()).unwrap_or(0).to_be_bytes());
        bytes.extend_from_slice(name.as_bytes());
        out.put(&bytes)?;
    }
    out.put(&[0])?;
    let digest = out.hash.clone().finalize();
    out.put(&digest)?;
    let flushed = out.to.flush();
    flushed.map_err(|error| StoreError::unavailable(format!("writing the backup: {error}")))?;
    Ok(BackupSummary {
        head,
        events,
        bytes: out.bytes,
    })
}

/// What stands at the beginning of a backup.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Header {
    pub(crate) tenant: TenantId,
    pub(crate) chained: bool,
    pub(crate) head: Position,
}

/// One thing in a backup.
pub(crate) enum Item {
    Event(Box<Recorded>),
    Hidden(Hidden),
}

/// Reads a backup whose digest holds.
pub(crate) struct Reader<R> {
    from: BufReader<R>,
    names: Names,
    pub(crate) header: Header,
    pub(crate) bytes: u64,
}

fn damaged(reason: &str) -> StoreError {
    Corruption::Malformed {
        place: "backup".to_owned(),
        reason: reason.to_owned(),
    }
    .into()
}

fn failed(error: &io::Error) -> StoreError {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return damaged("it is cut short");
    }
    StoreError::unavailable(format!("reading the backup: {error}"))
}

impl<R: Read + Seek> Reader<R> {
    /// Checks the whole of `from`, then goes to its first event.
    pub(crate) fn open(mut from: R) -> Result<Self, StoreError> {
        let bytes = check(&mut from)?;
        from.seek(SeekFrom::Start(0))
            .map_err(|error| failed(&error))?;
        let mut reader = Self {
            from: BufReader::new(from),
            names: Names::default(),
            header: Header {
                tenant: "unknown"
                    .parse()
                    .map_err(|_| damaged("its tenant is not valid"))?,
                chained: false,
                head: Position::ZERO,
            },
            bytes,
        };
        if reader.array()? != *MAGIC {
            return Err(damaged("this is not a backup"));
        }
        let found = u32::from_be_bytes(reader.array()?);
        if found != FORMAT {
            return Err(StoreError::UnknownSchema {
                what: "the backup".to_owned(),
                found,
                known: FORMAT,
            });
        }
        let [chained, length] = reader.array()?;
        let tenant = reader.text(usize::from(length))?;
        reader.header = Header {
            tenant: tenant
                .parse()
                .map_err(|_| damaged("its tenant is not valid"))?,
            chained: chained == 1,
            head: Position(u64::from_be_bytes(reader.array()?)),
        };
        Ok(reader)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        self.from
            .read_exact(&mut bytes)
            .map_err(|error| failed(&error))?;
        Ok(bytes)
    }

    fn text(&mut self, length: usize) -> Result<String, StoreError> {
        let mut bytes = vec![0; length.min(LONGEST)];
        self.from
            .read_exact(&mut bytes)
            .map_err(|error| failed(&error))?;
        String::from_utf8(bytes).map_err(|_| damaged("a name is not valid"))
    }

    /// The next thing; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Item>, StoreError> {
        match self.array()? {
            [0] => Ok(None),
            [1] => {
                let position = Position(u64::from_be_bytes(self.array()?));
                let length: [u8; 4] = self.array()?;
                let count = u32::from_be_bytes(length) as usize;
                if count > LONGEST {
                    return Err(damaged("an event is too long"));
                }
                let mut bytes = length.to_vec();
                bytes.resize(4 + count, 0);
                let (_, body) = bytes.split_at_mut(4);
                self.from.read_exact(body).map_err(|error| failed(&error))?;
                let raw = Raw::next(&mut Cursor(&bytes), position)?;
                let event = raw.to_recorded(&mut self.names)?;
                Ok(Some(Item::Event(Box::new(event))))
            }
            [2] => {
                let [tombstoned] = self.array()?;
                let first = StreamVersion(u64::from_be_bytes(self.array()?));
                let length = u32::from_be_bytes(self.array()?) as usize;
                let stream = self.text(length)?;
                let stream = stream.parse().map_err(|_| damaged("a name is not valid"))?;
                Ok(Some(Item::Hidden(Hidden {
                    stream,
                    first,
                    tombstoned: tombstoned == 1,
                })))
            }
            _ => Err(damaged("it cannot be read")),
        }
    }
}

/// Checks the digest at the end; gives the length.
fn check(from: &mut (impl Read + Seek)) -> Result<u64, StoreError> {
    let length = from
        .seek(SeekFrom::End(0))
        .map_err(|error| failed(&error))?;
    from.seek(SeekFrom::Start(0))
        .map_err(|error| failed(&error))?;
    let body = length
        .checked_sub(32)
        .ok_or_else(|| damaged("this is not a backup"))?;
    let mut hash = Sha256::new();
    io::copy(&mut from.by_ref().take(body), &mut Feed(&mut hash))
        .map_err(|error| failed(&error))?;
    let mut digest = [0; 32];
    from.read_exact(&mut digest)
        .map_err(|error| failed(&error))?;
    if hash.finalize()[..] != digest {
        return Err(damaged(
            "its digest does not match: it is damaged or cut short",
        ));
    }
    Ok(length)
}

struct Feed<'a>(&'a mut Sha256);

impl Write for Feed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses a restore that would lose or mix histories.
pub(crate) fn check_target(
    header: &Header,
    tenant: &TenantId,
    chained: bool,
    head: Position,
) -> Result<(), StoreError> {
    if header.tenant != *tenant {
        return Err(StoreError::invalid(format!(
            "the backup is of tenant `{}`, the store is of `{tenant}`",
            header.tenant
        )));
    }
    if head > header.head {
        return Err(StoreError::invalid(format!(
            "the store is at position {head}, the backup ends at {}: restore into another place",
            header.head
        )));
    }
    if header.chained != chained {
        return Err(StoreError::invalid(
            "only one of backup and store has the hash chain: restore into another place",
        ));
    }
    Ok(())
}

/// A store that holds another event than the backup does at a position.
#[cfg(feature = "sqlite")]
pub(crate) fn other_history(position: Position) -> StoreError {
    StoreError::invalid(format!(
        "the store holds another event than the backup at position {position}: restore into another place"
    ))
}
