//! The query languages of a device fleet: parsed, checked, evaluated, indexed and matched in reverse.
#![forbid(unsafe_code)]
