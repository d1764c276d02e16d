//! Why a command to a CA certificate was refused.

use crate::id::CertificateId;
use crate::kernel::ErrorCode;
use crate::tag::TagError;

/// Why a command to a CA certificate was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CaCertificateError {
    /// No CA certificate of this id. AWS: `ResourceNotFoundException`.
    #[error("CA certificate `{ca}` does not exist")]
    NotFound {
        /// The id.
        ca: CertificateId,
    },
    /// It is in the registry already. AWS: `ResourceAlreadyExistsException`.
    #[error("CA certificate `{ca}` is registered already")]
    AlreadyExists {
        /// The id.
        ca: CertificateId,
    },
    /// The proof of possession is missing. AWS: `InvalidRequestException`.
    #[error(
        "a CA certificate in mode DEFAULT needs a verification certificate: add it, or use SNI_ONLY"
    )]
    VerificationMissing,
    /// A proof of possession where none may be. AWS: `InvalidRequestException`.
    #[error("a CA certificate in mode SNI_ONLY takes no verification certificate: leave it out")]
    VerificationUnexpected,
    /// A registration configuration is set and removed at once. AWS: `InvalidRequestException`.
    #[error("a registration configuration is set and removed at once: do one of the two")]
    ConfigSetAndRemoved,
    /// There are as many CA certificates with its subject as there may be. AWS: `LimitExceededException`.
    #[error("{limit} CA certificates with this subject are registered already: delete one first")]
    TooManyWithSubject {
        /// How many there may be.
        limit: usize,
    },
    /// An active one cannot be deleted. AWS: `CertificateStateException`.
    #[error("CA certificate `{ca}` is ACTIVE: deactivate it before deleting it")]
    Active {
        /// The id.
        ca: CertificateId,
    },
    /// The tags break a rule. AWS: `LimitExceededException` for too many, else `InvalidRequestException`.
    #[error(transparent)]
    Tags(#[from] TagError),
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("ca_certificate.not_found", "no CA certificate has this id"),
    (
        "ca_certificate.already_exists",
        "the CA certificate is in the registry already",
    ),
    (
        "ca_certificate.verification_missing",
        "a CA certificate in mode DEFAULT needs proof of possession",
    ),
    (
        "ca_certificate.verification_unexpected",
        "a CA certificate in mode SNI_ONLY takes no proof of possession",
    ),
    (
        "ca_certificate.config_set_and_removed",
        "one update sets a registration configuration and removes it",
    ),
    (
        "ca_certificate.too_many_with_subject",
        "there are as many CA certificates with this subject as there may be",
    ),
    (
        "ca_certificate.active",
        "an active CA certificate cannot be deleted",
    ),
];

impl ErrorCode for CaCertificateError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "ca_certificate.not_found",
            Self::AlreadyExists { .. } => "ca_certificate.already_exists",
            Self::VerificationMissing => "ca_certificate.verification_missing",
            Self::VerificationUnexpected => "ca_certificate.verification_unexpected",
            Self::ConfigSetAndRemoved => "ca_certificate.config_set_and_removed",
            Self::TooManyWithSubject { .. } => "ca_certificate.too_many_with_subject",
            Self::Active { .. } => "ca_certificate.active",
            Self::Tags(error) => error.code(),
        }
    }
}
