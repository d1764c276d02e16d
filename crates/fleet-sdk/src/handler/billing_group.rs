//! Billing groups.

use fleet_model::billing_group::{
    self, Action, BillingGroup, BillingGroupError, BillingGroups, Command,
};
use fleet_model::id::{BillingGroupName, Description, Resource};
use fleet_model::kernel::Decider as _;
use fleet_model::thing::{self, Things};

use super::Handle;
use super::convert::{Checks, revision, tags};
use super::group::{Named, members, thing_and};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    AddThingToBillingGroup, AddThingToBillingGroupResponse, BillingGroupMetadata,
    BillingGroupProperties, CreateBillingGroup, CreateBillingGroupResponse, DeleteBillingGroup,
    DeleteBillingGroupResponse, DescribeBillingGroup, DescribeBillingGroupResponse,
    GroupNameAndArn, ListBillingGroups, ListBillingGroupsResponse, ListThingsInBillingGroup,
    ListThingsInBillingGroupResponse, RemoveThingFromBillingGroup,
    RemoveThingFromBillingGroupResponse, Seconds, UpdateBillingGroup, UpdateBillingGroupResponse,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// The billing group of a name, or `billing_group.not_found`.
pub(super) async fn find(
    call: &Call<'_>,
    name: &BillingGroupName,
) -> Result<BillingGroup, Refusal> {
    let loaded = call
        .load::<BillingGroups>(&billing_group::stream(name)?)
        .await?;
    match loaded.state {
        billing_group::Record::Present(found) => Ok(*found),
        billing_group::Record::Absent => Err(BillingGroupError::NotFound {
            billing_group: name.clone(),
        }
        .into()),
    }
}

async fn decide(
    call: &mut Call<'_>,
    name: &BillingGroupName,
    action: Action,
) -> Result<billing_group::Record, Refusal> {
    let stream = billing_group::stream(name)?;
    let loaded = call.load::<BillingGroups>(&stream).await?;
    let command = Command {
        name: name.clone(),
        action,
    };
    let decision =
        BillingGroups::decide(&loaded.state, command, &call.context(&())).map_err(|refused| {
            let id = loaded.state.billing_group();
            let id = id.map(|found| found.id.to_string());
            Refusal::from(refused).taken_by(id, call.arn(Resource::BillingGroup(name.clone())))
        })?;
    Ok(call
        .record::<BillingGroups>(&stream, loaded, decision)
        .await?
        .state)
}

fn description(
    properties: Option<&BillingGroupProperties>,
    checks: &mut Checks,
) -> Option<Description> {
    checks.parse_option(properties.and_then(|p| p.billing_group_description.as_deref()))
}

impl Handle for CreateBillingGroup {
    type Answer = CreateBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<BillingGroupName>(&self.billing_group_name);
        let description = description(self.billing_group_properties.as_ref(), &mut checks);
        let tags = checks.refused(tags(self.tags.as_deref()));
        checks.finish()?;
        let (Some(name), Some(tags)) = (name, tags) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let create = Action::Create {
            id: call.fresh_id().into(),
            description,
            tags,
        };
        let state = decide(call, &name, create).await?;
        let id = state.billing_group().map(|found| found.id.to_string());
        Ok(CreateBillingGroupResponse {
            billing_group_name: name.to_string(),
            billing_group_arn: call.arn(Resource::BillingGroup(name)),
            billing_group_id: id.unwrap_or_default(),
        })
    }
}

impl Handle for DescribeBillingGroup {
    type Answer = DescribeBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: BillingGroupName = self.billing_group_name.parse()?;
        let found = find(call, &name).await?;
        Ok(DescribeBillingGroupResponse {
            billing_group_name: name.to_string(),
            billing_group_id: found.id.to_string(),
            billing_group_arn: call.arn(Resource::BillingGroup(name)),
            version: found.version.0,
            billing_group_properties: BillingGroupProperties {
                billing_group_description: found.description.as_ref().map(ToString::to_string),
            },
            billing_group_metadata: BillingGroupMetadata {
                creation_date: Seconds(found.created_at),
            },
        })
    }
}

