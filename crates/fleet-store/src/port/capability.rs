//! What a store was found to promise.

use std::fmt;

/// Which faults an acknowledged event survives. Ordered from weak to strong.
///
/// Spec: event store, section 6.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Durability {
    /// None.
    Volatile,
    /// Kill of the process.
    Process,
    /// Power loss of the machine.
    Machine,
    /// Power loss of all nodes together, and permanent loss of some.
    Replicated {
        /// How many nodes may be lost for ever.
        faults: u8,
    },
}

impl fmt::Display for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Volatile => f.write_str("volatile"),
            Self::Process => f.write_str("process"),
            Self::Machine => f.write_str("machine"),
            Self::Replicated { faults } => write!(f, "replicated ({faults} faults)"),
        }
    }
}

/// How the durability class is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Attestation {
    /// Read from the engine.
    Verified,
    /// Stated by the operator: the engine does not reveal it.
    Attested,
}

/// What an open store promises.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Name of the adapter, e.g. `sqlite`.
    pub adapter: &'static str,
    /// Version of the engine, e.g. `3.50.4`.
    pub engine: String,
    /// The class that the engine is really configured for.
    pub durability: Durability,
    /// How that is known.
    pub attestation: Attestation,
    /// Events an append may hold.
    pub max_events: usize,
    /// Bytes of data an event may hold.
    pub max_event_bytes: usize,
    /// Whether events carry the SHA-256 chain.
    pub chained: bool,
    /// Whether the store must be reopened after `store.full`.
    pub reopen_after_full: bool,
    /// Snapshots that did not fit their event and were ignored since the store was opened.
    pub snapshots_ignored: u64,
}

impl Capabilities {
    /// The capabilities of an adapter, with the limits of the spec.
    #[must_use]
    pub fn new(adapter: &'static str, engine: String, durability: Durability) -> Self {
        Self {
            adapter,
            engine,
            durability,
            attestation: Attestation::Verified,
            max_events: crate::port::append::MAX_EVENTS,
            max_event_bytes: crate::port::append::MAX_EVENT_BYTES,
            chained: false,
            reopen_after_full: false,
            snapshots_ignored: 0,
        }
    }
}
