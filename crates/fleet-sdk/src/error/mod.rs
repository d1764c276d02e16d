//! What a refused or failed call answers.

mod names;
mod table;

use fleet_model::kernel::ErrorCode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

use crate::Service;
pub use names::status_of;
pub use table::{MAPPED, Mapping};

/// The answer to a call that was refused or failed, in the shape of `fleet exec`.
///
/// `name` and `status` are those of the service through whose door the call came.
///
/// ```
/// use fleet_sdk::{CallError, Service};
/// let error = CallError::new("thing.not_found", "thing `t` does not exist", Service::Iot);
/// assert_eq!((error.name.as_ref(), error.status), ("ResourceNotFoundException", 404));
/// assert!(!error.retryable);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct CallError {
    /// The stable dotted code, listed in `docs/errors.md`.
    pub code: Cow<'static, str>,
    /// The AWS exception name, or the IoT Hub error code.
    pub name: Cow<'static, str>,
    /// The HTTP status of `name`.
    pub status: u16,
    /// What was wrong and what to do. May change between versions.
    pub message: String,
    /// Whether the same call can succeed later.
    pub retryable: bool,
    /// What a program wants to know besides: `violations`, `resourceId`, `resourceArn` …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl CallError {
    /// The error of `code` as `service` names it.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>, service: Service) -> Self {
        Refusal::new(code, message).into_error(service)
    }
}

/// A refusal before it is put in the words of a service.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) details: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            details: None,
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

    pub(crate) fn into_error(self, service: Service) -> CallError {
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

impl<E: ErrorCode> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// The codes that the facade itself answers with.
pub const CODES: &[(&str, &str)] = &[
    ("request.unknown_operation", "no operation has this name"),
    (
        "request.ambiguous_operation",
        "two services have an operation of this name: say which `service`",
    ),
    (
        "request.malformed",
        "the parameters do not have the shape of the operation's request",
    ),
    (
        "request.invalid",
        "a parameter, or a combination of parameters, is not allowed",
    ),
    (
        "request.invalid_token",
        "the paging token is not one that this listing gave",
    ),
    (
        "request.unsupported",
        "this build or this store cannot do what is asked",
    ),
];
