//! Messages of thing types. Spec: AWS 8.2.

use super::{Account, Cause, EventKind, LifecycleMessage, Outbox};
use crate::id::{AttributeName, Description, ThingTypeId, ThingTypeName};
use crate::kernel::Timestamp;
use crate::thing_type::{Event, Record};
use serde_json::json;
use std::collections::BTreeSet;

/// The messages of an event of a thing type.
///
/// `after`: the record after the event, for what an update does not repeat. Deprecating and its undoing are updates.
#[must_use]
pub fn thing_type_messages(
    event: &Event,
    after: &Record,
    cause: &Cause<'_>,
) -> Vec<LifecycleMessage> {
    let mut out = Outbox::new(cause);
    match event {
        Event::Created(_) => of_record(&mut out, "CREATED", after),
        Event::Updated(_) | Event::Deprecated(_) | Event::Undeprecated(_) => {
            of_record(&mut out, "UPDATED", after);
        }
        Event::Deleted(event) => push(
            &mut out,
            "DELETED",
            (&event.thing_type_name, event.thing_type_id),
            event.deprecated_at,
            &event.searchable_attributes,
            event.description.as_ref(),
        ),
        Event::Tagged(_) | Event::Untagged(_) => {}
    }
    out.messages
}

fn of_record(out: &mut Outbox<'_>, operation: &str, record: &Record) {
    if let Some(of) = record.thing_type() {
        push(
            out,
            operation,
            (&of.name, of.id),
            of.deprecated_at(),
            &of.searchable_attributes,
            of.description.as_ref(),
        );
    }
}

fn push(
    out: &mut Outbox<'_>,
    operation: &str,
    (name, id): (&ThingTypeName, ThingTypeId),
    deprecated_at: Option<Timestamp>,
    searchable: &BTreeSet<AttributeName>,
    description: Option<&Description>,
) {
    let searchable: Vec<_> = searchable.iter().map(AttributeName::as_str).collect();
    out.push(
        EventKind::ThingType,
        operation,
        Account::Named,
        format!("$aws/events/thingType/{name}/{}", operation.to_lowercase()),
        json!({
            "thingTypeId": id.to_string(),
            "thingTypeName": name.as_str(),
            "isDeprecated": deprecated_at.is_some(),
            "deprecationDate": deprecated_at.map(Timestamp::as_millis),
            "searchableAttributes": searchable,
            "description": description.map(Description::as_str),
        }),
    );
}
