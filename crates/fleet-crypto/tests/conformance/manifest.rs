//! `manifest_jws.json`.
use crate::support::{Suite, Tally, list, load, text, verdict};
use base64::Engine as _;
use fleet_crypto::manifest::{KeySet, Manifest, TrustedKey};
use fleet_crypto::x509::PublicKey;
use fleet_crypto::{CryptoError, RustCrypto, UnixSeconds};
use serde_json::Value;

pub fn suites() -> Vec<Suite> {
    vec![Suite {
        name: "manifest_jws.json",
        run: manifests,
        skip_reason: "",
    }]
}

fn payload(case: &Value) -> Vec<u8> {
    let text = text(case, "payload_b64");
    let standard = base64::engine::general_purpose::STANDARD.decode(text);
    standard
        .or_else(|_| base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text))
        .unwrap()
}

fn verify(keys: &KeySet, case: &Value) -> Result<Manifest, CryptoError> {
    let jws = text(case, "jws");
    let payload = payload(case);
    keys.verify(jws, Some(&payload), &RustCrypto, UnixSeconds(1_780_000_000))
}

fn manifests() -> Option<Tally> {
    let file = load(include_str!("../vectors/manifest_jws.json"));
    let trusted = file["keys"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(key_id, key)| TrustedKey {
            key_id: key_id.clone(),
            key: PublicKey::from_pem(text(key, "public_pem")).unwrap(),
        });
    let keys = KeySet::new("firmware", 1, 1, trusted.collect()).unwrap();
    let mut tally = Tally::default();
    for case in list(&file, "accept") {
        let seen = verify(&keys, case);
        tally.case(text(case, "id"), &verdict(&seen), "ok");
        // What is read prints back to the bytes that were signed.
        assert_eq!(seen.unwrap().to_json().unwrap(), payload(case));
    }
    for case in list(&file, "reject") {
        tally.case(
            text(case, "id"),
            &verdict(&verify(&keys, case)),
            text(case, "error"),
        );
    }
    Some(tally)
}

#[test]
fn manifests_agree() {
    crate::all_agree(&manifests().unwrap());
}
