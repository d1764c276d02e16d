//! What a query selects: whole documents, fields, or aggregates over groups.

use crate::check::Scope;
use crate::check::names::twin_path;
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::{Collection, Dialect};
use crate::path::FieldPath;
use crate::syntax::ast::{
    Aggregate, Name, Path, Projected, Projection, SelectList, Statement, Text,
};

/// What a row is made of.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// The document, as the dialect's service shows it.
    Documents,
    /// An object of fields; an undefined field is left out.
    Fields(Vec<Column>),
    /// One row per group, or one row in all.
    Groups(Grouping),
}

/// A selected field.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// The member of the row: the alias, else the last name of the path.
    pub name: String,
    /// The field.
    pub path: FieldPath,
}

/// GROUP BY and aggregates.
#[derive(Clone, Debug, PartialEq)]
pub struct Grouping {
    /// The field that documents are grouped by; without it all are one group, even none.
    pub by: Option<FieldPath>,
    /// The members of each row.
    pub columns: Vec<GroupColumn>,
}

/// A member of a group's row.
#[derive(Clone, Debug, PartialEq)]
pub enum GroupColumn {
    /// The value that the group has in common; left out where it is undefined.
    Key {
        /// The member of the row.
        name: String,
    },
    /// An aggregate of the group.
    Aggregate(AggregateColumn),
}

/// An aggregate of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateColumn {
    /// The member of the row: the alias, else `$` and the position from 1.
    pub name: String,
    /// Which aggregate.
    pub function: Aggregate,
    /// Over which field; COUNT over none.
    pub path: Option<FieldPath>,
}

impl Select {
    pub(crate) fn carries_id(&self, collection: Collection) -> bool {
        match self {
            Self::Documents => true,
            Self::Groups(_) => false,
            Self::Fields(columns) => {
                let has = |name: &str| {
                    columns
                        .iter()
                        .any(|column| column.path == FieldPath::of([name]))
                };
                has("deviceId") && (collection != Collection::Modules || has("moduleId"))
            }
        }
    }
}

/// The collection that FROM names, and the dialect that it makes of the text.
pub(super) fn collection(
    name: &Name,
    dialect: Dialect,
    found: &mut Vec<Diagnostic>,
) -> (Dialect, Collection) {
    let actual = match name.text.to_ascii_lowercase().as_str() {
        "devices" => Dialect::IotHub,
        "devices.modules" => Dialect::IotHubModules,
        "devices.jobs" => Dialect::IotHubJobs,
        other => {
            let known = ["devices", "devices.modules", "devices.jobs"];
            let diagnostic = Diagnostic::error(
                Code::UnknownCollection,
                name.at.0,
                format!("there is no collection `{}`", name.text),
            );
            found.push(
                diagnostic.with_help(match crate::check::names::closest(other, known) {
                    Some(close) => format!("did you mean `{close}`?"),
                    None => {
                        "the collections are devices, devices.modules and devices.jobs".to_owned()
                    }
                }),
            );
            dialect
        }
    };
    if dialect != Dialect::IotHub && actual != dialect {
        found.push(
            Diagnostic::error(
                Code::UnsupportedInDialect,
                name.at.0,
                format!(
                    "a query of the dialect {dialect} does not read `{}`",
                    name.text
                ),
            )
            .with_help("the dialect iothub reads every collection"),
        );
        return (dialect, dialect.collection());
    }
    (actual, actual.collection())
}

/// What a text selects; a bare condition selects documents.
pub(super) fn bind(text: &Text, scope: Scope, found: &mut Vec<Diagnostic>) -> Select {
    let Text::Statement(statement) = text else {
        return Select::Documents;
    };
    if scope.collection == Collection::Jobs {
        jobs(statement, found);
    }
    if let Some(by) = &statement.group_by
        && scope.collection == Collection::Modules
    {
        found.push(Diagnostic::error(
            Code::UnsupportedInDialect,
            by.at.0,
            "GROUP BY works on devices only, not on devices.modules",
        ));
    }
    let items = match &statement.select {
        SelectList::All(at) => {
            if statement.group_by.is_some() {
                found.push(
                    Diagnostic::error(Code::Syntax, at.0, "`*` cannot be grouped")
                        .with_help("select the grouped field and aggregates: `SELECT tags.a, COUNT() AS n … GROUP BY tags.a`"),
                );
            }
            return Select::Documents;
        }
        SelectList::Items(items) => items,
    };
    let mut path = |path: &Path| {
        let mut notes = Vec::new();
        let bound = twin_path(
            path,
            scope.dialect,
            scope.collection,
            scope.mode,
            &mut notes,
        );
        found.append(&mut notes);
        bound
    };
    let by = statement.group_by.as_ref().map(&mut path);
    let bound: Vec<(&Projection, Option<FieldPath>)> = items
        .iter()
        .map(|item| match &item.value {
            Projected::Path(field) => (item, Some(path(field))),
            Projected::Aggregate { argument, .. } => (item, argument.as_ref().map(&mut path)),
        })
        .collect();
    let aggregates = items
        .iter()
        .any(|item| matches!(item.value, Projected::Aggregate { .. }));
    if !aggregates && by.is_none() {
        return Select::Fields(
            bound
                .into_iter()
                .map(|(item, path)| column(item, path.unwrap_or_default()))
                .collect(),
        );
    }
    let columns = bound
        .into_iter()
        .enumerate()
        .map(|(at, (item, path))| match &item.value {
            Projected::Path(_) => {
                if path != by {
                    found.push(ungrouped(item, by.as_ref()));
                }
                GroupColumn::Key {
                    name: column(item, path.unwrap_or_default()).name,
                }
            }
            Projected::Aggregate { function, .. } => GroupColumn::Aggregate(AggregateColumn {
                name: item
                    .alias
                    .as_ref()
                    .map_or_else(|| format!("${}", at + 1), |alias| alias.text.clone()),
                function: *function,
                path,
            }),
        })
        .collect();
    Select::Groups(Grouping { by, columns })
}

fn column(item: &Projection, path: FieldPath) -> Column {
    let name = match &item.alias {
        Some(alias) => alias.text.clone(),
        None => path.last_key().unwrap_or_default().to_owned(),
    };
    Column { name, path }
}

fn ungrouped(item: &Projection, by: Option<&FieldPath>) -> Diagnostic {
    let span: Span = item.at.0;
    match by {
        None => Diagnostic::error(
            Code::Syntax,
            span,
            "a field cannot stand beside an aggregate without GROUP BY",
        )
        .with_help("add `GROUP BY` and the same field"),
        Some(by) => Diagnostic::error(
            Code::Syntax,
            span,
            "only the grouped field can be selected beside aggregates",
        )
        .with_help(format!("select `{by}`, or group by this field")),
    }
}

fn jobs(statement: &Statement, found: &mut Vec<Diagnostic>) {
    if let SelectList::Items(items) = &statement.select
        && let (Some(first), Some(last)) = (items.first(), items.last())
    {
        found.push(
            Diagnostic::error(
                Code::UnsupportedInDialect,
                first.at.0.to(last.at.0),
                "job queries return whole records only",
            )
            .with_help("write `SELECT *`"),
        );
    }
    if let Some(by) = &statement.group_by {
        found.push(Diagnostic::error(
            Code::UnsupportedInDialect,
            by.at.0,
            "job queries have no GROUP BY",
        ));
    }
}
