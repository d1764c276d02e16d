use super::*;
use crate::dialect::{Dialect, Mode};
use crate::query::Query;
use serde_json::json;

fn truth(condition: &str, document: &Value) -> bool {
    Query::parse(condition, Dialect::Aws, Mode::Lenient)
        .unwrap()
        .matches(Document::new(document))
        .is_true()
}

#[test]
fn the_delta_is_what_reported_lacks_or_holds_differently() {
    let delta = |desired: Value, reported: Value| {
        let document =
            json!({"deviceId": "d", "properties": {"desired": desired, "reported": reported}});
        let view = Document::new(&document);
        (
            view.project(&FieldPath::of(["shadow", "delta"])),
            view.find(&FieldPath::of(["shadow", "hasDelta"]), KeyRule::Joined)
                .to_json(),
        )
    };
    let yes = Some(json!(true));
    assert_eq!(
        delta(json!({"a": 1}), json!({"b": 1})),
        (Some(json!({"a": 1})), yes.clone())
    );
    assert_eq!(
        delta(json!({"a": {}}), json!({})),
        (Some(json!({"a": {}})), yes.clone())
    );
    assert_eq!(
        delta(json!({"a": 1, "l": [1]}), json!({"a": 1.0, "l": [1.0]})),
        (None, Some(json!(false)))
    );
    assert_eq!(
        delta(json!({"a": "x"}), json!({"a": "X"})),
        (Some(json!({"a": "x"})), yes.clone())
    );
    assert_eq!(
        delta(
            json!({"o": {"a": 1, "b": 2}}),
            json!({"o": {"a": 1, "b": 3, "c": 4}})
        ),
        (Some(json!({"o": {"b": 2}})), yes.clone()),
    );
    assert_eq!(
        delta(json!({"o": {"a": 1}}), json!({"o": 5})),
        (Some(json!({"o": {"a": 1}})), yes)
    );
    assert_eq!(
        delta(json!({}), json!({"c": 4})),
        (None, Some(json!(false)))
    );
    assert_eq!(
        delta(json!({"$version": 3}), json!({"$version": 4})),
        (None, None)
    );
}

#[test]
fn derived_fields_can_be_searched() {
    let document = json!({
        "deviceId": "d",
        "properties": {
            "desired": {"a": {"b": 1}, "$version": 2},
            "reported": {"a": {"b": 2}, "$version": 7, "$metadata": {"a": {"$lastUpdated": "2026-01-01T00:00:00Z"}}},
        },
        "namedShadows": {"s": {"desired": {"x": 1}, "reported": {"x": 1}}},
    });
    assert!(truth("shadow.delta.a.b:1", &document));
    assert!(!truth("shadow.delta.a.b:2", &document));
    assert!(truth("shadow.hasDelta:true", &document));
    assert!(truth("shadow.name.s.hasDelta:false", &document));
    assert!(!truth("shadow.name.t.hasDelta:*", &document));
    assert!(truth(
        "shadow.metadata.reported.a.timestamp:1767225600",
        &document
    ));
    // The system's own members are not the user's.
    assert!(!truth("shadow.reported.$version:7", &document));
    assert!(!truth("7", &document));
}

#[test]
fn each_service_sees_its_own_face() {
    let document = normalise(
        crate::Collection::Devices,
        json!({"thingName": "t", "attributes": {"a": "1"}, "shadow": {"desired": {"x": 1}, "version": 3}}),
    )
    .unwrap();
    assert_eq!(
        iot_hub_face(&document),
        json!({"deviceId": "t", "properties": {"desired": {"x": 1}}})
    );
    let thing = thing_document(&document);
    assert_eq!(thing["thingName"], "t");
    let shadow: Value = serde_json::from_str(thing["shadow"].as_str().unwrap()).unwrap();
    assert_eq!(
        shadow,
        json!({"desired": {"x": 1}, "delta": {"x": 1}, "hasDelta": true, "version": 3})
    );
    // What a service shows reads back as the same document.
    assert_eq!(
        normalise(crate::Collection::Devices, thing).unwrap(),
        document
    );
}

#[test]
fn where_the_metadata_is() {
    for (path, expected) in [
        ("properties.desired.$metadata", true),
        ("properties.reported.$metadata", true),
        ("shadow.metadata", true),
        ("namedShadows.cfg.metadata", true),
        ("properties.reported.metadata", false),
        ("properties.$metadata", false),
        ("shadow.metadata.desired", false),
        ("tags.metadata", false),
    ] {
        let keys: Vec<&str> = path.split('.').collect();
        assert_eq!(is_metadata(&keys), expected, "{path}");
    }
}
