//! RSA with public keys: verify and encrypt. No private key is named here or anywhere outside tests.
use super::SignatureAlgorithm;
use crate::CryptoError;
use crate::x509::der;
use rsa::rand_core::{CryptoRng, RngCore};
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::traits::PublicKeyParts as _;
use rsa::{BigUint, Oaep, Pkcs1v15Sign, Pss, RsaPublicKey};

const WEAK: CryptoError = CryptoError::Algorithm {
    what: "RSA key strength",
};
const BAD: CryptoError = CryptoError::Signature { what: "signature" };

/// Largest modulus, in bits.
const MAX_BITS: usize = 8192;

fn public_key(modulus: &[u8], exponent: &[u8]) -> Result<RsaPublicKey, CryptoError> {
    let (n, e) = (
        BigUint::from_bytes_be(modulus),
        BigUint::from_bytes_be(exponent),
    );
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte & 1 == 1);
    let bits = n.bits();
    let strong = (2048..=MAX_BITS).contains(&bits) && bits.is_multiple_of(8) && odd(modulus);
    if !strong || !odd(exponent) || e < BigUint::from(3u8) {
        return Err(WEAK);
    }
    RsaPublicKey::new_with_max_size(n, e, MAX_BITS).map_err(|_| WEAK)
}

/// `RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }`
fn from_der(key: &[u8]) -> Result<RsaPublicKey, CryptoError> {
    let mut outer = der::Reader::new(key);
    let mut inner = outer.sequence()?;
    outer.end()?;
    let (modulus, exponent) = (inner.positive_integer()?, inner.positive_integer()?);
    inner.end()?;
    public_key(modulus, exponent)
}

pub(super) fn check_key(key: &[u8]) -> Result<(), CryptoError> {
    from_der(key).map(drop)
}

pub(super) fn verify(
    algorithm: SignatureAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Result<(), CryptoError> {
    let key = from_der(key)?;
    if signature.len() != key.size() {
        return Err(BAD);
    }
    use SignatureAlgorithm as A;
    let verified = match algorithm {
        A::RsaPkcs1Sha256 => key.verify(
            Pkcs1v15Sign::new::<Sha256>(),
            &Sha256::digest(message),
            signature,
        ),
        A::RsaPkcs1Sha384 => key.verify(
            Pkcs1v15Sign::new::<Sha384>(),
            &Sha384::digest(message),
            signature,
        ),
        A::RsaPkcs1Sha512 => key.verify(
            Pkcs1v15Sign::new::<Sha512>(),
            &Sha512::digest(message),
            signature,
        ),
        A::RsaPssSha256 => key.verify(
            Pss::new_with_salt::<Sha256>(32),
            &Sha256::digest(message),
            signature,
        ),
        A::RsaPssSha384 => key.verify(
            Pss::new_with_salt::<Sha384>(48),
            &Sha384::digest(message),
            signature,
        ),
        A::RsaPssSha512 => key.verify(
            Pss::new_with_salt::<Sha512>(64),
            &Sha512::digest(message),
            signature,
        ),
        A::EcdsaP256Sha256
        | A::EcdsaP256Sha256Fixed
        | A::EcdsaP384Sha384
        | A::EcdsaP384Sha256
        | A::Ed25519 => {
            return Err(CryptoError::Algorithm {
                what: "not an RSA algorithm",
            });
        }
    };
    verified.map_err(|_| BAD)
}

pub(super) fn oaep(
    modulus: &[u8],
    exponent: u32,
    label: &str,
    message: &[u8],
    seed: &[u8; 32],
) -> Result<Vec<u8>, CryptoError> {
    let key =
        public_key(modulus, &exponent.to_be_bytes()).map_err(|_| CryptoError::KeyInvalid {
            what: "RSA public key",
        })?;
    let padding = Oaep::new_with_label::<Sha256, _>(label);
    key.encrypt(&mut Seed(seed.iter()), padding, message)
        .map_err(|_| CryptoError::KeyInvalid {
            what: "RSA encryption",
        })
}

/// Hands out the injected OAEP seed, once.
struct Seed<'a>(std::slice::Iter<'a, u8>);

impl RngCore for Seed<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut out = [0; 4];
        self.fill_bytes(&mut out);
        u32::from_le_bytes(out)
    }

    fn next_u64(&mut self) -> u64 {
        let mut out = [0; 8];
        self.fill_bytes(&mut out);
        u64::from_le_bytes(out)
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        for (byte, seed) in out.iter_mut().zip(&mut self.0) {
            *byte = *seed;
        }
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        if out.len() > self.0.len() {
            return Err(rsa::rand_core::Error::from(std::num::NonZeroU32::MIN));
        }
        self.fill_bytes(out);
        Ok(())
    }
}

impl CryptoRng for Seed<'_> {}
