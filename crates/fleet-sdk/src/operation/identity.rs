//! Device and module identities (Azure spec 1).

use serde_json::{Map, Value};

use super::Concealed;

operation! {
    "Creates a device identity, or replaces it where `ifMatch` is given."
    CreateOrReplaceDevice @ IotHub {
        device_id: String,
        if_match: Option<String>,
        #[serde(default)]
        body: Concealed<Map<String, Value>>,
    } -> Map<String, Value>
}

operation! {
    "Reads a device identity."
    GetDevice @ IotHub {
        device_id: String,
    } -> Map<String, Value>
}

operation! {
    "Deletes a device identity with its twin and modules; `ifMatch` is required, `*` for any."
    DeleteDevice @ IotHub {
        device_id: String,
        if_match: Option<String>,
    } -> DeleteDeviceResponse {}
}

operation! {
    "Lists device identities by id, at most 1000."
    GetDevices @ IotHub {
        top: Option<u32>,
    } -> GetDevicesResponse {
        items: Vec<Value>,
    }
}

operation! {
    "Creates a module identity, or replaces it where `ifMatch` is given."
    CreateOrReplaceModule @ IotHub {
        device_id: String,
        module_id: String,
        if_match: Option<String>,
        #[serde(default)]
        body: Concealed<Map<String, Value>>,
    } -> Map<String, Value>
}

operation! {
    "Reads a module identity."
    GetModule @ IotHub {
        device_id: String,
        module_id: String,
    } -> Map<String, Value>
}

operation! {
    "Deletes a module identity with its twin; `ifMatch` is required, `*` for any."
    DeleteModule @ IotHub {
        device_id: String,
        module_id: String,
        if_match: Option<String>,
    } -> DeleteModuleResponse {}
}

operation! {
    "Lists the module identities of a device."
    GetModulesOnDevice @ IotHub {
        device_id: String,
    } -> GetModulesOnDeviceResponse {
        items: Vec<Value>,
    }
}

wire! {
    /// One identity of a bulk call that was not done.
    BulkRegistryError {
        device_id: String,
        module_id: Option<String>,
        error_code: String,
        error_status: String,
        code: String,
    }
}

wire! {
    /// What one identity of a bulk call would do: the types of the events, and the code of a refusal.
    BulkRegistryStep {
        device_id: String,
        module_id: Option<String>,
        import_mode: String,
        would_record: Vec<String>,
        would_refuse: Option<String>,
    }
}

operation! {
    "Creates, updates or deletes up to 100 identities or twins, each for itself; `dryRun` only says, identity by identity, what would happen."
    BulkRegistry @ IotHub {
        body: Concealed<Vec<Value>>,
        #[serde(default)]
        dry_run: bool,
    } -> BulkRegistryResponse {
        is_successful: bool,
        errors: Vec<BulkRegistryError>,
        warnings: Vec<Value>,
        plan: Option<Vec<BulkRegistryStep>>,
    }
}

operation! {
    "Counts the devices: in all, enabled and disabled."
    GetDeviceStatistics @ IotHub {} -> GetDeviceStatisticsResponse {
        total_device_count: u64,
        enabled_device_count: u64,
        disabled_device_count: u64,
    }
}

operation! {
    "Counts the devices that are connected."
    GetServiceStatistics @ IotHub {} -> GetServiceStatisticsResponse {
        connected_device_count: u64,
    }
}
