//! Queries: a condition with what is selected, ready to run over documents.

mod page;
mod prepared;
mod rows;
mod select;

pub use page::{LARGEST_PAGE, Page, PageRequest};
pub use prepared::Prepared;
pub(crate) use rows::key_text;
pub use rows::{ItemType, Row, Rows};
pub use select::{AggregateColumn, Column, GroupColumn, Grouping, Select};

use crate::check::{self, Scope};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::dialect::{Collection, Dialect, Mode};
use crate::document::Document;
use crate::eval::eval;
use crate::path::InvalidPath;
use crate::predicate::{AxisOrder, Condition, Predicate};
use crate::profile::{self, MissingBody};
use crate::schema::{self, Schema};
use crate::syntax::ast::Text;
use crate::syntax::{self};
use crate::value::Truth;
use serde_json::Value;

/// A query or condition of any dialect, parsed, checked and bound.
///
/// ```
/// use fleet_query::{Dialect, Mode, Query};
/// use serde_json::json;
/// let query = Query::parse(
///     "SELECT deviceId FROM devices WHERE tags.region = 'US'",
///     Dialect::IotHub,
///     Mode::Lenient,
/// )?;
/// let fleet = [json!({"deviceId": "d1", "tags": {"region": "US"}}), json!({"deviceId": "d2", "tags": {}})];
/// assert_eq!(query.run(&fleet).values(), vec![json!({"deviceId": "d1"})]);
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    ast: Text,
    dialect: Dialect,
    mode: Mode,
    collection: Collection,
    condition: Condition,
    select: Select,
    top: Option<u64>,
    warnings: Vec<Diagnostic>,
}

impl Query {
    /// Parses, checks and binds a text without parameters (see [`Prepared`] for those with).
    ///
    /// # Errors
    /// Every diagnostic that was found, errors and warnings, in the order of the text.
    pub fn parse(text: &str, dialect: Dialect, mode: Mode) -> Result<Self, Vec<Diagnostic>> {
        let ast = syntax::parse(text, dialect, mode)?;
        Self::bind(ast, text.len(), dialect, mode)
    }

    pub(crate) fn bind(
        ast: Text,
        length: usize,
        dialect: Dialect,
        mode: Mode,
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut found = Vec::new();
        let (mut dialect, mut collection) = (dialect, dialect.collection());
        let mut top = None;
        if let Text::Statement(statement) = &ast {
            (dialect, collection) = select::collection(&statement.collection, dialect, &mut found);
            top = statement.top.map(|top| top.rows);
        }
        let scope = Scope {
            dialect,
            collection,
            mode,
        };
        let select = select::bind(&ast, scope, &mut found);
        let condition = check::bind(&ast, length, scope, &mut found);
        found.sort_by_key(|one| (one.span.start, one.severity));
        found.dedup();
        if found.iter().any(|one| one.severity == Severity::Error) {
            return Err(found);
        }
        Ok(Self {
            ast,
            dialect,
            mode,
            collection,
            condition,
            select,
            top,
            warnings: found,
        })
    }

    /// The same routing condition with what a member is that a body does not have; other dialects stay as they are.
    ///
    /// ```
    /// use fleet_query::{Dialect, Document, Mode, Query, Truth, profile::MissingBody};
    /// let query = Query::parse("$body.level <> 'low'", Dialect::Routing, Mode::Lenient)?;
    /// let message = serde_json::json!({"body": {"temp": 5}, "bodyUsable": true});
    /// assert_eq!(query.matches(Document::new(&message)), Truth::Undefined);
    /// let as_on_the_edge = query.with_missing_body(MissingBody::Null);
    /// assert_eq!(as_on_the_edge.matches(Document::new(&message)), Truth::True);
    /// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
    /// ```
    #[must_use]
    pub fn with_missing_body(mut self, missing: MissingBody) -> Self {
        if self.dialect == Dialect::Routing {
            self.condition.profile = match missing {
                MissingBody::Undefined => &profile::ROUTING,
                MissingBody::Null => &profile::ROUTING_NULL_BODY,
            };
        }
        self
    }

