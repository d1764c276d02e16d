//! Device shadows: the AWS face of a twin (AWS spec 4).

use serde_json::{Map, Value};

operation! {
    "Reads a thing's classic shadow, or a named one."
    GetThingShadow @ IotData {
        thing_name: String,
        shadow_name: Option<String>,
    } -> ShadowDocument
}

operation! {
    "Merges desired or reported state into a shadow."
    UpdateThingShadow @ IotData {
        thing_name: String,
        shadow_name: Option<String>,
        payload: Value,
    } -> ShadowDocument
}

operation! {
    "Deletes a shadow; its version goes on when it is written again within 48 hours."
    DeleteThingShadow @ IotData {
        thing_name: String,
        shadow_name: Option<String>,
    } -> ShadowDocument
}

wire! {
    /// What the shadow operations answer: the document of the service as `payload`.
    ShadowDocument {
        payload: Map<String, Value>,
    }
}

operation! {
    "Lists the names of a thing's named shadows."
    ListNamedShadowsForThing @ IotData {
        thing_name: String,
        next_token: Option<String>,
        page_size: Option<u32>,
    } -> ListNamedShadowsForThingResponse {
        results: Vec<String>,
        next_token: Option<String>,
        timestamp: i64,
    }
}
