//! The index against the reference evaluator, case after case: a random fleet of one of the collections, a random
//! history of events, and at every step random conditions and query texts in every dialect. Ids, counts, rows and
//! aggregations are those of the reference, before and after saving and loading, for every split in partitions; live
//! sets are what recomputing gives; snapshots go on showing what they showed.
//!
//! `FLEET_CASES=100000 cargo test --profile checked -p fleet-query --test differential -- --nocapture` runs that many
//! cases, on every core. Each is named by its seed; `FLEET_SEED=n` runs the one.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "test code"
)]
mod fleet;

use fleet::model::Model;
use fleet::{Name, cases, condition, pick, run_cases, texts};
use fleet_generate::Random;
use fleet_query::aggregate::{
    AggregationField, FieldType, buckets, cardinality, percentiles, statistics,
};
use fleet_query::index::{
    Aggregation, AggregationAnswer, Applied, Change, IndexError, LiveSets, Side, Snapshot,
    WriterIndex, merge, merge_aggregations,
};
use fleet_query::{Collection, Condition, Dialect, FieldPath, Mode, Query};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Texts that were drawn, and how many of them are queries.
static DRAWN: AtomicU64 = AtomicU64::new(0);
static PARSED: AtomicU64 = AtomicU64::new(0);

#[test]
fn index_and_reference_agree() {
    let cases = run_cases(400, Case::run);
    let (drawn, parsed) = (
        DRAWN.load(Ordering::Relaxed),
        PARSED.load(Ordering::Relaxed),
    );
    eprintln!("{cases} cases, {parsed} queries of {drawn} texts drawn");
    assert!(
        cases == 1 || parsed * 100 > drawn * 99,
        "the generator draws queries"
    );
}

/// Small fleets have sparse chunks only: here are two chunks full of noise.
#[test]
fn dense_chunks_agree_too() {
    for seed in 0..cases(0).div_ceil(5_000).max(1) {
        let mut case = Case::new(seed + 1_000_000, Collection::Devices, true);
        let _name = Name(case.seed);
        case.model.load(&mut case.r, 0..4_700, &mut case.index);
        // While rows are in the order of ids, groups are made chunk by chunk.
        let (snapshot, all) = (case.index.snapshot(), case.model.all());
        for field in ["tags.a", "tags.n", "attributes.site", "nothing"] {
            let text = format!(
                "SELECT {field}, COUNT() AS n, SUM(tags.n) AS s, AVG(properties.reported.n) AS a, MAX(tags.b) AS m \
                 FROM devices WHERE tags.b != 'b' OR attributes.load > 3 GROUP BY {field}"
            );
            let query = Query::parse(&text, Dialect::IotHub, Mode::Lenient).unwrap();
            assert_eq!(snapshot.rows(&query).unwrap(), query.run(&all), "{text}");
            case.text(&snapshot);
        }
        for _ in 0..1_500 {
            let (model, index) = (&mut case.model, &mut case.index);
            model.step(&mut case.r, 5_000, |change| index.change(change));
        }
        for _ in 0..8 {
            let snapshot = case.index.snapshot();
            let condition = condition(&mut case.r);
            case.agree(&snapshot, &case.model, &condition);
            case.text(&snapshot);
            for _ in 0..5 {
                let (model, index) = (&mut case.model, &mut case.index);
                model.step(&mut case.r, 5_000, |change| index.change(change));
            }
        }
        case.reopen();
        case.text(&case.index.snapshot());
        case.split();
        case.aggregations();
    }
}

/// A change that owns what it says.
enum Recorded {
    Put(String),
    Patch(String, String),
    Delete(String),
    Join(String, String),
    Leave(String, String),
    Group(String, Option<String>, Map<String, Value>),
    DropGroup(String),
    Nothing,
}

