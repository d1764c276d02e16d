//! What is indexed: the recorded configuration, and what it lets a search see.

use fleet_model::kernel::{Context, Decider, ErrorCode, Timestamp};
use fleet_query::aggregate::{AggregationField, FieldType, IndexFields};
use fleet_query::path::Segment;
use fleet_query::predicate::AxisOrder;
use fleet_query::{Collection, FieldPath, Predicate, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::operation::{IndexField, ThingGroupIndexingConfiguration, ThingIndexingConfiguration};

/// The stream of the configuration.
pub(crate) const STREAM: &str = "indexing-default";

/// The configuration in force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Indexing {
    pub(crate) things: ThingIndexingConfiguration,
    pub(crate) groups: ThingGroupIndexingConfiguration,
}

impl Default for Indexing {
    fn default() -> Self {
        Self {
            things: ThingIndexingConfiguration {
                thing_indexing_mode: "OFF".to_owned(),
                ..ThingIndexingConfiguration::default()
            },
            groups: ThingGroupIndexingConfiguration {
                thing_group_indexing_mode: "OFF".to_owned(),
                ..ThingGroupIndexingConfiguration::default()
            },
        }
    }
}

/// `indexing.configured`, schema 1: the blocks that the request brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configured {
    pub(crate) at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) things: Option<ThingIndexingConfiguration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) groups: Option<ThingGroupIndexingConfiguration>,
}

/// What happened to the configuration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum IndexingEvent {
    Configured(Configured),
}

fleet_model::wire_events!(IndexingEvent {
    Configured(Configured) = "indexing.configured" @ 1,
});

/// Why a configuration was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum IndexingError {
    #[error("{0}")]
    Invalid(String),
    #[error(
        "thing indexing cannot be switched off while there are {0} dynamic groups: delete them first"
    )]
    DynamicGroups(usize),
}

/// The codes of indexing.
pub(crate) const CODES: &[(&str, &str)] = &[
    (
        "index.invalid_configuration",
        "an indexing configuration breaks a rule",
    ),
    (
        "index.dynamic_groups",
        "thing indexing cannot be switched off while dynamic groups exist",
    ),
    ("index.not_ready", "the index is off"),
    ("index.not_found", "no index of this name is on"),
];

impl ErrorCode for IndexingError {
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "index.invalid_configuration",
            Self::DynamicGroups(_) => "index.dynamic_groups",
        }
    }
}

/// The decider of the configuration; its view is the number of dynamic groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IndexingDecider;

fn one_of(name: &str, value: Option<&str>, allowed: &[&str]) -> Result<(), IndexingError> {
    match value {
        Some(value) if !allowed.contains(&value) => Err(IndexingError::Invalid(format!(
            "{name} `{value}` is none of {}",
            allowed.join(", ")
        ))),
        _ => Ok(()),
    }
}

const MOST_CUSTOM_FIELDS: usize = 5;
const MOST_SHADOWS: usize = 10;
const MOST_PLACES: usize = 1;

/// The fields that hold places, with the order of their numbers.
fn places(
    things: &ThingIndexingConfiguration,
) -> impl Iterator<Item = Result<(&str, AxisOrder), IndexingError>> {
    let filter = things.filter.as_ref();
    let places = filter.and_then(|filter| filter.geo_locations.as_ref());
    places.into_iter().flatten().map(|place| {
        let name = place.name.as_deref().unwrap_or_default();
        let order = match place.order.as_deref() {
            None | Some("LatLon") => AxisOrder::LatLon,
            Some("LonLat") => AxisOrder::LonLat,
            Some(other) => {
                return Err(IndexingError::Invalid(format!(
                    "order `{other}` of `{name}` is none of LatLon, LonLat"
                )));
            }
        };
        if name.starts_with("shadow.") && name.parse::<FieldPath>().is_ok() {
            Ok((name, order))
        } else {
            Err(IndexingError::Invalid(format!(
                "geo location `{name}` is not `shadow.…`"
            )))
        }
    })
}

fn custom_fields(fields: Option<&[IndexField]>) -> Result<IndexFields, IndexingError> {
    let mut found = BTreeMap::new();
    for field in fields.unwrap_or_default() {
        let name = field.name.clone().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let prefixed = ["attributes.", "shadow.", "deviceDefender."]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if !prefixed || name.len() > 1_024 || !name.chars().all(plain) {
            return Err(IndexingError::Invalid(format!(
                "custom field `{name}` is not `attributes.…`, `shadow.…` or `deviceDefender.…`"
            )));
        }
        let field_type = match field.field_type.as_deref() {
            Some("Number") => FieldType::Number,
            Some("Boolean") => FieldType::Boolean,
            Some("String") | None => FieldType::String,
            Some(other) => {
                return Err(IndexingError::Invalid(format!(
                    "type `{other}` of `{name}` is none of Number, String, Boolean"
                )));
            }
        };
        found.insert(name, field_type);
    }
    if found.len() > MOST_CUSTOM_FIELDS {
        return Err(IndexingError::Invalid(format!(
            "{} custom fields are more than the {MOST_CUSTOM_FIELDS} allowed",
            found.len()
        )));
    }
    Ok(found)
}

