//! The token: made, and read without judging.
use crate::encoding::{base64, from_base64, from_percent, percent};
use crate::error::malformed;
use crate::provider::MacKey;
use crate::secret::SecretText;
use crate::{CryptoError, UnixSeconds};

/// The scheme in front of every token, with its one space.
const SCHEME: &str = "SharedAccessSignature ";

/// Makes a token for `resource` that ends at `expiry` (0 to 999,999,999,999 seconds).
///
/// `key_name` becomes `skn`; it is not covered by the signature.
///
/// ```
/// use fleet_crypto::{RustCrypto, UnixSeconds, sas, symmetric::SymmetricKey};
/// let key = SymmetricKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
/// let token = sas::create(
///     &key.prepare(&RustCrypto),
///     "myhub.azure-devices.net/devices/device1",
///     UnixSeconds(1_700_000_000),
///     None,
/// )?;
/// assert_eq!(
///     token.expose_secret(),
///     "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1\
///      &sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000"
/// );
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
/// # Errors
/// `crypto.malformed` for an empty resource or key name, or an expiry out of range.
pub fn create(
    key: &MacKey,
    resource: &str,
    expiry: UnixSeconds,
    key_name: Option<&str>,
) -> Result<SecretText, CryptoError> {
    if resource.is_empty() {
        return Err(malformed("resource is empty"));
    }
    if !(0..=999_999_999_999).contains(&expiry.0) {
        return Err(malformed("expiry range"));
    }
    let sr = percent(resource);
    let se = expiry.to_string();
    let sig = percent(&base64(&key.mac(&[sr.as_bytes(), b"\n", se.as_bytes()])));
    let skn = match key_name {
        Some("") => return Err(malformed("key name is empty")),
        Some(name) => format!("&skn={}", percent(name)),
        None => String::new(),
    };
    Ok(SecretText::new(format!(
        "{SCHEME}sr={sr}&sig={sig}&se={se}{skn}"
    )))
}

/// A token taken apart. Nothing about it is trusted yet.
#[derive(Debug)]
pub struct Token {
    /// `sr` exactly as it was received: the MAC is over this text.
    pub(super) resource_raw: String,
    pub(super) resource: String,
    pub(super) signature: [u8; 32],
    pub(super) expiry_raw: String,
    pub(super) expiry: UnixSeconds,
    pub(super) key_name: Option<String>,
}

impl Token {
    /// Reads a token.
    /// # Errors
    /// `crypto.malformed` for every deviation from the form.
    pub fn parse(text: &str) -> Result<Self, CryptoError> {
        let fields = text.strip_prefix(SCHEME).ok_or(malformed("token scheme"))?;
        if text.len() > 16_384 {
            return Err(malformed("token length"));
        }
        if fields.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(malformed("space or control character in token"));
        }
        let (mut sr, mut sig, mut se, mut skn) = (None, None, None, None);
        for field in fields.split('&') {
            let (name, value) = field.split_once('=').ok_or(malformed("token field"))?;
            let place = match name {
                "sr" => &mut sr,
                "sig" => &mut sig,
                "se" => &mut se,
                "skn" => &mut skn,
                _ => return Err(malformed("unknown token field")),
            };
            if value.is_empty() || value.contains('=') {
                return Err(malformed("token field value"));
            }
            let decoded = from_percent(value).ok_or(malformed("percent escape in token"))?;
            if place.replace((value, decoded)).is_some() {
                return Err(malformed("token field given twice"));
            }
        }
        let (Some(sr), Some(sig), Some(se)) = (sr, sig, se) else {
            return Err(malformed("missing token field"));
        };
        let digits = se.0;
        let plain = (1..=12).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && (digits == "0" || !digits.starts_with('0'));
        let expiry = digits
            .parse()
            .ok()
            .filter(|_| plain)
            .ok_or(malformed("token expiry"))?;
        let signature = from_base64(&sig.1)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(malformed("token signature form"))?;
        Ok(Self {
            resource_raw: sr.0.to_owned(),
            resource: sr.1,
            signature,
            expiry_raw: digits.to_owned(),
            expiry: UnixSeconds(expiry),
            key_name: skn.map(|(_, decoded)| decoded),
        })
    }

    /// The resource that the token claims, decoded.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// `skn`, decoded. It may select which key to try; it never selects rights.
    #[must_use]
    pub fn key_name(&self) -> Option<&str> {
        self.key_name.as_deref()
    }

    /// The end of the token's life, as claimed.
    #[must_use]
    pub const fn expiry(&self) -> UnixSeconds {
        self.expiry
    }
}
