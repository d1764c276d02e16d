//! Quotas at their edges, the document that lists the profiles, and the codes.

use super::*;
use crate::id::RecordName;
use crate::kernel::{Context, Decider, ErrorCode, Timestamp};
use crate::limits::Limits;
use serde_json::{Map, Value, json};

fn key() -> TwinKey {
    TwinKey::Device("press-7".parse().unwrap())
}

/// Decides and folds; the codes of the refusal.
fn run(twin: &mut TwinState, key: TwinKey, command: TwinCommand) -> Vec<&'static str> {
    let limits = Limits::default();
    let view = TwinView {
        key,
        incarnation: None,
    };
    let context = Context {
        now: Timestamp::from_secs(1_700_000_000),
        limits: &limits,
        view: &view,
    };
    match Twin::decide(twin, command, &context) {
        Err(refused) => refused.reasons().map(ErrorCode::code).collect(),
        Ok(events) => {
            for event in events {
                *twin = Twin::evolve(std::mem::take(twin), &event);
            }
            vec![]
        }
    }
}

fn update(twin: &mut TwinState, state: Value) -> Vec<&'static str> {
    let payload = Payload::Json(json!({ "state": state }));
    run(twin, key(), TwinCommand::UpdateShadow { payload })
}

fn patch(twin: &mut TwinState, body: Value) -> Vec<&'static str> {
    let command = TwinCommand::Patch {
        body,
        condition: Condition::default(),
        writer: Writer::Service,
    };
    run(twin, key(), command)
}

#[test]
fn the_printed_table_is_that_of_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/twin-profiles.md");
    let document = std::fs::read_to_string(path).unwrap();
    let table = Profile::table(&Limits::default());
    assert!(
        document.contains(&table),
        "docs/twin-profiles.md must hold:\n{table}"
    );
}

#[test]
fn the_size_of_azure_example_s1() {
    let example = json!({"a": 1, "bc": "xyz", "d": {"e": true}});
    assert_eq!(measure::hub_size(&example), 20);
    assert_eq!(measure::hub_size(&json!({"a\u{1}": "\u{85}é"})), 2);
}

#[test]
fn a_shadow_of_8192_bytes_and_not_one_more() {
    // {"desired":{"k":"…"}} takes 20 bytes besides the text.
    let text = |bytes: usize| json!({"desired": {"k": "x".repeat(bytes - 20)}});
    assert_eq!(text(8192).to_string().len(), 8192);
    assert_eq!(update(&mut TwinState::default(), text(8192)), [""; 0]);
    assert_eq!(
        update(&mut TwinState::default(), text(8193)),
        ["shadow.too_large"]
    );
    // Both sections count, and metadata does not.
    let mut twin = TwinState::default();
    update(&mut twin, text(8192));
    assert_eq!(
        update(&mut twin, json!({"reported": {"a": 1}})),
        ["shadow.too_large"]
    );
    assert_eq!(
        update(&mut twin, json!({"desired": {"k": "y".repeat(8172)}})),
        [""; 0]
    );
}

#[test]
fn an_excess_through_one_protocol_may_shrink_through_the_other() {
    let mut twin = TwinState::default();
    let big: Map<String, Value> = (0..4)
        .map(|n| (format!("k{n}"), "x".repeat(4096).into()))
        .collect();
    assert_eq!(
        patch(&mut twin, json!({"properties": {"desired": big}})),
        [""; 0]
    );
    assert!(shadow::document(&key(), &twin, None).is_ok());
    assert_eq!(
        update(&mut twin, json!({"desired": {"k4": 1}})),
        ["shadow.too_large"]
    );
    assert_eq!(update(&mut twin, json!({"desired": {"k0": null}})), [""; 0]);
    assert_eq!(
        update(&mut twin, json!({"desired": {"k1": "y".repeat(4096)}})),
        [""; 0]
    );
}

