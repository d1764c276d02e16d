//! Twins against an independent model over plain values, and the invariants of AWS appendix B and Azure appendix C.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use fleet_model::kernel::{Context, Decider, ErrorCode, Timestamp, WireEvent};
use fleet_model::limits::Limits;
use fleet_model::twin::{
    Condition, Incarnation, Payload, ShadowLife, Twin, TwinCommand, TwinEvent, TwinKey, TwinState,
    TwinView, Writer, hub, merge_patch, shadow,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// One section over plain values: what stands there, and a stamp per path (of objects too).
#[derive(Clone, Debug, Default)]
struct Section {
    value: Map<String, Value>,
    stamps: BTreeMap<Vec<String>, (Timestamp, u64)>,
    version: u64,
    updated: Option<Timestamp>,
}

impl Section {
    fn new() -> Self {
        Self {
            version: 1,
            ..Self::default()
        }
    }

    fn patch(&mut self, patch: &Value, at: Timestamp) {
        self.version += 1;
        self.updated = Some(at);
        match patch {
            Value::Null => {
                self.value.clear();
                self.stamps.clear();
            }
            Value::Object(patch) => {
                let stamp = (at, self.version);
                Self::merge(&mut self.value, &mut self.stamps, &[], patch, stamp);
            }
            _ => panic!("no patch: {patch}"),
        }
    }

    fn replace(&mut self, whole: &Value, at: Timestamp) {
        self.value.clear();
        self.stamps.clear();
        self.patch(whole, at);
    }

    fn merge(
        target: &mut Map<String, Value>,
        stamps: &mut BTreeMap<Vec<String>, (Timestamp, u64)>,
        above: &[String],
        patch: &Map<String, Value>,
        stamp: (Timestamp, u64),
    ) {
        for (name, value) in patch {
            let mut path = above.to_vec();
            path.push(name.clone());
            let both = target.get(name).is_some_and(Value::is_object) && value.is_object();
            if !both {
                target.remove(name);
                stamps.retain(|known, _| !known.starts_with(&path));
            }
            match value {
                Value::Null => continue,
                Value::Object(inner) => {
                    let slot = target.entry(name.clone()).or_insert_with(|| json!({}));
                    Self::merge(slot.as_object_mut().unwrap(), stamps, &path, inner, stamp);
                }
                other => {
                    target.insert(name.clone(), other.clone());
                }
            }
            stamps.insert(path, stamp);
        }
    }

    /// `$metadata` as IoT Hub shows it.
    fn hub_metadata(&self, versioned: bool) -> Value {
        let mut root = json!({ "$lastUpdated": hub::time_text(self.updated) });
        if versioned && self.updated.is_some() {
            root["$lastUpdatedVersion"] = json!(self.version);
        }
        for (path, (at, version)) in &self.stamps {
            let mut node = &mut root;
            for name in path {
                node = &mut node[name];
            }
            node["$lastUpdated"] = json!(at.to_string());
            if versioned {
                node["$lastUpdatedVersion"] = json!(version);
            }
        }
        root
    }

    /// Metadata as the shadow shows it: a timestamp per leaf and array element.
    fn shadow_metadata(&self) -> Value {
        fn stamped(value: &Value, seconds: i64) -> Value {
            match value {
                Value::Array(all) => all.iter().map(|one| stamped(one, seconds)).collect(),
                Value::Object(all) => all
                    .iter()
                    .map(|(name, one)| (name.clone(), stamped(one, seconds)))
                    .collect::<Map<_, _>>()
                    .into(),
                _ => json!({ "timestamp": seconds }),
            }
        }
        fn walk(section: &Section, value: &Map<String, Value>, above: &[String]) -> Value {
            let mut out = Map::new();
            for (name, value) in value {
                let mut path = above.to_vec();
                path.push(name.clone());
                let inner = match value {
                    Value::Object(value) => walk(section, value, &path),
                    other => stamped(other, section.stamps[&path].0.as_secs()),
                };
                out.insert(name.clone(), inner);
            }
            Value::Object(out)
        }
        walk(self, &self.value, &[])
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Life {
    Unwritten,
    Live(u64, Timestamp),
    Deleted(u64, Timestamp),
}

#[derive(Clone, Debug)]
struct Model {
    tags: Section,
    desired: Section,
    reported: Section,
    root: u64,
    etag: u64,
    life: Life,
    incarnation: Option<u128>,
    configurations: BTreeMap<String, hub::ConfigurationStatus>,
}

impl Model {
    fn new() -> Self {
        Self {
            tags: Section::new(),
            desired: Section::new(),
            reported: Section::new(),
            root: 2,
            etag: 1,
            life: Life::Unwritten,
            incarnation: None,
            configurations: BTreeMap::new(),
        }
    }

    fn base(&self, now: Timestamp) -> u64 {
        match self.life {
            Life::Unwritten => 0,
            Life::Live(version, _) => version,
            Life::Deleted(version, at) if now.as_secs() - at.as_secs() <= 48 * 3600 => version,
            Life::Deleted(..) => 0,
        }
    }

    fn restart(&mut self, now: Timestamp) {
        let life = match self.life {
            Life::Live(version, _) => Life::Deleted(version, now),
            other => other,
        };
        *self = Self {
            life,
            ..Self::new()
        };
    }

    fn enter(&mut self, incarnation: u128, now: Timestamp) {
        if self.incarnation.is_some_and(|known| known != incarnation) {
            self.restart(now);
        }
    }

    /// Runs a step; the code of the refusal, empty when it was taken.
    fn run(&mut self, step: &Step, incarnation: u128, now: Timestamp) -> &'static str {
        if let Step::End = step {
            if self.incarnation == Some(incarnation) {
                self.restart(now);
            }
            return "";
        }
        let mut next = self.clone();
        next.enter(incarnation, now);
        let base = next.base(now);
        match step {
            Step::Update {
                desired,
                reported,
                expected,
            } => {
                if expected.is_some_and(|expected| expected != base) {
                    return "shadow.version_conflict";
                }
                for (section, patch) in
                    [(&mut next.desired, desired), (&mut next.reported, reported)]
                {
                    if let Some(patch) = patch {
                        section.patch(patch, now);
                    }
                }
                next.root += 1;
                next.etag += u64::from(desired.is_some());
                next.life = Life::Live(base + 1, now);
            }
            Step::Delete => {
                let Life::Live(version, _) = next.life else {
                    return "shadow.not_found";
                };
                next.desired.patch(&Value::Null, now);
                next.reported.patch(&Value::Null, now);
                next.root += 1;
                next.etag += 1;
                next.life = Life::Deleted(version, now);
            }
            Step::Patch {
                tags,
                desired,
                etag,
            } => {
                if etag.is_some_and(|etag| etag != next.etag) {
                    return "twin.precondition_failed";
                }
                if tags.is_none() && desired.is_none() {
                    return "";
                }
                for (section, patch) in [(&mut next.tags, tags), (&mut next.desired, desired)] {
                    if let Some(patch) = patch {
                        section.patch(patch, now);
                    }
                }
                next.root += 1;
                next.etag += 1;
                if desired.is_some() {
                    next.life = Life::Live(base + 1, now);
                }
            }
            Step::Replace { tags, desired } => {
                next.tags.replace(tags, now);
                next.desired.replace(desired, now);
                next.root += 1;
                next.etag += 1;
                next.life = Life::Live(base + 1, now);
            }
            Step::Report(patch) => {
                next.reported.patch(patch, now);
                next.root += 1;
                next.life = Life::Live(base + 1, now);
            }
            Step::Configure(id, status) => {
                if next.configurations.get(id) == status.as_ref() {
                    return "";
                }
                match status {
                    Some(status) => next.configurations.insert(id.clone(), *status),
                    None => next.configurations.remove(id),
                };
            }
            Step::Wait(_) | Step::Reborn | Step::End => return "",
        }
        next.incarnation = Some(incarnation);
        *self = next;
        ""
    }

    /// As a reader of the life `incarnation` sees it.
    fn seen(&self, incarnation: u128, now: Timestamp) -> Self {
        let mut seen = self.clone();
        seen.enter(incarnation, now);
        seen
    }
}

#[derive(Clone, Debug)]
enum Step {
    Update {
        desired: Option<Value>,
        reported: Option<Value>,
        expected: Option<u64>,
    },
    Delete,
    Patch {
        tags: Option<Value>,
        desired: Option<Value>,
        etag: Option<u64>,
    },
    Replace {
        tags: Value,
        desired: Value,
    },
    Report(Value),
    Configure(String, Option<hub::ConfigurationStatus>),
    Wait(i64),
    Reborn,
    End,
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => (0..4i64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => "[a-c]{0,2}".prop_map(Value::from),
        1 => prop::collection::vec(prop_oneof![(0..3i64).prop_map(Value::from), Just(json!({"a": 1}))], 0..3).prop_map(Value::from),
        1 => Just(json!(1.5)),
    ]
}

fn object(nulls: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => leaf(), nulls => Just(Value::Null)];
    let value = leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[a-d]", inner, 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    });
    prop::collection::btree_map("[a-d]", value, 0..4)
        .prop_map(|members| Value::Object(members.into_iter().collect()))
}

fn section() -> impl Strategy<Value = Option<Value>> {
    prop_oneof![2 => Just(None), 1 => Just(Some(Value::Null)), 6 => object(1).prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (section(), section(), prop::option::weighted(0.2, 0..6u64)).prop_map(
            |(desired, reported, expected)| Step::Update { desired, reported, expected }),
        2 => Just(Step::Delete),
        4 => (section(), section(), prop::option::weighted(0.2, 1..6u64)).prop_map(
            |(tags, desired, etag)| Step::Patch { tags, desired, etag }),
        1 => (object(1), object(1)).prop_map(|(tags, desired)| Step::Replace { tags, desired }),
        4 => object(1).prop_map(Step::Report),
        1 => ("[ab]", prop_oneof![
            Just(None), Just(Some(hub::ConfigurationStatus::Targeted)), Just(Some(hub::ConfigurationStatus::Applied)),
        ]).prop_map(|(id, status)| Step::Configure(id, status)),
        2 => prop_oneof![Just(1), Just(3_600), Just(48 * 3_600), Just(60 * 3_600)].prop_map(Step::Wait),
        1 => Just(Step::Reborn),
        1 => Just(Step::End),
    ]
}

fn command(step: &Step, incarnation: u128) -> Option<TwinCommand> {
    let body = |tags: Option<&Value>, desired: Option<&Value>| {
        let mut body = json!({});
        if let Some(tags) = tags {
            body["tags"] = tags.clone();
        }
        if let Some(desired) = desired {
            body["properties"] = json!({ "desired": desired });
        }
        body
    };
    Some(match step {
        Step::Update {
            desired,
            reported,
            expected,
        } => {
            let mut payload = json!({ "state": {} });
            if let Some(desired) = desired {
                payload["state"]["desired"] = desired.clone();
            }
            if let Some(reported) = reported {
                payload["state"]["reported"] = reported.clone();
            }
            if let Some(expected) = expected {
                payload["version"] = json!(expected);
            }
            TwinCommand::UpdateShadow {
                payload: Payload::Bytes(payload.to_string().into_bytes()),
            }
        }
        Step::Delete => TwinCommand::DeleteShadow { client_token: None },
        Step::Patch {
            tags,
            desired,
            etag,
        } => TwinCommand::Patch {
            body: body(tags.as_ref(), desired.as_ref()),
            condition: Condition {
                if_match: etag.map(|etag| hub::Etag::of(etag).to_string().parse().unwrap()),
                ..Condition::default()
            },
            writer: Writer::Service,
        },
        Step::Replace { tags, desired } => TwinCommand::Replace {
            body: body(Some(tags), Some(desired)),
            condition: Condition::default(),
        },
        Step::Report(patch) => TwinCommand::PatchReported {
            body: patch.clone(),
            expected_version: None,
        },
        Step::Configure(id, status) => TwinCommand::SetConfigurations {
            changes: [(id.clone(), *status)].into(),
        },
        Step::End => TwinCommand::End {
            incarnation: Some(Incarnation(uuid(incarnation))),
        },
        Step::Wait(_) | Step::Reborn => return None,
    })
}

fn uuid(n: u128) -> uuid::Uuid {
    uuid::Uuid::from_u128(n)
}

fn key() -> TwinKey {
    TwinKey::Device("press-7".parse().unwrap())
}

struct Run {
    limits: Limits,
    view: TwinView,
    now: Timestamp,
    twin: TwinState,
    log: Vec<TwinEvent>,
}

impl Run {
    fn new() -> Self {
        Self {
            limits: Limits::default(),
            view: TwinView {
                key: key(),
                incarnation: None,
            },
            now: Timestamp::from_secs(1_700_000_000),
            twin: Twin::initial(),
            log: Vec::new(),
        }
    }

    fn run(&mut self, command: TwinCommand) -> &'static str {
        let context = Context {
            now: self.now,
            limits: &self.limits,
            view: &self.view,
        };
        match Twin::decide(&self.twin, command, &context) {
            Err(refused) => refused.code(),
            Ok(events) => {
                for event in events {
                    self.twin = Twin::evolve(self.twin.clone(), &event);
                    self.log.push(event);
                }
                ""
            }
        }
    }

    fn update(&mut self, state: Value) -> &'static str {
        self.run(TwinCommand::UpdateShadow {
            payload: Payload::Json(json!({ "state": state })),
        })
    }

    fn state(&self) -> Value {
        shadow::document(&key(), &self.twin, None).unwrap()["state"].clone()
    }
}

