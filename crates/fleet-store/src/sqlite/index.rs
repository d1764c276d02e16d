//! The store's own indexes: sorted runs in checksummed blocks, with the newest entries in memory.
//!
//! A B-tree keyed by random ids or streams costs a page write for each event. Here entries gather in memory
//! (they are in the log anyway, and are read back from it at open), and are written as a sorted *run* some
//! tens of thousands at a time; runs of like size are merged. A run is found by its filter and the first key of
//! each block, kept in memory; a look-up reads one block. Every block and header carries a CRC32C, so a
//! damaged index is an error and never a wrong "not stored".

use crate::port::{Corruption, StoreError};
use crate::record::Cursor;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Place;
use std::sync::{Arc, PoisonError, RwLock};

/// Bytes of a block without its checksum: with it, a block fits one database page.
const BLOCK_BYTES: usize = 4_032;
/// Entries that gather in memory before they are written as a run.
pub(crate) const FRESH: usize = 65_536;
/// Runs of like size that are merged into one.
const FAN_IN: usize = 8;
/// Entries from which a run is not merged any more.
const LARGEST: usize = 1 << 20;

/// Where blocks are kept: block `n` of run `r` is `r << 20 | n`.
pub(crate) trait Blocks {
    fn block(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError>;
}

pub(crate) fn block_id(run: i64, block: usize) -> i64 {
    (run << 20) | i64::try_from(block).unwrap_or(i64::MAX)
}

/// A sorted, immutable part of an index: the entries of a range of positions.
pub(crate) struct Run<const K: usize> {
    pub(crate) number: i64,
    pub(crate) from: u64,
    pub(crate) to: u64,
    entries: usize,
    last: [u8; K],
    fences: Vec<[u8; K]>,
    filter: Filter,
}

/// A run and the blocks that are to be written with it.
pub(crate) struct NewRun<const K: usize> {
    pub(crate) run: Run<K>,
    pub(crate) blocks: Vec<Vec<u8>>,
}

/// An entry: keys begin with 16 bytes by which they are filtered.
type Entry<const K: usize> = ([u8; K], u64);

fn with_crc(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    bytes
}

/// The bytes before the checksum, when it holds.
pub(crate) fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    (crc32c::crc32c(body) == u32::from_be_bytes(*crc)).then_some(body)
}

/// Bytes with their checksum behind them.
pub(crate) fn guarded(bytes: Vec<u8>) -> Vec<u8> {
    with_crc(bytes)
}

/// What entries of one index have in common: keys that begin alike are found together.
type Head = [u8; 16];

fn head_of<const K: usize>(key: &[u8; K]) -> Head {
    key.first_chunk().copied().unwrap_or_default()
}

/// Which heads a run may hold: a Bloom filter whose bits for one head share a cache line, about one wrong
/// answer in a thousand.
struct Filter(Vec<[u64; 8]>);

/// Bits of a filter for each entry.
const FILTER_BITS: usize = 16;
const PROBES: u32 = 7;

/// Two independent numbers of a head.
#[derive(Clone, Copy)]
struct Mixed(u64, u64);

