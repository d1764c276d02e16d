//! Reading identity documents that clients write. Spec: Azure 1.2 to 1.6.

use super::authentication::{AuthenticationRequest, Owner};
use super::device::DeviceWrite;
use super::module::ModuleWrite;
use super::{IdentityError, KeyHandles, KeyRequest, Status};
use crate::kernel::{Problems, Refused};
use crate::limits::IdentityLimits;
use serde_json::{Map, Value};

/// A device identity document, read and checked; its keys are still to be put in the vault.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRequest {
    authentication: AuthenticationRequest,
    write: DeviceWrite,
}

impl DeviceRequest {
    /// Reads the body of a create or replace request for the device `id`.
    ///
    /// What is left out has its default (a write replaces the whole document); read-only and unknown members are ignored.
    ///
    /// # Errors
    /// `identity.invalid`, `identity.half_a_key_pair`, `identity.invalid_key`, `identity.not_a_thumbprint`.
    pub fn parse(
        id: &str,
        body: &Value,
        limits: &IdentityLimits,
    ) -> Result<Self, Refused<IdentityError>> {
        let mut problems = Problems::new();
        let empty = Map::new();
        let members = body.as_object().unwrap_or(&empty);
        problems.check(body.is_object(), || invalid("body", "an object"));
        problems.check(same_id(members.get("deviceId"), id), || {
            invalid("deviceId", "the id that the request names")
        });
        let status = match text(members, "status", &mut problems).as_deref() {
            None | Some("enabled") => Status::Enabled,
            Some("disabled") => Status::Disabled,
            Some(_) => {
                problems.push(invalid("status", "`enabled` or `disabled`"));
                Status::Enabled
            }
        };
        let status_reason = text(members, "statusReason", &mut problems);
        let fits = |reason: &String| reason.chars().count() <= limits.status_reason_chars;
        problems.check(status_reason.as_ref().is_none_or(fits), || {
            invalid("statusReason", "at most 128 characters")
        });
        let edge = members
            .get("capabilities")
            .and_then(|all| all.get("iotEdge"));
        problems.check(
            edge.is_none_or(|edge| edge.is_boolean() || edge.is_null()),
            || invalid("capabilities.iotEdge", "true or false"),
        );
        let authentication = AuthenticationRequest::parse(
            members.get("authentication"),
            Owner::Device,
            &mut problems,
        );
        let write = DeviceWrite {
            status,
            status_reason,
            authentication: super::Authentication::None,
            iot_edge: edge.and_then(Value::as_bool).unwrap_or_default(),
            device_scope: text(members, "deviceScope", &mut problems)
                .filter(|scope| !scope.is_empty()),
            parent_scopes: scopes(members.get("parentScopes"), &mut problems),
        };
        problems.finish()?;
        Ok(Self {
            authentication,
            write,
        })
    }

    /// The keys that the caller must put in its vault first; `None` when there are none.
    #[must_use]
    pub const fn keys(&self) -> Option<&KeyRequest> {
        self.authentication.keys()
    }

    /// The write to decide. `keys`: the handles under which the caller put the keys.
    #[must_use]
    pub fn into_write(self, keys: Option<KeyHandles>) -> DeviceWrite {
        DeviceWrite {
            authentication: self.authentication.with_keys(keys),
            ..self.write
        }
    }
}

/// A module identity document, read and checked; its keys are still to be put in the vault.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleRequest {
    authentication: AuthenticationRequest,
    managed_by: Option<String>,
}

impl ModuleRequest {
    /// Reads the body of a create or replace request for the module `module` of `device`.
    ///
    /// # Errors
    /// As [`DeviceRequest::parse`].
    pub fn parse(device: &str, module: &str, body: &Value) -> Result<Self, Refused<IdentityError>> {
        let mut problems = Problems::new();
        let empty = Map::new();
        let members = body.as_object().unwrap_or(&empty);
        problems.check(body.is_object(), || invalid("body", "an object"));
        problems.check(same_id(members.get("deviceId"), device), || {
            invalid("deviceId", "the id that the request names")
        });
        problems.check(same_id(members.get("moduleId"), module), || {
            invalid("moduleId", "the id that the request names")
        });
        let managed_by = text(members, "managedBy", &mut problems).filter(|by| !by.is_empty());
        let authentication = AuthenticationRequest::parse(
            members.get("authentication"),
            Owner::Module,
            &mut problems,
        );
        problems.finish()?;
        Ok(Self {
            authentication,
            managed_by,
        })
    }

    /// The keys that the caller must put in its vault first; `None` when there are none.
    #[must_use]
    pub const fn keys(&self) -> Option<&KeyRequest> {
        self.authentication.keys()
    }

    /// The write to decide. `keys`: the handles under which the caller put the keys.
    #[must_use]
    pub fn into_write(self, keys: Option<KeyHandles>) -> ModuleWrite {
        ModuleWrite {
            authentication: self.authentication.with_keys(keys),
            managed_by: self.managed_by,
        }
    }
}

pub(super) const fn invalid(member: &'static str, rule: &'static str) -> IdentityError {
    IdentityError::Invalid { member, rule }
}

fn same_id(value: Option<&Value>, id: &str) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_str() == Some(id))
}

fn text(
    members: &Map<String, Value>,
    name: &'static str,
    problems: &mut Problems<IdentityError>,
) -> Option<String> {
    match members.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        _ => {
            problems.push(invalid(name, "a text"));
            None
        }
    }
}

fn scopes(value: Option<&Value>, problems: &mut Problems<IdentityError>) -> Vec<String> {
    let texts = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>(),
        Some(_) => None,
    };
    match texts {
        Some(texts) => texts.into_iter().filter(|text| !text.is_empty()).collect(),
        None => {
            problems.push(invalid("parentScopes", "a list of texts"));
            Vec::new()
        }
    }
}
