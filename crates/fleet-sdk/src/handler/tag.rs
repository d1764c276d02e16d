//! Tags on resources, whatever their kind.

use fleet_model::billing_group::{self, BillingGroups};
use fleet_model::ca_certificate;
use fleet_model::group::{self, Groups};
use fleet_model::id::{Arn, Resource};
use fleet_model::kernel::Decider as _;
use fleet_model::tag::{TagKey, Tags};
use fleet_model::thing_type::{self, ThingTypes};
use std::collections::BTreeSet;

use super::Handle;
use super::convert::{Checks, tags};
use crate::facts::Facts;
use crate::fleet::Call;
use crate::operation::{
    ListTagsForResource, ListTagsForResourceResponse, Tag, TagResource, TagResourceResponse,
    UntagResource, UntagResourceResponse,
};
use crate::refusal::Refusal;

enum Change {
    Set(Tags),
    Remove(BTreeSet<TagKey>),
}

fn untaggable(arn: &Arn) -> Refusal {
    Refusal::new(
        "request.invalid",
        format!("`{arn}` is not a resource that carries tags"),
    )
}

macro_rules! change_tags {
    ($call:ident, $change:ident, $name:ident, $family:ident, $decider:ident, $view:expr) => {{
        let stream = $family::stream(&$name)?;
        let loaded = $call.load::<$decider>(&stream).await?;
        let action = match $change {
            Change::Set(tags) => $family::Action::Tag { tags },
            Change::Remove(keys) => $family::Action::Untag { keys },
        };
        let command = $family::Command {
            name: $name,
            action,
        };
        let decision = $decider::decide(&loaded.state, command, &$call.context($view))?;
        $call.record::<$decider>(&stream, loaded, decision).await?;
        Ok(())
    }};
}

async fn change(call: &mut Call<'_>, arn: &Arn, change: Change) -> Result<(), Refusal> {
    if let Resource::CaCertificate(id) = &arn.resource {
        let action = match change {
            Change::Set(tags) => ca_certificate::Action::Tag { tags },
            Change::Remove(keys) => ca_certificate::Action::Untag { keys },
        };
        return super::ca_certificate::decide(call, id, action).await;
    }
    let _lock = call.lock().await;
    let facts = Facts::default();
    match arn.resource.clone() {
        Resource::ThingGroup(name) => {
            change_tags!(
                call,
                change,
                name,
                group,
                Groups,
                &facts as &dyn group::View
            )
        }
        Resource::ThingType(name) => {
            change_tags!(
                call,
                change,
                name,
                thing_type,
                ThingTypes,
                &facts as &dyn thing_type::View
            )
        }
        Resource::BillingGroup(name) => {
            change_tags!(call, change, name, billing_group, BillingGroups, &())
        }
        _ => Err(untaggable(arn)),
    }
}

impl Handle for TagResource {
    type Answer = TagResourceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let arn = checks.parse::<Arn>(&self.resource_arn);
        let tags = checks.refused(tags(Some(&self.tags)));
        checks.finish()?;
        let (Some(arn), Some(tags)) = (arn, tags) else {
            return Err(Refusal::incomplete());
        };
        change(call, &arn, Change::Set(tags)).await?;
        Ok(TagResourceResponse {})
    }
}

impl Handle for UntagResource {
    type Answer = UntagResourceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let mut checks = Checks::default();
        let arn = checks.parse::<Arn>(&self.resource_arn);
        let keys = self.tag_keys.iter().filter_map(|key| checks.parse(key));
        let keys = keys.collect();
        checks.finish()?;
        let arn = arn.ok_or_else(Refusal::incomplete)?;
        change(call, &arn, Change::Remove(keys)).await?;
        Ok(UntagResourceResponse {})
    }
}

impl Handle for ListTagsForResource {
    type Answer = ListTagsForResourceResponse;

    async fn handle(self, call: &mut Call<'_>) -> Result<Self::Answer, Refusal> {
        let arn: Arn = self.resource_arn.parse()?;
        let page = crate::page::Page::of("tags", self.next_token.as_deref(), None, 250)?;
        let tags = match &arn.resource {
            Resource::ThingGroup(name) => super::group::find(call, name).await?.tags,
            Resource::ThingType(name) => super::thing_type::find(call, name).await?.tags,
            Resource::BillingGroup(name) => super::billing_group::find(call, name).await?.tags,
            Resource::CaCertificate(id) => super::ca_certificate::find(call, id).await?.tags,
            _ => return Err(untaggable(&arn)),
        };
        let rows = tags.iter().map(|(key, value)| {
            let tag = Tag {
                key: key.to_string(),
                value: Some(value.to_string()),
            };
            (key.to_string(), tag)
        });
        let (tags, next_token) = page.cut_all(rows);
        Ok(ListTagsForResourceResponse { tags, next_token })
    }
}
