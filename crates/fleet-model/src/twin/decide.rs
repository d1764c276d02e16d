//! Every rule of a twin.

use super::Payload;
use super::command::{Condition, TwinCommand};
use super::error::TwinError;
use super::event::{
    ConfigurationsChanged, Ended, Patched, Replaced, ShadowDeleted, TwinEvent, Writer,
};
use super::hub::IfMatch;
use super::hub::body::{self, Form};
use super::import::Imported;
use super::key::{Incarnation, TwinKey, TwinView};
use super::measure::json_bytes;
use super::section::{SectionChange, SectionName};
use super::shadow::request;
use super::state::{ShadowLife, TwinState};
use crate::kernel::{Context, Decider, Refused, Timestamp};
use serde_json::{Map, Value};

/// The aggregate of one twin: a device twin, a module twin or a named shadow.
///
/// One patch is one event, whichever protocol it came through. Spec: AWS 4, Azure 2, design 10.
#[derive(Clone, Copy, Debug)]
pub struct Twin;

impl Decider for Twin {
    type State = TwinState;
    type Command = TwinCommand;
    type Event = TwinEvent;
    type Error = Refused<TwinError>;
    type View = TwinView;

    fn initial() -> TwinState {
        TwinState::default()
    }

    fn decide(
        state: &TwinState,
        command: TwinCommand,
        context: &Context<'_, TwinView>,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        if let TwinCommand::End { incarnation } = command {
            return Ok(end(state, incarnation, context.now));
        }
        let now = state.in_life(context.view.incarnation, context.now);
        let decision = Decision {
            twin: &now,
            key: &context.view.key,
            context,
            incarnation: (context.view.incarnation != state.incarnation())
                .then_some(context.view.incarnation)
                .flatten(),
        };
        decision.decide(command)
    }

    fn evolve(mut state: TwinState, event: &TwinEvent) -> TwinState {
        state.apply(event);
        state
    }
}

fn end(state: &TwinState, incarnation: Option<Incarnation>, now: Timestamp) -> Vec<TwinEvent> {
    // A later life began already, or there is nothing to end.
    let later = state.incarnation().is_some() && state.incarnation() != incarnation;
    let nothing = state.incarnation().is_none()
        && state.version() == TwinState::default().version()
        && state.configurations().is_empty();
    if later || nothing {
        Vec::new()
    } else {
        vec![TwinEvent::Ended(Ended { at: now })]
    }
}

struct Decision<'a> {
    twin: &'a TwinState,
    key: &'a TwinKey,
    context: &'a Context<'a, TwinView>,
    incarnation: Option<Incarnation>,
}

