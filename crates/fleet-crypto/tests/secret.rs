//! Sealing, forgetting, and that nothing secret ever shows.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic
)]
mod support;

use fleet_crypto::secret::*;
use fleet_crypto::symmetric::Slot;
use fleet_crypto::{CryptoError, RustCrypto};
use proptest::prelude::*;
use support::{BrokenRandom, SeededRandom};

fn refused<T: std::fmt::Debug>(result: Result<T, CryptoError>) -> &'static str {
    result.unwrap_err().name()
}

fn place(parts: [&str; 3]) -> AssociatedData {
    AssociatedData::vault(parts[0], parts[1], parts[2]).unwrap()
}

#[test]
fn a_value_opens_only_where_it_belongs() {
    let mut random = SeededRandom::new(1);
    let mut key = DataKey::generate(7, &mut random).unwrap();
    let home = place(["t", "d", "p"]);
    let sealed = key.seal(b"value", &home, &mut random, &RustCrypto).unwrap();
    assert_eq!(
        (sealed[0], &sealed[1..5], sealed.len()),
        (1, &[0, 0, 0, 7][..], 17 + 5 + 16)
    );
    assert_eq!(
        key.open(&sealed, &home, &RustCrypto)
            .unwrap()
            .expose_secret(),
        b"value"
    );
    for other in [
        place(["u", "d", "p"]),
        place(["t", "e", "p"]),
        place(["t", "d", "q"]),
    ] {
        assert_eq!(refused(key.open(&sealed, &other, &RustCrypto)), "Sealed");
    }
    // Parts have lengths, so bytes cannot move from one to the next; layouts cannot be confused.
    let shifted = place(["td", "", "p"]);
    let field = AssociatedData::field("t", "d", "p", "", "").unwrap();
    for other in [shifted, field] {
        assert_eq!(refused(key.open(&sealed, &other, &RustCrypto)), "Sealed");
    }
    let mut newer = DataKey::generate(8, &mut random).unwrap();
    assert_eq!(refused(newer.open(&sealed, &home, &RustCrypto)), "Sealed");
    assert_eq!(
        refused(newer.seal(b"x", &home, &mut BrokenRandom, &RustCrypto)),
        "Random"
    );
    let mut spent = DataKey::restore([1; 32], 1, MAX_SEALS);
    assert_eq!(
        refused(spent.seal(b"x", &home, &mut random, &RustCrypto)),
        "Exhausted"
    );
    assert_eq!((newer.seals(), key.seals()), (0, 1));
}

#[test]
fn keys_are_wrapped_and_destroyed() {
    let mut random = SeededRandom::new(2);
    let mut tenant = DataKey::generate(1, &mut random).unwrap();
    let mut device = DataKey::generate(3, &mut random).unwrap();
    let shelf = place(["t", "d", "data-key"]);
    let home = place(["t", "d", "p"]);
    let sealed = device
        .seal(b"value", &home, &mut random, &RustCrypto)
        .unwrap();
    let wrapped = device
        .wrap(&mut tenant, &shelf, &mut random, &RustCrypto)
        .unwrap();
    let back = DataKey::unwrap(&wrapped, &tenant, &shelf, device.seals(), &RustCrypto).unwrap();
    assert_eq!(back.version(), 3);
    assert_eq!(
        back.open(&sealed, &home, &RustCrypto)
            .unwrap()
            .expose_secret(),
        b"value"
    );
    assert_eq!(
        refused(DataKey::unwrap(&wrapped, &tenant, &home, 0, &RustCrypto)),
        "Sealed"
    );
}

