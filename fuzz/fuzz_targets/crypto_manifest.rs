//! Manifests: no text panics, nothing verifies without the key, what is read prints and reads back.
#![no_main]
use fleet_crypto::manifest::{KeySet, Manifest, TrustedKey, UpdateVersion};
use fleet_crypto::provider::KeyKind;
use fleet_crypto::x509::PublicKey;
use fleet_crypto::{RustCrypto, UnixSeconds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::from_json(bytes) {
        // A time that the text form cannot hold does not come out of `from_json`.
        let printed = manifest.to_json().expect("what was read prints");
        assert_eq!(Manifest::from_json(&printed).as_ref(), Ok(&manifest));
    }
    let text = String::from_utf8_lossy(bytes);
    let key = PublicKey::from_bits(KeyKind::Ed25519, [9; 32].to_vec());
    let trusted = TrustedKey { key_id: "fw-ed-1".to_owned(), key };
    let keys = KeySet::new("fuzz", 1, 1, vec![trusted]).expect("one key");
    assert!(keys.verify(&text, None, &RustCrypto, UnixSeconds(0)).is_err());
    assert!(keys.verify(&text, Some(bytes), &RustCrypto, UnixSeconds(0)).is_err());
    if let Ok(version) = text.parse::<UpdateVersion>() {
        assert_eq!(version.as_str(), text);
    }
});
