//! Symmetric enrolment keys, device keys derived from them, and their two slots.
use crate::encoding::{base64, from_base64};
use crate::provider::{MacKey, Provider};
use crate::random::random_array;
use crate::secret::{SecretBytes, SecretText};
use crate::{CryptoError, RegistrationId, SecureRandom};
use base64::Engine as _;
use serde::{Deserialize, Serialize};

/// Length of a generated key, in bytes.
pub const GENERATED_LENGTH: usize = 64;

/// Length of a derived device key in its text form, in bytes.
pub const DEVICE_KEY_TEXT_LENGTH: usize = 44;

/// An enrolment key: 16 to 64 secret bytes.
///
/// Spec: cryptography, section 2.
#[derive(Debug)]
pub struct SymmetricKey(SecretBytes);

impl SymmetricKey {
    /// Takes raw bytes.
    /// # Errors
    /// `crypto.key_length` unless there are 16 to 64 bytes.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, CryptoError> {
        let bytes = SecretBytes::new(bytes);
        if (16..=64).contains(&bytes.expose_secret().len()) {
            Ok(Self(bytes))
        } else {
            Err(CryptoError::KeyLength {
                what: "enrolment key",
            })
        }
    }

    /// Reads the text form, standard base64 with padding.
    /// # Errors
    /// `crypto.key_encoding`, `crypto.key_length`.
    pub fn from_base64(text: &str) -> Result<Self, CryptoError> {
        let bytes = from_base64(text).ok_or(CryptoError::KeyEncoding {
            what: "enrolment key",
        })?;
        Self::from_bytes(bytes)
    }

    /// A new key of [`GENERATED_LENGTH`] random bytes.
    /// # Errors
    /// `crypto.random`.
    pub fn generate(random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        let bytes = random_array::<GENERATED_LENGTH>(random)?;
        Ok(Self(SecretBytes::new(bytes.to_vec())))
    }

    /// The raw bytes.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The text form, base64.
    #[must_use]
    pub fn to_base64(&self) -> SecretText {
        SecretText::new(base64(self.expose_secret()))
    }

    /// Whether both keys are equal, in constant time.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        self.0.same_as(&other.0)
    }

    /// Prepares the key for many MACs: derivations, tokens, checks.
    #[must_use]
    pub fn prepare(&self, provider: &dyn Provider) -> MacKey {
        provider.mac_key(self.expose_secret())
    }
}

impl MacKey {
    /// The key of one device of the group: `HMAC-SHA256(group key, registration id)`.
    ///
    /// The id goes in exactly as the device wrote it.
    ///
    /// ```
    /// use fleet_crypto::{RustCrypto, symmetric::SymmetricKey};
    /// let group = SymmetricKey::from_base64(
    ///     "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==",
    /// )?;
    /// let device = group.prepare(&RustCrypto).derive(&"sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6".parse()?);
    /// assert_eq!(device.to_base64().expose_secret(), "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    /// # Ok::<(), fleet_crypto::CryptoError>(())
    /// ```
    /// Spec: cryptography, section 2 and example 12.
    #[must_use]
    pub fn derive(&self, id: &RegistrationId) -> SymmetricKey {
        let key = self.mac(&[id.as_str().as_bytes()]);
        SymmetricKey(SecretBytes::new(key.to_vec()))
    }

    /// As [`MacKey::derive`], writing the base64 form into the caller's buffer without allocating.
    /// The caller wipes the buffer.
    pub fn derive_text(&self, id: &RegistrationId, out: &mut [u8; DEVICE_KEY_TEXT_LENGTH]) {
        let key = self.mac(&[id.as_str().as_bytes()]);
        // 32 bytes always make 44 characters, so this cannot come short.
        let _written = base64::engine::general_purpose::STANDARD.encode_slice(key, out);
    }
}

/// One of the two places for a key or certificate.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Slot {
    /// The key in use.
    Primary,
    /// The key that devices move to.
    Secondary,
}

/// The two keys of an enrolment. They are never equal.
///
/// Rotation: a new key into the secondary slot, devices move, [`KeySlots::swap`], a new key into the
/// secondary slot. Both slots authenticate at every moment.
///
/// Spec: cryptography, section 2.
#[derive(Debug)]
pub struct KeySlots {
    primary: SymmetricKey,
    secondary: SymmetricKey,
}

impl KeySlots {
    /// Puts two different keys into the slots.
    /// # Errors
    /// `crypto.key_reuse` when they are equal.
    pub fn new(primary: SymmetricKey, secondary: SymmetricKey) -> Result<Self, CryptoError> {
        if primary.same_as(&secondary) {
            return Err(CryptoError::KeyReuse {
                what: "primary and secondary",
            });
        }
        Ok(Self { primary, secondary })
    }

    /// Two new keys.
    /// # Errors
    /// `crypto.random`, also when the source gives the same bytes twice.
    pub fn generate(random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        let (primary, secondary) = (
            SymmetricKey::generate(random)?,
            SymmetricKey::generate(random)?,
        );
        Self::new(primary, secondary).map_err(|_| CryptoError::Random {
            what: "the source repeats itself",
        })
    }

