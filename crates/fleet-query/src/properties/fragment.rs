//! The fragment that the algebra decides: boolean combinations of comparisons, IN, ranges, prefixes and existence,
//! written in every dialect that can write them.

use crate::dialect::Dialect;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A constant.
#[derive(Clone, Debug)]
enum Constant {
    Number(String),
    Text(String),
}

/// A leaf on one of two fields.
#[derive(Clone, Debug)]
enum Leaf {
    Compare(&'static str, Constant),
    In(Vec<Constant>),
    Range(Constant, Constant, bool),
    Prefix(String),
    Exists,
}

/// A boolean combination.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Leaf(char, LeafBox),
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

/// A leaf, opaque to others.
#[derive(Clone, Debug)]
pub(crate) struct LeafBox(Leaf);

fn number() -> impl Strategy<Value = Constant> {
    let numbers = vec!["0", "1", "1.5", "2", "5", "15", "-1", "9007199254740993"];
    prop::sample::select(numbers).prop_map(|number| Constant::Number(number.to_owned()))
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[abAB]{1,2}", 1 => "[125]{1,2}", 1 => "é|1\\.5"]
}

fn constant() -> impl Strategy<Value = Constant> {
    prop_oneof![number(), text().prop_map(Constant::Text)]
}

/// A list of numbers and texts, longer than what the algebra takes as leaves.
fn long_list() -> impl Strategy<Value = Vec<Constant>> {
    let item = |(number, from): (usize, usize)| match number % 3 {
        0 => Constant::Number((from + number).to_string()),
        1 => Constant::Text((from + number).to_string()),
        _ => Constant::Text(format!("a{number}")),
    };
    (0_usize..20, 129_usize..160)
        .prop_map(move |(from, length)| (0..length).map(|number| item((number, from))).collect())
}

fn leaf() -> impl Strategy<Value = LeafBox> {
    let op = || prop::sample::select(vec!["=", "!=", "<", "<=", ">", ">="]);
    let texts = || text().prop_map(Constant::Text);
    prop_oneof![
        12 => (op(), constant()).prop_map(|(op, constant)| Leaf::Compare(op, constant)),
        3 => prop::collection::vec(constant(), 1..4).prop_map(Leaf::In),
        1 => long_list().prop_map(Leaf::In),
        2 => (number(), number(), any::<bool>()).prop_map(|(low, high, closed)| Leaf::Range(low, high, closed)),
        2 => (texts(), texts(), any::<bool>()).prop_map(|(low, high, closed)| Leaf::Range(low, high, closed)),
        4 => text().prop_map(Leaf::Prefix),
        2 => Just(Leaf::Exists),
    ]
    .prop_map(LeafBox)
}

impl Tree {
    fn leaves(&self) -> usize {
        match self {
            Self::Leaf(..) => 1,
            Self::Not(inner) => inner.leaves(),
            Self::And(items) | Self::Or(items) => items.iter().map(Self::leaves).sum(),
        }
    }

    fn long_lists(&self) -> usize {
        match self {
            Self::Leaf(_, LeafBox(Leaf::In(items))) => usize::from(items.len() > 4),
            Self::Leaf(..) => 0,
            Self::Not(inner) => inner.long_lists(),
            Self::And(items) | Self::Or(items) => items.iter().map(Self::long_lists).sum(),
        }
    }

    /// The condition in a dialect; none where the dialect cannot say it.
    pub(crate) fn written(&self, dialect: Dialect) -> Option<String> {
        let list = |items: &[Self], word: &str| {
            let all: Option<Vec<String>> = items.iter().map(|item| item.written(dialect)).collect();
            Some(format!("({})", all?.join(word)))
        };
        let rsql = dialect == Dialect::Rsql;
        match self {
            Self::Leaf(field, leaf) => leaf.0.written(*field, dialect),
            Self::Not(_) if rsql => None,
            Self::Not(inner) => Some(format!("NOT {}", inner.written(dialect)?)),
            Self::And(items) => list(items, if rsql { ";" } else { " AND " }),
            Self::Or(items) => list(items, if rsql { "," } else { " OR " }),
        }
    }
}

impl Leaf {
    fn written(&self, field: char, dialect: Dialect) -> Option<String> {
        match dialect {
            Dialect::Aws => self.in_index(&format!("shadow.reported.{field}")),
            Dialect::Rsql => self.in_rsql(&format!("reported.{field}")),
            Dialect::Routing => Some(self.in_sql(&format!("$body.{field}"), false)),
            _ => Some(self.in_sql(&format!("properties.reported.{field}"), true)),
        }
    }

