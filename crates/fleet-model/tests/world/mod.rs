//! A registry in maps: every aggregate of a tenant, decided and folded in memory, for tests.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests, each of which uses a part"
)]

pub mod call;

use fleet_model::billing_group::{self, BillingGroups};
use fleet_model::ca_certificate::{self, CaCertificates};
use fleet_model::certificate::{self, Certificates};
use fleet_model::group::{self, GroupFacts, Groups};
use fleet_model::id::*;
use fleet_model::kernel::{Context, Decider, ErrorCode, Refused, Timestamp, WireEvent, replay};
use fleet_model::limits::Limits;
use fleet_model::thing::{self, Principal, PrincipalThing, Things, TypeStanding};
use fleet_model::thing_type::{self, ThingTypes};
use std::collections::BTreeMap;
use uuid::Uuid;

/// The histories of one kind of aggregate by name, with the state kept incrementally.
pub struct Streams<K, D: Decider> {
    pub live: BTreeMap<K, (D::State, Vec<D::Event>)>,
}

impl<K: Ord + Clone, D: Decider> Default for Streams<K, D> {
    fn default() -> Self {
        Self {
            live: BTreeMap::new(),
        }
    }
}

impl<K: Ord + Clone, D: Decider> Streams<K, D>
where
    D::Event: WireEvent,
{
    pub fn state(&self, key: &K) -> D::State {
        self.live
            .get(key)
            .map_or_else(D::initial, |(state, _)| state.clone())
    }

    /// Takes the events through their wire form, as a store would.
    pub fn append(&mut self, key: &K, events: &[D::Event]) -> Vec<&'static str> {
        let (state, log) = self
            .live
            .entry(key.clone())
            .or_insert_with(|| (D::initial(), Vec::new()));
        for event in events {
            let stored = event.to_data();
            let read = D::Event::from_data(event.event_type(), &stored).unwrap();
            assert_eq!(read, *event, "an event changes on its way through the log");
            *state = D::evolve(state.clone(), &read);
            log.push(read);
        }
        events.iter().map(WireEvent::event_type).collect()
    }

    /// Folding every history from its start gives the states kept incrementally.
    pub fn assert_replays(&self) {
        for (state, log) in self.live.values() {
            assert_eq!(replay::<D>(log), *state);
        }
    }
}

/// A tenant's registry.
pub struct World {
    pub now: Timestamp,
    pub limits: Limits,
    pub things: Streams<RecordName, Things>,
    pub groups: Streams<ThingGroupName, Groups>,
    pub types: Streams<ThingTypeName, ThingTypes>,
    pub billing_groups: Streams<BillingGroupName, BillingGroups>,
    pub certificates: Streams<CertificateId, Certificates>,
    pub cas: Streams<CertificateId, CaCertificates>,
    ids: u128,
}

/// Codes of a refusal, the first one first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Failure {
    pub codes: Vec<&'static str>,
    pub message: String,
}

impl<E: ErrorCode + 'static> From<Refused<E>> for Failure {
    fn from(refused: Refused<E>) -> Self {
        Self {
            codes: refused.reasons().map(ErrorCode::code).collect(),
            message: refused.to_string(),
        }
    }
}

impl From<IdError> for Failure {
    fn from(error: IdError) -> Self {
        Refused::from(error).into()
    }
}

/// Types of the events appended, or why not.
pub type Outcome = Result<Vec<&'static str>, Failure>;