impl Mixed {
    fn of(head: &Head) -> Self {
        let word = u128::from_be_bytes(*head);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (high, low) = ((word >> 64) as u64, word as u64);
        let mut a = high ^ low.rotate_left(32);
        a = (a ^ (a >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        a = (a ^ (a >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        let mut b = low ^ high.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        b = (b ^ (b >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self(a ^ (a >> 33), b ^ (b >> 32))
    }

    /// The line of a filter of `lines`.
    fn line(self, lines: usize) -> usize {
        let place = u128::from(self.0) * lines as u128;
        usize::try_from(place >> 64).unwrap_or(0)
    }

    /// The bits in that line.
    fn bits(self) -> [u64; 8] {
        let mut line = [0; 8];
        for probe in 0..PROBES {
            let at = self.1 >> (9 * probe);
            if let Some(word) = line.get_mut(usize::try_from(at >> 6 & 7).unwrap_or(0)) {
                *word |= 1 << (at & 63);
            }
        }
        line
    }
}

impl Filter {
    fn for_entries(count: usize) -> Self {
        Self(vec![[0; 8]; (count * FILTER_BITS).div_ceil(512).max(1)])
    }

    fn add(&mut self, head: &Head) {
        let mixed = Mixed::of(head);
        let at = mixed.line(self.0.len());
        if let Some(line) = self.0.get_mut(at) {
            line.iter_mut()
                .zip(mixed.bits())
                .for_each(|(word, bits)| *word |= bits);
        }
    }

    /// Whether the head may have been added. A run without a filter may hold anything.
    fn may_hold(&self, mixed: Mixed) -> bool {
        self.0.get(mixed.line(self.0.len())).is_none_or(|line| {
            let missing = line
                .iter()
                .zip(mixed.bits())
                .fold(0, |missing, (word, bits)| missing | (bits & !word));
            missing == 0
        })
    }
}

/// In the header of a run: the width of its keys, and above it the form of the filter. Form 0 was another
/// one; such a run is read without it, until it is merged.
const FILTER_FORM: u64 = 1 << 8;

impl<const K: usize> NewRun<K> {
    /// A run of `entries`, ascending by key.
    pub(crate) fn build(
        number: i64,
        from: u64,
        to: u64,
        entries: impl ExactSizeIterator<Item = Entry<K>>,
    ) -> Self {
        let count = entries.len();
        let mut filter = Filter::for_entries(count);
        let (mut fences, mut blocks, mut block) = (Vec::new(), Vec::new(), Vec::new());
        let mut last = [0; K];
        for (key, value) in entries {
            filter.add(&head_of(&key));
            if block.len() + K + 8 > BLOCK_BYTES {
                blocks.push(with_crc(std::mem::take(&mut block)));
            }
            if block.is_empty() {
                fences.push(key);
                block.reserve_exact(BLOCK_BYTES + 4);
            }
            block.extend_from_slice(&key);
            block.extend_from_slice(&value.to_be_bytes());
            last = key;
        }
        if !block.is_empty() {
            blocks.push(with_crc(block));
        }
        let run = Run {
            number,
            from,
            to,
            entries: count,
            last,
            fences,
            filter,
        };
        Self { run, blocks }
    }
}

impl<const K: usize> Run<K> {
    /// The stored form of everything but the blocks.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + self.fences.len() * K + self.filter.0.len() * 64);
        for number in [
            K as u64 | FILTER_FORM,
            self.number.unsigned_abs(),
            self.from,
            self.to,
            self.entries as u64,
            self.fences.len() as u64,
        ] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.last);
        for fence in &self.fences {
            out.extend_from_slice(fence);
        }
        for word in self.filter.0.as_flattened() {
            out.extend_from_slice(&word.to_be_bytes());
        }
        with_crc(out)
    }

    /// A run from its stored header; `None` when that is damaged.
    pub(crate) fn read(number: i64, header: &[u8]) -> Option<Self> {
        let mut rest = Cursor(checked(header)?);
        let width = rest.u64()?;
        if width & 0xff != K as u64 || rest.u64()? != number.unsigned_abs() {
            return None;
        }
        let (from, to) = (rest.u64()?, rest.u64()?);
        let entries = usize::try_from(rest.u64()?).ok()?;
        let count = usize::try_from(rest.u64()?).ok()?;
        let last = rest.array()?;
        let fences = rest.take(count.checked_mul(K)?)?;
        let fences = fences.as_chunks::<K>().0.to_vec();
        let mut filter = Filter(Vec::new());
        if width & FILTER_FORM != 0 {
            let (lines, odd) = rest.0.as_chunks::<64>();
            if !odd.is_empty() {
                return None;
            }
            filter.0.extend(lines.iter().map(|line| {
                let (words, _) = line.as_chunks::<8>();
                let mut of = [0; 8];
                of.iter_mut()
                    .zip(words)
                    .for_each(|(to, word)| *to = u64::from_be_bytes(*word));
                of
            }));
        }
        Some(Self {
            number,
            from,
            to,
            entries,
            last,
            fences,
            filter,
        })
    }

    pub(crate) fn blocks(&self) -> usize {
        self.fences.len()
    }

    /// The block that holds the greatest entry at or below `key`.
    fn block_of(&self, key: &[u8; K]) -> Option<usize> {
        self.fences
            .partition_point(|fence| fence <= key)
            .checked_sub(1)
    }

    fn load(&self, blocks: &impl Blocks, block: usize) -> Result<Loaded<K>, Trouble> {
        let id = block_id(self.number, block);
        let bytes = blocks.block(id).map_err(Trouble::Failed)?;
        let bytes = bytes.ok_or(Trouble::Missing(id))?;
        let body = checked(&bytes).ok_or(Trouble::Damaged(id))?;
        let width = K + 8;
        let mut entries = Vec::with_capacity(body.len() / width);
        let mut rest = Cursor(body);
        while let (Some(key), Some(value)) = (rest.array::<K>(), rest.u64()) {
            entries.push((key, value));
        }
        match entries.first() {
            Some((first, _)) if self.fences.get(block) == Some(first) => Ok(entries),
            _ => Err(Trouble::Damaged(id)),
        }
    }
}

type Loaded<const K: usize> = Vec<Entry<K>>;

enum Trouble {
    Failed(StoreError),
    Missing(i64),
    Damaged(i64),
}

impl Trouble {
    fn into_error(self) -> StoreError {
        let (id, reason) = match self {
            Self::Failed(error) => return error,
            Self::Missing(id) => (id, "is missing"),
            Self::Damaged(id) => (id, "does not match its checksum"),
        };
        Corruption::Malformed {
            place: format!("block {} of index run {}", id & 0xf_ffff, id >> 20),
            reason: reason.to_owned(),
        }
        .into()
    }
}

/// The newest entries, by the heads of their keys.
struct Fresh<const K: usize> {
    of: HashMap<Head, Alike<K>>,
    len: usize,
}

impl<const K: usize> Default for Fresh<K> {
    fn default() -> Self {
        let (of, len) = (HashMap::default(), 0);
        Self { of, len }
    }
}

/// Entries of one head, ascending. Nearly always it is one.
enum Alike<const K: usize> {
    One(Entry<K>),
    Many(Vec<Entry<K>>),
}

impl<const K: usize> Alike<K> {
    fn as_slice(&self) -> &[Entry<K>] {
        match self {
            Self::One(entry) => std::slice::from_ref(entry),
            Self::Many(entries) => entries,
        }
    }
}

impl<const K: usize> Fresh<K> {
    fn add(&mut self, entry: Entry<K>) {
        self.len += 1;
        match self.of.entry(head_of(&entry.0)) {
            Place::Vacant(place) => {
                place.insert(Alike::One(entry));
            }
            Place::Occupied(mut place) => {
                let alike = place.get_mut();
                if let Alike::One(first) = alike {
                    *alike = Alike::Many(vec![*first]);
                }
                if let Alike::Many(entries) = alike {
                    let at = entries.partition_point(|(key, _)| *key < entry.0);
                    match entries.get_mut(at) {
                        Some(same) if same.0 == entry.0 => {
                            *same = entry;
                            self.len -= 1;
                        }
                        _ => entries.insert(at, entry),
                    }
                }
            }
        }
    }

    /// The entries from `low` to `high`, which have one head.
    fn range(&self, low: &[u8; K], high: &[u8; K]) -> &[Entry<K>] {
        let alike = self.of.get(&head_of(low)).map_or(&[][..], Alike::as_slice);
        let from = alike.partition_point(|(key, _)| key < low);
        let to = alike.partition_point(|(key, _)| key <= high);
        alike.get(from..to).unwrap_or_default()
    }

    fn sorted(&self) -> Vec<Entry<K>> {
        let mut all = Vec::with_capacity(self.len);
        self.of
            .values()
            .for_each(|alike| all.extend_from_slice(alike.as_slice()));
        all.sort_unstable();
        all
    }

    fn clear(&mut self) {
        self.of.clear();
        self.len = 0;
    }
}

/// An index with keys of `K` bytes, the first 16 of which are the key's head.
pub(crate) struct Index<const K: usize> {
    fresh: RwLock<Fresh<K>>,
    runs: RwLock<Arc<Vec<Arc<Run<K>>>>>,
}

impl<const K: usize> Index<K> {
    pub(crate) fn new(runs: Vec<Arc<Run<K>>>) -> Self {
        Self {
            fresh: RwLock::default(),
            runs: RwLock::new(Arc::new(runs)),
        }
    }

    /// Adds entries whose events are committed.
    pub(crate) fn extend(&self, entries: impl IntoIterator<Item = Entry<K>>) {
        let mut fresh = self.fresh.write().unwrap_or_else(PoisonError::into_inner);
        entries.into_iter().for_each(|entry| fresh.add(entry));
    }

    /// Begins again with these runs, and nothing in memory.
    pub(crate) fn reset(&self, runs: Vec<Arc<Run<K>>>) {
        *self.runs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(runs);
        self.fresh
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub(crate) fn fresh_len(&self) -> usize {
        self.with_fresh(|fresh| fresh.len)
    }

    fn with_fresh<T>(&self, then: impl FnOnce(&Fresh<K>) -> T) -> T {
        then(&self.fresh.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn runs(&self) -> Arc<Vec<Arc<Run<K>>>> {
        Arc::clone(&self.runs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The fresh entries as a run, to be written.
    pub(crate) fn to_run(&self, number: i64, from: u64, to: u64) -> NewRun<K> {
        let entries = self.with_fresh(Fresh::sorted);
        NewRun::build(number, from, to, entries.into_iter())
    }

    /// Takes over a committed run of all fresh entries.
    ///
    /// Readers look at the fresh entries first: they find an entry there or in the new run.
    pub(crate) fn flushed(&self, run: Run<K>) {
        let mut runs = self.runs().as_ref().clone();
        runs.push(Arc::new(run));
        *self.runs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(runs);
        self.fresh
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// How many of the newest runs should become one, if any.
    pub(crate) fn to_merge(&self) -> usize {
        let runs = self.runs();
        let class = |run: &Run<K>| {
            let mut size = run.entries / FRESH;
            let mut class = 0u32;
            while size >= FAN_IN {
                size /= FAN_IN;
                class += 1;
            }
            class
        };
        let Some(newest) = runs.last() else { return 0 };
        let alike: Vec<_> = runs
            .iter()
            .rev()
            .take_while(|run| class(run) <= class(newest) && run.entries < LARGEST)
            .collect();
        let total: usize = alike.iter().map(|run| run.entries).sum();
        if alike.len() >= FAN_IN && total <= 2 * LARGEST {
            alike.len()
        } else {
            0
        }
    }

    /// The newest `count` runs as one, to be written.
    pub(crate) fn merged(
        &self,
        blocks: &impl Blocks,
        count: usize,
        number: i64,
    ) -> Result<(NewRun<K>, Vec<Arc<Run<K>>>), StoreError> {
        let runs = self.runs();
        let old: Vec<_> = runs.iter().skip(runs.len() - count).cloned().collect();
        let mut all = Vec::with_capacity(old.iter().map(|run| run.entries).sum());
        for run in &old {
            for block in 0..run.blocks() {
                all.extend(run.load(blocks, block).map_err(Trouble::into_error)?);
            }
        }
        // Runs are sorted already, which the stable sort makes use of.
        all.sort();
        let (from, to) = (
            old.first().map_or(0, |run| run.from),
            old.last().map_or(0, |run| run.to),
        );
        Ok((NewRun::build(number, from, to, all.into_iter()), old))
    }

    /// Takes over a committed run in place of the newest `count`.
    pub(crate) fn replaced(&self, count: usize, run: Run<K>) {
        let mut runs = self.runs().as_ref().clone();
        runs.truncate(runs.len().saturating_sub(count));
        runs.push(Arc::new(run));
        *self.runs.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(runs);
    }

    /// Looks into the runs; a block that a merge has just taken away is looked for again.
    fn in_runs<T>(
        &self,
        look: impl Fn(&[Arc<Run<K>>]) -> Result<T, Trouble>,
    ) -> Result<T, StoreError> {
        let mut runs = self.runs();
        loop {
            match look(&runs) {
                Ok(found) => return Ok(found),
                Err(Trouble::Missing(id)) => {
                    let now = self.runs();
                    if Arc::ptr_eq(&now, &runs) {
                        return Err(Trouble::Missing(id).into_error());
                    }
                    runs = now;
                }
                Err(trouble) => return Err(trouble.into_error()),
            }
        }
    }

    /// The value of exactly this key.
    pub(crate) fn get(
        &self,
        blocks: &impl Blocks,
        key: &[u8; K],
    ) -> Result<Option<u64>, StoreError> {
        if let Some((_, value)) = self.with_fresh(|fresh| fresh.range(key, key).first().copied()) {
            return Ok(Some(value));
        }
        let mixed = Mixed::of(&head_of(key));
        self.in_runs(|runs| {
            for run in runs.iter().rev() {
                if !run.filter.may_hold(mixed) || *key > run.last {
                    continue;
                }
                let Some(block) = run.block_of(key) else {
                    continue;
                };
                let entries = run.load(blocks, block)?;
                if let Ok(at) = entries.binary_search_by(|(found, _)| found.cmp(key)) {
                    return Ok(entries.get(at).map(|(_, value)| *value));
                }
            }
            Ok(None)
        })
    }

    /// Up to `limit` entries from `low` to `high`, the greatest first. Both have the same head.
    pub(crate) fn downwards(
        &self,
        blocks: &impl Blocks,
        low: &[u8; K],
        high: &[u8; K],
        limit: usize,
    ) -> Result<Vec<Entry<K>>, StoreError> {
        let fresh: Vec<Entry<K>> = self.with_fresh(|fresh| {
            let range = fresh.range(low, high).iter().rev();
            range.take(limit).copied().collect()
        });
        let mixed = Mixed::of(&head_of(low));
        self.in_runs(|runs| {
            let mut found = fresh.clone();
            for run in runs.iter().rev() {
                if found.len() >= limit {
                    break;
                }
                if !run.filter.may_hold(mixed) || *low > run.last {
                    continue;
                }
                let mut block = run.block_of(high);
                while let Some(at) = block {
                    let entries = run.load(blocks, at)?;
                    let fit = entries.iter().rev().skip_while(|(key, _)| key > high);
                    let before = found.last().map(|(key, _)| *key);
                    found.extend(
                        fit.take_while(|(key, _)| key >= low)
                            .filter(|(key, _)| before.is_none_or(|before| *key < before)),
                    );
                    let on = entries.first().is_some_and(|(key, _)| key > low);
                    block = if on && found.len() < limit {
                        at.checked_sub(1)
                    } else {
                        None
                    };
                }
            }
            found.truncate(limit);
            Ok(found)
        })
    }

    /// Up to `limit` entries above `low` up to `high`, the smallest first. Both have the same head.
    pub(crate) fn upwards(
        &self,
        blocks: &impl Blocks,
        low: &[u8; K],
        high: &[u8; K],
        limit: usize,
    ) -> Result<Vec<Entry<K>>, StoreError> {
        let fresh: Vec<Entry<K>> = self.with_fresh(|fresh| {
            let range = fresh.range(low, high).iter();
            let above = range.filter(|(key, _)| key != low);
            above.take(limit).copied().collect()
        });
        let mixed = Mixed::of(&head_of(low));
        self.in_runs(|runs| {
            let mut found: Vec<Entry<K>> = Vec::new();
            for run in runs {
                if found.len() >= limit {
                    break;
                }
                if !run.filter.may_hold(mixed) || *low > run.last {
                    continue;
                }
                let mut block = run.block_of(low).unwrap_or(0);
                while block < run.blocks() && found.len() < limit {
                    let entries = run.load(blocks, block)?;
                    let fit = entries.iter().skip_while(|(key, _)| key <= low);
                    found.extend(fit.take_while(|(key, _)| key <= high));
                    if entries.last().is_none_or(|(key, _)| key >= high) {
                        break;
                    }
                    block += 1;
                }
            }
            let above = found.last().map(|(key, _)| *key);
            found.extend(
                fresh
                    .iter()
                    .filter(|(key, _)| above.is_none_or(|above| *key > above)),
            );
            found.truncate(limit);
            Ok(found)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    #[test]
    fn a_filter_errs_once_in_hundreds() {
        let id =
            |n: u128| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)).to_be_bytes();
        let mut filter = Filter::for_entries(10_000);
        (0..10_000).for_each(|n| filter.add(&id(n)));
        assert!((0..10_000).all(|n| filter.may_hold(Mixed::of(&id(n)))));
        let wrong = (10_000..110_000)
            .filter(|n| filter.may_hold(Mixed::of(&id(*n))))
            .count();
        assert!(wrong < 500, "{wrong} of 100,000");
    }

    #[derive(Default)]
    struct Held(RefCell<HashMap<i64, Vec<u8>>>);

    impl Blocks for Held {
        fn block(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
            Ok(self.0.borrow().get(&id).cloned())
        }
    }

    fn key(stream: u8, version: u64) -> [u8; 24] {
        let mut key = [stream; 24];
        key[16..].copy_from_slice(&version.to_be_bytes());
        key
    }

    fn write(held: &Held, new: &NewRun<24>) {
        for (n, block) in new.blocks.iter().enumerate() {
            let id = block_id(new.run.number, n);
            held.0.borrow_mut().insert(id, block.clone());
        }
    }

    proptest! {
        /// The oracle is one ordered map of everything.
        #[test]
        fn runs_and_fresh_entries_answer_as_one_map(
            steps in proptest::collection::vec((0u8..6, 1usize..300, 0u8..4), 1..24),
            from in 0u64..900, limit in 1usize..40) {
            let (held, index, mut model) = (Held::default(), Index::<24>::new(vec![]), BTreeMap::new());
            let (mut versions, mut position, mut flushed, mut number) = ([0u64; 6], 0u64, 0u64, 0i64);
            for (stream, count, then) in steps {
                for _ in 0..count {
                    position += 1;
                    versions[stream as usize] += 1;
                    let entry = (key(stream, versions[stream as usize]), position);
                    model.insert(entry.0, entry.1);
                    index.extend([entry]);
                }
                if then > 0 {
                    number += 1;
                    let new = index.to_run(number, flushed + 1, position);
                    write(&held, &new);
                    let read = Run::read(number, &new.run.header()).unwrap();
                    index.flushed(read);
                    flushed = position;
                }
                if then > 1 && index.runs().len() > 1 {
                    number += 1;
                    let count = index.runs().len().min(3);
                    let (new, old) = index.merged(&held, count, number).unwrap();
                    write(&held, &new);
                    for run in old {
                        for block in 0..run.blocks() {
                            held.0.borrow_mut().remove(&block_id(run.number, block));
                        }
                    }
                    index.replaced(count, new.run);
                }
            }
            for stream in 0..7 {
                let (low, high, middle) = (key(stream, 0), key(stream, u64::MAX), key(stream, from));
                prop_assert_eq!(index.get(&held, &middle).unwrap(), model.get(&middle).copied());
                let down: Vec<_> = model.range(low..=middle).rev().take(limit).map(|(k, v)| (*k, *v)).collect();
                prop_assert_eq!(index.downwards(&held, &low, &middle, limit).unwrap(), down);
                let up: Vec<_> = model.range(middle..=high).filter(|(k, _)| **k != middle).take(limit)
                    .map(|(k, v)| (*k, *v)).collect();
                prop_assert_eq!(index.upwards(&held, &middle, &high, limit).unwrap(), up);
            }
        }

        /// The runs of the first format had another filter, which is not asked.
        #[test]
        fn a_run_with_another_filter_is_read_without_it(words: Vec<u64>) {
            let held = Held::default();
            let new = NewRun::build(1, 1, 9, (1u32..600).map(|n| (key(1, n.into()), n.into())));
            write(&held, &new);
            let header = new.run.header();
            let rest = header.len() - 4 - new.run.filter.0.len() * 64;
            let mut header = header[..rest].to_vec();
            header[..8].copy_from_slice(&24u64.to_be_bytes());
            header.extend(words.iter().flat_map(|word| word.to_be_bytes()));
            let run = Run::read(1, &guarded(header)).unwrap();
            let index = Index::new(vec![Arc::new(run)]);
            prop_assert_eq!(index.get(&held, &key(1, 3)).unwrap(), Some(3));
            prop_assert_eq!(index.get(&held, &key(2, 3)).unwrap(), None);
        }

        #[test]
        fn a_flipped_bit_is_found(bit in 0usize..8 * 4036) {
            let held = Held::default();
            let new = NewRun::build(1, 1, 9, (1u32..60).map(|n| (key(1, n.into()), n.into())));
            let mut header = new.run.header();
            write(&held, &new);
            let bits = header.len() * 8;
            header[bit % bits / 8] ^= 1 << (bit % 8);
            prop_assert!(Run::<24>::read(1, &header).is_none());
            let id = block_id(1, 0);
            let bits = held.0.borrow()[&id].len() * 8;
            held.0.borrow_mut().get_mut(&id).unwrap()[bit % bits / 8] ^= 1 << (bit % 8);
            let index = Index::new(vec![Arc::new(new.run)]);
            prop_assert_eq!(index.get(&held, &key(1, 3)).unwrap_err().code(), "store.corrupt");
        }
    }
}
