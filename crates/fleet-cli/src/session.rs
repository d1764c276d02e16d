//! An open fleet with its clock, its ids and its caller.

use fleet_model::kernel::{Actor, Position, Timestamp};
use fleet_sdk::operation::Operation;
use fleet_sdk::source::{Clock, Entropy, SeededEntropy};
use fleet_sdk::{CallError, Caller, Fleet, Options, Outcome, Service};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::args::Global;
use crate::failure::Failure;

/// 2026-01-01T00:00:00Z in microseconds: where the logical clock of `--seed` starts.
const LOGICAL_START: i64 = 1_767_225_600_000_000;

/// The time of a session.
#[derive(Clone, Debug)]
pub(crate) enum SessionClock {
    /// The system's clock.
    System,
    /// A clock that moves 1 ms per line (microseconds).
    Logical(Arc<AtomicI64>),
}

impl SessionClock {
    /// The logical clock for a seed, the system's without one.
    pub(crate) fn of(seed: Option<u64>) -> Self {
        match seed {
            None => Self::System,
            Some(_) => Self::Logical(Arc::new(AtomicI64::new(LOGICAL_START))),
        }
    }

    /// One line further: the logical clock moves by a millisecond.
    pub(crate) fn tick(&self) {
        if let Self::Logical(now) = self {
            now.fetch_add(1000, Ordering::Relaxed);
        }
    }
}

impl Clock for SessionClock {
    fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::from(chrono::Utc::now()),
            Self::Logical(now) => Timestamp::from_micros(now.load(Ordering::Relaxed)),
        }
    }
}

/// The system's random bytes.
struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Without randomness no id can be made; going on with zeros would make equal ones.
            eprintln!("error[cli.no_randomness]: the system gives no random bytes");
            std::process::exit(3);
        }
    }
}

/// A log of fewer events is read in less time than a saved index is worth.
const WORTH_SAVING: u64 = 5_000;

/// An open fleet.
pub(crate) struct Session {
    fleet: Fleet,
    actor: Actor,
    clock: SessionClock,
}

impl Session {
    /// Opens the fleet of the global options; a store that is not there is made.
    pub(crate) fn open(global: &Global) -> Result<Self, Failure> {
        let actor = global
            .actor
            .parse::<Actor>()
            .map_err(|error| Failure::usage("cli.actor", error.to_string()))?;
        let clock = SessionClock::of(global.seed);
        let store = crate::store::open(global, &clock)?;
        let entropy: Arc<dyn Entropy> = match global.seed {
            None => Arc::new(SystemEntropy),
            Some(seed) => {
                let head = pollster::block_on(store.head()).map_err(crate::store::failed)?;
                Arc::new(SeededEntropy::new(mixed(seed, head)))
            }
        };
        let mut options = Options::new(Arc::new(clock.clone()), entropy);
        options.account.clone_from(&global.account);
        options.region.clone_from(&global.region);
        options.index_folder = global.store.index_folder();
        let fleet = pollster::block_on(Fleet::open(store, options))?;
        Ok(Self {
            fleet,
            actor,
            clock,
        })
    }

    /// Catches the index up with the log, with a bar for those who wait.
    pub(crate) fn index(&self) -> Result<(), Failure> {
        let bar = crate::progress::bar("indexing", Some(0));
        let mut told = |position, head| {
            bar.set_length(head);
            bar.set_position(position);
        };
        pollster::block_on(self.fleet.build_index(&mut told))?;
        bar.finish_and_clear();
        Ok(())
    }

    /// Saves the index beside the store where that saves the next command time. A cache: when it cannot be written,
    /// nothing is lost but that.
    pub(crate) fn save_index(&self, position: u64) {
        if position >= WORTH_SAVING
            && let Err(error) = pollster::block_on(self.fleet.save_index())
        {
            eprintln!("the index is not saved: {}", error.message);
        }
    }

    /// Who acts where a command names nobody.
    pub(crate) fn actor(&self) -> Actor {
        self.actor.clone()
    }

    /// The session's clock.
    pub(crate) fn clock(&self) -> &SessionClock {
        &self.clock
    }

    /// The fleet itself.
    pub(crate) fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Runs an operation for the session's actor.
    pub(crate) fn try_call<O: Operation>(&self, request: O) -> Result<O::Response, CallError> {
        let answer = pollster::block_on(self.fleet.call(request, &Caller::new(self.actor())))?;
        self.clock.tick();
        Ok(answer)
    }

    /// Runs an operation for the session's actor; a refusal ends the command.
    pub(crate) fn call<O: Operation>(&self, request: O) -> Result<O::Response, Failure> {
        self.try_call(request).map_err(Failure::from)
    }

    /// Runs an operation given as JSON; answer and events.
    pub(crate) fn outcome(&self, op: &str, params: Value, caller: &Caller) -> Outcome {
        pollster::block_on(self.fleet.call_json(op, params, caller))
    }

    /// Runs an operation given as JSON for the session's actor.
    pub(crate) fn call_json(
        &self,
        op: &str,
        params: Value,
        service: Option<Service>,
    ) -> Result<Value, Failure> {
        let caller = Caller {
            actor: self.actor(),
            at: None,
            service,
        };
        let answer = self
            .outcome(op, params, &caller)
            .result
            .map_err(Failure::from)?;
        self.clock.tick();
        Ok(answer)
    }
}

/// The seed of the ids of this run: on a fresh store the seed itself, later another one, so that no id is made twice.
fn mixed(seed: u64, head: Position) -> u64 {
    if head == Position::ZERO {
        return seed;
    }
    let mut mixed = seed ^ head.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 31)
}
