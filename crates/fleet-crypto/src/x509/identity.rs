//! Who a certificate speaks for, and the two ways in which a device authenticates with one.
use super::path::{ChainVerifier, VerifiedPath};
use super::{Certificate, Thumbprint};
use crate::encoding::hex;
use crate::provider::Provider;
use crate::secret::same_secret;
use crate::{CryptoError, RegistrationId, UnixSeconds};
use std::collections::BTreeSet;

/// Where the registration id stands in a certificate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IdentitySource {
    /// The one common name of the subject.
    #[default]
    CommonName,
    /// The one `dNSName` of the subject alternative name.
    DnsName,
}

impl IdentitySource {
    /// The registration id of a certificate.
    /// # Errors
    /// `crypto.registration_id` unless there is exactly one name of the right type and form.
    pub fn registration_id(self, certificate: &Certificate) -> Result<RegistrationId, CryptoError> {
        let none_or_many = CryptoError::RegistrationId {
            what: "exactly one name is needed",
        };
        match self {
            Self::CommonName => {
                let names =
                    certificate
                        .common_names()
                        .map_err(|_| CryptoError::RegistrationId {
                            what: "string type of the name",
                        })?;
                match names.as_slice() {
                    [one] => one.parse(),
                    _ => Err(none_or_many),
                }
            }
            Self::DnsName => match certificate.dns_names().as_slice() {
                [one] => one.parse(),
                _ => Err(none_or_many),
            },
        }
    }
}

/// The caller's statement that TLS proved possession of the leaf's private key. Make one where the
/// handshake ended, so that the claim is visible in review.
#[derive(Clone, Copy, Debug)]
pub struct PossessionProvenByTls;

/// A device that was authenticated by a certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Authenticated {
    /// The id in the certificate, in its spelling.
    pub registration_id: RegistrationId,
    /// The path that was found; nothing for an enrolled leaf.
    pub path: Option<VerifiedPath>,
}

impl ChainVerifier<'_> {
    /// Authenticates a device: the path, then the identity, then the claim.
    ///
    /// `claimed`: the id that the device gave, compared without regard to case.
    /// # Errors
    /// Those of [`ChainVerifier::verify_path`], then `crypto.registration_id`, then
    /// `crypto.identity_mismatch`.
    ///
    /// Spec: cryptography, sections 4.2 and 4.3.
    pub fn authenticate(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        source: IdentitySource,
        claimed: Option<&RegistrationId>,
        now: UnixSeconds,
        _possession: PossessionProvenByTls,
    ) -> Result<Authenticated, CryptoError> {
        let path = self.verify_path(leaf, intermediates, now)?;
        let registration_id = identify(leaf, source, claimed)?;
        Ok(Authenticated {
            registration_id,
            path: Some(path),
        })
    }
}

fn identify(
    leaf: &Certificate,
    source: IdentitySource,
    claimed: Option<&RegistrationId>,
) -> Result<RegistrationId, CryptoError> {
    let id = source.registration_id(leaf)?;
    if claimed.is_some_and(|claimed| !claimed.same_device(&id)) {
        return Err(CryptoError::IdentityMismatch {
            what: "claimed registration id",
        });
    }
    Ok(id)
}

/// A leaf that was itself enrolled (individual enrolment). No path is built for it, so it may be
/// self-signed and even say `CA:TRUE`.
///
/// Spec: cryptography, section 4.2 (enrolled leaf) and 4.4.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum EnrolledLeaf {
    /// The whole certificate is stored.
    Certificate(Box<Certificate>),
    /// Only its SHA-256 is stored.
    Sha256([u8; 32]),
}

impl EnrolledLeaf {
    /// An enrolment by thumbprint. A SHA-1 thumbprint is taken only beside a stored certificate.
    /// # Errors
    /// `crypto.algorithm` for a SHA-1 thumbprint alone; `crypto.key_mismatch` when it is not the
    /// thumbprint of `stored`.
    pub fn from_thumbprint(
        thumbprint: Thumbprint,
        stored: Option<Certificate>,
        provider: &dyn Provider,
    ) -> Result<Self, CryptoError> {
        let differs = CryptoError::KeyMismatch {
            what: "thumbprint of the stored certificate",
        };
        match (thumbprint, stored) {
            (Thumbprint::Sha256(hash), None) => Ok(Self::Sha256(hash)),
            (Thumbprint::Sha1(_), None) => Err(CryptoError::Algorithm {
                what: "SHA-1 thumbprint alone",
            }),
            (thumbprint, Some(stored)) if thumbprint.is_of(&stored, provider) => {
                Ok(Self::Certificate(Box::new(stored)))
            }
            _ => Err(differs),
        }
    }
}

