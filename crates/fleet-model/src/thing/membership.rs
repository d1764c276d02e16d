//! Which groups a thing may be in: at most ten, one per hierarchy, and who wins the last place.
//!
//! Spec: AWS 2.1 (exclusivity), 2.2 (UpdateThingGroupsForThing), 2.4 (the contest).

use super::event::{Event, JoinRefused, JoinedGroup, LeaveReason, LeftGroup, MatchEnded};
use super::view::{ended, is_live};
use super::{DynamicGroups, Membership, MembershipKind, Thing, ThingError, UpdateGroups, View};
use crate::group::{GroupFacts, GroupKind, GroupRef};
use crate::id::{MembershipId, ThingGroupId, ThingGroupName};
use crate::kernel::{Context, Problems, Refused};
use uuid::Uuid;

type Decision = Result<Vec<Event>, Refused<ThingError>>;

/// The memberships while a command is being decided.
struct Draft<'a> {
    thing: &'a Thing,
    live: Vec<Membership>,
    forgotten: Vec<ThingGroupId>,
    events: Vec<Event>,
    joined: u32,
    cause: Uuid,
}

impl<'a> Draft<'a> {
    fn new(thing: &'a Thing, cause: Uuid, view: &dyn View) -> Self {
        let live = thing.live_groups(view).cloned().collect();
        Self {
            thing,
            live,
            forgotten: ended(view, &thing.groups),
            events: Vec::new(),
            joined: 0,
            cause,
        }
    }

    fn is_member(&self, group: &GroupRef) -> bool {
        self.live.iter().any(|m| m.group.group_id == group.group_id)
    }

    fn leave(&mut self, group: ThingGroupId, reason: LeaveReason) {
        let Some(at) = self.live.iter().position(|m| m.group.group_id == group) else {
            return;
        };
        let membership = self.live.remove(at);
        self.events
            .push(Event::LeftGroup(left(self.thing, membership, reason)));
    }

    fn join(&mut self, facts: &GroupFacts) {
        let kind = match facts.root() {
            Some(root) => MembershipKind::Static { root: root.clone() },
            None => MembershipKind::Dynamic {
                group_created_at: facts.created_at,
            },
        };
        let membership = Membership {
            group: facts.group.clone(),
            membership_id: MembershipId::derived(self.cause, self.joined),
            kind,
        };
        self.joined += 1;
        self.live.push(membership.clone());
        self.events.push(Event::JoinedGroup(JoinedGroup {
            name: self.thing.name.clone(),
            thing_id: self.thing.id,
            membership,
            forgotten: std::mem::take(&mut self.forgotten),
        }));
    }

    /// The dynamic group that gives way first: the one created last, of several the one whose name is largest.
    fn newest_dynamic(&self) -> Option<(crate::kernel::Timestamp, GroupRef)> {
        let dynamic = |m: &Membership| match m.kind {
            MembershipKind::Static { .. } => None,
            MembershipKind::Dynamic { group_created_at } => {
                Some((group_created_at, m.group.clone()))
            }
        };
        self.live.iter().filter_map(dynamic).max()
    }
}

fn left(thing: &Thing, membership: Membership, reason: LeaveReason) -> LeftGroup {
    LeftGroup {
        name: thing.name.clone(),
        thing_id: thing.id,
        membership,
        reason,
    }
}

pub(super) fn update_groups(
    thing: &Thing,
    update: &UpdateGroups,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let mut problems = Problems::new();
    for group in update
        .add
        .iter()
        .filter(|group| update.remove.contains(group))
    {
        problems.push(ThingError::GroupAddedAndRemoved {
            group: group.clone(),
        });
    }
    let mut found = |names: &[ThingGroupName]| -> Vec<GroupFacts> {
        let look = |name: &ThingGroupName| cx.view.group(name).ok_or_else(|| not_found(name));
        names
            .iter()
            .filter_map(|name| problems.ok(look(name)))
            .collect()
    };
    let (remove, add) = (found(&update.remove), found(&update.add));
    for facts in remove.iter().chain(&add) {
        problems.check(facts.kind != GroupKind::Dynamic, || {
            ThingError::GroupDynamic {
                group: facts.group.group_name.clone(),
            }
        });
    }
    let mut draft = Draft::new(thing, update.cause, cx.view);
    for facts in &remove {
        draft.leave(facts.group.group_id, LeaveReason::Requested);
    }
    for facts in &add {
        if facts.root().is_some() && !draft.is_member(&facts.group) {
            join_static(&mut draft, facts, update.dynamic_groups, &mut problems, cx);
        }
    }
    problems.finish()?;
    Ok(draft.events)
}

