//! The registry through `call_json`, as a script drives it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use fleet_sdk::{Caller, Fleet, Options};
use fleet_store::memory::MemoryStore;
use pollster::block_on;
use serde_json::{Value, json};
use std::sync::Arc;

struct Script {
    fleet: Fleet,
    caller: Caller,
}

impl Script {
    fn new() -> Self {
        let options = Options::seeded(1);
        let clock = options.clock.clone();
        let store = MemoryStore::new("default".parse().unwrap(), Arc::new(move || clock.now()));
        let fleet = block_on(Fleet::open(Arc::new(store), options)).unwrap();
        let caller = Caller::new("user:ops".parse().unwrap());
        Self { fleet, caller }
    }

    fn run(&self, op: &str, params: Value) -> Result<Value, String> {
        let outcome = block_on(self.fleet.call_json(op, params, &self.caller));
        outcome
            .result
            .map_err(|e| format!("{} {} {}", e.code, e.name, e.status))
    }

    fn ok(&self, op: &str, params: Value) -> Value {
        self.run(op, params).unwrap_or_else(|e| panic!("{op}: {e}"))
    }
}

#[test]
fn things_groups_and_what_they_inherit() {
    let s = Script::new();
    s.ok("CreateThingGroup", json!({"thingGroupName": "plant", "thingGroupProperties": {"attributePayload": {"attributes": {"site": "b2", "shift": "day"}}}}));
    s.ok("CreateThingGroup", json!({"thingGroupName": "line-1", "parentGroupName": "plant", "thingGroupProperties": {"attributePayload": {"attributes": {"shift": "night"}}}}));
    s.ok(
        "CreateThing",
        json!({"thingName": "press-7", "attributePayload": {"attributes": {"rev": "3"}}}),
    );
    s.ok(
        "AddThingToThingGroup",
        json!({"thingName": "press-7", "thingGroupName": "line-1"}),
    );
    assert_eq!(
        s.run(
            "AddThingToThingGroup",
            json!({"thingName": "press-7", "thingGroupName": "plant"})
        ),
        Err("thing.same_hierarchy InvalidRequestException 400".to_owned())
    );
    let described = s.ok("DescribeThing", json!({"thingName": "press-7"}));
    assert_eq!(described["attributes"], json!({"rev": "3"}));
    assert_eq!(
        described["effectiveAttributes"]["shift"],
        json!({
            "value": "night",
            "source": {"kind": "group", "thingGroupName": "line-1", "depth": 2},
            "overrides": [{
                "value": "day",
                "source": {"kind": "group", "thingGroupName": "plant", "depth": 1},
                "reason": "a group at a deeper level beats it"
            }]
        })
    );
    assert_eq!(described["effectiveAttributes"]["site"]["value"], "b2");
    assert_eq!(
        s.ok(
            "ListThingsInThingGroup",
            json!({"thingGroupName": "plant", "recursive": true})
        )["things"],
        json!(["press-7"])
    );
    assert_eq!(
        s.run("DeleteThingGroup", json!({"thingGroupName": "plant"})),
        Err("group.has_children InvalidRequestException 400".to_owned())
    );
    s.ok("DeleteThingGroup", json!({"thingGroupName": "line-1"}));
    assert_eq!(
        s.ok("ListThingGroupsForThing", json!({"thingName": "press-7"}))["thingGroups"],
        json!([])
    );
    s.ok("DeleteThing", json!({"thingName": "press-7"}));
    assert_eq!(
        s.run("DescribeThing", json!({"thingName": "press-7"})),
        Err("thing.not_found ResourceNotFoundException 404".to_owned())
    );
}

