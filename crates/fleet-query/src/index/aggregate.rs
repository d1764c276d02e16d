//! The aggregations of the AWS fleet index (AWS spec 3.6), from columns.
use super::column::Cell;
use super::error::IndexError;
use super::execute::Run;
use super::schema::Node;
use super::snapshot::Snapshot;
use crate::aggregate::{
    AggregationField, Bucket, Buckets, FieldType, MOST_BUCKETS, MOST_PERCENTS, Percentile,
    Statistics,
};
use crate::document::{Document, is_system_key};
use crate::path::Segment;
use crate::profile::{AWS, NumberRule};
use crate::query::Query;
use crate::value::{Datum, fold, number_of, number_text};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// One of the aggregations of the AWS fleet index, with what it is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregation {
    /// `GetStatistics`.
    Statistics,
    /// `GetCardinality`.
    Cardinality,
    /// `GetPercentiles`: percents, 0 to 100 each, at most 100 of them.
    Percentiles(Vec<f64>),
    /// `GetBucketsAggregation`: the most buckets, 1 to 10,000.
    Buckets(usize),
}

/// The answer to an [`Aggregation`].
#[derive(Clone, Debug, PartialEq)]
pub enum AggregationAnswer {
    /// `GetStatistics`.
    Statistics(Statistics),
    /// The exact number of distinct values.
    Cardinality(u64),
    /// In the order of the request; empty when there are no values.
    Percentiles(Vec<Percentile>),
    /// The greatest first.
    Buckets(Buckets),
}

/// What one partition of a fleet contributes to an aggregation; see [`merge_aggregations`].
#[derive(Clone, Debug, PartialEq)]
pub struct AggregationPartial {
    /// The position of the partition's last event.
    pub position: u64,
    body: Body,
}

#[derive(Clone, Debug, PartialEq)]
enum Body {
    /// Numbers with the document that has them, in the order of ids: sums depend on it.
    Sums(Vec<(Box<str>, f64)>),
    /// How many documents have a text.
    Texts(u64),
    /// Distinct values, in small letters.
    Distinct(BTreeSet<String>),
    Numbers(Vec<f64>),
    Buckets {
        documents: u64,
        /// By the value in small letters: the document that has it first, its spelling there, how many documents.
        values: HashMap<String, (Box<str>, String, u64)>,
    },
}

/// The answer of a fleet that is split into partitions.
#[derive(Clone, Debug, PartialEq)]
pub struct MergedAggregation {
    /// The answer over the partitions that are there.
    pub answer: AggregationAnswer,
    /// The position of each partition that answered; none for one that is away.
    pub positions: Vec<Option<u64>>,
    /// The partitions, by number, that did not answer: without them the answer is a part of the truth.
    pub missing: Vec<usize>,
}

impl Aggregation {
    fn check(&self, field: &AggregationField) -> Result<(), IndexError> {
        let invalid = |message: String| Err(IndexError::InvalidAggregation { message });
        match self {
            Self::Percentiles(_) if field.field_type != FieldType::Number => {
                invalid("percentiles need a field of the type Number".to_owned())
            }
            Self::Percentiles(percents)
                if percents.len() > MOST_PERCENTS
                    || percents
                        .iter()
                        .any(|percent| !(0.0..=100.0).contains(percent)) =>
            {
                invalid("percents lie between 0 and 100, and there are at most 100".to_owned())
            }
            Self::Buckets(most) if !(1..=MOST_BUCKETS).contains(most) => invalid(format!(
                "maxBuckets lies between 1 and {MOST_BUCKETS}, not {most}"
            )),
            _ => Ok(()),
        }
    }

    fn nothing(&self, field: &AggregationField) -> Body {
        match (self, field.field_type) {
            (Self::Statistics, FieldType::String) => Body::Texts(0),
            (Self::Statistics, _) => Body::Sums(Vec::new()),
            (Self::Cardinality, _) => Body::Distinct(BTreeSet::new()),
            (Self::Percentiles(_), _) => Body::Numbers(Vec::new()),
            (Self::Buckets(_), _) => Body::Buckets {
                documents: 0,
                values: HashMap::new(),
            },
        }
    }

