//! Why an identity command was refused, and what IoT Hub calls it.

use crate::kernel::ErrorCode;
use crate::twin::ServiceError;

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("device.not_found", "no device of this id exists"),
    (
        "device.already_exists",
        "a device, or a thing, of this id exists",
    ),
    (
        "device.disabled",
        "the device is disabled: it may not use device-facing operations",
    ),
    (
        "device.too_many",
        "the hub holds as many devices and modules as it may",
    ),
    (
        "device.defined_multiple_times",
        "one bulk call names an identity twice",
    ),
    (
        "device.invalid_scope",
        "a scope names no edge device that can take the child",
    ),
    (
        "module.not_found",
        "no module of this id exists on the device",
    ),
    (
        "module.already_exists",
        "a module of this id exists on the device",
    ),
    (
        "module.too_many",
        "the device has as many modules as it may",
    ),
    ("module.system", "system modules belong to the service"),
    (
        "identity.precondition_failed",
        "the identity's ETag is not the one that the request expects",
    ),
    (
        "identity.precondition_missing",
        "the request needs an `If-Match` header",
    ),
    (
        "identity.invalid",
        "a member of the identity document is not what it must be",
    ),
    (
        "identity.half_a_key_pair",
        "one symmetric key is given without the other",
    ),
    (
        "identity.invalid_key",
        "a symmetric key is not base64 of 16 to 64 bytes",
    ),
    (
        "identity.not_a_thumbprint",
        "a thumbprint is not hex of a SHA-1 or SHA-256",
    ),
    (
        "identity.bulk_too_large",
        "a bulk call holds more identities than it may",
    ),
    ("identity.secret_store", "the secret store failed"),
];

/// Why an identity command was refused. Spec: Azure 1.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// There is no such device.
    #[error("device `{device}` does not exist")]
    DeviceNotFound {
        /// The id.
        device: String,
    },
    /// The name is taken, by a device or a thing: they are one record.
    #[error("device `{device}` exists: update it with `If-Match`, or take another id")]
    DeviceAlreadyExists {
        /// The id.
        device: String,
    },
    /// A device-facing operation of a disabled device.
    #[error("device `{device}` is disabled: enable it first")]
    DeviceDisabled {
        /// The id.
        device: String,
    },
    /// The hub is full.
    #[error("the hub holds {limit} devices and modules, which is all it may")]
    TooManyDevices {
        /// How many it may hold.
        limit: usize,
    },
    /// A bulk call names an identity twice.
    #[error("`{identity}` is named more than once in one call: name it once")]
    DefinedMultipleTimes {
        /// Device, or device and module.
        identity: String,
    },
    /// The scope cannot be the child's.
    #[error("scope `{scope}` is not usable: {reason}")]
    InvalidScope {
        /// The scope as given.
        scope: String,
        /// Why.
        reason: &'static str,
    },
    /// There is no such module.
    #[error("module `{module}` does not exist on device `{device}`")]
    ModuleNotFound {
        /// The device.
        device: String,
        /// The module.
        module: String,
    },
    /// The module exists.
    #[error(
        "module `{module}` exists on device `{device}`: update it with `If-Match`, or take another id"
    )]
    ModuleAlreadyExists {
        /// The device.
        device: String,
        /// The module.
        module: String,
    },
    /// The device is full.
    #[error("device `{device}` has {limit} modules, which is all it may")]
    TooManyModules {
        /// The device.
        device: String,
        /// How many it may have.
        limit: usize,
    },
    /// A module whose id starts with `$`.
    #[error(
        "module `{module}` belongs to the service: ids with `$` at the start cannot be written"
    )]
    SystemModule {
        /// The module.
        module: String,
    },
    /// The ETag is another one.
    #[error("the identity has ETag `{actual}`, the request expects `{expected}`: read it again")]
    PreconditionFailed {
        /// As the request says.
        expected: String,
        /// The identity's.
        actual: String,
    },
    /// A deletion without `If-Match`.
    #[error("the request needs an `If-Match` header: give the ETag, or `*`")]
    PreconditionMissing,
    /// A member of the document is wrong.
    #[error("`{member}` is not valid: it must be {rule}")]
    Invalid {
        /// Which member.
        member: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// One key of two.
    #[error("either no keys or both keys can be set")]
    HalfKeyPair,
    /// A key of the wrong form. The key itself is not printed.
    #[error("`{member}` is not a key: it must be base64 of 16 to 64 bytes")]
    InvalidKey {
        /// Which member.
        member: &'static str,
    },
    /// A thumbprint of the wrong form.
    #[error("`{value}` is not a thumbprint: it must be 40 or 64 hex digits without separators")]
    NotAThumbprint {
        /// As given, cut after 80 characters.
        value: String,
    },
    /// Too many items.
    #[error("the call holds {found} identities, {limit} are allowed")]
    BulkTooLarge {
        /// How many it holds.
        found: usize,
        /// How many it may hold.
        limit: usize,
    },
}

