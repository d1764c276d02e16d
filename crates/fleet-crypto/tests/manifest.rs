//! Manifests and key sets from signing to the files on the device.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
mod support;

use fleet_crypto::manifest::*;
use fleet_crypto::provider::Provider;
use fleet_crypto::signer::{LocalSigner, Signer};
use fleet_crypto::{CryptoError, RustCrypto, UnixSeconds};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::SeededRandom;

const NOW: UnixSeconds = UnixSeconds(1_780_000_000);

struct Setup {
    ed: LocalSigner,
    p256: LocalSigner,
    keys: KeySet,
    root: RootKey,
    root_key: LocalSigner,
}

fn setup() -> Setup {
    let mut random = SeededRandom::new(1);
    let ed = LocalSigner::generate_ed25519(&mut random).unwrap();
    let p256 = LocalSigner::generate_p256(&mut random).unwrap();
    let root_key = LocalSigner::generate_ed25519(&mut random).unwrap();
    let keys = KeySet::new("fw", 1, 1, vec![trusted("ed", &ed), trusted("p256", &p256)]).unwrap();
    let root = RootKey {
        key_id: "root".to_owned(),
        key: root_key.public_key(),
    };
    Setup {
        ed,
        p256,
        keys,
        root,
        root_key,
    }
}

fn trusted(key_id: &str, signer: &LocalSigner) -> TrustedKey {
    TrustedKey {
        key_id: key_id.to_owned(),
        key: signer.public_key(),
    }
}

fn manifest(version: &str, expires: Option<UnixSeconds>) -> Manifest {
    let model = BTreeMap::from([("deviceModel".to_owned(), "pump-x".to_owned())]);
    Manifest {
        update_id: UpdateId {
            provider: "Contoso".to_owned(),
            name: "pump".to_owned(),
            version: version.parse().unwrap(),
        },
        compatibility: vec![Compatibility(model)],
        files: vec![FileEntry {
            name: "app.bin".to_owned(),
            size: 3,
            sha256: RustCrypto.sha256(&[b"abc"]),
        }],
        created: NOW,
        expires,
    }
}

fn refused<T: std::fmt::Debug>(result: Result<T, CryptoError>) -> &'static str {
    result.unwrap_err().name()
}

#[test]
fn signed_by_either_algorithm_and_read_back() {
    let s = setup();
    let manifest = manifest("1.4.2", Some(NOW.plus(60)));
    for (key_id, signer) in [("ed", &s.ed), ("p256", &s.p256)] {
        let jws = KeySet::sign_manifest(&manifest, key_id, signer).unwrap();
        assert_eq!(
            s.keys.verify(&jws, None, &RustCrypto, NOW).unwrap(),
            manifest
        );
        assert_eq!(
            refused(s.keys.verify(&jws, None, &RustCrypto, NOW.plus(60))),
            "Expired"
        );
        let payload = manifest.to_json().unwrap();
        let detached = sign_detached(&payload, key_id, None, signer).unwrap();
        assert!(detached.contains(".."));
        s.keys
            .verify(&detached, Some(&payload), &RustCrypto, NOW)
            .unwrap();
        assert_eq!(
            refused(s.keys.verify(&detached, None, &RustCrypto, NOW)),
            "Malformed"
        );
        assert_eq!(
            refused(s.keys.verify(&detached, Some(b"{}"), &RustCrypto, NOW)),
            "Signature"
        );
    }
    // A payload that is signed but is no manifest is refused after its signature.
    let jws = sign_compact(b"{}", "ed", None, &s.ed).unwrap();
    assert_eq!(
        refused(s.keys.verify(&jws, None, &RustCrypto, NOW)),
        "Malformed"
    );
}

#[test]
fn files_devices_and_versions_are_bound() {
    let m = manifest("1.4.2", None);
    m.check_file("app.bin", b"abc", &RustCrypto).unwrap();
    for (name, content) in [
        ("app.bin", &b"abd"[..]),
        ("app.bin", b"ab"),
        ("other", b"abc"),
    ] {
        assert_eq!(
            refused(m.check_file(name, content, &RustCrypto)),
            "FileMismatch"
        );
    }
    let device = |model: &str| BTreeMap::from([("deviceModel".to_owned(), model.to_owned())]);
    assert!(m.fits(&device("pump-x")) && !m.fits(&device("pump-y")) && !m.fits(&BTreeMap::new()));
    let version = |text: &str| text.parse::<UpdateVersion>().unwrap();
    for (highest, fine) in [("1.4.2", true), ("1.4.1.9", true), ("1.10.0", false)] {
        let seen = m.check_version(Some(&version(highest)), RollbackPolicy::Refuse);
        assert_eq!(seen.is_ok(), fine, "{highest}");
        m.check_version(Some(&version(highest)), RollbackPolicy::Allow)
            .unwrap();
    }
    assert_eq!(
        refused(m.check_version(Some(&version("2.0")), RollbackPolicy::Refuse)),
        "Rollback"
    );
    m.check_version(None, RollbackPolicy::Refuse).unwrap();
    for bad in ["", "1", "1.2.3.4.5", "1.-2", "1.2a", "01.2", "1.9999999999"] {
        assert!(bad.parse::<UpdateVersion>().is_err(), "{bad}");
    }
}

