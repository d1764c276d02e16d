//! Public keys and signature algorithms as certificates name them: the allow-list.
use super::der::{self, Reader, tag};
use super::oids;
use crate::CryptoError;
use crate::error::malformed;
use crate::provider::{KeyKind, SignatureAlgorithm};

/// The DER of an `AlgorithmIdentifier` (whole element) for each algorithm of the allow-list.
const SIGNATURE_ALGORITHMS: [(SignatureAlgorithm, &[u8]); 9] = [
    (
        SignatureAlgorithm::EcdsaP256Sha256,
        &[
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
        ],
    ),
    (
        SignatureAlgorithm::EcdsaP384Sha384,
        &[
            0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x03,
        ],
    ),
    (
        SignatureAlgorithm::Ed25519,
        &[0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70],
    ),
    (SignatureAlgorithm::RsaPkcs1Sha256, &rsa_pkcs1(0x0b)),
    (SignatureAlgorithm::RsaPkcs1Sha384, &rsa_pkcs1(0x0c)),
    (SignatureAlgorithm::RsaPkcs1Sha512, &rsa_pkcs1(0x0d)),
    (SignatureAlgorithm::RsaPssSha256, &rsa_pss(0x01, 0x20)),
    (SignatureAlgorithm::RsaPssSha384, &rsa_pss(0x02, 0x30)),
    (SignatureAlgorithm::RsaPssSha512, &rsa_pss(0x03, 0x40)),
];

const fn rsa_pkcs1(last: u8) -> [u8; 15] {
    [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, last, 0x05, 0x00,
    ]
}

/// RSASSA-PSS with a hash, MGF1 of the same hash, and a salt as long as the hash.
const fn rsa_pss(hash: u8, salt: u8) -> [u8; 67] {
    [
        0x30, 0x41, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0a, 0x30, 0x34,
        0xa0, 0x0f, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,
        0x05, 0x00, 0xa1, 0x1c, 0x30, 0x1a, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
        0x01, 0x08, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, hash,
        0x05, 0x00, 0xa2, 0x03, 0x02, 0x01, salt,
    ]
}

/// The algorithm that a whole `AlgorithmIdentifier` element names, if it is on the allow-list.
pub(crate) fn signature_algorithm(whole: &[u8]) -> Option<SignatureAlgorithm> {
    SIGNATURE_ALGORITHMS
        .iter()
        .find_map(|(algorithm, der)| (*der == whole).then_some(*algorithm))
}

/// The `AlgorithmIdentifier` element of an algorithm of certificates.
pub(crate) fn algorithm_identifier(algorithm: SignatureAlgorithm) -> &'static [u8] {
    SIGNATURE_ALGORITHMS
        .iter()
        .find_map(|(known, der)| (*known == algorithm).then_some(*der))
        .unwrap_or_default()
}

/// The kind of key that an algorithm takes.
pub(crate) const fn key_of(algorithm: SignatureAlgorithm) -> KeyKind {
    match algorithm {
        SignatureAlgorithm::EcdsaP256Sha256 | SignatureAlgorithm::EcdsaP256Sha256Fixed => {
            KeyKind::P256
        }
        SignatureAlgorithm::EcdsaP384Sha384 | SignatureAlgorithm::EcdsaP384Sha256 => KeyKind::P384,
        SignatureAlgorithm::Ed25519 => KeyKind::Ed25519,
        _ => KeyKind::Rsa,
    }
}

/// The content of the key's `AlgorithmIdentifier`.
pub(crate) fn key_algorithm(kind: KeyKind) -> Vec<u8> {
    match kind {
        KeyKind::P256 => [der::oid(oids::EC_PUBLIC_KEY), der::oid(oids::P256)].concat(),
        KeyKind::P384 => [der::oid(oids::EC_PUBLIC_KEY), der::oid(oids::P384)].concat(),
        KeyKind::Ed25519 => der::oid(oids::ED25519),
        KeyKind::Rsa => [der::oid(oids::RSA), der::element(tag::NULL, &[])].concat(),
    }
}

