//! Issuing: device certificates, possession certificates and revocation lists, signed by a CA key
//! that stays behind the [`Signer`] port.
use super::algorithm::algorithm_identifier;
use super::der::{self, tag};
use super::extension::{DIGITAL_SIGNATURE, KEY_CERT_SIGN};
use super::{Certificate, Crl, PublicKey, Request, oids};
use crate::provider::{KeyKind, Provider};
use crate::random::random_array;
use crate::secret::SecretText;
use crate::signer::{LocalSigner, Signer};
use crate::time::CivilForm;
use crate::{CryptoError, SecureRandom, UnixSeconds};

/// Longest life of an issued certificate by default, in seconds: 398 days.
pub const MAX_LIFE: i64 = 398 * 86_400;

/// How far an issued certificate begins in the past, in seconds, for clocks that are behind.
const BACKDATE: i64 = 300;

/// A CA: its certificate and the signer that holds its key.
#[derive(Clone, Copy, Debug)]
pub struct CertificateAuthority<'a> {
    certificate: &'a Certificate,
    signer: &'a dyn Signer,
    provider: &'a dyn Provider,
}

/// What becomes the subject of a certificate that is issued from a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SubjectPolicy<'a> {
    /// The request's one common name, which must be a registration id.
    FromRequest,
    /// This name, whatever the request says.
    Fixed(&'a str),
}

/// A certificate that was issued, in the forms that the services answer with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Issued {
    /// The certificate.
    pub certificate: Certificate,
    /// The certificate as PEM.
    pub certificate_pem: String,
    /// The id in the AWS style: 64 lower-case hex digits.
    pub certificate_id: String,
}

/// A key pair and its certificate.
#[derive(Debug)]
pub struct IssuedWithKeys {
    /// The certificate.
    pub issued: Issued,
    /// PKCS#8 as PEM. It exists here only: it is not stored and cannot be asked for again.
    pub private_key_pem: SecretText,
    /// The public key as PEM.
    pub public_key_pem: String,
}

/// One line of a revocation list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RevokedCertificate {
    /// The serial number, content bytes of the INTEGER ([`Certificate::serial`]).
    pub serial: Vec<u8>,
    /// When it was revoked.
    pub at: UnixSeconds,
}

impl<'a> CertificateAuthority<'a> {
    /// Puts certificate and signer together.
    /// # Errors
    /// `crypto.not_ca`, `crypto.key_usage` (no `keyCertSign`), `crypto.key_mismatch` when the signer
    /// has another key.
    pub fn new(
        certificate: &'a Certificate,
        signer: &'a dyn Signer,
        provider: &'a dyn Provider,
    ) -> Result<Self, CryptoError> {
        if !certificate.is_ca() {
            return Err(CryptoError::NotCa {
                what: "issuing certificate",
            });
        }
        if !certificate.extensions.may(KEY_CERT_SIGN) {
            return Err(CryptoError::KeyUsage {
                what: "issuer without keyCertSign",
            });
        }
        if signer.public_key().to_der() != certificate.key_info() {
            return Err(CryptoError::KeyMismatch {
                what: "signer and issuing certificate",
            });
        }
        Ok(Self {
            certificate,
            signer,
            provider,
        })
    }