fn shown(section: &Section, versioned: bool) -> Value {
    let mut value = Value::Object(section.value.clone());
    value["$metadata"] = section.hub_metadata(versioned);
    value["$version"] = json!(section.version);
    value
}

/// Delta by its definition, over plain values.
fn delta(desired: &Map<String, Value>, reported: &Map<String, Value>) -> Map<String, Value> {
    let mut out = Map::new();
    for (name, wanted) in desired {
        match (wanted, reported.get(name)) {
            (Value::Object(wanted), Some(Value::Object(is))) => {
                let inner = delta(wanted, is);
                if !inner.is_empty() {
                    out.insert(name.clone(), inner.into());
                }
            }
            (wanted, Some(is)) if wanted == is => {}
            _ => {
                out.insert(name.clone(), wanted.clone());
            }
        }
    }
    out
}

fn check_shadow(model: &Model, twin: &TwinState) {
    let document = shadow::document(&key(), twin, None);
    let Life::Live(version, at) = model.life else {
        assert_eq!(document.unwrap_err().code(), "shadow.not_found");
        return;
    };
    let (mut state, mut metadata) = (json!({}), json!({}));
    for (name, section) in [("desired", &model.desired), ("reported", &model.reported)] {
        if !section.value.is_empty() {
            state[name] = Value::Object(section.value.clone());
            metadata[name] = section.shadow_metadata();
        }
    }
    let delta = delta(&model.desired.value, &model.reported.value);
    if !delta.is_empty() {
        state["delta"] = delta.into();
    }
    let expected = json!({
        "state": state, "metadata": metadata, "version": version, "timestamp": at.as_secs(),
    });
    assert_eq!(document.unwrap(), expected);
}