impl Recorded {
    fn of(change: &Change<'_>) -> Self {
        match *change {
            Change::Put { document } => Self::Put(document.to_owned()),
            Change::Patch { id, patch } => Self::Patch(id.to_owned(), patch.to_owned()),
            Change::Delete { id } => Self::Delete(id.to_owned()),
            Change::Join { id, group } => Self::Join(id.to_owned(), group.to_owned()),
            Change::Leave { id, group } => Self::Leave(id.to_owned(), group.to_owned()),
            Change::Group {
                name,
                parent,
                attributes,
            } => Self::Group(
                name.to_owned(),
                parent.map(str::to_owned),
                attributes.clone(),
            ),
            Change::DropGroup { name } => Self::DropGroup(name.to_owned()),
            _ => Self::Nothing,
        }
    }

    fn change(&self) -> Change<'_> {
        match self {
            Self::Put(document) => Change::Put { document },
            Self::Patch(id, patch) => Change::Patch { id, patch },
            Self::Delete(id) => Change::Delete { id },
            Self::Join(id, group) => Change::Join { id, group },
            Self::Leave(id, group) => Change::Leave { id, group },
            Self::Group(name, parent, attributes) => Change::Group {
                name,
                parent: parent.as_deref(),
                attributes,
            },
            Self::DropGroup(name) => Change::DropGroup { name },
            Self::Nothing => Change::Nothing,
        }
    }
}

struct Case {
    seed: u64,
    r: Random,
    model: Model,
    index: WriterIndex,
    /// The same fleet, fed with many changes at once, and the changes that it has not seen.
    streamed: WriterIndex,
    recorded: Vec<Recorded>,
    live: LiveSets,
    sets: Vec<(String, Condition, BTreeSet<String>)>,
}

impl Case {
    fn run(seed: u64) {
        let mut r = Random::new(seed, 11);
        let collection = match r.below(10) {
            0..=5 => Collection::Devices,
            6 | 7 => Collection::Modules,
            8 => Collection::Jobs,
            _ => Collection::Groups,
        };
        let mut case = Self::new(seed, collection, r.chance(800));
        case.history();
    }

    fn new(seed: u64, collection: Collection, metadata: bool) -> Self {
        let empty = || match metadata {
            true => WriterIndex::new(collection),
            false => WriterIndex::without_metadata(collection),
        };
        Self {
            seed,
            r: Random::new(seed, 12),
            model: Model::new(collection, metadata),
            index: empty(),
            streamed: empty(),
            recorded: Vec::new(),
            live: LiveSets::new(100_000),
            sets: Vec::new(),
        }
    }

    fn history(&mut self) {
        let mut held: Option<(Snapshot, Model)> = None;
        let population = 2 + self.r.below(12);
        if self.r.chance(300) {
            let numbers: Vec<u64> = (0..self.r.below(12))
                .map(|_| self.r.below(population))
                .collect();
            self.model
                .load(&mut self.r, numbers.into_iter(), &mut self.index);
            self.streamed = self.saved_and_opened();
        }
        for _ in 0..3 + self.r.below(12) {
            self.event(population);
            if self.r.chance(120) {
                self.reopen();
            }
            if self.r.chance(150) {
                let _held = self.streamed.snapshot();
                self.stream();
            }
            if self.r.chance(100) {
                self.watch();
            }
            if self.r.chance(100) {
                held = Some((self.index.snapshot(), self.model.clone()));
            }
            let snapshot = self.index.snapshot();
            let condition = condition(&mut self.r);
            self.agree(&snapshot, &self.model.clone(), &condition);
            self.text(&snapshot);
        }
        if let Some((snapshot, model)) = held {
            let condition = condition(&mut self.r);
            self.agree(&snapshot, &model, &condition);
            for id in model.documents.keys() {
                let shown = id.replace('\0', "/");
                assert_eq!(
                    snapshot.own_document(&shown).as_ref(),
                    model.documents.get(id)
                );
                assert_eq!(snapshot.document(&shown), Some(model.effective(id)));
            }
        }
        self.stream();
        self.reopen();
        let snapshot = self.index.snapshot();
        assert_eq!(snapshot.documents().collect::<Vec<_>>(), self.model.all());
        for _ in 0..2 {
            self.text(&snapshot);
            self.split();
        }
        self.aggregations();
    }

