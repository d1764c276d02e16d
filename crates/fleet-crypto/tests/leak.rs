//! A full run with known secrets; nothing that is printed, logged, serialised or returned as an
//! error may hold one of them, raw, in hexadecimal, in base64 or in base64url.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
mod support;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fleet_crypto::manifest::{KeySet, TrustedKey};
use fleet_crypto::presign::*;
use fleet_crypto::provider::Provider;
use fleet_crypto::sas::{self, ConnectionString, Token, Verifier};
use fleet_crypto::secret::*;
use fleet_crypto::signer::{LocalSigner, Signer};
use fleet_crypto::symmetric::{KeySlots, Slot, SymmetricKey};
use fleet_crypto::tpm::{StorageKey, issue_challenge};
use fleet_crypto::x509::*;
use fleet_crypto::{
    CryptoError, RustCrypto, SecureRandom, Unauthenticated, UnixSeconds, operation,
};
use std::fmt::{Debug, Display};
use support::SeededRandom;

const NOW: UnixSeconds = UnixSeconds(1_780_000_000);

/// Remembers every byte that it hands out: keys, codes, seeds and nonces alike.
struct Recording {
    inner: SeededRandom,
    given: Vec<Vec<u8>>,
}

impl SecureRandom for Recording {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.inner.fill(out)?;
        self.given.push(out.to_vec());
        Ok(())
    }
}

/// What people and programs see of the run, and what they must not.
#[derive(Default)]
struct Ledger {
    shown: Vec<String>,
    secrets: Vec<(String, Vec<u8>)>,
}

impl Ledger {
    fn debug(&mut self, value: &impl Debug) {
        self.shown.push(format!("{value:?}"));
        self.shown.push(format!("{value:#?}"));
    }

    fn display(&mut self, value: &impl Display) {
        self.shown.push(value.to_string());
    }

    /// An error inside, its outward form, and its code.
    fn error(&mut self, error: CryptoError) {
        self.debug(&error);
        self.display(&error);
        self.display(&Unauthenticated::from(error));
        self.shown.push(error.code().to_owned());
    }

    fn event(&mut self, value: &impl serde::Serialize) {
        self.shown.push(serde_json::to_string(value).unwrap());
    }

    fn secret(&mut self, name: &str, bytes: &[u8]) {
        assert!(bytes.len() >= 8, "{name} is too short to search for");
        self.secrets.push((name.to_owned(), bytes.to_vec()));
    }

    fn search(&self) {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        for (name, secret) in &self.secrets {
            let forms = [
                String::from_utf8_lossy(secret).into_owned(),
                format!("{secret:?}"),
                hex(secret),
                hex(secret).to_uppercase(),
                STANDARD.encode(secret).trim_end_matches('=').to_owned(),
                URL_SAFE_NO_PAD.encode(secret),
            ];
            for text in &self.shown {
                for form in &forms {
                    assert!(!text.contains(form.as_str()), "{name} shows in {text}");
                }
            }
        }
    }
}

