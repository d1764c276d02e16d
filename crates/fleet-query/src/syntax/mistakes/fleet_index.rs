//! Mistakes in the AWS index language: mostly what Lucene has and it has not.

use super::super::fleet_index::refused;
use super::{Known, known, last_word, token, unclosed};
use crate::dialect::Dialect;

/// What is known of the place between `before` and `rest`.
pub(super) fn mistake(before: &str, rest: &str) -> Option<Known> {
    if before.is_empty() && rest.is_empty() {
        return known("the query is empty", "write `*` for every thing");
    }
    if rest.starts_with("==") || rest.starts_with('=') && before.is_empty() {
        return known(
            "`=` is not an operator of this dialect",
            "write `field:value`",
        );
    }
    if rest.starts_with(')') && unclosed(before, Dialect::Aws).is_none() {
        return known(
            "the bracket has no opening one",
            "leave it away, or open one before it",
        );
    }
    let last = last_word(before);
    if matches!(last.as_str(), "AND" | "OR" | "NOT") && rest.is_empty() {
        return known(
            format!("{last} needs a condition after it"),
            "to search for the word itself, quote it",
        );
    }
    let next = token(rest).to_ascii_uppercase();
    if matches!(next.as_str(), "AND" | "OR") {
        return known(
            format!("{next} needs a condition before and after it"),
            "to search for the word itself, quote it",
        );
    }
    if before.ends_with(['<', '>', '=']) {
        return known(
            "an order compares with a number",
            "write `field > 5` (times are milliseconds since 1970); texts have ranges: `field:[\"a\" TO *]`",
        );
    }
    if before.ends_with(':') && rest.starts_with(['<', '>']) {
        return known(
            "an order stands without a colon",
            "write `field > 5` or `field:[5 TO *]`",
        );
    }
    if rest.starts_with('"') && !rest.get(1..).unwrap_or_default().contains('"') {
        return known("the text has no closing quote", "end it with `\"`");
    }
    if rest.starts_with(['[', '{']) {
        return known(NO_RANGE, RANGE);
    }
    if before.ends_with(['[', '{']) {
        return Some(Known {
            message: NO_RANGE.into(),
            help: RANGE.into(),
            back: 1,
        });
    }
    term(before, rest)
}

/// What is known of the word that the place stands in or after.
fn term(before: &str, rest: &str) -> Option<Known> {
    let term = before
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | ')'))
        .next()
        .unwrap_or_default();
    let whole = |message: &str, help: &str| {
        Some(Known {
            message: message.into(),
            help: help.into(),
            back: term.len(),
        })
    };
    if term.starts_with('+') {
        return whole(
            "`+` does not exist in this dialect",
            "leave it away: a space is AND, and `-` is NOT",
        );
    }
    if !rest.starts_with(':') {
        return None;
    }
    if term.starts_with('!') {
        return whole("`!` does not exist in this dialect", "write NOT or `-`");
    }
    if term == "*" && rest.starts_with(":*") {
        return whole(
            "`*:*` does not exist in this dialect",
            "write `*` for everything",
        );
    }
    if term.contains(['*', '?']) {
        return whole(
            "the name of a field has no wildcard",
            "a word without a field is looked for in every field",
        );
    }
    refused(term).map(|(_, message, help)| Known {
        message,
        help: help.into(),
        back: term.len(),
    })
}

const NO_RANGE: &str = "this is no range";
const RANGE: &str = "write `[low TO high]`: `[` includes, `{` excludes, `*` is an open end";
