//! The fleet index on a fleet of a million twins: time, ratio to a walk over JSON values, ratio to a hand-written scan.
//!
//! `cargo bench -p fleet-benches --bench index [--features peers]`; `FLEET_BENCH_DEVICES` sets the size, `FLEET_BENCH_ONLY` names the
//! sections to run (`queries,groups,updates,saved,replay,peers`; all unless said otherwise). CPU time of one thread. A
//! query's time is the median of runs, each with constants drawn afresh and an update of the fleet before it. The walk
//! over `serde_json::Value` runs on a tenth of the fleet and is scaled by ten: the values of a million twins take 8 GB.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::string_slice,
    missing_docs,
    reason = "a measuring program"
)]
use fleet_benches::cpu_time;
use fleet_generate::Random;
use fleet_query::index::{Change, Snapshot, WriterIndex};
use fleet_query::{Collection, Dialect, Document, Mode, Query};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::hint::black_box;
use std::time::Duration;

const SEED: u64 = 42;

/// The columns of the hand-written scans.
#[derive(Default)]
struct Limit {
    ids: Vec<String>,
    by_id: HashMap<String, u32>,
    region: Shared,
    customer: Shared,
    site: Shared,
    status: Shared,
    ring: Shared,
    network: Shared,
    firmware: Shared,
    serial: Vec<[u8; 14]>,
    rssi: Vec<i8>,
    /// Percent; 255 for none, 254 for text.
    battery: Vec<u8>,
    /// Hundredths; `u16::MAX` for none.
    temp: Vec<u16>,
    load: Vec<u8>,
    rare: Vec<u32>,
}

/// A dictionary column; `u16::MAX` for none.
#[derive(Default)]
struct Shared {
    codes: Vec<u16>,
    texts: Vec<String>,
    by_text: HashMap<String, u16>,
    narrow: Vec<u8>,
}

impl Shared {
    fn push(&mut self, value: &Value) {
        let code = value.as_str().map_or(u16::MAX, |text| {
            *self.by_text.entry(text.to_owned()).or_insert_with(|| {
                self.texts.push(text.to_owned());
                (self.texts.len() - 1) as u16
            })
        });
        self.codes.push(code);
        self.narrow.push(code.min(255) as u8);
    }
    fn code(&self, text: &str) -> u16 {
        self.by_text.get(text).copied().unwrap_or(u16::MAX - 1)
    }
}

impl Limit {
    fn push(&mut self, n: u32, twin: &Value) {
        let id = twin["deviceId"].as_str().unwrap().to_owned();
        self.by_id.insert(id.clone(), n);
        self.ids.push(id);
        let (tags, reported) = (&twin["tags"], &twin["properties"]["reported"]);
        self.region.push(&tags["region"]);
        self.customer.push(&tags["customer"]);
        self.site.push(&tags["site"]);
        self.status.push(&twin["status"]);
        self.ring.push(&tags["ring"]);
        self.network.push(&reported["network"]["type"]);
        self.firmware.push(&reported["firmware"]["version"]);
        self.serial.push(
            reported["serial"]
                .as_str()
                .unwrap()
                .as_bytes()
                .try_into()
                .unwrap(),
        );
        self.rssi.push(reported["rssi"].as_i64().unwrap() as i8);
        self.battery.push(match &reported["battery"] {
            Value::String(_) => 254,
            other => other.as_u64().map_or(255, |b| b as u8),
        });
        self.temp.push(
            reported["temp"]
                .as_f64()
                .map_or(u16::MAX, |t| (t * 100.0).round() as u16),
        );
        self.load.push(reported["load"][0].as_u64().unwrap() as u8);
        if reported.get("x017").is_some() {
            self.rare.push(n);
        }
    }
}

/// Counts bytes that pass, in blocks that vectorise.
fn count<T: Copy>(values: &[T], test: impl Fn(T) -> bool) -> usize {
    values
        .chunks(4096)
        .map(|block| block.iter().map(|v| u32::from(test(*v))).sum::<u32>() as usize)
        .sum()
}

fn pick<'a>(limit: &'a Limit, column: impl Fn(&'a Limit) -> &'a Shared, r: &mut Random) -> &'a str {
    let texts = &column(limit).texts;
    &texts[r.below(texts.len() as u64) as usize]
}

/// One query of the mixed set: draws a text, counts and lists by hand.
struct Case {
    name: &'static str,
    /// A path that an update between two runs touches.
    touched: &'static str,
    draw: fn(&Limit, &mut Random) -> Drawn,
}

