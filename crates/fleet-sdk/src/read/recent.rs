//! States of streams that were touched lately, as of the position folded.

use fleet_model::kernel::{Decider, DecodeError, Position, Recorded, StreamName, WireEvent};
use std::collections::HashMap;
use std::fmt;

use crate::log::{Log, decode_family};
use crate::refusal::Refusal;

/// How many states are kept between pages of the log.
const MOST: usize = 4_096;

/// A cache: a state that is not here is folded from its stream, up to the position asked for.
pub(crate) struct Recent<D: Decider> {
    states: HashMap<StreamName, D::State>,
}

impl<D: Decider> Default for Recent<D> {
    fn default() -> Self {
        Self {
            states: HashMap::new(),
        }
    }
}

impl<D: Decider> fmt::Debug for Recent<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recent")
            .field("states", &self.states.len())
            .finish()
    }
}

impl<D: Decider> Recent<D>
where
    D::Event: WireEvent,
{
    /// Folds the next event of the log, and gives what it says.
    pub(crate) fn fold(&mut self, recorded: &Recorded) -> Result<Vec<D::Event>, DecodeError> {
        let events: Vec<D::Event> = decode_family(recorded)?;
        if recorded.version.0 == 1 {
            self.states.insert(recorded.stream.clone(), D::initial());
        }
        if let Some(state) = self.states.get_mut(&recorded.stream) {
            for event in &events {
                *state = D::evolve(std::mem::replace(state, D::initial()), event);
            }
        }
        Ok(events)
    }

    /// Has the state of a stream as it was when the log ended at `until`.
    pub(crate) async fn have(
        &mut self,
        log: &Log,
        stream: &StreamName,
        until: Position,
    ) -> Result<(), Refusal> {
        if !self.states.contains_key(stream) {
            let state = log.state_at::<D>(stream, until).await?;
            self.states.insert(stream.clone(), state);
        }
        Ok(())
    }

    /// The state of a stream that [`Self::have`] was called for.
    pub(crate) fn get(&self, stream: &StreamName) -> Option<&D::State> {
        self.states.get(stream)
    }

    /// Forgets everything when it is too much.
    pub(crate) fn trim(&mut self) {
        if self.states.len() > MOST {
            self.states.clear();
        }
    }
}
