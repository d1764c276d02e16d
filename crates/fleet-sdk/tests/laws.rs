//! What holds whatever happens: rules of membership under any commands, replay equals live, a stop between any
//! two appends, both stores alike.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests"
)]

mod fleet;
mod membership;

use async_trait::async_trait;
use fleet::{call, memory, open};
use fleet_model::kernel::{Position, StreamName, StreamVersion, TenantId};
use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::*;
use membership::{LIMIT, PARENTS, Plain, Step, THINGS};
use pollster::block_on;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A store that is cut off after a number of appends: as if the process had stopped there.
struct Cut {
    inner: Arc<MemoryStore>,
    left: AtomicUsize,
}

#[async_trait]
impl EventStore for Cut {
    fn tenant(&self) -> &TenantId {
        self.inner.tenant()
    }
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }
    async fn append(&self, append: Append) -> Result<Appended, StoreError> {
        let taken = self
            .left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        if taken.is_err() {
            return Err(StoreError::Unavailable {
                reason: "stopped".to_owned(),
                retry_after: None,
            });
        }
        self.inner.append(append).await
    }
    async fn append_batch(&self, appends: Vec<Append>) -> Vec<Result<Appended, StoreError>> {
        let mut outcomes = Vec::new();
        for append in appends {
            outcomes.push(self.append(append).await);
        }
        outcomes
    }
    async fn read_stream(&self, read: StreamRead) -> Result<StreamPage, StoreError> {
        self.inner.read_stream(read).await
    }
    async fn read_all(&self, read: LogRead) -> Result<LogPage, StoreError> {
        self.inner.read_all(read).await
    }
    async fn head(&self) -> Result<Position, StoreError> {
        self.inner.head().await
    }
    fn subscribe_all(&self, subscribe: Subscribe) -> Subscription {
        self.inner.subscribe_all(subscribe)
    }
    async fn save_snapshot(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.inner.save_snapshot(snapshot).await
    }
    async fn load_snapshot(
        &self,
        stream: &StreamName,
        schema: u16,
    ) -> Result<Option<Snapshot>, StoreError> {
        self.inner.load_snapshot(stream, schema).await
    }
    async fn save_checkpoint(&self, checkpoint: Checkpoint) -> Result<(), StoreError> {
        self.inner.save_checkpoint(checkpoint).await
    }
    async fn load_checkpoint(
        &self,
        name: &str,
        schema_hash: &[u8; 32],
    ) -> Result<CheckpointState, StoreError> {
        self.inner.load_checkpoint(name, schema_hash).await
    }
    async fn truncate_before(
        &self,
        stream: &StreamName,
        version: StreamVersion,
    ) -> Result<(), StoreError> {
        self.inner.truncate_before(stream, version).await
    }
    async fn tombstone(&self, stream: &StreamName) -> Result<(), StoreError> {
        self.inner.tombstone(stream).await
    }
    async fn backup(&self, to: &mut (dyn Write + Send)) -> Result<BackupSummary, StoreError> {
        self.inner.backup(to).await
    }
    async fn scrub(&self, after: Position, limit: u64) -> Result<ScrubPage, StoreError> {
        self.inner.scrub(after, limit).await
    }
}

/// A story whose every step may be told again.
fn story() -> Vec<(&'static str, Value)> {
    vec![
        ("CreateThingGroup", json!({"thingGroupName": "plant"})),
        (
            "CreateThing",
            json!({"thingName": "t", "attributePayload": {"attributes": {"a": "1"}}}),
        ),
        (
            "AddThingToThingGroup",
            json!({"thingName": "t", "thingGroupName": "plant"}),
        ),
        (
            "UpdateThingShadow",
            json!({"thingName": "t", "payload": {"state": {"desired": {"x": 1}}}}),
        ),
        (
            "UpdateThingShadow",
            json!({"thingName": "t", "shadowName": "cfg", "payload": {"state": {"desired": {"y": 1}}}}),
        ),
        ("DeleteThing", json!({"thingName": "t"})),
        ("DeleteThingGroup", json!({"thingGroupName": "plant"})),
        (
            "CreateOrReplaceDevice",
            json!({"deviceId": "d", "body": {"capabilities": {"iotEdge": true}}, "ifMatch": null}),
        ),
        (
            "CreateOrReplaceModule",
            json!({"deviceId": "d", "moduleId": "m"}),
        ),
        (
            "UpdateTwin",
            json!({"deviceId": "d", "moduleId": "m", "body": {"tags": {"k": 1}}}),
        ),
        ("DeleteDevice", json!({"deviceId": "d", "ifMatch": "*"})),
    ]
}

