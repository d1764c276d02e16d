//! Typed generators: ASTs of every dialect, and documents over the same small vocabulary.

use crate::diagnostic::Span;
use crate::expression::{ArithmeticOp, Membership};
use crate::pattern::{Piece, Wildcard};
use crate::predicate::Edge;
use crate::syntax::ast::*;
use crate::value::CompareOp;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn expr(node: Node) -> Expr {
    Expr::new(node, Span::default())
}

fn boxed(node: Expr) -> Box<Expr> {
    Box::new(node)
}

pub(crate) fn path_of(steps: Vec<Step>) -> Path {
    Path {
        steps,
        at: At::default(),
    }
}

fn compare_op() -> impl Strategy<Value = CompareOp> {
    use CompareOp::*;
    prop_oneof![Just(Eq), Just(Ne), Just(Lt), Just(Le), Just(Gt), Just(Ge)]
}

fn arithmetic_op() -> impl Strategy<Value = ArithmeticOp> {
    use ArithmeticOp::*;
    prop_oneof![
        Just(Add),
        Just(Subtract),
        Just(Multiply),
        Just(Divide),
        Just(Remainder)
    ]
}

/// Texts of every character, most of them short and alike.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[abAB15 ]{0,3}", 1 => "\\PC{0,4}", 1 => "['\"\\\\*?$@é\u{10000}\u{ffff}\n-]{0,4}"]
}

pub(crate) fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        6 => (-3_i32..8).prop_map(f64::from),
        2 => prop::num::f64::NORMAL.prop_map(|n| n + 0.0),
        1 => prop_oneof![Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(1e15), Just(0.1), Just(1e-7)],
    ]
}

pub(crate) fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        4 => text().prop_map(Literal::Text),
        4 => number().prop_map(|n| Literal::Number(if n == 0.0 { 0.0 } else { n })),
        2 => any::<bool>().prop_map(Literal::Bool),
        1 => Just(Literal::Null),
        1 => Just(Literal::Undefined),
    ]
}

/// Paths that the documents below hold, and some that they do not.
pub(crate) fn known_path() -> impl Strategy<Value = Path> {
    prop::sample::select(vec![
        "tags.a",
        "tags.b",
        "tags.group.name",
        "tags.c.d",
        "tags.c",
        "properties.reported.x",
        "deviceId",
        "tags.l",
    ])
    .prop_map(|text| {
        path_of(
            text.split('.')
                .map(|key| Step::Key(key.to_owned()))
                .collect(),
        )
    })
}

fn any_path() -> impl Strategy<Value = Path> {
    let key = prop_oneof![
        "[a-zA-Z_$][a-z0-9_$-]{0,4}",
        "[^\\]]{1,5}",
        "(group|select|nin|true|4g|AND)"
    ];
    let step =
        prop_oneof![6 => key.clone().prop_map(Step::Key), 1 => (0_u32..9).prop_map(Step::Index)];
    (key, vec(step, 0..3))
        .prop_map(|(first, rest)| path_of(std::iter::once(Step::Key(first)).chain(rest).collect()))
}

fn not(inner: Expr) -> Expr {
    expr(Node::Not(boxed(inner)))
}

/// The parser folds a minus into the number behind it.
fn negated(inner: Expr) -> Expr {
    match inner.node {
        Node::Literal(Literal::Number(n)) if n >= 0.0 => inner,
        _ => expr(Node::Negate(boxed(inner))),
    }
}

