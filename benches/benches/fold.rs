//! Folding small twin patches in memory: the events of scattered one-field patches into the states of many twins.
//!
//! `FLEET_BENCH_TWINS` (default 100,000) and `FLEET_BENCH_PATCHES` (default 4,000,000) set the size. The baseline of the
//! same run is a recursive RFC 7396 merge of the same patches into parsed JSON documents without versions or metadata.
//! Prints one table, and the same as one line of JSON.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use fleet_benches::{cpu_time, setting};
use fleet_model::kernel::{Decider as _, Timestamp, WireEvent};
use fleet_model::twin::{Patched, SectionChange, Twin, TwinEvent, TwinState, Writer};
use serde_json::{Map, Value, json};
use std::hint::black_box;

fn section(patch: &mut Map<String, Value>, path: &[&str]) -> SectionChange {
    let mut value = Value::Object(std::mem::take(patch));
    let found = path
        .iter()
        .try_fold(&mut value, |value, name| value.get_mut(name));
    let change = match found.map(Value::take) {
        Some(Value::Object(members)) => SectionChange::Merge(members),
        _ => SectionChange::Keep,
    };
    if let Value::Object(members) = value {
        *patch = members;
    }
    change
}

/// The event that the patch of a twin becomes.
fn event(patch: &str, at: i64, writer: Writer) -> TwinEvent {
    let mut members = match serde_json::from_str(patch) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    TwinEvent::Patched(Patched {
        at: Timestamp::from_millis(at),
        via: writer,
        tags: section(&mut members, &["tags"]),
        desired: section(&mut members, &["properties", "desired"]),
        reported: section(&mut members, &["properties", "reported"]),
        shadow_version: None,
        incarnation: None,
        client_token: None,
        state_cleared: false,
    })
}

/// A reproducible order in which twins are hit: every step lands elsewhere.
fn scattered(index: usize, twins: usize) -> usize {
    let mixed = (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from((mixed >> 20) % twins as u64).unwrap_or(0)
}

/// RFC 7396 in place; the depth is that of the generator's patches.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            match (value, target.get_mut(name)) {
                (Value::Null, _) => {
                    target.remove(name);
                }
                (value, Some(slot)) => merge(slot, value),
                (value, None) => {
                    target.insert(name.clone(), value.clone());
                }
            }
        }
    }
}

fn main() {
    let (twins, patches) = (
        setting("FLEET_BENCH_TWINS", 100_000) as usize,
        setting("FLEET_BENCH_PATCHES", 4_000_000) as usize,
    );
    // A pool of distinct patches, so that making them is no part of what is measured.
    let texts: Vec<String> = (0..20_000_u64)
        .map(|n| fleet_generate::patch(7, n, n))
        .collect();
    let events: Vec<TwinEvent> = texts
        .iter()
        .map(|text| event(text, 1_767_225_600_000, Writer::Device))
        .collect();
    let bytes: Vec<Vec<u8>> = events.iter().map(WireEvent::to_data).collect();
    let values: Vec<Value> = texts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap_or_default())
        .collect();
    let start: Vec<TwinState> = (0..twins as u64)
        .map(|n| {
            Twin::evolve(
                Twin::initial(),
                &event(&fleet_generate::creation(7, n), 0, Writer::Import),
            )
        })
        .collect();
    let pick = |index: usize| index % events.len();

    // A replay meets a twin's patches together; live traffic hits one twin here and one there.
    let mut states = start.clone();
    let each = patches / twins.max(1);
    let began = cpu_time().as_secs_f64();
    for (number, state) in states.iter_mut().enumerate() {
        for index in 0..each {
            if let Some(event) = events.get(pick(number * each + index)) {
                *state = Twin::evolve(std::mem::take(state), event);
            }
        }
    }
    let in_order =
        (cpu_time().as_secs_f64() - began) * patches as f64 / (each * twins).max(1) as f64;
    black_box(&states);
    drop(states);

    let mut states = start.clone();
    let began = cpu_time().as_secs_f64();
    for index in 0..patches {
        if let (Some(state), Some(event)) = (
            states.get_mut(scattered(index, twins)),
            events.get(pick(index)),
        ) {
            *state = Twin::evolve(std::mem::take(state), event);
        }
    }
    let typed = cpu_time().as_secs_f64() - began;
    black_box(&states);
    drop(states);

    let mut states = start.clone();
    let began = cpu_time().as_secs_f64();
    for index in 0..patches {
        let decoded = bytes
            .get(pick(index))
            .and_then(|data| TwinEvent::from_data("twin.patched", data).ok());
        if let (Some(state), Some(event)) = (states.get_mut(scattered(index, twins)), decoded) {
            *state = Twin::evolve(std::mem::take(state), &event);
        }
    }
    let from_json = cpu_time().as_secs_f64() - began;
    black_box(&states);
    drop(states);

    let mut documents: Vec<Value> = (0..twins as u64)
        .map(|n| serde_json::from_str(&fleet_generate::creation(7, n)).unwrap_or_default())
        .collect();
    let began = cpu_time().as_secs_f64();
    for index in 0..patches {
        if let (Some(document), Some(patch)) = (
            documents.get_mut(scattered(index, twins)),
            values.get(pick(index)),
        ) {
            merge(document, patch);
        }
    }
    let merged = cpu_time().as_secs_f64() - began;
    black_box(&documents);

    let rate = |seconds: f64| patches as f64 / seconds / 1e6;
    println!("{patches} one-field patches over {twins} twins, one core");
    println!("{:<44} {:>12} {:>10}", "what", "million/s", "ratio");
    for (what, seconds) in [
        ("evolve, twin after twin (a replay)", in_order),
        ("evolve, scattered", typed),
        ("evolve, scattered, from the stored JSON", from_json),
        ("baseline: bare RFC 7396 merge, scattered", merged),
    ] {
        println!(
            "{what:<44} {:>12.2} {:>10.2}",
            rate(seconds),
            merged / seconds
        );
    }
    let report = json!({
        "bench": "fold", "twins": twins, "patches": patches,
        "replayMillionPerSecond": rate(in_order), "scatteredMillionPerSecond": rate(typed), "scatteredFromJsonMillionPerSecond": rate(from_json),
        "mergeMillionPerSecond": rate(merged), "reach": 2.0,
    });
    println!("{report}");
}
