//! The grammars, and their parse trees in one neutral form.
//!
//! Each dialect has a pest grammar of its own under `grammar/`. A tree node is tagged with its
//! rule's name, so that what two grammars share is built by the same code.

use crate::diagnostic::Span;
use pest::iterators::Pair;

/// A node of a parse tree: the rule, its text and the nodes in it.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    pub(super) tag: Tag,
    pub(super) span: Span,
    pub(super) text: &'a str,
    pub(super) children: Vec<Tree<'a>>,
}

impl<'a> Tree<'a> {
    /// The first node of that tag in it.
    pub(super) fn child(&self, tag: Tag) -> Option<&Tree<'a>> {
        self.children.iter().find(|child| child.tag == tag)
    }

    fn of<R: pest::RuleType + Into<Tag>>(pair: Pair<'a, R>) -> Self {
        let (start, text) = (pair.as_span().start(), pair.as_str());
        Self {
            tag: pair.as_rule().into(),
            // White space before something optional that is not there belongs to nobody.
            span: Span::new(start, start + text.trim_end().len()),
            text,
            children: pair.into_inner().map(Self::of).collect(),
        }
    }
}

/// Where parsing stopped, and what could have followed.
#[derive(Debug)]
pub(super) struct Stopped {
    pub(super) at: usize,
    pub(super) expected: Vec<Tag>,
}

macro_rules! tags {
    ($($tag:ident)*) => {
        /// The names of the rules, as the grammars spell them.
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "the grammars' own spelling")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Tag { $($tag,)* unlisted }
    };
}

tags! {
    EOI condition or_list and_list not_term comparison equality relation additive multiplicative unary
    array item call function_name parameter path bare_name later_name quoted_name quoted_text index
    number word string compare_op equality_op relation_op plus minus times divide modulo
    and_word or_word not_word in_word nin_word not_in concat_op coalesce_op
    statement select_list all projection aggregate alias collection top_count
    select_word top_word from_word where_word group_word by_word as_word
    device_target module_target everything
    routing property system braced
    query bare fielded field value group value_or value_and value_not range range_open range_close
    bound open_bound bound_word geo number_part unit pattern any_run any_one literal quoted dash
    selector operator arguments argument and_op or_op
}

macro_rules! grammar {
    ($module:ident, $doc:literal, [$($file:literal)*], [$($tag:ident)*]) => {
        #[doc = $doc]
        pub(super) mod $module {
            use super::{Stopped, Tag, Tree};

            #[derive(pest_derive::Parser)]
            $(#[grammar = $file])*
            struct Grammar;

            impl From<Rule> for Tag {
                fn from(rule: Rule) -> Self {
                    match rule {
                        $(Rule::$tag => Self::$tag,)*
                        _ => Self::unlisted,
                    }
                }
            }

            pub(crate) fn parse(start: Rule, text: &str) -> Result<Tree<'_>, Stopped> {
                use pest::Parser as _;
                use pest::error::{ErrorVariant, InputLocation};
                match Grammar::parse(start, text) {
                    Ok(mut pairs) => pairs.next().map(Tree::of).ok_or(Stopped { at: 0, expected: Vec::new() }),
                    Err(error) => {
                        let at = match error.location {
                            InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
                        };
                        let mut expected: Vec<Tag> = match error.variant {
                            ErrorVariant::ParsingError { positives, .. } => {
                                positives.into_iter().map(Tag::from).collect()
                            }
                            ErrorVariant::CustomError { .. } => Vec::new(),
                        };
                        expected.sort_unstable();
                        expected.dedup();
                        Err(Stopped { at, expected })
                    }
                }
            }
        }
    };
}

grammar!(iothub, "Twin, module and job queries.",
    ["syntax/grammar/expression.pest" "syntax/grammar/iothub.pest"],
    [EOI condition or_list and_list not_term comparison additive multiplicative unary array item call
     function_name parameter path bare_name later_name quoted_name quoted_text index number word string
     compare_op plus minus times divide modulo and_word or_word not_word in_word nin_word not_in
     statement select_list all projection aggregate alias collection top_count
     select_word top_word from_word where_word group_word by_word as_word]);

grammar!(target, "Target conditions.",
    ["syntax/grammar/expression.pest" "syntax/grammar/target.pest"],
    [EOI condition or_list and_list not_term comparison additive multiplicative unary array item call
     function_name parameter path bare_name later_name quoted_name quoted_text index number word string
     compare_op plus minus times divide modulo and_word or_word not_word in_word nin_word not_in
     device_target module_target everything collection from_word where_word]);

grammar!(routing, "Routing conditions.",
    ["syntax/grammar/routing.pest"],
    [EOI routing condition or_list and_list not_term equality relation additive multiplicative unary call
     function_name parameter property system braced number word string
     equality_op relation_op plus minus times divide modulo and_word or_word not_word concat_op coalesce_op]);

grammar!(aws, "The AWS fleet index language.",
    ["syntax/grammar/aws.pest"],
    [EOI query or_list and_list not_term not_word dash bare everything fielded field value group value_or
     value_and value_not range range_open range_close bound open_bound bound_word compare_op geo number
     number_part unit pattern any_run any_one literal quoted parameter]);

grammar!(rsql, "RSQL.",
    ["syntax/grammar/rsql.pest"],
    [EOI query or_list and_list comparison selector operator arguments argument quoted parameter and_op or_op]);
