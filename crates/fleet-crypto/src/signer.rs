//! Who signs: a port, so that a key can live in a hardware module, and a software signer beside it.
use crate::provider::{KeyKind, SignatureAlgorithm};
use crate::random::random_array;
use crate::secret::SecretText;
use crate::x509::der::{self, Reader, tag};
use crate::x509::{PublicKey, key_algorithm, pem_decode, pem_encode};
use crate::{CryptoError, SecureRandom};
use ed25519_dalek::Signer as _;
use std::fmt;
use zeroize::Zeroizing;

/// How a signer signs. RSA never signs here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SigningAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256Sha256,
    /// Ed25519.
    Ed25519,
}

impl SigningAlgorithm {
    /// The algorithm of signatures in certificates (ECDSA in DER).
    #[must_use]
    pub const fn in_certificates(self) -> SignatureAlgorithm {
        match self {
            Self::EcdsaP256Sha256 => SignatureAlgorithm::EcdsaP256Sha256,
            Self::Ed25519 => SignatureAlgorithm::Ed25519,
        }
    }
}

/// Holds a private key and signs with it.
pub trait Signer: Send + Sync + fmt::Debug {
    /// The algorithm that the key signs with.
    fn algorithm(&self) -> SigningAlgorithm;

    /// The public half.
    fn public_key(&self) -> PublicKey;

    /// Signs `message` (not a hash of it). ECDSA signatures are in DER, Ed25519 has 64 bytes.
    /// # Errors
    /// `crypto.signer` when the module does not answer.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError>;
}

enum Key {
    P256(p256::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
}

/// A signer over a key in memory, which is wiped on drop.
pub struct LocalSigner(Key);

impl LocalSigner {
    /// A new P-256 key.
    /// # Errors
    /// `crypto.random`.
    pub fn generate_p256(random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        Ok(Self(Key::P256(p256::ecdsa::SigningKey::from(p256_scalar(
            random,
        )?))))
    }

    /// A new Ed25519 key.
    /// # Errors
    /// `crypto.random`.
    pub fn generate_ed25519(random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        let seed = random_array::<32>(random)?;
        Ok(Self(Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(
            &seed,
        ))))
    }

    /// Reads a private key: PEM `PRIVATE KEY` (PKCS#8, P-256 or Ed25519) or `EC PRIVATE KEY`.
    /// # Errors
    /// `crypto.malformed`, `crypto.algorithm` for any other kind of key.
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        if text.contains("BEGIN EC PRIVATE KEY") {
            // Tools write the curve in a block of its own before the key.
            let key = text
                .find("-----BEGIN EC PRIVATE KEY")
                .and_then(|at| text.get(at..));
            let der = Zeroizing::new(pem_decode(key.unwrap_or_default(), "EC PRIVATE KEY", 4096)?);
            return ec_private_key(&der, None);
        }
        let der = Zeroizing::new(pem_decode(text, "PRIVATE KEY", 4096)?);
        let mut outer = Reader::new(&der);
        let mut reader = outer.sequence()?;
        outer.end()?;
        reader.small_integer()?;
        let algorithm = reader.expect(tag::SEQUENCE)?.content;
        let key = reader.expect(tag::OCTET_STRING)?.content;
        if algorithm == key_algorithm(KeyKind::P256) {
            ec_private_key(key, Some(KeyKind::P256))
        } else if algorithm == key_algorithm(KeyKind::Ed25519) {
            let mut inner = Reader::new(key);
            let seed = inner.expect(tag::OCTET_STRING)?.content;
            inner.end()?;
            let seed: &[u8; 32] = seed.try_into().map_err(|_| CryptoError::Malformed {
                what: "private key",
            })?;
            Ok(Self(Key::Ed25519(ed25519_dalek::SigningKey::from_bytes(
                seed,
            ))))
        } else {
            Err(CryptoError::Algorithm {
                what: "private key",
            })
        }
    }

    /// The private key as PEM (PKCS#8).
    #[must_use]
    pub fn to_pem(&self) -> SecretText {
        let (kind, inner) = match &self.0 {
            Key::P256(key) => {
                let public = der::element(tag::explicit(1), &der::bits(&self.public_key().bits));
                let scalar = Zeroizing::new(<[u8; 32]>::from(key.to_bytes()));
                let secret = Zeroizing::new(der::element(tag::OCTET_STRING, scalar.as_slice()));
                (
                    KeyKind::P256,
                    der::sequence(&[&der::integer(&[1]), &secret, &public]),
                )
            }
            Key::Ed25519(key) => (
                KeyKind::Ed25519,
                der::element(tag::OCTET_STRING, key.as_bytes()),
            ),
        };
        let inner = Zeroizing::new(inner);
        let wrapped = Zeroizing::new(der::element(tag::OCTET_STRING, &inner));
        let algorithm = der::element(tag::SEQUENCE, &key_algorithm(kind));
        let whole = Zeroizing::new(der::sequence(&[&der::integer(&[0]), &algorithm, &wrapped]));
        SecretText::new(pem_encode(&whole, "PRIVATE KEY"))
    }
}

