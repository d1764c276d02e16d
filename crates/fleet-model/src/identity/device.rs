//! Device identities: the IoT Hub face of a record, in the same stream as its AWS face.

use super::{Authentication, IdentityError, IdentityEtag};
use crate::id::{RecordName, ThingId};
use crate::kernel::{Context, Decider, Refused, Timestamp};
use crate::thing::{self, Created, Event, Record, Thing};
use crate::twin::hub::IfMatch;
use serde::{Deserialize, Serialize};

/// Whether the device may use device-facing operations.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It may.
    #[default]
    Enabled,
    /// Every device-facing operation is refused.
    Disabled,
}

impl Status {
    /// `enabled` or `disabled`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

/// The edge device above another device.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parent {
    /// The edge device.
    pub device: RecordName,
    /// Its scope.
    pub scope: String,
}

/// The IoT Hub identity of a record. Spec: Azure 1.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceIdentity {
    /// Moves with every identity write.
    pub etag: IdentityEtag,
    /// Enabled or disabled.
    pub status: Status,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_reason: Option<String>,
    /// When the status last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_updated_at: Option<Timestamp>,
    /// How it proves itself.
    pub authentication: Authentication,
    /// Whether it is edge-enabled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub iot_edge: bool,
    /// The scope that it got when it first was edge-enabled; it never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_scope: Option<String>,
    /// The edge device above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

impl DeviceIdentity {
    /// The identity of a record that the AWS face created: enabled, symmetric keys that nobody has yet.
    #[must_use]
    pub fn new(id: ThingId) -> Self {
        Self {
            etag: IdentityEtag::first(id.as_uuid()),
            status: Status::Enabled,
            status_reason: None,
            status_updated_at: None,
            authentication: Authentication::Sas { keys: None },
            iot_edge: false,
            own_scope: None,
            parent: None,
        }
    }

    /// The scope that the document shows: its own for an edge device, its parent's for a leaf.
    #[must_use]
    pub fn device_scope(&self) -> Option<&str> {
        if self.iot_edge {
            self.own_scope.as_deref()
        } else {
            self.parent.as_ref().map(|parent| parent.scope.as_str())
        }
    }

    /// The scope of its parent, as `parentScopes` shows it.
    #[must_use]
    pub fn parent_scopes(&self) -> Vec<String> {
        self.parent
            .iter()
            .map(|parent| parent.scope.clone())
            .collect()
    }

    /// Refuses device-facing operations of a disabled device.
    ///
    /// # Errors
    /// `device.disabled`.
    pub fn admits(&self, device: &RecordName) -> Result<(), IdentityError> {
        match self.status {
            Status::Enabled => Ok(()),
            Status::Disabled => Err(IdentityError::DeviceDisabled {
                device: device.to_string(),
            }),
        }
    }
}

/// `device.identity_written`, schema 1: the identity after the write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityWritten {
    /// The record's name.
    pub name: RecordName,
    /// The life of the record.
    pub thing_id: ThingId,
    /// When.
    pub at: Timestamp,
    /// The whole identity; keys are handles.
    pub identity: DeviceIdentity,
}

/// What a create or replace request writes: the whole document.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceWrite {
    /// Enabled or disabled.
    pub status: Status,
    /// Why.
    pub status_reason: Option<String>,
    /// How it proves itself.
    pub authentication: Authentication,
    /// Whether it is edge-enabled.
    pub iot_edge: bool,
    /// For a leaf: the scope of its parent, `None` for none. Ignored for an edge device.
    pub device_scope: Option<String>,
    /// For an edge device: the scope of its parent, at most one. Ignored for a leaf.
    pub parent_scopes: Vec<String>,
}

/// A command to the IoT Hub face of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceCommand {
    /// The record.
    pub name: RecordName,
    /// What to do.
    pub action: DeviceAction,
}

/// What to do with a device.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceAction {
    /// PUT without `If-Match`: refused when the name is taken.
    Create {
        /// The id that a new record gets; also the `generationId`.
        id: ThingId,
        /// The document.
        write: DeviceWrite,
    },
    /// PUT with `If-Match`: replaces the document.
    Replace {
        /// The ETag that the identity must have.
        if_match: IfMatch,
        /// The document.
        write: DeviceWrite,
    },
    /// DELETE: ends the record, with its twin and its modules; `If-Match` is required.
    Delete {
        /// The ETag that the identity must have.
        if_match: Option<IfMatch>,
    },
}

/// What a decision sees of an edge device that a scope names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EdgeFacts {
    /// The edge device.
    pub device: RecordName,
    /// How many children it has.
    pub children: usize,
    /// The edge devices above it, nearest first.
    pub ancestors: Vec<RecordName>,
}

/// What a decision about a device sees of other streams.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DeviceView {
    /// Devices and modules of the hub.
    pub identities: usize,
    /// The edge device whose own scope is [`DeviceWrite::parent_scope`], `None` when there is none.
    pub edge: Option<EdgeFacts>,
    /// Generations of edge devices below the device: 0 when none of its children is one.
    pub edge_generations_below: usize,
}

impl DeviceWrite {
    /// The scope of the parent that the write asks for, which the caller looks up for [`DeviceView::edge`].
    #[must_use]
    pub fn parent_scope(&self) -> Option<&str> {
        if self.iot_edge {
            self.parent_scopes.first().map(String::as_str)
        } else {
            self.device_scope.as_deref()
        }
    }
}

