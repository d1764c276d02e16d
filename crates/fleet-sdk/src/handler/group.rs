//! Static groups, and listings of all groups.

use fleet_model::group::{
    self, Action, Command, Create, Group, GroupError, Groups, Kind, Layer, Update,
};
use fleet_model::id::{Arn, Description, Resource, ThingGroupName, ThingName};
use fleet_model::kernel::Decider;
use fleet_model::thing::{self, DynamicGroups, LeaveReason, Things, UpdateGroups};

use super::convert::{Checks, attribute_map, payload, revision, tags};
use super::{Handle, thing::effective_map};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    self, AddThingToThingGroup, AddThingToThingGroupResponse, CreateThingGroup,
    CreateThingGroupResponse, DeleteThingGroup, DeleteThingGroupResponse, DescribeThingGroup,
    DescribeThingGroupResponse, GroupNameAndArn, ListThingGroups, ListThingGroupsForThing,
    ListThingGroupsForThingResponse, ListThingGroupsResponse, ListThingsInThingGroup,
    ListThingsInThingGroupResponse, RemoveThingFromThingGroup, RemoveThingFromThingGroupResponse,
    Seconds, ThingGroupMetadata, ThingGroupProperties, UpdateThingGroup, UpdateThingGroupResponse,
    UpdateThingGroupsForThing, UpdateThingGroupsForThingResponse,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// The group of a name, or `group.not_found`.
pub(super) async fn find(call: &Call<'_>, name: &ThingGroupName) -> Result<Group, Refusal> {
    let loaded = call.load::<Groups>(&group::stream(name)?).await?;
    match loaded.state {
        group::Record::Present(group) => Ok(*group),
        group::Record::Absent => Err(GroupError::NotFound {
            group: name.clone(),
        }
        .into()),
    }
}

pub(super) fn name_and_arn(
    call: &Call<'_>,
    name: &ThingGroupName,
) -> Result<GroupNameAndArn, Refusal> {
    Ok(GroupNameAndArn {
        group_name: name.to_string(),
        group_arn: call.arn(Resource::ThingGroup(name.clone())),
    })
}

/// Description and change of attributes of a request's properties.
pub(super) fn properties(properties: Option<&ThingGroupProperties>, checks: &mut Checks) -> Update {
    let Some(properties) = properties else {
        return Update::default();
    };
    let description =
        checks.parse_option::<Description>(properties.thing_group_description.as_deref());
    let attributes = checks.refused(payload(properties.attribute_payload.as_ref()));
    Update {
        description,
        attributes: attributes.flatten(),
        expected_version: None,
    }
}

/// Decides a command to a group under the decision lock, with `facts` looked up before.
pub(super) async fn decide(
    call: &mut Call<'_>,
    name: &ThingGroupName,
    action: Action,
    facts: &Facts,
) -> Result<<Groups as Decider>::State, Refusal> {
    let stream = group::stream(name)?;
    let loaded = call.load::<Groups>(&stream).await?;
    let command = Command {
        name: name.clone(),
        action,
    };
    let decision = Groups::decide(
        &loaded.state,
        command,
        &call.context::<dyn group::View>(facts),
    )
    .map_err(|refused| {
        let id = loaded.state.group().map(|group| group.id.to_string());
        Refusal::from(refused).taken_by(id, call.arn(Resource::ThingGroup(name.clone())))
    })?;
    Ok(call
        .record::<Groups>(&stream, loaded, decision)
        .await?
        .state)
}

impl Handle for CreateThingGroup {
    type Answer = CreateThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingGroupName>(&self.thing_group_name);
        let parent = checks.parse_option(self.parent_group_name.as_deref());
        let properties = properties(self.thing_group_properties.as_ref(), &mut checks);
        let tags = checks.refused(tags(self.tags.as_deref()));
        checks.finish()?;
        let (Some(name), Some(tags)) = (name, tags) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let mut facts = Facts::default();
        facts.groups(call, &parent).await?;
        if let Some(parent) = &parent {
            facts.children_of(call, parent).await?;
        }
        let create = Create {
            id: call.fresh_id().into(),
            parent,
            description: properties.description,
            attributes: properties.attributes.unwrap_or_default(),
            tags,
        };
        let state = decide(call, &name, Action::Create(create), &facts).await?;
        Ok(CreateThingGroupResponse {
            thing_group_name: name.to_string(),
            thing_group_arn: call.arn(Resource::ThingGroup(name)),
            thing_group_id: state.group().map(|g| g.id.to_string()).unwrap_or_default(),
        })
    }
}

