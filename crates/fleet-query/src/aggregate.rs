//! Aggregates: those of IoT Hub's SELECT, and the aggregations of the AWS fleet index.

mod field;
mod statistics;

pub use field::{AggregationField, FieldType, IndexFields};
pub use statistics::{
    Bucket, Buckets, DEFAULT_BUCKETS, DEFAULT_PERCENTS, MOST_BUCKETS, MOST_PERCENTS, Percentile,
    Statistics, buckets, cardinality, percentiles, statistics,
};

use crate::syntax::ast::Aggregate;
use crate::value::{Datum, number_json};
use serde_json::Value;

/// The running state of one aggregate of Azure spec 3.7. Values that are not numbers are ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Accumulator {
    function: Aggregate,
    count: u64,
    sum: f64,
    least: f64,
    greatest: f64,
}

impl Accumulator {
    /// An aggregate over nothing yet.
    #[must_use]
    pub const fn new(function: Aggregate) -> Self {
        Self {
            function,
            count: 0,
            sum: 0.0,
            least: f64::INFINITY,
            greatest: f64::NEG_INFINITY,
        }
    }

    /// Adds a row, for COUNT.
    pub const fn count_row(&mut self) {
        self.count += 1;
    }

    /// Adds a value, for the others.
    pub fn add(&mut self, value: &Datum<'_>) {
        if let Datum::Number(number) = value {
            self.count += 1;
            self.sum += number;
            self.least = self.least.min(*number);
            self.greatest = self.greatest.max(*number);
        }
    }

    /// The result: over nothing COUNT and SUM are 0, the others absent.
    #[must_use]
    pub fn finish(&self) -> Option<Value> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "counts of documents in memory are below 2^53"
        )]
        let count = self.count as f64;
        match self.function {
            Aggregate::Count => Some(Value::from(self.count)),
            Aggregate::Sum => number_json(self.sum),
            _ if self.count == 0 => None,
            Aggregate::Avg => number_json(self.sum / count),
            Aggregate::Min => number_json(self.least),
            Aggregate::Max => number_json(self.greatest),
        }
    }
}