    /// A self-signed CA certificate for the key of `signer`: for tests, demonstrations and small
    /// installations that have no other CA. `path_length` limits what may stand below it.
    /// # Errors
    /// `crypto.registration_id` for an empty or too long name, `crypto.random`, `crypto.signer`.
    pub fn self_signed(
        name: &str,
        signer: &dyn Signer,
        path_length: Option<u8>,
        validity: (UnixSeconds, UnixSeconds),
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Certificate, CryptoError> {
        let key = signer.public_key();
        let key_id = provider.sha1(&key.bits);
        let mut constraints = der::element(tag::BOOLEAN, &[0xff]);
        if let Some(limit) = path_length {
            constraints.extend(der::integer(&[limit]));
        }
        let subject = common_name(name)?;
        let extensions = [
            extension(
                oids::BASIC_CONSTRAINTS,
                Critical::Yes,
                &der::sequence(&[&constraints]),
            ),
            // keyCertSign and cRLSign
            extension(
                oids::KEY_USAGE,
                Critical::Yes,
                &[tag::BIT_STRING, 2, 1, 0x06],
            ),
            extension(oids::SUBJECT_KEY_ID, Critical::No, &octets(&key_id)),
            extension(oids::AUTHORITY_KEY_ID, Critical::No, &authority(&key_id)),
        ]
        .concat();
        sign_certificate(
            &subject,
            &subject,
            &key,
            validity,
            Some(&extensions),
            signer,
            random,
        )
    }

    fn key_id(&self) -> Vec<u8> {
        match self.certificate.subject_key_id() {
            Some(id) => id.to_vec(),
            None => self.provider.sha1(self.certificate.key_bits()).to_vec(),
        }
    }

    /// The span of a certificate issued at `now`.
    fn validity(
        &self,
        now: UnixSeconds,
        life: i64,
    ) -> Result<(UnixSeconds, UnixSeconds), CryptoError> {
        self.certificate.check_time(now)?;
        if !(1..=MAX_LIFE).contains(&life) {
            return Err(CryptoError::TooLong {
                what: "life of the certificate",
            });
        }
        Ok((
            now.plus(-BACKDATE),
            now.plus(life).min(self.certificate.not_after()),
        ))
    }

    /// Issues a device certificate: version 3, `CA:FALSE`, `digitalSignature`, `clientAuth`.
    ///
    /// `life`: seconds from `now`, 1 to [`MAX_LIFE`]; it never goes past the end of the CA.
    /// # Errors
    /// `crypto.expired` or `crypto.not_yet_valid` (of the CA), `crypto.too_long`,
    /// `crypto.registration_id` (name empty or above 64 characters), `crypto.algorithm` or
    /// `crypto.key_invalid` (device key), `crypto.random`, `crypto.signer`.
    ///
    /// Spec: cryptography, section 4.6.
    pub fn issue(
        &self,
        name: &str,
        key: &PublicKey,
        now: UnixSeconds,
        life: i64,
        random: &mut dyn SecureRandom,
    ) -> Result<Issued, CryptoError> {
        self.provider.check_key(key.kind, &key.bits)?;
        let validity = self.validity(now, life)?;
        let usage = DIGITAL_SIGNATURE.to_be_bytes()[0];
        let extensions = [
            extension(oids::BASIC_CONSTRAINTS, Critical::Yes, &der::sequence(&[])),
            extension(
                oids::KEY_USAGE,
                Critical::Yes,
                &[tag::BIT_STRING, 2, 7, usage],
            ),
            extension(
                oids::EXTENDED_KEY_USAGE,
                Critical::No,
                &der::sequence(&[&der::oid(oids::CLIENT_AUTH)]),
            ),
            extension(
                oids::SUBJECT_KEY_ID,
                Critical::No,
                &octets(&self.provider.sha1(&key.bits)),
            ),
            extension(
                oids::AUTHORITY_KEY_ID,
                Critical::No,
                &authority(&self.key_id()),
            ),
        ]
        .concat();
        let subject = common_name(name)?;
        let issuer = self.certificate.subject();
        let certificate = sign_certificate(
            issuer,
            &subject,
            key,
            validity,
            Some(&extensions),
            self.signer,
            random,
        )?;
        Ok(Issued {
            certificate_pem: certificate.to_pem(),
            certificate_id: certificate.certificate_id(self.provider),
            certificate,
        })
    }

    /// `CreateCertificateFromCsr`: verifies the request (PEM or DER), then issues for its key.
    ///
    /// ```
    /// use fleet_crypto::x509::{CertificateAuthority, SubjectPolicy, build_request};
    /// use fleet_crypto::signer::LocalSigner;
    /// use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};
    /// # struct Counter(u8);
    /// # impl SecureRandom for Counter {
    /// #     fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
    /// #         for byte in out { self.0 = self.0.wrapping_add(1); *byte = self.0; }
    /// #         Ok(())
    /// #     }
    /// # }
    /// # let mut random = Counter(0);
    /// let now = UnixSeconds(1_780_000_000);
    /// let ca_key = LocalSigner::generate_p256(&mut random)?;
    /// let ca = CertificateAuthority::self_signed("Fleet CA", &ca_key, Some(0),
    ///     (now, now.plus(900 * 86_400)), &mut random, &RustCrypto)?;
    /// let authority = CertificateAuthority::new(&ca, &ca_key, &RustCrypto)?;
    /// let device_key = LocalSigner::generate_ed25519(&mut random)?;
    /// let csr = build_request("dev-1", &device_key)?;
    /// let issued = authority.issue_from_request(&csr, SubjectPolicy::FromRequest, now, 86_400, &mut random)?;
    /// assert_eq!(issued.certificate.subject_text(), "CN=dev-1");
    /// assert_eq!(issued.certificate_id.len(), 64);
    /// # Ok::<(), CryptoError>(())
    /// ```
    /// # Errors
    /// Those of [`Request::verify`] and [`CertificateAuthority::issue`].
    pub fn issue_from_request(
        &self,
        request: &[u8],
        subject: SubjectPolicy<'_>,
        now: UnixSeconds,
        life: i64,
        random: &mut dyn SecureRandom,
    ) -> Result<Issued, CryptoError> {
        let request = Request::verify(request, self.provider)?;
        let asked;
        let name = match subject {
            SubjectPolicy::FromRequest => {
                asked = request.registration_id()?;
                asked.as_str()
            }
            SubjectPolicy::Fixed(name) => name,
        };
        self.issue(name, request.public_key(), now, life, random)
    }

    /// `CreateKeysAndCertificate`: a new P-256 key pair and its certificate.
    /// # Errors
    /// Those of [`CertificateAuthority::issue`].
    pub fn issue_with_keys(
        &self,
        name: &str,
        now: UnixSeconds,
        life: i64,
        random: &mut dyn SecureRandom,
    ) -> Result<IssuedWithKeys, CryptoError> {
        let key = LocalSigner::generate_p256(random)?;
        let public = key.public_key();
        Ok(IssuedWithKeys {
            issued: self.issue(name, &public, now, life, random)?,
            private_key_pem: key.to_pem(),
            public_key_pem: public.to_pem(),
        })
    }

    /// The certificate that proves possession of this CA's key: its common name is `code`.
    /// # Errors
    /// As [`CertificateAuthority::issue`].
    pub fn prove_possession(
        &self,
        code: &super::VerificationCode,
        now: UnixSeconds,
        random: &mut dyn SecureRandom,
    ) -> Result<Certificate, CryptoError> {
        let validity = self.validity(now, 86_400)?;
        let subject = common_name(code.expose_secret())?;
        let (issuer, key) = (self.certificate.subject(), self.signer.public_key());
        sign_certificate(issuer, &subject, &key, validity, None, self.signer, random)
    }

    /// Issues a revocation list: version 2, with its number, its end and the authority key
    /// identifier. Lines are sorted by serial number.
    ///
    /// `number` must grow from list to list; the caller keeps it.
    /// # Errors
    /// `crypto.crl_signature` when the CA may not sign lists, `crypto.too_long` above
    /// [`super::MAX_CRL_ENTRIES`] lines, `crypto.malformed` for an end before the beginning or a bad
    /// serial, `crypto.signer`.
    pub fn issue_crl(
        &self,
        number: u64,
        this_update: UnixSeconds,
        next_update: UnixSeconds,
        revoked: &[RevokedCertificate],
    ) -> Result<Crl, CryptoError> {
        if !self.certificate.extensions.may(super::extension::CRL_SIGN) {
            return Err(CryptoError::CrlSignature {
                what: "the issuer may not sign revocation lists",
            });
        }
        if next_update < this_update {
            return Err(CryptoError::Malformed {
                what: "end of the revocation list",
            });
        }
        let mut lines: Vec<_> = revoked.iter().collect();
        lines.sort_by(|a, b| (a.serial.len(), &a.serial).cmp(&(b.serial.len(), &b.serial)));
        lines.dedup_by(|a, b| a.serial == b.serial);
        let mut entries = vec![];
        for line in lines {
            let serial = der::element(tag::INTEGER, &line.serial);
            entries.extend(der::sequence(&[&serial, &time(line.at)]));
        }
        let entries = if entries.is_empty() {
            vec![]
        } else {
            der::element(tag::SEQUENCE, &entries)
        };
        let extensions = [
            extension(
                oids::AUTHORITY_KEY_ID,
                Critical::No,
                &authority(&self.key_id()),
            ),
            extension(
                oids::CRL_NUMBER,
                Critical::No,
                &der::integer(&number.to_be_bytes()),
            ),
        ]
        .concat();
        let extensions = der::sequence(&[&extensions]);
        let algorithm = algorithm_identifier(self.signer.algorithm().in_certificates());
        let tbs = der::sequence(&[
            &der::integer(&[1]),
            algorithm,
            self.certificate.subject(),
            &time(this_update),
            &time(next_update),
            &entries,
            &der::element(tag::explicit(0), &extensions),
        ]);
        let signature = self.signer.sign(&tbs)?;
        Crl::from_der(&der::sequence(&[&tbs, algorithm, &der::bits(&signature)]))
    }
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Critical {
    Yes,
    No,
}

fn extension(oid: &[u8], critical: Critical, value: &[u8]) -> Vec<u8> {
    let flag = match critical {
        Critical::Yes => der::element(tag::BOOLEAN, &[0xff]),
        Critical::No => vec![],
    };
    der::sequence(&[&der::oid(oid), &flag, &octets(value)])
}

fn octets(bytes: &[u8]) -> Vec<u8> {
    der::element(tag::OCTET_STRING, bytes)
}

fn authority(key_id: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::element(tag::context(0), key_id)])
}

