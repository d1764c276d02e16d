//! The provider's signature algorithms in the form that the path builder takes, on a budget.
use super::algorithm::{algorithm_identifier, key_of};
use crate::CryptoError;
use crate::provider::{Agreement, KeyKind, MacKey, Provider, SignatureAlgorithm};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use zeroize::Zeroizing;

/// Most signature checks of one verification.
const MAX_CHECKS: u32 = 100;

/// A provider that stops verifying when the budget of one verification is spent.
#[derive(Debug)]
pub(super) struct Budgeted<'a> {
    provider: &'a dyn Provider,
    left: AtomicU32,
}

impl<'a> Budgeted<'a> {
    pub(super) const fn new(provider: &'a dyn Provider) -> Self {
        Self {
            provider,
            left: AtomicU32::new(MAX_CHECKS),
        }
    }

    /// Whether a check was refused for lack of budget.
    pub(super) fn is_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// Only `verify` and `check_key` are asked of a budgeted provider; the rest passes through.
impl Provider for Budgeted<'_> {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.provider.sha256(parts)
    }

    fn sha1(&self, bytes: &[u8]) -> [u8; 20] {
        self.provider.sha1(bytes)
    }

    fn mac_key(&self, key: &[u8]) -> MacKey {
        self.provider.mac_key(key)
    }

    fn check_key(&self, kind: KeyKind, key: &[u8]) -> Result<(), CryptoError> {
        self.provider.check_key(kind, key)
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        let left = self.left.load(Ordering::Relaxed);
        let left = left.checked_sub(1).ok_or(CryptoError::TooLong {
            what: "signature checks",
        })?;
        self.left.store(left, Ordering::Relaxed);
        self.provider.verify(algorithm, key, message, signature)
    }

    fn rsa_oaep(
        &self,
        modulus: &[u8],
        exponent: u32,
        label: &str,
        message: &[u8],
        seed: &[u8; 32],
    ) -> Result<Vec<u8>, CryptoError> {
        self.provider
            .rsa_oaep(modulus, exponent, label, message, seed)
    }

    fn p256_agree(&self, private: &[u8; 32], peer: &[u8; 65]) -> Result<Agreement, CryptoError> {
        self.provider.p256_agree(private, peer)
    }

    fn aes128_cfb_encrypt(&self, key: &[u8; 16], data: &mut [u8]) {
        self.provider.aes128_cfb_encrypt(key, data);
    }

    fn aes256_gcm_seal(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.provider.aes256_gcm_seal(key, nonce, associated, plain)
    }

    fn aes256_gcm_open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        self.provider
            .aes256_gcm_open(key, nonce, associated, sealed)
    }
}

/// One algorithm of the allow-list over a budgeted provider.
pub(super) struct Bridge<'a> {
    provider: &'a Budgeted<'a>,
    algorithm: SignatureAlgorithm,
}

impl<'a> Bridge<'a> {
    /// Every algorithm of certificates.
    pub(super) fn all(provider: &'a Budgeted<'a>) -> [Self; 9] {
        use SignatureAlgorithm as A;
        [
            A::EcdsaP256Sha256,
            A::EcdsaP384Sha384,
            A::Ed25519,
            A::RsaPkcs1Sha256,
            A::RsaPkcs1Sha384,
            A::RsaPkcs1Sha512,
            A::RsaPssSha256,
            A::RsaPssSha384,
            A::RsaPssSha512,
        ]
        .map(|algorithm| Self {
            provider,
            algorithm,
        })
    }
}

impl fmt::Debug for Bridge<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.algorithm.fmt(f)
    }
}

impl SignatureVerificationAlgorithm for Bridge<'_> {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.provider
            .verify(self.algorithm, public_key, message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        match key_of(self.algorithm) {
            KeyKind::P256 => alg_id::ECDSA_P256,
            KeyKind::P384 => alg_id::ECDSA_P384,
            KeyKind::Ed25519 => alg_id::ED25519,
            KeyKind::Rsa => alg_id::RSA_ENCRYPTION,
        }
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        // The path builder wants the content of the identifier, without its outer header.
        let whole = algorithm_identifier(self.algorithm);
        AlgorithmIdentifier::from_slice(whole.get(2..).unwrap_or_default())
    }
}
