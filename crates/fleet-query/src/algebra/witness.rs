//! Documents made of values at paths.

use super::candidates::is_id;
use crate::path::{FieldPath, Segment};
use serde_json::{Map, Value, json};

/// A document that shows these values at these paths, with an id; `None` at a path is no value.
/// Nothing if the paths stand in each other's way.
pub(super) fn document(values: &[(&FieldPath, Option<&Value>)]) -> Option<Value> {
    let mut root = Value::Object(Map::new());
    for (path, value) in values {
        if let Some(value) = value {
            put(&mut root, path.segments(), value)?;
        }
    }
    let members = root.as_object_mut()?;
    let named = values
        .iter()
        .any(|(path, value)| value.is_some() && is_id(path) && path.root() != "jobId");
    let message = values.iter().any(|(path, _)| {
        matches!(
            path.root(),
            "appProperties" | "systemProperties" | "body" | "twin"
        )
    });
    if message {
        members.insert("bodyUsable".to_owned(), json!(true));
    } else if !named
        || !(members.contains_key("deviceId") || members.contains_key("thingGroupName"))
    {
        members.insert("deviceId".to_owned(), json!("witness"));
    }
    Some(root)
}

fn put(at: &mut Value, path: &[Segment], value: &Value) -> Option<()> {
    let Some((first, rest)) = path.split_first() else {
        // Something is there already: an object made for a longer path.
        return match at {
            Value::Null => {
                *at = value.clone();
                Some(())
            }
            Value::Object(members) if members.is_empty() => {
                *at = value.clone();
                Some(())
            }
            _ => None,
        };
    };
    match first {
        Segment::Key(key) => {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            let members = at.as_object_mut()?;
            let member = members.entry(String::from(&**key));
            if rest.is_empty() {
                if let serde_json::map::Entry::Vacant(free) = member {
                    free.insert(value.clone());
                    return Some(());
                }
                return None;
            }
            put(member.or_insert(Value::Null), rest, value)
        }
        Segment::Index(index) => {
            if at.is_null() {
                *at = Value::Array(Vec::new());
            }
            let items = at.as_array_mut()?;
            let index = usize::try_from(*index).ok().filter(|index| *index < 1000)?;
            while items.len() <= index {
                items.push(Value::Null);
            }
            put(items.get_mut(index)?, rest, value)
        }
    }
}