/// Expressions of the twin dialects; with `Routing` of the routing dialect.
fn expression(leaf: BoxedStrategy<Expr>, routing: bool) -> BoxedStrategy<Expr> {
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let pair = (inner.clone(), inner.clone());
        let mut all = vec![
            inner.clone().prop_map(not).boxed(),
            inner.clone().prop_map(negated).boxed(),
            vec(inner.clone(), 2..4)
                .prop_map(|items| expr(Node::And(items)))
                .boxed(),
            vec(inner.clone(), 2..4)
                .prop_map(|items| expr(Node::Or(items)))
                .boxed(),
            (compare_op(), pair.clone())
                .prop_map(|(op, (a, b))| {
                    expr(Node::Compare {
                        op,
                        left: boxed(a),
                        right: boxed(b),
                    })
                })
                .boxed(),
            (arithmetic_op(), pair.clone())
                .prop_map(|(op, (a, b))| {
                    expr(Node::Arithmetic {
                        op,
                        left: boxed(a),
                        right: boxed(b),
                    })
                })
                .boxed(),
            ("[A-Za-z_][A-Za-z_]{3,8}", vec(inner.clone(), 0..3))
                .prop_filter("a keyword", |(name, _)| !is_word(name))
                .prop_map(|(name, arguments)| call(&name, arguments))
                .boxed(),
        ];
        if routing {
            all.push(
                pair.clone()
                    .prop_map(|(a, b)| expr(Node::Concat(boxed(a), boxed(b))))
                    .boxed(),
            );
            all.push(
                pair.prop_map(|(a, b)| expr(Node::Coalesce(boxed(a), boxed(b))))
                    .boxed(),
            );
        } else {
            let item = literal().prop_map(|literal| expr(Node::Literal(literal)));
            all.push(
                (any::<bool>(), inner, vec(item, 0..3))
                    .prop_map(|(is_in, value, items)| {
                        let membership = if is_in {
                            Membership::In
                        } else {
                            Membership::NotIn
                        };
                        expr(Node::In {
                            membership,
                            value: boxed(value),
                            items,
                        })
                    })
                    .boxed(),
            );
        }
        prop::strategy::Union::new(all)
    })
    .boxed()
}

fn is_word(name: &str) -> bool {
    crate::path::KEYWORDS
        .iter()
        .chain(&["NIN", "true", "false", "null", "undefined"])
        .any(|word| word.eq_ignore_ascii_case(name))
}

pub(crate) fn call(name: &str, arguments: Vec<Expr>) -> Expr {
    expr(Node::Call {
        name: Name {
            text: name.to_owned(),
            at: At::default(),
        },
        arguments,
    })
}

pub(crate) fn twin_expression() -> BoxedStrategy<Expr> {
    let leaf = prop_oneof![
        literal().prop_map(|literal| expr(Node::Literal(literal))),
        any_path().prop_map(|path| expr(Node::Path(path))),
        "[a-z_][a-z0-9_]{0,4}".prop_map(|name| expr(Node::Parameter(name))),
    ];
    expression(leaf.boxed(), false)
}

pub(crate) fn routing_expression() -> BoxedStrategy<Expr> {
    let name = "[a-z][a-z0-9!#&.|-]{0,5}".prop_filter("a keyword", |name| !is_word(name));
    let leaf = prop_oneof![
        literal().prop_map(|literal| expr(Node::Literal(literal))),
        name.prop_map(|name| expr(Node::Path(path_of(vec![Step::Key(name)])))),
        ("[a-z][a-z0-9.\\[\\]-]{0,8}", any::<bool>())
            .prop_map(|(name, braced)| expr(Node::System { name, braced })),
    ];
    expression(leaf.boxed(), true)
}

/// Statements of the twin dialect.
pub(crate) fn statement() -> BoxedStrategy<Text> {
    let projected = prop_oneof![
        any_path().prop_map(Projected::Path),
        (
            prop::sample::select(vec![
                Aggregate::Avg,
                Aggregate::Sum,
                Aggregate::Min,
                Aggregate::Max
            ]),
            any_path()
        )
            .prop_map(|(function, path)| Projected::Aggregate {
                function,
                argument: Some(path)
            }),
        Just(Projected::Aggregate {
            function: Aggregate::Count,
            argument: None
        }),
    ];
    let alias = prop::option::of("[^\\]]{1,5}");
    let item = (projected, alias).prop_map(|(value, alias)| Projection {
        value,
        alias: alias.map(|text| Name {
            text,
            at: At::default(),
        }),
        at: At::default(),
    });
    let select = prop_oneof![
        Just(SelectList::All(At::default())),
        vec(item, 1..4).prop_map(SelectList::Items),
    ];
    let top = prop::option::of((1_u64..50).prop_map(|rows| Top {
        rows,
        at: At::default(),
    }));
    (
        top,
        select,
        prop::option::of(twin_expression()),
        prop::option::of(any_path()),
    )
        .prop_map(|(top, select, filter, group_by)| {
            Text::Statement(Statement {
                top,
                select,
                collection: Name {
                    text: "devices".to_owned(),
                    at: At::default(),
                },
                filter,
                group_by,
            })
        })
        .boxed()
}

fn pieces(plain: &'static str) -> BoxedStrategy<Wildcard> {
    let piece = prop_oneof![
        3 => plain.prop_map(|text| Piece::Literal(text.into())),
        1 => Just(Piece::AnyRun),
        1 => Just(Piece::AnyOne),
    ];
    vec(piece, 1..4)
        .prop_map(Wildcard::new)
        .prop_filter("empty", |made| !made.pieces().is_empty())
        .boxed()
}

