//! Reading and judging what IoT Hub clients write. Spec: Azure 2.3, 2.5 and 2.6.

use crate::kernel::{Problems, Refused};
use crate::limits::TwinLimits;
use crate::twin::measure::{hub_size, hub_size_of, levels, nesting};
use crate::twin::node::{Members, Written};
use crate::twin::path::Path;
use crate::twin::profile::Profile;
use crate::twin::section::{Section, SectionName};
use crate::twin::shadow::request::MAX_LEVELS;
use crate::twin::{SectionChange, TwinError, TwinState};
use serde_json::{Map, Value};

/// What a back-end body says.
#[derive(Debug)]
pub(in crate::twin) struct Body {
    pub(in crate::twin) tags: SectionChange,
    pub(in crate::twin) desired: SectionChange,
    pub(in crate::twin) etag: Option<String>,
}

/// Whether a body is merged or replaces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::twin) enum Form {
    Patch,
    Whole,
}

/// Reads `{tags?, properties: {desired?}, etag?}`, reporting everything that is wrong with it.
pub(in crate::twin) fn read(
    body: Value,
    form: Form,
    twin: &TwinState,
    limits: &TwinLimits,
) -> Result<Body, Refused<TwinError>> {
    let Value::Object(mut body) = body else {
        return Err(not_object("body").into());
    };
    let mut problems = Problems::new();
    let mut properties = match body.remove("properties") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(properties)) => properties,
        Some(_) => {
            problems.push(not_object("properties"));
            Map::new()
        }
    };
    let tags = body.remove("tags");
    let desired = properties.remove("desired");
    let mut section = |value, name, path: &str| match value {
        None => SectionChange::Keep,
        Some(Value::Null) => SectionChange::Clear,
        Some(Value::Object(patch)) => {
            let patch = judge(patch, form, name, twin.section(name), limits, &mut problems);
            SectionChange::Merge(patch)
        }
        Some(_) => {
            problems.push(not_object(path));
            SectionChange::Keep
        }
    };
    let tags = section(tags, SectionName::Tags, "tags");
    let desired = section(desired, SectionName::Desired, "properties.desired");
    let etag = match body.remove("etag") {
        Some(Value::String(etag)) => Some(etag),
        _ => None,
    };
    problems.finish()?;
    Ok(Body {
        tags,
        desired,
        etag,
    })
}

/// Reads a bare object for one section: the device's reported patch, or a section of an import.
pub(in crate::twin) fn read_section(
    body: Value,
    form: Form,
    name: SectionName,
    section: &Section,
    limits: &TwinLimits,
) -> Result<Map<String, Value>, Refused<TwinError>> {
    let Value::Object(patch) = body else {
        return Err(not_object(name.as_str()).into());
    };
    let mut problems = Problems::new();
    let patch = judge(patch, form, name, section, limits, &mut problems);
    problems.finish()?;
    Ok(patch)
}

fn not_object(path: &str) -> TwinError {
    TwinError::InvalidDocument {
        path: path.to_owned(),
    }
}

/// Judges what is written to a section, and strips what an echoed document brings along.
fn judge(
    mut patch: Map<String, Value>,
    form: Form,
    name: SectionName,
    section: &Section,
    limits: &TwinLimits,
    problems: &mut Problems<TwinError>,
) -> Map<String, Value> {
    patch.remove("$version");
    patch.remove("$metadata");
    let value = Value::Object(patch);
    if levels(&value) > MAX_LEVELS {
        problems.push(TwinError::TooDeep {
            section: name,
            depth: levels(&value),
            limit: limits.depth,
        });
        return Map::new();
    }
    walk(&value, Path::root(name.as_str()), limits, problems);
    // The section itself is not counted: depth is that of objects below it.
    let depth = nesting(&value, Profile::HUB.arrays).saturating_sub(1);
    if depth > limits.depth {
        let before = section.members().nesting(Profile::HUB.arrays);
        if depth > before {
            problems.push(TwinError::TooDeep {
                section: name,
                depth,
                limit: limits.depth,
            });
        }
    }
    check_size(&value, form, name, section, limits, problems);
    match value {
        Value::Object(patch) => patch,
        _ => Map::new(),
    }
}

/// A write is refused only when it makes the section larger than allowed and than it was.
fn check_size(
    value: &Value,
    form: Form,
    name: SectionName,
    section: &Section,
    limits: &TwinLimits,
    problems: &mut Problems<TwinError>,
) {
    let limit = match name {
        SectionName::Tags => limits.tags_bytes,
        SectionName::Desired => limits.desired_bytes,
        SectionName::Reported => limits.reported_bytes,
    };
    let written = hub_size(value);
    let before = hub_size_of(section.members());
    // A patch adds at most its own size, so that most writes need no merged copy.
    if written.saturating_add(before) <= limit {
        return;
    }
    let after = match (form, value) {
        (Form::Patch, Value::Object(patch)) => {
            let mut members = section.members().clone();
            members.merge(patch, Written::NEVER);
            hub_size_of(&members)
        }
        (_, Value::Object(whole)) => hub_size_of(&Members::of(whole, Written::NEVER)),
        _ => written,
    };
    if after > limit && after > before {
        problems.push(TwinError::TooLarge {
            section: name,
            size: after,
            limit,
        });
    }
}

/// Checks keys and values. Depth was checked.
fn walk(value: &Value, path: Path<'_>, limits: &TwinLimits, problems: &mut Problems<TwinError>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                check_key(name, path, limits, problems);
                walk(member, path.member(name), limits, problems);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                if element.is_null() {
                    problems.push(TwinError::NullInArray {
                        path: path.to_string(),
                    });
                }
                walk(element, path, limits, problems);
            }
        }
        Value::String(text) if text.len() > limits.string_bytes => {
            problems.push(TwinError::StringTooLong {
                path: path.to_string(),
                bytes: text.len(),
                limit: limits.string_bytes,
            });
        }
        Value::Number(number) => {
            let inside = match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => (limits.integer_min..=limits.integer_max).contains(&integer),
                (None, Some(_)) => false,
                (None, None) => true,
            };
            if !inside {
                problems.push(TwinError::IntegerOutOfRange {
                    path: path.to_string(),
                    min: limits.integer_min,
                    max: limits.integer_max,
                });
            }
        }
        _ => {}
    }
}

/// Whether [`check_key`] has nothing to say of a name, and no escapes are needed to write it.
pub(in crate::twin) fn is_plain_name(name: &str, limits: &TwinLimits) -> bool {
    let odd =
        |b: u8| matches!(b, b'.' | b'$' | b'#' | b' ' | b'"' | b'\\') || !(0x20..0x7f).contains(&b);
    !name.is_empty() && name.len() <= limits.key_bytes && !name.bytes().any(odd)
}

fn check_key(name: &str, path: Path<'_>, limits: &TwinLimits, problems: &mut Problems<TwinError>) {
    let reason = if name.is_empty() {
        Some("it is empty")
    } else if name.starts_with('$') {
        Some("names that start with `$` belong to the service")
    } else if name.contains(['.', '$', '#', ' ']) {
        Some("it holds `.`, `$`, `#` or a space")
    } else if name.chars().any(char::is_control) {
        Some("it holds a control character")
    } else {
        None
    };
    if let Some(reason) = reason {
        problems.push(TwinError::InvalidKey {
            path: path.member(name).to_string(),
            reason,
        });
    }
    if name.len() > limits.key_bytes {
        problems.push(TwinError::KeyTooLong {
            path: path.to_string(),
            bytes: name.len(),
            limit: limits.key_bytes,
        });
    }
}
