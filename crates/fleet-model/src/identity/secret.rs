//! Keys live in the embedder's vault; the model holds handles.

use crate::kernel::ErrorCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Names one secret in a [`SecretStore`]. It says nothing of the secret and may be recorded.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHandle(pub Uuid);

/// The handles of a pair of symmetric keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyHandles {
    /// The first key's.
    pub primary: SecretHandle,
    /// The second key's.
    pub secondary: SecretHandle,
}

/// Secret bytes: wiped when dropped, never printed, never serialised.
#[derive(Clone, Eq, PartialEq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes. What is done with them is on the caller.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

/// The vault could not do what it was asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the secret store failed: {reason}")]
pub struct SecretStoreError {
    /// What it said; never the secret.
    pub reason: String,
}

impl ErrorCode for SecretStoreError {
    fn code(&self) -> &'static str {
        "identity.secret_store"
    }
}

/// The embedder's vault, as a port.
///
/// A caller puts secrets before it records the event that names their handles, and removes those that
/// no state names any more; a secret without an event is harmless.
pub trait SecretStore: Send + Sync {
    /// Keeps `secret` under `handle`, in place of what stood there.
    ///
    /// # Errors
    /// `identity.secret_store`.
    fn put(&self, handle: SecretHandle, secret: Secret) -> Result<(), SecretStoreError>;

    /// The secret of a handle, `None` when there is none.
    ///
    /// # Errors
    /// `identity.secret_store`.
    fn get(&self, handle: SecretHandle) -> Result<Option<Secret>, SecretStoreError>;

    /// Forgets the secret of a handle; an unknown one is no error.
    ///
    /// # Errors
    /// `identity.secret_store`.
    fn remove(&self, handle: SecretHandle) -> Result<(), SecretStoreError>;
}

/// A vault in memory, for tests and demonstrations: what it holds ends with the process.
///
/// ```
/// use fleet_model::identity::{InMemorySecrets, Secret, SecretHandle, SecretStore};
/// let (vault, handle) = (InMemorySecrets::default(), SecretHandle(uuid::Uuid::nil()));
/// vault.put(handle, Secret::new(b"key".to_vec()))?;
/// assert_eq!(vault.get(handle)?.unwrap().expose(), b"key");
/// assert_eq!(format!("{:?}", vault), "InMemorySecrets(1 secrets)");
/// # Ok::<(), fleet_model::identity::SecretStoreError>(())
/// ```
#[derive(Default)]
pub struct InMemorySecrets(Mutex<BTreeMap<SecretHandle, Secret>>);

impl InMemorySecrets {
    fn all(&self) -> std::sync::MutexGuard<'_, BTreeMap<SecretHandle, Secret>> {
        // No holder of the lock can leave the map half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InMemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InMemorySecrets({} secrets)", self.all().len())
    }
}

impl SecretStore for InMemorySecrets {
    fn put(&self, handle: SecretHandle, secret: Secret) -> Result<(), SecretStoreError> {
        self.all().insert(handle, secret);
        Ok(())
    }

    fn get(&self, handle: SecretHandle) -> Result<Option<Secret>, SecretStoreError> {
        Ok(self.all().get(&handle).cloned())
    }

    fn remove(&self, handle: SecretHandle) -> Result<(), SecretStoreError> {
        self.all().remove(&handle);
        Ok(())
    }
}
