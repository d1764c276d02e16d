//! Queries over the fleet.

use serde_json::Value;

wire! {
    /// What [`QueryTwins`] is given as `body`.
    QuerySpecification {
        query: String,
    }
}

operation! {
    "Runs a twin query over `devices` or `devices.modules`."
    QueryTwins @ IotHub {
        query: String,
        max_item_count: Option<u32>,
        continuation_token: Option<String>,
        #[serde(default)]
        strict: bool,
        #[serde(default)]
        explain: bool,
    } -> QueryTwinsResponse {
        kind: String,
        items: Vec<Value>,
        continuation_token: Option<String>,
        diagnostics: Option<Vec<Value>>,
        explain: Option<Value>,
    }
}
