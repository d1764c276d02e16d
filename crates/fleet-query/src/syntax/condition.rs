//! From parse trees to expressions: the IoT Hub, target and routing dialects.

use super::ast::{At, Expr, Literal, Name, Node, Path, Step};
use super::limits::{LONGEST_CHAIN, MOST_ITEMS};
use super::text::{number, unquote};
use super::tree::{Tag, Tree};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Mode;
use crate::expression::{ArithmeticOp, Membership};
use crate::path::KEYWORDS;
use crate::value::CompareOp;

/// Builds expressions and collects what is wrong with them.
pub(super) struct Builder {
    pub(super) mode: Mode,
    pub(super) found: Vec<Diagnostic>,
}

impl Builder {
    pub(super) fn expr(&mut self, tree: &Tree<'_>) -> Expr {
        let node = match tree.tag {
            Tag::condition
            | Tag::equality
            | Tag::relation
            | Tag::additive
            | Tag::multiplicative => {
                return self.chain(tree);
            }
            Tag::or_list | Tag::and_list => return self.list(tree),
            Tag::not_term | Tag::unary => return self.prefixed(tree),
            Tag::item => return self.prefixed(tree),
            Tag::comparison => return self.comparison(tree),
            Tag::string => Node::Literal(Literal::Text(unquote(tree.text))),
            Tag::number => Node::Literal(Literal::Number(number(tree.text))),
            Tag::word => Node::Literal(match tree.text.to_ascii_lowercase().as_str() {
                "true" => Literal::Bool(true),
                "false" => Literal::Bool(false),
                "null" => Literal::Null,
                _ => Literal::Undefined,
            }),
            Tag::array => Node::Array(self.items(tree)),
            Tag::parameter => Node::Parameter(tree.text.trim_start_matches('@').to_owned()),
            Tag::call => self.call(tree),
            Tag::path => Node::Path(self.path(tree)),
            Tag::property => Node::Path(Path {
                steps: vec![Step::Key(tree.text.to_owned())],
                at: At(tree.span),
            }),
            Tag::system => system(tree.text, false),
            Tag::braced => system(tree.text.trim_matches(['{', '}']), true),
            _ => Node::Literal(Literal::Undefined),
        };
        Expr::new(node, tree.span)
    }

    /// `a op b op c`, from the left.
    fn chain(&mut self, tree: &Tree<'_>) -> Expr {
        let mut parts = tree.children.iter();
        let Some(first) = parts.next() else {
            return Expr::new(Node::Literal(Literal::Undefined), tree.span);
        };
        let mut left = self.expr(first);
        let mut length = 0;
        while let (Some(op), Some(right)) = (parts.next(), parts.next()) {
            length += 1;
            if length > LONGEST_CHAIN {
                let message = format!("more than {LONGEST_CHAIN} operators in one chain");
                self.found
                    .push(Diagnostic::error(Code::TooDeep, op.span, message));
                break;
            }
            // The spans of the trees have the brackets too.
            let span = first.span.to(right.span);
            let right = self.expr(right);
            let (left_box, right) = (Box::new(left), Box::new(right));
            let arithmetic = |op, left, right| Node::Arithmetic { op, left, right };
            let node = match op.tag {
                Tag::plus => arithmetic(ArithmeticOp::Add, left_box, right),
                Tag::minus => arithmetic(ArithmeticOp::Subtract, left_box, right),
                Tag::times => arithmetic(ArithmeticOp::Multiply, left_box, right),
                Tag::divide => arithmetic(ArithmeticOp::Divide, left_box, right),
                Tag::modulo => arithmetic(ArithmeticOp::Remainder, left_box, right),
                Tag::concat_op => Node::Concat(left_box, right),
                Tag::coalesce_op => Node::Coalesce(left_box, right),
                _ => Node::Compare {
                    op: compare_op(op.text),
                    left: left_box,
                    right,
                },
            };
            left = Expr::new(node, span);
        }
        left
    }

    fn list(&mut self, tree: &Tree<'_>) -> Expr {
        let words = [Tag::and_word, Tag::or_word];
        let mut items: Vec<Expr> = tree
            .children
            .iter()
            .filter(|child| !words.contains(&child.tag))
            .map(|child| self.expr(child))
            .collect();
        if items.len() == 1
            && let Some(only) = items.pop()
        {
            return only;
        }
        let node = if tree.tag == Tag::or_list {
            Node::Or(items)
        } else {
            Node::And(items)
        };
        Expr::new(node, tree.span)
    }