/// What a reader sees, without ids, dates and versions of streams.
fn picture(fleet: &Fleet) -> Value {
    json!({
        "things": call(fleet, "ListThings", json!({})).unwrap()["things"],
        "groups": call(fleet, "ListThingGroups", json!({"recursive": true})).unwrap(),
        "shadow": call(fleet, "GetThingShadow", json!({"thingName": "t"})).err(),
        "named": call(fleet, "ListNamedShadowsForThing", json!({"thingName": "t"})).unwrap()["results"],
        "module": call(fleet, "GetTwin", json!({"deviceId": "d", "moduleId": "m"})).err(),
        "query": call(fleet, "QueryTwins", json!({"query": "SELECT deviceId FROM devices"})).unwrap()["items"],
    })
}

#[test]
fn a_stop_between_any_two_appends_is_made_good() {
    let whole = memory();
    let fleet = open(whole.clone(), 1, 10);
    for (op, params) in story() {
        call(&fleet, op, params).unwrap();
    }
    let expected = picture(&fleet);
    let appends = usize::try_from(block_on(whole.head()).unwrap().0).unwrap();
    for cut in 0..appends {
        let inner = memory();
        let first = open(
            Arc::new(Cut {
                inner: inner.clone(),
                left: AtomicUsize::new(cut),
            }),
            1,
            10,
        );
        let mut stopped = None;
        for (n, (op, params)) in story().into_iter().enumerate() {
            match call(&first, op, params) {
                Ok(_) => {}
                Err(code) => {
                    assert_eq!(code, "store.unavailable", "cut {cut}");
                    stopped = Some(n);
                    break;
                }
            }
        }
        let Some(stopped) = stopped else { continue };
        let second = open(inner, 2, 10);
        let report = block_on(second.verify(&mut |_| ())).unwrap();
        assert_eq!(report.problems, [], "cut {cut}");
        // What was decided holds at once, whatever had not followed yet.
        if call(&second, "DescribeThing", json!({"thingName": "t"})).is_err() {
            assert_eq!(
                call(&second, "GetThingShadow", json!({"thingName": "t"})),
                Err("shadow.not_found".to_owned()),
                "cut {cut}"
            );
        }
        for (op, params) in story().into_iter().skip(stopped) {
            match call(&second, op, params) {
                Ok(_) => {}
                // The step had been decided before the stop.
                Err(code) => assert!(
                    [
                        "device.already_exists",
                        "module.already_exists",
                        "device.not_found"
                    ]
                    .contains(&code.as_str()),
                    "cut {cut}: {op} {code}"
                ),
            }
        }
        assert_eq!(picture(&second), expected, "cut {cut}");
    }
}