/// Leaf values by path, objects left out.
fn leaves(value: &Value, above: &str, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members.iter().filter(|(name, _)| !name.starts_with('$')) {
                leaves(member, &format!("{above}/{name}"), out);
            }
        }
        leaf => {
            out.insert(above.to_owned(), leaf.clone());
        }
    }
}

fn no_null(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(all) => all.iter().all(no_null),
        Value::Object(all) => all.values().all(no_null),
        _ => true,
    }
}

/// Whether metadata has the shape of state (AWS appendix B 13).
fn same_shape(state: &Value, metadata: &Value) -> bool {
    match (state, metadata) {
        (Value::Object(state), Value::Object(metadata)) => {
            state.len() == metadata.len()
                && state
                    .iter()
                    .all(|(name, one)| metadata.get(name).is_some_and(|m| same_shape(one, m)))
        }
        (Value::Array(state), Value::Array(metadata)) => {
            state.len() == metadata.len()
                && state
                    .iter()
                    .zip(metadata)
                    .all(|(one, m)| same_shape(one, m))
        }
        (Value::Object(_) | Value::Array(_), _) => false,
        (_, metadata) => metadata.get("timestamp").is_some_and(Value::is_i64),
    }
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(128);
    ProptestConfig::with_cases(cases)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn versions_values_and_metadata_are_those_of_the_model(steps in prop::collection::vec(step(), 0..24)) {
        let (mut run, mut model, mut life) = (Run::new(), Model::new(), 1_u128);
        for step in steps {
            match step {
                Step::Wait(seconds) => run.now = run.now.plus_secs(seconds),
                Step::Reborn => life += 1,
                _ => run.now = run.now.plus_secs(1),
            }
            run.view.incarnation = Some(Incarnation(uuid(life)));
            let expected = model.run(&step, life, run.now);
            if let Some(command) = command(&step, life) {
                prop_assert_eq!(run.run(command), expected, "{:?}", step);
            }
            let seen = run.twin.in_life(run.view.incarnation, run.now);
            let model = model.seen(life, run.now);
            let document = hub::document(&key(), &seen, &hub::IdentityFacts::default());
            prop_assert_eq!(&document["tags"], &Value::Object(model.tags.value.clone()));
            prop_assert_eq!(&document["properties"]["desired"], &shown(&model.desired, true));
            prop_assert_eq!(&document["properties"]["reported"], &shown(&model.reported, false));
            prop_assert_eq!(&document["version"], &json!(model.root));
            prop_assert_eq!(seen.etag().to_string(), hub::Etag::of(model.etag).to_string());
            prop_assert_eq!(seen.configurations(), &model.configurations);
            check_shadow(&model, &seen);
        }
        // Replay through the stored form equals the live state.
        let replayed = run.log.iter().fold(Twin::initial(), |state, event| {
            let bytes = event.to_data();
            Twin::evolve(state, &TwinEvent::from_data(event.event_type(), &bytes).unwrap())
        });
        prop_assert_eq!(replayed, run.twin);
    }

    #[test]
    fn both_faces_agree_on_leaf_values(steps in prop::collection::vec(step(), 0..16)) {
        let mut run = Run::new();
        for step in steps {
            run.now = run.now.plus_secs(1);
            if let Some(command) = command(&step, 1) {
                run.run(command);
            }
            let (mut aws, mut hub_leaves) = (BTreeMap::new(), BTreeMap::new());
            let state = shadow::document(&key(), &run.twin, None).unwrap_or_default();
            for name in ["desired", "reported"] {
                leaves(&state["state"].get(name).cloned().unwrap_or(json!({})), name, &mut aws);
                leaves(&hub::properties(&run.twin)[name], name, &mut hub_leaves);
            }
            prop_assert_eq!(aws, hub_leaves);
        }
    }

    /// AWS appendix B 10.
    #[test]
    fn reporting_the_delta_empties_it(desired in object(0), reported in object(0)) {
        let mut run = Run::new();
        run.update(json!({ "desired": desired, "reported": reported }));
        let delta = run.state().get("delta").cloned().unwrap_or(json!({}));
        let full = run.update(json!({ "reported": delta }));
        prop_assert_eq!(full, "");
        // The spec exempts explicit empty objects and arrays of differing type; here they hold too.
        prop_assert!(run.state().get("delta").is_none(), "{}", run.state());
    }

    /// AWS appendix B 11, first half.
    #[test]
    fn shadow_versions_rise_within_the_tombstone_window(steps in prop::collection::vec(step(), 0..24)) {
        let (mut run, mut last) = (Run::new(), 0);
        for step in steps {
            run.now = run.now.plus_secs(60);
            let Some(command) = command(&step, 1) else { continue };
            let before = run.log.len();
            run.run(command);
            let touched = run.log[before..].iter().any(|event| match event {
                TwinEvent::Patched(event) => event.shadow_version.is_some(),
                TwinEvent::Replaced(event) => event.shadow_version.is_some(),
                _ => false,
            });
            if let (true, ShadowLife::Live { version, .. }) = (touched, run.twin.shadow()) {
                prop_assert!(version > last, "{version} after {last}");
                last = version;
            }
        }
    }

    /// AWS appendix B 11, second half; Azure appendix C 2.
    #[test]
    fn a_patch_twice_is_the_patch_once_with_later_versions(start in object(0), patch in object(1)) {
        let mut run = Run::new();
        run.update(json!({ "desired": start }));
        run.update(json!({ "desired": patch }));
        let (once, version) = (run.twin.desired().members().to_json(), run.twin.desired().version());
        run.update(json!({ "desired": patch }));
        prop_assert_eq!(run.twin.desired().members().to_json(), once);
        prop_assert_eq!(run.twin.desired().version(), version + 1);
    }

    /// AWS appendix B 12, second half.
    #[test]
    fn what_a_patch_does_not_name_keeps_value_and_timestamp(start in object(0), patch in object(1)) {
        let mut run = Run::new();
        run.update(json!({ "desired": start }));
        let before = run.twin.clone();
        run.now = run.now.plus_secs(100);
        run.update(json!({ "desired": patch }));
        for (name, node) in before.desired().members().iter() {
            if patch.get(name).is_none() {
                prop_assert_eq!(run.twin.desired().members().get(name), Some(node));
            }
        }
    }

    /// AWS appendix B 12, first half; Azure appendix C 1: without type changes on a path.
    #[test]
    fn merging_is_associative_without_nulls(target in typed(), p in typed(), q in typed()) {
        let left = merge_patch(&merge_patch(&target, &p), &q);
        prop_assert_eq!(left, merge_patch(&target, &merge_patch(&p, &q)));
    }

    /// AWS appendix B 13.
    #[test]
    fn no_state_holds_null_and_metadata_has_its_shape(steps in prop::collection::vec(step(), 0..16)) {
        let mut run = Run::new();
        for step in steps {
            run.now = run.now.plus_secs(1);
            if let Some(command) = command(&step, 1) {
                run.run(command);
            }
            let Ok(document) = shadow::document(&key(), &run.twin, None) else { continue };
            let mut state = document["state"].clone();
            prop_assert!(no_null(&state));
            state.as_object_mut().unwrap().remove("delta");
            prop_assert!(same_shape(&state, &document["metadata"]), "{document}");
        }
    }

    #[test]
    fn the_tree_merges_as_the_pure_function(target in object(1), patch in object(2)) {
        let mut run = Run::new();
        run.update(json!({ "reported": target }));
        run.update(json!({ "reported": patch }));
        let expected = merge_patch(&merge_patch(&json!({}), &target), &patch);
        prop_assert_eq!(Value::Object(run.twin.reported().members().to_json()), expected);
    }

    /// Quotas are judged as by merging plain values and measuring the result; see also Azure appendix C 3.
    #[test]
    fn size_and_depth_are_judged_by_the_result(patches in prop::collection::vec((section(), section()), 1..8)) {
        let mut run = Run::new();
        run.limits.shadow.document_bytes = 48;
        run.limits.shadow.depth = 2;
        let mut state = json!({});
        for (desired, reported) in patches {
            let mut request = json!({});
            let mut after = state.clone();
            let mut deep = false;
            for (name, patch) in [("desired", &desired), ("reported", &reported)] {
                let Some(patch) = patch else { continue };
                request[name] = patch.clone();
                let before = after.get(name).cloned().unwrap_or(json!({}));
                deep |= depth(patch) > 2 && depth(patch) > depth(&before);
                let members = after.as_object_mut().unwrap();
                match merge_patch(&before, patch) {
                    Value::Object(merged) if !merged.is_empty() => members.insert(name.to_owned(), merged.into()),
                    _ => members.remove(name),
                };
            }
            let bytes = |value: &Value| value.to_string().len();
            let grows = |value: &Value| bytes(value) > 48 && bytes(value) > bytes(&state);
            let expected = if grows(&request) || !deep && grows(&after) {
                "shadow.too_large"
            } else if deep {
                "shadow.too_deep"
            } else {
                ""
            };
            prop_assert_eq!(run.update(request), expected);
            if expected.is_empty() {
                state = after;
            }
        }
    }

    #[test]
    fn hub_sizes_are_judged_by_the_result(patches in prop::collection::vec(object(1), 1..10)) {
        let mut run = Run::new();
        run.limits.twin.reported_bytes = 30;
        let mut state = json!({});
        for patch in patches {
            let after = merge_patch(&state, &patch);
            let fits = hub_size(&after) <= 30 || hub_size(&after) <= hub_size(&state);
            let command = TwinCommand::PatchReported { body: patch, expected_version: None };
            prop_assert_eq!(run.run(command), if fits { "" } else { "twin.too_large" });
            if fits {
                state = after;
            }
        }
    }

    #[test]
    fn no_shadow_payload_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut run = Run::new();
        run.run(TwinCommand::UpdateShadow { payload: Payload::Bytes(bytes) });
    }
}

/// Objects in which a name always holds the same kind: `o…` objects, others leaves.
fn typed() -> impl Strategy<Value = Value> {
    let level = |inner: BoxedStrategy<Value>| {
        (
            prop::collection::btree_map("[xy]", leaf(), 0..3),
            prop::collection::btree_map("o[12]", inner, 0..3),
        )
            .prop_map(|(leaves, objects)| {
                Value::Object(leaves.into_iter().chain(objects).collect())
            })
            .boxed()
    };
    level(level(level(Just(json!({})).boxed())))
}

/// Levels of a section, its members being the first; arrays are none (AWS 4.1).
fn depth(value: &Value) -> usize {
    match value {
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        Value::Array(elements) => elements.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// The size of Azure 2.3.
fn hub_size(value: &Value) -> usize {
    let text = |text: &str| text.chars().filter(|c| !c.is_control()).count();
    match value {
        Value::Null => 0,
        Value::Bool(_) => 4,
        Value::Number(_) => 8,
        Value::String(value) => text(value),
        Value::Array(all) => all.iter().map(hub_size).sum(),
        Value::Object(all) => all
            .iter()
            .map(|(name, one)| text(name) + hub_size(one))
            .sum(),
    }
}
