//! The seam below every computation: which implementation of the primitives is used.
//!
//! Every function of this crate that computes takes a [`Provider`]. [`RustCrypto`] is the default
//! and pure Rust; an embedder with other needs (a validated module, an accelerator) implements the
//! trait over its own library and passes that instead. A provider computes primitives; what is
//! allowed, and in which order things are checked, stays in this crate.
mod rustcrypto;
#[cfg(feature = "rsa")]
mod rustcrypto_rsa;
#[cfg(test)]
mod tests;

pub use rustcrypto::RustCrypto;

use crate::CryptoError;
use std::fmt;
use zeroize::Zeroizing;

/// A signature algorithm of the allow-list.
///
/// Spec: cryptography, rule 3.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum SignatureAlgorithm {
    /// ECDSA on P-256 with SHA-256; signatures in DER.
    EcdsaP256Sha256,
    /// ECDSA on P-256 with SHA-256; signatures as `r || s`, 64 bytes.
    EcdsaP256Sha256Fixed,
    /// ECDSA on P-384 with SHA-384; signatures in DER.
    EcdsaP384Sha384,
    /// ECDSA on P-384 with SHA-256; signatures in DER. Common tools sign requests so; certificates
    /// with it are refused.
    EcdsaP384Sha256,
    /// Ed25519 by the strict rule (canonical `s`, no small-order keys).
    Ed25519,
    /// RSA PKCS#1 v1.5 with SHA-256.
    RsaPkcs1Sha256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    RsaPkcs1Sha384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaPkcs1Sha512,
    /// RSA-PSS with SHA-256, MGF1 with the same hash, a salt of 32 bytes.
    RsaPssSha256,
    /// RSA-PSS with SHA-384, MGF1 with the same hash, a salt of 48 bytes.
    RsaPssSha384,
    /// RSA-PSS with SHA-512, MGF1 with the same hash, a salt of 64 bytes.
    RsaPssSha512,
}

/// The kind of a public key. Its bytes are those inside a certificate's `subjectPublicKey`: a point
/// (`04 x y`, or compressed), the 32 bytes of Ed25519, or the DER of `RSAPublicKey`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum KeyKind {
    /// A point on P-256.
    P256,
    /// A point on P-384.
    P384,
    /// An Ed25519 key.
    Ed25519,
    /// An RSA key of 2048 to 8192 bits.
    Rsa,
}

/// The public half of an ephemeral P-256 key and what it shares with a peer.
pub struct Agreement {
    /// The ephemeral public point, 32 bytes each.
    pub public: ([u8; 32], [u8; 32]),
    /// The x coordinate of the shared point.
    pub shared_x: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Agreement([redacted])")
    }
}

/// A prepared HMAC-SHA-256 key, as a provider makes it.
pub trait MacState: Send + Sync {
    /// The MAC over the concatenation of `parts`.
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32];
}

/// A key prepared for HMAC-SHA-256: the cost of the key is paid once, then every MAC is cheap.
///
/// This is the raw layer: any key length is taken. Enrolment keys have their own type,
/// [`crate::symmetric::SymmetricKey`].
pub struct MacKey(Box<dyn MacState>);

impl MacKey {
    /// Wraps the state of a provider.
    #[must_use]
    pub fn new(state: Box<dyn MacState>) -> Self {
        Self(state)
    }

    /// The MAC over the concatenation of `parts`.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.0.mac(parts)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey([redacted])")
    }
}

/// The primitives that this crate is built on.
///
/// An implementation must be constant in time where secrets are involved and must not panic.
pub trait Provider: Send + Sync + fmt::Debug {
    /// SHA-256 over the concatenation of `parts`.
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32];

    /// SHA-1, for displayed thumbprints and key identifiers only.
    fn sha1(&self, bytes: &[u8]) -> [u8; 20];

    /// Prepares an HMAC-SHA-256 key of any length.
    fn mac_key(&self, key: &[u8]) -> MacKey;

    /// Whether `key` is a usable public key of its kind: on the curve, RSA of 2048 to 8192 bits.
    /// # Errors
    /// `crypto.algorithm` (strength, or kind not built in), `crypto.key_invalid`.
    fn check_key(&self, kind: KeyKind, key: &[u8]) -> Result<(), CryptoError>;

    /// Verifies a signature with the key's bytes as in [`KeyKind`].
    /// # Errors
    /// `crypto.signature`; `crypto.algorithm` when the algorithm is not built in.
    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError>;

    /// RSA-OAEP with SHA-256 and MGF1-SHA-256 under `label`; `seed` is the OAEP seed, `modulus` and
    /// `exponent` are big-endian.
    /// # Errors
    /// `crypto.key_invalid`; `crypto.unsupported` when RSA is not built in.
    fn rsa_oaep(
        &self,
        modulus: &[u8],
        exponent: u32,
        label: &str,
        message: &[u8],
        seed: &[u8; 32],
    ) -> Result<Vec<u8>, CryptoError>;

    /// Diffie-Hellman on P-256 between `private` and the uncompressed point `04 x y` of the peer.
    /// # Errors
    /// `crypto.key_invalid` when the peer is not on the curve; `crypto.random` when `private` is
    /// zero or not below the order.
    fn p256_agree(&self, private: &[u8; 32], peer: &[u8; 65]) -> Result<Agreement, CryptoError>;

    /// AES-128 in full-block CFB mode with a zero IV, in place.
    fn aes128_cfb_encrypt(&self, key: &[u8; 16], data: &mut [u8]);

    /// AES-256-GCM: ciphertext and 16-byte tag.
    /// # Errors
    /// `crypto.too_long` when `plain` is longer than the mode allows.
    fn aes256_gcm_seal(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError>;

    /// Opens what [`Provider::aes256_gcm_seal`] made.
    /// # Errors
    /// `crypto.sealed`.
    fn aes256_gcm_open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError>;
}
