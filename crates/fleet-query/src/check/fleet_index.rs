//! Binding of the AWS fleet index language (AWS spec 3.4).

use super::names::{Use, index_path};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::dialect::Collection;
use crate::path::FieldPath;
use crate::pattern::{Pattern, Piece, Wildcard};
use crate::predicate::{AxisOrder, Bound, Edge, GeoArea, Predicate};
use crate::syntax::ast::{
    At, Expr, FieldBody, Group, Node, Operand, Path, Range, RangeBound, Step, Term, TermValue,
};
use crate::syntax::limits::{LONGEST_LEADING, MOST_RUNS, MOST_SINGLES, MOST_TERMS};
use crate::value::{Scalar, Truth, fold, numeral};

/// The predicate of a condition; `length` is that of the whole text in bytes.
pub(super) fn bind(
    expr: &Expr,
    length: usize,
    collection: Collection,
    found: &mut Vec<Diagnostic>,
) -> Predicate {
    let mut binder = Binder {
        collection,
        found,
        terms: 0,
        leading: Vec::new(),
    };
    let predicate = binder.expr(expr);
    let (terms, leading) = (binder.terms, binder.leading);
    if terms > MOST_TERMS {
        found.push(
            Diagnostic::error(
                Code::TooManyTerms,
                expr.span(),
                format!("the query has {terms} terms; at most {MOST_TERMS} are allowed"),
            )
            .with_help("each value counts, also those in a field group"),
        );
    }
    if let [_, second, ..] = leading.as_slice() {
        found.push(
            Diagnostic::error(
                Code::TooManyWildcards,
                *second,
                "only one term may begin with a wildcard",
            )
            .with_help("begin the other terms with a letter or digit"),
        );
    } else if let [only] = leading.as_slice()
        && length > LONGEST_LEADING
    {
        found.push(Diagnostic::error(
            Code::TooLong,
            *only,
            format!("a query with a leading wildcard has at most {LONGEST_LEADING} characters, not {length}"),
        ));
    }
    predicate
}

struct Binder<'a> {
    collection: Collection,
    found: &'a mut Vec<Diagnostic>,
    terms: usize,
    leading: Vec<Span>,
}

/// A field that could not be resolved matches nothing; the diagnostic has been kept.
const NOTHING: Predicate = Predicate::Constant(Truth::False);

