//! Notifications of the twin: to the device, and to the back end. Spec: Azure 2.8 and 2.9.

use super::document::{configurations, metadata, section_document};
use crate::twin::event::TwinEvent;
use crate::twin::section::{SectionChange, SectionName};
use crate::twin::{Message, TwinKey, TwinState, merge_patch};
use serde_json::{Map, Value, json};

/// What the device is told when desired changes: the patch as it was written (with its nulls), or
/// the whole section after a replacement, and `$version`. `None` when desired was not touched.
///
/// `before` and `after`: the twin around `event`. Clearing desired is told as a null per member.
/// Nothing is queued for a device that is offline.
#[must_use]
pub fn desired_notification(
    before: &TwinState,
    event: &TwinEvent,
    after: &TwinState,
) -> Option<Message> {
    let cleared = || -> Map<String, Value> {
        let members = before.desired().members().iter();
        members
            .map(|(name, _)| (name.to_owned(), Value::Null))
            .collect()
    };
    let mut payload = match event {
        TwinEvent::Patched(event) => match &event.desired {
            SectionChange::Keep => return None,
            SectionChange::Clear => cleared(),
            SectionChange::Merge(patch) => patch.clone(),
        },
        TwinEvent::Replaced(event) => {
            event.desired.as_ref()?;
            after.desired().members().to_json()
        }
        TwinEvent::ShadowDeleted(_) => cleared(),
        TwinEvent::ConfigurationsChanged(_) | TwinEvent::Ended(_) => return None,
    };
    let version = after.desired().version();
    payload.insert("$version".to_owned(), version.into());
    Some(Message {
        topic: format!("$iothub/twin/PATCH/properties/desired/?$version={version}"),
        payload: Value::Object(payload),
    })
}

/// The topic that answers a device's reported patch.
///
/// `status`: 204 with the twin after the patch, or an error's status with `None`. `rid`: the
/// device's request id.
#[must_use]
pub fn reported_answer(status: u16, rid: &str, after: Option<&TwinState>) -> String {
    match after {
        Some(twin) => format!(
            "$iothub/twin/res/{status}/?$rid={rid}&$version={}",
            twin.reported().version()
        ),
        None => format!("$iothub/twin/res/{status}/?$rid={rid}"),
    }
}

/// A twin change event: its application properties and its body.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeEvent {
    /// `updateTwin` or `replaceTwin`.
    pub op_type: &'static str,
    /// The device.
    pub device_id: String,
    /// The module, for a module twin.
    pub module_id: Option<String>,
    /// The body.
    pub body: Value,
}

impl ChangeEvent {
    /// The schema of the body.
    pub const SCHEMA: &'static str = "twinChangeNotification";
    /// Where such events come from.
    pub const SOURCE: &'static str = "twinChangeEvents";
}

/// The twin change event of a write; `None` for what is no write of tags, desired or reported.
///
/// `after`: the twin after `event`. The body of `updateTwin` is the root `version` and what
/// changed in patch form with its `$metadata` and `$version`; that of `replaceTwin` the ids, ETag,
/// version and all sections.
#[must_use]
pub fn change_event(key: &TwinKey, event: &TwinEvent, after: &TwinState) -> Option<ChangeEvent> {
    let (op_type, body) = match event {
        TwinEvent::Patched(event) => {
            if event.tags.is_keep() && event.desired.is_keep() && event.reported.is_keep() {
                return None;
            }
            (
                "updateTwin",
                update_body(after, &event.tags, &event.desired, &event.reported),
            )
        }
        TwinEvent::ShadowDeleted(_) => (
            "updateTwin",
            update_body(
                after,
                &SectionChange::Keep,
                &SectionChange::Clear,
                &SectionChange::Clear,
            ),
        ),
        TwinEvent::Replaced(_) => ("replaceTwin", whole_body(key, after)),
        TwinEvent::ConfigurationsChanged(_) | TwinEvent::Ended(_) => return None,
    };
    Some(ChangeEvent {
        op_type,
        device_id: key.record().as_str().to_owned(),
        module_id: key.module().map(|module| module.as_str().to_owned()),
        body,
    })
}