type Drawn = (
    String,
    Box<dyn Fn(&Limit) -> usize>,
    Box<dyn Fn(&Limit, usize) -> bool>,
);

fn cases() -> Vec<Case> {
    fn select(condition: &str) -> String {
        format!("SELECT * FROM devices WHERE {condition}")
    }
    fn point(l: &Limit, r: &mut Random) -> Drawn {
        let id = l.ids[r.below(l.ids.len() as u64) as usize].clone();
        let other = id.clone();
        (
            select(&format!("deviceId = '{id}'")),
            Box::new(move |l| usize::from(l.by_id.contains_key(&id))),
            Box::new(move |l, n| l.ids[n] == other),
        )
    }
    macro_rules! equal_narrow {
        ($name:ident, $field:ident, $path:literal) => {
            fn $name(l: &Limit, r: &mut Random) -> Drawn {
                let text = pick(l, |l| &l.$field, r).to_owned();
                let code = l.$field.code(&text) as u8;
                (
                    select(&format!(concat!($path, " = '{}'"), text)),
                    Box::new(move |l| count(&l.$field.narrow, |v| v == code)),
                    Box::new(move |l, n| l.$field.narrow[n] == code),
                )
            }
        };
    }
    equal_narrow!(low, region, "tags.region");
    equal_narrow!(nested, firmware, "properties.reported.firmware.version");
    fn high(l: &Limit, r: &mut Random) -> Drawn {
        let text = pick(l, |l| &l.customer, r).to_owned();
        let code = l.customer.code(&text);
        (
            select(&format!("tags.customer = '{text}'")),
            Box::new(move |l| count(&l.customer.codes, |v| v == code)),
            Box::new(move |l, n| l.customer.codes[n] == code),
        )
    }
    fn serial(l: &Limit, r: &mut Random) -> Drawn {
        let key = l.serial[r.below(l.serial.len() as u64) as usize];
        (
            select(&format!(
                "properties.reported.serial = '{}'",
                std::str::from_utf8(&key).unwrap()
            )),
            Box::new(move |l| count(&l.serial, |v| v == key)),
            Box::new(move |l, n| l.serial[n] == key),
        )
    }
    fn and3(l: &Limit, r: &mut Random) -> Drawn {
        let text = pick(l, |l| &l.region, r).to_owned();
        let (code, on, above) = (
            l.region.code(&text) as u8,
            l.status.code("enabled") as u8,
            -(50 + r.below(40) as i8),
        );
        let hit = move |l: &Limit, n: usize| {
            (l.region.narrow[n] == code) & (l.status.narrow[n] == on) & (l.rssi[n] > above)
        };
        let all = move |l: &Limit| {
            let blocks = l
                .region
                .narrow
                .chunks(4096)
                .zip(l.status.narrow.chunks(4096))
                .zip(l.rssi.chunks(4096));
            blocks
                .map(|((a, b), c)| {
                    a.iter()
                        .zip(b)
                        .zip(c)
                        .map(|((a, b), c)| u32::from((*a == code) & (*b == on) & (*c > above)))
                        .sum::<u32>() as usize
                })
                .sum()
        };
        (
            select(&format!(
                "tags.region = '{text}' AND status = 'enabled' AND properties.reported.rssi > {above}"
            )),
            Box::new(all),
            Box::new(hit),
        )
    }
    fn or2(l: &Limit, r: &mut Random) -> Drawn {
        let (a, b) = (
            pick(l, |l| &l.region, r).to_owned(),
            pick(l, |l| &l.network, r).to_owned(),
        );
        let (x, y) = (l.region.code(&a) as u8, l.network.code(&b) as u8);
        let all = move |l: &Limit| {
            let blocks = l
                .region
                .narrow
                .chunks(4096)
                .zip(l.network.narrow.chunks(4096));
            blocks
                .map(|(a, b)| {
                    a.iter()
                        .zip(b)
                        .map(|(a, b)| u32::from((*a == x) | (*b == y)))
                        .sum::<u32>() as usize
                })
                .sum()
        };
        (
            select(&format!(
                "tags.region = '{a}' OR properties.reported.network.type = '{b}'"
            )),
            Box::new(all),
            Box::new(move |l, n| l.region.narrow[n] == x || l.network.narrow[n] == y),
        )
    }
    fn range(_: &Limit, r: &mut Random) -> Drawn {
        let low = 500 + r.below(3000) as u16;
        let high = low + 1500;
        let hit = move |v: u16| v.wrapping_sub(low) < high - low;
        (
            select(&format!(
                "properties.reported.temp >= {}.{:02} AND properties.reported.temp < {}.{:02}",
                low / 100,
                low % 100,
                high / 100,
                high % 100
            )),
            Box::new(move |l| count(&l.temp, hit)),
            Box::new(move |l, n| hit(l.temp[n])),
        )
    }
    fn mixed(_: &Limit, r: &mut Random) -> Drawn {
        let below = 5 + r.below(90) as u8;
        (
            select(&format!("properties.reported.battery < {below}")),
            Box::new(move |l| count(&l.battery, |v| v < below)),
            Box::new(move |l, n| l.battery[n] < below),
        )
    }
    fn clean(_: &Limit, r: &mut Random) -> Drawn {
        let above = -(45 + r.below(60) as i8);
        (
            select(&format!("properties.reported.rssi > {above}")),
            Box::new(move |l| count(&l.rssi, |v| v > above)),
            Box::new(move |l, n| l.rssi[n] > above),
        )
    }
    fn in10(l: &Limit, r: &mut Random) -> Drawn {
        let texts: Vec<String> = (0..10)
            .map(|_| pick(l, |l| &l.site, r).to_owned())
            .collect();
        let mut table = vec![false; 65_536];
        texts
            .iter()
            .for_each(|text| table[usize::from(l.site.code(text))] = true);
        let other = table.clone();
        let list: Vec<String> = texts.iter().map(|t| format!("'{t}'")).collect();
        (
            select(&format!("tags.site IN [{}]", list.join(","))),
            Box::new(move |l| count(&l.site.codes, |v| table[usize::from(v)])),
            Box::new(move |l, n| other[usize::from(l.site.codes[n])]),
        )
    }
    fn prefix(l: &Limit, r: &mut Random) -> Drawn {
        let text = pick(l, |l| &l.site, r)[..7].to_owned();
        let table = |l: &Limit, text: &str| -> Vec<bool> {
            let mut table = vec![false; 65_536];
            l.site
                .texts
                .iter()
                .enumerate()
                .for_each(|(at, t)| table[at] = t.starts_with(text));
            table
        };
        let (wanted, other) = (text.clone(), table(l, &text));
        (
            select(&format!("STARTSWITH(tags.site, '{text}')")),
            Box::new(move |l| {
                let table = table(l, &wanted);
                count(&l.site.codes, |v| table[usize::from(v)])
            }),
            Box::new(move |l, n| other[usize::from(l.site.codes[n])]),
        )
    }
    fn rare(_: &Limit, _: &mut Random) -> Drawn {
        (
            select("is_defined(properties.reported.x017)"),
            Box::new(|l| l.rare.len()),
            Box::new(|l, n| l.rare.binary_search(&(n as u32)).is_ok()),
        )
    }
    fn not(_: &Limit, r: &mut Random) -> Drawn {
        let below = 5 + r.below(90) as u8;
        (
            select(&format!("NOT (properties.reported.battery < {below})")),
            Box::new(move |l| count(&l.battery, |v| v >= below && v < 254)),
            Box::new(move |l, n| l.battery[n] >= below && l.battery[n] < 254),
        )
    }
    fn unequal(l: &Limit, r: &mut Random) -> Drawn {
        let text = pick(l, |l| &l.ring, r).to_owned();
        let code = l.ring.code(&text) as u8;
        (
            select(&format!("tags.ring != '{text}'")),
            Box::new(move |l| count(&l.ring.narrow, |v| v != code && v != 255)),
            Box::new(move |l, n| l.ring.narrow[n] != code && l.ring.narrow[n] != 255),
        )
    }
    fn element(_: &Limit, r: &mut Random) -> Drawn {
        let above = 50 + r.below(49) as u8;
        (
            select(&format!("properties.reported.load[0] > {above}")),
            Box::new(move |l| count(&l.load, |v| v > above)),
            Box::new(move |l, n| l.load[n] > above),
        )
    }
    vec![
        Case {
            name: "point look-up by id",
            touched: "ring",
            draw: point,
        },
        Case {
            name: "equality, 8 values",
            touched: "region",
            draw: low,
        },
        Case {
            name: "equality, 40,000 values",
            touched: "customer",
            draw: high,
        },
        Case {
            name: "equality, unique text",
            touched: "ring",
            draw: serial,
        },
        Case {
            name: "AND of 3",
            touched: "region",
            draw: and3,
        },
        Case {
            name: "OR over 2 fields",
            touched: "region",
            draw: or2,
        },
        Case {
            name: "range, 15 % missing",
            touched: "temp",
            draw: range,
        },
        Case {
            name: "range, 0.5 % strings",
            touched: "battery",
            draw: mixed,
        },
        Case {
            name: "range, clean",
            touched: "rssi",
            draw: clean,
        },
        Case {
            name: "IN of 10",
            touched: "site",
            draw: in10,
        },
        Case {
            name: "prefix",
            touched: "site",
            draw: prefix,
        },
        Case {
            name: "IS_DEFINED, rare key",
            touched: "ring",
            draw: rare,
        },
        Case {
            name: "NOT",
            touched: "battery",
            draw: not,
        },
        Case {
            name: "!= with missing values",
            touched: "ring",
            draw: unequal,
        },
        Case {
            name: "nested path",
            touched: "ring",
            draw: nested,
        },
        Case {
            name: "array element",
            touched: "ring",
            draw: element,
        },
    ]
}