/// A name of one common name, 1 to 64 characters.
pub(super) fn common_name(text: &str) -> Result<Vec<u8>, CryptoError> {
    if text.is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
        return Err(CryptoError::RegistrationId {
            what: "common name of 1 to 64 characters",
        });
    }
    let value = der::element(tag::UTF8_STRING, text.as_bytes());
    let attribute = der::sequence(&[&der::oid(oids::COMMON_NAME), &value]);
    Ok(der::sequence(&[&der::element(tag::SET, &attribute)]))
}

/// `Time` as RFC 5280 wants it: UTCTime until 2049, GeneralizedTime from then on.
fn time(at: UnixSeconds) -> Vec<u8> {
    let civil = at.civil();
    let text = civil.print(CivilForm::Asn1);
    match text.strip_prefix("19").or_else(|| text.strip_prefix("20")) {
        Some(short) if (1950..2050).contains(&civil.year) => {
            der::element(tag::UTC_TIME, short.as_bytes())
        }
        _ => der::element(tag::GENERALIZED_TIME, text.as_bytes()),
    }
}

/// 16 random bytes with the top bit clear, not zero.
fn serial(random: &mut dyn SecureRandom) -> Result<Vec<u8>, CryptoError> {
    let mut bytes = random_array::<16>(random)?;
    if let Some(first) = bytes.first_mut() {
        // The second bit is set, so that the number is never zero and always 16 bytes long.
        *first = *first & 0x7f | 0x40;
    }
    Ok(der::integer(bytes.as_slice()))
}

