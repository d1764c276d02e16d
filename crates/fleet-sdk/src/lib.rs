//! The facade: one fleet, every operation, over any event store.
//!
//! A transport (HTTP, MQTT, a queue, the command line) maps its requests onto [`Fleet::call`] or
//! [`Fleet::call_json`] and its answers from what they return. [`Fleet::operations`] lists what
//! can be asked, with a JSON Schema of each request and response.

#![forbid(unsafe_code)]

pub mod caller;
pub mod error;
mod facts;
mod fleet;
mod handler;
pub mod import;
mod indexing;
mod issuer;
mod known;
mod log;
pub mod maintain;
pub mod operation;
mod page;
mod pem;
mod query;
mod read;
mod refusal;
pub mod source;

pub use caller::{Caller, Service};
pub use error::CallError;
pub use fleet::{Fleet, Options, Outcome};
pub use issuer::Issuer;
pub use read::IndexOrigin;

/// The examples of this crate's README and of the workspace's, compiled and run.
#[cfg(doctest)]
mod readme {
    #[doc = include_str!("../README.md")]
    struct Crate;
    #[doc = include_str!("../../../README.md")]
    struct Workspace;
}
