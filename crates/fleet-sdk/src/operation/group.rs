//! Thing groups and who is in them (AWS spec 2).

use std::collections::BTreeMap;

use super::{AttributePayload, Seconds, Tag};

wire! {
    /// What an update may change of a group.
    ThingGroupProperties {
        thing_group_description: Option<String>,
        attribute_payload: Option<AttributePayload>,
    }
}

wire! {
    /// A group by name and ARN.
    GroupNameAndArn {
        group_name: String,
        group_arn: String,
    }
}

wire! {
    /// Where a group stands and since when.
    ThingGroupMetadata {
        parent_group_name: Option<String>,
        root_to_parent_thing_groups: Option<Vec<GroupNameAndArn>>,
        creation_date: Seconds,
    }
}

operation! {
    "Creates a static group, or finds it when it exists with the same content."
    CreateThingGroup @ Iot {
        thing_group_name: String,
        parent_group_name: Option<String>,
        thing_group_properties: Option<ThingGroupProperties>,
        tags: Option<Vec<Tag>>,
    } -> CreateThingGroupResponse {
        thing_group_name: String,
        thing_group_arn: String,
        thing_group_id: String,
    }
}

operation! {
    "Describes a static or dynamic group."
    DescribeThingGroup @ Iot {
        thing_group_name: String,
    } -> DescribeThingGroupResponse {
        thing_group_name: String,
        thing_group_id: String,
        thing_group_arn: String,
        version: u64,
        thing_group_properties: ThingGroupProperties,
        thing_group_metadata: ThingGroupMetadata,
        effective_attributes: BTreeMap<String, super::EffectiveAttribute>,
        index_name: Option<String>,
        query_string: Option<String>,
        query_version: Option<String>,
        status: Option<String>,
    }
}

operation! {
    "Changes a static group's description or attributes."
    UpdateThingGroup @ Iot {
        thing_group_name: String,
        thing_group_properties: ThingGroupProperties,
        expected_version: Option<i64>,
    } -> UpdateThingGroupResponse {
        version: u64,
    }
}

operation! {
    "Deletes a static group without children, and all memberships in it."
    DeleteThingGroup @ Iot {
        thing_group_name: String,
        expected_version: Option<i64>,
    } -> DeleteThingGroupResponse {}
}

operation! {
    "Lists groups: the roots or the children of a group, or all below where `recursive` is true."
    ListThingGroups @ Iot {
        next_token: Option<String>,
        max_results: Option<u32>,
        parent_group: Option<String>,
        name_prefix_filter: Option<String>,
        recursive: bool,
    } -> ListThingGroupsResponse {
        thing_groups: Vec<GroupNameAndArn>,
        next_token: Option<String>,
    }
}

operation! {
    "Puts a thing into a static group."
    AddThingToThingGroup @ Iot {
        thing_group_name: Option<String>,
        thing_group_arn: Option<String>,
        thing_name: Option<String>,
        thing_arn: Option<String>,
        #[serde(default)]
        override_dynamic_groups: bool,
    } -> AddThingToThingGroupResponse {
        evicted_from: Option<Vec<String>>,
    }
}

operation! {
    "Takes a thing out of a static group; a thing that is not in it is a success."
    RemoveThingFromThingGroup @ Iot {
        thing_group_name: Option<String>,
        thing_group_arn: Option<String>,
        thing_name: Option<String>,
        thing_arn: Option<String>,
    } -> RemoveThingFromThingGroupResponse {}
}

operation! {
    "Moves a thing between static groups, all or nothing: removals first, then additions."
    UpdateThingGroupsForThing @ Iot {
        thing_name: Option<String>,
        thing_groups_to_add: Option<Vec<String>>,
        thing_groups_to_remove: Option<Vec<String>>,
        #[serde(default)]
        override_dynamic_groups: bool,
    } -> UpdateThingGroupsForThingResponse {
        evicted_from: Option<Vec<String>>,
    }
}

operation! {
    "Lists the static and dynamic groups that a thing is a direct member of."
    ListThingGroupsForThing @ Iot {
        thing_name: String,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListThingGroupsForThingResponse {
        thing_groups: Vec<GroupNameAndArn>,
        next_token: Option<String>,
    }
}

operation! {
    "Lists the things in a group, or in its whole subtree with `recursive`."
    ListThingsInThingGroup @ Iot {
        thing_group_name: String,
        #[serde(default)]
        recursive: bool,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListThingsInThingGroupResponse {
        things: Vec<String>,
        next_token: Option<String>,
    }
}