/// Characters that the service does not refuse.
const INDEX_TEXT: &str = "[a-cA-C0-9:<>(){}\\[\\]\"* ?é.=!&|$+_-]{1,4}";

fn term(bare: bool) -> BoxedStrategy<Term> {
    let value = prop_oneof![
        3 => pieces(INDEX_TEXT)
            .prop_filter("everything", move |made| !(bare && made.pieces() == [Piece::AnyRun]))
            .prop_map(TermValue::Pattern),
        1 => "(AND|OR|NOT|TO|-)".prop_map(|word| TermValue::Pattern(Wildcard::new([Piece::Literal(word.into())]))),
        1 => INDEX_TEXT.prop_map(TermValue::Quoted),
        1 => "[a-z_][a-z0-9_]{0,4}".prop_map(TermValue::Parameter),
    ];
    value
        .prop_map(|value| Term {
            value,
            at: At::default(),
        })
        .boxed()
}

fn small_number() -> impl Strategy<Value = f64> {
    number()
        .prop_filter("finite", |n| n.is_finite())
        .prop_map(|n| if n == 0.0 { 0.0 } else { n })
}

fn range() -> BoxedStrategy<Range> {
    let bound = prop_oneof![
        Just(RangeBound::Open),
        small_number().prop_map(RangeBound::Number),
        INDEX_TEXT.prop_map(RangeBound::Text),
        "[a-z]{1,3}".prop_map(RangeBound::Parameter),
    ];
    let edge = || {
        any::<bool>().prop_map(|inside| {
            if inside {
                Edge::Inclusive
            } else {
                Edge::Exclusive
            }
        })
    };
    (bound.clone(), edge(), bound, edge())
        .prop_map(|(low, low_edge, high, high_edge)| Range {
            low,
            low_edge,
            high,
            high_edge,
            at: At::default(),
        })
        .boxed()
}

fn group() -> BoxedStrategy<Group> {
    let leaf = prop_oneof![
        term(false).prop_map(Group::Term),
        range().prop_map(Group::Range)
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|one| Group::Not(Box::new(one))),
            vec(inner.clone(), 2..4).prop_map(Group::And),
            vec(inner, 2..4).prop_map(Group::Or),
        ]
    })
    .boxed()
}

/// Expressions of the AWS dialect.
pub(crate) fn index_expression() -> BoxedStrategy<Expr> {
    let key = "[a-c0-9_$ :.-]{1,4}";
    let field = vec(key.prop_map(Step::Key), 1..3).prop_map(path_of);
    let order = prop::sample::select(vec![
        CompareOp::Lt,
        CompareOp::Le,
        CompareOp::Gt,
        CompareOp::Ge,
    ]);
    let operand = prop_oneof![
        small_number().prop_map(Operand::Number),
        "[a-z]{1,3}".prop_map(Operand::Parameter),
    ];
    let body = prop_oneof![
        term(false).prop_map(FieldBody::Term),
        range().prop_map(FieldBody::Range),
        group().prop_map(FieldBody::Group),
        (order, operand).prop_map(|(op, operand)| FieldBody::Compare { op, operand }),
        (small_number(), small_number(), small_number(), "(km|mi|M)").prop_map(
            |(latitude, longitude, distance, unit)| FieldBody::Geo {
                latitude,
                longitude,
                distance,
                unit
            }
        ),
    ];
    let leaf = prop_oneof![
        Just(expr(Node::Everything)),
        term(true).prop_map(|term| expr(Node::Bare(term))),
        (field, body).prop_map(|(field, body)| expr(Node::Field { field, body })),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            vec(inner.clone(), 2..4).prop_map(|items| expr(Node::And(items))),
            vec(inner, 2..4).prop_map(|items| expr(Node::Or(items))),
        ]
    })
    .boxed()
}

