//! Addresses of this project's own form, for download servers that hold a key of the fleet.
use super::{SignedUrl, is_host};
use crate::encoding::{base64url, from_base64url, from_percent, percent};
use crate::error::malformed;
use crate::provider::MacKey;
use crate::{CryptoError, UnixSeconds};
use std::collections::BTreeMap;
use subtle::ConstantTimeEq as _;

const VERSION: &str = "fleet-url-v1";

/// Signs downloads with one key.
#[derive(Clone, Copy, Debug)]
pub struct NeutralSigner<'a> {
    /// The id under which verifiers know the key.
    pub key_id: &'a str,
    /// The key.
    pub key: &'a MacKey,
}

fn text(parts: [&str; 6]) -> Result<String, CryptoError> {
    if parts
        .iter()
        .any(|part| part.is_empty() || part.contains(['\n', '\r']))
    {
        return Err(malformed("value of a signed address"));
    }
    let [host, path, expiry, key_id, device, method] = parts;
    let host = host.to_ascii_lowercase();
    Ok([VERSION, method, &host, path, expiry, key_id, device].join("\n"))
}

/// Whether a path can stand in an address as it is.
fn is_raw_path(path: &str) -> bool {
    path.starts_with('/')
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"?#".contains(&byte))
}

impl NeutralSigner<'_> {
    /// The signed address of `path` on `host` for one device, good until `expiry`.
    ///
    /// `path`: as it stands in the address, already escaped, beginning with `/`.
    /// # Errors
    /// `crypto.malformed` for a host, path or value that cannot stand in an address.
    ///
    /// ```
    /// use fleet_crypto::{RustCrypto, UnixSeconds, presign::NeutralSigner, provider::Provider};
    /// let key = RustCrypto.mac_key(&(0x40..0x60).collect::<Vec<u8>>());
    /// let signer = NeutralSigner { key_id: "url-2026-05", key: &key };
    /// let url = signer.presign("fw.example.com", "/fw/app%20v1.bin", "dev-0001", UnixSeconds(1_780_003_600))?;
    /// assert_eq!(url.expose_secret(), "https://fw.example.com/fw/app%20v1.bin?fx-exp=1780003600\
    ///     &fx-kid=url-2026-05&fx-sub=dev-0001&fx-sig=X-znFhzAvcERm_KmS6Y2w6bYs3yzA9VJBPuyL4fpAS4");
    /// # Ok::<(), fleet_crypto::CryptoError>(())
    /// ```
    /// Spec: cryptography, section 6.3.
    pub fn presign(
        &self,
        host: &str,
        path: &str,
        device: &str,
        expiry: UnixSeconds,
    ) -> Result<SignedUrl, CryptoError> {
        if !is_host(host) || !is_raw_path(path) || !(0..=999_999_999_999).contains(&expiry.0) {
            return Err(malformed("host, path or expiry of a signed address"));
        }
        let expiry = expiry.to_string();
        let signed = text([host, path, &expiry, self.key_id, device, "GET"])?;
        let signature = base64url(&self.key.mac(&[signed.as_bytes()]));
        Ok(SignedUrl::new(format!(
            "https://{host}{path}?fx-exp={expiry}&fx-kid={}&fx-sub={}&fx-sig={signature}",
            percent(self.key_id),
            percent(device)
        )))
    }
}

/// Verifies addresses, with every key that is still good.
#[derive(Debug, Default)]
pub struct NeutralVerifier {
    keys: BTreeMap<String, MacKey>,
}

/// What a verified address says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedUrl {
    /// The device that it was made for.
    pub device: String,
    /// The key that it was made with.
    pub key_id: String,
    /// When it ends.
    pub expiry: UnixSeconds,
}

impl NeutralVerifier {
    /// A verifier without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key, replacing one of the same id.
    #[must_use]
    pub fn with_key(mut self, id: &str, key: MacKey) -> Self {
        self.keys.insert(id.to_owned(), key);
        self
    }

