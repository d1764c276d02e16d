//! A store in which everything that may go wrong does, from one seed: one seed is one history.
//!
//! Calls are delayed, refused, stored without an acknowledgement, sent twice; a crash can come at any await;
//! subscriptions deliver twice and late; pages end early. What the contract promises stays true, so code
//! that keeps to the contract keeps its invariants under every seed. [`Sabotage`] breaks a promise on purpose, to
//! show that a test would notice.
//!
//! ```
//! use fleet_store::port::{EventStore, LogRead};
//! use fleet_store::simulation::{Faults, SimulatedStore};
//!
//! let store = SimulatedStore::new("default".parse()?, 7, Faults::default());
//! // … run commands; after a crash:
//! let store = if store.has_crashed() { store.restart() } else { store };
//! store.calm();
//! assert_eq!(pollster::block_on(store.head())?.0, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::backup::{self, BackedUp, Hidden};
use crate::live::{self, Signals, Source};
use crate::memory::Log;
use crate::port::{
    Append, Appended, BackupSummary, Capabilities, Checkpoint, CheckpointState, Durability,
    EventStore, LogPage, LogRead, ScrubPage, Snapshot, StoreError, StreamPage, StreamRead,
    Subscribe, Subscription,
};
use async_trait::async_trait;
use fleet_model::kernel::{Position, Recorded, StreamName, StreamVersion, TenantId, Timestamp};
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// How often something goes wrong, of 1000 times that it could.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Faults {
    /// A call waits before it goes on, up to 4 times.
    pub delay: u16,
    /// A call is refused with `store.unavailable`; nothing is stored.
    pub refused: u16,
    /// A call is lost on its way: `store.unknown`, nothing is stored.
    pub lost: u16,
    /// What was stored is not acknowledged: `store.unknown`.
    pub unacknowledged: u16,
    /// An append arrives twice.
    pub doubled: u16,
    /// The store crashes at an await: every call fails until [`SimulatedStore::restart`].
    pub crash: u16,
    /// A subscription delivers again what it has delivered.
    pub redelivered: u16,
    /// A page ends early, or a subscription waits although there is something.
    pub late: u16,
}

impl Default for Faults {
    /// All of it, seldom enough that work gets done.
    fn default() -> Self {
        Self {
            delay: 200,
            refused: 30,
            lost: 20,
            unacknowledged: 40,
            doubled: 40,
            crash: 5,
            redelivered: 100,
            late: 200,
        }
    }
}

impl Faults {
    /// None of it.
    pub const NONE: Self = Self {
        delay: 0,
        refused: 0,
        lost: 0,
        unacknowledged: 0,
        doubled: 0,
        crash: 0,
        redelivered: 0,
        late: 0,
    };
}

/// A promise that is broken on purpose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Sabotage {
    /// Groups are not recognised by their ids: what comes twice is stored twice.
    NoDedupe,
}

/// A simulated store. Clones share the log; a restarted handle does too.
#[derive(Clone)]
pub struct SimulatedStore {
    world: Arc<World>,
    generation: u64,
}

struct World {
    tenant: TenantId,
    state: Mutex<State>,
    signals: Signals,
}

struct State {
    log: Log,
    random: u64,
    faults: Faults,
    generation: u64,
    crashed: bool,
    now: i64,
    history: Vec<String>,
}

impl State {
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn happens(&mut self, of_1000: u16) -> bool {
        of_1000 > 0 && self.next() % 1_000 < u64::from(of_1000)
    }
}

