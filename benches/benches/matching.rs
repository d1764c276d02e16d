//! Reverse match: which of 10,000 and 100,000 stored conditions does a changed document meet.
//!
//! Conditions of 2 to 12 predicates (AND, OR, NOT, IN, ranges, prefixes, existence) are drawn from the values
//! of generated twins. Timed in CPU time of one thread: one look-up of a held document, the delta of one changed field,
//! and adding a condition; the baseline evaluates condition by condition with the reference evaluator. Answers
//! are compared with that evaluator's before anything is timed.
//!
//! `FLEET_CONDITIONS=10000,100000` sets the sizes, `FLEET_BENCH_JSON=FILE` writes the results.

use fleet_benches::cpu_time;
use fleet_generate::Random;
use fleet_query::matching::{ConditionIndex, Held};
use fleet_query::{Collection, Condition, Dialect, Document, Mode, Query, document, eval};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

const SEED: u64 = 42;
const DOCUMENTS: u64 = 2_000;

/// One predicate about a field, true of about as many twins as conditions people write are.
fn predicate(r: &mut Random, sample: &Value) -> String {
    let text = |path: &str| {
        sample
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or("none")
            .to_owned()
    };
    let number = |path: &str| sample.pointer(path).and_then(Value::as_f64).unwrap_or(50.0);
    match r.below(16) {
        0 => format!("tags.region = '{}'", text("/tags/region")),
        1 => format!("tags.site = '{}'", text("/tags/site")),
        2 => format!("tags.customer = '{}'", text("/tags/customer")),
        3 => format!("tags.ring != '{}'", text("/tags/ring")),
        4 => format!(
            "properties.reported.model IN ['{}', 'press-300', 'cam-a']",
            text("/properties/reported/model")
        ),
        5 => format!(
            "properties.reported.firmware.version = '{}'",
            text("/properties/reported/firmware/version")
        ),
        6 => format!("properties.reported.battery < {}", r.below(100)),
        7 => format!(
            "properties.reported.temp > {}.{}",
            r.below(80),
            r.below(100)
        ),
        8 => {
            let low = number("/properties/reported/rssi");
            format!(
                "(properties.reported.rssi >= {low} AND properties.reported.rssi < {})",
                low + 20.0
            )
        }
        9 => format!("properties.reported.uptime > {}", r.below(8_000_000)),
        10 => format!(
            "STARTSWITH(properties.reported.serial, '{}')",
            text("/properties/reported/serial").get(..2).unwrap_or("Z")
        ),
        11 => format!("IS_DEFINED(properties.reported.x{:03})", r.below(300)),
        12 => format!(
            "NOT IS_DEFINED(tags.{})",
            r.pick(&["floor", "ring", "site", "building"])
        ),
        13 => format!(
            "properties.desired.interval = {}",
            number("/properties/desired/interval")
        ),
        14 => format!(
            "properties.reported.network.type = '{}'",
            text("/properties/reported/network/type")
        ),
        _ => format!(
            "NOT properties.reported.firmware.version IN ['{}', '1.0.0']",
            text("/properties/reported/firmware/version")
        ),
    }
}

fn condition(n: u64) -> Condition {
    let mut r = Random::new(SEED ^ 0xC0, n);
    let sample: Value =
        serde_json::from_str(&fleet_generate::twin(SEED, r.below(1_000_000))).unwrap_or_default();
    let count = 2 + r.below(11);
    let mut parts: Vec<String> = Vec::new();
    let mut left = count;
    while left > 0 {
        if left >= 2 && r.chance(250) {
            parts.push(format!(
                "({} OR {})",
                predicate(&mut r, &sample),
                predicate(&mut r, &sample)
            ));
            left -= 2;
        } else {
            parts.push(predicate(&mut r, &sample));
            left -= 1;
        }
    }
    let text = format!("SELECT * FROM devices WHERE {}", parts.join(" AND "));
    match Query::parse(&text, Dialect::IotHub, Mode::Lenient) {
        Ok(query) => query.condition().clone(),
        Err(diagnostics) => {
            eprintln!("{}", fleet_query::diagnostic::render(&diagnostics, &text));
            std::process::exit(1)
        }
    }
}

