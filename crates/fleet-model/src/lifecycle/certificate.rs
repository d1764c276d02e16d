//! The message of a certificate that a CA registered by itself. Spec: AWS 6.5 and 8.2.

use super::{Cause, EventKind, LifecycleMessage};
use crate::certificate::{Arrival, Event};
use serde_json::json;

/// The message of a certificate that came on its first connection; none for other events.
#[must_use]
pub fn certificate_messages(event: &Event, cause: &Cause<'_>) -> Vec<LifecycleMessage> {
    let Event::Registered(event) = event else {
        return Vec::new();
    };
    let Some(ca) = &event.ca_certificate_id else {
        return Vec::new();
    };
    if event.arrival != Arrival::AutoRegistered {
        return Vec::new();
    }
    vec![LifecycleMessage {
        kind: Some(EventKind::CaCertificate),
        topic: format!("$aws/events/certificates/registered/{ca}"),
        payload: json!({
            "certificateId": event.certificate_id.as_str(),
            "caCertificateId": ca.as_str(),
            "timestamp": cause.at.as_millis(),
            "certificateStatus": "PENDING_ACTIVATION",
            "awsAccountId": cause.owner.account.as_str(),
            "certificateRegistrationTimestamp": event.at.as_millis().to_string(),
        }),
    }]
}
