//! Proofs and stored envelopes: no bytes panic; what verifies has a value that follows from its events.
#![no_main]
use fleet_store::chain::verify;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(proven) = verify(bytes) {
        assert_eq!(proven.events.is_empty(), proven.value == proven.anchor);
        assert!(proven.events.iter().all(|event| event.chain.is_some()));
    }
});
