//! `tpm.json`: credentials and imports, byte for byte where the seed is given.
use crate::support::{Suite, Tally, hex, list, load, text, unbase64, unhex, verdict};
use fleet_crypto::tpm::{StorageKey, make_credential, wrap_identity_key};
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom};
use serde_json::Value;

pub fn suites() -> Vec<Suite> {
    vec![Suite {
        name: "tpm.json",
        run: tpm,
        skip_reason: "the feature `rsa` is off",
    }]
}

/// Hands out prepared bytes, then zeros (the OAEP seed, which the vectors do not fix).
struct Script(Vec<u8>);

impl SecureRandom for Script {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        for byte in out {
            *byte = if self.0.is_empty() {
                0
            } else {
                self.0.remove(0)
            };
        }
        Ok(())
    }
}

/// The private scalar of a P-256 key in PKCS#8 PEM, which stands right after `02 01 01 04 20`.
fn scalar(pem: &str) -> Vec<u8> {
    let body: String = pem
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .collect();
    let der = unbase64(&body);
    let at = der
        .windows(5)
        .position(|w| w == [0x02, 0x01, 0x01, 0x04, 0x20])
        .unwrap()
        + 5;
    der[at..at + 32].to_vec()
}

#[cfg(feature = "rsa")]
fn opens_to(pem: &str, secret: &[u8], label: &str) -> String {
    use rsa::pkcs8::DecodePrivateKey as _;
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(pem).unwrap();
    let padding = rsa::Oaep::new_with_label::<rsa::sha2::Sha256, _>(format!("{label}\0"));
    key.decrypt(padding, &secret[2..])
        .map(|seed| hex(&seed))
        .unwrap_or_default()
}

#[cfg(not(feature = "rsa"))]
fn opens_to(_: &str, _: &[u8], _: &str) -> String {
    String::new()
}

fn one(tally: &mut Tally, case: &Value) {
    let id = |part: &str| format!("{} {part}", text(case, "id"));
    let key = |name: &str| StorageKey::from_base64(text(case, name), &RustCrypto).unwrap();
    let (ek, srk) = (key("ek_public"), key("srk_public"));
    let name = srk.name(&RustCrypto);
    tally.case(id("name"), &hex(&name), text(case, "srk_name_hex"));
    let registration = ek.registration_id(&RustCrypto).unwrap();
    tally.case(
        id("registration id"),
        registration.as_str(),
        text(case, "registration_id"),
    );

    let rsa_ek = text(case, "ek_alg") == "rsa";
    let script = if rsa_ek {
        unhex(text(case, "seed_hex"))
    } else {
        scalar(text(case, "ephemeral_private_pem"))
    };
    let secret = unhex(text(case, "credential_hex"));
    let made = make_credential(&ek, &name, &secret, &mut Script(script), &RustCrypto).unwrap();
    tally.case(
        id("id object"),
        &hex(&made.id_object),
        text(case, "id_object_hex"),
    );
    if rsa_ek {
        let opened = opens_to(
            text(case, "ek_private_pem"),
            &made.encrypted_secret,
            "IDENTITY",
        );
        tally.case(id("encrypted secret"), &opened, text(case, "seed_hex"));
        let theirs = unhex(text(case, "encrypted_secret_hex"));
        let opened = opens_to(text(case, "ek_private_pem"), &theirs, "IDENTITY");
        tally.case(
            id("encrypted secret of the vector"),
            &opened,
            text(case, "seed_hex"),
        );
    } else {
        let expected = text(case, "encrypted_secret_hex");
        tally.case(
            id("encrypted secret"),
            &hex(&made.encrypted_secret),
            expected,
        );
    }

    let import = &case["import"];
    let blob = wrap_identity_key(
        &srk,
        &unhex(text(import, "hmac_key_hex")).try_into().unwrap(),
        &unhex(text(import, "obfuscation_hex")).try_into().unwrap(),
        &unhex(text(import, "inner_key_hex")).try_into().unwrap(),
        &mut Script(unhex(text(import, "outer_seed_hex"))),
        &RustCrypto,
    )
    .unwrap();
    tally.case(id("public"), &hex(&blob.public), text(import, "public_hex"));
    tally.case(
        id("object name"),
        &hex(&blob.name),
        text(import, "object_name_hex"),
    );
    tally.case(
        id("duplicate"),
        &hex(&blob.duplicate),
        text(import, "duplicate_hex"),
    );
    let opened = opens_to(
        text(case, "srk_private_pem"),
        &blob.wrapped_seed,
        "DUPLICATE",
    );
    tally.case(id("wrapped seed"), &opened, text(import, "outer_seed_hex"));
}

fn tpm() -> Option<Tally> {
    if !cfg!(feature = "rsa") {
        return None;
    }
    let file = load(include_str!("../vectors/tpm.json"));
    let mut tally = Tally::default();
    for case in list(&file, "cases") {
        one(&mut tally, case);
    }
    for case in list(&file, "public_reject") {
        let seen = StorageKey::from_base64(text(case, "ek_public"), &RustCrypto);
        tally.case(text(case, "id"), &verdict(&seen), text(case, "error"));
    }
    Some(tally)
}

#[test]
fn credentials_agree() {
    if let Some(tally) = tpm() {
        crate::all_agree(&tally);
    }
}
