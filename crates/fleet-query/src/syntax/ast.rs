//! The abstract syntax: a text as written, with spans, before any name is resolved.
//!
//! Equality of nodes ignores spans, so that `parse(print(ast)) == ast` can be said.

use crate::diagnostic::Span;
use crate::expression::{ArithmeticOp, Membership};
use crate::pattern::Wildcard;
use crate::predicate::Edge;
use crate::value::CompareOp;

/// Where a node was written. All positions are equal: they take no part in comparing nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct At(pub Span);

impl PartialEq for At {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A whole text.
#[derive(Clone, Debug, PartialEq)]
pub enum Text {
    /// `SELECT … FROM …`
    Statement(Statement),
    /// A bare condition.
    Condition(Expr),
    /// `*` of a target condition: every device.
    Everything,
    /// Nothing but white space: matches nothing (target), is undefined (routing).
    Empty,
    /// `from devices.modules where …`
    Modules(Expr),
}

impl Text {
    /// The condition in it, if it has one.
    #[must_use]
    pub fn condition(&self) -> Option<&Expr> {
        match self {
            Self::Statement(statement) => statement.filter.as_ref(),
            Self::Condition(condition) | Self::Modules(condition) => Some(condition),
            Self::Everything | Self::Empty => None,
        }
    }
}

/// `SELECT [TOP n] … FROM … [WHERE …] [GROUP BY …]`
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// TOP.
    pub top: Option<Top>,
    /// What is selected.
    pub select: SelectList,
    /// FROM, as written.
    pub collection: Name,
    /// WHERE.
    pub filter: Option<Expr>,
    /// GROUP BY.
    pub group_by: Option<Path>,
}

/// `TOP n`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Top {
    /// The number of rows.
    pub rows: u64,
    /// Where `n` stands.
    pub at: At,
}

/// The list after SELECT.
#[derive(Clone, Debug, PartialEq)]
pub enum SelectList {
    /// `*`
    All(At),
    /// Projections, at least one.
    Items(Vec<Projection>),
}

/// One item of a select list.
#[derive(Clone, Debug, PartialEq)]
pub struct Projection {
    /// What is computed.
    pub value: Projected,
    /// `AS alias`
    pub alias: Option<Name>,
    /// Where it stands.
    pub at: At,
}

/// What a projection computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Projected {
    /// A field.
    Path(Path),
    /// An aggregate of a field, COUNT of none.
    Aggregate {
        /// Which aggregate.
        function: Aggregate,
        /// Over which field.
        argument: Option<Path>,
    },
}

/// The aggregates of Azure spec 3.7.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aggregate {
    /// `COUNT()`: rows.
    Count,
    /// `AVG(p)`
    Avg,
    /// `SUM(p)`
    Sum,
    /// `MIN(p)`
    Min,
    /// `MAX(p)`
    Max,
}

impl Aggregate {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Avg => "AVG",
            Self::Sum => "SUM",
            Self::Min => "MIN",
            Self::Max => "MAX",
        }
    }

    /// The aggregate of that name, in any letter case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Count, Self::Avg, Self::Sum, Self::Min, Self::Max]
            .into_iter()
            .find(|aggregate| aggregate.name().eq_ignore_ascii_case(name))
    }
}

/// A word with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The word, unquoted.
    pub text: String,
    /// Where it stands.
    pub at: At,
}

/// A path as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// Its steps.
    pub steps: Vec<Step>,
    /// Where it stands.
    pub at: At,
}

/// One step of a path as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A name, unquoted.
    Key(String),
    /// `[n]`
    Index(u32),
}

/// An expression with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What it is.
    pub node: Node,
    /// Where it stands.
    pub at: At,
}

impl Expr {
    /// An expression at a place.
    #[must_use]
    pub const fn new(node: Node, span: Span) -> Self {
        Self { node, at: At(span) }
    }

    /// Where it stands.
    #[must_use]
    pub const fn span(&self) -> Span {
        self.at.0
    }

    /// The expressions directly in it.
    #[must_use]
    pub fn children(&self) -> Vec<&Self> {
        match &self.node {
            Node::Literal(_)
            | Node::Parameter(_)
            | Node::Path(_)
            | Node::System { .. }
            | Node::Everything
            | Node::Field { .. }
            | Node::Bare(_)
            | Node::Selector { .. } => Vec::new(),
            Node::Not(inner) | Node::Negate(inner) => vec![inner],
            Node::Array(items)
            | Node::And(items)
            | Node::Or(items)
            | Node::Call {
                arguments: items, ..
            } => items.iter().collect(),
            Node::Compare { left, right, .. }
            | Node::Arithmetic { left, right, .. }
            | Node::Concat(left, right)
            | Node::Coalesce(left, right) => vec![left, right],
            Node::In { value, items, .. } => std::iter::once(&**value).chain(items).collect(),
        }
    }
}

