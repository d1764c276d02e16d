//! The canonical JSON of event data.

use serde::Serialize;
use serde_json::Value;

/// The canonical JSON bytes of a value: members sorted bytewise by name, no white space.
///
/// Two equal values have equal bytes, so that content hashes can be compared, whatever map
/// type `serde_json` was built with. A value whose serialisation fails (a map with keys that are not
/// text) is written as `null`; the payload types of this workspace have none.
#[must_use]
pub fn canonical<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::with_capacity(128);
    write(
        &serde_json::to_value(value).unwrap_or(Value::Null),
        &mut out,
    );
    out
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().collect();
            members.sort_unstable_by_key(|(name, _)| *name);
            out.push(b'{');
            for (n, (name, member)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                scalar(name, out);
                out.push(b':');
                write(member, out);
            }
            out.push(b'}');
        }
        Value::Array(elements) => {
            out.push(b'[');
            for (n, element) in elements.iter().enumerate() {
                if n > 0 {
                    out.push(b',');
                }
                write(element, out);
            }
            out.push(b']');
        }
        _ => scalar(value, out),
    }
}

fn scalar<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // A scalar written to memory cannot fail.
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn members_are_sorted_at_every_depth() {
        let bytes = super::canonical(&json!({"b": {"z": 1, "a": [ {"y": 1, "x": 2} ]}, "a": 1.50}));
        assert_eq!(bytes, br#"{"a":1.5,"b":{"a":[{"x":2,"y":1}],"z":1}}"#);
    }
}
