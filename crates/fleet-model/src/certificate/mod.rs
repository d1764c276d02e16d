//! Certificates as registry records: status, policies, transfer between accounts.
//!
//! The caller decodes the PEM and takes the SHA-256 of the DER as id. Which things a certificate
//! is attached to stands in the things' streams ([`crate::thing`]). Spec: AWS 6.6.

mod error;
mod event;
mod status;

pub use error::{CODES, CertificateError};
pub use event::{
    Deleted, Event, PolicyChange, Registered, StatusChanged, TransferAccepted, TransferCancelled,
    TransferRejected, TransferStarted,
};
pub use status::{Arrival, CertificateStatus, INITIAL, TRANSITIONS, Trigger};

use crate::id::{AccountId, CertificateId, PolicyName, Revision, TransferMessage, text_id};
use crate::kernel::{Context, Decider, NameError, Problems, Refused, StreamName, Timestamp};
use crate::policies;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

text_id! {
    /// The PEM of one certificate: 1 to 65,536 bytes; its structure is checked by whoever decodes it.
    CertificatePem, "certificate PEM", "1 to 65536 bytes",
    |text| (1..=65_536).contains(&text.len())
}

/// How a device certificate or a CA is verified (`certificateMode`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CertificateMode {
    /// With its CA (of a CA: with proof of possession).
    #[default]
    Default,
    /// Without: clients must name the server that they want.
    SniOnly,
}

/// What the stream of an id says: nothing lives there, or a certificate.
pub type Record = crate::kernel::Record<Certificate>;

/// A certificate as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Certificate {
    /// SHA-256 of the DER.
    pub id: CertificateId,
    /// The certificate itself.
    pub pem: CertificatePem,
    /// Registered with its CA or without.
    pub mode: CertificateMode,
    /// The CA that signed it, where known.
    pub ca_certificate_id: Option<CertificateId>,
    /// Its status.
    pub status: CertificateStatus,
    /// Whose it is.
    pub owned_by: AccountId,
    /// Whose it was before its last transfer.
    pub previous_owned_by: Option<AccountId>,
    /// Its last transfer.
    pub transfer: Option<Transfer>,
    /// Policies attached.
    pub policies: BTreeSet<PolicyName>,
    /// 1 on registration, +1 per change of status (`customerVersion`).
    pub version: Revision,
    /// From when it is valid, where known.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where known.
    pub not_after: Option<Timestamp>,
    /// When it came.
    pub created_at: Timestamp,
    /// When its status changed last.
    pub modified_at: Timestamp,
}

/// The last transfer of a certificate (`transferData`).
#[derive(Clone, Debug, PartialEq)]
pub struct Transfer {
    /// The account that was to have it.
    pub target: AccountId,
    /// A note for that account.
    pub message: Option<TransferMessage>,
    /// When it began.
    pub started_at: Timestamp,
    /// How it stands.
    pub outcome: TransferOutcome,
}

/// How a transfer stands.
#[derive(Clone, Debug, PartialEq)]
pub enum TransferOutcome {
    /// It is under way.
    Pending,
    /// The target took it.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// The target refused it.
    Rejected {
        /// When.
        at: Timestamp,
        /// Why.
        reason: Option<TransferMessage>,
    },
    /// The owner took the offer back.
    Cancelled {
        /// When.
        at: Timestamp,
    },
}

impl Record {
    /// The certificate, where there is one.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Certificate> {
        self.present()
    }
}

/// A command to the certificate of an id.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The certificate.
    pub id: CertificateId,
    /// What to do.
    pub action: Action,
}

