//! One name, two faces.

use super::text::{is_device_id, is_thing_name, text_id};
use super::{IdError, ThingName};
use crate::kernel::{NameError, StreamName};

text_id! {
    /// The id of an IoT Hub device: 1 to 128 characters, case-sensitive.
    ///
    /// Letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`. Every thing name is a device id.
    /// Spec: Azure 1.1.
    DeviceId, "device id",
    "1 to 128 characters of a-z, A-Z, 0-9 and `-:.+%_#*?!(),=@;$'`", is_device_id
}

text_id! {
    /// The name of the one record that a thing and a device of the same name share.
    ///
    /// Its alphabet is that of a device id, which holds every thing name. A record whose name is
    /// no legal thing name has no AWS face: [`RecordName::thing_name`] is `None`, and AWS
    /// listings leave it out. Spec: design, section 10 ("Names and faces").
    ///
    /// ```
    /// use fleet_model::id::RecordName;
    /// let shared: RecordName = "press-7".parse()?;
    /// assert!(shared.thing_name().is_some());
    /// let hub_only: RecordName = "press#7".parse()?;
    /// assert!(hub_only.thing_name().is_none());
    /// assert_eq!(hub_only.device_id().as_str(), "press#7");
    /// # Ok::<(), fleet_model::id::IdError>(())
    /// ```
    RecordName, "device id",
    "1 to 128 characters of a-z, A-Z, 0-9 and `-:.+%_#*?!(),=@;$'`", is_device_id
}

impl RecordName {
    /// The name on the AWS face, where it is a legal one.
    #[must_use]
    pub fn thing_name(&self) -> Option<ThingName> {
        self.has_aws_face().then(|| ThingName::of_record(self))
    }

    /// Whether the name is a legal thing name.
    #[must_use]
    pub fn has_aws_face(&self) -> bool {
        is_thing_name(&self.0)
    }

    /// The name on the IoT Hub face.
    #[must_use]
    pub fn device_id(&self) -> DeviceId {
        DeviceId(self.0.clone())
    }

    /// The stream of the record, `thing-<name>`.
    ///
    /// # Errors
    /// None in fact: 128 characters, escaped, fit a stream name.
    pub fn stream(&self) -> Result<StreamName, NameError> {
        StreamName::of("thing", &self.0)
    }
}

impl ThingName {
    fn of_record(record: &RecordName) -> Self {
        Self::from_checked(record.0.clone())
    }

    /// The record of this name.
    #[must_use]
    pub fn record(&self) -> RecordName {
        RecordName(self.shared())
    }
}

impl From<ThingName> for RecordName {
    fn from(name: ThingName) -> Self {
        name.record()
    }
}

impl From<&ThingName> for RecordName {
    fn from(name: &ThingName) -> Self {
        name.record()
    }
}

impl From<DeviceId> for RecordName {
    fn from(id: DeviceId) -> Self {
        Self(id.0)
    }
}

impl From<&DeviceId> for RecordName {
    fn from(id: &DeviceId) -> Self {
        Self(id.0.clone())
    }
}

impl TryFrom<&RecordName> for ThingName {
    type Error = IdError;
    fn try_from(record: &RecordName) -> Result<Self, IdError> {
        Self::check(record.as_str())?;
        Ok(Self::of_record(record))
    }
}
