//! What a decision sees of other streams, looked up before it.

use fleet_model::certificate::{self, Certificates};
use fleet_model::group::{self, GroupFacts, Groups};
use fleet_model::id::{
    BillingGroupId, BillingGroupName, ThingGroupId, ThingGroupName, ThingTypeName,
};
use fleet_model::thing::{self, Principal, PrincipalThing, Thing, TypeStanding};
use fleet_model::thing_type;
use std::collections::BTreeMap;

use crate::fleet::Call;
use crate::refusal::Refusal;

/// The views of other streams, held still while a command is decided.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    types: BTreeMap<ThingTypeName, TypeStanding>,
    groups: BTreeMap<ThingGroupName, GroupFacts>,
    billing: BTreeMap<BillingGroupName, BillingGroupId>,
    principals: BTreeMap<Principal, Vec<PrincipalThing>>,
    pub(crate) children: BTreeMap<ThingGroupId, usize>,
    pub(crate) dynamic_groups: usize,
    pub(crate) index_ready: bool,
    things_of_type: usize,
}

impl Facts {
    /// Looks up groups by name.
    pub(crate) async fn groups<'n>(
        &mut self,
        call: &Call<'_>,
        names: impl IntoIterator<Item = &'n ThingGroupName> + Send,
    ) -> Result<(), Refusal> {
        let names: Vec<ThingGroupName> = names
            .into_iter()
            .filter(|name| !self.groups.contains_key(*name))
            .cloned()
            .collect();
        for name in names {
            let record = call.load::<Groups>(&group::stream(&name)?).await?;
            if let Some(group) = record.state.group() {
                self.groups.insert(name, group.facts());
            }
        }
        Ok(())
    }

    /// Looks up all that the record of a thing refers to.
    pub(crate) async fn of_thing(
        &mut self,
        call: &Call<'_>,
        thing: Option<&Thing>,
    ) -> Result<(), Refusal> {
        let Some(thing) = thing else {
            return Ok(());
        };
        let names: Vec<_> = thing
            .groups
            .iter()
            .map(|held| &held.group.group_name)
            .collect();
        self.groups(call, names).await?;
        if let Some(billing) = &thing.billing_group {
            self.billing_group(call, &billing.billing_group_name)
                .await?;
        }
        Ok(())
    }

    /// Looks up a principal, and the things that it is attached to.
    pub(crate) async fn principal(
        &mut self,
        call: &Call<'_>,
        principal: &Principal,
    ) -> Result<(), Refusal> {
        if let Principal::Certificate(id) = principal {
            let stream = certificate::stream(id)?;
            let loaded = call.load::<Certificates>(&stream).await?;
            if loaded.state.certificate().is_none() {
                return Ok(());
            }
        }
        let things = call.fleet.principals(|all| all.things(principal)).await?;
        self.principals.insert(principal.clone(), things);
        Ok(())
    }

    /// Looks up a billing group.
    pub(crate) async fn billing_group(
        &mut self,
        call: &Call<'_>,
        name: &BillingGroupName,
    ) -> Result<(), Refusal> {
        use fleet_model::billing_group::{self, BillingGroups};
        let record = call
            .load::<BillingGroups>(&billing_group::stream(name)?)
            .await?;
        if let Some(group) = record.state.billing_group() {
            self.billing.insert(name.clone(), group.id);
        }
        Ok(())
    }

    /// Counts the children of a group, and the dynamic groups.
    pub(crate) async fn children_of(
        &mut self,
        call: &Call<'_>,
        name: &ThingGroupName,
    ) -> Result<(), Refusal> {
        let counted = call
            .fleet
            .catalog(|catalog| {
                let group = catalog.group(name.as_str())?;
                Some((group.id, catalog.children(group.id).count()))
            })
            .await?;
        self.children.extend(counted);
        Ok(())
    }

    /// Looks up a thing type.
    pub(crate) async fn thing_type(
        &mut self,
        call: &Call<'_>,
        name: &ThingTypeName,
    ) -> Result<(), Refusal> {
        use fleet_model::thing_type::ThingTypes;
        let record = call.load::<ThingTypes>(&thing_type::stream(name)?).await?;
        if let Some(found) = record.state.thing_type() {
            self.types.insert(name.clone(), found.standing());
        }
        Ok(())
    }
}

impl Facts {
    /// Counts the things of a type.
    pub(crate) async fn things_of_type(
        &mut self,
        call: &Call<'_>,
        name: &ThingTypeName,
    ) -> Result<(), Refusal> {
        self.things_of_type = call.fleet.things(|things| things.of_type(name)).await?;
        Ok(())
    }
}

impl thing_type::View for Facts {
    fn things_of_type(&self, _: &ThingTypeName) -> usize {
        self.things_of_type
    }
}

impl thing::View for Facts {
    fn thing_type(&self, name: &ThingTypeName) -> Option<TypeStanding> {
        self.types.get(name).copied()
    }

    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.groups.get(name).cloned()
    }

    fn billing_group(&self, name: &BillingGroupName) -> Option<BillingGroupId> {
        self.billing.get(name).copied()
    }

    fn principal_exists(&self, principal: &Principal) -> bool {
        matches!(principal, Principal::CognitoIdentity(_))
            || self.principals.contains_key(principal)
    }

    fn principal_things(&self, principal: &Principal) -> Vec<PrincipalThing> {
        self.principals.get(principal).cloned().unwrap_or_default()
    }
}

impl group::View for Facts {
    fn group(&self, name: &ThingGroupName) -> Option<GroupFacts> {
        self.groups.get(name).cloned()
    }

    fn children(&self, group: ThingGroupId) -> usize {
        self.children.get(&group).copied().unwrap_or(0)
    }

    fn dynamic_groups(&self) -> usize {
        self.dynamic_groups
    }

    fn thing_index_ready(&self) -> bool {
        self.index_ready
    }
}
