//! Signed addresses and placeholders: no text panics, a document without placeholders stays as it is.
#![no_main]
use fleet_crypto::presign::{
    NeutralVerifier, PLACEHOLDER, S3Credentials, S3Presigner, resolve_placeholders,
};
use fleet_crypto::provider::Provider;
use fleet_crypto::secret::SecretText;
use fleet_crypto::{RustCrypto, UnixSeconds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let verifier = NeutralVerifier::new().with_key("k", RustCrypto.mac_key(b"unknown to inputs"));
    assert!(verifier.verify("GET", "h", text, UnixSeconds(0)).is_err());
    let credentials = S3Credentials {
        access_key: "AKIA".to_owned(),
        secret_key: SecretText::new("secret".to_owned()),
        session_token: None,
    };
    let signer =
        S3Presigner { credentials: &credentials, region: "r", provider: &RustCrypto };
    let seen = resolve_placeholders(text, &signer, UnixSeconds(0), 60).expect("the life is right");
    let count = text.matches(PLACEHOLDER).count();
    assert_eq!(seen.signed.len() + seen.left.len(), count);
    if seen.signed.is_empty() {
        assert_eq!(seen.document.expose_secret(), text);
    }
});
