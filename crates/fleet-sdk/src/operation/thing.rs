//! Things (AWS spec 1.1 to 1.3).

use std::collections::BTreeMap;

wire! {
    /// A change of attributes: an empty value deletes; `merge` keeps what is not named (updates only).
    AttributePayload {
        #[serde(default)]
        attributes: BTreeMap<String, String>,
        merge: Option<bool>,
    }
}

wire! {
    /// A value in force, with the group or the thing that it comes from and what it hides. An extension.
    EffectiveAttribute {
        value: String,
        source: AttributeSource,
        #[serde(default)]
        overrides: Vec<OverriddenAttribute>,
    }
}

wire! {
    /// Where a value comes from: `thing`, or `group` with the group's name and depth (a root is 1).
    AttributeSource {
        kind: String,
        thing_group_name: Option<String>,
        depth: Option<u32>,
    }
}

wire! {
    /// A value that a nearer one hides.
    OverriddenAttribute {
        value: String,
        source: AttributeSource,
        reason: String,
    }
}

operation! {
    "Creates a thing, or finds it when it exists with the same content."
    CreateThing @ Iot {
        thing_name: String,
        thing_type_name: Option<String>,
        attribute_payload: Option<AttributePayload>,
        billing_group_name: Option<String>,
    } -> CreateThingResponse {
        thing_name: String,
        thing_arn: String,
        thing_id: String,
    }
}

operation! {
    "Describes a thing, with the attributes that it has and those that are in force for it."
    DescribeThing @ Iot {
        thing_name: String,
    } -> DescribeThingResponse {
        default_client_id: String,
        thing_name: String,
        thing_id: String,
        thing_arn: String,
        thing_type_name: Option<String>,
        attributes: BTreeMap<String, String>,
        effective_attributes: BTreeMap<String, EffectiveAttribute>,
        version: u64,
        billing_group_name: Option<String>,
    }
}

operation! {
    "Changes a thing's attributes or type."
    UpdateThing @ Iot {
        thing_name: String,
        thing_type_name: Option<String>,
        attribute_payload: Option<AttributePayload>,
        expected_version: Option<i64>,
        #[serde(default)]
        remove_thing_type: bool,
    } -> UpdateThingResponse {}
}

operation! {
    "Deletes a thing with its twins; one that does not exist is a success."
    DeleteThing @ Iot {
        thing_name: String,
        expected_version: Option<i64>,
    } -> DeleteThingResponse {}
}

wire! {
    /// A row of [`ListThings`].
    ThingAttribute {
        thing_name: String,
        thing_type_name: Option<String>,
        thing_arn: String,
        attributes: BTreeMap<String, String>,
        version: u64,
    }
}

operation! {
    "Lists things by name, filtered by type or by an attribute."
    ListThings @ Iot {
        next_token: Option<String>,
        max_results: Option<u32>,
        attribute_name: Option<String>,
        attribute_value: Option<String>,
        thing_type_name: Option<String>,
        #[serde(default)]
        use_prefix_attribute_value: bool,
    } -> ListThingsResponse {
        things: Vec<ThingAttribute>,
        next_token: Option<String>,
    }
}