    /// The same query with the order in which places at a field are read (`filter.geoLocations` of AWS spec 3.1).
    /// The field is named as the AWS index or as the canonical document names it.
    ///
    /// # Errors
    /// A text that is no path.
    pub fn with_axis_order(mut self, field: &str, order: AxisOrder) -> Result<Self, InvalidPath> {
        let path = schema::canonical(&field.parse()?);
        self.condition.predicate.read_places(&path, order);
        Ok(self)
    }

    /// Whether the condition holds of one canonical document.
    #[must_use]
    pub fn matches(&self, document: Document<'_>) -> Truth {
        eval(&self.condition, document)
    }

    /// Every row, over canonical documents in any order (see [`crate::document::normalise`]).
    ///
    /// Rows come in the order of their ids, bytewise; groups in the order of their first row.
    pub fn run<'a>(&self, documents: impl IntoIterator<Item = &'a Value>) -> Rows {
        let selected = documents
            .into_iter()
            .map(Document::new)
            .filter(|document| self.matches(*document).is_true())
            .collect();
        self.rows(selected)
    }

    /// The rows made of documents that have already been selected, in any order: projection,
    /// grouping, order and TOP without the condition.
    #[must_use]
    pub fn rows(&self, mut selected: Vec<Document<'_>>) -> Rows {
        selected.sort_by_key(|document| document.sort_key());
        rows::rows(self, &selected)
    }

    /// The query over those documents only that meet `predicate` too. Its text, and so its tokens, stay.
    #[must_use]
    pub fn narrowed(mut self, predicate: Predicate) -> Self {
        let own = std::mem::replace(&mut self.condition.predicate, Predicate::TRUE);
        self.condition.predicate = Predicate::And(vec![predicate, own]);
        self
    }

    /// The condition, for executors.
    #[must_use]
    pub const fn condition(&self) -> &Condition {
        &self.condition
    }

    /// What is selected, for executors.
    #[must_use]
    pub const fn select(&self) -> &Select {
        &self.select
    }

    /// The most rows over all pages.
    #[must_use]
    pub const fn top(&self) -> Option<u64> {
        self.top
    }

    /// What the query reads.
    #[must_use]
    pub const fn collection(&self) -> Collection {
        self.collection
    }

    /// The dialect; of an IoT Hub query the one of its FROM.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Strict or lenient.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The text as written, parsed.
    #[must_use]
    pub const fn ast(&self) -> &Text {
        &self.ast
    }

    /// What is doubtful about the query, though it runs.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// Every warning about the query: [`Query::warnings`], parts that never or always hold and,
    /// against a schema that knows fields, unknown fields and kinds that never meet.
    ///
    /// ```
    /// use fleet_query::{Dialect, Mode, Query, schema::Schema};
    /// let query = Query::parse("tags.x > 5 AND tags.x < 3", Dialect::Target, Mode::Lenient)?;
    /// let found = query.check(&Schema::new());
    /// assert_eq!(found[0].code(), "query.always_false");
    /// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
    /// ```
    #[must_use]
    pub fn check(&self, schema: &Schema) -> Vec<Diagnostic> {
        let scope = Scope {
            dialect: self.dialect,
            collection: self.collection,
            mode: self.mode,
        };
        let mut found = self.warnings.clone();
        found.extend(check::lint(&self.ast, scope, schema));
        found
    }

    /// The canonical text.
    #[must_use]
    pub fn print(&self) -> String {
        syntax::print(&self.ast, self.dialect)
    }

    /// The id of a document as `fleet query --format ids` prints it. None for grouped or aggregated
    /// rows, and for projections without the id.
    ///
    /// # Errors
    /// `query.unsupported_in_dialect` if the rows of this query have no ids.
    pub fn require_ids(&self) -> Result<(), Diagnostic> {
        if self.select.carries_id(self.collection) {
            return Ok(());
        }
        let span = crate::diagnostic::Span::default();
        Err(Diagnostic::error(
            Code::UnsupportedInDialect,
            span,
            "the rows of this query carry no id",
        )
        .with_help("select `*` or the id, without GROUP BY"))
    }
}

#[cfg(test)]
mod tests;
