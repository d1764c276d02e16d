//! What a refused or failed call answers.

mod names;
mod table;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;

use crate::Service;
use crate::refusal::Refusal;
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
        "certificate.malformed",
        "a certificate in a request is not PEM, or holds no X.509 certificate",
    ),
    (
        "ca_certificate.possession",
        "the verification certificate does not prove that the CA's key is the caller's",
    ),
    (
        "request.unsupported",
        "this build or this store cannot do what is asked",
    ),
];

/// The lists of codes of every crate below this one, and its own, in no particular order.
pub fn all_codes() -> impl Iterator<Item = (&'static str, &'static str)> {
    [
        CODES,
        crate::import::CODES,
        crate::maintain::CODES,
        crate::indexing::CODES,
        fleet_model::lifecycle::CODES,
        fleet_model::attribute::CODES,
        fleet_model::billing_group::CODES,
        fleet_model::ca_certificate::CODES,
        fleet_model::certificate::CODES,
        fleet_model::group::CODES,
        fleet_model::id::CODES,
        fleet_model::identity::CODES,
        fleet_model::kernel::CODES,
        fleet_model::presence::CODES,
        fleet_model::tag::CODES,
        fleet_model::thing::CODES,
        fleet_model::thing_type::CODES,
        fleet_model::twin::CODES,
        fleet_query::diagnostic::CODES,
        fleet_query::index::CODES,
        fleet_store::port::CODES,
        fleet_crypto::CODES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
