//! The canonical document: what queries see of a device or a module.
//!
//! The layout is that of `docs/query-language.md`; both dialects name its fields. What follows from
//! other fields (`shadow.delta`, `hasDelta`, AWS metadata of the classic shadow) is derived at reading and not
//! stored here. Spec: design 5; AWS 3.2; Azure 2.1.

use crate::id::{RecordName, Revision, ShadowName, ThingId, ThingTypeName};
use crate::presence::Connectivity;
use crate::twin::hub::{self, IdentityFacts};
use crate::twin::{ShadowLife, TwinKey, TwinState, shadow};
use serde_json::{Map, Value, json};

/// What the registry's AWS face says of a thing.
#[derive(Clone, Copy, Debug)]
pub struct ThingFacts<'a> {
    /// Its id.
    pub id: ThingId,
    /// Its version.
    pub version: Revision,
    /// Its type.
    pub thing_type: Option<&'a ThingTypeName>,
}

/// Everything that a device's document is made of.
#[derive(Clone, Debug)]
pub struct DeviceParts<'a> {
    /// The record's name.
    pub name: &'a RecordName,
    /// The AWS face, `None` for a record without one.
    pub thing: Option<ThingFacts<'a>>,
    /// Its groups that live, static and dynamic, and its billing group, in the order to show.
    pub groups: Vec<&'a str>,
    /// Its effective attributes: own over inherited (design 10).
    pub attributes: Vec<(&'a str, &'a str)>,
    /// Its identity.
    pub identity: &'a IdentityFacts,
    /// Its device twin.
    pub twin: &'a TwinState,
    /// Its named shadows; those that cannot be read are left out.
    pub named_shadows: Vec<(&'a ShadowName, &'a TwinState)>,
    /// What is known of its connection; `None` where presence is not kept.
    pub connectivity: Option<&'a Connectivity>,
}

/// The canonical document of a device.
///
/// ```
/// use fleet_model::document::{DeviceParts, device};
/// use fleet_model::twin::{TwinState, hub::IdentityFacts};
///
/// let document = device(&DeviceParts {
///     name: &"press-7".parse()?,
///     thing: None,
///     groups: vec!["plant"],
///     attributes: vec![("site", "b2")],
///     identity: &IdentityFacts::default(),
///     twin: &TwinState::default(),
///     named_shadows: vec![],
///     connectivity: None,
/// });
/// assert_eq!(document["deviceId"], "press-7");
/// assert_eq!(document["attributes"]["site"], "b2");
/// assert_eq!(document["properties"]["desired"]["$version"], 1);
/// # Ok::<(), fleet_model::id::IdError>(())
/// ```
#[must_use]
pub fn device(parts: &DeviceParts<'_>) -> Value {
    let key = TwinKey::Device(parts.name.clone());
    let mut out = match hub::document(&key, parts.twin, parts.identity) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let mut put = |name: &str, value: Value| {
        out.insert(name.to_owned(), value);
    };
    if let Some(thing) = parts.thing {
        put("thingId", thing.id.to_string().into());
        put("registryVersion", thing.version.0.into());
        if let Some(thing_type) = thing.thing_type {
            put("thingTypeName", thing_type.as_str().into());
        }
    }
    if !parts.groups.is_empty() {
        put("thingGroupNames", json!(parts.groups));
    }
    if !parts.attributes.is_empty() {
        let attributes = parts.attributes.iter();
        let attributes = attributes.map(|(name, value)| ((*name).to_owned(), json!(value)));
        put("attributes", Value::Object(attributes.collect()));
    }
    if let ShadowLife::Live { version, updated } = parts.twin.shadow() {
        put(
            "shadow",
            json!({ "version": version, "timestamp": updated.as_secs() }),
        );
    }
    let named: Map<_, _> = parts
        .named_shadows
        .iter()
        .filter_map(|(name, twin)| Some((name.to_string(), named_shadow(parts.name, name, twin)?)))
        .collect();
    if !named.is_empty() {
        put("namedShadows", Value::Object(named));
    }
    if let Some(connectivity) = parts.connectivity {
        put("connectivity", connectivity.to_json());
    }
    Value::Object(out)
}

/// `{desired?, reported?, metadata, version, timestamp}` of a named shadow.
fn named_shadow(record: &RecordName, name: &ShadowName, twin: &TwinState) -> Option<Value> {
    let key = TwinKey::Shadow(record.clone(), name.clone());
    let mut document = shadow::document(&key, twin, None).ok()?;
    let members = document.as_object_mut()?;
    if let Some(Value::Object(mut state)) = members.remove("state") {
        // Derived at reading, like that of the classic shadow.
        state.remove("delta");
        members.extend(state);
    }
    Some(document)
}

/// The canonical document of a module: that of its twin, with `deviceId` and `moduleId`.
#[must_use]
pub fn module(key: &TwinKey, twin: &TwinState, identity: &IdentityFacts) -> Value {
    hub::document(key, twin, identity)
}
