//! Signed manifests.
use super::Operation;
use crate::encoding::{from_base64, from_base64url};
use crate::error::malformed;
use crate::manifest::{Jws, KeySet, Manifest, RollbackPolicy, TrustedKey, UpdateVersion};
use crate::provider::{KeyKind, Provider};
use crate::x509::PublicKey;
use crate::{CryptoError, UnixSeconds};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A trusted key.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManifestKey {
    /// `EdDSA` or `ES256`; must fit the key when given.
    #[serde(default)]
    pub alg: Option<String>,
    /// The key, PEM `PUBLIC KEY`.
    #[serde(alias = "public_pem")]
    pub public_pem: String,
}

/// Verifies a signed manifest.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyManifest {
    /// The JWS, compact or detached.
    pub jws: String,
    /// The payload of a detached JWS, base64 or base64url.
    #[serde(default, alias = "payload_b64", alias = "payloadB64")]
    pub payload: Option<String>,
    /// The trusted keys by their ids.
    pub keys: BTreeMap<String, ManifestKey>,
    /// Now; needed for a manifest that expires.
    #[serde(default)]
    pub now: Option<UnixSeconds>,
    /// The highest version of the same update that was accepted before.
    #[serde(default)]
    pub highest_version: Option<UpdateVersion>,
}

/// What [`VerifyManifest`] answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyManifestResponse {
    /// The key that signed.
    pub kid: String,
    /// The manifest, as it was signed.
    pub manifest: Manifest,
}

impl Operation for VerifyManifest {
    type Response = VerifyManifestResponse;
    const NAME: &'static str = "VerifyManifest";
    const MEMBERS: &'static str = "jws, payload? (base64), keys {kid: {alg?, publicPem}}, \
         now? (Unix seconds), highestVersion?";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        let mut keys = vec![];
        for (key_id, given) in self.keys {
            let key = PublicKey::from_pem(&given.public_pem)?;
            let alg = match key.kind() {
                KeyKind::Ed25519 => "EdDSA",
                KeyKind::P256 => "ES256",
                _ => {
                    return Err(CryptoError::Algorithm {
                        what: "key of a key set",
                    });
                }
            };
            if given.alg.is_some_and(|given| given != alg) {
                return Err(CryptoError::Algorithm {
                    what: "the key is for another algorithm",
                });
            }
            keys.push(TrustedKey { key_id, key });
        }
        let keys = KeySet::new("request", 1, 1, keys)?;
        let payload = self.payload.map(|text| {
            from_base64(&text)
                .or_else(|| from_base64url(&text))
                .ok_or(malformed("base64 of the payload"))
        });
        let payload = payload.transpose()?;
        // Without a clock nothing has expired yet; a manifest that can expire then refuses.
        let now = self.now.unwrap_or(UnixSeconds(i64::MIN));
        let manifest = keys.verify(&self.jws, payload.as_deref(), provider, now)?;
        if manifest.expires.is_some() && self.now.is_none() {
            return Err(malformed("`now` is needed, the manifest expires"));
        }
        manifest.check_version(self.highest_version.as_ref(), RollbackPolicy::Refuse)?;
        let jws = Jws::parse(&self.jws, payload.as_deref())?;
        let kid = jws.key_id().unwrap_or_default().to_owned();
        Ok(VerifyManifestResponse { kid, manifest })
    }
}
