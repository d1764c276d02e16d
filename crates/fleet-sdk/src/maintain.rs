//! What is done with a fleet as a whole: verify and export.

use fleet_model::group;
use fleet_model::kernel::{DecodeError, Position, Recorded, WireEvent, decode};
use fleet_model::{
    billing_group, ca_certificate, certificate, identity, lifecycle, presence, thing, thing_type,
    twin,
};
use fleet_query::{Condition, Predicate, profile};
use fleet_store::port::LogRead;
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

use crate::read::{
    Branches, Catalog, CertificateModel, Identities, IndexFollower, Model, PresenceModel,
    Principals, Things,
};
use crate::refusal::Refusal;
use crate::{CallError, Fleet, Service};

/// How far a verification came, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VerifyReport {
    /// The last position looked at.
    pub position: u64,
    /// The log's end when the verification began.
    pub head: u64,
    /// Events read and decoded.
    pub events: u64,
    /// Streams that they belong to.
    pub streams: u64,
    /// What is wrong, in the order of the log; empty when all is well.
    pub problems: Vec<Problem>,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Problem {
    /// `store.corrupt`, `kernel.malformed_data`, `verify.invariant`, `verify.read_model` …
    pub code: String,
    /// Where in the log, where there is a place.
    pub position: Option<u64>,
    /// What was found.
    pub message: String,
}

/// The codes of verification.
pub const CODES: &[(&str, &str)] = &[
    (
        "verify.invariant",
        "the recorded history breaks a rule that every decision keeps",
    ),
    (
        "verify.read_model",
        "a read model differs from a fresh replay of the log",
    ),
];

/// Reads an event of one family, where it is one.
type Reader = fn(&Recorded) -> Option<Result<(), DecodeError>>;

/// Every type of event that a fleet records, with its current schema.
fn check_event(recorded: &Recorded) -> Result<(), DecodeError> {
    fn family<E: WireEvent>(recorded: &Recorded) -> Option<Result<(), DecodeError>> {
        let name = recorded.event.event_type.as_str();
        E::TYPES
            .iter()
            .any(|(known, _)| *known == name)
            .then(|| decode::<E>(recorded).map(|_| ()))
    }
    let readers: &[Reader] = &[
        family::<twin::TwinEvent>,
        family::<thing::Event>,
        family::<group::Event>,
        family::<thing_type::Event>,
        family::<billing_group::Event>,
        family::<certificate::Event>,
        family::<ca_certificate::Event>,
        family::<presence::PresenceEvent>,
        family::<identity::ModuleEvent>,
        family::<lifecycle::SwitchEvent>,
        family::<crate::indexing::IndexingEvent>,
    ];
    readers
        .iter()
        .find_map(|read| read(recorded))
        .unwrap_or_else(|| {
            Err(DecodeError::UnknownType {
                event_type: recorded.event.event_type.to_string(),
            })
        })
}

impl VerifyReport {
    fn found(&mut self, code: &str, position: Option<Position>, message: impl ToString) {
        // Damage that repeats is told of, not listed without end.
        if self.problems.len() < 1_000 {
            self.problems.push(Problem {
                code: code.to_owned(),
                position: position.map(|position| position.0),
                message: message.to_string(),
            });
        }
    }
}

impl Fleet {
    /// Walks the whole log: checksums and order (the store's own scrub), every event decoded, versions
    /// without gaps, the rules that decisions keep, and the read models against a fresh replay.
    ///
    /// `progress` hears of every page. Problems are told in the report; the walk goes on.
    ///
    /// # Errors
    /// The store's errors that end the walk.
    pub async fn verify(
        &self,
        progress: &mut (dyn FnMut(&VerifyReport) + Send),
    ) -> Result<VerifyReport, CallError> {
        let done = self.verify_log(progress).await;
        done.map_err(|refusal| refusal.into_error(Service::Iot))
    }

