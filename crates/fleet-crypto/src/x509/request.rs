//! Certificate signing requests (PKCS#10).
use super::algorithm::{KeyInfo, Signed, algorithm_identifier, key_of, signature_algorithm};
use super::certificate::MAX_CERTIFICATE;
use super::der::{self, Reader, tag};
use super::issue::common_name;
use super::{PublicKey, name, oids, pem};
use crate::error::malformed;
use crate::provider::{KeyKind, Provider, SignatureAlgorithm};
use crate::signer::Signer;
use crate::{CryptoError, RegistrationId};

/// A request whose own signature verified.
///
/// Only the public key and, when policy says so, the common name are taken from it. What it asks for
/// in extensions is not even read.
///
/// Spec: cryptography, section 4.6.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Request {
    public_key: PublicKey,
    common_names: Option<Vec<String>>,
}

impl Request {
    /// Reads DER, or PEM with one block `CERTIFICATE REQUEST`, and verifies the signature over the
    /// bytes received.
    /// # Errors
    /// `crypto.malformed`, `crypto.too_long`, `crypto.algorithm`, `crypto.bad_signature`.
    pub fn verify(bytes: &[u8], provider: &dyn Provider) -> Result<Self, CryptoError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => Self::verify_pem(text, provider),
            _ => Self::verify_der(bytes, provider),
        }
    }

    /// As [`Request::verify`], for PEM.
    /// # Errors
    /// As [`Request::verify`].
    pub fn verify_pem(text: &str, provider: &dyn Provider) -> Result<Self, CryptoError> {
        let label = if text.contains("BEGIN NEW CERTIFICATE REQUEST") {
            "NEW CERTIFICATE REQUEST"
        } else {
            "CERTIFICATE REQUEST"
        };
        Self::verify_der(&pem::decode(text, label, MAX_CERTIFICATE)?, provider)
    }

    /// As [`Request::verify`], for DER.
    /// # Errors
    /// As [`Request::verify`].
    pub fn verify_der(bytes: &[u8], provider: &dyn Provider) -> Result<Self, CryptoError> {
        if bytes.len() > MAX_CERTIFICATE {
            return Err(CryptoError::TooLong { what: "request" });
        }
        let signed = Signed::parse(bytes)?;
        let mut info = Reader::new(signed.tbs.content);
        if info.small_integer()? != 0 {
            return Err(malformed("request version"));
        }
        let subject = info.expect(tag::SEQUENCE)?.whole;
        name::check(subject)?;
        let key = KeyInfo::parse(info.expect(tag::SEQUENCE)?.content)?;
        info.optional(tag::explicit(0))?;
        info.end()?;
        let kind = key.kind.ok_or(CryptoError::Algorithm {
            what: "key of a request",
        })?;
        let algorithm = signature_algorithm(signed.algorithm)
            .map(|algorithm| match (algorithm, kind) {
                // Common tools sign the request of a P-384 key with SHA-256.
                (SignatureAlgorithm::EcdsaP256Sha256, KeyKind::P384) => {
                    SignatureAlgorithm::EcdsaP384Sha256
                }
                _ => algorithm,
            })
            .filter(|algorithm| key_of(*algorithm) == kind)
            .ok_or(CryptoError::Algorithm {
                what: "signature of a request",
            })?;
        provider.check_key(kind, key.bits)?;
        provider
            .verify(algorithm, key.bits, signed.tbs.whole, signed.signature)
            .map_err(|_| CryptoError::BadSignature { what: "request" })?;
        Ok(Self {
            public_key: PublicKey {
                kind,
                bits: key.bits.to_vec(),
            },
            common_names: name::strings(subject, oids::COMMON_NAME).ok(),
        })
    }

    /// The key that the request is for.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The one common name of the request.
    /// # Errors
    /// `crypto.registration_id` unless there is exactly one.
    pub fn common_name(&self) -> Result<&str, CryptoError> {
        match self.common_names.as_deref() {
            Some([one]) => Ok(one),
            _ => Err(CryptoError::RegistrationId {
                what: "exactly one common name is needed",
            }),
        }
    }

    /// The one common name, which must be a registration id.
    /// # Errors
    /// `crypto.registration_id`.
    pub fn registration_id(&self) -> Result<RegistrationId, CryptoError> {
        self.common_name()?.parse()
    }
}

/// Makes a request for `name` with the key of `signer`. Returns DER; [`request_pem`] gives PEM.
/// # Errors
/// `crypto.registration_id` when the name is empty or longer than 64 characters; `crypto.signer`.
pub fn build_request(name: &str, signer: &dyn Signer) -> Result<Vec<u8>, CryptoError> {
    let key = signer.public_key();
    let info = der::sequence(&[
        &der::integer(&[0]),
        &common_name(name)?,
        &key.to_der(),
        &der::element(tag::explicit(0), &[]),
    ]);
    let signature = signer.sign(&info)?;
    let algorithm = algorithm_identifier(signer.algorithm().in_certificates());
    Ok(der::sequence(&[&info, algorithm, &der::bits(&signature)]))
}

/// A request as one PEM block.
#[must_use]
pub fn request_pem(der: &[u8]) -> String {
    pem::encode(der, "CERTIFICATE REQUEST")
}
