//! What an event may hold instead of a secret.
use super::SecretBytes;
use crate::CryptoError;
use crate::SecureRandom;
use crate::encoding::{from_hex, hex};
use crate::provider::Provider;
use crate::random::random_array;
use crate::symmetric::Slot;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// The first 8 bytes of `HMAC-SHA256(pepper, key)`: tells keys apart without saying anything of them.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = CryptoError;

    fn try_from(text: String) -> Result<Self, CryptoError> {
        from_hex(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(CryptoError::Malformed {
                what: "fingerprint",
            })
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        hex(&fingerprint.0)
    }
}

/// The deployment's secret that fingerprints are made with.
#[derive(Debug)]
pub struct Pepper(SecretBytes);

impl Pepper {
    /// Takes the pepper over.
    /// # Errors
    /// `crypto.key_length` below 16 bytes.
    pub fn new(bytes: Vec<u8>) -> Result<Self, CryptoError> {
        let bytes = SecretBytes::new(bytes);
        if bytes.expose_secret().len() < 16 {
            return Err(CryptoError::KeyLength { what: "pepper" });
        }
        Ok(Self(bytes))
    }

    /// The fingerprint of a key.
    #[must_use]
    pub fn fingerprint(&self, key: &[u8], provider: &dyn Provider) -> Fingerprint {
        let mac = provider.mac_key(self.0.expose_secret()).mac(&[key]);
        let mut out = [0; 8];
        for (to, from) in out.iter_mut().zip(mac) {
            *to = from;
        }
        Fingerprint(out)
    }
}

/// A reference to a secret in a secret store: everything that an event says about a key.
///
/// ```
/// use fleet_crypto::{RustCrypto, secret::{Pepper, SecretHandle}, symmetric::Slot};
/// let pepper = Pepper::new(b"a deployment-wide secret".to_vec())?;
/// let handle = SecretHandle {
///     store: "vault".to_owned(),
///     key_id: "group-7".to_owned(),
///     version: 3,
///     slot: Slot::Primary,
///     fingerprint: pepper.fingerprint(b"the key itself", &RustCrypto),
/// };
/// let text = serde_json::to_string(&handle).unwrap();
/// assert!(text.starts_with(r#"{"store":"vault","keyId":"group-7","version":3,"slot":"primary","fingerprint":""#));
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecretHandle {
    /// The store that holds the secret.
    pub store: String,
    /// The secret's id there.
    pub key_id: String,
    /// Its version.
    pub version: u32,
    /// The slot that it fills.
    pub slot: Slot,
    /// Which key it is.
    pub fingerprint: Fingerprint,
}

/// `SHA-256(salt || value)` with its salt: for values that must be recognised but not kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SaltedDigest {
    salt: [u8; 16],
    digest: [u8; 32],
}

impl SaltedDigest {
    /// The digest of a value, with a new salt.
    /// # Errors
    /// `crypto.random`.
    pub fn new(
        value: &[u8],
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Self, CryptoError> {
        let salt = *random_array::<16>(random)?;
        Ok(Self {
            salt,
            digest: provider.sha256(&[&salt, value]),
        })
    }

    /// Whether this is the digest of `value`, in constant time.
    #[must_use]
    pub fn is_of(&self, value: &[u8], provider: &dyn Provider) -> bool {
        provider
            .sha256(&[&self.salt, value])
            .ct_eq(&self.digest)
            .into()
    }

    /// Salt and digest in hexadecimal, joined by a colon.
    #[must_use]
    pub fn to_text(&self) -> String {
        format!("{}:{}", hex(&self.salt), hex(&self.digest))
    }

    /// Reads [`SaltedDigest::to_text`] back.
    /// # Errors
    /// `crypto.malformed`.
    pub fn from_text(text: &str) -> Result<Self, CryptoError> {
        const BAD: CryptoError = CryptoError::Malformed {
            what: "salted digest",
        };
        let (salt, digest) = text.split_once(':').ok_or(BAD)?;
        let salt = from_hex(salt)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(BAD)?;
        let digest = from_hex(digest)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(BAD)?;
        Ok(Self { salt, digest })
    }
}
