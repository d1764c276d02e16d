//! `dps_sas.json` and `hmac_rfc4231.json`.
use crate::support::{Suite, Tally, hex, list, load, text, unbase64, unhex, verdict};
use fleet_crypto::provider::Provider;
use fleet_crypto::sas::{self, Verifier};
use fleet_crypto::symmetric::{Slot, SymmetricKey};
use fleet_crypto::{CryptoError, RegistrationId, RustCrypto, UnixSeconds};
use serde_json::Value;

pub fn suites() -> Vec<Suite> {
    vec![
        Suite {
            name: "dps_sas.json",
            run: dps_sas,
            skip_reason: "",
        },
        Suite {
            name: "hmac_rfc4231.json",
            run: rfc4231,
            skip_reason: "",
        },
    ]
}

fn derive(case: &Value) -> Result<String, CryptoError> {
    let key = SymmetricKey::from_base64(text(case, "master_key"))?;
    let id: RegistrationId = text(case, "registration_id").parse()?;
    Ok(key
        .prepare(&RustCrypto)
        .derive(&id)
        .to_base64()
        .expose_secret()
        .to_owned())
}

fn dps_sas() -> Option<Tally> {
    let file = load(include_str!("../vectors/dps_sas.json"));
    let mut tally = Tally::default();
    for case in list(&file, "derive") {
        tally.case(
            text(case, "id"),
            &derive(case).unwrap_or_default(),
            text(case, "expect"),
        );
    }
    for case in list(&file, "derive_reject") {
        tally.case(
            text(case, "id"),
            &verdict(&derive(case)),
            text(case, "error"),
        );
    }
    for case in list(&file, "sas_create") {
        // One published token has a key below the enrolment minimum: the raw MAC layer takes it.
        let key = RustCrypto.mac_key(&unbase64(text(case, "key")));
        let token = sas::create(
            &key,
            text(case, "uri"),
            UnixSeconds(case["se"].as_i64().unwrap()),
            case["skn"].as_str(),
        );
        let token = token
            .map(|t| t.expose_secret().to_owned())
            .unwrap_or_default();
        tally.case(text(case, "id"), &token, text(case, "token"));
    }
    for case in list(&file, "sas_verify") {
        let keys: Vec<_> = list(case, "keys")
            .iter()
            .map(|key| {
                SymmetricKey::from_base64(key.as_str().unwrap())
                    .unwrap()
                    .prepare(&RustCrypto)
            })
            .collect();
        let verifier = Verifier {
            skew: case["skew_s"].as_u64().unwrap().try_into().unwrap(),
            longest_life: case["max_ttl_s"].as_u64().map(|s| s.try_into().unwrap()),
            ..Verifier::default()
        };
        let seen = verifier.verify(
            text(case, "token"),
            text(case, "resource"),
            &keys[0],
            keys.get(1),
            UnixSeconds(case["now"].as_i64().unwrap()),
        );
        let seen = match seen {
            Ok(seen) if seen.matched == Slot::Primary => "primary".to_owned(),
            Ok(_) => "secondary".to_owned(),
            Err(error) => error.name().to_owned(),
        };
        let expected = case["error"].as_str().or(case["matched"].as_str()).unwrap();
        tally.case(text(case, "id"), &seen, expected);
    }
    Some(tally)
}

fn rfc4231() -> Option<Tally> {
    let file = load(include_str!("../vectors/hmac_rfc4231.json"));
    let mut tally = Tally::default();
    for (number, case) in list(&file, "cases").iter().enumerate() {
        let key = RustCrypto.mac_key(&unhex(text(case, "key_hex")));
        let mac = key.mac(&[&unhex(text(case, "msg_hex"))]);
        tally.case(number.to_string(), &hex(&mac), text(case, "mac_hex"));
    }
    Some(tally)
}

#[test]
fn derived_keys_and_tokens_agree() {
    crate::all_agree(&dps_sas().unwrap());
    crate::all_agree(&rfc4231().unwrap());
}
