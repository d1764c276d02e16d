//! The validated names of the envelope.

use serde::{Deserialize, Serialize};
use std::fmt::{self, Write as _};
use std::sync::Arc;
use uuid::Uuid;

use super::ErrorCode;

/// A name that breaks its alphabet or length.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} `{value}` is not valid: it must be {rule}")]
pub struct NameError {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

impl NameError {
    fn new(kind: &'static str, value: &str, rule: &'static str) -> Self {
        let value = value.chars().take(80).collect();
        Self { kind, value, rule }
    }
}

impl ErrorCode for NameError {
    fn code(&self) -> &'static str {
        "kernel.invalid_name"
    }
}

macro_rules! text_name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;
            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.into())) } else { Err(NameError::new($kind, text, $rule)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.as_ref().to_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_name! {
    /// The isolation unit: 1 to 64 bytes of printable ASCII without spaces.
    TenantId, "tenant", "1 to 64 printable ASCII characters without spaces",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

text_name! {
    /// Who did it: 1 to 200 bytes without control characters, by custom `user:…`, `device:…` or `system:…`.
    Actor, "actor", "1 to 200 bytes without control characters",
    |text| (1..=200).contains(&text.len()) && !text.chars().any(char::is_control)
}

text_name! {
    /// The stable dotted name of a kind of event: 1 to 100 bytes of `[a-z0-9_.]`, e.g. `thing.created`.
    EventType, "event type", "1 to 100 characters of a-z, 0-9, `_` and `.`",
    |text| (1..=100).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.')
}

text_name! {
    /// A stream's category: `[a-z0-9_]+`, the part of its name before the first `-`.
    Category, "stream category", "characters of a-z, 0-9 and `_`", is_category
}

text_name! {
    /// The name of one aggregate's stream: `category-key`, at most 1024 bytes.
    ///
    /// The key is written with `[A-Za-z0-9._:-]`; every other byte of the raw key stands as
    /// `~XX` (upper-case hex). [`StreamName::of`] escapes, [`StreamName::raw_key`] gives the key back.
    /// Spec: event store, section 7.
    ///
    /// ```
    /// use fleet_model::kernel::StreamName;
    /// let stream = StreamName::of("twin", "press/7")?;
    /// assert_eq!(stream.as_str(), "twin-press~2F7");
    /// assert_eq!(stream.raw_key(), "press/7");
    /// # Ok::<(), fleet_model::kernel::NameError>(())
    /// ```
    StreamName, "stream", "`category-key`, at most 1024 bytes, with `~XX` for special bytes of the key",
    |text| text.len() <= 1024
        && text.split_once('-').is_some_and(|(category, key)| is_category(category) && is_key(key))
}

fn is_category(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_key(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'~' | b'-');
    !text.is_empty() && text.bytes().all(plain)
}

impl StreamName {
    /// The stream of `raw_key` in `category`, with the key's special bytes escaped.
    ///
    /// # Errors
    /// `kernel.invalid_name` when the category is malformed, the key empty, or the whole longer than 1024 bytes.
    pub fn of(category: &str, raw_key: &str) -> Result<Self, NameError> {
        let mut name = String::with_capacity(category.len() + 1 + raw_key.len());
        name.push_str(category);
        name.push('-');
        for byte in raw_key.bytes() {
            match byte {
                b'.' | b'_' | b':' | b'-' => name.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => name.push(char::from(byte)),
                _ => {
                    // Writing to a `String` cannot fail.
                    let _ = write!(name, "~{byte:02X}");
                }
            }
        }
        name.parse()
    }

    /// The part before the first `-`.
    #[must_use]
    pub fn category(&self) -> &str {
        self.0.split_once('-').map_or("", |(category, _)| category)
    }

    /// The part after the first `-`, escaped as stored.
    #[must_use]
    pub fn escaped_key(&self) -> &str {
        self.0.split_once('-').map_or("", |(_, key)| key)
    }

    /// The key with its escapes undone; a `~` that starts no valid escape stands for itself.
    #[must_use]
    pub fn raw_key(&self) -> String {
        let mut bytes = Vec::with_capacity(self.0.len());
        let mut rest = self.escaped_key();
        while let Some((plain, tail)) = rest.split_once('~') {
            bytes.extend_from_slice(plain.as_bytes());
            match tail
                .get(..2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            {
                Some(byte) => {
                    bytes.push(byte);
                    rest = tail.get(2..).unwrap_or_default();
                }
                None => {
                    bytes.push(b'~');
                    rest = tail;
                }
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// The caller-made identity of an event: UUIDv7 from injected time and bytes, or UUIDv8 derived
/// from a cause (design, section 10). Appending the same id twice stores one event.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

impl EventId {
    /// A UUIDv7 of the given instant (milliseconds since the epoch) and ten caller-made random bytes.
    #[must_use]
    pub fn v7(unix_millis: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_millis, &random).into_uuid())
    }

    /// The id that follows from a cause: UUIDv8 of SHA-256(cause id, name, index).
    ///
    /// `name` is that of the reactor or operation that derives it; `index` counts what one
    /// cause brings forth. The same cause always gives the same ids.
    #[must_use]
    pub fn derived(cause: Uuid, name: &str, index: u32) -> Self {
        Self(derive(cause, name, index))
    }

    /// The id as a UUID.
    #[must_use]
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

pub(crate) fn derive(cause: Uuid, name: &str, index: u32) -> Uuid {
    use sha2::{Digest as _, Sha256};
    let mut hash = Sha256::new();
    hash.update(cause.as_bytes());
    hash.update(name.as_bytes());
    hash.update(index.to_be_bytes());
    let digest = hash.finalize();
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

impl From<Uuid> for EventId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_key_survives_escaping(key in "\\PC{1,40}") {
            let stream = StreamName::of("thing", &key).unwrap();
            prop_assert_eq!(stream.raw_key(), key);
            prop_assert_eq!(stream.category(), "thing");
            prop_assert_eq!(&stream.as_str().parse::<StreamName>().unwrap(), &stream);
        }
    }

    #[test]
    fn malformed_names_are_refused() {
        for text in [
            "",
            "thing",
            "thing-",
            "-x",
            "Thing-x",
            "thing-a b",
            "thing-a/b",
            &format!("t-{}", "x".repeat(1023)),
        ] {
            assert!(text.parse::<StreamName>().is_err(), "{text}");
        }
        assert!(
            format!("t-{}", "x".repeat(1022))
                .parse::<StreamName>()
                .is_ok()
        );
        assert!("".parse::<TenantId>().is_err());
        assert!("thing.Created".parse::<EventType>().is_err());
        assert!("user:a\n".parse::<Actor>().is_err());
    }

    #[test]
    fn derived_ids_are_stable_and_version_8() {
        let cause = Uuid::from_u128(1);
        let id = EventId::derived(cause, "thing_type.deprecated", 0);
        assert_eq!(id, EventId::derived(cause, "thing_type.deprecated", 0));
        assert_ne!(id, EventId::derived(cause, "thing_type.deprecated", 1));
        assert_eq!(id.as_uuid().get_version_num(), 8);
        assert_eq!(EventId::v7(1, [7; 10]).as_uuid().get_version_num(), 7);
    }
}
