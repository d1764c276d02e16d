//! Certificates of devices.

use fleet_crypto::UnixSeconds;
use fleet_crypto::x509::SubjectPolicy;
use fleet_model::ca_certificate::{self, CaCertificates};
use fleet_model::certificate::{
    self, AcceptedStatus, Action, Arrival, Certificate, CertificateError, CertificateStatus,
    Certificates, Command, OnPolicies, Register, TransferOutcome,
};
use fleet_model::id::{AccountId, CertificateId, Resource};
use fleet_model::kernel::Decider as _;
use fleet_model::thing::Principal;

use super::Handle;
use super::convert::{Checks, word};
use crate::fleet::Call;
use crate::issuer::Random;
use crate::operation::{
    self, AcceptCertificateTransfer, AcceptCertificateTransferResponse, CancelCertificateTransfer,
    CancelCertificateTransferResponse, CertificateDescription, CertificateValidity, Concealed,
    CreateCertificateFromCsr, CreateCertificateFromCsrResponse, CreateKeysAndCertificate,
    CreateKeysAndCertificateResponse, DeleteCertificate, DeleteCertificateResponse,
    DescribeCertificate, DescribeCertificateResponse, KeyPair, ListCertificates,
    ListCertificatesByCA, ListCertificatesResponse, ListOutgoingCertificates,
    ListOutgoingCertificatesResponse, OutgoingCertificate, RegisterCertificate,
    RegisterCertificateResponse, RegisterCertificateWithoutCA,
    RegisterCertificateWithoutCaResponse, RejectCertificateTransfer,
    RejectCertificateTransferResponse, Seconds, TransferCertificate, TransferCertificateResponse,
    TransferData, UpdateCertificate, UpdateCertificateResponse,
};
use crate::page::Page;
use crate::pem::Pem;
use crate::refusal::Refusal;

/// What a decision about a certificate sees.
struct Seen {
    things: usize,
    ca: bool,
}

impl certificate::View for Seen {
    fn things_attached(&self, _: &CertificateId) -> usize {
        self.things
    }

    fn ca_exists(&self, _: &CertificateId) -> bool {
        self.ca
    }
}

/// The certificate of an id, or `certificate.not_found`.
pub(super) async fn find(call: &Call<'_>, id: &CertificateId) -> Result<Certificate, Refusal> {
    let loaded = call.load::<Certificates>(&certificate::stream(id)?).await?;
    match loaded.state {
        certificate::Record::Present(found) => Ok(*found),
        certificate::Record::Absent => Err(CertificateError::NotFound {
            certificate: id.clone(),
        }
        .into()),
    }
}

/// Decides a command to a certificate under the decision lock.
pub(super) async fn decide(
    call: &mut Call<'_>,
    id: &CertificateId,
    action: Action,
) -> Result<certificate::Record, Refusal> {
    let _lock = call.lock().await;
    let principal = Principal::Certificate(id.clone());
    let things = call
        .fleet
        .principals(|all| all.things(&principal).len())
        .await?;
    let ca = match &action {
        Action::Register(Register { ca: Some(ca), .. }) => {
            let stream = ca_certificate::stream(ca)?;
            let loaded = call.load::<CaCertificates>(&stream).await?;
            loaded.state.ca_certificate().is_some()
        }
        _ => false,
    };
    let stream = certificate::stream(id)?;
    let loaded = call.load::<Certificates>(&stream).await?;
    let command = Command {
        id: id.clone(),
        action,
    };
    let seen = Seen { things, ca };
    let decision = Certificates::decide(
        &loaded.state,
        command,
        &call.context::<dyn certificate::View>(&seen),
    )
    .map_err(|refused| {
        let arn = call.arn(Resource::Certificate(id.clone()));
        Refusal::from(refused).taken_by(Some(id.to_string()), arn)
    })?;
    let loaded = call
        .record::<Certificates>(&stream, loaded, decision)
        .await?;
    Ok(loaded.state)
}

fn status_of(set_as_active: bool) -> CertificateStatus {
    if set_as_active {
        CertificateStatus::Active
    } else {
        CertificateStatus::Inactive
    }
}