fn not_found(name: &ThingGroupName) -> ThingError {
    ThingError::GroupNotFound {
        group: name.clone(),
    }
}

fn join_static(
    draft: &mut Draft<'_>,
    facts: &GroupFacts,
    dynamic_groups: DynamicGroups,
    problems: &mut Problems<ThingError>,
    cx: &Context<'_, dyn View>,
) {
    let same_root = |m: &&Membership| match (&m.kind, facts.root()) {
        (MembershipKind::Static { root: held }, Some(root)) => held.group_id == root.group_id,
        _ => false,
    };
    if let Some(held) = draft.live.iter().find(same_root) {
        problems.push(ThingError::SameHierarchy {
            thing: draft.thing.name.clone(),
            group: facts.group.group_name.clone(),
            member_of: held.group.group_name.clone(),
            root: facts
                .root()
                .map_or_else(|| facts.group.group_name.clone(), |r| r.group_name.clone()),
        });
        return;
    }
    let limit = cx.limits.groups_per_thing;
    while draft.live.len() >= limit {
        match draft.newest_dynamic() {
            Some((_, evicted)) if dynamic_groups == DynamicGroups::GiveWay => {
                let by = facts.group.clone();
                draft.leave(evicted.group_id, LeaveReason::Evicted { by });
            }
            _ => {
                problems.push(ThingError::TooManyGroups {
                    thing: draft.thing.name.clone(),
                    group: facts.group.group_name.clone(),
                    limit,
                });
                return;
            }
        }
    }
    draft.join(facts);
}

fn dynamic(group: &ThingGroupName, cx: &Context<'_, dyn View>) -> Result<GroupFacts, ThingError> {
    let facts = cx.view.group(group).ok_or_else(|| not_found(group))?;
    if facts.kind != GroupKind::Dynamic {
        return Err(ThingError::GroupStatic {
            group: group.clone(),
        });
    }
    Ok(facts)
}

pub(super) fn begin_match(
    thing: &Thing,
    group: &ThingGroupName,
    cause: Uuid,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let facts = dynamic(group, cx)?;
    let mut draft = Draft::new(thing, cause, cx.view);
    if draft.is_member(&facts.group) {
        return Ok(vec![]);
    }
    let limit = cx.limits.groups_per_thing;
    if draft.live.len() >= limit {
        let challenger = (facts.created_at, facts.group.clone());
        match draft.newest_dynamic().filter(|newest| challenger < *newest) {
            Some((_, evicted)) if draft.live.len() == limit => {
                let by = facts.group.clone();
                draft.leave(evicted.group_id, LeaveReason::Evicted { by });
            }
            // A place was lost before and is still wanting: recorded then, not again.
            _ if thing.waiting.contains(&facts.group) => return Ok(vec![]),
            _ => {
                return Ok(vec![Event::JoinRefused(JoinRefused {
                    name: thing.name.clone(),
                    thing_id: thing.id,
                    group: facts.group,
                    limit,
                })]);
            }
        }
    }
    draft.join(&facts);
    Ok(draft.events)
}

pub(super) fn end_match(
    thing: &Thing,
    group: &ThingGroupName,
    cx: &Context<'_, dyn View>,
) -> Decision {
    let facts = dynamic(group, cx)?;
    let held = |m: &&Membership| m.group == facts.group;
    if let Some(membership) = thing.groups.iter().find(held) {
        let reason = LeaveReason::NoLongerMatches;
        let left = left(thing, membership.clone(), reason);
        return Ok(vec![Event::LeftGroup(left)]);
    }
    Ok(if thing.waiting.contains(&facts.group) {
        vec![Event::MatchEnded(MatchEnded {
            name: thing.name.clone(),
            thing_id: thing.id,
            group: facts.group,
        })]
    } else {
        vec![]
    })
}

impl Thing {
    /// Its memberships in groups that live on, in the order of joining.
    pub fn live_groups(&self, view: &dyn View) -> impl Iterator<Item = &Membership> {
        self.groups
            .iter()
            .filter(move |membership| is_live(view, &membership.group))
    }
}
