//! The event store as the fleet uses it.

use fleet_model::kernel::{
    Actor, Category, Decider, DecodeError, EventId, EventType, NewEvent, Position, Recorded,
    StreamName, StreamVersion, Timestamp, WireEvent, decode,
};
use fleet_model::{
    billing_group, ca_certificate, certificate, group, identity, lifecycle, presence, thing,
    thing_type, twin,
};
use fleet_store::port::{
    Append, EventStore, Expected, Filter, LogPage, LogRead, StoreError, StreamRead,
};
use std::collections::BTreeMap;
use std::sync::Arc;
use uuid::Uuid;

use crate::refusal::Refusal;

/// An event store behind the fleet's own questions.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) store: Arc<dyn EventStore>,
}

impl std::fmt::Debug for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Log").finish_non_exhaustive()
    }
}

/// The state of a stream, and what was just recorded there.
#[derive(Debug)]
pub(crate) struct Loaded<D: Decider> {
    pub(crate) state: D::State,
    pub(crate) version: StreamVersion,
    pub(crate) events: Vec<D::Event>,
}

/// Every type of event that a fleet records, by family; those that are most come first.
const FAMILIES: &[&[(&str, u16)]] = &[
    twin::TwinEvent::TYPES,
    thing::Event::TYPES,
    group::Event::TYPES,
    thing_type::Event::TYPES,
    billing_group::Event::TYPES,
    certificate::Event::TYPES,
    ca_certificate::Event::TYPES,
    presence::PresenceEvent::TYPES,
    identity::ModuleEvent::TYPES,
    lifecycle::SwitchEvent::TYPES,
    crate::indexing::IndexingEvent::TYPES,
];

/// The events of a family that a recorded one stands for; none when its type is of another family
/// that shares the stream. A type that no family knows is an error: a newer program wrote it.
pub(crate) fn decode_family<E: WireEvent>(recorded: &Recorded) -> Result<Vec<E>, DecodeError> {
    let name = recorded.event.event_type.as_str();
    if E::TYPES.iter().any(|(known, _)| *known == name) {
        decode(recorded)
    } else if FAMILIES
        .iter()
        .any(|types| types.iter().any(|(known, _)| *known == name))
    {
        Ok(Vec::new())
    } else {
        Err(DecodeError::UnknownType {
            event_type: name.to_owned(),
        })
    }
}

/// What all events of a call share.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    pub(crate) actor: Actor,
    pub(crate) at: Timestamp,
    pub(crate) correlation: Uuid,
    pub(crate) causation: Option<Uuid>,
}

impl Stamp {
    /// `event` ready for the store.
    pub(crate) fn new_event<E: WireEvent>(
        &self,
        event: &E,
        id: EventId,
    ) -> Result<NewEvent, Refusal> {
        let event_type = event.event_type().parse()?;
        Ok(self.new_data(&event_type, event.schema(), event.to_data(), id))
    }

    /// An event whose data is written already.
    pub(crate) fn new_data(
        &self,
        event_type: &EventType,
        schema: u16,
        data: Vec<u8>,
        id: EventId,
    ) -> NewEvent {
        NewEvent {
            id,
            event_type: event_type.clone(),
            schema,
            occurred_at: self.at,
            correlation: self.correlation,
            causation: self.causation,
            actor: self.actor.clone(),
            meta: BTreeMap::new(),
            data: data.into(),
            subject: None,
        }
    }
}

impl Log {
    /// The state of `stream`.
    pub(crate) async fn load<D: Decider>(&self, stream: &StreamName) -> Result<Loaded<D>, Refusal>
    where
        D::Event: WireEvent,
    {
        let page = self
            .store
            .read_stream(StreamRead::of(stream.clone()))
            .await?;
        let mut state = D::initial();
        for recorded in &page.events {
            for event in decode_family::<D::Event>(recorded)? {
                state = D::evolve(state, &event);
            }
        }
        Ok(Loaded {
            state,
            version: page.state.version(),
            events: Vec::new(),
        })
    }

    /// Where the newest event of `stream` stands, if it has any.
    pub(crate) async fn last(&self, stream: &StreamName) -> Result<Option<Position>, Refusal> {
        let read = StreamRead::of(stream.clone()).backward().limit(1);
        let page = self.store.read_stream(read).await?;
        Ok(page.events.first().map(|event| event.position))
    }

    /// The state of `stream` as it was when the log ended at `until`.
    pub(crate) async fn state_at<D: Decider>(
        &self,
        stream: &StreamName,
        until: Position,
    ) -> Result<D::State, Refusal>
    where
        D::Event: WireEvent,
    {
        let page = self
            .store
            .read_stream(StreamRead::of(stream.clone()))
            .await?;
        let mut state = D::initial();
        let past = page
            .events
            .iter()
            .take_while(|event| event.position <= until);
        for recorded in past {
            for event in decode_family::<D::Event>(recorded)? {
                state = D::evolve(state, &event);
            }
        }
        Ok(state)
    }

    /// Appends to a stream that is at `version`.
    pub(crate) async fn append(
        &self,
        stream: StreamName,
        version: StreamVersion,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Recorded>, Refusal> {
        let append = Append::new(stream, Expected::Exact(version), events);
        match self.store.append(append.clone()).await {
            Ok(appended) => Ok(appended.events),
            // The same ids again: stored once, whatever became of the first try.
            Err(doubt @ StoreError::Unknown { .. }) => match self.store.append(append).await {
                Ok(appended) => Ok(appended.events),
                // That the second try stored nothing says nothing about the first.
                Err(StoreError::Unavailable { .. } | StoreError::Full { .. }) => Err(doubt.into()),
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The log's end.
    pub(crate) async fn head(&self) -> Result<Position, Refusal> {
        Ok(self.store.head().await?)
    }

    /// Events after a position in streams of some categories; all when none is named.
    pub(crate) async fn page(
        &self,
        after: Position,
        limit: usize,
        categories: &[&str],
    ) -> Result<LogPage, Refusal> {
        let categories = categories
            .iter()
            .map(|name| name.parse())
            .collect::<Result<Vec<Category>, _>>()?;
        let filter = Filter {
            categories,
            ..Filter::default()
        };
        let read = LogRead::after(after).limit(limit).filter(filter);
        Ok(self.store.read_all(read).await?)
    }
}
