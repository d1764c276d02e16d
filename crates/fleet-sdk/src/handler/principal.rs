//! Principals of things; policies of principals and groups.

use fleet_model::certificate;
use fleet_model::group;
use fleet_model::id::{Arn, CertificateId, PolicyName, Resource, ThingGroupName, ThingName};
use fleet_model::thing::{self, AttachmentKind, Principal, Things};

use super::Handle;
use super::convert::{Checks, word};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    AttachPolicy, AttachPolicyResponse, AttachThingPrincipal, AttachThingPrincipalResponse,
    DetachPolicy, DetachPolicyResponse, DetachThingPrincipal, DetachThingPrincipalResponse,
    ListAttachedPolicies, ListAttachedPoliciesResponse, ListPrincipalThings,
    ListPrincipalThingsResponse, ListPrincipalThingsV2, ListPrincipalThingsV2Response,
    ListTargetsForPolicy, ListTargetsForPolicyResponse, ListThingPrincipals,
    ListThingPrincipalsResponse, ListThingPrincipalsV2, ListThingPrincipalsV2Response, Policy,
    PrincipalThingObject, ThingPrincipalObject,
};
use crate::page::Page;
use crate::refusal::Refusal;

const fn kind_name(kind: AttachmentKind) -> &'static str {
    match kind {
        AttachmentKind::Exclusive => "EXCLUSIVE_THING",
        AttachmentKind::NonExclusive => "NON_EXCLUSIVE_THING",
    }
}

fn principal_text(call: &Call<'_>, principal: &Principal) -> String {
    match principal {
        Principal::Certificate(id) => call.arn(Resource::Certificate(id.clone())),
        Principal::CognitoIdentity(id) => id.to_string(),
    }
}

async fn change(
    call: &mut Call<'_>,
    thing: &str,
    principal: &str,
    action: impl FnOnce(Principal) -> thing::Action + Send,
) -> Result<(), Refusal> {
    let mut checks = Checks::default();
    let name = checks.parse::<ThingName>(thing);
    let principal = checks.parse::<Principal>(principal);
    checks.finish()?;
    let (Some(name), Some(principal)) = (name, principal) else {
        return Err(Refusal::incomplete());
    };
    let _lock = call.lock().await;
    let stream = name.record().stream()?;
    let loaded = call.load::<Things>(&stream).await?;
    let mut facts = Facts::default();
    facts.principal(call, &principal).await?;
    let command = thing::Command {
        name: name.record(),
        action: action(principal),
    };
    super::thing::decide(call, &stream, loaded, command, &facts).await?;
    Ok(())
}

impl Handle for AttachThingPrincipal {
    type Answer = AttachThingPrincipalResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let kind = self.thing_principal_type.as_deref();
        let kind = kind.map(|text| word("thing principal type", text));
        let kind = kind.transpose()?.unwrap_or_default();
        let attach = |principal| thing::Action::AttachPrincipal { principal, kind };
        change(call, &self.thing_name, &self.principal, attach).await?;
        Ok(AttachThingPrincipalResponse {})
    }
}

impl Handle for DetachThingPrincipal {
    type Answer = DetachThingPrincipalResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let detach = |principal| thing::Action::DetachPrincipal { principal };
        change(call, &self.thing_name, &self.principal, detach).await?;
        Ok(DetachThingPrincipalResponse {})
    }
}

/// The principals of a thing, with the kinds of their attachments.
async fn of_thing(
    call: &Call<'_>,
    thing: &str,
    page: &Page,
    kind: Option<AttachmentKind>,
) -> Result<(Vec<ThingPrincipalObject>, Option<String>), Refusal> {
    let thing = super::thing::find(call, &thing.parse()?).await?;
    let held = thing.principals.iter();
    let held = held.filter(|held| kind.is_none_or(|kind| kind == held.kind));
    let mut rows: Vec<_> = held
        .map(|held| {
            let principal = principal_text(call, &held.principal);
            let row = ThingPrincipalObject {
                principal: principal.clone(),
                thing_principal_type: kind_name(held.kind).to_owned(),
            };
            (principal, row)
        })
        .collect();
    rows.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(page.cut_all(rows))
}

