//! From one dialect to another, where an exact counterpart exists.
//!
//! A translation selects the same documents as its source, on every document in which the services'
//! own fields have the kinds that the services give them and all others those that the schema says.
//! What has no exact counterpart is refused by name: nothing is approximated.

mod facts;
mod read;
mod write;

use crate::check::{self, Scope};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::{Dialect, Mode};
use crate::expression::Membership;
use crate::path::FieldPath;
use crate::query::{Query, Select};
use crate::schema::Schema;
use crate::syntax;
use crate::syntax::ast::{At, Expr, Literal, Name, Node, SelectList, Statement, Text};
use crate::value::{CompareOp, Truth};
use facts::Facts;

/// What is asked of a field, in no dialect's words: whether some value of it does this.
#[derive(Clone, Debug, PartialEq)]
enum Ask {
    /// There is a value.
    Present,
    /// It is this text; folded: in any letter case.
    Text { text: String, fold: Fold },
    /// It begins with this text.
    Prefix { text: String, fold: Fold },
    /// It ends with this text.
    Suffix { text: String, fold: Fold },
    /// It is a number in this relation to another.
    Number { op: CompareOp, number: f64 },
    /// It is a number, or a text that is one in any spelling, in this relation to another.
    Numeral { op: CompareOp, number: f64 },
    /// It is this boolean.
    Bool(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fold {
    /// Letter case matters.
    No,
    /// It does not.
    Yes,
}

/// A condition between dialects.
#[derive(Clone, Debug, PartialEq)]
enum Meaning {
    Constant(Truth),
    Is { path: FieldPath, ask: Ask },
    IsNot { path: FieldPath, ask: Ask },
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// The text of another dialect that selects the same documents.
///
/// ```
/// use fleet_query::{Dialect, Mode, Query, schema::Schema, translate::translate};
/// let query = Query::parse("connectivity.connected:true AND attributes.zone:*", Dialect::Aws, Mode::Lenient)?;
/// assert_eq!(
///     translate(&query, Dialect::IotHub, &Schema::new())?,
///     "SELECT * FROM devices WHERE connectivity.connected = true AND IS_DEFINED(attributes.zone)",
/// );
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
///
/// # Errors
/// `query.no_counterpart` for each construct that has none; also the target dialect's own limits.
pub fn translate(query: &Query, to: Dialect, schema: &Schema) -> Result<String, Vec<Diagnostic>> {
    let from = query.dialect();
    let whole = Span::new(0, syntax::print(query.ast(), from).len());
    let refuse = |message: String| vec![Diagnostic::error(Code::NoCounterpart, whole, message)];
    if from.collection() != to.collection() {
        return Err(refuse(format!("{from} and {to} read different documents")));
    }
    if to == Dialect::Routing || from == Dialect::Routing {
        return Err(refuse(
            "routing conditions read messages, no other dialect does".to_owned(),
        ));
    }
    let plain = *query.select() == Select::Documents && query.top().is_none();
    if !plain
        && !matches!(
            to,
            Dialect::IotHub | Dialect::IotHubModules | Dialect::IotHubJobs
        )
    {
        return Err(refuse(format!(
            "{to} has neither a select list nor TOP nor GROUP BY"
        )));
    }
    let text = if from.profile() == to.profile() {
        same_rules(query, to)
    } else {
        other_rules(query, to, schema)?
    };
    let printed = syntax::print(&text, to);
    match Query::parse(&printed, to, Mode::Lenient) {
        Ok(_) => Ok(printed),
        // What the target refuses by name, limit or function has no counterpart there.
        Err(found) => Err(found
            .into_iter()
            .filter(|one| one.severity == crate::diagnostic::Severity::Error)
            .map(|one| Diagnostic {
                code: Code::NoCounterpart,
                span: whole,
                ..one
            })
            .collect()),
    }
}

/// Between dialects of one profile the condition stays as written, but for IN in target conditions.
fn same_rules(query: &Query, to: Dialect) -> Text {
    let target = matches!(to, Dialect::Target | Dialect::TargetModules);
    let condition = query.ast().condition().map(|condition| {
        if target {
            without_lists(condition)
        } else {
            condition.clone()
        }
    });
    if query.dialect() == to {
        return query.ast().clone();
    }
    match query.ast() {
        Text::Statement(statement) if !target => Text::Statement(statement.clone()),
        Text::Empty => wrap(Some(constant(Truth::False)), to),
        _ => wrap(condition, to),
    }
}

fn other_rules(query: &Query, to: Dialect, schema: &Schema) -> Result<Text, Vec<Diagnostic>> {
    let scope = Scope {
        dialect: query.dialect(),
        collection: query.collection(),
        mode: query.mode(),
    };
    let mut translator = Translator {
        scope,
        to,
        schema,
        found: Vec::new(),
    };
    let condition = match query.ast() {
        Text::Empty => Some(constant(Truth::False)),
        text => text
            .condition()
            .map(|condition| translator.condition(condition)),
    };
    if translator.found.is_empty() {
        Ok(wrap(condition, to))
    } else {
        Err(translator.found)
    }
}

/// A condition as a whole text of a dialect; none selects everything.
fn wrap(condition: Option<Expr>, to: Dialect) -> Text {
    let statement = |collection: &str, filter: Option<Expr>| {
        Text::Statement(Statement {
            top: None,
            select: SelectList::All(At::default()),
            collection: Name {
                text: collection.to_owned(),
                at: At::default(),
            },
            filter,
            group_by: None,
        })
    };
    match (to, condition) {
        (Dialect::IotHub, condition) => statement("devices", condition),
        (Dialect::IotHubModules, condition) => statement("devices.modules", condition),
        (Dialect::IotHubJobs, condition) => statement("devices.jobs", condition),
        (Dialect::Target, None) => Text::Everything,
        (Dialect::TargetModules, condition) => {
            Text::Modules(condition.unwrap_or_else(|| constant(Truth::True)))
        }
        (Dialect::Target | Dialect::Routing, Some(condition)) => Text::Condition(condition),
        (Dialect::Aws | Dialect::AwsGroups | Dialect::Rsql | Dialect::Routing, condition) => {
            Text::Condition(
                condition.unwrap_or_else(|| Expr::new(write::everything(to), Span::default())),
            )
        }
    }
}

fn constant(truth: Truth) -> Expr {
    Expr::new(write::truth(truth), Span::default())
}

/// `x IN [a, b]` as `x = a OR x = b`, `x NIN [a, b]` as `x != a AND x != b`.
fn without_lists(expr: &Expr) -> Expr {
    let all = |items: &[Expr]| items.iter().map(without_lists).collect();
    let node = match &expr.node {
        Node::In {
            membership,
            value,
            items,
        } => {
            let op = if *membership == Membership::In {
                CompareOp::Eq
            } else {
                CompareOp::Ne
            };
            let mut parts: Vec<Expr> = items
                .iter()
                .map(|item| {
                    let node = Node::Compare {
                        op,
                        left: value.clone(),
                        right: Box::new(item.clone()),
                    };
                    Expr::new(node, expr.span())
                })
                .collect();
            match (parts.len(), parts.pop(), membership) {
                (1, Some(only), _) => return only,
                (_, Some(last), membership) => {
                    parts.push(last);
                    if *membership == Membership::In {
                        Node::Or(parts)
                    } else {
                        Node::And(parts)
                    }
                }
                // Nothing is in an empty list.
                (_, None, Membership::In) => write::truth(Truth::False),
                // What is defined is in none, of all else it is undefined.
                (_, None, Membership::NotIn) => {
                    let value = || (**value).clone();
                    let empty = Node::Literal(Literal::Text(String::new()));
                    let compare = Node::Compare {
                        op: CompareOp::Eq,
                        left: Box::new(value()),
                        right: Box::new(Expr::new(empty, expr.span())),
                    };
                    let defined = write::call("IS_DEFINED", vec![value()]);
                    let parts = [defined, compare].map(|node| Expr::new(node, expr.span()));
                    Node::Or(parts.into())
                }
            }
        }
        Node::Not(inner) => Node::Not(Box::new(without_lists(inner))),
        Node::And(items) => Node::And(all(items)),
        Node::Or(items) => Node::Or(all(items)),
        Node::Compare { op, left, right } => Node::Compare {
            op: *op,
            left: Box::new(without_lists(left)),
            right: Box::new(without_lists(right)),
        },
        other => other.clone(),
    };
    Expr::new(node, expr.span())
}

struct Translator<'a> {
    scope: Scope,
    to: Dialect,
    schema: &'a Schema,
    found: Vec<Diagnostic>,
}

impl Translator<'_> {
    fn condition(&mut self, expr: &Expr) -> Expr {
        let node = match &expr.node {
            Node::And(items) => Node::And(items.iter().map(|item| self.condition(item)).collect()),
            Node::Or(items) => Node::Or(items.iter().map(|item| self.condition(item)).collect()),
            Node::Not(inner) => match &inner.node {
                // Negations are pushed down to what is asked of fields.
                Node::And(items) => Node::Or(
                    items
                        .iter()
                        .map(|item| self.condition(&negated(item)))
                        .collect(),
                ),
                Node::Or(items) => Node::And(
                    items
                        .iter()
                        .map(|item| self.condition(&negated(item)))
                        .collect(),
                ),
                Node::Not(twice) => return self.condition(twice),
                _ => self.leaf(expr),
            },
            _ => self.leaf(expr),
        };
        Expr::new(node, expr.span())
    }

    fn leaf(&mut self, expr: &Expr) -> Node {
        // The text was bound before without errors; its parts are too.
        let bound = check::bind(
            &Text::Condition(expr.clone()),
            0,
            self.scope,
            &mut Vec::new(),
        );
        let facts = |path: &FieldPath| Facts::of(path, self.schema);
        let written = read::meaning(&crate::algebra::normalise(&bound), &facts)
            .and_then(|meaning| write::expr(&meaning, self.to, &facts));
        match written {
            Ok(expr) => expr.node,
            Err(reason) => {
                let message = format!("{reason}; {} has no exact counterpart", self.to);
                self.found
                    .push(Diagnostic::error(Code::NoCounterpart, expr.span(), message));
                write::truth(Truth::False)
            }
        }
    }
}

fn negated(expr: &Expr) -> Expr {
    Expr::new(Node::Not(Box::new(expr.clone())), expr.span())
}

#[cfg(test)]
mod tests;
