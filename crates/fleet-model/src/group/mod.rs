//! Thing groups: static ones in hierarchies, dynamic ones with a condition.
//!
//! Memberships live in the streams of the things ([`crate::thing`]): a thing names the ids of
//! its groups, so a group's deletion ends all its memberships by one event, and a later group of the
//! same name starts empty. A group's parent never changes, so its chain of ancestors is recorded
//! once. Spec: AWS 2.1-2.3.

mod command;
mod error;
mod event;
mod inheritance;
mod status;
mod view;

pub use command::{Action, Command, Create, CreateDynamic, Update, UpdateDynamic};
pub use error::{CODES, GroupError};
pub use event::{
    Built, Created, Deleted, DynamicCreated, DynamicQuery, Event, PolicyChange, Requery, Tagged,
    Untagged, Updated,
};
pub use inheritance::{
    Candidate, Effective, EffectiveAttributes, Layer, Origin, Verdict, effective, explain,
};
pub use status::{DynamicStatus, TRANSITIONS, Trigger};
pub use view::{GroupFacts, GroupKind, GroupRef, QueryText, View};

use crate::attribute::{AttributePayload, Attributes, Mode};
use crate::id::{Description, IndexName, PolicyName, Revision, ThingGroupId, ThingGroupName};
use crate::kernel::{Context, Decider, Problems, Refused, StreamName, Timestamp};
use crate::limits::Limits;
use crate::policies;
use crate::tag::Tags;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The only version of the query language.
pub const QUERY_VERSION: &str = "2017-09-30";
/// The only index that dynamic groups ask.
pub const INDEX_NAME: &str = "AWS_Things";

/// What a group's stream says: nothing lives there, or a group.
pub type Record = crate::kernel::Record<Group>;

/// A group as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Group {
    /// Its name.
    pub name: ThingGroupName,
    /// Its id, new on every creation.
    pub id: ThingGroupId,
    /// What people say of it.
    pub description: Option<Description>,
    /// Its own attributes.
    pub attributes: Attributes,
    /// 1 on creation, +1 per update.
    pub version: Revision,
    /// When it was created.
    pub created_at: Timestamp,
    /// Policies attached.
    pub policies: BTreeSet<PolicyName>,
    /// Tags of the resource.
    pub tags: Tags,
    /// Static or dynamic.
    pub kind: Kind,
}

/// What a group is.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Members are put in by hand.
    Static {
        /// Root first, direct parent last; empty for a root.
        ancestors: Arc<[GroupRef]>,
    },
    /// Members are those whom the condition selects.
    Dynamic {
        /// The condition.
        query: DynamicQuery,
        /// The version of the group that brought the condition.
        query_revision: Revision,
        /// Whether the members are complete.
        status: DynamicStatus,
    },
}

impl Record {
    /// The group, where there is one.
    #[must_use]
    pub const fn group(&self) -> Option<&Group> {
        self.present()
    }
}

impl Group {
    /// This life of the group.
    #[must_use]
    pub fn reference(&self) -> GroupRef {
        GroupRef {
            group_name: self.name.clone(),
            group_id: self.id,
        }
    }

    /// Root first, direct parent last; empty for roots and dynamic groups.
    #[must_use]
    pub fn ancestors(&self) -> &[GroupRef] {
        match &self.kind {
            Kind::Static { ancestors } => ancestors,
            Kind::Dynamic { .. } => &[],
        }
    }

    /// The direct parent.
    #[must_use]
    pub fn parent(&self) -> Option<&GroupRef> {
        self.ancestors().last()
    }