#[test]
fn no_secret_of_a_full_run_shows() {
    let mut ledger = Ledger::default();
    let mut random = Recording {
        inner: SeededRandom::new(99),
        given: vec![],
    };

    // Keys, tokens, connection strings.
    let slots = KeySlots::generate(&mut random).unwrap();
    let id = "dev-1".parse().unwrap();
    let device = slots.derive(&RustCrypto, &id);
    for slot in [Slot::Primary, Slot::Secondary] {
        ledger.secret("group key", slots.get(slot).expose_secret());
        ledger.secret("device key", device.get(slot).expose_secret());
        ledger.debug(device.get(slot));
    }
    ledger.debug(&slots);
    let key = device.get(Slot::Primary).prepare(&RustCrypto);
    ledger.debug(&key);
    let token = sas::create(&key, "hub/devices/dev-1", NOW, None).unwrap();
    let text = token.expose_secret().to_owned();
    ledger.debug(&token);
    let signature = text
        .split("sig=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap()
        .to_owned();
    ledger.secret("token signature", signature.as_bytes());
    let verifier = Verifier::default();
    for (resource, at) in [
        ("hub/devices/other", NOW),
        ("hub/devices/dev-1", NOW.plus(9_999)),
    ] {
        ledger.error(
            verifier
                .verify(&text, resource, &key, None, at)
                .unwrap_err(),
        );
    }
    ledger.debug(
        &verifier
            .verify(&text, "hub/devices/dev-1", &key, None, NOW)
            .unwrap(),
    );
    ledger.error(Token::parse(&format!("{text}&{signature}=1")).unwrap_err());
    let base64_key = device.get(Slot::Primary).to_base64();
    let string = format!(
        "HostName=h;DeviceId=d;SharedAccessKey={}",
        base64_key.expose_secret()
    );
    ledger.debug(&ConnectionString::parse(&string).unwrap());
    ledger.error(ConnectionString::parse(&format!("{string};{string}")).unwrap_err());
    ledger
        .error(SymmetricKey::from_base64(&format!("{}!", base64_key.expose_secret())).unwrap_err());
    ledger.debug(&base64_key);

    // Certificates and their keys.
    let ca_key = LocalSigner::generate_p256(&mut random).unwrap();
    let pem = ca_key.to_pem();
    let span = (NOW, NOW.plus(86_400 * 30));
    let ca = CertificateAuthority::self_signed("CA", &ca_key, None, span, &mut random, &RustCrypto);
    let ca = ca.unwrap();
    let authority = CertificateAuthority::new(&ca, &ca_key, &RustCrypto).unwrap();
    let made = authority
        .issue_with_keys("dev-1", NOW, 3_600, &mut random)
        .unwrap();
    for private in [pem.expose_secret(), made.private_key_pem.expose_secret()] {
        let body: String = private
            .lines()
            .filter(|line| !line.starts_with('-'))
            .collect();
        // Algorithm and structure come first in PKCS#8; the scalar stands after 36 bytes.
        ledger.secret("private key", &STANDARD.decode(body).unwrap()[36..68]);
    }
    ledger.debug(&made);
    ledger.debug(&(&ca_key, &pem, &ca, &authority));
    let challenge =
        PossessionChallenge::new(&ca, NOW, CODE_LIFE, &mut random, &RustCrypto).unwrap();
    ledger.secret(
        "verification code",
        challenge.code().expose_secret().as_bytes(),
    );
    ledger.debug(&challenge);
    let other = authority
        .issue_with_keys("dev-2", NOW, 3_600, &mut random)
        .unwrap();
    let (challenge, refusal) = challenge
        .answer(&ca, &other.issued.certificate, &RustCrypto, NOW)
        .unwrap_err();
    ledger.error(refusal);
    ledger.debug(&challenge);

    // TPM.
    let file: serde_json::Value = serde_json::from_str(include_str!("vectors/tpm.json")).unwrap();
    let case = file["cases"]
        .as_array()
        .unwrap()
        .iter()
        .find(|case| case["ek_alg"] == "ecc")
        .unwrap();
    let ek = StorageKey::from_base64(case["ek_public"].as_str().unwrap(), &RustCrypto).unwrap();
    let (tpm, answer) = issue_challenge(&ek, &ek, b"uri", NOW, &mut random, &RustCrypto).unwrap();
    ledger.secret("identity key", tpm.key.expose_secret());
    ledger.debug(&(&tpm, &answer, answer.to_base64()));

    // Signed addresses.
    let credentials = S3Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret_key: SecretText::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
        session_token: Some(SecretText::new("session-token-of-a-role".to_owned())),
    };
    ledger.secret(
        "secret access key",
        credentials.secret_key.expose_secret().as_bytes(),
    );
    ledger.secret("session token", b"session-token-of-a-role");
    let s3 = S3Presigner {
        credentials: &credentials,
        region: "eu-west-1",
        provider: &RustCrypto,
    };
    let request = S3Request {
        host: "b.s3.amazonaws.com",
        key: "k",
        at: NOW,
        expires: 60,
        extra_query: &[],
    };
    let steps = s3.steps(&request).unwrap();
    ledger.secret(
        "signature of an address",
        steps.signature.expose_secret().as_bytes(),
    );
    ledger.debug(&(&s3, &steps));
    let document = "${aws:iot:s3-presigned-url:https://b.s3.amazonaws.com/k}";
    let resolved = resolve_placeholders(document, &s3, NOW, 60).unwrap();
    ledger.debug(&(&resolved.document, &resolved.signed, &resolved.left));
    let account_key = STANDARD.encode(slots.get(Slot::Primary).expose_secret());
    ledger.debug(&BlobPresigner::new("account", &account_key, &RustCrypto).unwrap());
    let neutral = NeutralSigner {
        key_id: "k",
        key: &key,
    };
    let url = neutral.presign("h", "/p", "d", NOW).unwrap();
    let mac = url
        .expose_secret()
        .split("fx-sig=")
        .nth(1)
        .unwrap()
        .to_owned();
    ledger.secret("neutral signature", mac.as_bytes());
    ledger.debug(&(
        &neutral,
        &url,
        NeutralVerifier::new().with_key("k", RustCrypto.mac_key(b"k")),
    ));

    // Sealing, and what events hold.
    let mut data_key = DataKey::generate(1, &mut random).unwrap();
    let place = AssociatedData::vault("t", "d", "p").unwrap();
    let plain = b"personal data of somebody";
    ledger.secret("sealed value", plain);
    let sealed = data_key
        .seal(plain, &place, &mut random, &RustCrypto)
        .unwrap();
    ledger.debug(&(
        &data_key,
        &sealed,
        data_key.open(&sealed, &place, &RustCrypto).unwrap(),
    ));
    let elsewhere = AssociatedData::vault("t", "e", "p").unwrap();
    ledger.error(data_key.open(&sealed, &elsewhere, &RustCrypto).unwrap_err());
    let pepper = Pepper::new(b"pepper of a deployment".to_vec()).unwrap();
    ledger.secret("pepper", b"pepper of a deployment");
    let handle = SecretHandle {
        store: "vault".to_owned(),
        key_id: "group".to_owned(),
        version: 1,
        slot: Slot::Primary,
        fingerprint: pepper.fingerprint(slots.get(Slot::Primary).expose_secret(), &RustCrypto),
    };
    ledger.debug(&(&pepper, &handle));
    ledger.event(&handle);
    let digest = SaltedDigest::new(plain, &mut SeededRandom::new(1), &RustCrypto).unwrap();
    ledger.debug(&digest);
    ledger.shown.push(digest.to_text());
    let mut ring = KeyRing::new();
    ring.insert("dev-1", data_key).unwrap();
    ledger.debug(&ring);

    // Manifests: the signer's key.
    let signer = LocalSigner::generate_ed25519(&mut random).unwrap();
    let trusted = TrustedKey {
        key_id: "k".to_owned(),
        key: signer.public_key(),
    };
    let keys = KeySet::new("s", 1, 1, vec![trusted]).unwrap();
    ledger.debug(&(&keys, &signer));

    // Operations that are refused.
    for (name, _) in operation::OPERATIONS {
        for params in [
            serde_json::json!({"masterKey": base64_key.expose_secret(), "registrationId": "."}),
            serde_json::json!({"token": text, "key": base64_key.expose_secret()}),
            serde_json::json!(text),
        ] {
            if let Some(Err(error)) = operation::run(name, params) {
                ledger.debug(&error);
                ledger.display(&error);
                ledger.event(&error);
            }
        }
    }

    // Whatever the generator gave out is a secret too, except salts and nonces and serial numbers,
    // which are 12 and 16 bytes long and public by their nature.
    for bytes in std::mem::take(&mut random.given) {
        if bytes.len() >= 32 {
            ledger.secret("random bytes", &bytes);
        }
    }
    assert!(ledger.secrets.len() > 25 && ledger.shown.len() > 60);
    ledger.search();
}

#[test]
fn the_search_itself_finds_each_form() {
    for text in [
        "a secret!".to_owned(),
        "612073656372657421".to_owned(),
        STANDARD.encode(b"a secret!"),
        URL_SAFE_NO_PAD.encode(b"a secret!"),
        format!("{:?}", b"a secret!"),
    ] {
        let mut ledger = Ledger::default();
        ledger.secret("it", b"a secret!");
        ledger.shown.push(format!("before {text} after"));
        let found = std::panic::catch_unwind(|| ledger.search()).is_err();
        assert!(found, "{text}");
    }
}
