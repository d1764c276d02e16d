//! Secret values in memory.
use std::fmt;
use zeroize::Zeroizing;

/// Secret bytes: wiped on drop, not clonable, never printed, never serialised.
///
/// ```
/// use fleet_crypto::secret::SecretBytes;
/// let key = SecretBytes::new(vec![7; 32]);
/// assert_eq!(format!("{key:?}"), "SecretBytes([redacted])");
/// assert_eq!(key.expose_secret().len(), 32);
/// ```
/// ```compile_fail
/// let key = fleet_crypto::secret::SecretBytes::new(vec![7; 32]);
/// serde_json::to_string(&key).unwrap();
/// ```
/// Spec: cryptography, rule 6.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over. The vector must not have been re-allocated with the secret inside.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes themselves. Whoever calls this answers for where they go.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// Whether both hold the same bytes, in time that depends on the lengths only.
    #[must_use]
    pub fn same_as(&self, other: &Self) -> bool {
        same_secret(&self.0, &other.0)
    }

    /// A second copy, made on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::new(self.0.to_vec())
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes([redacted])")
    }
}

/// Secret text (a token, a signed address, a key in its text form): wiped on drop, never printed.
///
/// ```
/// use fleet_crypto::secret::SecretText;
/// assert_eq!(format!("{:?}", SecretText::new("token".to_owned())), "SecretText([redacted])");
/// ```
/// ```compile_fail
/// println!("{}", fleet_crypto::secret::SecretText::new("token".to_owned()));
/// ```
/// Spec: cryptography, rule 6.
pub struct SecretText(Zeroizing<String>);

impl SecretText {
    /// Takes the text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself. Whoever calls this answers for where it goes.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretText([redacted])")
    }
}

/// Equality in time that depends on the lengths only.
pub(crate) fn same_secret(left: &[u8], right: &[u8]) -> bool {
    use subtle::ConstantTimeEq as _;
    left.ct_eq(right).into()
}
