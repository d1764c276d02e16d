//! What the transports of `examples/examples/` share: a fleet with the machine's clock and random bytes.

#![forbid(unsafe_code)]

use fleet_model::kernel::Timestamp;
use fleet_sdk::source::Entropy;
use fleet_sdk::{Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::SystemClock;
use std::error::Error;
use std::sync::Arc;

/// The machine's random bytes: the fleet itself draws none.
#[derive(Clone, Copy, Debug)]
pub struct MachineEntropy;

impl Entropy for MachineEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if getrandom::fill(bytes).is_err() {
            // Equal ids are worse than no service.
            std::process::abort();
        }
    }
}

/// The machine's clock and random bytes.
#[must_use]
pub fn options() -> Options {
    let clock = || Timestamp::from(chrono::Utc::now());
    Options::new(Arc::new(clock), Arc::new(MachineEntropy))
}

/// A fleet whose log is gone when the process ends.
///
/// # Errors
/// What [`Fleet::open`] gives.
pub fn fleet_in_memory() -> Result<Fleet, Box<dyn Error + Send + Sync>> {
    let store = MemoryStore::new("default".parse()?, Arc::new(SystemClock));
    Ok(pollster::block_on(Fleet::open(Arc::new(store), options()))?)
}
