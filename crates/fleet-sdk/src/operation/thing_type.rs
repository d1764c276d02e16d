//! Thing types (AWS spec 1.4).

use super::{Seconds, Tag};

wire! {
    /// What is said of a type.
    ThingTypeProperties {
        thing_type_description: Option<String>,
        searchable_attributes: Option<Vec<String>>,
        mqtt5_configuration: Option<Mqtt5Configuration>,
    }
}

wire! {
    /// What the broker adds to messages of things of a type.
    Mqtt5Configuration {
        propagating_attributes: Option<Vec<PropagatingAttribute>>,
    }
}

wire! {
    /// A user property taken from an attribute of the thing or of its connection.
    PropagatingAttribute {
        user_property_key: Option<String>,
        thing_attribute: Option<String>,
        connection_attribute: Option<String>,
    }
}

wire! {
    /// Whether and since when a type is deprecated.
    ThingTypeMetadata {
        deprecated: bool,
        deprecation_date: Option<Seconds>,
        creation_date: Seconds,
    }
}

operation! {
    "Creates a thing type, or finds it when it exists with the same content."
    CreateThingType @ Iot {
        thing_type_name: String,
        thing_type_properties: Option<ThingTypeProperties>,
        tags: Option<Vec<Tag>>,
    } -> CreateThingTypeResponse {
        thing_type_name: String,
        thing_type_arn: String,
        thing_type_id: String,
    }
}

operation! {
    "Describes a thing type."
    DescribeThingType @ Iot {
        thing_type_name: String,
    } -> DescribeThingTypeResponse {
        thing_type_name: String,
        thing_type_id: String,
        thing_type_arn: String,
        thing_type_properties: ThingTypeProperties,
        thing_type_metadata: ThingTypeMetadata,
    }
}

operation! {
    "Changes a thing type's description or MQTT 5 configuration."
    UpdateThingType @ Iot {
        thing_type_name: String,
        thing_type_properties: Option<ThingTypeProperties>,
    } -> UpdateThingTypeResponse {}
}

operation! {
    "Deprecates a thing type, so that no thing can take it, or undoes that."
    DeprecateThingType @ Iot {
        thing_type_name: String,
        #[serde(default)]
        undo_deprecate: bool,
    } -> DeprecateThingTypeResponse {}
}

operation! {
    "Deletes a thing type that was deprecated 5 minutes ago and that no thing has."
    DeleteThingType @ Iot {
        thing_type_name: String,
    } -> DeleteThingTypeResponse {}
}

wire! {
    /// A row of [`ListThingTypes`].
    ThingTypeDefinition {
        thing_type_name: String,
        thing_type_arn: String,
        thing_type_properties: ThingTypeProperties,
        thing_type_metadata: ThingTypeMetadata,
    }
}

operation! {
    "Lists thing types whose name begins with `thingTypeName`."
    ListThingTypes @ Iot {
        next_token: Option<String>,
        max_results: Option<u32>,
        thing_type_name: Option<String>,
    } -> ListThingTypesResponse {
        thing_types: Vec<ThingTypeDefinition>,
        next_token: Option<String>,
    }
}
