//! ETags of identities.

use crate::twin::hub::IfMatch;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::Uuid;

use super::IdentityError;

/// An identity's ETag: base64 of the decimal text of a counter, `ODAxMjMyNDI2`. Spec: Azure 1.2.
///
/// It starts at a number that follows from the life of the identity, so that an ETag of an earlier
/// life of the same name does not fit the next one, and moves with identity writes only.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdentityEtag(u64);

impl IdentityEtag {
    /// That of a new identity in the life `generation`.
    #[must_use]
    pub fn first(generation: Uuid) -> Self {
        let (_, _, _, rest) = generation.as_fields();
        let number = rest
            .iter()
            .skip(4)
            .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        Self(number)
    }

    /// That after one more write.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Refuses when `if_match` asks for another one.
    ///
    /// # Errors
    /// `identity.precondition_failed`.
    pub fn check(self, if_match: &IfMatch) -> Result<(), IdentityError> {
        let actual = self.to_string();
        match if_match {
            IfMatch::Is(expected) if *expected != actual => {
                Err(IdentityError::PreconditionFailed {
                    expected: expected.clone(),
                    actual,
                })
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for IdentityEtag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0.to_string()))
    }
}
