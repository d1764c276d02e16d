//! Mistakes in RSQL.

use super::{Known, known, last_word, open_quote};

/// What is known of the place between `before` and `rest`.
pub(super) fn mistake(before: &str, rest: &str) -> Option<Known> {
    if rest.starts_with('=') && !rest.starts_with("==") {
        return known(
            "`=` is not an operator of RSQL",
            "equality is `==`, order is `=lt=`, `=le=`, `=gt=`, `=ge=`",
        );
    }
    if before.is_empty() && rest.is_empty() {
        return known("the condition is empty", "write `id==*` for every device");
    }
    if rest.starts_with('!') && (before.is_empty() || before.ends_with(['(', ';', ','])) {
        return known("NOT does not exist in RSQL", NO_NOT);
    }
    let last = last_word(before);
    if last == "NOT" {
        return Some(Known {
            message: "NOT does not exist in RSQL".into(),
            help: NO_NOT.into(),
            back: last.len(),
        });
    }
    if before.ends_with("=isnull=") || before.ends_with("=null=") {
        return known(
            "the operator takes a value",
            "write `=is=null` or `=not=null`",
        );
    }
    let ends = rest.is_empty() || rest.starts_with([';', ',', ')']);
    if ends && before.ends_with(['=', '<', '>']) {
        return known(
            "the comparison has no value",
            "write one after it: `name==pump*`; the empty text is `''`",
        );
    }
    if let Some(open) = ["=in=[", "=out=["]
        .iter()
        .find_map(|operator| Some(before.rfind(operator)? + operator.len() - 1))
    {
        return Some(Known {
            message: "a list stands in round brackets".into(),
            help: "write `=in=(a,b)`".into(),
            back: before.len() - open,
        });
    }
    if before.ends_with('(') && rest.starts_with(')') {
        return known("nothing stands in the brackets", "write one value at least");
    }
    open_quote(rest)
}

const NO_NOT: &str = "write `!=`, `=out=(…)` or `=not=null`";
