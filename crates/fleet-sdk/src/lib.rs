//! The facade: one fleet, every operation, over any event store.
#![forbid(unsafe_code)]