/// The twin, and the twin after one of its fields changed.
fn pair(n: u64) -> (Value, Value) {
    let raw: Value = serde_json::from_str(&fleet_generate::twin(SEED, n)).unwrap_or_default();
    let before = document::normalise(Collection::Devices, raw).unwrap_or_default();
    let mut after = before.clone();
    let mut r = Random::new(SEED ^ 0xDE, n);
    let (path, value) = match r.below(4) {
        0 => (
            "/properties/reported/temp",
            json!(r.below(8000) as f64 / 100.0),
        ),
        1 => (
            "/properties/reported/rssi",
            json!(-(r.below(70) as i64) - 40),
        ),
        2 => ("/properties/reported/uptime", json!(r.below(8_000_000))),
        _ => ("/tags/site", json!(format!("site-{:04}", r.below(1000)))),
    };
    if let Some(place) = after.pointer_mut(path) {
        *place = value;
    }
    (before, after)
}

/// Microseconds of CPU per item, the best of `rounds`.
fn per_item(rounds: u32, items: usize, mut run: impl FnMut()) -> f64 {
    (0..rounds)
        .map(|_| {
            let start = cpu_time();
            run();
            (cpu_time() - start).as_secs_f64() * 1e6 / items as f64
        })
        .fold(f64::INFINITY, f64::min)
}

fn measure(size: u64) -> Value {
    let conditions: Vec<(String, Condition)> = (0..size)
        .map(|n| (format!("c{n:06}"), condition(n)))
        .collect();
    let mut index = ConditionIndex::new();
    let start = cpu_time();
    for (id, condition) in &conditions {
        index.insert(id, condition);
    }
    let adding = (cpu_time() - start).as_secs_f64() * 1e6 / size as f64;

    let held: Vec<(Held, Held)> = (0..DOCUMENTS)
        .map(pair)
        .map(|(before, after)| (index.hold(Arc::new(before)), index.hold(Arc::new(after))))
        .collect();
    let naive = |held: &Held| -> Vec<&str> {
        let document = Document::new(held.document());
        conditions
            .iter()
            .filter(|(_, c)| eval::eval(c, document).is_true())
            .map(|(id, _)| id.as_str())
            .collect()
    };
    let mut met = 0;
    for (before, after) in held.iter().take(200) {
        let (old, new) = (naive(before), naive(after));
        assert_eq!(index.matches(before), old);
        let delta = index.delta(before, after);
        assert!(
            delta
                .entered
                .iter()
                .all(|id| new.contains(id) && !old.contains(id))
        );
        assert_eq!(
            delta.entered.len() + old.len(),
            new.len() + delta.left.len()
        );
        met += old.len();
    }

    let one_by_one = per_item(1, 100, || {
        for (before, _) in held.iter().take(100) {
            black_box(naive(before));
        }
    });
    let matching = per_item(5, held.len(), || {
        for (before, _) in &held {
            black_box(index.matches(before));
        }
    });
    let delta = per_item(5, held.len(), || {
        for (before, after) in &held {
            black_box(index.delta(before, after));
        }
    });
    let stats = index.stats();
    let bytes = stats.bytes as f64 / size as f64;
    println!(
        "{size:>9}  {met:>7.1}  {matching:>9.2}  {delta:>9.2}  {one_by_one:>11.0}  {ratio:>7.0}x  {adding:>9.2}  {bytes:>9.0}",
        met = met as f64 / 200.0,
        ratio = one_by_one / matching,
    );
    println!(
        "           {} alternatives in {} columns; {} partly, {} always evaluated",
        stats.alternatives, stats.columns, stats.partly_evaluated, stats.always_evaluated
    );
    json!({
        "conditions": size, "met": met as f64 / 200.0, "matchMicros": matching, "deltaMicros": delta,
        "oneByOneMicros": one_by_one, "ratio": one_by_one / matching, "addMicros": adding, "bytesPerCondition": bytes,
    })
}

fn main() {
    let sizes = std::env::var("FLEET_CONDITIONS").unwrap_or_else(|_| "10000,100000".to_owned());
    println!(
        "{:>9}  {:>7}  {:>9}  {:>9}  {:>11}  {:>8}  {:>9}  {:>9}",
        "conditions", "met", "match us", "delta us", "one by one", "ratio", "add us", "bytes"
    );
    let results: Vec<Value> = sizes
        .split(',')
        .filter_map(|size| size.trim().parse().ok())
        .map(measure)
        .collect();
    if let Ok(file) = std::env::var("FLEET_BENCH_JSON")
        && let Err(error) = std::fs::write(
            &file,
            json!({"bench": "matching", "results": results}).to_string(),
        )
    {
        eprintln!("{file}: {error}");
    }
}
