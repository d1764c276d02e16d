//! Certificate revocation lists: full lists of one issuer, with an end.
use super::algorithm::{Signed, key_of, signature_algorithm};
use super::certificate::{Certificate, range_of, time};
use super::der::{Reader, tag};
use super::extension::{CRL_SIGN, list};
use super::{name, oids, pem};
use crate::error::malformed;
use crate::provider::{Provider, SignatureAlgorithm};
use crate::{CryptoError, UnixSeconds};
use std::fmt;
use std::ops::Range;

/// Longest revocation list, in bytes of DER.
pub const MAX_CRL: usize = 1024 * 1024;

/// Most entries of a revocation list.
pub const MAX_CRL_ENTRIES: usize = 100_000;

/// A parsed revocation list. Its signature is judged where it is used.
///
/// Spec: cryptography, section 4.7.
#[derive(Clone, Eq, PartialEq)]
pub struct Crl {
    der: Vec<u8>,
    algorithm: Option<SignatureAlgorithm>,
    this_update: UnixSeconds,
    next_update: UnixSeconds,
    entry_count: usize,
    pub(super) number: Option<Vec<u8>>,
    tbs: Range<usize>,
    issuer: Range<usize>,
    entries: Range<usize>,
    signature: Range<usize>,
}

impl Crl {
    /// Reads DER.
    /// # Errors
    /// `crypto.malformed`, also for a list without an end, with a critical extension, for a delta or
    /// indirect list; `crypto.too_long` above [`MAX_CRL`] bytes or [`MAX_CRL_ENTRIES`] entries.
    pub fn from_der(der: &[u8]) -> Result<Self, CryptoError> {
        if der.len() > MAX_CRL {
            return Err(CryptoError::TooLong {
                what: "revocation list",
            });
        }
        let at = |part: &[u8]| range_of(der, part);
        let signed = Signed::parse(der)?;
        let mut tbs = Reader::new(signed.tbs.content);
        let version2 = tbs.peek() == Some(tag::INTEGER);
        if version2 && tbs.small_integer()? != 1 {
            return Err(malformed("revocation list version"));
        }
        if tbs.expect(tag::SEQUENCE)?.whole != signed.algorithm {
            return Err(malformed("the two signature algorithms differ"));
        }
        let issuer = tbs.expect(tag::SEQUENCE)?.whole;
        name::check(issuer)?;
        let this_update = time(&mut tbs)?;
        if !matches!(tbs.peek(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
            return Err(malformed("revocation list without next update"));
        }
        let next_update = time(&mut tbs)?;
        let entries = tbs.optional(tag::SEQUENCE)?.map(|element| element.content);
        let entries = entries.unwrap_or_default();
        let entry_count = check_entries(entries)?;
        let mut number = None;
        if let Some(extensions) = tbs.optional(tag::explicit(0))? {
            if !version2 {
                return Err(malformed("extensions need version 2"));
            }
            for extension in list(extensions.content)? {
                let scoped = matches!(
                    extension.oid,
                    oids::DELTA_CRL | oids::ISSUING_DISTRIBUTION_POINT
                );
                if extension.critical || scoped {
                    return Err(malformed(
                        "critical extension, delta or indirect revocation list",
                    ));
                }
                if extension.oid == oids::CRL_NUMBER {
                    let mut reader = Reader::new(extension.value);
                    number = Some(non_negative(reader.integer()?)?.to_vec());
                    reader.end()?;
                }
            }
        }
        tbs.end()?;
        Ok(Self {
            algorithm: signature_algorithm(signed.algorithm),
            this_update,
            next_update,
            entry_count,
            number,
            tbs: at(signed.tbs.whole),
            issuer: at(issuer),
            entries: at(entries),
            signature: at(signed.signature),
            der: der.to_vec(),
        })
    }

    /// Reads PEM with exactly one block `X509 CRL`.
    /// # Errors
    /// As [`Crl::from_der`].
    pub fn from_pem(text: &str) -> Result<Self, CryptoError> {
        Self::from_der(&pem::decode(text, "X509 CRL", MAX_CRL)?)
    }

    /// Reads DER, or PEM when the bytes are text with a PEM label.
    /// # Errors
    /// As [`Crl::from_der`].
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

    /// The list as one PEM block.
    #[must_use]
    pub fn to_pem(&self) -> String {
        pem::encode(&self.der, "X509 CRL")
    }

    /// The DER of the issuer's name.
    #[must_use]
    pub fn issuer(&self) -> &[u8] {
        self.part(&self.issuer)
    }

    /// How many certificates are listed.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.entry_count
    }

