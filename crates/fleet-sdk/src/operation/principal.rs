//! Principals attached to things, policies attached to principals and groups (AWS spec 1.3, 6.6).

operation! {
    "Attaches a certificate or Cognito identity to a thing."
    AttachThingPrincipal @ Iot {
        thing_name: String,
        principal: String,
        thing_principal_type: Option<String>,
    } -> AttachThingPrincipalResponse {}
}

operation! {
    "Detaches a principal from a thing."
    DetachThingPrincipal @ Iot {
        thing_name: String,
        principal: String,
    } -> DetachThingPrincipalResponse {}
}

operation! {
    "Lists the principals attached to a thing."
    ListThingPrincipals @ Iot {
        thing_name: String,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListThingPrincipalsResponse {
        principals: Vec<String>,
        next_token: Option<String>,
    }
}

wire! {
    /// A principal of a thing with the kind of its attachment.
    ThingPrincipalObject {
        principal: String,
        thing_principal_type: String,
    }
}

operation! {
    "Lists the principals attached to a thing, with the kind of each attachment."
    ListThingPrincipalsV2 @ Iot {
        thing_name: String,
        thing_principal_type: Option<String>,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListThingPrincipalsV2Response {
        thing_principal_objects: Vec<ThingPrincipalObject>,
        next_token: Option<String>,
    }
}

operation! {
    "Lists the things that a principal is attached to."
    ListPrincipalThings @ Iot {
        principal: String,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListPrincipalThingsResponse {
        things: Vec<String>,
        next_token: Option<String>,
    }
}

wire! {
    /// A thing of a principal with the kind of its attachment.
    PrincipalThingObject {
        thing_name: String,
        thing_principal_type: String,
    }
}

operation! {
    "Lists the things that a principal is attached to, with the kind of each attachment."
    ListPrincipalThingsV2 @ Iot {
        principal: String,
        thing_principal_type: Option<String>,
        next_token: Option<String>,
        max_results: Option<u32>,
    } -> ListPrincipalThingsV2Response {
        principal_thing_objects: Vec<PrincipalThingObject>,
        next_token: Option<String>,
    }
}

operation! {
    "Attaches a policy by name to a certificate or a static group."
    AttachPolicy @ Iot {
        policy_name: String,
        target: String,
    } -> AttachPolicyResponse {}
}

operation! {
    "Detaches a policy from a certificate or a static group."
    DetachPolicy @ Iot {
        policy_name: String,
        target: String,
    } -> DetachPolicyResponse {}
}

wire! {
    /// A policy by name and ARN.
    Policy {
        policy_name: String,
        policy_arn: String,
    }
}

operation! {
    "Lists the policies attached to a certificate or group; `recursive` adds those of its ancestors."
    ListAttachedPolicies @ Iot {
        target: String,
        #[serde(default)]
        recursive: bool,
        marker: Option<String>,
        page_size: Option<u32>,
    } -> ListAttachedPoliciesResponse {
        policies: Vec<Policy>,
        next_marker: Option<String>,
    }
}

operation! {
    "Lists the certificates and groups that a policy is attached to, by ARN."
    ListTargetsForPolicy @ Iot {
        policy_name: String,
        marker: Option<String>,
        page_size: Option<u32>,
    } -> ListTargetsForPolicyResponse {
        targets: Vec<String>,
        next_marker: Option<String>,
    }
}
