//! Module identities, each in a stream of its own (`module-<device>~2F<module>`).

use super::{Authentication, IdentityError, IdentityEtag};
use crate::id::{ModuleId, RecordName, ThingId};
use crate::kernel::{Context, Decider, NameError, Refused, StreamName, Timestamp};
use crate::twin::Incarnation;
use crate::twin::hub::IfMatch;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The ids of the modules that every edge device has.
pub const SYSTEM_MODULES: [&str; 2] = ["$edgeAgent", "$edgeHub"];

/// A module identity. It has no status of its own. Spec: Azure 1.3.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleIdentity {
    /// Its device.
    pub device: RecordName,
    /// The life of its device: a later one has none of its modules.
    pub device_life: ThingId,
    /// Its id.
    pub module: ModuleId,
    /// Its own life; the `generationId`.
    pub generation: Uuid,
    /// Moves with every identity write.
    pub etag: IdentityEtag,
    /// Who manages it, `iotEdge` for system modules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    /// How it proves itself.
    pub authentication: Authentication,
}

impl ModuleIdentity {
    /// The life of its twin.
    #[must_use]
    pub const fn incarnation(&self) -> Incarnation {
        Incarnation(self.generation)
    }
}

/// The stream of a module's identity.
///
/// # Errors
/// `kernel.invalid_name` when the escaped name is longer than 1024 bytes.
pub fn module_stream(device: &RecordName, module: &ModuleId) -> Result<StreamName, NameError> {
    StreamName::of("module", &format!("{device}/{module}"))
}

/// The modules that an edge device has by being one: `$edgeAgent` and `$edgeHub`.
///
/// Nothing records them; their lives derive from that of the device.
#[must_use]
pub fn system_modules(device: &RecordName, device_life: ThingId) -> Vec<ModuleIdentity> {
    let ids = SYSTEM_MODULES
        .iter()
        .filter_map(|id| id.parse::<ModuleId>().ok());
    ids.map(|module| {
        let generation = crate::kernel::EventId::derived(device_life.as_uuid(), module.as_str(), 0);
        ModuleIdentity {
            device: device.clone(),
            device_life,
            generation: generation.as_uuid(),
            etag: IdentityEtag::first(generation.as_uuid()),
            module,
            managed_by: Some("iotEdge".to_owned()),
            authentication: Authentication::None,
        }
    })
    .collect()
}

/// A module came to be, or its document was replaced (`module.created`, `module.updated`, schema 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleWritten {
    /// When.
    pub at: Timestamp,
    /// The whole identity; keys are handles.
    pub identity: ModuleIdentity,
}

/// A module ended (`module.deleted`, schema 1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleDeleted {
    /// When.
    pub at: Timestamp,
    /// Its device.
    pub device: RecordName,
    /// Its id.
    pub module: ModuleId,
    /// The life that ended.
    pub generation: Uuid,
}

/// An event of a module's stream.
#[derive(Clone, Debug, PartialEq)]
pub enum ModuleEvent {
    /// The module came to be.
    Created(ModuleWritten),
    /// Its document was replaced.
    Updated(ModuleWritten),
    /// It ended.
    Deleted(ModuleDeleted),
}

crate::wire_events!(ModuleEvent {
    Created(ModuleWritten) = "module.created" @ 1,
    Updated(ModuleWritten) = "module.updated" @ 1,
    Deleted(ModuleDeleted) = "module.deleted" @ 1,
});

/// What a create or replace request writes.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleWrite {
    /// How it proves itself.
    pub authentication: Authentication,
    /// Who manages it.
    pub managed_by: Option<String>,
}

/// A command to a module's identity.
#[derive(Clone, Debug, PartialEq)]
pub struct ModuleCommand {
    /// Its device.
    pub device: RecordName,
    /// Its id.
    pub module: ModuleId,
    /// What to do.
    pub action: ModuleAction,
}

/// What to do with a module.
#[derive(Clone, Debug, PartialEq)]
pub enum ModuleAction {
    /// PUT without `If-Match`: refused when the module exists.
    Create {
        /// The life that a new module gets.
        generation: Uuid,
        /// The document.
        write: ModuleWrite,
    },
    /// PUT with `If-Match`: replaces the document.
    Replace {
        /// The ETag that the identity must have.
        if_match: IfMatch,
        /// The document.
        write: ModuleWrite,
    },
    /// DELETE: `If-Match` is required.
    Delete {
        /// The ETag that the identity must have.
        if_match: Option<IfMatch>,
    },
}

