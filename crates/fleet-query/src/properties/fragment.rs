//! The fragment that the algebra decides: boolean combinations of comparisons, IN, ranges, prefixes and existence,
//! written in every dialect that can write them.

use crate::dialect::Dialect;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A field as each dialect names it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    iot_hub: &'static str,
    routing: &'static str,
    aws: &'static str,
    rsql: &'static str,
}

const fn field(
    iot_hub: &'static str,
    routing: &'static str,
    aws: &'static str,
    rsql: &'static str,
) -> Field {
    Field {
        iot_hub,
        routing,
        aws,
        rsql,
    }
}

/// Reported values, in routing members of the body; ids; properties of messages. In routing alone letter case does not matter.
const FIELDS: [Field; 8] = [
    field(
        "properties.reported.a",
        "$body.a",
        "shadow.reported.a",
        "reported.a",
    ),
    field(
        "properties.reported.A",
        "$body.A",
        "shadow.reported.A",
        "reported.A",
    ),
    field(
        "properties.reported.b",
        "$body.b",
        "shadow.reported.b",
        "reported.b",
    ),
    field("deviceId", "$connectionDeviceId", "thingName", "id"),
    field("status", "$CONNECTIONDEVICEID", "thingTypeName", "type"),
    field(
        "properties.reported.a",
        "{$connectionDeviceId}",
        "shadow.reported.a",
        "reported.a",
    ),
    field("tags.a", "level", "attributes.a", "attributes.a"),
    field("tags.A", "LEVEL", "attributes.A", "attributes.A"),
];

/// A constant.
#[derive(Clone, Debug)]
enum Constant {
    Number(String),
    Text(String),
    Bool(bool),
    Null,
}

/// A leaf on one field.
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
    Leaf(Field, LeafBox),
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

/// Words, spellings of numbers, texts with white space.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[abAB]{1,2}",
        2 => "[125]{1,2}",
        1 => "é|true|null",
        1 => "-?0?1(\\.0|e1)?|1\\.5",
        2 => "[ab1 ]{0,3}",
    ]
}

fn constant() -> impl Strategy<Value = Constant> {
    prop_oneof![
        6 => number(),
        6 => text().prop_map(Constant::Text),
        1 => any::<bool>().prop_map(Constant::Bool),
        1 => Just(Constant::Null),
    ]
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
    fn written(&self, field: Field, dialect: Dialect) -> Option<String> {
        match dialect {
            Dialect::Aws => self.in_index(field.aws),
            Dialect::Rsql => self.in_rsql(field.rsql),
            Dialect::Routing => Some(self.in_routing(field.routing)),
            _ => Some(self.in_sql(field.iot_hub, true, Constant::in_sql)),
        }
    }

    /// Properties of messages are text, and compared with text only.
    fn in_routing(&self, field: &str) -> String {
        if field.starts_with("$body") {
            return self.in_sql(field, false, Constant::in_sql);
        }
        self.in_sql(field, false, |constant| match constant {
            Constant::Text(_) => constant.in_sql(),
            other => format!("'{}'", other.in_sql()),
        })
    }

    fn in_sql(&self, field: &str, lists: bool, literal: fn(&Constant) -> String) -> String {
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
        let open = |low: &str, high: &str, close| format!("{field}:{low} TO {high}{close}");
        Some(match self {
            Self::Compare("=", Constant::Null) => format!("NOT {field}:*"),
            Self::Compare("!=", Constant::Null) => format!("{field}:*"),
            Self::Compare("=", constant) => format!("{field}:{}", constant.in_index()?),
            Self::Compare("!=", constant) => format!("NOT {field}:{}", constant.in_index()?),
            Self::Compare(op, Constant::Number(number)) => format!("{field} {op} {number}"),
            Self::Compare(op, bound) => {
                let bound = bound.as_bound()?;
                match *op {
                    ">" => open(&format!("{{{bound}"), "*", ']'),
                    ">=" => open(&format!("[{bound}"), "*", ']'),
                    "<" => open("[*", &bound, '}'),
                    _ => open("[*", &bound, ']'),
                }
            }
            Self::In(items) if items.len() > 4 => return None,
            Self::In(items) => {
                let items: Option<Vec<String>> = items.iter().map(Constant::in_index).collect();
                format!("{field}:({})", items?.join(" OR "))
            }
            Self::Range(low, high, closed) => {
                let end = if *closed { ']' } else { '}' };
                open(&format!("[{}", low.as_bound()?), &high.as_bound()?, end)
            }
            Self::Prefix(text) if text.contains(' ') => return None,
            Self::Prefix(text) => format!("{field}:{text}*"),
            Self::Exists => format!("{field}:*"),
        })
    }

    fn in_rsql(&self, field: &str) -> Option<String> {
        Some(match self {
            Self::Compare("=", Constant::Null) => format!("{field}=is=null"),
            Self::Compare("!=", Constant::Null) => format!("{field}=not=null"),
            Self::Compare(op, constant) => {
                let op = match *op {
                    "=" => "==",
                    "!=" => "!=",
                    "<" => "=lt=",
                    "<=" => "=le=",
                    ">" => "=gt=",
                    _ => "=ge=",
                };
                format!("{field}{op}{}", constant.in_rsql()?)
            }
            Self::In(items) => {
                let items: Option<Vec<String>> = items.iter().map(Constant::in_rsql).collect();
                format!("{field}=in=({})", items?.join(","))
            }
            Self::Range(low, high, closed) => {
                let op = if *closed { "=le=" } else { "=lt=" };
                format!(
                    "({field}=ge={};{field}{op}{})",
                    low.in_rsql()?,
                    high.in_rsql()?
                )
            }
            Self::Prefix(text) => format!("{field}=='{text}*'"),
            Self::Exists => format!("{field}=not=null"),
        })
    }
}