/// Writes one field with the value that it has, so that answers stay known: the path is written all the same.
fn touch(index: &mut WriterIndex, twins: &[String], r: &mut Random, field: &str) {
    let n = r.below(twins.len() as u64) as usize;
    let twin: Value = serde_json::from_str(&twins[n]).unwrap();
    let reported = ["temp", "battery", "rssi"].contains(&field);
    let held = if reported {
        &twin["properties"]["reported"][field]
    } else {
        &twin["tags"][field]
    };
    // Away and back again, so that the column really changes.
    for value in [&json!("elsewhere"), held] {
        let patch = if reported {
            json!({"properties": {"reported": {field: value}}})
        } else {
            json!({"tags": {field: value}})
        };
        let id = twin["deviceId"].as_str().unwrap();
        index
            .change(&Change::Patch {
                id,
                patch: &patch.to_string(),
            })
            .unwrap();
    }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e6
}

/// What reading the clock twice takes: it is taken off every time.
fn clock() -> Duration {
    static COST: std::sync::OnceLock<Duration> = std::sync::OnceLock::new();
    *COST.get_or_init(|| {
        let mut costs: Vec<Duration> = (0..10_000)
            .map(|_| {
                let from = cpu_time();
                cpu_time() - from
            })
            .collect();
        costs.sort_unstable();
        costs[costs.len() / 4]
    })
}