    async fn verify_log(
        &self,
        progress: &mut (dyn FnMut(&VerifyReport) + Send),
    ) -> Result<VerifyReport, Refusal> {
        let store = &self.log.store;
        let head = store.head().await?;
        let mut report = VerifyReport {
            head: head.0,
            ..VerifyReport::default()
        };
        let mut scanned = Position::ZERO;
        while scanned < head {
            let page = store.scrub(scanned, 10_000).await?;
            for damage in &page.damage {
                report.found("store.corrupt", None, damage);
            }
            if page.scanned_to <= scanned {
                break;
            }
            scanned = page.scanned_to;
        }
        let mut versions: HashMap<String, u64> = HashMap::new();
        let mut fresh = Replayed::default();
        let mut position = Position::ZERO;
        while position < head {
            let page = match store.read_all(LogRead::after(position).limit(2_000)).await {
                Ok(page) => page,
                Err(error) => {
                    report.found("store.corrupt", Some(position), error);
                    break;
                }
            };
            for recorded in page.events.iter().filter(|event| event.position <= head) {
                report.events += 1;
                let at = Some(recorded.position);
                let seen = versions
                    .entry(recorded.stream.as_str().to_owned())
                    .or_default();
                if recorded.version.0 != *seen + 1 {
                    let message = format!(
                        "stream `{}` goes from version {seen} to {}",
                        recorded.stream, recorded.version
                    );
                    report.found("kernel.version_gap", at, message);
                }
                *seen = recorded.version.0;
                if let Err(error) = check_event(recorded) {
                    report.found(fleet_model::kernel::ErrorCode::code(&error), at, error);
                    continue;
                }
                fresh.fold(recorded)?;
            }
            if page.scanned_to <= position {
                break;
            }
            position = page.scanned_to;
            report.position = position.0.min(head.0);
            report.streams = u64::try_from(versions.len()).unwrap_or(u64::MAX);
            progress(&report);
        }
        self.verify_invariants(&fresh.catalog, &fresh.things, &mut report);
        if store.head().await? == head && report.problems.is_empty() {
            self.verify_models(&fresh, &mut report).await?;
        }
        progress(&report);
        Ok(report)
    }

    fn verify_invariants(&self, catalog: &Catalog, things: &Things, report: &mut VerifyReport) {
        let limits = &self.options.limits;
        let mut roots: BTreeMap<u32, Vec<(group::GroupRef, String)>> = BTreeMap::new();
        for (name, record) in catalog.groups.after(None) {
            let Some(group) = record.group() else {
                continue;
            };
            if group.depth() > limits.group_depth {
                let message = format!("group `{name}` stands at level {}", group.depth());
                report.found("verify.invariant", None, message);
            }
            let facts = group.facts();
            let root = facts.root().cloned().unwrap_or_else(|| group.reference());
            for number in things.members(group.id).into_iter().flatten() {
                let held = roots.entry(number).or_default();
                held.push((root.clone(), name.to_owned()));
            }
        }
        for (name, row) in things.after(None) {
            let count = if things.type_of(row).is_some() {
                limits.attributes_typed
            } else {
                limits.attributes_untyped
            };
            if row.attributes.len() > count {
                let message = format!("thing `{name}` has {} attributes", row.attributes.len());
                report.found("verify.invariant", None, message);
            }
            let held = things
                .number(name)
                .and_then(|number| roots.get_mut(&number));
            let Some(held) = held else { continue };
            if held.len() > limits.groups_per_thing {
                let message = format!("thing `{name}` is in {} groups", held.len());
                report.found("verify.invariant", None, message);
            }
            held.sort();
            if held
                .windows(2)
                .any(|pair| matches!(pair, [a, b] if a.0 == b.0))
            {
                let message = format!("thing `{name}` is twice in one hierarchy");
                report.found("verify.invariant", None, message);
            }
        }
    }

    /// Every read model that this fleet keeps against the fresh replay.
    async fn verify_models(
        &self,
        fresh: &Replayed,
        report: &mut VerifyReport,
    ) -> Result<(), Refusal> {
        let held = self.view().await?;
        let anew = IndexFollower::default().view(&self.log, None).await?;
        let models = [
            (
                "catalogue of groups",
                self.catalog(|held| *held == fresh.catalog).await?,
            ),
            (
                "listing of things",
                self.things(|held| *held == fresh.things).await?,
            ),
            (
                "list of named shadows and module twins",
                self.branches(|held| *held == fresh.branches).await?,
            ),
            (
                "list of identities",
                self.identities(|held| *held == fresh.identities).await?,
            ),
            (
                "list of connected clients",
                self.presence(|held| *held == fresh.presence).await?,
            ),
            (
                "list of principals",
                self.principals(|held| *held == fresh.principals).await?,
            ),
            (
                "list of certificates",
                self.certificates(|held| *held == fresh.certificates)
                    .await?,
            ),
            (
                "index of devices",
                held.devices.documents().eq(anew.devices.documents()),
            ),
            (
                "index of modules",
                held.modules.documents().eq(anew.modules.documents()),
            ),
            (
                "index of groups",
                held.groups.documents().eq(anew.groups.documents()),
            ),
        ];
        for (name, _) in models.iter().filter(|(_, same)| !same) {
            report.found(
                "verify.read_model",
                None,
                format_args!("the {name} differs from a replay"),
            );
        }
        Ok(())
    }

