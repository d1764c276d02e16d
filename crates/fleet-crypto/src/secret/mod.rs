//! Secrets: types that wipe and hide themselves, and values sealed at rest.
mod bytes;

pub(crate) use bytes::same_secret;
pub use bytes::{SecretBytes, SecretText};
