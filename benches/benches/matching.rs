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
use fleet_query::matching::{ConditionIndex, Held, Ids};
use fleet_query::{Collection, Condition, Dialect, Document, Mode, Query, document, eval};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::Arc;

const SEED: u64 = 42;
const DOCUMENTS: u64 = 2_000;

/// A condition in the IoT Hub language, and in that of the peer.
struct Texts {
    ours: String,
    theirs: String,
}

/// One predicate about a field, true of about as many twins as conditions people write are.
fn predicate(r: &mut Random, sample: &Value) -> Texts {
    let text = |path: &str| {
        sample
            .pointer(path)
            .and_then(Value::as_str)
            .unwrap_or("none")
            .to_owned()
    };
    let number = |path: &str| sample.pointer(path).and_then(Value::as_f64).unwrap_or(50.0);
    let texts = |ours: String, theirs: String| Texts { ours, theirs };
    let equal = |field: &str, name: &str, value: String| {
        texts(
            format!("{field} = '{value}'"),
            format!("{name} = '{value}'"),
        )
    };
    match r.below(16) {
        0 => equal("tags.region", "region", text("/tags/region")),
        1 => equal("tags.site", "site", text("/tags/site")),
        2 => equal("tags.customer", "customer", text("/tags/customer")),
        3 => {
            let ring = text("/tags/ring");
            texts(
                format!("tags.ring != '{ring}'"),
                format!("(ring is not null and ring <> '{ring}')"),
            )
        }
        4 => {
            let model = text("/properties/reported/model");
            texts(
                format!("properties.reported.model IN ['{model}', 'press-300', 'cam-a']"),
                format!("model in ['{model}', 'press-300', 'cam-a']"),
            )
        }
        5 => equal(
            "properties.reported.firmware.version",
            "version",
            text("/properties/reported/firmware/version"),
        ),
        6 => {
            let most = r.below(100);
            texts(
                format!("properties.reported.battery < {most}"),
                format!("battery < {most}"),
            )
        }
        7 => {
            let (whole, part) = (r.below(80), r.below(100));
            texts(
                format!("properties.reported.temp > {whole}.{part}"),
                format!("temp > {whole}.{part}"),
            )
        }
        8 => {
            let low = number("/properties/reported/rssi");
            let high = low + 20.0;
            texts(
                format!(
                    "(properties.reported.rssi >= {low} AND properties.reported.rssi < {high})"
                ),
                format!("(rssi >= {low} and rssi < {high})"),
            )
        }
        9 => {
            let least = r.below(8_000_000);
            texts(
                format!("properties.reported.uptime > {least}"),
                format!("uptime > {least}"),
            )
        }
        10 => {
            let serial = text("/properties/reported/serial");
            let start = serial.get(..2).unwrap_or("Z");
            texts(
                format!("STARTSWITH(properties.reported.serial, '{start}')"),
                format!("serial = '{start}'"),
            )
        }
        11 => {
            let rare = r.below(300);
            texts(
                format!("IS_DEFINED(properties.reported.x{rare:03})"),
                format!("x{rare:03} is not null"),
            )
        }
        12 => {
            let tag = r.pick(&["floor", "ring", "site", "building"]);
            texts(
                format!("NOT IS_DEFINED(tags.{tag})"),
                format!("{tag} is null"),
            )
        }
        13 => {
            let interval = number("/properties/desired/interval");
            texts(
                format!("properties.desired.interval = {interval}"),
                format!("interval = {interval}"),
            )
        }
        14 => equal(
            "properties.reported.network.type",
            "network",
            text("/properties/reported/network/type"),
        ),
        _ => {
            let version = text("/properties/reported/firmware/version");
            texts(
                format!("NOT properties.reported.firmware.version IN ['{version}', '1.0.0']"),
                format!("(version is not null and version not in ['{version}', '1.0.0'])"),
            )
        }
    }
}