/// What the authentication by an enrolled leaf needs besides the certificate that was presented.
#[derive(Clone, Copy, Debug)]
pub struct LeafVerifier<'a> {
    /// The enrolment.
    pub enrolled: &'a EnrolledLeaf,
    /// Certificates that are refused first.
    pub deny: Option<&'a DenyList>,
    /// The primitives.
    pub provider: &'a dyn Provider,
}

impl LeafVerifier<'_> {
    /// Authenticates a device by its enrolled leaf: equality, validity, algorithms, identity.
    /// # Errors
    /// `crypto.revoked` (deny-list), `crypto.unknown_issuer` when the leaf is not the enrolled one,
    /// `crypto.not_yet_valid`, `crypto.expired`, `crypto.algorithm`, `crypto.registration_id`,
    /// `crypto.identity_mismatch`.
    pub fn authenticate(
        &self,
        leaf: &Certificate,
        source: IdentitySource,
        claimed: Option<&RegistrationId>,
        now: UnixSeconds,
        _possession: PossessionProvenByTls,
    ) -> Result<Authenticated, CryptoError> {
        if let Some(deny) = self.deny {
            deny.check(leaf, self.provider)?;
        }
        let enrolled = match self.enrolled {
            EnrolledLeaf::Certificate(stored) => same_secret(stored.der(), leaf.der()),
            EnrolledLeaf::Sha256(hash) => same_secret(hash, &self.provider.sha256(&[leaf.der()])),
        };
        if !enrolled {
            return Err(CryptoError::UnknownIssuer {
                what: "not the enrolled certificate",
            });
        }
        leaf.check_time(now)?;
        leaf.check_algorithms(self.provider)?;
        let registration_id = identify(leaf, source, claimed)?;
        Ok(Authenticated {
            registration_id,
            path: None,
        })
    }
}

/// Certificates and enrolments that are refused before anything else; needs no revocation list.
///
/// Spec: cryptography, section 4.7.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DenyList {
    certificates: BTreeSet<[u8; 32]>,
    enrolments: BTreeSet<String>,
}

impl DenyList {
    /// Adds a certificate by its SHA-256 thumbprint. Returns whether it is new.
    pub fn deny_certificate(&mut self, sha256: [u8; 32]) -> bool {
        self.certificates.insert(sha256)
    }

    /// Adds an enrolment (or registration) by its id, without regard to case.
    pub fn deny_enrolment(&mut self, id: &str) -> bool {
        self.enrolments.insert(id.to_ascii_lowercase())
    }

    /// Takes a certificate off the list.
    pub fn allow_certificate(&mut self, sha256: &[u8; 32]) -> bool {
        self.certificates.remove(sha256)
    }

    /// Takes an enrolment off the list.
    pub fn allow_enrolment(&mut self, id: &str) -> bool {
        self.enrolments.remove(&id.to_ascii_lowercase())
    }

    /// Whether an enrolment stands on the list.
    /// # Errors
    /// `crypto.revoked`.
    pub fn check_enrolment(&self, id: &str) -> Result<(), CryptoError> {
        if self.enrolments.contains(&id.to_ascii_lowercase()) {
            return Err(CryptoError::Revoked { what: "deny-list" });
        }
        Ok(())
    }

    /// Whether a certificate stands on the list.
    /// # Errors
    /// `crypto.revoked`.
    pub fn check(
        &self,
        certificate: &Certificate,
        provider: &dyn Provider,
    ) -> Result<(), CryptoError> {
        if !self.certificates.is_empty()
            && self
                .certificates
                .contains(&provider.sha256(&[certificate.der()]))
        {
            return Err(CryptoError::Revoked { what: "deny-list" });
        }
        Ok(())
    }

    /// The denied thumbprints in lower-case hexadecimal, sorted.
    #[must_use]
    pub fn certificates(&self) -> Vec<String> {
        self.certificates.iter().map(|hash| hex(hash)).collect()
    }
}