/// Expressions of RSQL.
pub(crate) fn rsql_expression() -> BoxedStrategy<Expr> {
    let op = prop::sample::select(vec![
        RsqlOp::Eq,
        RsqlOp::Ne,
        RsqlOp::Lt,
        RsqlOp::Le,
        RsqlOp::Gt,
        RsqlOp::Ge,
        RsqlOp::In,
        RsqlOp::Out,
        RsqlOp::Is,
        RsqlOp::Not,
    ]);
    fn wildcard(plain: &'static str) -> impl Strategy<Value = Wildcard> {
        let piece = prop_oneof![
            3 => plain.prop_map(|text| Piece::Literal(text.into())),
            1 => Just(Piece::AnyRun),
        ];
        vec(piece, 1..4).prop_map(Wildcard::new)
    }
    let value = prop_oneof![
        wildcard("[a-z0-9_.$+\\\\?-]{1,4}").prop_map(RsqlValue::Word),
        wildcard("\\PC{0,4}").prop_map(RsqlValue::Quoted),
        "[a-z]{1,3}".prop_map(RsqlValue::Parameter),
    ];
    let argument = value.prop_map(|value| RsqlArgument {
        value,
        at: At::default(),
    });
    let selector = "[a-z][a-z0-9_-]{0,3}(\\.[a-z0-9_-]{1,3}){0,2}";
    let leaf = (selector, op, vec(argument, 1..4)).prop_map(|(selector, op, mut arguments)| {
        if !matches!(op, RsqlOp::In | RsqlOp::Out) {
            arguments.truncate(1);
        }
        let steps = selector
            .split('.')
            .map(|key| Step::Key(key.to_owned()))
            .collect();
        expr(Node::Selector {
            selector: path_of(steps),
            op,
            arguments,
        })
    });
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 2..4).prop_map(|items| expr(Node::And(items))),
            vec(inner, 2..4).prop_map(|items| expr(Node::Or(items))),
        ]
    })
    .boxed()
}

/// Conditions of the twin dialect over the known paths: all that the evaluator can be asked.
pub(crate) fn twin_condition() -> BoxedStrategy<Expr> {
    let field = || known_path().prop_map(|path| expr(Node::Path(path)));
    let constant = || literal().prop_map(|literal| expr(Node::Literal(literal)));
    let value = prop_oneof![3 => field(), 3 => constant(), 1 => (field(), constant(), arithmetic_op()).prop_map(
        |(a, b, op)| expr(Node::Arithmetic { op, left: boxed(a), right: boxed(b) })
    )];
    let one = prop::sample::select(vec![
        "IS_DEFINED",
        "IS_NULL",
        "IS_BOOL",
        "IS_NUMBER",
        "IS_STRING",
        "IS_OBJECT",
        "IS_ARRAY",
        "IS_PRIMITIVE",
        "LENGTH",
    ]);
    let two = prop::sample::select(vec![
        "STARTSWITH",
        "ENDSWITH",
        "CONTAINS",
        "ARRAY_CONTAINS",
        "INDEX_OF",
    ]);
    let leaf = prop_oneof![
        2 => field(),
        6 => (compare_op(), value.clone(), value)
            .prop_map(|(op, a, b)| expr(Node::Compare { op, left: boxed(a), right: boxed(b) })),
        2 => (one, field()).prop_map(|(name, a)| call(name, vec![a])),
        2 => (two, field(), constant()).prop_map(|(name, a, b)| call(name, vec![a, b])),
        2 => (any::<bool>(), field(), vec(constant(), 0..4)).prop_map(|(is_in, value, items)| {
            let membership = if is_in { Membership::In } else { Membership::NotIn };
            expr(Node::In { membership, value: boxed(value), items })
        }),
    ];
    connected(leaf.boxed())
}

/// The fragment that the condition algebra must decide, at most eight leaves.
pub(crate) fn decidable_condition() -> BoxedStrategy<Expr> {
    let path = || {
        prop::sample::select(vec!["tags.a", "tags.b", "tags.x"]).prop_map(|text| {
            expr(Node::Path(path_of(
                text.split('.')
                    .map(|key| Step::Key(key.to_owned()))
                    .collect(),
            )))
        })
    };
    let plain = || {
        prop_oneof![
            4 => (0_i32..4).prop_map(|n| Literal::Number(f64::from(n))),
            4 => "[ab]{0,2}".prop_map(Literal::Text),
            1 => any::<bool>().prop_map(Literal::Bool),
            1 => Just(Literal::Null),
        ]
        .prop_map(|literal| expr(Node::Literal(literal)))
    };
    let leaf = prop_oneof![
        5 => (compare_op(), path(), plain())
            .prop_map(|(op, a, b)| expr(Node::Compare { op, left: boxed(a), right: boxed(b) })),
        1 => path().prop_map(|a| call("IS_DEFINED", vec![a])),
        2 => (path(), "[ab]{0,2}").prop_map(|(a, prefix)| {
            call("STARTSWITH", vec![a, expr(Node::Literal(Literal::Text(prefix)))])
        }),
        2 => (any::<bool>(), path(), vec(plain(), 0..3)).prop_map(|(is_in, value, items)| {
            let membership = if is_in { Membership::In } else { Membership::NotIn };
            expr(Node::In { membership, value: boxed(value), items })
        }),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            vec(inner.clone(), 2..4).prop_map(|items| expr(Node::And(items))),
            vec(inner, 2..4).prop_map(|items| expr(Node::Or(items))),
        ]
    })
    .prop_filter("eight leaves", |made| leaves(made) <= 8)
    .boxed()
}

