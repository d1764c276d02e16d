//! The judgement over a token.
use super::Token;
use crate::provider::MacKey;
use crate::symmetric::Slot;
use crate::{CryptoError, UnixSeconds};
use subtle::{ConditionallySelectable as _, ConstantTimeEq as _};

/// How the resource of a token must relate to the one that is asked for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum ResourceMatch {
    /// Equal: the first segment without regard to case, the rest exactly.
    #[default]
    Exact,
    /// Equal to it or to its first whole segments.
    Prefix,
}

/// What a verified token says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verified {
    /// The slot whose key made the token.
    pub matched: Slot,
    /// The end of the token's life, without the skew.
    pub expiry: UnixSeconds,
}

/// A policy for tokens. The default: exact resource, 300 seconds of skew, any life.
///
/// ```
/// use fleet_crypto::{RustCrypto, UnixSeconds, sas, symmetric::{Slot, SymmetricKey}};
/// let key = SymmetricKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?.prepare(&RustCrypto);
/// let token = sas::create(&key, "hub/devices/a", UnixSeconds(2_000), None)?;
/// let verifier = sas::Verifier::default();
/// let seen = verifier.verify(token.expose_secret(), "HUB/devices/a", &key, None, UnixSeconds(2_299))?;
/// assert_eq!(seen.matched, Slot::Primary);
/// let late = verifier.verify(token.expose_secret(), "hub/devices/a", &key, None, UnixSeconds(2_300));
/// assert_eq!(late.unwrap_err().name(), "Expired");
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Verifier {
    /// Seconds that a token is taken after its expiry, 300 by default.
    pub skew: u32,
    /// The longest life from now on, in seconds; none by default.
    pub longest_life: Option<u32>,
    /// How resources are compared.
    pub resource_match: ResourceMatch,
}

impl Default for Verifier {
    fn default() -> Self {
        Self {
            skew: 300,
            longest_life: None,
            resource_match: ResourceMatch::Exact,
        }
    }
}

impl Verifier {
    /// Reads and judges a token: form, resource, signature by either slot, time.
    ///
    /// Both slots are always computed and compared in constant time.
    /// # Errors
    /// In this order: `crypto.malformed`, `crypto.resource`, `crypto.signature`, `crypto.expired`,
    /// `crypto.too_long`.
    pub fn verify(
        &self,
        text: &str,
        resource: &str,
        primary: &MacKey,
        secondary: Option<&MacKey>,
        now: UnixSeconds,
    ) -> Result<Verified, CryptoError> {
        self.verify_token(&Token::parse(text)?, resource, primary, secondary, now)
    }

    /// As [`Verifier::verify`], for a token that was read already (to select a key by its name).
    /// # Errors
    /// As [`Verifier::verify`], without `crypto.malformed`.
    pub fn verify_token(
        &self,
        token: &Token,
        resource: &str,
        primary: &MacKey,
        secondary: Option<&MacKey>,
        now: UnixSeconds,
    ) -> Result<Verified, CryptoError> {
        if !self.covers(&token.resource, resource) {
            return Err(CryptoError::Resource {
                what: "token resource",
            });
        }
        let text = [
            token.resource_raw.as_bytes(),
            b"\n",
            token.expiry_raw.as_bytes(),
        ];
        let by_primary = primary.mac(&text).ct_eq(&token.signature);
        let by_secondary = secondary
            .unwrap_or(primary)
            .mac(&text)
            .ct_eq(&token.signature);
        let matched = u8::conditional_select(
            &u8::conditional_select(&0, &2, by_secondary),
            &1,
            by_primary,
        );
        let matched = match matched {
            1 => Slot::Primary,
            2 => Slot::Secondary,
            _ => {
                return Err(CryptoError::Signature {
                    what: "token signature",
                });
            }
        };
        if now >= token.expiry.plus(i64::from(self.skew)) {
            return Err(CryptoError::Expired { what: "token" });
        }
        if self
            .longest_life
            .is_some_and(|life| token.expiry.since(now) > i64::from(life))
        {
            return Err(CryptoError::TooLong { what: "token life" });
        }
        Ok(Verified {
            matched,
            expiry: token.expiry,
        })
    }

