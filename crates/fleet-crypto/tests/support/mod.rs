//! A seeded generator and a scratch folder, for tests only.
#![allow(dead_code)]
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, provider::Provider};

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

/// Whether a program runs; prints why a test skips when it does not.
pub fn have(program: &str, argument: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg(argument)
        .output()
        .is_ok();
    if !found {
        println!("skipped: `{program}` is not installed");
    }
    found
}