/// Registers a certificate; its ARN and id.
async fn register(
    call: &mut Call<'_>,
    pem: &str,
    arrival: Arrival,
    ca: Option<CertificateId>,
    status: CertificateStatus,
) -> Result<(String, String), Refusal> {
    let read = Pem::read(pem)?;
    let register = Register {
        pem: pem.parse()?,
        arrival,
        mode: certificate::CertificateMode::Default,
        ca,
        status,
        owner: call.fleet.account().clone(),
        not_before: Some(read.not_before()),
        not_after: Some(read.not_after()),
    };
    decide(call, &read.id, Action::Register(register)).await?;
    let arn = call.arn(Resource::Certificate(read.id.clone()));
    Ok((arn, read.id.to_string()))
}

/// Seconds for which an issued certificate is good: as long as the issuer allows.
const LIFE: i64 = 398 * 86_400;

impl Handle for CreateKeysAndCertificate {
    type Answer = CreateKeysAndCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let made = {
            let now = UnixSeconds(call.now.as_secs());
            let issuer = call.fleet.issuer(now)?;
            let random = &mut Random(call.fleet.options.entropy.as_ref());
            let authority = issuer.authority()?;
            authority.issue_with_keys("AWS IoT Certificate", now, LIFE, random)?
        };
        let status = status_of(self.set_as_active);
        let pem = made.issued.certificate_pem.clone();
        let (arn, id) = register(call, &pem, Arrival::Made, None, status).await?;
        Ok(CreateKeysAndCertificateResponse {
            certificate_arn: arn,
            certificate_id: id,
            certificate_pem: pem,
            key_pair: KeyPair {
                public_key: made.public_key_pem,
                private_key: Concealed::new(made.private_key_pem.expose_secret().to_owned()),
            },
        })
    }
}

impl Handle for CreateCertificateFromCsr {
    type Answer = CreateCertificateFromCsrResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let made = {
            let now = UnixSeconds(call.now.as_secs());
            let issuer = call.fleet.issuer(now)?;
            let random = &mut Random(call.fleet.options.entropy.as_ref());
            let request = self.certificate_signing_request.as_bytes();
            let subject = SubjectPolicy::Fixed("AWS IoT Certificate");
            let authority = issuer.authority()?;
            authority.issue_from_request(request, subject, now, LIFE, random)?
        };
        let status = status_of(self.set_as_active);
        let pem = made.certificate_pem;
        let (arn, id) = register(call, &pem, Arrival::Made, None, status).await?;
        Ok(CreateCertificateFromCsrResponse {
            certificate_arn: arn,
            certificate_id: id,
            certificate_pem: pem,
        })
    }
}

impl Handle for RegisterCertificate {
    type Answer = RegisterCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let status = match (&self.status, self.set_as_active) {
            (Some(status), _) => checks.ok(word("certificate status", status)),
            (None, active) => Some(status_of(active.unwrap_or(false))),
        };
        checks.ok(Pem::read(&self.certificate_pem));
        let ca = self.ca_certificate_pem.as_deref();
        let ca = ca.and_then(|pem| checks.ok(Pem::read(pem)));
        checks.finish()?;
        let status = status.ok_or_else(Refusal::incomplete)?;
        let ca = match ca {
            Some(ca) => Some(ca.id),
            None => call.fleet.issuing_ca(&self.certificate_pem).await?,
        };
        let (certificate_arn, certificate_id) =
            register(call, &self.certificate_pem, Arrival::Registered, ca, status).await?;
        Ok(RegisterCertificateResponse {
            certificate_arn,
            certificate_id,
        })
    }
}

impl Handle for RegisterCertificateWithoutCA {
    type Answer = RegisterCertificateWithoutCaResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let pem = &self.certificate_pem;
        checks.ok(Pem::read(pem));
        let status = match &self.status {
            Some(status) => checks.ok(word("certificate status", status)),
            None => Some(CertificateStatus::Inactive),
        };
        checks.finish()?;
        let status = status.ok_or_else(Refusal::incomplete)?;
        let (certificate_arn, certificate_id) =
            register(call, pem, Arrival::Registered, None, status).await?;
        Ok(RegisterCertificateWithoutCaResponse {
            certificate_arn,
            certificate_id,
        })
    }
}

