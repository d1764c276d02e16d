//! The default provider: the RustCrypto crates and ed25519-dalek.
use super::{Agreement, KeyKind, MacKey, MacState, Provider, SignatureAlgorithm};
use crate::CryptoError;
use aes::Aes128;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _, Nonce};
use cfb_mode::cipher::KeyIvInit as _;
use hmac::{Hmac, Mac as _};
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::elliptic_curve::sec1::ToSec1Point as _;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// The one pure-Rust stack that this crate uses unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct RustCrypto;

struct Sha256Mac(Hmac<Sha256>);

impl MacState for Sha256Mac {
    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut state = self.0.clone();
        for part in parts {
            state.update(part);
        }
        state.finalize().into_bytes().into()
    }
}

const BAD: CryptoError = CryptoError::Signature { what: "signature" };
const BAD_KEY: CryptoError = CryptoError::KeyInvalid { what: "public key" };

impl Provider for RustCrypto {
    fn sha256(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut state = Sha256::new();
        for part in parts {
            state.update(part);
        }
        state.finalize().into()
    }

    fn sha1(&self, bytes: &[u8]) -> [u8; 20] {
        sha1::Sha1::digest(bytes).into()
    }

    fn mac_key(&self, key: &[u8]) -> MacKey {
        // HMAC pads a short key with zeros to one block and hashes a longer one first.
        let mut block = Zeroizing::new([0u8; 64]);
        let hashed = Zeroizing::new(self.sha256(&[key]));
        let used = if key.len() > block.len() {
            hashed.as_slice()
        } else {
            key
        };
        for (to, from) in block.iter_mut().zip(used) {
            *to = *from;
        }
        let state = Hmac::<Sha256>::new((&*block).into());
        MacKey::new(Box::new(Sha256Mac(state)))
    }

    fn check_key(&self, kind: KeyKind, key: &[u8]) -> Result<(), CryptoError> {
        match kind {
            KeyKind::P256 => p256_key(key).map(drop),
            KeyKind::P384 => p384_key(key).map(drop),
            KeyKind::Ed25519 => ed25519_key(key).map(drop),
            #[cfg(feature = "rsa")]
            KeyKind::Rsa => super::rustcrypto_rsa::check_key(key),
            #[cfg(not(feature = "rsa"))]
            KeyKind::Rsa => Err(CryptoError::Algorithm {
                what: "RSA is not built in",
            }),
        }
    }

    fn verify(
        &self,
        algorithm: SignatureAlgorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        match algorithm {
            SignatureAlgorithm::EcdsaP256Sha256 => {
                let signature = p256::ecdsa::Signature::from_der(signature).map_err(|_| BAD)?;
                p256_key(key)?.verify(message, &signature).map_err(|_| BAD)
            }
            SignatureAlgorithm::EcdsaP256Sha256Fixed => {
                let signature = p256::ecdsa::Signature::from_slice(signature).map_err(|_| BAD)?;
                p256_key(key)?.verify(message, &signature).map_err(|_| BAD)
            }
            SignatureAlgorithm::EcdsaP384Sha384 => {
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| BAD)?;
                p384_key(key)?.verify(message, &signature).map_err(|_| BAD)
            }
            SignatureAlgorithm::EcdsaP384Sha256 => {
                let signature = p384::ecdsa::Signature::from_der(signature).map_err(|_| BAD)?;
                let hash = self.sha256(&[message]);
                p384_key(key)?
                    .verify_prehash(&hash, &signature)
                    .map_err(|_| BAD)
            }
            SignatureAlgorithm::Ed25519 => {
                let signature = ed25519_dalek::Signature::from_slice(signature).map_err(|_| BAD)?;
                ed25519_key(key)?
                    .verify_strict(message, &signature)
                    .map_err(|_| BAD)
            }
            #[cfg(feature = "rsa")]
            rsa => super::rustcrypto_rsa::verify(rsa, key, message, signature),
            #[cfg(not(feature = "rsa"))]
            _ => Err(CryptoError::Algorithm {
                what: "RSA is not built in",
            }),
        }
    }

    fn rsa_oaep(
        &self,
        modulus: &[u8],
        exponent: u32,
        label: &str,
        message: &[u8],
        seed: &[u8; 32],
    ) -> Result<Vec<u8>, CryptoError> {
        #[cfg(feature = "rsa")]
        {
            super::rustcrypto_rsa::oaep(modulus, exponent, label, message, seed)
        }
        #[cfg(not(feature = "rsa"))]
        {
            let _ = (modulus, exponent, label, message, seed);
            Err(CryptoError::Unsupported {
                what: "RSA is not built in",
            })
        }
    }

    fn p256_agree(&self, private: &[u8; 32], peer: &[u8; 65]) -> Result<Agreement, CryptoError> {
        let peer = p256::PublicKey::from_sec1_bytes(peer).map_err(|_| BAD_KEY)?;
        let private = p256::SecretKey::from_slice(private).map_err(|_| CryptoError::Random {
            what: "scalar out of range",
        })?;
        let shared = private.diffie_hellman(&peer);
        let mut shared_x = Zeroizing::new([0u8; 32]);
        shared_x.copy_from_slice(shared.raw_secret_bytes());
        let point = private.public_key().to_sec1_point(false);
        let coordinate = |part: Option<&p256::FieldBytes>| {
            part.map(|bytes| <[u8; 32]>::from(*bytes)).ok_or(BAD_KEY)
        };
        Ok(Agreement {
            public: (coordinate(point.x())?, coordinate(point.y())?),
            shared_x,
        })
    }

    fn aes128_cfb_encrypt(&self, key: &[u8; 16], data: &mut [u8]) {
        cfb_mode::Encryptor::<Aes128>::new(key.into(), &[0u8; 16].into()).encrypt(data);
    }

    fn aes256_gcm_seal(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        Aes256Gcm::new(key.into())
            .encrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: plain,
                    aad: associated,
                },
            )
            .map_err(|_| CryptoError::TooLong {
                what: "plain text to seal",
            })
    }

    fn aes256_gcm_open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
        Aes256Gcm::new(key.into())
            .decrypt(
                &Nonce::from(*nonce),
                Payload {
                    msg: sealed,
                    aad: associated,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| CryptoError::Sealed {
                what: "authentication tag",
            })
    }
}

fn p256_key(key: &[u8]) -> Result<p256::ecdsa::VerifyingKey, CryptoError> {
    match key.first() {
        Some(2..=4) => p256::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| BAD_KEY),
        _ => Err(BAD_KEY),
    }
}

fn p384_key(key: &[u8]) -> Result<p384::ecdsa::VerifyingKey, CryptoError> {
    match key.first() {
        Some(2..=4) => p384::ecdsa::VerifyingKey::from_sec1_bytes(key).map_err(|_| BAD_KEY),
        _ => Err(BAD_KEY),
    }
}

fn ed25519_key(key: &[u8]) -> Result<ed25519_dalek::VerifyingKey, CryptoError> {
    let bytes: &[u8; 32] = key.try_into().map_err(|_| BAD_KEY)?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| BAD_KEY)?;
    if key.is_weak() { Err(BAD_KEY) } else { Ok(key) }
}