impl Constant {
    fn in_sql(&self) -> String {
        match self {
            Self::Number(number) => number.clone(),
            Self::Text(text) => format!("'{text}'"),
            Self::Bool(value) => value.to_string(),
            Self::Null => "null".to_owned(),
        }
    }

    /// A term of one word.
    fn in_index(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(format!("\"{number}\"")),
            Self::Text(text) if text.is_empty() || text.contains(' ') => None,
            Self::Text(text) if text.starts_with('-') => Some(format!("\"{text}\"")),
            Self::Text(text) => Some(text.clone()),
            Self::Bool(value) => Some(value.to_string()),
            Self::Null => None,
        }
    }

    /// A bound of a range of the index.
    fn as_bound(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(number.clone()),
            Self::Text(text) => Some(format!("\"{text}\"")),
            Self::Bool(_) | Self::Null => None,
        }
    }

    fn in_rsql(&self) -> Option<String> {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Bool(_) => Some(self.in_sql()),
            Self::Null => None,
        }
    }
}

/// Combinations of up to 8 leaves, often on the same field.
pub(crate) fn tree() -> impl Strategy<Value = Tree> {
    let field = prop_oneof![1 => Just(FIELDS[0]), 2 => prop::sample::select(FIELDS.to_vec())];
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

/// Properties of a message by their names.
fn properties(names: &'static str) -> impl Strategy<Value = Value> {
    let value = prop_oneof![4 => text().prop_map(Value::from), 1 => Just(Value::Null)];
    prop::collection::btree_map(names, value, 0..3).prop_map(|members| json!(members))
}

/// Documents of both families with some of the fields, dotted keys among them.
pub(crate) fn document() -> impl Strategy<Value = Value> {
    let members = || prop::collection::btree_map("a|A|b", value(), 0..3);
    let dotted = prop::option::weighted(0.2, value());
    let id = text().prop_filter("one word", |id| !id.is_empty() && !id.contains(' '));
    let system = properties("connectionDeviceId|CONNECTIONDEVICEID");
    let own = properties("level|LEVEL|\\$connectionDeviceId");
    let fields = (members(), members(), value(), value());
    (fields, dotted, id, system, own).prop_map(
        |((members, tags, status, kind), dotted, id, system, own)| {
            let mut document = json!({
                "deviceId": id, "status": status, "thingTypeName": kind, "tags": tags, "attributes": tags,
                "properties": {"reported": members}, "body": members, "bodyUsable": true,
                "systemProperties": system, "appProperties": own,
            });
            if let Some(value) = dotted {
                document["properties"]["reported.a"] = value;
            }
            document
        },
    )
}