    /// The level in its hierarchy, a root being 1.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.ancestors().len() + 1
    }

    /// Whether a condition selects its members.
    #[must_use]
    pub const fn is_dynamic(&self) -> bool {
        matches!(self.kind, Kind::Dynamic { .. })
    }

    /// What decisions in other streams see of it.
    #[must_use]
    pub fn facts(&self) -> GroupFacts {
        GroupFacts {
            group: self.reference(),
            kind: match &self.kind {
                Kind::Static { ancestors } => GroupKind::Static {
                    ancestors: ancestors.clone(),
                },
                Kind::Dynamic { .. } => GroupKind::Dynamic,
            },
            created_at: self.created_at,
        }
    }

    fn check_version(&self, expected: Option<Revision>) -> Result<(), GroupError> {
        match expected {
            Some(expected) if expected != self.version => Err(GroupError::VersionConflict {
                group: self.name.clone(),
                expected,
                actual: self.version,
            }),
            _ => Ok(()),
        }
    }

    fn deleted(&self) -> Event {
        Event::Deleted(Deleted {
            thing_group_name: self.name.clone(),
            thing_group_id: self.id,
            version: self.version,
            ancestors: self.ancestors().to_vec(),
            description: self.description.clone(),
            attributes: self.attributes.clone(),
            query: match &self.kind {
                Kind::Static { .. } => None,
                Kind::Dynamic { query, .. } => Some(query.clone()),
            },
        })
    }

    fn policy(&self, policy: PolicyName) -> PolicyChange {
        PolicyChange {
            thing_group_name: self.name.clone(),
            thing_group_id: self.id,
            policy_name: policy,
        }
    }
}

/// The stream of a group, `group-<name>`.
///
/// # Errors
/// None in fact: 128 characters fit a stream name.
pub fn stream(name: &ThingGroupName) -> Result<StreamName, crate::kernel::NameError> {
    StreamName::of("group", name.as_str())
}

/// The decider of thing groups.
#[derive(Clone, Copy, Debug)]
pub struct Groups;

type Decision = Result<Vec<Event>, Refused<GroupError>>;

