//! No history and no stored data panics; every code that an error can have is listed.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use fleet_model::kernel::{Decider, WireEvent, replay};
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

fn golden(event_type: &str, schema: u16) -> Vec<u8> {
    let name = format!("tests/golden/{event_type}.v{schema}.json");
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The golden events of a family, in any order and number, fold without a panic.
fn folds<D: Decider>(order: &[usize])
where
    D::Event: WireEvent,
{
    let types = D::Event::TYPES;
    let event = |n: &usize| {
        let (event_type, schema) = types[n % types.len()];
        D::Event::from_data(event_type, &golden(event_type, schema)).unwrap()
    };
    let events: Vec<_> = order.iter().map(event).collect();
    let _ = replay::<D>(&events);
}

/// Stored data that is damaged in one place is an error or another event, never a panic.
fn reads<E: WireEvent>(damage: &[u8], at: usize) {
    for (event_type, schema) in E::TYPES {
        let mut data = golden(event_type, *schema);
        let at = at % data.len();
        for (n, byte) in damage.iter().enumerate() {
            if let Some(to) = data.get_mut(at + n) {
                *to = *byte;
            }
        }
        let _ = E::from_data(event_type, &data);
        data.truncate(at);
        let _ = E::from_data(event_type, &data);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_history_folds(order in prop::collection::vec(any::<usize>(), 0..40)) {
        folds::<fleet_model::thing::Things>(&order);
        folds::<fleet_model::group::Groups>(&order);
        folds::<fleet_model::thing_type::ThingTypes>(&order);
        folds::<fleet_model::billing_group::BillingGroups>(&order);
        folds::<fleet_model::certificate::Certificates>(&order);
        folds::<fleet_model::ca_certificate::CaCertificates>(&order);
    }

    #[test]
    fn damaged_data_is_no_panic(damage in "[\\[\\]{}\":,0-9a-z\\\\ ]{1,6}", at in any::<usize>()) {
        let damage = damage.as_bytes();
        reads::<fleet_model::thing::Event>(damage, at);
        reads::<fleet_model::group::Event>(damage, at);
        reads::<fleet_model::thing_type::Event>(damage, at);
        reads::<fleet_model::billing_group::Event>(damage, at);
        reads::<fleet_model::certificate::Event>(damage, at);
        reads::<fleet_model::ca_certificate::Event>(damage, at);
    }
}

/// The codes that `code()` gives, read from the source: text of the form `=> "area.name"`.
fn codes_of(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let arms = text.split("=> \"").skip(1);
    arms.filter_map(|arm| arm.split('"').next())
        .filter(|name| name.split('.').count() == 2 && !name.contains(' '))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_code_that_an_error_gives_is_listed() {
    let listed: BTreeSet<_> = [
        fleet_model::id::CODES,
        fleet_model::attribute::CODES,
        fleet_model::tag::CODES,
        fleet_model::thing::CODES,
        fleet_model::thing_type::CODES,
        fleet_model::group::CODES,
        fleet_model::billing_group::CODES,
        fleet_model::certificate::CODES,
        fleet_model::ca_certificate::CODES,
    ]
    .into_iter()
    .flatten()
    .map(|(code, _)| (*code).to_owned())
    .collect();
    let mut given: BTreeSet<_> = ["id.invalid".to_owned()].into();
    for file in [
        "attribute.rs",
        "tag.rs",
        "thing/error.rs",
        "thing_type/error.rs",
        "group/error.rs",
        "billing_group/mod.rs",
        "certificate/error.rs",
        "ca_certificate/error.rs",
    ] {
        let codes = codes_of(file);
        assert!(codes.len() >= 2, "{file} gives no codes");
        given.extend(codes);
    }
    assert_eq!(given, listed);
}
