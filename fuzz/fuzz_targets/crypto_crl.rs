//! Revocation lists: no bytes panic, PEM reads back as the same list.
#![no_main]
use fleet_crypto::x509::Crl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(crl) = Crl::parse(bytes) {
        assert_eq!(Crl::from_pem(&crl.to_pem()).as_ref(), Ok(&crl));
        assert_eq!(crl.check_follows(&crl), Ok(()));
        let _ = (crl.lists(&[1]), crl.lists(&[]), format!("{crl:?}"));
    }
});
