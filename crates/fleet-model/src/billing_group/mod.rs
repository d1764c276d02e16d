//! Billing groups: a label for accounting, one per thing, without hierarchy or policies.
//!
//! Which thing is in which stands in the things' streams by the billing group's id, so a deletion
//! frees all members by one event. Spec: AWS 2.5.

mod event;

pub use event::{Created, Deleted, Event, Tagged, Untagged, Updated};

use crate::id::{BillingGroupId, BillingGroupName, Description, Revision};
use crate::kernel::{
    Context, Decider, ErrorCode, NameError, Problems, Refused, StreamName, Timestamp,
};
use crate::tag::{TagError, TagKey, Tags};
use crate::thing::BillingRef;
use std::collections::BTreeSet;

/// What the stream of a name says: nothing lives there, or a billing group.
pub type Record = crate::kernel::Record<BillingGroup>;

/// A billing group as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct BillingGroup {
    /// Its name.
    pub name: BillingGroupName,
    /// Its id, new on every creation.
    pub id: BillingGroupId,
    /// What people say of it.
    pub description: Option<Description>,
    /// 1 on creation, +1 per update.
    pub version: Revision,
    /// When it was created.
    pub created_at: Timestamp,
    /// Tags of the resource.
    pub tags: Tags,
}

impl Record {
    /// The billing group, where there is one.
    #[must_use]
    pub const fn billing_group(&self) -> Option<&BillingGroup> {
        self.present()
    }
}

impl BillingGroup {
    /// This life of the billing group.
    #[must_use]
    pub fn reference(&self) -> BillingRef {
        BillingRef {
            billing_group_name: self.name.clone(),
            billing_group_id: self.id,
        }
    }

    fn check_version(&self, expected: Option<Revision>) -> Result<(), BillingGroupError> {
        match expected {
            Some(expected) if expected != self.version => Err(BillingGroupError::VersionConflict {
                billing_group: self.name.clone(),
                expected,
                actual: self.version,
            }),
            _ => Ok(()),
        }
    }
}

/// A command to the billing group of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The billing group.
    pub name: BillingGroupName,
    /// What to do.
    pub action: Action,
}

/// What to do with a billing group.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// CreateBillingGroup. Repeating it with the same content changes nothing.
    Create {
        /// The id that a new billing group gets.
        id: BillingGroupId,
        /// What people say of it.
        description: Option<Description>,
        /// Tags; they take no part in the comparison of content.
        tags: Tags,
    },
    /// UpdateBillingGroup; every success raises the version.
    Update {
        /// The new description; the old one stays when it is none.
        description: Option<Description>,
        /// The version that it must have.
        expected_version: Option<Revision>,
    },
    /// DeleteBillingGroup, with or without members; an unknown one is no error.
    Delete {
        /// The version that it must have.
        expected_version: Option<Revision>,
    },
    /// TagResource.
    Tag {
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource.
    Untag {
        /// Keys to remove.
        keys: BTreeSet<TagKey>,
    },
}

/// Why a command to a billing group was refused. Each variant says what AWS calls it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BillingGroupError {
    /// No billing group of this name. AWS: `ResourceNotFoundException`.
    #[error("billing group `{billing_group}` does not exist")]
    NotFound {
        /// The name.
        billing_group: BillingGroupName,
    },
    /// One with other content has the name. AWS: `ResourceAlreadyExistsException`.
    #[error(
        "billing group `{billing_group}` exists with other properties: update it or take another name"
    )]
    AlreadyExists {
        /// The name.
        billing_group: BillingGroupName,
        /// The id of the one that exists.
        id: BillingGroupId,
    },
    /// It has another version. AWS: `VersionConflictException`.
    #[error("billing group `{billing_group}` has version {actual}, not {expected}: read it again")]
    VersionConflict {
        /// The name.
        billing_group: BillingGroupName,
        /// The version that the caller expected.
        expected: Revision,
        /// The version that it has.
        actual: Revision,
    },
    /// The tags break a rule. AWS: `LimitExceededException` for too many, else `InvalidRequestException`.
    #[error(transparent)]
    Tags(#[from] TagError),
}

