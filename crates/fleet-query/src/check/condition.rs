//! Binding of the IoT Hub, target and routing dialects.

use super::{Scope, functions, names, properties};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::{Collection, Dialect};
use crate::expression::{Expression, Function, Membership};
use crate::path::{FieldPath, Segment};
use crate::pattern::Pattern;
use crate::predicate::{Condition, KindTest, Predicate};
use crate::syntax::ast::{Expr, Literal, Node, Path, Step};
use crate::value::{CompareOp, Scalar, Truth, compare};

/// The bound condition of an expression.
pub(super) fn bind(expr: &Expr, scope: Scope, found: &mut Vec<Diagnostic>) -> Condition {
    let mut binder = Binder {
        scope,
        found,
        needs_body: false,
    };
    let expression = binder.expression(expr);
    let needs_body = binder.needs_body;
    let predicate = predicate(expression, scope);
    Condition {
        profile: scope.dialect.profile(),
        predicate,
        needs_body,
    }
}

/// The expression of a condition, before leaves are made of it.
#[cfg(test)]
pub(crate) fn expression(expr: &Expr, scope: Scope) -> Expression {
    Binder {
        scope,
        found: &mut Vec::new(),
        needs_body: false,
    }
    .expression(expr)
}

struct Binder<'a> {
    scope: Scope,
    found: &'a mut Vec<Diagnostic>,
    needs_body: bool,
}

