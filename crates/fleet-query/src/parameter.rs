//! Typed values for the named parameters of a text.

use crate::diagnostic::{Code, Diagnostic, Span};
use crate::pattern::{Piece, Wildcard};
use crate::syntax::ast::{
    Expr, FieldBody, Group, Literal, Node, Operand, RangeBound, RsqlValue, TermValue, Text,
};
use crate::value::{Scalar, number_text};
use std::collections::{BTreeMap, BTreeSet};

/// Values by parameter name, without the `@`.
pub type Parameters = BTreeMap<String, Scalar>;

/// Puts values in the place of parameters. A value is never read as text of the language.
pub(crate) fn substitute(text: &mut Text, values: &Parameters) -> Vec<Diagnostic> {
    let mut walk = Walk {
        values,
        names: BTreeSet::new(),
        found: Vec::new(),
    };
    if let Text::Condition(expr) | Text::Modules(expr) = text {
        walk.expr(expr);
    } else if let Text::Statement(statement) = text
        && let Some(filter) = &mut statement.filter
    {
        walk.expr(filter);
    }
    let mut found = walk.found;
    for name in values.keys().filter(|name| !walk.names.contains(*name)) {
        let message = format!("the text has no parameter `@{name}`");
        found.push(Diagnostic::error(
            Code::UnknownParameter,
            Span::default(),
            message,
        ));
    }
    found
}

/// The names of the parameters of a text, without the `@`.
pub(crate) fn names(text: &Text) -> BTreeSet<String> {
    let values = Parameters::new();
    let mut walk = Walk {
        values: &values,
        names: BTreeSet::new(),
        found: Vec::new(),
    };
    if let Some(condition) = text.condition() {
        walk.expr(&mut condition.clone());
    }
    walk.names
}

struct Walk<'a> {
    values: &'a Parameters,
    names: BTreeSet<String>,
    found: Vec<Diagnostic>,
}

impl Walk<'_> {
    fn value(&mut self, name: &str) -> Option<Scalar> {
        self.names.insert(name.to_owned());
        self.values.get(name).cloned()
    }

    fn wrong(&mut self, name: &str, span: Span, wanted: &str) {
        self.found.push(Diagnostic::error(
            Code::Type,
            span,
            format!("the parameter `@{name}` must be {wanted} here"),
        ));
    }

    fn expr(&mut self, expr: &mut Expr) {
        let span = expr.span();
        let replaced = match &mut expr.node {
            Node::Parameter(name) => {
                let name = std::mem::take(name);
                match self.value(&name) {
                    Some(Scalar::Null) => Node::Literal(Literal::Null),
                    Some(Scalar::Bool(value)) => Node::Literal(Literal::Bool(value)),
                    Some(Scalar::Number(value)) => Node::Literal(Literal::Number(value)),
                    Some(Scalar::Text(text)) => Node::Literal(Literal::Text(text.into())),
                    None => Node::Parameter(name),
                }
            }
            Node::Bare(term) => {
                self.term(&mut term.value, span);
                return;
            }
            Node::Field { body, .. } => {
                self.body(body, span);
                return;
            }
            Node::Selector { arguments, .. } => {
                for argument in arguments {
                    self.argument(&mut argument.value, argument.at.0);
                }
                return;
            }
            Node::Not(inner) | Node::Negate(inner) => {
                self.expr(inner);
                return;
            }
            Node::Array(items)
            | Node::And(items)
            | Node::Or(items)
            | Node::Call {
                arguments: items, ..
            } => {
                items.iter_mut().for_each(|item| self.expr(item));
                return;
            }
            Node::Compare { left, right, .. }
            | Node::Arithmetic { left, right, .. }
            | Node::Concat(left, right)
            | Node::Coalesce(left, right) => {
                self.expr(left);
                self.expr(right);
                return;
            }
            Node::In { value, items, .. } => {
                self.expr(value);
                items.iter_mut().for_each(|item| self.expr(item));
                return;
            }
            Node::Literal(_) | Node::Path(_) | Node::System { .. } | Node::Everything => return,
        };
        expr.node = replaced;
    }

    fn term(&mut self, value: &mut TermValue, span: Span) {
        let TermValue::Parameter(name) = value else {
            return;
        };
        let name = name.clone();
        *value = match self.value(&name) {
            Some(Scalar::Text(text)) => TermValue::Quoted(text.into()),
            Some(Scalar::Number(number)) => TermValue::Quoted(number_text(number)),
            Some(Scalar::Bool(value)) => TermValue::Quoted(value.to_string()),
            Some(Scalar::Null) => return self.wrong(&name, span, "text, a number or a boolean"),
            None => return,
        };
    }

    fn body(&mut self, body: &mut FieldBody, span: Span) {
        match body {
            FieldBody::Term(term) => self.term(&mut term.value, term.at.0),
            FieldBody::Range(range) => self.range(range),
            FieldBody::Group(group) => self.group(group),
            FieldBody::Compare { operand, .. } => {
                let Operand::Parameter(name) = operand else {
                    return;
                };
                let name = name.clone();
                match self.value(&name) {
                    Some(Scalar::Number(number)) => *operand = Operand::Number(number),
                    Some(_) => self.wrong(&name, span, "a number"),
                    None => {}
                }
            }
            FieldBody::Geo { .. } => {}
        }
    }

    fn range(&mut self, range: &mut crate::syntax::ast::Range) {
        let span = range.at.0;
        for bound in [&mut range.low, &mut range.high] {
            let RangeBound::Parameter(name) = bound else {
                continue;
            };
            let name = name.clone();
            match self.value(&name) {
                Some(Scalar::Number(number)) => *bound = RangeBound::Number(number),
                Some(Scalar::Text(text)) => *bound = RangeBound::Text(text.into()),
                Some(_) => self.wrong(&name, span, "a number or text"),
                None => {}
            }
        }
    }

    fn group(&mut self, group: &mut Group) {
        match group {
            Group::Term(term) => self.term(&mut term.value, term.at.0),
            Group::Range(range) => self.range(range),
            Group::Not(inner) => self.group(inner),
            Group::And(items) | Group::Or(items) => {
                items.iter_mut().for_each(|item| self.group(item))
            }
        }
    }

    fn argument(&mut self, value: &mut RsqlValue, span: Span) {
        let RsqlValue::Parameter(name) = value else {
            return;
        };
        let name = name.clone();
        let literal = |text: &str| Wildcard::new([Piece::Literal(text.into())]);
        *value = match self.value(&name) {
            Some(Scalar::Text(text)) => RsqlValue::Quoted(literal(&text)),
            Some(Scalar::Number(number)) => RsqlValue::Word(literal(&number_text(number))),
            Some(Scalar::Bool(value)) => RsqlValue::Word(literal(&value.to_string())),
            Some(Scalar::Null) => return self.wrong(&name, span, "text, a number or a boolean"),
            None => return,
        };
    }
}