    /// The key of a slot.
    #[must_use]
    pub const fn get(&self, slot: Slot) -> &SymmetricKey {
        match slot {
            Slot::Primary => &self.primary,
            Slot::Secondary => &self.secondary,
        }
    }

    /// Replaces the key of one slot; the old key is wiped.
    /// # Errors
    /// `crypto.key_reuse` when the other slot, or this one, already holds that key.
    pub fn replace(&mut self, slot: Slot, key: SymmetricKey) -> Result<(), CryptoError> {
        if key.same_as(&self.primary) || key.same_as(&self.secondary) {
            return Err(CryptoError::KeyReuse {
                what: "a slot already holds the key",
            });
        }
        match slot {
            Slot::Primary => self.primary = key,
            Slot::Secondary => self.secondary = key,
        }
        Ok(())
    }

    /// Exchanges the slots.
    pub const fn swap(&mut self) {
        std::mem::swap(&mut self.primary, &mut self.secondary);
    }

    /// Both slots of one device of the group, derived slot by slot.
    #[must_use]
    pub fn derive(&self, provider: &dyn Provider, id: &RegistrationId) -> Self {
        Self {
            primary: self.primary.prepare(provider).derive(id),
            secondary: self.secondary.prepare(provider).derive(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RustCrypto;

    struct Counting(u8);
    impl SecureRandom for Counting {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
            self.0 = self.0.wrapping_add(1);
            out.fill(self.0);
            Ok(())
        }
    }
    struct Stuck;
    impl SecureRandom for Stuck {
        fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
            out.fill(3);
            Ok(())
        }
    }

    fn key(byte: u8) -> SymmetricKey {
        SymmetricKey::from_bytes(vec![byte; 32]).unwrap()
    }

    #[test]
    fn derived_keys_of_the_service_specification() {
        let k1 = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        let k4 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let k6 = "G3vn0IZH9oK3d4wsxFpWBtd2KUrtjI+39dZVRf26To8w9OX0LaFV9yZ93ELXY7voqHEUsNhnb9bt717UP87KxA==";
        for (group, id, device) in [
            (
                k1,
                "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6",
                "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=",
            ),
            (
                k1,
                "SN-007-888-ABC-MAC-A1-B2-C3-D4-E5-F6",
                "9GWVnYuoOLXlHc346XjhLRb9pKgIOrKSwxDRSOgnvXo=",
            ),
            (
                k4,
                "device-001",
                "BG0x/0mIbqnG9RWsosby2GxBOeYgRhXI9gnRqn2lxFI=",
            ),
            (
                k4,
                "Device-001",
                "OOivoQoBqsBkrX6a6gkNQ5ajlmrJl0OPpU7vAwifN8Y=",
            ),
            (
                k6,
                "contoso-simdevice",
                "prIvMivIPDAqwBH6aCT4P8raQxEulx32+eNjQpp5/bM=",
            ),
        ] {
            let prepared = SymmetricKey::from_base64(group)
                .unwrap()
                .prepare(&RustCrypto);
            let id = id.parse().unwrap();
            let mut text = [0; DEVICE_KEY_TEXT_LENGTH];
            prepared.derive_text(&id, &mut text);
            assert_eq!(std::str::from_utf8(&text).unwrap(), device);
            assert_eq!(prepared.derive(&id).to_base64().expose_secret(), device);
        }
    }

    #[test]
    fn slots_never_hold_equal_keys() {
        assert_eq!(
            KeySlots::new(key(1), key(1)).unwrap_err().name(),
            "KeyReuse"
        );
        let mut slots = KeySlots::new(key(1), key(2)).unwrap();
        assert_eq!(
            slots.replace(Slot::Secondary, key(1)).unwrap_err().name(),
            "KeyReuse"
        );
        assert_eq!(
            slots.replace(Slot::Primary, key(1)).unwrap_err().name(),
            "KeyReuse"
        );
        slots.replace(Slot::Secondary, key(3)).unwrap();
        slots.swap();
        assert!(slots.get(Slot::Primary).same_as(&key(3)));
        assert!(slots.get(Slot::Secondary).same_as(&key(1)));
        assert_eq!(KeySlots::generate(&mut Stuck).unwrap_err().name(), "Random");
        let made = KeySlots::generate(&mut Counting(0)).unwrap();
        assert_eq!(
            made.get(Slot::Primary).expose_secret().len(),
            GENERATED_LENGTH
        );
    }

    #[test]
    fn rotating_one_slot_keeps_the_other_derivation() {
        let id = "dev-1".parse().unwrap();
        let mut group = KeySlots::new(key(1), key(2)).unwrap();
        let before = group.derive(&RustCrypto, &id);
        group.replace(Slot::Secondary, key(3)).unwrap();
        let after = group.derive(&RustCrypto, &id);
        assert!(before.get(Slot::Primary).same_as(after.get(Slot::Primary)));
        assert!(
            !before
                .get(Slot::Secondary)
                .same_as(after.get(Slot::Secondary))
        );
    }
}
