use super::*;

#[test]
fn a_key_of_any_length_is_taken_as_it_is() {
    let crypto = RustCrypto;
    for length in [0usize, 1, 63, 64, 65, 200] {
        let key = vec![0xaa; length];
        let other = vec![0xab; length.max(1)];
        assert_ne!(
            crypto.mac_key(&key).mac(&[b"m"]),
            crypto.mac_key(&other).mac(&[b"m"])
        );
    }
    assert_eq!(
        crypto.mac_key(b"k").mac(&[b"ab", b"c"]),
        crypto.mac_key(b"k").mac(&[b"abc"])
    );
    assert_eq!(format!("{:?}", crypto.mac_key(b"k")), "MacKey([redacted])");
}
