//! What decisions about devices and modules see of all the others.

use fleet_model::id::{ModuleId, RecordName};
use fleet_model::identity::{EdgeFacts, ModuleEvent, Status};
use fleet_model::kernel::{DecodeError, Recorded};
use fleet_model::thing::Event;
use std::collections::{BTreeMap, BTreeSet};

use super::Model;
use crate::log::decode_family;

/// Edge devices with their children, modules by device, and counts.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Identities {
    devices: usize,
    disabled: BTreeSet<String>,
    scopes: BTreeMap<String, RecordName>,
    own_scope: BTreeMap<RecordName, String>,
    parents: BTreeMap<RecordName, RecordName>,
    children: BTreeMap<RecordName, BTreeSet<RecordName>>,
    modules: BTreeMap<String, BTreeSet<ModuleId>>,
    module_count: usize,
}

impl Identities {
    /// Devices and modules together.
    pub(crate) fn count(&self) -> usize {
        self.devices + self.module_count
    }

    /// Devices in all, and those that are disabled.
    pub(crate) fn devices(&self) -> (usize, usize) {
        (self.devices, self.disabled.len())
    }

    /// The modules of a device, without system modules.
    pub(crate) fn modules(&self, device: &str) -> impl Iterator<Item = &ModuleId> {
        self.modules.get(device).into_iter().flatten()
    }

    /// The edge device that has a scope.
    pub(crate) fn edge(&self, scope: &str) -> Option<EdgeFacts> {
        let device = self.scopes.get(scope)?.clone();
        Some(EdgeFacts {
            children: self.children.get(&device).map_or(0, BTreeSet::len),
            ancestors: self.above(&device),
            device,
        })
    }

    fn above(&self, device: &RecordName) -> Vec<RecordName> {
        let mut found = Vec::new();
        let mut next = self.parents.get(device);
        while let Some(parent) = next.filter(|parent| !found.contains(*parent)) {
            found.push(parent.clone());
            next = self.parents.get(parent);
        }
        found
    }

    /// Generations of edge devices below a device.
    pub(crate) fn generations_below(&self, device: &RecordName) -> usize {
        let mut generation = vec![device];
        let mut seen = BTreeSet::new();
        let mut depth = 0;
        loop {
            let below: Vec<&RecordName> = generation
                .iter()
                .filter_map(|parent| self.children.get(*parent))
                .flatten()
                .filter(|child| {
                    self.own_scope.contains_key(*child) && seen.insert((*child).clone())
                })
                .collect();
            if below.is_empty() {
                return depth;
            }
            depth += 1;
            generation = below;
        }
    }

    fn unlink(&mut self, device: &RecordName) {
        if let Some(parent) = self.parents.remove(device)
            && let Some(children) = self.children.get_mut(&parent)
        {
            children.remove(device);
            if children.is_empty() {
                self.children.remove(&parent);
            }
        }
        if let Some(scope) = self.own_scope.remove(device) {
            self.scopes.remove(&scope);
        }
        self.disabled.remove(device.as_str());
    }
}

impl Model for Identities {
    const CATEGORIES: &'static [&'static str] = &["thing", "module"];

    fn fold(&mut self, recorded: &Recorded) -> Result<(), DecodeError> {
        if recorded.stream.category() == "module" {
            for event in decode_family::<ModuleEvent>(recorded)? {
                match event {
                    ModuleEvent::Created(written) => {
                        let device = written.identity.device.as_str().to_owned();
                        let modules = self.modules.entry(device).or_default();
                        self.module_count += usize::from(modules.insert(written.identity.module));
                    }
                    ModuleEvent::Deleted(deleted) => {
                        let device = deleted.device.as_str();
                        if let Some(modules) = self.modules.get_mut(device) {
                            self.module_count -= usize::from(modules.remove(&deleted.module));
                            if modules.is_empty() {
                                self.modules.remove(device);
                            }
                        }
                    }
                    ModuleEvent::Updated(_) => {}
                }
            }
            return Ok(());
        }
        // Most events of things say nothing of identities: they are not decoded.
        match recorded.event.event_type.as_str() {
            "thing.created" => {
                self.devices += 1;
                return Ok(());
            }
            "thing.deleted" => {
                self.devices = self.devices.saturating_sub(1);
                let name = recorded.stream.raw_key();
                let modules = self.modules.remove(&name);
                self.module_count -= modules.map_or(0, |modules| modules.len());
                if let Ok(name) = name.parse() {
                    self.unlink(&name);
                }
                return Ok(());
            }
            "device.identity_written" => {}
            _ => return Ok(()),
        }
        for event in decode_family::<Event>(recorded)? {
            let Event::IdentityWritten(written) = event else {
                continue;
            };
            let (name, identity) = (written.name, written.identity);
            self.unlink(&name);
            if identity.status == Status::Disabled {
                self.disabled.insert(name.as_str().to_owned());
            }
            if let Some(scope) = identity.own_scope.filter(|_| identity.iot_edge) {
                self.scopes.insert(scope.clone(), name.clone());
                self.own_scope.insert(name.clone(), scope);
            }
            if let Some(parent) = identity.parent {
                let children = self.children.entry(parent.device.clone()).or_default();
                children.insert(name.clone());
                self.parents.insert(name, parent.device);
            }
        }
        Ok(())
    }
}
