//! Texts of twin, module and job queries: refused, or print and read back, and run.
#![no_main]
use fleet_query::Dialect;
use libfuzzer_sys::fuzz_target;

#[path = "../shared/query.rs"]
mod query;

fuzz_target!(|text: &str| {
    query::check(text, Dialect::IotHub);
    query::check(
        &format!("SELECT * FROM devices WHERE {text}"),
        Dialect::IotHub,
    );
    query::check(text, Dialect::IotHubModules);
    query::check(text, Dialect::IotHubJobs);
});