fn condition(n: u64) -> Texts {
    let mut r = Random::new(SEED ^ 0xC0, n);
    let sample: Value =
        serde_json::from_str(&fleet_generate::twin(SEED, r.below(1_000_000))).unwrap_or_default();
    let count = 2 + r.below(11);
    let mut parts: Vec<Texts> = Vec::new();
    let mut left = count;
    while left > 0 {
        if left >= 2 && r.chance(250) {
            let (one, other) = (predicate(&mut r, &sample), predicate(&mut r, &sample));
            parts.push(Texts {
                ours: format!("({} OR {})", one.ours, other.ours),
                theirs: format!("({} or {})", one.theirs, other.theirs),
            });
            left -= 2;
        } else {
            parts.push(predicate(&mut r, &sample));
            left -= 1;
        }
    }
    let join = |text: fn(&Texts) -> &str, word: &str| {
        parts.iter().map(text).collect::<Vec<_>>().join(word)
    };
    Texts {
        ours: format!(
            "SELECT * FROM devices WHERE {}",
            join(|part| &part.ours, " AND ")
        ),
        theirs: join(|part| &part.theirs, " and "),
    }
}

fn parse(text: &str) -> Condition {
    match Query::parse(text, Dialect::IotHub, Mode::Lenient) {
        Ok(query) => query.condition().clone(),
        Err(diagnostics) => {
            eprintln!("{}", fleet_query::diagnostic::render(&diagnostics, text));
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

/// The same in tenths of the documents, ordered by `size` (how much each has to give out): the mean size and the time of each.
fn by_size<T>(items: &[T], size: impl Fn(&T) -> usize, mut run: impl FnMut(&T)) -> Vec<(f64, f64)> {
    let mut ordered: Vec<(usize, &T)> = items.iter().map(|item| (size(item), item)).collect();
    ordered.sort_by_key(|(size, _)| *size);
    ordered
        .chunks(items.len().div_ceil(10))
        .map(|tenth| {
            let mean = tenth.iter().map(|(size, _)| *size as f64).sum::<f64>() / tenth.len() as f64;
            let time = per_item(3, 20 * tenth.len(), || {
                (0..20).for_each(|_| tenth.iter().for_each(|(_, item)| run(item)));
            });
            (mean, time)
        })
        .collect()
}

fn measure(size: u64) -> Value {
    let texts: Vec<(String, Texts)> = (0..size)
        .map(|n| (format!("c{n:06}"), condition(n)))
        .collect();
    let conditions: Vec<(&str, Condition)> = texts
        .iter()
        .map(|(id, texts)| (id.as_str(), parse(&texts.ours)))
        .collect();
    let adding = per_item(3, conditions.len(), || {
        let mut index = ConditionIndex::new();
        for (id, condition) in &conditions {
            index.insert(id, condition);
        }
        black_box(&index);
    });
    let mut index = ConditionIndex::new();
    for (id, condition) in &conditions {
        index.insert(id, condition);
    }

    let documents: Vec<(Arc<Value>, Arc<Value>)> = (0..DOCUMENTS)
        .map(pair)
        .map(|(before, after)| (Arc::new(before), Arc::new(after)))
        .collect();
    let held: Vec<(Held, Held)> = documents
        .iter()
        .map(|(before, after)| (index.hold(before.clone()), index.hold(after.clone())))
        .collect();
    let naive = |document: &Value| -> Vec<&str> {
        let document = Document::new(document);
        conditions
            .iter()
            .filter(|(_, c)| eval::eval(c, document).is_true())
            .map(|(id, _)| *id)
            .collect()
    };
    // As many as a few seconds allow: the reference evaluator walks every condition.
    let checked = usize::try_from(1_000_000 / size.max(1)).map_or(10, |n| n.clamp(10, 100));
    for (before, after) in held.iter().take(checked) {
        let (old, new) = (naive(before.document()), naive(after.document()));
        assert_eq!(index.matches(before).sorted(), old);
        let delta = index.delta(before, after);
        let only = |one: &[&str], other: &[&str]| -> Vec<String> {
            let only = one.iter().filter(|id| other.binary_search(id).is_err());
            only.map(|id| (*id).to_owned()).collect()
        };
        assert_eq!(delta.entered.sorted(), only(&new, &old));
        assert_eq!(delta.left.sorted(), only(&old, &new));
    }
    let mean = |sizes: &dyn Fn(&(Held, Held)) -> usize| {
        held.iter().map(sizes).sum::<usize>() as f64 / held.len() as f64
    };
    let met = mean(&|(before, _)| index.matches(before).len());
    let crossing = |(before, after): &(Held, Held)| {
        let delta = index.delta(before, after);
        delta.entered.len() + delta.left.len()
    };
    let crossed = mean(&crossing);

    let one_by_one = per_item(1, checked, || {
        for (before, _) in documents.iter().take(checked) {
            black_box(naive(before));
        }
    });
    // Every id is visited, as a caller would.
    let read = |ids: Ids<'_>| {
        ids.iter().for_each(|id| {
            black_box(id);
        })
    };
    let look_up = |(before, _): &(Held, Held)| read(index.matches(before));
    let change = |(before, after): &(Held, Held)| {
        let delta = index.delta(before, after);
        read(delta.entered);
        read(delta.left);
    };
    let matching = per_item(5, held.len(), || held.iter().for_each(look_up));
    let delta = per_item(5, held.len(), || held.iter().for_each(change));
    let taking = per_item(5, documents.len(), || {
        for (before, _) in &documents {
            black_box(index.hold(before.clone()));
        }
    });
    let match_tenths = by_size(&held, |(before, _)| index.matches(before).len(), look_up);
    let delta_tenths = by_size(&held, crossing, change);

    let stats = index.stats();
    let bytes = stats.bytes as f64 / size as f64;
    let mut removed = index.clone();
    let removing = per_item(1, conditions.len(), || {
        for (id, _) in &conditions {
            removed.remove(id);
        }
    });
    println!(
        "\n{size} conditions: {} filed under {} tokens of {} fields, {} swept; {} partly, {} always evaluated",
        stats.filed,
        stats.tokens,
        stats.fields,
        stats.swept,
        stats.partly_evaluated,
        stats.always_evaluated
    );
    println!("  a held document            {matching:>9.2} us, {met:.1} conditions met");
    println!(
        "  delta of one changed field {delta:>9.2} us, {crossed:.1} conditions entered or left"
    );
    println!("  taking a document in       {taking:>9.2} us");
    println!(
        "  one by one                 {one_by_one:>9.0} us, {:.0} x",
        one_by_one / matching
    );
    println!("  adding, removing           {adding:>9.2} us, {removing:.2} us");
    println!("  memory                     {bytes:>9.0} bytes a condition");
    let tenths = |tenths: &[(f64, f64)]| {
        let cells = tenths
            .iter()
            .map(|(size, time)| format!("{size:.0}: {time:.2}"));
        cells.collect::<Vec<_>>().join(", ")
    };
    println!(
        "  look-ups by tenths of documents (met: us)     {}",
        tenths(&match_tenths)
    );
    println!(
        "  deltas by tenths of changes (crossed: us)     {}",
        tenths(&delta_tenths)
    );
    let peer = peer(&texts, &documents, &|before| {
        index.matches(&index.hold(before.clone())).len()
    });
    if let Some(peer) = &peer {
        println!(
            "  a-tree                     {:>9.0} us, {:.0} x; {:.1} met; adding {:.1} us",
            peer.search,
            peer.search / matching,
            peer.met,
            peer.adding
        );
    }
    json!({
        "conditions": size, "met": met, "matchMicros": matching, "crossed": crossed, "deltaMicros": delta,
        "takingInMicros": taking, "oneByOneMicros": one_by_one, "ratio": one_by_one / matching, "addMicros": adding,
        "removeMicros": removing, "bytesPerCondition": bytes, "filed": stats.filed, "swept": stats.swept,
        "matchTenths": match_tenths, "deltaTenths": delta_tenths,
        "aTree": peer.map(|peer| json!({
            "searchMicros": peer.search, "ratio": peer.search / matching, "met": peer.met, "addMicros": peer.adding,
        })),
    })
}

/// The `a-tree` crate on the same conditions and documents.
struct Peer {
    search: f64,
    adding: f64,
    met: f64,
}

#[cfg(not(feature = "peers"))]
fn peer(
    _: &[(String, Texts)],
    _: &[(Arc<Value>, Arc<Value>)],
    _: &dyn Fn(&Arc<Value>) -> usize,
) -> Option<Peer> {
    None
}

#[cfg(feature = "peers")]
fn peer(
    texts: &[(String, Texts)],
    documents: &[(Arc<Value>, Arc<Value>)],
    ours: &dyn Fn(&Arc<Value>) -> usize,
) -> Option<Peer> {
    use a_tree::{ATree, AttributeDefinition as Define};
    let attributes = peers_attributes();
    let definitions: Vec<Define> = attributes
        .iter()
        .map(|(name, _, kind)| match kind {
            Kind::Text | Kind::Start => Define::string(name),
            Kind::Integer => Define::integer(name),
            Kind::Float => Define::float(name),
            Kind::Presence => Define::boolean(name),
        })
        .collect();
    let failed = |what: &str| -> Option<Peer> {
        eprintln!("a-tree: {what}");
        None
    };
    let build = || {
        let mut tree = ATree::new(&definitions).ok()?;
        for (at, (_, texts)) in texts.iter().enumerate() {
            if let Err(error) = tree.insert(&at, &texts.theirs) {
                eprintln!("a-tree: {}: {error}", texts.theirs);
                return None;
            }
        }
        Some(tree)
    };
    let adding = per_item(1, texts.len(), || {
        black_box(build());
    });
    let Some(tree) = build() else {
        return failed("a condition was refused");
    };
    let events: Vec<_> = documents
        .iter()
        .take(500)
        .filter_map(|(document, _)| {
            let mut event = tree.make_event();
            for (name, path, kind) in &attributes {
                let value = document.pointer(path);
                let text = value.and_then(Value::as_str);
                let done = match kind {
                    Kind::Text => text.map(|text| event.with_string(name, text)),
                    Kind::Start => text
                        .and_then(|text| text.get(..2))
                        .map(|text| event.with_string(name, text)),
                    Kind::Integer => value
                        .and_then(Value::as_i64)
                        .map(|number| event.with_integer(name, number)),
                    Kind::Float => value
                        .and_then(Value::as_f64)
                        .map(|number| event.with_float(name, (number * 100.0).round() as i64, 2)),
                    Kind::Presence => value.map(|_| event.with_boolean(name, true)),
                };
                done.unwrap_or_else(|| event.with_undefined(name)).ok()?;
            }
            event.build().ok()
        })
        .collect();
    let mut met = 0;
    let mut same = 0;
    for (event, (document, _)) in events.iter().zip(documents) {
        let found = tree
            .search(event)
            .map(|report| report.matches().len())
            .unwrap_or_default();
        met += found;
        same += usize::from(found == ours(document));
    }
    println!(
        "  a-tree meets as many conditions as ours for {same} of {} documents",
        events.len()
    );
    let search = per_item(3, events.len(), || {
        for event in &events {
            if let Ok(report) = tree.search(event) {
                report.matches().iter().for_each(|id| {
                    black_box(id);
                });
            }
        }
    });
    Some(Peer {
        search,
        adding,
        met: met as f64 / events.len() as f64,
    })
}

#[cfg(feature = "peers")]
enum Kind {
    Text,
    /// The first two letters: the peer has no test for a prefix.
    Start,
    Integer,
    Float,
    Presence,
}

/// The fields that the conditions name: the peer's attribute, the member, and its kind.
#[cfg(feature = "peers")]
fn peers_attributes() -> Vec<(String, String, Kind)> {
    let fields = [
        ("region", "/tags/region", Kind::Text),
        ("site", "/tags/site", Kind::Text),
        ("customer", "/tags/customer", Kind::Text),
        ("ring", "/tags/ring", Kind::Text),
        ("floor", "/tags/floor", Kind::Integer),
        ("building", "/tags/building", Kind::Text),
        ("model", "/properties/reported/model", Kind::Text),
        (
            "version",
            "/properties/reported/firmware/version",
            Kind::Text,
        ),
        ("battery", "/properties/reported/battery", Kind::Integer),
        ("temp", "/properties/reported/temp", Kind::Float),
        ("rssi", "/properties/reported/rssi", Kind::Integer),
        ("uptime", "/properties/reported/uptime", Kind::Integer),
        ("serial", "/properties/reported/serial", Kind::Start),
        ("interval", "/properties/desired/interval", Kind::Integer),
        ("network", "/properties/reported/network/type", Kind::Text),
    ];
    fields
        .into_iter()
        .map(|(name, path, kind)| (name.to_owned(), path.to_owned(), kind))
        .chain((0..300).map(|n| {
            (
                format!("x{n:03}"),
                format!("/properties/reported/x{n:03}"),
                Kind::Presence,
            )
        }))
        .collect()
}

fn main() {
    let sizes = std::env::var("FLEET_CONDITIONS").unwrap_or_else(|_| "10000,100000".to_owned());
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
