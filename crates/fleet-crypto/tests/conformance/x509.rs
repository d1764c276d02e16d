//! `x509_chains.json`, `x509_misc.json`, `x509_pkits.json` and x509-limbo.
use crate::support::{Suite, Tally, list, load, text, unbase64, verdict};
use fleet_crypto::x509::{
    Certificate, ChainVerifier, Crl, IdentitySource, MAX_INTERMEDIATES, PossessionProvenByTls,
    Profile, Purpose, Request, Thumbprint, verify_possession,
};
use fleet_crypto::{CryptoError, RustCrypto, UnixSeconds};
use serde_json::Value;

pub fn suites() -> Vec<Suite> {
    vec![
        Suite {
            name: "x509_chains.json",
            run: chains,
            skip_reason: "the feature `rsa` is off",
        },
        Suite {
            name: "x509_misc.json",
            run: misc,
            skip_reason: "the feature `rsa` is off",
        },
        Suite {
            name: "x509_pkits.json",
            run: pkits,
            skip_reason: "the feature `rsa` is off",
        },
        Suite {
            name: "x509_limbo.json",
            run: limbo,
            skip_reason: "FLEET_X509_LIMBO is not set",
        },
    ]
}

fn certificates(values: &[Value]) -> Result<Vec<Certificate>, CryptoError> {
    values
        .iter()
        .map(|pem| Certificate::from_pem(pem.as_str().unwrap()))
        .collect()
}

fn crls(values: &[Value]) -> Result<Vec<Crl>, CryptoError> {
    values
        .iter()
        .map(|pem| Crl::from_pem(pem.as_str().unwrap()))
        .collect()
}

fn expected(case: &Value) -> &str {
    case["error"].as_str().unwrap_or("ok")
}

fn chain(case: &Value) -> Result<String, CryptoError> {
    let anchors = certificates(list(case, "anchors"))?;
    let crls = crls(list(case, "crls"))?;
    let verifier = ChainVerifier {
        crls: &crls,
        ..ChainVerifier::new(&anchors, &RustCrypto)
    };
    let leaf = Certificate::from_pem(text(case, "leaf"))?;
    let bag = certificates(list(case, "intermediates"))?;
    let now = UnixSeconds(case["now"].as_i64().unwrap());
    let explained = verifier.explain(&leaf, &bag, now);
    let seen = verifier.authenticate(
        &leaf,
        &bag,
        IdentitySource::CommonName,
        None,
        now,
        PossessionProvenByTls,
    );
    assert_eq!(
        explained
            .verdict
            .clone()
            .err()
            .is_some_and(|e| seen == Err(e)),
        explained.verdict.is_err()
    );
    seen.map(|device| device.registration_id.to_string())
}

fn chains() -> Option<Tally> {
    if !cfg!(feature = "rsa") {
        return None;
    }
    let file = load(include_str!("../vectors/x509_chains.json"));
    let mut tally = Tally::default();
    for case in list(&file, "cases") {
        let seen = match chain(case) {
            Ok(id) => id,
            Err(error) => error.name().to_owned(),
        };
        let wanted = case["registration_id"].as_str().unwrap_or(expected(case));
        tally.case(text(case, "id"), &seen, wanted);
    }
    Some(tally)
}

fn misc() -> Option<Tally> {
    if !cfg!(feature = "rsa") {
        return None;
    }
    let file = load(include_str!("../vectors/x509_misc.json"));
    let mut tally = Tally::default();
    for (number, case) in list(&file, "thumbprints").iter().enumerate() {
        let certificate = Certificate::from_pem(text(case, "certificate")).unwrap();
        let id = |name: &str| format!("thumbprint {number} {name}");
        tally.case(
            id("sha1"),
            &certificate.sha1_thumbprint(&RustCrypto),
            text(case, "sha1_upper"),
        );
        let sha256 = certificate.sha256_thumbprint(&RustCrypto);
        tally.case(id("sha256"), &sha256, text(case, "sha256_upper"));
        let aws = certificate.certificate_id(&RustCrypto);
        tally.case(id("id"), &aws, text(case, "aws_certificate_id"));
        let colons: Vec<_> = sha256
            .as_bytes()
            .chunks(2)
            .map(|p| std::str::from_utf8(p).unwrap())
            .collect();
        let read: Thumbprint = colons.join(":").to_lowercase().parse().unwrap();
        assert!(read.is_of(&certificate, &RustCrypto));
    }
    for case in list(&file, "proof_of_possession") {
        let seen = Certificate::from_pem(text(case, "ca")).and_then(|ca| {
            let certificate = Certificate::from_pem(text(case, "certificate"))?;
            let now = UnixSeconds(case["now"].as_i64().unwrap());
            verify_possession(&ca, &certificate, text(case, "code"), &RustCrypto, now)
        });
        tally.case(text(case, "id"), &verdict(&seen), expected(case));
    }
    for case in list(&file, "csr") {
        let seen = Request::verify_pem(text(case, "csr"), &RustCrypto)
            .and_then(|request| request.registration_id());
        let seen = match seen {
            Ok(id) => id.to_string(),
            Err(error) => error.name().to_owned(),
        };
        let wanted = case["common_name"].as_str().unwrap_or(expected(case));
        tally.case(text(case, "id"), &seen, wanted);
    }
    Some(tally)
}

