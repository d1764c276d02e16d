//! Backups: a consistent prefix of a log as one stream of bytes.
//!
//! `magic | format: u32 | tenant | head: u64`, then each event in its stored form behind its position, then what
//! is hidden or closed, then SHA-256 over all before. Numbers are big-endian.

use crate::live::Source;
use crate::port::{BackupSummary, LogRead, StoreError};
use crate::record;
use fleet_model::kernel::{Position, TenantId};
use sha2::{Digest as _, Sha256};
use std::io::Write;

const MAGIC: &[u8; 8] = b"FLEETBAK";
const FORMAT: u32 = 1;

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
    source: &dyn Source,
    tenant: &TenantId,
    to: &mut (dyn Write + Send),
) -> Result<BackupSummary, StoreError> {
    let head = source.page(&LogRead::after(Position::ZERO).limit(0))?.head;
    let mut out = Hashing {
        to,
        hash: Sha256::new(),
        bytes: 0,
    };
    out.put(MAGIC)?;
    out.put(&FORMAT.to_be_bytes())?;
    out.put(&[u8::try_from(tenant.as_str().len()).unwrap_or(u8::MAX)])?;
    out.put(tenant.as_str().as_bytes())?;
    out.put(&head.0.to_be_bytes())?;
    let mut read = LogRead::after(Position::ZERO).limit(1_000);
    let mut events = 0;
    let mut bytes = Vec::new();
    while read.after < head {
        let page = source.page(&read)?;
        bytes.clear();
        for event in page.events.iter().filter(|event| event.position <= head) {
            bytes.extend_from_slice(&event.position.0.to_be_bytes());
            record::encode_sealed(event, &mut bytes);
            events += 1;
        }
        out.put(&bytes)?;
        if page.scanned_to <= read.after {
            break;
        }
        read.after = page.scanned_to;
    }
    let digest = out.hash.clone().finalize();
    out.put(&digest)?;
    Ok(BackupSummary {
        head,
        events,
        bytes: out.bytes,
    })
}
