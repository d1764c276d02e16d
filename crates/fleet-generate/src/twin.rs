//! One device: its twin in the shape of the IoT Hub device twin, its groups, its history.
use crate::Random;
use std::fmt::Write;

const REGIONS: &[&str] = &[
    "eu-west", "us-east", "eu-north", "us-west", "ap-south", "ap-east", "sa-east", "af-south",
];
const MODELS: &[&str] = &[
    "press-200",
    "press-300",
    "pump-4",
    "pump-4s",
    "cam-a",
    "gate-1",
    "meter-9",
    "valve-2",
];
const FIRMWARE: &[&str] = &[
    "3.4.1", "3.4.0", "3.3.9", "3.3.2", "3.2.7", "3.1.0", "2.9.4", "2.8.1", "2.8.0", "2.1.5",
    "1.9.9", "1.0.0",
];
const NETWORKS: &[&str] = &["lte", "wifi", "ethernet", "nb-iot"];
const FEATURES: &[&str] = &["ota", "logs", "edge", "audio", "geo", "lora", "ble", "mesh"];
const BASE32: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-";
const HEX: &[u8] = b"0123456789abcdef";

/// The id of device number `n`: `dev-0000000`, `dev-0000001` …
///
/// ```
/// assert_eq!(fleet_generate::device_id(41), "dev-0000041");
/// ```
#[must_use]
pub fn device_id(n: u64) -> String {
    format!("dev-{n:07}")
}

/// The twin of device number `n` as one line of JSON, about 670 bytes, in the shape of the IoT Hub device twin.
///
/// ```
/// let twin = fleet_generate::twin(42, 7);
/// assert_eq!(twin, fleet_generate::twin(42, 7));
/// assert!(twin.starts_with(r#"{"deviceId":"dev-0000007""#));
/// ```
#[must_use]
pub fn twin(seed: u64, n: u64) -> String {
    let mut text = String::with_capacity(800);
    write_twin(seed, n, &mut text);
    text
}

/// As [`twin`], appended to a buffer that the caller keeps.
pub fn write_twin(seed: u64, n: u64, out: &mut String) {
    let mut r = Random::new(seed, n);
    // Writing to a `String` cannot fail.
    let _ = head(&mut r, n, out)
        .and_then(|()| tags(&mut r, out))
        .and_then(|()| desired(&mut r, out))
        .and_then(|()| reported(&mut r, n, out));
}

