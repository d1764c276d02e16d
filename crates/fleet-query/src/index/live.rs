//! Live sets: which documents meet a stored condition now, and who enters or leaves with each event.
use super::error::IndexError;
use super::execute::Run;
use super::ints::ROWS;
use super::kernel;
use super::snapshot::{Id, Snapshot};
use super::writer::{Applied, Change, WriterIndex, stored_id};
use crate::matching::{ConditionIndex, Ids};
use crate::predicate::{Condition, Predicate};
use roaring::RoaringBitmap;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Whether documents entered a set or left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// They meet the condition since this event.
    Entered,
    /// They met it until this event.
    Left,
}

/// The documents that one event moved into or out of one set: one of them, or, for a change of a group's attributes,
/// all whose side it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// The event's position.
    pub position: u64,
    /// The name of the watched condition.
    pub set: Arc<str>,
    /// The direction.
    pub side: Side,
    /// The documents, ascending.
    pub ids: Vec<String>,
}

/// Why a stream of crossings cannot be resumed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// Older crossings have been forgotten.
    #[error(
        "crossings up to position {forgotten} are forgotten, and {asked} lies before: take the set anew"
    )]
    Forgotten {
        /// The position that the caller has reached.
        asked: u64,
        /// The last position whose crossings are gone.
        forgotten: u64,
    },
}

impl LiveError {
    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Forgotten { .. } => "query.crossings_forgotten",
        }
    }
}

/// Watched conditions over one index, kept exact after every event.
///
/// ```
/// use fleet_query::{Collection, Dialect, Mode, Query, index::{Change, LiveSets, Side, WriterIndex}};
/// let (mut index, mut live) = (WriterIndex::new(Collection::Devices), LiveSets::new(1_000));
/// let hot = Query::parse("SELECT * FROM devices WHERE tags.t > 80", Dialect::IotHub, Mode::Lenient).unwrap();
/// assert!(live.watch("hot", hot.condition(), &index).unwrap().is_empty());
/// live.apply(&mut index, 1, None, &Change::Put { document: r#"{"deviceId":"a","tags":{"t":90}}"# })?;
/// let news = live.since(0).unwrap();
/// assert_eq!((news[0].side, news[0].ids.as_slice()), (Side::Entered, &["a".to_owned()][..]));
/// # Ok::<(), fleet_query::index::IndexError>(())
/// ```
#[derive(Debug)]
pub struct LiveSets {
    conditions: ConditionIndex,
    watched: BTreeMap<Arc<str>, Arc<Condition>>,
    log: VecDeque<Crossing>,
    keep: usize,
    forgotten: u64,
}

impl LiveSets {
    /// No sets; remembers so many crossings for those who resume.
    #[must_use]
    pub fn new(keep: usize) -> Self {
        Self {
            conditions: ConditionIndex::new(),
            watched: BTreeMap::new(),
            log: VecDeque::new(),
            keep,
            forgotten: 0,
        }
    }

