//! A seeded generator and what tests with foreign tools need, for tests only.
#![allow(dead_code)]
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, provider::Provider};
use std::io::Write as _;

/// Deterministic bytes: SHA-256 of seed and counter. Fit for tests and for nothing else.
pub struct SeededRandom {
    seed: u64,
    counter: u64,
}

impl SeededRandom {
    pub fn new(seed: u64) -> Self {
        Self { seed, counter: 0 }
    }
}

impl SecureRandom for SeededRandom {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        for chunk in out.chunks_mut(32) {
            let block = RustCrypto.sha256(&[&self.seed.to_be_bytes(), &self.counter.to_be_bytes()]);
            self.counter += 1;
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        Ok(())
    }
}

/// A generator that fails.
pub struct BrokenRandom;

impl SecureRandom for BrokenRandom {
    fn fill(&mut self, _: &mut [u8]) -> Result<(), CryptoError> {
        Err(CryptoError::Random { what: "test" })
    }
}

/// Says that a test of `docs/skips.md` was skipped, where people and CI see it.
pub fn skipped(name: &str, reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped {name}: {reason}");
    if let Some(log) = std::env::var_os("FLEET_SKIP_LOG") {
        let mut log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log)
            .unwrap();
        writeln!(log, "{name}: {reason}").unwrap();
    }
}

/// Whether every program runs; otherwise the test `name` counts as skipped.
pub fn have(name: &str, programs: &[&str]) -> bool {
    for program in programs {
        if std::process::Command::new(program)
            .arg("--version")
            .output()
            .is_err()
        {
            skipped(name, &format!("`{program}` is not installed"));
            return false;
        }
    }
    true
}
