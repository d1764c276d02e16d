//! Fleet indexing and searching.

use fleet_model::kernel::Decider as _;
use fleet_query::aggregate::{self, AggregationField};
use fleet_query::index::Snapshot;
use fleet_query::query::PageRequest;
use fleet_query::{Collection, Dialect, Document, FieldPath, Mode, Predicate, Query};
use serde_json::Value;

use super::Handle;
use super::query::{diagnosed, one};
use crate::fleet::Call;
use crate::indexing::{Indexing, IndexingDecider, STREAM};
use crate::operation::{
    Bucket, DescribeIndex, DescribeIndexResponse, GetBucketsAggregation,
    GetBucketsAggregationResponse, GetCardinality, GetCardinalityResponse,
    GetIndexingConfiguration, GetIndexingConfigurationResponse, GetPercentiles,
    GetPercentilesResponse, GetStatistics, GetStatisticsResponse, ListIndices, ListIndicesResponse,
    PercentPair, SearchIndex, SearchIndexResponse, UpdateIndexingConfiguration,
    UpdateIndexingConfigurationResponse,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// The configuration in force.
pub(super) async fn configuration(call: &Call<'_>) -> Result<Indexing, Refusal> {
    Ok(call.load::<IndexingDecider>(&STREAM.parse()?).await?.state)
}

impl Handle for UpdateIndexingConfiguration {
    type Answer = UpdateIndexingConfigurationResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let _lock = call.lock().await;
        let dynamic = call.fleet.catalog(|all| all.dynamic().len()).await?;
        let stream = STREAM.parse()?;
        let loaded = call.load::<IndexingDecider>(&stream).await?;
        let command = (
            self.thing_indexing_configuration,
            self.thing_group_indexing_configuration,
        );
        let events = IndexingDecider::decide(&loaded.state, command, &call.context(&dynamic))?;
        call.record::<IndexingDecider>(&stream, loaded, events)
            .await?;
        Ok(UpdateIndexingConfigurationResponse {})
    }
}

impl Handle for GetIndexingConfiguration {
    type Answer = GetIndexingConfigurationResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let indexing = configuration(call).await?;
        Ok(GetIndexingConfigurationResponse {
            thing_indexing_configuration: indexing.things,
            thing_group_indexing_configuration: indexing.groups,
        })
    }
}

const THINGS: &str = "AWS_Things";
const GROUPS: &str = "AWS_ThingGroups";

impl Handle for DescribeIndex {
    type Answer = DescribeIndexResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let indexing = configuration(call).await?;
        let schema = match self.index_name.as_str() {
            THINGS if indexing.things_on() => indexing.schema(),
            GROUPS if indexing.groups_on() => "THING_GROUPS",
            other => {
                return Err(Refusal::new(
                    "index.not_found",
                    format!(
                        "no index `{other}` is on: switch it on with UpdateIndexingConfiguration"
                    ),
                ));
            }
        };
        Ok(DescribeIndexResponse {
            index_name: self.index_name,
            index_status: "ACTIVE".to_owned(),
            schema: schema.to_owned(),
        })
    }
}

impl Handle for ListIndices {
    type Answer = ListIndicesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of("indices", self.next_token.as_deref(), self.max_results, 250)?;
        let indexing = configuration(call).await?;
        let names = [
            (GROUPS, indexing.groups_on()),
            (THINGS, indexing.things_on()),
        ];
        let on = names.into_iter().filter(|(_, on)| *on);
        let (index_names, next_token) =
            page.cut_all(on.map(|(name, _)| (name.to_owned(), name.to_owned())));
        Ok(ListIndicesResponse {
            index_names,
            next_token,
        })
    }
}

/// A search that is ready to run: its query, and what the index holds.
struct Search {
    query: Query,
    indexing: Indexing,
    collection: Collection,
    snapshot: Snapshot,
}

impl Search {
    async fn of(
        call: &Call<'_>,
        index: Option<&str>,
        version: Option<&str>,
        text: &str,
    ) -> Result<Self, Refusal> {
        let (dialect, collection) = match index.unwrap_or(THINGS) {
            THINGS => (Dialect::Aws, Collection::Devices),
            GROUPS => (Dialect::AwsGroups, Collection::Groups),
            other => {
                return Err(Refusal::new(
                    "index.not_found",
                    format!("there is no index `{other}`: use `{THINGS}` or `{GROUPS}`"),
                ));
            }
        };
        if let Some(version) = version.filter(|version| *version != "2017-09-30") {
            return Err(Refusal::new(
                "request.invalid",
                format!("query version `{version}` is not known: use `2017-09-30`"),
            ));
        }
        let indexing = configuration(call).await?;
        let on = match collection {
            Collection::Groups => indexing.groups_on(),
            _ => indexing.things_on(),
        };
        if !on {
            return Err(Refusal::new(
                "index.not_ready",
                "the index is off: switch it on with UpdateIndexingConfiguration",
            ));
        }
        let mut query =
            Query::parse(text, dialect, Mode::Lenient).map_err(|all| diagnosed(&all))?;
        if collection == Collection::Devices {
            // Only what has an AWS face is found.
            let path = FieldPath::of(["thingId"]);
            query = query.narrowed(Predicate::Defined { path });
        }
        let view = call.fleet.view().await?;
        let snapshot = view.of_query(&query)?.clone();
        Ok(Self {
            query: indexing.with_places(query),
            indexing,
            collection,
            snapshot,
        })
    }

    /// Whether the columns answer: they hold whole documents, and a condition that reads what the configuration
    /// hides is judged document by document instead.
    fn in_columns(&self, field: Option<&AggregationField>) -> bool {
        self.collection == Collection::Groups
            || (self.indexing.shows(&self.query.condition().predicate)
                && field.is_none_or(|field| self.indexing.shows_path(&field.path)))
    }