fn timed<T>(f: impl FnOnce() -> T) -> (T, Duration) {
    let cost = clock();
    let from = cpu_time();
    let out = black_box(f());
    (out, (cpu_time() - from).saturating_sub(cost))
}

/// The CPU time that this thread has taken, in seconds.
fn cpu() -> f64 {
    cpu_time().as_secs_f64()
}

/// Whether a section of this program is to run.
fn wanted(section: &str) -> bool {
    std::env::var("FLEET_BENCH_ONLY").map_or(true, |named| named.split(',').any(|n| n == section))
}

fn main() {
    let devices: u64 = std::env::var("FLEET_BENCH_DEVICES")
        .ok()
        .and_then(|t| t.parse().ok())
        .unwrap_or(1_000_000);
    let twins: Vec<String> = (0..devices)
        .map(|n| fleet_generate::twin(SEED, n))
        .collect();
    let json_bytes: usize = twins.iter().map(String::len).sum();
    println!(
        "{devices} twins, {:.0} bytes of JSON each\n",
        json_bytes as f64 / devices as f64
    );

    let from = cpu();
    let mut index = WriterIndex::new(Collection::Devices);
    index.put_all(twins.iter().map(String::as_str)).unwrap();
    let load = cpu() - from;
    index.shrink();
    let bytes = index.bytes() as f64 / devices as f64;
    let mut report = vec![json!({"name": "load from JSON", "seconds": load})];
    println!("load from JSON        {load:8.2} CPU s   (reach 3)");
    println!("memory                {bytes:8.1} bytes/device (reach 256)");
    report.push(json!({"name": "bytes per device", "bytes": bytes}));

    let mut limit = Limit::default();
    if ["queries", "groups", "peers"].into_iter().any(wanted) {
        let mut values = Vec::new();
        for (n, twin) in twins.iter().enumerate() {
            let value: Value = serde_json::from_str(twin).unwrap();
            limit.push(n as u32, &value);
            if n < twins.len() / 10 {
                values.push(value);
            }
        }
        if wanted("queries") {
            queries(&mut index, &twins, &limit, &values, &mut report);
            let bytes_then = index.bytes() as f64 / devices as f64;
            println!(
                "memory with the tables that these queries made {bytes_then:8.1} bytes/device"
            );
            report.push(json!({"name": "bytes per device after the queries", "bytes": bytes_then}));
        }
        if wanted("groups") {
            groups(&index.snapshot(), &limit, &values, &mut report);
        }
    }
    if wanted("updates") {
        updates(&mut index, &twins, &mut report);
    }
    if wanted("saved") {
        saved(&index, &mut report);
    }
    drop(index);
    if wanted("replay") {
        replay(devices, &mut report);
    }
    #[cfg(feature = "peers")]
    if wanted("peers") {
        sqlite(&twins, &limit, &mut report);
    }
    let path =
        std::env::var("FLEET_BENCH_JSON").unwrap_or_else(|_| "results/index.json".to_owned());
    if let Some(folder) = std::path::Path::new(&path).parent() {
        std::fs::create_dir_all(folder).unwrap();
    }
    let text = serde_json::to_string_pretty(
        &json!({"devices": devices, "bytesPerDevice": bytes, "results": report}),
    )
    .unwrap();
    std::fs::write(&path, text + "\n").unwrap();
}

