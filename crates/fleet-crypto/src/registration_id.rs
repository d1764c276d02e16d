//! The name under which a device registers.
use crate::CryptoError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A registration id: 1 to 128 of `A-Z a-z 0-9 - . _ :`, the last one a letter, a digit or `-`.
///
/// The spelling is kept, because it goes into key derivation byte for byte; two ids that differ
/// only in case are the same id for look-up, see [`RegistrationId::lookup_key`].
///
/// ```
/// use fleet_crypto::RegistrationId;
/// let id: RegistrationId = "SN-007.a:b".parse().unwrap();
/// assert_eq!(id.as_str(), "SN-007.a:b");
/// assert_eq!(id.lookup_key(), "sn-007.a:b");
/// assert!("dev.".parse::<RegistrationId>().is_err());
/// ```
/// Spec: cryptography, rule 9.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct RegistrationId(String);

impl RegistrationId {
    /// The id as the device wrote it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id in lower case, under which an enrolment is found.
    #[must_use]
    pub fn lookup_key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Whether both are the same id for look-up.
    #[must_use]
    pub fn same_device(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    fn check(text: &str) -> Result<(), CryptoError> {
        let refuse = |what| Err(CryptoError::RegistrationId { what });
        if text.is_empty() || text.len() > 128 {
            return refuse("length");
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b))
        {
            return refuse("character");
        }
        match text.bytes().last() {
            Some(b'.' | b'_' | b':') | None => refuse("last character"),
            Some(_) => Ok(()),
        }
    }
}

impl FromStr for RegistrationId {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        Self::check(text)?;
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for RegistrationId {
    type Error = CryptoError;

    fn try_from(text: String) -> Result<Self, CryptoError> {
        Self::check(&text)?;
        Ok(Self(text))
    }
}

impl From<RegistrationId> for String {
    fn from(id: RegistrationId) -> Self {
        id.0
    }
}

impl fmt::Display for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