/// What to do with a certificate.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// RegisterCertificate, RegisterCertificateWithoutCA, CreateKeysAndCertificate, CreateCertificateFromCsr.
    Register(Register),
    /// UpdateCertificate; the status that it has already changes nothing.
    Update {
        /// The new status.
        status: CertificateStatus,
    },
    /// DeleteCertificate.
    Delete {
        /// What policies are to the deletion.
        policies: OnPolicies,
    },
    /// TransferCertificate.
    Transfer {
        /// The account that is to have it.
        target: AccountId,
        /// A note for that account.
        message: Option<TransferMessage>,
    },
    /// AcceptCertificateTransfer, by the target.
    AcceptTransfer {
        /// The status that it gets.
        status: AcceptedStatus,
    },
    /// RejectCertificateTransfer, by the target.
    RejectTransfer {
        /// Why.
        reason: Option<TransferMessage>,
    },
    /// CancelCertificateTransfer, by the owner.
    CancelTransfer,
    /// AttachPolicy (AttachPrincipalPolicy); attaching twice changes nothing.
    AttachPolicy {
        /// The policy.
        policy: PolicyName,
    },
    /// DetachPolicy (DetachPrincipalPolicy); one that is not attached is no error.
    DetachPolicy {
        /// The policy.
        policy: PolicyName,
    },
}

/// A certificate to register.
#[derive(Clone, Debug, PartialEq)]
pub struct Register {
    /// The certificate itself.
    pub pem: CertificatePem,
    /// How it comes.
    pub arrival: Arrival,
    /// With its CA or without.
    pub mode: CertificateMode,
    /// The CA that signed it, where one is named or known.
    pub ca: Option<CertificateId>,
    /// The status to start with.
    pub status: CertificateStatus,
    /// Whose it is.
    pub owner: AccountId,
    /// From when it is valid, where the caller read it.
    pub not_before: Option<Timestamp>,
    /// Until when it is valid, where the caller read it.
    pub not_after: Option<Timestamp>,
}

/// What attached policies are to a deletion (`forceDelete`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnPolicies {
    /// They refuse it.
    #[default]
    Refuse,
    /// They go with the certificate.
    Detach,
}

/// The status of a certificate whose transfer is accepted (`setAsActive`).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AcceptedStatus {
    /// `INACTIVE`.
    #[default]
    Inactive,
    /// `ACTIVE`.
    Active,
}

/// What a decision about a certificate sees of other streams.
pub trait View {
    /// How many things the certificate is attached to.
    fn things_attached(&self, certificate: &CertificateId) -> usize;

    /// Whether a CA certificate of this id is registered.
    fn ca_exists(&self, ca: &CertificateId) -> bool;
}

/// The stream of a certificate, `cert-<id>`.
///
/// # Errors
/// None in fact: 64 characters fit a stream name.
pub fn stream(id: &CertificateId) -> Result<StreamName, NameError> {
    StreamName::of("cert", id.as_str())
}

/// The decider of certificates.
#[derive(Clone, Copy, Debug)]
pub struct Certificates;

type Decision = Result<Vec<Event>, Refused<CertificateError>>;