    /// Gives every device as one line of JSON that an import takes back, in the order of ids.
    ///
    /// Own attributes and static groups stand in it, not what is inherited. The number of devices.
    ///
    /// # Errors
    /// The store's errors; `import.unreadable` when `write` fails.
    pub async fn export(
        &self,
        write: &mut (dyn FnMut(&str) -> std::io::Result<()> + Send),
    ) -> Result<u64, CallError> {
        let done = self.export_lines(write).await;
        done.map_err(|refusal| refusal.into_error(Service::IotHub))
    }

    async fn export_lines(
        &self,
        write: &mut (dyn FnMut(&str) -> std::io::Result<()> + Send),
    ) -> Result<u64, Refusal> {
        let devices = self.view().await?.devices;
        let everything = Condition::new(&profile::IOT_HUB, Predicate::TRUE);
        let (mut after, mut count) = (None::<String>, 0);
        loop {
            let start = after.as_deref().map(|id| (id, ""));
            let mut page = devices.own_page(&everything, start, 500)?;
            if page.is_empty() {
                return Ok(count);
            }
            self.static_groups_only(&mut page).await?;
            for document in page {
                after = document
                    .get("deviceId")
                    .and_then(Value::as_str)
                    .map(str::to_owned);
                count += 1;
                write(&document.to_string()).map_err(|error| {
                    Refusal::new("import.unreadable", format!("the output failed: {error}"))
                })?;
            }
        }
    }

    /// Takes the names of dynamic and billing groups out of documents.
    async fn static_groups_only(&self, page: &mut [Value]) -> Result<(), Refusal> {
        let is_static = self
            .catalog(|catalog| {
                let groups = catalog.groups.after(None);
                let groups = groups.filter_map(|(_, record)| record.group());
                let names = groups.filter(|group| !group.is_dynamic());
                names
                    .map(|group| group.name.to_string())
                    .collect::<std::collections::HashSet<_>>()
            })
            .await?;
        for document in page {
            if let Some(Value::Array(names)) = document.get_mut("thingGroupNames") {
                names.retain(|name| name.as_str().is_some_and(|name| is_static.contains(name)));
            }
        }
        Ok(())
    }
}

/// Every read model that is a fold of the log, from its beginning.
#[derive(Default)]
struct Replayed {
    catalog: Catalog,
    things: Things,
    branches: Branches,
    identities: Identities,
    presence: PresenceModel,
    principals: Principals,
    certificates: CertificateModel,
}

impl Replayed {
    fn fold(&mut self, recorded: &Recorded) -> Result<(), Refusal> {
        fold(&mut self.catalog, recorded)?;
        fold(&mut self.things, recorded)?;
        fold(&mut self.branches, recorded)?;
        fold(&mut self.identities, recorded)?;
        fold(&mut self.presence, recorded)?;
        fold(&mut self.principals, recorded)?;
        fold(&mut self.certificates, recorded)
    }
}

fn fold<M: Model>(model: &mut M, recorded: &Recorded) -> Result<(), Refusal> {
    if M::CATEGORIES.contains(&recorded.stream.category()) {
        model.fold(recorded)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Caller, Options};
    use fleet_store::memory::MemoryStore;
    use pollster::block_on;
    use serde_json::json;
    use std::sync::Arc;

    fn fleet(things: &[&str]) -> Fleet {
        let start = Options::seeded(1).clock.now();
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || start));
        let fleet = block_on(Fleet::open(Arc::new(store), Options::seeded(1))).unwrap();
        let ops = Caller::new("user:ops".parse().unwrap());
        let call = |op: &str, params: Value| {
            block_on(fleet.call_json(op, params, &ops)).result.unwrap();
        };
        for thing in things {
            call("CreateThingGroup", json!({ "thingGroupName": thing }));
            call("CreateThing", json!({ "thingName": thing }));
        }
        let page = block_on(fleet.verify(&mut |_| ())).unwrap();
        assert_eq!(page.problems, []);
        fleet
    }

    #[test]
    fn a_read_model_that_differs_from_a_replay_is_told() {
        // Both logs are of one length, so that neither fleet reads on.
        let (one, other) = (fleet(&["a", "b"]), fleet(&["c", "d"]));
        one.spoil(&other);
        let report = block_on(one.verify(&mut |_| ())).unwrap();
        let told: Vec<&str> = report.problems.iter().map(|p| p.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "the catalogue of groups differs from a replay",
                "the listing of things differs from a replay"
            ]
        );
    }
}