#[test]
fn a_threshold_wants_different_keys() {
    let s = setup();
    let keys = KeySet::new(
        "fw",
        1,
        2,
        vec![trusted("ed", &s.ed), trusted("p256", &s.p256)],
    )
    .unwrap();
    let m = manifest("1.0", None);
    let ed = KeySet::sign_manifest(&m, "ed", &s.ed).unwrap();
    let p256 = KeySet::sign_manifest(&m, "p256", &s.p256).unwrap();
    keys.verify_threshold(&[&ed, &p256], None, &RustCrypto, NOW)
        .unwrap();
    for few in [&[ed.as_str()][..], &[&ed, &ed], &[]] {
        assert_eq!(
            refused(keys.verify_threshold(few, None, &RustCrypto, NOW)),
            "Signature"
        );
    }
    let other = KeySet::sign_manifest(&manifest("1.1", None), "p256", &s.p256).unwrap();
    assert_eq!(
        refused(keys.verify_threshold(&[&ed, &other], None, &RustCrypto, NOW)),
        "Signature"
    );
    for threshold in [0, 3] {
        let keys = vec![trusted("ed", &s.ed), trusted("p256", &s.p256)];
        assert_eq!(refused(KeySet::new("fw", 1, threshold, keys)), "Malformed");
    }
    let twice = vec![trusted("a", &s.ed), trusted("b", &s.ed)];
    assert_eq!(refused(KeySet::new("fw", 1, 1, twice)), "KeyReuse");
}

#[test]
fn only_the_root_changes_keys_and_it_signs_nothing_else() {
    let s = setup();
    let change = |version: u64, keys: &[(&str, &LocalSigner)]| KeySetChange {
        id: "fw".to_owned(),
        version,
        threshold: 1,
        keys: keys
            .iter()
            .map(|(id, key)| ((*id).to_owned(), key.public_key().to_pem()))
            .collect(),
    };
    let apply = |jws: &str| s.root.apply_change(&s.keys, jws, &RustCrypto);
    let signed = s
        .root
        .sign_change(&change(2, &[("p256", &s.p256)]), &s.root_key)
        .unwrap();
    let newer = apply(&signed).unwrap();
    assert_eq!((newer.version(), newer.id()), (2, "fw"));
    let old_key = KeySet::sign_manifest(&manifest("1.0", None), "ed", &s.ed).unwrap();
    assert_eq!(
        refused(newer.verify(&old_key, None, &RustCrypto, NOW)),
        "UnknownKey"
    );
    assert_eq!(
        refused(s.root.apply_change(&newer, &signed, &RustCrypto)),
        "Rollback"
    );
    let with_root = s
        .root
        .sign_change(&change(2, &[("x", &s.root_key)]), &s.root_key)
        .unwrap();
    assert_eq!(refused(apply(&with_root)), "KeyReuse");
    // A manifest key cannot change keys, a root key cannot sign manifests, and neither document
    // passes for the other.
    let payload = serde_json::to_vec(&change(3, &[("ed", &s.ed)])).unwrap();
    let forged = sign_compact(&payload, "ed", Some("fleet-keyset+jws"), &s.ed).unwrap();
    assert_eq!(refused(apply(&forged)), "UnknownKey");
    let by_root = KeySet::sign_manifest(&manifest("1.0", None), "root", &s.root_key).unwrap();
    assert_eq!(
        refused(s.keys.verify(&by_root, None, &RustCrypto, NOW)),
        "UnknownKey"
    );
    assert_eq!(refused(apply(&by_root)), "Malformed");
    assert_eq!(
        refused(s.keys.verify(&forged, None, &RustCrypto, NOW)),
        "Malformed"
    );
}

#[test]
fn headers_that_say_more_are_refused() {
    let s = setup();
    use base64::Engine as _;
    let encode = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    for (header, name) in [
        (r#"{"alg":"EdDSA","kid":"ed","jwk":{}}"#, "Malformed"),
        (r#"{"alg":"EdDSA","alg":"EdDSA","kid":"ed"}"#, "Malformed"),
        (r#"{"alg":"EdDSA","kid":"ed","b64":false}"#, "Malformed"),
        (r#"["EdDSA"]"#, "Malformed"),
        (r#"{"kid":"ed"}"#, "Malformed"),
        (r#"{"alg":"RS256","kid":"ed"}"#, "Algorithm"),
    ] {
        let jws = format!(
            "{}.{}.{}",
            encode(header),
            encode("{}"),
            encode(&"x".repeat(64))
        );
        assert_eq!(
            refused(s.keys.verify(&jws, None, &RustCrypto, NOW)),
            name,
            "{header}"
        );
    }
}

proptest! {
    #[test]
    fn every_flipped_bit_is_refused(at in any::<prop::sample::Index>(), bit in 0u8..8) {
        let s = setup();
        let jws = KeySet::sign_manifest(&manifest("1.0", None), "ed", &s.ed).unwrap();
        let mut bytes = jws.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        if let Ok(changed) = String::from_utf8(bytes) {
            prop_assert!(s.keys.verify(&changed, None, &RustCrypto, NOW).is_err());
        }
    }

    #[test]
    fn arbitrary_text_never_panics(text in "[A-Za-z0-9_.-]{0,80}", json in "\\PC{0,60}") {
        let s = setup();
        let _ = s.keys.verify(&text, None, &RustCrypto, NOW);
        let _ = Manifest::from_json(json.as_bytes());
        let _ = json.parse::<UpdateVersion>();
    }
}