/// The codes of this module.
pub const CODES: &[(&str, &str)] = &[
    ("billing_group.not_found", "no billing group has this name"),
    (
        "billing_group.already_exists",
        "a billing group of this name exists with other content",
    ),
    (
        "billing_group.version_conflict",
        "the billing group does not have the version that the caller expected",
    ),
];

impl ErrorCode for BillingGroupError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "billing_group.not_found",
            Self::AlreadyExists { .. } => "billing_group.already_exists",
            Self::VersionConflict { .. } => "billing_group.version_conflict",
            Self::Tags(error) => error.code(),
        }
    }
}

/// The stream of a billing group, `billinggroup-<name>`.
///
/// # Errors
/// None in fact: 128 characters fit a stream name.
pub fn stream(name: &BillingGroupName) -> Result<StreamName, NameError> {
    StreamName::of("billinggroup", name.as_str())
}

/// The decider of billing groups.
#[derive(Clone, Copy, Debug)]
pub struct BillingGroups;

type Decision = Result<Vec<Event>, Refused<BillingGroupError>>;

impl Decider for BillingGroups {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<BillingGroupError>;
    type View = ();

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_>) -> Decision {
        let Command { name, action } = command;
        match (state, action) {
            (
                _,
                Action::Create {
                    id,
                    description,
                    tags,
                },
            ) => {
                let mut problems = Problems::new();
                problems.ok(tags.check(cx.limits).map_err(BillingGroupError::from));
                match state.billing_group() {
                    Some(group) if group.description == description => return Ok(vec![]),
                    Some(group) => problems.push(BillingGroupError::AlreadyExists {
                        billing_group: name.clone(),
                        id: group.id,
                    }),
                    None => {}
                }
                problems.finish()?;
                Ok(vec![Event::Created(Created {
                    billing_group_name: name,
                    billing_group_id: id,
                    description,
                    tags,
                    created_at: cx.now,
                })])
            }
            (Record::Absent, Action::Delete { .. }) => Ok(vec![]),
            (Record::Absent, _) => Err(BillingGroupError::NotFound {
                billing_group: name,
            }
            .into()),
            (Record::Present(group), action) => decide_present(group, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn decide_present(group: &BillingGroup, action: Action, cx: &Context<'_>) -> Decision {
    let name = || group.name.clone();
    match action {
        // Decided by the caller of this function.
        Action::Create { .. } => Ok(vec![]),
        Action::Update {
            description,
            expected_version,
        } => {
            group.check_version(expected_version)?;
            Ok(vec![Event::Updated(Updated {
                billing_group_name: name(),
                billing_group_id: group.id,
                version: group.version.next(),
                description: description.or_else(|| group.description.clone()),
            })])
        }
        Action::Delete { expected_version } => {
            group.check_version(expected_version)?;
            Ok(vec![Event::Deleted(Deleted {
                billing_group_name: name(),
                billing_group_id: group.id,
                version: group.version,
            })])
        }
        Action::Tag { tags } => {
            let tagged = |tags| {
                Event::Tagged(Tagged {
                    billing_group_name: name(),
                    tags,
                })
            };
            let decided = group.tags.decide_tag(tags, cx.limits, tagged);
            Ok(decided.map_err(BillingGroupError::from)?)
        }
        Action::Untag { keys } => Ok(group.tags.decide_untag(keys, |tag_keys| {
            Event::Untagged(Untagged {
                billing_group_name: name(),
                tag_keys,
            })
        })),
    }
}

fn evolve(state: Record, event: &Event) -> Record {
    let mut group = match (state, event) {
        (_, Event::Created(created)) => {
            return Record::Present(Box::new(BillingGroup {
                name: created.billing_group_name.clone(),
                id: created.billing_group_id,
                description: created.description.clone(),
                version: Revision::FIRST,
                created_at: created.created_at,
                tags: created.tags.clone(),
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(group), _) => group,
    };
    match event {
        Event::Created(_) | Event::Deleted(_) => {}
        Event::Updated(updated) => {
            group.version = updated.version;
            group.description.clone_from(&updated.description);
        }
        Event::Tagged(tagged) => group.tags = group.tags.with(&tagged.tags),
        Event::Untagged(untagged) => group.tags = group.tags.without(&untagged.tag_keys),
    }
    Record::Present(group)
}