    /// One event, through the live sets; some come a second time, and some out of order.
    fn event(&mut self, population: u64) {
        let seen = self.index.position();
        let position = seen + 1 + self.r.below(3);
        let (live, index, recorded) = (&mut self.live, &mut self.index, &mut self.recorded);
        self.model.step(&mut self.r, population, |change| {
            live.apply(index, position, None, change).map(|applied| {
                assert_eq!(applied, Applied::Changed);
                recorded.push(Recorded::of(change));
            })
        });
        if self.r.chance(100) {
            let (ignored, reached) = (index.ignored(), index.position());
            let again = Change::Patch {
                id: "dev-0000",
                patch: r#"{"tags":{"a":"a late one"}}"#,
            };
            let at = reached - self.r.below(reached.min(3) + 1);
            assert_eq!(live.apply(index, at, None, &again), Ok(Applied::Ignored));
            assert_eq!(index.ignored(), ignored + 1);
        }
        for crossing in self.live.since(seen).unwrap() {
            let found = self.sets.iter_mut().find(|set| *set.0 == *crossing.set);
            let Some((_, _, members)) = found else {
                continue;
            };
            for id in &crossing.ids {
                let news = match crossing.side {
                    Side::Entered => members.insert(id.clone()),
                    Side::Left => members.remove(id),
                };
                assert!(news, "{crossing:?} says nothing new");
            }
        }
        for (_, condition, members) in &self.sets {
            let expected: BTreeSet<String> = self.model.select(condition).into_iter().collect();
            assert_eq!(*members, expected, "{condition:?}");
        }
    }

    /// What was recorded, all at once, gives the same fleet.
    fn stream(&mut self) {
        let changes = self.recorded.iter().map(Recorded::change);
        let count = self.streamed.change_all(changes);
        assert_eq!(count, Ok(self.recorded.len()));
        self.recorded.clear();
        let snapshot = self.streamed.snapshot();
        assert_eq!(snapshot.documents().collect::<Vec<_>>(), self.model.all());
        let condition = condition(&mut self.r);
        self.agree(&snapshot, &self.model, &condition);
    }

    fn saved_and_opened(&self) -> WriterIndex {
        let mut file = Vec::new();
        self.index.save("fleet-1", &mut file).unwrap();
        WriterIndex::load("fleet-1", file.as_slice()).unwrap()
    }

    fn reopen(&mut self) {
        self.index = self.saved_and_opened();
        assert_eq!(self.index.keeps_metadata(), self.model.metadata);
    }

    fn watch(&mut self) {
        let (name, condition) = (format!("set-{}", self.sets.len()), condition(&mut self.r));
        match self.live.watch(&name, &condition, &self.index) {
            Ok(now) => {
                assert_eq!(now, self.model.select(&condition));
                self.sets.push((name, condition, now.into_iter().collect()));
            }
            Err(error) => self.only_metadata(&error, &format!("{condition:?}")),
        }
    }

    /// Without metadata, and only then, a question that names it is refused.
    fn only_metadata(&self, error: &IndexError, question: &str) {
        assert_eq!(error.code(), "query.metadata_not_kept", "{question}");
        assert!(
            !self.model.metadata && question.contains("metadata"),
            "{question}"
        );
    }

    fn agree(&self, snapshot: &Snapshot, model: &Model, condition: &Condition) {
        let expected = model.select(condition);
        match snapshot.ids(condition) {
            Ok(ids) => {
                let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
                assert_eq!(ids, expected, "{condition:?}");
                let count = snapshot.count(condition).unwrap();
                assert_eq!(count, expected.len() as u64, "{condition:?}");
            }
            Err(error) => self.only_metadata(&error, &format!("{condition:?}")),
        }
    }

    fn draw(&mut self) -> Option<(String, Query)> {
        let dialect = *pick(&mut self.r, texts::dialects(self.model.collection));
        let text = texts::query(&mut self.r, dialect);
        DRAWN.fetch_add(1, Ordering::Relaxed);
        let query = Query::parse(&text, dialect, Mode::Lenient).ok()?;
        PARSED.fetch_add(1, Ordering::Relaxed);
        Some((text, query))
    }

