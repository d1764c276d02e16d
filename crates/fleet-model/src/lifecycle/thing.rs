//! Messages of things. Spec: AWS 8.2.

use super::{Account, Cause, EventKind, LifecycleMessage, Outbox};
use crate::attribute::Attributes;
use crate::group::GroupRef;
use crate::id::{MembershipId, RecordName, Resource, Revision, ThingId, ThingName, ThingTypeName};
use crate::thing::{Event, Membership, Record};
use serde_json::{Map, Value, json};

/// The messages of an event of a thing.
///
/// `before`: the record before the event, for the type that it had. `lives`: whether a group lives on; memberships of a deleted thing whose groups had ended before were
/// published as ended then. Empty for a record without an AWS face.
#[must_use]
pub fn thing_messages(
    event: &Event,
    before: &Record,
    cause: &Cause<'_>,
    lives: impl Fn(&GroupRef) -> bool,
) -> Vec<LifecycleMessage> {
    let mut out = Outbox::new(cause);
    match event {
        Event::Created(event) => {
            let Some(name) = event.name.thing_name() else {
                return Vec::new();
            };
            let facts = Facts {
                name: &name,
                id: event.thing_id,
                version: Revision::FIRST,
                thing_type: event.thing_type_name.as_ref(),
                attributes: &event.attributes,
            };
            facts.push(&mut out, "CREATED");
            if let Some(thing_type) = &event.thing_type_name {
                association(&mut out, "ADDED", &facts, thing_type);
            }
        }
        Event::Updated(event) => {
            let Some(name) = event.name.thing_name() else {
                return Vec::new();
            };
            let facts = Facts {
                name: &name,
                id: event.thing_id,
                version: event.version,
                thing_type: event.thing_type_name.as_ref(),
                attributes: &event.attributes,
            };
            facts.push(&mut out, "UPDATED");
            let before = before.thing().and_then(|thing| thing.thing_type.as_ref());
            let now = event.thing_type_name.as_ref();
            if before != now {
                if let Some(before) = before {
                    association(&mut out, "REMOVED", &facts, before);
                }
                if let Some(now) = now {
                    association(&mut out, "ADDED", &facts, now);
                }
            }
        }
        Event::Deleted(event) => {
            let Some(name) = event.name.thing_name() else {
                return Vec::new();
            };
            let facts = Facts {
                name: &name,
                id: event.thing_id,
                version: event.version,
                thing_type: event.thing_type_name.as_ref(),
                attributes: &event.attributes,
            };
            facts.push(&mut out, "DELETED");
            for held in event.groups.iter().filter(|held| lives(&held.group)) {
                membership(&mut out, "REMOVED", &event.name, event.thing_id, held);
            }
        }
        Event::JoinedGroup(event) => {
            membership(
                &mut out,
                "ADDED",
                &event.name,
                event.thing_id,
                &event.membership,
            );
        }
        Event::LeftGroup(event) => {
            membership(
                &mut out,
                "REMOVED",
                &event.name,
                event.thing_id,
                &event.membership,
            );
        }
        _ => {}
    }
    out.messages
}

struct Facts<'a> {
    name: &'a ThingName,
    id: ThingId,
    version: Revision,
    thing_type: Option<&'a ThingTypeName>,
    attributes: &'a Attributes,
}

impl Facts<'_> {
    fn push(&self, out: &mut Outbox<'_>, operation: &str) {
        let name = self.name.as_str();
        out.push(
            EventKind::Thing,
            operation,
            Account::Named,
            format!("$aws/events/thing/{name}/{}", operation.to_lowercase()),
            json!({
                "thingId": self.id.to_string(),
                "thingName": name,
                "versionNumber": self.version.0,
                "thingTypeName": self.thing_type.map(ThingTypeName::as_str),
                "attributes": attributes(self.attributes),
            }),
        );
    }
}

pub(super) fn attributes(attributes: &Attributes) -> Value {
    attributes
        .iter()
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect::<Map<_, _>>()
        .into()
}

fn association(out: &mut Outbox<'_>, operation: &str, thing: &Facts<'_>, of: &ThingTypeName) {
    let name = thing.name.as_str();
    out.push(
        EventKind::ThingTypeAssociation,
        operation,
        Account::Left,
        format!(
            "$aws/events/thingTypeAssociation/thing/{name}/thingType/{of}/{}",
            operation.to_lowercase()
        ),
        json!({
            "thingId": thing.id.to_string(),
            "thingName": name,
            "thingTypeName": of.as_str(),
        }),
    );
}

fn membership(
    out: &mut Outbox<'_>,
    operation: &str,
    thing: &RecordName,
    id: ThingId,
    membership: &Membership,
) {
    let Some(name) = thing.thing_name() else {
        return;
    };
    member(
        out,
        operation,
        &name,
        id,
        &membership.group,
        membership.membership_id,
    );
}

pub(super) fn member(
    out: &mut Outbox<'_>,
    operation: &str,
    thing: &ThingName,
    id: ThingId,
    group: &GroupRef,
    membership: MembershipId,
) {
    let owner = out.cause.owner;
    let group_arn = owner.arn(Resource::ThingGroup(group.group_name.clone()));
    let thing_arn = owner.arn(Resource::Thing(thing.clone()));
    out.push(
        EventKind::ThingGroupMembership,
        operation,
        Account::Named,
        format!(
            "$aws/events/thingGroupMembership/thingGroup/{}/thing/{thing}/{}",
            group.group_name,
            operation.to_lowercase()
        ),
        json!({
            "groupArn": group_arn.to_string(),
            "groupId": group.group_id.to_string(),
            "thingArn": thing_arn.to_string(),
            "thingId": id.to_string(),
            "membershipId": membership.to_string(),
        }),
    );
}
