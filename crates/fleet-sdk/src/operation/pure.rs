//! Pure functions as operations.

use serde_json::Value;

operation! {
    "Merges an RFC 7396 patch into any JSON value."
    MergePatch @ IotHub {
        target: Value,
        patch: Value,
    } -> MergePatchResponse {
        result: Value,
    }
}
