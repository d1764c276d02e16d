//! UUID ids, new on every creation of what they identify.

use super::IdError;
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id of this UUID.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// As a UUID.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Uuid::try_parse(text)
                    .map(Self)
                    .map_err(|_| IdError::new($kind, text, "a UUID"))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

uuid_id! {
    /// The id of one life of a thing: deleting and creating it again changes it.
    ThingId, "thing id"
}
uuid_id! {
    /// The id of one life of a thing type.
    ThingTypeId, "thing type id"
}
uuid_id! {
    /// The id of one life of a static or dynamic thing group.
    ThingGroupId, "thing group id"
}
uuid_id! {
    /// The id of one life of a billing group.
    BillingGroupId, "billing group id"
}
uuid_id! {
    /// The id of one membership: made on joining, repeated on leaving.
    MembershipId, "membership id"
}

impl MembershipId {
    /// The id of the `index`-th membership that the command `cause` brings forth.
    #[must_use]
    pub fn derived(cause: Uuid, index: u32) -> Self {
        Self(crate::kernel::EventId::derived(cause, "thing.membership", index).as_uuid())
    }
}
