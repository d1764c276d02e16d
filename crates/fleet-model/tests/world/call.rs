//! AWS requests as JSON, run against a [`World`].

use super::{Failure, Outcome, World};
use fleet_model::attribute::{AttributePayload, Mode};
use fleet_model::billing_group;
use fleet_model::ca_certificate;
use fleet_model::certificate;
use fleet_model::group;
use fleet_model::id::*;
use fleet_model::kernel::ErrorCode;
use fleet_model::tag::Tags;
use fleet_model::thing::{self, DynamicGroups};
use fleet_model::thing_type;
use serde_json::{Value, json};
use std::str::FromStr;

/// What a request answered: its response, and the types of the events that it brought forth.
pub type Answer = Result<(Value, Vec<&'static str>), Failure>;

fn text<'a>(params: &'a Value, name: &str) -> Option<&'a str> {
    params.get(name).and_then(Value::as_str)
}

fn parse<T: FromStr<Err = IdError>>(params: &Value, name: &str) -> Result<T, Failure> {
    Ok(text(params, name).unwrap_or_default().parse()?)
}

fn optional<T: FromStr<Err = IdError>>(params: &Value, name: &str) -> Result<Option<T>, Failure> {
    Ok(text(params, name).map(str::parse).transpose()?)
}

fn list<T: FromStr<Err = IdError>>(params: &Value, name: &str) -> Result<Vec<T>, Failure> {
    let elements = params.get(name).and_then(Value::as_array);
    let parsed = elements.into_iter().flatten().map(|element| {
        let text = element.as_str().unwrap_or_default();
        text.parse().map_err(Failure::from)
    });
    parsed.collect()
}

fn flag(params: &Value, name: &str) -> bool {
    params.get(name).and_then(Value::as_bool).unwrap_or(false)
}

fn expected(params: &Value) -> Option<Revision> {
    params.get("expectedVersion")?.as_u64().map(Revision)
}

fn attributes(params: &Value) -> Result<Option<AttributePayload>, Failure> {
    let Some(payload) = params.get("attributePayload") else {
        return Ok(None);
    };
    let pairs = payload.get("attributes").and_then(Value::as_object);
    let pairs = pairs.into_iter().flatten();
    let mode = if flag(payload, "merge") {
        Mode::Merge
    } else {
        Mode::Replace
    };
    let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
    Ok(Some(AttributePayload::parse(pairs, mode)?))
}

fn group_update(params: &Value) -> Result<group::Update, Failure> {
    let properties = &params["thingGroupProperties"];
    Ok(group::Update {
        description: optional(properties, "thingGroupDescription")?,
        attributes: attributes(properties)?,
        expected_version: expected(params),
    })
}

impl World {
    /// Runs one AWS request; `(match)` and `(unmatch)` stand for the evaluation of a dynamic group.
    pub fn call(&mut self, op: &str, params: &Value) -> Answer {
        if op.starts_with("Describe") || op.starts_with("List") {
            return Ok((self.read(op, params)?, vec![]));
        }
        let events = self.write(op, params)?;
        Ok((json!({}), events))
    }

    fn write(&mut self, op: &str, params: &Value) -> Outcome {
        match op {
            _ if op.contains("BillingGroup") => self.write_billing(op, params),
            _ if op.ends_with("ThingType") => self.write_type(op, params),
            _ if op.contains("CACertificate") => self.write_ca(op, params),
            _ if op.contains("Certificate") => self.write_certificate(op, params),
            "AttachPolicy" | "DetachPolicy"
                if text(params, "target").is_some_and(|target| target.contains(":cert/")) =>
            {
                self.write_certificate(op, params)
            }
            "AttachPolicy" | "DetachPolicy" => self.write_group(op, params),
            "CreateThingGroup"
            | "CreateDynamicThingGroup"
            | "UpdateThingGroup"
            | "UpdateDynamicThingGroup"
            | "DeleteThingGroup"
            | "DeleteDynamicThingGroup" => self.write_group(op, params),
            _ => self.write_thing(op, params),
        }
    }

