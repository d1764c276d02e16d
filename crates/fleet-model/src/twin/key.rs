//! Which document a twin is.

use crate::id::{ModuleId, RecordName, ShadowName};
use crate::kernel::{NameError, StreamName};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

/// One twin: the device twin of a record, the twin of one of its modules, or a named shadow.
///
/// The device twin is also the AWS classic shadow. A module twin has no AWS face, a named shadow
/// no IoT Hub face. Spec: design, sections 5 and 10; AWS 4.1; Azure 2.1.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum TwinKey {
    /// The device twin, which is the classic shadow.
    Device(RecordName),
    /// The twin of a module.
    Module(RecordName, ModuleId),
    /// A named shadow.
    Shadow(RecordName, ShadowName),
}

impl TwinKey {
    /// The record that the twin belongs to.
    #[must_use]
    pub const fn record(&self) -> &RecordName {
        match self {
            Self::Device(record) | Self::Module(record, _) | Self::Shadow(record, _) => record,
        }
    }

    /// The module, for a module twin.
    #[must_use]
    pub const fn module(&self) -> Option<&ModuleId> {
        match self {
            Self::Module(_, module) => Some(module),
            _ => None,
        }
    }

    /// The shadow's name, for a named shadow.
    #[must_use]
    pub const fn shadow(&self) -> Option<&ShadowName> {
        match self {
            Self::Shadow(_, shadow) => Some(shadow),
            _ => None,
        }
    }

    /// The stream of the twin: `twin-<d>`, `twin-<d>~2Fm~2F<module>`, `twin-<d>~2Fs~2F<shadow>`.
    ///
    /// # Errors
    /// `kernel.invalid_name` when the escaped name is longer than 1024 bytes.
    pub fn stream(&self) -> Result<StreamName, NameError> {
        let record = self.record().as_str();
        match self {
            Self::Device(_) => StreamName::of("twin", record),
            Self::Module(_, module) => StreamName::of("twin", &format!("{record}/m/{module}")),
            Self::Shadow(_, shadow) => StreamName::of("twin", &format!("{record}/s/{shadow}")),
        }
    }

    /// The twin of a stream, `None` when the stream is not one of a twin.
    #[must_use]
    pub fn of_stream(stream: &StreamName) -> Option<Self> {
        if stream.category() != "twin" {
            return None;
        }
        let raw = stream.raw_key();
        let mut parts = raw.splitn(3, '/');
        let record = parts.next()?.parse().ok()?;
        match (parts.next(), parts.next()) {
            (None, None) => Some(Self::Device(record)),
            (Some("m"), Some(module)) => Some(Self::Module(record, module.parse().ok()?)),
            (Some("s"), Some(shadow)) => Some(Self::Shadow(record, shadow.parse().ok()?)),
            _ => None,
        }
    }

    /// The name that AWS messages print: the shadow's, or the thing's for the classic one.
    #[must_use]
    pub fn shadow_label(&self) -> &str {
        match self {
            Self::Shadow(_, shadow) => shadow.as_str(),
            Self::Device(record) | Self::Module(record, _) => record.as_str(),
        }
    }

    /// The prefix of the shadow's MQTT topics (AWS 4.7).
    #[must_use]
    pub fn topic_prefix(&self) -> String {
        let thing = self.record();
        match self {
            Self::Shadow(_, shadow) => format!("$aws/things/{thing}/shadow/name/{shadow}"),
            Self::Device(_) | Self::Module(..) => format!("$aws/things/{thing}/shadow"),
        }
    }
}

impl fmt::Display for TwinKey {
    /// `press-7`, `press-7/m/camera`, `press-7/s/config`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Device(record) => write!(f, "{record}"),
            Self::Module(record, module) => write!(f, "{record}/m/{module}"),
            Self::Shadow(record, shadow) => write!(f, "{record}/s/{shadow}"),
        }
    }
}

/// Which life of a name a twin belongs to: the thing's id, or the module's generation.
///
/// A name that is deleted and created again starts a new life; what the old one left in the
/// twin's stream is not seen through the new one.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub Uuid);

/// What a decision about a twin sees of other streams.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TwinView {
    /// Which twin it is.
    pub key: TwinKey,
    /// The life that its owner is in now; `None` where the embedder keeps no identities.
    pub incarnation: Option<Incarnation>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_read_back() {
        let record: RecordName = "press#7".parse().unwrap();
        let keys = [
            (TwinKey::Device(record.clone()), "twin-press~237"),
            (
                TwinKey::Module(record.clone(), "$edgeAgent".parse().unwrap()),
                "twin-press~237~2Fm~2F~24edgeAgent",
            ),
            (
                TwinKey::Shadow(record, "config".parse().unwrap()),
                "twin-press~237~2Fs~2Fconfig",
            ),
        ];
        for (key, stream) in keys {
            assert_eq!(key.stream().unwrap().as_str(), stream);
            assert_eq!(TwinKey::of_stream(&key.stream().unwrap()), Some(key));
        }
        for other in ["thing-a", "twin-a~2Fx~2Fb", "twin-a~2Fm"] {
            assert_eq!(TwinKey::of_stream(&other.parse().unwrap()), None, "{other}");
        }
    }
}
