//! From a bound condition to a plan over columns.
//!
//! Negation is pushed down to the leaves, which are then asked for the rows where they are true or where they are
//! false; so no plan carries three truth values through its inner nodes.
use super::schema::Node;
use super::state::State;
use super::test::Test;
use crate::eval;
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::{ArrayRule, DefinedRule, KeyRule, Logic, Profile};
use crate::value::{CompareOp, Datum, Kind, Scalar, Truth};
use serde_json::{Map, Value};

/// What the executor does.
#[derive(Debug)]
pub(crate) enum Plan<'q> {
    /// Every row, or none.
    Everything(bool),
    /// The row of an id, if there is one.
    Row(Option<usize>),
    /// The rows that hold certain texts at a path, ascending.
    Found {
        path: &'q FieldPath,
        rows: Vec<u32>,
    },
    All(Vec<Plan<'q>>),
    Any(Vec<Plan<'q>>),
    /// The live rows that the plan does not select.
    Outside(Box<Plan<'q>>),
    Leaf(Box<Leaf<'q>>),
    /// Each candidate's document is rebuilt and judged by the reference evaluator.
    Judge(Judge<'q>),
}

#[derive(Debug)]
pub(crate) struct Judge<'q> {
    pub(crate) predicate: &'q Predicate,
    pub(crate) profile: &'static Profile,
    pub(crate) want: Truth,
    /// The members of the root that the document needs; all of them if none.
    pub(crate) roots: Option<Vec<Node>>,
    pub(crate) reason: &'static str,
}

/// One leaf over the columns of its path.
#[derive(Debug)]
pub(crate) struct Leaf<'q> {
    pub(crate) test: Test<'q>,
    /// Further leaves of the same field that must hold too, with the truth value that is looked for.
    pub(crate) also: Vec<(&'q Predicate, Truth)>,
    pub(crate) path: &'q FieldPath,
    /// The columns whose cells are tested: one, or several under a profile that joins keys.
    pub(crate) nodes: Vec<Node>,
    /// The columns of the elements of arrays, where an array means its elements.
    pub(crate) elements: Vec<Node>,
    /// Columns in which a cell kept as JSON text may hold the field: such rows are judged.
    pub(crate) opaque: Vec<Node>,
    /// `ARRAY_CONTAINS`: only elements are tested, and if it is to be false, arrays without a fitting one are meant.
    pub(crate) contains: bool,
    pub(crate) inherited: Vec<Inheritance>,
    /// Which codes are accepted, by column: `nodes`, then `elements`.
    pub(crate) codes: Vec<Codes>,
    pub(crate) bounds: Vec<Bounds>,
}

/// The codes of one dictionary that a leaf accepts.
#[derive(Clone, Debug)]
pub(crate) enum Codes {
    None,
    All,
    /// Those in these closed ranges.
    Runs(Vec<(i64, i64)>),
    /// One mark per code, padded so that every offset from every code has one.
    Marked {
        table: Vec<u8>,
        marked: usize,
        of: usize,
    },
}

/// One accepted range of numbers, translated once for each form in which numbers are stored.
#[derive(Debug)]
pub(crate) struct Bounds {
    range: (f64, f64),
    pub(crate) integers: (i64, i64),
    scaled: [std::cell::OnceCell<(i64, i64)>; 8],
}

impl Bounds {
    fn new(range: (f64, f64)) -> Self {
        let integers = super::floats::integer_bounds(range.0, range.1);
        Self {
            range,
            integers,
            scaled: Default::default(),
        }
    }

    pub(crate) fn floats(&self, form: usize) -> (i64, i64) {
        let scale = u8::try_from(form).ok().filter(|scale| *scale < 7);
        let of = || super::floats::bounds(scale, self.range.0, self.range.1);
        self.scaled
            .get(form)
            .map_or_else(of, |cell| *cell.get_or_init(of))
    }
}

impl<'q> Leaf<'q> {
    fn new(state: &State, test: Test<'q>, path: &'q FieldPath, nodes: Vec<Node>) -> Self {
        let bounds = match &test.numbers {
            super::test::Numbers::Ranges(ranges) => {
                ranges.iter().copied().map(Bounds::new).collect()
            }
            super::test::Numbers::Each => Vec::new(),
        };
        let mut leaf = Self {
            test,
            also: Vec::new(),
            path,
            nodes,
            elements: Vec::new(),
            opaque: Vec::new(),
            contains: false,
            inherited: Vec::new(),
            codes: Vec::new(),
            bounds,
        };
        leaf.codes = leaf
            .nodes
            .iter()
            .map(|node| leaf.accepted(state, *node))
            .collect();
        leaf
    }

    /// Whether exactly the rows that hold something in one column are accepted.
    pub(crate) fn any_value(&self) -> Option<Node> {
        let [node] = self.nodes[..] else { return None };
        let plain = self.elements.is_empty()
            && !self.contains
            && !self.test.undefined
            && self.inherited.is_empty()
            && !self
                .path
                .segments()
                .iter()
                .any(|segment| matches!(segment, crate::path::Segment::Index(_)))
            && self.test.accepts_any_value();
        plain.then_some(node)
    }

    /// One leaf that accepts what both accept, where each looks at the one value of the same field.
    fn both(&self, other: &Self) -> Option<Self> {
        let plain = |leaf: &Self| {
            leaf.elements.is_empty()
                && !leaf.contains
                && leaf.inherited.is_empty()
                && leaf.test.profile.logic == Logic::ThreeValued
        };
        if !plain(self) || !plain(other) || self.path != other.path || self.nodes != other.nodes {
            return None;
        }
        let test = self.test.both(&other.test)?;
        let mine = std::ptr::eq(test.leaf, self.test.leaf);
        let (asked, further) = if mine { (self, other) } else { (other, self) };
        let codes = asked
            .codes
            .iter()
            .map(|codes| match (&test.strings, codes) {
                (super::test::Strings::None, _) => Codes::None,
                (_, codes) => codes.clone(),
            })
            .collect();
        let mut opaque = self.opaque.clone();
        opaque.extend(&other.opaque);
        opaque.sort_unstable();
        opaque.dedup();
        let bounds = match &test.numbers {
            super::test::Numbers::Ranges(ranges) => {
                ranges.iter().copied().map(Bounds::new).collect()
            }
            super::test::Numbers::Each => return None,
        };
        let mut also = self.also.clone();
        also.extend(&other.also);
        also.push((further.test.leaf, further.test.want));
        Some(Self {
            test,
            also,
            path: self.path,
            nodes: self.nodes.clone(),
            elements: Vec::new(),
            opaque,
            contains: false,
            inherited: Vec::new(),
            codes,
            bounds,
        })
    }

    fn with_elements(mut self, state: &State, elements: Vec<Node>) -> Self {
        let codes: Vec<Codes> = elements
            .iter()
            .map(|node| self.accepted(state, *node))
            .collect();
        self.codes.extend(codes);
        self.elements = elements;
        self
    }

    fn accepted(&self, state: &State, node: Node) -> Codes {
        let Some(dictionary) = state.column(node).map(|column| &column.dictionary) else {
            return Codes::None;
        };
        if dictionary.len() == 0 {
            return Codes::None;
        }
        let codes = |texts: &[Box<str>]| {
            let mut codes: Vec<usize> = texts
                .iter()
                .filter_map(|text| dictionary.find(text))
                .filter_map(|code| usize::try_from(code).ok())
                .collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        match &self.test.strings {
            super::test::Strings::None => Codes::None,
            super::test::Strings::All => Codes::All,
            super::test::Strings::OneOf(texts) => {
                of_marked(dictionary.len(), codes(texts).into_iter())
            }
            super::test::Strings::NoneOf(texts) => {
                let not = codes(texts);
                of_marked(
                    dictionary.len(),
                    (0..dictionary.len()).filter(|code| not.binary_search(code).is_err()),
                )
            }
            super::test::Strings::Prefix(_) | super::test::Strings::Each => of_marked(
                dictionary.len(),
                dictionary
                    .iter()
                    .enumerate()
                    .filter(|(_, text)| self.test.accepts_text(text))
                    .map(|(code, _)| code),
            ),
        }
    }
}

/// More runs of codes than this are looked up in a table.
const RUNS: usize = 4;

/// The accepted codes, ascending, as a few runs or as a table.
fn of_marked(of: usize, codes: impl Iterator<Item = usize>) -> Codes {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    let mut all = Vec::new();
    for code in codes {
        let at = i64::try_from(code).unwrap_or(i64::MAX);
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == at => *end = at,
            _ => runs.push((at, at)),
        }
        all.push(code);
    }
    match runs.len() {
        0 => Codes::None,
        1..=RUNS => Codes::Runs(runs),
        _ => {
            let mut table = vec![0; of + PADDING];
            let marked = all.len();
            for code in all {
                if let Some(slot) = table.get_mut(code) {
                    *slot = 1;
                }
            }
            Codes::Marked { table, marked, of }
        }
    }
}

/// A table is longer than its dictionary by this, so that look-ups of one or two bytes need no check.
const PADDING: usize = 1 << 16;

/// What rows without an attribute of their own inherit.
#[derive(Debug)]
pub(crate) struct Inheritance {
    /// The attribute's own column, if any row has one.
    pub(crate) own: Option<Node>,
    /// Strongest first: the rows, and whether the inherited value is accepted.
    pub(crate) values: Vec<(roaring::RoaringBitmap, bool)>,
}

/// The plan of a condition on a state.
pub(crate) fn plan<'q>(state: &State, condition: &'q Condition) -> Plan<'q> {
    if condition.needs_body {
        return judge(
            state,
            &condition.predicate,
            condition.profile,
            Truth::True,
            "it reads a message's body",
        );
    }
    build(state, &condition.predicate, condition.profile, Truth::True)
}

fn build<'q>(
    state: &State,
    predicate: &'q Predicate,
    profile: &'static Profile,
    want: Truth,
) -> Plan<'q> {
    match predicate {
        Predicate::Constant(truth) => Plan::Everything(*truth == want),
        Predicate::Not(inner) => build(state, inner, profile, !want),
        Predicate::And(items) | Predicate::Or(items) => {
            let children: Vec<Plan<'q>> = items
                .iter()
                .map(|item| build(state, item, profile, want))
                .collect();
            let all = matches!(predicate, Predicate::And(_)) == (want == Truth::True);
            if all {
                conjunction(children)
            } else {
                disjunction(children)
            }
        }
        Predicate::Defined { path } => {
            let rule = profile.defined;
            if rule == DefinedRule::Indexed {
                return indexed(state, predicate, path, profile, want);
            }
            let accepts = move |value: &Datum<'_>| {
                (match rule {
                    DefinedRule::AnyValue => value.kind() != Kind::Undefined,
                    _ => eval::is_kind(crate::predicate::KindTest::Primitive, value),
                }) == (want == Truth::True)
            };
            single(
                state,
                path,
                profile,
                Test::of_kinds(predicate, profile, accepts),
                predicate,
                want,
            )
        }
        Predicate::Kind { path, kind } => {
            if profile.arrays == ArrayRule::AnyElement {
                return indexed(state, predicate, path, profile, want);
            }
            let accepts = |value: &Datum<'_>| eval::is_kind(*kind, value) == (want == Truth::True);
            single(
                state,
                path,
                profile,
                Test::of_kinds(predicate, profile, accepts),
                predicate,
                want,
            )
        }
        Predicate::ArrayContains { path, value } => {
            contains(state, predicate, path, value, profile, want)
        }
        Predicate::Compare {
            path,
            op: CompareOp::Eq,
            value: Scalar::Text(text),
        } if want == Truth::True
            && profile.logic == Logic::ThreeValued
            && profile.keys == KeyRule::Exact
            && state.schema.walk(path).1 == Some(state.id_node)
            && path.root() != super::state::HIDDEN =>
        {
            Plan::Row(state.row_of(text))
        }
        Predicate::Compare { path, .. }
        | Predicate::In { path, .. }
        | Predicate::Range { path, .. }
        | Predicate::Match { path, .. }
        | Predicate::Holds { path } => match profile.logic {
            Logic::ThreeValued => single(
                state,
                path,
                profile,
                Test::of_value(predicate, profile, want),
                predicate,
                want,
            ),
            Logic::TwoValued => indexed(state, predicate, path, profile, want),
        },
        Predicate::Near { .. } => judge(
            state,
            predicate,
            profile,
            want,
            "a location is looked at as a whole",
        ),
        Predicate::AnyField { .. } => {
            judge(state, predicate, profile, want, "it may be in any field")
        }
        Predicate::General(_) => judge(state, predicate, profile, want, "it computes a value"),
    }
}