    fn write_thing(&mut self, op: &str, params: &Value) -> Outcome {
        let name: ThingName = parse(params, "thingName")?;
        let groups = |add, remove, cause| {
            thing::Action::UpdateGroups(thing::UpdateGroups {
                add,
                remove,
                dynamic_groups: if flag(params, "overrideDynamicGroups") {
                    DynamicGroups::GiveWay
                } else {
                    DynamicGroups::Keep
                },
                cause,
            })
        };
        let action = match op {
            "CreateThing" => thing::Action::Create(thing::Create {
                id: self.uuid().into(),
                thing_type: optional(params, "thingTypeName")?,
                attributes: attributes(params)?.unwrap_or_default(),
                billing_group: optional(params, "billingGroupName")?,
            }),
            "UpdateThing" => thing::Action::Update(thing::Update {
                thing_type: optional(params, "thingTypeName")?,
                remove_thing_type: flag(params, "removeThingType"),
                attributes: attributes(params)?,
                expected_version: expected(params),
            }),
            "DeleteThing" => thing::Action::Delete {
                expected_version: expected(params),
            },
            "AddThingToThingGroup" => {
                groups(vec![parse(params, "thingGroupName")?], vec![], self.uuid())
            }
            "RemoveThingFromThingGroup" => {
                groups(vec![], vec![parse(params, "thingGroupName")?], self.uuid())
            }
            "UpdateThingGroupsForThing" => groups(
                list(params, "thingGroupsToAdd")?,
                list(params, "thingGroupsToRemove")?,
                self.uuid(),
            ),
            "(match)" => thing::Action::BeginMatch {
                group: parse(params, "thingGroupName")?,
                cause: self.uuid(),
            },
            "(unmatch)" => thing::Action::EndMatch {
                group: parse(params, "thingGroupName")?,
            },
            "AttachThingPrincipal" => thing::Action::AttachPrincipal {
                principal: parse(params, "principal")?,
                kind: match text(params, "thingPrincipalType") {
                    Some("EXCLUSIVE_THING") => thing::AttachmentKind::Exclusive,
                    _ => thing::AttachmentKind::NonExclusive,
                },
            },
            "DetachThingPrincipal" => thing::Action::DetachPrincipal {
                principal: parse(params, "principal")?,
            },
            _ => panic!("no such operation in tables: {op}"),
        };
        self.run_thing(thing::Command {
            name: name.into(),
            action,
        })
    }

    fn write_billing(&mut self, op: &str, params: &Value) -> Outcome {
        let name: BillingGroupName = parse(params, "billingGroupName")?;
        let properties = &params["billingGroupProperties"];
        let description = optional(properties, "billingGroupDescription")?;
        let thing_action = match op {
            "AddThingToBillingGroup" => thing::Action::AddToBillingGroup {
                billing_group: name.clone(),
            },
            "RemoveThingFromBillingGroup" => thing::Action::RemoveFromBillingGroup {
                billing_group: name.clone(),
            },
            _ => {
                let action = match op {
                    "CreateBillingGroup" => billing_group::Action::Create {
                        id: self.uuid().into(),
                        description,
                        tags: Tags::default(),
                    },
                    "UpdateBillingGroup" => billing_group::Action::Update {
                        description,
                        expected_version: expected(params),
                    },
                    "DeleteBillingGroup" => billing_group::Action::Delete {
                        expected_version: expected(params),
                    },
                    _ => panic!("no such operation in tables: {op}"),
                };
                return self.run_billing(billing_group::Command { name, action });
            }
        };
        let thing: ThingName = parse(params, "thingName")?;
        self.run_thing(thing::Command {
            name: thing.into(),
            action: thing_action,
        })
    }

    fn write_type(&mut self, op: &str, params: &Value) -> Outcome {
        let name = parse(params, "thingTypeName")?;
        let properties = &params["thingTypeProperties"];
        let action = match op {
            "CreateThingType" => thing_type::Action::Create(thing_type::Create {
                id: self.uuid().into(),
                description: optional(properties, "thingTypeDescription")?,
                searchable_attributes: list(properties, "searchableAttributes")?
                    .into_iter()
                    .collect(),
                mqtt5_configuration: None,
                tags: Tags::default(),
            }),
            "UpdateThingType" => thing_type::Action::Update(thing_type::Update {
                description: optional(properties, "thingTypeDescription")?,
                ..thing_type::Update::default()
            }),
            "DeprecateThingType" if flag(params, "undoDeprecate") => {
                thing_type::Action::Undeprecate
            }
            "DeprecateThingType" => thing_type::Action::Deprecate,
            "DeleteThingType" => thing_type::Action::Delete,
            _ => panic!("no such operation in tables: {op}"),
        };
        self.run_type(thing_type::Command { name, action })
    }

