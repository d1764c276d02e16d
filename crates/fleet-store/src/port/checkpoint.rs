//! What a projection commits.

use fleet_model::kernel::Position;
use std::sync::Arc;

use super::StoreError;

/// A projection's place in the log together with the state folded so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
    /// Name of the projection, 1 to 200 bytes.
    pub name: String,
    /// Hash of the state's shape: another one means rebuild from 0.
    pub schema_hash: [u8; 32],
    /// The last position folded.
    pub position: Position,
    /// The state, in the projection's own encoding.
    pub state: Arc<[u8]>,
}

/// What a projection finds at start. The caller handles every case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum CheckpointState {
    /// Nothing was committed: fold from 0.
    Absent,
    /// Committed by another shape of the state: rebuild from 0.
    OtherSchema,
    /// Go on after its position.
    Found(Checkpoint),
}

impl Checkpoint {
    /// Checks the name, as every adapter must.
    ///
    /// # Errors
    /// `store.invalid_input`.
    pub fn check(&self) -> Result<(), StoreError> {
        if (1..=200).contains(&self.name.len()) {
            return Ok(());
        }
        Err(StoreError::invalid(
            "a projection's name has 1 to 200 bytes",
        ))
    }
}