fn conjunction(children: Vec<Plan<'_>>) -> Plan<'_> {
    let mut kept = Vec::with_capacity(children.len());
    for child in children {
        match child {
            Plan::Everything(false) => return Plan::Everything(false),
            Plan::Everything(true) => {}
            Plan::All(inner) => inner
                .into_iter()
                .for_each(|child| require(&mut kept, child)),
            other => require(&mut kept, other),
        }
    }
    match kept.len() {
        0 => Plan::Everything(true),
        1 => kept.pop().unwrap_or(Plan::Everything(true)),
        _ => Plan::All(kept),
    }
}

/// Adds a plan to those that must all hold; a leaf of a field that has one already becomes one with it.
fn require<'q>(kept: &mut Vec<Plan<'q>>, child: Plan<'q>) {
    if let Plan::Leaf(leaf) = &child {
        for other in kept.iter_mut() {
            if let Plan::Leaf(held) = other
                && let Some(both) = held.both(leaf)
            {
                **held = both;
                return;
            }
        }
    }
    kept.push(child);
}

fn disjunction(children: Vec<Plan<'_>>) -> Plan<'_> {
    let mut kept = Vec::with_capacity(children.len());
    for child in children {
        match child {
            Plan::Everything(true) => return Plan::Everything(true),
            Plan::Everything(false) => {}
            Plan::Any(inner) => kept.extend(inner),
            other => kept.push(other),
        }
    }
    match kept.len() {
        0 => Plan::Everything(false),
        1 => kept.pop().unwrap_or(Plan::Everything(false)),
        _ => Plan::Any(kept),
    }
}

fn judge<'q>(
    state: &State,
    predicate: &'q Predicate,
    profile: &'static Profile,
    want: Truth,
    reason: &'static str,
) -> Plan<'q> {
    let paths = predicate.paths();
    let narrow = profile.keys == KeyRule::Exact
        && !matches!(predicate, Predicate::AnyField { .. })
        && paths.iter().all(|path| !path.is_derived());
    let roots = narrow.then(|| {
        let mut roots: Vec<Node> = paths
            .iter()
            .filter_map(|path| state.schema.child(super::schema::ROOT, path.root()))
            .collect();
        roots.sort_unstable();
        roots.dedup();
        roots
    });
    Plan::Judge(Judge {
        predicate,
        profile,
        want,
        roots,
        reason,
    })
}

