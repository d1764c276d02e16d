//! Shared access signatures and connection strings.
//!
//! A token is `SharedAccessSignature sr={resource}&sig={mac}&se={expiry}[&skn={key name}]`.
//! [`create`] makes one, [`Token::parse`] reads one without judging, [`Verifier::verify`] judges in
//! the exact order of the specification.
//!
//! Spec: cryptography, section 3; service specification, section 7.
mod connection;
mod token;
mod verify;

pub use connection::{ConnectionString, Credential};
pub use token::{Token, create};
pub use verify::{ResourceMatch, Verified, Verifier};
