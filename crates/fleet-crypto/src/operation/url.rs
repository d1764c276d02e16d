//! Signed addresses.
use super::{Operation, SecretParam};
use crate::encoding::from_base64;
use crate::error::malformed;
use crate::presign::{
    BlobPresigner, BlobUrl, NeutralSigner, S3Credentials, S3Presigner, S3Request, s3_timestamp,
};
use crate::provider::Provider;
use crate::secret::SecretText;
use crate::{CryptoError, UnixSeconds};
use serde::{Deserialize, Serialize};

/// Signs a download address: of S3 when there is an `accessKey`, of an Azure blob when there is an
/// `account`, of the neutral form when there is a `keyId`.
#[derive(Clone, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PresignUrl {
    /// S3 and neutral: the host.
    pub host: Option<String>,
    /// S3: the object key, not escaped. Neutral: the MAC key, base64.
    pub key: Option<SecretParam>,
    /// S3: the access key id.
    #[serde(alias = "access_key")]
    pub access_key: Option<String>,
    /// S3: the secret access key.
    #[serde(alias = "secret_key")]
    pub secret_key: Option<SecretParam>,
    /// S3: the session token of temporary credentials.
    #[serde(alias = "session_token")]
    pub session_token: Option<SecretParam>,
    /// S3: the region.
    pub region: Option<String>,
    /// S3: when it is signed, `20130524T000000Z`. `now` serves as well.
    pub timestamp: Option<String>,
    /// S3: when it is signed, in Unix seconds.
    pub now: Option<UnixSeconds>,
    /// S3: life in seconds.
    pub expires: Option<u32>,
    /// S3: further query parameters, pairs of name and value.
    #[serde(alias = "extra_query")]
    pub extra_query: Vec<(String, String)>,
    /// Blob: the storage account.
    pub account: Option<String>,
    /// Blob: the account key, base64.
    #[serde(alias = "account_key")]
    pub account_key: Option<SecretParam>,
    /// Blob: the container.
    pub container: Option<String>,
    /// Blob: the name, not escaped.
    pub blob: Option<String>,
    /// Blob: not good before, `2026-02-25T07:15:35Z`.
    pub start: Option<String>,
    /// Blob: not good after, as `start`. Neutral: the end, in Unix seconds.
    pub expiry: Option<serde_json::Value>,
    /// Blob: the address or range of addresses that may download.
    pub ip: Option<String>,
    /// Blob: the version of the service.
    pub version: Option<String>,
    /// Neutral: the id of the key.
    #[serde(alias = "key_id")]
    pub key_id: Option<String>,
    /// Neutral: the path, escaped.
    pub path: Option<String>,
    /// Neutral: the device.
    pub device: Option<String>,
}

/// What [`PresignUrl`] answers.
#[derive(Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PresignUrlResponse {
    /// The signed address.
    pub url: String,
    /// Blob: its query alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// S3: the canonical request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canonical_request: Option<String>,
    /// S3 and blob: what was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_to_sign: Option<String>,
    /// S3: the signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

fn need<T>(value: Option<T>) -> Result<T, CryptoError> {
    value.ok_or(malformed("a member of the request is missing"))
}

impl PresignUrl {
    /// Refuses members of the other forms, so that a mixture is never half-read.
    fn only(others: &[bool]) -> Result<(), CryptoError> {
        if others.iter().any(|given| *given) {
            return Err(malformed("members of different forms of address"));
        }
        Ok(())
    }

