//! The aggregations of the AWS fleet index (AWS spec 3.6), from columns.
use super::column::Cell;
use super::error::IndexError;
use super::execute::Run;
use super::plan::plan;
use super::schema::Node;
use super::snapshot::Snapshot;
use crate::aggregate::{
    AggregationField, Bucket, Buckets, FieldType, MOST_BUCKETS, MOST_PERCENTS, Percentile,
    Statistics,
};
use crate::document::Document;
use crate::profile::{AWS, NumberRule};
use crate::query::Query;
use crate::value::{Datum, fold, number_of, number_text};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

impl Snapshot {
    /// `GetStatistics` over the documents that match, as the reference computes it.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn statistics(
        &self,
        query: &Query,
        field: &AggregationField,
    ) -> Result<Statistics, IndexError> {
        let (mut numbers, mut with_text) = (Vec::new(), 0u64);
        self.for_each_values(query, field, |values| {
            numbers.extend(
                values
                    .iter()
                    .filter_map(|value| number(field.field_type, value)),
            );
            with_text += u64::from(values.iter().any(|value| matches!(value, Datum::Text(_))));
        })?;
        Ok(match field.field_type {
            FieldType::String => Statistics {
                count: with_text,
                ..Statistics::default()
            },
            FieldType::Number | FieldType::Boolean => Statistics::of(&numbers),
        })
    }

    /// `GetCardinality`: the exact number of distinct values.
    ///
    /// # Errors
    /// `query.cost_exceeded`.
    pub fn cardinality(&self, query: &Query, field: &AggregationField) -> Result<u64, IndexError> {
        let mut distinct = BTreeSet::new();
        self.for_each_values(query, field, |values| {
            for text in values
                .iter()
                .filter_map(|value| text(field.field_type, value))
            {
                let folded = fold(&text);
                if !distinct.contains(&*folded) {
                    distinct.insert(folded.into_owned());
                }
            }
        })?;
        Ok(distinct.len() as u64)
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
        let invalid = |message: &str| {
            Err(IndexError::InvalidAggregation {
                message: message.to_owned(),
            })
        };
        if field.field_type != FieldType::Number {
            return invalid("percentiles need a field of the type Number");
        }
        if percents.len() > MOST_PERCENTS
            || percents
                .iter()
                .any(|percent| !(0.0..=100.0).contains(percent))
        {
            return invalid("percents lie between 0 and 100, and there are at most 100");
        }
        let mut numbers = Vec::new();
        self.for_each_values(query, field, |values| {
            numbers.extend(
                values
                    .iter()
                    .filter_map(|value| number(field.field_type, value)),
            );
        })?;
        numbers.sort_unstable_by(f64::total_cmp);
        Ok(percents
            .iter()
            .filter_map(|percent| {
                Some(Percentile {
                    percent: *percent,
                    value: Percentile::of(&numbers, *percent)?,
                })
            })
            .collect())
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
        if !(1..=MOST_BUCKETS).contains(&most) {
            let message = format!("maxBuckets lies between 1 and {MOST_BUCKETS}, not {most}");
            return Err(IndexError::InvalidAggregation { message });
        }
        let (mut buckets, mut total_count): (Vec<Bucket>, u64) = (Vec::new(), 0);
        let mut places: HashMap<String, usize> = HashMap::new();
        self.for_each_values(query, field, |values| {
            total_count += 1;
            let mut counted = BTreeSet::new();
            for text in values
                .iter()
                .filter_map(|value| text(field.field_type, value))
            {
                let folded = fold(&text).into_owned();
                if !counted.insert(folded.clone()) {
                    continue;
                }
                let place = *places.entry(folded).or_insert_with(|| {
                    buckets.push(Bucket {
                        key_value: text.into_owned(),
                        count: 0,
                    });
                    buckets.len() - 1
                });
                if let Some(bucket) = buckets.get_mut(place) {
                    bucket.count += 1;
                }
            }
        })?;
        buckets.sort_by(|a, b| {
            b.count
                .cmp(&a.count)
                .then_with(|| a.key_value.cmp(&b.key_value))
        });
        buckets.truncate(most);
        Ok(Buckets {
            total_count,
            buckets,
        })
    }

    /// Calls `f` with the field's values of each matching document, in the order of ids.
    fn for_each_values(
        &self,
        query: &Query,
        field: &AggregationField,
        mut f: impl FnMut(&[Datum<'_>]),
    ) -> Result<(), IndexError> {
        let run = Run::new(&self.state, self.budget());
        let plan = self.ordered(plan(&self.state, query.condition()));
        let nodes: Vec<(Node, Vec<Node>)> = self
            .state
            .schema
            .joined(&field.path.joined())
            .into_iter()
            .map(|node| (node, self.state.schema.elements(node)))
            .collect();
        let inherits = field.path.root() == "attributes" && !self.state.groups.is_empty();
        let system = field.path.root() == "properties";
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
                f(&values);
            } else if let Some(document) = self.state.document(row) {
                f(&Document::new(&document).values(&field.path, &AWS));
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
