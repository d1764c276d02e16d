//! Lifecycle messages, derived from recorded events when somebody asks for them.

use fleet_model::certificate;
use fleet_model::group::{self, Groups};
use fleet_model::kernel::{Decider, Position, Recorded, WireEvent};
use fleet_model::lifecycle::{
    Cause, LifecycleMessage as Message, SWITCHES_STREAM, SwitchCommand, SwitchesDecider,
    certificate_messages, group_messages, presence_messages, thing_messages, thing_type_messages,
};
use fleet_model::presence::PresenceEvent;
use fleet_model::thing::{self, Things};
use fleet_model::thing_type::{self, ThingTypes};
use fleet_model::twin::{Twin, TwinEvent, TwinKey, shadow};
use fleet_store::port::StreamRead;

use super::Handle;
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

impl Handle for ListLifecycleMessages {
    type Answer = ListLifecycleMessagesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let most = self.max_events.unwrap_or(100);
        if !(1..=1_000).contains(&most) {
            return Err(Refusal::new(
                "request.invalid",
                format!("`maxEvents` is {most}: ask for 1 to 1000"),
            ));
        }
        let most = usize::try_from(most).unwrap_or(100);
        let after = Position(self.after_position.unwrap_or(0));
        let page = call.fleet.log.page(after, most, &[]).await?;
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

/// The states of a stream before and after one of its events.
async fn around<D: Decider>(
    call: &Call<'_>,
    recorded: &Recorded,
) -> Result<(D::State, D::State), Refusal>
where
    D::Event: WireEvent,
{
    let read = StreamRead::of(recorded.stream.clone());
    let limit = usize::try_from(recorded.version.0).unwrap_or(usize::MAX);
    let page = call.fleet.log.store.read_stream(read.limit(limit)).await?;
    let mut before = D::initial();
    let mut after = D::initial();
    for earlier in &page.events {
        if earlier.version > recorded.version {
            break;
        }
        before = after.clone();
        for event in decode_family::<D::Event>(earlier)? {
            after = D::evolve(after, &event);
        }
    }
    Ok((before, after))
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
    let read = StreamRead::of(group::stream(&group.group_name)?);
    let page = call.fleet.log.store.read_stream(read).await?;
    let mut state = Groups::initial();
    for recorded in page.events.iter().filter(|event| event.position < at) {
        for event in decode_family::<group::Event>(recorded)? {
            state = Groups::evolve(state, &event);
        }
    }
    Ok(state
        .group()
        .is_some_and(|found| found.id == group.group_id))
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