impl Binder<'_> {
    fn refuse(&mut self, code: Code, expr: &Expr, message: &str, help: &str) -> Expression {
        self.found
            .push(Diagnostic::error(code, expr.span(), message).with_help(help));
        Expression::Undefined
    }

    fn boxed(&mut self, expr: &Expr) -> Box<Expression> {
        Box::new(self.expression(expr))
    }

    fn all(&mut self, items: &[Expr]) -> Vec<Expression> {
        items.iter().map(|item| self.expression(item)).collect()
    }

    fn expression(&mut self, expr: &Expr) -> Expression {
        match &expr.node {
            Node::Literal(literal) => match literal {
                Literal::Text(text) => Expression::Constant(Scalar::Text(text.as_str().into())),
                Literal::Number(number) => Expression::Constant(Scalar::Number(*number)),
                Literal::Bool(value) => Expression::Constant(Scalar::Bool(*value)),
                Literal::Null => Expression::Constant(Scalar::Null),
                Literal::Undefined => Expression::Undefined,
            },
            Node::Parameter(name) => {
                let message = format!("the parameter `@{name}` has no value");
                self.refuse(
                    Code::UnboundParameter,
                    expr,
                    &message,
                    "bind a value to it before running the query",
                )
            }
            Node::Path(path) => Expression::Field(self.path(path)),
            Node::System { name, braced } => self.system(expr, name, *braced),
            Node::Array(_) => self.refuse(
                Code::Type,
                expr,
                "a list can only stand after IN or NIN",
                "compare the field with IN, or with one value",
            ),
            Node::Not(inner) => Expression::Not(self.boxed(inner)),
            Node::And(items) => Expression::And(self.all(items)),
            Node::Or(items) => Expression::Or(self.all(items)),
            Node::Compare { op, left, right } => {
                let (left, right) = (self.boxed(left), self.boxed(right));
                let right = Box::new(job_type(&left, *right));
                Expression::Compare {
                    op: *op,
                    left,
                    right,
                }
            }
            Node::In {
                membership,
                value,
                items,
            } => {
                if matches!(self.scope.dialect, Dialect::Target | Dialect::TargetModules) {
                    return self.refuse(
                        Code::UnsupportedInDialect,
                        expr,
                        "IN and NIN do not exist in target conditions",
                        "write `tags.a = 'x' OR tags.a = 'y'`",
                    );
                }
                let value = self.boxed(value);
                let items = self
                    .all(items)
                    .into_iter()
                    .map(|item| job_type(&value, item))
                    .collect();
                Expression::In {
                    value,
                    items,
                    membership: *membership,
                }
            }
            Node::Arithmetic { op, left, right } => Expression::Arithmetic {
                op: *op,
                left: self.boxed(left),
                right: self.boxed(right),
            },
            Node::Negate(inner) => Expression::Negate(self.boxed(inner)),
            Node::Concat(left, right) => Expression::Concat(self.boxed(left), self.boxed(right)),
            Node::Coalesce(left, right) => {
                Expression::Coalesce(self.boxed(left), self.boxed(right))
            }
            Node::Call { name, arguments } => {
                let function = functions::resolve(
                    name,
                    arguments,
                    self.scope.dialect,
                    self.scope.mode,
                    self.found,
                );
                match function {
                    Some(Function::TwinChangeIncludes) => self.twin_change(arguments),
                    Some(function) => Expression::Call {
                        function,
                        arguments: self.all(arguments),
                    },
                    None => Expression::Undefined,
                }
            }
            // Nodes of the other dialects never appear here.
            Node::Everything | Node::Field { .. } | Node::Bare(_) | Node::Selector { .. } => {
                Expression::Undefined
            }
        }
    }

    fn path(&mut self, path: &Path) -> FieldPath {
        let Scope {
            dialect,
            collection,
            mode,
        } = self.scope;
        if collection != Collection::Messages {
            return names::twin_path(path, dialect, collection, mode, self.found);
        }
        match path.steps.first() {
            Some(Step::Key(name)) => {
                properties::doubtful(name, path.at.0, self.found);
                FieldPath::of(["appProperties", name.as_str()])
            }
            _ => FieldPath::default(),
        }
    }

    /// `TWIN_CHANGE_INCLUDES(properties.reported.x)`: the body of a twin change is the patch.
    fn twin_change(&mut self, arguments: &[Expr]) -> Expression {
        self.needs_body = true;
        let keys = arguments.iter().find_map(|argument| match &argument.node {
            Node::Path(path) => match path.steps.first() {
                Some(Step::Key(key)) => Some(key.as_str()),
                _ => None,
            },
            _ => None,
        });
        let path =
            FieldPath::of(std::iter::once("body").chain(keys.unwrap_or_default().split('.')));
        Expression::Call {
            function: Function::TwinChangeIncludes,
            arguments: vec![Expression::Field(path)],
        }
    }

    /// `$name`, `{$name}`, `$body.…`, `$twin.…` (Azure spec 3.9).
    fn system(&mut self, expr: &Expr, name: &str, braced: bool) -> Expression {
        properties::swallowed(&format!("${name}"), expr.span(), self.found);
        let below = |prefix: &str| {
            let start = name.get(..prefix.len())?;
            start
                .eq_ignore_ascii_case(prefix)
                .then(|| name.get(prefix.len()..).unwrap_or_default())
        };
        for (prefix, root) in [("body.", "body"), ("twin.", "twin")] {
            let Some(rest) = below(prefix) else { continue };
            self.needs_body |= root == "body";
            return match members(root, rest) {
                Some(path) => Expression::Field(path),
                None => self.refuse(
                    Code::Syntax,
                    expr,
                    &format!("`${name}` is no path into the {root}"),
                    "write names and array elements only: `$body.a[0].b`",
                ),
            };
        }
        let whole = ["body", "twin"]
            .iter()
            .any(|word| name.eq_ignore_ascii_case(word));
        if whole
            || name
                .get(..5)
                .is_some_and(|start| start.eq_ignore_ascii_case("body["))
        {
            return self.refuse(
                Code::Syntax,
                expr,
                &format!("`${name}` names no member"),
                "write the path of a member: `$body.a`",
            );
        }
        if name.contains('[') || name.contains(']') {
            return self.refuse(
                Code::Syntax,
                expr,
                "a property name has no `[` or `]`",
                "only `$body` and `$twin` have elements",
            );
        }
        if braced {
            return Expression::Field(FieldPath::of(["systemProperties", name]));
        }
        Expression::SystemProperty(name.into())
    }
}

/// `a.b[0].c` below a root; no empty names, no slices.
fn members(root: &str, text: &str) -> Option<FieldPath> {
    let mut segments = vec![Segment::Key(root.into())];
    for part in text.split('.') {
        let (name, index) = match part.split_once('[') {
            None => (part, None),
            Some((name, index)) => (name, Some(index.strip_suffix(']')?)),
        };
        if name.is_empty() || name.contains(']') {
            return None;
        }
        segments.push(Segment::Key(name.into()));
        if let Some(index) = index {
            if !index.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            segments.push(Segment::Index(index.parse().ok()?));
        }
    }
    Some(FieldPath::new(segments))
}

/// Old names of job types are aliases in filters (Azure spec, appendix B18).
fn job_type(field: &Expression, constant: Expression) -> Expression {
    let on_type = matches!(field, Expression::Field(path) if path.starts_with(&["jobType"]));
    match constant {
        Expression::Constant(Scalar::Text(text)) if on_type => {
            Expression::Constant(Scalar::Text(match &*text {
                "scheduleTwinUpdate" => "scheduleUpdateTwin".into(),
                "scheduleDirectRequest" => "scheduleDeviceMethod".into(),
                _ => text,
            }))
        }
        other => other,
    }
}

