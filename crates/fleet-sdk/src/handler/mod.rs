//! What each operation does.

mod pure;

use crate::error::Refusal;
use crate::fleet::Call;
use std::future::Future;

/// Runs one operation.
pub trait Handle: Sized {
    /// What it answers.
    type Answer;

    /// Decides, appends and answers.
    fn handle(
        self,
        call: &mut Call<'_>,
    ) -> impl Future<Output = Result<Self::Answer, Refusal>> + Send;
}
