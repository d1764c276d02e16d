//! The fleet as a part of a service of your own: typed requests, a log in one file, and a restart that loses nothing.

use fleet_model::kernel::Actor;
use fleet_sdk::operation::{
    AddThingToThingGroup, AttributePayload, CreateThing, CreateThingGroup, DescribeThing,
    ThingGroupProperties,
};
use fleet_sdk::{Caller, Fleet};
use fleet_store::port::SystemClock;
use fleet_store::sqlite::{SqliteOptions, SqliteStore};
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

type Failure = Box<dyn Error + Send + Sync>;

fn attributes(pairs: &[(&str, &str)]) -> Option<AttributePayload> {
    Some(AttributePayload {
        attributes: pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        merge: None,
    })
}

async fn open(path: &Path) -> Result<Fleet, Failure> {
    let store = SqliteStore::open(
        path,
        "default".parse()?,
        Arc::new(SystemClock),
        &SqliteOptions::default(),
    )?;
    Ok(Fleet::open(Arc::new(store), fleet_examples::options()).await?)
}

async fn story(path: &Path) -> Result<(), Failure> {
    let caller = Caller::new("user:ops".parse::<Actor>()?);
    let fleet = open(path).await?;
    let group = CreateThingGroup {
        thing_group_name: "plant".into(),
        thing_group_properties: Some(ThingGroupProperties {
            attribute_payload: attributes(&[("country", "DE"), ("shift", "day")]),
            ..Default::default()
        }),
        ..Default::default()
    };
    fleet.call(group, &caller).await?;
    let thing = CreateThing {
        thing_name: "press-7".into(),
        attribute_payload: attributes(&[("shift", "night")]),
        ..Default::default()
    };
    let made = fleet.call(thing, &caller).await?;
    let join = AddThingToThingGroup {
        thing_group_name: Some("plant".into()),
        thing_name: Some("press-7".into()),
        ..Default::default()
    };
    fleet.call(join, &caller).await?;
    drop(fleet);

    // A new process would see the same.
    let fleet = open(path).await?;
    let request = DescribeThing {
        thing_name: "press-7".into(),
    };
    let thing = fleet.call(request.clone(), &caller).await?;
    for (name, attribute) in &thing.effective_attributes {
        println!(
            "{name} = {} (from {})",
            attribute.value, attribute.source.kind
        );
    }
    let value = |name: &str| {
        thing
            .effective_attributes
            .get(name)
            .map(|attribute| attribute.value.as_str())
    };
    if (made.thing_id, value("country"), value("shift"))
        != (thing.thing_id.clone(), Some("DE"), Some("night"))
    {
        return Err("the log did not bring the fleet back".into());
    }
    // A refusal is a value: code, the service's name for it, an HTTP status, and what to do.
    let refused = fleet
        .call(
            CreateThing {
                thing_name: "press-7".into(),
                ..Default::default()
            },
            &caller,
        )
        .await;
    match refused {
        Err(error) => println!(
            "{} {} {}: {}",
            error.status, error.name, error.code, error.message
        ),
        Ok(_) => return Err("a thing of other content took the name".into()),
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    pollster::block_on(story(&folder.path().join("fleet.db")))
}
