//! JSON web signatures of exactly two algorithms.
use crate::CryptoError;
use crate::encoding::{base64url, from_base64url};
use crate::error::malformed;
use crate::provider::{KeyKind, Provider, SignatureAlgorithm};
use crate::signer::{Signer, SigningAlgorithm};
use crate::x509::PublicKey;
use serde::Deserialize;
use std::borrow::Cow;

/// Longest JWS, in bytes, and longest payload.
const MAX_JWS: usize = 1024 * 1024;

/// The protected header. Any other member refuses the whole; serde refuses repeated members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    typ: Option<String>,
}

/// A JWS taken apart. Nothing about it is trusted yet, so its payload cannot be read.
#[derive(Debug)]
pub struct Jws<'a> {
    header_part: &'a str,
    payload: Cow<'a, [u8]>,
    signature: Vec<u8>,
    header: Header,
}

impl<'a> Jws<'a> {
    /// Takes a JWS apart. `detached` is the payload when its part is empty.
    /// # Errors
    /// `crypto.malformed`; `crypto.too_long` above 1 MiB.
    pub fn parse(text: &'a str, detached: Option<&'a [u8]>) -> Result<Self, CryptoError> {
        const BAD: CryptoError = malformed("signed document");
        if text.len() > MAX_JWS || detached.is_some_and(|payload| payload.len() > MAX_JWS) {
            return Err(CryptoError::TooLong {
                what: "signed document",
            });
        }
        let mut parts = text.split('.');
        let (Some(header_part), Some(middle), Some(last), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BAD);
        };
        let payload = match (middle, detached) {
            ("", Some(payload)) => Cow::Borrowed(payload),
            ("", None) => return Err(malformed("payload of a detached signature is missing")),
            (middle, beside) => {
                let payload = from_base64url(middle).ok_or(BAD)?;
                // Both given: they must be the same, or nobody knows what was signed.
                if beside.is_some_and(|beside| beside != payload) {
                    return Err(CryptoError::Signature {
                        what: "two different payloads",
                    });
                }
                Cow::Owned(payload)
            }
        };
        let header = from_base64url(header_part).ok_or(BAD)?;
        let header = from_json_object(&header).ok_or(malformed("signature header"))?;
        let signature = from_base64url(last).ok_or(BAD)?;
        Ok(Self {
            header_part,
            payload,
            signature,
            header,
        })
    }

    /// The key id that the header names.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub(super) fn kind(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// Finds the key and verifies: algorithm known, key known, the two agree, signature. Returns the
    /// payload, which is read only now.
    pub(super) fn verify<'k>(
        &self,
        find: impl Fn(&str) -> Option<&'k PublicKey>,
        provider: &dyn Provider,
    ) -> Result<&[u8], CryptoError> {
        let algorithm = match self.header.alg.as_str() {
            "EdDSA" => SignatureAlgorithm::Ed25519,
            "ES256" => SignatureAlgorithm::EcdsaP256Sha256Fixed,
            _ => {
                return Err(CryptoError::Algorithm {
                    what: "signature algorithm",
                });
            }
        };
        let key = self
            .header
            .kid
            .as_deref()
            .and_then(find)
            .ok_or(CryptoError::UnknownKey {
                what: "signing key",
            })?;
        let agrees = match algorithm {
            SignatureAlgorithm::Ed25519 => key.kind() == KeyKind::Ed25519,
            _ => key.kind() == KeyKind::P256,
        };
        if !agrees {
            return Err(CryptoError::Algorithm {
                what: "the key is for another algorithm",
            });
        }
        if self.signature.len() != 64 {
            return Err(malformed("signature length"));
        }
        let message = format!("{}.{}", self.header_part, base64url(&self.payload));
        provider
            .verify(algorithm, key.bits(), message.as_bytes(), &self.signature)
            .map_err(|_| CryptoError::Signature {
                what: "signed document",
            })?;
        Ok(&self.payload)
    }
}

/// Reads a JSON object. An array is refused: serde would take its items for the members in order.
pub(super) fn from_json_object<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    bytes
        .trim_ascii_start()
        .starts_with(b"{")
        .then(|| serde_json::from_slice(bytes).ok())
        .flatten()
}

/// Signs `payload` in compact form. `kind` becomes `typ`.
/// # Errors
/// `crypto.malformed` for a key id that cannot stand in JSON; `crypto.signer`.
pub fn sign_compact(
    payload: &[u8],
    key_id: &str,
    kind: Option<&str>,
    signer: &dyn Signer,
) -> Result<String, CryptoError> {
    let algorithm = match signer.algorithm() {
        SigningAlgorithm::EcdsaP256Sha256 => "ES256",
        SigningAlgorithm::Ed25519 => "EdDSA",
    };
    let quote = |text: &str| serde_json::Value::from(text).to_string();
    let kind = kind.map_or_else(String::new, |kind| format!(",\"typ\":{}", quote(kind)));
    let header = format!(
        "{{\"alg\":\"{algorithm}\",\"kid\":{}{kind}}}",
        quote(key_id)
    );
    let message = format!("{}.{}", base64url(header.as_bytes()), base64url(payload));
    let signature = signer.sign(message.as_bytes())?;
    let signature = match signer.algorithm() {
        SigningAlgorithm::Ed25519 => signature,
        SigningAlgorithm::EcdsaP256Sha256 => p256::ecdsa::Signature::from_der(&signature)
            .map_err(|_| CryptoError::Signer {
                what: "form of the signature",
            })?
            .to_bytes()
            .to_vec(),
    };
    Ok(format!("{message}.{}", base64url(&signature)))
}

/// Signs `payload` in detached form: the middle part is empty.
/// # Errors
/// As [`sign_compact`].
pub fn sign_detached(
    payload: &[u8],
    key_id: &str,
    kind: Option<&str>,
    signer: &dyn Signer,
) -> Result<String, CryptoError> {
    let compact = sign_compact(payload, key_id, kind, signer)?;
    let mut parts = compact.split('.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(header), Some(_), Some(signature)) => Ok(format!("{header}..{signature}")),
        _ => Err(malformed("signed document")),
    }
}
