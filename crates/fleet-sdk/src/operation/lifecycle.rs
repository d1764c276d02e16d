//! Lifecycle messages and their switches (AWS spec 8; Azure spec 1.6, 2.9).

use serde_json::Value;
use std::collections::BTreeMap;

wire! {
    /// Whether messages of one kind are published.
    EventSwitch {
        #[serde(rename = "Enabled")]
        enabled: bool,
    }
}

operation! {
    "Switches kinds of lifecycle messages on or off; those not named stay."
    UpdateEventConfigurations @ Iot {
        event_configurations: Option<BTreeMap<String, EventSwitch>>,
    } -> UpdateEventConfigurationsResponse {}
}

operation! {
    "Tells which kinds of lifecycle messages are published."
    DescribeEventConfigurations @ Iot {} -> DescribeEventConfigurationsResponse {
        event_configurations: BTreeMap<String, EventSwitch>,
        creation_date: Option<f64>,
        last_modified_date: Option<f64>,
    }
}

wire! {
    /// A message to publish, and the position of the event that it follows from.
    LifecycleMessage {
        position: u64,
        topic: String,
        payload: Value,
    }
}

operation! {
    "Derives the messages that recorded events after a position publish. An extension: what a broker would send."
    ListLifecycleMessages @ Iot {
        after_position: Option<u64>,
        max_events: Option<u32>,
        #[serde(default)]
        all: bool,
    } -> ListLifecycleMessagesResponse {
        messages: Vec<LifecycleMessage>,
        scanned_to: u64,
        head: u64,
    }
}

wire! {
    /// An event that IoT Hub routes to back-end endpoints: its application properties and its body.
    HubEvent {
        position: u64,
        iothub_message_source: String,
        iothub_message_schema: String,
        op_type: String,
        operation_timestamp: String,
        hub_name: String,
        device_id: String,
        module_id: Option<String>,
        body: Value,
    }
}

operation! {
    "Derives the device lifecycle and twin change events of recorded events after a position. An extension: what a hub would route."
    ListHubEvents @ IotHub {
        after_position: Option<u64>,
        max_events: Option<u32>,
        sources: Option<Vec<String>>,
        #[serde(default)]
        coalesce: bool,
    } -> ListHubEventsResponse {
        events: Vec<HubEvent>,
        scanned_to: u64,
        head: u64,
    }
}
