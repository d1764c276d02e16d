//! From parse trees to whole texts of the IoT Hub, target and routing dialects.

use super::ast::{
    Aggregate, At, Expr, Literal, Name, Node, Projected, Projection, SelectList, Statement, Text,
    Top,
};
use super::condition::Builder;
use super::tree::{Tag, Tree};
use crate::diagnostic::{Code, Diagnostic};
use crate::dialect::Mode;

impl Builder {
    pub(super) fn statement(&mut self, tree: &Tree<'_>) -> Text {
        let top = tree.child(Tag::top_count).map(|count| Top {
            rows: self.top(count),
            at: At(count.span),
        });
        let select = match tree.child(Tag::select_list) {
            Some(list) if list.child(Tag::all).is_some() => SelectList::All(At(list.span)),
            Some(list) => SelectList::Items(
                list.children
                    .iter()
                    .map(|item| self.projection(item))
                    .collect(),
            ),
            None => SelectList::Items(Vec::new()),
        };
        Text::Statement(Statement {
            top,
            select,
            collection: collection(tree),
            filter: tree
                .child(Tag::condition)
                .map(|condition| self.expr(condition)),
            group_by: tree.child(Tag::path).map(|path| self.path(path)),
        })
    }

    fn top(&mut self, count: &Tree<'_>) -> u64 {
        match count.text.parse() {
            Ok(rows) if rows > 0 => rows,
            _ => {
                let message = format!("TOP takes a positive whole number, not `{}`", count.text);
                self.found
                    .push(Diagnostic::error(Code::Syntax, count.span, message));
                1
            }
        }
    }

    fn projection(&mut self, tree: &Tree<'_>) -> Projection {
        let value = match tree.children.first() {
            Some(call) if call.tag == Tag::aggregate => self.aggregate(call),
            Some(path) => Projected::Path(self.path(path)),
            None => Projected::Aggregate {
                function: Aggregate::Count,
                argument: None,
            },
        };
        let alias = tree.child(Tag::alias).map(|alias| {
            let quoted = alias
                .child(Tag::quoted_name)
                .and_then(|name| name.child(Tag::quoted_text));
            Name {
                text: quoted.unwrap_or(alias).text.to_owned(),
                at: At(alias.span),
            }
        });
        if self.mode == Mode::Strict
            && let Some(alias) = &alias
            && tree.child(Tag::as_word).is_none()
        {
            self.found.push(
                Diagnostic::error(
                    Code::Syntax,
                    alias.at.0,
                    format!("an alias needs AS before it: `{}`", alias.text),
                )
                .with_help(format!("write `AS {}`", alias.text)),
            );
        }
        Projection {
            value,
            alias,
            at: At(tree.span),
        }
    }

    fn aggregate(&mut self, tree: &Tree<'_>) -> Projected {
        let name = tree
            .child(Tag::function_name)
            .map(|name| name.text)
            .unwrap_or_default();
        let arguments: Vec<&Tree<'_>> = tree
            .children
            .iter()
            .filter(|child| child.tag == Tag::path)
            .collect();
        let function = Aggregate::named(name).unwrap_or_else(|| {
            self.found.push(
                Diagnostic::error(
                    Code::UnknownFunction,
                    tree.span,
                    format!("there is no aggregate `{name}`"),
                )
                .with_help("the aggregates are COUNT(), AVG(p), SUM(p), MIN(p) and MAX(p)"),
            );
            Aggregate::Count
        });
        let fits = match function {
            Aggregate::Count => tree.children.len() == 1,
            _ => tree.children.len() == 2 && arguments.len() == 1,
        };
        if !fits && Aggregate::named(name).is_some() {
            let (message, help) = match function {
                Aggregate::Count => (
                    "COUNT takes no argument".to_owned(),
                    "write `COUNT()`".to_owned(),
                ),
                _ => {
                    let name = function.name();
                    (
                        format!("{name} takes one field"),
                        format!("write `{name}(properties.reported.x)`"),
                    )
                }
            };
            self.found
                .push(Diagnostic::error(Code::Arity, tree.span, message).with_help(help));
        }
        let argument = match (function, arguments.first()) {
            (Aggregate::Count, _) | (_, None) => None,
            (_, Some(path)) => Some(self.path(path)),
        };
        Projected::Aggregate { function, argument }
    }

    pub(super) fn target(&mut self, tree: &Tree<'_>) -> Text {
        if tree.child(Tag::everything).is_some() {
            if tree.tag == Tag::module_target {
                self.found.push(
                    Diagnostic::error(
                        Code::UnsupportedInDialect,
                        tree.span,
                        "`*` cannot target modules",
                    )
                    .with_help("write `from devices.modules where` and a condition"),
                );
            }
            return Text::Everything;
        }
        let Some(condition) = tree.child(Tag::condition) else {
            return Text::Empty;
        };
        let condition = self.expr(condition);
        self.target_values(&condition);
        if tree.tag == Tag::device_target {
            return Text::Condition(condition);
        }
        let name = collection(tree);
        if !name.text.eq_ignore_ascii_case("devices.modules") {
            self.found.push(
                Diagnostic::error(
                    Code::UnknownCollection,
                    name.at.0,
                    format!(
                        "a module target condition reads `devices.modules`, not `{}`",
                        name.text
                    ),
                )
                .with_help("begin with `from devices.modules where`"),
            );
        }
        Text::Modules(condition)
    }

    /// The characters that a text of a target condition may hold (Azure spec 4.3).
    fn target_values(&mut self, expr: &Expr) {
        if let Node::Literal(Literal::Text(text)) = &expr.node {
            let bad = text
                .chars()
                .find(|c| !(c.is_alphanumeric() || "-:.+%_#*?!(),=@;$'".contains(*c)));
            if let Some(bad) = bad {
                self.found.push(
                    Diagnostic::error(
                        Code::Syntax,
                        expr.span(),
                        format!("the character `{}` cannot stand in a value of a target condition", bad.escape_debug()),
                    )
                    .with_help("letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ and a doubled ' are allowed"),
                );
            }
        }
        expr.children()
            .into_iter()
            .for_each(|child| self.target_values(child));
    }

    pub(super) fn routing(&mut self, tree: &Tree<'_>) -> Text {
        match tree.child(Tag::condition) {
            Some(condition) => Text::Condition(self.expr(condition)),
            None => Text::Empty,
        }
    }
}

fn collection(tree: &Tree<'_>) -> Name {
    match tree.child(Tag::collection) {
        Some(name) => Name {
            text: name.text.to_owned(),
            at: At(name.span),
        },
        None => Name {
            text: String::new(),
            at: At(tree.span),
        },
    }
}
