//! Members of requests and responses that hold key material.

use std::fmt;
use std::ops::Deref;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroize as _;

/// What can be overwritten in place.
pub trait Wipe {
    /// Overwrites every text inside.
    fn wipe(&mut self);
}

impl Wipe for String {
    fn wipe(&mut self) {
        self.zeroize();
    }
}

impl Wipe for Value {
    fn wipe(&mut self) {
        match self {
            Self::String(text) => text.wipe(),
            Self::Array(items) => items.wipe(),
            Self::Object(members) => members.wipe(),
            Self::Null | Self::Bool(_) | Self::Number(_) => {}
        }
    }
}

impl Wipe for Vec<Value> {
    fn wipe(&mut self) {
        self.iter_mut().for_each(Wipe::wipe);
    }
}

impl Wipe for Map<String, Value> {
    fn wipe(&mut self) {
        self.values_mut().for_each(Wipe::wipe);
    }
}

/// A member that may hold a key: the same JSON as `T`, not shown by `Debug`, overwritten when it is dropped.
///
/// ```
/// use fleet_sdk::operation::Concealed;
/// let key: Concealed<String> = serde_json::from_str(r#""AAEC""#)?;
/// assert_eq!(format!("{key:?}"), "[redacted]");
/// assert_eq!(key.as_str(), "AAEC");
/// # Ok::<(), serde_json::Error>(())
/// ```
/// Spec: cryptography, section 9.
#[derive(Clone, Default, Eq, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(transparent)]
pub struct Concealed<T: Wipe>(T);

impl<T: Wipe> Concealed<T> {
    /// Takes a value over.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// Gives the value back; who takes it wipes it.
    pub fn into_inner(mut self) -> T
    where
        T: Default,
    {
        std::mem::take(&mut self.0)
    }
}

impl<T: Wipe> Deref for Concealed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Wipe> Drop for Concealed<T> {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl<T: Wipe> fmt::Debug for Concealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_text_is_overwritten() {
        let mut value = json!({"a": ["key", {"b": "key"}], "n": 1, "t": true});
        value.wipe();
        assert_eq!(value, json!({"a": ["", {"b": ""}], "n": 1, "t": true}));
    }

    #[test]
    fn the_json_is_that_of_the_value() {
        let body: Concealed<Map<String, Value>> = serde_json::from_str(r#"{"k":"v"}"#).unwrap();
        assert_eq!(serde_json::to_string(&body).unwrap(), r#"{"k":"v"}"#);
        assert_eq!(format!("{body:#?}"), "[redacted]");
        assert_eq!(body.into_inner().get("k"), Some(&json!("v")));
    }
}
