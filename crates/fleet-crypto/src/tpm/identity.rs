//! The identity key: made by the service, usable only inside one TPM.
use super::credential::{Credential, make_credential, outer_wrap, share_seed};
use super::public::{StorageKey, keyed_hash_area, object_name};
use super::sized;
use crate::encoding::base64;
use crate::provider::Provider;
use crate::random::random_array;
use crate::sas::{Verified, Verifier};
use crate::secret::{SecretText, same_secret};
use crate::symmetric::SymmetricKey;
use crate::{CryptoError, SecureRandom, UnixSeconds};
use zeroize::Zeroizing;

/// How long a challenge is good, in seconds: 10 minutes.
pub const CHALLENGE_LIFE: i64 = 600;

/// A key that can be imported below one SRK.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ImportBlob {
    /// `TPM2B_PUBLIC` of the key.
    pub public: Vec<u8>,
    /// The key, wrapped twice: `TPM2B_PRIVATE`.
    pub duplicate: Vec<u8>,
    /// `TPM2B_ENCRYPTED_SECRET`: the seed of the outer wrap, for the SRK.
    pub wrapped_seed: Vec<u8>,
    /// The name of the key.
    pub name: [u8; 34],
}

/// Wraps the HMAC key `key` with its `obfuscation` for import below `srk`: first under `inner`, then
/// under a seed that only the SRK recovers.
///
/// Randomness is drawn as [`make_credential`] draws it.
/// # Errors
/// `crypto.random`, `crypto.key_invalid`, `crypto.unsupported`.
pub fn wrap_identity_key(
    srk: &StorageKey,
    key: &[u8; 32],
    obfuscation: &[u8; 32],
    inner: &[u8; 16],
    random: &mut dyn SecureRandom,
    provider: &dyn Provider,
) -> Result<ImportBlob, CryptoError> {
    let area = keyed_hash_area(&provider.sha256(&[obfuscation, key]));
    let name = object_name(&area, provider);
    let fields = [vec![0x00, 0x08], sized(&[]), sized(obfuscation), sized(key)].map(Zeroizing::new);
    let sensitive = Zeroizing::new(sized(&Zeroizing::new(
        fields
            .iter()
            .flat_map(|field| field.iter().copied())
            .collect::<Vec<u8>>(),
    )));
    let integrity = provider.sha256(&[&sensitive, &name]);
    let mut wrapped = Zeroizing::new(sized(&integrity));
    wrapped.reserve_exact(sensitive.len());
    wrapped.extend_from_slice(&sensitive);
    provider.aes128_cfb_encrypt(inner, &mut wrapped);
    let (seed, wrapped_seed) = share_seed(srk, "DUPLICATE", random, provider)?;
    let duplicate = outer_wrap(&seed, &name, &wrapped, provider);
    Ok(ImportBlob {
        public: sized(&area),
        duplicate,
        wrapped_seed,
        name,
    })
}

/// What a device is told: credential, key to import, and data of the caller.
#[derive(Debug)]
pub struct Answer {
    /// The credential that carries the inner key.
    pub credential: Credential,
    /// The identity key, wrapped.
    pub import: ImportBlob,
    /// Data of the caller, for example where to go next. At most 1024 bytes.
    pub uri: Vec<u8>,
}

impl Answer {
    /// The documented order, in base64: `ID_OBJECT || ENCRYPTED_SECRET || duplicate || seed for the
    /// SRK || public || TPM2B(uri data)`.
    #[must_use]
    pub fn to_base64(&self) -> SecretText {
        let parts = [
            &self.credential.id_object,
            &self.credential.encrypted_secret,
            &self.import.duplicate,
            &self.import.wrapped_seed,
            &self.import.public,
            &sized(&self.uri),
        ];
        SecretText::new(base64(&parts.map(Vec::as_slice).concat()))
    }
}

