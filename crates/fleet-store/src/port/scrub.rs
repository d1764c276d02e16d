//! What a scrub found.

use super::Corruption;
use fleet_model::kernel::Position;

/// The outcome of checking a part of the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ScrubPage {
    /// Checked up to here: go on from here.
    pub scanned_to: Position,
    /// The log's end at that time.
    pub head: Position,
    /// Events checked.
    pub events: u64,
    /// What is wrong, in position order.
    pub damage: Vec<Corruption>,
}
