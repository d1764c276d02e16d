//! A canonical document as each service shows it.

use super::{delta, is_system_key};
use crate::path::FieldPath;
use serde_json::{Map, Value};

/// Canonical members that an IoT Hub twin does not show.
const AWS_ONLY: [&str; 9] = [
    "attributes",
    "thingGroupNames",
    "thingTypeName",
    "thingId",
    "connectivity",
    "deviceDefender",
    "shadow",
    "namedShadows",
    "registryVersion",
];

/// The twin (or module twin, or job record) that `SELECT *` returns.
#[must_use]
pub fn iot_hub_face(canonical: &Value) -> Value {
    match canonical {
        Value::Object(members) => Value::Object(
            members
                .iter()
                .filter(|(key, _)| !AWS_ONLY.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// The `ThingDocument` of a search result (AWS spec 3.2): `shadow` and `deviceDefender` are JSON texts.
#[must_use]
pub fn thing_document(canonical: &Value) -> Value {
    let mut out = Map::new();
    let mut copy = |from: &str, to: &str| {
        if let Some(value) = canonical.get(from) {
            out.insert(to.to_owned(), value.clone());
        }
    };
    copy("deviceId", "thingName");
    for key in ["thingId", "thingTypeName", "thingGroupNames", "attributes"] {
        copy(key, key);
    }
    let mut shadow = Map::new();
    if let Some(properties) = canonical.get("properties") {
        sections(properties, &mut shadow);
    }
    let keys = FieldPath::of(["shadow", "delta"]);
    if let Some(found) = delta::derived_json(canonical, &keys) {
        shadow.insert("delta".to_owned(), found);
    }
    if let Some(Value::Object(own)) = canonical.get("shadow") {
        shadow.extend(own.iter().map(|(key, value)| (key.clone(), value.clone())));
    }
    if let Some(differs) =
        delta::derived(canonical, &FieldPath::of(["shadow", "hasDelta"])).to_json()
    {
        shadow.insert("hasDelta".to_owned(), differs);
    }
    if let Some(Value::Object(named)) = canonical.get("namedShadows") {
        let named = named
            .iter()
            .map(|(name, one)| {
                let mut members = one.as_object().cloned().unwrap_or_default();
                let path = |last: &str| FieldPath::of(["namedShadows", name.as_str(), last]);
                for last in ["delta", "hasDelta"] {
                    if let Some(found) = delta::derived_json(canonical, &path(last)) {
                        members.insert(last.to_owned(), found);
                    }
                }
                (name.clone(), Value::Object(members))
            })
            .collect();
        shadow.insert("name".to_owned(), Value::Object(named));
    }
    if !shadow.is_empty() {
        out.insert(
            "shadow".to_owned(),
            Value::String(Value::Object(shadow).to_string()),
        );
    }
    if let Some(defender) = canonical.get("deviceDefender") {
        out.insert(
            "deviceDefender".to_owned(),
            Value::String(defender.to_string()),
        );
    }
    if let Some(connectivity) = canonical.get("connectivity") {
        out.insert("connectivity".to_owned(), connectivity.clone());
    }
    Value::Object(out)
}

/// The `ThingGroupDocument` of a search result (AWS spec 3.2).
#[must_use]
pub fn thing_group_document(canonical: &Value) -> Value {
    let mut out = Map::new();
    for (from, to) in [
        ("thingGroupName", "thingGroupName"),
        ("thingGroupId", "thingGroupId"),
        ("description", "thingGroupDescription"),
        ("attributes", "attributes"),
        ("parentGroupNames", "parentGroupNames"),
    ] {
        if let Some(value) = canonical.get(from) {
            out.insert(to.to_owned(), value.clone());
        }
    }
    Value::Object(out)
}

fn sections(properties: &Value, shadow: &mut Map<String, Value>) {
    for section in ["desired", "reported"] {
        let Some(Value::Object(members)) = properties.get(section) else {
            continue;
        };
        let user: Map<String, Value> = members
            .iter()
            .filter(|(key, _)| !is_system_key(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        if !user.is_empty() {
            shadow.insert(section.to_owned(), Value::Object(user));
        }
    }
}