    fn text(&mut self, snapshot: &Snapshot) {
        let Some((text, query)) = self.draw() else {
            return;
        };
        self.agree(snapshot, &self.model, query.condition());
        match snapshot.rows(&query) {
            Ok(rows) => assert_eq!(rows, query.run(&self.model.all()), "{text}"),
            Err(error) => self.only_metadata(&error, &text),
        }
        assert_eq!(
            snapshot.explain(query.condition()).is_ok(),
            snapshot.count(query.condition()).is_ok()
        );
    }

    /// The fleet dealt out to partitions, each with whole documents.
    fn deal(&mut self) -> Vec<Snapshot> {
        let count = 1 + self.r.below(4) as usize;
        let mut parts: Vec<WriterIndex> = (0..count)
            .map(|_| WriterIndex::new(self.model.collection))
            .collect();
        let mut documents: Vec<Value> = self.model.all();
        documents.sort_by_cached_key(|_| self.r.next_u64());
        for document in &documents {
            parts[self.r.below(count as u64) as usize]
                .put_value(document)
                .unwrap();
        }
        parts.iter().map(WriterIndex::snapshot).collect()
    }

    fn split(&mut self) {
        let Some((text, query)) = self.draw() else {
            return;
        };
        let parts = self.deal();
        let partials = parts
            .iter()
            .map(|part| Some(part.partial(&query).unwrap()))
            .collect();
        let merged = merge(&query, partials);
        assert_eq!(merged.rows, query.run(&self.model.all()), "{text}");
        assert!(merged.missing.is_empty());
        // Without one of them: the rest, and its number.
        let away = self.r.below(parts.len() as u64) as usize;
        let partials = (0..)
            .zip(&parts)
            .map(|(at, part)| (at != away).then(|| part.partial(&query).unwrap()))
            .collect();
        assert_eq!(merge(&query, partials).missing, [away]);
    }

    fn aggregations(&mut self) {
        let dialect = match self.model.collection {
            Collection::Devices => Dialect::Aws,
            Collection::Groups => Dialect::AwsGroups,
            _ => return,
        };
        let text = texts::query(&mut self.r, dialect);
        let Ok(query) = Query::parse(&text, dialect, Mode::Lenient) else {
            return;
        };
        let path = pick::<&[&str]>(
            &mut self.r,
            &[
                &["attributes", "load"],
                &["attributes", "site"],
                &["properties", "reported", "n"],
                &["properties", "reported", "a", "b"],
                &["deviceId"],
            ],
        );
        let field = AggregationField {
            path: FieldPath::of(path.iter().copied()),
            field_type: *pick(
                &mut self.r,
                &[FieldType::Number, FieldType::String, FieldType::Boolean],
            ),
        };
        let all = self.model.all();
        let snapshot = self.index.snapshot();
        let parts = self.deal();
        let percents = vec![0.0, 33.0, 50.0, 100.0];
        for asked in [
            Aggregation::Statistics,
            Aggregation::Cardinality,
            Aggregation::Percentiles(percents.clone()),
            Aggregation::Buckets(3),
        ] {
            let expected = match &asked {
                Aggregation::Statistics => Some(AggregationAnswer::Statistics(statistics(
                    &query, &field, &all,
                ))),
                Aggregation::Cardinality => Some(AggregationAnswer::Cardinality(cardinality(
                    &query, &field, &all,
                ))),
                Aggregation::Percentiles(percents) => percentiles(&query, &field, percents, &all)
                    .ok()
                    .map(AggregationAnswer::Percentiles),
                Aggregation::Buckets(most) => buckets(&query, &field, *most, &all)
                    .ok()
                    .map(AggregationAnswer::Buckets),
            };
            let context = format!("{text}: {asked:?} over {field:?}");
            let found = snapshot.aggregation(&query, &field, &asked).ok();
            assert_eq!(found, expected, "seed {}, {context}", self.seed);
            let partials: Result<Vec<_>, _> = parts
                .iter()
                .map(|part| part.aggregation_partial(&query, &field, &asked).map(Some))
                .collect();
            let merged = partials.and_then(|parts| merge_aggregations(&asked, &field, parts));
            assert_eq!(
                merged.ok().map(|merged| merged.answer),
                expected,
                "split, {context}"
            );
        }
    }
}
