//! Queries with named parameters.

use super::Query;
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::dialect::{Dialect, Mode};
use crate::parameter::{self, Parameters};
use crate::syntax::{self, ast::Text};
use std::collections::BTreeSet;

/// A text with parameters (`@region`), parsed and checked once, bound to values many times.
///
/// ```
/// use fleet_query::{Dialect, Mode, Prepared, value::Scalar};
/// let prepared = Prepared::parse("SELECT * FROM devices WHERE tags.region = @region", Dialect::IotHub, Mode::Lenient)?;
/// let query = prepared.bind(&[("region".to_owned(), Scalar::Text("it's".into()))].into())?;
/// assert_eq!(query.print(), "SELECT * FROM devices WHERE tags.region = 'it''s'");
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Prepared {
    ast: Text,
    length: usize,
    dialect: Dialect,
    mode: Mode,
    parameters: BTreeSet<String>,
}

impl Prepared {
    /// Parses a text and checks all that does not depend on the parameters' values.
    ///
    /// # Errors
    /// As [`Query::parse`], without `query.unbound_parameter`.
    pub fn parse(text: &str, dialect: Dialect, mode: Mode) -> Result<Self, Vec<Diagnostic>> {
        let ast = syntax::parse(text, dialect, mode)?;
        if let Err(mut found) = Query::bind(ast.clone(), text.len(), dialect, mode) {
            found.retain(|one| one.code != Code::UnboundParameter);
            if found.iter().any(|one| one.severity == Severity::Error) {
                return Err(found);
            }
        }
        let parameters = parameter::names(&ast);
        Ok(Self {
            ast,
            length: text.len(),
            dialect,
            mode,
            parameters,
        })
    }

    /// The names of the parameters, without the `@`.
    #[must_use]
    pub const fn parameters(&self) -> &BTreeSet<String> {
        &self.parameters
    }

    /// The query with these values.
    ///
    /// # Errors
    /// `query.unbound_parameter`, `query.unknown_parameter`, `query.type`.
    pub fn bind(&self, values: &Parameters) -> Result<Query, Vec<Diagnostic>> {
        let mut ast = self.ast.clone();
        let found = parameter::substitute(&mut ast, values);
        if !found.is_empty() {
            return Err(found);
        }
        Query::bind(ast, self.length, self.dialect, self.mode)
    }
}