impl Handle for DescribeCertificate {
    type Answer = DescribeCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        let found = find(call, &id).await?;
        let transfer = found.transfer.as_ref().map(|transfer| {
            let mut data = TransferData {
                transfer_message: transfer.message.as_ref().map(ToString::to_string),
                transfer_date: Some(Seconds(transfer.started_at)),
                ..TransferData::default()
            };
            match &transfer.outcome {
                TransferOutcome::Accepted { at } => data.accept_date = Some(Seconds(*at)),
                TransferOutcome::Rejected { at, reason } => {
                    data.reject_date = Some(Seconds(*at));
                    data.reject_reason = reason.as_ref().map(ToString::to_string);
                }
                TransferOutcome::Pending | TransferOutcome::Cancelled { .. } => {}
            }
            data
        });
        let validity = found.not_before.zip(found.not_after);
        Ok(DescribeCertificateResponse {
            certificate_description: CertificateDescription {
                certificate_arn: call.arn(Resource::Certificate(id)),
                certificate_id: found.id.to_string(),
                ca_certificate_id: found.ca_certificate_id.as_ref().map(ToString::to_string),
                status: found.status.as_str().to_owned(),
                certificate_pem: Some(found.pem.to_string()),
                owned_by: found.owned_by.to_string(),
                previous_owned_by: found.previous_owned_by.as_ref().map(ToString::to_string),
                creation_date: Seconds(found.created_at),
                last_modified_date: Seconds(found.modified_at),
                customer_version: found.version.0,
                transfer_data: transfer,
                generation_id: found.version.to_string(),
                validity: validity.map(|(from, to)| CertificateValidity {
                    not_before: Seconds(from),
                    not_after: Seconds(to),
                }),
                certificate_mode: Some(mode(found.mode).to_owned()),
            },
        })
    }
}

pub(super) const fn mode(mode: certificate::CertificateMode) -> &'static str {
    match mode {
        certificate::CertificateMode::Default => "DEFAULT",
        certificate::CertificateMode::SniOnly => "SNI_ONLY",
    }
}

/// A page of rows by date of creation, newest first unless `ascending`.
pub(super) fn by_date<T>(
    page: &Page,
    ascending: bool,
    rows: impl Iterator<Item = (String, T)>,
) -> (Vec<T>, Option<String>) {
    let mut rows: Vec<(String, T)> = rows.collect();
    rows.sort_by(|(a, _), (b, _)| if ascending { a.cmp(b) } else { b.cmp(a) });
    let rows = rows.into_iter().filter(|(key, _)| {
        page.after
            .as_ref()
            .is_none_or(|after| if ascending { key > after } else { key < after })
    });
    page.cut(rows)
}

async fn list(
    call: &Call<'_>,
    listing: &'static str,
    ca: Option<CertificateId>,
    (page_size, marker, ascending): (Option<u32>, Option<&str>, bool),
) -> Result<ListCertificatesResponse, Refusal> {
    let page = Page::of(listing, marker, page_size, 250)?;
    let (certificates, next_marker) = call
        .fleet
        .certificates(|all| {
            let wanted = |found: &Certificate| {
                ca.is_none() || found.ca_certificate_id.as_ref() == ca.as_ref()
            };
            let rows = all.devices().filter(|(_, found)| wanted(found));
            let rows = rows.map(|(key, found)| {
                let row = operation::Certificate {
                    certificate_arn: call.arn(Resource::Certificate(found.id.clone())),
                    certificate_id: found.id.to_string(),
                    status: found.status.as_str().to_owned(),
                    certificate_mode: Some(mode(found.mode).to_owned()),
                    creation_date: Seconds(found.created_at),
                };
                (key, row)
            });
            by_date(&page, ascending, rows)
        })
        .await?;
    Ok(ListCertificatesResponse {
        certificates,
        next_marker,
    })
}

