//! Every quota as data: the services' defaults, each of which an embedder may override.

use serde::{Deserialize, Serialize};

/// The quotas in force for a decision. `Limits::default()` is what the services document.
///
/// Spec: AWS appendix C, Azure appendix A.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Limits {
    /// Static and dynamic groups that one thing may be in.
    pub groups_per_thing: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            groups_per_thing: 10,
        }
    }
}
