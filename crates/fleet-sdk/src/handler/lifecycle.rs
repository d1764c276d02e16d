//! Lifecycle messages, derived from recorded events when somebody asks for them.

use fleet_model::certificate;
use fleet_model::group::{self, Groups};
use fleet_model::id::ThingName;
use fleet_model::kernel::{Decider as _, Position, Recorded};
use fleet_model::lifecycle::{
    Cause, LifecycleMessage as Message, SWITCHES_STREAM, SwitchCommand, SwitchesDecider,
    certificate_messages, group_messages, memberships_ended, presence_messages, thing_messages,
    thing_type_messages,
};
use fleet_model::presence::PresenceEvent;
use fleet_model::thing::{self, Things};
use fleet_model::thing_type::{self, ThingTypes};
use fleet_model::twin::{Twin, TwinEvent, TwinKey, shadow};
use fleet_store::port::LogPage;

use super::Handle;
use super::history::{around, before};
use crate::fleet::Call;
use crate::log::decode_family;
use crate::operation::{
    DescribeEventConfigurations, DescribeEventConfigurationsResponse, LifecycleMessage,
    ListLifecycleMessages, ListLifecycleMessagesResponse, UpdateEventConfigurations,
    UpdateEventConfigurationsResponse,
};
use crate::refusal::Refusal;

impl Handle for UpdateEventConfigurations {
    type Answer = UpdateEventConfigurationsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let _lock = call.lock().await;
        let stream = SWITCHES_STREAM.parse()?;
        let loaded = call.load::<SwitchesDecider>(&stream).await?;
        let changes = self.event_configurations.unwrap_or_default();
        let command = SwitchCommand {
            changes: changes
                .into_iter()
                .map(|(kind, switch)| (kind, switch.enabled))
                .collect(),
        };
        let events = SwitchesDecider::decide(&loaded.state, command, &call.context(&()))?;
        call.record::<SwitchesDecider>(&stream, loaded, events)
            .await?;
        Ok(UpdateEventConfigurationsResponse {})
    }
}

impl Handle for DescribeEventConfigurations {
    type Answer = DescribeEventConfigurationsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let stream = SWITCHES_STREAM.parse()?;
        let loaded = call.load::<SwitchesDecider>(&stream).await?;
        serde_json::from_value(loaded.state.to_json())
            .map_err(|error| Refusal::new("kernel.malformed_data", error.to_string()))
    }
}

/// A page of recorded events to derive messages from: at most `most`, 1 to 1000.
pub(super) async fn page(
    call: &Call<'_>,
    after: Option<u64>,
    most: Option<u32>,
    categories: &[&str],
) -> Result<LogPage, Refusal> {
    let most = most.unwrap_or(100);
    if !(1..=1_000).contains(&most) {
        return Err(Refusal::new(
            "request.invalid",
            format!("`maxEvents` is {most}: ask for 1 to 1000"),
        ));
    }
    let most = usize::try_from(most).unwrap_or(100);
    let after = Position(after.unwrap_or(0));
    call.fleet.log.page(after, most, categories).await
}

impl Handle for ListLifecycleMessages {
    type Answer = ListLifecycleMessagesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = page(call, self.after_position, self.max_events, &[]).await?;
        let switches = call
            .load::<SwitchesDecider>(&SWITCHES_STREAM.parse()?)
            .await?
            .state;
        let mut messages = Vec::new();
        for recorded in &page.events {
            let derived = derive(call, recorded).await?;
            let published = derived
                .into_iter()
                .filter(|message| self.all || switches.publishes(message.kind));
            messages.extend(published.map(|message| LifecycleMessage {
                position: recorded.position.0,
                topic: message.topic,
                payload: message.payload,
            }));
        }
        Ok(ListLifecycleMessagesResponse {
            messages,
            scanned_to: page.scanned_to.0,
            head: page.head.0,
        })
    }
}

