//! Random commands to certificates and CA certificates, against an independent model.
//!
//! Spec: AWS 6.5, 6.6. `FLEET_CASES` raises the number of scripts.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

mod world;

use fleet_model::kernel::{Timestamp, WireEvent as _};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use world::World;

const ACCOUNT: &str = "123456789012";
const OTHER: &str = "210987654321";

type Step = (&'static str, Value);

fn id(n: u8) -> String {
    format!("{n:064x}")
}

fn arn(n: u8) -> String {
    format!("arn:aws:iot:us-east-1:{ACCOUNT}:cert/{}", id(n))
}

/// The rules again, over plain values.
#[derive(Clone, Debug, Default)]
struct Oracle {
    certificates: BTreeMap<String, Certificate>,
    /// Status of each CA certificate.
    cas: BTreeMap<String, &'static str>,
    /// Things, and how each principal is attached to them.
    things: BTreeMap<String, BTreeMap<String, bool>>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Certificate {
    status: String,
    owner: String,
    previous: Option<String>,
    policies: BTreeSet<String>,
    /// None: never transferred; true: the last transfer was accepted.
    transferred: Option<bool>,
    version: u64,
}

type Verdict = Result<usize, &'static str>;

impl Oracle {
    fn holders(&self, certificate: &str) -> Vec<(&String, bool)> {
        let held = |(thing, of): (_, &BTreeMap<String, bool>)| {
            of.get(certificate).map(|exclusive| (thing, *exclusive))
        };
        self.things.iter().filter_map(held).collect()
    }

    fn call(&mut self, op: &str, params: &Value) -> Verdict {
        let text = |name: &str| params[name].as_str().map(str::to_owned);
        if op.contains("CACertificate") {
            return self.ca(op, text("certificateId").unwrap(), params);
        }
        if op.ends_with("ThingPrincipal") || op.ends_with("Thing") {
            return self.thing(op, text("thingName").unwrap(), params);
        }
        let of_arn = text("target").map(|arn| arn.rsplit('/').next().unwrap().to_owned());
        let name = of_arn.or_else(|| text("certificateId")).unwrap();
        if op.starts_with("RegisterCertificate") {
            let status = text("status").unwrap();
            if !["ACTIVE", "INACTIVE", "REVOKED"].contains(&status.as_str()) {
                return Err("certificate.initial_status");
            }
            if self.certificates.contains_key(&name) {
                return Err("certificate.already_exists");
            }
            if text("caCertificateId").is_some_and(|ca| !self.cas.contains_key(&ca)) {
                return Err("certificate.ca_not_found");
            }
            let certificate = Certificate {
                status,
                owner: ACCOUNT.to_owned(),
                version: 1,
                ..Certificate::default()
            };
            self.certificates.insert(name, certificate);
            return Ok(1);
        }
        let things = self.holders(&name).len();
        let found = self.certificates.get_mut(&name);
        let found = found.ok_or("certificate.not_found")?;
        let pending = found.status == "PENDING_TRANSFER";
        match op {
            "UpdateCertificate" => {
                let wanted = text("newStatus").unwrap();
                let settable = ["ACTIVE", "INACTIVE", "REVOKED"].contains(&wanted.as_str());
                let revoked = found.status == "REVOKED" && wanted != "REVOKED";
                match () {
                    () if !settable => return Err("certificate.status_not_settable"),
                    () if pending || revoked => return Err("certificate.state"),
                    () if found.status == wanted => return Ok(0),
                    () => found.status = wanted,
                }
            }
            "DeleteCertificate" => {
                if found.status == "ACTIVE" {
                    return Err("certificate.active");
                }
                if things > 0 {
                    return Err("certificate.things_attached");
                }
                if !found.policies.is_empty() && params["forceDelete"] != true {
                    return Err("certificate.policies_attached");
                }
                self.certificates.remove(&name);
                return Ok(1);
            }
            "TransferCertificate" => {
                if found.status == "ACTIVE" || pending {
                    return Err("certificate.state");
                }
                if things > 0 || !found.policies.is_empty() {
                    return Err("certificate.transfer_conflict");
                }
                found.status = "PENDING_TRANSFER".to_owned();
                found.transferred = Some(false);
            }
            "AcceptCertificateTransfer"
            | "RejectCertificateTransfer"
            | "CancelCertificateTransfer" => {
                if !pending {
                    return Err(if found.transferred == Some(true) {
                        "certificate.transfer_completed"
                    } else {
                        "certificate.no_transfer"
                    });
                }
                let active = params["setAsActive"] == true && op.starts_with("Accept");
                found.status = if active { "ACTIVE" } else { "INACTIVE" }.to_owned();
                if op.starts_with("Accept") {
                    found.transferred = Some(true);
                    found.previous = Some(std::mem::replace(&mut found.owner, OTHER.to_owned()));
                }
            }
            "AttachPolicy" => {
                let policy = text("policyName").unwrap();
                if !found.policies.contains(&policy) && found.policies.len() >= 2 {
                    return Err("certificate.too_many_policies");
                }
                return Ok(usize::from(found.policies.insert(policy)));
            }
            _ => {
                return Ok(usize::from(
                    found.policies.remove(&text("policyName").unwrap()),
                ));
            }
        }
        found.version += 1;
        Ok(1)
    }

    fn thing(&mut self, op: &str, name: String, params: &Value) -> Verdict {
        let known = self.things.get(&name).cloned();
        match op {
            "CreateThing" if known.is_some() => return Ok(0),
            "CreateThing" => {
                self.things.insert(name, BTreeMap::new());
                return Ok(1);
            }
            "DeleteThing" => {
                let Some(attached) = known else { return Ok(0) };
                if !attached.is_empty() {
                    return Err("thing.principals_attached");
                }
                self.things.remove(&name);
                return Ok(1);
            }
            _ => {}
        }
        let arn = params["principal"].as_str().unwrap();
        let principal = arn.rsplit('/').next().unwrap().to_owned();
        let attached = known.ok_or("thing.not_found")?;
        if op.starts_with("Detach") {
            let held = self.things.get_mut(&name).unwrap().remove(&principal);
            return Ok(usize::from(held.is_some()));
        }
        if !self.certificates.contains_key(&principal) {
            return Err("principal.not_found");
        }
        let exclusive = params["thingPrincipalType"] == "EXCLUSIVE_THING";
        if attached.get(&principal) == Some(&exclusive) {
            return Ok(0);
        }
        let others = self
            .holders(&principal)
            .into_iter()
            .filter(|(thing, _)| **thing != name);
        let others: Vec<_> = others.map(|(_, exclusive)| exclusive).collect();
        if exclusive && !others.is_empty() {
            return Err("principal.shared");
        }
        if others.contains(&true) {
            return Err("principal.exclusive");
        }
        self.things
            .get_mut(&name)
            .unwrap()
            .insert(principal, exclusive);
        Ok(1)
    }

    fn ca(&mut self, op: &str, name: String, params: &Value) -> Verdict {
        let count = self.cas.len();
        let found = self.cas.get_mut(&name);
        match (op, found) {
            ("RegisterCACertificate", found) => {
                let proof = params["verificationCertificate"].is_string();
                match (params["certificateMode"] == "SNI_ONLY", proof) {
                    (false, false) => return Err("ca_certificate.verification_missing"),
                    (true, true) => return Err("ca_certificate.verification_unexpected"),
                    _ => {}
                }
                if found.is_some() {
                    return Err("ca_certificate.already_exists");
                }
                if count >= 2 {
                    return Err("ca_certificate.too_many_with_subject");
                }
                let active = params["setAsActive"] == true;
                self.cas
                    .insert(name, if active { "ACTIVE" } else { "INACTIVE" });
                Ok(1)
            }
            (_, None) => Err("ca_certificate.not_found"),
            ("DeleteCACertificate", Some(status)) => {
                if *status == "ACTIVE" {
                    return Err("ca_certificate.active");
                }
                self.cas.remove(&name);
                Ok(1)
            }
            (_, Some(status)) => {
                let wanted = match params["newStatus"].as_str() {
                    Some("ACTIVE") => "ACTIVE",
                    _ => "INACTIVE",
                };
                Ok(usize::from(std::mem::replace(status, wanted) != wanted))
            }
        }
    }
}

fn certificate_step() -> impl Strategy<Value = Step> {
    let number = || 0..2u8;
    let status = || {
        select(
            &[
                "ACTIVE",
                "INACTIVE",
                "REVOKED",
                "PENDING_TRANSFER",
                "PENDING_ACTIVATION",
            ][..],
        )
    };
    let register = (number(), status(), proptest::option::weighted(0.3, 7..10u8)).prop_map(
        |(n, status, ca)| {
            let mut params =
                json!({"certificateId": id(n), "certificatePem": "pem", "status": status});
            if let Some(ca) = ca {
                params["caCertificateId"] = json!(id(ca));
            }
            ("RegisterCertificate", params)
        },
    );
    let update = (number(), status()).prop_map(|(n, status)| {
        (
            "UpdateCertificate",
            json!({"certificateId": id(n), "newStatus": status}),
        )
    });
    let delete = (number(), any::<bool>()).prop_map(|(n, force)| {
        (
            "DeleteCertificate",
            json!({"certificateId": id(n), "forceDelete": force}),
        )
    });
    let transfer = (
        select(
            &[
                "TransferCertificate",
                "TransferCertificate",
                "AcceptCertificateTransfer",
                "RejectCertificateTransfer",
                "CancelCertificateTransfer",
            ][..],
        ),
        number(),
        any::<bool>(),
    )
        .prop_map(|(op, n, active)| {
            (
                op,
                json!({"certificateId": id(n), "targetAwsAccount": OTHER, "setAsActive": active}),
            )
        });
    let policy = (
        select(&["AttachPolicy", "AttachPolicy", "DetachPolicy"][..]),
        number(),
        select(&["p", "q", "r"][..]),
    )
        .prop_map(|(op, n, p)| (op, json!({"target": arn(n), "policyName": p})));
    prop_oneof![2 => register, 3 => update, 1 => delete, 4 => transfer, 2 => policy]
}

fn other_step() -> impl Strategy<Value = Step> {
    let things = || select(&["t0", "t1"][..]);
    let thing = (
        select(&["CreateThing", "CreateThing", "DeleteThing"][..]),
        things(),
    )
        .prop_map(|(op, t)| (op, json!({"thingName": t})));
    let principal = (
        select(
            &[
                "AttachThingPrincipal",
                "AttachThingPrincipal",
                "DetachThingPrincipal",
            ][..],
        ),
        things(),
        0..2u8,
        select(&["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"][..]),
    )
        .prop_map(|(op, t, n, kind)| {
            (
                op,
                json!({"thingName": t, "principal": arn(n), "thingPrincipalType": kind}),
            )
        });
    let ca = (
        select(&["RegisterCACertificate", "RegisterCACertificate", "UpdateCACertificate", "DeleteCACertificate"][..]),
        7..10u8,
        any::<bool>(),
        proptest::option::weighted(0.8, Just("pem")),
        proptest::option::weighted(0.2, Just("SNI_ONLY")),
    )
        .prop_map(|(op, n, active, proof, mode)| {
            let status = if active { "ACTIVE" } else { "INACTIVE" };
            let params = json!({"certificateId": id(n), "caCertificate": "pem", "setAsActive": active,
                "verificationCertificate": proof, "certificateMode": mode, "newStatus": status});
            (op, params)
        });
    prop_oneof![2 => thing, 3 => principal, 2 => ca]
}

fn script() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        prop_oneof![2 => certificate_step(), 1 => other_step()],
        1..80,
    )
}

