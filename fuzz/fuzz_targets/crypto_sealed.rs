//! Sealed values and what stands in events: no bytes panic, nothing opens that was not sealed.
#![no_main]
use fleet_crypto::secret::{AssociatedData, DataKey, Fingerprint, SaltedDigest};
use fleet_crypto::{RegistrationId, RustCrypto};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let key = DataKey::restore([7; 32], 1, 0);
    let place = AssociatedData::vault("t", "d", "p").expect("short parts");
    assert!(key.open(bytes, &place, &RustCrypto).is_err());
    let text = String::from_utf8_lossy(bytes).into_owned();
    if let Ok(digest) = SaltedDigest::from_text(&text) {
        assert_eq!(SaltedDigest::from_text(&digest.to_text()), Ok(digest));
    }
    if let Ok(fingerprint) = Fingerprint::try_from(text.clone()) {
        assert_eq!(Fingerprint::try_from(String::from(fingerprint)), Ok(fingerprint));
    }
    if let Ok(id) = text.parse::<RegistrationId>() {
        assert_eq!(id.as_str(), text);
    }
});
