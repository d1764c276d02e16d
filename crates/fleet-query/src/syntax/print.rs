//! The canonical text of an AST: reading it back gives the same AST.

use super::ast::{
    Expr, FieldBody, Group, Literal, Node, Operand, Path, Projected, Range, RangeBound,
    RsqlArgument, RsqlOp, RsqlValue, SelectList, Statement, Step, Term, TermValue, Text,
};
use super::text::{number_literal, quote};
use crate::dialect::Dialect;
use crate::expression::{ArithmeticOp, Membership};
use crate::path::is_plain;
use crate::pattern::{Piece, Wildcard};
use crate::predicate::Edge;
use crate::value::{CompareOp, number_text};

/// The canonical text: upper-case keywords, one space around operators, brackets only where needed.
///
/// ```
/// use fleet_query::{Dialect, Mode, syntax};
/// let ast = syntax::parse("select * from devices where((tags.a='x'))", Dialect::IotHub, Mode::Lenient)?;
/// assert_eq!(syntax::print(&ast, Dialect::IotHub), "SELECT * FROM devices WHERE tags.a = 'x'");
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
#[must_use]
pub fn print(text: &Text, dialect: Dialect) -> String {
    let printer = Printer { dialect };
    match text {
        Text::Statement(statement) => printer.statement(statement),
        Text::Condition(condition) => printer.expr(condition, Level::Loosest),
        Text::Everything => "*".to_owned(),
        Text::Empty => String::new(),
        Text::Modules(condition) => {
            format!(
                "from devices.modules where {}",
                printer.expr(condition, Level::Loosest)
            )
        }
    }
}

/// How tightly a construct binds; a part that binds less than its place needs brackets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Loosest,
    Or,
    And,
    Not,
    Equality,
    Relation,
    Additive,
    Multiplicative,
    Unary,
    Primary,
}

impl Level {
    const fn tighter(self) -> Self {
        match self {
            Self::Loosest => Self::Or,
            Self::Or => Self::And,
            Self::And => Self::Not,
            Self::Not => Self::Equality,
            Self::Equality => Self::Relation,
            Self::Relation => Self::Additive,
            Self::Additive => Self::Multiplicative,
            Self::Multiplicative => Self::Unary,
            Self::Unary | Self::Primary => Self::Primary,
        }
    }
}

struct Printer {
    dialect: Dialect,
}

