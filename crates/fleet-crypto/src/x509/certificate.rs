//! A certificate, parsed once; every later check reads typed values.
use super::algorithm::{KeyInfo, Signed, signature_algorithm};
use super::der::{Reader, tag};
use super::extension::{Extensions, GeneralNames};
use super::{name, oids, pem};
use crate::CryptoError;
use crate::encoding::{hex, hex_upper};
use crate::error::malformed;
use crate::provider::{KeyKind, Provider, SignatureAlgorithm};
use crate::time::{Civil, CivilForm, UnixSeconds};
use std::fmt;
use std::ops::Range;

/// Longest certificate, in bytes of DER.
pub const MAX_CERTIFICATE: usize = 16 * 1024;

/// A parsed certificate. Parsing judges the form only; signatures are verified over the bytes as
/// they were received.
///
/// Spec: cryptography, section 4.1.
#[derive(Clone, Eq, PartialEq)]
pub struct Certificate {
    der: Vec<u8>,
    pub(super) version: u8,
    pub(super) serial_fits: bool,
    pub(super) key_kind: Option<KeyKind>,
    pub(super) signature_algorithm: Option<SignatureAlgorithm>,
    pub(super) extensions: Extensions,
    not_before: UnixSeconds,
    not_after: UnixSeconds,
    tbs: Range<usize>,
    serial: Range<usize>,
    issuer: Range<usize>,
    subject: Range<usize>,
    key_info: Range<usize>,
    key_bits: Range<usize>,
    signature: Range<usize>,
}

/// Where `part`, a slice of `whole`, lies in it.
pub(super) fn range_of(whole: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    start..start.saturating_add(part.len())
}

