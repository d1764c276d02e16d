//! The dialects that fleets are queried in, and the collections that they read.

use crate::profile::{self, Profile};
use serde::{Deserialize, Serialize};

/// A query language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Dialect {
    /// IoT Hub device twin queries: `SELECT … FROM devices …`.
    #[serde(rename = "iothub")]
    IotHub,
    /// IoT Hub module twin queries: `SELECT … FROM devices.modules …`.
    #[serde(rename = "iothub-modules")]
    IotHubModules,
    /// IoT Hub job queries: `SELECT * FROM devices.jobs …`.
    #[serde(rename = "iothub-jobs")]
    IotHubJobs,
    /// Target conditions of configurations and deployments over devices.
    Target,
    /// Target conditions over modules: `from devices.modules where …`.
    TargetModules,
    /// Message-routing conditions.
    Routing,
    /// The AWS fleet index language, version 2017-09-30, over things.
    Aws,
    /// The same over thing groups.
    AwsGroups,
    /// RSQL / FIQL over devices.
    Rsql,
}

impl Dialect {
    /// Every dialect.
    pub const ALL: [Self; 9] = [
        Self::IotHub,
        Self::IotHubModules,
        Self::IotHubJobs,
        Self::Target,
        Self::TargetModules,
        Self::Routing,
        Self::Aws,
        Self::AwsGroups,
        Self::Rsql,
    ];

    /// The name used on the command line and in stored conditions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::IotHub => "iothub",
            Self::IotHubModules => "iothub-modules",
            Self::IotHubJobs => "iothub-jobs",
            Self::Target => "target",
            Self::TargetModules => "target-modules",
            Self::Routing => "routing",
            Self::Aws => "aws",
            Self::AwsGroups => "aws-groups",
            Self::Rsql => "rsql",
        }
    }

    /// The collection whose documents the dialect reads.
    #[must_use]
    pub const fn collection(self) -> Collection {
        match self {
            Self::IotHub | Self::Target | Self::Aws | Self::Rsql => Collection::Devices,
            Self::IotHubModules | Self::TargetModules => Collection::Modules,
            Self::IotHubJobs => Collection::Jobs,
            Self::AwsGroups => Collection::Groups,
            Self::Routing => Collection::Messages,
        }
    }

    /// The dialect's rules for missing fields, kinds and text.
    #[must_use]
    pub const fn profile(self) -> &'static Profile {
        match self {
            Self::IotHub
            | Self::IotHubModules
            | Self::IotHubJobs
            | Self::Target
            | Self::TargetModules => &profile::IOT_HUB,
            Self::Routing => &profile::ROUTING,
            Self::Aws | Self::AwsGroups => &profile::AWS,
            Self::Rsql => &profile::RSQL,
        }
    }
}

impl std::fmt::Display for Dialect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A dialect name that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown dialect `{name}`; the dialects are iothub, iothub-modules, iothub-jobs, target, target-modules, routing, aws, aws-groups, rsql"
)]
pub struct UnknownDialect {
    /// The name that was given.
    pub name: String,
}

impl std::str::FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.name() == name)
            .ok_or_else(|| UnknownDialect {
                name: name.to_owned(),
            })
    }
}

/// How much beyond the published language is accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The published language with the documented extensions.
    #[default]
    Lenient,
    /// Only what the services document.
    Strict,
}

/// A set of documents that a query reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Collection {
    /// One document per device or thing.
    Devices,
    /// One document per module twin.
    Modules,
    /// One document per device and job.
    Jobs,
    /// One document per thing group.
    Groups,
    /// One message at a time (routing).
    Messages,
}
