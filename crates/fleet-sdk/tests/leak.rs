//! A run with known keys: no event, error or `Debug` may show one of them, in any of four encodings. Spec: cryptography, section 9.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fleet_model::kernel::Position;
use fleet_sdk::operation::{BulkRegistry, CreateOrReplaceDevice, CreateOrReplaceModule};
use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use fleet_store::port::{EventStore as _, LogRead};
use pollster::block_on;
use serde_json::{Value, json};
use std::sync::Arc;

/// Keys of 32 bytes that no other part of the run holds.
fn key(number: u8) -> Vec<u8> {
    (0..32).map(|i| number.wrapping_mul(37) ^ (i * 7)).collect()
}

fn text(number: u8) -> String {
    STANDARD.encode(key(number))
}

/// The raw text, hexadecimal, base64 and base64url of a secret.
fn forms(secret: &[u8]) -> Vec<String> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        String::from_utf8_lossy(secret).into_owned(),
        format!("{secret:?}"),
        hex.to_uppercase(),
        hex,
        STANDARD.encode(secret).trim_end_matches('=').to_owned(),
        URL_SAFE_NO_PAD.encode(secret),
    ]
}

fn keys(primary: u8, secondary: u8) -> Value {
    json!({"type": "sas", "symmetricKey": {"primaryKey": text(primary), "secondaryKey": text(secondary)}})
}

#[test]
fn no_key_shows_in_an_event_an_error_or_debug() {
    let options = Options::seeded(1);
    let clock = options.clock.clone();
    let store = Arc::new(MemoryStore::new(
        "default".parse().unwrap(),
        Arc::new(move || clock.now()),
    ));
    let fleet = block_on(Fleet::open(store.clone(), options)).unwrap();
    let caller = Caller::new("user:ops".parse().unwrap());
    let mut shown = Vec::new();
    let mut made = Vec::new();
    let (mut answered, mut refused) = (0, 0);
    let device = |id: &str, authentication: Value| json!({"deviceId": id, "body": {"authentication": authentication}});
    let script = [
        ("CreateOrReplaceDevice", device("pump-1", keys(1, 2))),
        ("CreateOrReplaceDevice", device("pump-1", keys(3, 4))),
        (
            "CreateOrReplaceDevice",
            json!({"deviceId": "pump-1", "ifMatch": "*", "body": {"authentication": keys(5, 6)}}),
        ),
        ("CreateOrReplaceDevice", device("a b", keys(1, 2))),
        (
            "CreateOrReplaceDevice",
            device(
                "pump-2",
                json!({"type": "sas", "symmetricKey": {"primaryKey": text(7)}}),
            ),
        ),
        (
            "CreateOrReplaceDevice",
            device(
                "pump-2",
                json!({"type": text(7), "symmetricKey": {"primaryKey": [text(8)], "secondaryKey": 1}}),
            ),
        ),
        (
            "CreateOrReplaceModule",
            json!({"deviceId": "pump-1", "moduleId": "m", "body": {"authentication": keys(7, 8)}}),
        ),
        (
            "BulkRegistry",
            json!({"body": [
                {"id": "pump-3", "importMode": "create", "authentication": keys(1, 3)},
                {"id": "pump-1", "importMode": "create", "authentication": keys(2, 4)},
            ]}),
        ),
        ("GetDevice", json!({"deviceId": "pump-1"})),
        ("QueryTwins", json!({"query": "SELECT * FROM devices"})),
        (
            "DeriveDeviceKey",
            json!({"masterKey": text(1), "registrationId": "a/b"}),
        ),
        (
            "CreateSasToken",
            json!({"resource": "", "key": text(2), "expiry": "soon"}),
        ),
        (
            "VerifySasToken",
            json!({"token": text(3), "resource": "r", "keys": {"primary": text(4)}, "now": 1}),
        ),
        (
            "PresignUrl",
            json!({"keyId": "k", "key": text(5), "host": "", "path": "", "device": "d", "expiry": 1}),
        ),
        ("CreateKeysAndCertificate", json!({"setAsActive": true})),
    ];
    for (op, params) in script {
        let outcome = block_on(fleet.call_json(op, params, &caller));
        shown.push(format!("{outcome:?} {outcome:#?}"));
        match &outcome.result {
            Ok(answer) => {
                answered += 1;
                match answer["keyPair"]["PrivateKey"].as_str() {
                    Some(pem) => made.push(pem.to_owned()),
                    None => shown.push(answer.to_string()),
                }
            }
            Err(error) => {
                refused += 1;
                shown.push(format!("{error} {error:?} {error:#?}"));
                shown.push(serde_json::to_string(error).unwrap());
            }
        }
    }
    assert_eq!((answered, refused, made.len()), (7, 8, 1));

    let typed = (
        CreateOrReplaceDevice {
            body: serde_json::from_value(json!({"authentication": keys(1, 2)})).unwrap(),
            ..Default::default()
        },
        CreateOrReplaceModule {
            body: serde_json::from_value(json!({"authentication": keys(3, 4)})).unwrap(),
            ..Default::default()
        },
        BulkRegistry {
            body: serde_json::from_value(json!([{"authentication": keys(5, 6)}])).unwrap(),
            ..Default::default()
        },
    );
    shown.push(format!("{typed:?} {typed:#?} {fleet:?}"));
    let log = block_on(store.read_all(LogRead::after(Position::ZERO))).unwrap();
    assert!(log.events.len() >= 5);
    for event in &log.events {
        shown.push(format!("{event:?}"));
        shown.push(serde_json::to_string(&event.to_envelope()).unwrap());
    }

    let mut secrets: Vec<_> = (1..=8).flat_map(|number| forms(&key(number))).collect();
    for pem in &made {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(&body).unwrap();
        // The scalar of a PKCS#8 P-256 key starts at byte 36 and has 32 bytes.
        secrets.extend(forms(der.get(36..68).unwrap()));
        secrets.extend(forms(&der));
        secrets.extend(
            pem.lines()
                .filter(|line| !line.starts_with('-'))
                .map(str::to_owned),
        );
    }
    for text in &shown {
        for secret in &secrets {
            assert!(!text.contains(secret.as_str()), "{secret} shows in {text}");
        }
    }
}
