//! How an identity proves itself. Spec: Azure 1.4.

use super::{IdentityError, KeyHandles, Secret};
use crate::kernel::Problems;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::fmt;

/// A certificate's thumbprint: 40 (SHA-1) or 64 (SHA-256) hex digits without separators.
///
/// The case is kept; two thumbprints are the same certificate when they differ in case only.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Thumbprint(String);

impl Thumbprint {
    /// The digits, as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both are of the same certificate.
    #[must_use]
    pub fn matches(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl std::str::FromStr for Thumbprint {
    type Err = IdentityError;

    fn from_str(text: &str) -> Result<Self, IdentityError> {
        let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if hex && matches!(text.len(), 40 | 64) {
            Ok(Self(text.to_owned()))
        } else {
            let value = text.chars().take(80).flat_map(char::escape_debug).collect();
            Err(IdentityError::NotAThumbprint { value })
        }
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = IdentityError;

    fn try_from(text: String) -> Result<Self, IdentityError> {
        text.parse()
    }
}

impl From<Thumbprint> for String {
    fn from(thumbprint: Thumbprint) -> Self {
        thumbprint.0
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How an identity proves itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Authentication {
    /// Symmetric keys.
    #[serde(rename_all = "camelCase")]
    Sas {
        /// Where the keys are; none for a record that the AWS face created.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        keys: Option<KeyHandles>,
    },
    /// Certificates known by their thumbprints; at least one is needed to be usable.
    #[serde(rename_all = "camelCase")]
    SelfSigned {
        /// The first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        primary: Option<Thumbprint>,
        /// The second.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secondary: Option<Thumbprint>,
    },
    /// A certificate of a known authority, whose subject's common name is the device id.
    CertificateAuthority,
    /// Nothing: system modules only.
    None,
}

impl Authentication {
    /// `sas`, `selfSigned`, `certificateAuthority` or `none`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sas { .. } => "sas",
            Self::SelfSigned { .. } => "selfSigned",
            Self::CertificateAuthority => "certificateAuthority",
            Self::None => "none",
        }
    }

    /// Where its symmetric keys are.
    #[must_use]
    pub const fn keys(&self) -> Option<KeyHandles> {
        match self {
            Self::Sas { keys } => *keys,
            _ => None,
        }
    }

    /// The thumbprints, first and second.
    #[must_use]
    pub const fn thumbprints(&self) -> (Option<&Thumbprint>, Option<&Thumbprint>) {
        match self {
            Self::SelfSigned { primary, secondary } => (primary.as_ref(), secondary.as_ref()),
            _ => (None, None),
        }
    }

    /// As identity documents show it: without keys, always.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (primary, secondary) = self.thumbprints();
        json!({
            "type": self.kind(),
            "symmetricKey": { "primaryKey": null, "secondaryKey": null },
            "x509Thumbprint": {
                "primaryThumbprint": primary.map(Thumbprint::as_str),
                "secondaryThumbprint": secondary.map(Thumbprint::as_str),
            },
        })
    }
}

/// What a request asks for: keys are still secrets here. `Debug` does not print them.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum AuthenticationRequest {
    /// Symmetric keys: those given, or new ones.
    Sas(KeyRequest),
    /// Thumbprints.
    SelfSigned {
        /// The first.
        primary: Option<Thumbprint>,
        /// The second.
        secondary: Option<Thumbprint>,
    },
    /// A certificate of a known authority.
    CertificateAuthority,
}

/// Which keys a request wants.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyRequest {
    /// New ones: the caller makes two of 32 random bytes or more.
    Mint,
    /// These.
    Given {
        /// The first.
        primary: Secret,
        /// The second.
        secondary: Secret,
    },
}

impl AuthenticationRequest {
    /// The keys that the caller must put in its vault before the command; `None` when there are none.
    #[must_use]
    pub const fn keys(&self) -> Option<&KeyRequest> {
        match self {
            Self::Sas(keys) => Some(keys),
            _ => None,
        }
    }

