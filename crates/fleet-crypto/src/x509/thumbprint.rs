//! Thumbprints as people paste them.
use super::Certificate;
use crate::CryptoError;
use crate::encoding::{from_hex, hex_upper};
use crate::error::malformed;
use crate::provider::Provider;
use std::fmt;
use std::str::FromStr;

/// A thumbprint of a certificate's DER.
///
/// Read in either case, with or without colons; printed in upper case.
///
/// ```
/// use fleet_crypto::x509::Thumbprint;
/// let text = "a3:21:bb:7d:a8:31:93:e2:18:5b:7d:13:1a:79:b1:2a:33:9e:b5:b2";
/// let thumbprint: Thumbprint = text.parse()?;
/// assert_eq!(thumbprint.to_string(), "A321BB7DA83193E2185B7D131A79B12A339EB5B2");
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
/// Spec: cryptography, section 4.4.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Thumbprint {
    /// For display, and as an enrolment key only beside a stored certificate.
    Sha1([u8; 20]),
    /// The thumbprint that identifies a certificate.
    Sha256([u8; 32]),
}

impl Thumbprint {
    /// Whether this is the thumbprint of `certificate`.
    #[must_use]
    pub fn is_of(&self, certificate: &Certificate, provider: &dyn Provider) -> bool {
        match self {
            Self::Sha1(hash) => *hash == provider.sha1(certificate.der()),
            Self::Sha256(hash) => *hash == provider.sha256(&[certificate.der()]),
        }
    }
}

impl FromStr for Thumbprint {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        const BAD: CryptoError = malformed("thumbprint");
        if text.len() > 95 {
            return Err(BAD);
        }
        let paired = !text.contains(':') || text.split(':').all(|pair| pair.len() == 2);
        let bytes = from_hex(&text.replace(':', ""))
            .filter(|_| paired)
            .ok_or(BAD)?;
        match bytes.len() {
            20 => bytes.try_into().map(Self::Sha1).map_err(|_| BAD),
            32 => bytes.try_into().map(Self::Sha256).map_err(|_| BAD),
            _ => Err(BAD),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1(hash) => f.write_str(&hex_upper(hash)),
            Self::Sha256(hash) => f.write_str(&hex_upper(hash)),
        }
    }
}
