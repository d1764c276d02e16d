//! The fleet's domain model, event-sourced: things, groups, certificates, identities and twins.
#![forbid(unsafe_code)]
