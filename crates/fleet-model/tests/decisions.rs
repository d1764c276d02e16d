//! Given events, when a command, then exactly these events: what tables and properties leave open.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use fleet_model::attribute::{AttributePayload, Attributes, Mode};
use fleet_model::ca_certificate::{self, CaCertificates};
use fleet_model::certificate::{self, CertificateStatus};
use fleet_model::group::{self, DynamicStatus, GroupFacts, GroupKind, GroupRef, Groups, Kind};
use fleet_model::id::*;
use fleet_model::kernel::testkit::given;
use fleet_model::kernel::{Context, Decider, Timestamp};
use fleet_model::limits::Limits;
use fleet_model::tag::Tags;
use fleet_model::thing::{self, MembershipKind, Principal, PrincipalThing, Things, TypeStanding};
use fleet_model::thing_type::{self, ThingTypes};
use std::collections::BTreeMap;
use uuid::Uuid;

/// Other streams as a caller would look them up.
#[derive(Default)]
struct Facts {
    groups: BTreeMap<&'static str, GroupFacts>,
    index_off: bool,
}

impl Facts {
    fn of(groups: &[GroupFacts]) -> Self {
        let name = |g: &GroupFacts| &*Box::leak(g.group.group_name.to_string().into_boxed_str());
        Self {
            groups: groups.iter().map(|g| (name(g), g.clone())).collect(),
            index_off: false,
        }
    }
}

impl thing::View for Facts {
    fn thing_type(&self, _: &ThingTypeName) -> Option<TypeStanding> {
        Some(TypeStanding::Active)
    }
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.groups.get(name.as_str()).cloned()
    }
    fn billing_group(&self, _: &BillingGroupName) -> Option<BillingGroupId> {
        None
    }
    fn principal_exists(&self, _: &Principal) -> bool {
        true
    }
    fn principal_things(&self, _: &Principal) -> Vec<PrincipalThing> {
        vec![]
    }
}

impl group::View for Facts {
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.groups.get(name.as_str()).cloned()
    }
    fn children(&self, _: ThingGroupId) -> usize {
        0
    }
    fn dynamic_groups(&self) -> usize {
        0
    }
    fn thing_index_ready(&self) -> bool {
        !self.index_off
    }
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn reference(name: &str, n: u128) -> GroupRef {
    GroupRef {
        group_name: name.parse().unwrap(),
        group_id: id(n).into(),
    }
}

fn root(name: &str, n: u128) -> GroupFacts {
    GroupFacts {
        group: reference(name, n),
        kind: GroupKind::Static {
            ancestors: [].into(),
        },
        created_at: Timestamp::default(),
    }
}

fn dynamic(name: &str, n: u128, created: i64) -> GroupFacts {
    GroupFacts {
        group: reference(name, n),
        kind: GroupKind::Dynamic,
        created_at: Timestamp::from_secs(created),
    }
}

fn attributes(pairs: &[(&str, &str)]) -> AttributePayload {
    AttributePayload::parse(pairs.iter().copied(), Mode::Replace).unwrap()
}

fn created() -> thing::Event {
    thing::Event::Created(thing::Created {
        name: "t".parse().unwrap(),
        thing_id: id(1).into(),
        thing_type_name: None,
        attributes: Attributes::default(),
        billing_group: None,
        created_at: Timestamp::default(),
    })
}

fn joined(facts: &GroupFacts, cause: u128, index: u32, forgotten: &[u128]) -> thing::Event {
    thing::Event::JoinedGroup(thing::JoinedGroup {
        name: "t".parse().unwrap(),
        thing_id: id(1).into(),
        membership: membership(facts, cause, index),
        forgotten: forgotten.iter().map(|n| id(*n).into()).collect(),
    })
}

fn membership(facts: &GroupFacts, cause: u128, index: u32) -> thing::Membership {
    thing::Membership {
        group: facts.group.clone(),
        membership_id: MembershipId::derived(id(cause), index),
        kind: match facts.root() {
            Some(root) => MembershipKind::Static { root: root.clone() },
            None => MembershipKind::Dynamic {
                group_created_at: facts.created_at,
            },
        },
    }
}

