//! Watched conditions over the indexes: who enters and leaves with each event.

use fleet_model::kernel::{Position, Recorded};
use fleet_query::index::{Crossing, LiveSets};
use fleet_query::{Collection, Query};
use std::collections::BTreeSet;

use super::indexes::Indexes;
use crate::log::Log;
use crate::refusal::Refusal;

/// How many crossings are remembered of each collection, for those who resume.
const KEPT: usize = 100_000;

/// The watched conditions of each collection.
#[derive(Debug)]
pub(crate) struct Live {
    devices: LiveSets,
    modules: LiveSets,
    groups: LiveSets,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            devices: LiveSets::new(KEPT),
            modules: LiveSets::new(KEPT),
            groups: LiveSets::new(KEPT),
        }
    }
}

impl Live {
    /// Whether nothing is watched.
    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty() && self.modules.is_empty() && self.groups.is_empty()
    }

    /// Watches a condition: the ids that meet it now.
    pub(crate) fn watch(
        &mut self,
        name: &str,
        query: &Query,
        indexes: &Indexes,
    ) -> Result<Vec<String>, Refusal> {
        self.unwatch(name);
        let (sets, index) = match query.collection() {
            Collection::Devices => (&mut self.devices, &indexes.devices),
            Collection::Modules => (&mut self.modules, &indexes.modules),
            Collection::Groups => (&mut self.groups, &indexes.groups),
            other => {
                let message = format!("the fleet keeps no collection `{other:?}` to watch");
                return Err(Refusal::new("request.unsupported", message));
            }
        };
        Ok(sets.watch(name, query.condition(), index)?)
    }

    /// Ends a watch; whether there was one.
    pub(crate) fn unwatch(&mut self, name: &str) -> bool {
        // A name is watched over one collection.
        let all = [&mut self.devices, &mut self.modules, &mut self.groups];
        all.into_iter().any(|sets| sets.unwatch(name))
    }

    /// What crossed after a position, in order.
    pub(crate) fn since(&self, position: Position) -> Result<Vec<Crossing>, Refusal> {
        let mut found = Vec::new();
        for sets in [&self.devices, &self.modules, &self.groups] {
            found.extend(sets.since(position.0)?.into_iter().cloned());
        }
        found.sort_by_key(|crossing| crossing.position);
        Ok(found)
    }

    /// Folds one event, and notes who crossed with it.
    pub(crate) async fn step(
        &mut self,
        indexes: &mut Indexes,
        log: &Log,
        recorded: &Recorded,
    ) -> Result<(), Refusal> {
        if recorded.position <= indexes.position {
            return Ok(());
        }
        let before = indexes.view();
        let record = recorded.stream.raw_key();
        let device = record
            .split_once('/')
            .map_or(&*record, |(device, _)| device);
        let mut modules: BTreeSet<String> = pairs(indexes, device).collect();
        let touched = indexes
            .fold(log, std::slice::from_ref(recorded), recorded.position)
            .await?;
        for device in &touched {
            modules.extend(pairs(indexes, device));
        }
        let after = indexes.view();
        let is_group = recorded.stream.category() == "group";
        let devices: Vec<&str> = touched.iter().map(String::as_str).collect();
        let modules: Vec<&str> = modules.iter().map(String::as_str).collect();
        let groups: &[&str] = if is_group { &[record.as_str()] } else { &[] };
        let at = recorded.position.0;
        let (sets, old, new) = (&mut self.devices, &before.devices, &after.devices);
        sets.observe(at, old, new, &devices, is_group)?;
        let (sets, old, new) = (&mut self.modules, &before.modules, &after.modules);
        sets.observe(at, old, new, &modules, false)?;
        let (sets, old, new) = (&mut self.groups, &before.groups, &after.groups);
        sets.observe(at, old, new, groups, false)
            .map_err(Refusal::from)
    }
}

/// The ids of a device's modules that are shown.
fn pairs(indexes: &Indexes, device: &str) -> impl Iterator<Item = String> {
    let modules = indexes.modules_of(device);
    modules.map(move |module| format!("{device}/{module}"))
}
