//! Random commands to things, groups, types and billing groups, against an independent model.
//!
//! Spec: AWS appendix B, 1 to 5. `FLEET_CASES` raises the number of scripts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod oracle;
mod world;

use fleet_model::group::{self, Kind, Layer, Origin, Verdict};
use fleet_model::id::ThingGroupName;
use fleet_model::kernel::{Timestamp, WireEvent as _};
use fleet_model::limits::Limits;
use fleet_model::thing::MembershipKind;
use oracle::{Oracle, Quotas};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use world::World;

/// Seconds to wait before it, the operation, its parameters.
type Step = (i64, &'static str, Value);

const THINGS: &[&str] = &["t0", "t1"];
const GROUPS: &[&str] = &["g0", "g1", "g2", "g3", "g4", "g5", "g6", "g7"];
const TYPES: &[&str] = &["y0", "y1"];
const BILLING: &[&str] = &["b0", "b1"];

fn maybe<T: Clone + std::fmt::Debug + 'static>(
    values: &'static [T],
) -> impl Strategy<Value = Option<T>> {
    proptest::option::weighted(0.3, select(values))
}

fn payload() -> impl Strategy<Value = Option<Value>> {
    let attributes = prop::collection::btree_map(
        select(&["a", "b", "c"][..]),
        select(&["", "1", "2"][..]),
        0..3,
    );
    let payload = (attributes, any::<bool>())
        .prop_map(|(attributes, merge)| json!({"attributes": attributes, "merge": merge}));
    proptest::option::weighted(0.6, payload)
}

fn version() -> impl Strategy<Value = Option<u64>> {
    proptest::option::weighted(0.2, 1..4u64)
}

/// An object without its null members.
fn object(value: Value) -> Value {
    let Value::Object(mut map) = value else {
        return value;
    };
    map.retain(|_, member| !member.is_null());
    Value::Object(map)
}

fn thing_step() -> impl Strategy<Value = (&'static str, Value)> {
    let create = (select(THINGS), maybe(TYPES), maybe(BILLING), payload()).prop_map(|(t, y, b, a)| {
        let params = json!({"thingName": t, "thingTypeName": y, "billingGroupName": b, "attributePayload": a});
        ("CreateThing", object(params))
    });
    let update = (select(THINGS), maybe(TYPES), any::<bool>(), version(), payload()).prop_map(|(t, y, r, v, a)| {
        let params = json!({"thingName": t, "thingTypeName": y, "removeThingType": (v.is_some() || y.is_none()) && r,
            "expectedVersion": v, "attributePayload": a});
        ("UpdateThing", object(params))
    });
    let delete = (select(THINGS), version()).prop_map(|(t, v)| {
        (
            "DeleteThing",
            object(json!({"thingName": t, "expectedVersion": v})),
        )
    });
    let one = (
        select(
            &[
                "AddThingToThingGroup",
                "AddThingToThingGroup",
                "RemoveThingFromThingGroup",
                "(match)",
                "(match)",
                "(unmatch)",
            ][..],
        ),
        select(THINGS),
        select(GROUPS),
        any::<bool>(),
    )
        .prop_map(|(op, t, g, o)| {
            (
                op,
                json!({"thingName": t, "thingGroupName": g, "overrideDynamicGroups": o}),
            )
        });
    let matching = (
        select(&["(match)", "(match)", "(unmatch)"][..]),
        select(THINGS),
        select(&GROUPS[4..6]),
    )
        .prop_map(|(op, t, g)| (op, json!({"thingName": t, "thingGroupName": g})));
    let several = (
        select(THINGS),
        prop::collection::vec(select(GROUPS), 0..4),
        prop::collection::vec(select(GROUPS), 0..2),
        any::<bool>(),
    )
        .prop_map(|(t, add, remove, o)| {
            let params = json!({"thingName": t, "thingGroupsToAdd": add, "thingGroupsToRemove": remove,
                "overrideDynamicGroups": o});
            ("UpdateThingGroupsForThing", params)
        });
    let billing = (
        select(&["AddThingToBillingGroup", "RemoveThingFromBillingGroup"][..]),
        select(THINGS),
        select(BILLING),
    )
        .prop_map(|(op, t, b)| (op, json!({"thingName": t, "billingGroupName": b})));
    prop_oneof![3 => create, 3 => update, 1 => delete, 4 => one, 4 => matching, 3 => several, 1 => billing]
}