impl Handle for ListThingPrincipals {
    type Answer = ListThingPrincipalsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let token = self.next_token.as_deref();
        let page = Page::of("thing-principals", token, self.max_results, 250)?;
        let (rows, next_token) = of_thing(call, &self.thing_name, &page, None).await?;
        Ok(ListThingPrincipalsResponse {
            principals: rows.into_iter().map(|row| row.principal).collect(),
            next_token,
        })
    }
}

fn kind_filter(text: Option<&str>) -> Result<Option<AttachmentKind>, Refusal> {
    text.map(|text| word("thing principal type", text))
        .transpose()
}

impl Handle for ListThingPrincipalsV2 {
    type Answer = ListThingPrincipalsV2Response;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let token = self.next_token.as_deref();
        let page = Page::of("thing-principals-v2", token, self.max_results, 250)?;
        let kind = kind_filter(self.thing_principal_type.as_deref())?;
        let (thing_principal_objects, next_token) =
            of_thing(call, &self.thing_name, &page, kind).await?;
        Ok(ListThingPrincipalsV2Response {
            thing_principal_objects,
            next_token,
        })
    }
}

/// The things of a principal, with the kinds of its attachments.
async fn of_principal(
    call: &Call<'_>,
    principal: &str,
    page: &Page,
    kind: Option<AttachmentKind>,
) -> Result<(Vec<PrincipalThingObject>, Option<String>), Refusal> {
    let principal: Principal = principal.parse()?;
    if let Principal::Certificate(id) = &principal {
        super::certificate::find(call, id).await?;
    }
    call.fleet
        .principals(|all| {
            let things = all.things(&principal).into_iter();
            let things = things.filter(|held| kind.is_none_or(|kind| kind == held.kind));
            page.cut_all(things.map(|held| {
                let row = PrincipalThingObject {
                    thing_name: held.thing.to_string(),
                    thing_principal_type: kind_name(held.kind).to_owned(),
                };
                (held.thing.to_string(), row)
            }))
        })
        .await
}

impl Handle for ListPrincipalThings {
    type Answer = ListPrincipalThingsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let token = self.next_token.as_deref();
        let page = Page::of("principal-things", token, self.max_results, 250)?;
        let (rows, next_token) = of_principal(call, &self.principal, &page, None).await?;
        Ok(ListPrincipalThingsResponse {
            things: rows.into_iter().map(|row| row.thing_name).collect(),
            next_token,
        })
    }
}

impl Handle for ListPrincipalThingsV2 {
    type Answer = ListPrincipalThingsV2Response;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let token = self.next_token.as_deref();
        let page = Page::of("principal-things-v2", token, self.max_results, 250)?;
        let kind = kind_filter(self.thing_principal_type.as_deref())?;
        let (principal_thing_objects, next_token) =
            of_principal(call, &self.principal, &page, kind).await?;
        Ok(ListPrincipalThingsV2Response {
            principal_thing_objects,
            next_token,
        })
    }
}

fn no_target(target: &str) -> Refusal {
    Refusal::new(
        "request.invalid",
        format!(
            "`{target}` carries no policies: name a certificate or a static thing group by its ARN"
        ),
    )
}

/// What carries policies.
enum Target {
    Certificate(CertificateId),
    Group(ThingGroupName),
}

impl Target {
    fn of(text: &str) -> Result<Self, Refusal> {
        match text.parse::<Arn>().map(|arn| arn.resource) {
            Ok(Resource::Certificate(id)) => Ok(Self::Certificate(id)),
            Ok(Resource::ThingGroup(name)) => Ok(Self::Group(name)),
            _ => Err(no_target(text)),
        }
    }
}