impl Handle for UpdateBillingGroup {
    type Answer = UpdateBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<BillingGroupName>(&self.billing_group_name);
        let description = description(Some(&self.billing_group_properties), &mut checks);
        checks.finish()?;
        let Some(name) = name else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let update = Action::Update {
            description,
            expected_version: revision(self.expected_version),
        };
        let state = decide(call, &name, update).await?;
        Ok(UpdateBillingGroupResponse {
            version: state.billing_group().map_or(0, |found| found.version.0),
        })
    }
}

impl Handle for DeleteBillingGroup {
    type Answer = DeleteBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: BillingGroupName = self.billing_group_name.parse()?;
        let _lock = call.lock().await;
        let expected_version = revision(self.expected_version);
        decide(call, &name, Action::Delete { expected_version }).await?;
        Ok(DeleteBillingGroupResponse {})
    }
}

impl Handle for ListBillingGroups {
    type Answer = ListBillingGroupsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of(
            "billing-groups",
            self.next_token.as_deref(),
            self.max_results,
            250,
        )?;
        let prefix = self.name_prefix_filter.as_deref().unwrap_or_default();
        let call = &*call;
        let (billing_groups, next_token) = call
            .fleet
            .catalog(|catalog| {
                let rows = catalog
                    .billing
                    .after(page.after.as_deref())
                    .filter_map(|(key, record)| Some((key, record.billing_group()?)))
                    .filter(|(key, _)| key.starts_with(prefix))
                    .map(|(key, found)| {
                        let row = GroupNameAndArn {
                            group_name: found.name.to_string(),
                            group_arn: call.arn(Resource::BillingGroup(found.name.clone())),
                        };
                        (key.to_owned(), row)
                    });
                page.cut(rows)
            })
            .await?;
        Ok(ListBillingGroupsResponse {
            billing_groups,
            next_token,
        })
    }
}

fn billing_resource(resource: Resource) -> Option<BillingGroupName> {
    match resource {
        Resource::BillingGroup(name) => Some(name),
        _ => None,
    }
}

async fn change(
    call: &mut Call<'_>,
    thing: Named<'_>,
    group: Named<'_>,
    action: fn(BillingGroupName) -> thing::Action,
) -> Result<(), Refusal> {
    let (thing, group) = thing_and(thing, "billing group", group, billing_resource)?;
    let _lock = call.lock().await;
    let stream = thing.record().stream()?;
    let loaded = call.load::<Things>(&stream).await?;
    let mut facts = Facts::default();
    facts.of_thing(call, loaded.state.thing()).await?;
    facts.billing_group(call, &group).await?;
    let command = thing::Command {
        name: thing.record(),
        action: action(group),
    };
    super::thing::decide(call, &stream, loaded, command, &facts).await?;
    Ok(())
}

impl Handle for AddThingToBillingGroup {
    type Answer = AddThingToBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let thing = (self.thing_name.as_deref(), self.thing_arn.as_deref());
        let group = (
            self.billing_group_name.as_deref(),
            self.billing_group_arn.as_deref(),
        );
        let add = |billing_group| thing::Action::AddToBillingGroup { billing_group };
        change(call, thing, group, add).await?;
        Ok(AddThingToBillingGroupResponse {})
    }
}

impl Handle for RemoveThingFromBillingGroup {
    type Answer = RemoveThingFromBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let thing = (self.thing_name.as_deref(), self.thing_arn.as_deref());
        let group = (
            self.billing_group_name.as_deref(),
            self.billing_group_arn.as_deref(),
        );
        let remove = |billing_group| thing::Action::RemoveFromBillingGroup { billing_group };
        change(call, thing, group, remove).await?;
        Ok(RemoveThingFromBillingGroupResponse {})
    }
}

impl Handle for ListThingsInBillingGroup {
    type Answer = ListThingsInBillingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of(
            "things-in-billing-group",
            self.next_token.as_deref(),
            self.max_results,
            250,
        )?;
        let name: BillingGroupName = self.billing_group_name.parse()?;
        let found = find(call, &name).await?;
        let of = |things: &crate::read::Things| {
            let billed = things.billed(found.id).cloned();
            billed.unwrap_or_default()
        };
        let (things, next_token) = members(call, &page, of).await?;
        Ok(ListThingsInBillingGroupResponse { things, next_token })
    }
}
