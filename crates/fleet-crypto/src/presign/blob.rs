//! Azure blobs: a service SAS for one blob, read only.
use super::SignedUrl;
use crate::CryptoError;
use crate::encoding::{base64, from_base64, percent, percent_keeping};
use crate::error::malformed;
use crate::provider::Provider;
use crate::secret::{SecretBytes, SecretText};
use crate::time::{Civil, CivilForm};

/// Signs downloads of one storage account.
#[derive(Debug)]
pub struct BlobPresigner<'a> {
    account: String,
    key: SecretBytes,
    provider: &'a dyn Provider,
}

/// One download.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BlobUrl<'a> {
    /// The container.
    pub container: &'a str,
    /// The blob's name as it is, not escaped.
    pub blob: &'a str,
    /// Not good before, `2026-02-25T07:15:35Z`.
    pub start: Option<&'a str>,
    /// Not good after, in the same form.
    pub expiry: &'a str,
    /// One address or a range `a-b` that may download.
    pub ip: Option<&'a str>,
    /// The version of the service, for example `2026-10-06`.
    pub version: &'a str,
}

impl<'a> BlobPresigner<'a> {
    /// An account and its key in base64.
    /// # Errors
    /// `crypto.key_encoding`; `crypto.malformed` for an account name that is not 3 to 24 lower-case
    /// letters and digits.
    pub fn new(account: &str, key: &str, provider: &'a dyn Provider) -> Result<Self, CryptoError> {
        let right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !(3..=24).contains(&account.len()) || !account.bytes().all(right) {
            return Err(malformed("storage account"));
        }
        let key = from_base64(key).ok_or(CryptoError::KeyEncoding {
            what: "account key",
        })?;
        Ok(Self {
            account: account.to_owned(),
            key: SecretBytes::new(key),
            provider,
        })
    }

    /// The sixteen values that are signed, joined by line feeds.
    /// # Errors
    /// `crypto.malformed` for a value with a line feed or a time of another form.
    pub fn string_to_sign(&self, url: &BlobUrl<'_>) -> Result<String, CryptoError> {
        let instant = |text: &str| Civil::parse(text.as_bytes(), CivilForm::Extended).is_some();
        if !url.start.is_none_or(instant) || !instant(url.expiry) {
            return Err(malformed("time of a signed address"));
        }
        let free = [url.container, url.blob, url.version, url.ip.unwrap_or("-")];
        if free
            .iter()
            .any(|text| text.is_empty() || text.contains(['\n', '\r']))
        {
            return Err(malformed("value of a signed address"));
        }
        let resource = format!("/blob/{}/{}/{}", self.account, url.container, url.blob);
        let values = [
            "r",
            url.start.unwrap_or_default(),
            url.expiry,
            &resource,
            "",
            url.ip.unwrap_or_default(),
            "https",
            url.version,
            "b",
            "",
            "",
            "",
            "",
            "",
            "",
            "",
        ];
        Ok(values.join("\n"))
    }

    /// The signature, base64.
    /// # Errors
    /// As [`BlobPresigner::string_to_sign`].
    pub fn signature(&self, url: &BlobUrl<'_>) -> Result<SecretText, CryptoError> {
        let text = self.string_to_sign(url)?;
        let mac = self
            .provider
            .mac_key(self.key.expose_secret())
            .mac(&[text.as_bytes()]);
        Ok(SecretText::new(base64(&mac)))
    }

    /// The query of the signed address, without the question mark. It is a secret.
    /// # Errors
    /// As [`BlobPresigner::string_to_sign`].
    pub fn query(&self, url: &BlobUrl<'_>) -> Result<SecretText, CryptoError> {
        let signature = self.signature(url)?;
        let fields = [
            ("st", url.start),
            ("se", Some(url.expiry)),
            ("sp", Some("r")),
            ("sip", url.ip),
            ("spr", Some("https")),
            ("sv", Some(url.version)),
            ("sr", Some("b")),
            ("sig", Some(signature.expose_secret())),
        ];
        let fields: Vec<_> = fields
            .iter()
            .filter_map(|(name, value)| {
                value.map(|value| format!("{name}={}", percent_keeping(value, b"/")))
            })
            .collect();
        Ok(SecretText::new(fields.join("&")))
    }

    /// The signed address.
    /// # Errors
    /// As [`BlobPresigner::string_to_sign`].
    ///
    /// Spec: cryptography, section 6.2.
    pub fn presign(&self, url: &BlobUrl<'_>) -> Result<SignedUrl, CryptoError> {
        let query = self.query(url)?;
        Ok(SignedUrl::new(format!(
            "https://{}.blob.core.windows.net/{}/{}?{}",
            self.account,
            percent(url.container),
            percent_keeping(url.blob, b"/"),
            query.expose_secret()
        )))
    }
}