    fn s3(self, provider: &dyn Provider) -> Result<PresignUrlResponse, CryptoError> {
        Self::only(&[
            self.account.is_some(),
            self.account_key.is_some(),
            self.container.is_some(),
            self.blob.is_some(),
            self.start.is_some(),
            self.expiry.is_some(),
            self.ip.is_some(),
            self.version.is_some(),
            self.key_id.is_some(),
            self.path.is_some(),
            self.device.is_some(),
        ])?;
        let secret = |param: SecretParam| SecretText::new(param.expose_secret().to_owned());
        let credentials = S3Credentials {
            access_key: need(self.access_key)?,
            secret_key: secret(need(self.secret_key)?),
            session_token: self.session_token.map(secret),
        };
        let at = match (self.timestamp, self.now) {
            (Some(text), None) => {
                s3_timestamp(&text).ok_or(malformed("time of a signed address"))?
            }
            (None, Some(now)) => now,
            _ => return Err(malformed("one of `timestamp` and `now` is needed")),
        };
        let region = need(self.region)?;
        let signer = S3Presigner {
            credentials: &credentials,
            region: &region,
            provider,
        };
        let steps = signer.steps(&S3Request {
            host: &need(self.host)?,
            key: need(self.key)?.expose_secret(),
            at,
            expires: need(self.expires)?,
            extra_query: &self.extra_query,
        })?;
        Ok(PresignUrlResponse {
            url: steps.url.expose_secret().to_owned(),
            query: None,
            canonical_request: Some(steps.canonical_request.expose_secret().to_owned()),
            string_to_sign: Some(steps.string_to_sign),
            signature: Some(steps.signature.expose_secret().to_owned()),
        })
    }

    fn not_s3(&self) -> [bool; 6] {
        [
            self.secret_key.is_some(),
            self.session_token.is_some(),
            self.region.is_some(),
            self.timestamp.is_some(),
            self.expires.is_some(),
            !self.extra_query.is_empty(),
        ]
    }

    fn blob(self, provider: &dyn Provider) -> Result<PresignUrlResponse, CryptoError> {
        Self::only(&self.not_s3())?;
        Self::only(&[
            self.host.is_some(),
            self.key.is_some(),
            self.now.is_some(),
            self.key_id.is_some(),
            self.path.is_some(),
            self.device.is_some(),
        ])?;
        let key = need(self.account_key)?;
        let signer = BlobPresigner::new(&need(self.account)?, key.expose_secret(), provider)?;
        let expiry = need(self.expiry)?;
        let url = BlobUrl {
            container: &need(self.container)?,
            blob: &need(self.blob)?,
            start: self.start.as_deref(),
            expiry: expiry
                .as_str()
                .ok_or(malformed("time of a signed address"))?,
            ip: self.ip.as_deref(),
            version: &need(self.version)?,
        };
        Ok(PresignUrlResponse {
            url: signer.presign(&url)?.expose_secret().to_owned(),
            query: Some(signer.query(&url)?.expose_secret().to_owned()),
            string_to_sign: Some(signer.string_to_sign(&url)?),
            signature: Some(signer.signature(&url)?.expose_secret().to_owned()),
            canonical_request: None,
        })
    }

    fn neutral(self, provider: &dyn Provider) -> Result<PresignUrlResponse, CryptoError> {
        Self::only(&self.not_s3())?;
        Self::only(&[
            self.account_key.is_some(),
            self.container.is_some(),
            self.blob.is_some(),
            self.start.is_some(),
            self.ip.is_some(),
            self.version.is_some(),
            self.now.is_some(),
        ])?;
        let key = from_base64(need(self.key)?.expose_secret()).ok_or(CryptoError::KeyEncoding {
            what: "address key",
        })?;
        let key = provider.mac_key(crate::secret::SecretBytes::new(key).expose_secret());
        let expiry = need(self.expiry.and_then(|value| value.as_i64()))?;
        let signer = NeutralSigner {
            key_id: &need(self.key_id)?,
            key: &key,
        };
        let (host, path, device) = (need(self.host)?, need(self.path)?, need(self.device)?);
        let url = signer.presign(&host, &path, &device, UnixSeconds(expiry))?;
        Ok(PresignUrlResponse {
            url: url.expose_secret().to_owned(),
            ..Default::default()
        })
    }
}

impl Operation for PresignUrl {
    type Response = PresignUrlResponse;
    const NAME: &'static str = "PresignUrl";
    const MEMBERS: &'static str = "S3: host, key, accessKey, secretKey, sessionToken?, region, \
         timestamp or now, expires, extraQuery?; blob: account, accountKey (base64), container, blob, \
         start?, expiry, ip?, version; neutral: keyId, key (base64), host, path, device, expiry";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        match (&self.access_key, &self.account, &self.key_id) {
            (Some(_), None, None) => self.s3(provider),
            (None, Some(_), None) => self.blob(provider),
            (None, None, Some(_)) => self.neutral(provider),
            _ => Err(malformed(
                "one of `accessKey`, `account` and `keyId` is needed",
            )),
        }
    }
}
