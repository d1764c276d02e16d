//! A refusal on its way to the caller.

use fleet_model::kernel::{ErrorCode, Refused};
use serde_json::Value;

use crate::Service;
use crate::error::{CallError, Mapping, status_of};

/// A refusal before it is put in the words of a service.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
    /// What AWS says in place of `message`, where its words are known.
    aws_text: Option<String>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
            aws_text: None,
        }
    }

    /// A refusal of the model, with the words of AWS where they are known.
    fn of(error: &impl ErrorCode) -> Self {
        Self {
            aws_text: error.aws_text(),
            ..Self::new(error.code(), error.to_string())
        }
    }

    /// Adds one member to the details.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let details = self
            .details
            .get_or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(members) = details {
            members.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Says what has the name already, where that is the reason.
    pub(crate) fn taken_by(self, id: Option<String>, arn: String) -> Self {
        match id {
            Some(id) if self.code.ends_with(".already_exists") => {
                self.with("resourceId", id).with("resourceArn", arn)
            }
            _ => self,
        }
    }

    /// A refusal of a request whose parts were refused before: never seen by a caller.
    pub(crate) fn incomplete() -> Self {
        Self::new("request.invalid", "the request is not complete")
    }

    /// Adds what else is wrong with the same request to the details, after this refusal itself.
    pub(crate) fn and(self, other: Self) -> Self {
        let row = |refusal: &Self| serde_json::json!({ "code": refusal.code, "message": refusal.message });
        let mut violations = match self.details.as_ref().and_then(|d| d.get("violations")) {
            Some(Value::Array(known)) => known.clone(),
            _ => vec![row(&self)],
        };
        match other.details.as_ref().and_then(|d| d.get("violations")) {
            Some(Value::Array(more)) => violations.extend(more.iter().cloned()),
            _ => violations.push(row(&other)),
        }
        self.with("violations", violations)
    }

    pub(crate) fn into_error(mut self, service: Service) -> CallError {
        if let (Service::Iot | Service::IotData, Some(text)) = (service, self.aws_text.take()) {
            let ours = std::mem::replace(&mut self.message, text);
            self = self.with("reason", ours);
        }
        let mapping = Mapping::of(self.code);
        let name = mapping.name(service);
        CallError {
            code: self.code.into(),
            name: name.into(),
            status: status_of(service, name),
            message: self.message,
            retryable: mapping.retryable,
            details: self.details,
        }
    }
}

macro_rules! plain_errors {
    ($($error:ty),+ $(,)?) => {
        $(impl From<$error> for Refusal {
            fn from(error: $error) -> Self {
                Self::new(error.code(), error.to_string())
            }
        })+
    };
}

plain_errors!(
    fleet_model::id::IdError,
    fleet_model::kernel::NameError,
    fleet_model::kernel::DecodeError,
    fleet_model::thing::ThingError,
    fleet_model::group::GroupError,
    fleet_model::tag::TagError,
    fleet_model::lifecycle::SwitchError,
    crate::indexing::IndexingError,
    fleet_model::certificate::CertificateError,
    fleet_model::ca_certificate::CaCertificateError,
    fleet_model::identity::IdentityError,
    fleet_model::identity::SecretStoreError,
    fleet_model::presence::PresenceError,
    fleet_model::thing_type::ThingTypeError,
    fleet_model::billing_group::BillingGroupError,
    fleet_store::port::StoreError,
);

impl From<fleet_model::twin::TwinError> for Refusal {
    fn from(error: fleet_model::twin::TwinError) -> Self {
        Self::of(&error)
    }
}

impl From<fleet_crypto::CryptoError> for Refusal {
    fn from(error: fleet_crypto::CryptoError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

impl<E: ErrorCode> From<Refused<E>> for Refusal {
    fn from(refused: Refused<E>) -> Self {
        let mut reasons = refused.reasons().map(Self::of);
        let first = reasons.next().unwrap_or_else(Self::incomplete);
        reasons.fold(first, Self::and)
    }
}
