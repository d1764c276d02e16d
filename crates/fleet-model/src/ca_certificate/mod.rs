//! CA certificates: who may sign the certificates of devices, and how those are registered.
//!
//! The caller decodes the PEM, takes the SHA-256 of the DER as id and checks the proof of
//! possession. Spec: AWS 6.5.

mod error;
mod event;

pub use error::{CODES, CaCertificateError};
pub use event::{Deleted, Event, Registered, Tagged, Untagged, Updated};

use crate::certificate::{CertificateMode, CertificatePem};
use crate::id::{AccountId, CertificateId, Revision, TemplateName, text_id};
use crate::kernel::{Context, Decider, NameError, Problems, Refused, StreamName, Timestamp};
use crate::tag::{TagKey, Tags};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

text_id! {
    /// The subject of a CA certificate, in any form that tells subjects apart: 1 to 4096 bytes.
    Subject, "subject", "1 to 4096 bytes", |text| (1..=4096).contains(&text.len())
}

text_id! {
    /// The body of a provisioning template: 0 to 10,240 characters.
    TemplateBody, "template body", "at most 10240 characters",
    |text| text.len() <= 10_240 * 4 && text.chars().count() <= 10_240
}

text_id! {
    /// The ARN of a role that the service takes on: 20 to 2048 characters.
    RoleArn, "role ARN", "20 to 2048 characters", |text| (20..=2048).contains(&text.len())
}

/// Whether a CA may sign certificates of devices.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CaStatus {
    /// It may.
    Active,
    /// It may not.
    #[default]
    Inactive,
}

/// Whether unknown certificates that a CA signed are registered when a device presents them.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AutoRegistration {
    /// They are.
    Enable,
    /// They are not.
    #[default]
    Disable,
}

/// How a certificate that registers itself is provisioned (`registrationConfig`).
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationConfig {
    /// The template, by name or as text; none leaves the provisioning to an application.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub template: Option<Template>,
    /// The role that the service takes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<RoleArn>,
}

/// A provisioning template, by name or as text.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Template {
    /// As text.
    #[serde(rename = "templateBody")]
    Body(TemplateBody),
    /// By name.
    #[serde(rename = "templateName")]
    Name(TemplateName),
}

/// What the stream of an id says: nothing lives there, or a CA certificate.
pub type Record = crate::kernel::Record<CaCertificate>;

/// A CA certificate as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CaCertificate {
    /// SHA-256 of the DER.
    pub id: CertificateId,
    /// The certificate itself.
    pub pem: CertificatePem,
    /// Its subject.
    pub subject: Subject,
    /// With proof of possession or without.
    pub mode: CertificateMode,
    /// Its status.
    pub status: CaStatus,
    /// Whether unknown certificates that it signed are registered when presented.
    pub auto_registration: AutoRegistration,
    /// How they are provisioned.
    pub registration_config: Option<RegistrationConfig>,
    /// Whose it is.
    pub owned_by: AccountId,
    /// 1 on registration, +1 per update (`customerVersion`).
    pub version: Revision,
    /// Tags of the resource.
    pub tags: Tags,
    /// From when it is valid, where known.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where known.
    pub not_after: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it changed last.
    pub modified_at: Timestamp,
}

impl Record {
    /// The CA certificate, where there is one.
    #[must_use]
    pub const fn ca_certificate(&self) -> Option<&CaCertificate> {
        self.present()
    }
}

/// A command to the CA certificate of an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The CA certificate.
    pub id: CertificateId,
    /// What to do.
    pub action: Action,
}

/// What to do with a CA certificate.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// RegisterCACertificate.
    Register(Register),
    /// UpdateCACertificate.
    Update(Update),
    /// DeleteCACertificate.
    Delete,
    /// TagResource.
    Tag {
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource.
    Untag {
        /// Keys to remove.
        keys: BTreeSet<TagKey>,
    },
}

/// A CA certificate to register.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// The certificate itself.
    pub pem: CertificatePem,
    /// Its subject.
    pub subject: Subject,
    /// With proof of possession or without.
    pub mode: CertificateMode,
    /// What came of the proof of possession, which the caller checks.
    pub possession: Possession,
    /// The status to start with.
    pub status: CaStatus,
    /// Whether unknown certificates that it signed are registered when presented.
    pub auto_registration: AutoRegistration,
    /// How they are provisioned.
    pub registration_config: Option<RegistrationConfig>,
    /// Whose it is.
    pub owner: AccountId,
    /// Tags.
    pub tags: Tags,
    /// From when it is valid, where the caller read it.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where the caller read it.
    pub not_after: Option<Timestamp>,
}

/// Whether a verification certificate came along.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Possession {
    /// It did, and it proves possession of the CA's key.
    Proven,
    /// It did not.
    NotShown,
}

/// UpdateCACertificate: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The new status.
    pub status: Option<CaStatus>,
    /// Whether unknown certificates that it signed are registered when presented.
    pub auto_registration: Option<AutoRegistration>,
    /// The new registration configuration.
    pub registration_config: Option<RegistrationConfig>,
    /// Whether the registration configuration goes; not together with a new one.
    pub remove_auto_registration: bool,
}

/// What a decision about a CA certificate sees of other streams.
pub trait View {
    /// How many CA certificates with this subject are registered.
    fn with_subject(&self, subject: &Subject) -> usize;
}

