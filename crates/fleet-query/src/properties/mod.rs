//! Properties of the whole language, each with an oracle.

mod fragment;
mod generate;

use crate::algebra::{Verdict, disjoint, equivalent, implies, normalise};
use crate::check::{Scope, bind, condition_expression};
use crate::diagnostic::Code;
use crate::dialect::{Dialect, Mode};
use crate::document::Document;
use crate::eval::{eval, eval_predicate, value};
use crate::path::FieldPath;
use crate::predicate::Condition;
use crate::query::{PageRequest, Query};
use crate::schema::Schema;
use crate::syntax::{
    self,
    ast::{Expr, Node, Text},
};
use crate::translate::translate;
use crate::value::{Kind, Truth};
use generate::*;
use proptest::prelude::*;
use serde_json::{Value, json};

pub(crate) fn cases(default: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default);
    ProptestConfig {
        cases,
        ..ProptestConfig::default()
    }
}

/// `parse(print(ast)) == ast`, unless the text is longer than the dialect allows.
fn round_trips(text: &Text, dialect: Dialect) -> Result<(), TestCaseError> {
    let printed = syntax::print(text, dialect);
    match syntax::parse(&printed, dialect, Mode::Lenient) {
        Ok(again) => prop_assert_eq!(&again, text, "{}", printed),
        Err(found) => {
            let refused = found
                .iter()
                .any(|one| matches!(one.code, Code::TooLong | Code::TooDeep));
            prop_assert!(refused, "{printed}: {found:?}");
        }
    }
    Ok(())
}

const TWIN: Scope = Scope {
    dialect: Dialect::IotHub,
    collection: crate::Collection::Devices,
    mode: Mode::Lenient,
};

fn bound(made: &Expr) -> Condition {
    bind(&Text::Condition(made.clone()), 0, TWIN, &mut Vec::new())
}