impl Printer {
    fn statement(&self, statement: &Statement) -> String {
        let mut out = "SELECT ".to_owned();
        if let Some(top) = statement.top {
            out.push_str(&format!("TOP {} ", top.rows));
        }
        match &statement.select {
            SelectList::All(_) => out.push('*'),
            SelectList::Items(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| {
                        let value = match &item.value {
                            Projected::Path(path) => self.path(path),
                            Projected::Aggregate { function, argument } => {
                                let argument = argument
                                    .as_ref()
                                    .map(|path| self.path(path))
                                    .unwrap_or_default();
                                format!("{}({argument})", function.name())
                            }
                        };
                        match &item.alias {
                            Some(alias)
                                if is_plain(&alias.text)
                                    && !alias.text.eq_ignore_ascii_case("NIN") =>
                            {
                                format!("{value} AS {}", alias.text)
                            }
                            Some(alias) => format!("{value} AS [[{}]]", alias.text),
                            None => value,
                        }
                    })
                    .collect();
                out.push_str(&items.join(", "));
            }
        }
        out.push_str(" FROM ");
        out.push_str(&statement.collection.text);
        if let Some(filter) = &statement.filter {
            out.push_str(" WHERE ");
            out.push_str(&self.expr(filter, Level::Loosest));
        }
        if let Some(path) = &statement.group_by {
            out.push_str(" GROUP BY ");
            out.push_str(&self.path(path));
        }
        out
    }

    fn expr(&self, expr: &Expr, place: Level) -> String {
        let (text, level) = self.node(&expr.node);
        if level < place {
            format!("({text})")
        } else {
            text
        }
    }

    fn joined(&self, items: &[Expr], with: &str, level: Level) -> (String, Level) {
        let items: Vec<String> = items
            .iter()
            .map(|item| self.expr(item, level.tighter()))
            .collect();
        (items.join(with), level)
    }

    fn infix(&self, left: &Expr, op: &str, right: &Expr, level: Level) -> (String, Level) {
        // A comparison of the twin dialects does not chain: its left side stands one level tighter.
        let chains =
            self.dialect == Dialect::Routing || level >= Level::Additive || level == Level::Loosest;
        let left_place = match level {
            _ if chains => level,
            _ => Level::Additive,
        };
        let right_place = if chains {
            level.tighter()
        } else {
            Level::Additive
        };
        (
            format!(
                "{} {op} {}",
                self.expr(left, left_place),
                self.expr(right, right_place)
            ),
            level,
        )
    }

    fn node(&self, node: &Node) -> (String, Level) {
        let rsql = self.dialect == Dialect::Rsql;
        match node {
            Node::And(items) => self.joined(items, if rsql { ";" } else { " AND " }, Level::And),
            Node::Or(items) => self.joined(items, if rsql { "," } else { " OR " }, Level::Or),
            Node::Not(inner) => (format!("NOT {}", self.expr(inner, Level::Not)), Level::Not),
            Node::Compare { op, left, right } => {
                let level = match op {
                    CompareOp::Eq | CompareOp::Ne => Level::Equality,
                    _ => Level::Relation,
                };
                self.infix(left, op.symbol(), right, level)
            }
            Node::In {
                membership,
                value,
                items,
            } => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| self.expr(item, Level::Primary))
                    .collect();
                let word = match membership {
                    Membership::In => "IN",
                    Membership::NotIn => "NIN",
                };
                (
                    format!(
                        "{} {word} [{}]",
                        self.expr(value, Level::Additive),
                        items.join(", ")
                    ),
                    Level::Relation,
                )
            }
            Node::Arithmetic { op, left, right } => {
                let level = match op {
                    ArithmeticOp::Add | ArithmeticOp::Subtract => Level::Additive,
                    _ => Level::Multiplicative,
                };
                self.infix(left, op.symbol(), right, level)
            }
            Node::Concat(left, right) => self.infix(left, "||", right, Level::Additive),
            Node::Coalesce(left, right) => self.infix(left, "??", right, Level::Loosest),
            Node::Negate(inner) => (
                format!("- {}", self.expr(inner, Level::Unary)),
                Level::Unary,
            ),
            Node::Literal(literal) => (self.literal(literal), Level::Primary),
            Node::Parameter(name) => (format!("@{name}"), Level::Primary),
            Node::Path(path) => (self.path(path), Level::Primary),
            Node::System {
                name,
                braced: false,
            } => (format!("${name}"), Level::Primary),
            Node::System { name, braced: true } => (format!("{{${name}}}"), Level::Primary),
            Node::Array(items) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| self.expr(item, Level::Primary))
                    .collect();
                (format!("[{}]", items.join(", ")), Level::Primary)
            }
            Node::Call { name, arguments } => {
                let arguments: Vec<String> = arguments
                    .iter()
                    .map(|item| self.expr(item, Level::Loosest))
                    .collect();
                (
                    format!("{}({})", name.text, arguments.join(", ")),
                    Level::Primary,
                )
            }
            Node::Everything => ("*".to_owned(), Level::Primary),
            Node::Field { field, body } => (aws_field(field, body), Level::Primary),
            Node::Bare(value) => (term(value, Bare::Yes), Level::Primary),
            Node::Selector {
                selector,
                op,
                arguments,
            } => (rsql_selector(selector, *op, arguments), Level::Primary),
        }
    }

    fn literal(&self, literal: &Literal) -> String {
        match literal {
            Literal::Text(text) => quote(text),
            Literal::Number(number) => number_literal(*number),
            Literal::Bool(value) => value.to_string(),
            Literal::Null => "null".to_owned(),
            Literal::Undefined => "undefined".to_owned(),
        }
    }

    fn path(&self, path: &Path) -> String {
        let mut out = String::new();
        for (at, step) in path.steps.iter().enumerate() {
            match step {
                Step::Key(key) if self.dialect == Dialect::Routing => out.push_str(key),
                Step::Key(key) => {
                    if at > 0 {
                        out.push('.');
                    }
                    if is_plain(key)
                        && !key.eq_ignore_ascii_case("NIN")
                        && !(at == 0 && is_word(key))
                    {
                        out.push_str(key);
                    } else {
                        out.push_str(&format!("[[{key}]]"));
                    }
                }
                Step::Index(index) => out.push_str(&format!("[{index}]")),
            }
        }
        out
    }
}

/// A name that would be read as a constant at the beginning of a path.
fn is_word(key: &str) -> bool {
    ["true", "false", "null", "undefined"]
        .iter()
        .any(|word| word.eq_ignore_ascii_case(key))
}

#[derive(Clone, Copy, PartialEq)]
enum Bare {
    /// A minus in front would be read as NOT.
    Yes,
    No,
}