/// The predicate that is true, false and undefined where the expression's truth is.
pub(crate) fn predicate(expression: Expression, scope: Scope) -> Predicate {
    match expression {
        Expression::Constant(constant) => Predicate::Constant(constant.datum().truth()),
        Expression::Undefined => Predicate::Constant(Truth::Undefined),
        Expression::Field(path) => Predicate::Holds { path },
        Expression::Not(inner) => Predicate::Not(Box::new(predicate(*inner, scope))),
        Expression::And(items) => Predicate::And(
            items
                .into_iter()
                .map(|item| predicate(item, scope))
                .collect(),
        ),
        Expression::Or(items) => Predicate::Or(
            items
                .into_iter()
                .map(|item| predicate(item, scope))
                .collect(),
        ),
        Expression::Compare { op, left, right } => comparison(op, *left, *right, scope),
        Expression::In {
            value,
            items,
            membership,
        } => inclusion(*value, items, membership),
        Expression::Call {
            function,
            arguments,
        } => call(function, arguments),
        other => Predicate::General(other),
    }
}

fn comparison(op: CompareOp, left: Expression, right: Expression, scope: Scope) -> Predicate {
    match (left, right) {
        (Expression::Undefined, _) | (_, Expression::Undefined) => {
            Predicate::Constant(Truth::Undefined)
        }
        (Expression::Field(path), Expression::Constant(value)) => {
            Predicate::Compare { path, op, value }
        }
        (Expression::Constant(value), Expression::Field(path)) => Predicate::Compare {
            path,
            op: op.mirrored(),
            value,
        },
        (Expression::Constant(a), Expression::Constant(b)) => {
            Predicate::Constant(compare(scope.dialect.profile(), &a.datum(), op, &b.datum()))
        }
        (left, right) => Predicate::General(Expression::Compare {
            op,
            left: Box::new(left),
            right: Box::new(right),
        }),
    }
}

fn inclusion(value: Expression, items: Vec<Expression>, membership: Membership) -> Predicate {
    let constants: Option<Vec<Scalar>> = items
        .iter()
        .map(|item| match item {
            Expression::Constant(constant) => Some(constant.clone()),
            _ => None,
        })
        .collect();
    match (value, constants) {
        (Expression::Field(path), Some(values)) => Predicate::In {
            path,
            values,
            membership,
        },
        (value, _) => Predicate::General(Expression::In {
            value: Box::new(value),
            items,
            membership,
        }),
    }
}

fn call(function: Function, mut arguments: Vec<Expression>) -> Predicate {
    let kind = match function {
        Function::IsNull => Some(KindTest::Null),
        Function::IsBool => Some(KindTest::Bool),
        Function::IsNumber => Some(KindTest::Number),
        Function::IsString => Some(KindTest::Text),
        Function::IsObject => Some(KindTest::Object),
        Function::IsArray => Some(KindTest::Array),
        Function::IsPrimitive => Some(KindTest::Primitive),
        _ => None,
    };
    match (function, arguments.as_mut_slice()) {
        (Function::IsDefined, [Expression::Field(path)]) => Predicate::Defined {
            path: std::mem::take(path),
        },
        (_, [Expression::Field(path)]) if kind.is_some() => {
            let path = std::mem::take(path);
            kind.map_or(Predicate::Constant(Truth::Undefined), |kind| {
                Predicate::Kind { path, kind }
            })
        }
        (
            Function::StartsWith | Function::EndsWith | Function::Contains,
            [
                Expression::Field(path),
                Expression::Constant(Scalar::Text(text)),
            ],
        ) => {
            let (path, text) = (std::mem::take(path), std::mem::take(text));
            let pattern = match function {
                Function::StartsWith => Pattern::Prefix(text),
                Function::EndsWith => Pattern::Suffix(text),
                _ => Pattern::Contains(text),
            };
            Predicate::Match { path, pattern }
        }
        (Function::ArrayContains, [Expression::Field(path), Expression::Constant(value)]) => {
            Predicate::ArrayContains {
                path: std::mem::take(path),
                value: value.clone(),
            }
        }
        _ => Predicate::General(Expression::Call {
            function,
            arguments,
        }),
    }
}