/// What a decision about a module sees of other streams.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ModuleView {
    /// The life of the device, `None` when there is no device.
    pub device_life: Option<ThingId>,
    /// Modules of the device, without system modules.
    pub modules: usize,
    /// Devices and modules of the hub.
    pub identities: usize,
}

/// The state of a module's stream: the last identity, which its device may have outlived or not.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModuleRecord(Option<Box<ModuleIdentity>>);

impl ModuleRecord {
    /// The module, unless it was deleted; whether its device's life goes on is not asked.
    #[must_use]
    pub fn identity(&self) -> Option<&ModuleIdentity> {
        self.0.as_deref()
    }

    /// The module, unless it was deleted or its device's life ended.
    #[must_use]
    pub fn live(&self, device_life: Option<ThingId>) -> Option<&ModuleIdentity> {
        let identity = self.0.as_deref()?;
        (Some(identity.device_life) == device_life).then_some(identity)
    }
}

/// The decider of module identities.
#[derive(Clone, Copy, Debug)]
pub struct Modules;

impl Decider for Modules {
    type State = ModuleRecord;
    type Command = ModuleCommand;
    type Event = ModuleEvent;
    type Error = Refused<IdentityError>;
    type View = ModuleView;

    fn initial() -> ModuleRecord {
        ModuleRecord::default()
    }

    fn decide(
        state: &ModuleRecord,
        command: ModuleCommand,
        context: &Context<'_, ModuleView>,
    ) -> Result<Vec<ModuleEvent>, Refused<IdentityError>> {
        let ModuleCommand {
            device,
            module,
            action,
        } = command;
        if module.as_str().starts_with('$') {
            return Err(IdentityError::SystemModule {
                module: module.to_string(),
            }
            .into());
        }
        if matches!(action, ModuleAction::Delete { if_match: None }) {
            return Err(IdentityError::PreconditionMissing.into());
        }
        let Some(device_life) = context.view.device_life else {
            return Err(IdentityError::DeviceNotFound {
                device: device.to_string(),
            }
            .into());
        };
        let at = context.now;
        let live = state.live(Some(device_life));
        let found = live.ok_or_else(|| IdentityError::ModuleNotFound {
            device: device.to_string(),
            module: module.to_string(),
        });
        match action {
            ModuleAction::Create { generation, write } => {
                if live.is_some() {
                    return Err(IdentityError::ModuleAlreadyExists {
                        device: device.to_string(),
                        module: module.to_string(),
                    }
                    .into());
                }
                let limits = &context.limits.identity;
                if context.view.modules >= limits.modules_per_device {
                    return Err(IdentityError::TooManyModules {
                        device: device.to_string(),
                        limit: limits.modules_per_device,
                    }
                    .into());
                }
                if context.view.identities >= limits.identities {
                    let limit = limits.identities;
                    return Err(IdentityError::TooManyDevices { limit }.into());
                }
                Ok(vec![ModuleEvent::Created(ModuleWritten {
                    at,
                    identity: ModuleIdentity {
                        device,
                        device_life,
                        module,
                        generation,
                        etag: IdentityEtag::first(generation),
                        managed_by: write.managed_by,
                        authentication: write.authentication,
                    },
                })])
            }
            ModuleAction::Replace { if_match, write } => {
                let before = found?;
                before.etag.check(&if_match)?;
                Ok(vec![ModuleEvent::Updated(ModuleWritten {
                    at,
                    identity: ModuleIdentity {
                        etag: before.etag.next(),
                        managed_by: write.managed_by,
                        authentication: write.authentication,
                        ..before.clone()
                    },
                })])
            }
            ModuleAction::Delete { if_match } => {
                let before = found?;
                if let Some(if_match) = if_match {
                    before.etag.check(&if_match)?;
                }
                Ok(vec![ModuleEvent::Deleted(ModuleDeleted {
                    at,
                    device,
                    module,
                    generation: before.generation,
                })])
            }
        }
    }

    fn evolve(_: ModuleRecord, event: &ModuleEvent) -> ModuleRecord {
        ModuleRecord(match event {
            ModuleEvent::Created(event) | ModuleEvent::Updated(event) => {
                Some(Box::new(event.identity.clone()))
            }
            ModuleEvent::Deleted(_) => None,
        })
    }
}
