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
    Aggregation,
    NotReady,
    Format,
    Encoding,
    NotFound,
    NoDevice,
    NoModule,
    Disabled,
    TooManyDevices,
    TooManyModules,
    DefinedTwice,
    Scope,
    Exists,
    DeviceExists,
    ModuleExists,
    Stale,
    Limit,
    TooLarge,
    InUse,
    CertificateState,
    Certificate,
    Possession,
    Transfer,
    TransferDone,
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
            Self::NotReady => ("IndexNotReadyException", INVALID, "ArgumentInvalid", false),
            Self::Aggregation => (
                "InvalidAggregationException",
                INVALID,
                "ArgumentInvalid",
                false,
            ),
            Self::Format => (INVALID, INVALID, "IotHubFormatError", false),
            Self::Encoding => (
                INVALID,
                "UnsupportedDocumentEncodingException",
                "IotHubFormatError",
                false,
            ),
            Self::NotFound => (MISSING, MISSING, "ResourceNotFound", false),
            Self::NoDevice => (MISSING, MISSING, "DeviceNotFound", false),
            Self::NoModule => (MISSING, MISSING, "ModuleNotFound", false),
            Self::Disabled => (INVALID, "ForbiddenException", "DeviceDisabled", false),
            Self::TooManyDevices => ("LimitExceededException", INVALID, "TooManyDevices", false),
            Self::TooManyModules => (
                "LimitExceededException",
                INVALID,
                "TooManyModulesOnDevice",
                false,
            ),
            Self::DefinedTwice => (INVALID, INVALID, "DeviceDefinedMultipleTimes", false),
            Self::Scope => (INVALID, INVALID, "InvalidDeviceScope", false),
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
            Self::Possession => (
                "RegistrationCodeValidationException",
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
    row("attribute.too_large", Kind::Invalid),
    row("attribute.too_many", Kind::Invalid),
    row("billing_group.already_exists", Kind::Exists),
    row("billing_group.not_found", Kind::NotFound),
    row("billing_group.version_conflict", Kind::Stale),
    row("ca_certificate.active", Kind::CertificateState),
    row("ca_certificate.already_exists", Kind::Exists),
    row("ca_certificate.config_set_and_removed", Kind::Invalid),
    row("ca_certificate.not_found", Kind::NotFound),
    row("ca_certificate.possession", Kind::Possession),
    row("ca_certificate.too_many_with_subject", Kind::Limit),
    row("ca_certificate.verification_missing", Kind::Invalid),
    row("ca_certificate.verification_unexpected", Kind::Invalid),
    row("certificate.active", Kind::CertificateState),
    row("certificate.already_exists", Kind::Exists),
    row("certificate.ca_not_found", Kind::Certificate),
    row("certificate.initial_status", Kind::Invalid),
    row("certificate.malformed", Kind::Certificate),
    row("certificate.no_transfer", Kind::Invalid),
    row("certificate.not_found", Kind::NotFound),
    row("certificate.policies_attached", Kind::InUse),
    row("certificate.state", Kind::CertificateState),
    row("certificate.status_not_settable", Kind::CertificateState),
    row("certificate.things_attached", Kind::InUse),
    row("certificate.too_many_policies", Kind::Limit),
    row("certificate.transfer_completed", Kind::TransferDone),
    row("certificate.transfer_conflict", Kind::Transfer),
    row("device.already_exists", Kind::DeviceExists),
    row("device.defined_multiple_times", Kind::DefinedTwice),
    row("device.disabled", Kind::Disabled),
    row("device.invalid_scope", Kind::Scope),
    row("device.not_found", Kind::NoDevice),
    row("device.too_many", Kind::TooManyDevices),
    row("group.already_exists", Kind::Exists),
    row("group.dynamic", Kind::Invalid),
    row("group.has_children", Kind::Invalid),
    row("group.index_not_ready", Kind::Invalid),
    row("group.limit_exceeded", Kind::Invalid),
    row("group.not_found", Kind::NotFound),
    row("group.parent_dynamic", Kind::Invalid),
    row("group.parent_not_found", Kind::Invalid),
    row("group.static", Kind::Invalid),
    row("group.too_deep", Kind::Invalid),
    row("group.too_many_children", Kind::Invalid),
    row("group.too_many_dynamic", Kind::Limit),
    row("group.too_many_policies", Kind::Limit),
    row("group.unknown_index", Kind::Invalid),
    row("group.unknown_query_version", Kind::Invalid),
    row("group.version_conflict", Kind::Stale),
    row("id.invalid", Kind::Invalid),
    row("identity.bulk_too_large", Kind::Invalid),
    row("identity.half_a_key_pair", Kind::Invalid),
    row("identity.invalid", Kind::Invalid),
    row("identity.invalid_key", Kind::Invalid),
    row("identity.not_a_thumbprint", Kind::Invalid),
    row("identity.precondition_failed", Kind::Stale),
    row("identity.precondition_missing", Kind::Stale),
    row("identity.secret_store", Kind::Internal),
    row("import.malformed", Kind::Format),
    row("import.unreadable", Kind::Internal),
    row("index.dynamic_groups", Kind::Invalid),
    row("index.invalid_configuration", Kind::Invalid),
    row("index.not_found", Kind::NotFound),
    row("index.not_ready", Kind::NotReady),
    row("kernel.invalid_name", Kind::Invalid),
    row("kernel.malformed_data", Kind::Internal),
    row("kernel.unknown_schema", Kind::Internal),
    row("kernel.unknown_type", Kind::Internal),
    row("kernel.upcast", Kind::Internal),
    row("kernel.upcaster_setup", Kind::Internal),
    row("kernel.version_gap", Kind::Internal),
    row("lifecycle.unknown_event_type", Kind::Invalid),
    row("module.already_exists", Kind::ModuleExists),
    row("module.not_found", Kind::NoModule),
    row("module.system", Kind::Invalid),
    row("module.too_many", Kind::TooManyModules),
    row("presence.no_session", Kind::Invalid),
    row("principal.exclusive", Kind::Invalid),
    row("principal.not_found", Kind::NotFound),
    row("principal.shared", Kind::Invalid),
    row("query.always_false", Kind::Query),
    row("query.always_true", Kind::Query),
    row("query.arity", Kind::Query),
    row("query.cost_exceeded", Kind::Query),
    row("query.crossings_forgotten", Kind::Invalid),
    row("query.index_damaged", Kind::Internal),
    row("query.index_io", Kind::Internal),
    row("query.invalid_aggregation", Kind::Aggregation),
    row("query.invalid_document", Kind::Invalid),
    row("query.invalid_page_size", Kind::Invalid),
    row("query.invalid_schema", Kind::Invalid),
    row("query.invalid_token", Kind::Invalid),
    row("query.kind_mismatch", Kind::Query),
    row("query.metadata_not_kept", Kind::Query),
    row("query.name_not_allowed", Kind::Query),
    row("query.no_counterpart", Kind::Query),
    row("query.not_found", Kind::NotFound),
    row("query.renamed_document", Kind::Invalid),
    row("query.syntax", Kind::Query),
    row("query.too_deep", Kind::Query),
    row("query.too_long", Kind::Query),
    row("query.too_many_items", Kind::Query),
    row("query.too_many_paths", Kind::Invalid),
    row("query.too_many_terms", Kind::Query),
    row("query.too_many_wildcards", Kind::Query),
    row("query.type", Kind::Query),
    row("query.unbound_parameter", Kind::Query),
    row("query.unknown_collection", Kind::Query),
    row("query.unknown_field", Kind::Query),
    row("query.unknown_function", Kind::Query),
    row("query.unknown_parameter", Kind::Query),
    row("query.unsupported_in_dialect", Kind::Query),
    row("query.version_gap", Kind::Internal),
    row("request.ambiguous_operation", Kind::Invalid),
    row("request.invalid", Kind::Invalid),
    row("request.invalid_token", Kind::Invalid),
    row("request.malformed", Kind::Invalid),
    row("request.unknown_operation", Kind::Invalid),
    row("request.unsupported", Kind::Unsupported),
    row("shadow.encoding", Kind::Encoding),
    row("shadow.invalid_client_token", Kind::Invalid),
    row("shadow.invalid_json", Kind::Format),
    row("shadow.invalid_node", Kind::Invalid),
    row("shadow.invalid_version", Kind::Invalid),
    row("shadow.missing_state", Kind::Invalid),
    row("shadow.not_found", Kind::NoDevice),
    row("shadow.section_not_object", Kind::Invalid),
    row("shadow.state_not_object", Kind::Invalid),
    row("shadow.too_deep", Kind::Invalid),
    row("shadow.too_large", Kind::TooLarge),
    row("shadow.version_conflict", Kind::Stale),
    row("store.conflict", Kind::Busy),
    row("store.corrupt", Kind::Internal),
    row("store.full", Kind::Busy),
    row("store.id_reused", Kind::Internal),
    row("store.invalid_input", Kind::Internal),
    row("store.misconfigured", Kind::Internal),
    row("store.subscription_ended", Kind::Busy),
    row("store.tombstoned", Kind::Internal),
    row("store.too_large", Kind::TooLarge),
    row("store.unavailable", Kind::Busy),
    row("store.unknown", Kind::Busy),
    row("store.unknown_schema", Kind::Internal),
    row("store.unsupported", Kind::Unsupported),
    row("tag.duplicate_key", Kind::Invalid),
    row("tag.invalid", Kind::Invalid),
    row("tag.limit_exceeded", Kind::Limit),
    row("thing.already_exists", Kind::DeviceExists),
    row("thing.group_added_and_removed", Kind::Invalid),
    row("thing.no_thing_face", Kind::Invalid),
    row("thing.not_found", Kind::NoDevice),
    row("thing.principals_attached", Kind::Invalid),
    row("thing.same_hierarchy", Kind::Invalid),
    row("thing.type_set_and_removed", Kind::Invalid),
    row("thing.version_conflict", Kind::Stale),
    row("thing_type.already_exists", Kind::Exists),
    row("thing_type.deprecated", Kind::Invalid),
    row("thing_type.deprecated_too_recently", Kind::Invalid),
    row("thing_type.in_use", Kind::Invalid),
    row("thing_type.not_deprecated", Kind::Invalid),
    row("thing_type.not_found", Kind::NotFound),
    row("thing_type.searchable_fixed", Kind::Invalid),
    row("thing_type.too_many_searchable", Kind::Invalid),
    row("twin.integer_out_of_range", Kind::Invalid),
    row("twin.invalid_document", Kind::Invalid),
    row("twin.invalid_key", Kind::Invalid),
    row("twin.key_too_long", Kind::Invalid),
    row("twin.no_such_face", Kind::NoDevice),
    row("twin.null_in_array", Kind::Invalid),
    row("twin.precondition_failed", Kind::Stale),
    row("twin.string_too_long", Kind::Invalid),
    row("twin.too_deep", Kind::Invalid),
    row("twin.too_large", Kind::TooLarge),
    row("twin.version_conflict", Kind::Stale),
    row("verify.invariant", Kind::Internal),
    row("verify.read_model", Kind::Internal),
];

impl Mapping {
    /// The row of `code`; an internal failure for a code that is not listed.
    #[must_use]
    pub fn of(code: &str) -> Self {
        MAPPED
            .iter()
            .find(|row| row.code == code)
            .copied()
            .unwrap_or_else(|| {
                // Cryptography names its own causes; what it refuses is the request's fault.
                let kind = if code.starts_with("crypto.") {
                    Kind::Certificate
                } else {
                    Kind::Internal
                };
                row("", kind)
            })
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