fn group_step() -> impl Strategy<Value = (&'static str, Value)> {
    let properties = (payload(), maybe(&["d", "e"]))
        .prop_map(|(a, d)| object(json!({"attributePayload": a, "thingGroupDescription": d})));
    let properties = properties.boxed();
    let create = (select(GROUPS), proptest::option::weighted(0.6, select(GROUPS)), properties.clone()).prop_map(|(g, p, properties)| {
        let params = json!({"thingGroupName": g, "parentGroupName": p, "thingGroupProperties": properties});
        ("CreateThingGroup", object(params))
    });
    let dynamic = (select(GROUPS), select(&["q", "r"][..]), properties.clone()).prop_map(
        |(g, q, properties)| {
            let params =
                json!({"thingGroupName": g, "queryString": q, "thingGroupProperties": properties});
            ("CreateDynamicThingGroup", object(params))
        },
    );
    let update = (
        select(&["UpdateThingGroup", "UpdateDynamicThingGroup"][..]),
        select(GROUPS),
        version(),
        maybe(&["q", "r"]),
        properties,
    )
        .prop_map(|(op, g, v, q, properties)| {
            let q = q.filter(|_| op == "UpdateDynamicThingGroup");
            let params = json!({"thingGroupName": g, "expectedVersion": v, "queryString": q,
                "thingGroupProperties": properties});
            (op, object(params))
        });
    let delete = (
        select(&["DeleteThingGroup", "DeleteDynamicThingGroup"][..]),
        select(GROUPS),
        version(),
    )
        .prop_map(|(op, g, v)| {
            (
                op,
                object(json!({"thingGroupName": g, "expectedVersion": v})),
            )
        });
    let policy = (
        select(
            &[
                "AttachPolicy",
                "AttachPolicy",
                "AttachPolicy",
                "DetachPolicy",
            ][..],
        ),
        select(&GROUPS[..2]),
        select(&["p", "q", "r"][..]),
    )
        .prop_map(|(op, g, p)| (op, json!({"target": g, "policyName": p})));
    prop_oneof![4 => create, 2 => dynamic, 2 => update, 1 => delete, 1 => policy]
}

fn other_step() -> impl Strategy<Value = (&'static str, Value)> {
    let types = (
        select(
            &[
                "CreateThingType",
                "CreateThingType",
                "DeprecateThingType", "UpdateThingType",
                "DeleteThingType",
            ][..],
        ),
        select(TYPES),
        any::<bool>(),
        maybe(&["d", "e"]),
    )
        .prop_map(|(op, y, undo, d)| {
            let properties = object(json!({"thingTypeDescription": d}));
            (op, json!({"thingTypeName": y, "undoDeprecate": undo, "thingTypeProperties": properties}))
        });
    let billing = (
        select(&["CreateBillingGroup", "CreateBillingGroup", "UpdateBillingGroup", "DeleteBillingGroup"][..]),
        select(BILLING),
        maybe(&["d", "e"]),
        version(),
    )
        .prop_map(|(op, b, d, v)| {
            let properties = object(json!({"billingGroupDescription": d}));
            let params = json!({"billingGroupName": b, "expectedVersion": v, "billingGroupProperties": properties});
            (op, object(params))
        });
    prop_oneof![types, billing]
}

/// A registry with something in it.
fn beginning() -> Vec<Step> {
    let group = |g: &str, p: Option<&str>| {
        let params = json!({"thingGroupName": g, "parentGroupName": p});
        (1, "CreateThingGroup", object(params))
    };
    let dynamic = |g: &str| {
        let params = json!({"thingGroupName": g, "queryString": "q"});
        (1, "CreateDynamicThingGroup", params)
    };
    let mut steps = vec![
        group("g0", None),
        group("g1", Some("g0")),
        group("g2", Some("g1")),
        group("g3", None),
        group("g6", Some("g0")),
        dynamic("g4"),
        dynamic("g5"),
    ];
    steps.extend(
        TYPES
            .iter()
            .map(|y| (1, "CreateThingType", json!({"thingTypeName": y}))),
    );
    steps.extend(
        THINGS
            .iter()
            .map(|t| (1, "CreateThing", json!({"thingName": t}))),
    );
    steps
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![4 => thing_step(), 3 => group_step(), 1 => other_step()];
    let step = (
        prop_oneof![3 => Just(1), 1 => Just(0), 1 => Just(200)],
        step,
    );
    let step = step.prop_map(|(wait, (op, params))| (wait, op, params));
    let steps = prop::collection::vec(step, 1..70);
    (any::<bool>(), steps).prop_map(|(empty, steps)| {
        let mut script = if empty { vec![] } else { beginning() };
        script.extend(steps);
        script
    })
}

