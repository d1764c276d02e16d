//! A condition as a few words: AND and OR over tests of tokens and numbers.
//!
//! An operation is a head word, its tag in the low bits and the count of words that follow above them, and these words:
//!
//! | operation | words that follow |
//! |---|---|
//! | all of, any of | operations |
//! | some token, no token | the field, the tokens |
//! | within | the field, the four words of the range |
//! | evaluated | the number of what the reference evaluator is asked |

use super::answers::Answers;
use super::demand::{Demand, Gathered, Reading, Seen, reading, see};
use super::interval::NumberRange;
use super::normal::{Literal, Shape, Want, shape};
use super::vocabulary::{Vocabulary, path_bytes, put};
use crate::document::Document;
use crate::eval;
use crate::path::FieldPath;
use crate::predicate::{Condition, Predicate};
use crate::profile::Profile;
use serde_json::Value;

const ALL: u32 = 0;
const ANY: u32 = 1;
const SOME: u32 = 2;
const NONE: u32 = 3;
const WITHIN: u32 = 4;
const EVALUATED: u32 = 5;
const TAG_BITS: u32 = 3;

/// One operation, read back.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op<'c> {
    All(Code<'c>),
    Any(Code<'c>),
    /// The document answers yes to one of these tokens of a field.
    Some(u32, &'c [u32]),
    /// The document answers yes to none of these tokens of a field.
    None(u32, &'c [u32]),
    /// A number of the field lies in the range.
    Within(u32, NumberRange),
    Evaluated(u32),
}

/// Operations one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Code<'c>(pub(super) &'c [u32]);

impl<'c> Iterator for Code<'c> {
    type Item = Op<'c>;

    fn next(&mut self) -> Option<Op<'c>> {
        let (head, rest) = self.0.split_first()?;
        let (body, rest) = rest.split_at_checked((head >> TAG_BITS) as usize)?;
        self.0 = rest;
        Some(match (head & ((1 << TAG_BITS) - 1), body) {
            (ALL, body) => Op::All(Code(body)),
            (ANY, body) => Op::Any(Code(body)),
            (SOME, [field, tokens @ ..]) => Op::Some(*field, tokens),
            (NONE, [field, tokens @ ..]) => Op::None(*field, tokens),
            (WITHIN, [field, a, b, c, d]) => {
                Op::Within(*field, NumberRange::from_words([*a, *b, *c, *d]))
            }
            (EVALUATED, [number]) => Op::Evaluated(*number),
            // Only what `compile` wrote is read.
            _ => return None,
        })
    }
}

/// What no token can say, for the reference evaluator.
#[derive(Clone, Debug)]
pub(super) enum Evaluated {
    /// This leaf, and what is asked of it.
    Leaf(&'static Profile, Box<Predicate>, Want),
    /// A message whose body can be read.
    Body,
}

impl Evaluated {
    fn holds(&self, document: Document<'_>) -> bool {
        match self {
            Self::Leaf(profile, leaf, want) => {
                want.accepts(eval::eval_predicate(leaf, profile, document))
            }
            Self::Body => document.root().get("bodyUsable") != Some(&Value::Bool(false)),
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Leaf(_, leaf, _) => {
                let paths: usize = leaf.paths().into_iter().map(path_bytes).sum();
                size_of::<Predicate>() + paths
            }
            Self::Body => 0,
        }
    }
}

/// A document that code is run for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'h> {
    pub(super) answers: &'h Answers,
    pub(super) document: &'h Value,
}

/// The names that code speaks in: tokens, and what is evaluated.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) vocabulary: Vocabulary,
    evaluated: Vec<Option<Evaluated>>,
    free: Vec<u32>,
}

impl Names {
    /// Whether a document meets an operation.
    pub(super) fn holds(&self, op: Op<'_>, held: &Asked<'_>) -> bool {
        match op {
            Op::All(mut code) => code.all(|op| self.holds(op, held)),
            Op::Any(mut code) => code.any(|op| self.holds(op, held)),
            Op::Some(field, tokens) => {
                let own = held.answers.of(field).tokens;
                tokens.iter().any(|token| own.contains(token))
            }
            Op::None(field, tokens) => {
                let own = held.answers.of(field).tokens;
                !tokens.iter().any(|token| own.contains(token))
            }
            Op::Within(field, range) => {
                let mut numbers = held.answers.of(field).numbers.iter();
                numbers.any(|number| range.holds(number))
            }
            Op::Evaluated(number) => matches!(
                self.evaluated.get(number as usize),
                Some(Some(evaluated)) if evaluated.holds(Document::new(held.document))
            ),
        }
    }

    /// Whether a document met an operation before its answers on some fields changed, and whether it does after. What
    /// speaks of no changed field is asked once.
    pub(super) fn held(
        &self,
        op: Op<'_>,
        (old, new): (&Asked<'_>, &Asked<'_>),
        changed: &[u32],
    ) -> (bool, bool) {
        match op {
            Op::All(code) => {
                let mut all = (true, true);
                for op in code {
                    let (was, is) = self.held(op, (old, new), changed);
                    all = (all.0 && was, all.1 && is);
                    if all == (false, false) {
                        break;
                    }
                }
                all
            }
            Op::Any(code) => {
                let mut any = (false, false);
                for op in code {
                    let (was, is) = self.held(op, (old, new), changed);
                    any = (any.0 || was, any.1 || is);
                    if any == (true, true) {
                        break;
                    }
                }
                any
            }
            Op::Some(field, _) | Op::None(field, _) | Op::Within(field, _)
                if !changed.contains(&field) =>
            {
                let holds = self.holds(op, old);
                (holds, holds)
            }
            op => (self.holds(op, old), self.holds(op, new)),
        }
    }

    /// The condition as one operation.
    pub(super) fn compile(&mut self, condition: &Condition) -> Box<[u32]> {
        let mut node = node(shape(&condition.predicate), condition.profile);
        if condition.needs_body {
            node = all(vec![node, Node::Evaluated(Evaluated::Body)], Reading::Other);
        }
        let mut words = Vec::new();
        self.write(node, condition.profile, &mut words);
        words.into()
    }

    fn write(&mut self, node: Node<'_>, profile: &'static Profile, out: &mut Vec<u32>) {
        let head = out.len();
        out.push(0);
        let tag = match node {
            Node::All(nodes) => {
                for node in nodes {
                    self.write(node, profile, out);
                }
                ALL
            }
            Node::Any(nodes) => {
                for node in nodes {
                    self.write(node, profile, out);
                }
                ANY
            }
            Node::Demand(path, demand) => {
                let field = self.vocabulary.use_field(path, profile);
                out.push(field);
                match demand {
                    Demand::AnyOf(keys) => {
                        out.extend(
                            keys.into_iter()
                                .map(|key| self.vocabulary.use_token(field, key)),
                        );
                        SOME
                    }
                    Demand::NoneOf(keys) => {
                        out.extend(
                            keys.into_iter()
                                .map(|key| self.vocabulary.use_token(field, key)),
                        );
                        NONE
                    }
                    Demand::Within(range) => {
                        out.extend(range.words());
                        WITHIN
                    }
                }
            }
            Node::Evaluated(evaluated) => {
                out.push(put(&mut self.evaluated, &mut self.free, Some(evaluated)));
                EVALUATED
            }
        };
        let body = u32::try_from(out.len() - head - 1).unwrap_or(u32::MAX);
        if let Some(head) = out.get_mut(head) {
            *head = body << TAG_BITS | tag;
        }
    }

    /// Gives back what code uses; `gone` is told of every token that nothing uses any more.
    pub(super) fn forget(&mut self, op: Op<'_>, gone: &mut impl FnMut(u32)) {
        match op {
            Op::All(code) | Op::Any(code) => code.for_each(|op| self.forget(op, gone)),
            Op::Some(field, tokens) | Op::None(field, tokens) => {
                for token in tokens {
                    if self.vocabulary.drop_token(*token) {
                        gone(*token);
                    }
                }
                self.vocabulary.drop_field(field);
            }
            Op::Within(field, _) => self.vocabulary.drop_field(field),
            Op::Evaluated(number) => {
                if let Some(place) = self.evaluated.get_mut(number as usize) {
                    *place = None;
                    self.free.push(number);
                }
            }
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let evaluated: usize = self
            .evaluated
            .iter()
            .flatten()
            .map(Evaluated::heap_bytes)
            .sum();
        self.vocabulary.heap_bytes()
            + self.evaluated.capacity() * size_of::<Option<Evaluated>>()
            + evaluated
            + self.free.capacity() * 4
    }
}

/// A condition on its way to code. A leaf that a demand says in part is the demand and the leaf.
enum Node<'a> {
    All(Vec<Node<'a>>),
    Any(Vec<Node<'a>>),
    Demand(&'a FieldPath, Demand),
    Evaluated(Evaluated),
}

fn node<'a>(shape: Shape<'a>, profile: &'static Profile) -> Node<'a> {
    match shape {
        Shape::Literal(literal) => leaf(&literal, profile),
        Shape::All(shapes) => {
            let nodes = shapes.into_iter().map(|shape| node(shape, profile));
            all(nodes.collect(), reading(profile))
        }
        Shape::Any(shapes) => any(shapes.into_iter().map(|shape| node(shape, profile))),
    }
}

fn leaf<'a>(literal: &Literal<'a>, profile: &'static Profile) -> Node<'a> {
    let evaluated = || {
        let leaf = Box::new(literal.leaf.clone());
        Node::Evaluated(Evaluated::Leaf(profile, leaf, literal.want))
    };
    let demanded = |path, demands: Vec<Demand>| {
        let demands = demands.into_iter().map(|demand| Node::Demand(path, demand));
        demands.collect::<Vec<_>>()
    };
    match see(literal, profile) {
        Seen::Never => Node::Any(Vec::new()),
        Seen::Evaluated => evaluated(),
        Seen::Exact(path, demands) => all(demanded(path, demands), reading(profile)),
        Seen::Coarse(path, demands) => {
            let mut nodes = demanded(path, demands);
            nodes.push(evaluated());
            all(nodes, reading(profile))
        }
    }
}

fn any<'a>(nodes: impl Iterator<Item = Node<'a>>) -> Node<'a> {
    let mut out = Vec::new();
    for node in nodes {
        match node {
            Node::Any(inner) => out.extend(inner),
            Node::All(inner) if inner.is_empty() => return Node::All(inner),
            node => out.push(node),
        }
    }
    only_or(out, Node::Any)
}

/// All of the nodes. Where a field shows one value, its demands become one; what is evaluated comes last.
fn all(nodes: Vec<Node<'_>>, reading: Reading) -> Node<'_> {
    let mut gathered: Vec<(&FieldPath, Gathered)> = Vec::new();
    let (mut demands, mut joined, mut evaluated) = (Vec::new(), Vec::new(), Vec::new());
    let mut open = nodes;
    open.reverse();
    while let Some(node) = open.pop() {
        match node {
            Node::All(inner) => open.extend(inner.into_iter().rev()),
            Node::Any(inner) if inner.is_empty() => return Node::Any(inner),
            Node::Any(inner) => joined.push(Node::Any(inner)),
            Node::Evaluated(one) => evaluated.push(Node::Evaluated(one)),
            Node::Demand(path, demand) if reading == Reading::One => {
                match gathered.iter_mut().find(|(held, _)| *held == path) {
                    Some((_, held)) => held.add(demand),
                    None => {
                        let mut first = Gathered::default();
                        first.add(demand);
                        gathered.push((path, first));
                    }
                }
            }
            Node::Demand(path, demand) => demands.push(Node::Demand(path, demand)),
        }
    }
    for (path, gathered) in gathered {
        let Some(resolved) = gathered.resolve() else {
            return Node::Any(Vec::new());
        };
        demands.extend(
            resolved
                .into_iter()
                .map(|demand| Node::Demand(path, demand)),
        );
    }
    // What fewest values meet is asked first.
    demands.sort_by_key(|node| match node {
        Node::Demand(_, demand) => demand.rank(),
        _ => u8::MAX,
    });
    demands.append(&mut joined);
    demands.append(&mut evaluated);
    only_or(demands, Node::All)
}

/// A list of one is that one.
fn only_or<'a>(mut nodes: Vec<Node<'a>>, join: fn(Vec<Node<'a>>) -> Node<'a>) -> Node<'a> {
    match (nodes.len(), nodes.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            nodes.extend(last);
            join(nodes)
        }
    }
}