fn world() -> World {
    let mut world = World::new();
    world.limits.policies_per_principal = 2;
    world.limits.ca_certificates_per_subject = 2;
    world
}

fn cases() -> ProptestConfig {
    let cases = std::env::var("FLEET_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig::with_cases(cases.unwrap_or(128))
}

proptest! {
    #![proptest_config(cases())]

    /// Every answer and every state is that of the independent model, and histories replay.
    #[test]
    fn agrees_with_the_model_and_replays(script in script()) {
        let (mut world, mut oracle) = (world(), Oracle::default());
        for (n, (op, params)) in script.iter().enumerate() {
            world.now = Timestamp::from_secs(i64::try_from(n).unwrap());
            let found = world.call(op, params).map(|(_, events)| events.len());
            let found = found.map_err(|failure| failure.codes[0]);
            prop_assert_eq!(found, oracle.call(op, params), "{} {}", op, params);
            for n in 0..2 {
                let record = world.certificates.state(&id(n).parse().unwrap());
                let plain = record.certificate().map(|certificate| Certificate {
                    status: certificate.status.to_string(),
                    owner: certificate.owned_by.to_string(),
                    previous: certificate.previous_owned_by.as_ref().map(ToString::to_string),
                    policies: certificate.policies.iter().map(ToString::to_string).collect(),
                    transferred: oracle.certificates.get(&id(n)).and_then(|c| c.transferred),
                    version: certificate.version.0,
                });
                prop_assert_eq!(plain.as_ref(), oracle.certificates.get(&id(n)));
            }
        }
        world.assert_replays();
    }

    /// An exclusive principal has one thing, and a certificate that things have does not end.
    #[test]
    fn attachments_stay_within_their_rules(script in script()) {
        let mut world = world();
        for (op, params) in &script {
            let _ = world.call(op, params);
            for n in 0..2 {
                let principal = arn(n).parse().unwrap();
                let things = fleet_model::thing::View::principal_things(&world, &principal);
                let exclusive = things.iter().any(|held| held.kind == fleet_model::thing::AttachmentKind::Exclusive);
                prop_assert!(things.len() <= 1 || !exclusive);
                let known = fleet_model::thing::View::principal_exists(&world, &principal);
                prop_assert!(known || things.is_empty());
            }
        }
    }
}

/// The scripts reach every rule of the model and every kind of event: the properties are not vacuous.
#[test]
fn scripts_reach_every_rule() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..500 {
        let script = script().new_tree(&mut runner).unwrap().current();
        let mut world = world();
        for (op, params) in script {
            match world.call(op, &params) {
                Ok((_, events)) => seen.extend(events),
                Err(failure) => seen.extend(failure.codes),
            }
        }
    }
    let codes = [
        fleet_model::certificate::CODES,
        fleet_model::ca_certificate::CODES,
    ];
    let codes = codes.into_iter().flatten().map(|(code, _)| *code);
    let types = [
        fleet_model::certificate::Event::TYPES,
        fleet_model::ca_certificate::Event::TYPES,
    ];
    let types = types.into_iter().flatten().map(|(name, _)| *name);
    let elsewhere =
        |name: &&str| name.contains("tagged") || name.ends_with("config_set_and_removed");
    let missing: Vec<_> = codes
        .chain(types)
        .filter(|name| !elsewhere(name) && !seen.contains(name))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