fn aws_field(field: &Path, body: &FieldBody) -> String {
    let keys: Vec<String> = field
        .steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => key
                .chars()
                .enumerate()
                .map(|(at, c)| match c {
                    '-' if at == 0 => "\\-".to_owned(),
                    c if c.is_alphanumeric() || matches!(c, '_' | '-' | '$') => c.to_string(),
                    c => format!("\\{c}"),
                })
                .collect(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    let field = keys.join(".");
    match body {
        FieldBody::Term(value) => format!("{field}:{}", term(value, Bare::No)),
        FieldBody::Range(bounds) => format!("{field}:{}", range(bounds)),
        FieldBody::Compare { op, operand } => {
            let operand = match operand {
                Operand::Number(number) => number_text(*number),
                Operand::Parameter(name) => format!("@{name}"),
            };
            format!("{field} {} {operand}", op.symbol())
        }
        FieldBody::Group(inner) => format!("{field}:({})", group(inner, Level::Loosest)),
        FieldBody::Geo {
            latitude,
            longitude,
            distance,
            unit,
        } => format!(
            "{field}:geo_distance,{},{},{}{unit}",
            number_text(*latitude),
            number_text(*longitude),
            number_text(*distance),
        ),
    }
}

fn group(inner: &Group, place: Level) -> String {
    let many = |items: &[Group], with: &str, level: Level| {
        let items: Vec<String> = items
            .iter()
            .map(|item| group(item, level.tighter()))
            .collect();
        (items.join(with), level)
    };
    let (text, level) = match inner {
        Group::Term(value) => (term(value, Bare::Yes), Level::Primary),
        Group::Range(bounds) => (range(bounds), Level::Primary),
        Group::Not(inner) => (format!("NOT {}", group(inner, Level::Not)), Level::Not),
        Group::And(items) => many(items, " AND ", Level::And),
        Group::Or(items) => many(items, " OR ", Level::Or),
    };
    if level < place {
        format!("({text})")
    } else {
        text
    }
}

fn range(range: &Range) -> String {
    let bound = |bound: &RangeBound| match bound {
        RangeBound::Open => "*".to_owned(),
        RangeBound::Number(number) => number_text(*number),
        RangeBound::Text(text) => quoted(text),
        RangeBound::Parameter(name) => format!("@{name}"),
    };
    let open = if range.low_edge == Edge::Inclusive {
        '['
    } else {
        '{'
    };
    let close = if range.high_edge == Edge::Inclusive {
        ']'
    } else {
        '}'
    };
    format!(
        "{open}{} TO {}{close}",
        bound(&range.low),
        bound(&range.high)
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn term(value: &Term, bare: Bare) -> String {
    match &value.value {
        TermValue::Quoted(text) => quoted(text),
        TermValue::Parameter(name) => format!("@{name}"),
        TermValue::Pattern(pattern) => wildcard(pattern, bare),
    }
}

fn wildcard(pattern: &Wildcard, bare: Bare) -> String {
    // A bare `*` is another condition: everything.
    if bare == Bare::Yes && pattern.pieces() == [Piece::AnyRun] {
        return "**".to_owned();
    }
    let mut out = String::new();
    for (at, piece) in pattern.pieces().iter().enumerate() {
        match piece {
            Piece::AnyRun => out.push('*'),
            Piece::AnyOne => out.push('?'),
            Piece::Literal(text) => {
                for (nth, c) in text.chars().enumerate() {
                    let first = at == 0 && nth == 0;
                    let reserved = first
                        && pattern.pieces().len() == 1
                        && matches!(&**text, "AND" | "OR" | "NOT");
                    let dash = first && c == '-' && bare == Bare::Yes;
                    if reserved || dash || c.is_whitespace() || "()[]{}\":<>\\*?@".contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    out
}

fn rsql_selector(selector: &Path, op: RsqlOp, arguments: &[RsqlArgument]) -> String {
    let keys: Vec<String> = selector
        .steps
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Index(index) => index.to_string(),
        })
        .collect();
    let values: Vec<String> = arguments
        .iter()
        .map(|argument| match &argument.value {
            RsqlValue::Word(pattern) => rsql_pieces(pattern, Bare::Yes),
            RsqlValue::Quoted(pattern) => format!("'{}'", rsql_pieces(pattern, Bare::No)),
            RsqlValue::Parameter(name) => format!("@{name}"),
        })
        .collect();
    let values = match (op, values.as_slice()) {
        (RsqlOp::In | RsqlOp::Out, values) => format!("({})", values.join(",")),
        (_, values) => values.join(","),
    };
    format!("{}{}{values}", keys.join("."), op.symbol())
}

fn rsql_pieces(pattern: &Wildcard, word: Bare) -> String {
    let mut out = String::new();
    for piece in pattern.pieces() {
        match piece {
            Piece::AnyRun => out.push('*'),
            Piece::AnyOne => out.push('?'),
            Piece::Literal(text) => text.chars().for_each(|c| {
                if word == Bare::No && matches!(c, '\'' | '\\' | '*') {
                    out.push('\\');
                }
                out.push(c);
            }),
        }
    }
    out
}
