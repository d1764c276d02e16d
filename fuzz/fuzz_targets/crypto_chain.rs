//! Chains: any leaf, bag, anchors and lists, cut from the input at PEM blocks; no input panics, and an
//! accepted path ends in an anchor and stays within its limits.
#![no_main]
use fleet_crypto::x509::{Certificate, ChainVerifier, Crl, MAX_INTERMEDIATES, Profile};
use fleet_crypto::{RustCrypto, UnixSeconds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let blocks: Vec<_> = text.split_inclusive("-----END CERTIFICATE-----").collect();
    let certificates: Vec<_> =
        blocks.iter().filter_map(|block| Certificate::from_pem(block).ok()).collect();
    let crls: Vec<_> = text
        .split_inclusive("-----END X509 CRL-----")
        .filter_map(|block| Crl::from_pem(block).ok())
        .collect();
    let Some((leaf, rest)) = certificates.split_first() else { return };
    let (bag, anchors) = rest.split_at(rest.len() / 2);
    for profile in [Profile::Device, Profile::Rfc5280] {
        let verifier =
            ChainVerifier { profile, crls: &crls, ..ChainVerifier::new(anchors, &RustCrypto) };
        if let Ok(path) = verifier.verify_path(leaf, bag, UnixSeconds(1_780_000_000)) {
            assert!(path.anchor < anchors.len() && path.intermediates.len() <= MAX_INTERMEDIATES);
        }
    }
});
