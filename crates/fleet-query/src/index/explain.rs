//! A plan in words.
use super::plan::{Codes, Leaf, Plan};
use super::state::State;
use crate::predicate::Predicate;
use crate::value::Truth;

/// What one step does, and the steps below it.
pub(crate) fn label<'a, 'q>(state: &State, plan: &'a Plan<'q>) -> (String, &'a [Plan<'q>]) {
    match plan {
        Plan::Everything(true) => ("every document".to_owned(), &[]),
        Plan::Everything(false) => ("nothing".to_owned(), &[]),
        Plan::Row(Some(row)) => (
            format!("id look-up of `{}`", state.id(*row).unwrap_or_default()),
            &[],
        ),
        Plan::Row(None) => ("id look-up, not found".to_owned(), &[]),
        Plan::Found { path, rows } => (
            format!("table of the texts of `{path}`: {} rows", rows.len()),
            &[],
        ),
        Plan::All(children) => ("all of, in this order".to_owned(), children),
        Plan::Any(children) => ("any of".to_owned(), children),
        Plan::Outside(inner) => (
            "documents outside of".to_owned(),
            std::slice::from_ref(&**inner),
        ),
        Plan::Leaf(leaf) => (leaf_label(leaf), &[]),
        Plan::Judge(judge) => (
            format!(
                "rebuild and evaluate where it is {}, because {}: {}",
                judge.want,
                judge.reason,
                name(judge.predicate)
            ),
            &[],
        ),
    }
}

fn leaf_label(leaf: &Leaf<'_>) -> String {
    let mut how = Vec::new();
    for codes in &leaf.codes {
        match codes {
            Codes::None => {}
            Codes::All => how.push("any shared text".to_owned()),
            Codes::Runs(runs) => {
                let codes: i64 = runs.iter().map(|(low, high)| high - low + 1).sum();
                how.push(format!("{codes} codes"));
            }
            Codes::Marked { marked, of, .. } => {
                how.push(format!("{marked} of {of} distinct texts"));
            }
        }
    }
    if !leaf.bounds.is_empty() {
        how.push(format!("{} number ranges", leaf.bounds.len()));
    }
    if leaf.test.undefined {
        how.push("rows without a value".to_owned());
    }
    if !leaf.elements.is_empty() {
        how.push(format!("{} array positions", leaf.elements.len()));
    }
    if !leaf.inherited.is_empty() {
        how.push("inherited values by membership".to_owned());
    }
    if leaf.nodes.is_empty() {
        how.push("no document has this path".to_owned());
    }
    let negated = if leaf.test.want == Truth::False {
        " is false"
    } else {
        ""
    };
    let mut what = format!("{}{negated}", name(leaf.test.leaf));
    for (predicate, want) in &leaf.also {
        let negated = if *want == Truth::False {
            " is false"
        } else {
            ""
        };
        what.push_str(&format!(" and {}{negated}", name(predicate)));
    }
    format!("scan `{}` {what}: {}", leaf.path, how.join(", "))
}

fn name(predicate: &Predicate) -> &'static str {
    match predicate {
        Predicate::Compare { .. } => "comparison",
        Predicate::In { .. } => "IN",
        Predicate::Range { .. } => "range",
        Predicate::Match { .. } => "pattern",
        Predicate::Defined { .. } => "existence",
        Predicate::Kind { .. } => "kind",
        Predicate::Holds { .. } => "truth of the field",
        Predicate::ArrayContains { .. } => "array element",
        Predicate::Near { .. } => "distance",
        Predicate::AnyField { .. } => "any field",
        Predicate::General(_) => "expression",
        Predicate::Constant(_) => "constant",
        Predicate::Not(_) | Predicate::And(_) | Predicate::Or(_) => "condition",
    }
}
