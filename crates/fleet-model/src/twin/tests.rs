//! The document that lists what differs between the protocols.

use super::*;
use crate::limits::Limits;

#[test]
fn the_printed_table_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/twin-profiles.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table = Profile::table(&Limits::default());
    assert!(
        document.contains(&table),
        "docs/twin-profiles.md must hold:\n{table}"
    );
}

#[test]
fn every_code_is_listed_once() {
    let mut codes: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), CODES.len());
}
