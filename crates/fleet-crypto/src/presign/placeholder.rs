//! Placeholders of job documents, replaced when a document is handed to a device.
use super::{S3Presigner, S3Request, SignedUrl, is_host};
use crate::encoding::from_percent;
use crate::{CryptoError, UnixSeconds};

/// How a placeholder begins. It ends with `}`.
pub const PLACEHOLDER: &str = "${aws:iot:s3-presigned-url:";

/// Life of an address by default, in seconds.
pub const DEFAULT_LIFE: u32 = 3600;

/// Whoever can sign the address of an object.
pub trait UrlSigner {
    /// Signs `url` (`https://host/path`, not signed yet) for `life` seconds from `now`.
    /// # Errors
    /// `crypto.malformed` when the address is not one of this signer's.
    fn sign(&self, url: &str, now: UnixSeconds, life: u32) -> Result<SignedUrl, CryptoError>;
}

/// A document with its placeholders replaced.
pub struct Resolved {
    /// The document. It holds signed addresses, so it goes to the device and nowhere else.
    pub document: crate::secret::SecretText,
    /// Host and path of every address that was signed, for the log.
    pub signed: Vec<String>,
    /// Where placeholders were left as they are: byte offset in the original document, and why.
    pub left: Vec<(usize, CryptoError)>,
}

/// Replaces every placeholder of `document` by a signed address. One that does not parse is left as
/// it is and reported, never half-replaced; placeholders do not nest.
///
/// `life`: seconds, 60 to 3600.
/// # Errors
/// `crypto.too_long` for another life; nothing is signed then.
///
/// Spec: cryptography, section 6.
pub fn resolve_placeholders(
    document: &str,
    signer: &dyn UrlSigner,
    now: UnixSeconds,
    life: u32,
) -> Result<Resolved, CryptoError> {
    if !(60..=3600).contains(&life) {
        return Err(CryptoError::TooLong {
            what: "life of a placeholder address",
        });
    }
    let (mut out, mut signed, mut left) = (String::with_capacity(document.len()), vec![], vec![]);
    let mut rest = document;
    while let Some((before, after)) = rest.split_once(PLACEHOLDER) {
        out.push_str(before);
        let offset = document.len() - after.len() - PLACEHOLDER.len();
        let outcome = match after.split_once('}') {
            Some((url, tail)) if !url.contains(['$', '{', '"', '\\', '\n']) => {
                signer.sign(url, now, life).map(|url| (url, tail))
            }
            _ => Err(CryptoError::Malformed {
                what: "placeholder",
            }),
        };
        match outcome {
            Ok((url, tail)) => {
                signed.push(url.host_and_path().to_owned());
                out.push_str(url.expose_secret());
                rest = tail;
            }
            Err(refusal) => {
                left.push((offset, refusal));
                out.push_str(PLACEHOLDER);
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(Resolved {
        document: crate::secret::SecretText::new(out),
        signed,
        left,
    })
}

impl UrlSigner for S3Presigner<'_> {
    fn sign(&self, url: &str, now: UnixSeconds, life: u32) -> Result<SignedUrl, CryptoError> {
        const BAD: CryptoError = CryptoError::Malformed {
            what: "address in a placeholder",
        };
        let rest = url.strip_prefix("https://").ok_or(BAD)?;
        let (host, path) = rest.split_once('/').ok_or(BAD)?;
        if !is_host(host) || path.is_empty() || path.contains(['?', '#', ' ']) {
            return Err(BAD);
        }
        let key = from_percent(path).ok_or(BAD)?;
        self.presign(&S3Request {
            host,
            key: &key,
            at: now,
            expires: life,
            extra_query: &[],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Signs by appending, so that tests read easily.
    struct Append;
    impl UrlSigner for Append {
        fn sign(&self, url: &str, now: UnixSeconds, life: u32) -> Result<SignedUrl, CryptoError> {
            if !url.starts_with("https://") {
                return Err(CryptoError::Malformed { what: "address" });
            }
            Ok(SignedUrl::new(format!("{url}?s={now}+{life}")))
        }
    }

    fn resolve(document: &str) -> (String, usize) {
        let seen = resolve_placeholders(document, &Append, UnixSeconds(5), 60).unwrap();
        (seen.document.expose_secret().to_owned(), seen.left.len())
    }

    #[test]
    fn replaces_whole_placeholders_only() {
        for (document, expected, left) in [
            (
                r#"{"u":"${aws:iot:s3-presigned-url:https://h/a}"}"#,
                r#"{"u":"https://h/a?s=5+60"}"#,
                0,
            ),
            (
                "${aws:iot:s3-presigned-url:https://h/a}${aws:iot:s3-presigned-url:https://h/b}",
                "https://h/a?s=5+60https://h/b?s=5+60",
                0,
            ),
            (
                "${aws:iot:s3-presigned-url:ftp://h/a}",
                "${aws:iot:s3-presigned-url:ftp://h/a}",
                1,
            ),
            (
                "${aws:iot:s3-presigned-url:https://h/a",
                "${aws:iot:s3-presigned-url:https://h/a",
                1,
            ),
            (
                "${aws:iot:s3-presigned-url:${aws:iot:s3-presigned-url:https://h/a}}",
                "${aws:iot:s3-presigned-url:https://h/a?s=5+60}",
                1,
            ),
            (
                "${aws:iot:other:https://h/a}",
                "${aws:iot:other:https://h/a}",
                0,
            ),
            ("", "", 0),
        ] {
            assert_eq!(resolve(document), (expected.to_owned(), left), "{document}");
        }
        for life in [59, 3601] {
            assert!(resolve_placeholders("", &Append, UnixSeconds(0), life).is_err());
        }
    }

    proptest! {
        #[test]
        fn text_without_placeholders_stays(text in "\\PC{0,60}") {
            prop_assume!(!text.contains(PLACEHOLDER));
            prop_assert_eq!(resolve(&text), (text.clone(), 0));
        }

        #[test]
        fn arbitrary_tails_never_panic(tail in "[$a-z:{}/h]{0,40}") {
            let _ = resolve(&format!("{PLACEHOLDER}{tail}"));
        }
    }
}
