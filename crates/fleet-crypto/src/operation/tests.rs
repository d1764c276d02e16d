use super::*;
use serde_json::json;

fn code(name: &str, params: Value) -> &'static str {
    match run(name, params).unwrap() {
        Ok(_) => "ok",
        Err(error) => error.code,
    }
}

/// Runs a vector case through the operation: only the members named, plus `extra`.
fn from_vector(case: &Value, members: &[&str], extra: Value) -> Value {
    let mut params = extra;
    for member in members {
        if !case[member].is_null() {
            params[*member] = case[member].clone();
        }
    }
    params
}

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn keys_and_tokens_agree_with_the_vectors() {
    let file = vectors(include_str!("../../tests/vectors/dps_sas.json"));
    for case in file["derive"].as_array().unwrap() {
        let params = from_vector(case, &["master_key", "registration_id"], json!({}));
        let answer = run("DeriveDeviceKey", params).unwrap().unwrap();
        assert_eq!(answer, json!({ "deviceKey": case["expect"] }));
    }
    for case in file["derive_reject"].as_array().unwrap() {
        let params =
            json!({"masterKey": case["master_key"], "registrationId": case["registration_id"]});
        let error = run("DeriveDeviceKey", params).unwrap().unwrap_err();
        assert_eq!(error.name, case["error"].as_str().unwrap());
    }
    for case in file["sas_create"].as_array().unwrap() {
        let mut params = json!({"resource": case["uri"], "key": case["key"], "expiry": case["se"]});
        if case["skn"].is_string() {
            params["keyName"] = case["skn"].clone();
        }
        let answer = run("CreateSasToken", params).unwrap().unwrap();
        assert_eq!(answer, json!({ "token": case["token"] }), "{}", case["id"]);
    }
    for case in file["sas_verify"].as_array().unwrap() {
        let mut params = from_vector(
            case,
            &["token", "resource", "now", "skew_s", "max_ttl_s"],
            json!({}),
        );
        params["keys"] = json!({"primary": case["keys"][0], "secondary": case["keys"][1]});
        match run("VerifySasToken", params).unwrap() {
            Ok(answer) => assert_eq!(answer, json!({ "matched": case["matched"] })),
            Err(error) => assert_eq!(error.name, case["error"].as_str().unwrap()),
        }
    }
}

#[cfg(feature = "rsa")]
#[test]
fn chains_agree_with_the_vectors() {
    let file = vectors(include_str!("../../tests/vectors/x509_chains.json"));
    for case in file["cases"].as_array().unwrap() {
        let members = ["leaf", "intermediates", "anchors", "crls", "now"];
        let params = from_vector(case, &members, json!({"profile": "device"}));
        match run("VerifyCertificateChain", params).unwrap() {
            Ok(answer) => {
                assert_eq!(
                    answer["registrationId"], case["registration_id"],
                    "{}",
                    case["id"]
                );
                assert!(answer["path"].as_array().unwrap().len() >= 2);
            }
            Err(error) => assert_eq!(
                error.name,
                case["error"].as_str().unwrap(),
                "{}",
                case["id"]
            ),
        }
    }
    let file = vectors(include_str!("../../tests/vectors/x509_pkits.json"));
    let case = &file["cases"][0];
    let named = |kind: &str, names: &Value| -> Vec<Value> {
        names
            .as_array()
            .unwrap()
            .iter()
            .map(|n| file[kind][n.as_str().unwrap()].clone())
            .collect()
    };
    let params = json!({
        "leaf": file["certificates"][case["leaf"].as_str().unwrap()],
        "intermediates": named("certificates", &case["intermediates"]),
        "anchors": [file["certificates"][file["anchor"].as_str().unwrap()]],
        "crls": named("crls", &case["crls"]),
        "now": file["now"],
        "profile": "rfc5280",
    });
    let answer = run("VerifyCertificateChain", params.clone())
        .unwrap()
        .unwrap();
    assert_eq!(answer["registrationId"], Value::Null);
    let mut as_device = params;
    as_device["profile"] = json!("device");
    assert_eq!(
        code("VerifyCertificateChain", as_device),
        "crypto.registration_id"
    );
}