/// The expressions of all dialects.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// A constant.
    Literal(Literal),
    /// `@name`, a value given later.
    Parameter(String),
    /// A field (IoT Hub dialects), an application property (routing).
    Path(Path),
    /// `$name` or `{$name}` of routing, `$body.…` and `$twin.…` included.
    System {
        /// The text after `$`.
        name: String,
        /// Whether it stands in braces.
        braced: bool,
    },
    /// `[a, b]`
    Array(Vec<Expr>),
    /// `NOT x` (in the AWS dialect also `-x`)
    Not(Box<Expr>),
    /// `a AND b AND …`, at least two, none of them an AND unless it stood in brackets.
    And(Vec<Expr>),
    /// `a OR b OR …`, in the same manner.
    Or(Vec<Expr>),
    /// `a = b`
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `x IN […]`, `x NIN […]`, `x NOT IN […]`
    In {
        /// IN or NIN.
        membership: Membership,
        /// Left operand.
        value: Box<Expr>,
        /// The list.
        items: Vec<Expr>,
    },
    /// `a + b`
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// Left operand.
        left: Box<Expr>,
        /// Right operand.
        right: Box<Expr>,
    },
    /// `-x`; before a literal it is folded into it.
    Negate(Box<Expr>),
    /// `a || b`
    Concat(Box<Expr>, Box<Expr>),
    /// `a ?? b`
    Coalesce(Box<Expr>, Box<Expr>),
    /// `name(a, b)`
    Call {
        /// The name as written.
        name: Name,
        /// The arguments.
        arguments: Vec<Expr>,
    },
    /// AWS: `*`, every document.
    Everything,
    /// AWS: `field:…` or `field > 5`
    Field {
        /// The field as written.
        field: Path,
        /// What is asked of it.
        body: FieldBody,
    },
    /// AWS: a value without a field.
    Bare(Term),
    /// RSQL: `selector==argument`
    Selector {
        /// The selector as written.
        selector: Path,
        /// The operator.
        op: RsqlOp,
        /// Its arguments: one, or the list in brackets.
        arguments: Vec<RsqlArgument>,
    },
}

/// A constant as written.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// Text, unquoted and unescaped.
    Text(String),
    /// A number, never NaN.
    Number(f64),
    /// `true` or `false`
    Bool(bool),
    /// `null`
    Null,
    /// `undefined`
    Undefined,
}

/// What an AWS condition asks of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldBody {
    /// `:value`
    Term(Term),
    /// `:[a TO b]`
    Range(Range),
    /// `> number`
    Compare {
        /// The operator: one of `<`, `<=`, `>`, `>=`.
        op: CompareOp,
        /// The number, or a parameter.
        operand: Operand,
    },
    /// `:( … )`
    Group(Group),
    /// `:geo_distance,lat,lon,distance unit`
    Geo {
        /// Degrees.
        latitude: f64,
        /// Degrees.
        longitude: f64,
        /// In the unit.
        distance: f64,
        /// The unit as written.
        unit: String,
    },
}

/// The operand of an AWS comparison.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    /// A number.
    Number(f64),
    /// `@name`
    Parameter(String),
}

/// The expression in brackets after `field:`.
#[derive(Clone, Debug, PartialEq)]
pub enum Group {
    /// A value.
    Term(Term),
    /// A range.
    Range(Range),
    /// `NOT x` or `-x`
    Not(Box<Self>),
    /// `a AND b`, also written `a b`.
    And(Vec<Self>),
    /// `a OR b`
    Or(Vec<Self>),
}

/// A value of the AWS dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// What is looked for.
    pub value: TermValue,
    /// Where it stands.
    pub at: At,
}

/// What an AWS value looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum TermValue {
    /// A word, perhaps with wildcards.
    Pattern(Wildcard),
    /// `"…"`, unescaped.
    Quoted(String),
    /// `@name`
    Parameter(String),
}

/// A range of the AWS dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct Range {
    /// The lower bound.
    pub low: RangeBound,
    /// Whether the lower bound is inside (`[`).
    pub low_edge: Edge,
    /// The upper bound.
    pub high: RangeBound,
    /// Whether the upper bound is inside (`]`).
    pub high_edge: Edge,
    /// Where it stands.
    pub at: At,
}

/// A bound of an AWS range.
#[derive(Clone, Debug, PartialEq)]
pub enum RangeBound {
    /// `*`
    Open,
    /// A number.
    Number(f64),
    /// A word or a quoted text.
    Text(String),
    /// `@name`
    Parameter(String),
}

/// The operators of RSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RsqlOp {
    /// `==`
    Eq,
    /// `!=`
    Ne,
    /// `=lt=` or `<`
    Lt,
    /// `=le=` or `<=`
    Le,
    /// `=gt=` or `>`
    Gt,
    /// `=ge=` or `>=`
    Ge,
    /// `=in=`
    In,
    /// `=out=`
    Out,
    /// `=is=`: `null` or a value
    Is,
    /// `=not=`: the opposite
    Not,
}

impl RsqlOp {
    /// The canonical spelling.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "=lt=",
            Self::Le => "=le=",
            Self::Gt => "=gt=",
            Self::Ge => "=ge=",
            Self::In => "=in=",
            Self::Out => "=out=",
            Self::Is => "=is=",
            Self::Not => "=not=",
        }
    }
}

/// An argument of an RSQL comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct RsqlArgument {
    /// What it is.
    pub value: RsqlValue,
    /// Where it stands.
    pub at: At,
}

/// The value of an RSQL argument.
#[derive(Clone, Debug, PartialEq)]
pub enum RsqlValue {
    /// A word; `*` in it is a wildcard where the operator takes one.
    Word(Wildcard),
    /// `'…'` or `"…"`, unescaped; `*` is a wildcard here too, `\\*` is not.
    Quoted(Wildcard),
    /// `@name`
    Parameter(String),
}
