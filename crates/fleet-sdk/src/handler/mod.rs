//! What each operation does.

mod billing_group;
mod ca_certificate;
mod certificate;
mod convert;
mod dynamic_group;
mod group;
mod history;
mod hub_event;
mod identity;
mod index;
mod lifecycle;
mod presence;
mod principal;
mod pure;
mod query;
mod tag;
mod thing;
mod thing_type;
pub(crate) mod twin;

pub(crate) use query::one;

use crate::fleet::Call;
use crate::refusal::Refusal;
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