impl World {
    fn with<T>(&self, then: impl FnOnce(&mut State) -> T) -> T {
        then(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn crashed() -> StoreError {
    StoreError::unavailable("the simulated store has crashed: restart it")
}

impl SimulatedStore {
    /// An empty store whose whole behaviour comes from `seed`. Its `recorded_at` is a logical clock.
    #[must_use]
    pub fn new(tenant: TenantId, seed: u64, faults: Faults) -> Self {
        Self {
            world: Arc::new(World {
                tenant,
                state: Mutex::new(State {
                    log: Log::default(),
                    random: seed,
                    faults,
                    generation: 0,
                    crashed: false,
                    now: 1_767_225_600_000_000,
                    history: Vec::new(),
                }),
                signals: Signals::default(),
            }),
            generation: 0,
        }
    }

    /// The same with a promise broken.
    #[must_use]
    pub fn sabotaged(self, sabotage: Sabotage) -> Self {
        match sabotage {
            Sabotage::NoDedupe => self.world.with(|state| state.log.forget_ids()),
        }
        self
    }

    /// Whether every call fails until [`SimulatedStore::restart`].
    #[must_use]
    pub fn has_crashed(&self) -> bool {
        self.world
            .with(|state| state.crashed || state.generation != self.generation)
    }

    /// Crashes now.
    pub fn crash(&self) {
        self.world.with(|state| {
            state.crashed = true;
            state.history.push("crash".to_owned());
        });
        self.world.signals.wake();
    }

    /// The store after a restart; the handles from before stay dead.
    #[must_use]
    pub fn restart(&self) -> Self {
        let generation = self.world.with(|state| {
            state.crashed = false;
            state.generation += 1;
            state.history.push("restart".to_owned());
            state.generation
        });
        self.world.signals.wake();
        Self {
            world: Arc::clone(&self.world),
            generation,
        }
    }

    /// From now on nothing goes wrong: for looking at the outcome.
    pub fn calm(&self) {
        self.world.with(|state| state.faults = Faults::NONE);
    }

    /// What happened, in order: equal for equal seeds and calls.
    #[must_use]
    pub fn history(&self) -> Vec<String> {
        self.world.with(|state| state.history.clone())
    }

    fn alive(&self) -> Result<(), StoreError> {
        if self.has_crashed() {
            return Err(crashed());
        }
        Ok(())
    }

    /// An await: time passes, and the store may crash.
    async fn pause(&self, what: &str) -> Result<(), StoreError> {
        self.alive()?;
        let turns = self.world.with(|state| {
            if state.happens(state.faults.delay) {
                state.next() % 4 + 1
            } else {
                0
            }
        });
        for _ in 0..turns {
            let mut waited = false;
            std::future::poll_fn(|context| {
                if std::mem::replace(&mut waited, true) {
                    return Poll::Ready(());
                }
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        self.alive()?;
        let crash = self.world.with(|state| {
            let crash = state.happens(state.faults.crash);
            if crash {
                state.crashed = true;
                state.history.push(format!("crash at {what}"));
            }
            crash
        });
        if crash {
            self.world.signals.wake();
            return Err(crashed());
        }
        Ok(())
    }

    /// A write that may go wrong in each of its ways; `ids` are named when its outcome is in doubt.
    async fn write<T>(
        &self,
        what: &str,
        ids: Vec<fleet_model::kernel::EventId>,
        write: impl Fn(&mut State) -> Result<T, StoreError> + Send,
    ) -> Result<T, StoreError>
    where
        T: Send,
    {
        self.pause(what).await?;
        let unknown = |reason: &str| StoreError::Unknown {
            ids: ids.clone(),
            reason: reason.to_owned(),
        };
        let outcome = self.world.with(|state| {
            if state.happens(state.faults.refused) {
                state.history.push(format!("{what}: refused"));
                return Err(StoreError::unavailable("the simulated store is busy"));
            }
            if state.happens(state.faults.lost) {
                state.history.push(format!("{what}: lost"));
                return Err(unknown("the simulated call was lost"));
            }
            let first = write(state);
            state.history.push(match &first {
                Ok(_) => format!("{what}: done at {}", state.log.head()),
                Err(error) => format!("{what}: {}", error.code()),
            });
            if state.happens(state.faults.doubled) {
                // The answer of the second is the one that arrives.
                let second = write(state);
                state.history.push(format!("{what}: arrived twice"));
                return if first.is_ok() { second } else { first };
            }
            first
        });
        self.world.signals.wake();
        let done = outcome?;
        if self.pause(what).await.is_err() {
            return Err(unknown("the simulated store crashed before it answered"));
        }
        let unheard = self.world.with(|state| {
            let unheard = state.happens(state.faults.unacknowledged);
            if unheard {
                state.history.push(format!("{what}: not acknowledged"));
            }
            unheard
        });
        if unheard {
            return Err(unknown("the simulated acknowledgement was lost"));
        }
        Ok(done)
    }
}

impl std::fmt::Debug for SimulatedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedStore")
            .field("tenant", &self.world.tenant)
            .finish_non_exhaustive()
    }
}

/// What one handle's subscriptions read.
impl Source for SimulatedStore {
    fn page(&self, read: &LogRead) -> Result<LogPage, StoreError> {
        self.alive()?;
        let (page, again) = self.world.with(|state| {
            let mut read = read.clone();
            if state.happens(state.faults.late) {
                let head = state.log.head();
                let page = LogPage {
                    events: Vec::new(),
                    scanned_to: read.after,
                    head,
                };
                return (Ok(page), head > read.after);
            }
            if state.happens(state.faults.redelivered) {
                let back = state.next() % 5;
                read.after = Position(read.after.0.saturating_sub(back));
            }
            (state.log.read_all(&read), false)
        });
        if again {
            self.world.signals.wake();
        }
        page
    }

    fn signals(&self) -> &Signals {
        &self.world.signals
    }
}

impl BackedUp for SimulatedStore {
    fn tenant(&self) -> &TenantId {
        &self.world.tenant
    }

    fn is_chained(&self) -> bool {
        self.world.with(|state| state.log.is_chained())
    }

    fn hidden(&self) -> Vec<Hidden> {
        self.world.with(|state| state.log.hidden())
    }

    fn raw_page(&self, read: &LogRead) -> Result<(Vec<Recorded>, Position), StoreError> {
        Ok(self.world.with(|state| state.log.raw_page(read)))
    }
}

#[async_trait]
impl EventStore for SimulatedStore {
    fn tenant(&self) -> &TenantId {
        &self.world.tenant
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new("simulation", "seed".to_owned(), Durability::Process)
    }

    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        append.check(&self.capabilities())?;
        let what = format!("append of {} to {}", append.events.len(), append.stream);
        let ids = append.events.iter().map(|event| event.id).collect();
        let tenant = &self.world.tenant;
        self.write(&what, ids, |state| {
            state.now += 1_000;
            let now = Timestamp::from_micros(state.now);
            state.log.append(tenant, append.clone(), now)
        })
        .await
    }

    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        let mut outcomes = Vec::with_capacity(appends.len());
        for append in appends {
            outcomes.push(self.append(append).await);
        }
        outcomes
    }

    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        self.pause("read of a stream").await?;
        self.world.with(|state| state.log.read_stream(&read))
    }

    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        self.pause("read of the log").await?;
        self.world.with(|state| {
            let mut read = read;
            if read.limit > 1 && state.happens(state.faults.late) {
                let most = u64::try_from(read.limit).unwrap_or(u64::MAX);
                read.limit = usize::try_from(state.next() % most.min(64)).unwrap_or(0) + 1;
            }
            state.log.read_all(&read)
        })
    }