impl Handle for DescribeThingGroup {
    type Answer = DescribeThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingGroupName = self.thing_group_name.parse()?;
        let group = find(call, &name).await?;
        let mut above = Vec::new();
        for reference in group.ancestors() {
            above.extend(super::thing::load_group(call, reference).await?);
        }
        let references: Vec<_> = above.iter().map(Group::reference).collect();
        let own = group.reference();
        let layers =
            above
                .iter()
                .zip(&references)
                .chain([(&group, &own)])
                .map(|(group, reference)| Layer {
                    group: reference,
                    depth: group.depth(),
                    attributes: &group.attributes,
                });
        let nothing = fleet_model::attribute::Attributes::default();
        let effective_attributes = effective_map(group::explain(&nothing, layers));
        let ancestors: Vec<_> = group
            .ancestors()
            .iter()
            .map(|reference| name_and_arn(call, &reference.group_name))
            .collect::<Result<_, _>>()?;
        let (query, status) = match &group.kind {
            Kind::Static { .. } => (None, None),
            Kind::Dynamic { query, status, .. } => (Some(query), Some(status)),
        };
        Ok(DescribeThingGroupResponse {
            thing_group_id: group.id.to_string(),
            thing_group_arn: call.arn(Resource::ThingGroup(name)),
            version: group.version.0,
            thing_group_properties: ThingGroupProperties {
                thing_group_description: group.description.as_ref().map(ToString::to_string),
                attribute_payload: (!group.attributes.is_empty()).then(|| {
                    operation::AttributePayload {
                        attributes: attribute_map(&group.attributes),
                        merge: None,
                    }
                }),
            },
            thing_group_metadata: ThingGroupMetadata {
                parent_group_name: group.parent().map(|parent| parent.group_name.to_string()),
                root_to_parent_thing_groups: (!ancestors.is_empty()).then_some(ancestors),
                creation_date: Seconds(group.created_at),
            },
            effective_attributes,
            index_name: query.map(|query| query.index_name.to_string()),
            query_string: query.map(|query| query.query_string.to_string()),
            query_version: query.map(|query| query.query_version.clone()),
            status: status.map(|status| status.as_str().to_owned()),
            thing_group_name: self.thing_group_name,
        })
    }
}

impl Handle for UpdateThingGroup {
    type Answer = UpdateThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingGroupName>(&self.thing_group_name);
        let properties = properties(Some(&self.thing_group_properties), &mut checks);
        checks.finish()?;
        let Some(name) = name else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let update = Update {
            expected_version: revision(self.expected_version),
            ..properties
        };
        let facts = Facts::default();
        let state = decide(call, &name, Action::Update(update), &facts).await?;
        Ok(UpdateThingGroupResponse {
            version: state.group().map_or(0, |group| group.version.0),
        })
    }
}

impl Handle for DeleteThingGroup {
    type Answer = DeleteThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingGroupName = self.thing_group_name.parse()?;
        let _lock = call.lock().await;
        let mut facts = Facts::default();
        facts.children_of(call, &name).await?;
        let expected_version = revision(self.expected_version);
        decide(call, &name, Action::Delete { expected_version }, &facts).await?;
        Ok(DeleteThingGroupResponse {})
    }
}

impl Handle for ListThingGroups {
    type Answer = ListThingGroupsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of("groups", self.next_token.as_deref(), self.max_results, 250)?;
        let parent: Option<ThingGroupName> =
            self.parent_group.as_deref().map(str::parse).transpose()?;
        let recursive = self.recursive;
        let fleet = call.fleet;
        let listed = fleet
            .catalog(|catalog| {
                let prefix = self.name_prefix_filter.as_deref().unwrap_or_default();
                let wanted = |group: &&Group| group.name.as_str().starts_with(prefix);
                let mut groups: Vec<&Group> = match &parent {
                    Some(name) => {
                        let parent = catalog.group(name.as_str())?;
                        if recursive {
                            catalog.subtree(name.as_str()).into_iter().skip(1).collect()
                        } else {
                            let children = catalog.children(parent.id);
                            children.filter_map(|name| catalog.group(name)).collect()
                        }
                    }
                    None => catalog
                        .groups
                        .after(page.after.as_deref())
                        .filter_map(|(_, record)| record.group())
                        .filter(|group| recursive || group.parent().is_none())
                        .collect(),
                };
                groups.retain(wanted);
                groups.sort_by(|a, b| a.name.cmp(&b.name));
                let rows = groups
                    .into_iter()
                    .map(|group| (group.name.to_string(), group.name.clone()));
                Some(page.cut_all(rows))
            })
            .await?;
        let Some((names, next_token)) = listed else {
            return Err(match parent {
                Some(group) => GroupError::NotFound { group }.into(),
                None => Refusal::incomplete(),
            });
        };
        let thing_groups = names
            .iter()
            .map(|name| name_and_arn(call, name))
            .collect::<Result<_, _>>()?;
        Ok(ListThingGroupsResponse {
            thing_groups,
            next_token,
        })
    }
}