macro_rules! run {
    ($self:ident, $streams:ident, $decider:ty, $view:ty, $command:expr, $key:ident) => {{
        let command = $command;
        let key = command.$key.clone();
        let state = $self.$streams.state(&key);
        let view: &$view = $self;
        let cx = Context {
            now: $self.now,
            limits: &$self.limits,
            view,
        };
        let events = <$decider>::decide(&state, command, &cx)?;
        Ok($self.$streams.append(&key, &events))
    }};
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Timestamp::from_secs(0),
            limits: Limits::default(),
            things: Streams::default(),
            groups: Streams::default(),
            types: Streams::default(),
            billing_groups: Streams::default(),
            certificates: Streams::default(),
            cas: Streams::default(),
            ids: 0,
        }
    }

    pub fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    pub fn thing(&self, name: &RecordName) -> Option<thing::Thing> {
        self.things.state(name).thing().cloned()
    }

    pub fn group_state(&self, name: &ThingGroupName) -> Option<group::Group> {
        self.groups.state(name).group().cloned()
    }

    pub fn all_things(&self) -> impl Iterator<Item = &thing::Thing> {
        self.things.live.values().filter_map(|(r, _)| r.thing())
    }

    pub fn all_groups(&self) -> impl Iterator<Item = &group::Group> {
        self.groups.live.values().filter_map(|(r, _)| r.group())
    }

    pub fn run_thing(&mut self, command: thing::Command) -> Outcome {
        run!(self, things, Things, dyn thing::View, command, name)
    }

    pub fn run_group(&mut self, command: group::Command) -> Outcome {
        run!(self, groups, Groups, dyn group::View, command, name)
    }

    pub fn run_type(&mut self, command: thing_type::Command) -> Outcome {
        run!(self, types, ThingTypes, dyn thing_type::View, command, name)
    }

    pub fn run_billing(&mut self, command: billing_group::Command) -> Outcome {
        let key = command.name.clone();
        let state = self.billing_groups.state(&key);
        let cx = Context {
            now: self.now,
            limits: &self.limits,
            view: &(),
        };
        let events = BillingGroups::decide(&state, command, &cx)?;
        Ok(self.billing_groups.append(&key, &events))
    }

    pub fn run_certificate(&mut self, command: certificate::Command) -> Outcome {
        run!(
            self,
            certificates,
            Certificates,
            dyn certificate::View,
            command,
            id
        )
    }

    pub fn run_ca(&mut self, command: ca_certificate::Command) -> Outcome {
        run!(
            self,
            cas,
            CaCertificates,
            dyn ca_certificate::View,
            command,
            id
        )
    }

    pub fn assert_replays(&self) {
        self.certificates.assert_replays();
        self.cas.assert_replays();
        self.things.assert_replays();
        self.groups.assert_replays();
        self.types.assert_replays();
        self.billing_groups.assert_replays();
    }
}

impl thing::View for World {
    fn thing_type(&self, name: &ThingTypeName) -> Option<TypeStanding> {
        self.types.state(name).thing_type().map(|t| t.standing())
    }
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.group_state(name).map(|group| group.facts())
    }
    fn billing_group(&self, name: &BillingGroupName) -> Option<BillingGroupId> {
        let record = self.billing_groups.state(name);
        record.billing_group().map(|group| group.id)
    }
    fn principal_exists(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Certificate(id) => self.certificates.state(id).certificate().is_some(),
            Principal::CognitoIdentity(_) => true,
        }
    }
    fn principal_things(&self, principal: &Principal) -> Vec<PrincipalThing> {
        let attached = |thing: &thing::Thing| {
            let held = thing
                .principals
                .iter()
                .find(|p| p.principal == *principal)?;
            Some(PrincipalThing {
                thing: thing.name.thing_name()?,
                kind: held.kind,
            })
        };
        self.all_things().filter_map(attached).collect()
    }
}

impl group::View for World {
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.group_state(name).map(|group| group.facts())
    }
    fn children(&self, group: ThingGroupId) -> usize {
        self.all_groups()
            .filter(|child| child.parent().is_some_and(|p| p.group_id == group))
            .count()
    }
    fn dynamic_groups(&self) -> usize {
        self.all_groups().filter(|group| group.is_dynamic()).count()
    }
    fn thing_index_ready(&self) -> bool {
        true
    }
}

impl thing_type::View for World {
    fn things_of_type(&self, name: &ThingTypeName) -> usize {
        self.all_things()
            .filter(|thing| thing.thing_type.as_ref() == Some(name))
            .count()
    }
}

impl certificate::View for World {
    fn things_attached(&self, certificate: &CertificateId) -> usize {
        let principal = Principal::Certificate(certificate.clone());
        thing::View::principal_things(self, &principal).len()
    }
    fn ca_exists(&self, ca: &CertificateId) -> bool {
        self.cas.state(ca).ca_certificate().is_some()
    }
}

impl ca_certificate::View for World {
    fn with_subject(&self, subject: &ca_certificate::Subject) -> usize {
        let records = self.cas.live.values();
        records
            .filter_map(|(record, _)| record.ca_certificate())
            .filter(|ca| ca.subject == *subject)
            .count()
    }
}
