//! Identity documents as the REST interface shows them. Spec: Azure 1.2 and 1.3.

use super::{DeviceIdentity, ModuleIdentity, Thumbprint};
use crate::presence::Connectivity;
use crate::thing::Thing;
use crate::twin::hub::{IdentityFacts, time_text};
use serde_json::{Map, Value, json};

fn connection(out: &mut Map<String, Value>, connectivity: Option<&Connectivity>) {
    let connected = connectivity.is_some_and(|seen| seen.connected);
    let state = if connected {
        "Connected"
    } else {
        "Disconnected"
    };
    let at = time_text(connectivity.and_then(|seen| seen.timestamp));
    out.insert("connectionState".to_owned(), state.into());
    out.insert("connectionStateUpdatedTime".to_owned(), at.as_str().into());
    out.insert("lastActivityTime".to_owned(), at.into());
    out.insert("cloudToDeviceMessageCount".to_owned(), 0.into());
}

/// The device identity document. Keys are never in it: what stands for them is null.
#[must_use]
pub fn device_document(thing: &Thing, connectivity: Option<&Connectivity>) -> Value {
    let identity = &thing.identity;
    let mut out = Map::new();
    connection(&mut out, connectivity);
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("deviceId", thing.name.as_str().into());
    put("generationId", thing.generation_id().into());
    put("etag", identity.etag.to_string().into());
    put("status", identity.status.as_str().into());
    put("statusReason", json!(identity.status_reason));
    put(
        "statusUpdatedTime",
        time_text(identity.status_updated_at).into(),
    );
    put("authentication", identity.authentication.to_json());
    put("capabilities", json!({ "iotEdge": identity.iot_edge }));
    if let Some(scope) = identity.device_scope() {
        put("deviceScope", scope.into());
    }
    put("parentScopes", identity.parent_scopes().into());
    Value::Object(out)
}

/// The module identity document. Keys are never in it.
#[must_use]
pub fn module_document(module: &ModuleIdentity, connectivity: Option<&Connectivity>) -> Value {
    let mut out = Map::new();
    connection(&mut out, connectivity);
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("deviceId", module.device.as_str().into());
    put("moduleId", module.module.as_str().into());
    put("managedBy", json!(module.managed_by));
    put("generationId", module.generation.to_string().into());
    put("etag", module.etag.to_string().into());
    put("authentication", module.authentication.to_json());
    Value::Object(out)
}

fn thumbprint(thumbprint: Option<&Thumbprint>) -> Option<String> {
    thumbprint.map(|thumbprint| thumbprint.as_str().to_owned())
}

/// What the device's twin mirrors of the identity.
#[must_use]
pub fn device_facts(
    identity: &DeviceIdentity,
    connectivity: Option<&Connectivity>,
) -> IdentityFacts {
    let (primary, secondary) = identity.authentication.thumbprints();
    IdentityFacts {
        device_etag: identity.etag.to_string(),
        status: identity.status.as_str(),
        status_reason: identity.status_reason.clone(),
        status_updated: identity.status_updated_at,
        connection_state: match connectivity {
            Some(seen) if seen.connected => "Connected",
            _ => "Disconnected",
        },
        last_activity: connectivity.and_then(|seen| seen.timestamp),
        cloud_to_device_messages: 0,
        authentication_type: identity.authentication.kind(),
        primary_thumbprint: thumbprint(primary),
        secondary_thumbprint: thumbprint(secondary),
        iot_edge: identity.iot_edge,
        device_scope: identity.device_scope().map(str::to_owned),
        parent_scopes: identity.parent_scopes(),
    }
}

/// What a module's twin mirrors: its own authentication, the status of its device.
#[must_use]
pub fn module_facts(
    module: &ModuleIdentity,
    device: &DeviceIdentity,
    connectivity: Option<&Connectivity>,
) -> IdentityFacts {
    let (primary, secondary) = module.authentication.thumbprints();
    IdentityFacts {
        device_etag: module.etag.to_string(),
        authentication_type: module.authentication.kind(),
        primary_thumbprint: thumbprint(primary),
        secondary_thumbprint: thumbprint(secondary),
        iot_edge: false,
        device_scope: None,
        parent_scopes: Vec::new(),
        ..device_facts(device, connectivity)
    }
}