    /// NOT and minus before an operand, the innermost last.
    fn prefixed(&mut self, tree: &Tree<'_>) -> Expr {
        let Some((operand, prefixes)) = tree.children.split_last() else {
            return Expr::new(Node::Literal(Literal::Undefined), tree.span);
        };
        prefixes
            .iter()
            .rev()
            .fold(self.expr(operand), |inner, prefix| {
                let span = prefix.span.to(tree.span);
                let node = match (prefix.tag, inner.node) {
                    // A minus before a number belongs to it; there is no -0.
                    (Tag::minus, Node::Literal(Literal::Number(n))) if n >= 0.0 => {
                        Node::Literal(Literal::Number(if n == 0.0 { 0.0 } else { -n }))
                    }
                    (Tag::minus, node) => Node::Negate(Box::new(Expr { node, at: inner.at })),
                    (_, node) => Node::Not(Box::new(Expr { node, at: inner.at })),
                };
                Expr::new(node, span)
            })
    }

    fn comparison(&mut self, tree: &Tree<'_>) -> Expr {
        let [left, rest @ ..] = tree.children.as_slice() else {
            return Expr::new(Node::Literal(Literal::Undefined), tree.span);
        };
        let left = self.expr(left);
        let [op, right] = rest else { return left };
        let node = if right.tag == Tag::array {
            let membership = if op.tag == Tag::in_word {
                Membership::In
            } else {
                Membership::NotIn
            };
            Node::In {
                membership,
                value: Box::new(left),
                items: self.items(right),
            }
        } else {
            Node::Compare {
                op: compare_op(op.text),
                left: Box::new(left),
                right: Box::new(self.expr(right)),
            }
        };
        Expr::new(node, tree.span)
    }

    fn items(&mut self, tree: &Tree<'_>) -> Vec<Expr> {
        if tree.children.len() > MOST_ITEMS {
            let message = format!(
                "the list has {} items; at most {MOST_ITEMS} are allowed",
                tree.children.len()
            );
            self.found
                .push(Diagnostic::error(Code::TooManyItems, tree.span, message));
            return Vec::new();
        }
        tree.children.iter().map(|child| self.expr(child)).collect()
    }

    fn call(&mut self, tree: &Tree<'_>) -> Node {
        let (name, arguments) = match tree.children.split_first() {
            Some((name, arguments)) => (name, arguments),
            None => return Node::Literal(Literal::Undefined),
        };
        let name = Name {
            text: name.text.to_owned(),
            at: At(name.span),
        };
        Node::Call {
            name,
            arguments: arguments
                .iter()
                .map(|argument| self.expr(argument))
                .collect(),
        }
    }

    pub(super) fn path(&mut self, tree: &Tree<'_>) -> Path {
        let mut steps = Vec::new();
        for (at, step) in tree.children.iter().enumerate() {
            steps.push(match step.tag {
                Tag::index => match step.text.trim_matches(['[', ']']).parse() {
                    Ok(index) => Step::Index(index),
                    Err(_) => {
                        self.found.push(Diagnostic::error(
                            Code::Syntax,
                            step.span,
                            format!("`{}` is too large for an array index", step.text),
                        ));
                        Step::Index(u32::MAX)
                    }
                },
                Tag::quoted_name => Step::Key(
                    step.child(Tag::quoted_text)
                        .map(|name| name.text.to_owned())
                        .unwrap_or_default(),
                ),
                _ => {
                    if at > 0 {
                        self.keyword_as_name(step);
                    }
                    Step::Key(step.text.to_owned())
                }
            });
        }
        Path {
            steps,
            at: At(tree.span),
        }
    }

    /// GROUP needs brackets after a dot; in strict mode every keyword does (Azure spec 3.3).
    fn keyword_as_name(&mut self, step: &Tree<'_>) {
        let is = |keyword: &str| keyword.eq_ignore_ascii_case(step.text);
        if is("GROUP")
            || (self.mode == Mode::Strict
                && (is("NIN") || KEYWORDS.iter().any(|keyword| is(keyword))))
        {
            self.found.push(
                Diagnostic::error(
                    Code::Syntax,
                    step.span,
                    format!("`{}` is a keyword and cannot stand here", step.text),
                )
                .with_help(format!(
                    "write `[[{}]]` for a field of that name",
                    step.text
                )),
            );
        }
    }
}

fn system(text: &str, braced: bool) -> Node {
    Node::System {
        name: text.strip_prefix('$').unwrap_or(text).to_owned(),
        braced,
    }
}

fn compare_op(text: &str) -> CompareOp {
    match text {
        "=" => CompareOp::Eq,
        "<" => CompareOp::Lt,
        "<=" => CompareOp::Le,
        ">" => CompareOp::Gt,
        ">=" => CompareOp::Ge,
        _ => CompareOp::Ne,
    }
}
