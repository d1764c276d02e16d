//! `GetStatistics`, `GetCardinality`, `GetPercentiles`, `GetBucketsAggregation` (AWS spec 3.6).
//!
//! Each runs over the documents that a query matches, in any order. A value whose type is not the
//! field's is ignored; every element of an array counts as a value.

use super::field::{AggregationField, FieldType};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::document::Document;
use crate::profile::{AWS, NumberRule};
use crate::query::Query;
use crate::value::{Datum, fold, number_of, number_text};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// The percents of `GetPercentiles` when none are given.
pub const DEFAULT_PERCENTS: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];
/// The most percents of one request.
pub const MOST_PERCENTS: usize = 100;
/// The number of buckets when none is given.
pub const DEFAULT_BUCKETS: usize = 10;
/// The most buckets of one request.
pub const MOST_BUCKETS: usize = 10_000;

/// The result of `GetStatistics`. Over text only `count`; over no values only a `count` of 0; a
/// member that overflows is absent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// How many valid values there are.
    pub count: u64,
    /// Their mean; of booleans the share of true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average: Option<f64>,
    /// Their sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// The least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<f64>,
    /// The greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<f64>,
    /// The sum of their squares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum_of_squares: Option<f64>,
    /// The population variance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub variance: Option<f64>,
    /// Its square root.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_deviation: Option<f64>,
}

impl Statistics {
    /// The statistics of numbers, added up in the order given.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of values in memory are below 2^53"
    )]
    pub fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self::default();
        }
        let finite = |value: f64| value.is_finite().then_some(value);
        let count = values.len() as f64;
        let sum: f64 = values.iter().sum();
        let squares: f64 = values.iter().map(|value| value * value).sum();
        let average = sum / count;
        let variance = (squares / count - average * average).max(0.0);
        Self {
            count: values.len() as u64,
            average: finite(average),
            sum: finite(sum),
            minimum: values.iter().copied().reduce(f64::min),
            maximum: values.iter().copied().reduce(f64::max),
            sum_of_squares: finite(squares),
            variance: if squares.is_finite() {
                finite(variance)
            } else {
                None
            },
            std_deviation: if squares.is_finite() {
                finite(variance.sqrt())
            } else {
                None
            },
        }
    }
}

/// One percentile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentile {
    /// 0 to 100.
    pub percent: f64,
    /// Interpolated between the closest ranks.
    pub value: f64,
}

/// The result of `GetBucketsAggregation`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Buckets {
    /// How many documents match the query, with or without a value.
    pub total_count: u64,
    /// By count, the greatest first; equal counts by key.
    pub buckets: Vec<Bucket>,
}

/// The documents that have one value in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Bucket {
    /// The value as text, in the spelling seen first.
    pub key_value: String,
    /// How many documents have it.
    pub count: u64,
}

/// The matching documents in the order of their ids.
fn matching<'a>(
    query: &Query,
    documents: impl IntoIterator<Item = &'a Value>,
) -> Vec<Document<'a>> {
    let mut selected: Vec<Document<'a>> = documents
        .into_iter()
        .map(Document::new)
        .filter(|document| query.matches(*document).is_true())
        .collect();
    selected.sort_by_key(|document| document.sort_key());
    selected
}

fn numbers(field: &AggregationField, document: Document<'_>) -> Vec<f64> {
    document
        .values(&field.path, &AWS)
        .iter()
        .filter_map(|value| match field.field_type {
            FieldType::Number => number_of(NumberRule::Numerals, value),
            FieldType::Boolean => boolean(value).map(|value| f64::from(u8::from(value))),
            FieldType::String => None,
        })
        .collect()
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

/// The values of a field as texts: those that are of its type.
fn texts(field: &AggregationField, document: Document<'_>) -> Vec<String> {
    document
        .values(&field.path, &AWS)
        .into_iter()
        .filter_map(|value| match field.field_type {
            FieldType::Number => number_of(NumberRule::Numerals, &value).map(number_text),
            FieldType::Boolean => boolean(&value).map(|value| value.to_string()),
            FieldType::String => match value {
                Datum::Text(text) => Some(text.into_owned()),
                _ => None,
            },
        })
        .collect()
}

/// `GetStatistics` over the documents that match.
///
/// ```
/// use fleet_query::{Collection, Dialect, Mode, Query, aggregate::*};
/// use serde_json::json;
/// let query = Query::parse("*", Dialect::Aws, Mode::Lenient)?;
/// let custom = [("attributes.load".to_owned(), FieldType::Number)].into();
/// let field = AggregationField::resolve("attributes.load", &custom, Collection::Devices).map_err(|e| vec![e])?;
/// let fleet = [json!({"deviceId": "a", "attributes": {"load": "75"}}), json!({"deviceId": "b"})];
/// assert_eq!(statistics(&query, &field, &fleet).count, 1);
/// # Ok::<(), Vec<fleet_query::Diagnostic>>(())
/// ```
pub fn statistics<'a>(
    query: &Query,
    field: &AggregationField,
    documents: impl IntoIterator<Item = &'a Value>,
) -> Statistics {
    let matching = matching(query, documents);
    if field.field_type == FieldType::String {
        let count = matching
            .into_iter()
            .filter(|document| !texts(field, *document).is_empty())
            .count();
        return Statistics {
            count: count as u64,
            ..Statistics::default()
        };
    }
    let values: Vec<f64> = matching
        .into_iter()
        .flat_map(|document| numbers(field, document))
        .collect();
    Statistics::of(&values)
}

