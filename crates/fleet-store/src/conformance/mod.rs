//! The conformance suite: the cases of `spec/event-store.md`, section 9, for any adapter.
//!
//! An adapter gives a [`Harness`] that makes empty places; [`run`] opens stores there, asks, breaks and
//! reopens them, and gives a [`Report`]. What an adapter cannot have done to it is skipped by name.
//!
//! ```
//! use fleet_store::conformance::{Harness, MemoryHarness, Options, run};
//!
//! let report = run(&MemoryHarness, &Options::default().only(&[1, 2, 3]));
//! assert!(report.passed(), "{report}");
//! ```

mod appending;
mod child;
mod faults;
mod memory;
mod ordering;
mod report;
mod rig;
mod sealing;
#[cfg(feature = "sqlite")]
mod sqlite;
mod state;

pub use child::{serve, verify_after};
pub use memory::MemoryHarness;
pub use report::{CaseReport, Counts, Report, Verdict};
pub use rig::event;
#[cfg(feature = "sqlite")]
pub use sqlite::{SqliteHarness, SqlitePlace};

use crate::port::{Durability, EventStore, StoreError};
use fleet_model::kernel::TenantId;
use report::Tally;
use rig::Problem;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

/// What an adapter's author gives to the suite.
pub trait Harness: Sync {
    /// Name of the adapter, for the report.
    fn name(&self) -> String;

    /// An empty place for a store; it goes away with the value.
    ///
    /// # Errors
    /// Why none can be made.
    fn place(&self) -> Result<Box<dyn Place>, String>;

    /// A place whose writes, truncations and syncs can be made to fail.
    ///
    /// # Errors
    /// Why there is none.
    fn injector(&self) -> Result<Rigged, String> {
        Err("the harness injects no faults".to_owned())
    }

    /// A place on a file system of a few megabytes.
    ///
    /// # Errors
    /// Why there is none.
    fn small_disk(&self) -> Result<Box<dyn SmallDisk>, String> {
        Err("the harness has no small file system".to_owned())
    }

    /// A place whose power can be cut.
    ///
    /// # Errors
    /// Why there is none.
    fn power(&self) -> Result<Box<dyn Power>, String> {
        Err("the harness cuts no power".to_owned())
    }

    /// As [`Harness::power`], with a store that does not sync: the control, which must lose.
    ///
    /// # Errors
    /// Why there is none.
    fn power_without_syncs(&self) -> Result<Box<dyn Power>, String> {
        Err("the harness has no control without syncs".to_owned())
    }
}

/// A place, and what makes its operations fail.
pub type Rigged = (Box<dyn Place>, Arc<dyn Injector>);

/// Makes operations on files fail.
pub trait Injector: Send + Sync {
    /// Counts from 0 again, and lets the operation number `nth` fail; with `forever`, all after it too.
    fn arm(&self, nth: u64, forever: bool);
    /// Lets every sync fail.
    fn arm_syncs(&self);
    /// Lets nothing fail any more.
    fn heal(&self);
    /// Writes, truncations and syncs since it was armed.
    fn operations(&self) -> u64;
}

/// A small file system.
pub trait SmallDisk {
    /// The place on it.
    fn place(&self) -> &dyn Place;
    /// Makes some megabytes of space; asked for twice at most.
    ///
    /// # Errors
    /// What went wrong.
    fn free(&self) -> Result<(), String>;
}

/// A machine whose power can be cut.
pub trait Power {
    /// The place on its disk.
    fn place(&self) -> &dyn Place;
    /// Cuts the power: what is not synced is gone.
    ///
    /// # Errors
    /// What went wrong.
    fn cut(&mut self) -> Result<(), String>;
    /// Starts the machine again; all processes on it are dead.
    ///
    /// # Errors
    /// What went wrong.
    fn come_back(&mut self) -> Result<(), String>;
}

/// Where a store of the suite lives, and what can be done to it there.
///
/// Everything but [`Place::open`] has a default that skips the cases which need it.
pub trait Place: Send + Sync {
    /// Opens the store, making it the first time. All handles given before are dropped by then, unless the
    /// case is about a second writer.
    ///
    /// # Errors
    /// What the adapter answers.
    fn open(&self, tenant: &TenantId, how: How) -> Result<Arc<dyn EventStore>, StoreError>;

    /// Whether what is stored outlives the handles.
    fn keeps(&self) -> bool {
        false
    }

    /// The files of a closed store of which any bit may be flipped.
    fn files(&self) -> Vec<PathBuf> {
        Vec::new()
    }

    /// The file with what is written ahead and not merged yet.
    fn ahead(&self) -> Option<PathBuf> {
        None
    }

    /// A copy of the place as it is on disk now, also while a store is open.
    fn copy(&self) -> Option<Box<dyn Place>> {
        None
    }

    /// A command whose process opens the store of this place and calls [`serve`].
    fn child(&self) -> Option<Command> {
        None
    }

    /// Restores a backup into this place.
    fn restore(
        &self,
        _tenant: &TenantId,
        _backup: &[u8],
    ) -> Option<Result<Arc<dyn EventStore>, StoreError>> {
        None
    }

    /// Marks the closed store as written by a newer format; gives the file that must stay untouched.
    fn make_newer(&self) -> Option<PathBuf> {
        None
    }
}

/// How a case wants its store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct How {
    /// The class to ask for; the adapter's usual one when absent.
    pub durability: Option<Durability>,
    /// Give no wake-up signals: subscriptions live by the poll timer.
    pub without_signals: bool,
    /// Give events the hash chain.
    pub chained: bool,
}

/// How much is tried, and from which seed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Options {
    seed: u64,
    long: bool,
    only: Vec<u32>,
}

impl Default for Options {
    /// The short form, seed 1.
    fn default() -> Self {
        Self {
            seed: 1,
            long: false,
            only: Vec::new(),
        }
    }
}

impl Options {
    /// Another seed for everything random.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The numbers of the spec, and ten times as many kills and flips.
    #[must_use]
    pub fn long(mut self) -> Self {
        self.long = true;
        self
    }

    /// Only these cases.
    #[must_use]
    pub fn only(mut self, cases: &[u32]) -> Self {
        self.only = cases.to_vec();
        self
    }
}

/// What a case works with.
pub(crate) struct Rig<'a> {
    harness: &'a dyn Harness,
    seed: u64,
    long: bool,
    tally: &'a Tally,
}

type Outcome = Result<Verdict, Problem>;
type Case = (u32, &'static str, fn(&Rig<'_>) -> Outcome);

/// Every case of the spec, with what answers for it.
fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    all.extend_from_slice(appending::CASES);
    all.extend_from_slice(ordering::CASES);
    all.extend_from_slice(faults::CASES);
    all.extend_from_slice(state::CASES);
    all.extend_from_slice(sealing::CASES);
    all.sort_by_key(|(number, ..)| *number);
    all
}

/// Runs the cases against an adapter.
pub fn run(harness: &dyn Harness, options: &Options) -> Report {
    let tally = Tally::default();
    let mut done = Vec::new();
    for (number, title, case) in cases() {
        if !options.only.is_empty() && !options.only.contains(&number) {
            continue;
        }
        let seed = options.seed.wrapping_mul(1_000).wrapping_add(number.into());
        let rig = Rig {
            harness,
            seed,
            long: options.long,
            tally: &tally,
        };
        let verdict = case(&rig).unwrap_or_else(|problem| Verdict::Failed(problem.0));
        done.push(CaseReport {
            number,
            title,
            seed,
            verdict,
        });
    }
    Report {
        adapter: harness.name(),
        cases: done,
        counts: tally.counts(),
    }
}
