//! Device-key derivation and chain verification against the same library's bare work, in one run.
//!
//! Derivation: a prepared key with base64 into a caller's buffer, against a cloned HMAC-SHA256 state and the same base64.
//! Chain: leaf, intermediate and root on P-256, against the two signature checks (keys and signatures decoded each time)
//! and one parse of each certificate. `FLEET_BENCH_DERIVATIONS` (default 1,000,000) sets the size. Rounds of both sides
//! alternate; the best of each counts. Prints one table, and the same as one line of JSON.
#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]
#![allow(clippy::expect_used, reason = "a benchmark may stop")]

use base64::Engine as _;
use fleet_benches::{cpu_time, setting};
use fleet_crypto::symmetric::{DEVICE_KEY_TEXT_LENGTH, SymmetricKey};
use fleet_crypto::x509::{Certificate, ChainVerifier};
use fleet_crypto::{RegistrationId, RustCrypto, UnixSeconds};
use hmac::{Hmac, KeyInit as _, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use serde_json::json;
use sha2::Sha256;
use std::hint::black_box;

const ROUNDS: usize = 7;
const NOW: UnixSeconds = UnixSeconds(1_780_000_000);

/// The best of several rounds of each side, in seconds, the sides taking turns.
fn best(mut ours: impl FnMut(), mut bare: impl FnMut()) -> (f64, f64) {
    let mut times = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        let began = cpu_time().as_secs_f64();
        ours();
        let middle = cpu_time().as_secs_f64();
        bare();
        let ended = cpu_time().as_secs_f64();
        times = (times.0.min(middle - began), times.1.min(ended - middle));
    }
    times
}

fn derivation(count: usize) -> serde_json::Value {
    let bytes: Vec<u8> = (0..64).collect();
    let key = SymmetricKey::from_bytes(bytes.clone())
        .expect("64 bytes")
        .prepare(&RustCrypto);
    let state = Hmac::<Sha256>::new_from_slice(&bytes).expect("any length");
    let ids: Vec<RegistrationId> = (0..count)
        .filter_map(|n| format!("dev-{n:09}").parse().ok())
        .collect();
    let mut out = [0; DEVICE_KEY_TEXT_LENGTH];
    let mut bare_out = [0; DEVICE_KEY_TEXT_LENGTH];
    let (ours, bare) = best(
        || {
            for id in &ids {
                key.derive_text(id, &mut out);
                black_box(&out);
            }
        },
        || {
            for id in &ids {
                let mut mac = state.clone();
                mac.update(id.as_str().as_bytes());
                let tag: [u8; 32] = mac.finalize().into_bytes().into();
                let written =
                    base64::engine::general_purpose::STANDARD.encode_slice(tag, &mut bare_out);
                black_box((&bare_out, written.is_ok()));
            }
        },
    );
    // The same work on every core: how much of the cores' time is lost to one another.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = ids.len().div_ceil(cores).max(1);
    let mut slowest = f64::MAX;
    for _ in 0..3 {
        let round = std::thread::scope(|scope| {
            let workers: Vec<_> = ids
                .chunks(share)
                .map(|chunk| {
                    let key = &key;
                    scope.spawn(move || {
                        let began = cpu_time().as_secs_f64();
                        let mut out = [0; DEVICE_KEY_TEXT_LENGTH];
                        for id in chunk {
                            key.derive_text(id, &mut out);
                            black_box(&out);
                        }
                        cpu_time().as_secs_f64() - began
                    })
                })
                .collect();
            workers
                .into_iter()
                .filter_map(|worker| worker.join().ok())
                .fold(0.0, f64::max)
        });
        slowest = slowest.min(round);
    }
    let each = |seconds: f64| seconds * 1e9 / count as f64;
    println!(
        "derivation        {:>8.0} ns   bare {:>8.0} ns   ratio {:.3}   (at most 1.2)",
        each(ours),
        each(bare),
        ours / bare
    );
    println!(
        "on {cores} cores        {:.2} times as fast as on one",
        ours / slowest
    );
    json!({"ns": each(ours), "bareNs": each(bare), "ratio": ours / bare, "cores": cores, "speedup": ours / slowest})
}

fn chain() -> serde_json::Value {
    let file = include_str!("../../crates/fleet-crypto/tests/vectors/x509_chains.json");
    let file: serde_json::Value = serde_json::from_str(file).expect("vectors");
    let case = file
        .pointer("/cases")
        .and_then(|cases| cases.as_array())
        .and_then(|cases| {
            cases
                .iter()
                .find(|case| case["id"] == "ok-root-ica-leaf-p256")
        })
        .expect("the P-256 chain");
    let read = |pointer: &str| {
        let pem = case
            .pointer(pointer)
            .and_then(|pem| pem.as_str())
            .expect("PEM");
        Certificate::from_pem(pem).expect("certificate")
    };
    let (leaf, issuing, anchor) = (read("/leaf"), read("/intermediates/0"), read("/anchors/0"));
    let ders = [&leaf, &issuing, &anchor].map(|certificate| certificate.der().to_vec());

    // What is signed, and the signature, cut out beforehand: the bare side does not look for them.
    let parts = |certificate: &Certificate, issuer: &Certificate| {
        let (tbs, signature) = cut(certificate.der()).expect("signed structure");
        (
            issuer.public_key().expect("P-256").bits().to_vec(),
            tbs,
            signature,
        )
    };
    let checks = [parts(&leaf, &issuing), parts(&issuing, &anchor)];
    const TIMES: usize = 200;
    let (ours, bare) = best(
        || {
            for _ in 0..TIMES {
                let [leaf, issuing, anchor] = ders
                    .each_ref()
                    .map(|der| Certificate::from_der(der).expect("certificate"));
                let anchors = [anchor];
                let verifier = ChainVerifier::new(&anchors, &RustCrypto);
                black_box(verifier.verify_path(&leaf, &[issuing], NOW).expect("path"));
            }
        },
        || {
            for _ in 0..TIMES {
                for der in &ders {
                    black_box(Certificate::from_der(der).expect("certificate"));
                }
                for (key, tbs, signature) in &checks {
                    let key = VerifyingKey::from_sec1_bytes(key).expect("key");
                    let signature = Signature::from_der(signature).expect("signature");
                    key.verify(tbs, &signature).expect("verifies");
                }
            }
        },
    );
    let each = |seconds: f64| seconds * 1e6 / TIMES as f64;
    println!(
        "three-link chain  {:>8.1} us   bare {:>8.1} us   ratio {:.3}   (at most 1.2)",
        each(ours),
        each(bare),
        ours / bare
    );
    json!({"us": each(ours), "bareUs": each(bare), "ratio": ours / bare})
}

/// The to-be-signed part and the signature of a certificate with two-byte lengths.
fn cut(der: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let length = |at: usize| {
        Some(usize::from(*der.get(at)?) << 8 | usize::from(*der.get(at.checked_add(1)?)?))
    };
    let end = 8 + length(6)?;
    let tbs = der.get(4..end)?.to_vec();
    // The algorithm of ECDSA with SHA-256 has 12 bytes; the bit string has a header of 3.
    let signature = der.get(end + 12 + 3..)?.to_vec();
    Some((tbs, signature))
}

fn main() {
    let count = setting("FLEET_BENCH_DERIVATIONS", 1_000_000) as usize;
    let result = json!({"bench": "crypto", "derivation": derivation(count), "chain": chain()});
    println!("{result}");
}
