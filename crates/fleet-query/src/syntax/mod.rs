//! Texts as written: a pest grammar for each dialect, one spanned AST for all of them.

pub mod ast;
mod condition;
mod fleet_index;
pub mod limits;
mod mistakes;
mod print;
mod rsql;
mod statement;
mod text;
mod tree;

pub use print::print;
pub(crate) use text::{number_literal, quote};

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use crate::dialect::{Dialect, Mode};
use ast::Text;
use condition::Builder;

/// Reads a text of a dialect.
///
/// Limits are checked first, in time linear in the text's length. No name is resolved here: an
/// AST may still be refused by [`crate::Query::parse`].
///
/// # Errors
/// All diagnostics that were found; `query.syntax`, `query.too_long`, `query.too_deep`,
/// `query.too_many_items`, `query.arity`, `query.unknown_function`.
pub fn parse(text: &str, dialect: Dialect, mode: Mode) -> Result<Text, Vec<Diagnostic>> {
    limits::check(text, dialect).map_err(|found| vec![found])?;
    let stopped = |stopped: tree::Stopped| vec![mistakes::explain(&stopped, text, dialect)];
    let mut builder = Builder {
        mode,
        found: Vec::new(),
    };
    let ast = match dialect {
        Dialect::IotHub | Dialect::IotHubModules | Dialect::IotHubJobs => builder
            .statement(&tree::iothub::parse(tree::iothub::Rule::statement, text).map_err(stopped)?),
        Dialect::Target => builder.target(
            &tree::target::parse(tree::target::Rule::device_target, text).map_err(stopped)?,
        ),
        Dialect::TargetModules => builder.target(
            &tree::target::parse(tree::target::Rule::module_target, text).map_err(stopped)?,
        ),
        Dialect::Routing => builder
            .routing(&tree::routing::parse(tree::routing::Rule::routing, text).map_err(stopped)?),
        Dialect::Aws | Dialect::AwsGroups => {
            if text.trim().is_empty() {
                let empty =
                    Diagnostic::error(Code::Syntax, Span::new(0, text.len()), "the query is empty");
                return Err(vec![empty.with_help("write `*` for everything")]);
            }
            fleet_index::build(
                &tree::aws::parse(tree::aws::Rule::query, text).map_err(stopped)?,
                &mut builder.found,
            )
        }
        Dialect::Rsql => rsql::build(
            &tree::rsql::parse(tree::rsql::Rule::query, text).map_err(stopped)?,
            &mut builder.found,
        ),
    };
    if builder
        .found
        .iter()
        .any(|found| found.severity == Severity::Error)
    {
        return Err(builder.found);
    }
    Ok(ast)
}

#[cfg(test)]
mod tests;
