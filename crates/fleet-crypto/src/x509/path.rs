//! From a leaf to an enrolled certificate.
//!
//! The path is built and verified by rustls-webpki. What it does not check is checked here on every
//! candidate path, so that a path which fails does not stop the search for another one: key usage of
//! issuers, validity, CA flag and path length of the anchor, key strength, kinds of name constraints,
//! the rules for leaves, revocation, and the additions of the stricter profile.
use super::bridge::{Bridge, Budgeted};
use super::extension::KEY_CERT_SIGN;
use super::{Certificate, Crl, DenyList, name};
use crate::provider::Provider;
use crate::{CryptoError, UnixSeconds};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use std::cell::RefCell;
use std::time::Duration;
use webpki::{EndEntityCert, Error as WebpkiError, ExtendedKeyUsageValidator, KeyPurposeIdIter};

/// Most intermediates that a caller may hand over.
pub const MAX_BAG: usize = 16;

/// Most intermediates in a path.
pub const MAX_INTERMEDIATES: usize = 5;

/// Which rules beyond the common ones a path must obey.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Profile {
    /// Takes certificates that common tools make; key identifiers may be absent.
    #[default]
    Device,
    /// Adds what RFC 5280 demands of the form: `basicConstraints` critical in every CA; an authority
    /// key identifier in all but a self-signed root and a subject key identifier in every CA, neither
    /// critical; name constraints critical, not empty, of host names without a leading period, and none
    /// in a leaf; policy constraints critical; a CA's subject not empty, a leaf's only beside a critical
    /// alternative name; DNS names in preferred syntax; revocation lists with a number.
    Rfc5280,
}

/// What the leaf is to be used for.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Purpose {
    /// A device that authenticates to the service.
    #[default]
    Client,
    /// A server, for callers who verify their own end with the same rules.
    Server,
}

/// What a verification needs besides the certificates: the enrolled anchors, revocation lists, the
/// deny-list, the rules and the implementation of the primitives.
///
/// ```
/// use fleet_crypto::signer::LocalSigner;
/// use fleet_crypto::x509::{CertificateAuthority, ChainVerifier};
/// use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};
/// # struct Counter(u8);
/// # impl SecureRandom for Counter {
/// #     fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
/// #         for byte in out { self.0 = self.0.wrapping_add(1); *byte = self.0; }
/// #         Ok(())
/// #     }
/// # }
/// # let mut random = Counter(0);
/// let now = UnixSeconds(1_780_000_000);
/// let root_key = LocalSigner::generate_p256(&mut random)?;
/// let root = CertificateAuthority::self_signed("Fleet root", &root_key, None,
///     (now, now.plus(900 * 86_400)), &mut random, &RustCrypto)?;
/// let device = CertificateAuthority::new(&root, &root_key, &RustCrypto)?
///     .issue_with_keys("dev-1", now, 86_400, &mut random)?;
///
/// let anchors = [root];
/// let verifier = ChainVerifier::new(&anchors, &RustCrypto);
/// let leaf = device.issued.certificate;
/// assert_eq!(verifier.verify_path(&leaf, &[], now)?.anchor, 0);
/// let late = verifier.verify_path(&leaf, &[], now.plus(2 * 86_400));
/// assert_eq!(late.unwrap_err().name(), "Expired");
/// # Ok::<(), CryptoError>(())
/// ```
/// Spec: cryptography, section 4.2.
#[derive(Clone, Copy, Debug)]
pub struct ChainVerifier<'a> {
    /// Enrolled roots or enrolled intermediates; never a system store.
    pub anchors: &'a [Certificate],
    /// Revocation lists. If any is given, every certificate below the anchor must have a status.
    pub crls: &'a [Crl],
    /// Certificates that are refused first, whatever the lists say.
    pub deny: Option<&'a DenyList>,
    /// The rules.
    pub profile: Profile,
    /// What the leaf is for.
    pub purpose: Purpose,
    /// Most intermediates in a path that are not self-issued; [`MAX_INTERMEDIATES`] in any case.
    pub max_intermediates: usize,
    /// The primitives.
    pub provider: &'a dyn Provider,
}

/// The path that was found, as indices into what the caller gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifiedPath {
    /// The intermediates, from the issuer of the leaf upwards.
    pub intermediates: Vec<usize>,
    /// The anchor at the end.
    pub anchor: usize,
}

/// Every `extendedKeyUsage` is judged by this crate's own leaf rule; those of CAs are not restricted.
struct AnyKeyUsage;

impl ExtendedKeyUsageValidator for AnyKeyUsage {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), WebpkiError> {
        Ok(())
    }
}

