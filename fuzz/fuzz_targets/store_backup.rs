//! Backups: no bytes panic, with the digest that they claim or without; what is restored counts its bytes.
#![no_main]
use fleet_store::memory::MemoryStore;
use fleet_store::port::SystemClock;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest as _, Sha256};
use std::io::Cursor;
use std::sync::Arc;

fuzz_target!(|bytes: &[u8]| {
    let tenant = || "default".parse().expect("a valid name");
    let clock = || Arc::new(SystemClock);
    let mut signed = bytes.to_vec();
    signed.extend_from_slice(&Sha256::digest(bytes));
    for bytes in [bytes, &signed] {
        if let Ok((store, summary)) = MemoryStore::restore(tenant(), clock(), Cursor::new(bytes)) {
            assert_eq!(summary.bytes, bytes.len() as u64);
            drop(store);
        }
    }
});