    /// Watches a condition under a name: returns the ids that meet it now, ascending. Later crossings are in the log.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn watch(
        &mut self,
        name: &str,
        condition: &Condition,
        index: &WriterIndex,
    ) -> Result<Vec<String>, IndexError> {
        let now = index
            .snapshot()
            .ids(condition)?
            .iter()
            .map(ToString::to_string)
            .collect();
        self.conditions.insert(name, condition);
        self.watched
            .insert(Arc::from(name), Arc::new(condition.clone()));
        Ok(now)
    }

    /// Forgets a watched condition; whether there was one. Crossings that it had stay in the log.
    pub fn unwatch(&mut self, name: &str) -> bool {
        self.conditions.remove(name);
        self.watched.remove(name).is_some()
    }

    /// Applies an event to the index, and says who crossed over with it.
    ///
    /// # Errors
    /// As [`WriterIndex::apply`]; then nothing has crossed.
    pub fn apply(
        &mut self,
        index: &mut WriterIndex,
        position: u64,
        version: Option<u64>,
        change: &Change<'_>,
    ) -> Result<Applied, IndexError> {
        if position <= index.position() || self.watched.is_empty() {
            return index.apply(position, version, change);
        }
        let id = match change {
            Change::Put { document } => Some(index.id_of(document)?),
            Change::Patch { id, .. }
            | Change::Delete { id }
            | Change::Join { id, .. }
            | Change::Leave { id, .. } => Some(stored_id(index.state.collection, id).into_owned()),
            Change::Group { name, .. } | Change::DropGroup { name } => {
                return self.apply_group(index, position, version, change, name);
            }
            Change::Nothing => None,
        };
        let look = |index: &WriterIndex, id: &str| {
            index
                .state
                .row_of(id)
                .and_then(|row| index.state.document(row))
                .map(Arc::new)
        };
        let before = id.as_deref().and_then(|id| look(index, id));
        let applied = index.apply(position, version, change)?;
        let Some(id) = id else { return Ok(applied) };
        let after = look(index, &id);
        let met = |document: &Option<Arc<serde_json::Value>>| -> Vec<String> {
            document.as_ref().map_or_else(Vec::new, |document| {
                let held = self.conditions.hold(Arc::clone(document));
                self.conditions
                    .matches(&held)
                    .sorted()
                    .into_iter()
                    .map(str::to_owned)
                    .collect()
            })
        };
        let (entered, left): (Vec<String>, Vec<String>) = match (&before, &after) {
            (Some(before), Some(after)) => {
                let (before, after) = (
                    self.conditions.hold(Arc::clone(before)),
                    self.conditions.hold(Arc::clone(after)),
                );
                let delta = self.conditions.delta(&before, &after);
                let own = |ids: &Ids<'_>| ids.sorted().into_iter().map(str::to_owned).collect();
                (own(&delta.entered), own(&delta.left))
            }
            _ => (met(&after), met(&before)),
        };
        let shown = Id(&id).to_string();
        for (side, names) in [(Side::Left, left), (Side::Entered, entered)] {
            for name in names {
                self.push(Crossing {
                    position,
                    set: Arc::from(name),
                    side,
                    ids: vec![shown.clone()],
                });
            }
        }
        Ok(applied)
    }

    /// Takes note of one event that several changes made up: compares the views before and after it, for the documents
    /// `ids` that it touched, and, where it changed a group (`inherited`), for every condition as a set.
    ///
    /// # Errors
    /// `query.cost_exceeded`; then nothing has crossed.
    pub fn observe(
        &mut self,
        position: u64,
        before: &Snapshot,
        after: &Snapshot,
        ids: &[&str],
        inherited: bool,
    ) -> Result<(), IndexError> {
        let mut moved: BTreeMap<(Arc<str>, Side), Vec<String>> = BTreeMap::new();
        if inherited {
            for (name, condition) in &self.watched {
                if ids.is_empty() && !speaks_of_attributes(&condition.predicate) {
                    continue;
                }
                let (old, new) = (before.ids(condition)?, after.ids(condition)?);
                for (side, one, other) in [(Side::Left, &old, &new), (Side::Entered, &new, &old)] {
                    let only = one.iter().filter(|id| other.binary_search(id).is_err());
                    let only: Vec<String> = only.map(ToString::to_string).collect();
                    if !only.is_empty() {
                        moved.insert((Arc::clone(name), side), only);
                    }
                }
            }
        } else {
            for id in ids {
                let hold = |snapshot: &Snapshot| {
                    let document = snapshot.document(id);
                    document.map(|document| self.conditions.hold(Arc::new(document)))
                };
                let (entered, left) = match (hold(before), hold(after)) {
                    (Some(before), Some(after)) => {
                        let delta = self.conditions.delta(&before, &after);
                        (delta.entered.sorted(), delta.left.sorted())
                    }
                    (before, after) => {
                        let met = |held: &Option<crate::matching::Held>| {
                            let held = held.as_ref();
                            held.map_or_else(Vec::new, |held| {
                                self.conditions.matches(held).sorted()
                            })
                        };
                        (met(&after), met(&before))
                    }
                };
                for (side, names) in [(Side::Left, left), (Side::Entered, entered)] {
                    for name in names {
                        let ids = moved.entry((Arc::from(name), side)).or_default();
                        ids.push((*id).to_owned());
                    }
                }
            }
        }
        for ((set, side), mut ids) in moved {
            ids.sort_unstable();
            self.push(Crossing {
                position,
                set,
                side,
                ids,
            });
        }
        Ok(())
    }

    /// Whether nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.watched.is_empty()
    }

    /// The crossings after a position, in order: what a reader that has seen everything up to it still lacks.
    ///
    /// # Errors
    /// `query.crossings_forgotten`.
    pub fn since(&self, position: u64) -> Result<Vec<&Crossing>, LiveError> {
        if position < self.forgotten {
            return Err(LiveError::Forgotten {
                asked: position,
                forgotten: self.forgotten,
            });
        }
        let from = self
            .log
            .partition_point(|crossing| crossing.position <= position);
        Ok(self.log.range(from..).collect())
    }

    /// A group's attributes change: conditions that speak of attributes are compared over the members, as sets.
    fn apply_group(
        &mut self,
        index: &mut WriterIndex,
        position: u64,
        version: Option<u64>,
        change: &Change<'_>,
        group: &str,
    ) -> Result<Applied, IndexError> {
        let before = index.snapshot();
        let applied = index.apply(position, version, change)?;
        let after = index.snapshot();
        let rows = before.state.groups.rows_below(group) | after.state.groups.rows_below(group);
        let mut crossings = Vec::new();
        for (name, condition) in self
            .watched
            .iter()
            .filter(|(_, condition)| speaks_of_attributes(&condition.predicate))
        {
            let (old, new) = (
                within(&before, condition, &rows)?,
                within(&after, condition, &rows)?,
            );
            for (side, ids) in [(Side::Left, &old - &new), (Side::Entered, &new - &old)] {
                if !ids.is_empty() {
                    let mut ids: Vec<Id<'_>> = ids
                        .iter()
                        .filter_map(|row| after.state.id(row as usize).map(Id))
                        .collect();
                    ids.sort_unstable();
                    let ids = ids.iter().map(ToString::to_string).collect();
                    crossings.push(Crossing {
                        position,
                        set: Arc::clone(name),
                        side,
                        ids,
                    });
                }
            }
        }
        crossings
            .into_iter()
            .for_each(|crossing| self.push(crossing));
        Ok(applied)
    }

    fn push(&mut self, crossing: Crossing) {
        self.log.push_back(crossing);
        while self.log.len() > self.keep {
            if let Some(gone) = self.log.pop_front() {
                self.forgotten = gone.position;
            }
        }
    }
}

