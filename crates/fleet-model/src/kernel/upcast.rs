//! Old shapes of events, loaded for ever (event-store spec, section 7, "Upcasting").

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::ErrorCode;

/// An event on its way from an old schema to a newer one.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcasted {
    /// The type, possibly renamed.
    pub event_type: String,
    /// The schema that `data` has now.
    pub schema: u16,
    /// The data in that schema.
    pub data: Value,
}

/// Stored data that an upcaster could not read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("upcasting `{event_type}` from schema {schema}: {reason}")]
pub struct UpcastError {
    /// The type being upcast.
    pub event_type: String,
    /// The schema being left.
    pub schema: u16,
    /// What is wrong with the data.
    pub reason: String,
}

impl ErrorCode for UpcastError {
    fn code(&self) -> &'static str {
        "kernel.upcast"
    }
}

/// A set of upcasters that cannot be built.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UpcasterError {
    /// Two steps leave the same type and schema.
    #[error("two upcasters leave `{event_type}` schema {schema}: keep one")]
    Duplicate {
        /// The type.
        event_type: String,
        /// The schema.
        schema: u16,
    },
    /// A step ends where no further step and no current event begins.
    #[error(
        "the upcaster to `{event_type}` schema {schema} leads nowhere: add the next step or raise the current schema"
    )]
    DeadEnd {
        /// The type.
        event_type: String,
        /// The schema.
        schema: u16,
    },
}

impl ErrorCode for UpcasterError {
    fn code(&self) -> &'static str {
        "kernel.upcaster_setup"
    }
}

type Step = fn(Value) -> Result<Vec<Value>, String>;

struct Edge {
    to: String,
    step: Step,
}

/// Collects steps; [`UpcastersBuilder::build`] checks them.
#[derive(Default)]
pub struct UpcastersBuilder {
    edges: Vec<(String, u16, Edge)>,
}

impl UpcastersBuilder {
    /// Adds the step from `(from, schema)` to `(to, schema + 1)`.
    ///
    /// `step` is pure: it gives zero, one or several data values of the new shape, or says what is wrong.
    /// Sealed fields are moved or dropped, never looked into.
    #[must_use]
    pub fn step(mut self, from: &str, schema: u16, to: &str, step: Step) -> Self {
        self.edges.push((
            from.to_owned(),
            schema,
            Edge {
                to: to.to_owned(),
                step,
            },
        ));
        self
    }

    /// The checked registry. `current` are the types and schemas that today's code reads.
    ///
    /// # Errors
    /// `kernel.upcaster_setup` for a duplicate step or one that leads nowhere. Schemas only grow along
    /// a step, so a cycle cannot be written.
    pub fn build(self, current: &[(&str, u16)]) -> Result<Upcasters, UpcasterError> {
        let mut edges = BTreeMap::new();
        for (event_type, schema, edge) in self.edges {
            if edges.insert((event_type.clone(), schema), edge).is_some() {
                return Err(UpcasterError::Duplicate { event_type, schema });
            }
        }
        let ends: BTreeSet<(String, u16)> = edges
            .iter()
            .map(|((_, schema), edge)| (edge.to.clone(), schema.saturating_add(1)))
            .collect();
        for (event_type, schema) in ends {
            let goes_on = edges.contains_key(&(event_type.clone(), schema));
            if !goes_on && !current.contains(&(event_type.as_str(), schema)) {
                return Err(UpcasterError::DeadEnd { event_type, schema });
            }
        }
        Ok(Upcasters { edges })
    }
}

