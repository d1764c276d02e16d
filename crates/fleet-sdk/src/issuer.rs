//! The CA that signs what `CreateKeysAndCertificate` and `CreateCertificateFromCsr` make.

use fleet_crypto::signer::LocalSigner;
use fleet_crypto::x509::{Certificate, CertificateAuthority};
use fleet_crypto::{CryptoError, RustCrypto, SecureRandom, UnixSeconds};

use crate::source::Entropy;

/// A CA certificate and its key.
///
/// A fleet that is given none makes one for itself, that ends with the process: good for tests and demonstrations.
#[derive(Debug)]
pub struct Issuer {
    certificate: Certificate,
    signer: LocalSigner,
}

/// The fleet's entropy as the cryptography crate takes it.
pub(crate) struct Random<'e>(pub(crate) &'e dyn Entropy);

impl SecureRandom for Random<'_> {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.0.fill(out);
        Ok(())
    }
}

impl Issuer {
    /// The CA of a certificate and a PKCS#8 key, both PEM.
    ///
    /// # Errors
    /// Those of reading them; `crypto.not_ca`, `crypto.key_usage`, `crypto.key_mismatch`.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, CryptoError> {
        let issuer = Self {
            certificate: Certificate::from_pem(certificate)?,
            signer: LocalSigner::from_pem(key)?,
        };
        issuer.authority()?;
        Ok(issuer)
    }

    /// A new CA that signs itself, valid for ten years from `now`.
    pub(crate) fn generate(entropy: &dyn Entropy, now: UnixSeconds) -> Result<Self, CryptoError> {
        let random = &mut Random(entropy);
        let signer = LocalSigner::generate_p256(random)?;
        let validity = (now.plus(-86_400), now.plus(3_650 * 86_400));
        let name = "Fleet SDK Device CA";
        let certificate = CertificateAuthority::self_signed(
            name,
            &signer,
            Some(0),
            validity,
            random,
            &RustCrypto,
        )?;
        Ok(Self {
            certificate,
            signer,
        })
    }

    /// Certificate and signer together.
    pub(crate) fn authority(&self) -> Result<CertificateAuthority<'_>, CryptoError> {
        CertificateAuthority::new(&self.certificate, &self.signer, &RustCrypto)
    }
}
