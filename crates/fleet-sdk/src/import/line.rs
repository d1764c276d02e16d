//! One line: a document of either service's shape, and what it makes.

use fleet_model::attribute::{AttributePayload, Mode};
use fleet_model::id::{DeviceId, RecordName, ThingGroupName, ThingTypeName};
use fleet_model::identity::{Authentication, DeviceWrite, Status};
use fleet_model::limits::Limits;
use fleet_model::twin::{Draft, Imported, SectionName, TwinCommand};
use fleet_query::Collection;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::fmt;
use uuid::Uuid;

use crate::refusal::Refusal;

/// What a line says of the device itself.
pub(super) struct Device {
    pub(super) name: RecordName,
    /// What the ids of its events derive from: the same line gives the same.
    pub(super) cause: Uuid,
    pub(super) thing_type: Option<ThingTypeName>,
    pub(super) attributes: AttributePayload,
    pub(super) groups: Vec<ThingGroupName>,
    pub(super) status: Status,
    pub(super) status_reason: Option<String>,
}

impl Device {
    pub(super) fn identity(&self) -> DeviceWrite {
        DeviceWrite {
            status: self.status,
            status_reason: self.status_reason.clone(),
            authentication: Authentication::Sas { keys: None },
            iot_edge: false,
            device_scope: None,
            parent_scopes: Vec::new(),
        }
    }
}

fn cause_of(text: &str) -> Uuid {
    let digest: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let cause = digest.first_chunk().copied().unwrap_or_default();
    uuid::Builder::from_custom_bytes(cause).into_uuid()
}

/// A line as trees: any document that can be imported, and the judge of those that cannot.
pub(super) struct Document {
    pub(super) device: Device,
    pub(super) twin: Trees,
}

/// What a line says of the device's twin.
#[derive(Clone)]
pub(super) struct Trees {
    pub(super) tags: Option<Map<String, Value>>,
    pub(super) desired: Option<Map<String, Value>>,
    pub(super) reported: Option<Map<String, Value>>,
    imported: Imported,
}

fn malformed(reason: impl fmt::Display) -> Refusal {
    Refusal::new("import.malformed", format!("{reason}"))
}

/// A section without what the service adds, and its `$version`.
type Section = (Option<Map<String, Value>>, Option<u64>);

fn section(value: Option<Value>, path: &str) -> Result<Section, Refusal> {
    match value {
        None | Some(Value::Null) => Ok((None, None)),
        Some(Value::Object(mut members)) => {
            let version = members.remove("$version").and_then(|found| found.as_u64());
            members.remove("$metadata");
            Ok(((!members.is_empty()).then_some(members), version))
        }
        Some(_) => Err(malformed(format_args!("`{path}` is not an object"))),
    }
}

impl Document {
    pub(super) fn read(text: &str) -> Result<Self, Refusal> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| malformed(format_args!("the line is not JSON: {error}")))?;
        let value =
            fleet_query::document::normalise(Collection::Devices, value).map_err(malformed)?;
        let Value::Object(mut members) = value else {
            return Err(malformed("the line is not a JSON object"));
        };
        let Some(Value::String(device)) = members.remove("deviceId") else {
            return Err(malformed("`deviceId` is missing"));
        };
        let mut properties = match members.remove("properties") {
            Some(Value::Object(properties)) => properties,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(malformed("`properties` is not an object")),
        };
        let attributes = match members.remove("attributes") {
            Some(Value::Object(attributes)) => attributes,
            None | Some(Value::Null) => Map::new(),
            Some(_) => return Err(malformed("`attributes` is not an object")),
        };
        let pairs = attributes
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => Ok((name.as_str(), text.as_str())),
                _ => Err(malformed(format_args!("attribute `{name}` is not text"))),
            })
            .collect::<Result<Vec<_>, _>>()?;
        let thing_type = match members.remove("thingTypeName") {
            Some(Value::String(name)) => Some(name.parse()?),
            _ => None,
        };
        let groups = match members.remove("thingGroupNames") {
            Some(Value::Array(names)) => names
                .iter()
                .filter_map(Value::as_str)
                .map(str::parse)
                .collect::<Result<_, _>>()?,
            _ => Vec::new(),
        };
        let status = match members.get("status").and_then(Value::as_str) {
            None | Some("enabled") => Status::Enabled,
            Some("disabled") => Status::Disabled,
            Some(other) => {
                return Err(malformed(format_args!(
                    "status `{other}` is neither `enabled` nor `disabled`"
                )));
            }
        };
        let text_of = |name: &str| {
            let found = members.get(name).and_then(Value::as_str);
            found.map(str::to_owned)
        };
        let device = Device {
            status,
            status_reason: text_of("statusReason"),
            name: device.parse::<DeviceId>()?.into(),
            cause: cause_of(text),
            thing_type,
            attributes: AttributePayload::parse(pairs, Mode::Replace)?,
            groups,
        };
        let mut imported = Imported {
            version: members.get("version").and_then(Value::as_u64),
            etag: text_of("etag"),
            connection_state: text_of("connectionState"),
            last_activity_time: text_of("lastActivityTime"),
            ..Imported::default()
        };
        let (tags, _) = section(members.remove("tags"), "tags")?;
        let (desired, version) = section(properties.remove("desired"), "properties.desired")?;
        imported.desired_version = version;
        let (reported, version) = section(properties.remove("reported"), "properties.reported")?;
        imported.reported_version = version;
        let twin = Trees {
            tags,
            desired,
            reported,
            imported,
        };
        Ok(Self { device, twin })
    }
}