    /// Judges a request: `target` is path and query as they stood in the request line.
    ///
    /// Order: the form (all four parameters once, no other), the key id, the MAC, the time without
    /// skew.
    /// # Errors
    /// `crypto.malformed`, `crypto.unknown_key`, `crypto.signature`, `crypto.expired`.
    pub fn verify(
        &self,
        method: &str,
        host: &str,
        target: &str,
        now: UnixSeconds,
    ) -> Result<VerifiedUrl, CryptoError> {
        const BAD: CryptoError = malformed("signed address");
        let (path, query) = target.split_once('?').ok_or(BAD)?;
        if target.len() > 8_192 || !is_host(host) || !is_raw_path(path) {
            return Err(BAD);
        }
        let mut found: [Option<String>; 4] = Default::default();
        for field in query.split('&') {
            let (name, value) = field.split_once('=').ok_or(BAD)?;
            let [exp, kid, sub, sig] = &mut found;
            let place = match name {
                "fx-exp" => exp,
                "fx-kid" => kid,
                "fx-sub" => sub,
                "fx-sig" => sig,
                _ => return Err(BAD),
            };
            let value = from_percent(value)
                .filter(|value| !value.is_empty())
                .ok_or(BAD)?;
            if place.replace(value).is_some() {
                return Err(BAD);
            }
        }
        let [Some(exp), Some(key_id), Some(device), Some(signature)] = found else {
            return Err(BAD);
        };
        let plain = (1..=12).contains(&exp.len())
            && exp.bytes().all(|byte| byte.is_ascii_digit())
            && (exp == "0" || !exp.starts_with('0'));
        let expiry = exp
            .parse()
            .ok()
            .filter(|_| plain)
            .map(UnixSeconds)
            .ok_or(BAD)?;
        let signature: [u8; 32] = from_base64url(&signature)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(BAD)?;
        let signed = text([host, path, &exp, &key_id, &device, method])?;
        let key = self.keys.get(&key_id).ok_or(CryptoError::UnknownKey {
            what: "address key",
        })?;
        if !bool::from(key.mac(&[signed.as_bytes()]).ct_eq(&signature)) {
            return Err(CryptoError::Signature {
                what: "signed address",
            });
        }
        if now >= expiry {
            return Err(CryptoError::Expired {
                what: "signed address",
            });
        }
        Ok(VerifiedUrl {
            device,
            key_id,
            expiry,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RustCrypto;
    use crate::provider::Provider as _;
    use proptest::prelude::*;

    fn key() -> MacKey {
        RustCrypto.mac_key(&(0x40..0x60).collect::<Vec<u8>>())
    }

    fn target() -> String {
        let key = key();
        let signer = NeutralSigner {
            key_id: "k 1",
            key: &key,
        };
        let url = signer
            .presign("FW.example.com", "/a%20b", "dev-1", UnixSeconds(100))
            .unwrap();
        url.expose_secret()
            .strip_prefix("https://FW.example.com")
            .unwrap()
            .to_owned()
    }

    fn verify(method: &str, host: &str, target: &str, now: i64) -> &'static str {
        let verifier = NeutralVerifier::new().with_key("k 1", key());
        match verifier.verify(method, host, target, UnixSeconds(now)) {
            Ok(_) => "ok",
            Err(error) => error.name(),
        }
    }

    #[test]
    fn each_refusal_has_its_name() {
        let good = target();
        for (method, host, target, now, expected) in [
            ("GET", "fw.example.com", good.clone(), 99, "ok"),
            ("GET", "fw.example.com", good.clone(), 100, "Expired"),
            ("PUT", "fw.example.com", good.clone(), 99, "Signature"),
            ("GET", "fx.example.com", good.clone(), 99, "Signature"),
            (
                "GET",
                "fw.example.com",
                good.replace("dev-1", "dev-2"),
                99,
                "Signature",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("/a%20b", "/a"),
                99,
                "Signature",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("fx-exp=100", "fx-exp=200"),
                99,
                "Signature",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("k%201", "k2"),
                99,
                "UnknownKey",
            ),
            (
                "GET",
                "fw.example.com",
                format!("{good}&x=1"),
                99,
                "Malformed",
            ),
            (
                "GET",
                "fw.example.com",
                format!("{good}&fx-exp=100"),
                99,
                "Malformed",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("&fx-sub=dev-1", ""),
                99,
                "Malformed",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("dev-1", "d%0Ad"),
                99,
                "Malformed",
            ),
            (
                "GET",
                "fw.example.com",
                good.replace("=100", "=0100"),
                99,
                "Malformed",
            ),
        ] {
            assert_eq!(verify(method, host, &target, now), expected, "{target}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_targets_never_panic(target in "/[a-z?&=%.-]{0,60}") {
            let _ = verify("GET", "h", &target, 0);
            let _ = verify("GET", "h", &format!("/p?fx-exp=1&{target}"), 0);
        }

        #[test]
        fn any_change_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..7) {
            let good = target();
            let mut bytes = good.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let changed = String::from_utf8(bytes).unwrap();
            // `%20` may also be written `%2` and another digit that means something else, never the same.
            prop_assert_ne!(verify("GET", "fw.example.com", &changed, 99), "ok");
        }
    }
}
