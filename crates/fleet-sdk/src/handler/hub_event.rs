//! What IoT Hub routes to back-end endpoints, derived from recorded events when somebody asks.

use fleet_model::identity::{ModuleEvent, ModuleIdentity, Modules};
use fleet_model::kernel::Recorded;
use fleet_model::lifecycle::{HubLifecycle, device_lifecycle, module_lifecycle};
use fleet_model::thing;
use fleet_model::twin::hub::{ChangeEvent, change_event, coalesce, time_text};
use fleet_model::twin::{Incarnation, Twin, TwinEvent, TwinKey, TwinState};
use std::collections::BTreeMap;

use super::Handle;
use super::convert::Checks;
use super::history::{around, before};
use crate::fleet::Call;
use crate::log::decode_family;
use crate::operation::{HubEvent, ListHubEvents, ListHubEventsResponse};
use crate::refusal::Refusal;

/// An event with the twin whose changes may be folded into one.
struct Routed {
    event: HubEvent,
    change: Option<(TwinKey, ChangeEvent)>,
}

impl Handle for ListHubEvents {
    type Answer = ListHubEventsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (lifecycle_source, change_source) = (HubLifecycle::SOURCE, ChangeEvent::SOURCE);
        let mut checks = Checks::default();
        for source in self.sources.iter().flatten() {
            checks.ok(if [lifecycle_source, change_source].contains(&source.as_str()) {
                Ok(())
            } else {
                Err(Refusal::new(
                    "request.invalid",
                    format!("`{source}` is no source: name `{lifecycle_source}` or `{change_source}`"),
                ))
            });
        }
        checks.finish()?;
        let wanted = |source: &str| {
            let named = self.sources.as_ref();
            named.is_none_or(|named| named.iter().any(|name| name == source))
        };
        let categories = ["thing", "module", "twin"];
        let after = self.after_position;
        let page = super::lifecycle::page(call, after, self.max_events, &categories).await?;
        let mut events = Vec::new();
        for recorded in &page.events {
            let found = match recorded.stream.category() {
                "twin" if wanted(change_source) => changes(call, recorded).await?,
                "thing" | "module" if wanted(lifecycle_source) => lifecycle(call, recorded).await?,
                _ => Vec::new(),
            };
            events.extend(found);
        }
        let events = if self.coalesce {
            coalesced(events)
        } else {
            events.into_iter().map(|routed| routed.event).collect()
        };
        Ok(ListHubEventsResponse {
            events,
            scanned_to: page.scanned_to.0,
            head: page.head.0,
        })
    }
}

/// The changes of each twin folded into one, which stands where the last of them stood.
fn coalesced(routed: Vec<Routed>) -> Vec<HubEvent> {
    let mut by_twin: BTreeMap<TwinKey, (HubEvent, Vec<ChangeEvent>)> = BTreeMap::new();
    let mut events = Vec::new();
    for Routed { event, change } in routed {
        match change {
            None => events.push(event),
            Some((key, change)) => {
                let held = by_twin.entry(key).or_default();
                held.0 = event;
                held.1.push(change);
            }
        }
    }
    for (last, changes) in by_twin.into_values() {
        events.extend(coalesce(&changes).map(|change| HubEvent {
            op_type: change.op_type.to_owned(),
            body: change.body,
            ..last
        }));
    }
    events.sort_by_key(|event| event.position);
    events
}

fn event(call: &Call<'_>, recorded: &Recorded) -> HubEvent {
    HubEvent {
        position: recorded.position.0,
        operation_timestamp: time_text(Some(recorded.event.occurred_at)),
        hub_name: call.fleet.options.hub.clone(),
        ..HubEvent::default()
    }
}

async fn changes(call: &Call<'_>, recorded: &Recorded) -> Result<Vec<Routed>, Refusal> {
    let Some(key) = TwinKey::of_stream(&recorded.stream) else {
        return Ok(Vec::new());
    };
    if matches!(key, TwinKey::Shadow(..)) {
        return Ok(Vec::new());
    }
    let (_, after) = around::<Twin>(call, recorded).await?;
    let events = decode_family::<TwinEvent>(recorded)?;
    let changes = events
        .iter()
        .filter_map(|event| change_event(&key, event, &after));
    let routed = changes.map(|change| Routed {
        event: HubEvent {
            iothub_message_source: ChangeEvent::SOURCE.to_owned(),
            iothub_message_schema: ChangeEvent::SCHEMA.to_owned(),
            op_type: change.op_type.to_owned(),
            device_id: change.device_id.clone(),
            module_id: change.module_id.clone(),
            body: change.body.clone(),
            ..event(call, recorded)
        },
        change: Some((key.clone(), change)),
    });
    Ok(routed.collect())
}

async fn lifecycle(call: &Call<'_>, recorded: &Recorded) -> Result<Vec<Routed>, Refusal> {
    let mut found = Vec::new();
    if recorded.stream.category() == "module" {
        for event in decode_family::<ModuleEvent>(recorded)? {
            let (device, module, life) = match &event {
                ModuleEvent::Created(written) => {
                    let identity = &written.identity;
                    (
                        &identity.device,
                        &identity.module,
                        Some(identity.incarnation()),
                    )
                }
                ModuleEvent::Deleted(deleted) => {
                    let stream = &recorded.stream;
                    let held = before::<Modules>(call, stream, recorded.position).await?;
                    let life = held.identity().map(ModuleIdentity::incarnation);
                    (&deleted.device, &deleted.module, life)
                }
                ModuleEvent::Updated(_) => continue,
            };
            let key = TwinKey::Module(device.clone(), module.clone());
            let twin = twin_at(call, &key, life, recorded).await?;
            found.extend(module_lifecycle(&event, &twin));
        }
    } else {
        for event in decode_family::<thing::Event>(recorded)? {
            let (name, life) = match &event {
                thing::Event::Created(created) => (&created.name, created.thing_id),
                thing::Event::Deleted(deleted) => (&deleted.name, deleted.thing_id),
                _ => continue,
            };
            let life = Some(Incarnation(life.as_uuid()));
            let twin = twin_at(call, &TwinKey::Device(name.clone()), life, recorded).await?;
            found.extend(device_lifecycle(&event, &twin));
        }
    }
    let routed = found.into_iter().map(|found| Routed {
        event: HubEvent {
            iothub_message_source: HubLifecycle::SOURCE.to_owned(),
            iothub_message_schema: HubLifecycle::SCHEMA.to_owned(),
            op_type: found.op_type.to_owned(),
            device_id: found.device_id,
            module_id: found.module_id,
            body: found.body,
            ..event(call, recorded)
        },
        change: None,
    });
    Ok(routed.collect())
}

/// A twin as it was when its identity came or went.
async fn twin_at(
    call: &Call<'_>,
    key: &TwinKey,
    life: Option<Incarnation>,
    recorded: &Recorded,
) -> Result<TwinState, Refusal> {
    let twin = before::<Twin>(call, &key.stream()?, recorded.position).await?;
    let at = recorded.event.occurred_at;
    Ok(match life {
        Some(_) => twin.in_life(life, at).into_owned(),
        None => twin,
    })
}