impl Trees {
    pub(super) fn command(self) -> Option<TwinCommand> {
        let any = self.tags.is_some() || self.desired.is_some() || self.reported.is_some();
        (any || !self.imported.is_empty()).then_some(TwinCommand::Import {
            tags: self.tags,
            desired: self.desired,
            reported: self.reported,
            imported: self.imported,
        })
    }
}

/// Reads the lines that most imports consist of, without trees: twins in IoT Hub's shape, plainly within the limits.
///
/// What it does not take, malformed lines among them, is for [`Document::read`]; what it takes means the same there.
#[derive(Default)]
pub(super) struct Quick {
    /// The twin of the line that was read last.
    pub(super) twin: Draft,
}

impl Quick {
    /// The device of a line; `None` where the line has to go the long way.
    pub(super) fn read(&mut self, text: &str, limits: &Limits) -> Option<Device> {
        self.twin.clear();
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let root = Root {
            twin: &mut self.twin,
            limits,
        };
        let device = deserializer.deserialize_map(root).ok()?;
        deserializer.end().ok()?;
        let (status, status_reason) = (device.status.unwrap_or_default(), device.reason);
        Some(Device {
            name: device.id?.parse::<DeviceId>().ok()?.into(),
            cause: cause_of(text),
            thing_type: None,
            attributes: AttributePayload::default(),
            groups: Vec::new(),
            status,
            status_reason,
        })
    }
}

/// The members of a document's root.
struct Root<'q> {
    twin: &'q mut Draft,
    limits: &'q Limits,
}

#[derive(Default)]
struct Members<'t> {
    id: Option<&'t str>,
    status: Option<Status>,
    reason: Option<String>,
    properties: bool,
}

/// Sets what was not set yet: which of two members counts is for the long way to say.
fn once<T, E: serde::de::Error>(place: &mut Option<T>, value: T) -> Result<(), E> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(E::custom("unfit")),
    }
}

impl<'de> Visitor<'de> for Root<'_> {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a device's document")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Members<'de>, A::Error> {
        let Self { twin, limits } = self;
        let mut found = Members::default();
        while let Some(name) = members.next_key::<&'de str>()? {
            match name {
                "deviceId" => once(&mut found.id, members.next_value()?)?,
                "status" => {
                    let status = match members.next_value::<&'de str>()? {
                        "enabled" => Status::Enabled,
                        "disabled" => Status::Disabled,
                        _ => return Err(A::Error::custom("unfit")),
                    };
                    once(&mut found.status, status)?;
                }
                "statusReason" => once(&mut found.reason, members.next_value()?)?,
                "etag" => once(&mut twin.imported.etag, members.next_value()?)?,
                "connectionState" => {
                    once(&mut twin.imported.connection_state, members.next_value()?)?;
                }
                "lastActivityTime" => {
                    once(&mut twin.imported.last_activity_time, members.next_value()?)?;
                }
                "version" => once(&mut twin.imported.version, members.next_value()?)?,
                "tags" => members.next_value_seed(twin.section(SectionName::Tags, limits))?,
                "properties" if !found.properties => {
                    found.properties = true;
                    members.next_value_seed(Properties { twin, limits })?;
                }
                // Shown by the fleet's own identity of the device.
                "deviceEtag"
                | "statusUpdateTime"
                | "authenticationType"
                | "x509Thumbprint"
                | "cloudToDeviceMessageCount"
                | "modelId" => {
                    members.next_value::<IgnoredAny>()?;
                }
                _ => return Err(A::Error::custom("unfit")),
            }
        }
        Ok(found)
    }
}

struct Properties<'q> {
    twin: &'q mut Draft,
    limits: &'q Limits,
}

impl<'de> DeserializeSeed<'de> for Properties<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Properties<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("desired and reported properties")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(name) = members.next_key::<&'de str>()? {
            let section = match name {
                "desired" => SectionName::Desired,
                "reported" => SectionName::Reported,
                _ => return Err(A::Error::custom("unfit")),
            };
            members.next_value_seed(self.twin.section(section, self.limits))?;
        }
        Ok(())
    }
}
