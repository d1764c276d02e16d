//! The fleet's domain model, event-sourced: things, groups, certificates, identities and twins.
//!
//! Commands are decided into events; events fold into state. Nothing in this crate reads a
//! clock, draws a random number or does I/O: whatever is not deterministic arrives with the
//! command or in its [`kernel::Context`], and is recorded in the event.

#![forbid(unsafe_code)]

pub mod attribute;
pub mod billing_group;
pub mod ca_certificate;
pub mod certificate;
pub mod document;
pub mod group;
pub mod id;
pub mod identity;
pub mod kernel;
pub mod lifecycle;
pub mod limits;
mod policies;
pub mod presence;
pub mod tag;
pub mod thing;
pub mod thing_type;
pub mod twin;

#[doc(hidden)]
pub use serde_json as __serde_json;

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