/// A leaf of a profile in which a path shows one value, perhaps undefined.
fn single<'q>(
    state: &State,
    path: &'q FieldPath,
    profile: &'static Profile,
    test: Test<'q>,
    predicate: &'q Predicate,
    want: Truth,
) -> Plan<'q> {
    if path.is_derived() {
        return judge(
            state,
            predicate,
            profile,
            want,
            "the field is computed from others",
        );
    }
    if profile.keys != KeyRule::Exact || matches!(path.root(), "appProperties" | "systemProperties")
    {
        return judge(
            state,
            predicate,
            profile,
            want,
            "the field belongs to messages",
        );
    }
    if path.root() == "attributes" && path.segments().len() < 2 && !state.groups.is_empty() {
        return judge(state, predicate, profile, want, "groups add to it");
    }
    let (above, node) = state.schema.walk(path);
    let inherited = inheritance(state, path, profile, predicate, want);
    let mut opaque = above;
    if needs_judging(&test) {
        opaque.extend(node);
    }
    let leaf = Leaf::new(
        state,
        Test { want, ..test },
        path,
        node.into_iter().collect(),
    );
    // Not where an array's or number's text may hold the field.
    if inherited.is_empty()
        && !path
            .segments()
            .iter()
            .any(|segment| matches!(segment, crate::path::Segment::Index(_)))
        && let Some(column) = node.and_then(|node| state.column(node))
        && let Some(texts) = leaf.test.only_texts()
        && let Some(rows) = column.rows_of(texts)
    {
        return Plan::Found { path, rows };
    }
    Plan::Leaf(Box::new(Leaf {
        opaque,
        inherited,
        ..leaf
    }))
}