fn quotas() -> (Limits, Quotas) {
    let mut limits = Limits::default();
    limits.attributes_untyped = 1;
    limits.attributes_typed = 2;
    limits.attributes_per_group = 2;
    limits.groups_per_thing = 2;
    limits.group_depth = 3;
    limits.group_children = 2;
    limits.dynamic_groups = 3;
    let quotas = Quotas {
        untyped: 1,
        typed: 2,
        of_group: 2,
        groups: 2,
        depth: 3,
        children: 2,
        dynamic: 3,
        policies: 2,
        wait: 300,
    };
    (limits, quotas)
}

/// Runs a script in both, comparing every answer; `after` looks at every state.
fn run(
    script: &[Step],
    mut after: impl FnMut(&World, &Oracle) -> Result<(), TestCaseError>,
) -> Result<(World, Oracle), TestCaseError> {
    let (limits, quotas) = quotas();
    let (mut world, mut oracle) = (World::new(), Oracle::default());
    (world.limits, oracle.quotas) = (limits, quotas);
    for (wait, op, params) in script {
        oracle.now += wait;
        world.now = Timestamp::from_secs(oracle.now);
        let found = world.call(op, params).map(|(_, events)| events.len());
        let found = found.map_err(|failure| failure.codes[0]);
        let expected = oracle.call(op, params);
        prop_assert_eq!(found, expected, "{} {}", op, params);
        after(&world, &oracle)?;
    }
    Ok((world, oracle))
}