#[test]
fn addresses_agree_with_the_vectors() {
    let file = vectors(include_str!("../../tests/vectors/presign.json"));
    let s3 = [
        "host",
        "key",
        "access_key",
        "secret_key",
        "session_token",
        "region",
        "timestamp",
        "expires",
        "extra_query",
    ];
    for case in file["s3"].as_array().unwrap() {
        let answer = run("PresignUrl", from_vector(case, &s3, json!({})))
            .unwrap()
            .unwrap();
        assert_eq!(
            (&answer["url"], &answer["signature"]),
            (&case["url"], &case["signature"])
        );
    }
    let blob = [
        "account",
        "container",
        "blob",
        "account_key",
        "start",
        "expiry",
        "ip",
        "version",
    ];
    for case in file["blob"].as_array().unwrap() {
        let answer = run("PresignUrl", from_vector(case, &blob, json!({})))
            .unwrap()
            .unwrap();
        assert_eq!(
            (&answer["query"], &answer["signature"]),
            (&case["query"], &case["signature"])
        );
    }
    let neutral = json!({
        "keyId": "url-2026-05", "key": "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
        "host": "fw.example.com", "path": "/fw/app%20v1.bin", "device": "dev-0001",
        "expiry": 1_780_003_600,
    });
    let answer = run("PresignUrl", neutral.clone()).unwrap().unwrap();
    assert!(
        answer["url"]
            .as_str()
            .unwrap()
            .ends_with("X-znFhzAvcERm_KmS6Y2w6bYs3yzA9VJBPuyL4fpAS4")
    );
    let mut mixed = neutral;
    mixed["region"] = json!("us-east-1");
    assert_eq!(code("PresignUrl", mixed), "crypto.malformed");
    assert_eq!(code("PresignUrl", json!({})), "crypto.malformed");
}

#[test]
fn manifests_agree_with_the_vectors() {
    let file = vectors(include_str!("../../tests/vectors/manifest_jws.json"));
    for case in file["accept"].as_array().unwrap() {
        let params = from_vector(
            case,
            &["jws", "payload_b64"],
            json!({ "keys": file["keys"] }),
        );
        let answer = run("VerifyManifest", params).unwrap().unwrap();
        assert_eq!(answer["kid"], case["kid"]);
        assert_eq!(answer["manifest"]["updateId"]["version"], "1.4.2");
        let mut old = from_vector(
            case,
            &["jws", "payload_b64"],
            json!({ "keys": file["keys"] }),
        );
        old["highestVersion"] = json!("1.5");
        assert_eq!(code("VerifyManifest", old), "crypto.rollback");
    }
    for case in file["reject"].as_array().unwrap() {
        let params = from_vector(
            case,
            &["jws", "payload_b64"],
            json!({ "keys": file["keys"] }),
        );
        let error = run("VerifyManifest", params).unwrap().unwrap_err();
        assert_eq!(
            error.name,
            case["error"].as_str().unwrap(),
            "{}",
            case["id"]
        );
    }
}

#[test]
fn wrong_shapes_are_refused_without_repeating_them() {
    for (name, _) in OPERATIONS {
        for params in [
            json!({"oddSecretMember": "hunter2"}),
            json!([]),
            json!("hunter2"),
            json!(null),
        ] {
            let error = run(name, params).unwrap().unwrap_err();
            assert_eq!((error.code, error.status), ("crypto.malformed", 400));
            assert!(!format!("{error:?}{error}").contains("hunter2"));
        }
    }
    let wrong_type = json!({"masterKey": {"a": "hunter2"}, "registrationId": "d"});
    let error = run("DeriveDeviceKey", wrong_type).unwrap().unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"));
    let request: CreateSasToken =
        serde_json::from_value(json!({"resource": "r", "key": "hunter2", "expiry": 1})).unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
    assert!(OPERATIONS.is_sorted());
}
