//! What happens to a CA certificate, in its stored form.

use super::{AutoRegistration, CaStatus, RegistrationConfig, Subject};
use crate::certificate::{CertificateMode, CertificatePem};
use crate::id::{AccountId, CertificateId};
use crate::kernel::Timestamp;
use crate::tag::{TagKey, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What happened to a CA certificate (stream `cacert-<id>`).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It came into the registry.
    Registered(Registered),
    /// Its status or registration configuration changed.
    Updated(Updated),
    /// It ended.
    Deleted(Deleted),
    /// Tags were set.
    Tagged(Tagged),
    /// Tags were removed.
    Untagged(Untagged),
}

crate::wire_events!(Event {
    Registered(Registered) = "ca_certificate.registered" @ 1,
    Updated(Updated) = "ca_certificate.updated" @ 1,
    Deleted(Deleted) = "ca_certificate.deleted" @ 1,
    Tagged(Tagged) = "ca_certificate.tagged" @ 1,
    Untagged(Untagged) = "ca_certificate.untagged" @ 1,
});

/// `ca_certificate.registered`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registered {
    /// SHA-256 of the DER.
    pub certificate_id: CertificateId,
    /// The certificate itself; public.
    pub certificate_pem: CertificatePem,
    /// Its subject, as far as it is told apart.
    pub subject: Subject,
    /// With proof of possession or without.
    pub certificate_mode: CertificateMode,
    /// The status that it starts with.
    pub status: CaStatus,
    /// Whether unknown certificates that it signed are registered when presented.
    pub auto_registration_status: AutoRegistration,
    /// How they are provisioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_config: Option<RegistrationConfig>,
    /// Whose it is.
    pub owned_by: AccountId,
    /// Tags given on registration.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// From when it is valid, where the caller read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where the caller read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// When it came.
    pub at: Timestamp,
}

/// `ca_certificate.updated`, schema 1: what can change, after the update.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Updated {
    /// The CA certificate.
    pub certificate_id: CertificateId,
    /// Its status.
    pub status: CaStatus,
    /// Whether unknown certificates that it signed are registered when presented.
    pub auto_registration_status: AutoRegistration,
    /// How they are provisioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration_config: Option<RegistrationConfig>,
    /// When.
    pub at: Timestamp,
}

/// `ca_certificate.deleted`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// The CA certificate.
    pub certificate_id: CertificateId,
}

/// `ca_certificate.tagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tagged {
    /// The CA certificate.
    pub certificate_id: CertificateId,
    /// The tags set, over those that were there.
    pub tags: Tags,
}

/// `ca_certificate.untagged`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Untagged {
    /// The CA certificate.
    pub certificate_id: CertificateId,
    /// The keys removed.
    pub tag_keys: BTreeSet<TagKey>,
}