/// `GetCardinality`: the exact number of distinct values; texts in any letter case are one.
pub fn cardinality<'a>(
    query: &Query,
    field: &AggregationField,
    documents: impl IntoIterator<Item = &'a Value>,
) -> u64 {
    let distinct: BTreeSet<String> = matching(query, documents)
        .into_iter()
        .flat_map(|document| texts(field, document))
        .map(|text| fold(&text).into_owned())
        .collect();
    distinct.len() as u64
}

/// `GetPercentiles`, in the order of the request; empty when there are no values.
///
/// # Errors
/// `query.invalid_aggregation` if the field is not numeric, a percent lies outside 0 to 100, or
/// more than [`MOST_PERCENTS`] are asked for.
pub fn percentiles<'a>(
    query: &Query,
    field: &AggregationField,
    percents: &[f64],
    documents: impl IntoIterator<Item = &'a Value>,
) -> Result<Vec<Percentile>, Diagnostic> {
    let invalid =
        |message: &str| Diagnostic::error(Code::InvalidAggregation, Span::default(), message);
    if field.field_type != FieldType::Number {
        return Err(invalid("percentiles need a field of the type Number"));
    }
    if percents.len() > MOST_PERCENTS
        || percents
            .iter()
            .any(|percent| !(0.0..=100.0).contains(percent))
    {
        return Err(invalid(
            "percents lie between 0 and 100, and there are at most 100",
        ));
    }
    let mut values: Vec<f64> = matching(query, documents)
        .into_iter()
        .flat_map(|document| numbers(field, document))
        .collect();
    values.sort_by(f64::total_cmp);
    Ok(percents
        .iter()
        .filter_map(|percent| {
            Some(Percentile {
                percent: *percent,
                value: Percentile::of(&values, *percent)?,
            })
        })
        .collect())
}

impl Percentile {
    /// The percentile of ascending values, interpolated between the closest ranks; none of none.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks lie between 0 and the number of values in memory"
    )]
    pub fn of(ascending: &[f64], percent: f64) -> Option<f64> {
        let rank = percent / 100.0 * (ascending.len().checked_sub(1)? as f64);
        let below = ascending.get(rank.floor() as usize)?;
        let above = ascending.get(rank.ceil() as usize)?;
        Some(below + (rank - rank.floor()) * (above - below))
    }
}

/// `GetBucketsAggregation` with at most so many buckets.
///
/// # Errors
/// `query.invalid_aggregation` if `most` lies outside 1 to [`MOST_BUCKETS`].
pub fn buckets<'a>(
    query: &Query,
    field: &AggregationField,
    most: usize,
    documents: impl IntoIterator<Item = &'a Value>,
) -> Result<Buckets, Diagnostic> {
    if !(1..=MOST_BUCKETS).contains(&most) {
        let message = format!("maxBuckets lies between 1 and {MOST_BUCKETS}, not {most}");
        return Err(Diagnostic::error(
            Code::InvalidAggregation,
            Span::default(),
            message,
        ));
    }
    let matching = matching(query, documents);
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for document in &matching {
        let mut counted = BTreeSet::new();
        for text in texts(field, *document) {
            let folded = fold(&text).into_owned();
            if !counted.insert(folded.clone()) {
                continue;
            }
            let place = *places.entry(folded).or_insert_with(|| {
                buckets.push(Bucket {
                    key_value: text,
                    count: 0,
                });
                buckets.len() - 1
            });
            if let Some(bucket) = buckets.get_mut(place) {
                bucket.count += 1;
            }
        }
    }
    buckets.sort_by(|a, b| {
        b.count
            .cmp(&a.count)
            .then_with(|| a.key_value.cmp(&b.key_value))
    });
    buckets.truncate(most);
    Ok(Buckets {
        total_count: matching.len() as u64,
        buckets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_read_from_texts_too() {
        for (value, expected) in [
            (Datum::Bool(true), Some(true)),
            (Datum::Bool(false), Some(false)),
            (Datum::Text("True".into()), Some(true)),
            (Datum::Text("false".into()), Some(false)),
            (Datum::Text("yes".into()), None),
            (Datum::Number(1.0), None),
        ] {
            assert_eq!(boolean(&value), expected, "{value:?}");
        }
    }

    #[test]
    fn at_most_a_hundred_percents_are_asked_for() {
        let query = Query::parse("*", crate::Dialect::Aws, crate::Mode::Lenient).unwrap();
        let field = AggregationField {
            path: crate::FieldPath::of(["attributes", "load"]),
            field_type: FieldType::Number,
        };
        let fleet = [serde_json::json!({"deviceId": "d", "attributes": {"load": "5"}})];
        let ask = |count: usize| percentiles(&query, &field, &vec![50.0; count], &fleet);
        assert_eq!(ask(1).unwrap().len(), 1);
        assert_eq!(ask(100).unwrap().len(), 100);
        assert!(ask(101).is_err());
    }
}