#[test]
fn section_sizes_at_their_edges() {
    let of = |size: usize| -> Map<String, Value> {
        // Each member counts 2 for its key and the length of its text.
        let mut members = Map::new();
        let mut left = size;
        for n in 10.. {
            let text = left.min(4002) - 2;
            members.insert(n.to_string(), "x".repeat(text).into());
            left -= text + 2;
            if left < 3 {
                break;
            }
        }
        members
    };
    for (name, limit) in [("tags", 8 * 1024), ("desired", 32 * 1024)] {
        let body = |size| match name {
            "tags" => json!({ "tags": of(size) }),
            _ => json!({ "properties": { "desired": of(size) } }),
        };
        assert_eq!(measure::hub_size(&Value::Object(of(limit))), limit);
        let mut twin = TwinState::default();
        assert_eq!(patch(&mut twin, body(limit + 1)), ["twin.too_large"]);
        assert_eq!(patch(&mut twin, body(limit)), [""; 0]);
        let more = match name {
            "tags" => json!({"tags": {"a": 1}}),
            _ => json!({"properties": {"desired": {"a": 1}}}),
        };
        assert_eq!(patch(&mut twin, more), ["twin.too_large"]);
    }
    let reported = TwinCommand::PatchReported {
        body: Value::Object(of(32 * 1024 + 1)),
        expected_version: None,
    };
    assert_eq!(
        run(&mut TwinState::default(), key(), reported),
        ["twin.too_large"]
    );
}

#[test]
fn keys_and_strings_at_their_edges() {
    let mut twin = TwinState::default();
    let key = |bytes| json!({ "tags": { "k".repeat(bytes): 1 } });
    assert_eq!(patch(&mut twin, key(1024)), [""; 0]);
    assert_eq!(patch(&mut twin, key(1025)), ["twin.key_too_long"]);
    let text = |bytes| json!({ "tags": { "t": "x".repeat(bytes) } });
    assert_eq!(patch(&mut twin, text(4096)), [""; 0]);
    assert_eq!(patch(&mut twin, text(4097)), ["twin.string_too_long"]);
}

#[test]
fn bytes_that_are_no_utf_8_or_too_many() {
    let send = |bytes: Vec<u8>| {
        let payload = Payload::Bytes(bytes);
        run(
            &mut TwinState::default(),
            key(),
            TwinCommand::UpdateShadow { payload },
        )
    };
    assert_eq!(send(vec![0xff, 0xfe]), ["shadow.encoding"]);
    assert_eq!(send(vec![b' '; 128 * 1024 + 1]), ["shadow.too_large"]);
    let deep = format!(
        "{{\"state\":{{\"desired\":{}1{}}}}}",
        "{\"a\":".repeat(110),
        "}".repeat(110)
    );
    assert_eq!(send(deep.into_bytes()), ["shadow.too_deep"]);
    let deeper = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    assert_eq!(send(deeper.into_bytes()), ["shadow.invalid_json"]);
}

#[test]
fn a_wrong_body_names_everything_that_is_wrong() {
    let codes = patch(
        &mut TwinState::default(),
        json!({"tags": {"a.b": 1, "c": [null]}, "properties": {"desired": {"n": 1u64 << 60}}}),
    );
    assert_eq!(
        codes,
        [
            "twin.invalid_key",
            "twin.null_in_array",
            "twin.integer_out_of_range"
        ]
    );
}

#[test]
fn each_twin_has_the_faces_of_its_kind() {
    let record: RecordName = "press-7".parse().unwrap();
    let module = TwinKey::Module(record.clone(), "camera".parse().unwrap());
    let named = TwinKey::Shadow(record, "config".parse().unwrap());
    let shadow_update = || TwinCommand::UpdateShadow {
        payload: Payload::Json(json!({"state": {"desired": {"a": 1}}})),
    };
    let reported = || TwinCommand::PatchReported {
        body: json!({"a": 1}),
        expected_version: None,
    };
    let mut twin = TwinState::default();
    assert_eq!(
        run(&mut twin, module.clone(), shadow_update()),
        ["twin.no_such_face"]
    );
    assert_eq!(run(&mut twin, module.clone(), reported()), [""; 0]);
    assert_eq!(twin.shadow(), ShadowLife::Unwritten);
    let document = hub::document(&module, &twin, &hub::IdentityFacts::default());
    assert_eq!(document["moduleId"], "camera");

    let mut twin = TwinState::default();
    assert_eq!(
        run(&mut twin, named.clone(), reported()),
        ["twin.no_such_face"]
    );
    let before = twin.clone();
    assert_eq!(run(&mut twin, named.clone(), shadow_update()), [""; 0]);
    let event = TwinEvent::Patched(Patched {
        at: Timestamp::from_secs(1_700_000_000),
        via: Writer::Shadow,
        tags: SectionChange::Keep,
        desired: SectionChange::Merge(Map::from_iter([("a".to_owned(), 1.into())])),
        reported: SectionChange::Keep,
        shadow_version: Some(1),
        incarnation: None,
        client_token: None,
        state_cleared: false,
    });
    let topics: Vec<_> = shadow::update_messages(&named, &before, &event, &twin)
        .into_iter()
        .map(|message| message.topic)
        .collect();
    assert_eq!(
        topics,
        [
            "$aws/things/press-7/shadow/name/config/update/accepted",
            "$aws/things/press-7/shadow/name/config/update/delta",
            "$aws/things/press-7/shadow/name/config/update/documents",
        ]
    );
}

