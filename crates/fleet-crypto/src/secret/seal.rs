//! Values sealed at rest: AES-256-GCM under associated data that says where they belong.
use super::SecretBytes;
use crate::provider::Provider;
use crate::random::random_array;
use crate::{CryptoError, SecureRandom};
use std::collections::BTreeMap;
use std::fmt;
use zeroize::Zeroizing;

/// Most values that one data key seals: 2^32.
pub const MAX_SEALS: u64 = 1 << 32;

/// First byte of every sealed value.
const FORMAT: u8 = 1;

/// Format, key version and nonce, in front of ciphertext and tag.
const HEADER: usize = 1 + 4 + 12;

/// Where a sealed value belongs. A value that is moved elsewhere does not open.
///
/// Each part has a 16-bit length before it; the key version follows when the value is sealed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct AssociatedData(Vec<u8>);

impl AssociatedData {
    /// Any parts, in order.
    /// # Errors
    /// `crypto.too_long` for a part above 65,535 bytes.
    pub fn new(parts: &[&[u8]]) -> Result<Self, CryptoError> {
        let mut out = vec![];
        for part in parts {
            let length = u16::try_from(part.len()).map_err(|_| CryptoError::TooLong {
                what: "part of associated data",
            })?;
            out.extend(length.to_be_bytes());
            out.extend_from_slice(part);
        }
        Ok(Self(out))
    }

    /// A secret in a vault (layout `Vault`): tenant, device, purpose.
    /// # Errors
    /// As [`AssociatedData::new`].
    ///
    /// Spec: cryptography, section 9.
    pub fn vault(tenant: &str, device: &str, purpose: &str) -> Result<Self, CryptoError> {
        Self::new(&[tenant, device, purpose].map(str::as_bytes))
    }

    /// A personal field of an event (layout `Field`): tenant, stream, event id, field path, key id.
    /// # Errors
    /// As [`AssociatedData::new`].
    ///
    /// Spec: event store, section 5.
    pub fn field(
        tenant: &str,
        stream: &str,
        event_id: &str,
        field_path: &str,
        key_id: &str,
    ) -> Result<Self, CryptoError> {
        Self::new(&[tenant, stream, event_id, field_path, key_id].map(str::as_bytes))
    }

    fn with_version(&self, version: u32) -> Vec<u8> {
        [&self.0[..], &version.to_be_bytes()].concat()
    }
}

/// A key that seals values, usually of one device or subject: 32 bytes, a version, a count.
///
/// ```
/// use fleet_crypto::secret::{AssociatedData, DataKey};
/// use fleet_crypto::{CryptoError, RustCrypto, SecureRandom};
/// # struct Counter(u8);
/// # impl SecureRandom for Counter {
/// #     fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
/// #         for byte in out { self.0 = self.0.wrapping_add(1); *byte = self.0; }
/// #         Ok(())
/// #     }
/// # }
/// # let mut random = Counter(0);
/// let mut key = DataKey::generate(1, &mut random)?;
/// let place = AssociatedData::vault("contoso", "dev-1", "sas-key")?;
/// let sealed = key.seal(b"secret", &place, &mut random, &RustCrypto)?;
/// assert_eq!(key.open(&sealed, &place, &RustCrypto)?.expose_secret(), b"secret");
/// let elsewhere = AssociatedData::vault("contoso", "dev-2", "sas-key")?;
/// assert_eq!(key.open(&sealed, &elsewhere, &RustCrypto).unwrap_err().name(), "Sealed");
/// # Ok::<(), CryptoError>(())
/// ```
pub struct DataKey {
    key: Zeroizing<[u8; 32]>,
    version: u32,
    seals: u64,
}

impl DataKey {
    /// A new key.
    /// # Errors
    /// `crypto.random`.
    pub fn generate(version: u32, random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        Ok(Self {
            key: random_array::<32>(random)?,
            version,
            seals: 0,
        })
    }

    /// A key from a store, with the number of values that it has sealed so far.
    #[must_use]
    pub fn restore(key: [u8; 32], version: u32, seals: u64) -> Self {
        Self {
            key: Zeroizing::new(key),
            version,
            seals,
        }
    }

    /// The version, which stands in every sealed value.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// How many values the key has sealed. Whoever stores the key stores this with it.
    #[must_use]
    pub const fn seals(&self) -> u64 {
        self.seals
    }