#[test]
fn one_twin_through_both_protocols() {
    let s = Script::new();
    s.ok("CreateThing", json!({"thingName": "press-7"}));
    assert_eq!(
        s.run("GetThingShadow", json!({"thingName": "press-7"})),
        Err("shadow.not_found ResourceNotFoundException 404".to_owned())
    );
    s.ok(
        "UpdateThingShadow",
        json!({"thingName": "press-7", "payload": {"state": {"desired": {"valve": 60}}}}),
    );
    s.ok("UpdateTwin", json!({"deviceId": "press-7", "body": {"tags": {"floor": "1"}, "properties": {"desired": {"lamp": true}}}}));
    let twin = s.ok("GetTwin", json!({"deviceId": "press-7"}));
    assert_eq!(twin["properties"]["desired"]["valve"], 60);
    let shadow = s.ok("GetThingShadow", json!({"thingName": "press-7"}));
    assert_eq!(
        shadow["payload"]["state"]["desired"],
        json!({"valve": 60, "lamp": true})
    );
    assert_eq!(shadow["payload"]["version"], 2);
    s.ok("DeleteThing", json!({"thingName": "press-7"}));
    assert_eq!(
        s.run("GetTwin", json!({"deviceId": "press-7"})),
        Err("device.not_found DeviceNotFound 404".to_owned())
    );
    s.ok("CreateThing", json!({"thingName": "press-7"}));
    let twin = s.ok("GetTwin", json!({"deviceId": "press-7"}));
    assert_eq!(twin["tags"], json!({}));
}

