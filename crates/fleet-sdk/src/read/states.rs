//! The present states of all aggregates of one kind.

use fleet_model::kernel::{Decider, DecodeError, Recorded, WireEvent};
use std::collections::BTreeMap;
use std::fmt;

use crate::log::decode_family;

/// States by raw stream key, folded by the aggregate's own rules. For kinds of which there are few.
pub(crate) struct States<D: Decider> {
    rows: BTreeMap<String, D::State>,
}

impl<D: Decider> Default for States<D> {
    fn default() -> Self {
        Self {
            rows: BTreeMap::new(),
        }
    }
}

impl<D: Decider> fmt::Debug for States<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(&self.rows).finish()
    }
}

impl<D: Decider> PartialEq for States<D> {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows
    }
}

impl<D: Decider> States<D>
where
    D::Event: WireEvent,
{
    /// Folds one event of the kind.
    pub(crate) fn apply(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        let events: Vec<D::Event> = decode_family(recorded)?;
        let state = self
            .rows
            .entry(recorded.stream.raw_key())
            .or_insert_with(D::initial);
        for event in &events {
            *state = D::evolve(std::mem::replace(state, D::initial()), event);
        }
        Ok(())
    }

    /// The state of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&D::State> {
        self.rows.get(key)
    }

    /// States in the order of their keys, those after `key` only where one is given.
    pub(crate) fn after<'a>(
        &'a self,
        key: Option<&str>,
    ) -> impl Iterator<Item = (&'a str, &'a D::State)> {
        use std::ops::Bound;
        let from = key.map_or(Bound::Unbounded, Bound::Excluded);
        self.rows
            .range::<str, _>((from, Bound::Unbounded))
            .map(|(key, state)| (key.as_str(), state))
    }
}