    fn finish(&self, body: Body) -> AggregationAnswer {
        match body {
            Body::Sums(numbers) => {
                let numbers: Vec<f64> = numbers.iter().map(|(_, number)| *number).collect();
                AggregationAnswer::Statistics(Statistics::of(&numbers))
            }
            Body::Texts(count) => AggregationAnswer::Statistics(Statistics {
                count,
                ..Statistics::default()
            }),
            Body::Distinct(values) => AggregationAnswer::Cardinality(values.len() as u64),
            Body::Numbers(mut numbers) => {
                numbers.sort_unstable_by(f64::total_cmp);
                let percents: &[f64] = match self {
                    Self::Percentiles(percents) => percents,
                    _ => &[],
                };
                AggregationAnswer::Percentiles(
                    percents
                        .iter()
                        .filter_map(|percent| {
                            Some(Percentile {
                                percent: *percent,
                                value: Percentile::of(&numbers, *percent)?,
                            })
                        })
                        .collect(),
                )
            }
            Body::Buckets { documents, values } => {
                let mut buckets: Vec<Bucket> = values
                    .into_values()
                    .map(|(_, key_value, count)| Bucket { key_value, count })
                    .collect();
                buckets.sort_by(|a, b| {
                    b.count
                        .cmp(&a.count)
                        .then_with(|| a.key_value.cmp(&b.key_value))
                });
                if let Self::Buckets(most) = self {
                    buckets.truncate(*most);
                }
                AggregationAnswer::Buckets(Buckets {
                    total_count: documents,
                    buckets,
                })
            }
        }
    }
}

impl Body {
    /// Adds one document's values.
    fn add(&mut self, field: FieldType, id: &str, found: &[Datum<'_>]) {
        match self {
            Self::Sums(numbers) => numbers.extend(
                found
                    .iter()
                    .filter_map(|value| Some((id.into(), number(field, value)?))),
            ),
            Self::Numbers(numbers) => {
                numbers.extend(found.iter().filter_map(|value| number(field, value)));
            }
            Self::Texts(count) => {
                *count += u64::from(found.iter().any(|value| matches!(value, Datum::Text(_))));
            }
            Self::Distinct(values) => {
                for text in found.iter().filter_map(|value| text(field, value)) {
                    let folded = fold(&text);
                    if !values.contains(&*folded) {
                        values.insert(folded.into_owned());
                    }
                }
            }
            Self::Buckets { documents, values } => {
                *documents += 1;
                let mut counted = BTreeSet::new();
                for text in found.iter().filter_map(|value| text(field, value)) {
                    let folded = fold(&text).into_owned();
                    if counted.insert(folded.clone()) {
                        let bucket = values
                            .entry(folded)
                            .or_insert_with(|| (id.into(), text.into_owned(), 0));
                        bucket.2 += 1;
                    }
                }
            }
        }
    }

    /// Adds what another partition has; false if that is the answer to another question.
    fn merge(&mut self, other: Self) -> bool {
        match (self, other) {
            (Self::Sums(held), Self::Sums(more)) => {
                held.extend(more);
                // Stable: the values of one document stay in their order.
                held.sort_by(|a, b| a.0.cmp(&b.0));
            }
            (Self::Numbers(held), Self::Numbers(more)) => held.extend(more),
            (Self::Texts(held), Self::Texts(more)) => *held += more,
            (Self::Distinct(held), Self::Distinct(more)) => held.extend(more),
            (
                Self::Buckets { documents, values },
                Self::Buckets {
                    documents: others,
                    values: more,
                },
            ) => {
                *documents += others;
                for (folded, (id, spelling, count)) in more {
                    match values.get_mut(&folded) {
                        None => {
                            values.insert(folded, (id, spelling, count));
                        }
                        Some(held) => {
                            held.2 += count;
                            if id < held.0 {
                                (held.0, held.1) = (id, spelling);
                            }
                        }
                    }
                }
            }
            _ => return false,
        }
        true
    }
}

/// Merges what the partitions contributed to one aggregation, in any order of partitions; `None` stands for one that is
/// away. For every split of the fleet the answer is that of one index.
///
/// # Errors
/// `query.invalid_aggregation` if the request is wrong, or a part answers another one.
pub fn merge_aggregations(
    aggregation: &Aggregation,
    field: &AggregationField,
    parts: Vec<Option<AggregationPartial>>,
) -> Result<MergedAggregation, IndexError> {
    aggregation.check(field)?;
    let positions: Vec<Option<u64>> = parts
        .iter()
        .map(|part| part.as_ref().map(|part| part.position))
        .collect();
    let missing = (0..positions.len())
        .filter(|at| positions.get(*at).is_some_and(Option::is_none))
        .collect();
    let mut body = aggregation.nothing(field);
    for part in parts.into_iter().flatten() {
        if !body.merge(part.body) {
            return Err(IndexError::InvalidAggregation {
                message: "a partition answered another aggregation than the one asked for"
                    .to_owned(),
            });
        }
    }
    Ok(MergedAggregation {
        answer: aggregation.finish(body),
        positions,
        missing,
    })
}

impl Snapshot {
    /// What this index, as one partition of a fleet, contributes to an aggregation; see [`merge_aggregations`].
    ///
    /// # Errors
    /// `query.invalid_aggregation`, `query.cost_exceeded`.
    pub fn aggregation_partial(
        &self,
        query: &Query,
        field: &AggregationField,
        aggregation: &Aggregation,
    ) -> Result<AggregationPartial, IndexError> {
        Ok(AggregationPartial {
            position: self.position(),
            body: self.aggregated(query, field, aggregation, Ids::Kept)?,
        })
    }

