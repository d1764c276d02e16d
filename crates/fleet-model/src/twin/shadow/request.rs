//! Reading a shadow request in the service's order of validation. Spec: AWS 4.2.

use crate::kernel::{Problems, Refused};
use crate::limits::ShadowLimits;
use crate::twin::measure::{json_bytes, levels, nesting};
use crate::twin::path::Path;
use crate::twin::profile::{Profile, RESERVED_KEYS};
use crate::twin::section::SectionName;
use crate::twin::{Payload, SectionChange, TwinError, TwinKey, TwinState};
use serde_json::{Map, Value};

/// Bytes of a request over the wire, whatever it holds: MQTT's limit.
const WIRE_BYTES: usize = 128 * 1024;

/// Arrays and objects in each other that are looked into; more is too deep in any profile.
pub(in crate::twin) const MAX_LEVELS: usize = 100;

/// A request that passed every check but those against the resulting state.
#[derive(Debug)]
pub(in crate::twin) struct Update {
    pub(in crate::twin) desired: SectionChange,
    pub(in crate::twin) reported: SectionChange,
    pub(in crate::twin) state_cleared: bool,
    pub(in crate::twin) client_token: Option<String>,
}

/// Bytes that count of a twin's state.
pub(in crate::twin) fn state_bytes(twin: &TwinState) -> usize {
    let sections = [SectionName::Desired, SectionName::Reported];
    let mut bytes = 2;
    let mut shown: usize = 0;
    for name in sections {
        let members = twin.section(name).members();
        if !members.is_empty() {
            bytes += json_bytes(members) + name.as_str().len() + 3;
            shown += 1;
        }
    }
    bytes + shown.saturating_sub(1)
}

/// Reads `payload` for `twin`, which is at the AWS version `actual`.
///
/// Checks follow the table of AWS 4.2; everything that is wrong is reported, in its order.
pub(in crate::twin) fn read(
    payload: Payload,
    key: &TwinKey,
    twin: &TwinState,
    actual: u64,
    limits: &ShadowLimits,
) -> Result<Update, Refused<TwinError>> {
    let mut body = parse(payload)?;
    let mut problems = Problems::new();
    let size = body.get("state").map_or(0, json_bytes);
    if size > limits.document_bytes && size > state_bytes(twin) {
        problems.push(TwinError::ShadowTooLarge {
            size,
            limit: limits.document_bytes,
        });
    }
    let mut update = Update {
        desired: SectionChange::Keep,
        reported: SectionChange::Keep,
        state_cleared: false,
        client_token: None,
    };
    match body.remove("state") {
        None => problems.push(TwinError::ShadowMissingState),
        Some(Value::Null) => {
            update.state_cleared = true;
            update.desired = SectionChange::Clear;
            update.reported = SectionChange::Clear;
        }
        Some(Value::Object(state)) => {
            read_state(state, key, twin, limits, &mut update, &mut problems)
        }
        Some(_) => problems.push(TwinError::ShadowStateNotObject),
    }
    let version = body.remove("version");
    let token = body.remove("clientToken");
    let conflict = version.as_ref().and_then(|version| match version {
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            (number.as_u64() != Some(actual)).then(|| TwinError::ShadowVersionConflict {
                expected: number.to_string(),
                actual,
            })
        }
        _ => {
            problems.push(TwinError::ShadowInvalidVersion);
            None
        }
    });
    match token {
        None => {}
        Some(Value::String(token)) if token.len() <= limits.client_token_bytes => {
            update.client_token = Some(token);
        }
        Some(_) => problems.push(TwinError::ShadowInvalidClientToken {
            limit: limits.client_token_bytes,
        }),
    }
    if let Some(conflict) = conflict {
        problems.push(conflict);
    }
    problems.finish()?;
    Ok(update)
}

fn parse(payload: Payload) -> Result<Map<String, Value>, TwinError> {
    let value = match payload {
        Payload::Json(value) => value,
        Payload::Bytes(bytes) => {
            let Ok(text) = std::str::from_utf8(&bytes) else {
                return Err(TwinError::ShadowEncoding);
            };
            if bytes.len() > WIRE_BYTES {
                return Err(TwinError::ShadowTooLarge {
                    size: bytes.len(),
                    limit: WIRE_BYTES,
                });
            }
            serde_json::from_str(text).map_err(|error| TwinError::ShadowInvalidJson {
                reason: error.to_string(),
            })?
        }
    };
    match value {
        Value::Object(body) => Ok(body),
        _ => Err(TwinError::ShadowInvalidJson {
            reason: "the top level is not an object".to_owned(),
        }),
    }
}

fn read_state(
    mut state: Map<String, Value>,
    key: &TwinKey,
    twin: &TwinState,
    limits: &ShadowLimits,
    update: &mut Update,
    problems: &mut Problems<TwinError>,
) {
    let mut sections = Vec::with_capacity(2);
    for section in [SectionName::Desired, SectionName::Reported] {
        match state.remove(section.as_str()) {
            None => {}
            Some(Value::Null) => *change(update, section) = SectionChange::Clear,
            Some(Value::Object(patch)) => sections.push((section, patch)),
            Some(_) => problems.push(TwinError::ShadowSectionNotObject { section }),
        }
    }
    for (name, _) in state {
        problems.push(TwinError::ShadowInvalidNode { name });
    }
    let reserved = matches!(key, TwinKey::Device(_));
    let mut deep = Vec::new();
    for (section, patch) in sections {
        let patch = Value::Object(patch);
        if levels(&patch) > MAX_LEVELS {
            deep.push(TwinError::ShadowTooDeep {
                section,
                depth: levels(&patch),
                limit: limits.depth,
            });
            continue;
        }
        nodes(&patch, Path::root(section.as_str()), reserved, problems);
        // The section itself is an object: its members are level 1.
        let depth = nesting(&patch, Profile::SHADOW.arrays);
        if depth > limits.depth {
            let before = twin
                .section(section)
                .members()
                .nesting(Profile::SHADOW.arrays);
            if depth > before + Profile::SHADOW.first_level {
                deep.push(TwinError::ShadowTooDeep {
                    section,
                    depth,
                    limit: limits.depth,
                });
            }
        }
        if let Value::Object(patch) = patch {
            *change(update, section) = SectionChange::Merge(patch);
        }
    }
    for problem in deep {
        problems.push(problem);
    }
}

const fn change(update: &mut Update, section: SectionName) -> &mut SectionChange {
    match section {
        SectionName::Desired => &mut update.desired,
        _ => &mut update.reported,
    }
}

/// Looks for nulls in arrays and for reserved keys. Depth was checked.
fn nodes(value: &Value, path: Path<'_>, reserved: bool, problems: &mut Problems<TwinError>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if reserved && RESERVED_KEYS.contains(&name.as_str()) {
                    problems.push(TwinError::ShadowInvalidNode { name: name.clone() });
                }
                if member.is_object() || member.is_array() {
                    nodes(member, path.member(name), reserved, problems);
                }
            }
        }
        Value::Array(elements) => {
            if elements.iter().any(Value::is_null) {
                problems.push(TwinError::ShadowNullInArray {
                    path: path.to_string(),
                });
            }
            for element in elements {
                nodes(element, path, reserved, problems);
            }
        }
        _ => {}
    }
}
