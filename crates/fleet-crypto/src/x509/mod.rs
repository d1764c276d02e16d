//! X.509 certificates of devices: parse, decide, issue, revoke.
//!
//! | to do | use |
//! | --- | --- |
//! | read a certificate, a revocation list | [`Certificate`], [`Crl`] |
//! | authenticate a device by its chain | [`ChainVerifier`] |
//! | authenticate a device by an enrolled leaf or thumbprint | [`LeafVerifier`], [`EnrolledLeaf`], [`Thumbprint`] |
//! | prove that somebody holds a CA key | [`PossessionChallenge`], [`verify_possession`] |
//! | verify or build a request | [`Request`], [`build_request`] |
//! | issue certificates and revocation lists | [`CertificateAuthority`] |
//! | move a device to a new certificate | [`CertificateSlots`] |
//!
//! Spec: cryptography, section 4.
mod algorithm;
mod bridge;
mod certificate;
mod crl;
pub(crate) mod der;
mod extension;
mod identity;
mod issue;
mod name;
mod oids;
mod path;
mod pem;
mod possession;
mod request;
mod rotation;
mod thumbprint;

pub use algorithm::PublicKey;
pub(crate) use algorithm::key_algorithm;
pub use certificate::{Certificate, MAX_CERTIFICATE};
pub use crl::{Crl, MAX_CRL, MAX_CRL_ENTRIES};
pub use identity::{
    Authenticated, DenyList, EnrolledLeaf, IdentitySource, LeafVerifier, PossessionProvenByTls,
};
pub use issue::{
    CertificateAuthority, Issued, IssuedWithKeys, MAX_LIFE, RevokedCertificate, SubjectPolicy,
    can_issue,
};
pub(crate) use oids::P256 as P256_OID;
pub use path::{
    ChainVerifier, Explanation, Finding, MAX_BAG, MAX_INTERMEDIATES, Profile, Purpose, Role,
    VerifiedPath,
};
pub(crate) use pem::{decode as pem_decode, encode as pem_encode};
pub use possession::{CODE_LIFE, PossessionChallenge, VerificationCode, verify_possession};
pub use request::{Request, build_request, request_pem};
pub use rotation::{CertificateHash, CertificateSlots, RETIREMENT, Seen};
pub use thumbprint::Thumbprint;
