//! What a run of the suite says.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// How a case ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// As the spec says.
    Passed,
    /// Not tried, and why.
    Skipped(String),
    /// Not as the spec says.
    Failed(String),
}

impl Verdict {
    pub(crate) fn skipped(reason: &str) -> Self {
        Self::Skipped(reason.to_owned())
    }
}

/// One case of the spec.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaseReport {
    /// Its number in the spec.
    pub number: u32,
    /// What it is about.
    pub title: &'static str,
    /// What its random choices came from.
    pub seed: u64,
    /// How it ended.
    pub verdict: Verdict,
}

/// What was done to the adapter, all cases together.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Events acknowledged and looked for afterwards.
    pub acknowledged: u64,
    /// Of those, the ones that were not there.
    pub lost: u64,
    /// Processes killed.
    pub kills: u64,
    /// Faults injected.
    pub faults: u64,
    /// Bits flipped.
    pub flips: u64,
}

#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) kills: AtomicU64,
    pub(crate) faults: AtomicU64,
    pub(crate) flips: AtomicU64,
}

impl Tally {
    pub(crate) fn counts(&self) -> Counts {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counts {
            acknowledged: read(&self.acknowledged),
            lost: read(&self.lost),
            kills: read(&self.kills),
            faults: read(&self.faults),
            flips: read(&self.flips),
        }
    }
}

/// What a run found; its text is what a person reads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Name of the adapter.
    pub adapter: String,
    /// Every case, by number.
    pub cases: Vec<CaseReport>,
    /// What was done.
    pub counts: Counts,
}

impl Report {
    /// Whether no case failed and nothing was lost.
    #[must_use]
    pub fn passed(&self) -> bool {
        let failed = |case: &CaseReport| matches!(case.verdict, Verdict::Failed(_));
        self.counts.lost == 0 && !self.cases.iter().any(failed)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "adapter {}", self.adapter)?;
        let (mut passed, mut skipped, mut failed) = (0, 0, 0);
        for case in &self.cases {
            let (word, reason) = match &case.verdict {
                Verdict::Passed => {
                    passed += 1;
                    ("passed ", "")
                }
                Verdict::Skipped(reason) => {
                    skipped += 1;
                    ("skipped", reason.as_str())
                }
                Verdict::Failed(reason) => {
                    failed += 1;
                    ("FAILED ", reason.as_str())
                }
            };
            write!(
                f,
                "{:>4}  {word}  seed {:<6} {}",
                case.number, case.seed, case.title
            )?;
            if reason.is_empty() {
                writeln!(f)?;
            } else {
                writeln!(f, ": {reason}")?;
            }
        }
        writeln!(
            f,
            "cases: {passed} passed, {skipped} skipped, {failed} failed"
        )?;
        let counts = self.counts;
        writeln!(
            f,
            "kills {}, faults injected {}, bits flipped {}, events acknowledged {}, events lost {}",
            counts.kills, counts.faults, counts.flips, counts.acknowledged, counts.lost
        )
    }
}
