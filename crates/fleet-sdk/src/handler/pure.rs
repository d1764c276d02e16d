//! Pure functions as operations.

use serde_json::Value;

use super::Handle;
use crate::error::Refusal;
use crate::fleet::Call;
use crate::operation::{MergePatch, MergePatchResponse};

impl Handle for MergePatch {
    type Answer = MergePatchResponse;

    async fn handle(self, _: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        Ok(MergePatchResponse {
            result: merge(self.target, self.patch),
        })
    }
}

/// RFC 7396. The depth is that of the patch, which the JSON reader bounds.
fn merge(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch;
    };
    let mut target = match target {
        Value::Object(members) => members,
        _ => serde_json::Map::new(),
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            let old = target.remove(&name).unwrap_or(Value::Null);
            target.insert(name, merge(old, value));
        }
    }
    Value::Object(target)
}