/// The world's things and groups in the model's plain values, lives left out.
fn same_state(world: &World, oracle: &Oracle) -> Result<(), TestCaseError> {
    let things: BTreeMap<_, _> = world
        .all_things()
        .map(|t| (t.name.to_string(), t))
        .collect();
    prop_assert!(things.keys().eq(oracle.things.keys()));
    for (name, plain) in &oracle.things {
        let thing = things[name];
        prop_assert_eq!(thing.version.0, plain.version);
        prop_assert_eq!(
            thing.thing_type.as_ref().map(|t| t.as_str()),
            plain.thing_type.as_deref()
        );
        let attributes: Vec<_> = thing.attributes.iter().collect();
        let expected: Vec<_> = plain
            .attributes
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        prop_assert_eq!(attributes, expected);
        let groups: Vec<_> = thing
            .live_groups(world)
            .map(|m| m.group.group_name.to_string())
            .collect();
        let expected: Vec<_> = oracle
            .memberships(name)
            .into_iter()
            .map(|(group, _)| group)
            .collect();
        prop_assert_eq!(groups, expected);
        let billing = thing
            .live_billing_group(world)
            .map(|b| b.billing_group_name.as_str());
        let alive = |b: &&oracle::Life| oracle.billing.get(&b.0).is_some_and(|g| g.0 == b.1);
        prop_assert_eq!(
            billing,
            plain.billing.as_ref().filter(alive).map(|b| b.0.as_str())
        );
    }
    let groups: BTreeMap<_, _> = world
        .all_groups()
        .map(|g| (g.name.to_string(), g))
        .collect();
    prop_assert!(groups.keys().eq(oracle.groups.keys()));
    for (name, plain) in &oracle.groups {
        let group = groups[name];
        prop_assert_eq!(group.version.0, plain.version);
        prop_assert_eq!(
            group.description.as_ref().map(|d| d.as_str()),
            plain.description.as_deref()
        );
        prop_assert!(
            group.attributes.iter().eq(plain
                .attributes
                .iter()
                .map(|(k, v)| (k.as_str(), v.as_str())))
        );
        prop_assert!(
            group
                .policies
                .iter()
                .map(|p| p.as_str())
                .eq(plain.policies.iter().map(String::as_str))
        );
        prop_assert_eq!(
            group.parent().map(|p| p.group_name.as_str()),
            plain.parent.as_deref()
        );
    }
    for (name, (description, since)) in &oracle.types {
        let record = world.types.state(&name.parse().unwrap());
        let found = record.thing_type().unwrap();
        prop_assert_eq!(
            found.description.as_ref().map(|d| d.as_str()),
            description.as_deref()
        );
        let found = found.deprecated_at();
        prop_assert_eq!(found.map(Timestamp::as_secs), *since);
    }
    Ok(())
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("FLEET_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(128))
}

proptest! {
    #![proptest_config(cases())]

    /// Every answer and every state is that of the independent model (also appendix B, 4: a refused
    /// command changes nothing, a version is one more than the number of updates).
    #[test]
    fn agrees_with_the_model_and_replays(script in script()) {
        let (world, _) = run(&script, same_state)?;
        world.assert_replays();
    }

    /// Appendix B, 1.
    #[test]
    fn attributes_stay_within_their_quota(script in script()) {
        run(&script, |world, _| {
            for thing in world.all_things() {
                let quota = if thing.thing_type.is_some() { 2 } else { 1 };
                prop_assert!(thing.attributes.len() <= quota);
            }
            Ok(())
        })?;
    }

    /// Appendix B, 2.
    #[test]
    fn memberships_stay_within_their_rules(script in script()) {
        run(&script, |world, _| {
            for thing in world.all_things() {
                let live: Vec<_> = thing.live_groups(world).collect();
                prop_assert!(live.len() <= world.limits.groups_per_thing);
                let mut roots: Vec<_> = live
                    .iter()
                    .filter_map(|m| match &m.kind {
                        MembershipKind::Static { root } => Some(root.group_id),
                        MembershipKind::Dynamic { .. } => None,
                    })
                    .collect();
                let count = roots.len();
                roots.sort_unstable();
                roots.dedup();
                prop_assert_eq!(roots.len(), count);
                let mut ids: Vec<_> = thing.groups.iter().map(|m| m.membership_id).collect();
                ids.sort_unstable();
                ids.dedup();
                prop_assert_eq!(ids.len(), thing.groups.len());
            }
            for group in world.all_groups().filter(|group| group.is_dynamic()) {
                prop_assert!(group.ancestors().is_empty() && group.policies.is_empty());
                prop_assert_eq!(group::View::children(world, group.id), 0);
            }
            Ok(())
        })?;
    }

    /// Appendix B, 3.
    #[test]
    fn hierarchies_stay_within_their_rules(script in script()) {
        run(&script, |world, oracle| {
            for group in world.all_groups() {
                prop_assert!(group.depth() <= world.limits.group_depth);
                prop_assert!(group::View::children(world, group.id) <= world.limits.group_children);
                let mut chain = oracle.chain(group.name.as_str());
                chain.remove(0);
                chain.reverse();
                let path: Vec<_> = group.ancestors().iter().map(|a| a.group_name.to_string()).collect();
                prop_assert_eq!(path, chain);
                for ancestor in group.ancestors() {
                    let found = world.group_state(&ancestor.group_name).map(|g| g.id);
                    prop_assert_eq!(found, Some(ancestor.group_id));
                }
            }
            Ok(())
        })?;
    }

    /// Appendix B, 5: repeating a create with the content that is there appends nothing.
    #[test]
    fn an_identical_create_appends_nothing(script in script()) {
        let (mut world, _) = run(&script, |_, _| Ok(()))?;
        let things: Vec<_> = world.all_things().cloned().collect();
        for thing in things {
            let params = object(json!({
                "thingName": thing.name,
                "thingTypeName": thing.thing_type,
                "billingGroupName": thing.live_billing_group(&world).map(|b| &b.billing_group_name),
                "attributePayload": {"attributes": thing.attributes},
            }));
            prop_assert_eq!(world.call("CreateThing", &params).unwrap().1.len(), 0);
        }
        let groups: Vec<_> = world.all_groups().cloned().collect();
        for group in groups {
            let (op, query) = match &group.kind {
                Kind::Static { .. } => ("CreateThingGroup", None),
                Kind::Dynamic { query, .. } => ("CreateDynamicThingGroup", Some(query.query_string.clone())),
            };
            let params = object(json!({
                "thingGroupName": group.name,
                "parentGroupName": group.parent().map(|parent| &parent.group_name),
                "queryString": query,
                "thingGroupProperties": object(json!({
                    "thingGroupDescription": group.description,
                    "attributePayload": {"attributes": group.attributes},
                })),
            }));
            prop_assert_eq!(world.call(op, &params).unwrap().1.len(), 0);
        }
    }

    /// Effective attributes and their provenance equal a recomputation from the root down.
    #[test]
    fn effective_attributes_equal_a_naive_recomputation(script in script()) {
        let (world, oracle) = run(&script, |_, _| Ok(()))?;
        for thing in world.all_things() {
            let mut above = Vec::new();
            for membership in thing.live_groups(&world) {
                let group = world.group_state(&membership.group.group_name).unwrap();
                if group.is_dynamic() {
                    continue;
                }
                let names: Vec<ThingGroupName> = group.ancestors().iter().map(|a| a.group_name.clone()).collect();
                above.extend(names.iter().map(|name| world.group_state(name).unwrap()));
                above.push(group);
            }
            let references: Vec<_> = above.iter().map(group::Group::reference).collect();
            let layers = || references.iter().zip(&above).map(|(reference, group)| Layer {
                group: reference,
                depth: group.depth(),
                attributes: &group.attributes,
            });
            let origin = |origin: &Origin<'_>| match origin {
                Origin::Own => None,
                Origin::Group { group, .. } => Some(group.group_name.to_string()),
            };
            let found: BTreeMap<_, _> = group::effective(&thing.attributes, layers())
                .into_iter()
                .map(|(name, e)| (name.to_owned(), (e.value.to_owned(), origin(&e.origin))))
                .collect();
            prop_assert_eq!(&found, &oracle.effective(thing.name.as_str()));
            let explained = group::explain(&thing.attributes, layers());
            prop_assert_eq!(explained.len(), found.len());
            for (name, candidates) in explained {
                let (value, from) = &found[name];
                prop_assert_eq!((candidates[0].value, origin(&candidates[0].origin)), (value.as_str(), from.clone()));
                prop_assert!(candidates.iter().skip(1).all(|c| c.verdict != Verdict::Won));
                let defined = layers().filter(|l| l.attributes.get(name).is_some()).count();
                let own = usize::from(thing.attributes.get(name).is_some());
                prop_assert_eq!(candidates.len(), defined + own);
            }
        }
    }
}