fn queries(
    index: &mut WriterIndex,
    twins: &[String],
    limit: &Limit,
    values: &[Value],
    report: &mut Vec<Value>,
) {
    println!(
        "\n{:24} {:>9} {:>12} {:>12} {:>9} {:>12} {:>9} {:>9}",
        "query", "matches", "count us", "limit us", "x limit", "x naive", "ids us", "x limit"
    );
    let (mut logs, mut id_logs, mut number) = (0.0, 0.0, 0.0);
    for case in cases() {
        let mut r = Random::new(7, 7);
        let (mut ours, mut theirs, mut our_ids, mut their_ids, mut matches) =
            (vec![], vec![], vec![], vec![], 0);
        for _ in 0..31 {
            touch(index, twins, &mut r, case.touched);
            let (text, by_hand, hit) = (case.draw)(limit, &mut r);
            let query = Query::parse(&text, Dialect::IotHub, Mode::Lenient).unwrap();
            let snapshot = index.snapshot();
            let (found, time) = timed(|| snapshot.count(query.condition()).unwrap());
            ours.push(time);
            let (expected, time) = timed(|| by_hand(limit));
            theirs.push(time);
            assert_eq!(found, expected as u64, "{text}");
            matches = found;
            if ours.len() <= 11 {
                let (ids, time) = timed(|| snapshot.ids(query.condition()).unwrap());
                our_ids.push(time);
                let point = case.name.starts_with("point");
                let (list, time) = timed(|| {
                    let mut out: Vec<&str> = Vec::new();
                    if point {
                        let key = text.split('\'').nth(1).unwrap();
                        out.extend(
                            limit
                                .by_id
                                .get(key)
                                .map(|n| limit.ids[*n as usize].as_str()),
                        );
                    } else if case.name.starts_with("IS_DEFINED") {
                        out.extend(limit.rare.iter().map(|n| limit.ids[*n as usize].as_str()));
                    } else {
                        for n in 0..limit.ids.len() {
                            if hit(limit, n) {
                                out.push(&limit.ids[n]);
                            }
                        }
                    }
                    out
                });
                their_ids.push(time);
                assert_eq!(ids.len(), list.len());
            }
        }
        let (text, ..) = (case.draw)(limit, &mut r);
        let query = Query::parse(&text, Dialect::IotHub, Mode::Lenient).unwrap();
        let (_, naive) = timed(|| {
            values
                .iter()
                .filter(|v| query.matches(Document::new(v)).is_true())
                .count()
        });
        let naive = naive.as_secs_f64() * 1e7;
        let (ours, theirs, our_ids, their_ids) = (
            median(ours),
            median(theirs),
            median(our_ids),
            median(their_ids),
        );
        logs += (naive / ours).ln();
        id_logs += (naive / our_ids).ln();
        number += 1.0;
        println!(
            "{:24} {matches:>9} {ours:>12.1} {theirs:>12.1} {:>9.2} {:>12.0} {our_ids:>9.0} {:>9.2}",
            case.name,
            ours / theirs,
            naive / ours,
            our_ids / their_ids
        );
        report.push(json!({"name": case.name, "matches": matches, "countMicroseconds": ours, "limitMicroseconds": theirs,
            "naiveMicroseconds": naive, "idsMicroseconds": our_ids, "idsLimitMicroseconds": their_ids}));
    }
    println!(
        "geometric mean against naive: counts {:.0}x (reach 10,000), ids {:.0}x (reach 2,000)",
        (logs / number).exp(),
        (id_logs / number).exp()
    );
    report.push(json!({"name": "geometric means against naive", "counts": (logs / number).exp(), "ids": (id_logs / number).exp()}));
}

