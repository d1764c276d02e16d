//! Fleets in memory, driven by names and JSON.

use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::EventStore;
use pollster::block_on;
use serde_json::Value;
use std::sync::Arc;

/// A store whose clock stands still.
pub(crate) fn memory() -> Arc<MemoryStore> {
    let start = Options::seeded(1).clock.now();
    Arc::new(MemoryStore::new(
        "default".parse().unwrap(),
        Arc::new(move || start),
    ))
}

/// The fleet in `store`, with ids from `seed`.
pub(crate) fn open(store: Arc<dyn EventStore>, seed: u64, groups_per_thing: usize) -> Fleet {
    let mut options = Options::seeded(seed);
    options.limits.groups_per_thing = groups_per_thing;
    block_on(Fleet::open(store, options)).unwrap()
}

/// The answer of an operation, or the code of its refusal.
pub(crate) fn call(fleet: &Fleet, op: &str, params: Value) -> Result<Value, String> {
    let caller = Caller::new("user:ops".parse().unwrap());
    let outcome = block_on(fleet.call_json(op, params, &caller));
    outcome.result.map_err(|error| error.code.to_string())
}