    fn in_sql(&self, field: &str, lists: bool) -> String {
        let literal = |constant: &Constant| match constant {
            Constant::Number(number) => number.clone(),
            Constant::Text(text) => format!("'{text}'"),
        };
        match self {
            Self::Compare(op, constant) => format!("{field} {op} {}", literal(constant)),
            Self::In(items) if lists => {
                format!(
                    "{field} IN [{}]",
                    items.iter().map(literal).collect::<Vec<_>>().join(", ")
                )
            }
            Self::In(items) => {
                let all: Vec<String> = items
                    .iter()
                    .map(|item| format!("{field} = {}", literal(item)))
                    .collect();
                format!("({})", all.join(" OR "))
            }
            Self::Range(low, high, closed) => {
                let op = if *closed { "<=" } else { "<" };
                format!(
                    "({field} >= {} AND {field} {op} {})",
                    literal(low),
                    literal(high)
                )
            }
            Self::Prefix(text) => format!("STARTSWITH({field}, '{text}')"),
            Self::Exists => format!("IS_DEFINED({field})"),
        }
    }

    fn in_index(&self, field: &str) -> Option<String> {
        let term = |constant: &Constant| match constant {
            Constant::Number(number) => format!("\"{number}\""),
            Constant::Text(text) => text.clone(),
        };
        let bound = |constant: &Constant| match constant {
            Constant::Number(number) => number.clone(),
            Constant::Text(text) => format!("\"{text}\""),
        };
        Some(match self {
            Self::Compare("=", constant) => format!("{field}:{}", term(constant)),
            Self::Compare("!=", constant) => format!("NOT {field}:{}", term(constant)),
            Self::Compare(op, Constant::Number(number)) => format!("{field} {op} {number}"),
            Self::Compare(op, text) => match *op {
                ">" => format!("{field}:{{{} TO *]", bound(text)),
                ">=" => format!("{field}:[{} TO *]", bound(text)),
                "<" => format!("{field}:[* TO {}}}", bound(text)),
                _ => format!("{field}:[* TO {}]", bound(text)),
            },
            Self::In(items) if items.len() > 4 => return None,
            Self::In(items) => {
                format!(
                    "{field}:({})",
                    items.iter().map(term).collect::<Vec<_>>().join(" OR ")
                )
            }
            Self::Range(low, high, closed) => {
                let end = if *closed { ']' } else { '}' };
                format!("{field}:[{} TO {}{end}", bound(low), bound(high))
            }
            Self::Prefix(text) => format!("{field}:{text}*"),
            Self::Exists => format!("{field}:*"),
        })
    }

    fn in_rsql(&self, field: &str) -> Option<String> {
        let literal = |constant: &Constant| match constant {
            Constant::Number(number) => number.clone(),
            Constant::Text(text) => format!("'{text}'"),
        };
        Some(match self {
            Self::Compare(op, constant) => {
                let op = match *op {
                    "=" => "==",
                    "!=" => "!=",
                    "<" => "=lt=",
                    "<=" => "=le=",
                    ">" => "=gt=",
                    _ => "=ge=",
                };
                format!("{field}{op}{}", literal(constant))
            }
            Self::In(items) => {
                format!(
                    "{field}=in=({})",
                    items.iter().map(literal).collect::<Vec<_>>().join(",")
                )
            }
            Self::Range(low, high, closed) => {
                let op = if *closed { "=le=" } else { "=lt=" };
                format!("({field}=ge={};{field}{op}{})", literal(low), literal(high))
            }
            Self::Prefix(text) => format!("{field}=='{text}*'"),
            Self::Exists => format!("{field}=not=null"),
        })
    }
}

/// Combinations of up to 8 leaves on the fields `a` and `b`.
pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let field = prop_oneof![2 => Just('a'), 1 => Just('b')];
    let leaf = (field, leaf()).prop_map(|(field, leaf)| Tree::Leaf(field, leaf));
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| Tree::Not(Box::new(inner))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Tree::And),
            prop::collection::vec(inner, 2..4).prop_map(Tree::Or),
        ]
    })
    .prop_filter("at most eight leaves, one of them long", |tree| {
        tree.leaves() <= 8 && tree.long_lists() <= 1
    })
}

fn value() -> impl Strategy<Value = Value> {
    let simple = || {
        prop_oneof![
            4 => (-2_i32..20).prop_map(|n| json!(f64::from(n) / 2.0)),
            1 => Just(json!(1e17)),
            3 => "[abAB15é ]{0,3}".prop_map(Value::from),
            2 => prop::sample::select(vec!["5", "1.5", "1e1", "05", "1.50 a", "b 2", "-1"]).prop_map(Value::from),
            1 => any::<bool>().prop_map(Value::from),
            1 => Just(Value::Null),
        ]
    };
    prop_oneof![
        6 => simple(),
        2 => prop::collection::vec(simple(), 0..4).prop_map(Value::from),
        1 => Just(json!({"x": 1})),
        1 => Just(json!([{"x": 1}])),
    ]
}

/// Documents of both families with some of the fields, dotted keys among them.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    let members = prop::collection::btree_map("a|b", value(), 0..3);
    (members, prop::option::weighted(0.2, value())).prop_map(|(members, dotted)| {
        let mut document = json!({"deviceId": "d", "properties": {"reported": members}, "body": members, "bodyUsable": true});
        if let (Some(value), Some(properties)) = (dotted, document.get_mut("properties")) {
            properties["reported.a"] = value;
        }
        document
    })
}
