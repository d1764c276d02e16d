//! Secrets: types that wipe and hide themselves, references that may stand in events, and values
//! sealed at rest.
//!
//! | may stand in an event | may not |
//! | --- | --- |
//! | [`SecretHandle`], [`Fingerprint`], [`SaltedDigest`], sealed bytes | [`SecretBytes`], [`SecretText`] and what they hold |
//!
//! Spec: cryptography, section 9.
mod bytes;
mod handle;
mod seal;

pub(crate) use bytes::same_secret;
pub use bytes::{SecretBytes, SecretText};
pub use handle::{Fingerprint, Pepper, SaltedDigest, SecretHandle};
pub use seal::{AssociatedData, DataKey, KeyRing, MAX_SEALS, Opened};
