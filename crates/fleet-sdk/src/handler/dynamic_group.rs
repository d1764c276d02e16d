//! Dynamic groups as records, and memberships that an embedder hands in.

use fleet_model::group::{
    Action, CreateDynamic, GroupError, INDEX_NAME, Kind, QUERY_VERSION, Update, UpdateDynamic,
};
use fleet_model::id::{Resource, ThingGroupName, ThingName};
use fleet_model::thing::{self, Things};
use fleet_query::{Dialect, Mode, Query};

use super::Handle;
use super::convert::{Checks, revision, tags};
use super::group::{decide, evicted, properties};
use super::query::diagnosed;
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    ApplyDynamicMembership, ApplyDynamicMembershipResponse, CompleteDynamicThingGroup,
    CompleteDynamicThingGroupResponse, CreateDynamicThingGroup, CreateDynamicThingGroupResponse,
    DeleteDynamicThingGroup, DeleteDynamicThingGroupResponse, UpdateDynamicThingGroup,
    UpdateDynamicThingGroupResponse,
};
use crate::refusal::Refusal;

fn check_query(text: &str) -> Result<(), Refusal> {
    Query::parse(text, Dialect::Aws, Mode::Lenient)
        .map(|_| ())
        .map_err(|all| diagnosed(&all))
}

/// What decisions about dynamic groups see.
async fn facts(call: &Call<'_>) -> Result<Facts, Refusal> {
    let mut facts = Facts::default();
    facts.dynamic_groups = call.fleet.catalog(|all| all.dynamic().len()).await?;
    facts.index_ready = super::index::configuration(call).await?.things_on();
    Ok(facts)
}

impl Handle for CreateDynamicThingGroup {
    type Answer = CreateDynamicThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingGroupName>(&self.thing_group_name);
        let properties = properties(self.thing_group_properties.as_ref(), &mut checks);
        let query = checks.parse(&self.query_string);
        let index_name = checks.parse_option(self.index_name.as_deref());
        let tags = checks.refused(tags(self.tags.as_deref()));
        checks.ok(check_query(&self.query_string));
        checks.finish()?;
        let (Some(name), Some(query), Some(tags)) = (name, query, tags) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let facts = facts(call).await?;
        let create = CreateDynamic {
            id: call.fresh_id().into(),
            query,
            query_version: self.query_version,
            index_name,
            description: properties.description,
            attributes: properties.attributes.unwrap_or_default(),
            tags,
        };
        let state = decide(call, &name, Action::CreateDynamic(create), &facts).await?;
        let id = state.group().map(|group| group.id.to_string());
        Ok(CreateDynamicThingGroupResponse {
            thing_group_name: name.to_string(),
            thing_group_arn: call.arn(Resource::ThingGroup(name)),
            thing_group_id: id.unwrap_or_default(),
            index_name: INDEX_NAME.to_owned(),
            query_string: self.query_string,
            query_version: QUERY_VERSION.to_owned(),
        })
    }
}

impl Handle for UpdateDynamicThingGroup {
    type Answer = UpdateDynamicThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingGroupName>(&self.thing_group_name);
        let properties = properties(Some(&self.thing_group_properties), &mut checks);
        let query = checks.parse_option(self.query_string.as_deref());
        let index_name = checks.parse_option(self.index_name.as_deref());
        if let Some(text) = &self.query_string {
            checks.ok(check_query(text));
        }
        checks.finish()?;
        let name = name.ok_or_else(Refusal::incomplete)?;
        let _lock = call.lock().await;
        let facts = facts(call).await?;
        let update = UpdateDynamic {
            properties: Update {
                expected_version: revision(self.expected_version),
                ..properties
            },
            query,
            query_version: self.query_version,
            index_name,
        };
        let state = decide(call, &name, Action::UpdateDynamic(update), &facts).await?;
        Ok(UpdateDynamicThingGroupResponse {
            version: state.group().map_or(0, |group| group.version.0),
        })
    }
}

impl Handle for DeleteDynamicThingGroup {
    type Answer = DeleteDynamicThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingGroupName = self.thing_group_name.parse()?;
        let _lock = call.lock().await;
        let facts = facts(call).await?;
        let expected_version = revision(self.expected_version);
        let action = Action::DeleteDynamic { expected_version };
        decide(call, &name, action, &facts).await?;
        Ok(DeleteDynamicThingGroupResponse {})
    }
}

impl Handle for CompleteDynamicThingGroup {
    type Answer = CompleteDynamicThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingGroupName = self.thing_group_name.parse()?;
        let _lock = call.lock().await;
        let group = super::group::find(call, &name).await?;
        let Kind::Dynamic { query_revision, .. } = group.kind else {
            return Err(GroupError::Static { group: name }.into());
        };
        let facts = facts(call).await?;
        let action = Action::FinishBuild { query_revision };
        let state = decide(call, &name, action, &facts).await?;
        let status = state.group().and_then(|group| match &group.kind {
            Kind::Dynamic { status, .. } => Some(status.as_str().to_owned()),
            Kind::Static { .. } => None,
        });
        Ok(CompleteDynamicThingGroupResponse {
            status: status.unwrap_or_default(),
        })
    }
}

impl Handle for ApplyDynamicMembership {
    type Answer = ApplyDynamicMembershipResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingName>(&self.thing_name);
        let group = checks.parse::<ThingGroupName>(&self.thing_group_name);
        checks.finish()?;
        let (Some(name), Some(group)) = (name, group) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let stream = name.record().stream()?;
        let loaded = call.load::<Things>(&stream).await?;
        let mut facts = Facts::default();
        facts.of_thing(call, loaded.state.thing()).await?;
        facts.groups(call, [&group]).await?;
        let action = if self.eligible {
            let cause = call.correlation;
            thing::Action::BeginMatch {
                group: group.clone(),
                cause,
            }
        } else {
            thing::Action::EndMatch {
                group: group.clone(),
            }
        };
        let command = thing::Command {
            name: name.record(),
            action,
        };
        let loaded = super::thing::decide(call, &stream, loaded, command, &facts).await?;
        let thing = loaded.state.thing();
        let member = thing.is_some_and(|thing| {
            let mut live = thing.live_groups(&facts);
            live.any(|held| held.group.group_name == group)
        });
        let limit = call.fleet.options.limits.groups_per_thing;
        // A place that was lost before is not recorded again, but told of every time.
        let refused = (self.eligible && !member)
            .then(|| format!("the thing is in {limit} groups already, and none of them gives way"));
        Ok(ApplyDynamicMembershipResponse {
            member,
            evicted_from: evicted(&loaded.events),
            refused,
        })
    }
}