impl Decision<'_> {
    fn decide(&self, command: TwinCommand) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let aws = matches!(
            command,
            TwinCommand::UpdateShadow { .. } | TwinCommand::DeleteShadow { .. }
        );
        let has_face = match self.key {
            TwinKey::Device(_) => true,
            TwinKey::Module(..) => !aws,
            TwinKey::Shadow(..) => aws,
        };
        if !has_face {
            return Err(TwinError::NoSuchFace {
                twin: self.key.to_string(),
            }
            .into());
        }
        match command {
            TwinCommand::UpdateShadow { payload } => self.update_shadow(payload),
            TwinCommand::DeleteShadow { client_token } => self.delete_shadow(client_token),
            TwinCommand::Patch {
                body,
                condition,
                writer,
            } => self.patch(body, condition, writer),
            TwinCommand::Replace { body, condition } => self.replace(body, condition),
            TwinCommand::PatchReported {
                body,
                expected_version,
            } => self.patch_reported(body, expected_version),
            TwinCommand::Import {
                tags,
                desired,
                reported,
                imported,
            } => self.import(tags, desired, reported, imported),
            TwinCommand::SetConfigurations { mut changes } => {
                let known = self.twin.configurations();
                changes.retain(|id, status| known.get(id) != status.as_ref());
                if changes.is_empty() {
                    return Ok(Vec::new());
                }
                Ok(vec![TwinEvent::ConfigurationsChanged(
                    ConfigurationsChanged {
                        at: self.context.now,
                        changes,
                        incarnation: self.incarnation,
                    },
                )])
            }
            TwinCommand::End { .. } => Ok(Vec::new()),
        }
    }

    fn next_shadow_version(&self) -> u64 {
        let tombstone = self.context.limits.shadow.tombstone_secs;
        self.twin
            .shadow_base(self.context.now, tombstone)
            .saturating_add(1)
    }

    /// The AWS version after a write of desired or reported; modules have no AWS face.
    fn shadow_version(&self, touched: bool) -> Option<u64> {
        (touched && self.key.module().is_none()).then(|| self.next_shadow_version())
    }

    fn patched(&self, via: Writer) -> Patched {
        Patched {
            at: self.context.now,
            via,
            tags: SectionChange::Keep,
            desired: SectionChange::Keep,
            reported: SectionChange::Keep,
            shadow_version: None,
            incarnation: self.incarnation,
            client_token: None,
            state_cleared: false,
        }
    }

    fn update_shadow(&self, payload: Payload) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let limits = &self.context.limits.shadow;
        let base = self
            .twin
            .shadow_base(self.context.now, limits.tombstone_secs);
        let update = request::read(payload, self.key, self.twin, base, limits)?;
        let event = Patched {
            desired: update.desired,
            reported: update.reported,
            state_cleared: update.state_cleared,
            client_token: update.client_token,
            shadow_version: Some(base.saturating_add(1)),
            ..self.patched(Writer::Shadow)
        };
        self.check_shadow_size(event)
    }

    /// Refuses what makes the state larger than allowed and than it was.
    fn check_shadow_size(&self, event: Patched) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let limit = self.context.limits.shadow.document_bytes;
        let before = request::state_bytes(self.twin);
        let added = |change: &SectionChange| match change {
            // The section's name, quotes, colon and comma come on top of its members.
            SectionChange::Merge(patch) => json_bytes(patch) + 16,
            SectionChange::Keep | SectionChange::Clear => 0,
        };
        let bound = before + added(&event.desired) + added(&event.reported);
        let event = TwinEvent::Patched(event);
        // A patch adds at most its own size, so that most writes need no merged copy.
        if bound > limit {
            let after = Twin::evolve(self.twin.clone(), &event);
            let size = request::state_bytes(&after);
            if size > limit && size > before {
                return Err(TwinError::ShadowTooLarge { size, limit }.into());
            }
        }
        Ok(vec![event])
    }

    fn delete_shadow(
        &self,
        client_token: Option<String>,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let limit = self.context.limits.shadow.client_token_bytes;
        if client_token
            .as_ref()
            .is_some_and(|token| token.len() > limit)
        {
            return Err(TwinError::ShadowInvalidClientToken { limit }.into());
        }
        let ShadowLife::Live { version, .. } = self.twin.shadow() else {
            return Err(TwinError::ShadowNotFound {
                name: self.key.shadow_label().to_owned(),
            }
            .into());
        };
        Ok(vec![TwinEvent::ShadowDeleted(ShadowDeleted {
            at: self.context.now,
            last_version: version,
            client_token,
        })])
    }

    fn check_condition(
        &self,
        condition: &Condition,
        body_etag: Option<String>,
    ) -> Result<(), TwinError> {
        let header = condition.if_match.clone();
        let if_match = header.or_else(|| body_etag.and_then(|etag| etag.parse::<IfMatch>().ok()));
        if let Some(if_match) = if_match
            && !if_match.holds(&self.twin.etag())
        {
            return Err(TwinError::PreconditionFailed {
                expected: if_match.as_str().to_owned(),
                actual: self.twin.etag().into_owned(),
            });
        }
        for (section, expected) in [
            (SectionName::Desired, condition.desired_version),
            (SectionName::Reported, condition.reported_version),
        ] {
            let actual = self.twin.section(section).version();
            if let Some(expected) = expected
                && expected != actual
            {
                return Err(TwinError::VersionConflict {
                    section,
                    expected,
                    actual,
                });
            }
        }
        Ok(())
    }

    fn patch(
        &self,
        body: Value,
        condition: Condition,
        writer: Writer,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let body = body::read(body, Form::Patch, self.twin, &self.context.limits.twin)?;
        self.check_condition(&condition, body.etag)?;
        if body.tags.is_keep() && body.desired.is_keep() {
            return Ok(Vec::new());
        }
        Ok(vec![TwinEvent::Patched(Patched {
            shadow_version: self.shadow_version(!body.desired.is_keep()),
            tags: body.tags,
            desired: body.desired,
            ..self.patched(writer)
        })])
    }

    fn replace(
        &self,
        body: Value,
        condition: Condition,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let body = body::read(body, Form::Whole, self.twin, &self.context.limits.twin)?;
        self.check_condition(&condition, body.etag)?;
        let whole = |change| match change {
            SectionChange::Merge(members) => Some(without_nulls(members)),
            SectionChange::Keep | SectionChange::Clear => Some(Map::new()),
        };
        Ok(vec![TwinEvent::Replaced(Replaced {
            at: self.context.now,
            via: Writer::Service,
            tags: whole(body.tags),
            desired: whole(body.desired),
            reported: None,
            imported: Imported::default(),
            shadow_version: self.shadow_version(true),
            incarnation: self.incarnation,
        })])
    }

    fn patch_reported(
        &self,
        body: Value,
        expected: Option<u64>,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let patch = body::read_section(
            body,
            Form::Patch,
            SectionName::Reported,
            self.twin.reported(),
            &self.context.limits.twin,
        )?;
        let condition = Condition {
            reported_version: expected,
            ..Condition::default()
        };
        self.check_condition(&condition, None)?;
        Ok(vec![TwinEvent::Patched(Patched {
            reported: SectionChange::Merge(patch),
            shadow_version: self.shadow_version(true),
            ..self.patched(Writer::Device)
        })])
    }

    fn import(
        &self,
        tags: Option<Map<String, Value>>,
        desired: Option<Map<String, Value>>,
        reported: Option<Map<String, Value>>,
        imported: Imported,
    ) -> Result<Vec<TwinEvent>, Refused<TwinError>> {
        let mut problems = crate::kernel::Problems::new();
        let mut read = |members: Option<Map<String, Value>>, name| {
            let members = Value::Object(members?);
            let section = self.twin.section(name);
            let limits = &self.context.limits.twin;
            match body::read_section(members, Form::Whole, name, section, limits) {
                Ok(members) => Some(without_nulls(members)),
                Err(refused) => {
                    problems.absorb(refused);
                    None
                }
            }
        };
        let tags = read(tags, SectionName::Tags);
        let desired = read(desired, SectionName::Desired);
        let reported = read(reported, SectionName::Reported);
        problems.finish()?;
        if tags.is_none() && desired.is_none() && reported.is_none() && imported.is_empty() {
            return Ok(Vec::new());
        }
        Ok(vec![TwinEvent::Replaced(Replaced {
            at: self.context.now,
            via: Writer::Import,
            shadow_version: self.shadow_version(desired.is_some() || reported.is_some()),
            tags,
            desired,
            reported,
            imported,
            incarnation: self.incarnation,
        })])
    }
}

/// Null members of a whole document are dropped, at every depth. Depth was checked.
fn without_nulls(members: Map<String, Value>) -> Map<String, Value> {
    members
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| match value {
            Value::Object(inner) => (name, Value::Object(without_nulls(inner))),
            other => (name, other),
        })
        .collect()
}
