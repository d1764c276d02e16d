//! Which streams there are beside those of things and device twins.
//!
//! Most devices have none of them, and cost nothing here.

use fleet_model::id::ModuleId;
use fleet_model::kernel::{Recorded, StreamName};
use fleet_model::twin::TwinKey;
use std::collections::{BTreeMap, BTreeSet};

/// The streams that a device's document may depend on, and those of groups.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Streams {
    names: BTreeSet<StreamName>,
    twins: BTreeMap<String, BTreeSet<TwinKey>>,
    modules: BTreeMap<String, BTreeSet<ModuleId>>,
    clients: BTreeSet<String>,
}

impl Streams {
    /// Takes note of the stream of an event.
    pub(crate) fn note(&mut self, recorded: &Recorded) {
        if recorded.version.0 == 1 {
            self.insert(&recorded.stream);
        }
    }

    /// Takes note of a stream.
    pub(crate) fn insert(&mut self, stream: &StreamName) {
        match stream.category() {
            // A `/` stands escaped in the name of the stream; device twins have none.
            "twin" if stream.as_str().contains("~2F") => {
                let Some(key) = TwinKey::of_stream(stream) else {
                    return;
                };
                let record = key.record().as_str().to_owned();
                self.twins.entry(record).or_default().insert(key);
            }
            "module" => {
                let key = stream.raw_key();
                let Some((device, module)) = key.split_once('/') else {
                    return;
                };
                let Ok(module) = module.parse() else { return };
                let modules = self.modules.entry(device.to_owned()).or_default();
                modules.insert(module);
            }
            "presence" => {
                self.clients.insert(stream.raw_key());
            }
            "group" | "billinggroup" => {}
            _ => return,
        }
        self.names.insert(stream.clone());
    }

    /// The names of all of them.
    pub(crate) const fn names(&self) -> &BTreeSet<StreamName> {
        &self.names
    }

    /// Named shadows and module twins of a record, those that ended among them.
    pub(crate) fn twins(&self, record: &str) -> impl Iterator<Item = &TwinKey> {
        self.twins.get(record).into_iter().flatten()
    }

    /// The modules that a device ever had.
    pub(crate) fn modules(&self, device: &str) -> impl Iterator<Item = &ModuleId> {
        self.modules.get(device).into_iter().flatten()
    }

    /// Whether anything was ever told of a client.
    pub(crate) fn knows(&self, client: &str) -> bool {
        self.clients.contains(client)
    }
}
