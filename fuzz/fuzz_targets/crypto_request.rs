//! Requests and keys: no bytes panic, a key that is read prints back to itself.
#![no_main]
use fleet_crypto::RustCrypto;
use fleet_crypto::signer::{LocalSigner, Signer};
use fleet_crypto::x509::{PublicKey, Request, Thumbprint};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = Request::verify(bytes, &RustCrypto) {
        let _ = request.registration_id();
    }
    if let Ok(key) = PublicKey::from_der(bytes) {
        assert_eq!(PublicKey::from_pem(&key.to_pem()).as_ref(), Ok(&key));
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(signer) = LocalSigner::from_pem(&text) {
        let again = LocalSigner::from_pem(signer.to_pem().expose_secret()).expect("printed form");
        assert_eq!(again.public_key(), signer.public_key());
    }
    if let Ok(thumbprint) = text.parse::<Thumbprint>() {
        assert_eq!(thumbprint.to_string().parse(), Ok(thumbprint));
    }
});