fn left(facts: &GroupFacts, cause: u128, reason: thing::LeaveReason) -> thing::Event {
    thing::Event::LeftGroup(thing::LeftGroup {
        name: "t".parse().unwrap(),
        thing_id: id(1).into(),
        membership: membership(facts, cause, 0),
        reason,
    })
}

fn on_thing(action: thing::Action) -> thing::Command {
    thing::Command {
        name: "t".parse().unwrap(),
        action,
    }
}

fn regroup(add: &[&str], remove: &[&str], dynamic_groups: thing::DynamicGroups) -> thing::Command {
    on_thing(thing::Action::UpdateGroups(thing::UpdateGroups {
        add: add.iter().map(|name| name.parse().unwrap()).collect(),
        remove: remove.iter().map(|name| name.parse().unwrap()).collect(),
        dynamic_groups,
        cause: id(77),
    }))
}

fn with_thing(limits: &Limits, facts: &Facts, test: impl FnOnce(&Context<'_, dyn thing::View>)) {
    let view: &dyn thing::View = facts;
    test(&Context {
        now: Timestamp::from_secs(5),
        limits,
        view,
    });
}

#[test]
fn joining_several_groups_is_one_decision_with_an_id_each() {
    let (a, b) = (root("a", 10), root("b", 11));
    let facts = Facts::of(&[a.clone(), b.clone()]);
    with_thing(&Limits::default(), &facts, |cx| {
        given::<Things>([created()])
            .when(
                regroup(&["a", "b", "a"], &[], thing::DynamicGroups::Keep),
                cx,
            )
            .then([joined(&a, 77, 0, &[]), joined(&b, 77, 1, &[])]);
    });
}

#[test]
fn a_join_forgets_memberships_of_groups_that_ended() {
    let (old, new, other) = (root("a", 10), root("a", 20), root("b", 11));
    let facts = Facts::of(&[new.clone(), other.clone()]);
    let history = [created(), joined(&old, 1, 0, &[])];
    with_thing(&Limits::default(), &facts, |cx| {
        // The later group of the same name starts empty.
        given::<Things>(history.clone())
            .when(regroup(&[], &["a"], thing::DynamicGroups::Keep), cx)
            .then([]);
        let state = given::<Things>(history)
            .when(regroup(&["b", "a"], &[], thing::DynamicGroups::Keep), cx)
            .then([joined(&other, 77, 0, &[10]), joined(&new, 77, 1, &[])]);
        assert_eq!(state.thing().unwrap().groups.len(), 2);
    });
}

#[test]
fn a_lost_place_names_the_winner_and_is_remembered() {
    let mut limits = Limits::default();
    limits.groups_per_thing = 1;
    let (d, s) = (dynamic("d", 10, 1), root("s", 11));
    let facts = Facts::of(&[d.clone(), s.clone()]);
    let evicted = thing::LeaveReason::Evicted {
        by: s.group.clone(),
    };
    with_thing(&limits, &facts, |cx| {
        let state = given::<Things>([created(), joined(&d, 1, 0, &[])])
            .when(regroup(&["s"], &[], thing::DynamicGroups::GiveWay), cx)
            .then([left(&d, 1, evicted.clone()), joined(&s, 77, 0, &[])]);
        assert_eq!(
            state.thing().unwrap().waiting,
            std::slice::from_ref(&d.group)
        );

        let begin = thing::Action::BeginMatch {
            group: "d".parse().unwrap(),
            cause: id(78),
        };
        let history = [
            created(),
            joined(&d, 1, 0, &[]),
            left(&d, 1, evicted.clone()),
            joined(&s, 77, 0, &[]),
        ];
        // Still no room: recorded once, not at every evaluation.
        given::<Things>(history.clone())
            .when(on_thing(begin.clone()), cx)
            .then([]);
        // Room again, and evaluated again: it joins.
        let gone = left(&s, 77, thing::LeaveReason::Requested);
        let state = given::<Things>(history.into_iter().chain([gone]))
            .when(on_thing(begin), cx)
            .then([joined(&d, 78, 0, &[])]);
        assert!(state.thing().unwrap().waiting.is_empty());
    });
}

#[test]
fn a_device_without_a_thing_name_has_no_aws_face() {
    with_thing(&Limits::default(), &Facts::default(), |cx| {
        let mut command = on_thing(thing::Action::Delete {
            expected_version: None,
        });
        command.name = "press#7".parse().unwrap();
        given::<Things>([])
            .when(command, cx)
            .then_refused("thing.no_thing_face");
    });
}

#[test]
fn a_recreated_thing_starts_anew() {
    let create = |n| {
        on_thing(thing::Action::Create(thing::Create {
            id: id(n).into(),
            thing_type: None,
            attributes: attributes(&[("a", "1"), ("gone", "")]),
            billing_group: None,
        }))
    };
    let deleted = |n| {
        thing::Event::Deleted(thing::Deleted {
            name: "t".parse().unwrap(),
            thing_id: id(n).into(),
            version: Revision::FIRST,
            thing_type_name: None,
            attributes: Attributes::default(),
            groups: vec![],
            billing_group: None,
        })
    };
    with_thing(&Limits::default(), &Facts::default(), |cx| {
        let event = thing::Event::Created(thing::Created {
            name: "t".parse().unwrap(),
            thing_id: id(2).into(),
            thing_type_name: None,
            attributes: Attributes::default().apply(&attributes(&[("a", "1")])),
            billing_group: None,
            created_at: Timestamp::from_secs(5),
        });
        let state = given::<Things>([created(), joined(&root("a", 10), 1, 0, &[]), deleted(1)])
            .when(create(2), cx)
            .then([event.clone()]);
        let thing = state.thing().unwrap();
        assert_eq!((thing.version, thing.groups.len()), (Revision::FIRST, 0));
        // The same content again, an empty value being no attribute: nothing happens.
        given::<Things>([event]).when(create(3), cx).then([]);
    });
}

#[test]
fn attributes_have_a_size_together() {
    let mut limits = Limits::default();
    limits.attribute_bytes = 10;
    with_thing(&limits, &Facts::default(), |cx| {
        let update = |value| {
            on_thing(thing::Action::Update(thing::Update {
                attributes: Some(attributes(&[("name", value)])),
                ..thing::Update::default()
            }))
        };
        given::<Things>([created()])
            .when(update("1234567"), cx)
            .then_refused("attribute.too_large");
        assert!(Things::decide(&thing::Record::default(), update("123456"), cx).is_err());
        let state = fleet_model::kernel::replay::<Things>(&[created()]);
        assert_eq!(
            Things::decide(&state, update("123456"), cx).unwrap().len(),
            1
        );
    });
}

fn with_group(limits: &Limits, facts: &Facts, test: impl FnOnce(&Context<'_, dyn group::View>)) {
    let view: &dyn group::View = facts;
    test(&Context {
        now: Timestamp::from_secs(5),
        limits,
        view,
    });
}

fn on_group(action: group::Action) -> group::Command {
    group::Command {
        name: "d".parse().unwrap(),
        action,
    }
}

fn create_dynamic(query: &str) -> group::Command {
    on_group(group::Action::CreateDynamic(group::CreateDynamic {
        id: id(1).into(),
        query: query.parse().unwrap(),
        query_version: None,
        index_name: None,
        description: None,
        attributes: AttributePayload::default(),
        tags: Tags::default(),
    }))
}

fn requery(query: &str) -> group::Command {
    on_group(group::Action::UpdateDynamic(group::UpdateDynamic {
        query: Some(query.parse().unwrap()),
        ..group::UpdateDynamic::default()
    }))
}

fn decide(
    history: &mut Vec<group::Event>,
    command: group::Command,
    cx: &Context<'_, dyn group::View>,
) -> usize {
    let state = fleet_model::kernel::replay::<Groups>(history.iter());
    let events = Groups::decide(&state, command, cx).unwrap();
    let count = events.len();
    history.extend(events);
    count
}

fn status(history: &[group::Event]) -> DynamicStatus {
    let state = fleet_model::kernel::replay::<Groups>(history.iter());
    match state.group().unwrap().kind {
        Kind::Dynamic { status, .. } => status,
        Kind::Static { .. } => panic!("static"),
    }
}

#[test]
fn a_dynamic_group_is_active_when_its_present_condition_is_built() {
    let finish = |version| {
        on_group(group::Action::FinishBuild {
            query_revision: Revision(version),
        })
    };
    with_group(&Limits::default(), &Facts::default(), |cx| {
        let mut history = vec![];
        assert_eq!(decide(&mut history, create_dynamic("a:1"), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Building);
        assert_eq!(decide(&mut history, requery("a:2"), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Building);
        // The first condition's build ends late: it is not the present one's.
        assert_eq!(decide(&mut history, finish(1), cx), 0);
        assert_eq!(decide(&mut history, finish(2), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Active);
        assert_eq!(decide(&mut history, finish(2), cx), 0);
        // The same condition again rebuilds nothing, and is an update all the same.
        assert_eq!(decide(&mut history, requery("a:2"), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Active);
        assert_eq!(decide(&mut history, requery("a:3"), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Rebuilding);
        assert_eq!(decide(&mut history, finish(4), cx), 1);
        assert_eq!(status(&history), DynamicStatus::Active);
    });
}

#[test]
fn dynamic_groups_need_the_index_and_its_language() {
    let off = Facts {
        index_off: true,
        ..Facts::default()
    };
    with_group(&Limits::default(), &off, |cx| {
        given::<Groups>([])
            .when(create_dynamic("a:1"), cx)
            .then_refused("group.index_not_ready");
    });
    with_group(&Limits::default(), &Facts::default(), |cx| {
        let mut command = create_dynamic("a:1");
        if let group::Action::CreateDynamic(create) = &mut command.action {
            create.query_version = Some("2016-03-23".to_owned());
            create.index_name = Some("AWS_ThingGroups".parse().unwrap());
        }
        let refused = Groups::decide(&group::Record::Absent, command, cx).unwrap_err();
        let codes: Vec<_> = refused
            .reasons()
            .map(fleet_model::kernel::ErrorCode::code)
            .collect();
        assert_eq!(
            codes,
            ["group.unknown_query_version", "group.unknown_index"]
        );
    });
}

#[test]
fn tags_live_and_die_with_their_resource() {
    let tags = |pairs: &[(&str, &str)]| Tags::parse(pairs.iter().copied()).unwrap();
    let tag = |t| on_group(group::Action::Tag { tags: t });
    let untag = |keys: &[&str]| {
        let keys = keys.iter().map(|key| key.parse().unwrap()).collect();
        on_group(group::Action::Untag { keys })
    };
    let mut limits = Limits::default();
    limits.tags_per_resource = 2;
    with_group(&limits, &Facts::default(), |cx| {
        let mut history = vec![];
        given::<Groups>([])
            .when(tag(tags(&[("a", "1")])), cx)
            .then_refused("group.not_found");
        decide(&mut history, create_dynamic("a:1"), cx);
        assert_eq!(
            decide(&mut history, tag(tags(&[("a", "1"), ("b", "2")])), cx),
            1
        );
        assert_eq!(decide(&mut history, tag(tags(&[("a", "1")])), cx), 0);
        given::<Groups>(history.clone())
            .when(tag(tags(&[("c", "3")])), cx)
            .then_refused("tag.limit_exceeded");
        assert_eq!(decide(&mut history, untag(&["a", "z"]), cx), 1);
        assert_eq!(decide(&mut history, untag(&["a"]), cx), 0);
        let delete = on_group(group::Action::DeleteDynamic {
            expected_version: None,
        });
        assert_eq!(decide(&mut history, delete, cx), 1);
        decide(&mut history, create_dynamic("a:1"), cx);
        let state = fleet_model::kernel::replay::<Groups>(history.iter());
        assert!(state.group().unwrap().tags.is_empty());
    });
}

struct Unused;

impl thing_type::View for Unused {
    fn things_of_type(&self, _: &ThingTypeName) -> usize {
        0
    }
}

impl ca_certificate::View for Unused {
    fn with_subject(&self, _: &ca_certificate::Subject) -> usize {
        0
    }
}

#[test]
fn searchable_attributes_of_a_type_are_few_and_fixed() {
    let view: &dyn thing_type::View = &Unused;
    let limits = Limits::default();
    let cx = Context {
        now: Timestamp::default(),
        limits: &limits,
        view,
    };
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
    let on_type = |action| thing_type::Command {
        name: "Pump".parse().unwrap(),
        action,
    };
    let create = |searchable: &[&str]| {
        on_type(thing_type::Action::Create(thing_type::Create {
            id: id(1).into(),
            description: None,
            searchable_attributes: names(searchable),
            mqtt5_configuration: None,
            tags: Tags::default(),
        }))
    };
    given::<ThingTypes>([])
        .when(create(&["a", "b", "c", "d"]), &cx)
        .then_refused("thing_type.too_many_searchable");
    let events = ThingTypes::decide(&thing_type::Record::Absent, create(&["a"]), &cx).unwrap();
    let update = |searchable: &[&str]| {
        on_type(thing_type::Action::Update(thing_type::Update {
            description: Some("pumps".parse().unwrap()),
            searchable_attributes: Some(names(searchable)),
            ..thing_type::Update::default()
        }))
    };
    given::<ThingTypes>(events.clone())
        .when(update(&["b"]), &cx)
        .then_refused("thing_type.searchable_fixed");
    let state = fleet_model::kernel::replay::<ThingTypes>(&events);
    assert_eq!(
        ThingTypes::decide(&state, update(&["a"]), &cx)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_registration_configuration_is_set_or_removed() {
    let view: &dyn ca_certificate::View = &Unused;
    let limits = Limits::default();
    let cx = Context {
        now: Timestamp::default(),
        limits: &limits,
        view,
    };
    let on_ca = |action| ca_certificate::Command {
        id: "ab".repeat(32).parse().unwrap(),
        action,
    };
    let config = ca_certificate::RegistrationConfig {
        template: Some(ca_certificate::Template::Name("jitp".parse().unwrap())),
        role_arn: None,
    };
    let register = on_ca(ca_certificate::Action::Register(ca_certificate::Register {
        pem: "pem".parse().unwrap(),
        subject: "CN=ca".parse().unwrap(),
        mode: certificate::CertificateMode::SniOnly,
        possession: ca_certificate::Possession::NotShown,
        status: ca_certificate::CaStatus::Inactive,
        auto_registration: ca_certificate::AutoRegistration::Enable,
        registration_config: Some(config.clone()),
        owner: "123456789012".parse().unwrap(),
        tags: Tags::default(),
        not_before: None,
        not_after: None,
    }));
    let events = CaCertificates::decide(&ca_certificate::Record::Absent, register, &cx).unwrap();
    let both = ca_certificate::Update {
        registration_config: Some(config),
        remove_auto_registration: true,
        ..ca_certificate::Update::default()
    };
    given::<CaCertificates>(events.clone())
        .when(on_ca(ca_certificate::Action::Update(both)), &cx)
        .then_refused("ca_certificate.config_set_and_removed");
    let remove = ca_certificate::Update {
        remove_auto_registration: true,
        ..ca_certificate::Update::default()
    };
    let state = fleet_model::kernel::replay::<CaCertificates>(&events);
    let update = on_ca(ca_certificate::Action::Update(remove));
    let more = CaCertificates::decide(&state, update, &cx).unwrap();
    let state = more.iter().fold(state, CaCertificates::evolve);
    let ca = state.ca_certificate().unwrap();
    assert_eq!(
        (ca.registration_config.clone(), ca.version),
        (None, Revision(2))
    );
}

#[test]
fn automatic_registration_waits_for_activation() {
    use certificate::Arrival;
    assert!(Arrival::AutoRegistered.allows(CertificateStatus::PendingActivation));
    assert!(!Arrival::AutoRegistered.allows(CertificateStatus::Active));
    assert!(!Arrival::Made.allows(CertificateStatus::Revoked));
}
