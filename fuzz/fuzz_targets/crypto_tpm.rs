//! TPM public areas: no bytes panic, and every key that is accepted can protect a credential.
#![no_main]
use fleet_crypto::tpm::{StorageKey, issue_challenge};
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};
use libfuzzer_sys::fuzz_target;

struct Fixed;

impl SecureRandom for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        out.fill(7);
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(key) = StorageKey::from_bytes(bytes, &RustCrypto) {
        assert_eq!(key.as_bytes(), bytes);
        assert_eq!(key.registration_id(&RustCrypto).expect("base32").as_str().len(), 52);
        let made = issue_challenge(&key, &key, b"", UnixSeconds(0), &mut Fixed, &RustCrypto);
        assert!(made.is_ok());
    }
    let _ = StorageKey::from_base64(&String::from_utf8_lossy(bytes), &RustCrypto);
});
