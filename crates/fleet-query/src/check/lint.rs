//! What is doubtful about a query that runs: dead parts, unknown fields, kinds that never meet.

use super::{Scope, bind};
use crate::algebra::{Want, surely_never};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::Document;
use crate::eval::eval;
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::NumberRule;
use crate::schema::Schema;
use crate::syntax::ast::{Expr, Literal, Node, Text};
use crate::value::{Kind, Scalar, Truth};
use serde_json::Value;
use std::collections::BTreeSet;

/// Conditions with more parts than this are not searched for dead ones.
const MOST_PARTS: usize = 64;

/// Warnings about a condition, against what is known of the fleet's fields.
pub(crate) fn lint(text: &Text, scope: Scope, schema: &Schema) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let Some(condition) = text.condition() else {
        return found;
    };
    if count(condition) <= MOST_PARTS {
        dead(condition, scope, &mut found);
    }
    if !schema.is_empty() {
        fields(condition, scope, schema, &mut found);
    }
    found.sort_by_key(|one| one.span.start);
    found.dedup();
    found
}

fn count(expr: &Expr) -> usize {
    1 + expr.children().into_iter().map(count).sum::<usize>()
}

fn bound(expr: &Expr, scope: Scope) -> Condition {
    bind(&Text::Condition(expr.clone()), 0, scope, &mut Vec::new())
}

/// Reports the smallest parts that never or always hold. Whether one was found in or at the node.
fn dead(expr: &Expr, scope: Scope, found: &mut Vec<Diagnostic>) -> bool {
    let conditions: Vec<&Expr> = match &expr.node {
        Node::And(items) | Node::Or(items) => items.iter().collect(),
        Node::Not(inner) => vec![inner],
        _ => Vec::new(),
    };
    let is_leaf = conditions.is_empty();
    let mut inside = false;
    for part in conditions {
        inside |= dead(part, scope, found);
    }
    if inside {
        return true;
    }
    let condition = bound(expr, scope);
    if is_leaf && let Some(doubt) = without_field(expr, &condition) {
        found.push(doubt);
        return true;
    }
    // A written constant is meant.
    if matches!(condition.predicate, Predicate::Constant(_))
        && matches!(expr.node, Node::Literal(_) | Node::Everything)
    {
        return false;
    }
    if surely_never(&condition, Want::True) {
        found.push(
            Diagnostic::warning(
                Code::AlwaysFalse,
                expr.span(),
                "this can never hold: no document is selected by it",
            )
            .with_help(match &expr.node {
                Node::And(_) => "its parts exclude each other; was OR meant?",
                _ => "the comparison is never true, whatever the field holds",
            }),
        );
        return true;
    }
    if surely_never(&condition, Want::False)
        // The existence of an id is how everything is written.
        && !matches!(
            condition.predicate,
            Predicate::Constant(_) | Predicate::Defined { .. }
        )
    {
        found.push(
            Diagnostic::warning(
                Code::AlwaysTrue,
                expr.span(),
                "this holds wherever it is defined",
            )
            .with_help(match &expr.node {
                Node::Or(_) => "its parts cover every value; was AND meant?",
                _ => "it says no more than that its fields exist",
            }),
        );
        return true;
    }
    false
}

/// What is said of a part that names no field although it is no written truth value.
fn without_field(expr: &Expr, condition: &Condition) -> Option<Diagnostic> {
    let warning = |code, message| Diagnostic::warning(code, expr.span(), message);
    match &expr.node {
        Node::Literal(literal @ (Literal::Text(_) | Literal::Number(_))) => {
            let kind = if matches!(literal, Literal::Text(_)) {
                "text"
            } else {
                "number"
            };
            let message = format!("a {kind} is no condition: it is never true");
            let help = "write each comparison in full: `a = 'x' OR a = 'y'`";
            Some(warning(Code::KindMismatch, message).with_help(help))
        }
        Node::Compare { .. } | Node::In { .. } | Node::Call { .. } if !names_field(expr) => {
            let truth = eval(condition, Document::new(&Value::Null));
            let (code, word) = match truth {
                Truth::True => (Code::AlwaysTrue, "true"),
                Truth::False => (Code::AlwaysFalse, "false"),
                Truth::Undefined => (Code::AlwaysFalse, "undefined"),
            };
            let message = format!("this names no field: it is {word} whatever the document holds");
            let help = "a field stands without quotes: `tags.region = 'EU'`";
            Some(warning(code, message).with_help(help))
        }
        _ => None,
    }
}

fn names_field(expr: &Expr) -> bool {
    matches!(expr.node, Node::Path(_) | Node::System { .. })
        || expr.children().into_iter().any(names_field)
}

/// Unknown fields and kinds that never meet, leaf by leaf.
fn fields(expr: &Expr, scope: Scope, schema: &Schema, found: &mut Vec<Diagnostic>) {
    if let Node::And(items) | Node::Or(items) = &expr.node {
        items
            .iter()
            .for_each(|item| fields(item, scope, schema, found));
        return;
    }
    if let Node::Not(inner) = &expr.node {
        fields(inner, scope, schema, found);
        return;
    }
    let condition = bound(expr, scope);
    let mut unknown = BTreeSet::new();
    for path in condition.predicate.paths() {
        let known = !is_judged(path, schema) || schema.allows(path, condition.profile.keys);
        if !known && unknown.insert(path.clone()) {
            found.push(unknown_field(path, field_span(expr), scope, schema));
        }
    }
    if unknown.is_empty() {
        kinds(
            &condition.predicate,
            &condition,
            expr.span(),
            scope,
            schema,
            found,
        );
    }
}

