//! Pure functions as operations.

use super::Handle;
use crate::fleet::Call;
use crate::operation::{MergePatch, MergePatchResponse};
use crate::refusal::Refusal;

impl Handle for MergePatch {
    type Answer = MergePatchResponse;

    async fn handle(self, _: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        Ok(MergePatchResponse {
            result: fleet_model::twin::merge_patch(&self.target, &self.patch),
        })
    }
}
