//! Faults for tests of the embedded event store. Test-only: the one crate of the workspace with `unsafe`.

mod disk;
mod harness;
mod layer;

pub use disk::{Image, unavailable};
pub use harness::FaultHarness;
pub use layer::FaultLayer;
