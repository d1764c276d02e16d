//! What is wrong with a text that a person wrote, where, and what to write instead.

use serde::Serialize;

/// A byte range of the source text: `start..end`, on character boundaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The range `start..end`.
    #[must_use]
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest span that covers both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// Whether the text is refused, or only doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// The text cannot be run as written.
    Error,
    /// The text runs, but probably does not mean what it says.
    Warning,
}

macro_rules! codes {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $meaning:literal;)*) => {
        /// The stable reason of a diagnostic.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code { $(#[doc = $meaning] $name,)* }

        impl Code {
            /// The dotted name, which never changes.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }

        /// Every code of this crate with its one-line meaning.
        pub const CODES: &[(&str, &str)] = &[$(($code, $meaning),)*];
    };
}

codes! {
    Syntax = "query.syntax", "the text does not follow the grammar of its dialect";
    UnknownCollection = "query.unknown_collection", "FROM names a collection that does not exist";
    UnknownFunction = "query.unknown_function", "a function of that name does not exist";
    UnknownField = "query.unknown_field", "a field that the schema or the dialect does not know";
    Arity = "query.arity", "a function got the wrong number of arguments";
    Type = "query.type", "an operand has a kind that the operator or function never accepts";
    UnsupportedInDialect = "query.unsupported_in_dialect", "a construct that this dialect does not have";
    NameNotAllowed = "query.name_not_allowed", "a field that conditions of this dialect may not name";
    TooLong = "query.too_long", "the text is longer than the dialect allows";
    TooDeep = "query.too_deep", "brackets, NOT or minus are nested deeper than the limit";
    TooManyTerms = "query.too_many_terms", "the condition has more terms than the dialect allows";
    TooManyItems = "query.too_many_items", "a list has more items than the limit";
    TooManyWildcards = "query.too_many_wildcards", "a term has more wildcards than the dialect allows";
    AlwaysFalse = "query.always_false", "the condition, or a part of it, can never hold";
    AlwaysTrue = "query.always_true", "the condition, or a part of it, holds wherever it is defined";
    KindMismatch = "query.kind_mismatch", "the field never holds a value of the kind it is compared with";
    UnboundParameter = "query.unbound_parameter", "a parameter has no value";
    UnknownParameter = "query.unknown_parameter", "a value was given for a parameter that the text does not name";
    InvalidToken = "query.invalid_token", "a continuation token is damaged or belongs to another query";
    InvalidPageSize = "query.invalid_page_size", "a page size outside 1 to the maximum";
    InvalidAggregation = "query.invalid_aggregation", "the aggregation field or its kind is not allowed";
    NoCounterpart = "query.no_counterpart", "the construct has no exact counterpart in the other dialect";
    InvalidSchema = "query.invalid_schema", "a schema is no JSON object of field names and kinds";
    InvalidDocument = "query.invalid_document", "a document has neither service's shape";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One finding in a text: why, where, and what to do.
///
/// Serialises as `{"code", "severity", "span": {"start", "end"}, "message", "help"?}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct Diagnostic {
    /// The stable reason.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// The bytes of the text it is about.
    pub span: Span,
    /// One line, lower case, user text in backticks.
    pub message: String,
    /// What to write instead, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Diagnostic {
    /// A finding that refuses the text.
    #[must_use]
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            span,
            message: message.into(),
            help: None,
        }
    }

    /// A finding that lets the text run.
    #[must_use]
    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Warning,
            span,
            message: message.into(),
            help: None,
        }
    }

    /// The same finding with advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The stable code of the finding.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code.as_str()
    }
}

/// Findings under the lines of the source that they are about, for a terminal.
///
/// ```
/// use fleet_query::diagnostic::{render, Code, Diagnostic, Span};
/// let found = Diagnostic::error(Code::Syntax, Span::new(7, 9), "`==` is not an operator")
///     .with_help("write `=`");
/// assert_eq!(
///     render(&[found], "tags.a == 1"),
///     "error[query.syntax]: `==` is not an operator\n \
///      --> 1:8\n  |\n1 | tags.a == 1\n  |        ^^\n  = help: write `=`\n",
/// );
/// ```
#[must_use]
pub fn render(diagnostics: &[Diagnostic], source: &str) -> String {
    diagnostics
        .iter()
        .map(|found| render_one(found, source))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The longest part of a source line that is shown, in characters.
const SHOWN: usize = 100;

fn render_one(found: &Diagnostic, source: &str) -> String {
    use std::fmt::Write as _;
    let start = floor_boundary(source, found.span.start);
    let end = floor_boundary(source, found.span.end).max(start);
    let before = source.get(..start).unwrap_or_default();
    let line_number = before.matches('\n').count() + 1;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let rest = source.get(line_start..).unwrap_or_default();
    let line = rest
        .split('\n')
        .next()
        .unwrap_or_default()
        .trim_end_matches('\r');
    let column = source
        .get(line_start..start)
        .unwrap_or_default()
        .chars()
        .count();
    let width = source
        .get(start..end)
        .unwrap_or_default()
        .split('\n')
        .next()
        .map_or(0, |s| s.chars().count());
    // Long lines are shown in a window around the finding.
    let skip = if column > SHOWN * 3 / 4 {
        column - SHOWN / 2
    } else {
        0
    };
    let shown: String = line
        .chars()
        .skip(skip)
        .take(SHOWN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let label = match found.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let number = line_number.to_string();
    let pad = " ".repeat(number.len());
    let marks = "^".repeat(width.max(1).min(SHOWN.saturating_sub(column - skip).max(1)));
    let mut out = String::new();
    let _ = writeln!(out, "{label}[{}]: {}", found.code, found.message);
    let _ = writeln!(out, "{pad}--> {line_number}:{}", column + 1);
    let _ = writeln!(out, "{pad} |");
    let _ = writeln!(out, "{number} | {shown}");
    let _ = writeln!(out, "{pad} | {}{marks}", " ".repeat(column - skip));
    if let Some(help) = &found.help {
        let _ = writeln!(out, "{pad} = help: {help}");
    }
    out
}

fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