    /// Seals `plain`: `01 || key version (4) || nonce (12) || ciphertext || tag (16)`.
    /// # Errors
    /// `crypto.exhausted` after [`MAX_SEALS`] values, `crypto.random`, `crypto.too_long`.
    pub fn seal(
        &mut self,
        plain: &[u8],
        place: &AssociatedData,
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Vec<u8>, CryptoError> {
        if self.seals >= MAX_SEALS {
            return Err(CryptoError::Exhausted { what: "data key" });
        }
        let nonce = random_array::<12>(random)?;
        let associated = place.with_version(self.version);
        let sealed = provider.aes256_gcm_seal(&self.key, &nonce, &associated, plain)?;
        self.seals = self.seals.saturating_add(1);
        let version = self.version.to_be_bytes();
        Ok([&[FORMAT][..], &version, nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for the same place by this version of the key.
    /// # Errors
    /// `crypto.sealed`.
    pub fn open(
        &self,
        sealed: &[u8],
        place: &AssociatedData,
        provider: &dyn Provider,
    ) -> Result<SecretBytes, CryptoError> {
        const BAD: CryptoError = CryptoError::Sealed {
            what: "form of the sealed value",
        };
        let (header, body) = sealed.split_at_checked(HEADER).ok_or(BAD)?;
        let (format, rest) = header.split_first().ok_or(BAD)?;
        let (version, nonce) = rest.split_at_checked(4).ok_or(BAD)?;
        let nonce: &[u8; 12] = nonce.try_into().map_err(|_| BAD)?;
        if *format != FORMAT || version != self.version.to_be_bytes() {
            return Err(CryptoError::Sealed {
                what: "format or key version",
            });
        }
        let associated = place.with_version(self.version);
        let plain = provider.aes256_gcm_open(&self.key, nonce, &associated, body)?;
        Ok(SecretBytes::new(plain.to_vec()))
    }

    /// Wraps this key under a tenant's key, for storing.
    /// # Errors
    /// As [`DataKey::seal`].
    pub fn wrap(
        &self,
        tenant_key: &mut Self,
        place: &AssociatedData,
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Vec<u8>, CryptoError> {
        let plain = Zeroizing::new([&self.version.to_be_bytes()[..], self.key.as_slice()].concat());
        tenant_key.seal(&plain, place, random, provider)
    }

    /// Unwraps a stored key. `seals`: how many values it has sealed so far.
    /// # Errors
    /// `crypto.sealed`.
    pub fn unwrap(
        wrapped: &[u8],
        tenant_key: &Self,
        place: &AssociatedData,
        seals: u64,
        provider: &dyn Provider,
    ) -> Result<Self, CryptoError> {
        const BAD: CryptoError = CryptoError::Sealed {
            what: "wrapped key",
        };
        let plain = tenant_key.open(wrapped, place, provider)?;
        let (version, key) = plain.expose_secret().split_at_checked(4).ok_or(BAD)?;
        let version = u32::from_be_bytes(version.try_into().map_err(|_| BAD)?);
        let mut bytes = Zeroizing::new([0; 32]);
        if key.len() != bytes.len() {
            return Err(BAD);
        }
        bytes.copy_from_slice(key);
        Ok(Self {
            key: bytes,
            version,
            seals,
        })
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey([redacted])")
    }
}

/// What a sealed field reads as.
#[derive(Debug)]
pub enum Opened {
    /// The value.
    Value(SecretBytes),
    /// The key was destroyed: the value is gone for ever, and that is no error.
    Redacted,
}

/// The data keys of many subjects, wrapped, some of them destroyed.
///
/// Destroying a key is how something is forgotten in a log that never forgets: every sealed field of
/// the subject then reads as [`Opened::Redacted`], while envelopes, versions and hashes stay as they
/// were, because hashes are taken over the sealed form.
///
/// Spec: cryptography, section 9 (shredding); event store, section 5 and case 45.
#[derive(Debug, Default)]
pub struct KeyRing {
    keys: BTreeMap<String, Option<DataKey>>,
}

impl KeyRing {
    /// A ring without keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the key of a subject.
    /// # Errors
    /// `crypto.key_reuse` when the subject has a key, `crypto.destroyed` when it had one.
    pub fn insert(&mut self, key_id: &str, key: DataKey) -> Result<(), CryptoError> {
        match self.keys.get(key_id) {
            Some(Some(_)) => Err(CryptoError::KeyReuse { what: "key id" }),
            Some(None) => Err(CryptoError::Destroyed { what: "key id" }),
            None => {
                self.keys.insert(key_id.to_owned(), Some(key));
                Ok(())
            }
        }
    }

    /// Destroys the key of a subject; the id can never be used again. Returns whether it was there.
    pub fn destroy(&mut self, key_id: &str) -> bool {
        self.keys
            .insert(key_id.to_owned(), None)
            .flatten()
            .is_some()
    }

    /// Seals a value with the key of a subject.
    /// # Errors
    /// `crypto.unknown_key`, `crypto.destroyed`, and those of [`DataKey::seal`].
    pub fn seal(
        &mut self,
        key_id: &str,
        plain: &[u8],
        place: &AssociatedData,
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Vec<u8>, CryptoError> {
        match self.keys.get_mut(key_id) {
            Some(Some(key)) => key.seal(plain, place, random, provider),
            Some(None) => Err(CryptoError::Destroyed { what: "key id" }),
            None => Err(CryptoError::UnknownKey { what: "key id" }),
        }
    }

    /// Opens a value of a subject.
    /// # Errors
    /// `crypto.unknown_key` for a key that was never here, `crypto.sealed`.
    pub fn open(
        &self,
        key_id: &str,
        sealed: &[u8],
        place: &AssociatedData,
        provider: &dyn Provider,
    ) -> Result<Opened, CryptoError> {
        match self.keys.get(key_id) {
            Some(Some(key)) => key.open(sealed, place, provider).map(Opened::Value),
            Some(None) => Ok(Opened::Redacted),
            None => Err(CryptoError::UnknownKey { what: "key id" }),
        }
    }
}