impl Binder<'_> {
    fn expr(&mut self, expr: &Expr) -> Predicate {
        match &expr.node {
            Node::And(items) => Predicate::And(items.iter().map(|item| self.expr(item)).collect()),
            Node::Or(items) => Predicate::Or(items.iter().map(|item| self.expr(item)).collect()),
            Node::Not(inner) => Predicate::Not(Box::new(self.expr(inner))),
            Node::Everything => {
                self.terms += 1;
                Predicate::TRUE
            }
            Node::Bare(term) => {
                self.terms += 1;
                self.doubtful(term);
                match self.pattern(term) {
                    Some(pattern) => Predicate::AnyField { pattern },
                    None => NOTHING,
                }
            }
            Node::Field { field, body } => match index_path(field, self.collection, Use::Search) {
                Ok(path) => self.body(&path, body, expr.span()),
                Err(diagnostic) => {
                    self.found.push(diagnostic);
                    NOTHING
                }
            },
            _ => NOTHING,
        }
    }

    fn body(&mut self, path: &FieldPath, body: &FieldBody, span: Span) -> Predicate {
        match body {
            FieldBody::Term(term) => self.term(path, term),
            FieldBody::Range(range) => self.range(path, range),
            FieldBody::Compare { op, operand } => {
                self.terms += 1;
                match operand {
                    Operand::Number(number) => Predicate::Compare {
                        path: path.clone(),
                        op: *op,
                        value: Scalar::Number(*number),
                    },
                    Operand::Parameter(name) => self.unbound(name, span),
                }
            }
            FieldBody::Group(group) => self.group(path, group),
            FieldBody::Geo {
                latitude,
                longitude,
                distance,
                unit,
            } => {
                self.terms += 1;
                self.geo(path, *latitude, *longitude, *distance, unit, span)
            }
        }
    }

    fn unbound(&mut self, name: &str, span: Span) -> Predicate {
        let message = format!("the parameter `@{name}` has no value");
        self.found.push(
            Diagnostic::error(Code::UnboundParameter, span, message)
                .with_help("bind a value to it before running the query"),
        );
        NOTHING
    }

    fn group(&mut self, path: &FieldPath, group: &Group) -> Predicate {
        match group {
            Group::Term(term) => self.term(path, term),
            Group::Range(range) => self.range(path, range),
            Group::Not(inner) => Predicate::Not(Box::new(self.group(path, inner))),
            Group::And(items) => {
                Predicate::And(items.iter().map(|item| self.group(path, item)).collect())
            }
            Group::Or(items) => {
                Predicate::Or(items.iter().map(|item| self.group(path, item)).collect())
            }
        }
    }

    fn term(&mut self, path: &FieldPath, term: &Term) -> Predicate {
        self.terms += 1;
        if let TermValue::Pattern(pattern) = &term.value
            && pattern.pieces() == [Piece::AnyRun]
        {
            return Predicate::Defined { path: path.clone() };
        }
        if let TermValue::Pattern(pattern) = &term.value
            && let [Piece::Literal(word), ..] = pattern.pieces()
            && word.starts_with('!')
        {
            self.found.push(
                Diagnostic::warning(
                    Code::Syntax,
                    term.at.0,
                    "`!` is searched as part of the word",
                )
                .with_help("write NOT before the field: `NOT field:value`"),
            );
        }
        let Some(pattern) = self.pattern(term) else {
            return NOTHING;
        };
        if path.root() == "deviceDefender" && path.last_key() == Some("inViolation") {
            let is_true = matches!(&pattern, Pattern::Term { text, .. } if &**text == "true");
            if !is_true {
                self.found.push(
                    Diagnostic::error(
                        Code::Type,
                        term.at.0,
                        "inViolation can only be searched for `true`",
                    )
                    .with_help("write `NOT …inViolation:true`"),
                );
            }
        }
        Predicate::Match {
            path: path.clone(),
            pattern,
        }
    }

    /// The pattern of a value; none for a quoted text without a word, or an unbound parameter.
    fn pattern(&mut self, term: &Term) -> Option<Pattern> {
        match &term.value {
            TermValue::Quoted(text) => phrase(text),
            TermValue::Parameter(name) => {
                self.unbound(name, term.at.0);
                None
            }
            TermValue::Pattern(pattern) => match pattern.pieces() {
                [Piece::Literal(text)] => phrase(text),
                pieces => {
                    self.wildcards(pieces, term.at.0);
                    Some(Pattern::Wildcard(pattern.folded()))
                }
            },
        }
    }

    fn wildcards(&mut self, pieces: &[Piece], span: Span) {
        let count = |wanted: &Piece| pieces.iter().filter(|piece| *piece == wanted).count();
        for (found, most, sign) in [
            (count(&Piece::AnyRun), MOST_RUNS, '*'),
            (count(&Piece::AnyOne), MOST_SINGLES, '?'),
        ] {
            if found > most {
                let message = format!("the term has {found} `{sign}`; at most {most} are allowed");
                self.found
                    .push(Diagnostic::error(Code::TooManyWildcards, span, message));
            }
        }
        let alone = pieces == [Piece::AnyRun];
        if !alone && matches!(pieces.first(), Some(Piece::AnyRun | Piece::AnyOne)) {
            self.leading.push(span);
        }
    }

    fn range(&mut self, path: &FieldPath, range: &Range) -> Predicate {
        self.terms += 1;
        let numeric = |bound: &RangeBound| matches!(bound, RangeBound::Number(_));
        let text = |bound: &RangeBound| matches!(bound, RangeBound::Text(_));
        let mixed = (numeric(&range.low) && text(&range.high))
            || (text(&range.low) && numeric(&range.high));
        if mixed {
            self.found.push(
                Diagnostic::error(
                    Code::Type,
                    range.at.0,
                    "one bound of the range is a number, the other is text",
                )
                .with_help("write two numbers, or quote both bounds to compare as text"),
            );
        }
        for bound in [&range.low, &range.high] {
            if let RangeBound::Parameter(name) = bound {
                return self.unbound(name, range.at.0);
            }
        }
        Predicate::Range {
            path: path.clone(),
            low: bound(&range.low, range.low_edge),
            high: bound(&range.high, range.high_edge),
        }
    }

    fn geo(
        &mut self,
        path: &FieldPath,
        latitude: f64,
        longitude: f64,
        distance: f64,
        unit: &str,
        span: Span,
    ) -> Predicate {
        let metres = match unit.to_ascii_lowercase().as_str() {
            "m" => Some(1.0),
            "km" => Some(1000.0),
            "mi" => Some(1609.344),
            "ft" => Some(0.3048),
            "yd" => Some(0.9144),
            "nmi" => Some(1852.0),
            _ => None,
        };
        let fits = latitude.abs() <= 90.0 && longitude.abs() <= 180.0 && distance >= 0.0;
        match metres {
            Some(metres) if fits => {
                let area = GeoArea {
                    latitude,
                    longitude,
                    metres: distance * metres,
                    order: AxisOrder::default(),
                };
                Predicate::Near {
                    path: path.clone(),
                    area,
                }
            }
            Some(_) => {
                let message = "a latitude lies in -90 to 90, a longitude in -180 to 180, a distance is not negative";
                self.found.push(
                    Diagnostic::error(Code::Type, span, message)
                        .with_help("the latitude stands first"),
                );
                NOTHING
            }
            None => {
                let message = format!("`{unit}` is no unit of length");
                self.found.push(
                    Diagnostic::error(Code::Type, span, message)
                        .with_help("the units are m, km, mi, ft, yd, nmi"),
                );
                NOTHING
            }
        }
    }

    /// Whether a word is the name of a field of this index.
    fn is_field(&self, word: &str) -> bool {
        let steps = word.split('.').map(|key| Step::Key(key.to_owned()));
        let path = Path {
            steps: steps.collect(),
            at: At(Span::default()),
        };
        index_path(&path, self.collection, Use::Search).is_ok()
    }

    /// Bare words that look like another dialect.
    fn doubtful(&mut self, term: &Term) {
        let TermValue::Pattern(pattern) = &term.value else {
            return;
        };
        let [Piece::Literal(word)] = pattern.pieces() else {
            return;
        };
        let warning = match &**word {
            "and" | "or" | "not" | "And" | "Or" | "Not" => {
                let upper = word.to_uppercase();
                Some((
                    format!("`{word}` is searched as a word"),
                    format!("write `{upper}` for the operator"),
                ))
            }
            "||" | "|" | "&&" | "&" => {
                let operator = if word.starts_with('|') { "OR" } else { "AND" };
                Some((
                    format!("`{word}` is searched as a word"),
                    format!("write `{operator}` for the operator"),
                ))
            }
            "SELECT" | "FROM" | "WHERE" => Some((
                format!("`{word}` is searched as a word"),
                "a query of this dialect is a condition only".to_owned(),
            )),
            "=" | "==" | "!=" | "LIKE" | "IN" | "BETWEEN" | "EXISTS" | "like" | "in"
            | "between" | "exists" => Some((
                format!("`{word}` is searched as a word"),
                "write `field:value`, `field:[low TO high]`, `field > number` or `field:*`"
                    .to_owned(),
            )),
            word if word.contains('=') => Some((
                format!("`{word}` is searched as one word in every field"),
                "a field's value is asked for as `field:value`".to_owned(),
            )),
            word if self.is_field(word) => Some((
                format!("`{word}` is searched as a word in every field"),
                format!("write `{word}:value`, or `{word}:*` for whether there is a value"),
            )),
            _ => None,
        };
        if let Some((message, help)) = warning {
            self.found
                .push(Diagnostic::warning(Code::Syntax, term.at.0, message).with_help(help));
        }
    }
}

/// One word is a term, several are a phrase, none matches nothing.
pub(crate) fn phrase(text: &str) -> Option<Pattern> {
    let folded = fold(text);
    let words: Vec<Box<str>> = folded.split_whitespace().map(Into::into).collect();
    match words.as_slice() {
        [] => None,
        [word] => Some(Pattern::Term {
            text: word.clone(),
            number: numeral(text.trim()),
        }),
        _ => Some(Pattern::Phrase(words)),
    }
}

fn bound(bound: &RangeBound, edge: Edge) -> Option<Bound> {
    let value = match bound {
        RangeBound::Open | RangeBound::Parameter(_) => return None,
        RangeBound::Number(number) => Scalar::Number(*number),
        RangeBound::Text(text) => Scalar::Text(text.as_str().into()),
    };
    Some(Bound { value, edge })
}

/// Whether a wildcard pattern is the existence test.
#[must_use]
pub(crate) fn is_existence(pattern: &Wildcard) -> bool {
    pattern.pieces() == [Piece::AnyRun]
}
