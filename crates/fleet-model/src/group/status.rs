//! The status of a dynamic group, as a published table.

use serde::{Deserialize, Serialize};

/// Whether a dynamic group's members are complete.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DynamicStatus {
    /// Created; its members are being found.
    Building,
    /// Its members are complete.
    Active,
    /// Its condition changed; its members are being found anew.
    Rebuilding,
}

/// What moves the status.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Trigger {
    /// Every member that the present condition selects is in.
    BuildFinished,
    /// The condition changed.
    QueryChanged,
}

/// Every move: from, by, to. A pair without a row moves nothing. Spec: AWS 2.3.
pub const TRANSITIONS: &[(DynamicStatus, Trigger, DynamicStatus)] = &[
    (
        DynamicStatus::Building,
        Trigger::BuildFinished,
        DynamicStatus::Active,
    ),
    (
        DynamicStatus::Active,
        Trigger::QueryChanged,
        DynamicStatus::Rebuilding,
    ),
    (
        DynamicStatus::Rebuilding,
        Trigger::BuildFinished,
        DynamicStatus::Active,
    ),
    (
        DynamicStatus::Building,
        Trigger::QueryChanged,
        DynamicStatus::Building,
    ),
    (
        DynamicStatus::Rebuilding,
        Trigger::QueryChanged,
        DynamicStatus::Rebuilding,
    ),
];

impl DynamicStatus {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Building, Self::Active, Self::Rebuilding];

    /// The status after `trigger`, none when it moves nothing.
    #[must_use]
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == trigger)
            .map(|(_, _, to)| *to)
    }

    /// The status as AWS writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Building => "BUILDING",
            Self::Active => "ACTIVE",
            Self::Rebuilding => "REBUILDING",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table of the spec, cell by cell: `-` moves nothing.
    const SPEC: &str = "
        from        BuildFinished  QueryChanged
        BUILDING    ACTIVE         BUILDING
        ACTIVE      -              REBUILDING
        REBUILDING  ACTIVE         REBUILDING
    ";

    #[test]
    fn every_cell_is_as_the_spec_says() {
        let mut rows = SPEC.trim().lines().skip(1).map(str::split_whitespace);
        let mut cells = 0;
        for status in DynamicStatus::ALL {
            let mut row = rows.next().unwrap();
            assert_eq!(row.next(), Some(status.as_str()));
            for trigger in [Trigger::BuildFinished, Trigger::QueryChanged] {
                let found = status.after(trigger).map_or("-", DynamicStatus::as_str);
                assert_eq!(row.next(), Some(found), "{status:?} {trigger:?}");
                cells += 1;
            }
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        assert_eq!(cells, 6);
    }
}