/// A resource given by name, by ARN, or by both where they agree.
fn named<T>(
    what: &str,
    name: Option<&str>,
    arn: Option<&str>,
    of: fn(Resource) -> Option<T>,
) -> Result<T, Refusal>
where
    T: std::str::FromStr<Err = fleet_model::id::IdError> + PartialEq,
{
    let by_name = name.map(str::parse::<T>).transpose()?;
    let by_arn = match arn {
        None => None,
        Some(text) => Some(of(text.parse::<Arn>()?.resource).ok_or_else(|| {
            Refusal::new(
                "request.invalid",
                format!("`{text}` is not the ARN of a {what}"),
            )
        })?),
    };
    match (by_name, by_arn) {
        (Some(name), Some(arn)) if name != arn => Err(Refusal::new(
            "request.invalid",
            format!("name and ARN of the {what} disagree: give one of them"),
        )),
        (Some(found), _) | (None, Some(found)) => Ok(found),
        (None, None) => Err(Refusal::new(
            "request.invalid",
            format!("the {what} is missing: give its name or its ARN"),
        )),
    }
}

fn thing_resource(resource: Resource) -> Option<ThingName> {
    match resource {
        Resource::Thing(name) => Some(name),
        _ => None,
    }
}

fn group_resource(resource: Resource) -> Option<ThingGroupName> {
    match resource {
        Resource::ThingGroup(name) => Some(name),
        _ => None,
    }
}

/// Moves a thing between groups; the names of the dynamic groups that it lost its place in.
async fn update_groups(
    call: &mut Call<'_>,
    thing: &ThingName,
    add: Vec<ThingGroupName>,
    remove: Vec<ThingGroupName>,
    override_dynamic_groups: bool,
) -> Result<Option<Vec<String>>, Refusal> {
    let _lock = call.lock().await;
    let stream = thing.record().stream()?;
    let loaded = call.load::<Things>(&stream).await?;
    let mut facts = Facts::default();
    facts.of_thing(call, loaded.state.thing()).await?;
    facts.groups(call, add.iter().chain(&remove)).await?;
    let command = thing::Command {
        name: thing.record(),
        action: thing::Action::UpdateGroups(UpdateGroups {
            add,
            remove,
            dynamic_groups: if override_dynamic_groups {
                DynamicGroups::GiveWay
            } else {
                DynamicGroups::Keep
            },
            cause: call.correlation,
        }),
    };
    let loaded = super::thing::decide(call, &stream, loaded, command, &facts).await?;
    Ok(evicted(&loaded.events))
}

/// The dynamic groups that a thing lost its place in, where there are any.
pub(super) fn evicted(events: &[thing::Event]) -> Option<Vec<String>> {
    let evicted = events.iter().filter_map(|event| match event {
        thing::Event::LeftGroup(left) if matches!(left.reason, LeaveReason::Evicted { .. }) => {
            Some(left.membership.group.group_name.to_string())
        }
        _ => None,
    });
    let evicted: Vec<String> = evicted.collect();
    (!evicted.is_empty()).then_some(evicted)
}

/// Name and ARN of a resource in a request: one of the two is enough.
pub(super) type Named<'r> = (Option<&'r str>, Option<&'r str>);

/// The thing of a request, and the group that it is to enter or leave.
pub(super) fn thing_and<T>(
    thing: Named<'_>,
    what: &str,
    group: Named<'_>,
    of: fn(Resource) -> Option<T>,
) -> Result<(ThingName, T), Refusal>
where
    T: std::str::FromStr<Err = fleet_model::id::IdError> + PartialEq,
{
    let mut checks = Checks::default();
    let thing = checks.ok(named("thing", thing.0, thing.1, thing_resource));
    let group = checks.ok(named(what, group.0, group.1, of));
    checks.finish()?;
    thing.zip(group).ok_or_else(Refusal::incomplete)
}

