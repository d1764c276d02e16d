//! Things.

use fleet_model::group::{self, Candidate, Groups, Layer, Origin};
use fleet_model::id::{Resource, ThingName};
use fleet_model::kernel::{Decider as _, StreamName};
use fleet_model::thing::{self, Action, Command, Create, Thing, ThingError, Things, Update};
use std::collections::BTreeMap;

use super::Handle;
use super::convert::{Checks, attribute_map, payload, revision};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::log::Loaded;
use crate::operation::{
    AttributeSource, CreateThing, CreateThingResponse, DeleteThing, DeleteThingResponse,
    DescribeThing, DescribeThingResponse, EffectiveAttribute, ListThings, ListThingsResponse,
    OverriddenAttribute, ThingAttribute, UpdateThing, UpdateThingResponse,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// The thing of a name, or `thing.not_found`.
pub(super) async fn find(call: &Call<'_>, name: &ThingName) -> Result<Thing, Refusal> {
    let loaded = call.load::<Things>(&name.record().stream()?).await?;
    match loaded.state {
        thing::Record::Present(thing) => Ok(*thing),
        thing::Record::Absent => Err(ThingError::NotFound {
            thing: name.record(),
        }
        .into()),
    }
}

/// Decides a command to a thing and records what follows.
pub(super) async fn decide(
    call: &mut Call<'_>,
    stream: &StreamName,
    loaded: Loaded<Things>,
    command: Command,
    facts: &Facts,
) -> Result<Loaded<Things>, Refusal> {
    let name = command.name.clone();
    let arn = name.thing_name().map(Resource::Thing);
    let decision = Things::decide(
        &loaded.state,
        command,
        &call.context::<dyn thing::View>(facts),
    )
    .map_err(|refused| {
        let id = loaded.state.thing().map(|thing| thing.id.to_string());
        let arn = arn.map(|thing| call.arn(thing)).unwrap_or_default();
        Refusal::from(refused).taken_by(id, arn)
    })?;
    super::twin::end_earlier(call, &name, &loaded, &decision).await?;
    call.record::<Things>(stream, loaded, decision).await
}

impl Handle for CreateThing {
    type Answer = CreateThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingName>(&self.thing_name);
        let thing_type = checks.parse_option(self.thing_type_name.as_deref());
        let billing_group = checks.parse_option(self.billing_group_name.as_deref());
        let attributes = checks.refused(payload(self.attribute_payload.as_ref()));
        checks.finish()?;
        let (Some(name), Some(attributes)) = (name, attributes) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let stream = name.record().stream()?;
        let loaded = call.load::<Things>(&stream).await?;
        let mut facts = Facts::default();
        facts.of_thing(call, loaded.state.thing()).await?;
        if let Some(name) = &thing_type {
            facts.thing_type(call, name).await?;
        }
        if let Some(name) = &billing_group {
            facts.billing_group(call, name).await?;
        }
        let command = Command {
            name: name.record(),
            action: Action::Create(Create {
                id: call.fresh_id().into(),
                thing_type,
                attributes: attributes.unwrap_or_default(),
                billing_group,
            }),
        };
        let loaded = decide(call, &stream, loaded, command, &facts).await?;
        let id = loaded.state.thing().map(|thing| thing.id.to_string());
        Ok(CreateThingResponse {
            thing_name: name.to_string(),
            thing_arn: call.arn(Resource::Thing(name)),
            thing_id: id.unwrap_or_default(),
        })
    }
}

/// Every value in force with where it comes from and what it hides.
pub(super) fn effective_map(
    explained: BTreeMap<&str, Vec<Candidate<'_>>>,
) -> BTreeMap<String, EffectiveAttribute> {
    let source = |origin: &Origin<'_>| match origin {
        Origin::Own => AttributeSource {
            kind: "thing".to_owned(),
            ..AttributeSource::default()
        },
        Origin::Group { group, depth } => AttributeSource {
            kind: "group".to_owned(),
            thing_group_name: Some(group.group_name.to_string()),
            depth: u32::try_from(*depth).ok(),
        },
    };
    let entry = |(name, candidates): (&str, Vec<Candidate<'_>>)| {
        let mut candidates = candidates.iter();
        let won = candidates.next()?;
        let overrides = candidates.map(|lost| OverriddenAttribute {
            value: lost.value.to_owned(),
            source: source(&lost.origin),
            reason: lost.verdict.reason().to_owned(),
        });
        let effective = EffectiveAttribute {
            value: won.value.to_owned(),
            source: source(&won.origin),
            overrides: overrides.collect(),
        };
        Some((name.to_owned(), effective))
    };
    explained.into_iter().filter_map(entry).collect()
}

/// The static groups that a thing inherits from, each with its level: its own and their ancestors.
pub(super) async fn ancestry(call: &Call<'_>, thing: &Thing) -> Result<Vec<group::Group>, Refusal> {
    let mut found: BTreeMap<_, group::Group> = BTreeMap::new();
    for held in &thing.groups {
        let Some(group) = load_group(call, &held.group).await? else {
            continue;
        };
        if group.is_dynamic() {
            continue;
        }
        for above in group.ancestors() {
            if !found.contains_key(&above.group_id)
                && let Some(above) = load_group(call, above).await?
            {
                found.insert(above.id, above);
            }
        }
        found.insert(group.id, group);
    }
    Ok(found.into_values().collect())
}

