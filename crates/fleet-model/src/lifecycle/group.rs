//! Messages of thing groups. Spec: AWS 8.2.

use super::thing::{attributes, member};
use super::{Account, Cause, EventKind, LifecycleMessage, Outbox};
use crate::attribute::Attributes;
use crate::group::{Event, GroupRef, Record};
use crate::id::{Description, MembershipId, Resource, Revision, ThingId, ThingName};
use serde_json::{Value, json};

/// The messages of an event of a group.
///
/// `after`: the record after the event, for what an update does not repeat. A deleted group's memberships end
/// with it; their messages are those of [`memberships_ended`].
#[must_use]
pub fn group_messages(event: &Event, after: &Record, cause: &Cause<'_>) -> Vec<LifecycleMessage> {
    let mut out = Outbox::new(cause);
    match event {
        Event::Created(_) | Event::DynamicCreated(_) => {
            if let Some(group) = of_record(after) {
                group.push(&mut out, "CREATED");
                group.hierarchy(&mut out, "ADDED");
            }
        }
        Event::Updated(_) => {
            if let Some(group) = of_record(after) {
                group.push(&mut out, "UPDATED");
            }
        }
        Event::Deleted(event) => {
            let group = Facts {
                group: GroupRef {
                    group_name: event.thing_group_name.clone(),
                    group_id: event.thing_group_id,
                },
                version: event.version,
                ancestors: &event.ancestors,
                description: event.description.as_ref(),
                attributes: &event.attributes,
                dynamic: event.query.is_some(),
            };
            group.push(&mut out, "DELETED");
            group.hierarchy(&mut out, "REMOVED");
        }
        _ => {}
    }
    out.messages
}

/// The messages of the memberships that a group's deletion ended.
///
/// `members`: thing, its id and the id of the membership, in the order to publish; a lazy source is read once.
#[must_use]
pub fn memberships_ended(
    group: &GroupRef,
    members: impl IntoIterator<Item = (ThingName, ThingId, MembershipId)>,
    cause: &Cause<'_>,
) -> Vec<LifecycleMessage> {
    // Ids follow those of the group's own messages.
    let id = crate::kernel::EventId::derived(cause.event.as_uuid(), "memberships_ended", 0);
    let cause = Cause {
        event: id,
        ..*cause
    };
    let mut out = Outbox::new(&cause);
    for (thing, id, membership) in members {
        member(&mut out, "REMOVED", &thing, id, group, membership);
    }
    out.messages
}

struct Facts<'a> {
    group: GroupRef,
    version: Revision,
    ancestors: &'a [GroupRef],
    description: Option<&'a Description>,
    attributes: &'a Attributes,
    dynamic: bool,
}

fn of_record(record: &Record) -> Option<Facts<'_>> {
    let group = record.group()?;
    Some(Facts {
        group: group.reference(),
        version: group.version,
        ancestors: group.ancestors(),
        description: group.description.as_ref(),
        attributes: &group.attributes,
        dynamic: group.is_dynamic(),
    })
}

impl Facts<'_> {
    fn push(&self, out: &mut Outbox<'_>, operation: &str) {
        let name = self.group.group_name.as_str();
        let owner = out.cause.owner;
        let chain: Vec<Value> = self
            .ancestors
            .iter()
            .map(|ancestor| {
                let arn = owner.arn(Resource::ThingGroup(ancestor.group_name.clone()));
                json!({ "groupArn": arn.to_string(), "groupId": ancestor.group_id.to_string() })
            })
            .collect();
        let parent = self.ancestors.last();
        out.push(
            EventKind::ThingGroup,
            operation,
            Account::Named,
            format!("$aws/events/thingGroup/{name}/{}", operation.to_lowercase()),
            json!({
                "thingGroupId": self.group.group_id.to_string(),
                "thingGroupName": name,
                "versionNumber": self.version.0,
                "parentGroupName": parent.map(|parent| parent.group_name.as_str()),
                "parentGroupId": parent.map(|parent| parent.group_id.to_string()),
                "description": self.description.map(Description::as_str),
                "rootToParentThingGroups": chain,
                "attributes": attributes(self.attributes),
                "dynamicGroupMappingId": self.dynamic.then(|| self.group.group_id.to_string()),
            }),
        );
    }

    fn hierarchy(&self, out: &mut Outbox<'_>, operation: &str) {
        let Some(parent) = self.ancestors.last() else {
            return;
        };
        let child = self.group.group_name.as_str();
        out.push(
            EventKind::ThingGroupHierarchy,
            operation,
            Account::Named,
            format!(
                "$aws/events/thingGroupHierarchy/thingGroup/{}/childThingGroup/{child}/{}",
                parent.group_name,
                operation.to_lowercase()
            ),
            json!({
                "thingGroupId": parent.group_id.to_string(),
                "thingGroupName": parent.group_name.as_str(),
                "childGroupId": self.group.group_id.to_string(),
                "childGroupName": child,
            }),
        );
    }
}