fn check_things(things: &ThingIndexingConfiguration) -> Result<(), IndexingError> {
    let modes = ["OFF", "REGISTRY", "REGISTRY_AND_SHADOW"];
    let mode = things.thing_indexing_mode.as_str();
    one_of("thingIndexingMode", Some(mode), &modes)?;
    let others = [
        (
            "thingConnectivityIndexingMode",
            &things.thing_connectivity_indexing_mode,
            "STATUS",
        ),
        (
            "deviceDefenderIndexingMode",
            &things.device_defender_indexing_mode,
            "VIOLATIONS",
        ),
        (
            "namedShadowIndexingMode",
            &things.named_shadow_indexing_mode,
            "ON",
        ),
    ];
    for (name, value, on) in others {
        one_of(name, value.as_deref(), &["OFF", on])?;
        if mode == "OFF" && value.as_deref() == Some(on) {
            return Err(IndexingError::Invalid(format!(
                "{name} must be OFF while thingIndexingMode is OFF"
            )));
        }
    }
    let shadows = things
        .filter
        .as_ref()
        .and_then(|f| f.named_shadow_names.as_ref());
    if shadows.is_some_and(|names| names.len() > MOST_SHADOWS) {
        return Err(IndexingError::Invalid(format!(
            "more than {MOST_SHADOWS} named shadows are to be indexed"
        )));
    }
    let places = places(things).collect::<Result<Vec<_>, _>>()?;
    if places.len() > MOST_PLACES {
        return Err(IndexingError::Invalid(format!(
            "{} geo locations are more than the {MOST_PLACES} allowed",
            places.len()
        )));
    }
    for name in custom_fields(things.custom_fields.as_deref())?.keys() {
        let classic = name.starts_with("shadow.desired.") || name.starts_with("shadow.reported.");
        let named = name.starts_with("shadow.name.");
        let indexed = if classic {
            mode == "REGISTRY_AND_SHADOW"
        } else if named {
            things.named_shadow_indexing_mode.as_deref() == Some("ON")
        } else if name.starts_with("deviceDefender.") {
            things.device_defender_indexing_mode.as_deref() == Some("VIOLATIONS")
        } else {
            name.starts_with("attributes.") && mode != "OFF"
        };
        if !indexed {
            return Err(IndexingError::Invalid(format!(
                "custom field `{name}` is not indexed in these modes"
            )));
        }
    }
    Ok(())
}

impl Decider for IndexingDecider {
    type State = Indexing;
    type Command = (
        Option<ThingIndexingConfiguration>,
        Option<ThingGroupIndexingConfiguration>,
    );
    type Event = IndexingEvent;
    type Error = IndexingError;
    type View = usize;

    fn initial() -> Indexing {
        Indexing::default()
    }

    fn decide(
        _: &Indexing,
        (things, groups): Self::Command,
        context: &Context<'_, usize>,
    ) -> Result<Vec<IndexingEvent>, IndexingError> {
        if let Some(things) = &things {
            check_things(things)?;
            if things.thing_indexing_mode == "OFF" && *context.view > 0 {
                return Err(IndexingError::DynamicGroups(*context.view));
            }
        }
        if let Some(groups) = &groups {
            let mode = groups.thing_group_indexing_mode.as_str();
            one_of("thingGroupIndexingMode", Some(mode), &["OFF", "ON"])?;
            custom_fields(groups.custom_fields.as_deref())?;
        }
        Ok(vec![IndexingEvent::Configured(Configured {
            at: context.now,
            things,
            groups,
        })])
    }

    fn evolve(mut state: Indexing, event: &IndexingEvent) -> Indexing {
        let IndexingEvent::Configured(event) = event;
        if let Some(things) = &event.things {
            state.things = things.clone();
        }
        if let Some(groups) = &event.groups {
            state.groups = groups.clone();
        }
        state
    }
}

impl Indexing {
    /// The query that reads places in the configured order.
    pub(crate) fn with_places(&self, query: Query) -> Query {
        places(&self.things)
            .flatten()
            .fold(query, |query, (name, order)| {
                query.clone().with_axis_order(name, order).unwrap_or(query)
            })
    }

    /// Whether things are indexed.
    pub(crate) fn things_on(&self) -> bool {
        self.things.thing_indexing_mode != "OFF"
    }

    /// Whether thing groups are indexed.
    pub(crate) fn groups_on(&self) -> bool {
        self.groups.thing_group_indexing_mode == "ON"
    }

    pub(crate) fn connectivity(&self) -> bool {
        self.things.thing_connectivity_indexing_mode.as_deref() == Some("STATUS")
    }

    fn shadow(&self) -> bool {
        self.things.thing_indexing_mode == "REGISTRY_AND_SHADOW"
    }

