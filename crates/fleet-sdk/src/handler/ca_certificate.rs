//! CA certificates.

use fleet_crypto::x509::verify_possession;
use fleet_crypto::{RustCrypto, UnixSeconds};
use fleet_model::ca_certificate::{
    self, Action, AutoRegistration, CaCertificate, CaCertificateError, CaCertificates, CaStatus,
    Command, Possession, Register, RegistrationConfig, Subject, Template, Update,
};
use fleet_model::id::{CertificateId, Resource};
use fleet_model::kernel::Decider as _;

use super::Handle;
use super::certificate::{by_date, mode};
use super::convert::{Checks, tags, word};
use crate::fleet::Call;
use crate::operation::{
    self, CaCertificateDescription, CertificateValidity, DeleteCACertificate,
    DeleteCaCertificateResponse, DescribeCACertificate, DescribeCaCertificateResponse,
    GetRegistrationCode, GetRegistrationCodeResponse, ListCACertificates,
    ListCaCertificatesResponse, RegisterCACertificate, RegisterCaCertificateResponse, Seconds,
    UpdateCACertificate, UpdateCaCertificateResponse,
};
use crate::page::Page;
use crate::pem::Pem;
use crate::refusal::Refusal;

struct Seen(usize);

impl ca_certificate::View for Seen {
    fn with_subject(&self, _: &Subject) -> usize {
        self.0
    }
}

/// The CA certificate of an id, or `ca_certificate.not_found`.
pub(super) async fn find(call: &Call<'_>, id: &CertificateId) -> Result<CaCertificate, Refusal> {
    let loaded = call
        .load::<CaCertificates>(&ca_certificate::stream(id)?)
        .await?;
    match loaded.state {
        ca_certificate::Record::Present(found) => Ok(*found),
        ca_certificate::Record::Absent => {
            Err(CaCertificateError::NotFound { ca: id.clone() }.into())
        }
    }
}

pub(super) async fn decide(
    call: &mut Call<'_>,
    id: &CertificateId,
    action: Action,
) -> Result<(), Refusal> {
    let _lock = call.lock().await;
    let same = match &action {
        Action::Register(register) => {
            let subject = &register.subject;
            let same = |(_, ca): &(String, &CaCertificate)| ca.subject == *subject;
            call.fleet
                .certificates(|all| all.authorities().filter(same).count())
                .await?
        }
        _ => 0,
    };
    let stream = ca_certificate::stream(id)?;
    let loaded = call.load::<CaCertificates>(&stream).await?;
    let command = Command {
        id: id.clone(),
        action,
    };
    let decision = CaCertificates::decide(
        &loaded.state,
        command,
        &call.context::<dyn ca_certificate::View>(&Seen(same)),
    )
    .map_err(|refused| {
        let arn = call.arn(Resource::CaCertificate(id.clone()));
        Refusal::from(refused).taken_by(Some(id.to_string()), arn)
    })?;
    call.record::<CaCertificates>(&stream, loaded, decision)
        .await?;
    Ok(())
}

fn config(
    config: Option<&operation::RegistrationConfig>,
) -> Result<Option<RegistrationConfig>, Refusal> {
    let Some(config) = config else {
        return Ok(None);
    };
    let template = match (&config.template_body, &config.template_name) {
        (Some(_), Some(_)) => {
            return Err(Refusal::new(
                "request.invalid",
                "`templateBody` and `templateName` exclude each other: give one",
            ));
        }
        (Some(body), None) => Some(Template::Body(body.parse()?)),
        (None, Some(name)) => Some(Template::Name(name.parse()?)),
        (None, None) => None,
    };
    Ok(Some(RegistrationConfig {
        template,
        role_arn: config.role_arn.as_deref().map(str::parse).transpose()?,
    }))
}

impl Handle for GetRegistrationCode {
    type Answer = GetRegistrationCodeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        Ok(GetRegistrationCodeResponse {
            registration_code: call.fleet.registration_code(),
        })
    }
}

impl Handle for RegisterCACertificate {
    type Answer = RegisterCaCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let read = Pem::read(&self.ca_certificate)?;
        let possession = match &self.verification_certificate {
            None => Possession::NotShown,
            Some(pem) => {
                let proof = Pem::read(pem)?;
                let code = call.fleet.registration_code();
                let now = UnixSeconds(call.now.as_secs());
                verify_possession(&read.x509, &proof.x509, &code, &RustCrypto, now).map_err(
                    |error| Refusal::new("ca_certificate.possession", error.to_string()),
                )?;
                Possession::Proven
            }
        };
        let mut checks = Checks::default();
        let tags = checks.refused(tags(self.tags.as_deref()));
        let config = checks.ok(config(self.registration_config.as_ref()));
        let mode = match &self.certificate_mode {
            Some(mode) => checks.ok(word("certificate mode", mode)),
            None => Some(fleet_model::certificate::CertificateMode::Default),
        };
        checks.finish()?;
        let (Some(tags), Some(registration_config), Some(mode)) = (tags, config, mode) else {
            return Err(Refusal::incomplete());
        };
        let subject = read.x509.subject_text();
        let register = Register {
            pem: self.ca_certificate.parse()?,
            subject: subject.parse()?,
            mode,
            possession,
            status: if self.set_as_active {
                CaStatus::Active
            } else {
                CaStatus::Inactive
            },
            auto_registration: if self.allow_auto_registration {
                AutoRegistration::Enable
            } else {
                AutoRegistration::Disable
            },
            registration_config,
            owner: call.fleet.account().clone(),
            tags,
            not_before: Some(read.not_before()),
            not_after: Some(read.not_after()),
        };
        decide(call, &read.id, Action::Register(register)).await?;
        Ok(RegisterCaCertificateResponse {
            certificate_arn: call.arn(Resource::CaCertificate(read.id.clone())),
            certificate_id: read.id.to_string(),
        })
    }
}

