//! Every quota as data: the services' defaults, each of which an embedder may override.

use serde::{Deserialize, Serialize};

macro_rules! limits {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $kind:ty = $default:expr,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }
    };
}

limits! {
    /// The quotas in force for a decision. `Limits::default()` is what the services document.
    ///
    /// Alphabets and lengths of names are no quotas: they are part of their types in [`crate::id`].
    /// Spec: AWS appendix C, Azure appendix A.
    ///
    /// ```
    /// let mut limits = fleet_model::limits::Limits::default();
    /// assert_eq!(limits.groups_per_thing, 10);
    /// limits.shadow.document_bytes = 30 * 1024;
    /// ```
    Limits {
        /// Static and dynamic groups that one thing may be in.
        groups_per_thing: usize = 10,
        /// Attributes of a thing without a thing type.
        attributes_untyped: usize = 3,
        /// Attributes of a thing with a thing type.
        attributes_typed: usize = 50,
        /// Attributes of a group.
        attributes_per_group: usize = 50,
        /// Bytes of all attribute names and values of one thing or group together.
        attribute_bytes: usize = 47 * 1024,
        /// Attributes of a thing type by which its things are listed.
        searchable_attributes: usize = 3,
        /// Seconds from the deprecation of a thing type to when it may be deleted.
        thing_type_deletion_wait_secs: u32 = 300,
        /// Levels of a group hierarchy, its root being the first.
        group_depth: usize = 7,
        /// Direct children of a group.
        group_children: usize = 100,
        /// Dynamic groups of a tenant.
        dynamic_groups: usize = 100,
        /// Policies attached to one static group.
        policies_per_group: usize = 2,
        /// Policies attached to one certificate or Cognito identity.
        policies_per_principal: usize = 10,
        /// CA certificates of a tenant with one subject.
        ca_certificates_per_subject: usize = 10,
        /// Tags on one resource.
        tags_per_resource: usize = 50,
        /// Quotas of listings.
        page: PageLimits = PageLimits::default(),
        /// Quotas of the AWS shadow protocol.
        shadow: ShadowLimits = ShadowLimits::default(),
        /// Quotas of the IoT Hub twin protocol.
        twin: TwinLimits = TwinLimits::default(),
        /// Quotas of IoT Hub identities.
        identity: IdentityLimits = IdentityLimits::default(),
    }
}

limits! {
    /// Page sizes of listings. Spec: AWS 0.7, Azure 1.6.
    PageLimits {
        /// Rows of a page when the caller asks for no number.
        default_rows: usize = 100,
        /// Rows of a page of the registry, at most.
        registry_rows: usize = 250,
        /// Rows of a page of named shadows, at most.
        shadow_rows: usize = 100,
        /// Rows of a page of a search, at most.
        search_rows: usize = 100,
        /// Rows of an IoT Hub identity listing, at most.
        identity_rows: usize = 1000,
    }
}

limits! {
    /// Quotas of the AWS shadow protocol. Spec: AWS 4.1.
    ShadowLimits {
        /// Bytes of the compact JSON of `state` (metadata does not count).
        document_bytes: usize = 8 * 1024,
        /// Levels below `desired` and `reported`, their members being the first.
        depth: usize = 8,
        /// Bytes of a `clientToken`.
        client_token_bytes: usize = 64,
        /// Seconds for which a deleted shadow's version is remembered.
        tombstone_secs: u32 = 48 * 3600,
    }
}

limits! {
    /// Quotas of the IoT Hub twin protocol. Spec: Azure 2.3.
    TwinLimits {
        /// Size of `tags`, counted as Azure 2.3 says.
        tags_bytes: usize = 8 * 1024,
        /// Size of `properties.desired`, counted as Azure 2.3 says.
        desired_bytes: usize = 32 * 1024,
        /// Size of `properties.reported`, counted as Azure 2.3 says.
        reported_bytes: usize = 32 * 1024,
        /// Nested objects below `tags`, `desired` and `reported`.
        depth: usize = 10,
        /// Bytes of a key.
        key_bytes: usize = 1024,
        /// Bytes of a string value.
        string_bytes: usize = 4 * 1024,
        /// The smallest integer.
        integer_min: i64 = -(1 << 52),
        /// The largest integer.
        integer_max: i64 = (1 << 52) - 1,
    }
}

limits! {
    /// Quotas of IoT Hub identities. Spec: Azure 1 and appendix A.
    IdentityLimits {
        /// Devices and modules of a tenant together.
        identities: usize = 1_000_000,
        /// Modules of one device.
        modules_per_device: usize = 50,
        /// Characters of a status reason.
        status_reason_chars: usize = 128,
        /// Children of one edge device.
        children_per_parent: usize = 100,
        /// Generations of edge devices below the top one.
        nesting_depth: usize = 5,
        /// Identities of one bulk call.
        bulk_identities: usize = 100,
    }
}