fn update_body(
    after: &TwinState,
    tags: &SectionChange,
    desired: &SectionChange,
    reported: &SectionChange,
) -> Value {
    let mut out = Map::new();
    out.insert("version".to_owned(), after.version().into());
    if let Some(tags) = tags.to_json() {
        out.insert("tags".to_owned(), tags);
    }
    let mut properties = Map::new();
    for (name, change, section) in [
        (SectionName::Desired, desired, after.desired()),
        (SectionName::Reported, reported, after.reported()),
    ] {
        let mut patch = match change {
            SectionChange::Keep => continue,
            SectionChange::Clear => Map::new(),
            SectionChange::Merge(patch) => patch.clone(),
        };
        let metadata = touched(&metadata(name, section), change);
        patch.insert("$metadata".to_owned(), metadata);
        patch.insert("$version".to_owned(), section.version().into());
        properties.insert(name.as_str().to_owned(), Value::Object(patch));
    }
    if !properties.is_empty() {
        out.insert("properties".to_owned(), Value::Object(properties));
    }
    Value::Object(out)
}

/// The metadata of the nodes that a change names.
fn touched(metadata: &Value, change: &SectionChange) -> Value {
    let empty = Map::new();
    let patch = match change {
        SectionChange::Merge(patch) => patch,
        SectionChange::Keep | SectionChange::Clear => &empty,
    };
    restrict(metadata, patch)
}

fn restrict(metadata: &Value, patch: &Map<String, Value>) -> Value {
    let Value::Object(members) = metadata else {
        return metadata.clone();
    };
    members
        .iter()
        .filter_map(|(name, inner)| {
            if name.starts_with("$lastUpdated") {
                return Some((name.clone(), inner.clone()));
            }
            let inner = match patch.get(name)? {
                Value::Object(patch) => restrict(inner, patch),
                _ => inner.clone(),
            };
            Some((name.clone(), inner))
        })
        .collect::<Map<_, _>>()
        .into()
}

fn whole_body(key: &TwinKey, after: &TwinState) -> Value {
    let mut out = json!({
        "deviceId": key.record().as_str(),
        "etag": after.etag(),
        "version": after.version(),
        "tags": after.tags().members().to_json(),
        "properties": {
            "desired": section_document(SectionName::Desired, after.desired()),
            "reported": section_document(SectionName::Reported, after.reported()),
        },
    });
    if let (Some(members), Some(module)) = (out.as_object_mut(), key.module()) {
        members.insert("moduleId".to_owned(), module.as_str().into());
    }
    if let (Some(members), false) = (out.as_object_mut(), after.configurations().is_empty()) {
        members.insert("configurations".to_owned(), configurations(after));
    }
    out
}

/// Folds change events of one twin, in order, into the one that the service may send for them.
///
/// A replacement swallows what came before it; updates merge, a removal staying a null. `None` for
/// no events. The service's own events are no audit log; the recorded ones are.
#[must_use]
pub fn coalesce(events: &[ChangeEvent]) -> Option<ChangeEvent> {
    let mut all = events.iter();
    let mut folded = all.next()?.clone();
    for event in all {
        if event.op_type == "replaceTwin" {
            folded = event.clone();
        } else if folded.op_type == "replaceTwin" {
            folded.body = merge_patch(&folded.body, &event.body);
        } else {
            compose(&mut folded.body, &event.body);
        }
    }
    Some(folded)
}

/// `first` then `second` as one patch: like a merge, but nulls stay.
fn compose(first: &mut Value, second: &Value) {
    match (first, second) {
        (Value::Object(first), Value::Object(second)) => {
            for (name, value) in second {
                match first.get_mut(name) {
                    Some(inner) => compose(inner, value),
                    None => {
                        first.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (first, second) => *first = second.clone(),
    }
}