const fn status(status: CaStatus) -> &'static str {
    match status {
        CaStatus::Active => "ACTIVE",
        CaStatus::Inactive => "INACTIVE",
    }
}

const fn auto(auto: AutoRegistration) -> &'static str {
    match auto {
        AutoRegistration::Enable => "ENABLE",
        AutoRegistration::Disable => "DISABLE",
    }
}

impl Handle for DescribeCACertificate {
    type Answer = DescribeCaCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        let found = find(call, &id).await?;
        let validity = found.not_before.zip(found.not_after);
        let config = found.registration_config.as_ref().map(|config| {
            let (template_body, template_name) = match &config.template {
                Some(Template::Body(body)) => (Some(body.to_string()), None),
                Some(Template::Name(name)) => (None, Some(name.to_string())),
                None => (None, None),
            };
            operation::RegistrationConfig {
                template_body,
                role_arn: config.role_arn.as_ref().map(ToString::to_string),
                template_name,
            }
        });
        Ok(DescribeCaCertificateResponse {
            certificate_description: CaCertificateDescription {
                certificate_arn: call.arn(Resource::CaCertificate(id)),
                certificate_id: found.id.to_string(),
                status: status(found.status).to_owned(),
                certificate_pem: Some(found.pem.to_string()),
                owned_by: found.owned_by.to_string(),
                creation_date: Seconds(found.created_at),
                auto_registration_status: auto(found.auto_registration).to_owned(),
                last_modified_date: Seconds(found.modified_at),
                customer_version: found.version.0,
                generation_id: found.version.to_string(),
                validity: validity.map(|(from, to)| CertificateValidity {
                    not_before: Seconds(from),
                    not_after: Seconds(to),
                }),
                certificate_mode: mode(found.mode).to_owned(),
            },
            registration_config: config,
        })
    }
}

impl Handle for UpdateCACertificate {
    type Answer = UpdateCaCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let id = checks.parse::<CertificateId>(&self.certificate_id);
        let status = self.new_status.as_deref();
        let auto = self.new_auto_registration_status.as_deref();
        let update = Update {
            status: status.and_then(|text| checks.ok(word("status", text))),
            auto_registration: auto
                .and_then(|text| checks.ok(word("automatic registration", text))),
            registration_config: checks
                .ok(config(self.registration_config.as_ref()))
                .flatten(),
            remove_auto_registration: self.remove_auto_registration,
        };
        checks.finish()?;
        let id = id.ok_or_else(Refusal::incomplete)?;
        decide(call, &id, Action::Update(update)).await?;
        Ok(UpdateCaCertificateResponse {})
    }
}

impl Handle for DeleteCACertificate {
    type Answer = DeleteCaCertificateResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let id: CertificateId = self.certificate_id.parse()?;
        decide(call, &id, Action::Delete).await?;
        Ok(DeleteCaCertificateResponse {})
    }
}

impl Handle for ListCACertificates {
    type Answer = ListCaCertificatesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let marker = self.marker.as_deref();
        let page = Page::of("ca-certificates", marker, self.page_size, 250)?;
        let call = &*call;
        let wanted = self.template_name.as_deref();
        let (certificates, next_marker) = call
            .fleet
            .certificates(|all| {
                let of_template = |ca: &CaCertificate| {
                    wanted.is_none_or(|wanted| {
                        let config = ca.registration_config.as_ref();
                        let template = config.and_then(|config| config.template.as_ref());
                        matches!(template, Some(Template::Name(name)) if name.as_str() == wanted)
                    })
                };
                let rows = all.authorities().filter(|(_, ca)| of_template(ca));
                let rows = rows.map(|(key, found)| {
                    let row = operation::CaCertificate {
                        certificate_arn: call.arn(Resource::CaCertificate(found.id.clone())),
                        certificate_id: found.id.to_string(),
                        status: status(found.status).to_owned(),
                        creation_date: Seconds(found.created_at),
                    };
                    (key, row)
                });
                by_date(&page, self.ascending_order, rows)
            })
            .await?;
        Ok(ListCaCertificatesResponse {
            certificates,
            next_marker,
        })
    }
}