/// The scripts reach every rule of the model and every kind of event: the properties are not vacuous.
#[test]
fn scripts_reach_every_rule() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..1000 {
        let script = script().new_tree(&mut runner).unwrap().current();
        let mut world = World::new();
        (world.limits, _) = quotas();
        let mut now = 0;
        for (wait, op, params) in script {
            now += wait;
            world.now = Timestamp::from_secs(now);
            match world.call(op, &params) {
                Ok((_, events)) => seen.extend(events),
                Err(failure) => seen.extend(failure.codes),
            }
        }
    }
    let codes = [
        fleet_model::thing::CODES,
        fleet_model::thing_type::CODES,
        fleet_model::group::CODES,
        fleet_model::billing_group::CODES,
    ];
    let codes = codes.into_iter().flatten().map(|(code, _)| *code);
    let types = [
        fleet_model::thing::Event::TYPES,
        fleet_model::thing_type::Event::TYPES,
        group::Event::TYPES,
        fleet_model::billing_group::Event::TYPES,
    ];
    let types = types.into_iter().flatten().map(|(name, _)| *name);
    // Reached elsewhere: the IoT Hub face, principals, tags, builds, and what a whole request decides.
    let elsewhere = |name: &&str| {
        name.starts_with("device.")
            || name.contains("principal")
            || name.contains("tagged")
            || name.contains("searchable")
            || name.contains("unknown_")
            || matches!(
                *name,
                "thing.no_thing_face"
                    | "group.index_not_ready"
                    | "group.built"
                    | "thing_type.updated"
            )
    };
    let missing: Vec<_> = codes
        .chain(types)
        .filter(|name| !elsewhere(name) && !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