impl Decider for Groups {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<GroupError>;
    type View = dyn View;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_, dyn View>) -> Decision {
        let Command { name, action } = command;
        match (state, action) {
            (_, Action::Create(create)) => decide_create(state.group(), name, create, cx),
            (_, Action::CreateDynamic(create)) => {
                decide_create_dynamic(state.group(), name, create, cx)
            }
            (Record::Absent, Action::Delete { .. } | Action::DeleteDynamic { .. }) => Ok(vec![]),
            (Record::Absent, _) => Err(GroupError::NotFound { group: name }.into()),
            (Record::Present(group), action) => decide_present(group, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn quota(attributes: &Attributes, limits: &Limits, problems: &mut Problems<GroupError>) {
    let mut quotas = Problems::new();
    attributes.check(limits.attributes_per_group, limits, &mut quotas);
    if let Err(refused) = quotas.finish() {
        problems.absorb(refused.map(GroupError::from));
    }
}

/// The attributes of a new group.
fn initial_attributes(payload: &AttributePayload) -> Attributes {
    let payload = AttributePayload {
        attributes: payload.attributes.clone(),
        mode: Mode::Replace,
    };
    Attributes::default().apply(&payload)
}

fn decide_create(
    existing: Option<&Group>,
    name: ThingGroupName,
    create: Create,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let attributes = initial_attributes(&create.attributes);
    let mut problems = Problems::new();
    quota(&attributes, cx.limits, &mut problems);
    problems.ok(create.tags.check(cx.limits).map_err(GroupError::from));
    if let Some(group) = existing {
        let same = !group.is_dynamic()
            && group.parent().map(|parent| &parent.group_name) == create.parent.as_ref()
            && group.description == create.description
            && group.attributes == attributes;
        if same {
            return Ok(vec![]);
        }
        problems.push(GroupError::AlreadyExists {
            group: name,
            id: group.id,
        });
        problems.finish()?;
        return Ok(vec![]);
    }
    let mut ancestors = Vec::new();
    if let Some(parent) = create.parent {
        match cx.view.group(&parent) {
            None => problems.push(GroupError::ParentNotFound { parent }),
            Some(GroupFacts {
                kind: GroupKind::Dynamic,
                ..
            }) => problems.push(GroupError::ParentDynamic { parent }),
            Some(GroupFacts {
                kind: GroupKind::Static { ancestors: above },
                group,
                ..
            }) => {
                let (depth, limit) = (above.len() + 2, cx.limits.group_depth);
                problems.check(depth <= limit, || GroupError::TooDeep {
                    parent: parent.clone(),
                    depth,
                    limit,
                });
                let limit = cx.limits.group_children;
                problems.check(cx.view.children(group.group_id) < limit, || {
                    GroupError::TooManyChildren {
                        parent: parent.clone(),
                        limit,
                    }
                });
                ancestors = above.to_vec();
                ancestors.push(group);
            }
        }
    }
    problems.finish()?;
    Ok(vec![Event::Created(Created {
        thing_group_name: name,
        thing_group_id: create.id,
        ancestors,
        description: create.description,
        attributes,
        tags: create.tags,
        created_at: cx.now,
    })])
}

fn check_language(
    version: Option<&String>,
    index: Option<&IndexName>,
    problems: &mut Problems<GroupError>,
) {
    if let Some(version) = version.filter(|version| *version != QUERY_VERSION) {
        problems.push(GroupError::UnknownQueryVersion {
            version: version.chars().take(80).collect(),
        });
    }
    if let Some(index) = index.filter(|index| index.as_str() != INDEX_NAME) {
        problems.push(GroupError::UnknownIndex {
            index: index.to_string(),
        });
    }
}

fn things_index() -> Result<IndexName, GroupError> {
    INDEX_NAME.parse().map_err(|_| GroupError::UnknownIndex {
        index: INDEX_NAME.to_owned(),
    })
}

fn decide_create_dynamic(
    existing: Option<&Group>,
    name: ThingGroupName,
    create: CreateDynamic,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let attributes = initial_attributes(&create.attributes);
    let mut problems = Problems::new();
    check_language(
        create.query_version.as_ref(),
        create.index_name.as_ref(),
        &mut problems,
    );
    quota(&attributes, cx.limits, &mut problems);
    problems.ok(create.tags.check(cx.limits).map_err(GroupError::from));
    let query = DynamicQuery {
        query_string: create.query,
        query_version: QUERY_VERSION.to_owned(),
        index_name: things_index()?,
    };
    if let Some(group) = existing {
        let same_query =
            matches!(&group.kind, Kind::Dynamic { query: known, .. } if *known == query);
        if same_query && group.description == create.description && group.attributes == attributes {
            problems.finish()?;
            return Ok(vec![]);
        }
        problems.push(GroupError::AlreadyExists {
            group: name.clone(),
            id: group.id,
        });
    } else {
        problems.check(cx.view.thing_index_ready(), || GroupError::IndexNotReady);
        let limit = cx.limits.dynamic_groups;
        problems.check(cx.view.dynamic_groups() < limit, || {
            GroupError::TooManyDynamicGroups { limit }
        });
    }
    problems.finish()?;
    Ok(vec![Event::DynamicCreated(DynamicCreated {
        thing_group_name: name,
        thing_group_id: create.id,
        query,
        description: create.description,
        attributes,
        tags: create.tags,
        created_at: cx.now,
    })])
}

fn decide_present(group: &Group, action: Action, cx: &Context<'_, dyn View>) -> Decision {
    let wrong_kind = |dynamic: bool| {
        if dynamic {
            GroupError::Dynamic {
                group: group.name.clone(),
            }
        } else {
            GroupError::Static {
                group: group.name.clone(),
            }
        }
    };
    match action {
        // Decided by the caller of this function.
        Action::Create(_) | Action::CreateDynamic(_) => Ok(vec![]),
        Action::Update(_) | Action::Delete { .. } if group.is_dynamic() => {
            Err(wrong_kind(true).into())
        }
        Action::UpdateDynamic(_) | Action::DeleteDynamic { .. } if !group.is_dynamic() => {
            Err(wrong_kind(false).into())
        }
        Action::Update(update) => decide_update(group, update, None, Problems::new(), cx),
        Action::UpdateDynamic(update) => {
            let mut problems = Problems::new();
            check_language(
                update.query_version.as_ref(),
                update.index_name.as_ref(),
                &mut problems,
            );
            decide_update(group, update.properties, update.query, problems, cx)
        }
        Action::Delete { expected_version } | Action::DeleteDynamic { expected_version } => {
            let mut problems = Problems::new();
            problems.ok(group.check_version(expected_version));
            let children = cx.view.children(group.id);
            problems.check(children == 0, || GroupError::HasChildren {
                group: group.name.clone(),
                children,
            });
            problems.finish()?;
            Ok(vec![group.deleted()])
        }
        Action::FinishBuild { query_revision } => Ok(match &group.kind {
            Kind::Dynamic {
                status,
                query_revision: current,
                ..
            } if query_revision == *current && status.after(Trigger::BuildFinished).is_some() => {
                vec![Event::Built(Built {
                    thing_group_name: group.name.clone(),
                    thing_group_id: group.id,
                    query_revision,
                })]
            }
            _ => vec![],
        }),
        Action::AttachPolicy { .. } if group.is_dynamic() => Err(wrong_kind(true).into()),
        Action::AttachPolicy { policy } => policies::attach(
            &group.policies,
            policy,
            cx.limits.policies_per_group,
            |policy| Event::PolicyAttached(group.policy(policy)),
            |limit| GroupError::TooManyPolicies {
                group: group.name.clone(),
                limit,
            },
        ),
        Action::DetachPolicy { policy } => {
            let detached = |policy| Event::PolicyDetached(group.policy(policy));
            Ok(policies::detach(&group.policies, policy, detached))
        }
        Action::Tag { tags } => {
            let tagged = |tags| {
                Event::Tagged(Tagged {
                    thing_group_name: group.name.clone(),
                    tags,
                })
            };
            let decided = group.tags.decide_tag(tags, cx.limits, tagged);
            Ok(decided.map_err(GroupError::from)?)
        }
        Action::Untag { keys } => Ok(group.tags.decide_untag(keys, |tag_keys| {
            Event::Untagged(Untagged {
                thing_group_name: group.name.clone(),
                tag_keys,
            })
        })),
    }
}

fn decide_update(
    group: &Group,
    update: Update,
    query: Option<QueryText>,
    mut problems: Problems<GroupError>,
    cx: &Context<'_, dyn View>,
) -> Decision {
    problems.ok(group.check_version(update.expected_version));
    let attributes = match &update.attributes {
        Some(payload) => group.attributes.apply(payload),
        None => group.attributes.clone(),
    };
    quota(&attributes, cx.limits, &mut problems);
    problems.finish()?;
    let requery = match (&group.kind, query) {
        (
            Kind::Dynamic {
                query: old, status, ..
            },
            Some(text),
        ) if old.query_string != text => Some(Requery {
            query: DynamicQuery {
                query_string: text,
                ..old.clone()
            },
            status: status.after(Trigger::QueryChanged).unwrap_or(*status),
        }),
        _ => None,
    };
    Ok(vec![Event::Updated(Updated {
        thing_group_name: group.name.clone(),
        thing_group_id: group.id,
        version: group.version.next(),
        description: update.description.or_else(|| group.description.clone()),
        attributes,
        requery,
    })])
}

fn evolve(state: Record, event: &Event) -> Record {
    let mut group = match (state, event) {
        (_, Event::Created(created)) => {
            return Record::Present(Box::new(Group {
                name: created.thing_group_name.clone(),
                id: created.thing_group_id,
                description: created.description.clone(),
                attributes: created.attributes.clone(),
                version: Revision::FIRST,
                created_at: created.created_at,
                policies: BTreeSet::new(),
                tags: created.tags.clone(),
                kind: Kind::Static {
                    ancestors: created.ancestors.clone().into(),
                },
            }));
        }
        (_, Event::DynamicCreated(created)) => {
            return Record::Present(Box::new(Group {
                name: created.thing_group_name.clone(),
                id: created.thing_group_id,
                description: created.description.clone(),
                attributes: created.attributes.clone(),
                version: Revision::FIRST,
                created_at: created.created_at,
                policies: BTreeSet::new(),
                tags: created.tags.clone(),
                kind: Kind::Dynamic {
                    query: created.query.clone(),
                    query_revision: Revision::FIRST,
                    status: DynamicStatus::Building,
                },
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(group), _) => group,
    };
    match event {
        Event::Created(_) | Event::DynamicCreated(_) | Event::Deleted(_) => {}
        Event::Updated(updated) => {
            group.version = updated.version;
            group.description.clone_from(&updated.description);
            group.attributes = updated.attributes.clone();
            if let (
                Some(requery),
                Kind::Dynamic {
                    query,
                    query_revision,
                    status,
                },
            ) = (&updated.requery, &mut group.kind)
            {
                query.clone_from(&requery.query);
                *query_revision = updated.version;
                *status = requery.status;
            }
        }
        Event::Built(_) => {
            if let Kind::Dynamic { status, .. } = &mut group.kind {
                *status = DynamicStatus::Active;
            }
        }
        Event::PolicyAttached(change) => {
            group.policies.insert(change.policy_name.clone());
        }
        Event::PolicyDetached(change) => {
            group.policies.remove(&change.policy_name);
        }
        Event::Tagged(tagged) => group.tags = group.tags.with(&tagged.tags),
        Event::Untagged(untagged) => group.tags = group.tags.without(&untagged.tag_keys),
    }
    Record::Present(group)
}