fn pkits() -> Option<Tally> {
    if !cfg!(feature = "rsa") {
        return None;
    }
    let file = load(include_str!("../vectors/x509_pkits.json"));
    let certificate =
        |name: &str| Certificate::from_der(&unbase64(text(&file["certificates"], name)));
    let crl = |name: &str| Crl::from_der(&unbase64(text(&file["crls"], name)));
    let anchors = [certificate(text(&file, "anchor")).unwrap()];
    let now = UnixSeconds(file["now"].as_i64().unwrap());
    let mut tally = Tally::default();
    for case in list(&file, "cases") {
        let names = |key| list(case, key).iter().map(|name| name.as_str().unwrap());
        let seen = (|| {
            let leaf = certificate(text(case, "leaf"))?;
            let bag = names("intermediates")
                .map(certificate)
                .collect::<Result<Vec<_>, _>>()?;
            let crls = names("crls").map(crl).collect::<Result<Vec<_>, _>>()?;
            let verifier = ChainVerifier {
                crls: &crls,
                profile: Profile::Rfc5280,
                ..ChainVerifier::new(&anchors, &RustCrypto)
            };
            verifier.verify_path(&leaf, &bag, now)
        })();
        tally.verdict(text(case, "id"), &seen, case["accept"].as_bool().unwrap());
    }
    Some(tally)
}

fn limbo() -> Option<Tally> {
    let file = std::fs::read_to_string(std::env::var_os("FLEET_X509_LIMBO")?).unwrap();
    let file = load(&file);
    let mut tally = Tally::default();
    for case in list(&file, "testcases") {
        let pems = |key: &str| case[key].as_array().cloned().unwrap_or_default();
        let seen = (|| {
            let leaf = Certificate::from_pem(text(case, "peer_certificate"))?;
            let anchors = certificates(&pems("trusted_certs"))?;
            let bag = certificates(&pems("untrusted_intermediates"))?;
            let crls = crls(&pems("crls"))?;
            // The suite asks about servers mostly; the same rules hold with the other purpose.
            let purpose = match text(case, "validation_kind") {
                "CLIENT" => Purpose::Client,
                _ => Purpose::Server,
            };
            let verifier = ChainVerifier {
                crls: &crls,
                profile: Profile::Rfc5280,
                purpose,
                max_intermediates: case["max_chain_depth"]
                    .as_u64()
                    .map_or(MAX_INTERMEDIATES, |depth| usize::try_from(depth).unwrap()),
                ..ChainVerifier::new(&anchors, &RustCrypto)
            };
            verifier.verify_path(&leaf, &bag, instant(case["validation_time"].as_str()))
        })();
        tally.verdict(
            text(case, "id"),
            &seen,
            text(case, "expected_result") == "SUCCESS",
        );
    }
    Some(tally)
}

/// `2024-01-01T00:00:00+00:00`, perhaps with a fraction; the suite's own clock when absent.
pub fn instant(text: Option<&str>) -> UnixSeconds {
    let Some(text) = text else {
        return UnixSeconds(1_780_000_000);
    };
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let days_before = |y: i64| 365 * y + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400;
    let lengths = [
        31,
        28 + i64::from(year % 4 == 0),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let months: i64 = lengths.iter().take(month as usize - 1).sum();
    let days = days_before(year) - days_before(1970) + months + day - 1;
    UnixSeconds(days * 86_400 + number(11..13) * 3_600 + number(14..16) * 60 + number(17..19))
}

#[test]
fn nothing_is_wrongly_accepted() {
    let pkits = pkits().unwrap_or_default();
    assert!(
        pkits
            .disagreed
            .iter()
            .all(|(_, how)| !how.starts_with("accepted")),
        "{pkits:#?}"
    );
    let Some(limbo) = limbo() else {
        crate::tools::skipped("x509_limbo", "FLEET_X509_LIMBO is not set");
        return;
    };
    let accepted = limbo
        .disagreed
        .iter()
        .filter(|(_, how)| how.starts_with("accepted"))
        .count();
    assert!(accepted <= 10, "{limbo:#?}");
}

#[test]
fn device_chains_agree() {
    if let (Some(chains), Some(misc)) = (chains(), misc()) {
        crate::all_agree(&chains);
        crate::all_agree(&misc);
    }
}
