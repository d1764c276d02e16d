//! The documents that the shadow service answers with. Spec: AWS 4.5.

use super::delta::delta;
use crate::kernel::Timestamp;
use crate::twin::event::{Patched, ShadowDeleted};
use crate::twin::node::{Members, Node, NodeValue};
use crate::twin::section::SectionName;
use crate::twin::{ShadowLife, TwinError, TwinKey, TwinState};
use serde_json::{Map, Value, json};

/// What a shadow client sends to recognise the answer by.
pub type ClientToken<'a> = Option<&'a str>;

/// The answer of `GetThingShadow`: `{state: {desired?, reported?, delta?}, metadata, version, timestamp}`.
///
/// Timestamps are seconds since the epoch. Sections without members are left out.
///
/// # Errors
/// `shadow.not_found` when desired and reported were never written, or the shadow was deleted.
pub fn document(
    key: &TwinKey,
    twin: &TwinState,
    client_token: ClientToken<'_>,
) -> Result<Value, TwinError> {
    let ShadowLife::Live { version, updated } = twin.shadow() else {
        return Err(TwinError::ShadowNotFound {
            name: key.shadow_label().to_owned(),
        });
    };
    let mut state = state_of(twin);
    let delta = delta(twin.desired().members(), twin.reported().members());
    if !delta.is_empty() {
        state.insert("delta".to_owned(), Value::Object(delta.state));
    }
    let mut out = json!({
        "state": state,
        "metadata": metadata_of(twin),
        "version": version,
        "timestamp": updated.as_secs(),
    });
    add_token(&mut out, client_token);
    Ok(out)
}

/// The answer of `UpdateThingShadow`: what the request wrote, with its timestamps.
///
/// A null in the request stands as null in `state`, and as `{timestamp}` in `metadata`.
#[must_use]
pub fn updated_document(event: &Patched) -> Value {
    let stamp = timestamp(event.at);
    let (state, metadata) = if event.state_cleared {
        (Value::Null, stamp)
    } else {
        let (mut state, mut metadata) = (Map::new(), Map::new());
        for (name, change) in [
            (SectionName::Desired, &event.desired),
            (SectionName::Reported, &event.reported),
        ] {
            if let Some(value) = change.to_json() {
                metadata.insert(name.as_str().to_owned(), written_metadata(&value, event.at));
                state.insert(name.as_str().to_owned(), value);
            }
        }
        (Value::Object(state), Value::Object(metadata))
    };
    let mut out = json!({
        "state": state,
        "metadata": metadata,
        "version": event.shadow_version.unwrap_or_default(),
        "timestamp": event.at.as_secs(),
    });
    add_token(&mut out, event.client_token.as_deref());
    out
}

/// The answer of `DeleteThingShadow`: `{version, timestamp, clientToken?}`.
#[must_use]
pub fn deleted_document(event: &ShadowDeleted) -> Value {
    let mut out = json!({ "version": event.last_version, "timestamp": event.at.as_secs() });
    add_token(&mut out, event.client_token.as_deref());
    out
}

/// The answer of `ListNamedShadowsForThing`: `{results, nextToken?, timestamp}`; the timestamp in seconds.
///
/// `names`: one page, in ascending order, without the classic shadow and without shadows that cannot be read.
#[must_use]
pub fn names_document(
    names: &[crate::id::ShadowName],
    next_token: Option<&str>,
    now: Timestamp,
) -> Value {
    let names: Vec<_> = names.iter().map(crate::id::ShadowName::as_str).collect();
    let mut out = json!({ "results": names, "timestamp": now.as_secs() });
    if let (Some(members), Some(token)) = (out.as_object_mut(), next_token) {
        members.insert("nextToken".to_owned(), token.into());
    }
    out
}

pub(super) fn add_token(document: &mut Value, client_token: ClientToken<'_>) {
    if let (Some(members), Some(token)) = (document.as_object_mut(), client_token) {
        members.insert("clientToken".to_owned(), token.into());
    }
}

/// `{desired?, reported?}` without sections that have no members.
pub(super) fn state_of(twin: &TwinState) -> Map<String, Value> {
    shown(twin, Members::to_json)
}

/// The timestamps of both sections, in their shape.
pub(super) fn metadata_of(twin: &TwinState) -> Map<String, Value> {
    shown(twin, node_metadata)
}

fn shown(twin: &TwinState, render: impl Fn(&Members) -> Map<String, Value>) -> Map<String, Value> {
    [SectionName::Desired, SectionName::Reported]
        .into_iter()
        .map(|name| (name, twin.section(name).members()))
        .filter(|(_, members)| !members.is_empty())
        .map(|(name, members)| (name.as_str().to_owned(), Value::Object(render(members))))
        .collect()
}

fn timestamp(at: Timestamp) -> Value {
    json!({ "timestamp": at.as_secs() })
}

pub(super) fn node_metadata(members: &Members) -> Map<String, Value> {
    members
        .iter()
        .map(|(name, node)| {
            let metadata = match node.value() {
                NodeValue::Object(members) => Value::Object(node_metadata(members)),
                _ => leaf_metadata(node),
            };
            (name.to_owned(), metadata)
        })
        .collect()
}

pub(super) fn leaf_metadata(node: &Node) -> Value {
    let at = node.written().at;
    match node.value() {
        NodeValue::List(elements) => elements
            .iter()
            .map(|element| written_metadata(element, at))
            .collect(),
        NodeValue::Object(members) => Value::Object(node_metadata(members)),
        _ => timestamp(at),
    }
}

/// `timestamps(v)` of AWS 4.3: an object keeps its shape, an array has one entry per element.
fn written_metadata(value: &Value, at: Timestamp) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), written_metadata(member, at)))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| written_metadata(element, at))
            .collect(),
        _ => timestamp(at),
    }
}
