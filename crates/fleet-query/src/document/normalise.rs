//! From either service's shape of a document to the canonical one.

use crate::dialect::Collection;
use serde_json::{Map, Value};

/// Why a document cannot be queried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is not a JSON object.
    #[error("a document is a JSON object; this one is {found}")]
    NotAnObject {
        /// What it is.
        found: &'static str,
    },
    /// It lacks the member that names it.
    #[error("the document names no {collection}; give it {expected}")]
    NoId {
        /// What the collection holds.
        collection: &'static str,
        /// The members that would name it.
        expected: &'static str,
    },
    /// A member has another kind than its service gives it.
    #[error("the member `{member}` of a document is {expected}")]
    WrongKind {
        /// Which member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
}

impl DocumentError {
    /// The stable code: `query.invalid_document`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        crate::diagnostic::Code::InvalidDocument.as_str()
    }
}

/// Brings a document of either service's shape into the canonical one. A canonical document stays
/// as it is. Members that neither service knows are kept.
///
/// ```
/// use fleet_query::{Collection, document::normalise};
/// use serde_json::json;
/// let thing = json!({"thingName": "pump-1", "shadow": {"reported": {"temp": 21}}});
/// let canonical = normalise(Collection::Devices, thing)?;
/// assert_eq!(canonical, json!({"deviceId": "pump-1", "properties": {"reported": {"temp": 21}}}));
/// # Ok::<(), fleet_query::document::DocumentError>(())
/// ```
///
/// # Errors
/// [`DocumentError`], code `query.invalid_document`.
pub fn normalise(collection: Collection, document: Value) -> Result<Value, DocumentError> {
    let members = match document {
        Value::Object(members) => members,
        Value::Null => return Err(DocumentError::NotAnObject { found: "null" }),
        Value::Bool(_) => return Err(DocumentError::NotAnObject { found: "a boolean" }),
        Value::Number(_) => return Err(DocumentError::NotAnObject { found: "a number" }),
        Value::String(_) => return Err(DocumentError::NotAnObject { found: "text" }),
        Value::Array(_) => return Err(DocumentError::NotAnObject { found: "an array" }),
    };
    match collection {
        Collection::Devices => device(members, "device", "`deviceId` or `thingName`"),
        Collection::Modules => {
            let canonical = device(members, "module", "`deviceId` and `moduleId`")?;
            require(
                &canonical,
                "moduleId",
                "module",
                "`deviceId` and `moduleId`",
            )?;
            Ok(canonical)
        }
        Collection::Jobs => {
            let canonical = Value::Object(members);
            require(&canonical, "jobId", "job", "`jobId` and `deviceId`")?;
            Ok(canonical)
        }
        Collection::Groups => group(members),
        Collection::Messages => message(members),
    }
}

fn require(
    canonical: &Value,
    member: &str,
    collection: &'static str,
    expected: &'static str,
) -> Result<(), DocumentError> {
    match canonical.get(member) {
        Some(Value::String(_)) => Ok(()),
        _ => Err(DocumentError::NoId {
            collection,
            expected,
        }),
    }
}

fn rename(members: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = members.remove(from) {
        members.entry(to.to_owned()).or_insert(value);
    }
}

fn device(
    mut members: Map<String, Value>,
    what: &'static str,
    expected: &'static str,
) -> Result<Value, DocumentError> {
    rename(&mut members, "thingName", "deviceId");
    let aws_shape = ["desired", "reported", "name", "state", "delta", "hasDelta"];
    if let Some(shadow) = members.remove("shadow") {
        let mut shadow = json_or_text(shadow, "shadow")?;
        if aws_shape.iter().any(|key| shadow.contains_key(*key)) {
            if let Some(Value::Object(named)) = shadow.remove("name") {
                let named = named
                    .into_iter()
                    .map(|(name, one)| (name, named_shadow(one)))
                    .collect();
                members.insert("namedShadows".to_owned(), Value::Object(named));
            }
            let properties = members
                .entry("properties")
                .or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(properties) = properties else {
                return Err(DocumentError::WrongKind {
                    member: "properties",
                    expected: "an object",
                });
            };
            for (section, value) in take_sections(&mut shadow) {
                properties.entry(section).or_insert(value);
            }
            if properties.is_empty() {
                members.remove("properties");
            }
        }
        if !shadow.is_empty() {
            members.insert("shadow".to_owned(), Value::Object(shadow));
        }
    }
    if let Some(defender) = members.remove("deviceDefender") {
        members.insert(
            "deviceDefender".to_owned(),
            Value::Object(json_or_text(defender, "deviceDefender")?),
        );
    }
    let canonical = Value::Object(members);
    require(&canonical, "deviceId", what, expected)?;
    Ok(canonical)
}

/// Takes desired and reported out of a shadow, and drops what is computed from them.
fn take_sections(shadow: &mut Map<String, Value>) -> Vec<(String, Value)> {
    shadow.remove("delta");
    shadow.remove("hasDelta");
    let mut state = match shadow.remove("state") {
        Some(Value::Object(state)) => state,
        _ => Map::new(),
    };
    ["desired", "reported"]
        .into_iter()
        .filter_map(|section| {
            let value = shadow.remove(section).or_else(|| state.remove(section))?;
            Some((section.to_owned(), value))
        })
        .collect()
}