    /// The answer to an aggregation over the documents that match, as the reference computes it.
    ///
    /// # Errors
    /// `query.invalid_aggregation`, `query.cost_exceeded`.
    pub fn aggregation(
        &self,
        query: &Query,
        field: &AggregationField,
        aggregation: &Aggregation,
    ) -> Result<AggregationAnswer, IndexError> {
        Ok(aggregation.finish(self.aggregated(query, field, aggregation, Ids::Dropped)?))
    }

    fn aggregated(
        &self,
        query: &Query,
        field: &AggregationField,
        aggregation: &Aggregation,
        ids: Ids,
    ) -> Result<Body, IndexError> {
        aggregation.check(field)?;
        self.must_keep(&field.path)?;
        let mut body = aggregation.nothing(field);
        self.for_each_values(query, field, |row, values| {
            let id = match ids {
                Ids::Kept => self.state.id(row).unwrap_or_default(),
                Ids::Dropped => "",
            };
            body.add(field.field_type, id, values);
        })?;
        Ok(body)
    }

    /// `GetStatistics` over the documents that match, as the reference computes it.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn statistics(
        &self,
        query: &Query,
        field: &AggregationField,
    ) -> Result<Statistics, IndexError> {
        match self.aggregation(query, field, &Aggregation::Statistics)? {
            AggregationAnswer::Statistics(statistics) => Ok(statistics),
            _ => Ok(Statistics::default()),
        }
    }

