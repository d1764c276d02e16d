//! Certificates: no bytes panic, PEM reads back as the same certificate.
#![no_main]
use fleet_crypto::x509::{Certificate, ChainVerifier, IdentitySource};
use fleet_crypto::{RustCrypto, UnixSeconds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(certificate) = Certificate::parse(bytes) {
        assert_eq!(Certificate::from_pem(&certificate.to_pem()).as_ref(), Ok(&certificate));
        let _ = IdentitySource::CommonName.registration_id(&certificate);
        let _ = IdentitySource::DnsName.registration_id(&certificate);
        let anchors = [certificate.clone()];
        let verifier = ChainVerifier::new(&anchors, &RustCrypto);
        let now = certificate.not_before();
        let _ = format!("{:?}", verifier.explain(&certificate, &anchors, now));
        let _ = verifier.explain(&certificate, &[], UnixSeconds(0));
    }
});