fn groups(snapshot: &Snapshot, limit: &Limit, values: &[Value], report: &mut Vec<Value>) {
    let mut show = |name: &str, text: &str, by_hand: &dyn Fn() -> f64| {
        let query = Query::parse(text, Dialect::IotHub, Mode::Lenient).unwrap();
        let (mut ours, mut theirs) = (vec![], vec![]);
        for _ in 0..11 {
            ours.push(timed(|| snapshot.rows(&query).unwrap()).1);
            theirs.push(timed(by_hand).1);
        }
        let (_, naive) = timed(|| query.run(values));
        let (ours, theirs, naive) = (median(ours), median(theirs), naive.as_secs_f64() * 1e7);
        println!(
            "{name:24} {:>9} {ours:>12.1} {theirs:>12.1} {:>9.2} {:>12.0}",
            "",
            ours / theirs,
            naive / ours
        );
        report.push(json!({"name": name, "countMicroseconds": ours, "limitMicroseconds": theirs, "naiveMicroseconds": naive}));
    };
    show(
        "GROUP BY",
        "SELECT tags.region, COUNT() AS n FROM devices GROUP BY tags.region",
        &|| {
            let mut counts = [0u32; 256];
            limit
                .region
                .narrow
                .iter()
                .for_each(|v| counts[usize::from(*v)] += 1);
            f64::from(counts[0])
        },
    );
    show(
        "average by group",
        "SELECT tags.region, AVG(properties.reported.temp) AS t FROM devices GROUP BY tags.region",
        &|| {
            let mut sums = [(0.0f64, 0u32); 256];
            for (group, temp) in limit.region.narrow.iter().zip(&limit.temp) {
                if *temp != u16::MAX {
                    let (sum, count) = &mut sums[usize::from(*group)];
                    *sum += f64::from(*temp) / 100.0;
                    *count += 1;
                }
            }
            sums[0].0
        },
    );
    show(
        "TOP 100",
        "SELECT TOP 100 deviceId FROM devices WHERE tags.region = 'us-east'",
        &|| {
            let code = limit.region.code("us-east") as u8;
            let rows: Vec<Value> = (0..limit.ids.len())
                .filter(|n| limit.region.narrow[*n] == code)
                .take(100)
                .map(|n| json!({"deviceId": limit.ids[n]}))
                .collect();
            rows.len() as f64
        },
    );
}

/// Changes that a feed hands over together, where it hands over many at once.
const STREAM: usize = 100;

fn updates(index: &mut WriterIndex, twins: &[String], report: &mut Vec<Value>) {
    let mut r = Random::new(9, 9);
    // A quarter of the changes of each kind for each way: one at a time or in a stream, freely or with a snapshot held.
    let count = 50_000;
    let drawn = 4 * count;
    // The same device with another signal: what a device reports anew.
    let fresh: Vec<String> = (0..drawn)
        .map(|k| {
            let n = r.below(twins.len() as u64) as usize;
            let old = &twins[n];
            let at = old.find("\"rssi\":-").unwrap() + 8;
            let end = at + old[at..].find(',').unwrap();
            format!("{}{}{}", &old[..at], 40 + (k + n) % 70, &old[end..])
        })
        .collect();
    let other: Vec<String> = (0..drawn)
        .map(|_| fleet_generate::twin(SEED + 1, r.below(twins.len() as u64)))
        .collect();
    let patches: Vec<(String, String)> = (0..drawn)
        .map(|_| {
            let n = r.below(twins.len() as u64);
            (
                fleet_generate::device_id(n),
                format!(
                    r#"{{"properties":{{"reported":{{"battery":{}}}}}}}"#,
                    r.below(101)
                ),
            )
        })
        .collect();
    updated(
        "twin from text, one value new",
        index,
        report,
        &fresh,
        |document| Change::Put { document },
    );
    updated("one-field patch", index, report, &patches, |(id, patch)| {
        Change::Patch { id, patch }
    });
    // Last: the others find twins as they were loaded.
    updated(
        "twin from text, all values new",
        index,
        report,
        &other,
        |document| Change::Put { document },
    );
}

