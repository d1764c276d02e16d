//! What the cases share: events, random numbers, waiting, and the look at a whole log.

use super::{How, Place, Rig};
use crate::port::{
    Append, Appended, EventStore, Expected, LogRead, StoreError, StreamPage, StreamRead,
};
use fleet_model::kernel::{
    NewEvent, Position, Recorded, StreamName, StreamVersion, TenantId, Timestamp,
};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use uuid::Uuid;

/// Why a case failed.
#[derive(Debug)]
pub(crate) struct Problem(pub(crate) String);

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self(format!("{}: {error}", error.code()))
    }
}

impl From<String> for Problem {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Problem {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<fleet_model::kernel::NameError> for Problem {
    fn from(error: fleet_model::kernel::NameError) -> Self {
        Self(error.to_string())
    }
}

/// Fails the case unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err($crate::conformance::rig::Problem(format!($($text)+)));
        }
    };
}
pub(crate) use ensure;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Polls a future to its end on this thread.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// Random numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, without it.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

static IDS: AtomicU64 = AtomicU64::new(1);

/// An event that was never seen before in this process.
pub(crate) fn fresh(text: &str) -> NewEvent {
    event(u128::from(IDS.fetch_add(1, Ordering::Relaxed)) << 64, text)
}

/// An event with this id and text, of type `probe.told`: for tests of adapters.
#[must_use]
pub fn event(id: u128, text: &str) -> NewEvent {
    let fixed = |text: &str| text.parse();
    NewEvent {
        id: Uuid::from_u128(id).into(),
        event_type: fixed("probe.told").unwrap_or_else(|_| never()),
        schema: 1,
        occurred_at: Timestamp::from_secs(1),
        correlation: Uuid::from_u128(id),
        causation: None,
        actor: "system:conformance".parse().unwrap_or_else(|_| never()),
        meta: BTreeMap::new(),
        data: format!("\"{text}\"").into_bytes().into(),
        subject: None,
    }
}

/// The fixed names of this module are valid; a loop, not a panic, stands where they were not.
fn never() -> ! {
    loop {
        std::thread::park();
    }
}

pub(crate) fn stream(text: &str) -> Result<StreamName, Problem> {
    Ok(text.parse()?)
}

/// An append of `count` fresh events.
pub(crate) fn group(name: &str, expected: Expected, count: usize) -> Result<Append, Problem> {
    let events = (0..count).map(|n| fresh(&format!("{name} {n}"))).collect();
    Ok(Append::new(stream(name)?, expected, events))
}

pub(crate) fn exact(version: u64) -> Expected {
    Expected::Exact(StreamVersion(version))
}

/// A store under test.
pub(crate) type Store = Arc<dyn EventStore>;

pub(crate) fn append(
    store: &Store,
    name: &str,
    expected: Expected,
    count: usize,
) -> Result<Appended, Problem> {
    Ok(wait(store.append(group(name, expected, count)?))?)
}

/// The code of the refusal that is expected.
pub(crate) fn refused(store: &Store, append: Append, code: &str) -> Result<StoreError, Problem> {
    match wait(store.append(append)) {
        Err(error) if error.code() == code => Ok(error),
        Err(error) => Err(Problem(format!(
            "expected `{code}`, got `{}`",
            error.code()
        ))),
        Ok(_) => Err(Problem(format!("expected `{code}`, it was stored"))),
    }
}

pub(crate) fn page(store: &Store, name: &str) -> Result<StreamPage, Problem> {
    Ok(wait(store.read_stream(StreamRead::of(stream(name)?)))?)
}

pub(crate) fn head(store: &Store) -> Result<Position, Problem> {
    Ok(wait(store.head())?)
}

/// The whole log, in pages of `limit`.
pub(crate) fn everything(store: &Store, limit: usize) -> Result<Vec<Recorded>, Problem> {
    let mut read = LogRead::after(Position::ZERO).limit(limit);
    let mut all = Vec::new();
    loop {
        let page = wait(store.read_all(read.clone()))?;
        all.extend(page.events);
        if page.scanned_to >= page.head {
            return Ok(all);
        }
        ensure!(page.scanned_to > read.after, "a page makes no progress");
        read.after = page.scanned_to;
    }
}

/// Positions rise, versions of each stream have no gap, and the store's own scrub finds nothing.
pub(crate) fn sound(store: &Store) -> Result<Vec<Recorded>, Problem> {
    let all = everything(store, 1_000)?;
    let mut last = Position::ZERO;
    let mut versions: BTreeMap<&StreamName, u64> = BTreeMap::new();
    for event in &all {
        ensure!(
            event.position > last,
            "position {} comes twice or late",
            event.position
        );
        last = event.position;
        let version = versions.entry(&event.stream).or_default();
        *version += 1;
        ensure!(
            event.version.0 == *version,
            "stream `{}` has version {} where {version} belongs",
            event.stream,
            event.version
        );
    }
    ensure!(head(store)? >= last, "the head is behind the last event");
    let scrubbed = wait(store.scrub(Position::ZERO, u64::MAX))?;
    ensure!(
        scrubbed.damage.is_empty(),
        "the scrub found {:?}",
        scrubbed.damage.first()
    );
    Ok(all)
}

impl Rig<'_> {
    pub(crate) fn place(&self) -> Result<Box<dyn Place>, Problem> {
        self.harness.place().map_err(Problem)
    }

    pub(crate) fn random(&self) -> Random {
        Random(self.seed)
    }

    /// A number of the spec, a tenth of it in the short form.
    pub(crate) fn scaled(&self, spec: u64) -> u64 {
        if self.long { spec } else { spec.div_ceil(10) }
    }

    /// A store in a place of its own, which must outlive it.
    pub(crate) fn store(&self) -> Result<(Box<dyn Place>, Store), Problem> {
        let place = self.place()?;
        let store = open(place.as_ref())?;
        Ok((place, store))
    }

    pub(crate) fn acknowledged(&self, count: usize) {
        let all = &self.tally.acknowledged;
        all.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(crate) fn lost(&self, count: u64) {
        self.tally.lost.fetch_add(count, Ordering::Relaxed);
    }
}

pub(crate) fn tenant() -> Result<TenantId, Problem> {
    Ok("conformance".parse()?)
}

pub(crate) fn open(place: &dyn Place) -> Result<Store, Problem> {
    Ok(place.open(&tenant()?, How::default())?)
}
