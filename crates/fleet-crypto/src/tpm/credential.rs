//! Protecting a secret for one key: seeds, derived keys, wrapping.
use super::public::{KeyMaterial, StorageKey};
use super::sized;
use crate::provider::Provider;
use crate::random::random_array;
use crate::signer::p256_scalar;
use crate::{CryptoError, SecureRandom};
use zeroize::Zeroizing;

/// What a TPM needs to activate a credential.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    /// `TPM2B_ID_OBJECT`
    pub id_object: Vec<u8>,
    /// `TPM2B_ENCRYPTED_SECRET`
    pub encrypted_secret: Vec<u8>,
}

/// `KDFa(K, label, U, V, bits)`, counter-mode HMAC of SP 800-108.
pub(super) fn kdfa<const N: usize>(
    key: &[u8],
    label: &str,
    u: &[u8],
    provider: &dyn Provider,
) -> Zeroizing<[u8; N]> {
    let mut out = Zeroizing::new([0; N]);
    let mac = provider.mac_key(key);
    let bits = u32::try_from(N)
        .unwrap_or(0)
        .saturating_mul(8)
        .to_be_bytes();
    for (counter, chunk) in (1u32..).zip(out.chunks_mut(32)) {
        let block =
            Zeroizing::new(mac.mac(&[&counter.to_be_bytes(), label.as_bytes(), &[0], u, &bits]));
        for (to, from) in chunk.iter_mut().zip(block.iter()) {
            *to = *from;
        }
    }
    out
}

/// A seed that only the holder of `key` can recover, and the secret that carries it.
///
/// `label` is `IDENTITY` or `DUPLICATE`; the terminating zero is added here. Randomness: 32 bytes of
/// seed and 32 of OAEP seed for RSA, a scalar of 32 bytes for ECC.
pub(super) fn share_seed(
    key: &StorageKey,
    label: &str,
    random: &mut dyn SecureRandom,
    provider: &dyn Provider,
) -> Result<(Zeroizing<[u8; 32]>, Vec<u8>), CryptoError> {
    let label = format!("{label}\0");
    match key.material() {
        KeyMaterial::Rsa { modulus, exponent } => {
            let seed = random_array::<32>(random)?;
            let padding = random_array::<32>(random)?;
            let secret =
                provider.rsa_oaep(modulus, *exponent, &label, seed.as_slice(), &padding)?;
            Ok((seed, sized(&secret)))
        }
        KeyMaterial::P256 { x, y } => {
            let scalar = p256_scalar(random)?;
            let scalar = Zeroizing::new(<[u8; 32]>::from(scalar.to_bytes()));
            let mut peer = [4; 65];
            let [_, coordinates @ ..] = &mut peer;
            for (to, from) in coordinates.iter_mut().zip(x.iter().chain(y)) {
                *to = *from;
            }
            let agreed = provider.p256_agree(&scalar, &peer)?;
            let (px, py) = agreed.public;
            let seed = provider.sha256(&[
                &1u32.to_be_bytes(),
                agreed.shared_x.as_slice(),
                label.as_bytes(),
                &px,
                x,
            ]);
            let secret = [sized(&px), sized(&py)].concat();
            Ok((Zeroizing::new(seed), sized(&secret)))
        }
    }
}

/// Encrypts `plain` under a key of `seed` bound to `name`, and puts a MAC over both in front:
/// `TPM2B( TPM2B(mac) || encrypted )`.
pub(super) fn outer_wrap(
    seed: &[u8; 32],
    name: &[u8],
    plain: &[u8],
    provider: &dyn Provider,
) -> Vec<u8> {
    let storage = kdfa::<16>(seed, "STORAGE", name, provider);
    let mut encrypted = plain.to_vec();
    provider.aes128_cfb_encrypt(&storage, &mut encrypted);
    let integrity = kdfa::<32>(seed, "INTEGRITY", &[], provider);
    let mac = provider
        .mac_key(integrity.as_slice())
        .mac(&[&encrypted, name]);
    sized(&[sized(&mac), encrypted].concat())
}

/// `MakeCredential`: protects `secret` so that only the TPM that holds `ek` and the object named
/// `name` (the name of the SRK) can read it.
///
/// Randomness is drawn as: seed then OAEP seed (32 bytes each) for an RSA key, one scalar for ECC.
/// # Errors
/// `crypto.malformed` unless the secret has 1 to 32 bytes; `crypto.random`; `crypto.key_invalid`;
/// `crypto.unsupported` when RSA is not built in.
pub fn make_credential(
    ek: &StorageKey,
    name: &[u8],
    secret: &[u8],
    random: &mut dyn SecureRandom,
    provider: &dyn Provider,
) -> Result<Credential, CryptoError> {
    if !(1..=32).contains(&secret.len()) {
        return Err(CryptoError::Malformed {
            what: "length of the credential",
        });
    }
    let (seed, encrypted_secret) = share_seed(ek, "IDENTITY", random, provider)?;
    let plain = Zeroizing::new(sized(secret));
    Ok(Credential {
        id_object: outer_wrap(&seed, name, &plain, provider),
        encrypted_secret,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RustCrypto;
    use crate::encoding::hex;

    /// The worked example of the specification, section 12.
    #[test]
    fn the_worked_example() {
        let seed: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        let name = [&[0x00, 0x0b][..], &[0xa5; 32]].concat();
        let secret: Vec<u8> = (0x40..0x50).collect();
        let symmetric = kdfa::<16>(&seed, "STORAGE", &name, &RustCrypto);
        assert_eq!(hex(&*symmetric), "fd16b347cb39530671563324a46a99b4");
        let integrity = kdfa::<32>(&seed, "INTEGRITY", &[], &RustCrypto);
        assert_eq!(
            hex(&*integrity),
            "bacf689f634ece301e1f1b15b072d9c87db6a69585db42b1a0cb8f73ebe2692e"
        );
        let wrapped = outer_wrap(&seed, &name, &sized(&secret), &RustCrypto);
        assert_eq!(
            hex(&wrapped),
            "00340020ec6a1995bbd3309dfcab891195ef381fc7624981e265dc8011a1ef401bdac73d\
             61e883c20d549a9355b8c38e00f351ba30ad"
        );
    }
}
