//! The HTTP status of each error name (AWS spec 0.5; Azure spec 1.6, 1.7).

use crate::Service;

const CONTROL: &[(&str, u16)] = &[
    ("InvalidRequestException", 400),
    ("InvalidQueryException", 400),
    ("InvalidAggregationException", 400),
    ("IndexNotReadyException", 400),
    ("MalformedPolicyException", 400),
    ("CertificateValidationException", 400),
    ("RegistrationCodeValidationException", 400),
    ("ResourceRegistrationFailureException", 400),
    ("TaskAlreadyExistsException", 400),
    ("ThrottlingException", 400),
    ("UnauthorizedException", 401),
    ("ServiceQuotaExceededException", 402),
    ("ResourceNotFoundException", 404),
    ("NotConfiguredException", 404),
    ("CertificateStateException", 406),
    ("VersionConflictException", 409),
    ("ResourceAlreadyExistsException", 409),
    ("ConflictException", 409),
    ("ConflictingResourceUpdateException", 409),
    ("DeleteConflictException", 409),
    ("InvalidStateTransitionException", 409),
    ("VersionsLimitExceededException", 409),
    ("CertificateConflictException", 409),
    ("TransferConflictException", 409),
    ("LimitExceededException", 410),
    ("TransferAlreadyCompletedException", 410),
    ("InternalFailureException", 500),
    ("NotImplementedException", 501),
    ("ServiceUnavailableException", 503),
];

const DATA: &[(&str, u16)] = &[
    ("InvalidRequestException", 400),
    ("UnauthorizedException", 401),
    ("ForbiddenException", 403),
    ("ResourceNotFoundException", 404),
    ("MethodNotAllowedException", 405),
    ("ConflictException", 409),
    ("RequestEntityTooLargeException", 413),
    ("UnsupportedDocumentEncodingException", 415),
    ("ThrottlingException", 429),
    ("InternalFailureException", 500),
    ("NotImplementedException", 501),
    ("ServiceUnavailableException", 503),
];

const JOBS_DATA: &[(&str, u16)] = &[
    ("InvalidRequestException", 400),
    ("CertificateValidationException", 400),
    ("ResourceNotFoundException", 404),
    ("InvalidStateTransitionException", 409),
    ("TerminalStateException", 410),
    ("ThrottlingException", 429),
    ("NotImplementedException", 501),
    ("ServiceUnavailableException", 503),
];

const HUB: &[(&str, u16)] = &[
    ("ArgumentInvalid", 400),
    ("ArgumentNull", 400),
    ("IotHubFormatError", 400),
    ("InvalidDeviceScope", 400),
    ("DeviceDefinedMultipleTimes", 400),
    ("CannotRegisterModuleToModule", 400),
    ("GenericBadRequest", 400),
    ("IotHubUnauthorizedAccess", 401),
    ("DeviceDisabled", 403),
    ("TooManyDevices", 403),
    ("TooManyModulesOnDevice", 403),
    ("QuotaExceeded", 403),
    ("DeviceNotFound", 404),
    ("ModuleNotFound", 404),
    ("ResourceNotFound", 404),
    ("DeviceNotOnline", 404),
    ("DeviceAlreadyExists", 409),
    ("ModuleAlreadyExistsOnDevice", 409),
    ("Conflict", 409),
    ("EtagDoesNotMatch", 412),
    ("PreconditionFailed", 412),
    ("RequestEntityTooLarge", 413),
    ("ThrottlingException", 429),
    ("ServerError", 500),
    ("NotImplemented", 501),
    ("ServiceUnavailable", 503),
];

/// The HTTP status of the error `name` at `service`; 500 for a name that it does not use.
#[must_use]
pub fn status_of(service: Service, name: &str) -> u16 {
    let table = match service {
        Service::Iot => CONTROL,
        Service::IotData => DATA,
        Service::IotJobsData => JOBS_DATA,
        Service::IotHub | Service::Dps => HUB,
    };
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map_or(500, |(_, status)| *status)
}
