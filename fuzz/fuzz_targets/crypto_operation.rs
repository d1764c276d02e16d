//! Operations: no JSON panics, and an error repeats no input.
#![no_main]
use fleet_crypto::operation::{OPERATIONS, run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((pick, json)) = bytes.split_first() else { return };
    let Ok(params) = serde_json::from_slice::<serde_json::Value>(json) else { return };
    let (name, _) = OPERATIONS[usize::from(*pick) % OPERATIONS.len()];
    let answer = run(name, params).expect("a listed operation");
    if let Err(error) = answer {
        assert!(error.code.starts_with("crypto."));
    }
});
