//! The columnar fleet index: the documents of a fleet in typed columns, queried without walking them.
//!
//! A [`WriterIndex`] is fed by recorded changes, in order; a [`Snapshot`] answers queries of every dialect with exactly
//! the answers of the reference evaluator. See `docs/index.md` for the design.
mod aggregate;
mod answer;
mod column;
mod dictionary;
mod error;
mod execute;
mod explain;
mod file;
mod finder;
mod floats;
mod grouping;
mod groups;
mod ids;
mod ints;
mod kernel;
mod live;
mod packed;
mod page;
mod plan;
mod schema;
mod shred;
mod snapshot;
mod state;
mod stream;
mod test;
mod texts;
mod writer;

pub use aggregate::{
    Aggregation, AggregationAnswer, AggregationPartial, MergedAggregation, merge_aggregations,
};
pub use answer::{Merged, Partial, merge};
pub use error::{CODES, IndexError};
pub use live::{Crossing, LiveError, LiveSets, Side};
pub use snapshot::{DEFAULT_BUDGET, Id, Snapshot};
pub use writer::{Applied, Change, WriterIndex};