impl Handle for ListCertificates {
    type Answer = ListCertificatesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = (self.page_size, self.marker.as_deref(), self.ascending_order);
        list(call, "certificates", None, page).await
    }
}

impl Handle for ListCertificatesByCA {
    type Answer = ListCertificatesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let ca: CertificateId = self.ca_certificate_id.parse()?;
        let page = (self.page_size, self.marker.as_deref(), self.ascending_order);
        list(call, "certificates-by-ca", Some(ca), page).await
    }
}

impl Handle for UpdateCertificate {
    type Answer = UpdateCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let id = checks.parse::<CertificateId>(&self.certificate_id);
        let status = checks.ok(word("certificate status", &self.new_status));
        checks.finish()?;
        let (Some(id), Some(status)) = (id, status) else {
            return Err(Refusal::incomplete());
        };
        decide(call, &id, Action::Update { status }).await?;
        Ok(UpdateCertificateResponse {})
    }
}

impl Handle for DeleteCertificate {
    type Answer = DeleteCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        let policies = if self.force_delete {
            OnPolicies::Detach
        } else {
            OnPolicies::Refuse
        };
        decide(call, &id, Action::Delete { policies }).await?;
        Ok(DeleteCertificateResponse {})
    }
}

impl Handle for TransferCertificate {
    type Answer = TransferCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let id = checks.parse::<CertificateId>(&self.certificate_id);
        let target = checks.parse::<AccountId>(&self.target_aws_account);
        let message = checks.parse_option(self.transfer_message.as_deref());
        checks.finish()?;
        let (Some(id), Some(target)) = (id, target) else {
            return Err(Refusal::incomplete());
        };
        let arn = call.arn(Resource::Certificate(id.clone()));
        decide(call, &id, Action::Transfer { target, message }).await?;
        Ok(TransferCertificateResponse {
            transferred_certificate_arn: arn,
        })
    }
}

impl Handle for AcceptCertificateTransfer {
    type Answer = AcceptCertificateTransferResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        let status = if self.set_as_active {
            AcceptedStatus::Active
        } else {
            AcceptedStatus::Inactive
        };
        decide(call, &id, Action::AcceptTransfer { status }).await?;
        Ok(AcceptCertificateTransferResponse {})
    }
}

impl Handle for RejectCertificateTransfer {
    type Answer = RejectCertificateTransferResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let id = checks.parse::<CertificateId>(&self.certificate_id);
        let reason = checks.parse_option(self.reject_reason.as_deref());
        checks.finish()?;
        let id = id.ok_or_else(Refusal::incomplete)?;
        decide(call, &id, Action::RejectTransfer { reason }).await?;
        Ok(RejectCertificateTransferResponse {})
    }
}

impl Handle for CancelCertificateTransfer {
    type Answer = CancelCertificateTransferResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        decide(call, &id, Action::CancelTransfer).await?;
        Ok(CancelCertificateTransferResponse {})
    }
}

impl Handle for ListOutgoingCertificates {
    type Answer = ListOutgoingCertificatesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let marker = self.marker.as_deref();
        let page = Page::of("outgoing-certificates", marker, self.page_size, 250)?;
        let call = &*call;
        let (outgoing_certificates, next_marker) = call
            .fleet
            .certificates(|all| {
                let rows = all.devices().filter_map(|(key, found)| {
                    let transfer = found.transfer.as_ref()?;
                    let open = found.status == CertificateStatus::PendingTransfer;
                    let row = OutgoingCertificate {
                        certificate_arn: call.arn(Resource::Certificate(found.id.clone())),
                        certificate_id: found.id.to_string(),
                        transferred_to: transfer.target.to_string(),
                        transfer_date: Some(Seconds(transfer.started_at)),
                        transfer_message: transfer.message.as_ref().map(ToString::to_string),
                        creation_date: Seconds(found.created_at),
                    };
                    open.then_some((key, row))
                });
                by_date(&page, self.ascending_order, rows)
            })
            .await?;
        Ok(ListOutgoingCertificatesResponse {
            outgoing_certificates,
            next_marker,
        })
    }
}
