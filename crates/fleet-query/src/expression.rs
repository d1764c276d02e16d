//! Bound expressions: conditions that are not one of the simple leaves of a predicate.

use crate::path::FieldPath;
use crate::value::{CompareOp, Scalar};

/// An expression over one document, evaluated to a value.
///
/// It appears in a predicate only as [`crate::Predicate::General`], for what has no leaf of its
/// own: arithmetic, functions of values, one field against another.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A constant.
    Constant(Scalar),
    /// The literal `undefined` (also NaN).
    Undefined,
    /// A field.
    Field(FieldPath),
    /// `$name` of routing: the system property, else the application property called `$name`.
    SystemProperty(Box<str>),
    /// `NOT x`
    Not(Box<Self>),
    /// `a AND b AND …`
    And(Vec<Self>),
    /// `a OR b OR …`
    Or(Vec<Self>),
    /// `a = b` and the other comparisons.
    Compare {
        /// The operator.
        op: CompareOp,
        /// Left operand.
        left: Box<Self>,
        /// Right operand.
        right: Box<Self>,
    },
    /// `x IN […]` or `x NIN […]`.
    In {
        /// The value looked for.
        value: Box<Self>,
        /// What it is compared with.
        items: Vec<Self>,
        /// IN or NIN.
        membership: Membership,
    },
    /// `a + b` and the other arithmetic operators.
    Arithmetic {
        /// The operator.
        op: ArithmeticOp,
        /// Left operand.
        left: Box<Self>,
        /// Right operand.
        right: Box<Self>,
    },
    /// `-x`
    Negate(Box<Self>),
    /// `a || b`
    Concat(Box<Self>, Box<Self>),
    /// `a ?? b`: the left if it is defined, else the right.
    Coalesce(Box<Self>, Box<Self>),
    /// A function call with the right number of arguments.
    Call {
        /// The function.
        function: Function,
        /// Its arguments.
        arguments: Vec<Self>,
    },
}

/// IN or its opposite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Membership {
    /// Equal to one of the items.
    In,
    /// Different from all items.
    NotIn,
}

/// Arithmetic on numbers; anything else is undefined (Azure spec 3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ArithmeticOp {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, by zero an infinity
    Divide,
    /// `%`, by zero undefined
    Remainder,
}

impl ArithmeticOp {
    /// How it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

macro_rules! functions {
    ($($name:ident $names:expr, $min:literal ..= $max:literal, $doc:literal;)*) => {
        /// The functions (Azure spec 3.6).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Function { $(#[doc = $doc] $name,)* }

        impl Function {
            /// Every function.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its accepted spellings, upper case, the canonical one first.
            #[must_use]
            pub const fn names(self) -> &'static [&'static str] {
                match self { $(Self::$name => &$names,)* }
            }

            /// The fewest and the most arguments.
            #[must_use]
            pub const fn arity(self) -> (usize, usize) {
                match self { $(Self::$name => ($min, $max),)* }
            }
        }
    };
}

functions! {
    IsDefined ["IS_DEFINED"], 1..=1, "`IS_DEFINED(p)`: whether a value is there";
    IsNull ["IS_NULL"], 1..=1, "`IS_NULL(x)`: whether it is null";
    IsBool ["IS_BOOL"], 1..=1, "`IS_BOOL(x)`: whether it is a boolean";
    IsNumber ["IS_NUMBER"], 1..=1, "`IS_NUMBER(x)`: whether it is a finite number";
    IsString ["IS_STRING"], 1..=1, "`IS_STRING(x)`: whether it is text";
    IsObject ["IS_OBJECT"], 1..=1, "`IS_OBJECT(x)`: whether it is an object";
    IsArray ["IS_ARRAY"], 1..=1, "`IS_ARRAY(x)`: whether it is an array";
    IsPrimitive ["IS_PRIMITIVE"], 1..=1, "`IS_PRIMITIVE(x)`: whether it is text, boolean, number or null";
    AsNumber ["AS_NUMBER"], 1..=1, "`AS_NUMBER(s)`: the number that a text is";
    Abs ["ABS"], 1..=1, "`ABS(n)`";
    Exp ["EXP"], 1..=1, "`EXP(n)`";
    Power ["POWER"], 2..=2, "`POWER(n, e)`";
    Square ["SQUARE"], 1..=1, "`SQUARE(n)`";
    Ceiling ["CEILING"], 1..=1, "`CEILING(n)`";
    Floor ["FLOOR"], 1..=1, "`FLOOR(n)`";
    Sign ["SIGN"], 1..=1, "`SIGN(n)`: -1, 0 or 1";
    Sqrt ["SQRT"], 1..=1, "`SQRT(n)`: undefined for negative numbers";
    Concat ["CONCAT"], 2..=1000, "`CONCAT(a, b, …)`";
    Length ["LENGTH"], 1..=1, "`LENGTH(s)`: in UTF-16 code units";
    Lower ["LOWER"], 1..=1, "`LOWER(s)`";
    Upper ["UPPER"], 1..=1, "`UPPER(s)`";
    Substring ["SUBSTRING"], 2..=3, "`SUBSTRING(s, start[, length])`: in UTF-16 code units, from 0";
    IndexOf ["INDEX_OF"], 2..=2, "`INDEX_OF(s, part)`: in UTF-16 code units, -1 when absent";
    StartsWith ["STARTSWITH", "STARTS_WITH"], 2..=2, "`STARTSWITH(s, prefix)`";
    EndsWith ["ENDSWITH", "ENDS_WITH"], 2..=2, "`ENDSWITH(s, suffix)`";
    Contains ["CONTAINS"], 2..=2, "`CONTAINS(s, part)`";
    TwinChangeIncludes ["TWIN_CHANGE_INCLUDES"], 1..=1, "`TWIN_CHANGE_INCLUDES(path)`: whether the twin change names the path";
    ArrayContains ["ARRAY_CONTAINS"], 2..=2, "`ARRAY_CONTAINS(array, value)`";
}

impl Function {
    /// The function of that name, in any letter case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|function| {
            function
                .names()
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        })
    }

    /// Its canonical name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.names().first().copied().unwrap_or_default()
    }
}
