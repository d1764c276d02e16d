//! Device and module twins: the IoT Hub face (Azure spec 2).

use serde_json::{Map, Value};

operation! {
    "Reads the twin of a device or module."
    GetTwin @ IotHub {
        device_id: String,
        module_id: Option<String>,
    } -> Map<String, Value>
}

operation! {
    "Merges a patch of tags and desired properties into a twin."
    UpdateTwin @ IotHub {
        device_id: String,
        module_id: Option<String>,
        if_match: Option<String>,
        expected_desired_version: Option<u64>,
        body: Value,
    } -> Map<String, Value>
}

operation! {
    "Replaces the tags and desired properties of a twin."
    ReplaceTwin @ IotHub {
        device_id: String,
        module_id: Option<String>,
        if_match: Option<String>,
        expected_desired_version: Option<u64>,
        body: Value,
    } -> Map<String, Value>
}

operation! {
    "Merges what a device or module reports into its twin: the device's own door."
    UpdateReportedProperties @ IotHub {
        device_id: String,
        module_id: Option<String>,
        body: Value,
        expected_version: Option<u64>,
    } -> UpdateReportedPropertiesResponse {
        version: u64,
    }
}

operation! {
    "Reads the desired and reported properties as a device or module sees them."
    GetTwinProperties @ IotHub {
        device_id: String,
        module_id: Option<String>,
    } -> Map<String, Value>
}
