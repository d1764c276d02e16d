//! Device keys and tokens.
use super::{Operation, SecretParam};
use crate::encoding::from_base64;
use crate::provider::{MacKey, Provider};
use crate::sas::{ResourceMatch, Verifier, create};
use crate::secret::SecretBytes;
use crate::symmetric::{Slot, SymmetricKey};
use crate::{CryptoError, RegistrationId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// Derives the key of one device of a group.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeriveDeviceKey {
    /// The group key, base64 of 16 to 64 bytes.
    #[serde(alias = "master_key")]
    pub master_key: SecretParam,
    /// The registration id, exactly as the device writes it.
    #[serde(alias = "registration_id")]
    pub registration_id: String,
}

/// What [`DeriveDeviceKey`] answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeriveDeviceKeyResponse {
    /// The device key, base64.
    pub device_key: String,
}

impl Operation for DeriveDeviceKey {
    type Response = DeriveDeviceKeyResponse;
    const NAME: &'static str = "DeriveDeviceKey";
    const MEMBERS: &'static str = "masterKey (base64), registrationId";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        let key = SymmetricKey::from_base64(self.master_key.expose_secret())?;
        let id: RegistrationId = self.registration_id.parse()?;
        let derived = key.prepare(provider).derive(&id).to_base64();
        Ok(DeriveDeviceKeyResponse {
            device_key: derived.expose_secret().to_owned(),
        })
    }
}

/// Makes a shared access signature.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateSasToken {
    /// The resource, not escaped.
    #[serde(alias = "uri")]
    pub resource: String,
    /// The key, base64.
    pub key: SecretParam,
    /// The end of its life.
    #[serde(alias = "se")]
    pub expiry: UnixSeconds,
    /// `skn`
    #[serde(default, alias = "key_name", alias = "skn")]
    pub key_name: Option<String>,
}

/// What [`CreateSasToken`] answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CreateSasTokenResponse {
    /// The token.
    pub token: String,
}

/// A key of a hub or service: any length but zero, unlike an enrolment key.
fn raw_key(text: &SecretParam) -> Result<SecretBytes, CryptoError> {
    let bytes = from_base64(text.expose_secret()).ok_or(CryptoError::KeyEncoding {
        what: "key of a token",
    })?;
    if bytes.is_empty() {
        return Err(CryptoError::KeyLength {
            what: "key of a token",
        });
    }
    Ok(SecretBytes::new(bytes))
}

impl Operation for CreateSasToken {
    type Response = CreateSasTokenResponse;
    const NAME: &'static str = "CreateSasToken";
    const MEMBERS: &'static str = "resource, key (base64), expiry (Unix seconds), keyName?";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        let key = provider.mac_key(raw_key(&self.key)?.expose_secret());
        let token = create(&key, &self.resource, self.expiry, self.key_name.as_deref())?;
        Ok(CreateSasTokenResponse {
            token: token.expose_secret().to_owned(),
        })
    }
}

/// The keys of an enrolment.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SasKeys {
    /// The key in use, base64.
    pub primary: SecretParam,
    /// The key that devices move to, base64.
    #[serde(default)]
    pub secondary: Option<SecretParam>,
}

/// Verifies a shared access signature.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifySasToken {
    /// The token.
    pub token: SecretParam,
    /// The resource that is asked for.
    pub resource: String,
    /// The keys of the enrolment.
    pub keys: SasKeys,
    /// Now.
    pub now: UnixSeconds,
    /// Seconds that a token is taken after its expiry; 300 when absent.
    #[serde(default, alias = "skew_s")]
    pub skew: Option<u32>,
    /// Longest life from now, in seconds.
    #[serde(default, alias = "max_ttl_s")]
    pub longest_life: Option<u32>,
    /// `exact` (default) or `prefix`.
    #[serde(default)]
    pub resource_match: MatchParam,
}

/// How resources are compared.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum MatchParam {
    /// Equal.
    #[default]
    Exact,
    /// Equal to it or to its first whole segments.
    Prefix,
}

/// What [`VerifySasToken`] answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VerifySasTokenResponse {
    /// The slot whose key made the token.
    pub matched: Slot,
}

impl Operation for VerifySasToken {
    type Response = VerifySasTokenResponse;
    const NAME: &'static str = "VerifySasToken";
    const MEMBERS: &'static str = "token, resource, keys {primary, secondary?}, now (Unix seconds), \
         skew?, longestLife?, resourceMatch? (exact, prefix)";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        let primary = raw_key(&self.keys.primary)?;
        let secondary = self.keys.secondary.as_ref().map(raw_key).transpose()?;
        if secondary
            .as_ref()
            .is_some_and(|secondary| secondary.same_as(&primary))
        {
            return Err(CryptoError::KeyReuse {
                what: "primary and secondary",
            });
        }
        let prepare = |key: &SecretBytes| -> MacKey { provider.mac_key(key.expose_secret()) };
        let verifier = Verifier {
            skew: self.skew.unwrap_or(300),
            longest_life: self.longest_life,
            resource_match: match self.resource_match {
                MatchParam::Exact => ResourceMatch::Exact,
                MatchParam::Prefix => ResourceMatch::Prefix,
            },
        };
        let seen = verifier.verify(
            self.token.expose_secret(),
            &self.resource,
            &prepare(&primary),
            secondary.as_ref().map(prepare).as_ref(),
            self.now,
        )?;
        Ok(VerifySasTokenResponse {
            matched: seen.matched,
        })
    }
}
