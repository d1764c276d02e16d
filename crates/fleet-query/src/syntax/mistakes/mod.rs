//! What to say where parsing stopped: what was expected, what was found, and the usual remedy.

mod fleet_index;
mod rsql;
mod sql;

use super::tree::{Stopped, Tag};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::Dialect;

/// The diagnostic for a text that does not follow its grammar.
pub(super) fn explain(stopped: &Stopped, text: &str, dialect: Dialect) -> Diagnostic {
    let mut at = stopped.at.min(text.len());
    let rest = text.get(at..).unwrap_or_default();
    at += rest.len() - rest.trim_start().len();
    let rest = rest.trim_start();
    let before = text.get(..at).unwrap_or_default().trim_end();
    let token = token(rest);
    let mut span = Span::new(at, at + token.len());
    let expected = expected(&stopped.expected);
    if let Some(known) = known_mistake(before, rest, dialect) {
        if known.back > 0 {
            span.start = before.len().saturating_sub(known.back);
        }
        return Diagnostic::error(Code::Syntax, span, known.message).with_help(known.help);
    }
    if let Some((open, bracket)) = unclosed(text, dialect)
        && (rest.is_empty() || bracket == '[' || dialect == Dialect::Rsql)
    {
        let close = if bracket == '[' { ']' } else { ')' };
        let span = Span::new(open, open + 1);
        return Diagnostic::error(Code::Syntax, span, "the bracket has no closing one")
            .with_help(format!("end it with `{close}`"));
    }
    let message = match (token.is_empty(), expected.is_empty()) {
        (true, true) => "the text ends too early".to_owned(),
        (true, false) => format!("the text ends where {expected} is expected"),
        (false, true) => format!("`{token}` cannot stand here"),
        (false, false) => format!("expected {expected}, found `{token}`"),
    };
    let found = Diagnostic::error(Code::Syntax, span, message);
    let beside = stopped.expected.contains(&Tag::and_word)
        && rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '\'' | '"' | '_'));
    match dialect {
        Dialect::Routing if beside => found.with_help(
            "conditions are joined with AND or OR, and operators need spaces around them: `a = 'x'`",
        ),
        Dialect::Routing if !token.is_empty() => {
            found.with_help("in routing conditions operators need spaces around them: `a = 'x'`")
        }
        Dialect::Rsql if stopped.expected.contains(&Tag::operator) => {
            found.with_help("the operators are == != =lt= =le= =gt= =ge= =in= =out= =is= =not=")
        }
        Dialect::Rsql if !token.is_empty() && stopped.expected.contains(&Tag::EOI) => {
            found.with_help("comparisons are joined with `;` (and) or `,` (or)")
        }
        _ if beside => found.with_help("conditions are joined with AND or OR"),
        _ => found,
    }
}

/// The last bracket that is never closed: where it stands and which it is. Quotes and `[[names]]` hold none.
fn unclosed(text: &str, dialect: Dialect) -> Option<(usize, char)> {
    let index = matches!(dialect, Dialect::Aws | Dialect::AwsGroups);
    let lists = !index && dialect != Dialect::Rsql;
    let mut open = Vec::new();
    // What ends a quote or a quoted name that is open.
    let mut until: Option<&str> = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        let here = text.get(at..).unwrap_or_default();
        match until {
            Some(_) if c == '\\' => drop(chars.next()),
            Some(end) if here.starts_with(end) => {
                until = None;
                if end == "]]" {
                    chars.next();
                }
            }
            Some(_) => {}
            None => match c {
                '"' => until = Some("\""),
                '\'' if !index => until = Some("'"),
                '[' if lists && here.starts_with("[[") => until = Some("]]"),
                '[' if lists => open.push((at, c)),
                '(' => open.push((at, c)),
                ']' if lists => drop(open.pop()),
                ')' => drop(open.pop()),
                _ => {}
            },
        }
    }
    open.pop()
}

