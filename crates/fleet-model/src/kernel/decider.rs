//! The shape of an aggregate.

use super::Timestamp;
use crate::limits::Limits;

/// An error with a stable dotted code, `thing.not_found`.
///
/// Codes never change and are listed in `docs/errors.md`; messages may change.
pub trait ErrorCode: std::error::Error {
    /// The stable code.
    fn code(&self) -> &'static str;

    /// What the AWS service literally says instead of our own message, where that is known.
    fn aws_text(&self) -> Option<String> {
        None
    }
}

/// What a decision may know besides its own stream and its command.
///
/// `V` is the read-only view of other streams that the aggregate needs (`()` when none).
#[derive(Clone, Copy, Debug)]
pub struct Context<'a, V: ?Sized = ()> {
    /// The instant of the decision. The domain reads no clock.
    pub now: Timestamp,
    /// Every quota, in force for this decision.
    pub limits: &'a Limits,
    /// What other streams say, looked up by the caller.
    pub view: &'a V,
}

/// An aggregate: commands are decided into events, events fold into state.
///
/// Laws: `decide` is pure; `evolve` is total (it never fails, judges or panics, even on a history
/// that today's rules would refuse); folding the same events gives the same state.
pub trait Decider {
    /// Write-side state, built only by [`Decider::evolve`].
    type State: Clone + std::fmt::Debug + PartialEq;
    /// What a caller asks for.
    type Command;
    /// What happened.
    type Event: Clone + std::fmt::Debug + PartialEq;
    /// Why a command was refused.
    type Error: ErrorCode;
    /// What the decision needs to see of other streams.
    type View: ?Sized;

    /// The state before the first event.
    fn initial() -> Self::State;

    /// Every rule: the events that `command` brings forth in `state`, none when its effect already holds.
    ///
    /// # Errors
    /// The refusal, with the offending value.
    fn decide(
        state: &Self::State,
        command: Self::Command,
        context: &Context<'_, Self::View>,
    ) -> Result<Vec<Self::Event>, Self::Error>;

    /// The state after `event`. Total.
    #[must_use]
    fn evolve(state: Self::State, event: &Self::Event) -> Self::State;
}

/// The state after all of `events`, in order.
pub fn replay<'a, D>(events: impl IntoIterator<Item = &'a D::Event>) -> D::State
where
    D: Decider,
    D::Event: 'a,
{
    events.into_iter().fold(D::initial(), D::evolve)
}
