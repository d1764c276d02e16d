//! The pure functions of this crate by name, over JSON: what scripts and command lines call.
//!
//! Requests and responses are camelCase JSON; unknown members are refused; binary members are base64,
//! certificates PEM or base64 DER; `now` and `expiry` are Unix seconds. The snake_case spellings of
//! the vector files are taken as well. An operation answers with the inner error: it is for
//! operators, not for devices.
mod chain;
mod keys;
mod manifest;
mod url;

pub use chain::{PathStep, VerifyCertificateChain, VerifyCertificateChainResponse};
pub use keys::{
    CreateSasToken, CreateSasTokenResponse, DeriveDeviceKey, DeriveDeviceKeyResponse, SasKeys,
    VerifySasToken, VerifySasTokenResponse,
};
pub use manifest::{ManifestKey, VerifyManifest, VerifyManifestResponse};
pub use url::{PresignUrl, PresignUrlResponse};

use crate::CryptoError;
use crate::provider::Provider;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::fmt;
use zeroize::Zeroizing;

/// A secret in a request: read from JSON, wiped on drop, never printed.
#[derive(Clone, Default)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(transparent)
)]
pub struct SecretParam(
    #[cfg_attr(feature = "schema", schemars(with = "String"))] Zeroizing<String>,
);

impl SecretParam {
    /// Takes a secret over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The secret itself.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretParam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretParam([redacted])")
    }
}

impl<'de> Deserialize<'de> for SecretParam {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// What requests and responses have beside their JSON: with the feature `schema`, its JSON Schema.
#[cfg(feature = "schema")]
pub trait Described: schemars::JsonSchema {}
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> Described for T {}
/// What requests and responses have beside their JSON: with the feature `schema`, its JSON Schema.
#[cfg(not(feature = "schema"))]
pub trait Described {}
#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

/// One operation: the type is its request.
pub trait Operation: DeserializeOwned + Described {
    /// What it answers.
    type Response: Serialize + Described;
    /// Its name.
    const NAME: &'static str;
    /// Its members, for the message when they are wrong.
    const MEMBERS: &'static str;

    /// Runs it.
    /// # Errors
    /// The refusals of what it calls.
    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError>;
}

/// A refused operation, in the words of an answer to an operator.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct OperationError {
    /// The stable code, `crypto.snake_name`.
    pub code: &'static str,
    /// The name of the specification, for example `Signature`.
    pub name: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// One line on what to do. It repeats no input.
    pub message: String,
}

impl From<CryptoError> for OperationError {
    fn from(error: CryptoError) -> Self {
        Self {
            code: error.code(),
            name: error.name(),
            status: error.status(),
            message: error.to_string(),
        }
    }
}

impl fmt::Display for OperationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OperationError {}

/// Name and members of every operation, sorted by name.
pub const OPERATIONS: &[(&str, &str)] = &[
    (CreateSasToken::NAME, CreateSasToken::MEMBERS),
    (DeriveDeviceKey::NAME, DeriveDeviceKey::MEMBERS),
    (PresignUrl::NAME, PresignUrl::MEMBERS),
    (
        VerifyCertificateChain::NAME,
        VerifyCertificateChain::MEMBERS,
    ),
    (VerifyManifest::NAME, VerifyManifest::MEMBERS),
    (VerifySasToken::NAME, VerifySasToken::MEMBERS),
];

/// Runs the operation `name`; nothing when no operation has that name.
///
/// ```
/// use fleet_crypto::operation::run;
/// use serde_json::json;
/// let params = json!({
///     "masterKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
///     "registrationId": "device-001",
/// });
/// let answer = run("DeriveDeviceKey", params).unwrap().unwrap();
/// assert_eq!(answer, json!({"deviceKey": "BG0x/0mIbqnG9RWsosby2GxBOeYgRhXI9gnRqn2lxFI="}));
/// let refused = run("DeriveDeviceKey", json!({"masterKey": "x", "registrationId": "d"}));
/// assert_eq!(refused.unwrap().unwrap_err().code, "crypto.key_encoding");
/// assert!(run("Frobnicate", json!({})).is_none());
/// ```
#[must_use]
pub fn run(name: &str, params: Value) -> Option<Result<Value, OperationError>> {
    run_with(name, params, &crate::RustCrypto)
}

/// As [`run`], over another provider.
#[must_use]
pub fn run_with(
    name: &str,
    params: Value,
    provider: &dyn Provider,
) -> Option<Result<Value, OperationError>> {
    Some(match name {
        CreateSasToken::NAME => one::<CreateSasToken>(params, provider),
        DeriveDeviceKey::NAME => one::<DeriveDeviceKey>(params, provider),
        PresignUrl::NAME => one::<PresignUrl>(params, provider),
        VerifyCertificateChain::NAME => one::<VerifyCertificateChain>(params, provider),
        VerifyManifest::NAME => one::<VerifyManifest>(params, provider),
        VerifySasToken::NAME => one::<VerifySasToken>(params, provider),
        _ => return None,
    })
}

/// The JSON Schemas of the request and the response of the operation `name`; nothing when no operation has that name.
///
/// ```
/// let (request, _) = fleet_crypto::operation::schemas("DeriveDeviceKey").unwrap();
/// assert!(request.get("properties").unwrap().get("masterKey").is_some());
/// ```
#[cfg(feature = "schema")]
#[must_use]
pub fn schemas(name: &str) -> Option<(schemars::Schema, schemars::Schema)> {
    fn of<O: Operation>() -> (schemars::Schema, schemars::Schema) {
        (schemars::schema_for!(O), schemars::schema_for!(O::Response))
    }
    Some(match name {
        CreateSasToken::NAME => of::<CreateSasToken>(),
        DeriveDeviceKey::NAME => of::<DeriveDeviceKey>(),
        PresignUrl::NAME => of::<PresignUrl>(),
        VerifyCertificateChain::NAME => of::<VerifyCertificateChain>(),
        VerifyManifest::NAME => of::<VerifyManifest>(),
        VerifySasToken::NAME => of::<VerifySasToken>(),
        _ => return None,
    })
}

fn one<O: Operation>(params: Value, provider: &dyn Provider) -> Result<Value, OperationError> {
    // What serde says may repeat values, and values may be secret.
    let shape = || OperationError {
        message: format!(
            "the parameters do not have the shape of {}: {}",
            O::NAME,
            O::MEMBERS
        ),
        ..CryptoError::Malformed { what: "parameters" }.into()
    };
    if !params.is_object() {
        return Err(shape());
    }
    let request: O = serde_json::from_value(params).map_err(|_| shape())?;
    let response = request.run(provider)?;
    serde_json::to_value(response).map_err(|_| CryptoError::Malformed { what: "response" }.into())
}

#[cfg(test)]
mod tests;
