//! What happens to a certificate, in its stored form.

use super::{Arrival, CertificateMode, CertificatePem, CertificateStatus};
use crate::id::{AccountId, CertificateId, PolicyName, TransferMessage};
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};

/// What happened to a certificate (stream `cert-<id>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It came into the registry.
    Registered(Registered),
    /// Its status changed by UpdateCertificate.
    StatusChanged(StatusChanged),
    /// Its transfer to another account began.
    TransferStarted(TransferStarted),
    /// The other account took it.
    TransferAccepted(TransferAccepted),
    /// The other account refused it.
    TransferRejected(TransferRejected),
    /// Its owner took the offer back.
    TransferCancelled(TransferCancelled),
    /// It ended.
    Deleted(Deleted),
    /// A policy was attached.
    PolicyAttached(PolicyChange),
    /// A policy was detached.
    PolicyDetached(PolicyChange),
}

crate::wire_events!(Event {
    Registered(Registered) = "certificate.registered" @ 1,
    StatusChanged(StatusChanged) = "certificate.status_changed" @ 1,
    TransferStarted(TransferStarted) = "certificate.transfer_started" @ 1,
    TransferAccepted(TransferAccepted) = "certificate.transfer_accepted" @ 1,
    TransferRejected(TransferRejected) = "certificate.transfer_rejected" @ 1,
    TransferCancelled(TransferCancelled) = "certificate.transfer_cancelled" @ 1,
    Deleted(Deleted) = "certificate.deleted" @ 1,
    PolicyAttached(PolicyChange) = "certificate.policy_attached" @ 1,
    PolicyDetached(PolicyChange) = "certificate.policy_detached" @ 1,
});

/// `certificate.registered`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// SHA-256 of the DER.
    pub certificate_id: CertificateId,
    /// The certificate itself; public.
    pub certificate_pem: CertificatePem,
    /// How it came.
    pub arrival: Arrival,
    /// Registered with its CA or without.
    pub certificate_mode: CertificateMode,
    /// The CA that signed it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate_id: Option<CertificateId>,
    /// The status that it starts with.
    pub status: CertificateStatus,
    /// Whose it is.
    pub owned_by: AccountId,
    /// From when it is valid, where the caller read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where the caller read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// When it came.
    pub at: Timestamp,
}

/// `certificate.status_changed`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StatusChanged {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// The status before.
    pub from: CertificateStatus,
    /// The status after; leaving `ACTIVE` ends the connections of its clients.
    pub to: CertificateStatus,
    /// When.
    pub at: Timestamp,
}

/// `certificate.transfer_started`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferStarted {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// The account that is to have it.
    pub target_account: AccountId,
    /// A note for that account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transfer_message: Option<TransferMessage>,
    /// When.
    pub at: Timestamp,
}

/// `certificate.transfer_accepted`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferAccepted {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// Whose it is now.
    pub owned_by: AccountId,
    /// Whose it was.
    pub previous_owned_by: AccountId,
    /// The status that it has now.
    pub status: CertificateStatus,
    /// When.
    pub at: Timestamp,
}

/// `certificate.transfer_rejected`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferRejected {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// The status that it has now.
    pub status: CertificateStatus,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reject_reason: Option<TransferMessage>,
    /// When.
    pub at: Timestamp,
}

/// `certificate.transfer_cancelled`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransferCancelled {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// The status that it has now.
    pub status: CertificateStatus,
    /// When.
    pub at: Timestamp,
}

/// `certificate.deleted`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// The certificate.
    pub certificate_id: CertificateId,
}

/// `certificate.policy_attached` and `certificate.policy_detached`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyChange {
    /// The certificate.
    pub certificate_id: CertificateId,
    /// The policy.
    pub policy_name: PolicyName,
}