    /// The first matching documents in the order of ids, after an id where one is given, as they are indexed.
    fn find(&self, after: Option<&str>, limit: usize) -> Result<Vec<Value>, Refusal> {
        let (start, condition) = (after.map(|id| (id, "")), self.query.condition());
        if self.collection == Collection::Groups {
            return Ok(self.snapshot.page(condition, start, limit)?);
        }
        let seen = |mut document: Value| self.indexing.mask(&mut document).then_some(document);
        if self.in_columns(None) {
            let found = self.snapshot.page(condition, start, limit)?;
            return Ok(found.into_iter().filter_map(seen).collect());
        }
        let matches = |found: &Value| self.query.matches(Document::new(found)).is_true();
        let later =
            |found: &Value| after.is_none_or(|after| Document::new(found).sort_key().0 > after);
        let all = self.snapshot.documents();
        let found = all.filter(later).filter_map(seen).filter(matches);
        Ok(found.take(limit).collect())
    }

    fn field(&self, name: Option<&str>) -> Result<AggregationField, Refusal> {
        let name = name.unwrap_or(AggregationField::DEFAULT);
        self.indexing.field(name, self.collection).map_err(one)
    }
}

impl Handle for SearchIndex {
    type Answer = SearchIndexResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (index, version) = (self.index_name.as_deref(), self.query_version.as_deref());
        let search = Search::of(call, index, version, &self.query_string).await?;
        let request = PageRequest {
            size: self
                .max_results
                .map(|count| usize::try_from(count).unwrap_or(usize::MAX)),
            token: self.next_token.clone(),
        };
        let start = search.query.page_start(&request).map_err(one)?;
        let after = start.as_ref().map(|(id, _)| id.as_str());
        let found = search.find(after, crate::query::PAGE_AND_ONE)?;
        let page = search.query.page(&found, &request).map_err(one)?;
        let rows = page.rows.values();
        let (things, thing_groups) = match search.collection {
            Collection::Groups => (None, Some(rows)),
            _ => (Some(rows), None),
        };
        Ok(SearchIndexResponse {
            things,
            thing_groups,
            next_token: page.next,
        })
    }
}

impl Handle for GetStatistics {
    type Answer = GetStatisticsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (index, version) = (self.index_name.as_deref(), self.query_version.as_deref());
        let search = Search::of(call, index, version, &self.query_string).await?;
        let field = search.field(self.aggregation_field.as_deref())?;
        let statistics = if search.in_columns(Some(&field)) {
            search.snapshot.statistics(&search.query, &field)?
        } else {
            let found = search.find(None, usize::MAX)?;
            aggregate::statistics(&search.query, &field, &found)
        };
        let statistics = match serde_json::to_value(statistics) {
            Ok(Value::Object(members)) => members,
            _ => serde_json::Map::new(),
        };
        Ok(GetStatisticsResponse { statistics })
    }
}

impl Handle for GetCardinality {
    type Answer = GetCardinalityResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (index, version) = (self.index_name.as_deref(), self.query_version.as_deref());
        let search = Search::of(call, index, version, &self.query_string).await?;
        let field = search.field(self.aggregation_field.as_deref())?;
        let cardinality = if search.in_columns(Some(&field)) {
            search.snapshot.cardinality(&search.query, &field)?
        } else {
            let found = search.find(None, usize::MAX)?;
            aggregate::cardinality(&search.query, &field, &found)
        };
        Ok(GetCardinalityResponse { cardinality })
    }
}

/// The percents of `GetPercentiles` when the request names none (AWS spec 3.6).
const PERCENTS: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];

impl Handle for GetPercentiles {
    type Answer = GetPercentilesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (index, version) = (self.index_name.as_deref(), self.query_version.as_deref());
        let search = Search::of(call, index, version, &self.query_string).await?;
        let field = search.field(self.aggregation_field.as_deref())?;
        let percents = self.percents.unwrap_or_else(|| PERCENTS.to_vec());
        // The request is judged in the same words, whoever answers.
        let none: &[Value] = &[];
        aggregate::percentiles(&search.query, &field, &percents, none).map_err(one)?;
        let percentiles = if search.in_columns(Some(&field)) {
            let snapshot = &search.snapshot;
            snapshot.percentiles(&search.query, &field, &percents)?
        } else {
            let found = search.find(None, usize::MAX)?;
            aggregate::percentiles(&search.query, &field, &percents, &found).map_err(one)?
        };
        let percentiles = percentiles.into_iter().map(|found| PercentPair {
            percent: found.percent,
            value: found.value,
        });
        Ok(GetPercentilesResponse {
            percentiles: percentiles.collect(),
        })
    }
}

impl Handle for GetBucketsAggregation {
    type Answer = GetBucketsAggregationResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (index, version) = (self.index_name.as_deref(), self.query_version.as_deref());
        let search = Search::of(call, index, version, &self.query_string).await?;
        let field = search.field(Some(&self.aggregation_field))?;
        let most = self.buckets_aggregation_type.terms_aggregation;
        let most = most.and_then(|terms| terms.max_buckets).unwrap_or(10);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let none: &[Value] = &[];
        aggregate::buckets(&search.query, &field, most, none).map_err(one)?;
        let made = if search.in_columns(Some(&field)) {
            search.snapshot.buckets(&search.query, &field, most)?
        } else {
            let found = search.find(None, usize::MAX)?;
            aggregate::buckets(&search.query, &field, most, &found).map_err(one)?
        };
        let buckets = made.buckets.into_iter().map(|bucket| Bucket {
            key_value: bucket.key_value,
            count: bucket.count,
        });
        Ok(GetBucketsAggregationResponse {
            total_count: made.total_count,
            buckets: buckets.collect(),
        })
    }
}
