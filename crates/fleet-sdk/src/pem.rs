//! Certificates as they come in requests.

use base64::Engine as _;
use fleet_crypto::UnixSeconds;
use fleet_crypto::x509;
use fleet_model::id::CertificateId;
use fleet_model::kernel::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::refusal::Refusal;

/// A certificate read from PEM: its id, and what its X.509 says.
pub(crate) struct Pem {
    pub(crate) id: CertificateId,
    pub(crate) x509: x509::Certificate,
}

fn refused(reason: &str) -> Refusal {
    Refusal::new(
        "certificate.malformed",
        format!("the certificate is not PEM: {reason}"),
    )
}

fn time(at: UnixSeconds) -> Timestamp {
    Timestamp::from_secs(at.0)
}

impl Pem {
    /// Decodes one PEM block, which must hold a certificate; the id is the SHA-256 of its DER.
    pub(crate) fn read(text: &str) -> Result<Self, Refusal> {
        let (_, rest) = text
            .split_once("-----BEGIN CERTIFICATE-----")
            .ok_or_else(|| refused("it has no line `-----BEGIN CERTIFICATE-----`"))?;
        let (body, _) = rest
            .split_once("-----END CERTIFICATE-----")
            .ok_or_else(|| refused("it has no line `-----END CERTIFICATE-----`"))?;
        let body: String = body.split_whitespace().collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(body)
            .map_err(|_| refused("its body is not base64"))?;
        let x509 = x509::Certificate::from_der(&der).map_err(|error| {
            Refusal::new(
                "certificate.malformed",
                format!("the PEM holds no X.509 certificate: {error}"),
            )
        })?;
        Ok(Self {
            id: CertificateId::of_digest(Sha256::digest(&der).into()),
            x509,
        })
    }

    /// Since when it is valid.
    pub(crate) fn not_before(&self) -> Timestamp {
        time(self.x509.not_before())
    }

    /// Until when it is valid.
    pub(crate) fn not_after(&self) -> Timestamp {
        time(self.x509.not_after())
    }
}