    /// `GetCardinality`: the exact number of distinct values.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn cardinality(&self, query: &Query, field: &AggregationField) -> Result<u64, IndexError> {
        match self.aggregation(query, field, &Aggregation::Cardinality)? {
            AggregationAnswer::Cardinality(count) => Ok(count),
            _ => Ok(0),
        }
    }

    /// `GetPercentiles`, in the order of the request.
    ///
    /// # Errors
    /// `query.invalid_aggregation`, `query.cost_exceeded`.
    pub fn percentiles(
        &self,
        query: &Query,
        field: &AggregationField,
        percents: &[f64],
    ) -> Result<Vec<Percentile>, IndexError> {
        match self.aggregation(query, field, &Aggregation::Percentiles(percents.to_vec()))? {
            AggregationAnswer::Percentiles(found) => Ok(found),
            _ => Ok(Vec::new()),
        }
    }

    /// `GetBucketsAggregation` with at most so many buckets.
    ///
    /// # Errors
    /// `query.invalid_aggregation`, `query.cost_exceeded`.
    pub fn buckets(
        &self,
        query: &Query,
        field: &AggregationField,
        most: usize,
    ) -> Result<Buckets, IndexError> {
        match self.aggregation(query, field, &Aggregation::Buckets(most))? {
            AggregationAnswer::Buckets(buckets) => Ok(buckets),
            _ => Ok(Buckets {
                total_count: 0,
                buckets: Vec::new(),
            }),
        }
    }

    /// Calls `f` with the field's values of each matching document, in the order of ids.
    fn for_each_values(
        &self,
        query: &Query,
        field: &AggregationField,
        mut f: impl FnMut(usize, &[Datum<'_>]),
    ) -> Result<(), IndexError> {
        let run = Run::new(&self.state, self.budget());
        let plan = self.planned(query.condition())?;
        let nodes: Vec<(Node, Vec<Node>)> = self
            .state
            .schema
            .joined(&field.path.joined())
            .into_iter()
            .map(|node| (node, self.state.schema.elements(node)))
            .collect();
        let inherits = field.path.root() == "attributes" && !self.state.groups.is_empty();
        // What the system keeps in a section is no field.
        let system = field.path.root() == "properties"
            && matches!(field.path.segments().get(2), Some(Segment::Key(key)) if is_system_key(key));
        for row in self.rows_of(&plan, &run)? {
            let row = row as usize;
            let mut values = Vec::new();
            let plain = !inherits
                && !system
                && !field.path.is_derived()
                && nodes
                    .iter()
                    .all(|(node, elements)| self.collect(*node, elements, row, &mut values));
            if plain {
                f(row, &values);
            } else if let Some(document) = self.state.document(row) {
                f(row, &Document::new(&document).values(&field.path, &AWS));
            }
        }
        Ok(())
    }

    /// Adds the indexed values of a cell; false where the document must be looked at.
    fn collect<'a>(
        &'a self,
        node: Node,
        elements: &[Node],
        row: usize,
        out: &mut Vec<Datum<'a>>,
    ) -> bool {
        match self.state.cell(node, row) {
            None | Some(Cell::Object | Cell::Null) => {}
            Some(Cell::Bool(value)) => out.push(Datum::Bool(value)),
            #[allow(clippy::cast_precision_loss, reason = "the reference sees doubles")]
            Some(Cell::Int(value)) => out.push(Datum::Number(value as f64)),
            Some(Cell::Float(value)) => out.push(Datum::Number(value)),
            Some(Cell::Text(text)) => out.push(Datum::Text(Cow::Borrowed(text))),
            Some(Cell::Array(count)) => {
                return elements
                    .iter()
                    .take(usize::from(count))
                    .all(|element| self.collect(*element, &[], row, out));
            }
            Some(Cell::Json(_)) => return false,
        }
        true
    }
}

/// Whether what is aggregated carries the id of its document, which only merging needs.
#[derive(Clone, Copy)]
enum Ids {
    Kept,
    Dropped,
}

fn number(field_type: FieldType, value: &Datum<'_>) -> Option<f64> {
    match field_type {
        FieldType::Number => number_of(NumberRule::Numerals, value),
        FieldType::Boolean => boolean(value).map(|value| f64::from(u8::from(value))),
        FieldType::String => None,
    }
}

fn boolean(value: &Datum<'_>) -> Option<bool> {
    match value {
        Datum::Bool(value) => Some(*value),
        Datum::Text(text) => match &*fold(text) {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn text<'a>(field_type: FieldType, value: &'a Datum<'_>) -> Option<Cow<'a, str>> {
    match (field_type, value) {
        (FieldType::Number, _) => {
            number_of(NumberRule::Numerals, value).map(|number| number_text(number).into())
        }
        (FieldType::Boolean, _) => boolean(value).map(|value| value.to_string().into()),
        (FieldType::String, Datum::Text(text)) => Some(Cow::Borrowed(text)),
        (FieldType::String, _) => None,
    }
}
