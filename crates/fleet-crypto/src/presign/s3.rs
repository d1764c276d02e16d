//! Amazon S3: Signature Version 4 in the query.
use super::{SignedUrl, is_host};
use crate::CryptoError;
use crate::encoding::{hex, percent, percent_keeping};
use crate::error::malformed;
use crate::provider::Provider;
use crate::secret::SecretText;
use crate::time::{Civil, CivilForm, UnixSeconds};
use zeroize::Zeroizing;

/// The credentials of the account that grants the download.
#[derive(Debug)]
pub struct S3Credentials {
    /// The access key id, which stands in the address.
    pub access_key: String,
    /// The secret access key.
    pub secret_key: SecretText,
    /// The session token of temporary credentials.
    pub session_token: Option<SecretText>,
}

/// Signs downloads of one region.
#[derive(Clone, Copy, Debug)]
pub struct S3Presigner<'a> {
    /// The credentials.
    pub credentials: &'a S3Credentials,
    /// The region, for example `eu-central-1`.
    pub region: &'a str,
    /// The primitives.
    pub provider: &'a dyn Provider,
}

/// One download.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct S3Request<'a> {
    /// The host, for example `bucket.s3.eu-central-1.amazonaws.com`.
    pub host: &'a str,
    /// The object key as it is, not escaped; with a path-style host the bucket stands in front.
    pub key: &'a str,
    /// When the signature is made.
    pub at: UnixSeconds,
    /// Life in seconds, 1 to 604,800.
    pub expires: u32,
    /// Further query parameters (response overrides, `versionId`), not escaped.
    pub extra_query: &'a [(String, String)],
}

/// The steps of a signature, for people who compare implementations. They hold no secret key.
#[derive(Debug)]
pub struct S3Steps {
    /// The canonical request.
    pub canonical_request: SecretText,
    /// The string to sign.
    pub string_to_sign: String,
    /// The signature, in hexadecimal.
    pub signature: SecretText,
    /// The signed address.
    pub url: SignedUrl,
}

impl S3Presigner<'_> {
    /// The signed address of a download.
    ///
    /// ```
    /// use fleet_crypto::presign::{S3Credentials, S3Presigner, S3Request};
    /// use fleet_crypto::{RustCrypto, UnixSeconds, secret::SecretText};
    /// let credentials = S3Credentials {
    ///     access_key: "AKIAIOSFODNN7EXAMPLE".to_owned(),
    ///     secret_key: SecretText::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned()),
    ///     session_token: None,
    /// };
    /// let signer = S3Presigner { credentials: &credentials, region: "us-east-1", provider: &RustCrypto };
    /// let url = signer.presign(&S3Request {
    ///     host: "examplebucket.s3.amazonaws.com",
    ///     key: "test.txt",
    ///     at: UnixSeconds(1_369_353_600),
    ///     expires: 86_400,
    ///     extra_query: &[],
    /// })?;
    /// assert!(url.expose_secret().ends_with(
    ///     "X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"));
    /// assert_eq!(url.host_and_path(), "https://examplebucket.s3.amazonaws.com/test.txt");
    /// # Ok::<(), fleet_crypto::CryptoError>(())
    /// ```
    /// # Errors
    /// `crypto.too_long` for a life outside 1 to 604,800 s; `crypto.malformed` for a host, region,
    /// access key or parameter that cannot stand in an address.
    ///
    /// Spec: cryptography, section 6.1.
    pub fn presign(&self, request: &S3Request<'_>) -> Result<SignedUrl, CryptoError> {
        self.steps(request).map(|steps| steps.url)
    }

    /// As [`S3Presigner::presign`], with every step.
    /// # Errors
    /// As [`S3Presigner::presign`].
    pub fn steps(&self, request: &S3Request<'_>) -> Result<S3Steps, CryptoError> {
        let S3Request {
            host,
            key,
            at,
            expires,
            extra_query,
        } = request;
        if !(1..=604_800).contains(expires) {
            return Err(CryptoError::TooLong {
                what: "life of a signed address",
            });
        }
        let word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
        };
        let credentials = self.credentials;
        if !is_host(host) || !word(self.region) || !word(&credentials.access_key) {
            return Err(malformed("host, region or access key"));
        }
        if extra_query
            .iter()
            .any(|(name, _)| name.is_empty() || name.starts_with("X-Amz-"))
        {
            return Err(malformed("query parameter of a signed address"));
        }
        let timestamp = at.civil().print(CivilForm::Basic);
        let day = timestamp.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let mut query = vec![
            ("X-Amz-Algorithm".to_owned(), "AWS4-HMAC-SHA256".to_owned()),
            (
                "X-Amz-Credential".to_owned(),
                format!("{}/{scope}", credentials.access_key),
            ),
            ("X-Amz-Date".to_owned(), timestamp.clone()),
            ("X-Amz-Expires".to_owned(), expires.to_string()),
            ("X-Amz-SignedHeaders".to_owned(), "host".to_owned()),
        ];
        if let Some(token) = &credentials.session_token {
            query.push((
                "X-Amz-Security-Token".to_owned(),
                token.expose_secret().to_owned(),
            ));
        }
        query.extend(extra_query.iter().cloned());
        let mut query: Vec<_> = query
            .iter()
            .map(|(name, value)| (percent(name), percent(value)))
            .collect();
        query.sort();
        let query: Vec<_> = query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let query = query.join("&");
        let path = format!("/{}", percent_keeping(key, b"/"));
        let canonical = format!("GET\n{path}\n{query}\nhost:{host}\n\nhost\nUNSIGNED-PAYLOAD");
        let hash = hex(&self.provider.sha256(&[canonical.as_bytes()]));
        let string_to_sign = format!("AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{hash}");
        let signing = self.signing_key(day);
        let signature = hex(&self
            .provider
            .mac_key(signing.as_slice())
            .mac(&[string_to_sign.as_bytes()]));
        let url = SignedUrl::new(format!(
            "https://{host}{path}?{query}&X-Amz-Signature={signature}"
        ));
        Ok(S3Steps {
            canonical_request: SecretText::new(canonical),
            string_to_sign,
            signature: SecretText::new(signature),
            url,
        })
    }

    /// The key of one day, region and service.
    fn signing_key(&self, day: &str) -> Zeroizing<[u8; 32]> {
        let secret = Zeroizing::new(format!(
            "AWS4{}",
            self.credentials.secret_key.expose_secret()
        ));
        let first = self
            .provider
            .mac_key(secret.as_bytes())
            .mac(&[day.as_bytes()]);
        [self.region, "s3", "aws4_request"]
            .iter()
            .fold(Zeroizing::new(first), |key, part| {
                Zeroizing::new(
                    self.provider
                        .mac_key(key.as_slice())
                        .mac(&[part.as_bytes()]),
                )
            })
    }
}

/// Reads the time form of the service, `20130524T000000Z`.
pub(crate) fn timestamp(text: &str) -> Option<UnixSeconds> {
    Civil::parse(text.as_bytes(), CivilForm::Basic)
}
