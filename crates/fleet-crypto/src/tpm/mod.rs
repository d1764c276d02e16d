//! TPM 2.0 attestation as the provisioning service uses it.
//!
//! A device shows two public keys, the endorsement key (EK) and the storage root key (SRK). The
//! service enrols the EK, makes an identity key, and hands it over so that only the TPM with that EK
//! and SRK can use it ([`issue_challenge`]); the device then signs shared access signatures inside
//! the TPM, and [`Challenge::verify`] checks them.
//!
//! Spec: cryptography, section 5.
mod credential;
mod identity;
mod public;

pub use credential::{Credential, make_credential};
pub use identity::{
    Answer, CHALLENGE_LIFE, Challenge, ImportBlob, StorageRootPin, check_endorsement,
    issue_challenge, wrap_identity_key,
};
pub use public::{KeyMaterial, StorageKey};

/// `TPM2B(x)`: a 16-bit length and the bytes.
fn sized(bytes: &[u8]) -> Vec<u8> {
    // Everything that is written here is far shorter than 65,535 bytes.
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), bytes].concat()
}
