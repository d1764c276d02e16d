//! Thing types.

use fleet_model::id::{AttributeName, Description, Resource, ThingTypeName};
use fleet_model::kernel::Decider as _;
use fleet_model::thing_type::{
    self, Action, Command, Create, PropagatingAttribute as Propagating, ThingType, ThingTypeError,
    ThingTypes, Update,
};
use std::collections::BTreeSet;

use super::Handle;
use super::convert::{Checks, tags};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    CreateThingType, CreateThingTypeResponse, DeleteThingType, DeleteThingTypeResponse,
    DeprecateThingType, DeprecateThingTypeResponse, DescribeThingType, DescribeThingTypeResponse,
    ListThingTypes, ListThingTypesResponse, Mqtt5Configuration, PropagatingAttribute, Seconds,
    ThingTypeDefinition, ThingTypeMetadata, ThingTypeProperties, UpdateThingType,
    UpdateThingTypeResponse,
};
use crate::page::Page;
use crate::refusal::Refusal;

/// The thing type of a name, or `thing_type.not_found`.
pub(super) async fn find(call: &Call<'_>, name: &ThingTypeName) -> Result<ThingType, Refusal> {
    let loaded = call.load::<ThingTypes>(&thing_type::stream(name)?).await?;
    match loaded.state {
        thing_type::Record::Present(found) => Ok(*found),
        thing_type::Record::Absent => Err(ThingTypeError::NotFound {
            thing_type: name.clone(),
        }
        .into()),
    }
}

async fn decide(
    call: &mut Call<'_>,
    name: &ThingTypeName,
    action: Action,
    facts: &Facts,
) -> Result<thing_type::Record, Refusal> {
    let stream = thing_type::stream(name)?;
    let loaded = call.load::<ThingTypes>(&stream).await?;
    let command = Command {
        name: name.clone(),
        action,
    };
    let decision = ThingTypes::decide(
        &loaded.state,
        command,
        &call.context::<dyn thing_type::View>(facts),
    )
    .map_err(|refused| {
        let id = loaded.state.thing_type().map(|found| found.id.to_string());
        Refusal::from(refused).taken_by(id, call.arn(Resource::ThingType(name.clone())))
    })?;
    Ok(call
        .record::<ThingTypes>(&stream, loaded, decision)
        .await?
        .state)
}

/// The model's form of a request's MQTT 5 configuration.
fn mqtt5(
    configuration: Option<&Mqtt5Configuration>,
) -> Result<Option<thing_type::Mqtt5Configuration>, Refusal> {
    let Some(configuration) = configuration else {
        return Ok(None);
    };
    let attributes = configuration.propagating_attributes.as_deref();
    let mut propagating_attributes = Vec::new();
    for attribute in attributes.unwrap_or_default() {
        let key = attribute.user_property_key.as_deref().ok_or_else(|| {
            Refusal::new(
                "request.invalid",
                "`userPropertyKey` is missing: name the user property",
            )
        })?;
        let user_property_key = key.parse()?;
        propagating_attributes.push(
            match (
                attribute.thing_attribute.as_deref(),
                attribute.connection_attribute.as_deref(),
            ) {
                (Some(thing), None) => Propagating::Thing {
                    user_property_key,
                    thing_attribute: thing.parse()?,
                },
                (None, Some(connection)) => Propagating::Connection {
                    user_property_key,
                    connection_attribute: connection.parse()?,
                },
                _ => {
                    return Err(Refusal::new(
                        "request.invalid",
                        format!(
                            "user property `{key}` needs exactly one of `thingAttribute` and `connectionAttribute`"
                        ),
                    ));
                }
            },
        );
    }
    Ok(Some(thing_type::Mqtt5Configuration {
        propagating_attributes,
    }))
}

/// The parts of a request's properties.
struct Properties {
    description: Option<Description>,
    searchable: Option<BTreeSet<AttributeName>>,
    mqtt5: Option<thing_type::Mqtt5Configuration>,
}

impl Properties {
    fn of(properties: Option<&ThingTypeProperties>, checks: &mut Checks) -> Self {
        let description = properties.and_then(|p| p.thing_type_description.as_deref());
        let searchable = properties.and_then(|p| p.searchable_attributes.as_ref());
        let configuration = properties.and_then(|p| p.mqtt5_configuration.as_ref());
        Self {
            description: checks.parse_option(description),
            searchable: searchable
                .map(|names| names.iter().filter_map(|name| checks.parse(name)).collect()),
            mqtt5: checks.ok(mqtt5(configuration)).flatten(),
        }
    }
}

