//! Tags on resources.

wire! {
    /// A tag.
    Tag {
        #[serde(rename = "Key")]
        key: String,
        #[serde(rename = "Value")]
        value: Option<String>,
    }
}

operation! {
    "Sets tags on a resource."
    TagResource @ Iot {
        resource_arn: String,
        tags: Vec<Tag>,
    } -> TagResourceResponse {}
}

operation! {
    "Removes tags from a resource."
    UntagResource @ Iot {
        resource_arn: String,
        tag_keys: Vec<String>,
    } -> UntagResourceResponse {}
}

operation! {
    "Lists the tags of a resource."
    ListTagsForResource @ Iot {
        resource_arn: String,
        next_token: Option<String>,
    } -> ListTagsForResourceResponse {
        tags: Vec<Tag>,
        next_token: Option<String>,
    }
}
