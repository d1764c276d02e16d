//! Attestation and signing for device fleets: bytes in, verdicts out.
//!
//! The crate knows nothing of fleets and depends on no other crate of the workspace. It reads no
//! clock, draws no random number and does no input or output: time is an argument
//! ([`UnixSeconds`]), random bytes come from a generator that the caller owns ([`SecureRandom`]),
//! and the primitives come from a [`provider::Provider`] (the default is [`RustCrypto`], one
//! pure-Rust stack).
//!
//! A refusal is a [`CryptoError`] that names its cause for operators and logs; a device sees
//! [`Unauthenticated`] and nothing else.
#![forbid(unsafe_code)]

mod encoding;
mod error;
pub mod manifest;
pub mod operation;
pub mod presign;
pub mod provider;
mod random;
mod registration_id;
pub mod sas;
pub mod secret;
pub mod signer;
pub mod symmetric;
mod time;
pub mod tpm;
pub mod x509;

pub use error::{CODES, CryptoError, Unauthenticated};
pub use provider::RustCrypto;
pub use random::SecureRandom;
pub use registration_id::RegistrationId;
pub use time::UnixSeconds;
