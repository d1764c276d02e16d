//! Who calls, through which service's door.

use fleet_model::kernel::{Actor, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The service whose names, shapes and errors an operation follows.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Service {
    /// AWS IoT control plane.
    Iot,
    /// AWS IoT device shadow data plane.
    IotData,
    /// AWS IoT jobs data plane.
    IotJobsData,
    /// Azure IoT Hub.
    #[serde(rename = "iothub")]
    IotHub,
    /// Azure Device Provisioning Service.
    Dps,
}

impl Service {
    /// Every service, in the order of listings.
    pub const ALL: &'static [Self] = &[
        Self::Iot,
        Self::IotData,
        Self::IotJobsData,
        Self::IotHub,
        Self::Dps,
    ];

    /// The name in `fleet exec` and in listings: `iot`, `iot-data`, `iot-jobs-data`, `iothub`, `dps`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Iot => "iot",
            Self::IotData => "iot-data",
            Self::IotJobsData => "iot-jobs-data",
            Self::IotHub => "iothub",
            Self::Dps => "dps",
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who calls, when, and through which door.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The principal that every event of the call names.
    pub actor: Actor,
    /// The instant of the call; the fleet's clock when absent.
    pub at: Option<Timestamp>,
    /// Needed only where two services share an operation name.
    pub service: Option<Service>,
}

impl Caller {
    /// A caller without an instant or a service of its own.
    #[must_use]
    pub const fn new(actor: Actor) -> Self {
        Self {
            actor,
            at: None,
            service: None,
        }
    }

    /// The same caller at `at`.
    #[must_use]
    pub const fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}