#[test]
fn devices_modules_and_their_twins() {
    let s = Script::new();
    let edge = s.ok(
        "CreateOrReplaceDevice",
        json!({"deviceId": "gate#1", "body": {"capabilities": {"iotEdge": true}}}),
    );
    let scope = edge["deviceScope"].as_str().unwrap().to_owned();
    assert!(
        edge["authentication"]["symmetricKey"]["primaryKey"].is_null(),
        "{edge}"
    );
    s.ok(
        "CreateOrReplaceDevice",
        json!({"deviceId": "leaf", "body": {"deviceScope": scope, "status": "disabled"}}),
    );
    assert_eq!(
        s.run(
            "CreateOrReplaceDevice",
            json!({"deviceId": "leaf", "body": {}})
        ),
        Err("device.already_exists DeviceAlreadyExists 409".to_owned())
    );
    assert_eq!(
        s.run("CreateThing", json!({"thingName": "gate#1"})),
        Err("id.invalid InvalidRequestException 400".to_owned())
    );
    let described = s.ok("DescribeThing", json!({"thingName": "leaf"}));
    assert_eq!(described["version"], 1);
    let twin = s.ok("GetTwin", json!({"deviceId": "leaf"}));
    assert_eq!(
        (&twin["status"], &twin["parentScopes"]),
        (&json!("disabled"), &json!([scope]))
    );
    s.ok(
        "CreateOrReplaceModule",
        json!({"deviceId": "gate#1", "moduleId": "camera", "body": {}}),
    );
    let modules = s.ok("GetModulesOnDevice", json!({"deviceId": "gate#1"}));
    let ids: Vec<_> = modules["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["moduleId"].clone())
        .collect();
    assert_eq!(ids, ["$edgeAgent", "$edgeHub", "camera"]);
    s.ok(
        "UpdateTwin",
        json!({"deviceId": "gate#1", "moduleId": "camera", "body": {"tags": {"lens": 2}}}),
    );
    let rows = s.ok(
        "QueryTwins",
        json!({"query": "SELECT moduleId FROM devices.modules WHERE tags.lens = 2"}),
    );
    assert_eq!(rows["items"], json!([{"moduleId": "camera"}]));
    let rows = s.ok(
        "QueryTwins",
        json!({"query": "SELECT deviceId FROM devices WHERE status = 'disabled'"}),
    );
    assert_eq!(rows["items"], json!([{"deviceId": "leaf"}]));
    assert_eq!(
        s.run("DeleteDevice", json!({"deviceId": "gate#1"})),
        Err("identity.precondition_missing PreconditionFailed 412".to_owned())
    );
    s.ok(
        "DeleteDevice",
        json!({"deviceId": "gate#1", "ifMatch": "*"}),
    );
    assert_eq!(
        s.run(
            "GetTwin",
            json!({"deviceId": "gate#1", "moduleId": "camera"})
        ),
        Err("device.not_found DeviceNotFound 404".to_owned())
    );
    let statistics = s.ok("GetDeviceStatistics", json!({}));
    assert_eq!(
        statistics,
        json!({"totalDeviceCount": 1, "enabledDeviceCount": 0, "disabledDeviceCount": 1})
    );
}

#[test]
fn bulk_calls_answer_item_by_item() {
    let s = Script::new();
    let answer = s.ok(
        "BulkRegistry",
        json!({"body": [
            {"id": "a", "importMode": "create", "tags": {"x": 1}},
            {"id": "b", "importMode": "delete"},
            {"id": "c d"},
        ]}),
    );
    assert_eq!(answer["isSuccessful"], false);
    let codes: Vec<_> = answer["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| e["errorCode"].clone())
        .collect();
    assert_eq!(codes, ["DeviceNotFound", "ArgumentInvalid"]);
    assert_eq!(
        s.ok("GetTwin", json!({"deviceId": "a"}))["tags"],
        json!({"x": 1})
    );
}

#[test]
fn presence_is_seen_in_connectivity() {
    let s = Script::new();
    s.ok("CreateThing", json!({"thingName": "press-7"}));
    let connect = json!({"clientId": "press-7", "eventType": "connected", "sessionIdentifier": "s", "principalIdentifier": "p", "versionNumber": 1});
    assert_eq!(s.ok("RecordPresence", connect), json!({"recorded": true}));
    let indexed =
        json!({"thingIndexingMode": "REGISTRY", "thingConnectivityIndexingMode": "STATUS"});
    s.ok(
        "UpdateIndexingConfiguration",
        json!({"thingIndexingConfiguration": indexed}),
    );
    assert_eq!(
        s.ok("GetThingConnectivityData", json!({"thingName": "press-7"}))["connected"],
        true
    );
    assert_eq!(
        s.ok("GetServiceStatistics", json!({}))["connectedDeviceCount"],
        1
    );
    assert_eq!(
        s.ok("GetTwin", json!({"deviceId": "press-7"}))["connectionState"],
        "Connected"
    );
    let rows = s.ok(
        "QueryTwins",
        json!({"query": "SELECT deviceId FROM devices WHERE connectionState = 'Connected'"}),
    );
    assert_eq!(rows["items"], json!([{"deviceId": "press-7"}]));
}

#[test]
fn certificates_from_making_to_deletion() {
    let s = Script::new();
    s.ok("CreateThing", json!({"thingName": "press-7"}));
    s.ok("CreateThing", json!({"thingName": "press-8"}));
    let made = s.ok("CreateKeysAndCertificate", json!({"setAsActive": true}));
    assert!(
        made["keyPair"]["PrivateKey"]
            .as_str()
            .unwrap()
            .starts_with("-----BEGIN PRIVATE KEY-----")
    );
    let (id, arn) = (
        made["certificateId"].clone(),
        made["certificateArn"].clone(),
    );
    let described = s.ok("DescribeCertificate", json!({"certificateId": id}));
    assert_eq!(described["certificateDescription"]["status"], "ACTIVE");
    assert_eq!(
        s.run(
            "RegisterCertificateWithoutCA",
            json!({"certificatePem": made["certificatePem"]})
        ),
        Err("certificate.already_exists ResourceAlreadyExistsException 409".to_owned())
    );
    s.ok(
        "AttachThingPrincipal",
        json!({"thingName": "press-7", "principal": arn, "thingPrincipalType": "EXCLUSIVE_THING"}),
    );
    assert_eq!(
        s.run(
            "AttachThingPrincipal",
            json!({"thingName": "press-8", "principal": arn})
        ),
        Err("principal.exclusive InvalidRequestException 400".to_owned())
    );
    assert_eq!(
        s.ok("ListPrincipalThings", json!({"principal": arn}))["things"],
        json!(["press-7"])
    );
    assert_eq!(
        s.ok("ListThingPrincipalsV2", json!({"thingName": "press-7"}))["thingPrincipalObjects"],
        json!([{"principal": arn, "thingPrincipalType": "EXCLUSIVE_THING"}])
    );
    assert_eq!(
        s.run("DeleteThing", json!({"thingName": "press-7"})),
        Err("thing.principals_attached InvalidRequestException 400".to_owned())
    );
    s.ok("AttachPolicy", json!({"policyName": "read", "target": arn}));
    assert_eq!(
        s.run("DeleteCertificate", json!({"certificateId": id})),
        Err("certificate.active CertificateStateException 406".to_owned())
    );
    s.ok(
        "UpdateCertificate",
        json!({"certificateId": id, "newStatus": "INACTIVE"}),
    );
    assert_eq!(
        s.run(
            "DeleteCertificate",
            json!({"certificateId": id, "forceDelete": true})
        ),
        Err("certificate.things_attached DeleteConflictException 409".to_owned())
    );
    s.ok(
        "DetachThingPrincipal",
        json!({"thingName": "press-7", "principal": arn}),
    );
    s.ok(
        "DeleteCertificate",
        json!({"certificateId": id, "forceDelete": true}),
    );
    assert_eq!(
        s.ok("ListCertificates", json!({}))["certificates"],
        json!([])
    );
    let events = pollster::block_on(s.fleet.store().read_all(fleet_store::port::LogRead::after(
        fleet_model::kernel::Position::ZERO,
    )))
    .unwrap();
    let leaked = events
        .events
        .iter()
        .any(|e| String::from_utf8_lossy(&e.event.data).contains("PRIVATE KEY"));
    assert!(!leaked, "a private key stands in the log");
}

#[test]
fn searching_sees_what_is_indexed() {
    let s = Script::new();
    assert_eq!(
        s.run("SearchIndex", json!({"queryString": "*"})),
        Err("index.not_ready IndexNotReadyException 400".to_owned())
    );
    s.ok(
        "UpdateIndexingConfiguration",
        json!({"thingIndexingConfiguration": {
            "thingIndexingMode": "REGISTRY",
            "customFields": [{"name": "attributes.load", "type": "Number"}]
        }}),
    );
    for (name, load) in [("p1", "75"), ("p2", "75.0"), ("p3", "80")] {
        s.ok(
            "CreateThing",
            json!({"thingName": name, "attributePayload": {"attributes": {"load": load}}}),
        );
        s.ok(
            "UpdateThingShadow",
            json!({"thingName": name, "payload": {"state": {"reported": {"t": 1}}}}),
        );
    }
    let names = |answer: &Value| -> Vec<Value> {
        answer["things"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["thingName"].clone())
            .collect()
    };
    assert_eq!(
        names(&s.ok("SearchIndex", json!({"queryString": "attributes.load:80"}))),
        ["p3"]
    );
    assert_eq!(
        names(&s.ok("SearchIndex", json!({"queryString": "shadow.reported.t:1"}))),
        Vec::<Value>::new()
    );
    let first = s.ok(
        "SearchIndex",
        json!({"queryString": "thingName:p*", "maxResults": 2}),
    );
    let rest = s.ok(
        "SearchIndex",
        json!({"queryString": "thingName:p*", "nextToken": first["nextToken"]}),
    );
    assert_eq!((names(&first).len(), names(&rest)), (2, vec![json!("p3")]));
    let statistics = s.ok(
        "GetStatistics",
        json!({"queryString": "*", "aggregationField": "attributes.load"}),
    );
    assert_eq!(
        (
            &statistics["statistics"]["count"],
            &statistics["statistics"]["sum"]
        ),
        (&json!(3), &json!(230.0))
    );
    assert_eq!(
        s.run(
            "GetStatistics",
            json!({"queryString": "*", "aggregationField": "attributes.fw"})
        ),
        Err("query.invalid_aggregation InvalidAggregationException 400".to_owned())
    );
    assert_eq!(
        s.run("SearchIndex", json!({"queryString": "("}))
            .unwrap_err()
            .split(' ')
            .nth(1),
        Some("InvalidQueryException")
    );
    assert_eq!(
        s.ok("DescribeIndex", json!({"indexName": "AWS_Things"}))["schema"],
        "REGISTRY"
    );
}

#[test]
fn the_last_place_in_a_thing_is_contested() {
    let s = Script::new();
    s.ok(
        "UpdateIndexingConfiguration",
        json!({"thingIndexingConfiguration": {"thingIndexingMode": "REGISTRY"}}),
    );
    s.ok("CreateThing", json!({"thingName": "t"}));
    for n in 0..10 {
        s.ok(
            "CreateThingGroup",
            json!({"thingGroupName": format!("g{n}")}),
        );
    }
    s.ok(
        "CreateDynamicThingGroup",
        json!({"thingGroupName": "d1", "queryString": "thingName:t"}),
    );
    assert_eq!(
        s.ok("DescribeThingGroup", json!({"thingGroupName": "d1"}))["status"],
        "BUILDING"
    );
    assert_eq!(
        s.ok(
            "ApplyDynamicMembership",
            json!({"thingGroupName": "d1", "thingName": "t", "eligible": true})
        )["member"],
        true
    );
    assert_eq!(
        s.ok("CompleteDynamicThingGroup", json!({"thingGroupName": "d1"}))["status"],
        "ACTIVE"
    );
    let groups: Vec<_> = (0..9).map(|n| format!("g{n}")).collect();
    s.ok(
        "UpdateThingGroupsForThing",
        json!({"thingName": "t", "thingGroupsToAdd": groups}),
    );
    assert_eq!(
        s.run(
            "AddThingToThingGroup",
            json!({"thingName": "t", "thingGroupName": "g9"})
        ),
        Err("group.limit_exceeded InvalidRequestException 400".to_owned())
    );
    assert_eq!(
        s.ok(
            "AddThingToThingGroup",
            json!({"thingName": "t", "thingGroupName": "g9", "overrideDynamicGroups": true})
        )["evictedFrom"],
        json!(["d1"])
    );
    let refused = s.ok(
        "ApplyDynamicMembership",
        json!({"thingGroupName": "d1", "thingName": "t", "eligible": true}),
    );
    assert_eq!(refused["member"], false);
    assert!(refused["refused"].is_string());
    assert_eq!(
        s.run(
            "UpdateIndexingConfiguration",
            json!({"thingIndexingConfiguration": {"thingIndexingMode": "OFF"}})
        ),
        Err("index.dynamic_groups InvalidRequestException 400".to_owned())
    );
}

#[test]
fn lifecycle_messages_follow_their_switches() {
    let s = Script::new();
    s.ok("CreateThing", json!({"thingName": "t"}));
    let none = s.ok("ListLifecycleMessages", json!({}));
    assert_eq!(none["messages"], json!([]));
    s.ok(
        "UpdateEventConfigurations",
        json!({"eventConfigurations": {"THING": {"Enabled": true}}}),
    );
    let one = s.ok("ListLifecycleMessages", json!({}));
    assert_eq!(one["messages"][0]["topic"], "$aws/events/thing/t/created");
    s.ok(
        "UpdateThingShadow",
        json!({"thingName": "t", "shadowName": "cfg", "payload": {"state": {"desired": {"a": 1}}}}),
    );
    let after = one["scannedTo"].clone();
    let topics: Vec<_> = s.ok("ListLifecycleMessages", json!({"afterPosition": after}))["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["topic"].clone())
        .collect();
    assert!(
        topics.contains(&json!("$aws/things/t/shadow/name/cfg/update/delta")),
        "{topics:?}"
    );
    assert_eq!(
        s.ok("ListNamedShadowsForThing", json!({"thingName": "t"}))["results"],
        json!(["cfg"])
    );
    assert_eq!(
        s.ok("DescribeEventConfigurations", json!({}))["eventConfigurations"]["JOB"],
        json!({"Enabled": false})
    );
}

#[test]
fn pure_functions_are_operations() {
    let s = Script::new();
    let params = json!({"masterKey": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", "registrationId": "device-001"});
    assert_eq!(
        s.ok("DeriveDeviceKey", params),
        json!({"deviceKey": "BG0x/0mIbqnG9RWsosby2GxBOeYgRhXI9gnRqn2lxFI="})
    );
    let merged = s.ok(
        "MergePatch",
        json!({"target": {"a": 1, "b": 2}, "patch": {"a": null}}),
    );
    assert_eq!(merged, json!({"result": {"b": 2}}));
    assert_eq!(
        s.run("MergePatch", json!({"target": {}, "patch": {}, "more": 1})),
        Err("request.malformed ArgumentInvalid 400".to_owned())
    );
    assert_eq!(
        s.run("Frobnicate", json!({})),
        Err("request.unknown_operation InvalidRequestException 400".to_owned())
    );
}
