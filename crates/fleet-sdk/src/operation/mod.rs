//! Every operation: its request, its response, its service and its summary.
//!
//! Requests are wire forms: names and shapes are those of the service that people come from, and
//! nothing in them is validated before the call. AWS fields are camelCase as in the API model, with times in
//! epoch seconds; IoT Hub requests are `{deviceId, moduleId?, ifMatch?, body}`.

#[macro_use]
mod macros;
mod billing_group;
mod certificate;
mod concealed;
mod crypto;
mod dynamic_group;
mod group;
mod identity;
mod index;
mod lifecycle;
mod presence;
mod principal;
mod pure;
mod query;
mod seconds;
mod shadow;
mod tag;
mod thing;
mod thing_type;
mod twin;

use schemars::{JsonSchema, Schema};
use serde::{Serialize, de::DeserializeOwned};

use crate::Service;
use crate::handler::Handle;

pub use billing_group::*;
pub use certificate::*;
pub use concealed::{Concealed, Wipe};
pub use dynamic_group::*;
pub use group::*;
pub use identity::*;
pub use index::*;
pub use lifecycle::*;
pub use presence::*;
pub use principal::*;
pub use pure::*;
pub use query::*;
pub use seconds::Seconds;
pub use shadow::*;
pub use tag::*;
pub use thing::*;
pub use thing_type::*;
pub use twin::*;

/// One operation: the type is its request.
///
/// Implemented by the requests of this module only.
pub trait Operation:
    Clone + Serialize + DeserializeOwned + JsonSchema + Send + Handle<Answer = Self::Response>
{
    /// What it answers.
    type Response: Serialize + DeserializeOwned + JsonSchema + Send;
    /// Its name, as the service writes it.
    const NAME: &'static str;
    /// The service whose names and errors it follows.
    const SERVICE: Service;
    /// One line on what it does.
    const SUMMARY: &'static str;
}

/// What [`crate::Fleet::operations`] says of an operation.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct OperationInfo {
    /// Its name.
    pub name: &'static str,
    /// Its service.
    pub service: Service,
    /// One line on what it does.
    pub summary: &'static str,
    pub(crate) request: fn() -> Schema,
    pub(crate) response: fn() -> Schema,
    pub(crate) run: crate::fleet::RunJson,
}

impl OperationInfo {
    pub(crate) const fn of<O: Operation>() -> Self {
        Self {
            name: O::NAME,
            service: O::SERVICE,
            summary: O::SUMMARY,
            request: || schemars::schema_for!(O),
            response: || schemars::schema_for!(O::Response),
            run: crate::fleet::run_json::<O>,
        }
    }

    /// The JSON Schema of its request.
    #[must_use]
    pub fn request_schema(&self) -> Schema {
        in_short((self.request)())
    }

    /// The JSON Schema of its response.
    #[must_use]
    pub fn response_schema(&self) -> Schema {
        in_short((self.response)())
    }
}

/// Keeps of every description its first paragraph: what follows is for readers of the code.
fn in_short(mut schema: Schema) -> Schema {
    fn shorten(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        serde_json::Value::String(text) if name == "description" => {
                            if let Some(end) = text.find("\n\n") {
                                text.truncate(end);
                            }
                        }
                        other => shorten(other),
                    }
                }
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(shorten),
            _ => {}
        }
    }
    if let Some(members) = schema.as_object_mut() {
        let mut whole = serde_json::Value::Object(std::mem::take(members));
        shorten(&mut whole);
        if let serde_json::Value::Object(short) = whole {
            *members = short;
        }
    }
    schema
}

impl std::fmt::Debug for OperationInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OperationInfo")
            .field("name", &self.name)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// Other names of operations, as REST references and SDKs of IoT Hub write them.