/// The decider of a record's stream for the IoT Hub face; [`crate::thing::Things`] is that for the AWS face.
#[derive(Clone, Copy, Debug)]
pub struct Devices;

impl Decider for Devices {
    type State = Record;
    type Command = DeviceCommand;
    type Event = Event;
    type Error = Refused<IdentityError>;
    type View = DeviceView;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(
        state: &Record,
        command: DeviceCommand,
        context: &Context<'_, DeviceView>,
    ) -> Result<Vec<Event>, Refused<IdentityError>> {
        let DeviceCommand { name, action } = command;
        let found = state.thing().ok_or_else(|| IdentityError::DeviceNotFound {
            device: name.to_string(),
        });
        match action {
            DeviceAction::Create { id, write } => {
                if state.thing().is_some() {
                    return Err(IdentityError::DeviceAlreadyExists {
                        device: name.to_string(),
                    }
                    .into());
                }
                let limit = context.limits.identity.identities;
                if context.view.identities >= limit {
                    return Err(IdentityError::TooManyDevices { limit }.into());
                }
                let identity = written(&name, &DeviceIdentity::new(id), write, context)?;
                let created = Event::Created(Created {
                    name: name.clone(),
                    thing_id: id,
                    thing_type_name: None,
                    attributes: crate::attribute::Attributes::default(),
                    billing_group: None,
                    created_at: context.now,
                });
                Ok(vec![created, event(name, id, identity, context.now)])
            }
            DeviceAction::Replace { if_match, write } => {
                let thing = found?;
                thing.identity.etag.check(&if_match)?;
                let mut identity = written(&name, &thing.identity, write, context)?;
                identity.etag = thing.identity.etag.next();
                Ok(vec![event(name, thing.id, identity, context.now)])
            }
            DeviceAction::Delete { if_match } => {
                let if_match = if_match.ok_or(IdentityError::PreconditionMissing)?;
                let thing = found?;
                thing.identity.etag.check(&if_match)?;
                Ok(vec![thing.deletion()])
            }
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        thing::evolve(state, event)
    }
}

fn event(name: RecordName, thing_id: ThingId, identity: DeviceIdentity, at: Timestamp) -> Event {
    Event::IdentityWritten(IdentityWritten {
        name,
        thing_id,
        at,
        identity,
    })
}

/// Ticks of 100 ns since the year 1, as the service's scopes end.
const fn ticks(at: Timestamp) -> i64 {
    const EPOCH: i64 = 621_355_968_000_000_000;
    EPOCH.saturating_add(at.as_micros().saturating_mul(10))
}

/// The identity after a write: the document replaces, but for what the service owns.
fn written(
    name: &RecordName,
    before: &DeviceIdentity,
    write: DeviceWrite,
    context: &Context<'_, DeviceView>,
) -> Result<DeviceIdentity, Refused<IdentityError>> {
    let own_scope = match &before.own_scope {
        None if write.iot_edge => {
            Some(format!("ms-azure-iot-edge://{name}-{}", ticks(context.now)))
        }
        known => known.clone(),
    };
    let scope = if write.iot_edge {
        let mut scopes = write.parent_scopes.into_iter();
        let first = scopes.next();
        if let Some(second) = scopes.next() {
            return Err(IdentityError::InvalidScope {
                scope: second,
                reason: "a device has one parent",
            }
            .into());
        }
        first
    } else {
        write.device_scope
    };
    let parent = match scope {
        None => None,
        // A leaf that was an edge device may echo the scope that was its own.
        Some(scope) if own_scope.as_ref() == Some(&scope) && !write.iot_edge => None,
        Some(scope) => Some(parent(name, before, scope, write.iot_edge, context)?),
    };
    let status_updated_at = if write.status == before.status {
        before.status_updated_at
    } else {
        Some(context.now)
    };
    Ok(DeviceIdentity {
        etag: before.etag,
        status: write.status,
        status_reason: write.status_reason,
        status_updated_at,
        authentication: write.authentication,
        iot_edge: write.iot_edge,
        own_scope,
        parent,
    })
}

fn parent(
    name: &RecordName,
    before: &DeviceIdentity,
    scope: String,
    iot_edge: bool,
    context: &Context<'_, DeviceView>,
) -> Result<Parent, IdentityError> {
    let limits = &context.limits.identity;
    let refuse = |scope: &str, reason| {
        Err(IdentityError::InvalidScope {
            scope: scope
                .chars()
                .take(200)
                .flat_map(char::escape_debug)
                .collect(),
            reason,
        })
    };
    let Some(edge) = context.view.edge.clone() else {
        return refuse(&scope, "no edge device has it");
    };
    if edge.device == *name || edge.ancestors.contains(name) {
        return refuse(&scope, "the device would be above itself");
    }
    let already = before
        .parent
        .as_ref()
        .is_some_and(|parent| parent.device == edge.device);
    if !already && edge.children >= limits.children_per_parent {
        return refuse(&scope, "its device has as many children as it may");
    }
    if iot_edge {
        let below = context.view.edge_generations_below;
        // The parent's generation counts from 0 at the top; this device is one further down.
        if edge.ancestors.len() + 1 + below > limits.nesting_depth {
            return refuse(&scope, "edge devices would be nested too deeply");
        }
    }
    Ok(Parent {
        device: edge.device,
        scope,
    })
}

impl Thing {
    /// The `generationId` of its IoT Hub face: that of its life.
    #[must_use]
    pub fn generation_id(&self) -> String {
        self.id.to_string()
    }
}