    fn write_group(&mut self, op: &str, params: &Value) -> Outcome {
        let name = match text(params, "target") {
            Some(arn) => arn.rsplit('/').next().unwrap_or(arn).parse()?,
            None => parse(params, "thingGroupName")?,
        };
        let properties = &params["thingGroupProperties"];
        let action = match op {
            "CreateThingGroup" => group::Action::Create(group::Create {
                id: self.uuid().into(),
                parent: optional(params, "parentGroupName")?,
                description: optional(properties, "thingGroupDescription")?,
                attributes: attributes(properties)?.unwrap_or_default(),
                tags: Tags::default(),
            }),
            "CreateDynamicThingGroup" => group::Action::CreateDynamic(group::CreateDynamic {
                id: self.uuid().into(),
                query: parse(params, "queryString")?,
                query_version: text(params, "queryVersion").map(str::to_owned),
                index_name: optional(params, "indexName")?,
                description: optional(properties, "thingGroupDescription")?,
                attributes: attributes(properties)?.unwrap_or_default(),
                tags: Tags::default(),
            }),
            "UpdateThingGroup" => group::Action::Update(group_update(params)?),
            "UpdateDynamicThingGroup" => group::Action::UpdateDynamic(group::UpdateDynamic {
                properties: group_update(params)?,
                query: optional(params, "queryString")?,
                query_version: text(params, "queryVersion").map(str::to_owned),
                index_name: optional(params, "indexName")?,
            }),
            "DeleteThingGroup" => group::Action::Delete {
                expected_version: expected(params),
            },
            "DeleteDynamicThingGroup" => group::Action::DeleteDynamic {
                expected_version: expected(params),
            },
            "AttachPolicy" => group::Action::AttachPolicy {
                policy: parse(params, "policyName")?,
            },
            "DetachPolicy" => group::Action::DetachPolicy {
                policy: parse(params, "policyName")?,
            },
            _ => panic!("no such operation in tables: {op}"),
        };
        self.run_group(group::Command { name, action })
    }

    fn write_certificate(&mut self, op: &str, params: &Value) -> Outcome {
        use certificate::{AcceptedStatus, Action, Arrival, CertificateMode, OnPolicies, Register};
        let id = match text(params, "target") {
            Some(arn) => arn.rsplit_once('/').unwrap().1.parse()?,
            None => parse(params, "certificateId")?,
        };
        let status = |name| {
            let text = params.get(name).cloned();
            serde_json::from_value(text.unwrap_or_else(|| json!("INACTIVE"))).unwrap()
        };
        let action = match op {
            "RegisterCertificate" | "RegisterCertificateWithoutCA" => Action::Register(Register {
                pem: parse(params, "certificatePem")?,
                arrival: Arrival::Registered,
                mode: match op {
                    "RegisterCertificate" => CertificateMode::Default,
                    _ => CertificateMode::SniOnly,
                },
                ca: optional(params, "caCertificateId")?,
                status: status("status"),
                owner: "123456789012".parse()?,
                not_before: None,
                not_after: None,
            }),
            "UpdateCertificate" => Action::Update {
                status: status("newStatus"),
            },
            "DeleteCertificate" => Action::Delete {
                policies: if flag(params, "forceDelete") {
                    OnPolicies::Detach
                } else {
                    OnPolicies::Refuse
                },
            },
            "TransferCertificate" => Action::Transfer {
                target: parse(params, "targetAwsAccount")?,
                message: optional(params, "transferMessage")?,
            },
            "AcceptCertificateTransfer" => Action::AcceptTransfer {
                status: if flag(params, "setAsActive") {
                    AcceptedStatus::Active
                } else {
                    AcceptedStatus::Inactive
                },
            },
            "RejectCertificateTransfer" => Action::RejectTransfer {
                reason: optional(params, "rejectReason")?,
            },
            "CancelCertificateTransfer" => Action::CancelTransfer,
            "AttachPolicy" => Action::AttachPolicy {
                policy: parse(params, "policyName")?,
            },
            "DetachPolicy" => Action::DetachPolicy {
                policy: parse(params, "policyName")?,
            },
            _ => panic!("no such operation in tables: {op}"),
        };
        self.run_certificate(certificate::Command { id, action })
    }