/// A `SubjectPublicKeyInfo`, taken apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KeyInfo<'a> {
    /// Nothing when the kind is not on the allow-list.
    pub(crate) kind: Option<KeyKind>,
    /// The bytes of the key, see [`KeyKind`].
    pub(crate) bits: &'a [u8],
}

impl<'a> KeyInfo<'a> {
    /// Reads the content of a `SubjectPublicKeyInfo`.
    pub(crate) fn parse(content: &'a [u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader::new(content);
        let algorithm = reader.expect(tag::SEQUENCE)?;
        let bits = reader.whole_bits()?;
        reader.end()?;
        Reader::new(algorithm.content).oid()?;
        let kind = [KeyKind::P256, KeyKind::P384, KeyKind::Ed25519, KeyKind::Rsa]
            .into_iter()
            .find(|kind| key_algorithm(*kind) == algorithm.content);
        Ok(Self { kind, bits })
    }

    /// The whole element for a key.
    pub(crate) fn print(kind: KeyKind, bits: &[u8]) -> Vec<u8> {
        let algorithm = der::element(tag::SEQUENCE, &key_algorithm(kind));
        der::sequence(&[&algorithm, &der::bits(bits)])
    }
}

/// A public key for verifying, in any of the forms that people hold it in.
///
/// ```
/// use fleet_crypto::x509::PublicKey;
/// let pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA6S3zcJnqsAM0DhjveXxZHUFbh1SEXDkFMGXqRXbP0i4=\n-----END PUBLIC KEY-----\n";
/// let key = PublicKey::from_pem(pem)?;
/// assert_eq!(key.to_pem(), pem);
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicKey {
    pub(crate) kind: KeyKind,
    pub(crate) bits: Vec<u8>,
}

impl PublicKey {
    /// Takes the bytes of a key as [`KeyKind`] describes them. Whether the key is usable is checked
    /// where it is used.
    #[must_use]
    pub const fn from_bits(kind: KeyKind, bits: Vec<u8>) -> Self {
        Self { kind, bits }
    }

    /// Reads the DER of a `SubjectPublicKeyInfo`.
    /// # Errors
    /// `crypto.malformed`, `crypto.algorithm`.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CryptoError> {
        let mut reader = Reader::new(bytes);
        let content = reader.expect(tag::SEQUENCE)?.content;
        reader.end()?;
        let info = KeyInfo::parse(content)?;
        let kind = info.kind.ok_or(CryptoError::Algorithm {
            what: "kind of public key",
        })?;
        Ok(Self {
            kind,
            bits: info.bits.to_vec(),
        })
    }

    /// Reads one PEM block `PUBLIC KEY`.
    /// # Errors
    /// `crypto.malformed`, `crypto.algorithm`.
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        Self::from_der(&super::pem::decode(text, "PUBLIC KEY", 4096)?)
    }

    /// The kind of the key.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bytes of the key, see [`KeyKind`].
    #[must_use]
    pub fn bits(&self) -> &[u8] {
        &self.bits
    }

    /// The DER of the `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn to_der(&self) -> Vec<u8> {
        KeyInfo::print(self.kind, &self.bits)
    }

    /// A PEM block `PUBLIC KEY`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        super::pem::encode(&self.to_der(), "PUBLIC KEY")
    }
}

/// The signature fields that certificates, requests and revocation lists have in common:
/// `SEQUENCE { to-be-signed, AlgorithmIdentifier, BIT STRING }`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    pub(crate) tbs: der::Element<'a>,
    /// The whole `AlgorithmIdentifier`.
    pub(crate) algorithm: &'a [u8],
    pub(crate) signature: &'a [u8],
}

impl<'a> Signed<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, CryptoError> {
        let mut outer = Reader::new(bytes);
        let mut reader = outer.sequence()?;
        outer.end()?;
        let tbs = reader.expect(tag::SEQUENCE)?;
        let algorithm = reader.expect(tag::SEQUENCE)?.whole;
        let signature = reader
            .whole_bits()
            .map_err(|_| malformed("signature bits"))?;
        reader.end()?;
        Ok(Self {
            tbs,
            algorithm,
            signature,
        })
    }
}
