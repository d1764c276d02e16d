//! Given events, when a command, then events or a refusal.
//!
//! ```text
//! given::<Thing>([created()]).when(delete(), &context).then([deleted()]);
//! given::<Thing>([]).when(delete(), &context).then_refused("thing.not_found");
//! ```

use super::{Context, Decider, ErrorCode, replay};

/// A history to decide against.
#[derive(Debug)]
pub struct Given<D: Decider> {
    state: D::State,
}

/// What a decision said.
#[derive(Debug)]
pub struct When<D: Decider> {
    before: D::State,
    outcome: Result<Vec<D::Event>, D::Error>,
}

/// Starts a case from what has happened.
pub fn given<D: Decider>(events: impl IntoIterator<Item = D::Event>) -> Given<D> {
    let events: Vec<_> = events.into_iter().collect();
    Given {
        state: replay::<D>(&events),
    }
}

impl<D: Decider> Given<D> {
    /// Decides `command` in `context`.
    pub fn when(self, command: D::Command, context: &Context<'_, D::View>) -> When<D> {
        let outcome = D::decide(&self.state, command, context);
        When {
            before: self.state,
            outcome,
        }
    }
}

impl<D: Decider> When<D> {
    /// Asserts the events and gives the state after them.
    ///
    /// # Panics
    /// When the command was refused or decided otherwise: this is a test.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test kit reports by panicking")]
    pub fn then(self, expected: impl IntoIterator<Item = D::Event>) -> D::State {
        let expected: Vec<_> = expected.into_iter().collect();
        match self.outcome {
            Ok(events) => {
                assert_eq!(events, expected);
                events.iter().fold(self.before, D::evolve)
            }
            Err(error) => panic!("refused with `{}`: {error}", error.code()),
        }
    }

    /// Asserts the code of the refusal.
    ///
    /// # Panics
    /// When the command was accepted or refused with another code: this is a test.
    #[track_caller]
    #[expect(clippy::panic, reason = "a test kit reports by panicking")]
    pub fn then_refused(self, code: &str) {
        match self.outcome {
            Ok(events) => panic!("accepted with {events:?}, expected `{code}`"),
            Err(error) => assert_eq!(error.code(), code, "{error}"),
        }
    }
}