fn named_shadow(shadow: Value) -> Value {
    let Value::Object(mut shadow) = shadow else {
        return shadow;
    };
    let sections = take_sections(&mut shadow);
    shadow.extend(sections);
    Value::Object(shadow)
}

/// The index returns shadow and violations as JSON text; a file may hold the object itself.
fn json_or_text(value: Value, member: &'static str) -> Result<Map<String, Value>, DocumentError> {
    let wrong = DocumentError::WrongKind {
        member,
        expected: "an object, or the JSON text of one",
    };
    match value {
        Value::Object(members) => Ok(members),
        Value::Null => Ok(Map::new()),
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(members)) => Ok(members),
            _ => Err(wrong),
        },
        _ => Err(wrong),
    }
}

fn group(mut members: Map<String, Value>) -> Result<Value, DocumentError> {
    rename(&mut members, "groupName", "thingGroupName");
    rename(&mut members, "groupId", "thingGroupId");
    rename(&mut members, "thingGroupDescription", "description");
    let canonical = Value::Object(members);
    require(
        &canonical,
        "thingGroupName",
        "thing group",
        "`thingGroupName`",
    )?;
    Ok(canonical)
}

/// A message: `properties` (or `appProperties`), `systemProperties`, `body`, `twin`.
fn message(mut members: Map<String, Value>) -> Result<Value, DocumentError> {
    rename(&mut members, "properties", "appProperties");
    let mut system = match members.remove("systemProperties") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(system)) => system,
        Some(_) => {
            return Err(DocumentError::WrongKind {
                member: "systemProperties",
                expected: "an object",
            });
        }
    };
    if members
        .get("appProperties")
        .is_some_and(|value| !value.is_object() && !value.is_null())
    {
        return Err(DocumentError::WrongKind {
            member: "properties",
            expected: "an object",
        });
    }
    let named = |system: &Map<String, Value>, name: &str| {
        system
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str().map(str::to_owned))
    };
    // A body that is JSON, and not text, implies its own type and encoding.
    if members.get("body").is_some_and(|body| !body.is_string()) {
        for (name, implied) in [
            ("contentType", "application/json"),
            ("contentEncoding", "UTF-8"),
        ] {
            if named(&system, name).is_none() {
                system.insert(name.to_owned(), Value::from(implied));
            }
        }
    }
    let json = named(&system, "contentType").is_some_and(|found| {
        found
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .eq_ignore_ascii_case("application/json")
    });
    let unicode = named(&system, "contentEncoding").is_some_and(|found| {
        ["UTF-8", "UTF-16", "UTF-32"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&found))
    });
    let body = match members.remove("body") {
        Some(Value::String(text)) if json && unicode => serde_json::from_str(&text).ok(),
        Some(Value::String(_)) | None => None,
        Some(body) => (json && unicode).then_some(body),
    };
    members.insert("bodyUsable".to_owned(), Value::Bool(body.is_some()));
    if let Some(body) = body {
        members.insert("body".to_owned(), body);
    }
    members.insert("systemProperties".to_owned(), Value::Object(system));
    Ok(Value::Object(members))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_thing_becomes_a_device() {
        let thing = json!({
            "thingName": "t", "attributes": {"a": "1"}, "thingGroupNames": ["g"],
            "shadow": "{\"desired\":{\"x\":1},\"delta\":{\"x\":1},\"version\":3,\"hasDelta\":true,\"name\":{\"s\":{\"reported\":{\"y\":2},\"hasDelta\":false}}}",
        });
        let canonical = json!({
            "deviceId": "t", "attributes": {"a": "1"}, "thingGroupNames": ["g"],
            "properties": {"desired": {"x": 1}}, "shadow": {"version": 3},
            "namedShadows": {"s": {"reported": {"y": 2}}},
        });
        assert_eq!(normalise(Collection::Devices, thing).unwrap(), canonical);
        assert_eq!(
            normalise(Collection::Devices, canonical.clone()).unwrap(),
            canonical
        );
    }

    #[test]
    fn strangers_are_refused() {
        for bad in [
            json!(1),
            json!({}),
            json!({"deviceId": 5}),
            json!({"deviceId": "d", "shadow": "{"}),
        ] {
            assert_eq!(
                normalise(Collection::Devices, bad).unwrap_err().code(),
                "query.invalid_document"
            );
        }
        assert!(normalise(Collection::Modules, json!({"deviceId": "d"})).is_err());
    }

    #[test]
    fn the_body_is_usable_only_as_declared_json() {
        let usable = |message: Value| {
            normalise(Collection::Messages, message).unwrap()["bodyUsable"] == json!(true)
        };
        assert!(usable(json!({"body": {"a": 1}})));
        assert!(!usable(json!({"body": "{\"a\":1}"})));
        assert!(usable(json!({
            "body": "{\"a\":1}",
            "systemProperties": {"contentType": "application/JSON", "contentEncoding": "utf-8"}
        })));
        assert!(!usable(
            json!({"body": {"a": 1}, "systemProperties": {"contentType": "text/plain"}})
        ));
        assert!(!usable(json!({})));
    }
}
