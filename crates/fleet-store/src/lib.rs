//! Event stores for the fleet: one port, its adapters and the conformance suite that every adapter passes.
//!
//! [`port::EventStore`] is the contract (`spec/event-store.md`). [`memory::MemoryStore`] keeps a log in
//! memory; `sqlite::SqliteStore` (feature `sqlite`) keeps it in one file. No part of this crate starts or
//! needs an async runtime: every future can be polled by any executor.
//!
//! ```
//! use fleet_model::kernel::{EventId, NewEvent, Position, Timestamp};
//! use fleet_store::memory::MemoryStore;
//! use fleet_store::port::{Append, EventStore, Expected, LogRead, SystemClock};
//! use std::sync::Arc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let store = MemoryStore::new("default".parse()?, Arc::new(SystemClock));
//! let event = NewEvent {
//!     id: EventId::v7(1, [7; 10]),
//!     event_type: "thing.created".parse()?,
//!     schema: 1,
//!     occurred_at: Timestamp::from_secs(1),
//!     correlation: uuid::Uuid::from_u128(1),
//!     causation: None,
//!     actor: "user:ops".parse()?,
//!     meta: Default::default(),
//!     data: br#"{"name":"press-7"}"#.as_slice().into(),
//!     subject: None,
//! };
//! let append = Append::new("thing-press~2D7".parse()?, Expected::NoStream, vec![event]);
//! let done = pollster::block_on(store.append(append.clone()))?;
//! assert_eq!(done.last_position().0, 1);
//! let again = pollster::block_on(store.append(append))?;
//! assert!(again.deduplicated);
//! let page = pollster::block_on(store.read_all(LogRead::after(Position::ZERO)))?;
//! assert_eq!(page.events.len(), 1);
//! # Ok(())
//! # }
//! ```
#![forbid(unsafe_code)]

mod backup;
pub mod chain;
#[cfg(feature = "conformance")]
pub mod conformance;
mod group;
mod live;
pub mod memory;
pub mod port;
mod record;
pub mod seal;
#[cfg(feature = "simulation")]
pub mod simulation;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(test)]
mod testing;