/// What to do with a policy and its target.
enum Change {
    Attach,
    Detach,
}

async fn change_policy(
    call: &mut Call<'_>,
    policy: &str,
    target: &str,
    change: Change,
) -> Result<(), Refusal> {
    let mut checks = Checks::default();
    let policy = checks.parse::<PolicyName>(policy);
    let target = checks.ok(Target::of(target));
    checks.finish()?;
    let (Some(policy), Some(target)) = (policy, target) else {
        return Err(Refusal::incomplete());
    };
    match target {
        Target::Certificate(id) => {
            let action = match change {
                Change::Attach => certificate::Action::AttachPolicy { policy },
                Change::Detach => certificate::Action::DetachPolicy { policy },
            };
            super::certificate::decide(call, &id, action).await?;
        }
        Target::Group(name) => {
            let action = match change {
                Change::Attach => group::Action::AttachPolicy { policy },
                Change::Detach => group::Action::DetachPolicy { policy },
            };
            let _lock = call.lock().await;
            super::group::decide(call, &name, action, &Facts::default()).await?;
        }
    }
    Ok(())
}

impl Handle for AttachPolicy {
    type Answer = AttachPolicyResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        change_policy(call, &self.policy_name, &self.target, Change::Attach).await?;
        Ok(AttachPolicyResponse {})
    }
}

impl Handle for DetachPolicy {
    type Answer = DetachPolicyResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        change_policy(call, &self.policy_name, &self.target, Change::Detach).await?;
        Ok(DetachPolicyResponse {})
    }
}

impl Handle for ListAttachedPolicies {
    type Answer = ListAttachedPoliciesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let marker = self.marker.as_deref();
        let page = Page::of("attached-policies", marker, self.page_size, 250)?;
        let names = match Target::of(&self.target)? {
            Target::Certificate(id) => super::certificate::find(call, &id).await?.policies,
            Target::Group(name) => {
                let found = super::group::find(call, &name).await?;
                let mut names = found.policies.clone();
                for above in found.ancestors().iter().filter(|_| self.recursive) {
                    let above = super::thing::load_group(call, above).await?;
                    names.extend(above.into_iter().flat_map(|group| group.policies));
                }
                names
            }
        };
        let rows = names.into_iter().map(|name| {
            let row = Policy {
                policy_name: name.to_string(),
                policy_arn: call.arn(Resource::Policy(name.clone())),
            };
            (name.to_string(), row)
        });
        let (policies, next_marker) = page.cut_all(rows);
        Ok(ListAttachedPoliciesResponse {
            policies,
            next_marker,
        })
    }
}

impl Handle for ListTargetsForPolicy {
    type Answer = ListTargetsForPolicyResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let marker = self.marker.as_deref();
        let page = Page::of("targets-for-policy", marker, self.page_size, 250)?;
        let policy: PolicyName = self.policy_name.parse()?;
        let call = &*call;
        let groups = call.fleet.catalog(|all| {
            let groups = all.groups.after(None);
            let groups = groups.filter_map(|(_, record)| record.group());
            let groups = groups.filter(|group| group.policies.contains(&policy));
            let arns = groups.map(|group| call.arn(Resource::ThingGroup(group.name.clone())));
            arns.collect::<Vec<_>>()
        });
        let mut targets = groups.await?;
        let certificates = call.fleet.certificates(|all| {
            let devices = all.devices().map(|(_, certificate)| certificate);
            let devices = devices.filter(|found| found.policies.contains(&policy));
            let arns = devices.map(|found| call.arn(Resource::Certificate(found.id.clone())));
            arns.collect::<Vec<_>>()
        });
        targets.extend(certificates.await?);
        targets.sort_unstable();
        let (targets, next_marker) =
            page.cut_all(targets.into_iter().map(|arn| (arn.clone(), arn)));
        Ok(ListTargetsForPolicyResponse {
            targets,
            next_marker,
        })
    }
}