/// The span of the field alone where the leaf has one.
fn field_span(expr: &Expr) -> Span {
    match &expr.node {
        Node::Path(path)
        | Node::Field { field: path, .. }
        | Node::Selector { selector: path, .. } => path.at.0,
        _ => {
            let fields: Vec<Span> = expr
                .children()
                .into_iter()
                .filter(|child| !matches!(child.node, Node::Literal(_)))
                .map(field_span)
                .collect();
            match fields.as_slice() {
                [only] => *only,
                _ => expr.span(),
            }
        }
    }
}

/// Whether the schema can tell that there is no such field: users name the fields there, and of messages, which no
/// store keeps, the schema says something.
fn is_judged(path: &FieldPath, schema: &Schema) -> bool {
    let root = path.root();
    path.segments().len() > 1
        && match root {
            "tags" | "properties" | "attributes" | "namedShadows" => true,
            "appProperties" | "body" | "twin" => schema.paths().any(|known| known.root() == root),
            _ => false,
        }
}

fn unknown_field(path: &FieldPath, span: Span, scope: Scope, schema: &Schema) -> Diagnostic {
    let written = |path: &FieldPath| super::names::written(path, scope.dialect);
    let name = written(path);
    let diagnostic = Diagnostic::warning(
        Code::UnknownField,
        span,
        format!("no document has a field `{name}`"),
    );
    let candidates = || schema.paths().filter(|known| is_judged(known, schema));
    let known: Vec<String> = candidates().map(written).collect();
    let by_last = || {
        let last = path.last_key();
        let same = candidates().filter(|known| known.last_key() == last);
        same.map(written)
            .min_by_key(|known| strsim::damerau_levenshtein(&name, known))
    };
    let close =
        || super::names::closest(&name, known.iter().map(String::as_str)).map(str::to_owned);
    match by_last().or_else(close) {
        Some(close) => diagnostic.with_help(format!("did you mean `{close}`?")),
        None => diagnostic,
    }
}

fn kinds(
    predicate: &Predicate,
    condition: &Condition,
    span: Span,
    scope: Scope,
    schema: &Schema,
    found: &mut Vec<Diagnostic>,
) {
    let mut compare = |path: &FieldPath, values: &[&Scalar]| {
        let Some(known) = schema.find(path, condition.profile.keys) else {
            return;
        };
        let wanted: BTreeSet<Kind> = values.iter().map(|value| value.kind()).collect();
        let numerals = condition.profile.numbers == NumberRule::Numerals;
        let meets = wanted.iter().any(|kind| {
            known.contains(kind)
                || (numerals && *kind == Kind::Number && known.contains(&Kind::Text))
                || (numerals && known.contains(&Kind::Array))
        });
        if meets || wanted.is_empty() {
            return;
        }
        let held: Vec<&str> = known.iter().map(|kind| kind.name()).collect();
        let asked: Vec<&str> = wanted.iter().map(|kind| kind.name()).collect();
        let message = format!(
            "`{}` holds {} only, never {}",
            super::names::written(path, scope.dialect),
            held.join(" or "),
            asked.join(" or ")
        );
        let in_twins = condition.profile.numbers == NumberRule::Numbers;
        let help = match (asked.as_slice(), known.contains(&Kind::Text)) {
            _ if in_twins && known.contains(&Kind::Array) => {
                let path = super::names::written(path, scope.dialect);
                format!("write `ARRAY_CONTAINS({path}, value)`, or name an element: `{path}[0]`")
            }
            _ if known.contains(&Kind::Object) => {
                let path = super::names::written(path, scope.dialect);
                format!("name a member: `{path}.…`")
            }
            (_, false) if held == ["boolean"] => "compare it with true or false".to_owned(),
            (["number"], true) => "quote the number to compare it as text".to_owned(),
            (["text"], false) if known.contains(&Kind::Number) => {
                "leave the quotes away to compare it as a number".to_owned()
            }
            _ => format!("compare it with {}", held.join(" or ")),
        };
        found.push(Diagnostic::warning(Code::KindMismatch, span, message).with_help(help));
    };
    match predicate {
        Predicate::Compare { path, value, .. } => compare(path, &[value]),
        Predicate::In { path, values, .. } => compare(path, &values.iter().collect::<Vec<_>>()),
        Predicate::Range { path, low, high } => {
            let values: Vec<&Scalar> = [low, high]
                .into_iter()
                .flatten()
                .map(|bound| &bound.value)
                .collect();
            compare(path, &values);
        }
        Predicate::Match { path, .. } if condition.profile.numbers == NumberRule::Numbers => {
            compare(path, &[&Scalar::Text("".into())]);
        }
        Predicate::And(items) | Predicate::Or(items) => {
            items
                .iter()
                .for_each(|item| kinds(item, condition, span, scope, schema, found));
        }
        Predicate::Not(inner) => kinds(inner, condition, span, scope, schema, found),
        _ => {}
    }
}
