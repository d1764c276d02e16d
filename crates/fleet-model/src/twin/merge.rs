//! JSON merge patch.

use serde_json::{Map, Value};

/// `target` with `patch` applied as RFC 7396 says: a null removes, an object merges, anything
/// else (arrays too) replaces whole.
///
/// Nulls inside a new object are dropped. The result holds no null below its root unless `target` did.
/// Both services' twins merge their sections like this (AWS 4.3, Azure 2.5). Not recursive.
///
/// ```
/// use fleet_model::twin::merge_patch;
/// use serde_json::json;
/// let merged = merge_patch(&json!({"a": {"b": 1, "c": 2}, "l": [1, 2]}), &json!({"a": {"b": null}, "l": [9]}));
/// assert_eq!(merged, json!({"a": {"c": 2}, "l": [9]}));
/// ```
#[must_use]
pub fn merge_patch(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut result = match target {
        Value::Object(members) => Value::Object(members.clone()),
        _ => Value::Object(Map::new()),
    };
    let mut open = vec![(&mut result, patch)];
    while let Some((target, patch)) = open.pop() {
        let Value::Object(members) = target else {
            continue;
        };
        let mut deeper = Map::new();
        for (name, value) in patch {
            match value {
                Value::Null => {
                    members.remove(name);
                }
                Value::Object(_) => {
                    if !members.get(name).is_some_and(Value::is_object) {
                        members.insert(name.clone(), Value::Object(Map::new()));
                    }
                    deeper.insert(name.clone(), Value::Null);
                }
                _ => {
                    members.insert(name.clone(), value.clone());
                }
            }
        }
        for (name, member) in members.iter_mut() {
            if let (true, Some(Value::Object(inner))) = (deeper.contains_key(name), patch.get(name))
            {
                open.push((member, inner));
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7396_appendix_a() {
        let table: Vec<(Value, Value, Value)> =
            serde_json::from_str(include_str!("../../tests/tables/rfc7396.json")).unwrap();
        assert_eq!(table.len(), 15);
        for (target, patch, result) in table {
            assert_eq!(merge_patch(&target, &patch), result, "{target} + {patch}");
        }
    }

    #[test]
    fn merges_deeper_than_any_parser_reads() {
        let mut deep = Value::from(1);
        for _ in 0..400 {
            deep = Value::Object(Map::from_iter([("a".to_owned(), deep)]));
        }
        assert_eq!(merge_patch(&Value::Null, &deep), deep);
    }
}
