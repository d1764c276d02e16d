//! Certificate chains.
use super::Operation;
use crate::encoding::from_base64;
use crate::error::malformed;
use crate::provider::Provider;
use crate::x509::{Certificate, ChainVerifier, Crl, IdentitySource, Profile, Purpose};
use crate::{CryptoError, RegistrationId, UnixSeconds};
use serde::{Deserialize, Serialize};

/// Verifies a certificate chain and names the device.
#[derive(Clone, Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyCertificateChain {
    /// The device's certificate, PEM or base64 DER.
    pub leaf: String,
    /// Intermediates in any order.
    #[serde(default)]
    pub intermediates: Vec<String>,
    /// Enrolled roots or intermediates.
    pub anchors: Vec<String>,
    /// Revocation lists.
    #[serde(default)]
    pub crls: Vec<String>,
    /// Now.
    pub now: UnixSeconds,
    /// `device` (default) or `rfc5280`.
    #[serde(default)]
    pub profile: ProfileParam,
    /// `client` (default) or `server`.
    #[serde(default)]
    pub purpose: PurposeParam,
    /// The id that the device claims.
    #[serde(default)]
    pub claimed_id: Option<RegistrationId>,
}

/// The rules.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum ProfileParam {
    /// [`Profile::Device`]
    #[default]
    Device,
    /// [`Profile::Rfc5280`]
    Rfc5280,
}

/// What the leaf is for.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum PurposeParam {
    /// [`Purpose::Client`]
    #[default]
    Client,
    /// [`Purpose::Server`]
    Server,
}

/// One certificate of the path.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PathStep {
    /// Its subject, for people.
    pub subject: String,
    /// Its SHA-256 thumbprint.
    pub sha256: String,
}

/// What [`VerifyCertificateChain`] answers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct VerifyCertificateChainResponse {
    /// The device. Under the profile `rfc5280` a certificate without a registration id is accepted,
    /// and this is null.
    pub registration_id: Option<RegistrationId>,
    /// The path from the leaf to the anchor, both included.
    pub path: Vec<PathStep>,
}

/// PEM as it is, or base64 of DER.
fn binary(text: &str) -> Result<Vec<u8>, CryptoError> {
    if text.contains("-----BEGIN") {
        Ok(text.as_bytes().to_vec())
    } else {
        from_base64(text).ok_or(malformed("base64 of a certificate or revocation list"))
    }
}

fn certificates(texts: &[String]) -> Result<Vec<Certificate>, CryptoError> {
    texts
        .iter()
        .map(|text| Certificate::parse(&binary(text)?))
        .collect()
}

impl Operation for VerifyCertificateChain {
    type Response = VerifyCertificateChainResponse;
    const NAME: &'static str = "VerifyCertificateChain";
    const MEMBERS: &'static str = "leaf, intermediates, anchors, crls? (PEM or base64 DER), \
         now (Unix seconds), profile? (device, rfc5280), purpose? (client, server), claimedId?";

    fn run(self, provider: &dyn Provider) -> Result<Self::Response, CryptoError> {
        let leaf = Certificate::parse(&binary(&self.leaf)?)?;
        let bag = certificates(&self.intermediates)?;
        let anchors = certificates(&self.anchors)?;
        let crls = self.crls.iter().map(|text| Crl::parse(&binary(text)?));
        let crls = crls.collect::<Result<Vec<_>, _>>()?;
        let verifier = ChainVerifier {
            crls: &crls,
            profile: match self.profile {
                ProfileParam::Device => Profile::Device,
                ProfileParam::Rfc5280 => Profile::Rfc5280,
            },
            purpose: match self.purpose {
                PurposeParam::Client => Purpose::Client,
                PurposeParam::Server => Purpose::Server,
            },
            ..ChainVerifier::new(&anchors, provider)
        };
        let path = verifier.verify_path(&leaf, &bag, self.now)?;
        let registration_id = match IdentitySource::CommonName.registration_id(&leaf) {
            Ok(id) => Some(id),
            Err(_) if self.profile == ProfileParam::Rfc5280 && self.claimed_id.is_none() => None,
            Err(refusal) => return Err(refusal),
        };
        if let (Some(claimed), Some(id)) = (&self.claimed_id, &registration_id)
            && !claimed.same_device(id)
        {
            return Err(CryptoError::IdentityMismatch {
                what: "claimed registration id",
            });
        }
        let between = path
            .intermediates
            .iter()
            .filter_map(|index| bag.get(*index));
        let steps = std::iter::once(&leaf)
            .chain(between)
            .chain(anchors.get(path.anchor));
        let path = steps.map(|certificate| PathStep {
            subject: certificate.subject_text(),
            sha256: certificate.sha256_thumbprint(provider),
        });
        Ok(VerifyCertificateChainResponse {
            registration_id,
            path: path.collect(),
        })
    }
}
