//! Signed update manifests: who made an update, of which files, for which devices.
//!
//! A manifest is a JWS, compact or detached, over a JSON payload. [`KeySet::verify`] judges it in a
//! fixed order; the payload is read only after the signature verified. What a device then does with
//! the files is checked by [`Manifest::check_file`] and [`Manifest::check_version`].
//!
//! Spec: cryptography, section 7.
mod jws;
mod keyset;
mod payload;
mod version;

pub use jws::{Jws, sign_compact, sign_detached};
pub use keyset::{KeySet, KeySetChange, RootKey, TrustedKey};
pub use payload::{Compatibility, FileEntry, Manifest, RollbackPolicy, UpdateId};
pub use version::UpdateVersion;
