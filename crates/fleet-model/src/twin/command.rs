//! What a caller asks of a twin.

use super::event::Writer;
use super::hub::{ConfigurationStatus, IfMatch};
use super::import::Imported;
use super::key::Incarnation;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The payload of a shadow request.
#[derive(Clone, Debug, PartialEq)]
pub enum Payload {
    /// As it came over the wire.
    Bytes(Vec<u8>),
    /// Parsed already.
    Json(Value),
}

impl Payload {
    /// The request's `clientToken`, to be echoed in a rejection; `None` when there is none that can be read.
    ///
    /// For `get` and `delete`, whose other content is ignored, an empty payload is fine (AWS 4.7).
    ///
    /// ```
    /// use fleet_model::twin::Payload;
    /// assert_eq!(Payload::Bytes(br#"{"clientToken":"c-1"}"#.to_vec()).client_token().as_deref(), Some("c-1"));
    /// assert_eq!(Payload::Bytes(vec![]).client_token(), None);
    /// ```
    #[must_use]
    pub fn client_token(&self) -> Option<String> {
        let token = |value: &Value| value.get("clientToken")?.as_str().map(str::to_owned);
        match self {
            Self::Json(value) => token(value),
            Self::Bytes(bytes) => token(&serde_json::from_slice(bytes).ok()?),
        }
    }
}

/// What must hold for an IoT Hub write to be taken.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Condition {
    /// The `If-Match` header; absent and `*` hold always.
    pub if_match: Option<IfMatch>,
    /// Desired must be at this `$version`.
    pub desired_version: Option<u64>,
    /// Reported must be at this `$version`.
    pub reported_version: Option<u64>,
}

/// What a caller asks of a twin.
#[derive(Clone, Debug, PartialEq)]
pub enum TwinCommand {
    /// AWS `UpdateThingShadow`: `{state, version?, clientToken?}`.
    UpdateShadow {
        /// The request document.
        payload: Payload,
    },
    /// AWS `DeleteThingShadow`.
    DeleteShadow {
        /// Echoed in the answer.
        client_token: Option<String>,
    },
    /// IoT Hub `PATCH /twins/{id}`: `{tags?, properties: {desired?}}`, merged.
    Patch {
        /// The body. Root members other than `tags`, `properties` and `etag` are ignored, as is `properties.reported`.
        body: Value,
        /// Conditions beside the body's `etag`.
        condition: Condition,
        /// [`Writer::Service`] or [`Writer::Configuration`].
        writer: Writer,
    },
    /// IoT Hub `PUT /twins/{id}`: tags and desired are replaced; what the body leaves out becomes empty.
    Replace {
        /// The body, as for a patch.
        body: Value,
        /// Conditions beside the body's `etag`.
        condition: Condition,
    },
    /// The device's patch of its reported section: a bare object.
    PatchReported {
        /// The patch.
        body: Value,
        /// Reported must be at this `$version`.
        expected_version: Option<u64>,
    },
    /// Replaces the given sections whole, without a condition: provisioning's initial twin, or an import.
    Import {
        /// The new tags.
        tags: Option<Map<String, Value>>,
        /// The new desired section.
        desired: Option<Map<String, Value>>,
        /// The new reported section.
        reported: Option<Map<String, Value>>,
        /// What else the document says.
        imported: Imported,
    },
    /// Sets or removes entries of the `configurations` section.
    SetConfigurations {
        /// The new status by configuration; `None` removes.
        changes: BTreeMap<String, Option<ConfigurationStatus>>,
    },
    /// The owner was deleted: ends the life `incarnation`, unless a later one began.
    End {
        /// The life that ended; `None` where the embedder keeps no identities.
        incarnation: Option<Incarnation>,
    },
}
