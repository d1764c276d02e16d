//! What the messages of a type's things carry along.

use crate::id::{AttributeName, text_id};
use serde::{Deserialize, Serialize};

text_id! {
    /// The key of an MQTT 5 user property: 1 to 128 characters of `[a-zA-Z0-9:$.]`.
    UserPropertyKey, "user property key", "1 to 128 characters of a-z, A-Z, 0-9, `:`, `$` and `.`",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":$.".contains(&b))
}

text_id! {
    /// The name of a connection attribute: 1 to 128 characters of `[a-zA-Z0-9:.]`.
    ConnectionAttribute, "connection attribute", "1 to 128 characters of a-z, A-Z, 0-9, `:` and `.`",
    |text| (1..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b":.".contains(&b))
}

/// `mqtt5Configuration`: attributes that become MQTT 5 user properties. Spec: AWS 1.4.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mqtt5Configuration {
    /// Each of them.
    #[serde(default)]
    pub propagating_attributes: Vec<PropagatingAttribute>,
}

/// One attribute that becomes a user property: exactly one of the two sources, by its type.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PropagatingAttribute {
    /// From an attribute of the thing.
    #[serde(rename_all = "camelCase")]
    Thing {
        /// The user property.
        user_property_key: UserPropertyKey,
        /// The attribute of the thing.
        thing_attribute: AttributeName,
    },
    /// From the connection.
    #[serde(rename_all = "camelCase")]
    Connection {
        /// The user property.
        user_property_key: UserPropertyKey,
        /// The attribute of the connection.
        connection_attribute: ConnectionAttribute,
    },
}
