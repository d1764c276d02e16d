//! What differs between the two protocols over one twin, as data.
//!
//! `docs/twin-profiles.md` prints [`Profile::table`]; a test keeps the two equal. The numbers are
//! quotas ([`crate::limits::ShadowLimits`], [`crate::limits::TwinLimits`]).

use super::measure::ArrayNesting;
use crate::limits::Limits;

/// Which keys a write may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyRule {
    /// Any text, except the names under which the other protocol keeps its metadata.
    AnyButReserved,
    /// No control character, `.`, `$`, `#` or space; `$version` and `$metadata` of an echoed document are stripped.
    Restricted,
}

/// How size is counted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SizeRule {
    /// Bytes of the compact JSON of desired and reported together.
    CompactState,
    /// Characters of keys and texts, 8 a number, 4 a boolean, per section.
    PerSection,
}

/// What a reader sees of a section without members.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum EmptySection {
    /// It is left out.
    Hidden,
    /// It is shown as `{}`.
    Shown,
}

/// The rules of one protocol that are not numbers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Profile {
    /// The protocol's name for people.
    pub name: &'static str,
    /// Whether an array counts as a level of nesting.
    pub arrays: ArrayNesting,
    /// Objects that count as level zero: AWS counts the members of a section as the first level.
    pub first_level: usize,
    /// Which keys a write may use.
    pub keys: KeyRule,
    /// How size is counted.
    pub size: SizeRule,
    /// What a reader sees of a section without members.
    pub empty_section: EmptySection,
}

/// Names that IoT Hub's metadata uses: no protocol may write them as keys of a device twin.
pub const RESERVED_KEYS: &[&str] = &[
    "$lastUpdated",
    "$lastUpdatedVersion",
    "$metadata",
    "$version",
];

impl Profile {
    /// The AWS shadow protocol (AWS 4).
    pub const SHADOW: Self = Self {
        name: "AWS shadow",
        arrays: ArrayNesting::Free,
        first_level: 1,
        keys: KeyRule::AnyButReserved,
        size: SizeRule::CompactState,
        empty_section: EmptySection::Hidden,
    };

    /// The IoT Hub twin protocol (Azure 2).
    pub const HUB: Self = Self {
        name: "IoT Hub twin",
        arrays: ArrayNesting::Level,
        first_level: 0,
        keys: KeyRule::Restricted,
        size: SizeRule::PerSection,
        empty_section: EmptySection::Shown,
    };

    /// The table of both profiles under `limits`, in Markdown.
    #[must_use]
    pub fn table(limits: &Limits) -> String {
        let (shadow, hub) = (&limits.shadow, &limits.twin);
        let keys = |profile: &Self| {
            match profile.keys {
            KeyRule::AnyButReserved => {
                let names: Vec<_> = RESERVED_KEYS.iter().map(|key| format!("`{key}`")).collect();
                format!("any text but {} (device twin only)", names.join(", "))
            }
            KeyRule::Restricted => {
                "not empty; no control character, `.`, `$`, `#`, space; `$version` and `$metadata` at the top of a section are stripped".to_owned()
            }
        }
        };
        let arrays = |profile: &Self| match profile.arrays {
            ArrayNesting::Level => "an array is a level",
            ArrayNesting::Free => "an array is no level",
        };
        let sized = |profile: &Self| match profile.size {
            SizeRule::CompactState => format!(
                "{} bytes of compact JSON, desired and reported together, metadata not counted",
                shadow.document_bytes
            ),
            SizeRule::PerSection => format!(
                "tags {}, desired {}, reported {}: characters of keys and texts, number 8, boolean 4",
                hub.tags_bytes, hub.desired_bytes, hub.reported_bytes
            ),
        };
        let empty = |profile: &Self| match profile.empty_section {
            EmptySection::Hidden => "left out",
            EmptySection::Shown => "shown as `{}`",
        };
        let (s, h) = (&Self::SHADOW, &Self::HUB);
        let rows: Vec<[String; 3]> = vec![
            ["".into(), s.name.into(), h.name.into()],
            ["sections".into(), "desired, reported".into(), "tags, desired, reported (the device writes reported only)".into()],
            ["exists".into(), "from the first write of desired or reported; 404 before".into(), "from the creation of the identity".into()],
            ["null member".into(), "removes the key".into(), "removes the key".into()],
            ["null section".into(), "clears the section".into(), "clears the section".into()],
            ["null `state`".into(), "clears desired and reported".into(), "-".into()],
            ["null in an array".into(), "refused: `shadow.invalid_node`, 400 `InvalidRequestException`".into(), "refused: `twin.null_in_array`, 400 `ArgumentInvalid`".into()],
            ["empty section".into(), empty(s).into(), empty(h).into()],
            ["empty object below a section".into(), "kept".into(), "kept".into()],
            ["nesting".into(), format!("{} levels, a section's members are level 1; {}", shadow.depth, arrays(s)), format!("{} objects below a section; {}", hub.depth, arrays(h))],
            ["too deep".into(), "`shadow.too_deep`, 400 `InvalidRequestException`".into(), "`twin.too_deep`, 400 `ArgumentInvalid`".into()],
            ["size".into(), sized(s), sized(h)],
            ["too large".into(), "`shadow.too_large`, 413 `RequestEntityTooLargeException`".into(), "`twin.too_large`, 400 `ArgumentInvalid`".into()],
            ["keys".into(), keys(s), keys(h)],
            ["key length".into(), "-".into(), format!("{} bytes", hub.key_bytes)],
            ["string length".into(), "-".into(), format!("{} bytes", hub.string_bytes)],
            ["integers".into(), "-".into(), format!("{} to {}", hub.integer_min, hub.integer_max)],
            ["counter".into(), "`version`: +1 per write of desired or reported (and per accepted update), never for tags".into(), "`$version` per section: +1 per write that names it; root `version`: +1 per write".into()],
            ["condition".into(), "`version`: `shadow.version_conflict`, 409 `ConflictException`".into(), "ETag of tags and desired: `twin.precondition_failed`, 412 `PreconditionFailed`; `$version`: `twin.version_conflict`, 412".into()],
            ["metadata".into(), "`timestamp` in seconds per leaf and array element".into(), "`$lastUpdated` per object and leaf, `$lastUpdatedVersion` in desired".into()],
            ["delete".into(), format!("clears desired and reported; the version goes on for {} hours", shadow.tombstone_secs / 3600), "with the identity".into()],
            ["missing".into(), "`shadow.not_found`, 404 `ResourceNotFoundException`".into(), "404 `DeviceNotFound`, for modules too".into()],
        ];
        let mut table = String::new();
        for (n, [rule, shadow, hub]) in rows.iter().enumerate() {
            table.push_str(&format!("| {rule} | {shadow} | {hub} |\n"));
            if n == 0 {
                table.push_str("| --- | --- | --- |\n");
            }
        }
        table
    }
}
