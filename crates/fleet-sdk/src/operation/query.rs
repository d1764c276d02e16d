//! Queries over the fleet.

use serde_json::Value;

wire! {
    /// The body of the service's query request.
    QuerySpecification {
        query: String,
    }
}

operation! {
    "Runs a twin query over `devices` or `devices.modules`, page by page."
    QueryTwins @ IotHub {
        query: Option<String>,
        body: Option<QuerySpecification>,
        max_item_count: Option<u32>,
        continuation_token: Option<String>,
        #[serde(default)]
        strict: bool,
    } -> QueryTwinsResponse {
        #[serde(rename = "type")]
        item_type: String,
        items: Vec<Value>,
        continuation_token: Option<String>,
        warnings: Option<Vec<Value>>,
    }
}

operation! {
    "Runs a query over `devices.modules`, page by page."
    QueryModules @ IotHub {
        query: Option<String>,
        body: Option<QuerySpecification>,
        max_item_count: Option<u32>,
        continuation_token: Option<String>,
        #[serde(default)]
        strict: bool,
    } -> QueryModulesResponse {
        #[serde(rename = "type")]
        item_type: String,
        items: Vec<Value>,
        continuation_token: Option<String>,
        warnings: Option<Vec<Value>>,
    }
}
