//! What a backup holds.

use fleet_model::kernel::Position;

/// What a backup or a restore handled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BackupSummary {
    /// Every event up to this position is in it, and none above.
    pub head: Position,
    /// Number of events.
    pub events: u64,
    /// Bytes written or read.
    pub bytes: u64,
}