async fn derive(call: &Call<'_>, recorded: &Recorded) -> Result<Vec<Message>, Refusal> {
    let owner = call.fleet.owner();
    let cause = Cause::of(recorded, owner);
    let mut out = Vec::new();
    match recorded.stream.category() {
        "thing" => {
            let events = decode_family::<thing::Event>(recorded)?;
            let (before, _) = around::<Things>(call, recorded).await?;
            let mut ended = Vec::new();
            if let Some(thing) = before.thing() {
                for held in &thing.groups {
                    if !lived(call, &held.group, recorded.position).await? {
                        ended.push(held.group.group_id);
                    }
                }
            }
            for event in &events {
                out.extend(thing_messages(event, &before, &cause, |group| {
                    !ended.contains(&group.group_id)
                }));
            }
        }
        "group" => {
            let (_, after) = around::<Groups>(call, recorded).await?;
            for event in decode_family::<group::Event>(recorded)? {
                out.extend(group_messages(&event, &after, &cause));
                if let group::Event::Deleted(deleted) = &event {
                    let group = group::GroupRef {
                        group_name: deleted.thing_group_name.clone(),
                        group_id: deleted.thing_group_id,
                    };
                    out.extend(ended(call, &group, &cause, recorded.position).await?);
                }
            }
        }
        "thingtype" => {
            let (_, after) = around::<ThingTypes>(call, recorded).await?;
            for event in decode_family::<thing_type::Event>(recorded)? {
                out.extend(thing_type_messages(&event, &after, &cause));
            }
        }
        "cert" => {
            for event in decode_family::<certificate::Event>(recorded)? {
                out.extend(certificate_messages(&event, &cause));
            }
        }
        "presence" => {
            for event in decode_family::<PresenceEvent>(recorded)? {
                out.extend(presence_messages(&event));
            }
        }
        "twin" => out.extend(twin_messages(call, recorded).await?),
        _ => {}
    }
    Ok(out)
}

/// Whether a group lived at a position of the log.
async fn lived(call: &Call<'_>, group: &group::GroupRef, at: Position) -> Result<bool, Refusal> {
    let stream = group::stream(&group.group_name)?;
    let state = before::<Groups>(call, &stream, at).await?;
    Ok(state
        .group()
        .is_some_and(|found| found.id == group.group_id))
}

/// The messages of the memberships that ended with a group, by the names of the things.
async fn ended(
    call: &Call<'_>,
    group: &group::GroupRef,
    cause: &Cause<'_>,
    at: Position,
) -> Result<Vec<Message>, Refusal> {
    let mut members = Vec::new();
    let names = call.fleet.things(|all| all.ended(group.group_id)).await?;
    for name in names {
        let name: ThingName = name.parse()?;
        let record = before::<Things>(call, &name.record().stream()?, at).await?;
        let Some(thing) = record.thing() else {
            continue;
        };
        let mut held = thing.groups.iter();
        if let Some(held) = held.find(|held| held.group.group_id == group.group_id) {
            members.push((name, thing.id, held.membership_id));
        }
    }
    Ok(memberships_ended(group, members, cause))
}

/// What the shadow service publishes of a twin's event, and what the device is told over IoT Hub.
async fn twin_messages(call: &Call<'_>, recorded: &Recorded) -> Result<Vec<Message>, Refusal> {
    let Some(key) = TwinKey::of_stream(&recorded.stream) else {
        return Ok(Vec::new());
    };
    let (before, after) = around::<Twin>(call, recorded).await?;
    let mut out = Vec::new();
    for event in decode_family::<TwinEvent>(recorded)? {
        let mut messages = shadow::update_messages(&key, &before, &event, &after);
        if let TwinEvent::ShadowDeleted(deleted) = &event {
            messages.push(shadow::deleted_message(&key, deleted));
        }
        messages.extend(fleet_model::twin::hub::desired_notification(
            &before, &event, &after,
        ));
        out.extend(messages.into_iter().map(|message| Message {
            kind: None,
            topic: message.topic,
            payload: message.payload,
        }));
    }
    Ok(out)
}
