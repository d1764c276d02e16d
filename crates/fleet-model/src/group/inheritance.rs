//! Inherited attributes: effective values, where each came from, and why it won.
//!
//! A thing's effective attributes are its own over those of its static groups; a group's are its own over
//! those of its ancestors. Own beats group; among groups the one at the deeper level wins (level
//! and name are those of the group that defines the value), then the smaller name, bytewise. Dynamic
//! and billing groups contribute nothing. A caller that wants the AWS service's behaviour passes no
//! layers. Spec: design, sections 5 and 10.

use super::GroupRef;
use crate::attribute::Attributes;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// What one static group contributes: a group of the thing, or an ancestor of one.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The group that defines the attributes.
    pub group: &'a GroupRef,
    /// Its level in its hierarchy, a root being 1.
    pub depth: usize,
    /// Its own attributes.
    pub attributes: &'a Attributes,
}

/// Where an effective value comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Origin<'a> {
    /// The thing (or group) itself.
    Own,
    /// A static group above it.
    Group {
        /// The group that defines the value.
        group: &'a GroupRef,
        /// Its level, a root being 1.
        depth: usize,
    },
}

impl Origin<'_> {
    /// `Less` when `self` wins over `other`.
    fn precedence(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Own, Self::Own) => Ordering::Equal,
            (Self::Own, Self::Group { .. }) => Ordering::Less,
            (Self::Group { .. }, Self::Own) => Ordering::Greater,
            (
                Self::Group { group, depth },
                Self::Group {
                    group: other,
                    depth: other_depth,
                },
            ) => other_depth
                .cmp(depth)
                .then_with(|| group.group_name.cmp(&other.group_name)),
        }
    }
}

/// An effective value and where it comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Effective<'a> {
    /// The value.
    pub value: &'a str,
    /// Where it comes from.
    pub origin: Origin<'a>,
}

/// Effective attributes, ascending bytewise by name.
pub type EffectiveAttributes<'a> = BTreeMap<&'a str, Effective<'a>>;

/// One value that an attribute could have had, and what became of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidate<'a> {
    /// The value.
    pub value: &'a str,
    /// Where it comes from.
    pub origin: Origin<'a>,
    /// Whether it won, and if not, to which rule it lost.
    pub verdict: Verdict,
}

/// What became of a candidate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It is the effective value.
    Won,
    /// The thing's own value beats any group's.
    LostToOwn,
    /// A group at a deeper level defines the attribute.
    LostToDeeper,
    /// A group at the same level with a smaller name defines it.
    LostToSmallerName,
}

impl Verdict {
    /// The rule in words, for people.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Won => "this value is in effect",
            Self::LostToOwn => "an own attribute beats those of groups",
            Self::LostToDeeper => "a group at a deeper level beats it",
            Self::LostToSmallerName => "a group at the same level with a smaller name beats it",
        }
    }
}

/// The effective attributes of a thing (or a group) with `own` attributes below `layers`, in any order.
///
/// `layers`: every static group of the thing and every ancestor of those; of a group, its ancestors. Work: the number of
/// attributes of all layers, times the logarithm of the number of names.
///
/// ```
/// use fleet_model::attribute::{AttributePayload, Attributes, Mode};
/// use fleet_model::group::{GroupRef, Layer, Origin, effective};
/// # use fleet_model::kernel::Refused; use fleet_model::id::IdError;
/// # fn attributes<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Attributes, Refused<IdError>> {
/// #     Ok(Attributes::default().apply(&AttributePayload::parse(pairs, Mode::Replace)?))
/// # }
/// # let group = |name: &str| -> Result<GroupRef, IdError> {
/// #     Ok(GroupRef { group_name: name.parse()?, group_id: "00000000-0000-0000-0000-000000000001".parse()? })
/// # };
/// let (plant, plant_attributes) = (group("plant")?, attributes([("site", "b2"), ("shift", "3")])?);
/// let own = attributes([("shift", "1")])?;
/// let layers = [Layer { group: &plant, depth: 1, attributes: &plant_attributes }];
/// let effective = effective(&own, layers);
/// assert_eq!(effective["shift"].value, "1");
/// assert_eq!(effective["site"].origin, Origin::Group { group: &plant, depth: 1 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn effective<'a>(
    own: &'a Attributes,
    layers: impl IntoIterator<Item = Layer<'a>>,
) -> EffectiveAttributes<'a> {
    let mut map = BTreeMap::new();
    for (name, value) in own.iter() {
        map.insert(
            name,
            Effective {
                value,
                origin: Origin::Own,
            },
        );
    }
    for layer in layers {
        let origin = Origin::Group {
            group: layer.group,
            depth: layer.depth,
        };
        for (name, value) in layer.attributes.iter() {
            let candidate = Effective { value, origin };
            map.entry(name)
                .and_modify(|held: &mut Effective<'a>| {
                    if origin.precedence(&held.origin) == Ordering::Less {
                        *held = candidate;
                    }
                })
                .or_insert(candidate);
        }
    }
    map
}

/// Every value that each attribute could have had, the effective one first, and why the others lost.
///
/// The order after the first is that of precedence. `layers` as in [`effective`].
#[must_use]
pub fn explain<'a>(
    own: &'a Attributes,
    layers: impl IntoIterator<Item = Layer<'a>>,
) -> BTreeMap<&'a str, Vec<Candidate<'a>>> {
    let mut map: BTreeMap<&str, Vec<Candidate<'_>>> = BTreeMap::new();
    let mut add = |name, value, origin| {
        map.entry(name).or_default().push(Candidate {
            value,
            origin,
            verdict: Verdict::Won,
        });
    };
    for (name, value) in own.iter() {
        add(name, value, Origin::Own);
    }
    for layer in layers {
        let origin = Origin::Group {
            group: layer.group,
            depth: layer.depth,
        };
        for (name, value) in layer.attributes.iter() {
            add(name, value, origin);
        }
    }
    for candidates in map.values_mut() {
        candidates.sort_by(|a, b| a.origin.precedence(&b.origin));
        // The same group can be reached through several memberships only by a caller's slip.
        candidates.dedup_by(|a, b| a.origin == b.origin);
        let Some(winner) = candidates.first().map(|candidate| candidate.origin) else {
            continue;
        };
        for candidate in candidates.iter_mut().skip(1) {
            candidate.verdict = match (winner, candidate.origin) {
                (Origin::Own, _) => Verdict::LostToOwn,
                (Origin::Group { depth, .. }, Origin::Group { depth: lost, .. })
                    if depth > lost =>
                {
                    Verdict::LostToDeeper
                }
                _ => Verdict::LostToSmallerName,
            };
        }
    }
    map
}