    fn named(&self) -> bool {
        self.things.named_shadow_indexing_mode.as_deref() == Some("ON")
    }

    fn defender(&self) -> bool {
        self.things.device_defender_indexing_mode.as_deref() == Some("VIOLATIONS")
    }

    /// The `schema` of `DescribeIndex`.
    pub(crate) fn schema(&self) -> &'static str {
        match (
            self.shadow(),
            self.connectivity(),
            self.named() || self.defender(),
        ) {
            (_, _, true) => "MULTI_INDEXING_MODE",
            (true, true, false) => "REGISTRY_AND_SHADOW_AND_CONNECTIVITY_STATUS",
            (true, false, false) => "REGISTRY_AND_SHADOW",
            (false, true, false) => "REGISTRY_AND_CONNECTIVITY_STATUS",
            (false, false, false) => "REGISTRY",
        }
    }

    /// Takes out of a canonical document what is not indexed; false for one without an AWS face.
    pub(crate) fn mask(&self, document: &mut Value) -> bool {
        let Some(members) = document.as_object_mut() else {
            return false;
        };
        if !members.contains_key("thingId") {
            return false;
        }
        if !self.shadow() {
            members.remove("properties");
            members.remove("shadow");
        }
        if !self.connectivity() {
            members.remove("connectivity");
        }
        if !self.defender() {
            members.remove("deviceDefender");
        }
        let filter = self.things.filter.as_ref();
        let wanted = filter.and_then(|filter| filter.named_shadow_names.as_deref());
        if let Some(Value::Object(shadows)) = members.get_mut("namedShadows") {
            let named = self.named();
            let wanted = wanted.unwrap_or_default();
            shadows.retain(|name, _| named && wanted.contains(name));
        }
        true
    }

    /// Whether a condition reads nothing that [`Indexing::mask`] takes away, so that it holds of a masked document where it
    /// holds of the whole one.
    pub(crate) fn shows(&self, predicate: &Predicate) -> bool {
        match predicate {
            // Looks at every field, hidden ones too.
            Predicate::AnyField { .. } => false,
            Predicate::Not(inner) => self.shows(inner),
            Predicate::And(items) | Predicate::Or(items) => {
                items.iter().all(|item| self.shows(item))
            }
            other => other.paths().iter().all(|path| self.shows_path(path)),
        }
    }

    /// Whether a field is never taken away by [`Indexing::mask`].
    pub(crate) fn shows_path(&self, path: &FieldPath) -> bool {
        match path.root() {
            "properties" | "shadow" => self.shadow(),
            "connectivity" => self.connectivity(),
            "deviceDefender" => self.defender(),
            "namedShadows" => {
                let filter = self.things.filter.as_ref();
                let wanted = filter.and_then(|filter| filter.named_shadow_names.as_deref());
                let name = match path.segments().get(1) {
                    Some(Segment::Key(name)) => &**name,
                    _ => return false,
                };
                let wanted = wanted.unwrap_or_default();
                self.named() && wanted.iter().any(|shown| shown == name)
            }
            _ => true,
        }
    }

    /// The field that an aggregation names.
    pub(crate) fn field(
        &self,
        name: &str,
        collection: Collection,
    ) -> Result<AggregationField, fleet_query::Diagnostic> {
        let fields = if collection == Collection::Groups {
            self.groups.custom_fields.as_deref()
        } else {
            self.things.custom_fields.as_deref()
        };
        // What stands recorded was checked before.
        let custom = custom_fields(fields).unwrap_or_default();
        AggregationField::resolve(name, &custom, collection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet_model::kernel::WireEvent as _;

    #[test]
    fn the_recorded_form_is_read_and_written_for_ever() {
        let golden = include_bytes!("../tests/golden/indexing.configured.v1.json");
        let event = IndexingEvent::from_data("indexing.configured", golden).unwrap();
        assert_eq!(event.schema(), 1);
        assert_eq!(
            String::from_utf8_lossy(&event.to_data()),
            String::from_utf8_lossy(golden)
        );
        let state = IndexingDecider::evolve(Indexing::default(), &event);
        assert!(state.things_on() && !state.groups_on());
    }

    #[test]
    fn modes_that_contradict_each_other_are_refused() {
        let off = ThingIndexingConfiguration {
            thing_indexing_mode: "OFF".to_owned(),
            named_shadow_indexing_mode: Some("ON".to_owned()),
            ..ThingIndexingConfiguration::default()
        };
        assert!(check_things(&off).is_err());
        let field = |name: &str| ThingIndexingConfiguration {
            thing_indexing_mode: "REGISTRY".to_owned(),
            custom_fields: Some(vec![IndexField {
                name: Some(name.to_owned()),
                field_type: None,
            }]),
            ..ThingIndexingConfiguration::default()
        };
        assert!(check_things(&field("attributes.a")).is_ok());
        for name in ["shadow.reported.t", "registry.version", "attributes.a b"] {
            assert!(check_things(&field(name)).is_err(), "{name}");
        }
    }
}
