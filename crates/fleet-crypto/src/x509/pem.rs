//! PEM: exactly one block of the label that is asked for.
use crate::CryptoError;
use crate::encoding::{base64, from_base64};
use crate::error::malformed;

/// The bytes of the one block in `text`. Text outside the block is allowed, as common tools print
/// it; a second block, another label or an odd character inside is not.
pub(crate) fn decode(text: &str, label: &str, limit: usize) -> Result<Vec<u8>, CryptoError> {
    let (begin, end) = (
        format!("-----BEGIN {label}-----"),
        format!("-----END {label}-----"),
    );
    let (before, rest) = text.split_once(&begin).ok_or(malformed("PEM label"))?;
    let (body, after) = rest.split_once(&end).ok_or(malformed("PEM end"))?;
    if [before, body, after]
        .iter()
        .any(|part| part.contains("-----"))
    {
        return Err(malformed("PEM with more than one block"));
    }
    if body.len() > limit.saturating_mul(2) {
        return Err(CryptoError::TooLong { what: "PEM block" });
    }
    let compact: String = body.split_ascii_whitespace().collect();
    let bytes = from_base64(&compact).ok_or(malformed("PEM body"))?;
    if bytes.len() > limit {
        return Err(CryptoError::TooLong { what: "PEM block" });
    }
    Ok(bytes)
}

/// A PEM block with lines of 64 characters.
pub(crate) fn encode(bytes: &[u8], label: &str) -> String {
    let body = base64(bytes);
    let mut out = format!("-----BEGIN {label}-----\n");
    for (index, character) in body.chars().enumerate() {
        if index > 0 && index.is_multiple_of(64) {
            out.push('\n');
        }
        out.push(character);
    }
    out.push_str(&format!("\n-----END {label}-----\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_block_of_the_right_label() {
        let block = encode(&[1, 2, 3], "X");
        assert_eq!(
            decode(&format!("text\n{block}"), "X", 9).unwrap(),
            [1, 2, 3]
        );
        for bad in [
            format!("{block}{block}"),
            block.replace("AQ", "A-"),
            encode(&[1], "Y"),
            format!("{}{block}", encode(&[1], "Y")),
            String::new(),
        ] {
            assert!(decode(&bad, "X", 9).is_err(), "{bad}");
        }
        assert_eq!(
            decode(&encode(&[0; 10], "X"), "X", 9).unwrap_err().name(),
            "TooLong"
        );
    }

    proptest! {
        #[test]
        fn round_trips(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(decode(&encode(&bytes, "X"), "X", 200).unwrap(), bytes);
        }
    }
}