    /// What is recorded. `keys`: the handles under which the caller put the keys.
    #[must_use]
    pub fn with_keys(self, keys: Option<KeyHandles>) -> Authentication {
        match self {
            Self::Sas(_) => Authentication::Sas { keys },
            Self::SelfSigned { primary, secondary } => {
                Authentication::SelfSigned { primary, secondary }
            }
            Self::CertificateAuthority => Authentication::CertificateAuthority,
        }
    }

    /// Reads an `authentication` member. Without one new keys are minted.
    pub(super) fn parse(
        value: Option<&Value>,
        owner: Owner,
        problems: &mut Problems<IdentityError>,
    ) -> Self {
        let minted = Self::Sas(KeyRequest::Mint);
        let members = match value {
            None | Some(Value::Null) => return minted,
            Some(Value::Object(members)) => members,
            Some(_) => {
                problems.push(IdentityError::Invalid {
                    member: "authentication",
                    rule: "an object",
                });
                return minted;
            }
        };
        let kind = match members.get("type") {
            None | Some(Value::Null) => None,
            Some(Value::String(kind)) => Some(kind.as_str()),
            Some(_) => Some(""),
        };
        match kind {
            Some("sas") => Self::Sas(keys(members, problems)),
            Some("selfSigned") => thumbprints(members, problems),
            Some("certificateAuthority") => Self::CertificateAuthority,
            // The service makes it symmetric keys without a word (Azure 1.4).
            Some("none") if owner == Owner::Module => Self::Sas(keys(members, problems)),
            Some(_) => {
                problems.push(IdentityError::Invalid {
                    member: "authentication.type",
                    rule: "`sas`, `selfSigned` or `certificateAuthority`",
                });
                minted
            }
            None if has_thumbprint(members) => thumbprints(members, problems),
            None => Self::Sas(keys(members, problems)),
        }
    }
}

/// Whose identity a request is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Owner {
    Device,
    Module,
}

fn part<'a>(members: &'a Map<String, Value>, group: &str, name: &str) -> Option<&'a Value> {
    let value = members.get(group)?.get(name)?;
    let empty = value.is_null() || value.as_str() == Some("");
    (!empty).then_some(value)
}

fn has_thumbprint(members: &Map<String, Value>) -> bool {
    part(members, "x509Thumbprint", "primaryThumbprint").is_some()
        || part(members, "x509Thumbprint", "secondaryThumbprint").is_some()
}

fn keys(members: &Map<String, Value>, problems: &mut Problems<IdentityError>) -> KeyRequest {
    let mut key = |name: &'static str| -> Option<Secret> {
        let value = part(members, "symmetricKey", name)?;
        let bytes = value.as_str().and_then(|text| STANDARD.decode(text).ok());
        match bytes {
            Some(bytes) if (16..=64).contains(&bytes.len()) => Some(Secret::new(bytes)),
            _ => {
                problems.push(IdentityError::InvalidKey { member: name });
                None
            }
        }
    };
    let (primary, secondary) = (key("primaryKey"), key("secondaryKey"));
    let given = |name| part(members, "symmetricKey", name).is_some();
    if given("primaryKey") != given("secondaryKey") {
        problems.push(IdentityError::HalfKeyPair);
    }
    match (primary, secondary) {
        (Some(primary), Some(secondary)) => KeyRequest::Given { primary, secondary },
        _ => KeyRequest::Mint,
    }
}

fn thumbprints(
    members: &Map<String, Value>,
    problems: &mut Problems<IdentityError>,
) -> AuthenticationRequest {
    let mut thumbprint = |name| {
        let value = part(members, "x509Thumbprint", name)?;
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        problems.ok(text.parse::<Thumbprint>())
    };
    AuthenticationRequest::SelfSigned {
        primary: thumbprint("primaryThumbprint"),
        secondary: thumbprint("secondaryThumbprint"),
    }
}