fn sign_certificate(
    issuer: &[u8],
    subject: &[u8],
    key: &PublicKey,
    (not_before, not_after): (UnixSeconds, UnixSeconds),
    extensions: Option<&[u8]>,
    signer: &dyn Signer,
    random: &mut dyn SecureRandom,
) -> Result<Certificate, CryptoError> {
    let algorithm = algorithm_identifier(signer.algorithm().in_certificates());
    let extensions = extensions.map(|list| der::element(tag::explicit(3), &der::sequence(&[list])));
    let tbs = der::sequence(&[
        &der::element(tag::explicit(0), &der::integer(&[2])),
        &serial(random)?,
        algorithm,
        issuer,
        &der::sequence(&[&time(not_before), &time(not_after)]),
        subject,
        &key.to_der(),
        extensions.as_deref().unwrap_or_default(),
    ]);
    let signature = signer.sign(&tbs)?;
    Certificate::from_der(&der::sequence(&[&tbs, algorithm, &der::bits(&signature)]))
}

/// Whether a CA of this key kind can issue: P-256 and Ed25519 sign, RSA and P-384 only verify.
#[must_use]
pub const fn can_issue(kind: KeyKind) -> bool {
    matches!(kind, KeyKind::P256 | KeyKind::Ed25519)
}