#[test]
fn configurations_are_set_and_removed() {
    let mut twin = TwinState::default();
    let set = |status| TwinCommand::SetConfigurations {
        changes: [("fw".to_owned(), status)].into(),
    };
    let applied = Some(hub::ConfigurationStatus::Applied);
    run(&mut twin, key(), set(applied));
    let document = hub::document(&key(), &twin, &hub::IdentityFacts::default());
    assert_eq!(
        document["configurations"],
        json!({"fw": {"status": "Applied"}})
    );
    assert_eq!((twin.version(), &*twin.etag()), (2, "AAAAAAAAAAE="));
    let again = twin.clone();
    run(&mut twin, key(), set(applied));
    assert_eq!(twin, again);
    run(&mut twin, key(), set(None));
    assert!(twin.configurations().is_empty());
}

#[test]
fn change_events_coalesce() {
    let mut twin = TwinState::default();
    let mut events = Vec::new();
    for body in [
        json!({"tags": {"a": 1, "b": 1}}),
        json!({"tags": {"a": null}}),
    ] {
        patch(&mut twin, body.clone());
        let event = TwinEvent::Patched(Patched {
            at: Timestamp::from_secs(1_700_000_000),
            via: Writer::Service,
            tags: SectionChange::Merge(body["tags"].as_object().unwrap().clone()),
            desired: SectionChange::Keep,
            reported: SectionChange::Keep,
            shadow_version: None,
            incarnation: None,
            client_token: None,
            state_cleared: false,
        });
        events.push(hub::change_event(&key(), &event, &twin).unwrap());
    }
    let one = hub::coalesce(&events).unwrap();
    assert_eq!(one.body, json!({"version": 4, "tags": {"a": null, "b": 1}}));
    assert_eq!(hub::coalesce(&[]), None);
}

#[test]
fn every_error_returns_a_listed_code() {
    let (path, section, twin) = (String::new, SectionName::Desired, String::new);
    let errors = [
        TwinError::ShadowEncoding,
        TwinError::ShadowTooLarge { size: 1, limit: 1 },
        TwinError::ShadowInvalidJson { reason: path() },
        TwinError::ShadowMissingState,
        TwinError::ShadowStateNotObject,
        TwinError::ShadowSectionNotObject { section },
        TwinError::ShadowInvalidNode { name: path() },
        TwinError::ShadowNullInArray { path: path() },
        TwinError::ShadowTooDeep {
            section,
            depth: 1,
            limit: 1,
        },
        TwinError::ShadowInvalidVersion,
        TwinError::ShadowInvalidClientToken { limit: 1 },
        TwinError::ShadowVersionConflict {
            expected: path(),
            actual: 1,
        },
        TwinError::ShadowNotFound { name: path() },
        TwinError::NoSuchFace { twin: twin() },
        TwinError::PreconditionFailed {
            expected: path(),
            actual: path(),
        },
        TwinError::VersionConflict {
            section,
            expected: 1,
            actual: 2,
        },
        TwinError::InvalidDocument { path: path() },
        TwinError::InvalidKey {
            path: path(),
            reason: "",
        },
        TwinError::KeyTooLong {
            path: path(),
            bytes: 1,
            limit: 1,
        },
        TwinError::StringTooLong {
            path: path(),
            bytes: 1,
            limit: 1,
        },
        TwinError::IntegerOutOfRange {
            path: path(),
            min: 0,
            max: 1,
        },
        TwinError::NullInArray { path: path() },
        TwinError::TooDeep {
            section,
            depth: 1,
            limit: 1,
        },
        TwinError::TooLarge {
            section,
            size: 1,
            limit: 1,
        },
    ];
    let mut returned: Vec<_> = errors.iter().map(ErrorCode::code).collect();
    for error in &errors {
        assert!((400..=415).contains(&error.aws().status), "{error}");
        assert!((400..=412).contains(&error.hub().status), "{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    returned.sort_unstable();
    returned.dedup();
    let mut listed: Vec<_> = CODES.iter().map(|(code, _)| *code).collect();
    listed.sort_unstable();
    assert_eq!(returned, listed);
}