/// A scalar below the order, by rejection; the chance of a second round is 2^-32.
pub(crate) fn p256_scalar(random: &mut dyn SecureRandom) -> Result<p256::SecretKey, CryptoError> {
    for _round in 0..8 {
        let bytes = random_array::<32>(random)?;
        if let Ok(key) = p256::SecretKey::from_slice(bytes.as_slice()) {
            return Ok(key);
        }
    }
    Err(CryptoError::Random {
        what: "no scalar in eight rounds",
    })
}

/// `ECPrivateKey ::= SEQUENCE { 1, privateKey, [0] parameters OPTIONAL, [1] publicKey OPTIONAL }`
fn ec_private_key(bytes: &[u8], known: Option<KeyKind>) -> Result<LocalSigner, CryptoError> {
    const OTHER: CryptoError = CryptoError::Algorithm {
        what: "private key",
    };
    let mut outer = Reader::new(bytes);
    let mut reader = outer.sequence()?;
    outer.end()?;
    reader.small_integer()?;
    let scalar = reader.expect(tag::OCTET_STRING)?.content;
    let curve = reader
        .optional(tag::explicit(0))?
        .map(|element| element.content);
    let p256 = der::oid(crate::x509::P256_OID);
    let right = match curve {
        Some(curve) => curve == p256,
        None => known == Some(KeyKind::P256),
    };
    if !right {
        return Err(OTHER);
    }
    let key = p256::SecretKey::from_slice(scalar).map_err(|_| OTHER)?;
    Ok(LocalSigner(Key::P256(p256::ecdsa::SigningKey::from(key))))
}

impl Signer for LocalSigner {
    fn algorithm(&self) -> SigningAlgorithm {
        match &self.0 {
            Key::P256(_) => SigningAlgorithm::EcdsaP256Sha256,
            Key::Ed25519(_) => SigningAlgorithm::Ed25519,
        }
    }

    fn public_key(&self) -> PublicKey {
        match &self.0 {
            Key::P256(key) => PublicKey::from_bits(
                KeyKind::P256,
                key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            ),
            Key::Ed25519(key) => {
                PublicKey::from_bits(KeyKind::Ed25519, key.verifying_key().as_bytes().to_vec())
            }
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
        const FAILED: CryptoError = CryptoError::Signer {
            what: "software key",
        };
        match &self.0 {
            Key::P256(key) => {
                let signature: p256::ecdsa::Signature =
                    key.try_sign(message).map_err(|_| FAILED)?;
                Ok(signature.to_der().as_bytes().to_vec())
            }
            Key::Ed25519(key) => Ok(key
                .try_sign(message)
                .map_err(|_| FAILED)?
                .to_bytes()
                .to_vec()),
        }
    }
}

impl fmt::Debug for LocalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalSigner([redacted])")
    }
}
