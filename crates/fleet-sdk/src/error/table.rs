//! The one table from our codes to each service's names.

use crate::Service;

/// How one code is named by each service.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Mapping {
    /// Our code.
    pub code: &'static str,
    /// The exception of the AWS control plane.
    pub aws: &'static str,
    /// The exception of the AWS data planes.
    pub data: &'static str,
    /// The error code of IoT Hub.
    pub hub: &'static str,
    /// Whether the same call can succeed later.
    pub retryable: bool,
}

const fn row(code: &'static str, kind: Kind) -> Mapping {
    let (aws, data, hub, retryable) = kind.names();
    Mapping {
        code,
        aws,
        data,
        hub,
        retryable,
    }
}

/// Codes that every service names alike.
#[derive(Clone, Copy)]
enum Kind {
    Invalid,
    Query,
    NotFound,
    NoDevice,
    NoModule,
    Exists,
    DeviceExists,
    ModuleExists,
    Stale,
    Limit,
    TooLarge,
    InUse,
    CertificateState,
    Certificate,
    Transfer,
    TransferDone,
    Unauthorized,
    Unsupported,
    Internal,
    Busy,
}

impl Kind {
    const fn names(self) -> (&'static str, &'static str, &'static str, bool) {
        const INVALID: &str = "InvalidRequestException";
        const MISSING: &str = "ResourceNotFoundException";
        const EXISTS: &str = "ResourceAlreadyExistsException";
        match self {
            Self::Invalid => (INVALID, INVALID, "ArgumentInvalid", false),
            Self::Query => ("InvalidQueryException", INVALID, "ArgumentInvalid", false),
            Self::NotFound => (MISSING, MISSING, "ResourceNotFound", false),
            Self::NoDevice => (MISSING, MISSING, "DeviceNotFound", false),
            Self::NoModule => (MISSING, MISSING, "ModuleNotFound", false),
            Self::Exists => (EXISTS, "ConflictException", "Conflict", false),
            Self::DeviceExists => (EXISTS, "ConflictException", "DeviceAlreadyExists", false),
            Self::ModuleExists => (
                EXISTS,
                "ConflictException",
                "ModuleAlreadyExistsOnDevice",
                false,
            ),
            Self::Stale => (
                "VersionConflictException",
                "ConflictException",
                "PreconditionFailed",
                false,
            ),
            Self::Limit => ("LimitExceededException", INVALID, "QuotaExceeded", false),
            Self::TooLarge => (
                INVALID,
                "RequestEntityTooLargeException",
                "ArgumentInvalid",
                false,
            ),
            Self::InUse => (
                "DeleteConflictException",
                "ConflictException",
                "Conflict",
                false,
            ),
            Self::CertificateState => (
                "CertificateStateException",
                "ConflictException",
                "Conflict",
                false,
            ),
            Self::Certificate => (
                "CertificateValidationException",
                INVALID,
                "ArgumentInvalid",
                false,
            ),
            Self::Transfer => (
                "TransferConflictException",
                "ConflictException",
                "Conflict",
                false,
            ),
            Self::TransferDone => (
                "TransferAlreadyCompletedException",
                "ConflictException",
                "Conflict",
                false,
            ),
            Self::Unauthorized => (
                "UnauthorizedException",
                "UnauthorizedException",
                "IotHubUnauthorizedAccess",
                false,
            ),
            Self::Unsupported => (
                "NotImplementedException",
                "NotImplementedException",
                "NotImplemented",
                false,
            ),
            Self::Internal => (
                "InternalFailureException",
                "InternalFailureException",
                "ServerError",
                false,
            ),
            Self::Busy => (
                "ServiceUnavailableException",
                "ServiceUnavailableException",
                "ServiceUnavailable",
                true,
            ),
        }
    }
}

/// Every code with its names, in the order of the code.
pub const MAPPED: &[Mapping] = &[
    row("request.ambiguous_operation", Kind::Invalid),
    row("request.invalid", Kind::Invalid),
    row("request.invalid_token", Kind::Invalid),
    row("request.malformed", Kind::Invalid),
    row("request.unknown_operation", Kind::Invalid),
    row("request.unsupported", Kind::Unsupported),
];

impl Mapping {
    /// The row of `code`; an internal failure for a code that is not listed.
    #[must_use]
    pub fn of(code: &str) -> Self {
        MAPPED
            .iter()
            .find(|row| row.code == code)
            .copied()
            .unwrap_or(row("", Kind::Internal))
    }

    /// The name that `service` uses.
    #[must_use]
    pub const fn name(&self, service: Service) -> &'static str {
        match service {
            Service::Iot => self.aws,
            Service::IotData | Service::IotJobsData => self.data,
            Service::IotHub | Service::Dps => self.hub,
        }
    }
}
