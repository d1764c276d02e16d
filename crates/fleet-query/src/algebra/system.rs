//! System properties of messages as fields of their own.

use crate::check::{Scope, predicate};
use crate::dialect::{Collection, Dialect, Mode};
use crate::expression::Expression;
use crate::path::{FieldPath, Segment};
use crate::predicate::{Condition, Predicate};
use crate::profile;
use crate::value::fold;
use std::collections::BTreeSet;

const ROUTING: Scope = Scope {
    dialect: Dialect::Routing,
    collection: Collection::Messages,
    mode: Mode::Lenient,
};

/// Names that conditions write both as `$name` and as `{$name}`; each doubles the readings.
const MOST_BOTH: usize = 4;

/// How `$name` is read.
#[derive(Default)]
struct Reading {
    /// As the application property that it falls back to.
    fallen: BTreeSet<String>,
    /// Not as a field.
    left: BTreeSet<String>,
    /// The names met so far.
    met: BTreeSet<String>,
}

/// The conditions with `$name` read as a field: for every document there is one on which one of the readings is what they
/// are, and the other way round.
///
/// It is read as `{$name}`, since nothing else names what it falls back to. Where `{$name}` stands beside it, there is another
/// reading: it is the application property, and one more condition says that the system property is not there.
pub(super) fn readings(conditions: &[&Condition]) -> Vec<Vec<Condition>> {
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
    let mut first = Reading::default();
    let fields = first.of_all(conditions);
    let both: Vec<&String> = first.met.intersection(&braced).collect();
    if both.len() > MOST_BOTH {
        let left = both.into_iter().cloned().collect();
        let mut reading = Reading {
            left,
            ..Reading::default()
        };
        return vec![reading.of_all(conditions)];
    }
    let others = (1..1_usize << both.len()).map(|chosen| {
        let names = both.iter().enumerate();
        let fallen = names.filter(|(at, _)| chosen >> at & 1 == 1);
        let mut reading = Reading {
            fallen: fallen.map(|(_, name)| (*name).clone()).collect(),
            ..Reading::default()
        };
        let mut fields = reading.of_all(conditions);
        fields.extend(reading.fallen.iter().map(|name| {
            let path = FieldPath::of(["systemProperties", name]);
            let absent = Predicate::Not(Box::new(Predicate::Defined { path }));
            Condition::new(&profile::ROUTING, absent)
        }));
        fields
    });
    std::iter::once(fields).chain(others).collect()
}

impl Reading {
    fn of_all(&mut self, conditions: &[&Condition]) -> Vec<Condition> {
        let read = |condition: &&Condition| Condition {
            predicate: of_predicate(&condition.predicate, self),
            ..(*condition).clone()
        };
        conditions.iter().map(read).collect()
    }
}

fn of_predicate(within: &Predicate, reading: &mut Reading) -> Predicate {
    let mut all = |items: &[Predicate]| {
        items
            .iter()
            .map(|item| of_predicate(item, reading))
            .collect()
    };
    match within {
        Predicate::Not(inner) => Predicate::Not(Box::new(of_predicate(inner, reading))),
        Predicate::And(items) => Predicate::And(all(items)),
        Predicate::Or(items) => Predicate::Or(all(items)),
        Predicate::General(expression) => {
            let mut fields = expression.clone();
            of_expression(&mut fields, reading);
            if fields == *expression {
                within.clone()
            } else {
                predicate(fields, ROUTING)
            }
        }
        leaf => leaf.clone(),
    }
}

fn of_expression(within: &mut Expression, reading: &mut Reading) {
    let mut each = |items: &mut Vec<Expression>| {
        items
            .iter_mut()
            .for_each(|item| of_expression(item, reading));
    };
    match within {
        Expression::SystemProperty(name) => {
            let folded = fold(name).into_owned();
            if !reading.left.contains(&folded) {
                let keys = if reading.fallen.contains(&folded) {
                    ["appProperties".into(), format!("${name}").into()]
                } else {
                    ["systemProperties".into(), std::mem::take(name)]
                };
                *within = Expression::Field(FieldPath::new(keys.map(Segment::Key).into()));
            }
            reading.met.insert(folded);
        }
        Expression::Not(inner) | Expression::Negate(inner) => of_expression(inner, reading),
        Expression::And(items) | Expression::Or(items) => each(items),
        Expression::Call { arguments, .. } => each(arguments),
        Expression::In { value, items, .. } => {
            each(items);
            of_expression(value, reading);
        }
        Expression::Compare { left, right, .. }
        | Expression::Arithmetic { left, right, .. }
        | Expression::Concat(left, right)
        | Expression::Coalesce(left, right) => {
            of_expression(left, reading);
            of_expression(right, reading);
        }
        Expression::Constant(_) | Expression::Undefined | Expression::Field(_) => {}
    }
}
