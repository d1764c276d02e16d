//! Time-limited download addresses.
//!
//! | form | made by | checked by |
//! | --- | --- | --- |
//! | Amazon S3, Signature Version 4 in the query | [`S3Presigner`] | the storage service |
//! | Azure blob, service SAS | [`BlobPresigner`] | the storage service |
//! | neutral, an HMAC of this project | [`NeutralSigner`] | [`NeutralVerifier`] |
//!
//! Job documents hold placeholders, which [`resolve_placeholders`] replaces when a document is handed
//! to a device. A signed address is a secret: it is a [`SignedUrl`], which prints host and path only.
//!
//! Spec: cryptography, section 6.
mod blob;
mod neutral;
mod placeholder;
mod s3;

pub use blob::{BlobPresigner, BlobUrl};
pub use neutral::{NeutralSigner, NeutralVerifier, VerifiedUrl};
pub use placeholder::{DEFAULT_LIFE, PLACEHOLDER, Resolved, UrlSigner, resolve_placeholders};
pub(crate) use s3::timestamp as s3_timestamp;
pub use s3::{S3Credentials, S3Presigner, S3Request, S3Steps};

use crate::secret::SecretText;
use std::fmt;

/// A signed address. Whoever has it may download, so it is never logged; host and path are.
///
/// Spec: cryptography, section 6.
pub struct SignedUrl(SecretText);

impl SignedUrl {
    /// Takes a signed address over, `https://host/path?query`.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self(SecretText::new(url))
    }

    /// The whole address, for the device.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// The part that may be logged: everything before the query.
    #[must_use]
    pub fn host_and_path(&self) -> &str {
        let url = self.expose_secret();
        url.split_once('?').map_or(url, |(public, _)| public)
    }
}

impl fmt::Debug for SignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SignedUrl({} [redacted])", self.host_and_path())
    }
}

/// Whether a host is a host name, perhaps with a port.
fn is_host(host: &str) -> bool {
    let (name, port) = host
        .split_once(':')
        .map_or((host, None), |(n, p)| (n, Some(p)));
    let port_fits = port.is_none_or(|port| {
        (1..=5).contains(&port.len()) && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    (1..=253).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
        && port_fits
}
