//! What a manifest binds.
use super::jws::from_json_object;
use super::version::UpdateVersion;
use crate::CryptoError;
use crate::encoding::from_base64;
use crate::error::malformed;
use crate::provider::Provider;
use crate::time::{Civil, CivilForm, UnixSeconds};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::{BTreeMap, BTreeSet};

/// Most files of an update.
const MAX_FILES: usize = 1000;

/// Which update this is.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UpdateId {
    /// Its name.
    pub name: String,
    /// Whose update it is.
    pub provider: String,
    /// Its version.
    pub version: UpdateVersion,
}

/// One kind of device that the update fits: every member must equal the device's own.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Compatibility(pub BTreeMap<String, String>);

/// One file of the update.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256.
    pub sha256: [u8; 32],
}

/// A manifest, as it was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Manifest {
    /// Which update this is.
    pub update_id: UpdateId,
    /// The devices that it fits; any one of them suffices.
    pub compatibility: Vec<Compatibility>,
    /// Its files; names are unique.
    pub files: Vec<FileEntry>,
    /// When it was made.
    pub created: UnixSeconds,
    /// After when it is no longer good.
    pub expires: Option<UnixSeconds>,
}

/// What to do with a version that is older than the highest accepted one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum RollbackPolicy {
    /// Refuse it.
    #[default]
    Refuse,
    /// Take it: an operator rolls back on purpose.
    Allow,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WireHashes {
    sha256: String,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct WireFile {
    hashes: WireHashes,
    name: String,
    size_in_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
struct Wire {
    compatibility: Vec<Compatibility>,
    created_date_time: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_date_time: Option<String>,
    files: Vec<WireFile>,
    update_id: UpdateId,
}

impl Manifest {
    /// Reads a payload. Members beyond the known ones are ignored; they may be of a later version.
    /// # Errors
    /// `crypto.malformed`.
    pub fn from_json(bytes: &[u8]) -> Result<Self, CryptoError> {
        let wire: Wire = from_json_object(bytes).ok_or(malformed("manifest payload"))?;
        Self::from_wire(wire)
    }

    fn from_wire(wire: Wire) -> Result<Self, CryptoError> {
        let instant = |text: &str| {
            Civil::parse(text.as_bytes(), CivilForm::Extended)
                .ok_or(malformed("time of a manifest"))
        };
        if wire.files.len() > MAX_FILES || wire.compatibility.is_empty() {
            return Err(malformed("files or compatibility of a manifest"));
        }
        if wire.compatibility.iter().any(|one| one.0.is_empty()) {
            return Err(malformed("empty compatibility of a manifest"));
        }
        let mut names = BTreeSet::new();
        let mut files = vec![];
        for file in wire.files {
            let sha256 = from_base64(&file.hashes.sha256)
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(malformed("hash of a file"))?;
            if file.name.is_empty() || !names.insert(file.name.clone()) {
                return Err(malformed("name of a file"));
            }
            files.push(FileEntry {
                name: file.name,
                size: file.size_in_bytes,
                sha256,
            });
        }
        Ok(Self {
            update_id: wire.update_id,
            compatibility: wire.compatibility,
            files,
            created: instant(&wire.created_date_time)?,
            expires: wire.expires_date_time.as_deref().map(instant).transpose()?,
        })
    }

    fn to_wire(&self) -> Wire {
        let instant = |at: UnixSeconds| at.civil().print(CivilForm::Extended);
        Wire {
            compatibility: self.compatibility.clone(),
            created_date_time: instant(self.created),
            expires_date_time: self.expires.map(instant),
            files: self
                .files
                .iter()
                .map(|file| WireFile {
                    hashes: WireHashes {
                        sha256: crate::encoding::base64(&file.sha256),
                    },
                    name: file.name.clone(),
                    size_in_bytes: file.size,
                })
                .collect(),
            update_id: self.update_id.clone(),
        }
    }

    /// The payload to sign, as compact JSON with members in alphabetical order.
    /// # Errors
    /// `crypto.malformed` when it could not be read back.
    pub fn to_json(&self) -> Result<Vec<u8>, CryptoError> {
        let bytes = serde_json::to_vec(self).map_err(|_| malformed("manifest"))?;
        Self::from_json(&bytes)?;
        Ok(bytes)
    }

    /// Whether the manifest is still good at `now`.
    /// # Errors
    /// `crypto.expired`.
    pub fn check_time(&self, now: UnixSeconds) -> Result<(), CryptoError> {
        match self.expires {
            Some(expires) if now >= expires => Err(CryptoError::Expired { what: "manifest" }),
            _ => Ok(()),
        }
    }

    /// Whether a device with these properties is one that the update fits.
    #[must_use]
    pub fn fits(&self, device: &BTreeMap<String, String>) -> bool {
        self.compatibility.iter().any(|one| {
            one.0
                .iter()
                .all(|(name, value)| device.get(name) == Some(value))
        })
    }

    /// Compares with the highest version of the same update name that was accepted before.
    /// # Errors
    /// `crypto.rollback`.
    pub fn check_version(
        &self,
        highest: Option<&UpdateVersion>,
        policy: RollbackPolicy,
    ) -> Result<(), CryptoError> {
        match (highest, policy) {
            (Some(highest), RollbackPolicy::Refuse) if self.update_id.version < *highest => {
                Err(CryptoError::Rollback {
                    what: "update version",
                })
            }
            _ => Ok(()),
        }
    }

    /// Compares a file with its line: size, then hash.
    /// # Errors
    /// `crypto.file_mismatch`, also for a file that the manifest does not name.
    pub fn check_file(
        &self,
        name: &str,
        content: &[u8],
        provider: &dyn Provider,
    ) -> Result<(), CryptoError> {
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        self.check_file_digest(name, size, &provider.sha256(&[content]))
    }

    /// As [`Manifest::check_file`], for a file that the caller hashed while reading it.
    /// # Errors
    /// As [`Manifest::check_file`].
    pub fn check_file_digest(
        &self,
        name: &str,
        size: u64,
        sha256: &[u8; 32],
    ) -> Result<(), CryptoError> {
        let refuse = |what| Err(CryptoError::FileMismatch { what });
        match self.files.iter().find(|file| file.name == name) {
            None => refuse("the manifest does not name the file"),
            Some(file) if file.size != size => refuse("size"),
            Some(file) if file.sha256 != *sha256 => refuse("hash"),
            Some(_) => Ok(()),
        }
    }
}

impl Serialize for Manifest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_wire().serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Manifest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Manifest".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Wire::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_wire(Wire::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}
