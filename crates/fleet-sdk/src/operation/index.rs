//! Fleet indexing and searching (AWS spec 3).

use serde_json::{Map, Value};

wire! {
    /// A field of a document and the type of its values: `Number`, `String` or `Boolean`.
    IndexField {
        name: Option<String>,
        #[serde(rename = "type")]
        field_type: Option<String>,
    }
}

wire! {
    /// Which of the many shadows are indexed.
    IndexingFilter {
        named_shadow_names: Option<Vec<String>>,
        geo_locations: Option<Vec<GeoLocationTarget>>,
    }
}

wire! {
    /// A field that holds a place.
    GeoLocationTarget {
        name: Option<String>,
        order: Option<String>,
    }
}

wire! {
    /// What is indexed of things.
    ThingIndexingConfiguration {
        thing_indexing_mode: String,
        thing_connectivity_indexing_mode: Option<String>,
        device_defender_indexing_mode: Option<String>,
        named_shadow_indexing_mode: Option<String>,
        managed_fields: Option<Vec<IndexField>>,
        custom_fields: Option<Vec<IndexField>>,
        filter: Option<IndexingFilter>,
    }
}

wire! {
    /// What is indexed of thing groups.
    ThingGroupIndexingConfiguration {
        thing_group_indexing_mode: String,
        managed_fields: Option<Vec<IndexField>>,
        custom_fields: Option<Vec<IndexField>>,
    }
}

operation! {
    "Says what is indexed of things and thing groups; a block that is absent stays."
    UpdateIndexingConfiguration @ Iot {
        thing_indexing_configuration: Option<ThingIndexingConfiguration>,
        thing_group_indexing_configuration: Option<ThingGroupIndexingConfiguration>,
    } -> UpdateIndexingConfigurationResponse {}
}

operation! {
    "Tells what is indexed of things and thing groups."
    GetIndexingConfiguration @ Iot {} -> GetIndexingConfigurationResponse {
        thing_indexing_configuration: ThingIndexingConfiguration,
        thing_group_indexing_configuration: ThingGroupIndexingConfiguration,
    }
}

operation! {
    "Describes an index that is on."
    DescribeIndex @ Iot {
        index_name: String,
    } -> DescribeIndexResponse {
        index_name: String,
        index_status: String,
        schema: String,
    }
}

operation! {
    "Lists the indexes that are on."
    ListIndices @ Iot {
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListIndicesResponse {
        index_names: Vec<String>,
        next_token: Option<String>,
    }
}

operation! {
    "Searches things, or thing groups in the index `AWS_ThingGroups`."
    SearchIndex @ Iot {
        index_name: Option<String>,
        query_string: String,
        next_token: Option<String>,
        max_results: Option<u32>,
        query_version: Option<String>,
    } -> SearchIndexResponse {
        things: Option<Vec<Value>>,
        thing_groups: Option<Vec<Value>>,
        next_token: Option<String>,
    }
}

operation! {
    "Counts, sums and measures the values of a field over what a query finds."
    GetStatistics @ Iot {
        index_name: Option<String>,
        query_string: String,
        aggregation_field: Option<String>,
        query_version: Option<String>,
    } -> GetStatisticsResponse {
        statistics: Map<String, Value>,
    }
}

operation! {
    "Counts the distinct values of a field over what a query finds."
    GetCardinality @ Iot {
        index_name: Option<String>,
        query_string: String,
        aggregation_field: Option<String>,
        query_version: Option<String>,
    } -> GetCardinalityResponse {
        cardinality: u64,
    }
}

wire! {
    /// A percentile of a field's values.
    PercentPair {
        percent: f64,
        value: f64,
    }
}

operation! {
    "Gives percentiles of the values of a field over what a query finds."
    GetPercentiles @ Iot {
        index_name: Option<String>,
        query_string: String,
        aggregation_field: Option<String>,
        query_version: Option<String>,
        percents: Option<Vec<f64>>,
    } -> GetPercentilesResponse {
        percentiles: Vec<PercentPair>,
    }
}

wire! {
    /// How buckets are made.
    BucketsAggregationType {
        terms_aggregation: Option<TermsAggregation>,
    }
}

wire! {
    /// One bucket per value.
    TermsAggregation {
        max_buckets: Option<u32>,
    }
}

wire! {
    /// The documents that have one value in common.
    Bucket {
        key_value: String,
        count: u64,
    }
}

operation! {
    "Groups what a query finds by the values of a field."
    GetBucketsAggregation @ Iot {
        index_name: Option<String>,
        query_string: String,
        aggregation_field: String,
        query_version: Option<String>,
        buckets_aggregation_type: BucketsAggregationType,
    } -> GetBucketsAggregationResponse {
        total_count: u64,
        buckets: Vec<Bucket>,
    }
}