fn updated<T>(
    name: &str,
    index: &mut WriterIndex,
    report: &mut Vec<Value>,
    drawn: &[T],
    change: impl Fn(&T) -> Change<'_>,
) {
    let ways = [(1, false), (STREAM, false), (1, true), (STREAM, true)];
    let count = drawn.len() / ways.len();
    for ((together, held), drawn) in ways.into_iter().zip(drawn.chunks(count)) {
        let mut snapshot = None;
        let from = cpu();
        for (at, some) in drawn.chunks(together).enumerate() {
            if held && at * together % 1000 == 0 {
                snapshot = Some(index.snapshot());
            }
            match some {
                [one] => index.change(&change(one)).unwrap(),
                many => assert_eq!(index.change_all(many.iter().map(&change)), Ok(many.len())),
            }
        }
        drop(snapshot);
        let micros = (cpu() - from) * 1e6 / count as f64;
        let stream = if together > 1 { ", in a stream" } else { "" };
        let note = if held {
            ", snapshot held every 1,000"
        } else {
            ""
        };
        let name = format!("{name}{stream}{note}");
        println!("{name:72} {micros:8.3} us");
        report.push(json!({"name": name, "microseconds": micros}));
    }
}

fn saved(index: &WriterIndex, report: &mut Vec<Value>) {
    let mut file = Vec::new();
    index.save("bench", &mut file).unwrap();
    let from = cpu();
    let again = WriterIndex::load("bench", file.as_slice()).unwrap();
    let seconds = cpu() - from;
    println!(
        "load from the saved index {seconds:6.2} CPU s (reach 0.5), {} MB",
        file.len() / 1_000_000
    );
    assert_eq!(again.snapshot().len(), index.snapshot().len());
    report.push(
        json!({"name": "load from the saved index", "seconds": seconds, "fileBytes": file.len()}),
    );
}

fn replay(devices: u64, report: &mut Vec<Value>) {
    // Events in scattered order, each device's own in order: the k-th event of devices in a shuffled walk.
    let step = 7_919_u64;
    let events: Vec<(String, String)> = (0..5)
        .flat_map(|k| (0..devices).map(move |i| (k, (i * step) % devices)))
        .map(|(k, n)| match k {
            0 => (String::new(), fleet_generate::creation(SEED, n)),
            _ => (
                fleet_generate::device_id(n),
                fleet_generate::patch(SEED, n, k - 1),
            ),
        })
        .collect();
    let mut index = WriterIndex::new(Collection::Devices);
    let from = cpu();
    for (at, (id, text)) in events.iter().enumerate() {
        let change = if id.is_empty() {
            Change::Put { document: text }
        } else {
            Change::Patch { id, patch: text }
        };
        index.apply(at as u64 + 1, None, &change).unwrap();
    }
    let seconds = cpu() - from;
    println!(
        "replay of {} events {seconds:6.2} CPU s (reach 4)",
        events.len()
    );
    report.push(json!({"name": "replay", "events": events.len(), "seconds": seconds}));
}

/// A constant for a peer's query.
#[cfg(feature = "peers")]
fn draw(limit: &Limit, r: &mut Random, name: &str) -> String {
    let n = r.below(limit.ids.len() as u64) as usize;
    match name {
        "point look-up by id" => limit.ids[n].clone(),
        "equality, unique text" => String::from_utf8(limit.serial[n].to_vec()).unwrap(),
        _ => pick(limit, |l| &l.customer, r).to_owned(),
    }
}