/// The shadow was there before the thing, and no write of it knows the thing's life: only where it stands in the log tells.
#[test]
fn what_a_deletion_that_was_cut_short_leaves_is_not_seen_again() {
    let shadow = || json!({"thingName": "t"});
    let write = |member: &str| {
        let payload = json!({"state": {"desired": {member: 1}}});
        json!({"thingName": "t", "payload": payload})
    };
    let next = [
        ("DeleteThing", shadow(), Err("shadow.not_found")),
        ("UpdateThingShadow", write("new"), Ok(json!({"new": 1}))),
        ("CreateThing", shadow(), Err("shadow.not_found")),
        (
            "CreateOrReplaceDevice",
            json!({"deviceId": "t", "body": {}}),
            Err("shadow.not_found"),
        ),
    ];
    let seen = |fleet: &Fleet| {
        let shown = call(fleet, "GetThingShadow", shadow());
        shown.map(|shown| shown["payload"]["state"]["desired"].clone())
    };
    for (op, params, expected) in next {
        let inner = memory();
        let cut = Cut {
            inner: inner.clone(),
            left: AtomicUsize::new(3),
        };
        let fleet = open(Arc::new(cut), 1, 10);
        call(&fleet, "UpdateThingShadow", write("old")).unwrap();
        call(&fleet, "CreateThing", shadow()).unwrap();
        assert_eq!(seen(&fleet), Ok(json!({"old": 1})));
        let stopped = call(&fleet, "DeleteThing", shadow());
        assert_eq!(stopped, Err("store.unavailable".to_owned()));

        let fleet = open(inner, 2, 10);
        assert_eq!(seen(&fleet), Err("shadow.not_found".to_owned()), "{op}");
        call(&fleet, op, params).unwrap();
        assert_eq!(seen(&fleet), expected.map_err(str::to_owned), "{op}");
        let again = call(&fleet, "DeleteThing", shadow());
        assert_eq!(again, Ok(json!({})), "{op}");
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let thing = 0..THINGS;
    let group = 0..PARENTS.len();
    let some = || prop::collection::vec(0..PARENTS.len(), 0..3);
    let step = prop_oneof![
        3 => thing.clone().prop_map(Step::Create),
        1 => thing.clone().prop_map(Step::Delete),
        8 => (thing, some(), some()).prop_map(|(thing, add, remove)| Step::Move { thing, add, remove }),
        1 => group.clone().prop_map(Step::DropGroup),
        5 => group.clone().prop_map(Step::MakeGroup),
        2 => (group, 0..3u8).prop_map(|(group, value)| Step::Attribute { group, value }),
    ];
    prop::collection::vec(step, 1..40)
}

fn names(answer: &Value, member: &str) -> BTreeSet<String> {
    let rows = answer["thingGroups"].as_array().unwrap();
    rows.iter()
        .map(|row| row[member].as_str().unwrap().to_owned())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, .. ProptestConfig::default() })]
    #[test]
    fn memberships_and_inheritance_agree_with_plain_rules(script in steps()) {
        let store = memory();
        let fleet = open(store.clone(), 1, LIMIT);
        let mut plain = Plain::default();
        for step in &script {
            let (op, params) = step.request();
            let done = call(&fleet, op, params);
            prop_assert_eq!(done.is_ok(), plain.apply(step), "{:?}: {:?}", step, done);
        }
        // A fleet that replays the log says the same as the one that wrote it.
        let replayed = open(store, 2, LIMIT);
        for fleet in [&fleet, &replayed] {
            for n in 0..THINGS {
                let name = json!({"thingName": format!("t{n}")});
                let described = call(fleet, "DescribeThing", name.clone());
                let Some(held) = plain.things.get(&n) else {
                    prop_assert_eq!(described, Err("thing.not_found".to_owned()));
                    continue;
                };
                let groups = call(fleet, "ListThingGroupsForThing", name).unwrap();
                let expected: BTreeSet<_> = held.iter().map(|group| format!("g{group}")).collect();
                prop_assert_eq!(names(&groups, "groupName"), expected);
                let effective = described.unwrap()["effectiveAttributes"]["a"]["value"].clone();
                let expected = plain.effective(n).map_or(Value::Null, |value| json!(value.to_string()));
                prop_assert_eq!(&effective, &expected);
                let query = format!("SELECT attributes.a FROM devices WHERE deviceId = 't{n}'");
                let rows = call(fleet, "QueryTwins", json!({"query": query})).unwrap();
                let seen = rows["items"][0].get("a").cloned().unwrap_or(Value::Null);
                prop_assert_eq!(seen, expected);
            }
            for group in plain.groups.keys() {
                let listed = call(fleet, "ListThingsInThingGroup", json!({"thingGroupName": format!("g{group}")})).unwrap();
                let expected: Vec<_> = plain.things.iter().filter(|(_, held)| held.contains(group)).map(|(thing, _)| format!("t{thing}")).collect();
                prop_assert_eq!(&listed["things"], &json!(expected));
            }
            let report = block_on(fleet.verify(&mut |_| ())).unwrap();
            prop_assert_eq!(report.problems.len(), 0, "{:?}", report.problems);
        }
    }
}