    /// Whether a token for `granted` is good for `wanted`.
    fn covers(&self, granted: &str, wanted: &str) -> bool {
        let mut wanted = wanted.split('/');
        for (index, segment) in granted.split('/').enumerate() {
            let same = match wanted.next() {
                Some(other) if index == 0 => segment.eq_ignore_ascii_case(other),
                Some(other) => segment == other,
                None => false,
            };
            if !same {
                return false;
            }
        }
        match self.resource_match {
            ResourceMatch::Exact => wanted.next().is_none(),
            ResourceMatch::Prefix => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RustCrypto;
    use crate::provider::Provider as _;
    use crate::sas::create;
    use proptest::prelude::*;

    fn covers(resource_match: ResourceMatch, granted: &str, wanted: &str) -> bool {
        Verifier {
            resource_match,
            ..Verifier::default()
        }
        .covers(granted, wanted)
    }

    #[test]
    fn resources_compare_by_whole_segments() {
        use ResourceMatch::{Exact, Prefix};
        for (granted, wanted, exact, prefix) in [
            ("hub/devices/a", "hub/devices/a", true, true),
            ("HUB/devices/a", "hub/devices/a", true, true),
            ("hub/Devices/a", "hub/devices/a", false, false),
            ("hub/devices/a", "hub/devices/ab", false, false),
            ("hub/devices/a", "hub/devices/a/modules/m", false, true),
            ("hub", "hub/devices/a", false, true),
            ("hub/devices/a/modules/m", "hub/devices/a", false, false),
            ("hub/", "hub/devices/a", false, false),
            ("h", "hub/devices/a", false, false),
        ] {
            assert_eq!(covers(Exact, granted, wanted), exact, "{granted} {wanted}");
            assert_eq!(
                covers(Prefix, granted, wanted),
                prefix,
                "{granted} {wanted}"
            );
        }
    }

    #[test]
    fn both_spellings_of_an_escape_verify() {
        let key = RustCrypto.mac_key(&(0..32).collect::<Vec<u8>>());
        for token in [
            "SharedAccessSignature sr=myhub.azure-devices.net%2Fdevices%2Fdevice1&sig=gFSfLGMXDOvf906%2FiaX3KwzLLNFHgaFZyCbsGjxtd1Y%3D&se=1700000000",
            "SharedAccessSignature sr=myhub.azure-devices.net%2fdevices%2fdevice1&sig=iIyvul1z7xsjQDMXvGvUxZi%2BlqnXkFn5lOgyNrICYDM%3D&se=1700000000",
        ] {
            let seen = Verifier::default().verify(
                token,
                "myhub.azure-devices.net/devices/device1",
                &key,
                None,
                UnixSeconds(1_699_999_000),
            );
            assert!(seen.is_ok(), "{seen:?}");
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,80}", tail in "[a-z=&%0-9]{0,40}") {
            let _ = Token::parse(&text);
            let _ = Token::parse(&format!("SharedAccessSignature {tail}"));
        }

        #[test]
        fn any_change_of_a_token_is_refused(at in 0usize..150, flip in 1u8..128) {
            let key = RustCrypto.mac_key(b"0123456789abcdef");
            let token = create(&key, "hub/devices/a", UnixSeconds(5_000), None).unwrap();
            let mut bytes = token.expose_secret().as_bytes().to_vec();
            let at = at % bytes.len();
            bytes[at] ^= flip;
            let Ok(changed) = String::from_utf8(bytes) else { return Ok(()) };
            let seen = Verifier::default().verify(&changed, "hub/devices/a", &key, None, UnixSeconds(1_000));
            // The case of the hexadecimal digits inside `sig` is the only freedom.
            let same_meaning = Token::parse(&changed).is_ok_and(|t| {
                t.resource_raw == "hub%2Fdevices%2Fa" && t.expiry_raw == "5000"
                    && t.signature == Token::parse(token.expose_secret()).unwrap().signature
            });
            prop_assert_eq!(seen.is_ok(), same_meaning);
        }
    }
}
