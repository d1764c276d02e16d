//! Keys and values of a tenant's indexes.

use fleet_model::kernel::StreamName;
use sha2::{Digest as _, Sha256};

/// A stream's key in the index: a hash of its name, then the version.
pub(crate) type StreamKey = [u8; 24];
/// The hash of a stream's name.
pub(crate) type StreamHash = [u8; 16];

pub(crate) fn stream_hash(stream: &StreamName) -> StreamHash {
    let digest: [u8; 32] = Sha256::digest(stream.as_str().as_bytes()).into();
    digest.first_chunk().copied().unwrap_or_default()
}

pub(crate) fn stream_key(hash: &StreamHash, version: u64) -> StreamKey {
    let mut key = [0; 24];
    let (head, tail) = key.split_at_mut(16);
    head.copy_from_slice(hash);
    tail.copy_from_slice(&version.to_be_bytes());
    key
}

/// A row of the log in the stream index: where it is and how many versions it holds.
pub(crate) fn row_value(position: u64, count: usize) -> u64 {
    (position << 12) | (count.saturating_sub(1) as u64 & 0xfff)
}

/// The first version of the row that a key stands for.
pub(crate) fn version_of(key: &StreamKey) -> u64 {
    key.split_last_chunk::<8>()
        .map_or(0, |(_, version)| u64::from_be_bytes(*version))
}

/// The first and last position of a row, from its value in the stream index.
pub(crate) fn positions_of(value: u64) -> (u64, u64) {
    (value >> 12, (value >> 12) + (value & 0xfff))
}