fn judge(made: &Expr, document: &Value) -> Truth {
    eval(&bound(made), Document::new(document))
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn statements_round_trip(text in statement()) {
        round_trips(&text, Dialect::IotHub)?;
    }

    #[test]
    fn target_conditions_round_trip(made in twin_expression()) {
        // Printing is the twin dialect's; only values are narrower.
        let narrow = syntax::print(&Text::Condition(made.clone()), Dialect::Target);
        if let Ok(again) = syntax::parse(&narrow, Dialect::Target, Mode::Lenient) {
            prop_assert_eq!(again, Text::Condition(made.clone()));
        }
        let modules = Text::Modules(made);
        let printed = syntax::print(&modules, Dialect::TargetModules);
        if let Ok(again) = syntax::parse(&printed, Dialect::TargetModules, Mode::Lenient) {
            prop_assert_eq!(again, modules);
        }
    }

    #[test]
    fn routing_conditions_round_trip(made in routing_expression()) {
        round_trips(&Text::Condition(made), Dialect::Routing)?;
    }

    #[test]
    fn index_queries_round_trip(made in index_expression()) {
        round_trips(&Text::Condition(made), Dialect::Aws)?;
    }

    #[test]
    fn rsql_round_trips(made in rsql_expression()) {
        round_trips(&Text::Condition(made), Dialect::Rsql)?;
    }

    /// The bound predicate and the plain expression are two evaluators of one condition.
    #[test]
    fn leaves_mean_what_their_expressions_mean(made in twin_condition(), document in document()) {
        let expression = condition_expression(&made, TWIN);
        let plain = value(&expression, TWIN.dialect.profile(), Document::new(&document)).truth();
        prop_assert_eq!(judge(&made, &document), plain);
    }

    #[test]
    fn three_valued_laws_hold(a in twin_condition(), b in twin_condition(), document in document()) {
        let not = |inner: &Expr| expr(Node::Not(Box::new(inner.clone())));
        let and = |x: &Expr, y: &Expr| expr(Node::And(vec![x.clone(), y.clone()]));
        let or = |x: &Expr, y: &Expr| expr(Node::Or(vec![x.clone(), y.clone()]));
        let truth = |made: &Expr| judge(made, &document);
        prop_assert_eq!(truth(&not(&and(&a, &b))), truth(&or(&not(&a), &not(&b))));
        prop_assert_eq!(truth(&not(&or(&a, &b))), truth(&and(&not(&a), &not(&b))));
        prop_assert_eq!(truth(&not(&not(&a))), truth(&a));
        prop_assert_eq!(truth(&and(&a, &a)), truth(&a));
        prop_assert_eq!(truth(&or(&a, &a)), truth(&a));
        prop_assert_eq!(truth(&and(&a, &b)), truth(&and(&b, &a)));
        prop_assert_eq!(truth(&a) == Truth::False, truth(&not(&a)) == Truth::True);
    }

    /// `x NIN L` is `NOT (x IN L)` where x is defined; both are undefined elsewhere (appendix C6).
    #[test]
    fn nin_is_the_negation_of_in(path in known_path(), items in prop::collection::vec(literal(), 1..4), document in document()) {
        use crate::expression::Membership;
        let list = |membership| {
            let items = items.iter().map(|one| expr(Node::Literal(one.clone()))).collect();
            expr(Node::In { membership, value: Box::new(expr(Node::Path(path.clone()))), items })
        };
        prop_assert_eq!(judge(&list(Membership::NotIn), &document), !judge(&list(Membership::In), &document));
    }

    #[test]
    fn the_normal_form_means_the_same(made in twin_condition(), document in document()) {
        let condition = bound(&made);
        let normal = normalise(&condition);
        let view = Document::new(&document);
        prop_assert_eq!(
            eval_predicate(&condition.predicate, condition.profile, view),
            eval_predicate(&normal.predicate, normal.profile, view)
        );
    }

    #[test]
    fn the_algebra_never_contradicts_the_evaluator(a in twin_condition(), b in twin_condition(), document in document()) {
        let (a, b) = (bound(&a), bound(&b));
        let holds = |condition: &Condition| eval(condition, Document::new(&document)).is_true();
        if implies(&a, &b).is_yes() {
            prop_assert!(!holds(&a) || holds(&b));
        }
        if disjoint(&a, &b).is_yes() {
            prop_assert!(!(holds(&a) && holds(&b)));
        }
        if let Verdict::No { witness } = implies(&a, &b) {
            let view = Document::new(&witness);
            prop_assert!(eval(&a, view).is_true() && !eval(&b, view).is_true());
        }
    }

    #[test]
    fn the_algebra_decides_its_fragment(a in decidable_condition(), b in decidable_condition(), document in document()) {
        let (x, y) = (bound(&a), bound(&b));
        let verdict = implies(&x, &y);
        prop_assert!(verdict != Verdict::Unknown);
        prop_assert!(disjoint(&x, &y) != Verdict::Unknown);
        prop_assert!(equivalent(&x, &y) != Verdict::Unknown);
        let holds = |condition: &Condition| eval(condition, Document::new(&document)).is_true();
        if verdict.is_yes() {
            prop_assert!(!holds(&x) || holds(&y));
        }
    }

    #[test]
    fn translation_keeps_the_answer(
        (from, text) in typed_text(),
        to in prop::sample::select(vec![Dialect::IotHub, Dialect::Aws, Dialect::Rsql, Dialect::Target]),
        documents in prop::collection::vec(typed_document(), 1..6),
    ) {
        let query = Query::parse(&text, from, Mode::Lenient);
        prop_assume!(query.is_ok());
        let query = query.unwrap();
        let schema = Schema::new().with(FieldPath::of(["properties", "reported", "temp"]), Kind::Number);
        if let Ok(printed) = translate(&query, to, &schema) {
            let other = Query::parse(&printed, to, Mode::Lenient).unwrap();
            for document in &documents {
                let view = Document::new(document);
                prop_assert_eq!(query.matches(view).is_true(), other.matches(view).is_true(), "{} -> {}: {}", text, printed, document);
            }
        }
    }

    #[test]
    fn pages_join_to_the_whole(
        documents in prop::collection::btree_map("[a-d]{1,3}", generate::value(), 0..30),
        size in 1_usize..7,
        top in prop::option::of(1_u64..20),
        grouped in any::<bool>(),
    ) {
        let fleet: Vec<Value> =
            documents.iter().map(|(id, tag)| json!({"deviceId": id, "tags": {"a": tag}})).collect();
        let top = top.map(|n| format!("TOP {n} ")).unwrap_or_default();
        let text = if grouped {
            format!("SELECT {top}tags.a, COUNT() AS n FROM devices GROUP BY tags.a")
        } else {
            format!("SELECT {top}* FROM devices")
        };
        let query = Query::parse(&text, Dialect::IotHub, Mode::Lenient).unwrap();
        let mut joined = Vec::new();
        let mut token = None;
        loop {
            let page = query.page(&fleet, &PageRequest { size: Some(size), token }).unwrap();
            prop_assert!(page.rows.rows.len() <= size);
            joined.extend(page.rows.rows);
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        prop_assert_eq!(joined, query.run(&fleet).rows);
    }

    /// What did not change between pages is neither repeated nor skipped.
    #[test]
    fn pages_survive_changes(
        stable in prop::collection::btree_set("[a-d]{1,3}", 1..20),
        waves in prop::collection::vec(prop::collection::btree_set("[a-d]{1,3}", 0..6), 1..30),
        size in 1_usize..5,
    ) {
        let query = Query::parse("SELECT * FROM devices", Dialect::IotHub, Mode::Lenient).unwrap();
        let mut seen = Vec::new();
        let mut token = None;
        for wave in waves.iter().cycle().take(60) {
            let fleet: Vec<Value> = stable.union(wave).map(|id| json!({"deviceId": id})).collect();
            let page = query.page(&fleet, &PageRequest { size: Some(size), token }).unwrap();
            seen.extend(page.rows.rows.into_iter().filter_map(|row| row.id));
            token = page.next;
            if token.is_none() {
                break;
            }
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        prop_assert_eq!(&sorted, &seen);
        let missed = stable.iter().filter(|id| !seen.contains(id)).count();
        prop_assert!(missed == 0 || token.is_some());
    }

    /// Any text in any dialect is refused or runs on any document.
    #[test]
    fn any_text_is_judged(
        text in prop_oneof!["\\PC{0,40}", "[a-c.:()\\[\\]'\"*?=<>!|&,;@$ \\\\\n0-9-]{0,40}", "((NOT|AND|OR|IN|a|tags\\.b|=|\\(|\\)|'x'|5|\\[|\\]|,|is_defined\\() ?){0,14}"],
        dialect in prop::sample::select(Dialect::ALL.to_vec()),
        document in document(),
    ) {
        for text in [text.clone(), format!("SELECT * FROM devices WHERE {text}")] {
            match Query::parse(&text, dialect, Mode::Lenient) {
                Ok(query) => {
                    let _ = query.matches(Document::new(&document));
                    let _ = query.check(&Schema::of_documents([&document]));
                    round_trips(query.ast(), dialect)?;
                }
                Err(found) => {
                    prop_assert!(!found.is_empty());
                    for one in &found {
                        prop_assert!(one.span.end <= text.len() && text.is_char_boundary(one.span.start), "{one:?}");
                    }
                    let _ = crate::diagnostic::render(&found, &text);
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(16))]

    /// In every dialect, and between two of them, the algebra decides what it promises to decide.
    #[test]
    fn the_algebra_decides_its_fragment_in_every_dialect(
        (a, b) in (fragment::tree(), fragment::tree()),
        from in prop::sample::select(vec![Dialect::IotHub, Dialect::Routing, Dialect::Aws, Dialect::Rsql]),
        to in prop::sample::select(vec![Dialect::IotHub, Dialect::Routing, Dialect::Aws, Dialect::Rsql]),
        documents in prop::collection::vec(fragment::document(), 4..12),
    ) {
        let read = |tree: &fragment::Tree, dialect| {
            let text = tree.written(dialect)?;
            let text = if dialect == Dialect::IotHub { format!("SELECT * FROM devices WHERE {text}") } else { text };
            let query = Query::parse(&text, dialect, Mode::Lenient);
            Some((query.unwrap_or_else(|found| panic!("{text}: {found:?}")).condition().clone(), text))
        };
        let (Some((a, first)), Some((b, second))) = (read(&a, from), read(&b, to)) else { return Ok(()) };
        let holds = |condition: &Condition, document: &Value| eval(condition, Document::new(document)).is_true();
        let (implied, apart) = (implies(&a, &b), disjoint(&a, &b));
        prop_assert!(implied != Verdict::Unknown, "{} => {}", first, second);
        prop_assert!(apart != Verdict::Unknown, "{} & {}", first, second);
        if let Some(witness) = implied.witness() {
            prop_assert!(holds(&a, witness) && !holds(&b, witness), "{} => {}: {}", first, second, witness);
        }
        if let Some(witness) = apart.witness() {
            prop_assert!(holds(&a, witness) && holds(&b, witness), "{} & {}: {}", first, second, witness);
        }
        for document in &documents {
            prop_assert!(!(implied.is_yes() && holds(&a, document) && !holds(&b, document)), "{} => {}: {}", first, second, document);
            prop_assert!(!(apart.is_yes() && holds(&a, document) && holds(&b, document)), "{} & {}: {}", first, second, document);
        }
    }
}
