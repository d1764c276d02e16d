//! Personal fields: sealed values inside event data, and their opening through a port for keys.
//!
//! A sealed field stands in the data as `{"$sealed": {"key": …, "bytes": base64}}`. The store carries it
//! untouched, and checksum and chain are over the sealed form; so destroying a key changes no event.
//! The cryptography is the embedder's (or another crate's) behind [`KeyPort`].
//!
//! ```
//! use fleet_store::seal::{KeyAnswer, KeyPort, SealedField, reveal};
//! use serde_json::json;
//!
//! struct Destroyed;
//! impl KeyPort for Destroyed {
//!     fn open(&self, _: &SealedField<'_>) -> KeyAnswer {
//!         KeyAnswer::Destroyed
//!     }
//! }
//! let data = json!({"name": {"$sealed": {"key": "k1", "bytes": "AAEC"}}, "size": 3});
//! # let event = fleet_store::seal::Place { tenant: "t", stream: "thing-a", event_id: Default::default(), subject: None };
//! let shown = reveal(&data, &event, &Destroyed).unwrap();
//! assert_eq!(shown.data, json!({"name": {"$redacted": true}, "size": 3}));
//! assert_eq!(shown.redacted, ["/name"]);
//! ```

use crate::port::StoreError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fleet_model::kernel::Recorded;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Nesting to which sealed fields are looked for.
const DEPTH: usize = 64;

/// The event that a field belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The stream.
    pub stream: &'a str,
    /// The event's id.
    pub event_id: Uuid,
    /// Whose key seals the fields.
    pub subject: Option<&'a str>,
}

impl<'a> Place<'a> {
    /// The place of a recorded event.
    #[must_use]
    pub fn of(event: &'a Recorded) -> Self {
        Self {
            tenant: event.tenant.as_str(),
            stream: event.stream.as_str(),
            event_id: event.event.id.as_uuid(),
            subject: event.event.subject.as_deref(),
        }
    }
}

/// A sealed field and what it is bound to.
#[derive(Clone, Copy, Debug)]
pub struct SealedField<'a> {
    /// The event.
    pub place: &'a Place<'a>,
    /// JSON pointer of the field in the data.
    pub path: &'a str,
    /// Which key sealed it.
    pub key: &'a str,
    /// The sealed bytes.
    pub bytes: &'a [u8],
}

impl SealedField<'_> {
    /// The associated data: tenant, stream, event id, field path and key id, each behind its length.
    #[must_use]
    pub fn associated_data(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let id = self.place.event_id;
        for part in [
            self.place.tenant.as_bytes(),
            self.place.stream.as_bytes(),
            id.as_bytes(),
            self.path.as_bytes(),
            self.key.as_bytes(),
        ] {
            out.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
            out.extend_from_slice(part);
        }
        out
    }
}

/// What the holder of keys says of a field. Handled completely by the caller.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyAnswer {
    /// The field's value.
    Opened(Value),
    /// The key is destroyed: the value is gone for ever.
    Destroyed,
    /// The keys cannot be asked now; nothing is known of the value.
    Unavailable,
    /// The sealed bytes do not fit their place: damage, or a field that was moved.
    Refused,
}

/// Opens sealed fields.
pub trait KeyPort {
    /// The value of a field, or why there is none.
    fn open(&self, field: &SealedField<'_>) -> KeyAnswer;
}

/// Event data with its sealed fields opened or redacted.
#[derive(Clone, Debug, PartialEq)]
pub struct Revealed {
    /// The data; a field whose key is destroyed is `{"$redacted": true}`.
    pub data: Value,
    /// JSON pointers of the redacted fields, in document order.
    pub redacted: Vec<String>,
}

/// Opens every sealed field of `data`.
///
/// # Errors
/// `store.unavailable` when the keys cannot be asked; `store.corrupt` for a malformed or refused field.
pub fn reveal(data: &Value, place: &Place<'_>, keys: &dyn KeyPort) -> Result<Revealed, StoreError> {
    let mut redacted = Vec::new();
    let data = walk(data, String::new(), DEPTH, &mut |path, sealed| match open(
        path, sealed, place, keys,
    )? {
        Some(value) => Ok(value),
        None => {
            redacted.push(path.to_owned());
            Ok(json!({"$redacted": true}))
        }
    })?;
    Ok(Revealed { data, redacted })
}

fn damaged(path: &str, reason: &str) -> StoreError {
    crate::port::Corruption::Malformed {
        place: format!("sealed field `{path}`"),
        reason: reason.to_owned(),
    }
    .into()
}

fn open(
    path: &str,
    sealed: &Value,
    place: &Place<'_>,
    keys: &dyn KeyPort,
) -> Result<Option<Value>, StoreError> {
    let text = |name| sealed.get(name).and_then(Value::as_str);
    let (Some(key), Some(bytes)) = (text("key"), text("bytes")) else {
        return Err(damaged(path, "`key` or `bytes` is missing"));
    };
    let bytes = STANDARD
        .decode(bytes)
        .map_err(|_| damaged(path, "`bytes` is not base64"))?;
    let field = SealedField {
        place,
        path,
        key,
        bytes: &bytes,
    };
    match keys.open(&field) {
        KeyAnswer::Opened(value) => Ok(Some(value)),
        KeyAnswer::Destroyed => Ok(None),
        KeyAnswer::Unavailable => Err(StoreError::unavailable("the keys cannot be asked")),
        KeyAnswer::Refused => Err(damaged(path, "it does not fit its place")),
    }
}

/// The value of a sealed field: an object with `$sealed` only.
fn sealed_of(map: &Map<String, Value>) -> Option<&Value> {
    (map.len() == 1).then(|| map.get("$sealed")).flatten()
}

fn walk(
    value: &Value,
    path: String,
    depth: usize,
    open: &mut dyn FnMut(&str, &Value) -> Result<Value, StoreError>,
) -> Result<Value, StoreError> {
    match value {
        Value::Object(_) | Value::Array(_) if depth == 0 => {
            Err(damaged(&path, "the data is nested too deep"))
        }
        Value::Object(map) => {
            if let Some(sealed) = sealed_of(map) {
                return open(&path, sealed);
            }
            let mut out = Map::new();
            for (name, member) in map {
                let step = name.replace('~', "~0").replace('/', "~1");
                let member = walk(member, format!("{path}/{step}"), depth - 1, open)?;
                out.insert(name.clone(), member);
            }
            Ok(Value::Object(out))
        }
        Value::Array(elements) => {
            let mut out = Vec::with_capacity(elements.len());
            for (n, element) in elements.iter().enumerate() {
                out.push(walk(element, format!("{path}/{n}"), depth - 1, open)?);
            }
            Ok(Value::Array(out))
        }
        plain => Ok(plain.clone()),
    }
}