impl Certificate {
    /// Reads DER.
    /// # Errors
    /// `crypto.malformed`; `crypto.too_long` above [`MAX_CERTIFICATE`] bytes.
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        if der.len() > MAX_CERTIFICATE {
            return Err(CryptoError::TooLong {
                what: "certificate",
            });
        }
        let at = |part: &[u8]| range_of(der, part);
        let signed = Signed::parse(der)?;
        let mut tbs = Reader::new(signed.tbs.content);
        let version = match tbs.optional(tag::explicit(0))? {
            None => 1,
            Some(element) => {
                let mut reader = Reader::new(element.content);
                let version = reader.small_integer()?;
                reader.end()?;
                match version {
                    0 => 1,
                    1 => 2,
                    2 => 3,
                    _ => return Err(malformed("certificate version")),
                }
            }
        };
        let serial = tbs.integer()?;
        let magnitude = serial.strip_prefix(&[0]).unwrap_or(serial);
        let positive = serial.first().is_some_and(|byte| byte & 0x80 == 0) && !magnitude.is_empty();
        if tbs.expect(tag::SEQUENCE)?.whole != signed.algorithm {
            return Err(malformed("the two signature algorithms differ"));
        }
        let issuer = tbs.expect(tag::SEQUENCE)?.whole;
        let mut validity = tbs.sequence()?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        validity.end()?;
        let subject = tbs.expect(tag::SEQUENCE)?.whole;
        let key_info = tbs.expect(tag::SEQUENCE)?;
        let key = KeyInfo::parse(key_info.content)?;
        for (id, allowed) in [(1, version > 1), (2, version > 1)] {
            if tbs.optional(tag::context(id))?.is_some() && !allowed {
                return Err(malformed("unique identifier in a version 1 certificate"));
            }
        }
        let extensions = match tbs.optional(tag::explicit(3))? {
            None => Extensions::default(),
            Some(_) if version < 3 => return Err(malformed("extensions need version 3")),
            Some(element) => Extensions::parse(element.content)?,
        };
        tbs.end()?;
        name::check(issuer)?;
        name::check(subject)?;
        Ok(Self {
            version,
            serial_fits: positive && magnitude.len() <= 20,
            key_kind: key.kind,
            signature_algorithm: signature_algorithm(signed.algorithm),
            extensions,
            not_before,
            not_after,
            tbs: at(signed.tbs.whole),
            serial: at(serial),
            issuer: at(issuer),
            subject: at(subject),
            key_info: at(key_info.whole),
            key_bits: at(key.bits),
            signature: at(signed.signature),
            der: der.to_vec(),
        })
    }

    /// Reads PEM with exactly one block `CERTIFICATE`.
    /// # Errors
    /// As [`Certificate::from_der`].
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        Self::from_der(&pem::decode(text, "CERTIFICATE", MAX_CERTIFICATE)?)
    }

    /// Reads DER, or PEM when the bytes are text with a PEM label.
    /// # Errors
    /// As [`Certificate::from_der`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CryptoError> {
        match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("-----BEGIN") => Self::from_pem(text),
            _ => Self::from_der(bytes),
        }
    }

    fn part(&self, range: &Range<usize>) -> &[u8] {
        self.der.get(range.clone()).unwrap_or_default()
    }

    /// The bytes as they were received.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The certificate as one PEM block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(&self.der, "CERTIFICATE")
    }

    /// The version that the certificate states, 1 to 3.
    #[must_use]
    pub const fn version(&self) -> u8 {
        self.version
    }

    /// The serial number: the content bytes of its INTEGER.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.part(&self.serial)
    }

    /// The DER of the issuer's name.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.part(&self.issuer)
    }

    /// The DER of the subject's name.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        self.part(&self.subject)
    }

    /// The subject as people write it, for example `CN=dev-1,O=Contoso`. Not for comparing.
    #[must_use]
    pub fn subject_text(&self) -> String {
        name::print(self.subject())
    }

    /// The issuer as people write it. Not for comparing.
    #[must_use]
    pub fn issuer_text(&self) -> String {
        name::print(self.issuer())
    }

    /// First instant of validity.
    #[must_use]
    pub const fn not_before(&self) -> UnixSeconds {
        self.not_before
    }

    /// Last instant of validity.
    #[must_use]
    pub const fn not_after(&self) -> UnixSeconds {
        self.not_after
    }

    /// The public key, when its kind is on the allow-list.
    #[must_use]
    pub fn public_key(&self) -> Option<super::PublicKey> {
        self.key_kind.map(|kind| super::PublicKey {
            kind,
            bits: self.key_bits().to_vec(),
        })
    }

    /// Whether the certificate says `CA:TRUE`.
    #[must_use]
    pub fn is_ca(&self) -> bool {
        self.extensions
            .basic_constraints
            .is_some_and(|constraints| constraints.ca)
    }

    /// The subject key identifier, if the certificate has one.
    #[must_use]
    pub fn subject_key_id(&self) -> Option<&[u8]> {
        self.extensions.subject_key_id.as_deref()
    }

    /// `SHA1(DER)` as 40 upper-case hex digits, for display.
    #[must_use]
    pub fn sha1_thumbprint(&self, provider: &dyn Provider) -> String {
        hex_upper(&provider.sha1(&self.der))
    }

    /// `SHA256(DER)` as 64 upper-case hex digits.
    #[must_use]
    pub fn sha256_thumbprint(&self, provider: &dyn Provider) -> String {
        hex_upper(&provider.sha256(&[&self.der]))
    }

    /// The certificate id in the AWS style: `SHA256(DER)` as 64 lower-case hex digits.
    #[must_use]
    pub fn certificate_id(&self, provider: &dyn Provider) -> String {
        hex(&provider.sha256(&[&self.der]))
    }

    /// The `dNSName`s of the subject alternative name, in order.
    #[must_use]
    pub fn dns_names(&self) -> Vec<&str> {
        match &self.extensions.subject_alt_name {
            Some(GeneralNames { dns, .. }) => dns.iter().map(String::as_str).collect(),
            None => vec![],
        }
    }

    pub(super) fn common_names(&self) -> Result<Vec<String>, CryptoError> {
        name::strings(self.subject(), oids::COMMON_NAME)
    }

    pub(super) fn tbs(&self) -> &[u8] {
        self.part(&self.tbs)
    }

    pub(super) fn signature(&self) -> &[u8] {
        self.part(&self.signature)
    }

    pub(super) fn key_info(&self) -> &[u8] {
        self.part(&self.key_info)
    }

    pub(super) fn key_bits(&self) -> &[u8] {
        self.part(&self.key_bits)
    }

    /// Whether issuer and subject are the same name.
    pub(super) fn is_self_issued(&self) -> bool {
        self.issuer() == self.subject()
    }

    /// Validity at `now`, both ends included, no skew.
    pub(super) fn check_time(&self, now: UnixSeconds) -> Result<(), CryptoError> {
        if now < self.not_before {
            Err(CryptoError::NotYetValid {
                what: "certificate",
            })
        } else if now > self.not_after {
            Err(CryptoError::Expired {
                what: "certificate",
            })
        } else {
            Ok(())
        }
    }

    /// Key and signature on the allow-list.
    pub(super) fn check_algorithms(&self, provider: &dyn Provider) -> Result<(), CryptoError> {
        if self.signature_algorithm.is_none() {
            return Err(CryptoError::Algorithm {
                what: "signature of a certificate",
            });
        }
        let kind = self.key_kind.ok_or(CryptoError::Algorithm {
            what: "key of a certificate",
        })?;
        provider.check_key(kind, self.key_bits())
    }

    /// The signature of `self` by the key of `issuer`.
    pub(super) fn check_signed_by(
        &self,
        issuer: &Self,
        provider: &dyn Provider,
    ) -> Result<(), CryptoError> {
        const WEAK: CryptoError = CryptoError::Algorithm {
            what: "signature of a certificate",
        };
        let algorithm = self.signature_algorithm.ok_or(WEAK)?;
        if issuer.key_kind != Some(super::algorithm::key_of(algorithm)) {
            return Err(WEAK);
        }
        provider
            .verify(algorithm, issuer.key_bits(), self.tbs(), self.signature())
            .map_err(|_| CryptoError::BadSignature {
                what: "certificate",
            })
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("subject", &self.subject_text())
            .field("issuer", &self.issuer_text())
            .field("serial", &hex(self.serial()))
            .finish_non_exhaustive()
    }
}

/// `Time`: UTCTime with seconds, or GeneralizedTime without a fraction, both in UTC.
pub(super) fn time(reader: &mut Reader<'_>) -> Result<UnixSeconds, CryptoError> {
    const BAD: CryptoError = malformed("time");
    let element = reader.any()?;
    match element.tag {
        tag::UTC_TIME => {
            let century: &[u8] = match element.content.first() {
                Some(b'0'..=b'4') => b"20",
                _ => b"19",
            };
            Civil::parse(&[century, element.content].concat(), CivilForm::Asn1).ok_or(BAD)
        }
        tag::GENERALIZED_TIME => Civil::parse(element.content, CivilForm::Asn1).ok_or(BAD),
        _ => Err(BAD),
    }
}