impl<'a> ChainVerifier<'a> {
    /// A verifier with the default rules: `Device` profile, client leaves, no revocation lists.
    #[must_use]
    pub const fn new(anchors: &'a [Certificate], provider: &'a dyn Provider) -> Self {
        Self {
            anchors,
            crls: &[],
            deny: None,
            profile: Profile::Device,
            purpose: Purpose::Client,
            max_intermediates: MAX_INTERMEDIATES,
            provider,
        }
    }

    /// Finds a path from `leaf` over `intermediates` (any order, at most [`MAX_BAG`]) to an anchor and
    /// checks everything about it at `now`.
    ///
    /// Who presents the leaf is not judged here: see [`ChainVerifier::authenticate`].
    /// # Errors
    /// The refusals of section 4.2 and 4.7, among them `crypto.unknown_issuer`,
    /// `crypto.bad_signature`, `crypto.expired`, `crypto.revoked`. When several apply, any of them.
    pub fn verify_path(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        now: UnixSeconds,
    ) -> Result<VerifiedPath, CryptoError> {
        if let Some(deny) = self.deny {
            deny.check(leaf, self.provider)?;
        }
        if intermediates.len() > MAX_BAG {
            return Err(CryptoError::TooLong {
                what: "intermediates given",
            });
        }
        let budget = Budgeted::new(self.provider);
        let bridges = Bridge::all(&budget);
        let algorithms: Vec<&dyn SignatureVerificationAlgorithm> =
            bridges.iter().map(|bridge| bridge as _).collect();
        let anchor_ders: Vec<_> = self
            .anchors
            .iter()
            .map(|anchor| CertificateDer::from(anchor.der()))
            .collect();
        let mut anchor_refusal = None;
        let mut anchors: Vec<TrustAnchor<'_>> = vec![];
        let mut anchor_index = vec![];
        for (index, der) in anchor_ders.iter().enumerate() {
            match webpki::anchor_from_trusted_cert(der) {
                Ok(anchor) => {
                    anchors.push(anchor);
                    anchor_index.push(index);
                }
                Err(error) => anchor_refusal = Some(refusal(&error)),
            }
        }
        let leaf_der = CertificateDer::from(leaf.der());
        let entity = EndEntityCert::try_from(&leaf_der).map_err(|error| refusal(&error))?;
        let bag: Vec<_> = intermediates
            .iter()
            .map(|one| CertificateDer::from(one.der()))
            .collect();
        let instant = u64::try_from(now.0).map_err(|_| CryptoError::NotYetValid {
            what: "the clock is before 1970",
        })?;
        let instant = UnixTime::since_unix_epoch(Duration::from_secs(instant));

        let found = RefCell::new(None);
        let refused: RefCell<Option<CryptoError>> = RefCell::new(None);
        let judge = |candidate: &webpki::VerifiedPath<'_>| {
            let anchor = anchors
                .iter()
                .zip(&anchor_index)
                .find_map(|(anchor, index)| {
                    std::ptr::eq(anchor, candidate.anchor()).then_some(*index)
                })
                .ok_or(WebpkiError::UnknownIssuer)?;
            let between: Option<Vec<usize>> = candidate
                .intermediate_certificates()
                .map(|cert| bag.iter().position(|one| **one == *cert.der()))
                .collect();
            let path = VerifiedPath {
                intermediates: between.ok_or(WebpkiError::UnknownIssuer)?,
                anchor,
            };
            match self.judge(leaf, intermediates, &path, &budget, now) {
                Ok(()) => {
                    found.replace(Some(path));
                    Ok(())
                }
                Err(refusal) => {
                    refused.borrow_mut().get_or_insert(refusal);
                    Err(WebpkiError::UnknownIssuer)
                }
            }
        };
        let outcome = entity.verify_for_usage(
            &algorithms,
            &anchors,
            &bag,
            instant,
            AnyKeyUsage,
            None,
            Some(&judge),
        );
        match (outcome, found.take(), refused.take()) {
            (Ok(_), Some(path), _) => Ok(path),
            (_, _, _) if budget.is_spent() => Err(CryptoError::TooLong {
                what: "signature checks",
            }),
            (_, _, Some(own)) => Err(own),
            (Err(WebpkiError::UnknownIssuer), _, None) if anchor_refusal.is_some() => {
                Err(anchor_refusal.unwrap_or(CryptoError::UnknownIssuer { what: "path" }))
            }
            (Err(error), _, None) => Err(refusal(&error)),
            (Ok(_), None, None) => Err(CryptoError::UnknownIssuer { what: "path" }),
        }
    }

    /// Everything that the path builder does not check.
    fn judge(
        &self,
        leaf: &Certificate,
        bag: &[Certificate],
        path: &VerifiedPath,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<(), CryptoError> {
        const LOST: CryptoError = CryptoError::UnknownIssuer { what: "path" };
        if path.intermediates.len() > MAX_INTERMEDIATES {
            return Err(CryptoError::TooLong {
                what: "intermediates in the path",
            });
        }
        let mut issuers = Vec::with_capacity(path.intermediates.len().saturating_add(1));
        for index in &path.intermediates {
            issuers.push(bag.get(*index).ok_or(LOST)?);
        }
        issuers.push(self.anchors.get(path.anchor).ok_or(LOST)?);
        let counted = issuers
            .iter()
            .skip(1)
            .zip(&issuers)
            .filter(|(_, one)| !one.is_self_issued());
        if counted.count() > self.max_intermediates {
            return Err(CryptoError::TooLong {
                what: "intermediates in the path",
            });
        }
        self.check_common(leaf, now)?;
        let mut below = 0u32;
        for issuer in &issuers {
            self.check_issuer(issuer, now)?;
            let limit = issuer
                .extensions
                .basic_constraints
                .and_then(|b| b.path_length);
            if limit.is_some_and(|limit| below > limit) {
                return Err(CryptoError::PathLength { what: "issuer" });
            }
            below = below.saturating_add(u32::from(!issuer.is_self_issued()));
        }
        self.check_leaf(leaf)?;
        if let Some(deny) = self.deny {
            for issuer in &issuers {
                deny.check(issuer, self.provider)?;
            }
        }
        if !self.crls.is_empty() {
            let mut certificate = leaf;
            for issuer in issuers {
                self.check_status(certificate, issuer, provider, now)?;
                certificate = issuer;
            }
        }
        Ok(())
    }

    /// What every certificate of a path must obey.
    fn check_common(&self, certificate: &Certificate, now: UnixSeconds) -> Result<(), CryptoError> {
        let malformed = |what| Err(CryptoError::Malformed { what });
        certificate.check_time(now)?;
        if !certificate.serial_fits {
            return malformed("serial number");
        }
        certificate.check_algorithms(self.provider)?;
        let extensions = &certificate.extensions;
        if extensions.unknown_critical {
            return Err(CryptoError::CriticalExtension {
                what: "unknown extension",
            });
        }
        if self.profile == Profile::Rfc5280 {
            if extensions.key_id_critical {
                return malformed("critical key identifier");
            }
            if extensions.loose_policy {
                return malformed("policy constraints are not critical");
            }
            let names = extensions.subject_alt_name.as_ref();
            if names.is_some_and(|names| !names.all_preferred()) {
                return malformed("DNS name not in preferred syntax");
            }
            if name::is_empty(certificate.subject()) && !names.is_some_and(|names| names.critical) {
                return malformed("empty subject without critical alternative name");
            }
            let root = certificate.is_self_issued()
                && self.anchors.iter().any(|anchor| anchor == certificate);
            if extensions.authority_key_id.is_none() && !root {
                return malformed("no authority key identifier");
            }
        }
        Ok(())
    }

    /// What every CA certificate of a path must obey, the anchor too.
    fn check_issuer(&self, issuer: &Certificate, now: UnixSeconds) -> Result<(), CryptoError> {
        let malformed = |what| Err(CryptoError::Malformed { what });
        let constraints = issuer.extensions.basic_constraints.filter(|b| b.ca);
        let Some(constraints) = constraints.filter(|_| issuer.version == 3) else {
            return Err(CryptoError::NotCa { what: "issuer" });
        };
        if !issuer.extensions.may(KEY_CERT_SIGN) {
            return Err(CryptoError::KeyUsage {
                what: "issuer without keyCertSign",
            });
        }
        self.check_common(issuer, now)?;
        let names = issuer.extensions.name_constraints;
        if names.is_some_and(|names| names.other_kind) {
            return Err(CryptoError::NameConstraint {
                what: "kind of name",
            });
        }
        if self.profile == Profile::Rfc5280 {
            if !constraints.critical {
                return malformed("basic constraints of a CA are not critical");
            }
            if issuer.extensions.subject_key_id.is_none() {
                return malformed("a CA without subject key identifier");
            }
            if names.is_some_and(|names| !names.critical || names.empty || names.odd_dns) {
                return malformed("name constraints not critical, empty or no host name");
            }
            if name::is_empty(issuer.subject()) {
                return malformed("a CA with an empty subject");
            }
        }
        Ok(())
    }

    /// What the leaf must obey besides.
    fn check_leaf(&self, leaf: &Certificate) -> Result<(), CryptoError> {
        let extensions = &leaf.extensions;
        if leaf.is_ca() {
            return Err(CryptoError::CaAsLeaf { what: "leaf" });
        }
        if extensions
            .key_usage
            .is_some_and(|usage| usage & KEY_CERT_SIGN != 0)
        {
            return Err(CryptoError::KeyUsage {
                what: "leaf with keyCertSign",
            });
        }
        let wanted = extensions
            .extended_key_usage
            .is_none_or(|usage| match self.purpose {
                Purpose::Client => usage.client,
                Purpose::Server => usage.server,
            });
        if !wanted {
            return Err(CryptoError::ExtendedKeyUsage { what: "leaf" });
        }
        if self.profile == Profile::Rfc5280 && extensions.name_constraints.is_some() {
            return Err(CryptoError::Malformed {
                what: "name constraints in a leaf",
            });
        }
        Ok(())
    }

    /// The revocation status of one certificate by the lists of its issuer.
    fn check_status(
        &self,
        certificate: &Certificate,
        issuer: &Certificate,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<(), CryptoError> {
        let mut outcome = Err(CryptoError::RevocationUnknown {
            what: "no list of the issuer",
        });
        for crl in self
            .crls
            .iter()
            .filter(|crl| crl.issuer() == certificate.issuer())
        {
            let numbered = self.profile == Profile::Device || crl.number.is_some();
            let checked = if numbered {
                crl.check(issuer, provider, now)
            } else {
                Err(CryptoError::Malformed {
                    what: "revocation list without number",
                })
            };
            match checked {
                Ok(()) if crl.lists(certificate.serial()) => {
                    return Err(CryptoError::Revoked {
                        what: "revocation list",
                    });
                }
                Ok(()) => outcome = Ok(()),
                Err(CryptoError::Malformed { what }) if outcome.is_err() => {
                    outcome = Err(CryptoError::Malformed { what });
                }
                Err(refusal) => {
                    if matches!(outcome, Err(CryptoError::RevocationUnknown { .. })) {
                        outcome = Err(refusal);
                    }
                }
            }
        }
        outcome
    }

    /// Every rule that a certificate of the input breaks by itself, and the verdict over the whole:
    /// for people who ask why.
    #[must_use]
    pub fn explain(
        &self,
        leaf: &Certificate,
        intermediates: &[Certificate],
        now: UnixSeconds,
    ) -> Explanation {
        let mut findings = vec![];
        let mut note = |role, certificate: &Certificate, checked: Result<(), CryptoError>| {
            if let Err(refusal) = checked {
                let subject = certificate.subject_text();
                findings.push(Finding {
                    role,
                    subject,
                    refusal,
                });
            }
        };
        note(Role::Leaf, leaf, self.check_common(leaf, now));
        note(Role::Leaf, leaf, self.check_leaf(leaf));
        for issuer in intermediates {
            note(Role::Intermediate, issuer, self.check_issuer(issuer, now));
        }
        for anchor in self.anchors {
            note(Role::Anchor, anchor, self.check_issuer(anchor, now));
        }
        Explanation {
            verdict: self.verify_path(leaf, intermediates, now),
            findings,
        }
    }
}

/// The place of a certificate in the input.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The device's own certificate.
    Leaf,
    /// A certificate of the bag.
    Intermediate,
    /// An enrolled certificate.
    Anchor,
}

