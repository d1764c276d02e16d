//! Where time and random bytes come from: the embedder's choice.

use fleet_model::kernel::Timestamp;

/// Tells the time. The fleet itself reads no clock.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Fills buffers with bytes that nobody can guess, or with reproducible ones for a seeded run.
///
/// Ids of things, groups, certificates and events are made of them.
pub trait Entropy: Send + Sync {
    /// Overwrites all of `bytes`.
    fn fill(&self, bytes: &mut [u8]);
}

impl<F: Fn() -> Timestamp + Send + Sync> Clock for F {
    fn now(&self) -> Timestamp {
        self()
    }
}

/// Reproducible bytes for tests and seeded runs: SHA-256 of the seed and a counter. Not for secrets.
///
/// ```
/// use fleet_sdk::source::{Entropy, SeededEntropy};
/// let (mut a, mut b) = ([0; 40], [0; 40]);
/// SeededEntropy::new(7).fill(&mut a);
/// SeededEntropy::new(7).fill(&mut b);
/// assert_eq!(a, b);
/// ```
#[derive(Debug)]
pub struct SeededEntropy {
    seed: u64,
    counter: std::sync::atomic::AtomicU64,
}

impl SeededEntropy {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: std::sync::atomic::AtomicU64::new(0),
        }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        use sha2::{Digest as _, Sha256};
        for chunk in bytes.chunks_mut(32) {
            let count = self
                .counter
                .fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let block = Sha256::new()
                .chain_update(self.seed.to_be_bytes())
                .chain_update(count.to_be_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(block.iter()) {
                *to = *from;
            }
        }
    }
}