#[cfg(feature = "peers")]
fn sqlite(twins: &[String], limit: &Limit, report: &mut Vec<Value>) {
    let database = rusqlite::Connection::open_in_memory().unwrap();
    database
        .execute_batch("CREATE TABLE devices(id TEXT PRIMARY KEY, doc BLOB) WITHOUT ROWID; BEGIN")
        .unwrap();
    {
        let mut insert = database
            .prepare("INSERT INTO devices VALUES(?1, jsonb(?2))")
            .unwrap();
        for (id, twin) in limit.ids.iter().zip(twins) {
            insert.execute((id, twin)).unwrap();
        }
    }
    database.execute_batch("COMMIT").unwrap();
    for (name, path) in [
        ("region", "$.tags.region"),
        ("customer", "$.tags.customer"),
        ("site", "$.tags.site"),
        ("ring", "$.tags.ring"),
        ("status", "$.status"),
        ("serial", "$.properties.reported.serial"),
        ("temp", "$.properties.reported.temp"),
        ("battery", "$.properties.reported.battery"),
        ("rssi", "$.properties.reported.rssi"),
        ("network", "$.properties.reported.network.type"),
        ("firmware", "$.properties.reported.firmware.version"),
        ("rare", "$.properties.reported.x017"),
        ("load", "$.properties.reported.load[0]"),
    ] {
        database
            .execute_batch(&format!(
                "CREATE INDEX by_{name} ON devices(doc ->> '{path}')"
            ))
            .unwrap();
    }
    database.execute_batch("ANALYZE").unwrap();
    let reported = |field: &str| format!("doc ->> '$.properties.reported.{field}'");
    let tag = |field: &str| format!("doc ->> '$.tags.{field}'");
    let site = &limit.site.texts[7];
    let ten: Vec<String> = limit.site.texts[..10]
        .iter()
        .map(|t| format!("'{t}'"))
        .collect();
    let count = |filter: String| format!("SELECT count(*) FROM devices WHERE {filter}");
    for (name, text) in [
        ("point look-up by id", count("id = ?1".to_owned())),
        (
            "equality, 8 values",
            count(format!("{} = 'us-east'", tag("region"))),
        ),
        (
            "equality, 40,000 values",
            count(format!("{} = ?1", tag("customer"))),
        ),
        (
            "equality, unique text",
            count(format!("{} = ?1", reported("serial"))),
        ),
        (
            "AND of 3",
            count(format!(
                "{} = 'us-east' AND doc ->> '$.status' = 'enabled' AND {} > -60",
                tag("region"),
                reported("rssi")
            )),
        ),
        (
            "OR over 2 fields",
            count(format!(
                "{} = 'us-east' OR {} = 'lte'",
                tag("region"),
                reported("network.type")
            )),
        ),
        (
            "range, 15 % missing",
            count(format!("{0} >= 20 AND {0} < 35", reported("temp"))),
        ),
        (
            "range, 0.5 % strings",
            count(format!("{} < 50", reported("battery"))),
        ),
        ("range, clean", count(format!("{} > -60", reported("rssi")))),
        (
            "IN of 10",
            count(format!("{} IN ({})", tag("site"), ten.join(","))),
        ),
        (
            "prefix",
            count(format!(
                "{0} >= '{1}' AND {0} < '{1}~'",
                tag("site"),
                &site[..7]
            )),
        ),
        (
            "IS_DEFINED, rare key",
            count(format!("{} IS NOT NULL", reported("x017"))),
        ),
        (
            "NOT",
            count(format!(
                "NOT ({0} < 50) AND typeof({0}) = 'integer'",
                reported("battery")
            )),
        ),
        (
            "!= with missing values",
            count(format!("{} != 'beta'", tag("ring"))),
        ),
        (
            "nested path",
            count(format!(
                "{} = '{}'",
                reported("firmware.version"),
                limit.firmware.texts[1]
            )),
        ),
        (
            "array element",
            count(format!("{} > 60", reported("load[0]"))),
        ),
        (
            "GROUP BY",
            format!(
                "SELECT {0}, count(*) FROM devices GROUP BY {0}",
                tag("region")
            ),
        ),
        (
            "average by group",
            format!(
                "SELECT {}, avg({}) FROM devices GROUP BY 1",
                tag("region"),
                reported("temp")
            ),
        ),
        (
            "TOP 100",
            format!(
                "SELECT id FROM devices WHERE {} = 'us-east' ORDER BY id LIMIT 100",
                tag("region")
            ),
        ),
    ] {
        let mut statement = database.prepare(&text).unwrap();
        // Where a query reads a few pages only, which ones matters: its constant is drawn afresh for every run.
        let mut r = Random::new(11, 11);
        let times = (0..if text.contains('?') { 31 } else { 3 })
            .map(|_| {
                let drawn: Vec<String> = match text.contains('?') {
                    true => vec![draw(limit, &mut r, name)],
                    false => Vec::new(),
                };
                timed(|| {
                    let mut rows = statement.query(rusqlite::params_from_iter(&drawn)).unwrap();
                    let mut count = 0;
                    while rows.next().unwrap().is_some() {
                        count += 1;
                    }
                    count
                })
                .1
            })
            .collect();
        let micros = median(times);
        let ours = report
            .iter()
            .find(|row| row["name"] == name)
            .and_then(|row| row["countMicroseconds"].as_f64())
            .unwrap_or(f64::NAN);
        println!(
            "SQLite JSONB, expression indexes: {name:26} {micros:10.1} us, {:8.1} x ours",
            micros / ours
        );
        report.push(json!({"name": format!("SQLite: {name}"), "microseconds": micros}));
    }
}
