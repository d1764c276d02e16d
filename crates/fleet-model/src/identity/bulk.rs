//! Bulk registry calls: their items. Spec: Azure 1.6.

use super::IdentityError;
use super::request::invalid;
use crate::id::{DeviceId, ModuleId};
use crate::limits::IdentityLimits;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// What a bulk item asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ImportMode {
    /// Creates the identity.
    Create,
    /// Replaces it, whatever its ETag is.
    Update,
    /// Replaces it if its ETag is the item's.
    UpdateIfMatchEtag,
    /// Deletes it, whatever its ETag is.
    Delete,
    /// Deletes it if its ETag is the item's.
    DeleteIfMatchEtag,
    /// Patches its twin, whatever the twin's ETag is.
    UpdateTwin,
    /// Patches its twin if the twin's ETag is the item's.
    UpdateTwinIfMatchEtag,
}

impl ImportMode {
    const ALL: [(&'static str, Self); 7] = [
        ("create", Self::Create),
        ("update", Self::Update),
        ("updateIfMatchETag", Self::UpdateIfMatchEtag),
        ("delete", Self::Delete),
        ("deleteIfMatchETag", Self::DeleteIfMatchEtag),
        ("updateTwin", Self::UpdateTwin),
        ("updateTwinIfMatchETag", Self::UpdateTwinIfMatchEtag),
    ];

    /// The name of the mode, `updateIfMatchETag`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, mode)| *mode == self)
            .map_or("create", |(name, _)| name)
    }
}

/// One item of a bulk call.
#[derive(Clone, Debug, PartialEq)]
pub struct BulkItem {
    /// The device.
    pub device: DeviceId,
    /// The module, for a module identity.
    pub module: Option<ModuleId>,
    /// What to do.
    pub mode: ImportMode,
    /// The identity's ETag, for the modes that ask for it.
    pub etag: Option<String>,
    /// The twin's ETag, for the mode that asks for it.
    pub twin_etag: Option<String>,
    /// The identity document, for [`super::DeviceRequest::parse`] or [`super::ModuleRequest::parse`].
    pub identity: Value,
    /// `{tags?, properties?: {desired?}}`, for a twin patch or the twin of a new identity; `None` without either.
    pub twin: Option<Value>,
}

/// Reads a bulk call: an array of at most [`IdentityLimits::bulk_identities`] items.
///
/// The result has an entry per item, in order; an item that cannot be read has its error.
///
/// # Errors
/// `identity.invalid` when the body is no array, `identity.bulk_too_large`.
pub fn bulk_items(
    body: &Value,
    limits: &IdentityLimits,
) -> Result<Vec<Result<BulkItem, IdentityError>>, IdentityError> {
    let items = body.as_array().ok_or(invalid("body", "an array"))?;
    if items.len() > limits.bulk_identities {
        return Err(IdentityError::BulkTooLarge {
            found: items.len(),
            limit: limits.bulk_identities,
        });
    }
    let mut seen = BTreeSet::new();
    Ok(items
        .iter()
        .map(|item| {
            let item = read(item)?;
            let module = item
                .module
                .as_ref()
                .map(|module| module.as_str().to_owned());
            if seen.insert((item.device.as_str().to_owned(), module.clone())) {
                return Ok(item);
            }
            let device = item.device.as_str();
            Err(IdentityError::DefinedMultipleTimes {
                identity: module
                    .map_or_else(|| device.to_owned(), |module| format!("{device}/{module}")),
            })
        })
        .collect())
}

fn read(item: &Value) -> Result<BulkItem, IdentityError> {
    let members = item
        .as_object()
        .ok_or(invalid("body", "an array of objects"))?;
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    let device = text("id").or_else(|| text("deviceId"));
    let device = device.and_then(|id| id.parse().ok());
    let device = device.ok_or(invalid("id", "a device id"))?;
    let module = match text("moduleId") {
        None | Some("") => None,
        Some(id) => Some(id.parse().map_err(|_| invalid("moduleId", "a module id"))?),
    };
    let mode = match text("importMode") {
        None => ImportMode::Create,
        Some(name) => {
            let mut all = ImportMode::ALL.iter();
            let found = all.find(|(known, _)| known.eq_ignore_ascii_case(name));
            found.map(|(_, mode)| *mode).ok_or(invalid(
                "importMode",
                "`create`, `update`, `updateIfMatchETag`, `delete`, `deleteIfMatchETag`, `updateTwin` or `updateTwinIfMatchETag`",
            ))?
        }
    };
    let etag = |names: [&str; 2]| names.into_iter().find_map(text).map(str::to_owned);
    let (etag, twin_etag) = (etag(["eTag", "etag"]), etag(["twinETag", "twinEtag"]));
    let needs = match mode {
        ImportMode::UpdateIfMatchEtag | ImportMode::DeleteIfMatchEtag => etag.is_none(),
        ImportMode::UpdateTwinIfMatchEtag => twin_etag.is_none(),
        _ => false,
    };
    if needs {
        return Err(IdentityError::PreconditionMissing);
    }
    let part = |names: &[&str]| -> Map<String, Value> {
        let wanted = members
            .iter()
            .filter(|(name, _)| names.contains(&name.as_str()));
        wanted
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    let twin = part(&["tags", "properties"]);
    Ok(BulkItem {
        device,
        module,
        mode,
        etag,
        twin_etag,
        identity: Value::Object(part(&[
            "status",
            "statusReason",
            "authentication",
            "capabilities",
            "deviceScope",
            "parentScopes",
            "managedBy",
        ])),
        twin: (!twin.is_empty()).then_some(Value::Object(twin)),
    })
}
