//! Which keys sign manifests, and who may change that.
use super::jws::{Jws, from_json_object, sign_compact};
use super::payload::Manifest;
use crate::error::malformed;
use crate::provider::Provider;
use crate::signer::Signer;
use crate::x509::PublicKey;
use crate::{CryptoError, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// `typ` of a signed change of a key set. A manifest never has it, so neither passes for the other.
const KEY_SET_KIND: &str = "fleet-keyset+jws";

/// `typ` of a manifest, when it has one.
const MANIFEST_KIND: &str = "fleet-manifest+jws";

/// Most keys of a set.
const MAX_KEYS: usize = 64;

/// One key that signs manifests.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedKey {
    /// The id that headers name.
    pub key_id: String,
    /// The key: Ed25519 or P-256.
    pub key: PublicKey,
}

/// The keys that sign manifests: an id, a version that only grows, a threshold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeySet {
    id: String,
    version: u64,
    threshold: usize,
    keys: BTreeMap<String, PublicKey>,
}

/// The key that signs changes of one key set, and nothing else.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RootKey {
    /// The id that headers name.
    pub key_id: String,
    /// The key: Ed25519 or P-256.
    pub key: PublicKey,
}

/// A change of a key set, as it is signed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeySetChange {
    /// The id of the set.
    pub id: String,
    /// The new version, above the old one.
    pub version: u64,
    /// How many different keys must sign a manifest.
    pub threshold: usize,
    /// The keys: id to PEM `PUBLIC KEY`.
    pub keys: BTreeMap<String, String>,
}

impl KeySet {
    /// A set of keys.
    /// # Errors
    /// `crypto.malformed` for a threshold of 0 or above the number of keys, or too many keys;
    /// `crypto.key_reuse` when two ids have one key; `crypto.algorithm` for a key of another kind.
    pub fn new(
        id: &str,
        version: u64,
        threshold: usize,
        keys: Vec<TrustedKey>,
    ) -> Result<Self, CryptoError> {
        use crate::provider::KeyKind;
        let count = keys.len();
        let mut different = BTreeSet::new();
        let mut by_id = BTreeMap::new();
        for TrustedKey { key_id, key } in keys {
            if !matches!(key.kind(), KeyKind::Ed25519 | KeyKind::P256) {
                return Err(CryptoError::Algorithm {
                    what: "key of a key set",
                });
            }
            if !different.insert(key.to_der()) || by_id.insert(key_id, key).is_some() {
                return Err(CryptoError::KeyReuse { what: "key set" });
            }
        }
        if !(1..=count).contains(&threshold) || count > MAX_KEYS {
            return Err(malformed("threshold or size of a key set"));
        }
        Ok(Self {
            id: id.to_owned(),
            version,
            threshold,
            keys: by_id,
        })
    }

    /// The id of the set.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The version of the set.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Verifies a manifest that one key signed (the threshold must be 1): form, algorithm, key,
    /// signature, and only then the payload and its time.
    ///
    /// `detached`: the payload, when the JWS has none of its own.
    /// # Errors
    /// In this order: `crypto.malformed`, `crypto.algorithm`, `crypto.unknown_key`,
    /// `crypto.algorithm` (key of another kind), `crypto.malformed` (signature length),
    /// `crypto.signature`, `crypto.malformed` (payload), `crypto.expired`.
    pub fn verify(
        &self,
        jws: &str,
        detached: Option<&[u8]>,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<Manifest, CryptoError> {
        self.verify_threshold(&[jws], detached, provider, now)
    }

    /// Verifies a manifest that several keys signed, one JWS each over the same payload.
    /// # Errors
    /// As [`KeySet::verify`]; `crypto.signature` when fewer different keys than the threshold signed
    /// or the payloads differ.
    pub fn verify_threshold(
        &self,
        signatures: &[&str],
        detached: Option<&[u8]>,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<Manifest, CryptoError> {
        let few = CryptoError::Signature {
            what: "fewer keys signed than the threshold",
        };
        if signatures.len() > MAX_KEYS {
            return Err(CryptoError::TooLong {
                what: "number of signatures",
            });
        }
        let mut signers = BTreeSet::new();
        let mut payload: Option<Vec<u8>> = None;
        for text in signatures {
            let jws = Jws::parse(text, detached)?;
            if jws.kind() == Some(KEY_SET_KIND) {
                return Err(malformed("a key set change is no manifest"));
            }
            let bytes = jws.verify(|id| self.keys.get(id), provider)?;
            if payload.as_ref().is_some_and(|first| first != bytes) {
                return Err(CryptoError::Signature {
                    what: "payloads differ",
                });
            }
            payload.get_or_insert_with(|| bytes.to_vec());
            signers.insert(jws.key_id().map(str::to_owned));
        }
        let payload = payload
            .filter(|_| signers.len() >= self.threshold)
            .ok_or(few)?;
        let manifest = Manifest::from_json(&payload)?;
        manifest.check_time(now)?;
        Ok(manifest)
    }

    /// Signs a manifest with a key of a set, in compact form with its `typ`.
    /// # Errors
    /// `crypto.malformed`, `crypto.signer`.
    pub fn sign_manifest(
        manifest: &Manifest,
        key_id: &str,
        signer: &dyn Signer,
    ) -> Result<String, CryptoError> {
        sign_compact(&manifest.to_json()?, key_id, Some(MANIFEST_KIND), signer)
    }
}

impl RootKey {
    /// Signs a change of the key set.
    /// # Errors
    /// `crypto.malformed`, `crypto.signer`.
    pub fn sign_change(
        &self,
        change: &KeySetChange,
        signer: &dyn Signer,
    ) -> Result<String, CryptoError> {
        let payload = serde_json::to_vec(change).map_err(|_| malformed("key set change"))?;
        sign_compact(&payload, &self.key_id, Some(KEY_SET_KIND), signer)
    }

    /// Applies a signed change to a key set.
    /// # Errors
    /// Those of a signature ([`KeySet::verify`]); `crypto.malformed` when the document is no key set
    /// change or names another set; `crypto.rollback` unless the version grows; `crypto.key_reuse`
    /// when the root key itself is among the keys.
    pub fn apply_change(
        &self,
        current: &KeySet,
        jws: &str,
        provider: &dyn Provider,
    ) -> Result<KeySet, CryptoError> {
        let jws = Jws::parse(jws, None)?;
        if jws.kind() != Some(KEY_SET_KIND) {
            return Err(malformed("a root key signs key set changes only"));
        }
        let find = |id: &str| (id == self.key_id).then_some(&self.key);
        let payload = jws.verify(find, provider)?;
        let change: KeySetChange = from_json_object(payload).ok_or(malformed("key set change"))?;
        if change.id != current.id {
            return Err(malformed("change of another key set"));
        }
        if change.version <= current.version {
            return Err(CryptoError::Rollback {
                what: "key set version",
            });
        }
        let mut keys = vec![];
        for (key_id, pem) in change.keys {
            let key = PublicKey::from_pem(&pem)?;
            if key == self.key || key_id == self.key_id {
                return Err(CryptoError::KeyReuse {
                    what: "the root key signs nothing else",
                });
            }
            keys.push(TrustedKey { key_id, key });
        }
        KeySet::new(&change.id, change.version, change.threshold, keys)
    }
}