/// An outstanding challenge: the identity key that the service keeps (sealed) and its time. A second
/// registration makes a new one.
#[derive(Debug)]
pub struct Challenge {
    /// The identity key.
    pub key: SymmetricKey,
    /// When the challenge was made.
    pub issued_at: UnixSeconds,
}

/// Makes a challenge for the TPM that holds `ek` and `srk`.
///
/// Randomness is drawn in this order: identity key (32), obfuscation (32), inner key (16), then the
/// seed of the credential, then the seed of the import. Seeds, inner key and obfuscation are wiped
/// before this returns.
/// # Errors
/// `crypto.too_long` for more than 1024 bytes of `uri`, `crypto.random`, `crypto.key_invalid`,
/// `crypto.unsupported`.
pub fn issue_challenge(
    ek: &StorageKey,
    srk: &StorageKey,
    uri: &[u8],
    now: UnixSeconds,
    random: &mut dyn SecureRandom,
    provider: &dyn Provider,
) -> Result<(Challenge, Answer), CryptoError> {
    if uri.len() > 1024 {
        return Err(CryptoError::TooLong {
            what: "data of a challenge",
        });
    }
    let key = random_array::<32>(random)?;
    let obfuscation = random_array::<32>(random)?;
    let inner = random_array::<16>(random)?;
    let credential = make_credential(ek, &srk.name(provider), inner.as_slice(), random, provider)?;
    let import = wrap_identity_key(srk, &key, &obfuscation, &inner, random, provider)?;
    let key = SymmetricKey::from_bytes(key.to_vec())?;
    let answer = Answer {
        credential,
        import,
        uri: uri.to_vec(),
    };
    Ok((
        Challenge {
            key,
            issued_at: now,
        },
        answer,
    ))
}

impl Challenge {
    /// Checks the token that the device signed inside its TPM.
    /// # Errors
    /// `crypto.expired` when the challenge is older than [`CHALLENGE_LIFE`] (or from the future), and
    /// those of [`Verifier::verify`].
    pub fn verify(
        &self,
        token: &str,
        resource: &str,
        verifier: &Verifier,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<Verified, CryptoError> {
        if !(0..=CHALLENGE_LIFE).contains(&now.since(self.issued_at)) {
            return Err(CryptoError::Expired {
                what: "TPM challenge",
            });
        }
        verifier.verify(token, resource, &self.key.prepare(provider), None, now)
    }
}

/// Whether the device shows the EK that is enrolled.
/// # Errors
/// `crypto.key_mismatch`.
pub fn check_endorsement(enrolled: &StorageKey, shown: &StorageKey) -> Result<(), CryptoError> {
    if same_secret(enrolled.as_bytes(), shown.as_bytes()) {
        Ok(())
    } else {
        Err(CryptoError::KeyMismatch {
            what: "endorsement key",
        })
    }
}

/// The SRK of an enrolment: learned at first use, then fixed until the enrolment is reset.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StorageRootPin(Option<Vec<u8>>);

impl StorageRootPin {
    /// A pin as it was stored: the bytes of the SRK's public area.
    #[must_use]
    pub const fn restore(srk: Option<Vec<u8>>) -> Self {
        Self(srk)
    }

    /// The pinned SRK, for storing.
    #[must_use]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_deref()
    }

    /// Learns the SRK, or checks it against the learned one.
    /// # Errors
    /// `crypto.key_mismatch`.
    pub fn check(&mut self, shown: &StorageKey) -> Result<(), CryptoError> {
        match &self.0 {
            None => {
                self.0 = Some(shown.as_bytes().to_vec());
                Ok(())
            }
            Some(pinned) if same_secret(pinned, shown.as_bytes()) => Ok(()),
            Some(_) => Err(CryptoError::KeyMismatch {
                what: "storage root key",
            }),
        }
    }

    /// Forgets the SRK: the operator's reset of the enrolment.
    pub fn reset(&mut self) {
        self.0 = None;
    }
}
