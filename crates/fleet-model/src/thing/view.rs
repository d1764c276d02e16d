//! What a thing refers to, and what a decision about it sees of other streams.

use crate::group::{GroupFacts, GroupRef};
use crate::id::{
    Arn, BillingGroupId, BillingGroupName, CertificateId, CognitoIdentityId, IdError, MembershipId,
    Resource, ThingGroupId, ThingGroupName, ThingName, ThingTypeName,
};
use crate::kernel::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// One membership of a thing in a group.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    /// The group, by name and id: a later group of the same name is another one.
    #[serde(flatten)]
    pub group: GroupRef,
    /// The id of the membership.
    pub membership_id: MembershipId,
    /// What was seen of the group.
    #[serde(flatten)]
    pub kind: MembershipKind,
}

/// What the thing's stream knows of a group that it is in; none of it ever changes.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum MembershipKind {
    /// A static group.
    #[serde(rename_all = "camelCase")]
    Static {
        /// The root of its hierarchy: a thing is in one group of each.
        root: GroupRef,
    },
    /// A dynamic group.
    #[serde(rename_all = "camelCase")]
    Dynamic {
        /// When it was created: the one created last gives way first.
        group_created_at: Timestamp,
    },
}

/// One life of a billing group.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BillingRef {
    /// Its name.
    pub billing_group_name: BillingGroupName,
    /// Its id.
    pub billing_group_id: BillingGroupId,
}

/// Who may act for a thing: a certificate or a Cognito identity.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Principal {
    /// A certificate of the registry.
    Certificate(CertificateId),
    /// A Cognito identity.
    CognitoIdentity(CognitoIdentityId),
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate(id) => write!(f, "cert/{id}"),
            Self::CognitoIdentity(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for Principal {
    type Err = IdError;

    /// Reads a certificate's ARN or a Cognito identity, as AWS requests give it.
    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.starts_with("arn:") {
            if let Resource::Certificate(id) = text.parse::<Arn>()?.resource {
                return Ok(Self::Certificate(id));
            }
            return Err(IdError::new(
                "principal",
                text,
                "a certificate's ARN or a Cognito identity",
            ));
        }
        text.parse().map(Self::CognitoIdentity)
    }
}

/// How a principal is attached (`thingPrincipalType`).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq, Serialize, Deserialize)]
pub enum AttachmentKind {
    /// The thing is the only one that the principal is attached to.
    #[serde(rename = "EXCLUSIVE_THING")]
    Exclusive,
    /// The principal may have other things.
    #[default]
    #[serde(rename = "NON_EXCLUSIVE_THING")]
    NonExclusive,
}

/// A principal and how it is attached.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrincipalAttachment {
    /// The principal.
    pub principal: Principal,
    /// Exclusive or not.
    pub kind: AttachmentKind,
}

/// A thing that a principal is attached to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PrincipalThing {
    /// The thing.
    pub thing: ThingName,
    /// Exclusive or not.
    pub kind: AttachmentKind,
}

/// Whether a thing type takes new things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TypeStanding {
    /// It does.
    Active,
    /// It was deprecated.
    Deprecated,
}

/// What a decision about a thing sees of other streams.
pub trait View {
    /// The standing of a thing type, none when there is no such type.
    fn thing_type(&self, name: &ThingTypeName) -> Option<TypeStanding>;

    /// The static or dynamic group of a name.
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts>;

    /// The id of the billing group of a name.
    fn billing_group(&self, name: &BillingGroupName) -> Option<BillingGroupId>;

    /// Whether a principal exists: a Cognito identity always does.
    fn principal_exists(&self, principal: &Principal) -> bool;

    /// The things that a principal is attached to.
    fn principal_things(&self, principal: &Principal) -> Vec<PrincipalThing>;
}

/// Whether a membership's group lives on.
pub(super) fn is_live(view: &dyn View, group: &GroupRef) -> bool {
    view.group(&group.group_name)
        .is_some_and(|facts| facts.group.group_id == group.group_id)
}

/// The ids among `memberships` whose groups ended.
pub(super) fn ended(view: &dyn View, memberships: &[Membership]) -> Vec<ThingGroupId> {
    memberships
        .iter()
        .filter(|membership| !is_live(view, &membership.group))
        .map(|membership| membership.group.group_id)
        .collect()
}
