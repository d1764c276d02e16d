//! Bulk calls, system modules, and the codes.

use super::*;
use crate::kernel::ErrorCode;
use crate::limits::IdentityLimits;
use crate::twin::hub::IfMatch;
use serde_json::json;

#[test]
fn every_error_returns_a_listed_code() {
    let text = String::new;
    let errors = [
        IdentityError::DeviceNotFound { device: text() },
        IdentityError::DeviceAlreadyExists { device: text() },
        IdentityError::DeviceDisabled { device: text() },
        IdentityError::TooManyDevices { limit: 1 },
        IdentityError::DefinedMultipleTimes { identity: text() },
        IdentityError::InvalidScope {
            scope: text(),
            reason: "",
        },
        IdentityError::ModuleNotFound {
            device: text(),
            module: text(),
        },
        IdentityError::ModuleAlreadyExists {
            device: text(),
            module: text(),
        },
        IdentityError::TooManyModules {
            device: text(),
            limit: 1,
        },
        IdentityError::SystemModule { module: text() },
        IdentityError::PreconditionFailed {
            expected: text(),
            actual: text(),
        },
        IdentityError::PreconditionMissing,
        IdentityError::Invalid {
            member: "",
            rule: "",
        },
        IdentityError::HalfKeyPair,
        IdentityError::InvalidKey { member: "" },
        IdentityError::NotAThumbprint { value: text() },
        IdentityError::BulkTooLarge { found: 2, limit: 1 },
    ];
    let mut returned: Vec<_> = errors.iter().map(ErrorCode::code).collect();
    returned.push(SecretStoreError { reason: text() }.code());
    returned.sort_unstable();
    let mut listed: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    listed.sort_unstable();
    assert_eq!(returned, listed);
    for error in errors {
        assert!((400..=412).contains(&error.hub().status), "{error}");
    }
}

#[test]
fn a_bulk_call_is_read_item_by_item() {
    let limits = IdentityLimits::default();
    let body = json!([
        {"id": "a", "importMode": "create", "status": "disabled", "tags": {"x": 1}},
        {"id": "a", "moduleId": "camera", "importMode": "updateIfMatchETag", "eTag": "MQ=="},
        {"id": "a/b", "importMode": "create"},
        {"id": "a", "importMode": "delete"},
        {"id": "c", "importMode": "updateTwinIfMatchETag"},
        {"id": "d", "importMode": "explode"},
        7,
    ]);
    let items = bulk_items(&body, &limits).unwrap();
    let codes: Vec<_> = items
        .iter()
        .map(|item| item.as_ref().err().map_or("", |error| error.code()))
        .collect();
    assert_eq!(
        codes,
        [
            "",
            "",
            "identity.invalid",
            "device.defined_multiple_times",
            "identity.precondition_missing",
            "identity.invalid",
            "identity.invalid",
        ]
    );
    let first = items[0].as_ref().unwrap();
    assert_eq!(first.mode, ImportMode::Create);
    assert_eq!(first.twin, Some(json!({"tags": {"x": 1}})));
    assert_eq!(first.identity, json!({"status": "disabled"}));
    let many = json!(vec![json!({"id": "a"}); 101]);
    assert_eq!(
        bulk_items(&many, &limits).unwrap_err().code(),
        "identity.bulk_too_large"
    );
}

#[test]
fn an_edge_device_has_its_system_modules() {
    let life = crate::id::ThingId::new(uuid::Uuid::from_u128(7));
    let modules = system_modules(&"edge".parse().unwrap(), life);
    let shown: Vec<_> = modules
        .iter()
        .map(|module| {
            let document = module_document(module, None);
            (
                document["moduleId"].clone(),
                document["managedBy"].clone(),
                document["authentication"]["type"].clone(),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (json!("$edgeAgent"), json!("iotEdge"), json!("none")),
            (json!("$edgeHub"), json!("iotEdge"), json!("none")),
        ]
    );
    assert_eq!(modules, system_modules(&"edge".parse().unwrap(), life));
}

#[test]
fn etags_are_base64_of_a_decimal_counter() {
    let etag = IdentityEtag::first(uuid::Uuid::from_u128(801_232_426));
    assert_eq!(etag.to_string(), "ODAxMjMyNDI2");
    assert!(etag.check(&"\"ODAxMjMyNDI2\"".parse().unwrap()).is_ok());
    assert!(etag.check(&IfMatch::Any).is_ok());
    assert!(etag.next().check(&"ODAxMjMyNDI2".parse().unwrap()).is_err());
}

#[test]
fn thumbprints_compare_without_case() {
    let thumbprint: Thumbprint = "ab".repeat(20).parse().unwrap();
    assert!(thumbprint.matches(&"AB".repeat(20)));
    for wrong in ["", "ab", &"zz".repeat(20), &"ab".repeat(21)] {
        assert!(wrong.parse::<Thumbprint>().is_err(), "{wrong}");
    }
}
