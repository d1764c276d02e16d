//! The certificates of one device while it moves from an old one to a new one.
use crate::{CryptoError, UnixSeconds};
use serde::{Deserialize, Serialize};

/// How long an old certificate stays good after the new one was seen, in seconds: 24 h.
pub const RETIREMENT: i64 = 86_400;

/// SHA-256 of a certificate's DER.
pub type CertificateHash = [u8; 32];

/// What a device may authenticate with. Both certificates are good until the new one has been seen
/// once; the old one then has a retirement time. Exactly one is active after that.
///
/// A value, not a process: the caller stores it and gives the time.
///
/// ```
/// use fleet_crypto::{UnixSeconds, x509::{CertificateSlots, Seen}};
/// let mut slots = CertificateSlots::new([1; 32]);
/// slots.stage([2; 32])?;
/// assert_eq!(slots.see(&[1; 32], UnixSeconds(0))?, Seen::Active);
/// assert_eq!(slots.see(&[2; 32], UnixSeconds(10))?, Seen::Promoted);
/// assert_eq!(slots.see(&[1; 32], UnixSeconds(10 + 86_399))?, Seen::Retiring);
/// assert!(slots.see(&[1; 32], UnixSeconds(10 + 86_400)).is_err());
/// # Ok::<(), fleet_crypto::CryptoError>(())
/// ```
/// Spec: cryptography, section 4.7.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateSlots {
    active: CertificateHash,
    pending: Option<CertificateHash>,
    retiring: Option<(CertificateHash, UnixSeconds)>,
}

/// Which certificate a device was seen with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Seen {
    /// The active one.
    Active,
    /// The pending one, which has become the active one by this.
    Promoted,
    /// The old one, before its retirement.
    Retiring,
}

impl CertificateSlots {
    /// A device with one certificate.
    #[must_use]
    pub const fn new(active: CertificateHash) -> Self {
        Self {
            active,
            pending: None,
            retiring: None,
        }
    }

    /// Adds the certificate that the device is to move to, replacing one that was never seen.
    /// # Errors
    /// `crypto.key_reuse` when it is the active or the retiring one.
    pub fn stage(&mut self, pending: CertificateHash) -> Result<(), CryptoError> {
        let used = pending == self.active || self.retiring.is_some_and(|(old, _)| old == pending);
        if used {
            return Err(CryptoError::KeyReuse {
                what: "certificate",
            });
        }
        self.pending = Some(pending);
        Ok(())
    }

    /// The device authenticated with `certificate` at `now`.
    /// # Errors
    /// `crypto.expired` after retirement, `crypto.unknown_issuer` for any other certificate.
    pub fn see(
        &mut self,
        certificate: &CertificateHash,
        now: UnixSeconds,
    ) -> Result<Seen, CryptoError> {
        if *certificate == self.active {
            return Ok(Seen::Active);
        }
        if self.pending == Some(*certificate) {
            self.retiring = Some((self.active, now.plus(RETIREMENT)));
            self.active = *certificate;
            self.pending = None;
            return Ok(Seen::Promoted);
        }
        match self.retiring {
            Some((old, until)) if old == *certificate && now < until => Ok(Seen::Retiring),
            Some((old, _)) if old == *certificate => Err(CryptoError::Expired {
                what: "retired certificate",
            }),
            _ => Err(CryptoError::UnknownIssuer {
                what: "not a certificate of the device",
            }),
        }
    }

    /// The active certificate.
    #[must_use]
    pub const fn active(&self) -> &CertificateHash {
        &self.active
    }

    /// The certificate that was not seen yet.
    #[must_use]
    pub const fn pending(&self) -> Option<&CertificateHash> {
        self.pending.as_ref()
    }

    /// When the old certificate stops being good, if there is one.
    #[must_use]
    pub fn retires_at(&self) -> Option<UnixSeconds> {
        self.retiring.map(|(_, until)| until)
    }
}
