//! Why a command to a certificate was refused.

use super::{CertificateStatus, Trigger};
use crate::id::CertificateId;
use crate::kernel::ErrorCode;

/// Why a command to a certificate was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// No certificate of this id. AWS: `ResourceNotFoundException`.
    #[error("certificate `{certificate}` does not exist")]
    NotFound {
        /// The id.
        certificate: CertificateId,
    },
    /// It is in the registry already. AWS: `ResourceAlreadyExistsException`.
    #[error("certificate `{certificate}` is registered already")]
    AlreadyExists {
        /// The id.
        certificate: CertificateId,
    },
    /// It cannot start with this status. AWS: `InvalidRequestException`.
    #[error("a certificate cannot be registered as {status}: register it as INACTIVE or ACTIVE")]
    InitialStatus {
        /// The status.
        status: CertificateStatus,
    },
    /// The CA is not registered. AWS: `CertificateValidationException`.
    #[error("CA certificate `{ca}` is not registered: register it first, or register without a CA")]
    CaNotFound {
        /// The id of the CA.
        ca: CertificateId,
    },
    /// Nobody may ask for this status. AWS: `CertificateStateException`.
    #[error("status {status} cannot be asked for: use ACTIVE, INACTIVE or REVOKED")]
    StatusNotSettable {
        /// The status.
        status: CertificateStatus,
    },
    /// Its status refuses it. AWS: `CertificateStateException`.
    #[error("certificate `{certificate}` is {status}: that allows no {trigger:?}")]
    State {
        /// The id.
        certificate: CertificateId,
        /// The status that it has.
        status: CertificateStatus,
        /// What was asked.
        trigger: Trigger,
    },
    /// An active one cannot be deleted. AWS: `CertificateStateException`.
    #[error("certificate `{certificate}` is ACTIVE: deactivate it before deleting it")]
    Active {
        /// The id.
        certificate: CertificateId,
    },
    /// It is attached to things. AWS: `DeleteConflictException`.
    #[error(
        "certificate `{certificate}` is attached to {things} things: detach them before deleting it"
    )]
    ThingsAttached {
        /// The id.
        certificate: CertificateId,
        /// How many.
        things: usize,
    },
    /// Policies are attached. AWS: `DeleteConflictException`.
    #[error(
        "certificate `{certificate}` has {policies} policies: detach them before deleting it, or force it"
    )]
    PoliciesAttached {
        /// The id.
        certificate: CertificateId,
        /// How many.
        policies: usize,
    },
    /// Things or policies are attached. AWS: `TransferConflictException`.
    #[error(
        "certificate `{certificate}` has {policies} policies and {things} things: detach them before a transfer"
    )]
    TransferConflict {
        /// The id.
        certificate: CertificateId,
        /// How many policies.
        policies: usize,
        /// How many things.
        things: usize,
    },
    /// The transfer was accepted before. AWS: `TransferAlreadyCompletedException`.
    #[error("the transfer of certificate `{certificate}` is completed")]
    TransferCompleted {
        /// The id.
        certificate: CertificateId,
    },
    /// No transfer is under way. AWS: `InvalidRequestException`.
    #[error("certificate `{certificate}` is {status}, no transfer of it is under way")]
    NoTransfer {
        /// The id.
        certificate: CertificateId,
        /// The status that it has.
        status: CertificateStatus,
    },
    /// It has no room for another policy. AWS: `LimitExceededException`.
    #[error("certificate `{certificate}` has {limit} policies already: detach one first")]
    TooManyPolicies {
        /// The id.
        certificate: CertificateId,
        /// The policies allowed.
        limit: usize,
    },
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("certificate.not_found", "no certificate has this id"),
    (
        "certificate.already_exists",
        "the certificate is in the registry already",
    ),
    (
        "certificate.initial_status",
        "a certificate that comes this way cannot start with this status",
    ),
    (
        "certificate.ca_not_found",
        "the CA certificate that signed it is not registered",
    ),
    (
        "certificate.status_not_settable",
        "nobody may ask for this certificate status",
    ),
    (
        "certificate.state",
        "the certificate's status does not allow the operation",
    ),
    (
        "certificate.active",
        "an active certificate cannot be deleted",
    ),
    (
        "certificate.things_attached",
        "a certificate that is attached to things cannot be deleted",
    ),
    (
        "certificate.policies_attached",
        "a certificate with policies is deleted by force only",
    ),
    (
        "certificate.transfer_conflict",
        "a certificate with policies or things cannot be transferred",
    ),
    (
        "certificate.transfer_completed",
        "the transfer of the certificate was accepted before",
    ),
    (
        "certificate.no_transfer",
        "no transfer of the certificate is under way",
    ),
    (
        "certificate.too_many_policies",
        "the certificate has no room for another policy",
    ),
];

impl ErrorCode for CertificateError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "certificate.not_found",
            Self::AlreadyExists { .. } => "certificate.already_exists",
            Self::InitialStatus { .. } => "certificate.initial_status",
            Self::CaNotFound { .. } => "certificate.ca_not_found",
            Self::StatusNotSettable { .. } => "certificate.status_not_settable",
            Self::State { .. } => "certificate.state",
            Self::Active { .. } => "certificate.active",
            Self::ThingsAttached { .. } => "certificate.things_attached",
            Self::PoliciesAttached { .. } => "certificate.policies_attached",
            Self::TransferConflict { .. } => "certificate.transfer_conflict",
            Self::TransferCompleted { .. } => "certificate.transfer_completed",
            Self::NoTransfer { .. } => "certificate.no_transfer",
            Self::TooManyPolicies { .. } => "certificate.too_many_policies",
        }
    }
}
