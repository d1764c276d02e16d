//! The entries of a twin's `configurations` section. Spec: Azure 2.2.

use serde::{Deserialize, Serialize};

/// What a configuration did to the twin.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ConfigurationStatus {
    /// The target condition matches, but another configuration won, or it is not applied yet.
    Targeted,
    /// Its content is in the desired section.
    Applied,
}

impl ConfigurationStatus {
    /// `Targeted` or `Applied`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Targeted => "Targeted",
            Self::Applied => "Applied",
        }
    }

    /// The service's number: 1 or 2.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Targeted => 1,
            Self::Applied => 2,
        }
    }
}
