//! The query languages of a device fleet: parsed, checked, evaluated, indexed and matched in reverse.
//!
//! Nine dialects are read into one AST ([`syntax`]), bound to one typed condition ([`predicate`])
//! over canonical field paths ([`path`]) and judged by one reference evaluator ([`eval`]). What
//! differs between dialects (missing fields, kinds, text, arrays) is data: a [`profile::Profile`].
#![forbid(unsafe_code)]

pub mod aggregate;
pub mod algebra;
mod check;
pub mod diagnostic;
pub mod dialect;
mod display;
pub mod document;
pub mod eval;
pub mod explain;
pub mod expression;
pub mod index;
pub mod matching;
pub mod parameter;
pub mod path;
pub mod pattern;
pub mod predicate;
pub mod profile;
pub mod query;
pub mod schema;
pub mod syntax;
pub mod translate;
pub mod value;
mod wide;

pub use diagnostic::{Code, Diagnostic, Severity, Span};
pub use dialect::{Collection, Dialect, Mode};
pub use document::Document;
pub use path::FieldPath;
pub use predicate::{Condition, Predicate};
pub use query::{Prepared, Query, Row, Rows};
pub use value::Truth;

#[cfg(test)]
mod properties;

/// The examples of the documentation compile and hold.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../../docs/query-language.md")]
struct Documentation;
