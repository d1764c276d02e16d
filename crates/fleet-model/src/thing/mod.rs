//! Things: the record of a name, with its type, attributes, memberships and principals.
//!
//! One record per name carries both faces: the AWS thing and the IoT Hub device. `CreateThing` and
//! `CreateOrReplaceDevice` each record [`Event::Created`], deletion by either face records
//! [`Event::Deleted`]. Memberships are decided and recorded here; they name the ids of groups, so those
//! of a deleted group are void without an event of their own. Spec: AWS 1.1-1.3, 2.4; design, section 10.

mod command;
mod error;
mod event;
mod membership;
mod view;

pub use command::{Action, Command, Create, DynamicGroups, Update, UpdateGroups};
pub use error::{CODES, ThingError};
pub use event::{
    BillingGroupChanged, Created, Deleted, Event, JoinRefused, JoinedGroup, LeaveReason, LeftGroup,
    MatchEnded, PrincipalAttached, PrincipalDetached, Updated,
};
pub use view::{
    AttachmentKind, BillingRef, Membership, MembershipKind, Principal, PrincipalAttachment,
    PrincipalThing, TypeStanding, View,
};

use crate::attribute::{AttributePayload, Attributes, Mode};
use crate::group::GroupRef;
use crate::id::{BillingGroupName, RecordName, Revision, ThingId, ThingTypeName};
use crate::kernel::{Context, Decider, Problems, Refused, Timestamp};
use crate::limits::Limits;

/// What the stream of a name says: nothing lives there, or a thing.
pub type Record = crate::kernel::Record<Thing>;

/// A thing as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Thing {
    /// The name of both faces.
    pub name: RecordName,
    /// Its id, new on every creation.
    pub id: ThingId,
    /// Its type.
    pub thing_type: Option<ThingTypeName>,
    /// Its own attributes.
    pub attributes: Attributes,
    /// 1 on creation, +1 per UpdateThing.
    pub version: Revision,
    /// Its billing group, which may have ended since.
    pub billing_group: Option<BillingRef>,
    /// Its memberships in the order of joining; groups may have ended since ([`Thing::live_groups`]).
    pub groups: Vec<Membership>,
    /// Dynamic groups that select it and have no place in it.
    pub waiting: Vec<GroupRef>,
    /// Principals attached, in the order of attachment.
    pub principals: Vec<PrincipalAttachment>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its IoT Hub identity.
    pub identity: crate::identity::DeviceIdentity,
}

impl Record {
    /// The thing, where there is one.
    #[must_use]
    pub const fn thing(&self) -> Option<&Thing> {
        self.present()
    }
}

impl Thing {
    /// Its billing group, unless that ended.
    #[must_use]
    pub fn live_billing_group(&self, view: &dyn View) -> Option<&BillingRef> {
        self.billing_group.as_ref().filter(|billing| {
            view.billing_group(&billing.billing_group_name) == Some(billing.billing_group_id)
        })
    }

    /// The event that ends it, by whichever face.
    #[must_use]
    pub fn deletion(&self) -> Event {
        Event::Deleted(Deleted {
            name: self.name.clone(),
            thing_id: self.id,
            version: self.version,
            thing_type_name: self.thing_type.clone(),
            attributes: self.attributes.clone(),
            groups: self.groups.clone(),
            billing_group: self.billing_group.clone(),
        })
    }

    fn check_version(&self, expected: Option<Revision>) -> Result<(), ThingError> {
        match expected {
            Some(expected) if expected != self.version => Err(ThingError::VersionConflict {
                thing: self.name.clone(),
                expected,
                actual: self.version,
            }),
            _ => Ok(()),
        }
    }
}

/// The decider of things, for the AWS face.
#[derive(Clone, Copy, Debug)]
pub struct Things;

type Decision = Result<Vec<Event>, Refused<ThingError>>;

