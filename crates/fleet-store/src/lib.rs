//! Event stores for the fleet: one port, its adapters and the conformance suite that every adapter passes.
