//! `presign.json`.
use crate::support::{Suite, Tally, list, load, text};
use fleet_crypto::RustCrypto;
use fleet_crypto::presign::{BlobPresigner, BlobUrl, S3Credentials, S3Presigner, S3Request};
use fleet_crypto::secret::SecretText;
use serde_json::Value;

pub fn suites() -> Vec<Suite> {
    vec![Suite {
        name: "presign.json",
        run: presign,
        skip_reason: "",
    }]
}

fn secret(value: &Value) -> Option<SecretText> {
    value.as_str().map(|text| SecretText::new(text.to_owned()))
}

fn s3(tally: &mut Tally, case: &Value) {
    let id = |part: &str| format!("{} {part}", text(case, "id"));
    let credentials = S3Credentials {
        access_key: text(case, "access_key").to_owned(),
        secret_key: secret(&case["secret_key"]).unwrap(),
        session_token: secret(&case["session_token"]),
    };
    let extra: Vec<_> = list(case, "extra_query")
        .iter()
        .map(|pair| {
            (
                pair[0].as_str().unwrap().to_owned(),
                pair[1].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    let t = text(case, "timestamp");
    let iso = format!(
        "{}-{}-{}T{}:{}:{}+00:00",
        &t[..4],
        &t[4..6],
        &t[6..8],
        &t[9..11],
        &t[11..13],
        &t[13..15]
    );
    let signer = S3Presigner {
        credentials: &credentials,
        region: text(case, "region"),
        provider: &RustCrypto,
    };
    let steps = signer.steps(&S3Request {
        host: text(case, "host"),
        key: text(case, "key"),
        at: crate::x509::instant(Some(&iso)),
        expires: case["expires"].as_u64().unwrap().try_into().unwrap(),
        extra_query: &extra,
    });
    let steps = steps.unwrap();
    let canonical = steps.canonical_request.expose_secret();
    tally.case(
        id("canonical request"),
        canonical,
        text(case, "canonical_request"),
    );
    tally.case(
        id("string to sign"),
        &steps.string_to_sign,
        text(case, "string_to_sign"),
    );
    tally.case(
        id("signature"),
        steps.signature.expose_secret(),
        text(case, "signature"),
    );
    tally.case(id("url"), steps.url.expose_secret(), text(case, "url"));
}

fn blob(tally: &mut Tally, case: &Value) {
    let id = |part: &str| format!("{} {part}", text(case, "id"));
    let signer = BlobPresigner::new(
        text(case, "account"),
        text(case, "account_key"),
        &RustCrypto,
    )
    .unwrap();
    let url = BlobUrl {
        container: text(case, "container"),
        blob: text(case, "blob"),
        start: case["start"].as_str(),
        expiry: text(case, "expiry"),
        ip: case["ip"].as_str(),
        version: text(case, "version"),
    };
    let string = signer.string_to_sign(&url).unwrap();
    tally.case(id("string to sign"), &string, text(case, "string_to_sign"));
    let query = signer.query(&url).unwrap();
    tally.case(id("query"), query.expose_secret(), text(case, "query"));
}

fn presign() -> Option<Tally> {
    let file = load(include_str!("../vectors/presign.json"));
    let mut tally = Tally::default();
    for case in list(&file, "s3") {
        s3(&mut tally, case);
    }
    for case in list(&file, "blob") {
        blob(&mut tally, case);
    }
    Some(tally)
}

#[test]
fn signed_addresses_agree() {
    crate::all_agree(&presign().unwrap());
}