/// Case 45 of the event store, for the part that this crate plays.
#[test]
fn a_destroyed_key_makes_its_fields_redacted() {
    let mut random = SeededRandom::new(3);
    let mut ring = KeyRing::new();
    for subject in ["dev-1", "dev-2"] {
        ring.insert(subject, DataKey::generate(1, &mut random).unwrap())
            .unwrap();
    }
    let field = |subject: &str| {
        AssociatedData::field(
            "t",
            &format!("thing-{subject}"),
            "id",
            "data.owner",
            subject,
        )
        .unwrap()
    };
    let mut log = vec![];
    for subject in ["dev-1", "dev-2"] {
        let sealed = ring
            .seal(subject, b"Ada", &field(subject), &mut random, &RustCrypto)
            .unwrap();
        log.push((subject, sealed));
    }
    let before = log.clone();
    assert!(ring.destroy("dev-1"));
    for (subject, sealed) in &log {
        match ring
            .open(subject, sealed, &field(subject), &RustCrypto)
            .unwrap()
        {
            Opened::Redacted => assert_eq!(*subject, "dev-1"),
            Opened::Value(value) => {
                assert_eq!((*subject, value.expose_secret()), ("dev-2", &b"Ada"[..]));
            }
        }
    }
    assert_eq!(log, before);
    let again = DataKey::generate(2, &mut random).unwrap();
    assert_eq!(refused(ring.insert("dev-1", again)), "Destroyed");
    let lost = ring.seal("dev-1", b"x", &field("dev-1"), &mut random, &RustCrypto);
    assert_eq!(refused(lost), "Destroyed");
    assert_eq!(
        refused(ring.open("dev-9", &[], &field("dev-9"), &RustCrypto)),
        "UnknownKey"
    );
    assert!(!ring.destroy("dev-1"));
}

#[test]
fn handles_say_which_key_and_nothing_of_it() {
    let pepper = Pepper::new(vec![5; 32]).unwrap();
    let handle = SecretHandle {
        store: "vault".to_owned(),
        key_id: "k".to_owned(),
        version: 1,
        slot: Slot::Secondary,
        fingerprint: pepper.fingerprint(b"key", &RustCrypto),
    };
    let text = serde_json::to_string(&handle).unwrap();
    assert_eq!(serde_json::from_str::<SecretHandle>(&text).unwrap(), handle);
    assert_ne!(handle.fingerprint, pepper.fingerprint(b"kez", &RustCrypto));
    let other = Pepper::new(vec![6; 32]).unwrap();
    assert_ne!(handle.fingerprint, other.fingerprint(b"key", &RustCrypto));
    assert_eq!(refused(Pepper::new(vec![1; 15])), "KeyLength");
    let digest = SaltedDigest::new(b"code", &mut SeededRandom::new(4), &RustCrypto).unwrap();
    assert!(digest.is_of(b"code", &RustCrypto) && !digest.is_of(b"core", &RustCrypto));
    assert_eq!(SaltedDigest::from_text(&digest.to_text()).unwrap(), digest);
}

proptest! {
    #[test]
    fn every_flipped_bit_of_a_sealed_value_is_refused(
        plain in prop::collection::vec(any::<u8>(), 0..40),
        at in any::<prop::sample::Index>(),
        bit in 0u8..8,
    ) {
        let mut random = SeededRandom::new(5);
        let mut key = DataKey::generate(1, &mut random).unwrap();
        let home = place(["t", "d", "p"]);
        let mut sealed = key.seal(&plain, &home, &mut random, &RustCrypto).unwrap();
        let at = at.index(sealed.len());
        sealed[at] ^= 1 << bit;
        prop_assert_eq!(refused(key.open(&sealed, &home, &RustCrypto)), "Sealed");
    }

    #[test]
    fn arbitrary_sealed_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let key = DataKey::restore([1; 32], 1, 0);
        prop_assert!(key.open(&bytes, &place(["t", "d", "p"]), &RustCrypto).is_err());
        prop_assert!(DataKey::unwrap(&bytes, &key, &place(["t", "d", "p"]), 0, &RustCrypto).is_err());
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let _ = SaltedDigest::from_text(&text);
        let _ = Fingerprint::try_from(text);
    }
}
