//! Amazon resource names of this domain. Spec: AWS 0.4.

use super::text::text_id;
use super::{
    BillingGroupName, CertificateId, IdError, IndexName, JobId, PolicyName, TemplateName,
    ThingGroupName, ThingName, ThingTypeName,
};
use std::fmt;

text_id! {
    /// An account: 12 digits. A tenant of this project maps to one.
    AccountId, "account id", "12 digits",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
}

text_id! {
    /// A region, `eu-west-1`: 1 to 32 characters of `[a-z0-9-]`.
    Region, "region", "1 to 32 characters of a-z, 0-9 and `-`",
    |text| (1..=32).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// Where resources live: region and account.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Owner {
    /// The region.
    pub region: Region,
    /// The account.
    pub account: AccountId,
}

impl Owner {
    /// The name of `resource` here.
    #[must_use]
    pub fn arn(&self, resource: Resource) -> Arn {
        Arn {
            owner: self.clone(),
            resource,
        }
    }
}

/// What a resource name names.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the resource of that name")]
pub enum Resource {
    Thing(ThingName),
    ThingType(ThingTypeName),
    ThingGroup(ThingGroupName),
    BillingGroup(BillingGroupName),
    Certificate(CertificateId),
    CaCertificate(CertificateId),
    Policy(PolicyName),
    Job(JobId),
    JobTemplate(JobId),
    Index(IndexName),
    ProvisioningTemplate(TemplateName),
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thing(name) => write!(f, "thing/{name}"),
            Self::ThingType(name) => write!(f, "thingtype/{name}"),
            Self::ThingGroup(name) => write!(f, "thinggroup/{name}"),
            Self::BillingGroup(name) => write!(f, "billinggroup/{name}"),
            Self::Certificate(id) => write!(f, "cert/{id}"),
            Self::CaCertificate(id) => write!(f, "cacert/{id}"),
            Self::Policy(name) => write!(f, "policy/{name}"),
            Self::Job(id) => write!(f, "job/{id}"),
            Self::JobTemplate(id) => write!(f, "jobtemplate/{id}"),
            Self::Index(name) => write!(f, "index/{name}"),
            Self::ProvisioningTemplate(name) => write!(f, "provisioningtemplate/{name}"),
        }
    }
}

impl std::str::FromStr for Resource {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let unknown = || {
            IdError::new(
                "resource",
                text,
                "`thing/…`, `thinggroup/…`, `cert/…` or alike",
            )
        };
        let (kind, name) = text.split_once('/').ok_or_else(unknown)?;
        Ok(match kind {
            "thing" => Self::Thing(name.parse()?),
            "thingtype" => Self::ThingType(name.parse()?),
            "thinggroup" => Self::ThingGroup(name.parse()?),
            "billinggroup" => Self::BillingGroup(name.parse()?),
            "cert" => Self::Certificate(name.parse()?),
            "cacert" => Self::CaCertificate(name.parse()?),
            "policy" => Self::Policy(name.parse()?),
            "job" => Self::Job(name.parse()?),
            "jobtemplate" => Self::JobTemplate(name.parse()?),
            "index" => Self::Index(name.parse()?),
            "provisioningtemplate" => Self::ProvisioningTemplate(name.parse()?),
            _ => return Err(unknown()),
        })
    }
}

/// An Amazon resource name, `arn:aws:iot:R:A:thing/press-7`.
///
/// ```
/// use fleet_model::id::{Arn, Resource};
/// let arn: Arn = "arn:aws:iot:eu-west-1:123456789012:thing/press-7".parse()?;
/// assert!(matches!(&arn.resource, Resource::Thing(name) if name.as_str() == "press-7"));
/// assert_eq!(arn.to_string(), "arn:aws:iot:eu-west-1:123456789012:thing/press-7");
/// # Ok::<(), fleet_model::id::IdError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Arn {
    /// Where it lives.
    pub owner: Owner,
    /// What it is.
    pub resource: Resource,
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Owner { region, account } = &self.owner;
        write!(f, "arn:aws:iot:{region}:{account}:{}", self.resource)
    }
}

impl std::str::FromStr for Arn {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed = || {
            IdError::new(
                "arn",
                text,
                "`arn:aws:iot:<region>:<account>:<kind>/<name>`",
            )
        };
        let rest = text.strip_prefix("arn:aws:iot:").ok_or_else(malformed)?;
        let (region, rest) = rest.split_once(':').ok_or_else(malformed)?;
        let (account, resource) = rest.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            owner: Owner {
                region: region.parse()?,
                account: account.parse()?,
            },
            resource: resource.parse()?,
        })
    }
}

impl serde::Serialize for Arn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Arn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        super::text::parsed(deserializer)
    }
}
