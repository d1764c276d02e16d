//! Thing types: what things have in common, deprecated before they go.
//!
//! A thing names its type by name; a type that things have cannot be deleted, so the name stays
//! meaningful. Spec: AWS 1.4.

mod error;
mod event;
mod mqtt5;

pub use error::{CODES, ThingTypeError};
pub use event::{Created, Deleted, Deprecated, Event, Tagged, Undeprecated, Untagged, Updated};
pub use mqtt5::{ConnectionAttribute, Mqtt5Configuration, PropagatingAttribute, UserPropertyKey};

use crate::id::{AttributeName, Description, ThingTypeId, ThingTypeName};
use crate::kernel::{Context, Decider, NameError, Problems, Refused, StreamName, Timestamp};
use crate::tag::{TagKey, Tags};
use crate::thing::TypeStanding;
use std::collections::BTreeSet;

/// What the stream of a name says: nothing lives there, or a thing type.
pub type Record = crate::kernel::Record<ThingType>;

/// A thing type as its stream has it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ThingType {
    /// Its name.
    pub name: ThingTypeName,
    /// Its id, new on every creation.
    pub id: ThingTypeId,
    /// What people say of it.
    pub description: Option<Description>,
    /// Attributes by which its things are listed; they never change.
    pub searchable_attributes: BTreeSet<AttributeName>,
    /// What its things' messages carry along.
    pub mqtt5_configuration: Option<Mqtt5Configuration>,
    /// Whether it takes new things.
    pub deprecation: Deprecation,
    /// When it was created.
    pub created_at: Timestamp,
    /// Tags of the resource.
    pub tags: Tags,
}

/// Whether a thing type takes new things.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Deprecation {
    /// It does.
    Active,
    /// It does not.
    Deprecated {
        /// When it was deprecated.
        since: Timestamp,
    },
}

impl Record {
    /// The thing type, where there is one.
    #[must_use]
    pub const fn thing_type(&self) -> Option<&ThingType> {
        self.present()
    }
}

impl ThingType {
    /// What decisions about things see of it.
    #[must_use]
    pub const fn standing(&self) -> TypeStanding {
        match self.deprecation {
            Deprecation::Active => TypeStanding::Active,
            Deprecation::Deprecated { .. } => TypeStanding::Deprecated,
        }
    }

    /// When it was deprecated.
    #[must_use]
    pub const fn deprecated_at(&self) -> Option<Timestamp> {
        match self.deprecation {
            Deprecation::Active => None,
            Deprecation::Deprecated { since } => Some(since),
        }
    }
}

/// A command to the thing type of a name.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// The thing type.
    pub name: ThingTypeName,
    /// What to do.
    pub action: Action,
}

/// What to do with a thing type.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// CreateThingType. Repeating it with the same content changes nothing.
    Create(Create),
    /// UpdateThingType.
    Update(Update),
    /// DeprecateThingType; repeating it keeps the date.
    Deprecate,
    /// DeprecateThingType with `undoDeprecate`.
    Undeprecate,
    /// DeleteThingType.
    Delete,
    /// TagResource.
    Tag {
        /// Tags to set.
        tags: Tags,
    },
    /// UntagResource.
    Untag {
        /// Keys to remove.
        keys: BTreeSet<TagKey>,
    },
}

/// CreateThingType.
#[derive(Clone, Debug, PartialEq)]
pub struct Create {
    /// The id that a new type gets.
    pub id: ThingTypeId,
    /// What people say of it.
    pub description: Option<Description>,
    /// Attributes by which its things are listed.
    pub searchable_attributes: BTreeSet<AttributeName>,
    /// What its things' messages carry along.
    pub mqtt5_configuration: Option<Mqtt5Configuration>,
    /// Tags; they take no part in the comparison of content.
    pub tags: Tags,
}

/// UpdateThingType: what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    /// The new description.
    pub description: Option<Description>,
    /// Must be the ones that it has.
    pub searchable_attributes: Option<BTreeSet<AttributeName>>,
    /// The new MQTT 5 configuration.
    pub mqtt5_configuration: Option<Mqtt5Configuration>,
}

/// What a decision about a thing type sees of other streams.
pub trait View {
    /// How many things have the type.
    fn things_of_type(&self, name: &ThingTypeName) -> usize;
}

/// The stream of a thing type, `thingtype-<name>`.
///
/// # Errors
/// None in fact: 128 characters fit a stream name.
pub fn stream(name: &ThingTypeName) -> Result<StreamName, NameError> {
    StreamName::of("thingtype", name.as_str())
}

/// The decider of thing types.
#[derive(Clone, Copy, Debug)]
pub struct ThingTypes;

type Decision = Result<Vec<Event>, Refused<ThingTypeError>>;

impl Decider for ThingTypes {
    type State = Record;
    type Command = Command;
    type Event = Event;
    type Error = Refused<ThingTypeError>;
    type View = dyn View;

    fn initial() -> Record {
        Record::Absent
    }

    fn decide(state: &Record, command: Command, cx: &Context<'_, dyn View>) -> Decision {
        let Command { name, action } = command;
        match (state, action) {
            (_, Action::Create(create)) => decide_create(state.thing_type(), name, create, cx),
            (Record::Absent, _) => Err(ThingTypeError::NotFound { thing_type: name }.into()),
            (Record::Present(thing_type), action) => decide_present(thing_type, action, cx),
        }
    }

    fn evolve(state: Record, event: &Event) -> Record {
        evolve(state, event)
    }
}

