//! Which lifecycle messages are published. Spec: AWS 8.1.

use crate::kernel::{Context, Decider, ErrorCode, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! kinds {
    ($($variant:ident = $name:literal / $payload:literal,)+) => {
        /// A switch of the event configurations, `EventType` of the API.
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "each variant is the switch of that name")]
        pub enum EventKind {
            $(#[serde(rename = $name)] $variant,)+
        }

        impl EventKind {
            /// Every switch, in the order of the API.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name of the switch, `THING_GROUP`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The `eventType` of its payloads, `THING_GROUP_EVENT`.
            #[must_use]
            pub const fn payload_type(self) -> &'static str {
                match self { $(Self::$variant => $payload),+ }
            }
        }
    };
}

kinds! {
    Thing = "THING" / "THING_EVENT",
    ThingGroup = "THING_GROUP" / "THING_GROUP_EVENT",
    ThingType = "THING_TYPE" / "THING_TYPE_EVENT",
    ThingGroupMembership = "THING_GROUP_MEMBERSHIP" / "THING_GROUP_MEMBERSHIP_EVENT",
    ThingGroupHierarchy = "THING_GROUP_HIERARCHY" / "THING_GROUP_HIERARCHY_EVENT",
    ThingTypeAssociation = "THING_TYPE_ASSOCIATION" / "THING_TYPE_ASSOCIATION_EVENT",
    Job = "JOB" / "JOB",
    JobExecution = "JOB_EXECUTION" / "JOB_EXECUTION",
    Policy = "POLICY" / "POLICY",
    Certificate = "CERTIFICATE" / "CERTIFICATE",
    CaCertificate = "CA_CERTIFICATE" / "CA_CERTIFICATE",
}

impl std::str::FromStr for EventKind {
    type Err = SwitchError;

    fn from_str(text: &str) -> Result<Self, SwitchError> {
        let mut all = Self::ALL.iter();
        let found = all.find(|kind| kind.as_str() == text);
        found.copied().ok_or_else(|| SwitchError::UnknownEventType {
            found: text.chars().take(80).flat_map(char::escape_debug).collect(),
        })
    }
}

/// The stream of the switches.
pub const SWITCHES_STREAM: &str = "eventconfigurations-default";

/// The switches: all off at first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Switches {
    on: BTreeSet<EventKind>,
    created_at: Option<Timestamp>,
    updated_at: Option<Timestamp>,
}

impl Switches {
    /// Whether messages under `kind` are published; what has no switch always is.
    #[must_use]
    pub fn publishes(&self, kind: Option<EventKind>) -> bool {
        kind.is_none_or(|kind| self.on.contains(&kind))
    }

    /// `{eventConfigurations: {THING: {Enabled: true}, …}, creationDate?, lastModifiedDate?}`, dates in seconds.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let all: Map<_, _> = EventKind::ALL
            .iter()
            .map(|kind| {
                let enabled = self.on.contains(kind);
                (kind.as_str().to_owned(), json!({ "Enabled": enabled }))
            })
            .collect();
        let mut out = Map::new();
        out.insert("eventConfigurations".to_owned(), Value::Object(all));
        for (name, at) in [
            ("creationDate", self.created_at),
            ("lastModifiedDate", self.updated_at),
        ] {
            if let Some(at) = at {
                out.insert(name.to_owned(), at.as_secs_f64().into());
            }
        }
        Value::Object(out)
    }
}

/// `event_configurations.updated`, schema 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SwitchesUpdated {
    /// When.
    pub at: Timestamp,
    /// The switches that the request names, and whether they are on now; others stay.
    pub changes: BTreeMap<EventKind, bool>,
}

/// An event of the switches' stream.
#[derive(Clone, Debug, PartialEq)]
pub enum SwitchEvent {
    /// Switches were set.
    Updated(SwitchesUpdated),
}

crate::wire_events!(SwitchEvent {
    Updated(SwitchesUpdated) = "event_configurations.updated" @ 1,
});

/// `UpdateEventConfigurations`: switches by name.
#[derive(Clone, Debug, PartialEq)]
pub struct SwitchCommand {
    /// Whether each named switch is on from now on.
    pub changes: BTreeMap<String, bool>,
}

/// Why the switches were not set.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// No such switch. AWS: `InvalidRequestException`.
    #[error("event type `{found}` is not known: use one of THING, THING_GROUP, THING_TYPE, …")]
    UnknownEventType {
        /// As given.
        found: String,
    },
}

impl ErrorCode for SwitchError {
    fn code(&self) -> &'static str {
        match self {
            Self::UnknownEventType { .. } => "lifecycle.unknown_event_type",
        }
    }
}

/// The decider of the switches.
#[derive(Clone, Copy, Debug)]
pub struct SwitchesDecider;

impl Decider for SwitchesDecider {
    type State = Switches;
    type Command = SwitchCommand;
    type Event = SwitchEvent;
    type Error = SwitchError;
    type View = ();

    fn initial() -> Switches {
        Switches::default()
    }

    fn decide(
        _: &Switches,
        command: SwitchCommand,
        context: &Context<'_>,
    ) -> Result<Vec<SwitchEvent>, SwitchError> {
        let parsed = command.changes.into_iter();
        let changes: BTreeMap<EventKind, bool> = parsed
            .map(|(name, enabled)| Ok((name.parse()?, enabled)))
            .collect::<Result<_, SwitchError>>()?;
        Ok(vec![SwitchEvent::Updated(SwitchesUpdated {
            at: context.now,
            changes,
        })])
    }

    fn evolve(mut state: Switches, event: &SwitchEvent) -> Switches {
        let SwitchEvent::Updated(event) = event;
        for (kind, enabled) in &event.changes {
            if *enabled {
                state.on.insert(*kind);
            } else {
                state.on.remove(kind);
            }
        }
        state.created_at.get_or_insert(event.at);
        state.updated_at = Some(event.at);
        state
    }
}