/// The registry of upcasters: pure steps `(type, schema n) -> (type', schema n+1)`.
///
/// ```
/// use fleet_model::kernel::Upcasters;
/// use serde_json::json;
///
/// let upcasters = Upcasters::builder()
///     .step("gate.opened", 1, "gate.opened", |old| {
///         let door = old.get("door").cloned().ok_or("`door` is missing")?;
///         Ok(vec![json!({ "atDoor": door })])
///     })
///     .build(&[("gate.opened", 2)])?;
/// let now = upcasters.upcast("gate.opened", 1, json!({ "door": 4 })).unwrap();
/// assert_eq!(now[0].data, json!({ "atDoor": 4 }));
/// # Ok::<(), fleet_model::kernel::UpcasterError>(())
/// ```
#[derive(Default)]
pub struct Upcasters {
    edges: BTreeMap<(String, u16), Edge>,
}

impl std::fmt::Debug for Upcasters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.edges.keys()).finish()
    }
}

impl Upcasters {
    /// No step: every event is expected in its current schema.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            edges: BTreeMap::new(),
        }
    }

    /// Starts a registry.
    #[must_use]
    pub fn builder() -> UpcastersBuilder {
        UpcastersBuilder::default()
    }

    /// Whether a step leaves this type and schema.
    #[must_use]
    pub fn knows(&self, event_type: &str, schema: u16) -> bool {
        self.edges.contains_key(&(event_type.to_owned(), schema))
    }

    /// Takes stored data through every step that applies, in order.
    ///
    /// # Errors
    /// `kernel.upcast` when a step refuses the data.
    pub fn upcast(
        &self,
        event_type: &str,
        schema: u16,
        data: Value,
    ) -> Result<Vec<Upcasted>, UpcastError> {
        let mut done = Vec::new();
        // A stack, last first, keeps the order of what one step splits into.
        let mut open = vec![Upcasted {
            event_type: event_type.to_owned(),
            schema,
            data,
        }];
        while let Some(event) = open.pop() {
            let Some(edge) = self.edges.get(&(event.event_type.clone(), event.schema)) else {
                done.push(event);
                continue;
            };
            let Upcasted {
                event_type,
                schema,
                data,
            } = event;
            let parts = (edge.step)(data).map_err(|reason| UpcastError {
                event_type,
                schema,
                reason,
            })?;
            let next = |data| Upcasted {
                event_type: edge.to.clone(),
                schema: schema.saturating_add(1),
                data,
            };
            open.extend(parts.into_iter().rev().map(next));
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn same(value: Value) -> Result<Vec<Value>, String> {
        Ok(vec![value])
    }

    #[test]
    fn splitting_keeps_order_through_later_steps() {
        let upcasters = Upcasters::builder()
            .step("a.x", 1, "a.x", |value| {
                Ok(vec![json!([value, 1]), json!([value, 2])])
            })
            .step("a.x", 2, "a.y", same)
            .build(&[("a.y", 3)])
            .unwrap();
        let out = upcasters.upcast("a.x", 1, json!(0)).unwrap();
        let seen: Vec<_> = out
            .iter()
            .map(|e| (e.event_type.as_str(), e.schema, e.data.clone()))
            .collect();
        assert_eq!(seen, [("a.y", 3, json!([0, 1])), ("a.y", 3, json!([0, 2]))]);
    }

    #[test]
    fn duplicates_and_dead_ends_do_not_build() {
        let twice = Upcasters::builder()
            .step("a.x", 1, "a.x", same)
            .step("a.x", 1, "a.z", same);
        assert!(matches!(
            twice.build(&[("a.x", 2)]),
            Err(UpcasterError::Duplicate { .. })
        ));
        let nowhere = Upcasters::builder().step("a.x", 1, "a.x", same);
        assert!(matches!(
            nowhere.build(&[("a.x", 3)]),
            Err(UpcasterError::DeadEnd { .. })
        ));
    }

    #[test]
    fn a_refusal_names_type_and_schema() {
        let upcasters = Upcasters::builder()
            .step("a.x", 1, "a.x", |_| Err("no".to_owned()))
            .build(&[("a.x", 2)])
            .unwrap();
        let error = upcasters.upcast("a.x", 1, json!(null)).unwrap_err();
        assert_eq!(error.to_string(), "upcasting `a.x` from schema 1: no");
    }
}