/// A page of the names of things, by their numbers.
pub(super) async fn members(
    call: &Call<'_>,
    page: &Page,
    of: impl FnOnce(&crate::read::Things) -> roaring::RoaringBitmap + Send,
) -> Result<(Vec<String>, Option<String>), Refusal> {
    let read = |things: &crate::read::Things| {
        let names = things.names(&of(things), page.after.as_deref(), page.limit + 1);
        page.cut(names.into_iter().map(|name| (name.clone(), name)))
    };
    call.fleet.things(read).await
}

impl Handle for AddThingToThingGroup {
    type Answer = AddThingToThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (thing, group) = thing_and(
            (self.thing_name.as_deref(), self.thing_arn.as_deref()),
            "thing group",
            (
                self.thing_group_name.as_deref(),
                self.thing_group_arn.as_deref(),
            ),
            group_resource,
        )?;
        let evicted_from = update_groups(
            call,
            &thing,
            vec![group],
            Vec::new(),
            self.override_dynamic_groups,
        )
        .await?;
        Ok(AddThingToThingGroupResponse { evicted_from })
    }
}

impl Handle for RemoveThingFromThingGroup {
    type Answer = RemoveThingFromThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let (thing, group) = thing_and(
            (self.thing_name.as_deref(), self.thing_arn.as_deref()),
            "thing group",
            (
                self.thing_group_name.as_deref(),
                self.thing_group_arn.as_deref(),
            ),
            group_resource,
        )?;
        update_groups(call, &thing, Vec::new(), vec![group], false).await?;
        Ok(RemoveThingFromThingGroupResponse {})
    }
}

impl Handle for UpdateThingGroupsForThing {
    type Answer = UpdateThingGroupsForThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let thing = checks.ok(named(
            "thing",
            self.thing_name.as_deref(),
            None,
            thing_resource,
        ));
        let mut names = |names: &Option<Vec<String>>| -> Vec<ThingGroupName> {
            names
                .iter()
                .flatten()
                .filter_map(|name| checks.parse(name))
                .collect()
        };
        let add = names(&self.thing_groups_to_add);
        let remove = names(&self.thing_groups_to_remove);
        checks.finish()?;
        let Some(thing) = thing else {
            return Err(Refusal::incomplete());
        };
        let evicted_from =
            update_groups(call, &thing, add, remove, self.override_dynamic_groups).await?;
        Ok(UpdateThingGroupsForThingResponse { evicted_from })
    }
}

impl Handle for ListThingGroupsForThing {
    type Answer = ListThingGroupsForThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of(
            "groups-for-thing",
            self.next_token.as_deref(),
            self.max_results,
            250,
        )?;
        let name: ThingName = self.thing_name.parse()?;
        let thing = super::thing::find(call, &name).await?;
        let mut facts = Facts::default();
        facts.of_thing(call, Some(&thing)).await?;
        let mut names: Vec<_> = thing
            .live_groups(&facts)
            .map(|held| held.group.group_name.clone())
            .collect();
        names.sort();
        let rows = names.into_iter().map(|name| (name.to_string(), name));
        let (names, next_token) = page.cut_all(rows);
        let thing_groups = names
            .iter()
            .map(|name| name_and_arn(call, name))
            .collect::<Result<_, _>>()?;
        Ok(ListThingGroupsForThingResponse {
            thing_groups,
            next_token,
        })
    }
}

impl Handle for ListThingsInThingGroup {
    type Answer = ListThingsInThingGroupResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of(
            "things-in-group",
            self.next_token.as_deref(),
            self.max_results,
            250,
        )?;
        let name: ThingGroupName = self.thing_group_name.parse()?;
        let group = find(call, &name).await?;
        let fleet = call.fleet;
        let groups = if self.recursive {
            fleet
                .catalog(|catalog| {
                    let groups = catalog.subtree(name.as_str());
                    groups.into_iter().map(|group| group.id).collect()
                })
                .await?
        } else {
            vec![group.id]
        };
        let of = |things: &crate::read::Things| {
            let direct = groups.iter().filter_map(|group| things.members(*group));
            direct.fold(roaring::RoaringBitmap::new(), |all, one| all | one)
        };
        let (things, next_token) = members(call, &page, of).await?;
        Ok(ListThingsInThingGroupResponse { things, next_token })
    }
}
