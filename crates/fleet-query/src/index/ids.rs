//! From id to row: many small shared tables, so that a new id after a snapshot copies one of them.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "the shard number is masked to the number of shards"
)]
use super::dictionary::hash;
use hashbrown::HashTable;
use std::sync::Arc;

const SHARDS: usize = 512;

/// The rows of ids; the ids themselves are a column.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    shards: Vec<Arc<HashTable<u32>>>,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            shards: vec![Arc::default(); SHARDS],
        }
    }
}

fn shard(hash: u64) -> usize {
    (hash >> 32) as usize & (SHARDS - 1)
}

impl Ids {
    /// Tables with room for so many ids.
    pub(crate) fn with_room(ids: usize) -> Self {
        let room = ids / SHARDS + ids / SHARDS / 8;
        Self {
            shards: (0..SHARDS)
                .map(|_| Arc::new(HashTable::with_capacity(room)))
                .collect(),
        }
    }

    /// Makes room for so many more ids.
    pub(crate) fn reserve<'a>(&mut self, ids: usize, id_of: impl Fn(u32) -> Option<&'a str>) {
        let room = ids / SHARDS + ids / SHARDS / 8;
        for table in &mut self.shards {
            // A table that has the room may be shared: it is not copied for nothing.
            if table.capacity() - table.len() < room {
                Arc::make_mut(table).reserve(room, |row| id_of(*row).map_or(0, hash));
            }
        }
    }

    pub(crate) fn find<'a>(&self, id: &str, id_of: impl Fn(u32) -> Option<&'a str>) -> Option<u32> {
        let hash = hash(id);
        self.shards[shard(hash)]
            .find(hash, |row| id_of(*row) == Some(id))
            .copied()
    }

    /// Reads a little of what looking for an id reads first; gives the id's hash.
    pub(crate) fn touch(&self, id: &str) -> u64 {
        let hash = hash(id);
        let mut found = self.shards[shard(hash)].iter_hash(hash);
        std::hint::black_box(found.next().is_some());
        hash
    }

    /// The row of an id with this hash, or of another whose hash is like it: the id is not looked at.
    pub(crate) fn likely(&self, hash: u64) -> Option<u32> {
        self.shards[shard(hash)].iter_hash(hash).next().copied()
    }

    pub(crate) fn add<'a>(&mut self, id: &str, row: u32, id_of: impl Fn(u32) -> Option<&'a str>) {
        let key = hash(id);
        Arc::make_mut(&mut self.shards[shard(key)])
            .insert_unique(key, row, |row| id_of(*row).map_or(0, hash));
    }

    pub(crate) fn remove<'a>(&mut self, id: &str, id_of: impl Fn(u32) -> Option<&'a str>) {
        let key = hash(id);
        let table = Arc::make_mut(&mut self.shards[shard(key)]);
        if let Ok(entry) = table.find_entry(key, |row| id_of(*row) == Some(id)) {
            entry.remove();
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.shards
            .iter()
            .map(|table| table.allocation_size() + 32)
            .sum()
    }
}