#[cfg(feature = "sqlite")]
#[test]
fn both_stores_tell_the_same_story() {
    use fleet_store::sqlite::{SqliteOptions, SqliteStore};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.db");
    let start = Options::seeded(1).clock.now();
    let file = || -> Arc<dyn EventStore> {
        let store = SqliteStore::open(
            &path,
            "default".parse().unwrap(),
            Arc::new(move || start),
            &SqliteOptions::default(),
        );
        Arc::new(store.unwrap())
    };
    let memory = open(memory(), 1, 10);
    let sqlite = open(file(), 1, 10);
    for (op, params) in story()
        .into_iter()
        .take(5)
        .chain(story().into_iter().skip(7).take(3))
    {
        assert_eq!(
            call(&memory, op, params.clone()),
            call(&sqlite, op, params),
            "{op}"
        );
    }
    let seen = |fleet: &Fleet| {
        json!([
            call(fleet, "DescribeThing", json!({"thingName": "t"})).unwrap(),
            call(fleet, "GetTwin", json!({"deviceId": "d", "moduleId": "m"})).unwrap(),
            call(
                fleet,
                "QueryTwins",
                json!({"query": "SELECT * FROM devices"})
            )
            .unwrap(),
        ])
    };
    let expected = seen(&memory);
    assert_eq!(seen(&sqlite), expected);
    drop(sqlite);
    assert_eq!(seen(&open(file(), 9, 10)), expected);
}

#[test]
fn a_fleet_is_shared_between_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    fn sent<T: Send>(_: &T) {}
    let fleet = open(memory(), 1, 10);
    shared(&fleet);
    let ops = Caller::new("user:ops".parse().unwrap());
    sent(&fleet.call_json("ListThings", json!({}), &ops));
    let fleet = &fleet;
    std::thread::scope(|scope| {
        for n in 0..4 {
            scope.spawn(move || {
                for m in 0..10 {
                    call(
                        fleet,
                        "CreateThing",
                        json!({"thingName": format!("t{n}-{m}")}),
                    )
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(
        call(fleet, "ListThings", json!({})).unwrap()["things"]
            .as_array()
            .unwrap()
            .len(),
        40
    );
}

#[test]
fn an_import_ends_what_a_deletion_that_was_cut_short_left() {
    let inner = memory();
    let cut = Cut {
        inner: inner.clone(),
        left: AtomicUsize::new(3),
    };
    let fleet = open(Arc::new(cut), 1, 10);
    let shadow = || json!({"thingName": "t", "shadowName": "door"});
    let payload = json!({"state": {"desired": {"open": true}}});
    let write = json!({"thingName": "t", "shadowName": "door", "payload": payload});
    call(&fleet, "UpdateThingShadow", write).unwrap();
    call(&fleet, "CreateThing", json!({"thingName": "t"})).unwrap();
    let stopped = call(&fleet, "DeleteThing", json!({"thingName": "t"}));
    assert_eq!(stopped, Err("store.unavailable".to_owned()));

    let fleet = open(inner, 2, 10);
    let line = Ok(r#"{"deviceId": "t", "tags": {"site": "oslo"}}"#.to_owned());
    let caller = Caller::new("user:ops".parse().unwrap());
    let report = pollster::block_on(fleet.import([line], &caller, Default::default(), &mut ()));
    assert_eq!(report.unwrap().created, 1);
    let seen = call(&fleet, "GetThingShadow", shadow());
    assert_eq!(seen.unwrap_err(), "shadow.not_found");
}
