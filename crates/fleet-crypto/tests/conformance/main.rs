//! Every vector suite, with a tally of agreed and disagreed cases. Each disagreement must stand,
//! explained, in `docs/crypto-conformance.md`; the last test keeps the two equal.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic
)]
mod manifest;
mod presign;
mod sas;
mod support;
mod tpm;
mod wycheproof_suites;
mod x509;

#[path = "../support/mod.rs"]
mod tools;

use std::collections::BTreeMap;
use support::{Suite, Tally};

/// Every suite, in the order of the document.
fn suites() -> Vec<Suite> {
    let mut suites = vec![];
    suites.extend(sas::suites());
    suites.extend(wycheproof_suites::suites());
    suites.extend(x509::suites());
    suites.extend(tpm::suites());
    suites.extend(presign::suites());
    suites.extend(manifest::suites());
    suites
}

const DOCUMENT: &str = include_str!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../docs/crypto-conformance.md"
));

/// The disagreements that the document lists: `- \`suite\` \`case\`: reason` lines.
fn documented() -> BTreeMap<(String, String), String> {
    let mut listed = BTreeMap::new();
    for line in DOCUMENT.lines() {
        let Some(rest) = line.strip_prefix("- `") else {
            continue;
        };
        let Some((suite, rest)) = rest.split_once("` `") else {
            continue;
        };
        let Some((case, reason)) = rest.split_once("`: ") else {
            continue;
        };
        assert!(reason.len() > 20, "no reason given: {line}");
        let key = (suite.to_owned(), case.to_owned());
        assert!(
            listed.insert(key, reason.to_owned()).is_none(),
            "listed twice: {line}"
        );
    }
    listed
}

#[test]
fn the_document_lists_exactly_the_disagreements() {
    let listed = documented();
    let (mut seen, mut skipped, mut wrong) = (0, vec![], vec![]);
    for suite in suites() {
        let name = suite.name;
        let Some(tally) = (suite.run)() else {
            println!("{name}: skipped: {}", suite.skip_reason);
            skipped.push(name);
            continue;
        };
        println!(
            "{name}: agreed {}, disagreed {}",
            tally.agreed,
            tally.disagreed.len()
        );
        let row = format!("| {name} | {} | {} |", tally.agreed, tally.disagreed.len());
        if !DOCUMENT.contains(&row) {
            wrong.push(row);
        }
        for (case, how) in &tally.disagreed {
            println!("    {case}: {how}");
            seen += 1;
            let reason = listed.get(&(name.to_owned(), case.clone()));
            if !reason.is_some_and(|reason| reason.starts_with(how)) {
                wrong.push(format!("- `{name}` `{case}`: {how}: why?"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/crypto-conformance.md lacks:\n{}",
        wrong.join("\n")
    );
    let of_skipped = listed
        .keys()
        .filter(|(suite, _)| skipped.contains(&suite.as_str()))
        .count();
    assert_eq!(
        seen + of_skipped,
        listed.len(),
        "the document lists what no longer disagrees"
    );
}

/// Shorthand for suites that must agree in full.
#[allow(dead_code)]
fn all_agree(tally: &Tally) {
    assert!(tally.disagreed.is_empty(), "{:#?}", tally.disagreed);
}