/// Whether a cell kept as JSON text (an array, or a large number) must be looked at.
fn needs_judging(test: &Test<'_>) -> bool {
    // Both kinds may stand there; only if neither can be accepted is there nothing to judge.
    test.array
        || !matches!(&test.numbers, super::test::Numbers::Ranges(ranges) if ranges.is_empty())
        || test.undefined
}

/// A leaf of a profile in which a path shows any number of values: it holds if it holds for one of them.
fn indexed<'q>(
    state: &State,
    predicate: &'q Predicate,
    path: &'q FieldPath,
    profile: &'static Profile,
    want: Truth,
) -> Plan<'q> {
    if path.is_derived() {
        return judge(
            state,
            predicate,
            profile,
            want,
            "the field is computed from others",
        );
    }
    if path.root() == "attributes" && path.segments().len() < 2 && !state.groups.is_empty() {
        return judge(state, predicate, profile, want, "groups add to it");
    }
    let system = profile.keys == KeyRule::Joined
        && path.root() == "properties"
        && path.segments().get(2).is_some_and(
            |segment| matches!(segment, crate::path::Segment::Key(key) if crate::document::is_system_key(key)),
        );
    let mut opaque = Vec::new();
    let nodes = match profile.keys {
        _ if system => Vec::new(),
        KeyRule::Joined => state.schema.joined(&path.joined()),
        KeyRule::Exact | KeyRule::AnyCase => {
            let (above, node) = state.schema.walk(path);
            opaque = above;
            node.into_iter().collect()
        }
    };
    let test = match predicate {
        Predicate::Defined { .. } => Test::of_kinds(predicate, profile, |value| {
            matches!(value.kind(), Kind::Bool | Kind::Number | Kind::Text)
        }),
        Predicate::Kind { kind, .. } => Test::of_kinds(predicate, profile, |value| {
            matches!(value.kind(), Kind::Bool | Kind::Number | Kind::Text)
                && eval::is_kind(*kind, value)
        }),
        _ => Test::of_value(predicate, profile, Truth::True),
    };
    let elements = nodes
        .iter()
        .flat_map(|node| state.schema.elements(*node))
        .collect();
    opaque.extend(nodes.iter().copied());
    let inherited = if system {
        Vec::new()
    } else {
        inheritance(state, path, profile, predicate, Truth::True)
    };
    let leaf = Leaf::new(state, test, path, nodes).with_elements(state, elements);
    let leaf = Plan::Leaf(Box::new(Leaf {
        opaque,
        inherited,
        ..leaf
    }));
    match want {
        Truth::False => Plan::Outside(Box::new(leaf)),
        _ => leaf,
    }
}

