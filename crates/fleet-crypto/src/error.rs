//! What can be refused, under names that never change.
use std::fmt;

/// Declares every refusal once: variant, stable code, HTTP status for operators, meaning.
macro_rules! refusals {
    ($($name:ident, $code:literal, $status:literal, $text:literal;)*) => {
        /// Why an input was refused: the inward error, for operators and logs.
        ///
        /// `what` names the part or the rule that refused. It is fixed text, so an error never
        /// carries a secret, a token or any part of an input. Towards a device every value becomes
        /// the one [`Unauthenticated`].
        ///
        /// Spec: cryptography, section 11.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum CryptoError {
            $(
                #[doc = $text]
                $name {
                    /// The part or rule that refused.
                    what: &'static str,
                },
            )*
        }

        impl CryptoError {
            /// The stable code, `crypto.snake_name`.
            #[must_use]
            pub const fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)* }
            }

            /// The name that the specification and the vector files use, for example `KeyLength`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$name { .. } => stringify!($name),)* }
            }

            /// The part or rule that refused, in fixed words.
            #[must_use]
            pub const fn what(&self) -> &'static str {
                match self { $(Self::$name { what } => what,)* }
            }

            /// The HTTP status of the refusal when an operator asked (a device sees 401 only).
            #[must_use]
            pub const fn status(&self) -> u16 {
                match self { $(Self::$name { .. } => $status,)* }
            }

            const fn text(&self) -> &'static str {
                match self { $(Self::$name { .. } => $text,)* }
            }
        }

        /// Every code of this crate with its one-line meaning.
        pub const CODES: &[(&str, &str)] = &[
            $(($code, $text),)*
            (Unauthenticated::CODE, Unauthenticated::TEXT),
        ];
    };
}

refusals! {
    Malformed, "crypto.malformed", 400, "the input does not parse";
    KeyEncoding, "crypto.key_encoding", 400, "the key is not standard base64 with padding";
    KeyLength, "crypto.key_length", 400, "the key must have 16 to 64 bytes";
    KeyReuse, "crypto.key_reuse", 400, "two slots may not hold the same key";
    RegistrationId, "crypto.registration_id", 400, "the registration id must be 1 to 128 of `A-Z a-z 0-9 - . _ :` and end in a letter, a digit or `-`";
    Resource, "crypto.resource", 401, "the token is for another resource";
    Signature, "crypto.signature", 401, "the signature does not verify";
    Expired, "crypto.expired", 401, "the validity has ended";
    NotYetValid, "crypto.not_yet_valid", 401, "the validity has not begun";
    TooLong, "crypto.too_long", 400, "a limit of length, life or work is exceeded";
    Algorithm, "crypto.algorithm", 401, "the algorithm or key strength is not on the allow-list";
    Unsupported, "crypto.unsupported", 400, "the TPM key type is not supported";
    UnknownIssuer, "crypto.unknown_issuer", 401, "no path leads to an enrolled certificate";
    BadSignature, "crypto.bad_signature", 401, "the signature of a certificate or request does not verify";
    NotCa, "crypto.not_ca", 401, "an issuer is not a CA certificate";
    CaAsLeaf, "crypto.ca_as_leaf", 401, "a CA certificate may not authenticate a device";
    PathLength, "crypto.path_length", 401, "a path length constraint is violated";
    KeyUsage, "crypto.key_usage", 401, "the key usage does not allow this use";
    ExtendedKeyUsage, "crypto.extended_key_usage", 401, "the extended key usage does not list client authentication";
    NameConstraint, "crypto.name_constraint", 401, "a name constraint is violated or of an unsupported kind";
    CriticalExtension, "crypto.critical_extension", 401, "a critical extension is not understood";
    IdentityMismatch, "crypto.identity_mismatch", 401, "the certificate names another device";
    CodeMismatch, "crypto.code_mismatch", 401, "the common name is not the verification code";
    Revoked, "crypto.revoked", 401, "the certificate is revoked";
    RevocationUnknown, "crypto.revocation_unknown", 401, "no revocation list covers a certificate of the path";
    CrlExpired, "crypto.crl_expired", 401, "the revocation list is not current";
    CrlSignature, "crypto.crl_signature", 401, "the revocation list is not signed by the issuer";
    Attributes, "crypto.attributes", 401, "the TPM key has wrong attributes";
    KeyInvalid, "crypto.key_invalid", 401, "the public key is not valid";
    KeyMismatch, "crypto.key_mismatch", 401, "the key is not the enrolled one";
    UnknownKey, "crypto.unknown_key", 401, "the key id is not trusted";
    FileMismatch, "crypto.file_mismatch", 400, "a file differs from its manifest";
    Rollback, "crypto.rollback", 400, "the version is older than one already accepted";
    Sealed, "crypto.sealed", 400, "the sealed value does not open here";
    Random, "crypto.random", 500, "the random source failed";
    Exhausted, "crypto.exhausted", 500, "the data key has sealed its 2^32 values; rotate it";
    Destroyed, "crypto.destroyed", 410, "the key was destroyed; the value is gone";
    Signer, "crypto.signer", 500, "the signer did not sign";
}

impl fmt::Display for CryptoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.text(), self.what())
    }
}

impl std::error::Error for CryptoError {}

/// The only thing a device learns when it is refused, whatever the cause, so that it cannot probe.
///
/// ```
/// use fleet_crypto::{CryptoError, Unauthenticated};
/// let outward: Unauthenticated = CryptoError::Expired { what: "token" }.into();
/// assert_eq!(outward.to_string(), "authentication failed");
/// ```
/// Spec: cryptography, rule 7.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Unauthenticated;

impl Unauthenticated {
    const CODE: &'static str = "crypto.unauthenticated";
    const TEXT: &'static str = "authentication failed";

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        Self::CODE
    }
}

impl fmt::Display for Unauthenticated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::TEXT)
    }
}

impl std::error::Error for Unauthenticated {}

impl From<CryptoError> for Unauthenticated {
    fn from(_inward: CryptoError) -> Self {
        Self
    }
}

/// Shorthand of the commonest refusal.
pub(crate) const fn malformed(what: &'static str) -> CryptoError {
    CryptoError::Malformed { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_snake_case_of_the_names() {
        let mut seen = std::collections::BTreeSet::new();
        for (code, meaning) in CODES {
            assert!(seen.insert(*code), "{code} twice");
            assert!(!meaning.is_empty() && !meaning.ends_with('.'));
        }
        let error = CryptoError::KeyLength {
            what: "enrolment key",
        };
        assert_eq!(
            (error.code(), error.name()),
            ("crypto.key_length", "KeyLength")
        );
        assert_eq!(
            error.to_string(),
            "the key must have 16 to 64 bytes: enrolment key"
        );
    }
}
