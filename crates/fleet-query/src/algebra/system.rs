//! System properties of messages as fields of their own.

use crate::check::{Scope, predicate};
use crate::dialect::{Collection, Dialect, Mode};
use crate::expression::Expression;
use crate::path::{FieldPath, Segment};
use crate::predicate::{Condition, Predicate};
use crate::value::fold;
use std::collections::BTreeSet;

const ROUTING: Scope = Scope {
    dialect: Dialect::Routing,
    collection: Collection::Messages,
    mode: Mode::Lenient,
};

/// The conditions with `$name` read as `{$name}`. For every document there is one on which they are what these are,
/// and the other way round: nothing else names what `$name` falls back to. A name that stands in braces too is left.
pub(super) fn as_fields(conditions: &[&Condition]) -> Vec<Condition> {
    let paths = conditions
        .iter()
        .flat_map(|condition| condition.predicate.paths());
    let braced: BTreeSet<String> = paths
        .filter(|path| path.root() == "systemProperties")
        .filter_map(|path| {
            path.segments()
                .get(1)
                .map(|name| fold(name.as_key()).into_owned())
        })
        .collect();
    let read = |condition: &&Condition| Condition {
        predicate: of_predicate(&condition.predicate, &braced),
        ..(*condition).clone()
    };
    conditions.iter().map(read).collect()
}

fn of_predicate(within: &Predicate, braced: &BTreeSet<String>) -> Predicate {
    let all = |items: &[Predicate]| {
        items
            .iter()
            .map(|item| of_predicate(item, braced))
            .collect()
    };
    match within {
        Predicate::Not(inner) => Predicate::Not(Box::new(of_predicate(inner, braced))),
        Predicate::And(items) => Predicate::And(all(items)),
        Predicate::Or(items) => Predicate::Or(all(items)),
        Predicate::General(expression) => {
            let mut fields = expression.clone();
            of_expression(&mut fields, braced);
            if fields == *expression {
                within.clone()
            } else {
                predicate(fields, ROUTING)
            }
        }
        leaf => leaf.clone(),
    }
}

fn of_expression(within: &mut Expression, braced: &BTreeSet<String>) {
    let each = |items: &mut Vec<Expression>| {
        items
            .iter_mut()
            .for_each(|item| of_expression(item, braced));
    };
    match within {
        Expression::SystemProperty(name) => {
            if !braced.contains(&*fold(name)) {
                let keys = ["systemProperties".into(), std::mem::take(name)];
                *within = Expression::Field(FieldPath::new(keys.map(Segment::Key).into()));
            }
        }
        Expression::Not(inner) | Expression::Negate(inner) => of_expression(inner, braced),
        Expression::And(items) | Expression::Or(items) => each(items),
        Expression::Call { arguments, .. } => each(arguments),
        Expression::In { value, items, .. } => {
            each(items);
            of_expression(value, braced);
        }
        Expression::Compare { left, right, .. }
        | Expression::Arithmetic { left, right, .. }
        | Expression::Concat(left, right)
        | Expression::Coalesce(left, right) => {
            of_expression(left, braced);
            of_expression(right, braced);
        }
        Expression::Constant(_) | Expression::Undefined | Expression::Field(_) => {}
    }
}