impl ErrorCode for IdentityError {
    fn code(&self) -> &'static str {
        match self {
            Self::DeviceNotFound { .. } => "device.not_found",
            Self::DeviceAlreadyExists { .. } => "device.already_exists",
            Self::DeviceDisabled { .. } => "device.disabled",
            Self::TooManyDevices { .. } => "device.too_many",
            Self::DefinedMultipleTimes { .. } => "device.defined_multiple_times",
            Self::InvalidScope { .. } => "device.invalid_scope",
            Self::ModuleNotFound { .. } => "module.not_found",
            Self::ModuleAlreadyExists { .. } => "module.already_exists",
            Self::TooManyModules { .. } => "module.too_many",
            Self::SystemModule { .. } => "module.system",
            Self::PreconditionFailed { .. } => "identity.precondition_failed",
            Self::PreconditionMissing => "identity.precondition_missing",
            Self::Invalid { .. } => "identity.invalid",
            Self::HalfKeyPair => "identity.half_a_key_pair",
            Self::InvalidKey { .. } => "identity.invalid_key",
            Self::NotAThumbprint { .. } => "identity.not_a_thumbprint",
            Self::BulkTooLarge { .. } => "identity.bulk_too_large",
        }
    }
}

impl IdentityError {
    /// What IoT Hub answers. Spec: Azure 1.6 and 1.7.
    #[must_use]
    pub fn hub(&self) -> ServiceError {
        let (status, name) = match self {
            Self::DeviceNotFound { .. } => (404, "DeviceNotFound"),
            Self::DeviceAlreadyExists { .. } => (409, "DeviceAlreadyExists"),
            Self::DeviceDisabled { .. } => (403, "DeviceDisabled"),
            Self::TooManyDevices { .. } => (403, "TooManyDevices"),
            Self::DefinedMultipleTimes { .. } => (400, "DeviceDefinedMultipleTimes"),
            Self::InvalidScope { .. } => (400, "InvalidDeviceScope"),
            Self::ModuleNotFound { .. } => (404, "ModuleNotFound"),
            Self::ModuleAlreadyExists { .. } => (409, "ModuleAlreadyExistsOnDevice"),
            Self::TooManyModules { .. } => (403, "TooManyModulesOnDevice"),
            Self::PreconditionFailed { .. } | Self::PreconditionMissing => {
                (412, "PreconditionFailed")
            }
            Self::SystemModule { .. }
            | Self::Invalid { .. }
            | Self::HalfKeyPair
            | Self::InvalidKey { .. }
            | Self::NotAThumbprint { .. }
            | Self::BulkTooLarge { .. } => (400, "ArgumentInvalid"),
        };
        ServiceError {
            name,
            status,
            message: self.to_string(),
        }
    }

    /// Whether the same request may succeed after a fresh read.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        matches!(self, Self::PreconditionFailed { .. })
    }
}