/// The stream of a CA certificate, `cacert-<id>`.
///
/// # Errors
/// None in fact: 64 characters fit a stream name.
pub fn stream(id: &CertificateId) -> Result<StreamName, NameError> {
    StreamName::of("cacert", id.as_str())
}

/// The decider of CA certificates.
#[derive(Clone, Copy, Debug)]
pub struct CaCertificates;

type Decision = Result<Vec<Event>, Refused<CaCertificateError>>;

impl Decider for CaCertificates {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<CaCertificateError>;
    type View = dyn View;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_, dyn View>) -> Decision {
        let Command { id, action } = command;
        match (state, action) {
            (_, Action::Register(register)) => {
                decide_register(state.ca_certificate(), id, register, cx)
            }
            (Record::Absent, _) => Err(CaCertificateError::NotFound { ca: id }.into()),
            (Record::Present(ca), action) => decide_present(ca, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn decide_register(
    existing: Option<&CaCertificate>,
    id: CertificateId,
    register: Register,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let mut problems = Problems::new();
    match (register.mode, register.possession) {
        (CertificateMode::Default, Possession::NotShown) => {
            problems.push(CaCertificateError::VerificationMissing);
        }
        (CertificateMode::SniOnly, Possession::Proven) => {
            problems.push(CaCertificateError::VerificationUnexpected);
        }
        _ => {}
    }
    problems.ok(register
        .tags
        .check(cx.limits)
        .map_err(CaCertificateError::from));
    if existing.is_some() {
        problems.push(CaCertificateError::AlreadyExists { ca: id.clone() });
    } else {
        let limit = cx.limits.ca_certificates_per_subject;
        problems.check(cx.view.with_subject(&register.subject) < limit, || {
            CaCertificateError::TooManyWithSubject { limit }
        });
    }
    problems.finish()?;
    Ok(vec![Event::Registered(Registered {
        certificate_id: id,
        certificate_pem: register.pem,
        subject: register.subject,
        certificate_mode: register.mode,
        status: register.status,
        auto_registration_status: register.auto_registration,
        registration_config: register.registration_config,
        owned_by: register.owner,
        tags: register.tags,
        not_before: register.not_before,
        not_after: register.not_after,
        at: cx.now,
    })])
}

fn decide_present(ca: &CaCertificate, action: Action, cx: &Context<'_, dyn View>) -> Decision {
    match action {
        // Decided by the caller of this function.
        Action::Register(_) => Ok(vec![]),
        Action::Update(update) => {
            if update.registration_config.is_some() && update.remove_auto_registration {
                return Err(CaCertificateError::ConfigSetAndRemoved.into());
            }
            let status = update.status.unwrap_or(ca.status);
            let auto = update.auto_registration.unwrap_or(ca.auto_registration);
            let config = if update.remove_auto_registration {
                None
            } else {
                let config = update.registration_config;
                config.or_else(|| ca.registration_config.clone())
            };
            if (status, auto) == (ca.status, ca.auto_registration)
                && config == ca.registration_config
            {
                return Ok(vec![]);
            }
            Ok(vec![Event::Updated(Updated {
                certificate_id: ca.id.clone(),
                status,
                auto_registration_status: auto,
                registration_config: config,
                at: cx.now,
            })])
        }
        Action::Delete => match ca.status {
            CaStatus::Active => Err(CaCertificateError::Active { ca: ca.id.clone() }.into()),
            CaStatus::Inactive => Ok(vec![Event::Deleted(Deleted {
                certificate_id: ca.id.clone(),
            })]),
        },
        Action::Tag { tags } => {
            let tagged = |tags| {
                Event::Tagged(Tagged {
                    certificate_id: ca.id.clone(),
                    tags,
                })
            };
            let decided = ca.tags.decide_tag(tags, cx.limits, tagged);
            Ok(decided.map_err(CaCertificateError::from)?)
        }
        Action::Untag { keys } => Ok(ca.tags.decide_untag(keys, |tag_keys| {
            Event::Untagged(Untagged {
                certificate_id: ca.id.clone(),
                tag_keys,
            })
        })),
    }
}

fn evolve(state: Record, event: &Event) -> Record {
    let mut ca = match (state, event) {
        (_, Event::Registered(registered)) => {
            return Record::Present(Box::new(CaCertificate {
                id: registered.certificate_id.clone(),
                pem: registered.certificate_pem.clone(),
                subject: registered.subject.clone(),
                mode: registered.certificate_mode,
                status: registered.status,
                auto_registration: registered.auto_registration_status,
                registration_config: registered.registration_config.clone(),
                owned_by: registered.owned_by.clone(),
                version: Revision::FIRST,
                tags: registered.tags.clone(),
                not_before: registered.not_before,
                not_after: registered.not_after,
                created_at: registered.at,
                modified_at: registered.at,
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(ca), _) => ca,
    };
    match event {
        Event::Registered(_) | Event::Deleted(_) => {}
        Event::Updated(updated) => {
            ca.status = updated.status;
            ca.auto_registration = updated.auto_registration_status;
            ca.registration_config
                .clone_from(&updated.registration_config);
            ca.version = ca.version.next();
            ca.modified_at = updated.at;
        }
        Event::Tagged(tagged) => ca.tags = ca.tags.with(&tagged.tags),
        Event::Untagged(untagged) => ca.tags = ca.tags.without(&untagged.tag_keys),
    }
    Record::Present(ca)
}
