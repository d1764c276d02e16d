//! Validated names and identifiers of both services.
//!
//! A value of a type here obeys its alphabet and length: text enters through `FromStr`,
//! `TryFrom<String>` or serde, all of which are the same door. Cloning a text id is cheap (one
//! reference count). Spec: AWS 0.3, Azure 1.1.

mod arn;
mod record;
pub(crate) mod text;
mod uuid_id;

pub use arn::{AccountId, Arn, Owner, Region, Resource};
pub use record::{DeviceId, RecordName};
pub(crate) use text::text_id;
pub use text::{
    AttributeName, AttributeValue, BillingGroupName, CertificateId, CognitoIdentityId, Description,
    IndexName, JobId, ModuleId, PolicyName, ShadowName, TemplateName, ThingGroupName, ThingName,
    ThingTypeName, TransferMessage,
};
pub use uuid_id::{BillingGroupId, MembershipId, ThingGroupId, ThingId, ThingTypeId};

use crate::kernel::ErrorCode;
use serde::{Deserialize, Serialize};

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[(
    "id.invalid",
    "a name, id or text breaks its alphabet or length",
)];

/// Text that breaks the alphabet or length of what it should be.
///
/// AWS: `InvalidRequestException`; IoT Hub: `ArgumentInvalid`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} `{value}` is not valid: it must be {rule}")]
pub struct IdError {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

impl IdError {
    pub(crate) fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        // One line, and no longer than a person reads.
        let value = value
            .chars()
            .take(80)
            .flat_map(char::escape_debug)
            .collect();
        Self { kind, value, rule }
    }

    /// What the text should have been, `thing name`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// The offending text, cut after 80 characters.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What it must be.
    #[must_use]
    pub const fn rule(&self) -> &'static str {
        self.rule
    }
}

impl ErrorCode for IdError {
    fn code(&self) -> &'static str {
        "id.invalid"
    }
}

/// The version of a registry record: 1 on creation, +1 per successful update.
///
/// It starts anew when the record is deleted and created again. AWS calls it `version`.
#[derive(
    Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Revision(pub u64);

impl Revision {
    /// That of a record just created.
    pub const FIRST: Self = Self(1);

    /// That after one more update.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl std::fmt::Display for Revision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
