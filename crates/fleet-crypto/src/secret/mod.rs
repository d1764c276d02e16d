//! Secrets: types that wipe and hide themselves, and values sealed at rest.
mod bytes;

pub use bytes::{SecretBytes, SecretText};
