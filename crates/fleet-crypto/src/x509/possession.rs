//! Proof that somebody holds the private key of a CA: a code, signed into a certificate.
use super::Certificate;
use crate::encoding::hex_upper;
use crate::provider::Provider;
use crate::random::random_array;
use crate::secret::{SecretText, same_secret};
use crate::{CryptoError, SecureRandom, UnixSeconds};

/// How long a code is good by default, in seconds: 7 days.
pub const CODE_LIFE: i64 = 7 * 86_400;

/// A verification code: 1 to 64 printable characters.
///
/// Both services use the same form; [`VerificationCode::generate`] makes 64 upper-case hex digits.
#[derive(Debug)]
pub struct VerificationCode(SecretText);

impl VerificationCode {
    /// A new code of 32 random bytes.
    /// # Errors
    /// `crypto.random`.
    pub fn generate(random: &mut dyn SecureRandom) -> Result<Self, CryptoError> {
        Ok(Self(SecretText::new(hex_upper(
            random_array::<32>(random)?.as_slice(),
        ))))
    }

    /// Takes a code from elsewhere.
    /// # Errors
    /// `crypto.code_mismatch` unless it is 1 to 64 printable ASCII characters.
    pub fn new(code: &str) -> Result<Self, CryptoError> {
        let printable = code.bytes().all(|byte| (0x20..0x7f).contains(&byte));
        if code.is_empty() || code.len() > 64 || !printable {
            return Err(CryptoError::CodeMismatch {
                what: "form of the code",
            });
        }
        Ok(Self(SecretText::new(code.to_owned())))
    }

    /// The code, for the owner of the CA.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        self.0.expose_secret()
    }

    /// What may stand in an event instead of the code: its SHA-256.
    #[must_use]
    pub fn digest(&self, provider: &dyn Provider) -> [u8; 32] {
        provider.sha256(&[self.expose_secret().as_bytes()])
    }
}

/// One outstanding code for one CA. Asking again replaces it; a success consumes it.
#[derive(Debug)]
pub struct PossessionChallenge {
    code: VerificationCode,
    ca_sha256: [u8; 32],
    expires_at: UnixSeconds,
}

impl PossessionChallenge {
    /// A new challenge for `ca`, good until `now + life` (seconds, [`CODE_LIFE`] by default).
    /// # Errors
    /// `crypto.random`.
    pub fn new(
        ca: &Certificate,
        now: UnixSeconds,
        life: i64,
        random: &mut dyn SecureRandom,
        provider: &dyn Provider,
    ) -> Result<Self, CryptoError> {
        Ok(Self {
            code: VerificationCode::generate(random)?,
            ca_sha256: provider.sha256(&[ca.der()]),
            expires_at: now.plus(life),
        })
    }

    /// A challenge as it was stored.
    #[must_use]
    pub const fn restore(
        code: VerificationCode,
        ca_sha256: [u8; 32],
        expires_at: UnixSeconds,
    ) -> Self {
        Self {
            code,
            ca_sha256,
            expires_at,
        }
    }

    /// The code that the owner of the CA puts into the common name.
    #[must_use]
    pub const fn code(&self) -> &VerificationCode {
        &self.code
    }

    /// When the code stops being good.
    #[must_use]
    pub const fn expires_at(&self) -> UnixSeconds {
        self.expires_at
    }

    /// Answers the challenge, which is used up by it; a refusal gives it back.
    /// # Errors
    /// `crypto.expired` for an old code, `crypto.key_mismatch` for another CA, and those of
    /// [`verify_possession`].
    pub fn answer(
        self,
        ca: &Certificate,
        certificate: &Certificate,
        provider: &dyn Provider,
        now: UnixSeconds,
    ) -> Result<(), (Self, CryptoError)> {
        let outcome = if now > self.expires_at {
            Err(CryptoError::Expired {
                what: "verification code",
            })
        } else if provider.sha256(&[ca.der()]) != self.ca_sha256 {
            Err(CryptoError::KeyMismatch {
                what: "the code belongs to another CA",
            })
        } else {
            verify_possession(ca, certificate, self.code.expose_secret(), provider, now)
        };
        outcome.map_err(|refusal| (self, refusal))
    }
}

/// Checks a possession certificate: name of the issuer, then the code, then the signature, then time.
///
/// X.509 version 1 is accepted here, and nowhere else; no rule of paths or key usage applies.
/// # Errors
/// In this order: `crypto.unknown_issuer`, `crypto.code_mismatch`, `crypto.bad_signature` (or
/// `crypto.algorithm`), `crypto.not_yet_valid`, `crypto.expired`.
///
/// Spec: cryptography, section 4.5.
pub fn verify_possession(
    ca: &Certificate,
    certificate: &Certificate,
    code: &str,
    provider: &dyn Provider,
    now: UnixSeconds,
) -> Result<(), CryptoError> {
    if certificate.issuer() != ca.subject() {
        return Err(CryptoError::UnknownIssuer {
            what: "issuer of the possession certificate",
        });
    }
    let names = certificate.common_names().unwrap_or_default();
    let same = match names.as_slice() {
        [one] if !code.is_empty() => same_secret(one.as_bytes(), code.as_bytes()),
        _ => false,
    };
    if !same {
        return Err(CryptoError::CodeMismatch {
            what: "common name",
        });
    }
    ca.check_algorithms(provider)?;
    certificate.check_signed_by(ca, provider)?;
    certificate.check_time(now)
}
