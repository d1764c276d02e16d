//! Public areas of storage keys.
use super::sized;
use crate::CryptoError;
use crate::encoding::{base32_lower, from_base64};
use crate::error::malformed;
use crate::provider::{KeyKind, Provider};
use crate::registration_id::RegistrationId;
use std::ops::Range;

const RSA: u16 = 0x0001;
const ECC: u16 = 0x0023;
const AES: u16 = 0x0006;
const SHA256: u16 = 0x000b;
const NULL: u16 = 0x0010;
const CFB: u16 = 0x0043;
const NIST_P256: u16 = 0x0003;

/// fixedTPM, fixedParent, sensitiveDataOrigin, restricted, decrypt
const NEEDED: u32 = 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 17;
/// sign
const FORBIDDEN: u32 = 1 << 18;

/// Longest public area, in bytes: an RSA key of 4096 bits with room for its policy.
const MAX_AREA: usize = 1024;

/// The public key of a storage key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeyMaterial {
    /// RSA: modulus (big-endian) and exponent.
    Rsa {
        /// The modulus, as many bytes as the key has.
        modulus: Vec<u8>,
        /// The exponent, 65537 when the area says 0.
        exponent: u32,
    },
    /// A point on P-256, each coordinate padded on the left to 32 bytes.
    P256 {
        /// The x coordinate.
        x: [u8; 32],
        /// The y coordinate.
        y: [u8; 32],
    },
}

/// An EK or SRK: a restricted decryption key that lives in one TPM.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StorageKey {
    whole: Vec<u8>,
    body: Range<usize>,
    material: KeyMaterial,
}

/// Reads big-endian fields.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], CryptoError> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(malformed("length of a public area"))?;
        self.0 = rest;
        Ok(head)
    }

    fn u16(&mut self) -> Result<u16, CryptoError> {
        let bytes = self.take(2)?;
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u16::from(*byte)))
    }

    fn u32(&mut self) -> Result<u32, CryptoError> {
        let bytes = self.take(4)?;
        Ok(bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
    }

    fn sized(&mut self) -> Result<&'a [u8], CryptoError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

impl StorageKey {
    /// Reads the base64 text of a `TPM2B_PUBLIC`, as devices send it.
    /// # Errors
    /// `crypto.malformed`, `crypto.unsupported`, `crypto.attributes`, `crypto.key_invalid`.
    pub fn from_base64(text: &str, provider: &dyn Provider) -> Result<Self, CryptoError> {
        if text.len() > MAX_AREA.saturating_mul(2) {
            return Err(malformed("length of a public area"));
        }
        let bytes = from_base64(text).ok_or(malformed("base64 of a public area"))?;
        Self::from_bytes(&bytes, provider)
    }

    /// Reads the bytes of a `TPM2B_PUBLIC`.
    /// # Errors
    /// As [`StorageKey::from_base64`].
    pub fn from_bytes(bytes: &[u8], provider: &dyn Provider) -> Result<Self, CryptoError> {
        const UNSUPPORTED: CryptoError = CryptoError::Unsupported {
            what: "TPM public key",
        };
        if bytes.len() > MAX_AREA {
            return Err(malformed("length of a public area"));
        }
        let mut outer = Fields(bytes);
        let mut fields = Fields(outer.sized()?);
        if !outer.0.is_empty() {
            return Err(malformed("bytes after a public area"));
        }
        let (kind, name_algorithm) = (fields.u16()?, fields.u16()?);
        if !matches!(kind, RSA | ECC) || name_algorithm != SHA256 {
            return Err(UNSUPPORTED);
        }
        let attributes = fields.u32()?;
        let _policy = fields.sized()?;
        let symmetric = (fields.u16()?, fields.u16()?, fields.u16()?);
        if symmetric != (AES, 128, CFB) || fields.u16()? != NULL {
            return Err(UNSUPPORTED);
        }
        let material = if kind == RSA {
            let (bits, exponent) = (fields.u16()?, fields.u32()?);
            let modulus = fields.sized()?.to_vec();
            if !(2048..=4096).contains(&bits) || !bits.is_multiple_of(8) {
                return Err(UNSUPPORTED);
            }
            let right = modulus.len() == usize::from(bits / 8)
                && modulus.first().is_some_and(|byte| byte & 0x80 != 0)
                && modulus.last().is_some_and(|byte| byte & 1 == 1);
            let exponent = if exponent == 0 { 65_537 } else { exponent };
            let right = right && exponent >= 3 && exponent % 2 == 1;
            (KeyMaterial::Rsa { modulus, exponent }, right)
        } else {
            let (curve, scheme) = (fields.u16()?, fields.u16()?);
            let (x, y) = (fields.sized()?, fields.sized()?);
            if curve != NIST_P256 || scheme != NULL {
                return Err(UNSUPPORTED);
            }
            match (padded(x), padded(y)) {
                (Some(x), Some(y)) => {
                    let point = [&[4][..], &x, &y].concat();
                    let right = provider.check_key(KeyKind::P256, &point).is_ok();
                    (KeyMaterial::P256 { x, y }, right)
                }
                _ => (
                    KeyMaterial::P256 {
                        x: [0; 32],
                        y: [0; 32],
                    },
                    false,
                ),
            }
        };
        if !fields.0.is_empty() {
            return Err(malformed("bytes inside a public area"));
        }
        if attributes & NEEDED != NEEDED || attributes & FORBIDDEN != 0 {
            return Err(CryptoError::Attributes {
                what: "TPM public key",
            });
        }
        match material {
            (material, true) => Ok(Self {
                whole: bytes.to_vec(),
                body: 2..bytes.len(),
                material,
            }),
            _ => Err(CryptoError::KeyInvalid {
                what: "TPM public key",
            }),
        }
    }

    /// The bytes as they were received.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.whole
    }

    /// The public key itself.
    #[must_use]
    pub const fn material(&self) -> &KeyMaterial {
        &self.material
    }

    /// The name of the object: `000B || SHA256(body)`.
    #[must_use]
    pub fn name(&self, provider: &dyn Provider) -> [u8; 34] {
        object_name(
            self.whole.get(self.body.clone()).unwrap_or_default(),
            provider,
        )
    }

    /// The default registration id: base32 of the SHA-256 of the whole area, 52 characters.
    /// # Errors
    /// None in practice; base32 is always a registration id.
    pub fn registration_id(&self, provider: &dyn Provider) -> Result<RegistrationId, CryptoError> {
        base32_lower(&provider.sha256(&[&self.whole])).parse()
    }
}

/// `000B || SHA256(body)`
pub(super) fn object_name(body: &[u8], provider: &dyn Provider) -> [u8; 34] {
    let mut name = [0; 34];
    let hash = provider.sha256(&[body]);
    let [_, algorithm, rest @ ..] = &mut name;
    *algorithm = 0x0b;
    rest.copy_from_slice(&hash);
    name
}

/// A coordinate of at most 32 bytes, padded on the left.
fn padded(bytes: &[u8]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let start = out.len().checked_sub(bytes.len())?;
    out.get_mut(start..)?.copy_from_slice(bytes);
    Some(out)
}

/// The public area of the identity key: a keyed hash with SHA-256, made outside the TPM.
pub(super) fn keyed_hash_area(unique: &[u8; 32]) -> Vec<u8> {
    let mut body = vec![0x00, 0x08, 0x00, 0x0b, 0x00, 0x04, 0x00, 0x40];
    body.extend(sized(&[]));
    body.extend([0x00, 0x05, 0x00, 0x0b]);
    body.extend(sized(unique));
    body
}
