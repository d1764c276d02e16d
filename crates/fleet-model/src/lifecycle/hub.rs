//! IoT Hub's lifecycle notifications of devices and modules. Spec: Azure 1.6.

use crate::identity::ModuleEvent;
use crate::thing;
use crate::twin::hub::{section_document, time_text};
use crate::twin::{Section, SectionName, TwinKey, TwinState};
use serde_json::{Value, json};

/// A device lifecycle notification: its application properties and its body.
#[derive(Clone, Debug, PartialEq)]
pub struct HubLifecycle {
    /// `createDeviceIdentity` or `deleteDeviceIdentity`, for modules too.
    pub op_type: &'static str,
    /// The device.
    pub device_id: String,
    /// The module, when the identity is one.
    pub module_id: Option<String>,
    /// The twin of the identity.
    pub body: Value,
}

impl HubLifecycle {
    /// The schema of the body.
    pub const SCHEMA: &'static str = "deviceLifecycleNotification";
    /// Where such notifications come from.
    pub const SOURCE: &'static str = "deviceLifecycleEvents";
}

/// The notification of a record's creation or deletion, by either face.
///
/// `twin`: its device twin, the new one's initial state or what it was at the deletion.
#[must_use]
pub fn device_lifecycle(event: &thing::Event, twin: &TwinState) -> Option<HubLifecycle> {
    let (op_type, name) = match event {
        thing::Event::Created(event) => (CREATE, &event.name),
        thing::Event::Deleted(event) => (DELETE, &event.name),
        _ => return None,
    };
    Some(notification(op_type, &TwinKey::Device(name.clone()), twin))
}

/// The notification of a module's creation or deletion.
///
/// `twin`: its twin, as for [`device_lifecycle`].
#[must_use]
pub fn module_lifecycle(event: &ModuleEvent, twin: &TwinState) -> Option<HubLifecycle> {
    let (op_type, device, module) = match event {
        ModuleEvent::Created(event) => (CREATE, &event.identity.device, &event.identity.module),
        ModuleEvent::Deleted(event) => (DELETE, &event.device, &event.module),
        ModuleEvent::Updated(_) => return None,
    };
    let key = TwinKey::Module(device.clone(), module.clone());
    Some(notification(op_type, &key, twin))
}

const CREATE: &str = "createDeviceIdentity";
const DELETE: &str = "deleteDeviceIdentity";

fn notification(op_type: &'static str, key: &TwinKey, twin: &TwinState) -> HubLifecycle {
    let section = |name: SectionName, section: &Section| {
        if section.updated().is_some() {
            return section_document(name, section);
        }
        json!({
            "$metadata": { "$lastUpdated": time_text(None) },
            "$version": section.version(),
        })
    };
    let mut body = json!({
        "deviceId": key.record().as_str(),
        "etag": twin.etag(),
        "version": twin.version(),
        "properties": {
            "desired": section(SectionName::Desired, twin.desired()),
            "reported": section(SectionName::Reported, twin.reported()),
        },
    });
    if let Some(members) = body.as_object_mut() {
        if let Some(module) = key.module() {
            members.insert("moduleId".to_owned(), module.as_str().into());
        }
        if !twin.tags().members().is_empty() {
            let tags = twin.tags().members().to_json();
            members.insert("tags".to_owned(), Value::Object(tags));
        }
    }
    HubLifecycle {
        op_type,
        device_id: key.record().as_str().to_owned(),
        module_id: key.module().map(|module| module.as_str().to_owned()),
        body,
    }
}