/// This life of a group, unless it ended.
pub(super) async fn load_group(
    call: &Call<'_>,
    reference: &group::GroupRef,
) -> Result<Option<group::Group>, Refusal> {
    let stream = group::stream(&reference.group_name)?;
    let loaded = call.load::<Groups>(&stream).await?;
    Ok(match loaded.state {
        group::Record::Present(group) if group.id == reference.group_id => Some(*group),
        _ => None,
    })
}

impl Handle for DescribeThing {
    type Answer = DescribeThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingName = self.thing_name.parse()?;
        let thing = find(call, &name).await?;
        let groups = ancestry(call, &thing).await?;
        let references: Vec<_> = groups.iter().map(group::Group::reference).collect();
        let layers = groups
            .iter()
            .zip(&references)
            .map(|(group, reference)| Layer {
                group: reference,
                depth: group.depth(),
                attributes: &group.attributes,
            });
        let effective_attributes = effective_map(group::explain(&thing.attributes, layers));
        let mut facts = Facts::default();
        facts.of_thing(call, Some(&thing)).await?;
        let billing_group = thing.live_billing_group(&facts);
        Ok(DescribeThingResponse {
            default_client_id: name.to_string(),
            thing_name: name.to_string(),
            thing_id: thing.id.to_string(),
            thing_arn: call.arn(Resource::Thing(name)),
            thing_type_name: thing.thing_type.as_ref().map(ToString::to_string),
            attributes: attribute_map(&thing.attributes),
            effective_attributes,
            version: thing.version.0,
            billing_group_name: billing_group.map(|group| group.billing_group_name.to_string()),
        })
    }
}

impl Handle for UpdateThing {
    type Answer = UpdateThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingName>(&self.thing_name);
        let thing_type = checks.parse_option(self.thing_type_name.as_deref());
        let attributes = checks.refused(payload(self.attribute_payload.as_ref()));
        checks.finish()?;
        let (Some(name), Some(attributes)) = (name, attributes) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let stream = name.record().stream()?;
        let loaded = call.load::<Things>(&stream).await?;
        let mut facts = Facts::default();
        facts.of_thing(call, loaded.state.thing()).await?;
        if let Some(name) = &thing_type {
            facts.thing_type(call, name).await?;
        }
        let command = Command {
            name: name.record(),
            action: Action::Update(Update {
                thing_type,
                remove_thing_type: self.remove_thing_type,
                attributes,
                expected_version: revision(self.expected_version),
            }),
        };
        decide(call, &stream, loaded, command, &facts).await?;
        Ok(UpdateThingResponse {})
    }
}

impl Handle for DeleteThing {
    type Answer = DeleteThingResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingName = self.thing_name.parse()?;
        let _lock = call.lock().await;
        let stream = name.record().stream()?;
        let loaded = call.load::<Things>(&stream).await?;
        let mut facts = Facts::default();
        facts.of_thing(call, loaded.state.thing()).await?;
        let command = Command {
            name: name.record(),
            action: Action::Delete {
                expected_version: revision(self.expected_version),
            },
        };
        let before = loaded.state.thing().cloned();
        let after = decide(call, &stream, loaded, command, &facts).await?;
        match (before, after.state) {
            (Some(thing), thing::Record::Absent) => super::twin::end_all(call, &thing).await?,
            // A deletion that a failure cut short is finished by the next one.
            (None, thing::Record::Absent) => super::twin::end_left(call, &name.record()).await?,
            _ => {}
        }
        Ok(DeleteThingResponse {})
    }
}

impl Handle for ListThings {
    type Answer = ListThingsResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of("things", self.next_token.as_deref(), self.max_results, 250)?;
        if self.attribute_value.is_some() && self.attribute_name.is_none() {
            return Err(Refusal::new(
                "request.invalid",
                "`attributeValue` needs an `attributeName`: name the attribute",
            ));
        }
        let fleet = call.fleet;
        // Typed things are found through the attributes that their type declares searchable only.
        let attribute = self.attribute_name.clone();
        let searchable = fleet
            .catalog(|catalog| match &attribute {
                Some(attribute) => catalog.types_searchable_by(attribute),
                None => std::collections::BTreeSet::new(),
            })
            .await?;
        let (rows, next_token) = fleet
            .things(|things| {
                let matches = |row: &crate::read::Row| {
                    let thing_type = things.type_of(row);
                    let of_type = self.thing_type_name.as_deref().is_none_or(|wanted| {
                        thing_type.is_some_and(|found| found.as_str() == wanted)
                    });
                    let by_attribute = self.attribute_name.as_deref().is_none_or(|name| {
                        thing_type.is_none_or(|found| searchable.contains(found.as_str()))
                            && row.attributes.get(name).is_some_and(|value| {
                                self.attribute_value.as_deref().is_none_or(|wanted| {
                                    if self.use_prefix_attribute_value {
                                        value.starts_with(wanted)
                                    } else {
                                        value == wanted
                                    }
                                })
                            })
                    });
                    of_type && by_attribute
                };
                let rows = things
                    .after(page.after.as_deref())
                    .filter(|(name, row)| ThingName::check(name).is_ok() && matches(row))
                    .map(|(name, row)| {
                        let found = ThingAttribute {
                            thing_name: name.to_owned(),
                            thing_type_name: things.type_of(row).map(ToString::to_string),
                            thing_arn: String::new(),
                            attributes: attribute_map(&row.attributes),
                            version: row.version,
                        };
                        (name.to_owned(), found)
                    });
                page.cut(rows)
            })
            .await?;
        let mut things = rows;
        for thing in &mut things {
            thing.thing_arn = call.arn(Resource::Thing(thing.thing_name.parse()?));
        }
        Ok(ListThingsResponse { things, next_token })
    }
}