/// The selected rows among some.
fn within(
    snapshot: &Snapshot,
    condition: &Condition,
    rows: &RoaringBitmap,
) -> Result<RoaringBitmap, IndexError> {
    let run = Run::new(&snapshot.state, u64::MAX);
    let plan = snapshot.planned(condition)?;
    let mut found = RoaringBitmap::new();
    let mut at = 0;
    let mut mask = Box::new([0; ROWS]);
    let mut candidates = Box::new([0; ROWS]);
    while let Some(first) = rows.range(at..).next() {
        let chunk = first as usize / ROWS;
        let start = u32::try_from(chunk * ROWS).unwrap_or(u32::MAX);
        let end = start.saturating_add(u32::try_from(ROWS).unwrap_or(0));
        candidates.fill(0);
        for row in rows.range(start..end) {
            if let Some(slot) = candidates.get_mut((row - start) as usize) {
                *slot = 1;
            }
        }
        mask.fill(0);
        run.select(&plan, chunk, Some(&candidates), &mut mask)?;
        kernel::and(&mut mask, &candidates);
        kernel::for_each_row(&mask, |row| {
            found.insert(start + u32::try_from(row).unwrap_or(0));
        });
        at = end;
    }
    Ok(found)
}

/// Whether inherited attributes can change what the condition says.
fn speaks_of_attributes(predicate: &Predicate) -> bool {
    match predicate {
        Predicate::AnyField { .. } => true,
        Predicate::Not(inner) => speaks_of_attributes(inner),
        Predicate::And(items) | Predicate::Or(items) => items.iter().any(speaks_of_attributes),
        other => other
            .paths()
            .iter()
            .any(|path| path.root() == "attributes" || path.root().starts_with("attributes.")),
    }
}
