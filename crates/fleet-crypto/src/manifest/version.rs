//! Versions of updates.
use crate::CryptoError;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A version: 2 to 4 numbers from 0 to 2147483647, joined by dots. Missing numbers count as zero in
/// comparisons, so `1.4` and `1.4.0` are the same version.
///
/// ```
/// use fleet_crypto::manifest::UpdateVersion;
/// let version = |text: &str| text.parse::<UpdateVersion>();
/// assert!(version("1.10.0")? > version("1.9.9")?);
/// assert!(version("1.4")? == version("1.4.0.0")?);
/// assert!(version("1.04").is_err());
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct UpdateVersion {
    text: String,
    numbers: [u32; 4],
}

impl UpdateVersion {
    /// The version as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl FromStr for UpdateVersion {
    type Err = CryptoError;

    fn from_str(text: &str) -> Result<Self, CryptoError> {
        const BAD: CryptoError = CryptoError::Malformed {
            what: "version of an update",
        };
        let mut numbers = [0; 4];
        let mut places = numbers.iter_mut();
        let mut count = 0;
        for part in text.split('.') {
            let plain = (1..=10).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && (part == "0" || !part.starts_with('0'));
            let number: u32 = part.parse().ok().filter(|_| plain).ok_or(BAD)?;
            if number > 2_147_483_647 {
                return Err(BAD);
            }
            *places.next().ok_or(BAD)? = number;
            count += 1;
        }
        if count < 2 {
            return Err(BAD);
        }
        Ok(Self {
            text: text.to_owned(),
            numbers,
        })
    }
}

impl TryFrom<String> for UpdateVersion {
    type Error = CryptoError;

    fn try_from(text: String) -> Result<Self, CryptoError> {
        text.parse()
    }
}

impl From<UpdateVersion> for String {
    fn from(version: UpdateVersion) -> Self {
        version.text
    }
}

impl PartialEq for UpdateVersion {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl Eq for UpdateVersion {}

impl PartialOrd for UpdateVersion {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for UpdateVersion {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl fmt::Display for UpdateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
