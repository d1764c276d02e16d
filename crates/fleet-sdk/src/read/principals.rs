//! Which things a principal is attached to.

use fleet_model::id::ThingName;
use fleet_model::kernel::{DecodeError, Recorded};
use fleet_model::thing::{AttachmentKind, Event, Principal, PrincipalThing};
use std::collections::BTreeMap;

use super::Model;
use crate::log::decode_family;

/// Attachments by principal, and the principals of each thing.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Principals {
    things: BTreeMap<Principal, BTreeMap<ThingName, AttachmentKind>>,
    principals: BTreeMap<String, Vec<Principal>>,
}

impl Principals {
    /// The things of a principal, by name.
    pub(crate) fn things(&self, principal: &Principal) -> Vec<PrincipalThing> {
        let things = self.things.get(principal).into_iter().flatten();
        things
            .map(|(thing, kind)| PrincipalThing {
                thing: thing.clone(),
                kind: *kind,
            })
            .collect()
    }

    fn detach(&mut self, thing: &ThingName, principal: &Principal) {
        if let Some(things) = self.things.get_mut(principal) {
            things.remove(thing);
            if things.is_empty() {
                self.things.remove(principal);
            }
        }
    }
}

impl Model for Principals {
    const CATEGORIES: &'static [&'static str] = &["thing"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        let wanted = [
            "thing.principal_attached",
            "thing.principal_detached",
            "thing.deleted",
        ];
        if !wanted.contains(&recorded.event.event_type.as_str()) {
            return Ok(());
        }
        for event in decode_family::<Event>(recorded)? {
            match event {
                Event::PrincipalAttached(event) => {
                    let Some(thing) = event.name.thing_name() else {
                        continue;
                    };
                    let principal = event.attachment.principal;
                    let held = self.principals.entry(thing.to_string()).or_default();
                    if !held.contains(&principal) {
                        held.push(principal.clone());
                    }
                    let things = self.things.entry(principal).or_default();
                    things.insert(thing, event.attachment.kind);
                }
                Event::PrincipalDetached(event) => {
                    let Some(thing) = event.name.thing_name() else {
                        continue;
                    };
                    self.detach(&thing, &event.attachment.principal);
                    if let Some(held) = self.principals.get_mut(thing.as_str()) {
                        held.retain(|principal| *principal != event.attachment.principal);
                        if held.is_empty() {
                            self.principals.remove(thing.as_str());
                        }
                    }
                }
                Event::Deleted(event) => {
                    let held = self.principals.remove(event.name.as_str());
                    if let Some(thing) = event.name.thing_name() {
                        for principal in held.into_iter().flatten() {
                            self.detach(&thing, &principal);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
