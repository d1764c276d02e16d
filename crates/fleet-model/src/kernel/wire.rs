//! From domain events to stored data and back.

use super::{ErrorCode, Recorded, UpcastError, Upcasters};

/// A family of events in its stored form.
///
/// The enum of an aggregate's events implements this with one payload struct per variant: that
/// struct is the wire form (camelCase JSON), pinned by a golden file per type and schema.
pub trait WireEvent: Sized {
    /// Every type of the family with its current schema.
    const TYPES: &'static [(&'static str, u16)];

    /// The stable dotted name of this event.
    fn event_type(&self) -> &'static str;

    /// The current schema of this event's type.
    fn schema(&self) -> u16 {
        let name = self.event_type();
        Self::TYPES
            .iter()
            .find(|(known, _)| *known == name)
            .map_or(1, |(_, schema)| *schema)
    }

    /// The stored data: canonical JSON.
    fn to_data(&self) -> Vec<u8>;

    /// The event of stored data in the current schema of `event_type`.
    ///
    /// # Errors
    /// `kernel.unknown_type` and `kernel.malformed_data`.
    fn from_data(event_type: &str, data: &[u8]) -> Result<Self, DecodeError>;
}

/// Stored data that cannot become an event of this code.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The type is not of this family.
    #[error("event type `{event_type}` is not known here")]
    UnknownType {
        /// The type found.
        event_type: String,
    },
    /// The schema is newer than this code.
    #[error(
        "event type `{event_type}` has schema {found}, this version knows up to {known}: use a newer version"
    )]
    UnknownSchema {
        /// The type found.
        event_type: String,
        /// The schema found.
        found: u16,
        /// The newest schema known.
        known: u16,
    },
    /// The data does not have the shape of its schema.
    #[error("data of `{event_type}` is malformed: {reason}")]
    Malformed {
        /// The type found.
        event_type: String,
        /// What the decoder said.
        reason: String,
    },
    /// An upcaster refused the data.
    #[error(transparent)]
    Upcast(#[from] UpcastError),
}

impl DecodeError {
    /// Data of `event_type` that does not have the shape of its schema.
    #[must_use]
    pub fn malformed(event_type: &str, reason: &impl std::fmt::Display) -> Self {
        Self::Malformed {
            event_type: event_type.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl ErrorCode for DecodeError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownType { .. } => "kernel.unknown_type",
            Self::UnknownSchema { .. } => "kernel.unknown_schema",
            Self::Malformed { .. } => "kernel.malformed_data",
            Self::Upcast(error) => error.code(),
        }
    }
}

/// The events that a recorded one stands for in today's schema, without upcasters.
///
/// # Errors
/// As [`decode_with`]; an old schema is `kernel.unknown_schema` too.
pub fn decode<E: WireEvent>(recorded: &Recorded) -> Result<Vec<E>, DecodeError> {
    decode_with(recorded, &Upcasters::none())
}

/// The events that a recorded one stands for in today's schema.
///
/// An event in its current schema is read straight from its bytes; an old one goes through
/// `upcasters` and may become none, one or several.
///
/// # Errors
/// `kernel.unknown_type`, `kernel.unknown_schema`, `kernel.malformed_data`, `kernel.upcast`.
pub fn decode_with<E: WireEvent>(
    recorded: &Recorded,
    upcasters: &Upcasters,
) -> Result<Vec<E>, DecodeError> {
    let event_type = recorded.event.event_type.as_str();
    let schema = recorded.event.schema;
    let known = |name: &str| {
        E::TYPES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, schema)| *schema)
    };
    if known(event_type) == Some(schema) {
        return Ok(vec![E::from_data(event_type, &recorded.event.data)?]);
    }
    if !upcasters.knows(event_type, schema) {
        return Err(match known(event_type) {
            Some(known) => DecodeError::UnknownSchema {
                event_type: event_type.to_owned(),
                found: schema,
                known,
            },
            None => DecodeError::UnknownType {
                event_type: event_type.to_owned(),
            },
        });
    }
    let value = serde_json::from_slice(&recorded.event.data)
        .map_err(|error| DecodeError::malformed(event_type, &error))?;
    let mut events = Vec::new();
    for step in upcasters.upcast(event_type, schema, value)? {
        match known(&step.event_type) {
            Some(known) if known == step.schema => {
                let bytes = super::canonical(&step.data);
                events.push(E::from_data(&step.event_type, &bytes)?);
            }
            Some(known) => {
                return Err(DecodeError::UnknownSchema {
                    event_type: step.event_type,
                    found: step.schema,
                    known,
                });
            }
            None => {
                return Err(DecodeError::UnknownType {
                    event_type: step.event_type,
                });
            }
        }
    }
    Ok(events)
}

/// Implements [`WireEvent`] for an enum whose variants each hold one serde payload struct.
///
/// ```
/// #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
/// #[serde(rename_all = "camelCase")]
/// struct Opened { at_door: u8 }
///
/// #[derive(Clone, Debug, PartialEq)]
/// enum Event { Opened(Opened) }
///
/// fleet_model::wire_events!(Event { Opened(Opened) = "gate.opened" @ 1 });
///
/// use fleet_model::kernel::WireEvent;
/// let event = Event::Opened(Opened { at_door: 2 });
/// assert_eq!(event.to_data(), br#"{"atDoor":2}"#);
/// assert_eq!(Event::from_data("gate.opened", &event.to_data())?, event);
/// # Ok::<(), fleet_model::kernel::DecodeError>(())
/// ```
#[macro_export]
macro_rules! wire_events {
    ($event:ident { $($variant:ident($payload:ty) = $name:literal @ $schema:literal),+ $(,)? }) => {
        impl $crate::kernel::WireEvent for $event {
            const TYPES: &'static [(&'static str, u16)] = &[$(($name, $schema)),+];

            fn event_type(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name),+
                }
            }

            fn to_data(&self) -> ::std::vec::Vec<u8> {
                match self {
                    $(Self::$variant(payload) => $crate::kernel::canonical(payload)),+
                }
            }

            fn from_data(
                event_type: &str,
                data: &[u8],
            ) -> ::std::result::Result<Self, $crate::kernel::DecodeError> {
                match event_type {
                    $($name => $crate::__serde_json::from_slice::<$payload>(data)
                        .map(Self::$variant)
                        .map_err(|error| $crate::kernel::DecodeError::malformed($name, &error)),)+
                    _ => Err($crate::kernel::DecodeError::UnknownType { event_type: event_type.to_owned() }),
                }
            }
        }
    };
}