fn properties(found: &ThingType) -> ThingTypeProperties {
    let searchable: Vec<_> = found
        .searchable_attributes
        .iter()
        .map(ToString::to_string)
        .collect();
    let attribute = |attribute: &Propagating| match attribute {
        Propagating::Thing {
            user_property_key,
            thing_attribute,
        } => PropagatingAttribute {
            user_property_key: Some(user_property_key.to_string()),
            thing_attribute: Some(thing_attribute.to_string()),
            connection_attribute: None,
        },
        Propagating::Connection {
            user_property_key,
            connection_attribute,
        } => PropagatingAttribute {
            user_property_key: Some(user_property_key.to_string()),
            thing_attribute: None,
            connection_attribute: Some(connection_attribute.to_string()),
        },
    };
    ThingTypeProperties {
        thing_type_description: found.description.as_ref().map(ToString::to_string),
        searchable_attributes: (!searchable.is_empty()).then_some(searchable),
        mqtt5_configuration: found.mqtt5_configuration.as_ref().map(|configuration| {
            Mqtt5Configuration {
                propagating_attributes: Some(
                    configuration
                        .propagating_attributes
                        .iter()
                        .map(attribute)
                        .collect(),
                ),
            }
        }),
    }
}

fn metadata(found: &ThingType) -> ThingTypeMetadata {
    ThingTypeMetadata {
        deprecated: found.deprecated_at().is_some(),
        deprecation_date: found.deprecated_at().map(Seconds),
        creation_date: Seconds(found.created_at),
    }
}

impl Handle for CreateThingType {
    type Answer = CreateThingTypeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingTypeName>(&self.thing_type_name);
        let properties = Properties::of(self.thing_type_properties.as_ref(), &mut checks);
        let tags = checks.refused(tags(self.tags.as_deref()));
        checks.finish()?;
        let (Some(name), Some(tags)) = (name, tags) else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let create = Create {
            id: call.fresh_id().into(),
            description: properties.description,
            searchable_attributes: properties.searchable.unwrap_or_default(),
            mqtt5_configuration: properties.mqtt5,
            tags,
        };
        let state = decide(call, &name, Action::Create(create), &Facts::default()).await?;
        let id = state.thing_type().map(|found| found.id.to_string());
        Ok(CreateThingTypeResponse {
            thing_type_name: name.to_string(),
            thing_type_arn: call.arn(Resource::ThingType(name)),
            thing_type_id: id.unwrap_or_default(),
        })
    }
}

impl Handle for DescribeThingType {
    type Answer = DescribeThingTypeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingTypeName = self.thing_type_name.parse()?;
        let found = find(call, &name).await?;
        Ok(DescribeThingTypeResponse {
            thing_type_name: name.to_string(),
            thing_type_id: found.id.to_string(),
            thing_type_arn: call.arn(Resource::ThingType(name)),
            thing_type_properties: properties(&found),
            thing_type_metadata: metadata(&found),
        })
    }
}

impl Handle for UpdateThingType {
    type Answer = UpdateThingTypeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let name = checks.parse::<ThingTypeName>(&self.thing_type_name);
        let properties = Properties::of(self.thing_type_properties.as_ref(), &mut checks);
        checks.finish()?;
        let Some(name) = name else {
            return Err(Refusal::incomplete());
        };
        let _lock = call.lock().await;
        let update = Update {
            description: properties.description,
            searchable_attributes: properties.searchable,
            mqtt5_configuration: properties.mqtt5,
        };
        decide(call, &name, Action::Update(update), &Facts::default()).await?;
        Ok(UpdateThingTypeResponse {})
    }
}

impl Handle for DeprecateThingType {
    type Answer = DeprecateThingTypeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingTypeName = self.thing_type_name.parse()?;
        let _lock = call.lock().await;
        let action = if self.undo_deprecate {
            Action::Undeprecate
        } else {
            Action::Deprecate
        };
        decide(call, &name, action, &Facts::default()).await?;
        Ok(DeprecateThingTypeResponse {})
    }
}

impl Handle for DeleteThingType {
    type Answer = DeleteThingTypeResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let name: ThingTypeName = self.thing_type_name.parse()?;
        let _lock = call.lock().await;
        let mut facts = Facts::default();
        facts.things_of_type(call, &name).await?;
        decide(call, &name, Action::Delete, &facts).await?;
        Ok(DeleteThingTypeResponse {})
    }
}

impl Handle for ListThingTypes {
    type Answer = ListThingTypesResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let page = Page::of(
            "thing-types",
            self.next_token.as_deref(),
            self.max_results,
            250,
        )?;
        let prefix = self.thing_type_name.as_deref().unwrap_or_default();
        let call = &*call;
        let (thing_types, next_token) = call
            .fleet
            .catalog(|catalog| {
                let rows = catalog
                    .types
                    .after(page.after.as_deref())
                    .filter_map(|(key, record)| Some((key, record.thing_type()?)))
                    .filter(|(key, _)| key.starts_with(prefix))
                    .map(|(key, found)| {
                        let row = ThingTypeDefinition {
                            thing_type_name: found.name.to_string(),
                            thing_type_arn: call.arn(Resource::ThingType(found.name.clone())),
                            thing_type_properties: properties(found),
                            thing_type_metadata: metadata(found),
                        };
                        (key.to_owned(), row)
                    });
                page.cut(rows)
            })
            .await?;
        Ok(ListThingTypesResponse {
            thing_types,
            next_token,
        })
    }
}