    fn write_ca(&mut self, op: &str, params: &Value) -> Outcome {
        use ca_certificate::{Action, AutoRegistration, CaStatus, Possession, Register, Update};
        let id = parse(params, "certificateId")?;
        let action = match op {
            "RegisterCACertificate" => Action::Register(Register {
                pem: parse(params, "caCertificate")?,
                subject: "CN=ca".parse()?,
                mode: match text(params, "certificateMode") {
                    Some("SNI_ONLY") => certificate::CertificateMode::SniOnly,
                    _ => certificate::CertificateMode::Default,
                },
                possession: match text(params, "verificationCertificate") {
                    Some(_) => Possession::Proven,
                    None => Possession::NotShown,
                },
                status: if flag(params, "setAsActive") {
                    CaStatus::Active
                } else {
                    CaStatus::Inactive
                },
                auto_registration: if flag(params, "allowAutoRegistration") {
                    AutoRegistration::Enable
                } else {
                    AutoRegistration::Disable
                },
                registration_config: None,
                owner: "123456789012".parse()?,
                tags: Tags::default(),
                not_before: None,
                not_after: None,
            }),
            "UpdateCACertificate" => Action::Update(Update {
                status: params
                    .get("newStatus")
                    .map(|status| serde_json::from_value(status.clone()).unwrap()),
                ..Update::default()
            }),
            "DeleteCACertificate" => Action::Delete,
            _ => panic!("no such operation in tables: {op}"),
        };
        self.run_ca(ca_certificate::Command { id, action })
    }

    fn read(&self, op: &str, params: &Value) -> Result<Value, Failure> {
        match op {
            "DescribeThing" => {
                let name: RecordName = parse(params, "thingName")?;
                let Some(thing) = self.thing(&name) else {
                    let error = thing::ThingError::NotFound { thing: name };
                    return Err(Failure {
                        codes: vec![error.code()],
                        message: error.to_string(),
                    });
                };
                Ok(json!({
                    "thingName": thing.name,
                    "thingId": thing.id,
                    "thingTypeName": thing.thing_type,
                    "attributes": thing.attributes,
                    "version": thing.version,
                    "billingGroupName": thing
                        .live_billing_group(self)
                        .map(|billing| &billing.billing_group_name),
                }))
            }
            "DescribeThingGroup" => {
                let group = self.group_state(&parse(params, "thingGroupName")?).unwrap();
                let path = group.ancestors().iter();
                let path: Vec<_> = path.map(|a| json!({"groupName": a.group_name})).collect();
                Ok(json!({
                    "thingGroupName": group.name,
                    "thingGroupId": group.id,
                    "version": group.version,
                    "thingGroupProperties": {"attributePayload": {"attributes": group.attributes}},
                    "thingGroupMetadata": {
                        "parentGroupName": group.parent().map(|parent| &parent.group_name),
                        "rootToParentThingGroups": (!path.is_empty()).then_some(path),
                    },
                }))
            }
            "DescribeCertificate" => {
                let record = self.certificates.state(&parse(params, "certificateId")?);
                let certificate = record.certificate().unwrap();
                Ok(json!({
                    "status": certificate.status,
                    "ownedBy": certificate.owned_by,
                    "previousOwnedBy": certificate.previous_owned_by,
                }))
            }
            "ListPrincipalThings" => {
                let things = thing::View::principal_things(self, &parse(params, "principal")?);
                let names = things.iter().map(|held| &held.thing);
                Ok(json!({"things": names.collect::<Vec<_>>()}))
            }
            "DescribeBillingGroup" => {
                let record = self
                    .billing_groups
                    .state(&parse(params, "billingGroupName")?);
                let group = record.billing_group().unwrap();
                Ok(json!({"billingGroupId": group.id}))
            }
            "ListThingGroupsForThing" => {
                let thing = self.thing(&parse(params, "thingName")?).unwrap();
                let groups = thing.live_groups(self);
                let groups = groups.map(|m| json!({"groupName": m.group.group_name}));
                Ok(json!({"thingGroups": groups.collect::<Vec<_>>()}))
            }
            "ListThingsInThingGroup" => {
                let group = self.group_state(&parse(params, "thingGroupName")?).unwrap();
                let below = |m: &&thing::Membership| {
                    let member = self.group_state(&m.group.group_name).unwrap();
                    let above = member.ancestors().contains(&group.reference());
                    m.group.group_id == group.id || (flag(params, "recursive") && above)
                };
                let things = self
                    .all_things()
                    .filter(|thing| thing.live_groups(self).any(|m| below(&m)));
                Ok(json!({"things": things.map(|thing| &thing.name).collect::<Vec<_>>()}))
            }
            _ => panic!("no such operation in tables: {op}"),
        }
    }
}
