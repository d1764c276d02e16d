//! The pure functions of `fleet-crypto` as operations. What they refuse keeps its inner code, and its own name.

use futures_util::future::{BoxFuture, FutureExt as _};
use schemars::Schema;
use serde_json::Value;

use super::OperationInfo;
use crate::fleet::{Fleet, Outcome};
use crate::{CallError, Caller, Service};

fn answer(name: &'static str, params: Value) -> Outcome {
    let result = match fleet_crypto::operation::run(name, params) {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(CallError {
            code: error.code.into(),
            name: error.name.into(),
            status: error.status,
            message: error.message,
            retryable: false,
            details: None,
        }),
        None => Err(CallError::new(
            "request.unsupported",
            format!("this build has no operation `{name}`"),
            Service::Dps,
        )),
    };
    Outcome {
        result,
        events: Vec::new(),
    }
}

/// The schemas of request and response.
fn schemas(name: &str) -> (Schema, Schema) {
    fleet_crypto::operation::schemas(name).unwrap_or_default()
}

macro_rules! pure {
    ($($item:ident = $name:literal $service:ident $summary:literal,)+) => {
        $(pub(super) const $item: OperationInfo = OperationInfo {
            name: $name,
            service: Service::$service,
            summary: $summary,
            request: || schemas($name).0,
            response: || schemas($name).1,
            run: |_: &Fleet, params: Value, _: &Caller| -> BoxFuture<'_, Outcome> {
                std::future::ready(answer($name, params)).boxed()
            },
        };)+
    };
}

pure! {
    CREATE_SAS_TOKEN = "CreateSasToken" IotHub "Makes a shared access signature.",
    DERIVE_DEVICE_KEY = "DeriveDeviceKey" Dps "Derives a device's key from the key of its enrollment group.",
    PRESIGN_URL = "PresignUrl" Iot "Makes a time-limited address for a download.",
    VERIFY_CERTIFICATE_CHAIN = "VerifyCertificateChain" Dps "Judges a device's certificate path.",
    VERIFY_MANIFEST = "VerifyManifest" IotHub "Checks a signed update manifest.",
    VERIFY_SAS_TOKEN = "VerifySasToken" IotHub "Checks a shared access signature.",
}