    /// Whether no certificate is listed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.entry_count == 0
    }

    /// The end of the list's own validity.
    #[must_use]
    pub const fn next_update(&self) -> UnixSeconds {
        self.next_update
    }

    /// Whether `serial` (content bytes of the INTEGER) is listed. Linear in the number of entries.
    #[must_use]
    pub fn lists(&self, serial: &[u8]) -> bool {
        let mut reader = Reader::new(self.part(&self.entries));
        while let Ok(mut entry) = reader.sequence() {
            if entry.integer().is_ok_and(|listed| listed == serial) {
                return true;
            }
        }
        false
    }

    /// Whether this list may follow `previous`: the CRL number does not go down.
    /// # Errors
    /// `crypto.rollback`.
    pub fn check_follows(&self, previous: &Self) -> Result<(), CryptoError> {
        let magnitude = |crl: &Self| {
            let number = crl.number.clone().unwrap_or_default();
            number
                .into_iter()
                .skip_while(|byte| *byte == 0)
                .collect::<Vec<u8>>()
        };
        let (new, old) = (magnitude(self), magnitude(previous));
        if (new.len(), &new) < (old.len(), &old) {
            return Err(CryptoError::Rollback {
                what: "revocation list number",
            });
        }
        Ok(())
    }

    /// The list speaks for `issuer` at `now`: name, right to sign lists, signature, time.
    pub(super) fn check(
        &self,
        issuer: &Certificate,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<(), CryptoError> {
        let refuse = |what| Err(CryptoError::CrlSignature { what });
        if self.issuer() != issuer.subject() {
            return refuse("issuer of the list");
        }
        if !issuer.extensions.may(CRL_SIGN) {
            return refuse("the issuer may not sign revocation lists");
        }
        let Some(algorithm) = self.algorithm else {
            return refuse("algorithm of the list");
        };
        let (tbs, signature) = (self.part(&self.tbs), self.part(&self.signature));
        if issuer.key_kind != Some(key_of(algorithm))
            || provider
                .verify(algorithm, issuer.key_bits(), tbs, signature)
                .is_err()
        {
            return refuse("signature of the list");
        }
        if now < self.this_update || now > self.next_update {
            return Err(CryptoError::CrlExpired {
                what: "revocation list",
            });
        }
        Ok(())
    }
}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crl")
            .field("issuer", &name::print(self.issuer()))
            .field("entries", &self.entry_count)
            .finish_non_exhaustive()
    }
}

fn non_negative(integer: &[u8]) -> Result<&[u8], CryptoError> {
    match integer.first() {
        Some(byte) if byte & 0x80 == 0 => Ok(integer),
        _ => Err(malformed("revocation list number")),
    }
}

/// Counts the entries and checks the form of each one.
fn check_entries(content: &[u8]) -> Result<usize, CryptoError> {
    let mut reader = Reader::new(content);
    let mut count = 0usize;
    while !reader.is_empty() {
        if count >= MAX_CRL_ENTRIES {
            return Err(CryptoError::TooLong {
                what: "revocation list entries",
            });
        }
        let mut entry = reader.sequence()?;
        entry.integer()?;
        time(&mut entry)?;
        if let Some(extensions) = entry.optional(tag::SEQUENCE)?
            && list(extensions.whole)?
                .iter()
                .any(|extension| extension.critical)
        {
            return Err(malformed("critical extension of a revocation list entry"));
        }
        entry.end()?;
        count = count.saturating_add(1);
    }
    Ok(count)
}