/// The groups of device number `n`: none to ten names, ascending, a few large groups and many small ones.
#[must_use]
pub fn groups(seed: u64, n: u64) -> Vec<String> {
    let mut r = Random::new(seed ^ 0x67, n);
    let count = if r.chance(50) {
        r.below(11)
    } else {
        1 + r.skewed(4)
    };
    let mut names: Vec<String> = (0..count)
        .map(|_| format!("group-{:03}", r.skewed(500)))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The document that device number `n` starts with in a history: a small twin of at most 150 bytes.
#[must_use]
pub fn creation(seed: u64, n: u64) -> String {
    let mut r = Random::new(seed ^ 0xC0, n);
    format!(
        r#"{{"deviceId":"dev-{n:07}","status":"enabled","tags":{{"region":"{}","site":"site-{:04}"}}}}"#,
        r.pick(REGIONS),
        r.skewed(2000)
    )
}

/// Change number `k` (from 0) of device number `n` in a history: a merge patch of one field of the twin.
#[must_use]
pub fn patch(seed: u64, n: u64, k: u64) -> String {
    let mut r = Random::new(seed ^ 0x9A ^ (k << 32), n);
    match k % 4 {
        0 => format!(
            r#"{{"properties":{{"reported":{{"battery":{}}}}}}}"#,
            r.below(101)
        ),
        1 => format!(
            r#"{{"properties":{{"desired":{{"interval":{}}}}}}}"#,
            30 * (1 + r.below(20))
        ),
        2 => format!(
            r#"{{"tags":{{"ring":"{}"}}}}"#,
            r.pick(&["stable", "beta", "canary"])
        ),
        _ => format!(
            r#"{{"properties":{{"reported":{{"temp":{}.{}}}}}}}"#,
            10 + r.below(40),
            r.below(10)
        ),
    }
}

fn head(r: &mut Random, n: u64, out: &mut String) -> std::fmt::Result {
    let status = if r.chance(30) { "disabled" } else { "enabled" };
    let connection = if r.chance(620) {
        "Connected"
    } else {
        "Disconnected"
    };
    write!(
        out,
        r#"{{"deviceId":"dev-{n:07}","etag":"{}","status":"{status}","connectionState":"{connection}","lastActivityTime":"2026-0{}-{:02}T{:02}:{:02}:{:02}Z","version":{},"#,
        letters(r, BASE64, 28),
        1 + r.below(3),
        1 + r.below(28),
        r.below(24),
        r.below(60),
        r.below(60),
        2 + r.skewed(400),
    )
}

fn tags(r: &mut Random, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        r#""tags":{{"region":"{}","site":"site-{:04}","customer":"c-{:05}""#,
        r.pick(REGIONS),
        r.skewed(2000),
        r.below(40_000)
    )?;
    if r.chance(700) {
        write!(
            out,
            r#","ring":"{}""#,
            r.pick(&["stable", "beta", "canary"])
        )?;
    }
    if r.chance(300) {
        write!(out, r#","floor":{}"#, r.below(12))?;
    }
    write!(
        out,
        r#","location":{{"lat":{}.{:05},"lon":{}.{:05}}}}},"#,
        35 + r.below(25),
        r.below(100_000),
        r.below(28),
        r.below(100_000)
    )
}

fn desired(r: &mut Random, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        r#""properties":{{"desired":{{"firmware":"{}","interval":{},"#,
        r.pick(FIRMWARE),
        30 * (1 + r.skewed(20))
    )?;
    let features = r.below(4);
    if features > 0 {
        out.push_str(r#""features":["#);
        for i in 0..features {
            let comma = if i == 0 { "" } else { "," };
            write!(out, r#"{comma}"{}""#, r.pick(FEATURES))?;
        }
        out.push_str("],");
    }
    write!(out, r#""$version":{}}},"#, 1 + r.skewed(60))
}

fn reported(r: &mut Random, n: u64, out: &mut String) -> std::fmt::Result {
    write!(
        out,
        r#""reported":{{"model":"{}","serial":"{}","firmware":{{"version":"{}","build":"b{:04}"}},"#,
        r.pick(MODELS),
        serial(r, n),
        r.pick(FIRMWARE),
        r.skewed(3000)
    )?;
    if r.chance(5) {
        out.push_str(r#""battery":"unknown","#);
    } else if r.chance(900) {
        write!(out, r#""battery":{},"#, r.below(101))?;
    }
    if r.chance(850) {
        write!(out, r#""temp":{}.{},"#, 5 + r.below(60), r.below(100))?;
    }
    write!(
        out,
        r#""rssi":-{},"uptime":{},"network":{{"type":"{}","mac":"{}","ip":"10.{}.{}.{}"}},"#,
        40 + r.below(70),
        r.below(9_000_000),
        r.pick(NETWORKS),
        letters(r, HEX, 12),
        r.below(24),
        r.below(256),
        r.below(256)
    )?;
    write!(
        out,
        r#""sent":{},"received":{},"#,
        r.below(4_000_000_000),
        r.below(400_000_000)
    )?;
    if r.chance(20) {
        write!(out, r#""x{:03}":{},"#, r.below(400), r.below(1000))?;
    }
    if r.chance(40) {
        write!(
            out,
            r#""lastError":"E{:03}: sensor {} timed out","#,
            r.below(120),
            r.below(16)
        )?;
    }
    write!(
        out,
        r#""load":[{},{},{}],"$version":{}}}}}}}"#,
        r.below(100),
        r.below(100),
        r.below(100),
        1 + r.skewed(5000)
    )
}

/// Letters and digits that no other device has: the device's number, mixed, then six drawn.
fn serial(r: &mut Random, n: u64) -> String {
    let mixed = n.wrapping_mul(0x9E_3779_B97F) ^ (n >> 20);
    let mut text: String = (0..8).map(|i| letter(BASE32, mixed >> (i * 5))).collect();
    text.push_str(&letters(r, BASE32, 6));
    text
}

fn letters(r: &mut Random, alphabet: &[u8], count: usize) -> String {
    (0..count).map(|_| letter(alphabet, r.next_u64())).collect()
}

/// The letter that the low bits of `bits` choose; the alphabet's length is a power of two.
fn letter(alphabet: &[u8], bits: u64) -> char {
    let at = bits as usize & alphabet.len().saturating_sub(1);
    char::from(alphabet.get(at).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_twin_is_json_with_its_id_and_both_sections() {
        let mut bytes = 0;
        for n in 0..2_000 {
            let text = twin(3, n);
            bytes += text.len();
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(value["deviceId"], device_id(n));
            assert!(value["properties"]["desired"]["$version"].is_u64());
            assert!(value["properties"]["reported"]["$version"].is_u64());
        }
        let mean = bytes / 2_000;
        assert!((600..=740).contains(&mean), "mean twin size {mean}");
    }

    #[test]
    fn the_noise_of_a_real_fleet_is_present() {
        let (mut strings, mut missing, mut rare) = (0, 0, BTreeSet::new());
        for n in 0..20_000 {
            let value: serde_json::Value = serde_json::from_str(&twin(1, n)).unwrap();
            let reported = value["properties"]["reported"].as_object().unwrap();
            strings += usize::from(
                reported
                    .get("battery")
                    .is_some_and(serde_json::Value::is_string),
            );
            missing += usize::from(!reported.contains_key("battery"));
            rare.extend(reported.keys().filter(|k| k.starts_with('x')).cloned());
        }
        assert!((50..200).contains(&strings), "{strings}");
        assert!(
            missing > 1_000 && rare.len() > 200,
            "{missing} {}",
            rare.len()
        );
    }

    #[test]
    fn seeds_and_numbers_draw_different_twins_and_serials_never_repeat() {
        assert_ne!(twin(1, 0), twin(2, 0));
        let serials: BTreeSet<String> = (0..5_000)
            .map(|n| {
                let value: serde_json::Value = serde_json::from_str(&twin(1, n)).unwrap();
                value["properties"]["reported"]["serial"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(serials.len(), 5_000);
    }

    #[test]
    fn a_history_stays_within_150_bytes_an_event() {
        for n in 0..500 {
            let creation = creation(1, n);
            assert!(creation.len() <= 150, "{creation}");
            serde_json::from_str::<serde_json::Value>(&creation).unwrap();
            for k in 0..4 {
                let patch = patch(1, n, k);
                assert!(patch.len() <= 150, "{patch}");
                serde_json::from_str::<serde_json::Value>(&patch).unwrap();
            }
        }
    }

    #[test]
    fn groups_are_sorted_distinct_and_at_most_ten() {
        let all: Vec<Vec<String>> = (0..5_000).map(|n| groups(1, n)).collect();
        assert!(
            all.iter()
                .all(|g| g.len() <= 10 && g.windows(2).all(|w| w[0] < w[1]))
        );
        assert!(all.iter().any(|g| g.len() > 6) && all.iter().any(Vec::is_empty));
    }
}