fn decide_create(
    existing: Option<&ThingType>,
    name: ThingTypeName,
    create: Create,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let mut problems = Problems::new();
    let (found, limit) = (
        create.searchable_attributes.len(),
        cx.limits.searchable_attributes,
    );
    problems.check(found <= limit, || ThingTypeError::TooManySearchable {
        found,
        limit,
    });
    problems.ok(create.tags.check(cx.limits).map_err(ThingTypeError::from));
    let same = |thing_type: &ThingType| {
        thing_type.description == create.description
            && thing_type.searchable_attributes == create.searchable_attributes
            && thing_type.mqtt5_configuration == create.mqtt5_configuration
    };
    match existing {
        Some(thing_type) if same(thing_type) => return Ok(vec![]),
        Some(thing_type) => problems.push(ThingTypeError::AlreadyExists {
            thing_type: name.clone(),
            id: thing_type.id,
        }),
        None => {}
    }
    problems.finish()?;
    Ok(vec![Event::Created(Created {
        thing_type_name: name,
        thing_type_id: create.id,
        description: create.description,
        searchable_attributes: create.searchable_attributes,
        mqtt5_configuration: create.mqtt5_configuration,
        tags: create.tags,
        created_at: cx.now,
    })])
}

fn decide_present(thing_type: &ThingType, action: Action, cx: &Context<'_, dyn View>) -> Decision {
    let name = || thing_type.name.clone();
    let id = thing_type.id;
    match action {
        // Decided by the caller of this function.
        Action::Create(_) => Ok(vec![]),
        Action::Update(update) => {
            let fixed = update.searchable_attributes.as_ref();
            if fixed.is_some_and(|wanted| *wanted != thing_type.searchable_attributes) {
                return Err(ThingTypeError::SearchableFixed { thing_type: name() }.into());
            }
            let description = update
                .description
                .or_else(|| thing_type.description.clone());
            let mqtt5 = update.mqtt5_configuration;
            Ok(vec![Event::Updated(Updated {
                thing_type_name: name(),
                thing_type_id: id,
                description,
                mqtt5_configuration: mqtt5.or_else(|| thing_type.mqtt5_configuration.clone()),
            })])
        }
        Action::Deprecate => Ok(match thing_type.deprecation {
            Deprecation::Deprecated { .. } => vec![],
            Deprecation::Active => vec![Event::Deprecated(Deprecated {
                thing_type_name: name(),
                thing_type_id: id,
                deprecated_at: cx.now,
            })],
        }),
        Action::Undeprecate => Ok(match thing_type.deprecation {
            Deprecation::Active => vec![],
            Deprecation::Deprecated { .. } => vec![Event::Undeprecated(Undeprecated {
                thing_type_name: name(),
                thing_type_id: id,
            })],
        }),
        Action::Delete => decide_delete(thing_type, cx),
        Action::Tag { tags } => {
            let tagged = |tags| {
                Event::Tagged(Tagged {
                    thing_type_name: name(),
                    tags,
                })
            };
            let decided = thing_type.tags.decide_tag(tags, cx.limits, tagged);
            Ok(decided.map_err(ThingTypeError::from)?)
        }
        Action::Untag { keys } => Ok(thing_type.tags.decide_untag(keys, |tag_keys| {
            Event::Untagged(Untagged {
                thing_type_name: name(),
                tag_keys,
            })
        })),
    }
}

fn decide_delete(thing_type: &ThingType, cx: &Context<'_, dyn View>) -> Decision {
    let name = || thing_type.name.clone();
    let mut problems = Problems::new();
    match thing_type.deprecation {
        Deprecation::Active => problems.push(ThingTypeError::NotDeprecated { thing_type: name() }),
        Deprecation::Deprecated { since } => {
            let from = since.plus_secs(i64::from(cx.limits.thing_type_deletion_wait_secs));
            problems.check(cx.now >= from, || ThingTypeError::DeprecatedTooRecently {
                thing_type: name(),
                from,
            });
        }
    }
    let things = cx.view.things_of_type(&thing_type.name);
    problems.check(things == 0, || ThingTypeError::InUse {
        thing_type: name(),
        things,
    });
    problems.finish()?;
    Ok(vec![Event::Deleted(Deleted {
        thing_type_name: name(),
        thing_type_id: thing_type.id,
        description: thing_type.description.clone(),
        searchable_attributes: thing_type.searchable_attributes.clone(),
        deprecated_at: thing_type.deprecated_at(),
    })])
}

fn evolve(state: Record, event: &Event) -> Record {
    let mut thing_type = match (state, event) {
        (_, Event::Created(created)) => {
            return Record::Present(Box::new(ThingType {
                name: created.thing_type_name.clone(),
                id: created.thing_type_id,
                description: created.description.clone(),
                searchable_attributes: created.searchable_attributes.clone(),
                mqtt5_configuration: created.mqtt5_configuration.clone(),
                deprecation: Deprecation::Active,
                created_at: created.created_at,
                tags: created.tags.clone(),
            }));
        }
        (_, Event::Deleted(_)) | (Record::Absent, _) => return Record::Absent,
        (Record::Present(thing_type), _) => thing_type,
    };
    match event {
        Event::Created(_) | Event::Deleted(_) => {}
        Event::Updated(updated) => {
            thing_type.description.clone_from(&updated.description);
            let mqtt5 = &mut thing_type.mqtt5_configuration;
            mqtt5.clone_from(&updated.mqtt5_configuration);
        }
        Event::Deprecated(deprecated) => {
            thing_type.deprecation = Deprecation::Deprecated {
                since: deprecated.deprecated_at,
            };
        }
        Event::Undeprecated(_) => thing_type.deprecation = Deprecation::Active,
        Event::Tagged(tagged) => thing_type.tags = thing_type.tags.with(&tagged.tags),
        Event::Untagged(untagged) => {
            thing_type.tags = thing_type.tags.without(&untagged.tag_keys);
        }
    }
    Record::Present(thing_type)
}