pub(crate) fn leaves(made: &Expr) -> usize {
    match &made.node {
        Node::And(items) | Node::Or(items) => items.iter().map(leaves).sum(),
        Node::Not(inner) => leaves(inner),
        _ => 1,
    }
}

fn connected(leaf: BoxedStrategy<Expr>) -> BoxedStrategy<Expr> {
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(not),
            vec(inner.clone(), 2..4).prop_map(|items| expr(Node::And(items))),
            vec(inner, 2..4).prop_map(|items| expr(Node::Or(items))),
        ]
    })
    .boxed()
}

fn simple() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => text().prop_map(Value::from),
        4 => (-3_i32..8).prop_map(Value::from),
        1 => prop::num::f64::NORMAL.prop_map(Value::from),
        2 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => r"(75|75\.0|1e2|075|true)".prop_map(Value::from),
    ]
}

pub(crate) fn value() -> BoxedStrategy<Value> {
    prop_oneof![
        6 => simple(),
        1 => vec(simple(), 0..3).prop_map(Value::from),
        1 => simple().prop_map(|inner| json!({"d": inner, "name": "x"})),
        1 => simple().prop_map(|inner| json!([{"n": inner}])),
    ]
    .boxed()
}

/// Devices whose fields hold, or lack, values of every kind.
pub(crate) fn document() -> BoxedStrategy<Value> {
    let field = || prop::option::weighted(0.8, value());
    ("[abAB1]{1,3}", vec(field(), 9))
        .prop_map(|(id, values)| {
            let mut root = json!({"deviceId": id, "tags": {}, "properties": {"desired": {}, "reported": {}}, "attributes": {}});
            let places = [
                ("/tags", "a"), ("/tags", "b"), ("/tags", "group"), ("/tags", "c"), ("/properties/reported", "x"),
                ("/properties/desired", "x"), ("/tags", "l"), ("/properties/reported", "y"), ("/tags", "x"),
            ];
            for ((parent, key), value) in places.into_iter().zip(values) {
                if let (Some(value), Some(parent)) = (value, root.pointer_mut(parent)) {
                    parent[key] = value;
                }
            }
            root
        })
        .boxed()
}

/// Devices whose service-typed fields hold what the services put there.
pub(crate) fn typed_document() -> BoxedStrategy<Value> {
    let word = || prop_oneof![2 => "[abAB1-]{1,3}", 1 => r"(75|75\.0|10-x|é)"];
    let maybe = |strategy: BoxedStrategy<Value>| prop::option::weighted(0.7, strategy);
    (
        word(),
        maybe(word().prop_map(Value::from).boxed()),
        maybe(word().prop_map(Value::from).boxed()),
        maybe(vec(word(), 0..3).prop_map(Value::from).boxed()),
        maybe(any::<bool>().prop_map(Value::from).boxed()),
        maybe((0_i64..5).prop_map(Value::from).boxed()),
        maybe((-2_i64..5).prop_map(Value::from).boxed()),
    )
        .prop_map(|(id, kind, site, groups, connected, timestamp, temp)| {
            let mut root = json!({"deviceId": id, "attributes": {}, "connectivity": {}, "properties": {"reported": {}}});
            let places = [
                ("", "thingTypeName", kind), ("/attributes", "site", site), ("", "thingGroupNames", groups),
                ("/connectivity", "connected", connected), ("/connectivity", "timestamp", timestamp),
                ("/properties/reported", "temp", temp),
            ];
            for (parent, key, value) in places {
                if let (Some(value), Some(parent)) = (value, root.pointer_mut(parent)) {
                    parent[key] = value;
                }
            }
            root
        })
        .boxed()
}

