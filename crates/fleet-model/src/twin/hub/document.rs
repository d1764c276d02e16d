//! The twin documents of IoT Hub. Spec: Azure 2.1, 2.2 and 2.4.

use crate::kernel::Timestamp;
use crate::twin::node::{Members, Node, NodeValue};
use crate::twin::section::{Section, SectionName};
use crate::twin::{TwinKey, TwinState};
use serde_json::{Map, Value, json};

/// The text of an instant that never was.
pub const NEVER: &str = "0001-01-01T00:00:00Z";

/// RFC 3339 text of an instant in UTC with six digits; [`NEVER`] for none.
#[must_use]
pub fn time_text(at: Option<Timestamp>) -> String {
    at.map_or_else(|| NEVER.to_owned(), |at| at.to_string())
}

/// What a twin shows of its identity (Azure 2.1): a read-only copy at its root.
///
/// `connectionStateUpdatedTime` and `generationId` are not mirrored, keys never are.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityFacts {
    /// The identity's ETag, shown as `deviceEtag`.
    pub device_etag: String,
    /// `enabled` or `disabled`; modules have none of their own and show their device's.
    pub status: &'static str,
    /// Why.
    pub status_reason: Option<String>,
    /// When the status last changed.
    pub status_updated: Option<Timestamp>,
    /// `Connected` or `Disconnected`.
    pub connection_state: &'static str,
    /// The last connect, receive or send.
    pub last_activity: Option<Timestamp>,
    /// Messages queued for the device.
    pub cloud_to_device_messages: u64,
    /// `sas`, `selfSigned`, `certificateAuthority` or `none`.
    pub authentication_type: &'static str,
    /// Hex text of the primary thumbprint.
    pub primary_thumbprint: Option<String>,
    /// Hex text of the secondary thumbprint.
    pub secondary_thumbprint: Option<String>,
    /// Whether the device is edge-enabled.
    pub iot_edge: bool,
    /// The device's scope: its own for an edge device, its parent's for a leaf.
    pub device_scope: Option<String>,
    /// The scope of its parent.
    pub parent_scopes: Vec<String>,
}

impl Default for IdentityFacts {
    /// An enabled device with symmetric keys that never connected.
    fn default() -> Self {
        Self {
            device_etag: crate::twin::hub::Etag::FIRST.to_string(),
            status: "enabled",
            status_reason: None,
            status_updated: None,
            connection_state: "Disconnected",
            last_activity: None,
            cloud_to_device_messages: 0,
            authentication_type: "sas",
            primary_thumbprint: None,
            secondary_thumbprint: None,
            iot_edge: false,
            device_scope: None,
            parent_scopes: Vec::new(),
        }
    }
}

/// The twin as the back end reads it.
///
/// Module twins have `moduleId` too. Sections without members are shown, with their metadata.
#[must_use]
pub fn document(key: &TwinKey, twin: &TwinState, identity: &IdentityFacts) -> Value {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    put("deviceId", key.record().as_str().into());
    if let Some(module) = key.module() {
        put("moduleId", module.as_str().into());
    }
    put("etag", twin.etag().into());
    put("deviceEtag", identity.device_etag.as_str().into());
    put("version", twin.version().into());
    put("status", identity.status.into());
    if let Some(reason) = &identity.status_reason {
        put("statusReason", reason.as_str().into());
    }
    put(
        "statusUpdateTime",
        time_text(identity.status_updated).into(),
    );
    // What an import told stands until the fleet hears of the connection itself.
    let (state, active) = match (identity.last_activity, twin.imported()) {
        (None, Some(imported)) => (
            imported.connection_state.as_deref(),
            imported.last_activity_time.clone(),
        ),
        _ => (None, None),
    };
    let state = state.unwrap_or(identity.connection_state);
    put("connectionState", state.into());
    let active = active.unwrap_or_else(|| time_text(identity.last_activity));
    put("lastActivityTime", active.into());
    put(
        "cloudToDeviceMessageCount",
        identity.cloud_to_device_messages.into(),
    );
    put("authenticationType", identity.authentication_type.into());
    put(
        "x509Thumbprint",
        json!({
            "primaryThumbprint": identity.primary_thumbprint,
            "secondaryThumbprint": identity.secondary_thumbprint,
        }),
    );
    put("capabilities", json!({ "iotEdge": identity.iot_edge }));
    if let Some(scope) = &identity.device_scope {
        put("deviceScope", scope.as_str().into());
    }
    if !identity.parent_scopes.is_empty() {
        put("parentScopes", identity.parent_scopes.clone().into());
    }
    put("modelId", "".into());
    if !twin.configurations().is_empty() {
        put("configurations", configurations(twin));
    }
    put("tags", Value::Object(twin.tags().members().to_json()));
    put("properties", properties(twin));
    Value::Object(out)
}

pub(super) fn configurations(twin: &TwinState) -> Value {
    twin.configurations()
        .iter()
        .map(|(id, status)| (id.clone(), json!({ "status": status.as_str() })))
        .collect::<Map<_, _>>()
        .into()
}

/// What the device reads: `{desired, reported}` with their `$version`s, no tags, no metadata
/// (Azure 2.8).
#[must_use]
pub fn device_document(twin: &TwinState) -> Value {
    let bare = |section: &Section| {
        let mut members = section.members().to_json();
        members.insert("$version".to_owned(), section.version().into());
        Value::Object(members)
    };
    json!({ "desired": bare(twin.desired()), "reported": bare(twin.reported()) })
}

/// `{desired, reported}`, each with `$metadata` and `$version`.
#[must_use]
pub fn properties(twin: &TwinState) -> Value {
    json!({
        "desired": section_document(SectionName::Desired, twin.desired()),
        "reported": section_document(SectionName::Reported, twin.reported()),
    })
}

/// A section with `$metadata` and `$version`. Only desired metadata has `$lastUpdatedVersion`.
#[must_use]
pub fn section_document(name: SectionName, section: &Section) -> Value {
    let mut members = section.members().to_json();
    members.insert("$metadata".to_owned(), metadata(name, section));
    members.insert("$version".to_owned(), section.version().into());
    Value::Object(members)
}

/// The `$metadata` of a section.
pub(super) fn metadata(name: SectionName, section: &Section) -> Value {
    let versioned = name == SectionName::Desired;
    let mut out = node_metadata(section.members(), versioned);
    out.insert(
        "$lastUpdated".to_owned(),
        time_text(section.updated()).into(),
    );
    if versioned && section.updated().is_some() {
        out.insert("$lastUpdatedVersion".to_owned(), section.version().into());
    }
    Value::Object(out)
}

fn node_metadata(members: &Members, versioned: bool) -> Map<String, Value> {
    members
        .iter()
        .map(|(name, node)| (name.to_owned(), one(node, versioned)))
        .collect()
}

fn one(node: &Node, versioned: bool) -> Value {
    let mut out = match node.value() {
        NodeValue::Object(members) => node_metadata(members, versioned),
        _ => Map::new(),
    };
    let written = node.written();
    out.insert("$lastUpdated".to_owned(), written.at.to_string().into());
    if versioned {
        out.insert("$lastUpdatedVersion".to_owned(), written.version.into());
    }
    Value::Object(out)
}