impl Decider for Certificates {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<CertificateError>;
    type View = dyn View;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_, dyn View>) -> Decision {
        let Command { id, action } = command;
        match (state, action) {
            (_, Action::Register(register)) => {
                decide_register(state.certificate(), id, register, cx)
            }
            (Record::Absent, _) => Err(CertificateError::NotFound { certificate: id }.into()),
            (Record::Present(certificate), action) => decide_present(certificate, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn decide_register(
    existing: Option<&Certificate>,
    id: CertificateId,
    register: Register,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let mut problems = Problems::new();
    let (arrival, status) = (register.arrival, register.status);
    problems.check(arrival.allows(status), || CertificateError::InitialStatus {
        status,
    });
    problems.check(existing.is_none(), || CertificateError::AlreadyExists {
        certificate: id.clone(),
    });
    if let Some(ca) = &register.ca {
        problems.check(cx.view.ca_exists(ca), || CertificateError::CaNotFound {
            ca: ca.clone(),
        });
    }
    problems.finish()?;
    Ok(vec![Event::Registered(Registered {
        certificate_id: id,
        certificate_pem: register.pem,
        arrival,
        certificate_mode: register.mode,
        ca_certificate_id: register.ca,
        status,
        owned_by: register.owner,
        not_before: register.not_before,
        not_after: register.not_after,
        at: cx.now,
    })])
}

impl Certificate {
    fn after(&self, trigger: Trigger) -> Result<CertificateStatus, CertificateError> {
        let refused = || CertificateError::State {
            certificate: self.id.clone(),
            status: self.status,
            trigger,
        };
        self.status.after(trigger).ok_or_else(refused)
    }

    /// The status after the end of the transfer that is under way, and the transfer.
    fn end_transfer(
        &self,
        trigger: Trigger,
    ) -> Result<(CertificateStatus, &Transfer), CertificateError> {
        match (&self.transfer, self.status.after(trigger)) {
            (Some(transfer), Some(status)) => Ok((status, transfer)),
            (Some(transfer), None)
                if matches!(transfer.outcome, TransferOutcome::Accepted { .. }) =>
            {
                Err(CertificateError::TransferCompleted {
                    certificate: self.id.clone(),
                })
            }
            _ => Err(CertificateError::NoTransfer {
                certificate: self.id.clone(),
                status: self.status,
            }),
        }
    }

    fn policy(&self, policy: PolicyName) -> PolicyChange {
        PolicyChange {
            certificate_id: self.id.clone(),
            policy_name: policy,
        }
    }
}

fn decide_present(
    certificate: &Certificate,
    action: Action,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let id = || certificate.id.clone();
    let at = cx.now;
    match action {
        // Decided by the caller of this function.
        Action::Register(_) => Ok(vec![]),
        Action::Update { status } => {
            let trigger =
                Trigger::of_update(status).ok_or(CertificateError::StatusNotSettable { status })?;
            let (from, to) = (certificate.status, certificate.after(trigger)?);
            if from == to {
                return Ok(vec![]);
            }
            Ok(vec![Event::StatusChanged(StatusChanged {
                certificate_id: id(),
                from,
                to,
                at,
            })])
        }
        Action::Delete { policies } => decide_delete(certificate, policies, cx),
        Action::Transfer { target, message } => {
            let mut problems = Problems::new();
            problems.ok(certificate.after(Trigger::StartTransfer));
            let policies = certificate.policies.len();
            let things = cx.view.things_attached(&certificate.id);
            problems.check(policies == 0 && things == 0, || {
                CertificateError::TransferConflict {
                    certificate: id(),
                    policies,
                    things,
                }
            });
            problems.finish()?;
            Ok(vec![Event::TransferStarted(TransferStarted {
                certificate_id: id(),
                target_account: target,
                transfer_message: message,
                at,
            })])
        }
        Action::AcceptTransfer { status } => {
            let (status, transfer) = certificate.end_transfer(match status {
                AcceptedStatus::Inactive => Trigger::AcceptTransfer,
                AcceptedStatus::Active => Trigger::AcceptTransferActive,
            })?;
            Ok(vec![Event::TransferAccepted(TransferAccepted {
                certificate_id: id(),
                owned_by: transfer.target.clone(),
                previous_owned_by: certificate.owned_by.clone(),
                status,
                at,
            })])
        }
        Action::RejectTransfer { reason } => {
            let (status, _) = certificate.end_transfer(Trigger::RejectTransfer)?;
            Ok(vec![Event::TransferRejected(TransferRejected {
                certificate_id: id(),
                status,
                reject_reason: reason,
                at,
            })])
        }
        Action::CancelTransfer => {
            let (status, _) = certificate.end_transfer(Trigger::CancelTransfer)?;
            Ok(vec![Event::TransferCancelled(TransferCancelled {
                certificate_id: id(),
                status,
                at,
            })])
        }
        Action::AttachPolicy { policy } => policies::attach(
            &certificate.policies,
            policy,
            cx.limits.policies_per_principal,
            |policy| Event::PolicyAttached(certificate.policy(policy)),
            |limit| CertificateError::TooManyPolicies {
                certificate: id(),
                limit,
            },
        ),
        Action::DetachPolicy { policy } => {
            let detached = |policy| Event::PolicyDetached(certificate.policy(policy));
            Ok(policies::detach(&certificate.policies, policy, detached))
        }
    }
}

/// DeleteCertificate: the checks in the service's order.
fn decide_delete(
    certificate: &Certificate,
    on_policies: OnPolicies,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let id = || certificate.id.clone();
    let mut problems = Problems::new();
    problems.check(certificate.status != CertificateStatus::Active, || {
        CertificateError::Active { certificate: id() }
    });
    let things = cx.view.things_attached(&certificate.id);
    problems.check(things == 0, || CertificateError::ThingsAttached {
        certificate: id(),
        things,
    });
    let policies = certificate.policies.len();
    problems.check(policies == 0 || on_policies == OnPolicies::Detach, || {
        CertificateError::PoliciesAttached {
            certificate: id(),
            policies,
        }
    });
    problems.finish()?;
    Ok(vec![Event::Deleted(Deleted {
        certificate_id: id(),
    })])
}

fn evolve(state: Record, event: &Event) -> Record {
    let mut certificate = match (state, event) {
        (_, Event::Registered(registered)) => {
            return Record::Present(Box::new(Certificate {
                id: registered.certificate_id.clone(),
                pem: registered.certificate_pem.clone(),
                mode: registered.certificate_mode,
                ca_certificate_id: registered.ca_certificate_id.clone(),
                status: registered.status,
                owned_by: registered.owned_by.clone(),
                previous_owned_by: None,
                transfer: None,
                policies: BTreeSet::new(),
                version: Revision::FIRST,
                not_before: registered.not_before,
                not_after: registered.not_after,
                created_at: registered.at,
                modified_at: registered.at,
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(certificate), _) => certificate,
    };
    let moved = |certificate: &mut Certificate, status, at, outcome: Option<TransferOutcome>| {
        certificate.status = status;
        certificate.version = certificate.version.next();
        certificate.modified_at = at;
        if let (Some(transfer), Some(outcome)) = (&mut certificate.transfer, outcome) {
            transfer.outcome = outcome;
        }
    };
    match event {
        Event::Registered(_) | Event::Deleted(_) => {}
        Event::StatusChanged(changed) => moved(&mut certificate, changed.to, changed.at, None),
        Event::TransferStarted(started) => {
            let status = CertificateStatus::PendingTransfer;
            moved(&mut certificate, status, started.at, None);
            certificate.transfer = Some(Transfer {
                target: started.target_account.clone(),
                message: started.transfer_message.clone(),
                started_at: started.at,
                outcome: TransferOutcome::Pending,
            });
        }
        Event::TransferAccepted(accepted) => {
            let outcome = TransferOutcome::Accepted { at: accepted.at };
            moved(
                &mut certificate,
                accepted.status,
                accepted.at,
                Some(outcome),
            );
            certificate.owned_by = accepted.owned_by.clone();
            certificate.previous_owned_by = Some(accepted.previous_owned_by.clone());
        }
        Event::TransferRejected(rejected) => {
            let outcome = TransferOutcome::Rejected {
                at: rejected.at,
                reason: rejected.reject_reason.clone(),
            };
            moved(
                &mut certificate,
                rejected.status,
                rejected.at,
                Some(outcome),
            );
        }
        Event::TransferCancelled(cancelled) => {
            let outcome = TransferOutcome::Cancelled { at: cancelled.at };
            moved(
                &mut certificate,
                cancelled.status,
                cancelled.at,
                Some(outcome),
            );
        }
        Event::PolicyAttached(change) => {
            certificate.policies.insert(change.policy_name.clone());
        }
        Event::PolicyDetached(change) => {
            certificate.policies.remove(&change.policy_name);
        }
    }
    Record::Present(certificate)
}