fn contains<'q>(
    state: &State,
    predicate: &'q Predicate,
    path: &'q FieldPath,
    value: &'q Scalar,
    profile: &'static Profile,
    want: Truth,
) -> Plan<'q> {
    let simple = profile.logic == Logic::ThreeValued
        && profile.keys == KeyRule::Exact
        && !path.is_derived()
        && (path.root() != "attributes" || state.groups.is_empty());
    if !simple {
        return judge(state, predicate, profile, want, "it looks into an array");
    }
    let (mut opaque, node) = state.schema.walk(path);
    let elements = node
        .map(|node| state.schema.elements(node))
        .unwrap_or_default();
    opaque.extend(node);
    // Of each element: whether it equals the constant.
    let is = |element: &Datum<'_>| {
        crate::value::compare(profile, element, CompareOp::Eq, &value.datum()).is_true()
    };
    let mut test = Test::of_kinds(predicate, profile, is);
    match value {
        Scalar::Number(number) => {
            test.numbers = super::test::Numbers::Ranges(vec![(*number, *number)])
        }
        Scalar::Text(text) => test.strings = super::test::Strings::OneOf(vec![text.clone()]),
        Scalar::Null | Scalar::Bool(_) => {}
    }
    test.want = want;
    let leaf =
        Leaf::new(state, test, path, node.into_iter().collect()).with_elements(state, elements);
    Plan::Leaf(Box::new(Leaf {
        opaque,
        contains: true,
        ..leaf
    }))
}

/// What rows inherit at a path below `attributes`.
fn inheritance(
    state: &State,
    path: &FieldPath,
    profile: &'static Profile,
    predicate: &Predicate,
    want: Truth,
) -> Vec<Inheritance> {
    if state.groups.is_empty() || path.root() != "attributes" {
        return Vec::new();
    }
    let joined = path.joined();
    let rest = joined.strip_prefix("attributes.").unwrap_or_default();
    state
        .groups
        .attributes()
        .into_iter()
        .filter(|name| match profile.keys {
            KeyRule::Joined => rest.strip_prefix(name.as_str()).is_some_and(|after| after.is_empty() || after.starts_with('.')),
            _ => matches!(path.segments().get(1), Some(crate::path::Segment::Key(key)) if **key == **name),
        })
        .map(|name| Inheritance {
            own: state.attributes.and_then(|attributes| state.schema.child(attributes, &name)),
            values: state
                .groups
                .inherited(&name)
                .into_iter()
                .map(|inherited| {
                    let mut attributes = Map::new();
                    attributes.insert(name.clone(), inherited.value);
                    let mut root = Map::new();
                    root.insert("attributes".to_owned(), Value::Object(attributes));
                    let root = Value::Object(root);
                    let truth = eval::eval_predicate(predicate, profile, crate::document::Document::new(&root));
                    (inherited.rows, truth == want)
                })
                .collect(),
        })
        .collect()
}
