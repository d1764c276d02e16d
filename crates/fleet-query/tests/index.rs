//! The index against the reference evaluator: random fleets, changes and conditions.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::string_slice, clippy::panic, reason = "test code")]
mod fleet;

use fleet::{cases, condition, document, id, merge, patch, pick};
use fleet_generate::Random;
use fleet_query::index::{Change, Snapshot, WriterIndex};
use fleet_query::{Collection, Condition, Document, eval};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The fleet as plain values, sharing nothing with the index.
#[derive(Clone, Default)]
struct Model {
    documents: BTreeMap<String, Value>,
    groups: BTreeMap<String, (Option<String>, Map<String, Value>)>,
    members: BTreeSet<(String, String)>,
}

impl Model {
    fn chain(&self, group: &str) -> Vec<String> {
        let mut chain = vec![group.to_owned()];
        while let Some((Some(parent), _)) = self.groups.get(chain.last().unwrap()) {
            chain.push(parent.clone());
        }
        chain
    }

    /// Own beats group; the deeper definer wins, then the smaller name.
    fn effective(&self, id: &str) -> Value {
        let mut document = self.documents[id].clone();
        let mut definers: Vec<(usize, String)> = Vec::new();
        for (_, group) in self.members.iter().filter(|(device, _)| device == id) {
            for name in self.chain(group) {
                definers.push((usize::MAX - self.chain(&name).len(), name));
            }
        }
        definers.sort();
        for (_, name) in definers {
            let Some((_, attributes)) = self.groups.get(&name) else {
                continue;
            };
            if attributes.is_empty() {
                continue;
            }
            let own = document
                .as_object_mut()
                .unwrap()
                .entry("attributes")
                .or_insert_with(|| json!({}));
            if let Value::Object(own) = own {
                for (key, value) in attributes {
                    own.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        document
    }

    fn select(&self, condition: &Condition) -> Vec<String> {
        self.documents
            .keys()
            .filter(|id| eval::eval(condition, Document::new(&self.effective(id))).is_true())
            .cloned()
            .collect()
    }
}

fn step(r: &mut Random, model: &mut Model, index: &mut WriterIndex) {
    let device = id(r.below(40));
    let group = (*pick(r, &["g1", "g2", "g3", "g4"])).to_owned();
    match r.below(12) {
        0..=4 => {
            let document = document(r, r.clone().below(40));
            let text = document.to_string();
            index.change(&Change::Put { document: &text }).unwrap();
            model
                .documents
                .insert(document["deviceId"].as_str().unwrap().to_owned(), document);
        }
        5..=7 => {
            let patch = patch(r);
            let result = index.change(&Change::Patch {
                id: &device,
                patch: &patch.to_string(),
            });
            match model.documents.get_mut(&device) {
                Some(document) => {
                    result.unwrap();
                    merge(document, &patch);
                }
                None => assert_eq!(result.unwrap_err().code(), "query.not_found"),
            }
        }
        8 => {
            let known = model.documents.remove(&device).is_some();
            model.members.retain(|(member, _)| *member != device);
            assert_eq!(index.change(&Change::Delete { id: &device }).is_ok(), known);
        }
        9 | 10 => {
            let known = model.documents.contains_key(&device);
            let leave = r.chance(300);
            let change = if leave {
                Change::Leave {
                    id: &device,
                    group: &group,
                }
            } else {
                Change::Join {
                    id: &device,
                    group: &group,
                }
            };
            assert_eq!(index.change(&change).is_ok(), known);
            if leave {
                model.members.remove(&(device, group));
            } else if known {
                model.members.insert((device, group));
            }
        }
        _ => {
            if r.chance(150) {
                index.change(&Change::DropGroup { name: &group }).unwrap();
                model.groups.remove(&group);
                model.members.retain(|(_, of)| *of != group);
                return;
            }
            // Parents have smaller numbers, so there is no circle.
            let parent = (group != "g1" && r.chance(500)).then(|| "g1".to_owned());
            let mut attributes = Map::new();
            for _ in 0..r.below(3) {
                attributes.insert(
                    (*pick(r, &["a", "load", "site", "b"])).to_owned(),
                    fleet::value(r, 1),
                );
            }
            index
                .change(&Change::Group {
                    name: &group,
                    parent: parent.as_deref(),
                    attributes: &attributes,
                })
                .unwrap();
            model.groups.insert(group, (parent, attributes));
        }
    }
}

fn agree(snapshot: &Snapshot, model: &Model, condition: &Condition, seed: u64) {
    let expected = model.select(condition);
    let ids: Vec<String> = snapshot
        .ids(condition)
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(ids, expected, "seed {seed}: {condition:?}");
    assert_eq!(
        snapshot.count(condition).unwrap(),
        expected.len() as u64,
        "seed {seed}: {condition:?}"
    );
}

#[test]
fn the_index_answers_as_the_reference_at_every_step() {
    for seed in 0..cases(150) {
        let mut r = Random::new(seed, 1);
        let (mut model, mut index) = (Model::default(), WriterIndex::new(Collection::Devices));
        let mut held: Vec<(Snapshot, Model)> = Vec::new();
        for _ in 0..r.below(60) + 5 {
            step(&mut r, &mut model, &mut index);
            if r.chance(100) {
                held.push((index.snapshot(), model.clone()));
            }
            if r.chance(300) {
                agree(&index.snapshot(), &model, &condition(&mut r), seed);
            }
        }
        held.push((index.snapshot(), model));
        // Snapshots taken on the way still show what they showed.
        for (snapshot, model) in &held {
            assert_eq!(snapshot.len(), model.documents.len(), "seed {seed}");
            for (id, document) in &model.documents {
                assert_eq!(
                    snapshot.own_document(id).as_ref(),
                    Some(document),
                    "seed {seed}"
                );
                assert_eq!(
                    snapshot.document(id),
                    Some(model.effective(id)),
                    "seed {seed}"
                );
            }
            for _ in 0..4 {
                agree(snapshot, model, &condition(&mut r), seed);
            }
        }
    }
}

#[test]
fn a_fleet_of_several_chunks_answers_as_the_reference() {
    for seed in 0..cases(2).div_ceil(50) {
        let mut index = WriterIndex::new(Collection::Devices);
        let twins: Vec<Value> = (0..9_000)
            .map(|n| {
                let text = fleet_generate::twin(seed, n);
                index.change(&Change::Put { document: &text }).unwrap();
                serde_json::from_str(&text).unwrap()
            })
            .collect();
        let snapshot = index.snapshot();
        for twin in twins.iter().step_by(97) {
            assert_eq!(
                snapshot
                    .document(twin["deviceId"].as_str().unwrap())
                    .as_ref(),
                Some(twin)
            );
        }
        for condition in conditions() {
            let expected: Vec<&str> = twins
                .iter()
                .filter(|twin| eval::eval(&condition, Document::new(twin)).is_true())
                .map(|twin| twin["deviceId"].as_str().unwrap())
                .collect();
            let ids: Vec<String> = snapshot
                .ids(&condition)
                .unwrap()
                .iter()
                .map(ToString::to_string)
                .collect();
            assert_eq!(ids, expected, "{condition:?}");
            assert_eq!(
                snapshot.count(&condition).unwrap(),
                expected.len() as u64,
                "{condition:?}"
            );
        }
    }
}

fn conditions() -> Vec<Condition> {
    use fleet_query::predicate::Predicate as P;
    use fleet_query::profile::IOT_HUB;
    use fleet_query::value::{CompareOp as Op, Scalar as S};
    let path = |text: &str| fleet_query::FieldPath::of(text.split('.'));
    let is = |at: &str, op, value| P::Compare {
        path: path(at),
        op,
        value,
    };
    let text = |t: &str| S::Text(t.into());
    [
        is("deviceId", Op::Eq, text("dev-0004711")),
        is("tags.region", Op::Eq, text("eu-west")),
        is("tags.customer", Op::Eq, text("c-00042")),
        is("properties.reported.serial", Op::Eq, text("00000000776YA0")),
        is("properties.reported.battery", Op::Lt, S::Number(20.0)),
        P::Not(Box::new(is(
            "properties.reported.battery",
            Op::Lt,
            S::Number(20.0),
        ))),
        is("properties.reported.temp", Op::Ge, S::Number(61.5)),
        is("tags.ring", Op::Ne, text("stable")),
        P::Defined {
            path: path("properties.reported.x017"),
        },
        P::Not(Box::new(P::Defined {
            path: path("tags.floor"),
        })),
        P::And(vec![
            is("tags.region", Op::Eq, text("us-east")),
            is("status", Op::Eq, text("enabled")),
            is("properties.reported.rssi", Op::Gt, S::Number(-60.0)),
        ]),
        is("properties.reported.battery", Op::Eq, text("unknown")),
        is("lastActivityTime", Op::Lt, text("2026-01-15")),
    ]
    .into_iter()
    .map(|predicate| Condition::new(&IOT_HUB, predicate))
    .collect()
}
