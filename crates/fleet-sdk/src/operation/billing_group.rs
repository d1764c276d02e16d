//! Billing groups (AWS spec 2.5).

use super::{GroupNameAndArn, Seconds, Tag};

wire! {
    /// What is said of a billing group.
    BillingGroupProperties {
        billing_group_description: Option<String>,
    }
}

wire! {
    /// Since when a billing group exists.
    BillingGroupMetadata {
        creation_date: Seconds,
    }
}

operation! {
    "Creates a billing group, or finds it when it exists with the same content."
    CreateBillingGroup @ Iot {
        billing_group_name: String,
        billing_group_properties: Option<BillingGroupProperties>,
        tags: Option<Vec<Tag>>,
    } -> CreateBillingGroupResponse {
        billing_group_name: String,
        billing_group_arn: String,
        billing_group_id: String,
    }
}

operation! {
    "Describes a billing group."
    DescribeBillingGroup @ Iot {
        billing_group_name: String,
    } -> DescribeBillingGroupResponse {
        billing_group_name: String,
        billing_group_id: String,
        billing_group_arn: String,
        version: u64,
        billing_group_properties: BillingGroupProperties,
        billing_group_metadata: BillingGroupMetadata,
    }
}

operation! {
    "Changes a billing group's description."
    UpdateBillingGroup @ Iot {
        billing_group_name: String,
        billing_group_properties: BillingGroupProperties,
        expected_version: Option<i64>,
    } -> UpdateBillingGroupResponse {
        version: u64,
    }
}

operation! {
    "Deletes a billing group; its members lose the reference."
    DeleteBillingGroup @ Iot {
        billing_group_name: String,
        expected_version: Option<i64>,
    } -> DeleteBillingGroupResponse {}
}

operation! {
    "Lists billing groups by name."
    ListBillingGroups @ Iot {
        next_token: Option<String>,
        max_results: Option<u32>,
        name_prefix_filter: Option<String>,
    } -> ListBillingGroupsResponse {
        billing_groups: Vec<GroupNameAndArn>,
        next_token: Option<String>,
    }
}

operation! {
    "Puts a thing into a billing group, in place of the one that it is in."
    AddThingToBillingGroup @ Iot {
        billing_group_name: Option<String>,
        billing_group_arn: Option<String>,
        thing_name: Option<String>,
        thing_arn: Option<String>,
    } -> AddThingToBillingGroupResponse {}
}

operation! {
    "Takes a thing out of a billing group."
    RemoveThingFromBillingGroup @ Iot {
        billing_group_name: Option<String>,
        billing_group_arn: Option<String>,
        thing_name: Option<String>,
        thing_arn: Option<String>,
    } -> RemoveThingFromBillingGroupResponse {}
}

operation! {
    "Lists the things in a billing group."
    ListThingsInBillingGroup @ Iot {
        billing_group_name: String,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListThingsInBillingGroupResponse {
        things: Vec<String>,
        next_token: Option<String>,
    }
}