pub const ALIASES: &[(&str, &str)] = &[
    ("BulkCreateOrUpdateDevices", "BulkRegistry"),
    ("BulkDeviceCRUD", "BulkRegistry"),
    ("BulkRegistryOperations", "BulkRegistry"),
    ("CreateOrUpdateDevice", "CreateOrReplaceDevice"),
    ("CreateOrUpdateModule", "CreateOrReplaceModule"),
    ("GetDeviceRegistryStatistics", "GetDeviceStatistics"),
    ("GetDeviceTwin", "GetTwin"),
    ("GetModuleTwin", "GetTwin"),
    ("GetModules", "GetModulesOnDevice"),
    ("ListDevices", "GetDevices"),
    ("ListModulesOnDevice", "GetModulesOnDevice"),
    ("QueryIotHub", "QueryTwins"),
    ("ReplaceDeviceTwin", "ReplaceTwin"),
    ("ReplaceModuleTwin", "ReplaceTwin"),
    ("UpdateDeviceTwin", "UpdateTwin"),
    ("UpdateModuleTwin", "UpdateTwin"),
    ("UpdateRegistry", "BulkRegistry"),
];

macro_rules! table {
    ($($name:ident),+ $(,)?) => {
        /// Every operation, by service and name.
        pub(crate) static ALL: &[OperationInfo] = &[
            $(OperationInfo::of::<$name>(),)+
            crypto::CREATE_SAS_TOKEN,
            crypto::DERIVE_DEVICE_KEY,
            crypto::PRESIGN_URL,
            crypto::VERIFY_CERTIFICATE_CHAIN,
            crypto::VERIFY_MANIFEST,
            crypto::VERIFY_SAS_TOKEN,
        ];
    };
}

table! {
    ApplyDynamicMembership,
    CompleteDynamicThingGroup,
    CreateDynamicThingGroup,
    DeleteDynamicThingGroup,
    DescribeEventConfigurations,
    DescribeIndex,
    GetBucketsAggregation,
    GetCardinality,
    GetIndexingConfiguration,
    GetPercentiles,
    GetStatistics,
    ListHubEvents,
    ListIndices,
    ListLifecycleMessages,
    ListNamedShadowsForThing,
    SearchIndex,
    UpdateDynamicThingGroup,
    UpdateEventConfigurations,
    UpdateIndexingConfiguration,
    AcceptCertificateTransfer,
    AttachPolicy,
    AttachThingPrincipal,
    CancelCertificateTransfer,
    CreateCertificateFromCsr,
    CreateKeysAndCertificate,
    DeleteCACertificate,
    DeleteCertificate,
    DescribeCACertificate,
    DescribeCertificate,
    DetachPolicy,
    DetachThingPrincipal,
    GetRegistrationCode,
    ListAttachedPolicies,
    ListCACertificates,
    ListCertificates,
    ListCertificatesByCA,
    ListOutgoingCertificates,
    ListPrincipalThings,
    ListPrincipalThingsV2,
    ListTargetsForPolicy,
    ListThingPrincipals,
    ListThingPrincipalsV2,
    RegisterCACertificate,
    RegisterCertificate,
    RegisterCertificateWithoutCA,
    RejectCertificateTransfer,
    TransferCertificate,
    UpdateCACertificate,
    UpdateCertificate,
    AddThingToBillingGroup,
    AddThingToThingGroup,
    CreateBillingGroup,
    CreateThing,
    CreateThingGroup,
    CreateThingType,
    DeleteBillingGroup,
    DeleteThing,
    DeleteThingGroup,
    DeleteThingType,
    DeprecateThingType,
    DescribeBillingGroup,
    DescribeThing,
    DescribeThingGroup,
    DescribeThingType,
    ListBillingGroups,
    ListTagsForResource,
    ListThingGroups,
    ListThingGroupsForThing,
    ListThingTypes,
    ListThings,
    ListThingsInBillingGroup,
    ListThingsInThingGroup,
    RemoveThingFromBillingGroup,
    RemoveThingFromThingGroup,
    TagResource,
    UntagResource,
    UpdateBillingGroup,
    UpdateThing,
    UpdateThingGroup,
    UpdateThingGroupsForThing,
    UpdateThingType,
    DeleteThingShadow,
    GetThingShadow,
    UpdateThingShadow,
    GetTwin,
    GetTwinProperties,
    BulkRegistry,
    CreateOrReplaceDevice,
    CreateOrReplaceModule,
    DeleteDevice,
    DeleteModule,
    GetDevice,
    GetDeviceStatistics,
    GetDevices,
    GetModule,
    GetModulesOnDevice,
    GetServiceStatistics,
    GetThingConnectivityData,
    MergePatch,
    RecordPresence,
    QueryModules,
    QueryTwins,
    ReplaceTwin,
    UpdateReportedProperties,
    UpdateTwin,
}
