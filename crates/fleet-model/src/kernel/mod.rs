//! The event-sourcing kernel: deciders, projections, the recorded envelope and its upcasters.
//!
//! An aggregate is a [`Decider`]; what it decided is encoded through [`WireEvent`], stored in
//! the [`Recorded`] envelope, and loaded again through [`Upcasters`]. A read model is a
//! [`Projection`].

mod decider;
mod envelope;
mod json;
mod name;
mod projection;
mod record;
mod refused;
#[cfg(feature = "testkit")]
pub mod testkit;
mod time;
mod upcast;
mod wire;

pub use decider::{Context, Decider, ErrorCode, replay};
pub use envelope::{Envelope, NewEvent, Position, Recorded, StreamVersion};
pub use json::canonical;
pub(crate) use json::{Canon, Fit, Judge, Leaf, Scratch};
pub use name::{Actor, Category, EventId, EventType, NameError, StreamName, TenantId};
pub use projection::{Applied, Projection, ProjectionError};
pub use record::Record;
pub use refused::{Problems, Refused};
pub use time::Timestamp;
pub use upcast::{UpcastError, Upcasted, UpcasterError, Upcasters, UpcastersBuilder};
pub use wire::{DecodeError, WireEvent, decode, decode_with};

/// The codes of every error of the kernel, each with what it means.
pub const CODES: &[(&str, &str)] = &[
    (
        "kernel.invalid_name",
        "a stream, event type, tenant or actor name breaks its alphabet or length",
    ),
    (
        "kernel.malformed_data",
        "an event's data does not have the shape of its schema",
    ),
    (
        "kernel.unknown_type",
        "an event's type is not one that this aggregate knows",
    ),
    (
        "kernel.unknown_schema",
        "an event's schema is newer than this code knows",
    ),
    (
        "kernel.upcast",
        "an upcaster refused the stored data of an old event",
    ),
    (
        "kernel.upcaster_setup",
        "an upcaster is registered twice, branches, or leads nowhere",
    ),
    (
        "kernel.version_gap",
        "an event skips a version of its stream",
    ),
];