/// One certificate that breaks one rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Finding {
    /// The place of the certificate.
    pub role: Role,
    /// Its subject, for people.
    pub subject: String,
    /// The rule.
    pub refusal: CryptoError,
}

/// Why a chain was accepted or refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Explanation {
    /// The verdict over the whole.
    pub verdict: Result<VerifiedPath, CryptoError>,
    /// Certificates that break a rule by themselves, also those that the path did not need.
    pub findings: Vec<Finding>,
}

/// The name of this crate for a refusal of the path builder.
fn refusal(error: &WebpkiError) -> CryptoError {
    use CryptoError as C;
    use WebpkiError as W;
    match error {
        W::CertExpired { .. } => C::Expired {
            what: "certificate",
        },
        W::CertNotValidYet { .. } => C::NotYetValid {
            what: "certificate",
        },
        W::CaUsedAsEndEntity => C::CaAsLeaf { what: "leaf" },
        W::EndEntityUsedAsCa => C::NotCa { what: "issuer" },
        W::InvalidSignatureForPublicKey => C::BadSignature {
            what: "certificate",
        },
        W::NameConstraintViolation => C::NameConstraint { what: "name" },
        W::PathLenConstraintViolated => C::PathLength { what: "issuer" },
        W::UnsupportedCriticalExtension => C::CriticalExtension {
            what: "unknown extension",
        },
        W::UnsupportedSignatureAlgorithmContext(_)
        | W::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => C::Algorithm {
            what: "signature of a certificate",
        },
        W::MaximumPathDepthExceeded
        | W::MaximumSignatureChecksExceeded
        | W::MaximumPathBuildCallsExceeded
        | W::MaximumNameConstraintComparisonsExceeded => C::TooLong {
            what: "path building",
        },
        W::UnknownIssuer => C::UnknownIssuer { what: "path" },
        _ => C::Malformed {
            what: "certificate",
        },
    }
}