impl Decider for Things {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<ThingError>;
    type View = dyn View;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_, dyn View>) -> Decision {
        let Command { name, action } = command;
        if !name.has_aws_face() {
            return Err(ThingError::NoThingFace { device: name }.into());
        }
        match (state, action) {
            (_, Action::Create(create)) => decide_create(state.thing(), name, create, cx),
            (Record::Absent, Action::Delete { .. }) => Ok(vec![]),
            (Record::Absent, _) => Err(ThingError::NotFound { thing: name }.into()),
            (Record::Present(thing), action) => decide_present(thing, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn quota(
    attributes: &Attributes,
    thing_type: Option<&ThingTypeName>,
    limits: &Limits,
    problems: &mut Problems<ThingError>,
) {
    let count = match thing_type {
        Some(_) => limits.attributes_typed,
        None => limits.attributes_untyped,
    };
    let mut quotas = Problems::new();
    attributes.check(count, limits, &mut quotas);
    if let Err(refused) = quotas.finish() {
        problems.absorb(refused.map(ThingError::from));
    }
}

fn check_type(thing_type: &ThingTypeName, view: &dyn View) -> Result<(), ThingError> {
    match view.thing_type(thing_type) {
        None => Err(ThingError::TypeNotFound {
            thing_type: thing_type.clone(),
        }),
        Some(TypeStanding::Deprecated) => Err(ThingError::TypeDeprecated {
            thing_type: thing_type.clone(),
        }),
        Some(TypeStanding::Active) => Ok(()),
    }
}

fn billing(name: &BillingGroupName, view: &dyn View) -> Result<BillingRef, ThingError> {
    let id = view.billing_group(name);
    let billing = id.map(|billing_group_id| BillingRef {
        billing_group_name: name.clone(),
        billing_group_id,
    });
    billing.ok_or_else(|| ThingError::BillingGroupNotFound {
        billing_group: name.clone(),
    })
}

fn decide_create(
    existing: Option<&Thing>,
    name: RecordName,
    create: Create,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let payload = AttributePayload {
        attributes: create.attributes.attributes,
        mode: Mode::Replace,
    };
    let attributes = Attributes::default().apply(&payload);
    if let Some(thing) = existing {
        let billing = thing.live_billing_group(cx.view);
        let same = thing.thing_type == create.thing_type
            && thing.attributes == attributes
            && billing.map(|billing| &billing.billing_group_name) == create.billing_group.as_ref();
        if same {
            return Ok(vec![]);
        }
    }
    let mut problems = Problems::new();
    quota(
        &attributes,
        create.thing_type.as_ref(),
        cx.limits,
        &mut problems,
    );
    if let Some(thing) = existing {
        problems.push(ThingError::AlreadyExists {
            thing: name.clone(),
            id: thing.id,
        });
    }
    if let Some(thing_type) = &create.thing_type {
        problems.ok(check_type(thing_type, cx.view));
    }
    let billing_group = match &create.billing_group {
        Some(name) => problems.ok(billing(name, cx.view)),
        None => None,
    };
    problems.finish()?;
    Ok(vec![Event::Created(Created {
        name,
        thing_id: create.id,
        thing_type_name: create.thing_type,
        attributes,
        billing_group,
        created_at: cx.now,
    })])
}

fn decide_present(thing: &Thing, action: Action, cx: &Context<'_, dyn View>) -> Decision {
    match action {
        // Decided by the caller of this function.
        Action::Create(_) => Ok(vec![]),
        Action::Update(update) => decide_update(thing, update, cx),
        Action::Delete { expected_version } => {
            let mut problems = Problems::new();
            problems.ok(thing.check_version(expected_version));
            let count = thing.principals.len();
            problems.check(count == 0, || ThingError::PrincipalsAttached {
                thing: thing.name.clone(),
                count,
            });
            problems.finish()?;
            Ok(vec![thing.deletion()])
        }
        Action::UpdateGroups(update) => membership::update_groups(thing, &update, cx),
        Action::BeginMatch { group, cause } => membership::begin_match(thing, &group, cause, cx),
        Action::EndMatch { group } => membership::end_match(thing, &group, cx),
        Action::AddToBillingGroup { billing_group } => {
            let wanted = billing(&billing_group, cx.view)?;
            Ok(set_billing(thing, Some(wanted), cx))
        }
        Action::RemoveFromBillingGroup { billing_group } => {
            let named = billing(&billing_group, cx.view)?;
            Ok(if thing.billing_group.as_ref() == Some(&named) {
                set_billing(thing, None, cx)
            } else {
                vec![]
            })
        }
        Action::AttachPrincipal { principal, kind } => attach(thing, principal, kind, cx),
        Action::DetachPrincipal { principal } => {
            let detached = |held: &PrincipalAttachment| {
                Event::PrincipalDetached(PrincipalDetached {
                    name: thing.name.clone(),
                    thing_id: thing.id,
                    attachment: held.clone(),
                })
            };
            let held = thing.principals.iter().find(|p| p.principal == principal);
            Ok(held.map(detached).into_iter().collect())
        }
    }
}

fn decide_update(thing: &Thing, update: Update, cx: &Context<'_, dyn View>) -> Decision {
    let mut problems = Problems::new();
    if let Some(thing_type) = update
        .thing_type
        .as_ref()
        .filter(|_| update.remove_thing_type)
    {
        problems.push(ThingError::TypeSetAndRemoved {
            thing_type: thing_type.clone(),
        });
    }
    problems.ok(thing.check_version(update.expected_version));
    if let Some(thing_type) = &update.thing_type {
        problems.ok(check_type(thing_type, cx.view));
    }
    let thing_type = match (update.thing_type, update.remove_thing_type) {
        (Some(new), _) => Some(new),
        (None, true) => None,
        (None, false) => thing.thing_type.clone(),
    };
    let attributes = match &update.attributes {
        Some(payload) => thing.attributes.apply(payload),
        None => thing.attributes.clone(),
    };
    quota(&attributes, thing_type.as_ref(), cx.limits, &mut problems);
    problems.finish()?;
    let changed = thing.thing_type != thing_type;
    Ok(vec![Event::Updated(Updated {
        name: thing.name.clone(),
        thing_id: thing.id,
        version: thing.version.next(),
        thing_type_name: thing_type,
        previous_thing_type_name: thing.thing_type.clone().filter(|_| changed),
        attributes,
    })])
}

fn set_billing(
    thing: &Thing,
    wanted: Option<BillingRef>,
    cx: &Context<'_, dyn View>,
) -> Vec<Event> {
    if thing.billing_group == wanted {
        return vec![];
    }
    vec![Event::BillingGroupChanged(BillingGroupChanged {
        name: thing.name.clone(),
        thing_id: thing.id,
        billing_group: wanted,
        previous: thing.live_billing_group(cx.view).cloned(),
    })]
}

fn attach(
    thing: &Thing,
    principal: Principal,
    kind: AttachmentKind,
    cx: &Context<'_, dyn View>,
) -> Decision {
    if !cx.view.principal_exists(&principal) {
        return Err(ThingError::PrincipalNotFound { principal }.into());
    }
    let attachment = PrincipalAttachment { principal, kind };
    if thing.principals.contains(&attachment) {
        return Ok(vec![]);
    }
    let own = thing.name.thing_name();
    let others = cx.view.principal_things(&attachment.principal);
    let mut others = others
        .into_iter()
        .filter(|other| Some(&other.thing) != own.as_ref());
    let refused = match kind {
        AttachmentKind::Exclusive => others.next().map(|other| ThingError::PrincipalShared {
            principal: attachment.principal.clone(),
            holder: other.thing,
        }),
        AttachmentKind::NonExclusive => others
            .find(|other| other.kind == AttachmentKind::Exclusive)
            .map(|other| ThingError::PrincipalExclusive {
                principal: attachment.principal.clone(),
                holder: other.thing,
            }),
    };
    match refused {
        Some(error) => Err(error.into()),
        None => Ok(vec![Event::PrincipalAttached(PrincipalAttached {
            name: thing.name.clone(),
            thing_id: thing.id,
            attachment,
        })]),
    }
}

/// The state after `event`. Total: shared by the deciders of both faces.
#[must_use]
pub fn evolve(state: Record, event: &Event) -> Record {
    let mut thing = match (state, event) {
        (_, Event::Created(created)) => {
            return Record::Present(Box::new(Thing {
                name: created.name.clone(),
                id: created.thing_id,
                thing_type: created.thing_type_name.clone(),
                attributes: created.attributes.clone(),
                version: Revision::FIRST,
                billing_group: created.billing_group.clone(),
                groups: Vec::new(),
                waiting: Vec::new(),
                principals: Vec::new(),
                created_at: created.created_at,
                identity: crate::identity::DeviceIdentity::new(created.thing_id),
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(thing), _) => thing,
    };
    match event {
        Event::Created(_) | Event::Deleted(_) => {}
        Event::IdentityWritten(written) => thing.identity = written.identity.clone(),
        Event::Updated(updated) => {
            thing.version = updated.version;
            thing.thing_type.clone_from(&updated.thing_type_name);
            thing.attributes = updated.attributes.clone();
        }
        Event::JoinedGroup(joined) => {
            let ended = |group: &GroupRef| joined.forgotten.contains(&group.group_id);
            thing.groups.retain(|held| !ended(&held.group));
            thing
                .waiting
                .retain(|group| !ended(group) && *group != joined.membership.group);
            thing.groups.push(joined.membership.clone());
        }
        Event::LeftGroup(left) => {
            let group = &left.membership.group;
            thing.groups.retain(|held| held.group != *group);
            if matches!(left.reason, LeaveReason::Evicted { .. }) {
                thing.waiting.push(group.clone());
            }
        }
        Event::JoinRefused(refused) => thing.waiting.push(refused.group.clone()),
        Event::MatchEnded(ended) => thing.waiting.retain(|group| *group != ended.group),
        Event::BillingGroupChanged(changed) => {
            thing.billing_group.clone_from(&changed.billing_group);
        }
        Event::PrincipalAttached(attached) => {
            let principal = &attached.attachment.principal;
            thing.principals.retain(|held| held.principal != *principal);
            thing.principals.push(attached.attachment.clone());
        }
        Event::PrincipalDetached(detached) => {
            let principal = &detached.attachment.principal;
            thing.principals.retain(|held| held.principal != *principal);
        }
    }
    Record::Present(thing)
}
