//! Which named shadows and module twins a record ever had.

use fleet_model::kernel::{DecodeError, Recorded};
use fleet_model::twin::TwinKey;
use std::collections::{BTreeMap, BTreeSet};

use super::Model;

/// The twins beside the device twin, by record. Most records have none, and cost nothing here.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Branches {
    by_record: BTreeMap<String, BTreeSet<TwinKey>>,
}

impl Branches {
    /// Named shadows and module twins of a record, those that ended among them.
    pub(crate) fn of(&self, record: &str) -> impl Iterator<Item = &TwinKey> {
        self.by_record.get(record).into_iter().flatten()
    }
}

impl Model for Branches {
    const CATEGORIES: &'static [&'static str] = &["twin"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        // A `/` stands escaped in the name of the stream; device twins have none.
        if recorded.version.0 > 1 || !recorded.stream.as_str().contains("~2F") {
            return Ok(());
        }
        if let Some(key) = TwinKey::of_stream(&recorded.stream) {
            self.by_record
                .entry(key.record().as_str().to_owned())
                .or_default()
                .insert(key);
        }
        Ok(())
    }
}
