//! Names in routing conditions that are probably something else: there a name swallows nearly every character.

use crate::diagnostic::{Code, Diagnostic, Span};

/// Warns of a name that is a member of the body or twin, a constant or everything elsewhere.
pub(super) fn doubtful(name: &str, span: Span, found: &mut Vec<Diagnostic>) {
    let root = name
        .split_once('.')
        .map(|(root, _)| root.to_ascii_lowercase());
    let constant = name.to_ascii_lowercase();
    let help = match (root.as_deref(), constant.as_str()) {
        (Some("body" | "twin"), _) => format!("a member of it is written `${name}`"),
        (Some("tags" | "properties"), _) => {
            format!("a member of the twin is written `$twin.{name}`")
        }
        (_, "true" | "false" | "null" | "undefined") => format!("write `{constant}`"),
        (_, "*") => "every message is `true`".to_owned(),
        _ => return swallowed(name, span, found),
    };
    let message = format!("`{name}` is read as the name of a property");
    found.push(Diagnostic::warning(Code::UnknownField, span, message).with_help(help));
}

/// Warns of a name that holds an operator.
pub(super) fn swallowed(name: &str, span: Span, found: &mut Vec<Diagnostic>) {
    let operators = ['!', '+', '*', '%', '&', '|'];
    if let Some(operator) = name.chars().find(|c| operators.contains(c)) {
        let message = format!("`{operator}` is read as part of the name `{name}`");
        found.push(
            Diagnostic::warning(Code::UnknownField, span, message)
                .with_help("operators need spaces around them: `a != 'x'`, `$body.a + 1`"),
        );
    }
}