/// The token that a rest of text begins with, for showing it.
fn token(rest: &str) -> &str {
    let word = rest
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '$')))
        .unwrap_or(rest.len());
    let length = if word > 0 {
        word
    } else {
        rest.chars().next().map_or(0, char::len_utf8)
    };
    let shown = rest.char_indices().nth(40).map_or(rest.len(), |(at, _)| at);
    rest.get(..length.min(shown)).unwrap_or_default()
}

fn expected(tags: &[Tag]) -> String {
    let mut words: Vec<&str> = tags.iter().filter_map(|tag| word(*tag)).collect();
    words.sort_unstable();
    words.dedup();
    // An operand can be so many things that one word is better.
    if words.contains(&"a field") {
        words.retain(|word| {
            !matches!(
                *word,
                "a number"
                    | "a text"
                    | "a constant"
                    | "a list in `[` `]`"
                    | "a parameter"
                    | "a function"
                    | "`-`"
                    | "NOT"
            )
        });
        words.retain(|word| *word != "a field");
        words.insert(0, "an operand");
    }
    // Operators that could go on are no help unless nothing else is expected.
    let essential: Vec<&str> = words
        .iter()
        .copied()
        .filter(|word| !matches!(*word, "an operator" | "`-`"))
        .collect();
    let words = if essential.is_empty() {
        words
    } else {
        essential
    };
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [init @ .., last] => format!("{} or {last}", init.join(", ")),
    }
}

fn word(tag: Tag) -> Option<&'static str> {
    Some(match tag {
        Tag::EOI => "the end of the text",
        Tag::path
        | Tag::bare_name
        | Tag::quoted_name
        | Tag::property
        | Tag::system
        | Tag::field
        | Tag::selector => "a field",
        Tag::number => "a number",
        Tag::string | Tag::quoted => "a text",
        Tag::word => "a constant",
        Tag::array => "a list in `[` `]`",
        Tag::parameter => "a parameter",
        Tag::call | Tag::function_name => "a function",
        Tag::not_word => "NOT",
        Tag::minus => "`-`",
        Tag::and_word | Tag::and_op => "AND",
        Tag::or_word | Tag::or_op => "OR",
        Tag::plus
        | Tag::times
        | Tag::divide
        | Tag::modulo
        | Tag::compare_op
        | Tag::equality_op
        | Tag::relation_op
        | Tag::concat_op
        | Tag::coalesce_op
        | Tag::in_word
        | Tag::nin_word
        | Tag::not_in
        | Tag::operator => "an operator",
        Tag::select_word => "SELECT",
        Tag::select_list | Tag::projection | Tag::aggregate | Tag::all => {
            "`*`, a field or an aggregate"
        }
        Tag::from_word => "FROM",
        Tag::collection => "a collection",
        Tag::where_word => "WHERE",
        Tag::group_word => "GROUP BY",
        Tag::by_word => "BY",
        Tag::top_count => "a number of rows",
        Tag::alias => "an alias",
        Tag::pattern | Tag::value | Tag::bare | Tag::argument | Tag::arguments => "a value",
        Tag::range | Tag::bound | Tag::bound_word => "a bound",
        Tag::range_close => "`]` or `}`",
        _ => return None,
    })
}

struct Known {
    message: String,
    help: String,
    /// How many bytes before the place belong to it.
    back: usize,
}

fn known(message: impl Into<String>, help: impl Into<String>) -> Option<Known> {
    Some(Known {
        message: message.into(),
        help: help.into(),
        back: 0,
    })
}

fn known_mistake(before: &str, rest: &str, dialect: Dialect) -> Option<Known> {
    match dialect {
        Dialect::Aws | Dialect::AwsGroups => fleet_index::mistake(before, rest),
        Dialect::Rsql => rsql::mistake(before, rest),
        _ => sql::mistake(before, rest, dialect),
    }
}

/// The word of letters, digits and `_` that a text ends with, in capitals.
fn last_word(before: &str) -> String {
    let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_'));
    word.take(1).collect::<String>().to_ascii_uppercase()
}

fn open_quote(rest: &str) -> Option<Known> {
    let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    if rest.get(1..).unwrap_or_default().contains(quote) {
        return None;
    }
    known(
        "the text has no closing quote",
        format!("end it with {quote}"),
    )
}