    async fn head(&self) -> Result<Position, StoreError> {
        self.pause("head").await?;
        Ok(self.world.with(|state| state.log.head()))
    }

    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription {
        live::subscribe(Arc::new(self.clone()), subscribe)
    }

    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.write("snapshot", Vec::new(), |state| {
            state.log.save_snapshot(snapshot.clone())
        })
        .await
    }

    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.pause("load of a snapshot").await?;
        self.world
            .with(|state| state.log.load_snapshot(stream, schema))
    }

    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        checkpoint.check()?;
        self.write("checkpoint", Vec::new(), |state| {
            state.log.save_checkpoint(checkpoint.clone())
        })
        .await
    }

    async fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        self.pause("load of a checkpoint").await?;
        self.world
            .with(|state| state.log.load_checkpoint(name, schema_hash))
    }

    async fn truncate_before(
        &self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError> {
        self.write("truncation", Vec::new(), |state| {
            state.log.truncate_before(stream, version)
        })
        .await
    }

    async fn tombstone(&self, stream: &StreamName) -> Result<(), StoreError> {
        self.write("tombstone", Vec::new(), |state| state.log.tombstone(stream))
            .await
    }

    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        self.pause("backup").await?;
        backup::write(self, to)
    }

    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        self.pause("scrub").await?;
        Ok(self.world.with(|state| state.log.scrub(after, limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Expected;
    use crate::testing::event;

    /// Counts up `total` times, each time until it is known to be stored; gives the history.
    fn count_up(seed: u64, sabotage: bool, total: u128) -> (u64, Vec<String>) {
        let mut store = SimulatedStore::new("default".parse().unwrap(), seed, Faults::default());
        if sabotage {
            store = store.sabotaged(Sabotage::NoDedupe);
        }
        for n in 0..total {
            loop {
                if store.has_crashed() {
                    store = store.restart();
                }
                let events = vec![event(n + 1)];
                let stream = "counter-a".parse().unwrap();
                let call = Append::new(stream, Expected::Any, events);
                match pollster::block_on(store.append(call)) {
                    Ok(_) => break,
                    Err(error) => assert!(error.is_retryable(), "{error}"),
                }
            }
        }
        store.calm();
        if store.has_crashed() {
            store = store.restart();
        }
        let head = pollster::block_on(store.head()).unwrap();
        (head.0, store.history())
    }

    #[test]
    fn work_that_is_repeated_until_known_is_done_once_under_every_seed() {
        for seed in 0..2_000 {
            let (count, history) = count_up(seed, false, 20);
            assert_eq!(count, 20, "seed {seed}: {history:#?}");
        }
    }

    #[test]
    fn a_planted_bug_is_found() {
        let found = (0..50)
            .filter(|seed| count_up(*seed, true, 20).0 != 20)
            .count();
        assert!(found > 25, "found by {found} seeds of 50");
    }

    #[test]
    fn one_seed_is_one_history() {
        for seed in 0..50 {
            assert_eq!(count_up(seed, false, 30), count_up(seed, false, 30));
        }
        assert_ne!(count_up(1, false, 30).1, count_up(2, false, 30).1);
    }

    #[test]
    fn subscribers_see_everything_at_least_once_and_in_order() {
        for seed in 0..200 {
            let faults = Faults {
                crash: 0,
                refused: 0,
                lost: 0,
                unacknowledged: 0,
                ..Faults::default()
            };
            let store = SimulatedStore::new("default".parse().unwrap(), seed, faults);
            let mut live = store.subscribe_all(Subscribe::after(Position::ZERO));
            let mut reached = 0;
            for n in 0..20u128 {
                let call = Append::new(
                    "thing-a".parse().unwrap(),
                    Expected::Any,
                    vec![event(n + 1)],
                );
                pollster::block_on(store.append(call)).unwrap();
                while reached < n as u64 + 1 {
                    let seen = pollster::block_on(live.next()).unwrap().unwrap();
                    assert!(seen.position.0 <= reached + 1, "seed {seed}: a gap");
                    reached = reached.max(seen.position.0);
                }
            }
        }
    }
}
