//! ETags of IoT Hub: base64 text of a counter.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::fmt;

/// An ETag: base64 of an eight-byte big-endian counter, `AAAAAAAAAAE=` is 1. Spec: Azure 2.1.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Etag(u64);

impl Etag {
    /// That of a new document.
    pub const FIRST: Self = Self(1);

    /// The ETag of a counter.
    #[must_use]
    pub const fn of(counter: u64) -> Self {
        Self(counter)
    }

    /// The counter.
    #[must_use]
    pub const fn counter(self) -> u64 {
        self.0
    }

    /// That after one more write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.to_be_bytes()))
    }
}

/// The value of an `If-Match` header.
///
/// Any text can be read: `*`, or an ETag with or without quotes or the weak mark `W/`.
///
/// ```
/// use fleet_model::twin::hub::IfMatch;
/// let header: IfMatch = "\"AAAAAAAAAAE=\"".parse()?;
/// assert!(header.holds("AAAAAAAAAAE="));
/// assert!("*".parse::<IfMatch>()?.holds("AAAAAAAAAAE="));
/// assert!(!"AAAAAAAAAAI=".parse::<IfMatch>()?.holds("AAAAAAAAAAE="));
/// # Ok::<(), std::convert::Infallible>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IfMatch {
    /// `*`: whatever the ETag is.
    Any,
    /// The ETag must be this one.
    Is(String),
}

impl IfMatch {
    /// Whether `etag` is what the header asks for.
    #[must_use]
    pub fn holds(&self, etag: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(text) => text == etag,
        }
    }

    /// The header as text, without quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Is(text) => text,
        }
    }
}

impl std::str::FromStr for IfMatch {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let text = text.trim();
        let text = text.strip_prefix("W/").unwrap_or(text);
        let text = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
            .unwrap_or(text);
        Ok(match text {
            "*" => Self::Any,
            _ => Self::Is(text.to_owned()),
        })
    }
}
