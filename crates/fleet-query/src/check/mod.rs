//! From texts as written to bound conditions: names, functions, kinds and limits are checked here.

mod condition;
mod fleet_index;
mod functions;
mod lint;
pub(crate) mod names;
mod properties;
mod rsql;
mod typing;

pub(crate) use condition::predicate;
pub(crate) use lint::lint;
pub(crate) use names::{NO_DISTINCT, Use};

use crate::diagnostic::Diagnostic;
use crate::dialect::{Collection, Dialect, Mode};
use crate::predicate::{Condition, Predicate};
use crate::syntax::ast::{Expr, Text};
use crate::value::Truth;

/// What the condition of a text is bound against.
#[derive(Clone, Copy)]
pub(crate) struct Scope {
    pub(crate) dialect: Dialect,
    pub(crate) collection: Collection,
    pub(crate) mode: Mode,
}

/// The condition of a text: of `*` and of no WHERE everything, of an empty target condition
/// nothing, of an empty routing condition undefined.
pub(crate) fn bind(
    text: &Text,
    length: usize,
    scope: Scope,
    found: &mut Vec<Diagnostic>,
) -> Condition {
    let profile = scope.dialect.profile();
    let constant = |truth: Truth| Condition::new(profile, Predicate::Constant(truth));
    match text {
        Text::Everything => constant(Truth::True),
        Text::Empty if scope.dialect == Dialect::Routing => constant(Truth::Undefined),
        Text::Empty => constant(Truth::False),
        Text::Statement(statement) => match &statement.filter {
            None => constant(Truth::True),
            Some(filter) => bind_condition(filter, length, scope, found),
        },
        Text::Condition(condition) | Text::Modules(condition) => {
            bind_condition(condition, length, scope, found)
        }
    }
}

fn bind_condition(
    condition: &Expr,
    length: usize,
    scope: Scope,
    found: &mut Vec<Diagnostic>,
) -> Condition {
    let profile = scope.dialect.profile();
    match scope.dialect {
        Dialect::Aws | Dialect::AwsGroups => Condition::new(
            profile,
            fleet_index::bind(condition, length, scope.collection, found),
        ),
        Dialect::Rsql => Condition::new(profile, rsql::bind(condition, scope.mode, found)),
        Dialect::Routing => {
            typing::infer(condition, found);
            condition::bind(condition, scope, found)
        }
        _ => condition::bind(condition, scope, found),
    }
}

/// The expression of a condition without its leaves: the other evaluator, for tests.
#[cfg(test)]
pub(crate) use condition::expression as condition_expression;

#[cfg(test)]
mod advice_tests;
#[cfg(test)]
mod binding_tests;
#[cfg(test)]
mod tests;
