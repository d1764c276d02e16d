//! All certificates and CA certificates.

use fleet_model::ca_certificate::{CaCertificate, CaCertificates};
use fleet_model::certificate::{Certificate, Certificates};
use fleet_model::kernel::{DecodeError, Recorded};

use super::Model;
use super::states::States;

/// Certificates of devices and of CAs, by id.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CertificateModel {
    devices: States<Certificates>,
    authorities: States<CaCertificates>,
}

/// The place of a certificate in listings by date of creation.
pub(crate) fn dated(micros: i64, id: &str) -> String {
    // Offset so that earlier than 1970 sorts first too.
    format!("{:020}:{id}", i128::from(micros) + (1 << 62))
}

impl CertificateModel {
    /// Certificates with their keys in listings by date.
    pub(crate) fn devices(&self) -> impl Iterator<Item = (String, &Certificate)> {
        let all = self.devices.after(None);
        all.filter_map(|(id, record)| {
            let certificate = record.certificate()?;
            Some((dated(certificate.created_at.as_micros(), id), certificate))
        })
    }

    /// CA certificates with their keys in listings by date.
    pub(crate) fn authorities(&self) -> impl Iterator<Item = (String, &CaCertificate)> {
        let all = self.authorities.after(None);
        all.filter_map(|(id, record)| {
            let ca = record.ca_certificate()?;
            Some((dated(ca.created_at.as_micros(), id), ca))
        })
    }
}

impl Model for CertificateModel {
    const CATEGORIES: &'static [&'static str] = &["cert", "cacert"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        match recorded.stream.category() {
            "cert" => self.devices.apply(recorded),
            _ => self.authorities.apply(recorded),
        }
    }
}
