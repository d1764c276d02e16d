//! Text forms of bytes: strict base64, base64url, hexadecimal, base32 and percent escapes.
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Standard base64 with padding.
pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes of canonical standard base64: padded, no white space, unused bits zero.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// base64url without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes of canonical base64url without padding.
pub(crate) fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// Upper-case hexadecimal.
pub(crate) fn hex_upper(bytes: &[u8]) -> String {
    hex(bytes).to_ascii_uppercase()
}

/// Bytes of hexadecimal text in either case.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|d| u8::try_from(d).ok())
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

/// RFC 4648 base32 in lower case without padding.
pub(crate) fn base32_lower(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut out = String::with_capacity(bytes.len().div_ceil(5).saturating_mul(8));
    let (mut buffer, mut bits) = (0u32, 0u32);
    let mut push = |value: u32| {
        let index = usize::try_from(value & 31).unwrap_or(0);
        out.push(ALPHABET.get(index).map_or('a', |b| char::from(*b)));
    };
    for byte in bytes {
        buffer = (buffer << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            push(buffer >> bits);
        }
    }
    if bits > 0 {
        push(buffer << (5 - bits));
    }
    out
}

/// Escapes every byte of the UTF-8 form except `A-Z a-z 0-9 - . _ ~` as `%XX`, upper-case.
pub(crate) fn percent(text: &str) -> String {
    percent_keeping(text, b"")
}

/// As [`percent`], leaving the bytes of `keep` as they are.
pub(crate) fn percent_keeping(text: &str, keep: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || keep.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push_str(&hex_upper(&[byte]));
        }
    }
    out
}

/// Undoes percent escapes: two hexadecimal digits must follow every `%`, the result must be UTF-8.
/// `+` stays a plus sign.
pub(crate) fn from_percent(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let pair = [bytes.next()?, bytes.next()?];
            out.extend(from_hex(std::str::from_utf8(&pair).ok()?)?);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base32_of_rfc_4648() {
        for (plain, text) in [
            ("", ""),
            ("f", "my"),
            ("fo", "mzxq"),
            ("foo", "mzxw6"),
            ("foob", "mzxw6yq"),
            ("fooba", "mzxw6ytb"),
            ("foobar", "mzxw6ytboi"),
        ] {
            assert_eq!(base32_lower(plain.as_bytes()), text);
        }
    }

    #[test]
    fn base64_is_canonical() {
        for bad in ["AAAAAAAAAAAAAAAAAAAAAB==", "AAA", "AA\nAA", "AA-_", " AAAA"] {
            assert_eq!(from_base64(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn percent_round_trips(text in ".{0,40}") {
            let escaped = percent(&text);
            prop_assert!(escaped.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            prop_assert_eq!(from_percent(&escaped), Some(text));
        }

        #[test]
        fn hex_round_trips(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(from_hex(&hex_upper(&bytes)), Some(bytes));
        }

        #[test]
        fn decoders_never_panic(text in "\\PC{0,40}") {
            let _ = (from_hex(&text), from_percent(&text), from_base64(&text), from_base64url(&text));
        }
    }
}
