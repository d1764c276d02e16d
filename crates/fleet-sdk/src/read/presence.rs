//! Who is connected.

use fleet_model::kernel::{DecodeError, Recorded};
use std::collections::BTreeSet;

use super::Model;

/// The clients whose last session goes on.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct PresenceModel {
    connected: BTreeSet<String>,
}

impl PresenceModel {
    /// How many clients are connected.
    pub(crate) fn connected(&self) -> u64 {
        u64::try_from(self.connected.len()).unwrap_or(u64::MAX)
    }
}

impl Model for PresenceModel {
    const CATEGORIES: &'static [&'static str] = &["presence"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        // What is older than the session known was not recorded.
        match recorded.event.event_type.as_str() {
            "presence.connected" => {
                self.connected.insert(recorded.stream.raw_key());
            }
            "presence.disconnected" => {
                self.connected.remove(&recorded.stream.raw_key());
            }
            _ => {}
        }
        Ok(())
    }
}
