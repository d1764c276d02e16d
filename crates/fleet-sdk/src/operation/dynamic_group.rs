//! Dynamic groups: members by a query (AWS spec 2.3).

use super::{Tag, ThingGroupProperties};

operation! {
    "Creates a group whose members are the things that a query finds."
    CreateDynamicThingGroup @ Iot {
        thing_group_name: String,
        thing_group_properties: Option<ThingGroupProperties>,
        index_name: Option<String>,
        query_string: String,
        query_version: Option<String>,
        tags: Option<Vec<Tag>>,
    } -> CreateDynamicThingGroupResponse {
        thing_group_name: String,
        thing_group_arn: String,
        thing_group_id: String,
        index_name: String,
        query_string: String,
        query_version: String,
    }
}

operation! {
    "Changes a dynamic group's description, attributes or query."
    UpdateDynamicThingGroup @ Iot {
        thing_group_name: String,
        thing_group_properties: ThingGroupProperties,
        expected_version: Option<i64>,
        index_name: Option<String>,
        query_string: Option<String>,
        query_version: Option<String>,
    } -> UpdateDynamicThingGroupResponse {
        version: u64,
    }
}

operation! {
    "Deletes a dynamic group and all memberships in it."
    DeleteDynamicThingGroup @ Iot {
        thing_group_name: String,
        expected_version: Option<i64>,
    } -> DeleteDynamicThingGroupResponse {}
}

operation! {
    "Hands in whether a thing meets a dynamic group's query. An extension for embedders."
    ApplyDynamicMembership @ Iot {
        thing_group_name: String,
        thing_name: String,
        eligible: bool,
    } -> ApplyDynamicMembershipResponse {
        member: bool,
        evicted_from: Option<Vec<String>>,
        refused: Option<String>,
    }
}

operation! {
    "Declares a dynamic group's membership complete for its present query. An extension for embedders."
    CompleteDynamicThingGroup @ Iot {
        thing_group_name: String,
    } -> CompleteDynamicThingGroupResponse {
        status: String,
    }
}
