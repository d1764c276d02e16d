//! The model's tables of worked examples and rules, through the facade: the same rows, by the operations' names.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod aws;
mod identity;
#[path = "../../../fleet-model/tests/tables/reader.rs"]
mod reader;
mod twin;

use fleet_model::kernel::Timestamp;
use fleet_sdk::{CallError, Caller, Fleet, Options, Outcome};
use fleet_store::memory::MemoryStore;
use fleet_store::port::EventStore;
use pollster::block_on;
use reader::{is_part, table};
use serde_json::{Value, json};
use std::sync::Arc;

/// A fleet, and who calls it when.
struct Door {
    store: Arc<dyn EventStore>,
    fleet: Fleet,
    caller: Caller,
    at: i64,
}

impl Door {
    /// An empty fleet; calls happen at `at`, seconds.
    fn new(at: i64) -> Self {
        let options = Options::seeded(1);
        let clock = options.clock.clone();
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || clock.now()));
        let store: Arc<dyn EventStore> = Arc::new(store);
        Self {
            fleet: block_on(Fleet::open(store.clone(), options)).unwrap(),
            store,
            caller: Caller::new("user:ops".parse().unwrap()),
            at,
        }
    }

    /// The same fleet with other quotas.
    fn reopen(&mut self, options: Options) {
        self.fleet = block_on(Fleet::open(self.store.clone(), options)).unwrap();
    }

    fn call(&self, op: &str, params: Value) -> Outcome {
        let caller = self.caller.clone().at(Timestamp::from_secs(self.at));
        block_on(self.fleet.call_json(op, params, &caller))
    }

    fn ok(&self, op: &str, params: Value) -> Value {
        let outcome = self.call(op, params.clone());
        let found = outcome.result;
        found.unwrap_or_else(|error| panic!("{op} {params}: {error:?}"))
    }
}

/// The code of an error, and those of what else is wrong.
fn codes(error: &CallError) -> Vec<Value> {
    let violations = error.details.as_ref().map(|all| all["violations"].clone());
    match violations.as_ref().and_then(Value::as_array) {
        Some(all) => all.iter().map(|one| one["code"].clone()).collect(),
        None => vec![json!(error.code)],
    }
}