/// Texts of the AWS, RSQL and twin dialects over the typed documents.
pub(crate) fn typed_text() -> BoxedStrategy<(crate::Dialect, String)> {
    let word = || prop_oneof!["[ab1-]{1,2}", "(75|10-|é|-1)"];
    let number = || prop::sample::select(vec!["1", "11", "75", "75.0", "74.5"]);
    let attribute = || prop::sample::select(vec!["thingName", "attributes.site"]);
    let index = prop_oneof![
        (
            prop::sample::select(vec![
                "thingName",
                "thingTypeName",
                "attributes.site",
                "thingGroupNames"
            ]),
            word(),
            0..4
        )
            .prop_map(|(field, word, how)| match how {
                0 => format!("{field}:{word}*"),
                1 => format!("{field}:*"),
                2 => format!("{field}:\"{word}\""),
                _ => format!("{field}:{word}"),
            }),
        any::<bool>().prop_map(|value| format!("connectivity.connected:{value}")),
        (0..5, "(<|<=|>|>=)").prop_map(|(n, op)| format!("connectivity.timestamp {op} {n}")),
        (0..5, 0..5).prop_map(|(a, b)| format!("shadow.reported.temp:[{a} TO {b}}}")),
        (attribute(), number(), 0..3).prop_map(|(field, n, how)| match how {
            0 => format!("{field}:{n}"),
            1 => format!("{field} > {n}"),
            _ => format!("{field}:[{n} TO 80}}"),
        }),
    ];
    let rsql = prop_oneof![
        (
            prop::sample::select(vec!["id", "type", "attribute.site", "group"]),
            "(==|!=)",
            word(),
            any::<bool>()
        )
            .prop_map(|(field, op, word, run)| format!(
                "{field}{op}'{word}{}'",
                if run { "*" } else { "" }
            )),
        (
            prop::sample::select(vec!["connectivity.timestamp", "reported.temp"]),
            "(==|!=|=lt=|=ge=)",
            0..5
        )
            .prop_map(|(field, op, n)| format!("{field}{op}{n}")),
        (attribute(), "(==|!=|=gt=|=le=)", number())
            .prop_map(|(field, op, n)| format!("{field}{op}{n}")),
        (
            prop::sample::select(vec!["id", "attribute.site", "connectivity.connected"]),
            "(=is=|=not=)"
        )
            .prop_map(|(field, op)| format!("{field}{op}null")),
    ];
    let twin = prop_oneof![
        (
            prop::sample::select(vec!["deviceId", "thingTypeName", "attributes.site"]),
            "(=|!=)",
            word()
        )
            .prop_map(|(field, op, word)| format!("{field} {op} '{word}'")),
        (
            prop::sample::select(vec!["deviceId", "attributes.site", "thingGroupNames"]),
            word()
        )
            .prop_map(|(field, word)| format!("STARTSWITH({field}, '{word}')")),
        (
            prop::sample::select(vec!["connectivity.timestamp", "properties.reported.temp"]),
            "(=|!=|<|>=)",
            0..5
        )
            .prop_map(|(field, op, n)| format!("{field} {op} {n}")),
        (prop::sample::select(vec![
            "attributes.site",
            "thingGroupNames",
            "connectivity.connected"
        ]))
        .prop_map(|field| format!("IS_DEFINED({field})")),
        Just("connectivity.connected".to_owned()),
        word().prop_map(|word| format!("ARRAY_CONTAINS(thingGroupNames, '{word}')")),
    ];
    fn joined(
        leaf: BoxedStrategy<String>,
        and: &'static str,
        or: &'static str,
        not: Option<&'static str>,
    ) -> BoxedStrategy<String> {
        leaf.prop_recursive(2, 6, 2, move |inner| {
            (inner.clone(), inner, 0..3).prop_map(move |(a, b, how)| match (how, not) {
                (0, _) => format!("({a}{and}{b})"),
                (2, Some(not)) => format!("{not}({a})"),
                _ => format!("({a}{or}{b})"),
            })
        })
        .boxed()
    }
    prop_oneof![
        joined(index.boxed(), " AND ", " OR ", Some("NOT "))
            .prop_map(|text| (crate::Dialect::Aws, text)),
        joined(rsql.boxed(), ";", ",", None).prop_map(|text| (crate::Dialect::Rsql, text)),
        joined(twin.boxed(), " AND ", " OR ", Some("NOT ")).prop_map(|text| (
            crate::Dialect::IotHub,
            format!("SELECT * FROM devices WHERE {text}")
        )),
    ]
    .boxed()
}
