//! Where random bytes come from: the caller.
use crate::CryptoError;

/// A source of random bytes that is fit for keys. The caller owns it; the crate has none of its own.
///
/// Implementing this trait is the claim that the bytes are unpredictable (an operating system's
/// generator or a DRBG seeded by one). A failure is an error, never a weaker value.
///
/// Spec: cryptography, section 8.
pub trait SecureRandom {
    /// Fills `out` completely.
    /// # Errors
    /// `crypto.random` when the source fails; `out` is then unspecified and must not be used.
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError>;
}

impl<R: SecureRandom + ?Sized> SecureRandom for &mut R {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CryptoError> {
        (**self).fill(out)
    }
}

/// `N` random bytes.
pub(crate) fn random_array<const N: usize>(
    random: &mut dyn SecureRandom,
) -> Result<zeroize::Zeroizing<[u8; N]>, CryptoError> {
    let mut out = zeroize::Zeroizing::new([0u8; N]);
    random.fill(out.as_mut_slice())?;
    Ok(out)
}
